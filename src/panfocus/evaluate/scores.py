"""All numbers of one fused picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import white
from panfocus.arrays.types import Pixels
from panfocus.errors import InputError, UsageError
from panfocus.metrics import METRICS, evaluate_all, metric

PSNR_RGB = "PSNR_RGB"
_Number = TypeVar("_Number", bound=np.generic)


def cut_name(cut: int) -> str:
    """Return what the PSNR with a border cut away is called."""
    return f"{PSNR_RGB}_cut{cut}"


BAND_NAME = f"{PSNR_RGB}_band"


@dataclass(frozen=True)
class Wanted:
    """What to measure.

    Attributes:
        metrics: names of `panfocus.metrics.METRICS`; None for all that fit.
        cut: pixels of border left out of the second PSNR.
    """

    metrics: tuple[str, ...] | None
    cut: int

    def check(self, counts: Sequence[int], *, has_truth: bool) -> None:
        """Refuse a metric that fits none of the samples.

        Args:
            counts: numbers of frames that occur.
            has_truth: whether any sample has a truth.

        Raises:
            UsageError: unknown, or of no use here.
        """
        for name in self.metrics or ():
            row = metric(name)
            if not any(row.fits(count, has_truth) for count in counts):
                raise UsageError(
                    "this metric can be computed on none of the samples",
                    where="metrics",
                    got=name,
                    expected="a truth (GT/)" if row.takes == "reference" else "two frames",
                )

    def columns(self) -> list[str]:
        """Return the names of all scores, in the order of tables."""
        return [PSNR_RGB, cut_name(self.cut), BAND_NAME, *(self.metrics or METRICS)]


def better_is_lower(name: str) -> bool:
    """Tell the direction of a score."""
    return name in METRICS and METRICS[name].better == "lower"


def score(
    frames: Sequence[Pixels],
    fused: Pixels,
    truth: Pixels | None,
    band: NDArray[np.bool_] | None,
    wanted: Wanted,
) -> dict[str, float]:
    """Return every score that can be computed, by name.

    Raises:
        InputError: the pictures do not fit together.
    """
    out: dict[str, float] = {}
    if truth is not None:
        error = square_error(fused, truth)
        out[PSNR_RGB] = _decibel(error)
        out[cut_name(wanted.cut)] = _decibel(_inner(error, wanted.cut))
        if band is not None:
            inside = _inner(error, wanted.cut)[_inner(band, wanted.cut)]
            out[BAND_NAME] = _decibel(inside) if inside.size else math.nan
    chosen = [metric(name) for name in wanted.metrics or METRICS]
    names = [row.name for row in chosen if row.fits(len(frames), truth is not None)]
    return out | evaluate_all(frames, fused, truth, names)


def square_error(fused: Pixels, truth: Pixels) -> NDArray[np.float64]:
    """Return ``(H, W, C)`` squared differences on the scale 0..255.

    Raises:
        InputError: the sizes differ.
    """
    a, b = _scaled(fused), _scaled(truth)
    if a.shape[:2] != b.shape[:2]:
        raise InputError(
            "fused picture and truth differ in size",
            expected=f"{b.shape[1]} x {b.shape[0]}",
            got=f"{a.shape[1]} x {a.shape[0]}",
            remedy="crop or scale the results to the size of the truth",
        )
    return np.square(a - b)


def _scaled(pixels: Pixels) -> NDArray[np.float64]:
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    return planes.astype(np.float64) * (255 / white(pixels.dtype))


def _inner(plane: NDArray[_Number], cut: int) -> NDArray[_Number]:
    height, width = plane.shape[:2]
    if min(height, width) <= 2 * cut:
        raise InputError(
            "the border to cut leaves nothing of the picture",
            where="cut",
            got=f"{cut} of {width} x {height}",
        )
    return plane[cut : height - cut, cut : width - cut]


def _decibel(error: NDArray[np.float64]) -> float:
    mean = float(error.mean())
    return 10 * math.log10(255**2 / mean) if mean > 0 else math.inf
