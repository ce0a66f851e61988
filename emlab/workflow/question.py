"""Questions: what a form asks, from the template and the parameters that the answers fill."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from datetime import datetime
from inspect import get_annotations
from typing import Any, Literal, Union, get_args, get_origin

from emlab.errors import WorkflowError
from emlab.model import Parameters, Protocol
from emlab.protocols import PROTOCOLS
from emlab.workflow.field import Asked, Kind, Reference
from emlab.workflow.limits import limits_of
from emlab.workflow.workflow import Step, Workflow

_KINDS: dict[Any, Kind] = {bool: "switch", int: "whole", float: "number", datetime: "time"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that a form asks.

    Attributes
    ----------
    name
        What the answer is called in `Workflow.filled`.
    kind
        What is typed or chosen.
    label, help, unit, group
        For people.
    default
        Proposed; ``None`` where nothing is.
    required
        Whether there has to be an answer.
    limits
        In words, for people: ``at least 10 and at most 3,000``; empty where there are none.
    choices
        Values and what they are called.
    advanced
        Whether it is folded away.
    when
        See `Asked`.
    places
        The (step, parameter) pairs that the answer fills.
    accepts
        Which files can be used, as it follows "Give the path of"; empty where nothing tells.
    identity
        The same in every template that asks for the same parameter in the same unit.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    unit: str = ""
    group: str = ""
    default: Any = None
    required: bool = False
    limits: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    advanced: bool = False
    when: dict[str, Any] = field(default_factory=dict)
    places: tuple[tuple[str, str], ...] = ()
    accepts: str = ""
    identity: str = ""

    def is_asked(self, answers: dict[str, Any]) -> bool:
        """Whether the other answers let it be asked."""
        return all(_meets(answers.get(name), wanted) for name, wanted in self.when.items())


def questions_of(workflow: Workflow) -> list[Question]:
    """What a form for a workflow asks: the template's fields, then every other parameter that it leaves open.

    Raises
    ------
    WorkflowError
        If a step's protocol or parameter does not exist.
    """
    asked = [
        _question(name, workflow.fields.get(name, Asked()), places)
        for name, places in workflow.places.items()
        if places
    ]
    others = []
    for step in workflow.protocols:
        for name in _protocol(step).parameters.model_fields:
            if name not in step.parameters:
                reference = Reference(field=f"{step.name}.{name}")
                others.append(_question(reference.field, Asked(), [(step, name, reference)], is_other=True))
    return asked + others


def _question(
    name: str, asked: Asked, places: list[tuple[Step, str, Reference]], *, is_other: bool = False
) -> Question:
    step, parameter, reference = places[0]
    protocol = _protocol(step)
    described = protocol.parameters.model_fields.get(parameter)
    if described is None:
        known = ", ".join(protocol.parameters.model_fields)
        raise WorkflowError(f"Step {step.name}: {protocol.name} has no parameter {parameter!r}; it has: {known}.")
    extra = described.json_schema_extra if isinstance(described.json_schema_extra, dict) else {}
    annotation = _plain(described.annotation)
    choices = _choices(asked, extra, annotation)
    required = asked.required or described.is_required()
    default = None if reference.stands_for_none(asked.default) else asked.default
    if default is None and not described.is_required() and reference.times == 1:
        default = described.default
    limits = limits_of(described.metadata).scaled(1 / reference.times).within(asked.limits)
    return Question(
        name=name,
        kind=_kind(asked, extra, annotation, choices),
        label=asked.label or described.title or parameter.replace("_", " ").capitalize(),
        help=asked.help or described.description or "",
        unit=asked.unit if asked.unit is not None else _unit(extra, reference.times),
        group=asked.group or protocol.title,
        default=default,
        required=required,
        limits=limits.words,
        choices=choices,
        # What the template does not mention is for those who look for it; what nothing runs without is not hidden.
        advanced=(asked.advanced if asked.advanced is not None else bool(extra.get("advanced")) or is_other)
        and not required,
        when=asked.when,
        places=tuple((step.name, parameter) for step, parameter, _ in places),
        accepts=str(extra.get("accepts") or ""),
        identity=_identity(protocol.parameters, parameter, reference.times),
    )


def _identity(model: type[Parameters], parameter: str, times: float) -> str:
    """The class that describes a parameter first, and its name: microscopes are the same for movies and images."""
    owner = next(kind for kind in reversed(model.__mro__) if parameter in get_annotations(kind))
    return f"{owner.__name__}.{parameter}" + (f"×{times:g}" if times != 1 else "")


def _protocol(step: Step) -> Protocol:
    if step.protocol not in PROTOCOLS:
        raise WorkflowError(
            f"Step {step.name}: there is no protocol {step.protocol!r}. There are: {', '.join(PROTOCOLS)}."
        )
    return PROTOCOLS[step.protocol]


def _plain(annotation: Any) -> Any:
    """A type without ``None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(kind for kind in get_args(annotation) if kind is not type(None))
    return annotation


def _kind(asked: Asked, extra: dict[str, Any], annotation: Any, choices: tuple[tuple[Any, str], ...]) -> Kind:
    if choices:
        return "choice"
    return extra.get("kind") or _KINDS.get(annotation) or asked.kind or "text"


def _choices(asked: Asked, extra: dict[str, Any], annotation: Any) -> tuple[tuple[Any, str], ...]:
    if isinstance(asked.choices, dict):
        return tuple(asked.choices.items())
    if asked.choices:
        return tuple((choice, str(choice)) for choice in asked.choices)
    if extra.get("choices"):
        return tuple((value, name) for value, name in extra["choices"])
    return tuple((value, str(value)) for value in get_args(annotation)) if get_origin(annotation) is Literal else ()


def _unit(extra: dict[str, Any], times: float) -> str:
    unit = str(extra.get("unit") or "")
    return "µm" if (unit, times) == ("Å", 1e4) else unit if times == 1 else f"{times:g} {unit}"


def _meets(answer: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return bool(answer) is wanted if answer not in (False, "false") else not wanted
    wished = wanted if isinstance(wanted, list | tuple) else [wanted]
    return str(answer) in [str(wish) for wish in wished]
