"""One visual language for panels and report: colours, sizes, and the stylesheet."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

# Okabe & Ito's palette, which colour-blind eyes can tell apart: https://jfly.uni-koeln.de/color/
BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
FAINT: Final = "#5b6875"
LINE: Final = "#e3e8ee"

PLOT_HEIGHT: Final = "230px"


@cache
def stylesheet() -> str:
    """Give the CSS of panels and report."""
    here = Path(__file__).parent
    return "\n".join((here / name).read_text(encoding="utf-8") for name in ("figures/uplot/uPlot.min.css", "style.css"))
