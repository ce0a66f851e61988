"""Workflows: which protocols, how they connect, what a person is asked."""

from emlab.workflow.check import complaints
from emlab.workflow.field import Asked, Kind
from emlab.workflow.library import Entry, read_workflow, templates
from emlab.workflow.parse import parse_workflow
from emlab.workflow.question import Question, questions_of
from emlab.workflow.workflow import Step, Workflow

__all__ = [
    "Asked",
    "Entry",
    "Kind",
    "Question",
    "Step",
    "Workflow",
    "complaints",
    "parse_workflow",
    "questions_of",
    "read_workflow",
    "templates",
]
