from __future__ import annotations

import numpy as np
import pytest

from emlab.errors import FormatError
from emlab.simulation.protein import read_protein, synthetic_protein

MODEL = """\
ATOM      1  CA  GLY A   1      11.000  20.000  30.000  1.00 10.00           C
ATOM      2  O   GLY A   1      13.000  20.000  30.000  1.00 10.00           O
HETATM    3  O   HOH A   2      99.000  99.000  99.000  1.00 10.00           O
END
"""


def test_the_made_up_protein_is_a_symmetric_shell_like_ferritin():
    atoms = synthetic_protein().atoms
    radius = np.linalg.norm(atoms, axis=1)
    assert len(atoms) == 33600
    assert np.percentile(radius, 1) > 40.0
    assert np.percentile(radius, 99) < 66.0
    turned = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]]) @ atoms[:1400].T
    nearest = min(float(np.abs(atoms[start : start + 1400] - turned.T).max()) for start in range(0, len(atoms), 1400))
    assert nearest < 1e-3


def test_a_model_is_read_without_its_waters_about_its_centre(tmp_path):
    path = tmp_path / "model.pdb"
    path.write_text(MODEL)
    protein = read_protein(path)
    assert protein.atoms == pytest.approx(np.array([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert protein.weights[0] > protein.weights[1] > 0
    assert protein.diameter == pytest.approx(2.0)


@pytest.mark.parametrize("content", ["", "not a model\n", "data_empty\n_a.b 1\n"])
def test_a_file_without_atoms_is_refused(tmp_path, content):
    path = tmp_path / "model.cif"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"model\.cif"):
        read_protein(path)


def test_a_missing_model_is_refused(tmp_path):
    with pytest.raises(FormatError, match="PDB or mmCIF"):
        read_protein(tmp_path / "nothing.pdb")


@pytest.mark.data
def test_ferritin_from_the_protein_data_bank_has_the_size_of_the_made_up_one(reference_data):
    real, made = read_protein(reference_data / "models" / "6z6u_apoferritin_human.pdb"), synthetic_protein()
    assert len(made.atoms) == pytest.approx(len(real.atoms), rel=0.1)
    assert made.diameter == pytest.approx(real.diameter, rel=0.1)
