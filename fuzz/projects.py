"""Projects that others have written, and the outputs that come with them."""

from __future__ import annotations

import copy
import functools
import json
import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.case import Case, How
from fuzz.faces import large
from fuzz.made import fuse, lay
from fuzz.outside import ODD

_NAME = "p.panfocus.json"
#: Besides what most fields cannot be: names that lead elsewhere, that no file has, that are taken.
_ODD = (
    *ODD, 2**31, 2**53, 1e308, "../../etc/passwd", "/etc/passwd", "a\nb", "\ud800", "~root", _NAME,
    "f0.png", "/dev/full", "x" * 300, "o.png/..", "pipe",
)  # fmt: skip
#: What a project may write: what it names, and what its options name.
_MADE = ("out*", "o_*", "*.psd", "*.gif", "*.tif", "x", "²", "a\nb", "~root", "/dev/full")
_STROKE = {
    "kind": "brush", "points": [[3, 3], [9, 9]], "source": {"frame": 1}, "radius": 4,
    "hardness": 0.5, "opacity": 1, "match_brightness": False,
}  # fmt: skip
_STROKES = (
    _STROKE, {**_STROKE, "kind": "rectangle", "source": {"system": "pyramid"}},
    {**_STROKE, "source": {"fused": True}}, {**_STROKE, "source": {"frame": "sharpest"}},
    {**_STROKE, "match_brightness": True, "gain": [1, 1, 1], "offset": [0, 0, 0]},
)  # fmt: skip
_NEW_OUTPUTS = (
    ("--layers", "o.psd"), ("--animation", "o.gif"), ("--rocking", "o.webp"),
    ("--stereo", "o_s.png"), ("--save-project", _NAME), ("--mesh", "o.glb"),
)  # fmt: skip


@functools.cache
def _sound() -> str:
    """Return a project of a small stack, with strokes of every kind."""
    from panfocus.cli import main

    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{name}" for name in lay(Path(folder))]
        more = ["--save-project", f"{folder}/{_NAME}", "--layers", f"{folder}/o.psd", "--quiet"]
        assert main(["fuse", *names, "-o", f"{folder}/out.png", "--system", "guided", *more]) == 0
        project = json.loads((Path(folder) / _NAME).read_text())
    return json.dumps({**project, "strokes": list(_STROKES)})


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where every value is; of lists, the first two."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(
        value, list) else ()  # fmt: skip
    for key, one in inner:
        yield from _places(one, (*at, key))


def _with(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    if not at:
        return odd
    out = copy.copy(value)
    out[at[0]] = _with(out[at[0]], at[1:], odd)
    return out


def project_case(seed: int) -> Case:
    """Return a case: one or two values of a project are odd."""
    chance = random.Random(f"project {seed}")

    def prepare(folder: Path) -> list[str]:
        lay(folder)
        project = json.loads(_sound())
        for _ in range(chance.choice((1, 1, 2))):
            project = _with(project, chance.choice(list(_places(project))), chance.choice(_ODD))
        text = json.dumps(project).encode(errors="surrogatepass")
        if chance.random() < 0.1:
            text = text[: chance.randrange(len(text))]
        (folder / _NAME).write_bytes(text)
        out = ["-o", "out.png"] if chance.random() < 0.5 else []
        changed = ["--accept-changed"] if chance.random() < 0.5 else []
        return ["fuse", "--project", _NAME, *out, *changed]

    return Case("project", str(seed), prepare, made=_MADE)


def outputs() -> Iterator[Case]:
    """Yield outputs of every kind where the disk takes little, or a signal comes."""
    for option, name in _NEW_OUTPUTS:
        for size in (100, 3000):

            def little(folder: Path, option: str = option, name: str = name) -> list[str]:
                return fuse(lay(folder), option, name)

            how = How(exec=True, limits={"RLIMIT_FSIZE": size})
            made = ("out*", "o.*", "o_*", _NAME)
            yield Case("outputs", f"{option} in {size} bytes", little, made=made, how=how)
        for after in (0.6, 1.0, 1.5):

            def stopped(folder: Path, option: str = option, name: str = name) -> list[str]:
                return [*large(folder), option, name]

            how = How(exec=True, stop=(signal.SIGTERM, after))
            made = ("out*", "o.*", "o_*", _NAME)
            yield Case("outputs", f"{option} stopped {after}", stopped, (0, 130, -15), made, how)


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from (project_case(seed) for seed in range(120))
    yield from outputs()


def drawn(chance: random.Random) -> Case:
    """Return another one."""
    return project_case(chance.randrange(10**9))
