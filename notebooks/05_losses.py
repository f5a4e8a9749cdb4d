# %% [markdown]
# # 05 · What should the generator be told? Twelve equations, and a *k* that changes nothing
#
# | | |
# |---|---|
# | **You will build** | every loss of sections 3 and 4.5 (Eqs. 1–7, 10–15) in its shortest form, and a critic held to a slope in three ways |
# | **Reads** | clips of the action data set (a stand-in is drawn if you have none) |
# | **Writes** | nothing that a later chapter needs |
# | **Budget** | about twenty seconds on two cores |
#
# A generator never sees a real clip. All it learns about videos comes through one number, and this chapter is about that
# number: what it says, when it falls silent, and what happens when two numbers that disagree are added up.
#
# **By the end you can**
#
# - say what value the game of Eqs. 1–2 has when nobody can win, and which of two generator losses still teaches a hopeless generator;
# - compute the distance of Eq. 4 exactly, and say why a critic's estimate of it is off by a factor;
# - show that the *k* of Eqs. 12–14 is swallowed by one bias, and name the one constraint under which it is not;
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

import matplotlib.pyplot as plt
import torch
from torch import nn

from hrvgan_lib import losses

INKS = ["#332288", "#AA4499", "#44AA99", "#882255"]  # for curves that are no system of ours


def draws(purpose: int = 0) -> torch.Generator:
    """A fresh random stream; a different purpose gives a different one."""
    return torch.Generator().manual_seed(1000 * page.seed + purpose)


# %% [markdown]
# ## The game (Eqs. 1–3)
#
# > *Section 3.1.* "… both are in a state of Nash Equilibrium."
# >
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [-\log \mathcal{D}(\mathbf{x})] \quad (1)$$
# > $$+ \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{z}}} [-\log(1 - \mathcal{D}(\mathcal{G}(\mathbf{z})))] \quad (2) \qquad\qquad \min_G \max_D \mathcal{F}(\mathcal{D}, \mathcal{G}) \quad (3)$$
#
# **What it does not say (L1).** $\mathcal{F}$ has minus signs in front of its logarithms: it is large when D is *wrong*. A D that maximises it
# learns to call real clips fake. We read D minimises $\mathcal{F}$, G maximises it.
#
# On a line we need no networks. Let the real samples follow a standard bell curve $p$ and the generator's a bell curve $q$ shifted by $s$. For fixed
# G the best D is known in closed form, $D^*(x) = p(x) / (p(x) + q(x))$; as a *logit*, the number before the sigmoid, it is $\log p - \log q$.

# %%
x = torch.linspace(-8, 12, 2001)


def bell(centre: float) -> torch.Tensor:
    return torch.exp(-0.5 * (x - centre) ** 2) / math.sqrt(2 * math.pi)


def best_value(shift: float) -> float:
    p, q = bell(0.0), bell(shift)
    D = p / (p + q)
    integrand = -p * D.clamp_min(1e-30).log() - q * (1 - D).clamp_min(1e-30).log()
    return torch.trapezoid(integrand, x).item()


shifts = torch.linspace(0, 6, 25)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for shift, ink in zip((0.0, 1.0, 4.0), INKS):
    left.plot(x, bell(0.0) / (bell(0.0) + bell(shift)), color=ink, label=f"s = {shift:g}")
left.set(xlim=(-3, 7), xlabel="x", ylabel="best D(x)")
left.legend()
right.plot(shifts, [best_value(s.item()) for s in shifts], color=INKS[0])
right.axhline(2 * math.log(2), color="0.5", linestyle=":")
right.set(xlabel="shift s of the generator", ylabel="F at the best D", ylim=(0, None))
page.figure(fig,
            caption="The best discriminator on a line, and the value of Eqs. 1-2 that it reaches.",
            alt="Left: the best discriminator as a curve over x for a generator shifted by 0, 1 and 4; it is flat "
                "at one half, then a slope, then a cliff. Right: the value of the game falls from two log two "
                "towards zero as the shift grows.")

# %% [markdown]
# At $s = 0$ the best D answers one half everywhere and each term costs $\log 2$. That is the equilibrium, and $2 \log 2 \approx 1.386$ is the number to
# look for in a training log: a discriminator loss that sits there may mean perfection or a blind D. Far apart, the value flattens at zero: the generator is equally
# hopeless at $s = 5$ and $s = 6$, and $\mathcal{F}$ can hardly tell the two.
#
# The library works on logits, since $-\log \sigma(l)$ is `softplus(-l)` and never meets a zero.

# %% tags=["nbval-check-output"]
on_real, on_fake = torch.randn(512, generator=draws()), torch.randn(512, generator=draws(1))  # logits
printed = -torch.sigmoid(on_real).log().mean() - (1 - torch.sigmoid(on_fake)).log().mean()
print("printed == library:", torch.allclose(printed, losses.gan_value(on_real, on_fake)))
page.expect("value where D = 1/2", losses.gan_value(torch.zeros(8), torch.zeros(8)), of=2 * math.log(2), rtol=1e-6,
            why="nobody can win, each answer costs log 2")
page.expect("value at a shift of 6", best_value(6.0), high=0.05, why="D is always right")

# %% [markdown]
# A Nash equilibrium is a place that neither player leaves with a gain. For the ledger of [chapter 12](12_claims_and_decisions.ipynb): the value where $D = 1/2$ has to be $2 \log 2$; D's best answer to $q = p$ must not lower it;
# and a G that leaves, here by a shift of one, must not raise the value that D then allows it.

# %%
even = losses.gan_value(torch.zeros(8), torch.zeros(8)).item()
page.measure("value of Eqs. 1-2 where D = 1/2, over 2 log 2", even / (2 * math.log(2)), claim="nash", low=1 - 1e-6,
             high=1 + 1e-6)
page.measure("what D gains by its best answer to a G that draws like the data", even - best_value(0.0), claim="nash",
             high=1e-4)
page.measure("what G gains by a shift of one, at D's best answer", best_value(1.0) - even, claim="nash", high=0)

# %% [markdown]
# ### Which loss still teaches a hopeless generator?
#
# Equation 3 taken literally gives G the negated second term: minimise $\log(1 - D(G(z)))$. In practice G minimises $-\log D(G(z))$ instead. The section names a
# third, "least square loss instead of sigmoid cross entropy loss": $\frac12 (D(G(z)) - 1)^2$ on the raw output. All three want D to say *real*. What counts
# for learning is not the value but the slope, so we ask autograd for it.

# %%
logits = torch.linspace(-8, 8, 161, requires_grad=True)
contenders = {
    "saturating, log(1 − D)": losses.saturating_generator_loss,
    "non-saturating, −log D": losses.nonsaturating_generator_loss,
    "least squares": losses.least_squares_generator_loss,
}
slopes = {name: 161 * torch.autograd.grad(loss(logits), logits)[0] for name, loss in contenders.items()}
fig, axes = plt.subplots(figsize=(7, 3))
for (name, slope), ink in zip(slopes.items(), INKS):
    axes.plot(logits.detach(), slope.abs(), color=ink, label=name)
axes.set(xlabel="D's logit for a fake   (left: surely fake)", ylabel="|gradient|", ylim=(0, 4))
axes.legend()
page.figure(fig,
            caption="Who still teaches? Size of the gradient that a fake sends to G, over D's logit for it.",
            alt="Size of three generator gradients over D's logit for a fake. The saturating loss has no gradient "
                "on the left, where D is sure that the clip is fake; the non-saturating one has gradient one "
                "there; the least-squares one grows linearly away from logit one on both sides.")

# %% [markdown]
# The saturating gradient is $-D$: gone on the left, exactly where an untrained generator lives. The non-saturating one is $-(1 - D)$: strongest there, gone on the
# right. Least squares never falls silent: even a fake that D calls real *too* firmly is pulled back, which is what its authors wanted from it.

# %% tags=["nbval-check-output"]
print("G that D sees through (logit -8), size of gradient:")
for name, slope in slopes.items():
    print(f"  {name:24s} {abs(slope[0].item()):.4f}")
    page.measure(f"gradient for a fake that D rejects with a logit of -8, {name}", abs(slope[0].item()), decision="L1")

# %% [markdown]
# The section names two losses for stability, least squares and feature matching. The argument for the first is about fakes on the *right* side of D's boundary that are still far from the data: cross-entropy calls
# them good and falls silent. Let D's one feature be its raw output, 8 for such a fake and 1 for real clips. To be of help, each of the two has to pull harder than the cross-entropy.

# %%
far = torch.tensor([[8.0]], requires_grad=True)
pulls = [torch.autograd.grad(loss, far)[0].abs().item() for loss in (
    losses.nonsaturating_generator_loss(far), losses.least_squares_generator_loss(far),
    losses.feature_matching_loss(torch.ones(1, 1), far))]
for name, pull in zip(("least squares", "feature matching"), pulls[1:]):
    page.measure(f"gradient for a fake that passes as real but lies far from the data, {name} over cross-entropy",
                 pull / pulls[0], claim="least-squares", low=1)

# %% [markdown]
# ## Two more ways not to collapse: feature matching, minibatch discrimination
#
# > *Section 3.1.* "… using feature matching and minibatch discrimination as shown in [22]."
#
# A collapsed generator answers every latent with the same clip. Feature matching asks it to match the *mean* of D's features on real clips. Minibatch discrimination
# lets D compare the clips of a batch: each sample is told how many neighbours it has. Let us shrink a generator's feature cloud step by step onto its
# own mean and watch both numbers.

# %%
def neighbours(features, weight):  # (n, A), (A, B, C) -> (n, B)
    rows = torch.einsum("na,abc->nbc", features, weight)
    return torch.exp(-(rows[:, None] - rows[None]).abs().sum(-1)).sum(dim=1)


cloud, weight = torch.randn(32, 16, generator=draws()), torch.randn(16, 4, 3, generator=draws(1))
spreads = torch.logspace(0, -4, 41)
shrunk = [cloud.mean(0) + s * (cloud - cloud.mean(0)) for s in spreads]
fig, axes = plt.subplots(figsize=(7, 3))
axes.plot(spreads, [neighbours(c, weight).mean() for c in shrunk], color=INKS[0], label="minibatch discrimination")
axes.plot(spreads, [losses.feature_matching_loss(cloud, c) for c in shrunk], color=INKS[1],
          label="feature matching loss")
axes.set(xscale="log", xlabel="spread of the generator (1: as real, right: collapsed)", ylabel="value")
axes.invert_xaxis()
axes.legend()
page.figure(fig,
            caption="A cloud of 32 samples collapses to its mean from left to right.",
            alt="As a cloud of 32 feature vectors shrinks to a point, the feature matching loss stays at zero "
                "while the minibatch discrimination feature climbs from about one to 32.")

# %% tags=["nbval-check-output"]
print("same as the library:", torch.allclose(neighbours(cloud, weight), losses.minibatch_discrimination(cloud, weight)))
one_clip = cloud.mean(0, keepdim=True).expand(32, -1)
page.expect("feature matching of one clip, 32 times", losses.feature_matching_loss(cloud, one_clip), high=1e-6,
            why="it sees means only")
page.expect("neighbours of that clip", losses.minibatch_discrimination(one_clip, weight).mean(), of=32, rtol=1e-5,
            why="all 32 are the same")

# %% [markdown]
# One mean clip is a perfect answer to feature matching alone; keep that in mind, it comes back with Eq. 10. HRVGAN uses neither loss. Its
# discriminator carries the small sister of minibatch discrimination instead, the minibatch stddev layer of [chapter 02](02_norm_layers.ipynb).
#
# ## Wasserstein: a distance that keeps counting (Eq. 4)
#
# > *Section 3.2.*
# >
# > $$W(p_r, p_g) = \inf_{\gamma \in \Pi(p_r, p_g)} \mathbb{E}_{(x,y) \sim \gamma} [\|x - y\|] \quad (4)$$
#
# Read $\gamma$ as a transport plan: who gets moved where, and the cost is the way. Between two sets of $N$ points of equal weight, one of the best plans is a one-to-one
# pairing, and the best pairing is the *assignment problem*. SciPy solves it exactly, so Eq. 4 needs no training at all, only $O(N^3)$ patience.

# %%
from scipy.optimize import linear_sum_assignment

n = 96
angle = torch.arange(n) % 6 * (math.pi / 3)
real = 2 * torch.stack([angle.cos(), angle.sin()], dim=1) + 0.15 * torch.randn(n, 2, generator=draws())
fake = torch.tensor([0.6, 0.0]) + 0.4 * torch.randn(n, 2, generator=draws(1))
way = torch.cdist(fake, real)
rows, columns = linear_sum_assignment(way)  # who goes where

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
left.plot(*torch.stack([fake[rows], real[columns]]).permute(2, 0, 1), color="0.8", linewidth=0.7, zorder=0)
left.scatter(*real.T, s=10, color=book.SYSTEM_COLOURS["real"], label="real")
left.scatter(*fake.T, s=10, color=book.SYSTEM_COLOURS["untrained"], label="generated")
left.set(aspect="equal", xlim=(-2.5, 4.2))
left.legend(loc="upper right", fontsize=8)
right.plot(shifts, shifts, color=INKS[0], label="Eq. 4: W")
right.plot(shifts, [2 * math.log(2) - best_value(s.item()) for s in shifts], color=INKS[1],
           label="2 log 2 − F at the best D")
right.set(xlabel="shift between two bell curves")
right.legend()
page.figure(fig,
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
            why="each point goes 5 far, whatever the order of the set")
a, b = torch.randn(40, 1, generator=draws()), torch.rand(40, 1, generator=draws(1))
page.expect("distance on a line", losses.wasserstein_distance_exact(a, b),
            of=(a.sort(0)[0] - b.sort(0)[0]).abs().mean().item(), rtol=1e-5,
            why="there the best pairing is the sorted one")

# %% [markdown]
# Section 3.2 expects stability from this distance. The part of it that can be settled without training is the gradient: on two distributions that hardly overlap, Eq. 4 should feel a step towards the data in full, and Eqs. 1-3 at
# the best D should not feel it. We compare slopes at a shift of six; the ledger asks for at least a half from the first and at most a twentieth from the second.

# %%
points = torch.randn(96, 1, generator=draws(9))
farther, nearer = (losses.wasserstein_distance_exact(points, points + shift) for shift in (6.5, 5.5))
page.measure("slope of Eq. 4 over the generator's shift, at a shift of 6", farther - nearer, claim="wgan-less-collapse",
             low=0.5)
page.measure("slope of Eqs. 1-3 at the best D over the generator's shift, at a shift of 6",
             abs(best_value(6.5) - best_value(5.5)), claim="wgan-less-collapse", high=0.05)

# %% [markdown]
# ## A critic's estimate (Eqs. 5–6)
#
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [\mathcal{D}(\mathbf{x})] - \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{u}}} [\mathcal{D}(\mathcal{G}(\mathbf{z}))] \quad (5) \qquad + \lambda \mathbb{E}_{\hat{\mathbf{x}} \sim p_{\hat{\mathbf{x}}}} [(\|\nabla_{\hat{\mathbf{x}}} \mathcal{D}(\hat{\mathbf{x}})\|_2 - 1)^2] \quad (6)$$
#
# **What it does not say (L2, L6).** A D that minimises Eq. 5 pushes real clips *down*; we train it on $\mathbb{E} D(G(z)) - \mathbb{E} D(x)$. The text announces weight
# clipping, Eq. 6 is the gradient penalty. $\hat{\mathbf{x}}$ and $\lambda$ are not given: we take points on lines between real and generated clips, and $\lambda = 10$.
#
# Kantorovich's duality turns the search for a plan into a search for a function: $W$ is the largest $\mathbb{E} D(x) - \mathbb{E} D(y)$ over all $D$ whose
# slope is nowhere above 1. If the slope may reach $k$, the answer is $k\,W$: the *scale* that section 4.5 speaks of. First the penalty, in five lines.

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
page.expect("penalty of a linear critic, k = 2",
            losses.gradient_penalty(linear, real, fake, draws(), target=2.0).item(),
            of=(linear.weight.norm().item() - 2) ** 2, rtol=1e-4, why="its slope is |w| everywhere: (|w| - k)^2")

# %% [markdown]
# Now four critics of the same size, one for each way to keep a slope. *None* lets it run; *clipping* clamps every weight to ±0.1 after each step;
# the *gradient penalty* asks for slope $k$ where it looks; *spectral norm* divides each weight matrix by its largest singular value.

# %% tags=["nbval-check-output"]
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
print("critics trained:", ", ".join(critics))

# %%
fig, axes = plt.subplots(figsize=(7, 3.4))
for (name, (estimates, _)), ink in zip(critics.items(), ["#D55E00", *INKS]):
    axes.plot((estimates / exact).clamp_min(0.1), color=ink, label=name)
axes.axhline(1, color="0.4", linestyle=":")
axes.set(yscale="log", ylim=(0.2, 30), xlabel="critic step", ylabel="estimate / exact W")
axes.legend(fontsize=8)
page.figure(fig,
            caption="Five critics and one exact distance (dotted). Only the constraint differs.",
            alt="Ratio of each critic's estimate to the exact distance over 200 steps, logarithmic. Without a "
                "constraint it leaves the picture at the top. Clipping settles a little above one, spectral norm "
                "at about two thirds, the gradient penalty with k one just above one and with k three between two "
                "and three.")

# %%
page.table([{"constraint": name, "estimate / exact": round(estimates[-20:].mean().item() / exact, 2),
             "steepest slope": round(slope, 2),
             "estimate / slope / exact": round(estimates[-20:].mean().item() / slope / exact, 2)}
            for name, (estimates, slope) in critics.items()],
           note=f"exact distance of Eq. 4: {exact:.3f}; slope measured at the 192 points")

# %% tags=["nbval-check-output"]
ratio = {name: estimates[-20:].mean().item() / exact for name, (estimates, _) in critics.items()}
page.expect("gradient penalty, estimate / exact", ratio["gradient penalty, k = 1"], 0.8, 1.25,
            why="slope close to 1 where it looks")
page.expect("its estimate with k = 3 over that with k = 1",
            ratio["gradient penalty, k = 3"] / ratio["gradient penalty, k = 1"], 1.7, 3.7,
            why="k scales a Wasserstein loss")
page.expect("without a constraint, estimate / exact", ratio["none"], low=100, why="the slope may grow for ever")
page.expect("largest estimate per unit of slope", max(e[-1].item() / s / exact for e, s in critics.values()), high=1.05,
            why="no critic beats the exact plan")
page.measure("estimate of the distance by a critic with gradient penalty, over the exact distance",
             ratio["gradient penalty, k = 1"], decision="L2")
for name in ("none", "clip at 0.1", "spectral norm", "gradient penalty, k = 1"):
    page.measure(f"steepest slope of a critic after 200 steps, constraint: {name}", critics[name][1], decision="L6")
implied = math.prod(0.1 * math.sqrt(a * b) for a, b in ((2, 64), (64, 64), (64, 1)))  # of the three matrices
page.measure("steepest slope of the clipped critic, over the bound that its weights imply",
             critics["clip at 0.1"][1] / implied, claim="weight-clipping", high=1)

# %% [markdown]
# Does clipping *enforce* a constraint, as section 3.2 has it? A matrix of $m \times n$ entries within ±0.1 stretches nothing by more than $0.1 \sqrt{mn}$, so the product over the three layers is a Lipschitz constant, and the ledger asks that the
# measured slope stays below it. That is *some* K, given by bound and widths, and not one that was asked for.
#
# The last column divides by the measured slope: no critic, however trained, beats the exact plan. Unconstrained, the "distance" is whatever step count
# you stop at. Clipping settles, but on a multiple that nobody chose: it depends on the width of the network. The penalty holds the slope near $k$, and softly: a little
# above is cheap. Spectral norm keeps slope 1 and pays with a function too gentle to reach the supremum.
#
# So under the Wasserstein loss $k$ *is* a scale, and a weight in front of the loss can absorb it. Remember this for Eqs. 12–14, where it is not.
#
# One caution for 3-D convolutions. Spectral norm treats a kernel as an (out, in·27) matrix. The convolution applies that matrix at every position, and overlapping
# windows can add up; power iteration on the layer itself tells by how much.

# %% tags=["nbval-check-output"]
torch.manual_seed(page.seed)
smooth = nn.Conv3d(4, 4, 3, padding=1, bias=False)
with torch.no_grad():
    smooth.weight.copy_(smooth.weight.abs())  # all taps agree: the worst case for windows that overlap
losses.add_spectral_norm(smooth).eval()
probe = torch.rand(1, 4, 8, 16, 16, generator=draws())
for _ in range(30):  # v <- W^T W v, normalised
    probe = nn.functional.normalize(probe.flatten(), dim=0).view(probe.shape).requires_grad_()
    stretched = smooth(probe)
    (probe,) = torch.autograd.grad(stretched.square().sum() / 2, probe)
page.expect("norm of the kernel as a matrix", torch.linalg.matrix_norm(smooth.weight.flatten(1), 2).detach(), of=1,
            rtol=1e-2, why="as promised")
page.expect("norm of the convolution", stretched.norm().item(), low=2, high=math.sqrt(27),
            why="above 1, at most sqrt(27)")

# %% [markdown]
# ## Conditional GANs (Eq. 7)
#
# > *Section 3.3.*
# >
# > $$\mathcal{F}(\mathcal{D}, \mathcal{G}) = \mathbb{E}_{\mathbf{x} \sim p_{\mathbf{x}}} [-\log \mathcal{D}(\mathbf{x})] + \mathbb{E}_{\mathbf{z} \sim p_{\mathbf{x}}} [-\log(1 - \mathcal{D}(\mathcal{G}(\mathbf{z}))) \quad (7)$$
#
# **What it does not say (L3).** The condition. As printed, Eq. 7 is Eqs. 1–2 again, less a bracket. We read $D(\mathbf{x} \mid y)$ and $G(\mathbf{z} \mid y)$: the formula stays,
# the networks get another input. Does it matter? Take a generator whose clips are perfect and whose labels are all swapped.

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
# For a D without labels this generator is at equilibrium. Only a D that reads the label can teach it to obey. How the label enters HRVGAN's networks is
# decision A18, [chapter 04](04_discriminator.ipynb).
#
# ## The loss with *k* inside (Eqs. 11–14)
#
# > *Section 4.5.*
# >
# > $$L_{bce}(Y, \hat{Y}) = - \sum_i \hat{Y}_i \log(Y_i) + (1 - \hat{Y}_i) \log(1 - Y_i) \quad (11)$$
# > $$\mathcal{L}_{adv}^G(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, G_i(X_i)) - k, 1) \quad (12)$$
# > $$\mathcal{L}_{adv}^D(X, Y) = \lambda_1 \sum_{i=1}^N L_{bce}(D_i(X_i, Y_i) - k, 1) \quad (13) \qquad + \lambda_2 L_{bce}(D_i(X_i, G_i(X)) - k, 0) \quad (14)$$
# >
# > "λ1, λ2 are also used to absorb the scale k caused by the k-Lipschitz constraint on Wasserstein loss."
#
# **What it does not say.** The brackets around the sum in Eq. 11 ([**L4**](12_claims_and_decisions.ipynb#L4)); what $D - k$ means ([**L5**](12_claims_and_decisions.ipynb#L5)); what $i$ counts ([**L7**](12_claims_and_decisions.ipynb#L7): we take the clips of a batch and their mean);
# λ1 and λ2 ([**L8**](12_claims_and_decisions.ipynb#L8): 1 and 1); the X of $D(X, Y)$ when a clip comes from noise ([**L12**](12_claims_and_decisions.ipynb#L12): we use $D(Y \mid \text{label})$).
#
# The literal reading first. Eq. 11 wants values in $[0, 1]$, so D is a probability. Then $D - k$ is one minus something:

# %%
D = torch.linspace(0.001, 0.999, 999)
fig, axes = plt.subplots(figsize=(7, 2.8))
for k, ink in zip((0.0, 0.25, 0.5, 1.0), INKS):
    loss = -(D - k).log()  # NaN below k
    axes.plot(D, loss, color=ink, label=f"k = {k:g}: defined for {100 * loss.isfinite().float().mean():.0f} % of D")
axes.set(xlabel="probability D", ylabel="−log(D − k)", xlim=(0, 1), ylim=(0, 6))
axes.legend(fontsize=8)
page.figure(fig,
            caption="Eq. 12 as printed: the loss exists only where D exceeds k.",
            alt="Minus log of D minus k over the probability D for k 0, 0.25, 0.5 and 1. Each curve starts only "
                "where D exceeds k; for k one there is no curve at all.")
for k in (0.5, 1.0):
    page.measure(f"share of probabilities D for which Eq. 12 as printed has a value, k = {k:g}",
                 (D - k).log().isfinite().float().mean(), decision="L5")
for which, sign in (("with brackets", -1), ("without brackets, as printed", 1)):
    page.measure(f"probability that minimises Eq. 11 for target 0, {which}", D[(sign * (1 - D).log()).argmin()],
                 decision="L4")

# %% [markdown]
# A clip that D believes with less than $k$ has no loss, and for $k = 1$ no clip has one. So the text needs a reading, and the library holds
# several behind one switch. Here is what each says to an undecided D (all logits zero) and how hard it pulls at G.

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

# %% [markdown]
# The literal row is worse than its dash: autograd hands out a gradient all the same, with the *opposite* sign. A loop that does not look at its loss would train G to be
# caught. (Ours stops with an error.)
#
# `bce_shift` looks different from `bce`: more loss, more gradient. It is the closest reading of the print that can be computed, D being a logit and $k$ subtracted from
# it, and it is our *literal* setting. Does its $k$ do anything?
#
# ### The bias that eats *k*
#
# D ends in a linear layer: $D(x) = w^\top f(x) + b$. Then $D(x) - k = w^\top f(x) + (b - k)$. Whatever $k$ is, a D with bias $b + k$ has the loss, the gradients and so the whole
# future of a D with bias $b$ and no $k$. We play the same tiny game three times.

# %% tags=["nbval-check-output"]
def play(k, bias, clip=None, steps=120):
    torch.manual_seed(page.seed)
    G = nn.Linear(2, 2).double()
    D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)).double()
    with torch.no_grad():
        D[-1].bias += bias
    d_step, g_step = (torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.0, 0.99)) for net in (D, G))
    noise, record = draws(4), []
    for _ in range(steps):
        z = torch.randn(n, 2, generator=noise, dtype=torch.float64)
        d_loss = losses.adversarial_discriminator_loss(D(real.double()), D(G(z).detach()), k, "bce_shift")
        d_step.zero_grad()
        d_loss.backward()
        d_step.step()
        if clip:
            losses.clip_weights_(D, clip)
        g_step.zero_grad()
        losses.adversarial_generator_loss(D(G(z)), k, "bce_shift").backward()
        g_step.step()
        record.append(d_loss.item())
    return torch.tensor(record), G(z).detach(), D


plain, raised, usual = play(k=0.0, bias=0.0), play(k=1.0, bias=1.0), play(k=1.0, bias=0.0)
print("games played: k = 0; k = 1 with the last bias raised by 1; k = 1 with the usual start")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for game, name, ink, style in ((usual, "k = 1, usual bias", INKS[1], "-"), (plain, "k = 0", INKS[2], "-"),
                               (raised, "k = 1, bias + 1", INKS[0], ":")):
    left.plot(game[0], style, color=ink, label=name)
left.axhline(2 * math.log(2), color="0.7", linewidth=0.8)
left.set(xlabel="step", ylabel="D's loss")
left.legend(fontsize=8)
right.scatter(*real.T, s=6, color=book.SYSTEM_COLOURS["real"], label="real")
right.scatter(*plain[1].T, s=30, color=INKS[2], label="G after k = 0")
right.scatter(*raised[1].T, s=8, marker="x", linewidth=0.8, color="white", label="G after k = 1, bias + 1")
right.legend(fontsize=8, loc="lower left", facecolor="0.85")
right.set(ylim=(-4.5, None))
page.figure(fig,
            caption="Three games: k = 0; k = 1 with the last bias raised by 1; k = 1 with the usual start.",
            alt="Left: the discriminator loss of three small games over 120 steps; without k and with k one plus a "
                "raised bias the curves coincide, the third, k one with the usual bias, starts higher and comes "
                "down to the same course. Right: the generated points of the first two games lie on top of each "
                "other.")

# %% tags=["nbval-check-output"]
page.expect("largest difference between the samples of games 1 and 2", (plain[1] - raised[1]).abs().max(), high=1e-6,
            why="k has no effect")
shift = (raised[2][-1].bias - plain[2][-1].bias).item()
page.expect("difference of their last biases", shift, of=1, rtol=1e-6, why="here is where k went")
page.expect("largest difference of D's loss in steps 1 to 10 of games 1 and 3",
            (usual[0] - plain[0])[:10].abs().max().item(), low=0.02,
            why="without the raised bias k is felt at the start")
page.measure("largest difference between the samples of two games, k = 0, and k = 1 with the last bias raised by 1",
             (plain[1] - raised[1]).abs().max(), decision="L5")

# %% [markdown]
# The dotted curve lies on the solid one and the points coincide. Under this reading $k$ shifts the start of *one* of D's parameters: felt for some steps, then the
# third game runs its own version of the same course. So `bce_shift` with a free bias is a plain GAN.
#
# And "λ1, λ2 absorb the scale"? A D that may have slope $k$ is $k$ times a D that may have slope 1. A weight in front of the loss can absorb that if the
# gradient of every clip grows by the same factor. Here are five fakes, and the gradient for $D = 3d$ over the gradient for $D = d$.

# %% tags=["nbval-check-output"]
d = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0], requires_grad=True)
for reading in ("wgan", "bce", "bce_scale"):
    one, three = (torch.autograd.grad(losses.adversarial_generator_loss(k * d, k, reading), d)[0] for k in (1.0, 3.0))
    print(f"{reading:9s}", " ".join(f"{factor:5.2f}" for factor in (three / one).tolist()))

# %% [markdown]
# For the ledger: a weight absorbs $k$ where one factor fits all fakes, that is, where the largest factor over the smallest is 1. We ask it of the loss that the sentence names and of the one that Eqs. 12-14 print, with $k$ as a scale
# of D and as the printed shift.

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
    page.measure(f"unevenness of five fakes' gradients as k goes from 1 to 3 (1: one weight can absorb it), {what}",
                 unevenness(reading, scaled), claim="k-absorbed" if reading == "wgan" else "k-absorbed-bce",
                 low=0.999, high=1.001)

# %% [markdown]
# In the Wasserstein loss the factor is 3 for all, and λ = 1/3 absorbs it. In the cross-entropy it differs from clip to clip, so no λ can. `bce_scale`, which divides D by $k$,
# undoes the scale by itself. The sentence holds for the loss that it names, and not for the one that Eqs. 12–14 write down. Which of
# these trains HRVGAN is a preset, named in [chapter 06](06_training_loop.ipynb) and beside each row of the tables.
#
# ## The pixel loss (Eq. 10), and what it wants when nobody pairs it
#
# > *Section 4.5.* "… minimizing the pixel-wise distance between the predicted and the actual frame."
# >
# > $$\mathcal{L}_{mse}(X, Y) = \ell_{mse}(G(X), Y) = \|G(X) - Y\|^2 \quad (10)$$
#
# **What it does not say.** Mean or sum ([**L10**](12_claims_and_decisions.ipynb#L10): mean). And, for clips made from *noise*, which $Y$ belongs to a $z$ ([**T1**](12_claims_and_decisions.ipynb#T1)). Algorithm 1 draws $(X, Y)$ from the data;
# in generation mode there is no X, so the literal code compares $G(z)$ with some unrelated real clip. This is our failure on purpose.
#
# The generator here is as small as can be: a linear map from 8 numbers to a clip. We train it twice with the same loop. First the 8 numbers are noise and the target is a random
# clip. Then they are a *code* of the target, its place along the 8 main directions of the data: decision [**A20**](12_claims_and_decisions.ipynb#A20)'s encoder in miniature.

# %%
# the smallest cut of Table 1, in every profile
clips = page.dataset("actions", frames=8, size=32).draw(48, draws(5))[0]
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
        optimiser.zero_grad()
        losses.mse_loss_paper(G(z), flat[pick]).backward()
        optimiser.step()
    return G.requires_grad_(False)


ghosts = fit(paired=False)(torch.randn(48, 8, generator=draws(7))).view_as(clips)
copies = fit(paired=True)(codes).view_as(clips)

# %%
strips = torch.cat([clips[:2], ghosts[:2], middle.view_as(clips[:1]), copies[:2]])
names = ["real A", "real B", "unpaired G(z1)", "unpaired G(z2)", "mean clip", "paired, from A", "paired, from B"]
page.figure(book.clip_grid(strips, labels=names),
            caption="The failure on purpose. Unpaired, Eq. 10 asks for the mean clip, whatever the noise; paired, "
                    "it asks for the clip.",
            alt="Seven strips of eight frames: two real clips; two outputs of the generator trained on unpaired "
                "clips, both the same grey ghost; the mean of all clips, the same ghost again; two outputs of the "
                "paired generator, each with the colours of its own real clip.")

# %% tags=["nbval-check-output"]
mean_clip = middle.view_as(clips[0]).expand_as(clips)
spread = losses.mse_loss_paper(mean_clip, clips)  # variance of the data
page.expect("unpaired: distance to the mean clip, share of the data's variance",
            losses.mse_loss_paper(ghosts, mean_clip) / spread, high=0.15, why="the ghost is the mean")
page.expect("unpaired: variance over the noise, share of the data's",
            ghosts.var(dim=0).mean() / clips.var(dim=0).mean(), high=0.15, why="the noise is ignored: collapse")
page.expect("paired: error, share of the data's variance", losses.mse_loss_paper(copies, clips) / spread, high=0.6,
            why="eight numbers that know their target")
page.measure("Eq. 10 with an unrelated clip as target: distance of the result to the mean clip, over the variance",
             losses.mse_loss_paper(ghosts, mean_clip) / spread, decision="T1")
page.measure("Eq. 10 with an unrelated clip as target: variance of the result over the noise, over the data's",
             ghosts.var(dim=0).mean() / clips.var(dim=0).mean(), decision="T1")
page.measure("Eq. 10 paired through a code of eight numbers: error over the data's variance",
             losses.mse_loss_paper(copies, clips) / spread, decision="T1")

# %% [markdown]
# Nothing went wrong in the optimisation. $\mathbb{E}\|G(z) - Y\|^2$ with $Y$ independent of $z$ has exactly one minimum, the mean of all clips, for every $z$: a ghost, and
# a collapse that the loss rewards. Hence decision [**T1**](12_claims_and_decisions.ipynb#T1): by default we give the MSE a paired target, a clip that went through an encoder, and leave clips
# from noise to the discriminator.
#
# The ghost is seductive: by squared pixels it is *closer* to a real clip than another real clip is, by a factor of two exactly. Eq. 4, which looks for the best
# partner of each clip before it measures, is harder to fool; whether it is fooled depends on how good the partners are.

# %% tags=["nbval-check-output"]
every_pair = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").square().mean() / flat.shape[1]
page.expect("squared distance of two random real clips over that of a real clip and the ghost",
            (every_pair / spread).item(), of=2, rtol=1e-3, why="two deviations against one")

# %%
some, others = clips[:24], clips[24:]
page.table([{"Eq. 4 between 24 real clips and": "24 other real clips",
             "W": losses.wasserstein_distance_exact(some, others)},
            {"Eq. 4 between 24 real clips and": "the mean clip, 24 times",
             "W": losses.wasserstein_distance_exact(some, mean_clip[:24])}])

# %% [markdown]
# This is why nobody should judge generators by pixel distance, and why [chapter 08](08_evaluation.ipynb) measures in a network's features. One more reading of Eq. 10, its sum:

# %%
guess = ghosts[:1].clone().requires_grad_()
pull = {reduction: torch.autograd.grad(losses.mse_loss_paper(guess, clips[:1], reduction), guess)[0].norm().item()
        for reduction in losses.PIXEL_REDUCTIONS}
page.table([{"reading of Eq. 10": reduction, "length of its gradient at one clip": length}
            for reduction, length in pull.items()],
           note=f"a clip of 8x32x32 has {clips[0].numel():,} values, one of 32x256x256 has {3 * 32 * 256 * 256:,}")

# %% tags=["nbval-check-output"]
page.expect("gradient of the sum over that of the mean", pull["sum"] / pull["mean"], of=clips[0].numel(), rtol=1e-3,
            why="one a value of the clip")
page.expect("gradient of the norm without its square", pull["norm"], of=1, rtol=1e-3,
            why="the same pull at every clip, however large")
for reduction, length in pull.items():
    page.measure(f"length of Eq. 10's gradient at one clip of 8×32×32, read as {reduction}", length, decision="L10")

# %% [markdown]
# Printed as it stands, Eq. 10 is the sum: beside an adversarial term of about 1 it is the only voice in the room, six million times louder at full size than the mean. The mean ([**L10**](12_claims_and_decisions.ipynb#L10))
# can be the opposite, a whisper; it is the reading of the preset *literal*. The norm without its square pulls every clip with the same strength. It is not what Eq. 10 says, and it is what the preset *stable* trains with, in which the headline rows of chapter 10 were trained: [chapter 06](06_training_loop.ipynb) lists all that this preset changes.
#
# ## The two together (Eq. 15)
#
# > $$\mathcal{L}(X, Y) = \alpha \mathcal{L}_{adv}^G(X, Y) + \beta \mathcal{L}_{mse}(X, Y) \quad (15)$$
# >
# > "… α and β are constants with values of 0.5 and 0.5, respectively."
#
# A sum of two teachers is fine when they agree. Let a "clip" be one pixel; real ones are about $-1$ or about $+1$. D knows them. What value $g$ does Eq. 15 ask of the
# generator, with a target that is any clip, and with a paired one ($+1$)?

# %%
g = torch.linspace(-2, 2, 401)
humps = 0.5 * torch.exp(-0.5 * ((g - 1) / 0.5) ** 2) + 0.5 * torch.exp(-0.5 * ((g + 1) / 0.5) ** 2)
logits = (humps / torch.exp(-0.5 * g**2)).log()  # best D's logit while G still draws a broad bell
adversarial = torch.stack([losses.adversarial_generator_loss(logit, 0.0, "bce") for logit in logits])
pixel = {"unpaired": (g**2 + 1.25), "paired with +1": (g - 1) ** 2}  # E(g - y)^2 over the two humps; one target
fig, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
lowest = {}
for panel, (name, mse) in zip(panels, pixel.items()):
    for beta, ink in zip((0.0, 0.5, 2.0), INKS):
        loss = losses.combined_loss(adversarial, mse, alpha=0.5, beta=beta)
        at = loss[g >= 0].argmin()
        lowest[name, beta] = g[g >= 0][at].item()
        panel.plot(g, loss - loss.min(), color=ink, label=f"β = {beta:g}")
        panel.plot(lowest[name, beta], (loss[g >= 0][at] - loss.min()), "o", color=ink)
    panel.set(title=name, xlabel="generated value g", ylim=(-0.1, 3))
panels[0].set(ylabel="loss above its minimum")
panels[0].legend()
page.figure(fig,
            caption="Eq. 15 on a single pixel, α = 0.5. Dots mark the lowest point.",
            alt="The combined loss over a generated value g for beta 0, 0.5 and 2. Left, unpaired: the two "
                "valleys, beyond plus and minus one without the pixel term, move towards zero as beta grows. "
                "Right, paired with plus one: the right valley stays close to one and the left one disappears.")

# %% tags=["nbval-check-output"]
two = losses.combined_loss(torch.tensor(2.0), torch.tensor(4.0))
page.expect("0.5 x 2 + 0.5 x 4", two, of=3, why="Eq. 15 with its published weights")
page.expect("unpaired, β = 0.5: lowest point", lowest["unpaired", 0.5], high=0.95, why="pulled towards the mean")
page.expect("paired, β = 0.5: lowest point over that without β",
            lowest["paired with +1", 0.5] / lowest["paired with +1", 0.0], 0.85, 1.15,
            why="the two teachers agree")
for target in pixel:
    page.measure(f"contrast of Eq. 15's best answer with β = 0.5 over that with β = 0, target {target}",
                 lowest[target, 0.5] / lowest[target, 0.0], decision="L9")

# %% [markdown]
# "α and β are constants with values of 0.5 and 0.5": in this book they come from the configuration that trains. The ledger gets the value of the combined loss for two known terms, and its gradient with respect to each.

# %%
from hrvgan_lib import paper
from hrvgan_lib.networks.hrvgan import make_config

weights, terms = make_config(page.profile.preset), torch.tensor([2.0, 4.0], requires_grad=True)
combined = losses.combined_loss(terms[0], terms[1], weights.alpha, weights.beta)
page.measure("Eq. 15 for terms of 2 and 4", combined.item(), claim="equal-weights", low=3, high=3)
printed_weights = {"adversarial": paper.SETTINGS.alpha, "pixel": paper.SETTINGS.beta}
for (which, printed), share in zip(printed_weights.items(), torch.autograd.grad(combined, terms)[0].tolist()):
    page.measure(f"gradient of Eq. 15 with respect to its {which} term", share, claim="equal-weights", low=printed,
                 high=printed)

# %% [markdown]
# Without a pixel term the valleys lie a little beyond ±1, where fakes are rarest. Unpaired, every bit of β then costs contrast. Paired, both terms share a
# valley, and the pixel term adds what D cannot say: *which* of the real clips this one should be.
#
# ## Where each equation lives
#
# The equation index is data, like every published number of this book.

# %%
page.table([{"Eq.": number, "what": paper.equation(number).what, "hrvgan_lib function": paper.equation(number).function,
             "decisions": ", ".join(paper.equation(number).decisions)} for number in (*range(1, 8), *range(10, 16))])

# %% [markdown]
# ## Check yourself
#
# 1. Your D's loss has been 1.39 for a thousand steps. Name two explanations and one measurement that tells them apart.
# 2. A critic with slope at most 2 reports 6.0 for its estimate. What do you know about $W$?
# 3. Why does a gradient penalty leave the argument about the bias untouched?
# 4. Which of the losses of this chapter are blind to a generator that outputs the mean clip only?
#
# <details><summary>Answers</summary>
#
# 1. Equilibrium, or a D that has learned nothing. Show D an easy fake, such as noise: a D that can see calls it fake.
# 2. $W \ge 3$: each critic of slope 2 gives at most $2W$. It may be more.
# 3. The penalty sees $\nabla_x D$ only, and a constant has no gradient.
# 4. Feature matching and unpaired MSE: for both it is optimal. The adversarial losses see it as soon as D can compare clips or knows that ghosts are rare.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* Compute the value of the game for a D that says 0.9 to everything. *Expected:* $-\log 0.9 - \log 0.1 \approx 2.408$, worse than not knowing.
# 2. *(medium)* Clipping clamps biases too. Play the game of the bias again with every weight of D clamped to ±0.1. *Expected:* games 1 and 2 now differ: $k = 1$ is beyond the reach of a bias of 0.1.
# 3. *(medium)* Train the clipped critic with twice the width. *Expected:* its estimate goes up several times while the exact distance stays: clipping fixes a scale, and not one you know.
# 4. *(medium)* How many clips does Eq. 4 need? Compute $W$ between two independent samples of the *same* 2-D bell curve for N = 25, 100, 400. *Expected:* not zero, and smaller with N: an exact solver, a biased estimate.
# 5. *(hard)* Show that the mean is the unpaired optimum for squares only: for $\mathbb{E}|g - Y|$ find the best constant for one pixel over our clips. *Expected:* the median.

# %% tags=["solution", "nbval-check-output"]
confident = torch.full((1,), math.log(0.9 / 0.1))  # the logit of 0.9
print(f"1. {losses.gan_value(confident, confident).item():.3f}")

# %% tags=["solution", "nbval-check-output"]
free, held = play(0.0, 0.0, clip=0.1, steps=60), play(1.0, 1.0, clip=0.1, steps=60)
page.expect("2. largest difference between the samples", (free[1] - held[1]).abs().max(), low=1e-3,
            why="the bias cannot follow k")

# %% tags=["solution", "nbval-check-output"]
wide, _ = train_critic("clip", width=128, steps=100)
page.expect("3. estimate of the wider critic over that of the usual one",
            wide[-1].item() / critics["clip at 0.1"][0][-1].item(), low=2, why="same weights' bound, more weights")

# %% tags=["solution", "nbval-check-output"]
same = [losses.wasserstein_distance_exact(*torch.randn(2, size, 2, generator=draws(8))) for size in (25, 100, 400)]
print("4. smaller with N:", same[0] > same[1] > same[2], "- still above zero:", same[2] > 0.02)

# %% tags=["solution", "nbval-check-output"]
values = clips[:, 0, 0, 16, 16]
candidates = torch.linspace(-1, 1, 2001)
best = candidates[(candidates[:, None] - values).abs().mean(dim=1).argmin()]
low, high = values.sort()[0][23], values.sort()[0][24]  # of 48 values any number between the middle two is a median
print("5. the best constant is a median:", bool(low - 1e-3 <= best <= high + 1e-3))

# %% [markdown]
# ## What we now know
#
# - At equilibrium the game is worth $2 \log 2$; the saturating loss leaves a hopeless generator without a gradient, the non-saturating one and least squares do not.
# - Eq. 4 can be solved exactly as an assignment; critics approach it up to the slope that their constraint allows, and without a constraint they report nothing.
# - The $k$ of Eqs. 12–14 cannot be computed as printed; read as a shift it went into the last bias and changed no sample, unless clipping held that bias. λ absorbs a scale in the Wasserstein loss, not in the cross-entropy.
# - Unpaired, Eq. 10 asked for the mean clip and got it. Paired with its own input it works with the adversarial loss rather than against it.
#
# ## Where next
#
# [Chapter 06](06_training_loop.ipynb) puts these losses into Algorithm 1 and trains HRVGAN; [chapter 02](02_norm_layers.ipynb) has the layers that keep its numbers in range.

# %%
page.colophon()
