"""Proteins as clouds of atoms: one made up, or one read from an atomic model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from emlab.errors import FormatError
from emlab.simulation.scattering import atom_scattering, average_atom

Array = NDArray[Any]


@dataclass(frozen=True)
class Protein:
    """Atoms about their centre of mass.

    Attributes
    ----------
    atoms
        Å, float32 (atom, xyz).
    weights
        Scattering of each in units of an average protein atom, float32 (atom,).
    """

    atoms: Array
    weights: Array

    @property
    def diameter(self) -> float:
        """Of the sphere about the centre of mass that holds every atom, Å."""
        return 2.0 * float(np.linalg.norm(self.atoms, axis=1).max())


def synthetic_protein() -> Protein:
    """A hollow shell of 24 subunits of five helices in octahedral symmetry, the size and mass of ferritin.

    Each helix is put where most room is left by those before it and by all their symmetry mates.
    """
    rng = np.random.default_rng(2)
    symmetry = Rotation.create_group("O")
    directions = rng.normal(size=(600, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    mates = np.stack([rotation.apply(directions) for rotation in symmetry])
    apart = np.linalg.norm(mates - directions, axis=2)
    room = np.min(apart, axis=0, where=apart > 1e-6, initial=2.0)
    helices = []
    for _ in range(5):
        chosen = int(room.argmax())
        room = np.minimum(room, np.linalg.norm(mates - directions[chosen], axis=2).min(axis=0))
        axis = np.cross(directions[chosen], rng.normal(size=3))
        along = rng.uniform(-17.0, 17.0, (280, 1)) * axis / np.linalg.norm(axis)
        centre = directions[chosen] * rng.uniform(48.0, 56.0)
        helices.append(centre + along + rng.normal(0.0, 3.6, (280, 3)))
    subunit = np.concatenate(helices)
    atoms = np.concatenate([rotation.apply(subunit) for rotation in symmetry])
    return Protein(atoms.astype(np.float32), np.ones(len(atoms), np.float32))


def read_protein(path: Path) -> Protein:
    """The first biological assembly of a PDB or mmCIF file, without waters and hydrogens.

    Raises
    ------
    FormatError
        If the file holds no atoms, or cannot be read.
    """
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, IndexError, OSError) as error:
        raise FormatError(f"{path} cannot be read as an atomic model ({error}); give a PDB or mmCIF file.") from None
    structure.remove_waters()
    structure.remove_hydrogens()
    structure.remove_alternative_conformations()
    model = structure[0] if len(structure) else None
    if model is not None and len(structure.assemblies):
        model = gemmi.make_assembly(structure.assemblies[0], model, gemmi.HowToNameCopiedChain.Short)
    sites = [site.atom for site in model.all()] if model is not None else []
    if not sites:
        raise FormatError(f"{path} holds no atoms of a molecule; give a PDB or mmCIF file with coordinates.")
    atoms = np.array([atom.pos.tolist() for atom in sites], np.float32)
    strength = {name: float(atom_scattering(name, 0.0)) for name in {atom.element.name for atom in sites}}
    weights = np.array([strength[atom.element.name] * atom.occ for atom in sites], np.float32)
    return Protein(atoms - atoms.mean(axis=0), weights / np.float32(average_atom(0.0)))
