"""Fields: what a template leaves open, and how an answer becomes a parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emlab.errors import ParameterError
from emlab.workflow.limits import Limits, limits_of

NOTHING: Final = object()
"""Stands for a value that is not there, where ``None`` is a value."""
_SWITCH: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}

Kind = Literal["text", "whole", "number", "switch", "file", "folder", "time", "choice"]
"""What is typed or chosen: text, a whole number, a number, on or off, a path, a date and time, one of several."""


class Asked(BaseModel):
    """What a template says of a field; whatever it leaves out is as the parameter that the field fills has it.

    Attributes
    ----------
    label, help, unit, group
        For the person who fills the form.
    kind
        Of what no parameter tells.
    default
        Proposed in the form, and taken where nothing is given.
    required
        Whether a value has to be given.
    ge, gt, le, lt
        Limits, narrower than the parameter's.
    choices
        The values to choose from, each with its name for people where it has one.
    advanced
        Whether the form folds it away.
    when
        The form asks only if each of these other fields has the value, or one of the values; ``true`` and ``false``
        also mean that it is filled or empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str | None = None
    help: str | None = None
    unit: str | None = None
    group: str | None = None
    kind: Kind | None = None
    default: Any = None
    required: bool = False
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    choices: tuple[Any, ...] | dict[str, str] | None = None
    advanced: bool | None = None
    when: dict[str, Any] = Field(default_factory=dict)

    def complaint(self, value: Any) -> str | None:
        """What is wrong with an answer as far as the template says, as a sentence; ``None`` if nothing."""
        if value in (None, ""):
            return "Give a value." if self.required else None
        if self.choices and str(value) not in (known := [str(choice) for choice in self.choices]):
            return f"{value} is not one of the choices: {', '.join(known)}."
        if self.limits == Limits(None, None):
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            return f"“{value}” is not a number."
        if self.limits.allow(number):
            return None
        return f"It must be {self.limits.words}{f' {self.unit}' if self.unit else ''}."

    @property
    def limits(self) -> Limits:
        """The template's own."""
        given = ((Ge, self.ge), (Gt, self.gt), (Le, self.le), (Lt, self.lt))
        return limits_of(kind(value) for kind, value in given if value is not None)


class Reference(BaseModel):
    """Where an answer goes: ``{"field": name}`` in place of a parameter's value.

    Attributes
    ----------
    field
        The field's name.
    times
        Turns the answer's unit into the parameter's.
    none
        An answer that stands for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    times: float = 1.0
    none: Any = None

    def resolved(self, answers: Mapping[str, Any]) -> Any:
        """The parameter's value, or `NOTHING`."""
        answer = answers.get(self.field)
        if answer is None or answer == "" or self.stands_for_none(answer):
            return NOTHING
        if self.times == 1:
            return answer
        try:
            return float(answer) * self.times
        except (TypeError, ValueError):
            raise ParameterError(f"{self.field} is {answer!r}, which is not a number.") from None

    def stands_for_none(self, answer: Any) -> bool:
        """Whether an answer stands for none."""
        return self.none is not None and _equal(answer, self.none)


class Joined(BaseModel):
    """A text that has answers in it: ``{"join": ["/data/", {"field": "project"}, "/movies"]}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    join: tuple[str | Reference, ...]

    def resolved(self, answers: Mapping[str, Any]) -> Any:
        """The text, or `NOTHING` where an answer is missing."""
        parts = [part if isinstance(part, str) else part.resolved(answers) for part in self.join]
        return NOTHING if any(part is NOTHING for part in parts) else "".join(map(str, parts))


def references(value: Any) -> list[Reference]:
    """The fields that a parameter's value refers to."""
    expression = _expression(value)
    if isinstance(expression, Joined):
        return [part for part in expression.join if isinstance(part, Reference)]
    return [expression] if expression else []


def resolved(value: Any, answers: Mapping[str, Any]) -> Any:
    """A parameter's value with the answers in it, or `NOTHING`."""
    expression = _expression(value)
    return expression.resolved(answers) if expression else value


def switch(text: Any) -> bool | None:
    """Whether something that people type means on; ``None`` where it means neither."""
    return text if isinstance(text, bool) else _SWITCH.get(str(text).strip().lower())


def _expression(value: Any) -> Reference | Joined | None:
    if not isinstance(value, dict):
        return None
    for kind, key in ((Reference, "field"), (Joined, "join")):
        if key in value:
            try:
                return kind.model_validate(value)
            except ValidationError:
                return None
    return None


def _equal(answer: Any, other: Any) -> bool:
    try:
        return math.isclose(float(answer), float(other))
    except (TypeError, ValueError):
        return str(answer).strip() == str(other)
