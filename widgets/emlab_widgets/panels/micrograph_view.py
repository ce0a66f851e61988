"""One micrograph at a glance: picture, spectrum, path, values."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from emlab.errors import EmlabError
from emlab.formats.star import read_star
from emlab.model import Ctf, Micrograph, Movie, Particles, Picks, Record, Rejected
from emlab.monitors import moment, number, reduced
from emlab.session import Session
from emlab.sets import Judgement
from emlab_widgets.figures.path import path_drawing
from emlab_widgets.html import Cell, facts

_DECISIONS = {
    "": "",
    "accepted": '<span class="emlab-badge emlab-running">Accepted</span>',
    "rejected": '<span class="emlab-badge emlab-crashed">Rejected</span>',
}


def micrograph_view(
    session: Session,
    key: str,
    records: Mapping[str, Record],
    decision: str = "",
    judgements: Sequence[Judgement] = (),
    width: int = 0,
) -> str:
    """Give the HTML of one item.

    Parameters
    ----------
    records
        What there is of the item, by kind.
    decision
        ``accepted``, ``rejected`` or nothing.
    judgements
        What people decided and noted about it.
    width
        Of its pictures, px; 0 for none.
    """
    pairs, warnings = [], []
    for record in records.values():
        match record:
            case Micrograph():
                pairs += _motion(record)
                warnings.append(record.warning)
            case Ctf():
                pairs += [*_ctf(record), *_local(session, record)]
                warnings.append(record.warning)
            case Picks():
                pairs += _picks(record)
                warnings.append(record.warning)
            case Particles():
                pairs += _particles(record)
                warnings.append(record.warning)
            case Rejected():
                warnings.append(f"Rejected: {record.reason}")
            case Movie():
                pairs.insert(0, ("Acquired", moment(record.acquired_at)))
                pairs.insert(1, ("Grid square, hole", ", ".join(filter(None, (record.grid_square, record.hole)))))
    notes = "".join(f'<p class="emlab-warning">{escape(warning)}</p>' for warning in warnings if warning)
    picture, spectrum, path = pictures(session, records, width) if width else ("", "", "")
    shown = f'<div class="emlab-pictures emlab-pair">{picture}{spectrum}</div>' if picture or spectrum else ""
    drawn = f'<div class="emlab-pictures emlab-path">{path}</div>' if path else ""
    return (
        f"<h3>{escape(key)} {_DECISIONS[decision]}</h3>{notes}{''.join(map(_judgement, judgements))}{shown}"
        f"{facts((name, value) for name, value in pairs if value)}{drawn}"
    )


def pictures(session: Session, records: Mapping[str, Record], width: int) -> list[str]:
    """Give the HTML of an item's pictures, as far as they are there: thumbnail, spectrum, path."""
    key = next((record.key for record in records.values()), "")
    micrograph, ctf = records.get("micrograph"), records.get("ctf")
    shown = ["", "", ""]
    if isinstance(micrograph, Micrograph):
        shown[0] = _picture(session, micrograph.thumbnail, f"Micrograph {key}", "Micrograph", width)
        if micrograph.shift_x:
            drawing = path_drawing(micrograph.shift_y, micrograph.shift_x, micrograph.pixel_size, size=300)
            shown[2] = f"<figure>{drawing}<figcaption>Path of the specimen (● end)</figcaption></figure>"
    if isinstance(ctf, Ctf):
        shown[1] = _picture(session, ctf.picture, f"Spectrum of {key}", "Spectrum | fitted model", width)
    return shown


def _judgement(judgement: Judgement) -> str:
    done = {"rejected": "Rejected by hand", "restored": "Restored by hand", "noted": "Note"}[judgement.verdict]
    note = f": {judgement.note}" if judgement.note else ""
    return (
        f'<p class="emlab-note"><b>{done}</b>{escape(note)} '
        f"<small>{escape(judgement.author)}, {moment(judgement.at)}</small></p>"
    )


def _picture(session: Session, path: str | None, alternative: str, caption: str, width: int) -> str:
    picture = None if path is None else reduced(session.file(path), width)
    if picture is None:
        return ""
    source = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    return (
        f'<figure><img src="{source}" alt="{escape(alternative)}"><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _motion(micrograph: Micrograph) -> list[tuple[str, Cell]]:
    if micrograph.total_motion is None:
        return []
    parts = f"{number(micrograph.early_motion, 1)} + {number(micrograph.late_motion, 1)} Å"
    return [("Total motion", f"{number(micrograph.total_motion, 1)} Å"), ("Early + late", parts)]


def _ctf(ctf: Ctf) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [
        (
            "Defocus U, V",
            f"{number(ctf.defocus_u / 1e4, 4)}, {number(ctf.defocus_v / 1e4, 4)}{_error(ctf.defocus_error, 1e4, 4)} µm",
        ),
        ("Astigmatism", f"{number(ctf.astigmatism)}{_error(ctf.astigmatism_error)} Å at {number(ctf.defocus_angle)}°"),
        ("CTF resolution", f"{number(ctf.ctf_resolution, 2)} Å"),
        ("Score", number(ctf.score, 3)),
    ]
    if ctf.phase_shift:
        pairs.append(("Phase shift", f"{number(ctf.phase_shift)}{_error(ctf.phase_error)}°"))
    if ctf.tilt_angle is not None:
        tilt = f"{number(ctf.tilt_angle, 1)}{_error(ctf.tilt_angle_error, 1, 1)}°"
        pairs.append(("Tilt", f"{tilt} about an axis at {number(ctf.tilt_axis)}{_error(ctf.tilt_axis_error)}°"))
    if ctf.thickness is not None:
        pairs.append(("Ice thickness", f"{number(ctf.thickness / 10, 1)}{_error(ctf.thickness_error, 10, 1)} nm"))
    if ctf.ice_density is not None:
        pairs.append(("Ice ring", number(ctf.ice_density, 2)))
    if ctf.aliasing_resolution is not None:
        pairs.append(("Rings undersampled beyond", f"{number(ctf.aliasing_resolution, 2)} Å"))
    return pairs


def _picks(picks: Picks) -> list[tuple[str, Cell]]:
    pairs: list[tuple[str, Cell]] = [("Particles picked", f"{picks.count:,} of {number(picks.diameter)} Å")]
    if picks.mean_score is not None:
        pairs.append(("Mean picking score", f"{number(picks.mean_score, 1)} σ"))
    if picks.excluded_area:
        pairs.append(("Carbon, contamination", f"{picks.excluded_area:.0%} of the area"))
    return pairs


def _particles(particles: Particles) -> list[tuple[str, Cell]]:
    size = f"{particles.box_size}² px of {number(particles.pixel_size, 2)} Å"
    left_out = f"; {particles.left_out:,} too near the edge" if particles.left_out else ""
    return [("Particles extracted", f"{particles.count:,}, {size}{left_out}")]


def _local(session: Session, ctf: Ctf) -> list[tuple[str, Cell]]:
    """From where to where the defocus goes over the field, where that was asked for and is there."""
    if ctf.local_defocus is None:
        return []
    try:
        table = read_star(session.file(ctf.local_defocus))["local_defocus"]
    except (EmlabError, KeyError):
        return []
    means = (np.asarray(table["rlnDefocusU"], float) + np.asarray(table["rlnDefocusV"], float)) / 2e4
    return [("Over the field", f"{number(means.min(), 3)} to {number(means.max(), 3)} µm, at {means.size} places")]


def _error(error: float | None, divisor: float = 1.0, digits: int = 0) -> str:
    """Give a standard error as it follows its value; nothing where there is none."""
    return "" if error is None else f" ± {number(error / divisor, digits)}"
