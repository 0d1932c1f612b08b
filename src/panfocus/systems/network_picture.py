"""A network that answers with a picture, such as the fused picture X^K of an unrolled fuser.

It must see all frames at once, so they are all held: four bytes a sample.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from panfocus.arrays.tiles import cheapest_core, windows
from panfocus.arrays.types import Float
from panfocus.errors import SystemError_
from panfocus.systems.card import Card
from panfocus.systems.devices import AUTO
from panfocus.systems.intensity import Stretch
from panfocus.systems.network import TILE_PIXELS, NetworkSystem

if TYPE_CHECKING:
    from panfocus.systems.sessions import RanOn


class NetworkPictureSystem:
    """A folder whose card says ``kind = "picture"``, behind the seam for pictures.

    Always at full scale: a picture, unlike weights, cannot be enlarged afterwards.
    """

    #: Its frames are held to the end (`panfocus.systems.traits`).
    holds_all = True

    def __init__(self, folder: Path, *, threads: int | None = None, device: str = AUTO) -> None:
        """Read the card and check the weights, as `NetworkSystem` does.

        Args:
            folder: of the system.
            threads: of the processor; None for all cores.
            device: where it runs, a name in `devices.NAMES`.

        Raises:
            SystemError_: card or weights missing, damaged, or not the ones of the card; or the
                device is not to be had.
        """
        self._network = NetworkSystem(folder, threads=threads, device=device)

    @property
    def card(self) -> Card:
        """The card beside the network."""
        return self._network.card

    def working_bytes(self, frames: int, pixels: int) -> int:
        """Return the bytes that a tile of `frames` takes, of pictures of `pixels` each."""
        return self._network.working_bytes(frames, pixels)

    @property
    def ran_on(self) -> RanOn | None:
        """Where the network runs; None before its first picture."""
        return self._network.ran_on

    def begin(self) -> NetworkPictureRun:
        """Begin a stack; the network's session is shared by all."""
        return NetworkPictureRun(self._network)


class NetworkPictureRun:
    """The frames of one stack, all held."""

    def __init__(self, network: NetworkSystem) -> None:
        self._network = network
        self._frames: list[Float] = []

    def push(self, frame: Float) -> None:
        """Take the next frame, ``(H, W[, C])`` float32 in [0, 1]."""
        self._frames.append(frame)

    def finish(self) -> Float:
        """Return the picture in [0, 1], shaped as a frame; opacity is the frames' mean.

        Raises:
            SystemError_: more frames than the network takes.
        """
        frames, self._frames = np.stack(self._frames), []
        card = self._network.card
        limit = card.max_frames
        if limit is not None and len(frames) > limit:
            raise SystemError_(
                f"{card.name} takes {limit} frames at once",
                expected=f"{limit} frames",
                got=f"{len(frames)} frames",
            )
        shape = frames.shape[1:]
        frames = frames[..., None] if frames.ndim == 3 else frames
        colours = frames[..., :3] if frames.shape[-1] >= 3 else frames[..., :1]
        stretch = Stretch.of(colours)
        picture = self._tiled(colours if stretch is None else stretch.apply(colours))
        picture = picture if stretch is None else stretch.undo(picture)
        if frames.shape[-1] in {2, 4}:
            picture = np.concatenate((picture, frames[..., -1:].mean(0)), -1)
        return np.clip(picture, 0, 1).astype(np.float32).reshape(shape)

    def _tiled(self, frames: Float) -> Float:
        """``(N, H, W, 1 or 3)`` to ``(H, W, 1 or 3)``, window by window when it is large."""
        count, height, width, channels = frames.shape
        out = np.empty((height, width, channels), np.float32)
        card = self._network.card
        halo, multiple = card.halo, card.multiple_of
        allowed = (card.tile_pixels or TILE_PIXELS) // count
        core = height, width
        if halo is not None:
            core = cheapest_core(height, width, halo, allowed, multiple)
        for window in windows(height, width, core, halo or 0, multiple):
            made = self._network.infer(frames[:, window.read[0], window.read[1]], "picture")
            inner = made[:, window.inner[0], window.inner[1]].transpose(1, 2, 0)
            # a grey picture went in as three equal colours and comes back as nearly that
            out[window.core] = inner if channels == 3 else inner.mean(-1, keepdims=True)
        return out
