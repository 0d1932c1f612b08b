"""Text in XML, without what the standard library brings in for it: all of the network's modules."""

from __future__ import annotations

_MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_IN_TEXT = str.maketrans(_MARKS)
_IN_QUOTES = str.maketrans(_MARKS | {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def escaped(text: str) -> str:
    """Return text as it stands between tags.

    Examples:
        >>> escaped("a < b & c")
        'a &lt; b &amp; c'
    """
    return text.translate(_IN_TEXT)


def quoted(text: str) -> str:
    """Return text as the value of an attribute, with its quotes.

    Examples:
        >>> quoted('5" & more')
        '"5&quot; &amp; more"'
    """
    return f'"{text.translate(_IN_QUOTES)}"'
