"""Strokes onto a fusion, from the files: frames are read one at a time, and only those named.

A frame is put in place as the fusion did (`Registration.place`), and only the rectangles that
strokes need of it are kept; where these are too many for the memory that is allowed, strokes are
taken in groups, and a frame is read once for each group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from panfocus.errors import Cancelled, InputError
from panfocus.frame import Frame
from panfocus.pipeline.journal import Cancel, Progress
from panfocus.pipeline.memory import check_memory
from panfocus.pipeline.palettes import MAP_BYTES, Palette, PlanPalette, held_bytes
from panfocus.pipeline.plan import Plan
from panfocus.pipeline.result import FusedPicture
from panfocus.pipeline.retouch_report import strokes_facts, with_shares
from panfocus.registration.stack import Registration
from panfocus.resources.threads import opencv_threads
from panfocus.retouch.apply import Layers, paint
from panfocus.retouch.brightness import fit_to, surroundings
from panfocus.retouch.region import Region
from panfocus.retouch.stroke import FrameSource, FusedSource, Stroke, SystemSource, resolved

Named = FrameSource | SystemSource


@dataclass(frozen=True)
class _Patch:
    """What one stroke is painted from."""

    region: Region
    held: Layers

    def layers(self, _source: Named, region: Region, /) -> Layers:
        """Return a part of it."""
        return self.held.part(*region.slices_in(self.region))


_Patches = dict[tuple[Named, Region], _Patch]


def retouch(
    fusion: FusedPicture,
    plan_: Plan,
    strokes: Sequence[Stroke],
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> FusedPicture:
    """Return a fusion with strokes on its picture and maps.

    Args:
        fusion: of the plan, at the bit depth of its frames; left as it is.
        plan_: its frames are those that strokes number.
        strokes: in their order; the sharpest frame is resolved here, brightness measured anew.
        progress: as for `fuse`.
        cancel: asked before every frame.

    Raises:
        InputError: a stroke names a frame that is not there.
        UsageError: another system's result needs more memory than is allowed.
        SystemError_: a stroke names a system that is not there.
    """
    palette = PlanPalette(plan_, fusion.report.depth_unit)
    return retouch_from(fusion, palette, strokes, progress=progress, cancel=cancel)


def retouch_from(
    fusion: FusedPicture,
    palette: Palette,
    strokes: Sequence[Stroke],
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> FusedPicture:
    """Return a fusion with strokes on its picture and maps; see `retouch`.

    Args:
        fusion: at the bit depth of its frames; left as it is.
        palette: its frames are those that strokes number.
        strokes: in their order.
        progress: as for `fuse`.
        cancel: asked before every frame.

    Raises:
        InputError, UsageError, SystemError_: as `retouch` does.
    """
    if not strokes:
        return fusion
    count = len(palette.names)
    strokes = [_checked(n, stroke, fusion, count) for n, stroke in enumerate(strokes)]
    work = _Work(fusion, palette, progress, cancel)
    with opencv_threads(palette.threads):
        made = work.put(strokes)
    report = replace(
        fusion.report,
        retouch=strokes_facts(strokes, palette.names),
        frames=with_shares(fusion.report.frames, fusion.index, made.index),
    )
    maps = {"index": made.index, "depth": made.depth, "confidence": made.confidence}
    return replace(fusion, image=made.pixels, strokes=tuple(strokes), report=report, **maps)


def check_retouch_memory(plan_: Plan) -> None:
    """Refuse strokes that would take more memory than is allowed, before anything is fused.

    Raises:
        UsageError: they would.
    """
    check_memory(held_bytes(plan_), plan_.memory_limit, "frames and mending the result")


def _checked(number: int, stroke: Stroke, fusion: FusedPicture, count: int) -> Stroke:
    if fusion.index is not None:
        stroke = resolved(stroke, fusion.index)
    source = stroke.source
    if not isinstance(source, (FrameSource, SystemSource, FusedSource)):
        raise InputError(
            "a stroke asks for the sharpest frame, and there is no index map",
            where=f"strokes[{number}].source",
            expected="a frame's number, or a fusion with maps",
        )
    if isinstance(source, FrameSource) and source.number >= count:
        raise InputError(
            "a stroke names a frame that is not there",
            where=f"strokes[{number}].source",
            expected=f"0 to {count - 1}",
            got=str(source.number),
        )
    return stroke


class _Work:
    def __init__(
        self,
        fusion: FusedPicture,
        palette: Palette,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> None:
        height, width = fusion.image.shape[:2]
        self._fusion = fusion
        self._palette = palette
        self._progress = progress
        self._cancel = cancel
        self._whole = Region(0, 0, width, height)
        maps = (fusion.index, fusion.depth, fusion.confidence)
        self._fused = Layers(fusion.image, *maps, has_alpha=palette.has_alpha)
        self._picture = self._fused.copied()
        self._pixel_bytes = fusion.image.nbytes // (height * width) + MAP_BYTES

    def put(self, strokes: Sequence[Stroke]) -> Layers:
        """Return the picture with strokes on it."""
        inside = [s for s in strokes if s.touched(self._whole) is not None]
        done = 0
        for group in self._groups(inside):
            patches = self._load(group)
            for stroke in group:
                if self._progress is not None:
                    self._progress(done / len(inside), "retouch", f"stroke {done + 1}")
                self._paint(stroke, patches)
                done += 1
        return self._picture

    def _paint(self, stroke: Stroke, patches: _Patches) -> None:
        region = self._needs(stroke)
        picture, before = (layers.part(*region.slices) for layers in (self._picture, self._fused))
        source = stroke.source
        patch = _Patch(region, before)
        if isinstance(source, (FrameSource, SystemSource)):
            patch = patches[source, region]
            if stroke.match_brightness:
                stroke = fit_to(stroke, region, picture, patch.held)
        paint(stroke, region, picture, before, patch)

    def _needs(self, stroke: Stroke) -> Region:
        """Return what a stroke looks at."""
        seen = surroundings(stroke, self._whole) if stroke.match_brightness else None
        region = seen or stroke.touched(self._whole)
        assert region is not None
        return region

    def _groups(self, strokes: Sequence[Stroke]) -> Iterator[list[Stroke]]:
        """Yield strokes in groups whose rectangles fit into memory."""
        budget = self._palette.budget
        group: list[Stroke] = []
        taken = 0
        for stroke in strokes:
            region = self._needs(stroke)
            size = region.width * region.height * self._pixel_bytes
            if group and taken + size > budget:
                yield group
                group, taken = [], 0
            group.append(stroke)
            taken += size
        if group:
            yield group

    def _load(self, strokes: Sequence[Stroke]) -> _Patches:
        """Read what a group of strokes is painted from."""
        wanted: dict[Named, set[Region]] = {}
        for stroke in strokes:
            if isinstance(stroke.source, (FrameSource, SystemSource)):
                wanted.setdefault(stroke.source, set()).add(self._needs(stroke))
        out: _Patches = {}

        def keep(source: Named, layers: Layers) -> None:
            for region in wanted[source]:
                part = layers.part(*region.slices).copied()  # so that the whole can go
                out[source, region] = _Patch(region, part)

        numbers = sorted({s.number for s in wanted if isinstance(s, FrameSource)})
        for number, layers in self._frames(numbers):
            for source in (FrameSource(number), FrameSource(number, "sharpest")):
                if source in wanted:
                    keep(source, layers)
        for source in wanted:
            if isinstance(source, SystemSource):
                keep(source, self._by_system(source.name))
        return out

    def _frames(self, numbers: Sequence[int]) -> Iterator[tuple[int, Layers]]:
        """Yield frames in place, one at a time."""
        if not numbers:
            return
        registration = self._fusion.registration
        for number, frame in zip(numbers, self._palette.frames(numbers), strict=True):
            if self._cancel is not None and self._cancel():
                raise Cancelled("stopped as asked", where=frame.name)
            yield number, self._layers_of(number, frame, registration)

    def _layers_of(self, number: int, frame: Frame, registration: Registration | None) -> Layers:
        placed = frame if registration is None else registration.place(number, frame)
        shape = placed.pixels.shape[:2]
        depth = np.float32(self._palette.depth_of(number, frame))
        return Layers(
            placed.pixels,
            np.broadcast_to(np.uint16(number), shape),
            np.broadcast_to(depth, shape),
            np.broadcast_to(np.float32(1), shape),  # somebody has looked
            has_alpha=frame.has_alpha,
            shown=None if placed.cover is None else placed.cover == 255,
        )

    def _by_system(self, name: str) -> Layers:
        """Fuse the same frames, placed alike, by another system."""
        held = 2 * self._whole.width * self._whole.height * self._pixel_bytes
        registration = self._fusion.registration
        other = self._palette.by_system(name, registration, held, self._cancel)
        maps = (other.index, other.depth, other.confidence)
        return Layers(other.image, *maps, has_alpha=self._palette.has_alpha)
