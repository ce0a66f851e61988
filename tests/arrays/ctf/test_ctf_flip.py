"""Phases flipped: what the CTF inverted is put right, and nothing else."""

from __future__ import annotations

import numpy as np

from emlab.arrays.ctf import Defocus, Lens, flip_phases

LENS = Lens.of_microscope(300.0, 2.7, 0.07)


def wave(cycles_y: int, cycles_x: int) -> np.ndarray:
    y, x = np.mgrid[:512, :640]
    return np.cos(2 * np.pi * (cycles_y * y / 512 + cycles_x * x / 640 + 0.13)).astype(np.float32)


def sign(cycles_y: int, cycles_x: int, defocus: Defocus) -> float:
    image = wave(cycles_y, cycles_x)
    return float(np.vdot(flip_phases(image, 1.0, LENS, defocus), image) / np.vdot(image, image))


def test_signs_change_where_the_ctf_crosses_zero() -> None:
    # 1.5 µm: zero at 1/17.2 Å, then at 1/12.1 Å.
    defocus = Defocus.from_axes(15_000.0, 15_000.0, 0.0)
    assert [round(sign(0, 640 // length, defocus), 4) for length in (80, 20, 16, 14, 10)] == [1, 1, -1, -1, 1]
    assert [round(sign(512 // length, 0, defocus), 4) for length in (64, 16, 14)] == [1, -1, -1]


def test_u_lies_along_its_angle() -> None:
    # 20 Å: beyond the first zero of U, 3 µm at 90° (along y), and before that of V, 1 µm along x.
    defocus = Defocus.from_axes(30_000.0, 10_000.0, 90.0)
    assert round(sign(512 // 20, 0, defocus), 4) == -1
    assert round(sign(0, 640 // 20, defocus), 4) == 1
    diagonal = Defocus.from_axes(30_000.0, 10_000.0, 45.0)
    assert round(sign(18, 22, diagonal), 4) == -1
    assert round(sign(18, -22, diagonal), 4) == 1
