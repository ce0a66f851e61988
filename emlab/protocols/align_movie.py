"""Align the frames of a movie and sum them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emlab.arrays.thumbnail import thumbnail
from emlab.errors import ParameterError
from emlab.model import Micrograph, Movie, Parameters, Workbench, parameter, protocol

if TYPE_CHECKING:
    from emlab.arrays.motion import CleanFrames, Motion

EARLY = 4.0
"""e/Å² up to which motion counts as early, as in RELION."""
DOUBTFUL = 1.0
"""px RMS from which on the motion is not to be believed."""
UNSURE = 0.5
"""px to which the motion should be known."""
APART = 2.0
"""px between the places that two halves of the signal give the frames, from which on neither is to be believed."""


class AlignMovie(Parameters):
    """Parameters of `align_movie`."""

    local_motion: bool = parameter(
        True, label="Local motion", help="Also correct motion that varies over the field, where the frames show it."
    )
    dose_weighting: bool = parameter(
        True,
        label="Dose weighting",
        help="Weight each frame by the signal that radiation damage leaves; needs the dose per frame.",
    )
    binning: float = parameter(
        1.0,
        ge=1,
        le=8,
        label="Binning",
        help="Shrink the micrograph by this factor, in Fourier space: 2 brings a super-resolution movie back to the "
        "camera's physical pixels. It need not be a whole number.",
    )
    save_unweighted: bool = parameter(
        False, label="Unweighted sum", advanced=True, help="Also write the sum without dose weighting."
    )
    save_halves: bool = parameter(
        False,
        label="Sums of odd and even frames",
        advanced=True,
        help="Also write these sums (_ODD and _EVN), for programs that learn to denoise; together they add up to the "
        "micrograph.",
    )
    first_frame: int = parameter(
        1, ge=1, label="First frame", advanced=True, help="The first frame to use, counted from 1."
    )
    last_frame: int | None = parameter(
        None, ge=1, label="Last frame", advanced=True, help="The last frame to use. By default: the movie's last."
    )


@protocol(title="Motion correction", consumes=Movie, produces=Micrograph, accelerated=True)
def align_movie(movie: Movie, parameters: AlignMovie, workbench: Workbench) -> Micrograph:
    """Align the frames of a movie and sum them.

    Raises
    ------
    ParameterError
        If the movie does not have the frames that were asked for.
    DataError
        If the frames are blank.
    """
    # When the first movie comes: forms and commands, which only need the parameters, do not wait for compiled code.
    from emlab.arrays.motion import Dose, estimate_motion, sum_frames

    last = parameters.last_frame or movie.frames
    if not parameters.first_frame <= last <= movie.frames:
        raise ParameterError(
            f"{movie.path} has {movie.frames} frames, but frames {parameters.first_frame} to {last} were requested; "
            "change first_frame or last_frame."
        )
    frames = _read(movie, parameters.first_frame - 1, last, workbench)
    motion = estimate_motion(frames, movie.pixel_size, local=parameters.local_motion)
    skipped = (parameters.first_frame - 1) * (movie.dose_per_frame or 0.0)
    dose = None
    if parameters.dose_weighting and movie.dose_per_frame:
        dose = Dose(per_frame=movie.dose_per_frame, before=movie.pre_exposure + skipped, voltage=movie.voltage)
    sums = sum_frames(
        frames,
        motion.field,
        movie.pixel_size,
        dose=dose,
        grouping_dose=movie.dose_per_frame,
        binning=parameters.binning,
        unweighted=parameters.save_unweighted,
        halves=parameters.save_halves,
    )
    odd, even = sums.halves or (None, None)
    pixel_size = movie.pixel_size * parameters.binning
    shifts = motion.field.whole - motion.field.whole[0]
    steps = np.hypot(*np.diff(shifts, axis=0).T) * movie.pixel_size
    early = _early_steps(movie, skipped, len(steps))
    return Micrograph(
        key=movie.key,
        acquired_at=movie.acquired_at,
        pixel_size=pixel_size,
        voltage=movie.voltage,
        spherical_aberration=movie.spherical_aberration,
        amplitude_contrast=movie.amplitude_contrast,
        grid_square=movie.grid_square,
        hole=movie.hole,
        stage_x=movie.stage_x,
        stage_y=movie.stage_y,
        stage_tilt=movie.stage_tilt,
        target_defocus=movie.target_defocus,
        path=workbench.write_image("", sums.image, pixel_size),
        height=sums.image.shape[0],
        width=sums.image.shape[1],
        unweighted=None if sums.unweighted is None else workbench.write_image("noDW", sums.unweighted, pixel_size),
        odd_sum=None if odd is None else workbench.write_image("ODD", odd, pixel_size),
        even_sum=None if even is None else workbench.write_image("EVN", even, pixel_size),
        power_spectrum=workbench.write_image("PS", sums.power, pixel_size),
        spectrum_pixel_size=pixel_size,
        thumbnail=workbench.write_picture("thumbnail", thumbnail(sums.image)),
        metadata=workbench.write_tables("", _tables(movie, parameters, motion, frames)),
        total_dose=movie.pre_exposure + last * movie.dose_per_frame if movie.dose_per_frame else None,
        shift_y=tuple((shifts[:, 0] / parameters.binning).tolist()),
        shift_x=tuple((shifts[:, 1] / parameters.binning).tolist()),
        total_motion=float(steps.sum()),
        early_motion=float(steps[:early].sum()) if early is not None else None,
        late_motion=float(steps[early:].sum()) if early is not None else None,
        residual_motion=motion.residual * movie.pixel_size if motion.is_known else None,
        mean_counts=frames.mean,
        hot_pixels=frames.hot,
        warning=_warning(motion, frames),
    )


def _read(movie: Movie, start: int, stop: int, workbench: Workbench) -> CleanFrames:
    from emlab.arrays.motion import clean_frames

    gain, defects = workbench.read_gain(movie), workbench.read_defects(movie)
    return clean_frames(workbench.read_frames(movie, start, stop), gain, defects)


def _early_steps(movie: Movie, skipped: float, steps: int) -> int | None:
    """How many of the steps between frames lie within the early dose; ``None`` where the dose is not known."""
    if not movie.dose_per_frame:
        return None
    left = EARLY - movie.pre_exposure - skipped
    return min(max(0, int(left / movie.dose_per_frame)), steps)


def _tables(movie: Movie, parameters: AlignMovie, motion: Motion, frames: CleanFrames) -> dict[str, dict[str, object]]:
    from emlab.arrays.motion import motion_tables

    general = {
        "rlnImageSizeX": movie.width,
        "rlnImageSizeY": movie.height,
        "rlnImageSizeZ": movie.frames,
        "rlnMicrographMovieName": movie.path,
        **({"rlnMicrographGainName": movie.gain_reference} if movie.gain_reference else {}),
        **({"rlnMicrographDefectFile": movie.defects} if movie.defects else {}),
        "rlnMicrographBinning": parameters.binning,
        "rlnMicrographOriginalPixelSize": movie.pixel_size,
        "rlnMicrographDoseRate": movie.dose_per_frame or 0.0,
        "rlnMicrographPreExposure": movie.pre_exposure,
        "rlnVoltage": movie.voltage,
        **(
            {"rlnEERUpsampling": movie.eer_upsampling, "rlnEERGrouping": movie.eer_grouping}
            if movie.eer_grouping
            else {}
        ),
    }
    return motion_tables(motion.field, general, parameters.first_frame, frames.replaced)


def _warning(motion: Motion, frames: CleanFrames) -> str | None:
    if frames.gain_fit is not None and frames.gain_fit.is_foreign:
        return (
            "The frames do not show the pattern that the gain reference corrects: its orientation differs "
            "(gain_rotation, gain_flip), it belongs to another camera, or it was applied before the frames were "
            "written."
        )
    if not motion.is_known:
        return (
            "The frames have too little in common to show how the specimen moved; they are summed unaligned. Check "
            "that the beam was on and that the gain reference belongs to this camera."
        )
    if motion.residual > DOUBTFUL:
        return (
            f"The frames disagree with the fitted motion by {motion.residual:.1f} px RMS: the alignment is not "
            "reliable."
        )
    if motion.disagreement > APART:
        return (
            f"There is so little signal that two halves of the data place the frames {motion.disagreement:.0f} px "
            "apart: the alignment may be wrong by pixels. Check the Thon rings before you trust it."
        )
    if motion.uncertainty > UNSURE:
        return f"The frames contain little signal: the motion is uncertain by {motion.uncertainty:.1f} px."
    return None
