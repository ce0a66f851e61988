"""What is read is never executed, and what is written stays in the session's folder."""

from __future__ import annotations

import ast
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import emlab
from emlab.engine.executors import InlineExecutor
from emlab.engine.runner import Engine
from emlab.engine.workbench import FolderWorkbench
from emlab.errors import DataError, FormatError, SessionError, WorkflowError
from emlab.formats.array import read_array
from emlab.formats.defects import read_defects
from emlab.formats.gain import read_gain
from emlab.formats.mrc import write_mrc
from emlab.formats.sidecar import read_sidecar
from emlab.python import python_module
from emlab.workflow import parse_workflow

SOURCES = [path for room in ("emlab", "widgets") for path in (Path(__file__).parents[2] / room).rglob("*.py")]
EXECUTES = {"eval", "exec", "compile", "__import__"}
LOADS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
OWN_BYTES = {"emlab/engine/executors/inline.py"}
"""Where objects are unpickled that this process has just pickled."""


NAMES_PYTHON = {"emlab/python.py", "emlab/engine/doctor.py", "emlab/engine/executors/slurm.py"}
"""Where Python is named: to start modules safely, to be shown, and for nodes to start."""


def test_processes_are_started_in_the_one_way_that_imports_nothing_from_where_they_are() -> None:
    named = {path for path in SOURCES if "sys.executable" in path.read_text(encoding="utf-8")}
    assert {path.relative_to(Path(__file__).parents[2]).as_posix() for path in named} == NAMES_PYTHON
    assert "-P" in python_module("emlab")


def test_no_code_of_emlabs_executes_data() -> None:
    assert len(SOURCES) > 200
    for path in SOURCES:
        _check(ast.parse(path.read_text(encoding="utf-8")), path.relative_to(Path(__file__).parents[2]).as_posix())


def _check(tree: ast.Module, where: str) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in EXECUTES, f"{where}:{node.lineno}"
            assert called not in {"os.system", "os.popen", "subprocess.getoutput"}, f"{where}:{node.lineno}"
            for word in node.keywords:
                is_true = isinstance(word.value, ast.Constant) and word.value.value is True
                assert not (word.arg in {"shell", "allow_pickle"} and is_true), f"{where}:{node.lineno}"
        elif isinstance(node, ast.Import | ast.ImportFrom) and where not in OWN_BYTES:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not LOADS.intersection(filter(None, names)), f"{where}:{node.lineno}"


class Trap:
    """What runs a command when it is unpickled."""

    def __init__(self, flag: Path) -> None:
        self._flag = flag

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self._flag}",)


@pytest.mark.parametrize("name", ["trap.npy", "trap.npz", "trap.mrc", "trap.cs"])
def test_a_pickle_in_place_of_data_is_refused_and_not_loaded(tmp_path: Path, name: str) -> None:
    flag, path = tmp_path / "owned", tmp_path / name
    if name == "trap.mrc":
        path.write_bytes(pickle.dumps(Trap(flag)) + bytes(2000))
    else:
        with path.open("wb") as file:
            save = np.savez if name == "trap.npz" else np.save
            save(file, np.array([Trap(flag)], dtype=object), allow_pickle=True)
    for read in (read_array, lambda path: read_gain(path, (4, 4)), lambda path: read_defects(path, (4, 4))):
        with pytest.raises((FormatError, DataError)):
            read(path)
    assert not flag.exists()


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "declared",
    [
        f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>',
        '<!DOCTYPE x [<!ENTITY a9 SYSTEM "SECRET">]>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "SECRET"> %p;]>',
        '<!DOCTYPE x SYSTEM "SECRET">',
    ],
    ids=["billion laughs", "external", "parameter", "external subset"],
)
def test_xml_with_entities_is_refused_unread(tmp_path: Path, declared: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    movie = tmp_path / "FoilHole_1_Data_2_3_4_5_fractions.tiff"
    body = declared.replace("SECRET", secret.as_uri()) + "<MicroscopeImage><name>&a9;</name></MicroscopeImage>"
    (tmp_path / "FoilHole_1_Data_2_3_4_5.xml").write_text(f"<?xml version='1.0'?>{body}")
    with pytest.raises(FormatError, match="well-formed|entit|forbidden") as refused:
        read_sidecar(movie)
    assert "a secret" not in str(refused.value)


HOSTILE = ["; touch owned #", "$(touch owned)", "`touch owned`", "-rf", "<script>alert(1)<", "a\nb", "%s%n", "~root"]


def test_files_may_be_called_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every one is processed under its own name; no shell ever sees it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    images = tmp_path / "images; touch owned"
    images.mkdir()
    for name in HOSTILE:
        pixels = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
        write_mrc(images / f"{name}.mrc", pixels, 1.0)
        os.utime(images / f"{name}.mrc", (0, 0))
    values = {"folder": str(images), "pixel_size": 1.0, "voltage": 300, "settle_time": 0, "idle_timeout": 5}
    steps = [{"name": "import", "protocol": "import_micrographs", "parameters": values}]
    (tmp_path / "tiny.json").write_text(json.dumps({"name": "tiny", "title": "Tiny", "protocols": steps}))
    with emlab.create_session(tmp_path / "session", tmp_path / "tiny.json") as session:
        Engine(session.path, InlineExecutor).run()
        assert session.failures() == []
        assert {Path(record.path).stem for record in session["micrographs"]} == set(HOSTILE)
        outside = {path.name for path in tmp_path.iterdir()} - {"session", "tiny.json", images.name, "emlab"}
        assert outside == set()


@pytest.mark.parametrize("name", ["../step", "/etc/step", "a/b", "..", "a b", "A", "é", "a\n"])
def test_a_step_whose_name_could_be_a_path_is_refused(name: str) -> None:
    step = {"name": name, "protocol": "import_movies"}
    with pytest.raises(WorkflowError, match="is not a workflow"):
        parse_workflow(json.dumps({"name": "w", "title": "W", "protocols": [step]}), "w.json")


@pytest.mark.parametrize("item", ["../escaped", "../../escaped", "/../../escaped"])
def test_a_record_whose_key_is_a_path_writes_nothing_outside(tmp_path: Path, item: str) -> None:
    """Keys of files cannot be paths; those of a database that somebody has changed may be."""
    root = tmp_path / "session"
    root.mkdir()
    bench = FolderWorkbench(root, "outputs/align/000", f"../../../{item}")
    with pytest.raises(DataError, match="outside the session's folder"):
        bench.write_array("picks", np.zeros((2, 3), np.float32))
    assert [path.name for path in tmp_path.rglob("*escaped*")] == []


def test_links_out_of_a_session_are_not_followed(tmp_path: Path) -> None:
    """Neither to write, nor to show a file to whoever looks at the session."""
    root, elsewhere = tmp_path / "session", tmp_path / "elsewhere"
    for folder in (root, elsewhere, root / "outputs"):
        folder.mkdir()
    (root / "outputs" / "align").symlink_to(elsewhere)
    with pytest.raises(DataError, match="outside the session's folder"):
        FolderWorkbench(root, "outputs/align/000", "item").write_array("picks", np.zeros((2, 3), np.float32))
    assert list(elsewhere.iterdir()) == []
    (elsewhere / "secret").write_text("a secret")
    with emlab.create_session(tmp_path / "other", movies=elsewhere, voltage=300, pixel_size=1.0) as session:
        (session.path / "outputs").symlink_to(elsewhere)
        with pytest.raises(SessionError, match="outside the session's folder"):
            session.file("outputs/secret")
