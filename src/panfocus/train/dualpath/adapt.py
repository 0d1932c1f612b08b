"""Adapting a trained system to one's own material, and saying honestly whether that helped.

OURS. There is no truth to compare with. What is held out before training answers two questions:

* re-defocus consistency: pictures never trained on are blurred again by known masks; how near
  does the fused picture come to the picture before? (PSNR, higher is better)
* agreement with the masking loss: on real sets never trained on, how far are the weights from
  what classical measures see where these see anything? (mean squared error, lower is better;
  the measures err too, so that a small rise means nothing)

An adapted system replaces the old one only if the first rises by more than chance and the second
does not get worse. Before and after see the same draws, so that their differences tell the scatter;
with 24 sets of crops in place of 96 a gain of 0.4 dB was told as a loss of 0.07 (MEASURED).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from panfocus.errors import DataError
from panfocus.train.dualpath import loss, observed, redefocus
from panfocus.train.dualpath.config import Config
from panfocus.train.dualpath.iterate import blend
from panfocus.train.dualpath.model import DualPath
from panfocus.train.levels import Picture
from panfocus.train.pairs import FocalSet, Material
from panfocus.train.synthesis.sources import Sources

#: One in so many scenes is held out; with fewer scenes, so much of every frame's width.
HELD_OUT = 5
#: Fixed seed of what is measured on, so that before and after see the same.
SEED = 20_241_223
#: Batches of crops that are measured on before and after.
ROUNDS = 24
#: What must be gained, dB, and by which factor agreement may get worse, to replace the old system.
LEAST_GAIN = 0.05
MOST_LOSS = 1.02


@dataclass(frozen=True)
class MeasuredGain:
    """What a network does on held-out material.

    Attributes:
        redefocus_psnr: dB, higher is better.
        disagreement: mean squared error to classical measures, lower is better; None without
            real sets.
        draws: the first of each batch; `redefocus_psnr` is their mean.
    """

    redefocus_psnr: float
    disagreement: float | None
    draws: tuple[float, ...] = ()


@dataclass(frozen=True)
class AdaptingReport:
    """Before and after, and the verdict.

    Attributes:
        before: the system that was started from.
        after: the adapted one.
        held_out: what was kept from training, in words.
    """

    before: MeasuredGain
    after: MeasuredGain
    held_out: str

    @property
    def gain(self) -> float:
        """What re-defocus consistency gained, dB."""
        return self.after.redefocus_psnr - self.before.redefocus_psnr

    @property
    def doubt(self) -> float:
        """Standard error of `gain`, dB: scatter of the draws' gains; 0 for fewer than two draws."""
        gains = np.subtract(self.after.draws, self.before.draws)
        return float(gains.std(ddof=1) / len(gains) ** 0.5) if len(gains) > 1 else 0.0

    @property
    def helped(self) -> bool:
        """Whether the adapted system is to replace the old one."""
        gained = self.gain >= max(LEAST_GAIN, self.doubt)
        if self.before.disagreement is None or self.after.disagreement is None:
            return gained
        return gained and self.after.disagreement <= MOST_LOSS * self.before.disagreement

    def text(self) -> str:
        """Tell it in a few lines."""
        lines = [
            f"held out: {self.held_out}",
            f"re-defocus consistency: {self.before.redefocus_psnr:.2f} dB before, "
            f"{self.after.redefocus_psnr:.2f} dB after, {self.gain:+.2f} with a standard error of "
            f"{self.doubt:.2f} (higher is better)",
        ]
        if self.before.disagreement is not None and self.after.disagreement is not None:
            lines.append(
                f"disagreement with focus measures: {self.before.disagreement:.4f} before, "
                f"{self.after.disagreement:.4f} after (lower is better)"
            )
        lines.append(
            "adapting helped: the new system is exported"
            if self.helped
            else "adapting did not help: the old system is kept"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"gain": self.gain, "doubt": self.doubt, "helped": self.helped}


def split(material: Material, smallest: int) -> tuple[Material, Material, str]:
    """Return what to train on, what to hold out, and the latter in words.

    Scenes are held out whole, frames that fit no others included. With few scenes it is a part of
    every frame, which shares no pixel with what is trained on.

    Args:
        material: with sets, single frames or both.
        smallest: shortest side that a part of a frame must keep.

    Raises:
        DataError: too little to hold anything out of.
    """
    scenes = material.scene_names
    if len(scenes) >= HELD_OUT:
        held = set(scenes[HELD_OUT - 1 :: HELD_OUT])
        words = f"{len(held)} of {len(scenes)} scenes"
        return _scenes(material, held, inside=False), _scenes(material, held, inside=True), words
    parts = [_halves(material, smallest, first=first) for first in (True, False)]
    if not all(part.pictures() for part in parts):
        raise DataError(
            "there is nothing to hold out and judge by",
            expected=f"at least {HELD_OUT} scenes, or frames {2 * smallest} pixels wide",
            got=f"{len(scenes)} scenes of narrower frames",
            remedy="give more scenes with another --data",
        )
    widths = [sum(p.shape[1] for p in part.pictures()) for part in parts]
    share = 100 * widths[1] / sum(widths)
    return parts[0], parts[1], f"the right {share:.0f} % of every frame"


def _scenes(material: Material, held: set[str], *, inside: bool) -> Material:
    """Return the scenes that are held out, or the others."""
    singles = [
        (scene, frame)
        for scene, frame in zip(material.scenes, material.singles, strict=True)
        if (scene in held) == inside
    ]
    return Material(
        [s for s in material.sets if (s.name in held) == inside],
        [frame for _, frame in singles],
        [scene for scene, _ in singles],
        dict(material.left_out),
        list(material.facts),
    )


def _halves(material: Material, smallest: int, *, first: bool) -> Material:
    """Cut every frame that is wide enough for two parts in two, and return one."""

    def part(frame: Picture) -> Picture:
        width = frame.shape[1]
        cut = min(width - width // HELD_OUT, width - smallest)
        return frame[:, :cut] if first else frame[:, cut:]

    def wide(frame: Picture) -> bool:
        return frame.shape[1] >= 2 * smallest

    sets = [
        FocalSet(s.name, [part(f) for f in s.frames]) for s in material.sets if wide(s.frames[0])
    ]
    singles = [
        (scene, part(frame))
        for scene, frame in zip(material.scenes, material.singles, strict=True)
        if wide(frame)
    ]
    return Material(
        sets,
        [f for _, f in singles],
        [s for s, _ in singles],
        dict(material.left_out),
        list(material.facts),
    )


@torch.no_grad()
def measure(
    net: DualPath, config: Config, held_out: Material, rounds: int = ROUNDS
) -> MeasuredGain:
    """Measure a network on held-out material; the same material gives the same numbers."""
    net.eval()
    sources = redefocus.sources_of(held_out.pictures())
    psnr = tuple(_redefocused(net, config, sources, n) for n in range(rounds))
    if not held_out.sets:
        return MeasuredGain(float(np.mean(psnr)), None, psnr)
    differences = [_disagreement(net, config, held_out, n) for n in range(rounds)]
    return MeasuredGain(float(np.mean(psnr)), float(np.mean(differences)), psnr)


def _redefocused(net: DualPath, config: Config, sources: Sources, number: int) -> float:
    count = 2 if number % 2 == 0 else 4
    made = redefocus.batch(sources, config.size, count, (SEED, number), range(4), odds=config.odds)
    frames, truth = torch.as_tensor(made.frames), torch.as_tensor(made.truth)
    return float(loss.decibel(blend(net(frames)[-1].mask, frames), truth))


def _disagreement(net: DualPath, config: Config, held_out: Material, number: int) -> float:
    made = observed.batch(
        held_out.sets, config.size, 2, (SEED, number), range(4), masking=config.masking
    )
    frames, given, valid = (torch.as_tensor(a) for a in made)
    error = (net(frames)[-1].mask.unsqueeze(1) - given).square().mean(2)
    return float((valid * error).sum() / valid.sum().clamp_min(1))
