"""Doing one task: the protocol is called, and whatever it raises becomes trouble."""

from __future__ import annotations

import errno
import sqlite3
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

from emlab.engine.task import Outcome, Task, Trouble
from emlab.engine.workbench import FolderWorkbench, Pantry
from emlab.errors import DataError, EmlabError, FileUnavailable, TruncatedFile
from emlab.model import Record
from emlab.protocols import PROTOCOLS
from emlab.sets import Provenance, schema

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
AWAY = {
    errno.EACCES, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.EIO, errno.ENODEV, errno.ENOENT, errno.ENOTCONN,
    errno.ENXIO, errno.EPERM, errno.EREMOTEIO, errno.EROFS, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip
"""What a file system says when its server, its disk or somebody's permission is away."""


def perform(task: Task, worker: str, device: str = "cpu", pantry: Pantry | None = None) -> Outcome:
    """Do a task in this process and give its outcome; never raises for what the protocol raises."""
    started, cpu = time.monotonic(), time.process_time()
    record: Record | None = None
    trouble: Trouble | None = None
    starved = False
    protocol = PROTOCOLS[task.protocol]
    on = device if protocol.accelerated else "cpu"
    try:
        parameters = protocol.parameters.model_validate(task.parameters)
        workbench = FolderWorkbench(Path(task.root), task.folder, task.key, on.partition(":")[0], pantry)
        given = (task.records, task.before) if protocol.is_fold else task.records
        record = protocol.function(*given, parameters, workbench)
        _check(record, task)
    except Exception as error:  # noqa: BLE001 (the one place where an item may fail in any way)
        trouble = to_trouble(error)
        starved = isinstance(error, MemoryError)
    if starved:
        _let_go(pantry)  # only now that the error, and all that its traceback held, is gone
    return Outcome(
        task=task,
        worker=worker,
        device=on,
        started=started,
        seconds=time.monotonic() - started,
        cpu_seconds=time.process_time() - cpu,
        record=record if trouble is None else None,
        trouble=trouble,
    )


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
        outage=number in AWAY or isinstance(error, FileUnavailable),
    )


def _let_go(pantry: Pantry | None) -> None:
    """Give back the memory that is kept between tasks, the card's too, so that the next attempt finds all of it."""
    if pantry is not None:
        pantry.empty()
    if cupy := sys.modules.get("cupy"):
        cupy.get_default_memory_pool().free_all_blocks()


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
