"""A card vouches for all that is loaded, and nothing outside of its folder is."""

import dataclasses
import hashlib
import json
import shutil

import pytest

from panfocus.errors import SystemError_
from panfocus.systems import Card, load_system
from panfocus.systems.registry import BUNDLED

SOURCE = BUNDLED / "dualpath-5"
ODD = (None, True, -1, 0, 1.5, 10**40, "", "x", "a\0", [], [1], {}, {"a": 1}, "NaN", [[[[]]]])


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("card.json", "model.onnx"):
        shutil.copy(SOURCE / name, folder / name)
    return folder


def change(folder, **facts):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps({**card, **facts}), encoding="utf-8")


def test_the_copy_is_sound(own):
    assert load_system(own).card.name == "dualpath"


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Card)])
@pytest.mark.parametrize("value", ODD, ids=lambda v: repr(v)[:12])
def test_a_card_of_any_wrong_value_is_refused_in_words(own, name, value):
    change(own, **{name: value})
    try:
        card = load_system(own, device="cpu").card
    except SystemError_ as error:
        assert "own" in str(error.where)
        assert error.expected is not None
    else:
        assert getattr(card, name) == value


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"\xff\xfe{", b"[" * 100_000, b"1" * 5000, b'{"name": "x"', b" " * 2**21],
)
def test_what_is_no_card_is_refused_in_words(own, raw):
    (own / "card.json").write_bytes(raw)
    with pytest.raises(SystemError_, match="card"):
        load_system(own)


@pytest.mark.parametrize("model", ["../other/model.onnx", "/etc/hostname", "..", "sub/model.onnx"])
def test_a_model_lies_beside_its_card(own, model):
    other = own.parent / "other"
    shutil.copytree(own, other)
    change(own, model=model)
    with pytest.raises(SystemError_, match="value that cannot be"):
        load_system(own)


@pytest.mark.parametrize("name", ["model.onnx", "card.json"])
def test_links_do_not_lead_out_of_the_folder(own, name):
    outside = own.parent / "outside"
    shutil.move(own / name, outside)
    (own / name).symlink_to(outside)
    with pytest.raises(SystemError_, match="leads out of its folder"):
        load_system(own)


def test_weights_beside_the_network_are_refused(own):
    """The card's hash would not cover them: altered ones would be run."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(own / "model.onnx")
    onnx.save_model(
        model, own / "model.onnx", save_as_external_data=True, location="weights", size_threshold=0
    )
    assert (own / "weights").stat().st_size > 1000
    digest = hashlib.sha256((own / "model.onnx").read_bytes()).hexdigest()
    change(own, sha256=digest)
    with pytest.raises(SystemError_, match="another file"):
        load_system(own)


def test_bundled_systems_pass():
    for folder in BUNDLED.glob("*/card.json"):
        assert load_system(folder.parent).card.sha256
