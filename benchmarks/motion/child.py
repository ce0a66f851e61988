"""One movie in a process of its own: ``python -m benchmarks.motion.child '[movie, outputs' folder, parameters]'``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from emlab.arrays.compiled import compile_kernels
from emlab.engine.apply import application
from emlab.engine.devices import cpu_cores
from emlab.formats.movie import open_movie
from emlab.formats.mrc import read_mrc


def measure(movie: str, out: str, values: dict[str, Any]) -> dict[str, Any]:
    """Seconds and memory of aligning a movie in one thread, its record, and the seconds of decoding alone.

    And of the same in as many threads as there are cores, with the number of pixels in which the sum then differs.
    """
    compile_kernels()
    figures, record = _aligned(movie, out, values, 1)
    figures["peak_gb"] = _peak() / 1e9
    image = read_mrc(record["path"])[0]
    cpu = time.process_time()
    for _ in open_movie(movie, values.get("eer_grouping"), values.get("eer_upsampling", 1)):
        pass
    figures["decoding_cpu_seconds"] = time.process_time() - cpu
    shared, again = _aligned(movie, out, values, cpu_cores())
    different = int((read_mrc(again["path"])[0] != image).sum())
    return {**figures, "threads": cpu_cores(), "threads_wall_seconds": shared["wall_seconds"]} | {
        "threads_cpu_seconds": shared["cpu_seconds"],
        "threads_different_px": different,
        "record": record,
    }


def _peak() -> int:
    """Bytes of memory at most; getrusage would count those of the process that started this one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _aligned(movie: str, out: str, values: dict[str, Any], threads: int) -> tuple[dict[str, Any], dict[str, Any]]:
    started, cpu = time.monotonic(), time.process_time()
    [record] = application("align_movie").run([Path(movie)], Path(out), values, threads=threads)
    figures = {"cpu_seconds": time.process_time() - cpu, "wall_seconds": time.monotonic() - started}
    if "error" in record:
        raise SystemExit(record["message"])
    return figures, record


if __name__ == "__main__":
    print(json.dumps(measure(*json.loads(sys.argv[1]))))
