"""Fuse by a system that makes a picture of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.pipeline.decide import guard_of
from panfocus.pipeline.journal import Journal
from panfocus.pipeline.result import FusedPicture
from panfocus.systems import (
    PictureSystem,
)
from panfocus.systems.checks import begun, checked_picture

if TYPE_CHECKING:
    from panfocus.guard.guard import Guard


MADE_UP = (
    "a system that makes a picture fuses what alignment had to make up along the borders; without "
    "`keep_size=True` it is cropped away"
)


def fuse_picture(journal: Journal, system: PictureSystem, source: Iterator[Frame]) -> FusedPicture:
    """Fuse frames in place by a system that makes a picture of its own."""
    dtype: np.dtype[Any] | None = None
    shape: tuple[int, ...] = ()
    stack = begun(system)
    guard = guard_of(journal)
    looked_at: list[Frame] = []  # by the guard
    for frame, restarts in journal.screened(_told_of(source, journal)):
        dtype, shape = frame.pixels.dtype, frame.pixels.shape
        if restarts:
            stack = begun(system)
            looked_at.clear()
        with journal.clock.stage("fuse"):
            stack.push(_unit(frame.pixels))
        if guard is not None:
            looked_at.append(frame.without_caches())
    assert dtype is not None
    picture = checked_picture(stack.finish(), shape, system.card.name)
    if guard is not None:
        picture = _guarded(guard, looked_at, picture)
        journal.note_guard(guard)
    if dtype.kind != "f":  # whole numbers would wrap round
        picture = np.rint(np.clip(picture, 0, 1) * np.float32(white(dtype)))
    return FusedPicture(picture.astype(dtype), None, None, None, journal.report, journal.metadata)


def _told_of(source: Iterator[Frame], journal: Journal) -> Iterator[Frame]:
    """Yield frames; tell where registration had to make up what they do not show."""
    for frame in source:
        if frame.cover is not None:
            journal.note(MADE_UP)
        yield frame


def _unit(pixels: Pixels) -> Float:
    return pixels.astype(np.float32) / np.float32(white(pixels.dtype))


def _guarded(guard: Guard, frames: Sequence[Frame], picture: Float) -> Float:
    """Return a network's own picture with the guard's opinion on its colours."""
    if len(frames) < 2:
        return picture
    colours = picture[..., None] if picture.ndim == 2 else picture
    end = colours.shape[-1] - frames[0].has_alpha
    seen = np.stack([_unit(frame.pixels).reshape(colours.shape)[..., :end] for frame in frames])
    mended = guard.check_picture(seen, np.ascontiguousarray(colours[..., :end]))
    return np.concatenate((mended, colours[..., end:]), axis=-1).reshape(picture.shape)
