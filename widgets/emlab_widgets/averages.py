"""The newest 2D class averages of a session, as the live view and the report show them."""

from __future__ import annotations

import base64
import math
from html import escape

from emlab.model import Classes, Particles
from emlab.monitors import counted, number
from emlab.session import Session
from emlab.sets import IncrementalSet
from emlab_widgets.html import empty

COLUMNS = 10
"""Averages in a row of a record's picture."""


def newest_classes(session: Session) -> Classes | None:
    """Give the newest record of the newest run that has any; ``None`` before the first."""
    for collection in reversed([each for each in session.sets.values() if each.kind == Classes.kind]):
        if len(collection):
            record = collection[-1]
            assert isinstance(record, Classes)  # noqa: S101
            return record
    return None


def makes_classes(session: Session) -> bool:
    """Tell whether a session has a step that makes 2D classes."""
    return any(collection.kind == Classes.kind for collection in session.sets.values())


def class_sheet(session: Session) -> str:
    """Give HTML with each class, the biggest first, with its particles, its share and its resolution."""
    record = newest_classes(session)
    if record is None:
        return empty(_outlook(session))
    try:
        picture = base64.b64encode(session.file(record.picture).read_bytes()).decode()
    except OSError:
        return empty(f"The class averages are missing from the session: {record.picture}.")
    columns = min(COLUMNS, len(record.shares))
    rows = math.ceil(len(record.shares) / columns)
    order = sorted(range(len(record.shares)), key=lambda one: (-record.shares[one], one))
    cells = "".join(_cell(record, one, place % columns, place // columns) for place, one in enumerate(order))
    warning = f'<p class="emlab-badge emlab-warning">{escape(record.warning)}</p>' if record.warning else ""
    return (
        f"<p>{_told(record)}</p>{warning}"
        f'<div class="emlab-classes" style="--sheet: url(data:image/jpeg;base64,{picture}); '
        f'--columns: {columns}; --rows: {rows}">{cells}</div>'
    )


def _cell(record: Classes, one: int, column: int, row: int) -> str:
    size, share, resolution = record.sizes[one], record.shares[one], record.resolutions[one]
    resolved = "–" if math.isnan(resolution) else f"{number(resolution)} Å"
    said = f"Class {one + 1}: {share:.1%} of the particles, {counted(int(size), 'particle')} so far, {resolved}"
    return (
        f'<figure title="{said}"><div role="img" aria-label="{said}" style="--column: {column}; --row: {row}"></div>'
        f"<figcaption><b>{share:.1%}</b> <span>{number(size)} · {resolved}</span></figcaption></figure>"
    )


def _told(record: Classes) -> str:
    batches = counted(record.batches, "batch")
    return (
        f"<b>{number(record.total)}</b> particles in {counted(len(record.shares), 'class')}, after {batches}; each "
        f"box is {number(record.box_size * record.pixel_size)} Å wide. Below each class: its share of the particles "
        "(the newest weigh most), the number assigned so far, and the resolution at which the averages of two halves "
        "agree."
    )


def _outlook(session: Session) -> str:
    """Say what will appear, and when."""
    runs = [run for run in session.runs if Classes.kind in run.outputs]
    if not runs:
        return "This session makes no 2D classes: its workflow has no classification step."
    waiting = sum(sum(_counts(session.sets[name])) for name in runs[-1].inputs if name in session.sets)
    size = runs[-1].parameters.get("batch_size", 0)
    there = f"{number(waiting)} so far"
    return f"The first 2D classes appear after {number(size)} extracted particles ({there}), or when no more can come."


def _counts(particles: IncrementalSet) -> list[int]:
    return particles.columns(("count",))["count"] if particles.kind == Particles.kind else []
