"""`panfocus synthesize`: its options."""

from __future__ import annotations

from typing import Any

import click

from panfocus.cli.files import FILE
from panfocus.synthesis.kinds import NAMES


@click.command(short_help="Render focal stacks with known truth.")
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURES...")
@click.option("--out", type=FILE, required=True, help="Folder for the sets.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(NAMES),
    multiple=True,
    required=True,
    help="What makes the scenes hard; may be repeated.",
)
@click.option(
    "--count", type=click.IntRange(1), default=12, show_default=True, help="How many scenes."
)
@click.option(
    "--frames", type=click.IntRange(2), help="Frames a scene, for depth, void and breathing."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number that all chance is drawn from: the same seed, the same scenes.",
)
@click.option(
    "--depth-maps",
    type=FILE,
    help="Folder of depth maps named like the pictures, dark is near; for depth and breathing.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing sets.")
def synthesize(pictures: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401  as above
    """Render focal stacks with known truth from sharp PICTURES (files, globs, folders)."""
    from panfocus.cli.synthesize import run  # noqa: PLC0415  imports OpenCV

    run(pictures, **options)
