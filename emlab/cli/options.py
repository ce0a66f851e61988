"""Command-line options made of parameters' descriptions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.markup import escape

from emlab.model import Parameters

SIMPLE = (bool, int, float, str)


def with_options(
    function: Callable[[list[Path], Path, dict[str, Any]], None],
    options: Mapping[str, type[Parameters]],
    more: Mapping[str, Any] | None = None,
) -> Callable[..., None]:
    """Make a command of a function of (files, out, values): one option per parameter, only given ones in values.

    ``more`` are options of the command itself: name → annotation.
    """

    def command(files: list[Path], out: Path, **given: Any) -> None:
        function(files, out, {name: value for name, value in given.items() if value is not None})

    parameters = [
        inspect.Parameter("files", inspect.Parameter.KEYWORD_ONLY, annotation=_FILES),
        inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, annotation=_OUT, default=Path("emlab-out")),
    ]
    for name, model in options.items():
        annotation = _annotation(name, model.model_fields[name])
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=None))
    for name, annotation in (more or {}).items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=None))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


_FILES = Annotated[
    list[Path],
    typer.Argument(help="Movies or micrographs; for 2D classes also STAR files of particles.", show_default=False),
]
_OUT = Annotated[Path, typer.Option(help="The folder for the outputs.")]


def described(field: FieldInfo) -> str:
    """A parameter's help with its unit and its default."""
    extra: Any = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    meanings = ", ".join(f"{value} {name}" for value, name in extra.get("choices") or ())
    unit = f" {extra['unit']}" if extra.get("unit") else ""
    if field.default is PydanticUndefined:
        ending = f"[{unit.strip()}; required]" if unit else "[required]"
    elif field.default is None:
        ending = f"[{unit.strip()}]" if unit else ""
    else:
        ending = f"[default: {_shown(field.default)}{unit}]"
    said = " ".join(filter(None, (field.description, f"({meanings})" if meanings else "", ending)))
    return escape(said)  # what typer shows is markup, to which [default: 300 kV] is a tag


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _annotation(name: str, field: FieldInfo) -> Any:
    kind = _simple(field.annotation)
    flag = f"--{name.replace('_', '-')}"
    names = (f"{flag}/--no-{flag[2:]}",) if kind is bool else (flag,)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    panel = "Advanced options" if extra.get("advanced") else None
    option = typer.Option(*names, help=described(field), show_default=False, rich_help_panel=panel)
    return Annotated[kind | None, option]


def _simple(annotation: Any) -> Any:
    """What the shell's text is turned into; whatever is not simple stays text, for the parameter's own checks."""
    choices = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind for kind in SIMPLE if kind in choices), str)
