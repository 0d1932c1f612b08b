"""Render material that no bundled system has seen: `make_unseen.py PICTURES OUT`.

A mirror lens on an infrared line camera: what is out of focus becomes rings and not discs, one
channel, rows of their own brightness, and heavy noise. Writes ``OUT/train/`` (stacks without any
truth, to adapt to) and ``OUT/test/`` with ``OUT/test-truth/`` of other photographs, for `quality.py
OUT --kinds test`.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from panfocus.arrays.discs import disc_kernel
from panfocus.synthesis.layers import over
from panfocus.synthesis.mattes import blob_matte

SIZE = (288, 384)
FRAMES = 5
TRAINED, TESTED = 14, 6
#: Of the mirror in the middle of the lens, as a share of the aperture's radius.
HOLE = 0.6
SEED = 60


def ringed(picture: np.ndarray, radius: float) -> np.ndarray:
    """Blur by the ring that a mirror lens makes of a point."""
    if radius < 0.7:
        return picture
    outer, inner = disc_kernel(radius), disc_kernel(HOLE * radius)
    pad = (len(outer) - len(inner)) // 2
    kernel = outer - HOLE**2 * np.pad(inner, pad)
    kernel = np.maximum(kernel, 0) / np.maximum(kernel, 0).sum()
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101)


def scene(rng: np.random.Generator, back: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return frames ``(N, H, W)`` uint8 and the truth ``(H, W)``, without noise."""
    matte = blob_matte(rng, *SIZE, 0.3, 0.6)
    depth = np.linspace(*rng.permutation([0.0, 1.0]), SIZE[1], dtype=np.float32)
    near, gain = float(rng.uniform(0, 1)), float(rng.uniform(5, 9))
    ladder = np.linspace(0, gain, 12)
    steps = np.stack([ringed(back, r) for r in ladder])
    frames = []
    for focus in np.linspace(0, 1, FRAMES):
        place = np.interp(gain * np.abs(depth - focus), ladder, np.arange(12))
        low = np.minimum(place.astype(int), 10)
        share = (place - low).astype(np.float32)
        columns = np.arange(SIZE[1])
        below = steps[low, :, columns].T * (1 - share) + steps[low + 1, :, columns].T * share
        radius = gain * abs(near - focus)
        light = over(front, matte, below, lambda plane, by=radius: ringed(plane, by))
        rows = rng.normal(0, 0.015, (SIZE[0], 1))
        noise = rng.normal(0, 0.03, SIZE)
        frames.append(np.clip(light + rows + noise, 0, 1))
    truth = over(front, matte, back, lambda plane: plane)
    return np.rint(255 * np.stack(frames)).astype(np.uint8), np.rint(255 * truth).astype(np.uint8)


def main(pictures: Path, out: Path) -> None:
    """Render all scenes, each of two photographs that no other has."""
    files = sorted(p for p in pictures.rglob("*") if p.suffix.lower() in {".png", ".jpg"})
    greys = [cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in files if p.parent.name != "masks"]
    large = [g for g in greys if g.shape[0] >= SIZE[0] and g.shape[1] >= SIZE[1]]
    cut = [g[: SIZE[0], : SIZE[1]].astype(np.float32) / 255 for g in large]
    for k in range(TRAINED + TESTED):
        frames, truth = scene(np.random.default_rng([SEED, k]), cut[2 * k], cut[2 * k + 1])
        folder = out / ("train" if k < TRAINED else "test") / f"{k:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        for n, frame in enumerate(frames):
            cv2.imwrite(str(folder / f"f{n}.png"), frame)
        if k >= TRAINED:
            known = out / "test-truth"
            known.mkdir(exist_ok=True)
            cv2.imwrite(str(known / f"{k:02d}.png"), truth)
            cv2.imwrite(str(known / f"{k:02d}-band.png"), np.full(SIZE, 255, np.uint8))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
