"""``emlab create``, ``start``, ``run``, ``pause``, ``resume``, ``stop``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

import typer

from emlab.cli.follow import follow
from emlab.cli.notify import NOTIFY
from emlab.cli.report import PUBLISH, TEMPLATE, configure
from emlab.cli.terminal import console
from emlab.cli.values import LEFT_OPEN, named
from emlab.creation import fill_session
from emlab.engine.options import EngineOptions
from emlab.engine.preflight import survey
from emlab.model import validated
from emlab.monitors.notices import choose
from emlab.session import open_session

SESSION = typer.Argument(help="The session's folder.", show_default=False)
WORKERS = typer.Option(None, help="Number of CPU worker processes; by default 0, as many as fit.", min=0)
GPUS = typer.Option(None, help="GPU indices, separated by commas; empty for none. All GPUs by default.")
EXECUTOR = typer.Option(
    None,
    help="Where to compute: local, dask, dask://HOST:PORT, slurm or slurm:FILE; local by default.",
)
TIME_LIMIT = typer.Option(
    None, help="Seconds an item may take before it is killed and retried; 1800 by default.", min=0.0
)
REPORT_EVERY = typer.Option(
    None, help="Least seconds between reports while the session runs; 0 for no reports, 60 by default.", min=0
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (create, start, run, pause, resume, stop):
        app.command()(command)


def create(
    session: Path = SESSION,
    values: list[str] = typer.Argument(None, metavar="[NAME=VALUE]…", help=f"See `emlab workflows NAME`; {LEFT_OPEN}"),
    workflow: str = typer.Option("screening", help="A name from `emlab workflows`, or a file."),
    name: str = typer.Option(None, help="The session's name; by default the folder's name."),
) -> None:
    """Create a session, without starting it.

    For example: emlab create sessions/monday movies=/data/epu/Supervisor_monday voltage=300 pixel_size=0.85
    """
    with fill_session(session, workflow, name, named(values)) as created:
        for note in created.workflow.notes:
            console.print(f"– {note}")
        for watched in created.watched:
            console.print(str(survey(watched)))
        console.print(f"Created {created.path}. Next: emlab start {quote(str(session))}")


def start(
    session: Path = SESSION,
    workers: int = WORKERS,
    gpus: str = GPUS,
    executor: str = EXECUTOR,
    time_limit: float = TIME_LIMIT,
    report_every: float = REPORT_EVERY,
    template: Path = TEMPLATE,
    publish: list[str] = PUBLISH,
    notify: list[str] = NOTIFY,
) -> None:
    """Start a session's engine in the background; it keeps running when the terminal is closed.

    The workers, GPUs, executor, time limit and report interval given here also apply to the next start.
    """
    with open_session(session) as opened:
        configure(opened, template, publish)
        if notify:
            choose(opened.path, notify)
        with _heeded():
            opened.start(
                workers=workers, gpus=gpus, executor=executor, time_limit=time_limit, report_every=report_every
            )
        console.print(f"{opened.path} is running. `emlab status` shows its progress, `emlab stop` ends it.")


def run(
    session: Path = SESSION,
    workers: int = WORKERS,
    gpus: str = GPUS,
    executor: str = EXECUTOR,
    time_limit: float = TIME_LIMIT,
    report_every: float = REPORT_EVERY,
    template: Path = TEMPLATE,
    publish: list[str] = PUBLISH,
    notify: list[str] = NOTIFY,
) -> None:
    """Run a session in the foreground until it ends, recorded in a notebook (notebooks/session.ipynb).

    Ctrl-C leaves the engine running; `emlab stop` ends it.
    """
    from emlab.report import run_session_notebook

    with open_session(session) as opened:
        configure(opened, template, publish)
        if notify:
            choose(opened.path, notify)
        given = {
            "workers": workers,
            "gpus": gpus,
            "executor": executor,
            "time_limit": time_limit,
            "report_every": report_every,
        }
        if opened.is_running and (unheeded := validated(EngineOptions, given, "run").unheeded(opened.path)):
            console.print(unheeded)
        notebook = run_session_notebook(opened.path, given)
        follow(opened, console, until=lambda: notebook.poll() is not None)
        notebook.raise_for_failure()
        # The last report is written, and published, after the last record.
        while opened.is_running:
            opened.wait(0.5)
        console.print(f"The notebook that records the session is {notebook.output}")
        if EngineOptions.kept(opened.path).report_every != 0:
            console.print(f"The report is {opened.path / 'report' / 'index.html'}")


def pause(session: Path = SESSION) -> None:
    """Pause: running items finish, no new ones start, and new files are still noticed."""
    with open_session(session) as opened:
        opened.pause()


def resume(
    session: Path = SESSION,
    workers: int = WORKERS,
    gpus: str = GPUS,
    executor: str = EXECUTOR,
    time_limit: float = TIME_LIMIT,
    report_every: float = REPORT_EVERY,
) -> None:
    """Continue after a pause, a stop or a crash; nothing is lost or done twice.

    Workers, GPUs, executor, time limit and report interval stay as they were unless given here.
    """
    with open_session(session) as opened, _heeded():
        opened.start(workers=workers, gpus=gpus, executor=executor, time_limit=time_limit, report_every=report_every)


def stop(
    session: Path = SESSION,
    now: bool = typer.Option(False, "--now", help="Stop at once; `emlab resume` does the rest."),
) -> None:
    """Take no more files, finish those that came, and end."""
    with open_session(session) as opened:
        opened.stop(now=now)


@contextmanager
def _heeded() -> Iterator[None]:
    """Print what an engine that runs already does not follow."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in said:
        console.print(str(warning.message))
