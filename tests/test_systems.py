"""VGAN, TGAN, MoCoGAN and iVGAN: the published counts and shapes, the cuts, what each update sees, exact resume."""

from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from hrvgan_lib import losses as library_losses
from hrvgan_lib.networks import SYSTEMS, build_system, ivgan, mocogan, tgan, vgan
from hrvgan_lib.networks.system import count_stages, cut_cube, stage_channels
from hrvgan_lib.networks.tgan import clip_scales_, singular_value_clip_
from hrvgan_lib.networks.vgan import FAKE, REAL, softmax_loss
from hrvgan_lib.training import TrainConfig, train

PUBLISHED = {"vgan": (32, 64), "tgan": (16, 64), "mocogan": (16, 64), "ivgan": (32, 64)}
NAMES = list(PUBLISHED)
CLIPS = torch.rand(8, 3, 8, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1


class Toy:
    """Eight random clips that stand where a ClipDataset would; its generator decides a little of what they show."""

    def __len__(self) -> int:
        return len(CLIPS)

    def batch(self, indices, generator=None, device="cpu"):
        jitter = torch.rand(len(indices), generator=generator).view(-1, 1, 1, 1, 1) * 0.01
        return CLIPS[indices] + jitter, indices % 2


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


@contextmanager
def meta():
    """The meta device, where a network of any size is built at once: tensors there have a shape and no numbers.

    Nothing is drawn: to learn the shape of a normal draw, torch would first load its compiler, which takes seconds.
    """
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(torch.Tensor, "normal_", lambda tensor, *_, **__: tensor)
        yield


# What was published ---------------------------------------------------------------------------------------------------
def test_parameter_counts_are_the_published_ones():
    with meta():
        vgan, tgan, ivgan = (SYSTEMS[name]() for name in ("vgan", "tgan", "ivgan"))
        mocogan, labelled = SYSTEMS["mocogan"](), SYSTEMS["mocogan"](n_classes=101)
    assert count(vgan.generator) == 16_245_383 and count(vgan.discriminator) == 11_057_858
    assert count(vgan.generator.background) == 3_577_667
    assert count(tgan.generator.temporal) == 825_444 and count(tgan.generator.image) == 3_622_691
    assert count(tgan.discriminator) == 11_032_385
    assert count(mocogan.generator) == 3_249_684 and count(mocogan.generator.recurrent) == 660
    assert count(mocogan.discriminator.image) == 663_296 and count(mocogan.discriminator.video) == 2_650_880
    assert count(labelled.generator) == 4_077_076 and count(labelled.discriminator.video) == 14_366_464
    # VGAN's foreground with one bias a unit of the first map, not a channel, without the mask and without scales
    assert count(ivgan.generator) == 12_667_716 - 4_097 + 512 * 31 - (512 + 256 + 128 + 64)
    for name, system in (("vgan", vgan), ("tgan", tgan), ("ivgan", ivgan), ("mocogan", mocogan)):
        assert (system.frames, system.size) == PUBLISHED[name] and system.n_classes == 0


def test_the_other_defaults_are_the_published_ones_too():
    assert vgan.VGANConfig() == vgan.VGANConfig(
        recipe="published", width=1.0, latent_dim=100, mask_weight=0.1, leak=0.2, learning_rate=2e-4, betas=(0.5, 0.999)
    )
    assert tgan.TGANConfig() == tgan.TGANConfig(
        recipe="published",
        width=1.0,
        latent_dim=100,
        variant="svc",
        clip_every=5,
        weight_clip=0.01,
        noise=0.3,
        leak=0.2,
        learning_rate=5e-5,
        alpha=0.99,
    )
    assert mocogan.MoCoGANConfig() == mocogan.MoCoGANConfig(
        recipe="published",
        first_weights="today",
        batches="whole",
        frames_batch=10,
        clips_batch=3,
        width=1.0,
        content_dim=50,
        motion_dim=10,
        categories=None,
        infogan=None,
        noise=0.0,
        leak=0.2,
        learning_rate=2e-4,
        betas=(0.5, 0.999),
        weight_decay=1e-5,
    )
    assert ivgan.IVGANConfig() == ivgan.IVGANConfig(
        width=1.0, latent_dim=100, lambda_gp=10.0, critic_steps=5, learning_rate=2e-4, betas=(0.5, 0.99)
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_network_has_an_optimiser_with_the_settings_of_its_configuration(name):
    system = small(name, learning_rate=0.123)
    optimisers = system.optimisers()
    assert set(optimisers) == {"generator", "discriminator"}
    for network, optimiser in optimisers.items():
        (group,) = optimiser.param_groups
        assert {*map(id, group["params"])} == {*map(id, getattr(system, network).parameters())}
        assert group["lr"] == 0.123 and group["eps"] == 1e-8
        if name == "tgan":
            assert group["alpha"] == 0.99 and group["momentum"] == 0
        else:
            assert group["betas"] == system.config.betas
            assert group["weight_decay"] == (1e-5 if name == "mocogan" else 0)


@pytest.mark.parametrize("name", NAMES)
def test_every_leaky_relu_has_the_published_slope_and_only_critics_may_reach_zero(name):
    system = small(name)
    slopes = {module.negative_slope for module in system.modules() if isinstance(module, nn.LeakyReLU)}
    assert slopes == {0.2}
    if name != "ivgan":
        steeper = small(name, leak=0.3).discriminator
        assert {m.negative_slope for m in steeper.modules() if isinstance(m, nn.LeakyReLU)} == {0.3}
    assert system.zero_means_won == (name in ("vgan", "mocogan"))
    if name == "tgan":
        assert small("tgan", variant="normal").zero_means_won and not small("tgan", variant="clip").zero_means_won


# The cuts -------------------------------------------------------------------------------------------------------------
def test_channels_double_from_the_pixels_to_512_and_are_four_at_least():
    assert stage_channels(6, 32, 1.0) == [32, 64, 128, 256, 512, 512]
    assert stage_channels(4, 64, 0.5) == [32, 64, 128, 256]
    assert stage_channels(3, 64, 0.001) == [4, 4, 4]
    assert [count_stages("X", 8, size) for size in (16, 32, 64, 128, 256)] == [2, 3, 4, 5, 6]
    assert cut_cube("X", 32, 64, 1.0) == (2, [512, 256, 128, 64])
    assert cut_cube("X", 4, 16, 1.0) == (1, [128, 64])
    assert cut_cube("X", 12, 16, 0.001) == (3, [4, 4])


@pytest.mark.parametrize("frames, ask", [(3, 4), (5, 4), (11, 8)])
def test_a_cube_that_does_not_fit_names_the_frames_that_would(frames, ask):
    with pytest.raises(ValueError, match=f"X cannot be cut to {frames} frames of 16x16: .* of 4; ask for {ask}$"):
        cut_cube("X", frames, 16, 1.0)


def test_tgan_is_cut_in_time_and_space():
    assert tgan.cut(16, 64, 1.0) == ([512, 256, 128, 128], [512, 256, 128, 64, 32], [64, 128, 256, 512])
    assert tgan.cut(4, 16, 0.5) == ([256, 128], [64, 32, 16], [32, 64])
    assert tgan.cut(8, 16, 0.001) == ([4, 4, 4], [4, 4, 4], [4, 4])


def test_mocogans_kernels_span_as_many_frames_as_leave_two():
    shapes = (16, 64), (8, 16), (8, 32), (6, 64), (32, 64), (8, 64), (10, 64), (5, 32), (4, 16)
    assert [mocogan.cut(*shape, 1.0)[1] for shape in shapes] == [4, 4, 3, 2, 4, 2, 3, 2, 2]
    assert mocogan.cut(16, 64, 1.0)[0] == [64, 128, 256, 512] and mocogan.cut(16, 32, 0.5)[0] == [32, 64, 128]


@torch.no_grad()
def full_shapes(name, frames, size, n_classes=0):
    with meta() if size == 256 else nullcontext():
        system = SYSTEMS[name](frames=frames, size=size, n_classes=n_classes, width=0.01).eval()
        clips = system.generator(system.latents(2), torch.zeros(2, dtype=torch.long) if n_classes else None)
    assert clips.shape == (2, 3, frames, size, size)
    return system, clips


@pytest.mark.parametrize("frames, size", [(32, 64), (16, 64), (8, 32), (8, 16), (12, 16), (64, 256)])
@torch.no_grad()
def test_vgan_and_ivgan_fit_together_at_every_cut(frames, size):
    system, clips = full_shapes("vgan", frames, size)
    assert system.discriminator(clips).shape == (2, 2)
    system, clips = full_shapes("ivgan", frames, size)
    assert system.discriminator(clips).shape == (2,)


@pytest.mark.parametrize("frames, size", [(16, 64), (32, 64), (8, 32), (4, 16), (8, 16), (16, 16), (64, 256)])
@torch.no_grad()
def test_tgan_fits_together_at_every_cut(frames, size):
    system, clips = full_shapes("tgan", frames, size)
    assert system.discriminator(clips).shape == (2,)
    with meta():
        layers = SYSTEMS["tgan"](frames=frames, size=size).generator.temporal.layers
    channels = [layer.out_channels for layer in layers if isinstance(layer, nn.ConvTranspose1d)]
    expected = {4: [512, 256, 100], 8: [512, 256, 128, 100], 16: [512, 256, 128, 128, 100]}
    assert channels == expected.get(frames, [512, 256, *[128] * (frames.bit_length() - 3), 100])


@pytest.mark.parametrize(
    "frames, size, patch, left",
    [
        (16, 64, (4, 4, 4), 4),
        (8, 32, (2, 4, 4), 2),
        (8, 16, (2, 4, 4), 2),
        (32, 64, (20, 4, 4), 20),
        (16, 128, (6, 4, 4), 6),
        (16, 256, (4, 4, 4), 4),
        (6, 64, (2, 4, 4), 2),
    ],
)
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


@pytest.mark.parametrize("name", ["vgan", "tgan", "mocogan"])
def test_the_common_recipe_is_hrvgans_optimisers_on_a_rivals_networks(name):
    system, ours = small(name, recipe="common"), small("hrvgan").optimisers()
    for network, optimiser in system.optimisers().items():
        (group,), (wanted,) = optimiser.param_groups, ours[network].param_groups
        assert {*map(id, group["params"])} == {*map(id, getattr(system, network).parameters())}
        assert type(optimiser) is type(ours[network])
        assert all(group[setting] == wanted[setting] for setting in ("lr", "betas", "eps", "weight_decay"))
    assert system.order == small(name).order
    with pytest.raises(ValueError, match="recipe cannot be 'mine'; choose one of published, common"):
        small(name, recipe="mine")


# What they refuse -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, options, words",
    [
        (
            "vgan",
            {"frames": 16, "size": 256},
            "VGAN cannot be cut to 16 frames of 256x256: .* multiple of 64; ask for 64",
        ),
        ("vgan", {"size": 48}, "VGAN cannot be cut to 8 frames of 48x48: the size must be one of 16, 32, 64"),
        ("ivgan", {"frames": 20, "size": 64}, "iVGAN cannot be cut to 20 frames of 64x64: .* 16; ask for 16"),
        ("tgan", {"frames": 12}, "TGAN cannot be cut to 12 frames of 16x16: frames must be a power of two, at least 4"),
        ("tgan", {"frames": 8, "size": 64}, "power of two, at least 16"),
        (
            "mocogan",
            {"frames": 4, "size": 64},
            "MoCoGAN cannot be cut to 4 frames of 64x64: it needs at least 6 frames",
        ),
        ("mocogan", {"size": 8}, "the size must be one of"),
        *[
            (name, {"n_classes": 3}, "takes no labels; build it with n_classes=0, or train it with conditional=False")
            for name in ("vgan", "tgan", "ivgan")
        ],
        ("mocogan", {"infogan": True}, "infogan needs labels, and this data set has none"),
        ("mocogan", {"categories": True}, "categories needs labels"),
        ("mocogan", {"first_weights": "2019"}, "first_weights cannot be '2019'; choose one of today, 2017"),
        ("mocogan", {"batches": "half"}, "batches cannot be 'half'; choose one of whole, shared out"),
        ("tgan", {"variant": "hope"}, "variant cannot be 'hope'"),
        *[(name, {"colour": 1}, "no option 'colour'") for name in NAMES],
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(name, options, words):
    with pytest.raises(ValueError, match=words) as caught:
        small(name, **options)
    assert "\n" not in str(caught.value)


# The first weights ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "initialise, layer, deviation",
    [
        (vgan.initialise, nn.Conv3d(20, 40, 3), 0.01),
        (vgan.initialise, nn.ConvTranspose2d(20, 80, 4), 0.01),
        (vgan.initialise, nn.ConvTranspose3d(20, 40, 3), 0.01),
        (tgan.initialise, nn.Conv3d(20, 40, 3), (20 * 27) ** -0.5),  # LeCun: one over the fan-in
        (tgan.initialise, nn.ConvTranspose1d(100, 50, 4), (50 * 4) ** -0.5),  # as Chainer counts
        (tgan.initialise, nn.Linear(100, 200), 0.01 / 3**0.5),
        (tgan.initialise, nn.ConvTranspose2d(20, 80, 4), 0.01 / 3**0.5),
        (ivgan.initialise, nn.Conv3d(20, 40, 4, 2, 1), (4 / (20 * 64 + 40 * 8)) ** 0.5),
        (ivgan.initialise, nn.Linear(100, 200), 0.01),
        (ivgan.initialise, nn.ConvTranspose3d(20, 40, 4, 2, 1), (4 / (20 * 64 + 40 * 8)) ** 0.5),
        (mocogan.initialise, nn.Conv2d(20, 40, 4, bias=False), (20 * 16 * 3) ** -0.5),
        (mocogan.initialise, nn.Conv3d(20, 40, 4, bias=False), (20 * 64 * 3) ** -0.5),
        (mocogan.initialise, nn.ConvTranspose2d(80, 20, 4, bias=False), (80 * 16 * 3) ** -0.5),  # its inputs count
    ],
)
def test_first_weights_have_the_published_deviation(initialise, layer, deviation):
    torch.manual_seed(0)
    if layer.bias is not None:
        layer.bias.data.fill_(5)
    initialise(layer)
    assert layer.weight.std().item() == pytest.approx(deviation, rel=0.02)
    assert layer.bias is None or not layer.bias.any()
    assert abs(layer.weight.mean().item()) < 0.05 * deviation
    normal = (vgan.initialise, nn.Conv3d), (vgan.initialise, nn.ConvTranspose2d), (vgan.initialise, nn.ConvTranspose3d)
    normal += (tgan.initialise, nn.Conv3d), (tgan.initialise, nn.ConvTranspose1d), (ivgan.initialise, nn.Linear)
    bounded = (initialise, type(layer)) not in normal
    assert (layer.weight.abs().max().item() <= 1.001 * 3**0.5 * deviation) == bounded  # uniform, or normal


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(5000), nn.BatchNorm3d(5000)])
def test_the_scales_of_vgans_norms_start_around_one(norm):
    torch.manual_seed(0)
    vgan.initialise(norm)
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.002) and not norm.bias.any()
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.03)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(5000), nn.BatchNorm3d(5000)])
def test_the_scales_of_mocogans_norms_start_anywhere_between_zero_and_one(norm):
    torch.manual_seed(0)
    mocogan.initialise(norm)
    assert 0 <= norm.weight.min().item() < 0.01 and 0.99 < norm.weight.max().item() <= 1 and not norm.bias.any()


@pytest.mark.parametrize(
    "weights, low, high",  # 0.103 was measured on the released modules with the weights of 2017
    [("2017", 0.05, 0.2), ("today", 0.4, 0.8)],
)
def test_mocogans_first_frames_are_as_faint_as_the_released_ones_only_from_the_weights_of_2017(weights, low, high):
    torch.manual_seed(0)
    system = SYSTEMS["mocogan"](first_weights=weights).train()
    with torch.no_grad():
        clips = system.generator(system.latents(4, torch.Generator().manual_seed(0)))
    assert low < clips.std().item() < high


def test_the_systems_start_from_those_weights_and_so_does_the_average():
    def deviation(network) -> float:
        return torch.cat([m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv3d)]).std().item()

    assert deviation(small("vgan").discriminator) == pytest.approx(0.01, rel=0.05)
    layer = small("tgan", width=0.3).discriminator.layers[1][0]
    assert layer.weight.std().item() == pytest.approx(layer.weight[0].numel() ** -0.5, rel=0.05)
    layer = small("ivgan", width=0.3).discriminator.layers[3]
    fans = layer.weight[0].numel() + layer.out_channels * 8
    assert layer.weight.std().item() == pytest.approx((4 / fans) ** 0.5, rel=0.05)
    for weights, inputs in (("2017", "in_channels"), ("today", "out_channels")):  # what a transposed layer counts
        system = small("mocogan", width=0.3, first_weights=weights)
        layer, scales = system.generator.layers[-2], system.generator.layers[1].weight
        assert layer.weight.std().item() == pytest.approx((getattr(layer, inputs) * 16 * 3) ** -0.5, rel=0.05)
        assert bool((scales == 1).all()) == (weights == "today")
    for name in NAMES:
        system = small(name)
        pairs = list(zip(system.sampler.parameters(), system.generator.parameters()))
        assert all(torch.equal(kept, fresh) and kept is not fresh for kept, fresh in pairs)
        assert not any(kept.requires_grad for kept, _ in pairs) and not system.sampler.training


# What all have in common ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, frames, size, n_classes",
    [
        *[(name, 8, 16, 0) for name in NAMES],
        *[(name, 8, 32, 0) for name in NAMES],
        *[(name, 16, 64, 0) for name in NAMES],
        ("mocogan", 8, 32, 3),
    ],
)
def test_samples_are_in_range_and_the_same_at_any_batch(name, frames, size, n_classes):
    system = small(name, frames=frames, size=size, n_classes=n_classes).train()  # also in the middle of training
    clips = system.sample(3, generator=torch.Generator().manual_seed(3), batch=3)
    again = system.sample(3, generator=torch.Generator().manual_seed(3), batch=1)
    assert clips.shape == (3, 3, frames, size, size) and clips.abs().max() <= 1
    torch.testing.assert_close(clips, again, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "name, options",
    [*[(name, {}) for name in NAMES], ("tgan", {"variant": "normal"}), ("mocogan", {"n_classes": 2, "noise": 0.1})],
)
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
        values.append(
            [
                float(sum(losses(*batch(system)).values()).detach())
                for losses in (system.discriminator_losses, system.generator_losses)
            ]
        )
    assert values[0] == values[1]


@pytest.mark.parametrize("name", NAMES)
def test_other_noise_gives_other_losses_and_the_same_the_same(name):
    values = []
    for seed in (1, 1, 2):
        system = small(name)
        clips, labels, _ = batch(system)
        values.append(
            [
                float(sum(losses(clips, labels, torch.Generator().manual_seed(seed)).values()).detach())
                for losses in (system.discriminator_losses, system.generator_losses)
            ]
        )
    assert values[0] == values[1] and all(a != b for a, b in zip(values[0], values[2]))


@pytest.mark.parametrize("name", NAMES)
def test_latents_are_standard_normal_or_uniform(name):
    z = small(name).latents(2000, torch.Generator().manual_seed(0))
    assert abs(z.mean().item()) < 0.01 and z.ndim == 2
    if name == "tgan":
        assert -1 <= z.min() < -0.999 and 0.999 < z.max() <= 1 and z.var().item() == pytest.approx(1 / 3, rel=0.02)
    else:
        assert z.var().item() == pytest.approx(1, rel=0.02) and z.abs().max() > 3


def spied(system, *judges):
    """Run both losses as a turn does; return their terms, and what each of the judges answered to each."""
    answers = {}
    for judge in judges:
        judge.register_forward_hook(lambda module, _, output: answers.setdefault(module, []).append(output.detach()))
    clips, labels, noise = batch(system)
    terms = {}
    for network in system.order:
        for judge in judges:
            answers[judge] = []
        given = getattr(system, f"{network}_losses")(clips, labels, noise)
        terms[network] = ({name: term.detach() for name, term in given.items()}, [answers[judge] for judge in judges])
    return terms


@pytest.mark.parametrize(
    "name, options",
    [("vgan", {}), ("ivgan", {}), ("tgan", {}), ("tgan", {"variant": "clip"}), ("tgan", {"variant": "normal"})],
)
def test_the_losses_are_the_published_formulas_of_what_the_discriminator_says(name, options):
    system = small(name, **options).train()
    told = spied(system, system.discriminator)
    terms, (answers,) = told["discriminator"]
    real, fake = answers[-2:]  # iVGAN's critic is asked for its slope first
    if name == "vgan":  # one look at the fakes serves both
        assert told["generator"][1] == [[]]
        real, fake = (logits[:, REAL] - logits[:, FAKE] for logits in (real, fake))
        made = fake
    else:
        made = told["generator"][1][0][0]
    if name == "vgan" or options == {"variant": "normal"}:
        expected = softplus(-real).mean() + softplus(fake).mean(), softplus(-made).mean()
    else:
        expected = fake.mean() - real.mean(), -made.mean()
    torch.testing.assert_close(terms["adversarial"], expected[0])
    torch.testing.assert_close(told["generator"][0]["adversarial"], expected[1])


@pytest.mark.parametrize("n_classes", [0, 3])
@pytest.mark.parametrize("batches", mocogan.CHOICES["batches"])
def test_mocogans_losses_are_the_published_formulas_of_what_its_judges_say(n_classes, batches):
    system = small("mocogan", n_classes=n_classes, batches=batches).train()
    judges, labels = (system.discriminator.image, system.discriminator.video), batch(system)[1]
    asked, draw = [], system.draw_labels
    system.draw_labels = lambda n, noise: asked.append(draw(n, noise)) or asked[-1]
    told = spied(system, *judges)
    terms, ((real, fake), (real_clips, fake_clips)) = told["discriminator"]
    own, ((made,), (made_clips,)) = told["generator"]
    classes = None
    if n_classes:
        classes, made_classes = real_clips[:, 1:].flatten(1), made_clips[:, 1:].flatten(1)
        real_clips, fake_clips, made_clips = real_clips[:, 0], fake_clips[:, 0], made_clips[:, 0]
    # The real frames go first, and D_V sees real clips first.
    torch.testing.assert_close(terms["adversarial frames"], softplus(-real).mean() + softplus(fake).mean())
    torch.testing.assert_close(terms["adversarial clips"], softplus(-real_clips).mean() + softplus(fake_clips).mean())
    torch.testing.assert_close(own["adversarial frames"], softplus(-made).mean())
    torch.testing.assert_close(own["adversarial clips"], softplus(-made_clips).mean())
    if n_classes:
        torch.testing.assert_close(terms["categories"], cross_entropy(classes, labels[: len(classes)]))
        torch.testing.assert_close(own["infogan"], cross_entropy(made_classes, asked[-1]))


@pytest.mark.parametrize(
    "name, options, n_classes",
    [*[(name, {}, 0) for name in NAMES], ("tgan", {"variant": "normal"}, 0), ("mocogan", {"noise": 0.1}, 2)],
)
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
    for turn in range(2):
        system.discriminator_losses(clips, labels, noise)
        system.generator_losses(clips, labels, noise)
        assert len(seen) == 2 * (turn + 1) and torch.equal(seen[2 * turn], clips)
    assert not torch.equal(seen[1], seen[3])  # the next turn has fakes of its own


def test_vgans_generator_learns_from_the_discriminator_before_its_update():
    system = small("vgan").train()
    clips, labels, noise = batch(system)
    system.discriminator_losses(clips, labels, noise)
    fakes = system.generator(system.judged)
    mask = system.generator.streams(system.judged)[1]
    wanted = softmax_loss(system.discriminator(fakes), REAL) + 0.1 * mask.mean()
    parameters = list(system.generator.parameters())
    slopes = torch.autograd.grad(wanted, parameters)
    with torch.no_grad():
        for weight in system.discriminator.parameters():
            weight.mul_(-2)  # an update that changes everything
    terms = system.generator_losses(clips, labels, noise)
    torch.testing.assert_close(sum(terms.values()), wanted)
    for mine, slope in zip(torch.autograd.grad(sum(terms.values()), parameters), slopes):
        torch.testing.assert_close(mine, slope, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("name, network", [("vgan", "generator"), ("tgan", "discriminator")])
def test_running_statistics_count_each_batch_of_fakes_once(name, network):
    system, seen = small(name).train(), []
    norm = next(m for m in getattr(system, network).modules() if isinstance(m, nn.BatchNorm3d))
    norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    clips, labels, noise = batch(system)
    for part in system.order:
        getattr(system, f"{part}_losses")(clips, labels, noise)
    assert torch.equal(seen[0], seen[-1])  # the fakes pass twice
    expected = torch.ones_like(norm.running_var)
    for features in seen[:-1]:
        expected = 0.9 * expected + 0.1 * features.var(dim=(0, 2, 3, 4))
    torch.testing.assert_close(norm.running_var, expected)
    assert norm.momentum == 0.1


def test_every_norm_of_tgan_has_chainers_epsilon():
    norms = [m for m in small("tgan").modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert len(norms) > 5 and {norm.eps for norm in norms} == {2e-5}


def test_vgans_discriminator_norms_have_the_released_epsilon():
    norms = [m for m in small("vgan", frames=16, size=32).discriminator.modules() if isinstance(m, nn.BatchNorm3d)]
    assert len(norms) == 2 and {norm.eps for norm in norms} == {1e-3}


def test_a_closed_mask_shows_a_still_background_and_an_open_one_the_foreground():
    generator = small("vgan").eval().generator
    z = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    nn.init.zeros_(generator.mask.weight)
    foreground, _, background = generator.streams(z)
    for bias, expected in ((-100.0, background.expand_as(foreground)), (100.0, foreground)):
        nn.init.constant_(generator.mask.bias, bias)
        torch.testing.assert_close(generator(z), expected)
    assert foreground.abs().max() <= 1 and background.abs().max() <= 1


def test_vgan_softmax_is_the_game_of_eq_1():
    assert {FAKE, REAL} == {0, 1}
    with torch.device("meta"):  # the answers are where the logits are, whatever the default device
        assert softmax_loss(torch.zeros(3, 2, device="cpu"), REAL).item() == pytest.approx(0.693147, abs=1e-5)
    assert softmax_loss(torch.zeros(3, 2).bfloat16(), REAL).dtype == torch.float32
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    probability = torch.sigmoid(logits[:, REAL] - logits[:, FAKE])
    torch.testing.assert_close(softmax_loss(logits, REAL), -probability.log().mean())
    torch.testing.assert_close(softmax_loss(logits, FAKE), -(1 - probability).log().mean())


# TGAN -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shape, gain",
    [
        ((6, 3, 4, 4, 4), 0.2),
        ((12, 6, 4, 4, 4), 0.05),
        ((1, 12, 1, 4, 4), 1.0),
        ((20, 2, 1, 2, 2), 0.4),
        ((8, 5, 3, 3), 10.0),
        ((5, 3, 4, 4), 0.001),
    ],
)
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
    torch.testing.assert_close(
        small_ones.T @ after.flatten(1).double(), small_ones.T @ before.flatten(1).double(), atol=1e-5, rtol=1e-4
    )
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
    assert max(p.abs().max() for p in system.discriminator.parameters()).item() == pytest.approx(0.01)
    system = small("tgan", variant="normal").eval()
    before = state(system)
    system.constrain_discriminator(4)
    assert torch.equal(before, state(system))
    clean, noisy = system.discriminator(CLIPS), system.discriminator(CLIPS, torch.Generator().manual_seed(0))
    assert not torch.equal(clean, noisy)
    assert torch.equal(noisy, system.discriminator(CLIPS, torch.Generator().manual_seed(0)))


def noisy_inputs(layers, run):
    """What enters each layer while `run` runs."""
    seen = []
    handles = [layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])) for layer in layers]
    run()
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("name, options", [("tgan", {"variant": "normal"}), ("mocogan", {"noise": 0.3})])
@torch.no_grad()
def test_a_discriminators_noise_is_its_sigma_times_standard_normal_draws(name, options):
    system = small(name, **options).eval()
    if name == "tgan":  # before every activation
        judge, blocks, rest = system.discriminator, [system.discriminator.activation], lambda x: judge.layers[0](x)
    else:  # at the input of every block
        judge, blocks, rest = system.discriminator.video, list(system.discriminator.video.blocks), lambda x: x
    clean = noisy_inputs(blocks, lambda: judge(CLIPS))
    noisy = noisy_inputs(blocks, lambda: judge(CLIPS, torch.Generator().manual_seed(0)))
    again = noisy_inputs(blocks, lambda: judge(CLIPS))
    assert len(clean) == len(noisy) == 1 + (name == "tgan")
    torch.testing.assert_close(clean[0], rest(CLIPS))
    assert all(torch.equal(a, b) for a, b in zip(clean, again))  # nothing is added without a stream
    added = (noisy[0] - clean[0]) / 0.3
    torch.testing.assert_close(
        added, torch.randn(added.shape, generator=torch.Generator().manual_seed(0)), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("name", ["tgan", "mocogan"])
@torch.no_grad()
def test_without_noise_a_discriminator_draws_nothing(name):
    system, noise = small(name).eval(), torch.Generator().manual_seed(0)
    judge = system.discriminator if name == "tgan" else system.discriminator.video
    before = noise.get_state()
    assert torch.equal(judge(CLIPS, noise), judge(CLIPS)) and torch.equal(noise.get_state(), before)


@torch.no_grad()
def test_tgan_makes_every_frame_from_the_same_slow_vector_and_a_fast_one_of_its_own():
    generator = small("tgan").eval().generator
    slow, other = torch.rand(2, 2, 100, generator=torch.Generator().manual_seed(0)) * 2 - 1
    fast = generator.temporal(slow)
    assert fast.shape == (2, 8, 100) and fast.abs().max() <= 1
    clips = generator.image(slow, fast)
    one = generator.image(slow[1:], fast[1:, 5:6])
    torch.testing.assert_close(clips[1:, :, 5:6], one, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(generator(slow), clips)
    assert (generator.image(other, fast) - clips).abs().amax(dim=(1, 3, 4)).min() > 1e-7  # in every frame


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
    assert torch.equal(codes[2, :, :50], codes[0, :, :50])
    torch.testing.assert_close(codes[2, :, 50:], codes[1, :, 50:])  # some CPUs add the rows of a batch in other orders
    assert torch.equal(codes[0, 0, :50], codes[0, 7, :50])
    clips = system.generator(torch.stack([one, two, moved]))
    assert (clips[2] - clips[0]).abs().max() > 1e-4 and (clips[2] - clips[1]).abs().max() > 1e-4
    assert (clips[0, :, 0] - clips[0, :, 1]).abs().max() > 1e-5  # and it moves


@torch.no_grad()
def test_mocogans_codes_are_content_category_and_a_recurrent_path():
    generator = small("mocogan", n_classes=3, content_dim=5, motion_dim=4).eval().generator
    latents, labels = torch.randn(2, 5 + 4 + 4 * 8, generator=torch.Generator().manual_seed(0)), torch.tensor([2, 0])
    codes = generator.codes(latents, labels)
    assert codes.shape == (2, 8, 5 + 3 + 4)
    state = latents[:, 5:9]
    for t in range(8):
        state = generator.recurrent(latents[:, 9 + 4 * t : 13 + 4 * t], state)
        expected = torch.cat([latents[:, :5], torch.eye(3)[labels], state], dim=1)
        torch.testing.assert_close(codes[:, t], expected)
    clips = generator(latents, labels)
    torch.testing.assert_close(clips[:, :, 3], generator.images(codes[:, 3]), atol=1e-6, rtol=1e-4)


@torch.no_grad()
def test_mocogan_averages_over_the_positions_of_a_long_clip():
    judge = small("mocogan", frames=20, size=16, n_classes=3).eval().discriminator
    clips = torch.randn(2, 3, 20, 16, 16, generator=torch.Generator().manual_seed(0))
    answers = judge.video(clips)
    assert answers.shape[:2] == (2, 4) and answers.shape[2] > 1
    logits, classes = judge.clips(clips)
    torch.testing.assert_close(logits, answers[:, 0].flatten(1).mean(1))
    torch.testing.assert_close(classes, answers[:, 1:].flatten(2).mean(2))


def test_mocogan_picks_any_moment_of_each_sequence_on_its_own():
    moments = torch.arange(5).expand(1000, 5)[:, :, None] + 10 * torch.arange(1000)[:, None, None]
    picked = mocogan.pick(moments, torch.Generator().manual_seed(0))
    assert picked.shape == (1000, 1) and torch.equal(picked[:, 0] // 10, torch.arange(1000))
    assert (picked[:, 0] % 10).bincount(minlength=5).min() > 150
    torch.manual_seed(7)
    assert torch.equal(mocogan.pick(moments, torch.Generator().manual_seed(0)), picked)


@pytest.mark.parametrize("categories", [None, True, False])
@pytest.mark.parametrize("infogan", [None, True, False])
def test_mocogan_learns_classes_where_there_are_labels_unless_it_is_told_not_to(categories, infogan):
    system = small("mocogan", n_classes=2, categories=categories, infogan=infogan)
    assert (system.categories, system.infogan) == (categories is not False, infogan is not False)
    without = small("mocogan")
    assert (without.categories, without.infogan) == (False, False)


def test_mocogan_motion_does_not_see_the_future():
    system = small("mocogan").eval()
    latents = system.latents(1, torch.Generator().manual_seed(0))
    later = latents.clone()
    later[:, 50 + 10 + 5 * 10 :] += 1  # eps of the sixth frame and those after it
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


@pytest.mark.parametrize(
    "batch, frames, clips", [(13, 10, 3), (26, 20, 6), (8, 6, 2), (16, 12, 4), (2, 1, 1), (1, 1, 1)]
)
def test_mocogan_shares_a_batch_out_as_published(batch, frames, clips):
    assert small("mocogan", batches="shared out").shares(batch) == (frames, clips)
    assert small("mocogan").shares(batch) == (batch, batch)


def test_mocogans_two_judges_see_clips_of_their_own():
    system, seen = small("mocogan", batches="shared out").train(), {}
    for name, judge in (("frames", system.discriminator.image), ("clips", system.discriminator.video)):
        judge.register_forward_pre_hook(lambda _, inputs, name=name: seen.setdefault(name, []).append(inputs[0]))
    system.discriminator_losses(*batch(system))
    system.generator_losses(*batch(system))
    assert [len(frames) for frames in seen["frames"]] == [3, 3, 3] and [len(clips) for clips in seen["clips"]] == [
        1
    ] * 3
    assert torch.equal(seen["clips"][0], CLIPS[:1])
    assert not any(torch.equal(frame, other) for frame in seen["frames"][0] for other in CLIPS[0].unbind(1))


def test_mocogan_asks_for_every_class_alike_whatever_the_batch_holds():
    system = small("mocogan", n_classes=3)
    drawn = system.draw_labels(3000, torch.Generator().manual_seed(0))
    assert drawn.bincount(minlength=3).min() > 900 and small("mocogan").draw_labels(3, torch.Generator()) is None
    made = []
    system.generator.register_forward_pre_hook(lambda _, inputs: made.append(inputs[1]))
    clips, _, noise = batch(system)
    for _ in range(20):
        system.generator_losses(clips, torch.zeros(len(clips), dtype=torch.long), noise)
    assert torch.cat(made).unique().tolist() == [0, 1, 2]


def test_mocogan_shows_its_image_discriminator_one_frame_of_each_clip():
    system, seen = small("mocogan", recipe="common").train(), []
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


def test_ivgans_penalty_is_eq_6_between_real_and_fake_times_lambda():
    system, noise = small("ivgan", lambda_gp=4.0).train(), torch.Generator().manual_seed(1)
    with torch.no_grad():
        fakes = system.generator(system.latents(4, noise))
    expected = 4 * library_losses.gradient_penalty(system.discriminator, CLIPS[:4], fakes, noise)
    torch.testing.assert_close(system.discriminator_losses(*batch(system))["gradient_penalty"], expected)


def test_ivgans_critic_treats_each_clip_on_its_own_with_layer_norm():
    critic = small("ivgan", frames=12).discriminator.train()
    norms = [module for module in critic.modules() if isinstance(module, nn.GroupNorm)]
    assert len(norms) == 2 and all(norm.num_groups == 1 for norm in norms)
    clips = torch.rand(3, 3, 12, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(critic(clips)[1:2], critic(clips[1:2]), atol=1e-5, rtol=1e-4)
    (pad,) = (module for module in critic.modules() if isinstance(module, nn.ConstantPad3d))
    x = torch.ones(1, 1, 3, 4, 4)
    padded = pad(x)  # three frames and one of zeros behind them
    assert padded.shape == (1, 1, 4, 4, 4) and torch.equal(padded[:, :, :3], x) and not padded[:, :, 3].any()


def test_ivgans_generator_norms_shift_and_do_not_scale():
    norms = [m for m in small("ivgan").generator.modules() if isinstance(m, nn.BatchNorm3d)]
    assert norms and all([*dict(norm.named_parameters())] == ["bias"] and norm.eps == 1e-3 for norm in norms)


def test_ivgan_layer_norm_is_layer_norm():
    x = torch.randn(2, 5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(nn.GroupNorm(1, 5)(x), nn.functional.layer_norm(x, x.shape[1:]), atol=1e-5, rtol=1e-4)


def test_weights_that_are_not_finite_are_left_to_the_loss_to_report():
    layer = nn.Conv3d(2, 3, 4)
    layer.weight.data[0, 0, 0, 0, 0] = float("nan")
    singular_value_clip_(layer)  # no error: the next loss is not finite, and training says which
