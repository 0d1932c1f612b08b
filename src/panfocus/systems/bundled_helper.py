"""Small networks that help those which decide: bundled, and the same for every system."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from panfocus.errors import SystemError_
from panfocus.systems.weights import check_weights


class BundledHelper:
    """A folder of ``card.json`` and ``model.onnx``; may be used by several threads."""

    def __init__(self, folder: Path, told: str, *, is_capped: bool = False) -> None:
        """Take the folder; nothing is read yet.

        Args:
            folder: of card and network.
            told: the network, for messages, such as "the network that names candidates".
            is_capped: whether a limit on memory in force forbids to ask for more than is touched.
        """
        self._folder = folder
        self._told = told
        self._is_capped = is_capped
        self._starting = Lock()

    @property
    def session(self) -> Any:  # noqa: ANN401  its class has no complete types
        """What runs it, on one thread of the processor; kept once asked for.

        Raises:
            SystemError_: see `start`.
        """
        with self._starting:  # threads that come together wait for one session
            return self._kept

    @cached_property
    def _kept(self) -> Any:  # noqa: ANN401  as above
        return self.start()

    def start(self) -> Any:  # noqa: ANN401  as above
        """Return what runs it, for its caller alone.

        Its layers share an arena: without one each asks for fresh pages, which costs twice what is
        done in them (MEASURED, docs/decisions/0039).

        Raises:
            SystemError_: card or network missing, damaged, or not the one of its card.
        """
        # what classical systems do without is not imported before a network runs
        from panfocus.systems.sessions import Source, on_cpu  # noqa: PLC0415

        model = self._folder / "model.onnx"
        check_weights(
            model,
            self._digest(),
            missing=f"{self._told} is missing",
            others=f"{self._told} is not the one of its card",
        )
        return on_cpu(Source(model, 1, self._is_capped, sizes_differ=True))

    def _digest(self) -> str:
        path = self._folder / "card.json"
        try:
            return str(json.loads(path.read_text("utf-8"))["sha256"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SystemError_(
                f"the card of {self._told} is missing or damaged",
                where=str(path),
                expected="a card with the network's sha256",
                got=str(error) or type(error).__name__,
                remedy="install panfocus again",
            ) from error
