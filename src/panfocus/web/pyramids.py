"""Pictures in 8 bit at every scale, as far as memory is set aside for them, cut into tiles.

Level 0 is the picture at full scale, every further one half as wide and high, rounded up: what a
viewer with deep zoom asks for.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import BoundedSemaphore, Lock
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.resources.memory import available_memory

Byte = NDArray[np.uint8]
#: Side of a tile in pixels.
TILE = 512
#: Bytes set aside for levels, at most; and of what is free when the server starts, at most.
_MOST_BYTES = 1536 * 2**20
_SHARE = 0.2
_LEAST_BYTES = 128 * 2**20
#: Frames that are decoded at once: each takes its whole size for a moment.
_AT_ONCE = 2


class Viewable(Protocol):
    """Something that can be looked at.

    Attributes:
        key: its name; another one for every change of its pixels.
        width: at full scale, pixels.
        height: at full scale.
        exact: whether its colours mean numbers, so that tiles must not lose any.
    """

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def exact(self) -> bool: ...  # noqa: D102

    def read(self, level: int) -> tuple[Byte, int]:
        """Return 8-bit pixels ``(h, w[, 3])`` of a level, or of a larger one, and which."""
        ...


def size_at(picture: Viewable, level: int) -> tuple[int, int]:
    """Return height and width of a level."""
    return -(-picture.height >> level) or 1, -(-picture.width >> level) or 1


class Pyramids:
    """Levels of pictures, the least recently seen forgotten.

    Args:
        budget: bytes; None for a share of what is free.
    """

    def __init__(self, budget: int | None = None) -> None:
        free = int(available_memory() * _SHARE) if budget is None else budget
        self.budget = free if budget is not None else min(max(free, _LEAST_BYTES), _MOST_BYTES)
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._decoding = BoundedSemaphore(_AT_ONCE)
        self._levels: OrderedDict[tuple[str, int], Byte] = OrderedDict()
        self._bytes = 0

    @property
    def held(self) -> int:
        """Bytes held."""
        return self._bytes

    def level(self, picture: Viewable, level: int) -> Byte:
        """Return a level of a picture, ``(h, w[, 3])`` uint8.

        Raises:
            InputError: its file cannot be read.
        """
        found = self._get(picture.key, level)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(picture.key, Lock())
        with making:  # tiles of one picture are asked for together: one of them makes the level
            found = self._get(picture.key, level)
            return self._make(picture, level) if found is None else found

    def _make(self, picture: Viewable, level: int) -> Byte:
        larger = next(
            (
                (k, a)
                for k in range(level - 1, -1, -1)
                if (a := self._get(picture.key, k)) is not None
            ),
            None,
        )
        if larger is None:
            with self._decoding:
                pixels, reached = picture.read(level)
            if reached < level:
                self._put(picture.key, reached, pixels)
        else:
            reached, pixels = larger
        while reached < level:
            reached += 1
            pixels = _shrunk(pixels, size_at(picture, reached))
            self._put(picture.key, reached, pixels)
        self._put(picture.key, level, pixels)
        return pixels

    def _get(self, key: str, level: int) -> Byte | None:
        with self._lock:
            found = self._levels.get((key, level))
            if found is not None:
                self._levels.move_to_end((key, level))
            return found

    def _put(self, key: str, level: int, pixels: Byte) -> None:
        with self._lock:
            before = self._levels.pop((key, level), None)
            self._bytes -= 0 if before is None else before.nbytes
            self._levels[key, level] = pixels
            self._bytes += pixels.nbytes
            while self._bytes > self.budget and len(self._levels) > 1:
                _, gone = self._levels.popitem(last=False)
                self._bytes -= gone.nbytes

    def forget(self, beginning: str) -> None:
        """Drop the levels of all pictures whose key begins like this."""
        with self._lock:
            for key in [k for k in self._levels if k[0].startswith(beginning)]:
                self._bytes -= self._levels.pop(key).nbytes
            for key in [k for k in self._making if k.startswith(beginning)]:
                del self._making[key]


def _shrunk(pixels: Byte, size: tuple[int, int]) -> Byte:
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def cut(level: Byte, column: int, row: int) -> Byte | None:
    """Return a tile of a level, ``(h, w[, 3])``; None where there is none."""
    y, x = row * TILE, column * TILE
    if min(x, y) < 0 or y >= level.shape[0] or x >= level.shape[1]:
        return None
    return np.ascontiguousarray(level[y : y + TILE, x : x + TILE])


def encode(pixels: Byte, *, exact: bool, quality: int = 90) -> tuple[bytes, str]:
    """Return a picture as PNG where its numbers count, else as JPEG; and its media type."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
    else:
        bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if exact:
        _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        return data.tobytes(), "image/png"
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes(), "image/jpeg"
