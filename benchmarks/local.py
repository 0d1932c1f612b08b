"""Is local registration worth it: `local.py PICTURES [--seed 2] [--count 4] [--half second]`.

Makes stacks in which not all moves alike, and stacks in which all does (`make_local_sets.py`),
fuses them with each kind of `--align`, sizes kept, and prints Markdown: mean RGB PSNR in dB, SSIM
against the truth, 24 px of border left out; by how much `local` loses at most against `auto`; and
PSNR where things move, against the pose that the picture is nearest to (a double contour is far
from all of them). `--shrink 2` lets local registration look at copies half as large, as it
does with photographs of 3 megapixels.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus
from make_local_sets import KINDS, LocalSet, local_sets
from make_registration_sets import photographs
from panfocus.metrics.reference import ssim
from panfocus.registration import local

ALIGNED = ("none", "auto", "local")
BORDER = 24
INNER = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))


def psnr(made: np.ndarray, truth: np.ndarray) -> float:
    """Return PSNR in dB of 8-bit pictures, a border left out."""
    error = np.square(made.astype(np.float64) - truth)[INNER].mean()
    return float(10 * np.log10(255**2 / max(float(error), 1e-9)))


def in_motion(made: LocalSet, picture: np.ndarray) -> float:
    """Return PSNR in dB where something moves, against the pose that the picture is nearest to."""
    swept = cv2.dilate(made.swept.astype(np.uint8), np.ones((9, 9), np.uint8))[INNER] > 0
    if len(made.poses) < 2 or not swept.any():
        return float("nan")
    errors = [np.square(picture.astype(np.float64) - p)[INNER][swept].mean() for p in made.poses]
    return float(10 * np.log10(255**2 / max(float(min(errors)), 1e-9)))


def score(made: LocalSet, system: str, align: str) -> tuple[list[float], np.ndarray]:
    """Return PSNR, SSIM, PSNR in motion and CPU seconds of a fusion; and its picture."""
    begin = time.process_time()
    picture = panfocus.fuse(
        made.frames, system=system, align=align, keep_size=True, maps=False
    ).image
    seconds = time.process_time() - begin
    likeness = ssim(made.truth[INNER], picture[INNER])
    return [psnr(picture, made.truth), likeness, in_motion(made, picture), seconds], picture


def table(system: str, rows: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Print what one system makes of all kinds: sets, kinds of `ALIGNED`, scores."""
    heads = " | ".join(f"`{align}`" for align in ALIGNED)
    print(f"\n| `{system}` | sets | {heads} | least gain | in motion, `auto` -> `local` |")
    print("|---|---:|" + "---:|" * (len(ALIGNED) + 2))
    for kind, found in rows.items():
        values = np.array(found)
        mean = values.mean(axis=0)
        cells = " | ".join(f"{q:.2f} / {s:.4f}" for q, s in mean[:, :2])
        least = (values[:, 2, 0] - values[:, 1, 0]).min()
        moving = "" if np.isnan(mean[0, 2]) else f"{mean[1, 2]:.2f} -> {mean[2, 2]:.2f}"
        print(f"| {kind} | {len(found)} | {cells} | {least:+.2f} | {moving} |")


def main() -> None:
    """Make the sets and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--systems", default="guided,dualpath")
    parser.add_argument("--half", choices=("first", "second", "all"), default="second")
    parser.add_argument("--shrink", type=int, default=1)
    args = parser.parse_args()
    photos = photographs(args.pictures)
    half = len(photos) // 2
    photos = {"first": photos[:half], "second": photos[half:], "all": photos}[args.half]
    if args.shrink > 1:
        height, width = photos[0].shape[:2]
        local.WORKING_PIXELS = height * width // args.shrink**2
    rows: dict[str, dict[str, list[np.ndarray]]] = {}
    changed: list[str] = []
    for made in local_sets(photos, args.seed, args.count, args.kinds.split(",")):
        for system in args.systems.split(","):
            done = [score(made, system, align) for align in ALIGNED]
            values = np.array([values for values, _ in done])
            rows.setdefault(system, {}).setdefault(made.kind, []).append(values)
            if not np.array_equal(done[1][1], done[2][1]):
                changed.append(f"{system} {made.name}")
            print(made.name, system, np.round(values[:, 0], 2), file=sys.stderr, flush=True)
    print(f"{date.today()}; seed {args.seed}, {args.half} of the photographs, PSNR dB / SSIM")
    for system, found in rows.items():
        table(system, found)
        spent = np.sum([v[:, 3] for values in found.values() for v in values], axis=0)
        told = ", ".join(f"{a} {s:.0f}" for a, s in zip(ALIGNED, spent, strict=True))
        print(f"\nCPU seconds of all fusions: {told}")
    print("\nChanged by `local`: " + ", ".join(changed))


if __name__ == "__main__":
    main()
