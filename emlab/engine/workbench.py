"""The way to a task's input pixels and for its outputs, on the file system."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from emlab.arrays.module import to_host
from emlab.arrays.threads import threads
from emlab.engine.fallback import CPU, Place
from emlab.engine.read_ahead import read_ahead
from emlab.errors import DataError
from emlab.formats.array import read_array, write_array
from emlab.formats.defects import read_defects
from emlab.formats.gain import read_gain
from emlab.formats.image import read_image
from emlab.formats.jpeg import write_jpeg
from emlab.formats.movie import inspect, open_movie
from emlab.formats.mrc import read_mrc, write_mrc
from emlab.formats.sidecar import read_sidecar
from emlab.formats.star import write_star
from emlab.model import Array, Arrival, FileFacts, Movie, Sidecar

KEPT_IMAGES = 2
"""Images that a process keeps in memory because the next protocol is likely to want them."""


class Pantry:
    """What a worker process keeps between tasks: the last images, the gain references, the defects."""

    def __init__(self) -> None:
        self.images: OrderedDict[Path, Array] = OrderedDict()
        self.references: dict[tuple[Any, ...], Array] = {}

    def keep(self, path: Path, image: Array) -> None:
        """Keep an image, and let the oldest go."""
        self.images[path] = image
        while len(self.images) > KEPT_IMAGES:
            self.images.popitem(last=False)

    def empty(self) -> None:
        """Keep nothing."""
        self.images.clear()
        self.references.clear()


class FolderWorkbench:
    """A task's workbench in a folder: see `emlab.model.Workbench`.

    Parameters
    ----------
    root
        The session's folder; paths in records are relative to it.
    folder
        Where outputs go, relative to ``root``.
    item
        What outputs are named after.
    place
        Where the task computes.
    pantry
        Kept between tasks.
    """

    def __init__(self, root: Path, folder: str, item: str, place: Place = CPU, pantry: Pantry | None = None) -> None:
        self._root = root
        self._folder = folder
        self.item = item
        self._place = place
        self._pantry = pantry or Pantry()

    def inspect(self, arrival: Arrival, *, eer_grouping: int | None = None, eer_upsampling: int = 1) -> FileFacts:
        return inspect(Path(arrival.path), eer_grouping=eer_grouping, eer_upsampling=eer_upsampling)

    def sidecar(self, arrival: Arrival) -> Sidecar | None:
        return read_sidecar(Path(arrival.path))

    def read_frames(self, movie: Movie, start: int, stop: int) -> Iterator[Array]:
        frames = open_movie(Path(movie.path), eer_grouping=movie.eer_grouping, eer_upsampling=movie.eer_upsampling)
        if not self._place.on_card:
            return islice(frames, start, stop) if threads() < 2 else read_ahead(frames, start, stop, threads())
        return map(self.to_device if self._place.holds_frames else _lent_to_card, read_ahead(frames, start, stop))

    def read_gain(self, movie: Movie) -> Array | None:
        if movie.gain_reference is None:
            return None
        path, shape = Path(movie.gain_reference), (movie.height, movie.width)
        rotation, flip, eer = movie.gain_rotation, movie.gain_flip, movie.eer_grouping is not None
        identity = ("gain", _state(path), shape, rotation, flip, eer)
        return self._kept(identity, lambda: read_gain(path, shape, rotation=rotation, flip=flip, eer=eer))

    def read_defects(self, movie: Movie) -> Array | None:
        if movie.defects is None:
            return None
        path, shape = Path(movie.defects), (movie.height, movie.width)
        identity = ("defects", _state(path), shape, movie.eer_upsampling)
        return self._kept(identity, lambda: read_defects(path, shape, movie.eer_upsampling))

    def read_image(self, path: str) -> Array:
        image = self._pantry.images.get(self._root / path)
        return image if image is not None else read_image(self._root / path)[0]

    def read_stack(self, path: str) -> Array:
        stack, _ = read_mrc(self._root / path)
        return stack.reshape(-1, *stack.shape[-2:]).astype(np.float32, copy=False)

    def read_array(self, path: str) -> Array:
        return read_array(self._root / path)

    def write_image(self, suffix: str, image: Array, pixel_size: float) -> str:
        host = to_host(image).astype(np.float32, copy=False)
        low, high = float(host.min()), float(host.max())
        if not np.isfinite(low + high):
            raise DataError(f"The image {suffix or 'of ' + self.item} has pixels that are not finite numbers.")
        if low == high:
            raise DataError(f"The image {suffix or 'of ' + self.item} is blank: every pixel is {low:g}.")
        relative, path = self._output(suffix, ".mrc")
        write_mrc(path, host, pixel_size)
        self._pantry.keep(path, host)
        return relative

    def write_stack(self, suffix: str, stack: Array, pixel_size: float) -> str:
        host = to_host(stack)
        low, high = host.min(axis=(1, 2)), host.max(axis=(1, 2))
        if bad := np.flatnonzero(~np.isfinite(low + high) | (low == high)).tolist():
            raise DataError(
                f"In the stack of {len(host)} images {suffix or 'of ' + self.item}, {len(bad)} are blank or have "
                f"pixels that are not numbers; the first is image {bad[0] + 1}."
            )
        relative, path = self._output(suffix, ".mrcs")
        write_mrc(path, host, pixel_size)
        return relative

    def write_array(self, suffix: str, array: Array) -> str:
        relative, path = self._output(suffix, ".npy")
        write_array(path, to_host(array))
        return relative

    def write_picture(self, suffix: str, picture: Array, quality: int = 85) -> str:
        relative, path = self._output(suffix, ".jpg")
        write_jpeg(path, to_host(picture), quality)
        return relative

    def write_tables(self, suffix: str, tables: Mapping[str, Mapping[str, Any | Sequence[Any]]]) -> str:
        relative, path = self._output(suffix, ".star")
        write_star(path, tables)
        return relative

    def to_device(self, array: Array) -> Array:
        if not self._place.on_card:
            return array
        import cupy

        return cupy.asarray(array)  # type: ignore[no-any-return]

    def _kept(self, identity: tuple[Any, ...], read: Callable[[], Array]) -> Array:
        """What many items need, read once and kept where they are computed."""
        here = (*identity, self._place.on_card)
        if here not in self._pantry.references:
            self._pantry.references[here] = self.to_device(read())
        return self._pantry.references[here]

    def _output(self, suffix: str, extension: str) -> tuple[str, Path]:
        name = f"{self.item}_{suffix}" if suffix else self.item
        relative = f"{self._folder}/{name}{extension}" if self._folder else f"{name}{extension}"
        path = self._root / relative
        # The key of a database that somebody has changed may be a path, and one of its folders a link.
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self._root)):
            raise DataError(f"{relative} lies outside the session's folder {self._root}; nothing is written there.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return relative, path


def _lent_to_card(array: Array) -> Array:
    """An array of the card's that lies in the computer's memory, from where the card reads it each time."""
    import cupy

    memory = cupy.cuda.alloc_pinned_memory(array.nbytes)
    np.frombuffer(memory, array.dtype, array.size).reshape(array.shape)[...] = array
    lent = cupy.cuda.UnownedMemory(memory.ptr, array.nbytes, memory, cupy.cuda.runtime.getDevice())
    return cupy.ndarray(array.shape, array.dtype, cupy.cuda.MemoryPointer(lent, 0))  # type: ignore[no-any-return]


def _state(path: Path) -> tuple[str, int, int]:
    facts = path.stat()
    return str(path), facts.st_size, facts.st_mtime_ns
