"""What others write and panfocus believes: cards, manifests, transforms, records, attributes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How
from fuzz.made import fuse, lay, lay_batch, ome_tiff, stack, zarr_at

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


_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {c} "{f"&{p};" * 10}">' for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


def xml() -> Iterator[Case]:
    """Yield OME-TIFFs whose XML is wrong."""
    sound = ome_tiff(stack(3, channels=1, dtype="uint16"))
    start = sound.index(b"<?xml")
    end = sound.index(b"</OME>") + 6
    text = sound[start:end].decode()

    def case(name: str, changed: str) -> Case:
        import io

        import tifffile

        def prepare(folder: Path) -> list[str]:
            out = io.BytesIO()
            frames = stack(3, channels=1, dtype="uint16")
            description = changed.encode("utf-8", "surrogatepass")
            tifffile.imwrite(
                out, frames, photometric="minisblack", description=description, metadata=None
            )
            (folder / "a.ome.tif").write_bytes(out.getvalue())
            return fuse(["a.ome.tif"], out="out.ome.tif")

        return Case("ome-xml", name, prepare, made=("out*",), how=How(seconds=30))

    yield case("as it is", text)
    yield case("entities", _BOMB + text.replace("<Image ", "<Image X='&i;' ", 1))
    yield case(
        "external",
        '<!DOCTYPE l [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        + text.replace("<Image ", "<Image X='&e;' ", 1),
    )
    yield case("entity text", '<!DOCTYPE l [<!ENTITY e "x">]>' + text.partition("?>")[2])
    yield case("deep", "<OME>" + "<a>" * 20_000 + "</a>" * 20_000 + "</OME>")
    for name in ("SizeX", "SizeZ", "SizeC", "SizeT", "BigEndian", "Type", "DimensionOrder", "ID",
                 "IFD", "PlaneCount", "SamplesPerPixel"):  # fmt: skip
        for value in ("", "-1", "0", "²", "1e9", "9" * 5000, "x", "1.5", "99999999", "NaN"):
            import re

            changed = re.sub(rf'\b{name}="[^"]*"', f'{name}="{value}"', text)
            if changed != text:
                yield case(f"{name} = {value:.10}", changed)
    for attribute in ("PhysicalSizeZ", "TimeIncrement", "SignificantBits"):
        for value in ("-1", "0", "NaN", "1e999", "²", "x", "9" * 5000):
            yield case(
                f"{attribute} = {value:.10}",
                text.replace("<Pixels ", f'<Pixels {attribute}="{value}" ', 1),
            )
    for n, plane in enumerate(
        (
            'PositionZ="x"',
            'PositionZ="1e999"',
            'TheZ="²" PositionZ="1"',
            'TheZ="99999" PositionZ="2"',
            f'TheZ="{"9" * 5000}" PositionZ="1"',
        )
    ):
        yield case(f"plane {n}", text.replace("</Pixels>", f"<Plane {plane}/></Pixels>", 1))


def attributes() -> Iterator[Case]:
    """Yield OME-Zarrs whose attributes are of wrong kinds."""

    def case(name: str, about: Any) -> Case:
        def prepare(folder: Path) -> list[str]:
            zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"), about)
            return fuse(["a.zarr"], out="out.ome.tif")

        return Case("ngff", name, prepare, made=("out*",))

    axes = [{"name": a, "type": "space"} for a in "zyx"]
    sets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1]}]}]

    def scales(**change: Any) -> dict[str, Any]:
        return {"multiscales": [{"axes": axes, "datasets": sets, **change}]}

    odd = (None, True, -1, 1.5, "", "x", [], [1], [None], {}, {"a": 1}, [[]], [{}], 10**40)
    for value in odd:
        yield case(f"multiscales = {value!r:.20}", {"multiscales": value})
        yield case(f"axes = {value!r:.20}", scales(axes=value))
        yield case(f"datasets = {value!r:.20}", scales(datasets=value))
        yield case(f"path = {value!r:.20}", scales(datasets=[{"path": value}]))
        yield case(
            f"scale = {value!r:.20}",
            scales(coordinateTransformations=[{"type": "scale", "scale": value}]),
        )
        yield case(f"steps = {value!r:.20}", scales(coordinateTransformations=value))
        yield case(f"omero = {value!r:.20}", {**scales(), "omero": value})
        yield case(f"channels = {value!r:.20}", {**scales(), "omero": {"channels": value}})
        yield case(f"ome = {value!r:.20}", {"ome": value})
        yield case(f"plate = {value!r:.20}", {"plate": value})
        yield case(f"unit = {value!r:.20}", scales(axes=[{**a, "unit": value} for a in axes]))
    for path in ("../b", "/etc", "0/../0", "x" * 300, "0\0"):
        yield case(f"path {path:.10}", scales(datasets=[{"path": path}]))
    for scale in ([1e999, 1, 1], [0, 0, 0], ["1", 1, 1], [1, 1], [-1, 1, 1], ["x", 1, 1]):
        yield case(
            f"scale {scale}", scales(coordinateTransformations=[{"type": "scale", "scale": scale}])
        )


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for of in (cards, transforms, manifests, records, xml, attributes):
        yield from of()
