"""Taking the parameters of a Scipion protocol, and knowing which were left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from emlab.workflow.field import switch
from emlab.workflow.scipion.entry import Entry

_MEANINGLESS: Final = frozenset(
    {
        "_prerequisites",
        "_queueParams",
        "_useQueue",
        "acquisitionWizard",
        "cleanMovieData",
        "computeAllFramesAvg",
        "copyFiles",
        "ctfDownFactor",
        "deleteFrames",
        "doComputeMicThumbnail",
        "doComputePSD",
        "doEPA",
        "doGPU",
        "doGpu",
        "doSaveAveMic",
        "doSaveMovie",
        "dosePSsum",
        "extraProtocolParams",
        "GPUCore",
        "GPUIDs",
        "gpuList",
        "gpuMsg",
        "gpusToUse",
        "hostName",
        "magnification",
        "movieSuffix",
        "numberOfMpi",
        "numberOfThreads",
        "plotResRing",
        "recalculate",
        "runMode",
        "runName",
        "samplingRateMode",
        "savePSsum",
        "scannedPixelSize",
        "scratchDir",
        "sqliteFile",
        "streamingBatchSize",
        "streamingSleepOnWait",
        "streamingWarning",
        "useAlignToSum",
        "useCftfind4",
        "useCtffind4",
        "useEst",
        "useGpu",
        "useMotioncor2",
        "usePowerSpectra",
        "useQueueForSteps",
        "useRegexps",
        "writeMoviesInProject",
    }
)
"""What tells how Scipion runs a program, shows its output or keeps its files: nothing that a result depends on."""
_DURATION: Final = re.compile(r"\s*(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+(?:\.\d+)?)\s*s?)?\s*")


class Reading:
    """A protocol's parameters, taken one by one.

    A value is what the file has, or ``{"field": name}`` where a person is asked.

    Parameters
    ----------
    defaults
        Of the fields, by name.

    Attributes
    ----------
    parameters
        Those of emlab's protocol, as far as they were carried over.
    upstream
        Those that belong to emlab's import.
    notes
        What a person should know, a sentence each.
    """

    def __init__(self, entry: Entry, defaults: Mapping[str, Any]) -> None:
        self.parameters: dict[str, Any] = {}
        self.upstream: dict[str, Any] = {}
        self.notes: list[str] = []
        self._entry = entry
        self._defaults = defaults
        self._taken: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether the file says anything of a parameter."""
        return self._entry.values.get(name) is not None

    def get(self, name: str) -> Any:
        """A value, or ``None``; it counts as understood."""
        self._taken.add(name)
        return self._entry.values.get(name)

    def literal(self, name: str) -> float | None:
        """A number that the file has; ``None`` where there is none or a person is asked."""
        return _number(self.get(name))

    def typical(self, name: str) -> float | None:
        """The number that the file has, or the default of the field."""
        value = self.get(name)
        return _number(self._defaults.get(value["field"]) if isinstance(value, dict) and "field" in value else value)

    def carry(self, name: str, to: str, *, times: float = 1.0, none: Any = None, upstream: bool = False) -> None:
        """Carry a number, a text or a path over.

        Parameters
        ----------
        times
            Turns its unit into emlab's.
        none
            A value that stands for none.
        upstream
            Whether it belongs to the import.
        """
        value = self.get(name)
        into = self.upstream if upstream else self.parameters
        if isinstance(value, dict) and "field" in value:
            into[to] = value | ({"times": times} if times != 1 else {}) | ({"none": none} if none is not None else {})
            return
        number = _number(value)
        if value in (None, "") or (none is not None and (value == none or number == none)):
            return
        into[to] = number * times if number is not None and not isinstance(value, str) and times != 1 else value

    def carry_switch(self, *names: str, to: str) -> None:
        """Carry yes or no over, from the first of the names that the file has."""
        name = next((name for name in names if name in self._entry.values), names[0])
        value = self.get(name)
        if isinstance(value, dict):
            self.parameters[to] = value
        elif value is not None and (on := switch(value)) is not None:
            self.parameters[to] = on

    def carry_duration(self, name: str, to: str) -> None:
        """Carry a duration over: seconds, or days, hours, minutes and seconds as ``1h 30m``."""
        value = self.get(name)
        if isinstance(value, str) and value.strip():
            match = _DURATION.fullmatch(value)
            if match is None or not any(match.groups()):
                self.notes.append(
                    f"{name} is {value!r}, which is not a duration such as 7200 or 2h 30m; emlab uses its default."
                )
                return
            days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
            value = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        if isinstance(value, dict) or _number(value):
            self.parameters[to] = value

    @property
    def left(self) -> str:
        """The parameters that were not carried over and are in use, in words."""
        known = self._taken | _MEANINGLESS | set(self._entry.inputs)
        left = {name: value for name, value in self._entry.values.items() if name not in known}
        return ", ".join(
            f"{name} {_worded(value)}" for name, value in left.items() if value not in (None, "", False, 0)
        )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _worded(value: Any) -> str:
    return f"({value['field']} of the form)" if isinstance(value, dict) and "field" in value else str(value)
