"""What a machine has for emlab, and what to install for what it has not."""

from __future__ import annotations

import sqlite3
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NamedTuple

import pytest

from emlab.engine import devices, doctor
from emlab.engine.devices import Gpu
from emlab.engine.doctor import Finding, examine

GIBIBYTE = 2**30


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has everything."""
    watches = tmp_path / "max_user_watches"
    watches.write_text("524288\n")
    monkeypatch.setattr(doctor, "WATCHES", watches)
    monkeypatch.setattr(doctor, "version", lambda package: "1.2.3")
    monkeypatch.setattr(doctor, "filesystem_type", lambda folder: "xfs")
    monkeypatch.setattr(doctor, "is_network", lambda folder: False)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: Usage(900 * GIBIBYTE, 0, 800 * GIBIBYTE))
    monkeypatch.setattr(doctor.shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(devices, "cpu_cores", lambda: 32)
    monkeypatch.setattr(devices, "memory", lambda: 256 * GIBIBYTE)
    monkeypatch.setattr(devices, "gpus", lambda: [Gpu("NVIDIA H200", 140 * GIBIBYTE, "570.1")])
    monkeypatch.setattr(devices, "cupy_trouble", lambda: None)
    monkeypatch.setattr(devices, "gpu_indices", lambda: (0,))
    monkeypatch.setattr(devices, "trial_trouble", lambda: None)


def finding(name: str, folder: Path = Path()) -> Finding:
    (found,) = (found for found in examine(folder) if found.name == name)
    return found


def test_a_machine_that_has_everything_needs_no_advice() -> None:
    findings = examine(Path())
    assert [found.name for found in findings if not found.ok or found.advice] == []
    assert finding("CPU").found == "32 cores, so 32 workers"
    assert finding("GPU").found == "NVIDIA H200 (140 GiB), driver 570.1"
    assert finding("CuPy").found == "ready, 1 card"
    assert finding("File system").found == "xfs"
    assert "voila 1.2.3" in finding("Jupyter").found
    assert str(sys.version_info.minor) in finding("Python").found


@pytest.mark.parametrize(
    ("package", "name", "command"),
    [("papermill", "Jupyter", 'pip install "emlab[app]"'), ("distributed", "Dask", 'pip install "emlab[cluster]"')],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    package: str, name: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(asked: str) -> str:
        if asked == package:
            raise PackageNotFoundError(asked)
        return "1.2.3"

    monkeypatch.setattr(doctor, "version", version)
    found = finding(name)
    assert found.ok is None
    assert found.found == f"no {package}"
    assert command in found.advice


def test_a_machine_without_cards_computes_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpus", list)
    monkeypatch.setattr(devices, "cupy_trouble", lambda: "No module named 'cupy'")
    assert finding("GPU").ok is None
    assert "CPU" in finding("GPU").advice
    assert finding("CuPy").found == "No module named 'cupy'"
    assert 'pip install "emlab[gpu]"' in finding("CuPy").advice


def test_a_card_that_does_not_compute_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "trial_trouble", lambda: "RuntimeError: libnvrtc.so: cannot open shared object file")
    found = finding("CuPy")
    assert found.ok is False
    assert "libnvrtc.so" in found.found
    assert 'pip install "emlab[gpu]"' in found.advice


def test_without_the_library_that_asks_the_driver_no_card_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> list[Gpu]:
        raise ModuleNotFoundError("No module named 'pynvml'")

    monkeypatch.setattr(devices, "gpus", refuse)
    assert finding("GPU").found == "not checked"
    assert 'pip install "emlab[gpu]"' in finding("GPU").advice


def test_a_network_mount_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "filesystem_type", lambda folder: "nfs4")
    monkeypatch.setattr(doctor, "is_network", lambda folder: True)
    found = finding("File system")
    assert (found.found, found.ok) == ("nfs4, over the network", None)
    assert "local disk" in found.advice


def test_a_small_disk_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Path] = []

    def usage(folder: Path) -> Usage:
        asked.append(folder)
        return Usage(100 * GIBIBYTE, 91 * GIBIBYTE, 9 * GIBIBYTE)

    monkeypatch.setattr(doctor.shutil, "disk_usage", usage)
    found = finding("Disk", tmp_path / "not" / "there" / "yet")
    assert found.ok is False
    assert found.found.startswith("9 of 100 GiB free")
    assert asked == [tmp_path]


def test_too_few_watches_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max_user_watches").write_text("128\n")
    found = finding("File events")
    assert found.ok is False
    assert "sysctl fs.inotify.max_user_watches" in found.advice
    monkeypatch.setattr(doctor, "WATCHES", tmp_path / "there is none")
    assert finding("File events").ok is None


def test_one_core_little_memory_and_an_old_sqlite_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cpu_cores", lambda: 1)
    monkeypatch.setattr(devices, "memory", lambda: 2 * GIBIBYTE)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    for name in ("CPU", "Memory", "SQLite"):
        assert finding(name).ok is False
        assert finding(name).advice
    assert finding("CPU").found == "1 core, so 1 worker"


def test_programs_that_emlab_does_without_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda program: None)
    assert finding("Other programs").ok is None
    assert finding("SLURM").ok is None
    monkeypatch.setattr(doctor.shutil, "which", lambda program: program if program == "ctffind" else None)
    assert finding("Other programs").found == "ctffind"
