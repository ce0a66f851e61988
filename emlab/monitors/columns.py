"""Columns of numbers that grow together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Columns:
    """Named float columns of one length, nan where nothing was put; growing costs what is new."""

    def __init__(self, names: Iterable[str]) -> None:
        self._length = 0
        self._arrays = {name: np.full(1024, np.nan) for name in names}

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """A view of a column."""
        return self._arrays[name][: self._length]

    def grow(self, length: int) -> None:
        """Lengthen every column to ``length``."""
        for name, array in self._arrays.items():
            if length > array.size:
                grown = np.full(max(length, 2 * array.size), np.nan)
                grown[: self._length] = array[: self._length]
                self._arrays[name] = grown
        self._length = length

    def clear(self, names: Iterable[str]) -> None:
        """Put nan into whole columns."""
        for name in names:
            self._arrays[name][:] = np.nan
