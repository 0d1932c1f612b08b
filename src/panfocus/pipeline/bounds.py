"""How many frames, and of which sides, can be fused at all."""

from __future__ import annotations

from panfocus.errors import InputError, UsageError
from panfocus.frame import MOST_FRAMES
from panfocus.pipeline.options import Options

#: Pixels of a side that can be moved, at most: OpenCV counts them in 16 bits.
MOST_MOVED = 32_766


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


def check_sides(height: int, width: int, settings: Options) -> None:
    """Refuse to align frames whose sides are too long for that.

    Raises:
        UsageError: they are, and alignment is asked for.
    """
    is_moved = settings.align != "none" or settings.load_transforms is not None
    if is_moved and max(height, width) > MOST_MOVED:
        raise UsageError(
            "frames of this size cannot be aligned",
            where="align",
            expected=f"at most {MOST_MOVED} pixels a side",
            got=f"{width} x {height}",
            remedy='take them as they are by `align="none"`, or cut them into parts',
        )
