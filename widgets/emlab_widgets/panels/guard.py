"""Errors of callbacks, which Voila would swallow, as a line on the page."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

log = logging.getLogger(__name__)


class Guard:
    """Runs callbacks one at a time, whichever thread they come from, and shows their errors.

    Attributes
    ----------
    widget
        The line, which is there only while something is wrong.
    lock
        Held while a callback runs.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.widget = ipywidgets.HTML(layout=ipywidgets.Layout(display="none"))
        self.widget.add_class("emlab-trouble")

    def __call__(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Give the callback, guarded."""

        @functools.wraps(callback)
        def guarded(*arguments: Any) -> None:
            with self.lock:
                try:
                    callback(*arguments)
                except Exception as error:
                    # A view that fails must neither stop the others nor stay silent.
                    log.exception("a view of the session failed")
                    sentence = f"This page could not be updated: {error} ({type(error).__name__})"
                    self.widget.value = f'<p role="alert">{escape(sentence)}</p>'
                    self.widget.layout.display = None
                else:
                    self.widget.layout.display = "none"

        return guarded
