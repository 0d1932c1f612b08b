"""`panfocus systems`: its options."""

from __future__ import annotations

from pathlib import Path

import click

from panfocus.cli.plugins import load_plugins, plugin_option


@click.command()
@click.argument("name", required=False)
@click.argument("folder", required=False)
@click.option("--json", "as_json", is_flag=True, help="The cards as JSON on stdout.")
@plugin_option
@click.pass_context
def systems(
    ctx: click.Context,
    *,
    name: str | None,
    folder: str | None,
    as_json: bool,
    plugins: tuple[Path, ...],
) -> None:
    """List what can decide; with NAME show one card whole.

    `panfocus systems check FOLDER` looks at an exported system, or one of your own: whether its
    files are those of its card, and whether it keeps what fusions rely on.
    """
    load_plugins(plugins)
    if name == "check" and folder is not None:
        from panfocus.cli.systems_check import check  # noqa: PLC0415

        check(folder, as_json=as_json)
        return
    if folder is not None:
        raise click.UsageError("one NAME, or `check FOLDER`.", ctx)
    from panfocus.cli.systems import show  # noqa: PLC0415

    show(name, as_json=as_json)
