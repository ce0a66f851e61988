"""One row per item: everything that the session knows about a micrograph, joined as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emlab.model import Record
from emlab.monitors.columns import Columns
from emlab.monitors.watched import Watched
from emlab.sets import IncrementalSet, Judgement

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Mapping[str, tuple[str, ...]] = {
    "movie": ("target_defocus", "stage_x", "stage_y"),
    "micrograph": (
        "pixel_size",
        "total_motion",
        "early_motion",
        "late_motion",
        "residual_motion",
        "mean_counts",
        "total_dose",
        "stage_x",
        "stage_y",
    ),
    "ctf": (
        "defocus_u",
        "defocus_v",
        "defocus_angle",
        "astigmatism",
        "phase_shift",
        "score",
        "ctf_resolution",
        "ice_density",
        "thickness",
        "tilt_angle",
        "tilt_axis",
    ),
    "accepted": (),
    "rejected": (),
    "picks": ("count", "mean_score", "excluded_area"),
    "particles": (),
}
"""The measures of each kind of record, by their names."""

PLACES: Mapping[str, tuple[str, ...]] = {"movie": ("grid_square",), "micrograph": ("grid_square",)}
"""Columns of text of each kind of record, which hold numbers of `Items.names`."""

VERDICTS: Mapping[str, int] = {"restored": 1, "rejected": 2}
"""What people's verdicts mean as a decision."""

_DECISIONS = np.array(["", "accepted", "rejected"])


class Items:
    """Every item of a session with its measures, one row per item in the order of arrival.

    Where several runs make the same kind of record, those of the newest run count.

    Attributes
    ----------
    keys
        The item's name, by row.
    judgements
        What people decided and noted about items, by the item's name, the oldest first.
    names
        What the numbers in a column of text stand for: ``names["grid_square"][int(items["grid_square"][row])]``.
    """

    def __init__(self, session: Watched) -> None:
        self._session = session
        self._rows: dict[str, int] = {}
        self._sources: dict[str, IncrementalSet] = {}
        self._seen: dict[str, int] = {}
        self._columns = Columns(
            ("acquired_at", "recorded_at", "verdict", *MEASURES, *_columns(MEASURES), *_columns(PLACES))
        )
        self._touched = Columns(("row",))
        self._derivatives: dict[str, tuple[int, NDArray[Any]]] = {}
        self._next_judgement = 0
        self.keys: list[str] = []
        self.judgements: dict[str, list[Judgement]] = {}
        self.names: dict[str, list[str]] = {name: [] for name in _columns(PLACES)}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in self.names}

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, measure: str) -> NDArray[np.float64]:
        """A measure of every item, shape (items,); nan where it is not known (yet).

        Beside the measures there are ``acquired_at`` and ``recorded_at``, and one column for each kind of record
        that holds the record's number; ``defocus`` is the mean of U and V.
        """
        if measure == "defocus":
            return (self._columns["defocus_u"] + self._columns["defocus_v"]) / 2
        return self._columns[measure]

    @property
    def time(self) -> NDArray[np.float64]:
        """When each item was acquired; where nothing tells, when it was first recorded. Seconds since 1970."""
        return self._derived("time", self._times)

    @property
    def decision(self) -> NDArray[np.int64]:
        """0 where nothing is decided yet, 1 where an item goes on, 2 where it does not; people's verdicts stand."""
        return self._derived("decision", self._decided)

    @property
    def decisions(self) -> NDArray[np.str_]:
        """The same in words: nothing, ``accepted`` or ``rejected``."""
        return self._derived("decisions", lambda: _DECISIONS[self.decision])

    @property
    def acquired_span(self) -> tuple[float, float] | None:
        """When the first and the last item were acquired, seconds since 1970; ``None`` where nothing tells."""
        known = self["acquired_at"][np.isfinite(self["acquired_at"])]
        return (float(known.min()), float(known.max())) if known.size else None

    @property
    def changes(self) -> int:
        """How many changes to rows have been read so far."""
        return len(self._touched)

    def changed(self, since: int) -> NDArray[np.intp]:
        """Which rows are new or have changed after the first ``since`` changes, in ascending order."""
        return np.unique(self._touched["row"][since:]).astype(np.intp)

    def row(self, key: str) -> int:
        """The row of an item."""
        return self._rows[key]

    def get(self, key: str) -> int | None:
        """The row of an item, or ``None`` where there is none of that name."""
        return self._rows.get(key)

    def update(self) -> int:
        """Read what is new; returns how many records that was."""
        sets = {collection.kind: collection for collection in self._session.sets.values()}
        read = sum(self._read(kind, sets[kind]) for kind in MEASURES if kind in sets)
        return read + self._read_judgements()

    def records(self, row: int) -> dict[str, Record]:
        """Every record of an item, by its kind."""
        found = {}
        for kind, source in self._sources.items():
            number = self._columns[kind][row]
            if np.isfinite(number):
                found[kind] = source[int(number)]
        return found

    def to_dataframe(self) -> pd.DataFrame:
        """Every item, its measures, what was decided and what people noted, as a table; the item's name as index."""
        import pandas as pd  # seconds, which most of those who import this do not need

        measures = ("acquired_at", *_columns(MEASURES))
        table = pd.DataFrame({name: self[name] for name in measures}, index=pd.Index(self.keys))
        for name, words in self.names.items():
            codes = np.nan_to_num(self[name], nan=-1).astype(int)
            table[name] = [words[code] if code >= 0 else "" for code in codes]
        table["decision"] = self.decisions
        table["notes"] = ["; ".join(one.note for one in self.judgements.get(key, ()) if one.note) for key in self.keys]
        return table

    def to_csv(self, rows: NDArray[np.intp] | None = None) -> str:
        """The table of some items, or all, for a spreadsheet: Å, degrees, e/Å², seconds since 1970.

        A text that begins like a formula would be one there: it gets an apostrophe before it.
        """
        table = self.to_dataframe() if rows is None else self.to_dataframe().iloc[rows]
        table = table.rename_axis("name").reset_index()
        texts = table.select_dtypes(["object", "string"])
        table[texts.columns] = texts.replace(r"^(?=[=+\-@\t\r])", "'", regex=True)
        return str(table.to_csv(index=False))

    def _derived(self, name: str, derive: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What follows from the columns, derived once after each change."""
        changes, derived = self._derivatives.get(name, (-1, np.empty(0)))
        if changes != self.changes:
            derived = derive()
            self._derivatives[name] = self.changes, derived
        return derived

    def _times(self) -> NDArray[np.float64]:
        acquired = self["acquired_at"]
        return np.where(np.isfinite(acquired), acquired, self["recorded_at"])

    def _decided(self) -> NDArray[np.int64]:
        selected = np.where(np.isfinite(self["accepted"]), 1, 0)
        selected = np.where(np.isfinite(self["rejected"]), 2, selected)
        verdict = self["verdict"]
        return np.where(np.isfinite(verdict), verdict, selected).astype(np.int64)

    def _read(self, kind: str, source: IncrementalSet) -> int:
        known = self._sources.get(kind)
        if known is None or known.name != source.name:
            self._sources[kind] = source
            self._seen[kind] = 0
            self._touch(np.flatnonzero(np.isfinite(self._columns[kind])))
            self._columns.clear((kind, *MEASURES[kind]))
        measures, places = MEASURES[kind], PLACES.get(kind, ())
        wanted = ("key", "acquired_at", "recorded_at", *measures, *places)
        new = self._sources[kind].columns(wanted, self._seen[kind])
        if not new["key"]:
            return 0
        rows = np.array([self._row_of(key) for key in new["key"]])
        self._columns.grow(len(self.keys))
        self._columns[kind][rows] = new["number"]
        for name in measures:
            self._columns[name][rows] = np.array(new[name], float)
        for name in places:
            self._columns[name][rows] = [self._code(name, word) for word in new[name]]
        for name in ("acquired_at", "recorded_at"):
            unknown = np.isnan(self._columns[name][rows])
            self._columns[name][rows[unknown]] = np.array(new[name], float)[unknown]
        self._touch(rows)
        self._seen[kind] += len(rows)
        return len(rows)

    def _read_judgements(self) -> int:
        new = self._session.judgements(self._next_judgement)
        for judgement in new:
            self._next_judgement = judgement.number + 1
            self.judgements.setdefault(judgement.key, []).append(judgement)
            row = self._row_of(judgement.key)
            self._columns.grow(len(self.keys))
            if judgement.verdict != "noted":
                self._columns["verdict"][row] = VERDICTS[judgement.verdict]
            self._touch(np.array([row]))
        return len(new)

    def _touch(self, rows: NDArray[np.intp]) -> None:
        count = len(self._touched)
        self._touched.grow(count + len(rows))
        self._touched["row"][count:] = rows

    def _code(self, name: str, word: str | None) -> float:
        """The number that stands for a text in its column; nan where there is none."""
        if word is None:
            return np.nan
        codes = self._codes[name]
        if word not in codes:
            codes[word] = len(self.names[name])
            self.names[name].append(word)
        return codes[word]

    def _row_of(self, key: str) -> int:
        row = self._rows.setdefault(key, len(self.keys))
        if row == len(self.keys):
            self.keys.append(key)
        return row


def _columns(kinds: Mapping[str, tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(name for names in kinds.values() for name in names))
