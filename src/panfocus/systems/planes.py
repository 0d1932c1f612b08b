"""Frames as a network takes them: in planes of three colours, padded, float32."""

from __future__ import annotations

import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.intensity import Stretch

#: What fills a picture up to a network's multiple: mid-grey, the zero of networks that see frames
#: less 0.5. Mirrored pixels would hide the picture's rim, where blurred pictures may be dark.
PAD = 0.5


def in_planes(frames: Pixels, multiple: int, stretch: Stretch | None) -> Float:
    """Return frames ``(N, h, w, C)`` as ``(N, 3, H, W)`` in [0, 1]; made in one copy.

    Args:
        frames: in [0, 1] or as their files have them; all of C but three colours is made or left
            out.
        multiple: of which H and W are made multiples.
        stretch: what is done to their brightness; None for nothing.
    """
    count, height, width, channels = frames.shape
    size = height + -height % multiple, width + -width % multiple
    out = np.full((count, 3, *size), PAD, np.float32)
    colour: Pixels | Float = frames
    if channels != 3:
        colour = frames[..., :1] if channels < 3 else frames.mean(-1, np.float32, keepdims=True)
    inner = out[:, :, :height, :width]
    inner[...] = colour.transpose(0, 3, 1, 2)
    if frames.dtype != np.float32:
        inner /= np.float32(white(frames.dtype))
    if stretch is not None:
        inner[...] = stretch.apply(inner)
    return out
