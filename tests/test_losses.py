"""Each equation of `hrvgan_lib.losses` by a property: a closed form, an invariance or a limit."""

import math

import pytest
import torch
from torch import nn

from hrvgan_lib import losses


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def gradient_of(loss, value):
    logits = torch.tensor([value], requires_grad=True)
    loss(logits).backward()
    return logits.grad.item()


# --- Eqs. 1-3, 7 -------------------------------------------------------------------------------------------


def test_value_of_an_undecided_discriminator_is_two_log_two():
    undecided = torch.zeros(5)  # D = 1/2
    assert losses.gan_value(undecided, undecided).item() == pytest.approx(2 * math.log(2))


def test_value_agrees_with_the_printed_logarithms(rng):
    real, fake = torch.randn(7, generator=rng), torch.randn(7, generator=rng)
    printed = -torch.sigmoid(real).log().mean() - (1 - torch.sigmoid(fake)).log().mean()
    assert torch.allclose(losses.gan_value(real, fake), printed)
    assert torch.equal(losses.conditional_gan_value(real, fake), losses.gan_value(real, fake))


def test_best_discriminator_reaches_the_jensen_shannon_divergence():
    p, q = torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.1, 0.3, 0.6])
    best = (p / q).log()  # D* = p / (p + q) as a logit
    # Eqs. 1-2 are batch means; distributions over three points are batches with repeats.
    real = best.repeat_interleave((p * 10).round().int())
    fake = best.repeat_interleave((q * 10).round().int())
    m = (p + q) / 2
    divergence = 0.5 * (p * (p / m).log()).sum() + 0.5 * (q * (q / m).log()).sum()
    expected = 2 * math.log(2) - 2 * divergence.item()
    assert losses.gan_value(real, fake).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("logit", [-6.0, -1.0, 0.0, 2.0])
def test_generator_gradients_are_minus_d_and_minus_one_minus_d(logit):
    d = 1 / (1 + math.exp(-logit))
    assert gradient_of(losses.saturating_generator_loss, logit) == pytest.approx(-d, abs=1e-6)
    assert gradient_of(losses.nonsaturating_generator_loss, logit) == pytest.approx(-(1 - d), abs=1e-6)


@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_no_logit_is_too_large(logit):
    extreme = torch.tensor([logit])
    for loss in (losses.saturating_generator_loss, losses.nonsaturating_generator_loss):
        assert loss(extreme).isfinite()
    assert losses.gan_value(extreme, -extreme).isfinite()


def test_a_batch_is_a_mean_so_that_repeating_it_changes_nothing(rng):
    real, fake = torch.randn(3, generator=rng), torch.randn(5, generator=rng)
    for loss in (losses.gan_value, losses.least_squares_discriminator_loss, losses.critic_loss):
        torch.testing.assert_close(loss(real.repeat(4), fake.repeat(4)), loss(real, fake))
    for loss in (losses.saturating_generator_loss, losses.nonsaturating_generator_loss, losses.critic_generator_loss,
                 losses.least_squares_generator_loss):  # fmt: skip
        torch.testing.assert_close(loss(fake.repeat(4)), loss(fake))


def test_both_generator_losses_are_the_printed_logarithms(rng):
    fake = torch.randn(7, generator=rng)
    d = torch.sigmoid(fake)
    torch.testing.assert_close(losses.saturating_generator_loss(fake), (1 - d).log().mean())
    torch.testing.assert_close(losses.nonsaturating_generator_loss(fake), -d.log().mean())


def test_float64_stays_float64_and_keeps_its_digits(rng):
    real, fake = torch.randn(2, 6, 2, generator=rng, dtype=torch.float64)
    for value, expected in [
        (losses.gan_value(real, fake), nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()),
        (losses.critic_loss(real, fake), fake.mean() - real.mean()),
        (losses.mse_loss_paper(fake, real), (fake - real).square().mean()),
        (losses.bce(torch.sigmoid(fake), 0.3), -(0.3 * fake.sigmoid().log() + 0.7 * (-fake).sigmoid().log()).mean()),
        (losses.bce_with_logits(fake, 0.3), -(0.3 * fake.sigmoid().log() + 0.7 * (-fake).sigmoid().log()).mean()),
    ]:
        assert value.dtype == torch.float64
        torch.testing.assert_close(value, expected, rtol=1e-13, atol=0)


# --- least squares, feature matching, minibatch discrimination ---------------------------------------------


def test_least_squares_vanishes_where_the_answers_are_right():
    ones, zeros = torch.ones(4), torch.zeros(4)
    assert losses.least_squares_discriminator_loss(ones, zeros) == 0
    assert losses.least_squares_generator_loss(ones) == 0
    half = torch.full((4,), 0.5)  # the best D at equilibrium
    assert losses.least_squares_discriminator_loss(half, half).item() == pytest.approx(0.25)


def test_least_squares_gradient_grows_with_distance():
    assert gradient_of(losses.least_squares_generator_loss, 5.0) == pytest.approx(4.0)
    assert abs(gradient_of(losses.nonsaturating_generator_loss, 5.0)) < 0.01


def test_feature_matching_sees_only_the_mean(rng):
    real = torch.randn(16, 3, 2, generator=rng)
    assert losses.feature_matching_loss(real, real[torch.randperm(16, generator=rng)]).item() < 1e-10
    one_mean_clip = real.mean(0, keepdim=True)
    assert losses.feature_matching_loss(real, one_mean_clip).item() < 1e-10
    assert losses.feature_matching_loss(real, real + 0.5).item() == pytest.approx(0.25 * 6, rel=1e-5)


def test_feature_matching_sends_no_gradient_to_the_real_side():
    real, fake = torch.ones(2, 3, requires_grad=True), torch.zeros(4, 3, requires_grad=True)
    losses.feature_matching_loss(real, fake).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_minibatch_discrimination_counts_the_neighbours(rng):
    weight = torch.randn(4, 3, 2, generator=rng)
    alike = torch.randn(1, 4, generator=rng).expand(6, 4)
    assert torch.allclose(losses.minibatch_discrimination(alike, weight), torch.full((6, 3), 6.0))
    apart = 1e4 * torch.randn(6, 4, generator=rng)
    assert torch.allclose(losses.minibatch_discrimination(apart, weight), torch.ones(6, 3))


def test_minibatch_discrimination_follows_a_permutation(rng):
    features, weight = torch.randn(5, 4, generator=rng), torch.randn(4, 3, 2, generator=rng)
    order = torch.randperm(5, generator=rng)
    out = losses.minibatch_discrimination(features, weight)
    assert out.shape == (5, 3)
    assert torch.allclose(losses.minibatch_discrimination(features[order], weight), out[order], atol=1e-6)


def test_minibatch_discrimination_is_its_formula_also_under_autocast(rng):
    features, weight = torch.randn(5, 4, generator=rng), torch.randn(4, 3, 2, generator=rng)
    rows = torch.stack([features @ weight[:, b] for b in range(3)], dim=1)
    expected = torch.tensor([[sum(math.exp(-(rows[i, b] - rows[j, b]).abs().sum()) for j in range(5))
                              for b in range(3)] for i in range(5)])  # fmt: skip
    torch.testing.assert_close(losses.minibatch_discrimination(features, weight), expected)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(losses.minibatch_discrimination(features, weight), expected)


# --- Eq. 4 -------------------------------------------------------------------------------------------------


def test_wasserstein_on_a_line_is_the_sorted_pairing(rng):
    a, b = torch.randn(50, 1, generator=rng), 2 * torch.randn(50, 1, generator=rng) + 1
    sorted_pairs = (a.sort(0).values - b.sort(0).values).abs().mean().item()
    assert losses.wasserstein_distance_exact(a, b) == pytest.approx(sorted_pairs, rel=1e-6)


def test_wasserstein_of_a_translation_is_its_length(rng):
    clips = torch.randn(12, 3, 2, 4, 4, generator=rng)
    shift = torch.randn(1, 3, 2, 4, 4, generator=rng)
    moved = (clips + shift)[torch.randperm(12, generator=rng)]
    assert losses.wasserstein_distance_exact(clips, moved) == pytest.approx(shift.norm().item(), rel=1e-5)
    assert losses.wasserstein_distance_exact(clips, clips.flip(0)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("real", "fake", "word"),
    [
        (torch.zeros(3, 2), torch.zeros(4, 2), "equal"),
        (torch.zeros(0, 2), torch.zeros(0, 2), "equal"),
        (torch.zeros(4), torch.zeros(4), "equal"),  # points need an axis of their own
        (torch.full((2, 2), torch.nan), torch.zeros(2, 2), "NaN"),
        (torch.zeros(2, 2), torch.full((2, 2), torch.inf), "infinite"),
        (torch.tensor([[0.0, torch.nan], [0.0, 0.0]]), torch.zeros(2, 2), "NaN"),
        (torch.zeros(2, 2), torch.tensor([[0.0, torch.inf], [0.0, 0.0]]), "infinite"),
    ],
)
def test_wasserstein_refuses(real, fake, word):
    with pytest.raises(ValueError, match=word):
        losses.wasserstein_distance_exact(real, fake)


def test_wasserstein_of_two_points_is_their_distance():
    assert losses.wasserstein_distance_exact(torch.tensor([[0.0, 3.0]]), torch.tensor([[4.0, 0.0]])) == 5


def test_wasserstein_keeps_its_digits_far_from_the_origin(rng):
    points = torch.randn(40, 3, generator=rng, dtype=torch.float64) + 1e7  # squares would swallow the distances
    moved = points + torch.tensor([1e-2, 0, 0], dtype=torch.float64)
    assert losses.wasserstein_distance_exact(points, moved.flip(0)) == pytest.approx(1e-2, rel=1e-5)


# --- Eqs. 5-6 and the constraints --------------------------------------------------------------------------


def test_no_one_lipschitz_critic_exceeds_eq_4(rng):
    real, fake = torch.randn(40, 2, generator=rng) + 1, torch.randn(40, 2, generator=rng)
    exact = losses.wasserstein_distance_exact(real, fake)
    for _ in range(20):
        direction = torch.nn.functional.normalize(torch.randn(2, generator=rng), dim=0)
        assert -losses.critic_loss(real @ direction, fake @ direction).item() <= exact + 1e-6


def test_critic_and_generator_pull_in_opposite_directions(rng):
    scores = torch.randn(6, generator=rng)
    assert losses.critic_loss(scores + 3, scores).item() == pytest.approx(-3, abs=1e-6)
    assert losses.critic_generator_loss(scores) == -losses.critic_loss(torch.zeros(6), scores)


@pytest.mark.parametrize("target", [0.0, 1.0, 2.5])
def test_penalty_of_a_linear_critic_has_a_closed_form(rng, target):
    real, fake = torch.randn(4, 3, 2, 5, 5, generator=rng), torch.randn(4, 3, 2, 5, 5, generator=rng)
    weight = torch.randn(150, generator=rng)
    penalty = losses.gradient_penalty(lambda x: x.flatten(1) @ weight, real, fake, rng, target)
    assert penalty.item() == pytest.approx((weight.norm().item() - target) ** 2, rel=1e-5)


def test_penalty_teaches_the_critic_its_slope(rng):
    critic = nn.Linear(4, 1)
    real, fake = torch.randn(8, 4, generator=rng), torch.randn(8, 4, generator=rng)
    for _ in range(100):
        penalty = losses.gradient_penalty(critic, real, fake, rng, target=2.0)
        (slope,) = torch.autograd.grad(penalty, critic.weight)
        with torch.no_grad():
            critic.weight -= 0.1 * slope
    assert critic.weight.norm().item() == pytest.approx(2.0, abs=1e-3)


def test_penalty_looks_on_the_lines_between_the_pairs():
    seen = []
    real, fake = torch.full((64, 1), 1.0), torch.full((64, 1), -1.0)

    def critic(x):
        seen.append(x.detach())
        return x.square()

    losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(3))
    assert seen[0].min() >= -1
    assert seen[0].max() <= 1
    assert seen[0].std() == pytest.approx(2 / math.sqrt(12), rel=0.2)  # uniform on [-1, 1]


def test_one_draw_mixes_a_whole_pair_and_every_pair_has_its_own():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.full((32, 3, 2, 4, 4), 1.0), torch.full((32, 3, 2, 4, 4), -1.0)
    losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(3))
    clips = seen[0].flatten(1)
    assert clips.shape == (32, 96)
    torch.testing.assert_close(clips, clips[:, :1].expand_as(clips))  # one place on the line for all pixels of a clip
    assert len(clips[:, 0].unique()) == 32
    losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(3))
    losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(4))
    torch.testing.assert_close(seen[1], seen[0])  # the generator decides, and nothing else
    assert (seen[2] - seen[0]).abs().max() > 0.1
    losses.gradient_penalty(critic, real, fake)  # without one, torch's own draws
    assert len(seen[3].flatten(1)[:, 0].unique()) == 32


def test_penalty_asks_for_slope_one_by_default(rng):
    real, fake = torch.randn(2, 4, 6, generator=rng)
    direction = nn.functional.normalize(torch.randn(6, generator=rng), dim=0)
    assert losses.gradient_penalty(lambda x: x @ direction, real, fake, rng).item() == pytest.approx(0, abs=1e-10)
    assert losses.gradient_penalty(lambda x: x @ (3 * direction), real, fake, rng).item() == pytest.approx(4, rel=1e-5)


def test_penalty_looks_at_the_slope_of_each_clip_and_not_of_the_batch(rng):
    real, fake = torch.randn(2, 5, 3, 4, generator=rng)
    slopes = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    direction = nn.functional.normalize(torch.randn(12, generator=rng), dim=0)
    penalty = losses.gradient_penalty(lambda x: slopes * (x.flatten(1) @ direction), real, fake, rng)
    assert penalty.item() == pytest.approx((slopes - 1).square().mean().item(), rel=1e-5)


def test_penalty_keeps_its_digits_under_autocast(rng):
    critic = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    real, fake = torch.randn(2, 4, 6, generator=rng)
    plain = losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        cast = losses.gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0))
    torch.testing.assert_close(cast, plain)


def test_penalty_draws_where_its_generator_lives(rng):
    clips = torch.ones(2, 3)
    with torch.device("meta"):  # a default device on which a draw would be no number
        on_the_cpu = losses.gradient_penalty(lambda x: x.square().sum(1), clips, -clips, rng)
    assert on_the_cpu.isfinite()


def test_no_gradient_flows_through_the_penalty_to_the_clips(rng):
    critic, fake = nn.Linear(4, 1), torch.randn(3, 4, generator=rng, requires_grad=True)
    losses.gradient_penalty(critic, torch.zeros(3, 4), fake, rng).backward()
    assert fake.grad is None and critic.weight.grad.any()


def test_penalty_refuses_two_shapes():
    with pytest.raises(ValueError, match="equal shapes"):
        losses.gradient_penalty(lambda x: x.sum(), torch.zeros(2, 3), torch.zeros(3, 3))


def test_clipping_bounds_every_parameter(rng):
    module = nn.Sequential(nn.Conv3d(2, 3, 3), nn.InstanceNorm3d(3, affine=True), nn.Linear(3, 1))
    small = module[0].weight.detach().clone().clamp(-0.01, 0.01)
    losses.clip_weights_(module, 0.01)
    assert max(p.abs().max().item() for p in module.parameters()) <= 0.01 + 1e-9
    assert torch.equal(module[0].weight, small)  # what was inside the bound has not moved
    for bound in (0, -1, math.nan):
        with pytest.raises(ValueError, match="above zero"):
            losses.clip_weights_(module, bound)


def test_clipping_moves_what_is_outside_to_the_bound_on_its_side():
    module = nn.Linear(2, 1)
    module.weight.data.copy_(torch.tensor([[-3.0, 0.5]]))
    module.bias.data.fill_(7.0)
    assert losses.clip_weights_(module, 2.0) is module
    assert module.weight.tolist() == [[-2.0, 0.5]] and module.bias.tolist() == [2.0]


def test_spectral_norm_is_at_most_one():
    torch.manual_seed(0)
    module = losses.add_spectral_norm(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1)))
    for _ in range(50):
        module(torch.randn(4, 6))  # one power iteration a pass
    module.eval()
    for layer in (module[0], module[2]):
        assert torch.linalg.matrix_norm(layer.weight, ord=2).item() == pytest.approx(1, abs=1e-3)
    a, b = torch.randn(100, 6), torch.randn(100, 6)
    slope = (module(a) - module(b)).norm(dim=1) / (a - b).norm(dim=1)
    assert slope.max().item() <= 1 + 1e-3


def test_spectral_norm_takes_every_kind_of_weight_and_no_norm_layer():
    kinds = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d,
             nn.ConvTranspose3d)  # fmt: skip
    module = nn.Sequential(*(kind(2, 3, *[1] * ("Conv" in kind.__name__)) for kind in kinds), nn.BatchNorm3d(3))
    assert losses.add_spectral_norm(module) is module
    normed = [nn.utils.parametrize.is_parametrized(layer, "weight") for layer in module]
    assert normed == [True] * len(kinds) + [False]


def test_spectral_norm_of_convolutions_is_that_of_their_matrix_and_added_once():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.ConvTranspose3d(4, 2, 3), nn.Embedding(5, 3))
    losses.add_spectral_norm(losses.add_spectral_norm(module))
    for layer in module:
        assert len(layer.parametrizations["weight"]) == 1
        layer.train()
        for _ in range(50):
            layer.weight  # noqa: B018  (each look is a power iteration)
        weight = layer.eval().weight
        rows = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose3d) else weight
        assert torch.linalg.matrix_norm(rows.flatten(1), ord=2).item() == pytest.approx(1, abs=1e-3)


# --- Eqs. 10-15 --------------------------------------------------------------------------------------------


def test_mse_mean_and_sum_differ_by_the_size_of_a_clip(rng):
    prediction, target = torch.randn(2, 3, 4, 5, 5, generator=rng), torch.randn(2, 3, 4, 5, 5, generator=rng)
    mean, total = losses.mse_loss_paper(prediction, target), losses.mse_loss_paper(prediction, target, "sum")
    assert total.item() == pytest.approx(mean.item() * 3 * 4 * 5 * 5, rel=1e-5)


def test_the_gradient_of_the_norm_has_length_one_whatever_the_size(rng):
    for size in (2, 16):
        prediction = torch.randn(3, 3, 2, size, size, generator=rng).requires_grad_()
        losses.mse_loss_paper(prediction, torch.zeros_like(prediction), "norm").backward()
        lengths = 3 * prediction.grad.flatten(1).norm(dim=1)  # the batch mean divides by 3
        torch.testing.assert_close(lengths, torch.ones(3))


def test_each_pixel_term_is_its_formula(rng):
    prediction, target = torch.randn(2, 2, 3, 4, 5, 5, generator=rng)
    squares = (prediction - target).square().flatten(1)
    torch.testing.assert_close(losses.mse_loss_paper(prediction, target), squares.mean())
    torch.testing.assert_close(losses.mse_loss_paper(prediction, target, "sum"), squares.sum(1).mean())
    torch.testing.assert_close(losses.mse_loss_paper(prediction, target, "norm"), squares.sum(1).sqrt().mean())


def test_mse_of_unpaired_targets_is_smallest_at_their_mean(rng):
    targets = torch.rand(9, 4, generator=rng)
    at_mean = losses.mse_loss_paper(targets.mean(0).expand_as(targets), targets)
    for one in targets:
        assert losses.mse_loss_paper(one.expand_as(targets), targets) > at_mean


def test_mse_refuses():
    with pytest.raises(ValueError, match="equal shapes"):
        losses.mse_loss_paper(torch.zeros(1, 3), torch.zeros(4, 3))  # would broadcast
    with pytest.raises(ValueError, match="mean, sum, norm"):
        losses.mse_loss_paper(torch.zeros(1), torch.zeros(1), "none")


def test_bce_is_the_logits_version_and_is_never_negative(rng):
    logits = torch.randn(9, generator=rng)
    for target in (0.0, 0.3, 1.0):
        pair = losses.bce(torch.sigmoid(logits), target), losses.bce_with_logits(logits, target)
        assert torch.allclose(*pair, atol=1e-6)
        assert pair[0] >= 0
    assert losses.bce(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])) == 0  # 0 log 0


def test_cross_entropy_is_eq_11_and_its_target_may_be_a_number_or_a_tensor(rng):
    logits, targets = torch.randn(9, generator=rng), torch.rand(9, generator=rng)
    p = torch.sigmoid(logits)
    printed = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    torch.testing.assert_close(losses.bce(p, targets), printed)
    torch.testing.assert_close(losses.bce_with_logits(logits, targets), printed)
    for target in (0, 1):  # whole numbers are targets too
        torch.testing.assert_close(losses.bce_with_logits(logits, target), losses.bce(p, float(target)))
        torch.testing.assert_close(losses.bce(p, torch.full((9,), target)), losses.bce(p, float(target)))
    with torch.device("meta"):  # a target goes where the logits are, whatever the default device
        for loss in (losses.bce, losses.bce_with_logits):
            assert loss(p, 0.3).isfinite()


def test_a_constant_shift_is_absorbed_by_the_last_bias(rng):
    last = nn.Linear(4, 1)
    features, fakes = torch.randn(6, 4, generator=rng), torch.randn(6, 4, generator=rng)
    plain = losses.adversarial_discriminator_loss(last(features), last(fakes), 0, "bce")
    with torch.no_grad():
        last.bias += 0.7
    shifted = losses.adversarial_discriminator_loss(last(features), last(fakes), 0.7, "bce_shift")
    assert shifted.item() == pytest.approx(plain.item(), rel=1e-5)
    assert losses.adversarial_generator_loss(last(fakes), 0.7, "bce_shift").item() == pytest.approx(
        losses.adversarial_generator_loss(last(fakes) - 0.7, 0, "bce").item(), rel=1e-5
    )


def test_the_literal_k_takes_the_logarithm_of_a_negative_number(rng):
    logits = torch.randn(6, generator=rng)
    assert losses.adversarial_generator_loss(logits, 1.0, "bce_literal").isnan()
    assert losses.adversarial_discriminator_loss(logits, logits, 1.0, "bce_literal").isnan()
    assert losses.adversarial_generator_loss(logits, 0.0, "bce_literal").isfinite()  # k = 0 is Eq. 11


def test_scale_reading_flattens_the_logits():
    logits = torch.tensor([3.0])
    assert losses.adversarial_generator_loss(logits, 3.0, "bce_scale") == losses.adversarial_generator_loss(
        torch.tensor([1.0]), 1.0, "bce"
    )
    with pytest.raises(ValueError, match="above zero"):
        losses.adversarial_generator_loss(logits, 0.0, "bce_scale")


def test_every_reading_is_weighted_by_its_lambdas(rng):
    real, fake = torch.randn(6, generator=rng), torch.randn(6, generator=rng)
    for reading in losses.ADVERSARIAL_READINGS:
        k = 1e-3 if reading == "bce_literal" else 1.0
        parts = [losses.adversarial_discriminator_loss(real, fake, k, reading, *w) for w in ((1, 0), (0, 1))]
        both = losses.adversarial_discriminator_loss(real, fake, k, reading, lambda_1=3, lambda_2=5)
        assert both.item() == pytest.approx((3 * parts[0] + 5 * parts[1]).item(), rel=1e-5)
        once = losses.adversarial_generator_loss(fake, k, reading)
        four_times = losses.adversarial_generator_loss(fake, k, reading, lambda_1=4)
        assert four_times.item() == pytest.approx(4 * once.item())


def test_readings_that_name_another_loss_are_that_loss(rng):
    real, fake = torch.randn(6, generator=rng), torch.randn(6, generator=rng)
    pairs = {
        "wgan": (losses.critic_loss(real, fake), losses.critic_generator_loss(fake)),
        "bce": (losses.gan_value(real, fake), losses.nonsaturating_generator_loss(fake)),
        "lsgan": (losses.least_squares_discriminator_loss(real, fake), losses.least_squares_generator_loss(fake)),
    }
    for reading, (d_loss, g_loss) in pairs.items():
        assert torch.allclose(losses.adversarial_discriminator_loss(real, fake, 1.0, reading), d_loss)
        assert torch.allclose(losses.adversarial_generator_loss(fake, 1.0, reading), g_loss)


def test_each_reading_of_k_is_its_formula_and_fakes_want_the_other_answer(rng):
    logits, k = torch.randn(6, generator=rng) + 3, 0.4
    softplus, d = nn.functional.softplus, torch.sigmoid(logits)
    formulas = {  # what a logit costs where the answer wanted is "real", and where it is "fake"
        "bce_shift": (softplus(k - logits), softplus(logits - k)),
        "bce_literal": (-(d - k).log(), -(1 - d + k).log()),
        "bce_scale": (softplus(-logits / k), softplus(logits / k)),
        "bce": (softplus(-logits), softplus(logits)),
        "wgan": (-logits, logits),
        "lsgan": ((logits - 1) ** 2 / 2, logits**2 / 2),
    }
    assert set(formulas) == set(losses.ADVERSARIAL_READINGS)
    for reading, (real, fake) in formulas.items():
        torch.testing.assert_close(losses.adversarial_generator_loss(logits, k, reading), real.mean())
        both = losses.adversarial_discriminator_loss(logits, logits, k, reading)
        torch.testing.assert_close(both, real.mean() + fake.mean())


def test_unknown_reading_is_named():
    with pytest.raises(ValueError, match=r"hinge.*bce_shift"):
        losses.adversarial_generator_loss(torch.zeros(1), 1.0, "hinge")


def test_combined_loss_weighs_equally():
    assert losses.combined_loss(torch.tensor(2.0), torch.tensor(4.0)).item() == 3.0
    assert losses.combined_loss(torch.tensor(2.0), torch.tensor(4.0), alpha=1, beta=0).item() == 2.0
    assert losses.combined_loss(torch.tensor(2.0), torch.tensor(4.0), alpha=3, beta=5).item() == 26.0


def test_bfloat16_logits_are_computed_in_float32(rng):
    logits = torch.randn(64, generator=rng).bfloat16()
    for reading in losses.ADVERSARIAL_READINGS:
        k = 0.0 if reading == "bce_literal" else 1.0
        value = losses.adversarial_generator_loss(logits, k, reading)
        exact = losses.adversarial_generator_loss(logits.float(), k, reading)
        assert value.dtype == torch.float32
        assert torch.equal(value, exact)


def test_penalty_has_a_correct_second_derivative(rng):
    critic = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    real, fake = (torch.randn(2, 3, generator=rng, dtype=torch.float64) for _ in range(2))

    def penalty(weight):
        def swapped(x):
            return torch.func.functional_call(critic, {"0.weight": weight}, (x,))

        return losses.gradient_penalty(swapped, real, fake, torch.Generator().manual_seed(1))

    assert torch.autograd.gradcheck(penalty, critic[0].weight.detach().clone().requires_grad_())
