"""RGB PSNR on pairs with truth: `pairs_with_truth.py DIR --systems a,b [--results NAME=DIR]`.

`DIR` holds ``A/ B/ GT/`` with equal stems; a result folder holds pictures whose stems end alike.
PSNR uncut and with 4 px of border cut, since a border of one or two bad pixels can move the uncut
figure by many dB. Prints Markdown.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus


def read(path: Path) -> np.ndarray:
    """Return ``(H, W, 3)`` uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def psnr(a: np.ndarray, b: np.ndarray, cut: int) -> float:
    """Return PSNR in dB with `cut` pixels of border left out."""
    inner = slice(cut, -cut or None)
    error = np.square(a.astype(np.float64) - b)[inner, inner]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-9)))


def find(folder: Path, stem: str) -> Path:
    """Return the one picture of a folder whose stem is `stem`."""
    return next(p for p in folder.iterdir() if p.stem == stem)


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--results", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--every", type=int, default=1, help="only every k-th pair")
    args = parser.parse_args()
    folders = {k: Path(v) for k, v in (item.split("=", 1) for item in args.results)}
    systems = [name for name in args.systems.split(",") if name]
    scores: dict[str, list[tuple[float, float]]] = {}
    stems = sorted(p.stem for p in (args.data / "A").iterdir())[:: args.every]
    for stem in stems:
        pair = np.stack([read(find(args.data / side, stem)) for side in "AB"])
        truth = read(find(args.data / "GT", stem))
        for name in (*systems, *folders):
            if name in folders:
                picture = read(find(folders[name], stem))
            else:
                picture = panfocus.fuse(pair, system=name, maps=False).image
            row = (psnr(picture, truth, 0), psnr(picture, truth, 4))
            scores.setdefault(name, []).append(row)
        print(stem, file=sys.stderr, flush=True)
    print(f"{date.today()}; {args.data.name}, {len(stems)} pairs, mean RGB PSNR dB\n")
    print("| | uncut | 4 px cut | lowest (4 px cut) |\n|---|---|---|---|")
    for name, rows in scores.items():
        uncut, cut = np.mean(rows, axis=0)
        print(f"| {name} | {uncut:.2f} | {cut:.2f} | {min(r[1] for r in rows):.2f} |")


if __name__ == "__main__":
    main()
