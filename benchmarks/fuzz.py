"""Damage files of every kind in every way, and read them: a value or a clear error, and nothing else, each time."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from emlab.engine.executors.slurm import described_settings, read_settings
from emlab.errors import EmlabError
from emlab.formats.completeness import check_complete
from emlab.formats.defects import read_defects
from emlab.formats.eer import write_eer
from emlab.formats.epu import read_epu_xml
from emlab.formats.gain import read_gain
from emlab.formats.image import read_image
from emlab.formats.mdoc import read_mdoc
from emlab.formats.movie import inspect, open_movie
from emlab.formats.mrc import write_mrc, write_mrc_movie
from emlab.formats.star import read_star, write_star
from emlab.formats.tiff import write_tiff_movie
from emlab.workflow import read_workflow

SHAPE = (3, 40, 60)
MOST_BYTES = 2**30
"""Of memory, beside what the readers' own code takes."""
SECONDS = 10
"""Of CPU for one file of some kilobytes."""
WORDS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TOKENS = (
    b"nan", b"-1", b"0", b"1e400", b"9" * 400, b"\xff\xfe", b"\x00", b"<script>", b"../../etc/passwd", b"[" * 5000,
    b'{"a":' * 2000, b"\n\n\n", b"loop_\n", b"data_\n", b'"', b"'", b"&lol;", b"<!ENTITY a 'b'>", b"=", b"  ",
)  # fmt: skip

RESULTS = ("read", "refused", "wrong", "crash", "hang")
"""A value; an error of emlab's that names the file; anything else; the end of the process; no end."""

Read = Callable[[Path], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--mutations", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", help="only files of these names, separated by commas")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read damaged files in a process that may be killed, and count what came of it."""
    mutations = 1_000 if arguments.quick else arguments.mutations
    with tempfile.TemporaryDirectory() as folder:
        kinds = seeds(Path(folder))
        originals = {name: (Path(folder) / name).read_bytes() for name in kinds}
        chosen = arguments.kinds.split(",") if arguments.kinds else list(kinds)
        print(
            f"{'file':16}{'mutations':>10}{'read':>8}{'refused':>9}{'wrong':>7}{'crash':>7}{'hang':>6}", file=sys.stderr
        )
        total: Counter[str] = Counter()
        for kind in chosen:
            kinds[kind](Path(folder) / kind)  # which is whole
            share = -(-mutations // len(chosen))
            found = _fuzzed(Path(folder) / kind, kinds[kind], originals, arguments.seed, share)
            numbers = "".join(f"{found[result]:>9}" for result in RESULTS)
            print(f"{kind:16}{share:>10}{numbers}", file=sys.stderr)
            total.update(found)
    return {"mutations": sum(total.values()), "kinds": len(chosen), **{result: total[result] for result in RESULTS}}


def read_movie(path: Path) -> None:
    """Do all that is done with a movie before its pixels are computed with."""
    check_complete(path)
    inspect(path)
    for _ in open_movie(path, eer_grouping=2):
        pass


def seeds(folder: Path) -> dict[str, Read]:
    """Write a small file of each kind; gives what reads it, by its name."""
    rng = np.random.default_rng(7)
    movie = rng.poisson(0.3, SHAPE).astype(np.uint8)
    write_mrc_movie(folder / "uint8.mrc", movie, 1.2)
    write_mrc_movie(folder / "int16.mrcs", movie.astype(np.int16), 1.2)
    write_mrc(folder / "image.mrc", rng.normal(size=SHAPE[1:]).astype(np.float32), 1.2)
    for compression in ("none", "lzw", "deflate"):
        write_tiff_movie(folder / f"{compression}.tif", movie, 1.2, compression)
    write_eer(folder / "movie.eer", movie, 1.2)
    write_tiff_movie(folder / "gain.tif", movie[:1].astype(np.float32) + 1, 1.2)
    write_mrc(folder / "gain.mrc", movie[0].astype(np.float32) + 1, 1.2)
    write_mrc(folder / "defects.mrc", movie[0].astype(np.int16), 1.2)
    (folder / "defects.txt").write_text("1 2 3 4\n10 0 1 40\n")
    (folder / "a.xml").write_text(
        '<MicroscopeImage xmlns="x"><microscopeData><gun><AccelerationVoltage>3e5</AccelerationVoltage></gun><stage>'
        "<Position><X>1e-3</X></Position></stage><acquisition><acquisitionDateTime>2025-01-08T15:49:21+00:00"
        "</acquisitionDateTime><camera><ExposureTime>2.1</ExposureTime></camera></acquisition></microscopeData>"
        "<SpatialScale><pixelSize><x><numericValue>8.5e-11</numericValue></x></pixelSize></SpatialScale></MicroscopeImage>"
    )
    (folder / "a.mdoc").write_text(
        "PixelSpacing = 0.83\nVoltage = 300\n\n[FrameSet = 0]\nExposureDose = 40\nFrameDosesAndNumber = 1 40\n"
        "SubFramePath = C:\\a\\movie.tif\nDateTime = 08-Jan-25  15:49:21\nBinning = 2\nUncroppedSize = -10 10\n"
    )
    write_star(folder / "a.star", {"general": {"rlnA": 1}, "table": {"rlnB": [1, 2], "rlnC": ["x", "y z"]}})
    steps = [
        {"name": "import", "protocol": "import_movies", "parameters": {"folder": str(folder), "voltage": 300}},
        {"name": "align", "protocol": "align_movie"},
        {"name": "ctf", "protocol": "estimate_ctf", "inputs": {"micrographs": "micrographs"}},
    ]
    (folder / "workflow.json").write_text(json.dumps({"name": "a", "title": "A", "protocols": steps[:2]}, indent=1))
    scipion = [
        {"object.className": "ProtImportMovies", "object.id": "2", "filesPath": str(folder), "voltage": 300.0},
        {"object.className": "ProtMotionCorr", "object.id": "3", "inputMovies": "2.outputMovies", "binFactor": 1.0},
    ]
    (folder / "scipion.json").write_text(json.dumps(scipion, indent=1))
    lines = [line.removeprefix("# ") for line in described_settings().splitlines()]
    (folder / "slurm.toml").write_text("\n".join(line for line in lines if " = " in line))
    movies = ("uint8.mrc", "int16.mrcs", "none.tif", "lzw.tif", "deflate.tif", "movie.eer")
    read: dict[str, Read] = dict.fromkeys(movies, read_movie)
    read |= {"image.mrc": read_image}
    read |= dict.fromkeys(("gain.tif", "gain.mrc"), lambda path: read_gain(path, SHAPE[1:], rotation=2))
    read |= dict.fromkeys(("defects.mrc", "defects.txt"), lambda path: read_defects(path, SHAPE[1:]))
    read |= {"a.xml": read_epu_xml, "a.mdoc": read_mdoc, "a.star": read_star, "slurm.toml": read_settings}
    return read | {"workflow.json": read_workflow, "scipion.json": read_workflow}


def damaged(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Change a file's bytes in one to three ways."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(min(len(data), rng.choice((64, 300, 10**9))) + 1) if data else 0
        before, after = data[:at], data[at:]
        match rng.choice(("byte", "word", "long", "cut", "insert", "token", "repeat", "lose", "foreign", "noise")):
            case "byte":
                data = before + bytes([rng.randrange(256)]) + after[1:]
            case "word":
                data = before + struct.pack(rng.choice("<>") + "I", rng.choice(WORDS)) + after[4:]
            case "long":
                data = (
                    before
                    + struct.pack(rng.choice("<>") + "Q", rng.choice(WORDS) << 32 | rng.choice(WORDS))
                    + after[8:]
                )
            case "cut":
                data = before
            case "insert":
                data = before + rng.randbytes(rng.randint(1, 9)) + after
            case "token":
                data = before + rng.choice(TOKENS) + after[rng.randint(0, 8) :]
            case "repeat":
                data = before + after[: rng.randint(1, 200)] * rng.randint(2, 40) + after
            case "lose":
                data = before + after[rng.randint(1, 200) :]
            case "foreign":
                data = rng.choice(others)[:at] + after
            case "noise":
                data = before + rng.randbytes(min(len(after), rng.randint(1, 500))) + after[500:]
    return data


def _fuzzed(file: Path, read: Read, originals: dict[str, bytes], seed: int, count: int) -> Counter[str]:
    """Mutations ``0`` to ``count`` of one kind; a process that dies or hangs is replaced, and the next one tried."""
    found: Counter[str] = Counter()
    context = multiprocessing.get_context("fork")
    done = 0
    while done < count:
        results: Any = context.SimpleQueue()
        process = context.Process(target=_read_all, args=(file, read, originals, seed, range(done, count), results))
        process.start()
        before, heard = done, time.monotonic()
        while process.is_alive() or not results.empty():
            if results.empty():
                process.join(0.01)
                if time.monotonic() - heard > 6 * SECONDS:
                    process.kill()
                    process.join()
                continue
            found[results.get()] += 1
            done, heard = done + 1, time.monotonic()
        process.join()
        if done < count:
            hung = time.monotonic() - heard > 6 * SECONDS
            found["hang" if hung else "crash"] += 1
            print(f"{file.name} {done}: the process ended with {process.exitcode}", file=sys.stderr)
            done += 1
        assert done > before
    return found


def _read_all(file: Path, read: Read, originals: dict[str, bytes], seed: int, numbers: range, results: Any) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_memory() + MOST_BYTES,) * 2)
    signal.signal(signal.SIGVTALRM, _too_long)
    kind = file.name
    others = [data for name, data in originals.items() if name != kind]
    path = file.with_name(f"damaged-{kind}")
    for number in numbers:
        path.write_bytes(damaged(originals[kind], others, random.Random(f"{seed} {kind} {number}")))
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            read(path)
            result = "read"
        except EmlabError as error:
            result = "refused" if str(path) in str(error) else "wrong"
            if result == "wrong":
                print(f"{kind} {number}: the error does not name the file: {error}", file=sys.stderr)
        except TimeoutError:
            result = "hang"
            print(f"{kind} {number}: {traceback.format_exc()}", file=sys.stderr)
        except BaseException:  # noqa: BLE001 (whatever it is, it has to be counted)
            result = "wrong"
            print(f"{kind} {number}: {traceback.format_exc()}", file=sys.stderr)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        results.put(result)
    os._exit(0)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError


def _memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
