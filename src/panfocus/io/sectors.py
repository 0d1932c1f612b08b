"""What a failing card or disk leaves in compressed data: zeros, and sectors that stand twice.

Formats without a checksum decode such data to a wrong picture without an error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.distinct import distinct

_SECTOR = 512
_ZEROS = bytes(256)
#: Different bytes in a sector of compressed data: 221 on average. Flat pictures have few.
_VARIED = 128
#: Bytes by which a copied piece may match beyond its sectors, by chance.
_CHANCE = 3
_MOST_PAIRS = 256


def has_zeros(data: bytes, start: int, end: int) -> bool:
    """Whether compressed data hold a run of zeros that an entropy coder does not make."""
    return data.find(_ZEROS, start, end) >= 0


def has_copies(octets: NDArray[np.uint8], offset: int) -> bool:
    """Whether the same sectors stand at two places, and no byte more: they were mixed up.

    Compressed data repeat themselves where the picture does, but not from sector to sector.

    Args:
        octets: compressed data.
        offset: where they begin in their file.
    """
    skipped = -offset % _SECTOR
    count = (len(octets) - skipped) // _SECTOR
    if count < 2:
        return False
    sectors = octets[skipped : skipped + count * _SECTOR].reshape(-1, _SECTOR)
    keys = np.ascontiguousarray(sectors[:, :8]).view(np.uint64).ravel()
    order = np.argsort(keys, kind="stable")
    pairs = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    for k in pairs[:_MOST_PAIRS]:
        a, b = int(order[k]), int(order[k + 1])
        varied = len(distinct(sectors[a])) >= _VARIED
        if varied and _ends_at_sectors(octets, skipped, a, b):
            return True
    return False


def _ends_at_sectors(octets: NDArray[np.uint8], skipped: int, first: int, second: int) -> bool:
    """Whether what is equal in two sectors begins there, and ends where a sector does."""
    a, b = skipped + first * _SECTOR, skipped + second * _SECTOR
    margin = min(_CHANCE + 1, a)
    if margin and np.array_equal(octets[a - margin : a], octets[b - margin : b]):
        return False
    length = min(b - a, len(octets) - b)
    differs = np.flatnonzero(octets[a : a + length] != octets[b : b + length])
    equal = int(differs[0]) if len(differs) else length
    return equal >= _SECTOR and equal % _SECTOR <= _CHANCE
