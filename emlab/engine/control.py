"""The control channel: JSON lines over a socket that only the session's owner can reach."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emlab.errors import EngineUnreachable, SessionError
from emlab.sets.address import dial, listen, peer

LONGEST_LINE = 32 * 2**20
"""Bytes, of the names of some hundred thousand items; whoever sends more is hung up on."""
MOST_CALLERS = 500
"""Who are connected at a time, fewer than the files that a process may have open."""


class ControlServer:
    """The engine's end: answers commands, and sends every subscriber one byte per commit.

    Parameters
    ----------
    session
        Its folder.
    answer
        Called with each command, returns the reply.
    """

    def __init__(self, session: Path, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._selector = selectors.EpollSelector()
        self._answer = answer
        self._subscribers: set[socket.socket] = set()
        self._listener, self._path = listen(session)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def fileno(self) -> int:
        """File descriptor that becomes readable when `attend` has something to do."""
        return self._selector.fileno()

    def attend(self) -> None:
        """Answer whoever has said something; never blocks."""
        for key, _ in self._selector.select(0):
            key.data()

    def nudge(self) -> None:
        """Tell every subscriber that something was committed; one that does not listen misses nothing."""
        for line in list(self._subscribers):
            self._tell(line)

    def close(self) -> None:
        """Stop listening, and hang up on everyone."""
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            line, _ = self._listener.accept()
        except OSError:  # it has gone again, or there are too many
            return
        if peer(line) not in (os.getuid(), 0) or len(self._selector.get_map()) > MOST_CALLERS:
            line.close()
            return
        line.setblocking(False)
        buffer = bytearray()
        self._selector.register(line, selectors.EVENT_READ, lambda: self._read(line, buffer))

    def _read(self, line: socket.socket, buffer: bytearray) -> None:
        try:
            received = line.recv(2**20)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        buffer += received
        if not received or len(buffer) > LONGEST_LINE:
            self._hang_up(line)
            return
        if b"\n" in received:
            *texts, rest = bytes(buffer).split(b"\n")
            buffer[:] = rest
            for text in texts:
                self._serve(line, text)

    def _serve(self, line: socket.socket, text: bytes) -> None:
        try:
            command = json.loads(text)
            is_subscriber = command["command"] == "subscribe"
            json.dumps(command, ensure_ascii=False).encode()  # half a character could not be recorded
        except (ValueError, TypeError, KeyError, RecursionError):
            reply: dict[str, Any] = {"error": "expected a JSON object with a command"}
        else:
            if is_subscriber:
                self._subscribers.add(line)
                self._tell(line)  # of what was committed while it dialled
                return
            reply = self._answered(command)
        try:
            line.sendall(json.dumps(reply).encode() + b"\n")
        except OSError:
            self._hang_up(line)

    def _answered(self, command: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._answer(command)
        except RecursionError:  # nested less deeply than JSON may be, and too deeply to be shown
            return {"error": "the command is nested too deeply"}

    def _tell(self, line: socket.socket) -> None:
        try:
            line.send(b"\n")
        except BlockingIOError:
            pass  # it has bytes enough to wake it
        except OSError:
            self._hang_up(line)

    def _hang_up(self, line: socket.socket) -> None:
        self._subscribers.discard(line)
        if line.fileno() < 0:
            return  # in this very look already: a nudge, or an earlier line of its, found it gone
        self._selector.unregister(line)
        line.close()


def send_command(session: Path, command: str, timeout: float = 10.0, **arguments: Any) -> dict[str, Any]:
    """Tell a session's engine something, and return its reply.

    Raises
    ------
    EngineUnreachable
        If no engine of this session runs on this machine under this user, or it does not answer.
    SessionError
        If the engine refuses; the message says why.
    """
    text = json.dumps({"command": command, **arguments}).encode() + b"\n"
    if len(text) > LONGEST_LINE:
        raise SessionError(
            f"This {command} command takes {len(text):,} bytes, but the engine accepts at most {LONGEST_LINE:,}; name "
            "fewer items at a time."
        )
    try:
        with dial(session) as line:
            line.settimeout(timeout)
            line.sendall(text)
            with line.makefile("rb") as replies:
                reply = replies.readline()
    except OSError as error:
        raise EngineUnreachable(_unreachable(session, error)) from error
    if not reply.endswith(b"\n"):
        raise EngineUnreachable(_unreachable(session, None))
    answer: dict[str, Any] = json.loads(reply)
    if "error" in answer:
        raise SessionError(f"The engine refused to {command}: {answer['error']}.")
    return answer


def _unreachable(session: Path, error: OSError | None) -> str:
    why = f" ({error.strerror or error})" if error else ""
    return (
        f"No engine answers for {session}{why}: it is not running, or it runs on another machine or for another user. "
        "`emlab status` shows what is known about the session."
    )
