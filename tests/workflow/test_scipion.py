"""Scipion's workflows become emlab's, and what does not is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emlab.errors import WorkflowError
from emlab.workflow import Workflow, complaints, parse_workflow, questions_of, read_workflow

IMPORT = {
    "object.className": "ProtImportMovies",
    "object.id": "2",
    "object.label": "movies",
    "filesPath": "/data",
    "filesPattern": "*_####.mrcs",
    "voltage": 300.0,
    "samplingRate": 0.5,
    "dosePerFrame": 0.0,
    "timeout": 3600,
    "dataStreaming": True,
}
MOTION = {"object.className": "ProtMotionCorr", "object.id": "5", "object.label": "mc", "inputMovies": "2.outputMovies"}
CTF = {
    "object.className": "ProtCTFFind",
    "object.id": "7",
    "object.label": "ctffind",
    "inputMicrographs": "5.outputMicrographs",
}


def made(*entries: dict[str, Any]) -> Workflow:
    return parse_workflow(json.dumps(entries), "w.json")


def parameters(workflow: Workflow, step: str) -> dict[str, Any]:
    return next(one.parameters for one in workflow.filled({}).protocols if one.name == step)


def test_an_import_is_carried_over_and_asked_for() -> None:
    workflow = made(IMPORT)
    assert parameters(workflow, "import") == {
        "folder": "/data",
        "pattern": "*_[0-9][0-9][0-9][0-9].mrcs",
        "voltage": 300.0,
        "pixel_size": 0.5,
        "idle_timeout": 3600,
    }
    assert questions_of(workflow)[0].name == "movies"
    assert workflow.notes == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"filesPath": "/data/Grid_*/x", "filesPattern": "*.mrc"}, {"folder": "/data", "pattern": "Grid_*/x/*.mrc"}),
        ({"samplingRateMode": 1, "scannedPixelSize": 14.0, "magnification": 50000}, {"pixel_size": 2.8}),
        ({"timeout": "1h 30m"}, {"idle_timeout": 5400.0}),
        ({"timeout": "__import__('os')"}, {"idle_timeout": None}),
        ({"dataStreaming": False}, {"idle_timeout": 60.0}),
        ({"dosePerFrame": 1.5, "gainFile": "/g.mrc"}, {"dose_per_frame": 1.5, "gain_reference": "/g.mrc"}),
    ],
)
def test_an_imports_values_are_understood(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = parameters(made({**IMPORT, **changes}), "import")
    assert {name: found.get(name) for name in expected} == pytest.approx(expected)


def test_any_order_and_both_spellings_of_pointers_are_read_through_what_is_left_out() -> None:
    compress = {"object.className": "ProtRelionCompressMovies", "object.id": "3", "inputMovies": "2.outputMovies"}
    motion = {**MOTION, "inputMovies": "3.__attribute__outputMovies", "gpuList": "1"}
    workflow = made(CTF, motion, compress, IMPORT)
    assert [(step.name, step.inputs) for step in workflow.protocols] == [
        ("import", ()),
        ("align", ("import.movies",)),
        ("ctf", ("align.micrographs",)),
    ]
    assert "ProtRelionCompressMovies is left out: emlab reads movies as they are." in workflow.notes


def test_motion_is_carried_over_and_the_gains_orientation_goes_to_the_import() -> None:
    motion = {
        **MOTION,
        "patchX": 0,
        "patchY": 0,
        "binFactor": 2.0,
        "doApplyDoseFilter": True,
        "doSaveUnweightedMic": True,
        "sumFrame0": 2,
        "alignFrame0": 1,
        "sumFrameN": 0,
        "gainRot": 1,
        "gainFlip": 2,
        "bfactor": 150,
    }
    workflow = made(IMPORT, motion)
    assert parameters(workflow, "align") == {
        "binning": 2.0,
        "local_motion": False,
        "dose_weighting": True,
        "save_unweighted": True,
        "first_frame": 2,
    }
    assert parameters(workflow, "import")["gain_rotation"] == 1
    assert parameters(workflow, "import")["gain_flip"] == 2
    assert "mc (ProtMotionCorr) becomes align_movie: the aligned and summed frames differ" in workflow.notes[0]
    assert "without bfactor 150" in workflow.notes[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Old: µm, and fractions of the sampling frequency (0.5 Å/px).
        (
            {"minDefocus": 0.25, "maxDefocus": 4.0, "lowRes": 0.02, "highRes": 0.1},
            {"min_defocus": 2500, "max_defocus": 40000, "min_resolution": 25, "max_resolution": 5},
        ),
        (
            {"minDefocus": 5000.0, "maxDefocus": 50000.0, "lowRes": 30.0, "highRes": 4.0, "findPhaseShift": True},
            {
                "min_defocus": 5000,
                "max_defocus": 50000,
                "min_resolution": 30,
                "max_resolution": 4,
                "estimate_phase_shift": True,
            },
        ),
    ],
)
def test_ctf_is_understood_in_old_and_new_units(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parameters(made(IMPORT, MOTION, {**CTF, **values}), "ctf") == pytest.approx(expected)


def test_a_number_outside_of_emlabs_range_is_moved_and_named() -> None:
    workflow = made(IMPORT, MOTION, {**CTF, "highRes": 12.0})
    assert parameters(workflow, "ctf") == {"max_resolution": 10}
    assert "max_resolution of 12 is outside emlab's range; emlab uses 10" in workflow.notes[0]


def test_a_second_program_for_the_same_thing_is_left_out() -> None:
    workflow = made(IMPORT, MOTION, {**MOTION, "object.id": "6", "object.className": "ProtRelionMotioncor"})
    assert [step.name for step in workflow.protocols] == ["import", "align"]
    assert "mc (ProtRelionMotioncor) is left out: emlab does this once, in the step align." in workflow.notes


def test_a_consensus_becomes_the_selection() -> None:
    consensus = {
        "object.className": "XmippProtCTFConsensus",
        "object.id": "9",
        "inputCTF": "7.outputCTF",
        "useDefocus": False,
        "minDefocus": 1.0,
        "resolution": 6.0,
    }
    workflow = made(IMPORT, MOTION, CTF, consensus)
    assert parameters(workflow, "select") == {"max_ctf_resolution": 6.0}
    assert workflow.protocols[-1].inputs == ("align.micrographs", "ctf.ctfs")


PICKING = {
    "object.className": "SphireProtCRYOLOPicking",
    "object.id": "9",
    "object.label": "cryolo",
    "inputMicrographs": "5.outputMicrographs",
    "boxSize": 180,
}
EXTRACTION = {
    "object.className": "ProtRelionExtractParticles",
    "object.id": "10",
    "inputCoordinates": "9.outputCoordinates",
    "ctfRelations": "7.outputCTF",
    "boxSize": 256,
    "doRescale": True,
    "rescaledSize": 64,
    "doInvert": True,
    "backDiameter": -1,
}
CLASSES = {
    "object.className": "ProtRelionClassify2D",
    "object.id": "11",
    "inputParticles": "10.outputParticles",
    "numberOfClasses": 50,
    "maskDiameterA": 150,
}


def test_particles_are_picked_on_what_a_selection_keeps_in_angstrom_of_the_binned_micrograph() -> None:
    # Pointers do not lead from the picking to the CTF, and the file may have it later.
    workflow = made(CLASSES, EXTRACTION, PICKING, IMPORT, {**MOTION, "binFactor": 1.5}, CTF)
    assert [(step.name, step.inputs) for step in workflow.protocols[2:]] == [
        ("ctf", ("align.micrographs",)),
        ("select", ("align.micrographs", "ctf.ctfs")),
        ("pick", ("select.accepted", "align.micrographs", "ctf.ctfs")),
        ("extract", ("pick.picks",)),
        ("classify", ("extract.particles",)),
    ]
    assert parameters(workflow, "pick") == {"diameter": 135}
    assert parameters(workflow, "extract") == {"box_size": 192, "particle_pixel_size": 3.0, "invert_contrast": True}
    assert parameters(workflow, "classify") == {"classes": 50, "mask_diameter": 150}
    assert set(parameters(workflow, "select").values()) == {None}
    assert "It keeps all of them here, as the file does" in workflow.notes[0]
    assert not next(question for question in questions_of(workflow) if question.name == "diameter").advanced


def test_a_consensus_is_the_selection_that_particles_are_picked_on() -> None:
    consensus = {"object.className": "XmippProtCTFConsensus", "object.id": "8", "inputCTF": "7.outputCTF"}
    workflow = made(IMPORT, MOTION, CTF, consensus, {**PICKING, "inputMicrographs": "8.outputMicrographs"})
    assert [step.name for step in workflow.protocols] == ["import", "align", "ctf", "select", "pick"]
    assert workflow.protocols[-1].inputs == ("select.accepted", "align.micrographs", "ctf.ctfs")


def test_a_box_of_unknown_pixels_is_no_length_and_the_diameter_is_asked_for() -> None:
    text = json.dumps([{**IMPORT, "samplingRate": "~Pixel|0.5|4|px~"}, MOTION, CTF, PICKING, EXTRACTION])
    workflow = parse_workflow(text, "w.json.template")
    assert complaints(workflow, {}) == {"diameter": "Give a value."}
    assert complaints(workflow, {"diameter": "150"}) == {}
    assert any("its box is in pixels, but the pixel size is not in the file" in note for note in workflow.notes)


def test_a_diameter_of_a_template_stays_a_field() -> None:
    picking = {**PICKING, "object.className": "ProtRelion2Autopick", "particleDiameter": "~Size|180|3|size~"}
    workflow = parse_workflow(json.dumps([IMPORT, MOTION, CTF, picking]), "w.json.template")
    assert parameters(workflow, "pick") == {"diameter": 180}


def test_what_a_template_fixes_of_its_import_can_be_changed_by_those_who_look_for_it() -> None:
    text = json.dumps([{**IMPORT, "filesPath": "~Where|/data|2|where~"}])
    questions = {question.name: question for question in questions_of(parse_workflow(text, "w.json.template"))}
    assert [name for name, question in questions.items() if not question.advanced] == ["where"]
    assert questions["pattern"].default == "*_[0-9][0-9][0-9][0-9].mrcs"


def test_a_field_is_asked_in_the_units_of_the_file() -> None:
    text = json.dumps([IMPORT, MOTION, {**CTF, "minDefocus": 0.25, "maxDefocus": "~Max|4.0|4|max~"}])
    workflow = parse_workflow(text, "w.json.template")
    question = next(question for question in questions_of(workflow) if question.name == "max")
    assert (question.unit, question.default, question.limits) == ("µm", 4.0, "more than 0 and at most 20")
    assert parameters(workflow, "ctf")["max_defocus"] == 40000
    assert complaints(workflow, {"max": "0.1"}) == {"max": "It must be above min_defocus, 2500 Å."}


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([{"a": 1}], "entry 1 of the list is not a Scipion protocol: it has no object.className"),
        ([IMPORT, IMPORT], "two protocols have the id 2"),
        ([{**MOTION, "inputMovies": "7.outputX"}, CTF], "wait for each other: mc .*, ctffind"),
        ([{"object.className": "SomePlugin", "object.id": "1"}], "emlab can do none of its steps: SomePlugin"),
        ([], "it is empty"),
    ],
)
def test_what_is_no_workflow_is_refused(entries: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(WorkflowError, match=complaint):
        made(*entries)


def test_what_has_no_input_and_what_points_nowhere_are_named() -> None:
    workflow = made(
        IMPORT, {**MOTION, "inputMovies": ["2.outputMovies", "44.outputMovies"]}, {**CTF, "inputMicrographs": None}
    )
    assert any("it points at protocol 44, which is not in the file" in note for note in workflow.notes)
    assert "ctffind (ProtCTFFind) is left out: nothing in the file produces its micrographs." in workflow.notes


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "steps", "asked", "left_out"),
    [
        ("demo.json.template", 6, ["moviespath", "volt", "sa", "ac", "sr", "dose"], ["Summary", "MovieGain"]),
        ("demo_scipion2.json.template", 6, ["movie_s_folder", "voltage"], ["Summary", "MovieGain"]),
        ("scilifelab_generic_workflow.json", 7, ["movies", "pattern"], ["2dStreamer", "Gctf", "CompressMovies"]),
        ("workflow_betagal1.json", 5, ["movies", "pattern"], ["EmanProtBoxing", "ExtractParticles"]),
    ],
)
def test_real_files_open_as_forms(
    reference_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    steps: int,
    asked: list[str],
    left_out: list[str],
) -> None:
    for variable in ("SCIPION_TESTS", "SCIPION_HOME"):
        monkeypatch.delenv(variable, raising=False)
    workflow = read_workflow(reference_data / "scipion_workflows" / name)
    questions = questions_of(workflow)
    assert len(workflow.protocols) == steps
    assert [question.name for question in questions][: len(asked)] == asked
    for kind in left_out:
        assert any(kind in note and "left out" in note for note in workflow.notes)
    folder = questions[0].name
    particles = {"diameter": 150} if any(question.name == "diameter" for question in questions) else {}
    assert complaints(workflow, {folder: "", **particles}) == {folder: "Give a folder."}
    assert complaints(workflow, {folder: str(tmp_path), **particles}) == {}
