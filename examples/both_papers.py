# %% [markdown]
# # Both papers on one's own pictures, in about three minutes
#
# *Deep regression pair learning* (DRPL, TIP 2020) learns masks from pairs that are made from sharp pictures.
# *Dual-Path* (TMM 2024) sees only defocused frames: a mask predictor learns by masking from the imperfect
# masks of focus measures, and supervises the masks of an unrolled fuser, step by step.
#
# Both are trained here, small and briefly, on pictures that panfocus makes from the photographs of
# scikit-image; nothing is downloaded. Needs `pip install 'panfocus[train,demo,evaluate]'` and Jupyter.
# What three minutes teach is little: the point is to see the parts at work. What the papers say, what we
# inferred and what is ours stands in `src/panfocus/train/drpl/README.md` and `.../dualpath/README.md`.

# %%
MINUTES = 1.5  # of training, for each of the two

# %%
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
import torch
from skimage import data as photographs

import panfocus
from panfocus.synthesis.focal_pairs import layers_scene
from panfocus.train import loop, pairs, pictures, synthesis

runs = Path(mkdtemp(prefix="panfocus-"))


def show(panels, columns=4):
    """Draw pictures ``(H, W[, 3])`` in [0, 1] with their names."""
    rows = -(-len(panels) // columns)
    _, axes = plt.subplots(
        rows, columns, figsize=(3.2 * columns, 2.6 * rows), squeeze=False, layout="constrained"
    )
    for place in axes.flat:
        place.axis("off")
    for place, (name, picture) in zip(axes.flat, panels.items(), strict=False):
        grey = {"cmap": "gray", "vmin": 0, "vmax": 1} if np.ndim(picture) == 2 else {}
        place.imshow(np.clip(picture, 0, 1), **grey)
        place.set_title(name, fontsize=9)


def image(tensor):
    """Return a picture ``(3, H, W)`` as matplotlib takes it."""
    return tensor.detach().permute(1, 2, 0).numpy()


def psnr(picture, truth):
    """Return dB, the border left out."""
    error = (picture.astype(float) - truth.astype(float))[8:-8, 8:-8]
    return 10 * np.log10(255**2 / max(np.square(error).mean(), 1e-9))


# %% [markdown]
# ## The pictures
#
# Each scene is an object before a background, seen twice by a camera whose defocus spreads: in the first
# frame the object is sharp, in the second the background. Dual-Path will see the frames, never the truth.
# The scene that is looked at is kept out of training, but not its photographs: decibels flatter.

# %%
sharp = [
    np.ascontiguousarray(getattr(photographs, name)()[60:300, 60:380])
    for name in ("astronaut", "coffee", "chelsea", "cat")
]
rng = np.random.default_rng(0)
scenes = [layers_scene(rng, [sharp[n], sharp[(n + 1) % 4]]) for n in range(4)] + [
    layers_scene(rng, [sharp[n], sharp[(n + 2) % 4]]) for n in range(4)
]
*training, seen = scenes  # the last one is kept to look at
first, second = seen.frames
show({"first frame": first / 255, "second frame": second / 255, "truth": seen.truth / 255}, 3)

# %% [markdown]
# ## DRPL: regression of two masks from a pair
#
# Pairs are made anew for every step: a sharp picture, a mask, defocus on either side of it. The network
# answers with two complementary maps in one pass, and the picture is their composite.

# %%
from panfocus.train.drpl import config as drpl_config
from panfocus.train.drpl.config import Stage
from panfocus.train.drpl.step import DrplTask

recipe = replace(
    drpl_config.recipe("better"),
    stages=(Stage(0.0, blocks=1, size=64, batch=4), Stage(0.5, blocks=2, size=64, batch=4)),
)
held = pictures.Pictures(sharp, [pictures.soft_areas(p) for p in sharp], ["made"] * len(sharp))
drpl = DrplTask(recipe, synthesis.Sources(held, []), seed=0)
state = loop.train(drpl, loop.Run(runs / "drpl", minutes=MINUTES))
print(f"{state.step} steps")

# %%
from panfocus.train.drpl.loss import blend as drpl_blend
from panfocus.train.drpl.step import Learner as DrplLearner

learner = DrplLearner(recipe)
learner.load_state_dict(state.average)
net = learner.net.eval()
net.active = drpl.net.active
one, two = (
    torch.as_tensor(f / 255, dtype=torch.float32).permute(2, 0, 1)[None] for f in seen.frames
)
with torch.no_grad():
    maps = net(one, two)
by_drpl = image(drpl_blend(maps, one, two)[0])
show({"o1": maps[0, 0].numpy(), "1 - o2": 1 - maps[0, 1].numpy(), "fused by DRPL": by_drpl}, 3)

# %% [markdown]
# ## Dual-Path: what it is taught by
#
# Focus measures give imperfect masks: right mostly, wrong where nothing is to be seen and beside boundaries.

# %%
from panfocus.train.dualpath import masks

grey = masks.luminance(np.stack(seen.frames).transpose(0, 3, 1, 2).astype(np.float32) / 255)
show(
    {
        f"{measure}, {window} x {window}": masks.imperfect(grey, measure, window).mask[0]
        for measure in ("sml", "variance")
        for window in (5, 13)
    }
    | {"guided": masks.by_guided(grey).mask[0]},
    5,
)

# %% [markdown]
# Both paths are trained together: the predictor fills in what was dropped of one imperfect mask so that it
# agrees with another; its belief, with its confidence, supervises the mask of each of the fuser's steps,
# and the two pictures are drawn together (consistency). Frames that were blurred again have exact masks
# as well; `recipe("paper")` does without.

# %%
from panfocus.train.dualpath import recipes
from panfocus.train.dualpath.config import Sets
from panfocus.train.dualpath.network import Shape
from panfocus.train.dualpath.task import DualPathTask, Supply

small = Shape((16, 24, 32), (1, 1), (1, 1), (1,), narrow=16)
base = recipes.recipe("dualpath")
dualpath_recipe = replace(
    base,
    predictor=Shape((16, 24), (1,), (1,), (1,), narrow=16),
    steps=(replace(base.steps[0], prior=small), *base.steps[1:]),
    sets=(Sets(0.4, 2, 4), Sets(0.6, 2, 4, made=True)),
    size=64,
)
material = pairs.Material([pairs.FocalSet(f"{n}", list(s.frames)) for n, s in enumerate(training)])
task = DualPathTask(dualpath_recipe, Supply.of(material, "guided"), seed=0)
state = loop.train(task, loop.Run(runs / "dualpath", minutes=MINUTES))
print(f"{state.step} steps")

# %% [markdown]
# ## Dual-Path: what it believes, and the mask of each unrolled step

# %%
from panfocus.train.dualpath.iterate import blend
from panfocus.train.dualpath.model import Learner

learner = Learner(task.config)
learner.load_state_dict(state.average)
learner.eval()
frames = torch.cat((one, two))[None]  # (1, N, 3, H, W)
given = torch.as_tensor(masks.all_of(grey, ("sml", "guided"), masks.WINDOWS).mask)[None]
with torch.no_grad():
    belief = learner.predictor.belief(given, frames)
    iterates = learner.net(frames)
show(
    {
        "the mask it was given first": given[0, 0, 0].numpy(),
        "the predictor's belief": belief.mask[0, 0].numpy(),
        "its confidence": belief.confidence[0].numpy(),
        "its composite": image(blend(belief.mask, frames)[0]),
    }
)
show({f"M^{k}": now.mask[0, 0].numpy() for k, now in enumerate(iterates)})
show({f"X^{k}": image(now.picture[0]) for k, now in enumerate(iterates)})

# %% [markdown]
# ## The same as a system
#
# What was trained is exported to ONNX and fuses frames of any size and number without torch.

# %%
from panfocus.train.dualpath.pack import pack

folder = pack(runs / "dualpath", runs / "system", "pictures of scikit-image, made into scenes")
results = {
    "first frame": first,
    "DRPL, minutes old": (by_drpl * 255).round(),
    "Dual-Path, minutes old": panfocus.fuse(seen.frames, system=folder).image,
    "Dual-Path, bundled": panfocus.fuse(seen.frames, system="dualpath").image,
}
show({f"{name}: {psnr(p, seen.truth):.1f} dB": p / 255 for name, p in results.items()})
print(f"the system: panfocus fuse --system {folder} FRAMES -o FUSED")
