"""The panels by name, each imported when it is first opened: bqplot, which most of them draw with, takes seconds."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from emlab.session import Session
from emlab_widgets.panels.view import Panel, View

PANELS: Final = {
    "Overview": "overview_panel.OverviewPanel",
    "CTF": "measures_panel.CtfPanel",
    "Motion": "measures_panel.MotionPanel",
    "Particles": "measures_panel.ParticlesPanel",
    "2D classes": "classes_panel.ClassesPanel",
    "Acquisition": "measures_panel.AcquisitionPanel",
    "Micrograph": "viewer_panel.ViewerPanel",
    "Gallery": "gallery_panel.GalleryPanel",
    "Grid": "grid_panel.GridPanel",
    "Table": "table_panel.TablePanel",
    "Selection": "selection_panel.SelectionPanel",
    "System": "system_panel.SystemPanel",
    "Problems": "problems_panel.ProblemsPanel",
}
"""File and class of each, in the order of the tabs."""
_ONLY_WITH: Final = {"Particles": "picks", "2D classes": "classes"}
"""The kind of record without which there is no such panel."""


def panels_for(session: Session) -> list[str]:
    """Name the panels that a session has."""
    kinds = {collection.kind for collection in session.sets.values()}
    return [name for name in PANELS if _ONLY_WITH.get(name) in {None, *kinds}]


def made_panel(name: str, view: View) -> Panel:
    """Make a panel."""
    module, made = _place(name)
    panel: Panel = getattr(import_module(module), made)(view)
    return panel


def import_panels() -> None:
    """Import every panel, so that none is waited for when it is opened."""
    for name in PANELS:
        import_module(_place(name)[0])


def _place(name: str) -> tuple[str, str]:
    file, made = PANELS[name].split(".")
    return f"{__package__}.{file}", made
