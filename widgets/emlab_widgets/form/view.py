"""The page that starts a session."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import ipywidgets

from emlab.errors import EmlabError
from emlab.monitors import moment
from emlab_widgets import theme
from emlab_widgets.form import words
from emlab_widgets.form.browser import Browser
from emlab_widgets.form.lookout import Lookout
from emlab_widgets.form.model import LaunchModel
from emlab_widgets.form.question_view import QuestionView
from emlab_widgets.form.sessions_list import sessions_list
from emlab_widgets.form.told_view import ToldView
from emlab_widgets.page import SESSIONS, TEMPLATE
from emlab_widgets.panels.guard import Guard
from emlab_widgets.panels.pulse import Pulse

_PAUSE: Final = 0.4


class LaunchView:
    """The form, bound to its model.

    Parameters
    ----------
    pause
        Seconds without typing after which answers are checked; 0 needs no event loop.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(self, model: LaunchModel, pause: float = _PAUSE) -> None:
        self._model = model
        self._pause = pause
        self._guard = Guard()
        self._pulse = Pulse()
        self._browser = Browser()
        self._rows: dict[str, QuestionView] = {}
        self._lookout = Lookout(model, self._pulse, self._guard(self._list), self._guard(self._noted))
        self._timer: asyncio.TimerHandle | None = None
        self._is_unfolded = False
        self._is_started = False
        options = [
            (f"{choice.title}{' (cannot be used)' if choice.trouble else ''}", choice.source)
            for choice in model.choices
        ]
        self._template = ipywidgets.Dropdown(options=options, value=model.source, description="Template")
        self._about = ipywidgets.HTML()
        self._last = ipywidgets.Button(description="", icon="history")
        self._form = ipywidgets.VBox([])
        self._more = ipywidgets.Button()
        self._others = ipywidgets.VBox([])
        self._name = ipywidgets.Text(description="Session name")
        self._place = ipywidgets.HTML()
        self._told = ToldView(model.told, self._guard(self._chosen_to_be_told))
        self._start = ipywidgets.Button(description="Start session", button_style="primary")
        self._blockers = ipywidgets.HTML()
        self._sessions = ipywidgets.HTML()
        self.widget = self._laid_out()
        self._wire()
        self._rebuild()

    def start(self) -> None:
        """Look through the folder from now on, as long as a page shows the form."""
        self._lookout.start()

    def _laid_out(self) -> Any:
        name = ipywidgets.VBox([self._name, self._place])
        template = ipywidgets.VBox([self._template, self._about, self._last])
        for box in (name, template):
            box.add_class("emlab-field")
        for widget, name_of_class in (
            (self._more, "emlab-more"),
            (self._last, "emlab-last"),
            (self._start, "emlab-start"),
            (self._form, "emlab-groups"),
            (self._others, "emlab-groups"),
        ):
            widget.add_class(name_of_class)
        head = ipywidgets.HTML("<h1>Start a session</h1>")
        body = [
            head,
            self._guard.widget,
            _group("", [template]),
            self._form,
            self._more,
            self._others,
            _group("Session", [name, self._told.widget]),
            self._blockers,
            self._start,
            self._sessions,
            self._browser,
            self._pulse,
        ]
        style = ipywidgets.HTML(f"<style>{theme.stylesheet()}{_stylesheet()}</style>")
        style.layout.display = "none"
        page = ipywidgets.VBox([style, *body])
        page.add_class("emlab")
        page.add_class("emlab-launch")
        return page

    def _wire(self) -> None:
        self._template.observe(self._guard(self._chosen), "value")
        self._name.observe(self._guard(self._named), "value")
        self._browser.observe(self._guard(self._restored), "found")
        self._more.on_click(self._guard(self._unfold))
        self._last.on_click(self._guard(self._taken))
        self._start.on_click(self._guard(self._begin))

    def _rebuild(self) -> None:
        """Make the rows of the template's questions."""
        old, self._rows = self._rows, {}
        self._template.value = self._model.source
        self._told.show()
        form, others = self._groups(advanced=False), self._groups(advanced=True) if self._is_unfolded else ()
        # Only what is up to date is shown, and nothing is closed that is.
        self._update()
        self._form.children, self._others.children = form, others
        for row in old.values():
            row.close()
        self._lookout.look()

    def _groups(self, *, advanced: bool) -> tuple[Any, ...]:
        groups: dict[str, list[QuestionView]] = {}
        for question in self._model.questions:
            if question.advanced is advanced:
                row = QuestionView(self._model, question, self._guard(self._answered))
                self._rows[question.name] = row
                groups.setdefault(question.group, []).append(row)
        return tuple(_group(title, [row.widget for row in rows]) for title, rows in groups.items())

    def _update(self) -> None:
        """Bring everything that follows from the answers up to date."""
        model = self._model
        complaints, now = model.complaints, time.time()
        status = model.findings.sentence(now) if model.findings else ""
        source = model.source_question
        for name, row in self._rows.items():
            row.update(complaints.get(name, ""), status if name == source else "")
        self._about.value = words.about(model)
        hidden = sum(question.advanced for question in model.questions)
        self._more.description = "Fewer settings" if self._is_unfolded else f"{hidden} more settings"
        self._more.layout.display = None if hidden else "none"
        last = model.last
        self._last.layout.display = None if last else "none"
        self._last.description = f"Use the values from {moment(last.at)}" if last else ""
        if self._name.value.strip() != model.name.strip():
            self._name.value = model.name
        complaint = model.name_complaint
        place = f'<p class="emlab-read">In {escape(str(model.path))}</p>'
        self._place.value = words.wrong(complaint) if complaint else place
        blockers = model.blockers
        self._start.disabled = bool(blockers) or self._is_started
        self._blockers.value = words.blockers(blockers)

    def _answered(self, name: str, value: Any) -> None:
        self._model.answer(name, value)
        self._later()

    def _later(self) -> None:
        """Keep what was typed at once, and check it when typing pauses."""
        self._browser.kept = self._model.draft
        if self._timer:
            self._timer.cancel()
        if self._pause:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._guard(self._checked))
        else:
            self._checked()

    def _checked(self) -> None:
        self._update()
        self._lookout.look()

    def _named(self, change: Any) -> None:
        if change["new"].strip() != self._model.name.strip():
            self._model.name = change["new"]
            self._later()

    def _chosen_to_be_told(self, name: str, is_told: bool) -> None:
        self._model.told.tell(name, is_told=is_told)
        self._browser.kept = self._model.draft

    def _chosen(self, change: Any) -> None:
        if change["new"] == self._model.source:
            return
        trouble = next(choice.trouble for choice in self._model.choices if choice.source == change["new"])
        if trouble:
            self._about.value = words.wrong(trouble)
            return
        self._model.choose(change["new"])
        self._rebuild()
        self._browser.kept = self._model.draft

    def _restored(self, change: Any) -> None:
        if self._model.restore(change["new"]):
            self._rebuild()

    def _taken(self, _button: Any) -> None:
        if self._model.use_last():
            self._rebuild()
            self._browser.kept = self._model.draft

    def _unfold(self, _button: Any) -> None:
        self._is_unfolded = not self._is_unfolded
        advanced = [question.name for question in self._model.questions if question.advanced]
        old = [self._rows.pop(name) for name in advanced if name in self._rows]
        others = self._groups(advanced=True) if self._is_unfolded else ()
        self._update()
        self._others.children = others
        for row in old:
            row.close()

    def _begin(self, _button: Any) -> None:
        self._start.disabled = True

        def progress(what: str) -> None:
            self._blockers.value = words.progress(what)

        try:
            with self._model.start(progress) as session:
                self._is_started = True
                self._lookout.end()
                self._browser.kept = ""
                progress("The session is running; opening its live view.")
                self._browser.go(f"monitor.ipynb?session={quote(session.path.name)}")
        except EmlabError as error:
            self._update()
            self._blockers.value = words.wrong(str(error))

    def _list(self) -> None:
        self._sessions.value = sessions_list(self._model.sessions)

    def _noted(self, told: Any) -> None:
        self._model.note(told)
        self._update()


def _group(title: str, widgets: Sequence[Any]) -> Any:
    head = [ipywidgets.HTML(f"<h2>{escape(title)}</h2>")] if title else []
    group = ipywidgets.VBox([*head, *widgets])
    group.add_class("emlab-group")
    return group


@cache
def _stylesheet() -> str:
    return Path(__file__).with_name("form.css").read_text(encoding="utf-8")


def launch() -> ipywidgets.Widget:
    """Give the form that starts a session, for a Voila page.

    Sessions are created in the folder that ``$EMLAB_SESSIONS`` names, ``sessions`` by default.
    """
    sessions = Path(os.environ.get(SESSIONS) or "sessions").absolute()
    view = LaunchView(LaunchModel(sessions, os.environ.get(TEMPLATE) or None))
    view.start()
    return view.widget
