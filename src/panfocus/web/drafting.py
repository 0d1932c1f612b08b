"""The draft of a stack: all frames looked at once, small, and fused as they lie, then aligned."""

from __future__ import annotations

import secrets
from typing import Any

from panfocus.arrays.pixels import luminance
from panfocus.frame import Frame
from panfocus.fusion.fold import sharpness
from panfocus.pipeline.draft import draft_size
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.journal import Progress
from panfocus.pipeline.options import Options
from panfocus.pipeline.quality import Surveyor
from panfocus.pipeline.result import FusedPicture
from panfocus.web.jobs import Jobs, PageJob
from panfocus.web.levels import LevelMeter
from panfocus.web.results import lay_down
from panfocus.web.spot import Spot
from panfocus.web.stacks import DRAFT, OpenStack
from panfocus.web.survey import Survey
from panfocus.web.thumbs import Thumb

#: What a draft is decided by: no weights to load, and a third of the time.
DRAFT_SYSTEM = "guided"
#: Shares of a draft's progress at which all frames are read, and fused as they lie.
_READING = 0.4
_DRAFTED = 0.5


def draft(stack: OpenStack, job: PageJob, jobs: Jobs) -> None:
    """Look at all frames once, small: thumbnails, survey, and a first fused picture.

    Raises:
        InputError: a frame cannot be read.
        Cancelled: it was stopped.
    """
    tell = jobs.teller(job)
    with stack.lock:
        spot, before = Spot.of(stack), stack.levels
    count, height, width = spot.frames.shape
    size = draft_size(height, width, count)
    surveyor = Surveyor()
    survey, meter = Survey(), LevelMeter()
    frames: list[Frame] = []
    for number, frame in enumerate(spot.frames.small(size, job.stop.is_set)):
        grey = luminance(frame.pixels, has_alpha=frame.has_alpha)
        surveyor.add(frame.name, grey)
        survey.sharpness.append(float(f"{float(sharpness(grey)):.4g}"))
        survey.thumbs.append(Thumb.of(frame))
        meter.add(frame.pixels[..., :-1] if frame.has_alpha else frame.pixels)
        frames.append(frame)
        tell(_READING * (number + 1) / count, "read", frame.name)
    # planes of a volume are in order: that is what Z says
    found = surveyor.findings()
    survey.findings = [f for f in found if stack.volume is None or f.kind not in ("order", "scene")]
    survey.levels = meter.levels()
    with stack.lock:
        spot.check_shown(stack)
        stack.survey = survey
        if stack.levels is before:  # nobody has chosen others meanwhile
            stack.levels = meter.wanted()
    jobs.changed(stack.id)
    # as the frames lie first, since that is there at once; then as registration puts them
    is_photo = stack.volume is None
    step = None if is_photo else spot.step_um(Options())
    plain = {"align": "none", "exposure": "none", "banding": "off", "spread": "off"}
    draft = _fuse_draft(frames, job, tell, (_READING, _DRAFTED), z_step_um=step, **plain)
    _show(stack, spot, draft, size)
    jobs.changed(stack.id)
    if not is_photo or stack.is_hurried:
        return
    fusion = _fuse_draft(frames, job, tell, (_DRAFTED, 1.0))
    facts = fusion.report.frames
    survey.aligned = [facts[n].get("align") if n < len(facts) else None for n in range(count)]
    _show(stack, spot, fusion, size)


def _show(stack: OpenStack, spot: Spot, fusion: FusedPicture, size: tuple[int, int]) -> None:
    """Put a draft where the last one was."""
    result = lay_down(
        stack.work / f"{DRAFT}-{secrets.token_hex(4)}",
        fusion,
        id_=DRAFT,
        name=DRAFT,
        options=Options(system=DRAFT_SYSTEM, keep_size=True),
        used=tuple(range(spot.frames.shape[0])),
        size=size,
        plan=None,
    )
    with stack.lock:
        if stack.place != spot.place:
            result.delete()
        spot.check_shown(stack)
        before = stack.results.get(DRAFT)
        # in one step: pages ask for tiles all the while
        stack.results = {DRAFT: result, **{k: r for k, r in stack.results.items() if k != DRAFT}}
        stack.version += 1
    if before is not None:
        before.delete()


def _fuse_draft(
    frames: list[Frame],
    job: PageJob,
    tell: Progress,
    shares: tuple[float, float],
    **settings: Any,  # noqa: ANN401  of `fuse`
) -> FusedPicture:
    """Return a fusion of small frames; it tells of progress between two shares."""
    low, high = shares

    def part(share: float, stage: str, message: str) -> None:
        tell(low + (high - low) * share, stage, message)

    stop = job.stop.is_set
    told: dict[str, Any] = {"progress": part, "cancel": stop, "keep_size": True}
    return fuse(frames, system=DRAFT_SYSTEM, **told, **settings)
