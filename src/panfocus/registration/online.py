"""Put frames in place that come one by one and can be looked at only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from panfocus.frame import Frame
from panfocus.registration.alignment import NOT_COMPARED, Alignment, Placed
from panfocus.registration.burnt import Highlights
from panfocus.registration.curves import Curve
from panfocus.registration.gains import OnlineGains
from panfocus.registration.meter import Meter, ReducedFrame, placed_by
from panfocus.registration.options import RegistrationOptions
from panfocus.registration.placing import Registration, largest_shifts
from panfocus.registration.pyramid import in_range
from panfocus.registration.transforms import PairTransform, normalised

if TYPE_CHECKING:
    from panfocus.registration.links import Links
    from panfocus.registration.local import LocalRegistration, LocalShifts


#: Frames that are judged together: the newest, and those before it.
_TOGETHER = 9


class OnlineRegistration:
    """Puts frames in place that can be looked at only once: the first is the reference."""

    def __init__(self, settings: RegistrationOptions, *, hides: bool = True) -> None:
        """Set up; `hides`: whether frames are hidden where another stands for them."""
        self._settings = settings
        self._hides = hides
        self._highlights: Highlights | None = None
        self._meter: Meter | None = None
        self._before: ReducedFrame | None = None
        self._links: Links | None = None
        self._steps: list[PairTransform] = []
        self._brightness = OnlineGains()
        self._placed: list[Placed] = []
        self._gains: list[Curve | None] = []
        self._finder: LocalRegistration | None = None
        self._local: list[LocalShifts | None] = []

    def place(self, frames: Iterator[Frame]) -> Iterator[tuple[Frame, Registration]]:
        """Yield frames in place, each with what is known so far; size is kept."""
        for frame in frames:
            self._take(frame)
            found, number = self._so_far(), len(self._placed) - 1
            placed = found.place(number, frame)
            yield found.hide(number, frame, placed) if self._hides else placed, found

    def _so_far(self) -> Registration:
        assert self._meter is not None
        alignment = Alignment(self._meter.height, self._meter.width, 0, tuple(self._placed))
        if self._settings.align == "local":
            alignment = alignment.shifted(largest_shifts(self._local))
        field = alignment.whole()
        return Registration(
            alignment, self._gains, field, local=self._local, highlights=self._highlights
        )

    def _take(self, frame: Frame) -> None:
        height, width = frame.pixels.shape[:2]
        meter = self._meter = self._meter or Meter(self._settings, height, width)
        now = meter.look(frame.shrunk(meter.factor))
        step = self._step(now)
        self._steps.append(step)
        if self._before is None:
            self._placed.append(placed_by(frame.name, None))
            self._gains.append(None)
            if self._settings.exposure != "none":
                self._highlights = Highlights.of(now.frame, meter.factor, now.levels.white)
        else:
            self._placed.append(placed_by(frame.name, step))
            before = self._placed[-2].matrix
            between = normalised(step.matrix @ np.linalg.inv(before))
            self._gains.append(self._brightness.add(meter.ratio(self._before, now, between)))
        self._before = now
        if self._settings.align == "local":
            self._local.append(self._shifts(frame, height, width))

    def _step(self, now: ReducedFrame) -> PairTransform:
        """Return where a frame lies beside the first, judged together with those before it."""
        if now.detail is None or self._meter is None:
            return PairTransform(np.eye(3), "identity", NOT_COMPARED)
        links = self._links = self._links or self._meter.links()
        links.add(now.detail)
        self._links = links = links.recent(_TOGETHER)
        if not self._steps:
            return PairTransform(np.eye(3), "identity", "in place")
        known = self._steps[-_TOGETHER + 1 :]
        found = links.place(0)[-1]
        return replace(found, matrix=normalised(found.matrix @ known[0].matrix))

    def _shifts(self, frame: Frame, height: int, width: int) -> LocalShifts | None:
        from panfocus.registration.local import LocalRegistration  # noqa: PLC0415  only when asked

        finder = self._finder = self._finder or LocalRegistration(height, width)
        grey = in_range(frame.shrunk(finder.factor).grey)
        if len(self._placed) == 1:
            finder.begin(grey)
            return None
        return finder.add(grey, self._steps[-1].matrix)[0]
