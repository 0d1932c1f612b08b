"""The widgets in a viewer that nobody sees (QT_QPA_PLATFORM=offscreen)."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
napari = pytest.importorskip("napari")
from test_stacks import STACK  # noqa: E402

from napari_panfocus.fuse import fuse_widget  # noqa: E402
from napari_panfocus.train import command, train_widget, write_stacks  # noqa: E402


@pytest.fixture
def viewer():
    """All of a viewer but its window: OpenGL is not to be had everywhere."""
    from napari.components import ViewerModel
    from napari.qt import get_qapp

    get_qapp()
    return ViewerModel()


def wait(until, seconds=120):
    from qtpy.QtWidgets import QApplication

    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.02)
    assert until()


def test_the_manifest_names_the_widgets():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-panfocus")
    names = {widget.display_name for widget in manifest.contributions.widgets}
    assert names == {"Fuse focal stack", "Train on open stacks"}


def test_a_layer_is_fused_into_new_layers(viewer):
    viewer.add_image(STACK, name="cells", scale=(0.5, 0.1, 0.1))
    widget = fuse_widget(viewer)
    widget.system.value = "guided"
    widget.maps["confidence"].value = True
    widget.surface.value = True
    widget.fuse()
    wait(lambda: len(viewer.layers) == 5)
    names = [layer.name for layer in viewer.layers]
    assert names == ["cells", "cells fused", "cells depth", "cells confidence", "cells surface"]
    assert tuple(viewer.layers["cells fused"].scale) == (0.1, 0.1)
    assert widget.go.enabled


def test_what_cannot_be_fused_is_told(viewer, monkeypatch):
    from napari.utils.notifications import notification_manager

    said, told = [], []
    monkeypatch.setattr("napari_panfocus.fuse.show_error", said.append)
    # once in words: not with a traceback besides, nor raised where Qt handles events
    monkeypatch.setattr(notification_manager, "receive_error", lambda *error: told.append(error))
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error))
    viewer.add_image(STACK[:1], name="one plane")
    widget = fuse_widget(viewer)
    widget.fuse()
    wait(lambda: bool(said))
    assert "fuse" in said[0]
    assert widget.go.enabled
    assert told == []
    assert len(viewer.layers) == 1


def test_layers_without_planes_are_not_offered(viewer):
    viewer.add_image(STACK[0], name="flat")
    viewer.add_image(STACK, name="stack")
    widget = fuse_widget(viewer)
    assert [one.name for one in widget.layer.choices] == ["stack"]
    assert [one.name for one in train_widget(viewer).layers.choices] == ["stack"]


def test_stacks_for_training_are_written_whole(viewer, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    layer = viewer.add_image(np.stack([STACK, STACK // 2], axis=1), name="two")  # Z C Y X
    folders = write_stacks([layer], tmp_path / "stacks")
    assert [len(list(folder.iterdir())) for folder in folders] == [4, 4]
    np.testing.assert_array_equal(tifffile.imread(folders[1] / "0002.tif"), STACK[2] // 2)
    words = command(tmp_path / "stacks", tmp_path / "run", 5)
    assert words[0] == sys.executable
    assert str(Path(tmp_path / "run")) in words


def test_a_training_that_fails_is_told_once(viewer, tmp_path, monkeypatch):
    said, told = [], []
    monkeypatch.setattr("napari_panfocus.train.show_error", said.append)
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error))
    failing = [sys.executable, "-c", "print('no such data'); raise SystemExit(1)"]
    monkeypatch.setattr("napari_panfocus.train.command", lambda *_: failing)
    viewer.add_image(STACK, name="stack")
    widget = train_widget(viewer)
    widget.layers.value = widget.layers.choices
    widget.out.value = tmp_path / "new"
    widget.train()
    wait(lambda: bool(said))
    assert said == ["training ended: no such data"]
    assert told == []
