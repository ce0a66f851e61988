"""Every micrograph with its values and pictures, in a table that the browser sorts, searches and pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from emlab.model import Ctf, Micrograph, Picks, Rejected
from emlab.monitors import Items, thinned
from emlab.session import Session
from emlab.sets import Failure, Judgement, lineage
from emlab_widgets.figures.path import path_drawing
from emlab_widgets.html import Html, empty
from emlab_widgets.report.pictures import FEW, LARGE, SMALL, small_copy

PICTURES = 300
"""Micrographs whose pictures the report carries: the newest without a gap, the older ones thinned evenly."""

_COLUMNS = (
    ("acquired_at", "Acquired", "", 1.0, None),
    ("defocus_u", "Defocus U", "µm", 1e4, 3),
    ("defocus_v", "Defocus V", "µm", 1e4, 3),
    ("defocus_angle", "Angle", "°", 1.0, 0),
    ("phase_shift", "Phase shift", "°", 1.0, 0),
    ("ctf_resolution", "Resolution", "Å", 1.0, 2),
    ("score", "Score", "", 1.0, 3),
    ("ice_density", "Ice ring", "", 1.0, 2),
    ("thickness", "Ice thickness", "nm", 10.0, 1),
    ("tilt_angle", "Tilt", "°", 1.0, 1),
    ("tilt_axis", "Tilt axis", "°", 1.0, 0),
    ("total_motion", "Motion", "Å", 1.0, 1),
    ("count", "Particles", "", 1.0, 0),
)


def micrograph_table(session: Session, items: Items, failed: Sequence[Failure] = ()) -> Html:
    """Give the table of micrographs.

    Parameters
    ----------
    failed
        What was given up, to be told beside the item.
    """
    if not len(items):
        return Html(empty("Each micrograph appears here with its values and pictures once it has been processed."))
    columns = [column for column in _COLUMNS if np.nan_to_num(items[column[0]]).any()]
    decision = items.decisions.copy()
    rows = {key: row for row, key in enumerate(items.keys)}
    notes = _notes(session, rows)
    for key, judgements in items.judgements.items():
        notes.setdefault(rows[key], []).extend(map(_judged, judgements))
    for failure in failed:
        if (row := rows.get(failure.key)) is not None:
            decision[row] = "failed"
            notes.setdefault(row, []).append(failure.message)
    shown = thinned(len(items), PICTURES)
    width = LARGE if shown.size <= FEW else SMALL
    data = {
        "name": session.name,
        "columns": [{"title": title, "unit": unit, "digits": digits} for _, title, unit, _, digits in columns],
        "keys": items.keys,
        "values": [_rounded(items[name] / divisor, digits) for name, _, _, divisor, digits in columns],
        "decisions": decision.tolist(),
        "notes": {row: " ".join(texts) for row, texts in notes.items()},
        "pictures": {int(row): _pictures(session, items, int(row), width) for row in shown},
    }
    # "<" could end the script element; JSON knows another way to write it.
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    note = (
        ""
        if shown.size == len(items)
        else f"<p>The pictures of {shown.size:,} of {len(items):,} micrographs are in this file: the newest, and "
        "others at equal steps.</p>"
    )
    return Html(
        f'<div class="emlab-micrographs"></div>{note}'
        f'<script type="application/json" class="emlab-micrographs-data">{text}</script><script>{_program()}</script>'
    )


def _notes(session: Session, rows: Mapping[str, int]) -> dict[int, list[str]]:
    """Why micrographs were rejected, and what is doubtful about them, by row."""
    notes: dict[int, list[str]] = {}
    sets = lineage(session.sets, session.runs)
    for kind, column in (
        (Rejected.kind, "reason"),
        (Micrograph.kind, "warning"),
        (Ctf.kind, "warning"),
        (Picks.kind, "warning"),
    ):
        if kind in sets:
            frame = sets[kind].to_dataframe(columns=["key", column]).dropna()
            for key, text in zip(frame["key"], frame[column], strict=True):
                # More may have been recorded since the items were read.
                if key in rows:
                    notes.setdefault(rows[key], []).append(text)
    return notes


def _judged(judgement: Judgement) -> str:
    what = "Note" if judgement.verdict == "noted" else f"{judgement.verdict.capitalize()} by hand"
    return f"{what} ({judgement.author})" + (f": {judgement.note}" if judgement.note else ".")


@cache
def _program() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def _rounded(values: Any, digits: int | None) -> list[float | None]:
    rounded = np.round(values, 0 if digits is None else digits + 1).tolist()
    return [None if np.isnan(value) else int(value) if value.is_integer() else value for value in rounded]


def _pictures(session: Session, items: Items, row: int, width: int) -> list[str | None]:
    """Thumbnail, spectrum and path of one item."""
    records = items.records(row)
    micrograph, ctf = records.get("micrograph"), records.get("ctf")
    pictures: list[str | None] = [None, None, None]
    if isinstance(micrograph, Micrograph):
        if micrograph.thumbnail is not None:
            pictures[0] = small_copy(session.file(micrograph.thumbnail), width)
        if micrograph.shift_x:
            pictures[2] = path_drawing(micrograph.shift_y, micrograph.shift_x, micrograph.pixel_size)
    if isinstance(ctf, Ctf) and ctf.picture is not None:
        pictures[1] = small_copy(session.file(ctf.picture), width)
    return pictures
