"""What alignment costs: `breathing.py PICTURES [--scenes 6] [--half second]`.

Scenes of 8 frames are filmed twice from the same light: still, and breathing (0.4 % a frame, 2.5
px, 0.15 degrees; `panfocus.synthesis.breathing.film`). RGB PSNR of the still stack fused as it lies
and with `auto`, and of the breathing stack with `auto`, with its true transforms, and as it lies;
once against the truth with 8 px of border left out, once as tools are compared that choose their
own geometry: the truth laid onto each result by an affine fit, 24 px left out. Below: how far the
steps between neighbours that were found are off. Prints Markdown.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.transforms import corner_shift, scale_and_turn
from panfocus.synthesis.breathing import film
from panfocus.synthesis.focal_stacks import depth_light
from panfocus.synthesis.motion import Motion, draw_motions, margin_of
from panfocus.synthesis.scene import Scene

FRAMES = 8
COLUMNS = ("still", "still, auto", "breathing, auto", "breathing, true", "breathing, none")


def scenes(
    folder: Path, count: int, half: str = "all", *, sharp: bool = False
) -> Iterator[tuple[Scene, Scene]]:
    """Yield scenes, still and breathing, of the same pixels of the same light.

    Args:
        folder: of photographs.
        count: scenes.
        half: "first" or "second" of the photographs, so that what is chosen on one is reported on
            the other, or "all".
        sharp: whether every frame is in focus throughout.
    """
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg"})
    middle = len(names) // 2
    names = {"first": names[:middle], "second": names[middle:], "all": names}[half]
    photos = [cv2.imread(str(p))[..., ::-1] for p in names]
    landscape = [p if p.shape[0] < p.shape[1] else np.rot90(p).copy() for p in photos]
    for k in range(count):
        rng = np.random.default_rng([k, 9, ord("b")])
        pictures = [landscape[(2 * k + s) % len(landscape)] for s in (0, 3, 5, 7)]
        light = depth_light(rng, pictures, FRAMES)
        motions = draw_motions(rng, FRAMES)
        if sharp:
            light = replace(light, frames=[light.truth] * FRAMES)
        margin = margin_of(motions, *light.truth.shape[:2])
        yield film(light, [Motion()] * FRAMES, margin), film(light, motions, margin)


def psnr(a: np.ndarray, b: np.ndarray, border: int) -> float:
    """Return PSNR in dB of 8-bit pictures, a border left out."""
    error = np.square(a.astype(np.float64) - b)[border:-border, border:-border]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-9)))


def laid_onto(truth: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Return the truth where the result shows it, by an affine fit of luminances."""
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (result, truth)]
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-7)
    matrix = np.eye(2, 3, dtype=np.float32)
    _, matrix = cv2.findTransformECC(*grey, matrix, cv2.MOTION_AFFINE, stop, None, 5)
    size = (result.shape[1], result.shape[0])
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(truth, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)


def true_matrices(scene: Scene) -> list[np.ndarray]:
    """Return for every frame the matrix (3, 3) from the truth to it."""
    size = scene.truth.shape[:2]
    return [np.vstack([m.matrix(*size), [0, 0, 1]]) for m in scene.motions]


def fused(still: Scene, moving: Scene, system: str, known: Path) -> Iterator[panfocus.Fusion]:
    """Yield the results in the order of `COLUMNS`."""
    placed = [Placed(str(n), m, "similarity", "known") for n, m in enumerate(true_matrices(moving))]
    Alignment(*moving.truth.shape[:2], FRAMES // 2, tuple(placed)).save(known, overwrite=True)
    same = {"system": system, "keep_size": True, "maps": False}
    yield panfocus.fuse(still.frames, align="none", **same)
    yield panfocus.fuse(still.frames, align="auto", **same)
    yield panfocus.fuse(moving.frames, align="auto", **same)
    yield panfocus.fuse(moving.frames, load_transforms=known, **same)
    yield panfocus.fuse(moving.frames, align="none", **same)


def step_errors(scene: Scene, result: panfocus.Fusion) -> list[tuple[float, float]]:
    """Return per step the error of scale in percent, and of the worst corner in pixels."""
    true = true_matrices(scene)
    assert result.transforms is not None
    found = [placed.matrix for placed in result.transforms.frames]
    out = []
    for n in range(len(true) - 1):
        is_, should = (m[n + 1] @ np.linalg.inv(m[n]) for m in (found, true))
        scale = scale_and_turn(is_)[0] - scale_and_turn(should)[0]
        off = corner_shift(np.linalg.inv(should) @ is_, *scene.truth.shape[:2])
        out.append((100 * scale, off))
    return out


def main() -> None:
    """Score everything and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--systems", default="guided,dualpath")
    parser.add_argument("--half", choices=("all", "first", "second"), default="all")
    args = parser.parse_args()
    systems = args.systems.split(",")
    scores: dict[str, list[list[float]]] = {}
    errors: list[tuple[float, float]] = []
    moved = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, (still, moving) in enumerate(scenes(args.pictures, args.scenes, args.half)):
            for system in systems:
                own, fitted = [], []
                for name, result in zip(
                    COLUMNS,
                    fused(still, moving, system, Path(scratch) / "known.json"),
                    strict=True,
                ):
                    own.append(psnr(result.image, still.truth, 8))
                    fitted.append(psnr(result.image, laid_onto(still.truth, result.image), 24))
                    if system == systems[0] and name == "breathing, auto":
                        errors += step_errors(moving, result)
                    if system == systems[0] and name == "still, auto":
                        moved += sum(f["align"]["resampled"] for f in result.report.frames)
                scores.setdefault(f"{system}, truth as it lies", []).append(own)
                scores.setdefault(f"{system}, truth fitted", []).append(fitted)
            print(f"scene {number} done", file=sys.stderr, flush=True)
    print(f"{date.today()}; {args.scenes} scenes of {FRAMES} frames, RGB PSNR dB\n")
    print("| | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS))
    for name, rows in scores.items():
        print(f"| {name} | " + " | ".join(f"{v:.2f}" for v in np.mean(rows, axis=0)) + " |")
    scale, corner = np.sqrt(np.mean(np.square(errors), axis=0))
    print(
        f"\nSteps between neighbours: error of scale {scale:.4f} % and of the worst corner "
        f"{corner:.3f} px, root mean square. Still frames resampled by `auto`: {moved} of "
        f"{args.scenes * FRAMES}."
    )


if __name__ == "__main__":
    main()
