"""A session's progress in lines, until it ends."""

from __future__ import annotations

from typing import Any

from emlab.monitors import progress_lines


class Followed:
    """A session whose clock moves by a second each time that one waits for it, and where things happen then."""

    def __init__(self, invented: Any, happens: dict[int, Any]) -> None:
        self._session = invented.open()
        self._happens = happens
        self.seconds = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def wait(self, timeout: float = 1.0) -> bool:
        self.seconds += 1
        happening = self._happens.get(self.seconds, lambda: None)
        happening()
        return True


def test_lines_come_with_changes_and_not_too_often(invented: Any) -> None:
    session = Followed(
        invented,
        {
            2: lambda: invented.add(range(1), until="align"),
            3: lambda: invented.add(range(1, 2), until="align"),
            20: lambda: invented.add(range(2, 3), until="align"),
            40: invented.end,
        },
    )
    lines = list(progress_lines(session, now=lambda: float(session.seconds)))
    told = [line.partition("  ")[2].partition(".")[0] for line in lines]
    assert told == [
        "0 files arrived; import 0, align 0, ctf 0, select 0",
        "2 files arrived; import 2, align 2, ctf 0, select 0",
        "3 files arrived; import 3, align 3, ctf 0, select 0",
        "3 files arrived; import 3, align 3, ctf 0, select 0",
    ]
    assert session.seconds == 40
