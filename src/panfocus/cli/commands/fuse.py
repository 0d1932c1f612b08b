"""`panfocus fuse`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from panfocus.cli.bare_options import BEHIND, BareOption, FuseCommand
from panfocus.cli.files import FILE
from panfocus.cli.options import Number, settings_names, settings_options, under
from panfocus.cli.plugins import load_plugins, plugin_option
from panfocus.pipeline.options import MAP_KINDS

_MAP_ENDINGS = (".tif", ".tiff", ".png")
#: Options that say how a scientific stack is read.
_SCIENCE = ("axes", "guide_channel", "pattern", "only", "mosaic")


@click.command(cls=FuseCommand, short_help="Fuse a stack of frames into one sharp picture.")
@click.argument("inputs", nargs=-1, metavar="INPUTS...")
@under(
    "output",
    "-o",
    "--output",
    type=FILE,
    help="The picture to write; its extension decides the format. Needed but for --align-only.",
)
@settings_options
@plugin_option
@under(
    "registration",
    "--align-only",
    type=FILE,
    metavar="DIR",
    help="Write the aligned frames into DIR and fuse nothing.",
)
@under(
    "registration",
    "--save-transforms",
    type=FILE,
    metavar="F.json",
    help="Write where the frames lie.",
)
@under(
    "output",
    "--slab",
    type=(int, int),
    metavar="SIZE OVERLAP",
    help="Also fuse groups of SIZE frames, each sharing OVERLAP with the next, to OUT_slab01...",
)
@under(
    "output",
    "--layers",
    type=FILE,
    metavar="F.psd",
    help="Write the picture above the slabs, where some are made, and the aligned frames, with "
    "masks of where each was taken: .psd, .tif, or .psb above 2 GB.",
)
@under(
    "output",
    "--animation",
    type=FILE,
    metavar="F.gif",
    help="Animate the aligned stack, there and back: .gif or .webp.",
)
@under(
    "output",
    "--stereo",
    type=FILE,
    metavar="F",
    help="Write both eyes' views side by side, each fused of frames that are moved by their depth.",
)
@under(
    "output",
    "--rocking",
    type=FILE,
    metavar="F.gif",
    help="Animate the picture as seen from side to side: .gif or .webp.",
)
@under(
    "output",
    "--animation-size",
    type=click.IntRange(64, 4096),
    default=720,
    show_default=True,
    metavar="PX",
    help="Pixels at the longer side of animations.",
)
@under(
    "output",
    "--parallax",
    type=Number(0.1, 20),
    default=3.0,
    show_default=True,
    metavar="PERCENT",
    help="By how much of the width the nearest moves against the farthest, in views from aside.",
)
@under(
    "maps",
    "--depth-map",
    cls=BareOption,
    endings=_MAP_ENDINGS,
    help="Write the depth map (float32), to F or beside OUT. A picture that is there and behind "
    "the option is a frame; --depth-map=F names any file. So with the other maps.",
)
@under(
    "maps",
    "--index-map",
    cls=BareOption,
    endings=_MAP_ENDINGS,
    help="Write the number of the frame that each pixel is taken from (uint16).",
)
@under(
    "maps",
    "--confidence-map",
    cls=BareOption,
    endings=_MAP_ENDINGS,
    help="Write how clearly the best frame is ahead of the next, from 0 to 1.",
)
@under("maps", "--height-map", type=FILE, help="Draw depth in colours with a scale.")
@under("maps", "--mesh", type=FILE, help="Write a textured mesh: .ply, .obj or .glb.")
@under(
    "maps",
    "--pixel-size",
    type=Number(0, min_open=True),
    metavar="UM",
    help="Micrometres a pixel, for the mesh and for an .ome.tif.",
)
@under(
    "input",
    "--watch-frames",
    type=Number(0, min_open=True),
    metavar="SECONDS",
    help="Take the frames of a folder as they arrive, until none has come for so long; "
    "OUT_preview.jpg grows meanwhile.",
)
@under("input", "--axes", help="Axes that a scientific stack does not tell: TCZYX, or C2Z5YX.")
@under(
    "input",
    "--guide-channel",
    metavar="N|NAME",
    help="Channel of a scientific stack that decides for all.",
)
@under(
    "input",
    "--pattern",
    metavar="NAMES",
    help="Names in a folder with one plane a file, like img_{t}_{c}_{z}.tif.",
)
@under(
    "input",
    "--only",
    metavar="AXES",
    help="What of a scientific stack is fused, as T=0,C=DAPI: of P (position), T, C and Z, numbers "
    "from 0, names, and ranges like Z=5-20.",
)
@under(
    "input",
    "--mosaic",
    type=click.Choice(["whole", "tiles"]),
    help="Tiles of a mosaic in a CZI, LIF and the like: put together, as where nothing is said, "
    "or each a position of its own.",
)
@under(
    "output",
    "--pyramid",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Smaller copies in an OME-TIFF or OME-Zarr, for QuPath and the like; auto makes them of "
    "what is longer than 4096 pixels.",
)
@under(
    "output",
    "--ome-zarr",
    type=click.Choice(["0.4", "0.5"]),
    help="Version of an OME-Zarr; 0.4 where none is said, which most programs read.",
)
@under(
    "output",
    "--scale-bar",
    metavar="LENGTH",
    help="Paint a scale bar of a length like 100um into a copy, OUT_scalebar; auto takes a round "
    "one. Needs the size of a pixel, from the file or --pixel-size.",
)
@under(
    "output",
    "--quality",
    type=click.IntRange(1, 100),
    default=95,
    show_default=True,
    help="Quality of JPEG and WebP.",
)
@under("output", "--overwrite", is_flag=True, help="Replace existing files; never what is read.")
@under(
    "input",
    "--project",
    type=FILE,
    metavar="F.panfocus.json",
    help="Fuse a project: its inputs, options and strokes; options given here go before its own.",
)
@under(
    "input",
    "--accept-changed",
    is_flag=True,
    help="Take inputs of a project as they are now, where they have changed since.",
)
@under(
    "output",
    "--save-project",
    type=FILE,
    metavar="F.panfocus.json",
    help="Write a project: inputs with hashes, options, where the frames lie.",
)
@under("output", "--dry-run", is_flag=True, help="Check everything, say what would be done, stop.")
@under(
    "output",
    "--json",
    "json_file",
    cls=BareOption,
    endings=(".json",),
    help="Report as JSON: to F, or to stdout.",
)
@under(
    "output", "--json-progress", is_flag=True, help="Progress as one JSON object a line, on stderr."
)
@under("output", "-q", "--quiet", is_flag=True, help="Print errors alone.")
@under("output", "-v", "--verbose", is_flag=True, help="Print timings, and each frame's share.")
@click.pass_context
def fuse(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401  as declared above
    """Fuse a stack of frames into one picture that is sharp everywhere.

    INPUTS are files, globs, a folder, or a multi-page TIFF; two frames or two hundred, in the
    order of their focus.
    """
    from panfocus.cli.fuse import run  # noqa: PLC0415  imports OpenCV
    from panfocus.cli.request import Request  # noqa: PLC0415
    from panfocus.io.volumes.open import is_science  # noqa: PLC0415

    load_plugins(options.pop("plugins"))
    project, accept_changed = options.pop("project"), options.pop("accept_changed")
    check_given(ctx, project)
    chosen = {name: options.pop(name) for name in settings_names()}
    maps = {kind: options.pop(f"{kind}_map") for kind in MAP_KINDS}
    science = {name: options.pop(name) for name in _SCIENCE}
    behind = tuple(ctx.meta[BEHIND])
    request = Request(settings=chosen, maps=maps, behind=behind, **options)
    if project is not None:
        from panfocus.cli.project import run_project  # noqa: PLC0415

        asked = {name: chosen[name] for name in chosen if is_given(ctx, name)}
        run_project(request, project, asked, accept_changed=accept_changed, only=science["only"])
        return
    if request.watch_frames is not None:
        from panfocus.cli.watching import run_watching  # noqa: PLC0415

        run_watching(request, request.watch_frames)
        return
    fused_to = request.output
    is_stack = fused_to is not None and is_science(
        request.inputs, fused_to, is_photographic=request.is_photographic
    )
    if any(science.values()) or is_stack:
        from panfocus.cli.science import run as run_science  # noqa: PLC0415

        if "," in chosen["system"]:
            raise click.UsageError("several systems are for photographs, one for planes", ctx)
        run_science(request, **science)
    elif "," in chosen["system"]:
        from panfocus.cli.several import run_named  # noqa: PLC0415  few want several

        run_named(request)
    else:
        run(request)


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    return ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE


def check_given(ctx: click.Context, project: Path | None) -> None:
    """Refuse frames beside a project, and none at all without one."""
    if project is None and not ctx.params["inputs"]:
        argument = next(p for p in ctx.command.params if p.name == "inputs")
        raise click.MissingParameter(ctx=ctx, param=argument)
    science = (name for name in _SCIENCE if name != "only")  # a part of a volume's project is one
    beside = ("inputs", "align_only", "watch_frames", *science)
    given = [name for name in beside if ctx.params[name]] if project is not None else []
    if given:
        words = ["INPUTS" if n == "inputs" else f"--{n.replace('_', '-')}" for n in given]
        raise click.UsageError(f"{', '.join(words)} cannot stand beside --project.", ctx)
