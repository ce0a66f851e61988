"""What is exported: the sets of one line of a session, joined by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from emlab.errors import SessionError
from emlab.model import Accepted, Ctf, Micrograph, Movie
from emlab.sets import IncrementalSet, Run

_LAST_FIRST = (Accepted.kind, Ctf.kind, Micrograph.kind)


class Recorded(Protocol):
    """The part of a session that exports read; the session itself lies in a layer above."""

    @property
    def runs(self) -> Sequence[Run]:
        """Every run, in the order of the workflow."""

    @property
    def sets(self) -> Mapping[str, IncrementalSet]:
        """Every set by its name."""

    @property
    def path(self) -> Path:
        """The session's folder."""


def line_of(session: Recorded, name: str | None = None) -> dict[str, IncrementalSet]:
    """Give a set and those that it was made of, by their kind.

    Parameters
    ----------
    name
        Of the set; by default the last that holds accepted micrographs, else CTFs, else micrographs.

    Raises
    ------
    SessionError
        If the session has none.
    """
    sets, runs = session.sets, {run.name: run for run in session.runs}
    if name is not None and name not in sets:
        raise SessionError(f"The session has no set {name!r}; it has: {', '.join(sets)}.")
    last = {collection.kind: collection.name for collection in sets.values()}
    start = name or next((last[kind] for kind in _LAST_FIRST if kind in last), None)
    if start is None:
        raise SessionError(f"The session makes no micrographs; it has the sets: {', '.join(sets)}.")
    line: dict[str, IncrementalSet] = {}
    waiting = [start]
    while waiting:
        collection = sets[waiting.pop(0)]
        if collection.kind not in line:
            line[collection.kind] = collection
            waiting += [made_of for made_of in runs[collection.run].inputs if made_of != collection.name]
    if Micrograph.kind not in line:
        raise SessionError(f"The set {start} was not made of micrographs; choose another.")
    return line


def exported_table(line: Mapping[str, IncrementalSet], *, every: bool = False) -> pd.DataFrame:
    """Give one row per micrograph, in the order in which they were recorded, with the item's name as index.

    The micrograph's own columns, ``number`` in its set, ``movie_pixel_size`` (Å, its own where there is no movie),
    and the CTF's as ``ctf_…``, nan where there is none.

    Parameters
    ----------
    every
        Whether micrographs that were not accepted are in it too.
    """
    table = line[Micrograph.kind].to_dataframe().reset_index().set_index("key")
    if Accepted.kind in line and not every:
        accepted = line[Accepted.kind].to_dataframe(columns=["key"])["key"]
        table = table[table.index.isin(accepted)]
    table["movie_pixel_size"] = table["pixel_size"]
    if Movie.kind in line:
        movies = line[Movie.kind].to_dataframe(columns=["key", "pixel_size"]).set_index("key")
        table["movie_pixel_size"] = movies["pixel_size"].reindex(table.index).fillna(table["pixel_size"])
    if Ctf.kind in line:
        ctfs = line[Ctf.kind].to_dataframe().set_index("key").add_prefix("ctf_")
        table = table.join(ctfs)
    return table
