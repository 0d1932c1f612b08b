"""What goes wrong while a frame is read, in the words of an `InputError`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

from panfocus.errors import InputError
from panfocus.io.formats import READABLE
from panfocus.io.frames import DAMAGE, DamageError, KindError, is_unread, told_by
from panfocus.resources.others import others_told


def told(name: str) -> AbstractContextManager[None]:
    """Say of a file, in the words of an `InputError`, what goes wrong while it is read."""
    return others_told(partial(_refused, name), OSError, *DAMAGE)


def _refused(name: str, error: Exception) -> InputError:
    # without a number it is Pillow's of a damaged picture, not the system's of a file
    if isinstance(error, OSError) and error.errno is not None:
        return _vanished(name, error)
    return unreadable(name, error)


def _vanished(name: str, error: OSError) -> InputError:
    return InputError(
        "a frame cannot be opened",
        where=name,
        got=error.strerror or str(error),
        remedy="check that the file is there and readable, and run again",
    )


def unreadable(name: str, error: BaseException) -> InputError:
    """Return what to say of a frame that a codec refuses."""
    detail = told_by(error)
    if isinstance(error, KindError):
        return InputError(
            "a frame is of a kind that is not read",
            where=name,
            expected=error.expected or f"{READABLE}; grey or RGB, with or without alpha",
            got=detail,
            remedy=error.remedy,
        )
    if isinstance(error, MemoryError):
        return InputError(
            "memory ran out while a frame was read",
            where=name,
            got=detail if str(error) else "no more of it",
            remedy="free some; or the file is damaged, and tells of a size that it has not",
        )
    if is_unread(error):
        return InputError(
            "a frame is of a kind that is not read",
            where=name,
            expected=f"{READABLE}; grey or RGB, with or without alpha",
            got=detail,
            remedy="save it anew, as PNG or as TIFF without rare compression, and fuse that",
        )
    lenient = ", or read it as far as it goes (`lenient=True`)"
    return InputError(
        "a frame cannot be read",
        where=name,
        expected="a whole, sound picture of its format",
        got=detail,
        remedy="copy the file again from the camera or card, or leave this frame out"
        + (lenient if isinstance(error, DamageError) else ""),
    )
