"""The layouts of public sets, as they come; what is no frame and no truth; what is no stack."""

import numpy as np
import pytest

from panfocus import io
from panfocus.cli import main
from panfocus.errors import DataError
from panfocus.evaluate.datasets import find_samples
from panfocus.evaluate.store import NAME
from tests.conftest import focal_pair
from tests.evaluate.test_evaluate import touch


def found(folder):
    return {
        s.name: (
            [str(p.relative_to(folder)) for p in s.frames],
            s.truth and str(s.truth.relative_to(folder)),
        )
        for s in find_samples(folder).samples
    }


COLUMNS = [
    (("source_1", "source_2"), "full_clear"),  # MFI-WHU
    (("Source_1", "SOURCE_2"), "Full_Clear"),
    (("source1", "source2"), "GT"),
    (("NEAR", "FAR"), None),  # Lytro
    (("near", "far"), "allfocus"),
    (("Near", "Far"), "all_in_focus"),
    (("near-focus", "far-focus"), "ground truth"),
    (("imageA", "imageB"), "Fusion"),  # Real-MFF
    (("ImageA", "ImageB"), "fusion"),
    (("focus1", "focus2"), "gt"),
    (("focus_1", "focus_2", "focus_3"), "GroundTruth"),
    (("A", "B", "C"), "GT"),
    (("a", "b"), "AiF"),
    (("sourceA", "sourceB"), "all-in-focus"),
    (("img1", "img2"), "gt"),
    (("foreground", "background"), "truth"),
]


@pytest.mark.parametrize(("sides", "truth"), COLUMNS)
@pytest.mark.parametrize("masks", [None, "mask", "Masks", "decision_map", "focus_mask"])
def test_folders_of_equal_names_are_pairs(tmp_path, sides, truth, masks):
    folders = [*sides, *([truth] if truth else []), *([masks] if masks else [])]
    touch(tmp_path, *(f"{f}/{n}.png" for f in folders for n in (1, 2, 10)))
    assert found(tmp_path) == {
        str(n): ([f"{s}/{n}.png" for s in sides], truth and f"{truth}/{n}.png") for n in (1, 2, 10)
    }


@pytest.mark.parametrize(("sides", "truth"), COLUMNS[:9])
def test_they_are_found_in_folders_of_folders_too(tmp_path, sides, truth):
    for top in ("test", "deep/train"):
        touch(tmp_path, *(f"{top}/{f}/{n}.png" for f in (*sides, truth) if f for n in (1, 2)))
    assert list(found(tmp_path)) == ["deep/train/1", "deep/train/2", "test/1", "test/2"]


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        (("NEAR/near_1.png", "FAR/far_1.png", "NEAR/near_2.png", "FAR/far_2.png"), "NEAR FAR"),
        (("A/x-01-A.jpg", "B/x-01-B.jpg", "A/x-02-A.jpg", "B/x-02-B.jpg"), "A B"),
        (("source_1/1_1.png", "source_2/1_2.png", "source_1/2_1.png", "source_2/2_2.png"),
         "source_1 source_2"),
    ],
)  # fmt: skip
def test_names_may_tell_the_column_once_more(tmp_path, names, sides):
    touch(tmp_path, *names)
    samples = find_samples(tmp_path).samples
    assert len(samples) == 2
    assert all([p.parent.name for p in s.frames] == sides.split() for s in samples)


def test_a_partner_that_is_missing_is_told_of(tmp_path):
    touch(tmp_path, "NEAR/1.png", "FAR/1.png", "NEAR/2.png")
    dataset = find_samples(tmp_path)
    assert [s.name for s in dataset.samples] == ["1"]
    assert dataset.problems == [("2", "there is no 2 in FAR/")]


@pytest.mark.parametrize(
    "tails",
    [("-A", "-B"), ("_A", "_B"), ("_1", "_2"), ("-1", "-2"), ("_0", "_1"), ("_near", "_far"),
     ("_1", "_2", "_3"), ("-a", "-b", "-c"), ("_NEAR", "_FAR")],
)  # fmt: skip
@pytest.mark.parametrize("truth", ["_gt", "-AiF", "_truth", None])
def test_pairs_in_one_folder(tmp_path, tails, truth):
    names = [
        f"{n:02}{tail}.jpg" for n in (1, 2, 10) for tail in (*tails, *([truth] if truth else []))
    ]
    touch(tmp_path, *names, "01_mask.png", "mask/01.png")
    assert found(tmp_path) == {
        f"{n:02}": ([f"{n:02}{t}.jpg" for t in tails], truth and f"{n:02}{truth}.jpg")
        for n in (1, 2, 10)
    }


def test_the_letter_f_is_the_fused_picture_of_real_mff(tmp_path):
    touch(tmp_path, "001_A.png", "001_B.png", "001_F.png")
    assert found(tmp_path) == {"001": (["001_A.png", "001_B.png"], "001_F.png")}


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{n}.jpg" for n in range(1, 10)],
        [f"IMG_{n}.jpg" for n in range(1, 13)],
        [f"IMG_{n:04}.jpg" for n in range(1, 5)],
        ["a_1.png", "a_2.png", "b_1.png"],
        ["a_1.png", "a_2.png", "b_1.png", "b_2.png", "other.png"],
    ],
)
def test_frames_of_one_stack_are_no_pairs(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(DataError, match="no focal stack"):
        find_samples(tmp_path)
    touch(tmp_path.with_name("up"), *(f"s/{name}" for name in names))
    assert list(found(tmp_path.with_name("up"))) == ["s"]


@pytest.mark.parametrize(
    "stacks", [("1", "2", "3"), ("stack1", "stack2"), ("scene_1", "scene_2"), ("s1", "s2"),
               tuple(f"image{n}" for n in range(1, 13)), ("01", "02"), ("x", "y")],
)  # fmt: skip
def test_folders_of_stacks_stay_stacks(tmp_path, stacks):
    touch(tmp_path, *(f"{s}/f{n}.png" for s in stacks for n in range(3)))
    assert sorted(found(tmp_path)) == sorted(stacks)
    assert all(len(frames) == 3 for frames, _ in found(tmp_path).values())


@pytest.mark.parametrize(
    ("files", "frames", "truth"),
    [
        ("focus1 focus2 gt", "focus1 focus2", "gt"),
        ("near far allfocus mask", "near far", "allfocus"),
        ("imageA imageB Fusion", "imageA imageB", "Fusion"),
        ("A B GT", "A B", "GT"),
        ("1 2 full_clear decision_map", "1 2", "full_clear"),
        ("f1 f2 f10", "f1 f2 f10", None),
    ],
)
def test_a_folder_per_scene(tmp_path, files, frames, truth):
    touch(tmp_path, *(f"{s}/{f}.png" for s in ("s1", "s2") for f in files.split()))
    assert found(tmp_path)["s1"] == (
        [f"s1/{f}.png" for f in frames.split()], truth and f"s1/{truth}.png",
    )  # fmt: skip


def test_masks_and_what_machines_make_are_no_stacks(tmp_path):
    touch(tmp_path, "s/0.png", "s/1.png", "masks/0.png", "masks/1.png", "@eaDir/a.jpg",
          "@eaDir/b.jpg", "__MACOSX/a.png", "__MACOSX/b.png", "s/._0.png", "depth/a.png",
          "depth/b.png")  # fmt: skip
    assert list(found(tmp_path)) == ["s"]


BLACK = np.zeros((9, 9, 3), np.uint8)


def write(folder, scene, names="01"):
    for name, frame in zip(names, focal_pair(96, 128, scene)[0], strict=True):
        io.write_image(folder / f"{name}.png", frame, io.Metadata())


def evaluate(data, out, *words):
    return main(["evaluate", "--data", str(data), "--systems", "guided", "--no-plots",
                 "--metrics", "Q_G", "--out", str(out), *words])  # fmt: skip


def scored(out):
    path = out / NAME
    return [row.split(",")[0] for row in path.read_text().splitlines()[1:]] if path.exists() else []


@pytest.mark.parametrize(
    "sides", [("left", "right"), ("first shots", "second shots"), ("img1", "img2")]
)
def test_folders_of_many_scenes_are_refused(tmp_path, sides, capsys):
    for scene in range(3):
        for side, frame in zip(sides, focal_pair(96, 128, scene)[0], strict=True):
            io.write_image(tmp_path / f"d/{side}/{scene}.png", frame, io.Metadata())
    code = evaluate(tmp_path / "d", tmp_path / "out")
    if sides == ("img1", "img2"):  # what the names say is tried first, and holds
        assert (code, scored(tmp_path / "out")) == (0, ["0", "1", "2"])
        return
    assert code != 0
    assert scored(tmp_path / "out") == []
    assert "not frames of one scene" in capsys.readouterr().err


def test_stacks_called_image1_and_image2_are_not_scored_as_pairs(tmp_path, capsys):
    for n in (1, 2):
        write(tmp_path / f"d/image{n}", n)
    assert evaluate(tmp_path / "d", tmp_path / "out") != 0
    assert scored(tmp_path / "out") == []


def test_stacks_are_scored_and_results_in_them_left_out_with_a_note(tmp_path, capsys):
    for n in range(2):
        write(tmp_path / f"d/s{n}", n)
    stack = tmp_path / "d/s1"
    assert main(["fuse", str(stack), "-o", str(stack / "2.png"), "-s", "guided", "-q"]) == 0
    assert len(find_samples(tmp_path / "d").samples[1].frames) == 2
    assert evaluate(tmp_path / "d", tmp_path / "out") == 0
    assert scored(tmp_path / "out") == ["s0", "s1"]
    assert "2.png" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["scores", "."])
def test_an_evaluation_in_its_own_data_is_not_scored(tmp_path, out):
    data = tmp_path / "d"
    for n in range(2):
        write(data / f"s{n}", n)
    assert evaluate(data, data / out, "--save-images") == 0
    for name in ("plots", "fused"):
        for n in range(2):
            io.write_image(
                data / out / name / f"{n}.png", np.zeros((9, 9, 3), np.uint8), io.Metadata()
            )
    assert [s.name for s in find_samples(data).samples] == ["s0", "s1"]
    assert evaluate(data, data / out, "--save-images") == 0


def test_sets_beside_stacks_are_told_of(tmp_path):
    touch(tmp_path, "s/0.png", "s/1.png", "lytro/A/x.png", "lytro/B/x.png")
    dataset = find_samples(tmp_path)
    assert [s.name for s in dataset.samples] == ["s"]
    assert any("lytro" in note for note in dataset.notes)
