"""Loops over pixels, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """The function, compiled when it is first called.

    The compiled code is kept on disk for later processes; it lets other threads run, and assumes that numbers are
    finite.
    """
    return numba.njit(cache=True, nogil=True, fastmath=True)(function)  # type: ignore[no-any-return]
