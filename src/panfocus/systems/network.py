"""A network exported to ONNX behind the seam.

Every exported network has one interface: input ``frames`` float32 ``(N, 3, H, W)`` RGB in [0, 1],
output ``weights`` float32 ``(N, H, W)``, non-negative, summing to 1 over N. The card says how
many frames it takes at once, which multiple its sides need and how much context a tile needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.errors import SystemError_
from panfocus.resources.paths import is_file
from panfocus.systems import coarse_to_fine
from panfocus.systems.between_scales import BothScales
from panfocus.systems.card import Card
from panfocus.systems.checks import check_count, check_frames
from panfocus.systems.devices import AUTO
from panfocus.systems.intensity import Stretch
from panfocus.systems.planes import in_planes
from panfocus.systems.restorer import Recipe, Restorer
from panfocus.systems.running import RunningNetwork
from panfocus.systems.weights import check_weights
from panfocus.systems.whole import in_tiles

if TYPE_CHECKING:
    from panfocus.systems.arbiter import Arbiter
    from panfocus.systems.long_stacks import ManyWeights
    from panfocus.systems.refiner import Refiner
    from panfocus.systems.scout import Scout
    from panfocus.systems.sessions import RanOn
    from panfocus.systems.traits import LooksCloser

#: Pixels times frames that a network sees at once, where its card does not say.
TILE_PIXELS = 700_000
#: Frames that are compared at once on a dark ground: among more, faint spots are lost.
FEW = 8
#: What a network may take for a tile as large as its card allows; cards are written to fit.
TILE_BYTES = 1030 * 2**20


class NetworkSystem:
    """A folder with ``card.json`` and ``model.onnx``, checked against the card's digest."""

    #: Frames may be shown to it as their files have them (`panfocus.systems.traits`).
    takes_native = True

    def __init__(
        self,
        folder: Path,
        *,
        threads: int | None = None,
        device: str = AUTO,
        whole: bool = False,
    ) -> None:
        """Read the card and check the weights; the session starts with the first decision.

        Args:
            folder: of the system.
            threads: of the processor; None for all cores.
            device: where it runs, a name in `devices.NAMES`.
            whole: look at every pixel of every frame at full scale; else, on the processor, only
                where frames compete (`panfocus.systems.coarse_to_fine`).

        Raises:
            SystemError_: card or weights missing, damaged, or not the ones of the card; or the
                device is one that the installed ONNX Runtime does not offer.
        """
        path = folder / "card.json"
        if not is_file(path):
            raise SystemError_(
                "this folder holds no system",
                where=str(folder),
                expected="card.json and the network it names",
                remedy="name a folder made by `panfocus export`, or one of `panfocus systems`",
            )
        self._card = Card.read(path)
        self._is_whole = whole
        model = folder / (self._card.model or "model.onnx")
        check_weights(
            model,
            self._card.sha256,
            missing="the system's network is missing",
            others="the system's weights are not the ones of its card",
        )
        self._running = RunningNetwork(model, self._card, threads=threads, device=device)

    @cached_property
    def restorer(self) -> Restorer | None:
        """What restores detail in a fused picture; None where the system has no such network.

        Raises:
            SystemError_: it is missing or damaged.
        """
        recipe = Recipe.of(self._card)
        if recipe is None:
            return None
        return Restorer(self._running.model.parent, recipe, threads=self._running.threads)

    @cached_property
    def _scout(self) -> Scout:
        from panfocus.systems.scout import Scout  # noqa: PLC0415  only long stacks need it

        return Scout(is_capped=self._running.is_capped)

    @cached_property
    def _arbiter(self) -> Arbiter | None:
        if not self._card.refined:
            return None
        from panfocus.systems.arbiter import Arbiter  # noqa: PLC0415  small pictures do without

        return Arbiter(is_capped=self._running.is_capped)

    @cached_property
    def refiner(self) -> Refiner | None:
        """What refines its decisions of a reduced scale; None where its card wants none."""
        if not self._card.refined or self._is_whole:
            return None
        from panfocus.systems.refiner import Refiner  # noqa: PLC0415  only large pictures need it

        return Refiner(is_capped=self._running.is_capped)

    @property
    def closer(self) -> LooksCloser | None:
        """What looks at lights at full scale where a reduced one decided; None for nothing."""
        if self.refiner is None or self._card.max_frames is not None or self._card.halo is None:
            return None
        if not self._running.runs_on_processor():
            return None
        return lambda frames, stretch: self.infer(frames, stretch=stretch, tile=True)

    @property
    def card(self) -> Card:
        """The card beside the network."""
        return self._card

    def working_bytes(self, frames: int, pixels: int) -> int:
        """Return the bytes that a tile of `frames` takes, of pictures of `pixels` each."""
        return int(TILE_BYTES * min(1.0, frames * pixels / (self._card.tile_pixels or TILE_PIXELS)))

    @property
    def ran_on(self) -> RanOn | None:
        """Where the network runs; None before its first decision."""
        return self._running.ran_on

    def infer(
        self,
        frames: Pixels,
        answer: str = "weights",
        *,
        stretch: Stretch | None = None,
        tile: bool = False,
    ) -> Float:
        """Pad to the card's multiple, run, crop.

        Args:
            frames: ``(N, h, w, C)``, in [0, 1] or as their files have them; all of C but three
                colours is made or left out.
            answer: name of the output.
            stretch: what is done to their brightness first; None for nothing.
            tile: one of several that are decided at the same time, on the processor.

        Returns:
            The output: weights ``(N, h, w)`` or a picture ``(3, h, w)``.
        """
        height, width = frames.shape[1:3]
        planes = in_planes(frames, self._card.multiple_of, stretch)
        expected = (len(frames) if answer == "weights" else 3, *planes.shape[2:])
        made = np.asarray(self._running.run(planes, answer, expected, tile=tile))
        if made.shape != expected or made.dtype.kind != "f":
            raise self._running.unusable(answer, expected, f"{made.shape}, {made.dtype}")
        return made[:, :height, :width].astype(np.float32, copy=False)

    def decide(self, frames: Pixels) -> Float:
        """Return weights ``(N, H, W)``, in tiles when the card allows it.

        Dim and pale frames are stretched first (`panfocus.systems.intensity`).

        Args:
            frames: ``(N, H, W, C)`` in [0, 1], or uint8 or uint16 as their files have them.

        Raises:
            SystemError_: more frames than the network takes.
        """
        check_frames(frames)
        check_count(self._card, len(frames))
        stretch = Stretch.of(frames)
        if not self._sees_in_tiles(frames):
            return self._whole(frames, stretch)
        if coarse_to_fine.is_dark(frames):
            return self._in_the_dark(frames, stretch)
        return self._by_candidates(frames, stretch)

    def at_once(self, frames: Pixels) -> int:
        """Return how many of frames ``(N, H, W, C)`` are compared best at once: few in the dark."""
        return FEW if len(frames) > FEW and coarse_to_fine.is_dark(frames) else len(frames)

    @property
    def compares_many(self) -> bool:
        """Whether `decide_many` may answer: not for pairs, nor where all is looked at."""
        card = self._card
        return not self._is_whole and card.max_frames is None and card.halo is not None

    def decide_many(self, frames: Sequence[Pixels]) -> ManyWeights | None:
        """Return weights of many frames, each place looked at closely once.

        Args:
            frames: each ``(H, W, C)``, native or in [0, 1], at least 2.

        Returns:
            None where they are better compared in groups: on a dark ground, on an accelerator,
            and by networks that look at everything.
        """
        if not self._may_leave_out(frames):
            return None
        from panfocus.systems.long_stacks import decided  # noqa: PLC0415  only long stacks need it

        stretch = Stretch.of(frames)
        try:
            return decided(
                frames,
                partial(self.infer, stretch=stretch, tile=True),
                self._scout,
                card=self._card,
                stretch=stretch,
                threads=self._running.cores,
                arbiter=self._arbiter,
            )
        finally:
            self._running.let_go()  # many frames are mixed before the next are decided between

    def _may_leave_out(self, frames: Sequence[Pixels] | Pixels) -> bool:
        """Whether the network may be run only where frames compete."""
        return self._sees_in_tiles(frames) and not coarse_to_fine.is_dark(frames)

    def _sees_in_tiles(self, frames: Sequence[Pixels] | Pixels) -> bool:
        if self._is_whole or not coarse_to_fine.suits(self._card, frames[0].shape):
            return False
        return self._running.runs_on_processor()

    def _by_candidates(self, frames: Pixels, stretch: Stretch | None) -> Float:
        """Return weights, the network run where frames compete."""
        decide = partial(self.infer, stretch=stretch, tile=True)
        return coarse_to_fine.decided(
            frames,
            decide,
            card=self._card,
            threads=self._running.cores,
            arbiter=self._arbiter,
            scout=self._scout if self._card.refined else None,
            stretch=stretch,
        )

    def _in_the_dark(self, frames: Pixels, stretch: Stretch | None) -> Float:
        """Return weights, the network run everywhere, without discs of lights."""
        weights = self._whole(frames, stretch)
        if self._card.refined:
            decide = partial(self.infer, stretch=stretch, tile=True)
            coarse_to_fine.without_discs(weights, frames, decide, card=self._card, stretch=stretch)
        return weights

    def at_both_scales(self, frames: Pixels) -> BothScales:
        """Return what is decided at a reduced scale and closer, which an arbiter learns from.

        Args:
            frames: as `decide` takes them, large enough (`coarse_to_fine.suits`).
        """
        stretch = Stretch.of(frames)
        return coarse_to_fine.at_both_scales(
            frames, partial(self.infer, stretch=stretch, tile=True), card=self._card
        )

    def _whole(self, frames: Pixels, stretch: Stretch | None) -> Float:
        """Return weights, the network run on all of every frame."""
        # under a cap there is no arena either, and memory in pieces holds less
        most = (self._card.tile_pixels or TILE_PIXELS) // (2 if self._running.is_capped else 1)
        return in_tiles(partial(self.infer, stretch=stretch), frames, self._card, most)
