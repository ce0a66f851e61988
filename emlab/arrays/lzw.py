"""LZW as TIFF has it: what most movies are compressed with, and most of the time that reading them takes.

The codes are of 9 to 12 bits, the highest bit first, and become wider one code early (TIFF 6.0, section 13).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emlab.arrays.kernel import kernel

Array = NDArray[Any]

_CLEAR: Final = 256
_END: Final = 257
_CODES: Final = 4096
_WORD: Final = 8
"""Bytes that are copied at once; most strings of counts are shorter."""


def decode_lzw(coded: Array, size: int) -> Array:
    """The first ``size`` bytes that the codes stand for, or fewer where they end before: uint8 (byte,).

    Parameters
    ----------
    coded
        Uint8 (byte,). Where they are no codes that this function can follow, there are no bytes.

    Notes
    -----
    A code's string is always somewhere in what is written already: it is that of the code before and one byte more,
    just where that one was written. So a string is a place and a length, and no string is ever put together.
    """
    # The standard has the first code be a clear, in its highest bits; what begins otherwise is damaged or older.
    if coded.size < 2 or coded[0] != _CLEAR >> 1 or coded[1] & 0x80:
        return coded[:0]
    written = np.empty(_CLEAR + size + _WORD, np.uint8)
    written[:_CLEAR] = np.arange(_CLEAR)
    stop = int(_decode(coded, written))
    return written[_CLEAR : min(max(stop, _CLEAR), _CLEAR + size)]


@kernel
def _decode(coded: Array, written: Array) -> np.int64:
    """Where the codes end in ``written``, which begins with all bytes as strings of one; 0 for codes that are none.

    With signed indices, which may count from the end, it would take half as long again.
    """
    one, word, last = np.uint64(1), np.uint64(_WORD), np.uint64(_CODES - 1)
    size, full = np.uint64(coded.size), np.uint64(written.size - _WORD)
    strings = np.empty(_CODES, np.uint64)
    for byte in range(_CLEAR):
        strings[byte] = (byte << 16) + 1
    bits, held, place, width = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(9)
    at, before, length, following = np.uint64(_CLEAR), np.uint64(0), np.uint64(0), np.uint64(_END)
    while at < full:
        while held < width and place < size:
            bits = (bits << word) | np.uint64(coded[place])
            place, held = place + one, held + word
        if held < width:
            break
        held -= width
        code = (bits >> held) & ((one << width) - one)
        if code == np.uint64(_CLEAR):
            width, length, following = np.uint64(9), np.uint64(0), np.uint64(_END)
            continue
        if code == np.uint64(_END):
            break
        if code > following or following > last:
            return np.int64(0)
        # Of the first code after a clear it is the place of `_END`, which no string has.
        strings[following] = (before << np.uint64(16)) + length + one
        start, length = strings[code] >> np.uint64(16), strings[code] & np.uint64(0xFFFF)
        if length <= word and code != following:
            a, b, c, d = written[start], written[start + 1], written[start + 2], written[start + 3]
            e, f, g, h = written[start + 4], written[start + 5], written[start + 6], written[start + 7]
            written[at], written[at + 1], written[at + 2], written[at + 3] = a, b, c, d
            written[at + 4], written[at + 5], written[at + 6], written[at + 7] = e, f, g, h
        else:
            for byte in range(min(length, full - at)):
                written[at + byte] = written[start + byte]
        before, at, following = at, at + length, following + one
        if following == (one << width) - one and following < last:
            width += one
    return np.int64(at)
