"""One training of DRPL, from folders of pictures to an exported system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from panfocus.errors import UsageError
from panfocus.plugins import load_all as load_plugins
from panfocus.resources.paths import is_file
from panfocus.train import loop, own_data, pictures, record
from panfocus.train.distributed import Team
from panfocus.train.drpl import config
from panfocus.train.drpl import teacher as teachers
from panfocus.train.drpl.pack import pack
from panfocus.train.drpl.step import DrplTask
from panfocus.train.export import folder_of, weights_of
from panfocus.train.options import DrplOptions
from panfocus.train.places import check_run
from panfocus.train.run import Run
from panfocus.train.synthesis.sources import MARGIN, Sources
from panfocus.train.weights import take_weights

#: Pictures are cropped from windows of the crop's size and the margin that blur needs.
SMALLEST = 128 + 2 * MARGIN


def train(options: DrplOptions) -> None:
    """Train on pairs made from sharp pictures, and export to ``out/system``.

    Raises:
        UsageError: options that do not go together, or a folder that is taken.
        DataError: no pictures, or weights of another network.
    """
    options.check()
    load_plugins(options.plugins)
    chosen = config.recipe(options.recipe)
    start = folder_of(options.init, config.system_of(chosen)) if options.init else None
    read = [*own_data.folders_among(options.data), *options.masks]
    check_run(options.out, read, start, resume=options.resume)
    if start:
        chosen = config.continued(chosen)
    chosen = config.changed(config.enlarged(chosen, options.batch_factor), options.changes)
    teacher = teacher_of(chosen, options.teacher)
    if options.threads:
        torch.set_num_threads(options.threads)
    held = pictures.load(options.data, SMALLEST)
    sources = Sources(held, pictures.load_masks(options.masks))
    words = f"{len(held.colour)} pictures, {len(sources.masks)} masks, recipe {options.recipe}"
    print(words, flush=True)
    task = DrplTask(chosen, sources, options.seed, teacher)
    if start:
        take_weights(task.net, weights_of(start), str(start))
    digests = record.digests(p for p in map(Path, held.names) if is_file(p))
    loop.train(task, replace(Run.of(options), notes={"data": digests}))
    if Team.join(options.device).rank == 0:
        folder = pack(options.out, options.out / "system", ", ".join(map(str, options.data)))
        print(f"exported to {folder}: panfocus fuse --system {folder} A B -o FUSED", flush=True)


def teacher_of(chosen: config.Config, name: str | None) -> teachers.Teacher | None:
    """Return who teaches by a recipe: nobody where the teacher's maps do not count.

    Args:
        chosen: the recipe.
        name: ``drpl`` for the bundled system, or a folder; None for the former.

    Raises:
        UsageError: a teacher for a recipe that asks none, or no such system.
        DataError: it is of another network than the published one.
    """
    if chosen.loss.teacher:
        return teachers.load(folder_of("bundled" if name in {None, "drpl"} else str(name), "drpl"))
    if name is not None:
        raise UsageError(
            "nobody teaches by this recipe",
            where="--teacher",
            got=chosen.recipe,
            remedy="leave --teacher out, or --recipe small, or --set loss.teacher=0.8",
        )
    return None
