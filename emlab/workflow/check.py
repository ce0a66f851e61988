"""What is wrong with the answers to a form, a plain sentence for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from emlab.errors import ParameterError
from emlab.protocols import PROTOCOLS
from emlab.workflow.question import Question, questions_of
from emlab.workflow.workflow import Workflow

_NUMBERS = {
    "float_parsing", "float_type", "int_parsing", "int_type", "int_from_float", "finite_number",
}  # fmt: skip


def complaints(workflow: Workflow, answers: Mapping[str, Any]) -> dict[str, str]:
    """Give a sentence for each question whose answer cannot be used, by the question's name.

    Parameters
    ----------
    answers
        By the questions' names; one that is ``None`` or an empty text is none.
    """
    questions = {question.name: question for question in questions_of(workflow)}
    given = {name: None if answer == "" else answer for name, answer in answers.items() if name in questions}
    found = {
        name: complaint
        for name, asked in workflow.fields.items()
        if name in questions and (complaint := asked.complaint(given.get(name, asked.default)))
    }
    found |= {
        name: _missing(questions[name])
        for name in found
        if given.get(name, workflow.fields[name].default) in (None, "")
    }
    fine = {name: answer for name, answer in given.items() if name not in found}
    open_fields = {
        name: asked.model_copy(update={"required": False, "default": None if name in found else asked.default})
        for name, asked in workflow.fields.items()
    }
    try:
        filled = workflow.model_copy(update={"fields": open_fields}).filled(fine)
    except ParameterError as error:
        name = str(error).partition(" ")[0]
        return {**found, (name if name in questions else next(iter(questions))): str(error)}
    owners = {place: question for question in questions.values() for place in question.places}
    for step in filled.protocols:
        try:
            PROTOCOLS[step.protocol].parameters.model_validate(step.parameters)
        except ValidationError as error:
            for problem in error.errors():
                parameter = str(problem["loc"][0]) if problem["loc"] else ""
                if (owner := owners.get((step.name, parameter))) is not None:
                    found.setdefault(owner.name, _sentence(owner, problem))
                else:
                    found.setdefault(next(iter(questions), ""), f"{step.name}: {parameter} {problem['msg']}.")
    return found


def _sentence(question: Question, problem: Any) -> str:
    kind = problem["type"]
    if kind == "missing":
        return _missing(question)
    if kind in _NUMBERS:
        what = "a whole number" if question.kind == "whole" else "a number"
        return f"“{problem['input']}” is not {what} such as {_example(question)}."
    if "than" in kind:
        return f"It must be {question.limits}{f' {question.unit}' if question.unit else ''}."
    if kind.startswith("datetime"):
        return f"“{problem['input']}” is not a date and time; write it like 2026-11-26 18:30."
    if kind.startswith("bool"):
        return f"“{problem['input']}” is neither yes nor no."
    message = str(problem["msg"]).removeprefix("Value error, ")
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def _missing(question: Question) -> str:
    if question.kind == "file":
        return f"Give the path of {question.accepts or 'a file'}."
    return "Give a folder." if question.kind == "folder" else "Give a value."


def _example(question: Question) -> str:
    if isinstance(question.default, int | float) and not isinstance(question.default, bool):
        return f"{question.default:g}"
    return "12" if question.kind == "whole" else "1.5"
