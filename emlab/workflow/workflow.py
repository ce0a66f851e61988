"""Workflows: which protocols, with which parameters, how they connect, and what a person is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emlab.errors import ParameterError, WorkflowError


class Step(BaseModel):
    """One protocol of a workflow.

    Attributes
    ----------
    name
        Unique in the workflow; the run's name.
    protocol
        Which protocol.
    inputs
        The sets that it consumes, as ``step.plural`` (``align.micrographs``). Left out, each kind that the
        protocol consumes comes from the nearest step before that makes it.
    parameters
        Values, or ``{"field": name}`` for a value that a person is asked for; what is left out has the
        protocol's default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    protocol: str
    inputs: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)


class Workflow(BaseModel):
    """Protocols and how they connect, read from JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str = ""
    protocols: tuple[Step, ...]

    @property
    def fields(self) -> dict[str, list[tuple[str, str]]]:
        """What a person is asked for: the field's name → the (step, parameter) pairs that it fills."""
        asked: dict[str, list[tuple[str, str]]] = {}
        for step in self.protocols:
            for parameter, value in step.parameters.items():
                if (name := _field(value)) is not None:
                    asked.setdefault(name, []).append((step.name, parameter))
        return asked

    def filled(self, values: Mapping[str, Any]) -> Workflow:
        """Give the workflow with its fields filled; a field without a value keeps its protocol's default.

        Parameters
        ----------
        values
            By the name of a field, or by ``step.parameter`` for any parameter of any step.

        Raises
        ------
        ParameterError
            For a name that is neither.
        """
        fields, steps = self.fields, {step.name: step for step in self.protocols}
        chosen: dict[tuple[str, str], Any] = {}
        for name, value in values.items():
            step, _, parameter = name.partition(".")
            if name in fields:
                chosen.update(dict.fromkeys(fields[name], value))
            elif parameter and step in steps:
                chosen[step, parameter] = value
            else:
                raise ParameterError(
                    f"{name!r} is asked for nowhere in the workflow {self.name}. Its fields are: {', '.join(fields)}; "
                    f"any other parameter is given as step.parameter, with the steps {', '.join(steps)}."
                )
        return self.model_copy(update={"protocols": tuple(_filled(step, chosen) for step in self.protocols)})


def read_workflow(source: str | Path) -> Workflow:
    """Read a workflow from a file, or a shipped one by its name.

    Raises
    ------
    WorkflowError
        If there is none, or it is not valid.
    """
    shipped = shipped_workflows()
    path = shipped.get(str(source), Path(source))
    if not path.is_file():
        raise WorkflowError(
            f"There is no workflow {str(source)!r}: neither a file nor one of those that come with emlab "
            f"({', '.join(shipped)})."
        )
    return parse_workflow(path.read_text(encoding="utf-8"), str(path))


def parse_workflow(text: str, origin: str) -> Workflow:
    """Make a workflow of its JSON.

    Raises
    ------
    WorkflowError
        If it is not valid; ``origin`` says where it came from.
    """
    try:
        workflow = Workflow.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise WorkflowError(f"{origin} is not JSON: {error.msg} in line {error.lineno}.") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise WorkflowError(f"{origin} is not a workflow: {problems}.") from None
    names = [step.name for step in workflow.protocols]
    if twice := {name for name in names if names.count(name) > 1}:
        raise WorkflowError(f"{origin}: two steps have the name {', '.join(sorted(twice))}; each needs its own.")
    return workflow


def shipped_workflows() -> dict[str, Path]:
    """The workflows that come with emlab, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "shipped").glob("*.json"))}


def _field(value: Any) -> str | None:
    return value["field"] if isinstance(value, dict) and set(value) == {"field"} else None


def _filled(step: Step, chosen: Mapping[tuple[str, str], Any]) -> Step:
    given = {name: value for name, value in step.parameters.items() if _field(value) is None}
    given |= {parameter: value for (name, parameter), value in chosen.items() if name == step.name}
    return step.model_copy(update={"parameters": given})
