"""Where a task is computed, and where else when a card cannot do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal


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


Failure = Literal["starved", "unfit", "broken"]
"""Of a card: too little memory; a library or a compiler that it lacks; CUDA itself, after which nothing more can be
computed on the card by the same process."""

_NO_MEMORY: Final = re.compile("MemoryAllocation|OUT_OF_MEMORY|ALLOC_FAILED")
"""What CUDA's runtime (of pinned memory), its driver and its libraries say, where CuPy raises no MemoryError."""
_NOT_LOADED: Final = "CuPy failed to load"
_OF_THE_COMPILER: Final = {"CompileException", "NVRTCError"}

CPU: Final = Place("cpu")


def places(device: str) -> tuple[Place, ...]:
    """Where a worker on ``device`` computes, the best first; the next has more memory, and is slower."""
    if device == "cpu":
        return (CPU,)
    return Place(device), Place(device, holds_frames=False), CPU


def failure_of(error: Exception) -> Failure | None:
    """What an exception says of the place that raised it; ``None`` where it says something of the item."""
    package = type(error).__module__.partition(".")[0]
    if isinstance(error, MemoryError):
        return "starved"
    if isinstance(error, ImportError) or str(error).startswith(_NOT_LOADED):
        return "unfit"
    if package not in {"cupy", "cupy_backends"}:
        return None
    if _NO_MEMORY.search(str(error)):
        return "starved"
    return "unfit" if type(error).__name__ in _OF_THE_COMPILER else "broken"
