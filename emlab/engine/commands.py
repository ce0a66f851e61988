"""What a running engine can be told, and what it answers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, ValidationError, validate_call

from emlab.engine.adoption import Adoption
from emlab.engine.reception import Reception
from emlab.engine.scribe import Scribe
from emlab.errors import EmlabError, SessionError
from emlab.sets import Verdict
from emlab.version import __version__

Reply = dict[str, Any]


class Commands:
    """Does what comes over the engine's socket, and refuses what it does not understand.

    Parameters
    ----------
    scribe, adoption, reception
        The engine's.
    commit
        Makes durable what was recorded, and tells readers.
    explain
        Says what runs and what waits for what.
    stop
        Has the engine end soon.
    is_stopping
        Whether it does.
    """

    def __init__(
        self,
        scribe: Scribe,
        adoption: Adoption,
        reception: Reception,
        *,
        commit: Callable[[], None],
        explain: Callable[[], list[str]],
        stop: Callable[[], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._scribe, self._adoption, self._reception = scribe, adoption, reception
        self._commit, self._explain, self._stop_soon, self._is_stopping = commit, explain, stop, is_stopping
        known: dict[str, Callable[..., Reply]] = {
            "ping": self._ping,
            "explain": self._explained,
            "pause": self._pause,
            "resume": self._resume,
            "stop": self._stop,
            "judge": self._judge,
            "acknowledge": self._acknowledge,
            "change": self._change,
            "retry": self._retry,
        }
        checked = validate_call(config=ConfigDict(strict=True))
        self._known = {name: checked(do) for name, do in known.items()}

    def answer(self, command: dict[str, Any]) -> Reply:
        """Do what a command says, and give the reply; that has an ``error`` where it cannot be done."""
        name, arguments = command["command"], {key: value for key, value in command.items() if key != "command"}
        do = self._known.get(name) if isinstance(name, str) else None
        if do is None:
            return {"error": f"there is no command {name!r}; the commands are: {', '.join(self._known)}, subscribe"}
        try:
            reply = do(**arguments)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in error.errors())
            return {"error": f"the command has wrong arguments ({wrong}); the engine runs emlab {__version__}"}
        except (EmlabError, sqlite3.OperationalError) as error:
            return {"error": str(error).rstrip(".")}
        return {"state": self._scribe.state, **reply}

    @property
    def _is_over(self) -> bool:
        return self._is_stopping() or self._scribe.state not in {"running", "paused"}

    def _ping(self) -> Reply:
        return {"pid": os.getpid()}

    def _explained(self) -> Reply:
        return {"now": self._explain()}

    def _pause(self) -> Reply:
        self._refuse_at_the_end("pause")
        self._scribe.set_state("paused")
        return self._noted("pause")

    def _resume(self) -> Reply:
        self._refuse_at_the_end("resume")
        self._scribe.set_state("running")
        return self._noted("resume")

    def _stop(self, now: bool = False) -> Reply:
        if now:
            self._stop_soon()
        elif self._is_over:
            return {}
        else:
            self._scribe.set_state("running")
            self._reception.end("ended by the user")
        return self._noted("stop", now=now)

    def _judge(self, keys: list[str], verdict: Verdict, note: str, author: str) -> Reply:
        for key in keys:
            self._scribe.judge(key, verdict, note, author)
        reply = self._noted("judge", keys=keys, verdict=verdict, note=note, author=author)
        if verdict == "restored" and not self._is_over:
            self._adoption.let_go_on(keys)
        return reply

    def _acknowledge(self, alarm: str, author: str) -> Reply:
        return self._noted("acknowledge", alarm=alarm, author=author)

    def _change(self, step: str, changes: dict[str, Any]) -> Reply:
        self._refuse_at_the_end("change")
        runs = self._adoption.change(step, changes)
        return {"runs": runs, **self._noted("change", step=step, changes=changes)}

    def _retry(self, step: str | None, keys: list[str], author: str) -> Reply:
        self._refuse_at_the_end("retry")
        retried = self._adoption.retry(step, keys, author)  # which notes who asked
        self._commit()
        return {"retried": retried}

    def _refuse_at_the_end(self, name: str) -> None:
        if self._is_over:
            raise SessionError(f"the engine is ending; {name} the session once it has ended (see `emlab status`)")

    def _noted(self, name: str, **arguments: Any) -> Reply:
        self._scribe.note_command(name, arguments)
        self._commit()
        return {}
