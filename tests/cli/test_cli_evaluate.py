"""`panfocus metrics`, `evaluate` and `synthesize` as a user meets them."""

import csv
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from panfocus.cli import main
from panfocus.cli.repeated_options import repeat_options
from panfocus.evaluate import contestants
from panfocus.metrics import METRICS, evaluate_all
from panfocus.pipeline.fuse import fuse
from panfocus.synthesis.breathing import breathing_scene
from panfocus.synthesis.focal_stacks import depth_scene
from panfocus.synthesis.material import fit
from panfocus.synthesis.motion import Motion
from tests.conftest import blurred, focal_pair, psnr, texture


def panfocus(*words):
    return main([*map(str, words)])


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def read(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def make_pairs(folder, count=3):
    for n in range(count):
        (a, b), truth = focal_pair(48, 64, seed=n)
        for side, pixels in (("A", a), ("B", b), ("GT", truth)):
            save(folder / side / f"p{n}.png", pixels)
    return folder


@pytest.fixture
def data(tmp_path):
    """Three pairs with truth; and somebody's results, far worse than any system's."""
    make_pairs(tmp_path / "data")
    for n in range(3):
        poor = blurred(focal_pair(48, 64, seed=n)[1])
        save(tmp_path / "poor" / f"out_p{n}.png", poor)
    return tmp_path / "data"


def rows(out):
    with (out / "scores.csv").open() as file:
        return {(r["image"], r["system"]): r for r in csv.DictReader(file)}


def evaluate(data, out, *words):
    few = ("--metrics", "SSIM", "--no-plots")
    return panfocus("evaluate", "--data", data, "--out", out, *few, *words)


@pytest.fixture
def count_fusions(monkeypatch):
    """Names of the samples that a system was run on."""
    calls = []
    plain = contestants.fuse

    def counted(frames, **options):
        calls.append(frames[0].stem)
        return plain(frames, **options)

    monkeypatch.setattr(contestants, "fuse", counted)
    return calls


# --- metrics


def test_metrics_of_one_picture_as_json(tmp_path, capsys):
    (a, b), truth = focal_pair(48, 64)
    files = [save(tmp_path / f"{n}.png", p) for n, p in zip("abft", (a, b, a, truth), strict=True)]
    words = ["metrics", "--sources", files[0], files[1], "--fused", files[2], "--json"]
    assert panfocus(*words, "--reference", files[3]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == pytest.approx(evaluate_all([a, b], a, truth))
    assert list(json.loads(captured.out)) == list(METRICS)
    assert captured.err == ""
    assert panfocus(*words) == 0
    captured = capsys.readouterr()
    assert "PSNR" not in json.loads(captured.out)
    assert "PSNR left out" in captured.err


def test_metrics_of_three_sources_and_of_the_truth_itself(tmp_path, capsys):
    picture = save(tmp_path / "a.png", texture(32, 32))
    words = ["metrics", "--fused", picture, *["--sources", picture] * 3, "--reference", picture]
    assert panfocus(*words, "--json", "--metrics", "PSNR,Q_Y,Q_G") == 0
    captured = capsys.readouterr()
    values = json.loads(captured.out)
    assert values.keys() == {"PSNR", "Q_G"}
    assert values["PSNR"] is None  # JSON has no infinity
    assert "Q_Y left out" in captured.err
    assert panfocus(*words) == 0
    table = capsys.readouterr().out
    assert "↑  gradient transfer" in table
    assert "↓  Chen-Varshney" in table


def test_metrics_that_cannot_be(tmp_path, capsys):
    picture = save(tmp_path / "a.png", texture(32, 32))
    words = ["metrics", "--fused", picture, "--sources", picture, picture]
    assert panfocus(*words, "--metrics", "PSNR") == 2
    assert panfocus(*words, "--metrics", "NO") == 2
    small = save(tmp_path / "s.png", texture(32, 16))
    assert panfocus("metrics", "--fused", small, "--sources", picture, picture) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--s A B --f F", "--s A --s B --f F"),
        ("--s A --s B", "--s A --s B"),
        ("--s=A B --j", "--s=A --s B --j"),
        ("--f F --s", "--f F --s"),
    ],
)
def test_an_option_takes_several_words(words, expected):
    assert repeat_options(words.split(), {"--s"}) == expected.split()


# --- evaluate


def test_a_whole_evaluation(data, tmp_path, capsys):
    out = tmp_path / "out"
    poor = f"poor={tmp_path / 'poor'}"
    words = ["--systems", "guided", "--results", poor, "--save-images", "--plots"]
    assert evaluate(data, out, *words, "--metrics", "SSIM,GMSD") == 0
    table = rows(out)
    assert table.keys() == {(f"p{n}", s) for n in range(3) for s in ("guided", "poor")}
    fused, truth = read(out / "fused" / "guided" / "p1.png"), read(data / "GT" / "p1.png")
    row = table["p1", "guided"]
    assert float(row["PSNR_RGB"]) == pytest.approx(psnr(fused, truth))
    assert float(row["PSNR_RGB_cut4"]) == pytest.approx(psnr(fused[4:-4, 4:-4], truth[4:-4, 4:-4]))
    summary = json.loads((out / "summary.json").read_text())
    assert summary["metrics"]["GMSD"]["better"] == "lower"
    assert summary["overall_mean_rank"] == {"guided": 1, "poor": 2}
    assert summary["metrics"]["SSIM"]["wilcoxon"][0]["p"] == pytest.approx(2 / 2**3)
    shown = capsys.readouterr().out
    assert shown == (out / "summary.md").read_text()
    assert "| SSIM ↑ | **" in shown
    assert (out / "plots" / "SSIM.png").stat().st_size > 1000
    assert (out / "worst.png").stat().st_size > 1000


def test_resuming_skips_what_is_done(data, tmp_path, count_fusions, capsys):
    out = tmp_path / "out"
    assert evaluate(data, out, "--systems", "guided") == 0
    assert sorted(set(count_fusions)) == ["p0", "p1", "p2"]
    before = rows(out)
    lines = (out / "scores.csv").read_text().splitlines()
    (out / "scores.csv").write_text("\n".join([*lines[:2], lines[3]]) + "\n")  # p1 is lost
    count_fusions.clear()
    assert evaluate(data, out, "--systems", "guided") == 0
    assert count_fusions == ["p1"]
    assert "1 pictures scored, 2 kept" in capsys.readouterr().err
    scores = {k: {**r, "seconds": ""} for k, r in rows(out).items()}
    assert scores == {k: {**r, "seconds": ""} for k, r in before.items()}


def test_another_system_joins_what_is_there(data, tmp_path, capsys):
    out = tmp_path / "out"
    assert evaluate(data, out, "--results", f"poor={tmp_path / 'poor'}") == 0
    assert evaluate(data, out, "--systems", "guided") == 0
    assert len(rows(out)) == 6
    assert "poor" not in (out / "summary.md").read_text()
    capsys.readouterr()


def test_changed_files_or_settings_are_not_mixed_with_old_scores(data, tmp_path, capsys):
    out, poor = tmp_path / "out", f"poor={tmp_path / 'poor'}"
    assert evaluate(data, out, "--results", poor) == 0
    before = (out / "scores.csv").read_bytes()
    assert evaluate(data, out, "--results", poor, "--cut", 2) == 1
    save(tmp_path / "poor" / "out_p2.png", texture(48, 64, 9))
    assert evaluate(data, out, "--results", poor) == 1
    assert "1 that differ, first poor on p2" in capsys.readouterr().err
    assert (out / "scores.csv").read_bytes() == before
    assert evaluate(data, out, "--results", poor, "--overwrite") == 0
    assert (out / "scores-before-1.csv").read_bytes() == before
    assert (out / "scores.csv").read_bytes() != before


def test_bands_are_scored_as_users_get_them_or_left(tmp_path):
    """The pictures that are scored are those of `fuse` by the same option."""
    made = depth_scene(np.random.default_rng(3), [texture(96, 128, seed=k) for k in range(4)], 5)
    for n, frame in enumerate(made.frames):
        save(tmp_path / "data/one" / f"{n}.png", frame)
    files = sorted((tmp_path / "data/one").iterdir())
    fused = {}
    for way in ("mend", "off"):
        words = ["--systems", "guided", "--metrics", "EN", "--save-images", "--banding", way]
        out = tmp_path / way
        assert panfocus("evaluate", "--data", tmp_path / "data", "--out", out, *words) == 0
        assert json.loads((out / "summary.json").read_text())["settings"]["banding"] == way
        fused[way] = read(next((out / "fused/guided").iterdir()))
        plain = fuse(files, system="guided", align="none", guard="off", banding=way)
        assert np.array_equal(fused[way], plain.image)
    assert not np.array_equal(fused["mend"], fused["off"])


def test_one_bad_image_does_not_stop_the_run(data, tmp_path, capsys):
    out = tmp_path / "out"
    (data / "B" / "p1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "poor" / "out_p2.png").unlink()
    code = evaluate(data, out, "--systems", "guided", "--results", f"poor={tmp_path / 'poor'}")
    assert code == 3
    assert rows(out).keys() == {("p0", "guided"), ("p2", "guided"), ("p0", "poor")}
    failures = json.loads((out / "summary.json").read_text())["failures"]
    assert {(f["image"], f["system"]) for f in failures} == {
        ("p1", "guided"),
        ("p1", "poor"),
        ("p2", "poor"),
    }
    assert "failed: p1, guided" in capsys.readouterr().err


def test_a_lost_partner_is_a_failure_of_that_pair_alone(data, tmp_path, capsys):
    (data / "A" / "p0.png").unlink()
    assert evaluate(data, tmp_path / "out", "--systems", "guided") == 3
    assert rows(tmp_path / "out").keys() == {("p1", "guided"), ("p2", "guided")}
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_to_compare_is_no_name_that_is_taken(data, tmp_path, capsys):
    assert panfocus("evaluate", "--data", data, "--out", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "--systems dualpath,guided" in told and "rename" not in told
    assert not (tmp_path / "out").exists()


def test_nothing_foreign_is_replaced(data, tmp_path, capsys):
    out, poor = tmp_path / "out", f"poor={tmp_path / 'poor'}"
    out.mkdir()
    (out / "summary.md").write_text("mine")
    assert evaluate(data, out, "--results", poor) == 1
    assert (out / "summary.md").read_text() == "mine"
    (out / "scores.csv").write_text("a,b\n1,2\n")
    assert evaluate(data, out, "--results", poor) == 1
    assert (out / "scores.csv").read_text() == "a,b\n1,2\n"
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_in_place_of_the_scores_is_told_and_not_waited_for(data, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    os.mkfifo(out / "scores.csv")
    assert evaluate(data, out, "--systems", "guided") == 1
    assert "not an ordinary file" in capsys.readouterr().err
    assert (out / "scores.csv").is_fifo()


def test_without_scipy_and_matplotlib_the_scores_are_still_written(
    data, tmp_path, monkeypatch, capsys
):
    for name in ("scipy.stats", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    words = ["--systems", "guided", "--results", f"poor={tmp_path / 'poor'}", "--json", "--plots"]
    assert evaluate(data, tmp_path / "out", *words) == 0
    captured = capsys.readouterr()
    assert captured.err.count("panfocus[evaluate]") == 2
    assert json.loads(captured.out)["metrics"]["SSIM"]["wilcoxon"] == []


# --- synthesize


@pytest.fixture
def sharp(tmp_path):
    """Two sharp pictures of different sizes."""
    save(tmp_path / "sharp" / "a.png", texture(72, 96, 1))
    save(tmp_path / "sharp" / "b.png", texture(60, 64, 2))
    return tmp_path / "sharp"


def synthesize(pictures, out, *words):
    return panfocus("synthesize", pictures, "--out", out, *words)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_seed_gives_the_same_set_in_the_benchmarks_layout(sharp, tmp_path, capsys):
    words = ["--kind", "layers", "--kind", "void", "--count", 2, "--frames", 2]
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        assert synthesize(sharp, tmp_path / name, *words, "--seed", seed) == 0
    one = contents(tmp_path / "one")
    assert {str(p) for p in one if str(p).startswith("layers")} == {
        *(f"layers/0{n}/f{k}.png" for n in (0, 1) for k in (0, 1)),
        *(f"layers-truth/0{n}{end}.png" for n in (0, 1) for end in ("", "-index", "-band")),
        "layers-truth/manifest.json",
    }
    assert one == contents(tmp_path / "two")
    assert one != contents(tmp_path / "three")
    manifest = json.loads((tmp_path / "one/void-truth/manifest.json").read_text())
    assert (manifest["seed"], manifest["kind"], len(manifest["scenes"])) == (5, "void", 2)
    assert manifest["scenes"][1]["pictures"] == ["b.png", "a.png"]
    assert {"panfocus", "numpy", "opencv"} <= manifest["versions"].keys()
    capsys.readouterr()


def test_a_set_is_never_overwritten_unasked(sharp, tmp_path, capsys):
    words = ["--kind", "depth", "--count", 1]
    assert synthesize(sharp, tmp_path / "out", *words, "--frames", 3) == 0
    before = contents(tmp_path / "out")
    assert synthesize(sharp, tmp_path / "out", *words, "--frames", 2, "--kind", "hard") == 1
    assert contents(tmp_path / "out") == before
    assert "--overwrite" in capsys.readouterr().err
    assert synthesize(sharp, tmp_path / "out", *words, "--frames", 2, "--overwrite") == 0
    assert sorted(p.name for p in (tmp_path / "out/depth/00").iterdir()) == ["f0.png", "f1.png"]


def test_what_a_kind_cannot_be_is_refused(sharp, tmp_path, capsys):
    assert synthesize(sharp, tmp_path / "out", "--kind", "hard", "--frames", 3) == 2
    assert synthesize(sharp, tmp_path / "out", "--kind", "hard", "--depth-maps", sharp) == 2
    (tmp_path / "maps").mkdir()
    save(tmp_path / "maps" / "a.png", texture(8, 8, channels=1))
    words = ["--kind", "depth", "--depth-maps", tmp_path / "maps"]
    assert synthesize(sharp, tmp_path / "out", *words) == 1
    assert "expected: a file called b" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_depth_maps_decide_which_frame_is_sharp(tmp_path, capsys):
    save(tmp_path / "a.png", texture(64, 96))
    ramp = np.tile(np.linspace(40, 200, 48).astype(np.uint8), (32, 1))
    save(tmp_path / "maps" / "a.png", ramp)
    words = ["--kind", "depth", "--count", 1, "--frames", 4, "--depth-maps", tmp_path / "maps"]
    assert synthesize(tmp_path / "a.png", tmp_path / "out", *words) == 0
    index = read(tmp_path / "out/depth-truth/00-index.png")
    assert index[0, 0] == 0
    assert index[-1, -1] == 3
    assert (np.diff(index[10].astype(int)) >= 0).all()
    capsys.readouterr()


def test_a_breathing_set_evaluates_and_tells_its_motions(sharp, tmp_path, capsys):
    assert (
        synthesize(sharp, tmp_path / "out", "--kind", "breathing", "--count", 1, "--frames", 3) == 0
    )
    scene = json.loads((tmp_path / "out/breathing-truth/manifest.json").read_text())["scenes"][0]
    assert [m["scale"] for m in scene["motions"]] == pytest.approx([0.996, 1, 1.004])
    assert scene["motions"][1]["truth_to_frame"] == [[1, 0, 0], [0, 1, 0]]
    moved = scene["motions"][0]
    assert 0 < abs(moved["shift_x"]) <= 2.5
    assert 0 < abs(moved["rotation"]) <= 0.15
    assert (
        panfocus(
            *("evaluate", "--data", tmp_path / "out", "--out", tmp_path / "scores"),
            *("--systems", "guided", "--metrics", "SSIM", "--no-plots"),
        )
        == 0
    )
    assert rows(tmp_path / "scores")["breathing/00", "guided"]["PSNR_RGB_band"]
    capsys.readouterr()


def test_motions_bring_a_breathing_frame_back_onto_the_truth():
    import cv2

    pictures = [blurred(texture(160, 200, seed), 1.0) for seed in range(4)]
    scene = breathing_scene(np.random.default_rng(0), pictures, 3)
    height, width = scene.truth.shape[:2]
    assert min(height, width) > 100
    mine = scene.index == 0
    inner = np.zeros_like(mine)
    inner[10:-10, 10:-10] = True
    back = cv2.warpAffine(
        scene.frames[0],
        scene.motions[0].matrix(height, width),
        (width, height),
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP,
    )
    where = mine & inner & ~scene.band
    assert (
        psnr(back[where], scene.truth[where]) > psnr(scene.frames[0][where], scene.truth[where]) + 3
    )


def test_a_motion_turns_about_the_centre():
    matrix = Motion(2.0, 90.0, 1.0, 0.0).matrix(11, 21)
    np.testing.assert_allclose(matrix @ [10, 5, 1], [11, 5], atol=1e-12)
    np.testing.assert_allclose(matrix @ [11, 5, 1], [11, 7], atol=1e-12)


def test_pictures_are_fitted_without_distortion():
    square = np.zeros((50, 100, 3), np.uint8)
    square[20:30, 45:55] = 255
    fitted = fit(square, 100, 100)
    assert fitted.shape == (100, 100, 3)
    tall, wide = (fitted[..., 0] > 128).any(axis=1).sum(), (fitted[..., 0] > 128).any(axis=0).sum()
    assert tall == wide == 20
