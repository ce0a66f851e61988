"""What a person answered, whatever the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emlab.workflow import Question


class Answers:
    """Answers to a template's questions, kept by the parameters that they fill: another template has them too.

    Attributes
    ----------
    questions
        Those that are answered now.
    kept
        Every answer, by what it is kept under.
    """

    def __init__(self) -> None:
        self.questions: list[Question] = []
        self.kept: dict[str, Any] = {}
        self._touched: set[str] = set()

    def give(self, name: str, value: Any) -> None:
        """Note what a person typed or chose."""
        self.kept[self._key(self.question(name))] = value
        self._touched.add(name)

    def take(self, kept: Mapping[str, Any]) -> None:
        """Put those of another page or start in the places of all."""
        self.kept = {str(name): value for name, value in kept.items() if isinstance(value, str | int | float | bool)}

    def touch(self) -> None:
        """Take every question that has an answer for one that a person came to."""
        self._touched = {question.name for question in self.questions if self._key(question) in self.kept}

    def is_touched(self, question: Question) -> bool:
        """Whether a person came to a question."""
        return question.name in self._touched

    def question(self, name: str) -> Question:
        """Give a question by its name."""
        return next(question for question in self.questions if question.name == name)

    def value(self, question: Question) -> Any:
        """The answer, or what is proposed."""
        return self.kept.get(self._key(question), question.default)

    def is_asked(self, question: Question) -> bool:
        """Whether the other answers let a question be asked."""
        return question.is_asked({other.name: self.value(other) for other in self.questions})

    @property
    def given(self) -> dict[str, Any]:
        """The answers that differ from what is proposed; a question that is not asked has none."""
        given: dict[str, Any] = {}
        for question in self.questions:
            value = self.value(question)
            if not self.is_asked(question):
                given[question.name] = None
            elif value != question.default:
                given[question.name] = None if is_empty(value) else value
        return given

    def _key(self, question: Question) -> str:
        """What an answer is kept under: the parameter, unless two questions fill the same."""
        first = next(other for other in self.questions if other.identity == question.identity)
        return question.identity if first is question else f"{question.identity} {question.name}"


def is_empty(value: Any) -> bool:
    """Whether an answer is none."""
    return value is None or (isinstance(value, str) and not value.strip())
