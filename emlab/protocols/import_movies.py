"""Import movies as the microscope writes them."""

from __future__ import annotations

from emlab.errors import FormatError, ParameterError
from emlab.model import Arrival, Movie, Sidecar, Workbench, parameter, protocol
from emlab.model.acquisition import Acquisition
from emlab.model.paths import AbsolutePath

FRACTIONS = 40
"""How many fractions an EER is divided into when its dose is not known."""


class ImportMovies(Acquisition):
    """Parameters of `import_movies`."""

    pattern: str = parameter(
        "**/*.tif, **/*.tiff, **/*.mrc, **/*.mrcs, **/*.eer, !**/[Gg]ain[!a-z]*, !**/*[!A-Za-z]gain[!a-z]*, "
        "!**/*Gain[!a-z]*, !**/*[Gg]ain[Rr]ef*, !**/FoilHole_*[0-9].*",
        label="File names",
        help="Which files are movies: names relative to the folder, with * and ?, and ** for any folders in between. "
        "Separate several with commas; one that begins with ! excludes files. By default everything except gains "
        "and EPU's sums.",
    )
    dose_per_frame: float | None = parameter(
        None,
        gt=0,
        le=1000,
        unit="e/Å²",
        label="Dose per frame",
        help="Dose on the specimen in each frame as read (each fraction of an EER). By default: the total dose in the "
        "XML or mdoc beside the movie, divided by its frames; without either, frames are not dose-weighted.",
    )
    pre_exposure: float = parameter(
        0.0, ge=0, unit="e/Å²", label="Pre-exposure", advanced=True, help="Dose on the specimen before the first frame."
    )
    gain_reference: AbsolutePath | None = parameter(
        None,
        label="Gain reference",
        kind="file",
        accepts="an MRC, TIFF or .gain file",
        help="An MRC, TIFF or .gain file. Frames are multiplied by it, but an EER is divided by an MRC.",
    )
    gain_rotation: int = parameter(
        0,
        ge=0,
        le=3,
        label="Gain rotation",
        choices={0: "none", 1: "a quarter turn", 2: "a half turn", 3: "three quarter turns"},
        help="Quarter turns of the gain before the flip, as MotionCor's RotGain and RELION count them.",
    )
    gain_flip: int = parameter(
        0,
        ge=0,
        le=2,
        label="Gain flip",
        choices={0: "none", 1: "upside down", 2: "left–right"},
        help="As MotionCor's FlipGain and RELION count them.",
    )
    defects: AbsolutePath | None = parameter(
        None,
        label="Defects",
        kind="file",
        accepts="a text file of rectangles, or an image",
        advanced=True,
        help="Bad pixels: a text file with one rectangle x y width height per line, as RELION and MotionCor read it "
        "(0 0 is the first pixel of an MRC, and the first pixel of a TIFF's last row), or an image that is not 0 "
        "at bad pixels.",
    )
    eer_grouping: int | None = parameter(
        None,
        ge=1,
        label="EER grouping",
        help="Raw EER frames per fraction. By default: as many as give about 1 e/Å² if the XML states the dose, "
        "otherwise as many as give some 40 fractions.",
    )
    eer_upsampling: int = parameter(
        1,
        ge=1,
        le=2,
        label="EER upsampling",
        choices={1: "sensor pixels (4K)", 2: "half pixels (8K)"},
        advanced=True,
        help="1 reads an EER in sensor pixels (4K), 2 in half pixels (8K).",
    )


@protocol(title="Import movies", consumes=Arrival, produces=Movie)
def import_movies(arrival: Arrival, parameters: ImportMovies, workbench: Workbench) -> Movie:
    """Import each movie as soon as it is complete.

    Raises
    ------
    FormatError
        If the file is not a movie.
    ParameterError
        If its pixel size or voltage is not known, or the dose of an EER's fractions is given without their size.
    """
    sidecar = workbench.sidecar(arrival)
    upsampling = parameters.eer_upsampling
    facts = workbench.inspect(arrival, eer_upsampling=upsampling)
    grouping = None
    if facts.format == "eer":
        grouping = _grouping(facts.raw_frames, parameters, sidecar)
        facts = workbench.inspect(arrival, eer_grouping=grouping, eer_upsampling=upsampling)
    if facts.frames < 2:
        raise FormatError(
            f"{arrival.path} has one frame, but a movie has several: exclude it with a pattern that begins with !, or "
            "import micrographs with import_micrographs."
        )
    dose = parameters.dose_per_frame
    if dose is None and sidecar is not None and sidecar.total_dose:
        dose = sidecar.total_dose / facts.raw_frames * (grouping or 1)
    return Movie(
        key=arrival.key,
        path=arrival.path,
        frames=facts.frames,
        height=facts.height,
        width=facts.width,
        dose_per_frame=dose,
        pre_exposure=parameters.pre_exposure,
        gain_reference=parameters.gain_reference,
        gain_rotation=parameters.gain_rotation,
        gain_flip=parameters.gain_flip,
        defects=parameters.defects,
        eer_grouping=grouping,
        eer_upsampling=upsampling if grouping else 1,
        size=arrival.size,
        **parameters.imaged(arrival.path, facts, sidecar),
    )


def _grouping(raw_frames: int, parameters: ImportMovies, sidecar: Sidecar | None) -> int:
    if parameters.eer_grouping is not None:
        return parameters.eer_grouping
    if parameters.dose_per_frame is not None:
        raise ParameterError(
            "dose_per_frame is the dose of an EER fraction, but the number of raw frames per fraction is not given; "
            "give eer_grouping too."
        )
    if sidecar is not None and sidecar.total_dose:
        return min(max(1, round(raw_frames / sidecar.total_dose)), raw_frames // 2)
    return max(1, raw_frames // FRACTIONS)
