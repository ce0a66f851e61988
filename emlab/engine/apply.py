"""One protocol used by itself on files, as programs are used in a shell."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from emlab.engine.perform import to_trouble
from emlab.engine.workbench import FolderWorkbench, Pantry
from emlab.errors import ParameterError
from emlab.model import Arrival, Parameters, Protocol, Record, validated
from emlab.model.watched import WatchedFolder
from emlab.protocols import PROTOCOLS


@dataclass(frozen=True)
class Application:
    """A protocol together with the one that makes its input of a file.

    Attributes
    ----------
    source
        Reads the file; the protocol itself where that is a source.
    protocol
        Does the work.
    """

    source: Protocol
    protocol: Protocol

    @property
    def models(self) -> tuple[type[Parameters], ...]:
        """Models of the parameters, without repetition."""
        return tuple(dict.fromkeys([self.protocol.parameters, self.source.parameters]))

    @property
    def options(self) -> dict[str, type[Parameters]]:
        """Name of every parameter that can be given → the model that describes it."""
        watching = set(WatchedFolder.model_fields)
        return {name: model for model in reversed(self.models) for name in model.model_fields if name not in watching}

    def run(self, files: Iterable[Path], out: Path, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Process files one after the other, and give a record of each as a dictionary.

        Parameters
        ----------
        files
            Movies or micrographs.
        out
            Folder for the outputs.
        values
            Parameters by name, of either protocol.

        Yields
        ------
        dict
            The record's fields, ``input`` (the file) and ``seconds``; or ``input``, ``error`` and ``message``.
            Paths of outputs begin with ``out``.

        Raises
        ------
        ParameterError
            Before anything is done, if a value cannot be used.
        """
        reading = self._parameters(self.source, {**values, "folder": str(out)})
        doing = self._parameters(self.protocol, values) if self.protocol is not self.source else reading
        out.mkdir(parents=True, exist_ok=True)
        pantry = Pantry()
        for file in files:
            started = time.monotonic()
            workbench = FolderWorkbench(out, "", file.stem.replace(".", "_"), pantry=pantry)
            try:
                # The matrices are small: threads for them would only wait for each other, and burn ten times the CPU.
                with threadpool_limits(1, "blas"):
                    record = self.source.function(_arrival(file), reading, workbench)
                    if self.protocol is not self.source:
                        record = self.protocol.function(record, doing, workbench)
                found = _described(record, out)
            except Exception as error:  # noqa: BLE001 (a file that fails must not end the others)
                trouble = to_trouble(error)
                found = {"error": trouble.error, "message": trouble.message}
            yield {"input": str(file), **found, "seconds": round(time.monotonic() - started, 3)}

    def _parameters(self, protocol: Protocol, values: Mapping[str, Any]) -> Parameters:
        known = protocol.parameters.model_fields
        return validated(
            protocol.parameters, {name: value for name, value in values.items() if name in known}, protocol.name
        )


def application(name: str) -> Application:
    """Give the protocol of that name with the source that feeds it.

    Raises
    ------
    ParameterError
        If there is none, or if it cannot be used on single files.
    """
    usable = applications()
    if name not in PROTOCOLS:
        raise ParameterError(f"There is no protocol {name!r}; those that work on files are: {', '.join(usable)}.")
    if name not in usable:
        needed = ", ".join(kind.plural for kind in PROTOCOLS[name].consumes)
        raise ParameterError(f"{name} works on sets ({needed}) of a session, not on files.")
    return usable[name]


def applications() -> dict[str, Application]:
    """Every protocol that can be used on files, by name."""
    sources = {protocol.produces[0]: protocol for protocol in PROTOCOLS.values() if protocol.is_source}
    usable = {}
    for name, protocol in PROTOCOLS.items():
        if protocol.is_source:
            usable[name] = Application(protocol, protocol)
        elif len(protocol.consumes) == 1 and protocol.consumes[0] in sources:
            usable[name] = Application(sources[protocol.consumes[0]], protocol)
    return usable


def _arrival(file: Path) -> Arrival:
    facts = file.stat()
    return Arrival(
        key=file.stem.replace(".", "_"),
        path=str(file.absolute()),
        size=facts.st_size,
        modified=facts.st_mtime,
        evidence="given",
    )


def _described(record: Record, out: Path) -> dict[str, Any]:
    written = {
        field.name: str(out / value)
        for field in fields(record)
        if isinstance(value := getattr(record, field.name), str) and (out / value).is_file()
    }
    return {**asdict(record), **written}
