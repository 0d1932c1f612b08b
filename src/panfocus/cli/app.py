"""The commands and their options; what they do lives in the library.

Plain click: it starts in half the time of what is built on top of it, and knows options whose
value may be left out, which ``--depth-map [F]`` is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import panfocus

#: What an option that stands alone is given; no file can be called so by accident.
BARE = "\0"

_MAP_ENDINGS = (".tif", ".tiff", ".png")


class _BareOption(click.Option):
    """An option that takes a file name or stands alone.

    The next word is its value only if it ends like a file that it could write:
    ``--depth-map a.jpg b.jpg`` must not take a photograph away.
    """

    def __init__(self, *args: Any, endings: tuple[str, ...], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, is_flag=False, flag_value=BARE, metavar="[F]", **kwargs)
        self.endings = endings


class _FuseCommand(click.Command):
    """Gives bare options their value before click would take an input for it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        bare = {
            name: option.endings
            for option in self.params
            if isinstance(option, _BareOption)
            for name in option.opts
        }
        return super().parse_args(ctx, fill_bare_options(args, bare))


def fill_bare_options(args: list[str], bare: dict[str, tuple[str, ...]]) -> list[str]:
    """Give every option that stands alone the value `BARE`.

    Args:
        args: words of the command line.
        bare: option name to the endings of files that it writes.

    Returns:
        The words, ``--option=BARE`` in place of ``--option`` where no file to write follows. A
        file that exists is an input, unless `--overwrite` gives it free.
    """
    out: list[str] = []
    for n, word in enumerate(args):
        out.append(word)
        if word not in bare:
            continue
        following = args[n + 1] if n + 1 < len(args) else "-"
        writes = following.lower().endswith(bare[word]) and not following.startswith("-")
        is_input = Path(following).exists() and "--overwrite" not in args
        if not writes or is_input or "*" in following:
            out[-1] = f"{word}={BARE}"
    return out


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(panfocus.__version__, prog_name="panfocus", message="%(prog)s %(version)s")
def app() -> None:
    """Fuse photographs focused at different depths into one that is sharp everywhere."""


@app.command(cls=_FuseCommand)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUTS...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The picture to write; its extension decides the format.",
)
@click.option(
    "-s",
    "--system",
    help="What decides: a name of `panfocus systems`, or the folder of an exported system.",
)
@click.option("--align", default="none", show_default=True, help="Registration of the frames.")
@click.option(
    "--reference",
    default="middle",
    show_default=True,
    help="Frame whose metadata is kept: middle, first, last, or a number from 0.",
)
@click.option(
    "--mode",
    type=click.Choice(["blend", "select"]),
    default="blend",
    show_default=True,
    help="Blend at boundaries, or select native pixels only.",
)
@click.option(
    "--depth-map", cls=_BareOption, endings=_MAP_ENDINGS, help="Write the depth map (float32)."
)
@click.option(
    "--index-map", cls=_BareOption, endings=_MAP_ENDINGS, help="Write which frame won (uint16)."
)
@click.option(
    "--confidence-map", cls=_BareOption, endings=_MAP_ENDINGS, help="Write how clear it was."
)
@click.option(
    "--z-step", "z_step_um", type=float, help="Micrometres between frames: makes depth a length."
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=95,
    show_default=True,
    help="Of JPEG and WebP.",
)
@click.option(
    "--bit-depth",
    type=click.Choice(["same", "8", "16"]),
    default="same",
    show_default=True,
    help="Bits per channel of the result.",
)
@click.option(
    "--max-memory",
    default="auto",
    show_default=True,
    help="auto (70 % of what is free), or a size such as 2GiB.",
)
@click.option("--threads", type=click.IntRange(1), help="Processors to use; all if not given.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be done, stop.")
@click.option(
    "--json",
    "json_file",
    cls=_BareOption,
    endings=(".json",),
    help="Report as JSON: to F, or to stdout.",
)
@click.option(
    "--json-progress", is_flag=True, help="Progress as one JSON object a line, on stderr."
)
@click.option("-q", "--quiet", is_flag=True, help="Only errors.")
@click.option("-v", "--verbose", is_flag=True, help="Timings, and each frame's share.")
def fuse(**options: Any) -> None:  # noqa: ANN401  click hands over what is declared above
    """Fuse a stack of frames into one picture that is sharp everywhere.

    INPUTS are files, globs, a folder, or a multi-page TIFF; two frames or two hundred, in the
    order of their focus.
    """
    from panfocus.cli.fuse import Request, run  # noqa: PLC0415  imports OpenCV

    settings = (
        "system",
        "align",
        "reference",
        "mode",
        "bit_depth",
        "max_memory",
        "threads",
        "z_step_um",
    )
    chosen = {name: options.pop(name) for name in settings}
    if chosen["system"] is None:
        del chosen["system"]
    maps = {kind: options.pop(f"{kind}_map") for kind in ("depth", "index", "confidence")}
    run(Request(settings=chosen, maps=maps, **options))


@app.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="The cards as JSON on stdout.")
def systems(name: str | None, as_json: bool) -> None:
    """List what can decide; with NAME show one card whole."""
    from panfocus.cli.systems import show  # noqa: PLC0415

    show(name, as_json=as_json)


_PASSED_ON: dict[str, Any] = {"ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def train(words: tuple[str, ...]) -> None:
    """Train a system on your own pictures (needs the extra `train`)."""
    from panfocus.cli.training import run  # noqa: PLC0415  imports torch

    run("train", words)


@app.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def export(words: tuple[str, ...]) -> None:
    """Write a training run as a system that `fuse` can use (needs the extra `train`)."""
    from panfocus.cli.training import run  # noqa: PLC0415  imports torch

    run("export", words)
