"""A session's status as plain data, for scripts."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from emlab.monitors import Situation
from emlab.plain import plain
from emlab.session import Session


def status_of(session: Session) -> dict[str, Any]:
    """What the session is doing, what waits, what failed, what to look at, how fast the engine is.

    Returns
    -------
    dict
        ``state``, ``now`` (sentences on what runs and what waits for what), ``alarms`` (the oldest first, ``since``
        in seconds since 1970), ``stages`` (by run), ``engine``, ``seconds_left``, ``failures``; only JSON's types.
        Seconds where nothing else is said; ``latency`` is from an item's last input to its start, where a worker was
        free.
    """
    situation = Situation(session)
    situation.update()
    overview, alarms = situation.overview, situation.alarms
    recorded = sum(len(records) for records in session.sets.values())
    cpu = 1e3 * session.engine_cpu / recorded if recorded else math.nan
    latency = max((stage.latency * 1e3 for stage in overview.stages if stage.latency >= 0), default=math.nan)
    latency_99 = max((stage.latency_99 * 1e3 for stage in overview.stages if stage.latency_99 >= 0), default=math.nan)
    summary = (
        f"Engine: {cpu:.2f} ms of CPU per record; from an input to its successor's start {latency:.2f} ms (median), "
        f"{latency_99:.1f} ms (99th percentile), in the slowest step."
        if recorded
        else "Engine: nothing recorded yet."
    )
    found = {
        "name": session.name,
        "path": str(session.path),
        "state": overview.state,
        "pace": overview.pace,
        "now": session.explain(),
        "alarms": [{**asdict(alarm), "is_acknowledged": alarm.name in alarms.acknowledged} for alarm in alarms.active],
        "seconds_left": overview.seconds_left,
        "stages": {stage.name: vars(stage) for stage in overview.stages},
        "engine": {
            "cpu_seconds": session.engine_cpu,
            "cpu_ms_per_record": cpu,
            "latency_ms": latency,
            "latency_99_ms": latency_99,
            "summary": summary,
        },
        "failures": [
            {"run": failure.run, "key": failure.key, "error": failure.error, "message": failure.message}
            for failure in reversed(situation.failures)
        ],
    }
    return dict(plain(found))
