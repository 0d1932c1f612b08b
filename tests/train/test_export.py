import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from panfocus.cli import training
from panfocus.errors import OutputError, UsageError
from panfocus.io.digest import digest_of
from panfocus.systems.card import Card
from panfocus.systems.network import NetworkSystem
from panfocus.train import checkpoint, packing
from panfocus.train.drpl import config, step
from panfocus.train.drpl.network import HALO, Drpl, folded
from panfocus.train.drpl.pack import Exported, macs_per_pixel, pack
from panfocus.train.drpl.step import Learner
from panfocus.train.export import export
from panfocus.train.options import ExportOptions

from .drpl.test_network import noisy_norms


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    net = noisy_norms(Drpl(width=8, blocks=12))
    for block in net.blocks:  # keep random blocks from growing without bound
        block.norm2.weight.data.mul_(0.2)
    return net


def test_folding_the_normalisations_changes_nothing():
    torch.manual_seed(1)
    net = noisy_norms(Drpl(blocks=1))
    pair = torch.rand(2, 1, 3, 21, 22)
    assert torch.allclose(folded(net)(*pair), net(*pair), atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(net).modules())


def test_blocks_that_training_never_came_to_are_not_exported():
    torch.manual_seed(2)
    net = Drpl(width=8, blocks=4, zero_blocks=True).eval()
    torch.nn.init.ones_(net.blocks[1].norm2.weight)
    pair = torch.rand(2, 1, 3, 21, 22)
    assert len(folded(net).blocks) == folded(net).active == 1
    assert torch.allclose(folded(net)(*pair), net(*pair), atol=1e-6)
    assert len(net.blocks) == 4


def test_weights_sum_to_one_over_frames(net):
    with torch.no_grad():
        weights = Exported(net)(torch.rand(2, 3, 30, 40))
    assert weights.shape == (2, 30, 40)
    assert weights.min() >= 0
    assert torch.allclose(weights.sum(0), torch.ones(30, 40))


def test_tiles_with_the_halo_are_the_whole_and_without_it_are_not(net):
    frames = torch.rand(2, 3, 150, 50, dtype=torch.float64)
    wide = Exported(net.double())
    with torch.no_grad():
        whole = wide(frames)[:, 70:]
        exact = wide(frames[:, :, 70 - HALO :])[:, HALO:]
        cut = wide(frames[:, :, 70:])
    net.float()
    assert torch.allclose(exact, whole, atol=1e-12)
    assert (cut - whole).abs().max() > 1e-4


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("run")
    learner = Learner(config.BETTER)
    for block in learner.net.blocks:  # training came to all of them
        torch.nn.init.constant_(block.norm2.weight, 0.1)
    tensors = {f"average.{k}": v for k, v in learner.state_dict().items()}
    facts = {"system": "drpl", "step": 7, "seconds": 60.0, "seed": 0}
    facts["config"] = config.BETTER.to_dict()
    checkpoint.write(out / checkpoint.NAME, checkpoint.Checkpoint(tensors, facts))
    return out


def test_an_exported_run_decides_in_the_runtime_without_torch(a_run, tmp_path):
    folder = pack(a_run, tmp_path / "drpl-9", "made up", scores={"nothing": 1.0})
    assert {p.name for p in folder.iterdir()} == {"model.onnx", "model.safetensors", "card.json"}
    card = Card.read(folder / "card.json")
    assert card.halo == HALO
    assert card.max_frames == 2
    assert card.sha256 == digest_of(folder / "model.onnx")
    assert card.macs_per_pixel == macs_per_pixel(Drpl()) == 1_064_448
    assert card.recipe["steps"] == 7
    assert card.data == "made up"
    system = NetworkSystem(folder, threads=1)
    frames = np.random.default_rng(0).random((2, 61, 43, 3), dtype=np.float32)
    weights = system.decide(frames)
    swapped = system.decide(frames[::-1])
    assert weights.shape == (2, 61, 43)
    assert np.allclose(weights.sum(0), 1, atol=1e-6)
    assert np.allclose(swapped[::-1], weights, atol=1e-4)  # symmetric by construction


class Lying(torch.nn.Module):
    """Answers differently each time, so that no export can agree with it."""

    def __init__(self):
        super().__init__()
        self.shift = 0.0

    def forward(self, frames):
        self.shift += 0.1
        return frames.mean(1) + self.shift


def test_an_export_that_disagrees_is_refused(tmp_path):
    with pytest.raises(OutputError, match="differently"):
        export(Lying(), 2, {}, Card(name="x", title="x"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def invoke(*args):
    result = CliRunner().invoke(training.train, [str(a) for a in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_train_command_trains_and_exports_a_system(folder, tmp_path, monkeypatch):
    small = replace(config.BETTER, stages=(config.Stage(0.0, blocks=1, size=24, batch=2),))
    monkeypatch.setitem(config.RECIPES, "better", small)
    monkeypatch.setattr(step, "CALIBRATION_STEPS", 2)
    out = tmp_path / "run"
    options = ("drpl", "--data", folder, "--out", out, "--precision", "float32")
    result = invoke(*options, "--steps", 2)
    assert "4 pictures" in result.output
    assert json.loads((out / "system" / "card.json").read_text())["recipe"]["steps"] == 2
    with pytest.raises(UsageError, match="already"):
        invoke(*options, "--steps", 2)
    with pytest.raises(UsageError, match="how long"):
        invoke(*options, "--resume")
    wrong = invoke(*options[:-1], "int4", "--steps", 2)
    assert wrong.exit_code == 2
    assert "precision" in wrong.output


def test_a_single_value_of_the_recipe_can_be_changed_on_the_command_line(
    folder, tmp_path, monkeypatch
):
    small = replace(config.SHORT, stages=(config.Stage(0.0, blocks=1, size=24, batch=2),))
    monkeypatch.setitem(config.RECIPES, small.recipe, small)
    monkeypatch.setattr(step, "CALIBRATION_STEPS", 2)
    options = ("drpl", "--data", folder, "--precision", "float32", "--recipe", small.recipe)
    invoke(*options, "--out", tmp_path / "a", "--steps", 2, "--set", "loss.gradient=0")
    card = json.loads((tmp_path / "a" / "system" / "card.json").read_text())
    assert card["recipe"]["loss"]["gradient"] == 0
    assert card["recipe"]["loss"]["mask"] == 0.8
    assert "gradient_norm" in (head := (tmp_path / "a" / "log.csv").read_text().splitlines()[0])
    assert "gradient" not in head.split(",")  # a term that does not count is not reckoned
    told = json.loads((tmp_path / "a" / "run.json").read_text())
    assert len(told["data"]) == 4
    with pytest.raises(UsageError, match="no such value"):
        invoke(*options, "--out", tmp_path / "b", "--steps", 2, "--set", "loss.lights=0")
    with pytest.raises(UsageError, match="nobody teaches"):
        invoke(*options, "--out", tmp_path / "b", "--steps", 2, "--teacher", "drpl")


def test_export_command_knows_whose_run_it_is(a_run, tmp_path):
    given = ExportOptions(run=a_run, out=tmp_path / "system", data="d", scores=("pairs=41.5",))
    packing.export_run(given)
    assert (tmp_path / "system" / "model.onnx").exists()
    assert Card.read(tmp_path / "system" / "card.json").scores == {"pairs": 41.5}
    with pytest.raises(UsageError, match="a name and a number"):
        packing.export_run(replace(given, scores=("pairs",)))
    other = checkpoint.Checkpoint({}, {"system": "line"})
    checkpoint.write(tmp_path / checkpoint.NAME, other)
    with pytest.raises(UsageError, match="unknown system"):
        packing.export_run(replace(given, run=tmp_path))
