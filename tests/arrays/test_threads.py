from __future__ import annotations

import threading

import numpy as np
import pytest

from emlab.arrays.threads import by_rows, each, sharing, threads


def test_who_does_not_ask_has_one_thread() -> None:
    assert threads() == 1
    with sharing(3):
        assert threads() == 3
    assert threads() == 1


@pytest.mark.parametrize("rows", [0, 1, 63, 200, 1000])
def test_every_row_is_done_once(rows: int) -> None:
    done = np.zeros(rows, int)

    def loop(start: int, stop: int, step: int) -> None:
        done[start:stop] += step

    with sharing(3):
        by_rows(loop, rows, 2)
    assert (done == 2).all()


def test_rows_are_done_at_the_same_time() -> None:
    all_there = threading.Barrier(3, timeout=30)
    with sharing(3):
        by_rows(lambda start, stop: all_there.wait(), 300)


def test_what_fails_in_a_thread_fails() -> None:
    with sharing(2), pytest.raises(ZeroDivisionError):
        by_rows(lambda start, stop: 1 // 0, 300)


def test_results_come_in_order_and_threads_do_not_wait_for_each_other() -> None:
    def both(item: int) -> int:
        by_rows(lambda start, stop: None, 300)
        return item * threads()

    with sharing(2):
        assert list(each(both, range(20))) == list(range(20))
