"""What looking closely only where frames compete saves: `whole_network.py STACKS [--runs N]`.

For every folder of frames whole processes in turn, by the network on all of every frame and by
default: CPU seconds (user and system), peak resident memory, medians; and how far the pictures
are apart. Prints Markdown.
"""

import argparse
import statistics
import sys
import tempfile
from datetime import date
from pathlib import Path

import cv2
import numpy as np

from speed import Cost, measure

FUSE = """
import sys
import panfocus
from panfocus.systems import load_system
system = load_system(sys.argv[3], whole=sys.argv[4] == "whole")
panfocus.fuse(sys.argv[1], system=system, align="none", maps=False).save(sys.argv[2])
"""


def cost_of(folder: Path, out: Path, system: str, how: str) -> Cost:
    """Fuse a folder in a process of its own.

    Raises:
        SystemExit: it failed.
    """
    out.unlink(missing_ok=True)
    cost = measure([sys.executable, "-c", FUSE, str(folder), str(out), system, how])
    if cost is None:
        raise SystemExit(f"{folder}: failed")
    return cost


def row(folder: Path, system: str, runs: int) -> str:
    """Return a line of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        outs = {how: Path(scratch) / f"{how}.png" for how in ("whole", "default")}
        costs: dict[str, list[Cost]] = {how: [] for how in outs}
        for _ in range(runs):
            for how, out in outs.items():
                costs[how].append(cost_of(folder, out, system, how))
        a, b = (
            cv2.imread(str(out), cv2.IMREAD_UNCHANGED).astype(np.float64) for out in outs.values()
        )
    apart = 10 * np.log10(255**2 / max(float(np.square(a - b).mean()), 1e-9))
    cells = [
        f"{statistics.median(c.cpu for c in several):.2f} / "
        f"{statistics.median(c.peak for c in several):.0f}"
        for several in costs.values()
    ]
    return f"| {folder.name} | {cells[0]} | {cells[1]} | {apart:.1f} |"


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="+", type=Path)
    parser.add_argument("--system", default="dualpath")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    print(f"{date.today()}; CPU seconds / peak MiB, median of {args.runs}\n")
    print("| stack | whole network | default | PSNR between both, dB |\n|---|---|---|---|")
    for folder in args.stacks:
        print(row(folder, args.system, args.runs), flush=True)


if __name__ == "__main__":
    main()
