# %% [markdown]
# # 07 · Predicting the frames that follow
#
# | | |
# |---|---|
# | **You will build** | a generator that continues a clip, a discriminator that sees past and future as one clip, and a scale of nearness for single frames |
# | **Reads** | the action data set, the judge of chapter 08, the predictors of the run; all made here where they are not there yet |
# | **Writes** | `prediction_measures`, `prediction_curves`, `prediction_strips`, `prediction_film`, `predictor` (weights with a card); a claim and five decisions |
# | **Budget** | under a minute on two cores at `smoke`; at `cpu` some minutes, most of them for training |
#
# The title of the paper promises generation. Its equations and its algorithm speak of something else: they take frames $X$ and ask for the frames $Y$ that follow. Both use the same networks and the same losses. This
# chapter builds the second task and asks what each of the two losses is good for.
#
# A figure or table of the recorded run stands first, with where it comes from below it; the same from your own run follows, small or folded.
# What a cell prints, and every figure without a recorded twin, is of your own run: at `smoke` that measures the recorded systems again, on
# few samples.
#
# **By the end you can**
#
# - cut a clip into past and future so that the paper's Table 2 fits both together;
# - name two predictions that need no learning, and say why every predictor has to be held against them;
# - explain why a mean squared error asks for blur, and measure sharpness so that noise does not count as sharp;
# - continue a video of your own from the shell.

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

page = book.open_page("07_prediction", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from hrvgan_lib import metrics, paper
from hrvgan_lib.book import findings, learning
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import trace
from hrvgan_lib.streams import stream
from hrvgan_lib.trainings import FORECAST_CHOICES, FORECASTS

# %% [markdown]
# ## What the paper says
#
# > **Section 4.2.** "Let input sequence frames of a video be denoted by $X = X_1, \dots, X_m$ and frames to be predicted in sequence by $Y = Y_1, \dots, Y_n$."
# >
# > **Section 4.5.** "Generator in the GAN architecture can be used to predict a sequence of frames Y from a sequence of frames X by minimizing the pixel-wise distance between the predicted and the actual frame."
#
# Eq. 10 is that distance, Eqs. 12 to 14 the adversarial losses of a discriminator that sees $X$ with a true or with a predicted $Y$, and Eq. 15 their sum:
#
# $$\mathcal L_{mse} = \|G(X) - Y\|^2 \qquad \mathcal L^G_{adv} = \lambda_1 L_{bce}(D(X, G(X)) - k,\ 1) \qquad \mathcal L = \alpha\,\mathcal L^G_{adv} + \beta\,\mathcal L_{mse}$$
#
# > **What it does not say.** How many frames $m$ and $n$ are ([**T2**](12_claims_and_decisions.ipynb#T2)); how frames enter a generator whose Table 1 starts from a vector ([**T1**](12_claims_and_decisions.ipynb#T1)); how $D$ takes two
# > sequences ([**L12**](12_claims_and_decisions.ipynb#L12)). It shows no predicted frame and gives no number for one.
#
# ## Past and future of a clip
#
# Table 2 takes 32 frames. So we give $G$ the first 16 and ask for the other 16, and $D$ sees both as one clip of 32. Smaller cuts of the table are halved in the same way. We look at clips of the test split, which nothing here learns from.

# %%
train_set, test_set = page.dataset("actions"), page.dataset("actions", split="test")
long_enough = test_set.unpadded()  # a clip that ends too soon would repeat its last frame, which is no future
if len(long_enough) == 0:
    raise ValueError(f"{test_set.describe()}: none is {(test_set.frames - 1) * test_set.stride + 1} frames long")
chance = stream("held-out clips", page.seed)
numbers = long_enough[torch.randperm(len(long_enough), generator=chance)][: page.profile.samples]
clips, labels = test_set.batch(numbers, chance)
n, m = len(clips), train_set.frames // 2
given, truth = clips[:, :, :m], clips[:, :, m:]
draw = metrics.draw_of(test_set, numbers)  # whose clips they are: what an interval is over
every = max(1, test_set.frames // 8)
page.figure(book.clip_grid(clips[:4], every=every, labels=[test_set.classes[label] for label in labels[:4]]),
            data=[test_set],
            caption="Held-out clips. The left half of each row is given, the right half is what has to be "
                    "predicted.",
            alt="Four clips as rows of frames: the first half is given, the second half is to be predicted.")
print(f"{n} held-out clips of {len(set(draw.units))} {draw.unit}s, {len(test_set) - len(long_enough)} too short; "
      f"{m} frames given, {test_set.frames - m} to predict, {test_set.stride} frames of the video apart")

# %% [markdown]
# ## Two predictions that need no learning
#
# The first holds the last frame: nothing moves. The second lets every pixel go on as it changed between the last two frames. Both are hard to beat for a moment, since little happens from one frame to the next. Nearness is measured frame by frame as the *peak
# signal-to-noise ratio* (PSNR), the mean squared error on a logarithmic scale: $10 \log_{10}(2^2 / \text{mse})$ in decibels for pixels in $[-1, 1]$. Three decibels more are half the error.

# %% tags=["nbval-check-output"]
def psnr(predicted, true):
    """(N, 3, T, S, S) twice -> (N, T): decibels, frame by frame."""
    return 10 * torch.log10(4 / (predicted - true).square().mean(dim=(1, 3, 4)))


held, line = metrics.last_frame(given, truth.shape[2]), metrics.straight_line(given, truth.shape[2])
mine, theirs = psnr(held, truth).double(), torch.from_numpy(metrics.psnr(held, truth))
moving = mine < 50  # beyond it the library counts no digits that bytes cannot hold
page.expect("largest difference to the library's PSNR, dB", (mine - theirs)[moving].abs().max(), high=1e-3)

# %%
falls = metrics.psnr(held, truth)
first_less_last = metrics.mean_estimate(falls[:, 0] - falls[:, -1], draw)
print(f"the held frame: {falls[:, 0].mean():.1f} dB at the first predicted frame, {falls[:, -1].mean():.1f} dB "
      f"at the last; it falls by {first_less_last}")
page.expect("fall of the held frame's PSNR from the first predicted frame to the last, dB", first_less_last.value,
            low=0, why="the longer the wait, the more has moved", digits=2)

# %% [markdown]
# ## G reads X, D reads both
#
# $G$ is two networks that the book has already built: the trunk of Table 2 reads $X$ down to a map of 128×4×4×4, and Table 1 goes on from there where it would otherwise go on from its fully-connected row. With 16 frames instead of 32 both leave out one doubling of time.
# In the configuration called *stable* $G$ writes how much the pixels change against the last frame of $X$: the background is there already, and at the start, when $G$ writes nothing, it holds the last frame. Here is everything that a training step needs, on a small cut:

# %% tags=["nbval-check-output"]
small = build_system("prediction", frames=8, size=16, width=1 / 8, preset="literal")
batch = page.dataset("actions", frames=8, size=16).batch(range(4))[0]
X, Y = batch[:, :, :4], batch[:, :, 4:]
G, D, k = small.generator, small.discriminator, small.config.k

predicted = G(X)
real, fake = D(torch.cat([X, Y], dim=2)), D(torch.cat([X, predicted], dim=2))  # one clip of m + n frames
eq_10 = (predicted - Y).square().mean()
eq_12 = F.softplus(-(fake - k)).mean()  # -log sigmoid(D(X, G(X)) - k)
eq_13_14 = F.softplus(-(real - k)).mean() + F.softplus(fake - k).mean()
eq_15 = small.config.alpha * eq_12 + small.config.beta * eq_10

print("X, Y and G(X):", *(tuple(clip.shape[1:]) for clip in (X, Y, predicted)))
noise = stream("none is drawn")
for name, ours, theirs in (("Eq. 15", eq_15, small.generator_losses(batch, None, noise)),
                           ("Eqs. 13-14", eq_13_14, small.discriminator_losses(batch, None, noise))):
    page.expect(f"{name}: difference to the library", (ours - sum(theirs.values())).detach().abs(), high=1e-5)

# %% [markdown]
# Algorithm 1 then alternates: a batch $(X, Y)$ for a step of $D$ down Eqs. 13-14, another batch for a step of $G$ down Eq. 15. Nothing in the loop of [chapter 06](06_training_loop.ipynb) had to change for it: a predictor is one more `System`. Here is the paper's
# Figure 1 as it runs at the paper's shape, drawn from the modules themselves.

# %%
def stages_of(rows):
    """Shapes (channels, frames, side) along a traced network, one for each change."""
    shapes = [row.shape[:3] if len(row.shape) == 4 else (*row.shape, 1, 1) for row in rows]
    return [shape for shape, before in zip(shapes, [None, *shapes]) if shape != before]


def blocks(axis, shapes, left, middle, colours):
    """One block for each shape, as high as the logarithm of its side; returns where the next one may stand."""
    for (channels, frames, side), colour in zip(shapes, colours):
        height = 0.25 + 0.28 * max(side, 1).bit_length()
        axis.add_patch(plt.Rectangle((left, middle - height / 2), 0.72, height, color=colour, alpha=0.75))
        axis.text(left + 0.36, middle - height / 2 - 0.14, f"{channels}×{frames}×{side}", ha="center", va="top",
                  fontsize=5.5, rotation=90)
        left += 0.9
    return left


E_COLOUR, G_COLOUR, D_COLOUR, CLIP = "#009E73", "#0072B2", "#D55E00", "#000000"
full = paper.SETTINGS
with torch.device("meta"):
    whole = build_system("prediction", frames=full.frames, size=full.size, preset="literal").eval()
    past = torch.empty(1, 3, full.frames // 2, full.size, full.size)
    pair = torch.empty(1, 3, full.frames, full.size, full.size)
rows_G, rows_D = trace(whole.generator, past), trace(whole.discriminator, pair)

shapes_G, shapes_D = stages_of(rows_G), stages_of(rows_D)
middle = shapes_G.index(next(shape for shape in shapes_G if shape[2] == 4))  # the map that E hands over
fig, axis = plt.subplots(figsize=(11, 6.2))
blocks(axis, [tuple(past.shape[1:4])], 0, 3, [CLIP])
end = blocks(axis, shapes_G, 1.1, 3, [E_COLOUR] * middle + [G_COLOUR] * (len(shapes_G) - middle - 1) + [CLIP])
blocks(axis, [tuple(pair.shape[1:4])], 0, -2, [CLIP])
blocks(axis, shapes_D, 1.1, -2, [D_COLOUR] * len(shapes_D))
for x, y, words, colour in ((0.4, 4.8, "X", CLIP), (1.1 + 0.45 * middle, 4.8, "E reads", E_COLOUR),
                            (1.1 + 0.45 * (middle + len(shapes_G)), 4.8, "Table 1 writes", G_COLOUR),
                            (end - 0.5, 4.8, "Y", CLIP), (0.4, -0.2, "X, Y", CLIP),
                            (1.1 + 0.45 * len(shapes_D), -0.2, "D judges the pair", D_COLOUR)):
    axis.text(x, y, words, fontsize=11, ha="center", color=colour)
axis.set(xlim=(-0.3, end), ylim=(-4.6, 5.2))
axis.axis("off")
page.figure(fig, name="fig1_prediction", data=(),
            caption="Figure 1 of the paper as it runs: X through the trunk E and Table 1 to Y (above), and D, "
                    "which sees X and Y together (below). Height: side of a map; number: channels x frames x side.",
            alt="Blocks from left to right: the 16 given frames shrink through E to a map of 128x4x4x4, which "
                "grows through G to 16 predicted frames. Below, D takes all 32 frames down to one number.")
G_size, D_size = (sum(p.numel() for p in network.parameters()) for network in (whole.generator, whole.discriminator))
print(f"parameters: G {G_size:,}, D {D_size:,}")

# %% [markdown]
# ## Two losses, together and apart
#
# Three predictors learn from the same clips in the same order, for the same number of steps: one with Eq. 15 as it stands, one without its adversarial term ($\alpha = 0$), one without its pixel term ($\beta = 0$). Three more change one choice each, and are compared with Eq. 15 after
# as many steps as they had.

# %%
predictors, records = {}, {}
for arm in FORECASTS:
    predictors[arm], records[arm] = learning.predictor(page, arm)
    page.took(f"training, {arm}", records[arm][-1].seconds if records[arm] else 0.0)
REFERENCE = "combined" if page.profile.choice_steps == page.profile.prediction_steps else "combined, as short"
predictors[REFERENCE], records[REFERENCE] = learning.predictor(page, "combined", short=True)
for arm in FORECAST_CHOICES:
    predictors[arm], records[arm] = learning.predictor(page, arm)
    page.took(f"training, {arm}", records[arm][-1].seconds if records[arm] else 0.0)
clips_seen = {arm: found[-1].clips_seen if found else 0 for arm, found in records.items()}
futures = {"last frame held": held, "straight line": line}
for arm, predictor in predictors.items():
    futures[arm] = predictor.predict(given, generator=stream("futures", page.seed))
print(f"clips seen: {clips_seen['combined']:,} by each of the three, {clips_seen[REFERENCE]:,} by each choice; width "
      f"{page.profile.width:g}, {train_set.frames} frames of {train_set.size}x{train_set.size}")

# %%
SHOWN = ("last frame held", "MSE only", "combined", "adversarial only")
motion = (clips[:, :, -1] - clips[:, :, m - 1]).abs().flatten(1).mean(dim=1)
liveliest = motion.argsort(descending=True)[:2].tolist()  # where there is something to predict
rows, names = [], []
for number in liveliest:
    for name in ("truth", *SHOWN):
        future = truth if name == "truth" else futures[name]
        rows.append(torch.cat([given[number], future[number]], dim=1))
        names.append(name)
page.figure(book.clip_grid(torch.stack(rows), every=every, labels=names), name="prediction_strips",
            data=[train_set, test_set], samples=2,
            caption="Two held-out clips. Each row starts with the same given frames; the right half is the truth, "
                    "or what a predictor makes of it.",
            alt="For two clips, rows of frames: truth, last frame held, MSE only, combined, adversarial only. The "
                "left half of each row is the same given past.")

# %%
film = torch.stack([torch.cat([given[liveliest[0]], future[liveliest[0]]], dim=1)
                    for future in (truth, *(futures[name] for name in SHOWN))])
page.film(film, name="prediction_film", data=[train_set, test_set], samples=1, fps=max(2, 25 // test_set.stride),
          caption="The first of the two clips, moving: truth, then each prediction.",
          alt="Moving clips side by side: truth, last frame held, MSE only, combined, adversarial only; the clip "
              "starts from the same frames in all of them.")

# %% [markdown]
# ## Three measures of a frame
#
# PSNR looks at pixels one by one. *Structural similarity* (SSIM, Wang et al. 2004) compares means, contrasts and correlations in a window of 11 pixels. Neither says whether a frame is *sharp*, and the obvious measure, how steep the
# picture is on average, can be bought: white noise is steep everywhere. So we compare how the steepness is *distributed* over the pixels. A true frame is flat in most places and steep at few edges. Blur lacks the steep ones, noise lacks
# the flat ones, and both are far from it. The *edge gap* is the Wasserstein distance of the two distributions, over the true frame's mean steepness: 0 is like the truth, 1 is a frame without any edge.

# %% tags=["nbval-check-output"]
def blur(clips):
    """Each frame after a 3x3 mean."""
    return F.avg_pool3d(F.pad(clips, (1, 1, 1, 1, 0, 0), mode="replicate"), (1, 3, 3), stride=1)


soft = blur(blur(truth))
grainy = metrics.with_noise(soft, truth, page.seed)  # as steep on average as the truth
gap = {name: metrics.edge_gap(future, truth).mean() for name, future in
       (("truth", truth), ("blurred", soft), ("blurred, with noise", grainy))}
page.expect("mean steepness of the noisy frames over that of the true ones",
            metrics.edges(grainy).mean() / metrics.edges(truth).mean(), low=0.95, high=1.05)
page.expect("edge gap of the truth", gap["truth"], high=1e-9)
page.expect("edge gap of blur with noise over that of blur", gap["blurred, with noise"] / gap["blurred"], low=1.0,
            why="noise is not detail, and the gap says so")

# %% [markdown]
# Now all three for every prediction, frame by frame. Bands are 95 % intervals over the independent units behind the clips, the people or the looks, not over clips.

# %%
futures["MSE only, with noise"] = metrics.with_noise(futures["MSE only"], truth, page.seed)
measured = {name: metrics.forecast(future, truth, draw) for name, future in futures.items()}
COLOURS = {"last frame held": "#000000", "straight line": "#999999", "MSE only": "#0072B2", "combined": "#D55E00",
           "adversarial only": "#CC79A7"}
ahead = torch.arange(1, truth.shape[2] + 1)
fig, axes = plt.subplots(1, 3, figsize=(11, 3.2))
for axis, measure in zip(axes, metrics.MEASURES):
    for name, colour in COLOURS.items():
        curve = measured[name].curves[measure]
        axis.plot(ahead, [one.value for one in curve], "o-", markersize=3, color=colour, label=name)
        axis.fill_between(ahead, [one.low for one in curve], [one.high for one in curve], color=colour, alpha=0.15,
                          linewidth=0)
    axis.set(title=measure, xlabel="frame behind the last given one", xticks=ahead[:: max(1, len(ahead) // 4)])
axes[0].set(ylabel="dB")
low, high = axes[0].get_ylim()
axes[0].set_ylim(max(low, 0), high)
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(COLOURS),
           frameon=False)
page.figure(fig, name="prediction_curves", data=[train_set, test_set], samples=n,
            caption="Nearness of the predicted frames to the true ones. Bands: 95 % intervals over the units "
                    "behind the clips.",
            alt="Three panels over the predicted frames: PSNR, SSIM and edge gap; one curve with a band for each "
                "prediction.")

# %% [markdown]
# A table holds the second half of the horizon, where predicting is harder, and beside it what no comparison with a single true future can give: the Fréchet distance between predicted and true clips in the judge's features. Both sides are whole clips, $X$ and $Y$ together, and start from the same $X$.

# %%
judge = learning.judge(page)
source = metrics.real_clips(test_set)
true_answers = metrics.ask(judge, source, n, seed=page.seed)


def distance_of(name):
    """Fréchet distance of the clips as this prediction continues them, from the same clips as they went on."""
    if name in predictors:
        shown = metrics.continued(source, name, predictors[name])
    elif name in ("last frame held", "straight line"):
        rule = metrics.last_frame if name == "last frame held" else metrics.straight_line
        shown = metrics.half_predicted(source, name, m, lambda seen: rule(seen, test_set.frames - m), name)
    else:
        return None
    return metrics.frechet_estimate(true_answers, metrics.ask(judge, shown, n, seed=page.seed))


def less_held(name, measure):
    """A measure over the second half of the horizon, less that of the last frame held: paired, clip by clip."""
    return metrics.difference(measured[name].late[measure], measured["last frame held"].late[measure])


table = []
for name, found in measured.items():
    far, late = distance_of(name), found.late
    row = {"prediction": name + (" (diverged)" if name in predictors and predictors[name].diverged else "")}
    row |= {"clips seen": clips_seen.get(name), "PSNR, dB": f"{late['PSNR']}"}
    row |= {"less held, dB": f"{less_held(name, 'PSNR')}", "SSIM": f"{late['SSIM']}"}
    table.append(row | {"edge gap": f"{late['edge gap']}", "Fréchet distance": "" if far is None else f"{far}"})
page.table(table, name="prediction_measures", data=[train_set, test_set], samples=n,
           note=f"Means over frames {truth.shape[2] // 2 + 1} to {truth.shape[2]} behind the last given one, {n} "
                f"held-out clips of {len(set(draw.units))} {draw.unit}s, 95 % intervals over these.")
findings.tell(page, findings.prediction)

# %%
LEAST = -10 * math.log10(1 - metrics.LEARNED)  # dB: a tenth of the squared error of the untrained network is gone
sides, starts = {}, {}
for arm, predictor in predictors.items():
    before = metrics.untrained(predictor, page.seed).predict(given, generator=stream("futures", page.seed))
    starts[arm] = metrics.forecast(before, truth, draw).late["PSNR"]
    gone = metrics.difference(measured[arm].late["PSNR"], starts[arm])
    sides[arm] = book.side_of(f"predictor, {arm}", predictor, records[arm], gone.low > LEAST)
    print(f"{arm}: {gone} dB nearer than before its first step; it counts as trained from {LEAST:.2f} on")
gain = less_held("combined", "PSNR")
page.measure("PSNR over the second half of the horizon, combined objective less last frame held, dB", gain.value,
             interval=gain, low=0, claim="prediction", data=[train_set, test_set], sides=[sides["combined"]],
             controls=[book.control("before its first step", metrics.difference(
                 starts["combined"], measured["last frame held"].late["PSNR"]))])
sharper = metrics.difference(measured["MSE only"].late["edge gap"], measured["combined"].late["edge gap"])
for what, found, decision in (
    ("edge gap, MSE only less combined objective (above 0: the combined one is nearer to the truth)", sharper, "L9"),
    ("PSNR, combined objective less MSE only, dB",
     metrics.difference(measured["combined"].late["PSNR"], measured["MSE only"].late["PSNR"]), "L9"),
    ("PSNR, change of the last frame less frames from nothing, dB",
     metrics.difference(measured[REFERENCE].late["PSNR"], measured["frames, not their change"].late["PSNR"]), "T2"),
    ("PSNR, map of 128x4x4x4 less one vector of 128, dB",
     metrics.difference(measured[REFERENCE].late["PSNR"], measured["one vector"].late["PSNR"]), "T2"),
):
    page.measure(what, found.value, interval=found, decision=decision, data=[train_set, test_set],
                 sides=[sides[REFERENCE if decision == "T2" else "combined"]])
    print(f"{what}: {found}")

# %% [markdown]
# Read the intervals before the numbers. Where one of a difference holds zero, this run cannot tell the two apart; a run of `smoke` or `cpu` is too short to decide anything here, and claims nothing.
#
# ## Why a mean squared error blurs
#
# No training is needed to see it. Suppose that the past leaves the future open: the same clip could go on at several paces. Then the prediction with the smallest *expected* squared error is the mean of all these futures, and a mean of different pictures is
# blurred. We take the true future, let it come a little earlier or later, and average.

# %%
whole_clip = torch.tensor(test_set.pixels(int(numbers[liveliest[0]]))).permute(3, 0, 1, 2).float() / 127.5 - 1
length, stride = whole_clip.shape[1], test_set.stride
base = min(m * stride, max(0, length - 1 - (truth.shape[2] + 1) * stride))
paces = torch.stack([whole_clip[:, [min(length - 1, max(0, base + round(pace * step * stride)))
                                    for step in range(1, truth.shape[2] + 1)]] for pace in (0.6, 1.0, 1.4)])
mean = paces.mean(dim=0, keepdim=True)
page.figure(book.clip_grid(torch.cat([paces, mean]), every=max(1, truth.shape[2] // 4),
                           labels=["slower", "as filmed", "faster", "mean"]),
            data=[test_set],
            caption="Three futures of one past, and their mean: the best answer to a squared error, and no picture "
                    "of any of them.",
            alt="Rows of frames: the same future at three paces, and their mean, in which whatever moves is "
                "smeared.")
errors = {name: (guess - paces).square().mean().item() for name, guess in
          (("the mean", mean), *((f"the future at pace {pace}", one) for pace, one in zip((0.6, 1.0, 1.4), paces)))}
for name, error in errors.items():
    print(f"expected squared error of {name}: {error:.4f}")
page.expect("expected error of the mean over that of the best single future", errors["the mean"] / min(
    error for name, error in errors.items() if name != "the mean"), high=1.0, why="no single future can do better")

# %% [markdown]
# The adversarial term does not ask for the mean: $D$ has seen true futures, and none of them is smeared. What it asks for instead is that the pair $(X, G(X))$ *could* be true.
#
# ## Failure on purpose: a future that belongs to another clip
#
# Eqs. 10 to 15 need pairs. Give each $X$ the future of another clip, as the literal reading of the pixel loss would in generation ([**T1**](12_claims_and_decisions.ipynb#T1)), and the best prediction is one and the same for every past: the mean of all futures. Here are both means,
# without a network between us and the effect.

# %%
everyone = truth.mean(dim=0, keepdim=True)
wrong = truth.roll(1, dims=0)  # each past with its neighbour's future
page.figure(book.clip_grid(torch.cat([truth[liveliest[:1]], everyone]), every=max(1, truth.shape[2] // 4),
                           labels=["a true future", "their mean"]),
            data=[test_set],
            caption="What unpaired data asks for: the mean future of all clips, whatever the past.",
            alt="Frames: a true future, and the mean of all futures, a grey cloud.")
page.expect("error of the mean against unpaired futures over that of the held frame", (everyone - wrong).square().mean()
            / (held - wrong).square().mean(), high=1.0, why="the mean is the answer to the wrong question")
page.measure("PSNR against true futures, the mean of all futures less last frame held, dB",
             (metrics.psnr(everyone.expand_as(truth), truth) - metrics.psnr(held, truth)).mean(), decision="T1",
             data=[test_set])

# %% [markdown]
# ## Several futures of one past
#
# With a latent beside the frames $G$ can draw several futures ([**A17**](12_claims_and_decisions.ipynb#A17)). Whether it *uses* the latent is another question: the pixel term pulls all draws to one mean. Two numbers tell: how much the draws differ, against how much the truth moves, and how
# much nearer the best of $K$ draws is than a draw on average. The best of several is always at least as near; only the amount says something.

# %%
K = 4
drawn = [predictors["with noise"].predict(given, generator=stream("future", page.seed, number)) for number in range(K)]
best, which = metrics.best_of(drawn, truth)
scores = [metrics.second_half(metrics.psnr(one, truth)) for one in drawn]
mean_score = metrics.mean_estimate(sum(scores) / K, draw)
best_score = metrics.mean_estimate(metrics.second_half(metrics.psnr(best, truth)), draw)
gained = metrics.difference(best_score, mean_score)
spread = torch.stack(drawn).std(dim=0).mean() / (truth - held).abs().mean()
print(f"spread of {K} draws over the mean change of the truth: {spread:.3f}")
print(f"PSNR: mean of {K} draws {mean_score}, best of {K} {best_score}, gained {gained} dB")
page.measure(f"PSNR, best of {K} drawn futures less their mean, dB", gained.value, interval=gained, decision="A17",
             data=[train_set, test_set], sides=[sides["with noise"]])

# %% [markdown]
# ## Further than it learned
#
# A predictor of $n$ frames goes on for longer when it is given its own predictions: the last $m$ frames that it has are the next $X$. Errors then feed on errors. We look three horizons ahead.

# %%
long = predictors["combined"].predict(given[liveliest], frames=3 * truth.shape[2])
page.figure(book.clip_grid(torch.cat([given[liveliest], long], dim=2), every=2 * every, labels=["", ""]),
            data=[train_set, test_set], samples=2,
            caption="Two clips continued three horizons ahead, each from the predictions of the one before.",
            alt="Two rows of frames, one a clip, each continued three times in a row.")
change = (long - given[liveliest][:, :, -1:]).abs().mean(dim=(0, 1, 3, 4))
print("mean distance from the last given frame:",
      ", ".join(f"{value:.3f}" for value in change[:: max(1, len(change) // 6)]))

# %% [markdown]
# ## The second stage: from latent sequences to pixels
#
# > **Section 4.2.** "… a reconstruction network equipped with a newly formulated loss function to refine and map generated latent sequences into the pixel space with high fidelity."
#
# The paper describes no such network ([**A20**](12_claims_and_decisions.ipynb#A20)). The book's reading is the encoder of chapter 06: $E$ turns a clip into latents, $G$ turns latents into a clip, and Eq. 15 holds $G(E(Y))$ against $Y$. Section 4.2 also speaks of one latent *for each frame* ([**A16**](12_claims_and_decisions.ipynb#A16)). With
# `latent="frames"` that is what $G$ takes: it keeps one time step for each frame from 4×4 on, and doubles time nowhere. Then a clip is a sequence that can be cut and joined.

# %%
scribe, scribe_records = learning.frame_by_frame(page)
pair_of = clips[liveliest]
labels_of = labels[liveliest] if scribe.n_classes else None
with torch.no_grad():
    codes = scribe.encoder(pair_of.to(scribe.device))  # (2, T, 128)
    spliced = torch.cat([codes[:1, :m], codes[1:, m:]], dim=1)
    edited = codes[:1].clone()
    edited[:, m:] = codes[:1, m - 1 : m]  # from the middle on the latent of one frame
    asked = None if labels_of is None else labels_of.to(scribe.device)
    made = [scribe.sampler(code, None if asked is None else asked[which]).float().cpu()
            for code, which in ((codes, slice(0, 2)), (spliced, slice(0, 1)), (edited, slice(0, 1)))]
strip = torch.cat([pair_of, *made])
page.figure(book.clip_grid(strip, every=every, labels=["clip 1", "clip 2", "G(E(clip 1))", "G(E(clip 2))",
                                                       "1, then 2", "1, held from the middle"]),
            name="prediction_splice", data=[train_set, test_set], samples=2,
            caption="One latent a frame: real clips, what G makes of their codes, and a splice of the two "
                    "sequences in the middle.",
            alt="Rows of frames: two real clips, their reconstructions, and a splice that starts with the latents "
                "of the first and ends with those of the second.")
print(f"codes: {tuple(codes.shape)}; {scribe_records[-1].clips_seen if scribe_records else 0:,} clips seen")
fidelity = metrics.psnr(made[0], pair_of).mean()
grey = metrics.psnr(pair_of.mean(dim=(2, 3, 4), keepdim=True).expand_as(pair_of), pair_of).mean()
print(f"PSNR of the two reconstructions: {fidelity:.1f} dB; of a clip of their mean colour: {grey:.1f} dB")
page.measure("PSNR of reconstructions with one latent a frame, less that of a clip of the mean colour, dB",
             fidelity - grey, decision="A16", data=[test_set],
             sides=[book.side_of("HRVGAN, one latent a frame", scribe, scribe_records)])

# %% tags=["nbval-check-output"]
# Each latent steers the frames around it: change one, and see which frames of the clip change.
with torch.no_grad():
    nudged = codes[:1].clone()
    nudged[:, 0] += torch.randn(codes.shape[-1:], generator=stream("nudge")).to(codes)
    shifted = scribe.sampler(nudged, None if asked is None else asked[:1]).float().cpu()
    moved = (shifted - made[0][:1]).abs().mean(dim=(0, 1, 3, 4))  # (T,)
page.expect("change of the last quarter of the frames over that of the first, when the first latent changes",
            moved[-(len(moved) // 4):].mean() / moved[: len(moved) // 4].mean(), high=0.9,
            why="a latent acts where it stands")

# %% [markdown]
# ## A video of your own
#
# The weights of the combined predictor go to `figures/`, with a card. One command continues any video file: it takes frames at the pace that the predictor learned, resizes them, and frames what is given in green and what is predicted in orange.

# %%
page.model("predictor", predictors["combined"], "A predictor of the frames that follow",
           {"clips seen": f"{clips_seen['combined']:,}", "objective": "Eq. 15, α = β = 0.5"}, data=[train_set],
           use=f"future = system.predict(clips[:, :, :{m}])  # float32, in [-1, 1]")
print(f"python -m hrvgan_lib.predict --weights figures/{page.run}/predictor.safetensors VIDEO -o continued.mp4")

# %%
from hrvgan_lib.trainings import native_predictor

if (largest := native_predictor(page.profile)) is not None:  # a rehearsal tries the paper's own shape
    learning.learn(page, largest)

# %% [markdown]
# ## Check yourself
#
# <details><summary>Why does D see X and Y, and not Y alone?</summary>
#
# A future that is likely in itself may not follow from this past. D of the pair can reject it, D of Y alone cannot.
#
# </details>
# <details><summary>A predictor's PSNR is above that of the held frame. Has it understood the motion?</summary>
#
# Not by that alone. Fading what moves into the background also lowers the squared error. See whether its frames are as sharp as the true ones, and look at them.
#
# </details>
# <details><summary>Why are the intervals over people and looks, and not over clips?</summary>
#
# Two clips of one person share a body, clothes and a background. A hundred clips of three people say little about a fourth.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* How much mean squared error is one decibel? **Expected:** a factor of 0.794.
# 2. *(easy)* Blend the held frame and the straight line half and half. **Expected:** its PSNR lies above that of the worse of the two.
# 3. *(medium)* Find the cut of $m$ and $n$ for 16 frames of 64×64 with 12 given frames. **Expected:** E reads 16 frames, the first one five times; G writes four.
# 4. *(hard)* Show that for three futures the mean has the smallest expected squared error of all blends. **Expected:** no random blend beats it.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
page.expect("factor of the error for one decibel more", 10 ** (-1 / 10), of=0.794, rtol=1e-3, digits=3)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
halfway, *both = (metrics.psnr(one, truth).mean() for one in ((held + line) / 2, held, line))
worse = min(both)
page.expect("PSNR of the blend less that of the worse of the two, dB", halfway - worse, low=0)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
with torch.device("meta"):
    uneven = build_system("prediction", frames=16, size=64, given=12, width=1 / 8)
reader = uneven.generator
print(f"E reads {reader.read_frames} frames, the first one {reader.read_frames - reader.given + 1} times; "
      f"G writes {reader.ahead}")

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
shares = torch.rand(200, 3, generator=stream("blends"))
shares = shares / shares.sum(dim=1, keepdim=True)
blends = (shares[:, :, None] * paces.flatten(1)[None]).sum(dim=1)  # (200, pixels)
errors_of = (blends[:, None] - paces.flatten(1)[None]).square().mean(dim=(1, 2))
page.expect("smallest error of 200 blends over that of the mean", errors_of.min() / errors["the mean"], low=1.0)

# %% [markdown]
# ## What we now know
#
# - We cut clips into halves that Table 2 takes together, and let $G$ write how the second half differs from the last frame of the first.
# - A held frame and a straight line need no learning, and every predictor stands beside them.
# - A squared error asks for the mean of all futures, which is blurred; we measured sharpness by a distance that noise does not close.
# - One command continues a video file.
#
# ## Where next
#
# [Chapter 08](08_evaluation.ipynb) builds the judge and the distances that this chapter borrowed. [Chapter 12](12_claims_and_decisions.ipynb) holds what was measured here against what the paper claims.

# %%
page.colophon()
