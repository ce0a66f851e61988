"""The live view of a session."""

from emlab_widgets.panels.monitor import monitor

__all__ = ["monitor"]
