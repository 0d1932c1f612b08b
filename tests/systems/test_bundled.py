"""The networks that come with the package: what they answer, and how good that is.

Values beside the tests were written by ``python -m tests.systems.test_bundled`` for one set of
weights, named by their hash: other weights need other values.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import panfocus
from panfocus.systems import BUNDLED, Card, load_system

VALUES = Path(__file__).parent / "bundled"
CARDS = {p.parent.name: Card.read(p) for p in sorted(BUNDLED.glob("*/card.json"))}
NAMES = [name for name, card in CARDS.items() if card.kind == "decision"]
#: The paper's own recipe holds nothing that makes a network treat both pictures alike.
SYMMETRIC = [name for name in NAMES if CARDS[name].recipe.get("symmetric", True)]
PICTURES = [name for name, card in CARDS.items() if card.kind == "picture"]


def scene(height=72, width=96):
    """Two frames of texture, sharp left and sharp right, and the truth: float32 in [0, 1]."""
    rng = np.random.default_rng(7)
    coarse = rng.random((height // 3, width // 3, 3), np.float32)
    truth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    soft = cv2.GaussianBlur(truth, (0, 0), 2.5)
    first, second = truth.copy(), truth.copy()
    first[:, width // 2 :], second[:, : width // 2] = (
        soft[:, width // 2 :],
        soft[:, : width // 2],
    )
    return np.stack((first, second)), truth


def probe(name):
    """Return the first frame's weight, averaged over blocks of 12 x 12: ``(6, 8)``."""
    frames, _ = scene()
    weight = load_system(name, threads=1).decide(frames)[0]
    return weight.reshape(6, 12, 8, 12).mean((1, 3))


def drawn(name):
    """Return the fused picture, averaged over blocks of 12 x 12 and colours: ``(6, 8)``."""
    frames, _ = scene()
    picture = panfocus.fuse(frames, system=name).image
    return picture.mean(-1).reshape(6, 12, 8, 12).mean((1, 3))


def psnr(picture, truth):
    return float(-10 * np.log10(max(np.square(picture - truth).mean(), 1e-12)))


def test_under_a_cap_on_memory_a_network_answers_the_same(monkeypatch):
    frames, _ = scene()
    free = load_system("dualpath", threads=1).decide(frames)
    monkeypatch.setattr("panfocus.systems.running.is_capped", lambda: True)
    np.testing.assert_allclose(load_system("dualpath", threads=1).decide(frames), free, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_are_the_ones_of_these_weights(name):
    held = json.loads((VALUES / f"{name}.json").read_text())
    assert held["sha256"] == load_system(name).card.sha256, "write the values anew"
    assert np.allclose(probe(name), held["weights"], atol=2e-3)


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_the_ones_of_these_weights(name):
    held = json.loads((VALUES / f"{name}.json").read_text())
    assert held["sha256"] == load_system(name).card.sha256, "write the values anew"
    assert np.allclose(drawn(name), held["picture"], atol=1e-3)


@pytest.mark.parametrize("name", [*NAMES, *PICTURES])
def test_a_bundled_network_finds_what_is_sharp_better_than_either_frame(name):
    frames, truth = scene()
    fused = panfocus.fuse(frames, system=name).image
    assert psnr(fused, truth) > max(psnr(f, truth) for f in frames) + 10


@pytest.mark.parametrize("name", SYMMETRIC)
def test_exchanging_the_frames_exchanges_the_weights(name):
    frames, _ = scene()
    system = load_system(name, threads=1)
    assert np.allclose(system.decide(frames)[0], system.decide(frames[::-1])[1], atol=1e-3)


def test_the_default_takes_any_number_of_frames_at_once_in_any_order():
    frames, truth = scene()
    blurred = np.stack([cv2.GaussianBlur(truth, (0, 0), s) for s in (4, 6)])
    four = np.concatenate((frames, blurred))
    system = load_system("dualpath", threads=1)
    weights = system.decide(four)
    assert np.allclose(weights.sum(0), 1, atol=1e-4)
    assert weights[2:].mean() < 0.02
    order = [2, 0, 3, 1]
    # sums of floats depend on their order in the last digit, and rounding follows it
    assert np.abs(system.decide(four[order]) - weights[order]).mean() < 1e-3
    pictures = [panfocus.fuse(frames, system="dualpath").image for frames in (four, four[order])]
    assert psnr(*pictures) > 60


def test_clipped_lights_do_not_leave_their_discs():
    """A defocused light is a disc with a hard clipped rim, which a pyramid takes for focus."""
    shape = (96, 128)
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.random((48, 64, 3), np.float32), shape[::-1]) * 0.25
    small, large = ground.copy(), cv2.GaussianBlur(ground, (0, 0), 2.5)
    cv2.circle(small, (64, 48), 2, (1.0, 1.0, 1.0), -1, cv2.LINE_AA)
    cv2.circle(large, (64, 48), 9, (1.0, 1.0, 1.0), -1, cv2.LINE_AA)
    scores = {}
    for name in ("dualpath", "pyramid"):
        fused = panfocus.fuse(np.stack((small, large)), system=name).image
        scores[name] = psnr(fused[32:64, 48:80], small[32:64, 48:80])
    assert scores["dualpath"] > 30, scores
    assert scores["pyramid"] < 20, scores


if __name__ == "__main__":
    for bundled, made in CARDS.items():
        told = {"sha256": made.sha256}
        if made.kind == "decision":
            told["weights"] = probe(bundled).round(5).tolist()
        else:
            told["picture"] = drawn(bundled).round(5).tolist()
        (VALUES / f"{bundled}.json").write_text(json.dumps(told, indent=1) + "\n")
        print(bundled, file=sys.stderr)
