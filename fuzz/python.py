"""What a program hands over in Python: values, frames, names and functions of every wrong kind.

Whatever is not as it must be ends in an error of panfocus; what the caller's own code raises, in
that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzz.case import Case, How
from fuzz.made import stack

_HOW = How(seconds=30, memory=900)
#: Values of every kind, by what they are called.
ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None, "True": lambda: True, "-1": lambda: -1, "0": lambda: 0, "1": lambda: 1,
    "1.5": lambda: 1.5, "nan": lambda: float("nan"), "inf": lambda: float("inf"),
    "huge": lambda: 10**400, "empty": lambda: "", "x": lambda: "x", "zero byte": lambda: "\0",
    "surrogate": lambda: "\ud800", "bytes": lambda: b"x", "list": list, "list of 1": lambda: [1],
    "dict": lambda: {"a": 1}, "object": object, "array": lambda: np.array([1, 2]),
    "array of one": lambda: np.array(1), "numpy": lambda: np.float64(2),
    "function": lambda: len, "path": lambda: Path("x"), "long": lambda: "x" * 10_000,
    "type": lambda: type, "complex": lambda: 1j, "generator": lambda: iter(()), "set": set,
}  # fmt: skip


class _Own(Exception):
    """What a caller's code raises."""


def _fuse(frames: Any, **options: Any) -> Any:
    import panfocus

    return panfocus.fuse(frames, **{"system": "guided", **options})


def _option(name: str) -> Callable[[Any], object]:
    return lambda value: _fuse(stack(), **{name: value})


def _saved(name: str) -> Callable[[Any], object]:
    def save(value: Any) -> object:
        given = {"path": "out.png", name: value}
        given |= {"rocking": "out.gif"} if name == "animation_size" else {}
        given |= {"stereo": "out_s.png"} if name == "parallax" else {}
        return _fuse(stack()).save(given.pop("path"), **given)

    return save


def _volume(name: str) -> Callable[[Any], object]:
    import panfocus

    def call(value: Any) -> object:
        options = {"axes": "ZYX", "system": "guided", name: value}
        return panfocus.fuse_volume(stack(channels=1), **options)

    return call


def _doors() -> dict[str, Callable[[Any], object]]:
    """Return every parameter that takes a value, by its name."""
    import panfocus
    from panfocus.pipeline.options import FIELDS

    frames = stack()
    found: dict[str, Callable[[Any], object]] = {f"fuse {n}": _option(n) for n in FIELDS}
    found |= {
        f"save {name}": _saved(name)
        for name in (
            "path",
            "maps",
            "height_map",
            "mesh",
            "pixel_um",
            "transforms",
            "report",
            "layers",
            "animation",
            "stereo",
            "rocking",
            "animation_size",
            "parallax",
            "scale_bar",
            "quality",
        )
    }
    found |= {
        f"volume {name}": _volume(name)
        for name in (
            "axes",
            "guide_channel",
            "only",
            "slab",
            "pattern",
            "channel_names",
            "voxel_um",
        )
    }
    return found | {
        "frames": _fuse,
        "both frames": lambda value: _fuse([value, value]),
        "a frame": lambda value: _fuse([frames[0], value]),
        "pixels": lambda value: _fuse([panfocus.Frame("a", value, has_alpha=False)] * 2),
        "progress": lambda value: _fuse(frames, progress=None if callable(value) else value),
        "volume": lambda value: panfocus.fuse_volume(value, system="guided"),
        "plan": lambda value: panfocus.plan(value, panfocus.Options()),
        "plan of": lambda value: panfocus.plan([value], panfocus.Options()),
        "settings": lambda value: panfocus.plan(["x.png"], value),
        "align": panfocus.align,
        "project": panfocus.Project.read,
        "system": panfocus.load_system,
        "threads": lambda value: panfocus.load_system("dualpath", threads=value),
        "device": lambda value: panfocus.load_system("guided", device=value),
        "decide": lambda value: panfocus.load_system("guided").decide(value),
        "preview_size": lambda value: panfocus.StreamingFusion(
            "guided", preview_size=value).cancel(),
        "streamed by": lambda value: panfocus.StreamingFusion(value).cancel(),
    }  # fmt: skip


def value_case(door: str, odd: str) -> Case:
    """Return a case: a parameter gets a value of the wrong kind."""

    def call(_: list[str]) -> None:
        _doors()[door](ODD[odd]())

    # what is called so may come to be
    made = ("out*", "x", "x_*", "x" * 300)
    return Case("python/values", f"{door} = {odd}", lambda _: [], (0, 1, 2), made, _HOW, call=call)


class _Said:
    """Frames of which somebody says how many there are."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        return iter(stack())


def _raising() -> Iterator[Any]:
    yield stack()[0]
    raise _Own


class _Raises:
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise _Own


def _read_only() -> Any:
    frames = stack()
    frames.setflags(write=False)
    return frames


#: Frames that are odd; those that are sound in an odd way give what an array gives.
FRAMES: dict[str, Callable[[], Any]] = {
    "raise": _raising, "raise as arrays": lambda: [_Raises(), _Raises()],
    **{f"say {n}": lambda n=n: _Said(n) for n in (0, 1, 2, 5, 10**9)},
    "endless in rows": lambda: np.broadcast_to(np.uint8(7), (2, 10**6, 10**6)),
    "endless in number": lambda: np.broadcast_to(stack()[0], (10**6, 24, 32, 3)),
    "endless, one by one": lambda: iter([np.broadcast_to(np.uint8(7), (10**6, 10**6))] * 2),
    "in itself": lambda: _in_itself(),  # noqa: PLW0108 "mixed": lambda: [stack()[0], "a.png"],
    **{f"of {kind}": lambda kind=kind: stack(channels=1).astype(kind) for kind in (
        "i1", "i2", "u4", "i8", "f2", "f8", "c8", "bool", "O", "S3", "U3", "M8[s]")},
    **{f"of shape {shape}": lambda shape=shape: np.zeros(shape, np.uint8) for shape in (
        (), (3,), (3, 4), (0, 24, 32), (3, 0, 32), (3, 24, 0), (3, 24, 32, 0), (3, 24, 32, 1),
        (3, 24, 32, 5), (3, 24, 32, 200), (3, 2, 24, 32, 3), (1, 24, 32), (2, 15, 16), (2, 1, 1))},
    "records": lambda: np.zeros((3, 24, 32), [("r", "u1"), ("g", "u1")]),
    "masked": lambda: np.ma.array(stack(), mask=stack() > 200),
    "of views": lambda: [memoryview(np.ascontiguousarray(f)) for f in stack()],
}  # fmt: skip
SAME: dict[str, Callable[[Any], Any]] = {
    "turned over": lambda frames: np.ascontiguousarray(frames[:, ::-1])[:, ::-1],
    "in Fortran's order": np.asfortranarray, "swapped": lambda f: f.astype(f.dtype.newbyteorder()),
    "every second": lambda frames: np.repeat(frames, 2, axis=2)[:, :, ::2],
    "read only": lambda _: _read_only(), "as a list": list, "as a generator": iter,
    "as matrices": lambda frames: frames, "in a dict": lambda f: dict(enumerate(f)).values(),
}  # fmt: skip


def _in_itself() -> Any:
    frames: list[Any] = []
    frames.append(frames)
    return frames


def frames_case(name: str) -> Case:
    """Return a case: odd frames are fused, pushed, and fused as a volume."""

    def call(_: list[str]) -> None:
        import panfocus
        from panfocus.errors import PanfocusError

        calls: tuple[Callable[[Any], object], ...] = (
            _fuse, lambda frames: panfocus.fuse_volume(frames, axes="ZYX", system="guided"),
            lambda frames: _fuse(frames, max_memory="150M", system="pyramid"),
        )  # fmt: skip
        for fuse in calls:
            try:
                fuse(FRAMES[name]())
            except _Own:
                continue
            except PanfocusError as error:
                assert error.what and (error.expected or error.remedy), str(error)

    return Case("python/frames", name, lambda _: [], (0, 1, 2), (), _HOW, call=call)


def same_case(name: str) -> Case:
    """Return a case: frames that lie otherwise in memory give the same picture."""

    def call(_: list[str]) -> None:
        frames = stack(dtype="uint16", channels=1) if name == "swapped" else stack()
        plain = {"align": "none", "exposure": "none", "reference": "first"}
        before = _fuse(frames, **plain).image
        np.testing.assert_array_equal(_fuse(SAME[name](frames), **plain).image, before)

    return Case("python/same", name, lambda _: [], (0,), (), _HOW, call=call)


def every() -> Iterator[Case]:
    """Yield all of them."""
    yield from (value_case(door, odd) for door in _doors() for odd in ODD)
    yield from map(frames_case, FRAMES)
    yield from map(same_case, SAME)


def corpus() -> Iterator[Case]:
    """Yield a part of the values, and all else."""
    for n, case in enumerate(every()):
        if case.kind != "python/values" or n % 17 == 0:
            yield case


def drawn(chance: random.Random) -> Case:
    """Return one of them."""
    return value_case(chance.choice(list(_doors())), chance.choice(list(ODD)))
