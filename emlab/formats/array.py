"""NumPy files: packed numbers of one micrograph, such as the places of its particles."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.errors import FormatError
from emlab.formats.atomic import whole_file


def read_array(path: str | Path) -> NDArray[Any]:
    """The numbers of a NumPy file.

    Raises
    ------
    FormatError
        If it is none, is cut, or holds Python objects, which are never loaded.
    """
    try:
        # Mapped first: a header that declares more than is there must not take the memory for it.
        return np.array(np.lib.format.open_memmap(path, mode="r"))
    except (ValueError, EOFError, OverflowError, SyntaxError, TokenError) as error:
        raise FormatError(f"{path} is not a NumPy file of numbers, or it is truncated: {error}.") from None


def write_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write numbers, whole or not at all."""
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
