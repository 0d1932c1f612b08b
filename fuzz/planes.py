"""Volumes in other shapes than a file: folders of planes, arrays; damaged files by every face."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How
from fuzz.damage import DAMAGES
from fuzz.made import bytes_of, fuse, lay, stack
from fuzz.samples import samples

_PATTERNS = (
    "p_{t}_{c}_{z}.tif", "{z}", "{t}_{c}.tif", "", "{", "}{z}", "{z}{z}", "{q}_{z}.tif", "(.*",
    "[z]", "{z}.tif" * 400, "../{z}.tif", "/{z}", "\0{z}", "p_{z}_*", "%d{z}", "{z!r}",
    "{z.__class__}",
)  # fmt: skip
_NAMES = (
    "p_{t}_{c}_{z}.tif", "img_t{t}_c{c}_z{z}.tif", "t{t}/z{z}_c{c}.tif",
    "x_w{c}DAPI_s1_t{t}_z{z}.tif",
)  # fmt: skip


def _lay_planes(folder: Path, name: str, chance: random.Random) -> list[Path]:
    """Write two T, two C and three Z, each a file; return them."""
    frames = stack(3, channels=1, dtype="uint16")
    paths: list[Path] = []
    for t, c, z in np.ndindex(2, 2, 3):
        path = folder / "planes" / name.format(t=t, c=c, z=z)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes_of(frames[z] // (c + 1), ".tif"))
        paths.append(path)
    return paths


def _spoil(paths: list[Path], chance: random.Random) -> None:
    """Let one of the files be missing, twice, damaged, of another kind, a folder, or a link."""
    path = chance.choice(paths)
    what = chance.randrange(8)
    if what == 0:
        path.unlink()
    elif what == 1:
        path.write_bytes(DAMAGES[chance.choice(list(DAMAGES))](path.read_bytes(), chance))
    elif what == 2:
        path.write_bytes(bytes_of(stack(channels=1, height=30)[0], ".tif"))
    elif what == 3:
        path.write_bytes(bytes_of(stack()[0], ".png"))
    elif what == 4:
        path.unlink()
        path.mkdir()
    elif what == 5:
        path.unlink()
        path.symlink_to(path.name)
    elif what == 6:
        path.with_name(path.name.replace("0", "00", 1)).write_bytes(path.read_bytes())
    else:
        (path.parent / "metadata.txt").write_text(chance.choice(("{", "[1]", json.dumps(
            {"Summary": {"z-step_um": chance.choice(("x", 1e400, -1, None, [1]))}}))))  # fmt: skip


def folder_case(seed: int) -> Case:
    """Return a case: a folder of planes, of which one is odd, or whose pattern is."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"planes {seed}")
        paths = _lay_planes(folder, chance.choice(_NAMES), chance)
        more = ["--pattern", chance.choice(_PATTERNS)] if chance.random() < 0.4 else []
        more = [word for word in more if word] if more[-1:] != [""] else more
        if chance.random() < 0.8:
            _spoil(paths, chance)
        return [word.replace("\0", "") for word in fuse(["planes"], *more, out="out.ome.tif")]

    return Case("planes", str(seed), prepare, made=("out*", "planes/*"))


_ARRAYS: tuple[tuple[str, Callable[[], Any], dict[str, Any]], ...] = (
    ("empty", lambda: np.zeros((0, 24, 32), np.uint8), {}),
    ("one plane", lambda: np.zeros((1, 24, 32), np.uint8), {}),
    ("flat", lambda: np.zeros((24, 32), np.uint8), {}),
    ("six axes", lambda: np.zeros((2,) * 6, np.uint8), {"axes": "PTCZYX"}),
    ("seven axes", lambda: np.zeros((2,) * 7, np.uint8), {"axes": "PTCZYXQ"}),
    ("twice", lambda: np.zeros((3, 24, 32), np.uint8), {"axes": "ZZX"}),
    ("too few", lambda: np.zeros((3, 24, 32), np.uint8), {"axes": "ZY"}),
    ("objects", lambda: np.full((3, 24, 32), None), {}),
    ("text", lambda: np.full((3, 24, 32), "x"), {}),
    ("complex", lambda: np.zeros((3, 24, 32), complex), {}),
    ("times", lambda: np.zeros((3, 24, 32), "datetime64[s]"), {}),
    ("int64", lambda: np.full((3, 24, 32), 2**40), {}),
    ("bool", lambda: np.zeros((3, 24, 32), bool), {}),
    ("nan", lambda: np.full((3, 24, 32), np.nan, np.float32), {}),
    ("inf", lambda: np.full((3, 24, 32), np.inf), {}),
    ("huge", lambda: np.full((3, 24, 32), 1e300), {}),
    ("tiny", lambda: np.full((3, 24, 32), 1e-310), {}),
    ("swapped", lambda: stack(3, channels=1, dtype="uint16").astype(">u2"), {}),
    ("turned", lambda: stack(3, channels=1)[:, ::-1, ::-1], {}),
    ("negative", lambda: -stack(3, channels=1).astype(np.int16), {}),
    ("list", lambda: [[[1, 2], [3, 4]]] * 3, {}),
    ("none", lambda: None, {}), ("number", lambda: 3, {}), ("text itself", lambda: "nowhere", {}),
    ("endless shape", lambda: _Lies((10**9, 24, 32)), {}),
    ("shape of text", lambda: _Lies(("a", 24, 32)), {}),
    ("slices that lie", lambda: _Lies((3, 24, 32)), {}),
    ("guide", lambda: np.zeros((2, 3, 24, 32), np.uint8), {"axes": "CZYX", "guide_channel": 7}),
    ("guide odd", lambda: np.zeros((2, 3, 24, 32), np.uint8), {"axes": "CZYX",
                                                                "guide_channel": "²"}),
    ("names", lambda: np.zeros((2, 3, 24, 32), np.uint8), {"axes": "CZYX",
                                                            "channel_names": ["a"] * 3}),
    ("voxel", lambda: np.zeros((3, 24, 32), np.uint8), {"voxel_um": (-1, float("nan"), "x")}),
    ("voxel short", lambda: np.zeros((3, 24, 32), np.uint8), {"voxel_um": (1,)}),
    ("pattern", lambda: np.zeros((3, 24, 32), np.uint8), {"pattern": "{z}"}),
)  # fmt: skip


class _Lies:
    """Something that has a shape and a dtype, and gives other slices than these tell of."""

    dtype = np.dtype(np.uint8)

    def __init__(self, shape: tuple[Any, ...]) -> None:
        self.shape = shape
        self.ndim = len(shape)

    def __getitem__(self, _: Any) -> Any:
        return np.zeros((5, 5), np.float64)


def arrays() -> Iterator[Case]:
    """Yield arrays that are none, or odd."""
    for name, make, how in _ARRAYS:

        def call(_: list[str], make: Callable[[], Any] = make, how: Any = how) -> None:
            import panfocus

            done = panfocus.fuse_volume(make(), system="guided", **{"axes": "ZYX", **how})
            done.save("out.ome.tif")

        yield Case("arrays", name, lambda _: [], call=call, how=How(memory=500, seconds=30))


def _by_batch(folder: Path, names: list[str]) -> list[str]:
    inner = folder / "in/s0"
    inner.mkdir(parents=True)
    for name in names:
        (folder / name).rename(inner / name)
    return ["batch", "in", "out", "--workers", "0", "--system", "guided"]


def _by_metrics(folder: Path, names: list[str]) -> list[str]:
    one, two, *_ = lay(folder)
    return ["metrics", "--fused", one, "--sources", two, names[0]]


def _by_evaluate(folder: Path, names: list[str]) -> list[str]:
    for name, source in (("A", names[0]), ("B", names[-1])):
        (folder / "d" / name).mkdir(parents=True)
        (folder / "d" / name / names[0]).write_bytes((folder / source).read_bytes())
    return ["evaluate", "--data", "d", "--out", "out", "--systems", "guided", "--no-plots"]


def _by_synthesize(folder: Path, names: list[str]) -> list[str]:
    return ["synthesize", names[0], "--out", "out", "--kind", "hard", "--count", "1"]


def _by_plan(folder: Path, names: list[str]) -> list[str]:
    return fuse(names, "--dry-run", "--json")


def _by_align(folder: Path, names: list[str]) -> list[str]:
    return ["fuse", *names, "--align-only", "out", "--align", "auto"]


def _by_project(folder: Path, names: list[str]) -> list[str]:
    return fuse(names, "--save-project", "out.panfocus.json", "--depth-map", "--layers", "out.psd")


_FACES: tuple[Callable[[Path, list[str]], list[str]], ...] = (
    _by_batch, _by_metrics, _by_evaluate, _by_synthesize, _by_plan, _by_align, _by_project,
)  # fmt: skip


def face_case(kind: str, how: str, seed: int) -> Case:
    """Return a case: damaged files of a kind come by another face than a plain fusion."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"face {kind} {how} {seed}")
        sample = samples()[kind]
        names = [f"f{n}{sample.ending}" for n in range(1 if sample.is_stack else 3)]
        for name in names:
            (folder / name).write_bytes(sample.data)
        (folder / names[0]).write_bytes(DAMAGES[how](sample.data, chance))
        return _FACES[seed % len(_FACES)](folder, names)

    name = _FACES[seed % len(_FACES)].__name__.removeprefix("_by_")
    made = ("out*", "out/*", "out*/*")
    return Case(f"faces/{name}", f"{kind} {how} {seed}", prepare, (0, 1, 2, 3), made)


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from (folder_case(seed) for seed in range(60))
    yield from arrays()
    hows = list(DAMAGES)
    for n, kind in enumerate(samples()):
        for face in range(len(_FACES)):
            yield face_case(kind, hows[(n + face) % len(hows)], face)


def drawn(chance: random.Random) -> Case:
    """Return another one."""
    if chance.random() < 0.3:
        return folder_case(chance.randrange(10**9))
    how = chance.choice(list(DAMAGES))
    return face_case(chance.choice(list(samples())), how, chance.randrange(10**9))
