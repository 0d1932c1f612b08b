"""The arbiter learns from decisions at two scales, and is exported as the product runs it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from panfocus.systems import load_system
from panfocus.systems.arbiter import CHANNELS, Arbiter
from panfocus.train import loop
from panfocus.train.arbiter import pack, samples
from panfocus.train.arbiter.network import ArbiterNet
from panfocus.train.arbiter.samples import ArbiterSample, decided, place, sample
from panfocus.train.arbiter.task import ODDS, ArbiterLearner, ArbiterRecipe, ArbiterTask
from panfocus.train.dualpath.redefocus import sources_of
from panfocus.train.helper_files import pack_run
from panfocus.train.run import Run
from panfocus.train.synthesis.sources import Sources

SIDE = 288


@pytest.fixture(scope="module", autouse=True)
def small_scenes():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "SCENE", SIDE)
        yield


@pytest.fixture(scope="module")
def sources() -> Sources:
    from skimage import data

    return sources_of([np.ascontiguousarray(data.coffee())])


@pytest.fixture(scope="module")
def scene(sources):
    system = load_system("dualpath", device="cpu")
    return decided(np.random.default_rng(3), sources, system, ODDS)


def test_a_scene_is_a_function_of_its_generator(scene, sources):
    again = decided(np.random.default_rng(3), sources, load_system("dualpath", device="cpu"), ODDS)
    np.testing.assert_array_equal(scene.frames, again.frames)
    np.testing.assert_array_equal(scene.both.fine, again.both.fine)
    count = len(scene.frames)
    assert scene.frames.shape == (count, SIDE, SIDE, 3)
    assert scene.truth.shape == (SIDE, SIDE, 3)
    assert scene.both.coarse.shape == (count, SIDE // 4, SIDE // 4)


def test_errors_are_those_of_the_pictures_by_either_scale(scene):
    whole = sample(scene)
    assert whole.seen.shape == (CHANNELS, SIDE // 4, SIDE // 4)
    made = np.einsum("nhwc,nhw->hwc", scene.frames, scene.both.fine)
    np.testing.assert_allclose(whole.errors[0], (made - scene.truth).transpose(2, 0, 1), atol=1e-2)
    assert np.abs(whole.errors[1]).mean() > 0


def test_a_place_shows_the_same_pixels_in_all_its_planes():
    rng = np.random.default_rng(0)
    small = rng.random((CHANNELS, SIDE // 4, SIDE // 4), np.float32)
    errors = np.stack([np.kron(small[:3], np.ones((4, 4), np.float32))] * 2)
    seen = set()
    for seed in range(12):
        cut = place(np.random.default_rng(seed), ArbiterSample(small, errors), 64)
        assert cut.seen.shape == (CHANNELS, 16, 16)
        np.testing.assert_array_equal(cut.errors[0, :, ::4, ::4], cut.seen[:3])
        seen.add(float(cut.seen[0, 0, 0]))
    assert len(seen) > 6


def test_to_follow_the_better_scale_is_a_gain():
    learner = ArbiterLearner()
    errors = torch.zeros(1, 2, 3, 64, 64)
    errors[:, 0], errors[:, 1] = 20, 2
    told = {}
    for name, share in (("fine", 0.0), ("coarse", 1.0), ("half", 0.5)):
        learner.net.forward = lambda seen, by=share: torch.full((1, 1, 16, 16), by)
        told[name] = float(learner(None, errors)["loss"])
    assert told["fine"] == pytest.approx(0, abs=1e-5)
    assert told["coarse"] < told["half"] < -1
    assert float(learner(None, errors.flip(1))["loss"]) > 1


def test_training_and_product_answer_alike(tmp_path, scene):
    torch.manual_seed(0)
    net = ArbiterNet().eval()
    with torch.no_grad():
        net.last.weight *= 40
    folder = pack.write(net.state_dict(), tmp_path / "arbiter", {"data": "none", "recipe": {}})
    arbiter = Arbiter(folder)
    seen = torch.rand(1, CHANNELS, 24, 32)
    with torch.no_grad():
        expected = net(seen).numpy()
    made = arbiter._network.session.run(["share"], {"evidence": seen.numpy()})[0]
    np.testing.assert_allclose(made, expected, atol=1e-4)
    assert np.ptp(made) > 0.1


def test_some_steps_make_an_arbiter_that_the_product_runs(sources, tmp_path):
    recipe = replace(ArbiterRecipe(), scenes=1, size=128)
    task = ArbiterTask(recipe, sources, seed=1)
    before = [p.detach().clone() for p in task.model.parameters()]
    loop.train(task, Run(tmp_path / "run", steps=2, precision="float32", device="cpu"))
    assert any(not torch.equal(a, b) for a, b in zip(before, task.model.parameters(), strict=True))
    folder = pack_run(tmp_path / "run", tmp_path / "arbiter", "a cup of coffee", pack.write)
    card = json.loads((folder / "card.json").read_text())
    assert card["data"] == "a cup of coffee"
    assert card["recipe"]["training_steps"] == 2
    half = np.full((2, 20, 30), 0.5, np.float32)
    share = Arbiter(folder)(np.zeros((2, 4, 20, 30), np.float32), half, half)
    assert share.shape == (20, 30)
    assert 0 <= share.min() <= share.max() <= 1
