"""What each part of Dual-Path adds: `dualpath_ablation.py SETS RUN... [--pairs DIR]`.

For every training run (the folder given to ``panfocus train dualpath --out``): RGB PSNR of the
classical teacher, of the mask predictor, and of every unrolled step, as sources blended by the
mask M^k and as the fuser's own picture X^k, on scenes with known truth that no training saw.
`SETS` was made by `make_sets.py`; `--pairs` is a folder with ``A/ B/ GT/``. Prints Markdown.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from panfocus.train import checkpoint as checkpoints
from panfocus.train.dualpath import masks
from panfocus.train.dualpath.config import Masking, from_dict
from panfocus.train.dualpath.iterate import Iterate, blend
from panfocus.train.dualpath.model import Learner

#: Pixels of border left out, and the side that scenes are cut to (a multiple of every network's).
BORDER, ROWS, COLUMNS = 8, 416, 512
#: The measures that the recipes ask.
ASKED = Masking()
Scene = tuple[np.ndarray, np.ndarray]


def read(path: Path) -> np.ndarray:
    """Return the middle ``(3, h, w)`` of a picture, RGB float32 in [0, 1]."""
    picture = cv2.imread(str(path))[..., ::-1]
    rows, columns = (
        min(limit, side // 16 * 16)
        for limit, side in zip((ROWS, COLUMNS), picture.shape, strict=False)
    )
    top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
    cut = picture[top : top + rows, left : left + columns].transpose(2, 0, 1)
    return np.ascontiguousarray(cut, np.float32) / np.float32(255)


def scenes(sets: Path, pairs: Path | None, every: int) -> Iterator[tuple[str, Scene]]:
    """Yield kind and (frames ``(N, 3, H, W)``, truth ``(3, H, W)``)."""
    for kind in ("layers", "depth", "bokeh", "void"):
        for scene in sorted((sets / kind).iterdir())[::every]:
            frames = np.stack([read(p) for p in sorted(scene.glob("*.png"))])
            yield kind, (frames, read(sets / f"{kind}-truth" / f"{scene.name}.png"))
    if pairs is not None:
        for first in sorted((pairs / "A").iterdir())[::every]:
            others = [next((pairs / d).glob(f"{first.stem}.*")) for d in ("B", "GT")]
            yield pairs.name, (np.stack([read(first), read(others[0])]), read(others[1]))


def psnr(picture: np.ndarray, truth: np.ndarray) -> float:
    """Return dB, the border left out, after rounding to 8 bits as a file has it."""
    inner = np.s_[:, BORDER:-BORDER, BORDER:-BORDER]
    rounded = np.rint(np.clip(picture, 0, 1) * 255) / 255
    return float(-10 * np.log10(max(float(np.square(rounded - truth)[inner].mean()), 1e-9)))


def load(run: Path) -> tuple[Learner, str]:
    """Rebuild a run's networks with their averaged weights."""
    held = checkpoints.read(run / checkpoints.NAME)
    whole = Learner(from_dict(held.facts["config"]))
    whole.load_state_dict(held.group("average"))
    minutes = held.facts["seconds"] / 60
    recipe = held.facts["config"]["recipe"]
    return whole.eval(), f"{recipe}, {minutes:.0f} min, {held.facts['step']} steps"


@torch.no_grad()
def answers(whole: Learner, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Return every part's picture of a stack."""
    stack = torch.as_tensor(frames)[None]
    torch.manual_seed(0)
    given = masks.all_of(masks.luminance(frames), ASKED.measures, ASKED.windows).mask
    belief = whole.predictor.belief(torch.as_tensor(given)[None], stack)
    out: dict[str, Tensor] = {"predictor": blend(belief.mask, stack)}
    iterates: list[Iterate] = whole.net(stack)
    for k, now in enumerate(iterates[1:], 1):
        out[f"step {k}, blend by M"] = blend(now.mask, stack)
        out[f"step {k}, X itself"] = now.picture
    return {name: picture[0].numpy() for name, picture in out.items()}


def teachers(frames: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what imperfect masks make, and their mean, which is what the predictor must beat."""
    grey = masks.luminance(frames)
    asked = {f"{m}, 9 x 9": masks.imperfect(grey, m, 9).mask for m in sorted(masks.TEACHERS)}
    asked["guided"] = masks.by_guided(grey).mask
    every = masks.all_of(grey, ASKED.measures, ASKED.windows).mask
    asked["mean of sml in three windows and guided"] = every.mean(0)
    for name, mask in asked.items():
        yield f"teacher: {name}", np.asarray((mask[:, None] * frames).sum(0))


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--every", type=int, default=2, help="only every k-th scene")
    args = parser.parse_args()
    loaded = [load(run) for run in args.runs]
    scores: dict[str, dict[str, list[float]]] = {}
    for kind, (frames, truth) in scenes(args.sets, args.pairs, args.every):

        def note(name: str, picture: np.ndarray, kind: str = kind, truth: Any = truth) -> None:
            scores.setdefault(name, {}).setdefault(kind, []).append(psnr(picture, truth))

        for name, picture in teachers(frames):
            note(name, picture)
        for whole, label in loaded:
            for name, picture in answers(whole, frames).items():
                note(f"{label}: {name}", picture)
    kinds = list(next(iter(scores.values())))
    print(f"{date.today()}, mean RGB PSNR in dB of every {args.every}th scene\n")
    print("| |" + "".join(f" {k} |" for k in kinds) + "\n|---|" + "---|" * len(kinds))
    for name, row in scores.items():
        print(f"| {name} |" + "".join(f" {np.mean(row[k]):.2f} |" for k in kinds))


if __name__ == "__main__":
    main()
