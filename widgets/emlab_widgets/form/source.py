"""The import that a template begins with: which questions fill it, and what its folder holds."""

from __future__ import annotations

import math
from typing import Any, Final

from pydantic import ValidationError

from emlab.engine.probe import Findings, Reading
from emlab.errors import ParameterError
from emlab.model import Protocol
from emlab.model.acquisition import Acquisition
from emlab.protocols import PROTOCOLS
from emlab.workflow import Question, Workflow
from emlab_widgets.form.answers import Answers, is_empty

_APART: Final = 0.02
"""How far a number may be from what a file tells before it is doubted, relative."""
_READ: Final = ("pixel_size", "voltage", "dose_per_frame", "total_dose")
"""What files tell."""
_NEEDED: Final = ("pixel_size", "voltage")
"""What an import cannot do without, given or read."""


class Source:
    """The first import of a workflow, its questions, and what is known of its folder.

    Attributes
    ----------
    findings
        What the folder holds now; ``None`` while nothing is known.
    trouble
        Why it cannot be looked through; empty where it can.
    folder
        The name of the question for the folder; empty where the template fixes it.
    """

    def __init__(self, workflow: Workflow, answers: Answers) -> None:
        self.findings: Findings | None = None
        self.trouble = ""
        self._workflow = workflow
        self._answers = answers
        self._step = next((step for step in workflow.protocols if PROTOCOLS[step.protocol].is_source), None)
        self._names = {
            parameter: question.name
            for question in answers.questions
            for place, parameter in question.places
            if self._step is not None and place == self._step.name
        }
        self.folder = self._names.get("folder", "")

    @property
    def path(self) -> str:
        """The folder that was given."""
        return str(self._answers.value(self._answers.question(self.folder)) or "") if self.folder else ""

    def forget(self, name: str) -> None:
        """Take what is known of the folder for nothing, where the question of that name decides which files it is."""
        if name in (self.folder, self._names.get("pattern")):
            self.findings, self.trouble = None, ""

    def note(self, told: Findings | str) -> None:
        """Take note of what the folder holds, or of why that cannot be told."""
        if isinstance(told, str):
            self.findings, self.trouble = None, told
        # While a folder is looked through again, what is known of its files stays known.
        elif told.is_done or not (self.findings and self.findings.is_done):
            self.findings, self.trouble = told, ""

    def can_be_read(self, question: Question) -> bool:
        """Whether files may tell what a question asks."""
        return question.name in [self._names.get(parameter) for parameter in _READ]

    def reading(self, question: Question) -> Reading | None:
        """What the files tell in place of an answer."""
        readings = self.findings.readings if self.findings else {}
        return next((found for name, found in readings.items() if self._names.get(name) == question.name), None)

    def doubt(self, question: Question) -> str:
        """Say that an answer is not what the files tell; empty where it is."""
        reading, value = self.reading(question), _number(self._answers.value(question))
        if reading is None or value is None or math.isclose(value, reading.value, rel_tol=_APART):
            return ""
        found = f"{reading.value:.4g} {question.unit}".rstrip()
        return f"{reading.source[0].upper()}{reading.source[1:]} states {found}; the value here takes precedence."

    def complaints(self) -> dict[str, str]:
        """What is wrong with the folder and with what its files do not tell, by the questions' names."""
        found: dict[str, str] = {}
        findings = self.findings
        if self.folder and self.trouble:
            found[self.folder] = self.trouble
        elif self.folder and findings and findings.is_done and findings.trouble:
            found[self.folder] = f"The newest file cannot be used: {findings.trouble}"
        for parameter in _NEEDED if findings and findings.facts else ():
            name = self._names.get(parameter, "")
            is_open = name and is_empty(self._answers.value(self._answers.question(name)))
            if is_open and findings and parameter not in findings.readings:
                found[name] = "No file states it; give a value."
        return found

    def to_probe(self, wrong: set[str]) -> tuple[Acquisition, Protocol] | None:
        """What to look through the folder with; ``None`` where that is not to be told.

        Parameters
        ----------
        wrong
            The questions whose answers cannot be used.
        """
        if self._step is None or (self.folder in wrong and not (self.trouble or self.findings)):
            return None
        protocol = PROTOCOLS[self._step.protocol]
        parameters = self._parameters(protocol, wrong - {self.folder})
        return (parameters, protocol) if parameters else None

    def _parameters(self, protocol: Protocol, wrong: set[str]) -> Acquisition | None:
        """The import's parameters as far as they can be used."""
        values: dict[str, Any] = {question.name: question.default for question in self._answers.questions}
        usable = {name: value for name, value in (values | self._answers.given).items() if name not in wrong}
        try:
            filled = self._workflow.model_copy(update={"fields": {}}).filled(usable)
            found = next(one for one in filled.protocols if self._step and one.name == self._step.name).parameters
            model = protocol.parameters.model_validate(found)
        except (ParameterError, ValidationError):
            return None
        return model if isinstance(model, Acquisition) else None


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or is_empty(value) else float(value)
    except (TypeError, ValueError):
        return None
