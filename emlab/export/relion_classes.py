"""What 2D classification found of each particle, as RELION's STAR files say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.formats.array import read_array
from emlab.formats.class_columns import Columns, class_columns
from emlab.model import Classes, Particles
from emlab.sets import Batch, IncrementalSet


def assigned(line: Mapping[str, IncrementalSet], batches: Sequence[Batch], root: Path) -> dict[str, Columns]:
    """Columns of each micrograph's particles, in their order, by the micrograph's key.

    A class is the one that a particle was put into when it came.

    Parameters
    ----------
    line
        The sets of one line, by kind; without 2D classes nothing is known.
    root
        The session's folder.
    """
    if Classes.kind not in line or Particles.kind not in line:
        return {}
    spans = {batch.key: batch for batch in batches if batch.run == line[Classes.kind].run}
    found: dict[str, Columns] = {}
    for record in line[Classes.kind]:
        assert isinstance(record, Classes)  # noqa: S101
        file = root / record.assignments
        if record.key not in spans or not file.is_file():
            continue
        span = spans[record.key]
        keys = [member.key for member in line[Particles.kind][span.first : span.stop]]
        found.update(_by_member(keys, read_array(file)))
    return found


def _by_member(keys: Sequence[str], table: NDArray[Any]) -> Iterator[tuple[str, Columns]]:
    for number in np.unique(table["member"]):
        rows = np.sort(table[table["member"] == number], order="particle")
        yield keys[number], class_columns(rows)
