from dataclasses import replace

import numpy as np

from panfocus.train import synthesis
from panfocus.train.dualpath import (
    focal_stacks,
)
from panfocus.train.dualpath.ladder import Ladder
from panfocus.train.synthesis.drift import drifting


def test_in_stacks_too_only_what_is_out_of_focus_drifts(supply):
    rng = np.random.default_rng
    plain = synthesis.Odds(
        noise=0, jpeg=0, borders=0, lights=0, moved=0, shaded=0, layers=0, painted=0
    )
    drift = drifting(rng(1), 88, synthesis.Odds(moved=1.0))
    light = rng(0).random((88, 88, 3), np.float32)
    assert np.allclose(drift.bent(light, np.zeros((88, 88), np.float32)), light, atol=1e-6)
    assert np.abs(drift.bent(light, np.ones((88, 88), np.float32)) - light).mean() > 0.05
    assert np.allclose(drift.part(0.0)(light), light, atol=1e-5)
    errors = []
    for moved in (0.0, 1.0):
        odds = replace(plain, moved=moved)
        made = [focal_stacks.stack(rng(n), supply, 64, 4, odds) for n in range(8)]
        blended = np.stack([(m.mask[:, None] * m.frames).sum(0) - m.truth for m in made])
        anyhow = np.stack([m.frames.mean(0) - m.truth for m in made])
        assert np.square(blended).mean() < 0.5 * np.square(anyhow).mean()
        errors.append(np.square(anyhow).mean())
    assert errors[1] > errors[0]


def test_in_bright_field_the_sides_of_focus_differ_and_the_mask_holds(supply):
    rng = np.random.default_rng
    odds = synthesis.Odds(noise=0, jpeg=0, lights=0, moved=0, shaded=0, painted=0, ringed=1)
    made = [focal_stacks.stack(rng(n), supply, 64, 4, odds) for n in range(8)]
    blended = np.stack([(m.mask[:, None] * m.frames).sum(0) - m.truth for m in made])
    anyhow = np.stack([m.frames.mean(0) - m.truth for m in made])
    assert np.square(blended).mean() < 0.5 * np.square(anyhow).mean()
    back = rng(0).random((40, 40, 3), np.float32)
    ladder = Ladder.of(back, [0.0, 2.0, 5.0], "disc", np.float32(1.5))
    ahead, behind, there = (
        ladder.at(np.full((40, 40), offset, np.float32)) for offset in (2.0, -2.0, 0.0)
    )
    assert np.allclose(there, back, atol=1e-6)
    assert ahead.std() > behind.std()
