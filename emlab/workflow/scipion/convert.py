"""A Scipion workflow made into one of emlab's, with a list of what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from emlab.errors import WorkflowError
from emlab.model import Accepted, Arrival, Ctf, Micrograph, Picks, Protocol, Record
from emlab.protocols import PROTOCOLS
from emlab.protocols.select_micrographs import SelectMicrographs
from emlab.workflow.field import Asked, references
from emlab.workflow.limits import limits_of
from emlab.workflow.scipion.entry import Entry, read_entries
from emlab.workflow.scipion.particles import PARTICLES
from emlab.workflow.scipion.reading import Reading
from emlab.workflow.scipion.translation import Translation
from emlab.workflow.scipion.translations import LEFT_OUT, TRANSLATIONS
from emlab.workflow.text import Opened
from emlab.workflow.workflow import Step, Workflow

_ASKED: Final = (
    "folder", "pattern", "pixel_size", "voltage", "spherical_aberration", "amplitude_contrast", "dose_per_frame",
    "gain_reference", "gain_rotation", "gain_flip", "idle_timeout",
)  # fmt: skip
"""What is asked of an import where the file itself asks nothing."""
_ASKED_OF_PICKING: Final = "diameter"
"""Pixels became Å on the way, with the pixel size that the file has."""


def is_scipion(found: Any) -> bool:
    """Whether what was read of a JSON is Scipion's: a list of objects."""
    return isinstance(found, list)


def converted(found: list[Any], opened: Opened, name: str, origin: str) -> Workflow:
    """Make emlab's workflow of Scipion's.

    Parameters
    ----------
    found
        The list, with references in place of fields.
    opened
        The text that it was read of.
    name
        What the workflow is to be called.
    origin
        Where it came from, for messages.

    Raises
    ------
    WorkflowError
        If it is not a workflow of Scipion's, or nothing of it can be done by emlab.
    """
    entries = read_entries(found, origin)
    conversion = _Conversion(entries, {name: field.asked.default for name, field in opened.fields.items()})
    steps = conversion.steps()
    if not steps:
        raise WorkflowError(
            f"{origin}: emlab can do none of its steps: {', '.join(map(str, entries)) or 'it is empty'}."
        )
    steps, fields = _opened_for_questions(steps, {name: field.asked for name, field in opened.fields.items()})
    used = {reference.field for step in steps for value in step.parameters.values() for reference in references(value)}
    unused = [
        f"{fields[name].label} ({name}) is not asked for, because it only fills steps that are left out."
        for name in fields
        if name not in used
    ]
    return Workflow(
        name=name,
        title=f"{name}, from Scipion",
        description=opened.description or f"The steps that emlab can do, of {len(entries)} Scipion protocols.",
        fields=fields,
        protocols=tuple(steps),
        notes=(*opened.notes, *conversion.notes, *unused),
    )


class _Conversion:
    """Goes through the entries once, each after those that it points at."""

    def __init__(self, entries: list[Entry], defaults: Mapping[str, Any]) -> None:
        self.notes: list[str] = []
        self._entries = {entry.id: entry for entry in entries}
        self._defaults = defaults
        self._made: dict[str, Step] = {}
        self._names: Counter[str] = Counter()

    def steps(self) -> list[Step]:
        # What deals with particles needs the CTF, which Scipion's picking does not point at.
        for entry in sorted(self._entries.values(), key=lambda entry: entry.kind in PARTICLES):
            translation = TRANSLATIONS.get(entry.kind)
            if translation is None:
                reason = LEFT_OUT.get(entry.kind, "emlab has no such step")
                self.notes.append(f"{entry} is left out: {reason}.")
            else:
                self._translate(entry, translation)
        return list({step.name: step for step in self._made.values()}.values())

    def _translate(self, entry: Entry, translation: Translation) -> None:
        protocol = PROTOCOLS[translation.protocol]
        inputs = []
        for kind in protocol.consumes:
            maker = None if kind is Arrival else self._maker(entry, kind.kind) or self._beside(entry, kind)
            if maker:
                inputs.append(f"{maker.name}.{kind.plural}")
            elif kind is not Arrival:
                self.notes.append(f"{entry} is left out: nothing in the file produces its {kind.plural}.")
                return
        same = [step for step in self._made.values() if (step.protocol, step.inputs) == (protocol.name, tuple(inputs))]
        if same and not protocol.is_source:
            self._made[entry.id] = same[0]
            self.notes.append(f"{entry} is left out: emlab does this once, in the step {same[0].name}.")
            return
        reading = Reading(entry, self._defaults)
        source = self._source(entry)
        translation.read(reading, self._pixel_size(entry, source))
        self._names[translation.step] += 1
        number = self._names[translation.step]
        name = translation.step if number == 1 else f"{translation.step}_{number}"
        parameters = {to: self._within(entry, protocol, to, value, reading) for to, value in reading.parameters.items()}
        self._made[entry.id] = Step(name=name, protocol=protocol.name, inputs=tuple(inputs), parameters=parameters)
        if source and reading.upstream:
            self._add(source, reading.upstream)
        self._tell(entry, protocol, reading)

    def _maker(self, entry: Entry, kind: str) -> Step | None:
        """The step that makes records of a kind for an entry: the nearest that its pointers lead back to."""
        ahead, seen = [entry.id], set()
        while ahead:
            identity = ahead.pop(0)
            for pointed in (name for ids in self._entries[identity].inputs.values() for name in ids):
                step = self._made.get(pointed)
                if step and kind in {record.kind for record in PROTOCOLS[step.protocol].produces}:
                    return step
                if pointed not in seen and pointed in self._entries:
                    seen.add(pointed)
                    ahead.append(pointed)
        return None

    def _source(self, entry: Entry) -> Step | None:
        return next(
            (
                step
                for kind in ("movie", "micrograph")
                if (step := self._maker(entry, kind)) and PROTOCOLS[step.protocol].is_source
            ),
            None,
        )

    def _beside(self, entry: Entry, kind: type[Record]) -> Step | None:
        """The step that makes records of a kind of the micrographs that an entry takes; a selection is added."""
        micrographs = self._maker(entry, Micrograph.kind)
        if micrographs is None or kind not in (Ctf, Accepted):
            return None
        taken = f"{micrographs.name}.{Micrograph.plural}"
        for step in self._made.values():
            if taken in step.inputs and kind in PROTOCOLS[step.protocol].produces:
                return step
        ctf = self._beside(entry, Ctf) if kind is Accepted else None
        if ctf is None:
            return None
        self.notes.append(
            f"{entry}: emlab picks on the micrographs that its selection keeps. It keeps all of them here, as the "
            "file does; you can set limits in the live view."
        )
        selection = Step(
            name="select",
            protocol="select_micrographs",
            inputs=(taken, f"{ctf.name}.{Ctf.plural}"),
            parameters=dict.fromkeys(SelectMicrographs.model_fields),
        )
        self._made[f"selection of {micrographs.name}"] = selection
        return selection

    def _pixel_size(self, entry: Entry, source: Step | None) -> Any:
        """Of the images that an entry takes, Å; a field or nothing where the file does not tell."""
        pixel_size = source.parameters.get("pixel_size") if source else None
        micrographs = self._maker(entry, Micrograph.kind)
        binning = micrographs.parameters.get("binning", 1) if micrographs else 1
        if not isinstance(pixel_size, int | float) or binning == 1:
            return pixel_size
        return pixel_size * binning if isinstance(binning, int | float) else None

    def _add(self, source: Step, parameters: dict[str, Any]) -> None:
        added = source.model_copy(update={"parameters": source.parameters | parameters})
        self._made = {identity: added if step.name == source.name else step for identity, step in self._made.items()}

    def _within(self, entry: Entry, protocol: Protocol, name: str, value: Any, reading: Reading) -> Any:
        """A number moved to the nearest that emlab takes."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        nearest = limits_of(protocol.parameters.model_fields[name].metadata).nearest(value)
        if nearest != value:
            reading.notes.append(f"{name} of {value:g} is outside emlab's range; emlab uses {nearest:g}")
        return nearest

    def _tell(self, entry: Entry, protocol: Protocol, reading: Reading) -> None:
        remarks = list(reading.notes)
        if reading.left:
            remarks.append(f"without {reading.left}")
        if entry.values.get("_prerequisites"):
            remarks.append("it does not wait for other steps: each starts as soon as its input is there")
        dangling = sorted({name for ids in entry.inputs.values() for name in ids} - self._entries.keys())
        if dangling:
            remarks.append(f"it points at protocol {', '.join(dangling)}, which is not in the file")
        if remarks:
            self.notes.append(f"{entry} becomes {protocol.name}: {'; '.join(remarks)}.")


def _opened_for_questions(steps: list[Step], fields: Mapping[str, Asked]) -> tuple[list[Step], dict[str, Asked]]:
    """Ask for what the imports were told, with that as the default; folded away where the file asks for something."""
    asked = dict(fields)
    asking = []
    for step in steps:
        protocol = PROTOCOLS[step.protocol]
        parameters = dict(step.parameters)
        names = _ASKED if protocol.is_source else (_ASKED_OF_PICKING,) if Picks in protocol.produces else ()
        for name in names:
            if name in protocol.parameters.model_fields and not references(parameters.get(name)):
                field = protocol.produces[0].plural if name == "folder" else name
                field = field if field not in asked else f"{step.name}_{field}"
                asked[field] = Asked(default=parameters.get(name), advanced=bool(fields) and protocol.is_source)
                parameters[name] = {"field": field}
        asking.append(step.model_copy(update={"parameters": parameters}))
    return asking, asked
