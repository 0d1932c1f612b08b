"""A stack small, for a first look: every frame read once, reduced while it is decoded.

What JPEG holds can be decoded at a half, a quarter or an eighth; that and two frames at a time make
the difference between waiting for a stack and seeing it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from panfocus import io
from panfocus.errors import Cancelled
from panfocus.frame import Frame
from panfocus.pipeline.journal import Cancel

#: Longer side of a draft in pixels.
SIDE = 1200
#: All frames of a draft together, in pixels; of more frames each is smaller.
_MOST_PIXELS = 100_000_000
_LEAST_SIDE = 320
_AHEAD = 2


def draft_size(height: int, width: int, count: int, side: int = SIDE) -> tuple[int, int]:
    """Return height and width of the frames of a draft.

    Args:
        height: of a frame.
        width: of a frame.
        count: of frames; so many that they would not fit make each smaller.
        side: the longer side that is wanted.

    Example:
        >>> draft_size(4000, 6000, 30)
        (800, 1200)
    """
    longer = max(height, width)
    affordable = int(longer * (_MOST_PIXELS / (count * height * width)) ** 0.5)
    side = min(side, longer, max(affordable, _LEAST_SIDE))
    return max(round(height * side / longer), 1), max(round(width * side / longer), 1)


def reduced(info: io.FrameInfo, size: tuple[int, int]) -> Frame:
    """Return one frame at a height and width, decoded no larger than needed.

    Raises:
        InputError: the frame cannot be read.
    """
    factor = 1
    while factor < 8 and info.height >= size[0] * factor * 2 and info.width >= size[1] * factor * 2:
        factor *= 2
    frame, _ = io.read_reduced(info, factor)
    if frame.pixels.shape[:2] == size:
        return frame
    small = cv2.resize(frame.pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return replace(frame, pixels=np.asarray(small, frame.pixels.dtype))


def draft_frames(
    infos: Sequence[io.FrameInfo], size: tuple[int, int], *, cancel: Cancel | None = None
) -> Iterator[Frame]:
    """Yield the frames in order at a height and width, two decoded ahead.

    Raises:
        InputError: a frame cannot be read.
        Cancelled: `cancel` said so.
    """
    reads: list[Callable[[], Frame]] = [partial(reduced, info, size) for info in infos]
    with ThreadPoolExecutor(_AHEAD) as pool:
        ahead: deque[Future[Frame]] = deque()
        for number, info in enumerate(infos):
            if cancel is not None and cancel():
                raise Cancelled("stopped as asked", where=info.name)
            while len(ahead) <= _AHEAD and number + len(ahead) < len(reads):
                ahead.append(pool.submit(reads[number + len(ahead)]))
            yield replace(ahead.popleft().result(), number=number)
