"""A network run on all of every frame, in tiles where its card allows it."""

from __future__ import annotations

from collections.abc import Callable

from panfocus.arrays.tiles import cheapest_core, tiled_decision
from panfocus.arrays.types import Float, Pixels
from panfocus.systems.card import Card


def in_tiles(decide: Callable[[Pixels], Float], frames: Pixels, card: Card, most: int) -> Float:
    """Return weights ``(N, H, W)``.

    Args:
        decide: the network.
        frames: ``(N, H, W, C)``.
        card: of the network.
        most: samples (pixels times frames) that it sees at once.
    """
    count, height, width = frames.shape[:3]
    allowed = most // count
    if card.halo is None or height * width <= allowed:
        return decide(frames)
    core = cheapest_core(height, width, card.halo, allowed, card.multiple_of)
    return tiled_decision(decide, frames, core, card.halo, card.multiple_of)
