"""What a run tells: a table for people and spreadsheets, TensorBoard, pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
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
        self._sums: dict[tuple[str, ...], Tensor] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._columns: list[str] = []
        self._first: dict[str, float] = {}

    def add(self, terms: dict[str, Tensor], norm: Tensor, rate: float) -> None:
        """Take in one step; the numbers stay where they are until they are told.

        Asking a graphics card for a number waits for all that it has been given to do.
        """
        values = [*terms.values(), norm, torch.as_tensor(rate)]
        shown = torch.stack([v.detach().to(norm.device, torch.float64) for v in values])
        # a term that joins in mid-window has been seen less often than the others
        names = (*terms, "gradient_norm", "rate")
        self._sums[names] = self._sums[names] + shown if names in self._sums else shown
        self._counts[names] = self._counts.get(names, 0) + 1

    def _means(self) -> dict[str, float]:
        """Return the mean of every term over the steps that had it, and begin anew."""
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for names, summed in self._sums.items():
            told = cast("list[float]", summed.tolist())  # pyright: ignore[reportUnknownMemberType]
            for name, value in zip(names, told, strict=True):
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + self._counts[names]
        self._sums, self._counts = {}, {}
        return {name: value / counts[name] for name, value in sums.items()}

    def report(self, step: int, seconds: float) -> None:
        """Write the means since the last report.

        Raises:
            OutputError: they cannot be written.
        """
        if not self._counts:
            return
        means = self._means()
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
