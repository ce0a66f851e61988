"""Compilation ahead of time, so that a person's first movie does not wait for it."""

from __future__ import annotations

import numpy as np

from emlab.arrays.ctf import Defocus, Lens, levelled, tiles_of
from emlab.arrays.motion import Dose, clean_frames, estimate_motion, sum_frames


def compile_kernels() -> None:
    """Compile every kernel for the common types of movies; a fraction of a second where this was done before."""
    rng = np.random.default_rng(0)
    specimen = 2.0 + np.kron(rng.random((64, 64)), np.ones((4, 4)))
    gain = np.ones(specimen.shape, np.float32)
    gain[5, 5] = 0
    dose = Dose(per_frame=1.0, before=0.0, voltage=300.0)
    for dtype in (np.uint8, np.uint16, np.int16, np.float32):
        # Sheared more and more, so that motion within the field is found and frames are interpolated.
        moved = [np.stack([np.roll(row, 3 * n * y // 256) for y, row in enumerate(specimen)]) for n in range(4)]
        frames = clean_frames([rng.poisson(frame).astype(dtype) for frame in moved], gain)
        sum_frames(frames, estimate_motion(frames, 2.0).field, 2.0, dose=dose, grouping_dose=1.0)
    # Fine pixels are averaged before they are aligned, and what moves as one is not interpolated.
    sum_frames(frames, estimate_motion(frames, 0.6, local=False).field, 0.6)
    tiles = tiles_of(specimen.astype(np.float32), 1.0, 128, 1 / 30.0, 1 / 4.0)
    levelled(tiles, Lens.of_microscope(300.0, 2.7, 0.07), Defocus(10_000.0), np.zeros(len(tiles.excess)))
