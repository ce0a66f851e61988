"""Kernels in CUDA: those of a module lie beside it, in the file of its name that ends in .cu.

A kernel there does what the module's compiled loop of the same name does on a CPU, for one element a thread.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

KERNEL: Final = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
"""Name and parameters."""
SCALARS: Final[dict[str, type[np.generic]]] = {"int": np.int32, "float": np.float32, "double": np.float64}
POINTERS: Final[dict[str, type[np.generic]]] = {
    **SCALARS, "float2": np.complex64, "bool": np.bool_, "unsigned short": np.uint16, "long long": np.int64
}  # fmt: skip
_BLOCKS: Final = {1: (256,), 2: (64, 4)}
"""Threads of a block, x first, by how many axes are run over."""


class Cuda:
    """The kernels of one file.

    Parameters
    ----------
    module
        ``__file__`` of the module whose kernels they are.
    """

    def __init__(self, module: str) -> None:
        self._source = Path(module).with_suffix(".cu")

    def __call__(self, kernel: str, shape: tuple[int, ...], *arguments: Any) -> None:
        """Run a kernel once for each element of ``shape``, (…, y, x), on the current device and stream.

        Parameters
        ----------
        arguments
            Contiguous arrays on the card, and numbers: Python's integers are passed as int, its floats as float.

        Raises
        ------
        TypeError
            If one is not what the kernel expects, which would read nonsense.
        """
        module, signatures = _compiled(self._source)
        expected = signatures[kernel]
        given = tuple(map(_typed, arguments))
        if len(given) != len(expected):
            raise TypeError(f"{kernel} got {len(given)} arguments and has {len(expected)}.")
        for argument, (name, kind, points) in zip(given, expected, strict=True):
            is_array = not isinstance(argument, np.generic)
            if argument.dtype != kind or is_array != points or (points and not argument.flags.c_contiguous):
                found = f"{argument.dtype} {getattr(argument, 'strides', '')}" if is_array else repr(argument)
                raise TypeError(f"{kernel} got {found} for {name}, which is {kind.__name__}{', contiguous' * points}.")
        block = _BLOCKS[len(shape)]
        grid = tuple(-(-length // threads) for length, threads in zip(reversed(shape), block, strict=True))
        module.get_function(kernel)(grid, block, given)


def signatures(code: str) -> dict[str, list[tuple[str, type[np.generic], bool]]]:
    """Of each kernel in a source: every parameter's name, its type, and whether it is an array of it."""
    return {name: [_parameter(one) for one in parameters.split(",")] for name, parameters in KERNEL.findall(code)}


def _parameter(declared: str) -> tuple[str, type[np.generic], bool]:
    kind, _, name = declared.replace("const ", "").strip().rpartition(" ")
    points = name.startswith("*")
    return name.lstrip("*"), (POINTERS if points else SCALARS)[kind], points


@cache
def _compiled(source: Path) -> tuple[Any, dict[str, list[tuple[str, type[np.generic], bool]]]]:
    """Compiled for the card when it is first asked for; CuPy keeps the machine code on disk for later processes."""
    import cupy

    code = source.read_text(encoding="utf-8")
    return cupy.RawModule(code=code, options=("--std=c++17",)), signatures(code)


def _typed(argument: Any) -> Any:
    if type(argument) in (bool, int):
        return np.int32(argument)
    return np.float32(argument) if type(argument) is float else argument
