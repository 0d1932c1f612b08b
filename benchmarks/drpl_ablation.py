"""What each term of DRPL's loss adds: `drpl_ablation.py RUN... --pictures DIR [--pairs DIR ...]`.

For every training run (the folder given to ``panfocus train drpl --out``): mean RGB PSNR and SSIM
of its system on pairs with truth that no training saw. `--pictures` is a folder of sharp ones, of
which 100 pairs of 128 x 128 are made as the paper's were; `--pairs` one with ``A/ B/ GT/``;
`--sets` was made by `make_sets.py`. The authors' own script leaves out the 20 lowest PSNRs before
it averages; so does the column that says so, and no other. Prints Markdown.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import panfocus
from pairs_with_truth import find, psnr, read
from panfocus.metrics import evaluate_all
from panfocus.systems import load_system
from panfocus.train import checkpoint as checkpoints
from panfocus.train import pictures, synthesis
from panfocus.train.drpl.config import from_dict
from quality import scenes

#: The paper's test set: pairs, their side, and how many of the lowest its script leaves out.
PAIRS, SIDE, LEFT_OUT = 100, 128, 20
MADE = "made as the paper's"
#: Border left out, pixels, by set; as in the other tables.
CUT = {MADE: 0, "mfi_whu30": 4}
Scene = tuple[np.ndarray, np.ndarray]


def made(folder: Path) -> Iterator[Scene]:
    """Yield pairs (frames, truth) uint8 of the published synthesis."""
    sources = synthesis.Sources(pictures.load([folder], SIDE))
    for k in range(PAIRS):
        sample = synthesis.published(np.random.default_rng((2020, k)), sources, SIDE)
        three = (sample.first, sample.second, sample.truth)
        first, second, truth = (np.rint(a.transpose(1, 2, 0) * 255).astype(np.uint8) for a in three)
        yield np.stack((first, second)), truth


def photographed(folder: Path, every: int) -> Iterator[Scene]:
    """Yield the pairs of a folder with ``A/ B/ GT/``."""
    for stem in sorted(p.stem for p in (folder / "A").iterdir())[::every]:
        pair = np.stack([read(find(folder / side, stem)) for side in "AB"])
        yield pair, read(find(folder / "GT", stem))


def material(args: argparse.Namespace) -> Iterator[tuple[str, Scene]]:
    """Yield every scene with the name of its set."""
    for scene in made(args.pictures):
        yield MADE, scene
    if args.pairs:
        for scene in photographed(args.pairs, args.every):
            yield args.pairs.name, scene
    if args.sets:
        for kind in args.kinds.split(","):
            for _, frames, truth, _ in list(scenes(args.sets / kind))[:: args.every]:
                yield kind, (frames, truth)


def scored(system: Any, scene: Scene, cut: int) -> tuple[float, float]:
    """Return PSNR in dB and SSIM of a system's picture."""
    frames, truth = scene
    picture = panfocus.fuse(frames, system=system, maps=False).image
    inner = slice(cut, -cut or None)
    ssim = evaluate_all(
        [frames[0][inner, inner]], picture[inner, inner], truth[inner, inner], ["SSIM"]
    )["SSIM"]
    return psnr(picture, truth, cut), ssim


def label(run: Path) -> str:
    """Say by which terms a run was trained, and how long."""
    facts = checkpoints.read(run / checkpoints.NAME).facts
    chosen = from_dict(facts["config"])
    terms = [
        f"{getattr(chosen.loss, term):g} {term}"
        for term in ("mask", "gradient", "ssim", "picture_l1", "picture_l2", "teacher")
        if getattr(chosen.loss, term)
    ]
    minutes = facts["seconds"] / 60
    return f"{' + '.join(terms)} | {chosen.recipe}, {facts['step']} steps, {minutes:.0f} min"


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--kinds", default="layers,bokeh")
    parser.add_argument("--every", type=int, default=1, help="only every k-th pair and scene")
    args = parser.parse_args()
    systems = {label(run): load_system(run / "system") for run in args.runs}
    scores: dict[tuple[str, str], list[tuple[float, float]]] = {}
    kinds: list[str] = []
    for kind, scene in material(args):
        if kind not in kinds:
            kinds.append(kind)
            print(kind, file=sys.stderr, flush=True)
        for name, system in systems.items():
            row = scored(system, scene, CUT.get(kind, 8))
            scores.setdefault((name, kind), []).append(row)
    counts = {kind: len(scores[next(iter(systems)), kind]) for kind in kinds}
    print(f"{date.today()}; mean RGB PSNR in dB, SSIM; every mean is of all its pairs but where ")
    print(f"the column says that the {LEFT_OUT} lowest are left out, as the authors' script does\n")
    heads = ["terms", "trained", *(f"{kind} ({counts[kind]})" for kind in kinds)]
    heads.insert(3, f"{MADE}, without the {LEFT_OUT} lowest")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name in systems:
        cells = ["{:.2f}, {:.4f}".format(*np.mean(scores[name, kind], axis=0)) for kind in kinds]
        lowest_out = sorted(score for score, _ in scores[name, MADE])[LEFT_OUT:]
        cells.insert(1, f"{np.mean(lowest_out):.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
