"""`panfocus fuse --project F`: a project without a page, strokes included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from panfocus.cli.fuse import carry_out
from panfocus.cli.project_file import check_project
from panfocus.cli.request import Request
from panfocus.errors import UsageError
from panfocus.pipeline.output_places import with_places
from panfocus.pipeline.outputs import Outputs, inputs_of
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_content import ProjectContent
from panfocus.pipeline.replay import fuse_project, plan_project, with_result


def run_project(
    request: Request,
    path: Path,
    asked: Mapping[str, Any],
    *,
    accept_changed: bool,
    only: str | None = None,
) -> None:
    """Fuse a project.

    Args:
        request: what else is asked for; without inputs.
        path: of the project's file.
        asked: options that stand on the command line, and go before those of the project.
        accept_changed: whether inputs that have changed are taken.
        only: what of a volume is fused; None for all.
    """
    project = Project.read(path)
    if project.planes is not None:
        from panfocus.cli.science import run_volume_project  # noqa: PLC0415  few are of volumes

        run_volume_project(
            request,
            path,
            project.with_options(**asked),
            accept_changed=accept_changed,
            only=only,
        )
        return
    if only is not None:
        raise UsageError(
            "photographs have no times and no channels to choose from",
            where="only",
            remedy="leave it out; it is for projects of volumes",
        )
    outputs = _outputs(request, project)
    # maps are not only files: a stroke may ask for the sharpest frame
    project = project.with_options(**{**asked, "maps": outputs.need_maps or bool(project.strokes)})
    planned = plan_project(project, accept_changed=accept_changed)
    plan_ = planned.plan
    read = [path, *inputs_of(plan_)]
    outputs.check(plan_, read=read)
    check_project(request, read, outputs.named(plan_.count))
    carry_out(
        request,
        plan_,
        outputs,
        lambda tell: fuse_project(planned, progress=tell),
        lambda result: with_result(project, planned, result),
    )


def _outputs(request: Request, project: ProjectContent) -> Outputs:
    """Return the files that are wanted: by the command line, or by the project."""
    if request.output is not None:
        return request.outputs(request.output)
    wanted = project.outputs
    if wanted is None:
        raise UsageError(
            "there is no output",
            where="-o",
            expected="-o PICTURE, as the project names none",
            remedy="say where the fused picture shall go: -o fused.tif",
        )
    outputs = with_places(wanted, lambda path: project.folder / path)
    assert outputs is not None
    return replace(outputs, overwrite=request.overwrite)
