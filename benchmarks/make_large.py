"""Render large stacks for speed and memory: `make_large.py PICTURES OUT`.

Mosaics of sharp photographs, mirrored at the seams, so that every pixel holds real detail; then a
foreground object before a background, with circles of confusion as large as such pictures have.
Frames are JPEGs of quality 95; the truth of each is a PNG.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from panfocus.synthesis.defocus import expose, to_linear
from panfocus.synthesis.layers import Layer, render
from panfocus.synthesis.mattes import blob_matte

#: name: frames, height, width, largest circle of confusion in pixels
STACKS = {
    "pair24": (2, 4000, 6000, 14.0),
    "stack12": (10, 3000, 4000, 10.0),
    "stack2": (50, 1200, 1720, 6.0),
}


def mosaic(photos: list[np.ndarray], height: int, width: int, start: int) -> np.ndarray:
    """Return ``(height, width, 3)`` uint8 of photographs side by side, mirrored at seams."""
    rows = []
    step = start
    for y in range(-(-height // photos[0].shape[0])):
        row = []
        for x in range(-(-width // photos[0].shape[1])):
            tile = photos[step % len(photos)]
            tile = tile[:, ::-1] if x % 2 else tile
            row.append(tile[::-1] if y % 2 else tile)
            step += 1
        rows.append(np.hstack(row))
    return np.ascontiguousarray(np.vstack(rows)[:height, :width])


def main(pictures: Path, out: Path) -> None:
    """Render every stack."""
    names = sorted(p for p in pictures.iterdir() if p.suffix.lower() in {".png", ".jpg"})
    photos = [cv2.imread(str(p)) for p in names]
    photos = [p if p.shape[0] < p.shape[1] else np.rot90(p) for p in photos]
    for name, (count, height, width, reach) in STACKS.items():
        back = to_linear(mosaic(photos, height, width, 0).astype(np.float32) / 255)
        front = to_linear(mosaic(photos, height, width, 5).astype(np.float32) / 255)
        matte = blob_matte(np.random.default_rng(1), height, width, 0.3, 0.5)
        layers = [Layer(back, None, 1.0), Layer(front, matte, 0.0)]
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        truth = np.rint(expose(render(layers, [0, 0])) * 255).astype(np.uint8)
        cv2.imwrite(str(out / f"{name}-truth.png"), truth, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        for n, focus in enumerate(np.linspace(0, 1, count)):
            linear = render(layers, [float(1 - focus) * reach, float(focus) * reach])
            frame = np.rint(expose(linear) * 255).astype(np.uint8)
            path = folder / f"f{n:02d}.jpg"
            cv2.imwrite(str(path), frame, [cv2.IMWRITE_JPEG_QUALITY, 95])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
