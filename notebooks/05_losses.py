# %% [markdown]
# # 05 · What should the generator be told? Thirteen equations, and a k that changes nothing
#
# | | |
# |---|---|
# | **You will build** | every loss of Eqs. 1–7 and 10–15 in its shortest form, and a small GAN that learns, collapses and falls silent before your eyes |
# | **Reads** | clips of the action data set (a [stand-in](00_start_here.ipynb#Glossary) is drawn if you have none) |
# | **Writes** | nothing that a later chapter needs |
# | **Budget** | about half a minute on two cores |
#
# All that a generator learns about videos comes to it through one number, its *loss*. In an adversarial loss G is shown no real
# clip: it hears only what D thinks of its own. The pixel term of the paper's full loss does hold a real clip against it. This
# chapter is about what that number says, where it falls silent, and what happens where two losses disagree.
#
# **By the end you can**
#
# - derive the best discriminator and the value of Eqs. 1–2 at it, and say which losses still teach a hopeless generator;
# - compute the distance of Eq. 4 exactly, and say by which factor a critic's estimate of it may be off;
# - tell a GAN that learns from one that has collapsed and from one whose discriminator is too strong;
# - show that the *k* of Eqs. 12–14 is absorbed by one bias, and name the constraint under which it is not;
# - predict the picture that Eq. 10 asks for when its target is not paired with its input.

# %% tags=["parameters"]
profile = "smoke"  # smoke, cpu, overnight, gpu or paper
seed = 0
data_root = ""  # folder with ucf101/ golf/ aeroplane/ weizmann/; empty: data/
actions = "ucf101"  # the labelled data set: ucf101 or weizmann
run = ""  # name of the results folder; empty: the profile's name
rehearse = False  # true shapes, two steps
allow_partial = False  # accept a data set that is there in part

# %%
import sys

sys.path.append("..")  # the library lies beside this folder; not found: open the notebook there, with make lab
from hrvgan_lib import book

page = book.open_page("05_losses", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import math
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import torch
from torch import nn

from hrvgan_lib import losses, paper
from hrvgan_lib.networks.hrvgan import make_config

INKS = ["#332288", "#AA4499", "#44AA99", "#882255"]  # for curves that are no system of ours
DASHES = ["-", "--", "-.", ":"]  # beside the colours, for eyes that do not tell these apart


def draws(purpose: int = 0) -> torch.Generator:
    """A fresh random stream; a different purpose gives a different one."""
    return torch.Generator().manual_seed(1000 * page.seed + purpose)


# %% [markdown]
# ## The adversarial game (Eqs. 1–3)
#
# The [generator](00_start_here.ipynb#Glossary) G turns random numbers, the [latent](00_start_here.ipynb#Glossary) $\mathbf{z}$, into a clip. The [discriminator](00_start_here.ipynb#Glossary) D is shown a clip and answers with the probability that it is real. What both are after:
#
# > *Section 3.1.* "… both are in a state of Nash Equilibrium."
# >
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [-\log \mathcal{D}(\mathbf{x})] \quad (1)$$
# > $$+ \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{z}}} [-\log(1 - \mathcal{D}(\mathcal{G}(\mathbf{z})))] \quad (2) \qquad\qquad \min_G \max_D \mathcal{F}(\mathcal{D}, \mathcal{G}) \quad (3)$$
#
# > **What it does not say.** Which sign is meant ([**L1**](12_claims_and_decisions.ipynb#L1)). With minus signs in front of the logarithms $\mathcal{F}$ is large where D is *wrong*: it is D's [loss](00_start_here.ipynb#Glossary). A D that maximises it, as Eq. 3 has it, would learn to call real clips fake. We read: D minimises $\mathcal{F}$, G maximises it.
#
# ### The best discriminator and the Jensen-Shannon divergence
#
# Let $p(x)$ be the density of real clips and $q(x)$ that of generated ones.
#
# 1. Written as one integral, $\mathcal{F} = -\int \big[\, p(x) \log D(x) + q(x) \log(1 - D(x)) \,\big]\, dx$. D may choose its answer at each $x$ by itself.
# 2. At one $x$ the derivative with respect to $D$ is $-p/D + q/(1 - D)$. It is zero for $D^* = p / (p + q)$, and negative below, positive above: a minimum. As a [logit](00_start_here.ipynb#Glossary), the number before the sigmoid, $D^*$ is $\log p - \log q$.
# 3. Put $D^*$ in, and write $m = (p + q)/2$. Then $\mathcal{F}^* = 2 \log 2 - \int p \log \frac{p}{m} - \int q \log \frac{q}{m} = 2 \log 2 - 2\, \mathrm{JS}(p, q)$. This JS is the *Jensen-Shannon divergence*. It is zero for $p = q$ only, and $\log 2$ where $p$ and $q$ do not overlap.
#
# So the value lies between zero, where D is always right, and $2 \log 2$, where it cannot tell. On a line we can draw this without networks: real samples follow a standard bell curve $p$, the generator's the same curve shifted by $s$.

# %%
x = torch.linspace(-8, 12, 2001)


def bell(centre: float) -> torch.Tensor:
    return torch.exp(-0.5 * (x - centre) ** 2) / math.sqrt(2 * math.pi)


def best_value(shift: float) -> float:
    p, q = bell(0.0), bell(shift)
    D = p / (p + q)
    integrand = -p * D.clamp_min(1e-30).log() - q * (1 - D).clamp_min(1e-30).log()
    return torch.trapezoid(integrand, x).item()


# %%
shifts = torch.linspace(0, 6, 25)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for shift, ink, dash in zip((0.0, 1.0, 4.0), INKS, DASHES):
    left.plot(x, bell(0.0) / (bell(0.0) + bell(shift)), dash, color=ink, label=f"s = {shift:g}")
left.set(xlim=(-3, 7), xlabel="x", ylabel="best D(x)")
left.legend()
right.plot(shifts, [best_value(s.item()) for s in shifts], color=INKS[0])
right.axhline(2 * math.log(2), color="0.5", linestyle=":")
right.set(xlabel="shift s of the generator", ylabel="F at the best D", ylim=(0, None))
page.figure(fig, data=(),
            caption="Left: the best discriminator for three generators. Right: the value of Eqs. 1-2 that it reaches; "
                    "dotted, 2 log 2.",
            alt="Left: the best discriminator as a curve over x for a generator shifted by 0, 1 and 4; it is flat "
                "at one half, then a slope, then a cliff. Right: the value of the game falls from two log two "
                "towards zero as the shift grows.")

# %% [markdown]
# At $s = 0$ the best D answers one half everywhere, and each of the two terms costs $\log 2$. Look for their sum, $2 \log 2$, in a training log: a discriminator whose loss stays there has met a perfect generator, or has learned nothing. Far to the right the curve is flat: it hardly tells a generator at $s = 6$ that $s = 5$ is better.
#
# The library works on logits: $-\log \sigma(l)$ is `softplus(-l)`, which never takes the logarithm of zero.

# %% tags=["nbval-check-output"]
on_real, on_fake = torch.randn(512, generator=draws()), torch.randn(512, generator=draws(1))  # logits
printed = -torch.sigmoid(on_real).log().mean() - (1 - torch.sigmoid(on_fake)).log().mean()
print("Eqs. 1-2 as printed == library:", torch.allclose(printed, losses.gan_value(on_real, on_fake)))
even = losses.gan_value(torch.zeros(8), torch.zeros(8)).item()
page.expect("value where D = 1/2", even, of=2 * math.log(2), rtol=1e-6, why="each answer costs log 2")
page.expect("value at a shift of 6", best_value(6.0), high=0.05, why="D is almost always right")
page.expect("difference of the values at 5 and at 6", best_value(5.0) - best_value(6.0), 0, 0.05)

# %% [markdown]
# ### Is it an equilibrium?
#
# In a *Nash equilibrium* neither player gains by moving alone. Let G draw exactly like the data while D says one half. Against this D every G has the same value, $2 \log 2$: G gains nothing by moving alone. What does D gain by its best answer? And, beyond the definition: what does G gain by a shift of one to which D may answer?

# %% tags=["nbval-check-output"]
d_gains, g_gains = even - best_value(0.0), best_value(1.0) - even
page.expect("D gains", d_gains, high=1e-4, why="one half is its best answer already")
page.expect("G gains by a shift of one, once D has answered", g_gains, high=0, why="it loses")
page.measure("value of Eqs. 1-2 where D = 1/2, over 2 log 2", even / (2 * math.log(2)), claim="nash", low=1 - 1e-6,
             high=1 + 1e-6)
page.measure("what D gains by its best answer to a G that draws like the data", even - best_value(0.0), claim="nash",
             high=1e-4)
page.measure("what G gains by a shift of one, at D's best answer", best_value(1.0) - even, claim="nash", high=0)

# %% [markdown]
# ### Three losses for the generator
#
# Equation 3 taken literally gives G the negated second term: minimise $\log(1 - D(G(z)))$. In practice G minimises $-\log D(G(z))$ instead, which asks for the same and is called *non-saturating*. The section names a third, "least square loss instead of sigmoid cross entropy loss": $\frac12 (D(G(z)) - 1)^2$ on D's raw output. All three want D to say *real*; what counts for learning is their slope.

# %%
logits = torch.linspace(-8, 8, 161, requires_grad=True)
contenders = {
    "saturating, log(1 − D)": losses.saturating_generator_loss,
    "non-saturating, −log D": losses.nonsaturating_generator_loss,
    "least squares": losses.least_squares_generator_loss,
}
slopes = {name: 161 * torch.autograd.grad(loss(logits), logits)[0] for name, loss in contenders.items()}
fig, axes = plt.subplots(figsize=(7, 3))
for (name, slope), ink, dash in zip(slopes.items(), INKS, DASHES):
    axes.plot(logits.detach(), slope.abs(), dash, color=ink, label=name)
axes.set(xlabel="D's logit for a fake   (left: surely fake)", ylabel="|gradient|", ylim=(0, 4))
axes.legend()
page.figure(fig, data=(),
            caption="Size of the gradient that a fake sends to G, over D's logit for it. Left, where a beginner's "
                    "fakes are, the saturating loss is silent.",
            alt="Size of three generator gradients over D's logit for a fake. The saturating loss has no gradient "
                "on the left, where D is sure that the clip is fake; the non-saturating one has gradient one "
                "there; the least-squares one grows linearly away from logit one on both sides.")

# %% [markdown]
# The saturating gradient is $-D$: gone on the left, where the fakes of an untrained generator are. The non-saturating one is $-(1 - D)$: strongest there, gone on the right. The least-squares one is zero at an output of exactly 1 and grows on both sides; even a fake that D calls real *too* firmly is pulled back. (The *hinge loss* of later GANs charges D only where a real clip's output is below 1 or a fake's above −1; G minimises $-D$.)

# %% tags=["nbval-check-output"]
print("size of the gradient for a fake that D sees through (logit -8):")
for name, slope in slopes.items():
    print(f"  {name:24s} {abs(slope[0].item()):.4f}")
    page.measure(f"gradient for a fake that D rejects with a logit of -8, {name}", abs(slope[0].item()), decision="L1")

# %% [markdown]
# The section names two remedies for instability, least squares and feature matching. The argument for the first is about fakes that D takes for real although they are far from the data: there cross-entropy falls silent. Do the remedies pull harder? Take a fake with an output of 8 where real clips have 1, and let the output be the one feature that is matched.

# %%
far = torch.tensor([[8.0]], requires_grad=True)
pulls = [torch.autograd.grad(loss, far)[0].abs().item() for loss in (
    losses.nonsaturating_generator_loss(far), losses.least_squares_generator_loss(far),
    losses.feature_matching_loss(torch.ones(1, 1), far))]
print(f"cross-entropy pulls with {pulls[0]:.5f}")
for name, pull in zip(("least squares", "feature matching"), pulls[1:]):
    print(f"{name} pulls with {pull:.4g}, {pull / pulls[0]:,.0f} times as hard")
    page.measure(f"gradient for a fake that passes as real but lies far from the data, {name} over cross-entropy",
                 pull / pulls[0], claim="least-squares", low=1)

# %% [markdown]
# ## What notices a mode collapse? Feature matching and minibatch discrimination
#
# > *Section 3.1.* "… using feature matching and minibatch discrimination as shown in [22]."
#
# In a *mode collapse* the generator answers many latents with one clip: the kinds of clip in the data, its *modes*, are no longer all there. Feature matching asks G to match the *mean* of D's features on real clips. Minibatch discrimination lets D compare the clips of a batch: each sample is told how many neighbours it has. To see what each of them notices, we shrink a cloud of features step by step onto its own mean.

# %%
def neighbours(features, weight):  # (n, A), (A, B, C) -> (n, B)
    rows = torch.einsum("na,abc->nbc", features, weight)
    return torch.exp(-(rows[:, None] - rows[None]).abs().sum(-1)).sum(dim=1)


cloud, weight = torch.randn(32, 16, generator=draws()), torch.randn(16, 4, 3, generator=draws(1))
spreads = torch.logspace(0, -4, 41)
shrunk = [cloud.mean(0) + s * (cloud - cloud.mean(0)) for s in spreads]
fig, axes = plt.subplots(figsize=(7, 3))
axes.plot(spreads, [neighbours(c, weight).mean() for c in shrunk], color=INKS[0], label="minibatch discrimination")
axes.plot(spreads, [losses.feature_matching_loss(cloud, c) for c in shrunk], "--", color=INKS[1],
          label="feature matching loss")
axes.set(xscale="log", xlabel="spread of the generated features (1: as real; right: collapsed)", ylabel="value")
axes.invert_xaxis()
axes.legend()
page.figure(fig, data=(),
            caption="A cloud of 32 samples collapses to its mean from left to right. Only minibatch discrimination "
                    "notices.",
            alt="As a cloud of 32 feature vectors shrinks to a point, the feature matching loss stays at zero "
                "while the minibatch discrimination feature climbs from about one to 32.")

# %% tags=["nbval-check-output"]
print("same as the library:", torch.allclose(neighbours(cloud, weight), losses.minibatch_discrimination(cloud, weight)))
one_clip = cloud.mean(0, keepdim=True).expand(32, -1)
page.expect("feature matching of one sample, 32 times", losses.feature_matching_loss(cloud, one_clip), high=1e-6)
page.expect("neighbours of that sample", losses.minibatch_discrimination(one_clip, weight).mean(), of=32, rtol=1e-5,
            why="all 32 are the same")

# %% [markdown]
# Feature matching sees means only: a single sample with the mean features is a perfect answer to it. HRVGAN uses neither; its discriminator has a simpler relative of the second, the minibatch stddev layer of [chapter 02](02_norm_layers.ipynb).
#
# ## The Wasserstein distance (Eq. 4)
#
# > *Section 3.2.*
# >
# > $$W(p_r, p_g) = \inf_{\gamma \in \Pi(p_r, p_g)} \mathbb{E}_{(x,y) \sim \gamma} [\|x - y\|] \quad (4)$$
#
# Read $\gamma$ as a transport plan: it says which generated mass goes to which real place, and costs mass times distance. Between two sets of $N$ points of equal weight one of the best plans is a one-to-one pairing. Finding it is the *assignment problem*, which SciPy solves exactly, without any training, in a time that grows with $N^3$.

# %%
from scipy.optimize import linear_sum_assignment

n = 96
angle = torch.arange(n) % 6 * (math.pi / 3)
real = 2 * torch.stack([angle.cos(), angle.sin()], dim=1) + 0.15 * torch.randn(n, 2, generator=draws())
fake = torch.tensor([0.6, 0.0]) + 0.4 * torch.randn(n, 2, generator=draws(1))
way = torch.cdist(fake, real)
rows, columns = linear_sum_assignment(way)  # who goes where

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
left.plot(*torch.stack([fake[rows], real[columns]]).permute(2, 0, 1), color="0.8", linewidth=0.7, zorder=0)
left.scatter(*real.T, s=10, color=book.SYSTEM_COLOURS["real"], label="real")
left.scatter(*fake.T, s=14, marker="^", color=INKS[1], label="generated")
left.set(aspect="equal", xlim=(-2.5, 4.2))
left.legend(loc="upper right", fontsize=9)
right.plot(shifts, shifts, color=INKS[0], label="Eq. 4: W")
right.plot(shifts, [2 * math.log(2) - best_value(s.item()) for s in shifts], "--", color=INKS[1],
           label="2 log 2 − F at the best D, or 2 JS")
right.set(xlabel="shift between two bell curves")
right.legend()
page.figure(fig, data=(),
            caption="Left: Eq. 4 solved exactly. Right: it grows with the way to go, while the game's value "
                    "saturates.",
            alt="Left: six real clusters on a ring and one generated blob inside, with a thin line from each "
                "generated point to the real point that it is paired with. Right: over the shift between two "
                "clouds the Wasserstein distance grows along a straight line while two log two minus the game's "
                "value bends and flattens.")

# %% tags=["nbval-check-output"]
exact = losses.wasserstein_distance_exact(real, fake)
print("same as the library:", math.isclose(way[rows, columns].mean(), exact, rel_tol=1e-5))
moved = (real + torch.tensor([3.0, 4.0]))[torch.randperm(n, generator=draws(2))]
page.expect("distance of a cloud moved by (3, 4)", losses.wasserstein_distance_exact(real, moved), of=5, rtol=1e-5,
            why="each point goes 5 far")
a, b = torch.randn(40, 1, generator=draws()), torch.rand(40, 1, generator=draws(1))
page.expect("distance on a line", losses.wasserstein_distance_exact(a, b),
            of=(a.sort(0)[0] - b.sort(0)[0]).abs().mean().item(), rtol=1e-5,
            why="the best pairing is sorted")

# %% [markdown]
# Section 3.2 expects stability from this distance. One part of that needs no training: does a step towards the data lower it where the two distributions hardly overlap, at a shift of six?

# %%
points = torch.randn(96, 1, generator=draws(9))
farther, nearer = (losses.wasserstein_distance_exact(points, points + shift) for shift in (6.5, 5.5))
page.measure("slope of Eq. 4 over the generator's shift, at a shift of 6", farther - nearer, claim="wgan-less-collapse",
             low=0.5)
page.measure("slope of Eqs. 1-3 at the best D over the generator's shift, at a shift of 6",
             abs(best_value(6.5) - best_value(5.5)), claim="wgan-less-collapse", high=0.05)
page.expect("slope of Eq. 4", farther - nearer, low=0.5, why="a step of one saves a way of one")
page.expect("slope of Eqs. 1-3", abs(best_value(6.5) - best_value(5.5)), high=0.05, why="the curve is flat here")

# %% [markdown]
# ## The Wasserstein critic and its constraint (Eqs. 5–6)
#
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [\mathcal{D}(\mathbf{x})] - \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{u}}} [\mathcal{D}(\mathcal{G}(\mathbf{z}))] \quad (5) \qquad + \lambda \mathbb{E}_{\hat{\mathbf{x}} \sim p_{\hat{\mathbf{x}}}} [(\|\nabla_{\hat{\mathbf{x}}} \mathcal{D}(\hat{\mathbf{x}})\|_2 - 1)^2] \quad (6)$$
#
# > **What it does not say.** The sign: a D that minimises Eq. 5 pushes real clips *down*; we train it on $\mathbb{E} D(G(z)) - \mathbb{E} D(x)$ ([**L2**](12_claims_and_decisions.ipynb#L2)). The constraint: the text announces weight clipping, Eq. 6 is the gradient penalty, and $\hat{\mathbf{x}}$ and $\lambda$ are not given ([**L6**](12_claims_and_decisions.ipynb#L6)). We take points on lines between real and generated clips, and $\lambda = 10$ for clips.
#
# ### Duality in two steps
#
# Eq. 4 searches for a plan, Eq. 5 for a function, the *critic*. Kantorovich's duality says that both find $W$, if the critic's slope is nowhere above 1. Such a critic is *1-Lipschitz*; a bound on the slope is a *Lipschitz constant*.
#
# *Step 1: no critic exceeds the plan.* Take any plan $\gamma$ and any $D$ with $|D(x) - D(y)| \le \|x - y\|$. Then $\mathbb{E} D(x) - \mathbb{E} D(y) = \mathbb{E}_\gamma [D(x) - D(y)] \le \mathbb{E}_\gamma \|x - y\|$. This holds for the best plan too, so $W$ is a bound for every critic.
#
# *Step 2: one critic reaches it.* Let the best pairing be $y_i$ with $x_i$. Write $c_{ij} = \|x_j - y_i\|$, and $a_i$ for the critic's value at fake $y_i$.
#
# 1. To reach the bound, $D$ has to rise by the whole way within each pair: $D(x_j) = a_j + c_{jj}$. With slope 1 it may not rise by more than the way from any other fake: $D(x_j) \le a_i + c_{ij}$. Together: $a_j \le a_i + (c_{ij} - c_{jj})$. The bracket is the extra cost if fake $i$ takes over the partner of fake $j$.
# 2. Start with all $a_i = 0$ and lower whatever is too high. This goes on for ever only on a *negative circle*: fakes of which each lowers the next, and the last the first, with brackets that add up to less than zero. But if each fake of a circle took over the next one's partner, the cost would change by just this sum, and a cheaper pairing than the best does not exist. So a chain of lowerings ends before it comes back to its first fake, and $n$ rounds are enough.
# 3. For the rest of the plane, put a cone on each fake and take the lowest: $D(x) = \min_i ( a_i + \|x - y_i\| )$. By the triangle inequality a step of length $s$ changes no $\|x - y_i\|$ by more than $s$, so no slope exceeds 1. By the same inequality $c_{ij} - c_{jj} \le \|y_j - y_i\|$, so $a_j \le a_i + \|y_j - y_i\|$: no cone cuts below another fake's value.
#
# *Three points.* Fakes at 0, 1, 2 go to real points at 1, 2, 3. The second fake stands on the first one's partner: its bracket is $0 - 1$, so $a_1 \le a_2 - 1$. Likewise $a_2 \le a_3 - 1$. Two rounds give $-2, -1, 0$. Now pair badly, 0 with 3 and 2 with 1: swapping partners would save two steps. This is a negative circle, and the values fall for ever.

# %% tags=["nbval-check-output"]
def lowered(cost, rounds):
    """D at the fakes after so many rounds of step 2; cost[i, j]: from fake i to the partner of fake j."""
    low = torch.zeros(len(cost))
    for _ in range(rounds):
        high = (low[:, None] + cost).min(dim=0).values  # D at the real points: never more than the way above a fake
        low = high - cost.diagonal()  # exactly the way below its partner
    return low


three = (torch.arange(1.0, 4.0) - torch.arange(3.0)[:, None]).abs()
for rounds in (1, 2, 3, 4):
    well, badly = (lowered(one, rounds).int().tolist() for one in (three, three.flip(1)))
    print(f"round {rounds}: paired well {well}, paired badly {badly}")

# %% [markdown]
# The same for the 96 fakes of the picture, without network or training:

# %% tags=["nbval-check-output"]
low = lowered(way[:, columns], n)  # fake i and the real point that it goes to are now number i both


def best_critic(points):
    return (low + torch.cdist(points, fake)).min(dim=1).values


page.expect("E D(x) - E D(y), over Eq. 4", (best_critic(real) - best_critic(fake)).mean() / exact, of=1, rtol=1e-4,
            why="the dual reaches the plan")
some = 3 * torch.randn(200, 2, generator=draws(8))
steep = (best_critic(some)[:, None] - best_critic(some)).abs() / torch.cdist(some, some).clamp_min(1e-6)
page.expect("steepest slope between any two of 200 places", steep.max(), high=1 + 1e-3)

# %% [markdown]
# If the slope may reach $k$, every critic may be multiplied by $k$, and the largest value is $k\,W$. This is the *scale* of which section 4.5 speaks.
#
# A network has to be *held* to such a slope, for instance by the penalty of Eq. 6:

# %% tags=["nbval-check-output"]
def penalty(critic, real, fake, mix, k=1.0):
    x_hat = (mix * real + (1 - mix) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - k).square().mean()


torch.manual_seed(page.seed)
linear = nn.Linear(2, 1)
print("same as the library:", torch.allclose(
    penalty(linear, real, fake, torch.rand(n, 1, generator=draws())),
    losses.gradient_penalty(linear, real, fake, draws())))
# The slope of a linear critic is |w| everywhere, so its penalty is known.
page.expect("penalty of a linear critic, k = 2",
            losses.gradient_penalty(linear, real, fake, draws(), target=2.0).item(),
            of=(linear.weight.norm().item() - 2) ** 2, rtol=1e-4, why="(|w| - k)^2")

# %% [markdown]
# We train five critics of the same size: *none* lets the slope grow. *Clipping* clamps every weight to ±0.1 after each step. *Spectral norm* divides each weight matrix by its largest singular value. The *gradient penalty* asks for slope $k$ at the points where it is evaluated, with $k = 1$ and with $k = 3$.

# %%
def train_critic(constraint, k=1.0, width=64, steps=200):
    torch.manual_seed(page.seed)
    critic = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2),
                           nn.Linear(width, 1))
    if constraint == "spectral_norm":
        losses.add_spectral_norm(critic)
    optimiser, mix, estimates = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.0, 0.9)), draws(3), []
    for _ in range(steps):
        loss = losses.critic_loss(critic(real), critic(fake))
        estimates.append(-loss.item())
        if constraint == "gradient_penalty":
            loss = loss + 10 * losses.gradient_penalty(critic, real, fake, mix, target=k)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if constraint == "clip":
            losses.clip_weights_(critic, 0.1)
    points = torch.cat([real, fake]).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points)
    return torch.tensor(estimates), slope.norm(dim=1).max().item()


critics = {"none": train_critic("none"), "clip at 0.1": train_critic("clip"),
           "spectral norm": train_critic("spectral_norm"), "gradient penalty, k = 1": train_critic("gradient_penalty"),
           "gradient penalty, k = 3": train_critic("gradient_penalty", k=3.0)}

# %%
fig, axes = plt.subplots(figsize=(8, 3.4))
places = ("center", "bottom", "center", "top", "center")  # of the names, at the ends of the curves
for (name, (estimates, _)), ink, place in zip(critics.items(), ["#D55E00", *INKS], places):
    curve = (estimates / exact).clamp_min(0.1)
    end = int((curve < 28).sum()) - 1  # where it leaves the picture, or its last step
    axes.plot(curve, color=ink)
    axes.text(end + 3, curve[end], name, color=ink, va=place)
axes.hlines(1, 0, 200, colors="0.4", linestyles=":")
axes.set(yscale="log", xlim=(0, 290), ylim=(0.2, 30), xticks=range(0, 201, 50), xlabel="critic step",
         ylabel="estimate / exact W")
page.figure(fig, data=(),
            caption="Five critics and one exact distance (dotted, at 1). Only the constraint differs.",
            alt="Ratio of each critic's estimate to the exact distance over 200 steps, logarithmic. Without a "
                "constraint it leaves the picture at the top. The others level off: spectral norm below one, clipping "
                "and the gradient penalty with k one near one, the penalty with k three highest.")

# %%
page.table([{"constraint": name, "estimate / exact": round(estimates[-20:].mean().item() / exact, 2),
             "steepest slope": round(slope, 2),
             "estimate / slope / exact": round(estimates[-20:].mean().item() / slope / exact, 2)}
            for name, (estimates, slope) in critics.items()],
           note=f"exact distance of Eq. 4: {exact:.3f}; slope measured at the {2 * n} points")

# %% tags=["nbval-check-output"]
ratio = {name: estimates[-20:].mean().item() / exact for name, (estimates, _) in critics.items()}
page.expect("gradient penalty, estimate / exact", ratio["gradient penalty, k = 1"], 0.8, 1.25)
page.expect("its estimate with k = 3 over that with k = 1",
            ratio["gradient penalty, k = 3"] / ratio["gradient penalty, k = 1"], 1.7, 3.7)
page.expect("spectral norm, estimate / exact", ratio["spectral norm"], 0.3, 1.02)
page.expect("clipping, steepest slope", critics["clip at 0.1"][1], low=1.02, why="bounded weights, not slope 1")
page.expect("without a constraint, estimate / exact", ratio["none"], low=100, why="nothing ends it")
page.expect("largest estimate per unit of slope", max(e[-1].item() / s / exact for e, s in critics.values()), high=1.05,
            why="none beats the plan")
implied = math.prod(0.1 * math.sqrt(a * b) for a, b in ((2, 64), (64, 64), (64, 1)))  # of the three matrices
page.expect("clipped critic: slope over the bound from its weights", critics["clip at 0.1"][1] / implied, high=1)

# %% [markdown]
# Does clipping *enforce* a constraint, as section 3.2 has it? A matrix of $m \times n$ entries within ±0.1 stretches nothing by more than $0.1 \sqrt{mn}$, and the product over the three layers bounds the slope (last line). So clipping enforces *some* constant, which follows from the widths of the layers.
#
# The table's last column divides each estimate by the critic's own slope: as step 1 says, none exceeds the exact plan. Without a constraint the "distance" depends on when you stop. The penalty holds the slope near $k$, but not exactly. Spectral norm keeps every layer at 1, and the network as a whole below it.
#
# ### Power iteration: what spectral norm computes
#
# Spectral norm needs the largest singular value $\sigma_1$ of each weight matrix, here $M$, in every step.
#
# 1. Write $M = \sum_i \sigma_i u_i v_i^\top$ and start from any vector $v = \sum_i c_i v_i$.
# 2. One round replaces $v$ by $M^\top M v$, scaled to length one. This multiplies each $c_i$ by $\sigma_i^2$. After $t$ rounds $c_2 / c_1$ is $(\sigma_2 / \sigma_1)^{2t}$ times what it was: $v$ turns towards $v_1$.
# 3. Then $\|M v\|$ is $\sigma_1$. In training $M$ changes little from step to step: the layer keeps its $v$ and makes one round a step.

# %% tags=["nbval-check-output"]
M, v = torch.randn(64, 64, generator=draws()), torch.randn(64, generator=draws(1))
largest = torch.linalg.matrix_norm(M, 2)
found = {}
for turn in range(1, 31):
    v = nn.functional.normalize(M.T @ (M @ v), dim=0)
    found[turn] = ((M @ v).norm() / largest).item()
for turn, low in {1: 0.5, 5: 0.8, 30: 0.95}.items():
    page.expect(f"|M v| over sigma_1 after round {turn}", found[turn], low, 1 + 1e-5)

# %% [markdown]
# One caution for 3-D convolutions. Spectral norm treats a kernel of 3×3×3 as a matrix of (out, in·27). The convolution applies it at every position, and overlapping windows can add up. Power iteration on the layer itself tells by how much, for a kernel that is as bad as can be:

# %% tags=["nbval-check-output"]
torch.manual_seed(page.seed)
smooth = nn.Conv3d(4, 4, 3, padding=1, bias=False)
with torch.no_grad():
    smooth.weight.copy_(smooth.weight.abs())  # all taps agree: the worst case for windows that overlap
losses.add_spectral_norm(smooth).eval()
probe = torch.rand(1, 4, 8, 16, 16, generator=draws())
for _ in range(30):  # v <- M^T M v, normalised; M: the whole convolution
    probe = nn.functional.normalize(probe.flatten(), dim=0).view(probe.shape).requires_grad_()
    stretched = smooth(probe)
    (probe,) = torch.autograd.grad(stretched.square().sum() / 2, probe)
page.expect("norm of the kernel as a matrix", torch.linalg.matrix_norm(smooth.weight.flatten(1), 2).detach(), of=1,
            rtol=1e-2, why="as promised")
page.expect("norm of the convolution", stretched.norm().item(), low=2, high=math.sqrt(27), why="at most sqrt(27)")

# %% [markdown]
# ## A GAN that learns before your eyes
#
# ### The data, and how success is counted
#
# A real "clip" is now one point of the plane, from one of eight narrow bells on a ring. A *mode* is *covered* if at least 2 % of the samples are within three standard deviations (0.3) of its centre. A sample is *good* if it is that close to any centre.

# %% tags=["nbval-check-output"]
turns = torch.arange(8) * math.pi / 4
CENTRES = 2 * torch.stack([turns.cos(), turns.sin()], dim=1)


def ring(n, noise):
    return CENTRES[torch.randint(8, (n,), generator=noise)] + 0.1 * torch.randn(n, 2, generator=noise)


def coverage(points):
    """How many of the eight modes are covered, and the share of good samples."""
    way, nearest = torch.cdist(points.float(), CENTRES).min(dim=1)
    good = way < 0.3
    share = torch.bincount(nearest[good], minlength=8) / len(points)
    return int((share >= 0.02).sum()), good.float().mean().item()


modes, good = coverage(ring(2000, draws(12)))
page.expect("modes that real samples cover", modes, of=8, why="all of them")
page.expect("share of good samples among real ones", good, low=0.97)
print(f"a bell in the plane has {1 - math.exp(-4.5):.1%} of its samples within three standard deviations")

# %% [markdown]
# ### One loop for every game
#
# G and D have two hidden layers of 64 units. D learns at twice the rate of G, a *two time-scale update rule* (TTUR). One function, Algorithm 1 of [chapter 06](06_training_loop.ipynb) with the losses as arguments, plays every game.

# %%
def network(outputs, activation):
    return nn.Sequential(nn.Linear(2, 64), activation, nn.Linear(64, 64), activation, nn.Linear(64, outputs))


def step(optimiser, loss):
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


# %%
def play(d_loss, g_loss, rounds=400, d_steps=1, g_steps=1,
         head_start=0,  # rounds in which only D learns
         penalty=0.0, sgd=False,  # weight of the gradient penalty; plain SGD for G
         bias=0.0, clip=0.0, dtype=torch.float32):  # for section 4.5
    torch.manual_seed(page.seed)  # the same first weights in every game
    G, D = network(2, nn.Tanh()).to(dtype), network(1, nn.LeakyReLU(0.2)).to(dtype)
    D[-1].bias.data += bias
    adam = partial(torch.optim.Adam, betas=(0.5, 0.9))
    d_step = adam(D.parameters(), lr=4e-3)
    g_step = torch.optim.SGD(G.parameters(), lr=0.05) if sgd else adam(G.parameters(), lr=2e-3)
    noise, eyes, frames, record = draws(10), torch.randn(400, 2, generator=draws(11)).to(dtype), [], []
    for turn in range(-head_start, rounds):
        if turn >= 0 and turn % (rounds // 20) == 0:
            frames.append(G(eyes).detach())  # where it sends the same 400 latents
        for _ in range(d_steps):
            x, made = ring(256, noise).to(dtype), G(torch.randn(256, 2, generator=noise).to(dtype)).detach()
            loss = d_loss(D(x), D(made))
            record.append(loss.item())
            step(d_step, loss + penalty * losses.gradient_penalty(D, x, made, noise) if penalty else loss)
            if clip:
                losses.clip_weights_(D, clip)
        for _ in range(g_steps if turn >= 0 else 0):
            step(g_step, g_loss(D(G(torch.randn(256, 2, generator=noise).to(dtype)))))
    return SimpleNamespace(G=G, D=D, eyes=eyes, frames=[*frames, G(eyes).detach()], record=torch.tensor(record))


# %% [markdown]
# ### Five games
#
# 1. *In turn*: D and G make one step each.
# 2. *G ahead*: G makes ten steps for each of D's.
# 3. *D ahead, saturating*: D has a *head start*, it learns before G may move. G has the saturating loss of Eq. 3, and plain SGD, which section 4.2 names.
# 4. *Critic, free*: D is a Wasserstein critic without a constraint, with a head start.
# 5. *Critic, held*: the same with the gradient penalty ($\lambda = 1$).

# %%
cross_entropy = dict(d_loss=losses.gan_value, g_loss=losses.nonsaturating_generator_loss)
wasserstein = dict(d_loss=losses.critic_loss, g_loss=losses.critic_generator_loss)
RULES = {
    "in turn": cross_entropy,
    "G ahead": cross_entropy | dict(rounds=160, g_steps=10),
    "D ahead, saturating": cross_entropy | dict(g_loss=losses.saturating_generator_loss, rounds=300, head_start=300,
                                                sgd=True),
    "critic, free": wasserstein | dict(rounds=240, head_start=150, d_steps=2),
    "critic, held": wasserstein | dict(rounds=300, head_start=150, d_steps=2, penalty=1.0),
}
games = {name: play(**rules) for name, rules in RULES.items()}

# %%
def circles(axes):
    """Three standard deviations around each mode."""
    for centre in CENTRES.tolist():
        axes.add_patch(plt.Circle(centre, 0.3, fill=False, color="0.5", linewidth=0.8))
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[], aspect="equal")
    axes.grid(False)


def looks():
    fig, panels = plt.subplots(1, 5, figsize=(9, 2.3))
    for panel, name in zip(panels, games):
        circles(panel)
        panel.set_title(name, fontsize=9)
    dots = [panel.scatter([], [], s=4, color=INKS[0], linewidth=0) for panel in panels]
    for turn in range(21):
        for dot, game in zip(dots, games.values()):
            dot.set_offsets(game.frames[turn][:250])
        fig.supxlabel(f"{5 * turn} % of the game", fontsize=9)
        yield fig


page.animation(looks(), fps=5,
               caption="250 samples of each generator as it learns; circles, the eight modes. One game succeeds, one "
                       "collapses and hops, one stands still, one is thrown out, and one succeeds after a head start.",
               alt="Five panels with eight circles on a ring, moving. In the first the samples spread out and gather "
                   "in all the circles. In the second they are one clump that wanders from place to place. In the "
                   "third a small blob in the middle never moves. In the fourth the samples leave the picture. In the "
                   "fifth they spread out and gather on the ring.")

# %%
def state(name):
    game, generator_loss = games[name], RULES[name]["g_loss"]
    modes, good = coverage(game.G(torch.randn(2000, 2, generator=draws(12))).detach())
    pull = torch.autograd.grad(generator_loss(game.D(game.G(game.eyes))), game.G.parameters())
    return {"game": name, "modes of 8": modes, "good samples": round(good, 3),
            "W (Eq. 4) to real": losses.wasserstein_distance_exact(ring(400, draws(13)), game.frames[-1]),
            "G moved by": (game.frames[-1] - game.frames[0]).norm(dim=1).mean().item(),
            "gradient of G": torch.cat([part.flatten() for part in pull]).norm().item()}


states = {name: state(name) for name in games}
page.table(list(states.values()), note="at the end of each game; G moved by: mean way from a latent's first image to "
                                       "its last")

# %% tags=["nbval-check-output"]
page.expect("in turn: modes", states["in turn"]["modes of 8"], low=7, why="success")
page.expect("in turn: good samples", states["in turn"]["good samples"], low=0.6, why="and most of them in a mode")
page.expect("G ahead: modes", states["G ahead"]["modes of 8"], high=2, why="mode collapse")
page.expect("G ahead: spread of its samples", games["G ahead"].frames[-1].std(dim=0).max(), high=1,
            why="one clump (the ring: 1.4)")
page.expect("D ahead, saturating: way that G moved", states["D ahead, saturating"]["G moved by"], high=0.01,
            why="its gradient is gone")
page.expect("critic, free: modes", states["critic, free"]["modes of 8"], high=3, why="no constraint")
page.expect("critic, held: modes", states["critic, held"]["modes of 8"], low=7, why="success with the same head start")

# %% [markdown]
# ### Success, collapse, and a D that is too strong
#
# **Success (in turn).** The untrained blob swells to a disc, the disc becomes a ring, and the ring breaks up into modes.
#
# **Mode collapse (G ahead).** If D stood still, the best G would send *every* latent to the one place where D is highest. Ten steps for one of D's bring it close to that. D then lowers the place, and the whole clump moves on. (Only against a D that answers last does G have to match the whole distribution.) The clump may lie inside one mode (all samples good) or between two (none good). Either way it is a collapse, so modes have to be counted ([chapter 08](08_evaluation.ipynb) measures *precision* and *recall* of videos).
#
# **A discriminator that is too strong (D ahead, saturating).** D is certain of every fake, so the saturating gradient, $-D$, has vanished. Is this the loss's fault, or D's? We give the same D and G the other losses:

# %% tags=["nbval-check-output"]
silenced = games["D ahead, saturating"]
lengths = {}
for name, loss in contenders.items():
    pull = torch.autograd.grad(loss(silenced.D(silenced.G(silenced.eyes))), silenced.G.parameters())
    lengths[name] = torch.cat([part.flatten() for part in pull]).norm().item()
page.expect("gradient of G, saturating", lengths["saturating, log(1 − D)"], high=1e-3, why="silent")
page.expect("gradient of G, non-saturating", lengths["non-saturating, −log D"], low=0.1, why="the same D teaches")
page.expect("gradient of G, least squares", lengths["least squares"], low=0.1, why="and here too")

# %% [markdown]
# ### Two Wasserstein critics, and what each D has learned
#
# Held to slope 1, a better critic is only a better guide, and G covers all modes (though the table shows many samples outside the circles). With the same head start the free critic makes its number large in the cheapest way, by growing steeper. Below are their slopes, what two other discriminators say of real samples, and a map of what each has learned.

# %% tags=["nbval-check-output"]
samples = ring(400, draws(13)).requires_grad_()
steepness = {}
for name in ("critic, free", "critic, held"):
    (slope,) = torch.autograd.grad(games[name].D(samples).sum(), samples)
    steepness[name] = slope.norm(dim=1).mean()
page.expect("critic, held: mean slope at real samples", steepness["critic, held"], 0.3, 2)
page.expect("critic, free: mean slope at real samples", steepness["critic, free"], low=20, why="nothing holds it")
for name, low, high in (("in turn", 0.35, 0.65), ("D ahead, saturating", 0.99, 1)):
    answer = torch.sigmoid(games[name].D(samples)).mean().detach()
    page.expect(f"{name}: D's mean answer to real samples", answer, low, high)

# %%
fields = {"in turn, after 60 rounds": play(**cross_entropy | dict(rounds=60)), **games}
side = torch.linspace(-3.2, 3.2, 65)
plane = torch.cartesian_prod(side, side)
fig, panels = plt.subplots(2, 3, figsize=(9, 5.6))
for panel, (name, game) in zip(panels.flat, fields.items()):
    field = game.D(plane).detach().view(65, 65).T
    heights = panel.contourf(side, side, field, 12, cmap="cividis")
    panel.contour(side, side, field, 12, colors="white", linewidths=0.3)
    fig.colorbar(heights, ax=panel, shrink=0.8)
    circles(panel)
    panel.scatter(*game.frames[-1][:250].T, s=9, color="white", edgecolor="black", linewidth=0.5)
    panel.set_title(name, fontsize=10)
page.figure(fig, data=(),
            caption="The raw output of D over the plane (yellow: real), with samples of G. A game in turn early and "
                    "late, and the other four games at their end; each panel has its own scale.",
            alt="Six contour maps. Early in the successful game D varies slowly over the whole picture; at its end D "
                "is nearly flat where samples and modes are. In the collapsed game the map is broad and knows no "
                "modes. Where D had a head start there is a steep crater around the blob in the middle. The free "
                "critic's scale has very large numbers; the held critic's map is gentle.")

# %% [markdown]
# G's samples climb in these maps. At the end of the first game D answers about one half along the ring: there is little left to climb, as at an equilibrium. In the fourth panel (D ahead) the blob sits at the bottom of a crater. D has a slope there, but the saturating loss multiplies it by a $D$ of nearly zero. The scale beside the free critic shows why it throws its G out of the picture.
#
# ## Conditional GANs (Eq. 7)
#
# > *Section 3.3.*
# >
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [-\log \mathcal{D}(\mathbf{x})] + \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{x}}} [-\log(1 - \mathcal{D}(\mathcal{G}(\mathbf{z}))) \quad (7)$$
#
# > **What it does not say.** Where the condition stands ([**L3**](12_claims_and_decisions.ipynb#L3)). As printed, Eq. 7 is Eqs. 1–2 again, less a bracket. We read $D(\mathbf{x} \mid y)$ and $G(\mathbf{z} \mid y)$: the formula stays, the networks get another input.
#
# Does it matter? Take a generator whose clips are perfect and whose labels are all swapped.

# %% tags=["nbval-check-output"]
clip = torch.tensor([-1.0, 1.0]).repeat(50)  # two kinds of clip; real label: its sign
label_real, label_fake = clip.sign(), -clip.sign()
blind = torch.zeros(100)  # best D(x): both kinds are as frequent among fakes
value = losses.conditional_gan_value(20 * clip * label_real, 20 * clip * label_fake)  # a D(x | y) that checks the label
print(f"D(x):     {losses.gan_value(blind, blind):.3f}   (2 log 2: cannot tell)")
print(f"D(x | y): {value:.3f}   (always right)")
for which, found in (("D(x)", losses.gan_value(blind, blind)), ("D(x | y)", value)):
    page.measure(f"value of the game for perfect clips with swapped labels, judged by {which}", found, decision="L3")

# %% [markdown]
# For a D without labels this generator is at equilibrium; only a D that reads the label can teach it to obey. How the label enters HRVGAN's networks is decision A18, [chapter 04](04_discriminator.ipynb).
#
# ## The paper's adversarial loss (section 4.5, Eqs. 11–14)
#
# > *Section 4.5.*
# >
# > $$L_{bce}(Y, \hat{Y}) = - \sum_i \hat{Y}_i \log(Y_i) + (1 - \hat{Y}_i) \log(1 - Y_i) \quad (11)$$
# > $$\mathcal{L}_{adv}^G(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, G_i(X_i)) - k, 1) \quad (12)$$
# > $$\mathcal{L}_{adv}^D(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, Y_i) - k, 1) \quad (13) \qquad + \lambda_2 L_{bce}(D_i(X_i, G_i(X)) - k, 0) \quad (14)$$
# >
# > "λ1, λ2 are also used to absorb the scale k caused by the k-Lipschitz constraint on Wasserstein loss."
#
# > **What it does not say.** The brackets around the sum in Eq. 11 ([**L4**](12_claims_and_decisions.ipynb#L4)); what $D - k$ means ([**L5**](12_claims_and_decisions.ipynb#L5)); what $i$ counts ([**L7**](12_claims_and_decisions.ipynb#L7): we take the clips of a batch and their mean); λ1 and λ2 ([**L8**](12_claims_and_decisions.ipynb#L8): 1 and 1); the X of $D(X, Y)$ when a clip comes from noise ([**L12**](12_claims_and_decisions.ipynb#L12): we use $D(Y \mid \text{label})$).
#
# The literal reading first. Eq. 11 wants values in $[0, 1]$, so D is a probability, and $D - k$ may be negative:

# %%
D = torch.linspace(0.001, 0.999, 999)
fig, axes = plt.subplots(figsize=(7, 2.8))
for k, ink, dash in zip((0.0, 0.25, 0.5, 1.0), INKS, DASHES):
    loss = -(D - k).log()  # NaN below k
    axes.plot(D, loss, dash, color=ink,
              label=f"k = {k:g}: defined for {100 * loss.isfinite().float().mean():.0f} % of D")
axes.set(xlabel="probability D", ylabel="−log(D − k)", xlim=(0, 1), ylim=(0, 6))
axes.legend(fontsize=9)
page.figure(fig, data=(),
            caption="Eq. 12 as printed: the loss exists only where D exceeds k.",
            alt="Minus log of D minus k over the probability D for k 0, 0.25, 0.5 and 1. Each curve starts only "
                "where D exceeds k; for k one there is no curve at all.")
for k in (0.5, 1.0):
    page.measure(f"share of probabilities D for which Eq. 12 as printed has a value, k = {k:g}",
                 (D - k).log().isfinite().float().mean(), decision="L5")
for which, sign in (("with brackets", -1), ("without brackets, as printed", 1)):
    best = D[(sign * (1 - D).log()).argmin()]
    print(f"Eq. 11 for target 0, {which}: smallest where D says {best:.3f}")
    page.measure(f"probability that minimises Eq. 11 for target 0, {which}", D[(sign * (1 - D).log()).argmin()],
                 decision="L4")

# %% [markdown]
# A clip for which D says less than $k$ has no loss, and for $k = 1$ no clip has one. Without brackets, moreover, Eq. 11 rewards D for calling fakes real. Here is what each of the library's readings says to an undecided D (all logits zero), and how hard it pulls at G.

# %%
rows = []
for reading in losses.ADVERSARIAL_READINGS:
    logits = torch.zeros(8, requires_grad=True)
    g_loss = losses.adversarial_generator_loss(logits, 1.0, reading)
    d_loss = losses.adversarial_discriminator_loss(logits, logits, 1.0, reading)
    pull = 8 * torch.autograd.grad(g_loss, logits)[0][0].item()
    rows.append({"reading": reading, "G's loss (Eq. 12)": g_loss.item() + 0.0, "its gradient": pull,
                 "D's loss (Eqs. 13-14)": d_loss.item()})
page.table(rows, note="k = 1, all logits 0; a dash is NaN")
used = {preset: make_config(preset) for preset in ("literal", "stable")}
for name, c in used.items():
    print(f"preset {name}: {c.adversarial}, k = {c.k:g}, constraint {c.lipschitz}")

# %% [markdown]
# In the literal row autograd gives a gradient in spite of the NaN, with the *opposite* sign. A loop that does not check its loss would train G to be caught. (Ours stops with an error.)
#
# `bce_shift`, D as a logit from which $k$ is subtracted, is the closest reading of the print that can be computed; both of our [presets](00_start_here.ipynb#Glossary) train with it, as the last lines say. It gives more loss and more gradient than `bce`. Does its $k$ matter in a training?
#
# ### Why a shift k is absorbed by the last bias
#
# 1. D ends in a linear layer: $D(x) = w^\top f(x) + b$. So $D(x) - k = w^\top f(x) + (b - k)$.
# 2. Call $b' = b - k$. The loss depends on $b$ and $k$ through $b'$ only, and a derivative with respect to $b$ is one with respect to $b'$.
# 3. A game with $k$ that starts at $b + k$ and a game without $k$ that starts at $b$ have the same $b'$, so the same gradients, the same steps and the same generator for ever. The exception is whatever looks at $b$ itself, such as weight clipping or weight decay. (A gradient penalty does not: a constant has no gradient.)
#
# We play the game on the ring three times, in double precision: without $k$; with $k = 1$ and the last bias raised by 1; with $k = 1$ and the usual start.

# %%
def rules_of(k, **more):
    """The game of Eqs. 12-14 read as bce_shift."""
    shifted = dict(k=k, reading="bce_shift")
    return dict(d_loss=partial(losses.adversarial_discriminator_loss, **shifted),
                g_loss=partial(losses.adversarial_generator_loss, **shifted), rounds=200, dtype=torch.float64) | more


plain, raised, usual = play(**rules_of(0.0)), play(**rules_of(1.0, bias=1.0)), play(**rules_of(1.0))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(1.3, 1))
for game, name, ink, dash in ((usual, "k = 1, usual bias", INKS[1], "-"), (plain, "k = 0", INKS[2], "-"),
                              (raised, "k = 1, bias + 1", INKS[0], ":")):
    left.plot(game.record, dash, color=ink, label=name)
left.axhline(2 * math.log(2), color="0.7", linewidth=0.8)
left.set(xlabel="step", ylabel="D's loss")
left.legend(fontsize=9)
circles(right)
right.scatter(*plain.frames[-1].T, s=30, color=INKS[2], label="G after k = 0")
right.scatter(*raised.frames[-1].T, s=12, marker="x", linewidth=0.8, color="black", label="G after k = 1, bias + 1")
right.set(ylim=(-4.8, 3.2))
right.legend(fontsize=9, loc="lower center")
page.figure(fig, data=(),
            caption="Three games: k = 0; k = 1 with the last bias raised by 1; k = 1 with the usual start. The first "
                    "two are one.",
            alt="Left: the discriminator loss of three games over 200 steps; without k and with k one plus a "
                "raised bias the curves coincide, the third, k one with the usual bias, starts higher and comes "
                "down to a similar course. Right: the generated points of the first two games lie on top of each "
                "other, around the ring.")

# %% tags=["nbval-check-output"]
page.expect("largest difference of samples, games 1 and 2",
            (plain.frames[-1] - raised.frames[-1]).abs().max(), high=1e-6, why="no effect")
shift = (raised.D[-1].bias - plain.D[-1].bias).item()
page.expect("difference of their last biases", shift, of=1, rtol=1e-6, why="here is where k went")
page.expect("largest difference of D's loss in steps 1 to 10, games 1 and 3",
            (usual.record - plain.record)[:10].abs().max().item(), low=0.02)
page.expect("modes that game 3 covers", coverage(usual.frames[-1])[0], low=6, why="it learns all the same")

# %% [markdown]
# Under this reading $k$ moves the start of *one* parameter of D. The third game, without the raised bias, feels it for some steps, then takes a similar course. `bce_shift` with a free bias is a plain GAN.
#
# ### Can λ absorb a scale k?
#
# So says the sentence below Eq. 14. Its $k$ is a slope, the $k$ of Eqs. 12–14 is subtracted; we try both. A D of slope $k$ is $k$ times a D of slope 1. One weight in front of the loss can absorb this if the gradient of *every* fake grows by the same factor. Below are these factors for five fakes, $D = 3d$ over $D = d$, and then how uneven they are: the largest over the smallest.

# %% tags=["nbval-check-output"]
d = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], requires_grad=True)
for reading in ("wgan", "bce", "bce_scale"):
    one, three = (torch.autograd.grad(losses.adversarial_generator_loss(k * d, k, reading), d)[0] for k in (1.0, 3.0))
    print(f"{reading:9s}", " ".join(f"{factor:5.2f}" for factor in (three / one).tolist()))

# %%
def unevenness(reading, scaled):
    """Largest over smallest factor by which k = 3 changes the gradients of five fakes."""
    pulls = []
    for k in (1.0, 3.0):
        logits, shift = (k * d, 0.0) if scaled else (d, k)
        pulls.append(torch.autograd.grad(losses.adversarial_generator_loss(logits, shift, reading), d)[0])
    factors = pulls[1] / pulls[0]
    return (factors.max() / factors.min()).item()


for what, reading, scaled in (("Wasserstein loss, D of slope k", "wgan", True),
                              ("Eqs. 12-14, D of slope k", "bce", True),
                              ("Eqs. 12-14, k subtracted", "bce_shift", False)):
    print(f"{what}: {unevenness(reading, scaled):.3g}")
    page.measure(f"unevenness of five fakes' gradients as k goes from 1 to 3 (1: one weight can absorb it), {what}",
                 unevenness(reading, scaled), claim="k-absorbed" if reading == "wgan" else "k-absorbed-bce",
                 low=0.999, high=1.001)

# %% [markdown]
# In the Wasserstein loss the factor is 3 for all, and λ = 1/3 absorbs it. In the cross-entropy it differs from clip to clip, so no λ can. Nor can λ absorb a subtracted $k$ (last line); the bias does. (`bce_scale`, which divides D by $k$, undoes the scale by itself.) The sentence holds for the loss that it names, and not for that of Eqs. 12–14.
#
# ## The pixel loss (Eq. 10), with and without a paired target
#
# > *Section 4.5.* "… minimizing the pixel-wise distance between the predicted and the actual frame."
# >
# > $$\mathcal{L}_{mse}(X, Y) = \ell_{mse}(G(X), Y) = \|G(X) - Y\|^2 \quad (10)$$
#
# > **What it does not say.** Mean or sum ([**L10**](12_claims_and_decisions.ipynb#L10)). And, for clips made from *noise*, which $Y$ belongs to a $z$ ([**T1**](12_claims_and_decisions.ipynb#T1)): Algorithm 1 draws $(X, Y)$ from the data, and in generation mode there is no X.
#
# Taken literally, $G(z)$ is compared with some unrelated real clip: our failure on purpose. The generator is a linear map from 8 numbers to a clip, and we train it twice. First the 8 numbers are noise and the target is a random clip. Then they are a *code* of the target, its place along the 8 main directions of the data: decision [**A20**](12_claims_and_decisions.ipynb#A20)'s encoder in miniature.

# %%
# the smallest cut of Table 1, in every profile
films = page.dataset("actions", frames=8, size=32)
clips = films.draw(48, draws(5))[0]
flat = clips.flatten(1)
middle = flat.mean(dim=0)
codes = math.sqrt(48) * torch.linalg.svd(flat - middle, full_matrices=False).U[:, :8]  # unit variance, like noise


def fit(paired: bool, steps: int = 100) -> nn.Module:
    torch.manual_seed(page.seed)
    G, noise = nn.Linear(8, flat.shape[1]), draws(6)
    optimiser = torch.optim.Adam(G.parameters(), lr=1e-2)
    for _ in range(steps):
        pick = torch.randint(48, (16,), generator=noise)
        z = codes[pick] if paired else torch.randn(16, 8, generator=noise)
        step(optimiser, losses.mse_loss_paper(G(z), flat[pick]))
    return G.requires_grad_(False)


ghosts = fit(paired=False)(torch.randn(48, 8, generator=draws(7))).view_as(clips)
copies = fit(paired=True)(codes).view_as(clips)

# %%
strips = torch.cat([clips[:2], ghosts[:2], middle.view_as(clips[:1]), copies[:2]])
names = ["real A", "real B", "unpaired G(z1)", "unpaired G(z2)", "mean clip", "paired, from A", "paired, from B"]
page.figure(book.clip_grid(strips, labels=names), data=[films],
            caption="The failure on purpose. Unpaired, Eq. 10 asks for the mean clip, whatever the noise; paired, "
                    "it asks for the clip.",
            alt="Seven strips of eight frames: two real clips; two outputs of the generator trained on unpaired "
                "clips, both the same grey ghost; the mean of all clips, the same ghost again; two outputs of the "
                "paired generator, each with the colours of its own real clip.")

# %% tags=["nbval-check-output"]
mean_clip = middle.view_as(clips[0]).expand_as(clips)
spread = losses.mse_loss_paper(mean_clip, clips)  # variance of the data
print("as shares of the variance of the 48 clips:")
page.expect("unpaired: squared distance to the mean clip", losses.mse_loss_paper(ghosts, mean_clip) / spread, high=0.15,
            why="the mean")
page.expect("unpaired: variance over the noise", ghosts.var(dim=0).mean() / clips.var(dim=0).mean(), high=0.15,
            why="it ignores the noise")
page.expect("paired: error", losses.mse_loss_paper(copies, clips) / spread, high=0.6, why="a code knows its target")

# %% [markdown]
# Nothing went wrong in the optimisation. If $Y$ is independent of $z$, then $\mathbb{E}\|G(z) - Y\|^2$ is smallest where $G(z)$ is the mean of all clips, for every $z$: a blur, and a collapse that the loss rewards. Hence decision [**T1**](12_claims_and_decisions.ipynb#T1): the pixel loss gets a paired target, a clip that went through an encoder, and clips from noise are left to the discriminator.
#
# ### Who is closer to a real clip: the mean, or another real clip?
#
# By squared pixels the mean clip is closer to a real clip than another real clip is, by a factor of two: $x - y$ contains two deviations from the mean, $x - m$ only one. And how far is a clip from *itself*, moved by four pixels?

# %% tags=["nbval-check-output"]
print("squared distances, over that of a real clip and the mean clip:")
every_pair = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").square().mean() / flat.shape[1]
page.expect("two random real clips", (every_pair / spread).item(), of=2, rtol=1e-3, why="two deviations against one")
itself = losses.mse_loss_paper(clips.roll(4, dims=-1), clips) / spread
print(f"a clip and itself, moved by four pixels: {itself:.2f}")

# %% [markdown]
# Eq. 4 looks for the best partners before it measures. Its $W$ is a length over all values of a clip; divided by the root of their number, it is an error for each value.

# %%
some, others = clips[:24], clips[24:]
to_real, to_mean = (losses.wasserstein_distance_exact(some, rest) for rest in (others, mean_clip[:24]))
page.table([{"Eq. 4 between 24 real clips and": name, "W, a length over the whole clip": length,
             "error for each value": length / flat.shape[1] ** 0.5}
            for name, length in (("24 other real clips", to_real), ("the mean clip, 24 times", to_mean))],
           note=f"48 clips of {films.name}, {films.kind}; a clip has {flat.shape[1]:,} values between -1 and 1")
print("By Eq. 4", "the other real clips are" if to_real < to_mean else "the mean clip is", "closer:",
      "the right order" if to_real < to_mean else "fooled, as squared pixels are")

# %% [markdown]
# A distance between *sets*, such as Eq. 4, can rank them rightly even in pixels, if near partners exist. But no pixel distance knows that a clip moved a little is the same clip; so [chapter 08](08_evaluation.ipynb) compares sets by the features of a network.
#
# ### Sum, mean or norm
#
# Eq. 10 prints a squared norm, which is a *sum* over all values of a clip; the text says *mean*. A third reading is the norm without its square. How hard does each pull at one clip?

# %%
guess = ghosts[:1].clone().requires_grad_()
pull = {reduction: torch.autograd.grad(losses.mse_loss_paper(guess, clips[:1], reduction), guess)[0].norm().item()
        for reduction in losses.PIXEL_REDUCTIONS}
presets = {reduction: ", ".join(name for name, c in used.items() if c.pixel_reduction == reduction)
           for reduction in pull}
page.table([{"reading of Eq. 10": reduction, "length of its gradient at one clip": length,
             "preset that trains with it": presets[reduction] or "none"} for reduction, length in pull.items()],
           note=f"a clip of 8x32x32 has {clips[0].numel():,} values, one of 32x256x256 has {3 * 32 * 256 * 256:,}")

# %% tags=["nbval-check-output"]
page.expect("gradient of the sum over that of the mean", pull["sum"] / pull["mean"], of=clips[0].numel(), rtol=1e-3)
page.expect("gradient of the norm without its square", pull["norm"], of=1, rtol=1e-3)

# %% [markdown]
# The first factor is the number of values in a clip: the larger the clip, the more the sum drowns every other term, and the less the mean is heard. The preset *literal* uses the mean, the paper's word. The preset *stable*, which trains the headline rows of [chapter 10](10_tables.ipynb), uses the norm: it is not what Eq. 10 says, but its pull has length one at every size ([**L10**](12_claims_and_decisions.ipynb#L10)). [Chapter 06](06_training_loop.ipynb) compares it with the adversarial term's, and lists all that *stable* changes.
#
# ## The combined loss (Eq. 15)
#
# > $$\mathcal{L}(X, Y) = \alpha \mathcal{L}_{adv}^G(X, Y) + \beta \mathcal{L}_{mse}(X, Y) \quad (15)$$
# >
# > "… α and β are constants with values of 0.5 and 0.5, respectively."
#
# Do the two losses agree? Let a "clip" be one pixel; real ones are about $-1$ or about $+1$, and D knows them. What value $g$ does Eq. 15 ask of the generator if the target is any clip (unpaired), and if it is a paired one ($+1$)?

# %%
g = torch.linspace(-2, 2, 401)
humps = 0.5 * torch.exp(-0.5 * ((g - 1) / 0.5) ** 2) + 0.5 * torch.exp(-0.5 * ((g + 1) / 0.5) ** 2)
# Best D's logit, log p - log q, while G still draws a broad bell: a hump half as wide is twice as high.
logits = (humps / 0.5 / torch.exp(-0.5 * g**2)).log()
adversarial = torch.stack([losses.adversarial_generator_loss(logit, 0.0, "bce") for logit in logits])
pixel = {"unpaired": (g**2 + 1.25), "paired with +1": (g - 1) ** 2}  # E(g - y)^2 over the two humps; one target
fig, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
lowest = {}
for panel, (name, mse) in zip(panels, pixel.items()):
    for beta, ink, dash in zip((0.0, 0.5, 2.0), INKS, DASHES):
        loss = losses.combined_loss(adversarial, mse, alpha=0.5, beta=beta)
        at = loss[g >= 0].argmin()
        lowest[name, beta] = g[g >= 0][at].item()
        panel.plot(g, loss - loss.min(), dash, color=ink, label=f"β = {beta:g}")
        panel.plot(lowest[name, beta], (loss[g >= 0][at] - loss.min()), "o", color=ink)
    panel.set(title=name, xlabel="generated value g", ylim=(-0.1, 3))
panels[0].set(ylabel="loss above its minimum")
panels[0].legend()
page.figure(fig, data=(),
            caption="Eq. 15 on a single pixel, α = 0.5. Dots mark the lowest point on the right half.",
            alt="The combined loss over a generated value g for beta 0, 0.5 and 2. Left, unpaired: the two "
                "valleys, beyond plus and minus one without the pixel term, move towards zero as beta grows. "
                "Right, paired with plus one: the right valley stays close to one and the left one disappears.")

# %% tags=["nbval-check-output"]
two = losses.combined_loss(torch.tensor(2.0), torch.tensor(4.0))
page.expect("0.5 x 2 + 0.5 x 4", two, of=3, why="Eq. 15 with its published weights")
page.expect("β = 0: lowest point", lowest["unpaired", 0.0], low=1,
            why="beyond 1, where fakes are rarest")
page.expect("unpaired, β = 0.5: lowest point", lowest["unpaired", 0.5], high=0.95, why="pulled towards the mean")
page.expect("unpaired, β = 2: lowest point", lowest["unpaired", 2.0], high=lowest["unpaired", 0.5],
            why="further still")
page.expect("paired, β = 0.5 over β = 0: lowest point",
            lowest["paired with +1", 0.5] / lowest["paired with +1", 0.0], 0.8, 1.2)

# %% [markdown]
# Unpaired, each increase of β costs contrast. Paired, both terms share a valley, and the pixel term adds what D cannot say: *which* of the real clips this one should be.
#
# ## Index of the equations

# %%
page.table([{"Eq.": number, "what": paper.equation(number).what, "hrvgan_lib function": paper.equation(number).function,
             "decisions": ", ".join(paper.equation(number).decisions)} for number in (*range(1, 8), *range(10, 16))])

# %% [markdown]
# ## For the ledger
#
# What else this chapter measured for [chapter 12](12_claims_and_decisions.ipynb), in a folded cell.

# %% tags=["ledger"]
page.measure("estimate of the distance by a critic with gradient penalty, over the exact distance",
             ratio["gradient penalty, k = 1"], decision="L2")
for name in ("none", "clip at 0.1", "spectral norm", "gradient penalty, k = 1"):
    page.measure(f"steepest slope of a critic after 200 steps, constraint: {name}", critics[name][1], decision="L6")
page.measure("steepest slope of the clipped critic, over the bound that its weights imply",
             critics["clip at 0.1"][1] / implied, claim="weight-clipping", high=1)
page.measure("largest difference between the samples of two games, k = 0, and k = 1 with the last bias raised by 1",
             (plain.frames[-1] - raised.frames[-1]).abs().max(), decision="L5")
page.measure("Eq. 10 with an unrelated clip as target: distance of the result to the mean clip, over the variance",
             losses.mse_loss_paper(ghosts, mean_clip) / spread, decision="T1")
page.measure("Eq. 10 with an unrelated clip as target: variance of the result over the noise, over the data's",
             ghosts.var(dim=0).mean() / clips.var(dim=0).mean(), decision="T1")
page.measure("Eq. 10 paired through a code of eight numbers: error over the data's variance",
             losses.mse_loss_paper(copies, clips) / spread, decision="T1")
for reduction, length in pull.items():
    page.measure(f"length of Eq. 10's gradient at one clip of 8×32×32, read as {reduction}", length, decision="L10")
for target in pixel:
    page.measure(f"contrast of Eq. 15's best answer with β = 0.5 over that with β = 0, target {target}",
                 lowest[target, 0.5] / lowest[target, 0.0], decision="L9")
weights, terms = make_config(page.profile.preset), torch.tensor([2.0, 4.0], requires_grad=True)
combined = losses.combined_loss(terms[0], terms[1], weights.alpha, weights.beta)
page.measure("Eq. 15 for terms of 2 and 4", combined.item(), claim="equal-weights", low=3, high=3)
printed_weights = {"adversarial": paper.SETTINGS.alpha, "pixel": paper.SETTINGS.beta}
for (which, printed), share in zip(printed_weights.items(), torch.autograd.grad(combined, terms)[0].tolist()):
    page.measure(f"gradient of Eq. 15 with respect to its {which} term", share, claim="equal-weights", low=printed,
                 high=printed)

# %% [markdown]
# ## Check yourself
#
# 1. Your D's loss has been 1.39 for a thousand steps. Name two explanations, and a measurement that tells them apart.
# 2. *(calculate)* A critic with slope at most 2 reports 6.0 for its estimate. What do you know about $W$?
# 3. *(calculate)* A matrix has singular values 3 and 1, and $v$ starts with equal parts of both directions. How large is the second part beside the first after two rounds of power iteration?
# 4. *(figure)* In the animation and the table below it: for which game does the share of good samples say little about success, and why?
# 5. Which of the losses of this chapter are content with a generator that outputs the mean clip only?
#
# <details><summary>Answers</summary>
#
# 1. Equilibrium, or a D that has learned nothing. Show D an easy fake, such as noise: a trained D calls it fake.
# 2. $W \ge 3$: no critic of slope 2 exceeds $2W$. It may be more.
# 3. Each round multiplies the parts by 9 and 1: $(1/9)^2 = 1/81$.
# 4. G ahead: its one clump may be inside a circle or between two, and the other modes are missing either way.
# 5. The unpaired pixel loss, whose optimum it is; feature matching, if the features of the mean clip are the mean features. The adversarial losses are not: D can learn that no real clip is such a blur.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Compute the value of the game for a D that says 0.9 to everything. *Expected:* $-\log 0.9 - \log 0.1 \approx 2.408$, worse than not knowing.
# 2. *(easy)* How many clips does Eq. 4 need? Compute $W$ between two independent samples of the *same* 2-D bell curve for N = 25, 100, 400. *Expected:* not zero, and smaller with N: an exact solver, a biased estimate.
# 3. *(easy)* Play "D ahead, saturating" again with Adam for G instead of plain SGD. *Expected:* G covers at least six modes. Adam divides a gradient by its own size, so that a tiny one moves G as far as a large one.
# 4. *(hard)* Play the games of the bias again with `clip=0.1`, which clamps D's biases with its weights. *Expected:* the samples of games 1 and 2 differ now: $k = 1$ is beyond the reach of a bias of 0.1.
# 5. *(hard)* Show that the mean is the unpaired optimum for squares only: for $\mathbb{E}|g - Y|$ find the best constant for one pixel over our clips. *Expected:* the median.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
confident = torch.full((1,), math.log(0.9 / 0.1))  # the logit of 0.9
page.expect("value", losses.gan_value(confident, confident), of=2.408, rtol=1e-3, why="above 2 log 2")

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
same = [losses.wasserstein_distance_exact(*torch.randn(2, size, 2, generator=draws(8))) for size in (25, 100, 400)]
page.expect("W at 100 over W at 25", same[1] / same[0], high=1, why="smaller with N")
page.expect("W at 400 over W at 100", same[2] / same[1], high=1, why="and again")
page.expect("W at 400", same[2], low=0.02, why="still above zero")

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
freed = play(**RULES["D ahead, saturating"] | dict(sgd=False))
page.expect("modes", coverage(freed.frames[-1])[0], low=6, why="Adam goes by the direction")

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
free, held = play(**rules_of(0.0, clip=0.1)), play(**rules_of(1.0, bias=1.0, clip=0.1))
page.expect("largest difference of samples", (free.frames[-1] - held.frames[-1]).abs().max(), low=1e-3,
            why="the bias cannot follow k")

# %% tags=["solution", "nbval-check-output"]
# Exercise 5
values = clips[:, 0, 0, 16, 16]
candidates = torch.linspace(-1, 1, 2001)
best = candidates[(candidates[:, None] - values).abs().mean(dim=1).argmin()]
low, high = values.sort()[0][23], values.sort()[0][24]  # of 48 values any number between the middle two is a median
page.expect("the best constant", best, low - 1e-3, high + 1e-3, why="a median")

# %% [markdown]
# ## What we now know
#
# - The best discriminator answered $p/(p+q)$, and left the value $2 \log 2 - 2\,\mathrm{JS}$. The saturating loss gave a hopeless generator no gradient; the other two did.
# - Eq. 4 could be solved exactly, and its dual gave the best critic. Trained critics came near it as their slope allowed; without a constraint their number meant nothing.
# - On the ring one GAN learned the modes; one collapsed, since G ran ahead; one never moved, since D did. A head start ruined the free critic and not the one held to slope 1.
# - Eqs. 12–14 as printed had no value for $k = 1$. Read as a shift, $k$ went into the last bias and changed no sample. λ absorbed a scale in the Wasserstein loss, not in the cross-entropy.
# - Unpaired, Eq. 10 asked for the mean clip and got it. Paired, it worked with the adversarial loss.
#
# ## Where next
#
# [Chapter 06](06_training_loop.ipynb) puts these losses into Algorithm 1 and trains HRVGAN; [chapter 02](02_norm_layers.ipynb) has the layers that keep its numbers in range.

# %%
page.colophon()
