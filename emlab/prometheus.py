"""The status of sessions as Prometheus reads it (text exposition format, version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Sample = tuple[Mapping[str, str], float]
UP = {"running", "paused"}


def exposition(statuses: Sequence[Mapping[str, Any]]) -> str:
    """Metrics of what `emlab.status.status_of` found of each session."""
    found = [({"session": status["name"], "path": status["path"]}, status) for status in statuses]
    steps = [(who | {"step": step}, stage) for who, status in found for step, stage in status["stages"].items()]
    alarms = [
        who | {"alarm": alarm["name"], "level": alarm["level"]} for who, status in found for alarm in status["alarms"]
    ]
    ends: list[Sample] = [(who, status["seconds_left"]) for who, status in found if status["seconds_left"] is not None]
    cpu: list[Sample] = [(who, status["engine"]["cpu_seconds"]) for who, status in found]

    def per_step(figure: str) -> list[Sample]:
        return [(who, stage[figure]) for who, stage in steps]

    metrics: list[tuple[str, str, str, list[Sample]]] = [
        (
            "up",
            "gauge",
            "Whether the engine is running, paused or not.",
            [(who, one["state"] in UP) for who, one in found],
        ),
        ("state", "gauge", "State of the session.", [(who | {"state": status["state"]}, 1) for who, status in found]),
        ("alarm", "gauge", "Active alarms.", [(alarm, 1) for alarm in alarms]),
        ("items_done_total", "counter", "Items that a step has recorded.", per_step("done")),
        ("items_failed", "gauge", "Items that failed for good in a step.", per_step("failed")),
        ("items_waiting", "gauge", "Items that a step still has to do, including running ones.", per_step("waiting")),
        ("engine_cpu_seconds_total", "counter", "CPU time of the engine's process.", cpu),
        ("seconds_left", "gauge", "Estimated time until all waiting items are done.", ends),
    ]
    return "\n".join(line for metric in metrics for line in _metric(*metric)) + "\n"


def _metric(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterable[str]:
    yield f"# HELP emlab_{name} {text}"
    yield f"# TYPE emlab_{name} {kind}"
    for labels, value in samples:
        quoted = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"emlab_{name}{{{quoted}}} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
