"""The rule of selection, set by brushing histograms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets

from emlab.monitors import BOUNDS, in_force, kept, number
from emlab_widgets.figures.distribution import Distribution
from emlab_widgets.html import empty
from emlab_widgets.measures import ASTIGMATISM, ICE, MEAN_DEFOCUS, MOTION, RESOLUTION, SCORE, Measure, measured
from emlab_widgets.panels.code import Code
from emlab_widgets.panels.limit_fields import LimitFields
from emlab_widgets.panels.view import View

_MEASURES = (RESOLUTION, MEAN_DEFOCUS, MOTION, ASTIGMATISM, ICE, SCORE)
_UNCHANGED = "Drag across a histogram to keep what lies inside, drag the edges to adjust, or type a limit below."


class SelectionPanel:
    """Histograms to be brushed, and fields: how many micrographs the limits would keep is shown at once.

    Applying them makes a new run beside the old one; the same line of code can be copied.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        guard = view.guard
        self._draft = view.draft
        shown = measured(view.session, *_MEASURES)
        self._distributions = {
            measure.name: Distribution(measure, guard(lambda span, measure=measure: self._brush(measure, span)))
            for measure in shown
        }
        self._fields = LimitFields(shown, guard(self._type), guard(self._refuse))
        self._verdict = ipywidgets.HTML()
        self._apply = _button("Apply to the session", "primary", guard(lambda _: self._change()))
        self._reset = _button("Discard", "", guard(lambda _: self._forget()))
        self._code = Code()
        self._answer = ipywidgets.HTML()
        buttons = [self._apply, self._reset] if view.can_steer else [self._reset]
        bar = ipywidgets.HBox(buttons)
        bar.add_class("emlab-buttons")
        box = ipywidgets.VBox([self._verdict, self._fields.widget, bar, self._code, self._answer])
        box.add_class("emlab-verdict")
        plots = ipywidgets.GridBox([one.widget for one in self._distributions.values()])
        plots.add_class("emlab-plots")
        self.widget: Any = ipywidgets.VBox([box, plots])
        self._draft.listen(self._judge)

    def update(self) -> None:
        """Draw what there is now."""
        limits = self._view.limits
        for distribution in self._distributions.values():
            distribution.update(self._view.items, limits)
        self._take(self._draft.limits)
        self._judge()

    @property
    def limits(self) -> dict[str, float | None]:
        """The limits of the session's rule with those of the draft in their places, by parameter."""
        return {**self._applied, **self._draft.limits}

    @property
    def code(self) -> str:
        """The lines that do what the button does, in any notebook on this machine; empty where nothing is drafted."""
        rule = self._view.rule
        if rule is None or not self._draft.limits:
            return ""
        changes = ", ".join(f"{name}={_literal(value)}" for name, value in self._draft.limits.items())
        path = json.dumps(str(self._view.session.path.absolute()), ensure_ascii=False)
        return f'import emlab\nsession = emlab.open_session({path})\nsession.change("{rule.run}", {changes})'

    @property
    def _applied(self) -> Mapping[str, float | None]:
        return self._view.rule.limits if self._view.rule else {}

    def _take(self, limits: Mapping[str, float | None]) -> None:
        """Draft these; what is in force already needs no draft."""
        self._draft.take(limits, self._applied)

    def _brush(self, measure: Measure, span: tuple[float, float] | None) -> None:
        """Take a span of a measure, in the unit shown, as limits; ``None`` takes them back."""
        bounds = [bound for bound in BOUNDS if bound.measure == measure.name]
        drafted = {bound.parameter for bound in bounds}
        limits = {name: limit for name, limit in self._draft.limits.items() if name not in drafted}
        if span is not None:
            for bound in bounds:
                edge = span[1] if bound.is_maximum else span[0]
                limits[bound.parameter] = float(f"{edge * measure.divisor:.4g}")
        self._take(limits)

    def _type(self, parameter: str, limit: float | None) -> None:
        """Take a limit that was typed; the one in force takes back what was brushed."""
        self._answer.value = ""
        self._take({**self._draft.limits, parameter: limit})
        self._judge()

    def _refuse(self, text: str) -> None:
        sentence = f"“{text}” is not a number; leave the field empty for no limit."
        self._answer.value = f'<div class="emlab"><p role="alert">{escape(sentence)}</p></div>'
        self._judge()

    def _judge(self) -> None:
        rule, items, drafted = self._view.rule, self._view.items, self._draft.limits
        self._apply.disabled = rule is None or not drafted
        self._reset.disabled = not drafted
        if rule is None:
            sentence = "This session does not select micrographs: its workflow has no selection step."
            self._verdict.value = f'<div class="emlab">{empty(sentence)}</div>'
            return
        total = int(kept(items, {}).sum())
        now, then = int(kept(items, rule.limits).sum()), int(kept(items, self.limits).sum())
        change = f" ({then - now:+,} compared with now)".replace("-", "−") if drafted else ""
        whose = "would be kept" if drafted else "are kept"
        counts = (
            f"<b>{number(then)}</b> of {number(total)} micrographs {whose}, {then / total:.1%}{change}."
            if total
            else "The number of micrographs that a limit keeps appears here with the first micrograph."
        )
        # Beside the brush, too: what is above may be out of sight.
        marked = {bound.measure for bound in BOUNDS if bound.parameter in drafted} if total else set()
        for name, distribution in self._distributions.items():
            distribution.say(f"{number(then)} of {number(total)} would be kept" if name in marked else "")
        applied = _words(in_force(items, rule.limits))
        words = f"Limits: {applied}." if applied else "No limit is set."
        if drafted:
            new = {**drafted, **in_force(items, drafted)}
            words = f"<strong>Not applied yet:</strong> {_words(new)}.<br>Until then: {applied or 'no limit'}."
        else:
            words = f"{words} {_UNCHANGED}"
        self._verdict.value = f'<div class="emlab"><p class="emlab-kept" role="status">{counts}</p><p>{words}</p></div>'
        self._code.text = self.code
        self._fields.show(self.limits)

    def _change(self) -> None:
        rule = self._view.rule
        if rule is None or not self._draft.limits:
            return
        self._apply.disabled = True
        self._answer.value = '<div class="emlab"><p role="status">Applying the limits …</p></div>'
        runs = self._view.session.change(rule.run, **self._draft.limits)
        sentence = (
            f"The session now selects with these limits, and judges its earlier micrographs again: {', '.join(runs)}. "
            "The old selection stays beside the new one."
        )
        self._answer.value = f'<div class="emlab"><p role="status">{escape(sentence)}</p></div>'
        self._view.update()
        self._forget()

    def _forget(self) -> None:
        self._take({})
        for distribution in self._distributions.values():
            distribution.clear_brush()
        self._judge()


def _button(label: str, style: str, on_click: Callable[..., None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, button_style=style, layout=ipywidgets.Layout(width="auto"))
    button.on_click(on_click)
    return button


def _literal(value: float | None) -> str:
    return "None" if value is None else f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"


def _words(limits: Mapping[str, float | None]) -> str:
    """Limits in words, as HTML; nothing where there are none."""
    measures = {measure.name: measure for measure in _MEASURES}
    said = []
    for bound in BOUNDS:
        if bound.parameter in limits:
            measure, limit = measures[bound.measure], limits[bound.parameter]
            sign = "≤" if bound.is_maximum else "≥"
            value = "any" if limit is None else f"{sign} {limit / measure.divisor:,.4g} {measure.unit}".strip()
            said.append(f"{measure.title} {value}")
    return escape("; ".join(said))
