"""Speed and memory of whole commands beside peers and a floor: `speed.py STACKS [--peers BIN]`.

Every figure is of a whole process, PNG out: CPU seconds (user and system), seconds of the clock and
peak resident memory as the operating system accounts them, medians of some runs. All commands run
in turn, and every ratio is of two runs of the same turn, so that a drift of the machine meets both
alike: the median of such ratios, and between which half of them lie. Modules are compiled, as where
pip has installed them. The floor decodes the same files and encodes one of them by the codecs that
panfocus takes, and does nothing else.

`--frames 2,5,10` fuses so many frames, from the first on, of the stacks that have them; `--pixels
1,3,12` makes pairs of so many megapixels of the first stack's first two frames, mirrored until they
are as large. Prints Markdown tables.
"""

import argparse
import multiprocessing
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compiled import environment

FLOOR = """
import sys
from pathlib import Path
from panfocus.frame import Metadata
from panfocus.io import find_frames, read_frame, write_image
frames = [read_frame(info).pixels for info in find_frames([Path(p) for p in sys.argv[2:]])[0]]
write_image(Path(sys.argv[1]), frames[len(frames) // 2], Metadata(), overwrite=True)
"""


@dataclass(frozen=True)
class Cost:
    """CPU seconds, seconds of the clock and peak MiB of one process."""

    cpu: float
    wall: float
    peak: float


def measure(command: list[str]) -> Cost | None:
    """Run a command and return its cost; None if it failed."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        return None
    wall = time.perf_counter() - started
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def commands(
    folder: Path, out: Path, peers: Path | None, systems: list[str]
) -> dict[str, list[str]]:
    """Return name to command for one stack."""
    files = sorted(str(p) for p in folder.iterdir())
    python = sys.executable
    base = {"floor": [python, "-c", FLOOR, str(out / "floor.png"), *files]}
    for system in systems:
        base[f"panfocus {system}"] = [
            python, "-m", "panfocus", "fuse", str(folder), "-o", str(out / f"{system}.png"),
            "-s", system, "-q", "--overwrite", "--align", "none",
        ]  # fmt: skip
    if peers is not None:
        base["focusweave"] = [
            str(peers / "focusweave"), str(folder), "--no-align", "--output", str(out / "fw.png"),
        ]  # fmt: skip
        base["openfocus gfgfgf"] = [
            str(peers / "openfocus"), "-i", str(folder), "-o", str(out / "of.png"), "-m", "gfgfgf",
            "--no-exposure-match", "--cpu",
        ]  # fmt: skip
    enfuse = Path("/usr/bin/enfuse")
    if peers is not None and enfuse.exists():
        weights = ["--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1"]
        base["enfuse"] = [str(enfuse), *weights, "--hard-mask", "-o", str(out / "en.png"), *files]
    return {name: words for name, words in base.items() if Path(words[0]).exists()}


def in_turn(commands: dict[str, list[str]], runs: int) -> dict[str, list[Cost | None]]:
    """Run all commands so many times, one after the other; the first turn only warms caches."""
    turns = [{name: measure(words) for name, words in commands.items()} for _ in range(runs + 1)]
    return {name: [turn[name] for turn in turns[1:]] for name in commands}


def middle(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high


def line(stack: str, name: str, costs: list[Cost | None], floor: list[Cost | None]) -> str:
    """Return a row of the table."""
    pairs = [(c, f) for c, f in zip(costs, floor, strict=True) if c and f]
    if not pairs:
        return f"| {stack} | {name} | failed | | | | |"
    cpu = statistics.median(c.cpu for c, _ in pairs)
    low, ratio, high = middle([c.cpu / f.cpu for c, f in pairs])
    wall = statistics.median(c.wall / c.cpu for c, _ in pairs)
    peak = statistics.median(c.peak for c, _ in pairs)
    spread = f"{ratio:.2f} | {low:.2f}-{high:.2f}"
    return f"| {stack} | {name} | {cpu:.2f} | {spread} | {wall:.2f} | {peak:.0f} |"


def rows(folders: dict[str, Path], args: argparse.Namespace) -> Iterator[str]:
    """Measure every command on every stack."""
    for stack, folder in folders.items():
        with tempfile.TemporaryDirectory() as scratch:
            named = commands(folder, Path(scratch), args.peers, args.systems.split(","))
            costs = in_turn(named, args.runs)
        for name, several in costs.items():
            row = line(stack, name, several, costs["floor"])
            print(row, file=sys.stderr, flush=True)
            yield row


def first_frames(stacks: list[Path], counts: list[int], scratch: Path) -> dict[str, Path]:
    """Return folders of the first frames of each stack that has so many."""
    found: dict[str, Path] = {}
    for folder in stacks:
        files = sorted(folder.iterdir())
        for count in (c for c in counts if c <= len(files)):
            part = scratch / f"{folder.name}-{count}"
            part.mkdir()
            for path in files[:count]:
                (part / path.name).symlink_to(path.resolve())
            found[f"{folder.name}, first {count}"] = part
    return found


def of_sizes(folder: Path, megapixels: list[float], scratch: Path) -> dict[str, Path]:
    """Return folders of pairs that are as large, made of a stack's first two frames.

    They are made by another process: a measured one counts what its parent held as its own peak.
    """
    made = multiprocessing.get_context("spawn").Process(
        target=make_pairs, args=(folder, megapixels, scratch)
    )
    made.start()
    made.join()
    if made.exitcode != 0:
        raise SystemExit(f"{folder}: no pairs could be made")
    return {f"pair of {size:g} MP": scratch / f"{size:g}" for size in megapixels}


def make_pairs(folder: Path, megapixels: list[float], scratch: Path) -> None:
    """Write the pairs of `of_sizes`."""
    import cv2  # noqa: PLC0415  as large as what is measured

    for size in megapixels:
        part = scratch / f"{size:g}"
        part.mkdir()
        height = round((size * 1e6 / 1.5) ** 0.5)
        for n, path in enumerate(sorted(folder.iterdir())[:2]):
            pixels = cv2.imread(str(path))
            more = (height - pixels.shape[0], round(1.5 * height) - pixels.shape[1])
            border = (0, max(more[0], 0), 0, max(more[1], 0), cv2.BORDER_REFLECT)
            large = cv2.copyMakeBorder(pixels, *border)[:height, : round(1.5 * height)]
            cv2.imwrite(str(part / f"{n}.jpg"), large, [cv2.IMWRITE_JPEG_QUALITY, 95])


def report(args: argparse.Namespace, scratch: Path) -> Iterator[str]:
    """Yield the lines of the tables."""
    yield (
        f"{date.today()}, {platform.processor() or platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}; {args.runs} runs each, all in turn"
    )
    head = "CPU s | times the floor | half of the runs | clock / CPU | peak MiB"
    parts = [{folder.name: folder for folder in args.stacks}]
    counts = [int(n) for n in args.frames.split(",") if n]
    sizes = [float(n) for n in args.pixels.split(",") if n]
    parts += [first_frames(args.stacks, counts, scratch)] if counts else []
    parts += [of_sizes(args.stacks[0], sizes, scratch)] if sizes else []
    for part in parts:
        yield from ("", f"| stack | command | {head} |", "|---|---|---|---|---|---|---|")
        yield from rows(part, args)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="+", type=Path, help="folders of frames")
    parser.add_argument("--peers", type=Path, help="bin folder of an environment with the peers")
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--frames", default="", help="counts of first frames, by commas")
    parser.add_argument("--pixels", default="", help="megapixels of made pairs, by commas")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as scratch:
        for text in report(args, Path(scratch)):
            print(text, flush=True)


if __name__ == "__main__":
    main()
