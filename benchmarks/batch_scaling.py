"""Stacks a minute by number of worker processes, and a run in which one of three is killed.

    python benchmarks/batch_scaling.py [--stacks 12] [--size 1200x1600] [--frames 6]

Makes its own stacks in a temporary folder; prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

import cv2
import numpy as np

from compiled import environment


def make_stacks(folder: Path, count: int, frames: int, height: int, width: int) -> None:
    """Write `count` folders of JPEGs, each frame sharp in its own strip."""
    rng = np.random.default_rng(0)
    sharp = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 0.8)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    edges = np.linspace(0, width, frames + 1).astype(int)
    for s in range(count):
        (folder / f"s{s:03d}").mkdir(parents=True)
        for n in range(frames):
            frame = soft.copy()
            frame[:, edges[n] : edges[n + 1]] = sharp[:, edges[n] : edges[n + 1]]
            cv2.imwrite(str(folder / f"s{s:03d}" / f"f{n:02d}.jpg"), np.roll(frame, s, 0))


def start(source: Path, out: Path, workers: int) -> subprocess.Popen[str]:
    """Begin a batch that tells its progress as JSON lines."""
    words = ["batch", str(source), str(out), "-s", "guided", "--workers", str(workers)]
    command = [sys.executable, "-m", "panfocus", *words, "--json-progress"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())


def timed(source: Path, out: Path, workers: int) -> tuple[float, float, float]:
    """Return seconds from start to end, from the first stack's end to the last's, and of CPU."""
    begun, before = perf_counter(), cpu_seconds()
    process = start(source, out, workers)
    assert process.stderr is not None
    ends = [perf_counter() for line in process.stderr if '"done"' in line]
    process.wait()
    return perf_counter() - begun, ends[-1] - ends[0], cpu_seconds() - before


def cpu_seconds() -> float:
    """Return what all processes that were started here and have ended have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kill_one(source: Path, out: Path) -> tuple[int, int, int, int]:
    """Kill one of three workers while it is at a stack.

    Returns:
        Exit code, stacks done, the most tries that one of them took, files left half-done.
    """
    process = start(source, out, 3)
    assert process.stderr is not None
    next(line for line in process.stderr if '"done"' in line)
    begun: list[Path] = []
    while not any(path.read_text() for path in begun):  # a worker notes what it is at
        sleep(0.005)
        begun = [p for p in out.glob(".panfocus/stacks/s*") if p.suffix != ".json"]
    os.kill(int(next(text for path in begun if (text := path.read_text()))), 9)
    process.communicate()
    report = json.loads((out / "report.json").read_text())
    tries = max(stack["tries"] for stack in report["stacks"])
    left = [path for path in out.rglob("*") if path.name.startswith(".panfocus-")]
    return process.returncode, report["done"], tries, len(left)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=12)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--size", default="1200x1600")
    options = parser.parse_args()
    height, width = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        make_stacks(folder / "in", options.stacks, options.frames, height, width)
        print(f"{options.stacks} stacks of {options.frames} frames, {width}x{height}, guided;")
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} processors, {platform.machine()}, load before: {load:.1f}\n")
        print("| workers | CPU seconds | seconds in all | stacks a minute, once started | ratio |")
        print("|---|---|---|---|---|")
        first = 0.0
        for workers in (1, 2):
            whole, steady, used = timed(folder / "in", folder / f"out{workers}", workers)
            rate = 60 * (options.stacks - 1) / steady
            first = first or rate
            print(
                f"| {workers} | {used:.1f} | {whole:.1f} | {rate:.1f} | {rate / first:.2f} |",
                flush=True,
            )
        code, done, tries, left = kill_one(folder / "in", folder / "killed")
        print(
            f"\nOne of three workers killed: exit code {code}, {done} of {options.stacks} stacks "
            f"done, most tries {tries}, {left} files left half-done."
        )


if __name__ == "__main__":
    main()
