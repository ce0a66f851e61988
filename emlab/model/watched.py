"""Parameters of protocols that take what a microscope writes."""

from __future__ import annotations

from datetime import datetime

from pydantic import field_validator

from emlab.model.parameters import Parameters, parameter
from emlab.model.paths import AbsolutePath


class WatchedFolder(Parameters):
    """Which files to take, when one is complete, and when no more are waited for."""

    folder: AbsolutePath = parameter(
        label="Folder",
        kind="folder",
        help="The folder that the microscope writes to; its subfolders are watched too.",
    )
    pattern: str = parameter(
        "**/*",
        label="File names",
        help="Which files to take: names relative to the folder, with * and ?, and ** for any folders in between. "
        "Separate several with commas; one that begins with ! excludes files.",
    )
    settle_time: float = parameter(
        30.0,
        ge=0,
        unit="s",
        label="Settle time",
        advanced=True,
        help="How long a file must stay unchanged before it is taken, if nothing else shows that it is complete.",
    )
    stalled_after: float = parameter(
        600.0,
        gt=0,
        unit="s",
        label="Report as stalled after",
        advanced=True,
        help="A file is reported if it is still incomplete this long after its last change.",
    )
    idle_timeout: float = parameter(
        7200.0,
        gt=0,
        unit="s",
        label="Stop after idle time",
        help="The import ends when no new file has come for this long.",
    )
    deadline: datetime | None = parameter(
        None,
        label="Stop at",
        advanced=True,
        help="The import ends at this date and time (local unless it names a time zone), even if more files come.",
    )
    expected_count: int | None = parameter(
        None, gt=0, label="Number of files", help="The import ends once this many files have come."
    )

    @field_validator("pattern")
    @classmethod
    def _some_pattern(cls, pattern: str) -> str:
        if not any(part and not part.startswith("!") for part in _parts(pattern)):
            raise ValueError("no file would be taken; give at least one pattern, such as **/*.tiff")
        return pattern

    @property
    def patterns(self) -> tuple[str, ...]:
        """Each of the patterns by itself."""
        return tuple(part for part in _parts(self.pattern) if part)


def _parts(pattern: str) -> list[str]:
    return [part.strip() for part in pattern.split(",")]
