"""CUDA's sources are compiled by its own compiler, which needs no card."""

from __future__ import annotations

import ctypes
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emlab
from emlab.arrays.motion import accumulate

SOURCES = sorted(Path(emlab.__file__).parent.rglob("*.cu"))


@pytest.fixture(scope="module")
def nvrtc() -> ctypes.CDLL:
    try:
        inside = files("nvidia-cuda-nvrtc") or []
    except PackageNotFoundError:
        pytest.skip("CUDA's compiler, the package nvidia-cuda-nvrtc, is not installed")
    [library] = (file for file in inside if file.name.startswith("libnvrtc.so"))
    return ctypes.CDLL(str(library.locate()))


def compiled(nvrtc: ctypes.CDLL, source: str, options: list[str]) -> str:
    """What the compiler says; nothing where all is well."""
    program = ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    assert failed == 0, log.value.decode()
    return log.value.decode().strip()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
@pytest.mark.parametrize("card", ["sm_75", "sm_90"])
def test_kernels_compile_without_a_warning(source: Path, card: str, nvrtc: ctypes.CDLL) -> None:
    code = source.read_text(encoding="utf-8")
    assert not compiled(nvrtc, code, [f"-arch={card}", "--std=c++17", "--restrict"])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_source_lies_beside_the_module_that_runs_it(source: Path) -> None:
    assert "Cuda(__file__)" in source.with_suffix(".py").read_text(encoding="utf-8")


def test_what_a_kernel_does_not_expect_is_refused(card: Any) -> None:
    spectrum = card.zeros((4, 3), np.complex64)
    weight, ring = card.ones(1, np.float32), card.zeros((4, 3), np.uint16)
    for wrong, complaint in (
        ({"weight": card.ones(1)}, "add cannot run: float64 .* for weight, which is float32, contiguous"),
        ({"ring": card.zeros((3, 4), np.uint16).T}, "add cannot run: uint16 .* for ring, which is uint16, contiguous"),
    ):
        given = {"shift": (0.0, 0.0), "weight": weight, "ring": ring} | wrong
        with pytest.raises(TypeError, match=complaint):
            accumulate.add_weighted(spectrum, width=4, total=spectrum, weighted=spectrum, **given)
