"""What may be wrong with a decision, told from blocks of light and detail.

A photograph and an optical section differ in what defocus does to light. A lens spreads it: over a
block, a blurred frame is as bright as a sharp one, or brighter where the disc of a light falls on
the dark. A confocal microscope or a light sheet loses it: what is out of focus is dark, so that
the frame with most detail is the brightest one *everywhere*. That, and not darkness alone, is what
tells that a dark frame is a wrong one.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from panfocus.arrays.ranks import ends
from panfocus.frozen import frozen
from panfocus.guard.blocks import Blocks

#: Light by which the sharpest frame exceeds the usual one, over that of the sharpest, from which a
#: stack is sectioned (of two frames, the usual light lies half way between); and how much of it
#: may be found the other way round.
GAIN = 0.15
GAIN_OF_TWO = 0.08
AGAINST = 0.25
#: The same two from which a stack of more than two is sectioned beyond doubt, so that nothing of
#: its light may be lost.
SURE_GAIN = 0.3
SURE_AGAINST = 0.1
#: Light of the sharpest frames that a decision may lose of a sectioned stack, when eight frames are
#: compared; of fewer, a share of it, since losses of a fold add up.
LOSS = 0.05
_FRAMES = 8
#: Share of the darkest blocks that are taken for the ground.
_GROUND = 0.02
#: Share of its light over the ground by which the sharpest frame of a block that was lost with its
#: section exceeds the usual one.
_AHEAD = 0.05
#: Light over the ground, in noise of a block's mean, that is more than noise.
_SIGNAL = 6.0
#: A block's neighbourhood is lost when the result has less than this share of its best detail, and
#: dark when it has less than that share of the sharpest frame's light.
LEAST_DETAIL = 0.2
_LEAST_LIGHT = 0.7
#: Share of lost blocks from which the whole decision is not believed.
MOST_LOST = 0.3
#: Share of the blocks that must have content for that.
_ENOUGH = 0.2
#: Side of the smallest dark region that counts, in blocks, and its least share of the picture.
_SOLID = 3
LEAST_REGION = 0.01


@frozen
class Sectioning:
    """Whether out of focus means dark, and whether the result lacks the light.

    Attributes:
        gain: light by which the sharpest frames exceed the usual, as a share of theirs.
        against: light by which the usual exceed the sharpest.
        loss: light that the result lacks of the sharpest frames'.
        count: frames that were compared.
    """

    gain: float
    against: float
    loss: float
    count: int

    @property
    def nearness(self) -> float:
        """1 and more where the decision must not stand; under it, how near it came."""
        allowed = LOSS * (self.count - 1) / (_FRAMES - 1)
        even = AGAINST * self.gain / max(self.against, 1e-9)
        gain = GAIN_OF_TWO if self.count == 2 else GAIN
        doubtful = min(self.gain / gain, even, self.loss / allowed)
        if self.count == 2:
            return doubtful
        return max(doubtful, min(self.gain / SURE_GAIN, even * SURE_AGAINST / AGAINST))


def sectioning(blocks: Blocks) -> Sectioning:
    """Measure it where there is content, and light that is more than noise."""
    sharpest = blocks.sharpest_light()
    ground = ends(blocks.light, _GROUND)[0]
    content = blocks.content() & (sharpest - ground > _SIGNAL * blocks.light_noise())
    total = float(np.maximum(sharpest - ground, 0)[content].sum())
    if total <= 0:
        return Sectioning(0.0, 0.0, 0.0, len(blocks.light))
    ahead = (sharpest - blocks.usual_light())[content]
    # light lost elsewhere has another reason, such as a frame of which a part is black
    sections = ahead > _AHEAD * (sharpest - ground)[content]
    sections &= blocks.outshone(ground)[content]
    loss = (sharpest - blocks.made_light)[content][sections].sum()
    return Sectioning(
        gain=float(np.maximum(ahead, 0).sum()) / total,
        against=float(np.maximum(-ahead, 0).sum()) / total,
        loss=float(loss) / total,
        count=len(blocks.light),
    )


@frozen
class Lost:
    """Where a decision took frames without the detail that others have.

    Attributes:
        share: of the blocks with content; 0 where few have any, as around a single light.
        dark: solid regions of blocks that are dark as well, ``(a, b)``.
    """

    share: float
    dark: NDArray[np.bool_]

    @property
    def is_whole(self) -> bool:
        """Whether so much is lost that nothing of the decision is believed."""
        return self.share > MOST_LOST

    @property
    def has_regions(self) -> bool:
        """Whether the dark regions are large enough to count."""
        return float(self.dark.mean()) >= LEAST_REGION

    @property
    def nearness(self) -> float:
        """1 and more where something is not believed; under it, how near it came."""
        return max(self.share / MOST_LOST, float(self.dark.mean()) / LEAST_REGION)


def lost(blocks: Blocks) -> Lost:
    """Compare the detail of the result with that of the best frame."""
    content = blocks.content()
    if not content.any():
        return Lost(0.0, content)
    around = (3, 3)
    made = cv2.blur(blocks.made_detail, around)
    best = cv2.blur(blocks.best_detail, around)
    gone = content & (made < LEAST_DETAIL * best)
    dark = gone & (blocks.made_light < _LEAST_LIGHT * blocks.sharpest_light())
    square = np.ones((_SOLID, _SOLID), np.uint8)
    solid = cv2.morphologyEx(dark.astype(np.uint8), cv2.MORPH_OPEN, square)
    share = float(gone.sum() / content.sum()) if content.mean() >= _ENOUGH else 0.0
    return Lost(share, np.asarray(solid, np.bool_))
