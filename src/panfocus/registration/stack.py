"""Put a stack's frames in place: a first look at them small, then each resampled once.

The first pass keeps reduced copies of two frames; the second hands every frame on as the fold
takes it. Memory does not grow with the number of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from panfocus.errors import InputError
from panfocus.frame import Frame, Stack
from panfocus.io.icc import linear_profile
from panfocus.registration import exposure
from panfocus.registration.alignment import UNALIGNED, Alignment, Placed
from panfocus.registration.exposure import Curve, Ratio, apply_curve, compare, gains
from panfocus.registration.moved import MovedPixels
from panfocus.registration.options import (
    RegistrationOptions,
    freedoms_of,
    resolve_reference,
    whole_kind,
)
from panfocus.registration.pyramid import Detail, in_range, make_detail, reduction
from panfocus.registration.transforms import Crop, Matrix, PairTransform, from_reduced, normalised
from panfocus.registration.warp import cover, warp

if TYPE_CHECKING:
    from panfocus.registration.links import Links
    from panfocus.registration.local import LocalRegistration, LocalShifts
    from panfocus.registration.motion import MovingParts

#: Told the number of a frame that is looked at next, and its name.
Announce = Callable[[int, str], None]


def needs_registration(settings: RegistrationOptions) -> bool:
    """Whether frames have to be looked at before they are fused."""
    return settings.align != "none" or settings.exposure != "none" or bool(settings.load_transforms)


@dataclass(frozen=True)
class Registration:
    """Where the frames of a stack lie and how bright they are.

    Attributes:
        alignment: their transforms.
        curves: for every frame how its levels change, or None.
        field: part of the reference frame that is made.
        notes: for the user.
        local: for every frame by how much its places are shifted besides its transform; empty
            where none is.
        motion: which frames are hidden where something moves; None where nothing does.
    """

    alignment: Alignment
    curves: Sequence[Curve | None]
    field: Crop
    notes: Sequence[str] = ()
    local: Sequence[LocalShifts | None] = ()
    motion: MovingParts | None = None

    def part(self, numbers: range) -> Registration:
        """Return the same of some of the frames, in the geometry of the same reference frame."""
        return replace(
            self,
            alignment=self.alignment.part(numbers),
            curves=[self.curves[n] for n in numbers],
            notes=(),
            local=[self.local[n] for n in numbers] if self.local else (),
            motion=None if self.motion is None else self.motion.part(numbers),
        )

    def matched(self) -> list[str]:
        """Return a line on the brightness that was matched; none where none was."""
        names = [placed.name for placed in self.alignment.frames]
        return exposure.notes(self.curves, names, self.alignment.reference)

    def place(self, number: int, frame: Frame) -> Frame:
        """Return a frame in place; the very same object if it lies there already."""
        whole = self._placed(number, frame)
        shifts = self.local[number] if self.local else None
        if shifts is None:
            return whole
        from panfocus.registration.local_warp import place_locally  # noqa: PLC0415  few are

        curve = self.curves[number]
        if curve is not None:
            pixels = apply_curve(frame.pixels, curve, has_alpha=frame.has_alpha)
            frame = replace(frame, pixels=pixels)
        matrix = self.alignment.frames[number].matrix
        return place_locally(whole, frame, matrix, self.field, shifts, is_light=_is_light(frame))

    def _placed(self, number: int, frame: Frame) -> Frame:
        """Return a frame where its transform alone puts it."""
        curve = self.curves[number]
        pixels = frame.pixels
        if curve is not None:
            pixels = apply_curve(pixels, curve, has_alpha=frame.has_alpha)
        whole = self.field == self.alignment.whole()
        if whole and not self.alignment.moves(number):
            return frame if curve is None else replace(frame, pixels=pixels)
        matrix = self.alignment.frames[number].matrix
        height, width = pixels.shape[:2]
        shown = cover(matrix, self.field, height, width)
        is_opaque_colour = pixels.ndim == 3 and pixels.shape[2] == 3 and not frame.has_alpha
        if is_opaque_colour and frame.guide is None and self.alignment.is_resampled(number):
            made = MovedPixels(pixels, matrix, self.field, is_light=_is_light(frame))
            return replace(frame, pixels=made, cover=shown)
        return replace(
            frame,
            pixels=warp(pixels, matrix, self.field, is_light=_is_light(frame)),
            guide=None if frame.guide is None else warp(frame.guide, matrix, self.field),
            cover=shown,
        )


def _is_light(frame: Frame) -> bool:
    """Whether colour is stored in proportion to light."""
    return frame.metadata.icc is not None and frame.metadata.icc == linear_profile()


def _with_local_shifts(found: Registration, stack: Stack, announce: Announce) -> Registration:
    """Return a registration with what its transforms leave, looked for place by place.

    The frames are looked at once more, small.
    """
    from panfocus.registration.local import find_local_shifts  # noqa: PLC0415  only when asked

    local, motion = find_local_shifts(stack, found.alignment, announce)
    alignment = found.alignment.shifted(_largest(local))
    return replace(found, alignment=alignment, local=local, motion=motion)


def _largest(local: Sequence[LocalShifts | None]) -> list[float]:
    return [0.0 if one is None else one.largest for one in local]


@dataclass(frozen=True)
class _Small:
    frame: Frame
    detail: Detail | None


class _Meter:
    """Measures pairs of reduced frames."""

    def __init__(self, settings: RegistrationOptions, height: int, width: int) -> None:
        self.settings = settings
        self.height = height
        self.width = width
        self.factor = reduction(height, width)

    def look(self, small: Frame) -> _Small:
        """Prepare a reduced frame."""
        if self.settings.align == "none" or self.settings.load_transforms:
            return _Small(small, None)
        return _Small(small, make_detail(small.grey, self.factor, self.height, self.width))

    def step(self, fixed: _Small, moving: _Small, guess: Matrix | None = None) -> PairTransform:
        """Return the transform from one frame to another."""
        if fixed.detail is None or moving.detail is None:
            return PairTransform(np.eye(3), "identity", "in place")
        from panfocus.registration.accept import register  # noqa: PLC0415  few are compared so

        freedoms = freedoms_of(self.settings.align_dof)
        kind = whole_kind(self.settings.align)
        return register(fixed.detail, moving.detail, kind, guess, freedoms=freedoms)

    def ratio(self, fixed: _Small, moving: _Small, matrix: Matrix) -> Ratio | None:
        """Return how much brighter one frame is than another."""
        if self.settings.exposure == "none":
            return None
        grow = from_reduced(self.factor)
        small = normalised(np.linalg.inv(grow) @ matrix @ grow)
        has_alpha = fixed.frame.has_alpha
        return compare(fixed.frame.pixels, moving.frame.pixels, small, has_alpha=has_alpha)


def locate(stack: Stack, settings: RegistrationOptions, announce: Announce) -> Registration:
    """Look at all frames, small, and say where they lie and how bright they are.

    Args:
        stack: at least two frames.
        settings: `align`, `align_to`, `reference`, `exposure`, `keep_size`, `load_transforms`.
        announce: called before every frame that is looked at; twice where shifts are local.

    Raises:
        InputError: a frame is unreadable, or loaded transforms do not fit the stack.
        UsageError: no such reference frame.
    """
    found = _as_wholes(stack, settings, announce)
    return _with_local_shifts(found, stack, announce) if settings.align == "local" else found


def _as_wholes(stack: Stack, settings: RegistrationOptions, announce: Announce) -> Registration:
    """Return where frames lie by one transform each."""
    count, height, width = stack.shape
    reference = resolve_reference(settings.reference, count)
    loaded = _load(settings, count, height, width)
    meter = _Meter(settings, height, width)
    if loaded is not None and settings.exposure == "none":
        return _finish(loaded, [None] * count, settings)
    if loaded is None and settings.align_to == "reference":
        alignment, factors = _to_reference(stack, meter, reference, announce)
    else:
        alignment, factors = _to_neighbours(stack, meter, reference, announce, loaded)
    return _finish(alignment, factors, settings)


def _to_neighbours(
    stack: Stack, meter: _Meter, reference: int, announce: Announce, loaded: Alignment | None
) -> tuple[Alignment, list[Curve | None]]:
    """Compare every frame with the one before it, and compose outwards from the reference."""
    count = stack.shape[0]
    links = _links(meter.settings)
    names: list[str] = []
    ratios: list[Ratio | None] = []
    before: _Small | None = None
    for n, frame in enumerate(stack.small(range(count), meter.factor)):
        announce(n, frame.name)
        names.append(frame.name)
        now = meter.look(frame)
        step = np.eye(3) if links is None or now.detail is None else links.add(now.detail)
        if before is not None:
            matrix = step if loaded is None else _between(loaded, n)
            ratios.append(meter.ratio(before, now, matrix))
        before = now
    factors = gains(ratios, reference)
    if loaded is not None:
        return loaded, factors
    found = links.place(reference) if links is not None else None
    placed = [
        _placed(name, None if n == reference else found[n] if found else _IN_PLACE)
        for n, name in enumerate(names)
    ]
    return Alignment(meter.height, meter.width, reference, tuple(placed)), factors


def _links(settings: RegistrationOptions) -> Links | None:
    """Return what measures neighbours; None where frames are not to be aligned."""
    if settings.align == "none":
        return None
    from panfocus.registration.links import Links  # noqa: PLC0415  not where nothing is aligned

    return Links(whole_kind(settings.align), freedoms_of(settings.align_dof))


def _between(loaded: Alignment, n: int) -> Matrix:
    """Return the matrix from frame n - 1 to frame n."""
    before, now = (loaded.frames[k].matrix for k in (n - 1, n))
    return normalised(now @ np.linalg.inv(before))


def _to_reference(
    stack: Stack, meter: _Meter, reference: int, announce: Announce
) -> tuple[Alignment, list[Curve | None]]:
    """Compare every frame with the reference, outwards, beginning where its neighbour lies."""
    count = stack.shape[0]
    after, earlier = range(reference + 1, count), range(reference - 1, -1, -1)
    order = [reference, *after, *earlier]
    placed: dict[int, Placed] = {}
    factors: list[Curve | None] = [None] * count
    fixed: _Small | None = None
    for done, (n, frame) in enumerate(zip(order, stack.small(order, meter.factor), strict=True)):
        announce(done, frame.name)
        now = meter.look(frame)
        if fixed is None:
            fixed = now
            placed[n] = _placed(frame.name, None)
            continue
        step = meter.step(fixed, now, placed[n - 1 if n > reference else n + 1].matrix)
        placed[n] = _placed(frame.name, step)
        factors[n] = gains([meter.ratio(fixed, now, step.matrix)], 0)[1]
    frames = tuple(placed[n] for n in range(count))
    return Alignment(meter.height, meter.width, reference, frames), factors


_IN_PLACE = PairTransform(np.eye(3), "identity", "in place")


def _placed(name: str, found: PairTransform | None) -> Placed:
    """Return where a frame lies; the reference for nothing found."""
    if found is None:
        return Placed(name, np.eye(3), "identity", "reference", error=0.0)
    status = _STATUSES.get(found.status, found.status)
    return Placed(name, found.matrix, found.kind, status, found.gain, found.error)


_STATUSES = {
    "no detail": UNALIGNED + "no shared detail",
    "refused": UNALIGNED + "no transform between it and its neighbour is plausible",
}


def _load(settings: RegistrationOptions, count: int, height: int, width: int) -> Alignment | None:
    if not settings.load_transforms:
        return None
    loaded = Alignment.load(settings.load_transforms)
    if (len(loaded.frames), loaded.height, loaded.width) != (count, height, width):
        raise InputError(
            "the transforms are those of another kind of stack",
            where=str(settings.load_transforms),
            expected=f"{count} frames of {width} x {height} pixels",
            got=f"{len(loaded.frames)} frames of {loaded.width} x {loaded.height}",
            remedy="load transforms that were saved from as many frames of the same size",
        )
    return loaded


def _finish(
    alignment: Alignment,
    factors: Sequence[Curve | None],
    settings: RegistrationOptions,
) -> Registration:
    notes: list[str] = []
    field = alignment.whole()
    if not settings.keep_size:
        common = alignment.common()
        field = common or field
        if common is None:
            notes.append("the frames share too little of the scene to be cropped to it")
    found = Registration(alignment, factors, field)
    return replace(found, notes=[*notes, *found.matched()])


class OnlineRegistration:
    """Puts frames in place that can be looked at only once: the first is the reference."""

    def __init__(self, settings: RegistrationOptions) -> None:
        self._settings = settings
        self._meter: _Meter | None = None
        self._before: _Small | None = None
        self._matrix: Matrix = np.eye(3)
        self._ratios: list[Ratio | None] = []
        self._placed: list[Placed] = []
        self._gains: list[Curve | None] = []
        self._finder: LocalRegistration | None = None
        self._local: list[LocalShifts | None] = []

    def place(self, frames: Iterator[Frame]) -> Iterator[tuple[Frame, Registration]]:
        """Yield frames in place, each with what is known so far; size is kept."""
        for frame in frames:
            self._take(frame)
            yield self._so_far().place(len(self._placed) - 1, frame), self._so_far()

    def _so_far(self) -> Registration:
        assert self._meter is not None
        alignment = Alignment(self._meter.height, self._meter.width, 0, tuple(self._placed))
        if self._settings.align == "local":
            alignment = alignment.shifted(_largest(self._local))
        return Registration(alignment, self._gains, alignment.whole(), local=self._local)

    def _take(self, frame: Frame) -> None:
        height, width = frame.pixels.shape[:2]
        meter = self._meter = self._meter or _Meter(self._settings, height, width)
        now = meter.look(frame.shrunk(meter.factor))
        if self._before is None:
            self._placed.append(_placed(frame.name, None))
            self._gains.append(None)
        else:
            step = meter.step(self._before, now)
            self._matrix = normalised(step.matrix @ self._matrix)
            self._placed.append(_placed(frame.name, replace(step, matrix=self._matrix)))
            self._ratios.append(meter.ratio(self._before, now, step.matrix))
            self._gains.append(gains(self._ratios, 0)[-1])
        self._before = now
        if self._settings.align == "local":
            self._local.append(self._shifts(frame, height, width))

    def _shifts(self, frame: Frame, height: int, width: int) -> LocalShifts | None:
        from panfocus.registration.local import LocalRegistration  # noqa: PLC0415  only when asked

        finder = self._finder = self._finder or LocalRegistration(height, width)
        grey = in_range(frame.shrunk(finder.factor).grey)
        if len(self._placed) == 1:
            finder.begin(grey)
            return None
        return finder.add(grey, self._matrix)[0]
