"""Items that go on because somebody says so, whatever the step said that decided against them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from emlab.model import Accepted, Rejected
from emlab.sets import Catalogue, IncrementalSet, verdicts


def restored_keys(catalogue: Catalogue) -> set[str]:
    """Items whose newest verdict is that they go on."""
    return {key for key, verdict in verdicts(catalogue.judgements()).items() if verdict == "restored"}


def as_accepted(record: Rejected) -> Accepted:
    """What the steps behind a selection get of an item that goes on; it is in none of the sets."""
    return Accepted(
        key=record.key, acquired_at=record.acquired_at, micrograph=record.micrograph, reason="Restored by hand."
    )


def rejecting_sets(catalogue: Catalogue, name: str) -> list[str]:
    """The sets that the run that makes ``name``, a set of accepted items, puts others into."""
    facts = catalogue.sets()
    if facts[name].kind != Accepted.kind:
        return []
    return [other for other, told in facts.items() if told.run == facts[name].run and told.kind == Rejected.kind]


def rejected_before(catalogue: Catalogue, inputs: Iterable[str], keys: Collection[str]) -> list[str]:
    """Those of the items that one of the inputs of a step lacks because the step before decided against them."""
    sets = [other for name in inputs for other in rejecting_sets(catalogue, name)]
    return [key for key in keys if _is_in(catalogue, sets, key)]


def taken_in_batches(catalogue: Catalogue, run: str) -> set[str]:
    """Those of them that went into a batch of a fold."""
    return {key for batch in catalogue.batches() if batch.run == run for key in batch.restored}


def have_more_to_do(catalogue: Catalogue, keys: Collection[str]) -> bool:
    """Whether a step that stands has yet to take one of these items, which are restored."""
    return any(
        not _is_in(catalogue, run.outputs.values(), key)
        for run in catalogue.runs()
        if run.superseded_by is None
        for key in set(rejected_before(catalogue, run.inputs, keys)).difference(
            taken_in_batches(catalogue, run.name), catalogue.given_up(run.name)
        )
    )


def _is_in(catalogue: Catalogue, names: Iterable[str], key: str) -> bool:
    facts = catalogue.sets()
    return any(IncrementalSet(catalogue, facts[name]).get(key) is not None for name in names)
