"""The refiner learns from decisions of a reduced scale, and is exported as the product runs it."""

import json

import numpy as np
import pytest
import torch

from panfocus.systems import load_system
from panfocus.systems.refiner import CHANNELS, Refiner
from panfocus.train import loop
from panfocus.train.dualpath.redefocus import sources_of
from panfocus.train.helper_files import pack_run
from panfocus.train.refiner import pack
from panfocus.train.refiner.network import RefinerNet, refined
from panfocus.train.refiner.samples import SCENE, Mixed, mixed, place
from panfocus.train.refiner.task import (
    ODDS,
    RefinerLearner,
    RefinerRecipe,
    RefinerTask,
    lights,
)
from panfocus.train.run import Run
from panfocus.train.synthesis.sources import Sources

SMALL = RefinerRecipe(scenes=1)


@pytest.fixture(scope="module")
def sources() -> Sources:
    from skimage import data

    return sources_of([np.ascontiguousarray(data.coffee())])


def levels_of(below, above, weight, size=64):
    planes = [np.full((size, size), v, np.float32) for v in (below, above, weight)]
    return torch.from_numpy(np.stack(planes))[None]


def colours_of(below, above, truth, size=64):
    planes = [np.full((3, size, size), v, np.float32) for v in (below, above, truth)]
    return torch.from_numpy(np.stack(planes))[None]


def test_a_scene_is_a_function_of_its_generator(sources):
    system = load_system("dualpath", device="cpu")
    one, other = (mixed(np.random.default_rng(3), sources, system, ODDS) for _ in range(2))
    assert all(map(np.array_equal, one, other))
    assert one.below.shape == one.above.shape == one.truth.shape == (SCENE, SCENE, 3)
    assert one.weight.shape == (SCENE, SCENE)
    assert 0 <= one.weight.min() < one.weight.max() <= 1


def test_a_place_shows_the_same_pixels_in_all_its_planes():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (SCENE, SCENE, 3), np.uint8)
    scene = Mixed(picture, 255 - picture, picture, rng.random((SCENE, SCENE), np.float32))
    orders = set()
    for seed in range(12):
        cut = place(np.random.default_rng(seed), scene, 64)
        assert cut.seen.shape == (CHANNELS, 32, 32)
        below, above, truth = cut.colours
        np.testing.assert_array_equal(below, 255 - above)
        is_first = np.array_equal(below, truth)
        assert is_first or np.array_equal(above, truth)
        orders.add(is_first)
        np.testing.assert_allclose(cut.levels[0] + cut.levels[1], 1, atol=0.005)
    assert orders == {True, False}


def test_no_change_is_no_gain_and_the_right_one_is():
    learner = RefinerLearner(0.02)
    levels, colours = levels_of(0.4, 0.5, 0.5), colours_of(100, 120, 120)
    told = {}
    for name, change in (("none", 0.0), ("right", 9.0), ("wrong", -9.0)):
        learner.net.forward = lambda seen, by=change: torch.full((1, 64, 64), by)
        told[name] = {k: float(v) for k, v in learner(None, levels, colours).items()}
    assert told["none"]["loss"] == pytest.approx(0, abs=1e-5)
    assert told["right"]["gain"] < -3
    assert told["wrong"]["gain"] > 1
    assert told["right"]["still"] == pytest.approx(0.25, abs=0.01)


def test_at_lights_nothing_is_learned():
    assert lights(levels_of(0.95, 0.3, 0.5)).min() == 1
    assert lights(levels_of(0.95, 0.9, 0.5)).max() == 0
    assert lights(levels_of(0.6, 0.2, 0.5)).max() == 0


def test_training_and_product_refine_alike(tmp_path):
    torch.manual_seed(0)
    net = RefinerNet().eval()
    with torch.no_grad():
        net.last.weight *= 400
    folder = pack.write(net.state_dict(), tmp_path / "refiner", {"data": "none", "recipe": {}})
    rng = np.random.default_rng(0)
    below, above, weight = rng.random((3, 48, 64), np.float32)
    from panfocus.systems.refiner import evidence

    with torch.no_grad():
        seen = torch.from_numpy(evidence(below, above, weight))[None]
        expected = refined(torch.from_numpy(weight)[None], net(seen))[0].numpy()
    made = Refiner(folder)(below, above, weight)
    assert np.abs(made - weight).max() > 0.1
    np.testing.assert_allclose(made, expected, atol=0.015)  # what is nearly 0 or 1 is


def test_some_steps_make_a_refiner_that_the_product_runs(sources, tmp_path):
    task = RefinerTask(SMALL, sources, seed=1)
    before = [p.detach().clone() for p in task.model.parameters()]
    loop.train(task, Run(tmp_path / "run", steps=2, precision="float32", device="cpu"))
    assert any(not torch.equal(a, b) for a, b in zip(before, task.model.parameters(), strict=True))
    folder = pack_run(tmp_path / "run", tmp_path / "refiner", "a cup of coffee", pack.write)
    card = json.loads((folder / "card.json").read_text())
    assert card["data"] == "a cup of coffee"
    assert card["recipe"]["training_steps"] == 2
    assert card["recipe"]["decided_by"] == "dualpath"
    planes = np.random.default_rng(0).random((3, 22, 26), np.float32)
    weights = Refiner(folder)(*planes)
    assert weights.shape == (22, 26)
    assert 0 <= weights.min() <= weights.max() <= 1
