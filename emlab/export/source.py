"""What is exported: the sets of one line of a session, joined by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from emlab.errors import SessionError
from emlab.model import Accepted, Ctf, Micrograph, Movie, Particles, Picks
from emlab.sets import Batch, IncrementalSet, Judgement, Run, lineage, verdicts


class Recorded(Protocol):
    """The part of a session that exports read; the session itself lies in a layer above."""

    @property
    def runs(self) -> Sequence[Run]:
        """Every run, in the order of the workflow."""

    @property
    def sets(self) -> Mapping[str, IncrementalSet]:
        """Every set by its name."""

    def batches(self, since: int = 0) -> Sequence[Batch]:
        """Which records went into each batch of a fold."""

    def judgements(self, since: int = 0) -> Sequence[Judgement]:
        """What people decided and noted."""

    @property
    def path(self) -> Path:
        """The session's folder."""


def line_of(session: Recorded, name: str | None = None) -> dict[str, IncrementalSet]:
    """Give the sets to export, by their kind.

    Parameters
    ----------
    name
        Of the last of them; by default that of the newest particles, else picks, accepted ones, CTFs, micrographs.

    Raises
    ------
    SessionError
        If the session has none.
    """
    sets, runs = session.sets, session.runs
    line = lineage(sets, runs, name)
    if name is not None:
        # What was made of the set that was named.
        for kind in (Picks.kind, Particles.kind):
            for made in (one for one in sets.values() if one.kind == kind):
                if name in {before.name for before in lineage(sets, runs, made.name).values()}:
                    line[kind] = made
    if Micrograph.kind not in line:
        raise SessionError(f"{name or 'The session'} has no micrographs; there are: {', '.join(session.sets)}.")
    return line


def exported_table(
    line: Mapping[str, IncrementalSet], judgements: Sequence[Judgement] = (), *, every: bool = False
) -> pd.DataFrame:
    """Give one row per micrograph, in the order in which they were recorded, with the item's name as index.

    The micrograph's own columns, ``number`` in its set, ``movie_pixel_size`` (Å, its own where there is no movie),
    and the CTF's as ``ctf_…``, nan where there is none.

    Parameters
    ----------
    judgements
        What people decided, which stands whatever the limits say.
    every
        Whether micrographs that were not accepted are in it too.
    """
    table = line[Micrograph.kind].to_dataframe().reset_index().set_index("key")
    if Accepted.kind in line and not every:
        decided = {**dict.fromkeys(line[Accepted.kind].columns(("key",))["key"], "accepted"), **verdicts(judgements)}
        table = table[table.index.isin([key for key, verdict in decided.items() if verdict != "rejected"])]
    table["movie_pixel_size"] = table["pixel_size"]
    if Movie.kind in line:
        movies = line[Movie.kind].to_dataframe(columns=["key", "pixel_size"]).set_index("key")
        table["movie_pixel_size"] = movies["pixel_size"].reindex(table.index).fillna(table["pixel_size"])
    if Ctf.kind in line:
        ctfs = line[Ctf.kind].to_dataframe().set_index("key").add_prefix("ctf_")
        table = table.join(ctfs)
    return table
