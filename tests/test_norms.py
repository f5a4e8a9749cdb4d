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
    PixelNorm()(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_instance_norm_agrees_with_torch():
    ours, reference = InstanceNorm(6), nn.InstanceNorm3d(6, affine=True)
    with torch.no_grad():
        ours.gamma.copy_(clips(6))
        reference.weight.copy_(clips(6))
    x = clips(3, 6, 4, 5, 5) * 3 + 2
    torch.testing.assert_close(ours(x), reference(x), atol=1e-5, rtol=1e-5)


def test_instance_norm_ignores_each_clips_contrast_and_brightness():
    x = clips(2, 6, 4, 5, 5)
    changed = x * torch.tensor([2.0, 5.0]).view(2, 1, 1, 1, 1) + torch.tensor([-1.0, 3.0]).view(2, 1, 1, 1, 1)
    torch.testing.assert_close(InstanceNorm(6)(changed), InstanceNorm(6)(x), atol=1e-4, rtol=1e-4)


def test_instance_norm_refuses_a_single_position():
    with pytest.raises(ValueError, match="more than one position"):
        InstanceNorm(4)(clips(2, 4, 1, 1, 1))


@pytest.mark.parametrize("norm", [PixelNorm(), InstanceNorm(6)])
def test_norms_keep_the_channels_last_layout(norm):
    x = clips(2, 6, 4, 5, 5).contiguous(memory_format=torch.channels_last_3d)
    assert norm(x).is_contiguous(memory_format=torch.channels_last_3d)


def test_stddev_map_is_zero_for_equal_clips_and_the_spread_of_two():
    same = clips(1, 3, 2, 4, 4).repeat(4, 1, 1, 1, 1)
    assert MinibatchStddev(4)(same)[:, 3].abs().max() < 2e-4
    pair = torch.stack([torch.full((3, 2, 4, 4), -0.7), torch.full((3, 2, 4, 4), 0.7)])
    torch.testing.assert_close(MinibatchStddev(4)(pair)[:, 3], torch.full((2, 2, 4, 4), 0.7))


def test_stddev_groups_do_not_mix():
    x = clips(8, 3, 2, 4, 4)
    before = MinibatchStddev(4)(x)[:, 3, 0, 0, 0]
    x[0] += 100  # the clips that share clip 0's group, and only they, must notice
    changed = (MinibatchStddev(4)(x)[:, 3, 0, 0, 0] != before).nonzero().flatten().tolist()
    assert len(changed) == 4 and 0 in changed


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


@pytest.mark.parametrize("spec", NORMS)
def test_every_norm_spec_runs(spec):
    before, after = norms_around_activation(spec, 8)
    assert after(torch.relu(before(clips(2, 8, 2, 4, 4)))).shape == (2, 8, 2, 4, 4)


def test_unknown_norms_are_named():
    with pytest.raises(ValueError, match="unknown norm 'layer'"):
        make_norm("layer", 4)
    with pytest.raises(ValueError, match=r"batch\+pixel"):
        norms_around_activation("pixel+batch", 4)
