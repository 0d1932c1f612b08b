"""Scientific stacks, TCZYX: OME-TIFF, ImageJ hyperstacks, OME-Zarr; read and written by planes.

`open` tells them from photographs and opens them; `volume` is what they hold, `write` writes it.
"""
