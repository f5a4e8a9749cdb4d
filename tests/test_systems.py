"""VGAN, TGAN, MoCoGAN and iVGAN: the published counts and shapes, the cuts, what each update sees, exact resume."""

import pytest
import torch
from torch import nn

from hrvgan_lib.networks import SYSTEMS, build_system
from hrvgan_lib.networks.tgan import clip_scales_, singular_value_clip_
from hrvgan_lib.networks.vgan import FAKE, REAL, softmax_loss
from hrvgan_lib.training import TrainConfig, train

PUBLISHED = {"vgan": (32, 64), "tgan": (16, 64), "mocogan": (16, 64), "ivgan": (32, 64)}
NAMES = list(PUBLISHED)
CLIPS = torch.rand(8, 3, 8, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1


class Toy:
    """Eight random clips that stand where a ClipDataset would."""

    def __len__(self) -> int:
        return len(CLIPS)

    def batch(self, indices, generator=None, device="cpu"):
        return CLIPS[indices], indices % 2


def small(name, **options):
    torch.manual_seed(0)
    return build_system(name, **{"frames": 8, "size": 16, "width": 0.07, **options})


def batch(system, n=4):
    labels = torch.arange(n) % system.n_classes if system.n_classes else None
    return CLIPS[:n], labels, torch.Generator().manual_seed(1)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def state(system) -> torch.Tensor:
    return torch.cat([tensor.flatten().float() for tensor in system.state_dict().values()])


# What was published ---------------------------------------------------------------------------------------------------
def test_parameter_counts_are_the_published_ones():
    with torch.device("meta"):
        vgan, tgan, ivgan = (SYSTEMS[name]() for name in ("vgan", "tgan", "ivgan"))
        mocogan, labelled = SYSTEMS["mocogan"](), SYSTEMS["mocogan"](n_classes=101)
    assert count(vgan.generator) == 16_245_383 and count(vgan.discriminator) == 11_057_858
    assert count(vgan.generator.background) == 3_577_667
    assert count(tgan.generator.temporal) == 825_444 and count(tgan.generator.image) == 3_622_691
    assert count(tgan.discriminator) == 11_032_385
    assert count(mocogan.generator) == 3_249_684 and count(mocogan.generator.recurrent) == 660
    assert count(mocogan.discriminator.image) == 663_296 and count(mocogan.discriminator.video) == 2_650_880
    assert count(labelled.generator) == 4_077_076 and count(labelled.discriminator.video) == 14_366_464
    # VGAN's foreground with one bias a unit of the first map, not a channel, and without the mask
    assert count(ivgan.generator) == 12_667_716 - 4_097 + 512 * 31


def full_shapes(name, frames, size, n_classes=0, width=1.0):
    with torch.device("meta"):
        system = SYSTEMS[name](frames=frames, size=size, n_classes=n_classes, width=width)
        labels = torch.empty(2, dtype=torch.long) if n_classes else None
        dimensions = 100 if name != "mocogan" else 50 + 10 + 10 * frames
        clips = system.generator(torch.empty(2, dimensions), labels)
        assert clips.shape == (2, 3, frames, size, size)
        return system, clips


@pytest.mark.parametrize("frames, size", [(32, 64), (16, 64), (8, 32), (8, 16), (64, 256)])
def test_vgan_and_ivgan_fit_together_at_every_cut(frames, size):
    system, clips = full_shapes("vgan", frames, size)
    assert system.discriminator(clips).shape == (2, 2)
    system, clips = full_shapes("ivgan", frames, size)
    assert system.discriminator(clips).shape == (2,)


@pytest.mark.parametrize("frames, size", [(16, 64), (32, 64), (8, 32), (4, 16), (8, 16), (64, 256)])
def test_tgan_fits_together_at_every_cut(frames, size):
    system, clips = full_shapes("tgan", frames, size)
    assert system.discriminator(clips).shape == (2,)
    channels = [layer.out_channels for layer in system.generator.temporal.layers
                if isinstance(layer, nn.ConvTranspose1d)]
    expected = {4: [512, 256, 100], 8: [512, 256, 128, 100], 16: [512, 256, 128, 128, 100]}
    assert channels == expected.get(frames, [512, 256, *[128] * (frames.bit_length() - 3), 100])


@pytest.mark.parametrize("frames, size, patch, left", [
    (16, 64, (4, 4, 4), 4), (8, 32, (2, 4, 4), 2), (8, 16, (2, 4, 4), 2), (32, 64, (20, 4, 4), 20),
    (16, 256, (4, 4, 4), 4), (6, 64, (2, 4, 4), 2)])
def test_mocogan_fits_together_at_every_cut(frames, size, patch, left):
    system, clips = full_shapes("mocogan", frames, size)
    assert system.discriminator.image(clips[:, :, 0]).shape == (2, 1, 4, 4)
    assert system.discriminator.clips(clips)[0].shape == (2, 1, *patch)
    system, clips = full_shapes("mocogan", frames, size, n_classes=5)
    logits, classes = system.discriminator.clips(clips)
    assert logits.shape == (2,) and classes.shape == (2, 5)
    assert system.discriminator.video.score.kernel_size == (min(4, left), 4, 4)


def test_published_optimisers():
    options = {name: small(name).optimisers()["generator"] for name in NAMES}
    assert isinstance(options["tgan"], torch.optim.RMSprop) and options["tgan"].defaults["lr"] == 5e-5
    assert options["vgan"].defaults["betas"] == (0.5, 0.999) and options["ivgan"].defaults["betas"] == (0.5, 0.99)
    assert options["mocogan"].defaults["weight_decay"] == 1e-5


# What they refuse -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name, options, words", [
    ("vgan", {"frames": 16, "size": 256}, "VGAN cannot be cut to 16 frames of 256x256: .* multiple of 64; ask for 64"),
    ("vgan", {"size": 48}, "VGAN cannot be cut to 8 frames of 48x48: the size must be one of 16, 32, 64"),
    ("ivgan", {"frames": 20, "size": 64}, "iVGAN cannot be cut to 20 frames of 64x64: .* 16; ask for 16"),
    ("tgan", {"frames": 12}, "TGAN cannot be cut to 12 frames of 16x16: frames must be a power of two, at least 4"),
    ("tgan", {"frames": 8, "size": 64}, "power of two, at least 16"),
    ("mocogan", {"frames": 4, "size": 64}, "MoCoGAN cannot be cut to 4 frames of 64x64: it needs at least 6 frames"),
    ("mocogan", {"size": 8}, "the size must be one of"),
    *[(name, {"n_classes": 3}, "takes no labels; build it with n_classes=0, or train it with conditional=False")
      for name in ("vgan", "tgan", "ivgan")],
    ("mocogan", {"infogan": True}, "infogan needs labels, and this data set has none"),
    ("mocogan", {"categories": True}, "categories needs labels"),
    ("tgan", {"variant": "hope"}, "variant cannot be 'hope'"),
    *[(name, {"colour": 1}, "no option 'colour'") for name in NAMES],
])
def test_what_does_not_fit_is_refused_in_one_line(name, options, words):
    with pytest.raises(ValueError, match=words) as caught:
        small(name, **options)
    assert "\n" not in str(caught.value)


# What all have in common ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name, frames, size, n_classes", [
    *[(name, 8, 16, 0) for name in NAMES], *[(name, 8, 32, 0) for name in NAMES],
    *[(name, 16, 64, 0) for name in NAMES], ("mocogan", 8, 32, 3)])
def test_samples_are_in_range_and_the_same_at_any_batch(name, frames, size, n_classes):
    system = small(name, frames=frames, size=size, n_classes=n_classes).train()  # also in the middle of training
    clips = system.sample(3, generator=torch.Generator().manual_seed(3), batch=3)
    again = system.sample(3, generator=torch.Generator().manual_seed(3), batch=1)
    assert clips.shape == (3, 3, frames, size, size) and clips.abs().max() <= 1
    torch.testing.assert_close(clips, again, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name, options", [*[(name, {}) for name in NAMES], ("tgan", {"variant": "normal"}),
                                           ("mocogan", {"n_classes": 2, "noise": 0.1})])
def test_each_update_reaches_its_own_network(name, options):
    system = small(name, **options).train()
    sum(system.discriminator_losses(*batch(system)).values()).backward()
    assert all(p.grad is None for p in system.generator.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in system.discriminator.parameters())
    sum(system.generator_losses(*batch(system)).values()).backward()
    grads = [p.grad for p in system.generator.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in grads) and any(grad.any() for grad in grads)


@pytest.mark.parametrize("name", NAMES)
def test_losses_depend_on_nothing_but_the_given_noise(name):
    values = []
    for seed in (3, 4):
        system = small(name, **{"noise": 0.1} if name == "mocogan" else {})
        torch.manual_seed(seed)
        values.append([float(sum(losses(*batch(system)).values()).detach())
                       for losses in (system.discriminator_losses, system.generator_losses)])
    assert values[0] == values[1]


@pytest.mark.parametrize("name, options, n_classes", [
    *[(name, {}, 0) for name in NAMES], ("tgan", {"variant": "normal"}, 0), ("mocogan", {"noise": 0.1}, 2)])
def test_a_resumed_run_is_bit_for_bit_the_run_that_never_stopped(name, options, n_classes, tmp_path):
    whole, stopped, resumed = (small(name, n_classes=n_classes, width=0.02, **options) for _ in range(3))
    config = TrainConfig(steps=2, batch=4, save_every=1)
    records = list(train(whole, Toy(), config))
    next(train(stopped, Toy(), config, tmp_path))
    (rest,) = train(resumed, Toy(), config, tmp_path)
    assert rest.step == 2 and torch.equal(state(whole), state(resumed))
    assert rest.generator == records[1].generator and rest.discriminator == records[1].discriminator


@pytest.mark.parametrize("name, turn", [("vgan", "DG"), ("tgan", "GD"), ("mocogan", "DG"), ("ivgan", "DDDDDG")])
def test_the_loop_updates_in_the_published_order(name, turn):
    system, calls = small(name, width=0.02), []
    for letter, method in (("D", "discriminator_losses"), ("G", "generator_losses")):
        inner = getattr(system, method)
        setattr(system, method, lambda *inputs, inner=inner, letter=letter: calls.append(letter) or inner(*inputs))
    list(train(system, Toy(), TrainConfig(steps=2, batch=4)))
    assert "".join(calls) == 2 * turn


@pytest.mark.parametrize("name, n_classes", [*[(name, 0) for name in NAMES], ("mocogan", 2)])
def test_both_losses_run_in_bfloat16(name, n_classes):
    system = small(name, n_classes=n_classes).train()
    with torch.autocast("cpu", torch.bfloat16):
        terms = [system.discriminator_losses(*batch(system)), system.generator_losses(*batch(system))]
    for losses in terms:
        assert all(term.dtype == torch.float32 for term in losses.values())
        sum(losses.values()).backward()


# VGAN -----------------------------------------------------------------------------------------------------------------
def test_vgan_mixes_its_streams_and_pays_for_an_open_mask():
    system = small("vgan").train()
    latents = system.latents(3, torch.Generator().manual_seed(0))
    foreground, mask, background = system.generator.streams(latents)
    assert mask.shape == (3, 1, 8, 16, 16) and background.shape == (3, 3, 1, 16, 16)
    mixed = torch.empty_like(foreground)
    for t in range(8):
        mixed[:, :, t] = mask[:, :, t] * foreground[:, :, t] + (1 - mask[:, :, t]) * background[:, :, 0]
    torch.testing.assert_close(system.generator(latents), mixed)
    nn.init.zeros_(system.generator.mask.weight)
    nn.init.constant_(system.generator.mask.bias, 1.5)
    penalty = system.generator_losses(*batch(system))["mask"]
    torch.testing.assert_close(penalty, 0.1 * torch.sigmoid(torch.tensor(1.5)))


def test_vgan_judges_one_batch_of_fakes_in_both_updates():
    system, seen = small("vgan").train(), []
    system.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    clips, labels, noise = batch(system)
    system.discriminator_losses(clips, labels, noise)
    system.generator_losses(clips, labels, noise)
    assert len(seen) == 3 and torch.equal(seen[1], seen[2])
    system.discriminator_losses(clips, labels, noise)
    assert not torch.equal(seen[4], seen[1])  # the next turn has fakes of its own


def test_vgan_softmax_is_the_game_of_eq_1():
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    probability = torch.sigmoid(logits[:, REAL] - logits[:, FAKE])
    torch.testing.assert_close(softmax_loss(logits, REAL), -probability.log().mean())
    torch.testing.assert_close(softmax_loss(logits, FAKE), -(1 - probability).log().mean())


# TGAN -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape, gain", [((6, 3, 4, 4, 4), 0.2), ((12, 6, 4, 4, 4), 0.05), ((1, 12, 1, 4, 4), 1.0),
                                         ((20, 2, 1, 2, 2), 0.4), ((8, 5, 3, 3), 10.0), ((5, 3, 4, 4), 0.001)])
def test_singular_values_above_one_become_one_and_nothing_else_changes(shape, gain):
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(0)) * gain)
    left, values, right = torch.linalg.svd(layer.weight.detach().flatten(1).double(), full_matrices=False)
    expected = (left * values.clamp(max=1)) @ right
    before = layer.weight.detach().clone()
    singular_value_clip_(layer)
    after = layer.weight.detach()
    assert torch.linalg.matrix_norm(after.flatten(1).double(), 2) <= 1 + 1e-5
    torch.testing.assert_close(after.flatten(1), expected.float(), atol=1e-5, rtol=1e-4)
    small_ones = left[:, values < 1]  # what W does in these directions is left alone
    torch.testing.assert_close(small_ones.T @ after.flatten(1).double(), small_ones.T @ before.flatten(1).double(),
                               atol=1e-5, rtol=1e-4)
    if (values <= 1).all():
        assert torch.equal(after, before)


def test_tgan_scales_stay_below_the_running_deviation():
    norm = nn.BatchNorm3d(4)
    norm.running_var.copy_(torch.tensor([4.0, 0.25, 1.0, 100.0]))
    norm.weight.data.copy_(torch.tensor([3.0, 3.0, -1.0, 5.0]))
    clip_scales_(nn.Sequential(norm))
    torch.testing.assert_close(norm.weight.detach(), torch.tensor([2.0, 0.5, 0.01, 5.0]))


def test_tgan_clips_after_every_fifth_update_and_only_then():
    system = small("tgan")
    score = system.discriminator.score.weight
    clipped = []
    for step in range(11):
        nn.init.constant_(score, 5.0)
        system.constrain_discriminator(step)
        clipped.append(bool(torch.linalg.vector_norm(score) <= 1 + 1e-5))
    assert [step for step, yes in enumerate(clipped) if yes] == [4, 9]
    for network in (system.discriminator, system.generator.temporal):
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm3d)]
        assert norms and all(norm.bias is None for norm in norms)


def test_tgan_variants_hold_their_critic_or_leave_it():
    system = small("tgan", variant="clip")
    system.constrain_discriminator(0)
    assert max(p.abs().max() for p in system.discriminator.parameters()) <= 0.01
    system = small("tgan", variant="normal").eval()
    before = state(system)
    system.constrain_discriminator(4)
    assert torch.equal(before, state(system))
    clean, noisy = system.discriminator(CLIPS), system.discriminator(CLIPS, torch.Generator().manual_seed(0))
    assert not torch.equal(clean, noisy)
    assert torch.equal(noisy, system.discriminator(CLIPS, torch.Generator().manual_seed(0)))


def test_tgan_judges_exactly_the_fakes_that_the_generator_was_updated_on():
    system, seen = small("tgan").train(), []
    system.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    optimisers, (clips, labels, noise) = system.optimisers(), batch(system)
    system.generator_losses(clips, labels, noise)["adversarial"].backward()
    optimisers["generator"].step()  # the fakes are those from before the update
    system.discriminator_losses(clips, labels, noise)
    assert len(seen) == 3 and torch.equal(seen[0], seen[2]) and torch.equal(seen[1], clips)


# MoCoGAN --------------------------------------------------------------------------------------------------------------
def test_mocogan_keeps_content_and_moves_by_its_own_path():
    system = small("mocogan").eval()
    one, two = system.latents(2, torch.Generator().manual_seed(0))
    moved = torch.cat([one[:50], two[50:]])  # the first content on the second path
    codes = system.generator.codes(torch.stack([one, two, moved]))
    assert torch.equal(codes[2, :, :50], codes[0, :, :50]) and torch.equal(codes[2, :, 50:], codes[1, :, 50:])
    assert torch.equal(codes[0, 0, :50], codes[0, 7, :50])
    clips = system.generator(torch.stack([one, two, moved]))
    assert (clips[2] - clips[0]).abs().max() > 1e-4 and (clips[2] - clips[1]).abs().max() > 1e-4
    assert (clips[0, :, 0] - clips[0, :, 1]).abs().max() > 1e-5  # and it moves


def test_mocogan_motion_does_not_see_the_future():
    system = small("mocogan").eval()
    latents = system.latents(1, torch.Generator().manual_seed(0))
    later = latents.clone()
    later[:, 50 + 10 + 5 * 10:] += 1  # eps of the sixth frame and those after it
    change = (system.generator(later) - system.generator(latents)).abs().amax(dim=(0, 1, 3, 4))
    assert (change[:5] == 0).all() and (change[5:] > 0).all()


def test_mocogan_categories_change_the_clip_and_are_terms():
    system = small("mocogan", n_classes=3).eval()
    latents = system.latents(2, torch.Generator().manual_seed(0))
    zero, one = system.generator(latents, torch.tensor([0, 0])), system.generator(latents, torch.tensor([1, 1]))
    assert (zero - one).abs().max() > 1e-4
    assert set(system.discriminator_losses(*batch(system))) == {"adversarial frames", "adversarial clips", "categories"}
    assert set(system.generator_losses(*batch(system))) == {"adversarial frames", "adversarial clips", "infogan"}
    without = small("mocogan", n_classes=3, categories=False, infogan=False)
    assert "categories" not in without.discriminator_losses(*batch(without))
    assert "infogan" not in without.generator_losses(*batch(without))
    with pytest.raises(ValueError, match="pass labels"):
        system.check_labels(None)


def test_mocogan_shows_its_image_discriminator_one_frame_of_each_clip():
    system, seen = small("mocogan").train(), []
    system.discriminator.image.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    system.discriminator_losses(*batch(system))
    real, fake = sorted(seen, key=lambda frames: not any(torch.equal(frames[0], f) for f in CLIPS[0].unbind(1)))
    assert real.shape == fake.shape == (4, 3, 16, 16)
    assert all(any(torch.equal(frame, other) for other in clip.unbind(1)) for frame, clip in zip(real, CLIPS))


# iVGAN ----------------------------------------------------------------------------------------------------------------
def test_ivgan_has_a_gradient_penalty_around_one():
    system = small("ivgan").train()
    assert set(system.discriminator_losses(*batch(system))) == {"adversarial", "gradient_penalty"}
    for p in system.discriminator.parameters():
        nn.init.zeros_(p)
    torch.testing.assert_close(system.discriminator_losses(*batch(system))["gradient_penalty"], torch.tensor(10.0))


def test_ivgan_layer_norm_is_layer_norm():
    x = torch.randn(2, 5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(nn.GroupNorm(1, 5)(x), nn.functional.layer_norm(x, x.shape[1:]), atol=1e-5, rtol=1e-4)


def test_weights_that_are_not_finite_are_left_to_the_loss_to_report():
    layer = nn.Conv3d(2, 3, 4)
    layer.weight.data[0, 0, 0, 0, 0] = float("nan")
    singular_value_clip_(layer)  # no error: the next loss is not finite, and training says which
