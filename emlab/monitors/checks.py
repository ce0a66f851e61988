"""What can be wrong with a session, how bad it is, and what to look at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from emlab.monitors.episode import Course, medians_so_far, running_medians
from emlab.monitors.items import Items
from emlab.monitors.overview import Overview
from emlab.monitors.rule import Rule, in_force
from emlab.monitors.words import counted, duration, number
from emlab.sets import Failure

RECENT: Final = 20
"""Micrographs whose median or share counts: one bad one is no alarm."""
HISTORY: Final = 50
"""Earlier ones that are needed to say what is usual."""
CTF_RESOLUTION: Final = 8.0
"""Å; the limit where the session sets none."""
ASTIGMATISM: Final = 500.0
"""Å; objective stigmators are left below that."""
LEAST_FREE: Final = 20 * 2**30
"""Bytes: about 30 movies with what becomes of them."""
LEAST_STALL: Final = 300.0
"""Seconds without a new movie that are no alarm: the stage moves to another square."""
FAILURES: Final = 5
"""Fewer are no alarm."""
LOOKBACK: Final = 1800.0
"""Seconds over which failures are counted."""


@dataclass(frozen=True)
class Scene:
    """What alarms are judged by.

    Attributes
    ----------
    items, overview, rule, failures
        Of the session, as they are now.
    free, size
        Bytes of the session's disk.
    now
        Seconds since 1970-01-01 UTC.
    """

    items: Items
    overview: Overview
    rule: Rule | None
    failures: list[Failure]
    free: int
    size: int
    now: float


@dataclass(frozen=True)
class Finding:
    """How bad something is: an alarm from ``raised_at`` on, and until it is below ``cleared_at`` again.

    Where the records tell when it began, ``since`` says so, seconds since 1970-01-01 UTC, or ``course`` how bad it was
    until now.
    """

    badness: float
    raised_at: float
    cleared_at: float
    message: str
    level: str = "warning"
    since: float | None = None
    course: Callable[[], Course] | None = None

    @property
    def began(self) -> float | None:
        """When it began as far as the records tell."""
        return self.course().onset(self.raised_at, self.cleared_at) if self.course else self.since


def _engine(scene: Scene) -> Finding:
    message = "The engine ended without giving a reason. Restart it with `emlab resume`; nothing is lost."
    newest = max((stage.newest for stage in scene.overview.stages if math.isfinite(stage.newest)), default=None)
    return Finding(float(scene.overview.state == "crashed"), 1, 1, message, "error", newest)


def _stalled(scene: Scene) -> Finding | None:
    """No new file although more may come."""
    arrived = scene.items["recorded_at"]
    arrived = arrived[np.isfinite(arrived)]
    if scene.overview.state != "running" or not scene.overview.arriving or arrived.size < 2:
        return None
    # Those that were there already arrived all at once.
    usual = max(float(np.median(np.diff(np.sort(times[-200:])))) for times in (arrived, scene.items.time))
    silence = scene.now - float(arrived.max())
    allowed = max(LEAST_STALL, 20 * usual)
    return Finding(
        silence,
        allowed,
        allowed,
        f"No new file for {duration(silence)}; before that, one came every {duration(usual)}. Check the microscope, "
        "its disk (full or unreachable?) and the network.",
        since=scene.now - silence + allowed,
    )


def _failing(scene: Scene) -> Finding | None:
    recent = sum(failure.at > scene.now - LOOKBACK for failure in scene.failures)
    if not recent:
        return None
    message = f"{counted(recent, 'item')} failed during the last {duration(LOOKBACK)}. The list below says why."
    failed = np.sort([failure.at for failure in scene.failures])
    arrived = scene.items["recorded_at"]
    arrived = np.sort(arrived[np.isfinite(arrived)])

    def shares(times: NDArray[np.float64]) -> NDArray[np.float64]:
        new, lost = _within(arrived, times), _within(failed, times)
        return np.where(lost >= FAILURES, lost / np.maximum(np.maximum(new, lost), 1), 0.0)

    def course() -> Course:
        changes = np.concatenate([failed, arrived])
        times = np.sort(np.concatenate([changes, changes + LOOKBACK]))
        times = times[times <= scene.now]
        return Course(times, shares(times))

    return Finding(float(shares(np.array([scene.now]))[0]), 0.3, 0.1, message, "error", course=course)


def _disk_full(scene: Scene) -> Finding:
    least = max(LEAST_FREE, scene.size // 50)
    free = f"{scene.free / 2**30:,.0f} GiB"
    message = f"Only {free} left on the session's disk. Free some space: processing waits when the disk is full."
    return Finding(least / max(scene.free, 1), 1.0, 0.8, message, "error")


def _away(scene: Scene) -> Finding | None:
    away = scene.overview.away
    if not away:
        return None
    places = " and ".join(dict.fromkeys(one.place for one in away))
    steps = ", ".join(one.run for one in away)
    message = (
        f"{places} cannot be reached. Items of {steps} wait, and continue by themselves when it is back. Check the "
        "disk or server, its mount and the network."
    )
    return Finding(1, 1, 1, message, "error", min(one.since for one in away))


def _behind(scene: Scene) -> Finding | None:
    overview = scene.overview
    if overview.state != "running" or not overview.acquisition_rate > 1.1 * overview.processing_rate:
        return None
    message = (
        f"{counted(overview.waiting, 'item')} waiting: {number(overview.acquisition_rate)} arrive per hour and "
        f"{number(overview.processing_rate)} are processed. Give the session more workers or GPUs."
    )
    arrived = scene.items["recorded_at"]
    arrived = np.sort(arrived[np.isfinite(arrived)])
    since = float(arrived[-overview.waiting]) if 0 < overview.waiting <= arrived.size else None
    return Finding(overview.waiting, 100, 50, message, since=since)


def _ctf(scene: Scene) -> Finding | None:
    limits = {"max_ctf_resolution": (scene.rule and scene.rule.limits.get("max_ctf_resolution")) or CTF_RESOLUTION}
    limit = in_force(scene.items, limits)["max_ctf_resolution"]
    times, values = _known(scene, "ctf_resolution")
    if values.size < RECENT:
        return None
    share = float(np.mean(values[-RECENT:] > limit))
    message = (
        f"{share:.0%} of the last {RECENT} micrographs do not reach {limit:g} Å. Check ice thickness, focus, drift "
        "and the beam."
    )
    return Finding(
        share,
        0.5,
        0.25,
        message,
        course=lambda: Course(times[RECENT - 1 :], sliding_window_view(values > limit, RECENT).mean(axis=1)),
    )


def _astigmatism(scene: Scene) -> Finding | None:
    times, values = _known(scene, "astigmatism")
    if values.size < RECENT:
        return None
    typical = float(np.median(values[-RECENT:]))
    message = f"Astigmatism is {number(typical)} Å, the median of the last {RECENT}. Align the objective stigmator."
    return Finding(
        typical,
        ASTIGMATISM,
        0.7 * ASTIGMATISM,
        message,
        course=lambda: Course(times[RECENT - 1 :], running_medians(values, RECENT)),
    )


def _motion(scene: Scene) -> Finding | None:
    times, values = _known(scene, "total_motion")
    if values.size < RECENT + HISTORY:
        return None
    now, usual = float(np.median(values[-RECENT:])), float(np.median(values[:-RECENT]))
    message = (
        f"The specimen moves {number(now, 1)} Å, {number(now / usual, 1)} times as much as before. Wait longer after "
        "stage moves; check the holder and the vacuum."
    )
    return Finding(now / usual, 2.0, 1.5, message, course=lambda: _against_usual(times, values))


def _counts(scene: Scene) -> Finding | None:
    times, values = _known(scene, "mean_counts")
    if values.size < RECENT + HISTORY:
        return None
    change = float(np.median(values[-RECENT:])) / float(np.median(values[:-RECENT])) - 1
    message = (
        f"The camera counts {abs(change):.0%} {'more' if change > 0 else 'fewer'} electrons than before. Check the "
        "beam, the apertures, the ice and the gain reference."
    )

    def course() -> Course:
        ratios = _against_usual(times, values)
        return Course(ratios.times, np.abs(ratios.badness - 1))

    return Finding(abs(change), 0.15, 0.08, message, course=course)


CHECKS: Final[dict[str, Callable[[Scene], Finding | None]]] = {
    "Engine": _engine,
    "Disk": _disk_full,
    "Storage": _away,
    "Acquisition": _stalled,
    "Failures": _failing,
    "Queue": _behind,
    "CTF": _ctf,
    "Astigmatism": _astigmatism,
    "Motion": _motion,
    "Counts": _counts,
}
"""By the alarm's name; ``None`` where there is nothing to be told, which ends an episode."""


def _known(scene: Scene, measure: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of a measure that are known, and when the latest of them and those before arrived."""
    values = scene.items[measure]
    known = np.isfinite(values)
    return np.fmax.accumulate(scene.items["recorded_at"][known]), values[known]


def _against_usual(times: NDArray[np.float64], values: NDArray[np.float64]) -> Course:
    """The median of the newest values in multiples of that of all before them, wherever those are enough."""
    usual = medians_so_far(values[:-RECENT])[HISTORY - 1 :]
    return Course(times[HISTORY + RECENT - 1 :], running_medians(values[HISTORY:], RECENT) / usual)


def _within(moments: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of the ascending moments are in the `LOOKBACK` before each time."""
    return np.searchsorted(moments, times, "right") - np.searchsorted(moments, times - LOOKBACK, "right")
