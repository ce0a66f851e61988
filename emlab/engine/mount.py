"""What kind of file system a folder is on."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset({
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
})  # fmt: skip


def filesystem_type(path: Path) -> str:
    """The kernel's name of the file system that holds ``path``: ``ext4``, ``nfs4``, ``fuse.sshfs``, say.

    ``path`` need not exist; ``unknown`` where the kernel does not tell.
    """
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return "unknown"
    resolved = path.resolve()
    found, depth = "unknown", -1
    for line in lines:
        place, _, source = line.partition(" - ")
        mount_point = Path(_unescaped(place.split(" ")[4]))
        # Of several mounts on the same point the last one is on top.
        if resolved.is_relative_to(mount_point) and len(mount_point.parts) >= depth:
            found, depth = source.split(" ")[0], len(mount_point.parts)
    return found


def is_network(path: Path) -> bool:
    """Whether other computers may write there unseen by this kernel, so that file events do not tell all.

    FUSE counts as such: what is behind it cannot be known.
    """
    kind = filesystem_type(path)
    return kind in NETWORK or kind.partition(".")[0] == "fuse"


def journal_mode(path: Path) -> str:
    """SQLite's journal mode for a database there: WAL loses rows on network file systems, silently."""
    return "TRUNCATE" if is_network(path) else "WAL"


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)
