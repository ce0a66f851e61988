"""Parameters of a protocol: described once; form, options, checks and documentation follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emlab.errors import ParameterError

P = TypeVar("P", bound="Parameters")


class Parameters(BaseModel):
    """What a protocol can be told; frozen, and nothing unknown is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _left_open(cls, values: Any) -> Any:
        """Take an empty text for ``None`` where a parameter may be ``None``: that is how a shell says it."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        open_ones = {name for name in values if name in fields and type(None) in get_args(fields[name].annotation)}
        return {name: None if value == "" and name in open_ones else value for name, value in values.items()}


def parameter(
    default: Any = ...,
    *,
    help: str,
    label: str | None = None,
    unit: str | None = None,
    advanced: bool = False,
    choices: Mapping[Any, str] | None = None,
    kind: Literal["folder", "file"] | None = None,
    accepts: str | None = None,
    **limits: Any,
) -> Any:
    """A parameter's description.

    Parameters
    ----------
    default
        ``...`` when a value has to be given.
    help
        A sentence for the person who fills the form.
    label
        Its name in the form; made from the field's name when absent.
    unit
        As it is shown, ``"Å"`` say.
    advanced
        Whether a form folds it away.
    choices
        What each possible value is called, where values are numbers that stand for something.
    kind
        What a path is one of.
    accepts
        Which files can be used, as it follows "Give the path of".
    **limits
        pydantic's: ``gt``, ``ge``, ``lt``, ``le``, ``multiple_of``, ``pattern``.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced, "kind": kind, "accepts": accepts}
    extra["choices"] = [[value, name] for value, name in choices.items()] if choices else None
    return Field(default, description=help, title=label, json_schema_extra=extra, **limits)


def validated(model: type[P], values: dict[str, Any], where: str) -> P:
    """The parameters made of ``values``.

    Raises
    ------
    ParameterError
        With one sentence per value that is missing, unknown or out of range.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ParameterError(_explained(model, error, where)) from None


def _explained(model: type[Parameters], error: ValidationError, where: str) -> str:
    sentences = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        field = model.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
        extra = field.json_schema_extra if field and isinstance(field.json_schema_extra, dict) else {}
        unit = f" {extra['unit']}" if extra.get("unit") else ""
        match problem["type"]:
            case "missing":
                sentence = f"{name} is missing: {field.description if field else 'give a value'}"
            case "extra_forbidden":
                known = ", ".join(model.model_fields)
                sentence = f"{name} is not a parameter; the parameters are: {known}"
            case _:
                message = problem["msg"].removeprefix("Value error, ")
                message = message[0].lower() + message[1:]
                sentence = f"{name} is {problem['input']!r}{unit}; {message}{unit if 'than' in message else ''}"
        sentences.append(sentence)
    return f"{where}: " + "; ".join(sentences) + "."
