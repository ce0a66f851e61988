"""Pieces of HTML, with what people and files named escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Html:
    """A piece of HTML that a notebook displays as it is."""

    text: str

    def _repr_html_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


Cell = str | Html
"""What stands in a table: text, which is escaped, or HTML."""


def markup(cell: Cell) -> str:
    """Give a cell's HTML."""
    return cell.text if isinstance(cell, Html) else escape(cell)


def table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: Iterable[int] = ()) -> str:
    """Give a table.

    Parameters
    ----------
    numbers
        Which columns hold numbers, to be aligned at their end.
    """
    kinds = [' class="number"' if column in set(numbers) else "" for column in range(len(headings))]
    head = "".join(f"<th scope=col{kind}>{escape(text)}</th>" for text, kind in zip(headings, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{markup(cell)}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    # Whoever has no mouse scrolls it with the keyboard.
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="emlab-scroll" tabindex="0">{shown}</div>'


def facts(pairs: Iterable[tuple[str, Cell]]) -> str:
    """Give a list of named values."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{markup(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="emlab-facts">{items}</dl>'


def folded(summary: str, content: str) -> str:
    """Give content that opens when its summary is clicked."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def empty(sentence: str) -> str:
    """Give what stands where there is nothing yet."""
    return f'<p class="emlab-nothing">{escape(sentence)}</p>'
