"""Projects without a page: strokes on the pixels of the files, however the stack is fused."""

import json
import shlex
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile

import panfocus
from panfocus.cli import main
from panfocus.errors import InputError, SystemError_, UsageError
from panfocus.pipeline import palettes, retouched
from panfocus.pipeline.project import Project
from panfocus.pipeline.replay import plan_project, with_result
from panfocus.retouch import FrameSource, FusedSource, Region, Sharpest, Stroke, SystemSource
from panfocus.retouch.coverage import coverage
from tests.conftest import blurred, psnr, texture
from tests.pipeline.test_project import write_stack

DOT = Stroke("brush", ((60, 40),), FrameSource(2), radius=12, hardness=1)


def project_in(folder, **options):
    plan = panfocus.plan([folder / "shots"], panfocus.Options(system="guided", **options))
    return Project.of(plan, panfocus.fuse(plan), folder)


@pytest.fixture
def home(tmp_path):
    write_stack(tmp_path / "shots")
    return tmp_path


def placed(project, number):
    """A frame as the fusion had it."""
    planned = plan_project(project)
    fusion = project.fuse()
    frame = panfocus.io.read_frame(planned.plan.infos[number])
    return fusion, fusion.registration.place(number, frame)


def test_without_strokes_it_is_the_fusion_bit_for_bit(home):
    project = project_in(home)
    plain = panfocus.fuse(home / "shots", system="guided")
    again = project.fuse()
    for name in ("image", "index", "depth", "confidence"):
        assert np.array_equal(getattr(again, name), getattr(plain, name)), name
    assert again.report.registration == plain.report.registration
    assert again.report.cropped_to == plain.report.cropped_to
    assert again.report.warnings == plain.report.warnings
    assert again.report.retouch is None


def test_registration_is_used_again_and_not_worked_out(home, monkeypatch):
    project = project_in(home)
    from panfocus.pipeline import register

    def never(*_args):
        raise AssertionError("registered anew")

    monkeypatch.setattr(register, "look", never)
    project.fuse()
    project.with_options(mode="select", keep_size=True).fuse()
    with pytest.raises(AssertionError, match="anew"):
        project.with_options(align_to="reference").fuse()


def test_the_core_has_the_frame_s_pixels_and_the_maps_follow(home):
    project = replace(project_in(home), strokes=(DOT,))
    fusion, frame = placed(project, 2)
    height, width = fusion.image.shape[:2]
    cover = coverage(DOT, Region(0, 0, width, height))
    assert np.array_equal(fusion.image[cover == 1], frame.pixels[cover == 1])
    assert (fusion.index[cover >= 0.5] == 2).all()
    assert (fusion.depth[cover >= 0.5] == 2).all()
    assert (fusion.confidence[cover >= 0.5] == 1).all()
    plain = replace(project, strokes=()).fuse()
    assert np.array_equal(fusion.image[cover == 0], plain.image[cover == 0])
    assert not np.array_equal(fusion.image, plain.image)
    assert fusion.report.retouch == {"strokes": 1, "sources": {"2.png": 1}}


def test_strokes_stay_on_their_content_when_fused_with_other_options(home):
    project = replace(project_in(home), strokes=(DOT,))
    cropped, _ = placed(project, 2)
    field = cropped.registration.field
    assert (field.left, field.top) != (0, 0) or field.bottom < 180
    for options in ({"keep_size": True}, {"mode": "select", "keep_size": True}):
        whole = project.with_options(**options).fuse()
        inner = whole.image[field.top : field.bottom, field.left : field.right]
        core = coverage(DOT, Region(0, 0, inner.shape[1], inner.shape[0])) == 1
        assert np.array_equal(inner[core], cropped.image[core])
    # another reference frame: the same pixels of frame 2, wherever they are now
    other = project.with_options(reference=2, exposure="none").fuse()
    raw = cv2.imread(str(home / "shots/2.png"))[..., ::-1]
    there = other.registration.field
    x, y = [round(float(v)) for v in _in_frame(cropped, 2, (60, 40))]
    at = np.s_[y - there.top - 4 : y - there.top + 5, x - there.left - 4 : x - there.left + 5]
    assert np.array_equal(other.image[at], raw[y - 4 : y + 5, x - 4 : x + 5])


def _in_frame(fusion, number, place):
    field = fusion.registration.field
    matrix = fusion.registration.alignment.frames[number].matrix
    moved = matrix @ [place[0] + field.left, place[1] + field.top, 1]
    return moved[:2] / moved[2]


def test_a_project_goes_on_after_another_fusion(home):
    project = replace(project_in(home), strokes=(DOT,))
    changed = project.with_options(keep_size=True)
    planned = plan_project(changed)
    done = with_result(changed, planned, changed.fuse())
    assert done.strokes[0].points != DOT.points
    assert done.size == (180, 260)
    assert np.array_equal(done.fuse().image, changed.fuse().image)


def test_the_eraser_and_another_system(home):
    project = project_in(home)
    plain = project.fuse()
    other = panfocus.fuse(home / "shots", system="guided-tenengrad")
    square = Stroke("rectangle", ((9.5, 9.5), (49.5, 39.5)), SystemSource("guided-tenengrad"), 0)
    eraser = Stroke("rectangle", ((19.5, 9.5), (60, 60)), FusedSource(), 0)
    made = replace(project, strokes=(square, eraser)).fuse()
    assert np.array_equal(made.image[10:40, 10:20], other.image[10:40, 10:20])
    assert np.array_equal(made.index[10:40, 10:20], other.index[10:40, 10:20])
    assert np.array_equal(made.image[:, 20:], plain.image[:, 20:])


def test_the_sharpest_frame_is_resolved_by_this_fusion(home):
    stroke = replace(DOT, source=Sharpest())
    project = project_in(home)
    number = int(project.fuse().index[40, 60])
    made = replace(project, strokes=(stroke,)).fuse()
    assert (made.index[coverage(DOT, Region(0, 0, *made.index.shape[::-1])) >= 0.5] == number).all()


def test_what_strokes_cannot_name_is_refused(home):
    project = project_in(home)
    for source, error in (
        (FrameSource(9), InputError),
        (SystemSource("no such"), SystemError_),
        (SystemSource(str(home)), SystemError_),
    ):
        with pytest.raises(error):
            replace(project, strokes=(replace(DOT, source=source),)).fuse()


def test_depth_is_a_length_where_the_step_is_known(home):
    project = replace(project_in(home, z_step_um=2.5), strokes=(DOT,))
    assert project.fuse().depth[40, 60] == 5.0


def test_brightness_is_measured_at_full_scale(home):
    project = project_in(home, exposure="none")
    on = Stroke("brush", ((225, 90),), FrameSource(0), 12, hardness=0.8, match_brightness=True)
    made = replace(project, strokes=(on,)).fuse()
    bare = replace(project, strokes=(replace(on, match_brightness=False),)).fuse()
    plain = project.fuse()
    box = np.s_[84:97, 219:232]
    away = [abs(f.image[box].mean() - plain.image[box].mean()) for f in (made, bare)]
    assert away[0] < 2
    assert away[1] > 5


def test_little_memory_takes_strokes_in_groups(home, monkeypatch):
    strokes = tuple(
        Stroke("brush", ((10 + 9 * n, 20 + 4 * n),), FrameSource(n % 3), radius=9)
        for n in range(12)
    )
    project = replace(project_in(home), strokes=strokes)
    expected = project.fuse()
    reads = []
    stack = palettes.FileStack

    def counted(infos):
        reads.append(len(infos))
        return stack(infos)

    monkeypatch.setattr(palettes, "FileStack", counted)
    assert np.array_equal(project.fuse().image, expected.image)
    assert reads == [3]
    monkeypatch.setattr(palettes, "held_bytes", lambda plan: plan.memory_limit - 2000)
    reads.clear()
    assert np.array_equal(project.fuse().image, expected.image)
    assert len(reads) > 3
    monkeypatch.setattr(retouched, "held_bytes", lambda plan: plan.memory_limit + 1)
    with pytest.raises(UsageError, match="mending the result"):
        project.fuse()


def test_changed_inputs_are_refused_unless_accepted(home):
    project = project_in(home)
    project.save(home / "p.panfocus.json")
    image = cv2.imread(str(home / "shots/1.png"))
    image[0, 0] += 1
    cv2.imwrite(str(home / "shots/1.png"), image)
    with pytest.raises(InputError, match=r"(?s)not the file.*1\.png.*accept_changed"):
        project.fuse()
    notes = project.fuse(accept_changed=True).report.warnings
    assert any("changed since" in note and "1.png" in note for note in notes)
    (home / "shots/2.png").unlink()
    with pytest.raises(InputError, match=r"(?s)not there.*2\.png"):
        project.fuse(accept_changed=True)


def test_frames_that_are_culled_cannot_be_painted_from(home):
    cv2.imwrite(str(home / "shots/9.png"), cv2.imread(str(home / "shots/3.png")))  # twice
    plan = panfocus.plan([home / "shots"], panfocus.Options(system="guided"))
    project = Project.of(plan, panfocus.fuse(plan), home)
    keeps = replace(project.with_options(cull=True), strokes=(DOT,))
    assert keeps.fuse().report.retouch["sources"] == {"2.png": 1}
    gone = set(range(5)) - set(plan_project(keeps).kept)
    assert gone
    stroke = replace(DOT, source=FrameSource(gone.pop()))
    with pytest.raises(InputError, match="not fused"):
        replace(keeps, strokes=(stroke,)).fuse()


def test_pages_of_a_tiff_are_frames(tmp_path):
    write_stack(tmp_path / "single")
    pages = [cv2.imread(str(tmp_path / f"single/{n}.png"))[..., ::-1] for n in range(4)]
    (tmp_path / "shots").mkdir()
    tifffile.imwrite(tmp_path / "shots/all.tif", np.stack(pages), photometric="rgb")
    project = replace(project_in(tmp_path), strokes=(DOT,))
    assert project.inputs[0].pages == (0, 1, 2, 3)
    project.save(tmp_path / "p.panfocus.json")
    assert np.array_equal(
        Project.read(tmp_path / "p.panfocus.json").fuse().image, project.fuse().image
    )


def test_sixteen_bits_are_painted_in_sixteen(tmp_path):
    write_stack(tmp_path / "shots")
    for n in range(4):
        image = cv2.imread(str(tmp_path / f"shots/{n}.png")).astype(np.uint16) * 257 + 100
        cv2.imwrite(str(tmp_path / f"shots/{n}.png"), image)
    project = replace(project_in(tmp_path), strokes=(DOT,))
    fusion, frame = placed(project, 2)
    assert fusion.image.dtype == np.uint16
    assert np.array_equal(fusion.image[35:46, 55:66], frame.pixels[35:46, 55:66])
    eight = project.with_options(bit_depth=8).fuse()
    assert np.array_equal(eight.image, panfocus.io.to_depth(fusion.image, "uint8"))
    assert eight.report.settings["bit_depth"] == "8"


def test_a_planted_fault_of_60_px_is_mended_above_40_db(tmp_path):
    """A thing that is in one frame alone, and sharp there, spoils the result; a stroke mends it."""
    truth = texture(300, 400, 8)
    soft = blurred(truth, 2.5)
    left = np.arange(400)[None, :, None] < 200
    frames = [np.where(left, truth, soft), np.where(left, soft, truth)]
    foreign = texture(300, 400, 99)
    y, x = np.mgrid[:300, :400]
    fault = np.hypot(x - 100, y - 150) <= 30
    frames[1][fault] = foreign[fault]  # where frame 0 is sharp, and less contrasty
    (tmp_path / "shots").mkdir()
    for n, frame in enumerate(frames):
        louder = np.clip((frame.astype(np.float32) - 128) * (1 + n) + 128, 0, 255)
        cv2.imwrite(str(tmp_path / f"shots/{n}.png"), np.rint(louder).astype(np.uint8)[..., ::-1])
    plan = panfocus.plan(
        [tmp_path / "shots"], panfocus.Options(system="guided", align="none", exposure="none")
    )
    fusion = panfocus.fuse(plan)
    near = np.s_[120:181, 70:131]
    wanted = cv2.imread(str(tmp_path / "shots/0.png"))[..., ::-1][near]
    assert psnr(fusion.image[near], wanted) < 20
    stroke = Stroke("brush", ((92, 150), (108, 150)), FrameSource(0), radius=48, hardness=0.9)
    project = replace(Project.of(plan, fusion, tmp_path), strokes=(stroke,))
    mended = project.fuse()
    assert psnr(mended.image[near], wanted) > 40
    assert (mended.index[near] == 0).all()


def test_the_command_line_writes_and_repeats_projects(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    words = ["fuse", "shots", "-s", "guided", "--mode", "select", "--keep-size", "-o", "a.tif"]
    more = ["--depth-map", "--save-project", "p.panfocus.json"]
    assert main([*words, *more]) == 0
    assert main(["fuse", "--project", "p.panfocus.json", "-o", "b.tif"]) == 0
    project = Project.read("p.panfocus.json")
    plain = shlex.split(replace(project, outputs=None).command_line(output="c.tif"))
    assert plain[0] == "panfocus" and "--mode" in plain
    assert main(plain[1:]) == 0
    first = (home / "a.tif").read_bytes()
    assert (home / "b.tif").read_bytes() == first
    assert (home / "c.tif").read_bytes() == first

    replace(project, strokes=(DOT,)).save("p.panfocus.json")
    repeat = shlex.split(Project.read("p.panfocus.json").command_line("p.panfocus.json", "d.tif"))
    assert main([*repeat[1:], "--overwrite", "--json=d.json"]) == 0
    mended = tifffile.imread("d.tif")
    assert np.array_equal(mended, replace(project, strokes=(DOT,)).fuse().image)
    assert (tifffile.imread("a_depth.tif")[32:48, 55:65] == 2).all()
    assert json.loads((home / "d.json").read_text())["retouch"]["strokes"] == 1
    assert "retouched by 1 stroke" in capsys.readouterr().err


def test_the_command_line_refuses_what_cannot_be(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    project_in(home).save("p.panfocus.json")
    for words, told in (
        (["fuse"], "Missing argument"),
        (["fuse", "shots", "--project", "p.panfocus.json", "-o", "x.tif"], "cannot stand beside"),
        (["fuse", "--project", "p.panfocus.json"], "no output"),
        (["fuse", "--project", "none.json", "-o", "x.tif"], "cannot be read"),
        (["fuse", "--project", "p.panfocus.json", "-o", "p.panfocus.json"], "p.panfocus.json"),
        (
            [
                "fuse",
                "--project",
                "p.panfocus.json",
                "-o",
                "x.tif",
                "--save-project",
                "p.panfocus.json",
            ],
            "one of the inputs",
        ),
        (["fuse", "shots", "-o", "x.tif", "--save-project", "p.panfocus.json"], "exists already"),
        (["fuse", "shots", "-o", "x.tif", "--save-project", "x.tif"], "two outputs"),
    ):
        assert main(words) != 0
        assert told in capsys.readouterr().err, words
    assert not (home / "x.tif").exists()
    cv2.imwrite("shots/1.png", cv2.imread("shots/0.png"))
    assert main(["fuse", "--project", "p.panfocus.json", "-o", "x.tif"]) == 1
    assert "--accept-changed" in capsys.readouterr().err
    assert main(["fuse", "--project", "p.panfocus.json", "-o", "x.tif", "--accept-changed"]) == 0


def test_a_dry_run_tells_and_writes_nothing(home, monkeypatch, capsys):
    monkeypatch.chdir(home)
    project_in(home).save("p.panfocus.json")
    assert main(["fuse", "--project", "p.panfocus.json", "-o", "x.tif", "--dry-run"]) == 0
    assert "guided" in capsys.readouterr().out
    assert not (home / "x.tif").exists()
