"""What kind of file system a folder is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from emlab.engine import mount

MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /data rw,relatime - autofs systemd-1 rw
31 30 0:44 / /data rw,relatime shared:9 - nfs4 server:/export rw
32 22 0:45 / /data/scratch rw - xfs /dev/sdb rw
33 22 0:46 / /mnt/micro\\040scope rw - cifs //falcon/epu rw
34 22 0:47 / /home/user/remote rw - fuse.sshfs host: rw
"""


@pytest.fixture(autouse=True)
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTINFO)
    monkeypatch.setattr(mount, "MOUNTS", table)


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/srv/session", "ext4", False),
        ("/data", "nfs4", True),
        ("/data/epu/not/there/yet", "nfs4", True),
        ("/database", "ext4", False),
        ("/data/scratch/session", "xfs", False),
        ("/mnt/micro scope/session", "cifs", True),
        ("/home/user/remote", "fuse.sshfs", True),
    ],
)
def test_the_innermost_and_last_mount_holds_a_path(path: str, kind: str, is_network: bool) -> None:
    assert mount.filesystem_type(Path(path)) == kind
    assert mount.is_network(Path(path)) is is_network


def test_a_kernel_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "MOUNTS", Path("/there/is/no/mountinfo"))
    assert mount.filesystem_type(Path("/srv")) == "unknown"
    assert not mount.is_network(Path("/srv"))
