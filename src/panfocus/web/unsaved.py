"""Strokes kept beside the frames until they are saved, in case of a crash."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from panfocus.errors import PanfocusError
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_file import save_project
from panfocus.web.mendings import can_be_mended, carried, project_of
from panfocus.web.places import Places
from panfocus.web.results import Result
from panfocus.web.stacks import OpenStack


def path_of(stack: OpenStack) -> Path:
    """Return where strokes are kept until they are saved: hidden, beside the frames."""
    return stack.folder / f".{stack.title}.unsaved.panfocus.json"


def look_for(stack: OpenStack, places: Places) -> None:
    """See whether an earlier run was ended before its strokes were saved."""
    path = path_of(stack)
    if path.is_file():
        with suppress(PanfocusError):
            found = Project.read(path, roots=places.roots(stack.folder))
            stack.left_over = found if found.count else None


def keeper(stack: OpenStack) -> Result | None:
    """Return the result whose project keeps the strokes: the newest that most of them lie on."""
    found = [r for r in stack.all_results() if can_be_mended(r)]
    return min(reversed(found), key=lambda r: carried(stack, r).missing, default=None)


def keep(stack: OpenStack) -> None:
    """Write the strokes down in case of a crash, where the folder allows for it.

    What is saved, or was all taken back, is not kept any longer.
    """
    with stack.keeping:
        if not stack.strokes.count or stack.strokes.are_saved:
            forget(stack)
            return
        with suppress(PanfocusError, OSError):
            result = keeper(stack)
            if result is not None:
                save_project(path_of(stack), project_of(stack, result), None)


def forget(stack: OpenStack) -> None:
    """Delete what was kept in case of a crash."""
    with stack.keeping:
        stack.left_over = None
        with suppress(OSError):
            path_of(stack).unlink(missing_ok=True)
