"""Stacks as cameras and people bring them: whole, by frame, by piece, damaged, changed later."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.made import bytes_of, stack

#: Begins anew what fails since the drive is away: ``later(seconds, work)``.
Later = Callable[[float, Callable[[], None]], None]
#: A file by which a folder is known from the empty place of a drive that is away.
HERE = ".here"


@dataclass
class Arrival:
    """A stack on its way, or there.

    Attributes:
        name: of its folder.
        frames: what its files hold in the end.
        versions: how often its files have changed, which it may be fused anew after.
        is_whole: whether the last frame has come.
        is_sound: whether it can be fused at all.
        edited: what somebody has made of the result, which then stays so.
        is_archived: whether the frames were taken away once they were fused.
    """

    name: str
    frames: dict[str, bytes] = field(default_factory=dict[str, bytes])
    versions: int = 0
    is_whole: bool = False
    is_sound: bool = True
    edited: bytes | None = None
    is_archived: bool = False


class Arrivals:
    """Brings stacks into a folder, each in a way of its own."""

    def __init__(self, inbox: Path, aside: Path, later: Later, chance: random.Random) -> None:
        """Set up.

        Args:
            inbox: the folder that is watched.
            aside: a folder on the same file system that is not.
            later: runs something after a while.
            chance: decides.
        """
        self._inbox, self._aside, self._later, self._chance = inbox, aside, later, chance
        self.all: list[Arrival] = []

    def bring(self) -> str:
        """Begin to bring one more; return the way."""
        ways = (self._at_once, self._by_frame, self._by_piece, self._damaged, self._more_later)
        way = self._chance.choices(ways, weights=(4, 4, 3, 1, 2))[0]
        seed = self._chance.randrange(2**31)
        new = Arrival(f"s{len(self.all):04d}")
        for n, frame in enumerate(stack(self._chance.choice((2, 3)), 24, 32, seed=seed)):
            new.frames[f"f{n}.png"] = bytes_of(frame, ".png")
        self.all.append(new)
        way(new)
        return way.__name__.strip("_")

    def _do(self, work: Callable[[], None]) -> None:
        """Do something in the folder, later if the drive is away."""
        try:
            if not (self._inbox / HERE).is_file():
                raise FileNotFoundError(self._inbox)
            work()
        except OSError:
            self._later(0.5, lambda: self._do(work))

    def _at_once(self, new: Arrival) -> None:
        """Move a folder in, as a program does that knows of watchers."""

        def move() -> None:
            made = self._aside / new.name
            made.mkdir(exist_ok=True)
            for name, data in new.frames.items():
                (made / name).write_bytes(data)
            made.rename(self._inbox / new.name)
            new.versions += 1
            new.is_whole = True

        self._do(move)

    def _by_frame(self, new: Arrival) -> None:
        self._write(new, list(new.frames.items()), pieces=1)

    def _by_piece(self, new: Arrival) -> None:
        self._write(new, list(new.frames.items()), pieces=3)

    def _damaged(self, new: Arrival) -> None:
        """Leave the last frame cut off for ever."""
        *_, name = new.frames
        new.frames[name] = new.frames[name][: len(new.frames[name]) // 2]
        new.is_sound = False
        self._write(new, list(new.frames.items()), pieces=2)

    def _more_later(self, new: Arrival) -> None:
        """Bring a whole stack, and one more frame once it may be fused."""
        self._write(new, list(new.frames.items()), pieces=1)
        more = bytes_of(stack(1, 24, 32, seed=self._chance.randrange(2**31))[0], ".png")

        def add() -> None:
            if not new.is_whole or new.edited is not None or new.is_archived:
                return
            (self._inbox / new.name / "g.png").write_bytes(more)
            new.frames["g.png"] = more
            new.versions += 1

        self._later(self._chance.uniform(3, 8), lambda: self._do(add))

    def _write(self, new: Arrival, rest: list[tuple[str, bytes]], pieces: int, at: int = 0) -> None:
        """Write the next piece of the next frame, and go on after a while."""

        def put() -> None:
            folder = self._inbox / new.name
            folder.mkdir(exist_ok=True)
            name, data = rest[0]
            end = len(data) * (at + 1) // pieces
            (folder / name).write_bytes(data[:end])
            new.versions += 1
            is_last = at + 1 == pieces
            left = rest[1:] if is_last else rest
            if not left:
                new.is_whole = True
                return
            then = 0 if is_last else at + 1
            # now and then longer than a watcher waits, so that it meets what is half there
            pause = self._chance.choice((0.05, 0.1, 0.2, 0.9))
            self._later(pause, lambda: self._write(new, left, pieces, then))

        self._do(put)

    def archive(self, done: Arrival) -> None:
        """Take the frames of a stack away, whose result is there."""
        try:
            (self._inbox / done.name).rename(self._aside / f"archive-{done.name}")
            done.is_archived = True
        except OSError:
            return

    def changed(self) -> list[str]:
        """Return the stacks whose frames are not as they were brought."""
        out: list[str] = []
        for one in self.all:
            folder = self._inbox / one.name
            if one.is_archived:
                folder = self._aside / f"archive-{one.name}"
            if (
                not folder.is_dir()
                or {p.name: p.read_bytes() for p in folder.iterdir()} != one.frames
            ):
                out.append(one.name)
        return out


def remove(folder: Path) -> None:
    """Delete a folder, which another process may be writing into."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
