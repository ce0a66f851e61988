"""What a session that goes on has still to do: its inputs less its outputs and what it gave up on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from emlab.engine.backlog import Backlog
from emlab.engine.pipeline import Stage
from emlab.engine.restoration import as_accepted, rejected_before, rejecting_sets, restored_keys, taken_in_batches
from emlab.model import Accepted, Record, Rejected
from emlab.sets import Batch, Catalogue, IncrementalSet, SetFacts
from emlab.sets.schema import from_row, record_columns


def restore(backlog: Backlog, catalogue: Catalogue, now: float) -> None:
    """Fill a new backlog from the session's database."""
    backlog.restored = restored_keys(catalogue)
    for stage in backlog.stages.values():
        restore_stage(backlog, catalogue, stage, now)


def restore_stage(backlog: Backlog, catalogue: Catalogue, stage: Stage, now: float) -> None:
    """Put what one stage has still to do into the backlog."""
    progress = backlog.progress[stage.name]
    progress.done = sum(_count(catalogue, name) for name in stage.outputs.values())
    progress.given_up = set(catalogue.given_up(stage.name))
    if stage.protocol.is_fold:
        _restore_fold(backlog, catalogue, stage, now)
        return
    for name in dict.fromkeys(stage.inputs):
        _offer_missing(backlog, catalogue, stage, name, now)


def offer_again(backlog: Backlog, catalogue: Catalogue, stage: Stage, keys: Collection[str], now: float) -> None:
    """Put items back that a stage had given up, and that were forgiven."""
    backlog.progress[stage.name].given_up.difference_update(keys)
    if stage.protocol.is_fold:
        _put_back(backlog, catalogue, stage, [batch for batch in _begun(catalogue, stage) if batch.key in keys])
        return
    for name in dict.fromkeys(stage.inputs):
        _offer_missing(backlog, catalogue, stage, name, now, keys)


def offer_restored(backlog: Backlog, catalogue: Catalogue, stage: Stage, keys: Collection[str], now: float) -> bool:
    """Put in line what a stage was not given because the step before decided against it; whether there is any."""
    if not (found := rejected_before(catalogue, stage.inputs, keys)):
        return False
    offer = _offer_restored if stage.protocol.is_fold else _offer_missing
    for name in dict.fromkeys(stage.inputs):
        offer(backlog, catalogue, stage, name, now, found)
    return True


def _restore_fold(backlog: Backlog, catalogue: Catalogue, stage: Stage, now: float) -> None:
    """Go on after the last batch; one that was begun, and is neither recorded nor given up, is begun again."""
    (name,) = stage.inputs
    sets = catalogue.sets()
    (made,) = (IncrementalSet(catalogue, sets[output]) for output in stage.outputs.values())
    begun = _begun(catalogue, stage)
    first = begun[-1].stop if begun else 0
    backlog.take_up(stage.name, len(begun), first, made[-1] if len(made) else None)
    settled = {*made.columns(("key",))["key"], *catalogue.given_up(stage.name)}
    _put_back(backlog, catalogue, stage, [batch for batch in begun if batch.key not in settled])
    for number, record in enumerate(IncrementalSet(catalogue, sets[name]).since(first), first):
        backlog.offer(stage, name, number, record, now)
    _offer_restored(backlog, catalogue, stage, name, now, backlog.restored)


def _begun(catalogue: Catalogue, stage: Stage) -> list[Batch]:
    return [batch for batch in catalogue.batches() if batch.run == stage.name]


def _put_back(backlog: Backlog, catalogue: Catalogue, stage: Stage, batches: Iterable[Batch]) -> None:
    (name,) = stage.inputs
    source = IncrementalSet(catalogue, catalogue.sets()[name])
    for batch in batches:
        restored = {record.key: record for _, record in _restored(catalogue, stage, name, batch.restored)}
        backlog.put_back(batch, (*source[batch.first : batch.stop], *map(restored.__getitem__, batch.restored)))


def _count(catalogue: Catalogue, name: str) -> int:
    facts = catalogue.sets()[name]
    (row,) = catalogue.rows(f"SELECT count(*) FROM {facts.kind} WHERE set_id = ?", (facts.id,))
    return int(row[0])


def _offer_missing(
    backlog: Backlog, catalogue: Catalogue, stage: Stage, name: str, now: float, keys: Collection[str] | None = None
) -> None:
    """Offer what one input has and no output; of these items only, where they are named."""
    sets = catalogue.sets()
    made = set(stage.outputs.values())
    # What a step before decided against, with a record in another of its sets, never comes, but by hand.
    runs = {sets[taken].run for taken in stage.inputs}
    # The arrivals belong to the run that takes them in, which does not make them.
    made_there = [set(run.outputs.values()) - set(run.inputs) for run in catalogue.runs() if run.name in runs]
    instead = set().union(*made_there) - set(stage.inputs)
    restored = backlog.restored
    for number, record in _missing(catalogue, stage, name, made, keys, instead, restored):
        backlog.offer(stage, name, number, record, now)
    _offer_restored(backlog, catalogue, stage, name, now, restored if keys is None else restored.intersection(keys))


def _offer_restored(
    backlog: Backlog, catalogue: Catalogue, stage: Stage, name: str, now: float, keys: Collection[str]
) -> None:
    """Offer those of the items that one input lacks because somebody had to restore them."""
    new = set(keys) - taken_in_batches(catalogue, stage.name)
    for number, record in _restored(catalogue, stage, name, new, set(stage.outputs.values())):
        backlog.offer(stage, name, number, record, now, is_restored=True)


def _restored(
    catalogue: Catalogue, stage: Stage, name: str, keys: Collection[str], made: Collection[str] = ()
) -> Iterator[tuple[int, Accepted]]:
    """Give those of the items that none of ``made`` has and that were rejected, as if they had been accepted."""
    for other in rejecting_sets(catalogue, name) if keys else ():
        for number, record in _missing(catalogue, stage, other, {name, *made}, keys):
            assert isinstance(record, Rejected)  # noqa: S101
            yield number, as_accepted(record)


def _missing(
    catalogue: Catalogue,
    stage: Stage,
    name: str,
    made: set[str],
    keys: Collection[str] | None,
    instead: Collection[str] = (),
    restored: Collection[str] = (),
) -> Iterator[tuple[int, Record]]:
    """Give numbers and records of a set that none of ``made`` has, and of ``instead`` only items that are restored."""
    sets = catalogue.sets()
    source = sets[name]
    done = " ".join(f"AND NOT {_is_in(sets[other])}" for other in sorted(made))
    done += " ".join(
        f" AND (NOT {_is_in(sets[other])} OR i.key IN (SELECT value FROM json_each(?)))" for other in sorted(instead)
    )
    named = "" if keys is None else "AND i.key IN (SELECT value FROM json_each(?))"
    columns = ", ".join(f"i.{column}" for column in record_columns(source.kind))
    rows = catalogue.rows(
        f"SELECT i.number, {columns} FROM {source.kind} i WHERE i.set_id = ? {done}"
        " AND NOT EXISTS (SELECT 1 FROM failure f JOIN run r ON r.id = f.run_id"
        f" WHERE r.name = ? AND f.key = i.key AND f.final) {named} ORDER BY i.number",
        (
            source.id,
            *[json.dumps(sorted(restored)) for _ in instead],
            stage.name,
            *([] if keys is None else [json.dumps(list(keys))]),
        ),
    )
    for number, *row in rows:
        yield number, from_row(source.kind, tuple(row))


def _is_in(facts: SetFacts) -> str:
    return f"EXISTS (SELECT 1 FROM {facts.kind} o WHERE o.set_id = {facts.id} AND o.key = i.key)"
