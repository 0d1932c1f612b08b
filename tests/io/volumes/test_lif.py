"""A LIF that is written here, read by its plug-in: channels, times, planes and lengths."""

from __future__ import annotations

import struct
from contextlib import closing

import numpy as np
import pytest
import tifffile

from panfocus.cli import main
from panfocus.io.volumes.open import open_volume
from tests.conftest import focal_stack

pytest.importorskip("bioio_lif", reason="LIF is read by bioio-lif (extra bio)")

FRAMES, _ = focal_stack(4, 48, 64)
DEEP = FRAMES[..., 0].astype(np.uint16) * 16
#: (T, Z, C, Y, X), as the file has them.
STACK = np.stack([np.stack([DEEP + 9 * t, DEEP // 2], axis=1) for t in range(2)])
STEP, PIXEL = 1.5e-6, 0.25e-6
_DIMENSIONS = {"X": 1, "Y": 2, "Z": 3, "T": 4}


def block(data, text, size=None):
    """Two words, the length of what follows, and a text in UTF-16; an image's bytes come behind."""
    told = text.encode("utf-16-le")
    count = struct.pack("<I", len(text))
    head = b"\x2a" + (b"" if size is None else struct.pack("<Q", size) + b"\x2a")
    inside = head + count + told
    return struct.pack("<II", 0x70, len(inside)) + inside + data


def dimension(axis, count, length, step):
    return (
        f'<DimensionDescription DimID="{_DIMENSIONS[axis]}" NumberOfElements="{count}" Origin="0"'
        f' Length="{length}" Unit="{"s" if axis == "T" else "m"}" BitInc="0" BytesInc="{step}"/>'
    )


def write_lif(path, stack):
    t, z, c, y, x = stack.shape
    plane = 2 * y * x
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" NameOfMeasuredQuantity=""'
        f' Min="0" Max="65535" Unit="" LUTName="{name}" IsLUTInverted="0"'
        f' BytesInc="{n * plane}" BitInc="0"/>'
        for n, name in enumerate(("Blue", "Green"))
    )
    dimensions = "".join(
        [
            dimension("X", x, PIXEL * (x - 1), 2),
            dimension("Y", y, PIXEL * (y - 1), 2 * x),
            dimension("Z", z, STEP * (z - 1), c * plane),
            dimension("T", t, 5.0 * (t - 1), z * c * plane),
        ]
    )
    image = (
        '<Element Name="Series001" Visibility="1"><Data><Image TextDescription="">'
        f"<ImageDescription><Channels>{channels}</Channels>"
        f"<Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
        f'<Memory Size="{stack.nbytes}" MemoryBlockID="MemBlock_1"/></Element>'
    )
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="cells.lif" Visibility="1">'
        '<Data><Experiment Path="cells.lif"/></Data><Memory Size="0" MemoryBlockID="MemBlock_0"/>'
        f"<Children>{image}</Children></Element></LMSDataContainerHeader>"
    )
    path.write_bytes(
        block(b"", xml)
        + block(b"", "MemBlock_0", 0)
        + block(stack.tobytes(), "MemBlock_1", stack.nbytes)
    )


def test_a_lif_is_read_plane_by_plane(tmp_path):
    path, out = tmp_path / "cells.lif", tmp_path / "o.ome.tif"
    write_lif(path, STACK)
    with closing(open_volume(path)) as volume:
        (position,) = volume.positions
        assert (position.times, len(position.channels), position.depths) == (2, 2, 4)
        assert position.voxel_um == pytest.approx((1.5, 0.25, 0.25))
        for t, c, z in np.ndindex(2, 2, 4):
            np.testing.assert_array_equal(position.read(t, c, z), STACK[t, z, c])
    assert main(["fuse", str(path), "-o", str(out), "-s", "guided"]) == 0
    assert tifffile.imread(out).shape == (2, 2, 48, 64)
