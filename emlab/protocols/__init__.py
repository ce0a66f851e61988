"""The protocols, one per file; a new one is a file, a test and a line here."""

from __future__ import annotations

from emlab.model import Protocol
from emlab.protocols.align_movie import align_movie
from emlab.protocols.classify_particles import classify_particles
from emlab.protocols.estimate_ctf import estimate_ctf
from emlab.protocols.extract_particles import extract_particles
from emlab.protocols.import_micrographs import import_micrographs
from emlab.protocols.import_movies import import_movies
from emlab.protocols.pick_particles import pick_particles
from emlab.protocols.select_micrographs import select_micrographs

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        import_movies,
        import_micrographs,
        align_movie,
        estimate_ctf,
        select_micrographs,
        pick_particles,
        extract_particles,
        classify_particles,
    )
}
"""Every protocol by its name."""
