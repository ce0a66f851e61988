"""A worker process: takes tasks from a socket, does them, sends outcomes back."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection

from emlab.engine import devices
from emlab.python import python_module

NICENESS = 5
"""Workers leave the processor to the engine, which only ever needs a moment."""
FIRST_TO_GO = 500
"""What the kernel adds to a worker's score when memory runs out, so that it kills a worker and never the engine."""


def main(descriptor: int, name: str, device: str, parent: int) -> None:
    """Serve tasks until the engine hangs up or dies."""
    _die_with(parent)
    os.nice(NICENESS)
    bound_memory(devices.memory() if device == "cpu" else None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from emlab.arrays.compiled import compile_kernels
    from emlab.engine.perform import perform
    from emlab.engine.workbench import Pantry

    compile_kernels()
    if device != "cpu":
        _compile_for_card()
    pantry = Pantry()
    line = Connection(descriptor)
    line.send(name)
    while True:
        try:
            task = line.recv()
        except (EOFError, ConnectionResetError):
            return
        outcome = perform(task, name, device, pantry)
        # Whoever sent the task has it still, and every byte costs the engine time.
        line.send(replace(outcome, task=replace(task, records=(), parameters={})))
        if outcome.spent:
            return  # another process takes this one's place


def spawn_arguments(theirs: socket.socket, name: str, device: str) -> list[str]:
    """Command that starts a worker at its end of a socket pair."""
    return python_module("emlab.engine.worker", str(theirs.fileno()), name, device, str(os.getpid()))


def bound_memory(most: int | None) -> None:
    """Have an item that wants more than the machine has fail with a MemoryError, before the machine stands still.

    Parameters
    ----------
    most
        Bytes that this process may use; ``None`` for one that maps a card's memory, which would count.
    """
    if most is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(str(FIRST_TO_GO))


def _compile_for_card() -> None:
    from emlab.arrays.compiled import compile_kernels

    try:
        import cupy

        compile_kernels(cupy)
    except Exception:  # noqa: BLE001 (each item will meet it, be computed on the CPU, and say so)
        traceback.print_exc()


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the engine dies, so that no orphan keeps a GPU."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
