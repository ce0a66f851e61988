"""emlab: cryo-EM movies processed while the microscope writes them, native to Jupyter."""

from emlab import errors
from emlab.errors import EmlabError

__version__ = "0.1.0"

__all__ = ["EmlabError", "Session", "create_session", "errors", "open_session"]
