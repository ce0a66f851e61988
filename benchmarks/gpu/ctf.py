"""What a CTF costs on the card, from an image that is there and from its spectrum, beside the CPU's."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ctf.micrographs import ordinary
from emlab.arrays.ctf import (
    Fit,
    Lens,
    diagnostic_picture,
    equiphase_profile,
    estimate,
    fit_resolution,
    flatten,
    ice_density,
    rings_between,
    score,
    standard_errors,
    tile_length,
    tile_spectrum,
)
from emlab.arrays.module import array_module, to_host
from emlab.protocols.estimate_ctf import EstimateCtf

Array = NDArray[Any]

MICROGRAPHS = (3, 6, 8)
TIMES = 7


def ctf_figures(size: int) -> dict[str, Any]:
    """Medians of seconds; the largest difference between card and CPU, Å."""
    import cupy

    trials = [ordinary(number, size) for number in MICROGRAPHS]
    images = [trial.image() for trial in trials]
    figures: dict[str, list[float]] = {}
    for trial, image in zip(trials, images, strict=True):
        conditions, optics = trial.conditions, trial.conditions.optics
        lens = Lens.of_microscope(optics.voltage, optics.spherical_aberration, optics.amplitude_contrast)
        pixel_size, tile = conditions.pixel_size, tile_length(image.shape, conditions.pixel_size, 1024.0)
        there = cupy.asarray(image)
        expected = _estimated(tile_spectrum(image, tile), pixel_size, lens)
        spectrum = tile_spectrum(there, tile)
        found = _estimated(spectrum, pixel_size, lens)
        for name, value in (
            ("spectrum", _median(lambda there=there, tile=tile: tile_spectrum(there, tile))),
            ("fit", _median(lambda s=spectrum, p=pixel_size, lens=lens: _estimated(s, p, lens))),
            (
                "defocus_differs_by",
                max(abs(found.defocus.u - expected.defocus.u), abs(found.defocus.v - expected.defocus.v)),
            ),
        ):
            figures.setdefault(name, []).append(value)
    spectrum_ms, fit_ms = (1e3 * float(np.median(figures[name])) for name in ("spectrum", "fit"))
    return {
        "ctf_size": size,
        "ctf_ms": spectrum_ms + fit_ms,
        "ctf_ms_spectrum": spectrum_ms,
        "ctf_ms_fit": fit_ms,
        "ctf_defocus_differs_by": max(figures["defocus_differs_by"]),
    }


def _estimated(spectrum: Array, pixel_size: float, lens: Lens) -> Fit:
    """All that `estimate_ctf` does with a spectrum, but for writing files."""
    band = 1 / 30.0, 1 / max(3.0, 2.0 * pixel_size / 0.95)
    data = flatten(spectrum, rings_between(spectrum.shape[0], pixel_size, *band, array_module(spectrum)))
    fit = estimate(data, lens, EstimateCtf().search_range, nodes=True)
    profile = equiphase_profile(data, lens, fit)
    resolution = fit_resolution(profile, fit)
    standard_errors(fit)
    score(data, lens, fit)
    ice_density(spectrum, pixel_size)
    to_host(diagnostic_picture(data, lens, fit, resolution))
    return fit


def _median(work: Any) -> float:
    import cupy

    taken = []
    for _ in range(TIMES):
        cupy.cuda.Device().synchronize()
        started = time.perf_counter()
        work()
        cupy.cuda.Device().synchronize()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))
