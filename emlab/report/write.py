"""Writing the report of a session."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from emlab.errors import ProgramError, SessionMissing
from emlab.report.notebooks import notebook


def write_report(session: Path | str) -> Path:
    """Write ``report/index.html`` in a session's folder, one file that opens without a network.

    The session may be empty, running or ended. A report that is there is replaced in one step, so that nobody
    opens half of one; the notebook that made it stays in ``notebooks/report.ipynb``.

    Raises
    ------
    SessionMissing
        If there is none.
    ProgramError
        If a cell of the report's notebook fails, or Jupyter's packages are not installed.
    """
    try:
        # Not at the top: they take a second to import, and whoever opens a session imports this module.
        from emlab.report.convert import to_html
        from emlab.report.execute import execute_notebook
    except ModuleNotFoundError as error:
        raise ProgramError(f"Reports need {error.name}. Run: pip install 'emlab[app]'") from error
    folder = Path(session).resolve()
    if not (folder / "session.db").is_file():
        raise SessionMissing(f"{folder} is not a session: it has no session.db. `emlab create` makes one.")
    executed = execute_notebook(notebook("report"), folder / "notebooks" / "report.ipynb", {"session": str(folder)})
    page = folder / "report" / "index.html"
    replace_text(page, to_html(executed, f"{folder.name} · emlab report"))
    return page


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it appears, or replaces what is there, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as unfinished:
        try:
            unfinished.write(text)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            Path(unfinished.name).chmod(0o644)
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
