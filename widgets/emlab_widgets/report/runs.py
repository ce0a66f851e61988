"""What was done, how fast, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from emlab.monitors import Overview, duration, number
from emlab.session import Session
from emlab.sets import IncrementalSet, Run
from emlab_widgets.html import Html, folded, table

_HEADINGS = ("Run", "Protocol", "Done", "Failed", "Waiting", "Per item", "Per hour", "Start after input", "State")


def runs(session: Session, overview: Overview) -> Html:
    """Give the runs with their counts, rates and times, and the parameters of each."""
    sets = session.sets
    rows = [
        (
            stage.name,
            stage.protocol,
            number(stage.done),
            number(stage.failed),
            number(stage.waiting),
            duration(stage.seconds),
            number(stage.rate),
            duration(stage.latency),
            _state([sets[name] for name in run.outputs.values() if name not in run.inputs]),
        )
        for run, stage in zip(session.runs, overview.stages, strict=True)
    ]
    return Html(
        table(_HEADINGS, rows, numbers=range(2, 8))
        + "".join(folded(f"Parameters of {run.name} ({run.protocol})", _parameters(run)) for run in session.runs)
    )


def _state(outputs: Sequence[IncrementalSet]) -> str:
    closing = next((collection.closing for collection in outputs if collection.closing is not None), None)
    if closing is None:
        return "open"
    return closing.reason if closing.reason.startswith(closing.status) else f"{closing.status}: {closing.reason}"


def _parameters(run: Run) -> str:
    return table(("Parameter", "Value"), [(name, _shown(value)) for name, value in run.parameters.items()])


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)
