"""Where particles are: a matched filter for round things, in standard deviations of the noise around them.

`coarse` makes the micrograph small, `filter` scores every place, `obstacles` marks where no particle is to be looked
for, `peaks` takes the best places, and `pick` does all of it.
"""

from emlab.arrays.picking.coarse import Coarse, coarsened
from emlab.arrays.picking.pick import Found, find_particles

__all__ = ["Coarse", "Found", "coarsened", "find_particles"]
