"""A volume that tests of the page share: two times of two channels that are other scenes."""

import numpy as np
import tifffile

from tests.conftest import focal_stack

NAME = "cells.ome.tif"
T, C, Z = 2, 2, 6
STEP, PIXEL = 1.5, 0.25
FACTS = {
    "axes": "TCZYX",
    "PhysicalSizeZ": STEP,
    "PhysicalSizeZUnit": "µm",
    "PhysicalSizeX": PIXEL,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": PIXEL,
    "PhysicalSizeYUnit": "µm",
    "Channel": {"Name": ["DAPI", "GFP"]},
}


def write_cells(folder):
    """Write a volume of 12 bits in 16, TCZYX, whose channels are other scenes."""
    stacks = [
        [focal_stack(Z, 96, 128, 2 * t + c)[0][..., 0].astype(np.uint16) * 16 for c in range(C)]
        for t in range(T)
    ]
    tifffile.imwrite(folder / NAME, np.array(stacks), metadata=FACTS, ome=True)
    return folder
