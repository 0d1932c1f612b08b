"""What a run tells: a table for people and spreadsheets, TensorBoard, pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from panfocus.io.atomic import cannot_write
from panfocus.train.board import Board, append_whole
from panfocus.train.checkpoint import write_bytes


class Log:
    """Mean loss terms between reports, to ``log.csv``, TensorBoard and the terminal."""

    def __init__(self, out: Path, step: int) -> None:
        self._out = out
        self._board = Board(out / "tensorboard", step)
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
        """Write the means since the last report.

        Raises:
            OutputError: they cannot be written.
        """
        if not self._counts:
            return
        means = {k: v / self._counts[k] for k, v in self._sums.items()}
        self._sums, self._counts = {}, {}
        self.say(
            f"step {step}  {seconds / 60:.1f} min  "
            + "  ".join(f"{k} {v:.4g}" for k, v in means.items())
        )
        self._add_rows(means, [step, f"{seconds:.1f}", *(f"{v:.6g}" for v in means.values())])
        self._board.numbers(means, step)

    def _add_rows(self, means: dict[str, float], row: list[object]) -> None:
        text = io.StringIO(newline="")
        table = csv.writer(text)
        if list(means) != self._columns:
            # a new phase has other terms: a new head says so
            table.writerow(["step", "seconds", *means])
        table.writerow(row)
        path = self._out / "log.csv"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            append_whole(path, text.getvalue().encode())
        except OSError as error:
            raise cannot_write(path, error) from error
        self._columns = list(means)

    def judged(self, figures: dict[str, float], step: int) -> None:
        """Tell how the averaged weights do on held-out material, and how that changed."""
        if not figures:
            return
        told: list[str] = []
        for name, value in figures.items():
            change = value - self._first.setdefault(name, value)
            told.append(f"{name} {value:.4g} ({change:+.2g})")
        self.say(f"step {step}  held out:  " + "  ".join(told))
        self._board.numbers({f"held out/{k}": v for k, v in figures.items()}, step)

    def picture(self, picture: NDArray[np.uint8], step: int) -> None:
        """Keep a sample picture, RGB ``(H, W, 3)``.

        Raises:
            OutputError: it cannot be written.
        """
        data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()
        write_bytes(self._out / "pictures" / f"{step:07d}.png", data)
        self._board.picture("sample", picture, step)

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)
