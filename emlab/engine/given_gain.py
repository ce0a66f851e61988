"""The gain of a movie that is processed by itself, for RELION, which neither turns nor flips what it reads."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from emlab.formats.gain import write_upright
from emlab.model import Movie


def with_upright_gain(movie: Movie, folder: Path) -> Movie:
    """The movie, its gain reference turned and flipped once for all: it is that file which its metadata then name.

    Parameters
    ----------
    folder
        Where the file is written, unless it is there. None is where the gain can be read as it lies; RELION tells by
        its ending whether an EER is multiplied with it.

    Raises
    ------
    OSError, DataError, FormatError
        If the gain cannot be read, or does not fit the frames.
    """
    if movie.gain_reference is None:
        return movie
    source, shape = Path(movie.gain_reference), (movie.height, movie.width)
    rotation, flip, eer = movie.gain_rotation, movie.gain_flip, movie.eer_grouping is not None
    if not rotation and not flip and (not eer or source.suffix in {".gain", ".mrc"}):
        return movie
    facts = source.stat()
    told = (str(source), facts.st_size, facts.st_mtime_ns, shape, rotation, flip, eer)
    path = folder.absolute() / f"{source.stem}_{sha256(repr(told).encode()).hexdigest()[:8]}.mrc"
    if not path.is_file():
        write_upright(source, path, shape, rotation, flip, eer=eer)
    return replace(movie, gain_reference=str(path), gain_rotation=0, gain_flip=0)
