"""Numbers of a microscope as a picture to look at: 8 bits from black to white, and in colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.io import to_depth
from panfocus.io.frames import Span
from panfocus.io.stretch import in_words, seen, span_of, spread
from panfocus.io.volumes.volume import Channel, hex_of_colour

#: Share of the pixels at either end that may be specks and do not stretch the rest.
_SPECKS = 0.001
#: Colours of channels that have none, as Fiji gives them.
_COLOURS = ("FF00FF", "00FF00", "00FFFF", "FFFF00", "FF0000", "0000FF")


@dataclass
class DisplayRange:
    """The range of numbers that is shown as black to white: of all that stands side by side, one.

    Attributes:
        ends: from which number to which, for 8 bits; None until the first picture is shown.
        span: the same for 16 bits.
    """

    ends: tuple[float, float] | None = None
    span: Span | None = None


def in_eight_bits(
    pixels: NDArray[Any], display: DisplayRange | None = None
) -> tuple[NDArray[np.uint8], list[str]]:
    """Return pixels of any kind as 8 bits, and how they were read, for a note.

    What has 8 bits stays as it is. Of other kinds the range that is used is spread over black to
    white, but for specks at its ends.

    Args:
        pixels: of any shape.
        display: takes the range of the first pictures, which later ones are shown by.

    Example:
        >>> grey, notes = in_eight_bits(np.arange(1000, 1256, dtype=np.uint16)[None])
        >>> grey[0, [0, -1]].tolist(), notes
        ([0, 255], ['1000 to 1255 are shown as black to white'])
    """
    if pixels.dtype == np.uint8:
        return pixels, []
    display = display or DisplayRange()
    if display.ends is None:
        low, high = np.quantile(pixels, [_SPECKS, 1 - _SPECKS], method="nearest")
        display.ends = float(low), float(high)
    low, high = display.ends
    share = (pixels.astype(np.float64) - low) / max(high - low, 1e-30)
    shown = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return shown, [f"{low:g} to {high:g} are shown as black to white"]


def in_sixteen_bits(
    pixels: NDArray[Any], display: DisplayRange | None = None
) -> tuple[NDArray[np.uint16], list[str]]:
    """Return pixels of any kind as 16 bits, and how they were read, for a note.

    What has 16 bits stays as it is; signed numbers and fractions are spread, as `panfocus.io` reads
    them of photographs. Arguments as of `in_eight_bits`.
    """
    if pixels.dtype == np.uint16:
        return pixels, []
    if pixels.dtype == np.uint8:
        return to_depth(pixels, "uint16"), []
    display = display or DisplayRange()
    if display.span is None:
        display.span = span_of([seen(pixels)])
    return spread(pixels, display.span), [f"numbers of {pixels.dtype}: {in_words(display.span)}"]


def in_colours(planes: Sequence[NDArray[Any]], channels: Sequence[Channel]) -> NDArray[np.uint8]:
    """Return channels over each other, each in its colour: ``(Y, X)`` of one, else ``(Y, X, 3)``.

    Args:
        planes: ``(Y, X)``, one per channel; or one ``(Y, X, S)``.
        channels: what they are.
    """
    shown = [in_eight_bits(plane)[0] for plane in planes]
    if len(shown) == 1:
        return shown[0]
    total = np.zeros((*shown[0].shape, 3), np.float32)
    for n, (plane, channel) in enumerate(zip(shown, channels, strict=True)):
        told = channel.facts.get("Color")
        colour = _COLOURS[n % len(_COLOURS)] if told is None else hex_of_colour(told)
        total += plane[..., None] * (
            np.frombuffer(bytes.fromhex(colour), np.uint8) / np.float32(255)
        )
    return np.rint(np.clip(total, 0, 255)).astype(np.uint8)
