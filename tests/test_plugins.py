"""Names that users bring along, and what is said when something is wrong with them."""

import sys
import textwrap
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import panfocus
from panfocus import plugins
from panfocus.cli import main
from panfocus.errors import SystemError_, UsageError
from panfocus.io import Metadata, write_image
from panfocus.plugins import Registry
from panfocus.systems import SYSTEMS, list_systems, register_system
from tests.conftest import focal_pair, psnr

EXAMPLE = "examples/own_system.py"


@pytest.fixture(autouse=True)
def forget():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("panfocus_plugin_"):
            del sys.modules[name]
    for name in list(SYSTEMS):
        SYSTEMS.forget(name)
    plugins.load_installed.cache_clear()


def write(path, text):
    path.write_text(textwrap.dedent(text))
    return path


def test_a_registry_keeps_and_finds():
    kept = Registry("loss term", "--set terms", reserved=lambda: ("loss",))

    @kept.register("mine")
    def mine():
        return 1

    assert kept.get("mine") is mine and "mine" in kept and list(kept) == ["mine"]
    kept.register("mine")(mine)  # a cell of a notebook that runs twice
    with pytest.raises(UsageError, match="already"):
        kept.register("mine")(len)
    with pytest.raises(UsageError, match="panfocus itself"):
        kept.register("loss")(len)
    for wrong in ("", "Mine", "a b", "-x", "a=1"):
        with pytest.raises(UsageError, match="cannot be the name"):
            kept.register(wrong)(len)
    with pytest.raises(UsageError, match=r"one of mine[\s\S]*--plugin"):
        kept.get("yours")


def test_the_example_fuses(root, tmp_path, capsys):
    frames, sharp = focal_pair()
    names = [tmp_path / f"{n}.png" for n in range(2)]
    for name, frame in zip(names, frames, strict=True):
        write_image(name, frame, Metadata())
    out = tmp_path / "fused.png"
    words = ["fuse", *map(str, names), "-o", str(out), "--plugin", str(root / EXAMPLE)]
    assert main([*words, "--system", "dog"]) == 0
    assert "dog" in [card.name for card in list_systems()]
    fused = panfocus.fuse(frames, system="dog").image
    assert psnr(fused, sharp) > max(psnr(f, sharp) for f in frames) + 6
    assert main(["systems", "dog", "--plugin", str(root / EXAMPLE)]) == 0
    assert "difference of Gaussians" in capsys.readouterr().out


def test_the_example_is_evaluated(root, tmp_path):
    frames, sharp = focal_pair()
    for side, picture in (("A", frames[0]), ("B", frames[1]), ("GT", sharp)):
        (tmp_path / "data" / side).mkdir(parents=True)
        write_image(tmp_path / "data" / side / "1.png", picture, Metadata())
    words = ["evaluate", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    words += ["--systems", "dog,guided", "--plugin", str(root / EXAMPLE), "--no-plots"]
    assert main([*words, "--metrics", "PSNR"]) == 0


def test_a_name_of_panfocus_cannot_be_taken():
    for name in ("guided", "pyramid", "dualpath", "drpl-2"):
        with pytest.raises(UsageError, match="already"):
            register_system(name)(dict)


def test_what_is_registered_must_be_a_system():
    register_system("nothing")(dict)
    with pytest.raises(SystemError_, match="no system"):
        panfocus.load_system("nothing")


def test_files_that_are_no_plugins(tmp_path):
    for wrong in (tmp_path, tmp_path / "no.py", write(tmp_path / "a.txt", "")):
        with pytest.raises(UsageError, match="no such plugin"):
            plugins.load(wrong)
    broken = write(tmp_path / "broken.py", "x = 1\n\nraise KeyError('here')\n")
    with pytest.raises(UsageError, match=r"broken.py:3[\s\S]*KeyError"):
        plugins.load(broken)
    with pytest.raises(UsageError, match=r"typo.py:2[\s\S]*SyntaxError"):
        plugins.load(write(tmp_path / "typo.py", "x = 1\ny ==== 2\n"))
    taken = """
        from panfocus.systems import register_system
        register_system("guided")(dict)
    """
    with pytest.raises(UsageError, match="already"):
        plugins.load(write(tmp_path / "taken.py", taken))


@pytest.mark.parametrize("words", ["import sys; sys.exit(0)", "raise SystemExit", "exit('x')"])
def test_a_plugin_does_not_end_the_program(tmp_path, words):
    with pytest.raises(UsageError, match="EndedError: it ends the program"):
        plugins.load(write(tmp_path / "ends.py", words))
    write(tmp_path / "stopped.py", "raise SystemExit(130)")  # as a signal does
    with pytest.raises(SystemExit):
        plugins.load(tmp_path / "stopped.py")


def test_a_plugin_runs_once(tmp_path):
    file = write(tmp_path / "one.py", "made = object()\n")
    assert plugins.load(file) is plugins.load(str(file))


def test_plugins_of_installed_packages(monkeypatch):
    asked = []

    def points(group):
        asked.append(group)
        return [EntryPoint("mine", "panfocus_of_mine", group)]

    monkeypatch.setattr("importlib.metadata.entry_points", points)
    with pytest.raises(UsageError, match="panfocus_of_mine"):
        panfocus.load_system("unknown")
    plugins.load_installed.cache_clear()
    monkeypatch.setattr(
        EntryPoint, "load", lambda self: register_system("installed")(Darkest), raising=True
    )
    frames, _ = focal_pair()
    assert panfocus.fuse(frames, system="installed").image.shape == frames.shape[1:]
    assert asked == ["panfocus.plugins"] * 2


class Darkest:
    card = panfocus.Card(name="installed", title="the darkest frame wins")

    def decide(self, frames):
        grey = frames.mean(axis=-1)
        weights = (grey == grey.min(axis=0)).astype(np.float32)
        return weights / weights.sum(axis=0)


@pytest.fixture
def root(request):
    return request.config.rootpath
