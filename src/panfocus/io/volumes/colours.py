"""Channels that are the colours of one picture."""

from __future__ import annotations

from collections.abc import Sequence

from panfocus.io.volumes.volume import Channel, hex_of_colour

_RGB = ("FF0000", "00FF00", "0000FF")
_NAMES = (("red", "r"), ("green", "g"), ("blue", "b"))


def colours_in_order(channels: Sequence[Channel]) -> list[int] | None:
    """Return which of three channels is red, green and blue; None where they are none.

    Examples:
        >>> colours_in_order([Channel("Blue"), Channel("Green"), Channel("Red")])
        [2, 1, 0]
    """
    if len(channels) != len(_RGB):
        return None
    coloured = [hex_of_colour(c.facts["Color"]) if "Color" in c.facts else "" for c in channels]
    if sorted(coloured) == sorted(_RGB):
        return [coloured.index(colour) for colour in _RGB]
    named = [channel.name.strip().casefold() for channel in channels]
    found = [next((n for n, name in enumerate(named) if name in words), None) for words in _NAMES]
    order = [n for n in found if n is not None]
    return order if len(order) == len(_RGB) else None


def are_rgb(channels: Sequence[Channel]) -> bool:
    """Whether three channels are red, green and blue, by their colours or their names."""
    return colours_in_order(channels) is not None
