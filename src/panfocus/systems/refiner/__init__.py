"""The refiner: a small network that carries decisions of a reduced scale to full scale.

OURS, in neither paper. Large pictures are decided small, which loses what is finer than a pixel of
that scale: hair, the course of a boundary. The refiner sees the luminance of what was fused so far
and of the frame that is mixed in, at full scale, with the weight that was decided, and says what
the weight should be. It does not decide: where both are as sharp, or where it sees no reason,
weights stay as they are. See docs/decisions/0041-refiner.md.
"""

from panfocus.systems.refiner.evidence import CHANNELS, REACH, evidence
from panfocus.systems.refiner.network import Refiner

__all__ = ["CHANNELS", "REACH", "Refiner", "evidence"]
