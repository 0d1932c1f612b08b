"""Dual-Path's mathematics: what the paper's statements and our equations imply."""

import inspect
from dataclasses import replace
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from panfocus.train.dualpath import loss, recipes, step  # noqa: E402
from panfocus.train.dualpath.config import Known  # noqa: E402
from panfocus.train.dualpath.data_term import data_term, mask_gradient  # noqa: E402
from panfocus.train.dualpath.fuser import Fuser  # noqa: E402
from panfocus.train.dualpath.inference import count_macs, folded  # noqa: E402
from panfocus.train.dualpath.iterate import EPSILON, Frames, Iterate, Passed, beginning, blend  # noqa: E402
from panfocus.train.dualpath.model import DualPath, Learner  # noqa: E402
from panfocus.train.dualpath.network import FrameNet, Shape  # noqa: E402
from panfocus.train.dualpath.predictor import (  # noqa: E402
    Belief,
    MaskPredictor,
    decided,
    random_blocks,
    random_pixels,
)
from panfocus.train.dualpath.priors import LARGE, evidence, limited  # noqa: E402
from panfocus.train.dualpath.step import Step, Unrolled  # noqa: E402

TINY = Shape((8, 8), (0,), (1,), (1,), narrow=8)
FLAT = Unrolled(Shape((8,), (), (), (), narrow=8), ("iterate", "difference", "frames"), 8)
RECIPES = ("paper", "dualpath")
DRAWN = {"pixels": random_pixels, "blocks": random_blocks}


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


@pytest.mark.parametrize("drop", ["pixels", "blocks"])
@pytest.mark.parametrize("guide", ["symmetric", "masked", "open", "none"])
def test_dropped_places_of_a_mask_cannot_reach_the_predictor(frames, mask, guide, drop):
    net = MaskPredictor(TINY, dropout=0.0, guide=guide, drop=drop).eval()
    keep = net.drawn(mask)
    other = torch.where(keep > 0, mask, torch.rand_like(mask))
    assert torch.equal(net(mask, frames, keep), net(other, frames, keep))
    assert not torch.equal(net(mask, frames, keep), net(torch.rand_like(mask), frames, keep))


def test_a_masked_guide_hides_frames_where_the_mask_is_dropped(frames, mask):
    net = MaskPredictor(TINY, dropout=0.0, guide="masked").eval()
    keep = net.drawn(mask)
    hidden = torch.where(keep.unsqueeze(2) > 0, frames, torch.rand_like(frames))
    assert torch.equal(net(mask, frames, keep), net(mask, hidden, keep))


def test_a_symmetric_guide_cannot_tell_which_frame_is_which(frames, mask):
    """Frames exchanged under the same mask: the answer stays, so M~ cannot be computed anew."""
    net = MaskPredictor(TINY, dropout=0.0, guide="symmetric").eval()
    keep = net.drawn(mask)
    order = [2, 0, 1]
    assert torch.allclose(net(mask, frames, keep), net(mask, frames[:, order], keep), atol=1e-6)
    open_net = MaskPredictor(TINY, dropout=0.0, guide="open").eval()
    one, two = (open_net(mask, f, keep) for f in (frames, frames[:, order]))
    assert (one - two).abs().max() > 1e-4


def test_blocks_are_blocks_and_kept_as_often_as_said():
    torch.manual_seed(0)
    keep = torch.cat([random_blocks(4, 64, 64, torch.device("cpu")) for _ in range(30)])
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    assert 0.5 < keep.mean() < 0.7
    changes = (keep[..., 1:] != keep[..., :-1]).float().mean()
    assert changes < 0.15  # independent pixels would change at almost every second one


def test_pixels_are_kept_one_by_one_as_often_as_said():
    torch.manual_seed(0)
    keep = random_pixels(8, 64, 64, torch.device("cpu"))
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    assert keep.mean() == pytest.approx(0.7, abs=0.01)
    changes = (keep[..., 1:] != keep[..., :-1]).float().mean()
    assert changes == pytest.approx(2 * 0.7 * 0.3, abs=0.01)


def test_masks_of_stacks_are_squared_before_they_teach_and_those_of_pairs_are_not():
    soft = torch.tensor([0.5, 0.3, 0.2]).view(1, 3, 1, 1)
    assert torch.allclose(decided(soft).flatten(), torch.tensor([25.0, 9.0, 4.0]) / 38)
    assert torch.equal(decided(soft[:, :2]), soft[:, :2])


def test_what_teaches_neither_follows_the_batch_nor_stops_dropping(frames, mask):
    """Statistics of normalisations stay, dropout is on: two drawings differ."""
    torch.manual_seed(0)
    net = MaskPredictor(TINY).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    same = torch.stack((mask, mask), 1)
    one, two = net.belief(same, frames), net.belief(same, frames)
    assert net.training
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert (one.mask - two.mask).abs().max() > 1e-4


def test_the_averaged_mask_is_a_mask_and_knows_where_it_guesses(frames, mask):
    torch.manual_seed(0)
    given = torch.stack([mask] * 4, 1)
    belief = MaskPredictor(TINY).eval().belief(given, frames)
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
    fuser = Fuser([FLAT] * 3)
    iterates = fuser(frames)
    assert len(iterates) == 4
    for now in iterates:
        now.mask.retain_grad() if now.mask.requires_grad else None
    loss.supervision(iterates[1:], Belief(mask, torch.ones(2, 32, 32))).backward()
    assert all(now.mask.grad.abs().sum() > 0 for now in iterates[1:])


def test_later_steps_count_more():
    assert step.importance([0] * 3) == pytest.approx([2 / 11, 3 / 11, 6 / 11])
    assert step.importance([0]) == [1]


def test_the_picture_of_every_step_is_tied_to_the_predictors_composite(frames):
    steps = [Iterate(torch.rand(2, 3, 32, 32, requires_grad=True), frames[:, :, 0])] * 1
    steps += [Iterate(torch.rand(2, 3, 32, 32, requires_grad=True), frames[:, :, 0])]
    loss.consistency(steps, frames.mean(1)).backward()
    grads = [float(now.picture.grad.abs().sum()) for now in steps]
    assert grads[0] > 0
    assert grads[1] > 1.5 * grads[0]
    same = [Iterate(frames.mean(1), frames[:, :, 0])]
    assert loss.consistency(same, frames.mean(1)) == 0


def test_only_a_share_of_the_consistency_loss_reaches_the_predictor(frames, mask):
    full, part = mask.clone().requires_grad_(), mask.clone().requires_grad_()
    steps = [Iterate(torch.zeros(2, 3, 32, 32), mask)]
    loss.consistency(steps, blend(full, frames)).backward()
    belief = Belief(mask, mask[:, 0])
    loss.consistency(steps, blend(loss.followed(belief, part, 0.1), frames)).backward()
    assert torch.allclose(part.grad, 0.1 * full.grad, atol=1e-8)


def test_the_sources_enter_no_loss_except_through_composites(frames, mask):
    """No loss takes frames, but `known`, which only blends them and compares with T."""
    takers = [
        n
        for n, f in inspect.getmembers(loss, inspect.isfunction)
        if f.__module__ == loss.__name__ and "frames" in inspect.signature(f).parameters
    ]
    assert takers == ["known"]
    # frames that are replaced by anything with the same composites leave the loss as it is
    one = torch.zeros_like(mask)
    one[:, 0] = 1
    other = frames.clone()
    other[:, 1:] = torch.rand_like(other[:, 1:])
    truth, valid = torch.rand(2, 3, 32, 32), torch.ones(2, 32, 32)
    every = Known(mask=0.05, picture=0.3, decibel=0.02, similarity=0.5)
    steps, noise = [Iterate(truth, one)] * 2, torch.zeros(2)
    values = [
        loss.known(steps, f, truth, mask, valid, noise, weights=every)["known"]
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


@pytest.fixture
def start(frames):
    """Some picture and mask that do not belong together, as the steps pass them on."""
    logits = torch.randn(2, 3, 32, 32)
    picture = torch.rand(2, 3, 32, 32)
    now = Iterate(picture, logits.softmax(1))
    added = (picture - blend(now.mask, frames)).mean(1, keepdim=True)
    return now, Passed(logits, added)


def test_the_picture_step_without_a_prior_is_the_exact_minimum(frames, start):
    with torch.no_grad():
        moved, passed = Step(None)(*start, Frames.of(frames))
    assert torch.allclose(moved.picture, blend(moved.mask, frames), atol=1e-6)
    assert data_term(moved.picture, moved.mask, frames) < 1e-9
    assert passed.added.abs().max() == 0


def test_the_gradients_are_those_of_the_data_term(frames):
    frames = frames.double()
    mask = torch.rand(2, 3, 32, 32, dtype=torch.float64).softmax(1)
    picture = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    free = mask.clone().requires_grad_()
    data_term(picture, free, frames).backward()
    # on the simplex the gradient has no part that lifts all weights alike
    slope = free.grad - free.grad.mean(1, keepdim=True)
    added = (picture - blend(mask, frames)).mean(1, keepdim=True)
    direction = mask_gradient(added, Frames.of(frames))
    assert torch.all(direction * slope >= 0)
    assert direction.square().sum(1).max() <= 3
    assert direction.sum(1).abs().max() < 1e-9
    ratio = direction / slope
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-4)  # scaled per pixel


def test_at_the_start_the_gradient_in_the_mask_is_0(frames):
    seen = Frames.of(frames)
    now, passed = beginning(seen)
    assert torch.allclose(now.picture, blend(now.mask, frames), atol=1e-6)
    assert torch.equal(passed.logits.softmax(1), now.mask)
    assert mask_gradient(passed.added, seen).abs().max() == 0


def test_what_every_step_needs_of_the_frames_is_their_luminance_and_its_scatter(frames):
    seen, grey = Frames.of(frames), frames.mean(2)
    assert torch.allclose(seen.apart, grey - grey.mean(1, keepdim=True), atol=1e-6)
    assert torch.allclose(seen.middle[:, 0], grey.mean(1), atol=1e-6)
    assert torch.allclose(seen.spread[:, 0], (grey.var(1, correction=0) + EPSILON).sqrt())


def test_the_mask_step_without_learned_parts_lowers_the_data_term(frames, start):
    now, passed = start
    values = [float(data_term(now.picture, now.mask, frames))]
    plain, seen = Step(None), Frames.of(frames)
    for _ in range(5):
        with torch.no_grad():
            moved, after = plain(now, passed, seen)
        # the picture stays, so that there is something left to lower
        added = (now.picture - blend(moved.mask, frames)).mean(1, keepdim=True)
        now, passed = Iterate(now.picture, moved.mask), Passed(after.logits, added)
        values.append(float(data_term(now.picture, now.mask, frames)))
    assert all(b < a for a, b in pairwise(values))


def test_the_priors_start_small_so_that_the_first_step_is_the_classical_algorithm(frames, start):
    learned, plain = Step(FLAT), Step(None)
    seen = Frames.of(frames)
    (one, _), (two, _) = learned(*start, seen), plain(*start, seen)
    assert torch.allclose(one.picture, two.picture)
    assert torch.allclose(one.mask, two.mask)
    assert (one.mask - start[0].mask).abs().max() > 1e-3


def test_a_step_hears_the_features_of_the_step_before(frames):
    """They are part of its answer, and the step before learns to make them."""
    torch.manual_seed(0)
    before = replace(FLAT, carry=4)
    fuser = Fuser([before, replace(FLAT, sees=("iterate", "features"))])
    settled(fuser, frames)
    fuser(frames)[-1].mask.square().sum().backward()
    head = fuser.steps[0].mask_prior.head
    assert head.weight.shape[0] == 4 + 4
    assert head.weight.grad[4:].abs().sum() > 0


@pytest.mark.parametrize("pack", [2, 4])
def test_stems_answer_the_same_without_packing(pack):
    torch.manual_seed(0)
    shape = replace(FLAT.prior, pack=pack)
    net = FrameNet(3, shape, carry=3).eval()
    x = torch.rand(4, 3, 16, 24)
    one, two = net.answer(x, 2), folded(net).answer(x, 2)
    assert one.pixels.shape == (4, 1, 16, 24)
    assert one.features.shape == (4, 3, 16 // pack, 24 // pack)
    assert torch.allclose(one.pixels, two.pixels, atol=1e-5)
    assert torch.allclose(one.features, two.features, atol=1e-5)


def test_lights_are_compressed_and_detail_is_not():
    small, huge = torch.tensor([1e-3, 0.9])
    assert limited(small) == pytest.approx(1e-3, rel=0.02)
    assert limited(huge) < LARGE
    assert limited(-huge) == -limited(huge)


# --- sets of frames -------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_permuting_the_frames_permutes_the_masks(name, count):
    torch.manual_seed(0)
    net = settled(DualPath(recipes.recipe(name)), torch.rand(1, 2, 3, 32, 32)).double()
    frames = torch.rand(1, count, 3, 32, 32, dtype=torch.float64)
    order = torch.randperm(count)
    with torch.no_grad():
        before, after = net(frames), net(frames[:, order])
    for one, two in zip(before, after, strict=True):
        assert torch.allclose(one.mask[:, order], two.mask, atol=1e-10)
        assert torch.allclose(one.picture, two.picture, atol=1e-10)
        assert torch.allclose(one.mask.sum(1), torch.ones(1, 32, 32, dtype=torch.float64))
    assert before[-1].mask.std() > 1e-4


@pytest.mark.parametrize("name", RECIPES)
def test_identical_sources_give_themselves(name):
    """From frames that are one and the same, composite and picture can only be that frame."""
    torch.manual_seed(0)
    net = settled(DualPath(recipes.recipe(name)), torch.rand(1, 2, 3, 32, 32))
    frame = torch.rand(1, 1, 3, 32, 32)
    with torch.no_grad():
        last = net(frame.expand(1, 2, 3, 32, 32))[-1]
    assert torch.allclose(last.mask, torch.full_like(last.mask, 0.5), atol=1e-5)
    assert torch.allclose(last.picture, frame[:, 0], atol=1e-5)


def test_sets_of_a_batch_do_not_see_each_other():
    torch.manual_seed(0)
    net = settled(Fuser([FLAT, FLAT]), torch.rand(1, 2, 3, 32, 32))
    frames = torch.rand(2, 3, 3, 32, 32)
    with torch.no_grad():
        both, alone = net(frames)[-1], net(frames[1:])[-1]
    assert torch.allclose(both.mask[1:], alone.mask, atol=1e-6)


def test_without_the_exchange_frames_would_not_meet():
    """The same frame beside another competitor gets another logit: the exchange works."""
    torch.manual_seed(0)
    net = FrameNet(3, TINY).eval()
    one, two, three = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        beside = [net(torch.stack(pair), 1)[0] for pair in ((one, two), (one, three))]
    assert not torch.allclose(*beside)


# --- size, tiles, folding -------------------------------------------------------------------


@pytest.mark.parametrize("name", RECIPES)
def test_the_fuser_stays_within_its_budget(name):
    net = DualPath(recipes.recipe(name)).eval()
    net.fuser.restores = False
    pair = torch.zeros(1, 2, 3, 64, 64)
    spent = count_macs(net, lambda: net(pair)) / (2 * 64 * 64)
    print(f"{spent:.0f} multiply-adds per source pixel")
    assert spent <= 36_000


def test_folding_the_normalisations_changes_nothing(frames):
    torch.manual_seed(0)
    net = settled(DualPath(recipes.DUALPATH), frames)
    with torch.no_grad():
        one, two = net(frames)[-1].mask, folded(net)(frames)[-1].mask
    assert torch.allclose(one, two, atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded(net).modules())


def test_tiles_with_the_halo_are_the_whole_and_without_it_are_not():
    torch.manual_seed(0)
    first = replace(recipes.DUALPATH.steps[0], prior=TINY)
    small = replace(recipes.DUALPATH, steps=(first, *recipes.DUALPATH.steps[1:]))
    net = settled(DualPath(small), torch.rand(1, 2, 3, 32, 32)).double()
    halo, cut = small.halo, 40
    start = -(-halo // 4) * 4
    frames = torch.rand(1, 2, 3, cut + start + 60, 16, dtype=torch.float64)
    with torch.no_grad():
        whole = net(frames)[-1].mask[:, :, start:]
        top = start + 4
        tile = net(frames[..., top - start :, :])[-1].mask[:, :, start:]
        bare = net(frames[..., top:, :])[-1].mask
    assert torch.allclose(tile, whole[:, :, 4:], atol=1e-12)
    assert (bare - whole[:, :, 4:]).abs().max() > 1e-6


# --- both networks in one training ----------------------------------------------------------


def observed(count=2):
    """A batch of real crops: frames, imperfect masks, where they claim evidence."""
    frames = torch.rand(2, count, 3, 32, 32)
    given = torch.rand(2, 3, count, 32, 32).softmax(2)
    return frames, given, torch.ones(2, 3, 32, 32)


def made():
    """A batch that was blurred again."""
    frames, given, valid = observed()
    mask = torch.rand(2, 2, 32, 32).softmax(1)
    truth = torch.rand(2, 3, 32, 32)
    return frames, given, valid, truth, mask, torch.ones(2, 32, 32), frames, torch.zeros(2)


def reached(net):
    """Names of the parameters that a gradient other than 0 reached."""
    return {n for n, p in net.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}


def reaches_every_step(names, whole, part):
    """Whether some of the names lie in this part of each of the fuser's steps."""
    return all(
        any(n.startswith(f"net.fuser.steps.{k}.{part}") for n in names)
        for k in range(len(whole.net.fuser.steps))
    )


def small(name):
    """A recipe with small networks and all its terms; priors answer something."""
    chosen = recipes.recipe(name)
    steps = tuple(replace(s, prior=FLAT.prior) for s in chosen.steps)
    whole = Learner(replace(chosen, predictor=TINY, steps=steps))
    for prior in (m for m in whole.net.modules() if isinstance(m, FrameNet)):
        torch.nn.init.normal_(prior.head.weight, std=0.1)
    return whole


@pytest.mark.parametrize("name", RECIPES)
def test_frames_alone_train_both_paths_end_to_end(name):
    """(a), (b): defocused frames and masks of measures are all that a step is given."""
    torch.manual_seed(0)
    whole = small(name)
    terms = whole(*observed())
    assert set(terms) == {"loss", "predictor", "mask", "consistency"}
    assert all(t.item() > 0 for t in terms.values())
    terms["loss"].backward()
    names = reached(whole)
    assert any(n.startswith("predictor.") for n in names)
    assert reaches_every_step(names, whole, "mask_prior")


@pytest.mark.parametrize("name", RECIPES)
def test_the_predictor_learns_by_masking(name):
    """(c): masked denoising of imperfect masks, and nothing else before it teaches."""
    torch.manual_seed(0)
    whole = small(name)
    whole.teach(teaching=False)
    terms = whole(*observed())
    assert set(terms) == {"loss", "predictor"}
    terms["loss"].backward()
    assert all(n.startswith("predictor.") for n in reached(whole))


@pytest.mark.parametrize("name", RECIPES)
def test_the_predictor_supervises_the_mask_of_every_step(name):
    """(d): its loss reaches every step of the fuser, and not the predictor."""
    torch.manual_seed(0)
    whole = small(name)
    whole(*observed())["mask"].backward()
    names = reached(whole)
    assert not any(n.startswith("predictor.") for n in names)
    assert reaches_every_step(names, whole, "mask_prior")


@pytest.mark.parametrize("name", RECIPES)
def test_the_consistency_loss_aligns_the_two_paths(name):
    """(e): it reaches the picture of every step, and a share of it the predictor."""
    torch.manual_seed(0)
    whole = small(name)
    whole(*observed())["consistency"].backward()
    names = reached(whole)
    assert any(n.startswith("predictor.") for n in names)
    assert reaches_every_step(names, whole, "picture_prior")


def test_frames_blurred_again_add_to_the_papers_terms_and_replace_none():
    torch.manual_seed(0)
    whole = small("dualpath")
    terms = whole(*made())
    assert {"predictor", "mask", "consistency", "known"} <= set(terms)
    weights = recipes.DUALPATH.masking
    total = terms["predictor"] + terms["known"]
    total = total + weights.mask * terms["mask"] + weights.consistency * terms["consistency"]
    assert terms["loss"].item() == pytest.approx(total.item(), rel=1e-5)
    assert min(weights.mask, weights.consistency) > 0
    assert recipes.DUALPATH.needs_sets


def test_the_predictor_is_asked_for_another_mask_than_the_one_it_is_shown(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        loss, "masking", lambda answer, target, *_: seen.update(target=target) or answer.mean()
    )
    for cross in (True, False):
        chosen = recipes.recipe("paper")
        masking = replace(chosen.masking, cross=cross)
        whole = Learner(replace(chosen, predictor=TINY, masking=masking))
        whole.teach(teaching=False)
        shown = []
        whole.predictor.register_forward_pre_hook(lambda _, args, to=shown: to.append(args[0]))
        for seed in range(6):
            torch.manual_seed(seed)
            frames, given, valid = observed()
            whole(frames, given, valid)
            assert torch.equal(shown[-1], seen["target"]) is not cross


@pytest.mark.parametrize("name", RECIPES)
def test_what_runs_is_the_fuser_and_all_its_steps(name):
    net = DualPath(recipes.recipe(name))
    assert all(n.startswith("fuser.steps.") for n in net.state_dict())
    assert net.fuser.depth == len(recipes.recipe(name).steps) >= 2
    assert len(net(torch.rand(1, 2, 3, 32, 32))) == net.fuser.depth + 1
