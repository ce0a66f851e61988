"""Workflows: which protocols, with which parameters, how they connect, and what a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from emlab.errors import ParameterError
from emlab.workflow.field import NOTHING, Asked, Reference, references, resolved


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
        Values, or ``{"field": name}`` for a value that a person is asked for (see `Reference`, `Joined`); what is
        left out has the protocol's default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    protocol: str
    inputs: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)


class Workflow(BaseModel):
    """Protocols and how they connect, read from JSON; a template where it has fields.

    Attributes
    ----------
    fields
        What is said of fields beyond what the parameters say that they fill, in the order of the form.
    notes
        What was left out where the workflow was made of another program's, a sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    description: str = ""
    fields: dict[str, Asked] = Field(default_factory=dict)
    protocols: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def places(self) -> dict[str, list[tuple[Step, str, Reference]]]:
        """What a person is asked for: the field's name → the step and parameter that it fills, and how.

        Those that the template describes come first, in its order; some of them may fill nothing.
        """
        found: dict[str, list[tuple[Step, str, Reference]]] = {name: [] for name in self.fields}
        for step in self.protocols:
            for parameter, value in step.parameters.items():
                for reference in references(value):
                    found.setdefault(reference.field, []).append((step, parameter, reference))
        return found

    def filled(self, values: Mapping[str, Any]) -> Workflow:
        """Give the workflow with its fields filled; a field without a value keeps its default.

        Parameters
        ----------
        values
            By the name of a field, or by ``step.parameter`` for any parameter of any step; ``None`` for the protocol's
            default.

        Raises
        ------
        ParameterError
            For a name that is neither, or a value that the template does not allow.
        """
        fields, steps = list(self.places), {step.name: step for step in self.protocols}
        direct: dict[tuple[str, str], Any] = {}
        answers = {name: asked.default for name, asked in self.fields.items()}
        for name, value in values.items():
            step, _, parameter = name.partition(".")
            if name in fields:
                answers[name] = value
            elif parameter and step in steps:
                direct[step, parameter] = value
            else:
                raise ParameterError(
                    f"{name!r} is not a field of the workflow {self.name}. Its fields are: {', '.join(fields)}; give "
                    f"any other parameter as step.parameter, with one of the steps {', '.join(steps)}."
                )
        complaints = {name: asked.complaint(answers[name]) for name, asked in self.fields.items()}
        if said := [f"{name}: {complaint}" for name, complaint in complaints.items() if complaint]:
            raise ParameterError(" ".join(said))
        return self.model_copy(
            update={"protocols": tuple(_filled(step, answers, direct) for step in self.protocols), "fields": {}}
        )


def _filled(step: Step, answers: Mapping[str, Any], direct: Mapping[tuple[str, str], Any]) -> Step:
    given = {name: resolved(value, answers) for name, value in step.parameters.items()}
    given |= {
        parameter: NOTHING if value is None else value
        for (name, parameter), value in direct.items()
        if name == step.name
    }
    return step.model_copy(
        update={"parameters": {name: value for name, value in given.items() if value is not NOTHING}}
    )
