"""What an engine is doing now, and what waits for what: sentences for people."""

from __future__ import annotations

from dataclasses import replace

from emlab.engine.absence import Absence, Absences
from emlab.engine.backlog import Backlog, Progress
from emlab.engine.executors import Executor
from emlab.engine.pipeline import Stage
from emlab.monitors.words import counted


def explanation(
    backlog: Backlog, executor: Executor, state: str, now: float, blocked_until: float, absences: Absences
) -> list[str]:
    """Say what runs, and why what waits does.

    Parameters
    ----------
    state
        The session's.
    now, blocked_until
        Seconds of the machine's monotonic clock; a database that could not be written is tried again at
        ``blocked_until``.

    Returns
    -------
    list of str
        What concerns everything first, then a sentence per step and reason, in the order of the workflow.
    """
    if state == "finished":
        return ["Everything is done; the last report is being written."]
    said = []
    if state == "paused":
        said.append("The session is paused: nothing new starts until `emlab resume`.")
    if now < blocked_until:
        again = f"next attempt in {blocked_until - now:.0f} s"
        said.append(f"The database cannot be written; its disk may be full. Everything waits; {again}.")
    ready = any(progress.ready for progress in backlog.progress.values())
    running = any(progress.running for progress in backlog.progress.values())
    if ready and not running and not any(executor.free(accelerated=choice) for choice in (True, False)):
        said.append(f"No worker is free yet on {executor.describe()}.")
    release = backlog.next_release()
    for stage in backlog.stages.values():
        absence, progress = absences.get(stage.name), backlog.progress[stage.name]
        if absence is not None and progress.delayed:
            said.append(_of_absence(stage, progress.delayed, absence, max(0.0, absence.until - now)))
            progress = replace(progress, delayed=0)
        progress = replace(progress, waiting=progress.waiting - backlog.lost(stage))
        said += _of_stage(stage, progress, executor, max(0.0, (release or now) - now))
    return said or ["Nothing is waiting: the engine is looking for files."]


def _of_absence(stage: Stage, items: int, absence: Absence, seconds: float) -> str:
    again = f"next check in {seconds:.0f} s"
    return f"{stage.name}: {counted(items, 'item')} waiting until {absence.awaited}; {again}."


def _of_stage(stage: Stage, progress: Progress, executor: Executor, seconds: float) -> list[str]:
    said = []
    if progress.running:
        said.append(f"{stage.name}: {counted(progress.running, 'item')} running on {executor.describe()}.")
    if progress.ready:
        said.append(f"{stage.name}: {counted(progress.ready, 'item')} ready, waiting for a free worker.")
    if progress.waiting and stage.protocol.is_fold:
        said.append(f"{stage.name}: {counted(progress.waiting, 'item')} of {stage.inputs[0]} gathered for a batch.")
    elif progress.waiting:
        *others, last = stage.inputs
        both = "both" if len(others) == 1 else "all"
        inputs = f"{', '.join(others)} and {last}"
        said.append(f"{stage.name}: {counted(progress.waiting, 'item')} waiting until {inputs} are {both} there.")
    if progress.delayed:
        again = f"the next one in {seconds:.0f} s"
        said.append(f"{stage.name}: {counted(progress.delayed, 'item')} failed and will be retried, {again}.")
    return said
