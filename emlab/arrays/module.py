"""Which array library an array belongs to."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def array_module(array: Any) -> ModuleType:
    """NumPy, or CuPy for an array on a GPU; CuPy is imported only once there is such an array."""
    if type(array).__module__.partition(".")[0] == "cupy":
        import cupy

        return cupy  # type: ignore[no-any-return]
    return np


def to_host(array: Any) -> NDArray[Any]:
    """The array as NumPy's, copied from the GPU if it is there."""
    return array if array_module(array) is np else array.get()  # type: ignore[no-any-return]
