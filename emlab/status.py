"""A session's status as plain data, for scripts."""

from __future__ import annotations

import math
from typing import Any

from emlab.monitors import Items, Overviewer
from emlab.session import Session


def status_of(session: Session) -> dict[str, Any]:
    """What the session is doing, what waits, what failed, how fast the engine is.

    Returns
    -------
    dict
        ``state``, ``now`` (sentences on what runs and what waits for what), ``stages``
        (by run), ``engine``, ``seconds_left``, ``failures``; only JSON's types. Seconds
        where nothing else is said; ``latency`` is from an item's last input to its start, where a worker was
        free.
    """
    items = Items(session)
    items.update()
    overviewer = Overviewer(session, items)
    overview = overviewer.update()
    stages = {stage.name: _plain(vars(stage)) for stage in overview.stages}
    recorded = sum(len(records) for records in session.sets.values())
    latencies = [stage.latency * 1e3 for stage in overview.stages if not math.isnan(stage.latency)]
    slowest = [stage.latency_99 * 1e3 for stage in overview.stages if not math.isnan(stage.latency_99)]
    cpu = 1e3 * session.engine_cpu / recorded if recorded else math.nan
    engine = {
        "cpu_seconds": session.engine_cpu,
        "cpu_ms_per_record": cpu,
        "latency_ms": max(latencies, default=math.nan),
        "latency_99_ms": max(slowest, default=math.nan),
    }
    summary = (
        f"Engine: {cpu:.2f} ms of CPU a record; from an input to its successor's start "
        f"{engine['latency_ms']:.2f} ms (median), {engine['latency_99_ms']:.1f} ms (99th percentile), "
        "in the slowest step."
        if recorded
        else "Engine: nothing recorded yet."
    )
    return {
        "name": session.name,
        "path": str(session.path),
        "state": overview.state,
        "pace": overview.pace,
        "now": session.explain(),
        "seconds_left": _number(overview.seconds_left),
        "stages": stages,
        "engine": {**_plain(engine), "summary": summary},
        "failures": [
            {"run": failure.run, "key": failure.key, "error": failure.error, "message": failure.message}
            for failure in sorted(overviewer.stages.failures, key=lambda failure: failure.number)
        ],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) if isinstance(value, float) else value for name, value in values.items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
