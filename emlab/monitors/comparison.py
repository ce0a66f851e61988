"""Two ways through the same micrographs, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emlab.monitors.items import Items
from emlab.sets import Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Agreement:
    """How a measure of the one compares with that of the other, over the items that both have.

    Attributes
    ----------
    left, right
        Values of the common items, shape (items,), in the measure's own unit.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def is_same(self) -> bool:
        """Whether every value is the same, as where both come from one run."""
        return bool(np.array_equal(self.left, self.right))

    @property
    def shift(self) -> float:
        """Median of right − left; nan without common items."""
        return float(np.median(self.right - self.left)) if self.left.size else float("nan")

    @property
    def spread(self) -> float:
        """Half of the middle 68 % of right − left, a standard deviation that outliers cannot ruin."""
        if not self.left.size:
            return float("nan")
        low, high = np.percentile(self.right - self.left, [16, 84])
        return float(high - low) / 2


class Comparison:
    """The items of two lines or sessions, joined by their names.

    Parameters
    ----------
    left, right
        Updated.

    Attributes
    ----------
    table
        One row per item of either: measures with ``_left`` and ``_right`` behind their names, ``decision_left``,
        ``decision_right`` (``accepted``, ``rejected`` or ``""``), the item's name as index.
    """

    def __init__(self, left: Items, right: Items) -> None:
        tables = left.to_dataframe(), right.to_dataframe()
        self.table: pd.DataFrame = tables[0].merge(
            tables[1], how="outer", left_index=True, right_index=True, suffixes=("_left", "_right")
        )
        for side in ("left", "right"):
            self.table[f"decision_{side}"] = self.table[f"decision_{side}"].fillna("")
        self.common = len(set(left.keys) & set(right.keys))

    def agreement(self, measure: str) -> Agreement:
        """Give a measure on both sides, of the items that have it on both."""
        pair = self.table[[f"{measure}_left", f"{measure}_right"]].to_numpy(float)
        pair = pair[np.isfinite(pair).all(axis=1)]
        return Agreement(pair[:, 0], pair[:, 1])

    def decided(self, left: str, right: str) -> list[str]:
        """Names of the items with these decisions."""
        chosen = (self.table["decision_left"] == left) & (self.table["decision_right"] == right)
        return [str(key) for key in self.table.index[chosen]]


def different_parameters(left: Run, right: Run) -> list[tuple[str, Any, Any]]:
    """Give the parameters in which two runs differ: name, left, right."""
    names = dict.fromkeys((*left.parameters, *right.parameters))
    pairs = [(name, left.parameters.get(name), right.parameters.get(name)) for name in names]
    return [(name, ours, theirs) for name, ours, theirs in pairs if ours != theirs]
