"""Whether a stroke's brightness should be fitted to its surroundings: PSNR where it paints.

Made stacks with truth. A place is taken where one frame is sharp and the ring around the stroke is
sharp in other frames, the hardest case for the fit; the truth is spoilt there and painted over from
that frame, which is brighter than it by a share, with and without the fit.

    python benchmarks/stroke_brightness.py RUNS/valn --kinds depth,layers
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

import panfocus
from panfocus.retouch.apply import Layers, apply
from panfocus.retouch.brightness import fit_brightness, surroundings
from panfocus.retouch.coverage import coverage
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import FrameSource, Stroke


class OneFrame:
    """A frame as a source of strokes."""

    def __init__(self, pixels):
        self.pixels = pixels

    def layers(self, _source, region, /):
        """Return a region of it."""
        return Layers(self.pixels[region.slices])


def psnr(one, other):
    """Return decibels, 65 at most."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return 10 * np.log10(255**2 / max(error, 0.02))


def one_stack(folder, truth_path, shares, rng, radius):
    """Yield, for each place, PSNR with the fit off and on for each share."""
    frames = [cv2.imread(str(p))[..., ::-1] for p in sorted(folder.iterdir())]
    truth = np.ascontiguousarray(cv2.imread(str(truth_path))[..., ::-1])
    index = panfocus.fuse(frames, system="guided", align="none", exposure="none").index
    height, width = truth.shape[:2]
    whole = Region(0, 0, width, height)
    for _ in range(400):
        x, y = rng.integers(radius, width - radius), rng.integers(radius, height - radius)
        number = int(index[y, x])
        stroke = Stroke("brush", ((float(x), float(y)),), FrameSource(number), radius=radius)
        near = surroundings(replace(stroke, match_brightness=True), whole)
        cover = coverage(stroke, near)
        own = index[near.slices] == number
        core, ring = cover > 0.5, cover == 0
        if own[core].mean() < 0.95 or own[ring].mean() > 0.5:
            continue
        yield [figures(truth, frames[number], near, stroke, share) for share in shares]


def figures(truth, frame, near, stroke, share):
    """Return PSNR off and on."""
    source = OneFrame(np.clip(np.rint(frame * (1 + share)), 0, 255).astype(np.uint8))
    core = coverage(stroke, near) == 1
    picture = truth[near.slices].copy()
    picture[core] = cv2.GaussianBlur(picture, (0, 0), 6)[core]
    fitted = fit_brightness(
        replace(stroke, match_brightness=True), [], near, Layers(picture), source
    )
    made = [apply([s], near, Layers(picture), source).pixels for s in (stroke, fitted)]
    return [psnr(m[core], truth[near.slices][core]) for m in made]


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--kinds", default="depth,layers,bokeh")
    parser.add_argument("--radius", type=int, default=24)
    options = parser.parse_args()
    shares = (0.0, 0.01, 0.02, 0.05, 0.1, -0.05)
    rng = np.random.default_rng(1)
    rows = []
    for kind in options.kinds.split(","):
        for folder in sorted((options.sets / kind).iterdir())[:8]:
            (truth,) = (options.sets / f"{kind}-truth").glob(f"{folder.name}.*")
            rows += one_stack(folder, truth, shares, rng, options.radius)
    table = np.array(rows)
    print(f"{len(table)} places\n\n| frame brighter by | off | on | median gain | worst tenth |")
    print("|---|---|---|---|---|")
    for n, share in enumerate(shares):
        off, on = table[:, n].mean(axis=0)
        gain = table[:, n, 1] - table[:, n, 0]
        ends = f"{np.median(gain):+.2f} | {np.quantile(gain, 0.1):+.2f}"
        print(f"| {share:.0%} | {off:.2f} | {on:.2f} | {ends} |")


if __name__ == "__main__":
    main()
