"""Signals that ask a run to end: it then ends after its step, with a checkpoint."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from panfocus.resources.signals import HEARD, PATIENT


class Stop:
    """While entered, remember that SIGTERM or SIGINT came instead of dying of it."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        """Take the signals; only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            PATIENT.set()
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        PATIENT.clear()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        HEARD.set()
