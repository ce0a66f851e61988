"""The live view of a session."""

from emlab_widgets.monitor.monitor import monitor

__all__ = ["monitor"]
