"""Every item accounted for: what is lost, done twice or torn."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.chaos.movies import Written
from emlab.errors import FormatError
from emlab.formats.completeness import check_complete
from emlab.formats.star import read_star
from emlab.session import Session

STAGES = (("movies",), ("micrographs",), ("ctfs",), ("accepted", "rejected"))


def account(session: Session, written: Sequence[Written], seen: Sequence[str]) -> dict[str, int]:
    """Compare what was recorded with what was written and seen, and every output with what a whole file is.

    Parameters
    ----------
    seen
        Keys of the CTFs in the order in which a reader saw them.

    Returns
    -------
    dict
        ``bad``: damaged files that are recorded as failures. ``failed``: whole ones that are. ``lost``: neither done
        nor failed, or seen by the reader and not there. ``twice``, ``torn``; ``strays``: temporary files left.
    """
    failed = {failure.key for failure in session.failures() if failure.final}
    whole = {item.key for item in written if item.whole}
    bad = {item.key for item in written} - whole
    lost, twice, torn = len(bad - failed), 0, 0
    for names in STAGES:
        keys = Counter(record.key for name in names for record in session[name])
        lost += len(whole - set(keys) - failed)
        twice += sum(count - 1 for count in keys.values())
    for key in sorted(whole & failed):
        met = [failure for failure in session.failures() if failure.key == key]
        told = "\n".join(f"  {one.run}, attempt {one.attempt}: {one.error}: {one.message}" for one in met)
        print(f"The whole movie {key} failed:\n{told}", file=sys.stderr)
    recorded = [record.key for record in session["ctfs"]]
    lost += sum(one != other for one, other in zip(recorded, seen, strict=False)) + abs(len(recorded) - len(seen))
    for name in ("micrographs", "ctfs"):
        for record in session[name]:
            torn += sum(not _is_whole(session.file(path)) for path in _outputs(record))
    strays = len(list((session.path / "outputs").rglob("*.tmp")))

    return {
        "bad": len(bad & failed),
        "failed": len(whole & failed),
        "lost": lost,
        "twice": twice,
        "torn": torn,
        "strays": strays,
    }


def recorded(session: Session) -> int:
    """How many steps of items are done or given up."""
    given_up = {failure.key for failure in session.failures() if failure.final}
    return sum(len(session[name]) for names in STAGES[1:] for name in names) + 3 * len(given_up)


def _outputs(record: Any) -> list[str]:
    values = (getattr(record, field.name) for field in fields(record))
    return [value for value in values if isinstance(value, str) and value.startswith("outputs/")]


def _is_whole(path: Path) -> bool:
    try:
        match path.suffix:
            case ".mrc":
                return check_complete(path).state == "complete"
            case ".jpg":
                data = path.read_bytes()
                return data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
            case ".star":
                return bool(read_star(path))
    except (OSError, FormatError):
        return False
    return path.stat().st_size > 0
