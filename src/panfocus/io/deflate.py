"""Deflate, without Python's lock: by ISA-L where there is a package of it, else by libdeflate.

Streams of both are read by whatever reads zlib's. docs/decisions/0020-igzip.md has the figures.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from isal import isal_zlib as _isal
except ImportError:  # processors and systems for which it is not built
    _isal = None

#: It is typed as zlib is, where it is there.
isal_zlib: Any = _isal

# docs/decisions/0002-codecs.md: within 10 % of zlib's default level 6 on filtered photographs, at a
# tenth of its time and less
_LIBDEFLATE_LEVEL = 1
#: A few percent smaller than level 1, at no more time.
_ISAL_LEVEL = 2
#: Of a checksum of Adler's.
_MODULUS = 65521
#: What every zlib stream of a window of 32 KiB may begin with.
HEADER = b"\x78\x01"

has_isal = isal_zlib is not None


def _octets(array: NDArray[Any]) -> Any:  # noqa: ANN401  a buffer
    return array.reshape(-1).view(np.uint8).data


def deflate(array: NDArray[Any]) -> memoryview:
    """Compress the bytes of a contiguous array into one zlib stream."""
    if isal_zlib is not None:
        return memoryview(isal_zlib.compress(_octets(array), _ISAL_LEVEL))
    import imagecodecs  # noqa: PLC0415 - slow to import, and not needed until something is written

    return memoryview(imagecodecs.deflate_encode(_octets(array), _LIBDEFLATE_LEVEL))


def deflate_part(array: NDArray[Any], *, is_last: bool) -> tuple[bytes, int, int]:
    """Compress a part of a stream by ISA-L: such parts, one after the other, are one stream.

    Args:
        array: contiguous.
        is_last: whether the stream ends with it.

    Returns:
        Raw deflate without header; the checksum of Adler's of the part; and its length in bytes.
    """
    assert isal_zlib is not None
    octets = _octets(array)
    worker = isal_zlib.compressobj(_ISAL_LEVEL, isal_zlib.DEFLATED, -15)
    flush = isal_zlib.Z_FINISH if is_last else isal_zlib.Z_FULL_FLUSH
    packed = worker.compress(octets) + worker.flush(flush)
    return packed, isal_zlib.adler32(octets), array.nbytes


def joined_checksum(first: int, second: int, length: int) -> int:
    """Return the checksum of Adler's of two parts, one after the other.

    Args:
        first: of the first part, or of all before.
        second: of the second part.
        length: of the second part, bytes.

    Examples:
        >>> import zlib
        >>> one, two = zlib.adler32(b"pan"), zlib.adler32(b"focus")
        >>> joined_checksum(one, two, 5) == zlib.adler32(b"panfocus")
        True
    """
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % _MODULUS) << 16 | low % _MODULUS


def checksum(data: bytes | memoryview, before: int = 0) -> int:
    """Return the CRC-32 of bytes that follow others."""
    return zlib.crc32(data, before) if isal_zlib is None else isal_zlib.crc32(data, before)
