"""What the page shows of a volume is what `fuse_volume` makes of it: values as measured."""

import numpy as np
import pytest
import tifffile

import panfocus
from panfocus.synthesis.focal_stacks import depth_scene
from tests.conftest import texture
from tests.web.conftest import serving
from tests.web.test_volume_guide import found, fuse_by

pytest.importorskip("starlette")


@pytest.fixture
def sweep(tmp_path):
    """Planes so far apart that all are soft between two of them."""
    pictures = [texture(128, 160, seed=k) for k in range(4)]
    made = depth_scene(np.random.default_rng(1), pictures, 6, 14.0)
    planes = made.frames[..., 1].astype(np.uint16) * 16
    facts = {"axes": "ZYX"}
    tifffile.imwrite(tmp_path / "cells.ome.tif", planes, metadata=facts, ome=True)
    return tmp_path / "cells.ome.tif"


def test_values_of_a_volume_are_left_as_on_the_command_line(sweep):
    with serving(sweep.parent) as page:
        stack = page.open(sweep)
        page.idle()
        shown = found(page, stack, fuse_by(page, stack, None)).image
    same = np.squeeze(panfocus.fuse_volume(sweep, system="guided").image).astype(int)
    scale = np.squeeze(shown).max() / same.max()  # the page holds dim numbers over all its range
    assert np.abs(np.squeeze(shown) / scale - same).max() <= 1
    mended = panfocus.fuse_volume(sweep, system="guided", banding="mend").image
    assert np.abs(np.squeeze(mended) - same).max() > 100  # it would show if it were
