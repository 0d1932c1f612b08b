"""A decision at a reduced scale everywhere, and at full scale only where frames compete.

All frames are decided between small. Where that leaves one frame, its weight is enlarged and the
network is not run again; elsewhere it is, on tiles with a halo, and sees the frames that
`panfocus.systems.candidates` names. What the others had of the weight at the reduced scale they
keep, so that tiles with other candidates meet without a seam.

On a dark ground nothing is left out: what is faint there is lost at a reduced scale.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ground import is_dark_ground
from panfocus.arrays.pixels import floats, shrink
from panfocus.arrays.regions import CandidateTile, Context, regions
from panfocus.arrays.tiles import cheapest_core, tiled_decision
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.candidates import BLOCK, REDUCTION, SIDE, detail, grey_of, named
from panfocus.systems.card import Card

#: Context of a tile, pixels; of one at the reduced scale. MEASURED: nothing is gained by more.
HALO = 16
SMALL_HALO = 32
#: Samples (pixels times frames) that a network sees at once in a tile, memory of 70 MiB; and at the
#: reduced scale, where smaller tiles of many frames would be halo for the most part.
AT_ONCE = 400_000
SMALL_AT_ONCE = 1_200_000
#: Width of the border of tiles over which one scale gives way to the other, pixels.
SOFT = BLOCK
#: Pictures with a shorter side are decided whole.
LEAST_SIDE = 2 * SIDE
#: Weight of the reduced scale that counts as none: pure choices cost nothing later on.
NOTHING = 0.02

#: ``(N, h, w, C)`` as the frames are to weights ``(N, h, w)``.
Decide = Callable[[Pixels], Float]


def suits(card: Card, shape: Sequence[int]) -> bool:
    """Return whether a network sees any frames in tiles, and those ``(H, W, C)`` are large."""
    return card.max_frames is None and card.halo is not None and min(shape[:2]) >= LEAST_SIDE


def is_dark(frames: Sequence[Pixels] | Pixels) -> bool:
    """Return whether the ground of frames ``(H, W, C)`` is dark, by half of their scale."""
    brightest = shrink(grey_of(frames[0]), 2)
    for frame in frames[1:]:
        brightest = np.maximum(brightest, shrink(grey_of(frame), 2))
    return is_dark_ground(floats(brightest)[None])


def decided(
    frames: Pixels,
    decide: Decide,
    *,
    card: Card,
    threads: int,
) -> Float:
    """Return weights ``(N, H, W)``.

    Args:
        frames: ``(N, H, W, C)``.
        decide: the network; may be called from several threads.
        card: of the network.
        threads: tiles decided at the same time.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  slow to import

    with ThreadPoolExecutor(threads) as pool:
        details = np.stack(list(pool.map(detail, frames)))
        small = np.stack(list(pool.map(reduced, frames)))
        weights = without_least(small_weights(small, decide, card))
        candidates = named(weights, details)
        height, width = frames.shape[1:3]
        out = np.stack([enlarged(weight, height, width) for weight in weights])
        reach = around(card, HALO)
        found = regions(candidates, SIDE, (height, width), reach, AT_ONCE)
        soft = inside(candidates.sum(axis=0) > 1, height, width)

        def look_at(region: CandidateTile) -> None:
            window = region.window(height, width, reach)
            chosen = sorted(region.frames)
            rows, columns = window.core
            fine = decide(np.stack([frames[n][window.read] for n in chosen]))
            before = out[chosen, rows, columns]
            change = fine[(slice(None), *window.inner)] * before.sum(axis=0) - before
            out[chosen, rows, columns] = before + change * soft[window.core]

        list(pool.map(look_at, found))
    return out


def reduced(frame: Pixels) -> Pixels:
    """Return a frame ``(h, w, C)`` at the reduced scale, ``(h // 4, w // 4, C)``."""
    small = shrink(frame, REDUCTION)
    return small.reshape(*small.shape[:2], frame.shape[-1])


def halo(card: Card, enough: int) -> int:
    """Return the context of a tile, pixels: what is enough, or all that the network needs."""
    return -(-min(card.halo or 0, enough) // card.multiple_of) * card.multiple_of


def around(card: Card, enough: int) -> Context:
    """Return what a tile at full scale is read with: what is enough, or all that is needed."""
    return Context(min(card.halo or 0, enough), card.multiple_of)


def small_weights(small: Pixels, decide: Decide, card: Card, most: int = SMALL_AT_ONCE) -> Float:
    """Return weights ``(N, h, w)`` of reduced frames ``(N, h, w, C)``.

    The network sees at most so many samples (pixels times frames) at once.
    """
    count, height, width = small.shape[:3]
    core = height, width
    reach = halo(card, SMALL_HALO)
    if height * width * count > most:
        core = cheapest_core(height, width, reach, most // count, card.multiple_of)
    return tiled_decision(decide, small, core, reach, card.multiple_of)


def without_least(weights: Float) -> Float:
    """Return weights ``(N, h, w)`` in which what counts as none is none."""
    nothing = np.minimum(np.float32(NOTHING), weights.max(axis=0) / 4)
    weights = np.maximum(weights - nothing, 0)
    return weights / weights.sum(axis=0)


def enlarged(weight: Float, height: int, width: int) -> Float:
    """Bring weights ``(h / 4, w / 4)`` to ``(h, w)``, bilinear."""
    rows, columns = (side * REDUCTION for side in weight.shape)
    large = cv2.resize(weight, (columns, rows), interpolation=cv2.INTER_LINEAR)
    if (rows, columns) != (height, width):
        below, right = height - rows, width - columns
        large = cv2.copyMakeBorder(large, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(large, np.float32)


def inside(looked_at: NDArray[np.bool_], height: int, width: int) -> Float:
    """Return how far pixels are inside of tiles that are looked at, ``(h, w)`` in [0, 1].

    It rises from 0 over `SOFT` pixels beside tiles that are not, where both scales say the same.
    """
    tiles = looked_at.astype(np.float32).repeat(SIDE, axis=0).repeat(SIDE, axis=1)
    size = 2 * SOFT + 1
    mean = cv2.blur(tiles[:height, :width], (size, size), borderType=cv2.BORDER_REPLICATE)
    return np.clip(2 * np.asarray(mean, np.float32) - 1, 0, 1)
