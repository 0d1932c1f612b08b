"""One step of DRPL: its number format, its rates."""

from dataclasses import replace

import pytest
import torch

from panfocus.train.drpl.config import BETTER, PUBLISHED, Stage
from panfocus.train.drpl.step import DrplTask
from panfocus.train.precision import Precision

TINY = Stage(0.0, blocks=1, size=24, batch=2)


def test_the_loss_is_reckoned_in_full_precision_whatever_the_network_runs_in(sources):
    task = DrplTask(replace(PUBLISHED, stages=(TINY,)), sources)
    batch = [torch.as_tensor(a) for a in task.batch(0, 0.0, 0, 1)]
    exact = task.model(*batch)
    with Precision("bfloat16").autocast(torch.device("cpu")):
        rounded = task.model(*batch)
    assert all(term.dtype == torch.float32 for term in rounded.values())
    # what is left is the maps' own rounding; reckoned in bfloat16 the structure term is off by 0.02
    assert rounded["ssim"].item() == pytest.approx(exact["ssim"].item(), abs=4e-3)


def test_the_published_rate_is_halved_once_and_never_warmed_up(sources):
    rate = DrplTask(PUBLISHED, sources).rate
    assert [rate(p) for p in (0.0, 0.01, 0.59, 0.6, 1.0)] == [1, 1, 1, 0.5, 0.5]
    ours = DrplTask(BETTER, sources).rate
    assert ours(0.0) < 0.01 <= ours(1.0) < ours(0.5) < ours(0.02)
