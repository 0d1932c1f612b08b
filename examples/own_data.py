r"""A data set of your own: a folder in which every ``.npy`` holds a focal stack.

    panfocus train dualpath --plugin examples/own_data.py --data arrays:my_arrays/ \
        --minutes 20 --out runs/arrays

What stands behind the colon is the reader's own matter: a folder, a number, a name. The same
reader serves DRPL, to which every frame is one sharp picture.
"""

from pathlib import Path

import numpy as np

from panfocus.errors import DataError
from panfocus.train.own_data import register_data


@register_data("arrays")
def arrays(where):
    """Yield (name, frames) of every file of ``(N, H, W)`` or ``(N, H, W, 3)``."""
    folder = Path(where)
    if not folder.is_dir():
        raise DataError("there is no such folder of arrays", where=where)
    for path in sorted(folder.glob("*.npy")):
        yield path.stem, [rgb(frame) for frame in np.load(path, allow_pickle=False)]


def rgb(frame):
    """Return one frame in three colours and 8 bits: RGB ``(H, W, 3)`` uint8."""
    if frame.dtype != np.uint8:
        frame = (frame / np.iinfo(frame.dtype).max * 255).round().astype(np.uint8)
    return np.repeat(frame[..., None], 3, 2) if frame.ndim == 2 else frame[..., :3]
