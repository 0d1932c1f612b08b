"""Small photographs of every kind, written by other software than ours."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import tifffile
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from panfocus.io import find_frames, read_frame

# files and codecs make single examples slow on a shared machine; the number is what matters
quick = settings(deadline=None, max_examples=40)

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'tiff:Orientation="6" tiff:ImageWidth="4000" dc:creator="Ann">'
    b"<exif:PixelXDimension>4000</exif:PixelXDimension></rdf:Description></rdf:RDF></x:xmpmeta>"
    b'<?xpacket end="w"?>'
)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DPI = (240.0, 240.0)
MAKER_NOTE = b"PANFOCUS-MAKER\0" + bytes(range(61))


def photo(height=37, width=53, channels=3, dtype=np.uint8, seed=3):
    """A smooth picture with some noise; (H, W) or (H, W, C)."""
    rng = np.random.default_rng(seed)
    top = np.iinfo(dtype).max
    coarse = rng.uniform(0.1, 0.9, (6, 7, channels))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = smooth.reshape(height, width, channels) + rng.normal(
        0, 0.01, (height, width, channels)
    )
    pixels = np.clip(np.rint(smooth * top), 0, top).astype(dtype)
    return pixels[..., 0] if channels == 1 else pixels


def exif_block(orientation=1, thumbnail=True, order="<"):
    """An EXIF block written by hand: maker note, GPS, stale sizes and a thumbnail directory."""
    pack = lambda fmt, *v: struct.pack(order + fmt, *v)  # noqa: E731
    note_at, gps_at, exif_at, make_at, ifd1_at = 400, 300, 200, 180, 340
    ifd0 = [
        (0x0100, 4, 1, pack("I", 4000)),
        (0x010F, 2, 9, pack("I", make_at)),
        (0x0112, 3, 1, pack("HH", orientation, 0)),
        (0x8769, 4, 1, pack("I", exif_at)),
        (0x8825, 4, 1, pack("I", gps_at)),
    ]
    exif = [
        (0x8827, 3, 1, pack("HH", 800, 0)),
        (0x927C, 7, len(MAKER_NOTE), pack("I", note_at)),
        (0xA002, 4, 1, pack("I", 4000)),
        (0xA003, 4, 1, pack("I", 3000)),
    ]
    gps = [(0x0001, 2, 2, b"N\0\0\0")]
    ifd1 = [(0x0201, 4, 1, pack("I", 500)), (0x0202, 4, 1, pack("I", 40))]
    out = bytearray(560)
    out[:8] = (b"II" if order == "<" else b"MM") + pack("HI", 42, 8)

    def table(at, rows, following=0):
        data = pack("H", len(rows)) + b"".join(pack("HHI", t, k, n) + v for t, k, n, v in rows)
        out[at : at + len(data) + 4] = data + pack("I", following)

    table(8, ifd0, ifd1_at if thumbnail else 0)
    table(exif_at, exif)
    table(gps_at, gps)
    table(ifd1_at, ifd1)
    out[make_at : make_at + 9] = b"Panmaker\0"
    out[note_at : note_at + len(MAKER_NOTE)] = MAKER_NOTE
    out[500:540] = b"T" * 40
    return bytes(out)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_png_chunks(png, chunks):
    """Put chunks behind IHDR."""
    return png[:33] + b"".join(png_chunk(k, d) for k, d in chunks) + png[33:]


def pillow(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def tiff_bytes(pixels, **options):
    buffer = io.BytesIO()
    in_colour = pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
    options.setdefault("photometric", "rgb" if in_colour else "minisblack")
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def foreign(kind, orientation=1, pixels=None, exif=None):
    """The bytes of a file with all metadata, by Pillow, OpenCV or tifffile; and its pixels."""
    exif = exif or exif_block(orientation)
    deep = kind.endswith("16")
    if pixels is None:
        pixels = photo(dtype=np.uint16 if deep else np.uint8)
    if kind == "JPEG":
        data = pillow(
            pixels, "JPEG", exif=b"Exif\0\0" + exif, icc_profile=ICC, xmp=XMP, dpi=DPI, quality=95
        )
        return data, np.asarray(Image.open(io.BytesIO(data)))
    if kind == "WebP":
        block = Image.Exif()
        block.load(exif)
        block[282], block[283], block[296] = DPI[0], DPI[1], 2
        options = {"exif": block.tobytes(), "icc_profile": ICC, "xmp": XMP}
        return pillow(pixels, "WEBP", lossless=True, exact=True, **options), pixels
    if kind.startswith("PNG"):
        swapped = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
        data = cv2.imencode(".png", swapped)[1].tobytes()
        per_metre = round(DPI[0] / 0.0254)
        chunks = [
            (b"iCCP", b"x\0\0" + zlib.compress(ICC)),
            (b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            (b"eXIf", exif),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        ]
        return with_png_chunks(data, chunks), pixels
    tags = [
        (271, 2, 0, "Panmaker", True),
        (274, 3, 1, orientation, True),
        (700, 1, len(XMP), XMP, True),
    ]
    data = tiff_bytes(
        pixels, photometric="rgb", resolution=DPI, resolutionunit="INCH", iccprofile=ICC,
        extratags=tags, metadata=None,
    )  # fmt: skip
    return data, pixels


SUFFIX = {
    "JPEG": ".jpg", "PNG8": ".png", "PNG16": ".png", "TIFF8": ".tif", "TIFF16": ".tif",
    "WebP": ".webp",
}  # fmt: skip
KINDS = list(SUFFIX)


def save(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read_one(path):
    """The only frame of a file, by our reader."""
    infos, _ = find_frames([path])
    assert len(infos) == 1
    return read_frame(infos[0])


def read_bytes(folder: Path, data: bytes, suffix: str):
    return read_one(save(folder, "frame" + suffix, data))


@st.composite
def pictures(draw, channels=(1, 2, 3, 4), dtypes=(np.uint8, np.uint16), most=40):
    """Random pixels of any small size, from noise to flat."""
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    count, dtype = draw(st.sampled_from(channels)), draw(st.sampled_from(dtypes))
    seed, levels = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([1, 2, 17, 2**16]))
    top = int(np.iinfo(dtype).max)
    shape = (height, width) if count == 1 else (height, width, count)
    values = np.random.default_rng(seed).integers(0, min(levels, top + 1), shape)
    return (values * (top // max(1, min(levels, top + 1) - 1))).astype(dtype)
