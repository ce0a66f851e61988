"""Kernels of pages that begin as copies of a process which has imported everything.

A kernel that starts from nothing spends seconds of a core on imports before its page shows anything, and memory on
what all pages have in common.
"""

from __future__ import annotations

import os
import threading
from importlib.metadata import EntryPoint
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

NAME: Final = "emlab-warm"
"""By which Jupyter's server knows this way to start kernels."""


def offer() -> None:
    """Let this process's server know of it: only the pages' own starts its kernels so."""
    entry = EntryPoint(NAME, f"{__name__}:{WarmProvisioner.__name__}", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.provisioners[NAME] = entry


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel as a copy of the process that has imported everything."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start it; what it is called with comes after the name of the module that Python would run."""
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        # Voila's are of a class of its own, and the kernel would import Voila to know it.
        environment = {_plain(name): _plain(value) for name, value in kwargs["env"].items()}
        self.cwd = os.fspath(kwargs.get("cwd") or Path.cwd())
        copy = _Copy(arguments, environment, self.cwd)
        self.process = copy  # type: ignore[assignment]
        self.pid = self.pgid = copy.pid
        return self.connection_info


class _Copy:
    """A process as `subprocess.Popen` would show it."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str], cwd: str) -> None:
        self._process = get_context("forkserver").Process(target=_run, args=(arguments, environment, cwd), daemon=True)
        self._process.start()
        self.pid: int = self._process.pid  # type: ignore[assignment] # it is started

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _plain(text: str) -> str:
    return os.fsdecode(os.fsencode(text))


def _run(arguments: list[str], environment: dict[str, str], cwd: str) -> None:
    """Become a kernel."""
    from ipykernel.kernelapp import IPKernelApp
    from ipywidgets import register_comm_target

    os.setsid()  # a session of its own, to which signals go as a whole
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    threading.Thread(target=_end_with_server, daemon=True).start()
    # By which a page asks for all widgets at once; only where a kernel imports ipywidgets does it do that by itself.
    register_comm_target()
    IPKernelApp.launch_instance([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def _end_with_server() -> None:
    """End when the server has, however that ended: it is not this process's parent, which would be noticed."""
    server = parent_process()
    if server is not None:
        wait([server.sentinel])
        os._exit(1)
