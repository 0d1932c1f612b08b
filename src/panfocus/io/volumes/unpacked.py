"""How much a packed chunk holds, found before it is unpacked as a whole.

A few kilobytes of zlib, gzip, bzip2, LZMA, Zstandard or LZ4 can tell of gigabytes, which Zarr makes
room for as they come.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

#: Bytes that are unpacked at a time, and forgotten.
_PIECE = 2**20
_ZSTD = b"\x28\xb5\x2f\xfd"


class _Worker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_WORKERS: Mapping[str, Callable[[], _Worker]] = {
    "zlib": zlib.decompressobj,
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "bz2": bz2.BZ2Decompressor,
    "lzma": lzma.LZMADecompressor,
}


def holds_more(codec: str, path: Path, most: int) -> bool:
    """Whether a chunk holds more than its array has room for.

    Args:
        codec: class of what unpacks it, such as ``Zlib`` or ``GzipCodec``.
        path: of the chunk.
        most: bytes that it may hold.

    Returns:
        True if it does; False if not, where nobody knows, and where it is damaged, which shows
        when it is unpacked.

    Raises:
        OSError: it cannot be read.
    """
    name = codec.lower().removesuffix("codec")
    try:
        if name in _WORKERS:
            return _flows_over(_WORKERS[name], path.read_bytes(), most)
        if name == "zstd":
            return _zstd_holds(path.read_bytes(), most) > most
        if name == "lz4":  # numcodecs puts the length first
            with path.open("rb") as file:
                return int.from_bytes(file.read(4), "little") > most
    except (zlib.error, lzma.LZMAError, ValueError, RuntimeError, EOFError):
        return False
    return False


def _flows_over(make: Callable[[], _Worker], data: bytes, most: int) -> bool:
    """Unpack piece by piece, one member after the other, as far as is allowed."""
    done = 0
    while data:
        worker = make()
        while not worker.eof:
            got = worker.decompress(data, _PIECE)
            done += len(got)
            if done > most:
                return True
            # zlib's gives back what it has not looked at, the others keep it
            data = getattr(worker, "unconsumed_tail", b"")
            if not got and not data:
                break
        if not worker.eof:
            return False
        data = getattr(worker, "unused_data", b"")
    return False


def _zstd_holds(data: bytes, most: int) -> int:
    """Return the bytes that a frame tells of; where it tells of none, one more than room is for."""
    if not data.startswith(_ZSTD) or len(data) < 5:
        return 0
    told = data[4]
    is_single = bool(told & 0x20)
    at = 5 + (not is_single) + (0, 1, 2, 4)[told & 3]
    size = (int(is_single), 2, 4, 8)[told >> 6]
    if size:
        return int.from_bytes(data[at : at + size], "little") + (256 if size == 2 else 0)
    import imagecodecs  # noqa: PLC0415  slow to import

    try:
        return len(imagecodecs.zstd_decode(data, out=most))
    except RuntimeError:
        return most + 1
