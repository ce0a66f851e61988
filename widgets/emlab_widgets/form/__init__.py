"""The form that starts a session."""

from emlab_widgets.form.view import launch

__all__ = ["launch"]
