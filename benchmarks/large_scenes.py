"""What large pictures lose by being decided small: `large_scenes.py SETS [--kinds ...]`.

SETS is a folder of `make_sets.py` or `make_validation.py`. Scenes of one kind and size are laid
side by side, four by four, so that a picture comes about that is as sharp as they are, and larger
than what a system decides at full scale unless it is told to. Prints the PSNR of the scenes by
themselves, and of the large picture by `--working-scale` "auto" and "full", in dB, and what both
took in CPU seconds, as Markdown. Spread light is left, which is looked for in
smaller pictures alone.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np
from PIL import Image

import panfocus
from quality import psnr

#: Scenes on each side of a large picture.
SIDE = 4
KINDS = ("layers", "depth", "bokeh", "hair", "translucent", "void")
OPTIONS = {"align": "none", "exposure": "none", "maps": False, "spread": "off"}


def picture(path: Path) -> np.ndarray:
    """Return RGB of a file."""
    return np.asarray(Image.open(path).convert("RGB"))


def alike(folder: Path, kind: str) -> tuple[list[list[np.ndarray]], list[np.ndarray]]:
    """Return frames and truths of the scenes whose size and count most of them have."""
    groups = defaultdict(list)
    for scene in sorted((folder / kind).iterdir()):
        truth = picture(folder / f"{kind}-truth" / f"{scene.name}.png")
        frames = [picture(path) for path in sorted(scene.iterdir())]
        groups[truth.shape, len(frames)].append((frames, truth))
    chosen = max(groups.values(), key=len)
    return [frames for frames, _ in chosen], [truth for _, truth in chosen]


def laid(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return a large picture of small ones, each second of them mirrored, so that few repeat."""
    cells = [pictures[n % len(pictures)] for n in range(SIDE**2)]
    turned = [cell[:, ::-1] if (n // SIDE + n) % 2 else cell for n, cell in enumerate(cells)]
    rows = [np.concatenate(turned[n : n + SIDE], axis=1) for n in range(0, SIDE**2, SIDE)]
    return np.concatenate(rows)


def main(folder: Path, kinds: Sequence[str], systems: Sequence[str]) -> None:
    """Fuse and print."""
    print("| kind | system | alone | auto | full | decided at 1 / | CPU s, auto | full |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in kinds:
        scenes, truths = alike(folder, kind)
        truth = laid(truths)
        large = np.stack([laid(frames) for frames in zip(*scenes, strict=True)])
        for system in systems:
            alone = [panfocus.fuse(frames, system=system, **OPTIONS).image for frames in scenes]
            row = [f"{psnr(laid(alone), truth):.2f}"]
            seconds: list[str] = []
            for scale in ("auto", "full"):
                start = process_time()
                made = panfocus.fuse(large, system=system, working_scale=scale, **OPTIONS)
                seconds.append(f"{process_time() - start:.2f}")
                row.append(f"{psnr(made.image, truth):.2f}")
                if scale == "auto":
                    factor = made.report.working_factor
            print("|", " | ".join([kind, system, *row, str(factor), *seconds]), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--systems", default="dualpath,guided")
    args = parser.parse_args()
    main(args.folder, args.kinds.split(","), args.systems.split(","))
