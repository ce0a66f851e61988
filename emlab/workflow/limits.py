"""The numbers that a parameter may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotated_types import Ge, Gt, Le, Lt


@dataclass(frozen=True)
class Bound:
    """The end of a range; ``is_open`` where the end itself does not belong to it."""

    value: float
    is_open: bool


@dataclass(frozen=True)
class Limits:
    """Where a number may lie; ``None`` where there is no end."""

    lowest: Bound | None
    highest: Bound | None

    @property
    def words(self) -> str:
        """For people: ``more than 0 and at most 1,000``; empty where there is no limit."""
        low, high = self.lowest, self.highest
        parts = (
            f"{'more than' if low.is_open else 'at least'} {low.value:,.10g}" if low else "",
            f"{'less than' if high.is_open else 'at most'} {high.value:,.10g}" if high else "",
        )
        return " and ".join(filter(None, parts))

    def allow(self, number: float) -> bool:
        """Whether a number lies there; one that is none does not."""
        low, high = self.lowest, self.highest
        above = low is None or number > low.value or (number == low.value and not low.is_open)
        return above and (high is None or number < high.value or (number == high.value and not high.is_open))

    def nearest(self, number: float) -> float:
        """The number, or the end of the range that it lies beyond."""
        if self.lowest and number < self.lowest.value:
            return self.lowest.value
        return self.highest.value if self.highest and number > self.highest.value else number

    def scaled(self, factor: float) -> Limits:
        """In another unit."""
        low, high = self.lowest, self.highest
        return Limits(
            Bound(low.value * factor, low.is_open) if low else None,
            Bound(high.value * factor, high.is_open) if high else None,
        )

    def within(self, other: Limits) -> Limits:
        """What both allow."""
        lows = [bound for bound in (self.lowest, other.lowest) if bound]
        highs = [bound for bound in (self.highest, other.highest) if bound]
        return Limits(
            max(lows, key=lambda bound: (bound.value, bound.is_open), default=None),
            min(highs, key=lambda bound: (bound.value, not bound.is_open), default=None),
        )


def limits_of(metadata: Iterable[Any]) -> Limits:
    """The limits among a pydantic field's metadata."""
    found = Limits(None, None)
    for limit in metadata:
        match limit:
            case Ge(ge=value):
                found = found.within(Limits(Bound(_number(value), False), None))
            case Gt(gt=value):
                found = found.within(Limits(Bound(_number(value), True), None))
            case Le(le=value):
                found = found.within(Limits(None, Bound(_number(value), False)))
            case Lt(lt=value):
                found = found.within(Limits(None, Bound(_number(value), True)))
    return found


def _number(value: Any) -> float:
    return float(value)
