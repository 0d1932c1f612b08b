"""A channel of a volume that decides for others, on the page and in the line that it tells."""

import numpy as np
import pytest
import tifffile

import panfocus
from tests.conftest import focal_stack
from tests.web.conftest import serving
from tests.web.test_mending import dot, draw
from tests.web.test_volume_saving import go, line_of, repeated, wish
from tests.web.volumes import NAME

pytest.importorskip("starlette")


@pytest.fixture
def served(cells):
    return cells


def fuse_by(page, stack, guide, **more):
    body = {"options": {"system": "guided"}, "guide": guide, **more}
    answer = page.post(f"{stack}/fuse", body)
    assert answer.status_code == 200, answer.text
    page.idle()
    return page.get(stack).json()["results"][-1]


def found(page, stack, result):
    return page.desk.stack(stack.rpartition("/")[2]).result(result["id"]).fusion


def test_another_channel_decides(page, stack, cells):
    by_itself = fuse_by(page, stack, None)
    guided = fuse_by(page, stack, 1)
    assert (by_itself["guide"], guided["guide"]) == (None, 1)
    same = panfocus.fuse_volume(
        cells / NAME, system="guided", only="T=0,C=DAPI", guide_channel="GFP"
    ).positions[0]
    index = found(page, stack, guided).index
    np.testing.assert_array_equal(index, same.index[0, 0])
    assert (index != found(page, stack, by_itself).index).any()
    assert fuse_by(page, stack, 0)["guide"] is None  # the one that is shown
    part = fuse_by(page, stack, 1, box=[0, 0, 128, 96])
    np.testing.assert_array_equal(found(page, stack, part).index, index)


def test_what_is_saved_is_what_the_line_writes(page, stack, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.mkdir()
    go(page, stack, 1, 0)
    result = fuse_by(page, stack, 1)["id"]
    for name, more, flags in (
        ("all.ome.tif", {}, "--guide-channel GFP"),
        ("one.ome.tif", {"only_shown": True}, "--only T=1,C=0 --guide-channel GFP"),
    ):
        body = wish(result, str(out), name, **more)
        told = line_of(page, stack, **body)
        assert told["problem"] is None
        assert flags in told["command"]
        assert page.post(f"{stack}/save", body).status_code == 200
        page.idle()
        repeated(told["command"], f"-o {out}", f"-o {other}")
        assert (other / name).read_bytes() == (out / name).read_bytes()
    one, whole = (tifffile.imread(out / f"{n}.ome.tif") for n in ("one", "all"))
    np.testing.assert_array_equal(one, whole[1, 0])


def test_strokes_do_not_lie_on_it(page, stack):
    """A project of a volume knows of no channel that decides for others."""
    result = fuse_by(page, stack, 1)["id"]
    answer = draw(page, stack, result, dot(40, 40, {"frame": 3}, radius=12))
    assert answer.status_code == 400
    assert "each channel" in answer.json()["error"]["remedy"]


def test_no_project_is_saved_that_would_forget_it(page, stack, tmp_path):
    result = fuse_by(page, stack, 1)["id"]
    body = wish(result, str(tmp_path), "a.ome.tif", project=True)
    assert "channel" in line_of(page, stack, **body)["problem"]["what"]
    assert page.post(f"{stack}/save", body).status_code == 400
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.parametrize("guide", [2, -1, "x", True, [0]])
def test_a_channel_that_is_none_is_refused(page, stack, guide):
    body = {"options": {"system": "guided"}, "guide": guide}
    assert page.post(f"{stack}/fuse", body).status_code == 400


def test_photographs_have_no_channels(tmp_path):
    from tests.web.conftest import write_frames

    shots = write_frames(tmp_path / "shots", focal_stack(3, 96, 128)[0])
    with serving(shots) as page:
        stack = page.open(shots)
        page.idle()
        assert page.post(f"{stack}/fuse", {"guide": 0}).status_code == 400
        assert page.post(f"{stack}/fuse", {"guide": None, "options": {}}).status_code == 200
        page.idle()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a.ome.tif", {"pyramid": "on"}),
        ("a.ome.zarr", {"ome_zarr": "0.5", "pyramid": "off"}),
    ],
)
def test_how_planes_lie_in_their_file(page, stack, tmp_path, name, more):
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.mkdir()
    result = fuse_by(page, stack, None)["id"]
    body = wish(result, str(out), name, **more)
    told = line_of(page, stack, **body)
    assert told["problem"] is None
    flags = [f"--{key.replace('_', '-')} {value}" for key, value in more.items()]
    assert " ".join(flags) in told["command"]
    assert page.post(f"{stack}/save", body).status_code == 200
    page.idle()
    repeated(told["command"], f"-o {out}", f"-o {other}")
    if name.endswith("tif"):
        assert (other / name).read_bytes() == (out / name).read_bytes()
        with tifffile.TiffFile(out / name) as file:
            assert len(file.series[0].levels) > 1
    else:
        assert (out / name / "zarr.json").is_file()
        assert (other / name / "zarr.json").is_file()


@pytest.mark.parametrize("more", [{"pyramid": "big"}, {"ome_zarr": "0.6"}, {"pyramid": ["on"]}])
def test_what_no_file_can_be_is_refused(page, stack, tmp_path, more):
    result = fuse_by(page, stack, None)["id"]
    body = wish(result, str(tmp_path), "a.ome.zarr", **more)
    assert page.post(f"{stack}/save/line", body).status_code == 400
