"""Creating a session: its folder, its database and what it is to do."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

from emlab.engine.mount import journal_mode
from emlab.engine.pipeline import build_stages
from emlab.engine.preflight import preflight
from emlab.errors import SessionExists
from emlab.protocols import PROTOCOLS
from emlab.session import DATABASE, Session
from emlab.sets import Ledger
from emlab.version import __version__
from emlab.workflow import read_workflow


def create_session(
    path: str | os.PathLike[str], workflow: str | os.PathLike[str] = "screening", name: str | None = None, **values: Any
) -> Session:
    """Create a session's folder, without starting anything.

    Parameters
    ----------
    path
        A folder that does not exist, or an empty one.
    workflow
        A known name (`emlab workflows`), or the path of a workflow or template.
    name
        The name shown to people; by default the folder's name.
    **values
        The workflow's fields (``movies=…, voltage=300``), or any parameter as ``**{"ctf.max_resolution": 4}``;
        ``None`` for the protocol's default.

    Raises
    ------
    SessionExists
        If the folder already holds a session or anything else.
    WorkflowError, ParameterError
        If the workflow or a value cannot be used.
    DataError, FormatError
        If the gain does not fit the movies already there, or they cannot be read.
        Nothing is created in any of these cases.
    """
    return fill_session(path, workflow, name, values)


def fill_session(
    path: str | os.PathLike[str], workflow: str | os.PathLike[str], name: str | None, values: Mapping[str, Any]
) -> Session:
    """Create a session as `create_session` does, of values whose names may be anything."""
    folder = Path(path).absolute()
    if (folder / DATABASE).exists():
        raise SessionExists(
            f"{folder} is already a session. Open it (`emlab status {folder}`), or choose another folder."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SessionExists(f"{folder} is not an empty folder. Choose one that does not exist yet.")
    filled = read_workflow(os.fspath(workflow)).filled(_plain(values))
    stages = build_stages(filled, PROTOCOLS)
    for stage in stages:
        if stage.protocol.is_source:
            preflight(stage)
    folder.mkdir(parents=True, exist_ok=True)
    meta = {
        "uuid": uuid.uuid4().hex,
        "name": name or folder.name,
        "created_at": repr(time.time()),
        "version": __version__,
        "state": "created",
        "workflow": filled.model_dump_json(),
    }
    partial = folder / f"{DATABASE}.new"
    partial.unlink(missing_ok=True)
    ledger = Ledger.create(partial, meta, journal_mode(folder))
    with ledger.transaction():
        for stage in stages:
            ledger.add_run(stage.to_run(), stage.kinds)
    ledger.close()
    partial.rename(folder / DATABASE)
    (folder / "workflow.json").write_text(json.dumps(filled.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
    return Session(folder)


def propose_path(sessions: Path, movies: str = "") -> Path:
    """Give the path of a session that does not exist yet: the date, and what the folder of its movies is called.

    Parameters
    ----------
    sessions
        The folder that it is to lie in.
    movies
        The folder that the microscope writes to, where it is known.
    """
    stem = re.sub(r"[^\w.+-]+", "_", Path(movies).name).strip("._-")
    name = f"{time.strftime('%Y-%m-%d')}{f'-{stem}' if stem else ''}"
    numbered = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(path for path in map(sessions.__truediv__, numbered) if not path.exists())


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: paths as text."""
    return {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in values.items()}
