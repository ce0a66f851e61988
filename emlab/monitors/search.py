"""Which items a person looks for, in a few words."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emlab.errors import ParameterError

_COMPARISON = re.compile(r"([A-Za-z_]\w*)(<=|>=|<|>|=)(-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)")
_OPERATORS: Mapping[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}


def matching(
    query: str, columns: Mapping[str, NDArray[np.float64]], texts: Sequence[Sequence[str]], count: int
) -> NDArray[np.bool_]:
    """Tell which items match every word of a query.

    A word is a comparison of a column, ``resolution<4``, which an item without that value does not meet; or a piece of
    text that occurs in one of the item's texts, whatever its case.

    Parameters
    ----------
    columns
        Values by name, shape (items,).
    texts
        Of each kind (name, decision, …) one per item.
    count
        How many items there are.

    Raises
    ------
    ParameterError
        If a word compares what is no column.
    """
    found = np.ones(count, bool)
    for word in re.sub(r"\s*(<=|>=|<|>|=)\s*", r"\1", query).split():
        if comparison := _COMPARISON.fullmatch(word):
            name, sign, value = comparison.groups()
            if name not in columns:
                raise ParameterError(f"There is no column {name!r}; there are: {', '.join(columns)}.")
            found &= _OPERATORS[sign](columns[name], float(value))
        elif any(sign in word for sign in "<>="):
            raise ParameterError(f"{word!r} is not a comparison; write one like {next(iter(columns), 'value')}<4.")
        else:
            piece = word.lower()
            found &= np.fromiter(
                (any(piece in text.lower() for text in row) for row in zip(*texts, strict=True)), bool, count
            )
    return found
