"""A step with other parameters: a new run of it, and of every step that builds on it, beside those that were."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from emlab.engine.pipeline import Stage, current_stages, stages_of_runs, step_of
from emlab.errors import ParameterError, SessionError
from emlab.model import RECORDS, validated
from emlab.protocols import PROTOCOLS
from emlab.sets import Catalogue, Ledger


@dataclass(frozen=True)
class Revision:
    """A run, and the one that takes its place."""

    old: Stage
    new: Stage


def revised(catalogue: Catalogue, step: str, changes: Mapping[str, Any]) -> list[Revision]:
    """What changes when a step gets other parameters: its run, and those of the steps that build on it.

    Parameters
    ----------
    step
        The step's name, or that of its present run.
    changes
        The parameters that change, by name.

    Raises
    ------
    SessionError
        If there is no such step, it takes files in, or nothing would change.
    ParameterError
        If a parameter is unknown or out of range.
    """
    runs = catalogue.runs()
    stages = current_stages(runs, stages_of_runs(runs, PROTOCOLS))
    changed = next((stage for stage in stages if step in (stage.name, step_of(stage.name))), None)
    if changed is None:
        raise SessionError(
            f"There is no step {step!r}; there are: {', '.join(step_of(stage.name) for stage in stages)}."
        )
    if changed.protocol.is_source:
        raise SessionError(f"The step {step} imports files, and that cannot be repeated; create another session.")
    if unknown := changes.keys() - changed.values.keys():
        raise ParameterError(
            f"{step} has no parameter {', '.join(sorted(unknown))}; it has: {', '.join(changed.values)}."
        )
    parameters = validated(changed.protocol.parameters, {**changed.values, **changes}, f"Step {step}")
    if parameters == changed.parameters:
        raise SessionError(f"Nothing to change: {changed.name} already has these parameters.")
    names, sets = {run.name for run in runs}, set(catalogue.sets())
    renamed: dict[str, str] = {}
    revisions = []
    for stage in stages:
        if stage is not changed and not renamed.keys() & set(stage.inputs):
            continue
        outputs = {kind: _next(RECORDS[kind].plural, sets) for kind in stage.outputs}
        new = replace(
            stage,
            name=_next(step_of(stage.name), names),
            parameters=parameters if stage is changed else stage.parameters,
            inputs=tuple(renamed.get(name, name) for name in stage.inputs),
            outputs=outputs,
        )
        names.add(new.name)
        sets.update(outputs.values())
        renamed |= {old: outputs[kind] for kind, old in stage.outputs.items()}
        revisions.append(Revision(stage, new))
    return revisions


def record_revisions(ledger: Ledger, revisions: Sequence[Revision]) -> None:
    """Make revisions durable, all or none."""
    with ledger.transaction():
        for revision in revisions:
            ledger.add_run(revision.new.to_run(), revision.new.kinds)
            ledger.supersede(revision.old.name, revision.new.name)


def _next(name: str, taken: Collection[str]) -> str:
    return next(numbered for number in count(2) if (numbered := f"{name}-{number}") not in taken)
