"""A protocol used by itself, in a process whose environment says nothing of threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import scipy.linalg  # noqa: F401 - brings its BLAS
from threadpoolctl import threadpool_info, threadpool_limits

from emlab.engine.apply import Application
from emlab.model import Protocol


def test_small_matrices_get_one_thread(tmp_path: Path, toys: dict[str, Protocol]) -> None:
    toy = toys["toy_import"]
    threads: list[int] = []

    def spying(*arguments: Any) -> Any:
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return toy.function(*arguments)

    spy = Protocol(**{**vars(toy), "function": spying})
    (tmp_path / "movie.txt").write_text("good")
    with threadpool_limits(2, "blas"):
        (found,) = Application((spy,)).run([tmp_path / "movie.txt"], tmp_path / "out", {})
    assert found["warning"] == "good"
    if not threads:
        pytest.skip("this NumPy's BLAS has no threads")
    assert set(threads) == {1}
