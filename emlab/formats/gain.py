"""Gain references: what to multiply each pixel's counts with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.errors import DataError, ParameterError
from emlab.formats.image import read_image
from emlab.formats.kind import kind_of
from emlab.formats.mrc import write_mrc
from emlab.formats.source import Source

Array = NDArray[Any]


def read_gain(
    path: str | Path, shape: tuple[int, int], *, rotation: int = 0, flip: int = 0, eer: bool = False
) -> Array:
    """What to multiply each frame with: float32 (y, x), 0 at defects.

    Parameters
    ----------
    path
        An MRC or TIFF (``.gain`` is one). For an EER, an MRC is divided by and a TIFF multiplied with, as the
        cameras' software means them; for other movies both multiply. A TIFF's rows are read from the last to the
        first, as those of a TIFF movie, but for an EER from the first to the last, as an EER's own; so does RELION.
    shape
        Of the frames as they are read, (y, x). A gain for an EER may have 2 or 4 times, or a half or a quarter of
        its pixels.
    rotation
        MotionCor's ``-RotGain`` and RELION's gain rotation: quarter turns, applied before the flip. MotionCor calls
        them counter-clockwise since it draws the first row at the bottom; where the first row is on top, as in a
        printed array, they are clockwise.
    flip
        0 none, 1 upside down, 2 left–right, as in both programs.
    eer
        Whether the movie is an EER.

    Raises
    ------
    ParameterError
        If ``rotation`` or ``flip`` is none of these.
    DataError
        If the gain does not fit the frames, or has no gain in it.
    FormatError
        If the file cannot be read.
    """
    if rotation not in range(4) or flip not in range(3):
        raise ParameterError(
            f"A gain cannot have rotation {rotation} and flip {flip}; rotation is 0, 1, 2 or 3 quarter turns, flip is "
            "0 (none), 1 (upside down) or 2 (left–right)."
        )
    gain, _ = read_image(path)
    if not np.isfinite(gain).all():
        raise DataError(f"The gain {path} contains values that are not numbers; measure or export it again.")
    if not (gain > 0).any():
        raise DataError(f"The gain {path} is 0 everywhere; measure or export it again.")
    gain = np.maximum(gain, 0)
    if eer:
        with Source(path) as source:
            divides = kind_of(source) == "mrc"
        gain = np.divide(1, gain, out=np.zeros_like(gain), where=gain > 0) if divides else gain[::-1]
    gain = np.rot90(gain, -rotation)
    gain = (gain, gain[::-1], gain[:, ::-1])[flip]
    if eer:
        gain = _resampled(gain, shape)
    if gain.shape != shape:
        raise DataError(_misfit(path, gain.shape, shape))
    return np.ascontiguousarray(gain, np.float32)


def write_upright(
    source: Path, target: Path, shape: tuple[int, int], rotation: int, flip: int, *, eer: bool = False
) -> None:
    """Write a gain as an MRC that needs neither turning nor flipping: frames are multiplied with it, an EER divided.

    Parameters and errors are those of `read_gain`.
    """
    gain = read_gain(source, shape, rotation=rotation, flip=flip, eer=eer)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_mrc(target, np.divide(1, gain, out=np.zeros_like(gain), where=gain > 0) if eer else gain, None)


def _resampled(gain: Array, shape: tuple[int, int]) -> Array:
    for factor in (2, 4):
        if shape == (gain.shape[0] * factor, gain.shape[1] * factor):
            return gain.repeat(factor, axis=0).repeat(factor, axis=1)
        if gain.shape == (shape[0] * factor, shape[1] * factor):
            blocks = gain.reshape(shape[0], factor, shape[1], factor)
            return np.where(blocks.min(axis=(1, 3)) > 0, blocks.mean(axis=(1, 3)), 0)
    return gain


def _misfit(path: str | Path, gain: tuple[int, ...], shape: tuple[int, int]) -> str:
    height, width = shape
    found = f"The gain {path} is {gain[1]} × {gain[0]} px as oriented, the frames are {width} × {height} px"
    if gain == (width, height):
        return f"{found}: it lies on its side; change gain_rotation by one quarter turn."
    for factor in (2, 4):
        for turned in (gain, gain[::-1]):
            also = "" if turned is gain else " and rotate it by a quarter turn (gain_rotation)"
            if turned == (height * factor, width * factor):
                return f"{found}: it has {factor}× super-resolution; average it {factor} × {factor}{also}."
            if (turned[0] * factor, turned[1] * factor) == shape:
                return f"{found}: the frames have {factor}× super-resolution; repeat its pixels {factor}×{also}."
    return f"{found}: it belongs to another camera or readout mode; give the gain for these movies."
