"""Whatever a protocol gives or raises becomes an outcome, and never trouble for the engine."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emlab.engine.perform import perform, to_trouble
from emlab.engine.task import Outcome, Task
from emlab.engine.workbench import Pantry
from emlab.errors import DataError, FileUnavailable, TruncatedFile
from emlab.model import Arrival, Ctf, Micrograph, Parameters, Workbench, protocol
from emlab.protocols import PROTOCOLS

GOOD: dict[str, Any] = {
    "key": "movie",
    "micrograph": "movie.mrc",
    "defocus_u": 1.0,
    "defocus_v": 1.0,
    "defocus_angle": 0.0,
    "astigmatism": 0.0,
    "phase_shift": 0.0,
    "score": 1.0,
    "ctf_resolution": 3.0,
}


class Nothing(Parameters):
    """Nothing to tell."""


def outcome(monkeypatch: pytest.MonkeyPatch, **values: Any) -> Outcome:
    @protocol(title="Toy", consumes=Micrograph, produces=Ctf)
    def toy(micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Ctf:
        """Pretend."""
        return Ctf(**{**GOOD, **values})

    monkeypatch.setitem(PROTOCOLS, "toy", toy)
    return perform(Task("ctf", "movie", "toy", {}, (None,), "", "outputs"), "inline")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "retry", "cause"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), True, "outage"),
        (OSError(errno.ESTALE, "Stale file handle"), True, "outage"),
        (FileUnavailable("There is no file movie.tif"), True, "outage"),
        (OSError(errno.EINVAL, "Invalid argument"), True, "item"),
        (TruncatedFile("movie.tif ends too early"), True, "item"),
        (DataError("movie.tif is blank"), False, "item"),
    ],
)
def test_what_may_pass_is_told_from_what_the_item_is(error: Exception, retry: bool, cause: str) -> None:
    trouble = to_trouble(error)
    assert (trouble.retry, trouble.cause) == (retry, cause)


def test_memory_that_is_kept_is_given_back_when_there_is_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    @protocol(title="Greedy", consumes=Micrograph, produces=Ctf)
    def greedy(micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Ctf:
        """Want too much."""
        return Ctf(**GOOD, astigmatism=float(np.ones(2**50)[0]))

    freed: list[str] = []
    pool = SimpleNamespace(free_all_blocks=lambda: freed.append("card"))
    pinned = SimpleNamespace(free_all_blocks=lambda: freed.append("pinned"))
    fft = SimpleNamespace(config=SimpleNamespace(get_plan_cache=dict))
    cupy = SimpleNamespace(get_default_memory_pool=lambda: pool, get_default_pinned_memory_pool=lambda: pinned, fft=fft)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setitem(PROTOCOLS, "greedy", greedy)
    pantry = Pantry()
    pantry.keep(Path("image.mrc"), np.ones((2, 2)))
    found = perform(Task("ctf", "movie", "greedy", {}, (None,), "", "outputs"), "inline", pantry=pantry)  # type: ignore[arg-type]
    assert found.trouble is not None
    assert found.trouble.retry
    assert freed == ["card", "pinned"]
    assert not pantry.images


def test_a_record_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(monkeypatch).record == Ctf(**GOOD)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"score": float("nan")}, "NOT NULL constraint failed: ctf.score"),
        ({"score": np.float32(1.0)}, "float32"),
        ({"micrograph": "movie_\udcff.mrc"}, "surrogates not allowed"),
        ({"defocus_u": 2**70}, "too large"),
    ],
)
def test_a_record_that_cannot_be_kept_fails_its_item_and_not_the_engine(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], complaint: str
) -> None:
    trouble = outcome(monkeypatch, **values).trouble
    assert trouble is not None
    assert (trouble.error, trouble.retry) == ("DataError", False)
    assert "toy returned Ctf(" in trouble.message
    assert "which cannot be recorded" in trouble.message
    assert complaint in trouble.message


def test_another_items_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = outcome(monkeypatch, key="other").trouble
    assert trouble is not None
    assert "expected a Ctf of the item 'movie'" in trouble.message


def test_a_place_that_is_away_is_named_whether_or_not_the_error_names_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The folder that movies come from, not that of one grid square."""
    source = tmp_path / "epu"
    (tmp_path / "square").mkdir()
    task = Task(
        "import",
        "movie",
        "toy",
        {},
        (Arrival(key="movie", path=str(source / "square" / "movie.mrc"), size=1, modified=0.0, evidence=""),),
        str(tmp_path),
        "outputs",
        sources=(str(source),),
    )
    errors: list[Exception] = [OSError(errno.ESTALE, "Stale file handle")]
    errors += [FileUnavailable("There is no file", str(source / "square" / "movie.mrc"))]
    errors += [OSError(errno.ENOENT, "none", str(tmp_path / "square" / "gain.mrc")), OSError(errno.EINVAL, "invalid")]

    @protocol(title="Toy", consumes=Arrival, produces=Ctf)
    def toy(arrival: Arrival, parameters: Nothing, workbench: Workbench) -> Ctf:
        """Fail."""
        raise errors[0]

    monkeypatch.setitem(PROTOCOLS, "toy", toy)
    away = []
    while errors:
        found = perform(task, "inline").trouble
        assert found is not None
        away.append(found.away)
        del errors[0]
    assert away == [str(source), str(source), "", ""]
