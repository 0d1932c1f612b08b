"""Go on with a project on the page: its strokes at once, and the fusion that they lie on."""

from __future__ import annotations

from dataclasses import replace

from panfocus.errors import UsageError
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.project_content import ProjectContent, registration_options
from panfocus.web import fusing
from panfocus.web.carried import Base
from panfocus.web.form import changed
from panfocus.web.opening import frames_of
from panfocus.web.spot import Spot
from panfocus.web.stacks import OpenStack


def put_strokes(stack: OpenStack, project: ProjectContent) -> None:
    """Put a project's strokes onto a stack, and choose its frames.

    They are there before anything is fused: whoever stops that, and saves the project after another
    fusion, must not lose them.

    Args:
        stack: of the project's inputs.
        project: read.

    Raises:
        UsageError: the project is of a volume, and the stack is none.
    """
    if project.planes is not None:
        _put_planes(stack, project)
        return
    used = frames_of(stack, project)
    found = project.registration
    stack.mending.put(project.strokes, Base(used, None if found is None else found.found))
    if stack.can_switch and len(used) > 1:
        stack.used = [n in used for n in range(len(stack.used))]


def take_up(stack: OpenStack, project: ProjectContent) -> tuple[Options, Spot, Plan | None]:
    """Return how a project goes on: options, what of the stack is fused, the plan of files.

    Raises:
        UsageError, InputError, SystemError_: it cannot be fused as it was.
    """
    options = replace(project.options, maps=True)
    stack.options = changed(options)
    spot = Spot.of(stack)
    return options, spot, _planned(stack, project, options, spot)


def _put_planes(stack: OpenStack, project: ProjectContent) -> None:
    """Put the strokes of a volume, and show the first place that has some."""
    if stack.volume is None:
        raise UsageError("this project is of a volume, and the stack is none")
    for each in reversed(project.planes or ()):  # the first is shown in the end
        stack.go_to(each.place)
        stack.mending.put(each.strokes, Base(stack.numbers, None))


def _planned(
    stack: OpenStack, project: ProjectContent, options: Options, spot: Spot
) -> Plan | None:
    """Return the plan of files, with the project's registration where that is still the wanted."""
    planned = fusing.check(stack, options, spot)
    found = project.registration
    if planned is None or found is None or options.cull:
        return planned
    is_whole = frames_of(stack, project) == spot.used
    fits = is_whole and len(found.found.alignment.frames) == planned.count
    if fits and found.options == registration_options(options):
        return replace(planned, registration=found.found)
    return planned
