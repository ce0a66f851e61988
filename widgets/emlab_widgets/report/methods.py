"""What was done, as a paragraph for a paper."""

from __future__ import annotations

from html import escape

from emlab.model import Micrograph, Movie
from emlab.monitors import Items, Overview, counted, number
from emlab.session import Session
from emlab_widgets.html import Html, empty

_DONE = {
    "align_movie": "aligned (align_movie)",
    "estimate_ctf": "their contrast transfer functions estimated (estimate_ctf)",
}


def methods(session: Session, items: Items, overview: Overview) -> Html:
    """Give a paragraph that says what was done, with the numbers of this session."""
    records = items.records(len(items) - 1) if len(items) else {}
    image = records.get("movie") or records.get("micrograph")
    if not isinstance(image, Movie | Micrograph):
        return Html(empty("A paragraph for the methods section appears here when there is something to tell."))
    noun = "movie" if isinstance(image, Movie) else "micrograph"
    sentences = [
        f"{counted(len(items), noun)} with a pixel size of {number(image.pixel_size, 3)} Å "
        f"{'was' if len(items) == 1 else 'were'} collected at {number(image.voltage)} kV"
        + (_dose(image) if isinstance(image, Movie) else "")
        + "."
    ]
    done = [_DONE[run.protocol] for run in session.runs if run.protocol in _DONE]
    if done:
        sentences.append(f"They were processed with emlab {session.runs[0].version}: {', '.join(done)}.")
    accepted = overview.counts.get("accepted", 0)
    if accepted:
        sentences.append(f"{counted(accepted, 'micrograph')} met the limits of selection and went on.")
    return Html(f"<p class=emlab-methods>{escape(' '.join(sentences))}</p>")


def _dose(movie: Movie) -> str:
    if movie.dose_per_frame is None:
        return f", in {counted(movie.frames, 'frame')}"
    return f", with {number(movie.dose_per_frame * movie.frames, 1)} e/Å² in {counted(movie.frames, 'frame')}"
