"""Recipes, checkpoints, weights, folders of others: refused in words, or passed over."""

import json
import os
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save  # noqa: E402

from panfocus.errors import DataError, OutputError, UsageError  # noqa: E402
from panfocus.schema import SchemaError  # noqa: E402
from panfocus.systems.card import Card  # noqa: E402
from panfocus.train import checkpoint, export, found, packing, places, record, system_files  # noqa: E402
from panfocus.train.board import Board, append_whole  # noqa: E402
from panfocus.train.drpl import config as drpl  # noqa: E402
from panfocus.train.dualpath import config, recipes  # noqa: E402
from panfocus.train.dualpath.model import deployed  # noqa: E402
from panfocus.train.dualpath.pack import pack  # noqa: E402
from panfocus.train.facts import facts_of  # noqa: E402
from panfocus.train.log import Log  # noqa: E402
from panfocus.train.options import DrplOptions, DualPathOptions  # noqa: E402
from panfocus.train.shelf import Shelf  # noqa: E402
from panfocus.train.weights import read_tensors  # noqa: E402

NONE = ("NaN", "nan", "Infinity", "-Infinity", "1e999", "9" * 400, "[" * 3000, "-1")


@pytest.mark.parametrize("value", NONE)
@pytest.mark.parametrize("key", ["odds.lights", "masking.dropout", "learning_rate", "size", "clip"])
def test_a_recipe_takes_no_value_that_cannot_be(key, value):
    with pytest.raises(UsageError, match="recipe"):
        config.changed(recipes.DUALPATH, [f"{key}={value}"])


@pytest.mark.parametrize(
    "setting",
    ["masking.measures=sml,nothing", "masking.measures=[]", "masking.windows=0,5", "size=0",
     "masking.windows=[null]", "odds.radius=5,1", "odds.radius=1", "odds.radius=nan,nan",
     "masking.guide=both", "alone=1", "warmup=1", "fused_by=3", "odds.lights=true", "ema=1.5"],
)  # fmt: skip
def test_a_recipe_s_values_fit_each_other(setting):
    with pytest.raises(UsageError, match="recipe") as caught:
        config.changed(recipes.DUALPATH, [setting])
    assert caught.value.expected


@pytest.mark.parametrize("setting", ["loss.mask=NaN", "ema=2", "warmup=1e999", "decay=never"])
def test_a_recipe_of_drpl_is_held_to_its_bounds(setting):
    with pytest.raises(UsageError, match="recipe"):
        drpl.changed(drpl.BETTER, [setting])


def spoilt(change):
    told = json.loads(json.dumps(recipes.DUALPATH.to_dict()))
    change(told)
    return told


ODD_RECIPES = [
    lambda told: told.pop("predictor"),
    lambda told: told["steps"].clear(),
    lambda told: told["steps"][0].pop("prior"),
    lambda told: told["steps"][0].update(sees=[]),
    lambda told: told["steps"][1].update(sees="frames"),
    lambda told: told["sets"].__setitem__(0, "x"),
    lambda told: [kind.update(share=0) for kind in told["sets"]],
    lambda told: told["sets"][0].update(frames=10**9),
    lambda told: told["predictor"].update(widths=[8] * 60),
    lambda told: told["predictor"].update(encoder=[1]),
    lambda told: told.update(odds=[1]),
    lambda told: told.update(known=None),
    lambda told: told.update(masking={"nothing": 1}),
]


@pytest.mark.parametrize("change", ODD_RECIPES)
def test_a_file_of_a_recipe_is_told_where_it_is_wrong(tmp_path, change):
    (tmp_path / "run.json").write_text(json.dumps({"config": spoilt(change)}))
    with pytest.raises(DataError, match="no recipe") as caught:
        recipes.recipe_from(None, tmp_path / "run.json")
    assert not any(words in str(caught.value) for words in ("object", "__init__", "NoneType"))
    with pytest.raises(SchemaError):
        config.from_dict(spoilt(change))


@pytest.mark.parametrize("raw", ["[]", "1", "null", '"x"', '{"config": 1}', "[" * 90_000])
def test_a_file_that_is_no_recipe_is_told(tmp_path, raw):
    (tmp_path / "run.json").write_text(raw)
    with pytest.raises(DataError, match="no recipe"):
        recipes.recipe_from(None, tmp_path / "run.json")


# --- checkpoints and weights


TINY = config.changed(recipes.DUALPATH, ["size=32"])


@pytest.fixture(scope="module")
def average():
    from panfocus.train.dualpath.model import Learner

    torch.manual_seed(0)
    return Learner(TINY).state_dict()


def written(folder, average, **facts):
    told = {"system": "dualpath", "step": 1, "seconds": 1.0, "seed": 0, "config": TINY.to_dict()}
    told = {k: v for k, v in {**told, **facts}.items() if v != "left out"}
    tensors = {f"average.{name}": tensor for name, tensor in average.items()}
    checkpoint.write(folder / checkpoint.NAME, checkpoint.Checkpoint(tensors, told))
    return folder / checkpoint.NAME


ODD_FACTS = [("step", -1), ("step", "1"), ("step", 10**400), ("seconds", None), ("seconds", "x"),
             ("seed", [1]), ("config", 3), ("precision", {"name": "float8"}), ("precision", []),
             ("held_out", [1]), ("held_out", {"psnr": "high"}), ("system", None),
             ("averaged", "x"), ("teacher", 1)]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), ODD_FACTS)
def test_facts_of_a_checkpoint_are_of_their_types(tmp_path, average, name, value):
    path = written(tmp_path, {}, **{name: value})
    with pytest.raises(DataError, match="damaged") as caught:
        checkpoint.read(path)
    assert f"facts.{name}" in str(caught.value)


@pytest.mark.parametrize("name", ["step", "seconds", "seed", "config"])
def test_an_export_says_which_fact_is_missing(tmp_path, average, name):
    written(tmp_path, average, **{name: "left out"})
    with pytest.raises(DataError, match=name):
        pack(tmp_path, tmp_path / "system", "made up", restorer=False)
    assert not (tmp_path / "system").exists()


def test_a_header_that_is_none_is_told(tmp_path):
    path = tmp_path / checkpoint.NAME
    for about in ("", "null", "[]", "[" * 9000, "{"):
        path.write_bytes(save({"a": torch.zeros(1)}, {"panfocus": about}))
        with pytest.raises(DataError, match="damaged"):
            checkpoint.read(path)
    path.write_bytes(save({"a": torch.zeros(1)}))
    with pytest.raises(DataError, match="panfocus"):
        checkpoint.read(path)
    with path.open("wb") as file:
        file.truncate(2**35)
    with pytest.raises(DataError, match="2048 MiB"):
        checkpoint.read(path)


def without(weights):
    weights.pop(next(iter(weights)))


def longer(weights):
    name = next(iter(weights))
    weights[name] = torch.zeros(7, 7)


def more(weights):
    weights["net.\n\x1b[31m"] = torch.zeros(1)


@pytest.mark.parametrize("change", [without, longer, more])
def test_weights_of_another_network_are_told(average, change):
    weights = {name: tensor for name, tensor in average.items() if name.startswith("net.")}
    change(weights)
    with pytest.raises(DataError, match="another network") as caught:
        deployed(TINY, weights, whose="run/best.safetensors")
    assert "best.safetensors" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_numbers_that_are_none_are_no_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(save({"a": torch.tensor([1.0, float("nan")])}))
    with pytest.raises(SchemaError, match="finite"):
        read_tensors(path)
    (tmp_path / "folder").mkdir()
    for other in ("folder", "nothing"):
        with pytest.raises(SchemaError):
            read_tensors(tmp_path / other)


def test_a_run_that_has_diverged_is_not_exported(tmp_path, monkeypatch):
    class Nothing(torch.nn.Module):
        def forward(self, frames):
            return frames.mean(1) * float("nan")

    card = Card(name="x", title="x")
    with pytest.raises(DataError, match="no number"):
        export.export(Nothing(), 2, {}, card, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_system_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    old = {"model.onnx": b"old", "model.safetensors": b"old", "card.json": b"old"}
    system_files.write_system(tmp_path / "own", old)
    real = system_files.write_bytes

    def full(path, data):
        if path.name == "card.json":
            raise OutputError("full")
        real(path, data)

    monkeypatch.setattr(system_files, "write_bytes", full)
    with pytest.raises(OutputError):
        system_files.write_system(tmp_path / "own", dict.fromkeys(old, b"new"))
    held = {path.name: path.read_bytes() for path in (tmp_path / "own").iterdir()}
    assert held == old


def test_shares_and_scores_are_numbers():
    for text in ("a=nan", "a=inf", "a=1e999", "=1", "a=", "1"):
        with pytest.raises(UsageError, match="a name and a number"):
            packing.named_number(text)


@pytest.mark.parametrize("sharpen", [0.0, -1.0, float("nan"), 1e300])
def test_a_system_decides_by_a_power_that_can_be(tmp_path, sharpen):
    with pytest.raises(UsageError, match="so hard"):
        pack(tmp_path, tmp_path / "system", "made up", sharpen=sharpen)


@pytest.mark.parametrize("given", [{"rate": 0.0}, {"rate": 1e9}, {"rate": float("nan")},
                                   {"batch_factor": 10**6}])  # fmt: skip
def test_rates_and_batches_have_bounds(tmp_path, given):
    of = [DualPathOptions] if "rate" in given else [DualPathOptions, DrplOptions]
    for options in of:
        with pytest.raises(UsageError, match="cannot be"):
            options(data=(tmp_path,), out=tmp_path / "o", steps=1, **given).check()


# --- folders and files of a run


@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.parametrize("name", ["run.json", "log.csv", "checkpoint.safetensors", "left_out.txt",
                                  "pictures", "tensorboard", "material", "system",
                                  "system/card.json"])  # fmt: skip
def test_a_run_takes_no_place_of_what_is_no_file(tmp_path, name):
    place = tmp_path / "run" / name
    place.parent.mkdir(parents=True)
    os.mkfifo(place)
    with pytest.raises(OutputError, match=r"no folder|ordinary"):
        places.check_run(tmp_path / "run", [], None, resume=True)


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_nothing_is_written_in_place_of_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OutputError):
            checkpoint.write_bytes(tmp_path / name, b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]
    with pytest.raises(OutputError):
        places.check_system(tmp_path / "pipe" / "..", tmp_path / "run", overwrite=True) or (
            system_files.write_system(tmp_path, {"pipe": b"x"})
        )


def test_a_damaged_record_loses_its_sessions_alone(tmp_path):
    for raw in ("{", "[]", '{"sessions": 3}', "[" * 90_000):
        (tmp_path / record.NAME).write_text(raw)
        record.write(tmp_path, {"seed": 1}, {}, seconds=5.0)
        assert len(json.loads((tmp_path / record.NAME).read_text())["sessions"]) == 1


def test_a_full_disk_leaves_no_piece_in_logs(tmp_path, monkeypatch):
    log, board = Log(tmp_path, 0), Board(tmp_path / "tensorboard", 3)
    log.add({"loss": torch.ones(())}, torch.ones(()), 0.1)
    log.report(1, 1.0)
    board.numbers({"loss": 1.0}, 4)
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(held) == 2
    threads = threading.active_count()

    class Full(type(tmp_path)):
        def open(self, *args, **more):
            return Little(super().open(*args, **more))

    class Little:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            if len(data) > 5:
                return self.file.write(data[:5])
            raise OSError(28, "No space left on device")

    for path, before in held.items():
        with pytest.raises(OSError, match="space"):
            append_whole(Full(path), b"0123456789")
        assert path.read_bytes() == before
    assert threading.active_count() == threads


def test_what_a_run_has_kept_of_its_material_is_looked_at(tmp_path):
    sound = {"name": "a", "count": 3, "height": 9, "width": 9, "depth": "8 bit", "size": [9, 9],
             "is_stretched": False, "groups": [[0, 2]], "moved": 0.0, "left_out": {}}  # fmt: skip
    assert facts_of({"facts": sound}).groups == ((0, 2),)
    for name, value in (("groups", [[0, 3]]), ("groups", [[0], [0]]), ("groups", [[]]),
                        ("count", 10**9), ("size", [9]), ("size", "99"), ("left_out", [1]),
                        ("name", 3), ("moved", "x"), ("facts", 1)):  # fmt: skip
        assert facts_of({"facts": {**sound, name: value}}) is None or name == "facts"
    assert facts_of({"facts": [1]}) is None
    np.save(tmp_path / "k.0.npy", np.zeros((2, 9, 9, 3), np.uint8))
    assert len(Shelf(tmp_path).part("k", 0, (2, 9, 9, 3))) == 2
    assert Shelf(tmp_path).part("k", 0, (2, 9, 8, 3)) is None
    (tmp_path / "k.1.npy").write_bytes(b"PK\x03\x04" + bytes(100))
    assert Shelf(tmp_path).part("k", 1, (2, 9, 9, 3)) is None
    if os.name == "posix":
        os.mkfifo(tmp_path / "k.2.npy")
        assert Shelf(tmp_path).part("k", 2, (2, 9, 9, 3)) is None


def test_folders_that_lead_to_themselves_are_searched_once(tmp_path):
    (tmp_path / "a").mkdir()
    for n in range(2):
        (tmp_path / "a" / f"f{n}.png").write_bytes(b"x")
        (tmp_path / "a" / f"round{n}").symlink_to(tmp_path, target_is_directory=True)
    assert len(list(found.find([tmp_path]))) == 1
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="cannot be listed"):
            list(found.find([tmp_path / "pipe"]))


@pytest.mark.parametrize("name", ["x" * 300, "9" * 5000, "a\0b", "~nosuchuser"])
def test_a_system_to_start_from_has_a_name_that_can_be(name):
    with pytest.raises(UsageError):
        export.folder_of(name, "drpl")
