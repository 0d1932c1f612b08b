"""`panfocus devices`: its options."""

from __future__ import annotations

import click


@click.command(short_help="Try where networks can run here.")
@click.option(
    "-s", "--system", default="dualpath", show_default=True, help="The network to try them with."
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON on stdout.")
def devices(system: str, as_json: bool) -> None:
    """Try where networks can run here, and say what is missing where they cannot."""
    from panfocus.cli.devices import show  # noqa: PLC0415

    show(system, as_json=as_json)
