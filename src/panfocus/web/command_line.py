"""The exact command line that repeats what the page has done."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.options import ABOUT, MapKind, Options, flag_of
from panfocus.web.form import changed


@dataclass(frozen=True)
class SavedFiles:
    """What is to be written of a result.

    Attributes:
        picture: where to.
        maps: those beside it.
        height_map: depth in colours.
        mesh: the surface.
        pixel_um: micrometres a pixel, for the mesh.
        slab: frames of each slab and how many it shares with the next.
        transforms: where the frames lie.
        report: how it came about.
        extras: files that show the frames, too.
        quality: of JPEG and WebP.
        overwrite: whether files may be replaced.
    """

    picture: Path
    maps: tuple[MapKind, ...] = ()
    height_map: Path | None = None
    mesh: Path | None = None
    pixel_um: float | None = None
    slab: tuple[int, int] | None = None
    transforms: Path | None = None
    report: Path | None = None
    extras: FrameOutputs = field(default_factory=FrameOutputs)
    quality: int = 95
    overwrite: bool = False


def command(inputs: Sequence[str], options: Options, wanted: SavedFiles) -> str:
    """Return a line for a shell.

    Args:
        inputs: as the user named them, or the files that are left of them.
        options: how it was fused.
        wanted: what is written.

    Example:
        >>> files = SavedFiles(Path("out.tif"), maps=("depth",))
        >>> command(["shots/"], Options(mode="select"), files)
        'panfocus fuse shots/ -o out.tif --mode select --depth-map'
    """
    words = ["panfocus", "fuse", *inputs, "-o", str(wanted.picture)]
    for name, value in changed(options).items():
        words += _words(name, value)
    words += _outputs(wanted)
    return shlex.join(words)


def project_command(project: Path, wanted: SavedFiles) -> str:
    """Return the line that fuses a project, strokes included."""
    words = ["panfocus", "fuse", "--project", str(project), "-o", str(wanted.picture)]
    return shlex.join([*words, *_outputs(wanted)])


def _words(name: str, value: Any) -> list[str]:  # noqa: ANN401  of any option
    flag = flag_of(name)
    if ABOUT[name].kind == "truth":
        return [flag] if value else []
    return [flag, str(value)]


def _outputs(wanted: SavedFiles) -> list[str]:
    words = [f"--{kind}-map" for kind in wanted.maps]
    extras = [(f"--{name}", path) for name, path in wanted.extras.named()]
    for flag, value in (
        *extras,
        ("--height-map", wanted.height_map),
        ("--mesh", wanted.mesh),
        ("--pixel-size", wanted.pixel_um),
        ("--save-transforms", wanted.transforms),
        ("--json", wanted.report),
    ):
        words += [] if value is None else [flag, str(value)]
    if wanted.slab is not None:
        words += ["--slab", *map(str, wanted.slab)]
    if wanted.quality != 95:
        words += ["--quality", str(wanted.quality)]
    return [*words, *(["--overwrite"] if wanted.overwrite else [])]
