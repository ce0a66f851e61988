"""One movie in a process of its own: ``python -m benchmarks.motion.child '[movie, outputs' folder, parameters]'``."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from emlab.arrays.compiled import compile_kernels
from emlab.engine.apply import application
from emlab.formats.movie import open_movie


def measure(movie: str, out: str, values: dict[str, Any]) -> dict[str, Any]:
    """Seconds and memory of aligning a movie, its record, and the seconds of decoding alone."""
    compile_kernels()
    started, cpu = time.monotonic(), time.process_time()
    [record] = application("align_movie").run([Path(movie)], Path(out), values)
    figures = {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.monotonic() - started,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }
    if "error" in record:
        raise SystemExit(record["message"])
    cpu = time.process_time()
    for _ in open_movie(movie, values.get("eer_grouping"), values.get("eer_upsampling", 1)):
        pass
    return {**figures, "decoding_cpu_seconds": time.process_time() - cpu, "record": record}


if __name__ == "__main__":
    print(json.dumps(measure(*json.loads(sys.argv[1]))))
