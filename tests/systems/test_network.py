"""A network behind the seam, proved by a tiny one exported here."""

from dataclasses import replace

import numpy as np
import pytest

import panfocus
from panfocus import io
from panfocus.errors import SystemError_, UsageError
from panfocus.io.digest import digest_of
from panfocus.pipeline.plan import plan
from panfocus.pipeline.settings import make_settings
from panfocus.systems import Card, NetworkSystem, load_system, network
from tests.conftest import focal_pair, focal_stack, psnr

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def write_tiny(folder, frames="N", **facts):
    """Export Laplacian energy, averaged over 9x9, softmax over frames; any N, any size.

    With ``kind="picture"`` the frames blended by these weights.
    """
    grey = np.full((1, 3, 1, 1), 1 / 3, np.float32)
    laplace = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], np.float32)[None, None]
    mean = np.full((1, 1, 9, 9), 3000 / 81, np.float32)
    weights = [
        numpy_helper.from_array(v, n)
        for n, v in (("grey", grey), ("laplace", laplace), ("mean", mean))
    ]
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    nodes = [
        helper.make_node("Conv", ["frames", "grey"], ["g"]),
        helper.make_node("Conv", ["g", "laplace"], ["l"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["l", "l"], ["e"]),
        helper.make_node("Conv", ["e", "mean"], ["m"], pads=[4, 4, 4, 4]),
        helper.make_node("Squeeze", ["m", "axes"], ["s"]),
        helper.make_node("Softmax", ["s"], ["weights"], axis=0),
        helper.make_node("Unsqueeze", ["weights", "axes"], ["w"]),
        helper.make_node("Mul", ["w", "frames"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "first"], ["picture"], keepdims=0),
    ]
    answer, shape = ("weights", [frames, "H", "W"])
    if facts.get("kind") == "picture":
        answer, shape = ("picture", [3, "H", "W"])
    first = numpy_helper.from_array(np.array([0], np.int64), "first")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("frames", TensorProto.FLOAT, [frames, 3, "H", "W"])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, shape)],
        [*weights, axes, first],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, folder / "model.onnx")
    card = Card(name="tiny", title="a test", model="model.onnx", halo=6)
    card = replace(card, sha256=digest_of(folder / "model.onnx"), **facts)
    (folder / "card.json").write_text(card.to_json())
    return folder


@pytest.fixture
def tiny(tmp_path):
    return write_tiny(tmp_path / "tiny-1")


def test_it_fuses_pictures_of_any_size(tiny):
    for height, width in ((96, 128), (97, 131), (16, 40)):
        pair, sharp = focal_pair(height, width)
        result = panfocus.fuse(pair, system=str(tiny))
        assert psnr(result.image, sharp) > max(psnr(f, sharp) for f in pair) + 6
        assert result.report.system["sha256"] == digest_of(tiny / "model.onnx")


def test_a_network_for_any_number_sees_all_frames_at_once(tiny):
    frames, _ = focal_stack(5)
    weights = NetworkSystem(tiny).decide(frames.astype(np.float32) / 255)
    assert weights.shape == frames.shape[:3]
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)


def test_a_network_for_two_folds_many(tmp_path):
    folder = write_tiny(tmp_path / "two-1", frames=2, max_frames=2)
    frames, sharp = focal_stack(5)
    result = panfocus.fuse(frames, system=str(folder))
    assert psnr(result.image, sharp) > max(psnr(f, sharp) for f in frames) + 6
    with pytest.raises(SystemError_, match="2 frames"):
        NetworkSystem(folder).decide(frames.astype(np.float32) / 255)


def test_tiled_equals_whole_with_the_halo_and_not_without(tiny, tmp_path, monkeypatch):
    frames = focal_pair(120, 150)[0].astype(np.float32) / 255
    whole = NetworkSystem(tiny).decide(frames)
    monkeypatch.setattr(network, "TILE_PIXELS", 4000)
    tiled = NetworkSystem(tiny).decide(frames)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    without = NetworkSystem(write_tiny(tmp_path / "bare-1", halo=0)).decide(frames)
    assert np.abs(without - whole).max() > 1e-3


def test_sides_are_padded_to_the_multiple(tmp_path):
    folder = write_tiny(tmp_path / "eight-1", multiple_of=8)
    frames = focal_pair(51, 77)[0].astype(np.float32) / 255
    assert NetworkSystem(folder).decide(frames).shape == (2, 51, 77)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_channel_count(tiny, channels):
    frames = np.random.default_rng(0).random((2, 40, 40, channels)).astype(np.float32)
    assert NetworkSystem(tiny).decide(frames).shape == (2, 40, 40)


def test_changed_weights_are_refused(tiny):
    with (tiny / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SystemError_, match="not the ones of its card"):
        NetworkSystem(tiny)


def test_a_missing_network_and_a_folder_without_card_are_refused(tiny, tmp_path):
    (tiny / "model.onnx").unlink()
    with pytest.raises(SystemError_, match="missing"):
        NetworkSystem(tiny)
    with pytest.raises(SystemError_, match="no system"):
        NetworkSystem(tmp_path)


def test_a_file_that_is_no_network_is_refused(tiny):
    (tiny / "model.onnx").write_bytes(b"not a network")
    card = Card.read(tiny / "card.json")
    card = replace(card, sha256=digest_of(tiny / "model.onnx"))
    (tiny / "card.json").write_text(card.to_json())
    with pytest.raises(SystemError_, match="cannot be loaded"):
        NetworkSystem(tiny).decide(np.zeros((2, 32, 32, 3), np.float32))


def as_float(frames):
    return frames.astype(np.float32) / 255


def test_a_network_may_answer_with_a_picture(tiny, tmp_path):
    folder = write_tiny(tmp_path / "drawn-1", kind="picture")
    frames, sharp = focal_stack(5)
    result = panfocus.fuse(frames, system=str(folder))
    assert result.index is None
    assert psnr(result.image, sharp) > max(psnr(f, sharp) for f in frames) + 6
    weights = NetworkSystem(tiny).decide(as_float(frames))
    blended = (weights[..., None] * frames).sum(0)
    assert np.abs(result.image - blended).max() <= 0.51


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_keep_depth_and_channels(channels, tmp_path):
    folder = write_tiny(tmp_path / "drawn-1", kind="picture", multiple_of=8)
    pair = focal_pair(53, 77, channels=channels)[0].astype(np.uint16) * 257
    result = panfocus.fuse(pair, system=str(folder))
    assert result.image.shape == pair.shape[1:]
    assert result.image.dtype == np.uint16
    # no picture in it is outside what the frames hold
    assert (result.image >= pair.min(0).astype(int) - 1).all()
    assert (result.image <= pair.max(0).astype(int) + 1).all()


def test_a_tiled_picture_is_the_whole_with_the_halo_and_not_without(tmp_path):
    frames = as_float(focal_pair(120, 150)[0])

    def made(**facts):
        system = load_system(write_tiny(tmp_path / "drawn-1", kind="picture", **facts))
        run = system.begin()
        for frame in frames:
            run.push(frame)
        return run.finish()

    whole = made()
    tiled = made(tile_pixels=4000)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    assert np.abs(made(tile_pixels=4000, halo=0) - whole).max() > 1e-3


def test_more_frames_than_a_picture_network_takes_are_refused(tmp_path):
    folder = write_tiny(tmp_path / "drawn-1", frames=2, kind="picture", max_frames=2)
    with pytest.raises(SystemError_, match="2 frames at once"):
        panfocus.fuse(focal_stack(3)[0], system=str(folder))


def test_a_network_that_makes_pictures_is_known_to_hold_all_frames(tmp_path):
    folder = write_tiny(tmp_path / "drawn-1", kind="picture")
    frames = focal_stack(6, 200, 300)[0]
    for n, frame in enumerate(frames):
        io.write_image(tmp_path / f"s/{n}.png", frame, io.Metadata())
    paths = sorted((tmp_path / "s").iterdir())
    few, all_ = (
        plan(p, make_settings(system=str(folder))).memory_bytes for p in (paths[:2], paths)
    )
    assert all_ - few > 4 * 2 * 200 * 300 * 3 * 4
    with pytest.raises(UsageError, match="more memory than is allowed"):
        panfocus.fuse(paths, system=str(folder), max_memory=str(few - 2**20))
