"""How many frames, and of which sides, can be fused at all."""

from __future__ import annotations

from panfocus.errors import InputError, UsageError
from panfocus.frame import MOST_FRAMES
from panfocus.pipeline.options import Options

#: Pixels of a side that can be moved, at most: OpenCV counts them in 16 bits.
MOST_MOVED = 32_766
#: Pixels of a side, at least.
LEAST_SIDE = 16


def check_count(count: int) -> None:
    """Refuse a stack of more frames than an index map can count.

    Raises:
        InputError: it is one.
    """
    if count > MOST_FRAMES:
        raise InputError(
            "there are more frames than can be told apart",
            expected=f"at most {MOST_FRAMES} frames",
            got=f"{count} or more",
            remedy="fuse them in parts, or leave some out",
        )


def check_least(height: int, width: int, where: str | None = None) -> None:
    """Refuse frames that are too small to judge their focus.

    Args:
        height: of the frames, pixels.
        width: of the frames, pixels.
        where: one of them, for the message.

    Raises:
        InputError: they are.
    """
    if min(height, width) < LEAST_SIDE:
        raise InputError(
            "the frames are too small to judge their focus",
            where=where,
            expected=f"at least {LEAST_SIDE} x {LEAST_SIDE} pixels",
            got=f"{width} x {height}",
            remedy="fuse the frames before they were cut or made small",
        )


def check_sides(height: int, width: int, settings: Options, where: str | None = None) -> None:
    """Refuse to align frames whose sides are too long, or too short, for that.

    Args:
        height: of the frames, pixels.
        width: of the frames, pixels.
        settings: of the fusion.
        where: one of them, for the message.

    Raises:
        UsageError: they are too long, and alignment is asked for.
        InputError: they are too short, likewise.
    """
    is_moved = settings.align != "none" or settings.load_transforms is not None
    if is_moved:
        check_least(height, width, where)
    if is_moved and max(height, width) > MOST_MOVED:
        raise UsageError(
            "frames of this size cannot be aligned",
            where="align",
            expected=f"at most {MOST_MOVED} pixels a side",
            got=f"{width} x {height}",
            remedy='take them as they are by `align="none"`, or cut them into parts',
        )
