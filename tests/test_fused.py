"""What is computed in fewer passes is what the plain layers compute: values, gradients, a hundred steps of training."""

import copy
import importlib.util
import os
import subprocess
import sys
import warnings
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import nn

from hrvgan_lib.networks import build_system, fused, kernels
from hrvgan_lib.networks.resampling import Downsample, Upsample, downsampled, folds, upsampled
from hrvgan_lib.norms import InstanceNorm, PixelNorm, norms_around_activation
from hrvgan_lib.streams import stream

SCALES = [(1, 2, 2), (2, 2, 2), (2, 1, 1), (1, 1, 1)]


def maps(*shape, seed=0, grad=True):
    """A random map (batch, channel, T, H, W) in float64, channels last, not around zero."""
    values = torch.randn(*shape, generator=stream("maps", seed), dtype=torch.float64) * 2 + 0.5
    return values.contiguous(memory_format=torch.channels_last_3d).requires_grad_(grad)


def same(ours, plain, inputs):
    """Values and every gradient of two ways to compute from the same inputs, in float64."""
    torch.testing.assert_close(ours, plain, rtol=1e-11, atol=1e-11)
    back = torch.randn(plain.shape, generator=stream("back"), dtype=plain.dtype)
    for a, b in zip(torch.autograd.grad(ours, inputs, back), torch.autograd.grad(plain, inputs, back)):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("scale", SCALES)
def test_an_upsample_row_folds_into_the_convolution_behind_it(scale):
    up, conv = Upsample(scale, "nearest"), nn.ConvTranspose3d(3, 5, 3, padding=1).double()
    x = maps(2, 3, 3, 4, 5)
    assert folds(up, conv)
    same(upsampled(x, up, conv), conv(up(x)), [x, conv.weight, conv.bias])


@pytest.mark.parametrize(
    "up, conv",
    [
        (Upsample((1, 2, 2), "trilinear"), nn.ConvTranspose3d(3, 5, 3, padding=1)),
        (Upsample((1, 2, 2), "nearest"), nn.ConvTranspose3d(3, 5, 3, padding=0)),
        (Upsample((1, 2, 2), "nearest"), nn.ConvTranspose3d(3, 5, 1)),
        (Upsample((1, 2, 2), "nearest"), nn.ConvTranspose3d(3, 5, 3, padding=1, stride=2)),
        (Upsample((1, 2, 2), "nearest"), nn.ConvTranspose3d(3, 3, 3, padding=1, groups=3)),
        (Upsample((1, 2, 2), "nearest"), nn.ConvTranspose3d(3, 5, 3, padding=1, dilation=2)),
        (Upsample((1, 4, 4), "nearest"), nn.ConvTranspose3d(3, 5, 3, padding=1)),
        (Upsample((1, 2, 2), "nearest"), nn.Conv3d(3, 5, 3, padding=1)),
        (nn.Identity(), nn.ConvTranspose3d(3, 5, 3, padding=1)),
    ],
)
def test_only_what_is_one_convolution_is_folded(up, conv):
    assert not folds(up, conv)


@pytest.mark.parametrize("scale", SCALES)
def test_a_downsample_row_hands_back_equal_shares(scale):
    x = maps(2, 3, 4, 6, 8)
    same(downsampled(x, Downsample(scale)), Downsample(scale)(x), [x])


@pytest.mark.parametrize(
    "spec", ["batch", "instance", "pixel", "batch+pixel", "instance+pixel", "none", "batch+act+pixel"]
)
@pytest.mark.parametrize("slope", [0.0, 0.2])
@pytest.mark.parametrize("training", [True, False])
def test_norms_and_activation_together_are_norms_and_activation(spec, slope, training):
    before, after = norms_around_activation(spec, 6)
    layers = nn.Sequential(before, nn.LeakyReLU(slope) if slope else nn.ReLU(), after).double().train(training)
    for number, parameter in enumerate(layers.parameters()):
        nn.init.normal_(parameter, generator=stream("weights", number))
    twin, x = copy.deepcopy(layers), maps(3, 6, 2, 3, 4)
    y = maps(3, 6, 2, 3, 4)
    ours, plain = fused.run(layers, x), twin(y)
    torch.testing.assert_close(ours, plain, rtol=1e-11, atol=1e-11)
    back = torch.randn(plain.shape, generator=stream("back"), dtype=plain.dtype)
    ours.backward(back)
    plain.backward(back)
    pairs = [(x.grad, y.grad), *((a.grad, b.grad) for a, b in zip(layers.parameters(), twin.parameters()))]
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
    for a, b in zip(layers.buffers(), twin.buffers()):  # running statistics move alike
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("spec", ["instance", "pixel"])
def test_maps_stay_channels_last_there_and_back(spec):
    before, _ = norms_around_activation(spec, 8)
    layers, x = nn.Sequential(before, nn.LeakyReLU(0.2), Downsample((1, 2, 2))), maps(2, 8, 2, 4, 4).detach().float()
    x.requires_grad_()
    seen = []
    x.register_hook(lambda gradient: seen.append(gradient))
    y = fused.run(layers, x)
    y.sum().backward()
    assert y.is_contiguous(memory_format=torch.channels_last_3d)
    assert seen[0].is_contiguous(memory_format=torch.channels_last_3d)


def test_a_map_of_one_position_is_refused_as_by_the_plain_layer():
    layers = nn.Sequential(nn.Sequential(InstanceNorm(4)), nn.LeakyReLU(0.2))
    with pytest.raises(ValueError, match="more than one position"):
        fused.run(layers, torch.zeros(2, 4, 1, 1, 1))


def test_a_layer_that_is_watched_runs_by_itself():
    system = build_system("hrvgan", frames=8, size=16, width=0.05)
    seen = []
    handle = system.discriminator.trunk[4].register_forward_hook(lambda *_: seen.append("watched"))
    system.discriminator(torch.zeros(4, 3, 8, 16, 16))
    handle.remove()
    assert seen == ["watched"]


class Sine(nn.Module):
    """Stands for a layer: counts its calls."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x.sin()


def test_layer_by_layer_is_over_when_its_block_is_left_even_by_an_error():
    norm = PixelNorm()
    layers = nn.Sequential(nn.Sequential(norm), nn.ReLU())
    calls = []
    norm.forward = lambda x, forward=norm.forward: calls.append(1) or forward(x)
    with pytest.raises(ZeroDivisionError), fused.layer_by_layer():
        fused.run(layers, maps(1, 4, 2, 2, 2))
        raise ZeroDivisionError
    assert len(calls) == 1
    fused.run(layers, maps(1, 4, 2, 2, 2))
    assert len(calls) == 1  # taken together again


def test_layers_that_nothing_is_known_of_are_simply_called():
    layers = nn.Sequential(Sine(), Sine(), nn.Sequential(Sine()), nn.ReLU())
    x = maps(1, 2, 2, 2, 2)
    same(fused.run(layers, x), x.sin().sin().sin().relu(), [x])
    assert layers[0].calls == layers[1].calls == 1


# Whole systems --------------------------------------------------------------------------------------------------------
OPTIONS = [
    {},
    {"preset": "literal"},
    {"generator_norm": "instance", "discriminator_norm": "batch", "encoder_norm": "instance"},
    {"generator_norm": "batch+act+pixel", "discriminator_norm": "instance+pixel"},
    {"generator_norm": "none", "discriminator_norm": "none"},
    {"convolution": "2d+1d"},
    {"upsample": "trilinear"},
    {"lipschitz": "gradient_penalty"},
    {"lipschitz": "spectral_norm"},
    {"latent": "sequence", "temporal_doublings": (16,)},
]


def turn(options, plain, steps=1, size=16):
    """Terms of `steps` turns of the loop in float64, and the weights and averages behind them."""
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=size, n_classes=3, width=0.06, **options).double()
    latents = system.latents
    system.latents = lambda n, generator=None: latents(n, generator).double()
    optimisers, found = system.optimisers(), []
    for step in range(steps):
        clips = torch.rand(4, 3, 8, size, size, generator=stream("clips", step), dtype=torch.float64) * 2 - 1
        noise, labels = stream("noise", step), torch.arange(4) % 3
        for network in system.order:
            if plain:
                with fused.layer_by_layer():
                    terms = getattr(system, f"{network}_losses")(clips, labels, noise)
            else:
                terms = getattr(system, f"{network}_losses")(clips, labels, noise)
            optimisers[network].zero_grad()
            sum(terms.values()).backward()
            optimisers[network].step()
            found += [float(term.detach()) for term in terms.values()]
        system.update_sampler(system.generator, step)
    return found, system.state_dict()


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_turn_in_fewer_passes_is_the_same_turn(options):
    (ours, weights), (plain, others) = (turn(options, way, steps=2) for way in (False, True))
    assert ours == pytest.approx(plain, rel=1e-9)
    for name, tensor in weights.items():
        torch.testing.assert_close(tensor, others[name], rtol=0, atol=1e-6, msg=name)  # Adam divides by tiny numbers


def test_a_hundred_steps_end_in_the_same_place():
    """With plain gradient descent: Adam's first steps are signs, and a sign of a rounding error is as long as any."""
    options = {"optimiser": "sgd", "learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    (ours, weights), (plain, others) = (turn(options, way, steps=100, size=8) for way in (False, True))
    assert len(ours) == 400 and ours[-3] != ours[1]  # the pixel term: it has learned something
    assert ours == pytest.approx(plain, rel=1e-8)
    for name, tensor in weights.items():
        torch.testing.assert_close(tensor, others[name], rtol=1e-8, atol=1e-8, msg=name)


# The GPU's kernels ----------------------------------------------------------------------------------------------------
INTERPRETED = """
import json, torch, warnings
from hrvgan_lib.networks import kernels
kernels.CELLS, kernels.PROGRAMS = 256, 3  # few programs with ragged ends: the interpreter is slow
found = kernels.differences(torch.device("cpu"), side=4)
torch.manual_seed(0)
for scale in ((1, 2, 2), (2, 2, 2), (2, 1, 1)):
    x = torch.randn(2, 6, 4, 6, 8).contiguous(memory_format=torch.channels_last_3d)
    plain = x
    for axis, factor in zip((2, 3, 4), scale):
        plain = plain.unflatten(axis, (-1, factor)).mean(axis + 1)
    found[f"blocks {scale}"] = float((kernels.downsampled(x, scale) - plain).abs().max())
    back = torch.randn_like(plain)
    spread = back / (scale[0] * scale[1] * scale[2])
    for axis, factor in zip((2, 3, 4), scale):
        spread = spread.repeat_interleave(factor, axis)
    found[f"shares {scale}"] = float((kernels.shared(back, scale) - spread).abs().max())
print(json.dumps(found))
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="this build of PyTorch has no Triton")
def test_the_kernels_compute_what_the_plain_layers_do():
    """On the CPU, in Triton's interpreter: the same programs, one after the other."""
    import json

    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", INTERPRETED], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) == 14 and max(off for what, off in found.items() if "bfloat16" not in what) < 1e-5, found


@pytest.mark.parametrize("way", ["wrong", "broken"])
def test_kernels_that_are_wrong_or_do_not_run_are_left_out_and_it_is_said(way, monkeypatch):
    def differences(device):
        if way == "broken":
            raise RuntimeError("no such instruction\nand more")
        return {"batch": 1e-7, "blocks": 0.5}

    monkeypatch.setattr(kernels, "differences", differences)
    kernels.trusted.cache_clear()
    with pytest.warns(UserWarning, match="plain layers" if way == "wrong" else "no such instruction"):
        assert not kernels.trusted(torch.device("cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not kernels.trusted(torch.device("cpu"))  # once
    kernels.trusted.cache_clear()


def test_a_map_on_a_cpu_goes_the_plain_way():
    assert not any(kernels.fit(maps(*shape)) for shape in product((1, 2), (4,), (2,), (2,), (2,)))
