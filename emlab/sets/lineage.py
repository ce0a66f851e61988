"""Which sets a set was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emlab.errors import SessionError
from emlab.model import Accepted, Classes, Ctf, Micrograph, Particles, Picks
from emlab.sets.entries import Run
from emlab.sets.incremental_set import IncrementalSet

_LAST_FIRST = (Classes.kind, Particles.kind, Picks.kind, Accepted.kind, Ctf.kind, Micrograph.kind)


def lineage(
    sets: Mapping[str, IncrementalSet], runs: Sequence[Run], name: str | None = None
) -> dict[str, IncrementalSet]:
    """Give a set and those that it was made of, with what their runs made besides, by kind of record.

    Parameters
    ----------
    name
        Of the set; by default the newest of 2D classes, else of particles, picks, accepted ones, CTFs, micrographs,
        else any.

    Raises
    ------
    SessionError
        If there is no set of that name.
    """
    if name is not None and name not in sets:
        raise SessionError(f"The session has no set {name!r}; it has: {', '.join(sets)}.")
    newest = {collection.kind: collection.name for collection in sets.values()}
    chosen = [newest[kind] for kind in (*_LAST_FIRST, *newest) if kind in newest]
    by_name = {run.name: run for run in runs}
    found: dict[str, IncrementalSet] = {}
    waiting = [name] if name is not None else chosen[:1]
    while waiting:
        run = by_name[sets[waiting.pop(0)].run]
        for made in run.outputs.values():
            found.setdefault(sets[made].kind, sets[made])
        waiting += [source for source in run.inputs if sets[source].run != run.name]
    return found
