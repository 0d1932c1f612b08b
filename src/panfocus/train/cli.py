"""The commands ``panfocus train`` (`app`) and ``panfocus export`` (`export_app`).

Several processes or machines: ``torchrun --nproc-per-node 2 --no-python panfocus train drpl ...``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer

from panfocus.errors import UsageError
from panfocus.plugins import load_all as load_plugins
from panfocus.train import loop, own_data, pictures, record, synthesis
from panfocus.train.average import average as average_of
from panfocus.train.checkpoint import best
from panfocus.train.drpl import config
from panfocus.train.drpl import teacher as teachers
from panfocus.train.drpl.pack import pack
from panfocus.train.drpl.step import DrplTask
from panfocus.train.dualpath import cli as dualpath_cli
from panfocus.train.dualpath import pack as dualpath_pack
from panfocus.train.export import folder_of, weights_of
from panfocus.train.places import check_run, check_system

app = typer.Typer(
    help="Train systems on your own pictures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
export_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

#: Pictures are cropped from windows of the crop's size and the margin that blur needs.
SMALLEST = 128 + 2 * synthesis.MARGIN


app.command()(dualpath_cli.dualpath)


@app.command()
def drpl(  # noqa: PLR0917  every parameter is an option of the command
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            "-d",
            help="Folder of sharp pictures, of any kind that `panfocus fuse` reads; "
            "may be repeated.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for checkpoint, log and pictures.")
    ],
    masks: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of masks or alpha mattes; shapes are made up as well."),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="better; published: as the paper; small: a small network taught by a large one."
        ),
    ] = "better",
    init: Annotated[
        str | None, typer.Option(help="Go on from `bundled`, or from a folder with a drpl system.")
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="Of the recipe small: `drpl`, the default, or a folder with a system."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Train so long.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train so many steps.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights and samples.")] = 0,
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoint in --out.")] = False,
    threads: Annotated[int | None, typer.Option(help="Processor cores to use.")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    loaders: Annotated[
        int, typer.Option(min=0, help="Processes that make batches; 0 for a thread of this one.")
    ] = 0,
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A file of Python of your own; docs/extending.md."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE of the recipe, as in run.json; may be repeated."),
    ] = None,
) -> None:
    """Train DRPL on pairs made from sharp pictures, and export it to OUT/system."""
    if (minutes is None) == (steps is None):
        raise UsageError("say how long to train", expected="--minutes or --steps, one of the two")
    if precision not in {"auto", "float32", "bfloat16"}:
        raise UsageError("unknown precision", expected="auto, float32 or bfloat16", got=precision)
    if device not in {"auto", "cpu", "cuda"}:
        raise UsageError("unknown device", expected="auto, cpu or cuda", got=device)
    load_plugins(plugins)
    chosen = config.recipe(recipe)
    start = folder_of(init, config.system_of(chosen)) if init else None
    check_run(out, [*own_data.folders_among(data), *(masks or [])], start, resume=resume)
    if start:
        chosen = config.continued(chosen)
    chosen = config.changed(chosen, changes or [])
    told = teacher_of(chosen, teacher)
    if threads:
        torch.set_num_threads(threads)
    held = pictures.load(data, SMALLEST)
    sources = synthesis.Sources(held, pictures.load_masks(masks or []))
    typer.echo(f"{len(held.colour)} pictures, {len(sources.masks)} masks, recipe {recipe}")
    task = DrplTask(chosen, sources, seed, told)
    if start:
        task.net.load_state_dict(weights_of(start))
    notes = {"data": record.digests(p for p in map(Path, held.names) if p.is_file())}
    run = loop.Run(out, steps, minutes, seed, resume, precision, device=device, notes=notes)
    loop.train(task, replace(run, loaders=loaders))
    if loop.Team.join(device).rank == 0:
        folder = pack(out, out / "system", ", ".join(map(str, data)))
        typer.echo(f"exported to {folder}: panfocus fuse --system {folder} A B -o FUSED")


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


@app.command()
def average(
    parts: Annotated[
        list[str], typer.Option("--part", help="RUN=SHARE: folder of a run and its share.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the averaged run.")],
) -> None:
    """Average the weights of runs that began from one another; export the result as any run."""
    shares = dict(score(part, "--part") for part in parts)
    path = average_of({Path(run): share for run, share in shares.items()}, out)
    typer.echo(f"averaged into {path}: panfocus export {out} -o SYSTEM")


@export_app.command()
def export(  # noqa: PLR0917  every parameter is an option of the command
    run: Annotated[Path, typer.Argument(help="The --out folder of a training run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the system to write.")],
    data: Annotated[
        str, typer.Option(help="What it was trained on, with the data's terms, for the card.")
    ] = "not told",
    scores: Annotated[
        list[str] | None, typer.Option("--score", help="NAME=NUMBER for the card; repeatable.")
    ] = None,
    depth: Annotated[
        int | None, typer.Option(min=1, help="Dual-Path: how many of the fuser's steps run; all.")
    ] = None,
    picture: Annotated[
        bool, typer.Option("--picture", help="Dual-Path: the fuser's own picture, no weights.")
    ] = False,
    sharpen: Annotated[
        float, typer.Option(help="Dual-Path: power of the last weights over frames.")
    ] = 1.0,
    eight_bit: Annotated[
        list[Path] | None,
        typer.Option(
            help="Dual-Path: work in 8 bits, faster; fitted to the pairs or stacks in this folder, "
            "such as those it was trained on. May be repeated."
        ),
    ] = None,
    restorer: Annotated[
        bool, typer.Option(help="Dual-Path: write what `fuse --mode restore` runs as well.")
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a system that is there.")
    ] = False,
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A file of Python of your own; docs/extending.md."),
    ] = None,
) -> None:
    """Export the averaged weights of a training run as a system folder."""
    load_plugins(plugins)
    facts = best(run).facts
    system = facts.get("system")
    told = dict(map(score, scores or []))
    if system not in {"drpl", "dualpath"}:
        raise UsageError(
            "this run is of an unknown system", expected="drpl or dualpath", got=str(system)
        )
    check_system(out, run, overwrite=overwrite)
    if system == "drpl":
        folder = pack(run, out, data, scores=told)
    else:
        folder = dualpath_pack.pack(
            run,
            out,
            data,
            scores=told,
            depth=depth,
            picture=picture,
            sharpen=sharpen,
            fitted_to=dualpath_cli.material_for(facts, run, eight_bit) if eight_bit else None,
            restorer=restorer,
        )
    typer.echo(f"exported to {folder}")


def score(text: str, option: str = "--score") -> tuple[str, float]:
    """Split NAME=NUMBER.

    Raises:
        UsageError: it is something else.
    """
    name, _, number = text.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise UsageError(
            "this is not a name and a number", where=option, expected="NAME=NUMBER", got=text
        ) from None
