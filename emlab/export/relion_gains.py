"""Gain references for RELION's Bayesian polishing, which neither turns nor flips what it reads."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pandas as pd

from emlab.errors import EmlabError
from emlab.export.placing import is_newer
from emlab.formats.gain import write_upright
from emlab.formats.star import read_star, write_star
from emlab.sets import IncrementalSet

_COLUMNS: Final = ["key", "height", "width", "gain_reference", "gain_rotation", "gain_flip", "eer_grouping"]
_NAME: Final = "rlnMicrographGainName"


def write_gains(movies: IncrementalSet | None, keys: Iterable[Any], folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Write each gain reference once, turned and flipped as its movies need it, and give what went wrong too.

    An EER's that is neither turned nor flipped is left to RELION, which reads it as emlab does, by its ending: it
    multiplies with a ``.gain`` and divides by an MRC.

    Returns
    -------
    gains
        Name of an item → the MRC that RELION multiplies its frames with, or divides by in an EER.
    troubles
        A sentence for each that cannot be read.
    """
    if movies is None:
        return {}, []
    table = movies.to_dataframe(columns=_COLUMNS).set_index("key")
    table = table[table.index.isin(set(keys)) & table["gain_reference"].notna()]
    items: dict[tuple[Any, ...], list[str]] = {}
    for key, height, width, path, rotation, flip, grouping in table.itertuples(name=None):
        items.setdefault((path, (height, width), rotation, flip, bool(pd.notna(grouping))), []).append(key)
    gains: dict[str, Path] = {}
    troubles = []
    for told, named in items.items():
        path, shape, rotation, flip, eer = told
        source = Path(path)
        if eer and not rotation and not flip and source.suffix in {".gain", ".mrc"}:
            continue
        target = folder / f"{source.stem}_{sha256(repr(told).encode()).hexdigest()[:8]}.mrc"
        try:
            if is_newer(source, target):
                write_upright(source, target, shape, rotation, flip, eer=eer)
        except EmlabError as error:
            if not target.is_file():
                troubles.append(str(error))
                continue
        gains |= dict.fromkeys(named, target)
    return gains, troubles


def place_metadata(source: Path, target: Path, gain: Path, name: str) -> None:
    """Write what RELION knows of a movie's motion with ``name`` for its gain reference, where that is not there yet."""
    if target.is_symlink() or is_newer(source, target) or is_newer(gain, target):
        tables = read_star(source)
        tables["general"][_NAME] = name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_star(target, tables)
