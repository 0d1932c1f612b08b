"""The widget that fuses a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, FileEdit, Label, ProgressBar, PushButton
from napari import Viewer
from napari.layers import Image, Layer
from napari.qt.threading import thread_worker
from napari.utils.notifications import show_error, show_info, show_warning

import panfocus
from napari_panfocus.stacks import LayerData, Refusal, Stack, fused_layers

_ALIGN = ("none", "auto", "translation", "similarity", "affine")
_NOTES = 5


class FuseWidget(Container):
    """Choose a layer, its axis of focus and a system; get the fused layers."""

    def __init__(self, viewer: Viewer) -> None:
        """Set up beside a viewer."""
        super().__init__()
        self._viewer = viewer
        self.layer = ComboBox(label="stack", choices=self._layers, tooltip="Image with planes.")
        self.axis = ComboBox(label="focus along", choices=self._axes)
        names = [card.name for card in panfocus.list_systems()]
        self.system = ComboBox(label="system", choices=names, value="dualpath")
        self.folder = FileEdit(label="system folder", mode="d", value=None, nullable=True)
        self.align = ComboBox(label="align planes", choices=_ALIGN, value="none")
        self.maps = {
            k: CheckBox(text=k, value=k == "depth") for k in ("index", "depth", "confidence")
        }
        self.surface = CheckBox(text="surface", value=False)
        self.go = PushButton(text="Fuse")
        self.bar = ProgressBar(min=0, max=100, visible=False)
        self.said = Label(value="")
        self.extend([
            self.layer, self.axis, self.system, self.folder, self.align, *self.maps.values(),
            self.surface, self.go, self.bar, self.said,
        ])  # fmt: skip
        self.layer.changed.connect(lambda _: self.axis.reset_choices())
        self.go.clicked.connect(self.fuse)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed):
            event.connect(lambda _: self.reset_choices())

    def _layers(self, _widget: Any) -> list[tuple[str, Layer]]:  # noqa: ANN401
        images = [one for one in self._viewer.layers if isinstance(one, Image)]
        return [(one.name, one) for one in images if one.ndim > 2]

    def _axes(self, _widget: Any) -> list[tuple[str, int]]:  # noqa: ANN401
        chosen = self.layer.value
        if chosen is None:
            return []
        labels = getattr(chosen, "axis_labels", ())
        outer = range(chosen.ndim - 2)  # napari does not count colours
        named = [str(labels[n]) if n < len(labels) else str(n - chosen.ndim) for n in outer]
        first = sorted(outer, key=lambda n: named[n].lower() != "z")
        return [(f"{named[n]} ({chosen.data.shape[n]} planes)", n) for n in first]

    def fuse(self) -> Any:  # noqa: ANN401  a worker of napari
        """Fuse the chosen layer beside napari's own work; return the worker."""
        layer = self.layer.value
        if layer is None or self.axis.value is None:
            show_warning(
                "choose an image layer with planes, and the axis along which focus changes"
            )
            return None
        folder = self.folder.value
        is_own = folder is not None and (Path(folder) / "card.json").is_file()
        work = partial(
            fused_layers,
            Stack(layer.data, list(layer.scale), int(self.axis.value), bool(layer.rgb)),
            layer.name,
            system=str(folder) if is_own else str(self.system.value),
            align=str(self.align.value),
            maps=[kind for kind, box in self.maps.items() if box.value],
            surface=bool(self.surface.value),
        )
        worker = _work(work)
        worker.yielded.connect(self._tell)
        worker.returned.connect(self._show)
        worker.errored.connect(lambda _: self._done())  # napari tells of what nobody foresaw
        self.go.enabled, self.bar.visible = False, True
        worker.start()
        return worker

    def _tell(self, told: tuple[float, str]) -> None:
        self.bar.value, self.said.value = round(100 * told[0]), told[1]

    def _done(self) -> None:
        self.go.enabled, self.bar.visible, self.said.value = True, False, ""

    def _show(self, layers: list[LayerData] | Refusal) -> None:
        self._done()
        if isinstance(layers, Refusal):
            show_error(layers.text)
            return
        for data in layers:
            self._viewer.add_layer(Layer.create(*data))
        notes = layers[0][1]["metadata"]["panfocus"]
        if notes:
            more = f"\n... and {len(notes) - _NOTES} more" if len(notes) > _NOTES else ""
            show_info("\n".join(notes[:_NOTES]) + more)


@thread_worker(start_thread=False)
def _work(work: Callable[..., list[LayerData]]) -> Iterator[tuple[float, str]]:
    """Yield how far the work is, and return what it gives, or why it gives nothing."""
    told = [(0.0, "fusing")]
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, progress=lambda share, _, text: told.append((share, text)))
        while not future.done():
            sleep(0.1)
            yield told[-1]
    try:
        return future.result()
    except (panfocus.PanfocusError, ValueError) as error:
        return Refusal(str(error))


def fuse_widget(napari_viewer: Viewer) -> FuseWidget:
    """Return the widget, as napari asks for it."""
    return FuseWidget(napari_viewer)
