"""Where the notebooks of emlab are."""

from __future__ import annotations

from pathlib import Path

from emlab.errors import ProgramError


def notebook(name: str) -> Path:
    """Give the path of a notebook: ``session``, ``report`` or ``monitor``.

    Raises
    ------
    ProgramError
        If the installation lacks it.
    """
    package = Path(__file__).parents[1]
    # In the wheel they lie inside the package, in a checkout beside it.
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (path := folder / f"{name}.ipynb").is_file():
            return path
    raise ProgramError(f"The notebook {name}.ipynb is missing from this installation of emlab; install it again.")
