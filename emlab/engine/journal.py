"""The engine's logs, in files that never grow beyond measure: one for programs, and what its processes say."""

from __future__ import annotations

import json
import logging
import os
import shutil
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

MOST_BYTES = 10 * 2**20
"""Of a file, before it becomes the next older one."""
KEPT = 5
"""Older files."""


class JsonLine(logging.Formatter):
    """``{"at": seconds since 1970, "level": …, "logger": …, "message": …}``, with a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Give a record as one line of JSON."""
        found: dict[str, object] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found)


def journal(folder: Path) -> logging.Handler:
    """A handler that writes ``log.jsonl`` in a session's folder, and keeps the five files before it."""
    handler = RotatingFileHandler(folder / "log.jsonl", maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(JsonLine())
    return handler


def trim(said: Path) -> None:
    """Bring what processes said within bounds: the newest of it goes to ``NAME.1``, and the file is emptied.

    It is not given another name, because the engine, its workers and its chores have it open, and go on appending.
    Where there is no room it stays as it is: it cannot grow there either.
    """
    with suppress(OSError), said.open("rb") as log:
        size = os.fstat(log.fileno()).st_size
        if size > MOST_BYTES:
            log.seek(size - MOST_BYTES)
            with said.with_name(f"{said.name}.1").open("wb") as older:
                shutil.copyfileobj(log, older)
            os.truncate(said, 0)
