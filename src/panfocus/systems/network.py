"""A network exported to ONNX behind the seam.

Every exported network has one interface: input ``frames`` float32 ``(N, 3, H, W)`` RGB in [0, 1],
output ``weights`` float32 ``(N, H, W)``, non-negative, summing to 1 over N. The card says how
many frames it takes at once, which multiple its sides need and how much context a tile needs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from panfocus.arrays.types import Float, Pixels
from panfocus.errors import SystemError_
from panfocus.resources.memory import is_capped
from panfocus.systems import coarse_to_fine
from panfocus.systems.card import Card
from panfocus.systems.checks import check_count
from panfocus.systems.devices import AUTO, CPU
from panfocus.systems.intensity import Stretch
from panfocus.systems.planes import in_planes
from panfocus.systems.restorer import Recipe, Restorer
from panfocus.systems.weights import check_weights
from panfocus.systems.whole import in_tiles

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from panfocus.systems.long_stacks import ManyWeights
    from panfocus.systems.sessions import Network, RanOn

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
        if not path.is_file():
            raise SystemError_(
                "this folder holds no system",
                where=str(folder),
                expected="card.json and the network it names",
                remedy="name a folder made by `panfocus export`, or one of `panfocus systems`",
            )
        self._card = Card.read(path)
        self._threads = threads
        self._asked = device
        self._is_whole = whole
        self._starting = Lock()
        self._in_turn = Lock()
        self._started: InferenceSession | None = None
        self._single: InferenceSession | None = None
        self._ran_on: RanOn | None = None
        self._model = folder / (self._card.model or "model.onnx")
        check_weights(
            self._model,
            self._card.sha256,
            missing="the system's network is missing",
            others="the system's weights are not the ones of its card",
        )
        if device not in (AUTO, CPU):
            from panfocus.systems.providers import candidates  # noqa: PLC0415  as below

            candidates(device)  # before any work

    @cached_property
    def restorer(self) -> Restorer | None:
        """What restores detail in a fused picture; None where the system has no such network.

        Raises:
            SystemError_: it is missing or damaged.
        """
        recipe = Recipe.of(self._card)
        if recipe is None:
            return None
        return Restorer(self._model.parent, recipe, threads=self._threads)

    @property
    def card(self) -> Card:
        """The card beside the network."""
        return self._card

    @cached_property
    def _is_capped(self) -> bool:
        return is_capped()

    def working_bytes(self, frames: int, pixels: int) -> int:
        """Return the bytes that a tile of `frames` takes, of pictures of `pixels` each."""
        return int(TILE_BYTES * min(1.0, frames * pixels / (self._card.tile_pixels or TILE_PIXELS)))

    @property
    def ran_on(self) -> RanOn | None:
        """Where the network runs; None before its first decision."""
        return self._ran_on

    @cached_property
    def _network(self) -> Network:
        from panfocus.systems.sessions import Network  # noqa: PLC0415  as below

        return Network(self._model, self._cores, self._is_capped, self._card)

    @property
    def _cores(self) -> int:
        return self._threads or os.cpu_count() or 1

    @property
    def _session(self) -> InferenceSession:
        with self._starting:  # threads that come together wait for one session
            if self._started is None:
                # what classical systems do without is not imported before a network runs
                from panfocus.systems.sessions import start  # noqa: PLC0415

                self._started, self._ran_on = start(self._network, self._asked)
            return self._started

    def _runs_on_processor(self) -> bool:
        """Whether no accelerator runs the network; none that could is left untried."""
        from panfocus.systems.providers import candidates  # noqa: PLC0415  as above

        if not candidates(self._asked):
            return True
        return bool(self._session) and self._ran_on is not None and self._ran_on.device == CPU

    @property
    def _tile_session(self) -> InferenceSession:
        """The session of one thread by which several tiles are decided at the same time."""
        with self._starting:
            if self._single is None:
                from panfocus.systems.sessions import RanOn, on_cpu  # noqa: PLC0415

                self._single = on_cpu(replace(self._network, threads=1))
                self._ran_on = self._ran_on or RanOn(CPU, self._asked)
            return self._single

    def _give_up(self, failed: InferenceSession, error: Exception) -> bool:
        """Go on on the processor after an accelerator failed; False if there is no way."""
        from panfocus.systems.sessions import on_cpu, without  # noqa: PLC0415  as above

        with self._starting:
            if self._started is not failed:  # another thread was quicker
                return True
            ran = self._ran_on
            if ran is None or ran.device == CPU or self._asked != AUTO:
                return False
            self._started = on_cpu(self._network)
            self._ran_on = without(ran, error)
            return True

    @cached_property
    def _options(self) -> Any:  # noqa: ANN401  its class has no complete types
        import onnxruntime as ort  # noqa: PLC0415  slow to import: only when a network runs

        options = cast("Any", ort).RunOptions()
        if not self._is_capped:
            # a tile's memory would otherwise stay while frames are read and blended
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

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
        made = np.asarray(self._run(planes, answer, expected, tile=tile))
        if made.shape != expected or made.dtype.kind != "f":
            raise self._unusable(answer, expected, f"{made.shape}, {made.dtype}")
        return made[:, :height, :width].astype(np.float32, copy=False)

    def _run(
        self, planes: Float, answer: str, expected: tuple[int, ...], *, tile: bool = False
    ) -> object:
        session = cast("Any", self._tile_session if tile else self._session)
        options = None if tile else self._options  # a tile's memory may stay for the next
        ran = self._ran_on
        try:
            with self._in_turn if ran is not None and ran.in_turn else nullcontext():
                return session.run([answer], {"frames": planes}, options)[0]
        except Exception as error:
            # onnxruntime's exceptions have no common base of their own
            reason = f"{type(error).__name__}: {error}"
            if not tile and self._give_up(session, error):
                return self._run(planes, answer, expected)
            raise self._unusable(answer, expected, reason) from error

    def _unusable(self, answer: str, expected: tuple[int, ...], got: str) -> SystemError_:
        ran = self._ran_on
        accelerator = ran.device if ran is not None and ran.device != CPU else None
        return SystemError_(
            f"the network of {self._card.name} does not answer as it should"
            + (f" on {accelerator}" if accelerator else ""),
            where=str(self._model),
            expected=f"{answer} {expected} float32, for frames (N, 3, H, W)",
            got=got.splitlines()[0],
            remedy='run it on the processor: `device="cpu"`'
            if accelerator
            else "export the system again with `panfocus export`, or take another",
        )

    def decide(self, frames: Pixels) -> Float:
        """Return weights ``(N, H, W)``, in tiles when the card allows it.

        Dim and pale frames are stretched first (`panfocus.systems.intensity`).

        Args:
            frames: ``(N, H, W, C)`` in [0, 1], or uint8 or uint16 as their files have them.

        Raises:
            SystemError_: more frames than the network takes.
        """
        check_count(self._card, len(frames))
        quick = self._by_candidates(frames, stretch := Stretch.of(frames))
        return self._whole(frames, stretch) if quick is None else quick

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

        decide = partial(self.infer, stretch=Stretch.of(frames), tile=True)
        return decided(frames, decide, card=self._card, threads=self._cores)

    def _may_leave_out(self, frames: Sequence[Pixels] | Pixels) -> bool:
        """Whether the network may be run only where frames compete."""
        if self._is_whole or not coarse_to_fine.suits(self._card, frames[0].shape):
            return False
        return self._runs_on_processor() and not coarse_to_fine.is_dark(frames)

    def _by_candidates(self, frames: Pixels, stretch: Stretch | None) -> Float | None:
        """Return weights, the network run where frames compete; None where that may not be."""
        if not self._may_leave_out(frames):
            return None
        decide = partial(self.infer, stretch=stretch, tile=True)
        return coarse_to_fine.decided(frames, decide, card=self._card, threads=self._cores)

    def _whole(self, frames: Pixels, stretch: Stretch | None) -> Float:
        """Return weights, the network run on all of every frame."""
        # under a cap there is no arena either, and memory in pieces holds less
        most = (self._card.tile_pixels or TILE_PIXELS) // (2 if self._is_capped else 1)
        return in_tiles(partial(self.infer, stretch=stretch), frames, self._card, most)
