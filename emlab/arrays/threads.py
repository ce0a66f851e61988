"""Threads that share the work on one item; who does not ask for them has one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_FEWEST_ROWS: Final = 64
"""That are worth a thread."""
_POOL: ContextVar[tuple[ThreadPoolExecutor | None, int]] = ContextVar("pool", default=(None, 1))


@contextmanager
def sharing(count: int) -> Iterator[None]:
    """Let what is computed within use ``count`` threads; but for rounding in transforms the same numbers come out.

    The threads themselves are on their own: what one of them does is not shared again.
    """
    if count < 2:
        yield
        return
    with ThreadPoolExecutor(count, "sharing") as pool:
        token = _POOL.set((pool, count))
        try:
            yield
        finally:
            _POOL.reset(token)


def threads() -> int:
    """How many there are to share what is done here."""
    return _POOL.get()[1]


def by_rows(loop: Callable[..., object], rows: int, *arguments: Any) -> None:
    """Call ``loop(start, stop, *arguments)`` for bands of ``rows`` rows, all at the same time."""
    pool, count = _POOL.get()
    bands = min(count, rows // _FEWEST_ROWS)
    if pool is None or bands < 2:
        loop(0, rows, *arguments)
        return
    edges = [rows * band // bands for band in range(bands + 1)]
    list(pool.map(lambda band: loop(edges[band], edges[band + 1], *arguments), range(bands)))


def each(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What a function makes of each item, in their order; as many at a time as there are threads."""
    pool, _ = _POOL.get()
    return map(function, items) if pool is None else pool.map(function, items)
