"""Does memory stay when the stack grows? `streaming.py SCRATCH [--counts 5,25,100]`.

Writes four 16-bit TIFFs of one scene into `SCRATCH` (deleted again), links them to as many frames
as asked for, and fuses each stack in a process of its own: CPU and wall seconds, peak resident
memory, each also per frame. `--cap` refuses the processes more address space than that. Prints
Markdown.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import tifffile

from compiled import environment


def frames(folder: Path, height: int, width: int) -> list[Path]:
    """Write four frames, each sharp in its own quarter."""
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 2**16, (600, 600, 3), np.uint16)
    tile = cv2.GaussianBlur(tile, (0, 0), 1.0)
    scene = np.tile(tile, (-(-height // 600), -(-width // 600), 1))[:height, :width]
    soft = cv2.GaussianBlur(scene, (0, 0), 3.0)
    paths = []
    for n in range(4):
        frame = soft.copy()
        columns = slice(n * width // 4, (n + 1) * width // 4)
        frame[:, columns] = scene[:, columns]
        paths.append(folder / f"source{n}.tif")
        tifffile.imwrite(paths[-1], frame, photometric="rgb", compression="zlib")
    return paths


def measure(words: list[str], cap: int | None) -> tuple[float, float, float]:
    """Return CPU seconds, wall seconds and peak MiB of a command."""
    if cap:
        words = ["prlimit", f"--data={cap}", *words]
    start = time.monotonic()
    process = subprocess.Popen(words, env=environment())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(words)}")
    wall = time.monotonic() - start
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--counts", default="5,25,100")
    parser.add_argument("--width", type=int, default=6000)
    parser.add_argument("--height", type=int, default=4000)
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--cap", type=float, help="GiB of memory that the process may ask for")
    args = parser.parse_args()
    cap = int(args.cap * 2**30) if args.cap else None
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        sources = frames(Path(scratch), args.height, args.width)
        size = f"{args.width} x {args.height}, 16 bit, RGB"
        print(f"{date.today()}; {size}" + (f"; capped at {args.cap} GiB" if cap else "") + "\n")
        print("| system | frames | CPU s | wall s | CPU s a frame | peak MiB |")
        print("|---|---|---|---|---|---|")
        for system in args.systems.split(","):
            for count in map(int, args.counts.split(",")):
                stack = Path(scratch) / f"stack{count}"
                stack.mkdir(exist_ok=True)
                for n in range(count):
                    link = stack / f"{n:04d}.tif"
                    if not link.exists():
                        os.link(sources[n % 4], link)
                out = Path(scratch) / "out.tif"
                words = [sys.executable, "-m", "panfocus", "fuse", str(stack), "-o", str(out)]
                cpu, wall, peak = measure([*words, "-s", system, "-q", "--overwrite"], cap)
                row = f"| {system} | {count} | {cpu:.1f} | {wall:.1f} "
                print(row + f"| {cpu / count:.2f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
