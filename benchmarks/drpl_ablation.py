"""What each term of DRPL's loss adds: `drpl_ablation.py RUN... [--pictures DIR] [--pairs DIR] ...`.

For every training run (the folder given to ``panfocus train drpl --out``) or system: mean RGB PSNR
and SSIM on pairs with truth that no training saw. `--pictures` is a folder of sharp ones, of which
100 pairs of 128 x 128 are made as the paper's were; `--pairs` one with ``A/ B/ GT/``; `--sets` was
made by `make_sets.py` or `make_validation.py`. The authors' own script leaves out the 20 lowest
PSNRs before it averages; so does the column that says so, and no other. Prints Markdown.
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
from panfocus.systems import System, load_system
from panfocus.train import pictures, synthesis

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


def rendered(folder: Path, every: int) -> Iterator[Scene]:
    """Yield the scenes of a kind of set; truths lie beside the folder."""
    for scene in sorted(folder.iterdir())[::every]:
        frames = np.stack([read(p) for p in sorted(scene.glob("*.png"))])
        yield frames, read(folder.with_name(f"{folder.name}-truth") / f"{scene.name}.png")


def material(args: argparse.Namespace) -> Iterator[tuple[str, Scene]]:
    """Yield every scene with the name of its set."""
    if args.pictures:
        for scene in made(args.pictures):
            yield MADE, scene
    if args.pairs:
        for scene in photographed(args.pairs, args.every):
            yield args.pairs.name, scene
    if args.sets:
        for kind in args.kinds.split(","):
            for scene in rendered(args.sets / kind, args.every):
                yield kind, scene


def scored(system: Any, scene: Scene, cut: int) -> tuple[float, float]:
    """Return PSNR in dB and SSIM of a system's picture."""
    frames, truth = scene
    picture = panfocus.fuse(frames, system=system, maps=False).image
    inner = slice(cut, -cut or None)
    ssim = evaluate_all(
        [frames[0][inner, inner]], picture[inner, inner], truth[inner, inner], ["SSIM"]
    )["SSIM"]
    return psnr(picture, truth, cut), ssim


def loaded(run: str) -> System:
    """Return the system of a run, or the one of that name."""
    folder = Path(run) / "system"
    system = load_system(folder if folder.is_dir() else run)
    assert isinstance(system, System)
    return system


def label(run: str, recipe: dict[str, Any]) -> str:
    """Say by which terms a system was trained, and how long."""
    terms = [f"{weight:g} {term}" for term, weight in recipe["loss"].items() if weight]
    return f"{Path(run).name}: {' + '.join(terms)} | {recipe['recipe']}, {recipe['steps']} steps"


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--sets", type=Path)
    parser.add_argument("--kinds", default="layers,bokeh")
    parser.add_argument("--every", type=int, default=1, help="only every k-th pair and scene")
    args = parser.parse_args()
    systems = {}
    for run in args.runs:
        system = loaded(run)
        systems[label(run, dict(system.card.recipe))] = system
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
    print(f"{date.today()}; mean RGB PSNR in dB, SSIM; plain means of all pairs, but for the last")
    print("column where there is one\n")
    heads = ["terms", "trained", *(f"{kind} ({counts[kind]})" for kind in kinds)]
    if MADE in kinds:
        heads.append(f"{MADE}, without the {LEFT_OUT} lowest, as its script")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for name in systems:
        cells = ["{:.2f}, {:.4f}".format(*np.mean(scores[name, kind], axis=0)) for kind in kinds]
        if MADE in kinds:
            best = sorted(score for score, _ in scores[name, MADE])[LEFT_OUT:]
            cells.append(f"{np.mean(best):.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
