"""Put a stack's frames in place: a first look at them small, then each resampled once.

The first pass keeps reduced copies of two frames; the second hands every frame on as the fold
takes it. Memory does not grow with the number of frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from panfocus.errors import InputError
from panfocus.frame import Stack
from panfocus.registration.alignment import Alignment, Placed
from panfocus.registration.curves import Curve
from panfocus.registration.exposure import Ratio
from panfocus.registration.gains import gains
from panfocus.registration.meter import Meter, Small, placed_by
from panfocus.registration.options import (
    RegistrationOptions,
    freedoms_of,
    resolve_reference,
    whole_kind,
)
from panfocus.registration.placing import Registration, largest_shifts
from panfocus.registration.transforms import Matrix, PairTransform, normalised

if TYPE_CHECKING:
    from panfocus.registration.links import Links

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
    meter = Meter(settings, height, width)
    if loaded is not None and settings.exposure == "none":
        return _finish(loaded, [None] * count, settings)
    if loaded is None and settings.align_to == "reference":
        alignment, factors = _to_reference(stack, meter, reference, announce)
    else:
        alignment, factors = _to_neighbours(stack, meter, reference, announce, loaded)
    return _finish(alignment, factors, settings)


def _to_neighbours(
    stack: Stack, meter: Meter, reference: int, announce: Announce, loaded: Alignment | None
) -> tuple[Alignment, list[Curve | None]]:
    """Compare every frame with the one before it, and compose outwards from the reference."""
    count = stack.shape[0]
    links = _links(meter.settings)
    names: list[str] = []
    ratios: list[Ratio | None] = []
    before: Small | None = None
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
        placed_by(name, None if n == reference else found[n] if found else _IN_PLACE)
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
    stack: Stack, meter: Meter, reference: int, announce: Announce
) -> tuple[Alignment, list[Curve | None]]:
    """Compare every frame with the reference, outwards, beginning where its neighbour lies."""
    count = stack.shape[0]
    after, earlier = range(reference + 1, count), range(reference - 1, -1, -1)
    order = [reference, *after, *earlier]
    placed: dict[int, Placed] = {}
    factors: list[Curve | None] = [None] * count
    fixed: Small | None = None
    for done, (n, frame) in enumerate(zip(order, stack.small(order, meter.factor), strict=True)):
        announce(done, frame.name)
        now = meter.look(frame)
        if fixed is None:
            fixed = now
            placed[n] = placed_by(frame.name, None)
            continue
        step = meter.step(fixed, now, placed[n - 1 if n > reference else n + 1].matrix)
        placed[n] = placed_by(frame.name, step)
        factors[n] = gains([meter.ratio(fixed, now, step.matrix)], 0)[1]
    frames = tuple(placed[n] for n in range(count))
    return Alignment(meter.height, meter.width, reference, frames), factors


_IN_PLACE = PairTransform(np.eye(3), "identity", "in place")


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
