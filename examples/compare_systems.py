# %% [markdown]
# # Systems by metrics: with a truth, and without one
#
# How a comparison is made, step by step, on scenes that are made here from photographs of scikit-image. For whole
# data sets `panfocus evaluate` does the same, with tables, ranks and a test between systems (`docs/evaluate.md`).
# Needs `pip install 'panfocus[demo,evaluate]'` and Jupyter. Eight small scenes show the way; they rank nothing.

# %%
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr, wilcoxon
from skimage import data as photographs

import panfocus
from panfocus.metrics import METRICS, evaluate_all
from panfocus.synthesis.scenes import bokeh_scene, layers_scene

# %% [markdown]
# ## Scenes
#
# An object before a background whose blur spreads over the edge, and the same with lights far brighter than white.

# %%
sharp = [
    np.ascontiguousarray(getattr(photographs, name)()[60:252, 60:316])
    for name in ("coffee", "astronaut", "chelsea", "cat")
]
rng = np.random.default_rng(1)
scenes = {
    f"{kind.__name__.removesuffix('_scene')} {n}": kind(rng, [sharp[n], sharp[(n + 1) % 4]])
    for kind in (layers_scene, bokeh_scene)
    for n in range(4)
}

# %% [markdown]
# ## Systems
#
# Those that come along, by name, and one of our own: a system is an object with a card and `decide`. The card tells what
# weights were trained on, which matters as much as a score.


# %%
class Gradient:
    """Takes the frame with the largest gradient, pixel by pixel: the simplest one, to compare with."""

    card = panfocus.Card(name="gradient", title="the steepest pixel wins")

    def decide(self, frames):
        """Return weights ``(N, H, W)`` of frames ``(N, H, W, C)``."""
        slope = np.stack([np.hypot(*np.gradient(frame.mean(axis=-1))) for frame in frames])
        weights = (slope == slope.max(axis=0)).astype(np.float32)
        return weights / weights.sum(axis=0)


systems = {name: panfocus.load_system(name) for name in ("dualpath", "guided", "pyramid")}
systems["gradient"] = Gradient()
print(systems["dualpath"].card.title)

# %% [markdown]
# ## Scores
#
# `guard="off"` and `exposure="none"`: a score should be the system's own. PSNR, SSIM and GMSD see the truth; Q_W, Q_G and Q_MI
# see the frames alone, as on sets without a truth.

# %%
names = ["PSNR", "SSIM", "GMSD", "Q_W", "Q_G", "Q_MI"]
scores, seconds, pictures = {}, {}, {}
for system_name, system in systems.items():
    for scene_name, scene in scenes.items():
        began = perf_counter()
        fused = panfocus.fuse(
            scene.frames, system=system, align="none", exposure="none", guard="off", maps=False
        ).image
        seconds[system_name, scene_name] = perf_counter() - began
        pictures[system_name, scene_name] = fused
        scores[system_name, scene_name] = evaluate_all(
            list(scene.frames), fused, scene.truth, names
        )


def column(system_name, metric):
    """Return the values of a system over all scenes."""
    return np.array([scores[system_name, scene_name][metric] for scene_name in scenes])


print("mean".ljust(10), *(name.rjust(8) for name in names), "seconds".rjust(8))
for system_name in systems:
    means = [column(system_name, name).mean() for name in names]
    spent = np.mean([seconds[system_name, scene_name] for scene_name in scenes])
    print(system_name.ljust(10), *(f"{mean:8.3f}" for mean in means), f"{spent:8.2f}")

# %% [markdown]
# ## Is the difference more than chance?
#
# The same scenes by both systems, so a paired test: Wilcoxon's. Eight pairs cannot give less than p = 0.008.

# %%
for other in ("guided", "pyramid", "gradient"):
    difference = column("dualpath", "PSNR") - column(other, "PSNR")
    p = wilcoxon(difference).pvalue
    print(f"dualpath - {other}: {difference.mean():+.2f} dB, p = {p:.3f}")

# %% [markdown]
# ## Which metric follows the truth?
#
# Where there is a truth one can ask whether a metric that does without would have ranked the systems alike: the
# rank correlation with PSNR, for each kind of scene. Around bright lights a halo is detail to such a metric, so it
# praises what the truth condemns. What each is led by stands with it.

# %%
for name in ("Q_W", "Q_G", "Q_MI"):
    for kind in ("layers", "bokeh"):
        agreement = [
            spearmanr(
                [scores[s, scene]["PSNR"] for s in systems],
                [scores[s, scene][name] for s in systems],
            ).statistic
            for scene in scenes
            if scene.startswith(kind)
        ]
        print(f"{name} on {kind}: {np.mean(agreement):+.2f}")
    print(f"  {METRICS[name].pitfall}")

# %% [markdown]
# ## Look at where the error is
#
# A mean hides it: errors lie in a band beside boundaries and lights. Brighter is worse; the same scale for all.

# %%
_, axes = plt.subplots(2, len(systems), figsize=(3.2 * len(systems), 5), layout="constrained")
for place in axes.flat:
    place.axis("off")
for column_of, system_name in zip(axes.T, systems, strict=True):
    for place, scene_name in zip(column_of, ("layers 0", "bokeh 0"), strict=True):
        fused = pictures[system_name, scene_name].astype(float)
        error = np.abs(fused - scenes[scene_name].truth).mean(axis=-1)
        place.imshow(error, cmap="magma", vmin=0, vmax=40)
        psnr = scores[system_name, scene_name]["PSNR"]
        place.set_title(f"{system_name}, {scene_name}: {psnr:.1f} dB", fontsize=9)
