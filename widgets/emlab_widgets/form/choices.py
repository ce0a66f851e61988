"""The templates that a person can choose."""

from __future__ import annotations

from dataclasses import dataclass

from emlab.errors import WorkflowError
from emlab.workflow import questions_of, read_workflow, templates


@dataclass(frozen=True)
class Choice:
    """A template to choose.

    Attributes
    ----------
    source
        Its name, or its path.
    title
        For people.
    trouble
        Why it cannot be used; empty where it can.
    """

    source: str
    title: str
    trouble: str = ""


def choices(extra: str | None) -> list[Choice]:
    """Give the templates that are known by name, after one ``extra`` where there is one."""
    sources = dict.fromkeys([*([extra] if extra else []), *templates()])
    found = []
    for source in sources:
        try:
            workflow = read_workflow(source)
            questions_of(workflow)
        except WorkflowError as error:
            found.append(Choice(source, source, str(error)))
        else:
            found.append(Choice(source, workflow.title))
    return found
