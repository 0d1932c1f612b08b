"""The widget that trains a system on open stacks, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from magicgui.widgets import Container, FileEdit, Label, PushButton, Select, SpinBox
from napari import Viewer
from napari.layers import Image
from napari.qt.threading import thread_worker
from napari.utils.notifications import show_error, show_info, show_warning

from napari_panfocus.stacks import Refusal


def write_stacks(layers: Sequence[Any], folder: Path) -> list[Path]:
    """Write every focal stack of some layers into a folder of its own, a TIFF a plane.

    The first axis of each layer is that of focus; further ones are stacks of their own.

    Args:
        layers: of images, with ``data``, ``rgb`` and a ``name``.
        folder: where; made if it is not there.

    Returns:
        The folders.
    """
    import tifffile  # noqa: PLC0415  brought by the extra

    out: list[Path] = []
    for n, layer in enumerate(layers):
        tail = 3 if layer.rgb else 2
        data = np.asarray(layer.data)
        middle = data.shape[1 : data.ndim - tail]
        for m, at in enumerate(np.ndindex(*middle)):
            stack = folder / f"stack{n:02d}_{m:03d}"
            stack.mkdir(parents=True)
            for z, plane in enumerate(data[(slice(None), *at)]):
                kind = "rgb" if layer.rgb else "minisblack"
                tifffile.imwrite(stack / f"{z:04d}.tif", plane, photometric=kind, metadata=None)
            out.append(stack)
    return out


def command(data: Path, out: Path, minutes: int) -> list[str]:
    """Return the command that trains on a folder of stacks."""
    words = ["train", "dualpath", "--data", str(data), "--init", "bundled"]
    return [sys.executable, "-m", "panfocus", *words, "--minutes", str(minutes), "--out", str(out)]


class TrainWidget(Container):
    """Choose layers and a folder; get a system that was adapted to them."""

    def __init__(self, viewer: Viewer) -> None:
        """Set up beside a viewer."""
        super().__init__()
        self._viewer = viewer
        self.layers = Select(label="stacks", choices=self._images)
        self.minutes = SpinBox(label="minutes", value=20, min=1, max=100_000)
        self.out = FileEdit(label="new folder", mode="d")
        self.go = PushButton(text="Train")
        self.said = Label(value="")
        self.extend([self.layers, self.minutes, self.out, self.go, self.said])
        self.go.clicked.connect(self.train)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            event.connect(lambda _: self.reset_choices())

    def _images(self, _widget: Any) -> list[tuple[str, Image]]:  # noqa: ANN401
        images = [one for one in self._viewer.layers if isinstance(one, Image)]
        return [(one.name, one) for one in images if one.ndim > 2]

    def train(self) -> Any:  # noqa: ANN401  a worker of napari
        """Write the chosen stacks and train on them; return the worker."""
        out, layers = Path(self.out.value), list(self.layers.value)
        if not layers or (out / "stacks").exists():
            show_warning("choose stacks, and a folder in which nothing was trained yet")
            return None
        worker = _train(layers, out, int(self.minutes.value))
        worker.yielded.connect(lambda line: setattr(self.said, "value", line))
        worker.returned.connect(_tell)
        worker.start()
        return worker


@thread_worker(start_thread=False)
def _train(layers: Sequence[Any], out: Path, minutes: int) -> Iterator[str]:
    yield "writing stacks"
    write_stacks(layers, out / "stacks")
    process = subprocess.Popen(
        command(out / "stacks", out / "run", minutes),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
    )  # fmt: skip
    line = ""
    for line in process.stdout or ():
        yield line.strip()
    if process.wait() != 0:
        return Refusal(f"training ended: {line.strip()}")
    return out / "run" / "system"


def _tell(done: Path | Refusal) -> None:
    if isinstance(done, Refusal):
        show_error(done.text)
    else:
        show_info(f"trained; system folder: {done}")


def train_widget(napari_viewer: Viewer) -> TrainWidget:
    """Return the widget, as napari asks for it."""
    return TrainWidget(napari_viewer)
