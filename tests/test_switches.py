"""Every switch of the decision ledger does what the ledger says: what changes, by how much, and what does not."""

from collections.abc import Callable
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from blobs import CLASSES, MovingBlobs
from test_data import make_strips, make_ucf101
from torch import Tensor, nn
from torch.nn.functional import softplus

from hrvgan_lib import metrics, paper
from hrvgan_lib.book.explore import interpolate
from hrvgan_lib.data import open_dataset
from hrvgan_lib.metrics.eyes import published
from hrvgan_lib.metrics.eyes.c3d import C3D, LAYERS
from hrvgan_lib.metrics.eyes.judge import weights_digest
from hrvgan_lib.metrics.eyes.protocols import PROTOCOLS
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import PRESETS, Downsample, HRVGANConfig, Upsample, make_config, trace
from hrvgan_lib.norms import InstanceNorm
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, descend, train, trained

CLIPS = torch.rand(4, 3, 8, 8, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1
CHANNELS = 8  # of every stage of `small`: 128 of Table 1 at width 1/16
SWITCHES: dict[str, list[str]] = {}  # switch -> the tests that flip it


def switch(name: str) -> Callable:
    """Note in `SWITCHES` that the decorated test flips `name`, spelled as in the ledger."""

    def note(test: Callable) -> Callable:
        SWITCHES.setdefault(name, []).append(test.__name__)
        return test

    return note


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Layers of eight channels are done before a second thread has woken up."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small(preset: str = "literal", **options):
    torch.manual_seed(0)
    return build_system("hrvgan", **{"frames": 8, "size": 8, "width": 1 / 16, "preset": preset, **options})


def twins(flip: dict, **common):
    """A system and another with `flip` on top, with the same weights: a switch that adds a parameter fails here."""
    plain, flipped = small(**common), small(**{**common, **flip})
    flipped.load_state_dict(plain.state_dict())
    return plain, flipped


def noise(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def codes(system, n: int = 4) -> Tensor:
    return system.latents(n, noise())


def fakes(system, labels: Tensor | None = None) -> Tensor:
    """The clips that a loss sees where nothing else draws from its noise before them."""
    return system.generator(codes(system), labels)


def terms(system, network: str, labels: Tensor | None = None) -> dict[str, Tensor]:
    return getattr(system, f"{network}_losses")(CLIPS, labels, noise())


def size_of(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def seen_by(layer: nn.Module, run: Callable) -> Tensor:
    """What enters `layer` while `run` runs."""
    inputs = []
    handle = layer.register_forward_hook(lambda _layer, given, _output: inputs.append(given[0].detach()))
    run()
    handle.remove()
    return inputs[0]


def same(found: Tensor, expected: Tensor | float, atol: float = 1e-5, rtol: float = 1e-4) -> None:
    torch.testing.assert_close(
        found, torch.as_tensor(expected, dtype=found.dtype).expand_as(found), atol=atol, rtol=rtol
    )


def step(system, network: str) -> list[tuple[Tensor, Tensor, Tensor]]:
    """One optimiser step: (weights before, gradient, weights after) of every parameter that its loss reaches."""
    optimiser = system.optimisers()[network]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    before = [p.detach().clone() for p in parameters]
    descend(optimiser, terms(system, network))
    return [(old, p.grad, p.detach()) for old, p in zip(before, parameters) if p.grad is not None]


class Watched(MovingBlobs):
    """Blobs at 8x8 that remember which clips, and which windows of them, each mini-batch asked for."""

    size = 8

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[int]] = []
        self.windows: list[int] = []

    def batch(self, indices, generator=None, device="cpu"):
        self.asked.append(list(map(int, indices)))
        self.windows.append(generator.initial_seed())
        clips, labels = super().batch(indices)
        return clips[..., ::2, ::2], labels


# The register -------------------------------------------------------------------------------------


def test_every_switch_of_the_ledger_and_every_option_is_flipped_here():
    ledger = {name for entry in paper.DECISIONS.values() if entry.switch for name in entry.switch.split(", ")}
    options = {f"HRVGANConfig.{field.name}" for field in fields(HRVGANConfig)}
    assert set(SWITCHES) == ledger | options


# The ledger's words and the presets ---------------------------------------------------------------


def test_both_presets_read_eqs_12_to_14_as_the_ledger_does():
    for preset in PRESETS:
        config = make_config(preset)
        assert (config.adversarial, config.k) == ("bce_shift", 1.0)  # L5
        assert config.lipschitz == "none"  # L6
        assert (config.lambda_1, config.lambda_2) == (1.0, 1.0)  # L8
        assert (config.alpha, config.beta) == (0.5, 0.5)  # L9
        assert config.critic_steps == 1  # L11
        assert config.pixel_loss == "reconstruction" and config.code_noise == 0.5  # T1, A20
        assert config.optimiser == "adam" and config.discriminator_learning_rate == 2e-4  # O1


def test_the_networks_default_to_the_ledgers_choices():
    for preset in PRESETS:
        config = make_config(preset)
        assert (config.upsample, config.temporal_doublings) == ("nearest", (8, 64, 256))  # A3, A4
        assert (config.final_activation, config.fc_activation) == ("tanh", "leaky_relu")  # A5, A10
        assert (config.stddev_group, config.leak) == (4, 0.2)  # A8, A11
        assert (config.generator_norm, config.discriminator_norm) == ("batch+pixel", "instance")  # A12
        assert (config.latent_norm, config.latent, config.latent_distribution) == ("none", "single", "normal")


def test_the_presets_differ_where_the_ledger_says_so_and_nowhere_else():
    literal, stable = make_config("literal"), make_config("stable")
    assert (literal.pixel_reduction, stable.pixel_reduction) == ("mean", "norm")  # L10
    assert (literal.learning_rate, stable.learning_rate) == (2e-4, 1e-3)  # O1
    assert (literal.betas, stable.betas) == ((0.0, 0.99), (0.5, 0.99))  # O1
    assert (literal.mismatched_labels, stable.mismatched_labels) == (False, True)  # A18
    changed = {
        field.name for field in fields(HRVGANConfig) if getattr(literal, field.name) != getattr(stable, field.name)
    }
    assert (literal.code, stable.code, stable.code_weight) == ("sphere", "variational", 0.05)  # A20
    assert changed == {"pixel_reduction", "learning_rate", "betas", "mismatched_labels", "code"}


# The latent ---------------------------------------------------------------------------------------


@switch("HRVGANConfig.latent")
def test_a_latent_sequence_quarters_the_first_layer_and_a_late_vector_leaves_early_frames_alone():
    one, four = small().eval(), small(latent="sequence").eval()
    assert codes(one).shape == (4, 128) and codes(four).shape == (4, 4, 128)
    assert one.encoder(CLIPS).shape == (4, 128) and four.encoder(CLIPS).shape == (4, 4, 128)
    assert size_of(one.generator.fc) == 4 * size_of(four.generator.fc)
    assert size_of(one.generator.layers) == size_of(four.generator.layers)
    assert size_of(one.discriminator) == size_of(four.discriminator)
    for system, first in ((one, 0), (four, 2)):  # three convolutions in time carry frames 6 and 7 as far as frame 2
        z = codes(system).requires_grad_()
        for frame in range(8):
            (slope,) = torch.autograd.grad(system.generator(z)[:, :, frame].sum(), z)
            last = slope if system is one else slope[:, 3]
            assert bool(last.any()) == (frame >= first)


@switch("HRVGANConfig.latent_distribution")
def test_uniform_latents_lie_between_minus_one_and_one_with_a_third_of_the_variance():
    normal, uniform = twins({"latent_distribution": "uniform"})
    z, u = codes(normal, 1000), codes(uniform, 1000)
    assert u.min() > -1 and u.max() < 1 and u.abs().max() > 0.999
    assert u.mean().item() == pytest.approx(0, abs=0.01) and u.var().item() == pytest.approx(1 / 3, rel=0.02)
    assert z.var().item() == pytest.approx(1, rel=0.02)
    assert (z.abs() > 1).float().mean().item() == pytest.approx(0.317, abs=0.01)
    assert torch.equal(normal.generator(z[:4]), uniform.generator(z[:4]))  # the networks are the same


@switch("HRVGANConfig.latent_norm")
@pytest.mark.parametrize("latent", ["single", "sequence"])
def test_a_normalised_latent_has_a_direction_and_no_length(latent):
    """Shown without norms in G: the default's pixel norm behind the first layer forgets the length in any case."""
    plain, normed = twins({"latent_norm": "pixel"}, latent=latent, generator_norm="none")
    z = codes(plain)
    same(normed.generator(10 * z), normed.generator(z))
    on_the_sphere = z / z.square().mean(dim=-1, keepdim=True).sqrt()
    same(normed.generator(z), plain.generator(on_the_sphere))
    quiet, loud = (seen_by(plain.generator.layers, lambda z=z: plain.generator(z)) for z in (z, 10 * z))
    same(loud, 10 * quiet)  # biases are zero at the start
    assert (plain.generator(10 * z) - plain.generator(z)).abs().max() > 0.05
    default = small(latent=latent)
    quiet, loud = (seen_by(default.generator.layers[1], lambda z=z: default.generator(z)) for z in (z, 10 * z))
    same(loud, quiet, atol=1e-3)


@switch("HRVGANConfig.latent_dim")
def test_latent_dim_sets_the_ends_of_generator_and_encoder():
    wide, narrow = small(), small(latent_dim=32)
    assert codes(narrow).shape == (4, 32) and narrow.encoder(CLIPS).shape == (4, 32)
    assert size_of(wide.generator) - size_of(narrow.generator) == 96 * CHANNELS * 64
    assert size_of(wide.encoder) - size_of(narrow.encoder) == 96 * (CHANNELS * 64 + 1)
    assert size_of(wide.discriminator) == size_of(narrow.discriminator)


@switch("HRVGANConfig.code_noise")
def test_code_noise_is_the_share_of_variance_that_does_not_come_from_the_clip():
    system = small(code_noise=0.0)
    same(system.reconstruct(CLIPS, None, noise(1)), system.reconstruct(CLIPS, None, noise(2)))
    same(system.reconstruct(CLIPS, None, noise()), system.generator(system.encoder(CLIPS)))

    system = small(code_noise=1.0)
    same(system.reconstruct(CLIPS, None, noise()), fakes(system))  # the clip is forgotten
    terms(system, "generator")["pixel"].backward()
    assert not system.encoder.fc.weight.grad.any() and system.generator.fc.weight.grad.any()

    system = small(code_noise=0.3)
    code = seen_by(system.generator, lambda: system.reconstruct(CLIPS, None, noise()))
    same(code, (0.7**0.5 * system.encoder(CLIPS) + 0.3**0.5 * codes(system)).detach())


@switch("HRVGANConfig.code")
@switch("HRVGANConfig.code_weight")
@pytest.mark.parametrize("latent", ["single", "sequence"])
@pytest.mark.parametrize("path", ["noise", "reconstruction", "both"])
def test_a_variational_code_is_a_distribution_that_is_charged_for_its_distance_from_the_prior(latent, path):
    system = small(code="variational", code_weight=0.3, latent=latent, adversarial_path=path)
    mean, spread = system.encoder.posterior(CLIPS)
    assert mean.shape == spread.shape == codes(system).shape
    same(system.encoder(CLIPS), mean)
    code = seen_by(system.generator, lambda: system.reconstruct(CLIPS, None, noise()))
    same(code, (mean + (spread / 2).exp() * codes(system)).detach())
    ours = torch.distributions.Normal(mean.double(), (spread.double() / 2).exp())
    nats = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0.0, 1.0)).flatten(1).sum(dim=1).mean()
    found = terms(system, "generator")
    same(found["code"], 0.3 * nats)
    assert list(found) == ["pixel", "adversarial", "code"]
    found["code"].backward()
    assert system.encoder.fc.weight.grad.any() and system.generator.fc.weight.grad is None
    assert "code" not in terms(small(latent=latent, adversarial_path=path), "generator")
    with torch.no_grad():
        for parameter in system.encoder.fc.parameters():
            parameter.zero_()  # mean 0, variance 1: nothing of the clip, nothing to pay
    same(terms(system, "generator")["code"], 0.0)
    same(system.reconstruct(CLIPS, None, noise()), system.generator(codes(system)))


@switch("HRVGANConfig.adversarial_path")
def test_the_adversarial_path_says_which_clips_d_judges():
    plain, flipped = twins({"adversarial_path": "reconstruction"}, code_noise=1.0)  # a code that is all noise
    same(terms(flipped, "discriminator")["adversarial"], terms(plain, "discriminator")["adversarial"])
    plain, flipped = twins({"adversarial_path": "reconstruction"}, code_noise=0.0)
    fake = flipped.discriminator(flipped.reconstruct(CLIPS, None, noise()))
    same(terms(flipped, "generator")["adversarial"], 0.5 * softplus(1 - fake).mean())
    assert set(small(adversarial_path="both").state_dict()) == set(small().state_dict())


# Prediction ---------------------------------------------------------------------------------------


def forecaster(**options):
    torch.manual_seed(0)
    return build_system("prediction", **{"frames": 8, "size": 8, "width": 1 / 16, "preset": "literal", **options})


@switch("build_system.name")
def test_the_name_chooses_between_clips_from_noise_and_clips_from_frames():
    assert small().sample(2).shape == (2, 3, 8, 8, 8)
    assert forecaster().predict(CLIPS[:2, :, :4]).shape == (2, 3, 4, 8, 8)
    real = forecaster().discriminator
    assert {k: v.shape for k, v in real.state_dict().items()} == {
        k: v.shape for k, v in small().discriminator.state_dict().items()
    }  # Table 2 sees m + n frames


@switch("PredictionConfig.given")
def test_given_frames_and_predicted_ones_are_together_those_of_table_2():
    for given in (0, 1, 4, 7):
        system = forecaster(given=given)
        assert (system.given, system.ahead) == (given or 4, 8 - (given or 4))


@switch("PredictionConfig.features")
def test_one_vector_is_all_that_g_hears_of_the_frames():
    system = forecaster(features="vector")
    code = seen_by(system.generator.fc, lambda: system.generator(CLIPS[:, :, :4]))
    assert code.shape == (4, 128)
    same(code.square().mean(dim=1), 1.0)  # like a draw from N(0, I)
    assert forecaster().generator.fc is None


@switch("PredictionConfig.change")
def test_a_change_is_added_to_the_last_frame():
    plain, flipped = forecaster(), forecaster(change=True)
    flipped.load_state_dict(plain.state_dict())
    X = CLIPS[:, :, :4]
    same(flipped.generator(X), X[:, :, -1:] + 2 * plain.generator(X))


# The networks -------------------------------------------------------------------------------------


@switch("HRVGANConfig.width")
def test_half_the_width_quarters_a_convolution_and_keeps_colours_and_features():
    whole, half = small(), small(width=1 / 32)
    for plenty, few in (
        (whole.generator.layers[3], half.generator.layers[3]),
        (whole.discriminator.trunk[2], half.discriminator.trunk[2]),
        (whole.encoder.trunk[2], half.encoder.trunk[2]),
    ):
        assert plenty.weight.numel() == 4 * few.weight.numel() == CHANNELS**2 * 27
    assert half.generator.layers[-2].out_channels == 3 and half.discriminator.trunk[0].in_channels == 3
    assert half.discriminator.fc.out_features == half.encoder.fc.out_features == half.generator.fc.in_features == 128


@switch("HRVGANConfig.temporal_doublings")
def test_temporal_doublings_move_the_frames_between_the_rows_and_cost_no_parameter():
    early, late = twins({"temporal_doublings": (16,)}, size=16, temporal_doublings=(8,))
    shapes = {early: [(CHANNELS, 8, 8, 8), (CHANNELS, 8, 16, 16)], late: [(CHANNELS, 4, 8, 8), (CHANNELS, 8, 16, 16)]}
    for system, rows in shapes.items():
        made, judged = trace(system.generator, codes(system)), trace(system.discriminator, torch.zeros(4, 3, 8, 16, 16))
        assert [row.shape for row in made if row.layer == "Upsample"] == rows
        down = [row.shape for row in judged if row.layer == "Downsample"]
        assert down == [rows[0], (CHANNELS, 4, 4, 4)]
    assert fakes(early).shape == fakes(late).shape
    assert fakes(small(size=16, frames=4, temporal_doublings=())).shape == (4, 3, 4, 16, 16)
    assert fakes(small(size=16, frames=16, temporal_doublings=(8, 16))).shape == (4, 3, 16, 16, 16)


BATCH, CLIP = (0, 2, 3, 4), (2, 3, 4)  # statistics of each channel; of each channel of each clip


def standardised(x: Tensor, axes: tuple[int, ...]) -> bool:
    """Whether mean and variance over `axes` are zero and one (the norms' epsilon keeps the variance a little short)."""
    mean, variance = x.mean(dim=axes), x.var(dim=axes, correction=0)
    return bool(mean.abs().max() < 1e-4 and (variance - 1).abs().max() < 2e-3)


@switch("HRVGANConfig.generator_norm")
def test_generator_norm_decides_what_the_relu_of_a_block_sees():
    seen, systems = {}, {}
    for spec in ("none", "batch", "instance", "pixel", "batch+pixel", "batch+act+pixel"):
        system = systems[spec] = small(generator_norm=spec)
        seen[spec] = seen_by(system.generator.layers[5], lambda s=system: fakes(s))
    assert seen["none"].mean(dim=BATCH).abs().max() > 0.1
    assert standardised(seen["batch"], BATCH) and standardised(seen["batch+act+pixel"], BATCH)
    assert seen["batch"].mean(dim=CLIP).abs().max() > 0.1  # of a batch, not of a clip
    assert standardised(seen["instance"], CLIP)
    for spec in ("pixel", "batch+pixel"):
        same(seen[spec].square().mean(dim=1), 1.0)
    behind = seen_by(systems["batch+act+pixel"].generator.layers[7], lambda: fakes(systems["batch+act+pixel"]))
    lively = behind.amax(dim=1) > 1e-2  # where every feature is zero, there is nothing to scale
    same(behind.square().mean(dim=1)[lively], 1.0, atol=1e-2)
    per_norm = 2 * CHANNELS * 4  # gamma and beta of the first layer's norm and of three blocks'
    count = {spec: size_of(system.generator) for spec, system in systems.items()}
    assert count["none"] == count["pixel"] and count["batch"] == count["instance"] == count["batch+pixel"]
    assert count["batch"] - count["none"] == per_norm


@switch("HRVGANConfig.discriminator_norm")
def test_discriminator_norm_takes_each_clips_mean_away_or_leaves_it():
    seen, count = {}, {}
    for spec in ("none", "batch", "instance", "pixel"):
        system = small(discriminator_norm=spec)
        seen[spec] = seen_by(system.discriminator.trunk[4], lambda s=system: s.discriminator(CLIPS))
        count[spec] = size_of(system.discriminator)
        expected = system.discriminator.trunk[:3](CLIPS)
        assert torch.equal(seen[spec], expected) == (spec == "none")
    assert standardised(seen["instance"], CLIP)
    assert standardised(seen["batch"], BATCH) and seen["batch"].mean(dim=CLIP).abs().max() > 0.01
    same(seen["pixel"].square().mean(dim=1), 1.0)
    assert count["instance"] == count["batch"] == count["none"] + 2 * 2 * CHANNELS  # two blocks at 8x8
    assert count["pixel"] == count["none"]


@switch("HRVGANConfig.encoder_norm")
def test_instance_norm_hides_from_the_encoder_how_bright_a_clip_is():
    bright = torch.linspace(-1, 1, 4).view(4, 1, 1, 1, 1).expand(4, 3, 8, 8, 8)
    spread = {}
    for spec in ("batch", "instance"):
        system = small(encoder_norm=spec)
        seen = seen_by(system.encoder.trunk[4], lambda s=system: s.encoder(bright))
        assert standardised(seen, BATCH if spec == "batch" else CLIP)
        spread[spec] = seen.mean(dim=CLIP).std(dim=0).max().item()
        assert [type(layer) for layer in system.discriminator.trunk[3]] == [InstanceNorm]  # D keeps its own
    assert spread["instance"] < 1e-4 and spread["batch"] > 0.5


@switch("HRVGANConfig.upsample")
def test_trilinear_upsampling_puts_values_between_the_voxels():
    ramp, between = torch.tensor([0.0, 1.0]).view(1, 1, 2, 1, 1), {}
    for system in twins({"upsample": "trilinear"}):
        (layer,) = (m for m in system.generator.modules() if isinstance(m, Upsample))
        between[system.config.upsample] = layer(ramp)
        same(layer(torch.full_like(ramp, 0.7)), 0.7)
    same(between["nearest"][0, 0, :, 0, 0], torch.tensor([0, 0, 1.0, 1]))
    same(between["trilinear"][0, 0, :, 0, 0], torch.tensor([0, 0.25, 0.75, 1]))
    down = Downsample((2, 2, 2))  # undoes the one, not the other
    same(down(between["nearest"]), ramp)
    same(down(between["trilinear"])[0, 0, :, 0, 0], torch.tensor([0.125, 0.875]))


@switch("HRVGANConfig.convolution")
def test_2d_plus_1d_splits_every_kernel_of_a_stage_in_closed_form():
    whole, split = small(), small(convolution="2d+1d")
    for network in ("generator", "encoder", "discriminator"):
        layers = getattr(split, network).layers if network == "generator" else getattr(split, network).trunk
        pairs = [
            layer
            for layer in layers
            if isinstance(layer, nn.Sequential) and len(layer) == 2 and not isinstance(layer[0], nn.BatchNorm3d)
        ]
        assert [[part.kernel_size for part in pair] for pair in pairs] == [[(1, 3, 3), (3, 1, 1)]] * len(pairs)
        one, two = CHANNELS**2 * 27 + CHANNELS, CHANNELS**2 * 9 + CHANNELS + CHANNELS**2 * 3 + CHANNELS
        assert {size_of(pair) for pair in pairs} == {two}
        assert len(pairs) == (3 if network == "generator" else 2)  # G has one at 4x4x4, D's stands behind the stddev
        assert size_of(getattr(whole, network)) - size_of(getattr(split, network)) == len(pairs) * (one - two)
    assert fakes(split).shape == fakes(whole).shape
    assert split.discriminator.conv.kernel_size == (3, 3, 3)


@switch("HRVGANConfig.final_activation")
def test_final_activation_bounds_the_clip():
    """A5 and T6: ReLU as printed has no dark half, tanh has both and an end."""
    linear, tanh = twins({"final_activation": "tanh"}, final_activation="linear")
    relu = twins({"final_activation": "relu"}, final_activation="linear")[1]
    for system in (linear, tanh, relu):
        system.generator.layers[-2].weight.data.mul_(100)  # out of tanh's middle
    raw = fakes(linear)
    assert raw.min() < -1 and raw.max() > 1
    same(fakes(tanh), raw.tanh())
    same(fakes(relu), raw.clamp(min=0))
    assert fakes(tanh).min() < -0.5 and fakes(tanh).abs().max() <= 1
    assert fakes(relu).min() == 0 and fakes(relu).max() > 1
    assert relu.sample(4, generator=noise()).max() <= 1  # a sample is cut to the range of pixels


@switch("HRVGANConfig.fc_activation")
def test_two_linear_layers_in_a_row_are_one():
    leaky, linear = twins({"fc_activation": "linear"})
    a, b = torch.randn(2, 1, CHANNELS * 64, generator=noise())

    def bend(system) -> float:
        """How far the end of D is from an affine map: 0 where f((a + b) / 2) is the mean of f(a) and f(b)."""
        d = system.discriminator
        score = lambda x: d.logits(d.fc_activation(d.fc(x)))  # noqa: E731
        return (score((a + b) / 2) - (score(a) + score(b)) / 2).abs().item()

    assert bend(linear) < 1e-5 and bend(leaky) > 1e-2
    bare, bent = linear.discriminator.features(CLIPS), leaky.discriminator.features(CLIPS)
    same(bent, torch.where(bare > 0, bare, 0.2 * bare))


@switch("HRVGANConfig.leak")
@pytest.mark.parametrize("leak", [0.2, 0.01, 0.0])
def test_the_leak_is_the_slope_below_zero(leak):
    usual, system = twins({"leak": leak})
    for trunk in (system.discriminator.trunk, system.encoder.trunk):
        negative, zero = (x.float().mean().item() for x in (trunk[0](CLIPS) < 0, trunk[:2](CLIPS) == 0))
        assert 0.2 < negative < 0.8 and zero == (negative if leak == 0 else 0)
    system.discriminator.trunk[0].bias.data.fill_(-100)  # every pre-activation is negative
    clips = CLIPS.clone().requires_grad_()
    before = system.discriminator.trunk[0](clips)
    same(system.discriminator.trunk[:2](clips), leak * before)
    (slope,) = torch.autograd.grad(system.discriminator(clips).sum(), clips)
    assert bool(slope.any()) == (leak > 0)
    assert torch.equal(fakes(usual), fakes(system))  # G has no leaky ReLU


@switch("HRVGANConfig.stddev_group")
def test_the_stddev_group_says_whose_clips_a_score_depends_on():
    """Clip 0 shares a group of two with clip 2 of a batch of four, and a group of four with all."""
    company = {}
    for group in (4, 2, 0):
        d = small(stddev_group=group).discriminator
        clips = CLIPS.clone().requires_grad_()
        (slope,) = torch.autograd.grad(d(clips)[0], clips)
        company[group] = [i for i in range(4) if slope[i].any()]
        assert d.conv.in_channels == CHANNELS + bool(group)
    assert company == {4: [0, 1, 2, 3], 2: [0, 2], 0: [0]}
    with_map, without = small().discriminator, small(stddev_group=0).discriminator
    assert size_of(with_map) - size_of(without) == 27 * CHANNELS  # one input channel of one convolution
    plane = seen_by(with_map.conv, lambda: with_map(CLIPS[:1].expand(4, -1, -1, -1, -1)))[:, -1]
    same(plane, 1e-4, atol=1e-6)  # equal clips differ by nothing but the root of epsilon
    assert seen_by(with_map.conv, lambda: with_map(CLIPS))[:, -1].min() > 0.05


@switch("build_system.n_classes")
def test_labels_cost_two_embeddings_and_the_width_of_the_first_layer():
    """A18, A19, T7."""
    without, two, five = small(), small(n_classes=2), small(n_classes=5)
    assert without.generator.embed is None and without.discriminator.embed is None
    for system, n in ((two, 2), (five, 5)):
        assert size_of(system.generator) - size_of(without.generator) == n * 128 + 128 * CHANNELS * 64
        assert size_of(system.discriminator) - size_of(without.discriminator) == n * 128
        assert size_of(system.encoder) == size_of(without.encoder)
    assert without.uniform_labels(4) is None and two.uniform_labels(4).tolist() == [0, 1, 0, 1]
    d, features = two.discriminator, torch.randn(1, 128, generator=noise())
    projected = d.logits(features, torch.tensor([1])) - d.score(features).squeeze(1)
    same(projected, (d.embed.weight[1] * features).sum() / 128**0.5)


@switch("build_system.size")
def test_another_stage_of_the_table_adds_two_layers_to_every_network():
    """A21: at 16x16 the sampler, G, D and E each have two more 3x3x3 layers with a norm."""
    low, high = small(), small(size=16)
    assert low.sample(2).shape == (2, 3, 8, 8, 8) and high.sample(2).shape == (2, 3, 8, 16, 16)
    assert size_of(high) - size_of(low) == 4 * 2 * (27 * CHANNELS**2 + CHANNELS + 2 * CHANNELS)
    assert codes(low).shape == codes(high).shape and size_of(low.discriminator.fc) == size_of(high.discriminator.fc)


# The losses ---------------------------------------------------------------------------------------


@switch("HRVGANConfig.mismatched_labels")
def test_mismatched_labels_put_as_many_real_clips_beside_the_fakes():
    labels = torch.tensor([0, 1, 1, 0])  # of two classes the wrong one is the other one
    plain, mismatched = twins({"mismatched_labels": True}, n_classes=2)
    d, made = plain.discriminator, fakes(plain, labels)
    real = softplus(1 - d(CLIPS, labels)).mean()
    fake, wrong = softplus(d(made, labels) - 1), softplus(d(CLIPS, 1 - labels) - 1)
    assert len(fake) == len(wrong) == 4
    same(terms(plain, "discriminator", labels)["adversarial"], real + fake.mean())
    same(terms(mismatched, "discriminator", labels)["adversarial"], real + torch.cat([fake, wrong]).mean())
    same(terms(plain, "generator", labels)["adversarial"], terms(mismatched, "generator", labels)["adversarial"])
    blind, same_blind = twins({"mismatched_labels": True})  # no labels, nothing to mistake
    assert terms(blind, "discriminator") == terms(same_blind, "discriminator")


def test_with_a_single_class_no_label_is_wrong():
    """A19 names one dummy class as an option."""
    plain, mismatched = twins({"mismatched_labels": True}, n_classes=1)
    labels = torch.zeros(4, dtype=torch.long)
    same(*(terms(system, "discriminator", labels)["adversarial"] for system in (plain, mismatched)))


@switch("HRVGANConfig.adversarial")
def test_each_reading_of_eqs_12_to_14_is_its_formula():
    k = 0.5
    formulas = {  # what a logit costs where the answer wanted is "real", and where it is "fake"
        "bce_shift": (lambda x: softplus(k - x), lambda x: softplus(x - k)),
        "bce_scale": (lambda x: softplus(-x / k), lambda x: softplus(x / k)),
        "bce": (lambda x: softplus(-x), softplus),
        "wgan": (lambda x: -x, lambda x: x),
        "lsgan": (lambda x: (x - 1) ** 2 / 2, lambda x: x**2 / 2),
        "bce_literal": (lambda x: -(x.sigmoid() - k).log(), lambda x: -(1 + k - x.sigmoid()).log()),
    }
    for reading, (real, fake) in formulas.items():
        system = small(adversarial=reading, k=k, pixel_loss="off")
        if reading == "bce_literal":
            system.discriminator.score.bias.data.fill_(9)  # its logarithm needs a D above k
        x, y = system.discriminator(CLIPS), system.discriminator(fakes(system))
        same(terms(system, "discriminator")["adversarial"], real(x).mean() + fake(y).mean())
        same(terms(system, "generator")["adversarial"], 0.5 * real(y).mean())
    assert terms(small(adversarial="bce_literal"), "generator")["adversarial"].isnan()  # as printed, with k = 1


@switch("HRVGANConfig.k")
def test_the_last_bias_absorbs_k():
    """L5: k changes the start and nothing else; where the reading drops it, not even that."""
    k = 2.5
    none, shifted = twins({"k": k}, k=0.0, pixel_loss="off")
    shifted.discriminator.score.bias.data.add_(k)
    for network in ("discriminator", "generator"):
        for system in (none, shifted):
            system.zero_grad()
            terms(system, network)["adversarial"].backward()
        same(terms(none, network)["adversarial"], terms(shifted, network)["adversarial"])
        for one, other in zip(none.parameters(), shifted.parameters()):
            assert (one.grad is None) == (other.grad is None)
            if one.grad is not None:
                same(one.grad, other.grad)
        dropped = [terms(small(k=value, adversarial="bce"), network)["adversarial"] for value in (0.0, k)]
        assert dropped[0] == dropped[1]
    unabsorbed = small(k=k, pixel_loss="off")
    logits = unabsorbed.discriminator(fakes(unabsorbed))
    same(terms(unabsorbed, "generator")["adversarial"], 0.5 * softplus(k - logits).mean())


@switch("HRVGANConfig.lipschitz")
def test_each_constraint_acts_where_it_should():
    def largest(weight: Tensor) -> float:
        return torch.linalg.matrix_norm(weight.flatten(1), 2).item()

    free = small()
    before = [p.detach().clone() for p in free.discriminator.parameters()]
    free.constrain_discriminator(0)
    assert all(torch.equal(old, p) for old, p in zip(before, free.discriminator.parameters()))
    assert set(terms(free, "discriminator")) == {"adversarial"}

    penalised = twins({"lipschitz": "gradient_penalty"})[1]
    assert set(terms(penalised, "discriminator")) == {"adversarial", "gradient_penalty"}
    assert terms(penalised, "discriminator")["adversarial"] == terms(free, "discriminator")["adversarial"]

    clipped = twins({"lipschitz": "clip"})[1]
    made = fakes(clipped)
    clipped.constrain_discriminator(0)
    assert max(p.abs().max() for p in clipped.discriminator.parameters()) <= np.float32(clipped.config.clip)
    assert torch.equal(made, fakes(clipped))  # G is free

    bounded = small(lipschitz="spectral_norm")
    assert size_of(bounded.discriminator) == size_of(free.discriminator)
    for _ in range(30):  # each forward in training mode is one power iteration
        bounded.discriminator(CLIPS)
    for place in ("conv", "fc", "score"):
        assert largest(getattr(bounded.discriminator, place).weight) == pytest.approx(1, abs=0.02)
        assert abs(largest(getattr(free.discriminator, place).weight) - 1) > 0.1


@switch("HRVGANConfig.lambda_gp")
def test_a_critic_without_slope_pays_lambda_times_k_squared():
    """Eq. 6: (0 - k)^2, weighted; elsewhere the term is linear in its weight."""
    for weight, k in ((10.0, 1.0), (20.0, 1.0), (10.0, 3.0)):
        system = small(lipschitz="gradient_penalty", lambda_gp=weight, k=k)
        system.discriminator.score.weight.data.zero_()
        same(terms(system, "discriminator")["gradient_penalty"], weight * k**2)
    ten, thirty = (terms(small(lipschitz="gradient_penalty", lambda_gp=w), "discriminator") for w in (10.0, 30.0))
    same(thirty["gradient_penalty"], 3 * ten["gradient_penalty"])
    assert thirty["adversarial"] == ten["adversarial"]


@switch("HRVGANConfig.clip")
@pytest.mark.parametrize("bound", [0.01, 0.05])
def test_clip_cuts_what_is_beyond_it_and_nothing_else(bound):
    system = small(lipschitz="clip", clip=bound)
    before = [p.detach().clone() for p in system.discriminator.parameters()]
    system.constrain_discriminator(0)
    for old, new in zip(before, system.discriminator.parameters()):
        assert torch.equal(new, old.clamp(-bound, bound))
    assert max(p.abs().max() for p in system.discriminator.parameters()).item() == pytest.approx(bound)


@switch("HRVGANConfig.lambda_1")
@switch("HRVGANConfig.lambda_2")
def test_the_lambdas_weigh_the_sides_of_the_discriminators_loss():
    """Eq. 14 is linear in both; Eq. 12, G's, has λ1 alone."""

    def value(network: str, lambda_1: float, lambda_2: float) -> Tensor:
        return terms(small(lambda_1=lambda_1, lambda_2=lambda_2), network)["adversarial"].detach()

    real, fake, made = value("discriminator", 1, 0), value("discriminator", 0, 1), value("generator", 1, 1)
    same(real, softplus(1 - small().discriminator(CLIPS)).mean())
    for one, two in ((1, 1), (3, 1), (1, 3), (0.5, 2)):
        same(value("discriminator", one, two), one * real + two * fake)
        same(value("generator", one, two), one * made)


@switch("HRVGANConfig.alpha")
def test_alpha_weighs_the_adversarial_term_alone():
    half, whole, none = (small(alpha=alpha) for alpha in (0.5, 1.0, 0.0))
    first, second = terms(half, "generator"), terms(whole, "generator")
    same(second["adversarial"], 2 * first["adversarial"])
    same(second["pixel"], first["pixel"])
    same(terms(half, "discriminator")["adversarial"], terms(whole, "discriminator")["adversarial"])
    terms(none, "generator")["adversarial"].backward()
    assert not any(p.grad.any() for p in none.generator.parameters())


@switch("HRVGANConfig.beta")
def test_beta_weighs_the_pixel_term_alone():
    first, second = terms(small(beta=0.5), "generator"), terms(small(beta=1.0), "generator")
    same(second["pixel"], 2 * first["pixel"])
    same(second["adversarial"], first["adversarial"])
    none = small(beta=0.0)
    terms(none, "generator")["pixel"].backward()
    assert not any(p.grad.any() for p in (*none.generator.parameters(), *none.encoder.parameters()))


@switch("HRVGANConfig.pixel_loss")
def test_pixel_loss_says_which_clip_is_held_against_the_real_one():
    """T1, A20: G(E(Y)), or G(z) against a clip it has never seen, or nothing."""
    paired, unpaired, off = small(), small(pixel_loss="unpaired"), small(pixel_loss="off")
    same(terms(paired, "generator")["pixel"], 0.5 * (paired.reconstruct(CLIPS, None, noise()) - CLIPS).square().mean())
    same(terms(unpaired, "generator")["pixel"], 0.5 * (fakes(unpaired) - CLIPS).square().mean())
    assert set(terms(off, "generator")) == {"adversarial"}
    assert unpaired.encoder is None and off.encoder is None
    assert size_of(unpaired) == size_of(off) == size_of(paired) - size_of(paired.encoder)
    terms(paired, "generator")["pixel"].backward()
    assert paired.encoder.fc.weight.grad.any() and paired.generator.fc.weight.grad.any()
    same(terms(unpaired, "generator")["adversarial"], terms(off, "generator")["adversarial"])


@switch("HRVGANConfig.pixel_reduction")
def test_sum_mean_and_norm_of_one_clip_follow_from_each_other():
    systems = {name: small(pixel_reduction=name, beta=1.0) for name in ("mean", "sum", "norm")}
    value, slope, adversarial = {}, {}, set()
    for name, system in systems.items():
        made: list[Tensor] = []
        system.generator.register_forward_hook(lambda _layer, _given, clip, made=made: made.append(clip))
        given = system.generator_losses(CLIPS[:1], None, noise())
        value[name] = given["pixel"].item()
        adversarial.add(given["adversarial"].item())
        slope[name] = torch.autograd.grad(given["pixel"], made[0])[0]  # the reconstruction is made first
    n = CLIPS[0].numel()
    assert value["sum"] == pytest.approx(n * value["mean"], rel=1e-5)
    assert value["norm"] == pytest.approx(value["sum"] ** 0.5, rel=1e-5)
    lengths = {name: gradient.norm().item() for name, gradient in slope.items()}
    assert lengths["norm"] == pytest.approx(1, rel=1e-4)
    assert lengths["sum"] == pytest.approx(2 * value["norm"], rel=1e-4)
    assert lengths["mean"] == pytest.approx(2 * value["norm"] / n, rel=1e-4)
    assert len(adversarial) == 1


# The optimiser and the loop -----------------------------------------------------------------------


@switch("HRVGANConfig.optimiser")
def test_sgd_moves_by_the_gradient_and_adam_by_its_sign():
    system = small(optimiser="sgd", learning_rate=0.02, discriminator_learning_rate=0.05)
    for network, rate in (("generator", 0.02), ("discriminator", 0.05)):
        for old, gradient, new in step(system, network):
            assert torch.equal(new, torch.add(old, gradient, alpha=-rate))
        assert all(not state for state in system.optimisers()[network].state.values())  # no momentum
    for old, gradient, new in step(small(optimiser="adam", learning_rate=0.02), "generator"):
        same(new - old, -0.02 * gradient / (gradient.abs() + 1e-8), atol=1e-6)


@switch("HRVGANConfig.learning_rate")
def test_the_first_step_of_generator_and_encoder_is_one_learning_rate_long():
    longest = {}
    for rate in (2e-4, 1e-3):
        system = small(learning_rate=rate)
        trained_weights = sum(len(group["params"]) for group in system.optimisers()["generator"].param_groups)
        assert trained_weights == len([*system.generator.parameters(), *system.encoder.parameters()])
        changes = {
            name: max((new - old).abs().max().item() for old, _, new in step(system, name))
            for name in ("generator", "discriminator")
        }
        assert changes["generator"] == pytest.approx(rate, rel=1e-3)
        longest[rate] = changes["discriminator"]
    assert longest[2e-4] == longest[1e-3] == pytest.approx(2e-4, rel=1e-3)  # D has a rate of its own


@switch("HRVGANConfig.discriminator_learning_rate")
def test_the_first_step_of_the_discriminator_is_one_learning_rate_long():
    longest = {}
    for rate in (2e-4, 4e-3):
        system = small(discriminator_learning_rate=rate)
        changes = {
            name: max((new - old).abs().max().item() for old, _, new in step(system, name))
            for name in ("generator", "discriminator")
        }
        assert changes["discriminator"] == pytest.approx(rate, rel=1e-3)
        longest[rate] = changes["generator"]
    assert longest[2e-4] == longest[4e-3] == pytest.approx(2e-4, rel=1e-3)


@switch("HRVGANConfig.betas")
@pytest.mark.parametrize("betas", [(0.0, 0.99), (0.5, 0.99), (0.9, 0.999)])
def test_betas_are_the_memory_of_adam(betas):
    system = small(betas=betas)
    for network in ("generator", "discriminator"):
        optimiser = system.optimisers()[network]
        descend(optimiser, terms(system, network))
        for parameter, state in optimiser.state.items():
            same(state["exp_avg"], (1 - betas[0]) * parameter.grad, atol=1e-7)
            same(state["exp_avg_sq"], (1 - betas[1]) * parameter.grad.square(), atol=1e-9)


@switch("HRVGANConfig.critic_steps")
def test_critic_steps_are_steps_of_the_discriminators_optimiser():
    for critic_steps in (1, 3):
        system, data = small(critic_steps=critic_steps), Watched()
        optimisers = system.optimisers()
        system.optimisers = lambda kept=optimisers: kept
        assert [record.step for record in train(system, data, TrainConfig(steps=2, batch=4))] == [1, 2]
        for network, turns in (("discriminator", 2 * critic_steps), ("generator", 2)):
            assert {int(state["step"]) for state in optimisers[network].state.values()} == {turns}
        assert len(data.asked) == 2 * (critic_steps + 1)  # fresh data for each update


@switch("Profile.batch")
@switch("Profile.steps")
def test_batch_and_steps_of_a_profile_are_those_of_the_training(tmp_path):
    for batch, steps in ((4, 2), (8, 2), (4, 3)):
        profile, data = replace(get_profile("smoke"), width=1 / 32, batch=batch, steps=steps), Watched()
        _, records = trained("hrvgan", data, profile, folder=tmp_path)
        assert [len(asked) for asked in data.asked] == [batch] * 2 * steps  # one for D and one for G a step
        assert [record.step for record in records] == list(range(1, steps + 1))
        assert records[-1].clips_seen == batch * steps


@switch("TrainConfig.seed")
def test_the_seed_is_the_order_of_clips_and_the_noise_but_not_the_first_weights():
    for seed in (0, 1):
        system, data, drawn = small(), Watched(), []
        inner = system.latents
        system.latents = lambda n, generator, inner=inner, drawn=drawn: drawn.append(inner(n, generator)) or drawn[-1]
        first = system.generator.fc.weight.detach().clone()
        next(train(system, data, TrainConfig(steps=1, batch=4, seed=seed)))
        order = torch.randperm(64, generator=stream("order", seed, 0, 0)).tolist()
        assert data.asked == [order[:4], order[4:8]]
        assert data.windows == [stream("window", seed, turn, 0).initial_seed() for turn in (0, 1)]
        assert torch.equal(drawn[0], torch.randn(4, 128, generator=stream("noise", seed, 0, 0)))
        assert torch.equal(first, small().generator.fc.weight)


# The data -----------------------------------------------------------------------------------------


@switch("open_dataset.stride")
def test_the_stride_is_the_distance_between_the_frames_of_a_clip(tmp_path):
    make_strips(tmp_path / "weizmann", people=range(3))
    for stride, expected in ((None, 8), (1, 1), (3, 3)):
        data = open_dataset("weizmann", tmp_path, frames=4, size=8, stride=stride, cache=tmp_path, progress=False)
        assert data.stride == expected  # by default 32 // frames
        last = len(data.pixels(0)) - 1
        numbers = [min(expected * t, last) for t in range(4)]  # a short clip repeats its last frame
        same(data[0][0], torch.from_numpy(data.pixels(0)[numbers]).permute(3, 0, 1, 2) / 127.5 - 1)


@switch("open_dataset.fold")
def test_the_fold_names_the_groups_that_are_held_out(tmp_path):
    lists = make_ucf101(tmp_path / "ucf101") / "ucfTrainTestlist"
    lines = [
        line.split()[0]
        for split in ("train", "test")
        for line in (lists / f"{split}list01.txt").read_text().splitlines()
    ]
    labels = {"Archery": 1, "JumpingJack": 2, "TaiChi": 3}
    (lists / "testlist02.txt").write_text("".join(f"{line}\n" for line in lines if "_g02_" in line))
    (lists / "trainlist02.txt").write_text(
        "".join(f"{line} {labels[line.split('/')[0]]}\n" for line in lines if "_g02_" not in line)
    )
    for fold in (1, 2):
        train_set, test_set = (
            open_dataset("ucf101", tmp_path, split=split, fold=fold, frames=4, size=8, cache=tmp_path, progress=False)
            for split in ("train", "test")
        )
        assert {group[-3:] for group in test_set.groups} == {f"g0{fold}"}
        assert {group[-3:] for group in train_set.groups} == {"g01", "g02", "g03"} - {f"g0{fold}"}
        assert (len(train_set), len(test_set)) == (12, 6) and train_set.classes == tuple(labels)


# The rulers ---------------------------------------------------------------------------------------


class Action(MovingBlobs):
    """Two blobs that stand where the real UCF101 would: long enough for published weights."""

    name, kind, frames = "ucf101", "real", 16

    def __init__(self) -> None:
        super().__init__(n=2)

    def batch(self, indices, generator=None, device="cpu"):
        clips, labels = super().batch(indices)
        return clips.repeat_interleave(2, dim=2), labels


@switch("judge_for.protocol")
def test_the_protocol_decides_what_published_weights_are_shown(tmp_path, monkeypatch):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "c3d_ucf101.npz").touch()
    torch.manual_seed(0)
    narrow = C3D(len(CLASSES), width=0.02).eval().requires_grad_(False)
    monkeypatch.setattr(published, "load_c3d", lambda *_: narrow)
    profile = SimpleNamespace(judge_width=0.02, judge_steps=1, judge_batch=4)
    data, bright = Action(), torch.full((1, 3, 16, 20, 20), 3.0)
    inputs = {}
    for name in PROTOCOLS:
        judge = metrics.judge_for(data, data, profile, data_root=tmp_path, protocol=name)
        assert judge.protocol == metrics.get_protocol(name) and name in judge.way
        assert judge.accuracy.n == 2 and judge.digest == weights_digest(narrow)
        inputs[name] = judge.fit(bright.to(next(narrow.parameters()).device)).cpu()
        assert inputs[name].shape == (1, 3, 16, 112, 112)
    same(inputs["tgan-v1"], 3 * 127.5 - 0.5)  # does not clamp its samples, the later ones do
    same(inputs["tgan-v2"], 127.0)
    same(inputs["stylegan-v"], 127.0)
    own = metrics.judge_for(
        MovingBlobs(8), MovingBlobs(8, 1), profile, data_root=tmp_path, protocol="tgan-v2", folder=tmp_path
    )
    assert own.protocol is None  # a judge of this book reads clips as in its own training


@switch("Protocol.stride")
def test_a_protocols_stride_takes_every_second_frame_of_twice_the_time():
    clips = torch.linspace(-1, 1, 32).view(1, 1, 32, 1, 1).expand(1, 3, 32, 16, 16)
    first = metrics.get_protocol("tgan-v2")
    wide = replace(first, stride=2)
    same(first.prepare(clips)[0, 0, :, 0, 0], 127.5 * torch.linspace(-1, 1, 32)[:16] - 0.5)
    same(wide.prepare(clips)[0, 0, :, 0, 0], 127.5 * torch.linspace(-1, 1, 32)[::2] - 0.5)
    assert first.prepare(clips[:, :, :16]).shape == wide.prepare(clips).shape
    with pytest.raises(ValueError, match="reads 16 frames"):
        wide.prepare(clips[:, :, :16])
    assert "first 16 frames" in first.describe() and "16 frames 2 apart" in wide.describe()


@switch("Judge.features.layer")
def test_each_layer_follows_from_the_one_before_and_the_answers_stay(judge):
    clips, network = MovingBlobs().batch(range(8))[0], judge.network
    seen = {layer: torch.from_numpy(judge.features(clips, layer)) for layer in LAYERS}
    assert {layer: features.shape[1] for layer, features in seen.items()} == {
        layer: network.feature_width(layer) for layer in LAYERS
    }
    same(seen["fc6"], torch.relu(network.fc6(seen["pool5"])))
    same(seen["fc7"], torch.relu(network.fc7(seen["fc6"])))
    same(seen["logits"], network.fc8(seen["fc7"]))
    np.testing.assert_array_equal(judge.look(clips, "pool5")[1], judge.look(clips, "logits")[1])
    np.testing.assert_array_equal(judge.features(clips), judge.features(clips, "fc6"))  # the default


@switch("Profile.repeats")
def test_repeats_of_a_profile_are_draws_whose_mean_has_an_interval_of_its_own(judge):
    source, data, records = metrics.noise_clips(8, 16), MovingBlobs(), {}
    for repeats in (1, 3):
        profile = replace(get_profile("smoke"), repeats=repeats)
        records[repeats] = metrics.evaluate(source, judge, data, n=8, seeds=range(profile.repeats))
    one, three = records[1], records[3]
    assert (len(one.inception_seeds), len(three.inception_seeds)) == (1, 3)
    assert len(three.frechet_seeds) == 3 and "8 clips x 3" in three.protocol
    assert one.inception_seeds == three.inception_seeds[:1] and len(set(three.inception_seeds)) == 3
    for name in ("inception", "frechet"):
        seeds, found = getattr(three, f"{name}_seeds"), getattr(three, name)
        assert found.value == pytest.approx(np.mean(seeds)) and getattr(one, name).value == seeds[0]
        assert len(found.influences) == len(getattr(one, name).influences) + 2  # noise is new in each draw
    assert three.inception.high - three.inception.low < one.inception.high - one.inception.low


@switch("System.sample.labels")
def test_labels_of_a_sample_are_uniform_unless_they_are_given():
    system = small(n_classes=3, size=8)
    given = torch.tensor([0, 0, 0, 0, 1, 2])  # as frequent as in some data set; uniform is 0 1 2 0 1 2
    uniform, frequent = system.sample(6, generator=noise()), system.sample(6, given, generator=noise())
    change = (uniform - frequent).abs().amax(dim=(1, 2, 3, 4))
    assert (change[[0, 3, 4, 5]] < 1e-5).all() and (change[[1, 2]] > 1e-3).all()
    same(uniform, system.sample(6, torch.arange(6) % 3, generator=noise()))


def small_mocogan(**options):
    torch.manual_seed(0)
    return build_system("mocogan", frames=8, size=16, width=1 / 16, **options)


@switch("MoCoGANConfig.first_weights")
def test_first_weights_of_mocogan_have_scales_of_one_today_and_any_below_in_2017():
    scales = {when: small_mocogan(first_weights=when).generator.layers[1].weight for when in ("today", "2017")}
    assert (scales["today"] == 1).all() and (scales["2017"] < 1).all() and scales["2017"].std() > 0.1


@switch("MoCoGANConfig.batches")
def test_batches_of_mocogan_are_whole_for_both_of_its_judges_or_shared_out():
    assert small_mocogan().shares(13) == (13, 13) and small_mocogan(batches="shared out").shares(13) == (10, 3)


@switch("MoCoGANConfig.recipe")
def test_recipe_of_mocogan_is_its_authors_adam_or_hrvgans():
    rates = {
        recipe: [one.param_groups[0]["lr"] for one in small_mocogan(recipe=recipe).optimisers().values()]
        for recipe in ("published", "common")
    }
    assert rates == {"published": [2e-4, 2e-4], "common": [2e-4, 1e-3]}


@switch("interpolate.path")
def test_halfway_on_a_line_two_orthogonal_latents_lose_their_length():
    start, end = torch.zeros(2, 128)
    start[0], end[1] = 5.0, 5.0
    line, circle = (interpolate(start, end, 5, path) for path in ("line", "great circle"))
    assert line[2].norm().item() == pytest.approx(5 / 2**0.5) and circle[2].norm().item() == pytest.approx(5)
    same(line[2] / line[2].norm(), circle[2] / circle[2].norm())  # the same direction, halfway
    same(line[[0, -1]], circle[[0, -1]])
