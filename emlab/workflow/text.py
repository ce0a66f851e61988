"""The text of a template: description, variables of the environment, and fields in place of values."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from emlab.errors import WorkflowError
from emlab.workflow.field import Asked, Kind, switch

_FIELD: Final = (
    r"~(?P<label>[^~|\n]*)\|(?P<default>{default})\|\s*(?P<type>[^~|\n]*?)\s*"
    r"(?:\|\s*(?P<alias>[^~|\n]*?)\s*)?(?:\|[^~\n]*)?~"
)
_PATTERNS: Final = (
    re.compile(_FIELD.format(default=r"[^~|\n]*")),
    # Without a type: only where the value ends with it, lest the ~ of a home folder be taken for its end.
    re.compile(r"~(?P<label>[^~|\n]+)\|(?P<default>[^~|\n]*)~(?=\s*[\",}\]]|\s*$)", re.MULTILINE),
    re.compile(_FIELD.format(default=r"[^|\n]*?")),
)
_VARIABLE: Final = re.compile(r"%\((\w+)\)s|%%")
_KINDS: Final[dict[str, Kind]] = {"0": "text", "3": "whole", "4": "number", "5": "file", "6": "folder"}
_EXPECTED: Final = (
    "~label|default|type|alias~ with the type 0 (text), 1 or 2 (path or yes/no), 3 (whole number), 4 (number), 5 "
    "(file) or 6 (folder)"
)
# Characters for private use, which stand for a field until the JSON is read.
_OPEN, _CLOSE = "\ue000", "\ue001"


@dataclass(frozen=True)
class TextField:
    """A field of a template's text.

    Attributes
    ----------
    name
        Its alias, or made of its label.
    asked
        Its label, its default and what its type says.
    """

    name: str
    asked: Asked


@dataclass(frozen=True)
class Opened:
    """A template's text, taken apart.

    Attributes
    ----------
    description
        The lines before the JSON.
    json
        The JSON, with marks for fields that `placed` turns into references.
    fields
        By name, in the order of the text.
    notes
        What a person should know of them, a sentence each.
    skipped
        How many lines stand before the JSON.
    """

    description: str
    json: str
    fields: dict[str, TextField]
    notes: tuple[str, ...]
    skipped: int = 0

    def placed(self, found: Any) -> Any:
        """What was read of the JSON, with references in place of marks."""
        if isinstance(found, dict):
            return {key: self.placed(value) for key, value in found.items()}
        if isinstance(found, list):
            return [self.placed(value) for value in found]
        if not isinstance(found, str) or _OPEN not in found:
            return found
        parts: list[Any] = [
            {"field": part} if number % 2 else part for number, part in enumerate(re.split(f"[{_OPEN}{_CLOSE}]", found))
        ]
        parts = [part for part in parts if part != ""]
        return parts[0] if len(parts) == 1 else {"join": parts}


def open_text(text: str, origin: str) -> Opened:
    """Take a template's text apart.

    Fields may stand in place of any value, quoted or not, or within a text. The types 1 and 2 mean a path and yes or
    no in some versions of Scipion and the reverse in others: a default of true, false, yes, no, 0 or 1 decides for
    yes or no, any other for a path.

    Raises
    ------
    WorkflowError
        If a field cannot be read, or a value outside of fields needs a variable that is not set.
    """
    lines = text.splitlines(keepends=True)
    skipped = next((number for number, line in enumerate(lines) if line.lstrip()[:1] in ("[", "{")), None)
    if skipped is None:
        raise WorkflowError(f"{origin} contains no workflow: no line begins with [ or {{.")
    scanner = _Scanner("".join(lines[skipped:]), origin, skipped)
    written = "".join(scanner.scanned())
    return Opened("".join(lines[:skipped]).strip(), written, scanner.fields, tuple(scanner.notes), skipped)


class _Scanner:
    """Goes through the JSON once, knowing whether it is inside a string."""

    def __init__(self, text: str, origin: str, skipped: int) -> None:
        self.fields: dict[str, TextField] = {}
        self.notes: list[str] = []
        self._text = text
        self._origin = origin
        self._skipped = skipped

    def scanned(self) -> Iterator[str]:
        text, position, quoted = self._text, 0, False
        while position < len(text):
            character = text[position]
            if character == "\\" and quoted:
                yield text[position : position + 2]
                position += 2
                continue
            if character == "~" and (match := self._field_at(position, quoted)):
                mark = f"{_OPEN}{self._taken(match)}{_CLOSE}"
                yield mark if quoted else json.dumps(mark, ensure_ascii=False)
                position = match.end()
                continue
            if character == "%" and (match := _VARIABLE.match(text, position)):
                value = self._variable(match)
                yield json.dumps(value)[1:-1] if quoted else value
                position = match.end()
                continue
            quoted ^= character == '"'
            yield character
            position += 1

    def _field_at(self, position: int, quoted: bool) -> re.Match[str] | None:
        match = next(filter(None, (pattern.match(self._text, position) for pattern in _PATTERNS)), None)
        if match is None:
            line = self._text[position:].partition("\n")[0]
            if not quoted or re.match(r"~[^~|\n]*\|[^~\n]*~", line):
                raise self._error(position, f"the field {line[:60].strip()} cannot be read; expected {_EXPECTED}")
        return match

    def _taken(self, match: re.Match[str]) -> str:
        """Note a field, and give its name."""
        found = {"type": "", "alias": None, **match.groupdict()}
        label = str(found["label"]).strip()
        name = found["alias"] or re.sub(r"\W+", "_", label.lower()).strip("_")
        if not name:
            raise self._error(match.start(), f"the field {match[0]} has neither a label nor an alias")
        known = self.fields.get(name)
        default = self._default(str(found["default"]).strip(), label or name)
        kind, value = self._typed(match, str(found["type"] or ""), default)
        if known is None:
            if any(field.asked.label == label for field in self.fields.values()):
                label = f"{label} ({name})"
            self.fields[name] = TextField(name, Asked(label=label or name, kind=kind, default=value))
        elif (known.asked.kind, known.asked.default) != (kind, value):
            self.notes.append(
                f"The field {known.asked.label} appears twice, with the defaults {known.asked.default} and {value}; "
                "it is asked for once and fills both places."
            )
        return name

    def _default(self, text: str, label: str) -> str:
        def value(variable: re.Match[str]) -> str:
            if variable[0] == "%%":
                return "%"
            if variable[1] not in os.environ:
                missing.append(variable[1])
            return os.environ.get(variable[1], "")

        missing: list[str] = []
        filled = _VARIABLE.sub(value, text)
        if missing:
            self.notes.append(f"{label} has no default, because it depends on ${missing[0]}, which is not set.")
        return "" if missing else filled

    def _typed(self, match: re.Match[str], code: str, default: str) -> tuple[Kind | None, Any]:
        if code in ("1", "2"):
            return ("folder", default or None) if switch(default) is None else ("switch", switch(default))
        if code and code not in _KINDS:
            raise self._error(match.start(), f"the field {match[0]} has the type {code}; expected {_EXPECTED}")
        kind = _KINDS.get(code)
        if kind not in ("whole", "number") or not default:
            return kind, default or None
        try:
            number = int(default) if kind == "whole" else float(default)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            what = "whole number" if kind == "whole" else "number"
            raise self._error(match.start(), f"the default of the field {match[0]} is not a {what}")
        return kind, number

    def _variable(self, match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1] not in os.environ:
            raise self._error(match.start(), f"the variable {match[1]} is not set in the environment; set it")
        return os.environ[match[1]]

    def _error(self, position: int, complaint: str) -> WorkflowError:
        line = self._skipped + self._text.count("\n", 0, position) + 1
        return WorkflowError(f"{self._origin}, line {line}: {complaint}.")
