"""A simulated microscope that writes true movies, and the truth beside them.

It is made to judge the estimators, so it does not share their assumptions:

- Motion is not of a basis that is fitted: the field settles exponentially, drifts on a turning course, walks at
  random and may jump; within the field a dome and random waves grow with time constants of their own (`motion`).
- Frames are blurred by the motion within them, and moved on a specimen larger than the field.
- The background is structure, not white noise: ice with its diffraction ring, whose fine detail the beam shakes up
  between frames while the coarse detail stays (`ice`); an uneven film, carbon, crystals, contamination (`specimen`).
- Particles are atoms at several heights, of which the beam destroys the fine detail first (`protein`, `damage`).
- The lens's formula is written anew; rings fade with the specimen's thickness, coherence and tilt (`optics`, `lens`).
- Counting noise is correlated between neighbours, illumination uneven and flickering, and the gain reference known
  to half a percent only, so that a pattern stays behind that does not move (`detector`, `exposure`).

The one thing that both have from the same source are the critical doses, which are measured (`damage`): how well dose
weights suit a real specimen cannot be learned here. Left out are multiple and inelastic scattering beyond a loss of
electrons, beam tilt, and motion of single particles.
"""

from emlab.simulation.conditions import Conditions, Flaw, flawed, vary
from emlab.simulation.fault import Fault
from emlab.simulation.micrograph import simulate_micrograph
from emlab.simulation.microscope import Microscope, Written, simulate
from emlab.simulation.motion import Motion
from emlab.simulation.movie import SimulatedMovie, simulate_expected, simulate_movie
from emlab.simulation.optics import Optics
from emlab.simulation.specimen import Specimen
from emlab.simulation.truth import Truth, read_truth

__all__ = [
    "Conditions",
    "Fault",
    "Flaw",
    "Microscope",
    "Motion",
    "Optics",
    "SimulatedMovie",
    "Specimen",
    "Truth",
    "Written",
    "flawed",
    "read_truth",
    "simulate",
    "simulate_expected",
    "simulate_micrograph",
    "simulate_movie",
    "vary",
]
