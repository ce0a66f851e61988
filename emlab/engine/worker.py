"""A worker process: takes tasks from a socket, does them, sends outcomes back."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from multiprocessing.connection import Connection

NICENESS = 5
"""Workers leave the processor to the engine, which only ever needs a moment."""


def main(descriptor: int, name: str, device: str, parent: int) -> None:
    """Serve tasks until the engine hangs up or dies."""
    _die_with(parent)
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from emlab.arrays.compiled import compile_kernels
    from emlab.engine.perform import perform
    from emlab.engine.workbench import Pantry

    compile_kernels()
    pantry = Pantry()
    line = Connection(descriptor)
    line.send(name)
    while True:
        try:
            task = line.recv()
        except EOFError:
            return
        line.send(perform(task, name, device, pantry))


def spawn_arguments(theirs: socket.socket, name: str, device: str) -> list[str]:
    """Command that starts a worker at its end of a socket pair."""
    return [
        sys.executable,
        "-m",
        "emlab.engine.worker",
        str(theirs.fileno()),
        name,
        device,
        str(os.getpid()),
    ]


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the engine dies, so that no orphan keeps a GPU."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
