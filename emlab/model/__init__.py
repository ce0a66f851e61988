"""Records, protocols and what they work with: no I/O, no science, nothing that runs."""

from emlab.model.arrival import Arrival
from emlab.model.classes import Classes
from emlab.model.ctf import Ctf
from emlab.model.facts import FileFacts, Sidecar
from emlab.model.micrograph import Micrograph
from emlab.model.movie import Movie
from emlab.model.optics import Focused, Imaged
from emlab.model.parameters import Parameters, parameter, validated
from emlab.model.particles import Particles
from emlab.model.picks import Picks
from emlab.model.protocol import Protocol, protocol
from emlab.model.record import Record, shared
from emlab.model.selection import Accepted, Rejected
from emlab.model.workbench import Array, Frames, Workbench

RECORDS: dict[str, type[Record]] = {
    record.kind: record for record in (Arrival, Movie, Micrograph, Ctf, Accepted, Rejected, Picks, Particles, Classes)
}
"""Every kind of record by its name."""

__all__ = [
    "RECORDS",
    "Accepted",
    "Array",
    "Arrival",
    "Classes",
    "Ctf",
    "FileFacts",
    "Focused",
    "Frames",
    "Imaged",
    "Micrograph",
    "Movie",
    "Parameters",
    "Particles",
    "Picks",
    "Protocol",
    "Record",
    "Rejected",
    "Sidecar",
    "Workbench",
    "parameter",
    "protocol",
    "shared",
    "validated",
]
