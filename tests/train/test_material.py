"""What is trained on is read as for fusing, aligned, kept; the rest is left out and told."""

import json

import cv2
import numpy as np
import pytest
import tifffile

from panfocus import fuse
from panfocus.errors import DataError, OutputError
from panfocus.systems.intensity import Stretch
from panfocus.train import agree, levels, pairs, pictures
from panfocus.train.dualpath import config, observed, redefocus
from panfocus.train.pairs import How
from panfocus.train.places import check_run
from panfocus.train.shelf import Shelf
from tests.conftest import texture


@pytest.fixture(scope="module")
def picture():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[60:310, 60:340])


def soft(picture, sigma=2.0):
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def pair_of(picture, sigma=2.0):
    """Left half sharp in the first, right half in the second."""
    half = picture.shape[1] // 2
    one, two = soft(picture, sigma), soft(picture, sigma)
    one[:, :half], two[:, half:] = picture[:, :half], picture[:, half:]
    return one, two


def moved(picture, across=0.0, down=0.0, scale=1.0):
    height, width = picture.shape[:2]
    matrix = np.float32(
        [
            [scale, 0, across + (1 - scale) * width / 2],
            [0, scale, down + (1 - scale) * height / 2],
        ]
    )
    return cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture)


def dim(picture):
    """A camera of 12 bits in a file of 16."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, grey.shape)
    return np.clip((grey + noise) * 4095 / 255, 0, 4095).astype(np.uint16)


def lossless(path, frames, **words):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, frames, **words)


# reading


def test_frames_of_16_bits_keep_their_levels_in_the_range_that_fusing_decides_in(tmp_path, picture):
    for n, frame in enumerate(pair_of(dim(picture))):
        write(tmp_path / f"dim/{n}.png", frame)
    found = pairs.load([tmp_path], 64)
    (held,) = found.sets
    assert held.frames[0].dtype == np.uint16
    assert held.frames[0].shape == (*picture.shape[:2], 3)
    values = levels.unit(np.stack(held.frames))
    assert len(np.unique(values)) > 1000
    native = np.stack(pair_of(dim(picture)))[..., None] / np.float32(65535)
    stretch = Stretch.of(native)
    assert stretch is not None
    assert np.allclose(values, stretch.apply(native), atol=1 / 65535)
    assert found.facts[0].is_stretched
    assert "16 bit, stretched" in found.facts[0].line()
    # crops of both kinds of batches, and fused sets, have them too
    sources = redefocus.sources_of(found.pictures())
    made = redefocus.batch(
        sources, 32, 2, (0, 0), range(4), odds=redefocus.Odds(jpeg=0, noise=0, recoloured=0)
    )
    assert made.frames.max() > 0.5
    seen = observed.batch(found.sets, 64, 2, (0, 0), range(2), masking=config.Masking())
    assert len(np.unique(seen.frames)) > 500
    (fused,) = redefocus.fused(found, "guided")
    assert fused.dtype == np.uint16


def test_8_bits_that_fill_their_range_stay_as_they_are(tmp_path, picture):
    frames = pair_of(picture)
    for n, frame in enumerate(frames):
        write(tmp_path / f"set/{n}.png", frame)
    (held,) = pairs.load([tmp_path], 64).sets
    assert held.frames[0].dtype == np.uint8
    assert np.array_equal(np.stack(held.frames), np.stack(frames))


def test_grey_becomes_three_equal_channels(tmp_path, picture):
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    for n, frame in enumerate(pair_of(grey)):
        write(tmp_path / f"set/{n}.png", frame)
    (held,) = pairs.load([tmp_path], 64).sets
    assert all(np.array_equal(held.frames[0][..., c], pair_of(grey)[0]) for c in range(3))


def test_one_range_serves_a_whole_set(tmp_path, picture):
    one, two = pair_of(dim(picture))
    write(tmp_path / "set/0.png", one)
    write(tmp_path / "set/1.png", two // 4 * 3)
    (held,) = pairs.load([tmp_path], 64).sets
    one, two = (levels.unit(f).mean() for f in held.frames)
    assert two == pytest.approx(0.05 + (one - 0.05) * 0.75, abs=0.02)


def volume(picture, *shape):
    """Planes (*shape, 2, H, W) uint16, other content for each T and C."""
    out = np.zeros((*shape, 2, 120, 130), np.uint16)
    for n, place in enumerate(np.ndindex(*shape)):
        cut = dim(picture)[10 * n : 10 * n + 120, 20 * n : 20 * n + 130]
        out[place] = pair_of(cut)
    return out


def test_each_t_and_c_of_a_volume_is_a_scene_of_its_own(tmp_path, picture):
    planes = np.moveaxis(volume(picture, 2, 2), 2, 1)  # TZCYX
    lossless(tmp_path / "in/cells.ome.tif", planes, metadata={"axes": "TZCYX"}, ome=True)
    lossless(tmp_path / "in/gt.ome.tif", planes, metadata={"axes": "TZCYX"}, ome=True)
    lossless(tmp_path / "in/ij.tif", planes, metadata={"axes": "TZCYX"}, imagej=True)
    found = pairs.load([tmp_path], 64)
    names = [f"in/{file} T {t}, C {c}" for file in ("cells.ome.tif", "ij.tif") for t in (0, 1)
             for c in (0, 1)]  # fmt: skip
    assert [s.name for s in found.sets] == names
    assert all(len(s.frames) == 2 for s in found.sets)
    assert not found.left_out
    first, other = found.sets[0].frames[0], found.sets[1].frames[0]
    assert first.dtype == np.uint16
    assert first.shape == (120, 130, 3)
    assert not np.array_equal(first, other)


def test_a_zarr_is_a_volume_too_and_a_result_is_none(tmp_path, picture):
    zarr = pytest.importorskip("zarr")
    from panfocus.pipeline.options import Options
    from panfocus.pipeline.volumes.outputs import VolumeOutputs
    from panfocus.pipeline.volumes.run import Choice, fuse_file

    planes = volume(picture, 1, 2)  # TCZYX
    store = tmp_path / "data/cells.ome.zarr"
    group = zarr.open_group(str(store), mode="w", zarr_format=2)
    group.create_array("full", shape=planes.shape, chunks=planes.shape, dtype=planes.dtype)
    group["full"][...] = planes
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": n, "type": "space"} for n in "zyx"]
    steps = [{"type": "scale", "scale": [1, 1, 1, 1, 1]}]
    sets = [{"path": "full", "coordinateTransformations": steps}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": sets, "version": "0.4"}]
    choice = Choice(Options(system="guided", guard="off"))
    fuse_file(store, VolumeOutputs.beside(tmp_path / "data/x.ome.zarr", ()), choice)
    found = pairs.load([tmp_path / "data"], 64)
    assert [s.name for s in found.sets] == [f"data/cells.ome.zarr T 0, C {c}" for c in (0, 1)]
    alone = pairs.load([store], 64)
    assert len(alone.sets) == 2


def test_pages_and_floats_are_stacks_and_files_beside_them_are_another(tmp_path, picture):
    one, two = pair_of(picture)
    lossless(tmp_path / "in/pages.tif", np.stack([one, two]), photometric="rgb")
    grey = np.stack(pair_of(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 700))
    lossless(tmp_path / "in/float.tif", grey)
    for n, frame in enumerate((one, two)):
        write(tmp_path / f"in/{n}.png", frame)
    found = pairs.load([tmp_path], 64)
    assert [s.name for s in found.sets] == ["in", "in/float.tif T 0, C 0", "in/pages.tif"]
    assert np.array_equal(found.sets[2].frames[1], two)
    assert len(np.unique(found.sets[1].frames[0])) > 200
    assert found.facts[1].depth == "float"


def test_results_of_the_product_are_no_frames(tmp_path, picture):
    frames = pair_of(picture)
    for n, frame in enumerate(frames):
        write(tmp_path / f"set/{n}.png", frame)
    result = fuse(np.stack(frames), system="guided")
    result.save(tmp_path / "set/nice.png")
    ((_, files),) = pairs.find([tmp_path])
    assert [p.name for p in files] == ["0.png", "1.png"]


def test_photographs_of_16_bits_train_drpl_too(tmp_path, picture):
    write(tmp_path / "wide.png", picture.astype(np.uint16) * 257)
    write(tmp_path / "dim.png", dim(picture))
    write(tmp_path / "plain.png", picture)
    held = pictures.load([tmp_path], 64, at_least=3)
    by_name = {name.rsplit("/", 1)[-1]: n for n, name in enumerate(held.names)}
    assert held.colour[by_name["wide.png"]].dtype == np.uint16
    assert len(np.unique(held.colour[by_name["dim.png"]])) > 1000
    assert np.array_equal(held.colour[by_name["plain.png"]], picture)
    wide, plain = (held.soft[by_name[n]] for n in ("wide.png", "plain.png"))
    assert (wide == plain).mean() > 0.97  # grey levels are rounded in one


def test_camera_raws_and_heics_are_frames_too(tmp_path, picture):
    pytest.importorskip("rawpy")
    heif = pytest.importorskip("pillow_heif")
    from tests.io.test_extras import write_dng

    (tmp_path / "raw").mkdir()
    (tmp_path / "heic").mkdir()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:200, :240]
    for n, frame in enumerate(pair_of(grey.astype(np.uint16) * 200)):
        write_dng(tmp_path / f"raw/{n}.dng", cfa=frame)
    for n, frame in enumerate(pair_of(picture)):
        height, width = frame.shape[:2]
        file = heif.from_bytes(mode="RGB", size=(width, height), data=frame.tobytes())
        file.save(tmp_path / f"heic/{n}.heic", quality=95)
        write_dng(tmp_path / f"heic/{n}.dng")  # of the same shot: no frame of its own
    found = pairs.load([tmp_path], 64)
    assert [(s.name, len(s.frames)) for s in found.sets] == [("heic", 2), ("raw", 2)]
    assert [f.depth for f in found.facts] == ["8 bit", "16 bit"]
    assert len(np.unique(found.sets[1].frames[0])) > 500


# agreeing and aligning


@pytest.mark.parametrize(
    "shift", [{"across": 1.3, "down": 0.8}, {"across": 6}, {"scale": 1.015}, {"scale": 0.985}]
)
def test_a_pair_that_does_not_lie_on_itself_is_aligned(tmp_path, shift):
    scene = texture(300, 340, seed=3)
    one, two = pair_of(scene)
    write(tmp_path / "set/0.png", one)
    write(tmp_path / "set/1.png", moved(two, **shift))
    left = pairs.load([tmp_path], 64, How(align=False))
    assert not left.sets
    found = pairs.load([tmp_path], 64)
    (held,) = found.sets
    first, second = held.frames
    assert pairs.mismatch(first, second) is None
    assert agree.shift_of(agree.band(first), agree.band(second)) < 0.2
    assert first.shape[0] <= 300
    assert first.shape[0] > 280
    assert found.facts[0].moved > 0.5
    assert "once 1 scenes were aligned" in found.summary()


def test_no_frame_is_enlarged(tmp_path, picture):
    """The frame in which the scene is smallest stays as it is, to the bit."""
    frames = [moved(soft(picture, 1.0), scale=scale) for scale in (0.97, 0.985, 1.0)]
    for n, frame in enumerate(frames):
        write(tmp_path / f"set/{n}.png", frame)
    (held,) = pairs.load([tmp_path], 64).sets
    assert len(held.frames) == 3
    height, width = held.frames[0].shape[:2]
    inside = [
        np.array_equal(frames[0][top : top + height, left : left + width], held.frames[0])
        for top in range(250 - height + 1)
        for left in range(280 - width + 1)
    ]
    assert any(inside)


def test_an_unfit_frame_costs_no_other_its_place(tmp_path, picture):
    frames = [soft(picture, 0.5 + n / 2) for n in range(4)]
    for bad in (0, 2):
        for n in range(5):
            other = n - (n > bad)
            frame = picture[::-1] if n == bad else frames[other]
            write(tmp_path / f"{bad}/{n}.png", frame)
    found = pairs.load([tmp_path], 64)
    assert [len(s.frames) for s in found.sets] == [4, 4]
    assert found.left_out == {"0 frame 0": "other content", "2 frame 2": "other content"}
    assert len(found.singles) == 2
    for held in found.sets:
        assert np.array_equal(np.stack(held.frames), np.stack(frames))
    assert not any(f.moved for f in found.facts)


def test_a_frame_of_another_size_is_left_out_and_the_rest_is_kept(tmp_path, picture):
    for n, frame in enumerate(pair_of(picture)):
        write(tmp_path / f"set/{n}.png", frame)
    write(tmp_path / "set/thumb.png", picture[::4, ::4])
    found = pairs.load([tmp_path], 64)
    assert [len(s.frames) for s in found.sets] == [2]
    assert found.left_out == {"set thumb.png": "of another size"}


def test_neighbours_speak_for_frames_too_far_apart_to_compare(picture, monkeypatch):
    unlike, near = agree.Comparison(alike=False), agree.Comparison(alike=True, shift=0.1)
    drift, far = (agree.Comparison(alike=True, shift=s) for s in (0.8, 1.2))
    found = {(0, 1): near, (1, 2): near, (2, 3): near, (0, 2): unlike, (1, 3): drift}
    monkeypatch.setattr(agree, "comparisons", lambda _: {**found, (0, 3): unlike})
    assert agree.grouped([picture] * 4).groups == ((0, 1, 2, 3),)
    monkeypatch.setattr(agree, "comparisons", lambda _: {**found, (0, 3): far})
    assert agree.grouped([picture] * 4) == agree.Grouping(((0, 1, 2),), {3: "shifted by 1.2 px"})


def test_frames_that_drift_apart_are_no_set(picture):
    frames = [moved(picture, across=0.45 * n) for n in range(5)]
    found = agree.grouped(frames)
    assert max(max(g) - min(g) for g in found.groups) <= 2
    assert found.kept >= 4


def test_two_scenes_in_a_folder_are_two_sets(tmp_path, picture):
    for n in range(3):
        write(tmp_path / f"set/a{n}.png", soft(picture, 1 + n))
        write(tmp_path / f"set/b{n}.png", soft(picture[::-1], 1 + n))
    found = pairs.load([tmp_path], 64)
    assert [len(s.frames) for s in found.sets] == [3, 3]
    assert found.scene_names == ["set"]


# keeping


def shifted(folder, picture):
    one, two = pair_of(picture)
    write(folder / "set/0.png", one)
    write(folder / "set/1.png", moved(two, across=2))


def test_a_second_run_finds_what_was_aligned(tmp_path, picture, monkeypatch):
    from panfocus.train import prepare

    shifted(tmp_path / "data", picture)
    run = tmp_path / "run"
    first = pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(run)))
    assert len(list(run.glob("*.npy"))) == 1

    def never(*_):
        raise AssertionError("compared again")

    monkeypatch.setattr(prepare, "grouped", never)
    again = pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(run)))
    assert again.facts == first.facts
    assert np.array_equal(np.stack(again.sets[0].frames), np.stack(first.sets[0].frames))
    # another content, another way, or a damaged file: made anew
    for how in (How(shelf=Shelf(run), align=False), How(shelf=Shelf(tmp_path / "other"))):
        with pytest.raises(AssertionError, match="again"):
            pairs.load([tmp_path / "data"], 64, how)
    (kept,) = run.glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(AssertionError, match="again"):
        pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(run)))


def test_verdicts_are_kept_too(tmp_path, picture, monkeypatch):
    from panfocus.train import prepare

    for n, frame in enumerate((*pair_of(picture), picture[::-1])):
        write(tmp_path / f"data/{n}.png", frame)
    first = pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(tmp_path / "run")))
    assert not list((tmp_path / "run").glob("*.npy"))  # the pictures are read in no time
    monkeypatch.delattr(prepare, "grouped")
    again = pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(tmp_path / "run")))
    assert again.left_out == first.left_out
    assert np.array_equal(np.stack(again.sets[0].frames), np.stack(first.sets[0].frames))


@pytest.mark.parametrize("folder", [True, False])
def test_what_memory_has_no_room_for_is_read_from_disk(tmp_path, picture, folder):
    shifted(tmp_path / "data", picture)
    for n, frame in enumerate((*pair_of(picture), picture[::-1])):
        write(tmp_path / f"data/other/{n}.png", frame)
    held = pairs.load([tmp_path / "data"], 64)
    place = tmp_path / "run" if folder else None
    found = pairs.load([tmp_path / "data"], 64, How(shelf=Shelf(place, room=1000)))
    if folder:
        assert len(list(place.glob("*.npy"))) == 3  # two sets, and a single frame
        assert not [p for p in place.iterdir() if p.name.startswith(".")]
    for one, other in zip(found.pictures(), held.pictures(), strict=True):
        assert isinstance(one, np.memmap)
        assert np.array_equal(one, other)
    sources, plain = (redefocus.sources_of(m.pictures()) for m in (found, held))
    assert all(isinstance(m, np.memmap) for m in sources.pictures.soft)
    key, odds = (0, 0), redefocus.Odds()
    made, wanted = (redefocus.batch(s, 64, 2, key, range(3), odds=odds) for s in (sources, plain))
    assert np.array_equal(made.frames, wanted.frames)


def test_large_pictures_are_reduced_as_fusing_reduces_them():
    large, whole = np.zeros((2000, 3000), np.uint8), np.zeros((1400, 1900, 3), np.uint8)
    assert levels.reduced(large).shape == (1000, 1500)
    assert levels.size_of(2001, 3001) == levels.reduced(np.zeros((2001, 3001))).shape
    assert levels.reduced(whole) is whole


def test_a_run_does_not_keep_its_material_among_the_pictures_it_learns_from(tmp_path):
    (tmp_path / "run/material").mkdir(parents=True)
    with pytest.raises(OutputError, match="one of the inputs"):
        check_run(tmp_path / "run", [tmp_path / "run/material"], None, resume=False)


# telling


def test_a_dry_run_tells_all_and_does_nothing(tmp_path, picture):
    from click.testing import CliRunner

    from panfocus.cli.training import train as app

    shifted(tmp_path / "data", picture)
    for n, frame in enumerate((*pair_of(dim(picture)), dim(picture)[::-1])):
        write(tmp_path / f"data/deep/{n}.png", frame)
    words = ["dualpath", "-d", str(tmp_path / "data"), "-o", str(tmp_path / "run"), "--dry-run"]
    done = CliRunner().invoke(app, [*words, "--set", "size=64"])
    assert done.exit_code == 0, done.output
    assert "deep: 2 of 3 frames, 280 x 250, 16 bit, stretched to its range" in done.output
    assert "deep frame 2: left out of pairs, other content" in done.output
    assert "set: 2 of 2 frames, 280 x 250 taken as 278 x 250" in done.output
    assert "aligned by up to 2.0 px" in done.output
    assert "nothing was trained" in done.output
    assert not (tmp_path / "run").exists()
    done = CliRunner().invoke(app, [*words, "--set", "size=64", "--no-align"])
    assert "set: 0 of 2 frames" in done.output
    assert "set frame 1: left out of pairs, shifted by" in done.output


def test_what_cannot_be_read_is_told_with_a_remedy(tmp_path, picture):
    write(tmp_path / "set/0.png", picture)
    (tmp_path / "set/1.png").write_bytes((tmp_path / "set/0.png").read_bytes()[:2000])
    with pytest.raises(DataError) as caught:
        pairs.load([tmp_path], 64)
    text = str(caught.value)
    assert "1.png" in text
    assert all(fact in text for fact in ("where:", "expected:", "got:", "remedy:"))


def test_a_run_says_what_it_was_given(tmp_path, picture):
    from click.testing import CliRunner

    from panfocus.cli.training import train as app

    shifted(tmp_path / "data", picture)
    words = ["-d", str(tmp_path / "data"), "-o", str(tmp_path / "run"), "--threads", "1"]
    small = ["--set", "size=64", "--steps", "1", "--no-validate", "--recipe", "paper"]
    done = CliRunner().invoke(app, ["dualpath", *words, *small])
    assert "2 of them once 1 scenes were aligned" in done.output
    assert json.loads((tmp_path / "run/run.json").read_text())["aligned"] is True
    assert len(list((tmp_path / "run/material").glob("*.npy"))) == 1


def test_how_far_loading_is_can_be_heard(tmp_path, picture):
    shifted(tmp_path / "data", picture)
    heard = []
    pairs.load([tmp_path / "data"], 64, How(tell=heard.append))
    assert "set: reading frame 2 of 2" in heard
    assert "set: aligning frame 2 of 2" in heard


def test_an_export_loads_as_its_run_did(tmp_path):
    from panfocus.train import supply

    assert supply.was_aligned(tmp_path)
    (tmp_path / "run.json").write_text('{"aligned": false}')
    assert not supply.was_aligned(tmp_path)
