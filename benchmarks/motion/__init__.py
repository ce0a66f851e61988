"""Motion correction: CPU-seconds, memory, accuracy against simulated truth, and sharpness of the sum."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.motion.accuracy import accuracy, faint
from benchmarks.motion.correlation import agreement
from benchmarks.motion.movies import FAST, FULL
from benchmarks.motion.speed import speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--movies", type=Path, help="folder in which the simulated movies are kept for the next time")
    parser.add_argument("--only", help="accuracy, correlation, or the name of a case of speed")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure speed on single movies, accuracy on a set of them, and how sharp the sums are."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.movies or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        cases = [case for case in (FAST if arguments.quick else FULL) if arguments.only in (None, case.name)]
        measured = [{"case": case.name, **speed(case, folder, Path(scratch) / "out")} for case in cases]
        _print_table(measured)
        figures |= {f"{row['case']}_{name}": row[name] for row in measured for name in row if name != "case"}
        if arguments.only in (None, "accuracy"):
            rows, summary = accuracy(folder, 6 if arguments.quick else 30)
            _print_table(rows)
            figures |= summary | faint(folder)
        if arguments.only in (None, "correlation"):
            rows, summary = agreement(folder, 1 if arguments.quick else 3)
            _print_table(rows)
            figures |= summary
    return figures


def _print_table(rows: list[dict[str, Any]]) -> None:
    for row in rows[:1]:
        print("".join(f"{name:>22}" for name in row), file=sys.stderr)
    for row in rows:
        values = (f"{value:22.3f}" if isinstance(value, float) else f"{value!s:>22}" for value in row.values())
        print("".join(values), file=sys.stderr)
