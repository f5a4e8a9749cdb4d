# %% [markdown]
# # 08 · Rulers for generated clips, and the judge behind them
#
# | | |
# |---|---|
# | **You will build** | the Inception Score (Eq. 16) and the Fréchet distance (Eq. 17) in a few lines each, and an interval for both |
# | **Reads** | clips of the action data set; the system that chapter 06 trained (trained here if it is not there) |
# | **Writes** | the judge and its evaluations, for chapter 10; `evaluation_judge`, `evaluation_panel`, `evaluation_held_out`, `evaluation_behaviour`, `evaluation_fidelity_variety`, `evaluation_damage`, `evaluation_samples`, `evaluation_clips`, `evaluation_intervals`, `evaluation_nearest`; the generator as `hrvgan_generator` |
# | **Budget** | half a minute on two cores at `smoke`; about three minutes at `cpu` |
#
# Before we measure a generator we measure the rulers, on things whose score is known.
#
# A named figure or table stands first as the recorded run has it, and words about it are computed from it; the same from your own run follows, small or folded. A line that begins with *this run* is of your own: at `smoke` it takes the recorded system and judge,
# but few clips, of a smaller data set.
#
# **By the end you can**
#
# - read the judge's confusion matrix, and say why no score means more than its judge;
# - compute the Inception Score and the Fréchet distance, check both against closed forms, and name clips that fool each;
# - say what kernel distance, precision, recall, density and coverage add;
# - put an interval on a distance, show why the usual bootstrap is wrong there, and say what the interval is over;
# - read a score only between real clips and clips that show nothing, at one and the same number of clips.

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

page = book.open_page("08_evaluation", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import torch
from IPython.display import Markdown, display
from scipy.stats import kendalltau

from hrvgan_lib import metrics, paper, training
from hrvgan_lib.book import findings, learning
from hrvgan_lib.book.widgets import DamageSlider
from hrvgan_lib.metrics.eyes.c3d import C3D
from hrvgan_lib.profiles import get_profile

INKS = ["#332288", "#AA4499", "#44AA99", "#882255"]  # for curves that are no system of ours
random = np.random.default_rng(page.seed)

# %% [markdown]
# ## The judge: a classifier of clips
#
# Both metrics of section 4.7 see a clip through a network. In this book it is called the [judge](00_start_here.ipynb#Glossary): a classifier that names the
# action in a clip and takes no part in training a generator. For Table 3 it is C3D, by the lineage of the
# table's rows ([**E1**](12_claims_and_decisions.ipynb#E1)): eight 3×3×3 convolutions, five pools, three linear layers. The published weights,
# put into `reference/` beside the data sets, are used on the real UCF101. Otherwise the book trains a
# C3D of its own, narrower where the profile is, with batch normalisation so that a minute is enough. The recorded
# run has such a judge of [stand-ins](00_start_here.ipynb#Glossary).
#
# A judge has to pass an exam first, on the test split, which it never saw. The result is a **confusion matrix**: a row for the class that
# a clip shows, a column for the class that the judge names, and in each field the number of clips. What is right stands on the diagonal. We examine it
# on clips as they are, and on the same clips *frozen*, with the middle frame standing still.

# %%
shape = learning.judge_shape(page)
train_clips, test_clips = page.dataset("actions", **shape), page.dataset("actions", split="test", **shape)
judge = learning.judge(page)
held_out, n_exam = metrics.real_clips(test_clips), min(len(test_clips), page.profile.samples)
moving = metrics.ask(judge, held_out, n_exam, seed=page.seed)
standing = metrics.ask(judge, metrics.frozen(held_out), n_exam, seed=page.seed)

K = len(judge.classes)
fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
for pane, found, name in zip(axes, (moving, standing), ("as they are", "frozen")):
    pane.imshow(found.confusion, cmap="Blues", vmax=found.confusion.sum(axis=1).max())
    for asked, named in np.argwhere(found.confusion) if K <= 12 else ():
        dark = found.confusion[asked, named] > found.confusion.sum(axis=1).max() / 2
        pane.text(named, asked, found.confusion[asked, named], ha="center", va="center", color="w" if dark else "k")
    pane.set(title=f"held-out clips, {name}", xlabel="class that the judge names")
    pane.grid(False)
every = range(0, K, 1 if K <= 12 else 10)
axes[0].set(xticks=every, xticklabels=[i + 1 for i in every], yticks=every, ylabel="class that the clip shows",
            yticklabels=[f"{judge.classes[i]} {i + 1}" for i in every])
axes[1].set(xticks=every, xticklabels=[i + 1 for i in every])
page.figure(fig, name="evaluation_judge", data=(test_clips,), samples=n_exam,
            caption="Confusion matrices of the judge, in numbers of held-out clips, a random window of each. The more "
                    "on the diagonal, the better it names them; columns have the numbers of the rows.",
            alt="Two square tables of counts, class shown against class named. Left, clips as they are; right, the "
                "same clips frozen, where the counts leave the diagonal for a few columns.")

# %%
rows = [{"clips": name, "named right": found.accuracy.value,
         "95 %": f"{found.accuracy.low:.2f} to {found.accuracy.high:.2f}", "N": n_exam}
        for name, found in {"held-out clips": moving, "the same, frozen": standing}.items()]
page.table(rows, note=f"This run. {judge.name}. Chance is {1 / K:.3f}. In its exam, on the first window of each of "
                      f"{judge.accuracy.n} held-out clips, it names right {judge.accuracy}; by the mean answer to 4 "
                      f"windows of each, {judge.video_accuracy}. "
                      f"This run's own clips are of {len(train_clips)} training and {len(test_clips)} test videos.")
favourite = standing.confusion.sum(axis=0)
print(f"this run: of {n_exam} frozen clips it calls {favourite.max()} {judge.classes[favourite.argmax()]}")

# %% [markdown]
# A judge of *videos* should be lost when nothing moves. This one is: frozen, its answers crowd into a few columns,
# whatever the class. Its intervals are wide because they count *looks* and not clips ([below](#What-is-independent-of-what)). A look is what clips of a stand-in share: actor, place and light; seven are held out. The Inception Score reads its answers; the other rulers read its
# [features](00_start_here.ipynb#Glossary), the numbers inside it. Its last pool is called `pool5`, its first two linear layers `fc6` and `fc7`; distances here use `fc6`
# unless we say otherwise.
#
# "How often is the judge right?" is answered here by three samples of the same held-out clips: its exam takes the *first* window of each, the matrix a *random*
# window of each, the panel below $N$ random windows. So a clip may be named wrong in one of them and right in another, and each share stands with its sample.
#
# ## The Inception Score (Eq. 16)
#
# > *Section 4.7.* "A higher inception score is preferred, which means the model can generate diverse images, thus avoiding the mode collapse issue."
# >
# > $$IS(\mathcal{G}) = \exp(\mathbb{E}_{\mathbf{x} \sim p_g} \mathcal{D}_{KL}(p(y | \mathbf{x}) || p(y))) \quad (16)$$
#
# > **What it does not say.** Which classifier gives $p(y|x)$, for how many clips, at which resolution, how often
# > ([**E1**](12_claims_and_decisions.ipynb#E1)); which labels a conditional generator is asked for ([**E3**](12_claims_and_decisions.ipynb#E3): every
# > class equally often); whose marginal $p(y)$ is ([**E7**](12_claims_and_decisions.ipynb#E7): the mean over the same clips).
#
# The judge spreads one unit of belief over the classes: $p(y|x)$. Their mean over all clips is $p(y)$. The equation asks how far each answer is from the mean answer.
# Clear clips of many kinds: far. Mush, or one clip again and again: not far at all. In code it is three lines.

# %%
def score(p):  # class probabilities (clips, classes) -> number
    marginal = p.mean(axis=0)
    divergence = (p * np.log(p / marginal)).sum(axis=1)
    return np.exp(divergence.mean())


# %% [markdown]
# Written with the entropy $H(p) = -\sum_y p_y \log p_y$, the same is
#
# $$IS = \exp\big(H[p(y)] - \mathbb{E}_x H[p(y|x)]\big) :$$
#
# variety of the answers together, less doubt in the single answer. The exponent is the *mutual information* between clip and named class. Hence the two ends: the score is 1
# where all answers are alike, and $K$ where the judge is certain of every clip and names all $K$ classes equally often.

# %% tags=["nbval-check-output"]
certain = np.eye(8).repeat(4, axis=0)
answers = {
    "clueless": np.full((32, 8), 1 / 8),
    "sure, one class only": np.tile(0.999 * np.eye(8)[0] + 0.001 / 8, (32, 1)),
    "nearly sure, all classes": 0.999 * certain + 0.001 / 8,
}
for name, p in answers.items():
    by_entropy = np.exp(-(p.mean(0) * np.log(p.mean(0))).sum() + (p * np.log(p)).sum(axis=1).mean())
    print(f"{name:25s} Eq. 16: {score(p):.3f}   by entropies: {by_entropy:.3f}")
with np.errstate(divide="ignore", invalid="ignore"):
    print(f"{'certain, all classes':25s} Eq. 16: {score(certain):.3f}     the library: "
          f"{metrics.inception_score(certain):.3f}")

# %% [markdown]
# One certain answer turns the three lines into NaN: $0 \log 0$ is zero by continuity, but not in floating point. The library takes the
# limit. (The script behind the published scores adds $10^{-7}$, `epsilon` in `metrics.inception_score`.)
#
# Between the ends there is a closed form. Where the judge gives the right class of each clip the belief $c$, the rest evenly to the others, and all $K$ classes are there equally often,
#
# $$IS = K\, c^{\,c} \left(\frac{1 - c}{K - 1}\right)^{1 - c} .$$

# %%
def known_answers(covered: int, belief: float) -> np.ndarray:
    """Answers to clips of the first `covered` of eight classes."""
    rows = np.full((covered, 8), (1 - belief) / 7)
    np.fill_diagonal(rows, belief)
    return rows.repeat(4, axis=0)


def closed_form(c, K=8):
    return K * c**c * ((1 - c) / (K - 1)) ** (1 - c)


fig, axes = plt.subplots(figsize=(7, 3))
for belief, ink, mark in zip((1.0, 0.9, 0.6), INKS, "os^"):
    axes.plot(range(1, 9), [metrics.inception_score(known_answers(m, belief)) for m in range(1, 9)], marker=mark,
              color=ink, label=f"belief {belief:g}")
axes.plot([8, 8], [closed_form(c) for c in (0.9, 0.6)], "k*", markersize=11, label="closed form")
axes.set(xlabel="classes covered, of 8", ylabel="Inception Score")
axes.legend()
page.figure(fig, data=(),
            caption="The Inception Score counts classes, but only through the eyes of a sure judge. Stars: the closed "
                    "form where all are covered.",
            alt="Inception Score over the number of classes covered, one to eight, for beliefs 1, 0.9 and 0.6. At "
                "belief 1 it is the number of classes; at 0.9 it ends below five; at 0.6 it stays below three.")
lost = 1 - closed_form(0.9) / 8
print(f"a belief of 0.9 costs {lost:.0%} of the score")

# %% [markdown]
# ### What the Inception Score does not see
#
# **Its judge's doubt.** Belief 0.9 sounds like a good judge and costs much of the score.
#
# **Real clips.** It never compares with one. *Diverse* means diverse in classes: one clip a class, repeated for ever, satisfies it completely, as `certain` above. That is [mode collapse](00_start_here.ipynb#Glossary) inside each class.
#
# **The number of clips.** The mean of few answers is less even than that of many, so that at small $N$ the score comes out too low; and it cannot exceed $N$ itself. "Inception Score on
# UCF101" has been computed by at least three *protocols* ([**E1**](12_claims_and_decisions.ipynb#E1)), published ways to the number. One cuts the clips into ten parts, scores each and takes the mean. On the same answers:

# %%
doubled = np.concatenate([moving.probabilities] * 2)[: max(20, n_exam)]
rows = []
for name, protocol in metrics.PROTOCOLS.items():
    mean, std, parts = protocol.score([doubled])
    rows.append({"protocol": name, "score here": mean, "scores joined": len(parts), "their spread": std,
                 "its samples": f"{protocol.samples:,} x {protocol.repeats}",
                 "frames become": "bicubic 128, crop 112" if protocol.through_128 else "bilinear 112"})
    page.measure(f"score of the same answers to held-out clips, joined as by {name}", mean, decision="E1",
                 data=[test_clips])
page.table(rows, note=f"This run: answers to {len(doubled)} real held-out clips. Only each protocol's way of scoring "
                      "is applied; the last two columns describe it (its samples: clips x repeats). Sources: "
                      + ", ".join(protocol.source for protocol in metrics.PROTOCOLS.values()) + ".")
page.expect("score in ten parts over the whole", rows[-1]["score here"] / rows[0]["score here"], high=1,
            why="the same clips")

# %% [markdown]
# This book scores as the first protocol does: one set, several seeds, their mean.
#
# ## The Fréchet distance (Eqs. 17–18): FID and FVD
#
# > *Section 4.7.* "Let D represent the CNN used to extract features, (m_r, σ_r) be mean and covariance of features extracted from real samples and (m_f, σ_f) be mean and
# > covariance of features extracted from fake samples with D".
# >
# > $$d^2((m_r, \Sigma_r), (m_f, \Sigma_f)) = \|m_r - m_f\|_2^2 + \text{Tr}(\Sigma_r + \Sigma_f - 2(\Sigma_r \Sigma_f)^{\frac{1}{2}}) \quad (17)$$
#
# > **What it does not say.** Which CNN, which layer, how many clips, which real ones ([**E2**](12_claims_and_decisions.ipynb#E2)). Eq. 18 is a number
# > without content: Eq. 17 is complete, and σ is Σ ([**L13**](12_claims_and_decisions.ipynb#L13)).
#
# A layer of the judge turns a clip into a point and a set of clips into a cloud. Eq. 17 replaces each cloud by the bell curve with its mean and covariance and says how far apart these are. With an image network on
# single frames it is known as FID, with a video network on clips, as here, as FVD (mostly with the network I3D). First as printed:

# %%
def distance_as_printed(real, fake):  # features (clips, width) each -> number
    s_r, s_f = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(s_r @ s_f).real
    return np.square(real.mean(0) - fake.mean(0)).sum() + np.trace(s_r + s_f - 2 * root)


# %% [markdown]
# The matrix root is expensive; we need only its trace. With $A$ the centred features over $\sqrt{N-1}$, a covariance is $A^T A$. Then $\Sigma_r \Sigma_f$ has the
# same eigenvalues as $(A_r A_f^T)(A_r A_f^T)^T$, up to zeros, and the trace of its root is the sum of the singular values of $A_r A_f^T$, its *nuclear norm*. That matrix is only
# $N \times N$: where clips are few and features many, this takes a second in place of minutes.

# %%
def distance(real, fake):
    centred = [(cloud - cloud.mean(0)) / np.sqrt(len(cloud) - 1) for cloud in (real, fake)]
    overlap = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    spread = sum(np.square(a).sum() for a in centred)
    return np.square(real.mean(0) - fake.mean(0)).sum() + spread - 2 * overlap


# %% tags=["nbval-check-output"]
a, b = random.normal(size=(300, 16)), 1.5 * random.normal(size=(300, 16)) + 0.5
print("as printed == nuclear norm:", np.isclose(distance_as_printed(a, b), distance(a, b)))
print("nuclear norm == library:   ", np.isclose(distance(a, b), metrics.frechet_distance(a, b)))
page.expect("distance of a cloud to itself", metrics.frechet_distance(a, a), high=1e-9, why="Eq. 17 with equal moments")
page.expect("ten times the features", metrics.frechet_distance(10 * a, 10 * b) / metrics.frechet_distance(a, b),
            of=100, rtol=1e-9, digits=3, why="quadratic in the features")
page.measure("distance with features ten times as large, over the distance",
             metrics.frechet_distance(10 * a, 10 * b) / metrics.frechet_distance(a, b), decision="E2")

# %% [markdown]
# For bell curves with $W$ independent features of variance 1 there are two simple closed forms: shifted by $s$ in each feature, the distance is $W s^2$; stretched by $\sigma$, it is $W (\sigma - 1)^2$. Do samples find them?

# %%
W, sizes = 32, np.array([16, 32, 64, 128, 256, 512, 1024])


def cloud(n, shift=0.0, stretch=1.0):
    return stretch * random.normal(size=(n, W)) + shift


shifts, stretches = np.linspace(0, 1, 6), np.linspace(1, 2, 6)
by_shift = {n: [metrics.frechet_distance(cloud(n), cloud(n, shift=s)) for s in shifts] for n in (64, 512)}
by_stretch = {n: [metrics.frechet_distance(cloud(n), cloud(n, stretch=s)) for s in stretches] for n in (64, 512)}
same = np.array([metrics.frechet_distance(cloud(n), cloud(n)) for n in sizes])

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3))
left.plot(shifts, W * shifts**2, color="0.5", label="closed form")
middle.plot(stretches, W * (stretches - 1) ** 2, color="0.5")
for n, ink, mark in zip((64, 512), INKS, "so"):
    left.plot(shifts, by_shift[n], mark, color=ink, label=f"N = {n}")
    middle.plot(stretches, by_stretch[n], mark, color=ink)
right.loglog(sizes, same, "^", color=INKS[2])
right.loglog(sizes, same[-1] * sizes[-1] / sizes, color="0.5", linestyle=":")
right.text(sizes[3], 1.6 * same[3], "slope -1")
left.set(xlabel="shift", ylabel="Fréchet distance")
left.legend()
middle.set(xlabel="stretch")
right.set(xlabel="N clips a cloud", title="one cloud, drawn twice")
page.figure(fig, data=(),
            caption="Known distances in 32 features: lines are the closed form, points are samples. Right: the true "
                    "distance is zero, the estimate never is, and falls as 1/N.",
            alt="Left and middle: Fréchet distance over shift and stretch; points from samples of 512 lie slightly "
                "above the closed-form curve, points from 64 clearly above it. Right: distance between two samples "
                "of one cloud falls with N along a line of slope minus one; both axes are logarithmic.")

# %% tags=["nbval-check-output"]
page.expect("16 clips over 1,024", same[0] / same[-1], low=10, why="nothing changed but N")
page.measure("distance of a cloud of 32 features from itself, 16 clips over 1,024 clips", same[0] / same[-1],
             decision="E2")
twins = random.normal(size=(2, 512, W))
line = metrics.sweep(metrics.frechet_distance, *twins, seed=page.seed)
print("distances of subsets: " + ", ".join(f"{value:.2f} (N = {n})" for n, value in zip(line.sizes, line.values)))
page.expect("at infinite N, over N = 512", abs(line.at_infinity) / line.values[-1], high=0.35, why="the truth is 0")

# %% [markdown]
# They do, from above: two samples of *one* cloud are never at distance zero. The estimate starts high and falls about as $1/N$, so that a good system looks better on more clips
# for that reason alone. Hence the rule of this book: **two distances are compared at one and the same N, or not at all**, beside the distance of real clips from real clips. The last lines try a way out: measure on random subsets, follow the line to $1/N = 0$ (`metrics.sweep`). Here it works; the panel shows
# [where it does not](#The-extrapolation-to-infinite-N).
#
# ### What the Fréchet distance does not see
#
# **More than two moments.** A cloud and its mirror image have the same covariance, and if we mirror at the mean, the same mean. Their distance is zero, whatever the cloud looks like:

# %% tags=["nbval-check-output"]
lopsided = random.exponential(size=(512, 4))  # long tails to one side ...
mirrored = 2 * lopsided.mean(axis=0) - lopsided  # ... and to the other
page.expect("lopsided cloud from its mirror image", metrics.frechet_distance(lopsided, mirrored),
            high=1e-9, why="equal moments, two different clouds")

# %% [markdown]
# **The scale of the features.** Table 4 has distances of the order of $10^5$, and nothing in Eq. 17 forbids that: ten times the features are a hundred times the distance. The same
# clips at three layers of our judge; and how far apart the means of each feature would lie if the paper's smallest value on Golf were spread evenly over the published layer:

# %%
with torch.device("meta"):  # its shapes, without its 78 million weights
    published = C3D()
layers = {layer: published.feature_width(layer) for layer in ("pool5", "fc6", "fc7")}
rows, value = [], paper.frechet_row(paper.OURS).golf
for layer, width in layers.items():
    near, far = (metrics.ask(judge, source, n_exam, seed=page.seed, layer=layer)
                 for source in (held_out, metrics.frozen(held_out)))
    learned = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed, layer=layer)
    floor_here, frozen_here = near.distance(learned), far.distance(learned)
    rows.append({"layer": layer, "features here": near.features.shape[1], "distance of held-out clips": floor_here,
                 "of frozen clips": frozen_here, "features published": width,
                 "gap of means": (value / width) ** 0.5})
    page.measure(f"distance of held-out clips from training clips at {layer}, N = {n_exam}", floor_here, decision="E2",
                 data=[train_clips, test_clips])
page.table(rows, note=f"This run, N = {n_exam}. Distances from clips of the training split. {judge.name}. Gap of "
                      f"means: the root of {value:,} over the width of the published layer.")

# %% [markdown]
# A gap of that size is plausible in a network without normalisation that reads pixels on the scale of 255; we have not tested it. A value without network, layer and $N$ compares with nothing; ratios within one set-up do, and they are the only bridge of chapter 10 to Table 4.
#
# ## The kernel distance (KID)
#
# The *kernel distance*, known as KID, compares pairs of clips. A kernel says how alike two feature vectors are, $k(x, y) = (x \cdot y / W + 1)^3$. Then
#
# $$KID = \overline{k(x, x')} + \overline{k(y, y')} - 2\, \overline{k(x, y)} ,$$
#
# with bars for means over all pairs, real $x$ and generated $y$; pairs of a clip with itself are left out. That is why its expectation is right at every $N$, if clips are drawn
# independently. For the shifted bell curves it has a closed form too:
#
# $$KID = (1 + s^2)^3 - 1 + \frac{3 s^2 + 6 s^4}{W} + \frac{6 s^2}{W^2} .$$

# %%
expected = (1 + shifts**2) ** 3 - 1 + (3 * shifts**2 + 6 * shifts**4) / W + 6 * shifts**2 / W**2
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
left.plot(shifts, expected, color="0.5", label="closed form")
for n, ink, mark in zip((64, 512), INKS, "so"):
    left.plot(shifts, [metrics.kernel_distance(cloud(n), cloud(n, shift=s)) for s in shifts], mark, color=ink,
              label=f"N = {n}")
twice = {n: [metrics.kernel_distance(cloud(n), cloud(n)) for _ in range(12)] for n in (8, 16, 32, 64, 128)}
for n, found in twice.items():
    right.plot([n] * 12, found, ".", color=INKS[2])
right.axhline(0, color="0.5", linestyle=":")
left.set(xlabel="shift", ylabel="kernel distance")
left.legend()
right.set(xscale="log", xlabel="N clips a cloud", title="one cloud, drawn twice", xticks=[*twice], xticklabels=[*twice])
right.minorticks_off()
page.figure(fig, data=(),
            caption="Left: samples of either size scatter around the closed form. Right: the truth is zero, and the "
                    "kernel distance scatters around it on both sides, widely at small N.",
            alt="Left: kernel distance over shift; points of 64 and 512 clips lie on the closed-form curve. Right: "
                "kernel distance of one cloud drawn twice over N; points scatter around zero, less at larger N.")

# %% tags=["nbval-check-output"]
page.expect("mean at N = 8, over the spread", abs(np.mean(twice[8])) / np.std(twice[8]),
            high=1, why="noisy, and not biased")
page.expect("kernel distance of the mirrored cloud", metrics.kernel_distance(lopsided, mirrored), low=0.3,
            why="it sees third moments")

# %% [markdown]
# What it does not see: moments beyond the third (exercise 2). It too hangs on the scale of the features.
#
# ## Precision, recall, density, coverage
#
# *Fidelity* asks whether each generated clip looks like a real one, *variety* whether each real clip has its like among the generated ones. Give every clip a ball that reaches
# to its fifth neighbour on its own side. Then
#
# - **precision** is the share of generated clips in some real clip's ball, **recall** the share of real clips in some generated clip's ball;
# - **density** is the number of real balls around a generated clip, over five; **coverage** the share of real balls with a generated clip in them.
#
# For two samples of one cloud the density is 1 on average, and the coverage about $1 - 2^{-5} \approx 0.97$ (each next neighbour is as likely real as generated). With two features:

# %%
def two_modes(n, spread=1.0):
    return spread * random.normal(size=(n, 2)) + np.where(np.arange(n) % 2, 4, -4)[:, None] * [1, 0]


actual = two_modes(256)
made = {"the same cloud": two_modes(256), "one mode only": 0.5 * random.normal(size=(256, 2)) + [-4, 0],
        "spread out": random.uniform(-1, 1, size=(256, 2)) * [9, 5]}
found = {name: metrics.neighbourhoods(actual, points, metrics.drawn(256, "real"), metrics.drawn(256, name))
         for name, points in made.items()}
fig, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharex=True, sharey=True)
for pane, (name, points), ink in zip(axes, made.items(), INKS[:3]):
    pane.plot(*actual.T, ".", color="black", markersize=3, label="real")
    pane.plot(*points.T, "x", color=ink, markersize=4, label="generated")
    pane.set(title=name, ylim=(-6, 9))
axes[0].legend(loc="upper right", fontsize=9, ncols=2)
page.figure(fig, data=(),
            caption="Real points (dots) in two modes, and three generators (crosses): one that is right, one that has "
                    "lost a mode, one that is everywhere.",
            alt="Three scatter plots of two clusters of black dots. Crosses cover both clusters, only the left one, "
                "or the whole rectangle.")
page.table([{"generated": name} | {ruler: getattr(one, ruler).value for ruler in ("precision", "density", "recall",
                                                                                   "coverage")}
            for name, one in found.items()])

# %% tags=["nbval-check-output"]
page.expect("one mode only: precision less recall", found["one mode only"].precision.value
            - found["one mode only"].recall.value, low=0.3, why="good clips, half the variety")
page.expect("spread out: recall less precision", found["spread out"].recall.value
            - found["spread out"].precision.value, low=0.2, why="everything is there, and much else")
page.expect("the same cloud: density", found["the same cloud"].density.value, low=0.8, high=1.2)
page.expect("the same cloud: coverage", found["the same cloud"].coverage.value, low=0.9, why="1 - 1/32 on average")

# %% [markdown]
# What they do not see: how a ball comes to be large. One stray real clip has a ball that swallows whatever lies around it (exercise 3); density gives it little
# weight. All four depend on $N$ and on the number of neighbours.
#
# ## Intervals, and what they are over
#
# Neither table of the paper has an error bar ([**E4**](12_claims_and_decisions.ipynb#E4)). The textbook reflex is the **bootstrap**: draw $N$ clips out of the $N$ *with replacement*, many times, and look at the spread. We check it on
# two known clouds, of which entirely new samples can be drawn.

# %%
n, width = 64, 48


def draw_pair():
    return random.normal(size=(n, width)), 1.3 * random.normal(size=(n, width)) + 0.2


real, fake = draw_pair()
fresh = [metrics.frechet_distance(*draw_pair()) for _ in range(100)]
resampled = [metrics.frechet_distance(real[random.integers(n, size=n)], fake[random.integers(n, size=n)])
             for _ in range(100)]
half = metrics.half_sample_interval(metrics.frechet_distance, real, fake, seed=page.seed)
moves = [metrics.influence(metrics.drawn(n, side), rows)
         for side, rows in zip(("real", "fake"), metrics.frechet_influences(real, fake))]
by_influence = metrics.estimate(half.value, *moves)
bars = {"bootstrap": np.quantile(resampled, [0.025, 0.975]), "halves": (half.low, half.high),
        "influences": (by_influence.low, by_influence.high), "fresh samples": np.quantile(fresh, [0.025, 0.975])}

fig, axes = plt.subplots(figsize=(7, 2.4))
for row, ((low, high), ink) in enumerate(zip(bars.values(), INKS)):
    axes.plot([low, high], [row, row], color=ink, linewidth=8, solid_capstyle="butt")
axes.axvline(half.value, color="black", linewidth=1)
axes.set(yticks=range(len(bars)), yticklabels=bars, xlabel="Fréchet distance", ylim=(-0.6, 3.6))
page.figure(fig, name="evaluation_intervals", data=(),
            caption="Ninety-five per cent of fresh samples, and three intervals that are made from one pair of "
                    "samples. Vertical line: the estimate that they are to describe. The bootstrap misses it.",
            alt="Four horizontal bars. Fresh samples, influences and halves overlap around the same value. The "
                "bootstrap bar lies far to the right of the estimate, a vertical line.")

# %% tags=["nbval-check-output"]
low, high = bars["bootstrap"]
print("point estimate inside the bootstrap's interval:", bool(low <= half.value <= high))
print("point estimate inside the interval from halves:", half.value in half)
widths = {name: (high - low) / np.ptp(bars["fresh samples"]) for name, (low, high) in bars.items()}
for name in ("halves", "influences"):
    page.expect(f"width from {name}, over that of fresh samples", widths[name], low=0.5, high=2.0)
    page.measure(f"width of the interval from {name} over that of 95 % of fresh samples", widths[name], decision="E4")
page.expect("lower end of the bootstrap, over the estimate", low / half.value, low=1.05, why="it misses it")
page.measure("lower end of the bootstrap's 95 % interval of a distance, over the distance itself", low / half.value,
             decision="E4")

# %% [markdown]
# Why does the bootstrap fail? A resample repeats clips, the covariance loses rank, and the distance grows: the $1/N$ bias again, at the smaller number of *different* clips. Two ways are better.
#
# - **Halves without replacement.** The spread of a mean over random halves of a sample equals its standard error over full samples, since $1/(N/2) - 1/N = 1/N$ (less $1/N$, for the whole itself, not put back, does not scatter); for other smooth statistics nearly. We take only the
#   spread from them, never their level.
# - **Influences.** The influence of a clip is how fast the number changes when that clip's weight grows. To first order every smooth statistic behaves
#   like a mean of them, so that their spread gives its standard error (Hampel, 1974; the infinitesimal jackknife). Our rulers use them wherever they exist.
#
# An interval shows the scatter at this $N$. It does not show the bias: none of the bars holds the true distance, $48\,(0.3^2 + 0.2^2) = 6.24$.
#
# ### What is independent of what
#
# Clips are not always the unit to count. Windows of one video, or clips of one person, resemble each other: seven people who answer sixteen times each are nearer to seven answers than to 112. We try it on a
# share of right answers that is one half in truth.

# %% tags=["nbval-check-output"]
def people(looks=7, each=16, alike=0.4):
    """Right or wrong, for clips of a few people who are alike in how hard they are."""
    ease = np.sqrt(alike) * random.normal(size=(looks, 1)) + np.sqrt(1 - alike) * random.normal(size=(looks, each))
    return ease.ravel() > 0, np.arange(looks).repeat(each)


covered = {"by clip": 0, "by person": 0}
for _ in range(300):
    right, who = people()
    covered["by clip"] += (0.5 in metrics.share(right, metrics.drawn(len(right), "people"))) / 300
    covered["by person"] += (0.5 in metrics.share(right, metrics.drawn(len(right), "people", units=who))) / 300
page.expect("95 % intervals by clip that hold the truth", covered["by clip"], high=0.85, why="too narrow")
page.expect("95 % intervals by person that hold the truth", covered["by person"], low=0.9, why="right")
page.measure("how often a 95 % interval holds a share of right answers, seven people counted by clip",
             covered["by clip"], decision="E4")
page.measure("the same, counted by person", covered["by person"], decision="E4")

# %% [markdown]
# Classes work the other way. Each has a fixed share of our clips, so that differences *between* classes do not make the number scatter, and must not widen its interval. Clouds of eight classes that lie far apart:

# %% tags=["nbval-check-output"]
centres, kinds = 4 * random.normal(size=(8, 12)), np.arange(64) % 8


def of_classes():
    """Clips of eight classes in equal shares."""
    return centres[kinds] + random.normal(size=(64, 12))


def half_width(known):
    """Half of the interval of a distance, told of the classes or not."""
    real, fake = of_classes(), 1.2 * of_classes()
    sides = [metrics.drawn(64, side, kinds if known else None) for side in ("real", "fake")]
    parts = [metrics.influence(side, rows) for side, rows in zip(sides, metrics.frechet_influences(real, fake))]
    found = metrics.estimate(metrics.frechet_distance(real, fake), *parts)
    return (found.high - found.low) / 2


truth = 1.96 * np.std([metrics.frechet_distance(of_classes(), 1.2 * of_classes()) for _ in range(200)])
ratios = {known: np.mean([half_width(known) for _ in range(20)]) / truth for known in (False, True)}
page.expect("classes ignored: width, over fresh samples'", ratios[False], low=1.5, why="too wide")
page.expect("classes known: width, over fresh samples'", ratios[True], low=0.7, high=1.5)

# %% [markdown]
# So every interval of this book names its unit: a look of the procedural actions, a person, a source video, a sample. With fewer than ten units Student's factor makes it wide. Shares get Wilson's form, which stays inside 0 and 1. Those of our judge's answers:

# %%
learned = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed)
page.table([{"number": name, "value": found.value, "95 %": f"{found.low:.3g} to {found.high:.3g}",
             "the interval is over": found.method.removeprefix("influences, ").replace("influences, ", "")}
            for name, found in {"share named right": moving.accuracy,
                                "Inception Score": metrics.inception_estimate(moving),
                                "Fréchet distance": metrics.frechet_estimate(learned, moving)}.items()],
           note=f"This run: {n_exam} held-out clips; the distance is from as many training clips.")

# %% [markdown]
# **What no interval of this chapter is over: trainings.** It says what other clips would have given with *this* judge and *this* system. Chapters 10 and 11 train several.
#
# ### The interval of a difference
#
# Two systems are compared with the same real clips, and a freak among these moves both distances. In the influences of the **difference** it cancels. So two intervals that overlap may
# belong to systems that differ beyond doubt.

# %% tags=["nbval-check-output"]
real = random.normal(size=(n, width)) * np.exp(random.normal(size=(n, 1)) / 2)  # some clips lie far out
pair = {}
for name, shift in (("weak", 0.3), ("weaker", 0.55)):
    samples = 1.3 * random.normal(size=(n, width)) + shift
    rows = metrics.frechet_influences(real, samples)
    pair[name] = metrics.estimate(metrics.frechet_distance(real, samples),
                                  metrics.influence(metrics.drawn(n, "real"), rows[0]),
                                  metrics.influence(metrics.drawn(n, name), rows[1]))
apart = metrics.difference(pair["weaker"], pair["weak"])
print("the two intervals overlap:", not pair["weak"].disjoint(pair["weaker"]))
page.expect("lower end of the difference's interval", apart.low, low=0, why="beyond doubt")

# %% [markdown]
# ## Damage by degrees
#
# > *Section 4.7.* "Fréchet Inception Distance is more accurate than Inception Score as it compares summary statistics of generated samples and real samples."
#
# > **What it does not say.** More accurate at what ([**E2**](12_claims_and_decisions.ipynb#E2)).
#
# We ask it of clips whose quality we control: real ones, damaged a little more at each of five degrees. A useful ruler moves the right way at every step, and early. Five kinds (`metrics.damaged`): blur; noise; *held*, where a frame that does not arrive is replaced by the last; *shuffled*, frames that change places; and fewer and fewer classes, each clip as good as ever.
#
# How far can a ruler go? Three landmarks show nothing of any action: white **noise**, the **mean clip** of the training split again and again, and our generator [G](00_start_here.ipynb#Glossary) **untrained**, before its first step. The dashed line is the *nearest* of the three, at the same $N$.

# %%
train_clips, test_clips = page.dataset("actions"), page.dataset("actions", split="test")
held_out = metrics.real_clips(test_clips)
system, records = learning.trained(page, "hrvgan", labels=True)
n_damage = 4 if page.rehearse else max(16, page.profile.samples // 2)
reference = metrics.ask(judge, metrics.real_clips(train_clips), n_damage, seed=page.seed)


def measure(source):
    seen = metrics.ask(judge, source, n_damage, seed=page.seed)
    return seen, metrics.inception_estimate(seen), metrics.frechet_estimate(reference, seen, tolerance=1e-6)


measured = {kind: [measure(metrics.damaged(held_out, kind, grade)) for grade in metrics.GRADES]
            for kind in metrics.KINDS}
curves = {kind: [found[1:] for found in line] for kind, line in measured.items()}
nothing = {source.name: measure(source) for source in (
    metrics.noise_clips(test_clips.frames, test_clips.size), metrics.mean_clip(train_clips),
    metrics.generated(metrics.untrained(system, page.seed), "untrained"))}
nearest = (max(score.value for _, score, _ in nothing.values()),
           min(distance.value for *_, distance in nothing.values()))

# %%
fig, axes = plt.subplots(2, len(curves), figsize=(9, 4.2), sharex=True, sharey="row")
lowest = [1, 0.5 * min(pair[1].value for found in curves.values() for pair in found)]
for column, (kind, found) in zip(axes.T, curves.items()):
    for pane, which, ink, mark in zip(column, (0, 1), INKS, "os"):
        line = [pair[which] for pair in found]
        pane.plot(metrics.GRADES, [i.value for i in line], marker=mark, color=ink)
        pane.fill_between(metrics.GRADES, [max(i.low, lowest[which]) for i in line], [i.high for i in line], color=ink,
                          alpha=0.2, linewidth=0)
        pane.axhline(nearest[which], color="0.3", linestyle="--")
    column[0].set(title=kind)
    column[1].set(xlabel="degree", xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
powers = [2**i for i in range(int(np.log2(K)) + 1)]
axes[0, 0].set(ylabel="Inception Score", yscale="log", yticks=powers, yticklabels=powers, ylim=(0.9, 1.3 * K))
axes[1, 0].set(ylabel="Fréchet distance", yscale="log", ylim=(lowest[1], None))
axes[0, 0].minorticks_off()
page.figure(fig, name="evaluation_damage_figure", data=(train_clips, test_clips), samples=n_damage,
            caption="Both rulers on real held-out clips, over five degrees of five kinds of damage, on logarithmic "
                    "axes. Bands: 95 % intervals. Dashed: the nearest of three landmarks that show nothing.",
            alt="Two rows of five panels, one column for each kind of damage. Above: Inception Score over the "
                "degree of damage, falling. Below: Fréchet distance, rising towards a dashed line. Bands are 95 % "
                "intervals.")

# %%
def clearly(found, than, worse):
    """Whether a number is worse than another beyond doubt: by the interval of their paired difference."""
    change = metrics.difference(found, than)
    return change.high < 0 if worse < 0 else change.low > 0


rows = []
for kind, found in curves.items():
    for name, which, worse in (("Inception Score", 0, -1), ("Fréchet distance", 1, 1)):
        line = [pair[which] for pair in found]
        values = np.array([interval.value for interval in line])
        back = [b for a, b in pairwise(line) if worse * (b.value - a.value) < 0]  # steps in the wrong direction
        sure = [b for a, b in pairwise(line) if clearly(b, a, -worse)]
        noticed = [grade for grade, one in zip(metrics.GRADES, line) if clearly(one, line[0], worse)]
        rows.append({"damage": kind, "ruler": name, "undamaged": str(line[0]), "all of it": str(line[-1]),
                     "monotone": not back, "steps back": len(back), "of them beyond doubt": len(sure),
                     "Kendall's tau": worse * kendalltau(metrics.GRADES, values).statistic,
                     "noticed at degree": min(noticed, default=None)})
page.table(rows, name="evaluation_damage", data=(train_clips, test_clips), samples=n_damage,
           page_columns=["damage", "ruler", "undamaged", "all of it", "noticed at degree", "Kendall's tau"],
           note=f"Real held-out clips of {test_clips.describe()}; N = {n_damage}; judge {judge.digest}. Tau is 1 where "
                "every step goes the right way. Noticed: the first degree that is worse than undamaged clips "
                f"beyond doubt: the 95 % interval of the paired difference, by {test_clips.unit}, leaves out zero.")

# %%
def told(ruler):
    """What the table that stands first says of one ruler."""
    of_it = [row for row in page.rows("evaluation_damage") if row["ruler"] == ruler]
    back = [f"{row['damage']} ({row['steps back']}, {row['of them beyond doubt']} of them beyond doubt)"
            for row in of_it if not row["monotone"]]
    early = ", ".join(f"{row['damage']} {row['noticed at degree'] or 'never'}" for row in of_it)
    return (f"- **{ruler}.** It goes the right way at every step for {len(of_it) - len(back)} of {len(of_it)} kinds; "
            f"steps back: {', '.join(back) or 'none'}. Noticed at degree: {early}.")


tau = {(row["damage"], row["ruler"]): row["Kendall's tau"] for row in page.rows("evaluation_damage")}
lead = {kind: tau[kind, "Fréchet distance"] - tau[kind, "Inception Score"] for kind in metrics.KINDS}
display(Markdown("\n".join([
    "The table that stands first says:", "", told("Inception Score"), told("Fréchet distance"),
    "- Tau of the distance less that of the score: " + ", ".join(f"{kind} {gap:.2f}" for kind, gap in lead.items())
    + "."])))
page.expect("steps back beyond doubt under other kinds than shuffled, in that table",
            sum(row["of them beyond doubt"] for row in page.rows("evaluation_damage") if row["damage"] != "shuffled"),
            high=0)

# %% [markdown]
# A step back whose difference may be zero may be chance. Three mechanisms can cause a real one. Once the judge sees nothing, the **score has reached its end** at 1. A judge that never met noise may call some of it one action and some another (**confident nonsense**), and the score rises. And **shuffled frames are a motion too**: more shuffling is not more damage once nothing is left of the order.
# The list above says how many of the table's steps back are beyond doubt; the others may be chance.
#
# *Fewer classes* ends at real clips of one class; yet they lie farther off than what shows nothing. Eq. 17 has two parts, the gap of the means and the rest:

# %%
spread = reference.features.var(axis=0, ddof=1).sum()
print(f"this run, N = {n_damage}: the spread of the training clips, Tr(Σ), is {spread:.0f}")
gaps = {}
for name, (seen, _, distance) in {"one class": measured["fewer classes"][-1], **nothing}.items():
    gaps[name] = np.square(reference.features.mean(axis=0) - seen.features.mean(axis=0)).sum()
    print(f"  {name:10s} distance {distance.value:.0f} = gap of the means {gaps[name]:.0f} "
          f"+ rest {distance.value - gaps[name]:.0f}")
page.expect("gap of the means, one class over the mean clip", gaps["one class"] / gaps["mean clip"], low=0.8)

# %% [markdown]
# Clips that are all alike to the judge lack nearly the whole spread of real ones, whatever they show: that is the rest. And the mean of one class lies about as far from the mean of all as what shows nothing, or farther. *Far* is not *bad*.
#
# Now by hand: choose a damage, look at the clips, guess both numbers, then read them.

# %%
DamageSlider(judge, held_out, reference, seed=page.seed).show()

# %% [markdown]
# ### Two sentences of section 4.7, tested
#
# *More accurate than the score.* For each kind, the distance should go as steadily in the right direction as the score, by Kendall's tau; and more steadily on the whole. We chose the five kinds by hand, so each answers for itself, with an interval over
# clips. The negative control, a distance whose degrees are read in any order, must not lead: its tau is about that of the order, the score's near 1.

# %%
@cache
def read(kind, looks, theirs):
    """Score and distance at every degree, from the clips of some looks and some of the training clips."""
    chosen = [(answers, np.isin(answers.units, looks)) for answers, *_ in measured[kind]]
    if min(rows.sum() for _, rows in chosen) < 2:  # a class that none of these looks shows
        return np.zeros(len(chosen)), np.zeros(len(chosen))
    scores = [metrics.inception_score(answers.probabilities[rows]) for answers, rows in chosen]
    real = reference.features[list(theirs)]
    return np.array(scores), np.array([metrics.frechet_distance(real, answers.features[rows], 1e-6)
                                       for answers, rows in chosen])


def lead_over(*kinds, order=slice(None)):
    """The mean lead in tau of the distance over some kinds; halves take the same looks at every degree."""
    looks, rows = np.unique(measured["blur"][0][0].units), np.arange(n_damage)

    def lead(mine, theirs):
        found = [read(kind, tuple(mine.tolist()), tuple(theirs.tolist())) for kind in kinds]
        taus = [(kendalltau(metrics.GRADES, distances[order]).statistic, -kendalltau(metrics.GRADES, scores).statistic)
                for scores, distances in found]
        return float(np.mean([distance - score for distance, score in np.nan_to_num(taus)]))

    draws = [metrics.drawn(len(looks), "looks", unit=test_clips.unit), reference.draw]
    return metrics.half_sample_interval(lead, looks, rows, draws=draws, repeats=20)


# %%
# the judge is a single training too, and what these rulers say they say through its eyes
seen_by_judge = judge.history[-1].step * judge.recipe.batch if judge.history else None
behind = {"data": [train_clips, test_clips], "sides": [book.Side("the judge", seen_by_judge, 0)]}
print(f"this run, N = {n_damage}: tau of the distance less that of the score")
for kind in metrics.KINDS:
    lead = lead_over(kind)
    print(f"  {kind}: {lead}{', holds zero' if 0 in lead else ''}")
    page.measure(f"Kendall's tau under {kind}, the distance less the score", lead.value, interval=lead, low=0,
                 over=f"halves, by {test_clips.unit}", claim="fid-more-accurate", **behind)
lead = lead_over(*metrics.KINDS)
mixed = np.random.default_rng(1).permutation(len(metrics.GRADES))
blind = lead_over(*metrics.KINDS, order=mixed)
print(f"  mean of the five kinds: {lead}\n  control, degrees in the order {mixed.tolist()}: {blind}\n"
      f"  tau of that order less 1: {kendalltau(range(len(mixed)), mixed).statistic - 1:.2f}")
page.measure("the same, mean of the five kinds", lead.value, interval=lead, low=0.01, claim="fid-more-accurate",
             over=f"halves, by {test_clips.unit}", controls=[book.control("the degrees in any order", blind)], **behind)

# %% [markdown]
# An interval that holds zero decides nothing: at `smoke` clips are too few. Where both rulers take every step the right way, tau cannot
# tell them apart: such a kind is too easy for both, and the list below the table of damage says how many are. [Chapter 12](12_claims_and_decisions.ipynb) has the verdict.
#
# *A higher score means diversity without collapse.* The score should fall, by a tenth at least, when classes go, and so should that of one clip of each class, again and again. The negative control, half as many clips of all
# classes, must not fall.

# %%
def one_of_each(probabilities, labels, picks):
    """Score of the answers to one clip of each class, repeated for ever."""
    rows = [picks.choice(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return metrics.inception_score(probabilities[rows])


def half_of(answers):
    """Every second clip of each class: fewer clips, but no fewer classes."""
    kept = np.concatenate([np.flatnonzero(answers.labels == label)[::2] for label in np.unique(answers.labels)])
    arrays = {name: getattr(answers, name)[kept] for name in ("features", "probabilities", "labels", "units")}
    return replace(answers, **arrays)


all_kinds, one_kind = (measured["fewer classes"][grade] for grade in (0, -1))
fewer = metrics.quotient(one_kind[1], all_kinds[1])
as_varied = metrics.quotient(metrics.inception_estimate(half_of(all_kinds[0])), all_kinds[1])
varied = metrics.inception_score(moving.probabilities)
draws = [np.random.default_rng(number) for number in range(20)]
collapsed = metrics.seed_interval([one_of_each(moving.probabilities, moving.labels, draw) / varied for draw in draws])

# %%
page.measure("score of real clips of a single class over that of all classes", fewer.value, interval=fewer,
             claim="is-diversity", high=0.9, controls=[book.control("half as many clips, all classes", as_varied)],
             **behind)
page.measure("score of one real clip of each class, repeated, over that of as many different clips", collapsed.value,
             interval=collapsed, over="20 choices of the repeated clips, from the same ones", claim="is-diversity",
             high=0.9, controls=[book.control("half as many clips, all classes", as_varied)], **behind)
print(f"this run, N = {n_damage}: score over that of all the different clips\n"
      f"  one class only: {fewer}\n  one clip of each class, repeated: {collapsed}\n"
      f"  control, half as many clips of all classes: {as_varied}")
page.expect("one class only", fewer.value, high=0.5, why="the score counts classes")
page.expect("one clip of each class, repeated", collapsed.value, low=0.9, why="and does not see inside them")

# %% [markdown]
# Lost classes cost nearly the whole score, one clip a class next to nothing, as derived above. So a high score excludes only one kind of
# collapse.
#
# ## Samples of the trained system
#
# One sample of each class, asked for in turn ([**E3**](12_claims_and_decisions.ipynb#E3)); to the left, what the judge calls them.

# %%
asked = torch.arange(min(system.n_classes, 8))
samples = system.sample(len(asked), labels=asked, generator=torch.Generator().manual_seed(page.seed))
verdicts = judge.probabilities(samples).argmax(axis=1)
labels = [f"{judge.classes[a]}: {'yes' if a == v else judge.classes[v]}" for a, v in zip(asked.tolist(), verdicts)]
page.figure(book.clip_grid(samples, every=max(1, samples.shape[2] // 8), labels=labels, width=6),
            name="evaluation_samples", data=(train_clips,), samples=len(samples),
            caption="Generated samples, one a row. In words: the class that was asked for, then yes where the judge "
                    "names it, or else what it names.",
            alt="Strips of generated clips, one row a class, eight frames each; to the left of each row the class "
                "that was asked for and the class that the judge named.")

# %%
page.film(samples, "evaluation_clips", columns=4, data=(train_clips,), samples=len(samples),
          caption="The same clips, moving; the classes in the order of the rows above.",
          alt="Two rows of four small films, one a class: blotchy shapes that move, some before a light ground and "
              "some before a dark one.")

# %% [markdown]
# ## The panel: real clips, three landmarks, and the system in between
#
# Eight sources, each with $N$ clips, each compared with the same real clips of the training split ([**T4**](12_claims_and_decisions.ipynb#T4)): *real* clips of the **test** split; these *frozen* and with frames *shuffled*; the three landmarks; the system, and its samples frozen. Where a split has fewer videos than $N$, each gives several windows. Real clips are one end of each ruler: the best score, and the least distance, which is not zero. The other end is the nearest landmark. A distance is
# then a position: 0 at real clips, 1 at the nearest landmark. `metrics.panel` does all of it and keeps each record for chapter 10.

# %%
note = training.describe(system, records)
EXAM = f"{judge.accuracy.value * judge.accuracy.n:.0f} of {judge.accuracy.n} held-out clips, the first window of each"
panel = metrics.panel(system, train_clips, test_clips, judge, n=page.profile.samples, seeds=range(page.profile.repeats),
                      folder=page.runs / "evaluations", note=note, first_weights=page.seed)
ours = panel["hrvgan"]
PLACE = "0 = real, 1 = nearest landmark"
OLDER = "0 = real, 1 = nearest ceiling"  # the same column in tables recorded with older code


def panel_row(name, record):
    mean, std = metrics.mean_and_std(record.inception_seeds)
    landmarks = [panel[landmark].frechet.value for landmark in metrics.CEILINGS]
    named = record.accuracy
    return {"clips": name, "Inception Score": record.inception.value,
            "IS 95 %": f"{record.inception.low:.2f} to {record.inception.high:.2f}",
            "IS over seeds": f"{mean:.2f} ± {std:.2f} ({len(record.seeds)})",
            "IS at infinite N": record.inception_infinity, "Fréchet distance": record.frechet.value,
            "FD 95 %": f"{record.frechet.low:.4g} to {record.frechet.high:.4g}",
            "FD at infinite N": record.frechet_infinity,
            PLACE: metrics.position(record.frechet.value, panel["real"].frechet.value, landmarks),
            "kernel distance": record.kernel.value,
            "kernel 95 %": f"{record.kernel.low:.3g} to {record.kernel.high:.3g}",
            "named right": None if named is None else named.value,
            "named 95 %": None if named is None else f"{named.low:.2f} to {named.high:.2f}",
            "named over": None if named is None else record.n * len(record.seeds),
            "N": record.n, "different videos": record.distinct}


# %%
page.table([panel_row(*item) for item in panel.items()], name="evaluation_panel", data=(train_clips, test_clips),
           samples=ours.n,
           page_columns=["clips", "Inception Score", "IS 95 %", "Fréchet distance", "FD 95 %", PLACE, OLDER],
           note=f"Data: {ours.data}. {ours.note}. Judge: {ours.judge}; in its exam right on {EXAM}; "
                f"features: {ours.layer}. Protocol: {ours.protocol}. N: clips of one draw; named over: clips of all "
                "draws, which the share named right is over. Intervals: over samples, from all draws, "
                f"real clips by {test_clips.unit}; ± is the population standard deviation over draws, whose number "
                "stands in brackets; with one it says nothing. "
                "Landmarks: noise, the mean clip and the untrained network; above 1 is farther than the nearest.")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
ends = [0.3 * min(record.frechet.value for record in panel.values()), 3 * panel["mean clip"].frechet.value]
for row, (name, record) in enumerate(panel.items()):
    ink = book.SYSTEM_COLOURS[name.split()[0]]
    for axes, interval in ((left, record.inception), (right, record.frechet)):
        axes.plot([max(interval.low, 1e-9), interval.high], [row, row], color=ink, linewidth=6, solid_capstyle="butt",
                  alpha=0.5)
        axes.plot(interval.value, row, "s" if name in metrics.CEILINGS else "o", color=ink)
edges = (max(panel[name].inception.value for name in metrics.CEILINGS),
         min(panel[name].frechet.value for name in metrics.CEILINGS))
left.axvspan(0.8, edges[0], color="0.9", zorder=0)
right.axvspan(edges[1], ends[1], color="0.9", zorder=0)
for axes, best in ((left, panel["real"].inception.value), (right, panel["real"].frechet.value)):
    axes.axvline(best, color="black", linestyle=":", linewidth=1)
left.set(yticks=range(len(panel)), yticklabels=panel, xlabel="Inception Score (higher is better)", xscale="log",
         xlim=(0.8, 1.3 * K), xticks=powers, xticklabels=powers)
left.minorticks_off()
left.invert_yaxis()
right.set(xlabel=f"Fréchet distance, {ours.layer} (lower is better)", xscale="log", xlim=ends)
page.figure(fig, name="evaluation_panel_figure", data=(train_clips, test_clips), samples=ours.n,
            caption="Every source with its 95 % interval, on logarithmic axes. Dotted: real clips. Grey: as far off "
                    "as the nearest of the three landmarks (squares) or farther. A bar to the left edge holds zero.",
            alt="Two panels of horizontal intervals on logarithmic axes, one row for each source. Left: Inception "
                "Score. Right: Fréchet distance. Real clips score best on both; the landmarks and all frozen clips "
                "lie together at the other end; the system lies in between, nearer to real clips.")

# %%
stands = {row["clips"]: row for row in page.rows("evaluation_panel")}
fd = {name: row["Fréchet distance"] for name, row in stands.items()}
landmark = min(metrics.CEILINGS, key=fd.get)
column = next(name for name in (PLACE, OLDER) if name in stands["real"])
place = {name: np.nan if row[column] is None else row[column] for name, row in stands.items()}
by_distance, by_score = sorted(fd, key=fd.get), sorted(stands, key=lambda name: -stands[name]["Inception Score"])
damaged = page.rows("evaluation_damage")[1]  # row 1: the Fréchet distance under blur, undamaged first
display(Markdown(f"""By the table that stands first{", in which a landmark is called a ceiling" * (column == OLDER)}:

- N = {stands["real"]["N"]}; the real clips are windows of {stands["real"]["different videos"]} test videos. They lie
  at {fd["real"]:.4g}; undamaged, in the table of damage and of fewer clips, at {damaged["undamaged"].split()[0]}.
- The nearest landmark is *{landmark}*, at {fd[landmark]:.4g}. The samples of the system lie at {place["hrvgan"]:.2f} of
  the way to it, shuffled real clips at {place["shuffled"]:.2f}, frozen real clips at {place["frozen"]:.2f}.
- From near to far: {", ".join(by_distance)}. By score the order is
  {"the same" if by_score == by_distance else ", ".join(by_score)}.
- The score of noise is {stands["noise"]["Inception Score"]:.2f}, of the mean clip
  {stands["mean clip"]["Inception Score"]:.2f}."""))
page.expect("position of the samples in that table", place["hrvgan"], high=0.5, why="nearer to real clips")
page.expect("position of frozen real clips", place["frozen"], low=0.5, why="nearer to what shows nothing")
findings.tell(page, findings.samples)

# %% [markdown]
# For this judge a clip that stands still shows little or nothing, however good its frame. Why do real clips not come nearer with $N$ as fast as $1/N$ would have it? Every class has its fixed share, and a sure judge leaves little scatter inside one: hardly a bias is left to fall. And windows of one video repeat much.
#
# ### Nearer to held-out clips than its own start?
#
# The panel measures from training clips, which the system has seen. Now from the other side: the reference is held-out clips, the system and its untrained twin stand side by side, at $N = 1{,}024$ or all the
# samples of the profile, and the *ratio* of their distances is paired. Training clips and noise are the two ends. Held-out clips may be fewer than $N$: at most all there are, each once.

# %%
n_far = min(1024, get_profile(page.profile.name, page.rehearse).samples)  # whatever share of a run was booked
n_held_out = min(n_far, len(test_clips))
ask_all = partial(metrics.ask, judge, seed=page.seed, folder=page.runs / "evaluations")
unseen = ask_all(held_out, n_held_out)
twin = metrics.generated(metrics.untrained(system, page.seed), "untrained", f"{system.name} before its first step")
far = {name: metrics.frechet_estimate(unseen, ask_all(source, n_far)) for name, source in {
    "training clips": metrics.real_clips(train_clips), "hrvgan": metrics.generated(system, system.name, note),
    "untrained": twin, "noise": metrics.noise_clips(test_clips.frames, test_clips.size)}.items()}
rows = []
for name, found in far.items():
    over = metrics.quotient(found, far["untrained"])
    rows.append({"clips": name, "Fréchet distance": found.value, "95 %": f"{found.low:.4g} to {found.high:.4g}",
                 "over untrained": over.value, "its 95 %": f"{over.low:.3g} to {over.high:.3g}", "N": n_far,
                 "held-out clips": n_held_out})
page.table(rows, name="evaluation_held_out", data=(train_clips, test_clips), samples=n_far,
           page_columns=["clips", "Fréchet distance", "95 %", "over untrained", "its 95 %", "N"],
           note=f"From {n_held_out:,} held-out clips of {len(test_clips):,}; {unseen.layer} of the judge. "
                f"{note}. Intervals: over samples, real clips by {test_clips.unit}.")

# %%
def ends(text):
    """An interval as a table prints it: "0.83 to 0.87"."""
    return tuple(map(float, text.split(" to ")))


(away,) = (row for row in page.rows("evaluation_held_out") if row["clips"] == "hrvgan")
least, most = ends(away["its 95 %"])
tenth = "at most a tenth" if most <= 0.1 else "more than a tenth" if least > 0.1 else "a tenth lies between"
display(Markdown(f"""By the table that stands first, {away["N"]:,} samples lie at {away["over untrained"]:.3g} times
(95 %: {away["its 95 %"]}; {tenth}) the untrained network's distance from {away["held-out clips"]:,} held-out
clips."""))
page.expect("upper end of that ratio", most, high=1, why="nearer than its own start, beyond doubt")

# %% [markdown]
# ### The extrapolation to infinite N
#
# Is the bias gone where the line meets $1/N = 0$?

# %%
endless = {name: row["FD at infinite N"] or np.nan for name, row in stands.items()}  # none of fewer than 16 clips
page.table([{"clips": name, "at N": fd[name], "at infinite N": endless[name], "difference": endless[name] - fd[name],
             "N": row["N"], "different videos": row["different videos"]} for name, row in stands.items()],
           note="Fréchet distances of the table above. Different videos: behind the N clips; –: every clip is new.")
shift = [endless[name] - fd[name] for name in metrics.CEILINGS]
page.expect("spread of the landmarks' differences, over their mean", np.ptp(shift) / abs(np.mean(shift)), high=0.2,
            why="one common cause")

# %% [markdown]
# Every distance should fall, each by its own bias. But all that shows nothing moves by one amount, and in the recorded run `overnight` it rises. We try other subsets, and for real clips subsets in which every class has its share:

# %%
n_few = min(max(16, ours.n), 128)
theirs, unseen, means = (metrics.ask(judge, source, n_few, seed=page.seed).features for source in (
    metrics.real_clips(train_clips), held_out, metrics.mean_clip(train_clips)))
tries = [metrics.sweep(metrics.frechet_distance, theirs, means, seed=number).at_infinity for number in range(20)]
print(f"this run, N = {n_few}: mean clip {metrics.frechet_distance(theirs, means):.0f}; at infinite N, with other "
      f"subsets, {min(tries):.0f} to {max(tries):.0f}, on average {np.mean(tries):.0f}")
quarter = n_few // 4
by_chance = np.mean([metrics.frechet_distance(theirs[random.permutation(n_few)[:quarter]],
                                              unseen[random.permutation(n_few)[:quarter]]) for _ in range(20)])
in_shares = np.mean([metrics.frechet_distance(theirs[k : k + quarter], unseen[k : k + quarter])  # drawn class by class
                     for k in range(0, 4 * quarter, quarter)])
print(f"  held-out clips, quarters: at random {by_chance:.0f}, with every class in its share {in_shares:.0f}")
page.expect("random quarters over quarters in shares", by_chance / in_shares, low=1)

# %% [markdown]
# So the common shift is luck: four random subsets a size are too few, and all rows share those of the real clips. Where the real row falls below zero, it is because the full draw has
# every class in its fixed share; random subsets have not, lie farther off, and the line is too steep. We conclude nothing from this column.
#
# ### By the kernel distance, and by name

# %%
page.table([{"clips": name, "kernel distance": row["kernel distance"], "95 %": row["kernel 95 %"],
             "named as asked": row["named right"], "95 %, of these": row["named 95 %"],
             "of clips": row.get("named over")} for name, row in stands.items()],
           note=f"From the panel's table, N = {stands['real']['N']} a draw. Named as asked: share of clips whose class "
                f"the judge names, of the clips of all draws; –: no class was asked for, or, of the number, an older "
                f"table without it. Chance is {ours.chance:.3f}.")
kernel = {name: row["kernel distance"] for name, row in stands.items()}
page.expect("Fréchet distance, shuffled over noise", fd["shuffled"] / fd["noise"], high=1)
page.expect("kernel distance, shuffled over noise", kernel["shuffled"] / kernel["noise"], low=1)
page.expect("real clips over the smallest other", abs(kernel.pop("real")) / min(kernel.values()), high=1)

# %% [markdown]
# Here two rulers disagree: by the kernel distance, shuffled clips are the farthest. Its third power weighs clips with long feature vectors most:

# %%
loud = metrics.ask(judge, metrics.shuffle_frames(held_out), n_few, seed=page.seed).features
quiet = loud[np.argsort(np.square(loud).sum(axis=1))[: -max(1, n_few // 10)]]
blank = metrics.ask(judge, metrics.noise_clips(test_clips.frames, test_clips.size), n_few, seed=page.seed).features
found = {name: metrics.kernel_distance(theirs, rows)
         for name, rows in {"shuffled": loud, "without the longest tenth": quiet, "noise": blank}.items()}
print(f"this run, N = {n_few}, kernel distance: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items()))
page.expect("without the longest tenth, over all", found["without the longest tenth"] / found["shuffled"], high=0.8)

# %% [markdown]
# A tenth of the clips carries most of it; hence the wide interval of that row.
#
# A kernel distance cannot lie below zero. Its estimate can: it scatters, and with fixed class shares a clip meets
# fewer clips of its own class on its own side, itself left out, than on the other (exercise 5).
#
# ### Fidelity and variety of the samples

# %%
page.table([{"clips": name} | {ruler: str(getattr(record, ruler)) for ruler in ("precision", "density", "recall",
                                                                               "coverage")}
            for name, record in panel.items()], name="evaluation_fidelity_variety", data=(train_clips, test_clips),
           samples=ours.n,
           note="Fidelity: precision, the share of clips in the ball of some training clip (the ball reaches to its "
                "fifth neighbour), and density, the number of such balls around a clip over five. Variety: recall, the "
                "share of training clips in the ball of some clip of the row, and coverage, the share of training "
                "clips with one in their own ball.")
near = {row["clips"]: {ruler: float(row[ruler].split()[0]) for ruler in ("precision", "density", "recall", "coverage")}
        for row in page.rows("evaluation_fidelity_variety")}
display(Markdown(f"""By the table that stands first: the mean clip has precision {near["mean clip"]["precision"]:.2f}
and density {near["mean clip"]["density"]:.2f}, the system {near["hrvgan"]["precision"]:.2f} and
{near["hrvgan"]["density"]:.2f}. Recall and coverage of the mean clip are {near["mean clip"]["recall"]:.2f} and
{near["mean clip"]["coverage"]:.2f}, of the system {near["hrvgan"]["recall"]:.2f} and {near["hrvgan"]["coverage"]:.2f},
of held-out real clips {near["real"]["recall"]:.2f} and {near["real"]["coverage"]:.2f}. Noise has a precision of
{near["noise"]["precision"]:.2f}, {"above" if near["noise"]["precision"] > near["hrvgan"]["precision"] else "not above"}
the system's, with a recall of {near["noise"]["recall"]:.2f} and a coverage of {near["noise"]["coverage"]:.2f}."""))
page.expect("recall of the mean clip in that table", near["mean clip"]["recall"], high=0.1)

# %% [markdown]
# Clips that show nothing can have a high precision: a trap. The mean clip is one spot, untrained samples nearly so, and one large ball of a real clip around it is enough. Noise is spread a little more; where most of it lies in such balls too, it can beat a trained system in precision. Hence fidelity is never read alone: clips that are much alike have
# nearly no recall and coverage.
#
# ### Motion, variety in pixels, copies
#
# Does a clip move as much as real ones do? Are two samples different? Is one a copy? That needs no judge.

# %%
page.table([{"clips": name, "frame distance": record.frame_frechet,
             **{key.replace("_", " "): value for key, value in vars(record.behaviour).items()}}
            for name, record in panel.items()],
           name="evaluation_behaviour", data=(train_clips, test_clips), samples=ours.n,
           page_columns=["clips", "motion", "motion gap", "frozen", "variety", "nearest"],
           note="Motion: median change from frame to frame over that of training clips. Motion gap: "
                "Wasserstein distance between the two distributions of it, over the median of training clips. "
                "Frozen: share of clips that change less than a tenth of that. Variety: median distance of two clips "
                "over that of two training clips (thumbnails of 4x8x8). Nearest: distance to the nearest training clip "
                "over that of held-out clips; 0 is a copy. In the file also the frame distance, a Fréchet distance of "
                "each clip's middle frame, standing still.")
does = {row["clips"]: row for row in page.rows("evaluation_behaviour")}
less = {key: does["hrvgan"][key] / does["real"][key] for key in ("variety", "nearest")}
display(Markdown(f"""By the table that stands first, beside real held-out clips:

- *Motion.* Samples move {does["hrvgan"]["motion"]:.3f} times as much as training clips (real:
  {does["real"]["motion"]:.3f}); {does["hrvgan"]["frozen"]:.0%} stand still.
- *Variety.* {does["hrvgan"]["variety"]:.2f} of that of training clips (real: {does["real"]["variety"]:.2f}; real and
  frozen: {does["frozen"]["variety"]:.2f}); so {less["variety"]:.2f} times that of real held-out clips.
- *Copies.* From the nearest training clip samples lie {does["hrvgan"]["nearest"]:.2f} (real:
  {does["real"]["nearest"]:.2f})."""))
page.expect("variety of the samples over that of real clips", less["variety"], high=1)
page.expect("nearest, samples over held-out clips", less["nearest"], low=0.5, high=1, why="nearer, and no copies")
apart = [found.pictures.var(axis=0, ddof=1).sum() ** 0.5 for found in (standing, moving)]
print(f"this run: root mean square distance of two frozen clips over that of two moving ones {apart[0] / apart[1]:.2f}")

# %% [markdown]
# Compare each row with *real*, not with 1: all ratios but *nearest* are to training clips, and held-out clips are of other looks. That frozen clips seem to vary more is the median's doing: it stands between pairs with like and with unlike backgrounds, and a little moves it far; the root mean square hardly differs. Samples lie nearer to training clips than held-out ones do. Copies? The three of sixteen that came closest, each above its training clip:

# %%
made = metrics.ask(judge, metrics.generated(system, note=note), 16, seed=page.seed)
clips = next(metrics.generated(system, note=note).draw(16, page.seed))[0]
known = np.concatenate([metrics.thumbnails(train_clips.batch(part.tolist())[0])
                        for part in torch.arange(len(train_clips)).split(64)])
closest, how_far = metrics.nearest_clips(made.pictures, known)
shown = np.argsort(how_far)[:3].tolist()
pairs = torch.stack([clip for i in shown for clip in (clips[i], train_clips.batch([int(closest[i])])[0][0])])
page.figure(book.clip_grid(pairs, every=max(1, pairs.shape[2] // 8), labels=["generated", "nearest"] * len(shown),
                           width=6),
            name="evaluation_nearest", data=(train_clips,), samples=16,
            caption="Generated clips, and below each the training clip that is nearest to it.",
            alt="Pairs of rows: a generated clip and below it the training clip nearest to it in thumbnails.")

# %% [markdown]
# No copies: poses and backgrounds differ. Training clips lie near each other too:

# %%
some = np.linspace(0, len(known) - 1, min(64, len(known)), dtype=int)
others = [metrics.nearest_clips(known[[i]], np.delete(known, i, axis=0))[1][0] for i in some]
held_pictures = metrics.thumbnails(test_clips.batch(list(range(min(64, len(test_clips)))))[0])
held = metrics.nearest_clips(held_pictures, known)[1]
print("this run, median distance to the nearest training clip (a copy: 0): "
      f"samples {np.median(how_far):.1f},\n  held-out clips {np.median(held):.1f}, training clips from all others "
      f"{np.median(others):.1f}")

# %% [markdown]
# ### Does a sample show what was asked for?
#
# The plainest test: ask for a class, let the judge name it, count. Guessing gives $1/K$. The same samples *frozen* must do clearly
# worse, or the generator draws typical pictures and no motion.

# %%
still = panel["hrvgan frozen"]
named = {name: stands[name]["named right"] for name in ("hrvgan", "hrvgan frozen", "real")}
display(Markdown(f"""It does, by the table of the panel (N = {stands["hrvgan"]["N"]} a draw): the judge names
{named["hrvgan"]:.0%} of the samples as asked (95 %: {stands["hrvgan"]["named 95 %"]}), of the same samples frozen
{named["hrvgan frozen"]:.0%} ({stands["hrvgan frozen"]["named 95 %"]}), and of windows of real clips
{named["real"]:.1%}."""))
page.expect("named as asked in that table, over chance", named["hrvgan"] * len(judge.classes), low=3)
page.expect("the same, moving less frozen", named["hrvgan"] - named["hrvgan frozen"], low=0.2)
asked_for = ours.n * len(ours.seeds)
print(f"this run: {asked_for} conditional samples, {system.n_classes} classes, chance {ours.chance:.3f}")
print(f"  moving:  {ours.accuracy.value:.3f} named right, 95 % {ours.accuracy.low:.3f} to {ours.accuracy.high:.3f}")
print(f"  frozen:  {still.accuracy.value:.3f} named right, 95 % {still.accuracy.low:.3f} to {still.accuracy.high:.3f}")
half_of_it = (ours.inception.high - ours.inception.low) / (2 * ours.inception.value)
print(f"  half width of the interval of its Inception Score: {half_of_it:.1%} of the score")
page.measure("half width of the 95 % interval of our Inception Score, over the score", half_of_it, decision="E4",
             data=[train_clips], sides=[book.side_of("HRVGAN", system, records)])

# %% [markdown]
# ### A second network for single frames, where one is installed
#
# A network trained on photographs is an independent witness of single frames. Its table appears only with its weights in `reference/`.

# %%
eye = metrics.frame_network(page.data_root)
if eye is None:
    print("this run: no network of frames in reference/ beside the data sets, no table (data/README.md names the file)")
else:
    n_eye = min(16, page.profile.samples)
    learned = metrics.ask(eye, metrics.real_clips(train_clips), n_eye, seed=page.seed)
    sources = [held_out, metrics.shuffle_frames(held_out), metrics.noise_clips(test_clips.frames, test_clips.size),
               metrics.generated(system, note=note)]
    seen = {source.name: metrics.ask(eye, source, n_eye, seed=page.seed) for source in sources}
    page.table([{"clips": name, "Fréchet distance": found.distance(learned),
                 "kernel distance": metrics.kernel_distance(learned.features, found.features)}
                for name, found in seen.items()],
               name="evaluation_frame_network", data=(train_clips, test_clips), samples=n_eye,
               note=f"{eye.name}, features averaged over frames, N = {n_eye}. Its features have no normalisation "
                    "behind them and come from pixels on the scale of 255: mind the order of magnitude.")

# %% [markdown]
# ## What a trained run has to show
#
# A run that calls itself trained has to pass seven checks at one N, from the `cpu` profile on: a judge that is right on eight of ten clips; at least 200 conditional samples, which it names at least three times as often as
# guessing would, at the *lower* end of the interval; clearly fewer once frozen; and a distance below those of an untrained generator, of frozen real clips and of noise, beyond doubt. Below stands how many the recorded run passes. A GPU run is asked for more: nine of ten, a thousand samples, six of ten.

# %% tags=["nbval-check-output"]
def acceptance():
    long = page.profile.name in ("gpu", "paper")
    met = [
        page.expect("judge, share of held-out clips named right", judge.accuracy.value, low=0.9 if long else 0.8,
                    digits=3),
        page.expect("samples that were asked", asked_for, low=1000 if long else 200, digits=4),
        page.expect("lower 95 % bound of samples named right", ours.accuracy.low,
                    low=0.6 if long else 3 * ours.chance, digits=3),
        page.expect("the same samples frozen: upper bound below the moving ones' lower bound, gap",
                    ours.accuracy.low - still.accuracy.high, low=0, digits=3),
    ]
    for rival in ("untrained", "frozen", "noise"):
        gain = metrics.difference(panel[rival].frechet, ours.frechet)
        met.append(page.expect(f"Fréchet distance of {rival} less ours, lower end of the paired interval", gain.low,
                               low=0, digits=3))
    print(f"{sum(met)} of {len(met)} as expected")


if page.profile.name == "smoke" or page.rehearse:
    print("this run: not asked, since it trains nothing, or for seconds; PROFILE=cpu is asked.")
else:
    acceptance()

# %%
mine, chance = stands["hrvgan"], 1 / len(judge.classes)
samples_asked = mine.get("named over") or mine["N"]  # an older table has only the clips of one draw
right, stopped = ends(mine["named 95 %"]), ends(stands["hrvgan frozen"]["named 95 %"])
far = {rival: ends(stands[rival]["FD 95 %"])[0] for rival in ("untrained", "frozen", "noise")}
passed = [named["real"] >= 0.8, samples_asked >= 200, right[0] >= 3 * chance, right[0] > stopped[1],
          *(low > ends(mine["FD 95 %"])[1] for low in far.values())]
display(Markdown(f"""By the table of the panel that stands first, the judge is right on {named["real"]:.1%} of
windows of real clips. By the ends of its 95 % intervals it names at least {right[0]:.2f} of
{samples_asked:,} samples as asked (three times
chance is {3 * chance:.3f}) and at most {stopped[1]:.2f} of them frozen; their distance is at most
{ends(mine["FD 95 %"])[1]:.4g}, those of the rivals at least
{", ".join(f"{low:.4g} ({rival})" for rival, low in far.items())}."""))
page.expect("of seven checks, passed in that table", sum(passed), low=7, why="its single intervals do not even overlap")

# %% [markdown]
# The generator leaves the run as one file, with a card. `checkpoints.load_generator` reads it.

# %%
page.model("hrvgan_generator", system, "HRVGAN's generator, conditional on the action", {
    "seen": f"{len(records):,} steps, {training.clips_seen(records):,} clips",
    "Inception Score": f"{ours.inception.value:.2f} [{ours.inception.low:.2f}, {ours.inception.high:.2f}]; real clips "
                       f"{panel['real'].inception.value:.2f}, noise {panel['noise'].inception.value:.2f}",
    "Fréchet distance": f"{ours.frechet.value:.4g} [{ours.frechet.low:.4g}, {ours.frechet.high:.4g}]; real clips "
                        f"{panel['real'].frechet.value:.4g}, noise {panel['noise'].frechet.value:.4g}",
    "named as asked": f"{ours.accuracy.value:.1%} [{ours.accuracy.low:.1%}, {ours.accuracy.high:.1%}] by a judge that "
                      f"is right on {EXAM}; chance {ours.chance:.1%}",
    "samples behind these": f"{len(ours.seeds)} draws of {ours.n}; intervals are 95 %, over samples",
}, data=(train_clips,), classes=train_clips.classes)

# %% [markdown]
# ## For the ledger
#
# Four side questions: what changes with another marginal $p(y)$ ([**E7**](12_claims_and_decisions.ipynb#E7)) or where classes differ in size ([**E3**](12_claims_and_decisions.ipynb#E3)); whether the last pool of C3D, which meets seven
# rows and takes them in twos, rounds up, as the original does, or pads, as popular ports do ([**E1**](12_claims_and_decisions.ipynb#E1)); and how far features move in bfloat16, in which the judge may compute on GPUs.

# %% tags=["ledger"]
judge_train = page.dataset("actions", **shape)
from_training = metrics.ask(judge, metrics.real_clips(judge_train), n_exam, seed=page.seed).probabilities.mean(axis=0)
floored = np.maximum(moving.probabilities, 1e-12)
other_score = np.exp((floored * np.log(floored / np.maximum(from_training, 1e-12))).sum(axis=1).mean())
page.measure("score of held-out clips with the training clips' marginal, over that with their own",
             other_score / metrics.inception_score(moving.probabilities), decision="E7", data=[train_clips, test_clips])
sizes_of = np.bincount(judge_train.labels)
page.measure("most frequent class of the training clips over the rarest", sizes_of.max() / sizes_of[sizes_of > 0].min(),
             decision="E3", data=[train_clips])
volume = torch.randn(1, 512, 2, 7, 7, generator=torch.Generator().manual_seed(page.seed))
rounded_up = torch.nn.MaxPool3d(2, 2, ceil_mode=True)(volume)
padded = torch.nn.MaxPool3d(2, 2, padding=(0, 1, 1))(volume)
page.measure("share of the values that a padded last pool of C3D has in common with one that rounds up",
             (rounded_up == padded).float().mean(), decision="E1")
for measured_now in page.measured[-3:]:
    print(f"this run: {measured_now.value:.4g} = {measured_now.what}")

# %% tags=["ledger", "nbval-check-output"]
def shorten(layer, given, result):
    """What bfloat16 keeps of a layer's result: eight bits of each number."""
    return result.bfloat16().float()


rough = deepcopy(judge.network)
for parameter in rough.parameters():
    parameter.data = parameter.data.bfloat16().float()
for layer in rough.modules():
    if not list(layer.children()):
        layer.register_forward_hook(shorten)
exam_clips = metrics.real_clips(page.dataset("actions", split="test", **shape))
coarse = metrics.ask(replace(judge, network=rough), exam_clips, n_exam, seed=page.seed)
rounding = (metrics.frechet_distance(moving.features, coarse.features)
            / metrics.frechet_distance(standing.features, moving.features))
page.expect("bfloat16 from float32, over frozen from moving clips", rounding, high=0.02)

# %% [markdown]
# ## Check yourself
#
# 1. A generator makes one perfect clip for each of 101 classes and nothing else. Its Inception Score? Its Fréchet distance, roughly?
# 2. *Calculate.* A judge of four classes gives the right class of each clip the belief 0.8, the rest evenly to the others; clips of all four come equally often. What is the Inception Score, and how much of it is lost?
# 3. *Calculate.* Ten independent features of variance 1. Generated clips are shifted by 0.2 in each and stretched by 1.5. What are the two parts of the Fréchet distance, and what is it if all features are multiplied by ten?
# 4. Team A reports a distance of 40 from 2,048 clips, team B one of 44 from 512, same judge and layer. Who is ahead?
# 5. *Look at the positions in the table of the panel.* Which rows have 1 or more? Which real clips do not, although something is wrong with them?
# 6. *Look at the table of fidelity and variety.* Which rows have a precision of one half or more and a recall near zero? What does that mean?
#
# <details><summary>Answers</summary>
#
# 1. With a sure judge 101, the maximum. The distance is large: within a class nothing varies, so that the covariance has lost most of its directions.
# 2. $4 \cdot 0.8^{0.8} \cdot (0.2/3)^{0.2} \approx 1.95$ of 4: about half is lost.
# 3. $10 \cdot 0.2^2 = 0.4$ from the shift and $10 \cdot 0.5^2 = 2.5$ from the stretch, together 2.9; times ten, it is 290.
# 4. Nobody knows. B's estimate carries about four times A's bias; at one N, B may be lower.
# 5. The landmarks, of which the nearest has 1; frozen clips, real and generated, lie about there. *Shuffled*: the order is wrong, and the judge still sees motion.
# 6. In the recorded run `overnight` noise, the mean clip, the untrained network and frozen samples: clips that lie close together, inside large balls. Precision alone does not tell them from good clips.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* How sure must the judge be, of all of eight classes, for the score to be half of the highest? *Expected: a belief between 0.85 and 0.86.*
# 2. *(easy)* Make two clouds of two features that neither Eq. 17 nor the kernel distance can tell apart. *Expected: with coin flips of ±1, a little blurred, against bell curves, the interval of
#    the kernel distance holds zero; the coverage is below one half.*
# 3. *(medium)* Put one real point far from the two modes, among generated points that are all wrong. *Expected: precision goes from 0 to above 0.9; density stays below 0.3.*
# 4. *(medium)* Play the held-out clips backwards. Does the judge mind as much as when they are shuffled? *Expected: it names more of them right than of shuffled ones; the stand-ins' movements are swings that look much
#    the same in either direction.*
# 5. *(hard)* Show with clouds of eight classes that fixed class shares push the kernel distance of equal clouds below zero, and independent draws do not. *Expected: the mean of 40 is more than four standard errors below zero with fixed shares,
#    and within four of zero without.*
#
# ### Solutions
#
# One cell an exercise, in order.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
low, high = 0.5, 1 - 1e-12
while high - low > 1e-6:  # the score grows with the belief
    middle = (low + high) / 2
    low, high = (middle, high) if closed_form(middle) < 4 else (low, middle)
page.expect("exercise 1: belief", low, low=0.85, high=0.86)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
trial = np.random.default_rng(2)
coins = trial.choice([-1.0, 1.0], size=(512, 2)) + 0.1 * trial.normal(size=(512, 2))
bells = trial.normal(size=(512, 2))
value, *moves = metrics.kernel_influences(coins, bells)
sides = [metrics.drawn(512, side) for side in ("coins", "bells")]
kernel = metrics.estimate(value, *(metrics.influence(side, rows) for side, rows in zip(sides, moves)))
page.expect("exercise 2: lower end of the kernel distance's interval", kernel.low, high=0)
page.expect("exercise 2: upper end of the kernel distance's interval", kernel.high, low=0)
page.expect("exercise 2: Fréchet distance", metrics.frechet_distance(coins, bells), high=0.1)
page.expect("exercise 2: coverage", metrics.neighbourhoods(coins, bells, *sides).coverage.value, high=0.5)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
wrong = np.random.default_rng(3).normal(size=(256, 2)) * 1.5 + [0, 14]
sides = [metrics.drawn(256, side) for side in ("real", "wrong")]
before = metrics.neighbourhoods(actual, wrong, *sides)
after = metrics.neighbourhoods(np.concatenate([actual[:-1], [[0.0, 16.0]]]), wrong, *sides)
page.expect("exercise 3: precision without the stray point", before.precision.value, high=0.01)
page.expect("exercise 3: precision with it", after.precision.value, low=0.9, why="one ball holds them all")
page.expect("exercise 3: density with it", after.density.value, high=0.3, why="one ball of 256 counts as one")

# %% tags=["solution"]
# Exercise 4
there = metrics.real_clips(page.dataset("actions", split="test", **shape))
back = metrics.treated(there, "backwards", lambda clips: clips.flip(2), "last frame first")
shares = {name: metrics.ask(judge, source, n_exam, seed=page.seed).accuracy.value
          for name, source in {"backwards": back, "shuffled": metrics.shuffle_frames(there)}.items()}
print(f"this run, N = {n_exam}, named right: as they are {moving.accuracy.value:.2f}, "
      + ", ".join(f"{name} {value:.2f}" for name, value in shares.items()))
page.expect("exercise 4: named right backwards, less shuffled", shares["backwards"] - shares["shuffled"], low=0)

# %% tags=["solution", "nbval-check-output"]
# Exercise 5
trial = np.random.default_rng(5)
middles = trial.normal(size=(8, 12))


def equal_clouds(fixed, n=64):
    """Kernel distance of two draws of one cloud, with fixed class shares or independent clips."""
    labels = [np.arange(n) % 8 if fixed else trial.integers(8, size=n) for _ in range(2)]
    return metrics.kernel_distance(*(middles[of] + trial.normal(size=(n, 12)) for of in labels))


for fixed, bounds in ((True, {"high": -4}), (False, {"low": -4, "high": 4})):
    several = [equal_clouds(fixed) for _ in range(40)]
    page.expect(f"exercise 5: {'fixed' if fixed else 'random'} shares, standard errors from zero",
                np.mean(several) / (np.std(several) / 40**0.5), **bounds)

# %% [markdown]
# ## What we now know
#
# - We read the judge's confusion matrix: it named moving clips and was lost on frozen ones, and every number below was seen through its eyes.
# - Both metrics met their closed forms. The score did not see real clips or variety within a class; the distance did not see beyond two moments, and grew with the features' scale and with small N.
# - Kernel distance, precision, recall, density and coverage saw some of what these two missed, and each was fooled in its own way.
# - Influences gave intervals that fresh samples confirmed, once they knew what is independent of what; the bootstrap's missed its own estimate. No interval was over trainings.
# - We damaged real clips by degrees, and read the system's numbers only between real clips and the nearest of three landmarks, at one N.
#
# ## Where next
#
# [09 · Latent space](09_latent_space.ipynb) looks at what lies *between* two samples. [10 · Tables](10_tables.ipynb) puts these numbers beside Tables 3 and 4.

# %%
page.colophon()
