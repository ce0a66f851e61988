"""Tasks done by worker processes on this machine: some per GPU, and some on the CPU."""

from __future__ import annotations

import itertools
import os
import select
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from emlab.engine.devices import visible_device
from emlab.engine.task import Outcome, Task, Trouble
from emlab.engine.worker import spawn_arguments

RESTART_AFTER = 5.0
"""Seconds before a worker that could not even begin is started again; doubled each time, up to `DOUBLINGS` times."""
DOUBLINGS = 6
DYING = 10.0
"""Seconds that a killed worker has to die; one that waits for a file server may not before the server answers."""
PER_GPU = 2
"""Processes that share a card: while one computes on it, the other decodes the next movie or writes the last."""
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass
class _Worker:
    name: str
    device: str
    process: subprocess.Popen[bytes]
    line: Connection
    alive: bool = False
    task: Task | None = None
    started: float = 0.0
    overdue: bool = False
    stillborn: int = 0
    again_at: float = 0.0


class LocalExecutor:
    """A pool of our own, for what the ready-made ones lack.

    When a worker dies only its task fails; when the engine dies, all workers are gone at once and the GPUs
    free; nothing is queued in the pool, so nothing is lost in it.

    Parameters
    ----------
    cpu_workers
        Processes on the CPU.
    gpus
        Indices of the CUDA devices to use.
    per_gpu
        Processes of each.
    """

    def __init__(self, cpu_workers: int, gpus: tuple[int, ...] = (), per_gpu: int = PER_GPU) -> None:
        self._complaints: list[str] = []
        self._serial = itertools.count(1)
        self._has_gpus = bool(gpus)
        self._poller = select.poll()
        self._undead: list[subprocess.Popen[bytes]] = []
        devices = [f"gpu:{index}" for index in gpus for _ in range(per_gpu)] + ["cpu"] * cpu_workers
        self._workers = [self._start(device) for device in devices]

    def free(self, *, accelerated: bool) -> int:
        return len(self._idle(accelerated))

    def submit(self, task: Task, *, accelerated: bool, prefer: str | None = None) -> None:
        idle = self._idle(accelerated)
        worker = next((worker for worker in idle if worker.name == prefer), idle[0])
        worker.task, worker.started = task, time.monotonic()
        try:
            worker.line.send(task)
        except OSError:
            return  # it has just died: `collect` finds its line closed and reports the task

    def waitables(self) -> list[int]:
        return [worker.line.fileno() for worker in self._workers if not worker.line.closed]

    def collect(self) -> list[Outcome]:
        outcomes = []
        ready = {line for line, _ in self._poller.poll(0)}
        for index, worker in enumerate(self._workers):
            if worker.line.closed:
                if time.monotonic() >= worker.again_at:
                    self._workers[index] = self._start(worker.device, worker.stillborn)
                continue
            if worker.task is not None and time.monotonic() > worker.started + worker.task.time_limit:
                worker.overdue = True
                worker.process.kill()
                if self._forsakes(worker):
                    outcomes.append(_lost(worker))
                    self._workers[index] = self._start(worker.device)
                    continue
            if worker.line.fileno() not in ready:
                continue
            try:
                message = worker.line.recv()
                if isinstance(message, Outcome) and worker.task is not None:
                    outcomes.append(replace(message, task=worker.task))
                    worker.task = None
                    if message.spent:  # it ends by itself, but must not be given anything before
                        self._end(worker)
                        self._workers[index] = self._start(worker.device)
                else:
                    worker.alive, worker.stillborn = True, 0
            except (EOFError, OSError):
                if worker.task is not None:
                    outcomes.append(_lost(worker))
                elif not worker.alive:
                    self._put_off(worker)
                self._end(worker)
                if worker.alive:
                    self._workers[index] = self._start(worker.device)
        return outcomes

    def abandon(self, task: Task) -> None:
        """Kill the worker that has a task which nobody waits for any more; another takes its place."""
        for worker in self._workers:
            if worker.task is task:
                worker.task = None
                worker.process.kill()

    def complaints(self) -> list[str]:
        complaints, self._complaints = self._complaints, []
        return complaints

    def describe(self) -> str:
        cpus = sum(worker.device == "cpu" for worker in self._workers)
        gpus = len({worker.device for worker in self._workers} - {"cpu"})
        parts = [f"{gpus} GPU{'s' * (gpus > 1)}"] * bool(gpus) + [f"{cpus} CPU worker{'s' * (cpus > 1)}"] * bool(cpus)
        return " and ".join(parts)

    def close(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._end(worker)
        for process in self._undead:
            process.poll()
        self._workers = []

    def _idle(self, accelerated: bool) -> list[_Worker]:
        on_gpu = accelerated and self._has_gpus
        return [
            worker
            for worker in self._workers
            if worker.alive and worker.task is None and (worker.device != "cpu") == on_gpu
        ]

    def _start(self, device: str, stillborn: int = 0) -> _Worker:
        name = f"{device}#{next(self._serial)}"
        ours, theirs = socket.socketpair()
        with theirs:
            process = self._spawn(theirs, name, device)
        self._poller.register(ours, select.POLLIN)
        return _Worker(name, device, process, Connection(ours.detach()), stillborn=stillborn)

    def _spawn(self, theirs: socket.socket, name: str, device: str) -> subprocess.Popen[bytes]:
        environment = dict(os.environ, **dict.fromkeys(THREAD_SETTINGS, "1"))
        environment["CUDA_VISIBLE_DEVICES"] = visible_device(int(device[4:])) if device != "cpu" else ""
        return subprocess.Popen(
            spawn_arguments(theirs, name, device),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
        )

    def _put_off(self, worker: _Worker) -> None:
        """Start a worker again later: one that cannot begin would else be started without end, and in silence."""
        delay = RESTART_AFTER * 2 ** min(worker.stillborn, DOUBLINGS)
        worker.stillborn += 1
        worker.again_at = time.monotonic() + delay
        self._complaints.append(
            f"The worker {worker.name} {_how(worker)} before it could take an item; engine.log may say why. It "
            f"restarts in {delay:g} s."
        )

    def _forsakes(self, worker: _Worker) -> bool:
        """Wait no longer for a killed worker that does not die; for as many as there are workers, not more."""
        assert worker.task is not None  # noqa: S101
        self._undead = [process for process in self._undead if process.poll() is None]
        is_late = time.monotonic() > worker.started + worker.task.time_limit + DYING
        if not is_late or len(self._undead) >= len(self._workers):
            return False
        self._undead.append(worker.process)
        self._hang_up(worker)
        self._complaints.append(
            f"The worker {worker.name} was killed but has not ended: it waits for a file server or a disk that does "
            "not answer. Another worker takes its place."
        )
        return True

    def _end(self, worker: _Worker) -> None:
        self._hang_up(worker)
        worker.process.kill()
        try:
            worker.process.wait(DYING)
        except subprocess.TimeoutExpired:
            self._undead.append(worker.process)

    def _hang_up(self, worker: _Worker) -> None:
        if not worker.line.closed:
            self._poller.unregister(worker.line)
        worker.line.close()


def _lost(worker: _Worker) -> Outcome:
    task = worker.task
    assert task is not None  # noqa: S101
    if worker.overdue:
        message = f"The worker {worker.name} exceeded the time limit of {task.time_limit:g} s and was killed."
        trouble = Trouble("TimeLimit", message, "", retry=True)
    else:
        message = f"The worker {worker.name} {_how(worker)} while it had this item."
        trouble = Trouble("WorkerLost", message, "", retry=True, cause="worker")
    return Outcome(task, worker.name, worker.device, 0.0, 0.0, 0.0, trouble=trouble)


def _how(worker: _Worker) -> str:
    code = worker.process.wait()
    hint = " (the kernel does so when memory runs out)" if code == -9 else ""
    return f"was killed by signal {-code}{hint}" if code < 0 else f"ended with exit code {code}"
