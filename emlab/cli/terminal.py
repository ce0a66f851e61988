"""Where sentences go: as they are, brackets and all, and each in one line, so that paths can be copied."""

from __future__ import annotations

from rich.console import Console

console = Console(markup=False, highlight=False, soft_wrap=True)
aside = Console(markup=False, highlight=False, soft_wrap=True, stderr=True)
"""Beside what another program reads."""
