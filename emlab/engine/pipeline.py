"""A workflow made concrete: stages with validated parameters, joined by named sets."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emlab.errors import WorkflowError
from emlab.model import Arrival, Parameters, Protocol, Record, validated
from emlab.sets import Run
from emlab.version import __version__
from emlab.workflow import Step, Workflow


@dataclass(frozen=True)
class Stage:
    """A run together with its protocol.

    Attributes
    ----------
    name
        The run's name.
    protocol, parameters
        What is done, and how.
    inputs
        Names of the sets consumed, in the order of ``protocol.consumes``.
    outputs
        Name of the set that each kind of record goes to.
    depth
        How many stages lie before it; deeper stages go first, so that items come out whole.
    """

    name: str
    protocol: Protocol
    parameters: Parameters
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    depth: int

    @cached_property
    def values(self) -> dict[str, Any]:
        """The parameters' values, of JSON's types."""
        return self.parameters.model_dump(mode="json")

    def to_run(self) -> Run:
        """Give what the session's database keeps of the stage."""
        identity = json.dumps([self.protocol.name, self.values, self.inputs], sort_keys=True)
        return Run(
            name=self.name,
            protocol=self.protocol.name,
            parameters=self.values,
            inputs=self.inputs,
            outputs=dict(self.outputs),
            digest=hashlib.sha256(identity.encode()).hexdigest(),
            version=__version__,
            created_at=time.time(),
        )

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of record of each set that the stage owns; a source owns the arrivals too."""
        owned = {name: kind for kind, name in self.outputs.items()}
        return {self.inputs[0]: Arrival.kind, **owned} if self.protocol.is_source else owned


def build_stages(workflow: Workflow, protocols: Mapping[str, Protocol]) -> list[Stage]:
    """Stages of a filled workflow, in its order.

    Raises
    ------
    WorkflowError
        If a protocol is unknown, or an input is made by no step before.
    ParameterError
        If a parameter is missing, unknown or out of range.
    """
    stages: list[Stage] = []
    taken: set[str] = set()
    for step in workflow.protocols:
        protocol = protocols.get(step.protocol)
        if protocol is None:
            raise WorkflowError(
                f"Step {step.name}: there is no protocol {step.protocol!r}. The protocols are: {', '.join(protocols)}."
            )
        parameters = validated(protocol.parameters, step.parameters, f"Step {step.name} ({protocol.name})")
        if protocol.is_source:
            inputs: tuple[str, ...] = (_unused(Arrival.plural, taken),)
        else:
            inputs = tuple(_source(step, kind, stages) for kind in protocol.consumes)
        outputs = {kind.kind: _unused(kind.plural, taken) for kind in protocol.produces}
        depth = 1 + max((stage.depth for stage in stages if set(stage.outputs.values()) & set(inputs)), default=-1)
        stages.append(Stage(step.name, protocol, parameters, inputs, outputs, depth))
    if not stages:
        raise WorkflowError(f"The workflow {workflow.name} has no steps.")
    return stages


def stages_of_runs(runs: Iterable[Run], protocols: Mapping[str, Protocol]) -> list[Stage]:
    """Stages of the runs that a session's database holds.

    Raises
    ------
    WorkflowError
        If this emlab does not have a run's protocol.
    """
    stages: list[Stage] = []
    for run in runs:
        protocol = protocols.get(run.protocol)
        if protocol is None:
            raise WorkflowError(f"Run {run.name} needs the protocol {run.protocol!r}, which this emlab does not have.")
        parameters = validated(protocol.parameters, run.parameters, f"Run {run.name}")
        own = {kind.kind for kind in protocol.produces}
        outputs = {kind: name for kind, name in run.outputs.items() if kind in own}
        depth = 1 + max((stage.depth for stage in stages if set(stage.outputs.values()) & set(run.inputs)), default=-1)
        stages.append(Stage(run.name, protocol, parameters, run.inputs, outputs, depth))
    return stages


def current_stages(runs: Iterable[Run], stages: Iterable[Stage]) -> list[Stage]:
    """Stages of the runs that no other has superseded."""
    return [stage for run, stage in zip(runs, stages, strict=True) if run.superseded_by is None]


def step_of(run: str) -> str:
    """Name of the step that a run is of, one of several where its parameters were changed."""
    return run.partition("-")[0]


def _source(step: Step, kind: type[Record], stages: list[Stage]) -> str:
    """Name the set that a step takes its records of a kind from."""
    makers = [stage for stage in stages if kind.kind in stage.outputs]
    named = [name.partition(".") for name in step.inputs]
    chosen = [origin for origin, _, plural in named if plural == kind.plural]
    if chosen:
        makers = [stage for stage in makers if stage.name == chosen[0]]
    if not makers:
        found = ", ".join(f"{stage.name}.{name}" for stage in stages for name in stage.outputs.values()) or "nothing"
        raise WorkflowError(
            f"Step {step.name} ({step.protocol}) needs {kind.plural}"
            + (f" of the step {chosen[0]}" if chosen else "")
            + f", but the steps before it produce {found}."
        )
    return makers[-1].outputs[kind.kind]


def _unused(plural: str, taken: set[str]) -> str:
    name, number = plural, 1
    while name in taken:
        number += 1
        name = f"{plural}-{number}"
    taken.add(name)
    return name
