"""Sessions: create one, start its engine, look at its sets; what notebooks and the command line call."""

from __future__ import annotations

import getpass
import os
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from emlab.engine.control import send_command
from emlab.engine.launch import launch_engine
from emlab.engine.lock import SessionLock, is_locked
from emlab.engine.options import EngineOptions
from emlab.errors import EngineUnreachable, ParameterError, SessionBusy, SessionError, SessionMissing
from emlab.model import RECORDS, validated
from emlab.model.watched import WatchedFolder
from emlab.sets import (
    Acknowledgement,
    Away,
    Batch,
    Catalogue,
    Event,
    Failure,
    IncrementalSet,
    Judgement,
    Nudge,
    Retry,
    Run,
    Verdict,
    verdicts,
)
from emlab.sets.unfinished import is_unfinished, take_back

# What protocols need to compute takes seconds to import: methods import it, so that whoever only looks is spared.
if TYPE_CHECKING:
    from emlab.export import Exported
    from emlab.workflow import Workflow

DATABASE = "session.db"


class Session:
    """One folder with its database, outputs, notebooks and report, opened read-only and live.

    Anyone who may read the folder can open it, while it runs or years later. Only its owner can use the verbs that
    change something (`start`, `pause`, `resume`, `stop`); they go to its engine.

    Examples
    --------
    >>> session = emlab.open_session("sessions/2026-11-22")      # doctest: +SKIP
    >>> session["micrographs"].to_dataframe()                    # doctest: +SKIP
    """

    def __init__(self, path: Path) -> None:
        database = path / DATABASE
        if not database.is_file():
            raise SessionMissing(_missing(path))
        self.path = path
        if is_unfinished(database) and os.access(path, os.W_OK) and not is_locked(path):
            _take_back(path)
        self.catalogue = Catalogue(database)
        self._nudge: Nudge | None = None

    @property
    def name(self) -> str:
        """The folder's name, unless another name was given."""
        return self.catalogue.meta("name") or self.path.name

    @property
    def uuid(self) -> str:
        """The session's identity, which stays the same wherever its folder goes."""
        return self.catalogue.meta("uuid") or ""

    @property
    def created_at(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return float(self.catalogue.meta("created_at") or 0)

    @property
    def version(self) -> str:
        """The version of emlab that created the session."""
        return self.catalogue.meta("version") or ""

    @property
    def workflow(self) -> Workflow:
        """The workflow, with its fields filled."""
        from emlab.workflow import parse_workflow

        return parse_workflow(self.catalogue.meta("workflow") or "{}", str(self.path))

    @property
    def state(self) -> str:
        """``created``, ``running``, ``paused``, ``stopped``, ``finished``, or ``crashed``.

        Crashed means that the engine ended without recording it; `start` continues where it was.
        """
        state = self.catalogue.meta("state") or "created"
        if state in {"running", "paused"} and not self.is_running:
            # It may have ended as it should between the two looks; what it then wrote is there by now.
            state = self.catalogue.meta("state") or "created"
            return "crashed" if state in {"running", "paused"} else state
        return state

    @property
    def is_running(self) -> bool:
        """Whether an engine owns the session now."""
        return is_locked(self.path)

    @property
    def runs(self) -> list[Run]:
        """Every run, in the order of the workflow."""
        return self.catalogue.runs()

    @property
    def watched(self) -> list[WatchedFolder]:
        """The folders that the session takes files from."""
        # The kernels of pages only look: they are spared the numerics, which take seconds to import.
        from emlab.engine.pipeline import stages_of_runs
        from emlab.protocols import PROTOCOLS

        stages = stages_of_runs(self.runs, PROTOCOLS)
        return [stage.parameters for stage in stages if isinstance(stage.parameters, WatchedFolder)]

    @property
    def sets(self) -> dict[str, IncrementalSet]:
        """Every incremental set by its name."""
        return {name: IncrementalSet(self.catalogue, facts) for name, facts in self.catalogue.sets().items()}

    @property
    def away(self) -> list[Away]:
        """The disks and servers that items wait for, while an engine runs."""
        return self.catalogue.away() if self.is_running else []

    @property
    def engine_cpu(self) -> float:
        """CPU seconds of the engine's process since its last start."""
        return float(self.catalogue.meta("engine_cpu") or 0)

    def __getitem__(self, name: str) -> IncrementalSet:
        """An incremental set: ``"ctfs"`` is that of the newest run that makes CTFs, ``"ctf.ctfs"`` that of one run.

        Raises
        ------
        SessionError
            If the session has none of that name.
        """
        sets = self.catalogue.sets()
        run, _, plural = name.rpartition(".")
        found = [facts for facts in sets.values() if RECORDS[facts.kind].plural == plural and run in ("", facts.run)]
        if not found and name not in sets:
            raise SessionError(f"{self.name} has no set {name!r}; it has: {', '.join(sets)}.")
        return IncrementalSet(self.catalogue, found[-1] if found else sets[name])

    def batches(self, since: int = 0) -> list[Batch]:
        """Which records went into each batch of a fold, batches numbered ``since`` and up; the first has number 1."""
        return self.catalogue.batches(since)

    def failures(self, since: int = 0) -> list[Failure]:
        """Failures numbered ``since`` and up; the first has number 1."""
        return self.catalogue.failures(since)

    def events(self, since: int = 0) -> list[Event]:
        """Events numbered ``since`` and up; the first has number 1."""
        return self.catalogue.events(since)

    def judgements(self, since: int = 0) -> list[Judgement]:
        """People's decisions and notes, numbered ``since`` and up; the first has number 1."""
        return self.catalogue.judgements(since)

    def acknowledgements(self, since: int = 0) -> list[Acknowledgement]:
        """Acknowledged alarms, numbered ``since`` and up."""
        return self.catalogue.acknowledgements(since)

    def retries(self, since: int = 0) -> list[Retry]:
        """Retries that somebody asked for, numbered ``since`` and up."""
        return self.catalogue.retries(since)

    def accepted_keys(self) -> list[str]:
        """Keys of the accepted items, in the order of selection.

        These are the items within the limits, except those rejected by hand, and the items restored by hand.
        """
        by_hand = verdicts(self.judgements())
        keys: dict[str, None] = {}
        for name, passed in (("accepted", "accepted"), ("rejected", "rejected")):
            for key in self[name].to_dataframe(columns=["key"])["key"]:
                if by_hand.get(key, passed) in ("accepted", "restored"):
                    keys[key] = None
        return list(keys)

    def file(self, relative: str) -> Path:
        """Path of an output that a record names.

        Raises
        ------
        SessionError
            If it is not inside the session's folder.
        """
        path = (self.path / relative).resolve()
        if not path.is_relative_to(self.path.resolve()):
            raise SessionError(f"{relative!r} lies outside the session's folder {self.path}.")
        return path

    def wait(self, timeout: float = 1.0) -> bool:
        """Wait until something is recorded; ``False`` if nothing is within ``timeout`` seconds."""
        self._nudge = self._nudge or Nudge(self.catalogue)
        return self._nudge.wait(timeout)

    def start(
        self,
        *,
        workers: int | None = None,
        gpus: str | None = None,
        executor: str | None = None,
        time_limit: float | None = None,
        report_every: float | None = None,
        watch: bool = True,
    ) -> None:
        """Start the session's engine, which outlives this process; or continue a paused session.

        Options that are not given stay as they were at the last start. A running engine keeps the options it was
        started with, and a warning names those that differ.

        Parameters
        ----------
        workers
            Number of CPU worker processes; 0, the initial default, for as many as fit the machine.
        gpus
            GPU indices, separated by commas; ``""`` for none; ``"all"`` is the initial default.
        executor
            Where items are computed: ``local`` (this machine, the initial default), ``dask``,
            ``dask://host:port``, ``slurm`` …
        time_limit
            Seconds an item may take before its process is killed and it is retried; initially 1800.
        report_every
            Least seconds between reports; 0 for no reports; initially 60.
        watch
            Whether to take more files; if not, only files that have come already are processed.

        Raises
        ------
        ParameterError
            If one of these cannot be used.
        SessionError
            If the engine does not start; the message has the end of its log.
        """
        said = {
            "workers": workers,
            "gpus": gpus,
            "executor": executor,
            "time_limit": time_limit,
            "report_every": report_every,
        }
        options = validated(EngineOptions, said, "The engine's options")
        if self.is_running:
            # One that is just ending answers no more; the next waits a moment for its lock.
            with suppress(EngineUnreachable):
                send_command(self.path, "resume")
                if unheeded := options.unheeded(self.path):
                    warnings.warn(unheeded, stacklevel=2)
                return
        launch_engine(self.path, options, watch=watch)

    def pause(self) -> None:
        """Start no more items; running items finish, and the folder is still watched."""
        send_command(self.path, "pause")

    def resume(self) -> None:
        """Continue after a pause, a stop or a crash."""
        self.start()

    def explain(self) -> list[str]:
        """Sentences on what the engine is doing and what waits for what; empty if no engine answers."""
        try:
            return list(send_command(self.path, "explain")["now"])
        except EngineUnreachable:
            return []

    def stop(self, *, now: bool = False) -> None:
        """Take no more files, finish those that came, and end; or end at once and leave the rest for `resume`."""
        send_command(self.path, "stop", now=now)

    def reject(self, keys: str | Sequence[str], reason: str = "") -> None:
        """Reject items by hand, whatever the limits say.

        They count as rejected in tables, exports and reports. What was made from them stays in its sets, and their
        particles stay in the classes; steps that have not reached them yet still process them.

        Raises
        ------
        SessionError
            If the session has no such item.
        """
        self._judge(keys, "rejected", reason)

    def restore(self, keys: str | Sequence[str], reason: str = "") -> bool:
        """Accept items by hand, whatever the limits say.

        They count as accepted in tables, exports and reports, and the steps behind the selection take them: particles
        are picked, cut out and classified. The set of accepted items stays what the limits made it. A session that was
        finished is started, to do this and no more; one that was stopped does it when it is resumed.

        Returns
        -------
        bool
            Whether a step has yet to take them.

        Raises
        ------
        SessionError
            If the session has no such item.
        """
        was_finished = self.state == "finished"
        self._judge(keys, "restored", reason)
        from emlab.engine.restoration import have_more_to_do

        more = have_more_to_do(self.catalogue, [keys] if isinstance(keys, str) else keys)
        if was_finished and more:
            self.start(watch=False)
        return more

    def annotate(self, keys: str | Sequence[str], note: str) -> None:
        """Add a note to items.

        Raises
        ------
        SessionError
            If the session has no such item.
        """
        self._judge(keys, "noted", note)

    def acknowledge(self, alarm: str) -> None:
        """Acknowledge an alarm: every page of the session is silent about it until it occurs again."""
        from emlab.engine.amendment import acknowledge

        acknowledge(self.path, alarm, getpass.getuser())

    def change(self, step: str, **parameters: Any) -> list[str]:
        """Repeat a step, and those that build on it, with other parameters; gives the names of the new runs.

        The runs that were stay, with what they made; they take nothing more. A session that was finished is started,
        to do this and no more; one that was stopped does it when it is resumed.

        Examples
        --------
        >>> session.change("select", max_ctf_resolution=5.0)        # doctest: +SKIP
        ['select-2']

        Raises
        ------
        SessionError, ParameterError
            If there is no such step or parameter, or nothing would change.
        """
        was_finished = self.state == "finished"
        from emlab.engine.amendment import change

        runs = change(self.path, step, parameters)
        if was_finished:
            self.start(watch=False)
        return runs

    def retry(self, step: str | None = None, keys: str | Sequence[str] = ()) -> int:
        """Retry failed items, for example after an outage that outlasted the engine's patience.

        A session that was finished is started, to do this and no more; one that was stopped does it when it is
        resumed. Who asked for it is recorded; what had failed before stays on record.

        Parameters
        ----------
        step
            Only items that failed in this step.
        keys
            Only these items.

        Returns
        -------
        int
            How many items are retried. Files that were never complete are not among them: `resume` looks at those.

        Raises
        ------
        SessionError
            If there is no such step, or an item has not failed in it.
        """
        was_finished = self.state == "finished"
        from emlab.engine.amendment import retry

        found = retry(self.path, step, [keys] if isinstance(keys, str) else list(keys), getpass.getuser())
        if was_finished and found:
            self.start(watch=False)
        return found

    def report(
        self, *, template: str | os.PathLike[str] | None = None, compare: str | os.PathLike[str] | None = None
    ) -> Path:
        """Write the report and give its path; needs ``emlab[app]``.

        Parameters
        ----------
        template
            A folder with a logo, a style or a notebook of your own, see `emlab.report.read_look`.
        compare
            Another session to show beside this one, in a separate report.
        """
        from emlab.report import write_report

        return write_report(self.path, template=template, compare=compare)

    def publish(self, page: Path, targets: Sequence[str] | None = None) -> list[str]:
        """Copy a report to its publishing targets, and give its addresses there.

        Parameters
        ----------
        targets
            See `emlab.report.publish`; by default the session's own, which `configure_report` sets.

        Raises
        ------
        ParameterError, ProgramError
            If a target cannot be used or reached.
        """
        from emlab.report import publish, read_settings

        chosen = read_settings(self.path).publish if targets is None else targets
        return [publish(page, target, self.path.name) for target in chosen]

    def configure_report(
        self, *, template: str | os.PathLike[str] | None = None, publish: Sequence[str] | None = None
    ) -> None:
        """Set how reports are made and where they are copied to from now on; what is not given stays.

        Raises
        ------
        ParameterError
            If the template or a target cannot be used.
        """
        from emlab.report import change_settings

        change_settings(self.path, template, publish)

    def export(self, folder: str | os.PathLike[str] | None = None, to: str = "relion", **options: Any) -> Exported:
        """Write the accepted micrographs and their particles for another program: STAR files for RELION.

        Parameters
        ----------
        folder
            The folder to write; by default one named after the program, in the session's folder.
        to
            The program: ``relion``.
        **options
            See `emlab.export.write_relion`.

        Raises
        ------
        ParameterError
            If emlab does not know the program.
        SessionError
            If there is nothing to export.
        """
        from emlab.export import EXPORTS

        if to not in EXPORTS:
            raise ParameterError(f"emlab cannot export to {to}; it can export to: {', '.join(EXPORTS)}.")
        return EXPORTS[to](self, Path(folder) if folder is not None else None, **options)

    def close(self) -> None:
        """Close this view of the session; the engine keeps running."""
        if self._nudge is not None:
            self._nudge.close()
        self.catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(records):,} {name}" for name, records in self.sets.items())
        return f"<session {self.name}, {self.state}: {counts}>"

    def _judge(self, keys: str | Sequence[str], verdict: Verdict, note: str) -> None:
        wanted = [keys] if isinstance(keys, str) else list(keys)
        sets = self.sets.values()
        if unknown := [key for key in wanted if not any(records.get(key) for records in sets)]:
            raise SessionError(
                f"{self.name} has no item {', '.join(unknown)}; items are named by the key of their record."
            )
        from emlab.engine.amendment import judge

        judge(self.path, wanted, verdict, note, getpass.getuser())


def open_session(path: str | os.PathLike[str]) -> Session:
    """Open a session to look at it, live.

    Raises
    ------
    SessionMissing
        If there is none.
    """
    return Session(Path(path).absolute())


def _take_back(path: Path) -> None:
    """Put the database right after an engine that was killed, unless the next one is about to."""
    try:
        lock = SessionLock(path)
    except SessionBusy:
        return
    try:
        take_back(path / DATABASE)
    finally:
        lock.release()


def _missing(path: Path) -> str:
    if not path.exists():
        return f"There is no {path}. `emlab create` makes a session."
    return f"{path} is not a session: it has no {DATABASE}. `emlab create` makes one in an empty folder."
