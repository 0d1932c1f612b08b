"""Is registration on, right and harmless: `registration.py PICTURES [--seed 2]`.

Makes sets whose transforms are known (`make_registration_sets.py`) and prints Markdown: of sets
that lie in place, how many frames `auto` would resample, and by how much; of sets that move, how
far the steps between neighbours are off at the corner that is off most, per kind. Rails have
parallax: their truth holds for the depth of the middle only.
"""

import argparse
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import numpy as np

from make_registration_sets import Made, moving, photographs, registered
from panfocus.arrays.pixels import luminance, shrink
from panfocus.registration.links import Links
from panfocus.registration.options import FREEDOMS
from panfocus.registration.pyramid import make_detail, reduction
from panfocus.registration.transforms import PairTransform, corner_shift
from panfocus.registration.warp import STILL


def placed(made: Made, kind: str) -> list[PairTransform]:
    """Return where registration finds the frames of a set."""
    height, width = made.frames[0].shape[:2]
    factor = reduction(height, width)
    links = Links(kind, FREEDOMS)
    for frame in made.frames:
        links.add(make_detail(shrink(luminance(frame), factor), factor, height, width))
    return links.place(len(made.frames) // 2)


def shifts(made: Made, kind: str) -> list[float]:
    """Return by how much the corners of each frame are moved, pixels."""
    size = made.frames[0].shape[:2]
    return [corner_shift(found.matrix, *size) for found in placed(made, kind)]


def errors(made: Made, kind: str) -> list[float]:
    """Return by how much the steps between neighbours are off, pixels."""
    size = made.frames[0].shape[:2]
    found = [f.matrix for f in placed(made, kind)]
    steps = [found[n + 1] @ np.linalg.inv(found[n]) for n in range(len(found) - 1)]
    return [
        corner_shift(np.linalg.inv(made.step(n, n + 1)) @ step, *size)
        for n, step in enumerate(steps)
    ]


def still_table(sets: Iterable[Made], kind: str) -> None:
    """Print what becomes of sets that lie in place."""
    rows: dict[str, list[list[float]]] = {}
    for made in sets:
        found = shifts(made, kind)
        rows.setdefault(made.kind, []).append(found)
        if max(found) >= STILL:
            print(f"moved: {made.name}, by {max(found):.2f} px\n")
    print("| in place | sets | frames | resampled |\n|---|---:|---:|---:|")
    for name, values in rows.items():
        frames = [shift for found in values for shift in found]
        moved = sum(shift >= STILL for shift in frames)
        print(f"| {name} | {len(values)} | {len(frames)} | {moved} |")


def moving_table(sets: Iterable[Made], kind: str) -> None:
    """Print how far steps are off."""
    rows: dict[str, list[float]] = {}
    for made in sets:
        rows.setdefault(made.kind, []).extend(errors(made, kind))
    rows["all but rail"] = [e for name, values in rows.items() if name != "rail" for e in values]
    print("\n| moving | steps | median px | largest px | under 0.1 px |\n|---|---:|---:|---:|---:|")
    for name, values in rows.items():
        share = 100 * float(np.mean(np.array(values) < 0.1))
        middle, most = np.median(values), np.max(values)
        print(f"| {name} | {len(values)} | {middle:.3f} | {most:.3f} | {share:.1f} % |")


def main() -> None:
    """Make the sets and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--registered", type=int, default=200)
    parser.add_argument("--moving", type=int, default=48)
    parser.add_argument("--align", default="auto")
    parser.add_argument("--half", choices=("first", "second", "all"), default="second")
    args = parser.parse_args()
    photos = photographs(args.pictures)
    half = len(photos) // 2
    photos = {"first": photos[:half], "second": photos[half:], "all": photos}[args.half]
    begin = time.process_time()
    print(f"{date.today()}; seed {args.seed}, {args.half} of the photographs, `{args.align}`\n")
    still_table(registered(photos, args.seed, args.registered), args.align)
    moving_table(moving(photos, args.seed, args.moving), args.align)
    print(f"\n{time.process_time() - begin:.0f} s of processor time")


if __name__ == "__main__":
    main()
