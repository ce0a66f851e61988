"""``emlab report``: the report of a session, now."""

from __future__ import annotations

from pathlib import Path

import typer

from emlab.cli.terminal import aside
from emlab.session import Session, open_session

TEMPLATE = typer.Option(
    None, help="A folder with your logo.svg or .png, style.css or report.ipynb; $EMLAB_REPORT_TEMPLATE by default."
)
PUBLISH = typer.Option(
    None,
    metavar="TARGET",
    help="Copy each report to a folder, HOST:FOLDER (rsync) or s3://BUCKET/FOLDER; may be given several times. {name} "
    "stands for the session's name; secrets come from the environment.",
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    session: Path = typer.Argument(help="The session's folder.", show_default=False),
    compare: Path = typer.Option(None, metavar="SESSION", help="Another session to show beside this one."),
    template: Path = TEMPLATE,
    publish: list[str] = PUBLISH,
) -> None:
    """Write a session's report now, publish it, and print its path."""
    with open_session(session) as opened:
        try:
            page = opened.report(template=template, compare=compare)
        except KeyboardInterrupt:
            aside.print("Stopped before the report was written; an earlier report is unchanged.")
            raise typer.Exit(130) from None
        print(page)
        for address in opened.publish(page, publish or None):
            print(address)


def configure(session: Session, template: Path | None, publish: list[str] | None) -> None:
    """Keep what was asked for of reports, where something was."""
    if template is not None or publish:
        session.configure_report(template=template, publish=publish or None)
