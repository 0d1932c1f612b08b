import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from panfocus.errors import UsageError
from panfocus.train.drpl import loss
from panfocus.train.drpl.config import BETTER, PUBLISHED, LossWeights, recipe


@pytest.fixture
def pair():
    torch.manual_seed(0)
    return torch.rand(2, 2, 3, 17, 19)


def test_fused_picture_is_the_sum_of_maps_times_pictures(pair):
    maps = torch.rand(2, 2, 17, 19)
    fused = loss.composite(maps, *pair)
    expected = maps[:, 0, None] * pair[0] + maps[:, 1, None] * pair[1]
    assert torch.allclose(fused, expected)


def test_blend_stays_between_the_pictures_and_is_one_of_them_at_the_ends(pair):
    ones, zeros = torch.ones(2, 1, 17, 19), torch.zeros(2, 1, 17, 19)
    assert torch.allclose(loss.blend(torch.cat((ones, zeros), 1), *pair), pair[0])
    assert torch.allclose(loss.blend(torch.cat((zeros, ones), 1), *pair), pair[1])
    same = loss.blend(torch.rand(2, 2, 17, 19), pair[0], pair[0])
    assert torch.allclose(same, pair[0])


def test_mask_loss_is_zero_for_complementary_masks_only():
    mask = (torch.rand(2, 17, 19) > 0.5).float()
    right = torch.stack((mask, 1 - mask), 1)
    assert loss.mask_loss(right, mask) == 0
    assert loss.mask_loss(right.flip(1), mask) == 1
    assert loss.mask_loss(torch.full_like(right, 0.5), mask) == 0.5


def test_laplacian_sums_the_filter_over_colours():
    dot = torch.zeros(1, 3, 5, 5)
    dot[0, 1, 2, 2] = 1
    got = loss.laplacian(dot)
    cross = torch.zeros(5, 5)
    cross[2, 2], cross[1, 2], cross[3, 2], cross[2, 1], cross[2, 3] = -4, 1, 1, 1, 1
    assert torch.equal(got[0, 0], -cross)
    assert torch.equal(got[0, 1], dot[0, 1] - cross)


def test_gradient_loss_is_zero_iff_the_laplacians_agree(pair):
    assert loss.gradient_loss(pair[0], pair[0]) == 0
    assert loss.gradient_loss(pair[0], pair[1]) > 0.1
    difference = pair[0] - pair[1]
    expected = loss.laplacian(difference).abs().mean()  # the operator is linear
    assert torch.allclose(loss.gradient_loss(*pair), expected, atol=1e-5)


def test_ssim_agrees_with_another_implementation(pair):
    a, b = pair[0][:1].double(), (0.7 * pair[0] + 0.3 * pair[1])[:1].double()
    a, b = (torch.nn.functional.pad(x, (5, 5, 5, 5)) for x in (a, b))  # so that borders agree
    arrays = (np.pad(x[0].permute(1, 2, 0).numpy(), ((9, 9), (9, 9), (0, 0))) for x in (a, b))
    _, image = structural_similarity(
        *arrays,
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        channel_axis=2,
        full=True,
        truncate=10 / 3,
    )
    expected = image[9:-9, 9:-9].mean()
    assert loss.ssim(a, b).item() == pytest.approx(expected, abs=1e-6)
    assert loss.ssim(a, a).item() == pytest.approx(1)


def test_gradients_are_exact():
    torch.manual_seed(1)
    maps = torch.rand(1, 2, 6, 5, dtype=torch.float64, requires_grad=True)
    first, second, truth = torch.rand(3, 1, 3, 6, 5, dtype=torch.float64)
    mask = torch.rand(1, 6, 5, dtype=torch.float64)
    weights = LossWeights(0.8, 0.1, 0.1, 10, 100)

    def scalar(m):
        return loss.total(m, first, second, truth, mask, weights)["loss"]

    assert torch.autograd.gradcheck(scalar, (maps,))


def test_total_is_the_weighted_sum(pair):
    maps, mask = torch.rand(2, 2, 17, 19), torch.rand(2, 17, 19)
    for config in (PUBLISHED, BETTER):
        terms = loss.total(maps, *pair, pair[0], mask, config.loss)
        total = terms.pop("loss")
        assert total == pytest.approx(sum(getattr(config.loss, k) * v for k, v in terms.items()))
    assert set(loss.total(maps, *pair, pair[0], mask, PUBLISHED.loss)) == {
        "mask", "gradient", "ssim", "loss",
    }  # fmt: skip


def test_published_weights_are_the_published_ones():
    assert (PUBLISHED.loss.mask, PUBLISHED.loss.ssim, PUBLISHED.loss.gradient) == (0.8, 0.1, 0.1)
    assert PUBLISHED.loss.picture_l1 == PUBLISHED.loss.picture_l2 == 0
    assert recipe("published") is PUBLISHED
    with pytest.raises(UsageError, match="published"):
        recipe("best")
