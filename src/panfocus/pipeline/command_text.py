"""The exact line for a shell that repeats a fusion."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from panfocus.errors import UsageError
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.made import option_words
from panfocus.pipeline.map_files import map_path
from panfocus.pipeline.options import Options
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project_content import ProjectContent

#: Flags of outputs beside the picture, by their names.
_FLAGS = {
    "height_map": "--height-map",
    "mesh": "--mesh",
    "transforms": "--save-transforms",
    "report": "--json",
    "pixel_um": "--pixel-size",
}
_HERE = Path()


def command(
    inputs: Sequence[str], options: Options, outputs: Outputs, *, of_volume: Sequence[str] = ()
) -> str:
    """Return the line that fuses inputs by options.

    Args:
        inputs: as the user named them, or the files that are left of them.
        options: how it was fused.
        outputs: what is written.
        of_volume: flags that volumes alone have, and their values.

    Examples:
        >>> files = Outputs(Path("out.tif"), {"depth": Path("out_depth.tif")})
        >>> command(["shots/"], Options(mode="select"), files)
        'panfocus fuse shots/ --mode select --depth-map -o out.tif'
    """
    words = [*inputs, *of_volume, *_options(options, _HERE)]
    return _line(words, outputs, _HERE, outputs.picture)


def project_command(project: Path, outputs: Outputs, *, of_volume: Sequence[str] = ()) -> str:
    """Return the line that fuses a project, strokes included; arguments as of `command`."""
    words = ["--project", str(project), *of_volume]
    return _line(words, outputs, _HERE, outputs.picture)


def command_line(
    project: ProjectContent, project_file: str | Path | None, output: str | Path | None
) -> str:
    """Return the line that makes the same files again; see `Project.command_line`."""
    folder, outputs = project.folder, project.outputs
    picture = output if output is not None else outputs and folder / outputs.picture
    if picture is None:
        raise UsageError(
            "nothing says where the picture shall go",
            where="output",
            expected="a file, or a project with outputs",
        )
    if project_file is not None:
        words = ["--project", str(project_file)]
    elif project.count or any(each.pages is not None for each in project.inputs):
        raise UsageError(
            "strokes and chosen pages are repeated from the project's file alone",
            where="project_file",
            expected="the file that the project is saved in",
        )
    else:
        words = [str(folder / each.path) for each in project.inputs]
        words += _options(project.options, folder)
    return _line(words, outputs or Outputs(Path(picture)), folder, Path(picture))


def _line(words: Sequence[str], outputs: Outputs, folder: Path, picture: Path) -> str:
    beside = _beside(outputs, folder, picture)
    return shlex.join(["panfocus", "fuse", *words, *beside, "-o", str(picture)])


def _options(options: Options, folder: Path) -> list[str]:
    return option_words(asdict(options), lambda file: str(folder / file))


def _beside(outputs: Outputs, folder: Path, picture: Path) -> list[str]:
    """Return the flags of outputs beside the picture, and of how they are written."""
    out: list[str] = []
    for kind, path in outputs.maps.items():
        is_usual = folder / path == map_path(picture, kind)
        out.append(f"--{kind}-map" if is_usual else f"--{kind}-map={folder / path}")
    for name, flag in _FLAGS.items():
        value = getattr(outputs, name)
        if isinstance(value, Path):
            out.append(f"{flag}={folder / value}")
        elif value is not None:
            out.append(f"{flag}={value:.15g}")
    of_frames = outputs.of_frames
    for option, path in of_frames.named():
        out.append(f"--{option}={folder / path}")
    default = FrameOutputs()
    for name in ("animation_size", "parallax"):
        if getattr(of_frames, name) != getattr(default, name):
            out.append(f"--{name.replace('_', '-')}={getattr(of_frames, name):.15g}")
    if outputs.scale_bar is not None:
        out.append(f"--scale-bar={outputs.scale_bar}")
    if outputs.slab is not None:
        out += ["--slab", *(str(n) for n in outputs.slab)]
    if outputs.quality != 95:
        out += ["--quality", str(outputs.quality)]
    return [*out, *(["--overwrite"] if outputs.overwrite else [])]
