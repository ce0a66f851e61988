"""Frames decoded by several threads before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from emlab.engine.devices import cpu_cores
from emlab.model import Array, Frames

MOST_THREADS = 8
"""Each holds a frame; a card has two processes, so that these keep 16 cores busy."""


def read_ahead(frames: Frames, start: int, stop: int, threads: int | None = None) -> Iterator[Array]:
    """Frames from ``start`` to before ``stop``, in order; those that come next are decoded meanwhile.

    Decoding releases Python's lock, so that a card, which computes faster than one core decodes, need not wait long.
    """
    threads = threads or min(MOST_THREADS, cpu_cores())
    pool = ThreadPoolExecutor(threads, "decode")
    try:
        ahead: deque[Future[Array]] = deque()
        for index in range(start, stop):
            ahead.append(pool.submit(frames.read, index))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
