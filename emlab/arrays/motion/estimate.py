"""From frames to motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.module import array_module
from emlab.arrays.motion.band import band_limit, crop, cropped_shape, low_spectrum
from emlab.arrays.motion.field import DEGREE, MotionField
from emlab.arrays.motion.fit import fit_motion
from emlab.arrays.motion.frames import CleanFrames
from emlab.arrays.motion.patches import automatic_grid, cut_patches
from emlab.arrays.motion.resample import halve
from emlab.arrays.motion.search import disagreement, find_trajectory

Array = NDArray[Any]

_FINE_ENOUGH: Final = 0.27
"""Cycles/px up to which sums of 2 × 2 px lose next to nothing, and their transform takes a quarter of the time."""
_COARSE: Final = 0.125
"""Cycles/px, and …"""
_COARSE_SIZE: Final = 512
"""… px: as much as is needed to find a frame to a pixel."""
_NEGLIGIBLE: Final = 0.05
"""px within the field that are not worth an interpolation."""
_UNSURE: Final = 0.3
"""px of the finest detail that is looked at. Frames of pure noise are less sure, and …"""
_RESTLESS: Final = 3.0
"""… wander about by more than this from one to the next, in the same px."""
_DIM: Final = 0.2
"""px of uncertainty from which on the frames may have been found in the wrong places, which it knows nothing of."""


@dataclass(frozen=True)
class Motion:
    """How the specimen moved, and how well that is known.

    Attributes
    ----------
    field
        The motion; none where the frames have too little in common to tell it.
    uncertainty, residual
        See `Fit`, px.
    disagreement
        How far apart two halves of the Fourier samples by themselves put the frames, px; 0 where the frames say so much
        that there is no need to ask.
    """

    field: MotionField
    uncertainty: float
    residual: float
    disagreement: float = 0.0

    @property
    def is_known(self) -> bool:
        """Whether the frames tell how the specimen moved."""
        return self.uncertainty < np.inf


def estimate_motion(
    frames: CleanFrames, pixel_size: float, *, grid: tuple[int, int] | None = None, local: bool = True
) -> Motion:
    """How the specimen moved in a movie.

    Parameters
    ----------
    frames
        At least one.
    pixel_size
        Å.
    grid
        Patches along y and x; by the size of the field if ``None``.
    local
        Whether motion within the field is looked for.

    Notes
    -----
    After Zheng et al. (10.1038/nmeth.4193), Zivanov et al. (10.1107/S205225251801463X) and Tegunov & Cramer
    (10.1038/s41592-019-0580-y): frames are cropped in Fourier space, found to a pixel by correlation, cut into patches,
    and one smooth motion is fitted to the Fourier samples of all patches at once. The weights of spatial frequencies,
    which other programs have a B-factor for, are measured from the frames.
    """
    shape, count = frames.shape, len(frames)
    if count == 1:
        return Motion(_at_rest(frames), 0.0, 0.0)
    limit = band_limit(shape, pixel_size)
    halvings = max(0, int(np.log2(_FINE_ENOUGH / limit)))
    factor = 2**halvings
    reduced = (shape[0] // factor, shape[1] // factor)
    cropped = cropped_shape(reduced, limit * factor)
    spectra = _cropped_spectra(frames, halvings, reduced, cropped)
    scale = np.array(reduced) / np.array(cropped) * factor
    coarse, width, pixel = _coarse(spectra, cropped, _COARSE * float(scale.max()))
    shifts = find_trajectory(coarse, width) * pixel
    chosen = (grid or automatic_grid(shape)) if local else (1, 1)
    patches = cut_patches(spectra, cropped[1], shifts, chosen, limit * float(scale.max()))
    del spectra
    # A polynomial of a degree needs that many patches and one more along each axis.
    fit = fit_motion(patches, min(DEGREE, min(chosen) - 1))
    uncertainty = fit.uncertainty * float(scale.mean())
    apart = disagreement(coarse, width) * float((pixel * scale).mean()) if uncertainty > _DIM else 0.0
    if fit.uncertainty > _UNSURE and fit.restlessness > _RESTLESS:
        return Motion(_at_rest(frames), np.inf, np.inf)
    field = MotionField(fit.coefficients * scale[:, None, None], shape)
    if field.largest_local() < _NEGLIGIBLE:
        field = MotionField(field.coefficients[:, :1], shape)
    return Motion(field, uncertainty, fit.residual * float(scale.mean()), apart)


def _at_rest(frames: CleanFrames) -> MotionField:
    return MotionField(np.zeros((2, 1, len(frames))), frames.shape)


def _cropped_spectra(frames: CleanFrames, halvings: int, reduced: tuple[int, int], cropped: tuple[int, int]) -> Array:
    xp = array_module(frames.raw[0])
    whole = xp.empty((reduced[0], reduced[1] // 2 + 1), np.complex64)
    spectra = xp.empty((len(frames), cropped[0], cropped[1] // 2 + 1), np.complex64)
    for frame, spectrum in zip(frames, spectra, strict=True):
        image = frame
        for _ in range(halvings):
            image = halve(image)
        low_spectrum(image, cropped, whole, spectrum)
    return spectra  # type: ignore[no-any-return]


def _coarse(spectra: Array, cropped: tuple[int, int], limit: float) -> tuple[Array, int, Array]:
    """Half spectra that find a frame to a pixel, the width of their images, and their pixel (yx) in those given."""
    coarse = cropped_shape(cropped, min(limit, _COARSE_SIZE / max(cropped) / 2.1))
    small = array_module(spectra).empty((len(spectra), coarse[0], coarse[1] // 2 + 1), np.complex64)
    for source, target in zip(spectra, small, strict=True):
        crop(source, cropped, coarse, target)
    return small, coarse[1], np.array(cropped) / np.array(coarse)
