"""What the form says beside its questions, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from emlab_widgets.form.model import LaunchModel


def about(model: LaunchModel) -> str:
    """The template's description, and what of another program's is left out."""
    told = f'<p class="emlab-about">{escape(model.workflow.description)}</p>' if model.workflow.description else ""
    notes = model.workflow.notes
    if not notes:
        return told
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"{told}<details><summary>What differs from the file ({len(notes)})</summary><ul>{items}</ul></details>"


def wrong(sentence: str) -> str:
    """What cannot be used."""
    return f'<p class="emlab-wrong" role="alert">{escape(sentence)}</p>'


def progress(sentence: str) -> str:
    """What is being done."""
    return f'<p class="emlab-progress" role="status">{escape(sentence)}</p>'


def blockers(sentences: Sequence[str]) -> str:
    """Why nothing can be started now; nothing where it can."""
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<div class="emlab-blockers" role="status"><b>Before it can start</b><ul>{items}</ul></div>'
