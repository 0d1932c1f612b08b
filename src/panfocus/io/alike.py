"""What all frames of one stack are read by: a white balance, and a range of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from panfocus.io import raw
from panfocus.io.frames import Develop, FrameInfo, Tone
from panfocus.io.read import stored_values
from panfocus.io.refused import told
from panfocus.io.stretch import Extent, in_words, seen, span_of
from panfocus.resources.wording import counted


def develop_alike(
    infos: Sequence[FrameInfo], reference: int, tone: Tone
) -> tuple[Sequence[FrameInfo], list[str]]:
    """Read all frames of a stack alike: one white balance for camera RAWs, one range of numbers.

    Frames whose numbers fill neither 8 nor 16 bits (floating point, signed, 32 bit) are read once
    for the range that they share.

    Args:
        infos: the frames.
        reference: number of the frame whose white balance it is; the first RAW if it is none.
        tone: of the developed pictures.

    Returns:
        The frames, and notes for the user.

    Raises:
        InputError: that frame is gone or damaged.
    """
    spread_out, notes = _spread_alike(infos)
    raws = [info for info in spread_out if info.format == "camera RAW"]
    if not raws:
        return spread_out, notes
    chosen = spread_out[reference] if infos[reference].format == "camera RAW" else raws[0]
    with told(chosen.where):
        balance = raw.white_balance(chosen.path)
    how = Develop(balance, tone)
    text = " : ".join(f"{value / balance[1]:.3f}" for value in balance[:3])
    notes.append(f"white balance of {chosen.name} for all frames: {text}; tone {tone}")
    return [replace(i, develop=how) if i in raws else i for i in spread_out], notes


def _spread_alike(infos: Sequence[FrameInfo]) -> tuple[Sequence[FrameInfo], list[str]]:
    """Give frames of other numbers than 8 or 16 bits the range that all of them lie in."""
    open_ended = [info for info in infos if info.numbers and info.span is None]
    if not open_ended:
        return infos, []
    found: list[Extent] = []
    for info in open_ended:
        with told(info.where):
            found.append(seen(stored_values(info)))
    span = span_of(found)
    kinds = ", ".join(sorted({info.numbers for info in open_ended}))
    note = f"{counted(len(open_ended), 'frame')} of {kinds} numbers: {in_words(span)}"
    return [replace(i, span=span) if i in open_ended else i for i in infos], [note]
