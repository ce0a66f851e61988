"""Kernels in CUDA: those of a module lie beside it, in the file of its name that ends in .cu.

A kernel there does what the module's compiled loop of the same name does on a CPU, for one element a thread.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

_BLOCKS: Final = {1: (256,), 2: (64, 4), 3: (64, 4, 1)}
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
            Arrays on the card, contiguous and of the types that the kernel expects. Python's integers are passed as
            int, its floats as float, NumPy's numbers as what they are.
        """
        block = _BLOCKS[len(shape)]
        grid = tuple(-(-length // threads) for length, threads in zip(reversed(shape), block, strict=True))
        _compiled(self._source).get_function(kernel)(grid, block, tuple(map(_typed, arguments)))


@cache
def _compiled(source: Path) -> Any:
    """Compiled for the card when it is first asked for; CuPy keeps the machine code on disk for later processes."""
    import cupy

    return cupy.RawModule(code=source.read_text(encoding="utf-8"), options=("--std=c++17",))


def _typed(argument: Any) -> Any:
    if type(argument) in (bool, int):
        return np.int32(argument)
    return np.float32(argument) if type(argument) is float else argument
