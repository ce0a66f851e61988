"""Which of the files that a person names are meant, and what their outputs are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emlab.errors import ParameterError

_BYPRODUCTS: Final = ("_PS", "_noDW", "_EVN", "_ODD")


def without_byproducts(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files that are meant where a shell's ``*.mrc`` named all of a folder, and those that are left out.

    These are what motion correction writes beside a micrograph: its power spectrum and other sums. One whose
    micrograph is not among the files was named on purpose.
    """
    given = {file.absolute() for file in files}
    meant: list[Path] = []
    left: list[Path] = []
    for file in files:
        (left if _main(file.absolute()) in given else meant).append(file)
    return meant, left


def check_room(files: Sequence[Path], out: Path) -> None:
    """See that no output replaces one of the files, or that of another.

    Raises
    ------
    ParameterError
        If one would.
    """
    taken: dict[str, Path] = {}
    for file in files:
        if out.resolve() in {file.absolute().parent.resolve(), file.resolve().parent}:
            raise ParameterError(
                f"The outputs would be written beside {file} and could replace it; choose another output folder "
                "(--out)."
            )
        # RELION calls all of them particles.star; theirs are numbered.
        if (other := taken.get(key_of(file))) and file.suffix != ".star":
            raise ParameterError(
                f"The outputs of {other} and {file} would have the same names; give each file once, and process files "
                "of the same name one by one, each with its own output folder (--out)."
            )
        taken[key_of(file)] = file


def key_of(file: Path) -> str:
    """What a file's record and outputs are called."""
    return file.stem.replace(".", "_")


def _main(file: Path) -> Path | None:
    """What a file of this name is a by-product of."""
    for suffix in _BYPRODUCTS:
        if file.stem.endswith(suffix):
            return file.with_name(file.stem.removesuffix(suffix) + file.suffix)
    return None
