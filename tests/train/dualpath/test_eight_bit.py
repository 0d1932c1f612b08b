"""Networks in whole numbers of 8 bits: the rounding, what stays float, the files."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from skimage import data as images  # noqa: E402

from panfocus.errors import UsageError  # noqa: E402
from panfocus.systems.card import Card  # noqa: E402
from panfocus.systems.network import NetworkSystem  # noqa: E402
from panfocus.train import checkpoint, loop, pairs  # noqa: E402
from panfocus.train.dualpath import config, eight_bit, recipes  # noqa: E402
from panfocus.train.dualpath.blocks import ResidualBlock  # noqa: E402
from panfocus.train.dualpath.eight_bit import HEAVIEST, Levels, RoundedBlock  # noqa: E402
from panfocus.train.dualpath.model import DualPath  # noqa: E402
from panfocus.train.dualpath.network import Shape  # noqa: E402
from panfocus.train.dualpath.pack import pack  # noqa: E402
from panfocus.train.dualpath.step import Unrolled  # noqa: E402
from panfocus.train.dualpath.task import DualPathTask, Supply  # noqa: E402
from panfocus.train.options import ExportOptions  # noqa: E402
from panfocus.train.packing import export_run  # noqa: E402

NAMES = ("astronaut", "coffee", "chelsea", "rocket")
CONVOLUTIONS = 4


def tiny():
    shape = Shape((8, 8), (0,), (1,), (1,), narrow=8)
    flat = Shape((8,), (), (), (), narrow=8)
    steps = (Unrolled(shape, ("frames",), 8), Unrolled(flat, ("iterate",), 8))
    sets = (config.Sets(1.0, 2, 2, made=True),)
    chosen = recipes.recipe("dualpath")
    return replace(chosen, predictor=flat, steps=steps, sets=sets, size=48)


@pytest.fixture(scope="module")
def material():
    pictures = [np.ascontiguousarray(getattr(images, n)()[60:200, 60:240]) for n in NAMES]
    return pairs.Material(singles=pictures)


@pytest.fixture(scope="module")
def run(material, tmp_path_factory):
    """The folder of a short training."""
    out = tmp_path_factory.mktemp("run")
    task = DualPathTask(replace(tiny(), fused_by=None), Supply.of(material), seed=0)
    loop.train(task, loop.Run(out, steps=6, precision="float32"))
    return out


def watched(values):
    levels = Levels()
    levels(values)
    levels.settle()
    return levels


def test_levels_are_256_with_0_among_them_and_leave_out_one_in_ten_thousand():
    values = torch.linspace(-1, 3, 40_001)
    values[7] = 1e6
    values = values.view(1, 1, 1, -1)
    levels = watched(values)
    rounded = levels(values)
    step = float(levels.step)
    assert step == pytest.approx(4 / 255, rel=1e-3)
    assert len(rounded.unique()) <= 256
    assert (rounded - values)[..., 1000:].abs().max() <= 0.51 * step
    assert rounded[..., 7] == rounded.max()
    assert levels(torch.zeros(3)).eq(0).all()


def test_levels_leave_what_they_watch_as_it_is():
    values = torch.randn(2, 3, 4, 5)
    assert torch.equal(Levels()(values), values)


def test_channels_that_range_unevenly_are_evened_out():
    wide = torch.rand(1, 3, 50, 50) * torch.tensor([1.0, 20.0, 400.0])[:, None, None]
    for values, extents in ((wide, [1, 20, 400]), (wide[:, :2] * torch.tensor(0.5), [0.5, 10])):
        levels = Levels()
        levels(values)
        assert torch.allclose(
            levels.even_out(), torch.tensor(extents, dtype=torch.float32), rtol=0.02
        )
        levels.settle()
        assert float(levels.step) == pytest.approx(1 / 255, rel=0.02)
    alike = Levels()
    alike(wide[:, 1:2].repeat(1, 3, 1, 1))
    assert alike.even_out() is None


def test_two_products_of_a_level_and_a_weight_fit_16_bits():
    """Processors without VNNI add such pairs in 16 bits and stop at the largest number."""
    conv = torch.nn.Conv2d(3, 5, 3, padding=1)
    weight = conv.weight.detach()
    delta = torch.zeros(1, 3, 3, 3)
    seen = []
    for channel in range(3):
        delta.zero_()
        delta[0, channel, 1, 1] = 1
        answer = eight_bit.by_rounded_weights(conv, delta) - conv.bias[:, None, None]
        seen.append(answer[0].flip(-1, -2))
    rounded = torch.stack(seen, 1).detach()
    steps = weight.abs().amax((1, 2, 3), keepdim=True) / HEAVIEST
    whole = rounded / steps
    assert (whole - whole.round()).abs().max() < 1e-3
    assert (rounded - weight).abs().max() <= 0.51 * steps.max()
    assert 2 * 255 * whole.round().abs().max() < 2**15


def a_net(seed=0):
    torch.manual_seed(seed)
    net = DualPath(tiny()).eval()
    for parameter in net.fuser.steps[0].mask_prior.head.parameters():
        torch.nn.init.normal_(parameter)  # masks of new networks are all even
    return net


@pytest.fixture
def samples(material):
    return eight_bit.samples_of(material, tiny())


def test_samples_are_the_same_each_time_and_of_several_sizes(material, samples):
    again = eight_bit.samples_of(material, tiny())
    assert all(torch.equal(a, b) for a, b in zip(samples, again, strict=True))
    assert {len(s) for s in samples} == {2, 3, 5, 8}
    assert all(s.shape[1:] == (3, 48, 48) for s in samples)


def test_a_rounded_network_answers_nearly_as_before(samples):
    net = a_net()
    small = eight_bit.rounded(net, samples)
    assert eight_bit.count_rounded(small) == CONVOLUTIONS
    frames = samples[0].unsqueeze(0)
    with torch.no_grad():
        one, two = net(frames)[-1].mask, small(frames)[-1].mask
    assert torch.allclose(two.sum(1), torch.ones(1, 48, 48), atol=1e-5)
    assert 0 < (one - two).abs().max()
    assert (one - two).abs().mean() < 0.02
    assert (one - two).abs().mean() < 0.1 * (one - 0.5).abs().mean()


def test_what_changes_pictures_too_much_stays_float(samples, monkeypatch):
    """One output of a block ranges far, so that steps between levels are wide for the others."""
    net = a_net()
    wide = net.fuser.steps[0].mask_prior.decoder[0][0].second
    with torch.no_grad():
        wide.weight.mul_(30)
        wide.weight[0].mul_(300)
        net.fuser.steps[0].mask_prior.head.weight[:, 0] = (
            0  # what ranges far is not what is answered
        )
    evened = eight_bit.rounded(net, samples)
    assert eight_bit.count_rounded(evened) == CONVOLUTIONS
    frames = samples[0].unsqueeze(0)
    with torch.no_grad():
        assert (evened(frames)[-1].mask - net(frames)[-1].mask).abs().mean() < 0.02
    monkeypatch.setattr(eight_bit, "UNEVEN", 1e9)
    small = eight_bit.rounded(net, samples)
    block = small.fuser.steps[0].mask_prior.decoder[0][0]
    assert isinstance(block, RoundedBlock)
    assert block.rounds["second"] is False
    assert small.fuser.steps[0].mask_prior.bottom[0].rounds == {"first": True, "second": True}
    monkeypatch.setattr(eight_bit, "MOST_CHANGE", 1e9)
    assert eight_bit.count_rounded(eight_bit.rounded(net, samples)) == CONVOLUTIONS
    monkeypatch.setattr(eight_bit, "MOST_CHANGE", -1.0)
    exact = eight_bit.rounded(net, samples)
    assert eight_bit.count_rounded(exact) == 0
    with torch.no_grad():
        assert torch.allclose(exact(frames)[-1].mask, net(frames)[-1].mask, atol=1e-5)


def test_the_network_given_is_left_as_it_was(samples):
    net = a_net()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    eight_bit.rounded(net, samples)
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert sum(isinstance(m, ResidualBlock) for m in net.modules()) == CONVOLUTIONS / 2


def test_an_export_works_in_bytes_and_keeps_the_weights_it_was_made_of(run, material, tmp_path):
    exact = pack(run, tmp_path / "exact", "made up")
    small = pack(run, tmp_path / "small", "made up", fitted_to=material)
    held = [(folder / "model.safetensors").read_bytes() for folder in (exact, small)]
    assert held[0] == held[1]
    cards = [Card.read(folder / "card.json") for folder in (exact, small)]
    assert "eight_bit" not in cards[0].recipe
    assert cards[1].recipe["eight_bit"] == CONVOLUTIONS
    assert cards[0].macs_per_pixel == cards[1].macs_per_pixel
    assert operators(small / "model.onnx", tmp_path)["QLinearConv"] == CONVOLUTIONS
    assert "QLinearConv" not in operators(exact / "model.onnx", tmp_path)
    frames = np.random.default_rng(0).random((3, 40, 52, 3), np.float32)
    one, two = (NetworkSystem(folder).decide(frames) for folder in (exact, small))
    assert np.allclose(two.sum(0), 1, atol=1e-4)
    assert np.abs(one - two).mean() < 0.02


def operators(model, folder):
    """Count what a session makes of a file; the file itself uses standard operators only."""
    assert {n.domain for n in onnx.load(model).graph.node} == {""}
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "seen.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    kinds = [n.op_type for n in onnx.load(folder / "seen.onnx").graph.node]
    return {kind: kinds.count(kind) for kind in kinds}


def test_a_picture_is_made_in_floats(run, material, tmp_path):
    with pytest.raises(UsageError, match="in floats"):
        pack(run, tmp_path / "x", "made up", picture=True, fitted_to=material)


def test_the_command_fits_a_system_to_a_folder(run, tmp_path):
    from PIL import Image

    for n, name in enumerate(NAMES[:2]):
        (tmp_path / "data" / name).mkdir(parents=True)
        for side in "ab":
            picture = getattr(images, name)()[40 + n : 240 + n, :200]
            Image.fromarray(picture).save(tmp_path / "data" / name / f"{side}.png")
    data = tmp_path / "data"
    given = ExportOptions(run=run, out=tmp_path / "system", data="made up", eight_bit=(data,))
    export_run(given)
    card = Card.read(tmp_path / "system/card.json")
    assert card.recipe["eight_bit"] == CONVOLUTIONS
    assert checkpoint.read(run / checkpoint.NAME).facts["config"]["size"] == 48
