"""Layers, animations and views from aside: what they show is what the fusion had."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

import panfocus
from panfocus.cli import main
from panfocus.errors import OutputError, UsageError
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project import Project
from panfocus.pipeline.views import shifts_of, side_view
from panfocus.retouch import FrameSource, Stroke
from tests.conftest import blurred, texture
from tests.io.test_psd import parse
from tests.pipeline.test_project import write_stack


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("of_frames")
    write_stack(folder / "shots")
    return folder


@pytest.fixture(scope="module")
def fusion(home):
    return panfocus.fuse(home / "shots", system="guided")


def placed(fusion, number):
    frame = panfocus.io.read_frame(fusion.plan.infos[number])
    return fusion.registration.place(number, frame).pixels


def test_layers_are_the_frames_as_they_were_fused(fusion, tmp_path):
    fusion.save(tmp_path / "a.tif", layers=tmp_path / "a.psd")
    *_, layers, merged = parse((tmp_path / "a.psd").read_bytes())
    assert list(layers) == ["0.png", "1.png", "2.png", "3.png", "fused"]
    assert np.array_equal(merged, fusion.image.transpose(2, 0, 1))
    for number in range(4):
        planes = layers[f"{number}.png"]
        for c in range(3):
            assert np.array_equal(planes[c], placed(fusion, number)[..., c])
        assert np.array_equal(planes[-2] == 255, fusion.index == number)
        assert set(np.unique(planes[-2])) <= {0, 255}
        assert -1 not in planes  # cropped to what all frames show


def test_what_a_frame_does_not_show_is_clear_in_its_layer(home, tmp_path):
    whole = panfocus.fuse(home / "shots", system="guided", keep_size=True)
    whole.save(tmp_path / "a.tif", layers=tmp_path / "a.psb")
    *_, layers, _merged = parse((tmp_path / "a.psb").read_bytes())
    assert layers["0.png"][-1].min() == 0
    assert layers["2.png"][-1].min() == 255  # the reference
    assert layers["0.png"][-1][90, 130] == 255


def test_an_animation_goes_through_the_stack_and_back(fusion, tmp_path):
    fusion.save(tmp_path / "a.tif", animation=tmp_path / "a.webp", animation_size=128)
    with Image.open(tmp_path / "a.webp") as image:
        assert image.n_frames == 6
        assert max(image.size) == 128
        image.seek(2)
        seen = np.asarray(image.convert("RGB"), np.float32)
        expected = cv2.resize(placed(fusion, 2), image.size, interpolation=cv2.INTER_AREA)
        assert np.abs(seen - expected).mean() < 6
        image.seek(4)
        back = np.asarray(image.convert("RGB"), np.float32)
        assert np.abs(back - seen).mean() < 6


def test_gif_and_rocking(fusion, tmp_path):
    files = {"animation": tmp_path / "a.gif", "rocking": tmp_path / "r.gif"}
    fusion.save(tmp_path / "a.tif", **files, animation_size=96)
    for name, count in (("a.gif", 6), ("r.gif", 24)):
        with Image.open(tmp_path / name) as image:
            assert image.n_frames == count
            assert image.info["loop"] == 0


@pytest.mark.parametrize("ending", ["psd", "tif"])
def test_slabs_are_layers_between_the_frames_and_the_picture(home, tmp_path, ending):
    """They lie as the whole stack does, and are the files beside the picture."""
    layers, out = tmp_path / f"l.{ending}", tmp_path / "a.tif"
    words = ["fuse", str(home / "shots"), "-s", "guided", "-o", str(out), "--layers", str(layers)]
    assert main([*words, "--slab", "2", "1"]) == 0
    slabs = [cv2.imread(str(tmp_path / f"a_slab{n:02d}.tif"))[..., ::-1] for n in (1, 2, 3)]
    names = [f"{n}.png" for n in range(4)] + ["slab 1", "slab 2", "slab 3", "fused"]
    if ending == "psd":
        *_, found, _merged = parse(layers.read_bytes())
        assert list(found) == names
        planes = [np.stack([found[f"slab {n}"][c] for c in range(3)], -1) for n in (1, 2, 3)]
    else:
        psdtags = pytest.importorskip("psdtags")
        read = psdtags.TiffImageSourceData.fromtiff(layers)
        assert len(read.layers) == len(names)
        planes = [layer.asarray()[..., :3] for layer in list(read.layers)[4:7]]
    for plane, slab in zip(planes, slabs, strict=True):
        np.testing.assert_array_equal(plane, slab)


def layered(folder):
    """A near square before a far wall, two frames; the square's left edge lies at column 100."""
    wall, square = texture(160, 240, 1), texture(160, 240, 2)
    inside = np.zeros((160, 240, 1), bool)
    inside[50:110, 100:160] = True
    near, far = np.where(inside, square, blurred(wall)), np.where(inside, blurred(square), wall)
    folder.mkdir()
    for n, frame in enumerate((near, far)):
        cv2.imwrite(str(folder / f"{n}.png"), frame[..., ::-1])
    return wall, square


def test_from_aside_the_near_moves_against_the_far(tmp_path):
    wall, square = layered(tmp_path / "shots")
    fusion = panfocus.fuse(tmp_path / "shots", system="guided", align="none")
    seen = side_view(fusion, fusion.plan, 12.0)
    margin = 7
    assert seen.shape == (160, 240 - 2 * margin, 3)
    # frame 0 is near and moves right by 6 as the left eye sees it, frame 1 left by 6
    near = seen[60:100, 115 + 6 - margin : 145 + 6 - margin].astype(int)
    assert np.abs(near - square[60:100, 115:145]).mean() < 3
    far = seen[10:40, 40 - 6 - margin : 220 - 6 - margin].astype(int)
    assert np.abs(far - wall[10:40, 40:220]).mean() < 3
    assert shifts_of(3, 12, near_first=False).tolist() == [-6, 0, 6]


def test_strokes_go_along(tmp_path):
    wall, _ = layered(tmp_path / "shots")
    settings = panfocus.Options(system="guided", align="none", exposure="none")
    plan = panfocus.plan([tmp_path / "shots"], settings)
    project = Project.of(plan, panfocus.fuse(plan), tmp_path)
    stroke = Stroke("rectangle", ((104.5, 59.5), (154.5, 99.5)), FrameSource(1), radius=0)
    fusion = replace(project, strokes=(stroke,)).fuse()
    blurry = cv2.imread(str(tmp_path / "shots/1.png"))[..., ::-1]
    seen = side_view(fusion, fusion.plan, 12.0)
    core = seen[62:97, 110 - 6 - 7 : 150 - 6 - 7]
    assert np.array_equal(core, blurry[62:97, 110:150])
    assert wall.shape == blurry.shape


def test_stereo_is_both_views_side_by_side(fusion, tmp_path):
    fusion.save(tmp_path / "a.tif", stereo=tmp_path / "s.png", parallax=4)
    both = np.asarray(Image.open(tmp_path / "s.png"))
    half = both.shape[1] // 2
    aside = 0.04 * fusion.image.shape[1] / 2
    assert np.array_equal(both[:, :half], side_view(fusion, fusion.plan, aside))
    assert np.array_equal(both[:, half:], side_view(fusion, fusion.plan, -aside))


def test_what_cannot_be_is_refused(fusion, tmp_path):
    arrays = panfocus.fuse([texture(40, 50), texture(40, 50, 1)], system="guided")
    with pytest.raises(UsageError, match="of arrays are not kept"):
        arrays.save(tmp_path / "x.tif", layers=tmp_path / "x.psd")
    for wanted, error in (
        ({"layers": "x.png"}, OutputError),
        ({"animation": "x.mp4"}, OutputError),
        ({"rocking": "x.gif", "parallax": 99}, UsageError),
        ({"animation": "x.gif", "animation_size": 5}, UsageError),
        ({"animation": "x.gif", "rocking": "x.gif"}, UsageError),
    ):
        named = {k: tmp_path / v if isinstance(v, str) else v for k, v in wanted.items()}
        with pytest.raises(error):
            fusion.save(tmp_path / "y.tif", overwrite=True, **named)
        with pytest.raises(error):
            sizes = {k: v for k, v in named.items() if not hasattr(v, "suffix")}
            files = {k: v for k, v in named.items() if hasattr(v, "suffix")}
            of_frames = replace(Outputs(tmp_path / "z.tif").of_frames, **files, **sizes)
            Outputs(tmp_path / "z.tif", of_frames=of_frames).check(fusion.plan)


def test_by_the_command_line_and_a_project(home, monkeypatch, tmp_path):
    monkeypatch.chdir(home)
    words = ["fuse", "shots", "-s", "guided", "-o", "a.png", "--layers", "a.psd", "--animation"]
    more = ["a.gif", "--stereo", "s.jpg", "--animation-size", "96", "--save-project", "p.json"]
    assert main([*words, *more]) == 0
    made = {p.name: p.read_bytes() for p in home.iterdir() if p.is_file() and p.suffix != ".json"}
    assert set(made) == {"a.png", "a.psd", "a.gif", "s.jpg"}
    assert "--animation-size=96" in Project.read("p.json").command_line()
    assert main(["fuse", "--project", "p.json", "--overwrite"]) == 0
    assert {name: (home / name).read_bytes() for name in made} == made
