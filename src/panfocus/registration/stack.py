"""Put a stack's frames in place: a first look at them small, then each resampled once.

The first pass keeps reduced copies of two frames; the second hands every frame on as the fold
takes it. Memory does not grow with the number of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from panfocus.arrays.likeness import Thumbnail
from panfocus.arrays.strangers import strangers
from panfocus.errors import InputError
from panfocus.frame import Stack
from panfocus.frozen import frozen
from panfocus.guard.left_out import Why
from panfocus.registration.alignment import NOT_COMPARED, Alignment
from panfocus.registration.burnt import Highlights, darkens
from panfocus.registration.curves import Curve
from panfocus.registration.difference import Difference, difference
from panfocus.registration.exposure import Ratio
from panfocus.registration.gains import gains
from panfocus.registration.meter import Meter, ReducedFrame, placed_by
from panfocus.registration.options import (
    RegistrationOptions,
    resolve_reference,
)
from panfocus.registration.placing import Registration, largest_shifts
from panfocus.registration.redundant import Redundancy
from panfocus.registration.transforms import Matrix, PairTransform, normalised

if TYPE_CHECKING:
    from panfocus.registration.links import Links
    from panfocus.registration.pyramid import Detail

#: Frames among which those of another scene are looked for, the first of a stack.
_MOST_STRANGERS = 2048
#: Told the number of a frame that is looked at next, and its name.
Announce = Callable[[int, str], None]


def needs_registration(settings: RegistrationOptions) -> bool:
    """Whether frames have to be looked at before they are fused."""
    return settings.align != "none" or settings.exposure != "none" or bool(settings.load_transforms)


def _with_local_shifts(found: Registration, stack: Stack, announce: Announce) -> Registration:
    """Return a registration with what its transforms leave, looked for place by place.

    The frames are looked at once more, small.
    """
    from panfocus.registration.local import find_local_shifts  # noqa: PLC0415  only when asked

    local, motion = find_local_shifts(stack, found.alignment, announce)
    alignment = found.alignment.shifted(largest_shifts(local))
    return replace(found, alignment=alignment, local=local, motion=motion)


def locate(
    stack: Stack, settings: RegistrationOptions, announce: Announce, *, leaves_out: bool = True
) -> Registration:
    """Look at all frames, small, and say where they lie and how bright they are.

    Args:
        stack: at least two frames.
        settings: `align`, `align_to`, `reference`, `exposure`, `keep_size`, `load_transforms`.
        announce: called before every frame that is looked at; twice where shifts are local.
        leaves_out: whether frames that add nothing may be left out.

    Raises:
        InputError: a frame is unreadable, or loaded transforms do not fit the stack.
        UsageError: no such reference frame.
    """
    height, width = stack.shape[1:]
    meter = Meter(settings, height, width, leaves_out=leaves_out)
    found = _as_wholes(stack, meter, announce)
    return _with_local_shifts(found, stack, announce) if settings.align == "local" else found


def _as_wholes(stack: Stack, meter: Meter, announce: Announce) -> Registration:
    """Return where frames lie by one transform each."""
    count, height, width = stack.shape
    settings = meter.settings
    reference = resolve_reference(settings.reference, count)
    loaded = _load(settings, count, height, width)
    if loaded is not None and settings.exposure == "none":
        return _finish(loaded, [None] * count, settings)
    alignment, factors = _to_neighbours(stack, meter, reference, announce, loaded)
    found = _finish(alignment, factors, settings)
    brighter = [curve for curve in factors if curve is not None and darkens(curve)]
    if not brighter:
        return found
    small = next(iter(stack.small((found.alignment.reference,), meter.factor)))
    share = brighter[0].white
    return replace(found, highlights=Highlights.of(small, meter.factor, share))


def _to_neighbours(
    stack: Stack, meter: Meter, reference: int, announce: Announce, loaded: Alignment | None
) -> tuple[Alignment, list[Curve | None]]:
    """Compare every frame with those before it, and fit all at once."""
    count = stack.shape[0]
    links = None if meter.settings.align == "none" else meter.links()
    names: list[str] = []
    thumbnails: list[Thumbnail] = []
    redundancy = Redundancy() if meter.leaves_out else None
    ratios: list[Ratio | None] = []
    before: ReducedFrame | None = None
    fixed: Detail | None = None
    for n, frame in enumerate(stack.small(range(count), meter.factor)):
        announce(n, frame.name)
        names.append(frame.name)
        now = meter.look(frame)
        if n < _MOST_STRANGERS:
            thumbnails.append(now.thumbnail)
        fixed = now.detail if n == reference else fixed
        step = np.eye(3) if links is None or now.detail is None else links.add(now.detail)
        if redundancy is not None:
            redundancy.add(now, step)
        if before is not None:
            matrix = step if loaded is None else _between(loaded, n)
            ratios.append(meter.ratio(before, now, matrix))
        before = now
    odd: dict[int, Why] = {**strangers(thumbnails, reference)}
    if loaded is not None:
        return _without(loaded, odd), gains(ratios, reference)
    found = [_WHERE_IT_IS] * count
    strange = {*odd}
    if links is not None:
        look = _Look(stack, meter, announce, redundancy)
        found, reference, odd = look.placed(links, reference, fixed, odd)
    placed = [placed_by(name, None if n == reference else found[n]) for n, name in enumerate(names)]
    alignment = Alignment(meter.height, meter.width, reference, tuple(placed))
    if strange and reference not in strange:
        ratios = meter.past(strange, stack, [one.matrix for one in found], ratios)
    return _without(alignment, odd), gains(ratios, reference)


@frozen
class _Look:
    """Places a stack whose frames were measured, and looks at them again where that is needed.

    Attributes:
        stack: the frames.
        meter: compares them.
        announce: see `locate`.
        redundancy: knows which frames add nothing; None where all are taken.
    """

    stack: Stack
    meter: Meter
    announce: Announce
    redundancy: Redundancy | None

    def placed(
        self, links: Links, reference: int, fixed: Detail | None, odd: Mapping[int, Why]
    ) -> tuple[list[PairTransform], int, dict[int, Why]]:
        """Return where frames lie, the frame whose geometry counts, and which are left out.

        What lies beside a frame that shows nothing, or another scene, has no place in its geometry:
        then that of the frame nearest to it counts.

        Args:
            links: between all frames and those before them.
            reference: the frame whose geometry was asked for.
            fixed: what is compared of it.
            odd: frames that are none of the scene, and why.
        """
        told = links.told() - {*odd}
        if not told:
            return links.place(reference), reference, {**odd}
        nearest = _nearest(told, reference)
        apart = {*odd, *_gaps(told, {*odd})}
        if apart:
            found = self._around(apart, nearest)
        else:
            found = self._tied(links, nearest, fixed if nearest == reference else None)
        if self.redundancy is None:
            return found, nearest, {**odd}
        # frames that show nothing have no part in the order of focus
        again = partial(self._difference, found)
        idle = self.redundancy.found(found, {*range(len(found))} - told, nearest, again)
        if nearest not in idle and "shaken" not in idle.values():
            return found, nearest, {**odd, **idle}
        nearest = _nearest(told - {*idle}, nearest)
        # a shaken frame may have been put anywhere, and what lies beyond it with it
        return self._around(apart | {*idle}, nearest), nearest, {**odd, **idle}

    def _tied(self, links: Links, reference: int, fixed: Detail | None) -> list[PairTransform]:
        """Return where frames lie, each compared with the reference, too, where that is asked."""
        found = links.place(reference)
        if self.meter.settings.align_to != "reference" or fixed is None or not _any_moves(found):
            return found
        for n, detail in self._details(range(len(found))):
            links.tie(reference, n, (fixed, detail), found[n])
        return links.place(reference)

    def _around(self, apart: AbstractSet[int], reference: int) -> list[PairTransform]:
        """Return where the other frames lie, compared anew as if those apart were not there."""
        count = self.stack.shape[0]
        kept = [n for n in range(count) if n not in apart]
        links = self.meter.links()
        for _, detail in self._details(kept):
            links.add(detail)
        among = dict(zip(kept, links.place(kept.index(reference)), strict=True))
        return [among.get(n, _NOWHERE) for n in range(count)]

    def _difference(
        self, found: Sequence[PairTransform], first: int, second: int
    ) -> Difference | None:
        """Return what differs between two frames, wherever they are in the stack."""
        one, other = (detail for _, detail in self._details((first, second)))
        step = normalised(found[second].matrix @ np.linalg.inv(found[first].matrix))
        return difference(one, other, step)

    def _details(self, numbers: Sequence[int]) -> Iterator[tuple[int, Detail]]:
        frames = self.stack.small(numbers, self.meter.factor)
        for n, frame in zip(numbers, frames, strict=True):
            self.announce(n, frame.name)
            detail = self.meter.look(frame).detail
            if detail is not None:
                yield n, detail


def _nearest(numbers: AbstractSet[int], to: int) -> int:
    return min(numbers, key=lambda n: (abs(n - to), n))


def _gaps(told: AbstractSet[int], others: AbstractSet[int]) -> set[int]:
    """Return frames between others that share nothing with those beside them, two and more at once.

    A single one is bridged by the frames beside it.
    """
    lone = {n for n in range(min(told), max(told)) if n not in told and n not in others}
    return {n for n in lone if n - 1 in lone or n + 1 in lone}


def _without(alignment: Alignment, odd: Mapping[int, Why]) -> Alignment:
    """Return an alignment that says of some frames why they are left out."""
    frames = list(alignment.frames)
    for n, why in odd.items():
        frames[n] = frames[n].without(why)
    return replace(alignment, frames=tuple(frames))


def _any_moves(found: Sequence[PairTransform]) -> bool:
    return any(one.kind != "identity" for one in found)


def _between(loaded: Alignment, n: int) -> Matrix:
    """Return the matrix from frame n - 1 to frame n."""
    before, now = (loaded.frames[k].matrix for k in (n - 1, n))
    return normalised(now @ np.linalg.inv(before))


_WHERE_IT_IS = PairTransform(np.eye(3), "identity", NOT_COMPARED)
_NOWHERE = PairTransform(np.eye(3), "identity", "no detail")


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
