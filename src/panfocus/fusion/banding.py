"""Soft bands between two depths of focus, and how they are mended: ``--banding mend``.

Where frames were focused too far apart, all of them are a little soft between two depths, and no
choice among pixels helps. There the fused picture's fine detail is raised, by what the curves of
focus say is missing (`panfocus.fusion.focus_curves`): nothing in pairs, where a frame was focused
right, where noise hides the curve, or where frames are out of order.
"""

from __future__ import annotations

import cv2
import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.pixels import luminance, shrink
from panfocus.arrays.tiles import windows
from panfocus.arrays.types import Float, Pixels
from panfocus.fusion.focus_curves import EVERY, FocusCurves

#: Fine detail: what a Gaussian of so many working pixels takes away.
SIGMA = 1.3
#: Radius of defocus that takes nothing away which a grid of pixels could show; how much of the
#: detail is added for each pixel above; and at most. MEASURED: about the least of what would be
#: best, over stacks of 3 to 20 frames with 6 to 24 pixels of defocus, noise and JPEG
#: (docs/decisions/0026).
SHARP = 0.45
STRENGTH = 0.9
MOST = 0.8
#: Standard deviation over which that radius is evened out, working pixels.
_EVEN = 2.0
#: How much softer a picture must be where it is said to be soft, see `FocusCurves.softening`.
#: MEASURED: .1 and more where frames are evenly apart and anything is gained, mostly below 0 where
#: they are not.
CONFIRMED = 0.1
#: Share of detail that is seen to be added.
SEEN = 0.1
#: Pixels around each whose values it stays between, working scale. MEASURED: costs .02 dB.
NEAR = 2
#: Side of the tiles that are mended one after the other, pixels.
TILE = 256


def mended(
    picture: Pixels, curves: FocusCurves, factor: int, *, has_alpha: bool
) -> tuple[Pixels, float]:
    """Return a blend with the detail that it lacks between depths, and where that can be seen.

    Args:
        picture: the blend ``(H, W[, C])``.
        curves: of all frames, and who won where.
        factor: of the working scale.
        has_alpha: whether the last channel is opacity, which stays.

    Returns:
        The picture, and the part of it that gained more than `SEEN` of its detail, in [0, 1].
    """
    found = curves.blur()
    if found is None:
        return picture, 0.0
    radius, trust = found
    even = np.asarray(cv2.GaussianBlur(radius, (0, 0), _EVEN / EVERY), np.float32)
    share = trust * np.clip(STRENGTH * (even - SHARP), 0, MOST).astype(np.float32)
    if share.any():
        grey = luminance(shrink(picture, factor), has_alpha=has_alpha).astype(np.float32)
        share *= np.float32(np.clip(curves.softening(grey, radius) / CONFIRMED, 0, 1))
    if not share.any():
        return picture, 0.0
    part = float(np.count_nonzero(share > SEEN)) / share.size
    return raised(picture, share, factor, has_alpha=has_alpha), part


def raised(picture: Pixels, share: Float, factor: int, *, has_alpha: bool = False) -> Pixels:
    """Return a picture with its fine detail raised, all colours by the same.

    No pixel becomes brighter or darker than another within `NEAR` working pixels: no halos, and
    nothing is clipped that was not before.

    Args:
        picture: ``(H, W[, C])``, any dtype.
        share: of the detail that is added, every `EVERY` pixels of the working scale.
        factor: of the working scale.
        has_alpha: whether the last channel is opacity, which stays.
    """
    out = picture.copy()
    reach = int(np.ceil(4 * SIGMA * factor))
    height, width = picture.shape[:2]
    for window in windows(height, width, TILE, reach, EVERY * factor):
        part = enlarged(share, EVERY * factor, window.core)
        if not part.any():
            continue
        seen = picture[window.read]
        grey = luminance(seen, has_alpha=has_alpha).astype(np.float32)
        fine = (grey - cv2.GaussianBlur(grey, (0, 0), SIGMA * factor))[window.inner] * part
        box = np.ones((2 * NEAR * factor + 1,) * 2, np.uint8)
        least, most = (change(seen, box)[window.inner] for change in (cv2.erode, cv2.dilate))
        tile = out[window.core]
        sums = tile + (fine if tile.ndim == 2 else fine[..., None])
        sums = np.rint(sums) if tile.dtype.kind != "f" else sums
        within = np.clip(sums, least.reshape(tile.shape), most.reshape(tile.shape))
        if has_alpha:
            within[..., -1] = tile[..., -1]
        tile[...] = within
    return out
