"""Whether a change of the code changed a result: `hold_bytes.py OUT.json [--against EARLIER.json]`.

Fuses twelve small made stacks by every system in every mode, as arrays; each of them once more from
files, handheld, culled and dimmed ones among them; and three volumes. Writes a digest of every
picture, map and list of facts, and tells which differ from an earlier run. Files are compared as
what they hold, not byte by byte, since headers tell the time.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile

import panfocus
from panfocus.cli import main as cli
from panfocus.systems import list_systems, load_system

SIZE = (96, 128)
MODES = ("blend", "select", "best-plane")
#: Facts that no two runs share.
PASSING = {"timings_s", "versions", "seconds", "path", "file", "source", "device", "max_memory"}


def photograph(seed: int) -> np.ndarray:
    """Return a made picture RGB of some size with texture at all scales."""
    rng = np.random.default_rng(seed)
    out = np.zeros((*SIZE, 3))
    for cells in (4, 12, 32, 64):
        coarse = rng.random((cells, cells, 3)).astype(np.float32)
        out += cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC) / 4
    fine = rng.random((*SIZE, 1)) - 0.5
    return (255 * np.clip(out + 0.3 * fine, 0, 1)).astype(np.uint8)


def shot(picture: np.ndarray, count: int) -> np.ndarray:
    """Photograph a slope in `count` frames ``(N, H, W, 3)``, each sharp in another strip."""
    place = np.linspace(0, 1, SIZE[1], dtype=np.float32)[None, :, None]
    frames = []
    for focus in np.linspace(0.1, 0.9, count):
        far = np.clip(np.abs(place - focus) * 3, 0, 1)
        soft = cv2.GaussianBlur(picture, (0, 0), 3).astype(np.float32)
        frames.append((1 - far) * picture + far * soft)
    return np.rint(frames).astype(np.uint8)


def spots(seed: int) -> np.ndarray:
    """Return a sparse fluorescence stack, uint16 of 12 bits."""
    rng = np.random.default_rng(seed)
    planes = rng.poisson(90, (5, *SIZE)).astype(np.float32)
    for _ in range(8):
        dot = np.zeros(SIZE, np.float32)
        dot[tuple(int(rng.integers(8, s - 8)) for s in SIZE)] = 9000
        home = rng.integers(5)
        for z in range(len(planes)):
            planes[z] += cv2.GaussianBlur(dot, (0, 0), 1 + abs(z - home))
    return np.clip(planes, 0, 4095).astype(np.uint16)


def stacks() -> dict[str, np.ndarray]:
    """Return the twelve stacks."""
    pair, stack = shot(photograph(0), 2), shot(photograph(1), 5)
    noise = np.random.default_rng(2).normal(0, 4, stack.shape)
    black = np.concatenate((stack[:2], stack[:1] // 50, stack[2:]))
    alpha = np.full((*stack.shape[:3], 1), 255, np.uint8)
    moved = [np.roll(f, k, 1) for k, f in enumerate(shot(photograph(3), 3))]
    dim = [f * g for f, g in zip(shot(photograph(4), 3), (1, 0.9, 0.8), strict=True)]
    return {
        "pair": pair,
        "stack": stack,
        "noisy": np.clip(stack + noise, 0, 255).astype(np.uint8),
        "grey": stack[..., 1],
        "sixteen": stack.astype(np.uint16) * 257,
        "twelve": stack[..., 0].astype(np.uint16) * 16,
        "float": stack.astype(np.float32) / 255,
        "alpha": np.concatenate((stack, alpha), 3),
        "black": black,
        "spots": spots(5),
        "moved": np.stack(moved),
        "dim": np.rint(dim).astype(np.uint8),
    }


def digest(value: np.ndarray | None) -> str:
    """Return what tells arrays apart: type, shape and bytes."""
    if value is None:
        return "none"
    held = np.ascontiguousarray(value)
    head = f"{held.dtype}{held.shape}".encode()
    return hashlib.sha256(head + held.tobytes()).hexdigest()[:16]


def lasting(facts: Any) -> Any:
    """Return facts without what passes, numbers to six digits."""
    if isinstance(facts, Mapping):
        return {k: lasting(v) for k, v in facts.items() if k not in PASSING}
    if isinstance(facts, (list, tuple)):
        return [lasting(v) for v in facts]
    return float(f"{facts:.6g}") if isinstance(facts, float) else facts


def results(fusion: panfocus.Fusion, where: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the digest of all that a fusion gives."""
    for name in ("image", "index", "depth", "confidence"):
        yield f"{where} {name}", digest(getattr(fusion, name))
    facts = json.dumps(lasting(fusion.report.to_dict()), sort_keys=True)
    yield f"{where} report", hashlib.sha256(facts.encode()).hexdigest()[:16]


def of_arrays() -> Iterator[tuple[str, str]]:
    """Fuse every stack by every system in every mode."""
    for card in list_systems():
        system = load_system(card.name, threads=1, device="cpu")
        for name, frames in stacks().items():
            for mode in MODES if card.kind != "picture" else MODES[:1]:
                made = panfocus.fuse(frames, system=system, mode=mode, threads=1)
                yield from results(made, f"{card.name} {name} {mode}")


def of_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Fuse every stack from files, by the options that change most."""
    options: dict[str, dict[str, Any]] = {
        "moved": {"align": "auto"},
        "dim": {"align": "translation", "keep_size": True},
        "black": {"cull": True},
        "stack": {"order": "far-first", "bit_depth": "16"},
        "pair": {"prefer": "near"},
        "noisy": {"void": "off", "guard": "off", "reference": "last"},
    }
    for name, frames in stacks().items():
        if frames.dtype == np.float32:
            continue  # floats are read from one file alone
        place = folder / name
        place.mkdir()
        for n, frame in enumerate(frames):
            tifffile.imwrite(place / f"{n:03d}.tif", frame)
        for system in ("dualpath", "guided"):
            told = dict(options.get(name, {}))
            if system != "guided":  # networks know no near and far
                told.pop("prefer", None)
            made = panfocus.fuse(str(place), system=system, threads=1, device="cpu", **told)
            yield from results(made, f"files {system} {name}")


def of_volumes(folder: Path) -> Iterator[tuple[str, str]]:
    """Fuse volumes, and look at what was written."""
    both = np.stack([spots(5), spots(6)], 1)
    sources = {
        "ome": ({"axes": "ZCYX", "PhysicalSizeZ": 0.5, "PhysicalSizeZUnit": "µm"}, both),
        "time": ({"axes": "TZYX"}, np.stack([spots(7), spots(8)])),
        "one": ({"axes": "ZYX"}, spots(9)),
    }
    for name, (metadata, data) in sources.items():
        path, out = folder / f"{name}.ome.tif", folder / f"{name}-fused.ome.tif"
        tifffile.imwrite(path, data, metadata=metadata, ome=True)
        words = [str(path), "-o", str(out), "--depth-map", "--index-map"]
        code = cli(["fuse", *words, "--threads", "1", "--device", "cpu"])
        yield f"volume {name} code", str(code)
        for made in sorted(folder.glob(f"{name}-fused*.tif")):
            yield f"volume {made.name}", digest(tifffile.imread(made))


def main() -> int:
    """Fuse, write the digests, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path)
    arguments = parser.parse_args()
    made: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in (of_arrays(), of_files(Path(folder)), of_volumes(Path(folder))):
            made |= dict(part)
    arguments.out.write_text(json.dumps(made, indent=0), encoding="utf-8")
    print(f"{len(made)} results written to {arguments.out}")
    if arguments.against is None:
        return 0
    before = json.loads(arguments.against.read_text(encoding="utf-8"))
    others = sorted(k for k in {*before, *made} if before.get(k) != made.get(k))
    print(f"{len(others)} of {len(before)} differ from {arguments.against}", *others, sep="\n  ")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
