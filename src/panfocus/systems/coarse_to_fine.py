"""A decision at a reduced scale everywhere, and at full scale only where frames compete.

All frames are decided between small. Where that leaves one frame, its weight is enlarged and the
network is not run again; elsewhere it is, on tiles with a halo, and sees the frames that
`panfocus.systems.candidates` names. What the others had of the weight at the reduced scale they
keep. Tiles with other candidates may still decide otherwise, where nothing is sharp above all: so
each gives way to its neighbours, looked at or not, over some of its halo, and none ends in a line.

Where both scales differ, `panfocus.systems.between_scales` says which to follow: blurs that are
wider than what the network sees around a place are narrower at the reduced scale.

On a dark ground nothing is left out: what is faint there is lost at a reduced scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from panfocus.arrays.enlarging import enlarged
from panfocus.arrays.ground import Ground
from panfocus.arrays.pixels import floats, shrink, without_negatives
from panfocus.arrays.regions import Context, regions
from panfocus.arrays.tiles import cheapest_core, tiled_decision
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.between_scales import Arbitrates, BothScales, follow_points, settle
from panfocus.systems.candidates import (
    REDUCTION,
    SIDE,
    SIDE_OF_TWO,
    detail,
    grey_of,
    named,
    reduced,
)
from panfocus.systems.card import Card
from panfocus.systems.closer import Look
from panfocus.systems.intensity import Stretch
from panfocus.systems.scout import Shares

#: Context of a tile, pixels; of one at the reduced scale. MEASURED: nothing is gained by more.
HALO = 16
SMALL_HALO = 32
#: Samples (pixels times frames) that a network sees at once in a tile, memory of 70 MiB; and at the
#: reduced scale, where smaller tiles of many frames would be halo for the most part.
AT_ONCE = 400_000
SMALL_AT_ONCE = 1_200_000
#: Pixels on both sides of a tile's border over which it gives way to its neighbours; at the reduced
#: scale.
FADE = 16
SMALL_FADE = 16
#: Pictures with a shorter side are decided whole.
LEAST_SIDE = 256
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
    return Ground.of(floats(brightest)[None]).is_dark


def decided(
    frames: Pixels,
    decide: Decide,
    *,
    card: Card,
    threads: int,
    arbiter: Arbitrates | None = None,
    scout: Shares | None = None,
    stretch: Stretch | None = None,
) -> Float:
    """Return weights ``(N, H, W)``.

    Args:
        frames: ``(N, H, W, C)``.
        decide: the network; may be called from several threads.
        card: of the network.
        threads: tiles decided at the same time.
        arbiter: says where to follow the reduced scale; None for only where nothing competes.
        scout: its witness; None for none.
        stretch: what is done to the frames' brightness for it first; None for nothing.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  slow to import

    with ThreadPoolExecutor(threads) as pool:
        both = at_both_scales(frames, decide, card=card, run_all=pool.map)
        if arbiter is not None:
            settle(both, frames, arbiter, scout, stretch=stretch, run_all=pool.map)
        return both.fine


def without_discs(
    weights: Float, frames: Pixels, decide: Decide, *, card: Card, stretch: Stretch | None
) -> None:
    """Let the reduced scale say where discs of lights are that the full scale takes for sharp.

    For what was decided at full scale altogether, as on a dark ground. Only a disc whose point is
    seen gives way: what is wide and faint may be all that a section shows of a thing.

    Args:
        weights: ``(N, H, W)``, which are changed.
        frames: ``(N, H, W, C)``.
        decide: the network.
        card: of the network.
        stretch: what is done to the frames' brightness; None for nothing.
    """
    small = np.stack([reduced(frame) for frame in frames])
    coarse = without_least(small_weights(small, decide, card))
    follow_points(weights, coarse, frames, stretch)


def at_both_scales(
    frames: Pixels, decide: Decide, *, card: Card, run_all: Callable[..., Iterable[Any]] = map
) -> BothScales:
    """Return what the reduced scale says, and what a closer look says where frames compete.

    Args:
        frames: ``(N, H, W, C)``.
        decide: the network; called as `run_all` does.
        card: of the network.
        run_all: lets several be looked at at the same time, as `map` does.
    """
    details = np.stack(list(run_all(detail, frames)))
    small = np.stack(list(run_all(reduced, frames)))
    weights = without_least(small_weights(small, decide, card))
    side = SIDE_OF_TWO if len(frames) == 2 else SIDE
    candidates = named(weights, details, side=side)
    height, width = frames.shape[1:3]
    whole = slice(0, height), slice(0, width)
    out = np.stack([enlarged(weight, REDUCTION, whole) for weight in weights])
    look = Look(
        frames,
        decide=lambda seen: decide(np.stack(seen)),
        before=lambda n, tile: enlarged(weights[n], REDUCTION, tile),
        context=around(card, HALO, FADE),
    )
    found = regions(candidates, side, (height, width), look.context, AT_ONCE)
    for change in run_all(look.at, found):
        for n, more in zip(change.frames, change.weights, strict=True):
            out[n][change.tile] += more
    return BothScales(out, weights, details)


def halo(card: Card, enough: int) -> int:
    """Return the context of a tile, pixels: what is enough, or all that the network needs."""
    return -(-min(card.halo or 0, enough) // card.multiple_of) * card.multiple_of


def around(card: Card, enough: int, fade: int) -> Context:
    """Return what a tile at full scale is read with: what is enough, or all that is needed."""
    halo = min(card.halo or 0, enough)
    return Context(halo, card.multiple_of, min(fade, halo))


def small_weights(small: Pixels, decide: Decide, card: Card, most: int = SMALL_AT_ONCE) -> Float:
    """Return weights ``(N, h, w)`` of reduced frames ``(N, h, w, C)``.

    The network sees at most so many samples (pixels times frames) at once.
    """
    count, height, width = small.shape[:3]
    core = height, width
    reach = halo(card, SMALL_HALO)
    if height * width * count > most:
        core = cheapest_core(height, width, reach, most // count, card.multiple_of)
    fade = min(SMALL_FADE, reach)
    return tiled_decision(decide, small, core, reach, card.multiple_of, fade=fade)


def without_least(weights: Float) -> Float:
    """Return weights ``(N, h, w)`` in which what counts as none is none."""
    nothing = np.minimum(np.float32(NOTHING), weights.max(axis=0) / 4)
    out = np.subtract(weights, nothing)
    without_negatives(out)  # in place: the maps of many frames are large
    out /= out.sum(axis=0)
    return out
