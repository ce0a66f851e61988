"""What a session's database holds beside the records: runs, provenance, failures, events, commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Verdict = Literal["rejected", "restored", "noted"]
NOT_TAKEN: Final = "NotTaken"
"""The error of a file that should have been taken and was not."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A protocol with fixed parameters inside a session.

    Attributes
    ----------
    name
        Unique in the session.
    protocol
        The protocol's name.
    parameters
        Every parameter, defaults included.
    inputs
        Names of the sets that it consumes.
    outputs
        Names of the sets that it fills, by kind of record.
    digest
        SHA-256 of protocol, parameters and inputs.
    version
        The version of emlab that created the run.
    created_at
        Seconds since 1970-01-01 UTC.
    superseded_by
        Name of the run that replaced it when a parameter was changed; ``None`` if it is current.
    """

    name: str
    protocol: str
    parameters: dict[str, Any]
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    digest: str
    version: str
    created_at: float
    superseded_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch of a fold: the records numbered ``first`` up to, not including, ``stop`` of its input, and more.

    Attributes
    ----------
    run, key
        Which run; the key of the record that is made of it.
    restored
        Items that it also takes, in this order, because somebody restored them; they are not in its input.
    number
        Position among the session's batches, 1 for the first; 0 before it is recorded.
    """

    run: str
    key: str
    first: int
    stop: int
    restored: tuple[str, ...] = ()
    number: int = 0

    @property
    def size(self) -> int:
        """How many records it is made of."""
        return self.stop - self.first + len(self.restored)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a record came to be.

    Attributes
    ----------
    recorded_at
        Seconds since 1970-01-01 UTC.
    seconds, cpu_seconds
        What the item took.
    latency
        Seconds from the last input's arrival in the engine to the start in a worker; ``None`` where the
        item had to wait for a free worker.
    worker, device
        Which process did it, and on what: ``cpu`` or ``gpu:0``.
    attempt
        1 for the first.
    """

    recorded_at: float
    seconds: float | None = None
    cpu_seconds: float | None = None
    latency: float | None = None
    worker: str | None = None
    device: str | None = None
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An item that a run could not process.

    Attributes
    ----------
    number
        Position among the session's failures.
    run, key
        Which run, which item.
    attempt
        1 for the first.
    final
        Whether the engine has given up on it; false again once it is retried.
    error, message, traceback
        The exception's class, its message, and where it came from.
    at
        Seconds since 1970-01-01 UTC.
    """

    number: int
    run: str
    key: str
    attempt: int
    final: bool
    error: str
    message: str
    traceback: str
    at: float

    @property
    def can_be_retried(self) -> bool:
        """Whether it is a failed item that can be retried; a file that was never complete is not."""
        return self.final and self.error != NOT_TAKEN


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a person may want to know: an engine's start, a lost worker, a file that stalls.

    ``level`` is ``info``, ``warning`` or ``error``; ``run`` and ``key`` are set where it concerns one.
    """

    number: int
    at: float
    level: str
    message: str
    run: str | None = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A person's decision or note on an item; the newest verdict on an item counts.

    Attributes
    ----------
    number
        Position among the session's judgements.
    at
        Seconds since 1970-01-01 UTC.
    key
        The item.
    verdict
        ``rejected``; ``restored``: accepted whatever a limit says; ``noted``: no verdict.
    note, author
        The reason or remark; and who gave it.
    """

    number: int
    at: float
    key: str
    verdict: Verdict
    note: str
    author: str


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A person's acknowledgement of an alarm.

    Attributes
    ----------
    number
        Position among what the session was told.
    at
        Seconds since 1970-01-01 UTC.
    alarm, author
        The alarm's name, and who acknowledged it.
    """

    number: int
    at: float
    alarm: str
    author: str


@dataclass(frozen=True, kw_only=True)
class Retry:
    """A person's request to retry items that had failed in a run.

    Attributes
    ----------
    number
        Position among what the session was told.
    at
        Seconds since 1970-01-01 UTC.
    run, keys
        Which run, which items.
    author
        Who asked for it.
    """

    number: int
    at: float
    run: str
    keys: tuple[str, ...]
    author: str


@dataclass(frozen=True, kw_only=True)
class Away:
    """A disk or a server that a run's items wait for.

    Attributes
    ----------
    run, place
        Which run, and which folder it needs.
    since
        Seconds since 1970-01-01 UTC.
    """

    run: str
    place: str
    since: float


@dataclass(frozen=True, kw_only=True)
class Closing:
    """How a set ended, why and when: ``success``, ``stopped``, ``failed``, or ``superseded`` by another run."""

    status: str
    reason: str
    at: float


@dataclass(frozen=True, kw_only=True)
class SetFacts:
    """A set as the database knows it."""

    id: int
    name: str
    kind: str
    run: str
    closing: Closing | None = field(default=None)
