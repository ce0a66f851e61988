"""How one of Scipion's protocols becomes one of emlab's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emlab.workflow.scipion.reading import Reading


@dataclass(frozen=True)
class Translation:
    """How a Scipion protocol becomes one of emlab's.

    Attributes
    ----------
    protocol
        emlab's.
    step
        What a step of it is called.
    read
        Carries the parameters over; given the reading and the pixel size of the images that it takes: a number (Å), a
        field, or ``None`` where the file has neither.
    """

    protocol: str
    step: str
    read: Callable[[Reading, Any], None]
