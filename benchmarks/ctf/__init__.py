"""CTF estimation: what a 4096² micrograph costs, and how right the fits of simulated micrographs are."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ctf.exhaustive import exhaustive_search
from benchmarks.ctf.micrographs import Trial, ordinary, tilted, with_phase_plate
from benchmarks.yardstick import TRANSFORMS, yardstick
from emlab.arrays.ctf import Lens, estimate, flatten, refine, rings_between, tile_length, tile_spectrum
from emlab.engine.workbench import FolderWorkbench
from emlab.formats.mrc import write_mrc
from emlab.formats.star import read_star
from emlab.model import Ctf, Micrograph, validated
from emlab.protocols.estimate_ctf import EstimateCtf, estimate_ctf
from emlab.simulation.optics import uneven_defocus

WRONG = 200.0
"""Å of the mean defocus: an error that a person should have been warned of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--size", type=int, default=4096, help="of the simulated micrographs, px")
    parser.add_argument("--micrographs", type=int, default=30, help="ordinary ones; of the other sets 12 at most")
    parser.add_argument("--kept", type=Path, help="a folder to keep simulated micrographs in for the next time")


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the cost of one micrograph, then the errors of three sets."""
    size, number = (2048, 6) if arguments.quick else (arguments.size, arguments.micrographs)
    few = min(number, 12)
    unit = yardstick(10)
    figures: dict[str, Any] = {"yardstick_cpu_seconds": unit} | _costs(unit / TRANSFORMS)

    def simulated(make: Callable[[int, int], Trial], count: int) -> list[Trial]:
        if arguments.kept:
            arguments.kept.mkdir(parents=True, exist_ok=True)
        return [make(each, size) for each in range(count)]

    sets = {
        "ordinary": (simulated(ordinary, number), {}),
        "plate": (simulated(with_phase_plate, few), {"estimate_phase_shift": True}),
        "tilted": (simulated(tilted, few), {"estimate_tilt": True, "local_defocus": True}),
    }
    for name, (trials, given) in sets.items():
        found, missed = zip(*(_estimated(trial, arguments.kept, given) for trial in trials), strict=True)
        figures |= {f"{name}_{key}": value for key, value in _errors(found, missed).items()}
    agreement = [_agreement(trial, arguments.kept) for trial in sets["ordinary"][0][: 2 if arguments.quick else 4]]
    return figures | {"exhaustive_search_compared": len(agreement), "exhaustive_search_differs_by": max(agreement)}


def _costs(transform: float) -> dict[str, float]:
    """CPU-seconds, wall and memory of one 4096² micrograph, whole and from its spectrum, in a process of its own."""
    image = ordinary(6, 4096).image()
    costs: dict[str, float] = {}
    for name, spectrum in (("micrograph", False), ("spectrum", True)):
        with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
            item = _written(Path(folder), image, ordinary(6, 4096), spectrum=spectrum)
            first, cpu, wall, memory = pool.submit(_cost, Path(folder), item).result()
        costs |= {
            f"{name}_first_cpu_seconds": first,
            f"{name}_cpu_seconds": cpu,
            f"{name}_transforms": cpu / transform,
            f"{name}_yardsticks": cpu / transform / TRANSFORMS,
            f"{name}_wall_seconds": wall,
            f"{name}_peak_gb": memory,
        }
    return costs


def _cost(folder: Path, item: Micrograph, times: int = 5) -> tuple[float, float, float, float]:
    """CPU-seconds of the first time, CPU-seconds and wall of a later one, and the peak of memory, GB."""
    measured = []
    for _ in range(times + 1):
        cpu, wall = time.process_time(), time.perf_counter()
        estimate_ctf.function(item, EstimateCtf(), FolderWorkbench(folder, "ctf", item.key))
        measured.append((time.process_time() - cpu, time.perf_counter() - wall))
    later = np.median(measured[1:], axis=0)
    # Not getrusage's: that is inherited from whoever started the process.
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    memory = float(peak.split()[1]) * 1024 / 1e9
    return measured[0][0], float(later[0]), float(later[1]), memory


def _written(folder: Path, image: Any, trial: Trial, *, spectrum: bool = False) -> Micrograph:
    conditions, optics = trial.conditions, trial.conditions.optics
    write_mrc(folder / "image.mrc", image, conditions.pixel_size)
    if spectrum:
        tile = tile_length(image.shape, conditions.pixel_size, 1024.0)
        write_mrc(folder / "spectrum.mrc", tile_spectrum(image, tile), conditions.pixel_size)
    return Micrograph(
        key=trial.name,
        path="image.mrc",
        height=image.shape[0],
        width=image.shape[1],
        pixel_size=conditions.pixel_size,
        voltage=optics.voltage,
        spherical_aberration=optics.spherical_aberration,
        amplitude_contrast=optics.amplitude_contrast,
        power_spectrum="spectrum.mrc" if spectrum else None,
        spectrum_pixel_size=conditions.pixel_size if spectrum else None,
    )


def _estimated(trial: Trial, kept: Path | None, given: dict[str, Any]) -> tuple[Ctf, dict[str, float]]:
    """What is said of a micrograph, and by how much it is missed."""
    with tempfile.TemporaryDirectory() as folder:
        item = _written(Path(folder), trial.image(kept), trial)
        parameters = validated(EstimateCtf, given, "ctf")
        ctf = estimate_ctf.function(item, parameters, FolderWorkbench(Path(folder), "ctf", item.key))
        assert isinstance(ctf, Ctf)
        missed = _deviation(trial, ctf) | (_local(trial, Path(folder) / ctf.local_defocus) if ctf.local_defocus else {})
    print(_line(trial, ctf, missed), file=sys.stderr, flush=True)
    return ctf, missed


def _local(trial: Trial, path: Path) -> dict[str, float]:
    """How far a table of local defocus is from the truth, RMS, Å; and in the standard errors that it states."""
    table, conditions = read_star(path)["local_defocus"], trial.conditions
    row, column = (np.rint(table[f"rlnCoordinate{axis}"]).astype(int) for axis in "YX")
    middle = (conditions.optics.defocus_u + conditions.optics.defocus_v) / 2.0
    truth = middle + uneven_defocus(conditions.optics, conditions.size, conditions.pixel_size)[row, column]
    missed = (table["rlnDefocusU"] + table["rlnDefocusV"]) / 2.0 - truth
    return {
        "local": float(np.sqrt((missed**2).mean())),
        "local_over_stated": float(np.sqrt(((missed / table["defocus_error"]) ** 2).mean())),
    }


def _deviation(trial: Trial, ctf: Ctf) -> dict[str, float]:
    """Estimate less truth: Å and degrees; an angle only where there is astigmatism enough to have one."""
    optics = trial.conditions.optics
    astigmatism = optics.defocus_u - optics.defocus_v
    return {
        "defocus": (ctf.defocus_u + ctf.defocus_v - optics.defocus_u - optics.defocus_v) / 2.0,
        "astigmatism": ctf.astigmatism - astigmatism,
        "angle": (ctf.defocus_angle - optics.defocus_angle + 90.0) % 180.0 - 90.0 if astigmatism > 100.0 else np.nan,
        "phase": (ctf.phase_shift - optics.phase_shift + 90.0) % 180.0 - 90.0,
        "tilt": ctf.tilt_angle - optics.tilt_angle if ctf.tilt_angle is not None else np.nan,
        "axis": (ctf.tilt_axis - optics.tilt_axis + 180.0) % 360.0 - 180.0 if ctf.tilt_axis is not None else np.nan,
    }


def _errors(found: tuple[Ctf, ...], deviations: tuple[dict[str, float], ...]) -> dict[str, Any]:
    """Medians and 95th percentiles of the absolute errors, and how well the stated standard errors tell them."""
    figures: dict[str, Any] = {"micrographs": len(found)}
    for name in deviations[0]:
        errors = np.abs([deviation[name] for deviation in deviations])
        errors = errors[np.isfinite(errors)]
        if errors.any():
            figures |= {f"{name}_median": float(np.median(errors)), f"{name}_95": float(np.percentile(errors, 95))}
    stated_in = {"tilt": "tilt_angle_error", "axis": "tilt_axis_error"}
    for name in [name for name in deviations[0] if f"{name}_median" in figures and not name.startswith("local")]:
        stated = [getattr(ctf, stated_in.get(name, f"{name}_error")) or np.nan for ctf in found]
        ratio = np.abs([deviation[name] for deviation in deviations]) / stated
        # For a normal distribution the median is 0.674 standard deviations from 0.
        figures[f"{name}_error_over_stated"] = float(np.nanmedian(ratio) / 0.674)
    wrong = [abs(deviation["defocus"]) > WRONG for deviation in deviations]
    figures["wrong"] = sum(wrong)
    figures["wrong_unwarned"] = sum(bad and ctf.warning is None for bad, ctf in zip(wrong, found, strict=True))
    figures["right_warned"] = sum(not bad and ctf.warning is not None for bad, ctf in zip(wrong, found, strict=True))
    return figures


def _agreement(trial: Trial, kept: Path | None) -> float:
    """Å between the fit that the fast search leads to and the one that the exhaustive search does."""
    optics, pixel_size, image = trial.conditions.optics, trial.conditions.pixel_size, trial.image(kept)
    spectrum = tile_spectrum(image, tile_length(image.shape, pixel_size, 1024.0))
    data = flatten(spectrum, rings_between(spectrum.shape[0], pixel_size, 1 / 30.0, 1 / 3.0))
    lens = Lens.of_microscope(optics.voltage, optics.spherical_aberration, optics.amplitude_contrast)
    within = EstimateCtf().search_range
    fast = estimate(data, lens, within).defocus
    slow = refine(data, lens, exhaustive_search(data, lens, within)).defocus
    return max(abs(fast.mean - slow.mean), abs(fast.straight - slow.straight), abs(fast.diagonal - slow.diagonal))


def _line(trial: Trial, ctf: Ctf, deviation: dict[str, float]) -> str:
    """One micrograph in a line: what is true, by how much it is missed, what is said of it."""
    conditions, optics = trial.conditions, trial.conditions.optics
    missed = " ".join(f"{name} {value:+.1f}" for name, value in deviation.items() if np.isfinite(value))
    return (
        f"{trial.name} {optics.voltage:.0f} kV {optics.defocus_u:.0f} {optics.defocus_v:.0f} Å, ice "
        f"{conditions.specimen.ice_thickness:.0f} Å, {conditions.frames * conditions.dose_per_frame:.0f} e/Å²: "
        f"{missed} "
        f"(± {ctf.defocus_error or np.nan:.0f} {ctf.astigmatism_error or np.nan:.0f} {ctf.angle_error or np.nan:.1f}) "
        f"score {ctf.score:.2f} to {ctf.ctf_resolution:.1f} Å {ctf.warning or ''}"
    )
