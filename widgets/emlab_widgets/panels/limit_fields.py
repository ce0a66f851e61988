"""The limits of a selection as fields, for exact numbers and for whoever uses no mouse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets

from emlab.monitors import BOUNDS
from emlab_widgets.measures import Measure


class LimitFields:
    """A field per limit; an empty one leaves it open.

    Parameters
    ----------
    measures
        Those that are shown, whose limits can be set.
    on_change
        Called with a limit's parameter, and the number that a person gave it, in the parameter's unit.
    on_wrong
        Called with what a person gave that is no number.

    Attributes
    ----------
    widget
        To be displayed.
    """

    def __init__(
        self,
        measures: Sequence[Measure],
        on_change: Callable[[str, float | None], None],
        on_wrong: Callable[[str], None],
    ) -> None:
        self._divisors: dict[str, float] = {}
        self._fields: dict[str, ipywidgets.Text] = {}
        self._on_change, self._on_wrong = on_change, on_wrong
        self._is_shown = False
        for measure in measures:
            for bound in BOUNDS:
                if bound.measure == measure.name:
                    self._divisors[bound.parameter] = measure.divisor
                    self._fields[bound.parameter] = self._field(measure, bound.parameter, bound.is_maximum)
        self.widget: Any = ipywidgets.Box(list(self._fields.values()))
        self.widget.add_class("emlab-limits")

    def show(self, limits: Mapping[str, float | None]) -> None:
        """Show what the limits are now."""
        self._is_shown = True
        for parameter, field in self._fields.items():
            limit = limits.get(parameter)
            field.value = "" if limit is None else f"{limit / self._divisors[parameter]:.4g}"
        self._is_shown = False

    def _field(self, measure: Measure, parameter: str, is_maximum: bool) -> ipywidgets.Text:
        unit = f" ({measure.unit})" if measure.unit else ""
        words = f"{measure.title} {'up to' if is_maximum else 'from'}{unit}"
        field = ipywidgets.Text(description=words, placeholder="open", continuous_update=False)
        field.observe(lambda change: self._take(parameter, change["new"]), "value")
        return field

    def _take(self, parameter: str, text: str) -> None:
        if self._is_shown:
            return
        if not text.strip():
            self._on_change(parameter, None)
            return
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            self._on_change(parameter, float(f"{value * self._divisors[parameter]:.10g}"))
        else:
            self._on_wrong(text)
