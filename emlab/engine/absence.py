"""Disks and servers that are away, and the patience to wait for them as for a disk that is full."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PAUSE = 30.0
"""Seconds between looks at a place that is away, at most."""
PATIENCE = 86_400.0
"""Seconds that items wait for a place, before they are tried a few times and given up like others."""


@dataclass
class Absence:
    """A place that is away for a step.

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
    """

    place: str
    since: float
    until: float
    looks: int = 1
    is_told: bool = False


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

    def begin(self, step: str, place: str, now: float, pause: float) -> Absence | None:
        """Take note that an item met with an absence; ``None`` where that has lasted for longer than patience does.

        Parameters
        ----------
        pause
            Seconds until the first look, doubled for each that is in vain.
        """
        absence = self._absences.setdefault(step, Absence(place, since=now, until=now + pause))
        if now - absence.since > PATIENCE:
            return None
        if now >= absence.until:
            absence.place = place
            absence.until = now + min(pause * 2**absence.looks, LONGEST_PAUSE)
            absence.looks += 1
        return absence

    def end(self, step: str) -> Absence | None:
        """Take note that a step's item was done, and give what had been away."""
        return self._absences.pop(step, None)
