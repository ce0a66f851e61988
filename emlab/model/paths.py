"""Paths that people type."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator


def _absolute(path: str) -> str:
    if not path.strip():
        raise ValueError("a path cannot be empty")
    return os.path.abspath(os.path.expanduser(path.strip()))  # noqa: PTH100, PTH111 - a string in, a string out


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
"""A path made absolute where it was typed, ``~`` included: engines run in other folders."""
