"""What others write and panfocus believes: cards, manifests, transforms, records, attributes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case
from fuzz.made import fuse, lay, lay_batch

#: Values of every kind, none of which most fields can have.
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**400, "", "x", "²", "\0", [], [1], {}, {"a": 1}, "NaN", 1e300,
    [[[[]]]],
)  # fmt: skip
_RAW = ("", "null", "[]", "1", '"x"', "{", "NaN", "[" * 100_000, "\ufeff{}", "{}\0", "1" * 5000,
        '{"a": ' * 50_000)  # fmt: skip


def _system(folder: Path) -> dict[str, Any]:
    from panfocus.systems import registry

    source = registry.BUNDLED / "dualpath-5"
    own = folder / "own"
    own.mkdir()
    shutil.copy(source / "model.onnx", own / "model.onnx")
    return json.loads((source / "card.json").read_text())


def _card(change: Callable[[dict[str, Any]], Any], raw: str | None = None) -> Callable[..., Any]:
    def prepare(folder: Path) -> list[str]:
        card = _system(folder)
        changed = change(card)
        text = raw if raw is not None else json.dumps(card if changed is None else changed)
        (folder / "own/card.json").write_text(text)
        return ["fuse", *lay(folder), "-o", "out.png", "--system", "own", "--device", "cpu",
                "--threads", "1"]  # fmt: skip

    return prepare


def _set(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        facts[name] = value

    return change


CARD = ("name", "title", "kind", "max_frames", "multiple_of", "halo", "working_pixels",
        "tile_pixels", "value_range", "model", "sha256", "restores", "guard", "macs_per_pixel",
        "licence", "trained_by", "data", "recipe", "scores", "notes")  # fmt: skip


def cards() -> Iterator[Case]:
    """Yield systems whose card is wrong."""
    for name in CARD:
        for n, value in enumerate(ODD):
            if (n + len(name)) % 3 == 0 or name in ("model", "sha256", "restores"):
                yield Case("card", f"{name} = {value!r:.20}", _card(_set(name, value)))
    for n, raw in enumerate(_RAW):
        yield Case("card", f"raw {n}", _card(lambda _: None, raw))
    yield Case("card", "bytes", _with_bytes("own/card.json"))


def _with_bytes(name: str) -> Callable[[Path], list[str]]:
    def prepare(folder: Path) -> list[str]:
        words = _card(lambda _: None)(folder)
        (folder / name).write_bytes(b"\xff\xfe\x00{")
        return words

    return prepare


def _transforms() -> dict[str, Any]:
    frames = [
        {"name": f"f{n}", "kind": "identity", "status": "x", "gain": 0, "corner_error_px": None,
         "matrix": np.eye(3).tolist()}
        for n in range(3)
    ]  # fmt: skip
    return {"format": "panfocus-transforms-1", "height": 24, "width": 32, "reference": 1,
            "frames": frames}  # fmt: skip


def transforms() -> Iterator[Case]:
    """Yield files of transforms that are wrong."""

    def case(name: str, text: str | bytes) -> Case:
        def prepare(folder: Path) -> list[str]:
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            (folder / "t.json").write_bytes(data)
            return fuse(lay(folder), "--load-transforms", "t.json")

        return Case("transforms", name, prepare)

    for key in ("format", "height", "width", "reference", "frames"):
        for n, value in enumerate(ODD):
            if n % 2:
                facts = _transforms()
                facts[key] = value
                yield case(f"{key} = {value!r:.20}", json.dumps(facts))
    for key in ("name", "kind", "matrix", "corner_error_px"):
        for n, value in enumerate(ODD):
            if n % 2 == 0:
                facts = _transforms()
                facts["frames"][0][key] = value
                yield case(f"frame {key} = {value!r:.20}", json.dumps(facts))
    for number in ("1e999", "-1e999", "NaN", "1" * 5000, "1e308", '"1"', "1e-320"):
        text = json.dumps(_transforms()).replace("1.0", number, 1)
        yield case(f"matrix {number:.10}", text)
    for n, raw in enumerate(_RAW):
        yield case(f"raw {n}", raw)
    yield case("bytes", b"\xff\xfe\x00{")


_MANIFESTS = (
    "", "name\n", "name,inputs\n", "name,inputs\na,s0\n", 'name,inputs\n"a,in/s0\n',
    "name,inputs,options\na,in/s0,maps=1\n", "name,inputs,options\na,in/s0,reference=²\n",
    "name,inputs,options\na,in/s0,threads=1e9\n", "name,inputs,options\na,in/s0,=\n",
    'name,inputs,options\na,in/s0,"""\n', "name,inputs,options\na,in/s0,mode='\n",
    "name,inputs,options\na,in/s0,max_memory=1e999\n", "name,inputs,options\na,in/s0,threads=²\n",
    "name,inputs\na,in/s0\na,in/s1\n", "name,inputs\n../a,in/s0\n", "name,inputs\n/a,in/s0\n",
    "name,inputs\na/b/c,in/s0\n", "name,inputs\n" + "a" * 300 + ",in/s0\n",
    "name,inputs\na\0b,in/s0\n", "name,inputs\na,in/s0\0\n", "name,inputs\na,~nosuchuser/x\n",
    "name,inputs\na," + "x" * 5000 + "\n", "name,inputs\n.,in/s0\n", "name,inputs,x\na,in/s0,1\n",
    "name,inputs\na,in/s0,extra,cells\n", "name,inputs,output\na,in/s0,~nosuchuser/o.tif\n",
    "name,inputs,output\na,in/s0,o.xyz\n", "name,inputs,output\na,in/s0,../o.tif\n",
    "name,inputs,output\na,in/s0,\0.tif\n", "name,inputs,name\na,in/s0,b\n",
    "name,inputs\na,in/[\n", "name,inputs\na,**\n", 'name,inputs\n"a\nb",in/s0\n',
    "name,inputs\n" + "a," * 100_000 + "\n", "name,inputs\na,;;\n", "\ufeffname,inputs\na,in/s0\n",
    "name;inputs\na;in/s0\n", "name,inputs\n=1+1,in/s0\n", "name,inputs\na,in\n",
    "name,inputs,options\na,in/s0,load_transforms=x\n", "name,inputs,options\na,in/s0,system=\n",
    "name,inputs,options\na,in/s0,z_step_um=nan\n", "name,inputs,options\na,in/s0,quality=1\n",
    'name,inputs\n"' + "x" * 200_000 + '",in/s0\n',
    "name,inputs,options\na,in/s0," + "threads=" + "9" * 5000 + "\n",
)  # fmt: skip


def manifests() -> Iterator[Case]:
    """Yield manifests that are wrong."""

    def case(n: int, data: bytes, dry: bool) -> Case:
        def prepare(folder: Path) -> list[str]:
            lay_batch(folder)
            (folder / "m.csv").write_bytes(data)
            more = ["--dry-run"] if dry else []
            return ["batch", "m.csv", "out", "--workers", "0", "--system", "guided", *more]

        return Case(
            "manifest",
            f"{n}{' dry' if dry else ''}",
            prepare,
            codes=(0, 1, 2, 3),
            made=("out/*", "o.tif"),
        )

    for n, text in enumerate(_MANIFESTS):
        yield case(n, text.encode("utf-8", "surrogatepass"), dry=n % 2 == 0)
    yield case(900, b"name,inputs\n\xff\xfe,in/s0\n", dry=False)
    yield case(901, "name,inputs\na,in/s0\n".encode("utf-16"), dry=False)


def records() -> Iterator[Case]:
    """Yield output folders whose records are damaged."""
    sound = {"key": "x", "state": "done", "files": {}, "frames": 2, "tries": 1, "before": {}}
    texts = list(_RAW)
    for key in sound:
        texts += [
            json.dumps({**sound, key: value})
            for value in (None, [], 1, "x", {"a": 1}, {"a": [1]}, {"a": [[], 2, 3]})
        ]

    def case(name: str, place: str, text: str, resume: bool) -> Case:
        def prepare(folder: Path) -> list[str]:
            lay_batch(folder)
            path = folder / "out/.panfocus" / place
            path.parent.mkdir(parents=True)
            path.write_text(text, errors="surrogatepass")
            more = ["--resume"] if resume else ["--overwrite"]
            return ["batch", "in", "out", "--workers", "0", "--system", "guided", *more]

        return Case("record", name, prepare, codes=(0, 1, 2, 3), made=("out/*",))

    for n, text in enumerate(texts):
        yield case(f"stack {n}", "stacks/s0.json", text, resume=n % 3 > 0)
    run = {"run": "ab12", "host": "here", "pid": 1}
    running = list(_RAW)
    for key in run:
        running += [
            json.dumps({**run, key: value}) for value in (None, [], -1, 2**80, "x", "../*", "*", {})
        ]
    for n, text in enumerate(running):
        yield case(f"running {n}", "running.json", text, resume=True)
    for n, text in enumerate(_RAW):
        yield case(f"ledger {n}", "stacks/.written", text, resume=True)


def plugins() -> Iterator[Case]:
    """Yield files of Python that end, stop or hold up the program that loads them."""
    for n, text in enumerate(("import sys; sys.exit(0)", "raise SystemExit", "exit()", "quit('x')",
                              "raise GeneratorExit", "\0", "é" * 9)):  # fmt: skip

        def prepare(folder: Path, text: str = text) -> list[str]:
            (folder / "own.py").write_text(text)
            return fuse(lay(folder), "--plugin", "own.py")

        yield Case("plugin", str(n), prepare, codes=(1, 2), made=("__pycache__/*",))


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for of in (cards, transforms, manifests, records, plugins):
        yield from of()
