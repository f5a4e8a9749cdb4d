"""HRVGAN's networks: the shapes and counts of Tables 1 and 2, the cuts, the switches."""

from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import nn

from hrvgan_lib.networks import SYSTEMS, System, build_system
from hrvgan_lib.networks.hrvgan import (
    HRVGAN,
    Discriminator,
    Downsample,
    Encoder,
    Generator,
    HRVGANConfig,
    Upsample,
    deconv,
    initialise,
    make_config,
    stages,
    trace,
)

FULL = HRVGANConfig()


def small(**options):
    torch.manual_seed(0)
    return build_system("hrvgan", **{"frames": 8, "size": 16, "width": 0.0625, **options})


def batch(system, n=4):
    g = torch.Generator().manual_seed(1)
    clips = torch.rand(n, 3, system.frames, system.size, system.size, generator=g) * 2 - 1
    return clips, (torch.arange(n) % system.n_classes if system.n_classes else None), g


def weights(network: nn.Module) -> int:
    layers = nn.Linear, nn.Conv3d, nn.ConvTranspose3d
    return sum(p.numel() for layer in network.modules() if isinstance(layer, layers) for p in layer.parameters())


def test_full_tables_on_the_meta_device():
    with torch.device("meta"):
        generator, discriminator = Generator(32, 256, 0, FULL), Discriminator(32, 256, 0, FULL)
        made, judged = trace(generator, torch.empty(4, 128)), trace(discriminator, torch.empty(4, 3, 32, 256, 256))
    assert weights(generator) == 3_710_155 and weights(discriminator) == 3_705_801
    ups = [row.shape for row in made if row.layer == "Upsample"]
    assert ups == [
        (128, 8, 8, 8),
        (128, 8, 16, 16),
        (128, 8, 32, 32),
        (64, 16, 64, 64),
        (32, 16, 128, 128),
        (16, 32, 256, 256),
    ]
    assert made[-1] == ("DeConv 1×1×1", "tanh", (3, 32, 256, 256))
    downs = [row.shape for row in judged if row.layer == "Downsample"]
    assert downs == [
        (16, 16, 128, 128),
        (32, 16, 64, 64),
        (64, 8, 32, 32),
        (128, 8, 16, 16),
        (128, 8, 8, 8),
        (128, 4, 4, 4),
    ]
    assert [row.shape for row in judged if row.layer == "Minibatch Stddev"] == [(129, 4, 4, 4)]
    assert judged[-1].shape == (1,)


@pytest.mark.parametrize("frames, size", [(8, 8), (8, 16), (8, 32), (16, 64), (16, 128), (32, 256)])
def test_every_cut_of_the_tables_fits_together(frames, size):
    config = make_config("literal", width=0.0625)
    with torch.device("meta"):
        clips = Generator(frames, size, 3, config)(torch.empty(4, 128), torch.empty(4, dtype=torch.long))
        assert clips.shape == (4, 3, frames, size, size)
        assert Discriminator(frames, size, 3, config)(clips, torch.empty(4, dtype=torch.long)).shape == (4,)
        assert Encoder(frames, size, config)(clips).shape == (4, 128)


def test_a_size_between_the_stages_is_refused():
    with pytest.raises(ValueError, match="no stage of 48x48"):
        stages(8, 48, FULL)
    with pytest.raises(ValueError, match="has 16 frames, not 20"):
        stages(20, 64, FULL)


def test_the_stages_are_those_of_table_1():
    plan = stages(32, 256, FULL)
    assert [stage.channels for stage in plan] == [128, 128, 128, 64, 32, 16, 8]
    assert [stage.frames for stage in plan] == [4, 8, 8, 8, 16, 16, 32]
    assert [stage.size for stage in plan] == [4, 8, 16, 32, 64, 128, 256]
    assert [stage.scale for stage in plan] == [
        (1, 1, 1),
        (2, 2, 2),
        (1, 2, 2),
        (1, 2, 2),
        (2, 2, 2),
        (1, 2, 2),
        (2, 2, 2),
    ]
    assert stages(8, 32, FULL) == plan[:4] and stages(4, 4, FULL) == plan[:1]


def test_no_stage_has_fewer_than_four_channels_however_narrow_the_network():
    assert [stage.channels for stage in stages(32, 256, make_config(width=0.1))] == [13, 13, 13, 6, 4, 4, 4]


def test_temporal_schedule_is_a_switch():
    plan = stages(32, 256, make_config("literal", temporal_doublings=(8, 32, 128)))
    assert [stage.frames for stage in plan] == [4, 8, 8, 16, 16, 32, 32]


def test_deconv_is_a_convolution_with_the_flipped_transposed_kernel():
    layer, x = deconv(5, 7), torch.randn(2, 5, 4, 6, 6)
    flipped = layer.weight.transpose(0, 1).flip(2, 3, 4)
    torch.testing.assert_close(layer(x), nn.functional.conv3d(x, flipped, layer.bias, padding=1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_deconv_row_keeps_the_size_whatever_its_kernel(kernel):
    layer = deconv(2, 3, kernel)
    assert layer(torch.zeros(1, 2, 4, 6, 8)).shape == (1, 3, 4, 6, 8) and layer.kernel_size == (kernel,) * 3


def test_a_trace_reads_like_the_rows_of_the_tables_and_leaves_no_hook_behind():
    system, c = small(size=8), 8
    made, judged = trace(system.generator, torch.zeros(4, 128)), trace(system.discriminator, torch.zeros(4, 3, 8, 8, 8))
    assert made == [
        ("Fully-connected", "ReLU", (c * 64,)),
        ("DeConv 3×3×3", "ReLU", (c, 4, 4, 4)),
        ("Upsample", "-", (c, 8, 8, 8)),
        ("DeConv 3×3×3", "ReLU", (c, 8, 8, 8)),
        ("DeConv 3×3×3", "ReLU", (c, 8, 8, 8)),
        ("DeConv 1×1×1", "tanh", (3, 8, 8, 8)),
    ]
    assert judged == [
        ("Conv 1×1×1", "Leaky ReLU", (c, 8, 8, 8)),
        ("Conv 3×3×3", "Leaky ReLU", (c, 8, 8, 8)),
        ("Conv 3×3×3", "Leaky ReLU", (c, 8, 8, 8)),
        ("Downsample", "-", (c, 4, 4, 4)),
        ("Minibatch Stddev", "-", (c + 1, 4, 4, 4)),
        ("Conv 3×3×3", "Leaky ReLU", (c, 4, 4, 4)),
        ("Fully-connected", "Leaky ReLU", (128,)),
        ("Fully-connected", "-", (1,)),
    ]
    assert not any(module._forward_hooks for module in system.modules())
    with pytest.raises(RuntimeError):
        trace(system.generator, torch.zeros(4, 5))
    assert not any(module._forward_hooks for module in system.modules())


def test_a_trace_shows_the_pair_of_a_split_convolution():
    rows = trace(small(size=8, convolution="2d+1d").generator, torch.zeros(4, 128))
    assert [row[:2] for row in rows[1:3]] == [("DeConv 1×3×3", "-"), ("DeConv 3×1×1", "ReLU")]


def test_upsample_and_downsample_agree_with_torch():
    x = torch.randn(2, 3, 4, 6, 6)
    torch.testing.assert_close(Upsample((2, 2, 2), "nearest")(x), nn.functional.interpolate(x, scale_factor=2.0))
    torch.testing.assert_close(Downsample((1, 2, 2))(x), nn.functional.avg_pool3d(x, (1, 2, 2)))
    torch.testing.assert_close(Downsample((2, 2, 2))(Upsample((2, 2, 2), "nearest")(x)), x)


# The first weights -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "layer, fan_in, gain",
    [
        (nn.Conv3d(16, 40, 3), 16 * 27, 2 / 1.04),
        (nn.Linear(300, 60), 300, 2 / 1.04),  # a leak of 0.2
        (nn.ConvTranspose3d(16, 40, 3), 16 * 27, 2.0),  # a ReLU
    ],
)
def test_first_weights_keep_the_mean_square_through_layer_and_activation(layer, fan_in, gain):
    """He et al. (2015): the variance is gain over fan-in, and biases are zero."""
    torch.manual_seed(0)
    layer.bias.data.fill_(5)
    initialise(layer)
    assert layer.weight.std().item() == pytest.approx((gain / fan_in) ** 0.5, rel=0.02) and not layer.bias.any()
    assert abs(layer.weight.mean().item()) < 0.05 * layer.weight.std().item()


def test_every_layer_of_the_system_starts_with_those_weights():
    system = small(size=8, width=0.25, n_classes=40)
    last = system.generator.layers[-2]
    for layer in system.modules():
        if layer is not last and isinstance(layer, nn.Conv3d | nn.Linear | nn.ConvTranspose3d):
            up = isinstance(layer, nn.ConvTranspose3d)
            fan_in = layer.weight[:, 0].numel() if up else layer.weight[0].numel()
            expected = ((2.0 if up else 2 / 1.04) / fan_in) ** 0.5
            if layer.weight.numel() > 2000:
                assert layer.weight.std().item() == pytest.approx(expected, rel=0.06)
            assert not layer.bias.any()
    for network in (system.generator, system.discriminator):
        assert network.embed.weight.std().item() == pytest.approx(1, rel=0.05)  # a standard normal
    norm = system.generator.layers[0][0]
    assert (norm.weight == 1).all() and not norm.bias.any()


def test_the_first_clips_are_grey():
    """tanh starts in its middle: a clip of weights 0.02 wide is a weighted sum of features of unit mean square."""
    system = small(size=8, width=1.0)
    last = system.generator.layers[-2]
    assert last.weight.std().item() == pytest.approx(0.02, rel=0.15) and not last.bias.any()
    clips = system.generator(system.latents(4, torch.Generator().manual_seed(0)))
    assert clips.abs().mean() < 0.2 and clips.std() > 0.01
    torch.testing.assert_close(system.sampler.layers[-2].weight, last.weight)  # the average starts from there too


def test_networks_work_in_the_layout_that_makes_their_convolutions_fast():
    system = small(size=8)
    layout = {"memory_format": torch.channels_last_3d}
    kernels = [p for p in system.parameters() if p.ndim == 5 and p.shape[1] > 1 and p[0, 0].numel() > 1]
    assert kernels and all(p.is_contiguous(**layout) for p in kernels)
    seen = {}
    inner = {"G": system.generator.layers, "D": system.discriminator.trunk, "E": system.encoder.trunk}
    for name, layers in inner.items():
        layers.register_forward_pre_hook(
            lambda _, inputs, name=name: seen.update({name: inputs[0].is_contiguous(**layout)})
        )
    clips, _, _ = batch(system)
    system.generator(system.latents(4))
    system.discriminator(clips)
    system.encoder(clips)
    assert seen == {"G": True, "D": True, "E": True}


# Defaults -----------------------------------------------------------------------------------------------------------
def test_unless_told_otherwise_a_system_is_the_papers_without_labels():
    with torch.device("meta"):
        whole, cut, rival = HRVGAN(), build_system("hrvgan"), build_system("vgan")
    assert (whole.frames, whole.size, whole.n_classes) == (32, 256, 0)
    assert whole.config == cut.config == make_config("stable") == make_config()
    assert (cut.frames, cut.size, cut.n_classes) == (rival.frames, rival.size, rival.n_classes) == (8, 32, 0)
    config = make_config("literal")
    assert config == HRVGANConfig() and config.width == 1.0 and config.latent_dim == 128
    assert (config.lambda_gp, config.clip) == (10.0, 0.01)  # Gulrajani et al. 2017; Arjovsky et al. 2017
    assert config.encoder_norm == "batch" and config.convolution == "3d"


def test_a_configuration_cannot_be_changed_behind_the_systems_back():
    for name, system in SYSTEMS.items():
        config = system(frames=8, size=16, width=0.02).config
        with pytest.raises(FrozenInstanceError):
            config.width = 2.0
        assert config.width == 0.02, name


@pytest.mark.parametrize("preset", ["literal", "stable"])
def test_adam_has_torchs_small_epsilon_and_no_decay(preset):
    for optimiser in small(preset=preset).optimisers().values():
        assert optimiser.defaults["eps"] == 1e-8 and optimiser.defaults["weight_decay"] == 0


def test_a_loss_of_zero_means_that_d_has_won_unless_it_is_a_critic():
    assert System.zero_means_won and small().zero_means_won and not small(adversarial="wgan").zero_means_won


# Random draws and labels --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"latent_distribution": "uniform", "code": "sphere"},
        {"latent": "sequence", "pixel_loss": "unpaired"},
        {"n_classes": 5, "lipschitz": "gradient_penalty", "mismatched_labels": True},
    ],
)
def test_losses_depend_on_nothing_but_the_given_noise(options):
    values = []
    for global_seed, seed in ((3, 1), (4, 1), (4, 2)):
        system = small(size=8, **options)
        torch.manual_seed(global_seed)
        clips, labels, _ = batch(system)
        values.append(
            [
                float(term.detach())
                for losses in (system.discriminator_losses, system.generator_losses)
                for name, term in losses(clips, labels, torch.Generator().manual_seed(seed)).items()
                if name != "code"  # what a code is charged does not depend on its noise
            ]
        )
    assert values[0] == values[1]
    assert all(first != other for first, other in zip(values[1], values[2]))


def test_a_wrong_label_is_never_right_and_any_other_class_as_often():
    system, asked = small(size=8, n_classes=4, mismatched_labels=True, stddev_group=0), []
    inner = system.discriminator.logits
    system.discriminator.logits = lambda seen, labels=None: asked.append(labels) or inner(seen, labels)
    clips, labels, noise = torch.zeros(240, 3, 8, 8, 8), torch.arange(240) % 4, torch.Generator().manual_seed(1)
    with torch.no_grad():
        system.discriminator_losses(clips, labels, noise)
    (wrong,) = (asked_for for asked_for in asked if not torch.equal(asked_for, labels))
    away = ((wrong - labels) % 4).bincount(minlength=4)
    assert 0 <= wrong.min() and wrong.max() < 4
    assert away[0] == 0 and (away[1:] > 50).all()


@pytest.mark.parametrize("latent", ["single", "sequence"])
def test_a_label_speaks_to_the_whole_clip(latent):
    system = small(size=8, n_classes=3, latent=latent, generator_norm="none").eval()
    z, labels = system.latents(2, torch.Generator().manual_seed(0)), torch.tensor([0, 1])
    change = (system.generator(z, labels) - system.generator(z, labels.flip(0))).abs().amax(dim=(1, 3, 4))
    assert (change > 1e-4).all()  # every frame of both clips
    embedded = system.generator.embed(labels)
    expected = torch.cat([z, embedded[:, None].expand(-1, 4, -1) if latent == "sequence" else embedded], dim=-1)
    seen = []
    system.generator.fc.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    system.generator(z, labels)
    assert torch.equal(seen[0], expected)


def test_the_encoder_of_a_sequence_reads_each_base_time_step_from_its_own_frames():
    system = small(size=8, latent="sequence", encoder_norm="none", code="sphere").eval()
    clips, _, _ = batch(system)
    later = clips.clone()
    later[:, :, 7] = -clips[:, :, 7]  # two convolutions carry frame 7 as far as frame 5
    codes, moved = system.encoder(clips), system.encoder(later)
    torch.testing.assert_close(codes.square().mean(dim=2), torch.ones(4, 4), atol=1e-4, rtol=1e-4)
    change = (codes - moved).abs().amax(dim=(0, 2))
    assert change[:2].max() < 1e-6 and change[2:].min() > 1e-3


def test_the_gradient_penalty_is_taken_under_the_clips_own_labels():
    system = small(size=8, n_classes=3, lipschitz="gradient_penalty", pixel_loss="off")
    clips, labels, _ = batch(system)
    system.discriminator.embed.weight.data.mul_(torch.tensor([0.0, 10.0, 100.0])[:, None])
    steep, flat = (
        system.discriminator_losses(clips, labels * 0 + label, torch.Generator().manual_seed(1)) for label in (2, 0)
    )
    assert steep["gradient_penalty"] > 3 * flat["gradient_penalty"]


# The interface ------------------------------------------------------------------------------------------------------
def test_samples_are_in_range_and_the_same_at_any_batch():
    system = small(n_classes=3).train()  # also in the middle of training
    clips = system.sample(7, generator=torch.Generator().manual_seed(3), batch=7)
    again = system.sample(7, generator=torch.Generator().manual_seed(3), batch=2)
    assert clips.shape == (7, 3, 8, 16, 16) and clips.abs().max() <= 1
    torch.testing.assert_close(clips, again, atol=1e-5, rtol=1e-4)


def test_labels_change_the_clip_and_the_score():
    system = small(n_classes=3).eval()
    z, (clips, _, _) = system.latents(2, torch.Generator().manual_seed(0)), batch(system, 2)
    zero, one = torch.tensor([0, 0]), torch.tensor([1, 1])
    assert (system.generator(z, zero) - system.generator(z, one)).abs().max() > 0.01
    assert (system.discriminator(clips, zero) != system.discriminator(clips, one)).all()


def test_each_clip_is_held_against_its_own_label():
    """The projection of A18: the embedded label times the clip's features, over the root of their number."""
    judge = small(n_classes=3).discriminator
    features, labels = torch.randn(4, 128, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 1])
    expected = [
        judge.score(row).squeeze() + judge.embed.weight[label] @ row / 128**0.5 for row, label in zip(features, labels)
    ]
    torch.testing.assert_close(judge.logits(features, labels), torch.stack(expected), atol=1e-5, rtol=1e-4)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="pass labels"):
        small(n_classes=3).check_labels(None)
    with pytest.raises(ValueError, match="outside the 3 classes"):
        small(n_classes=3).sample(2, labels=torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="outside the 0 classes"):
        small().sample(2, labels=torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="outside the 3 classes"):
        small(n_classes=3).check_labels(torch.tensor([-1, 0]))
    small(n_classes=3).check_labels(torch.tensor([0, 2]))  # the first class and the last
    small(n_classes=3).check_labels(torch.tensor([], dtype=torch.long))
    small().check_labels(None)


def test_samples_come_in_batches_of_32_float32_clips_cut_to_the_range_of_pixels():
    system, sizes = small(size=8, n_classes=2, final_activation="linear"), []
    system.sampler.layers[-2].weight.data.mul_(1000)
    system.sampler.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(map(len, inputs))))
    clips = system.sample(67, generator=torch.Generator().manual_seed(3))
    assert sizes == [(32, 32), (32, 32), (3, 3)]
    assert clips.dtype == torch.float32 and clips.min() == -1 and clips.max() == 1 and not clips.requires_grad
    assert system.double().sample(2, generator=torch.Generator().manual_seed(3)).dtype == torch.float32


def test_a_sample_of_a_label_is_the_samplers_clip_of_that_label():
    system = small(size=8, n_classes=3)
    labels, z = torch.tensor([2, 0, 1, 1]), system.latents(4, torch.Generator().manual_seed(3))
    made = system.sample(4, labels, torch.Generator().manual_seed(3), batch=3)
    torch.testing.assert_close(made, system.sampler(z, labels), atol=1e-5, rtol=1e-4)
    assert system.uniform_labels(7).tolist() == [0, 1, 2, 0, 1, 2, 0]
    with torch.device("meta"):  # labels are where the system is, whatever the default device
        assert system.uniform_labels(4).tolist() == [0, 1, 2, 0]


def test_training_mode_is_for_every_network_but_the_sampler():
    system = small(size=8)
    for mode in (True, False):
        assert system.train(mode) is system
        networks = (system.generator, system.discriminator, system.encoder)
        assert {network.training for network in networks} == {mode} and not system.sampler.training
        assert not any(module.training for module in system.sampler.modules())
    assert system.train().generator.training and not system.eval().generator.training
    assert not any(p.requires_grad for p in system.sampler.parameters())
    assert all(p.requires_grad for p in system.generator.parameters())


def test_a_system_says_what_it_leaves_to_its_own_file():
    bare = System(8, 16, 2)
    assert (bare.frames, bare.size, bare.n_classes) == (8, 16, 2)
    assert bare.order == ("discriminator", "generator") and bare.critic_steps == 1 and bare.takes_labels
    assert bare.constrain_discriminator(0) is None
    for call in (lambda: bare.latents(1), bare.optimisers, lambda: bare.discriminator_losses(None, None, None),
                 lambda: bare.generator_losses(None, None, None)):  # fmt: skip
        with pytest.raises(NotImplementedError):
            call()


def test_a_latent_sequence_steers_its_own_part_of_the_clip():
    system = small(latent="sequence", size=8).eval()
    z = system.latents(1, torch.Generator().manual_seed(0))
    assert z.shape == (1, 4, 128)
    moved = z.clone()
    moved[:, 3] += 1  # frames 6 and 7; three convolutions in time carry that as far as frame 2
    change = (system.generator(moved) - system.generator(z)).abs().amax(dim=(0, 1, 3, 4))
    assert change[0] == change[1] == 0 and change[7] > 0.01


def test_the_encoder_lands_where_latents_are_drawn():
    system = small(code="sphere")
    codes = system.encoder(batch(system)[0])
    torch.testing.assert_close(codes.square().mean(1), torch.ones(4), atol=1e-4, rtol=1e-4)


def test_uniform_latents_and_normal_codes_do_not_go_together():
    with pytest.raises(ValueError, match="take code='sphere'"):
        small(latent_distribution="uniform")
    assert small(latent_distribution="uniform", code="sphere").config.code == "sphere"


@pytest.mark.parametrize(
    "options, terms",
    [
        ({"pixel_loss": "off"}, {"adversarial"}),
        ({"pixel_loss": "unpaired"}, {"adversarial", "pixel"}),
        ({"pixel_loss": "reconstruction"}, {"adversarial", "pixel", "code"}),
        ({"pixel_loss": "reconstruction", "code": "sphere"}, {"adversarial", "pixel"}),
    ],
)
def test_pixel_loss_switch(options, terms):
    system = small(**options)
    assert set(system.generator_losses(*batch(system))) == terms  # without an encoder nothing is charged
    assert (system.encoder is not None) == (options["pixel_loss"] == "reconstruction")


def test_reconstruction_reaches_encoder_and_generator():
    system = small()
    system.generator_losses(*batch(system))["pixel"].backward()
    assert system.encoder.fc.weight.grad.abs().max() > 0 and system.generator.fc.weight.grad.abs().max() > 0


def test_weight_clipping_bounds_every_weight():
    system = small(lipschitz="clip", clip=0.02)
    system.constrain_discriminator(step=0)
    assert max(p.abs().max() for p in system.discriminator.parameters()) <= 0.02


def test_gradient_penalty_is_a_term_and_spectral_norm_bounds_the_weights():
    assert "gradient_penalty" in (s := small(lipschitz="gradient_penalty")).discriminator_losses(*batch(s))
    system = small(lipschitz="spectral_norm")
    for _ in range(20):  # each forward in training mode is one power iteration
        system.discriminator(batch(system)[0])
    assert torch.linalg.matrix_norm(system.discriminator.fc.weight, 2) < 1.05


@pytest.mark.parametrize("reading", ["bce_shift", "bce", "bce_scale", "wgan", "lsgan"])
def test_each_reading_of_k_trains_both_networks(reading):
    system = small(adversarial=reading, lipschitz="none")
    sum(system.discriminator_losses(*batch(system)).values()).backward()
    assert system.discriminator.score.weight.grad.isfinite().all() and system.generator.fc.weight.grad is None
    sum(system.generator_losses(*batch(system)).values()).backward()
    assert system.generator.fc.weight.grad.abs().max() > 0


def test_wrong_names_are_refused_in_one_line():
    for call, words in [
        (lambda: build_system("biggan"), "unknown system 'biggan'"),
        (lambda: small(preset="best"), "unknown preset 'best'"),
        (lambda: small(alpha=0.0, beta=0.0), "Eq. 15 asks nothing of G"),
        (lambda: small(colour=1), "no option 'colour'"),
        (lambda: small(lipschitz="hope"), "lipschitz cannot be 'hope'"),
    ]:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("step, decay", [(0, 1 / 10), (1, 2 / 11), (90, 91 / 100), (8990, 0.999), (10**6, 0.999)])
def test_the_samplers_average_is_short_at_first_and_then_a_thousand_steps_long(step, decay):
    system = small(size=8)
    old = [p.clone() for p in system.sampler.parameters()]
    with torch.no_grad():
        for p in system.generator.parameters():
            p.add_(torch.randn_like(p))
    system.generator(system.latents(4))  # moves the running statistics
    system.update_sampler(system.generator, step)
    for before, fresh, now in zip(old, system.generator.parameters(), system.sampler.parameters()):
        torch.testing.assert_close(now, decay * before + (1 - decay) * fresh, atol=1e-6, rtol=1e-5)
    statistics = list(zip(system.sampler.buffers(), system.generator.buffers()))
    assert statistics and all(torch.equal(kept, fresh) for kept, fresh in statistics)
    assert system.sampler.layers[0][0].num_batches_tracked == 1


def test_the_sampler_follows_the_generator():
    system = small()
    with torch.no_grad():
        for p in system.generator.parameters():
            p.add_(1)
    before = system.sampler.fc.weight.clone()
    system.update_sampler(system.generator, step=10**6)
    torch.testing.assert_close(system.sampler.fc.weight - before, torch.full_like(before, 0.001), atol=1e-5, rtol=0.1)
