"""The commands and their options; what they do lives in the library.

Plain click: it starts in half the time of what is built on top of it, and knows options whose
value may be left out, which ``--depth-map [F]`` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from panfocus._version import __version__
from panfocus.cli.options import GroupedCommand, Number, settings_names, settings_options, under
from panfocus.pipeline.options import ABOUT, MAP_KINDS
from panfocus.synthesis.kinds import NAMES

#: What an option that stands alone is given; no file can be called so by accident.
BARE = "\0"

#: Where a command's context keeps the words that were read as inputs behind such options.
BEHIND = "panfocus.behind"

_MAP_ENDINGS = (".tif", ".tiff", ".png")


_ALIGN_HELP = ABOUT["align"].help
_DEVICE = click.Choice(ABOUT["device"].choices)
_DEVICE_HELP = ABOUT["device"].help


class _BareOption(click.Option):
    """An option that takes a file name or stands alone.

    The next word is its value only if it ends like a file that it could write, and if no picture
    is there: ``--depth-map a.jpg b.jpg`` must not take a photograph away.
    """

    def __init__(self, *args: Any, endings: tuple[str, ...], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, is_flag=False, flag_value=BARE, metavar="[F]", **kwargs)
        self.endings = endings


class _FuseCommand(GroupedCommand):
    """Gives bare options their value before click would take an input for it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        bare = {
            name: option.endings
            for option in self.params
            if isinstance(option, _BareOption)
            for name in option.opts
        }
        filled = fill_bare_options(args, bare)
        ctx.meta[BEHIND] = [
            (option, args[n + 1])
            for n, option in enumerate(args[:-1])
            if option in bare and filled[n] != option and not args[n + 1].startswith("-")
        ]
        return super().parse_args(ctx, filled)


def fill_bare_options(args: list[str], bare: dict[str, tuple[str, ...]]) -> list[str]:
    """Give every option that stands alone the value `BARE`.

    Args:
        args: words of the command line.
        bare: option name to the endings of files that it writes.

    Returns:
        The words, ``--option=BARE`` in place of ``--option`` where no file to write follows. A
        picture that exists is an input, `--overwrite` or not; only a map that panfocus wrote is
        a map's name again. ``--option=FILE`` names any file.
    """
    out: list[str] = []
    for n, word in enumerate(args):
        out.append(word)
        if word not in bare:
            continue
        following = args[n + 1] if n + 1 < len(args) else "-"
        writes = following.lower().endswith(bare[word]) and not following.startswith("-")
        if not writes or _may_be_input(following):
            out[-1] = f"{word}={BARE}"
    return out


class _App(click.Group):
    """Refuses empty words, which a shell makes of variables that are not set.

    An empty name would mean the folder that one happens to be in.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        refuse_empty(args)
        return super().parse_args(ctx, args)


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse a command line with an empty word, or a long option with an empty value.

    Raises:
        UsageError: there is one.
    """
    for n, word in enumerate(words):
        is_option = word.startswith("--") and word.endswith("=")
        if is_option or not word.strip():
            from panfocus.errors import UsageError  # noqa: PLC0415  mostly not needed

            where = word if is_option else f"after {words[n - 1]}" if n else "the first word"
            raise UsageError(
                "a word of the command line is empty",
                where=where,
                expected="a name or a value",
                got="nothing",
                remedy='check the shell variable that it came from ("$DIR"); . is the folder here',
            )


def _load_plugins(files: Sequence[Path]) -> None:
    """Run the user's own files."""
    if files:
        from panfocus.plugins import load_all  # noqa: PLC0415  mostly none

        load_all(files)


def _may_be_input(word: str) -> bool:
    """Whether a word may name frames: a pattern, or a picture that is there and no map."""
    path = Path(word).expanduser()
    if word.lower().endswith(".json"):
        return False
    if not path.exists():
        return any(letter in word for letter in "*?[")
    from panfocus.io.provenance import is_map_of_panfocus  # noqa: PLC0415  few commands need it

    return not is_map_of_panfocus(path)


_FILE = click.Path(path_type=Path)
_plugin_option = click.option(
    "--plugin",
    "plugins",
    type=_FILE,
    multiple=True,
    help="A file of Python that registers systems of your own; may be repeated.",
)
_SIZE = Number(0, min_open=True)


@click.group(cls=_App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="panfocus", message="%(prog)s %(version)s")
def app() -> None:
    """Fuse photographs focused at different depths into one that is sharp everywhere."""


@app.command(cls=_FuseCommand)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUTS...")
@under(
    "output",
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The picture to write; its extension decides the format. Needed but for --align-only.",
)
@settings_options
@_plugin_option
@under(
    "registration",
    "--align-only",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the aligned frames into DIR and fuse nothing.",
)
@under(
    "registration",
    "--save-transforms",
    type=click.Path(path_type=Path),
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
    "maps",
    "--depth-map",
    cls=_BareOption,
    endings=_MAP_ENDINGS,
    help="Write the depth map (float32), to F or beside OUT. A picture that is there and behind "
    "the option is a frame; --depth-map=F names any file. So with the other maps.",
)
@under(
    "maps",
    "--index-map",
    cls=_BareOption,
    endings=_MAP_ENDINGS,
    help="Write the number of the frame that each pixel is taken from (uint16).",
)
@under(
    "maps",
    "--confidence-map",
    cls=_BareOption,
    endings=_MAP_ENDINGS,
    help="Write how clearly the best frame is ahead of the next, from 0 to 1.",
)
@under("maps", "--height-map", type=_FILE, help="Draw depth in colours with a scale.")
@under("maps", "--mesh", type=_FILE, help="Write a textured mesh: .ply, .obj or .glb.")
@under("maps", "--pixel-size", type=_SIZE, metavar="UM", help="Micrometres a pixel, for the mesh.")
@under("input", "--axes", help="Axes of a scientific stack that does not say them, like TCZYX.")
@under(
    "input",
    "--guide-channel",
    metavar="N|NAME",
    help="Channel of a scientific stack that decides for all.",
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
@under("output", "--dry-run", is_flag=True, help="Check everything, say what would be done, stop.")
@under(
    "output",
    "--json",
    "json_file",
    cls=_BareOption,
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
    from panfocus.cli.fuse import Request, run  # noqa: PLC0415  imports OpenCV
    from panfocus.io.volumes.open import is_science  # noqa: PLC0415

    _load_plugins(options.pop("plugins"))
    chosen = {name: options.pop(name) for name in settings_names()}
    maps = {kind: options.pop(f"{kind}_map") for kind in MAP_KINDS}
    science = {name: options.pop(name) for name in ("axes", "guide_channel")}
    behind = tuple(ctx.meta[BEHIND])
    request = Request(settings=chosen, maps=maps, behind=behind, **options)
    fused_to = request.output
    is_stack = fused_to is not None and is_science(
        request.inputs, fused_to, is_photographic=request.is_photographic
    )
    if any(science.values()) or is_stack:
        from panfocus.cli.science import run as run_science  # noqa: PLC0415

        run_science(request, **science)
    else:
        run(request)


@app.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="The cards as JSON on stdout.")
@_plugin_option
def systems(name: str | None, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List what can decide; with NAME show one card whole."""
    _load_plugins(plugins)
    from panfocus.cli.systems import show  # noqa: PLC0415

    show(name, as_json=as_json)


@app.command()
@click.option(
    "-s", "--system", default="dualpath", show_default=True, help="The network to try them with."
)
@click.option("--json", "as_json", is_flag=True, help="The same as JSON on stdout.")
def devices(system: str, as_json: bool) -> None:
    """Try where networks can run here, and say what is missing where they cannot."""
    from panfocus.cli.devices import show  # noqa: PLC0415

    show(system, as_json=as_json)


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


class _ManyCommand(click.Command):
    """Lets an option that may be repeated take several words: ``--sources A B C``.

    Only for commands without arguments of their own, where a bare word can mean nothing else.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        many = {
            n for o in self.params if isinstance(o, click.Option) and o.multiple for n in o.opts
        }
        return super().parse_args(ctx, repeat_options(args, many))


def repeat_options(args: list[str], many: set[str]) -> list[str]:
    """Return ``--x A --x B`` for ``--x A B``.

    Args:
        args: words of the command line.
        many: names of options that may be repeated.
    """
    out: list[str] = []
    current = ""
    fresh = False
    for word in args:
        if word.startswith("-") and word != "-":
            name, is_joined, _ = word.partition("=")
            current, fresh = (name if name in many else ""), not is_joined
        elif current:
            out += [] if fresh else [current]
            fresh = False
        out.append(word)
    return out


def _names(_ctx: click.Context, _option: click.Parameter, value: str | None) -> list[str] | None:
    """Split names by commas; None for none."""
    names = [name.strip() for name in (value or "").split(",")]
    return [name for name in names if name] or None


@app.command(cls=_ManyCommand)
@click.option("--fused", type=_FILE, required=True, help="The picture to be judged.")
@click.option(
    "--sources",
    type=_FILE,
    multiple=True,
    required=True,
    metavar="A B...",
    help="The frames that it was fused from.",
)
@click.option("--reference", type=_FILE, help="The truth, if there is one.")
@click.option("--metrics", "names", callback=_names, help="Names, by commas; all if not given.")
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


@app.command(cls=_ManyCommand)
@click.option(
    "--data", type=_FILE, required=True, help="Folder of focal stacks, with truth or not."
)
@click.option("--out", type=_FILE, required=True, help="Folder for scores, tables and plots.")
@click.option("--systems", callback=_names, help="Names or folders, by commas.")
@_plugin_option
@click.option(
    "--results",
    multiple=True,
    metavar="NAME=DIR...",
    help="Folders of pictures that others have fused.",
)
@click.option("--align", default="none", show_default=True, help=_ALIGN_HELP)
@click.option("--device", type=_DEVICE, default="auto", show_default=True, help=_DEVICE_HELP)
@click.option("--metrics", "names", callback=_names, help="Names, by commas; all if not given.")
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

    _load_plugins(plugins)
    asked = EvaluationOptions(
        systems=tuple(systems or ()),
        metrics=tuple(names) if names else None,
        overwrite=not resume,
        **options,
    )
    ctx.exit(run(asked, plots=plots, as_json=as_json))


@app.command()
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURES...")
@click.option("--out", type=_FILE, required=True, help="Folder for the sets.")
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
    type=_FILE,
    help="Folder of depth maps named like the pictures, dark is near; for depth and breathing.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing sets.")
def synthesize(pictures: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401  as above
    """Render focal stacks with known truth from sharp PICTURES (files, globs, folders)."""
    from panfocus.cli.synthesize import run  # noqa: PLC0415  imports OpenCV

    run(pictures, **options)


#: Options of `fuse` that a batch has in its own way, or not at all.
_NOT_IN_BATCH = frozenset({
    "inputs", "output", "depth_map", "index_map", "confidence_map", "overwrite", "dry_run",
    "json_file", "json_progress", "quiet", "verbose", "plugins",
})  # fmt: skip


@app.command(cls=GroupedCommand)
@click.argument("source", type=_FILE, metavar="IN")
@click.argument("out", type=_FILE, metavar="OUT")
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


# a batch takes whatever settings `fuse` takes
batch.params += [o for o in fuse.params if o.name not in _NOT_IN_BATCH]
