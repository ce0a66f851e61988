"""Doing one task: the protocol is called, and whatever it raises becomes trouble."""

from __future__ import annotations

import errno
import gc
import sqlite3
import sys
import time
import traceback
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from emlab.engine.fallback import CPU, Failure, Place, failure_of, places
from emlab.engine.reach import ALWAYS, BROKEN, place_away
from emlab.engine.task import Outcome, Task, Trouble
from emlab.engine.workbench import FolderWorkbench, Pantry
from emlab.errors import DataError, EmlabError, FileUnavailable, TruncatedFile
from emlab.model import Record
from emlab.protocols import PROTOCOLS
from emlab.sets import Provenance, schema

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
AWAY = {errno.EACCES, errno.ENOENT, errno.EPERM, *BROKEN, *ALWAYS}
"""What a file system says when its server, its disk or somebody's permission is away."""
_REASONS: Final[dict[Failure, str]] = {
    "starved": "The card has too little memory",
    "unfit": "The card cannot be used ({})",
    "broken": "The card failed ({})",
}


def perform(task: Task, worker: str, device: str = "cpu", pantry: Pantry | None = None) -> Outcome:
    """Do a task in this process and give its outcome; never raises for what the protocol raises.

    What a card cannot do is tried again where there is more memory, and on the CPU in the end.
    """
    started, cpu = time.monotonic(), time.process_time()
    attempt, reason, failure = _Attempt(CPU), "", None
    for place in places(device if PROTOCOLS[task.protocol].accelerated else "cpu"):
        if failure in {"unfit", "broken"} and place.on_card:
            continue
        attempt = _attempted(task, place, pantry)
        if attempt.failure:
            let_go(pantry)  # only now that the error, and all that its traceback held, is gone
        if attempt.trouble is None or not place.on_card or not attempt.failure:
            break
        failure = attempt.failure
        reason = _REASONS[failure].format(attempt.trouble.message)
    instead = (
        (", so frames were read from the computer's memory.") if attempt.place.on_card else ", so the CPU took over."
    )
    return Outcome(
        task=task,
        worker=worker,
        device=attempt.place.device,
        started=started,
        seconds=time.monotonic() - started,
        cpu_seconds=time.process_time() - cpu,
        record=attempt.record,
        trouble=attempt.trouble,
        remark=reason + instead if reason else "",
        spent=failure == "broken",
    )


@dataclass(frozen=True)
class _Attempt:
    """What became of a task in one place, and what that says of the place."""

    place: Place
    record: Record | None = None
    trouble: Trouble | None = None
    failure: Failure | None = None


def _attempted(task: Task, place: Place, pantry: Pantry | None) -> _Attempt:
    protocol = PROTOCOLS[task.protocol]
    try:
        parameters = protocol.parameters.model_validate(task.parameters)
        workbench = FolderWorkbench(Path(task.root), task.folder, task.key, place, pantry)
        given = (task.records, task.before) if protocol.is_fold else task.records
        record = protocol.function(*given, parameters, workbench)
        _check(record, task)
    except Exception as error:  # noqa: BLE001 (the one place where an item may fail in any way)
        trouble = to_trouble(error)
        if trouble.cause == "outage":
            trouble = replace(trouble, away=_place_away(error, task))
        return _Attempt(place, None, trouble, failure_of(error))
    return _Attempt(place, record)


def to_trouble(error: Exception) -> Trouble:
    """Say what an exception means for the item that raised it.

    emlab's own errors say what is wrong with the item, and would say so again; a file that may still be
    growing, the operating system and memory may do better the next time.
    """
    known = isinstance(error, EmlabError) and not isinstance(error, TruncatedFile | FileUnavailable)
    number = error.errno if isinstance(error, OSError) else None
    return Trouble(
        error=type(error).__name__,
        message=str(error) or type(error).__name__,
        traceback="".join(traceback.format_exception(error)),
        retry=not known,
        disk_full=number in DISK_FULL,
        cause="outage" if number in AWAY or isinstance(error, FileUnavailable) else "item",
    )


def _place_away(error: Exception, task: Task) -> str:
    """Which place is away, of those that the item's files lie in: all where the error does not name one."""
    named, number = (getattr(error, name, None) for name in ("filename", "errno"))
    read = (getattr(record, "path", "") for record in (*task.records, task.before))
    paths = [named] if isinstance(named, str) else [path for path in read if path]
    places = [Path(place) for place in (task.root, *task.sources)]
    found = (place_away(places[0] / path, places, number) for path in paths)
    return next(filter(None, found), "")


def let_go(pantry: Pantry | None) -> None:
    """Give back the memory that is kept between tasks, the card's too, so that the next attempt finds all of it."""
    if pantry is not None:
        pantry.empty()
    gc.collect()  # an error and the frames of its traceback may hold each other, and the arrays in them
    if cupy := sys.modules.get("cupy"):
        with suppress(RuntimeError):  # of a card that is no more
            cupy.fft.config.get_plan_cache().clear()
            cupy.get_default_memory_pool().free_all_blocks()
            cupy.get_default_pinned_memory_pool().free_all_blocks()  # the computer's, of frames that were lent


def _check(record: Record, task: Task) -> None:
    kinds = PROTOCOLS[task.protocol].produces
    if not isinstance(record, kinds) or record.key != task.key:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{task.protocol} returned {record!r}; expected a {wanted} of the item {task.key!r}")
    try:
        _rehearse(record)
    except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{task.protocol} returned {record!r}, which cannot be recorded: {error}.") from error


def _rehearse(record: Record) -> None:
    """Write a record to a database of nobody's: what is refused must fail here, as the item, and not the engine."""
    with closing(sqlite3.connect(":memory:")) as trial:
        trial.execute(schema.create_table(record.kind))
        trial.execute(schema.insert_row(record.kind), schema.to_row(0, 0, record, Provenance(recorded_at=0.0)))
