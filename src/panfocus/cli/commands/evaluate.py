"""`panfocus evaluate`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from panfocus.cli.files import FILE
from panfocus.cli.plugins import load_plugins, plugin_option
from panfocus.cli.repeated_options import ManyCommand, names_by_comma
from panfocus.pipeline.options import ABOUT


@click.command(cls=ManyCommand, short_help="Score systems, and others' results, on focal stacks.")
@click.option("--data", type=FILE, required=True, help="Folder of focal stacks, with truth or not.")
@click.option("--out", type=FILE, required=True, help="Folder for scores, tables and plots.")
@click.option(
    "--systems",
    callback=names_by_comma,
    help="Names, folders, or module:object of your own code; by commas.",
)
@plugin_option
@click.option(
    "--results",
    multiple=True,
    metavar="NAME=DIR...",
    help="Folders of pictures that others have fused, or lists of them (.csv: image, file).",
)
@click.option("--align", default="none", show_default=True, help=ABOUT["align"].help)
@click.option(
    "--device",
    type=click.Choice(ABOUT["device"].choices),
    default="auto",
    show_default=True,
    help=ABOUT["device"].help,
)
@click.option(
    "--banding",
    type=click.Choice(ABOUT["banding"].choices),
    default="mend",
    show_default=True,
    help=ABOUT["banding"].help,
)
@click.option(
    "--spread",
    type=click.Choice(ABOUT["spread"].choices),
    default="mend",
    show_default=True,
    help=ABOUT["spread"].help,
)
@click.option(
    "--metrics", "names", callback=names_by_comma, help="Names, by commas; all if not given."
)
@click.option(
    "--cut",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Pixels of border left out of the second PSNR.",
)
@click.option("--save-images", is_flag=True, help="Keep the fused pictures.")
@click.option(
    "--resume/--overwrite",
    default=True,
    show_default=True,
    help="Keep scores of the same files, systems and settings, or score anew; an earlier "
    "scores.csv is then kept under another name.",
)
@click.option("--plots/--no-plots", default=True, show_default=True, help="Draw plots.")
@click.option(
    "--plot-format",
    type=click.Choice(["png", "svg", "pdf"]),
    default="png",
    show_default=True,
    help="Format of the plots; papers take svg and pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on stdout.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    *,
    systems: list[str] | None,
    names: list[str] | None,
    resume: bool,
    plugins: tuple[Path, ...],
    plots: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401  click hands over what is declared above
) -> None:
    """Score systems, and other people's results, on a folder of focal stacks.

    DATA is A/ B/ [C/...] [GT/], or folders of such names as public sets have (source_1 source_2,
    NEAR FAR), or name-A.png name-B.png in one folder, or a folder per stack.
    """
    from panfocus.cli.evaluate import run  # noqa: PLC0415  imports OpenCV
    from panfocus.evaluate import EvaluationOptions  # noqa: PLC0415

    load_plugins(plugins)
    asked = EvaluationOptions(
        systems=tuple(systems or ()),
        metrics=tuple(names) if names else None,
        overwrite=not resume,
        **options,
    )
    ctx.exit(run(asked, plots=plots, as_json=as_json))
