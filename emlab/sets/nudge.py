"""Being told that something new was recorded."""

from __future__ import annotations

import socket
import time

from emlab.sets.address import dial
from emlab.sets.catalogue import Catalogue

POLL = 0.05
"""Seconds between looks at the database where no engine nudges."""
RECONNECT = 1.0
"""Seconds between attempts to reach an engine."""


class Nudge:
    """Waits for the engine's word that it has committed; without an engine, looks at the database now and then.

    The engine sends one byte per commit over its control socket, so a reader learns of new records within
    a millisecond and need not look at the disk in between.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._session = catalogue.path.parent
        self._socket: socket.socket | None = None
        self._next_attempt = 0.0
        self._seen = catalogue.version()

    def wait(self, timeout: float) -> bool:
        """Wait until something was committed since the last call; ``False`` after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self._connect()
            if self._changed():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._socket is None:
                time.sleep(min(POLL, left))
            else:
                self._receive(min(left, RECONNECT))

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _changed(self) -> bool:
        version = self._catalogue.version()
        changed, self._seen = version != self._seen, version
        return changed

    def _connect(self) -> None:
        if self._socket is not None or time.monotonic() < self._next_attempt:
            return
        self._next_attempt = time.monotonic() + RECONNECT
        try:
            line = dial(self._session)
        except OSError:
            return
        try:
            line.sendall(b'{"command": "subscribe"}\n')
        except OSError:
            line.close()
        else:
            self._socket = line

    def _receive(self, timeout: float) -> None:
        assert self._socket is not None  # noqa: S101
        self._socket.settimeout(timeout)
        try:
            if not self._socket.recv(4096):
                self.close()
        except TimeoutError:
            pass
        except OSError:
            self.close()
