"""Every kind of output and input that a fusion has: the same again, nothing beside, whole or not.

Each case is one of: run twice, into the same bytes; where the disk takes little; stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How, Ran
from fuzz.made import bytes_of, stack, zarr_at
from fuzz.pushed import HOWS, PUSHED, pushed_case
from fuzz.samples import samples


@dataclass(frozen=True)
class Feature:
    """A call of panfocus.

    Attributes:
        lay: writes what it needs into the folder; returns the words.
        made: files that it writes; a * for what it names itself.
    """

    lay: Callable[[Path, int], list[str]]
    made: tuple[str, ...]


def _photos(*more: str, out: str = "out.png", system: str = "guided") -> Callable[..., list[str]]:
    def laid(folder: Path, size: int) -> list[str]:
        names = [f"f{n}.png" for n in range(3)]
        for name, frame in zip(names, stack(3, 24 * size, 32 * size), strict=True):
            (folder / name).write_bytes(bytes_of(frame, ".png"))
        return ["fuse", *names, "-o", out, "-s", system, *more]

    return laid


def _volume(*more: str, out: str = "out.ome.tif") -> Callable[..., list[str]]:
    def laid(folder: Path, size: int) -> list[str]:
        import tifffile

        planes = stack(4, 24 * size, 32 * size, 1, "uint16")
        about = {"axes": "CZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
        tifffile.imwrite(folder / "v.ome.tif", np.stack([planes, planes // 3]), metadata=about)
        return ["fuse", "v.ome.tif", "-o", out, "-s", "guided", *more]

    return laid


def _kind(kind: str, out: str) -> Callable[..., list[str]]:
    def laid(folder: Path, _: int) -> list[str]:
        sample = samples()[kind]
        names = [f"f{n}{sample.ending}" for n in range(1 if sample.is_stack else 2)]
        for name in names:
            (folder / name).write_bytes(sample.data)
        return ["fuse", *names, "-o", out, "-s", "guided"]

    return laid


def _calibrated(folder: Path, size: int) -> list[str]:
    words = _photos("--flat-field", "flat", "--dark", "dark.png", "--hot-pixels", "auto")
    (folder / "flat").mkdir()
    light = np.full((24 * size, 32 * size, 3), 200, np.uint8)
    for n in range(2):
        (folder / f"flat/{n}.png").write_bytes(bytes_of(light - n, ".png"))
    (folder / "dark.png").write_bytes(bytes_of(light // 100, ".png"))
    return words(folder, size)


def _planes(folder: Path, size: int) -> list[str]:
    (folder / "planes").mkdir()
    for c in range(2):
        for z, frame in enumerate(stack(3, 24 * size, 32 * size, 1, "uint16", c)):
            (folder / f"planes/a{c}-{z}.tif").write_bytes(bytes_of(frame, ".tif"))
    return ["fuse", "planes", "--pattern", "a{c}-{z}.tif", "-o", "out.ome.tif", "-s", "guided"]


def _arriving(folder: Path, size: int) -> list[str]:
    (folder / "in").mkdir()
    words = _photos()(folder / "in", size)
    return ["fuse", "in", *words[-4:], "--watch-frames", "1.5"]


def _zarr(folder: Path, size: int) -> list[str]:
    zarr_at(folder / "a.zarr", stack(3, 24 * size, 32 * size, 1, "uint16"))
    return ["fuse", "a.zarr", "-o", "out.zarr", "-s", "guided", "--pyramid", "on"]


def _check(folder: Path, _: int) -> list[str]:
    return ["systems", "check", "guided"]


FEATURES: dict[str, Feature] = {
    "several systems": Feature(_photos(system="guided,pyramid"), ("out_*.png",)),
    "maps": Feature(_photos("--depth-map", "--index-map", "--confidence-map"), ("out_*.tif",)),
    "layers": Feature(_photos("--layers", "l.psd"), ("l.psd",)),
    "layered TIFF": Feature(_photos("--layers", "l.tif"), ("l.tif",)),
    "animation": Feature(_photos("--animation", "a.gif"), ("a.gif",)),
    "animation WebP": Feature(_photos("--animation", "a.webp"), ("a.webp",)),
    "rocking": Feature(_photos("--rocking", "r.gif"), ("r.gif",)),
    "stereo": Feature(_photos("--stereo", "s.png"), ("s.png",)),
    "slabs": Feature(_photos("--slab", "2", "1"), ("out_slab*.png",)),
    "scale bar": Feature(_photos("--scale-bar", "auto", "--pixel-size", "1"), ("out_*.png",)),
    "described": Feature(_photos("--pixel-size", "0.5", out="out.ome.tif"), ()),
    "height map": Feature(_photos("--height-map", "h.png"), ("h.png",)),
    **{f"mesh {kind}": Feature(_photos("--mesh", f"m.{kind}"), (f"m.{kind}", "m*")) for kind in
       ("ply", "obj", "glb")},
    "project": Feature(_photos("--save-project", "p.panfocus.json"), ("p.panfocus.json",)),
    "report": Feature(_photos("--json=r.json", "--save-transforms", "t.json"), ("?.json",)),
    "calibrated": Feature(_calibrated, ()),
    "16 bits into JPEG": Feature(_kind("png16", "out.jpg"), ()),
    "only": Feature(_volume("--only", "C=1,Z=0-2"), ()),
    "one plane as a picture": Feature(_volume("--only", "C=0", out="out.png"), ()),
    "volume's surfaces": Feature(_volume("--height-map", "h.png", "--mesh", "m.ply"), ("h*", "m*")),
    "volume's slabs": Feature(_volume("--slab", "2", "1"), ("out_slab*",)),
    "volume's maps": Feature(_volume("--depth-map", "--index-map"), ("out_*",)),
    "volume's pyramid": Feature(_volume("--pyramid", "on"), ()),
    "volume's scale bar": Feature(_volume("--scale-bar", "2um"), ("out_*",)),
    "volume into Zarr": Feature(_zarr, ("out.zarr/*",)),
    "planes": Feature(_planes, ()),
    "watched frames": Feature(_arriving, ("out_preview.jpg",)),
    "systems check": Feature(_check, ()),
    **{f"{kind} in": Feature(_kind(kind, "out.tif"), ()) for kind in
       ("avif12", "jxl16", "jp2", "exr", "psd16", "gif", "mp4", "heic", "bmp")},
}  # fmt: skip


def _made(feature: Feature) -> tuple[str, ...]:
    return ("out.*", *feature.made)


def again_case(name: str) -> Case:
    """Return a case: the same call twice gives the same bytes."""
    feature = FEATURES[name]

    def prepare(folder: Path) -> list[str]:
        return feature.lay(folder, 1)

    def call(words: list[str]) -> None:
        from panfocus.cli import main

        assert main(words) == 0, "the first time"
        first = _bytes()
        if words[0] == "systems":
            return
        assert main(words) in (1, 2), "what is there was replaced unasked"
        assert _bytes() == first
        assert main([*words, "--overwrite"]) == 0, "the second time"
        changed = [path for path, data in _bytes().items() if first.get(path) != data]
        if name == "several systems":  # the sheet tells how long each took
            changed = [path for path in changed if "sheet" not in path]
        assert not changed, f"other bytes: {changed}"

    return Case("feature/again", name, prepare, (0,), _made(feature), How(seconds=60), call=call)


#: What tells when it was made, or where.
_TOLD = ("seconds", "when", "peak", "started", "memory", "revision")


def _bytes() -> dict[str, str]:
    out: dict[str, str] = {}
    for root, _, names in os.walk("."):
        for name in names:
            path = Path(root, name)
            data = path.read_bytes()
            if path.suffix == ".json" and ".zarr" not in str(path):
                data = json.dumps(_timeless(json.loads(data))).encode()
            out[str(path)] = hashlib.sha256(data).hexdigest()
    return out


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if not any(w in k for w in _TOLD)}
    return [_timeless(v) for v in value] if isinstance(value, list) else (
        None if isinstance(value, float) else value)  # fmt: skip


def little_case(name: str, size: int) -> Case:
    """Return a case: no file may be longer than this."""
    feature = FEATURES[name]
    how = How(exec=True, limits={"RLIMIT_FSIZE": size})
    return Case("feature/little", f"{name} in {size} bytes", lambda folder: feature.lay(folder, 2),
                (0, 1), _made(feature), how, _whole)  # fmt: skip


def stopped_case(name: str, number: int, after: float) -> Case:
    """Return a case: a signal comes."""
    feature = FEATURES[name]
    how = How(exec=True, stop=(number, after), seconds=90)
    codes = (0, 130, -number, 128 + number)
    about = f"{name} {signal.Signals(number).name} {after:.2f}"
    return Case("feature/stopped", about, lambda folder: feature.lay(folder, 12), codes,
                _made(feature), how, _whole)  # fmt: skip


def _whole(folder: Path, ran: Ran) -> str | None:
    """Return what is there and cannot be read."""
    import tifffile
    from PIL import Image

    for path in folder.iterdir():
        try:
            if path.suffix == ".tif":
                tifffile.imread(path)
            elif path.suffix in (".png", ".jpg", ".gif", ".webp"):
                with Image.open(path) as picture:
                    picture.load()
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
        except Exception as error:
            return f"{path.name} is half-written: {error}"
    return None


_SIZES = (100, 1000, 6000)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def every() -> Iterator[Case]:
    """Yield all of them."""
    for name in FEATURES:
        yield again_case(name)
        for size in _SIZES:
            yield little_case(name, size)
    for n, name in enumerate(FEATURES):
        for m, after in enumerate((0.4, 0.7, 1.0, 1.4)):
            yield stopped_case(name, _SIGNALS[(n + m) % 3], after)
    for name in PUSHED:
        for how in HOWS:
            yield pushed_case(name, how)


def corpus() -> Iterator[Case]:
    """Yield every feature again, and a part of the rest."""
    for n, case in enumerate(every()):
        if case.kind == "feature/again" or n % 3 == 0:
            yield case


def drawn(chance: random.Random) -> Case:
    """Return another one."""
    name = chance.choice(list(FEATURES))
    if chance.random() < 0.3:
        return little_case(name, chance.randrange(20, 20_000))
    if chance.random() < 0.6:
        return stopped_case(name, chance.choice(_SIGNALS), chance.uniform(0.2, 2.0))
    return pushed_case(chance.choice(list(PUSHED)), chance.choice(HOWS))
