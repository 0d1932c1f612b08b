"""The process that watches, and what it has said."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import panfocus
from fuzz.process import hear_signals

#: Seconds for which files must not have changed, and those in which a signal must have worked.
SETTLE, _PATIENCE = 0.4, 15.0
_TRACEBACK, _UNEXPECTED = "Traceback (most recent call last)", "something unexpected"


@dataclass(frozen=True)
class Told:
    """What was said of a stack: when, how it went, why it failed."""

    at: float
    name: str
    state: str
    error: str | None


class Watcher:
    """Starts `panfocus batch --watch`, stops it, and hears it.

    Attributes:
        told: of every stack, in the order in which it was said.
        wrong: what it should not have done.
        starts: how often it was started.
        refused: why it would not begin, and how often.
    """

    def __init__(self, drive: Path, log: Path) -> None:
        self._drive, self._log = drive, log
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self._workers = 0
        self._has_begun = False
        self._last = ""
        self.refused: Counter[str] = Counter()
        self.told: list[Told] = []
        self.wrong: list[str] = []
        self.starts = 0

    def _words(self, *more: str) -> list[str]:
        at = [str(self._drive / "in"), str(self._drive / "out")]
        return [sys.executable, "-m", "panfocus", "batch", *at, "--system", "guided",
                "--json-progress", *more]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(Path(panfocus.__file__).parent.parent)}

    @property
    def is_alive(self) -> bool:
        """Whether it is at work."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, unless it is at work; every other time with processes of its own."""
        if self.is_alive:
            return
        self._ended_by_itself()
        self.starts += 1
        self._has_begun, self._last = False, ""
        self._workers = 2 * (self.starts % 2)
        words = self._words("--watch", "--settle", str(SETTLE), "--workers", str(self._workers))
        self._process = subprocess.Popen(
            words, env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
            preexec_fn=hear_signals,  # noqa: PLW1509  it takes no lock
        )  # fmt: skip
        self._thread = threading.Thread(target=self._hear, args=(self._process,), daemon=True)
        self._thread.start()

    def _hear(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._log.open("a") as log:
                log.write(line)
            self._note(line)

    def _note(self, line: str) -> None:
        if _TRACEBACK in line:
            self.wrong.append("a traceback")
        if _UNEXPECTED in line:
            self.wrong.append(line.strip())
        if line.startswith("panfocus: "):
            self._last = line.strip()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said: dict[str, Any] = json.loads(line)
            self._has_begun = True
            one = Told(time.monotonic(), said["message"], said["stage"], said["error"])
            self.told.append(one)

    def stop(self, number: int) -> None:
        """Send it a signal, and wait for its end."""
        process = self._process
        if process is None:
            return
        if self._ended_by_itself():
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            code = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"signal {number} did not end it within {_PATIENCE:.0f} s")
            code = -signal.SIGKILL
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers
        process.wait()
        if number != signal.SIGKILL and code == 1:
            self.wrong.append(f"signal {number}: exit code 1")
        if self._thread is not None:
            self._thread.join(5)
        self._process = None

    def _ended_by_itself(self) -> bool:
        """Whether it has: it may refuse to begin, and else goes on whatever happens."""
        process = self._process
        if process is None or process.poll() is None:
            return False
        if self._thread is not None:
            self._thread.join(5)
        if self._has_begun or process.returncode not in (1, 2) or not self._last:
            self.wrong.append(f"it ended by itself: code {process.returncode} {self._last}")
        self.refused[self._last] += 1
        self._process = None
        return True

    def workers(self) -> list[int]:
        """Return the numbers of the processes that it has started for its work.

        Python's own that keeps count of semaphores is none: whatever takes its place speaks in
        tracebacks of those that it has never heard of.
        """
        import psutil

        if self._process is None:
            return []
        try:
            started = psutil.Process(self._process.pid).children(recursive=True)
            return [p.pid for p in started if "resource_tracker" not in " ".join(p.cmdline())]
        except psutil.Error:
            return []

    def is_ready(self) -> bool:
        """Whether it has the output folder for itself."""
        try:
            path = self._drive / "out/.panfocus/running.json"
            return json.loads(path.read_text())["pid"] == getattr(self._process, "pid", None)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def run_once(self, *more: str) -> int:
        """Run a batch that goes on where others ended; return its exit code."""
        words = self._words("--resume", "--workers", "0", *more)
        ran = subprocess.run(
            words, env=self._environment(), capture_output=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, timeout=600, check=False,
        )  # fmt: skip
        with self._log.open("a") as log:
            log.write(f"-- once: {ran.returncode}\n{ran.stderr}")
        for line in ran.stderr.splitlines():
            self._note(line)
        return ran.returncode

    def went(self, name: str) -> list[Told]:
        """Return what was said of a stack."""
        return [one for one in self.told if one.name == name]

    def last_told(self, name: str) -> float:
        """Return when a stack was last spoken of; never is long ago."""
        return max((one.at for one in self.went(name)), default=0.0)
