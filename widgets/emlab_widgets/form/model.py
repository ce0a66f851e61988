"""The launch form without its widgets: what it asks, what is wrong with the answers, and the start."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from emlab.creation import fill_session, propose_path
from emlab.engine.probe import Findings, Reading
from emlab.errors import EmlabError, ParameterError
from emlab.model import Protocol
from emlab.model.acquisition import Acquisition
from emlab.session import Session
from emlab.workflow import Question, Workflow, complaints, questions_of, read_workflow
from emlab_widgets.form.answers import Answers, is_empty
from emlab_widgets.form.choices import choices
from emlab_widgets.form.memory import Memory, Remembered
from emlab_widgets.form.source import Source
from emlab_widgets.form.told import Told

_NAME: Final = re.compile(r"[\w][\w .+()-]*")
_LONGEST: Final = 120


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
    source
        The chosen one's name, or its path.
    workflow
        What it holds.
    told
        Who is to be told of alarms.
    """

    def __init__(self, sessions: Path, extra: str | None = None, memory: Memory | None = None) -> None:
        self.sessions = sessions
        self.memory = memory or Memory()
        self.choices = choices(extra)
        self.workflow: Workflow
        self.source = ""
        self.told = Told()
        self._answers = Answers()
        self._import: Source
        self._failure: dict[str, str] = {}
        self._name: str | None = None
        usable = self._usable
        self.choose(extra if extra in usable else "screening" if "screening" in usable else usable[0])

    def choose(self, source: str) -> None:
        """Take another template; what was answered is kept where it is asked again.

        Raises
        ------
        WorkflowError
            If it cannot be used.
        """
        workflow = read_workflow(source)
        self._answers.questions = questions_of(workflow)
        self.workflow, self.source = workflow, source
        self._import, self._failure = Source(workflow, self._answers), {}

    def answer(self, name: str, value: Any) -> None:
        """Note what a person typed or chose."""
        self._answers.give(name, value)
        self._import.forget(name)
        self._failure = {}

    @property
    def questions(self) -> list[Question]:
        """What the template asks."""
        return self._answers.questions

    def question(self, name: str) -> Question:
        """Give a question by its name."""
        return self._answers.question(name)

    def value(self, question: Question) -> Any:
        """The answer, or what is proposed."""
        return self._answers.value(question)

    def is_asked(self, question: Question) -> bool:
        """Whether the other answers let a question be asked."""
        return self._answers.is_asked(question)

    def is_due(self, question: Question) -> bool:
        """Whether it is time to say what is wrong with an answer: not before a person came to it."""
        return self._answers.is_touched(question) or question.name in self._failure or self.findings is not None

    @property
    def name(self) -> str:
        """The session's name: proposed until one is given."""
        return self._name if self._name is not None else propose_path(self.sessions, self._import.path).name

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
            return (
                "The name is also a folder name: use letters, digits, spaces and . _ - + ( ), and do not start with a "
                "dot."
            )
        if self.path.exists():
            return f"{self.sessions} already contains a session or folder of that name."
        return ""

    @property
    def complaints(self) -> dict[str, str]:
        """A sentence for each question whose answer cannot be used, by the question's name."""
        asked = [question for question in self.questions if self.is_asked(question)]
        said = {
            **self._import.complaints(),
            **{question.name: wrong for question in asked if (wrong := self._path_complaint(question))},
            **complaints(self.workflow, self._answers.given),
            **self._failure,
        }
        return {question.name: said[question.name] for question in asked if question.name in said}

    @property
    def blockers(self) -> list[str]:
        """Why nothing can be started now, a sentence each."""
        labels = {question.name: question.label for question in self.questions}
        said = [f"{labels[name]}: {complaint}" for name, complaint in self.complaints.items()]
        if self.name_complaint:
            said.append(f"Session name: {self.name_complaint}")
        return said

    @property
    def findings(self) -> Findings | None:
        """What the folder holds now; ``None`` while nothing is known."""
        return self._import.findings

    @property
    def source_question(self) -> str:
        """The question for the folder; empty where the template fixes it."""
        return self._import.folder

    def can_be_read(self, question: Question) -> bool:
        """Whether files may tell what a question asks."""
        return self._import.can_be_read(question)

    def reading(self, question: Question) -> Reading | None:
        """What the files tell in place of an answer."""
        return self._import.reading(question)

    def doubt(self, question: Question) -> str:
        """Say that an answer is not what the files tell; empty where it is."""
        return self._import.doubt(question)

    def to_probe(self) -> tuple[Acquisition, Protocol] | None:
        """What to look through the folder with; ``None`` where no folder is given."""
        return self._import.to_probe(set(self.complaints))

    def note(self, told: Findings | str) -> None:
        """Take note of what the folder holds."""
        self._import.note(told)

    @property
    def draft(self) -> str:
        """What a page keeps, so that it is there again when the page is loaded anew."""
        kept = {"template": self.source, "answers": self._answers.kept, "name": self._name, "told": self.told.chosen}
        return json.dumps(kept)

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
        self.told.take(found.get("told"))
        return True

    @property
    def last(self) -> Remembered | None:
        """What a session was last started with."""
        return self.memory.last()

    def use_last(self) -> bool:
        """Take the answers of the last start; ``False`` where there are none."""
        last = self.last
        if last is None or not self._take(last.template, last.answers):
            return False
        self.told.take(last.told)
        return True

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
            self.told.check()
            session = fill_session(self.path, self.source, self.name.strip(), self._answers.given)
        except EmlabError as error:
            self._failure = self._attributed(str(error))
            raise
        progress("Starting the engine …")
        self.told.keep(session.path)
        session.start()
        self.memory.remember(self.source, self._answers.kept, self.told.chosen)
        return session

    @property
    def _usable(self) -> list[str]:
        return [choice.source for choice in self.choices if not choice.trouble]

    def _take(self, source: Any, answers: Mapping[str, Any]) -> bool:
        if source not in self._usable:
            return False
        self._answers.take(answers)
        self.choose(source)
        self._answers.touch()
        return True

    def _path_complaint(self, question: Question) -> str:
        value = self.value(question)
        if question.kind not in ("file", "folder") or is_empty(value):
            return ""
        path = Path(str(value).strip())
        if not str(path).startswith(("/", "~")):
            return "Give the full path, starting with /."
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
