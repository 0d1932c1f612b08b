"""Speed and memory of whole commands beside peers and a floor: `speed.py STACKS [--peers BIN]`.

Every figure is of a whole process, PNG out: CPU seconds (user and system) and peak resident
memory as the operating system accounts them, the median of some runs, all commands in turn so
that a drift of the machine meets all alike. The floor decodes the same files and encodes one of
them with Pillow, level 1, and does nothing else. Prints a Markdown table.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FLOOR = """
import sys
from PIL import Image
frames = [Image.open(p).convert("RGB") for p in sys.argv[2:]]
frames[len(frames) // 2].save(sys.argv[1], compress_level=1)
"""


@dataclass(frozen=True)
class Cost:
    """CPU seconds and peak MiB of one process."""

    cpu: float
    peak: float


def measure(command: list[str]) -> Cost | None:
    """Run a command and return its cost; None if it failed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        return None
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


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
            "-s", system, "-q", "--overwrite",
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
    return base


def table(stacks: list[Path], peers: Path | None, systems: list[str], runs: int) -> str:
    """Measure every command on every stack and return a Markdown table."""
    lines = [
        f"{date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; median of {runs} runs",
        "",
        "| stack | command | CPU s | ratio to the floor | peak MiB |",
        "|---|---|---|---|---|",
    ]
    for folder in stacks:
        with tempfile.TemporaryDirectory() as scratch:
            named = commands(folder, Path(scratch), peers, systems)
            costs: dict[str, list[Cost]] = {name: [] for name in named}
            for _ in range(runs):
                for name, command in named.items():
                    cost = measure(command)
                    if cost is not None:
                        costs[name].append(cost)
        floor = statistics.median(c.cpu for c in costs["floor"])
        for name, several in costs.items():
            if not several:
                lines.append(f"| {folder.name} | {name} | failed | | |")
                continue
            cpu = statistics.median(c.cpu for c in several)
            peak = statistics.median(c.peak for c in several)
            lines.append(f"| {folder.name} | {name} | {cpu:.2f} | {cpu / floor:.2f} | {peak:.0f} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="+", type=Path, help="folders of frames")
    parser.add_argument("--peers", type=Path, help="bin folder of an environment with the peers")
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(table(args.stacks, args.peers, args.systems.split(","), args.runs))


if __name__ == "__main__":
    main()
