"""The command ``panfocus train dualpath`` (mounted by `panfocus.train.cli`)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from panfocus.errors import DataError, UsageError
from panfocus.plugins import load_all as load_plugins
from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train import loop, own_data, pairs, record, supply
from panfocus.train.dualpath import adapt, config, recipes
from panfocus.train.dualpath.grow import grow as enlarge
from panfocus.train.dualpath.model import deployed
from panfocus.train.dualpath.pack import DEPTH, EIGHT_BIT, SHARPENED, averaged, pack
from panfocus.train.dualpath.stack import MARGIN
from panfocus.train.dualpath.task import DualPathTask, Supply
from panfocus.train.export import folder_of, weights_of
from panfocus.train.places import check_run

#: How adapting differs from training anew: slower.
ADAPTED_RATE = 3e-4
#: Learning rate of networks that begin as a smaller one.
GROWN_RATE = 1e-3


def dualpath(  # noqa: PLR0917  every parameter is an option of the command
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            "-d",
            help="Folder of pairs (A/ and B/), stacks or volumes, of any kind that `panfocus fuse` "
            "reads; may be repeated.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for checkpoint, log and pictures.")
    ],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="dualpath (the default), or paper: the reconstruction with nothing added."
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(help="Start from `bundled`, or from a folder with a dualpath system."),
    ] = None,
    grow: Annotated[
        bool,
        typer.Option(
            "--grow", help="Train the recipe's larger networks on from the smaller ones of --init."
        ),
    ] = False,
    minutes: Annotated[float | None, typer.Option(help="Train so long.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train so many steps.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Learning rate at the peak; by default the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights and samples.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in --out.")] = False,
    threads: Annotated[int | None, typer.Option(help="Processor cores to use.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--config", help="The recipe of a run.json or card.json, in place of --recipe."
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the recipe, as in run.json; may be repeated."),
    ] = None,
    loaders: Annotated[
        int, typer.Option(min=0, help="Processes that make batches; 0 for a thread of this one.")
    ] = 0,
    batch_factor: Annotated[
        int,
        typer.Option(
            min=1, help="Larger batches, for a graphics card; the rate rises by its root."
        ),
    ] = 1,
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A file of Python of your own; docs/extending.md."),
    ] = None,
    validate: Annotated[
        bool,
        typer.Option(
            help="Hold one scene in five out, and export the weights that do best on them."
        ),
    ] = True,
    align: Annotated[
        bool, typer.Option(help="Align frames that do not lie on each other, as `fuse --align`.")
    ] = True,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="List what would be trained on and what would not, and why; stop."
        ),
    ] = False,
) -> None:
    """Train Dual-Path on unlabelled pairs and stacks, and export it to OUT/system.

    With --init, tell on held-out material whether that helped, and keep the old system if not.
    """
    load_plugins(plugins)
    if dry_run:
        if init and not grow:
            start = folder_of(init, "dualpath")
            chosen = recipe_of(Card.read(start / "card.json"), start)
        else:
            chosen = config.changed(recipe_from(recipe, from_file), changes or [])
        supply.list_all(data, smallest(chosen), supply.how_to(out, align=align, writes=False))
        return
    if (minutes is None) == (steps is None):
        raise UsageError("say how long to train", expected="--minutes or --steps, one of the two")
    for name, value, known in (
        ("precision", precision, ("auto", "float32", "bfloat16")),
        ("device", device, ("auto", "cpu", "cuda")),
    ):
        if value not in known:
            raise UsageError(f"unknown {name}", expected=", ".join(known), got=value)
    start = folder_of(init, "dualpath") if init else None
    check_run(out, own_data.folders_among(data), start, resume=resume)
    if threads:
        torch.set_num_threads(threads)
    if grow and init is None:
        raise UsageError("there is nothing to grow", where="--grow", expected="--init as well")
    notes: dict[str, Any] = {
        "data": record.digests(p for _, files in pairs.find(data) for p in files),
        "aligned": align,
    }
    if plugins:
        notes |= {"plugins": record.digests(plugins), "own_data": own_data.named(data)}
    how = supply.how_to(out, align=align, digests=notes["data"])
    run = loop.Run(out, steps, minutes, seed, resume, precision, device=device, notes=notes)
    run = replace(run, loaders=loaders)
    if start and not grow:
        check_recipe(start, recipe)
        if batch_factor != 1:  # it would stand in the card, and grow with every adapting
            raise UsageError(
                "a system is adapted by the batches that it was trained with",
                where="--batch-factor",
                remedy="leave it out, or train anew without --init",
            )
        _adapt(start, data, how, run, rate or ADAPTED_RATE)
    else:
        chosen = config.changed(recipe_from(recipe, from_file), changes or [])
        chosen = config.enlarged(chosen, batch_factor)
        usual = GROWN_RATE * batch_factor**0.5 if start else chosen.learning_rate
        chosen = replace(chosen, learning_rate=rate or usual)
        _train(chosen, data, how, run, start, validate=validate)


def recipe_from(name: str | None, file: Path | None) -> config.Config:
    """Return the recipe that is named, or told in a file.

    Raises:
        UsageError: both, or no such recipe.
        DataError: the file tells none.
    """
    if file is None:
        return recipes.recipe(name or recipes.DUALPATH.recipe)
    if name is not None:
        raise UsageError("a recipe is named or read from a file", where="--recipe, --config")
    try:
        told: Any = json.loads(file.read_text(encoding="utf-8"))
        return config.from_dict(known_fields(told.get("config") or told.get("recipe") or told))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "the file tells no recipe of Dual-Path",
            where=str(file),
            expected="run.json of a run, or card.json of a system",
            got=f"{type(error).__name__}: {error}",
        ) from error


def known_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration holds: cards tell more of a recipe, steps, seed, earlier runs."""
    names = {field.name for field in fields(config.Config)}
    return {k: v for k, v in values.items() if k in names}


def _train(
    chosen: config.Config,
    data: list[Path],
    how: pairs.How,
    run: loop.Run,
    start: Path | None,
    *,
    validate: bool,
) -> None:
    material = pairs.load(data, smallest(chosen), how)
    _say_what(material, run.out)
    held_out = None
    if validate and len(material.scene_names) >= adapt.HELD_OUT:
        material, held_out, words = adapt.split(material, smallest(chosen))
        typer.echo(f"held out: {words}")
        run = replace(run, notes={**run.notes, "held_out": held_out.scene_names})
    task = DualPathTask(chosen, Supply.of(material, chosen.fused_by), run.seed, held_out)
    if start:
        enlarge(task.learner, weights_of(start))
    loop.train(task, run)
    if loop.Team.join(run.device).rank == 0:
        _tell(pack(run.out, run.out / "system", ", ".join(map(str, data))))


def _adapt(start: Path, data: list[Path], how: pairs.How, run: loop.Run, rate: float) -> None:
    """Train on from `start` by its own recipe; measure before and after on what was held out."""
    card = Card.read(start / "card.json")
    chosen = replace(recipe_of(card, start), learning_rate=rate, alone=0.0)
    material = pairs.load(data, smallest(chosen), how)
    _say_what(material, run.out)
    training, held_out, words = adapt.split(material, smallest(chosen))
    run = replace(run, notes={**run.notes, "held_out": held_out.scene_names})
    depth = card.recipe.get(DEPTH)
    weights = weights_of(start)
    old = deployed(chosen, weights, depth=depth)
    before = adapt.measure(old, chosen, held_out)
    typer.echo(f"held out: {words}; before adapting {before.redefocus_psnr:.2f} dB")
    task = DualPathTask(chosen, Supply.of(training, chosen.fused_by), run.seed, held_out)
    task.learner.load_state_dict(weights)
    loop.train(task, run)
    if loop.Team.join(run.device).rank != 0:
        return
    _, new = averaged(checkpoints.best(run.out), depth=depth)
    report = adapt.AdaptingReport(before, adapt.measure(new, chosen, held_out), words)
    (run.out / "report.json").write_text(json.dumps(report.to_dict(), indent=2), encoding="utf-8")
    typer.echo(report.text())
    place = run.out / ("system" if report.helped else "rejected")
    sharpen = float(card.recipe.get(SHARPENED, 1.0))
    fitted_to = training if EIGHT_BIT in card.recipe else None
    words = words_of(card, ", ".join(map(str, data)))
    restorer = card.restores is not None  # what a system goes without, its kin do
    pack(
        run.out,
        place,
        words,
        depth=depth,
        sharpen=sharpen,
        fitted_to=fitted_to,
        restorer=restorer,
    )
    if report.helped:
        _tell(place)
        return
    _tell(Path(shutil.copytree(start, run.out / "system", dirs_exist_ok=True)))


def check_recipe(start: Path, asked: str | None) -> None:
    """Refuse to go on by another recipe than the system to start from was trained by.

    Raises:
        UsageError: `asked` is another.
    """
    its_own = recipe_of(Card.read(start / "card.json"), start).recipe
    if asked not in (None, its_own):
        raise UsageError(
            "the system to start from was trained by another recipe",
            where="--recipe",
            expected=its_own,
            got=str(asked),
            remedy="leave --recipe out to go on by its own, or --init to begin anew",
        )


def recipe_of(card: Card, folder: Path) -> config.Config:
    """Return the recipe that a card tells.

    Raises:
        DataError: it tells none that this version knows.
    """
    try:
        return config.from_dict(known_fields(card.recipe))
    except (KeyError, TypeError) as error:
        raise DataError(
            "the system was made by another version, and cannot be trained on",
            where=str(folder / "card.json"),
            got=f"{type(error).__name__}: {error}",
            remedy="start from --init bundled",
        ) from error


def _say_what(material: pairs.Material, out: Path) -> None:
    """Tell what was found, and keep the names of what was left out."""
    typer.echo(material.summary())
    if material.left_out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "left_out.txt").write_text(material.details(), encoding="utf-8")
        typer.echo(f"names and reasons: {out / 'left_out.txt'}")


def words_of(card: Card, where: str) -> str:
    """Return what an adapted system was trained on."""
    return f"{card.data}; then {where}"


def _tell(folder: Path) -> None:
    typer.echo(f"system in {folder}: panfocus fuse --system {folder} FRAMES -o FUSED")


def material_for(facts: Mapping[str, Any], run: Path, data: Sequence[Path]) -> pairs.Material:
    """Read folders for the checkpoint of a run with these facts, with what the run has kept.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
    """
    how = supply.how_to(run, align=supply.was_aligned(run), writes=False)
    return pairs.load(data, smallest(config.from_dict(facts["config"])), how)


def smallest(chosen: config.Config) -> int:
    """Return the shortest side that a frame must have."""
    return chosen.size + 2 * MARGIN
