"""A session at a glance: counts and rates as a strip of cards, and whether it keeps up."""

from __future__ import annotations

import math
from html import escape

from emlab.monitors import Overview, number
from emlab.protocols import PROTOCOLS

_LABELS = {
    "arrival": "Arrived",
    "micrograph": "Micrographs",
    "ctf": "CTFs",
    "accepted": "Accepted",
    "rejected": "Rejected",
}
_STATES = {
    "created": "Not started",
    "running": "Running",
    "paused": "Paused",
    "stopped": "Stopped",
    "finished": "Finished",
    "crashed": "Engine crashed",
}


def badge(state: str) -> str:
    """Give a session's state as a small coloured word."""
    return f'<span class="emlab-badge emlab-{escape(state)}">{escape(_STATES.get(state, state))}</span>'


def strip(overview: Overview) -> str:
    """Give the strip's HTML."""
    counts = [
        _card(label, number(overview.counts[kind]), _share(overview, kind), kind)
        for kind, label in _LABELS.items()
        if kind in overview.counts
    ]
    if overview.particles is not None:
        picked = overview.counts.get("picks", 0)
        note = f"{overview.particles / picked:,.0f} per micrograph" if picked else "none yet"
        counts.append(_card("Particles", number(overview.particles), note, "particles"))
    note, kind = ("given up", "failed") if overview.failed else ("none", "")
    failed = _card("Failed", number(overview.failed), note, kind)
    waiting = _card("Waiting", number(overview.waiting), _queues(overview), "")
    acquired = "" if math.isnan(overview.acquisition_rate) else f"{_rate(overview.acquisition_rate)} acquired"
    rates = _card("Done per hour", _rate(overview.processing_rate), acquired, "")
    return f'<div class="emlab-strip">{"".join(counts)}{failed}{waiting}{rates}</div>'


def pace(overview: Overview) -> str:
    """Give the HTML of whether it keeps up, and when it will be done."""
    sentences = " ".join(filter(None, (overview.pace, overview.outlook)))
    return f'<p class="emlab-pace" role="status">{escape(sentences)}</p>'


def _card(label: str, value: str, note: str, kind: str) -> str:
    return (
        f'<div class="emlab-card emlab-{escape(kind)}"><span>{escape(label)}</span><b>{escape(value)}</b>'
        f"<small>{escape(note)}</small></div>"
    )


def _share(overview: Overview, kind: str) -> str:
    """Say what a count is to be compared with."""
    selected = overview.counts.get("accepted", 0) + overview.counts.get("rejected", 0)
    if kind in ("accepted", "rejected"):
        return f"{overview.counts[kind] / selected:.0%} of selected" if selected else "none selected yet"
    if kind == "arrival":
        return "more may come" if overview.arriving else "complete"
    arrived = overview.counts.get("arrival", 0)
    return f"{overview.counts[kind] / arrived:.0%} of arrived" if arrived else "none yet"


def _queues(overview: Overview) -> str:
    queues = [
        # What a fold gathers for its next batch does not wait for anybody.
        f"{stage.waiting:,} gathered for {stage.name}"
        if PROTOCOLS[stage.protocol].is_fold
        else f"{stage.name} {stage.waiting:,}"
        for stage in overview.stages
        if stage.waiting
    ]
    return ", ".join(queues) if queues else "no queue"


def _rate(rate: float) -> str:
    return number(rate, 1 if 0 < rate < 10 else 0)
