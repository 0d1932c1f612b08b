"""Inputs that ask for much time or memory: both stay bounded, or it is refused in words."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fuzz.case import Case, How
from fuzz.made import bytes_of, fuse, lay, stack, zarr_at
from fuzz.samples import samples


def _zarr(shape: list[int], name: str) -> Case:
    def prepare(folder: Path) -> list[str]:
        zarr_at(folder / "a.zarr", stack(3, channels=1))
        path = folder / "a.zarr/0/.zarray"
        facts = json.loads(path.read_text())
        path.write_text(json.dumps({**facts, "shape": shape, "chunks": [1] * len(shape)}))
        axes = [{"name": a} for a in "tczyx"[-len(shape) :]]
        about = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
        (folder / "a.zarr/.zattrs").write_text(json.dumps(about))
        return fuse(["a.zarr"], out="out.ome.tif")

    return Case("bounds", f"zarr {name}", prepare, codes=(1, 2), made=(), how=How(memory=500))


def _tiff_of(entries: list[tuple[int, int, int, bytes]], size: int) -> bytes:
    data = struct.pack("<HHI", 0x4949, 42, 8) + struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        data += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return (data + bytes(4)).ljust(min(size, 4096), b"\0")


def _sparse(folder: Path) -> list[str]:
    """Write a TIFF of 256 MiB, all hole, whose table of strips fills it."""
    long, short = struct.Struct("<I").pack, struct.Struct("<H").pack
    count = 2**26 - 4096
    entries = [(256, 4, 1, long(100)), (257, 4, 1, long(100)), (258, 3, 1, short(8)),
               (262, 3, 1, short(1)), (273, 4, count, long(4096)), (277, 3, 1, short(1)),
               (278, 4, 1, long(1)), (279, 4, count, long(4096))]  # fmt: skip
    with (folder / "bad.tif").open("wb") as file:
        file.write(_tiff_of(entries, 4096))
        file.truncate(2**28)
    return fuse(["bad.tif", *lay(folder, count=1)])


def _pages(folder: Path) -> list[str]:
    frames = np.tile(stack(3, 16, 16, 1), (500, 1, 1))
    (folder / "p.tif").write_bytes(
        bytes_of(frames, ".tif", photometric="minisblack", metadata=None)
    )
    return fuse(["p.tif"], "--align", "none")


def _circle(folder: Path) -> list[str]:
    data = bytearray(bytes_of(stack(2, channels=1), ".tif", photometric="minisblack"))
    entries = struct.unpack_from("<H", data, struct.unpack_from("<I", data, 4)[0])[0]
    struct.pack_into("<I", data, struct.unpack_from("<I", data, 4)[0] + 2 + 12 * entries, 8)
    (folder / "c.tif").write_bytes(data)
    return fuse(["c.tif"])


def _far(folder: Path) -> list[str]:
    data = bytearray(bytes_of(stack()[0], ".tif", bigtiff=True))
    struct.pack_into("<Q", data, 8, 2**63)
    (folder / "bad_depth.tif").write_bytes(data)
    return fuse(["bad_depth.tif", *lay(folder, ".tif", 2)])


def _folder_far(folder: Path) -> list[str]:
    _far(folder)
    return fuse(["."])


def _many_frames(_: list[str]) -> None:
    import panfocus

    class Many:
        def __len__(self) -> int:
            return 70_000

        def __iter__(self):
            return (np.zeros((16, 16), np.uint8) for _ in range(70_000))

    panfocus.fuse(Many(), system="guided")


def _sides(shape: tuple[int, int], align: str) -> Case:
    def call(_: list[str]) -> None:
        import panfocus

        frames = np.random.default_rng(0).integers(0, 255, (2, *shape), np.uint8)
        panfocus.fuse(frames, system="guided", align=align)

    return Case("bounds", f"{shape[1]} x {shape[0]} {align}", lambda _: [], call=call)


def _rows(folder: Path) -> list[str]:
    rows = "".join(f"s{n},in\n" for n in range(400_000))
    (folder / "m.csv").write_text("name,inputs\n" + rows)
    return ["batch", "m.csv", "out", "--workers", "0"]


def _much(kind: str, start: int | None) -> Case:
    """Return a case: a file of 32 GiB, all hole behind the beginning, or all, of a sound one."""

    def prepare(folder: Path) -> list[str]:
        sample = samples()[kind]
        with (folder / f"much{sample.ending}").open("wb") as file:
            file.write(sample.data[:start])
            file.truncate(2**35)
        names = [f"much{sample.ending}"]
        if not sample.is_stack:
            (folder / f"f1{sample.ending}").write_bytes(sample.data)
            names.append(f"f1{sample.ending}")
        return fuse(names, "--align", "none", out="out.ome.tif" if kind == "ome" else "out.tif")

    name = f"{kind} {'and' if start is None else start} 32 GiB"
    return Case("bounds", name, prepare, how=How(seconds=20))


def corpus() -> Iterator[Case]:
    """Yield all of them."""
    for kind in samples():
        for start in (12, 64, None):
            yield _much(kind, start)
    yield _zarr([10**9, 24, 32], "z")
    yield _zarr([10**9, 1, 3, 24, 32], "t")
    yield _zarr([1, 10**9, 3, 24, 32], "c")
    yield _zarr([3, 10**6, 10**6], "y x")
    for call, codes in ((_sparse, (1,)), (_pages, (0,)), (_circle, (1,)), (_far, (1,)),
                        (_folder_far, (0, 1)), (_rows, (2,))):  # fmt: skip
        yield Case("bounds", call.__name__, call, codes=codes)
    yield Case("bounds", "70000 frames", lambda _: [], codes=(1,), call=_many_frames)
    for shape in ((16, 9000), (9000, 16), (16, 32_768), (20, 40_000)):
        yield _sides(shape, "auto")
        yield _sides(shape, "none")
