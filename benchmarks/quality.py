"""PSNR and SSIM of systems and other tools' pictures on sets with known truth.

`quality.py SETS [--systems guided,...] [--results NAME=DIR ...]`, where `SETS` was made by
`make_sets.py` and a result folder holds ``<kind>/<scene>.png``. RGB PSNR with 8 px of border left
out, on the whole picture and on the band where fusion is hard; SSIM on luminance. Prints Markdown.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np

import panfocus

BORDER = 8


def read(path: Path) -> np.ndarray:
    """Return ``(H, W, 3)`` uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray | None = None) -> float:
    """Return PSNR in dB of 8-bit pictures, on the pixels `where` if given."""
    error = np.square(a.astype(np.float64) - b)[BORDER:-BORDER, BORDER:-BORDER]
    if where is not None:
        error = error[where[BORDER:-BORDER, BORDER:-BORDER]]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-9)))


def scenes(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield name, frames, truth and band of a kind's scenes."""
    truths = folder.with_name(f"{folder.name}-truth")
    for scene in sorted(folder.iterdir()):
        frames = np.stack([read(p) for p in sorted(scene.glob("*.png"))])
        band = cv2.imread(str(truths / f"{scene.name}-band.png"), cv2.IMREAD_GRAYSCALE) > 0
        yield scene.name, frames, read(truths / f"{scene.name}.png"), band


def bound(frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the closest source pixel everywhere: what choosing frames cannot pass."""
    distance = np.abs(frames.astype(np.int32) - truth).sum(axis=-1)
    return np.take_along_axis(frames, distance.argmin(axis=0)[None, ..., None], axis=0)[0]


def fused(frames: np.ndarray, system: str, bits: int) -> np.ndarray:
    """Fuse 8-bit frames; for more bits as a camera of so many stores them in 16."""
    if bits == 8:
        return panfocus.fuse(frames, system=system, maps=False).image
    gain = 2 ** (bits - 8)
    picture = panfocus.fuse(frames.astype(np.uint16) * gain, system=system, maps=False).image
    return np.rint(picture / gain).clip(0, 255).astype(np.uint8)


def main() -> None:
    """Score everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--kinds", default="layers,depth,bokeh,void")
    parser.add_argument(
        "--bits", type=int, default=8, help="let frames be of so many bits, stored in 16 if not 8"
    )
    parser.add_argument("--results", action="append", default=[], metavar="NAME=DIR")
    args = parser.parse_args()
    folders = dict(item.split("=", 1) for item in args.results)
    kinds = args.kinds.split(",")
    names = ["bound", *args.systems.split(","), *folders]
    scores: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    from panfocus.metrics import evaluate_all  # noqa: PLC0415

    for kind in kinds:
        for scene, frames, truth, band in scenes(args.sets / kind):
            for name in names:
                if name == "bound":
                    picture = bound(frames, truth)
                elif name in folders:
                    picture = read(Path(folders[name]) / kind / f"{scene}.png")
                else:
                    picture = fused(frames, name, args.bits)
                inner = slice(BORDER, -BORDER)
                ssim = evaluate_all(
                    [frames[0][inner, inner]], picture[inner, inner], truth[inner, inner], ["SSIM"]
                )["SSIM"]
                row = (psnr(picture, truth), psnr(picture, truth, band), ssim)
                scores.setdefault((kind, name), []).append(row)
        print(kind, "done", file=sys.stderr, flush=True)
    held = f"; frames of {args.bits} bits stored in 16" if args.bits != 8 else ""
    print(f"{date.today()}; RGB PSNR dB whole / band, SSIM{held}\n")
    print("| | " + " | ".join(kinds) + " |\n|---|" + "---|" * len(kinds))
    for name in names:
        cells = []
        for kind in kinds:
            whole, band, ssim = np.mean(scores[kind, name], axis=0)
            cells.append(f"{whole:.2f} / {band:.2f}, {ssim:.4f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
