"""Incremental sets: append-only, numbered, on SQLite in the session's folder."""

from emlab.sets.catalogue import Catalogue
from emlab.sets.entries import Closing, Event, Failure, Provenance, Run, SetFacts
from emlab.sets.incremental_set import IncrementalSet
from emlab.sets.ledger import Ledger
from emlab.sets.nudge import Nudge, control_address

__all__ = [
    "Catalogue",
    "Closing",
    "Event",
    "Failure",
    "IncrementalSet",
    "Ledger",
    "Nudge",
    "Provenance",
    "Run",
    "SetFacts",
    "control_address",
]
