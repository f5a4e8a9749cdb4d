"""Losses and Lipschitz constraints: each numbered equation is one function (chapter 05; Eqs. 1-7 and 10-15).

Logits are the discriminator's raw outputs, shape (batch,) or (batch, 1), before any sigmoid. Every loss is
computed in float32 (float64 where that is given), never in bfloat16, and is a scalar mean over the batch
unless its docstring says otherwise. Ids such as L5 are rows of the decision ledger, `hrvgan_lib.paper`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize

from hrvgan_lib.streams import Noise, drawn

# Readings of "D - k" inside the binary cross-entropy of Eqs. 12-14 (decision L5).
ADVERSARIAL_READINGS = ("bce_shift", "bce_literal", "bce_scale", "bce", "wgan", "lsgan")
# Ways to hold the critic to a Lipschitz constant (decision L6).
PIXEL_REDUCTIONS = ("mean", "sum", "norm")
LIPSCHITZ = ("none", "clip", "gradient_penalty", "spectral_norm")

WEIGHTED_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d,
                   nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Embedding)  # fmt: skip


def full(values: Tensor) -> Tensor:
    """`values` in float32, or in float64 where they are that already (bfloat16 is too coarse for a loss)."""
    return values if values.dtype == torch.float64 else values.float()


# --- Section 3.1: the game -------------------------------------------------------------------------------


def gan_value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Eqs. 1-2: E[-log D(x)] + E[-log(1 - D(G(z)))], the loss that D minimises (decision L1).

    With D = sigmoid(logit), -log D is softplus(-logit): no logarithm ever sees a zero. 2 log 2 where D = 1/2.
    """
    return F.softplus(-full(real_logits)).mean() + F.softplus(full(fake_logits)).mean()


def saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """Eq. 3 as a game of one value: G minimises E[log(1 - D(G(z)))], the negated fake term (decision L1).

    Its gradient with respect to a logit is -D: it fades exactly where D rejects the fake.
    """
    return -F.softplus(full(fake_logits)).mean()


def nonsaturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """Eq. 3 as it is trained: G minimises E[-log D(G(z))] (Goodfellow et al. 2014; decision L1).

    The same fixed point; its gradient with respect to a logit is -(1 - D), largest where D rejects the fake.
    """
    return F.softplus(-full(fake_logits)).mean()


def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[(D(x) - 1)^2] / 2 + E[D(G(z))^2] / 2 on raw outputs (section 3.1; Mao et al. 2017)."""
    return _judged(real_logits, True, 0, "lsgan") + _judged(fake_logits, False, 0, "lsgan")


def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """E[(D(G(z)) - 1)^2] / 2 on raw outputs (section 3.1; Mao et al. 2017)."""
    return _judged(fake_logits, True, 0, "lsgan")


def feature_matching_loss(real_features: Tensor, fake_features: Tensor) -> Tensor:
    """|E f(x) - E f(G(z))|^2 over the discriminator's features (section 3.1; Salimans et al. 2016).

    Features are (batch, ...); the two batches may differ in size. No gradient flows to the real side.
    """
    real_mean = full(real_features.detach()).flatten(1).mean(dim=0)  # (features,)
    return (real_mean - full(fake_features).flatten(1).mean(dim=0)).square().sum()


def minibatch_discrimination(features: Tensor, weight: Tensor) -> Tensor:
    """How close each sample is to the rest of its batch (section 3.1; Salimans et al. 2016).

    features (batch, A), weight (A, B, C) -> (batch, B), to be appended to the features. Entry b of sample i
    is sum_j exp(-|M_ib - M_jb|_1) with M = features @ weight. The sample itself is counted, as in the source:
    the value is 1 where every sample is far from the others and `batch` where all are the same.
    """
    with torch.autocast(features.device.type, enabled=False):  # else autocast multiplies in bfloat16 again
        rows = torch.einsum("na,abc->nbc", full(features), full(weight))  # (batch, B, C)
        distance = (rows[:, None] - rows[None]).abs().sum(dim=-1)  # (batch, batch, B)
        return torch.exp(-distance).sum(dim=1)  # (batch, B)


# --- Section 3.2: Wasserstein ----------------------------------------------------------------------------


def wasserstein_distance_exact(real: Tensor, fake: Tensor) -> float:
    """Eq. 4 between two sets of equal size: the mean Euclidean distance of the best one-to-one pairing.

    real, fake (N, ...) are flattened to N points of equal weight, for which an optimal coupling is a
    permutation; scipy's assignment solver finds it in O(N^3), in float64. Raises ValueError where the sets
    differ in shape, are empty or are not finite.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, and training never needs it

    if real.shape != fake.shape or real.ndim < 2 or len(real) == 0:
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise ValueError(f"wasserstein_distance_exact: sets of shapes {shapes}; give two equal (N, ...) sets")
    real, fake = (points.detach().double().flatten(1).cpu() for points in (real, fake))  # (N, D) each
    if not (real.isfinite().all() and fake.isfinite().all()):
        raise ValueError("wasserstein_distance_exact: a point is NaN or infinite; drop it before measuring")
    cost = torch.cdist(real, fake, compute_mode="donot_use_mm_for_euclid_dist").numpy()  # (N, N)
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].mean())


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Eq. 5 with the sign a critic can minimise: E[D(G(z))] - E[D(x)] (decision L2).

    Minus this value, for the best K-Lipschitz critic, is K times the distance of Eq. 4.
    """
    return full(fake).mean() - full(real).mean()


def critic_generator_loss(fake: Tensor) -> Tensor:
    """Eq. 5 as G sees it: G minimises -E[D(G(z))] (decision L2)."""
    return -full(fake).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, generator: Noise | None = None, target: float = 1.0
) -> Tensor:
    """Eq. 6 without its λ: E[(|grad D(x_hat)|_2 - k)^2] with k = `target` (decisions L2, L6).

    After Gulrajani et al. (2017), who use λ = 10 and k = 1. x_hat is uniform on the line between a real and a
    fake clip, one draw a pair; `generator` draws it. The graph is kept, so the result can be differentiated
    with respect to the critic's weights. Labels go in by a closure: `lambda clips: critic(clips, labels)`.
    Raises ValueError where real and fake differ in shape.
    """
    if real.shape != fake.shape:
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise ValueError(f"gradient_penalty: real and fake clips of shapes {shapes}; give two equal shapes")
    real, fake = full(real.detach()), full(fake.detach())
    shape = [1] * (real.ndim - 1)
    mix = drawn(
        lambda n, g: torch.rand(n, *shape, generator=g, device="cpu" if g is None else g.device), len(real), generator,
        real.device,
    ).to(real.dtype)  # fmt: skip
    x_hat = torch.lerp(fake, real, mix).requires_grad_(True)  # (batch, 3, T, S, S), with one `mix` a clip
    with torch.autocast(real.device.type, enabled=False):  # a derivative of a derivative wants all its digits
        scores = full(critic(x_hat))
        (slope,) = torch.autograd.grad(scores.sum(), x_hat, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - target).square().mean()  # slope: as x_hat; its norm: (batch,)


@torch.no_grad()
def clip_weights_(module: nn.Module, c: float) -> nn.Module:
    """Clamp every parameter of `module` to [-c, c] in place (section 3.2; decision L6).

    To be called after each critic step. The norms' scales and the biases are clamped with the rest, as in
    WGAN. Raises ValueError unless c > 0.
    """
    if not c > 0:
        raise ValueError(f"clip_weights_: the bound is {c}; give one above zero (WGAN uses 0.01)")
    for parameter in module.parameters():
        parameter.clamp_(-c, c)
    return module


def add_spectral_norm(module: nn.Module) -> nn.Module:
    """Divide each weight of `module` by its largest singular value, in place (decision L6).

    After Miyato et al. (2018): convolutions, linear layers and embeddings; one power iteration a forward pass
    in training mode. A convolution's weight is taken as an (out, in x taps) matrix: that matrix has norm 1,
    while the convolution may stretch its input by more (up to the square root of the number of taps).
    """
    for layer in module.modules():
        if isinstance(layer, WEIGHTED_LAYERS) and not parametrize.is_parametrized(layer, "weight"):
            parametrizations.spectral_norm(layer, "weight")
    return module


# --- Section 3.3: conditions -----------------------------------------------------------------------------


def conditional_gan_value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Eq. 7: the value of Eqs. 1-2 with logits D(x | y) and D(G(z | y) | y) (decision L3).

    The condition lives in the networks: it changes the logits and not the formula.
    """
    return gan_value(real_logits, fake_logits)


# --- Section 4.5: what HRVGAN is trained with ------------------------------------------------------------


def mse_loss_paper(prediction: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Eq. 10: |G(X) - Y|^2, the mean over all values (decisions L9, L10).

    reduction="sum" adds up each clip's values first, as the equation is printed, and then takes the batch mean;
    "norm" is the batch mean of |G(X) - Y| without the square. They differ in how loud the pixel term is beside an
    adversarial one: the gradient of "norm" has length one at every clip, whatever its number of values n, that of
    "sum" is 2 |G(X) - Y| long, and that of "mean" n times shorter. Raises ValueError where the shapes differ
    (broadcasting would hide it) or for another reduction.
    """
    if prediction.shape != target.shape:
        shapes = f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        raise ValueError(f"mse_loss_paper: prediction and target of shapes {shapes}; give two equal shapes")
    if reduction not in PIXEL_REDUCTIONS:
        choices = ", ".join(PIXEL_REDUCTIONS)
        raise ValueError(f"mse_loss_paper: unknown reduction {reduction!r}; choose one of {choices}")
    error = (full(prediction) - full(target)).flatten(1)  # (batch, 3 * T * S * S)
    if reduction == "norm":
        return torch.linalg.vector_norm(error, dim=1).mean()
    return error.square().mean() if reduction == "mean" else error.square().sum(dim=1).mean()


def divergence_from_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, I), in nats a clip: the mean over the batch.

    mean, log_variance: (batch, ...), each number with a variance of its own (Kingma and Welling, 2014, appendix B).
    """
    mean, log_variance = full(mean).flatten(1), full(log_variance).flatten(1)
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean() / 2


def bce(probability: Tensor, target: float | Tensor) -> Tensor:
    """Eq. 11 with its brackets: E[-(t log p + (1 - t) log(1 - p))], prediction first (decision L4).

    A term of weight zero is zero (0 log 0 = 0). Nothing is clamped: a "probability" below 0 or above 1 gives
    NaN, which is what the literal reading of Eqs. 12-14 runs into (decision L5).
    """
    probability = full(probability)
    target = target.to(probability) if isinstance(target, Tensor) else torch.full_like(probability, target)
    return -(torch.xlogy(target, probability) + torch.xlogy(1 - target, 1 - probability)).mean()


def bce_with_logits(logits: Tensor, target: float | Tensor) -> Tensor:
    """Eq. 11 of p = sigmoid(logit), finite for every finite logit (decision L4)."""
    logits = full(logits)
    wanted = target.to(logits).expand_as(logits) if isinstance(target, Tensor) else torch.full_like(logits, target)
    return F.binary_cross_entropy_with_logits(logits, wanted)


def adversarial_generator_loss(logits: Tensor, k: float, reading: str, lambda_1: float = 1.0) -> Tensor:
    """Eq. 12: λ1 L_bce(D(G) - k, 1), the mean over the clips of a batch (decisions L5, L7, L8).

    `reading` says what "D - k" means:
      bce_shift    D is a logit: sigmoid(D - k); the nearest to the print that can be computed
      bce_literal  D is a probability: log(sigmoid(D) - k) as printed; NaN where D <= k, so always for k = 1
      bce_scale    D is a logit of slope k: sigmoid(D / k)
      bce          k dropped: sigmoid(D)
      wgan, lsgan  Eq. 5, or least squares, in its place; k is left to the Lipschitz constraint
    Raises ValueError for another reading, or for bce_scale with k <= 0.
    """
    return lambda_1 * _judged(logits, True, k, reading)


def adversarial_discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, k: float, reading: str, lambda_1: float = 1.0, lambda_2: float = 1.0
) -> Tensor:
    """Eqs. 13-14: λ1 L_bce(D(Y) - k, 1) + λ2 L_bce(D(G) - k, 0), both as batch means (decisions L5, L7, L8).

    Readings and errors as in `adversarial_generator_loss`. "wgan" is the loss of Eq. 5, "lsgan" Mao's.
    """
    real, fake = _judged(real_logits, True, k, reading), _judged(fake_logits, False, k, reading)
    return lambda_1 * real + lambda_2 * fake


def _judged(logits: Tensor, real: bool, k: float, reading: str) -> Tensor:
    """The price of these logits where the answer wanted is "real" (target 1) or "fake" (target 0)."""
    target = float(real)
    if reading == "bce_shift":
        return bce_with_logits(full(logits) - k, target)
    if reading == "bce_literal":
        return bce(torch.sigmoid(full(logits)) - k, target)
    if reading == "bce_scale":
        if not k > 0:
            raise ValueError(f"reading bce_scale divides by k, which is {k}; give one above zero")
        return bce_with_logits(full(logits) / k, target)
    if reading == "bce":
        return bce_with_logits(logits, target)
    if reading == "wgan":
        return critic_generator_loss(logits) if real else full(logits).mean()
    if reading == "lsgan":
        return 0.5 * (full(logits) - target).square().mean()
    choices = ", ".join(ADVERSARIAL_READINGS)
    raise ValueError(f"unknown adversarial reading {reading!r}; choose one of {choices}")


def combined_terms(adversarial: Tensor, mse: Tensor | None, alpha: float = 0.5, beta: float = 0.5) -> dict[str, Tensor]:
    """Eq. 15 term by term: β L_mse and α L_adv, equal weights as published (decision L9: λ_adv = α, λ_mse = β).

    Their sum is the loss; without an `mse` the pixel term is left out (decision T1).
    """
    return ({} if mse is None else {"pixel": beta * mse}) | {"adversarial": alpha * adversarial}


def combined_loss(adversarial: Tensor, mse: Tensor, alpha: float = 0.5, beta: float = 0.5) -> Tensor:
    """Eq. 15: α L_adv + β L_mse, the sum of `combined_terms`."""
    return sum(combined_terms(adversarial, mse, alpha, beta).values())
