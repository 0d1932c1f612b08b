"""How counts are told."""

from __future__ import annotations


def counted(count: int, word: str) -> str:
    """Return a number with its noun, as one says it.

    Example:
        >>> counted(1, "frame"), counted(3, "other file")
        ('1 frame', '3 other files')
    """
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
