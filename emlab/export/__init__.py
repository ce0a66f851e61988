"""What other programs go on with."""

from emlab.export.exported import Exported
from emlab.export.relion import write_relion

EXPORTS = {"relion": write_relion}
"""By the name of the program that goes on."""

__all__ = ["EXPORTS", "Exported", "write_relion"]
