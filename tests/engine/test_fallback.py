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


def as_cupys(name: str, module: str) -> type[RuntimeError]:
    """An exception as CuPy defines it."""
    return type(name, (RuntimeError,), {"__module__": module})


CUDARuntimeError = as_cupys("CUDARuntimeError", "cupy_backends.cuda.api.runtime")
CUDADriverError = as_cupys("CUDADriverError", "cupy_backends.cuda.api.driver")
CuFFTError = as_cupys("CuFFTError", "cupy.cuda.cufft")
CUBLASError = as_cupys("CUBLASError", "cupy_backends.cuda.libs.cublas")
CompileException = as_cupys("CompileException", "cupy.cuda.compiler")


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
        pools = dict.fromkeys(("get_default_memory_pool", "get_default_pinned_memory_pool"), lambda: pool)
        cupy = SimpleNamespace(asarray=asarray, fft=fft, **pools)
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
    assert outcome.remark == "The card has too little memory, so frames were read from the computer's memory."
    assert not outcome.spent


def test_with_still_too_little_the_cpu_does_it(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(MemoryError(), MemoryError())
    assert outcome.record is not None
    assert outcome.trouble is None
    assert outcome.device == "cpu"
    assert outcome.remark == "The card has too little memory, so the CPU took over."


def test_what_cuda_refuses_the_cpu_does_and_the_process_is_spent(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(CUDARuntimeError("cudaErrorIllegalAddress"))
    assert outcome.record is not None
    assert outcome.device == "cpu"
    assert outcome.remark == "The card failed (cudaErrorIllegalAddress), so the CPU took over."
    assert outcome.spent


@pytest.mark.parametrize(
    "error",
    [
        CUDARuntimeError("cudaErrorMemoryAllocation: out of memory"),  # of pinned memory, or a context
        CUDADriverError("CUDA_ERROR_OUT_OF_MEMORY: out of memory"),  # when a kernel is loaded
        CuFFTError("CUFFT_ALLOC_FAILED"),  # of a plan
        CUBLASError("CUBLAS_STATUS_ALLOC_FAILED"),
    ],
)
def test_memory_that_lacks_by_another_name_breaks_nothing(on_card: Callable[..., Outcome], error: Exception) -> None:
    outcome = on_card(error)
    assert outcome.device == "gpu:0"
    assert outcome.remark.startswith("The card has too little memory, so")
    assert not outcome.spent


@pytest.mark.parametrize(
    "error",
    [
        CompileException("error: identifier undefined"),
        ImportError("libcufft.so.11: cannot open shared object file"),
        RuntimeError("CuPy failed to load libnvrtc.so.12: OSError"),
    ],
)
def test_a_card_that_lacks_a_library_is_done_without_and_its_process_lives_on(
    on_card: Callable[..., Outcome], error: Exception
) -> None:
    outcome = on_card(error)
    assert outcome.record is not None
    assert outcome.device == "cpu"
    assert outcome.remark == f"The card cannot be used ({error}), so the CPU took over."
    assert not outcome.spent


def test_what_is_wrong_with_the_item_is_wrong_everywhere(on_card: Callable[..., Outcome]) -> None:
    outcome = on_card(ValueError("not an image"))
    assert outcome.trouble is not None
    assert outcome.trouble.message == "not an image"
    assert outcome.device == "gpu:0"
    assert not outcome.remark
