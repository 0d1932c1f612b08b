"""PSD and PSB: the bytes are those of Adobe's specification, read back by hand and by Pillow."""

import struct

import numpy as np
import pytest
from PIL import Image

from panfocus.errors import OutputError
from panfocus.frame import Metadata
from panfocus.io.layered import check_layers
from panfocus.io.psd import write_psd
from panfocus.io.psd_layers import LayeredPicture, PsdLayer
from tests.support.files import ICC, photo


def parse(data):
    """Return (channels, depth, mode, layers as name to channels by id, merged planes)."""
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from(">" + form, data, at)
        at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    signature, version, channels, height, width, depth, mode = take("4sH6xHIIHH")
    assert signature == b"8BPS"
    size = "Q" if version == 2 else "I"
    for _ in ("colour modes", "resources"):
        length = take("I")
        at += length
    length = take(size)
    section_end = at + length
    length = take(size)
    if length == 0:
        assert take("I") == 0
        assert take("8s") == b"8BIMLr16"
        length = take(size)
    layers_end = at + length
    kind = np.dtype(f">u{depth // 8}")
    records = []
    for _ in range(abs(take("h"))):
        assert take("4i") == (0, 0, height, width)
        ids = [take("h" + size) for _ in range(take("H"))]
        assert take("8s") == b"8BIMnorm"
        take("4B")
        extra = take("I")
        end = at + extra
        for _ in ("mask", "ranges"):
            length = take("I")
            at += length
        name = data[at + 1 : at + 1 + data[at]].decode()
        at = end
        records.append((name, ids))
    layers = {}
    for name, ids in records:
        planes = {}
        for number, length in ids:
            assert take("H") == 0
            planes[number] = np.frombuffer(data, kind, height * width, at).reshape(height, width)
            at += length - 2
        layers[name] = planes
    assert layers_end - 4 < at <= layers_end
    at = section_end
    assert take("H") == 0
    merged = np.frombuffer(data, kind, channels * height * width, at)
    at += merged.nbytes
    assert at == len(data)
    return channels, depth, mode, layers, merged.reshape(channels, height, width)


@pytest.mark.parametrize("ending", [".psd", ".psb"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_all_is_there(tmp_path, ending, dtype, channels):
    has_alpha = channels in (2, 4)
    picture, below = (photo(31, 45, channels, dtype, seed) for seed in (1, 2))
    mask = photo(31, 45, 1, dtype, 5)
    layers = [PsdLayer("bełow", has_alpha, has_mask=True), PsdLayer("fused", has_alpha)]
    path = tmp_path / f"a{ending}"
    pixels = iter([(below, mask), (picture, None)])
    write_psd(path, LayeredPicture(picture, layers, pixels, has_alpha), Metadata(icc=ICC))
    data = path.read_bytes()
    found = parse(data)
    assert found[:3] == (channels, 8 * np.dtype(dtype).itemsize, 3 if channels > 2 else 1)
    planes = picture.reshape(31, 45, channels).transpose(2, 0, 1)
    top = np.iinfo(dtype).max
    share = planes[-1] / top if has_alpha else 1.0
    before_white = planes * share + top * (1 - share)
    before_white[-1] = planes[-1]
    assert np.abs(found[4] - before_white).max() <= 0.5
    fused, lower = found[3]["fused"], found[3]["be?ow"]
    colours = channels - has_alpha
    for c in range(colours):
        assert np.array_equal(fused[c], planes[c])
        assert np.array_equal(lower[c], below.reshape(31, 45, channels)[..., c])
    assert np.array_equal(lower[-2], mask)
    assert -2 not in fused
    assert (-1 in fused) == has_alpha
    assert ICC in data and "bełow".encode("utf-16-be") in data


def test_pillow_reads_it(tmp_path):
    picture, below = photo(32, 46, 3, np.uint8, 1), photo(32, 46, 3, np.uint8, 2)
    layers = [PsdLayer("below"), PsdLayer("fused")]
    path = tmp_path / "a.psd"
    layered = LayeredPicture(picture, layers, iter([(below, None), (picture, None)]))
    write_psd(path, layered, Metadata(dpi=(300, 300)))
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), picture)
        assert [layer[0] for layer in image.layers] == ["below", "fused"]
        image.seek(2)  # the first stands at 1, and is where Pillow begins
        image.seek(1)
        assert np.array_equal(np.asarray(image), below)


def test_what_cannot_be_is_refused(tmp_path):
    for name, size, told in (
        ("a.png", (10, 10, 10), "does not name a format"),
        ("a.psd", (40_000, 10, 10), "too large"),
        ("a.psd", (10, 10, 1 << 31), r"write \.psb"),
        ("a.tif", (10, 10, 1 << 32), r"write \.psb"),
    ):
        with pytest.raises(OutputError, match=told):
            check_layers(tmp_path / name, *size)
    check_layers(tmp_path / "a.psb", 40_000, 10, 1 << 33)


def test_nothing_stays_behind_where_a_frame_is_damaged(tmp_path):
    picture = photo(31, 45, 3, np.uint8, 1)

    def frames():
        yield picture, None
        raise OSError("damaged")

    layered = LayeredPicture(picture, [PsdLayer("a"), PsdLayer("b")], frames())
    with pytest.raises(OutputError):
        write_psd(tmp_path / "a.psd", layered, Metadata())
    assert list(tmp_path.iterdir()) == []
