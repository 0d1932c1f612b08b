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

from panfocus.errors import UsageError
from panfocus.systems.card import Card
from panfocus.train import checkpoint as checkpoints
from panfocus.train import loop, pairs
from panfocus.train.dualpath import adapt, config, redefocus
from panfocus.train.dualpath.grow import grow as enlarge
from panfocus.train.dualpath.model import DualPath
from panfocus.train.dualpath.pack import EIGHT_BIT, SHARPENED, averaged, pack
from panfocus.train.dualpath.task import DualPathTask, Supply
from panfocus.train.export import folder_of, weights_of
from panfocus.train.places import check_run

#: How adapting differs from training anew: slower, and the predictor first, if a fuser follows it.
ADAPTED_RATE = 3e-4
ADAPTED_ALONE = 0.7
#: Learning rate of networks that begin as a smaller one.
GROWN_RATE = 1e-3


def dualpath(  # noqa: PLR0917  every parameter is an option of the command
    data: Annotated[
        list[Path],
        typer.Option(
            "--data", "-d", help="Folder of pairs (A/ and B/) or stacks; may be repeated."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for checkpoint, log and pictures.")
    ],
    recipe: Annotated[
        str, typer.Option(help="redefocus, or paper: the reconstruction as it stands.")
    ] = "redefocus",
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
) -> None:
    """Train Dual-Path on unlabelled pairs and stacks, and export it to OUT/system.

    With --init, tell on held-out material whether that helped, and keep the old system if not.
    """
    if (minutes is None) == (steps is None):
        raise UsageError("say how long to train", expected="--minutes or --steps, one of the two")
    if precision not in {"auto", "float32", "bfloat16"}:
        raise UsageError("unknown precision", expected="auto, float32 or bfloat16", got=precision)
    start = folder_of(init, "dualpath") if init else None
    check_run(out, data, start, resume=resume)
    if threads:
        torch.set_num_threads(threads)
    run = loop.Run(out, steps, minutes, seed, resume, precision)
    where = ", ".join(map(str, data))
    if grow and init is None:
        raise UsageError("there is nothing to grow", where="--grow", expected="--init as well")
    if start and not grow:
        _adapt(start, data, run, where, rate or ADAPTED_RATE)
    else:
        chosen = config.recipe(recipe)
        usual = GROWN_RATE if start else chosen.learning_rate
        _train(replace(chosen, learning_rate=rate or usual), data, run, where, start)


def _train(
    chosen: config.Config, data: list[Path], run: loop.Run, where: str, start: Path | None
) -> None:
    material = pairs.load(data, smallest(chosen))
    _say_what(material, run.out)
    task = DualPathTask(chosen, Supply.of(material, chosen.fused_by), run.seed)
    if start:
        enlarge(task.net, weights_of(start))
    loop.train(task, run)
    if loop.Team.join().rank == 0:
        _tell(pack(run.out, run.out / "system", where))


def _adapt(start: Path, data: list[Path], run: loop.Run, where: str, rate: float) -> None:
    """Train on from `start`; measure before and after on what was held out."""
    card = Card.read(start / "card.json")
    # a card tells more of its recipe than a configuration holds: steps, seed, earlier runs
    names = {field.name for field in fields(config.Config)}
    known = {k: v for k, v in card.recipe.items() if k in names}
    unrolled = bool(card.recipe.get("unrolled", True))
    chosen = replace(
        config.from_dict(known),
        learning_rate=rate,
        alone=ADAPTED_ALONE if unrolled else 1.0,
    )
    material = pairs.load(data, smallest(chosen))
    _say_what(material, run.out)
    training, held_out, words = adapt.split(material, smallest(chosen))
    old = DualPath(chosen)
    old.load_state_dict(weights_of(start))
    old.unrolled = unrolled
    before = adapt.measure(old, chosen, held_out)
    typer.echo(f"held out: {words}; before adapting {before.redefocus_psnr:.2f} dB")
    task = DualPathTask(chosen, Supply.of(training, chosen.fused_by), run.seed, held_out)
    task.net.load_state_dict(old.state_dict())
    loop.train(task, run)
    if loop.Team.join().rank != 0:
        return
    _, new = averaged(checkpoints.read(run.out / checkpoints.NAME), unrolled=unrolled)
    report = adapt.Report(before, adapt.measure(new, chosen, held_out), words)
    (run.out / "report.json").write_text(json.dumps(report.to_dict(), indent=2), encoding="utf-8")
    typer.echo(report.text())
    place = run.out / ("system" if report.helped else "rejected")
    sharpen = float(card.recipe.get(SHARPENED, 1.0))
    fitted_to = training if EIGHT_BIT in card.recipe else None
    words = words_of(card, where)
    pack(run.out, place, words, unrolled=unrolled, sharpen=sharpen, fitted_to=fitted_to)
    if report.helped:
        _tell(place)
        return
    _tell(Path(shutil.copytree(start, run.out / "system", dirs_exist_ok=True)))


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


def material_for(facts: Mapping[str, Any], data: Sequence[Path]) -> pairs.Material:
    """Read folders for a checkpoint with these facts.

    Raises:
        DataError: no folder, an unreadable file, or nothing usable.
    """
    return pairs.load(data, smallest(config.from_dict(facts["config"])))


def smallest(chosen: config.Config) -> int:
    """Return the shortest side that a frame must have."""
    return chosen.size + 2 * redefocus.MARGIN
