"""The commands and their options; what they do lives in the library."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

import panfocus

app = typer.Typer(
    name="panfocus",
    help="Fuse photographs focused at different depths into one that is sharp everywhere.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Mode(StrEnum):
    """How pixels are mixed."""

    blend = "blend"
    select = "select"


class Depth(StrEnum):
    """Bits per channel of the result."""

    same = "same"
    eight = "8"
    sixteen = "16"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"panfocus {panfocus.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command()
def fuse(  # noqa: PLR0917  every parameter is an option of the command
    inputs: Annotated[
        list[str],
        typer.Argument(help="Files, globs, a folder, or a multi-page TIFF.", metavar="INPUTS..."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The picture to write; its extension decides.")
    ],
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            "-s",
            help="What decides: a name of `panfocus systems`, or the folder of an exported system.",
        ),
    ] = None,
    align: Annotated[str, typer.Option(help="Registration of the frames: none.")] = "none",
    reference: Annotated[
        str, typer.Option(help="Frame whose metadata is kept: middle, first, last or a number.")
    ] = "middle",
    mode: Annotated[
        Mode, typer.Option(help="blend at boundaries, or select native pixels only.")
    ] = Mode.blend,
    depth_map: Annotated[
        str | None,
        typer.Option("--depth-map", metavar="[F]", help="Write the depth map (TIFF: float32)."),
    ] = None,
    index_map: Annotated[
        str | None,
        typer.Option("--index-map", metavar="[F]", help="Write which frame won (uint16)."),
    ] = None,
    confidence_map: Annotated[
        str | None,
        typer.Option("--confidence-map", metavar="[F]", help="Write how clear the choice was."),
    ] = None,
    z_step: Annotated[
        float | None, typer.Option(help="Micrometres between frames: depth becomes a length.")
    ] = None,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    bit_depth: Annotated[Depth, typer.Option(help="Bits per channel.")] = Depth.same,
    max_memory: Annotated[
        str, typer.Option(help="auto (70 % of what is free), or a size such as 2GiB.")
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processors to use; all if not given.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, say what would be done, stop.")
    ] = False,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="[F]", help="Report as JSON: to F, or to stdout."),
    ] = None,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="Progress as one JSON object a line, on stderr.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Timings and shares.")] = False,
) -> None:
    """Fuse a stack of frames into one picture that is sharp everywhere."""
    from panfocus.cli.fuse import Request, run  # noqa: PLC0415  imports OpenCV

    settings: dict[str, Any] = {
        "align": align,
        "reference": reference,
        "mode": mode.value,
        "bit_depth": bit_depth.value,
        "max_memory": max_memory,
        "threads": threads,
        "z_step_um": z_step,
    }
    if system is not None:
        settings["system"] = system
    run(
        Request(
            inputs=inputs,
            output=output,
            settings=settings,
            maps={"depth": depth_map, "index": index_map, "confidence": confidence_map},
            quality=quality,
            overwrite=overwrite,
            dry_run=dry_run,
            json=json,
            json_progress=json_progress,
            quiet=quiet,
            verbose=verbose,
        )
    )


@app.command()
def systems(
    name: Annotated[str | None, typer.Argument(help="Show one card whole.")] = None,
    json: Annotated[bool, typer.Option("--json", help="All cards as JSON on stdout.")] = False,
) -> None:
    """List what can decide, with its card."""
    from panfocus.cli.systems import show  # noqa: PLC0415

    show(name, as_json=json)
