"""``python -m panfocus.train.scout DATA ... --out RUN``: train a scout, and export it.

DATA are folders of defocused pairs and stacks, as `panfocus train dualpath` takes them. The run is
resumed where RUN holds a checkpoint of one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from panfocus.train import checkpoint as checkpoints
from panfocus.train import loop, pairs, supply
from panfocus.train.dualpath import redefocus
from panfocus.train.run import Run
from panfocus.train.scout.pack import pack
from panfocus.train.scout.task import ScoutRecipe, ScoutTask


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m panfocus.train.scout", description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--loaders", type=int, default=0)
    asked = parser.parse_args()
    recipe = ScoutRecipe()
    how = supply.how_to(asked.out, align=True, digests={})
    material = pairs.load(asked.data, recipe.size, how)
    sources = redefocus.sources_of(material.pictures())
    run = Run(
        asked.out,
        minutes=asked.minutes,
        seed=asked.seed,
        resume=(asked.out / checkpoints.NAME).exists(),
        precision="float32",
        device=asked.device,
        loaders=asked.loaders,
    )
    loop.train(ScoutTask(recipe, sources, asked.seed), run)
    print(pack(asked.out, asked.out / "scout", ", ".join(map(str, asked.data))))


if __name__ == "__main__":
    main()
