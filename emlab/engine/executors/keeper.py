"""The process that keeps a cluster: ``python -m emlab.engine.executors.keeper FOLDER [SETTINGS]``."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import dask
import dask_jobqueue  # noqa: F401 (sets a handler of SIGINT, which ours has to come after)

from emlab.engine.executors.cluster import STOP, Cluster
from emlab.engine.executors.slurm import SlurmSettings, read_settings, slurm_cluster
from emlab.engine.lock import SessionLock
from emlab.errors import EmlabError
from emlab.formats.atomic import whole_file

LOOK = 1.0
"""Seconds between looks at who is there."""
REPLACED_AFTER = "5s"
"""How long a worker that went may come back before a new job is submitted."""

END_WITHIN = 20.0
"""Seconds that workers have to go before they are left to SLURM, which kills them."""

log = logging.getLogger("emlab.cluster")


def main() -> int:
    """Keep the jobs running until told to stop, or until no session has used them for a while."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    folder = Path(sys.argv[1])
    settings_file = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    over = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        lock = SessionLock(folder)
        settings = read_settings(settings_file)
        with dask.config.set({"distributed.deploy.lost-worker-timeout": REPLACED_AFTER}):
            cluster = slurm_cluster(settings, folder, Cluster(folder).security())
    except EmlabError as error:
        log.error("%s", error)  # noqa: TRY400
        return 1
    with cluster:
        _keep(cluster, settings, lock, folder, over)
    (folder / "scheduler.json").unlink(missing_ok=True)
    lock.release()
    return 0


def _keep(cluster: Any, settings: SlurmSettings, lock: SessionLock, folder: Path, over: threading.Event) -> None:
    # A fixed number would not be made up when a job ends; adapting between equal bounds does that.
    adapting = cluster.adapt(minimum=settings.jobs, maximum=settings.jobs)
    with whole_file(folder / "scheduler.json") as path:
        path.write_text(json.dumps({"address": cluster.scheduler_address}), encoding="utf-8")
    log.info("%d jobs are kept for the scheduler at %s.", settings.jobs, cluster.scheduler_address)
    used = time.monotonic()
    while not over.wait(LOOK):
        lock.beat(time.monotonic())
        if cluster.scheduler.status.name in {"closing", "closed"}:
            log.info("The scheduler was shut down.")
            break
        if cluster.scheduler.get_events(STOP):
            log.info("Somebody stopped the cluster.")
            break
        if any(name.startswith("Client") for name in cluster.scheduler.clients):
            used = time.monotonic()
        elif time.monotonic() - used > settings.idle_timeout:
            log.info("No session has used the cluster for %g s.", settings.idle_timeout)
            break
    _end_jobs(cluster, adapting)


def _end_jobs(cluster: Any, adapting: Any) -> None:
    """End the jobs while they have a scheduler: a worker that loses it just when it is ended never ends by itself."""
    adapting.stop()
    cluster.scale(0)
    deadline = time.monotonic() + END_WITHIN
    while cluster.scheduler.workers and time.monotonic() < deadline:
        time.sleep(LOOK / 10)


if __name__ == "__main__":
    sys.exit(main())
