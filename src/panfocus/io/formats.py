"""Which formats are read: by their extensions, and by the first bytes of a file."""

from __future__ import annotations

from collections.abc import Callable

from panfocus.io import heic, png, raw, webp
from panfocus.io.frames import Format

#: Formats whose files are read as photographs, in words for messages.
READABLE = (
    "JPEG, PNG, TIFF, WebP, HEIC, AVIF, JPEG XL, JPEG 2000, BMP, GIF, TGA, PNM, PSD, OpenEXR, "
    "Radiance HDR, PFM, camera RAW, video"
)
SUFFIXES: dict[str, Format] = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WebP",
    **dict.fromkeys(heic.SUFFIXES, "HEIC"),
    **dict.fromkeys(raw.SUFFIXES, "camera RAW"),
    ".avif": "AVIF",
    ".jxl": "JPEG XL",
    **dict.fromkeys((".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf"), "JPEG 2000"),
    ".bmp": "BMP", ".dib": "BMP",
    ".gif": "GIF",
    **dict.fromkeys((".pnm", ".pgm", ".ppm", ".pbm"), "PNM"),
    ".psd": "PSD", ".psb": "PSD",
    ".exr": "OpenEXR",
    **dict.fromkeys((".tga", ".icb", ".vda", ".vst"), "TGA"),
    **dict.fromkeys((".hdr", ".pic", ".rgbe"), "HDR"),
    ".pfm": "PFM",
    **dict.fromkeys((".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".m2ts"), "video"),
}  # fmt: skip
#: What frames are sent in, and not read from.
PACKED = frozenset({".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".xz", ".zst"})
_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (png.SIGNATURE, "PNG"),
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"),
    (b"\xff\x0a", "JPEG XL"), (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"), (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"GIF87a", "GIF"), (b"GIF89a", "GIF"),
    (b"8BPS\0\x01", "PSD"), (b"8BPS\0\x02", "PSD"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE\n", "HDR"), (b"#?RGBE\n", "HDR"),
    (b"PF\n", "PFM"), (b"Pf\n", "PFM"), (b"PF\r\n", "PFM"), (b"Pf\r\n", "PFM"),
    (b"\x1a\x45\xdf\xa3", "video"),  # Matroska and WebM
)  # fmt: skip
#: `mif1` is said by HEIC and AVIF alike: the compatible brands behind it tell.
_AVIF = (b"avif", b"avis")
_FILM = (b"qt  ", b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"3gp4", b"3gp5")


def sniff(head: bytes) -> Format | None:
    """Return the format that the first 64 bytes of a file announce, None for any other."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[4:8] == b"ftyp":
        return _branded(head)
    return next((kind for kind, fits in _OTHERS if fits(head)), None)


def _is_pnm(head: bytes) -> bool:
    return len(head) > 2 and head[:1] == b"P" and head[1] in b"123456" and head[2] in b" \t\r\n#"


def _is_bmp(head: bytes) -> bool:
    # two letters alone are too little: sizes behind them are never so large
    return head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and head[15:18] == b"\0\0\0"


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


_OTHERS: tuple[tuple[Format, Callable[[bytes], bool]], ...] = (
    ("WebP", webp.is_webp), ("video", _is_avi), ("PNM", _is_pnm), ("BMP", _is_bmp),
)  # fmt: skip


def _branded(head: bytes) -> Format | None:
    if head[8:12] in _AVIF:
        return "AVIF"
    length = min(int.from_bytes(head[:4], "big"), len(head))
    others = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if heic.is_heic(head):
        return "AVIF" if others & set(_AVIF) and not others & {b"heic", b"heix"} else "HEIC"
    return "video" if head[8:12] in _FILM or others & set(_FILM) else None
