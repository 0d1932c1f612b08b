"""Which frames can matter where: named by a decision at a reduced scale, and by fine detail.

At any place only a few frames of a stack can be in focus, and a decision on small frames knows
which. What small frames cannot show, a thin line or a spot, a focus measure at full scale sees: a
frame with far more detail than all that were named is named as well.

Blocks of `BLOCK` pixels are judged; tiles of some of them take what any of their blocks named.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import shrink, white
from panfocus.arrays.ranks import ends
from panfocus.arrays.types import Float, Pixels

#: Side of a block and of a tile, pixels of the scale that is decided at; of a tile of two frames,
#: where smaller ones name no fewer and their decisions are a little worse. MEASURED
#: (docs/decisions/0044).
BLOCK = 8
SIDE = 64
SIDE_OF_TWO = 128
#: How far frames are shrunk for the decision that names them.
REDUCTION = 4


class Rule(NamedTuple):
    """From which weight, over 12 pixels, a frame is named.

    Attributes:
        weight: that is enough.
        share: of the largest weight that is enough, too: where none is large, the small frames do
            not tell.
        most: frames that weights alone may name in a tile.
    """

    weight: float
    share: float
    most: int


#: For frames that were all compared with each other.
OF_FEW = Rule(weight=0.15, share=0.5, most=6)
#: Detail beyond that of all named frames, as a factor, from which one more is named; and how many
#: times the detail of flat blocks counts as none.
MORE_DETAIL = 2.0
FLAT = 2.0
#: Share of blocks that are flat at least, in the frame with most detail.
_FLATTEST = 0.1
#: Pixels whose detail is measured at once.
_BAND = 1 << 17


def detail(frame: Pixels) -> Float:
    """Return the energy of the Laplacian in blocks, ``(h, w, C)`` to ``(h / 8, w / 8)`` rounded up.

    In squares of white, whatever the frame's numbers are.
    """
    grey = grey_of(frame)
    height, width = grey.shape
    out = np.empty((-(-height // BLOCK), -(-width // BLOCK)), np.float32)
    step = max(_BAND // (width * BLOCK), 1)
    for top in range(0, len(out), step):  # in bands that stay in the processor's cache
        first, last = top * BLOCK, min((top + step) * BLOCK, height)
        above, below = min(first, 1), min(height - last, 1)
        energy = energy_of(grey[first - above : last + below])[above : above + last - first]
        out[top : top + step] = pooled(energy, BLOCK)
    return out


def energy_of(grey: Pixels) -> Float:
    """Return the energy of the Laplacian of a luminance ``(h, w)``, in squares of white."""
    kind = cv2.CV_16S if grey.dtype == np.uint8 else cv2.CV_32F
    fine = cv2.Laplacian(grey, kind)
    energy = cv2.multiply(fine, fine, scale=1 / white(grey.dtype) ** 2, dtype=cv2.CV_32F)
    return np.asarray(energy, np.float32)


def grey_of(frame: Pixels) -> Pixels:
    """Return the luminance of ``(h, w, C)``, native, ``(h, w)``; of odd channels their mean."""
    if frame.shape[-1] == 3:
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), frame.dtype)
    if frame.shape[-1] == 1:
        return np.ascontiguousarray(frame[..., 0])
    return frame.mean(axis=-1, dtype=np.float32).astype(frame.dtype)


def reduced(frame: Pixels) -> Pixels:
    """Return a frame ``(h, w, C)`` at the reduced scale, ``(h // 4, w // 4, C)``."""
    small = shrink(frame, REDUCTION)
    return small.reshape(*small.shape[:2], frame.shape[-1])


def pooled(image: Float, side: int) -> Float:
    """Return means of squares of `side` pixels; at the border the last rows are repeated."""
    below, right = (-length % side for length in image.shape)
    whole = image
    if below or right:
        whole = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    size = whole.shape[1] // side, whole.shape[0] // side
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)


def named(
    weights: Float, details: Float, rule: Rule = OF_FEW, *, side: int = SIDE
) -> NDArray[np.bool_]:
    """Return which frames can matter in which tile, ``(N, rows, columns)``; one at least in each.

    Args:
        weights: decided at the reduced scale, ``(N, h / 4, w / 4)``.
        details: of the frames at full scale, see `detail`, ``(N, a, b)``.
        rule: what names a frame.
        side: of a tile, pixels.
    """
    soft = (np.asarray(cv2.blur(weight, (3, 3)), np.float32) for weight in weights)
    shape = details.shape[1], details.shape[2]
    blocks = np.stack([_largest(each, BLOCK // REDUCTION, shape) for each in soft])
    enough = np.minimum(np.float32(rule.weight), blocks.max(axis=0) * np.float32(rule.share))
    tiles = _anywhere(blocks >= enough, blocks, rule.most, side // BLOCK)
    add_overlooked(tiles, details, side)
    return tiles


def _largest(values: Float, side: int, shape: tuple[int, int]) -> Float:
    """Return the largest of every square, ``(h, w)`` to `shape`, repeated at borders."""
    below, right = (
        max(n * side - length, 0) for n, length in zip(shape, values.shape, strict=True)
    )
    whole = np.pad(values, ((0, below), (0, right)), "edge") if below or right else values
    whole = whole[: shape[0] * side, : shape[1] * side]
    down = whole.reshape(shape[0], side, -1).max(axis=1)
    return down.reshape(*shape, side).max(axis=2)


def blocks_of(tile: int, side: int = SIDE) -> slice:
    """Return a tile's blocks and one more on either side, along one axis."""
    blocks = side // BLOCK
    return slice(max(tile * blocks - 1, 0), (tile + 1) * blocks + 1)


def add_overlooked(tiles: NDArray[np.bool_], details: Float, side: int = SIDE) -> None:
    """Name those who have far more detail in some block than all that are named in the tile.

    One after the other, who has most of what is lacking first, until nothing is.
    """
    best = details.max(axis=0)
    flat = np.float32(FLAT * ends(best, _FLATTEST)[0])
    for row, column in np.ndindex(tiles.shape[1:]):
        rows, columns = blocks_of(row, side), blocks_of(column, side)
        here, most, chosen = details[:, rows, columns], best[rows, columns], tiles[:, row, column]
        known = here[chosen].max(axis=0)
        while (lacks := most > np.float32(MORE_DETAIL) * known + flat).any():
            n = int(np.where(chosen, -1, here[:, lacks].sum(axis=1)).argmax())
            chosen[n] = True
            known = np.maximum(known, here[n])


def _anywhere(blocks: NDArray[np.bool_], weights: Float, most: int, side: int) -> NDArray[np.bool_]:
    """Return what holds in any of `side` by `side` blocks or next to it, ``(N, a, b)`` to tiles.

    Where more than `most` frames hold, those of them with most of the weights ``(N, a, b)``.
    """
    near = np.ones((3, 3), np.uint8)
    grown = np.stack([cv2.dilate(block.astype(np.uint8), near) for block in blocks])
    count, *shape = blocks.shape
    below, right = (-length % side for length in shape)
    rows, columns = (-(-length // side) for length in shape)
    split = count, rows, side, columns, side
    whole = np.pad(grown, ((0, 0), (0, below), (0, right)))
    tiles = np.asarray(whole.reshape(split).any(axis=(2, 4)), np.bool_)
    if count <= most:
        return tiles
    padded = np.pad(weights, ((0, 0), (0, below), (0, right)))
    share = padded.reshape(split).mean(axis=(2, 4), dtype=np.float32)
    share = np.where(tiles, share, -1)
    least = np.partition(share, -most, axis=0)[-most]
    return tiles & (share >= least)
