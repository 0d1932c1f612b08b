"""The examples that bring something of one's own to training: each trains a few steps."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

import panfocus  # noqa: E402
from panfocus.cli import training  # noqa: E402
from panfocus.errors import DataError, UsageError  # noqa: E402
from panfocus.train import checkpoint, own_data, pairs, pictures  # noqa: E402
from panfocus.train.dualpath import config, own, recipes  # noqa: E402
from panfocus.train.dualpath.iterate import Frames, Iterate, beginning  # noqa: E402
from panfocus.train.dualpath.model import Learner  # noqa: E402
from panfocus.train.dualpath.network import Shape  # noqa: E402
from panfocus.train.dualpath.step import Step, Unrolled  # noqa: E402
from panfocus.train.own_data import register_data  # noqa: E402
from tests.conftest import focal_stack, texture  # noqa: E402

SMALL = Shape((8, 8), (0,), (1,), (1,), narrow=8)
FLAT = Shape((8,), (), (), (), narrow=8)


def tiny():
    chosen = recipes.DUALPATH
    steps = tuple(replace(s, prior=FLAT, picture=8) for s in chosen.steps[:2])
    sets = (config.Sets(0.5, 2, 2), config.Sets(0.5, 2, 2, made=True))
    return replace(chosen, predictor=SMALL, steps=steps, sets=sets, size=48, alone=0.0)


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "dualpath", tiny())
    yield
    for name in [n for n in sys.modules if n.startswith("panfocus_plugin_")]:
        del sys.modules[name]
    for registry in (own.STEPS, own.TERMS, own_data.READERS):
        for name in list(registry):
            if name != own.BUILT_IN:
                registry.forget(name)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Two focal stacks of three frames: one in colour, one grey of 16 bits."""
    path = tmp_path_factory.mktemp("arrays")
    np.save(path / "one.npy", focal_stack(3, 120, 140)[0])
    grey = focal_stack(3, 120, 140, seed=1)[0][..., 0].astype(np.uint16) * 257
    np.save(path / "two.npy", grey)
    return path


@pytest.fixture
def example(request):
    return lambda name: str(request.config.rootpath / "examples" / name)


def call(app, *words):
    done = CliRunner().invoke(app, [str(w) for w in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def train(out, *words):
    common = ("--out", out, "--steps", 3, "--threads", 1, "--precision", "float32")
    return call(training.train, "dualpath", *common, *words)


def test_data_of_ones_own(example, stored, tmp_path):
    data = ("--plugin", example("own_data.py"), "--data", f"arrays:{stored}")
    told = train(tmp_path / "run", *data, "--no-validate")
    assert "2 sets of 6 frames" in told
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert list(run["plugins"]) == [example("own_data.py")]
    assert run["own_data"] == [f"arrays:{stored}"]
    with pytest.raises(DataError, match="no such folder of arrays"):
        pairs.load([Path("arrays:nowhere")], 48)


def test_a_step_of_ones_own_trains_exports_and_runs(example, stored, tmp_path):
    plugins = [w for n in ("step", "data") for w in ("--plugin", example(f"own_{n}.py"))]
    out = tmp_path / "run"
    train(out, *plugins, "--data", f"arrays:{stored}", "--set", "step=smoothed", "--no-validate")
    card = json.loads((out / "system/card.json").read_text())
    assert card["recipe"]["step"] == "smoothed"
    assert card["halo"] == min(128, sum(s.reach + 2 for s in tiny().steps))
    trained = checkpoint.best(out).group("average")
    assert any(name.endswith(".share") for name in trained)
    frames, _ = focal_stack(3)
    weights = panfocus.load_system(out / "system").decide(frames.astype(np.float32) / 255)
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-5)
    own.STEPS.forget("smoothed")
    with pytest.raises(UsageError, match=r"no unrolled step[\s\S]*--plugin"):
        call(training.export, out, "--out", tmp_path / "again")
    for name in [n for n in sys.modules if n.startswith("panfocus_plugin_")]:
        del sys.modules[name]
    words = ("--out", tmp_path / "again", "--plugin", example("own_step.py"))
    call(training.export, out, *words)
    assert (tmp_path / "again/model.onnx").is_file()


def test_a_loss_term_of_ones_own(example, stored, tmp_path):
    plugins = [w for n in ("loss", "data") for w in ("--plugin", example(f"own_{n}.py"))]
    out = tmp_path / "run"
    data = ("--data", f"arrays:{stored}", "--no-validate")
    train(out, *plugins, *data, "--set", "terms=decided=0.5")
    assert "decided" in (out / "log.csv").read_text().splitlines()[0]
    assert json.loads((out / "run.json").read_text())["config"]["terms"] == ["decided=0.5"]


def seen_of(mask):
    frames = torch.rand(1, mask.shape[1], 3, *mask.shape[2:])
    return own.Seen([Iterate(frames[:, 0], mask)], frames)


def test_the_example_of_a_term_wants_masks_that_choose(example):
    panfocus.plugins.load(example("own_loss.py"))
    term = own.TERMS.get("decided")
    hard = torch.zeros(1, 3, 8, 8)
    hard[:, 1] = 1
    even = torch.full((1, 3, 8, 8), 1 / 3, requires_grad=True)
    assert term(seen_of(hard)) == 0
    loss = term(seen_of(even))
    loss.backward()
    assert loss > 0.05 and even.grad.abs().sum() > 0


def test_the_example_of_a_step_keeps_masks_masks(example):
    panfocus.plugins.load(example("own_step.py"))
    step = own.STEPS.get("smoothed")(Unrolled(FLAT, ("frames",), 8))
    frames = Frames.of(torch.rand(1, 3, 3, 32, 32))
    with torch.no_grad():
        step.share.fill_(0.0)
        mask = step(*beginning(frames), frames, first=True)[0].mask
    torch.testing.assert_close(mask.sum(1), torch.ones(1, 32, 32))
    assert (mask >= 0).all()


def test_the_recipe_as_it_was_tells_nothing_of_ones_own():
    assert not {"step", "terms"} & recipes.DUALPATH.to_dict().keys()
    assert isinstance(Learner(tiny()).net.fuser.steps[0], Step)
    chosen = config.changed(tiny(), ["terms=a=1,b=2", "step=x"])
    assert chosen.terms == ("a=1", "b=2") and chosen.step == "x"
    assert config.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("terms=nobody=1", "no loss term of this name"),
        ("step=nobody", "no unrolled step of this name"),
    ],
)
def test_unknown_names_are_told(change, words):
    with pytest.raises(UsageError, match=words):
        Learner(config.changed(tiny(), [change]))


def test_terms_without_weights_are_told():
    own.register_term("mine")(lambda seen: seen.frames.mean())
    with pytest.raises(UsageError, match="NAME=WEIGHT"):
        own.terms_of(["mine"])
    with pytest.raises(UsageError, match="already"):
        own.register_term("known")(lambda seen: seen.frames.mean())


def test_readers_must_give_pictures():
    @register_data("odd")
    def odd(where):
        yield "scene", [np.zeros((8, 8), np.float32)]

    with pytest.raises(DataError, match="something else than pictures"):
        list(own_data.read(Path("odd:1")))
    with pytest.raises(DataError, match=r"reader: odd"):
        pairs.load([Path("add:1")], 48)


def test_drpl_takes_the_same_readers():
    @register_data("made")
    def made(where):
        for n in range(int(where)):
            yield f"{n}", [texture(200, 210, n)]

    held = pictures.load([Path("made:4")], 100)
    assert len(held.colour) == 4 and held.colour[0].shape == (200, 210, 3)
