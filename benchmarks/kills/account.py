"""Every item accounted for, as far as it should be after each life, and wholly at the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

import numpy as np

import emlab
from benchmarks.kills.tiny import Microscope
from emlab.errors import EmlabError
from emlab.formats.mrc import read_mrc
from emlab.formats.star import read_star
from emlab.model import Micrograph
from emlab.session import Session

SETS = (("arrivals",), ("movies",), ("micrographs",), ("judge.accepted", "rejected"))


class Account:
    """What became of the items of a session.

    Parameters
    ----------
    path
        The session's folder.
    microscope
        What wrote its movies.
    """

    WRONG: ClassVar = ("lost", "twice", "torn", "strays", "failed", "unfinished")
    """What must be 0: neither done nor failed, or seen and not there any more; recorded twice; outputs that are not
    what they should be; files in the outputs that no record names; items given up; sets that did not end well."""

    def __init__(self, path: Path, microscope: Microscope) -> None:
        self._path = path
        self._microscope = microscope
        self._seen: list[Micrograph] = []
        self._vanished = 0
        self._torn = 0
        self.recorded = 0

    def records(self) -> int:
        """How many records there are now."""
        with emlab.open_session(self._path) as session:
            return sum(len(session[name]) for names in SETS for name in names)

    def look(self) -> None:
        """See what the last life has recorded, and that what was seen before it is still there."""
        with emlab.open_session(self._path) as session:
            self.recorded = sum(len(session[name]) for names in SETS for name in names)
            micrographs = session["micrographs"]
            known = len(self._seen)
            self._vanished += bool(known and (len(micrographs) < known or micrographs[known - 1] != self._seen[-1]))
            new = list(micrographs.since(known))
            self._torn += sum(not self._is_whole(session, micrograph) for micrograph in new)
            self._seen += new

    def close(self) -> Counter[str]:
        """Account for everything."""
        wanted = set(self._microscope.keys)
        self.look()
        with emlab.open_session(self._path) as session:
            lost, twice = self._vanished, 0
            for names in SETS:
                keys = Counter(record.key for name in names for record in session[name])
                lost += len(wanted - set(keys))
                twice += sum(count - 1 for count in keys.values())
            chained = Counter(session["chain.accepted"][-1].reason.split())
            lost += len(wanted - set(chained))
            twice += sum(count - 1 for count in chained.values())
            lost += sum(one != other for one, other in zip(session["micrographs"], self._seen, strict=True))
            torn = sum(not self._is_whole(session, micrograph) for micrograph in session["micrographs"])
            named = {session.file(path) for record in session["micrographs"] for path in (record.path, record.metadata)}
            named |= {session.file(link.micrograph) for link in session["chain.accepted"]}
            files = {file for file in (self._path / "outputs").rglob("*") if file.is_file()}
            ended = sum(found.status != "success" for found in session.sets.values()) + (session.state != "finished")
            figures = {
                "items": len(wanted),
                "records": sum(len(found) for found in session.sets.values()),
                "lost": lost,
                "twice": twice,
                "torn": self._torn + torn,
                "strays": len(files - named),
                "failed": len({failure.key for failure in session.failures() if failure.final}),
                "unfinished": ended,
            }
        return Counter(figures)

    def _is_whole(self, session: Session, micrograph: Micrograph) -> bool:
        try:
            image, _ = read_mrc(session.file(micrograph.path))
            tables = read_star(session.file(micrograph.metadata or ""))
        except (OSError, EmlabError):
            return False
        return np.array_equal(image, self._microscope.sum_of(micrograph.key)) and bool(tables)
