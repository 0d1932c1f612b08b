"""What deciding at a reduced scale costs and saves: `working_scale.py LARGE`.

`LARGE` was made by `make_large.py`. For every stack (ten frames of it at most) and every factor:
RGB PSNR against the truth and CPU seconds of the fusion alone. Prints Markdown.
"""

import argparse
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus
from panfocus.systems import FocusMeasureSystem, System, load_system


def read(path: Path) -> np.ndarray:
    """Return ``(H, W, 3)`` uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Return PSNR in dB, 24 px of border left out, summed in bands to spare memory."""
    total, count = 0.0, 0
    for y in range(24, a.shape[0] - 24, 256):
        rows = slice(y, min(y + 256, a.shape[0] - 24))
        error = a[rows, 24:-24].astype(np.float32) - b[rows, 24:-24]
        total += float(np.square(error).sum(dtype=np.float64))
        count += error.size
    return 10 * np.log10(255**2 * count / total)


class Scaled:
    """A network with another working scale on its card."""

    def __init__(self, system: System, pixels: int) -> None:
        self.card = replace(system.card, working_pixels=pixels)
        self.decide = system.decide


def scaled(system: System, pixels: int) -> System:
    """Return the system with another working scale."""
    if isinstance(system, FocusMeasureSystem):
        return replace(system, card=replace(system.card, working_pixels=pixels))
    return Scaled(system, pixels)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("large", type=Path)
    parser.add_argument("--stacks", default="pair24,stack12,stack2")
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--factors", default="1,2,3,4,6")
    args = parser.parse_args()
    print(f"{date.today()}\n\n| stack | system | factor | PSNR dB | CPU s |\n|---|---|---|---|---|")
    for stack in args.stacks.split(","):
        paths = sorted((args.large / stack).glob("*.jpg"))
        chosen = np.unique(np.linspace(0, len(paths) - 1, 10).round().astype(int))
        frames = [read(paths[n]) for n in chosen]
        truth = read(args.large / f"{stack}-truth.png")
        height, width = truth.shape[:2]
        for name in args.systems.split(","):
            loaded = load_system(name)
            for factor in map(int, args.factors.split(",")):
                system = scaled(loaded, height * width // factor**2 + 1)
                start = time.process_time()
                result = panfocus.fuse(frames, system=system, maps=False)
                spent = time.process_time() - start
                assert result.report.working_factor == factor
                row = f"| {stack} | {name} | {factor} | {psnr(result.image, truth):.2f} "
                print(row + f"| {spent:.2f} |", flush=True)


if __name__ == "__main__":
    main()
