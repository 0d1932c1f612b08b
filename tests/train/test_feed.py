"""Who makes batches, and where they are trained on: what can be told without a graphics card."""

from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from panfocus.errors import UsageError  # noqa: E402
from panfocus.train import loop, pairs  # noqa: E402
from panfocus.train.distributed import Team  # noqa: E402
from panfocus.train.drpl import config as drpl_config  # noqa: E402
from panfocus.train.drpl.config import Stage  # noqa: E402
from panfocus.train.drpl.step import DrplTask  # noqa: E402
from panfocus.train.dualpath import config, recipes  # noqa: E402
from panfocus.train.dualpath.task import DualPathTask, Supply  # noqa: E402
from panfocus.train.feed import feed  # noqa: E402
from tests.conftest import focal_stack  # noqa: E402
from tests.train.test_own import tiny  # noqa: E402


@pytest.fixture(scope="module")
def dualpath():
    material = pairs.Material(
        [pairs.FocalSet(f"{n}", list(focal_stack(3, 120, 140, n)[0])) for n in range(3)]
    )
    return DualPathTask(tiny(), Supply.of(material, "guided"), seed=3)


@pytest.fixture
def drpl(sources):
    stages = (Stage(0.0, 1, 32, 2), Stage(0.5, 2, 40, 2))
    return DrplTask(replace(drpl_config.recipe("better"), stages=stages), sources, seed=3)


def first(task, count, loaders):
    def progress(step):
        return step / count

    with closing(feed(task, 0, progress, (0, 1), loaders)) as batches:
        return list(islice(batches, count))


@pytest.mark.parametrize("name", ["dualpath", "drpl"])
def test_processes_make_the_batches_that_a_thread_makes(name, request):
    task = request.getfixturevalue(name)
    alone, together = first(task, 5, 0), first(task, 5, 2)
    for (done, one), (same, two) in zip(alone, together, strict=True):
        assert done == same and len(one) == len(two)
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_a_run_with_loaders_is_the_run_without(dualpath, tmp_path):
    held = []
    for loaders in (0, 1):
        task = DualPathTask(dualpath.config, dualpath.maker().supply, seed=3)
        run = loop.Run(tmp_path / f"{loaders}", steps=3, precision="float32", loaders=loaders)
        held.append(loop.train(task, run).average)
    for name, value in held[0].items():
        torch.testing.assert_close(held[1][name], value, rtol=0, atol=0)


def test_no_tensor_is_made_on_another_device_than_the_networks(dualpath, drpl):
    """On the device "meta" nothing is computed, but tensors of two devices do not mix there."""
    for task, steps in ((dualpath, range(12)), (drpl, range(1))):
        task.prepare(0.9)
        model = type(task.model)(task.config).to("meta")
        seen = set()
        for step in steps:
            batch = [torch.as_tensor(a).to("meta") for a in task.batch(step, 0.9, 0, 1)]
            if len(batch) not in seen:
                terms = model(*batch)
                terms["loss"].backward()
                assert {t.device.type for t in terms.values()} == {"meta"}
            seen.add(len(batch))
        assert len(seen) == (2 if task is dualpath else 1)


def test_a_card_that_is_not_there_is_told(monkeypatch):
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="no graphics card"):
            Team.join("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match="more processes on this machine than graphics cards"):
        Team.join("auto")


def test_larger_batches_have_a_larger_rate():
    chosen = config.enlarged(recipes.DUALPATH, 4)
    assert [k.batch for k in chosen.sets] == [4 * k.batch for k in recipes.DUALPATH.sets]
    assert chosen.learning_rate == 2 * recipes.DUALPATH.learning_rate
    assert config.enlarged(recipes.DUALPATH, 1) is recipes.DUALPATH
