"""What a run tells: a table for people and spreadsheets, TensorBoard, pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter


class Log:
    """Mean loss terms between reports, to ``log.csv``, TensorBoard and the terminal."""

    def __init__(self, out: Path, step: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._out = out
        self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step or None)
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._columns: list[str] = []
        self._first: dict[str, float] = {}

    def add(self, terms: dict[str, Tensor], norm: Tensor, rate: float) -> None:
        """Take in one step."""
        values = {k: float(v.detach()) for k, v in terms.items()}
        for name, value in (values | {"gradient_norm": float(norm), "rate": rate}).items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            # a term that joins in mid-window has been seen less often than the others
            self._counts[name] = self._counts.get(name, 0) + 1

    def report(self, step: int, seconds: float) -> None:
        """Write the means since the last report."""
        if not self._counts:
            return
        means = {k: v / self._counts[k] for k, v in self._sums.items()}
        self._sums, self._counts = {}, {}
        for name, value in means.items():
            self._board.add_scalar(name, value, step)  # pyright: ignore[reportUnknownMemberType]
        path = self._out / "log.csv"
        with path.open("a", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            if list(means) != self._columns:
                # a new phase has other terms: a new head says so
                self._columns = list(means)
                table.writerow(["step", "seconds", *means])
            table.writerow([step, f"{seconds:.1f}", *(f"{v:.6g}" for v in means.values())])
        self.say(
            f"step {step}  {seconds / 60:.1f} min  "
            + "  ".join(f"{k} {v:.4g}" for k, v in means.items())
        )

    def judged(self, figures: dict[str, float], step: int) -> None:
        """Tell how the averaged weights do on held-out material, and how that changed."""
        if not figures:
            return
        told: list[str] = []
        for name, value in figures.items():
            self._board.add_scalar(f"held out/{name}", value, step)  # pyright: ignore[reportUnknownMemberType]
            change = value - self._first.setdefault(name, value)
            told.append(f"{name} {value:.4g} ({change:+.2g})")
        self.say(f"step {step}  held out:  " + "  ".join(told))

    def picture(self, picture: NDArray[np.uint8], step: int) -> None:
        """Keep a sample picture, RGB ``(H, W, 3)``."""
        folder = self._out / "pictures"
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"{step:07d}.png"), picture[..., ::-1])
        self._board.add_image("sample", picture, step, dataformats="HWC")  # pyright: ignore[reportUnknownMemberType]

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)

    def close(self) -> None:
        """Flush TensorBoard."""
        self._board.close()
