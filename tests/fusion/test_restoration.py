"""Restoring detail: what a system adds to its blend, tile by tile, in the picture's own numbers."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import panfocus
from panfocus.errors import SystemError_, UsageError
from panfocus.fusion import restoration as restore
from panfocus.fusion.restoration import Scatter, restored, restorer_of
from panfocus.systems import load_system
from panfocus.systems.card import Card
from panfocus.systems.network import NetworkSystem
from panfocus.systems.restorer import Recipe, Restorer

onnx = pytest.importorskip("onnx", reason="networks are made by onnx, of the extra train")
from onnx import TensorProto, helper  # noqa: E402


def sharpener(path, by=0.5):
    """Write a restorer that adds a share of what a 3 x 3 mean takes away; return its recipe."""
    kernel = np.zeros((1, 3, 3, 3), np.float32)
    kernel[0, 0] = -by / 9
    kernel[0, 0, 1, 1] += by
    nodes = [
        helper.make_node("Conv", ["seen", "kernel"], ["deep"], pads=[1, 1, 1, 1]),
        helper.make_node("Squeeze", ["deep", "axes"], ["added"]),
    ]
    given = [
        helper.make_tensor("kernel", TensorProto.FLOAT, kernel.shape, kernel.ravel()),
        helper.make_tensor("axes", TensorProto.INT64, [2], [0, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "restore",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("added", TensorProto.FLOAT, ["h", "w"])],
        given,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    data = model.SerializeToString()
    path.write_bytes(data)
    return {
        "model": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "halo": 2,
        "multiple_of": 2,
    }


@pytest.fixture
def restorer(tmp_path):
    recipe = sharpener(tmp_path / "restore.onnx")
    return Restorer(tmp_path, Recipe(**recipe))


@pytest.fixture
def picture():
    rng = np.random.default_rng(0)
    return rng.integers(60, 190, (45, 61, 3), np.uint8)


def by_hand(picture, by=0.5):
    grey = np.pad(picture.mean(-1), 1, mode="edge")
    rows, cols = picture.shape[:2]
    mean = sum(grey[y : y + rows, x : x + cols] for y in range(3) for x in range(3)) / 9
    return picture + by * (grey[1:-1, 1:-1] - mean)[..., None]


def test_the_same_detail_is_added_to_all_colours(restorer, picture):
    some = np.zeros(picture.shape[:2], np.float32)
    out = restored(picture, some, some, restorer, has_alpha=False)
    inner = np.s_[1:-1, 1:-1]  # the network pads its own rim with 0
    assert np.abs(out[inner] - by_hand(picture)[inner]).max() <= 0.51
    assert np.abs(out.astype(int) - picture).max() > 5


@pytest.mark.parametrize("side", [8, 16, 30])
def test_tiles_change_nothing(restorer, picture, side, monkeypatch):
    some = np.zeros(picture.shape[:2], np.float32)
    whole = restored(picture, some, some, restorer, has_alpha=False)
    monkeypatch.setattr(restore, "TILE", side)
    assert np.array_equal(restored(picture, some, some, restorer, has_alpha=False), whole)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(), (1,), (2,), (3,), (4,)])
def test_every_kind_of_picture_keeps_its_range_and_opacity(restorer, dtype, shape):
    rng = np.random.default_rng(1)
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    picture = (rng.random((32, 40, *shape)) * top).astype(dtype)
    before = picture.copy()
    some = np.zeros((32, 40), np.float32)
    has_alpha = shape in {(2,), (4,)}
    out = restored(picture, some, some, restorer, has_alpha=has_alpha)
    assert (out.shape, out.dtype) == (picture.shape, picture.dtype)
    assert np.array_equal(picture, before)
    assert not np.array_equal(out, picture)
    assert out.min() >= 0
    if has_alpha:
        assert np.array_equal(out[..., -1], picture[..., -1])


def test_a_dim_picture_is_restored_as_a_bright_one(restorer):
    rng = np.random.default_rng(2)
    bright = (rng.random((32, 40)) * 0.9 + 0.05).astype(np.float32)
    dim = bright / 16
    some = np.zeros_like(bright)
    one = restored(bright, some, some, restorer, has_alpha=False) - bright
    two = restored(dim, some, some, restorer, has_alpha=False) - dim
    inner = np.s_[1:-1, 1:-1]
    assert np.allclose(16 * two[inner], one[inner], atol=1e-3)


def test_scatter_is_the_deviation_over_the_frames():
    frames = np.random.default_rng(3).integers(0, 65536, (5, 20, 30), np.uint16)
    scatter = Scatter()
    for frame in frames:
        scatter.push(frame)
    expected = (frames / 65535).std(0)
    assert np.allclose(scatter.deviation(), expected, atol=1e-5)


@pytest.fixture
def system(tmp_path):
    """The bundled system with a plain sharpener for its restorer."""
    bundled = next((Path(panfocus.__file__).parent / "systems/bundled").glob("dualpath-[0-9]*"))
    folder = tmp_path / "system"
    shutil.copytree(bundled, folder)
    card = Card.read(folder / "card.json")
    told = sharpener(folder / "plain.onnx")
    (folder / "card.json").write_text(replace(card, restores=told).to_json())
    return folder


@pytest.fixture
def stack():
    rng = np.random.default_rng(4)
    sharp = rng.integers(60, 190, (64, 96, 3), np.uint8)
    soft = np.uint8(sharp // 4 + 96)
    one, two = sharp.copy(), sharp.copy()
    one[:, :48], two[:, 48:] = soft[:, :48], soft[:, 48:]
    return np.stack((one, two))


def test_a_fusion_is_the_blend_and_what_is_added_and_maps_are_those_of_the_blend(system, stack):
    blend = panfocus.fuse(stack, system=system, void="average")
    out = panfocus.fuse(stack, system=system, mode="restore")
    inner = np.s_[1:-1, 1:-1]
    assert np.abs(out.image[inner] - by_hand(blend.image)[inner].clip(0, 255)).max() <= 0.51
    for name in ("index", "depth", "confidence"):
        assert np.array_equal(getattr(out, name), getattr(blend, name))
    bare = panfocus.fuse(stack, system=system, mode="restore", maps=False)
    assert np.array_equal(bare.image, out.image)
    assert bare.index is bare.depth is bare.confidence is None


def test_the_weight_of_the_frame_that_won_reaches_the_network(system, stack, monkeypatch):
    seen = []
    added = Restorer.added

    def watched(self, shown):
        seen.append(shown)
        return added(self, shown)

    monkeypatch.setattr(Restorer, "added", watched)
    panfocus.fuse(stack, system=system, mode="restore", maps=False)
    grey, deviation, largest = seen[0]
    assert grey.shape == stack.shape[1:3]
    assert np.allclose(deviation, (stack.mean(-1) / 255).std(0), atol=1e-4)
    assert largest.min() >= 0.5 - 1e-3
    assert largest.max() <= 1


@pytest.mark.parametrize("name", ["guided", "pyramid", "drpl"])
def test_systems_without_a_restorer_say_so(name, stack, tmp_path):
    with pytest.raises(UsageError, match="restores no detail"):
        panfocus.fuse(stack, system=name, mode="restore")
    with pytest.raises(UsageError, match="restores no detail"):
        restorer_of(load_system(name))


def test_a_restorer_that_is_not_the_cards_is_refused(system):
    data = bytearray((system / "plain.onnx").read_bytes())
    data[-1] ^= 1
    (system / "plain.onnx").write_bytes(bytes(data))
    with pytest.raises(SystemError_, match="not the one of the card"):
        _ = NetworkSystem(system).restorer
    (system / "plain.onnx").unlink()
    with pytest.raises(SystemError_, match="missing"):
        _ = NetworkSystem(system).restorer


@pytest.mark.parametrize(
    "told",
    [{}, {"model": 3, "sha256": "", "halo": 2, "multiple_of": 2}, {"model": "x"}],
)
def test_a_card_that_tells_no_restorer_is_refused(system, told):
    path = system / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"restores": told}))
    with pytest.raises(SystemError_, match="cannot be"):
        _ = NetworkSystem(system).restorer


def test_a_restorer_lies_beside_its_card(system, tmp_path):
    told = sharpener(tmp_path / "elsewhere.onnx")
    with pytest.raises(SystemError_, match="missing"):
        Restorer(system, Recipe(**told | {"model": "../elsewhere.onnx"}))


def test_a_written_restorer_is_a_network(restorer, tmp_path):
    onnx.checker.check_model(onnx.load(tmp_path / "restore.onnx"))
