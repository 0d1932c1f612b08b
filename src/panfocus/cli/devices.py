"""`panfocus devices`: where networks can run here, tried and not only looked up."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from panfocus.arrays.types import Float
from panfocus.errors import SystemError_, UsageError
from panfocus.systems import PictureSystem, System, device_facts, load_system, traits
from panfocus.systems.devices import CPU
from panfocus.systems.providers import ACCELERATORS, offered, runtime
from panfocus.systems.trial import pair_for

#: Side of the pair that is timed: large enough for an accelerator to show what it can do.
_SIDE = 512


@dataclass(frozen=True)
class _Tried:
    """One device.

    Attributes:
        name: of the device.
        state: "works", "does not work" or "not offered".
        seconds: for a pair of 512 x 512 pixels, the second time; None where it does not work.
        words: what is behind it, or what to do.
    """

    name: str
    state: str
    seconds: float | None
    words: str


def show(system: str, *, as_json: bool) -> None:
    """Print what every device came to.

    Raises:
        UsageError: the system has no network.
        SystemError_: there is no such system.
    """
    if load_system(system).card.model is None:
        raise UsageError(
            "this system has no network, and runs on the processor always",
            where="--system",
            expected="a network of `panfocus systems`, or the folder of an exported one",
            got=system,
        )
    version = str(runtime().__version__)
    tried = [_try(name, system) for name in (CPU, *ACCELERATORS)]
    if as_json:
        facts: dict[str, Any] = {"onnxruntime": version, "system": system}
        print(json.dumps({**facts, "devices": [vars(one) for one in tried]}, indent=2))
        return
    table = Table(title=f"devices for {system}, by onnxruntime {version}")
    for column in ("--device", "here", f"s a pair of {_SIDE} x {_SIDE}", "what it is"):
        table.add_column(column, overflow="fold")  # a command that is cut off helps nobody
    for one in tried:
        seconds = "" if one.seconds is None else f"{one.seconds:.2f}"
        table.add_row(one.name, one.state, seconds, escape(one.words))
    Console().print(table)


def _try(name: str, system: str) -> _Tried:
    if name != CPU and name not in offered():
        device = ACCELERATORS[name]
        return _Tried(name, "not offered", None, f"{device.title}: {device.how_to_get}")
    try:
        loaded = load_system(system, device=name)
        seconds = _timed(loaded)
    except SystemError_ as error:
        return _Tried(name, "does not work", None, error.got or error.what)
    facts = device_facts(loaded)
    words = facts["provider"] if facts else ""
    if facts and facts["share"] is not None:
        words += f", {facts['share']:.0%} of the convolutions"
    return _Tried(name, "works", seconds, words)


def _timed(system: System | PictureSystem) -> float:
    """Return the seconds of the second of two calls: the first one prepares."""
    small = pair_for(system.card).transpose(0, 2, 3, 1)
    repeat = -(-_SIDE // small.shape[1])
    frames = np.tile(small, (1, repeat, repeat, 1))[:, :_SIDE, :_SIDE]
    seconds = 0.0
    for _ in range(2):
        begin = time.perf_counter()
        _ask(system, frames)
        seconds = time.perf_counter() - begin
    return seconds


def _ask(system: System | PictureSystem, frames: Float) -> None:
    if traits.decides(system):
        system.decide(frames)
        return
    assert traits.makes_picture(system)
    run = system.begin()
    for frame in frames:
        run.push(frame)
    run.finish()
