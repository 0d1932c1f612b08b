"""The recipes of DRPL beside the paper, and how they are told."""

import json
from dataclasses import replace

import pytest
import torch

from panfocus.errors import UsageError
from panfocus.systems.card import Card
from panfocus.train import checkpoint
from panfocus.train.drpl import config, paper
from panfocus.train.drpl.pack import pack
from panfocus.train.drpl.shares import shares
from panfocus.train.drpl.step import DrplTask, Learner


@pytest.mark.parametrize("name", config.RECIPES)
def test_a_recipe_survives_json(name):
    chosen = config.recipe(name)
    assert config.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen


def test_recipes_of_earlier_runs_are_read():
    told = config.PUBLISHED.to_dict()
    del told["network"], told["taught_every"], told["loss"]["teacher"]
    assert config.from_dict(told) == config.PUBLISHED


def test_single_terms_of_the_loss_can_be_left_out():
    chosen = config.changed(config.PUBLISHED, ["loss.gradient=0", "loss.ssim=0"])
    only = replace(config.PUBLISHED.loss, gradient=0.0, ssim=0.0)
    assert chosen == replace(config.PUBLISHED, loss=only)
    assert config.PUBLISHED.loss.gradient == 0.1
    assert config.changed(config.BETTER, ["ema=.5", "clip=2."]).ema == 0.5
    for setting in (
        "ema=.5.",
        "ema=inf",
        "stages=1",
        "network=small",
        "recipe=x",
        "loss=1",
        "loss.mask=much",
    ):
        with pytest.raises(UsageError, match="recipe"):
            config.changed(config.PUBLISHED, [setting])
    with pytest.raises(UsageError, match="teacher"):
        config.changed(config.SMALL, ["taught_every=0"])


def test_the_published_recipe_is_the_published_one_where_it_can_be():
    chosen = config.PUBLISHED
    assert (chosen.clip, chosen.weight_decay, chosen.warmup) == (0.5, 0, 0)
    assert not (chosen.high_pass or chosen.zero_blocks or chosen.symmetric)
    assert chosen.stages == (config.Stage(0.0, blocks=12, size=128, batch=5),)


def test_larger_batches_have_a_larger_rate_but_where_the_rate_was_published():
    better, published = (config.enlarged(c, 16) for c in (config.BETTER, config.PUBLISHED))
    assert [s.batch for s in better.stages] == [16 * s.batch for s in config.BETTER.stages]
    assert better.learning_rate == pytest.approx(4 * config.BETTER.learning_rate)
    assert published.learning_rate == config.PUBLISHED.learning_rate
    assert config.enlarged(config.PUBLISHED, 10).stages[0].batch == paper.BATCH
    assert config.enlarged(config.SMALL, 1) == config.SMALL


def test_a_card_of_the_published_recipe_can_be_checked_line_by_line(tmp_path):
    torch.manual_seed(0)
    tensors = {f"average.{k}": v for k, v in Learner(config.PUBLISHED).state_dict().items()}
    facts = {"system": "drpl", "step": 250, "seconds": 60.0, "seed": 0}
    facts["config"] = config.PUBLISHED.to_dict()
    checkpoint.write(tmp_path / checkpoint.NAME, checkpoint.Checkpoint(tensors, facts))
    card = Card.read(pack(tmp_path, tmp_path / "drpl-paper-9", "made up") / "card.json")
    assert card.name == "drpl-paper"
    lines = card.recipe["beside_the_paper"]
    assert lines == paper.beside(facts)
    assert "250 steps of 5 pairs, 0.12 %" in lines["length"]
    assert all(text.startswith(("FOUND", "MEASURED")) for text in lines.values())


def test_every_line_tells_what_is_known_of_it():
    lines = (*paper.SAME, *paper.OTHERWISE)
    assert len({line.what for line in lines}) == len(lines)
    assert all(line.here != "the same" for line in paper.OTHERWISE)


def test_shares_of_terms_sum_to_one_and_gradients_are_exact(sources):
    chosen = replace(config.BETTER, stages=(config.Stage(0.0, blocks=1, size=24, batch=2),))
    task = DrplTask(chosen, sources)
    task.net.active = 1
    batch = [torch.as_tensor(a) for a in task.batch(0, 0.0, 0, 1)]
    found = shares(task.model, [batch, batch], chosen.loss)
    assert set(found) == {"mask", "gradient", "ssim", "picture_l1", "picture_l2"}
    for sums in (sum(share) for share in zip(*found.values(), strict=True)):
        assert sums == pytest.approx(1, abs=1e-4)
    terms = task.model(*batch)
    parts = {name: getattr(chosen.loss, name) * terms[name] for name in found}
    norms = {}
    for name, part in parts.items():
        task.model.zero_grad()
        part.backward(retain_graph=True)
        told = [p.grad.flatten() for p in task.model.parameters() if p.grad is not None]
        norms[name] = torch.cat(told).norm().item()
    for name, share in found.items():
        assert share.value == pytest.approx(parts[name].item() / terms["loss"].item(), rel=1e-4)
        assert share.size == pytest.approx(norms[name] / sum(norms.values()), rel=1e-4)
