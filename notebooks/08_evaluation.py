# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · Two rulers and the judge behind both
#
# | | |
# |---|---|
# | **You will build** | the Inception Score (Eq. 16) and the Fréchet distance (Eq. 17) in a few lines each, intervals for both, and the classifier that they look through |
# | **Reads** | clips of the action data set; the system that chapter 06 trained (trained here if it is not there) |
# | **Writes** | the judge and its evaluations, for chapter 10; `evaluation_panel`, `evaluation_samples`, `evaluation_intervals` |
# | **Budget** | under half a minute on two cores at `smoke`; about two minutes at `cpu` |
#
# Tables 3 and 4 hold ten numbers, and the paper's claims rest on them. Before we measure a generator with these rulers we measure the rulers, on
# things whose score is known beforehand.
#
# **By the end you can**
#
# - compute both metrics from their equations and check them against closed forms;
# - say what each metric cannot see, and name a set of clips that fools it;
# - put an interval on a Fréchet distance, and show why the usual bootstrap is wrong there;
# - read a score only beside its floor and its ceiling, at one and the same number of clips.

# %% tags=["parameters"]
profile = "smoke"  # smoke, cpu, gpu or paper
seed = 0
data_root = ""  # folder with ucf101/ golf/ aeroplane/ weizmann/; empty: data/
actions = "ucf101"  # the labelled data set: ucf101 or weizmann
run = ""  # name of the results folder; empty: the profile's name
rehearse = False  # true shapes, two steps
allow_partial = False  # accept a data set that is there in part

# %%
from hrvgan_lib import book

page = book.open("08_evaluation", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import torch

from hrvgan_lib import metrics, training

INKS = ["#332288", "#AA4499", "#44AA99", "#882255"]  # for curves that are no system of ours
random = np.random.default_rng(page.seed)

# %% [markdown]
# ## One clip should be clear, many should differ (Eq. 16)
#
# > *Section 4.7.* "A higher inception score is preferred, which means the model can generate diverse images, thus avoiding the mode collapse issue."
# >
# > $$IS(\mathcal{G}) = \exp(\mathbb{E}_{\mathbf{x} \sim p_g} \mathcal{D}_{KL}(p(y | \mathbf{x}) || p(y))) \quad (16)$$
#
# **What it does not say.** Which classifier gives $p(y|x)$, for how many clips, at which resolution, how often (**E1**); which labels a conditional generator is asked
# for (**E3**: every class equally often); whose marginal $p(y)$ is (**E7**: the mean over the same clips).
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

# %% mystnb={"image": {"alt": "Inception Score over the number of classes covered, one to eight, for beliefs 1, 0.9 and 0.6. At belief 1 it is the identity line; at 0.9 it bends down and ends below five; at 0.6 it stays below two."}, "figure": {"caption": "The Inception Score counts classes, but only through the eyes of a sure judge. Dotted: score = number of classes.", "name": "fig-is-known"}}
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
page.figure(fig, alt="Inception Score over the number of covered classes for three beliefs.", data=())

# %% [markdown]
# Belief 0.9 sounds like a good judge and costs more than a third of the score. So a score belongs to its judge: the same number through another C3D is
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
# **What it does not say.** Which CNN, which layer, how many clips, which real ones (**E2**). Eq. 18 is a number without content: Eq. 17 is complete, and σ is Σ (**L13**).
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

# %% [markdown]
# The last line matters for Table 4. Its numbers are of the order of $10^5$, and nothing in Eq. 17 forbids that: the same clips give any value one likes once the features are scaled. A value without
# network, layer and $N$ compares with nothing; ratios within one set-up do.
#
# For bell curves Eq. 17 has a closed form: shifted by $s$ in each of $D$ coordinates, the distance is $D s^2$; stretched by $\sigma$, it is $D (\sigma - 1)^2$. Let us see
# whether samples find it.

# %% mystnb={"image": {"alt": "Left and middle: Fréchet distance over shift and over stretch; points from samples of 512 follow the closed-form curve slightly above it, points from 64 clips lie clearly above it. Right: distance between two samples of the same cloud falls with N on log axes along a line of slope minus one."}, "figure": {"caption": "Known distances in 32 dimensions: lines are the closed form, points are samples. Right: the true distance is zero, the estimate never is.", "name": "fig-fd-known"}}
D = 32


def cloud(n, shift=0.0, stretch=1.0):
    return stretch * random.normal(size=(n, D)) + shift


fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3))
shifts, stretches, sizes = np.linspace(0, 1, 6), np.linspace(1, 2, 6), np.array([16, 32, 64, 128, 256, 512, 1024])
left.plot(shifts, D * shifts**2, color="0.5")
middle.plot(stretches, D * (stretches - 1) ** 2, color="0.5")
for n, ink in zip((64, 512), INKS):
    left.plot(shifts, [metrics.frechet_distance(cloud(n), cloud(n, shift=s)) for s in shifts], "o", color=ink, label=f"N = {n}")
    middle.plot(stretches, [metrics.frechet_distance(cloud(n), cloud(n, stretch=s)) for s in stretches], "o", color=ink)
same = np.array([metrics.frechet_distance(cloud(n), cloud(n)) for n in sizes])
right.loglog(sizes, same, "o", color=INKS[2])
right.loglog(sizes, same[-1] * sizes[-1] / sizes, color="0.5", linestyle=":")
left.set(xlabel="shift", ylabel="Fréchet distance")
left.legend()
middle.set(xlabel="stretch")
right.set(xlabel="N clips a cloud", title="same cloud twice")
page.figure(fig, alt="Fréchet distance of sampled bell curves against the closed form, and its bias over N.", data=())

# %% [markdown]
# It does, from above. Two samples of *one* cloud are never at distance zero: the estimate starts high and falls about as $1/N$ (dotted). A system measured on more clips looks
# better for that reason alone. Hence the rule of this book: **two distances are compared at the same N, or not at all**, and a floor (real against real, at that N) stands beside
# them.

# %% tags=["nbval-check-output"]
page.expect("same cloud, 16 clips against 1,024", same[0] / same[-1], low=10, why="nothing changed but N")

# %% [markdown]
# ## How far would the number move? A failure on purpose
#
# Neither table of the paper has an error bar (**E4**). The textbook reflex is the bootstrap: draw $N$ clips out of the $N$ **with replacement**, many times, and look at the spread. Let us do that where we can
# check it. The clips are points of two known clouds, so we can also do what is impossible with a real data set: draw entirely new samples, again and again.

# %% mystnb={"image": {"alt": "Three horizontal bars. Fresh samples and half-sampling overlap around the same value. The bootstrap bar lies far to the right and does not contain the point estimate, drawn as a vertical line."}, "figure": {"caption": "Ninety-five per cent of fresh samples, the half-sample interval, and the bootstrap. Vertical line: the point estimate that both describe.", "name": "fig-intervals"}}
n, width = 64, 48


def draw_pair():
    return random.normal(size=(n, width)), 1.3 * random.normal(size=(n, width)) + 0.2


real, fake = draw_pair()
fresh = [metrics.frechet_distance(*draw_pair()) for _ in range(100)]
resampled = [metrics.frechet_distance(real[random.integers(n, size=n)], fake[random.integers(n, size=n)]) for _ in range(100)]
half = metrics.half_sample_interval(metrics.frechet_distance, real, fake, seed=page.seed)
bars = {"bootstrap": np.quantile(resampled, [0.025, 0.975]), "half-sampling": (half.low, half.high),
        "fresh samples": np.quantile(fresh, [0.025, 0.975])}

fig, axes = plt.subplots(figsize=(7, 2.2))
for row, ((low, high), ink) in enumerate(zip(bars.values(), INKS)):
    axes.plot([low, high], [row, row], color=ink, linewidth=8, solid_capstyle="butt")
axes.axvline(half.value, color="black", linewidth=1)
axes.set(yticks=range(len(bars)), yticklabels=bars, xlabel="Fréchet distance", ylim=(-0.6, 2.6))
page.figure(fig, name="evaluation_intervals", alt="Intervals of a Fréchet distance: fresh samples, half-sampling, bootstrap.", data=())

# %% tags=["nbval-check-output"]
low, high = bars["bootstrap"]
print("point estimate inside the bootstrap's interval:", bool(low <= half.value <= high))
print("point estimate inside the half-sample interval:", half.value in half)
page.expect("width of the half-sample interval, over that of fresh samples",
            (half.high - half.low) / np.ptp(bars["fresh samples"]), low=0.5, high=2.0)

# %% [markdown]
# The bootstrap's interval does not contain its own estimate. A resample repeats clips; repeated clips span fewer directions, the covariance loses rank, and the distance grows: it is the
# $1/N$ bias again, at the smaller number of *different* clips. So we draw **halves without replacement**. Between halves the statistic scatters exactly as much as between full samples
# ($1/(N/2) - 1/N = 1/N$), and we take only that scatter from them, never their level. (Here it errs on the wide side: half of 64 clips in 48 dimensions is a harder case than all of
# them.) Windows of one video are no independent evidence and stay on one side of the cut. Shares get Wilson's interval, `metrics.accuracy_interval`, which stays inside 0 and 1.

# %% [markdown]
# ## The judge
#
# Both rulers look through a classifier. For Table 3 it is C3D by the lineage of its rows (**E1**): eight 3×3×3 convolutions, five pools, three linear layers. Its published weights know
# UCF101; where a reader does not have them, the book trains a C3D on the training split, narrower and smaller where the profile is, with batch normalisation so that a minute is enough. It
# then has to pass an exam on the test split, which it never saw.
#
# One detail decides whether published weights mean anything. The last pool meets seven rows and takes them in twos. The original **rounds up**: {0,1} {2,3} {4,5} {6}. Popular ports pad
# instead, {·,0} {1,2} {3,4} {5,6}: same shape, no error message, other numbers.

# %% tags=["nbval-check-output"]
volume = torch.randn(1, 512, 2, 7, 7, generator=torch.Generator().manual_seed(page.seed))
rounded_up = torch.nn.MaxPool3d(2, 2, ceil_mode=True)(volume)
padded = torch.nn.MaxPool3d(2, 2, padding=(0, 1, 1))(volume)
print("shapes agree:", rounded_up.shape == padded.shape)
print(f"values agree: {(rounded_up == padded).float().mean():.0%}")

# %% [markdown]
# Now the training. `trained_judge` keeps its result under a key of data, recipe and code, so this cell is slow only once.

# %% mystnb={"image": {"alt": "Left: the judge's loss over training steps. Right: held-out confusion matrix, asked class against named class, in shades of blue."}, "figure": {"caption": "The judge learns on the training split, and is examined on the test split.", "name": "fig-judge"}}
shape = metrics.judge_shape(page.profile)
train_clips, test_clips = page.dataset("actions", **shape), page.dataset("actions", split="test", **shape)
judge = metrics.trained_judge(train_clips, test_clips, page.profile, seed=page.seed, folder=page.runs / "judges")
held_out, n_exam = metrics.real_clips(test_clips), min(len(test_clips), page.profile.samples)
moving = metrics.ask(judge, held_out, n_exam, seed=page.seed)

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(3, 2))
left.plot([row.step for row in judge.history], [row.loss for row in judge.history], color=INKS[0])
left.axhline(np.log(test_clips.n_classes), color="0.5", linestyle=":")
left.set(xlabel="step", ylabel="cross-entropy (dotted: guessing)", ylim=(0, None))
right.imshow(moving.confusion, cmap="Blues")
right.set(yticks=range(len(judge.classes)), yticklabels=judge.classes, xticks=[], xlabel="named", ylabel="asked")
right.grid(False)
page.figure(fig, alt="Training loss of the judge and its confusion matrix on held-out clips.")

# %% [markdown]
# What does it look at? The actions are told apart by how things move, so a judge of *videos* should be lost when we freeze each clip at its middle frame. Its own score on real clips is the
# most that any generator can hope for: the ceiling of Table 3.

# %%
standing = metrics.ask(judge, metrics.frozen(held_out), n_exam, seed=page.seed)
rows = [{"clips": name, "named right": found.accuracy.value, "95 %": f"{found.accuracy.low:.2f} to {found.accuracy.high:.2f}",
         "Inception Score": metrics.inception_score(found.probabilities), "N": n_exam}
        for name, found in {"held-out clips": moving, "the same, frozen": standing}.items()]
page.table(rows, note=f"{judge.name}. Chance is {1 / len(judge.classes):.3f}; the highest possible score is {len(judge.classes)}. "
                      "Its shape is that of the clips.")

# %% [markdown]
# ## Floor, ceilings, and the system in between
#
# Now the rulers meet clips. Six sources, each with the same number of clips, each compared with the same real clips of the training split (**T4**): real clips of the **test** split (the floor of
# Eq. 17, the ceiling of Eq. 16), the same frozen, noise, the generator before its first step, the trained system, and its samples frozen. Conditional samples are asked for every class
# equally often. `metrics.panel` does all of it and keeps a record of each evaluation for chapter 10.

# %%
train_clips, test_clips = page.dataset("actions"), page.dataset("actions", split="test")
system, records = training.trained("hrvgan", train_clips, page.profile, seed=page.seed, folder=page.runs / "checkpoints")
note = f"HRVGAN, conditional, preset {page.profile.preset}, {len(records)} steps, {train_clips.frames}x{train_clips.size}x{train_clips.size}"
panel = metrics.panel(system, train_clips, test_clips, judge, n=page.profile.samples, seeds=range(page.profile.repeats),
                      folder=page.runs / "evaluations", note=note)
ours = panel["hrvgan"]

# %%
def panel_row(name, record):
    mean, std = metrics.mean_and_std(record.inception_seeds)
    return {"clips": name, "Inception Score": record.inception.value, "IS 95 %": f"{record.inception.low:.2f} to {record.inception.high:.2f}",
            "IS over seeds": f"{mean:.2f} ± {std:.2f} ({len(record.seeds)})",
            "Fréchet distance": record.frechet.value, "FD 95 %": f"{record.frechet.low:.4g} to {record.frechet.high:.4g}",
            "named right": None if record.accuracy is None else record.accuracy.value,
            "named 95 %": None if record.accuracy is None else f"{record.accuracy.low:.2f} to {record.accuracy.high:.2f}",
            "N": record.n, "different videos": record.distinct}


page.table([panel_row(*item) for item in panel.items()], name="evaluation_panel", data=(train_clips, test_clips), samples=ours.n,
           note=f"Data: {ours.data}. {ours.note}. Judge: {ours.judge}, {ours.judge_accuracy:.0%} of held-out clips right; features: "
                f"{ours.layer}. Intervals: half-sampling of one draw; ± is the population standard deviation over seeds.")

# %% mystnb={"image": {"alt": "Two panels of horizontal intervals, one row for each source. Left: Inception Score. Right: Fréchet distance on a logarithmic axis. Real clips score best on both; noise and frozen clips mark the other end."}, "figure": {"caption": "Every source between floor and ceiling, with 95 % intervals.", "name": "fig-panel"}}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
for row, (name, record) in enumerate(panel.items()):
    ink = book.SYSTEM_COLOURS[name.split()[0]]
    for axes, interval in ((left, record.inception), (right, record.frechet)):
        axes.plot([max(interval.low, 1e-9), interval.high], [row, row], color=ink, linewidth=6, solid_capstyle="butt", alpha=0.5)
        axes.plot(interval.value, row, "o", color=ink)
left.set(yticks=range(len(panel)), yticklabels=panel, xlabel="Inception Score (higher is better)")
left.invert_yaxis()
right.set(xlabel=f"Fréchet distance, {ours.layer} (lower is better)", xscale="log",
          xlim=(0.3 * min(record.frechet.value for record in panel.values()), None))
page.figure(fig, name="evaluation_panel_figure", alt="Inception Score and Fréchet distance of six sources with intervals.",
            data=(train_clips, test_clips), samples=ours.n)

# %% [markdown]
# Read the right panel from the floor. Real against real is not zero: that is the bias at this N, plus the difference between videos that the judge learned from and videos that it never met. Then compare the order of
# the rows left and right. Where the two panels disagree, neither is broken: the score asks only whether the judge is sure and its answers vary, the distance only whether two moments of the features agree.
#
# Where a recorded run on a GPU is there, its panel stands here for comparison; otherwise this cell says so.

# %%
recorded = page.recorded("evaluation_panel.md")
if recorded is None:
    print("no recorded run yet: figures/gpu/evaluation_panel.md is written by PROFILE=gpu")
else:
    from IPython.display import Markdown, display
    display(Markdown("**Recorded on a GPU:**\n\n" + recorded.read_text()))

# %% [markdown]
# ## Does a sample do what it was asked?
#
# Neither metric knows the label that a conditional sample was asked for. The plainest test of conditioning is the judge's own verdict: ask for a class, let the judge name it, count. Guessing gives $1/K$. Because the
# judge of frozen clips is lost, the same samples frozen must do clearly worse, or the generator draws class-typical *pictures* and no motion.

# %% mystnb={"image": {"alt": "Strips of generated clips, one row a class, eight frames each; to the left of each row the class that was asked for and the class that the judge named."}, "figure": {"caption": "Generated samples: asked for, and named by the judge.", "name": "fig-samples"}}
asked = torch.arange(min(system.n_classes, 8))
samples = system.sample(len(asked), labels=asked, generator=torch.Generator().manual_seed(page.seed))
verdicts = judge.probabilities(samples).argmax(axis=1)
labels = [f"{judge.classes[a]}: {'yes' if a == v else judge.classes[v]}" for a, v in zip(asked.tolist(), verdicts)]
page.figure(book.clip_grid(samples, every=max(1, samples.shape[2] // 8), labels=labels, width=6), name="evaluation_samples",
            alt="Generated clips, one row a class, with the class asked for and the judge's verdict.",
            data=(train_clips,), samples=len(samples))

# %%
still = panel["hrvgan frozen"]
print(f"data:    {ours.data}")
print(f"asked {ours.n} conditional samples, {system.n_classes} classes, chance {ours.chance:.3f}")
print(f"moving:  {ours.accuracy.value:.3f} named right, 95 % {ours.accuracy.low:.3f} to {ours.accuracy.high:.3f}")
print(f"frozen:  {still.accuracy.value:.3f} named right, 95 % {still.accuracy.low:.3f} to {still.accuracy.high:.3f}")

# %% [markdown]
# ## What we ask of a run
#
# A run that calls itself trained has to show it. From the `cpu` profile on we ask five things, all at the same N: a judge that knows its subject; conditional samples that it names at least three times as often as
# guessing would, with the *lower* end of the interval; clearly fewer once frozen; and a distance whose interval lies wholly below those of an untrained generator, of frozen real clips and of noise. `smoke` trains for
# seconds and is not asked.

# %% tags=["nbval-check-output"]
def acceptance():
    met = [
        page.expect("judge, share of held-out clips named right", judge.accuracy.value, low=0.8, digits=3),
        page.expect("samples that were asked", ours.n, low=200, digits=4),
        page.expect("lower 95 % bound of samples named right, over chance", ours.accuracy.low / ours.chance, low=3, digits=3),
        page.expect("the same samples frozen: upper bound below the moving ones' lower bound, gap",
                    ours.accuracy.low - still.accuracy.high, low=0, digits=3),
    ]
    for rival in ("untrained", "frozen", "noise"):
        other = panel[rival].frechet
        met.append(page.expect(f"Fréchet distance, upper bound {ours.frechet.high:.4g}, below the lower bound of {rival}, {other.low:.4g}",
                               ours.frechet.high, high=other.low))
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
# 4. *(medium)* Compute the distance of the frozen clips at `pool5`, `fc6` and `fc7`. *Expected: values of different orders; the order of the sources stays.*
# 5. *(hard)* The bias falls as $1/N$. Fit $d^2(N) = d^2_\infty + b/N$ on the known clouds and extrapolate. *Expected: closer to the closed form than the largest N measured.*

# %% tags=["solution", "hide-input"]
c = 0.9  # exercise 1: marginal uniform, so log K minus the entropy of one row
closed = K * np.exp(c * np.log(c) + (1 - c) * np.log((1 - c) / (K - 1)))
print("exercise 1, closed form agrees:", bool(np.isclose(closed, metrics.inception_score(known_answers(K, c)))))

order = random.permutation(n_exam)  # exercise 2
parts = [metrics.inception_score(moving.probabilities[part]) for part in np.array_split(order, min(10, n_exam // 2))]
print("exercise 2, ten parts score lower than the whole:", bool(np.mean(parts) < metrics.inception_score(moving.probabilities)))

# %% tags=["solution", "hide-input"]
order = torch.randperm(train_clips.frames, generator=torch.Generator().manual_seed(page.seed))  # exercises 3 and 4
held_out = metrics.real_clips(test_clips)
sources = {"held-out": held_out, "frozen": metrics.frozen(held_out),
           "shuffled": metrics.treated(held_out, "shuffled", lambda clips: clips[:, :, order], "frames in another order")}
rows = []
for layer in ("pool5", "fc6", "fc7"):
    real = metrics.ask(judge, metrics.real_clips(train_clips), n_exam, seed=page.seed, layer=layer)
    found = {name: metrics.ask(judge, source, n_exam, seed=page.seed, layer=layer) for name, source in sources.items()}
    rows.append({"layer": layer, "features": real.features.shape[1]}
                | {f"distance, {name}": metrics.frechet_distance(real.features, a.features) for name, a in found.items()}
                | {f"named right, {name}": a.accuracy.value for name, a in found.items()})
page.table(rows, note=f"Exercises 3 and 4: Fréchet distance to clips of the training split, N = {n_exam}.")

# %% tags=["solution", "hide-input"]
sizes, truth = np.array([64, 128, 256, 512, 1024]), D * 0.5**2  # exercise 5
found = [np.mean([metrics.frechet_distance(cloud(n), cloud(n, shift=0.5)) for _ in range(8)]) for n in sizes]
slope, at_infinity = np.polyfit(1 / sizes, found, 1)
print("exercise 5, extrapolation beats the largest N:", bool(abs(at_infinity - truth) < abs(found[-1] - truth)))

# %% [markdown]
# ## What we now know
#
# - We computed both metrics from their equations in a few lines each, and both met their closed forms.
# - The Inception Score did not see real clips or variety within a class; the Fréchet distance did not see beyond two moments, and grew with the features' scale and with small N.
# - Halves without replacement gave an interval that fresh samples confirm; the bootstrap's interval missed its own estimate.
# - We read the system's numbers only between a floor and a ceiling, at one N, with the judge's own exam beside them.
#
# **Where next.** Chapter 09 looks at what lies *between* two samples. Chapter 10 puts these numbers beside Tables 3 and 4.

# %%
page.colophon()
