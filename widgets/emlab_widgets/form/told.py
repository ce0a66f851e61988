"""Who is to be told of a session's alarms, by the names in the address book."""

from __future__ import annotations

from pathlib import Path

from emlab.errors import ParameterError
from emlab.monitors.notices import address_book, addressees, choose, known


class Told:
    """Names to choose from; what stands behind them is secret, and stays in the book.

    Attributes
    ----------
    names
        Those that can be chosen.
    chosen
        Those that are.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.chosen: list[str] = []
        self._others = 0
        self._gone: list[str] = []
        self._trouble = ""
        try:
            self.names, self._others = known()
        except (ParameterError, OSError) as error:
            self._trouble = f"Alarms cannot be sent: {error}"

    def tell(self, name: str, *, is_told: bool) -> None:
        """Have somebody told, or not."""
        others = [other for other in self.chosen if other != name]
        self.chosen = sorted([*others, name]) if is_told else others

    def take(self, names: object) -> None:
        """Put those of another page or start in the places of all; who is not in the book any more is named."""
        given = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        self.chosen = sorted(set(given).intersection(self.names))
        self._gone = sorted(set(given).difference(self.names))

    def check(self) -> None:
        """Find out whether they can be told, before there is a session.

        Raises
        ------
        ParameterError, ProgramError
            See `emlab.monitors.notices.addressees`.
        """
        if self.chosen:
            addressees(self.chosen)

    def keep(self, session: Path) -> None:
        """Have them told of a session, as ``emlab start --notify`` does."""
        if self.chosen:
            choose(session, self.chosen)

    @property
    def trouble(self) -> str:
        """What is wrong; empty if nothing."""
        if self._trouble or not self._gone:
            return self._trouble
        return f"{', '.join(self._gone)}, chosen before, is no longer in {address_book()} and gets no alarms."

    @property
    def note(self) -> str:
        """Who is told besides, or where to say who is."""
        if self._others:
            more = " more" if self.names else ""
            many = f"{self._others}{more} addresses get" if self._others > 1 else f"One{more} address gets"
            return f"{many} the alarms of every session."
        if self.names or self._trouble:
            return ""
        return f"Alarms can be sent by mail or chat to the addresses in {address_book()}: see emlab notify --help."
