"""How a session's reports are made and where they go, kept in its folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from emlab.errors import ParameterError
from emlab.formats.atomic import whole_file
from emlab.model.paths import AbsolutePath
from emlab.report.look import read_look
from emlab.report.publish import check_target

NAME = "report.json"


class ReportSettings(BaseModel):
    """How a session's reports are made and where they go; no secrets, which come from the environment.

    Attributes
    ----------
    template
        A facility's folder, see `emlab.report.read_look`.
    publish
        Where each new report is copied to, see `emlab.report.publish`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: AbsolutePath | None = None
    publish: tuple[str, ...] = ()

    @field_validator("publish")
    @classmethod
    def _checked(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        for target in targets:
            check_target(target)
        return targets


def read_settings(session: Path) -> ReportSettings:
    """Give a session's settings; the defaults where it has none.

    Raises
    ------
    ParameterError
        If they cannot be used.
    """
    path = session / NAME
    try:
        return ReportSettings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return ReportSettings()
    except ValidationError as error:
        problem = error.errors()[0]
        raise ParameterError(
            f"{path} cannot be used: {'.'.join(map(str, problem['loc']))}: {problem['msg']}."
        ) from None


def change_settings(
    session: Path, template: str | os.PathLike[str] | None = None, publish: Sequence[str] | None = None
) -> None:
    """Change a session's settings, from its next report on; what is left out stays.

    Raises
    ------
    ParameterError
        If the template or a target cannot be used.
    """
    if template is not None:
        read_look(template)
    given = {"template": template and os.fspath(template), "publish": publish}
    known = read_settings(session).model_dump()
    for target in publish or ():
        check_target(target)
    settings = ReportSettings(**known | {name: value for name, value in given.items() if value is not None})
    with whole_file(session / NAME) as temporary:
        temporary.write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")
