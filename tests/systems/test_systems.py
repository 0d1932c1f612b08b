import json
from dataclasses import replace

import numpy as np
import pytest

from panfocus import list_systems, load_system
from panfocus.arrays.pixels import luminance
from panfocus.errors import SystemError_
from panfocus.systems import Card, EvidenceSystem, PictureSystem, System, focus_measures
from panfocus.systems.focus_measures import MEASURES, classical_systems
from tests.conftest import blurred, focal_pair, texture

NAMES = sorted(classical_systems())


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_a_partition(name):
    pair, _ = focal_pair()
    weights = load_system(name).decide(pair.astype(np.float32) / 255)
    assert weights.shape == pair.shape[:3]
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_sharp_frame_wins(name):
    pair, _ = focal_pair()
    weights = load_system(name).decide(pair.astype(np.float32) / 255)
    assert weights[0][:, :56].mean() > 0.95
    assert weights[1][:, 72:].mean() > 0.95


@pytest.mark.parametrize("name", NAMES)
def test_permuting_frames_permutes_weights(name):
    sharp = texture(64, 64)
    frames = np.stack([blurred(sharp, s) for s in (1, 2, 4)]).astype(np.float32) / 255
    order = [2, 0, 1]
    system = load_system(name)
    np.testing.assert_allclose(
        system.decide(frames[order]), system.decide(frames)[order], atol=1e-5
    )


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_blur_lowers_every_measure_at_every_depth(name, dtype):
    sharp = texture(64, 64, channels=1).astype(dtype) * dtype(1 if dtype == np.uint8 else 257)
    energies = [MEASURES[name](blurred(sharp, s)).mean() for s in (0.7, 1.5, 3)]
    assert energies[0] > energies[1] > energies[2] > 0


@pytest.mark.parametrize("name", MEASURES)
def test_flat_pictures_have_no_detail(name):
    assert MEASURES[name](np.full((32, 32), 200, np.uint8)).max() == pytest.approx(0, abs=1e-2)


def test_evidence_has_the_working_shape():
    system = load_system("guided")
    assert isinstance(system, EvidenceSystem)
    grey = luminance(texture(70, 91))
    assert system.evidence(grey, 3).shape == (23, 30)


def test_the_pyramid_says_that_it_makes_no_decision():
    system = load_system("pyramid")
    assert isinstance(system, PictureSystem)
    assert not isinstance(system, System)
    assert system.card.kind == "picture"


def test_an_unknown_system_is_refused_with_the_known_ones():
    with pytest.raises(SystemError_, match="guided"):
        load_system("blur-o-matic")


def test_cards_survive_json():
    for card in list_systems():
        assert Card.from_json(card.to_json(), "here") == card


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}', '{"name":"x","title":"y","zz":1}'])
def test_damaged_cards_are_refused(text):
    with pytest.raises(SystemError_):
        Card.from_json(text, "card.json")


def test_cards_are_plain_json():
    card = replace(list_systems()[0], scores={"layers": 46.2})
    assert json.loads(card.to_json())["scores"] == {"layers": 46.2}


@pytest.mark.parametrize("name", ["guided", "guided-tenengrad", "guided-sf", "guided-variance"])
@pytest.mark.parametrize("factor", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_measure_in_bands_is_that_of_the_whole(monkeypatch, name, factor, dtype):
    grey = texture(151, 97, seed=4)[..., 0].astype(dtype)
    system = load_system(name)
    whole = system.evidence(grey, factor)
    monkeypatch.setattr(focus_measures, "BAND", 97 * 5)
    np.testing.assert_allclose(system.evidence(grey, factor), whole, rtol=1e-4, atol=1e-3)
