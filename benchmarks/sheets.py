"""Look at focus boundaries: `sheets.py OUT STACK... [--systems a,b] [--side 96] [--crops 3]`.

For every folder of frames and every system: the whole fused picture and its index map, then the
crops where the systems differ most (or, with one system, where the most frames meet), enlarged:
the frames that won there, and each system's answer. One PNG a stack in `OUT`. For looking, not for
measuring.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

import panfocus


def grey(picture: np.ndarray) -> np.ndarray:
    """Return luminance ``(H, W)`` float32."""
    return cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)


def places(score: np.ndarray, side: int, count: int) -> list[tuple[int, int]]:
    """Return the top left corners of the `count` windows with most of `score`, apart."""
    mean = cv2.blur(score, (side, side))
    half = side // 2
    inside = np.full_like(mean, -1)
    inside[half:-half, half:-half] = mean[half:-half, half:-half]
    found = []
    for _ in range(count):
        y, x = np.unravel_index(int(inside.argmax()), inside.shape)
        found.append((int(y) - half, int(x) - half))
        inside[max(0, y - side) : y + side, max(0, x - side) : x + side] = -1
    return found


def sheet(folder: Path, systems: list[str], side: int, count: int) -> np.ndarray:
    """Draw one stack, RGB ``(H, W, 3)`` uint8."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".png", ".jpg", ".tif"})
    frames = [cv2.imread(str(p))[..., ::-1] for p in paths]
    results = {s: panfocus.fuse(np.stack(frames), system=s) for s in systems}
    pictures = {s: r.image for s, r in results.items()}
    index = next(iter(results.values())).index
    assert index is not None
    if len(systems) > 1:
        stack = np.stack([grey(p) for p in pictures.values()])
        score = np.ptp(stack, axis=0)
    else:
        score = (cv2.Laplacian(index.astype(np.float32), cv2.CV_32F) != 0).astype(np.float32)
    rows = []
    for y, x in places(np.asarray(score, np.float32), side, count):
        window = np.s_[y : y + side, x : x + side]
        won = np.bincount(index[window].ravel(), minlength=len(frames)).argsort()[::-1][:2]
        shown = [frames[n][window] for n in sorted(won)] + [p[window] for p in pictures.values()]
        large = [cv2.resize(s, (288, 288), interpolation=cv2.INTER_NEAREST) for s in shown]
        rows.append(np.hstack(large))
    width = rows[0].shape[1]
    maps = []
    for result in results.values():
        assert result.index is not None
        level = result.index.astype(np.float32) * (255 / max(len(frames) - 1, 1))
        maps.append(cv2.cvtColor(level.astype(np.uint8), cv2.COLOR_GRAY2RGB))
    top = np.hstack([*pictures.values(), *maps])
    scale = width / top.shape[1]
    top = cv2.resize(top, (width, round(top.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    return np.vstack([top, *rows])


def main() -> None:
    """Draw all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("stacks", type=Path, nargs="+")
    parser.add_argument("--systems", default="guided")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--crops", type=int, default=3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for folder in args.stacks:
        drawn = sheet(folder, args.systems.split(","), args.side, args.crops)
        cv2.imwrite(str(args.out / f"{folder.name}.png"), drawn[..., ::-1])


if __name__ == "__main__":
    main()
