"""Every command and program on the how-to pages works, on small pictures made for each page."""

import importlib.util
import inspect
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import panfocus
from panfocus.cli import main
from panfocus.testing import SystemTests
from tests.docs import made

ROOT = Path(__file__).parents[2]
PAGES = {page.stem: page for page in sorted((ROOT / "docs/howto").glob("*.md"))}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: What waits or trains for hours on the page, and seconds here.
SHORTER = {
    "--idle": ["--idle", "0.5"],
    "--settle": ["--settle", "0"],
    "--minutes": ["--steps", "2"],
}
#: Words by which a command asks for an extra that the tests may lack.
NEEDS = {"train": "torch", "runs/mine/system,dualpath": "torch", "--mesh": "trimesh"}


def blocks(page):
    """Yield (language, text) of the fenced blocks of a page."""
    for found in BLOCK.finditer(PAGES[page].read_text(encoding="utf-8")):
        yield found.group(1), found.group(2)


def commands(text):
    """Yield the words of each command of a block, lines that go on joined."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def shortened(words):
    """Return the command as it is tried here."""
    if {"dualpath", "--minutes"} <= set(words):  # tests/train trains it; a minute for two steps
        words = [*words, "--dry-run"]
    out = list(words)
    for flag, instead in SHORTER.items():
        if flag in out:
            at = out.index(flag)
            out[at : at + 2] = instead
    return out


def pretend_trained(words):
    """Put the bundled system where training puts its own, as it does when nothing was gained."""
    system = Path(words[words.index("--out") + 1], "system")
    bundled = max(Path(panfocus.__file__).parent.glob("systems/bundled/dualpath-[0-9]*"))
    shutil.copytree(bundled, system)


def lacking(words):
    """Tell whether the command needs an extra that is not installed."""
    wanted = [module for word, module in NEEDS.items() if word in words]
    return any(importlib.util.find_spec(module) is None for module in wanted)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A new folder to work in, as a reader of the page has one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's exporter
def test_what_the_page_says_works(page, place, capsys):
    getattr(made, page)(place)
    program = {"__name__": "page"}
    for language, text in blocks(page):
        if language == "sh":
            for words in commands(text):
                assert words[0] == "panfocus", words
                if lacking(words):
                    continue
                code = main(shortened(words[1:]))
                said = capsys.readouterr()
                assert code == 0, f"{' '.join(words)}\n{said.out}{said.err}"
                if {"dualpath", "--minutes"} <= set(words):
                    pretend_trained(words)
        elif language == "bash":
            run_in_bash(text, place)
        elif language == "python":
            exec(compile(text, PAGES[page].name, "exec"), program)
        elif language == "csv":
            (place / "manifest.csv").write_text(text)
        else:
            pytest.fail(f"no test knows what to do with a block of {language}")
    for name, value in list(program.items()):
        if name.startswith("Test") and issubclass(value, SystemTests):
            keep_promises(value)


def run_in_bash(text, place):
    """Run a block that is more than commands of panfocus, in a shell of its own."""
    function = f'panfocus() {{ "{sys.executable}" -m panfocus "$@"; }}\nset -eu\n'
    done = subprocess.run(
        ["bash", "-c", function + text], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def keep_promises(tests):
    """Run the tests that a page's system inherits."""
    for name, test in inspect.getmembers(tests, inspect.isfunction):
        if name.startswith("test_"):
            test(tests())


@pytest.mark.parametrize("page", ["README.md", *(f"docs/howto/{p.name}" for p in PAGES.values())])
def test_extras_that_are_named_exist(page):
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"extra `(\w+)`", text)
    named += [n for names in re.findall(r"panfocus\[([\w,]+)\]", text) for n in names.split(",")]
    assert set(named) <= set(extras)
