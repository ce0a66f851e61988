"""A session's status as Prometheus reads it (text exposition format, version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

STAGE_FIGURES = {
    "done": ("items_done_total", "counter", "Items that a step has recorded."),
    "failed": ("items_failed", "gauge", "Items that a step has given up."),
    "waiting": ("items_waiting", "gauge", "Items that a step still has to do, those running too."),
}


def exposition(status: Mapping[str, Any]) -> str:
    """Metrics of what `emlab.status.status_of` found."""
    session = {"session": status["name"]}
    lines = list(_metric("up", "gauge", "Whether the engine runs.", [(session, float(status["state"] == "running"))]))
    for key, (name, kind, text) in STAGE_FIGURES.items():
        samples = [(session | {"step": step}, float(found[key])) for step, found in status["stages"].items()]
        lines += _metric(name, kind, text, samples)
    engine, left = status["engine"], status["seconds_left"]
    lines += _metric(
        "engine_cpu_seconds_total", "counter", "CPU of the engine's process.", [(session, engine["cpu_seconds"])]
    )
    if left is not None:
        lines += _metric("seconds_left", "gauge", "How long what waits will take.", [(session, left)])
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterable[str]:
    yield f"# HELP emlab_{name} {text}"
    yield f"# TYPE emlab_{name} {kind}"
    for labels, value in samples:
        quoted = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"emlab_{name}{{{quoted}}} {value:.10g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
