"""The pictures that each how-to page speaks of, made small; nothing is read from outside."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from tests.conftest import focal_pair, focal_stack, texture
from tests.support.files import DPI, ICC, exif_block


def handheld(frames, shift=1.7):
    """Move each frame a little further than the one before, as a hand or a breathing lens does."""
    moved = []
    for n, frame in enumerate(frames):
        step = (n - len(frames) // 2) * shift
        matrix = np.array([[1, 0, step], [0, 1, -0.6 * step]], np.float32)
        size = frame.shape[1::-1]
        moved.append(cv2.warpAffine(frame, matrix, size, borderMode=cv2.BORDER_REFLECT))
    return moved


def write_jpegs(folder: Path, frames, stem="DSC_"):
    """Write frames as a camera does: JPEG with EXIF and profile."""
    folder.mkdir(parents=True)
    for n, frame in enumerate(frames):
        Image.fromarray(frame).save(
            folder / f"{stem}{n + 8:04d}.jpg",
            quality=95,
            exif=b"Exif\0\0" + exif_block(),
            icc_profile=ICC,
            dpi=DPI,
        )


def write_tiffs(folder: Path, frames):
    """Write frames as a raw developer does: TIFF of 16 bits with a profile."""
    folder.mkdir(parents=True)
    for n, frame in enumerate(frames):
        tifffile.imwrite(
            folder / f"{n + 1:03d}.tif",
            frame.astype(np.uint16) * 257,
            photometric="rgb",
            iccprofile=ICC,
            metadata=None,
        )


def macro_landscape(folder: Path):
    """`fly/` and `handheld/` of JPEG, `pier/` of 16-bit TIFF."""
    stack, _ = focal_stack(6, 144, 216)
    write_jpegs(folder / "fly", stack)
    write_jpegs(folder / "handheld", handheld(focal_stack(4, 192, 256, seed=3)[0]))
    write_tiffs(folder / "pier", focal_stack(3, 120, 180, seed=5)[0])


def product(folder: Path):
    """`today/` with a folder for each article, of 16-bit TIFF; two lightings of one article."""
    for seed, article in enumerate(("ring_0412", "watch_0413")):
        write_tiffs(folder / "today" / article, focal_stack(4, 120, 160, seed=seed)[0])
    moved = np.stack(handheld(focal_stack(4, 192, 256, seed=7)[0]))
    write_tiffs(folder / "softbox", moved)
    write_tiffs(folder / "rim_light", (moved * 0.6).astype(np.uint8))


def microscopy(folder: Path):
    """`cells.ome.tif` (T, C, Z), `section/` of single planes, `plain.tif`, ten pages in a row."""
    base, _ = focal_stack(6, 96, 128)
    planes = base[..., 0].astype(np.uint16) * 16  # a camera of 12 bits
    both = np.stack([planes, planes[:, ::-1] // 2], 0)  # C Z Y X
    tifffile.imwrite(
        folder / "cells.ome.tif",
        np.stack([both, both[..., ::-1]]),
        photometric="minisblack",
        metadata={
            "axes": "TCZYX",
            "Channel": {"Name": ["DAPI", "GFP"]},
            "PhysicalSizeX": 0.325,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": 0.325,
            "PhysicalSizeYUnit": "µm",
            "PhysicalSizeZ": 2.0,
            "PhysicalSizeZUnit": "µm",
        },
    )
    rows = both[:, :5].reshape(-1, 96, 128)
    tifffile.imwrite(folder / "plain.tif", rows, photometric="minisblack", metadata=None)
    (folder / "section").mkdir()
    for n, frame in enumerate(focal_stack(6, 96, 128, seed=4)[0]):
        Image.fromarray(frame).save(folder / "section" / f"z{n}.png")


def research(folder: Path):
    """`sharp/`: pictures that are sharp everywhere; `pairs/A` and `pairs/B`, of the same scenes."""
    for name in ("sharp", "pairs/A", "pairs/B"):
        (folder / name).mkdir(parents=True)
    for seed in range(4):
        picture = texture(160, 208, seed)
        Image.fromarray(picture).save(folder / "sharp" / f"{seed}.png")
    for seed in range(5):  # fewer cannot be trained on and judged by
        frames, _ = focal_pair(160, 160, seed + 10)
        for side, frame in zip("AB", frames, strict=True):
            Image.fromarray(frame).save(folder / "pairs" / side / f"{seed}.png")


def develop(folder: Path):
    """`shots/`: one stack."""
    write_jpegs(folder / "shots", focal_stack(4, 96, 128)[0])
