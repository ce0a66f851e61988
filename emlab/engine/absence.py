"""Disks and servers that are away, disks that are full, and the patience to wait for them."""

from __future__ import annotations

from dataclasses import dataclass

from emlab.monitors.words import duration

LONGEST_PAUSE = 30.0
"""Seconds between looks at a place that is away, at most."""
PATIENCE = 86_400.0
"""Seconds that items wait for a place, before they are tried a few times and given up like others."""


@dataclass
class Absence:
    """A place that is away for a step, or has no room for what it makes.

    Attributes
    ----------
    place
        A folder.
    since, until
        When that was found; when it is looked at again: seconds of the machine's monotonic clock.
    looks
        How many were in vain.
    is_told
        Whether people know; one that was over at the second look is none of their business.
    is_full
        Whether the place is there, and its disk is full.
    """

    place: str
    since: float
    until: float
    looks: int = 1
    is_told: bool = False
    is_full: bool = False

    @property
    def awaited(self) -> str:
        """What is waited for, as a clause."""
        return f"the disk of {self.place} has room" if self.is_full else f"{self.place} is back"

    def beginning(self, why: str) -> str:
        """Say that items wait."""
        what = f"The disk of {self.place} is full" if self.is_full else f"{self.place} cannot be reached"
        return f"{what} ({why}): items wait until {self.awaited}."

    def ending(self, now: float) -> str:
        """Say that they wait no more."""
        what = f"The disk of {self.place} has room again" if self.is_full else f"{self.place} is back"
        return f"{what} after {duration(now - self.since)}: waiting items continue."


class Absences:
    """What is away, by the step that needs it: its items are held back together, and not one attempt is counted."""

    def __init__(self) -> None:
        self._absences: dict[str, Absence] = {}

    def get(self, step: str) -> Absence | None:
        """What is away for a step."""
        return self._absences.get(step)

    @property
    def told(self) -> dict[str, Absence]:
        """What people know to be away, by the step that needs it."""
        return {step: absence for step, absence in self._absences.items() if absence.is_told}

    def hold(self, step: str, now: float) -> float | None:
        """Until when a step's items are held back; ``None`` if they are not."""
        absence = self._absences.get(step)
        return absence.until if absence is not None and now < absence.until else None

    def begin(self, step: str, place: str, now: float, pause: float, *, is_full: bool = False) -> Absence | None:
        """Take note that an item met with an absence; ``None`` where that has lasted for longer than patience does.

        Parameters
        ----------
        pause
            Seconds until the first look, doubled for each that is in vain.
        is_full
            Whether its disk is full, for which patience does not end: it needs somebody to make room, who may be away
            for longer, and nothing could be recorded meanwhile.
        """
        absence = self._absences.setdefault(step, Absence(place, since=now, until=now + pause, is_full=is_full))
        if now - absence.since > PATIENCE and not is_full:
            return None
        if now >= absence.until:
            absence.place, absence.is_full = place, is_full
            absence.until = now + min(pause * 2**absence.looks, LONGEST_PAUSE)
            absence.looks += 1
        return absence

    def end(self, step: str) -> Absence | None:
        """Take note that a step's item was done, and give what had been away."""
        return self._absences.pop(step, None)
