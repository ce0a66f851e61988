"""emlab: cryo-EM movies processed while the microscope writes them, native to Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emlab import errors
from emlab.errors import EmlabError
from emlab.version import __version__

if TYPE_CHECKING:
    from emlab.creation import create_session
    from emlab.repair import repair_session
    from emlab.session import Session, open_session

__all__ = ["EmlabError", "Session", "__version__", "create_session", "errors", "open_session", "repair_session"]


def __getattr__(name: str) -> Any:
    """Import the session's layer when it is first asked for: worker processes start without it."""
    if name == "create_session":
        from emlab.creation import create_session

        return create_session
    if name in {"Session", "open_session"}:
        from emlab import session

        return getattr(session, name)
    if name == "repair_session":
        from emlab.repair import repair_session

        return repair_session
    raise AttributeError(f"module 'emlab' has no attribute {name!r}")
