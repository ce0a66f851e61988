"""Limits of the selection that a person has set on the page, and not applied."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from emlab.monitors import BOUNDS


class Draft:
    """Limits by their parameter, in its unit; ``None`` where one is to be left open.

    Attributes
    ----------
    limits
        Not to be changed but by the methods.
    """

    def __init__(self) -> None:
        self.limits: dict[str, float | None] = {}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever they change."""
        self._listeners.append(listener)

    def take(self, limits: Mapping[str, float | None], applied: Mapping[str, float | None]) -> None:
        """Have these in place of all, but for those that are ``applied`` already."""
        self._replace({name: limit for name, limit in limits.items() if name not in applied or limit != applied[name]})

    @property
    def text(self) -> str:
        """As a page's address has them: ``max_ctf_resolution=5.5&min_defocus=``."""
        return urlencode({name: "" if limit is None else f"{limit:.10g}" for name, limit in self.limits.items()})

    def read(self, text: str) -> None:
        """Have those of an address in place of all; what is none is passed over, since anybody can write an address."""
        found: dict[str, float | None] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            with suppress(ValueError):
                limit = float(value) if value else None
                if limit is None or math.isfinite(limit):
                    found[name] = limit
        self._replace(found)

    def _replace(self, limits: dict[str, float | None]) -> None:
        ordered = {name: limits[name] for bound in BOUNDS if (name := bound.parameter) in limits}
        if self.limits != ordered:
            self.limits = ordered
            for listener in self._listeners:
                listener()
