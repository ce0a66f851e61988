"""What was done, as a paragraph for a paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from emlab.model import Micrograph, Movie
from emlab.monitors import Items, counted, in_force, number
from emlab.monitors.rule import SELECTION
from emlab.protocols import PROTOCOLS
from emlab.session import Session
from emlab.sets import Run, lineage
from emlab_widgets.html import Html, empty
from emlab_widgets.report.references import cited


def methods(session: Session, items: Items) -> Html:
    """Give a paragraph that says what was done with the numbers of this session, and the papers that it cites.

    Where a protocol was run more than once, the newest run counts.
    """
    records = items.records(len(items) - 1) if len(items) else {}
    image = records.get("movie") or records.get("micrograph")
    if not isinstance(image, Movie | Micrograph):
        return Html(empty("A paragraph for the methods section appears here when the first images have been imported."))
    told = {collection.run for collection in lineage(session.sets, session.runs).values()}
    runs = [run for run in session.runs if run.name in told]
    versions = ", ".join(sorted({run.version for run in runs}))
    sentences = [_collected(image, len(items)), f"They were processed with emlab {versions}."]
    for run in runs:
        tell = _TELLERS.get(run.protocol)
        parameters = _parameters(run)
        if run.protocol == SELECTION:
            parameters = {**parameters, **in_force(items, parameters)}
        sentence = tell(parameters, image) if tell else _named(run)
        if sentence:
            sentences.append(sentence)
    accepted, rejected = (int((items.decision == decision).sum()) for decision in (1, 2))
    if accepted + rejected:
        sentences.append(f"{accepted:,} of {counted(accepted + rejected, 'micrograph')} were kept.")
    text, works = cited(sentences)
    listed = "".join(f"<li>{work.html}</li>" for work in works)
    return Html(
        f'<p class="emlab-methods">{text}</p>' + (f'<ol class="emlab-references">{listed}</ol>' if listed else "")
    )


def _collected(image: Movie | Micrograph, count: int) -> str:
    noun = "movie" if isinstance(image, Movie) else "micrograph"
    microscope = (
        f"at {number(image.voltage)} kV with a spherical aberration of {number(image.spherical_aberration, 2)} mm and "
        f"a pixel size of {number(image.pixel_size, 3)} Å"
    )
    return f"{counted(count, noun)} {'was' if count == 1 else 'were'} collected {microscope}{_dose(image)}."


def _dose(image: Movie | Micrograph) -> str:
    if not isinstance(image, Movie):
        return ""
    if image.dose_per_frame is None:
        return f", in {counted(image.frames, 'frame')}"
    return (
        f", with a total dose of {number(image.dose_per_frame * image.frames, 1)} e/Å² in "
        f"{counted(image.frames, 'frame')}"
    )


def _import_movies(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    if not isinstance(image, Movie):
        return ""
    done = []
    if image.eer_grouping:
        done.append(f"Electron events[@guo] were summed into fractions of {counted(image.eer_grouping, 'raw frame')}")
    if image.gain_reference:
        # As `emlab.formats.gain` reads it.
        divides = image.eer_grouping and Path(image.gain_reference).suffix.lower() in {".mrc", ".mrcs", ".map"}
        done.append(f"frames were {'divided' if divides else 'multiplied'} by the gain reference")
    if image.defects:
        done.append("known defective pixels were replaced")
    return _sentence("; ".join(done))


def _align_movie(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    sentence = "Frames were aligned as a whole"
    if parameters["local_motion"]:
        sentence += " and, where they showed local motion, locally with a smooth model"
    sentence += "[@zheng,zivanov,tegunov]"
    if parameters["dose_weighting"] and isinstance(image, Movie) and image.dose_per_frame:
        sentence += ", dose-weighted[@grant]"
    sentence += ", and summed"
    if (binning := parameters["binning"]) > 1:
        sentence += f" with {binning:g}-fold binning to {number(image.pixel_size * binning, 3)} Å per pixel"
    return f"{sentence}."


def _estimate_ctf(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    found = (
        "Defocus, astigmatism and phase shift" if parameters.get("estimate_phase_shift") else "Defocus and astigmatism"
    )
    low, high = (number(parameters[name] / 1e4, 1) for name in ("min_defocus", "max_defocus"))
    return (
        f"{found} were fitted to the Thon rings[@rohou] from {parameters['min_resolution']:g} to at best "
        f"{parameters['max_resolution']:g} Å, searching underfocus from {low} to {high} µm, with an amplitude "
        f"contrast of {image.amplitude_contrast:g}."
    )


def _select_micrographs(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    fields = PROTOCOLS["select_micrographs"].parameters.model_fields
    limits = []
    for name, value in parameters.items():
        if value is not None and name in fields and isinstance(value, int | float):
            extra = fields[name].json_schema_extra
            unit = extra.get("unit") if isinstance(extra, dict) else None
            limits.append(f"{_uncapitalised(fields[name].title or name)} {value:,g}{f' {unit}' if unit else ''}")
    return f"Micrographs were selected with these limits: {'; '.join(limits)}." if limits else ""


def _pick_particles(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    off = ", avoiding carbon and contamination," if parameters["avoid_obstacles"] else ""
    return (
        f"Particles about {parameters['diameter']:g} Å in diameter were picked{off} by correlation with balls, "
        f"normalised by the local variance[@roseman], with a threshold of {parameters['threshold']:g} standard "
        "deviations."
    )


def _extract_particles(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    box = f" in boxes of {parameters['box_size']:g} Å" if parameters["box_size"] else ""
    size = parameters["particle_pixel_size"]
    pixels = f" at {size:g} Å per pixel" if size else ""
    flipped = ", with phases flipped" if parameters["flip_phases"] else ""
    return f"They were extracted{box}{pixels} and normalised to their background{flipped}."


def _classify_particles(parameters: Mapping[str, Any], image: Movie | Micrograph) -> str:
    return (
        f"In batches of {parameters['batch_size']:,}, as they came, they were classified into at most "
        f"{parameters['classes']} two-dimensional classes by maximum likelihood in Fourier space[@scheres]; the "
        "averages of each batch were added to decaying averages of earlier batches[@kimanius]."
    )


def _parameters(run: Run) -> dict[str, Any]:
    """The run's parameters, and the defaults of those that there were not when it was created."""
    fields = PROTOCOLS[run.protocol].parameters.model_fields
    return {**{name: field.default for name, field in fields.items()}, **run.parameters}


def _named(run: Run) -> str:
    protocol = PROTOCOLS.get(run.protocol)
    return f"{protocol.title if protocol else run.protocol} was performed with emlab's protocol {run.protocol}."


def _uncapitalised(label: str) -> str:
    return label if label[:2].isupper() else f"{label[0].lower()}{label[1:]}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


_TELLERS: Final[dict[str, Callable[[Mapping[str, Any], Movie | Micrograph], str]]] = {
    "import_movies": _import_movies,
    "import_micrographs": lambda parameters, image: "",
    "align_movie": _align_movie,
    "estimate_ctf": _estimate_ctf,
    "select_micrographs": _select_micrographs,
    "pick_particles": _pick_particles,
    "extract_particles": _extract_particles,
    "classify_particles": _classify_particles,
}
"""What is said of each protocol."""
