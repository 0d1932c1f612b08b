"""What a user of the library sees: the names, and that a type checker knows them."""

import ast
import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import panfocus

NAMES = {
    "__version__", "Cancelled", "Card", "DataError", "Frame", "Fusion", "InputError", "Metadata",
    "Options", "OutputError", "PanfocusError", "PictureSystem", "Plan", "Project",
    "StreamingFusion", "Stroke", "System", "SystemError_", "UsageError", "VolumeFusion", "align",
    "fuse", "fuse_volume", "list_systems", "load_system", "plan",
}  # fmt: skip
SOURCE = Path(panfocus.__file__).parent
USER = """\
import numpy as np

import panfocus

frames = [np.zeros((32, 32), np.uint8)] * 2
fusion = panfocus.fuse(frames, system="guided", mode="select", bit_depth=16, reference=0)
fusion.save("fused.tif", maps=["depth"], overwrite=True)
height: int = fusion.image.shape[0]
plan = panfocus.plan(["a.jpg", "b.jpg"], panfocus.Options(align="auto"))
report, transforms, placed = panfocus.align(plan)
names: list[str] = [card.name for card in panfocus.list_systems()]
try:
    panfocus.load_system(names[0])
except panfocus.SystemError_ as error:
    print(error.what, transforms, report, [frame.name for frame in placed])
"""
WRONG = (
    'panfocus.fuse([], mode="selct")',
    "panfocus.fuse([], bit_depth=12)",
    'panfocus.fuse([], colour="red")',
    'panfocus.fuse("a").save("b", maps=["height"])',
)


def test_the_public_names_are_these():
    assert set(panfocus.__all__) == NAMES
    assert set(dir(panfocus)) >= NAMES
    for name in NAMES:
        assert getattr(panfocus, name) is not None


def test_importing_it_loads_nothing_heavy():
    code = "import sys, panfocus; print([m for m in ('numpy', 'cv2', 'click') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def pyright(tmp_path_factory):
    """Return what a strict type checker says of a file, line by line."""
    pytest.importorskip("pyright")
    folder = tmp_path_factory.mktemp("user")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    file = folder / "user.py"

    def check(text):
        file.write_text(text)
        words = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(file)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, check=False)
        return [line for line in done.stdout.splitlines() if " - error: " in line]

    return check


def test_a_users_file_passes_a_strict_type_checker(pyright):
    assert pyright(USER) == []


def test_a_type_checker_finds_wrong_options(pyright):
    lines = pyright("import panfocus\n\n" + "\n".join(WRONG) + "\n")
    assert {int(line.rsplit("user.py:", 1)[1].split(":")[0]) for line in lines} == {3, 4, 5, 6}


def test_the_types_come_with_the_package():
    assert (SOURCE / "py.typed").is_file()
    assert (SOURCE / "__init__.pyi").is_file()


def test_no_two_public_classes_share_a_name():
    """One word, one meaning; what begins with an underscore is a module's own affair.

    The folders of the two papers mirror each other: there one word means the same in both.
    """
    papers = ("train/drpl/", "train/dualpath/")
    seen: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                seen.setdefault(node.name, []).append(str(path.relative_to(SOURCE)))
    twice = {
        name: files
        for name, files in seen.items()
        if len(files) > 1 and not all(file.startswith(papers) for file in files)
    }
    assert twice == {}


def with_examples():
    """Return the modules in whose docstrings there are examples; training needs torch."""
    for path in sorted(SOURCE.rglob("*.py")):
        of_torch = path.is_relative_to(SOURCE / "train")
        if not of_torch and ">>> " in path.read_text(encoding="utf-8"):
            yield ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)


@pytest.mark.parametrize("module", list(with_examples()))
def test_examples_in_docstrings_are_true(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
