import csv
import errno
import os
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from panfocus.errors import Cancelled, DataError, OutputError
from panfocus.train import checkpoint, loop
from panfocus.train.drpl.config import BETTER, Stage
from panfocus.train.drpl.network import mirrored
from panfocus.train.drpl.step import CALIBRATION_STEPS, DrplTask, Learner
from panfocus.train.log import Log
from panfocus.train.optimiser import cosine
from panfocus.train.precision import Precision, fastest
from panfocus.train.synthesis import Stream

SMALL = replace(
    BETTER,
    stages=(Stage(0.0, blocks=1, size=24, batch=4), Stage(0.5, blocks=2, size=28, batch=2)),
)


class Line(nn.Module):
    """Learns a linear map; a loss whose mean over halves is the mean of the halves' means."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Dropout(0.2), nn.Linear(7, 1))

    def forward(self, x, y):
        return {"loss": (self.net(x)[:, 0] - y).square().mean()}


class LineTask:
    learning_rate, weight_decay, clip, ema = 0.01, 0.01, 1.0, 0.9

    def __init__(self, dropout=0.2, on_step=None):
        torch.manual_seed(0)
        self.model = Line()
        self.model.net[2].p = dropout
        self.on_step = on_step

    def batch(self, step, progress, rank, world):
        x = np.random.default_rng((5, step)).standard_normal((8, 5), dtype=np.float32)
        share = 8 // world
        x = x[rank * share : (rank + 1) * share]
        return x, x.sum(1)

    def rate(self, progress):
        return cosine(progress, 0.1)

    def prepare(self, progress):
        if self.on_step:
            self.on_step(progress)
        return False

    def settle(self):
        pass

    def picture(self, model):
        return np.zeros((4, 4, 3), np.uint8)

    def facts(self):
        return {"system": "line"}


def run(out, **options):
    return loop.Run(Path(out), precision="float32", report_seconds=0, **options)


def interrupt_at(progress):
    def act(done):
        if done >= progress:
            os.kill(os.getpid(), signal.SIGTERM)

    return act


@pytest.mark.filterwarnings("error")
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    loop.train(LineTask(), run(tmp_path / "whole", steps=12))
    with pytest.raises(Cancelled, match="interrupted"):
        loop.train(LineTask(on_step=interrupt_at(0.4)), run(tmp_path / "parts", steps=12))
    half = checkpoint.read(tmp_path / "parts" / checkpoint.NAME)
    assert 0 < half.facts["step"] < 12
    loop.train(LineTask(), run(tmp_path / "parts", steps=12, resume=True))
    whole, parts = (checkpoint.read(tmp_path / n / checkpoint.NAME) for n in ("whole", "parts"))
    assert whole.tensors.keys() == parts.tensors.keys()
    assert all(torch.equal(whole.tensors[k], parts.tensors[k]) for k in whole.tensors)


def test_a_resumed_drpl_run_is_the_uninterrupted_one(tmp_path, sources):
    loop.train(DrplTask(SMALL, sources), run(tmp_path / "whole", steps=4))
    task = DrplTask(SMALL, sources)
    prepare = task.prepare
    task.prepare = lambda done: (interrupt_at(0.25)(done), prepare(done))[1]
    with pytest.raises(Cancelled):
        loop.train(task, run(tmp_path / "parts", steps=4))
    loop.train(DrplTask(SMALL, sources), run(tmp_path / "parts", steps=4, resume=True))
    whole, parts = (checkpoint.read(tmp_path / n / checkpoint.NAME) for n in ("whole", "parts"))
    assert whole.facts["step"] == parts.facts["step"] == 4
    assert all(torch.equal(whole.tensors[k], parts.tensors[k]) for k in whole.tensors)


def test_ten_steps_lower_the_loss_of_drpl(tmp_path, sources):
    config = replace(BETTER, stages=(Stage(0.0, blocks=1, size=32, batch=4),), warmup=0.1)
    task = DrplTask(config, sources)
    fixed = [torch.as_tensor(a) for a in task.batch(0, 0.0, 0, 1)]
    task.batch = lambda *_: fixed
    before = task.model(*fixed)["loss"].item()
    task.finish = lambda average: None
    loop.train(task, run(tmp_path, steps=10))
    assert task.model(*fixed)["loss"].item() < 0.9 * before
    assert (task.picture(task.model) > 0).any()
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 10
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert list((tmp_path / "pictures").glob("*.png"))
    assert list((tmp_path / "tensorboard").iterdir())


def test_statistics_are_measured_anew_for_the_averaged_weights(tmp_path, sources):
    task = DrplTask(SMALL, sources)
    state = loop.train(task, run(tmp_path, steps=3))
    net = Learner(SMALL).net
    net.load_state_dict({k.removeprefix("net."): v for k, v in state.average.items()})
    stage = SMALL.stages[-1]
    means = []
    held = Stream("varied", sources, 1, ended=SMALL.ended)
    with torch.no_grad():
        for step in range(CALIBRATION_STEPS):
            pair = held.batch(step, range(stage.batch), stage.size)[:2]
            answer = net.head[0].conv(torch.cat([torch.as_tensor(p) for p in pair], 1))
            means.append(answer.mean((0, 2, 3)))
    mean = torch.stack(means).mean(0)
    expected = (mean + mirrored(mean)) / 2
    assert torch.allclose(net.head[0].norm.running_mean, expected, atol=1e-5)
    assert net.blocks[1].norm1.running_mean.abs().max() > 0
    assert net.blocks[2].norm1.running_mean.abs().max() == 0  # never ran


def test_training_keeps_drpl_symmetric(tmp_path, sources):
    task = DrplTask(SMALL, sources)
    loop.train(task, run(tmp_path, steps=3))
    net = task.net.eval()
    first, second = torch.rand(2, 1, 3, 20, 20)
    assert torch.allclose(net(first, second), net(second, first).flip(1), atol=1e-5)


def test_two_processes_train_as_one_with_the_joined_batch(tmp_path):
    """Exact for networks without batch statistics; those are each process's own on a CPU."""
    loop.train(LineTask(dropout=0), run(tmp_path / "one", steps=5))
    script = tmp_path / "two.py"
    script.write_text(
        textwrap.dedent(f"""
        import os
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import torch
        torch.set_num_threads(1)
        from test_loop import LineTask, run, loop
        loop.train(LineTask(dropout=0), run({str(tmp_path / "two")!r}, steps=5))
        torch.distributed.destroy_process_group()
        sys.stdout.flush()
        os._exit(0)  # as the command does: threads of PyTorch's may not outlive its objects
        """)
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    both = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env=os.environ
            | {"RANK": str(r), "LOCAL_RANK": str(r), "WORLD_SIZE": "2"}
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port},
        )
        for r in range(2)
    ]
    assert [p.wait(120) for p in both] == [0, 0]
    one, two = (checkpoint.read(tmp_path / n / checkpoint.NAME) for n in ("one", "two"))
    for name, tensor in one.tensors.items():
        assert torch.allclose(tensor, two.tensors[name], atol=1e-6), name


def test_a_full_disk_loses_no_checkpoint(tmp_path, monkeypatch, capsys):
    loop.train(LineTask(), run(tmp_path, steps=2))
    before = (tmp_path / checkpoint.NAME).read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="previous one") as told:
        loop.train(LineTask(), run(tmp_path, steps=4, resume=True, checkpoint_minutes=0))
    assert "No space left" in told.value.got
    assert "No space left" in capsys.readouterr().out  # told in mid-run, and trained on
    assert (tmp_path / checkpoint.NAME).read_bytes() == before
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_damaged_missing_and_foreign_checkpoints_are_told(tmp_path, sources):
    with pytest.raises(DataError, match="no checkpoint") as told:
        loop.train(LineTask(), run(tmp_path, steps=2, resume=True))
    assert "--out" in told.value.remedy and "--resume" in told.value.remedy
    path = tmp_path / checkpoint.NAME
    path.write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="damaged"):
        checkpoint.read(path)
    loop.train(LineTask(), run(tmp_path / "line", steps=2))
    whole = (tmp_path / "line" / checkpoint.NAME).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        checkpoint.read(path)
    with pytest.raises(DataError, match="another network"):
        loop.train(DrplTask(SMALL, sources), run(tmp_path / "line", steps=2, resume=True))


def test_minutes_end_a_run(tmp_path):
    state = loop.train(LineTask(), run(tmp_path, minutes=0.01))
    assert state.step > 1
    assert 0.6 <= state.seconds < 5


def test_the_quickest_precision_is_one_of_those_there_are():
    way = fastest(torch.device("cpu"))
    assert way.name in {"float32", "bfloat16"}
    with Precision("bfloat16").autocast(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    placed = Precision("float32").placed(np.zeros((1, 3, 4, 5), np.float32), torch.device("cpu"))
    assert placed.is_contiguous(memory_format=torch.channels_last)


def test_a_term_that_not_every_step_has_is_told_by_its_own_mean(tmp_path):
    log = Log(tmp_path, 0)
    for step, terms in enumerate(({"a": 1.0, "b": 6.0}, {"a": 2.0}, {"a": 3.0, "b": 8.0})):
        log.add({k: torch.tensor(v) for k, v in terms.items()}, torch.tensor(float(step)), 0.5)
    log.report(3, 1.0)
    with (tmp_path / "log.csv").open() as stream:
        row = next(csv.DictReader(stream))
    means = {k: float(row[k]) for k in ("a", "b", "gradient_norm", "rate")}
    assert means == {"a": 2.0, "b": 7.0, "gradient_norm": 1.0, "rate": 0.5}
