"""Writing the report of a session."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from emlab.errors import ProgramError, SessionMissing
from emlab.report.look import read_look
from emlab.report.settings import read_settings


def write_report(
    session: Path | str,
    *,
    template: str | os.PathLike[str] | None = None,
    compare: str | os.PathLike[str] | None = None,
) -> Path:
    """Write ``report/index.html`` in a session's folder, one file that opens without a network.

    The session may be empty, running or ended. A report that is there is replaced in one step, so that nobody
    opens half of one; the notebook that made it stays in ``notebooks/report.ipynb``.

    Parameters
    ----------
    template
        A facility's folder, see `emlab.report.read_look`; by default the session's own setting.
    compare
        Another session, to be shown beside this one, in ``report/compared-with-….html``.

    Raises
    ------
    SessionMissing
        If there is none.
    ParameterError
        If the template cannot be used.
    ProgramError
        If a cell of the report's notebook fails, or Jupyter's packages are not installed.
    """
    try:
        # Not at the top: they take a second to import, and whoever opens a session imports this module.
        from emlab.report.convert import to_html
        from emlab.report.execute import execute_notebook
    except ModuleNotFoundError as error:
        raise ProgramError(f"Reports need {error.name}. Run: pip install 'emlab[app]'") from error
    folder = _session(session)
    look = read_look(template or read_settings(folder).template)
    parameters, name, title = {"session": str(folder)}, "index", f"{folder.name} · emlab report"
    if compare is not None:
        other = _session(compare)
        parameters["compare"] = str(other)
        name = f"compared-with-{re.sub(r'[^A-Za-z0-9.-]+', '_', other.name)}"
        title = f"{folder.name} and {other.name} · emlab report"
    record = "report" if compare is None else name
    executed = execute_notebook(look.notebook, folder / "notebooks" / f"{record}.ipynb", parameters)
    page = folder / "report" / f"{name}.html"
    replace_text(page, to_html(executed, title, look))
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


def _session(path: str | os.PathLike[str]) -> Path:
    folder = Path(path).resolve()
    if not (folder / "session.db").is_file():
        raise SessionMissing(f"{folder} is not a session: it has no session.db. `emlab create` makes one.")
    return folder
