"""What is wrong now, what failed, and what else there is to tell."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

import ipywidgets

from emlab.monitors import Alarm, counted, moment
from emlab_widgets.failures import events, failures
from emlab_widgets.html import empty
from emlab_widgets.panels.view import View


class ProblemsPanel:
    """Alarms, each with a button by which a person says to know; failures and events, the newest first.

    What a step gave up can be tried again.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._alarms = ipywidgets.VBox()
        self._failures, self._events = ipywidgets.HTML(), ipywidgets.HTML()
        self._again = ipywidgets.HBox()
        self._again.add_class("emlab-buttons")
        self._retriable: dict[str, int] = {}
        self._shown: list[tuple[str, str, bool]] | None = None
        self._rows: dict[str, ipywidgets.Box] = {}
        lists = ipywidgets.Box([ipywidgets.VBox([self._failures, self._again]), self._events])
        lists.add_class("emlab-lists")
        self.widget: Any = ipywidgets.VBox([self._alarms, lists])

    def update(self) -> None:
        """Draw what there is now."""
        self._draw_alarms()
        failed = self._view.failures
        self._failures.value = f'<div class="emlab"><h2>Failures</h2>{failures(failed)}</div>'
        self._events.value = f'<div class="emlab"><h2>Events</h2>{events(list(self._view.events.recent))}</div>'
        self._offer(Counter(failure.run for failure in reversed(failed) if failure.can_be_retried))

    def _draw_alarms(self) -> None:
        alarms = self._view.alarms
        shown = [(alarm.name, alarm.message, alarm.name in alarms.acknowledged) for alarm in alarms.active]
        if shown == self._shown:
            return
        self._shown = shown
        names = [alarm.name for alarm in alarms.active]
        for gone in self._rows.keys() - set(names):
            self._rows.pop(gone).close_all()
        for alarm in alarms.active:
            self._row(alarm)
        heading = ipywidgets.HTML('<div class="emlab"><h2>Alarms</h2></div>')
        quiet = ipywidgets.HTML(f'<div class="emlab">{empty("No alarms.")}</div>')
        old = self._alarms.children
        self._alarms.children = [heading, *([self._rows[name] for name in names] or [quiet])]
        for widget in old:
            if widget not in self._rows.values():
                widget.close()

    def _row(self, alarm: Alarm) -> None:
        known = alarm.name in self._view.alarms.acknowledged
        level = "" if known else alarm.level
        since = f"{'since' if alarm.is_recorded else 'found at'} {moment(alarm.since)}"
        text = (
            f'<div class="emlab"><div class="emlab-alarm emlab-{escape(level)}"><b>{escape(alarm.name)}</b> '
            f"<small>{since}</small><p>{escape(alarm.message)}</p></div></div>"
        )
        if alarm.name not in self._rows:
            button = ipywidgets.Button(description="Acknowledge", tooltip="Silence this alarm until it occurs again")
            button.on_click(self._view.guard(lambda _, name=alarm.name: self._acknowledge(name)))
            row = ipywidgets.HBox([ipywidgets.HTML(), button] if self._view.can_steer else [ipywidgets.HTML()])
            row.add_class("emlab-alarm-row")
            self._rows[alarm.name] = row
        words, *button = self._rows[alarm.name].children
        words.value = text
        for one in button:
            one.disabled = known

    def _offer(self, retriable: dict[str, int]) -> None:
        """Give a button for each step that gave something up."""
        if not self._view.can_steer or retriable == self._retriable:
            return
        self._retriable = dict(retriable)
        old = self._again.children
        self._again.children = [self._retry_button(run, count) for run, count in retriable.items()]
        for button in old:
            button.close()

    def _retry_button(self, run: str, count: int) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=f"Retry {counted(count, 'item')} of {run}",
            tooltip="After the cause is fixed, such as an unreachable disk or a missing program",
        )
        button.on_click(self._view.guard(lambda _: self._retry(run)))
        return button

    def _retry(self, run: str) -> None:
        self._view.session.retry(run)
        self._view.update()
        self.update()
        self._view.tell()

    def _acknowledge(self, name: str) -> None:
        self._view.session.acknowledge(name)
        self._view.update()
        self._draw_alarms()
        self._view.tell()
