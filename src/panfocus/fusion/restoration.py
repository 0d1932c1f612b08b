"""Restoring what choosing pixels leaves soft: ``--mode restore``.

The fused picture is the blend plus what a system's restorer adds to its luminance
(`panfocus.systems.restorer`). Values that no frame holds can appear; index, depth and confidence
are those of the blend.
"""

from __future__ import annotations

import numpy as np

from panfocus.arrays.pixels import white
from panfocus.arrays.tiles import windows
from panfocus.arrays.types import Float, Pixels
from panfocus.errors import UsageError
from panfocus.systems import PictureSystem, System, traits
from panfocus.systems.intensity import Stretch
from panfocus.systems.restorer import Restorer

#: Side of the tiles that are restored one after the other, pixels.
TILE = 1024


def restorer_of(system: System | PictureSystem) -> Restorer:
    """Return the restorer of a system.

    Raises:
        UsageError: it has none.
    """
    restorer = traits.restorer(system)
    if restorer is None:
        raise UsageError(
            f"the system {system.card.name} restores no detail",
            where="mode",
            expected="a system with a learned step on the picture",
            got=system.card.name,
            remedy='take a system that was trained to, or `mode="blend"`',
        )
    return restorer


class Restoration:
    """What one fusion holds to restore its picture: what the frames differ by, and the restorer."""

    def __init__(self, restorer: Restorer) -> None:
        self._restorer = restorer
        self._scatter = Scatter()
        self._has_alpha = False

    def push(self, pixels: Pixels, *, has_alpha: bool) -> None:
        """Take the next frame, ``(H, W[, C])``."""
        self._has_alpha = has_alpha
        self._scatter.push(pixels, has_alpha=has_alpha)

    def of(self, picture: Pixels, largest: Float) -> Pixels:
        """Return the blend ``(H, W[, C])`` restored; `largest` as for `restored`."""
        deviation = self._scatter.deviation()
        return restored(picture, deviation, largest, self._restorer, has_alpha=self._has_alpha)


class Scatter:
    """How far frames differ at each pixel: running sums of their luminance, two floats a pixel."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: Float | None = None
        self._squares: Float | None = None

    def push(self, pixels: Pixels, *, has_alpha: bool = False) -> None:
        """Take the next frame, ``(H, W[, C])``."""
        value = _luminance(pixels, has_alpha=has_alpha) / np.float32(white(pixels.dtype))
        self._count += 1
        if self._mean is None or self._squares is None:
            self._mean, self._squares = value, np.zeros_like(value)
            return
        # Welford's sums: squares of large numbers would lose what little frames differ by
        before = value - self._mean
        self._mean += before / np.float32(self._count)
        self._squares += before * (value - self._mean)

    def deviation(self) -> Float:
        """Return the standard deviation over the frames, ``(H, W)``, luminance in [0, 1]."""
        assert self._squares is not None
        return np.sqrt(self._squares / np.float32(max(self._count, 1)))


def restored(
    picture: Pixels, deviation: Float, largest: Float, restorer: Restorer, *, has_alpha: bool
) -> Pixels:
    """Return the picture with what the restorer adds.

    Args:
        picture: the blend ``(H, W[, C])``.
        deviation: of the frames' luminance, ``(H, W)``, in [0, 1].
        largest: weight of the frame that counts most, ``(H, W)``.
        restorer: what adds.
        has_alpha: whether the last channel is opacity, which stays.
    """
    top = np.float32(white(picture.dtype))
    grey = _luminance(picture, has_alpha=has_alpha) / top
    stretch = Stretch.of(grey[None, ..., None])
    gain = np.float32(1 if stretch is None else stretch.gain)
    seen = grey if stretch is None else stretch.apply(grey)
    out = picture.copy()
    height, width = grey.shape
    for window in windows(height, width, TILE, restorer.halo, restorer.multiple_of):
        shown = np.stack((seen[window.read], deviation[window.read] * gain, largest[window.read]))
        added = restorer.added(shown)[window.inner] / gain
        _add(out[window.core], added * top, has_alpha=has_alpha)
    return out


def _luminance(picture: Pixels, *, has_alpha: bool) -> Float:
    """Return the mean of the colours ``(H, W)``, as the restorer was trained on."""
    if picture.ndim == 2:
        return picture.astype(np.float32)
    colours = picture[..., :-1] if has_alpha else picture
    return np.asarray(colours.mean(-1, dtype=np.float32), np.float32)


def _add(tile: Pixels, added: Float, *, has_alpha: bool) -> None:
    """Add to all colours of a tile in place, within the range of its numbers."""
    colours = tile[..., :-1] if has_alpha else tile
    sums = colours + (added if tile.ndim == 2 else added[..., None])
    if tile.dtype.kind != "f":
        sums = np.rint(np.clip(sums, 0, white(tile.dtype)))
    colours[...] = np.maximum(sums, 0)
