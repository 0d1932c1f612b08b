"""What matching exposures gains: `exposure.py PICTURES [--scenes 4] [--systems guided,dualpath]`.

Scenes of 4 frames, some exposed otherwise than the reference, fused with `exposure` "none" and
"auto"; mean RGB PSNR against the truth as the reference frame exposes it, 8 px of border left out,
and the share of pixels with a clipped channel in the result, the truth and the frames. Light is
multiplied before the sensor clips it, then encoded by a gamma of 2.2, by the curve of sRGB, or by a
camera's curve that rolls highlights off. `--skip` leaves out the first photographs, so that what
was chosen on some can be reported on others. Prints Markdown.
"""

import argparse
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus
from panfocus.synthesis.focal_stacks import depth_light
from panfocus.synthesis.scene import Light

FRAMES = 4


def srgb(light: np.ndarray) -> np.ndarray:
    """Encode linear light in [0, 1] as sRGB does."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


ENCODINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gamma": lambda light: np.clip(light, 0, 1) ** (1 / 2.2),
    "sRGB": lambda light: srgb(np.clip(light, 0, 1)),
    # highlights rolled off by an exponential, which no shape that is fitted equals
    "camera": lambda light: srgb(1 - np.exp(-1.6 * light)),
}
#: Factors on light per frame, in stops: of all channels, and how far red and blue go apart.
CASES: dict[str, tuple[tuple[float, ...], float]] = {
    "equal": ((0, 0, 0, 0), 0),
    "others darker": ((-0.9, -0.5, 0, -1.2), 0),
    "others brighter": ((0.7, 0.4, 0, 0.9), 0),
    "flicker": ((0.15, -0.2, 0, 0.3), 0),
    "white balance": ((-0.3, -0.4, 0, 0.2), 0.25),
}


def lights(folder: Path, count: int, skip: int) -> Iterator[Light]:
    """Yield scenes before they meet a sensor."""
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg"})[skip:]
    photos = [cv2.imread(str(p))[..., ::-1] for p in names]
    photos = [p if p.shape[0] < p.shape[1] else np.rot90(p).copy() for p in photos]
    small = [cv2.resize(p, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA) for p in photos]
    for k in range(count):
        pictures = [small[(k + s) % len(small)] for s in range(3)]
        yield depth_light(np.random.default_rng([k, skip, 17]), pictures, FRAMES, 8)


def exposed(
    light: Light, case: str, encode: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return 8-bit frames ``(N, H, W, 3)``, and the truth as the third frame exposes it."""
    stops, apart = CASES[case]
    frames = []
    for n, (frame, stop) in enumerate(zip(light.frames, stops, strict=True)):
        lean = apart * (0, 1, 0, -1)[n]
        frames.append(encode(frame * np.float32(2) ** (stop + np.array([lean, 0, -lean]))))
    deep = [*frames, encode(light.truth)]
    *out, truth = [np.rint(p * 255).astype(np.uint8) for p in deep]
    return np.stack(out), truth


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Return PSNR in dB of 8-bit pictures, a border left out."""
    error = np.square(a.astype(np.float64) - b)[8:-8, 8:-8]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-9)))


def clipped(picture: np.ndarray) -> float:
    """Return the percentage of pixels with a channel at white, or a level below it."""
    return float(100 * (picture >= 254).any(axis=-1).mean())


def main() -> None:
    """Score everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--systems", default="guided,dualpath")
    args = parser.parse_args()
    rows: dict[tuple[str, str, str], list[list[float]]] = {}
    for light in lights(args.pictures, args.scenes, args.skip):
        for name, encode in ENCODINGS.items():
            for case in CASES:
                frames, truth = exposed(light, case, encode)
                for system in args.systems.split(","):
                    none, auto = (
                        panfocus.fuse(frames, system=system, exposure=e, maps=False).image
                        for e in ("none", "auto")
                    )
                    row = [psnr(none, truth), psnr(auto, truth), clipped(none), clipped(auto)]
                    row += [clipped(truth), max(clipped(f) for f in frames)]
                    rows.setdefault((name, case, system), []).append(row)
    print(
        f"{date.today()}; {args.scenes} scenes of {FRAMES} frames, photographs from {args.skip}\n"
    )
    print(
        "| encoding | frames | system | none, dB | auto, dB | clipped, %: none | auto | truth |",
        end="",
    )
    print(" most of a frame |\n|" + "---|" * 9)
    for key, found in rows.items():
        score = [f"{v:.2f}" for v in np.mean(found, axis=0)]
        print(f"| {' | '.join(key)} | {' | '.join(score)} |")


if __name__ == "__main__":
    main()
