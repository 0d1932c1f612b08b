"""Frames that are pushed as they come from a camera: odd ones, and in odd ways."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fuzz.case import Case, How
from fuzz.made import stack


class _Odd(Exception):
    pass


def _raise(*_: object) -> None:
    raise _Odd


#: What is pushed, as a camera's driver may give it.
PUSHED: dict[str, Callable[[], list[Any]]] = {
    "none": lambda: [None], "text": lambda: ["a.png"], "list": lambda: [[[1, 2], [3, 4]]],
    "empty": lambda: [np.zeros((0, 0), np.uint8)], "one row": lambda: [np.zeros((1, 9), np.uint8)],
    "flat": lambda: [np.zeros(99, np.uint8)], "deep": lambda: [np.zeros((2, 24, 32, 3), np.uint8)],
    "nan": lambda: [np.full((24, 32), np.nan, np.float32)] * 2,
    "inf": lambda: [np.full((24, 32), np.inf, np.float32)] * 2,
    "objects": lambda: [np.full((24, 32), None)], "complex": lambda: [np.zeros((24, 32), complex)],
    "float64": lambda: list(stack(channels=1) / 255.0), "one": lambda: [stack()[0]],
    "int32": lambda: [np.zeros((24, 32), np.int32)], "bool": lambda: [np.zeros((24, 32), bool)] * 2,
    "other size": lambda: [stack()[0], stack(height=30)[0]],
    "other kind": lambda: [stack()[0], stack(dtype="uint16")[0]],
    "other channels": lambda: [stack()[0], stack(channels=1)[0]],
    "nothing": list, "swapped": lambda: list(stack(dtype="uint16").astype(">u2")),
    "strided": lambda: list(stack(height=48)[:, ::-2]), "read only": lambda: _frozen(stack()),
    "six channels": lambda: [np.zeros((24, 32, 6), np.uint8)] * 2,
}  # fmt: skip


def _frozen(frames: Any) -> list[Any]:
    frames.setflags(write=False)
    return list(frames)


def pushed_case(name: str, how: str) -> Case:
    """Return a case: frames are pushed, which are odd, or in an odd way."""

    def call(_: list[str]) -> None:
        import panfocus
        from panfocus.errors import PanfocusError

        preview = _raise if how == "preview raises" else (lambda *_: None) if how else None
        before = threading.active_count()
        stream = panfocus.StreamingFusion("guided", preview=preview)
        try:
            for frame in PUSHED[name]():
                stream.push(frame)
                if how == "cancelled":
                    stream.cancel()
            if how == "left":
                return
            if how == "twice":
                stream.finish()
            stream.finish()
        except _Odd:
            assert how == "preview raises"
        finally:
            stream.cancel()
            end = time.monotonic() + 10
            while threading.active_count() > before and time.monotonic() < end:
                time.sleep(0.01)
            assert threading.active_count() <= before, "a thread is left"
        with stream:
            pass
        for more in (lambda: stream.push(stack()[0]), stream.finish):
            try:
                more()
            except (PanfocusError, _Odd):
                continue
            raise AssertionError("it takes more after its end")

    return Case("pushed", f"{name} {how}".strip(), lambda _: [], (0, 1, 2), (), How(seconds=20),
                call=call)  # fmt: skip


#: How they are pushed.
HOWS = ("", "preview", "preview raises", "cancelled", "twice", "left")
