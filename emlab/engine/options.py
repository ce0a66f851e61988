"""What a session's engine is told at its start, and told again at the next."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Self

from pydantic import field_validator, model_validator

from emlab.errors import ParameterError, SessionError
from emlab.formats.atomic import whole_file
from emlab.model.parameters import Parameters, parameter, validated

FILE = "engine.json"


class EngineOptions(Parameters):
    """How a session is computed; ``None`` where nothing was said of it."""

    executor: str | None = parameter(None, help="Where to compute; local by default.")
    workers: int | None = parameter(None, ge=0, help="Number of CPU worker processes; by default 0, as many as fit.")
    gpus: str | None = parameter(None, help="GPU indices, separated by commas; empty for none. All GPUs by default.")
    time_limit: float | None = parameter(None, gt=0, unit="s", help="Time an item may take; 1800 by default.")
    report_every: float | None = parameter(
        None, ge=0, unit="s", help="Least time between reports; 0 for no reports, 60 by default."
    )

    @model_validator(mode="before")
    @classmethod
    def _left_open(cls, values: Any) -> Any:
        """Take an empty text as it is: it means that no GPU is used."""
        return values

    @field_validator("gpus")
    @classmethod
    def _check_gpus(cls, gpus: str | None) -> str | None:
        gpu_indices_of(gpus)
        return gpus

    @field_validator("executor")
    @classmethod
    def _find_from_anywhere(cls, executor: str | None) -> str | None:
        """Name a file by its absolute path: the engine's own folder is another than that of whoever starts it."""
        kind, _, file = (executor or "").partition(":")
        if kind not in {"dask", "slurm"} or not file or file.startswith("//"):
            return executor
        return f"{kind}:{Path(file).expanduser().absolute()}"

    @classmethod
    def kept(cls, session: Path) -> Self:
        """What was said last of a session.

        Raises
        ------
        SessionError
            If it cannot be read.
        """
        try:
            return validated(cls, json.loads((session / FILE).read_text(encoding="utf-8")), FILE)
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise SessionError(
                f"{session / FILE}, which holds the options of the last start, cannot be read: {error} Remove it, and "
                "give those options that are not the default again."
            ) from error

    def keep(self, session: Path) -> None:
        """Have these for the next start, which may come after a power cut."""
        with whole_file(session / FILE) as unfinished:
            unfinished.write_text(self.model_dump_json(exclude_none=True) + "\n", encoding="utf-8")

    def over(self, before: EngineOptions) -> EngineOptions:
        """These, and what was said before of what they say nothing of."""
        return before.model_copy(update=self.model_dump(exclude_none=True))

    def unheeded(self, session: Path) -> str:
        """Say what of these a session that runs does not follow; empty where that is nothing."""
        said, kept = self.model_dump(exclude_none=True), self.kept(session).model_dump()
        other = [name for name, value in said.items() if kept[name] != value]
        if not other:
            return ""
        return (
            f"{session} is already running, so the new {', '.join(other)} is not applied. To apply it, stop with "
            "`emlab stop --now` and start again."
        )

    def arguments(self) -> list[str]:
        """As ``python -m emlab.engine`` takes them."""
        said = {
            "--executor": self.executor,
            "--workers": self.workers or None,
            "--gpus": self.gpus,
            "--time-limit": self.time_limit,
            "--report": 60.0 if self.report_every is None else self.report_every,
        }
        return [word for name, value in said.items() if value is not None for word in (name, str(value))]


def gpu_indices_of(gpus: str | None) -> tuple[int, ...] | None:
    """Indices that a person gave; ``None`` for all.

    Raises
    ------
    ParameterError
        If they are none.
    """
    if gpus is None or gpus == "all":
        return None
    if not re.fullmatch(r"(\d+(,\d+)*)?", gpus):
        raise ParameterError("expected GPU indices separated by commas, such as 0,1; all; or nothing for none")
    return tuple(int(index) for index in gpus.split(",") if index)
