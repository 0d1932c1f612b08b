"""One case: what is laid into a folder, how panfocus is called there, what may come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

#: What goes wrong, worst first.
Fault = Literal[
    "lost", "left", "crash", "traceback", "unexpected", "hang", "memory", "silent", "words", "code",
    "result",
]  # fmt: skip

#: Lays files into the folder and returns the words behind `panfocus`.
Prepare = Callable[[Path], list[str]]
#: Looks at the folder afterwards; returns what is wrong.
Check = Callable[[Path, "Ran"], str | None]


@dataclass(frozen=True)
class How:
    """How a process is run.

    Attributes:
        exec: whether as a new process, and not a copy of one that has imported everything.
        env: variables in place of the present ones.
        closed: streams that are closed: 0, 1, 2.
        full: streams that lead to a full device.
        limits: by the name of `resource`, such as "RLIMIT_STACK".
        stop: a signal, and after how many seconds.
        gone: whether the current folder is deleted before.
        nobody: whether it runs as a user without rights; only root can let it.
        seconds: of the processor, or five times as many by the clock, after which it hangs.
        memory: MiB that it may take beyond what it takes when nothing is done.
    """

    exec: bool = False
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    closed: tuple[int, ...] = ()
    full: tuple[int, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict[str, int])
    stop: tuple[int, float] | None = None
    gone: bool = False
    nobody: bool = False
    seconds: float = 60.0
    memory: int = 700


@dataclass(frozen=True)
class Ran:
    """How it ended: exit code (negative for a signal), both streams, CPU seconds, peak in MiB."""

    code: int
    out: str
    err: str
    seconds: float
    memory: float
    hung: bool = False


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        kind: such as "damage/tiff".
        name: of the case.
        prepare: see `Prepare`.
        codes: exit codes that are right.
        made: patterns of files that may come to be.
        how: see `How`.
        check: a further look.
        call: runs in place of the command line; what it raises is handled as there.
    """

    kind: str
    name: str
    prepare: Prepare
    codes: tuple[int, ...] = (0, 1, 2)
    made: tuple[str, ...] = ("out.*",)
    how: How = How()
    check: Check | None = None
    call: Callable[[list[str]], object] | None = None
