"""Project files: there and back, hostile ones refused, two writers, and command lines."""

import json
import os
import shlex
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.errors import InputError, OutputError, UsageError
from panfocus.pipeline.outputs import Outputs
from panfocus.pipeline.project import Project
from panfocus.pipeline.project_content import ProjectInput
from panfocus.pipeline.project_file import MOST_BYTES, RevisionError
from panfocus.retouch import FrameSource, FusedSource, Stroke, SystemSource
from tests.conftest import focal_stack

STROKES = (
    Stroke("brush", ((30.5, 40), (50, 44.25)), FrameSource(2, "sharpest"), radius=6),
    Stroke("rectangle", ((1, 2), (20, 10)), SystemSource("guided-tenengrad"), radius=2),
    Stroke("brush", ((40, 42),), FusedSource(), radius=2),
)


def write_stack(folder, count=4, **how):
    """Frames that move and get brighter from one to the next."""
    folder.mkdir()
    frames, _ = focal_stack(count, 180, 260, **how)
    for n, frame in enumerate(frames):
        moved = np.array([[1, 0, 0.8 * n], [0, 1, -0.5 * n]])
        made = cv2.warpAffine(frame, moved, (260, 180), borderMode=cv2.BORDER_REFLECT)
        made = np.clip(made * (1 + 0.03 * n), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{n}.png"), made)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with frames, and the project of their fusion."""
    folder = tmp_path_factory.mktemp("home")
    write_stack(folder / "shots")
    plan = panfocus.plan([folder / "shots"], panfocus.Options(system="guided"))
    fusion = panfocus.fuse(plan)
    project = Project.of(plan, fusion, folder)
    outputs = Outputs(Path("out.tif"), {"depth": Path("maps/depth.tif")}, report=Path("r.json"))
    project = replace(project, strokes=STROKES, outputs=outputs)
    project.save(folder / "a.panfocus.json")
    return folder


@pytest.fixture
def record(home):
    return json.loads((home / "a.panfocus.json").read_text())


def at(record, path):
    """The container and key of a place such as ``inputs.0.path``."""
    *steps, last = [int(s) if s.isdigit() else s for s in path.split(".")]
    for step in steps:
        record = record[step]
    return record, last


def test_there_and_back(home, tmp_path):
    project = Project.read(home / "a.panfocus.json")
    assert project.strokes == STROKES
    assert project.registration.found.curves[0] is not None  # frames differ in brightness
    assert project.options.system == "guided"
    again = project.save(home / "b.panfocus.json", expected_revision=0)
    read = Project.read(home / "b.panfocus.json")
    for name in ("inputs", "options", "size", "strokes", "outputs", "revision", "made_by"):
        assert getattr(read, name) == getattr(again, name), name
    one, other = (p.registration.found for p in (project, read))
    assert [p.matrix.tolist() for p in one.alignment.frames] == [
        p.matrix.tolist() for p in other.alignment.frames
    ]
    assert [p.status for p in one.alignment.frames] == [p.status for p in other.alignment.frames]
    assert [asdict(c)["log"].tolist() if c else c for c in one.curves] == [
        asdict(c)["log"].tolist() if c else c for c in other.curves
    ]
    assert one.field == other.field


def test_paths_are_told_from_the_project_s_folder_and_go_along(home, tmp_path):
    project = Project.read(home / "a.panfocus.json")
    assert [each.path for each in project.inputs] == [f"shots/{n}.png" for n in range(4)]
    elsewhere = project.save(tmp_path / "away" / "p.panfocus.json", expected_revision=0)
    for each in elsewhere.inputs:
        assert (tmp_path / "away" / each.path).is_file()
    assert Project.read(tmp_path / "away" / "p.panfocus.json").inputs == elsewhere.inputs


HOSTILE = [
    ("format", "panfocus-project-2", "unknown version.*update panfocus"),
    ("format", "photoshop", "no project of panfocus"),
    ("format", 1, "text"),
    ("revision", -1, "revision.*whole number"),
    ("revision", 1e400, "no JSON|number"),
    ("panfocus", "x" * 1000, "panfocus"),
    ("inputs", [], r"inputs.*entries"),
    ("inputs", "shots", "inputs.*list"),
    ("inputs.0.path", "", r"inputs\[0\].path"),
    ("inputs.0.path", "a\u0000b", r"inputs\[0\].path"),
    ("inputs.0.path", ["a"], r"inputs\[0\].path"),
    ("inputs.0.path", "x" * 300, r"inputs\[0\].path"),
    ("inputs.0.path", "\ud800", r"inputs\[0\].path"),
    ("options.load_transforms", "x" * 300, "load_transforms"),
    ("outputs.picture", "x" * 300 + ".tif", "outputs.picture"),
    ("inputs.0.size", "3", r"inputs\[0\].size"),
    ("inputs.0.size", 2**80, r"inputs\[0\].size"),
    ("inputs.0.sha256", "0" * 63, "SHA-256"),
    ("inputs.0.sha256", "Z" * 64, "SHA-256"),
    ("inputs.0.pages", [-1], r"pages\[0\]"),
    ("inputs.0.colour", "red", "unknown"),
    ("options.align", 3, "options.align"),
    ("options.align", "sideways", "options.align"),
    ("options.align_dof", "flight", "options.align_dof"),
    ("options.mode", "melt", "options.mode"),
    ("options.cull", "yes", "options.cull"),
    ("options.z_step_um", -3, "z_step_um"),
    ("options.z_step_um", [1], "z_step_um"),
    ("options.threads", 10**12, "threads"),
    ("options.max_memory", "much", "max_memory"),
    ("options.max_memory", {"a": 1}, "max_memory"),
    ("options.from_the_future", True, "from_the_future"),
    ("options.reference", 7.5, "reference"),
    ("registration", [], "registration"),
    ("registration.found.crop.bottom", 10**9, "crop.bottom"),
    ("registration.found.curves", [None], "curves"),
    ("registration.found.curves.0.log", [1e9], "log"),
    ("registration.found.transforms.frames.0.matrix", [[1, 0], [0, 1]], "transforms"),
    ("registration.found.transforms.frames.0.matrix", [["a"] * 3] * 3, "transforms"),
    ("registration.found.transforms.frames.1.matrix", [[9, 0, 0], [0, 9, 0], [0, 0, 1]], "transf"),
    ("registration.found.transforms.frames.0.status", 3, "status"),
    ("registration.found.transforms.reference", 99, "transforms"),
    ("registration.options.keep_size", True, "unknown"),
    ("picture.height", 0, "picture.height"),
    ("strokes", {"0": 1}, "strokes"),
    ("strokes", [None] * 10_001, "strokes.*10001"),
    ("strokes.1.points", [[0, 0]] * 1_000_000, r"strokes\[1\].points.*1000000"),
    ("strokes.0.source.frame", -1, r"strokes\[0\].source.frame"),
    ("outputs.picture", "../out.tif", "outside of its folder"),
    ("outputs.picture", "/etc/out.tif", "outside of its folder"),
    ("outputs.picture", "maps/../../out.tif", "outside of its folder"),
    ("outputs.picture", ".", "outside of its folder"),
    ("outputs.maps", {"colour": "x.tif"}, "unknown"),
    ("outputs.maps.depth", "../x.tif", "outside of its folder"),
    ("outputs.report", "a/../../../b.json", "outside of its folder"),
    ("outputs.quality", 0, "quality"),
    ("outputs.slab", [3], "slab"),
    ("outputs.overwrite", True, "unknown"),
]


@pytest.mark.parametrize(("place", "value", "told"), HOSTILE, ids=lambda v: str(v)[:40])
def test_a_hostile_project_is_told_in_a_sentence(home, record, place, value, told):
    parent, key = at(record, place)
    parent[key] = value
    path = home / "hostile.panfocus.json"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=f"(?s){told}") as error:
        Project.read(path)
    assert "hostile.panfocus.json" in str(error.value)
    assert len(str(error.value)) < 1200


def test_files_that_are_no_projects_are_told(home, tmp_path, record):
    whole = json.dumps(record)
    cases = {
        "truncated.json": whole[: len(whole) // 2].encode(),
        "empty.json": b"",
        "binary.json": bytes(range(256)),
        "deep.json": b'{"format": ' + b"[" * 200_000,
        "nan.json": whole.replace('"revision": 1', '"revision": NaN').encode(),
        "large.json": b" " * (MOST_BYTES + 1),
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name):
            Project.read(tmp_path / name)
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(InputError, match="cannot be read"):
            Project.read(path)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="no ordinary file"):
        Project.read(tmp_path / "pipe.json")


def test_below_roots_only(home, record, tmp_path):
    path = home / "roots.panfocus.json"
    path.write_text(json.dumps(record))
    assert Project.read(path, roots=[home]).inputs
    outside = tmp_path / "secret.png"
    outside.write_bytes(b"secret")
    (home / "link.png").symlink_to(outside)
    for told in (str(outside), "../../../../etc/passwd", "link.png"):
        record["inputs"][1]["path"] = told
        path.write_text(json.dumps(record))
        with pytest.raises(InputError, match=r"(?s)may not read.*inputs\[1\].path"):
            Project.read(path, roots=[home])
    record["inputs"][1]["path"] = "shots/1.png"
    for option, value in (("load_transforms", "../t.json"), ("system", "../../system")):
        changed = {**record, "options": {**record["options"], option: value}}
        path.write_text(json.dumps(changed))
        with pytest.raises(InputError, match=f"(?s)may not read.*options.{option}"):
            Project.read(path, roots=[home])


def test_an_output_through_a_link_out_of_the_folder_is_refused(home, record, tmp_path):
    (home / "out").symlink_to(tmp_path)
    record["outputs"]["picture"] = "out/x.tif"
    path = home / "linked.panfocus.json"
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match="outside of its folder"):
        Project.read(path)


def small(tmp_path, **how):
    return Project((ProjectInput("a.png", 3, "0" * 64),), folder=tmp_path, **how)


def test_the_second_writer_does_not_destroy_the_first_s_strokes(tmp_path):
    path = tmp_path / "p.panfocus.json"
    first = small(tmp_path).save(path)
    one = replace(first, strokes=STROKES[:1]).save(path)
    assert (first.revision, one.revision) == (1, 2)
    before = path.read_bytes()
    with pytest.raises(RevisionError, match="somebody else") as conflict:
        replace(first, strokes=STROKES[1:]).save(path)
    assert conflict.value.found == 2
    assert path.read_bytes() == before
    merged = replace(Project.read(path), strokes=STROKES).save(path)
    assert merged.revision == 3
    with pytest.raises(OutputError, match="exists already"):
        small(tmp_path).save(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.panfocus.json"]


def test_of_many_writers_at_once_one_wins(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "p.panfocus.json"
    first = small(tmp_path).save(path)

    def save(n):
        stroke = Stroke("brush", ((n, n),), FusedSource())
        try:
            return replace(first, strokes=(stroke,)).save(path)
        except RevisionError:
            return None

    with ThreadPoolExecutor(8) as pool:
        saved = [s for s in pool.map(save, range(24)) if s is not None]
    assert len(saved) == 1
    assert Project.read(path).strokes == saved[0].strokes


def test_no_other_file_is_replaced(tmp_path):
    path = tmp_path / "photo.json"
    path.write_text("{}")
    for how in ({}, {"overwrite": True}, {"expected_revision": 3}):
        with pytest.raises(OutputError, match="no project"):
            small(tmp_path).save(path, **how)
    assert path.read_text() == "{}"


def test_the_command_line_says_what_differs(tmp_path):
    project = small(tmp_path).with_options(
        mode="select", keep_size=True, bit_depth=16, z_step_um=2.5, exposure="none"
    )
    words = shlex.split(project.command_line(output="a b.tif"))
    assert words[:3] == ["panfocus", "fuse", str(tmp_path / "a.png")]
    assert words[-2:] == ["-o", "a b.tif"]
    assert set(words[3:-2]) == {
        *("--mode", "select", "--keep-size", "--bit-depth", "16", "--z-step", "2.5"),
        *("--exposure", "none"),
    }
    with pytest.raises(UsageError, match="where the picture shall go"):
        project.command_line()
    with pytest.raises(UsageError, match="strokes"):
        replace(project, strokes=STROKES).command_line(output="x.tif")
    line = replace(project, strokes=STROKES).command_line("p.json", "x.tif")
    assert line == "panfocus fuse --project p.json -o x.tif"
