"""An append-only, numbered sequence of records that grows while one reads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from emlab.errors import ParameterError
from emlab.model import Record
from emlab.sets import schema
from emlab.sets.catalogue import Catalogue
from emlab.sets.entries import Closing, SetFacts
from emlab.sets.nudge import Nudge

if TYPE_CHECKING:
    import pandas as pd

BATCH = 1000
"""Records that `IncrementalSet.follow` reads at once."""


class IncrementalSet(Sequence[Record]):
    """A growing set of records, read from the session's database on every access.

    ``len``, indices and slices work as for a list; `since` and `follow` give what is new, at a cost that
    grows with what is new and not with the size of the set.

    Examples
    --------
    >>> ctfs = session["ctfs"]                                  # doctest: +SKIP
    >>> len(ctfs), ctfs[-1].defocus_u                           # doctest: +SKIP
    >>> for ctf in ctfs.follow():                               # doctest: +SKIP
    ...     print(ctf.key, ctf.ctf_resolution)
    """

    def __init__(self, catalogue: Catalogue, facts: SetFacts) -> None:
        self._catalogue = catalogue
        self._id = facts.id
        self._columns = catalogue.selection(facts.kind, schema.record_columns(facts.kind))
        self.name = facts.name
        self.kind = facts.kind
        self.run = facts.run

    def __len__(self) -> int:
        """How many records there are now."""
        (row,) = self._catalogue.rows(
            f"SELECT coalesce(max(number) + 1, 0) FROM {self.kind} WHERE set_id = ?",
            (self._id,),
        )
        return int(row[0])

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        """The record, or the list of records, at an index or a slice."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step < 0:
                return [self[number] for number in range(start, stop, step)]
            return self._read(start, stop)[::step]
        number = index if index >= 0 else len(self) + index
        found = self._read(number, number + 1) if number >= 0 else []
        if not found:
            raise IndexError(f"{self.name}[{index}]: there are {len(self)} records")
        return found[0]

    def since(self, number: int) -> list[Record]:
        """The records numbered ``number`` and up: what is new to a reader who has seen that many."""
        return self._read(number, None)

    def get(self, key: str) -> Record | None:
        """The record of an item, or ``None`` when it has none yet."""
        rows = self._catalogue.rows(
            f"SELECT {self._columns} FROM {self.kind} WHERE set_id = ? AND key = ?",
            (self._id, key),
        )
        return schema.from_row(self.kind, rows[0]) if rows else None

    def follow(self, start: int = 0, timeout: float | None = None) -> Iterator[Record]:
        """Each record from number ``start`` on, waiting for the next; ends when the set is closed.

        Parameters
        ----------
        timeout
            Seconds without a new record after which it gives up.

        Raises
        ------
        TimeoutError
            When it gives up.
        """
        nudge = Nudge(self._catalogue)
        deadline = _deadline(timeout)
        try:
            while True:
                closed = not self.is_open
                batch = self._read(start, start + BATCH)
                yield from batch
                start += len(batch)
                if batch:
                    deadline = _deadline(timeout)
                elif closed:
                    return
                elif time.monotonic() > deadline:
                    raise TimeoutError(f"{self.name}: nothing new for {timeout:g} s, and the set is still open")
                else:
                    nudge.wait(min(1.0, max(0.0, deadline - time.monotonic())))
        finally:
            nudge.close()

    async def follow_async(self, start: int = 0) -> AsyncIterator[Record]:
        """Like `follow`, without blocking the event loop."""
        nudge = Nudge(self._catalogue)
        try:
            while True:
                closed = not self.is_open
                batch = self._read(start, start + BATCH)
                for record in batch:
                    yield record
                start += len(batch)
                if not batch:
                    if closed:
                        return
                    await asyncio.to_thread(nudge.wait, 1.0)
        finally:
            nudge.close()

    def to_dataframe(self, since: int = 0, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The set as a table: one row per record, one column per field, and how each record came to be.

        Parameters
        ----------
        since
            First number wanted.
        columns
            Which columns; all by default. ``number`` is the index.

        Raises
        ------
        ParameterError
            For a column that is not there.
        """
        import pandas as pd

        hints = self._hints()
        wanted = list(hints) if columns is None else list(columns)
        read = self.columns(wanted, since)
        frame = pd.DataFrame({name: read[name] for name in ("number", *wanted)}).set_index("number")
        for name in wanted:
            if hints[name] is float or schema.PROVENANCE.get(name) == "REAL":
                frame[name] = frame[name].astype(float)
        return frame

    def columns(self, columns: Sequence[str], since: int = 0) -> dict[str, list[Any]]:
        """Some columns as lists, and ``number``: for readers that look often, at a tenth of a table's cost.

        Parameters
        ----------
        columns
            Which ones.
        since
            First number wanted.

        Raises
        ------
        ParameterError
            For a column that is not there.
        """
        hints = self._hints()
        if unknown := [name for name in columns if name not in hints]:
            raise ParameterError(f"{self.name} has no column {', '.join(unknown)}; there are: {', '.join(hints)}.")
        selected = self._catalogue.selection(self.kind, ("number", *columns))
        rows = self._catalogue.rows(
            f"SELECT {selected} FROM {self.kind} WHERE set_id = ? AND number >= ? ORDER BY number",
            (self._id, since),
        )
        read = dict(zip(("number", *columns), map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
        for name in columns:
            hint = hints[name]
            if hint is bool or hint == tuple[float, ...]:
                read[name] = [schema.from_column(value, hint) for value in read.get(name, ())]
        return {name: read.get(name, []) for name in ("number", *columns)}

    def _hints(self) -> dict[str, object]:
        return {**schema.record_columns(self.kind), **dict.fromkeys(schema.PROVENANCE)}

    @property
    def closing(self) -> Closing | None:
        """How the set ended; ``None`` while it is open."""
        return self._catalogue.sets()[self.name].closing

    @property
    def is_open(self) -> bool:
        """Whether more records may come."""
        return self.closing is None

    @property
    def status(self) -> str | None:
        """``success``, ``stopped`` or ``failed``; ``None`` while the set is open."""
        return self.closing.status if self.closing else None

    @property
    def reason(self) -> str | None:
        """Why the set ended; ``None`` while it is open."""
        return self.closing.reason if self.closing else None

    def __repr__(self) -> str:
        state = "open" if (closing := self.closing) is None else f"closed: {closing.status}, {closing.reason}"
        return f"<{self.name}: {len(self):,} records of kind {self.kind}, {state}>"

    def _read(self, start: int, stop: int | None) -> list[Record]:
        rows = self._catalogue.rows(
            f"SELECT {self._columns} FROM {self.kind} WHERE set_id = ? AND number >= ? AND number < ? ORDER BY number",
            (self._id, start, stop if stop is not None else 2**62),
        )
        return [schema.from_row(self.kind, row) for row in rows]


def _deadline(timeout: float | None) -> float:
    return float("inf") if timeout is None else time.monotonic() + timeout
