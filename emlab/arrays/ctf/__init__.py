"""The contrast transfer function: its model, and how it is estimated from a power spectrum."""

from emlab.arrays.ctf.background import Flattened, flatten
from emlab.arrays.ctf.doubts import doubts
from emlab.arrays.ctf.estimate import estimate
from emlab.arrays.ctf.fit import Fit, refine
from emlab.arrays.ctf.flip import flip_phases
from emlab.arrays.ctf.levelled import levelled
from emlab.arrays.ctf.local import LocalDefocus, local_defocus
from emlab.arrays.ctf.model import Defocus, Lens, depth_fading, phase_delay, ring_spacing, transfer
from emlab.arrays.ctf.picture import diagnostic_picture
from emlab.arrays.ctf.quality import (
    Profile,
    aliasing_resolution,
    equiphase_profile,
    fit_resolution,
    ice_density,
    score,
    standard_errors,
)
from emlab.arrays.ctf.rings import Rings, rings_between
from emlab.arrays.ctf.search import SearchRange, search
from emlab.arrays.ctf.spectrum import tile_length, tile_spectrum
from emlab.arrays.ctf.tiles import Tiles, tiles_of
from emlab.arrays.ctf.tilt import Plane
from emlab.arrays.ctf.tilted import fit_tilted

__all__ = [
    "Defocus",
    "Fit",
    "Flattened",
    "Lens",
    "LocalDefocus",
    "Plane",
    "Profile",
    "Rings",
    "SearchRange",
    "Tiles",
    "aliasing_resolution",
    "depth_fading",
    "diagnostic_picture",
    "doubts",
    "equiphase_profile",
    "estimate",
    "fit_resolution",
    "fit_tilted",
    "flatten",
    "flip_phases",
    "ice_density",
    "levelled",
    "local_defocus",
    "phase_delay",
    "refine",
    "ring_spacing",
    "rings_between",
    "score",
    "search",
    "standard_errors",
    "tile_length",
    "tile_spectrum",
    "tiles_of",
    "transfer",
]
