"""Networks that help those which decide are run only as they were bundled."""

import json
import shutil

import pytest

from panfocus.errors import SystemError_
from panfocus.systems.arbiter.network import FOLDER as ARBITER
from panfocus.systems.bundled_helper import BundledHelper
from panfocus.systems.refiner.network import FOLDER as REFINER
from panfocus.systems.scout.network import FOLDER as SCOUT


@pytest.fixture(params=[SCOUT, REFINER, ARBITER], ids=["scout", "refiner", "arbiter"])
def folder(request, tmp_path):
    """A copy of a helper's folder."""
    copy = tmp_path / "helper"
    shutil.copytree(request.param, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def session(folder):
    return BundledHelper(folder, "the network").session


def test_it_starts_once(folder):
    helper = BundledHelper(folder, "the network")
    assert helper.session is helper.session


def test_another_network_than_the_cards_is_refused(folder):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "sha256": "0" * 64}))
    with pytest.raises(SystemError_, match="the network is not the one of its card"):
        session(folder)


def test_a_missing_network_is_told(folder):
    (folder / "model.onnx").unlink()
    with pytest.raises(SystemError_, match="the network is missing"):
        session(folder)


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '"card"'])
def test_a_card_that_is_missing_or_damaged_is_told(folder, text):
    card = folder / "card.json"
    card.unlink() if text is None else card.write_text(text)
    with pytest.raises(SystemError_, match="the card of the network is missing or damaged"):
        session(folder)
