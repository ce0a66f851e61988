"""How many workers this machine can feed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emlab.engine import cgroup, devices
from emlab.errors import ProgramError

GIBIBYTE = 2**30


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Control groups in which nothing is limited, on a machine of 16 cores and 64 GiB."""
    tree = tmp_path / "cgroup"
    tree.mkdir()
    membership(tmp_path, "0::/user/session\n")
    monkeypatch.setattr(cgroup, "TREE", tree)
    monkeypatch.setattr(cgroup, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)))
    monkeypatch.setattr(devices.psutil, "virtual_memory", lambda: SimpleNamespace(total=64 * GIBIBYTE))
    return tree


def membership(folder: Path, text: str) -> None:
    (folder / "membership").write_text(text)


def put(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text + "\n")


def test_without_limits_the_machine_is_ours() -> None:
    assert devices.cpu_cores() == 16
    assert devices.memory() == 64 * GIBIBYTE
    assert devices.cpu_workers() == 16


@pytest.mark.parametrize(("quota", "cores"), [("max 100000", 16), ("400000 100000", 4), ("50000 100000", 1)])
def test_a_quota_of_time_limits_the_cores(quota: str, cores: int, tree: Path) -> None:
    put(tree / "user" / "session", "cpu.max", quota)
    assert devices.cpu_cores() == cores


def test_a_limit_of_a_group_above_counts(tree: Path) -> None:
    put(tree / "user" / "session", "memory.max", "max")
    put(tree / "user", "memory.max", str(8 * GIBIBYTE))
    assert devices.memory() == 8 * GIBIBYTE
    assert devices.cpu_workers() == 2


def test_the_older_hierarchy_is_read_too(tree: Path, tmp_path: Path) -> None:
    membership(tmp_path, "5:memory:/job_1\n4:cpu,cpuacct:/job_1\n1:name=systemd:/\n0::/\n")
    put(tree / "memory" / "job_1", "memory.limit_in_bytes", str(6 * GIBIBYTE))
    put(tree / "cpu,cpuacct" / "job_1", "cpu.cfs_quota_us", "300000")
    put(tree / "cpu,cpuacct" / "job_1", "cpu.cfs_period_us", "100000")
    put(tree / "cpu,cpuacct", "cpu.cfs_quota_us", "-1")
    put(tree / "cpu,cpuacct", "cpu.cfs_period_us", "100000")
    assert devices.memory() == 6 * GIBIBYTE
    assert devices.cpu_cores() == 3


def test_there_is_always_one_worker(tree: Path) -> None:
    put(tree, "memory.max", str(GIBIBYTE))
    assert devices.cpu_workers() == 1


def test_no_cards_without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert devices.gpu_indices() == ()
    assert "cupy" in str(devices.cupy_trouble())


@pytest.mark.parametrize(("count", "indices"), [(0, ()), (2, (0, 1))])
def test_the_cards_are_those_that_cupy_finds(
    count: int, indices: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = SimpleNamespace(getDeviceCount=lambda: count)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    assert devices.gpu_indices() == indices


def test_a_driver_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")

    runtime = SimpleNamespace(getDeviceCount=refuse)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    assert "insufficient" in str(devices.cupy_trouble())
    assert devices.gpu_indices() == ()


def test_a_card_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cupy_trouble", lambda: "CuPy finds no CUDA device")
    with pytest.raises(ProgramError, match="No GPU can be used: CuPy finds no CUDA device"):
        devices.use_card(0)
    monkeypatch.setattr(devices, "cupy_trouble", lambda: None)
    monkeypatch.setattr(devices, "_device_count", lambda: 2)
    with pytest.raises(ProgramError, match="There is no GPU 2; CuPy finds GPUs 0 to 1"):
        devices.use_card(2)
