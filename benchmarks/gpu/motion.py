"""What a movie that is decoded costs on the card, where the time goes, and whether the CPU's numbers come out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.movies import Case, gain_of
from emlab.arrays.motion import (
    CleanFrames,
    Dose,
    MotionField,
    Sums,
    clean_frames,
    estimate,
    estimate_motion,
    sum_frames,
)
from emlab.arrays.thumbnail import thumbnail

Array = NDArray[Any]

DOSE = Dose(per_frame=1.2, before=0.0, voltage=300.0)
STEPS = ("_cropped_spectra", "find_trajectory", "cut_patches", "fit_motion")
"""Of `estimate_motion`, by their names there."""
TIMES = 5


def motion_figures(case: Case) -> dict[str, Any]:
    """Seconds from counts in the computer's memory, from counts on the card, and of each step; memory; the error."""
    import cupy

    pool = cupy.get_default_memory_pool()
    raw = [frame.get() for frame in case.made(cupy)]
    gain = cupy.asarray(gain_of(case))
    pool.free_all_blocks()
    there = [cupy.asarray(frame) for frame in raw]
    _summed(case, there, gain)  # plans are made, and kernels compiled
    pool.free_all_blocks()
    seconds = [_timed(lambda: _summed(case, there, gain)) for _ in range(TIMES)]
    peak = pool.total_bytes()
    copying = min(_timed(lambda: [cupy.asarray(frame) for frame in raw]) for _ in range(3))
    with _watched() as steps:
        frames = steps("clean_frames", lambda: clean_frames(there, gain))
        motion = steps("estimate_motion", lambda: estimate_motion(frames, case.pixel_size))
        sums = steps("sum_frames", lambda: _sums(case, frames, motion.field))
        picture = steps("thumbnail", lambda: thumbnail(sums.image))
        steps("back_to_host", lambda: (sums.image.get(), sums.power.get(), picture.get()))
    errors = motion.field.whole - case.shifts
    return {
        f"{case.name}_seconds": float(np.median(seconds)),
        f"{case.name}_copying_seconds": copying,
        f"{case.name}_peak_gb": peak / 1e9,
        f"{case.name}_is_local": motion.field.is_local,
        f"{case.name}_whole_frame_px": float(np.sqrt(((errors - errors.mean(axis=0)) ** 2).mean(axis=0)).max()),
        **{f"{case.name}_ms_{name}": 1e3 * taken for name, taken in steps.taken.items()},
    }


def equivalence(case: Case) -> dict[str, Any]:
    """By how much the card's numbers differ from the CPU's."""
    import cupy

    raw, gain = [frame.get() for frame in case.made(cupy)], gain_of(case)
    started = time.process_time()
    here = clean_frames(raw, gain)
    motion = estimate_motion(here, case.pixel_size)
    expected = _sums(case, here, motion.field)
    cpu = time.process_time() - started
    there = clean_frames([cupy.asarray(frame) for frame in raw], cupy.asarray(gain))
    found = estimate_motion(there, case.pixel_size).field
    # The same motion for both, so that images are compared and not shifts again.
    sums = _sums(case, there, motion.field)
    places = [np.linspace(0, size - 1, 9) for size in case.shape]
    apart = [
        motion.field.whole[n][:, None, None] + motion.field.local(n, *places)
        - found.whole[n][:, None, None] - found.local(n, *places)
        for n in range(case.frames)
    ]  # fmt: skip
    difference = sums.image.get() - expected.image
    return {
        "equivalence_case": case.name,
        "equivalence_cpu_seconds": cpu,
        "equivalence_shift_px": float(np.abs(apart).max()),
        "equivalence_image": float(np.sqrt((difference**2).mean()) / expected.image.std()),
        "equivalence_image_worst": float(np.abs(difference).max() / expected.image.std()),
        "equivalence_power": float(np.abs(sums.power.get() / expected.power - 1.0).max()),
        "equivalence_bad_pixels_differ": len(set(map(tuple, there.replaced)) ^ set(map(tuple, here.replaced))),
    }


def _summed(case: Case, raw: list[Array], gain: Array) -> None:
    frames = clean_frames(raw, gain)
    _sums(case, frames, estimate_motion(frames, case.pixel_size).field)


def _sums(case: Case, frames: CleanFrames, field: MotionField) -> Sums:
    return sum_frames(frames, field, case.pixel_size, dose=DOSE, grouping_dose=DOSE.per_frame, binning=case.binning)


def _timed(work: Callable[[], Any]) -> float:
    import cupy

    cupy.cuda.Device().synchronize()
    started = time.perf_counter()
    work()
    cupy.cuda.Device().synchronize()
    return time.perf_counter() - started


class _Steps:
    """Seconds by the name of what took them, the card's included."""

    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        result: list[Any] = []
        self.taken[name] = self.taken.get(name, 0.0) + _timed(lambda: result.append(work()))
        return result[0]


@contextmanager
def _watched() -> Iterator[_Steps]:
    """The steps of `estimate_motion` are timed too."""
    steps = _Steps()
    whole = {name: getattr(estimate, name) for name in STEPS}
    for name, function in whole.items():
        setattr(estimate, name, lambda *given, _name=name, _function=function: steps(_name, lambda: _function(*given)))
    try:
        yield steps
    finally:
        for name, function in whole.items():
            setattr(estimate, name, function)
