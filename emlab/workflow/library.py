"""Where templates are found: a facility's folders, a person's own, and those that come with emlab."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emlab.errors import WorkflowError
from emlab.workflow.parse import parse_workflow
from emlab.workflow.workflow import Workflow

FOLDERS: Final = "EMLAB_TEMPLATES"
"""The environment variable with a facility's folders, separated by colons."""
_ENDINGS: Final = (".json.template", ".json")


@dataclass(frozen=True)
class Entry:
    """A template that is known by a name.

    Attributes
    ----------
    name
        The file's, without its ending.
    path
        Where it is.
    origin
        For people: ``emlab``, or the folder.
    """

    name: str
    path: Path
    origin: str


def templates() -> dict[str, Entry]:
    """Every template that has a name; one of a facility's comes before one of emlab's that is called the same."""
    found: dict[str, Entry] = {}
    for folder, origin in _folders():
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), None)
            if ending and path.is_file() and not path.name.startswith("."):
                name = path.name.removesuffix(ending)
                found.setdefault(name, Entry(name, path, origin))
    return found


def read_workflow(source: str | Path) -> Workflow:
    """Read a workflow or a template: a file, or one that is known by its name.

    Raises
    ------
    WorkflowError
        If there is none, or it is not valid.
    """
    known = templates()
    path = known[str(source)].path if str(source) in known else Path(source)
    if not path.is_file():
        raise WorkflowError(
            f"There is no workflow {str(source)!r}: it is neither a file nor a known name ({', '.join(known)}). emlab "
            f"also looks in the folders named in ${FOLDERS}."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(f"{path} cannot be read as text: {error}.") from None
    return parse_workflow(text, str(path))


def _folders() -> list[tuple[Path, str]]:
    given = [Path(name).expanduser() for name in os.environ.get(FOLDERS, "").split(os.pathsep) if name]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    own = [*given, config / "emlab" / "templates"]
    return [*((folder, str(folder)) for folder in own), (Path(__file__).parent / "shipped", "emlab")]
