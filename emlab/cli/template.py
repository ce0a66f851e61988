"""``emlab workflows`` and ``emlab template``: what can be filled, and filling it without a browser."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import typer
from rich.table import Table
from rich.text import Text

from emlab.cli.terminal import console
from emlab.cli.values import named
from emlab.creation import fill_session, propose_path
from emlab.errors import ParameterError, WorkflowError
from emlab.workflow import Entry, Question, Workflow, complaints, questions_of, read_workflow, templates


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(workflows)
    app.command()(template)


def workflows(
    name: str = typer.Argument(None, help="A workflow's name or file, to see what it asks for."),
    everything: bool = typer.Option(
        False, "--all", help="Also show the advanced parameters, which the form folds away."
    ),
) -> None:
    """List the known workflows and templates, or what one asks for.

    emlab knows its own, those in the folders named in $EMLAB_TEMPLATES (separated by colons), and those in
    ~/.config/emlab/templates.
    """
    if name is None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for entry in templates().values():
            table.add_row(Text(entry.name, "bold"), _title(entry), entry.origin)
        console.print(table, soft_wrap=False)
        console.print("`emlab workflows NAME` shows what one asks for.")
        return
    workflow = read_workflow(name)
    console.print(Text.assemble((workflow.name, "bold"), f"  {workflow.title}"))
    if workflow.description:
        console.print(workflow.description)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for question in questions_of(workflow):
        if everything or not question.advanced:
            table.add_row(question.name, _described(question))
    console.print(table, soft_wrap=False)
    _print_notes(workflow)


def template(
    path: str = typer.Argument(
        metavar="PATH", help="A workflow or template: a file, or a name from `emlab workflows`."
    ),
    values: list[str] = typer.Argument(None, metavar="[NAME=VALUE]…", help="See `emlab workflows PATH`."),
    session: Path = typer.Option(None, help="The session's folder; a new one in ./sessions by default."),
    name: str = typer.Option(None, help="The session's name; by default the folder's name."),
    no_start: bool = typer.Option(False, "--no-start", "--noschedule", help="Create the session without starting it."),
    _no_window: bool = typer.Option(False, "--nogui", hidden=True),
) -> None:
    """Fill a template and start its session, without a browser.

    For example: emlab template facility.json.template movies=/data/epu/Supervisor_monday volt=300
    """
    workflow, given = read_workflow(path), named(values)
    questions = questions_of(workflow)
    if wrong := complaints(workflow, given):
        labels = {question.name: question.label for question in questions}
        raise ParameterError(" ".join(f"{field} ({labels.get(field, field)}): {said}" for field, said in wrong.items()))
    _print_notes(workflow)
    folder = next(
        (given[question.name] for question in questions if question.kind == "folder" and question.name in given), ""
    )
    with fill_session(session or propose_path(Path("sessions"), folder), path, name, given) as created:
        if no_start:
            console.print(f"Created {created.path}. Next: emlab start {quote(str(created.path))}")
        else:
            created.start()
            console.print(f"{created.path} is running. To watch it: emlab view {quote(str(created.path))}")


def _title(entry: Entry) -> str:
    try:
        return read_workflow(entry.path).title
    except WorkflowError as error:  # one that is wrong must not hide the others
        return f"cannot be used: {error}"


def _described(question: Question) -> str:
    choices = ", ".join(f"{value} {name}" if str(value) != name else name for value, name in question.choices)
    default = "" if question.default in (None, "") else f"default: {question.default} {question.unit}".strip()
    ending = "; ".join(filter(None, ("required" if question.required else "", default or question.unit, choices)))
    return f"{question.label}. {question.help} {f'[{ending}]' if ending else ''}".strip()


def _print_notes(workflow: Workflow) -> None:
    for note in workflow.notes:
        console.print(Text.assemble(("– ", "yellow"), note))
