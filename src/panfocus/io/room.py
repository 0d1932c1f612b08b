"""Whether there is room for a picture, before a decoder asks for it."""

from __future__ import annotations

from panfocus.resources.memory import available_memory

_MIB = 2**20
#: Bytes of a file that is read whole before its size is known; of one whose picture is known, so
#: many for metadata, and so many times what its pixels take (plain PNM has them as text).
_MOST_FILE, _METADATA, _TIMES = 2**31, 2**28, 16
#: Bytes that need not be asked about.
_LITTLE = 2**26


def check_file(size: int, pixel_bytes: int | None = None) -> None:
    """Refuse a file that is far larger than its picture: it would be read whole.

    Args:
        size: of the file, in bytes.
        pixel_bytes: that its pictures take when decoded; None where that is not known yet.

    Raises:
        ValueError: it is.
    """
    most = _MOST_FILE if pixel_bytes is None else _METADATA + _TIMES * pixel_bytes
    if size > most:
        told = "" if pixel_bytes is None else f", for pixels of {pixel_bytes / _MIB:.1f} MiB"
        got = f"a file of {size / _MIB:.0f} MiB{told}"
        raise ValueError(f"{got}: it is damaged, or none of its kind")


def check_room(height: int, width: int, pixel_bytes: int) -> None:
    """Refuse a picture that cannot be decoded here, as its header has it.

    Formats whose headers are known without pixels need not ask: the plan does.

    Args:
        height: in pixels, as told.
        width: in pixels, as told.
        pixel_bytes: that a pixel takes while it is decoded.

    Raises:
        MemoryError: it takes more than there is.
    """
    needed = height * width * pixel_bytes
    if needed > _LITTLE and needed > available_memory():
        raise MemoryError(
            f"{width} x {height} pixels, as its header has it, take {needed / 2**20:.0f} MiB"
        )
