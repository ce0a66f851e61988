"""The path of the specimen while a movie was taken, as a small drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emlab.monitors import number
from emlab_widgets import theme


def path_drawing(shift_y: Sequence[float], shift_x: Sequence[float], pixel_size: float, size: int = 96) -> str:
    """Give an SVG of the path, to scale, with a bar that tells how long 1, 2, 5, 10 … Å are.

    Parameters
    ----------
    shift_y, shift_x
        Displacement in each frame, px of ``pixel_size``; at least one.
    pixel_size
        Å.
    size
        Width and height, px of the screen.
    """
    places = np.stack([shift_x, shift_y], axis=1) * pixel_size
    lowest, extent = places.min(axis=0), np.ptp(places, axis=0)
    across = max(float(extent.max()), 1e-3)
    margin, room = 0.12 * size, 0.7 * size
    drawn = margin + (places - lowest + (across - extent) / 2) * room / across
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    weight = max(size / 200, 1)
    bar = next(step for step in _bars() if step >= across / 5)
    (x0, y0), (x1, y1) = drawn[0], drawn[-1]
    label = f"Path of the specimen, {number(across, 1)} Å across"
    green = theme.GREEN
    line, dot, rim, rule = (f"{width * weight:.1f}" for width in (1.6, 2.6, 1.4, 1.5))
    return (
        f'<svg class="emlab-path" role="img" aria-label="{label}" viewBox="0 0 {size} {size}" width="{size}"'
        f' height="{size}"><title>{label}</title>'
        f'<polyline points="{points}" fill="none" stroke="{green}" stroke-width="{line}" stroke-linejoin="round"/>'
        f'<circle cx="{x0:.1f}" cy="{y0:.1f}" r="{dot}" fill="#fff" stroke="{green}" stroke-width="{rim}"/>'
        f'<circle cx="{x1:.1f}" cy="{y1:.1f}" r="{dot}" fill="{green}"/>'
        f'<path d="M{margin:.1f} {0.93 * size:.1f}h{bar * room / across:.1f}" stroke="currentColor"'
        f' stroke-width="{rule}"/>'
        f'<text x="{margin + bar * room / across + 4:.1f}" y="{0.955 * size:.1f}" font-size="{0.065 * size:.1f}"'
        f' fill="currentColor">{bar:g} Å</text></svg>'
    )


def _bars() -> list[float]:
    return [step * 10.0**power for power in range(-4, 7) for step in (1, 2, 5)]
