"""Whether the chunks of a Zarr array on disk are what their array says.

Zarr takes a chunk that is not there for one of a single value, a folder in its place too; and Blosc
believes the lengths in a chunk's header, so that a chunk cut short gives foreign memory.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from panfocus.io.folder import what_waits
from panfocus.io.frames import DamageError
from panfocus.io.volumes.unpacked import holds_more
from panfocus.resources.paths import is_folder
from panfocus.resources.wording import counted

#: Times as many bytes as its numbers take that a chunk with filters may unpack to.
_WIDER = 8
#: Chunks of one plane that are looked for; 100 megapixels in chunks of 32 pixels are a tenth.
_MOST_CHUNKS = 1_000_000
_BLOSC_HEADER = struct.Struct("<4BIII")  # versions, flags, typesize; bytes, block, compressed bytes


class ChunkError(ValueError):
    """A chunk is cut off or damaged."""


class MissingPlaneError(ChunkError, DamageError):
    """No chunk of a plane is there; a lenient reader takes it for one of a single value."""


class Chunks:
    """The chunk files of one array in a folder."""

    def __init__(self, array: Any) -> None:  # noqa: ANN401  zarr's types are not complete
        """Look at how the array is stored; no chunk is looked at.

        Raises:
            ChunkError: its chunks hold nothing.
        """
        root = getattr(array.store_path.store, "root", None)
        self._folder = None if root is None else Path(root) / str(array.path)
        self._key = array.metadata.encode_chunk_key
        self._sizes: tuple[int, ...] = tuple(array.shards or array.chunks)
        if min(self._sizes, default=1) < 1:
            raise ChunkError(f"chunks of {' x '.join(map(str, self._sizes))} numbers hold nothing")
        self._shape: tuple[int, ...] = tuple(array.shape)
        self._fill = array.fill_value
        packers = [type(codec).__name__ for codec in array.compressors]
        is_plain = not array.filters and not array.shards
        self._is_blosc = not array.shards and packers[-1:] in (["Blosc"], ["BloscCodec"])
        self._is_stored = is_plain and not packers
        size = int(array.dtype.itemsize)
        for length in self._sizes:
            size *= length
        self._bytes = size if is_plain and len(packers) < 2 else None
        self._packer = packers[0] if len(packers) == 1 and not array.shards else ""
        #: filters may make numbers wider
        self._most = size if is_plain else _WIDER * size

    def check(self, index: Sequence[int | slice], *, lenient: bool) -> str | None:
        """Look at the chunks that a plane is read from.

        Args:
            index: of the plane in the array.
            lenient: whether a plane of which nothing is there may pass.

        Returns:
            What is missing, for a note; None for nothing.

        Raises:
            MissingPlaneError: no chunk of it is there.
            ChunkError: one is cut off, damaged, or a folder; or the plane has too many of them.
        """
        if self._folder is None:
            return None
        ranges = [
            [k // size] if isinstance(k, int) else range(-(-length // size))
            for k, size, length in zip(index, self._sizes, self._shape, strict=True)
        ]
        missing, count = list[str](), prod(map(len, ranges))
        if count > _MOST_CHUNKS:
            raise ChunkError(f"it lies in {count} chunks, each a file of its own")
        for place in product(*ranges):
            key = str(self._key(place))
            if not self._is_there(key):
                missing.append(key)
        if not missing:
            return None
        if len(missing) == count and not lenient:
            raise MissingPlaneError(f"no chunk of it, not even {missing[0]}, is in {self._folder}")
        some = "all" if len(missing) == count else str(len(missing))
        return (
            f"{some} of its {counted(count, 'chunk')} missing ({missing[0]}): taken as {self._fill}"
        )

    def _is_there(self, key: str) -> bool:
        """Whether a chunk is there, as whole as can be seen without decoding it."""
        assert self._folder is not None
        path = self._folder / key
        if what := what_waits(path):
            raise ChunkError(f"chunk {key} is {what}")
        try:
            with path.open("rb") as file:
                head = file.read(_BLOSC_HEADER.size)
                size = file.seek(0, 2)
        except FileNotFoundError:
            return False
        except (IsADirectoryError, PermissionError) as error:
            what = "a folder" if is_folder(path) else "not readable"
            raise ChunkError(f"chunk {key} is {what}") from error
        if self._is_blosc:
            self._check_blosc(key, head, size)
        elif not size or (self._is_stored and size != self._bytes):
            wanted = f" in place of {self._bytes}" if self._is_stored else ""
            raise ChunkError(f"chunk {key} has {size} bytes{wanted}")
        elif holds_more(self._packer, path, self._most):
            raise ChunkError(f"chunk {key} unpacks to more than the {self._most} bytes it may have")
        return True

    def _check_blosc(self, key: str, head: bytes, size: int) -> None:
        if len(head) < _BLOSC_HEADER.size:
            raise ChunkError(f"chunk {key} has {size} bytes, less than its header")
        *_, length, _block, packed = _BLOSC_HEADER.unpack(head)
        if packed != size:
            raise ChunkError(f"chunk {key} has {size} bytes in place of {packed}")
        if self._bytes is not None and length != self._bytes:
            raise ChunkError(f"chunk {key} unpacks to {length} bytes in place of {self._bytes}")
