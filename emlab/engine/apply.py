"""One protocol used by itself on files, as programs are used in a shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from emlab.arrays.threads import sharing
from emlab.engine.devices import cpu_cores
from emlab.engine.fallback import failure_of, places
from emlab.engine.given_files import check_room, key_of
from emlab.engine.given_gain import with_upright_gain
from emlab.engine.given_particles import GivenParticles, read_particles
from emlab.engine.perform import let_go, to_trouble
from emlab.engine.workbench import FolderWorkbench, Pantry
from emlab.errors import FormatError, ParameterError
from emlab.formats.array import read_array
from emlab.model import Accepted, Arrival, Classes, Movie, Parameters, Particles, Protocol, Record, validated
from emlab.model.watched import WatchedFolder
from emlab.protocols import PROTOCOLS

GAINS = "Gains"
"""Folder among the outputs for gain references that had to be turned or flipped."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Application:
    """A protocol together with those that make its input of a file.

    Attributes
    ----------
    steps
        What is done with a file, in this order: a source reads it, and the last is the protocol itself.
    """

    steps: tuple[Protocol, ...]

    @property
    def protocol(self) -> Protocol:
        """The one that was asked for."""
        return self.steps[-1]

    @property
    def takes_particles(self) -> bool:
        """Whether it can begin with particles that a STAR file names, too."""
        return self.protocol.consumes == (Particles,)

    @property
    def models(self) -> tuple[type[Parameters], ...]:
        """Models of the parameters, the protocol's own first."""
        return tuple(step.parameters for step in reversed(self.steps))

    @property
    def options(self) -> dict[str, type[Parameters]]:
        """Name of every parameter that can be given → the model that describes it; the protocol's own come first."""
        found: dict[str, type[Parameters]] = {}
        for model in self.models:
            for name in model.model_fields:
                if name not in WatchedFolder.model_fields:
                    found.setdefault(name, model)
        return found

    def run(
        self,
        files: Iterable[Path],
        out: Path,
        values: Mapping[str, Any],
        device: str = "cpu",
        threads: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Process files one after the other, and give a record of each as a dictionary.

        Parameters
        ----------
        files
            Movies or micrographs; for what consumes particles, RELION's STAR files of them, too.
        out
            Folder for the outputs.
        values
            Parameters by name, of any of the steps.
        device
            ``cpu`` or ``gpu:0``; what a card cannot do the CPU does.
        threads
            That share the work on a file where the CPU does it; one for each core if ``None``.

        Yields
        ------
        dict
            The record's fields, ``input`` (the file) and ``seconds``; or ``input``, ``error`` and ``message``.
            Paths of outputs begin with ``out``. Of a protocol that takes many items together, these are of the step
            before, and the last one is of all: its ``input`` is the list of files. Of a STAR file the record has
            ``count`` and ``stacks``, and the last one has ``stars``: the same files with what was found.

        Raises
        ------
        ParameterError
            Before anything is done, if a value cannot be used, or an output might replace one of the files or that of
            another file.
        """
        files = list(files)
        check_room(files, out)
        named = [file for file in files if self.takes_particles and file.suffix == ".star"]
        needed = self.steps if len(named) < len(files) else self.steps[-1:]
        told = {step.name: self._parameters(step, {**values, "folder": str(out)}) for step in needed}
        out.mkdir(parents=True, exist_ok=True)
        pantry = Pantry()
        singly = [step for step in self.steps if not step.is_fold]
        gathered: dict[Path, tuple[Record, ...]] = {}
        given: dict[Path, GivenParticles] = {}
        shared = threads or cpu_cores()
        for file in files:
            if file in named:
                name = key_of(file) + (f"_{len(given) + 1}" if given else "")
                at = partial(FolderWorkbench, out, "", pantry=pantry)
                particles, found = _tried(partial(read_particles, file, name, at), _counted)
                if particles is not None:
                    given[file], gathered[file] = particles, particles.records
            else:
                at = partial(FolderWorkbench, out, "", key_of(file), pantry=pantry)
                lead = partial(_led, singly, partial(self._arrival, file), told, at, device, shared, out / GAINS)
                record, found = _tried(lead, partial(_described, out))
                if record is not None:
                    gathered[file] = (record,)
            yield {"input": str(file), **found}
        if self.protocol.is_fold and gathered:
            at = partial(FolderWorkbench, out, "", self.protocol.produces[0].plural, pantry=pantry)
            members = tuple(chain.from_iterable(gathered.values()))
            done = partial(
                _done,
                self.protocol,
                (members, None, told[self.protocol.name]),
                at,
                device if self.protocol.accelerated else "cpu",
                shared,
            )
            classes, found = _tried(done, partial(_described, out))
            if isinstance(classes, Classes) and given:
                found["stars"] = list(_named(given, gathered, classes, out))
            yield {"input": [str(file) for file in gathered], **found}

    def _arrival(self, file: Path) -> Arrival:
        if self.takes_particles and file.suffix == ".mrcs":
            raise FormatError(
                f"{file} is a stack of particles, which does not contain their CTF: give the STAR file that names it "
                "(particles.star from RELION or `emlab export`), or the micrographs that the particles came from."
            )
        facts = file.stat()
        return Arrival(
            key=key_of(file),
            path=str(file.absolute()),
            size=facts.st_size,
            modified=facts.st_mtime,
            evidence="given",
        )

    def _parameters(self, protocol: Protocol, values: Mapping[str, Any]) -> Parameters:
        known = protocol.parameters.model_fields
        return validated(
            protocol.parameters, {name: value for name, value in values.items() if name in known}, protocol.name
        )


def _tried(work: Callable[[], Made], described: Callable[[Any], dict[str, Any]]) -> tuple[Made | None, dict[str, Any]]:
    """Do what is to be done, and give what was made, if anything was, and what is said of it."""
    started = time.monotonic()
    made = None
    try:
        # The matrices are small: threads for them would only wait for each other, and burn ten times the CPU.
        with threadpool_limits(1, "blas"):
            made = work()
        found = described(made)
    except Exception as error:  # noqa: BLE001 (a file that fails must not end the others)
        trouble = to_trouble(error)
        found = {"error": trouble.error, "message": trouble.message}
    return made, {**found, "seconds": round(time.monotonic() - started, 3)}


def _led(
    steps: Sequence[Protocol],
    begin: Callable[[], Record],
    told: Mapping[str, Parameters],
    at: partial[FolderWorkbench],
    device: str,
    threads: int,
    gains: Path,
) -> Record:
    """Lead a record through steps, each of which gets what it consumes of those before."""
    record = begin()
    made: dict[type[Record], Record] = {type(record): record}
    for step in steps:
        if isinstance(record, Movie):
            made[Movie] = with_upright_gain(record, gains)
        inputs = [made.get(kind) or _accepted(record) for kind in step.consumes]
        record = _done(step, (*inputs, told[step.name]), at, device if step.accelerated else "cpu", threads)
        made[type(record)] = record
    return record


def _done(step: Protocol, given: tuple[Any, ...], at: partial[FolderWorkbench], device: str, threads: int) -> Record:
    *better, last = places(device)
    for place in better:
        try:
            return step.function(*given, at(place=place))
        except (MemoryError, RuntimeError, ImportError) as error:
            if failure_of(error) is None:
                raise
        let_go(at.keywords["pantry"])
    with sharing(threads):
        return step.function(*given, at(place=last))


def application(name: str) -> Application:
    """Give the protocol of that name with the source that feeds it.

    Raises
    ------
    ParameterError
        If there is none, or if it cannot be used on single files.
    """
    usable = applications()
    if name not in PROTOCOLS:
        raise ParameterError(f"There is no protocol {name!r}; these work on files: {', '.join(usable)}.")
    if name not in usable:
        needed = ", ".join(kind.plural for kind in PROTOCOLS[name].consumes)
        raise ParameterError(f"{name} works on a session's sets ({needed}), not on files.")
    return usable[name]


def applications() -> dict[str, Application]:
    """Every protocol that can be used on files, by name."""
    return {name: Application(steps) for name, protocol in PROTOCOLS.items() if (steps := _steps(protocol))}


def _steps(protocol: Protocol) -> tuple[Protocol, ...]:
    """The steps from a file to what the protocol makes; none where no source leads to it.

    What a protocol needs is made by the first that makes nothing else. A decision is none of these: who names a file
    has taken it.
    """
    steps: list[Protocol] = []
    for kind in protocol.consumes:
        if kind in {Arrival, Accepted}:
            continue
        makers = [maker for maker in PROTOCOLS.values() if maker.produces == (kind,) and maker is not protocol]
        found = min(filter(None, map(_steps, makers)), key=len, default=())
        if not found:
            return ()
        steps += [step for step in found if step not in steps]
    return (*steps, protocol) if protocol.is_source or steps else ()


def _accepted(record: Record) -> Accepted:
    return Accepted(key=record.key, acquired_at=record.acquired_at, micrograph="", reason="Given.")


def _described(out: Path, record: Record) -> dict[str, Any]:
    written = {
        field.name: str(out / value)
        for field in fields(record)
        if isinstance(value := getattr(record, field.name), str) and (out / value).is_file()
    }
    return {**asdict(record), **written}


def _counted(particles: GivenParticles) -> dict[str, Any]:
    return {
        "count": sum(record.count for record in particles.records),
        "stacks": len({record.stack for record in particles.records}),
    }


def _named(
    given: Mapping[Path, GivenParticles], gathered: Mapping[Path, tuple[Record, ...]], classes: Classes, out: Path
) -> Iterator[str]:
    """Write the given STAR files anew, with the classes; each by the name of its own."""
    assignments, first = read_array(out / classes.assignments), 0
    for file, records in gathered.items():
        if file in given:
            target = out / f"{given[file].name}_{classes.plural}.star"
            given[file].write_classes(target, assignments, first)
            yield str(target)
        first += len(records)
