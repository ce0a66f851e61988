"""Making a workflow of a text: emlab's own JSON, Scipion's, and templates of either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from emlab.errors import WorkflowError
from emlab.workflow.scipion import converted, is_scipion
from emlab.workflow.text import Opened, open_text
from emlab.workflow.workflow import Workflow


def parse_workflow(text: str, origin: str) -> Workflow:
    """Make a workflow of its text.

    Parameters
    ----------
    text
        emlab's JSON object or Scipion's JSON list. Where ``origin`` ends with ``.template``, it may have lines of
        description before it, ``~label|default|type|alias~`` in place of values, and ``%(NAME)s`` for a variable
        of the environment.
    origin
        Where it came from, for messages.

    Raises
    ------
    WorkflowError
        If it is not valid.
    """
    opened = open_text(text, origin) if origin.endswith(".template") else Opened("", text, {}, ())
    try:
        found = opened.placed(json.loads(opened.json))
    except RecursionError:
        raise WorkflowError(f"{origin} is nested too deeply to be a workflow.") from None
    except json.JSONDecodeError as error:
        raise WorkflowError(f"{origin} is not JSON: {error.msg} in line {error.lineno + opened.skipped}.") from None
    if is_scipion(found):
        return converted(found, opened, _name(origin), origin)
    if isinstance(found, dict) and opened.fields:
        described = {name: field.asked.model_dump(exclude_defaults=True) for name, field in opened.fields.items()}
        found = {"description": opened.description, **found, "fields": {**described, **found.get("fields", {})}}
        found["notes"] = [*opened.notes, *found.get("notes", [])]
    return _valid(found, origin)


def _valid(found: Any, origin: str) -> Workflow:
    try:
        workflow = Workflow.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise WorkflowError(f"{origin} is not a workflow: {problems}.") from None
    names = [step.name for step in workflow.protocols]
    if twice := {name for name in names if names.count(name) > 1}:
        raise WorkflowError(f"{origin}: two steps are named {', '.join(sorted(twice))}; give each its own name.")
    unknown = {other for asked in workflow.fields.values() for other in asked.when} - set(workflow.places)
    if unknown:
        raise WorkflowError(f"{origin}: a field depends on {', '.join(sorted(unknown))}, but there is no such field.")
    return workflow


def _name(origin: str) -> str:
    return Path(origin).name.partition(".")[0] or "workflow"
