"""The engine's log for programs: one JSON object a line, in files that never grow beyond measure."""

from __future__ import annotations

import json
import logging
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
