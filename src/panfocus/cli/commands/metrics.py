"""`panfocus metrics`: its options."""

from __future__ import annotations

from pathlib import Path

import click

from panfocus.cli.files import FILE
from panfocus.cli.repeated_options import ManyCommand, names_by_comma


@click.command(cls=ManyCommand)
@click.option("--fused", type=FILE, required=True, help="The picture to be judged.")
@click.option(
    "--sources",
    type=FILE,
    multiple=True,
    required=True,
    metavar="A B...",
    help="The frames that it was fused from.",
)
@click.option("--reference", type=FILE, help="The truth, if there is one.")
@click.option(
    "--metrics", "names", callback=names_by_comma, help="Names, by commas; all if not given."
)
@click.option("--json", "as_json", is_flag=True, help="One flat JSON object on stdout.")
def metrics(
    fused: Path,
    sources: tuple[Path, ...],
    reference: Path | None,
    names: list[str] | None,
    as_json: bool,
) -> None:
    """Measure one fused picture by all metrics that apply."""
    from panfocus.cli.metrics import run  # noqa: PLC0415  imports OpenCV

    run(fused, sources, reference, names, as_json=as_json)
