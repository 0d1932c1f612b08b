"""What a run was, going on as it was, its best weights, and averages of several."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from panfocus.errors import DataError, UsageError  # noqa: E402
from panfocus.train import checkpoint, loop, record, resume  # noqa: E402
from panfocus.train.average import average  # noqa: E402
from panfocus.train.distributed import Team, positions_of  # noqa: E402
from panfocus.train.dualpath import config, recipes  # noqa: E402


class Task:
    """Learns one number; what it is judged by can be told."""

    learning_rate, weight_decay, clip, ema = 0.1, 0.0, 1.0, 0.0

    def __init__(self, seed=0, figures=()):
        self.model = torch.nn.Linear(1, 1)
        forward = self.model.forward
        self.model.forward = lambda x: {"loss": forward(x).square().mean()}
        self.seed, self._figures = seed, list(figures)

    def batch(self, step, progress, rank, world):
        return (np.ones((2, 1), np.float32),)

    def rate(self, progress):
        return 1.0

    def prepare(self, progress):
        return False

    def settle(self):
        pass

    def picture(self, model):
        return np.zeros((4, 4, 3), np.uint8)

    def facts(self):
        return {"system": "one", "seed": self.seed, "config": {"odds": {"lights": (0.1, 0.2)}}}

    def judge(self, average):
        return {"psnr": self._figures.pop(0)} if self._figures else {}


def run(out, **options):
    return loop.Run(out, **{"steps": 3, "precision": "float32", "report_seconds": 0, **options})


def test_a_run_tells_what_it_was(tmp_path):
    loop.train(Task(), run(tmp_path, notes={"data": {"a.png": "00"}}))
    told = json.loads((tmp_path / record.NAME).read_text())
    assert told["seed"] == 0
    assert told["world"] == 1
    assert told["data"] == {"a.png": "00"}
    assert told["precision"]["name"] == "float32"
    assert {"panfocus", "torch", "python", "numpy"} <= told["sessions"][0]["versions"].keys()
    assert told["sessions"][0]["command"]
    loop.train(Task(), run(tmp_path, steps=4, resume=True))
    told = json.loads((tmp_path / record.NAME).read_text())
    assert len(told["sessions"]) == 2
    assert told["sessions"][1]["seconds_before"] >= 0


@pytest.mark.parametrize("changed", ["seed", "odds"])
def test_a_run_is_not_resumed_by_another_recipe_or_seed(tmp_path, changed):
    loop.train(Task(), run(tmp_path))
    before = (tmp_path / checkpoint.NAME).read_bytes()
    other = Task(seed=1) if changed == "seed" else Task()
    if changed == "odds":
        other.facts = lambda: {
            "system": "one",
            "seed": 0,
            "config": {"odds": {"lights": (0.1, 0.3)}},
        }
    with pytest.raises(UsageError, match="begun otherwise") as told:
        loop.train(other, run(tmp_path, steps=5, resume=True))
    assert changed in told.value.where
    assert (tmp_path / checkpoint.NAME).read_bytes() == before
    loop.train(Task(), run(tmp_path, steps=5, resume=True))


def test_a_resumed_run_keeps_its_number_format_and_does_not_ask_the_clock(tmp_path, monkeypatch):
    loop.train(Task(), run(tmp_path, precision="bfloat16"))
    monkeypatch.setattr(resume, "fastest", lambda device: pytest.fail("the clock was asked"))
    loop.train(Task(), run(tmp_path, steps=5, resume=True, precision="auto"))
    assert checkpoint.read(tmp_path / checkpoint.NAME).facts["precision"]["name"] == "bfloat16"


def test_processes_that_cannot_share_a_batch_are_refused():
    assert [list(positions_of(6, rank, 3)) for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(UsageError, match="shared evenly"):
        positions_of(8, 0, 3)
    with pytest.raises(UsageError, match="shared evenly"):
        positions_of(2, 0, 4)


def test_the_best_weights_on_what_was_held_out_are_kept_and_used(tmp_path):
    task = Task(figures=[30.0, 35.0, 33.0, 34.0])
    loop.train(task, run(tmp_path, judge_minutes=0))
    best = checkpoint.best(tmp_path)
    assert best.facts["held_out"] == {"psnr": 35.0}
    assert best.facts["step"] == 2
    last = checkpoint.read(tmp_path / checkpoint.NAME)
    assert last.facts["step"] == 3
    assert not torch.equal(best.group("average")["weight"], last.group("average")["weight"])
    # on resuming, only what is better than that replaces it
    loop.train(Task(figures=[34.9] * 5), run(tmp_path, steps=5, resume=True, judge_minutes=0))
    assert checkpoint.best(tmp_path).facts["step"] == 2


def test_without_judging_the_last_weights_are_the_best(tmp_path):
    loop.train(Task(), run(tmp_path))
    assert checkpoint.best(tmp_path).facts["step"] == 3


def test_an_average_is_the_weighted_mean_of_runs(tmp_path):
    weights = []
    for n in range(2):
        torch.manual_seed(n)
        loop.train(Task(), run(tmp_path / str(n)))
        weights.append(checkpoint.read(tmp_path / str(n) / checkpoint.NAME).group("average"))
    average({tmp_path / "0": 3, tmp_path / "1": 1}, tmp_path / "mean")
    held = checkpoint.read(tmp_path / "mean" / checkpoint.NAME)
    for name, value in held.group("average").items():
        expected = 0.75 * weights[0][name] + 0.25 * weights[1][name]
        assert torch.allclose(value, expected, atol=1e-6)
    assert held.facts["averaged"] == {"0": 0.75, "1": 0.25}
    with pytest.raises(UsageError, match="already"):
        average({tmp_path / "0": 3, tmp_path / "1": 1}, tmp_path / "mean")
    with pytest.raises(UsageError, match="nothing to average"):
        average({tmp_path / "0": 1}, tmp_path / "x")


def test_runs_of_different_networks_have_no_average(tmp_path):
    loop.train(Task(), run(tmp_path / "0"))
    other = Task()
    other.model = torch.nn.Linear(1, 2)
    forward = other.model.forward
    other.model.forward = lambda x: {"loss": forward(x).square().mean()}
    loop.train(other, run(tmp_path / "1"))
    with pytest.raises(UsageError, match="different networks"):
        average({tmp_path / "0": 1, tmp_path / "1": 1}, tmp_path / "x")


def test_a_graphics_card_that_is_not_there_is_told():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(UsageError, match="no graphics card"):
        Team.join("cuda")
    assert Team.join("cpu").device.type == "cpu"


# --- recipes by value and by file -----------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("odds.fluorescent=0.3", 0.3),
        ("learning_rate=5e-4", 5e-4),
        ("masking.guide=none", "none"),
        ("masking.cross=false", False),
        ("size=96", 96),
        ("alone=0", 0.0),
        ("masking.windows=[5, 9]", (5, 9)),
    ],
)
def test_single_values_of_a_recipe_can_be_changed(setting, value):
    chosen = config.changed(recipes.DUALPATH, [setting])
    *path, last = setting.partition("=")[0].split(".")
    place = chosen
    for part in path:
        place = getattr(place, part)
    assert getattr(place, last) == value
    assert chosen != recipes.DUALPATH


@pytest.mark.parametrize(
    "setting",
    ["odds.light=0.3", "odds=0.3", "nothing", "size=large", "masking.cross=1.5", "a.b.c=1"],
)
def test_what_a_recipe_does_not_have_is_refused(setting):
    with pytest.raises(UsageError, match="recipe"):
        config.changed(recipes.DUALPATH, [setting])


def test_a_recipe_is_read_from_a_run_or_a_card(tmp_path):
    chosen = replace(recipes.PAPER, size=64)
    for name, told in (
        ("run.json", {"config": chosen.to_dict(), "seed": 1}),
        ("card.json", {"recipe": {"seed": 3, "unrolled_steps": 2, **chosen.to_dict()}}),
    ):
        (tmp_path / name).write_text(json.dumps(told))
        assert recipes.recipe_from(None, tmp_path / name) == chosen
    with pytest.raises(UsageError, match="named or read"):
        recipes.recipe_from("paper", tmp_path / "run.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(DataError, match="no recipe"):
        recipes.recipe_from(None, tmp_path / "bad.json")
