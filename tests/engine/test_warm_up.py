"""What is compiled is compiled before the first movie, by processing a tiny one."""

from __future__ import annotations

import pytest

from emlab.engine.warm_up import MemoryWorkbench, warm_up


def test_a_tiny_movie_goes_through_motion_and_ctf(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    write = MemoryWorkbench.write_tables

    def noted(self: MemoryWorkbench, suffix: str, tables: object) -> str:
        written.append(suffix)
        return write(self, suffix, tables)

    monkeypatch.setattr(MemoryWorkbench, "write_tables", noted)
    warm_up()
    assert len(written) == 2
