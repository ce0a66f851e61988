"""What a session that goes on has still to do: its inputs less its outputs and what it gave up on."""

from __future__ import annotations

from emlab.engine.backlog import Backlog
from emlab.engine.pipeline import Stage
from emlab.sets import Catalogue, IncrementalSet
from emlab.sets.schema import from_row, record_columns


def restore(backlog: Backlog, catalogue: Catalogue, now: float) -> None:
    """Fill a new backlog from the session's database."""
    for stage in backlog.stages.values():
        restore_stage(backlog, catalogue, stage, now)


def restore_stage(backlog: Backlog, catalogue: Catalogue, stage: Stage, now: float) -> None:
    """Put what one stage has still to do into the backlog."""
    progress = backlog.progress[stage.name]
    progress.done = sum(_count(catalogue, name) for name in stage.outputs.values())
    progress.failed = _given_up(catalogue, stage)
    if stage.protocol.is_fold:
        _restore_fold(backlog, catalogue, stage, now)
        return
    for name in dict.fromkeys(stage.inputs):
        _offer_missing(backlog, catalogue, stage, name, now)


def _restore_fold(backlog: Backlog, catalogue: Catalogue, stage: Stage, now: float) -> None:
    """Go on after the last batch; one that was begun, and is neither recorded nor given up, is begun again."""
    (name,) = stage.inputs
    sets = catalogue.sets()
    (made,) = (IncrementalSet(catalogue, sets[output]) for output in stage.outputs.values())
    begun = [batch for batch in catalogue.batches() if batch.run == stage.name]
    done, failed = len(made), backlog.progress[stage.name].failed
    backlog.take_up(stage.name, done + failed, made[-1] if done else None)
    source = IncrementalSet(catalogue, sets[name])
    for batch in begun[done + failed :]:
        backlog.begin(batch, tuple(source[batch.first : batch.stop]), now)
    first = begun[-1].stop if begun else 0
    for number, record in enumerate(source.since(first), first):
        backlog.offer(stage, name, number, record, now)


def _count(catalogue: Catalogue, name: str) -> int:
    facts = catalogue.sets()[name]
    (row,) = catalogue.rows(f"SELECT count(*) FROM {facts.kind} WHERE set_id = ?", (facts.id,))
    return int(row[0])


def _given_up(catalogue: Catalogue, stage: Stage) -> int:
    (row,) = catalogue.rows(
        "SELECT count(DISTINCT key) FROM failure f JOIN run r ON r.id = f.run_id WHERE r.name = ? AND final",
        (stage.name,),
    )
    return int(row[0])


def _offer_missing(backlog: Backlog, catalogue: Catalogue, stage: Stage, name: str, now: float) -> None:
    sets = catalogue.sets()
    source = sets[name]
    made = set(stage.outputs.values())
    # What a step before decided against, with a record in another of its sets, never comes.
    runs = {sets[taken].run for taken in stage.inputs}
    # The arrivals belong to the run that takes them in, which does not make them.
    made_there = [set(run.outputs.values()) - set(run.inputs) for run in catalogue.runs() if run.name in runs]
    instead = set().union(*made_there) - set(stage.inputs)
    done = " ".join(
        f"AND NOT EXISTS (SELECT 1 FROM {sets[other].kind} o WHERE o.set_id = {sets[other].id} AND o.key = i.key)"
        for other in sorted(made | instead)
    )
    columns = ", ".join(f"i.{column}" for column in record_columns(source.kind))
    rows = catalogue.rows(
        f"SELECT i.number, {columns} FROM {source.kind} i WHERE i.set_id = ? {done}"
        " AND NOT EXISTS (SELECT 1 FROM failure f JOIN run r ON r.id = f.run_id"
        " WHERE r.name = ? AND f.key = i.key AND f.final) ORDER BY i.number",
        (source.id, stage.name),
    )
    for number, *row in rows:
        backlog.offer(stage, name, number, from_row(source.kind, tuple(row)), now)
