import numpy as np

import panfocus
from panfocus.synthesis.depth_maps import depth_map_stack
from tests.conftest import psnr, texture


def test_a_depth_map_makes_a_stack_that_fuses():
    depth = np.tile(np.linspace(0, 1, 160, dtype=np.float32), (120, 1))
    scene = depth_map_stack(texture(120, 160), depth, 5)
    result = panfocus.fuse(scene.frames, system="guided")
    assert psnr(result.image, scene.truth) > max(psnr(f, scene.truth) for f in scene.frames) + 3
    assert np.corrcoef(result.depth.ravel(), depth.ravel())[0, 1] > 0.9
