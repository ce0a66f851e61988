"""What a card cannot do is done where there is more memory, and on the CPU in the end; people are told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from emlab.engine.fallback import places
from emlab.engine.perform import perform
from emlab.engine.task import Outcome, Task
from emlab.model import Ctf, Micrograph, Parameters, Workbench, protocol
from emlab.protocols import PROTOCOLS

FITTED = dict.fromkeys(("defocus_u", "defocus_v", "defocus_angle", "astigmatism", "phase_shift", "score"), 1.0)


class CUDARuntimeError(RuntimeError):
    """As CuPy's: of a device that is no more."""


CUDARuntimeError.__module__ = "cupy_backends.cuda.api.runtime"


class Nothing(Parameters):
    """Nothing to tell."""


@pytest.fixture
def on_card(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """What becomes of a task whose arrays go to a card that answers with ``errors``, one after the other."""

    @protocol(title="Toy", consumes=Micrograph, produces=Ctf, accelerated=True)
    def toy(micrograph: Micrograph, parameters: Nothing, workbench: Workbench) -> Ctf:
        """Take an array to where it is computed."""
        workbench.to_device(np.zeros(3))
        return Ctf(key="movie", micrograph="movie.mrc", ctf_resolution=3.0, **FITTED)

    def done(*errors: Exception | None) -> Outcome:
        waiting = list(errors)

        def asarray(array: Any) -> Any:
            if waiting and (error := waiting.pop(0)):
                raise error
            return array

        def free() -> None:
            if any(isinstance(error, CUDARuntimeError) for error in errors):
                raise CUDARuntimeError("cudaErrorIllegalAddress")

        pool = SimpleNamespace(free_all_blocks=free)
        fft = SimpleNamespace(config=SimpleNamespace(get_plan_cache=dict))
        cupy = SimpleNamespace(asarray=asarray, get_default_memory_pool=lambda: pool, fft=fft)
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.setitem(PROTOCOLS, "toy", toy)
        return perform(Task("ctf", "movie", "toy", {}, (None,), "", "outputs"), "gpu:0#1", "gpu:0")  # type: ignore[arg-type]

    return done


def test_a_cpu_has_nothing_to_fall_back_to() -> None:
    assert [place.device for place in places("cpu")] == ["cpu"]


def test_a_card_that_can_needs_no_remark(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card()
    assert outcome.record is not None
    assert (outcome.device, outcome.remark, outcome.spent) == ("gpu:0", "", False)


def test_a_card_with_too_little_memory_leaves_the_frames_where_they_are(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(MemoryError("Out of memory allocating 64 bytes"))
    assert outcome.record is not None
    assert outcome.device == "gpu:0"
    assert outcome.remark == "The card has too little memory, and read the frames from the computer's."
    assert not outcome.spent


def test_with_still_too_little_the_cpu_does_it(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(MemoryError(), MemoryError())
    assert outcome.record is not None
    assert outcome.trouble is None
    assert outcome.device == "cpu"
    assert outcome.remark == "The card has too little memory: the CPU did its work."


def test_what_cuda_refuses_the_cpu_does_and_the_process_is_spent(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(CUDARuntimeError("cudaErrorIllegalAddress"))
    assert outcome.record is not None
    assert outcome.device == "cpu"
    assert outcome.remark == "The card failed (cudaErrorIllegalAddress): the CPU did its work."
    assert outcome.spent


def test_what_is_wrong_with_the_item_is_wrong_everywhere(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(ValueError("not an image"))
    assert outcome.trouble is not None
    assert outcome.trouble.message == "not an image"
    assert outcome.device == "gpu:0"
    assert not outcome.remark
