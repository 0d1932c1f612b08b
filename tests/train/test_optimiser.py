import numpy as np
import pytest
import torch
from torch import nn

from panfocus.train.optimiser import cosine, update_average


def test_the_rate_rises_and_falls():
    rates = [cosine(p, 0.1) for p in np.linspace(0, 1, 101)]
    assert np.argmax(rates) == 10
    assert rates[0] < 0.01
    assert rates[10] == pytest.approx(1)
    assert rates[-1] == pytest.approx(0.01)
    assert (np.diff(rates[10:]) < 0).all()


def test_averaged_weights_follow_the_weights():
    model = nn.Linear(1, 1)
    held = {k: torch.zeros_like(v) for k, v in model.state_dict().items()}
    update_average(held, model, 0.75)
    assert torch.allclose(held["weight"], model.weight / 4)
