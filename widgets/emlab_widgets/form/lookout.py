"""The thread that looks through the folder which a form names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from emlab.engine.probe import Findings, probe
from emlab.errors import ParameterError
from emlab_widgets.form.model import LaunchModel
from emlab_widgets.panels.pulse import Pulse

_AGAIN: Final = 10.0
"""Seconds after which a folder is looked through again, at least."""
_SHARE: Final = 0.05
"""Of the time, at most, that looking through a folder may take."""


class Lookout:
    """Looks through the folder when it changes and now and then, while a page shows the form; nothing waits for it.

    Parameters
    ----------
    begin
        Called before each look.
    note
        Called with what was found, or with a sentence why that was not possible.
    """

    def __init__(
        self, model: LaunchModel, pulse: Pulse, begin: Callable[[], None], note: Callable[[Findings | str], None]
    ) -> None:
        self._model = model
        self._pulse = pulse
        self._begin = begin
        self._note = note
        self._asked = threading.Event()
        self._is_over = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="emlab launch", daemon=True).start()

    def look(self) -> None:
        """Look soon."""
        self._asked.set()

    def end(self) -> None:
        """Look no more."""
        self._is_over = True

    def _run(self) -> None:
        while not self._is_over:
            self._pulse.wait_for_page()
            self._asked.clear()
            began = time.monotonic()
            self._begin()
            for told in seen(self._model):
                if self._asked.is_set():
                    break
                self._note(told)
            took = time.monotonic() - began
            self._asked.wait(max(_AGAIN, took / _SHARE))


def seen(model: LaunchModel) -> Iterator[Findings | str]:
    """Give what the folder holds, step by step, or a sentence why that cannot be told."""
    try:
        if (wanted := model.to_probe()) is not None:
            yield from probe(*wanted)
    except ParameterError as error:
        yield str(error)
    except OSError as error:
        yield f"The folder cannot be searched: {error.strerror or error}."
