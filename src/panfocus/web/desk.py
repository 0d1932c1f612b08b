"""All that is open: stacks and evaluations, and what pages ask to be done with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from panfocus.errors import InputError, PanfocusError, UsageError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_content import ProjectContent
from panfocus.web import fusing, unsaved
from panfocus.web.drafting import draft
from panfocus.web.evaluations import OpenEvaluation, is_evaluation
from panfocus.web.events import Hub
from panfocus.web.frames import FileFrames
from panfocus.web.jobs import Jobs, PageJob, facts_of
from panfocus.web.listing import PROJECT_ENDING, pictures_in
from panfocus.web.open_stacks import Opened, OpenStacks
from panfocus.web.opening import open_inputs, open_stack
from panfocus.web.places import Places, RefusedError
from panfocus.web.pyramids import Pyramids
from panfocus.web.spot import Spot
from panfocus.web.stacks import DRAFT, OpenStack
from panfocus.web.taking_up import put_strokes, take_up

#: Pictures in a folder from which it is taken for a stack, and not for a folder of stacks.
_OF_A_STACK = 2


class Desk:
    """What is open.

    Args:
        places: that may be read and written.
        hub: of the pages.
        budget: bytes for pictures to be looked at; None for a share of what is free.
    """

    def __init__(self, places: Places, hub: Hub, budget: int | None = None) -> None:
        self.places = places
        self.hub = hub
        self.jobs = Jobs(hub)
        self.pyramids = Pyramids(budget)
        self.work = Path(tempfile.mkdtemp(prefix="panfocus-work-"))
        self.stacks = OpenStacks()
        self._problems: list[dict[str, Any]] = []

    def stack(self, id_: str) -> OpenStack:
        """Return an open stack.

        Raises:
            UsageError: there is none of that name.
        """
        found = self.opened(id_)
        if not isinstance(found, OpenStack):
            raise UsageError("this is no stack", where="stack", got=found.title)
        return found

    def opened(self, id_: str) -> Opened:
        """Return an open stack or evaluation.

        Raises:
            GoneError: it was closed.
            UsageError: there was never one of that name.
        """
        return self.stacks.of(id_)

    def open(self, paths: Sequence[Path], reading: VolumeReading | None = None) -> Opened:
        """Open files or a folder as a stack, and begin with its draft; once, however often asked.

        Args:
            paths: files, or a folder.
            reading: how a volume is read; None for as it says itself.

        Raises:
            InputError: no frames, or frames that do not fit together.
            UsageError: too many are open, or it cannot be read so.
        """
        reading = reading or VolumeReading()
        with self.stacks.opening(paths, reading) as found:
            return self._open(paths, reading) if found is None else found

    def _open(self, paths: Sequence[Path], reading: VolumeReading) -> Opened:
        if len(paths) == 1 and paths[0].name.endswith(PROJECT_ENDING):
            return self._open_project(paths[0])
        if len(paths) == 1 and is_evaluation(paths[0]):
            evaluation = OpenEvaluation(paths[0], self.places)
            self.stacks.add(evaluation)
            self.hub.tell("stacks")
            return evaluation
        opened = open_stack(paths, reading, self.work, self.places)
        self._check_files(opened)
        opened.is_dropped = self.places.is_dropped(paths[0])
        unsaved.look_for(opened, self.places)
        self._add(opened)
        return opened

    def reread(self, stack: OpenStack, reading: VolumeReading) -> Opened:
        """Open a stack's files again, read otherwise; what was made of it stays open beside it.

        Raises:
            InputError, UsageError: as `open`; the stack stays as it is.
        """
        opened = self.open(stack.inputs, reading)
        if opened is stack:
            return stack
        opened.title = stack.title
        is_fused = any(each.id != DRAFT for each in stack.all_results())
        if not (stack.strokes.count or is_fused or self.jobs.are_for(stack.id, "fuse", "save")):
            self.close_stack(stack.id)
        return opened

    def _check_files(self, stack: OpenStack) -> None:
        """Refuse frames that lie elsewhere; links among them do.

        Raises:
            RefusedError: one does.
        """
        try:
            if isinstance(stack.frames, FileFrames):
                self.places.check({info.path for info in stack.frames.infos})
        except RefusedError:
            stack.close()
            raise

    def _add(self, stack: OpenStack) -> None:
        self.stacks.add(stack)
        self.hub.tell("stacks")
        self.draft(stack)

    def _open_project(self, path: Path) -> OpenStack:
        """Open a project: its frames, its options, its strokes once it is fused."""
        project = Project.read(path, roots=self.places.roots())
        paths = [path.parent / each.path for each in project.inputs]
        gone = [str(p) for p in paths if not (p.is_file() or (project.planes and p.is_dir()))]
        if gone:
            raise InputError("an input of the project is not there", where=", ".join(gone[:5]))
        stack = open_inputs(project, paths, self.work, self.places)
        self._check_files(stack)
        stack.title = path.name.removesuffix(PROJECT_ENDING)
        stack.named = [path]
        stack.project, stack.revision = path, project.revision
        put_strokes(stack, project)
        stack.strokes.note_saved(stack.strokes.versions())
        unsaved.look_for(stack, self.places)
        self._add(stack)
        self._go_on(stack, project)
        return stack

    def take_up(self, stack: OpenStack, project: ProjectContent) -> None:
        """Go on with a project: put its strokes on, and fuse as it was fused.

        Raises:
            UsageError, InputError, SystemError_: it cannot be fused as it was.
        """
        put_strokes(stack, project)
        self.hub.tell("strokes", id=stack.id, key=stack.key, version=stack.mending.version)
        self._go_on(stack, project)

    def _go_on(self, stack: OpenStack, project: ProjectContent) -> None:
        options, spot, planned = take_up(stack, project)
        self._fuse(stack, options, spot, planned)

    def draft(self, stack: OpenStack) -> PageJob:
        """Begin with a stack's draft."""
        self.jobs.stop_all(stack.id, "draft")

        def work(job: PageJob) -> None:
            draft(stack, job, self.jobs)
            self.jobs.changed(stack.id)

        return self.jobs.start(PageJob("draft", stack.id, "draft"), work)

    def fuse(self, stack: OpenStack, options: Options, spot: Spot) -> PageJob:
        """Begin to fuse what is told of a stack.

        Raises:
            UsageError, InputError, SystemError_: it cannot be done as asked.
        """
        planned = fusing.check(stack, options, spot)
        stack.is_hurried = True  # an aligned draft would only take time from what is wanted
        return self._fuse(stack, options, spot, planned)

    def _fuse(
        self, stack: OpenStack, options: Options, spot: Spot, planned: Plan | None
    ) -> PageJob:
        def work(job: PageJob) -> None:
            fusing.full(stack, options, planned, job, self.jobs, spot=spot)
            self.jobs.changed(stack.id)

        return self.jobs.start(PageJob("fuse", stack.id, stack.result_name(options)), work)

    def region(
        self, stack: OpenStack, options: Options, box: tuple[int, int, int, int], spot: Spot
    ) -> PageJob:
        """Begin to fuse a part of the picture.

        Raises:
            UsageError: no such part.
        """
        _, height, width = stack.frames.shape
        left, top, wide, high = box
        fits = left >= 0 and top >= 0 and left + wide <= width and top + high <= height
        if not fits or min(wide, high) < 64:
            raise UsageError("there is no such part of the picture", got=str(box))

        if spot.guide is not None:
            fusing.check(stack, options, spot)

        def work(job: PageJob) -> None:
            fusing.region(stack, options, box, job, self.jobs, spot=spot)
            self.jobs.changed(stack.id)

        return self.jobs.start(PageJob("region", stack.id, "region"), work)

    def close_stack(self, id_: str) -> None:
        """Close a stack; what was not saved of it goes, once what is done for it has ended."""
        stack = self.stacks.take(id_)
        if stack is not None:
            self.hub.tell("stacks")
            self.jobs.end(stack.id, stack.close)
            self.pyramids.forget(stack.id)

    def close(self) -> None:
        """End all, and delete what was made on the way."""
        opened = self.stacks.end()
        self.jobs.close()
        for each in opened:
            self.close_stack(each.id)
        shutil.rmtree(self.work, ignore_errors=True)
        self.places.close()

    def note(self, paths: Sequence[Path], error: PanfocusError) -> None:
        """Keep why something that was named at the start is not open, for the page to show."""
        if not all(path.is_dir() and pictures_in(path) < _OF_A_STACK for path in paths):
            self._problems.append(facts_of(error))
            self.hub.tell("stacks")

    def facts(self) -> dict[str, Any]:
        """Return what a page shows first."""
        return {
            "stacks": [{"id": s.id, "title": s.title} for s in self.stacks.all()],
            "jobs": self.jobs.facts(),
            "problems": list(self._problems),
            "folders": [str(folder) for folder in self.places.given],
        }
