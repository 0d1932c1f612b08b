"""Every readable format, damaged in every way that a disk or a wire knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.case import Case, Ran
from fuzz.made import fuse, stack, zarr_at
from fuzz.samples import samples

Damage = Callable[[bytes, random.Random], bytes]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 10))):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _flip_head(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 4))):
        out[chance.randrange(min(len(out), 300))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(out)


def _zeros(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice((4, 16, 64, 512)))
    return data[:start] + bytes(end - start) + data[end:]


def _more(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + chance.randbytes(chance.choice((1, 7, 100))) + data[start:]


def _less(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.choice((1, 4, 50)) :]


def _lengths(data: bytes, chance: random.Random) -> bytes:
    """Write a number that cannot be over four or eight bytes that are aligned."""
    size = chance.choice((2, 4, 8))
    start = chance.randrange(max(1, len(data) // size)) * size
    number = chance.choice((0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1))
    order = chance.choice(("little", "big"))
    return data[:start] + (number % 2 ** (8 * size)).to_bytes(size, order) + data[start + size :]


DAMAGES: dict[str, Damage] = {
    "cut": _cut, "flip": _flip, "head": _flip_head, "zeros": _zeros, "more": _more, "less": _less,
    "lengths": _lengths,
}  # fmt: skip


def damage_case(kind: str, how: str, seed: int) -> Case:
    """Return a case: one frame of three, or a whole stack, is damaged."""
    sample = samples()[kind]
    ending, data = sample.ending, sample.data

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"{kind} {how} {seed}")
        bad = DAMAGES[how](data, chance)
        names = ["bad" + ending]
        (folder / names[0]).write_bytes(bad)
        if not sample.is_stack:
            for n in range(2):
                (folder / f"good{n}{ending}").write_bytes(data)
                names.append(f"good{n}{ending}")
        more = ["--align", "none"] if chance.random() < 0.7 else []
        out = "out.ome.tif" if kind == "ome" else chance.choice(("out.tif", "out.jpg", "out.png"))
        return fuse(names, *more, out=out)

    return Case(
        f"damage/{kind}",
        f"{how} {seed}",
        prepare,
        codes=(0, 1, 2),
        made=("out*",),
        check=_good_or_told,
    )


def _good_or_told(folder: Path, ran: Ran) -> str | None:
    made = [path for path in folder.iterdir() if path.name.startswith("out")]
    if ran.code == 0 and not made:
        return "nothing written, and it says that all is well"
    if ran.code != 0 and made:
        return "it failed, and a result is there"
    return None


def zarr_case(how: str, seed: int) -> Case:
    """Return a case: a file of an OME-Zarr is damaged."""

    def prepare(folder: Path) -> list[str]:
        chance = random.Random(f"zarr {how} {seed}")
        zarr_at(folder / "a.zarr", stack(3, channels=1, dtype="uint16"))
        path = chance.choice(sorted(p for p in (folder / "a.zarr").rglob("*") if p.is_file()))
        path.write_bytes(DAMAGES[how](path.read_bytes(), chance))
        return fuse(["a.zarr"], out=chance.choice(("out.ome.tif", "out.zarr")))

    return Case("damage/zarr", f"{how} {seed}", prepare, made=("out*", "out*/*"))


def corpus() -> Iterator[Case]:
    """Yield every format with every damage, a few times."""
    for how in DAMAGES:
        for kind in samples():
            for seed in range(3):
                yield damage_case(kind, how, seed)
        for seed in range(4):
            yield zarr_case(how, seed)


def drawn(chance: random.Random) -> Case:
    """Return another one."""
    how, seed = chance.choice(list(DAMAGES)), chance.randrange(10**9)
    kind = chance.choice([*samples(), "zarr"])
    return zarr_case(how, seed) if kind == "zarr" else damage_case(kind, how, seed)
