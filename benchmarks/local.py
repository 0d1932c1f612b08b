"""Is local registration worth it: `local.py PICTURES [--seed 2] [--count 4] [--half second]`.

Makes stacks in which not all moves alike, and stacks in which all does (`make_local_sets.py`),
fuses them with each kind of `--align`, sizes kept, and prints Markdown: mean RGB PSNR in dB and SSIM
against the truth, 24 px of border left out; by how much `local` loses at most against `auto`; and
how many sets it touches. `--shrink 2` lets local registration look at copies half as large, as it
does with photographs of 3 megapixels.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

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


def scores(made: LocalSet, system: str) -> tuple[list[float], list[float], list[float], bool]:
    """Return PSNR, SSIM and CPU seconds for each of `ALIGNED`, and whether `local` changed it."""
    quality, likeness, seconds, pictures = [], [], [], []
    for align in ALIGNED:
        begin = time.process_time()
        result = panfocus.fuse(
            made.frames, system=system, align=align, keep_size=True, maps=False
        ).image
        seconds.append(time.process_time() - begin)
        quality.append(psnr(result, made.truth))
        likeness.append(ssim(made.truth[INNER], result[INNER]))
        pictures.append(result)
    return quality, likeness, seconds, not np.array_equal(pictures[1], pictures[2])


def table(
    system: str, rows: dict[str, list[tuple[Sequence[float], Sequence[float], bool]]]
) -> None:
    """Print what one system makes of all kinds."""
    heads = " | ".join(f"`{align}`" for align in ALIGNED)
    print(f"\n| `{system}` | sets | {heads} | least gain | changed |")
    print("|---|---:|" + "---:|" * (len(ALIGNED) + 2))
    for kind, found in rows.items():
        quality, likeness = (np.array([f[k] for f in found]) for k in (0, 1))
        cells = [
            f"{q:.2f} / {s:.4f}"
            for q, s in zip(quality.mean(axis=0), likeness.mean(axis=0), strict=True)
        ]
        least = float((quality[:, 2] - quality[:, 1]).min())
        changed = sum(f[2] for f in found)
        print(f"| {kind} | {len(found)} | {' | '.join(cells)} | {least:+.2f} | {changed} |")


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
    rows: dict[str, dict[str, list[tuple[Sequence[float], Sequence[float], bool]]]] = {}
    spent = np.zeros(len(ALIGNED))
    for made in local_sets(photos, args.seed, args.count, args.kinds.split(",")):
        for system in args.systems.split(","):
            quality, likeness, seconds, changed = scores(made, system)
            rows.setdefault(system, {}).setdefault(made.kind, []).append(
                (quality, likeness, changed)
            )
            spent += seconds
            print(made.name, system, np.round(quality, 2), file=sys.stderr, flush=True)
    print(f"{date.today()}; seed {args.seed}, {args.half} of the photographs, PSNR dB / SSIM")
    for system, found in rows.items():
        table(system, found)
    told = ", ".join(f"{a} {s:.0f}" for a, s in zip(ALIGNED, spent, strict=True))
    print(f"\nCPU seconds of all fusions: {told}")


if __name__ == "__main__":
    main()
