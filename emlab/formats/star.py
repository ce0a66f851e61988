"""STAR tables, as RELION reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np

from emlab.errors import DataError, FormatError
from emlab.formats.atomic import whole_file
from emlab.formats.source import Source

_WORD: Final = re.compile(r""""(.*?)"(?=\s|$)|'(.*?)'(?=\s|$)|(\S+)""")

Columns = Mapping[str, Any | Sequence[Any]]
Tables = Mapping[str, Columns | Iterator[Columns]]


def write_star(path: str | Path, tables: Tables) -> None:
    """Write tables, whole or not at all.

    Parameters
    ----------
    path
        Replaced if it is there.
    tables
        Block name → column name → values. A block of sequences becomes a loop, one of scalars a list. Column names
        may come with or without their ``_``. Floats keep every digit; ``None`` is written as ``None``, a bool as
        1 or 0. A loop may come in parts, one after the other, each with the same columns: millions of rows need not be
        in memory together.

    Raises
    ------
    DataError
        If the columns of a block differ in length, scalars and sequences are mixed, or a text has a line break.
    """
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("# version 50001\n")
        for name, columns in tables.items():
            parts = [columns] if isinstance(columns, Mapping) else columns
            for number, part in enumerate(parts):
                file.write(_block(name, part, goes_on=number > 0))


def read_star(path: str | Path) -> dict[str, dict[str, Any]]:
    """Tables of a STAR file: block name → column name (without ``_``) → NumPy array, or a scalar in a list block.

    Numbers become int or float, everything else text.

    Raises
    ------
    FormatError
        If it is not a STAR file.
    """
    with Source(path) as source:
        text = source.read(0, source.size).decode("utf-8", errors="replace")
    tables: dict[str, dict[str, Any]] = {}
    for block in re.split(r"^data_", text, flags=re.MULTILINE)[1:]:
        name, _, body = block.partition("\n")
        rows = [row for line in body.splitlines() if (row := _row(line))]
        tables[name.strip()] = _read_loop(path, rows[1:]) if rows[:1] == [["loop_"]] else _read_list(path, rows)
    if not tables:
        raise FormatError(f"{path} is not a STAR file: it has no block that begins with data_.")
    return tables


def _row(line: str) -> list[str]:
    """A line's words, up to a comment."""
    words = []
    for match in _WORD.finditer(line):
        if match[0].startswith("#"):
            break
        words.append(next(group for group in match.groups() if group is not None))
    return words


def _read_list(path: str | Path, rows: list[list[str]]) -> dict[str, Any]:
    if any(len(row) != 2 or not row[0].startswith("_") for row in rows):
        raise FormatError(f"{path} is damaged: one of its blocks is neither a loop nor pairs of name and value.")
    return {name[1:]: _values([value])[0] for name, value in rows}


def _read_loop(path: str | Path, rows: list[list[str]]) -> dict[str, Any]:
    names = [row[0][1:] for row in takewhile(lambda row: len(row) == 1 and row[0].startswith("_"), rows)]
    records = rows[len(names) :]
    if not names or any(len(row) != len(names) for row in records):
        raise FormatError(f"{path} is damaged: a row of a table does not have the {len(names)} values of its header.")
    columns = zip(*records, strict=True) if records else [()] * len(names)
    return {name: np.array(_values(column)) for name, column in zip(names, columns, strict=True)}


def _values(words: Sequence[str]) -> list[Any]:
    # Python takes 20170629_00021 for a number.
    for kind in () if any("_" in word for word in words) else (int, float):
        try:
            return [kind(word) for word in words]
        except ValueError:
            continue
    return list(words)


def _block(name: str, columns: Mapping[str, Any], *, goes_on: bool = False) -> str:
    """Give a block, or only the rows of one that goes on."""
    loops = [_is_column(values) for values in columns.values()]
    if any(loops) and not all(loops):
        raise DataError(f"The STAR block {name} mixes columns and single values; put them into separate blocks.")
    names = [column if column.startswith("_") else f"_{column}" for column in columns]
    if not any(loops):
        lines = [f"{column} {_cell(value)}" for column, value in zip(names, columns.values(), strict=True)]
        return "\n".join(["", f"data_{name}", "", *lines, ""])
    cells = [_cells(values) for values in columns.values()]
    if len({len(column) for column in cells}) > 1:
        lengths = ", ".join(f"{column} {len(values)}" for column, values in zip(names, cells, strict=True))
        raise DataError(f"The columns of the STAR block {name} differ in length: {lengths}.")
    header = [f"{column} #{number}" for number, column in enumerate(names, 1)]
    rows = [" ".join(row) for row in zip(*cells, strict=True)]
    return "\n".join([*([] if goes_on else ["", f"data_{name}", "", "loop_", *header]), *rows, ""])


def _is_column(values: Any) -> bool:
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str | bytes)


def _cells(values: Any) -> list[str]:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        return values.astype(str).tolist()  # type: ignore[no-any-return]
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    text = str(value)
    if "\n" in text or "\r" in text:
        raise DataError(f"A STAR file cannot hold a text with a line break: {text!r}.")
    if text and not any(letter.isspace() for letter in text) and text[0] not in "_#'\";[]$":
        return text
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    raise DataError(f"A STAR file cannot hold a text with both kinds of quotation marks: {text!r}.")
