"""Several fusions at a time: in threads, after a fork, into one file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How
from fuzz.made import stack

_HOW = How(seconds=30, memory=900)


def _fuse(frames: Any, system: str = "guided") -> Any:
    import panfocus

    return panfocus.fuse(frames, system=system)


def _in_threads(system: str) -> None:
    expected, found = _fuse(stack(), system=system).image, []

    def work() -> None:
        found.append(np.array_equal(_fuse(stack(), system=system).image, expected))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert found == [True] * 6, found


def _after_fork() -> None:
    expected = _fuse(stack()).image
    child = os.fork()
    if child == 0:
        is_same = np.array_equal(_fuse(stack()).image, expected)
        os._exit(0 if is_same else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _saved_at_once() -> None:
    """Let several threads save to one name: one file, whole, and nothing beside it."""
    done = _fuse(stack())
    threads = [
        threading.Thread(target=done.save, args=("out.png",), kwargs={"overwrite": True})
        for _ in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert [path.name for path in Path().iterdir()] == ["out.png"]


TOGETHER: dict[str, Callable[[], None]] = {
    "threads, guided": lambda: _in_threads("guided"),
    "threads, pyramid": lambda: _in_threads("pyramid"),
    "after a fork": _after_fork, "saved at once": _saved_at_once,
}  # fmt: skip


def together_case(name: str) -> Case:
    """Return a case: several at a time."""
    return Case("python/together", name, lambda _: [], (0,), ("out.png",), _HOW,
                call=lambda _: TOGETHER[name]())  # fmt: skip


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from map(together_case, TOGETHER)
