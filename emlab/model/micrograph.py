"""A micrograph: the aligned sum of a movie, or an image imported as such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emlab.model.optics import Imaged


@dataclass(frozen=True, kw_only=True)
class Micrograph(Imaged):
    """A micrograph and how its specimen moved while it was taken.

    Attributes
    ----------
    path
        The image (dose-weighted if the dose is known): float32, axes (y, x).
    unweighted
        The sum without dose weighting, if requested.
    odd_sum, even_sum
        The contributions of the odd and the even frames used, counted from 1, to the image, if requested.
    power_spectrum
        An image for CTF estimation: mean power of Hann tiles of n px, n × n with zero frequency at
        [n // 2, n // 2], of sums of about 16 e/Å² that are aligned and not dose-weighted; ``None`` for imported
        micrographs.
    spectrum_pixel_size
        Å per pixel of the tiles: column j is at (j − n // 2) / (n · this) 1/Å.
    thumbnail
        A JPEG, at most 512 px wide.
    metadata
        The RELION-style STAR file with the global shifts and the local motion model.
    height, width
        Pixels.
    total_dose
        e/Å²; ``None`` when unknown.
    shift_y, shift_x
        Displacement of the specimen in each frame relative to the first, px of ``pixel_size``;
        aligning moves a frame by minus this. Empty for imported micrographs.
    total_motion, early_motion, late_motion
        Length of the path, Å: all, up to 4 e/Å², and the rest.
    residual_motion
        How far each frame alone disagrees with its fitted position, Å RMS: above ~1 px the fit is not reliable.
        ``None`` if the frames do not show how the specimen moved.
    mean_counts
        Mean of the raw movie per frame and pixel, after the gain.
    hot_pixels
        Number of bad pixels found and replaced that neither gain nor defects marked.
    warning
        A sentence for people when the result is doubtful.
    """

    kind: ClassVar[str] = "micrograph"
    plural: ClassVar[str] = "micrographs"

    path: str
    height: int
    width: int
    unweighted: str | None = None
    odd_sum: str | None = None
    even_sum: str | None = None
    power_spectrum: str | None = None
    spectrum_pixel_size: float | None = None
    thumbnail: str | None = None
    metadata: str | None = None
    total_dose: float | None = None
    shift_y: tuple[float, ...] = ()
    shift_x: tuple[float, ...] = ()
    total_motion: float | None = None
    early_motion: float | None = None
    late_motion: float | None = None
    residual_motion: float | None = None
    mean_counts: float | None = None
    hot_pixels: int | None = None
    warning: str | None = None
