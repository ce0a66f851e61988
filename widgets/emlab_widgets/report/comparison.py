"""Two runs, or two sessions, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import ipywidgets
import numpy as np

from emlab.model import Rejected
from emlab.monitors import Comparison, Items, Line, counted, different_parameters, number
from emlab.protocols import PROTOCOLS
from emlab.session import Session
from emlab.sets import Run
from emlab_widgets.html import Html, folded, table
from emlab_widgets.measures import ASTIGMATISM, DEFOCUS, MOTION, RESOLUTION, Measure
from emlab_widgets.report.agreement import agreement_figure

_MEASURES = (DEFOCUS, RESOLUTION, ASTIGMATISM, MOTION)
_KINDS = {
    "movie": "Movies",
    "micrograph": "Micrographs",
    "ctf": "CTFs",
    "accepted": "Accepted",
    "rejected": "Rejected",
}
_LISTED = 50
"""Micrographs whose decision changed that are named."""


class Side:
    """One of the two: what it is called, its runs and its items."""

    def __init__(self, label: str, session: Session, end: str | None = None) -> None:
        self.label = label
        self.line = Line(session, end)
        self.items = Items(self.line)
        self.items.update()


class SideBySide:
    """Two runs, or two sessions, side by side: what was asked for, what came out, where they disagree."""

    def __init__(self, left: Side, right: Side) -> None:
        self._left, self._right = left, right
        self._compared = Comparison(left.items, right.items)

    def summary(self) -> Html:
        """Parameters, counts and medians of both, and the micrographs that only one of them keeps."""
        left, right = escape(self._left.label), escape(self._right.label)
        return Html(
            f'<div class="emlab emlab-comparison"><h2>{left} and {right}, side by side</h2>'
            f"{self._parameters()}{self._counts()}{self._changes()}</div>"
        )

    def figures(self) -> ipywidgets.Widget:
        """The measures that differ, of the one against the other."""
        pairs = [(measure, self._compared.agreement(measure.name)) for measure in _MEASURES]
        drawn = [
            agreement_figure(measure, agreement, self._left.label, self._right.label)
            for measure, agreement in pairs
            if agreement.left.size and not agreement.is_same
        ]
        grid = ipywidgets.GridBox(drawn)
        grid.add_class("emlab-plots")
        return grid

    def _parameters(self) -> str:
        ours = {run.protocol: run for run in self._left.line.runs}
        theirs = {run.protocol: run for run in self._right.line.runs}
        rows = [
            (PROTOCOLS[protocol].title, _label(protocol, name), _shown(value), _shown(other))
            for protocol in ours
            if protocol in theirs
            for name, value, other in different_parameters(ours[protocol], theirs[protocol])
        ]
        rows += [(PROTOCOLS[protocol].title, "", "done", "not done") for protocol in ours if protocol not in theirs]
        rows += [(PROTOCOLS[protocol].title, "", "not done", "done") for protocol in theirs if protocol not in ours]
        if not rows:
            return "<p>All parameters are the same.</p>"
        return table(("Step", "Parameter", self._left.label, self._right.label), rows)

    def _counts(self) -> str:
        rows = []
        for kind in ("movie", "micrograph", "ctf", "accepted", "rejected"):
            left, right = (int(np.isfinite(side.items[kind]).sum()) for side in (self._left, self._right))
            if left or right:
                difference = _signed(right - left, 0) if left != right else ""
                rows.append((_KINDS[kind], number(left), number(right), difference))
        rows += [row for measure in _MEASURES if (row := self._median(measure)) is not None]
        note = (
            f"<p>{counted(self._compared.common, 'micrograph')} on both sides. Differences are medians over these, ± "
            "half the width of the middle 68 %.</p>"
        )
        return table(("Quantity", self._left.label, self._right.label, "Difference"), rows, numbers=(1, 2, 3)) + note

    def _median(self, measure: Measure) -> tuple[str, str, str, str] | None:
        sides = [measure.values(side.items) for side in (self._left, self._right)]
        known = [values[np.isfinite(values)] for values in sides]
        if not any(values.size for values in known):
            return None
        medians = [number(float(np.median(values)) if values.size else None, measure.digits + 1) for values in known]
        agreement = self._compared.agreement(measure.name)
        difference = "the same" if agreement.left.size else ""
        if not agreement.is_same:
            shift, spread = agreement.shift / measure.divisor, agreement.spread / measure.divisor
            difference = f"{_signed(shift, measure.digits + 1)} ± {number(spread, measure.digits + 1)}"
        return f"{measure.title}, median ({measure.unit})", medians[0], medians[1], difference

    def _changes(self) -> str:
        sentences = []
        for side, keys in (
            (self._right, self._compared.decided("accepted", "rejected")),
            (self._left, self._compared.decided("rejected", "accepted")),
        ):
            if keys:
                reasons = _reasons(side)
                listed = "".join(f"<li>{escape(key)}: {escape(reasons.get(key, ''))}</li>" for key in keys[:_LISTED])
                more = f"<p>and {len(keys) - _LISTED:,} more</p>" if len(keys) > _LISTED else ""
                summary = f"{counted(len(keys), 'micrograph')} rejected by {side.label} only"
                sentences.append(folded(summary, f"<ul>{listed}</ul>{more}"))
        return "".join(sentences)


def sides_by_side(session: Session, other: Session | None = None) -> Iterator[SideBySide]:
    """Give what there is to compare: the session with another one, and its own runs of the same protocol.

    A run that was only done anew because one before it has other parameters is not compared: that one is.
    """
    if other is not None:
        yield SideBySide(Side(other.name, other), Side(session.name, session))
    first: dict[str, Run] = {}
    for run in session.runs:
        known = first.setdefault(run.protocol, run)
        if known is not run and (known.inputs == run.inputs or different_parameters(known, run)):
            yield SideBySide(*(Side(one.name, session, next(iter(one.outputs.values()))) for one in (known, run)))


def _reasons(side: Side) -> dict[str, str]:
    found: dict[str, str] = {}
    for collection in side.line.sets.values():
        if collection.kind == Rejected.kind:
            frame = collection.to_dataframe(columns=["key", "reason"])
            found.update(zip(frame["key"], frame["reason"], strict=True))
    return found


def _label(protocol: str, name: str) -> str:
    field = PROTOCOLS[protocol].parameters.model_fields.get(name)
    if field is None:
        return name
    extra = field.json_schema_extra
    unit = extra.get("unit") if isinstance(extra, dict) else None
    return f"{field.title or name} ({unit})" if unit else field.title or name


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}".replace("-", "−")


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)
