"""HRVGAN's networks: the shapes and counts of Tables 1 and 2, the cuts, the switches."""

import pytest
import torch
from torch import nn

from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import (
    Discriminator,
    Downsample,
    Encoder,
    Generator,
    HRVGANConfig,
    Upsample,
    deconv,
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
    assert ups == [(128, 8, 8, 8), (128, 8, 16, 16), (128, 8, 32, 32), (64, 16, 64, 64), (32, 16, 128, 128),
                   (16, 32, 256, 256)]
    assert made[-1] == ("DeConv 1×1×1", "tanh", (3, 32, 256, 256))
    downs = [row.shape for row in judged if row.layer == "Downsample"]
    assert downs == [(16, 16, 128, 128), (32, 16, 64, 64), (64, 8, 32, 32), (128, 8, 16, 16), (128, 8, 8, 8),
                     (128, 4, 4, 4)]
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


def test_temporal_schedule_is_a_switch():
    plan = stages(32, 256, make_config("literal", temporal_doublings=(8, 32, 128)))
    assert [stage.frames for stage in plan] == [4, 8, 8, 16, 16, 32, 32]


def test_deconv_is_a_convolution_with_the_flipped_transposed_kernel():
    layer, x = deconv(5, 7), torch.randn(2, 5, 4, 6, 6)
    flipped = layer.weight.transpose(0, 1).flip(2, 3, 4)
    torch.testing.assert_close(layer(x), nn.functional.conv3d(x, flipped, layer.bias, padding=1), atol=1e-5, rtol=1e-4)


def test_upsample_and_downsample_agree_with_torch():
    x = torch.randn(2, 3, 4, 6, 6)
    torch.testing.assert_close(Upsample((2, 2, 2), "nearest")(x), nn.functional.interpolate(x, scale_factor=2.0))
    torch.testing.assert_close(Downsample((1, 2, 2))(x), nn.functional.avg_pool3d(x, (1, 2, 2)))
    torch.testing.assert_close(Downsample((2, 2, 2))(Upsample((2, 2, 2), "nearest")(x)), x)


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


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="pass labels"):
        small(n_classes=3).check_labels(None)
    with pytest.raises(ValueError, match="outside the 3 classes"):
        small(n_classes=3).sample(2, labels=torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="outside the 0 classes"):
        small().sample(2, labels=torch.tensor([0, 1]))


def test_a_latent_sequence_steers_its_own_part_of_the_clip():
    system = small(latent="sequence", size=8).eval()
    z = system.latents(1, torch.Generator().manual_seed(0))
    assert z.shape == (1, 4, 128)
    moved = z.clone()
    moved[:, 3] += 1  # frames 6 and 7; three convolutions in time carry that as far as frame 2
    change = (system.generator(moved) - system.generator(z)).abs().amax(dim=(0, 1, 3, 4))
    assert change[0] == change[1] == 0 and change[7] > 0.01


def test_the_encoder_lands_where_latents_are_drawn():
    system = small()
    codes = system.encoder(batch(system)[0])
    torch.testing.assert_close(codes.square().mean(1), torch.ones(4), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("options, terms", [
    ({"pixel_loss": "off"}, {"adversarial"}),
    ({"pixel_loss": "unpaired"}, {"adversarial", "pixel"}),
    ({"pixel_loss": "reconstruction"}, {"adversarial", "pixel"}),
])
def test_pixel_loss_switch(options, terms):
    system = small(**options)
    assert set(system.generator_losses(*batch(system))) == terms
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
        (lambda: small(colour=1), "no option 'colour'"),
        (lambda: small(lipschitz="hope"), "lipschitz cannot be 'hope'"),
    ]:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_sampler_follows_the_generator():
    system = small()
    with torch.no_grad():
        for p in system.generator.parameters():
            p.add_(1)
    before = system.sampler.fc.weight.clone()
    system.update_sampler(system.generator, step=10**6)
    torch.testing.assert_close(system.sampler.fc.weight - before, torch.full_like(before, 0.001), atol=1e-5, rtol=0.1)
