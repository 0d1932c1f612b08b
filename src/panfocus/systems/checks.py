"""What somebody else's system must be and give: nothing wrong is fused in silence.

A network or an object of the caller's own may answer anything. Weights that are NaN, negative or
of another shape would otherwise become a wrong picture, or an error that names nobody.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.errors import SystemError_
from panfocus.schema import said
from panfocus.systems.base import PictureRun, PictureSystem, System
from panfocus.systems.card import Card

#: By how much weights may leave [0, 1], and their sum 1: what half precision makes, and no more.
WEIGHT_SLACK = 0.01
#: What frames may hold at the seam.
_TAKEN = ("uint8", "uint16", "float16", "float32", "float64")
#: By how much a picture may leave [0, 1]: rings of a sharp edge do, grey levels of 255 do more.
PICTURE_SLACK = 0.5


class CopiedPictureSystem:
    """An object with ``push`` and ``finish`` alone: a copy of it is taken for every stack."""

    def __init__(self, system: Any) -> None:  # noqa: ANN401  another's object
        self._system = system

    @property
    def card(self) -> Card:
        """That of the object."""
        return self._system.card

    def begin(self) -> PictureRun:
        """Return a copy.

        Raises:
            SystemError_: the object cannot be copied.
        """
        try:
            return cast("PictureRun", deepcopy(self._system))
        except Exception as error:  # whatever its parts raise
            raise SystemError_(
                f"the system {self.card.name} cannot be shared between stacks",
                expected="a method begin() that returns an object with push and finish",
                got=f"{type(self._system).__name__} with push and finish, that cannot be copied: "
                f"{error}",
                remedy="let begin() make what belongs to one stack",
            ) from error


def check_frames(frames: object) -> None:
    """Refuse what a system cannot decide between, when it is asked directly.

    Raises:
        SystemError_: no array ``(N, H, W, C)`` of pictures.
    """
    is_array, told = isinstance(frames, np.ndarray), cast("Any", frames)
    shape: tuple[int, ...] | None = told.shape if is_array else None
    if shape is None or len(shape) != 4 or 0 in shape or told.dtype.name not in _TAKEN:
        got = said(told)
        raise SystemError_(
            "these are no frames",
            where="frames",
            expected="an array (N, H, W, C) of float32 in [0, 1], uint8 or uint16",
            got=got if shape is None else f"shape {shape}, {told.dtype}",
        )


def adopt(system: object) -> System | PictureSystem:
    """Return an object of the caller's own as a system.

    Raises:
        SystemError_: it is none.
    """
    card = getattr(system, "card", None)
    if isinstance(card, Card) and not isinstance(system, type):
        if isinstance(system, (System, PictureSystem)):
            return system
        if callable(getattr(system, "push", None)) and callable(getattr(system, "finish", None)):
            return CopiedPictureSystem(system)
    kind = type(system).__name__
    raise SystemError_(
        "this is no system",
        where="system",
        expected="an object with a card (panfocus.Card) and decide(frames), or with a card and "
        "begin()",
        got=f"the class {system.__name__}, not an object of it"
        if isinstance(system, type)
        else f"{kind} without a card"
        if not isinstance(card, Card)
        else f"{kind} without decide and begin",
        remedy="take a name of `panfocus systems`, or add what is missing",
    )


def begun(system: PictureSystem) -> PictureRun:
    """Begin a stack.

    Raises:
        SystemError_: what the system gives for it takes no frames.
    """
    run: Any = system.begin()
    if not (callable(getattr(run, "push", None)) and callable(getattr(run, "finish", None))):
        raise SystemError_(
            f"the system {system.card.name} cannot begin a stack",
            where=system.card.name,
            expected="an object with push(frame) and finish() from begin()",
            got=type(run).__name__,
            remedy="mend the system, or take another (`panfocus systems`)",
        )
    return run


def _refuse(name: str, what: str, expected: str, got: str) -> SystemError_:
    return SystemError_(
        f"the system {name} gives {what} that cannot be used",
        where=name,
        expected=expected,
        got=got,
        remedy="mend the system, or take another (`panfocus systems`)",
    )


def _as_numbers(answer: object, shape: tuple[int, ...], name: str, what: str) -> NDArray[Any]:
    """Return real numbers of this shape, or refuse."""
    expected = f"{what} {shape}, float32"
    try:
        array: NDArray[Any] = np.asarray(answer)
    except (ValueError, TypeError) as error:
        raise _refuse(name, what, expected, f"{type(answer).__name__}: {error}") from error
    if array.shape != shape or array.dtype.kind not in "fiub":
        raise _refuse(name, what, expected, f"shape {array.shape}, {array.dtype}")
    return array


def _range(array: NDArray[Any], name: str, what: str, expected: str) -> tuple[float, float]:
    """Return least and greatest of finite numbers, or refuse."""
    low, high = float(array.min()), float(array.max())  # NaN passes through both
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int(array.size - np.isfinite(array).sum())
        raise _refuse(name, what, expected, f"{bad} of {array.size} are NaN or infinite")
    return low, high


def checked_weights(weights: object, shape: tuple[int, ...], name: str) -> Float:
    """Return weights, the very same where they are float32 and none is below 0.

    Args:
        weights: what a system has answered.
        shape: ``(N, H, W)`` of the frames that it was asked about.
        name: of the system.

    Raises:
        SystemError_: another shape, no real numbers, NaN, infinite, below 0, or not summing to 1.
    """
    array = _as_numbers(weights, shape, name, "weights")
    expected = "weights from 0 to 1 that sum to 1 over the frames"
    low, high = _range(array, name, "weights", expected)
    if low < -WEIGHT_SLACK:
        raise _refuse(name, "weights", expected, f"weights from {low:.4g} to {high:.4g}")
    out = np.asarray(array, np.float32)  # large: copied only where it must be
    if low < 0:
        out = np.maximum(out, 0)
    total = out.sum(axis=0)
    least, most = float(total.min()), float(total.max())
    if least < 1 - WEIGHT_SLACK or most > 1 + WEIGHT_SLACK:
        raise _refuse(name, "weights", expected, f"sums from {least:.4g} to {most:.4g}")
    return out


def checked_evidence(evidence: object, shape: tuple[int, ...], name: str) -> Float:
    """Return a focus measure ``(h, w)`` float32.

    Raises:
        SystemError_: another shape, no real numbers, NaN, infinite, or below 0.
    """
    array = _as_numbers(evidence, shape, name, "evidence")
    expected = "finite numbers, 0 and above"
    low, high = _range(array, name, "evidence", expected)
    if low < -WEIGHT_SLACK * max(high, 1e-6):
        raise _refuse(name, "evidence", expected, f"numbers from {low:.4g} to {high:.4g}")
    return array.astype(np.float32, copy=False)


def checked_picture(picture: object, shape: tuple[int, ...], name: str) -> Float:
    """Return a picture, shaped as a frame, cut off at 0 and 1 for frames of whole numbers.

    Args:
        picture: what a system has answered.
        shape: ``(H, W[, C])`` of a frame.
        name: of the system.

    Raises:
        SystemError_: another shape, no real numbers, NaN, infinite, or far outside of [0, 1].
    """
    array = _as_numbers(picture, shape, name, "a picture")
    expected = "values in [0, 1]"
    low, high = _range(array, name, "a picture", expected)
    if low < -PICTURE_SLACK or high > 1 + PICTURE_SLACK:
        raise _refuse(name, "a picture", expected, f"values from {low:.4g} to {high:.4g}")
    return array.astype(np.float32, copy=False)


def check_count(card: Card, count: int) -> None:
    """Refuse another number of frames than a network takes.

    Raises:
        SystemError_: it takes another.
    """
    limit = card.max_frames
    if limit is not None and count != limit:
        raise SystemError_(
            f"{card.name} decides between {limit} frames at once",
            expected=f"{limit} frames",
            got=f"{count} frames",
            remedy="call panfocus.fuse, which folds any number of frames",
        )
