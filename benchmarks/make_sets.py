"""Render the sets with known truth that the benchmarks score: `make_sets.py PICTURES OUT`.

`PICTURES` is a folder of sharp photographs of one size. Writes ``OUT/<kind>/<scene>/`` with the
frames as ``f0.png ...`` and beside them, out of a fusing tool's sight, ``OUT/<kind>-truth/``.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from panfocus.synthesis.scenes import KINDS

COUNTS = {"layers": 16, "depth": 12, "bokeh": 12, "void": 12, "hair": 12, "translucent": 12}


def main(pictures: Path, out: Path) -> None:
    """Render every kind."""
    names = sorted(p for p in pictures.iterdir() if p.suffix.lower() in {".png", ".jpg"})
    photos = [cv2.imread(str(p))[..., ::-1] for p in names]
    landscape = [p if p.shape[0] < p.shape[1] else np.rot90(p).copy() for p in photos]
    for kind, count in COUNTS.items():
        for k in range(count):
            rng = np.random.default_rng([k, len(kind), ord(kind[0])])
            order = [landscape[(k + s) % len(landscape)] for s in (0, 3, 5, 7)]
            if kind == "layers":
                order = order[:1] if k % 2 else order[:2]
            scene = KINDS[kind](rng, order)
            folder = out / kind / f"{k:02d}"
            truth = out / f"{kind}-truth"
            folder.mkdir(parents=True, exist_ok=True)
            truth.mkdir(parents=True, exist_ok=True)
            for n, frame in enumerate(scene.frames):
                cv2.imwrite(str(folder / f"f{n}.png"), frame[..., ::-1])
            cv2.imwrite(str(truth / f"{k:02d}.png"), scene.truth[..., ::-1])
            cv2.imwrite(str(truth / f"{k:02d}-index.png"), scene.index)
            cv2.imwrite(str(truth / f"{k:02d}-band.png"), scene.band.astype(np.uint8) * 255)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
