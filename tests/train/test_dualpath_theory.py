"""Dual-Path's mathematics: what the paper's statements and our equations imply."""

import inspect
from dataclasses import replace
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from panfocus.train.dualpath import config, loss, step  # noqa: E402
from panfocus.train.dualpath.fuser import Fuser  # noqa: E402
from panfocus.train.dualpath.model import DualPath, learner  # noqa: E402
from panfocus.train.dualpath.network import FrameNet, Shape, count_macs, folded  # noqa: E402
from panfocus.train.dualpath.predictor import (  # noqa: E402
    Belief,
    MaskPredictor,
    RawPredictor,
    evidence,
    random_blocks,
)
from panfocus.train.dualpath.step import Iterate, Step, blend, data_term  # noqa: E402

TINY = Shape((8, 8), (0,), (1,), (1,), narrow=8)
FLAT = Shape((8,), (), (), (), narrow=8)


@pytest.fixture
def frames():
    torch.manual_seed(0)
    return torch.rand(2, 3, 3, 32, 32)


@pytest.fixture
def mask(frames):
    return torch.rand(2, 3, 32, 32).softmax(1)


def settled(net, frames):
    """Give a network plausible statistics, wake its silent priors and turn it to inference."""
    net.train()
    with torch.no_grad():
        for head in (m.head for m in net.modules() if isinstance(m, FrameNet)):
            head.weight.normal_(std=0.1)
        for _ in range(3):
            net(frames)
    return net.eval()


# --- the predictor's loss -------------------------------------------------------------------


def test_the_masking_loss_ignores_kept_pixels_and_pulls_dropped_ones(frames, mask):
    answer = mask.clone().requires_grad_()
    target = torch.zeros_like(mask)
    keep = random_blocks(2, 32, 32, mask.device)
    valid = torch.ones(2, 32, 32)
    loss.masking(answer, target, keep, valid).backward()
    kept = keep.expand_as(mask) > 0
    assert kept.any()
    assert (~kept).any()
    assert torch.all(answer.grad[kept] == 0)
    assert torch.all(answer.grad[~kept] != 0)


def test_the_masking_loss_ignores_places_without_evidence(mask):
    answer = mask.clone().requires_grad_()
    valid = torch.zeros(2, 32, 32)
    valid[:, :8] = 1
    keep = torch.zeros(2, 1, 32, 32)
    loss.masking(answer, torch.zeros_like(mask), keep, valid).backward()
    assert torch.all(answer.grad[:, :, 8:] == 0)
    assert torch.all(answer.grad[:, :, :8] != 0)


def test_dropped_pixels_cannot_reach_the_predictor(frames, mask):
    net = MaskPredictor(TINY, dropout=0.0)
    keep = random_blocks(2, 32, 32, mask.device)
    other = torch.where(keep > 0, mask, torch.rand_like(mask))
    hidden = torch.where(keep.unsqueeze(2) > 0, frames, torch.rand_like(frames))
    net.eval()
    assert torch.equal(net(mask, frames, keep), net(other, hidden, keep))


def test_blocks_are_blocks_and_kept_as_often_as_said():
    torch.manual_seed(0)
    keep = torch.cat([random_blocks(4, 64, 64, torch.device("cpu")) for _ in range(30)])
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    assert 0.5 < keep.mean() < 0.7
    changes = (keep[..., 1:] != keep[..., :-1]).float().mean()
    assert changes < 0.15  # independent pixels would change at almost every second one


def test_the_averaged_mask_is_a_mask_and_knows_where_it_guesses(frames, mask):
    torch.manual_seed(0)
    belief = MaskPredictor(TINY).eval().average(mask, frames, 4)
    assert torch.allclose(belief.mask.sum(1), torch.ones(2, 32, 32), atol=1e-5)
    assert belief.confidence.min() >= 0.1
    assert belief.confidence.max() <= 1


# --- supervision and consistency ------------------------------------------------------------


def test_the_mask_loss_sends_no_gradient_into_the_predictor(mask):
    taught, trust = (torch.rand_like(t).requires_grad_() for t in (mask, mask[:, 0]))
    learning = mask.clone().requires_grad_()
    loss.supervision([Iterate(mask[:, 0], learning)], Belief(taught, trust)).backward()
    assert taught.grad is None
    assert trust.grad is None
    assert torch.any(learning.grad != 0)


def test_the_mask_of_every_step_is_supervised(frames, mask):
    torch.manual_seed(0)
    fuser = Fuser([FLAT] * 3, 8, sees_frames=True)
    iterates = fuser(frames)
    assert len(iterates) == 4
    for now in iterates:
        now.mask.retain_grad() if now.mask.requires_grad else None
    loss.supervision(iterates[1:], Belief(mask, torch.ones(2, 32, 32))).backward()
    assert all(now.mask.grad.abs().sum() > 0 for now in iterates[1:])


def test_only_a_share_of_the_consistency_loss_reaches_the_predictor(frames, mask):
    full, part = mask.clone().requires_grad_(), mask.clone().requires_grad_()
    picture = torch.zeros(2, 3, 32, 32)
    loss.consistency(picture, blend(full, frames)).backward()
    loss.consistency(picture, blend(loss.slowed(part, 0.1), frames)).backward()
    assert torch.allclose(part.grad, 0.1 * full.grad, atol=1e-8)


def test_the_sources_enter_no_loss_except_through_composites(frames, mask):
    """No loss takes frames, but `redefocus`, which only blends them and compares with T."""
    takers = [
        n
        for n, f in inspect.getmembers(loss, inspect.isfunction)
        if f.__module__ == loss.__name__ and "frames" in inspect.signature(f).parameters
    ]
    assert takers == ["redefocus"]
    # frames that are replaced by anything with the same composites leave the loss as it is
    one = torch.zeros_like(mask)
    one[:, 0] = 1
    other = frames.clone()
    other[:, 1:] = torch.rand_like(other[:, 1:])
    truth, valid = torch.rand(2, 3, 32, 32), torch.ones(2, 32, 32)
    values = [
        loss.redefocus(
            [Iterate(truth, one), Iterate(truth, one)], f, truth, mask, valid, weights=(1, 1)
        )["loss"]
        for f in (frames, other)
    ]
    assert values[0] == values[1]


def test_evidence_is_signed_without_unit_and_0_for_frames_alike(frames):
    seen = evidence(frames)
    assert seen.shape == (2, 3, 2, 32, 32)
    assert seen.sum(1).abs().max() < 1e-3
    assert torch.allclose(evidence(frames[:, :1].expand(2, 4, 3, 32, 32)), torch.zeros(()))
    sharp, flat = torch.rand(1, 1, 3, 24, 24), torch.full((1, 1, 3, 24, 24), 0.5)
    pair = evidence(torch.cat((sharp, flat), 1))
    assert (pair[:, 0] > 0.99).all()
    assert torch.allclose(pair, evidence(torch.cat((sharp, flat), 1) * 0.5), atol=1e-2)


def test_noise_kept_is_what_blending_leaves_of_it():
    torch.manual_seed(0)
    mask = torch.rand(2, 3, 64, 64).softmax(1)
    variance = torch.tensor([0.01, 0.04])
    noise = torch.randn(2, 3, 1, 64, 64, 40) * variance.sqrt().view(2, 1, 1, 1, 1, 1)
    blended = (mask[:, :, None, ..., None] * noise).sum(1)
    assert torch.isclose(loss.noise_kept(mask, variance), blended.square().mean(), rtol=0.02)


# --- the unrolled step ----------------------------------------------------------------------


def test_the_picture_step_with_eta_1_and_no_prior_is_the_blend(frames, mask):
    plain = Step(None)
    with torch.no_grad():
        plain.eta.fill_(100.0)  # its sigmoid is 1
    moved = plain.picture_step(torch.rand(2, 3, 32, 32), mask, frames)
    assert torch.equal(moved, blend(mask, frames)) or torch.allclose(
        moved, blend(mask, frames), atol=1e-7
    )


def test_the_gradients_are_those_of_the_data_term(frames, mask):
    frames, mask = frames.double(), mask.double()
    picture = torch.rand(2, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    free = mask.clone().requires_grad_()
    data_term(picture, free, frames).backward()
    assert torch.allclose(picture.grad, (picture - blend(mask, frames)) / 3)
    slope = 0.5 * (picture.unsqueeze(1) - frames).square().mean(2)
    assert torch.allclose(free.grad, slope)
    direction = step.mask_gradient(picture, frames)
    centred = slope - slope.mean(1, keepdim=True)
    assert torch.all(direction * centred >= 0)
    assert direction.sum(1).abs().max() < 1e-9  # it stays on the simplex


def test_a_step_without_learned_parts_lowers_the_data_term(frames, mask):
    plain = Step(None)
    now = Iterate(torch.rand(2, 3, 32, 32), mask)
    values = [float(data_term(now.picture, now.mask, frames))]
    with torch.no_grad():
        for _ in range(5):
            now = plain(now, frames)
            values.append(float(data_term(now.picture, now.mask, frames)))
    assert all(b < a for a, b in pairwise(values))


def test_the_priors_start_small_so_that_the_first_step_is_the_classical_algorithm(frames):
    learned, plain = Step(None, 8), Step(None)
    now = Iterate(frames.mean(1), torch.full((2, 3, 32, 32), 1 / 3))
    assert torch.allclose(learned(now, frames).picture, plain(now, frames).picture)


def test_lights_are_compressed_and_detail_is_not():
    small, huge = torch.tensor([1e-3, 0.9])
    assert step.limited(small) == pytest.approx(1e-3, rel=0.02)
    assert step.limited(huge) < step.LARGE
    assert step.limited(-huge) == -step.limited(huge)


# --- sets of frames -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["paper", "redefocus"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_permuting_the_frames_permutes_the_masks(name, count):
    torch.manual_seed(0)
    net = settled(DualPath(config.recipe(name)), torch.rand(1, 2, 3, 32, 32)).double()
    frames = torch.rand(1, count, 3, 32, 32, dtype=torch.float64)
    order = torch.randperm(count)
    with torch.no_grad():
        before, after = net(frames), net(frames[:, order])
    for one, two in zip(before, after, strict=True):
        assert torch.allclose(one.mask[:, order], two.mask, atol=1e-10)
        assert torch.allclose(one.picture, two.picture, atol=1e-10)
        assert torch.allclose(one.mask.sum(1), torch.ones(1, 32, 32, dtype=torch.float64))
    assert before[-1].mask.std() > 1e-4


@pytest.mark.parametrize("name", ["paper", "redefocus"])
def test_identical_sources_give_themselves(name):
    """From frames that are one and the same, composite and picture can only be that frame."""
    torch.manual_seed(0)
    net = settled(DualPath(config.recipe(name)), torch.rand(1, 2, 3, 32, 32))
    frame = torch.rand(1, 1, 3, 32, 32)
    with torch.no_grad():
        last = net(frame.expand(1, 2, 3, 32, 32))[-1]
    assert torch.allclose(last.mask, torch.full_like(last.mask, 0.5), atol=1e-5)
    assert torch.allclose(last.picture, frame[:, 0], atol=1e-5)


def test_sets_of_a_batch_do_not_see_each_other():
    torch.manual_seed(0)
    net = settled(RawPredictor(TINY), torch.rand(1, 2, 3, 32, 32))
    frames = torch.rand(2, 3, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(net(frames)[1:], net(frames[1:]), atol=1e-6)


def test_without_the_exchange_frames_would_not_meet():
    """The same frame beside another competitor gets another logit: the exchange works."""
    torch.manual_seed(0)
    net = FrameNet(3, TINY).eval()
    one, two, three = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        beside = [net(torch.stack(pair), 1)[0] for pair in ((one, two), (one, three))]
    assert not torch.allclose(*beside)


# --- size, tiles, folding -------------------------------------------------------------------


def test_the_network_stays_within_its_budget():
    net = DualPath(config.REDEFOCUS).eval()
    net.unrolled = False  # as it is bundled; its two steps would add 4,240
    pair = torch.zeros(1, 2, 3, 64, 64)
    spent = count_macs(net, lambda: net(pair)) / (2 * 64 * 64)
    print(f"{spent:.0f} multiply-adds per source pixel")
    assert spent <= 30_000


def test_folding_the_normalisations_changes_nothing(frames):
    torch.manual_seed(0)
    net = settled(DualPath(config.REDEFOCUS), frames)
    with torch.no_grad():
        one, two = net(frames)[-1].mask, folded(net)(frames)[-1].mask
    assert torch.allclose(one, two, atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(net).modules())


def test_tiles_with_the_halo_are_the_whole_and_without_it_are_not():
    torch.manual_seed(0)
    small = replace(config.REDEFOCUS, predictor=Shape((8, 8), (0,), (1,), (1,), narrow=8))
    net = settled(DualPath(small), torch.rand(1, 2, 3, 32, 32)).double()
    halo, cut = small.halo, 40
    frames = torch.rand(1, 2, 3, cut + halo + 60, 16, dtype=torch.float64)
    start = -(-halo // 4) * 4
    with torch.no_grad():
        whole = net(frames)[-1].mask[:, :, start:]
        top = start + 4
        tile = net(frames[..., top - start :, :])[-1].mask[:, :, start:]
        bare = net(frames[..., top:, :])[-1].mask
    assert torch.allclose(tile, whole[:, :, 4:], atol=1e-12)
    assert (bare - whole[:, :, 4:]).abs().max() > 1e-6


# --- both networks in one training ----------------------------------------------------------


def test_the_predictor_is_a_constant_once_the_fuser_trains():
    torch.manual_seed(0)
    whole = learner(config.REDEFOCUS)
    whole.unroll(unrolled=True)
    frames = torch.rand(2, 2, 3, 32, 32)
    batch = (frames, frames[:, 0], torch.rand(2, 2, 32, 32).softmax(1), torch.ones(2, 32, 32))
    batch = (*batch, frames, torch.zeros(2))
    before = {k: v.clone() for k, v in whole.net.predictor.state_dict().items()}
    whole(*batch)["loss"].backward()
    assert all(p.grad is None for p in whole.net.predictor.parameters())
    assert any(p.grad is not None for p in whole.net.fuser.parameters())
    assert all(torch.equal(v, before[k]) for k, v in whole.net.predictor.state_dict().items())


def test_the_teacher_follows_the_predictor_slowly_and_gets_no_gradient():
    torch.manual_seed(0)
    whole = learner(config.PAPER)
    whole.unroll(unrolled=True)
    frames = torch.rand(2, 2, 3, 32, 32)
    mask = torch.rand(2, 2, 32, 32).softmax(1)
    terms = whole(frames, mask, mask, torch.ones(2, 32, 32))
    assert set(terms) == {"loss", "predictor", "mask", "consistency"}
    terms["loss"].backward()
    assert all(p.grad is None for p in whole.teacher.parameters())
    assert any(p.grad is not None for p in whole.predictor.parameters())
    with torch.no_grad():
        for p in whole.predictor.parameters():
            p.add_(1.0)
    old = [p.clone() for p in whole.teacher.parameters()]
    whole.settle()
    share = 1 - config.PAPER.masking.ema
    for before, now in zip(old, whole.teacher.parameters(), strict=True):
        assert torch.allclose(now - before, torch.full_like(now, share), atol=1e-4)
