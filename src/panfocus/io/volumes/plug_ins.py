"""Who reads the files of microscopes' makers."""

from __future__ import annotations

#: Plug-ins of bioio for files of microscopes' makers, by their endings.
PLUG_INS = {
    ".nd2": "bioio-nd2",
    ".czi": "bioio-czi",
    ".lif": "bioio-lif",
    ".dv": "bioio-dv", ".r3d": "bioio-dv",
    ".sldy": "bioio-sldy",
    ".lsm": "bioio-tifffile",
    **dict.fromkeys((".oib", ".oif", ".ics", ".ids", ".vsi", ".ims", ".stk", ".mrc"),
                    "bioio-bioformats"),
}  # fmt: skip
