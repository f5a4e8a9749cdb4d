# %% [markdown]
# # 08 · Two rulers and the judge behind both
#
# | | |
# |---|---|
# | **You will build** | the Inception Score (Eq. 16) and the Fréchet distance (Eq. 17) in a few lines each, intervals and extrapolations for both, and the classifier that they look through |
# | **Reads** | clips of the action data set; the system that chapter 06 trained (trained here if it is not there) |
# | **Writes** | the judge and its evaluations, for chapter 10; `evaluation_panel`, `evaluation_behaviour`, `evaluation_fidelity_variety`, `evaluation_damage`, `evaluation_samples`, `evaluation_clips`, `evaluation_intervals`; the generator as `hrvgan_generator` |
# | **Budget** | half a minute on two cores at `smoke`; about three minutes at `cpu` |
#
# Tables 3 and 4 hold ten numbers, and the paper's claims rest on them. Before we measure a generator with these rulers we measure the rulers, on
# things whose score is known beforehand.
#
# A figure or table of the recorded run stands first, with where it comes from below it; the same from your own run follows, small or folded.
# What a cell prints, and every figure without a recorded twin, is of your own run: at `smoke` that measures the recorded systems again, on
# few samples.
#
# **By the end you can**
#
# - compute both metrics from their equations and check them against closed forms;
# - say what each metric cannot see, and name a set of clips that fools it;
# - put an interval on a Fréchet distance, show why the usual bootstrap is wrong there, and say what it counts as independent;
# - say what each metric does when clips are blurred, shuffled, frozen or all of one kind, and when it lies;
# - read a score only beside its floor and its ceiling, at one and the same number of clips.

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
import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import torch

from hrvgan_lib import metrics, training
from hrvgan_lib.book import findings, learning

INKS = ["#332288", "#AA4499", "#44AA99", "#882255"]  # for curves that are no system of ours
random = np.random.default_rng(page.seed)

# %% [markdown]
# ## One clip should be clear, many should differ (Eq. 16)
#
# > *Section 4.7.* "A higher inception score is preferred, which means the model can generate diverse images, thus avoiding the mode collapse issue."
# >
# > $$IS(\mathcal{G}) = \exp(\mathbb{E}_{\mathbf{x} \sim p_g} \mathcal{D}_{KL}(p(y | \mathbf{x}) || p(y))) \quad (16)$$
#
# **What it does not say.** Which classifier gives $p(y|x)$, for how many clips, at which resolution, how often ([**E1**](12_claims_and_decisions.ipynb#E1)); which labels a conditional generator is asked
# for ([**E3**](12_claims_and_decisions.ipynb#E3): every class equally often); whose marginal $p(y)$ is ([**E7**](12_claims_and_decisions.ipynb#E7): the mean over the same clips).
#
# A classifier looks at each clip and spreads one unit of belief over the classes. Equation 16 asks how far each answer is from the average answer. Clear clips
# of many kinds: far. Mush, or the same clip again and again: not far at all. In code it is three lines.

# %%
def score(p):  # class probabilities (clips, classes) -> number
    marginal = p.mean(axis=0)
    divergence = (p * np.log(p / marginal)).sum(axis=1)
    return np.exp(divergence.mean())


# %% [markdown]
# Now for answers whose score we know. If every row is the same, each divergence is zero and the score is 1, whether the judge is sure or clueless. If the judge is certain
# of every clip and names all $K$ classes equally often, each divergence is $\log K$ and the score is $K$.

# %% tags=["nbval-check-output"]
K = 8
certain = np.eye(K).repeat(4, axis=0)
answers = {
    "clueless": np.full((32, K), 1 / K),
    "sure, one class only": np.tile(0.999 * np.eye(K)[0] + 0.001 / K, (32, 1)),
    "nearly sure, all classes": 0.999 * certain + 0.001 / K,
}
for name, p in answers.items():
    print(f"{name:26s} {score(p):.3f}")
with np.errstate(divide="ignore", invalid="ignore"):
    print(f"{'certain, all classes':26s} {score(certain):.3f}  <- 0 log 0")
print(f"{'the library on the same':26s} {metrics.inception_score(certain):.3f}")

# %% [markdown]
# The three lines have one hole: certainty. $0 \log 0$ is zero by continuity, but not in floating point, and one such clip turns the whole score into NaN. The library takes the
# limit; the script behind the published scores adds $10^{-7}$ instead, which is `epsilon` in `metrics.inception_score`. Otherwise the two agree, and from here
# on we import.
#
# How does the score move between 1 and $K$? Let a generator know only some of the classes, and let the judge give each clip's class a belief $c$, the rest evenly
# to the others.

# %%
def known_answers(covered: int, belief: float) -> np.ndarray:
    rows = np.full((covered, K), (1 - belief) / (K - 1))
    np.fill_diagonal(rows, belief)
    return rows.repeat(4, axis=0)


covered = np.arange(1, K + 1)
fig, axes = plt.subplots(figsize=(7, 3))
for belief, ink in zip((1.0, 0.9, 0.6), INKS):
    axes.plot(covered, [metrics.inception_score(known_answers(m, belief)) for m in covered], "o-", color=ink,
              label=f"belief {belief:g}")
axes.plot(covered, covered, color="0.5", linestyle=":")
axes.set(xlabel=f"classes covered, of {K}", ylabel="Inception Score")
axes.legend()
page.figure(fig, data=(),
            caption="The Inception Score counts classes, but only through the eyes of a sure judge. Dotted: score "
                    "= number of classes.",
            alt="Inception Score over the number of classes covered, one to eight, for beliefs 1, 0.9 and 0.6. At "
                "belief 1 it is the identity line; at 0.9 it bends down and ends below five; at 0.6 it stays below "
                "two.")

# %% [markdown]
# Belief 0.9 sounds like a good judge and costs more than a third of the score. So a score belongs to its judge: the same number through another classifier is
# another statement. And *diverse* means diverse in classes. The score never sees a real clip, and one clip per class, repeated for ever, satisfies
# it completely: `certain` above has eight different rows and scores 8.

# %% [markdown]
# ## Two clouds and the distance between them (Eqs. 17–18)
#
# > *Section 4.7.* "Let D represent the CNN used to extract features, (m_r, σ_r) be mean and covariance of features extracted from real samples and (m_f, σ_f) … from
# > fake samples with D".
# >
# > $$d^2((m_r, \Sigma_r), (m_f, \Sigma_f)) = \|m_r - m_f\|_2^2 + \text{Tr}(\Sigma_r + \Sigma_f - 2(\Sigma_r \Sigma_f)^{\frac{1}{2}}) \quad (17)$$
#
# **What it does not say.** Which CNN, which layer, how many clips, which real ones ([**E2**](12_claims_and_decisions.ipynb#E2)). Eq. 18 is a number without content: Eq. 17 is complete, and σ is Σ ([**L13**](12_claims_and_decisions.ipynb#L13)).
#
# A layer of the judge turns a clip into a point with $D$ coordinates, a set of clips into a cloud. Eq. 17 replaces each cloud by the bell curve with its mean and
# covariance and measures how far one has to be pushed and stretched to become the other. First as printed, with SciPy's matrix root.

# %%
def distance_as_printed(real, fake):  # features (clips, D) each -> number
    s_r, s_f = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(s_r @ s_f).real
    return np.square(real.mean(0) - fake.mean(0)).sum() + np.trace(s_r + s_f - 2 * root)


# %% [markdown]
# The matrix root is the expensive part, and we need only its trace. Write a covariance as a product: with $A$ the centred features over $\sqrt{N-1}$, $\Sigma = A^T A$. Then $\Sigma_r \Sigma_f$ has the
# same eigenvalues as $(A_r A_f^T)(A_r A_f^T)^T$, up to zeros, so the trace of its root is the sum of the singular values of $A_r A_f^T$: its **nuclear norm**. That matrix is only
# $N \times N$, and where clips are few and features many that makes a second out of minutes.

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
page.expect("features ten times as large", metrics.frechet_distance(10 * a, 10 * b) / metrics.frechet_distance(a, b),
            of=100, rtol=1e-9, digits=3, why="the distance is quadratic in the features")
page.measure("distance with features ten times as large, over the distance",
             metrics.frechet_distance(10 * a, 10 * b) / metrics.frechet_distance(a, b), decision="E2")

# %% [markdown]
# The last line matters for Table 4. Its numbers are of the order of $10^5$, and nothing in Eq. 17 forbids that: the same clips give any value one likes once the features are scaled. A value without
# network, layer and $N$ compares with nothing; ratios within one set-up do.
#
# For bell curves Eq. 17 has a closed form: shifted by $s$ in each of $D$ coordinates, the distance is $D s^2$; stretched by $\sigma$, it is $D (\sigma - 1)^2$. Let us see
# whether samples find it.

# %%
D = 32


def cloud(n, shift=0.0, stretch=1.0):
    return stretch * random.normal(size=(n, D)) + shift


fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3))
shifts, stretches, sizes = np.linspace(0, 1, 6), np.linspace(1, 2, 6), np.array([16, 32, 64, 128, 256, 512, 1024])
left.plot(shifts, D * shifts**2, color="0.5")
middle.plot(stretches, D * (stretches - 1) ** 2, color="0.5")
for n, ink in zip((64, 512), INKS):
    left.plot(shifts, [metrics.frechet_distance(cloud(n), cloud(n, shift=s)) for s in shifts], "o", color=ink,
              label=f"N = {n}")
    middle.plot(stretches, [metrics.frechet_distance(cloud(n), cloud(n, stretch=s)) for s in stretches], "o", color=ink)
same = np.array([metrics.frechet_distance(cloud(n), cloud(n)) for n in sizes])
right.loglog(sizes, same, "o", color=INKS[2])
right.loglog(sizes, same[-1] * sizes[-1] / sizes, color="0.5", linestyle=":")
left.set(xlabel="shift", ylabel="Fréchet distance")
left.legend()
middle.set(xlabel="stretch")
right.set(xlabel="N clips a cloud", title="same cloud twice")
page.figure(fig, data=(),
            caption="Known distances in 32 dimensions: lines are the closed form, points are samples. Right: the "
                    "true distance is zero, the estimate never is.",
            alt="Left and middle: Fréchet distance over shift and over stretch; points from samples of 512 follow "
                "the closed-form curve slightly above it, points from 64 clips lie clearly above it. Right: "
                "distance between two samples of the same cloud falls with N on log axes along a line of slope "
                "minus one.")

# %% [markdown]
# It does, from above. Two samples of *one* cloud are never at distance zero: the estimate starts high and falls about as $1/N$ (dotted). A system measured on more clips looks
# better for that reason alone. Hence the rule of this book: **two distances are compared at the same N, or not at all**, and a floor (real against real, at that N) stands beside
# them.

# %% tags=["nbval-check-output"]
page.expect("same cloud, 16 clips against 1,024", same[0] / same[-1], low=10, why="nothing changed but N")
page.measure("distance of a cloud of 32 features from itself, 16 clips over 1,024 clips", same[0] / same[-1],
             decision="E2")

# %% [markdown]
# ## How far would the number move? A failure on purpose
#
# Neither table of the paper has an error bar ([**E4**](12_claims_and_decisions.ipynb#E4)). The textbook reflex is the bootstrap: draw $N$ clips out of the $N$ **with replacement**, many times, and look at the spread. Let us do that where we can
# check it. The clips are points of two known clouds, so we can also do what is impossible with a real data set: draw entirely new samples, again and again.

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
            caption="Ninety-five per cent of fresh samples, the interval from influences, the one from halves, and "
                    "the bootstrap. Vertical line: the point estimate that they describe.",
            alt="Four horizontal bars. Fresh samples, influences and half-sampling overlap around the same value. "
                "The bootstrap bar lies far to the right and does not contain the point estimate, drawn as a "
                "vertical line.")

# %% tags=["nbval-check-output"]
low, high = bars["bootstrap"]
print("point estimate inside the bootstrap's interval:", bool(low <= half.value <= high))
print("point estimate inside the interval from halves:", half.value in half)
widths = {name: (high - low) / np.ptp(bars["fresh samples"]) for name, (low, high) in bars.items()}
for name in ("halves", "influences"):
    page.expect(f"width of the interval from {name}, over that of fresh samples", widths[name], low=0.5, high=2.0)
    page.measure(f"width of the interval from {name} over that of 95 % of fresh samples", widths[name], decision="E4")
page.measure("lower end of the bootstrap's 95 % interval of a distance, over the distance itself", low / half.value,
             decision="E4")

# %% [markdown]
# The bootstrap's interval does not contain its own estimate. A resample repeats clips; repeated clips span fewer directions, the covariance loses rank, and the distance grows: it is the
# $1/N$ bias again, at the smaller number of *different* clips. Two ways are better. **Halves without replacement**: between halves a statistic scatters as much as between full samples
# ($1/(N/2) - 1/N = 1/N$), and we take only that scatter from them, never their level. **Influences**: how fast the number changes when one clip's weight grows. A mean's influences are its values, up to a constant, and to first order every smooth statistic behaves like a mean:
# the spread of the influences is its standard error (Hampel, 1974; the infinitesimal jackknife). Influences need no random halves, and at small $N$ they are the narrower of the two. Our rulers use them wherever they exist; medians get halves. And none of the bars contains the true
# distance, $48\,(0.3^2 + 0.2^2)$: an interval shows the scatter at this $N$, not the bias.
#
# ### Who is independent of whom?
#
# An interval counts evidence, and clips are not always the unit to count. Windows of one video, or clips of one person, resemble each other: seven people who answer sixteen times each are nearer to seven answers than to 112. Classes work the other way: where every class has its fixed share of the clips, as here,
# the differences between classes do not make the number scatter, and must not widen its interval. We try both where fresh samples are to be had: a share of right answers, in truth one half, from seven people; and a distance between clouds of eight classes that lie far apart.

# %%
def people(looks=7, each=16, alike=0.4):
    """Right or wrong, for clips of a few people who are alike in how hard they are."""
    ease = np.sqrt(alike) * random.normal(size=(looks, 1)) + np.sqrt(1 - alike) * random.normal(size=(looks, each))
    return ease.ravel() > 0, np.arange(looks).repeat(each)


def told_by(count):
    """Share of fresh samples whose interval holds the truth: by clip, and by person."""
    held = {"by clip": 0, "by person": 0}
    for _ in range(count):
        right, who = people()
        held["by clip"] += 0.5 in metrics.share(right, metrics.drawn(len(right), "people"))
        held["by person"] += 0.5 in metrics.share(right, metrics.drawn(len(right), "people", units=who, unit="person"))
    return {name: found / count for name, found in held.items()}


centres = 4 * random.normal(size=(8, 12))


def classes(count=64):
    """Clips of eight classes in equal shares, and their labels."""
    labels = np.arange(count) % 8
    return centres[labels] + random.normal(size=(count, 12)), labels


def half_width(with_labels):
    """Half of the interval of a distance, as it is known to be balanced or not."""
    (real, labels), (fake, _) = classes(), classes()
    sides = [metrics.drawn(64, side, labels if with_labels else None) for side in ("real", "fake")]
    parts = [metrics.influence(side, rows) for side, rows in zip(sides, metrics.frechet_influences(real, 1.2 * fake))]
    found = metrics.estimate(metrics.frechet_distance(real, 1.2 * fake), *parts)
    return (found.high - found.low) / 2


truth = 1.96 * np.std([metrics.frechet_distance(classes()[0], 1.2 * classes()[0]) for _ in range(200)])
covered = told_by(300)
ratios = {"classes ignored": np.mean([half_width(False) for _ in range(20)]) / truth,
          "classes known": np.mean([half_width(True) for _ in range(20)]) / truth}
page.table([{"interval": name, "should be": should, "is": found} for name, should, found in (
    *((f"share of right answers, {name}: how often it holds the truth", 0.95, found)
      for name, found in covered.items()),
    *((f"distance of clouds of eight classes, {name}: half width over that of fresh samples", 1.0, found)
      for name, found in ratios.items()))])

# %% tags=["nbval-check-output"]
page.expect("intervals by clip that hold the truth, of 95 %", covered["by clip"], high=0.85, why="too narrow")
page.expect("intervals by person that hold the truth", covered["by person"], low=0.9, why="seven people, and it knows")
page.expect("classes ignored: width over the true one", ratios["classes ignored"], low=1.5, why="too wide")
page.expect("classes known: width over the true one", ratios["classes known"], low=0.7, high=1.5)
page.measure("how often a 95 % interval holds a share of right answers, seven people counted by clip",
             covered["by clip"], decision="E4")
page.measure("the same, counted by person", covered["by person"], decision="E4")

# %% [markdown]
# So every interval of this book names its unit: a look of the procedural actions, a person, a source video, a sample. With fewer than ten units Student's factor makes it wide, and rightly. Shares get Wilson's form, which stays inside 0 and 1, for as many independent trials as their scatter is worth.
#
# ### Two numbers side by side
#
# Most questions are about two systems. Both distances were taken from the same real clips, so that a freak among these moves both. Take the influences of the **difference**: what the two share cancels. Two intervals that overlap may thus belong to systems that differ beyond doubt.

# %% tags=["nbval-check-output"]
real = random.normal(size=(n, width)) * np.exp(random.normal(size=(n, 1)) / 2)  # some clips lie far out
found = {}
for name, shift in (("weak", 0.3), ("weaker", 0.55)):
    samples = 1.3 * random.normal(size=(n, width)) + shift
    rows = metrics.frechet_influences(real, samples)
    found[name] = metrics.estimate(metrics.frechet_distance(real, samples),
                                   metrics.influence(metrics.drawn(n, "real"), rows[0]),
                                   metrics.influence(metrics.drawn(n, name), rows[1]))
apart = metrics.difference(found["weaker"], found["weak"])
print("the two intervals overlap:", not found["weak"].disjoint(found["weaker"]))
print("the interval of the difference leaves out zero:", 0 not in apart)

# %% [markdown]
# ## Two ways out of the bias
#
# An interval says how far the number moves; it does not bring it down to where infinitely many clips would put it. Two remedies are known. **Extrapolate:** the bias falls about as $1/N$, so measure on subsets and follow the
# line to $1/N = 0$ (`metrics.sweep`). Or **choose another distance:** the kernel distance compares all pairs of clips and leaves out those of a clip with itself; its expectation is right at every $N$
# (`metrics.kernel_distance`). Ours is tried on one cloud drawn twice, where both answers should be zero.

# %%
twins = random.normal(size=(2, 512, D))
line = metrics.sweep(metrics.frechet_distance, *twins, seed=page.seed)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
left.plot(1 / np.array(line.sizes), line.values, "o", color=INKS[0])
left.plot([0, 1 / line.sizes[0]], [line.at_infinity, line.at_infinity + (line.values[0] - line.at_infinity)], ":",
          color="0.5")
left.plot(0, line.at_infinity, "*", color=INKS[1], markersize=12, clip_on=False)
left.set(xlabel="1 / N", ylabel="Fréchet distance", xlim=(0, None))
for n in (8, 16, 32, 64, 128):
    kernels = [metrics.kernel_distance(*random.normal(size=(2, n, D))) for _ in range(12)]
    right.plot([n] * 12, kernels, ".", color=INKS[2])
right.axhline(0, color="0.5", linestyle=":")
right.set(xscale="log", xlabel="N clips a cloud", ylabel="kernel distance")
page.figure(fig, data=(),
            caption="One cloud drawn twice. Left: the line in 1/N ends near the truth. Right: the kernel distance "
                    "is right from the start, and noisier.",
            alt="Left: Fréchet distance of one cloud drawn twice, over one over N; points fall along a line that "
                "meets the axis near zero. Right: kernel distance over N; points scatter around zero.")

# %% tags=["nbval-check-output"]
page.expect("extrapolated distance of equal clouds, over the measured one", abs(line.at_infinity) / line.values[-1],
            high=0.35, why="the truth is 0")
# each could live on another machine
parts = [metrics.RunningMoments().add(half) for half in np.array_split(twins[0], 2)]
print("moments of two halves, merged, give the same distance:",
      np.isclose(metrics.frechet_distance(parts[0].merge(parts[1]).moments(), twins[1]),
                 metrics.frechet_distance(*twins)))

# %% [markdown]
# The second print is for sets that do not fit into memory: `RunningMoments` takes clips in chunks and joins what several machines have seen.
#
# ## The judge
#
# Both rulers look through a classifier. For Table 3 it is C3D by the lineage of its rows ([**E1**](12_claims_and_decisions.ipynb#E1)): eight 3×3×3 convolutions, five pools, three linear layers. Its published weights know
# UCF101: put them into `reference/` beside the data sets, and `metrics.judge_for` uses them on the real UCF101. Where a reader does not have them, the book trains a C3D on the training split, narrower and smaller
# where the profile is, with batch normalisation so that a minute is enough. It then has to pass an exam on the test split, which it never saw. Its last pool is called `pool5`, the first two linear layers `fc6` and `fc7`; distances here use `fc6` unless we say otherwise.
#
# One detail decides whether published weights mean anything. The last pool meets seven rows and takes them in twos. The original **rounds up**: {0,1} {2,3} {4,5} {6}. Popular ports pad
# instead, {·,0} {1,2} {3,4} {5,6}: same shape, no error message, other numbers.

# %% tags=["nbval-check-output"]
volume = torch.randn(1, 512, 2, 7, 7, generator=torch.Generator().manual_seed(page.seed))
rounded_up = torch.nn.MaxPool3d(2, 2, ceil_mode=True)(volume)
padded = torch.nn.MaxPool3d(2, 2, padding=(0, 1, 1))(volume)
print("shapes agree:", rounded_up.shape == padded.shape)
print(f"values agree: {(rounded_up == padded).float().mean():.0%}")
page.measure("share of the values that a padded last pool of C3D has in common with one that rounds up",
             (rounded_up == padded).float().mean(), decision="E1")

# %% [markdown]
# Now the training. `learning.judge` keeps its result under a key of data, recipe and code, so this cell is slow only once.

# %%
shape = learning.judge_shape(page)
train_clips, test_clips = page.dataset("actions", **shape), page.dataset("actions", split="test", **shape)
judge = learning.judge(page)
held_out, n_exam = metrics.real_clips(test_clips), min(len(test_clips), page.profile.samples)
moving = metrics.ask(judge, held_out, n_exam, seed=page.seed)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
left.plot([row.step for row in judge.history], [row.loss for row in judge.history], color=INKS[0])
left.axhline(np.log(test_clips.n_classes), color="0.5", linestyle=":")
left.set(xlabel="step", ylabel="cross-entropy (dotted: guessing)", ylim=(0, None))
right.imshow(moving.confusion, cmap="Blues")
right.set(yticks=range(len(judge.classes)), yticklabels=judge.classes, xticks=[], xlabel="named", ylabel="asked")
right.grid(False)
page.figure(fig,
            caption="The judge learns on the training split, and is examined on the test split.",
            alt="Left: the judge's loss over training steps. Right: held-out confusion matrix, asked class against "
                "named class, in shades of blue.")

# %% [markdown]
# What does it look at? The actions are told apart by how things move, so a judge of *videos* should be lost when we freeze each clip at its middle frame. Its score on real clips, not $K$, is
# the mark that a perfect copy of the data would reach: the ceiling of Table 3. A generator that flatters the judge can exceed it.

# %%
standing = metrics.ask(judge, metrics.frozen(held_out), n_exam, seed=page.seed)
rows = [{"clips": name, "named right": found.accuracy.value,
         "95 %": f"{found.accuracy.low:.2f} to {found.accuracy.high:.2f}",
         "Inception Score": metrics.inception_score(found.probabilities), "N": n_exam}
        for name, found in {"held-out clips": moving, "the same, frozen": standing}.items()]
page.table(rows, note=f"{judge.name}. The table draws one random window of a clip; in the exam, on the first windows, "
                      f"it names right: {judge.accuracy}; videos, from the mean of 4 windows each: "
                      f"{judge.video_accuracy}. Chance is {1 / len(judge.classes):.3f}; the highest possible score is "
                      f"{len(judge.classes)}. Protocol: {judge.way}.")

# %% [markdown]
# Whose marginal ([**E7**](12_claims_and_decisions.ipynb#E7)) and which labels ([**E3**](12_claims_and_decisions.ipynb#E3)) matter as much as the data make them matter. With $p(y)$ from the judge's answers to training clips instead of the same clips, the sum is another one; and a uniform choice of
# labels differs from one by frequency where classes differ in size. The ledger of [chapter 12](12_claims_and_decisions.ipynb) gets both.

# %%
from_training = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed).probabilities.mean(axis=0)
floored = np.maximum(moving.probabilities, 1e-12)
other_score = np.exp((floored * np.log(floored / np.maximum(from_training, 1e-12))).sum(axis=1).mean())
page.measure("score of held-out clips with the training clips' marginal, over that with their own",
             other_score / metrics.inception_score(moving.probabilities), decision="E7", data=[train_clips, test_clips])
sizes_of = np.bincount(train_clips.labels)
page.measure("most frequent class of the training clips over the rarest", sizes_of.max() / sizes_of[sizes_of > 0].min(),
             decision="E3", data=[train_clips])

# %% [markdown]
# ### One judge, three protocols
#
# "Inception Score on UCF101" has been computed in at least three ways ([**E1**](12_claims_and_decisions.ipynb#E1)). They differ in the number of clips, in how frames become 112×112 pixels, and in whether the clips are cut into parts before scoring. The last point alone, on
# the same answers of the same judge:

# %%
doubled = np.concatenate([moving.probabilities] * 2)[: max(20, n_exam)]
rows = []
for name, protocol in metrics.PROTOCOLS.items():
    mean, std, parts = protocol.score([doubled])
    rows.append({"protocol": name, "score here": mean, "std": std, "scores joined": len(parts),
                 "its samples": protocol.samples, "its repeats": protocol.repeats,
                 "frames become": "bicubic 128, crop 112" if protocol.through_128 else "bilinear 112",
                 "source": protocol.source})
    page.measure(f"score of the same answers to held-out clips, joined as by {name}", mean, decision="E1",
                 data=[test_clips])
page.table(rows, note=f"The judge's answers to {len(doubled)} real held-out clips, scored three ways. The last cuts "
                      "them into ten parts first. Only each protocol's scoring is applied here; the other columns "
                      "describe it.")

# %% [markdown]
# Ten small parts score lower than the whole, and nothing about the clips has changed: the average of a few answers is less even than that of many, so the score is biased *down* at small $N$, as the distance is biased up. In the tables of this book the first protocol's way of scoring is used: one split, several seeds, mean and population standard deviation.
#
# ### Which layer gives 100,000?
#
# Table 4 has distances of the order of $10^5$. The same held-out clips at three layers of our judge, and what each feature would have to differ by if the paper's smallest value on Golf were spread evenly over that layer at the
# published width:

# %%
from hrvgan_lib import paper
from hrvgan_lib.metrics.eyes.c3d import C3D

with torch.device("meta"):  # its shapes, without its 78 million weights
    published = C3D()
published_widths = {layer: published.feature_width(layer) for layer in ("pool5", "fc6", "fc7")}
rows, value = [], paper.frechet_row(paper.OURS).golf
for layer, width in published_widths.items():
    near, far = (metrics.ask(judge, source, n_exam, seed=page.seed, layer=layer)
                 for source in (held_out, metrics.frozen(held_out)))
    learned = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed, layer=layer)
    floor_here, frozen_here = near.distance(learned), far.distance(learned)
    rows.append({"layer": layer, "features here": near.features.shape[1], "mean feature": float(near.features.mean()),
                 "distance of held-out clips": floor_here, "of frozen clips": frozen_here,
                 "frozen, features x 10": 100 * frozen_here,
                 "paper's value per published feature": value / width, "as a gap of means": (value / width) ** 0.5})
    page.measure(f"distance of held-out clips from training clips at {layer}, N = {n_exam}", floor_here, decision="E2",
                 data=[train_clips, test_clips])
page.table(rows, note=f"N = {n_exam}. Ours: {judge.name}. Last two columns: {value:,} over the width of the published "
                      "layer, and its root.")

# %% [markdown]
# Any layer gives any order of magnitude once its features are large enough: a factor of ten in the features is a factor of hundred in the distance. Gaps of the size in the last column are plausible in a network without normalisation that reads pixels on the
# scale of 255; we have not tested it here, and they say nothing about quality. That is why the ratios of chapter 10 are the only bridge to Table 4.
#
# On GPUs the judge may compute in bfloat16, which multiplies numbers of eight bits and adds in float32. What does that change? We round the weights and every layer's result, which any CPU can do fast.

# %% tags=["nbval-check-output"]
from copy import deepcopy
from dataclasses import replace


def shorten(layer, given, result):
    """What bfloat16 keeps of a layer's result: eight bits of each number."""
    return result.bfloat16().float()


rough = deepcopy(judge.network)
for parameter in rough.parameters():
    parameter.data = parameter.data.bfloat16().float()
for layer in rough.modules():
    if not list(layer.children()):
        layer.register_forward_hook(shorten)
coarse = metrics.ask(replace(judge, network=rough), held_out, n_exam, seed=page.seed)
rounding = (metrics.frechet_distance(moving.features, coarse.features)
            / metrics.frechet_distance(standing.features, moving.features))
page.expect("distance between features in bfloat16 and in float32, over that between frozen and moving clips",
            rounding, high=0.02)

# %% [markdown]
# ## Damage by degrees
#
# > *Section 4.7.* "Fréchet Inception Distance is more accurate than Inception Score as it compares summary statistics of generated samples and real samples."
#
# **What it does not say.** More accurate at what ([**E2**](12_claims_and_decisions.ipynb#E2)). We can ask it of clips whose quality we control: real ones, damaged a little more at each step. A useful ruler moves the right way at every step, and early. Five kinds of damage, five degrees each
# (`metrics.damaged`): blur; noise; frames that do not arrive, so that the last one stands in; frames that change places; and fewer and fewer classes, each clip as good as ever.

# %%
train_clips, test_clips = page.dataset("actions"), page.dataset("actions", split="test")
held_out = metrics.real_clips(test_clips)
n_damage = 4 if page.rehearse else max(16, page.profile.samples // 2)
reference = metrics.ask(judge, metrics.real_clips(train_clips), n_damage, seed=page.seed)


def measure(kind, grade):
    seen = metrics.ask(judge, metrics.damaged(held_out, kind, grade), n_damage, seed=page.seed)
    return seen, metrics.inception_estimate(seen), metrics.frechet_estimate(reference, seen, tolerance=1e-6)


measured = {kind: [measure(kind, grade) for grade in metrics.GRADES] for kind in metrics.KINDS}
curves = {kind: [found[1:] for found in line] for kind, line in measured.items()}

# %%
fig, axes = plt.subplots(2, len(curves), figsize=(11, 4.4), sharex=True, sharey="row")
for column, (kind, found) in zip(axes.T, curves.items()):
    for pane, which, ink in zip(column, (0, 1), INKS):
        line = [pair[which] for pair in found]
        pane.plot(metrics.GRADES, [i.value for i in line], "o-", color=ink)
        pane.fill_between(metrics.GRADES, [i.low for i in line], [i.high for i in line], color=ink, alpha=0.2,
                          linewidth=0)
    column[0].set(title=kind)
    column[1].set(xlabel="degree")
axes[0, 0].set(ylabel="Inception Score")
axes[1, 0].set(ylabel="Fréchet distance")
page.figure(fig, name="evaluation_damage_figure", data=(train_clips, test_clips), samples=n_damage,
            caption="Both rulers on real held-out clips, over five degrees of five kinds of damage. Bands: 95 % "
                    "intervals.",
            alt="Two rows of five panels, one column for each kind of damage. Above: Inception Score over the "
                "degree of damage, falling. Below: Fréchet distance, rising. Bands are 95 % intervals.")

# %%
from functools import cache
from itertools import pairwise

from scipy.stats import kendalltau


def clearly(found, than, worse):
    """Whether a number is worse than another beyond doubt: by the interval of their paired difference."""
    change = metrics.difference(found, than)
    return change.high < 0 if worse < 0 else change.low > 0


def noticed(line, worse):
    """The first degree that is clearly worse than undamaged clips."""
    return min((grade for grade, found in zip(metrics.GRADES, line) if clearly(found, line[0], worse)), default=None)


rows = []
for kind, found in curves.items():
    for name, which, worse in (("Inception Score", 0, -1), ("Fréchet distance", 1, 1)):
        line = [pair[which] for pair in found]
        values = np.array([interval.value for interval in line])
        back = [b for a, b in pairwise(line) if worse * (b.value - a.value) < 0]  # steps in the wrong direction
        sure = [b for a, b in pairwise(line) if clearly(b, a, -worse)]
        rows.append({"damage": kind, "ruler": name, "undamaged": str(line[0]), "all of it": str(line[-1]),
                     "monotone": not back, "steps back": len(back), "of them beyond doubt": len(sure),
                     "Kendall's tau": worse * kendalltau(metrics.GRADES, values).statistic,
                     "noticed at degree": noticed(line, worse)})
page.table(rows, name="evaluation_damage", data=(train_clips, test_clips), samples=n_damage,
           note=f"Real held-out clips of {test_clips.describe()}; N = {n_damage}; judge {judge.digest}. Tau is 1 where "
                "every step goes the right way. Noticed: the first degree that is worse than undamaged clips "
                f"beyond doubt: the 95 % interval of the paired difference, by {test_clips.unit}, leaves out zero.")

# %%
taus = {name: [row["Kendall's tau"] for row in rows if row["ruler"] == name]
        for name in ("Inception Score", "Fréchet distance")}
for name, values in taus.items():
    print(f"{name}: monotone for {sum(row['monotone'] for row in rows if row['ruler'] == name)} "
          f"of {len(values)} kinds, mean tau {np.mean(values):.2f}")
steps_back = [f"{row['ruler']} under {row['damage']}" for row in rows if not row["monotone"]]
print("steps back:", "; ".join(steps_back) or "none")

# %% [markdown]
# Now by hand: choose a kind of damage and its strength, look at the clips, guess both numbers, and only then read them.

# %%
from hrvgan_lib.book.widgets import DamageSlider

DamageSlider(judge, held_out, reference, seed=page.seed).show()

# %% [markdown]
# Section 4.7 makes two statements that these curves can test. *More accurate than the score*: for each kind of damage the distance should go as steadily in the right direction as the score, by tau, and more steadily on the whole. We chose the five kinds by hand, so that no interval can be "over kinds"; each kind
# has to answer for itself, with an interval over clips. *A higher score means diversity without collapse*: the score should fall, by a tenth at least, when classes go, and so should that of one clip of each class, again and again. The negative controls are a distance whose degrees are read in any order, and half as many clips of all classes: neither may pass.

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


# the judge is a single training too, and what these rulers say they say through its eyes
seen_by_judge = judge.history[-1].step * judge.recipe.batch if judge.history else None
behind = {"data": [train_clips, test_clips], "sides": [book.Side("the judge", seen_by_judge, 0)]}
for kind in metrics.KINDS:
    lead = lead_over(kind)
    print(f"{kind}: tau of the distance less that of the score {lead}")
    page.measure(f"Kendall's tau under {kind}, the distance less the score", lead.value, interval=lead, low=0,
                 over=f"halves, by {test_clips.unit}", claim="fid-more-accurate", **behind)
lead = lead_over(*metrics.KINDS)
blind = lead_over(*metrics.KINDS, order=np.random.default_rng(1).permutation(len(metrics.GRADES)))
print(f"mean of the five kinds: {lead}; a ruler that reads the degrees in any order: {blind}")
page.measure("the same, mean of the five kinds", lead.value, interval=lead, low=0.01, claim="fid-more-accurate",
             over=f"halves, by {test_clips.unit}", controls=[book.control("the degrees in any order", blind)], **behind)

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
page.measure("score of real clips of a single class over that of all classes", fewer.value, interval=fewer,
             claim="is-diversity", high=0.9, controls=[book.control("half as many clips, all classes", as_varied)],
             **behind)
varied = metrics.inception_score(moving.probabilities)
draws = [np.random.default_rng(number) for number in range(20)]
collapsed = metrics.seed_interval([one_of_each(moving.probabilities, moving.labels, draw) / varied for draw in draws])
page.measure("score of one real clip of each class, repeated, over that of as many different clips", collapsed.value,
             interval=collapsed, over="20 choices of the repeated clips, from the same ones", claim="is-diversity",
             high=0.9, controls=[book.control("half as many clips, all classes", as_varied)], **behind)
print(f"one clip of each class, repeated: {collapsed} of the score of different clips; one class only: {fewer}; "
      f"half as many clips of all classes: {as_varied}")

# %% [markdown]
# Is the distance *more accurate*? Compare the kinds for which each ruler is monotone and tau, then *noticed at degree*: the steadier ruler need not be the earlier one.
#
# A step back whose difference may be zero is chance at this $N$. One beyond doubt needs an explanation: the ruler lies, or our degrees do not go from good to bad. Three cases are worth knowing. **The floor of the score:** once the judge sees nothing, it
# gives every clip the same answer, the score is 1, and more damage cannot lower it; the distance goes on moving there, between clouds that have nothing to do with actions any more. **Confident nonsense:** a judge that never met noise may call some of it *TaiChi* and some *JumpingJack*, with
# conviction, and the score rises. **Frames in another order** are a motion too, and a shuffle of all of them may look better to a judge of motion than one of most of them. *Fewer classes* should be noticed by both rulers, for different reasons: the score falls because fewer kinds are left, the distance rises
# because a part of the cloud is missing, though each clip is as good as ever.
#
# ## Floor, ceilings, and the system in between
#
# Now a trained system. Eight sources, each with the same number of clips, each compared with the same real clips of the training split ([**T4**](12_claims_and_decisions.ipynb#T4)): real clips of the **test** split (the floor of
# Eq. 17, the ceiling of Eq. 16), the same frozen and with their frames shuffled; three that show nothing, noise, the mean training clip again and again, and the generator before its first step; the trained system, and its samples frozen. White noise alone would be a generous landmark: everything
# else lies close to real clips beside it. So a row's position is taken from the *nearest* of the three. Conditional samples are asked for every class
# equally often. `metrics.panel` does all of it and keeps a record of each evaluation for chapter 10.

# %%
train_clips, test_clips = page.dataset("actions"), page.dataset("actions", split="test")
system, records = learning.trained(page, "hrvgan", labels=True)
note = training.describe(system, records)
panel = metrics.panel(system, train_clips, test_clips, judge, n=page.profile.samples, seeds=range(page.profile.repeats),
                      folder=page.runs / "evaluations", note=note, first_weights=page.seed)
ours = panel["hrvgan"]

# %%
def panel_row(name, record):
    mean, std = metrics.mean_and_std(record.inception_seeds)
    return {"clips": name, "Inception Score": record.inception.value,
            "IS 95 %": f"{record.inception.low:.2f} to {record.inception.high:.2f}",
            "IS over seeds": f"{mean:.2f} ± {std:.2f} ({len(record.seeds)})",
            "IS at infinite N": record.inception_infinity, "Fréchet distance": record.frechet.value,
            "FD 95 %": f"{record.frechet.low:.4g} to {record.frechet.high:.4g}",
            "FD at infinite N": record.frechet_infinity,
            "0 = real, 1 = nearest ceiling": metrics.position(
                record.frechet.value, panel["real"].frechet.value,
                [panel[ceiling].frechet.value for ceiling in metrics.CEILINGS]),
            "kernel distance": record.kernel.value,
            "kernel 95 %": f"{record.kernel.low:.3g} to {record.kernel.high:.3g}",
            "named right": None if record.accuracy is None else record.accuracy.value,
            "named 95 %": (None if record.accuracy is None
                           else f"{record.accuracy.low:.2f} to {record.accuracy.high:.2f}"),
            "N": record.n, "different videos": record.distinct}


page.table([panel_row(*item) for item in panel.items()], name="evaluation_panel", data=(train_clips, test_clips),
           samples=ours.n,
           note=f"Data: {ours.data}. {ours.note}. Judge: {ours.judge}, {ours.judge_accuracy:.0%} of held-out clips "
                f"right; features: {ours.layer}. Protocol: {ours.protocol}. Intervals: over samples, from all draws, "
                f"real clips by {test_clips.unit}; ± is the population standard deviation over draws, whose number "
                "stands in brackets; with one it says nothing. "
                "0 = real, 1 = nearest ceiling: of noise, the mean clip and the "
                "untrained network; above 1 is farther than that.")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
for row, (name, record) in enumerate(panel.items()):
    ink = book.SYSTEM_COLOURS[name.split()[0]]
    for axes, interval in ((left, record.inception), (right, record.frechet)):
        axes.plot([max(interval.low, 1e-9), interval.high], [row, row], color=ink, linewidth=6, solid_capstyle="butt",
                  alpha=0.5)
        axes.plot(interval.value, row, "o", color=ink)
left.set(yticks=range(len(panel)), yticklabels=panel, xlabel="Inception Score (higher is better)")
left.invert_yaxis()
right.set(xlabel=f"Fréchet distance, {ours.layer} (lower is better)", xscale="log",
          xlim=(0.3 * min(record.frechet.value for record in panel.values()), None))
page.figure(fig, name="evaluation_panel_figure", data=(train_clips, test_clips), samples=ours.n,
            caption="Every source between floor and ceiling, with 95 % intervals.",
            alt="Two panels of horizontal intervals, one row for each source. Left: Inception Score. Right: "
                "Fréchet distance on a logarithmic axis. Real clips score best on both; noise and frozen clips "
                "mark the other end.")

# %%
findings.tell(page, findings.samples)

# %% [markdown]
# Read the right panel from the floor. Real against real is not zero; bias alone may explain it, and where the line in $1/N$ overshoots below zero, read *not distinguishable from zero*. Floors of different sections are other draws and need not fall with N: beyond the number of different videos, further clips are new
# windows of old videos. Then look at *shuffled* (here an order of its own for each clip): where it beats the system, the rulers forgive broken time more readily than poor frames. Where the order of the rows differs left and right, neither is broken: the score asks only whether the judge is sure and its answers vary, the distance
# only whether two moments of the features agree.
#
# ### Other eyes
#
# Does the order of the rows depend on our judge? A network that somebody else trained, on photographs, is an independent witness of single frames. It cannot see motion at all: shuffled clips are real clips to it. Mind the order of magnitude, too, where the
# table is there: these features have no normalisation behind them and come from pixels on the scale of 255.

# %%
eye = metrics.frame_network(page.data_root)
if eye is None:
    print("no network of frames in reference/ beside the data sets (data/README.md names the file): "
          "this cell is skipped")
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
               note=f"{eye.name}, features averaged over frames, N = {n_eye}.")

# %% [markdown]
# ### What neither ruler says
#
# Does the clip move as much as real ones do? Does it move at all? Are two samples different? Is a sample a copy of a training clip? And how good are its frames, one by one? None of this needs a paper's metric, only a comparison with real clips.

# %%
page.table([{"clips": name} | {ruler: str(getattr(record, ruler)) for ruler in ("precision", "density", "recall",
                                                                               "coverage")}
            for name, record in panel.items()], name="evaluation_fidelity_variety", data=(train_clips, test_clips),
           samples=ours.n,
           note="Fidelity: precision, the share of clips in the ball of some training clip (the ball reaches to its "
                "fifth neighbour), and density, the number of such balls around a clip over five. Variety: recall, the "
                "share of training clips in the ball of some clip of the row, and coverage, the share of training "
                "clips with one in their own ball.")

# %% [markdown]
# *Fidelity* asks whether each clip looks like a real one, *variety* whether each real clip has its like; one number cannot hold both. *Mean clip* and *noise* show what nothing scores, *real* what a faultless system would. A judge who knows motion finds little of either in frozen clips.

# %%
page.table([{"clips": name, "frame distance": record.frame_frechet,
             **{key.replace("_", " "): value for key, value in vars(record.behaviour).items()}}
            for name, record in panel.items()],
           name="evaluation_behaviour", data=(train_clips, test_clips), samples=ours.n,
           note="Frame distance: Fréchet distance to training clips after every clip is reduced to its middle frame, "
                "standing still. Motion: median change from frame to frame over that of training clips. Motion gap: "
                "Wasserstein distance between the two distributions of it, over the median of training clips. "
                "Frozen: share of clips that change less than a tenth of that. Variety: median distance of two clips "
                "over that of real ones (thumbnails of 4x8x8). Nearest: distance to the nearest training clip over "
                "that of held-out clips; 0 is a copy.")

# %% [markdown]
# Compare each row with *real*, not with 1: the ratios are to training clips, and held-out clips need not vary as much. And distrust the first column: still frames go through a judge that is lost on still clips, so a small value there is no praise. A network of frames (above) is the better eye for it.

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
# These are the three of sixteen samples that came closest to a training clip. A copy would be the same clip twice.
#
# ## Does a sample do what it was asked?
#
# Neither metric knows the label that a conditional sample was asked for. The plainest test of conditioning is the judge's own verdict: ask for a class, let the judge name it, count. Guessing gives $1/K$. Because the
# judge of frozen clips is lost, the same samples frozen must do clearly worse, or the generator draws class-typical *pictures* and no motion.

# %%
asked = torch.arange(min(system.n_classes, 8))
samples = system.sample(len(asked), labels=asked, generator=torch.Generator().manual_seed(page.seed))
verdicts = judge.probabilities(samples).argmax(axis=1)
labels = [f"{judge.classes[a]}: {'yes' if a == v else judge.classes[v]}" for a, v in zip(asked.tolist(), verdicts)]
page.figure(book.clip_grid(samples, every=max(1, samples.shape[2] // 8), labels=labels, width=6),
            name="evaluation_samples", data=(train_clips,), samples=len(samples),
            caption="Generated samples: asked for, and named by the judge.",
            alt="Strips of generated clips, one row a class, eight frames each; to the left of each row the class "
                "that was asked for and the class that the judge named.")

# %%
page.film(samples, "evaluation_clips", columns=4, data=(train_clips,), samples=len(samples),
          caption="The same clips, moving; the classes in the order of the rows above.",
          alt="Two rows of four small films, one a class: a figure before a plain background, moving.")

# %%
still = panel["hrvgan frozen"]
print(f"data:    {ours.data}")
print(f"asked {ours.n} conditional samples, {system.n_classes} classes, chance {ours.chance:.3f}")
print(f"moving:  {ours.accuracy.value:.3f} named right, 95 % {ours.accuracy.low:.3f} to {ours.accuracy.high:.3f}")
print(f"frozen:  {still.accuracy.value:.3f} named right, 95 % {still.accuracy.low:.3f} to {still.accuracy.high:.3f}")
half_of_it = (ours.inception.high - ours.inception.low) / (2 * ours.inception.value)
page.measure("half width of the 95 % interval of our Inception Score, over the score", half_of_it, decision="E4",
             data=[train_clips], sides=[book.side_of("HRVGAN", system, records)])

# %% [markdown]
# The generator leaves the run as one file that needs nothing else, with a card that says what it can do. `checkpoints.load_generator` reads it.

# %%
page.model("hrvgan_generator", system, "HRVGAN's generator, conditional on the action", {
    "seen": f"{len(records):,} steps, {training.clips_seen(records):,} clips",
    "Inception Score": f"{ours.inception.value:.2f} [{ours.inception.low:.2f}, {ours.inception.high:.2f}]; real clips "
                       f"{panel['real'].inception.value:.2f}, noise {panel['noise'].inception.value:.2f}",
    "Fréchet distance": f"{ours.frechet.value:.4g} [{ours.frechet.low:.4g}, {ours.frechet.high:.4g}]; real clips "
                        f"{panel['real'].frechet.value:.4g}, noise {panel['noise'].frechet.value:.4g}",
    "named as asked": f"{ours.accuracy.value:.1%} [{ours.accuracy.low:.1%}, {ours.accuracy.high:.1%}] by a judge that "
                      f"is right on {ours.judge_accuracy:.0%} of real clips; chance {ours.chance:.1%}",
    "samples behind these": f"{ours.n}; intervals are 95 %, over samples",
}, data=(train_clips,), classes=train_clips.classes)

# %% [markdown]
# ## What we ask of a run
#
# A run that calls itself trained has to show it. From the `cpu` profile on we ask four things, in seven checks at one N: a judge that knows its subject; at least 200 conditional samples, which it names at least three times as often as
# guessing would, with the *lower* end of the interval; clearly fewer once frozen; and a distance below those of an untrained generator, of frozen real clips and of noise, beyond doubt. `smoke` trains for
# seconds and is not asked. A run on a GPU trains the full width at 64×64 and is asked for more: a judge that is right on nine of ten, a thousand samples, and six of ten of them named as asked, again at the lower end.

# %% tags=["nbval-check-output"]
def acceptance():
    long = page.profile.name in ("gpu", "paper")
    met = [
        page.expect("judge, share of held-out clips named right", judge.accuracy.value, low=0.9 if long else 0.8,
                    digits=3),
        page.expect("samples that were asked", ours.n, low=1000 if long else 200, digits=4),
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
    print("not asked of this profile: it trains for seconds, to show that everything runs. PROFILE=cpu is asked.")
else:
    acceptance()

# %% [markdown]
# ## Check yourself
#
# 1. A generator produces one perfect clip for each of 101 classes and nothing else. Its Inception Score? Its Fréchet distance, roughly?
# 2. Team A reports a distance of 40 from 2,048 clips, team B one of 44 from 512, same judge and layer. Who is ahead?
# 3. Why can noise score an Inception Score above 1?
#
# <details><summary>Answers</summary>
#
# 1. With a sure judge 101, the maximum. The distance is large: within a class nothing varies, so the covariance has lost most of its directions.
# 2. Nobody knows. B's estimate carries about four times A's bias; measured at one N, B may well be lower.
# 3. The judge must answer something. Wherever its answers differ a little from clip to clip, the divergence is above zero.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Give the closed form of the score for belief $c$ and $K$ covered classes, and check it against the curve above. *Expected: they agree.*
# 2. *(easy)* Some later papers cut the clips into ten parts and average ten scores. Do it with the judge's answers on held-out clips. *Expected: the score falls, and nothing about the clips changed.*
# 3. *(medium)* Shuffle the frames of the held-out clips. Does the distance notice? Does the accuracy? *Expected: for a judge of motion, both.*
# 4. *(medium)* Compute the distance of the frozen clips at `pool5`, `fc6` and `fc7`. *Expected: values several times apart; the order of the sources stays.*
# 5. *(hard)* The bias falls as $1/N$. Fit $d^2(N) = d^2_\infty + b/N$ on the known clouds and extrapolate. *Expected: closer to the closed form than the largest N measured.*

# %% tags=["solution"]
c = 0.9  # exercise 1: marginal uniform, so log K minus the entropy of one row
closed = K * np.exp(c * np.log(c) + (1 - c) * np.log((1 - c) / (K - 1)))
print("exercise 1, closed form agrees:", bool(np.isclose(closed, metrics.inception_score(known_answers(K, c)))))

order = random.permutation(n_exam)  # exercise 2
parts = [metrics.inception_score(moving.probabilities[part]) for part in np.array_split(order, min(10, n_exam // 2))]
print("exercise 2, ten parts score lower than the whole:",
      bool(np.mean(parts) < metrics.inception_score(moving.probabilities)))

# %% tags=["solution"]
order = torch.randperm(train_clips.frames, generator=torch.Generator().manual_seed(page.seed))  # exercises 3 and 4
held_out = metrics.real_clips(test_clips)
sources = {"held-out": held_out, "frozen": metrics.frozen(held_out),
           "shuffled": metrics.treated(held_out, "shuffled", lambda clips: clips[:, :, order],
                                       "frames in another order")}
rows = []
for layer in ("pool5", "fc6", "fc7"):
    real = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed, layer=layer)
    found = {name: metrics.ask(judge, source, n_exam, seed=page.seed, layer=layer) for name, source in sources.items()}
    rows.append({"layer": layer, "features": real.features.shape[1]}
                | {f"distance, {name}": metrics.frechet_distance(real.features, a.features)
                   for name, a in found.items()}
                | {f"named right, {name}": a.accuracy.value for name, a in found.items()})
page.table(rows, note=f"Exercises 3 and 4: Fréchet distance to clips of the training split, N = {n_exam}.")

# %% tags=["solution"]
sizes, truth = np.array([64, 128, 256, 512, 1024]), D * 0.5**2  # exercise 5
found = [np.mean([metrics.frechet_distance(cloud(n), cloud(n, shift=0.5)) for _ in range(8)]) for n in sizes]
slope, at_infinity = np.polyfit(1 / sizes, found, 1)
print("exercise 5, extrapolation beats the largest N:", bool(abs(at_infinity - truth) < abs(found[-1] - truth)))

# %% [markdown]
# ## What we now know
#
# - We computed both metrics from their equations in a few lines each, and both met their closed forms.
# - The Inception Score did not see real clips or variety within a class; the Fréchet distance did not see beyond two moments, and grew with the features' scale and with small N.
# - Influences gave intervals that fresh samples confirm, once they knew who is independent of whom; the bootstrap's interval missed its own estimate. Two systems are compared by the interval of their difference.
# - We damaged real clips by degrees, and saw where each ruler noticed and where it stepped back.
# - We read the system's numbers only between a floor and a ceiling, at one N, with the judge's own exam beside them.
#
# **Where next.** Chapter 09 looks at what lies *between* two samples. Chapter 10 puts these numbers beside Tables 3 and 4.

# %%
page.colophon()
