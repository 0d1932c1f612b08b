"""`panfocus systems`: its options."""

from __future__ import annotations

from pathlib import Path

import click

from panfocus.cli.plugins import load_plugins, plugin_option


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="The cards as JSON on stdout.")
@plugin_option
def systems(name: str | None, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List what can decide; with NAME show one card whole."""
    load_plugins(plugins)
    from panfocus.cli.systems import show  # noqa: PLC0415

    show(name, as_json=as_json)
