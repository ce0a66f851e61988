"""The engine: the one process that owns a session while it runs."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from emlab.engine.absence import Absences
from emlab.engine.adoption import Adoption
from emlab.engine.backlog import Backlog
from emlab.engine.chores import Chore, Housekeeping
from emlab.engine.commands import Commands
from emlab.engine.control import ControlServer
from emlab.engine.executors import Executor
from emlab.engine.explanation import explanation
from emlab.engine.harvest import Harvest, Running
from emlab.engine.lock import SessionLock
from emlab.engine.mount import journal_mode
from emlab.engine.pipeline import current_stages, stages_of_runs
from emlab.engine.reception import Reception
from emlab.engine.recovery import restore
from emlab.engine.scribe import Scribe
from emlab.engine.task import Task
from emlab.errors import SessionBusy, SessionError, SessionMissing
from emlab.formats.atomic import sweep
from emlab.protocols import PROTOCOLS
from emlab.sets import Catalogue, Ledger
from emlab.sets.salvage import check_database

DISK_RETRY = 5.0
"""Seconds between attempts to write to a database that takes nothing, because its disk is full, say."""
TIME_LIMIT = 1800.0
"""Seconds that an item may take before its process is killed."""
GRACE = 10.0
"""Seconds that running items are given when the session is stopped."""
IDLE = 1.0
"""Seconds after which the engine looks around even when nothing happened."""


class Engine:
    """Watches, schedules and records, until every set of the session is closed.

    Whatever wakes it (an outcome, a file, a command, a clock), it records the outcomes, sends out the items
    that became ready, and only then makes the records durable: an item's successor does not wait for the
    disk, and cannot be recorded before it.

    Parameters
    ----------
    folder
        The session's.
    executor
        Where items are computed; made once the session's lock is held.
    chores
        Commands to run beside, such as writing the report.
    watch
        Whether more files are taken in; without, what has come is processed.
    time_limit
        Seconds that an item may take before its process is killed.

    Raises
    ------
    SessionBusy
        If another engine owns the session.
    SessionDamaged
        If its database is broken.
    """

    def __init__(
        self,
        folder: Path,
        executor: Callable[[], Executor],
        chores: Sequence[Chore] = (),
        *,
        watch: bool = True,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._folder = folder
        self._time_limit = time_limit
        database = folder / "session.db"
        self._lock = SessionLock(folder)
        try:
            check_database(database)
        except BaseException:
            self._lock.release()
            raise
        self._ledger = Ledger(database, journal_mode(folder))
        self._catalogue = Catalogue(database)
        runs = self._catalogue.runs()
        self._stages = current_stages(runs, stages_of_runs(runs, PROTOCOLS))
        self._successors = {run.name: run.superseded_by for run in runs if run.superseded_by is not None}
        self._backlog = Backlog(self._stages)
        sources = [stage for stage in self._stages if stage.protocol.is_source]
        closed = () if watch else [stage.inputs[0] for stage in sources]
        self._scribe = Scribe(self._ledger, {name for stage in self._stages for name in stage.kinds}.difference(closed))
        self._blocked_until = 0.0
        self._absences = Absences()
        self._places = tuple(str(stage.values["folder"]) for stage in sources)
        self._harvest = Harvest(folder, self._backlog, self._scribe, self._absences)
        self._running: dict[tuple[str, str], Running] = {}
        self._stopping: float | None = None
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._executor = executor()
        self._reception = Reception(sources if watch else (), self._catalogue, self._scribe, self._backlog, self._bell)
        self._commands = Commands(
            self._scribe,
            Adoption(
                self._catalogue,
                self._ledger,
                self._backlog,
                self._scribe,
                self._stages,
                self._successors,
                self._write_out,
            ),
            self._reception,
            commit=lambda: self._commit(time.monotonic()),
            explain=self._explain,
            stop=self.stop,
            is_stopping=lambda: self._stopping is not None,
        )
        self._control = ControlServer(folder, self._commands.answer)
        self._housekeeping = Housekeeping(chores, folder / "engine.log")

    def run(self) -> None:
        """Run until the session is finished or stopped."""
        try:
            self._begin()
            while self._scribe.state in {"running", "paused"} or (self._scribe.is_behind and self._stopping is None):
                self._turn(self._wait())
            self._finish_chores()
        except (SessionBusy, SessionMissing):
            raise  # the session is another engine's, or nobody's: nothing more is written to it
        except Exception as error:
            self._scribe.testify(f"The engine crashed; `emlab resume` continues. {type(error).__name__}: {error}")
            raise
        finally:
            self._close()

    def stop(self) -> None:
        """Have `run` return soon, with what is running now given a moment to finish; safe in a signal handler."""
        self._stopping = self._stopping or time.monotonic() + GRACE
        os.eventfd_write(self._bell, 1)

    def _begin(self) -> None:
        sweep(self._folder / "outputs")
        resumed = self._catalogue.meta("state") != "created"
        restore(self._backlog, self._catalogue, time.monotonic())
        self._scribe.reopen_sets()
        for name, facts in self._catalogue.sets().items():
            if facts.run in self._successors and facts.closing is None:
                self._supersede(name, facts.run)
        self._scribe.set_state("running")
        self._scribe.set_away([])
        self._scribe.note("info", f"{'Resumed' if resumed else 'Started'} on {self._executor.describe()}.")
        self._commit(time.monotonic())
        self._reception.start()

    def _wait(self) -> float:
        """Sleep until something happens, and give the time."""
        now = time.monotonic()
        alarms = [
            now + IDLE,
            max(self._scribe.due, self._blocked_until),
            *self._reception.next_looks(),
        ]
        if (release := self._backlog.next_release()) is not None:
            alarms.append(release)
        if self._blocked_until > now:
            alarms.append(self._blocked_until)
        timeout = max(0.0, min(alarms) - now)
        select.select([*self._executor.waitables(), self._control.fileno(), self._bell], [], [], timeout)
        with suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        return time.monotonic()

    def _turn(self, now: float) -> None:
        self._lock.beat(now)
        for outcome in self._executor.collect():
            self._harvest.take(self._running.pop((outcome.task.run, outcome.task.key)), outcome, now)
        for complaint in self._executor.complaints():
            self._scribe.note("warning", complaint)
        self._reception.take(now)
        self._control.attend()
        self._backlog.release(now)
        self._dispatch(now)
        self._close_sets(now)
        self._commit(now)
        for complaint in self._housekeeping.attend(now, self._scribe.recorded):
            self._scribe.note("warning", complaint)
        if self._stopping is None or self._scribe.state == "finished":
            return
        if not self._running or now > self._stopping:
            self._stop_now()

    def _dispatch(self, now: float) -> None:
        # A batch is recorded before what is made of it, so that a restart makes it of the same records.
        for batch in self._backlog.gather(self._scribe.open_sets, now):
            self._scribe.begin(batch)
        if self._scribe.state != "running" or self._stopping is not None or now < self._blocked_until:
            return
        while True:
            item = self._backlog.pop([choice for choice in (True, False) if self._executor.free(accelerated=choice)])
            if item is None:
                return
            stage = item.stage
            if (until := self._absences.hold(stage.name, now)) is not None:
                self._backlog.delay(item, until)
                continue
            task = Task(
                run=stage.name,
                key=item.key,
                protocol=stage.protocol.name,
                parameters=stage.values,
                records=item.records,
                root=str(self._folder),
                folder=f"outputs/{stage.name}/{item.shard:03d}",
                attempt=item.attempt,
                time_limit=self._time_limit,
                before=item.before,
                sources=self._places,
            )
            self._running[task.run, task.key] = Running(item, prompt=item.ready_at == now and item.attempt == 1)
            prefer = self._harvest.makers.pop(item.key, None)
            self._executor.submit(task, accelerated=item.accelerated, prefer=prefer)

    def _close_sets(self, now: float) -> None:
        """Close what can get nothing more: a source's arrivals at its end, then each stage in turn."""
        self._reception.close_ended(now)
        for stage in self._stages:
            progress = self._backlog.progress[stage.name]
            names = set(stage.outputs.values()) & self._scribe.open_sets
            if not names or not progress.is_idle:
                continue
            if stage.name in self._backlog.retired:
                for name in sorted(names):
                    self._supersede(name, stage.name)
                self._harvest.retire(stage.name, now)
            elif not self._scribe.open_sets & set(stage.inputs):
                if stage.protocol.is_fold and progress.waiting:
                    self._dispatch(now)  # the last batch: its set has just been closed
                    continue
                failed = f", {len(progress.given_up):,} failed" if progress.given_up else ""
                for name in sorted(names):
                    self._scribe.close_set(name, "success", f"{progress.done:,} items done{failed}")
        if not self._scribe.open_sets and self._scribe.state == "running":
            self._scribe.set_state("finished")
            self._scribe.note("info", "Finished: every item is accounted for.")

    def _supersede(self, name: str, run: str) -> None:
        self._scribe.close_set(name, "superseded", f"superseded by the run {self._successors[run]}")

    def _commit(self, now: float, *, at_once: bool = False) -> None:
        """Make what happened durable, and tell everyone; a disk that is full is waited for."""
        if now < self._blocked_until:
            return
        before = self._scribe.recorded
        if not self._scribe.commit(at_once=at_once):
            self._blocked_until = now + DISK_RETRY
        elif self._scribe.recorded > before:
            self._control.nudge()

    def _explain(self) -> list[str]:
        now, state = time.monotonic(), self._scribe.state
        return explanation(self._backlog, self._executor, state, now, self._blocked_until, self._absences)

    def _write_out(self) -> None:
        """Make everything durable, so that what is read next is all there is."""
        self._commit(time.monotonic(), at_once=True)
        if self._scribe.is_behind:
            raise SessionError(
                f"The session's database cannot be written now ({self._scribe.refusals}), so nothing was changed. "
                "Free some space if its disk is full, and try again."
            )

    def _stop_now(self) -> None:
        for name in sorted(self._scribe.open_sets):
            self._scribe.close_set(name, "stopped", "stopped by the user; `emlab resume` continues")
        self._scribe.set_state("stopped")
        self._scribe.note("info", "Stopped before everything was done.")
        self._blocked_until = 0.0
        self._commit(time.monotonic())

    def _finish_chores(self) -> None:
        """Run each chore a last time, now that nothing more is recorded."""
        self._commit(time.monotonic())
        while True:
            for complaint in self._housekeeping.attend(time.monotonic(), self._scribe.recorded, last=True):
                self._scribe.note("warning", complaint)
            if not self._housekeeping.is_busy:
                break
            select.select([self._control.fileno()], [], [], 0.1)
            self._lock.beat(time.monotonic())
            self._control.attend()
        self._commit(time.monotonic())

    def _close(self) -> None:
        self._reception.close()
        self._executor.close()
        self._housekeeping.close()
        self._control.close()
        self._catalogue.close()
        self._ledger.close()
        os.close(self._bell)
        self._lock.release()
