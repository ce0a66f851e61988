"""The engine's process: ``python -m emlab.engine SESSION [--executor E] [--workers N] [--gpus 0,1] [--report S]``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from emlab.engine.chores import Chore
from emlab.engine.devices import cpu_workers, gpu_indices
from emlab.engine.executors.choice import LOCAL, executor_for
from emlab.engine.journal import journal
from emlab.engine.options import gpu_indices_of
from emlab.engine.runner import TIME_LIMIT, Engine
from emlab.errors import EmlabError, ParameterError
from emlab.monitors import notices
from emlab.python import python_module
from emlab.sets import Catalogue


def main() -> int:
    """Run a session's engine until the session is over."""
    arguments = _arguments()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr, force=True
    )
    logging.getLogger().addHandler(journal(arguments.session))
    chores = []
    if arguments.report:
        command = tuple(python_module("emlab.report", str(arguments.session)))
        chores.append(Chore("report", command, every=arguments.report))
    workers = arguments.workers or cpu_workers()
    try:
        gpus = _gpus(arguments.gpus)
        executor = executor_for(arguments.executor, workers, gpus, _folders(arguments.session))
        watch, time_limit = not arguments.no_watch, arguments.time_limit
        engine = Engine(arguments.session, executor, chores, watch=watch, time_limit=time_limit)
    except EmlabError as error:
        logging.getLogger("emlab.engine").error("%s", error)  # noqa: TRY400
        return 1

    def stop(number: int, frame: FrameType | None) -> None:
        engine.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if notices.are_there():
        # In a session of its own: it outlives an engine that is killed, with all that belongs to it, to tell of that.
        watchman = python_module("emlab.watchman", str(arguments.session), str(os.getpid()))
        subprocess.Popen(watchman, stdin=subprocess.DEVNULL, start_new_session=True)
    engine.run()
    return 0


def _gpus(said: str | None) -> tuple[int, ...]:
    """Indices of the GPUs to compute on."""
    wanted = gpu_indices_of(said)
    if wanted == ():
        return ()  # without asking CuPy, which takes its time
    there = gpu_indices()
    if wanted is not None and (missing := sorted({*wanted}.difference(there))):
        found = f"CuPy finds {', '.join(map(str, there))}" if there else "CuPy finds none"
        raise ParameterError(
            f"There is no GPU {', '.join(map(str, missing))}; {found}. Choose others, or all, with --gpus; `emlab "
            "doctor` says what is missing."
        )
    return there if wanted is None else wanted


def _folders(session: Path) -> list[str]:
    """What every worker has to see: the session, and where its files come from."""
    catalogue = Catalogue(session / "session.db")
    sources = [run.parameters["folder"] for run in catalogue.runs() if "folder" in run.parameters]
    catalogue.close()
    return [str(session), *sources]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emlab.engine", description=__doc__)
    parser.add_argument("session", type=lambda text: Path(text).resolve())
    parser.add_argument("--executor", default=LOCAL, help="local, dask, dask://host:port, slurm, slurm:settings.toml")
    parser.add_argument("--workers", type=int, help="processes on the CPU")
    parser.add_argument("--gpus", help="indices of GPUs, separated by commas; empty for none")
    parser.add_argument("--report", type=float, default=0.0, help="seconds between reports; 0 for none")
    parser.add_argument("--no-watch", action="store_true", help="process what has come, and take no more files")
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT, help="seconds an item may take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
