"""What RELION shows of a micrograph and can start from again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emlab.export.placing import is_newer
from emlab.formats.jpeg import read_jpeg
from emlab.formats.mrc import read_mrc, write_mrc


def write_amplitudes(power: Path, target: Path) -> bool:
    """Write the amplitude spectrum that CTF jobs can take for the micrograph, and say whether it is there.

    Its own motion correction writes amplitudes, and the jobs take what they get for those.
    """
    if not power.is_file():
        return False
    if is_newer(power, target):
        spectrum, pixel_size = read_mrc(power)
        write_mrc(target, np.sqrt(np.maximum(spectrum, 0)).astype(np.float32), pixel_size)
    return True


def write_fit(picture: Path, target: Path) -> bool:
    """Write the picture of spectrum and fit as an MRC, int8, for RELION's display, and say whether it is there."""
    if not picture.is_file():
        return False
    if is_newer(picture, target):
        pixels = read_jpeg(picture).astype(np.float32)
        grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
        write_mrc(target, np.ascontiguousarray(grey - 128.0).astype(np.int8), None)
    return True
