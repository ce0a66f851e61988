"""The launch form without its widgets: templates, answers, what is wrong with them, and the start."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from emlab.creation import fill_session, propose_path
from emlab.engine.probe import Findings, Reading
from emlab.errors import EmlabError, ParameterError, WorkflowError
from emlab.model import Protocol
from emlab.model.acquisition import Acquisition
from emlab.protocols import PROTOCOLS
from emlab.session import Session
from emlab.workflow import Question, Workflow, complaints, questions_of, read_workflow, templates
from emlab_widgets.form.memory import Memory, Remembered

_NAME: Final = re.compile(r"[\w][\w .+()-]*")
_LONGEST: Final = 120
_APART: Final = 0.02
"""How far a number may be from what a file tells before it is doubted, relative."""
_NEEDED: Final = ("pixel_size", "voltage")
"""What an import cannot do without, given or read."""


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


class LaunchModel:
    """What the form knows.

    Parameters
    ----------
    sessions
        The folder that sessions are created in.
    extra
        A template beyond those that are known by name.
    memory
        What was last used.

    Attributes
    ----------
    choices
        The templates.
    workflow, questions
        Of the chosen one.
    name
        The session's.
    findings
        What the folder holds now; ``None`` while nothing is known.
    """

    def __init__(self, sessions: Path, extra: str | None = None, memory: Memory | None = None) -> None:
        self.sessions = sessions
        self.memory = memory or Memory()
        self.choices = _choices(extra)
        self.findings: Findings | None = None
        self.workflow: Workflow
        self.questions: list[Question]
        self.source = ""
        self._answers: dict[str, Any] = {}
        self._touched: set[str] = set()
        self._folder_trouble = ""
        self._failure: dict[str, str] = {}
        self._name: str | None = None
        usable = [choice.source for choice in self.choices if not choice.trouble]
        self.choose(extra if extra in usable else "screening" if "screening" in usable else usable[0])

    def choose(self, source: str) -> None:
        """Take another template; what was answered is kept where it is asked again.

        Raises
        ------
        WorkflowError
            If it cannot be used.
        """
        workflow = read_workflow(source)
        self.questions = questions_of(workflow)
        self.workflow, self.source = workflow, source
        self.findings, self._folder_trouble, self._failure = None, "", {}

    def answer(self, name: str, value: Any) -> None:
        """Note what a person typed or chose."""
        question = self.question(name)
        self._answers[_key(question, self.questions)] = value
        self._touched.add(name)
        self._failure = {}
        if name in (self._asked_of_source("folder"), self._asked_of_source("pattern")):
            self.findings, self._folder_trouble = None, ""

    def question(self, name: str) -> Question:
        """Give a question by its name."""
        return next(question for question in self.questions if question.name == name)

    def value(self, question: Question) -> Any:
        """The answer, or what is proposed."""
        return self._answers.get(_key(question, self.questions), question.default)

    def is_asked(self, question: Question) -> bool:
        """Whether the other answers let a question be asked."""
        return question.is_asked({other.name: self.value(other) for other in self.questions})

    def is_due(self, question: Question) -> bool:
        """Whether it is time to say what is wrong with an answer: not before a person came to it."""
        return question.name in self._touched or question.name in self._failure or self.findings is not None

    @property
    def name(self) -> str:
        """The session's name: proposed until one is given."""
        return self._name if self._name is not None else propose_path(self.sessions, self._folder).name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def path(self) -> Path:
        """Where the session is to be created."""
        return self.sessions / self.name.strip()

    @property
    def name_complaint(self) -> str:
        """What is wrong with the session's name; empty if nothing."""
        name = self.name.strip()
        if not name:
            return "Give a name."
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            return "It becomes a folder's name: letters, digits, spaces and . _ - + ( ), and not a dot in front."
        if self.path.exists():
            return f"There is a session or a folder of that name in {self.sessions} already."
        return ""

    @property
    def complaints(self) -> dict[str, str]:
        """A sentence for each question whose answer cannot be used, by the question's name."""
        asked = {question.name: question for question in self.questions if self.is_asked(question)}
        found = {name: said for name, said in complaints(self.workflow, self._given()).items() if name in asked}
        for question in asked.values():
            if question.name not in found and (said := self._path_complaint(question)):
                found[question.name] = said
        folder = self._asked_of_source("folder")
        if folder and self._folder_trouble:
            found.setdefault(folder, self._folder_trouble)
        if self.findings and self.findings.is_done and self.findings.trouble and folder:
            found.setdefault(folder, f"The newest file cannot be used: {self.findings.trouble}")
        if self.findings and self.findings.facts:
            for parameter in _NEEDED:
                name = self._asked_of_source(parameter)
                if name in asked and _is_empty(self.value(asked[name])) and parameter not in self.findings.readings:
                    found.setdefault(name, "No file tells it; give a value.")
        return found | {name: said for name, said in self._failure.items() if name in asked}

    @property
    def blockers(self) -> list[str]:
        """Why nothing can be started now, a sentence each."""
        labels = {question.name: question.label for question in self.questions}
        said = [f"{labels[name]}: {complaint}" for name, complaint in self.complaints.items()]
        if self.name_complaint:
            said.append(f"Session name: {self.name_complaint}")
        return said

    def reading(self, question: Question) -> Reading | None:
        """What the files tell in place of an answer."""
        if self.findings is None or question.name not in self._source_questions.values():
            return None
        parameter = next(name for name, asked in self._source_questions.items() if asked == question.name)
        return self.findings.readings.get(parameter)

    def doubt(self, question: Question) -> str:
        """Say that an answer is not what the files tell; empty where it is."""
        reading, value = self.reading(question), _number(self.value(question))
        if reading is None or value is None or math.isclose(value, reading.value, rel_tol=_APART):
            return ""
        found = f"{reading.value:.4g} {question.unit}".rstrip()
        return f"{reading.source[0].upper()}{reading.source[1:]} tells {found}; what stands here wins."

    def to_probe(self) -> tuple[Acquisition, Protocol] | None:
        """What to look through the folder with; ``None`` where no folder is given."""
        folder = self._asked_of_source("folder")
        if folder in self.complaints and not (self._folder_trouble or self.findings):
            return None
        step = next((step for step in self.workflow.protocols if PROTOCOLS[step.protocol].is_source), None)
        parameters = self._source_parameters() if step else None
        return (parameters, PROTOCOLS[step.protocol]) if step and parameters else None

    @property
    def source_question(self) -> str:
        """The question for the folder; empty where the template fixes it."""
        return self._asked_of_source("folder")

    def note(self, told: Findings | str) -> None:
        """Take note of what the folder holds."""
        if isinstance(told, str):
            self.findings, self._folder_trouble = None, told
        else:
            # While a folder is looked through again, what is known of its files stays known.
            if not told.is_done and self.findings and self.findings.is_done:
                return
            self.findings, self._folder_trouble = told, ""

    @property
    def draft(self) -> str:
        """What a page keeps, so that it is there again when the page is loaded anew."""
        return json.dumps({"template": self.source, "answers": self._answers, "name": self._name})

    def restore(self, draft: str) -> bool:
        """Take a draft back; ``False`` where it is none, or names no template that is there."""
        try:
            found = json.loads(draft)
            source, answers, name = found["template"], dict(found["answers"]), found["name"]
        except (ValueError, TypeError, KeyError):
            return False
        if not self._take(source, answers):
            return False
        self._name = name if isinstance(name, str) else None
        return True

    @property
    def last(self) -> Remembered | None:
        """What a session was last started with."""
        return self.memory.last()

    def use_last(self) -> bool:
        """Take the answers of the last start; ``False`` where there are none."""
        last = self.last
        return last is not None and self._take(last.template, last.answers)

    def start(self, progress: Callable[[str], None] = lambda _: None) -> Session:
        """Create the session and start its engine.

        Parameters
        ----------
        progress
            Told what is being done.

        Raises
        ------
        EmlabError
            If that is not possible; the sentence stands at its question too where it names one.
        """
        if self.blockers:
            raise ParameterError(" ".join(self.blockers))
        try:
            progress("Checking the files …")
            session = fill_session(self.path, self.source, self.name.strip(), self._given())
        except EmlabError as error:
            self._failure = self._attributed(str(error))
            raise
        progress("Starting the engine …")
        session.start()
        self.memory.remember(self.source, self._answers)
        return session

    def _take(self, source: Any, answers: Mapping[str, Any]) -> bool:
        if source not in [choice.source for choice in self.choices if not choice.trouble]:
            return False
        self._answers = {
            str(name): value for name, value in answers.items() if isinstance(value, str | int | float | bool)
        }
        self.choose(source)
        self._touched = {
            question.name for question in self.questions if _key(question, self.questions) in self._answers
        }
        return True

    def _given(self) -> dict[str, Any]:
        """The answers that differ from what is proposed; a question that is not asked has none."""
        given: dict[str, Any] = {}
        for question in self.questions:
            value = self.value(question)
            if not self.is_asked(question):
                given[question.name] = None
            elif value != question.default:
                given[question.name] = None if _is_empty(value) else value
        return given

    @property
    def _folder(self) -> str:
        name = self._asked_of_source("folder")
        return str(self.value(self.question(name)) or "") if name else ""

    @property
    def _source_questions(self) -> dict[str, str]:
        """The first import's parameters → the questions that fill them."""
        step = next((step.name for step in self.workflow.protocols if PROTOCOLS[step.protocol].is_source), "")
        return {
            parameter: question.name
            for question in self.questions
            for place, parameter in question.places
            if place == step
        }

    def _asked_of_source(self, parameter: str) -> str:
        return self._source_questions.get(parameter, "")

    def _source_parameters(self) -> Acquisition | None:
        """The import's parameters as far as they can be used."""
        step = next(step for step in self.workflow.protocols if PROTOCOLS[step.protocol].is_source)
        wrong = self.complaints.keys() - {self._asked_of_source("folder")}
        values = {question.name: question.default for question in self.questions} | self._given()
        usable = {name: value for name, value in values.items() if name not in wrong}
        try:
            filled = self.workflow.model_copy(update={"fields": {}}).filled(usable)
            parameters = next(one for one in filled.protocols if one.name == step.name).parameters
            model = PROTOCOLS[step.protocol].parameters.model_validate(parameters)
        except (ParameterError, ValidationError):
            return None
        return model if isinstance(model, Acquisition) else None

    def _path_complaint(self, question: Question) -> str:
        value = self.value(question)
        if question.kind not in ("file", "folder") or _is_empty(value):
            return ""
        path = Path(str(value).strip())
        if not str(path).startswith(("/", "~")):
            return "Give the whole path, from / on."
        if question.kind == "file" and not path.expanduser().is_file():
            return "There is no such file."
        return ""

    def _attributed(self, message: str) -> dict[str, str]:
        """The questions whose parameters a message names."""
        return {
            question.name: message
            for question in self.questions
            for _, parameter in question.places
            if re.search(rf"\b{parameter}\b", message)
        }


def _choices(extra: str | None) -> list[Choice]:
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


def _key(question: Question, questions: list[Question]) -> str:
    """What an answer is kept under: by the parameter, unless two questions fill the same."""
    first = next(other for other in questions if other.identity == question.identity)
    return question.identity if first is question else f"{question.identity} {question.name}"


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or _is_empty(value) else float(value)
    except (TypeError, ValueError):
        return None


def when(at: float) -> str:
    """Say when something was, for people."""
    return time.strftime("%-d %b, %H:%M", time.localtime(at))
