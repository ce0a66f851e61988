"""Which protocol of emlab's does what one of Scipion's does, and what its parameters are called there.

Numbers change their meaning between versions of Scipion: old CTF protocols have defocus in µm and resolutions as
fractions of the sampling frequency, new ones both in Å. The values tell which: no defocus range ends below 100 Å, and
no resolution below 1 Å is asked for.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any, Final

from emlab.units import MICROMETRE
from emlab.workflow.scipion.particles import PARTICLES
from emlab.workflow.scipion.reading import Reading
from emlab.workflow.scipion.translation import Translation

_MICROMETRES_END: Final = 100.0
_FRACTIONS_END: Final = 1.0
_IDLE: Final = 60.0
"""Seconds after which an import ends that did not watch its folder in Scipion."""
_WILD: Final = re.compile(r"[*?\[#]")


def _movies(reading: Reading, _pixel_size: Any) -> None:
    _images(reading)
    reading.carry("dosePerFrame", "dose_per_frame", none=0)
    reading.carry("doseInitial", "pre_exposure", none=0)
    reading.carry("gainFile", "gain_reference")


def _images(reading: Reading) -> None:
    _files(reading)
    reading.carry("voltage", "voltage", none=0)
    reading.carry("sphericalAberration", "spherical_aberration")
    reading.carry("amplitudeContrast", "amplitude_contrast")
    if reading.literal("samplingRateMode") == 1:
        scanned, magnification = reading.literal("scannedPixelSize"), reading.literal("magnification")
        if scanned and magnification:
            reading.parameters["pixel_size"] = scanned * MICROMETRE / magnification
        reading.get("samplingRate")
    else:
        reading.carry("samplingRate", "pixel_size", none=0)
    reading.carry_duration("timeout", "idle_timeout")
    reading.carry_duration("fileTimeout", "settle_time")
    if not reading.get("dataStreaming"):
        reading.parameters["idle_timeout"] = _IDLE
        reading.notes.append(
            f"the folder was not watched in Scipion; emlab's import ends when no new file has come for {_IDLE:g} s"
        )


def _files(reading: Reading) -> None:
    reading.carry("filesPath", "folder")
    reading.carry("filesPattern", "pattern")
    folder, pattern = reading.parameters.get("folder"), reading.parameters.get("pattern")
    if isinstance(folder, str) and _WILD.search(folder):
        parts = PurePosixPath(folder).parts
        fixed = next(number for number, part in enumerate(parts) if _WILD.search(part))
        wild = "/".join([*parts[fixed:], *([pattern] if isinstance(pattern, str) else [])])
        reading.parameters |= {"folder": str(PurePosixPath(*parts[:fixed])), "pattern": wild}
        pattern = wild
    if isinstance(pattern, str):
        reading.parameters["pattern"] = pattern.replace("#", "[0-9]")


def _micrographs(reading: Reading, _pixel_size: Any) -> None:
    _images(reading)


def _motion(reading: Reading, _pixel_size: Any) -> None:
    reading.carry("binFactor", "binning", none=0)
    patches = [reading.literal(name) for name in ("patchX", "patchY")]
    if None not in patches:
        reading.parameters["local_motion"] = max(patch or 0 for patch in patches) > 1
    reading.carry_switch("doApplyDoseFilter", "doDW", to="dose_weighting")
    reading.carry_switch("doSaveUnweightedMic", "saveNonDW", to="save_unweighted")
    if reading.parameters.get("dose_weighting") is False:
        reading.parameters.pop("save_unweighted", None)
    if not reading.get("doMagCor"):
        for name in ("scaleMaj", "scaleMin", "angDist"):
            reading.get(name)
    for end, to in (("0", "first_frame"), ("N", "last_frame")):
        aligned, summed = reading.literal(f"alignFrame{end}"), reading.literal(f"sumFrame{end}")
        if None not in (aligned, summed) and aligned != summed:
            reading.notes.append(
                f"the aligned and summed frames differ (alignFrame{end} {aligned:g}, sumFrame{end} {summed:g}); emlab "
                "uses the summed ones for both"
            )
        reading.carry(f"sumFrame{end}", to, none=0)
    reading.carry("gainRot", "gain_rotation", none=0, upstream=True)
    reading.carry("gainFlip", "gain_flip", none=0, upstream=True)
    reading.carry("defectFile", "defects", upstream=True)
    reading.carry("defectMap", "defects", upstream=True)


def _ctf(reading: Reading, pixel_size: Any) -> None:
    highest = reading.typical("maxDefocus")
    times = MICROMETRE if highest is not None and highest < _MICROMETRES_END else 1.0
    reading.carry("minDefocus", "min_defocus", times=times)
    reading.carry("maxDefocus", "max_defocus", times=times)
    reading.carry_switch("findPhaseShift", "doPhShEst", to="estimate_phase_shift")
    if reading.parameters.get("estimate_phase_shift") is False:
        for name in ("minPhaseShift", "maxPhaseShift", "stepPhaseShift", "phaseShiftL", "phaseShiftH", "phaseShiftS"):
            reading.get(name)
    finest = reading.typical("highRes")
    for name, to in (("lowRes", "min_resolution"), ("highRes", "max_resolution")):
        if finest is None or finest >= _FRACTIONS_END:
            reading.carry(name, to)
        elif (fraction := reading.literal(name)) and isinstance(pixel_size, int | float):
            shrunk = reading.literal("ctfDownFactor") or 1.0
            reading.parameters[to] = round(pixel_size * shrunk / fraction, 2)
        elif fraction:
            reading.notes.append(
                f"{name} is a fraction of the sampling frequency, {fraction:g}, but the pixel size is not in the "
                "file: emlab uses its default limit"
            )


def _selection(reading: Reading, _pixel_size: Any) -> None:
    for switched, names in (
        ("useDefocus", {"minDefocus": "min_defocus", "maxDefocus": "max_defocus"}),
        ("useAstigmatism", {"astigmatism": "max_astigmatism"}),
        ("useResolution", {"resolution": "max_ctf_resolution"}),
    ):
        used = reading.get(switched)
        for name, to in names.items():
            if used is not False:
                reading.carry(name, to)
            else:
                reading.get(name)


_MOTION: Final = Translation("align_movie", "align", _motion)
_CTF: Final = Translation("estimate_ctf", "ctf", _ctf)

TRANSLATIONS: Final[dict[str, Translation]] = {
    "ProtImportMovies": Translation("import_movies", "import", _movies),
    "ProtImportMicrographs": Translation("import_micrographs", "import", _micrographs),
    "ProtMotionCorr": _MOTION,
    "ProtMotionCorrTasks": _MOTION,
    "ProtRelionMotioncor": _MOTION,
    "XmippProtFlexAlign": _MOTION,
    "XmippProtOFAlignment": _MOTION,
    "XmippProtMovieCorr": _MOTION,
    "ProtMovieAlignment": _MOTION,
    "CistemProtUnblur": _MOTION,
    "CistemProtCTFFind": _CTF,
    "ProtCTFFind": _CTF,
    "ProtGctf": _CTF,
    "XmippProtCTFMicrographs": _CTF,
    "XmippProtCTFConsensus": Translation("select_micrographs", "select", _selection),
    **PARTICLES,
}
"""By the name of Scipion's class."""

LEFT_OUT: Final[dict[str, str]] = {
    "ProtRelionCompressMovies": "emlab reads movies as they are",
    "XmippProtMovieGain": "emlab does not estimate gains; give a gain reference",
    "ProtMonitorSummary": "the live view and the report show the same; its limits are not carried over",
    "ProtMonitorCTF": "the live view shows the same; its limits are not carried over",
    "ProtMonitorSystem": "emlab has its own live view",
    "ProtMonitorMovieGain": "emlab has its own live view",
    "ProtMonitor2dStreamer": "emlab's 2D classes grow by themselves while particles come",
    "XmippProtParticlePicking": "emlab has no manual picking",
    "EmanProtBoxing": "emlab has no manual picking",
    "ProtUserSubSet": "a choice by hand; reject micrographs in the live view instead",
}
"""Why some are left out; the others have no equivalent in emlab."""
