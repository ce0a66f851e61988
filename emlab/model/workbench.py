"""What a protocol works at: the way to its input pixels and for its outputs.

A protocol never touches the file system. It asks its workbench for pixels and hands over what it made; where
files are, how they are named, made durable and checked, on which device arrays live, is the workbench's
business (``emlab.engine.workbench``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from emlab.model.arrival import Arrival
from emlab.model.facts import FileFacts, Sidecar
from emlab.model.movie import Movie

Array = NDArray[Any]
"""A NumPy array, or a CuPy array where the task runs on a GPU."""


class Frames(Protocol):
    """The frames of one movie, decoded one at a time and never held together by the reader."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height, width."""

    def __iter__(self) -> Iterator[Array]:
        """Each frame: raw counts in the file's type, axes (y, x)."""

    def read(self, index: int) -> Array:
        """One frame by itself, counted from 0; in any thread."""


class Workbench(Protocol):
    """One task's way to its inputs and outputs.

    Outputs are named ``<item>_<suffix>`` (``<item>`` alone for an empty suffix). Each appears under its name whole
    and durable or not at all; what a task that failed has left is overwritten by the next attempt. Each ``write_``
    returns the path for the record.
    """

    @property
    def item(self) -> str:
        """The key of the record that is wanted; a batch's where the protocol is a fold."""

    def inspect(self, arrival: Arrival, *, eer_grouping: int | None = None, eer_upsampling: int = 1) -> FileFacts:
        """The header of a file that arrived."""

    def sidecar(self, arrival: Arrival) -> Sidecar | None:
        """The metadata that the microscope wrote beside a file, if it did."""

    def read_frames(self, movie: Movie, start: int, stop: int) -> Iterator[Array]:
        """The raw frames of a movie from ``start`` to before ``stop``, without gain, where the task computes."""

    def read_gain(self, movie: Movie) -> Array | None:
        """What to multiply each raw frame with, where the task computes.

        Float32 (y, x), as oriented for the movie; 0 marks a defect.
        """

    def read_defects(self, movie: Movie) -> Array | None:
        """Pixels known to be bad, where the task computes: bool (y, x)."""

    def read_image(self, path: str) -> Array:
        """An image that an earlier protocol wrote or that was imported: float32 (y, x)."""

    def read_stack(self, path: str) -> Array:
        """A stack of images that an earlier protocol wrote: float32 (image, y, x)."""

    def read_array(self, path: str) -> Array:
        """Numbers that an earlier protocol wrote, as it wrote them."""

    def write_image(self, suffix: str, image: Array, pixel_size: float) -> str:
        """Write an MRC; the image must be finite and not blank.

        Raises
        ------
        DataError
            If it is not.
        """

    def write_stack(self, suffix: str, stack: Array, pixel_size: float) -> str:
        """Write an MRC stack (image, y, x), float32 or float16; each image must be finite and not blank.

        Raises
        ------
        DataError
            If one is not.
        """

    def write_array(self, suffix: str, array: Array) -> str:
        """Write numbers as a NumPy file."""

    def write_picture(self, suffix: str, picture: Array, quality: int = 85) -> str:
        """Write a JPEG of uint8 (y, x) or (y, x, rgb)."""

    def write_tables(self, suffix: str, tables: Mapping[str, Mapping[str, Any | Sequence[Any]]]) -> str:
        """Write a STAR file: block name → column name → values; a block of scalars becomes a list block."""

    def to_device(self, array: Array) -> Array:
        """The array where the task computes: unchanged on a CPU, on the card on a GPU."""
