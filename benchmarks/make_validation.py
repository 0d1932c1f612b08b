"""Render the scenes that choose between trainings: `make_validation.py PICTURES OUT`.

`PICTURES` are sharp photographs that no reported set is made of. What chooses a setting may not
report it, so these scenes appear in no table of results. Besides the kinds of `make_sets.py` there
are fluorescence (``sections``, ``spots``) and photographs with one black frame (``misfire``).
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from panfocus.synthesis.fluorescence import spot
from panfocus.synthesis.microscope import GaussianSpread, Optics, noise_variance
from panfocus.synthesis.scenes import KINDS

#: Scenes of a kind. Six of lights misled: what gained .43 dB on them gained .01 elsewhere.
SCENES = {"bokeh": 18}
FEW = 6
#: Folders beside photographs that hold their masks.
NO_PHOTOGRAPHS = {"alpha", "masks"}
SIZE = (416, 512)
SEED = 77


def photographs(folder: Path) -> list[np.ndarray]:
    """Return pictures RGB of `SIZE`, their middle."""
    out = []
    files = (p for p in folder.rglob("*") if p.suffix.lower() in {".png", ".jpg"})
    for path in sorted(p for p in files if p.parent.name not in NO_PHOTOGRAPHS):
        picture = cv2.imread(str(path))
        if min(picture.shape[:2]) < SIZE[0]:
            continue
        scale = max(SIZE[0] / picture.shape[0], SIZE[1] / picture.shape[1])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = ((a - b) // 2 for a, b in zip(small.shape, SIZE, strict=False))
        out.append(small[top : top + SIZE[0], left : left + SIZE[1], ::-1].copy())
    return out


def structure(rng: np.random.Generator, kind: str) -> np.ndarray:
    """Draw one structure of fluorescence, ``(H, W)`` in [0, 1]."""
    height, width = SIZE[0] // 2, SIZE[1] // 2
    canvas = np.zeros((height, width), np.float32)
    at = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    if kind == "spots":
        return spot(canvas.shape, at[1], at[0], rng.uniform(0.5, 2.0))
    if rng.random() < 0.5:
        cv2.circle(canvas, at.astype(int).tolist(), int(rng.integers(2, 14)), 1, -1, cv2.LINE_AA)
    else:
        turn = rng.uniform(0, np.pi)
        end = at + rng.uniform(20, 80) * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(canvas, at.astype(int).tolist(), end.astype(int).tolist(), 1, 2, cv2.LINE_AA)
    return canvas


def fluorescence(rng: np.random.Generator, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return planes ``(N, H, W)`` and truth ``(H, W)``, uint16 of 12 bits."""
    count = int(rng.integers(6, 13))
    thickness, spread = rng.uniform(0.7, 3), rng.uniform(0.3, 1.0)
    optics = Optics(GaussianSpread(0.5, spread), thickness)
    shape = (SIZE[0] // 2, SIZE[1] // 2)
    planes, truth = np.zeros((count, *shape), np.float32), np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(3, 50)) if kind == "spots" else 60):
        light = structure(rng, kind) * rng.uniform(0.2, 1)
        depth = rng.uniform(0, count - 1)
        for k in range(count):
            # the brighter of two, where light would add up: so these scenes have always chosen
            planes[k] = np.maximum(planes[k], optics.see(light, abs(depth - k)))
        truth = np.maximum(truth, optics.see(light, 0))
    ground, top = rng.uniform(20, 400), rng.uniform(800, 3500)
    signal = ground + top * planes
    noisy = signal + rng.normal(0, 1, signal.shape) * np.sqrt(noise_variance(signal, 0.5, 5))
    as_counts = [
        np.clip(np.rint(a), 0, 4095).astype(np.uint16) for a in (noisy, ground + top * truth)
    ]
    return as_counts[0], as_counts[1]


def write(folder: Path, name: str, frames: np.ndarray, truth: np.ndarray) -> None:
    """Write frames as ``folder/name/fNN.png``, the truth beside the folder."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    truths = folder.with_name(f"{folder.name}-truth")
    truths.mkdir(exist_ok=True)
    for n, frame in enumerate(frames):
        cv2.imwrite(
            str(folder / name / f"f{n:02d}.png"), frame[..., ::-1] if frame.ndim == 3 else frame
        )
    cv2.imwrite(str(truths / f"{name}.png"), truth[..., ::-1] if truth.ndim == 3 else truth)


def main(pictures: Path, out: Path) -> None:
    """Render every kind."""
    photos = photographs(pictures)
    for kind in (*KINDS, "misfire"):
        for k in range(SCENES.get(kind, FEW)):
            rng = np.random.default_rng([SEED, k, *kind.encode()])
            order = [photos[int(n)] for n in rng.permutation(len(photos))[:4]]
            make = KINDS["depth" if kind == "misfire" else kind]
            scene = make(rng, order[: 1 + k % 2] if kind == "layers" else order)
            frames = list(scene.frames)
            if kind == "misfire":
                black = frames[0] * 0.02 + rng.normal(2, 1.5, frames[0].shape)
                frames.insert(
                    int(rng.integers(len(frames))), np.clip(black, 0, 255).astype(np.uint8)
                )
            write(out / kind, f"{k:02d}", np.stack(frames), scene.truth)
    for kind in ("sections", "spots"):
        for k in range(SCENES.get(kind, FEW)):
            rng = np.random.default_rng([SEED, k, *kind.encode()])
            write(out / kind, f"{k:02d}", *fluorescence(rng, kind))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
