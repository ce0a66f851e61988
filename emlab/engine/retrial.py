"""Items that were given up, offered again because somebody asks for it: after an outage that outlasted patience."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from emlab.engine.pipeline import step_of
from emlab.errors import SessionError
from emlab.monitors.words import counted
from emlab.sets import NOT_TAKEN, Catalogue, Ledger


@dataclass(frozen=True)
class Retrial:
    """Items that a run gave up, in the order in which it did."""

    run: str
    keys: tuple[str, ...]


def retrials(catalogue: Catalogue, step: str | None = None, keys: Sequence[str] = ()) -> list[Retrial]:
    """Give what was given up and can be tried again, by run, in the order of the workflow.

    Files that were never whole are none of it: they are taken when they are, by an engine that watches.

    Parameters
    ----------
    step
        Only what this step gave up; its name, or that of its present run.
    keys
        Only these items; all by default.

    Raises
    ------
    SessionError
        If there is no such step, or it gave none of an item up.
    """
    runs = [run.name for run in catalogue.runs() if run.superseded_by is None]
    chosen = [run for run in runs if step in (None, run, step_of(run))]
    if not chosen:
        raise SessionError(f"There is no step {step!r}; there are: {', '.join(map(step_of, runs))}.")
    wanted = frozenset(keys)
    found = [Retrial(run, _given_up(catalogue, run, wanted)) for run in chosen]
    if missing := sorted(wanted.difference(*(retrial.keys for retrial in found))):
        raise SessionError(
            f"{step or 'The session'} has no failed item {', '.join(missing)}; `emlab status` lists the failed items."
        )
    return [retrial for retrial in found if retrial.keys]


def record_retrials(ledger: Ledger, found: Sequence[Retrial], author: str) -> None:
    """Make the decision durable: who tries what again."""
    with ledger.transaction():
        for retrial in found:
            for key in retrial.keys:
                ledger.forgive(retrial.run, key)
            ledger.add_event("info", f"{counted(len(retrial.keys), 'item')} retried by {author}.", retrial.run)
            ledger.add_command("retry", {"run": retrial.run, "keys": retrial.keys, "author": author})


def _given_up(catalogue: Catalogue, run: str, keys: Collection[str]) -> tuple[str, ...]:
    found = catalogue.given_up(run).items()
    return tuple(key for key, error in found if error != NOT_TAKEN and (not keys or key in keys))
