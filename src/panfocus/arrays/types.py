"""What arrays hold."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: Light, weights, maps: whatever is computed with.
Float = NDArray[np.float32]
#: A picture as its file has it.
Pixels = NDArray[np.uint8 | np.uint16 | np.float32]
#: One of its numbers, for functions that give back the dtype they were given.
SampleT = TypeVar("SampleT", bound=np.uint8 | np.uint16 | np.float32)
