"""Training, exporting, adapting: small networks, few steps, the real code."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.torch import load_file

torch = pytest.importorskip("torch")

from panfocus.cli import training  # noqa: E402
from panfocus.errors import DataError, UsageError  # noqa: E402
from panfocus.systems.card import Card  # noqa: E402
from panfocus.systems.network import NetworkSystem  # noqa: E402
from panfocus.train import checkpoint, loop, pairs  # noqa: E402
from panfocus.train.dualpath import adapt, config, recipes  # noqa: E402
from panfocus.train.dualpath.grow import grow  # noqa: E402
from panfocus.train.dualpath.model import DualPath  # noqa: E402
from panfocus.train.dualpath.network import Shape  # noqa: E402
from panfocus.train.dualpath.pack import averaged, pack  # noqa: E402
from panfocus.train.dualpath.task import DualPathTask, Supply  # noqa: E402

SMALL = Shape((8, 8), (0,), (1,), (1,), narrow=8)
FLAT = Shape((8,), (), (), (), narrow=8)
KINDS = ((0.7, 2, 2), (0.3, 3, 2))
RECIPES = ("paper", "dualpath")


def tiny(name):
    chosen = recipes.recipe(name)
    made = name == "dualpath"
    sets = tuple(config.Sets(*kind, made=made) for kind in KINDS)
    sets += (config.Sets(0.2, 2, 2),) if made else ()
    steps = tuple(replace(s, prior=FLAT, picture=8) for s in chosen.steps)
    return replace(chosen, predictor=SMALL, steps=steps, sets=sets, size=48)


@pytest.fixture(autouse=True)
def tiny_recipes(monkeypatch):
    for name in RECIPES:
        monkeypatch.setitem(recipes.RECIPES, name, tiny(name))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of pairs and a stack, made from pictures of scikit-image."""
    from skimage import data as images

    path = tmp_path_factory.mktemp("data")
    for name in ("astronaut", "coffee", "chelsea", "rocket", "cat"):
        picture = np.ascontiguousarray(getattr(images, name)()[60:200, 60:240, ::-1])
        blurred = cv2.GaussianBlur(picture, (0, 0), 2.5)
        for side, left, right in (("A", picture, blurred), ("B", blurred, picture)):
            (path / "pairs" / side).mkdir(parents=True, exist_ok=True)
            frame = np.concatenate((left[:, :90], right[:, 90:]), 1)
            cv2.imwrite(str(path / "pairs" / side / f"{name}.png"), frame)
    return path


def supply(data):
    return Supply.of(pairs.load([data], 64))


@pytest.mark.parametrize("name", RECIPES)
def test_a_few_steps_lower_the_loss(name, data):
    chosen = replace(recipes.recipe(name), alone=0.0, learning_rate=3e-3)
    task = DualPathTask(chosen, supply(data), seed=0)
    task.prepare(0.5)
    batch = [torch.as_tensor(a) for a in task.batch(1, 0.5, 0, 1)]  # crops with detail
    optimiser = torch.optim.AdamW(task.model.parameters(), 3e-3)
    values = []
    for _ in range(8):
        torch.manual_seed(0)
        terms = task.model(*batch)
        optimiser.zero_grad()
        terms["loss"].backward()
        optimiser.step()
        task.settle()
        values.append(terms["loss"].item())
    assert values[-1] < 0.95 * values[0]


@pytest.mark.parametrize("name", RECIPES)
def test_the_loop_trains_both_parts_and_goes_on_where_it_stopped(name, data, tmp_path):
    def run(out, steps, resume=False):
        task = DualPathTask(recipes.recipe(name), supply(data), seed=0)
        loop.train(task, loop.Run(out, steps=steps, resume=resume, precision="float32"))
        return task.model.state_dict()

    whole = run(tmp_path / "whole", 4)
    assert all(torch.isfinite(v).all() for v in whole.values())
    assert len(list((tmp_path / "whole/pictures").glob("*.png"))) == 1


def test_batches_are_split_over_processes_without_overlap(data):
    task = DualPathTask(recipes.recipe("dualpath"), supply(data), seed=0)
    whole = task.batch(5, 0.1, 0, 1)
    parts = [task.batch(5, 0.1, rank, 2) for rank in range(2)]
    for one, two, three in zip(whole, *parts, strict=True):
        assert np.array_equal(one, np.concatenate((two, three)))


def test_kinds_of_batches_come_as_often_as_said(data):
    task = DualPathTask(recipes.recipe("dualpath"), supply(data), seed=0)
    kinds = [task.maker().kind(step).frames for step in range(400)]
    assert 0.65 < np.mean(np.array(kinds) == 2) < 0.85
    made = [task.maker().kind(step).made for step in range(400)]
    assert 0.75 < np.mean(made) < 0.92


def test_the_paper_needs_pairs_and_says_so(data):
    lone = pairs.Material(singles=pairs.load([data], 64).pictures())
    with pytest.raises(DataError, match="no two frames"):
        DualPathTask(recipes.recipe("paper"), Supply.of(lone))
    task = DualPathTask(recipes.recipe("dualpath"), Supply.of(lone))
    assert all(kind.made for kind in task.config.sets)


def test_a_recipe_survives_json():
    for name in (*recipes.RECIPES, *recipes.ABLATIONS):
        chosen = recipes.recipe(name)
        assert config.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    with pytest.raises(UsageError, match="unknown Dual-Path recipe"):
        recipes.recipe("better")


@pytest.fixture
def app():
    return training.dualpath


def call(app, *arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_trains_exports_and_adapts(app, data, tmp_path):
    out = tmp_path / "run"
    told = call(app, "--data", data, "--out", out, "--steps", 2, "--threads", 1)
    assert "5 sets of 10 frames" in told
    system = NetworkSystem(out / "system")
    assert system.card.max_frames is None
    assert system.card.macs_per_pixel > 0
    for count in (2, 4):
        frames = np.random.default_rng(0).random((count, 37, 51, 3), np.float32)
        weights = system.decide(frames)
        assert weights.shape == (count, 37, 51)
        assert np.allclose(weights.sum(0), 1, atol=1e-4)
        assert weights.min() >= 0
    onward = tmp_path / "adapted"
    start = out / "system"
    told = call(app, "-d", data, "-o", onward, "--init", start, "--steps", 1, "--threads", 1)
    report = json.loads((onward / "report.json").read_text())
    kept = (onward / "system/model.onnx").read_bytes() == (start / "model.onnx").read_bytes()
    assert kept != report["helped"]
    assert "re-defocus consistency" in told
    assert told.count("held out:  redefocus_psnr") == 1
    assert report["held_out"] == "1 of 5 scenes"
    NetworkSystem(onward / "system")
    material = pairs.load([data], 64)
    bare = pack(out, tmp_path / "bare", "made up", depth=2, fitted_to=material)
    onward = tmp_path / "adapted2"
    call(app, "-d", data, "-o", onward, "--init", bare, "--steps", 1, "--threads", 1)
    kept = json.loads((onward / "report.json").read_text())["helped"] is False
    written = onward / ("rejected" if kept else "system")
    recipe = NetworkSystem(written).card.recipe
    assert recipe["unrolled_steps"] == 2
    assert recipe["eight_bit"] == 0  # flat priors have no blocks
    before, after = (load_file(f / "model.safetensors") for f in (bare, written))
    moved = {k for k in before if not torch.equal(before[k], after[k])}
    assert any(k.startswith("predictor.") for k in moved)
    assert any(k.startswith("net.fuser.") for k in moved)
    with pytest.raises(UsageError, match="another recipe"):
        call(
            app, "-d", data, "-o", tmp_path / "z", "--init", bare, "--recipe", "paper", "--steps", 1
        )


def test_a_run_is_not_overwritten_and_needs_an_end(app, data, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match="already"):
        call(app, "-d", data, "-o", tmp_path, "--steps", 1)
    with pytest.raises(UsageError, match="how long"):
        call(app, "-d", data, "-o", tmp_path)
    with pytest.raises(UsageError, match="no system to start from"):
        call(app, "-d", data, "-o", tmp_path / "new", "--steps", 1, "--init", tmp_path)


def measured(psnr, error):
    return adapt.MeasuredGain(psnr, error)


@pytest.mark.parametrize(
    ("after", "helped"),
    [((41, 0.1), True), ((40, 0.1), False), ((41, 0.2), False), ((39, 0.05), False)],
)
def test_the_old_system_is_kept_unless_the_new_one_is_better(after, helped):
    report = adapt.AdaptingReport(measured(40, 0.1), measured(*after), "a set")
    assert report.helped is helped
    assert ("kept" in report.text()) is not helped


def test_a_gain_within_the_scatter_of_its_draws_is_no_gain():
    before = adapt.MeasuredGain(40.0, None, (40.0, 40.0))
    even = adapt.AdaptingReport(before, adapt.MeasuredGain(40.2, None, (40.2, 40.2)), "a set")
    uneven = adapt.AdaptingReport(before, adapt.MeasuredGain(40.2, None, (41.4, 39.0)), "a set")
    assert even.helped
    assert even.doubt == 0
    assert uneven.doubt == pytest.approx(1.2)
    assert not uneven.helped


def test_held_out_material_is_never_trained_on(data):
    material = pairs.load([data], 64)
    training, held, _ = adapt.split(material, 64)
    assert {s.name for s in training.sets}.isdisjoint({s.name for s in held.sets})
    few = pairs.Material(material.sets[:2])
    left, right, words = adapt.split(few, 64)
    widths = [m.sets[0].frames[0].shape[1] for m in (left, right)]
    assert sum(widths) == 180
    assert min(widths) >= 64
    assert words == f"the right {100 * widths[1] / 180:.0f} % of every frame"


def test_frames_that_fit_no_others_are_held_out_with_their_scene():
    """Six of eight frames of a held-out scene were trained on: they fitted no other."""
    frames = [np.full((70, 70, 3), n, np.uint8) for n in range(10)]
    material = pairs.Material(
        [pairs.FocalSet(str(n), frames[n : n + 2]) for n in range(5)],
        [frames[7], frames[8], frames[9]],
        ["4", "4", "other"],
    )
    training, held, words = adapt.split(material, 64)
    assert set(held.scene_names) == {"4"}
    assert len(held.pictures()) == 4
    assert "4" not in training.scene_names
    assert words == "1 of 6 scenes"


def test_frames_too_narrow_to_hold_anything_out_are_refused():
    """They trained and judged before."""
    narrow = [np.zeros((200, 120, 3), np.uint8)] * 2
    material = pairs.Material([pairs.FocalSet("one", narrow)])
    with pytest.raises(DataError, match="nothing to hold out"):
        adapt.split(material, 64)


def test_measuring_twice_gives_the_same(data):
    task = DualPathTask(recipes.recipe("dualpath"), supply(data), seed=0)
    material = pairs.load([data], 64)
    one, two = (adapt.measure(task.net, task.config, material, 2) for _ in range(2))
    assert one == two


def grown(shape):
    """The recipe with a first step of this shape, whose prior answers something."""
    chosen = tiny("dualpath")
    first = replace(chosen.steps[0], prior=shape)
    return replace(chosen, steps=(first, *chosen.steps[1:]))


def awake(net):
    for step in net.fuser.steps:
        torch.nn.init.normal_(step.mask_prior.head.weight, std=0.2)
    return net


def test_a_grown_network_answers_as_the_small_one_did():
    small = grown(Shape((8, 8), (0,), (1,), (1,), narrow=8))
    large = grown(Shape((12, 16), (1,), (2,), (1, 2), narrow=10))
    torch.manual_seed(0)
    one, other = awake(DualPath(small)).eval(), awake(DualPath(large)).eval()
    frames = torch.rand(2, 3, 3, 32, 48)
    with torch.no_grad():
        wanted = one(frames)
        assert (other(frames)[1].mask - wanted[1].mask).abs().max() > 1e-3
        grow(other, one.state_dict())
        for now, before in zip(other(frames), wanted, strict=True):
            assert torch.allclose(now.mask, before.mask, atol=1e-5)
        with pytest.raises(UsageError, match="smaller"):
            grow(one, other.state_dict())


def test_what_is_new_in_a_grown_network_learns():
    torch.manual_seed(0)
    small = DualPath(grown(Shape((8, 8), (0,), (1,), (1,), narrow=8)))
    net = DualPath(grown(Shape((12, 16), (1,), (2,), (1, 2), narrow=10)))
    grow(net, awake(small).state_dict())
    net(torch.rand(1, 2, 3, 32, 32))[1].mask.square().sum().backward()
    prior = net.fuser.steps[0].mask_prior
    assert prior.encoder[0][0].second.weight.grad.abs().max() > 0
    assert prior.head.weight.grad[:, 8:].abs().max() > 0


def test_the_command_grows_what_was_trained(app, data, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="nothing to grow"):
        call(app, "-d", data, "-o", tmp_path / "x", "--steps", 1, "--grow")
    call(app, "-d", data, "-o", tmp_path / "one", "--steps", 1, "--threads", 1)
    larger = grown(Shape((10,), (), (), (), narrow=10))
    monkeypatch.setitem(recipes.RECIPES, "dualpath", larger)
    start = tmp_path / "one/system"
    args = ("--init", start, "--grow", "--steps", 1, "--threads", 1)
    call(app, "-d", data, "-o", tmp_path / "two", *args)
    before, after = (load_file(f / "model.safetensors") for f in (start, tmp_path / "two/system"))
    name = "net.fuser.steps.0.mask_prior.stem.conv.weight"
    # one step of a small rate from the old weights, and not from new ones
    assert torch.allclose(before[name], after[name][:8], atol=0.02)


@pytest.mark.parametrize("sees", [("evidence",), ("frames", "evidence"), ("iterate", "evidence")])
def test_a_step_may_be_shown_focus_evidence(sees, data, tmp_path):
    chosen = tiny("dualpath")
    steps = tuple(replace(s, sees=sees) for s in chosen.steps)
    task = DualPathTask(replace(chosen, steps=steps), supply(data), seed=0)
    loop.train(task, loop.Run(tmp_path, steps=2, precision="float32"))
    system = NetworkSystem(pack(tmp_path, tmp_path / "system", "made up"))
    frames = np.random.default_rng(0).random((3, 40, 52, 3), np.float32)
    assert np.allclose(system.decide(frames).sum(0), 1, atol=1e-4)


def test_a_run_is_judged_on_held_out_material_as_it_goes(data, tmp_path, capsys):
    training, held, _ = adapt.split(pairs.load([data], 64), 64)
    task = DualPathTask(tiny("dualpath"), Supply.of(training), 0, held)
    average = {k: v.clone() for k, v in task.model.state_dict().items()}
    figures = task.judge(average)
    assert figures["redefocus_psnr"] > 10
    assert 0 <= figures["disagreement"] <= 1
    loop.train(task, loop.Run(tmp_path, steps=3, precision="float32", judge_minutes=0))
    lines = [line for line in capsys.readouterr().out.splitlines() if "held out:" in line]
    assert len(lines) == 4
    assert "(+0)" in lines[0]


def test_sharper_masks_are_a_power_of_the_learned_ones_and_leave_the_weights(data, tmp_path):
    loop.train(DualPathTask(tiny("dualpath"), supply(data)), loop.Run(tmp_path, steps=2))
    plain, sharp = (pack(tmp_path, tmp_path / f"x{by}", "made up", sharpen=by) for by in (1, 2))
    frames = np.random.default_rng(0).random((3, 32, 48, 3), np.float32)
    squared = NetworkSystem(plain).decide(frames) ** 2
    expected = squared / squared.sum(0)
    np.testing.assert_allclose(NetworkSystem(sharp).decide(frames), expected, atol=1e-4)
    held = [(folder / "model.safetensors").read_bytes() for folder in (plain, sharp)]
    assert held[0] == held[1]
    assert [Card.read(f / "card.json").recipe.get("sharpened") for f in (plain, sharp)] == [None, 2]


def test_fewer_steps_may_run_and_no_more_than_there_are(data, tmp_path):
    loop.train(DualPathTask(tiny("dualpath"), supply(data)), loop.Run(tmp_path, steps=2))
    whole, one = (pack(tmp_path, tmp_path / f"x{d}", "made up", depth=d) for d in (None, 1))
    cards = [Card.read(f / "card.json") for f in (whole, one)]
    assert [c.recipe["unrolled_steps"] for c in cards] == [3, 1]
    assert cards[1].macs_per_pixel < cards[0].macs_per_pixel
    with pytest.raises(UsageError, match="fewer steps"):
        pack(tmp_path, tmp_path / "y", "made up", depth=4)


@pytest.mark.parametrize("name", RECIPES)
def test_an_export_holds_the_unrolled_steps_and_both_paths_are_kept(name, data, tmp_path):
    """The graph that runs is the fuser's; what teaches is kept to train on, and does not run."""
    import onnx

    loop.train(DualPathTask(tiny(name), supply(data)), loop.Run(tmp_path, steps=2))
    folder = pack(tmp_path, tmp_path / "x", "made up")
    graph = onnx.load(folder / "model.onnx").graph
    held = {i.name for i in graph.initializer}
    for k in range(3):
        assert any(f"steps.{k}." in n for n in held), held
    assert not any("predictor" in n for n in held)
    kept = load_file(folder / "model.safetensors")
    assert any(n.startswith("predictor.") for n in kept)
    assert any(n.startswith("net.fuser.") for n in kept)
    card = Card.read(folder / "card.json")
    assert card.name == ("dualpath-paper" if name == "paper" else "dualpath")
    assert card.recipe["unrolled_steps"] == 3
    assert card.recipe["masking"]["mask"] > 0


def test_the_fusers_own_picture_can_be_exported(data, tmp_path):
    loop.train(DualPathTask(tiny("dualpath"), supply(data)), loop.Run(tmp_path, steps=2))
    folder = pack(tmp_path, tmp_path / "x", "made up", picture=True)
    assert {p.name for p in folder.iterdir()} == {"model.onnx", "card.json"}
    card = Card.read(folder / "card.json")
    assert (card.name, card.kind) == ("dualpath-picture", "picture")


def test_restoring_gives_the_fusers_own_picture(data, tmp_path):
    """The blend at full scale and what the exported prior adds are X^K, but for rounding."""
    import panfocus

    task = DualPathTask(tiny("dualpath"), supply(data))
    for number, now in enumerate(task.net.fuser.steps):
        now.picture_prior.head.weight.data.normal_(std=0.02 * (number + 1))
    loop.train(task, loop.Run(tmp_path, steps=1))
    folder = pack(tmp_path, tmp_path / "x", "made up")
    _, net = averaged(checkpoint.read(tmp_path / checkpoint.NAME))
    frames = np.random.default_rng(0).random((3, 48, 64, 3), np.float32)
    with torch.no_grad():
        last = net(torch.as_tensor(frames.transpose(0, 3, 1, 2))[None])[-1]
    blend = (last.mask[0, :, None] * torch.as_tensor(frames.transpose(0, 3, 1, 2))).sum(0)
    options = {"system": folder, "void": "off", "guard": "off", "maps": False}
    chosen, made = (
        panfocus.fuse(frames, mode=mode, **options).image.transpose(2, 0, 1)
        for mode in ("blend", "restore")
    )
    expected = last.picture[0].clamp_min(0).numpy()
    assert np.abs(blend.numpy() - expected).max() > 0.01
    assert np.abs(chosen - blend.numpy()).max() < 2e-3
    assert np.abs(made - expected).max() < 5e-3
    one = pack(tmp_path, tmp_path / "one", "made up", depth=1)
    assert Card.read(one / "card.json").restores is None
    bare = pack(tmp_path, tmp_path / "bare", "made up", restorer=False)
    assert Card.read(bare / "card.json").restores is None
    assert sorted(p.name for p in bare.iterdir()) == sorted(p.name for p in one.iterdir())


def test_the_bundled_system_can_be_adapted(app, data, tmp_path):
    out = tmp_path / "mine"
    larger = tmp_path / "data"
    for path in data.rglob("*.png"):
        target = larger / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), cv2.resize(cv2.imread(str(path)), None, fx=1.2, fy=1.2))
    told = call(app, "-d", larger, "-o", out, "--init", "bundled", "--steps", 1, "--threads", 1)
    assert "held out:  redefocus_psnr" in told
    facts = checkpoint.read(out / checkpoint.NAME).facts["config"]
    assert facts["masking"]["mask"] == recipes.DUALPATH.masking.mask  # and no remark of the card's
    assert (out / "report.json").is_file()
    assert (out / "system/card.json").is_file()
