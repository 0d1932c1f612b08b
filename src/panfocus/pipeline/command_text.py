"""The line for a shell that repeats a project."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from panfocus.errors import UsageError
from panfocus.pipeline.frame_outputs import FrameOutputs
from panfocus.pipeline.options import ABOUT, FIELDS, flag_of
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project import Project

#: Flags of outputs beside the picture, by their names.
_FLAGS = {
    "height_map": "--height-map",
    "mesh": "--mesh",
    "transforms": "--save-transforms",
    "report": "--json",
    "pixel_um": "--pixel-size",
}


def command_line(
    project: Project, project_file: str | Path | None, output: str | Path | None
) -> str:
    """Return the line that makes the same files again; see `Project.command_line`."""
    outputs = project.outputs
    picture = output if output is not None else outputs and project.folder / outputs.picture
    if picture is None:
        raise UsageError(
            "nothing says where the picture shall go",
            where="output",
            expected="a file, or a project with outputs",
        )
    if project_file is not None:
        words = ["--project", str(project_file)]
    elif project.strokes or any(each.pages is not None for each in project.inputs):
        raise UsageError(
            "strokes and chosen pages are repeated from the project's file alone",
            where="project_file",
            expected="the file that the project is saved in",
        )
    else:
        words = [*(str(project.folder / each.path) for each in project.inputs), *_options(project)]
    if outputs is not None:
        words += _beside(outputs, project.folder)
    return shlex.join(["panfocus", "fuse", *words, "-o", str(picture)])


def _options(project: Project) -> list[str]:
    """Return the flags of all options that are not as they are by default."""
    out: list[str] = []
    for name, each in FIELDS.items():
        value: Any = getattr(project.options, name)
        if value == each.default or ABOUT[name].flags == ():
            continue
        if name == "load_transforms":
            value = project.folder / value
        # what can be switched off is off by default
        out += [flag_of(name)] if ABOUT[name].kind == "truth" else [flag_of(name), str(value)]
    return out


def _beside(outputs: Outputs, folder: Path) -> list[str]:
    """Return the flags of outputs beside the picture."""
    out: list[str] = []
    for kind, path in outputs.maps.items():
        out.append(f"--{kind}-map={folder / path}")
    for name, flag in _FLAGS.items():
        value = getattr(outputs, name)
        if isinstance(value, Path):
            out.append(f"{flag}={folder / value}")
        elif value is not None:
            out.append(f"{flag}={value:g}")
    of_frames = outputs.of_frames
    for option, path in of_frames.named():
        out.append(f"--{option}={folder / path}")
    default = FrameOutputs()
    for name in ("animation_size", "parallax"):
        if getattr(of_frames, name) != getattr(default, name):
            out.append(f"--{name.replace('_', '-')}={getattr(of_frames, name):g}")
    if outputs.slab is not None:
        out += ["--slab", *(str(n) for n in outputs.slab)]
    return [*out, *([] if outputs.quality == 95 else ["--quality", str(outputs.quality)])]
