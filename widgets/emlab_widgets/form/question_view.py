"""A question of the form as widgets: label, input, help, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, Final

import ipywidgets

from emlab.engine.probe import Reading
from emlab.workflow import Question
from emlab_widgets.form.model import LaunchModel

_LOOKS: Final = {"folder": "/data/…", "file": "none", "time": "2026-11-26 18:30"}

_LONGEST: Final = 20
"""Letters of a file name that a note has room for."""


class QuestionView:
    """One row of the form, bound to a question of the model.

    Parameters
    ----------
    changed
        Called with the question's name and its new answer.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, model: LaunchModel, question: Question, changed: Callable[[str, Any], None]) -> None:
        self.question = question
        self._model = model
        self._changed = changed
        self._is_showing = False
        self._input = _input(question)
        self._notes = ipywidgets.HTML()
        help_text = ipywidgets.HTML(_help(question))
        help_text.add_class("emlab-help")
        self.widget = ipywidgets.VBox([self._input, help_text, self._notes])
        self.widget.add_class("emlab-field")
        self.widget.add_class(f"emlab-{question.kind}")
        self.show()
        self._input.observe(self._heard, "value")

    def show(self) -> None:
        """Show the model's answer, whoever gave it."""
        self._is_showing = True
        self._input.value = _shown(self.question, self._model.value(self.question))
        self._is_showing = False

    def update(self, complaint: str, status: str = "") -> None:
        """Show whether it is asked, what is wrong, what the files tell, and for a folder what is in it."""
        question, model = self.question, self._model
        self.widget.layout.display = None if model.is_asked(question) else "none"
        reading = model.reading(question)
        is_empty = self._input.value == ""
        if isinstance(self._input, ipywidgets.Text):
            self._input.placeholder = _read(reading) if reading else self._placeholder()
        notes = ""
        if complaint and (model.is_due(question) or not is_empty):
            notes += f'<p class="emlab-wrong" role="alert">{escape(complaint)}</p>'
            self.widget.add_class("emlab-is-wrong")
        else:
            self.widget.remove_class("emlab-is-wrong")
        if not notes and status:
            kind = "doubt" if model.findings and model.findings.is_foreign else "match"
            notes += f'<p class="emlab-{kind}" role="status">{escape(status)}</p>'
        if not complaint and reading and is_empty:
            source = f'<span title="{escape(reading.source)}">{escape(_end(reading.source))}</span>'
            notes += f'<p class="emlab-read">Read from {source}; type a value to override it.</p>'
        if not complaint and (doubt := model.doubt(question)):
            notes += f'<p class="emlab-doubt">{escape(doubt)}</p>'
        if self._notes.value != notes:
            self._notes.value = notes

    def _placeholder(self) -> str:
        """What stands in an empty field: what it looks like, or where its value comes from."""
        question = self.question
        if question.kind in _LOOKS:
            return _LOOKS[question.kind]
        if question.required:
            return ""
        return "from the files" if self._model.can_be_read(question) else _left_open(question)

    def close(self) -> None:
        """Let the row go."""
        self._input.unobserve_all()
        for widget in (*self.widget.children, self.widget):
            widget.close()

    def _heard(self, change: Any) -> None:
        if not self._is_showing:
            self._changed(self.question.name, change["new"])


def _input(question: Question) -> Any:
    unit = f" <span>{escape(question.unit)}</span>" if question.unit else ""
    described: dict[str, Any] = {
        "description": f"{escape(question.label)}{unit}",
        "description_allow_html": True,
    }
    match question.kind:
        case "switch":
            return ipywidgets.Checkbox(indent=False, **described)
        case "choice":
            return ipywidgets.Dropdown(options=[(name, str(value)) for value, name in question.choices], **described)
        case _:
            return ipywidgets.Text(**described)


def _shown(question: Question, value: Any) -> Any:
    if question.kind == "switch":
        return value is True or str(value).lower() in ("true", "1", "yes")
    if question.kind == "choice":
        known = [str(choice) for choice, _ in question.choices]
        return str(value) if str(value) in known else known[0]
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _left_open(question: Question) -> str:
    return "automatic" if "By default: " in question.help else "none"


def _read(reading: Reading) -> str:
    return f"{reading.value:.4g}"


def _end(name: str) -> str:
    """The end of a long file name, which is what tells it from others."""
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _help(question: Question) -> str:
    limits = f" Must be {question.limits}{f' {question.unit}' if question.unit else ''}." if question.limits else ""
    return f"<p>{escape(question.help)}{escape(limits)}</p>"
