"""Which order and which left operand fold N frames best by a system for two: `fold_order.py SETS`.

For every stack of ``SETS/depth`` (made by `make_sets.py`), cut to its middle: RGB PSNR against the
truth with the frames pushed forward, backward, or from the middle outwards, and with the fused
picture or the best source pixel standing for the frames so far. Prints Markdown.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from panfocus.frame import Frame
from panfocus.fusion.composite import Composer
from panfocus.fusion.fold import DecisionFold
from panfocus.systems import System, load_system

ORDERS = {
    "forward": lambda n: list(range(n)),
    "backward": lambda n: list(range(n))[::-1],
    "middle out": lambda n: sorted(range(n), key=lambda k: abs(k - n // 2)),
}


def read(path: Path, side: int) -> np.ndarray:
    """Return the middle ``(side, side, 3)`` of a picture, uint8 RGB."""
    picture = cv2.imread(str(path))[..., ::-1]
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def fold(system: System, frames: list[np.ndarray], operand: str, group: int) -> np.ndarray:
    """Return the picture that folding gives."""
    folding = DecisionFold(system, 1, group=group, operand=operand)
    composer = Composer(1, maps=False)
    for n, frame in enumerate(frames):
        for step in folding.push(Frame.of(n, frame)):
            composer.apply(step)
    for step in folding.finish():
        composer.apply(step)
    return composer.picture


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--system", default="drpl")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--stacks", type=int, default=6)
    parser.add_argument("--group", type=int, default=2)
    args = parser.parse_args()
    system = cast("System", load_system(args.system))
    what = f"{args.system}, group of {args.group}, {args.stacks} stacks of 8, middle {args.side} px"
    print(f"{date.today()}; {what}\n")
    print("| order | operand | PSNR dB |\n|---|---|---|")
    for name, order in ORDERS.items():
        for operand in ("best", "fused"):
            scores = []
            for k in range(args.stacks):
                paths = sorted((args.sets / "depth" / f"{k:02d}").glob("*.png"))
                frames = [read(paths[n], args.side) for n in order(len(paths))]
                truth = read(args.sets / "depth-truth" / f"{k:02d}.png", args.side)
                error = fold(system, frames, operand, args.group).astype(np.float64) - truth
                scores.append(10 * np.log10(255**2 / np.mean(error**2)))
            print(f"| {name} | {operand} | {np.mean(scores):.2f} |", flush=True)


if __name__ == "__main__":
    main()
