"""What a container, SLURM or systemd allots to this process, which the kernel's totals do not tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
TREE = Path("/sys/fs/cgroup")


def cpu_quota() -> float | None:
    """How many cores' time this process may use; ``None`` where that is not limited."""
    quotas = []
    for folder in _folders("cpu"):
        words = _read(folder / "cpu.max").split() or [
            _read(folder / "cpu.cfs_quota_us"),
            _read(folder / "cpu.cfs_period_us"),
        ]
        if all(word.isdigit() for word in words):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def memory_limit() -> int | None:
    """How many bytes this process may use; ``None`` where that is not limited."""
    texts = (_read(folder / name) for folder in _folders("memory") for name in ("memory.max", "memory.limit_in_bytes"))
    return min((int(text) for text in texts if text.isdigit()), default=None)


def _folders(controller: str) -> Iterator[Path]:
    """The group's folder and those above it, each of which may set a limit; both versions of the hierarchy."""
    for line in _read(MEMBERSHIP).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            root = TREE / controllers
            group = root / path.lstrip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
