"""Where a task is computed, and where else when a card cannot do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Place:
    """A device and what is kept on it.

    Attributes
    ----------
    device
        ``cpu``, or ``gpu:0``.
    holds_frames
        Whether a card holds the raw frames of a movie, most of what it needs; else it reads them, each when it is
        its turn, from the computer's memory.
    """

    device: str
    holds_frames: bool = True

    @property
    def on_card(self) -> bool:
        """Whether it is a graphics card."""
        return self.device != "cpu"


CPU: Final = Place("cpu")


def places(device: str) -> tuple[Place, ...]:
    """Where a worker on ``device`` computes, the best first; the next has more memory, and is slower."""
    if device == "cpu":
        return (CPU,)
    return Place(device), Place(device, holds_frames=False), CPU


def is_of_the_card(error: Exception) -> bool:
    """Whether CUDA failed, not for want of memory: no more can be computed on the card by this process."""
    return not isinstance(error, MemoryError) and type(error).__module__.partition(".")[0] in {"cupy", "cupy_backends"}
