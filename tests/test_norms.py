"""Norm layers: the property that gives each its name, and what breaks it."""

import pytest
import torch
from torch import nn

from hrvgan_lib.norms import NORMS, InstanceNorm, MinibatchStddev, PixelNorm, make_norm, norms_around_activation


def clips(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_pixel_norm_gives_every_position_unit_mean_square():
    out = PixelNorm()(7 * clips(2, 16, 4, 5, 6))
    torch.testing.assert_close(out.square().mean(1), torch.ones(2, 4, 5, 6))


def test_pixel_norm_ignores_scale_and_keeps_direction():
    x = clips(2, 16, 4, 5, 6)
    torch.testing.assert_close(PixelNorm()(1000 * x), PixelNorm()(x))
    assert torch.cosine_similarity(PixelNorm()(x), x, dim=1).min() > 0.9999


def test_pixel_norm_of_zero_is_zero_and_has_a_gradient():
    x = torch.zeros(1, 4, 2, 2, 2, requires_grad=True)
    out = PixelNorm()(x)
    assert not out.any()
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 1e4))  # one over the root of epsilon


def test_pixel_norm_has_the_published_epsilon_inside_the_root():
    """Where the mean square is as small as epsilon, 1e-8, the features come out at one over the root of two."""
    quiet = torch.full((1, 4, 2, 2, 2), 1e-4)
    torch.testing.assert_close(PixelNorm()(quiet), torch.full_like(quiet, 0.5**0.5))
    torch.testing.assert_close(PixelNorm(eps=3e-8)(quiet), torch.full_like(quiet, 0.5))


@pytest.mark.parametrize("norm", [PixelNorm(), InstanceNorm(6), MinibatchStddev()])
def test_norms_measure_in_float32_and_answer_in_the_type_they_are_given(norm):
    x = (100 * clips(4, 6, 2, 3, 3)).half()  # the squares are too large for half precision
    out = norm(x)
    assert out.dtype == torch.float16
    torch.testing.assert_close(out.float(), norm(x.float()), atol=1e-2, rtol=1e-2)


def test_pixel_norm_also_takes_plain_vectors_and_never_mixes_samples():
    x = clips(3, 16)
    torch.testing.assert_close(PixelNorm()(x), x / x.square().mean(1, keepdim=True).sqrt())
    torch.testing.assert_close(PixelNorm()(x)[:1], PixelNorm()(x[:1]))


def test_instance_norm_agrees_with_torch():
    ours, reference = InstanceNorm(6), nn.InstanceNorm3d(6, affine=True)
    with torch.no_grad():
        for parameter, values in ((ours.gamma, clips(6)), (ours.beta, clips(6) - 3)):
            parameter.copy_(values)
        reference.weight.copy_(ours.gamma)
        reference.bias.copy_(ours.beta)
    for x in (clips(3, 6, 4, 5, 5) * 3 + 2, clips(3, 6, 4, 5, 5) * 3e-3):  # the variance of the second is near epsilon
        torch.testing.assert_close(ours(x), reference(x), atol=1e-5, rtol=1e-5)


def test_instance_norm_starts_as_a_plain_standardisation_with_learned_scale_and_shift():
    norm, x = InstanceNorm(6), clips(3, 6, 4, 5, 5) * 3 + 2
    out = norm(x)
    torch.testing.assert_close(out.mean((2, 3, 4)), torch.zeros(3, 6), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var((2, 3, 4), correction=0), torch.ones(3, 6), atol=1e-4, rtol=0)
    assert [tuple(p.shape) for p in norm.parameters()] == [(6,), (6,)]
    out.square().sum().backward()
    assert norm.gamma.grad.any() and norm.beta.grad is not None


def test_two_positions_of_one_channel_of_one_clip_are_enough_for_instance_norm():
    pair = torch.tensor([1.0, 3.0]).view(1, 1, 1, 1, 2)
    torch.testing.assert_close(InstanceNorm(1)(pair).flatten(), torch.tensor([-1.0, 1.0]), atol=1e-4, rtol=0)


def test_instance_norm_ignores_each_clips_contrast_and_brightness():
    x = clips(2, 6, 4, 5, 5)
    changed = x * torch.tensor([2.0, 5.0]).view(2, 1, 1, 1, 1) + torch.tensor([-1.0, 3.0]).view(2, 1, 1, 1, 1)
    torch.testing.assert_close(InstanceNorm(6)(changed), InstanceNorm(6)(x), atol=1e-4, rtol=1e-4)


def test_instance_norm_refuses_a_single_position():
    for shape in ((2, 4, 1, 1, 1), (1, 1, 1, 1, 1)):
        with pytest.raises(ValueError, match="more than one position"):
            InstanceNorm(shape[1])(clips(*shape))


@pytest.mark.parametrize("norm", [PixelNorm(), InstanceNorm(6)])
def test_norms_keep_the_channels_last_layout(norm):
    x = clips(2, 6, 4, 5, 5).contiguous(memory_format=torch.channels_last_3d)
    assert norm(x).is_contiguous(memory_format=torch.channels_last_3d)


def test_stddev_map_is_zero_for_equal_clips_and_the_spread_of_two():
    same = clips(1, 3, 2, 4, 4).repeat(4, 1, 1, 1, 1)
    torch.testing.assert_close(MinibatchStddev(4)(same)[:, 3], torch.full((4, 2, 4, 4), 1e-4))  # the root of epsilon
    pair = torch.stack([torch.full((3, 2, 4, 4), -0.7), torch.full((3, 2, 4, 4), 0.7)])
    torch.testing.assert_close(MinibatchStddev(4)(pair)[:, 3], torch.full((2, 2, 4, 4), 0.7))


def test_stddev_groups_do_not_mix():
    x = clips(8, 3, 2, 4, 4)
    before = MinibatchStddev(4)(x)[:, 3, 0, 0, 0]
    x[0] += 100  # the clips that share clip 0's group, and only they, must notice
    changed = (MinibatchStddev(4)(x)[:, 3, 0, 0, 0] != before).nonzero().flatten().tolist()
    assert len(changed) == 4 and 0 in changed


@pytest.mark.parametrize("group, batch", [(4, 8), (2, 6), (3, 12), (4, 3), (1, 4)])
def test_every_clip_is_told_the_spread_of_the_clips_that_share_its_group(group, batch):
    """Whose clips share a group is read off the gradients: the map that a clip gets depends on them and no others."""
    x = (clips(batch, 3, 2, 4, 4) * torch.arange(1, batch + 1).view(-1, 1, 1, 1, 1)).requires_grad_()
    out = MinibatchStddev(group)(x)
    assert out.shape == (batch, 4, 2, 4, 4) and torch.equal(out[:, :3], x)
    for i in range(batch):
        (slope,) = torch.autograd.grad(out[i, 3, 0, 0, 0], x, retain_graph=True)
        members = slope.flatten(1).any(dim=1).nonzero().flatten() if group > 1 else torch.tensor([i])
        assert i in members and len(members) == min(group, batch)
        spread = (x[members].var(dim=0, correction=0) + 1e-8).sqrt().mean()
        torch.testing.assert_close(out[i, 3], spread.expand(2, 4, 4))


def test_the_stddev_group_is_four_unless_said_otherwise():
    x = clips(8, 3, 2, 4, 4)
    torch.testing.assert_close(MinibatchStddev()(x), MinibatchStddev(4)(x))
    assert (MinibatchStddev()(x) - MinibatchStddev(8)(x)).abs().max() > 1e-3


def test_a_larger_epsilon_is_a_larger_floor_of_the_stddev_map():
    same = clips(1, 3, 2, 4, 4).repeat(4, 1, 1, 1, 1)
    torch.testing.assert_close(MinibatchStddev(4, eps=0.25)(same)[:, 3], torch.full((4, 2, 4, 4), 0.5))


def test_stddev_refuses_a_batch_that_the_group_does_not_divide():
    with pytest.raises(ValueError, match="use a batch of 4 or 8"):
        MinibatchStddev(4)(clips(6, 3, 2, 4, 4))


def test_instance_norm_cancels_the_stddev_map():
    """Decision A12: why no instance norm follows the convolution behind the stddev map."""
    x = clips(4, 3, 4, 4, 4)
    conv, norm = nn.Conv3d(4, 5, 3), InstanceNorm(5)  # no padding: a constant map adds a constant
    with_map = torch.cat([x, torch.full((4, 1, 4, 4, 4), 0.9)], 1)
    without = torch.cat([x, torch.zeros(4, 1, 4, 4, 4)], 1)
    assert (conv(with_map) - conv(without)).abs().max() > 0.01
    assert (norm(conv(with_map)) - norm(conv(without))).abs().max() < 1e-5


ORDER = {  # what stands before the activation, and what behind it
    "none": ([], []), "batch": (["batch"], []), "instance": (["instance"], []), "pixel": (["pixel"], []),
    "batch+pixel": (["batch", "pixel"], []), "instance+pixel": (["instance", "pixel"], []),
    "act+pixel": ([], ["pixel"]), "batch+act+pixel": (["batch"], ["pixel"]),
    "instance+act+pixel": (["instance"], ["pixel"]),
}  # fmt: skip
BY_HAND = {
    "batch": lambda x: (x - x.mean((0, 2, 3, 4), keepdim=True)) / x.std((0, 2, 3, 4), correction=0, keepdim=True),
    "instance": lambda x: (x - x.mean((2, 3, 4), keepdim=True)) / x.std((2, 3, 4), correction=0, keepdim=True),
    "pixel": lambda x: x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt(),
}  # fmt: skip


@pytest.mark.parametrize("spec", NORMS)
def test_every_norm_spec_runs(spec):
    before, after = norms_around_activation(spec, 8)
    x = expected = 3 * clips(2, 8, 2, 4, 4) + 1
    for name in ORDER[spec][0]:
        expected = BY_HAND[name](expected)
    expected = torch.relu(expected)
    for name in ORDER[spec][1]:
        expected = BY_HAND[name](expected)
    torch.testing.assert_close(after(torch.relu(before(x))), expected, atol=1e-4, rtol=1e-4)
    affine = sum(name != "pixel" for name in (*ORDER[spec][0], *ORDER[spec][1]))
    assert sum(p.numel() for side in (before, after) for p in side.parameters()) == 2 * 8 * affine


def test_no_norm_changes_nothing():
    x = clips(2, 8, 2, 4, 4)
    assert torch.equal(make_norm("none", 8)(x), x) and not list(make_norm("none", 8).parameters())


def test_unknown_norms_are_named():
    with pytest.raises(ValueError, match="unknown norm 'layer'"):
        make_norm("layer", 4)
    with pytest.raises(ValueError, match=r"batch\+pixel"):
        norms_around_activation("pixel+batch", 4)
