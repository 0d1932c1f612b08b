"""A network that runs: its sessions start with its first work, and follow it to the processor."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from panfocus.arrays.types import Float
from panfocus.errors import SystemError_
from panfocus.resources.memory import is_capped
from panfocus.resources.shortage import shortage
from panfocus.systems.card import Card
from panfocus.systems.devices import AUTO, CPU

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from panfocus.systems.sessions import Network, RanOn


class RunningNetwork:
    """The sessions of one network; may be called by several threads at the same time."""

    def __init__(self, model: Path, card: Card, *, threads: int | None, device: str) -> None:
        """Take what is to be run; nothing starts yet.

        Args:
            model: file of the network.
            card: of it.
            threads: of the processor; None for all cores.
            device: where it runs, a name in `devices.NAMES`.

        Raises:
            SystemError_: the device is one that the installed ONNX Runtime does not offer.
        """
        self.model = model
        self.threads = threads
        self._card = card
        self._asked = device
        self._starting = Lock()
        self._in_turn = Lock()
        self._started: InferenceSession | None = None
        self._single: InferenceSession | None = None
        self._ran_on: RanOn | None = None
        if device not in (AUTO, CPU):
            from panfocus.systems.providers import candidates  # noqa: PLC0415  as below

            candidates(device)  # before any work

    @cached_property
    def is_capped(self) -> bool:
        """Whether a limit on memory in force forbids to ask for more than is touched."""
        return is_capped()

    @property
    def ran_on(self) -> RanOn | None:
        """Where the network runs; None before its first work."""
        return self._ran_on

    @property
    def cores(self) -> int:
        """Threads of the processor."""
        return self.threads or os.cpu_count() or 1

    def runs_on_processor(self) -> bool:
        """Whether no accelerator runs the network; none that could is left untried."""
        from panfocus.systems.providers import candidates  # noqa: PLC0415  as below

        if not candidates(self._asked):
            return True
        return bool(self.session) and self._ran_on is not None and self._ran_on.device == CPU

    @cached_property
    def _network(self) -> Network:
        from panfocus.systems.sessions import Network  # noqa: PLC0415  as below

        return Network(self.model, self.cores, self.is_capped, sizes_differ=False, card=self._card)

    @property
    def session(self) -> InferenceSession:
        """The session of all threads.

        Raises:
            SystemError_: the network cannot be loaded.
        """
        with self._starting:  # threads that come together wait for one session
            if self._started is None:
                # what classical systems do without is not imported before a network runs
                from panfocus.systems.sessions import start  # noqa: PLC0415

                self._started, self._ran_on = start(self._network, self._asked)
            return self._started

    @property
    def _tile_session(self) -> InferenceSession:
        """The session of one thread by which several tiles are decided at the same time."""
        with self._starting:
            if self._single is None:
                from panfocus.systems.sessions import RanOn, on_cpu  # noqa: PLC0415

                self._single = on_cpu(replace(self._network, threads=1, sizes_differ=True))
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
        from panfocus.systems.providers import runtime  # noqa: PLC0415  as below

        options = runtime().RunOptions()
        if not self.is_capped:
            # a tile's memory would otherwise stay while frames are read and blended
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

    def let_go(self) -> None:
        """Let go of memory that was kept from a tile to the next."""
        if self._single is None or self.is_capped:
            return
        side = self._card.multiple_of
        least = np.zeros((2, 3, side, side), np.float32)
        cast("Any", self._single).run(None, {"frames": least}, self._options)

    def run(
        self, planes: Float, answer: str, expected: tuple[int, ...], *, tile: bool = False
    ) -> object:
        """Return what the network answers.

        Args:
            planes: ``(N, 3, H, W)`` in [0, 1], sides as its card needs them.
            answer: name of the output.
            expected: shape that the output should have, for the message.
            tile: one of several that are decided at the same time, on the processor.

        Raises:
            SystemError_: it fails.
        """
        session = cast("Any", self._tile_session if tile else self.session)
        options = None if tile else self._options  # a tile's memory may stay for the next
        ran = self._ran_on
        try:
            with self._in_turn if ran is not None and ran.in_turn else nullcontext():
                return session.run([answer], {"frames": planes}, options)[0]
        except Exception as error:
            # onnxruntime's exceptions have no common base of their own
            reason = f"{type(error).__name__}: {error}"
            if not tile and self._give_up(session, error):
                return self.run(planes, answer, expected)
            told = self.unusable(answer, expected, reason)
            is_own = ran is None or ran.device == CPU  # an accelerator's memory is another's
            raise (shortage(error, told.where) if is_own else None) or told from error

    def unusable(self, answer: str, expected: tuple[int, ...], got: str) -> SystemError_:
        """Return the error of an answer that is none."""
        ran = self._ran_on
        accelerator = ran.device if ran is not None and ran.device != CPU else None
        return SystemError_(
            f"the network of {self._card.name} does not answer as it should"
            + (f" on {accelerator}" if accelerator else ""),
            where=str(self.model),
            expected=f"{answer} {expected} float32, for frames (N, 3, H, W)",
            got=got.splitlines()[0],
            remedy='run it on the processor: `device="cpu"`'
            if accelerator
            else "export the system again with `panfocus export`, or take another",
        )
