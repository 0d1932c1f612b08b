import pytest
import torch

from panfocus.train.drpl.network import HALO, Drpl, first_weight, mirrored, start_as_high_pass


def noisy_norms(net):
    """Give every normalisation something to do."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return net.eval()


def test_has_as_many_parameters_as_published():
    assert sum(p.numel() for p in Drpl().parameters()) == 1_070_018


def test_sees_67_pixels_and_not_one_more():
    torch.manual_seed(0)
    net = noisy_norms(Drpl(width=8)).double()
    pair = torch.rand(2, 1, 3, 75, 75, dtype=torch.float64, requires_grad=True)
    net(pair[0], pair[1])[0, 0, 37, 37].backward()
    touched = pair.grad.abs().amax((0, 1, 2)).nonzero()
    assert touched.min(0).values.tolist() == [37 - HALO] * 2
    assert touched.max(0).values.tolist() == [37 + HALO] * 2
    assert 2 * HALO + 1 == 67


def test_maps_are_full_size_and_between_0_and_1():
    maps = Drpl(width=8, blocks=1)(torch.rand(2, 3, 21, 34), torch.rand(2, 3, 21, 34))
    assert maps.shape == (2, 2, 21, 34)
    assert 0 <= maps.min() and maps.max() <= 1


def test_an_untrained_block_is_exactly_the_identity():
    torch.manual_seed(1)
    net = Drpl(width=8, blocks=5, zero_blocks=True)
    first, second = torch.rand(2, 2, 3, 20, 20)
    whole = net(first, second)
    net.active = 2
    assert torch.equal(net(first, second), whole)


def test_a_symmetric_network_swaps_its_maps_with_the_pair():
    torch.manual_seed(2)
    net = noisy_norms(Drpl(width=16, blocks=3)).double()
    first, second = torch.rand(2, 1, 3, 24, 31, dtype=torch.float64)
    assert (net(first, second) - net(second, first).flip(1)).abs().max() > 1e-3
    net.symmetrise()
    forth, back = net(first, second), net(second, first)
    assert torch.allclose(forth, back.flip(1), atol=1e-12)
    assert torch.allclose(first_weight(forth), 1 - first_weight(back), atol=1e-12)


def test_symmetrising_is_a_projection():
    torch.manual_seed(3)
    net = Drpl(width=8, blocks=1)
    net.symmetrise()
    once = [p.clone() for p in net.parameters()]
    net.symmetrise()
    assert all(torch.equal(a, b) for a, b in zip(once, net.parameters(), strict=True))
    assert all(torch.equal(p, mirrored(p)) for p in net.parameters())


def test_high_pass_filters_answer_nothing_to_flat_pictures():
    weight = torch.empty(16, 6, 9, 9)
    start_as_high_pass(weight)
    assert weight.sum((2, 3)).abs().max() < 1e-5
    assert weight.square().sum((1, 2, 3)).min() > 0
    assert torch.equal(weight, mirrored(weight))


@pytest.mark.parametrize(
    ("o1", "o2", "weight"), [(1.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.4, 0.4, 0.5)]
)
def test_weight_of_test_time(o1, o2, weight):
    maps = torch.tensor([o1, o2]).view(1, 2, 1, 1)
    assert first_weight(maps).item() == pytest.approx(weight)
