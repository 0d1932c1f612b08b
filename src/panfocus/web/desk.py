"""All that is open: stacks and evaluations, and what pages ask to be done with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any

from panfocus.errors import InputError, PanfocusError, UsageError
from panfocus.io.volumes.reading import VolumeReading
from panfocus.pipeline.options import Options
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_content import ProjectContent, registration_options
from panfocus.web import fusing, mendings
from panfocus.web.carried import Base
from panfocus.web.drafting import draft
from panfocus.web.evaluations import OpenEvaluation, is_evaluation
from panfocus.web.events import Hub
from panfocus.web.form import changed
from panfocus.web.frames import FileFrames
from panfocus.web.jobs import Jobs, PageJob, facts_of
from panfocus.web.listing import PROJECT_ENDING
from panfocus.web.opening import frames_of, open_inputs, open_stack
from panfocus.web.places import Places, RefusedError
from panfocus.web.pyramids import Pyramids
from panfocus.web.spot import Spot
from panfocus.web.stacks import DRAFT, OpenStack

#: Stacks that are open at once.
_MOST_OPEN = 24


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
        self._lock = RLock()
        self._stacks: dict[str, OpenStack | OpenEvaluation] = {}
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

    def opened(self, id_: str) -> OpenStack | OpenEvaluation:
        """Return an open stack or evaluation.

        Raises:
            UsageError: there is none of that name.
        """
        found = self._stacks.get(id_)
        if found is None:
            raise UsageError("this stack is not open any more", where="stack", got=id_[:40])
        return found

    def open(
        self, paths: Sequence[Path], reading: VolumeReading | None = None
    ) -> OpenStack | OpenEvaluation:
        """Open files or a folder as a stack, and begin with its draft; once, however often asked.

        Args:
            paths: files, or a folder.
            reading: how a volume is read; None for as it says itself.

        Raises:
            InputError: no frames, or frames that do not fit together.
            UsageError: too many are open, or it cannot be read so.
        """
        reading = reading or VolumeReading()
        for stack in list(self._stacks.values()):
            told = stack.reading if isinstance(stack, OpenStack) else VolumeReading()
            if stack.inputs == list(paths) and told == reading:
                return stack
        if len(self._stacks) >= _MOST_OPEN:
            raise UsageError("too many stacks are open", remedy="close one of them")
        if len(paths) == 1 and paths[0].name.endswith(PROJECT_ENDING):
            return self._open_project(paths[0])
        if len(paths) == 1 and is_evaluation(paths[0]):
            evaluation = OpenEvaluation(paths[0], self.places)
            with self._lock:
                self._stacks[evaluation.id] = evaluation
            self.hub.tell("stacks")
            return evaluation
        opened = open_stack(paths, reading, self.work, self.places)
        self._check_files(opened)
        opened.is_dropped = self.places.is_dropped(paths[0])
        mendings.look_for_unsaved(opened, self.places)
        self._add(opened)
        return opened

    def reread(self, stack: OpenStack, reading: VolumeReading) -> OpenStack | OpenEvaluation:
        """Open a stack's files again, read otherwise; what was made of it stays open beside it.

        Raises:
            InputError, UsageError: as `open`; the stack stays as it is.
        """
        opened = self.open(stack.inputs, reading)
        if opened is stack:
            return stack
        opened.title = stack.title
        if not stack.strokes.count and set(stack.results) <= {DRAFT}:
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
        with self._lock:
            self._stacks[stack.id] = stack
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
        stack.project, stack.revision = path, project.revision
        mendings.look_for_unsaved(stack, self.places)
        self._add(stack)
        self.take_up(stack, project)
        stack.strokes.note_saved(stack.strokes.versions())
        return stack

    def take_up(self, stack: OpenStack, project: ProjectContent) -> None:
        """Go on with a project: fuse as it was fused, and put its strokes on.

        Raises:
            UsageError, InputError, SystemError_: it cannot be fused as it was.
        """
        if project.planes is not None:
            self._take_up_planes(stack, project)
            return
        options = replace(project.options, maps=True)
        found = project.registration
        used = frames_of(stack, project)
        if stack.can_switch and len(used) > 1:
            stack.used = [n in used for n in range(len(stack.used))]
        planned = fusing.check(stack, options)
        fits = used == stack.numbers and not options.cull
        if (
            planned is not None
            and found is not None
            and fits
            and len(found.found.alignment.frames) == planned.count
            and found.options == registration_options(options)
        ):
            planned = replace(planned, registration=found.found)
        stack.options = changed(options)
        base = Base(used, None if found is None else found.found)

        spot = Spot.of(stack)

        def work(job: PageJob) -> None:
            fusing.full(stack, options, planned, job, self.jobs, spot=spot)
            is_clean = stack.strokes.are_saved
            stack.mending.put(project.strokes, base)
            if is_clean and stack.project is not None:
                stack.strokes.note_saved(stack.strokes.versions())
            self.hub.tell("strokes", id=stack.id, version=stack.mending.version)
            self.jobs.changed(stack.id)

        self.jobs.start(PageJob("fuse", stack.id, stack.result_name(options)), work)

    def _take_up_planes(self, stack: OpenStack, project: ProjectContent) -> None:
        """Go on with a volume's project, at the first place that has strokes."""
        if stack.volume is None:
            raise UsageError("this project is of a volume, and the stack is none")
        options = replace(project.options, maps=True)
        is_clean = stack.strokes.are_saved
        for each in reversed(project.planes or ()):  # the first is shown in the end
            stack.go_to(each.place)
            stack.mending.put(each.strokes, Base(stack.numbers, None))
        if is_clean and stack.project is not None:
            stack.strokes.note_saved(stack.strokes.versions())
        stack.options = changed(options)
        self.fuse(stack, options, Spot.of(stack))

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
        """Close a stack; what was not saved of it goes."""
        with self._lock:
            stack = self._stacks.pop(id_, None)
        if stack is not None:
            self.jobs.stop_all(stack.id)
            self.pyramids.forget(stack.id)
            stack.close()
            self.hub.tell("stacks")

    def close(self) -> None:
        """End all, and delete what was made on the way."""
        self.jobs.close()
        for id_ in list(self._stacks):
            self.close_stack(id_)
        shutil.rmtree(self.work, ignore_errors=True)
        self.places.close()

    def note(self, paths: Sequence[Path], error: PanfocusError) -> None:
        """Keep why something that was named at the start is not open, for the page to show."""
        if not all(path.is_dir() for path in paths):
            self._problems.append(facts_of(error))
            self.hub.tell("stacks")

    def facts(self) -> dict[str, Any]:
        """Return what a page shows first."""
        return {
            "stacks": [{"id": s.id, "title": s.title} for s in list(self._stacks.values())],
            "jobs": self.jobs.facts(),
            "problems": self._problems,
            "folders": [str(folder) for folder in self.places.given],
        }
