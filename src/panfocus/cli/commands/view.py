"""`panfocus view`: its options."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="See, fuse, compare, mend and save stacks in the browser.")
@click.argument("inputs", nargs=-1, metavar="[FOLDER|FILES|RESULT]...")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on. Another than that of this machine alone is warned of.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port to listen on; one that is free if not given.",
)
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option("--keep", is_flag=True, help="Stay when the last page was closed.")
def view(inputs: tuple[str, ...], host: str, port: int, no_open: bool, keep: bool) -> None:
    """See, fuse, compare, mend and save stacks on a page in the browser.

    Each folder and each volume is a stack of its own, single files together are one; none at all
    means the folder here. Nothing outside of these folders is read or written.
    """
    try:
        from panfocus.web.serve import View, run  # noqa: PLC0415  an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        from panfocus.errors import UsageError  # noqa: PLC0415  mostly not needed

        raise UsageError(
            "the page needs Starlette and uvicorn", remedy="pip install 'panfocus[web]'"
        ) from error
    paths = [Path(text) for text in inputs] or [Path()]
    run(View(paths, host, port, opens=not no_open, keeps=keep))
