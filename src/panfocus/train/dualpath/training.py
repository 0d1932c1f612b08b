"""One training of Dual-Path, from folders of frames to an exported system."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from panfocus import schema
from panfocus.errors import DataError, UsageError
from panfocus.plugins import load_all as load_plugins
from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train import loop, own_data, pairs, record, supply
from panfocus.train.checkpoint import write_bytes
from panfocus.train.distributed import Team
from panfocus.train.dualpath import adapt, config, recipes
from panfocus.train.dualpath.grow import grow as enlarge
from panfocus.train.dualpath.model import deployed
from panfocus.train.dualpath.pack import (
    DEPTH,
    EIGHT_BIT,
    SHARPENED,
    SHARPNESS,
    averaged,
    pack,
)
from panfocus.train.dualpath.stack import MARGIN
from panfocus.train.dualpath.task import DualPathTask, Supply
from panfocus.train.export import folder_of, weights_of
from panfocus.train.options import DualPathOptions
from panfocus.train.places import check_run
from panfocus.train.run import Run
from panfocus.train.system_files import copy_system
from panfocus.train.weights import take_weights

#: How adapting differs from training anew: slower.
ADAPTED_RATE = 3e-4
#: Learning rate of networks that begin as a smaller one.
GROWN_RATE = 1e-3


def train(options: DualPathOptions) -> None:
    """Train on unlabelled pairs and stacks, and export to ``out/system``.

    Raises:
        UsageError: options that do not go together, or a folder that is taken.
        DataError: nothing usable, or weights and recipes of another version.
    """
    load_plugins(options.plugins)
    if options.dry_run:
        list_material(options)
        return
    options.check()
    start = folder_of(options.init, "dualpath") if options.init else None
    check_run(options.out, own_data.folders_among(options.data), start, resume=options.resume)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.grow and start is None:
        raise UsageError("there is nothing to grow", where="--grow", expected="--init as well")
    run = replace(Run.of(options), notes=notes_of(options))
    how = supply.how_to(options.out, align=options.align, digests=run.notes["data"])
    if start and not options.grow:
        check_adapting(start, options)
        adapt_system(start, options, how, run)
        return
    chosen = config.changed(
        recipes.recipe_from(options.recipe, options.recipe_file), options.changes
    )
    chosen = config.enlarged(chosen, options.batch_factor)
    usual = GROWN_RATE * options.batch_factor**0.5 if start else chosen.learning_rate
    chosen = replace(chosen, learning_rate=options.rate or usual)
    train_anew(chosen, options, how, run, start)


def train_anew(
    chosen: config.Config, options: DualPathOptions, how: pairs.How, run: Run, start: Path | None
) -> None:
    """Train by a recipe from random weights, or from a smaller system's in the folder `start`."""
    material = pairs.load(options.data, smallest(chosen), how)
    supply.tell_what(material, run.out)
    held_out = None
    if options.validate and len(material.scene_names) >= adapt.HELD_OUT:
        material, held_out, words = adapt.split(material, smallest(chosen))
        print(f"held out: {words}", flush=True)
        run = replace(run, notes={**run.notes, "held_out": held_out.scene_names})
    task = DualPathTask(chosen, Supply.of(material, chosen.fused_by), run.seed, held_out)
    if start:
        enlarge(task.learner, weights_of(start))
    loop.train(task, run)
    if Team.join(run.device).rank == 0:
        supply.tell_where(pack(run.out, run.out / "system", ", ".join(map(str, options.data))))


def check_adapting(start: Path, options: DualPathOptions) -> None:
    """Refuse options by which the system in the folder `start` would become another one.

    Raises:
        UsageError: another recipe, or other batches.
    """
    recipes.check_recipe(start, options.recipe)
    if options.batch_factor != 1:  # it would stand in the card, and grow with every adapting
        raise UsageError(
            "a system is adapted by the batches that it was trained with",
            where="--batch-factor",
            remedy="leave it out, or train anew without --init",
        )


def adapt_system(start: Path, options: DualPathOptions, how: pairs.How, run: Run) -> None:
    """Train on from `start` by its own recipe; measure before and after on what was held out.

    What does better is exported to ``out/system``: the new weights, or a copy of the old system.
    """
    card = Card.read(start / "card.json")
    chosen = recipes.recipe_of(card, start)
    chosen = replace(chosen, learning_rate=options.rate or ADAPTED_RATE, alone=0.0)
    material = pairs.load(options.data, smallest(chosen), how)
    supply.tell_what(material, run.out)
    training, held_out, words = adapt.split(material, smallest(chosen))
    run = replace(run, notes={**run.notes, "held_out": held_out.scene_names})
    depth, sharpness = _way_of(card, start, len(chosen.steps))
    weights = weights_of(start)
    earlier = deployed(chosen, weights, depth=depth, whose=str(start))
    before = adapt.measure(earlier, chosen, held_out)
    print(f"held out: {words}; before adapting {before.redefocus_psnr:.2f} dB", flush=True)
    task = DualPathTask(chosen, Supply.of(training, chosen.fused_by), run.seed, held_out)
    take_weights(task.learner, weights, str(start))
    loop.train(task, run)
    if Team.join(run.device).rank != 0:
        return
    _, new = averaged(checkpoints.best(run.out), depth=depth)
    report = adapt.AdaptingReport(before, adapt.measure(new, chosen, held_out), words)
    write_bytes(run.out / "report.json", json.dumps(report.to_dict(), indent=2).encode())
    print(report.text(), flush=True)
    folder = pack(
        run.out,
        run.out / ("system" if report.helped else "rejected"),
        f"{card.data}; then {', '.join(map(str, options.data))}",
        depth=depth,
        sharpen=sharpness,
        fitted_to=training if EIGHT_BIT in card.recipe else None,
        restorer=card.restores is not None,  # what a system goes without, its kin do
    )
    if not report.helped:
        folder = copy_system(start, card, run.out / "system")
    supply.tell_where(folder)


def _way_of(card: Card, folder: Path, steps: int) -> tuple[int | None, float]:
    """Return how many of its steps a system runs, None for all, and how sharply it decides.

    Raises:
        DataError: its card tells what cannot be.
    """
    depth, sharpness = card.recipe.get(DEPTH), card.recipe.get(SHARPENED, 1.0)
    try:
        if depth is not None:
            depth = schema.whole(depth, f"recipe.{DEPTH}", 1, steps)
        return depth, schema.number(sharpness, f"recipe.{SHARPENED}", *SHARPNESS)
    except schema.SchemaError as error:
        raise DataError(
            "the card of the system to start from has a value that cannot be",
            where=error.place(folder / "card.json"),
            expected=error.expected,
            got=error.got,
        ) from None


def list_material(options: DualPathOptions) -> None:
    """Say what would be trained on and what not, and why."""
    if options.init and not options.grow:
        start = folder_of(options.init, "dualpath")
        chosen = recipes.recipe_of(Card.read(start / "card.json"), start)
    else:
        chosen = config.changed(
            recipes.recipe_from(options.recipe, options.recipe_file), options.changes
        )
    how = supply.how_to(options.out, align=options.align, writes=False)
    supply.list_all(options.data, smallest(chosen), how)


def notes_of(options: DualPathOptions) -> dict[str, Any]:
    """Return what ``run.json`` shall tell besides the recipe: files, plug-ins, alignment."""
    notes: dict[str, Any] = {
        "data": record.digests(p for _, files in pairs.find(options.data) for p in files),
        "aligned": options.align,
    }
    if options.plugins:
        notes["plugins"] = record.digests(options.plugins)
        notes["own_data"] = own_data.named(options.data)
    return notes


def material_for(held: checkpoints.Checkpoint, run: Path, data: Sequence[Path]) -> pairs.Material:
    """Read folders for the checkpoint of a run, with what the run has kept.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
    """
    how = supply.how_to(run, align=supply.was_aligned(run), writes=False)
    return pairs.load(data, smallest(held.recipe(config.from_dict)), how)


def smallest(chosen: config.Config) -> int:
    """Return the shortest side that a frame must have."""
    return chosen.size + 2 * MARGIN
