"""The small network of DRPL, and its teacher."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from panfocus.errors import DataError, UsageError
from panfocus.systems import load_system
from panfocus.systems.card import Card
from panfocus.train import checkpoint, loop
from panfocus.train.drpl import config, step
from panfocus.train.drpl import teacher as teachers
from panfocus.train.drpl.network import Drpl, folded
from panfocus.train.drpl.pack import Exported, macs_per_pixel
from panfocus.train.drpl.small import Small
from panfocus.train.export import export
from tests.train.test_export import invoke

from .test_network import noisy_norms

TINY = replace(config.SMALL, stages=(config.Stage(0.0, blocks=0, size=24, batch=2),))
#: Multiply-adds per pixel of a pair: `dualpath` spends 30,392 on a pixel of each of its frames.
DUALPATH = 2 * 30_392


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    net = noisy_norms(Small()).double()
    for module in net.modules():  # keep random blocks from growing without bound
        if hasattr(module, "norm2"):
            module.norm2.weight.data.mul_(0.2)
    return net


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory):
    torch.manual_seed(5)
    net = noisy_norms(Drpl())
    card = Card(name="drpl", title="random weights")
    out = tmp_path_factory.mktemp("systems") / "drpl-7"
    for block in net.blocks:
        block.norm2.weight.data.mul_(0.1)
    return export(Exported(folded(net)).eval(), 2, net.state_dict(), card, out)


def test_costs_less_than_three_times_what_dualpath_does():
    assert macs_per_pixel(Small().eval()) < 3 * DUALPATH
    assert macs_per_pixel(Drpl().eval()) / macs_per_pixel(Small().eval()) > 10


def test_maps_are_full_size_and_between_0_and_1(net):
    maps = net(*torch.rand(2, 2, 3, 24, 40, dtype=torch.float64))
    assert maps.shape == (2, 2, 24, 40)
    assert 0 <= maps.min() and maps.max() <= 1


def test_swapping_the_pair_swaps_the_maps_exactly(net):
    twin = noisy_norms(Small()).double()
    first, second = torch.rand(2, 1, 3, 32, 24, dtype=torch.float64)
    assert (twin(first, second) - twin(second, first).flip(1)).abs().max() > 1e-3
    twin.symmetrise()
    assert torch.allclose(twin(first, second), twin(second, first).flip(1), atol=1e-12)


def test_starts_as_high_pass_filters_and_identities():
    torch.manual_seed(1)
    small = Small(high_pass=True, zero_blocks=True)
    assert small.stem.conv.weight.sum((1, 2, 3)).abs().max() < 1e-5
    assert small.stem.conv.weight.square().sum((1, 2, 3)).min() > 0
    x = torch.rand(1, 48, 8, 8)
    assert torch.equal(small.down[0](x), x)


def test_a_packed_filter_is_the_filter_of_pixels():
    pair = torch.rand(2, 1, 3, 16, 16, dtype=torch.float64)
    torch.manual_seed(2)
    stem = Small(high_pass=True).double().stem.conv
    packed = torch.cat([nn.functional.pixel_unshuffle(p, 2) for p in pair], 1)
    pixels = nn.functional.pixel_shuffle(stem.weight, 2)
    plain = nn.functional.conv2d(torch.cat(list(pair), 1), pixels, stride=2, padding=2)
    assert torch.allclose(stem(packed), plain, atol=1e-12)


def test_tiles_with_the_halo_are_the_whole_and_without_it_are_not(net):
    frames = torch.rand(2, 3, 304, 24, dtype=torch.float64)
    wide, core = Exported(net), 160
    with torch.no_grad():
        whole = wide(frames)[:, core:]
        exact = wide(frames[:, :, core - Small.halo :])[:, Small.halo :]
        cut = wide(frames[:, :, core:])
    assert torch.allclose(exact, whole, atol=1e-12)
    assert (cut - whole).abs().max() > 1e-4


def test_the_teacher_is_asked_in_every_nth_step_and_is_not_trained(
    tmp_path, sources, teacher_folder
):
    teacher = teachers.load(teacher_folder)
    chosen = replace(TINY, taught_every=2)
    task = step.DrplTask(chosen, sources, teacher=teacher)
    asked = [bool(task.batch(k, 0.0, 0, 1)[-1]) for k in range(4)]
    assert asked == [True, False, True, False]
    taught, alone = (task.model(*map(torch.as_tensor, task.batch(k, 0.0, 0, 1))) for k in range(2))
    assert set(taught) - set(alone) == {"teacher"}
    parts = (getattr(chosen.loss, k) * v.item() for k, v in taught.items() if k != "loss")
    assert taught["loss"].item() == pytest.approx(sum(parts))
    assert set(task.model.state_dict()) == set(step.Learner(chosen).state_dict())
    task.finish = lambda average: None
    state = loop.train(task, loop.Run(tmp_path, steps=2, precision="float32"))
    assert state.step == 2
    held = checkpoint.read(tmp_path / checkpoint.NAME)
    assert held.facts["teacher"]["name"] == "drpl-7"


def test_a_teachers_maps_are_those_of_its_network(teacher_folder):
    teacher = teachers.load(teacher_folder)
    pair = torch.rand(2, 1, 3, 20, 22)
    frames = pair[:, 0].permute(0, 2, 3, 1).numpy()
    maps = teacher.maps(*pair)
    weight = load_system(teacher_folder, threads=1).decide(frames)[0]
    assert np.allclose((maps[0, 0] + 1 - maps[0, 1]) / 2, weight, atol=1e-4)
    assert not maps.requires_grad


def test_train_command_makes_a_small_system(folder, teacher_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(config.RECIPES, "small", TINY)
    monkeypatch.setattr(step, "CALIBRATION_STEPS", 2)
    out = tmp_path / "run"
    options = ("drpl", "--data", folder, "--precision", "float32", "--recipe", "small")
    invoke(*options, "--out", out, "--teacher", teacher_folder, "--steps", 2)
    card = Card.read(out / "system" / "card.json")
    assert (card.name, card.multiple_of, card.halo) == ("drpl-small", 8, Small.halo)
    assert card.recipe["teacher"]["sha256"] == Card.read(teacher_folder / "card.json").sha256
    frames = np.random.default_rng(0).random((2, 61, 43, 3), dtype=np.float32)
    system = load_system(out / "system", threads=1)
    weights = system.decide(frames)
    assert np.allclose(weights.sum(0), 1, atol=1e-6)
    # the picture is filled up to the multiple on two sides only, alike for both frames
    assert np.allclose(system.decide(frames[::-1])[::-1], weights, atol=1e-4)
    invoke(*options, "--out", tmp_path / "on", "--init", out / "system", "--steps", 1)
    told = json.loads((tmp_path / "on" / "run.json").read_text())
    assert told["teacher"]["system"] == "drpl"  # the bundled one
    with pytest.raises(DataError, match="another network"):
        invoke(*options, "--out", tmp_path / "x", "--teacher", out / "system", "--steps", 1)
    with pytest.raises(UsageError, match="no system"):
        invoke(*options, "--out", tmp_path / "x", "--teacher", folder, "--steps", 1)
