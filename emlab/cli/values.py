"""``name=value`` on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from emlab.errors import ParameterError

LEFT_OPEN = "NAME= sets no limit."


def named(texts: Iterable[str] | None) -> dict[str, str]:
    """Values by name.

    Raises
    ------
    ParameterError
        If one has no name, or two have the same.
    """
    values: dict[str, str] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise ParameterError(f"{text!r} does not have the form name=value.")
        if name in values:
            raise ParameterError(f"{name} is given twice.")
        values[name] = value
    return values
