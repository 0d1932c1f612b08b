"""From an open stack to results: the draft at once, the full fusion when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from panfocus.arrays.pixels import luminance
from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.fusion.fold import sharpness
from panfocus.pipeline.draft import draft_size
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.journal import Progress
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import Plan, plan
from panfocus.pipeline.quality import Surveyor
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.settings import make_settings
from panfocus.web.frames import PlaneFrames
from panfocus.web.jobs import Jobs, PageJob
from panfocus.web.levels import LevelMeter
from panfocus.web.results import lay_down
from panfocus.web.stacks import DRAFT, OpenStack, Survey
from panfocus.web.thumbs import Thumb

#: What a draft is decided by: no weights to load, and a third of the time.
DRAFT_SYSTEM = "guided"
#: Shares of a draft's progress at which all frames are read, and fused as they lie.
_READING = 0.4
_DRAFTED = 0.5
#: What registration depends on: results that share it need it once.
_PLACING = (
    "align", "align_dof", "align_to", "reference", "exposure", "keep_size", "load_transforms",
    "raw_tone", "lenient",
)  # fmt: skip


def draft(stack: OpenStack, job: PageJob, jobs: Jobs) -> None:
    """Look at all frames once, small: thumbnails, survey, and a first fused picture.

    Raises:
        InputError: a frame cannot be read.
        Cancelled: it was stopped.
    """
    tell = jobs.teller(job)
    count, height, width = stack.frames.shape
    size = draft_size(height, width, count)
    surveyor = Surveyor()
    survey, meter = Survey(), LevelMeter()
    frames: list[Frame] = []
    for number, frame in enumerate(stack.frames.small(size, job.stop.is_set)):
        grey = luminance(frame.pixels, has_alpha=frame.has_alpha)
        surveyor.add(frame.name, grey)
        survey.sharpness.append(round(float(sharpness(grey)), 5))
        survey.thumbs.append(Thumb.of(frame))
        meter.add(frame.pixels[..., :-1] if frame.has_alpha else frame.pixels)
        frames.append(frame)
        tell(_READING * (number + 1) / count, "read", frame.name)
    # planes of a volume are in order: that is what Z says
    found = surveyor.findings()
    survey.findings = [f for f in found if stack.volume is None or f.kind != "order"]
    survey.levels = meter.levels()
    with stack.lock:
        stack.survey = survey
        stack.levels = meter.wanted()
    jobs.changed(stack.id)
    # as the frames lie first, since that is there at once; then as registration puts them
    is_photo = stack.volume is None
    _show(stack, _fuse_draft(frames, job, tell, aligned=False), size, f"{job.id}-0")
    jobs.changed(stack.id)
    if not is_photo or stack.is_hurried:
        return
    fusion = _fuse_draft(frames, job, tell, aligned=True)
    facts = fusion.report.frames
    survey.aligned = [facts[n].get("align") if n < len(facts) else None for n in range(count)]
    _show(stack, fusion, size, f"{job.id}-1")


def _show(stack: OpenStack, fusion: FusedPicture, size: tuple[int, int], name: str) -> None:
    """Put a draft where the last one was."""
    result = lay_down(
        stack.work / f"{DRAFT}-{name}",
        fusion,
        id_=DRAFT,
        name=DRAFT,
        options=Options(system=DRAFT_SYSTEM, keep_size=True),
        used=tuple(range(stack.frames.shape[0])),
        size=size,
        plan=None,
    )
    with stack.lock:
        stack.drop(DRAFT)
        stack.results = {DRAFT: result, **stack.results}
        stack.version += 1


def _fuse_draft(
    frames: list[Frame], job: PageJob, tell: Progress, *, aligned: bool
) -> FusedPicture:
    settings: dict[str, Any] = {"keep_size": True}
    if not aligned:
        settings |= {"align": "none", "exposure": "none"}
    low, high = (_DRAFTED, 1.0) if aligned else (_READING, _DRAFTED)

    def part(share: float, stage: str, message: str) -> None:
        tell(low + (high - low) * share, stage, message)

    stop = job.stop.is_set
    return fuse(frames, system=DRAFT_SYSTEM, progress=part, cancel=stop, **settings)


def check(stack: OpenStack, options: Options) -> Plan | None:
    """Plan a fusion before it is begun, so that what cannot be is said at once.

    Raises:
        UsageError, InputError, SystemError_: it cannot be done as asked.
    """
    if stack.volume is not None:
        _volume_settings(stack, options)
        return None
    planned = plan(stack.fused_inputs(), options)
    return replace(planned, registration=_known(stack, options))


def _known(stack: OpenStack, options: Options) -> Any:  # noqa: ANN401  a registration or nothing
    """Return where the frames lie, if an earlier result of the same frames has found it."""
    wanted = {name: getattr(options, name) for name in _PLACING}
    for result in stack.results.values():
        same = {name: getattr(result.options, name) for name in _PLACING} == wanted
        if result.id != DRAFT and same and result.used == stack.numbers and not options.cull:
            return result.fusion.registration
    return None


def _volume_settings(stack: OpenStack, options: Options) -> Options:
    if options.cull:
        raise UsageError("planes of a scientific stack are not left out", where="cull")
    return make_settings(**{**asdict(options), "exposure": "none", "keep_size": True})


def full(
    stack: OpenStack, options: Options, planned: Plan | None, job: PageJob, jobs: Jobs
) -> None:
    """Fuse the stack at full scale.

    Raises:
        PanfocusError: as `fuse` does.
    """
    told: dict[str, Any] = {"progress": jobs.teller(job), "cancel": job.stop.is_set}
    used = stack.numbers
    frames = stack.frames
    if planned is not None:
        # at the depth of the files: strokes are put on before it is converted, when it is saved
        native = replace(planned, settings=replace(planned.settings, bit_depth="same"))
        fusion = fuse(native, **told)
        used = _taken(stack, fusion, used)
    else:
        assert isinstance(frames, PlaneFrames)
        settings = asdict(_volume_settings(stack, options))
        system = settings.pop("system")
        fusion = fuse(frames.stack, system=system, **told, **settings)
    id_ = stack.new_id()
    _, height, width = frames.shape
    with stack.lock:
        result = lay_down(
            stack.work / id_,
            fusion,
            id_=id_,
            name=stack.result_name(options),
            options=options,
            used=used,
            size=(height, width),
            plan=_fused_plan(fusion, options),
        )
        if stack.volume is not None:
            result = replace(result, place=stack.place)
        stack.results[id_] = result
        stack.version += 1
    job.message = id_


def _fused_plan(fusion: FusedPicture, options: Options) -> Plan | None:
    """Return the plan of the frames that were fused, without those that were culled."""
    if fusion.plan is None:
        return None
    settings = replace(fusion.plan.settings, bit_depth=options.bit_depth)
    return replace(fusion.plan, settings=settings)


def _taken(stack: OpenStack, fusion: FusedPicture, used: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of the frames that were fused, some of which may have been culled."""
    if len(fusion.report.frames) == len(used):
        return used
    names = {name: n for n, name in enumerate(stack.frames.names)}
    return tuple(names[facts["name"]] for facts in fusion.report.frames if facts["name"] in names)


class _Part:
    """A rectangle of all frames that are used, read one after the other."""

    def __init__(self, stack: OpenStack, box: tuple[slice, slice]) -> None:
        self._stack = stack
        self._box = box

    def __len__(self) -> int:
        return len(self._stack.numbers)

    def __iter__(self) -> Iterator[Frame]:
        for number in self._stack.numbers:
            frame = self._stack.frames.read(number)
            yield replace(frame, pixels=np.ascontiguousarray(frame.pixels[self._box]))


def region(
    stack: OpenStack, options: Options, box: tuple[int, int, int, int], job: PageJob, jobs: Jobs
) -> None:
    """Fuse a rectangle of the frames at full scale, to see what the options do.

    Args:
        stack: open.
        options: how to fuse.
        box: left, top, width, height in pixels of the frames.
        job: told and asked.
        jobs: by which it is told.
    """
    left, top, width, height = box
    settings = asdict(replace(options, keep_size=True, cull=False))
    system = settings.pop("system")
    if stack.volume is not None:
        settings |= {"exposure": "none"}
    part = _Part(stack, (slice(top, top + height), slice(left, left + width)))
    fusion = fuse(
        part, system=system, progress=jobs.teller(job), cancel=job.stop.is_set, **settings
    )
    id_ = stack.new_id()
    result = lay_down(
        stack.work / id_,
        fusion,
        id_=id_,
        name="region",
        options=options,
        used=stack.numbers,
        size=(stack.frames.shape[1], stack.frames.shape[2]),
        plan=None,
    )
    with stack.lock:
        stack.results[id_] = replace(result, corner=(left, top))
        stack.version += 1
    job.message = id_
