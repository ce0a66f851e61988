"""What a person should be woken for: one alarm per episode, raised at one level and cleared at a lower one."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from emlab.monitors.checks import CHECKS, Scene
from emlab.monitors.items import Items
from emlab.monitors.overview import Overview
from emlab.monitors.rule import Rule
from emlab.sets import Failure

SHIFT: Final = 8 * 3600.0
"""Seconds after which another person sits there, who knows nothing."""


@dataclass(frozen=True)
class Alarm:
    """Something that is wrong now.

    Attributes
    ----------
    name
        What is wrong; there is one alarm of a name at a time.
    level
        ``warning`` or ``error``.
    message
        What was found, and what to look at.
    since
        When it began, seconds since 1970-01-01 UTC.
    is_recorded
        Whether the session's records tell that; else it is when it was first found here.
    """

    name: str
    level: str
    message: str
    since: float
    is_recorded: bool = True


class Alarms:
    """The alarms of a session.

    Attributes
    ----------
    acknowledged
        Names of those that a person has seen; forgotten when the episode is over.
    """

    def __init__(
        self, path: str, now: Callable[[], float] = time.time, free: Callable[[str], tuple[int, int]] | None = None
    ) -> None:
        self._path = path
        self._now = now
        self._free = free or _disk
        self._active: dict[str, Alarm] = {}
        self.acknowledged: set[str] = set()

    @property
    def active(self) -> list[Alarm]:
        """Those that are not over, the oldest first."""
        return sorted(self._active.values(), key=lambda alarm: alarm.since)

    @property
    def pressing(self) -> list[Alarm]:
        """Those that nobody has acknowledged."""
        return [alarm for alarm in self.active if alarm.name not in self.acknowledged]

    def acknowledge(self, name: str, at: float) -> None:
        """Take note that a person knows; the alarm stays, and comes again in its next episode only.

        Parameters
        ----------
        at
            When the person said so, seconds since 1970. Whoever begins to look later takes it for this episode's
            where it is not older than `SHIFT`.
        """
        alarm = self._active.get(name)
        if alarm is not None and at > alarm.since - SHIFT:
            self.acknowledged.add(name)

    def update(self, items: Items, overview: Overview, rule: Rule | None, failures: Iterable[Failure]) -> list[Alarm]:
        """Look again; returns the alarms that are new."""
        free, size = self._free(self._path)
        scene = Scene(items, overview, rule, list(failures), free, size, self._now())
        new = []
        for name, check in CHECKS.items():
            finding = check(scene)
            known = self._active.get(name)
            if finding is None or finding.badness < finding.cleared_at:
                self._active.pop(name, None)
                self.acknowledged.discard(name)
            elif known is not None or finding.badness >= finding.raised_at:
                # The records of an episode do not change: its course is gone through once.
                is_told = known is not None and known.is_recorded and finding.course is not None
                began = known.since if known and is_told else finding.began
                since = began if began is not None else known.since if known else scene.now
                self._active[name] = Alarm(name, finding.level, finding.message, since, began is not None)
                if known is None:
                    new.append(self._active[name])
        return new


def _disk(path: str) -> tuple[int, int]:
    usage = shutil.disk_usage(path)
    return usage.free, usage.total
