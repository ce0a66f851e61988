"""Incremental sets: append-only, numbered, on SQLite in the session's folder."""

from emlab.sets.address import control_addresses, dial
from emlab.sets.catalogue import Catalogue
from emlab.sets.entries import (
    NOT_TAKEN,
    Acknowledgement,
    Away,
    Batch,
    Closing,
    Event,
    Failure,
    Judgement,
    Provenance,
    Retry,
    Run,
    SetFacts,
    Verdict,
)
from emlab.sets.incremental_set import IncrementalSet
from emlab.sets.ledger import Ledger
from emlab.sets.lineage import lineage
from emlab.sets.nudge import Nudge
from emlab.sets.verdicts import verdicts

__all__ = [
    "NOT_TAKEN",
    "Acknowledgement",
    "Away",
    "Batch",
    "Catalogue",
    "Closing",
    "Event",
    "Failure",
    "IncrementalSet",
    "Judgement",
    "Ledger",
    "Nudge",
    "Provenance",
    "Retry",
    "Run",
    "SetFacts",
    "Verdict",
    "control_addresses",
    "dial",
    "lineage",
    "verdicts",
]
