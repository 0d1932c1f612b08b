# %% [markdown]
# # A first fusion: a stack of photographs, its maps, and a volume of a microscope
#
# Everything is made here, from photographs that scikit-image ships; nothing is downloaded.
# Needs `pip install 'panfocus[demo,evaluate]'` and Jupyter. Put your own folder in place of `shots` and go on.

# %%
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
import tifffile
from PIL import Image
from skimage import data as photographs

import panfocus
from panfocus.synthesis.scenes import depth_scene

work = Path(mkdtemp(prefix="panfocus-"))


def show(panels, columns=4):
    """Draw pictures and maps with their names; grey ones from their darkest to their brightest."""
    rows = -(-len(panels) // columns)
    _, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns, 2.6 * rows), squeeze=False, layout="constrained"
    )
    for place in axes.flat:
        place.axis("off")
    for place, (name, picture) in zip(axes.flat, panels.items(), strict=False):
        place.imshow(picture, cmap="viridis" if picture.ndim == 2 else None)
        place.set_title(name, fontsize=9)


# %% [markdown]
# ## The frames
#
# Five photographs of one scene, focused from near to far, as a macro rail takes them.

# %%
sharp = [
    np.ascontiguousarray(getattr(photographs, name)()[60:300, 60:380])
    for name in ("coffee", "astronaut", "chelsea", "cat")
]
scene = depth_scene(np.random.default_rng(3), sharp, 5)
shots = work / "shots"
shots.mkdir()
for number, frame in enumerate(scene.frames):
    Image.fromarray(frame).save(shots / f"{number}.png")
show({f"frame {n}": frame for n, frame in enumerate(scene.frames)}, 5)

# %% [markdown]
# ## Fused
#
# `align="auto"` puts frames in place that were taken from the hand, and leaves these alone, which lie in place.

# %%
fusion = panfocus.fuse(shots, align="auto")
print(fusion)
show({"fused": fusion.image, "sharp everywhere (the truth)": scene.truth}, 2)

# %% [markdown]
# ## The maps
#
# Which frame each pixel came from, its depth in frames, and how clear the choice was. Where confidence is low
# there was little to decide by: look there before you trust the depth.

# %%
show({"index": fusion.index, "depth": fusion.depth, "confidence": fusion.confidence}, 3)
for frame in fusion.report.frames:
    print(f"{frame['name']}: {frame['share']:.0%} of the picture")
agrees = fusion.index == scene.index
print(f"the sharpest frame was found for {agrees.mean():.0%} of the pixels")
sure = fusion.confidence > 0.2
print(f"... and for {agrees[sure].mean():.0%} of those with confidence above 0.2")

# %% [markdown]
# ## Written
#
# With the metadata of the middle frame. Nothing is replaced unless you say `overwrite=True`.

# %%
fusion.save(work / "fused.tif", maps=["depth", "confidence"], report=work / "fused.json")
print(*sorted(path.name for path in work.iterdir() if path.is_file()), sep="\n")

# %% [markdown]
# ## Pixels that are measured
#
# `mode="select"` mixes nothing: every pixel is one of a frame, at its place.

# %%
native = panfocus.fuse(shots, mode="select", align="none", exposure="none").image
copied = (native == scene.frames).all(axis=-1).any(axis=0)
print(f"{copied.mean():.0%} of the pixels are copies of a frame's")
assert copied.all()

# %% [markdown]
# ## A volume
#
# A microscope's file has axes: here two channels of six planes, 2 µm apart, in 12 of 16 bits. The decision is
# made on one channel and holds for both, so that they stay in register; depth is in micrometres.

# %%
planes = depth_scene(np.random.default_rng(5), sharp[::-1], 6).frames[..., 0].astype(np.uint16) * 16
tifffile.imwrite(
    work / "cells.ome.tif",
    np.stack([planes, planes // 3]),
    photometric="minisblack",
    metadata={
        "axes": "CZYX",
        "Channel": {"Name": ["DAPI", "GFP"]},
        "PhysicalSizeX": 0.325,
        "PhysicalSizeY": 0.325,
        "PhysicalSizeZ": 2.0,
    },
)
command = "fuse cells.ome.tif -o cells_fused.ome.tif --guide-channel DAPI --depth-map"
subprocess.run([sys.executable, "-m", "panfocus", *command.split()], cwd=work, check=True)
channels = tifffile.imread(work / "cells_fused.ome.tif")
depth = tifffile.imread(work / "cells_fused_depth.ome.tif")
print(channels.shape, channels.dtype, f"depth from {depth.min():.1f} to {depth.max():.1f} µm")
show({"DAPI": channels[0], "GFP": channels[1], "depth, µm": np.squeeze(depth)}, 3)
