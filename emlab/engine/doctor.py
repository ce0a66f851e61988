"""What a machine has for emlab, and what to install for what it has not."""

from __future__ import annotations

import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from emlab.engine import devices
from emlab.engine.mount import filesystem_type, is_network
from emlab.monitors.words import counted

GIBIBYTE = 2**30
ROOM_FOR_A_SESSION = 50 * GIBIBYTE
"""Bytes: some 1000 micrographs of 4096 px, with what is made of them."""
WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
FOLDERS_OF_A_SESSION = 8192
APP = ("jupyterlab", "voila", "ipywidgets", "anywidget", "bqplot", "papermill", "nbconvert", "ipykernel")
CLUSTER = ("distributed", "dask-jobqueue", "cryptography")
PROGRAMS = ("MotionCor3", "MotionCor2", "ctffind", "relion_run_motioncorr")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name
        What, in a word or two.
    found
        What there is.
    ok
        ``True``: as it should be. ``False``: something that emlab needs or that will hurt. ``None``: emlab does
        without it.
    advice
        What to do about it; empty where there is nothing to do.
    """

    name: str
    found: str
    ok: bool | None
    advice: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at everything that matters to a session in ``folder``; nothing is changed."""
    return list(_findings(folder))


def _findings(folder: Path) -> Iterator[Finding]:
    yield _python()
    yield _cores()
    yield _memory()
    yield _disk(folder)
    yield _file_system(folder)
    yield _file_events()
    yield _sqlite()
    yield _gpu()
    yield _cupy()
    yield _packages(
        "Jupyter", APP, extra="app", without="The command line works without it; pages, notebooks and reports do not."
    )
    yield _packages("Dask", CLUSTER, extra="cluster", without="Only needed to spread a session over several machines.")
    yield _programs()
    yield _slurm()


def _python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    return _judged("Python", found, sys.version_info >= (3, 11), "emlab needs Python 3.11 or newer.")


def _cores() -> Finding:
    cores = devices.cpu_cores()
    found = f"{counted(cores, 'core')}, so {counted(devices.cpu_workers(), 'worker')}"
    return _judged("CPU", found, cores > 1, "The engine and its worker share one core; use a machine with two or more.")


def _memory() -> Finding:
    memory, wanted = devices.memory(), devices.MEMORY_PER_WORKER
    advice = f"A worker may need {wanted / GIBIBYTE:.0f} GiB for a large movie; small ones still fit."
    return _judged("Memory", f"{memory / GIBIBYTE:.0f} GiB", memory >= wanted, advice)


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(_existing(folder))
    found = f"{usage.free / GIBIBYTE:.0f} of {usage.total / GIBIBYTE:.0f} GiB free at {folder.absolute()}"
    advice = (
        f"A session of 1000 large movies needs about {ROOM_FOR_A_SESSION / GIBIBYTE:.0f} GiB; choose another folder. "
        "A session that fills the disk pauses and loses nothing."
    )
    return _judged("Disk", found, usage.free >= ROOM_FOR_A_SESSION, advice)


def _file_system(folder: Path) -> Finding:
    kind = filesystem_type(folder)
    if not is_network(folder):
        return Finding(name="File system", found=kind, ok=True)
    return Finding(
        name="File system",
        found=f"{kind}, over the network",
        ok=None,
        advice="A session works here, but waits for the server at each record; a local disk is better. Movies may "
        "come over the network: emlab looks for new ones every second.",
    )


def _file_events() -> Finding:
    try:
        watches = int(WATCHES.read_text(encoding="ascii"))
    except OSError:
        advice = "emlab looks for new files every second instead."
        return Finding(name="File events", found="none", ok=None, advice=advice)
    found = f"{counted(watches, 'folder')} can be watched"
    advice = "To raise the limit: sysctl fs.inotify.max_user_watches=1048576 (in /etc/sysctl.d to keep it)."
    return _judged("File events", found, watches >= FOLDERS_OF_A_SESSION, advice)


def _sqlite() -> Finding:
    advice = "emlab needs SQLite 3.35 or newer; use a newer Python, for example from conda-forge."
    return _judged("SQLite", sqlite3.sqlite_version, sqlite3.sqlite_version_info >= (3, 35), advice)


def _gpu() -> Finding:
    try:
        cards = devices.gpus()
    except ImportError:
        return Finding(
            name="GPU", found="not checked", ok=None, advice=f"Optional. To use NVIDIA cards: {_install('gpu')}."
        )
    if not cards:
        return Finding(name="GPU", found="none", ok=None, advice="Everything runs on the CPU.")
    names = ", ".join(f"{card.name} ({card.memory / GIBIBYTE:.0f} GiB)" for card in cards)
    return Finding(name="GPU", found=f"{names}, driver {cards[0].driver}", ok=True)


def _cupy() -> Finding:
    trouble = devices.cupy_trouble()
    if trouble is None and (failed := devices.trial_trouble()):
        advice = (
            f"The CUDA libraries are missing or do not match the driver: {_install('gpu')}. Until then emlab uses the "
            "CPU."
        )
        return Finding(name="CuPy", found=f"finds a card that cannot compute: {failed}", ok=False, advice=advice)
    if trouble is None:
        return Finding(name="CuPy", found=f"ready, {counted(len(devices.gpu_indices()), 'card')}", ok=True)
    return Finding(
        name="CuPy",
        found=trouble,
        ok=None,
        advice=f"To compute on NVIDIA cards: {_install('gpu')}, and install a driver.",
    )


def _packages(name: str, packages: tuple[str, ...], *, extra: str, without: str) -> Finding:
    found = {package: _version(package) for package in packages}
    missing = [package for package, number in found.items() if number is None]
    if missing:
        return Finding(name=name, found=f"no {', '.join(missing)}", ok=None, advice=f"{without} {_install(extra)}")
    return Finding(name=name, found=", ".join(f"{package} {number}" for package, number in found.items()), ok=True)


def _programs() -> Finding:
    found = [program for program in PROGRAMS if shutil.which(program)]
    return Finding(
        name="Other programs",
        found=", ".join(found) or f"no {', '.join(PROGRAMS)}",
        ok=True if found else None,
        advice="" if found else "Not needed; emlab aligns movies and estimates CTFs itself.",
    )


def _slurm() -> Finding:
    place = shutil.which("sbatch")
    return Finding(name="SLURM", found=place or "no sbatch", ok=True if place else None)


def _judged(name: str, found: str, ok: bool, advice: str) -> Finding:
    return Finding(name=name, found=found, ok=ok, advice="" if ok else advice)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _install(extra: str) -> str:
    return f'pip install "emlab[{extra}]"'


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())
