"""Layers in a PSD, and the picture of a layered TIFF, as GIMP has them; skipped where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess

import numpy as np
import pytest
import tifffile

from panfocus import io
from panfocus.cli import main
from tests.conftest import focal_stack

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(not shutil.which("gimp"), reason="needs GIMP"),
]

SCRIPT = """
(define (saved image drawable name)
  (file-png-save RUN-NONINTERACTIVE image drawable name name 0 0 0 0 0 0 0))
(define (opened path)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE path path)))
         (layers (gimp-image-get-layers image)) (ids (cadr layers)) (n 0))
    (while (< n (car layers))
      (let* ((id (vector-ref ids n)) (mask (car (gimp-layer-get-mask id)))
             (name (car (gimp-item-get-name id))))
        (saved image id (string-append path "." name ".png"))
        (if (> mask 0) (saved image mask (string-append path "." name ".mask.png"))))
      (set! n (+ n 1)))))
"""


def opened_in_gimp(folder, *paths):
    """Let GIMP save every layer and mask of files as a PNG beside them."""
    lines = [SCRIPT, *(f'(opened "{path}")' for path in paths), "(gimp-quit 0)"]
    subprocess.run(
        ["gimp", "-i", "-n", "-d", "-f", "-b", "-"],
        input="\n".join(lines), env={**os.environ, "HOME": str(folder)}, text=True,
        capture_output=True, timeout=200, check=True,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_layers_masks_and_names(tmp_path, dtype):
    frames = focal_stack(3)[0].astype(dtype) * (1 if dtype == np.uint8 else 257)
    shots = tmp_path / "shots"
    shots.mkdir()
    for n, frame in enumerate(frames):
        tifffile.imwrite(shots / f"{n}.tif", frame, photometric="rgb")
    words = ["fuse", str(shots), "-s", "guided", "--align", "none", "-q", "--exposure", "none"]
    for ending in ("psd", "tif"):
        out = tmp_path / f"o_{ending}.png"
        layers = tmp_path / f"layers.{ending}"
        assert main([*words, "-o", str(out), "--layers", str(layers)]) == 0
    opened_in_gimp(tmp_path, tmp_path / "layers.psd", tmp_path / "layers.tif")
    fused = pixels(tmp_path / "o_psd.png")
    for ending, name in (("psd", "fused"), ("tif", "Background")):
        shown = pixels(tmp_path / f"layers.{ending}.{name}.png")
        np.testing.assert_array_equal(shown[..., :3], fused)
    assert not (tmp_path / "layers.psd.fused.mask.png").exists()
    masks = []
    for n, frame in enumerate(frames):
        found = pixels(tmp_path / f"layers.psd.{n}.tif.png")
        np.testing.assert_array_equal(found[..., :3], frame)
        masks.append(pixels(tmp_path / f"layers.psd.{n}.tif.mask.png") / np.iinfo(dtype).max)
    assert np.abs(sum(masks) - 1).max() < 0.02  # weights of all frames at a pixel


def pixels(path):
    infos, _ = io.find_frames([path])
    return io.read_frame(infos[0]).pixels
