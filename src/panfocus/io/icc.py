"""A colour profile for light as measured: sRGB's primaries, values proportional to light.

profile:  header of 128 bytes, table of tags, tags; ICC.1:2001-04, version 2.1
"""

from __future__ import annotations

import struct

#: Columns of sRGB's primaries in XYZ, adapted from D65 to the D50 of profiles; IEC 61966-2-1.
_PRIMARIES = {
    b"rXYZ": (0.4360747, 0.2225045, 0.0139322),
    b"gXYZ": (0.3850649, 0.7168786, 0.0971045),
    b"bXYZ": (0.1430804, 0.0606169, 0.7141733),
}
_D50 = (0.9642, 1.0, 0.8249)
_IDENTITY = b"curv" + bytes(8)  # a curve of no points is a straight line
_NAME = b"Linear light, sRGB primaries\0"


def _fixed(*values: float) -> bytes:
    """Return numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65_536) for value in values))


def _description() -> bytes:
    # ASCII, and neither Unicode nor Macintosh text
    return b"desc" + bytes(4) + struct.pack(">I", len(_NAME)) + _NAME + bytes(4 + 4 + 2 + 1 + 67)


def linear_profile() -> bytes:
    """Return an ICC profile by which linear RGB looks as it should."""
    tags = {
        b"desc": _description(),
        b"cprt": b"text" + bytes(4) + b"No rights reserved\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
        **{name: b"XYZ " + bytes(4) + _fixed(*xyz) for name, xyz in _PRIMARIES.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _IDENTITY),
    }
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x0210_0000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    return head.ljust(68, b"\0") + _fixed(*_D50) + bytes(128 - 80) + table + body


def is_linear(profile: bytes) -> bool:
    """Whether values under a profile are proportional to light: its curve is a straight line."""
    count = struct.unpack_from(">I", profile, 128)[0] if len(profile) > 132 else 0
    for n in range(min(count, 100)):
        entry = profile[132 + 12 * n : 144 + 12 * n]
        if len(entry) == 12 and entry[:4] in (b"gTRC", b"kTRC"):
            start, length = struct.unpack(">II", entry[4:])
            return _is_straight(profile[start : start + length])
    return False


def _is_straight(curve: bytes) -> bool:
    if curve[:4] == b"curv" and len(curve) >= 12:
        points = struct.unpack_from(">I", curve, 8)[0]
        return points == 0 or (points == 1 and curve[12:14] == b"\1\0")  # a power of 1
    # a function of ICC version 4: a power, and nothing else
    return curve[:4] == b"para" and curve[8:10] == b"\0\0" and curve[12:16] == b"\0\1\0\0"
