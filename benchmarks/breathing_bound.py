"""What of breathing's loss no aligner can avoid: `breathing_bound.py PICTURES [--scenes 6]`.

The scenes are those of `breathing.py`. Frames are moved by their exact transforms, and each pixel
is taken from the frame that is closest to the truth around it (7 x 7 pixels) among the *still*
frames, so that nothing is estimated and nothing is decided: what then is lost against the still
frames is the interpolation's. That is done by the product's own filter and by the best that are
known (Lanczos over 8 x 8, order-5 splines, a Fourier series), on encoded values, on light, and on
the square of the lifted value. "Sharp throughout" moves the truth itself, filmed in each pose: the
same loss without any blur. Below: the same of `panfocus fuse`. Mean squared error in grey levels,
24 px of border left out, all scenes alike. Prints Markdown.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from breathing import COLUMNS, FRAMES, fused, scenes, true_matrices
from panfocus.registration.transforms import Crop
from panfocus.registration.warp import warp
from panfocus.synthesis.scene import Scene

BORDER, AROUND, PAD, FINER = 24, 7, 32, 4
Plane = np.ndarray
Move = Callable[[Plane, np.ndarray], Plane]


def lanczos(plane: Plane, matrix: np.ndarray) -> Plane:
    """Move by Lanczos over 8 x 8."""
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    size = plane.shape[1::-1]
    return cv2.warpAffine(plane, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def places(matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return where pixels of the truth lie in a frame ``(2, H, W)``, rows first."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.tensordot(matrix[:2], np.stack([x, y, np.ones_like(x)]), 1)[::-1]


def spline(plane: Plane, matrix: np.ndarray) -> Plane:
    """Move by a spline of order 5."""
    return ndimage.map_coordinates(plane, places(matrix, plane.shape), order=5, mode="mirror")


def fourier(plane: Plane, matrix: np.ndarray) -> Plane:
    """Move by a Fourier series, evaluated between samples four times as dense by a spline."""
    wide = np.pad(plane, PAD, "reflect")
    waves = np.fft.fftshift(np.fft.fft2(wide))
    more = [(side * (FINER - 1) // 2, side * (FINER - 1) - side * (FINER - 1) // 2) for side in
            wide.shape]  # fmt: skip
    dense = np.fft.ifft2(np.fft.ifftshift(np.pad(waves, more))).real * FINER**2
    at = (places(matrix, plane.shape) + PAD) * FINER
    return ndimage.map_coordinates(dense, at, order=5, mode="mirror")


VALUES: dict[str, tuple[Callable[[Plane], Plane], Callable[[Plane], Plane]]] = {
    "encoded": (lambda v: v, lambda v: v),
    "light": (lambda v: v**2.2, lambda v: np.maximum(v, 0) ** (1 / 2.2)),
    "square": (lambda v: (v + 0.1) ** 2, lambda v: np.sqrt(np.maximum(v, 0)) - 0.1),
}


def moved(frame: np.ndarray, matrix: np.ndarray, move: Move, values: str) -> np.ndarray:
    """Return a frame ``(H, W, 3)`` of 8 bits where the truth has it."""
    there, back = VALUES[values]
    planes = there(frame.astype(np.float64) / 255)
    made = np.dstack([move(np.ascontiguousarray(planes[..., c]), matrix) for c in range(3)])
    return np.clip(np.rint(255 * back(made)), 0, 255)


def errors(frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return squared errors ``(N, H, W)``, the mean of the colours."""
    return np.stack([np.square(f.astype(np.float64) - truth).mean(axis=2) for f in frames])


def best(off: np.ndarray) -> np.ndarray:
    """Return for each pixel ``(H, W)`` the frame that is closest to the truth around it."""
    return np.stack([cv2.blur(each, (AROUND, AROUND)) for each in off]).argmin(axis=0)


def taken(off: np.ndarray, choice: np.ndarray) -> float:
    """Return the mean squared error of what is taken."""
    out = np.take_along_axis(off, choice[None], 0)[0]
    return float(out[BORDER:-BORDER, BORDER:-BORDER].mean())


def ideal(still: Scene, moving: Scene, sharp: np.ndarray) -> dict[str, float]:
    """Return the errors of a scene whose transforms and pixels are known."""
    matrices, truth = true_matrices(moving), still.truth
    field = Crop(0, truth.shape[0], 0, truth.shape[1])
    kept = errors(still.frames, truth)
    choice = best(kept)

    def ours(frames: np.ndarray) -> np.ndarray:
        pairs = zip(frames, matrices, strict=True)
        return errors(np.stack([warp(f, m, field) for f, m in pairs]), truth)

    out = {"still frames": taken(kept, choice)}
    made = ours(moving.frames)
    out["moved, as `panfocus` does"] = taken(made, choice)
    out["the same, chosen anew"] = taken(made, best(made))
    out["sharp throughout, as `panfocus` does"] = taken(ours(sharp), choice)
    for name, move in (("Lanczos", lanczos), ("spline", spline), ("Fourier", fourier)):
        for values in VALUES:
            pairs = zip(moving.frames, matrices, strict=True)
            frames = np.stack([moved(f, m, move, values) for f, m in pairs])
            out[f"moved, {name}, {values}"] = taken(errors(frames, truth), choice)
    return out


def of_product(still: Scene, moving: Scene, system: str) -> dict[str, float]:
    """Return the errors of what is fused."""
    with tempfile.TemporaryDirectory() as scratch:
        results = fused(still, moving, system, Path(scratch) / "known.json")
        inner = slice(BORDER, -BORDER)
        return {
            f"{system}, {name}": float(
                np.square(r.image.astype(np.float64) - still.truth)[inner, inner].mean()
            )
            for name, r in zip(COLUMNS, results, strict=True)
            if name in ("still", "breathing, true", "breathing, auto")
        }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--half", choices=("all", "first", "second"), default="second")
    parser.add_argument("--systems", default="guided,dualpath")
    args = parser.parse_args()
    rows: dict[str, list[float]] = {}
    made = zip(
        scenes(args.pictures, args.scenes, args.half),
        scenes(args.pictures, args.scenes, args.half, sharp=True),
        strict=True,
    )
    for number, ((still, moving), (_, sharp)) in enumerate(made):
        found = ideal(still, moving, sharp.frames)
        for system in args.systems.split(","):
            found |= of_product(still, moving, system)
        for name, value in found.items():
            rows.setdefault(name, []).append(value)
        print(f"scene {number} done", file=sys.stderr, flush=True)
    print(f"{date.today()}; {args.scenes} scenes of {FRAMES} frames\n")
    print("| | squared error | PSNR, dB |\n|---|---:|---:|")
    for name, values in rows.items():
        print(f"| {name} | {np.mean(values):.2f} | {10 * np.log10(255**2 / np.mean(values)):.2f} |")


if __name__ == "__main__":
    main()
