"""What cannot be fused because it holds no frames, or has them only once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.schema import said


def check_source(frames: object) -> None:
    """Refuse what holds no frames at all.

    Raises:
        UsageError: no names, no arrays, nothing to go through.
    """
    is_list = isinstance(frames, (list, tuple))
    names = [isinstance(one, (str, Path)) for one in cast("Any", frames)] if is_list else []
    is_some = isinstance(frames, (str, Path, Iterable)) and not isinstance(
        frames, (bytes, bytearray, memoryview, Mapping, Frame, type)
    )
    is_some = (
        is_some and getattr(cast("object", frames), "shape", None) != ()
    )  # an array of one number
    if not is_some or (any(names) and not all(names)):
        raise UsageError(
            "these are no frames",
            where="frames",
            expected="file names, an array (N, H, W[, C]), or any iterable of arrays (H, W[, C])",
            got="names and arrays mixed" if is_some else said(cast("object", frames)),
        )


def check_once(reference: str) -> None:
    """Refuse a reference that frames which can be read only once cannot have.

    Raises:
        UsageError: it is neither the first frame nor left to panfocus.
    """
    if reference not in ("middle", "first", "0"):
        raise UsageError(
            "frames that can be read only once have the first of them for reference",
            where="reference",
            expected="first, or a sequence of frames in place of an iterable",
            got=reference,
            remedy="collect the frames first: list(frames)",
        )
