"""Compare what could decode and encode a large photograph: CPU seconds and bytes.

    python benchmarks/codecs.py PHOTO... > table.md

The first photograph is enlarged to 24 megapixels by cubic interpolation, with noise of sigma 1.2
(an enlargement alone is smoother than any camera); the others are tiled, which keeps their own
detail and noise, at 8 and at 16 bit. Times are user + system seconds of this process: the best of
three, or the first when it takes more than three seconds.
"""

from __future__ import annotations

import io
import resource
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from panfocus.io import Metadata, find_frames, png_write, read_frame, tiff_write, write_image

HEIGHT, WIDTH = 4000, 6000


def cpu_seconds() -> float:
    """CPU seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(work: Callable[[], object]) -> tuple[float, object]:
    """Best CPU time of three, and the result; slow work runs once."""
    best, result = float("inf"), None
    for _ in range(3):
        start = cpu_seconds()
        result = work()
        best = min(best, cpu_seconds() - start)
        if best > 3:
            break
    return best, result


def load(path: str) -> np.ndarray:
    """One photograph, (H, W, 3) uint8."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """Scale to 24 megapixels and add mild noise."""
    large = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large += np.random.default_rng(0).normal(0, 1.2, large.shape).astype(np.float32)
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)


def tiled(photos: list[np.ndarray]) -> np.ndarray:
    """Fill 24 megapixels with photographs side by side."""
    side = min(min(p.shape[:2]) for p in photos)
    tiles = [p[:side, :side] for p in photos]
    down, right = -(-HEIGHT // side), -(-WIDTH // side)
    rows = [
        np.concatenate([tiles[(r * right + c) % len(tiles)] for c in range(right)], 1)
        for r in range(down)
    ]
    return np.ascontiguousarray(np.concatenate(rows)[:HEIGHT, :WIDTH])


def deep(pixels: np.ndarray) -> np.ndarray:
    """16-bit pixels with noise of about 12 significant bits, as cameras have."""
    noise = np.random.default_rng(1).normal(0, 24, pixels.shape)
    return np.clip(pixels * 257.0 + noise, 0, 65535).astype(np.uint16)


def pillow(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    """Encode by Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def opencv(pixels: np.ndarray, suffix: str, *options: int) -> bytes:
    """Encode by OpenCV, the exchange of red and blue included."""
    swapped = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(suffix, swapped, options)[1].tobytes()


def by_tifffile(pixels: np.ndarray, **options: object) -> bytes:
    """Encode by tifffile."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, maxworkers=1, **options)
    return buffer.getvalue()


def fixed_filter(pixels: np.ndarray, deflate: Callable[[bytes], bytes]) -> bytes:
    """Our PNG rows under another compressor."""
    return deflate(png_write._filtered(pixels).data)


def run_length(data: bytes) -> bytes:
    """Deflate with zlib's run-length strategy."""
    worker = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    return worker.compress(data) + worker.flush()


def ours_png(pixels: np.ndarray) -> bytes:
    """Encode as panfocus does."""
    return b"".join(png_write.encode(pixels, Metadata()))


PNG_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def png_encoders(pixels: np.ndarray) -> dict[str, Callable[[], bytes]]:
    """The candidates for writing PNG."""
    rle = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
    huffman = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY)
    average = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG)
    found: dict[str, Callable[[], bytes]] = {}
    if pixels.dtype == np.uint8:
        found |= {
            "Pillow level 6": lambda: pillow(pixels, "PNG", compress_level=6),
            "Pillow level 1": lambda: pillow(pixels, "PNG", compress_level=1),
            "Pillow level 1, RLE": lambda: pillow(pixels, "PNG", compress_level=1, compress_type=3),
            "libspng level 1": lambda: imagecodecs.spng_encode(pixels, 1),
        }
    return found | {
        "libpng (imagecodecs) level 6": lambda: imagecodecs.png_encode(pixels, 6),
        "libpng (imagecodecs) level 1": lambda: imagecodecs.png_encode(pixels, 1),
        "OpenCV level 1, RLE": lambda: opencv(pixels, ".png", *PNG_FAST, *rle),
        "OpenCV level 1, RLE, Average": lambda: opencv(pixels, ".png", *PNG_FAST, *rle, *average),
        "OpenCV level 1, Huffman, Average": lambda: opencv(
            pixels, ".png", *PNG_FAST, *huffman, *average
        ),
        "one filter + zlib-ng level 1": lambda: fixed_filter(
            pixels, lambda d: imagecodecs.zlibng_encode(d, 1)
        ),
        "one filter + zlib-ng level 2": lambda: fixed_filter(
            pixels, lambda d: imagecodecs.zlibng_encode(d, 2)
        ),
        "one filter + zlib RLE": lambda: fixed_filter(pixels, run_length),
        "one filter + libdeflate level 2": lambda: fixed_filter(
            pixels, lambda d: imagecodecs.deflate_encode(d, 2)
        ),
        "one filter + libdeflate level 1": lambda: fixed_filter(
            pixels, lambda d: imagecodecs.deflate_encode(d, 1)
        ),
        "**panfocus** (one filter + ISA-L level 2, in bands)": lambda: ours_png(pixels),
    }


def other_encoders(pixels: np.ndarray) -> dict[str, Callable[[], bytes]]:
    """The candidates for JPEG, TIFF and WebP."""
    found: dict[str, Callable[[], bytes]] = {
        "TIFF tifffile, none": lambda: by_tifffile(pixels),
        "TIFF tifffile, LZW": lambda: by_tifffile(pixels, compression="lzw", predictor=True),
        "TIFF tifffile, deflate": lambda: by_tifffile(
            pixels, compression="adobe_deflate", predictor=True
        ),
        "TIFF tifffile, zstd": lambda: by_tifffile(pixels, compression="zstd", predictor=True),
        "TIFF **panfocus** (deflate)": lambda: b"".join(tiff_write.encode(pixels, Metadata())),
    }
    if pixels.dtype == np.uint8:
        found |= {
            "JPEG 95 4:4:4 Pillow": lambda: pillow(pixels, "JPEG", quality=95, subsampling=0),
            "JPEG 95 4:4:4 OpenCV": lambda: opencv(
                pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95,
                cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
            ),
            "JPEG 95 4:4:4 imagecodecs (used)": lambda: imagecodecs.jpeg8_encode(
                pixels, 95, subsampling="444"
            ),
        }  # fmt: skip
        for method in (4, 2, 0):
            used = " (used)" if method == 2 else ""
            found[f"WebP 95 method {method}{used}"] = lambda method=method: pillow(
                pixels, "WEBP", quality=95, method=method
            )
    return found


def by_pillow(data: bytes) -> np.ndarray:
    """Decode by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def by_opencv(data: bytes) -> np.ndarray:
    """Decode by OpenCV, to RGB where it can."""
    octets = np.frombuffer(data, np.uint8)
    return cv2.imdecode(octets, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)


def whole_reader(folder: Path, suffix: str, data: bytes) -> Callable[[], object]:
    """Decode as panfocus does: from a file, checks and metadata included."""
    path = folder / f"frame{suffix}"
    path.write_bytes(data)
    return lambda: read_frame(find_frames([path])[0][0])


def decoders(folder: Path, pixels: np.ndarray) -> dict[str, Callable[[], object]]:
    """The candidates for reading."""
    found: dict[str, Callable[[], object]] = {}
    own: dict[str, Callable[[bytes], object]] = {
        "JPEG": imagecodecs.jpeg8_decode,
        "PNG": imagecodecs.png_decode,
        "WebP": imagecodecs.webp_decode,
        "TIFF": lambda data: tifffile.imread(io.BytesIO(data)),
    }
    kinds = [("PNG", ".png"), ("TIFF", ".tif")]
    if pixels.dtype == np.uint8:
        kinds += [("JPEG", ".jpg"), ("WebP", ".webp")]
    for kind, suffix in kinds:
        write_image(folder / f"a{suffix}", pixels, Metadata(), overwrite=True)
        data = (folder / f"a{suffix}").read_bytes()
        if pixels.dtype == np.uint8:
            found[f"{kind} Pillow"] = lambda data=data: by_pillow(data)
        found[f"{kind} OpenCV"] = lambda data=data: by_opencv(data)
        name = "tifffile" if kind == "TIFF" else "imagecodecs"
        found[f"{kind} {name}"] = lambda data=data, kind=kind: own[kind](data)
        found[f"{kind} **panfocus** (whole, checked)"] = whole_reader(folder, suffix, data)
    return found


def table(title: str, rows: dict[str, Callable[[], object]], sizes: bool) -> None:
    """Measure and print one table."""
    columns = "| | CPU s | MB |\n|---|---|---|" if sizes else "| | CPU s |\n|---|---|"
    print(f"\n### {title}\n{columns}", flush=True)
    for name, work in rows.items():
        seconds, result = measure(work)
        size = f" {len(result) / 1e6:.1f} |" if sizes and isinstance(result, bytes) else ""
        print(f"| {name} | {seconds:.2f} |{size}", flush=True)


def main(paths: list[str]) -> None:
    """Print all tables for every photograph, and for all of them tiled."""
    cv2.setNumThreads(1)
    photos = [load(path) for path in paths]
    large = enlarged(photos[0])
    runs = [(f"{Path(paths[0]).parent.name} enlarged, 8 bit", large)]
    if len(photos) > 1:
        tiles = tiled(photos[1:])
        name = f"{len(photos) - 1} photographs tiled"
        runs += [(f"{name}, 8 bit", tiles), (f"{name}, 16 bit", deep(tiles))]
    with tempfile.TemporaryDirectory() as folder:
        for title, pixels in runs:
            table(f"Write PNG: {title}", png_encoders(pixels), True)
            table(f"Write others: {title}", other_encoders(pixels), True)
            table(f"Read: {title}", decoders(Path(folder), pixels), False)


if __name__ == "__main__":
    main(sys.argv[1:])
