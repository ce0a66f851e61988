"""The answers that sessions were last started with, in a small file."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emlab.formats.atomic import whole_file


@dataclass(frozen=True)
class Remembered:
    """What a session was started with.

    Attributes
    ----------
    template
        Its name or path.
    answers
        By the questions' identities.
    at
        Seconds since 1970-01-01 UTC.
    told
        The names of those who are told of alarms.
    """

    template: str
    answers: dict[str, Any]
    at: float
    told: list[str] = field(default_factory=list)


class Memory:
    """The answers of the last start; a file that is gone or damaged is none.

    Parameters
    ----------
    path
        The file; in the person's state folder by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        self._path = path or state / "emlab" / "launch.json"

    def last(self) -> Remembered | None:
        """Give what was last used, if anything."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            template, answers, told = str(found["template"]), dict(found["answers"]), list(found.get("told", []))
            return Remembered(template, answers, float(found["at"]), told)
        return None

    def remember(self, template: str, answers: dict[str, Any], told: list[str]) -> None:
        """Note what a session is started with; where that cannot be written, the session matters more."""
        found = {"template": template, "answers": answers, "at": time.time(), "told": told}
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path) as partial:
                partial.write_text(json.dumps(found), encoding="utf-8")
