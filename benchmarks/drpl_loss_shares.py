"""What share each term of DRPL's loss has: `drpl_loss_shares.py PICTURES... [--system drpl-2]`.

For trained weights and batches that the recipe makes of the folders of sharp pictures: the share of
the loss, of the sizes of gradients, and along the whole gradient (`panfocus.train.drpl.shares`).
Prints Markdown.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from panfocus.train import pictures, synthesis
from panfocus.train.drpl import config
from panfocus.train.drpl.shares import shares
from panfocus.train.drpl.step import DrplTask
from panfocus.train.drpl.training import SMALLEST
from panfocus.train.export import folder_of, weights_of
from panfocus.train.precision import fastest

CPU = torch.device("cpu")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--masks", type=Path, action="append", default=[])
    parser.add_argument("--system", default="bundled", help="bundled, or a folder with weights")
    parser.add_argument("--recipe", default="better")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    chosen = config.changed(config.continued(config.recipe(args.recipe)), args.changes)
    folder = folder_of(args.system, config.system_of(chosen))
    sources = synthesis.Sources(
        pictures.load(args.pictures, SMALLEST), pictures.load_masks(args.masks)
    )
    task = DrplTask(chosen, sources, seed=5)
    task.net.load_state_dict(weights_of(folder))
    precision = fastest(CPU)
    precision.place_model(task.model)

    def batches() -> Iterator[tuple[Tensor, ...]]:
        for step in range(args.batches):
            yield tuple(precision.placed(a, CPU) for a in task.batch(step, 0.0, 0, 1))

    with precision.autocast(CPU):
        found = shares(task.model, batches(), chosen.loss)
    said = ", ".join([folder.name, f"recipe {args.recipe}", *args.changes])
    print(f"{date.today()}; {said}; {args.batches} batches; the network in {precision.name}\n")
    print("| term | weight | of the loss | of the gradients' sizes | along the gradient |")
    print("|---|---|---|---|---|")
    for name, share in found.items():
        cells = " | ".join(f"{100 * part:.1f} %" for part in share)
        print(f"| {name} | {getattr(chosen.loss, name):g} | {cells} |")
    of_paper = [sum(found[name][k] for name in ("mask", "gradient", "ssim") if name in found)
                for k in range(3)]  # fmt: skip
    print("| the paper's three | | " + " | ".join(f"{100 * p:.1f} %" for p in of_paper) + " |")


if __name__ == "__main__":
    main()
