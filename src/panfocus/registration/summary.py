"""What registration did to a stack, in numbers and in one line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from panfocus.frozen import frozen
from panfocus.registration.alignment import LEFT_OUT, UNALIGNED, Alignment
from panfocus.registration.transforms import Crop, scale_and_turn

#: Frames that are named in the line; of more only the number is told.
_NAMED = 3
#: Scale in per cent and turn in degrees from which the line tells of them.
_TOLD_SCALE, _TOLD_TURN = 0.05, 0.05


@frozen
class RegistrationSummary:
    """What registration did to a stack.

    Attributes:
        frames: of the stack.
        moved: of them resampled.
        left_unaligned: names of frames that could not be aligned, each with the reason.
        shift_px: by which the corner that moves most moves.
        scale_percent: largest change of size.
        rotation_deg: largest turn.
        cropped_to: width and height of the part that all frames show; None where not cropped.
        shifted_locally: frames of which places are shifted besides.
        local_px: by which the place that is shifted most is.
        moving_share: of the picture, in which something moves and one frame is taken.
        left_out: frames that lie in place, but add nothing.
    """

    frames: int
    moved: int
    left_unaligned: tuple[tuple[str, str], ...]
    shift_px: float
    scale_percent: float
    rotation_deg: float
    cropped_to: tuple[int, int] | None = None
    shifted_locally: int = 0
    local_px: float = 0.0
    moving_share: float = 0.0
    left_out: int = 0

    @property
    def aligned(self) -> int:
        """Number of frames that lie on the reference and are taken, moved or not."""
        return self.frames - len(self.left_unaligned) - self.left_out

    def to_dict(self) -> dict[str, Any]:
        """Return values that JSON can hold."""
        left = [list(one) for one in self.left_unaligned]
        cropped = None if self.cropped_to is None else list(self.cropped_to)
        told = {"aligned": self.aligned, "told": self.line()}
        return {**asdict(self), "left_unaligned": left, "cropped_to": cropped, **told}

    def line(self) -> str | None:
        """Return what a user should know in one line; None where no frame was moved.

        That a frame shares too little detail to be aligned matters where others have moved.
        """
        moves = (
            f"things moved in {_percent(self.moving_share)} of the picture; taken from one frame"
        )
        if not self.moved and not self.shifted_locally:
            return moves if self.moving_share else None
        line = f"aligned {self.aligned} of {self.frames} frames"
        if self.moved:
            line += f" ({', '.join(self._motions())})"
        if self.shifted_locally:
            line += f", parts of {self.shifted_locally} by up to {_pixels(self.local_px)} more"
        if self.cropped_to:
            width, height = self.cropped_to
            line += f", cropped to {width} x {height}"
        line += f"; {moves}" if self.moving_share else ""
        if not self.left_unaligned:
            return line
        told = [f"{name} left unaligned: {why}" for name, why in self.left_unaligned[:_NAMED]]
        more = len(self.left_unaligned) - _NAMED
        return "; ".join([line, *told, *([f"{more} more left unaligned"] if more > 0 else [])])

    def _motions(self) -> list[str]:
        told = [f"up to {_pixels(self.shift_px)}"]
        if self.scale_percent >= _TOLD_SCALE:
            told.append(f"scale {self.scale_percent:.1f} %")
        if self.rotation_deg >= _TOLD_TURN:
            told.append(f"turn {self.rotation_deg:.1f}°")
        return told


def _percent(share: float) -> str:
    return f"{max(100 * share, 0.1):.{0 if share >= 0.01 else 1}f} %"


def _pixels(length: float) -> str:
    return f"{length:.{0 if length >= 10 else 1}f} px"


def summarise(
    alignment: Alignment, field: Crop | None = None, moving_share: float = 0.0
) -> RegistrationSummary:
    """Return what was done to the frames of a stack.

    Args:
        alignment: where they lie.
        field: part of the reference frame that is made; None for all of it.
        moving_share: of the picture, in which something moves and one frame is taken.

    Example:
        >>> import numpy as np
        >>> from panfocus.registration.alignment import Placed
        >>> moved = np.array([[1, 0, 12.0], [0, 1, 0], [0, 0, 1]])
        >>> frames = (Placed("a", np.eye(3), "identity", "reference"),
        ...           Placed("b", moved, "translation", "aligned"),
        ...           Placed("c", np.eye(3), "identity", "left unaligned: no shared detail"))
        >>> summarise(Alignment(100, 200, 0, frames)).line()
        'aligned 2 of 3 frames (up to 12 px); c left unaligned: no shared detail'
    """
    moved = [n for n in range(len(alignment.frames)) if alignment.moves(n)]
    motions = [scale_and_turn(alignment.frames[n].matrix) for n in moved]
    left = tuple(
        (placed.name, placed.status.removeprefix(UNALIGNED))
        for placed in alignment.frames
        if placed.status.startswith(UNALIGNED)
    )
    cropped = field is not None and field != alignment.whole()
    return RegistrationSummary(
        frames=len(alignment.frames),
        moved=len(moved),
        left_unaligned=left,
        shift_px=round(max((alignment.shift(n) for n in moved), default=0.0), 3),
        scale_percent=round(max((100 * abs(scale - 1) for scale, _ in motions), default=0.0), 4),
        rotation_deg=round(max((abs(turn) for _, turn in motions), default=0.0), 4),
        shifted_locally=sum(bool(placed.local_px) for placed in alignment.frames),
        local_px=round(max((p.local_px or 0.0 for p in alignment.frames), default=0.0), 3),
        moving_share=round(moving_share, 5),
        left_out=sum(placed.status.startswith(LEFT_OUT) for placed in alignment.frames),
        cropped_to=(field.right - field.left, field.bottom - field.top)
        if cropped and field
        else None,
    )
