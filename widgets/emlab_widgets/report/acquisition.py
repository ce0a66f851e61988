"""How the microscope was set."""

from __future__ import annotations

from emlab.model import Micrograph, Movie
from emlab.monitors import Items, counted, duration, number, per_hour
from emlab.session import Session
from emlab_widgets.html import Cell, Html, empty, facts


def acquisition(session: Session, items: Items) -> Html:
    """Give the constants of the microscope and of the movies, taken from the newest one."""
    if not len(items):
        return Html(empty("The microscope's settings appear here when the first movie has been imported."))
    records = items.records(len(items) - 1)
    image = records.get("movie") or records.get("micrograph")
    if not isinstance(image, Movie | Micrograph):
        return Html(empty("No movie and no micrograph has been imported."))
    source = session.runs[0].parameters
    pairs: list[tuple[str, Cell]] = [
        ("Voltage", f"{number(image.voltage)} kV"),
        ("Spherical aberration", f"{number(image.spherical_aberration, 2)} mm"),
        ("Amplitude contrast", number(image.amplitude_contrast, 2)),
        ("Pixel size", f"{number(image.pixel_size, 4)} Å"),
        ("Size", f"{image.width:,} × {image.height:,} px"),
        *(_exposure(image) if isinstance(image, Movie) else ()),
        *_pace(items),
        ("Folder", str(source.get("folder", ""))),
        ("Pattern", str(source.get("pattern", ""))),
    ]
    return Html(facts((name, value) for name, value in pairs if value))


def _exposure(movie: Movie) -> list[tuple[str, Cell]]:
    dose = movie.dose_per_frame
    pairs: list[tuple[str, Cell]] = [
        ("Frames", number(movie.frames)),
        ("Dose per frame", f"{number(dose, 2)} e/Å²" if dose is not None else "not known"),
        ("Gain reference", movie.gain_reference or "none"),
    ]
    if dose is not None:
        pairs.insert(2, ("Total dose", f"{number(dose * movie.frames, 1)} e/Å²"))
    return pairs


def _pace(items: Items) -> list[tuple[str, Cell]]:
    span = items.acquired_span
    if span is None:
        return [("Acquisition times", "not known: no EPU or SerialEM metadata beside the movies")]
    rate = per_hour(items["acquired_at"], window=span[1] - span[0])
    return [("Acquired", f"{counted(len(items), 'movie')} in {duration(span[1] - span[0])}, {number(rate)} per hour")]
