"""Compilation ahead of time, so that a person's first movie does not wait for it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.ctf import (
    Defocus,
    Lens,
    SearchRange,
    diagnostic_picture,
    equiphase_profile,
    estimate,
    flatten,
    levelled,
    rings_between,
    score,
    tile_spectrum,
    tiles_of,
)
from emlab.arrays.lzw import decode_lzw
from emlab.arrays.module import array_module
from emlab.arrays.motion import Dose, clean_frames, estimate_motion, sum_frames
from emlab.arrays.thumbnail import thumbnail

Array = NDArray[Any]


def compile_kernels(xp: ModuleType = np) -> None:
    """Compile every kernel for the common types of movies; a fraction of a second where this was done before.

    Parameters
    ----------
    xp
        NumPy for the CPU, CuPy for the current card.
    """
    rng = np.random.default_rng(0)
    specimen = 2.0 + np.kron(rng.random((64, 64)), np.ones((4, 4)))
    gain = xp.ones(specimen.shape, np.float32)
    gain[5, 5] = 0
    dose = Dose(per_frame=1.0, before=0.0, voltage=300.0)
    for dtype in (np.uint8, np.uint16, np.int16, np.float32):
        # Sheared more and more, so that motion within the field is found and frames are interpolated.
        moved = [np.stack([np.roll(row, 3 * n * y // 256) for y, row in enumerate(specimen)]) for n in range(4)]
        frames = clean_frames([xp.asarray(rng.poisson(frame).astype(dtype)) for frame in moved], gain)
        sum_frames(frames, estimate_motion(frames, 2.0).field, 2.0, dose=dose, grouping_dose=1.0)
    # Fine pixels are averaged before they are aligned, and what moves as one is not interpolated.
    image = sum_frames(frames, estimate_motion(frames, 0.6, local=False).field, 0.6).image
    lens = Lens.of_microscope(300.0, 2.7, 0.07)
    tiles = tiles_of(image, 1.0, 128, 1 / 30.0, 1 / 4.0)
    levelled(tiles, lens, Defocus(10_000.0), np.zeros(len(tiles.excess)))
    _estimate(image, lens)
    decode_lzw(np.frombuffer(b"\x80\x00", np.uint8), 1)


def _estimate(image: Array, lens: Lens) -> None:
    data = flatten(tile_spectrum(image, 256), rings_between(256, 1.0, 1 / 30.0, 1 / 4.0, array_module(image)))
    fit = estimate(data, lens, SearchRange(5000.0, 20_000.0, 0.0), nodes=True)
    equiphase_profile(data, lens, fit)
    score(data, lens, fit)
    thumbnail(diagnostic_picture(data, lens, fit, 5.0)[:, :, 0])
