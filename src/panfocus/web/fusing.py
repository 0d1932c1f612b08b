"""From an open stack to results: the fusion at full scale, or of a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from panfocus.errors import UsageError
from panfocus.frame import Frame
from panfocus.pipeline.fuse import fuse
from panfocus.pipeline.options import Options
from panfocus.pipeline.plan import Plan, of_frames, plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.settings import make_settings
from panfocus.pipeline.volumes.check import FIXED, check_guide
from panfocus.pipeline.volumes.choice import volume_settings
from panfocus.systems import load_system
from panfocus.web.form import changed
from panfocus.web.frames import PlaneFrames
from panfocus.web.jobs import Jobs, PageJob
from panfocus.web.results import lay_down
from panfocus.web.spot import Spot
from panfocus.web.stacks import DRAFT, OpenStack

#: What a part of the picture that is fused by itself is called.
REGION = "region"
#: What registration depends on: results that share it need it once.
_PLACING = (
    "align", "align_dof", "align_to", "reference", "exposure", "keep_size", "load_transforms",
    "raw_tone", "lenient",
)  # fmt: skip


def check(stack: OpenStack, options: Options, spot: Spot | None = None) -> Plan | None:
    """Plan a fusion before it is begun, so that what cannot be is said at once.

    Args:
        stack: open.
        options: how.
        spot: what of it; None for what it shows now.

    Raises:
        UsageError, InputError, SystemError_: it cannot be done as asked.
    """
    spot = spot or Spot.of(stack)
    if stack.volume is not None:
        _volume_settings(spot, options)
        if spot.guide is not None:
            settings = options.system, options.threads, options.device
            check_guide(load_system(settings[0], threads=settings[1], device=settings[2]).card)
        return None
    planned = plan(stack.inputs_of(spot.used), options)
    taken = of_frames(planned, stack.chosen(planned.infos, spot.used))
    return replace(taken, registration=_known(stack, options, spot.used))


def _known(stack: OpenStack, options: Options, used: tuple[int, ...]) -> Any:  # noqa: ANN401  a registration or nothing
    """Return where the frames lie, if an earlier result of the same frames has found it."""
    wanted = {name: getattr(options, name) for name in _PLACING}
    for result in stack.all_results():
        same = {name: getattr(result.options, name) for name in _PLACING} == wanted
        if result.id != DRAFT and same and result.used == used and not options.cull:
            return result.fusion.registration
    return None


def _volume_settings(spot: Spot, options: Options) -> Options:
    if options.cull:
        raise UsageError("planes of a scientific stack are not left out", where="cull")
    step = spot.step_um(options)
    # what is left as it is means for planes what it means for `fuse_volume`: in place, and unmended
    own = volume_settings(**changed(options))
    return make_settings(**{**asdict(own), **FIXED, "z_step_um": step})


def full(
    stack: OpenStack,
    options: Options,
    planned: Plan | None,
    job: PageJob,
    jobs: Jobs,
    *,
    spot: Spot,
) -> None:
    """Fuse the stack at full scale.

    Args:
        stack: open.
        options: how.
        planned: the fusion of files.
        job: told and asked.
        jobs: by which it is told.
        spot: what of the stack.

    Raises:
        PanfocusError: as `fuse` does.
    """
    told: dict[str, Any] = {"progress": jobs.teller(job), "cancel": job.stop.is_set}
    used = spot.used
    if planned is not None:
        # at the depth of the files: strokes are put on before it is converted, when it is saved
        native = replace(planned, settings=replace(planned.settings, bit_depth="same"))
        fusion = fuse(native, **told)
        used = _taken(stack, fusion, used)
    else:
        planes = spot.guided()
        assert isinstance(planes, PlaneFrames)
        settings = asdict(_volume_settings(spot, options))
        system = settings.pop("system")
        fusion = fuse(planes.stack, system=system, **told, **settings)
    id_ = stack.new_id()
    _, height, width = spot.frames.shape
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
            result = replace(result, place=spot.place, guide=spot.guide)
        stack.put(result, spot.place)
        for tried in [r.id for r in stack.results.values() if r.name == REGION]:
            stack.drop(tried)  # it would lie over the whole picture that is there now
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

    def __init__(self, spot: Spot, box: tuple[slice, slice]) -> None:
        self._used = spot.used
        self._frames = spot.guided()
        self.is_of_volume = isinstance(spot.frames, PlaneFrames)
        self._box = box

    def __len__(self) -> int:
        return len(self._used)

    def __iter__(self) -> Iterator[Frame]:
        for number in self._used:
            frame = self._frames.read(number)
            pixels = np.ascontiguousarray(frame.pixels[self._box])
            guide = None if frame.guide is None else np.ascontiguousarray(frame.guide[self._box])
            yield replace(frame, pixels=pixels, guide=guide)


def region(
    stack: OpenStack,
    options: Options,
    box: tuple[int, int, int, int],
    job: PageJob,
    jobs: Jobs,
    *,
    spot: Spot,
) -> None:
    """Fuse a rectangle of the frames at full scale, to see what the options do.

    Args:
        stack: open.
        options: how to fuse.
        box: left, top, width, height in pixels of the frames.
        job: told and asked.
        jobs: by which it is told.
        spot: what of the stack.
    """
    left, top, width, height = box
    kept = replace(options, keep_size=True, cull=False)
    settings = asdict(kept if stack.volume is None else _volume_settings(spot, kept))
    system = settings.pop("system")
    part = _Part(spot, (slice(top, top + height), slice(left, left + width)))
    fusion = fuse(
        part, system=system, progress=jobs.teller(job), cancel=job.stop.is_set, **settings
    )
    id_ = stack.new_id()
    result = lay_down(
        stack.work / id_,
        fusion,
        id_=id_,
        name=REGION,
        options=options,
        used=spot.used,
        size=(spot.frames.shape[1], spot.frames.shape[2]),
        plan=None,
    )
    with stack.lock:
        spot.check_shown(stack)
        stack.results[id_] = replace(result, corner=(left, top), guide=spot.guide)
        stack.version += 1
    job.message = id_
