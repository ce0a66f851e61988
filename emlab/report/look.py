"""A facility's own report: its notebook, logo and style, in a folder."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from emlab.errors import ParameterError
from emlab.report.notebooks import notebook

TEMPLATE_VARIABLE = "EMLAB_REPORT_TEMPLATE"
"""Names the folder where neither a command nor the session does."""

_LOGOS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_KNOWN = ("report.ipynb", "style.css", *(f"logo{suffix}" for suffix in _LOGOS))


@dataclass(frozen=True)
class Look:
    """What a report is made with.

    Attributes
    ----------
    notebook
        Whose cells make the report.
    logo
        As a data URL; ``None`` for none.
    style
        CSS that comes after emlab's.
    """

    notebook: Path
    logo: str | None = None
    style: str = ""


def read_look(folder: str | os.PathLike[str] | None = None) -> Look:
    """Give what a facility's folder changes of the report, the rest being emlab's.

    Parameters
    ----------
    folder
        May hold ``report.ipynb``, ``style.css`` and ``logo.svg``, ``.png``, ``.jpg`` or ``.webp``. By default the one
        that the environment's `TEMPLATE_VARIABLE` names, if it names one.

    Raises
    ------
    ParameterError
        If there is no such folder, or none of these in it.
    """
    named = folder or os.environ.get(TEMPLATE_VARIABLE)
    if not named:
        return Look(notebook("report"))
    place = Path(named)
    if not any((place / name).is_file() for name in _KNOWN):
        raise ParameterError(f"{place} is not a report template: it contains none of {', '.join(_KNOWN)}.")
    own, style = place / "report.ipynb", place / "style.css"
    return Look(
        notebook=own if own.is_file() else notebook("report"),
        logo=next(
            (_as_url(path, kind) for suffix, kind in _LOGOS.items() if (path := place / f"logo{suffix}").is_file()),
            None,
        ),
        style=style.read_text(encoding="utf-8") if style.is_file() else "",
    )


def _as_url(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
