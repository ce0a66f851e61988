"""What a file is, by its content."""

from __future__ import annotations

import string
from itertools import islice
from typing import Final, Literal

from emlab.errors import FormatError, TruncatedFile
from emlab.formats import ifd
from emlab.formats.mrc_header import read_mrc_header
from emlab.formats.source import Source

Kind = Literal["mrc", "tiff", "eer"]

EER_COMPRESSIONS: Final = {65000: "8+4 bits", 65001: "7+4 bits", 65002: "variable bits"}
"""What TIFF's numbers for EER compressions mean."""

_FOREIGN: Final = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89HDF": "an HDF5 file",
    b"\0\0\0\x03\0\0": "a DigitalMicrograph file (DM3; IMOD's dm2mrc converts it)",
    b"\0\0\0\x04\0\0": "a DigitalMicrograph file (DM4; IMOD's dm2mrc converts it)",
    b"\x1f\x8b": "compressed with gzip (unpack it first)",
    b"BZh": "compressed with bzip2 (unpack it first)",
    b"(\xb5/\xfd": "compressed with zstd (unpack it first)",
    b"PK\x03\x04": "a zip archive",
    b"%PDF": "a PDF document",
    b"<?xml": "an XML text",
    b"\xef\xbb\xbf<": "an XML text",
    b"SQLite": "an SQLite database",
}
_PRINTABLE: Final = frozenset(string.printable.encode())


def kind_of(source: Source) -> Kind:
    """Which of the formats that emlab reads this is.

    Raises
    ------
    FormatError
        If it is none of them.
    TruncatedFile
        If there is too little of it to tell.
    """
    start = source.start(16)
    if start[:4] in ifd.MAGIC:
        # A camera may store the sum of an EER's frames in front of them.
        first = islice(ifd.read_pages(source), 2)
        return "eer" if any(page.compression in EER_COMPRESSIONS for page in first) else "tiff"
    foreign = next((name for magic, name in _FOREIGN.items() if start.startswith(magic)), None)
    if foreign is None and len(start) == 16 and set(start) <= _PRINTABLE:
        foreign = "a text"
    if foreign:
        raise FormatError(f"{source.path} is {foreign}; emlab reads MRC, TIFF and EER: choose other files.")
    if not start:
        raise TruncatedFile(f"{source.path} is empty; if it is still being written, wait; otherwise copy it again.")
    read_mrc_header(source)
    return "mrc"
