"""`panfocus fuse --save-project F`: the project of what was fused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from panfocus import io
from panfocus.cli.request import Request
from panfocus.io.outputs import Output, check_apart
from panfocus.pipeline.output_places import with_places
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project_content import ProjectContent
from panfocus.pipeline.project_file import save_project as write_project


def check_project(request: Request, read: Sequence[Path], outputs: Sequence[Output]) -> None:
    """Refuse a project file that cannot be written, before any work."""
    if request.save_project is None:
        return
    check_apart(read, [*outputs, ("--save-project", request.save_project)])
    io.check_place(request.save_project, overwrite=request.overwrite)


def save_project(request: Request, project: ProjectContent, outputs: Outputs) -> Path:
    """Write the project with those outputs that lie in its folder; return its file."""
    assert request.save_project is not None
    folder = Path(os.path.realpath(request.save_project)).parent
    wanted = _told_from(outputs, folder)
    expected = None if request.overwrite else 0
    write_project(request.save_project, replace(project, outputs=wanted), expected)
    return request.save_project


def _told_from(outputs: Outputs, folder: Path) -> Outputs | None:
    """Return outputs as a project may name them: below its folder; None where the picture is not.

    What lies elsewhere is left out, and so is leave to replace files: whoever runs the project
    says that anew.
    """

    def told(path: Path) -> Path | None:
        real = Path(os.path.realpath(path))
        return real.relative_to(folder) if real.is_relative_to(folder) else None

    wanted = with_places(outputs, told)
    return None if wanted is None else replace(wanted, overwrite=False)
