"""``python -m benchmarks NAME``: a table for people on standard error, one JSON object on standard output."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path


def main() -> None:
    """Run one benchmark."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    known = sorted(module.name for module in modules if not module.name.startswith("_"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=known)
    name = parser.parse_args(sys.argv[1:2]).name
    benchmark = importlib.import_module(f"benchmarks.{name}")
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=benchmark.__doc__)
    parser.add_argument("--quick", action="store_true", help="a small version, for a first impression")
    benchmark.add_arguments(parser)
    figures = benchmark.run(parser.parse_args(sys.argv[2:]))
    for key, value in figures.items():
        print(f"{key:32} {value:>14,.4g}" if isinstance(value, float) else f"{key:32} {value!s:>14}", file=sys.stderr)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
