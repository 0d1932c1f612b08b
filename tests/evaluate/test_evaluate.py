"""Layouts, ranks and tests on known numbers, scores; no system is run here."""

import math

import numpy as np
import pytest

from panfocus.errors import DataError, InputError, UsageError
from panfocus.evaluate.contestants import Fusing, file_hash, gather
from panfocus.evaluate.datasets import find_samples
from panfocus.evaluate.pictures import find_result
from panfocus.evaluate.scores import Wanted, score
from panfocus.evaluate.statistics import mean_ranks, spread, wilcoxon
from tests.conftest import focal_pair, texture


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def found(folder):
    return {
        s.name: ([p.name for p in s.frames], s.truth and str(s.truth.relative_to(folder.parent)))
        for s in find_samples(folder).samples
    }


def test_folders_a_b_c_with_truths(tmp_path):
    data = touch(tmp_path / "d", "A/x.png", "B/x.jpg", "C/x.png", "GT/x.png", "A/notes.txt")
    touch(data, "A/y10.png", "B/y10.png", "C/y10.png", "A/y9.png", "B/y9.png", "C/y9.png")
    assert found(data) == {
        "x": (["x.png", "x.jpg", "x.png"], "d/GT/x.png"),
        "y9": (["y9.png"] * 3, None),
        "y10": (["y10.png"] * 3, None),
    }
    assert list(found(data)) == ["x", "y9", "y10"]


def test_a_missing_partner_is_a_problem_of_that_sample_only(tmp_path):
    data = touch(tmp_path, "A/x.png", "B/x.png", "A/lone.png")
    dataset = find_samples(data)
    assert [s.name for s in dataset.samples] == ["x"]
    assert dataset.problems == [("lone", "there is no lone in B/")]


def test_lettered_files_in_one_folder(tmp_path):
    data = touch(
        tmp_path / "d",
        *("lytro-01-A.jpg", "lytro-01-B.jpg", "lytro-02-A.jpg", "lytro-02-B.jpg"),
        *("lytro-02-C.jpg", "lytro-02-GT.png", "lytro-03-B.jpg", "logo.png", "some-x.png"),
    )
    assert found(data) == {
        "lytro-01": (["lytro-01-A.jpg", "lytro-01-B.jpg"], None),
        "lytro-02": (
            ["lytro-02-A.jpg", "lytro-02-B.jpg", "lytro-02-C.jpg"],
            "d/lytro-02-GT.png",
        ),
    }
    assert [name for name, _ in find_samples(data).problems] == ["lytro-03"]


@pytest.mark.parametrize(
    "truth",
    ["d/s/gt.png", "d/s/AiF/any.png", "d/GT/s.png", "d/s-truth.png", "d/s_gt.png", "d-truth/s.png"],
)
def test_a_folder_per_stack_finds_its_truth(tmp_path, truth):
    data = touch(tmp_path / "d", "s/f10.png", "s/f2.png", "s/f1.png", "t/0.png", "t/1.png")
    touch(tmp_path, truth)
    assert found(data) == {
        "s": (["f1.png", "f2.png", "f10.png"], truth),
        "t": (["0.png", "1.png"], None),
    }


def test_a_folder_of_sets_and_their_bands(tmp_path):
    touch(tmp_path, "k/00/f0.png", "k/00/f1.png", "k-truth/00.png", "k-truth/00-band.png")
    touch(tmp_path, "k-truth/00-index.png", "pairs/A/p.png", "pairs/B/p.png")
    samples = find_samples(tmp_path).samples
    assert [s.name for s in samples] == ["k/00", "pairs/p"]
    assert samples[0].band == tmp_path / "k-truth" / "00-band.png"


def test_no_stacks_at_all(tmp_path):
    touch(tmp_path, "a.png", "one/a.png")
    with pytest.raises(DataError, match="A/ B/"):
        find_samples(tmp_path)
    with pytest.raises(DataError):
        find_samples(tmp_path / "nothing")


def test_results_are_found_by_equal_stem_then_by_ending(tmp_path):
    touch(tmp_path, "01.png", "fused_01.png", "fused-02.png", "x03.png", "a_04.png", "b_04.png")
    assert find_result(tmp_path, "01").name == "01.png"
    assert find_result(tmp_path, "02").name == "fused-02.png"
    assert find_result(touch(tmp_path, "kind/02.jpg"), "kind/02").name == "02.jpg"
    with pytest.raises(DataError):  # "x03" is another name than "03"
        find_result(tmp_path, "03")
    with pytest.raises(DataError, match=r"a_04\.png, b_04\.png"):
        find_result(tmp_path, "04")


def table(**systems):
    return {(name, str(n)): v for name, row in systems.items() for n, v in enumerate(row)}


def test_mean_ranks_share_ties_and_skip_images_that_one_system_lacks():
    values = table(a=[3.0, 3, 1, 9], b=[2.0, 3, 2, 9], c=[1.0, 1, 3])
    assert mean_ranks(values, ["a", "b", "c"], lower=False) == pytest.approx(
        {"a": (1 + 1.5 + 3) / 3, "b": (2 + 1.5 + 2) / 3, "c": (3 + 3 + 1) / 3}
    )
    assert mean_ranks(values, ["a", "c"], lower=True) == pytest.approx({"a": 5 / 3, "c": 4 / 3})
    assert mean_ranks(table(a=[1.0]), ["a", "b"], lower=True) == {}


def test_wilcoxon_on_known_numbers():
    # all of 6 differences of one sign: p = 2 / 2^6; one of them against: W = 1, p = 4 / 2^6
    one = wilcoxon(table(a=[1.0, 2, 3, 4, 5, 6], b=[0.0] * 6), ["a", "b"])
    assert (one[0].count, one[0].median, one[0].p) == (6, 3.5, pytest.approx(2 / 64))
    other = wilcoxon(table(a=[-1.0, 2, 3, 4, 5, 6], b=[0.0] * 6), ["a", "b"])
    assert other[0].p == pytest.approx(4 / 64)


def test_wilcoxon_of_equal_and_of_infinite_values():
    same = wilcoxon(table(a=[1.0, math.inf], b=[1.0, math.inf]), ["a", "b"])
    assert (same[0].median, same[0].p) == (0, 1)
    assert wilcoxon(table(a=[math.inf] * 6, b=[30.0] * 6), ["a", "b"])[0].p < 0.05
    assert [(t.first, t.second) for t in wilcoxon(table(a=[1], b=[1], c=[1]), "abc")] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_spread_is_that_of_a_sample_and_of_finite_values():
    assert spread([1.0, 2.0, 3.0, math.inf]).mean == 2
    assert spread([1.0, 2.0, 3.0]).std == 1
    assert math.isnan(spread([4.0]).std)


def test_psnr_is_cut_and_banded():
    frames, truth = focal_pair(64, 64)
    fused = truth.copy()
    fused[0] = 255 - fused[0] // 2  # a bad line at the border
    fused[40, 40] ^= 8
    band = np.zeros((64, 64), bool)
    band[38:42, 38:42] = True
    out = score(list(frames), fused, truth, band, Wanted(("SF",), 4))
    assert set(out) == {"PSNR_RGB", "PSNR_RGB_cut4", "PSNR_RGB_band", "SF"}
    assert out["PSNR_RGB"] < 30 < out["PSNR_RGB_band"] < out["PSNR_RGB_cut4"]
    assert out["PSNR_RGB_band"] == pytest.approx(10 * math.log10(255**2 / (64 / 16)))
    assert score(list(frames), truth, truth, None, Wanted(("SF",), 0))["PSNR_RGB"] == math.inf


def test_sixteen_bits_score_like_eight():
    frames, truth = focal_pair(48, 48)
    noisy = texture(48, 48, 3)
    wide = [p.astype(np.uint16) * 257 for p in (*frames, noisy, truth)]
    eight = score(list(frames), noisy, truth, None, Wanted(("SF",), 2))
    sixteen = score(wide[:2], wide[2], wide[3], None, Wanted(("SF",), 2))
    assert sixteen["PSNR_RGB"] == pytest.approx(eight["PSNR_RGB"], rel=1e-9)


def test_metrics_that_do_not_fit_are_left_out_or_refused():
    frames, truth = focal_pair(32, 32)
    out = score([*frames, frames[0]], truth, None, None, Wanted(("Q_Y", "PSNR", "EN"), 0))
    assert set(out) == {"EN"}
    with pytest.raises(UsageError, match="PSNR"):
        Wanted(("PSNR",), 0).check([2], has_truth=False)
    with pytest.raises(UsageError, match="no metric"):
        Wanted(("NO",), 0).check([2], has_truth=True)
    with pytest.raises(InputError, match="cut"):
        score(list(frames), truth, truth, None, Wanted(("EN",), 16))


def test_contestants_need_names_of_their_own(tmp_path):
    with pytest.raises(UsageError):
        gather([], [], Fusing())
    with pytest.raises(UsageError, match="guided, guided"):
        gather(["guided"], [f"guided={tmp_path}"], Fusing())
    with pytest.raises(UsageError, match="NAME=DIR"):
        gather([], ["x"], Fusing())
    with pytest.raises(UsageError, match="alignment"):
        gather(["guided"], [], Fusing(align="no such kind"))
    with pytest.raises(DataError):
        gather([], [f"x={tmp_path / 'no'}"], Fusing())


def test_a_file_that_vanished_is_an_error_of_its_own(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png"):
        file_hash(tmp_path / "gone.png")
