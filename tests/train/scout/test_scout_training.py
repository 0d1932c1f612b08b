"""The scout learns from frames that were blurred again, and is exported as the product runs it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from panfocus.systems.scout import Scout
from panfocus.train import loop
from panfocus.train.dualpath.redefocus import sources_of
from panfocus.train.helper_files import pack_run
from panfocus.train.run import Run
from panfocus.train.scout import pack
from panfocus.train.scout.network import ScoutNet
from panfocus.train.scout.samples import answers, sample
from panfocus.train.scout.task import ODDS, ScoutLearner, ScoutRecipe, ScoutTask
from panfocus.train.synthesis.sources import Sources

SMALL = ScoutRecipe(size=64, frames=16)
PLAIN = replace(ODDS, lights=0, moved=0, ringed=0, misfired=0, noise=0, jpeg=0)


@pytest.fixture(scope="module")
def sources() -> Sources:
    from skimage import data

    return sources_of([np.ascontiguousarray(data.coffee()[100:300, 200:430])])


def test_shares_are_of_the_frames_nearest_to_the_truth():
    rng = np.random.default_rng(0)
    truth = rng.random((3, 64, 64), np.float32)
    frames = np.stack([truth + 0.1, truth, truth - 0.1])
    frames[0, :, :, :32], frames[1, :, :, :32] = truth[..., :32], truth[..., :32] + 0.1
    shares, errors = answers(frames, truth)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    assert shares[0, :, :3].min() > 0.95
    assert shares[1, :, 5:].min() > 0.95
    assert errors[2].min() > 100
    assert errors.min() >= 0


def test_where_nothing_is_to_be_told_what_lies_around_decides():
    truth = np.full((3, 96, 96), 0.5, np.float32)
    rough = np.random.default_rng(0).random((3, 96, 32), np.float32)
    truth[..., :32] = rough
    frames = np.stack([truth, truth.copy()])
    frames[1, ..., :32] = 0.5
    shares, _ = answers(frames, truth)
    assert shares[0, :, 5].min() > 0.6


def test_a_sample_is_a_function_of_its_generator(sources):
    one, other = (sample(np.random.default_rng(3), sources, 64, 5, PLAIN) for _ in range(2))
    assert all(map(np.array_equal, one, other))
    assert one.measures.shape == (5, 5, 8, 8)
    assert one.shares.shape == one.errors.shape == (5, 8, 8)


def test_frames_may_come_in_any_order_and_number():
    torch.manual_seed(0)
    net = ScoutNet().eval()
    measures = torch.rand(1, 7, 5, 12, 9)
    order = torch.randperm(7)
    with torch.no_grad():
        told = net(measures)
        assert torch.allclose(net(measures[:, order]), told[:, order], atol=1e-5)
        assert net(measures[:, :2]).shape == (1, 2, 12, 9)


def test_the_loss_is_least_where_the_shares_are_told():
    learner = ScoutLearner(0.5)
    shares = torch.tensor([0.8, 0.2, 0.0]).reshape(1, 3, 1, 1)
    errors = torch.tensor([0.0, 3.0, 90.0]).reshape(1, 3, 1, 1)
    told = {}
    for name, logits in (
        ("right", shares.clamp_min(1e-4).log()),
        ("wrong", torch.zeros(1, 3, 1, 1)),
    ):
        learner.net.forward = lambda _, given=logits: given
        told[name] = {k: float(v) for k, v in learner(None, shares, errors).items()}
    assert abs(told["right"]["divergence"]) < 1e-3
    assert told["wrong"]["loss"] > told["right"]["loss"] + 0.5


def test_some_steps_make_a_scout_that_the_product_runs(sources, tmp_path):
    task = ScoutTask(SMALL, sources, seed=1)
    before = [p.detach().clone() for p in task.model.parameters()]
    loop.train(task, Run(tmp_path / "run", steps=3, precision="float32", device="cpu"))
    assert any(not torch.equal(a, b) for a, b in zip(before, task.model.parameters(), strict=True))
    folder = pack_run(tmp_path / "run", tmp_path / "scout", "a cup of coffee", pack.write)
    card = json.loads((folder / "card.json").read_text())
    assert card["data"] == "a cup of coffee"
    assert card["recipe"]["training_steps"] == 3
    shares = Scout(folder)(np.random.default_rng(0).random((4, 5, 11, 13), np.float32))
    assert shares.shape == (4, 11, 13)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
