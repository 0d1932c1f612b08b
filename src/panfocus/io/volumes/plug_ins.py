"""Who reads the files of microscopes' makers: plug-ins of bioio, and oiffile."""

from __future__ import annotations

#: Olympus's, which oiffile reads and no plug-in is needed for.
OLYMPUS = (".oib", ".oif")
#: What reads files of microscopes' makers, by their endings.
PLUG_INS = {
    ".nd2": "bioio-nd2",
    ".czi": "bioio-czi",
    ".lif": "bioio-lif",
    ".dv": "bioio-dv", ".r3d": "bioio-dv",
    ".sldy": "bioio-sldy",
    ".lsm": "bioio-tifffile",
    **dict.fromkeys(OLYMPUS, "oiffile"),
    **dict.fromkeys((".ics", ".ids", ".vsi", ".ims", ".stk", ".mrc"),
                    "bioio-bioformats"),
}  # fmt: skip
