"""The engine: the one process that owns a session while it runs."""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emlab.engine.backlog import ATTEMPTS, Backlog, Item
from emlab.engine.chores import Chore, Housekeeping
from emlab.engine.control import ControlServer
from emlab.engine.executors import Executor
from emlab.engine.intake import Intake, is_lost
from emlab.engine.lock import SessionLock
from emlab.engine.mount import journal_mode
from emlab.engine.pipeline import Stage, stages_of_runs
from emlab.engine.recovery import restore
from emlab.engine.scribe import Scribe
from emlab.engine.task import Outcome, Task, Trouble
from emlab.engine.watcher import Report
from emlab.formats.atomic import sweep
from emlab.model import Arrival
from emlab.protocols import PROTOCOLS
from emlab.sets import Catalogue, Ledger, Provenance

RETRY_AFTER = 2.0
"""Seconds before the second attempt; doubled for each further one."""
DISK_RETRY = 5.0
"""Seconds between looks at a full disk."""
GRACE = 10.0
"""Seconds that running items are given when the session is stopped."""
IDLE = 1.0
"""Seconds after which the engine looks around even when nothing happened."""

log = logging.getLogger(__name__)


@dataclass
class _Running:
    item: Item
    prompt: bool


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

    Raises
    ------
    SessionBusy
        If another engine owns the session.
    """

    def __init__(self, folder: Path, executor: Callable[[], Executor], chores: Sequence[Chore] = ()) -> None:
        self._folder = folder
        self._lock = SessionLock(folder)
        database = folder / "session.db"
        self._ledger = Ledger(database, journal_mode(folder))
        self._catalogue = Catalogue(database)
        self._stages = stages_of_runs(self._catalogue.runs(), PROTOCOLS)
        self._backlog = Backlog(self._stages)
        self._scribe = Scribe(self._ledger, {name for stage in self._stages for name in stage.kinds})
        self._blocked_until = 0.0
        self._running: dict[tuple[str, str], _Running] = {}
        self._makers: dict[str, str] = {}
        self._stopping: float | None = None
        self._bell = os.eventfd(0, os.EFD_NONBLOCK)
        self._executor = executor()
        self._control = ControlServer(self._catalogue.meta("uuid") or "", self._answer)
        self._housekeeping = Housekeeping(chores, folder / "engine.log")
        self._given_up = {stage.name: self._keys_given_up(stage) for stage in self._stages}
        self._intakes = [self._intake(stage) for stage in self._stages if stage.protocol.is_source]

    def run(self) -> None:
        """Run until the session is finished or stopped."""
        try:
            self._begin()
            while self._scribe.state in {"running", "paused"} or (self._scribe.is_behind and self._stopping is None):
                self._turn(self._wait())
            self._finish_chores()
        except Exception as error:
            self._scribe.testify(f"The engine broke down; `emlab resume` goes on. {type(error).__name__}: {error}")
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
        self._scribe.set_state("running")
        self._scribe.note("info", f"{'Resumed' if resumed else 'Started'} on {self._executor.describe()}.")
        self._commit(time.monotonic())
        for intake in self._intakes:
            intake.start()

    def _wait(self) -> float:
        """Sleep until something happens, and give the time."""
        now = time.monotonic()
        alarms = [
            now + IDLE,
            max(self._scribe.due, self._blocked_until),
            *(intake.next_look() for intake in self._intakes),
        ]
        if (release := self._backlog.next_release()) is not None:
            alarms.append(release)
        if self._blocked_until > now:
            alarms.append(self._blocked_until)
        timeout = max(0.0, min(alarms) - now)
        select.select([*self._executor.waitables(), self._control.fileno(), self._bell], [], [], timeout)
        return time.monotonic()

    def _turn(self, now: float) -> None:
        for outcome in self._executor.collect():
            self._take_outcome(outcome, now)
        for complaint in self._executor.complaints():
            self._scribe.note("warning", complaint)
        self._take_arrivals(now)
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

    def _take_outcome(self, outcome: Outcome, now: float) -> None:
        task = outcome.task
        running = self._running.pop((task.run, task.key))
        stage = running.item.stage
        if outcome.trouble is not None:
            self._take_trouble(running.item, outcome.trouble, now)
            return
        record = outcome.record
        assert record is not None  # noqa: S101
        name = stage.outputs[record.kind]
        provenance = Provenance(
            recorded_at=time.time(),
            seconds=outcome.seconds,
            cpu_seconds=outcome.cpu_seconds,
            latency=outcome.started - running.item.ready_at if running.prompt else None,
            worker=outcome.worker,
            device=outcome.device,
            attempt=task.attempt,
        )
        self._backlog.finish(stage.name, failed=False)
        if self._backlog.is_consumed(name):
            self._makers[task.key] = outcome.worker
        self._backlog.add(name, self._scribe.append(name, record, provenance), record, now)

    def _take_trouble(self, item: Item, trouble: Trouble, now: float) -> None:
        run, key, attempt = item.stage.name, item.key, item.attempt
        if trouble.disk_full:
            self._scribe.note(
                "error", f"The disk is full: {trouble.message}. Items wait and are tried again.", run, key
            )
            self._blocked_until = now + DISK_RETRY
            self._backlog.delay(item, now + DISK_RETRY)
            return
        final = not trouble.retry or attempt >= ATTEMPTS
        log.warning("%s: %s failed (attempt %d%s): %s", run, key, attempt, ", final" * final, trouble.message)
        self._scribe.fail(run, key, trouble, attempt, final=final)
        if final:
            self._backlog.finish(run, failed=True)
        else:
            again = Item(item.stage, key, item.records, item.shard, item.ready_at, attempt + 1)
            self._backlog.delay(again, now + RETRY_AFTER * 2 ** (attempt - 1))

    def _take_arrivals(self, now: float) -> None:
        if not self._intakes:
            return
        with suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        for intake in self._intakes:
            if intake.stage.inputs[0] in self._scribe.open_sets:
                self._empty(intake, now)

    def _empty(self, intake: Intake, now: float) -> None:
        for came in intake.take(now):
            if isinstance(came, Arrival):
                self._take_arrival(intake.stage, came, now)
            else:
                self._take_report(intake.stage, came)

    def _take_arrival(self, stage: Stage, arrival: Arrival, now: float) -> None:
        name = stage.inputs[0]
        if arrival.key in self._given_up[stage.name]:
            self._given_up[stage.name].remove(arrival.key)
            self._backlog.progress[stage.name].failed -= 1
            self._scribe.forgive(stage.name, arrival.key)
        # A crash loses no arrival: the watcher finds the file again.
        number = self._scribe.append(name, arrival, Provenance(recorded_at=time.time()), at_leisure=True)
        self._backlog.add(name, number, arrival, now)

    def _take_report(self, stage: Stage, report: Report) -> None:
        if report.key is None or not is_lost(report):
            self._scribe.note("warning", report.message, stage.name, report.key)
        elif report.key not in self._given_up[stage.name]:
            self._given_up[stage.name].add(report.key)
            self._backlog.progress[stage.name].failed += 1
            self._scribe.fail(
                stage.name, report.key, Trouble("NotTaken", report.message, "", retry=False), 1, final=True
            )

    def _dispatch(self, now: float) -> None:
        if self._scribe.state != "running" or self._stopping is not None or now < self._blocked_until:
            return
        while True:
            item = self._backlog.pop([choice for choice in (True, False) if self._executor.free(accelerated=choice)])
            if item is None:
                return
            stage = item.stage
            task = Task(
                run=stage.name,
                key=item.key,
                protocol=stage.protocol.name,
                parameters=stage.values,
                records=item.records,
                root=str(self._folder),
                folder=f"outputs/{stage.name}/{item.shard:03d}",
                attempt=item.attempt,
            )
            self._running[task.run, task.key] = _Running(item, prompt=item.ready_at == now and item.attempt == 1)
            prefer = self._makers.pop(item.key, None)
            self._executor.submit(task, accelerated=item.accelerated, prefer=prefer)

    def _close_sets(self, now: float) -> None:
        """Close what can get nothing more: a source's arrivals at its end, then each stage in turn."""
        for intake in self._intakes:
            name = intake.stage.inputs[0]
            if name in self._scribe.open_sets and (reason := intake.ending(now)) is not None:
                left = intake.close()
                self._empty(intake, now)
                for report in left:
                    self._take_report(intake.stage, report)
                self._scribe.close_set(name, "success", reason)
        for stage in self._stages:
            progress = self._backlog.progress[stage.name]
            names = set(stage.outputs.values()) & self._scribe.open_sets
            if names and progress.is_idle and not self._scribe.open_sets & set(stage.inputs):
                failed = f", {progress.failed:,} failed" if progress.failed else ""
                for name in sorted(names):
                    self._scribe.close_set(name, "success", f"{progress.done:,} items done{failed}")
        if not self._scribe.open_sets and self._scribe.state == "running":
            self._scribe.set_state("finished")
            self._scribe.note("info", "Finished: every item is accounted for.")

    def _commit(self, now: float) -> None:
        """Make what happened durable, and tell everyone; a disk that is full is waited for."""
        if now < self._blocked_until:
            return
        before = self._scribe.recorded
        if not self._scribe.commit():
            self._blocked_until = now + DISK_RETRY
        elif self._scribe.recorded > before:
            self._control.nudge()

    def _answer(self, command: dict[str, Any]) -> dict[str, Any]:
        name = command.pop("command")
        is_over = self._stopping is not None or self._scribe.state not in {"running", "paused"}
        match name:
            case "ping":
                return {"state": self._scribe.state, "pid": os.getpid()}
            case "pause" | "resume" if is_over:
                return {"error": f"the engine is ending; {name} the session when it has, see `emlab status`"}
            case "stop" if command.get("now"):
                self.stop()
            case "stop" if is_over:
                return {"state": self._scribe.state}
            case "pause" | "resume":
                self._scribe.set_state("paused" if name == "pause" else "running")
            case "stop":
                self._scribe.set_state("running")
                for intake in self._intakes:
                    intake.end("ended by its owner")
            case _:
                return {"error": f"there is no command {name!r}; there are: ping, pause, resume, stop, subscribe"}
        self._scribe.note_command(name, command)
        self._commit(time.monotonic())
        return {"state": self._scribe.state}

    def _stop_now(self) -> None:
        for name in sorted(self._scribe.open_sets):
            self._scribe.close_set(name, "stopped", "stopped by its owner; `emlab resume` goes on")
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
            self._control.attend()
        self._commit(time.monotonic())

    def _close(self) -> None:
        for intake in self._intakes:
            intake.close()
        self._executor.close()
        self._housekeeping.close()
        self._control.close()
        self._catalogue.close()
        self._ledger.close()
        os.close(self._bell)
        self._lock.release()

    def _intake(self, stage: Stage) -> Intake:
        facts = self._catalogue.sets()[stage.inputs[0]]
        rows = self._catalogue.rows("SELECT path FROM arrival WHERE set_id = ?", (facts.id,))
        return Intake(stage, [path for (path,) in rows], self._bell)

    def _keys_given_up(self, stage: Stage) -> set[str]:
        rows = self._catalogue.rows(
            "SELECT DISTINCT key FROM failure f JOIN run r ON r.id = f.run_id WHERE r.name = ? AND final", (stage.name,)
        )
        return {key for (key,) in rows}
