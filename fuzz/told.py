"""What scientific files tell of themselves: OME-XML, and attributes of OME-Zarr."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tifffile

from fuzz.case import Case, How
from fuzz.made import fuse, ome_tiff, stack, zarr_at

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


def arrays() -> Iterator[Case]:
    """Yield Zarrs whose arrays tell wrong of how they are stored."""

    def case(name: str, **facts: Any) -> Case:
        def prepare(folder: Path) -> list[str]:
            zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
            path = folder / "a.zarr/0/.zarray"
            path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))
            return fuse(["a.zarr"], out="out.ome.tif")

        return Case("zarray", name, prepare, made=("out*",), how=How(seconds=30))

    odd: tuple[Any, ...] = (
        None,
        True,
        0,
        -1,
        1.5,
        "x",
        "²",
        [],
        {},
        [0, 0, 0],
        [3, 0, 32],
        [1, 1],
        [2**63] * 3,
    )
    for key in ("shape", "chunks", "dtype", "order", "fill_value", "filters", "compressor",
                "zarr_format", "dimension_separator"):  # fmt: skip
        for value in odd:
            yield case(f"{key} = {value!r:.20}", **{key: value})
    yield case("chunks of a pixel", shape=[3, 6000, 6000], chunks=[1, 1, 1])
    yield case("no chunk", shape=[3, 3000, 3000], chunks=[1, 3000, 3000])


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    yield from arrays()
    yield from xml()
    yield from attributes()
