"""Motion correction: from raw frames to aligned sums, functions of arrays only."""

from emlab.arrays.motion.estimate import Motion, estimate_motion
from emlab.arrays.motion.field import MotionField
from emlab.arrays.motion.frames import CleanFrames, clean_frames
from emlab.arrays.motion.relion import motion_tables
from emlab.arrays.motion.sum import Dose, Sums, sum_frames

__all__ = [
    "CleanFrames",
    "Dose",
    "Motion",
    "MotionField",
    "Sums",
    "clean_frames",
    "estimate_motion",
    "motion_tables",
    "sum_frames",
]
