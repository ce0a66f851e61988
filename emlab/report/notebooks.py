"""Where the notebooks of emlab are."""

from __future__ import annotations

from pathlib import Path

from emlab.errors import ProgramError


def notebook(name: str) -> Path:
    """Give the path of a notebook: ``session``, ``report``, ``launch`` or ``monitor``.

    Raises
    ------
    ProgramError
        If the installation lacks it.
    """
    path = _folder() / f"{name}.ipynb"
    if not path.is_file():
        raise ProgramError(f"The notebook {name}.ipynb is missing from this installation of emlab; install it again.")
    return path


def lessons() -> list[Path]:
    """Give the paths of the notebooks that teach, in their order."""
    return sorted((_folder() / "lessons").glob("*.ipynb"))


def _folder() -> Path:
    package = Path(__file__).parents[1]
    # In the wheel they lie inside the package, in a checkout beside it.
    inside = package / "notebooks"
    return inside if inside.is_dir() else package.parent / "notebooks"
