"""Kernels in CUDA: those of a module lie beside it, in the file of its name that ends in .cu.

A kernel there does what the module's code does on a CPU, in one thread for each element, or for each of the lanes that
share a sum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

KERNEL: Final = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
"""Name and parameters."""
SCALARS: Final[dict[str, type[np.generic]]] = {"int": np.int32, "float": np.float32, "double": np.float64}
POINTERS: Final[dict[str, type[np.generic]]] = {
    **SCALARS, "float2": np.complex64, "bool": np.bool_,
    "unsigned char": np.uint8, "unsigned short": np.uint16, "long long": np.int64,
}  # fmt: skip
_NUMBERS: Final = {bool: "i", int: "i", float: "f"}
"""Python's, and what they are passed as."""
_BLOCKS: Final = {1: (256,), 2: (64, 4)}
"""Threads of a block, x first, by how many axes are run over."""


class Parameter(NamedTuple):
    """What a kernel expects: a number of a kind, or an array of such."""

    name: str
    kind: np.dtype[Any]
    is_array: bool


class Cuda:
    """The kernels of one file.

    Parameters
    ----------
    module
        ``__file__`` of the module whose kernels they are.
    """

    def __init__(self, module: str) -> None:
        self._source = str(Path(module).with_suffix(".cu"))

    def __call__(self, kernel: str, shape: tuple[int, ...], *arguments: Any) -> None:
        """Run a kernel once for each element of ``shape``, (…, y, x), on the current device and stream.

        Parameters
        ----------
        arguments
            Contiguous arrays on the card, and numbers; Python's become integers or floats of the size that the
            kernel has.

        Raises
        ------
        TypeError
            If one is not what the kernel expects, which would read nonsense.
        """
        run, expected = _kernels(self._source)[kernel]
        if len(arguments) != len(expected):
            raise TypeError(f"{kernel} got {len(arguments)} arguments and has {len(expected)}.")
        try:
            given = tuple(map(_typed, arguments, expected))
        except TypeError as error:
            raise TypeError(f"{kernel} cannot run: {error}") from None
        block = _BLOCKS[len(shape)]
        run(tuple(-(-length // threads) for length, threads in zip(reversed(shape), block, strict=True)), block, given)


def signatures(code: str) -> dict[str, list[Parameter]]:
    """Of each kernel in a source: its parameters."""
    return {name: [_parameter(one) for one in parameters.split(",")] for name, parameters in KERNEL.findall(code)}


def _parameter(declared: str) -> Parameter:
    kind, _, name = declared.replace("const ", "").strip().rpartition(" ")
    points = name.startswith("*")
    return Parameter(name.lstrip("*"), np.dtype((POINTERS if points else SCALARS)[kind]), points)


def _kernels(source: str) -> Mapping[str, tuple[Any, list[Parameter]]]:
    """What runs on the current card."""
    import cupy

    return _compiled(source, cupy.cuda.runtime.getDevice())


@cache
def _compiled(source: str, device: int) -> Mapping[str, tuple[Any, list[Parameter]]]:
    """Kernels and their parameters, compiled for the card when they are first asked for.

    CuPy keeps the machine code on disk for later processes.
    """
    import cupy

    code = Path(source).read_text(encoding="utf-8")
    module = cupy.RawModule(code=code, options=("--std=c++17",))
    return {name: (module.get_function(name), expected) for name, expected in signatures(code).items()}


def _typed(argument: Any, parameter: Parameter) -> Any:
    name, kind, is_array = parameter
    if type(argument) in _NUMBERS:
        if not is_array and kind.kind == _NUMBERS[type(argument)]:
            return kind.type(argument)
    elif argument.dtype == kind and (argument.flags.c_contiguous if is_array else isinstance(argument, np.generic)):
        return argument
    found = f"{argument.dtype} {argument.strides}" if hasattr(argument, "strides") else repr(argument)
    raise TypeError(f"{found} was given for {name}, which is {kind}{', contiguous' * is_array}.")
