"""With what it was done."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import emlab
from emlab.session import Session
from emlab_widgets.html import Cell, Html, facts

_PACKAGES = ("numpy", "scipy", "numba", "ducc0", "cupy-cuda12x", "tifffile", "imagecodecs", "mrcfile")


def versions(session: Session) -> Html:
    """Give the versions of emlab and of what it computes with."""
    pairs: list[tuple[str, Cell]] = [
        ("emlab, processing", ", ".join(sorted({run.version for run in session.runs}))),
        ("emlab, this report", emlab.__version__),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.machine()}"),
    ]
    for package in _PACKAGES:
        try:
            pairs.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return Html(facts(pairs))
