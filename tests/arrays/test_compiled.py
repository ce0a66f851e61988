from __future__ import annotations

import subprocess
import sys
from typing import Any

from emlab.arrays.compiled import compile_kernels

PROGRAM = """
import importlib, pkgutil
from numba.core.dispatcher import Dispatcher
from emlab.arrays import ctf, lzw, motion
from emlab.arrays.compiled import compile_kernels

compile_kernels()
found = [(room, each.name) for room in (ctf, motion) for each in pkgutil.iter_modules(room.__path__)]
modules = [importlib.import_module(f"{room.__name__}.{name}") for room, name in found]
modules.append(lzw)
kernels = {f"{m.__name__}.{name}": it for m in modules for name, it in vars(m).items() if isinstance(it, Dispatcher)}
print(len(kernels), *(name for name, kernel in kernels.items() if not kernel.signatures))
"""


def test_no_kernel_is_left_for_the_first_movie() -> None:
    # In a process of its own: other tests compile kernels too.
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    count, *missing = done.stdout.split()
    assert int(count) > 12
    # Called by other kernels only, which have it within.
    assert set(missing) <= {"emlab.arrays.motion.resample._line"}


def test_no_kernel_of_a_card_is_left_for_the_first_movie(card: Any) -> None:
    card.ran.clear()
    compile_kernels(card)
    assert card.ran == card.kernels()
