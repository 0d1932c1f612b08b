"""The curves that give all frames of a stack the reference's brightness, from ratio to ratio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panfocus.registration.curves import GAMMA, Curve, CurveShape
from panfocus.registration.exposure import (
    FEWEST_BLOCKS,
    TOLERANCE,
    Ratio,
)
from panfocus.registration.flicker import LINES, Lines, are_bands

#: Difference between neighbours, in logarithms, that is taken for none.
_NOISE = 0.005
#: Deviation of a channel from the others, in logarithms of levels, that is never mended.
_CAST = 0.01
#: Standard errors by which a channel must deviate.
_SURE = 3.0
#: Share of the misfit of the usual shape that another must stay under to be taken in its place.
_BETTER = 0.95
#: The shapes that frames may show; the first is taken where they do not tell.
_SHAPES = tuple(
    CurveShape(k, linear)
    for linear in (False, True)
    for k in (0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0.0)
)


class _Shapes:
    """Which shape of curve fits a stack best, as far as it is known."""

    def __init__(self, ratios: Iterable[Ratio | None] = ()) -> None:
        self._new = [ratio for ratio in ratios if ratio is not None]
        self._misfits = [0.0] * len(_SHAPES)

    def add(self, ratio: Ratio | None) -> None:
        """Take one more ratio."""
        self._new += [] if ratio is None else [ratio]

    def best(self) -> CurveShape:
        """Return it; every ratio is fitted once, however often this is asked."""
        for n, shape in enumerate(_SHAPES):
            self._misfits[n] += sum(ratio.fit(shape).misfit for ratio in self._new)
        self._new.clear()
        best = int(np.argmin(self._misfits))
        return _SHAPES[best if self._misfits[best] < _BETTER * self._misfits[0] else 0]


class _Steps:
    """Steps of brightness from the reference outwards, in one direction."""

    def __init__(self, sign: int) -> None:
        """Begin at the reference; `sign` is 1 towards the last frame, -1 towards the first."""
        self._sign = sign
        self._real: list[Ratio] = []
        self._total: NDArray[np.float64] | float = 0.0
        self._scatter: NDArray[np.float64] | float = 0.0
        self._lines = np.zeros(LINES)
        # by shape: how many steps are in the sums, and the sums of log, cast and variance
        self._sums: dict[CurveShape, tuple[int, float, Any, Any]] = {}

    def add(self, ratio: Ratio | None) -> None:
        """Go on to the next frame."""
        if ratio is None:
            return
        if ratio.lines is not None:
            self._lines = self._lines + self._sign * ratio.lines.logs()
        real = np.abs(ratio.log) > _NOISE + ratio.scatter / np.sqrt(FEWEST_BLOCKS)
        self._total = self._total + self._sign * np.where(real, ratio.log, 0)
        self._scatter = np.maximum(self._scatter, ratio.scatter)
        self._real += [ratio] if np.any(real) else []

    @property
    def deviates(self) -> bool:
        """Whether the frame that was reached differs from the reference."""
        return bool(np.any(np.abs(self._total) > np.log1p(TOLERANCE) + self._scatter))

    @property
    def lines(self) -> NDArray[np.float64]:
        """Logarithms by which lines of the frame that was reached are darker than the reference."""
        return self._lines

    def curve(self, shape: CurveShape) -> Curve | None:
        """Return the curve of all steps, or None where they come to nothing.

        Channels keep their own gain only where one of them deviates by more than its error.
        """
        count, log, cast, variance = self._sums.get(shape, (0, 0.0, 0.0, 0.0))
        for ratio in self._real[count:]:
            fit = ratio.fit(shape)
            log += self._sign * fit.log
            cast = cast + self._sign * fit.cast
            variance = variance + fit.variance
        self._sums[shape] = len(self._real), log, cast, variance
        scale = GAMMA if shape.linear else 1
        real = bool(np.any(np.abs(cast) > scale * _CAST + _SURE * np.sqrt(variance)))
        logs = log + (cast if real else np.zeros_like(cast))
        return (
            None
            if np.all(np.abs(logs) <= scale * np.log1p(TOLERANCE))
            else Curve(logs, shape, white=self._real[0].white)
        )


def _with_lines(steps: _Steps, curve: Curve | None, ratio: Ratio) -> Curve:
    """Return a curve that takes off bands, too."""
    if curve is None:
        curve = Curve(np.zeros(len(ratio.log)), _SHAPES[0], white=ratio.white)
    return replace(curve, lines=steps.lines)


class OnlineGains:
    """The curves of frames that come one after the other; the first is the reference.

    The work for a frame does not grow with the number of frames before it.
    """

    def __init__(self) -> None:
        self._steps = _Steps(1)
        self._shapes = _Shapes()
        self._lines: list[Lines | None] = []
        self._white = 0.0

    def add(self, ratio: Ratio | None) -> Curve | None:
        """Return the next frame's curve, None where nothing is to be done.

        Args:
            ratio: of the frame before it over this one.
        """
        if ratio is not None:
            self._white = max(self._white, ratio.white)
            ratio = ratio.within(self._white)
        self._steps.add(ratio)
        self._shapes.add(ratio)
        self._lines += [] if ratio is None else [ratio.lines]
        curve = self._steps.curve(self._shapes.best()) if self._steps.deviates else None
        if ratio is None or not are_bands(self._lines):
            return curve
        return _with_lines(self._steps, curve, ratio)


def gains(ratios: Sequence[Ratio | None], reference: int) -> list[Curve | None]:
    """Return the curves that give every frame the reference's brightness.

    Args:
        ratios: between neighbours, ``ratios[n]`` of frame n over frame n + 1.
        reference: number of the reference frame.

    Returns:
        For every frame its curve, or None where nothing is to be done.
    """
    white = max((ratio.white for ratio in ratios if ratio is not None), default=1.0)
    ratios = [None if ratio is None else ratio.within(white) for ratio in ratios]
    out: list[Curve | None] = [None] * (len(ratios) + 1)
    shape: CurveShape | None = None
    flickers = are_bands([ratio.lines for ratio in ratios if ratio is not None])
    for sign, way in ((1, range(reference, len(ratios))), (-1, range(reference - 1, -1, -1))):
        steps = _Steps(sign)
        for n in way:
            steps.add(ratios[n])
            if steps.deviates:
                shape = _Shapes(ratios).best() if shape is None else shape
                out[n + (sign > 0)] = steps.curve(shape)
            ratio = ratios[n]
            if flickers and ratio is not None:
                curve = out[n + (sign > 0)]
                out[n + (sign > 0)] = _with_lines(steps, curve, ratio)
    return out
