"""A card that is emulated: CUDA's kernels compiled as C++, and NumPy on arrays that do not mix with the host's.

What is computed is what a card would compute, of the same sources; what only a card can tell, its speed and its memory,
is left to the tests marked ``gpu``.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

import emlab
from emlab.arrays import cuda

Array = NDArray[Any]


class Card(np.ndarray[Any, np.dtype[Any]]):
    """An array that behaves as if it were on a GPU: it does not mix with NumPy's."""

    def get(self) -> Array:
        return self.view(np.ndarray)

    def __getitem__(self, key: Any) -> Any:
        _refuse_a_mixture([self, *_flat([key])])
        return super().__getitem__(key)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        return _computed(getattr(ufunc, method), inputs, more)

    def __array_function__(self, function: Any, types: Any, given: Any, more: Any) -> Any:
        return _computed(function, given, more)


Card.__module__ = "cupy"


def _computed(function: Any, given: Any, more: dict[str, Any]) -> Any:
    """What a function of arrays on the card gives; like CuPy's, it takes none of the host's beside them."""
    _refuse_a_mixture(_flat([given, list(more.values())]))
    result = function(*_plain(given), **{name: _plain(one) for name, one in more.items()})
    out = more.get("out")
    return out[0] if isinstance(out, tuple) else out if out is not None else _on_card(result)


def _refuse_a_mixture(values: list[Any]) -> None:
    if len({isinstance(one, Card) for one in values if isinstance(one, np.ndarray)}) > 1:
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")


def _flat(values: Any) -> list[Any]:
    return [one for value in values for one in (_flat(value) if isinstance(value, list | tuple) else [value])]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.view(np.ndarray) if isinstance(value, Card) else value


def _on_card(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(_on_card, result))
    if isinstance(result, np.generic):
        result = np.asarray(result)  # on a card what is reduced to one number stays there
    return result.view(Card) if isinstance(result, np.ndarray) else result


class Function:
    """A kernel, compiled as C++."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._function, self._name = library[f"run_{name}"], name

    def __call__(self, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
        EmulatedCupy.ran.add(self._name)
        sizes = [ctypes.c_uint(size) for each in (grid, block) for size in (*each, 1, 1)[:3]]
        self._function(*sizes, *map(_passed, arguments))


def _passed(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        assert isinstance(argument, Card), "an array is not on the card"
        return ctypes.c_void_p(argument.ctypes.data)
    return {np.int32: ctypes.c_int, np.float32: ctypes.c_float, np.float64: ctypes.c_double}[type(argument)](argument)


class RawModule:
    """The kernels of a source."""

    def __init__(self, code: str) -> None:
        folder = EmulatedCupy.folder
        kernels = cuda.KERNEL.findall(code)
        runs = "".join(_run(name, parameters) for name, parameters in kernels)
        source = folder / f"kernels_{len(list(folder.iterdir()))}.cpp"
        source.write_text(f'#include "{Path(__file__).with_name("emulated.h")}"\n{code}\n{runs}')
        library = source.with_suffix(".so")
        command = [
            "g++",
            "-std=c++17",
            "-O1",
            "-fwrapv",
            "-Wall",
            "-Werror",
            "-Wno-unknown-pragmas",
            "-shared",
            "-fPIC",
        ]
        subprocess.run([*command, str(source), "-o", str(library)], check=True)
        loaded = ctypes.CDLL(str(library))
        self._functions = {name: Function(loaded, name) for name, _ in kernels}

    def get_function(self, name: str) -> Function:
        return self._functions[name]


def _run(name: str, parameters: str) -> str:
    names = ", ".join(one.rpartition(" ")[2].lstrip("*") for one in parameters.split(","))
    sizes = ", ".join(f"unsigned {size}{axis}" for size in "gb" for axis in "xyz")
    return (
        f'extern "C" void run_{name}({sizes}, {parameters}) {{ gridDim = {{gx, gy, gz}}; blockDim = {{bx, by, bz}}; '
        f"RUN({name}({names})); }}\n"
    )


class EmulatedCupy(ModuleType):
    """NumPy's functions on `Card` arrays."""

    folder: Path
    ran: ClassVar[set[str]] = set()

    @staticmethod
    def kernels() -> set[str]:
        """Names of all that there are."""
        sources = Path(emlab.__file__).parent.rglob("*.cu")
        return {name for source in sources for name in cuda.signatures(source.read_text())}

    def __init__(self, source: Any = np) -> None:
        super().__init__("cupy")
        self._source = source

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if isinstance(found, ModuleType):
            return EmulatedCupy(found)
        if isinstance(found, type) or not callable(found):
            return found

        def called(*given: Any, **more: Any) -> Any:
            return _computed(found, given, more)

        if isinstance(found, np.ufunc):
            called.at = lambda *given: found.at(*_plain(given))  # type: ignore[attr-defined]
        return called


@cache
def kernels(source: str) -> dict[str, tuple[Function, list[cuda.Parameter]]]:
    code = Path(source).read_text()
    module = RawModule(code)
    return {name: (module.get_function(name), expected) for name, expected in cuda.signatures(code).items()}


@pytest.fixture(scope="session")
def emulation(tmp_path_factory: pytest.TempPathFactory) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++, which compiles CUDA's kernels for this test, is not installed")
    EmulatedCupy.folder = tmp_path_factory.mktemp("kernels")


@pytest.fixture
def card(emulation: None, monkeypatch: pytest.MonkeyPatch) -> EmulatedCupy:
    """CuPy, emulated, so that code for a GPU is run where there is none."""
    emulated = EmulatedCupy()
    monkeypatch.setitem(sys.modules, "cupy", emulated)
    monkeypatch.setattr(cuda, "_kernels", kernels)
    return emulated
