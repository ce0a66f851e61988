"""One of several ways through a session: the sets of chosen runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emlab.monitors.watched import Watched
from emlab.sets import Away, Batch, Event, Failure, IncrementalSet, Judgement, Retry, Run, lineage


class Line:
    """A session as if only the runs that led to one set were in it, for monitors to read.

    Parameters
    ----------
    session
        What is read.
    end
        The set; by default that of the newest particles, else picks, accepted micrographs, CTFs, micrographs.

    Attributes
    ----------
    session
        What is read.
    runs
        Those that led to the set, in the order of the workflow.

    Raises
    ------
    SessionError
        If the session has no set of that name.
    """

    def __init__(self, session: Watched, end: str | None = None) -> None:
        self.session = session
        self._names = [collection.name for collection in lineage(session.sets, session.runs, end).values()]
        told = {session.sets[name].run for name in self._names}
        self.runs: Sequence[Run] = [run for run in session.runs if run.name in told]

    @property
    def state(self) -> str:
        """The session's."""
        return self.session.state

    @property
    def sets(self) -> Mapping[str, IncrementalSet]:
        """The sets of the line by their names."""
        sets = self.session.sets
        return {name: sets[name] for name in self._names}

    @property
    def away(self) -> Sequence[Away]:
        """The disks and servers that items of the line's runs wait for."""
        names = {run.name for run in self.runs}
        return [away for away in self.session.away if away.run in names]

    def batches(self, since: int = 0) -> Sequence[Batch]:
        """Batches of the line's runs."""
        names = {run.name for run in self.runs}
        return [batch for batch in self.session.batches(since) if batch.run in names]

    def retries(self, since: int = 0) -> Sequence[Retry]:
        """What was tried again of the line's runs."""
        names = {run.name for run in self.runs}
        return [retry for retry in self.session.retries(since) if retry.run in names]

    def failures(self, since: int = 0) -> Sequence[Failure]:
        """Failures of the line's runs."""
        names = {run.name for run in self.runs}
        return [failure for failure in self.session.failures(since) if failure.run in names]

    def events(self, since: int = 0) -> Sequence[Event]:
        """The session's events."""
        return self.session.events(since)

    def judgements(self, since: int = 0) -> Sequence[Judgement]:
        """What people decided and noted."""
        return self.session.judgements(since)
