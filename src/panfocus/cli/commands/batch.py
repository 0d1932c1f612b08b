"""`panfocus batch`: its options."""

from __future__ import annotations

from copy import copy
from typing import Any

import click

from panfocus.cli.commands.fuse import fuse
from panfocus.cli.files import FILE
from panfocus.cli.options import GroupedCommand, Number

#: Options of `fuse` that a batch has in its own way, or not at all.
_NOT_IN_BATCH = frozenset({
    "inputs", "output", "depth_map", "index_map", "confidence_map", "overwrite", "dry_run",
    "json_file", "json_progress", "quiet", "verbose", "plugins",
    "project", "accept_changed", "save_project",
    "layers", "animation", "stereo", "rocking", "animation_size", "parallax",
    "scale_bar", "ome_zarr",
})  # fmt: skip
#: Options that a batch refuses with a remedy; its help is silent of them.
OF_ONE_STACK = frozenset({
    "align_only", "save_transforms", "watch_frames", "slab", "height_map", "mesh", "pixel_size",
    "pattern",
})  # fmt: skip


@click.command(cls=GroupedCommand)
@click.argument("source", type=FILE, metavar="IN")
@click.argument("out", type=FILE, metavar="OUT")
@click.option(
    "--workers", type=click.IntRange(0), help="Processes; one per processor if not given."
)
@click.option("--scheduler", metavar="tcp://...", help="A Dask scheduler, in place of --workers.")
@click.option("--resume", is_flag=True, help="Leave out stacks that are done and unchanged.")
@click.option("--watch", is_flag=True, help="Wait for new stacks until interrupted.")
@click.option(
    "--settle",
    "settle_s",
    type=Number(0),
    default=5.0,
    show_default=True,
    help="With --watch: seconds for which a stack must not have changed.",
)
@click.option("--idle", "idle_s", type=Number(0), help="With --watch: stop after so many seconds.")
@click.option(
    "--format",
    "ending",
    type=click.Choice(["tif", "png", "jpg", "webp"]),
    default="tif",
    show_default=True,
    help="Format of the pictures.",
)
@click.option(
    "--ome-zarr",
    type=click.Choice(["0.4", "0.5"]),
    help="Write scientific stacks as OME-Zarr of this version, in place of OME-TIFF.",
)
@click.option("--depth-map", is_flag=True, help="Write depth maps (float32).")
@click.option("--index-map", is_flag=True, help="Write the number of the frame taken (uint16).")
@click.option("--confidence-map", is_flag=True, help="Write how clear each decision is.")
@click.option("--overwrite", is_flag=True, help="Replace existing files; never what is read.")
@click.option("--dry-run", is_flag=True, help="List the stacks, and what each would take.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on stdout.")
@click.option(
    "--json-progress", is_flag=True, help="Progress as one JSON object a line, on stderr."
)
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
@click.pass_context
def batch(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401  as above
    """Fuse many stacks; one bad stack does not stop the rest.

    IN is a folder (each folder in it a stack; each OME-TIFF, OME-Zarr and TIFF of several pages
    too), a manifest (.csv with the columns name, inputs, and if wanted output and options), or one
    scientific stack (each position, T and C on its own). OUT gets a picture per stack, report.json
    and report.csv.
    """
    from panfocus.cli.batch import run  # noqa: PLC0415  imports OpenCV

    ctx.exit(run(options))


def _of_batch(option: click.Parameter) -> click.Parameter:
    own = copy(option)
    if isinstance(own, click.Option):
        own.hidden = own.name in OF_ONE_STACK
    return own


# a batch takes whatever settings `fuse` takes
batch.params += [_of_batch(o) for o in fuse.params if o.name not in _NOT_IN_BATCH]
