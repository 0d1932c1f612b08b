"""What befalls a watcher: signals, drives that go and come back, full disks, locks, other hands."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from fuzz.arrivals import Arrival, Arrivals, Later, remove
from fuzz.results import Results
from fuzz.watcher import Watcher


class Mishaps:
    """Draws one mishap after the other."""

    def __init__(
        self,
        drive: Path,
        watcher: Watcher,
        arrivals: Arrivals,
        results: Results,
        later: Later,
        chance: random.Random,
        *,
        is_small: bool,
    ) -> None:
        """Set up.

        Args:
            drive: holds ``in`` and ``out``.
            watcher: is stopped and started.
            arrivals: are edited and archived.
            results: of the watcher.
            later: runs something after a while.
            chance: decides.
            is_small: whether the drive is one of its own that may be filled.
        """
        self._drive, self._watcher, self._arrivals = drive, watcher, arrivals
        self._later, self._chance, self._results = later, chance, results
        self._away: set[Path] = set()
        self._is_small = is_small
        self._hidden = 0

    def befall(self) -> str:
        """Let one happen; return its name."""
        things: list[tuple[int, Callable[[], None]]] = [
            (4, self.kill_watcher), (3, self.kill_worker), (2, self.stop_watcher),
            (3, self.inbox_away), (3, self.output_away), (2, self.both_away),
            (2, self.other_host), (1, self.dead_host), (1, self.second_watcher),
            (2, self.edit_result), (2, self.archive),
        ]  # fmt: skip
        if self._is_small:
            things.append((3, self.full_disk))
        thing = self._chance.choices([t for _, t in things], [w for w, _ in things])[0]
        thing()
        return thing.__name__

    def _again_soon(self) -> None:
        self._later(self._chance.uniform(0.1, 3), self._watcher.start)

    def kill_watcher(self) -> None:
        """SIGKILL, at whatever it is."""
        self._watcher.stop(signal.SIGKILL)
        self._again_soon()

    def stop_watcher(self) -> None:
        """A signal that it may answer."""
        self._watcher.stop(
            self._chance.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT))
        )
        self._again_soon()

    def kill_worker(self) -> None:
        """SIGKILL of a process that it has started."""
        workers = self._watcher.workers()
        if workers:
            with contextlib.suppress(OSError):
                os.kill(self._chance.choice(workers), signal.SIGKILL)

    def inbox_away(self) -> None:
        """The frames' folder goes and comes back."""
        self._take_away(self._drive / "in")

    def output_away(self) -> None:
        """The results' folder goes and comes back."""
        self._take_away(self._drive / "out")

    def both_away(self) -> None:
        """Both go."""
        self._take_away(self._drive / "in")
        self._take_away(self._drive / "out")

    def _take_away(self, folder: Path) -> None:
        if folder in self._away or not folder.is_dir():
            return
        gone = folder.with_name(f".{folder.name}-away")
        folder.rename(gone)
        self._away.add(folder)
        if self._chance.random() < 0.5:  # the empty place that it was mounted on
            folder.mkdir()

        def come_back() -> None:
            if folder.exists():  # a drive that is mounted hides what was there
                self._hidden += 1
                folder.rename(folder.with_name(f".hidden-{self._hidden}"))
            gone.rename(folder)
            self._away.discard(folder)

        self._later(self._chance.choice((0.3, 1, 2, 5)), come_back)

    def full_disk(self) -> None:
        """No byte is left for a while."""
        filler = self._drive / ".filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(2**16))
        self._later(self._chance.choice((0.5, 2, 5)), lambda: filler.unlink(missing_ok=True))

    def other_host(self) -> None:
        """A batch of another machine is at work: while it lives nobody else may begin."""
        self._lock(0)

    def dead_host(self) -> None:
        """A batch of another machine died minutes ago."""
        self._lock(600)

    def _lock(self, age: float) -> None:
        self._watcher.stop(signal.SIGKILL)
        path = self._drive / "out/.panfocus/running.json"
        about = {"run": "ffff0000", "host": "another-machine", "pid": 1, "started": 1.0}
        with contextlib.suppress(OSError):
            self._cleared(path)
            path.write_text(json.dumps(about))
            then = time.time() - age
            os.utime(path, (then, then))
        if age:
            self._again_soon()
            return
        code = self._watcher.run_once()
        if code == 0 and path.is_file():
            self._watcher.wrong.append("it began beside a batch of another machine")
        with contextlib.suppress(OSError):  # that one ends, and takes its lock along
            if json.loads(path.read_text())["run"] == "ffff0000":
                path.unlink()
        self._again_soon()

    def _cleared(self, path: Path) -> None:
        """Clear away what the run left that was killed, as that machine has done."""
        run = json.loads(path.read_text())["run"] if path.is_file() else None
        out = self._drive / "out"
        for left in [*out.glob(f".panfocus-{run}-*"), *(out / ".panfocus").rglob(f"*.{run}")]:
            remove(left) if left.is_dir() else left.unlink()

    def second_watcher(self) -> None:
        """Somebody starts it twice."""
        if self._watcher.is_alive and self._watcher.is_ready() and not self._away:
            code = self._watcher.run_once()
            if code == 0 and self._watcher.is_alive and not self._away:
                self._watcher.wrong.append("two at once in one output folder")

    def edit_result(self) -> None:
        """Somebody changes a result, which is theirs from then on."""
        one = self._settled()
        if one is not None:
            one.edited = b"edited by hand " + one.name.encode()
            path = self._drive / "out" / f"{one.name}.tif"
            with contextlib.suppress(OSError):
                path.write_bytes(one.edited)

    def archive(self) -> None:
        """Somebody takes away the frames of what is done."""
        one = self._settled()
        if one is not None:
            self._arrivals.archive(one)

    def _settled(self) -> Arrival | None:
        """Return a stack that is done for a while, and right."""
        quiet = time.monotonic() - 3
        there = [
            a
            for a in self._arrivals.all
            if a.is_whole and a.is_sound and not a.is_archived and a.edited is None
            and self._watcher.last_told(a.name) < quiet
        ]  # fmt: skip
        one = self._chance.choice(there) if there and not self._away else None
        return one if one is not None and self._results.is_right(one) else None


def fill_is_possible(drive: Path, size: str = "48m") -> bool:
    """Make the drive a small one of its own, where this user may."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(drive)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def unmount(drive: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", "-l", str(drive)], capture_output=True, check=False)
