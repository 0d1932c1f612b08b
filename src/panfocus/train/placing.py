"""Frames that do not lie on each other, put in place by the product's aligner.

Two measurements that know nothing of each other have to agree before a frame is moved: the aligner
fits fine detail freed of contrast (`panfocus.registration`), and what is moved by its transform
must then lie in place by the coarse detail that defocus leaves (`panfocus.train.agree`). A frame
that cannot be brought onto the one before it is tried on earlier ones, so that a bad one breaks no
chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.pixels import luminance, shrink
from panfocus.pipeline.scene import SceneLikeness as Likeness
from panfocus.registration.accept import register
from panfocus.registration.pyramid import Detail, make_detail, reduction
from panfocus.registration.transforms import (
    Crop,
    Matrix,
    common_field,
    corner_shift,
    normalised,
    scale_and_turn,
)
from panfocus.registration.warp import STILL, warp, window_of
from panfocus.train import levels
from panfocus.train.agree import HELD, Comparison, band, compare
from panfocus.train.levels import Picture

Float = NDArray[np.float32]
#: Kind of alignment, MEASURED: see `docs/training.md`.
KIND = "auto"
#: A frame in which the scene is smaller than this becomes the one that all are brought to.
SMALLER = 0.998
#: Earlier frames that one is tried on, the nearest first.
TRIED = 3
#: Frames of a folder by which to tell whether they are of one scene.
LOOKED_AT = 8
#: Smallest side of what two frames share for them to be compared.
LEAST_SHARED = 32


@dataclass(frozen=True)
class Placing:
    """Frames that lie on each other once they are moved.

    Attributes:
        numbers: of the frames in their stack.
        matrices: for each, from the common geometry to its own pixels.
        field: of the common geometry, what all of them show.
        moved: by how many pixels the corner that moves most is moved.
    """

    numbers: tuple[int, ...]
    matrices: tuple[Matrix, ...]
    field: Crop
    moved: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what all frames show."""
        return (
            max(self.field.bottom - self.field.top, 0),
            max(self.field.right - self.field.left, 0),
        )

    def frames(self, stack: Sequence[Picture]) -> Iterator[Picture]:
        """Yield the frames in place, each resampled once; those that need not move, as they are.

        Args:
            stack: all frames, by their numbers.
        """
        for number, matrix in zip(self.numbers, self.matrices, strict=True):
            frame = stack[number]
            yield np.asarray(warp(frame, matrix, self.field), frame.dtype)


@dataclass
class _Chain:
    """Frames that have been brought onto each other: their numbers and matrices."""

    matrices: dict[int, Matrix] = field(default_factory=dict[int, Matrix])


class Placer:
    """Brings the frames of one stack onto each other.

    Attributes:
        stack: the frames.
    """

    def __init__(
        self,
        frames: Sequence[Picture],
        tell: Callable[[str], None],
        kind: str = KIND,
        *,
        needs_proof: bool = False,
    ) -> None:
        """Set up.

        Args:
            frames: RGB of one size, in the order of the stack.
            tell: called before every frame that is looked at.
            kind: of alignment, see `panfocus.registration.options.KINDS`.
            needs_proof: whether the aligner's own proof is needed besides ours.
        """
        self._proofs = (True,) if needs_proof else (True, False)
        self.stack = frames
        self._tell = tell
        self._kind = kind
        self._height, self._width = (int(n) for n in frames[0].shape[:2])
        self._band = lru_cache(HELD)(self._make_band)
        self._detail = lru_cache(TRIED + 1)(self._make_detail)

    def placings(self) -> list[Placing]:
        """Return the sets of two frames and more that could be brought onto each other.

        None where the frames are certainly not of one scene.
        """
        if len(self.stack) > 2 and self._is_torn():
            return []
        chains: list[_Chain] = []
        for number in range(len(self.stack)):
            self._tell(f"frame {number + 1} of {len(self.stack)}")
            self._add(number, chains)
        found = [self._placing(chain) for chain in chains if len(chain.matrices) >= 2]
        return sorted(found, key=lambda p: -len(p.numbers))

    def _is_torn(self) -> bool:
        likeness = Likeness()
        for frame in self.stack[:LOOKED_AT]:
            likeness.add(levels.luminance(frame))
        return likeness.is_torn()

    def _make_band(self, number: int) -> Float:
        return band(self.stack[number])

    def _make_detail(self, number: int) -> Detail:
        factor = reduction(self._height, self._width)
        grey = shrink(luminance(self.stack[number]), factor)
        return make_detail(grey, factor, self._height, self._width)

    def _add(self, number: int, chains: list[_Chain]) -> None:
        """Put a frame into the chain of the nearest frame that it can be brought onto."""
        for before in range(number - 1, max(number - 1 - TRIED, -1), -1):
            step = self._step(before, number)
            if step is not None:
                chain = next(c for c in chains if before in c.matrices)
                chain.matrices[number] = normalised(step @ chain.matrices[before])
                return
        chains.append(_Chain({number: np.eye(3)}))

    def _step(self, fixed: int, moving: int) -> Matrix | None:
        """Return the transform between two frames; None where none brings them together."""
        rest = np.eye(3)
        before = self._compare(fixed, moving, rest)
        # by the aligner's own proof if it has one, else by ours alone
        for is_proven in self._proofs:
            details = self._detail(fixed), self._detail(moving)
            matrix = register(*details, self._kind, is_apart=not is_proven).matrix
            if corner_shift(matrix, self._height, self._width) < STILL:
                continue
            after = self._compare(fixed, moving, matrix)
            if after.agrees and (not before.agrees or after.shift <= before.shift / 2):
                return matrix
        return rest if before.agrees else None

    def _compare(self, fixed: int, moving: int, matrix: Matrix) -> Comparison:
        """Compare two frames where both show something, the second moved by a transform."""
        whole = common_field([matrix], self._height, self._width)
        height, width = whole.bottom - whole.top, whole.right - whole.left
        if min(height, width) < LEAST_SHARED:
            return Comparison(alike=False)
        still = self._band(fixed)[whole.top : whole.bottom, whole.left : whole.right]
        # a band holds nothing fine, so that moving it is as good as moving the frame
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        moved = cv2.warpPerspective(
            self._band(moving),
            window_of(matrix, whole),
            (width, height),
            flags=flags,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return compare(still, np.asarray(moved, np.float32))

    def _placing(self, chain: _Chain) -> Placing:
        matrices = _from_middle(list(chain.matrices.values()))
        shifts = [corner_shift(matrix, self._height, self._width) for matrix in matrices]
        moving = [m for m, shift in zip(matrices, shifts, strict=True) if shift >= STILL]
        return Placing(
            tuple(chain.matrices),
            tuple(matrices),
            common_field(moving, self._height, self._width),
            max(shifts),
        )


def _from_middle(matrices: Sequence[Matrix]) -> list[Matrix]:
    """Let the middle frame lie still, or the one that shows the scene smallest.

    All others are then reduced to its scale: none is ever enlarged.
    """
    middle = len(matrices) // 2
    scales = [scale_and_turn(matrix)[0] for matrix in matrices]
    least = int(np.argmin(scales))
    chosen = least if scales[least] < SMALLER * scales[middle] else middle
    back = np.asarray(np.linalg.inv(matrices[chosen]), np.float64)
    moved = [normalised(matrix @ back) for matrix in matrices]
    moved[chosen] = np.eye(3)
    return moved
