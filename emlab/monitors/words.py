"""Numbers, times and counts as people read them."""

from __future__ import annotations

import math
from datetime import datetime

NOTHING = "–"
"""Where there is no number."""


def number(value: float | None, digits: int = 0) -> str:
    """Give a number with its thousands separated, ``12,345.6``; a dash for ``None`` and nan."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:,.{digits}f}"


def and_more(first: str, count: int) -> str:
    """Name one of several: ``notes.txt and 1,203 more``."""
    return f"{first} and {count - 1:,} more" if count > 1 else first


def counted(count: int, noun: str) -> str:
    """Give a count with its noun: ``1 movie``, ``1,204 movies``, ``2 batches``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith(('s', 'ch')) else 's'}"


def duration(seconds: float | None) -> str:
    """Give a duration to two units: ``15 ms``, ``45 s``, ``3 min 20 s``, ``2 h 05 min``, ``1 d 3 h``."""
    if seconds is None or math.isnan(seconds):
        return NOTHING
    if 0 < seconds < 0.1:
        return f"{seconds * 1e3:.1f} ms" if seconds < 0.01 else f"{seconds * 1e3:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def moment(at: float | None) -> str:
    """Give the date and the time of day, in this machine's time zone, of seconds since 1970-01-01 UTC."""
    return _local(at, "%Y-%m-%d %H:%M:%S")


def clock(at: float | None) -> str:
    """Give the time of day, in this machine's time zone, of seconds since 1970-01-01 UTC."""
    return _local(at, "%H:%M:%S")


def _local(at: float | None, form: str) -> str:
    if at is None or math.isnan(at):
        return NOTHING
    return datetime.fromtimestamp(at).astimezone().strftime(form)
