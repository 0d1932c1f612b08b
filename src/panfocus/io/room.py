"""Whether there is room for a picture, before a decoder asks for it."""

from __future__ import annotations

from panfocus.resources.memory import available_memory

#: Bytes that need not be asked about.
_LITTLE = 2**26


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
