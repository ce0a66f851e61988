"""Stages are connected by the kinds that they consume, or as the workflow says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emlab.engine.pipeline import Stage, build_stages, stages_of_runs
from emlab.errors import ParameterError, WorkflowError
from emlab.model import Protocol
from emlab.sets import Run
from emlab.workflow import parse_workflow

IMPORT = {"name": "import", "protocol": "toy_import", "parameters": {"folder": "/data"}}
CTF = {"name": "ctf", "protocol": "toy_ctf"}
SELECT = {"name": "select", "protocol": "toy_select"}


def build(toys: dict[str, Protocol], *steps: dict[str, Any]) -> list[Stage]:
    text = json.dumps({"name": "toy", "title": "Toy", "protocols": steps})
    return build_stages(parse_workflow(text, "toy.json"), toys)


def test_each_kind_comes_from_the_nearest_step_before(toys: dict[str, Protocol]) -> None:
    first, second, third = build(toys, IMPORT, CTF, SELECT)
    assert first.inputs == ("arrivals",)
    assert second.inputs == ("micrographs",)
    assert third.inputs == ("micrographs", "ctfs")
    assert third.outputs == {"accepted": "accepted", "rejected": "rejected"}
    assert [stage.depth for stage in (first, second, third)] == [0, 1, 2]
    assert first.kinds == {"arrivals": "arrival", "micrographs": "micrograph"}


def test_a_second_run_of_a_protocol_has_sets_of_its_own(toys: dict[str, Protocol]) -> None:
    *_, again, select = build(
        toys, IMPORT, CTF, {**CTF, "name": "again"}, {**SELECT, "inputs": ["ctf.ctfs", "import.micrographs"]}
    )
    assert again.outputs == {"ctf": "ctfs-2"}
    assert select.inputs == ("micrographs", "ctfs")


def test_stages_survive_the_database(toys: dict[str, Protocol]) -> None:
    stages = build(toys, IMPORT, CTF, SELECT)
    runs = [stage.to_run() for stage in stages]
    runs = [Run(**{**vars(run), "outputs": {**run.outputs, **run.outputs}}) for run in runs]
    assert stages_of_runs(runs, toys) == stages


def test_the_digest_tells_parameters_apart(toys: dict[str, Protocol]) -> None:
    (one,), (same,), (other,) = (
        build(toys, {**IMPORT, "parameters": {"folder": "/data", "settle_time": seconds}}) for seconds in (1, 1, 2)
    )
    assert one.to_run().digest == same.to_run().digest != other.to_run().digest


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([{**CTF, "protocol": "toy"}], r"no protocol 'toy'. The protocols are: toy_import, toy_ctf, toy_select"),
        ([CTF], r"Step ctf \(toy_ctf\) needs micrographs, but the steps before it produce nothing"),
        ([IMPORT, {**CTF, "inputs": ["other.micrographs"]}], "needs micrographs of the step other"),
        ([], "has no steps"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    toys: dict[str, Protocol], steps: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(WorkflowError, match=complaint):
        build(toys, *steps)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({}, "folder is missing: The folder that the microscope writes to"),
        ({"folder": "/data", "settle_time": -1}, r"settle_time is -1 s; input should be greater than or equal to 0 s"),
        ({"folder": "/data", "foldr": 1}, "foldr is not a parameter; the parameters are: folder, pattern"),
        ({"folder": "/data", "settle_time": "soon"}, "settle_time is 'soon'"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_right(
    toys: dict[str, Protocol], parameters: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ParameterError, match=complaint):
        build(toys, {**IMPORT, "parameters": parameters})
