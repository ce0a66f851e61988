"""Rows that belong together, and what they have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def grouped(rows: Rows, *labels: NDArray[np.float64]) -> list[Rows]:
    """Part rows into those with the same labels.

    Parameters
    ----------
    rows
        Shape (n,).
    labels
        One or more numbers of each of these rows, shape (n,).

    Returns
    -------
    groups
        In ascending order of the labels, the rows of each in the order given.
    """
    if not rows.size:
        return []
    order = np.lexsort(labels[::-1])
    differs = np.zeros(rows.size - 1, bool)
    for label in labels:
        differs |= np.diff(label[order]) != 0
    return np.split(rows[order], np.flatnonzero(differs) + 1)


def means(values: NDArray[np.float64], groups: Sequence[Rows]) -> NDArray[np.float64]:
    """Give the mean of each group's values, shape (groups,)."""
    if not groups:
        return np.empty(0)
    sizes = np.array([rows.size for rows in groups])
    starts = np.cumsum(sizes) - sizes
    return np.asarray(np.add.reduceat(values[np.concatenate(groups)], starts) / sizes)


def medians(values: NDArray[np.float64], groups: Sequence[Rows]) -> NDArray[np.float64]:
    """Give the median of each group's values that are known, shape (groups,); nan where none is."""
    if not groups:
        return np.empty(0)
    sizes = np.array([rows.size for rows in groups])
    starts = np.cumsum(sizes) - sizes
    # Those that are not known come last in each group.
    mixed = values[np.concatenate(groups)]
    ordered = mixed[np.lexsort((mixed, np.repeat(np.arange(sizes.size), sizes)))]
    known = np.add.reduceat(np.isfinite(mixed), starts, dtype=int)
    middle = ordered[starts + (known - 1).clip(0) // 2] + ordered[starts + (known // 2).clip(max=sizes - 1)]
    return np.where(known > 0, middle / 2, np.nan)
