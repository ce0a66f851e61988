"""The micrograph that everything shows: click a point anywhere, and it is that one everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emlab.monitors import Items


class Focus:
    """One item of a session, chosen by a person; or the newest that has been through everything so far.

    Attributes
    ----------
    row
        Of `emlab.monitors.Items`; ``None`` while there is none.
    follows
        Whether it goes on to the newest.
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._listeners: list[Callable[[], None]] = []
        self.row: int | None = None
        self.follows = True

    @property
    def key(self) -> str:
        """The name of the item that a person has chosen; empty while the newest is followed."""
        return "" if self.follows or self.row is None else self._items.keys[self.row]

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a person has chosen another one."""
        self._listeners.append(listener)

    def update(self) -> None:
        """Go to the newest, unless another one was chosen."""
        if self.follows:
            self.row = self._newest()

    def choose(self, row: int) -> None:
        """Show an item, and stay with it."""
        if not 0 <= row < len(self._items):
            return
        self.follows, self.row = False, row
        self._tell()

    def follow(self) -> None:
        """Show the newest one from now on."""
        self.follows = True
        self.update()
        self._tell()

    def beside(self, step: int) -> int | None:
        """The item that was acquired next to this one: before it for a step of -1, after it for 1."""
        if self.row is None:
            return None
        time, rows = step * self._items.time, step * np.arange(len(self._items))
        beyond = (time > time[self.row]) | ((time == time[self.row]) & (rows > rows[self.row]))
        if not beyond.any():
            return None
        nearest = np.flatnonzero(beyond & (time == time[beyond].min()))
        return int(nearest[rows[nearest].argmin()])

    def step(self, step: int) -> None:
        """Go to the item that was acquired before or after."""
        if (row := self.beside(step)) is not None:
            self.choose(row)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _newest(self) -> int | None:
        for kind in ("ctf", "micrograph", "movie"):
            numbers = self._items[kind]
            if np.isfinite(numbers).any():
                return int(np.nanargmax(numbers))
        return None
