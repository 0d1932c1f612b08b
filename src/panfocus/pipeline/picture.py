"""Fuse by a system that makes a picture of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.frame import Frame
from panfocus.pipeline.decide import guard_of
from panfocus.pipeline.journal import Journal, need_two
from panfocus.pipeline.result import Fusion
from panfocus.systems import (
    PictureSystem,
)
from panfocus.systems.checks import begun, checked_picture

if TYPE_CHECKING:
    from panfocus.guard.guard import Guard


MADE_UP = (
    "a system that makes a picture fuses what alignment had to make up along the borders; without "
    "--keep-size it is cropped away"
)


def fuse_picture(journal: Journal, system: PictureSystem, source: Iterator[Frame]) -> Fusion:
    """Fuse frames in place by a system that makes a picture of its own."""
    dtype: np.dtype[Any] | None = None
    shape: tuple[int, ...] = ()
    stack = begun(system)
    taken = 0
    guard = guard_of(journal)
    looked_at: list[Frame] = []  # by the guard
    spare: Frame | None = None

    def take(frame: Frame) -> None:
        with journal.clock.stage("fuse"):
            stack.push(_unit(frame.pixels))
        if guard is not None:
            looked_at.append(frame.alone())

    for number, frame in enumerate(source):
        if dtype is None:
            journal.note_size(frame.pixels)
            dtype, shape = frame.pixels.dtype, frame.pixels.shape
        journal.tell(number, "fuse", frame.name)
        journal.keep_metadata(number, frame)
        journal.note_frame(frame)
        if frame.cover is not None:
            journal.note(MADE_UP)
        taken += 1
        verdict = journal.judge(frame)
        if verdict == "leave":
            spare = frame if spare is None and not journal.blanks.has_taken else spare
            continue
        if verdict == "restart":
            stack = begun(system)
            looked_at.clear()
        spare = None
        take(frame)
    need_two(taken)
    assert dtype is not None
    if spare is not None:
        take(spare)
    picture = checked_picture(stack.finish(), shape, system.card.name)
    if guard is not None:
        picture = _guarded(guard, looked_at, picture)
        journal.note_guard(guard)
    if dtype.kind != "f":  # whole numbers would wrap round
        picture = np.rint(np.clip(picture, 0, 1) * np.float32(white(dtype)))
    return Fusion(picture.astype(dtype), None, None, None, journal.report, journal.metadata)


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
