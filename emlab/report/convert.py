"""An executed notebook as one HTML file that needs nothing else."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import nbconvert
import nbformat
from jupyter_core.paths import jupyter_path

from emlab.errors import ProgramError
from emlab.report.look import Look

_HERE = Path(__file__).parent
_WIDGETS = "application/vnd.jupyter.widget-state+json"


def to_html(executed: nbformat.NotebookNode, title: str, look: Look) -> str:
    """Give an executed notebook's outputs as HTML, with the JavaScript that its figures need in it.

    Raises
    ------
    ProgramError
        If the JavaScript of a widget in the notebook is not installed.
    """
    exporter = nbconvert.HTMLExporter(
        template_name="emlab",
        extra_template_basedirs=[str(_HERE / "template")],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    page = {"title": title, "scripts": scripts(executed), "logo": look.logo, "style": look.style}
    html, _ = exporter.from_notebook_node(executed, resources={"emlab": page})
    return str(html)


def scripts(executed: nbformat.NotebookNode) -> list[str]:
    """Give the JavaScript that draws the widgets of an executed notebook, in the order in which it has to run."""
    models = executed.metadata.get("widgets", {}).get(_WIDGETS, {}).get("state", {}).values()
    modules = {model["model_module"] for model in models if not model["model_module"].startswith("@jupyter-widgets/")}
    if not models:
        return []
    # bqplot's module asks for bqscales' when it is defined.
    return [_vendored("require"), _vendored("embed-amd"), *(_installed(name) for name in sorted(modules, reverse=True))]


def _vendored(name: str) -> str:
    return gzip.decompress((_HERE / "assets" / f"{name}.js.gz").read_bytes()).decode()


def _installed(module: str) -> str:
    """Give a widget library's AMD module as its wheel installed it, with the name that it lacks."""
    for folder in jupyter_path("nbextensions"):
        path = Path(folder) / module / "index.js"
        if path.is_file():
            return re.sub(r"\bdefine\(\[", f'define("{module}",[', path.read_text(encoding="utf-8"), count=1)
    raise ProgramError(
        f"The report shows widgets of {module}, but its JavaScript is not installed. Run: pip install {module}"
    )
