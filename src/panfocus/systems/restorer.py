"""A system's learned step on the picture: what to add to a blend that defocus has left soft.

Where no frame is in focus, choosing among pixels cannot help: between two frames of a stack even
the sharper one is a little soft. The last step of an unrolled fuser goes beyond its blend by
``X = B(M) + D(...)`` (`panfocus.train.dualpath.step`); D is exported beside the network that
decides, and runs on the fused picture at full scale.

It has one interface: input ``seen`` float32 ``(1, 3, H, W)``, the blend's luminance in [0, 1], the
standard deviation of the frames' luminance and the largest weight; output ``added`` float32
``(H, W)``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from panfocus.arrays.types import Float
from panfocus.errors import SystemError_
from panfocus.resources.memory import is_capped
from panfocus.systems.card import Card
from panfocus.systems.weights import check_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Recipe(NamedTuple):
    """What a card says of a restorer.

    Attributes:
        model: file name beside the card.
        sha256: of that file.
        halo: pixels of context that a tile needs on each side.
        multiple_of: height and width must be multiples of this.
    """

    model: str
    sha256: str
    halo: int
    multiple_of: int

    @classmethod
    def of(cls, card: Card) -> Recipe | None:
        """Read a card; None where the system has no restorer.

        Raises:
            SystemError_: the card's entry is none.
        """
        told = card.restores
        if told is None:
            return None
        values: Mapping[str, Any] = told
        kinds = {"model": str, "sha256": str, "halo": int, "multiple_of": int}
        if set(values) != set(kinds) or not all(
            isinstance(values[name], kind) for name, kind in kinds.items()
        ):
            raise SystemError_(
                "a system's card has a value that cannot be",
                where=f"{card.name}, restores",
                expected=", ".join(kinds),
                got=repr(dict(values)),
                remedy="export the system again with `panfocus export`",
            )
        return cls(**values)


class Restorer:
    """The network that a card names under ``restores``, checked against its digest."""

    def __init__(self, folder: Path, recipe: Recipe, *, threads: int | None = None) -> None:
        """Check the weights; the session starts with the first picture.

        Raises:
            SystemError_: missing, outside of the folder, or not the ones of the card.
        """
        self.halo, self.multiple_of = recipe.halo, recipe.multiple_of
        self._model = folder / recipe.model
        self._threads = threads
        self._starting = Lock()
        self._started: InferenceSession | None = None
        missing = "the network that restores detail is missing"
        if Path(recipe.model).name != recipe.model:
            raise SystemError_(missing, where=str(self._model))
        check_weights(
            self._model,
            recipe.sha256,
            missing=missing,
            others="the network that restores detail is not the one of the card",
        )

    @property
    def _session(self) -> Any:  # noqa: ANN401  its class has no complete types
        with self._starting:  # threads that come together wait for one session
            if self._started is None:
                # what classical systems do without is not imported before a network runs
                from panfocus.systems.sessions import Source, on_cpu  # noqa: PLC0415

                threads = self._threads or os.cpu_count() or 1
                self._started = on_cpu(
                    Source(self._model, threads, is_capped(), sizes_differ=False)
                )
            return cast("Any", self._started)

    def added(self, seen: Float) -> Float:
        """Return what to add to the luminance, ``(h, w)``.

        Args:
            seen: ``(3, h, w)``: luminance of the blend in [0, 1], standard deviation of the
                frames' luminance, largest weight.
        """
        height, width = seen.shape[1:]
        down, across = -height % self.multiple_of, -width % self.multiple_of
        padded = np.pad(seen, ((0, 0), (0, down), (0, across)), mode="edge")
        made = self._session.run(["added"], {"seen": padded[None]})[0]
        return np.asarray(made, np.float32)[:height, :width]
