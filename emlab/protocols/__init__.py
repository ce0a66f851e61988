"""The protocols, one per file; a new one is a file, a test and a line here."""

from __future__ import annotations

from emlab.model import Protocol

PROTOCOLS: dict[str, Protocol] = {}
"""Every protocol by its name."""
