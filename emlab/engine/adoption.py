"""What a person asks of a session that runs: a step with other parameters, or what was given up tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from emlab.engine.backlog import Backlog
from emlab.engine.pipeline import Stage
from emlab.engine.recovery import offer_again, offer_restored, restore_stage
from emlab.engine.retrial import record_retrials, retrials
from emlab.engine.revision import record_revisions, revised
from emlab.engine.scribe import Scribe
from emlab.sets import Catalogue, Ledger


class Adoption:
    """Changes of a session that runs; see `emlab.engine.amendment` for one that does not.

    Parameters
    ----------
    catalogue, ledger, backlog, scribe
        The engine's.
    stages, successors
        The engine's, which grow by those of new runs: by name, the run that takes a run's place.
    write_out
        Makes everything durable that was recorded, so that what is read next is all there is.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        ledger: Ledger,
        backlog: Backlog,
        scribe: Scribe,
        stages: list[Stage],
        successors: dict[str, str],
        write_out: Callable[[], None],
    ) -> None:
        self._catalogue, self._ledger, self._backlog, self._scribe = catalogue, ledger, backlog, scribe
        self._stages, self._successors, self._write_out = stages, successors, write_out

    def change(self, step: str, changes: dict[str, Any]) -> list[str]:
        """Give a step other parameters: it is done anew, and so are the steps that build on it."""
        revisions = revised(self._catalogue, step, changes)
        self._write_out()
        record_revisions(self._ledger, revisions)
        for revision in revisions:
            self._backlog.retire(revision.old.name)
            self._successors[revision.old.name] = revision.new.name
            self._stages.append(revision.new)
            self._backlog.adopt(revision.new)
            self._scribe.adopt_sets(revision.new.kinds)
            restore_stage(self._backlog, self._catalogue, revision.new, time.monotonic())
        names = [revision.new.name for revision in revisions]
        self._scribe.note(
            "info", f"{step} has new parameters. It and the steps that build on it run again: {', '.join(names)}."
        )
        return names

    def retry(self, step: str | None, keys: Sequence[str], author: str) -> int:
        """Offer again what was given up, open the sets again that this may come to, and say how much it is."""
        self._write_out()
        found = retrials(self._catalogue, step, keys)
        record_retrials(self._ledger, found, author)
        growing: set[str] = set()
        given_up = {retrial.run: retrial.keys for retrial in found}
        for stage in self._stages:
            if stage.name in self._backlog.retired:
                continue
            if stage.name in given_up:
                offer_again(self._backlog, self._catalogue, stage, given_up[stage.name], time.monotonic())
            if stage.name in given_up or growing.intersection(stage.inputs):
                growing.update(stage.outputs.values())
        self._scribe.reopen_sets(growing)
        return sum(map(len, given_up.values()))

    def let_go_on(self, keys: Sequence[str]) -> None:
        """Offer items to the steps behind the one that decided against them, and open the sets that this may come to.

        Each is offered once, however often it is restored.
        """
        new = set(keys) - self._backlog.restored
        self._write_out()
        self._backlog.restored |= new
        growing: set[str] = set()
        for stage in self._stages:
            if stage.name in self._backlog.retired:
                continue
            is_offered = offer_restored(self._backlog, self._catalogue, stage, new, time.monotonic())
            if is_offered or growing.intersection(stage.inputs):
                growing.update(stage.outputs.values())
        self._scribe.reopen_sets(growing)
