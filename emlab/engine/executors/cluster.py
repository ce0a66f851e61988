"""A cluster that outlives engines: its folder, its process, and the way to its scheduler."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from distributed import Client, Security

from emlab.engine.executors.slurm import read_settings, settings_path
from emlab.engine.lock import is_locked
from emlab.errors import ProgramError
from emlab.python import python_module

STOP = "emlab-stop"
"""The event by which a cluster is told to end."""
START_WITHIN = 60.0
"""Seconds that a cluster's process has to begin."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that a process of its own keeps; engines come and go.

    Attributes
    ----------
    folder
        The owner's alone, and seen by the nodes: key, scheduler's address, log.
    settings
        The TOML file, or ``None`` for the owner's usual one.
    """

    folder: Path
    settings: Path | None = None

    @classmethod
    def of(cls, settings: Path | None) -> Self:
        """The cluster of a settings file: one for each."""
        state = Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser()
        path = (settings or settings_path()).absolute()
        name = f"{path.stem}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
        return cls(state / "emlab" / "clusters" / name, settings and path)

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return is_locked(self.folder)

    def start(self) -> bool:
        """Start its process, unless it runs; it goes on when this one ends.

        Returns
        -------
        bool
            Whether it had to be started.

        Raises
        ------
        ParameterError
            If the settings cannot be used.
        ProgramError
            If it does not start; the message has the end of its log.
        """
        if self.is_running:
            return False
        read_settings(self.settings)
        self._make_folder()
        command = python_module("emlab.engine.executors.keeper", str(self.folder))
        command += [str(self.settings)] if self.settings else []
        with (self.folder / "cluster.log").open("wb") as log:
            keeper = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        deadline = time.monotonic() + START_WITHIN
        while not (self.folder / "scheduler.json").exists():
            if keeper.poll() is not None or time.monotonic() > deadline:
                lines = (self.folder / "cluster.log").read_text(errors="replace").splitlines()
                raise ProgramError("The cluster did not start. Its log ends with:\n" + "\n".join(lines[-4:]))
            time.sleep(0.05)
        keeper.returncode = 0  # it is on its own from here: no warning when this object goes
        return True

    def stop(self) -> bool:
        """End its process and its jobs; gives whether it ran.

        Raises
        ------
        ProgramError
            If it does not end.
        """
        if not self.is_running:
            return False
        with self.client(asynchronous=False) as client:
            # A scheduler that is shut down from afar is looked for by its own process for half a minute.
            client.log_event(STOP, True)
        deadline = time.monotonic() + START_WITHIN
        while self.is_running:
            if time.monotonic() > deadline:
                raise ProgramError(f"The cluster did not stop; its log is {self.folder / 'cluster.log'}.")
            time.sleep(0.05)
        return True

    def client(self, *, asynchronous: bool = True) -> Client:
        """A client of its scheduler, wherever that is now.

        Raises
        ------
        ProgramError
            If it has none.
        """
        try:
            address = json.loads((self.folder / "scheduler.json").read_text(encoding="utf-8"))["address"]
        except FileNotFoundError:
            raise ProgramError("the cluster is not running; `emlab cluster start` starts it") from None
        return Client(address, security=self.security(), asynchronous=asynchronous)

    def security(self) -> Security:
        """Keys by their paths: whoever has not the key is refused, and nothing travels unencrypted."""
        certificate, key = str(self.folder / "certificate.pem"), str(self.folder / "key.pem")
        roles = ("client", "scheduler", "worker")
        return Security(
            require_encryption=True,
            tls_ca_file=certificate,
            **{f"tls_{role}_cert": certificate for role in roles},
            **{f"tls_{role}_key": key for role in roles},
        )

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        (self.folder / "scheduler.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "jobs", ignore_errors=True)
        made: Any = Security.temporary()
        for name, text in (("certificate.pem", made.tls_ca_file), ("key.pem", made.tls_client_key)):
            (self.folder / name).unlink(missing_ok=True)
            with open(self.folder / name, "x", opener=_private, encoding="ascii") as file:
                file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
