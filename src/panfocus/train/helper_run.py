"""The command that trains a small network which helps those that decide, and exports it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from panfocus.train import checkpoint as checkpoints
from panfocus.train import loop, pairs, supply
from panfocus.train.dualpath import redefocus
from panfocus.train.helper_files import Write, pack_run
from panfocus.train.run import Run
from panfocus.train.synthesis.sources import Sources
from panfocus.train.task import Task

#: Pictures of the material have so many pixels in height and width, at least.
_LEAST = 256


def train_helper(
    name: str,
    description: str | None,
    task_of: Callable[[Sources, int], Task],
    write: Write,
) -> None:
    """Read the command line, train, and write the files that the product runs to ``RUN/NAME``.

    Args:
        name: of the network, and of its package.
        description: of the command.
        task_of: from material and seed to what is trained.
        write: writes the files, see `pack_run`.
    """
    prog = f"python -m panfocus.train.{name}"
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--loaders", type=int, default=0)
    asked = parser.parse_args()
    how = supply.how_to(asked.out, align=True, digests={})
    material = pairs.load(asked.data, _LEAST, how)
    run = Run(
        asked.out,
        minutes=asked.minutes,
        seed=asked.seed,
        resume=(asked.out / checkpoints.NAME).exists(),
        precision="float32",
        device=asked.device,
        loaders=asked.loaders,
    )
    loop.train(task_of(redefocus.sources_of(material.pictures()), asked.seed), run)
    print(pack_run(asked.out, asked.out / name, ", ".join(map(str, asked.data)), write))
