# %% [markdown]
# # 07 · Predicting the frames that follow, and why they blur
#
# | | |
# |---|---|
# | **You will build** | a generator that continues a clip, a discriminator that sees past and future as one clip, and three measures of how near a predicted frame is to the true one |
# | **Reads** | the action data set ([stand-ins](00_start_here.ipynb#Glossary) are drawn if you have none), the [judge](00_start_here.ipynb#Glossary) of chapter 08, the predictors of the run |
# | **Writes** | `fig1_prediction`, `prediction_strips`, `prediction_film`, `prediction_curves`, `prediction_measures`, `prediction_splice`, `predictor` (weights with a card) |
# | **Budget** | half a minute at `smoke`; some minutes at `cpu`, most of them for training |
#
# The title of the paper promises generation: clips out of noise. Its equations and its algorithm say more: they take frames $X$ and ask for the
# frames $Y$ that follow. This chapter builds the second task, from the same networks and losses.
#
# Here every answer has a right one beside it. We shall see that the squared error, the most common loss, asks for a blurred future, and that the most
# common measures reward it.
#
# **By the end you can**
#
# - cut a clip into past and future, and say what [G](00_start_here.ipynb#Glossary) reads and what [D](00_start_here.ipynb#Glossary) reads;
# - write down PSNR and SSIM, and name an error that each forgives and one that each punishes;
# - show why the prediction with the smallest squared error is a mean of futures, and therefore blurred;
# - hold a predictor against two baselines that learn nothing, measure by measure;
# - continue a video of your own from the shell.
#
# A named figure or table stands first as the recorded run has it; your own follows, small or folded. Lines that begin with "this run" are about
# your own run, which at `smoke` takes some trained systems from the recorded one and looks at fewer clips.

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
from itertools import groupby, pairwise

import matplotlib.pyplot as plt
import torch
from torch.nn import functional as F

from hrvgan_lib import losses, metrics, paper, trainings
from hrvgan_lib.book import findings, learning
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import trace
from hrvgan_lib.networks.prediction import make_config
from hrvgan_lib.streams import stream

# %% [markdown]
# ## What the paper says: Eqs. 10 to 15 for a prediction
#
# > **Section 4.2.** "Let input sequence frames of a video be denoted by $X = X_1, \dots, X_m$ and frames to be predicted in sequence by $Y = Y_1, \dots, Y_n$."
# >
# > **Section 4.5.** "Generator in the GAN architecture can be used to predict a sequence of frames Y from a sequence of frames X by minimizing the pixel-wise distance between the predicted and the actual frame."
# >
# > **Section 3.3.** "The conditions could be class labels or the original data sample in the case of video prediction."
#
# $$\mathcal L_{mse} = \|G(X) - Y\|^2 \quad (10) \qquad\qquad \mathcal L = \alpha\,\mathcal L^G_{adv} + \beta\,\mathcal L_{mse} \quad (15)$$
#
# $$\mathcal L^G_{adv} = \lambda_1 L_{bce}(D(X, G(X)) - k,\ 1) \quad (12)$$
#
# $$\mathcal L^D_{adv} = \lambda_1 L_{bce}(D(X, Y) - k,\ 1) \quad (13) \qquad +\ \lambda_2 L_{bce}(D(X, G(X)) - k,\ 0) \quad (14)$$
#
# Eq. 10 is the pixel distance. Eq. 11 is the binary cross-entropy $L_{bce}$. In Eqs. 12 to 14 a discriminator sees $X$ with the
# true or with the predicted $Y$, and Eq. 15 adds up what G pays, with $\alpha = \beta = 0.5$. [Chapter 05](05_losses.ipynb#Why-a-shift-k-is-absorbed-by-the-last-bias)
# explains the shift $k$ and the weights $\lambda_1$ and $\lambda_2$, which are 1 here as there.
#
# *Table 1* is the paper's generator ([chapter 03](03_generator.ipynb)), *Table 2* its discriminator ([chapter 04](04_discriminator.ipynb)). The rows of Table 2
# that take a clip down to its last map are its *trunk*. Our encoder E begins with the same trunk.
#
# > **What it does not say.** How many frames $m$ and $n$ are ([**T2**](12_claims_and_decisions.ipynb#T2)); how frames enter a generator whose
# > Table 1 starts from a vector ([**T1**](12_claims_and_decisions.ipynb#T1)); how $D$ takes two sequences
# > ([**L12**](12_claims_and_decisions.ipynb#L12)). No predicted frame is shown, and no number given for one.
#
# ## Past and future of a clip
#
# Table 2 takes 32 frames. So we give G the first 16 and ask for the other 16, and D sees all of them as one clip of 32. Smaller cuts of the
# table are halved in the same way. The $n$ predicted frames are called the *horizon*. The clips are of the test split.

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
units = f"{len(set(draw.units))} {draw.unit}s"
every = max(1, test_set.frames // 8)


def past_and_future(clips, labels):
    """Clips as rows of frames, with a line where the past ends."""
    fig = book.clip_grid(clips, every=every, labels=labels)
    fig.axes[0].axvline(sum(fig.axes[0].get_xlim()) / 2, color="#D55E00", lw=3)
    return fig


page.figure(past_and_future(clips[:4], [test_set.classes[label] for label in labels[:4]]), data=[test_set],
            caption="Held-out clips. What stands left of the line is given, what stands right of it is asked for.",
            alt="Four clips as rows of frames. A line in the middle parts the given frames from those to be predicted.")
print(f"this run: {n} of its {len(test_set)} held-out clips, {units}; {len(test_set) - len(long_enough)} too short")
print(f"{m} frames given, {test_set.frames - m} to predict, {test_set.stride} frames of the video apart")

# %% [markdown]
# A *look* is the drawn counterpart of a person: body, clothes and background. Clips of one look resemble each other, so that intervals are over looks
# (or people, in real data), and not over clips.
#
# ## Two baselines: the held frame and the straight line
#
# Two need no learning. The *held frame* repeats the last given frame: nothing moves. The *straight line* lets every pixel go on as it
# changed between the last two frames. A predictor is worth its training only where it is better than both. That is a high bar, since most of a video
# is background that does not move.
#
# ## PSNR and SSIM, and what they reward
#
# Nearness is usually measured frame by frame, in two ways.
#
# **PSNR**, the *peak signal-to-noise ratio*, is the mean squared error on a logarithmic scale. Pixels in $[-1, 1]$ have a range of 2, and
#
# $$\text{PSNR} = 10 \log_{10} \frac{2^2}{\text{mean squared error}} \quad \text{in decibels (dB).}$$
#
# Ten decibels more are a tenth of the squared error, three decibels more are half of it. For a frame, whoever
# minimises Eq. 10 maximises PSNR.

# %% tags=["nbval-check-output"]
def psnr(predicted, true):
    """(N, 3, T, S, S) twice -> (N, T): decibels, frame by frame."""
    return 10 * torch.log10(4 / (predicted - true).square().mean(dim=(1, 3, 4)))


held, line = metrics.last_frame(given, truth.shape[2]), metrics.straight_line(given, truth.shape[2])
mine, theirs = psnr(held, truth).double(), torch.from_numpy(metrics.psnr(held, truth))
moving = mine < 50  # beyond it the library counts no digits that bytes cannot hold
page.expect("largest difference to the library's PSNR, dB", (mine - theirs)[moving].abs().max(), high=1e-3)

# %% [markdown]
# **SSIM**, *structural similarity* (Wang et al. 2004), compares two frames $a$ and $b$ in a small window around each pixel: their means $\mu$,
# variances $\sigma^2$ and covariance $\sigma_{ab}$ there.
#
# $$\text{SSIM} = \frac{2 \mu_a \mu_b + c_1}{\mu_a^2 + \mu_b^2 + c_1} \cdot \frac{2 \sigma_{ab} + c_2}{\sigma_a^2 + \sigma_b^2 + c_2}$$
#
# 1. The first factor is 1 where both have the same brightness.
# 2. The second is 1 where both have the same pattern and contrast, and small where only one of them has any.
# 3. $c_1$ and $c_2$ keep flat windows from dividing zero by zero.
# 4. The window is a Gaussian of 11 pixels, and the mean over all windows is the SSIM of the frame: 1 for equal frames.

# %% tags=["nbval-check-output"]
def ssim(a, b, c1=(0.01 * 2) ** 2, c2=(0.03 * 2) ** 2):
    """(N, 3, T, S, S) twice -> (N, T): the formula in every window of 11 pixels, then its mean."""
    ramp = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
    window = (ramp[:, None] * ramp / ramp.sum() ** 2)[None, None].double()

    def local(x):  # the weighted mean in each window; at the border the frame is mirrored
        return F.conv2d(F.pad(x.double().flatten(0, 2)[:, None], (5, 5, 5, 5), mode="reflect"), window)

    mean_a, mean_b = local(a), local(b)
    var_a, var_b, cov = local(a * a) - mean_a**2, local(b * b) - mean_b**2, local(a * b) - mean_a * mean_b
    brightness = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    pattern = (2 * cov + c2) / (var_a + var_b + c2)
    return (brightness * pattern).mean(dim=(1, 2, 3)).view(len(a), 3, -1).mean(dim=1)


page.expect("largest difference to the library's SSIM",
            (ssim(held[:4], truth[:4]) - torch.from_numpy(metrics.ssim(held[:4], truth[:4]))).abs().max(), high=1e-3)

# %% [markdown]
# What do the two reward? We spoil the *true* future: moved to the right by one pixel or by two, but sharp; the mean of the true
# frames moved by $-2, -1, 0, 1$ and $2$ pixels, which somebody would answer who knows everything but the exact place; and a plain blur.

# %%
def moved(clips, right):
    """Every frame, moved to the right; what comes in at the edge repeats the border."""
    return clips[..., (torch.arange(clips.shape[-1]) - right).clamp(0, clips.shape[-1] - 1)]


def blur(clips):
    """Each frame after a 3x3 mean."""
    return F.avg_pool3d(F.pad(clips, (1, 1, 1, 1, 0, 0), mode="replicate"), (1, 3, 3), stride=1)


some = truth[:64]
spoilt = {"moved by 1 pixel": moved(some, 1), "moved by 2 pixels": moved(some, 2),
          "mean of five places": sum(moved(some, k) for k in range(-2, 3)) / 5, "blurred": blur(blur(blur(some)))}
motion = (clips[:, :, -1] - clips[:, :, m - 1]).abs().flatten(1).mean(dim=1)
liveliest = motion.argsort(descending=True)[:2].tolist()  # where there is something to predict
one = int(motion[: len(some)].argmax())
fig, axes = plt.subplots(1, 5, figsize=(9, 2.1))
for axis, (name, future) in zip(axes, {"truth": some, **spoilt}.items()):
    axis.imshow((future[one, :, 0].permute(1, 2, 0) + 1) / 2)
    axis.set_title(name, fontsize=10)
    axis.set_axis_off()
page.figure(fig, data=[test_set],
            caption="One true frame, and four ways to miss it. Which would you rather be shown as a prediction?",
            alt="Five pictures of a person: the true frame, the same moved to the right by one and by two pixels, a "
                "mean of five places in which the outline is smeared, and a blurred one.")

# %%
def scores(future):
    return {"PSNR, dB": metrics.psnr(future, some).mean(), "SSIM": metrics.ssim(future, some).mean()}


scored = {name: scores(future) for name, future in spoilt.items()}
page.table([{"true frames, but": name, **found} for name, found in scored.items()], data=[test_set],
           note=f"Means over {len(some)} held-out clips and all their predicted frames.")
smear, near = scored["mean of five places"], scored["moved by 1 pixel"]
page.expect("PSNR of the smear less that of one pixel off, dB", smear["PSNR, dB"] - near["PSNR, dB"], low=0,
            digits=2, why="it prefers the smear")
page.expect("SSIM of the smear less that of one pixel off", smear["SSIM"] - near["SSIM"], low=0, digits=2,
            why="and so does SSIM")

# %% [markdown]
# Both prefer the smear to a perfect picture that stands one pixel off. A sharp body in the wrong place is punished
# *twice*, once where it is missing and once where it should not be. A body that is left out is punished once; a faint one, spread over the
# likely places, a little everywhere. SSIM looks at patterns, but only in their place, and so makes the same choice. Neither
# measure asks whether the frame *looks like a frame*.
#
# ## Sharpness: the edge gap
#
# So we need a third measure. How steep a picture is on average will not do: white noise is steep everywhere. We compare how
# the steepness is *distributed* over the pixels. A true frame is flat in most places and steep at few edges. Blur lacks the steep
# pixels, noise the flat ones. The *edge gap* is the [Wasserstein distance](00_start_here.ipynb#Glossary) between the two
# distributions, divided by the mean steepness of the true frame. 0 is as sharp as the truth, 1 is a frame without any edge, and noise can exceed 1.

# %% tags=["nbval-check-output"]
soft = spoilt["blurred"]
grainy = metrics.with_noise(soft, some, page.seed)  # as steep on average as the truth
gap = {name: metrics.edge_gap(future, some).mean()
       for name, future in {**spoilt, "blurred, with noise": grainy}.items()}
steep = [metrics.edges(frames).mean() for frames in (grainy, some)]
page.expect("mean steepness of noisy frames over the truth's", steep[0] / steep[1], low=0.95, high=1.05)
page.expect("edge gap of frames one pixel off", gap["moved by 1 pixel"], high=0.1, why="every edge is there")
page.expect("edge gap of the mean of five places", gap["mean of five places"], low=0.2, why="edges are smeared")
page.expect("edge gap of blur with noise, over that of blur", gap["blurred, with noise"] / gap["blurred"], low=1.0,
            why="noise is no detail")

# %% [markdown]
# The edge gap has a blind side of its own: it does not ask *where* an edge is. The held frame is a real frame, as sharp as any, and has a small
# gap however wrong it is. The three measures have to be read together. Here is how near the held frame comes by each:

# %%
falls = metrics.psnr(held, truth)
drop = metrics.mean_estimate(falls[:, 0] - falls[:, -1], draw)
nearness = {"PSNR, dB": falls, "SSIM": metrics.ssim(held, truth), "edge gap": metrics.edge_gap(held, truth)}
for name, by_frame in nearness.items():
    print(f"this run: held frame, {name}: {by_frame[:, 0].mean():.3g} at the first predicted frame, "
          f"{by_frame[:, -1].mean():.3g} at the last")
page.expect("fall from the first to the last, dB", drop.value, low=0, digits=2,
            why="more has moved")

# %% [markdown]
# ## Why a squared error gives a blurred future
#
# Suppose that the past leaves the future open: the same person may go on slowly or fast. Call the possible futures
# $Y$, their mean $\bar Y$, and let $g$ be any prediction.
#
# 1. Write $g - Y = (g - \bar Y) + (\bar Y - Y)$ and square. The mixed term vanishes on average, since $Y$ deviates from its mean by nothing on average:
#    $$\mathbb E\,|g - Y|^2 = |g - \bar Y|^2 + \mathbb E\,|Y - \bar Y|^2 .$$
# 2. The second part is the spread of the futures. No prediction can lower it.
# 3. The first part is zero for $g = \bar Y$ only. The best prediction is the *conditional mean* $\mathbb E[Y \mid X]$.
# 4. A mean of different pictures shows all of them faintly. Where the futures disagree it is blurred, and resembles none of them.
#
# We take each held-out clip and let its true future come slower, as filmed, or faster: three futures of one past.

# %%
PACES, stride, horizon = {"slower": 0.6, "as filmed": 1.0, "faster": 1.4}, test_set.stride, truth.shape[2]


def paced(number):
    """Three futures of one frame of a held-out clip, (3, 3, horizon, S, S), and that frame."""
    whole = torch.tensor(test_set.pixels(int(number))).permute(3, 0, 1, 2).float() / 127.5 - 1
    now = max(0, min(m * stride, whole.shape[1] - 1 - round(max(PACES.values()) * horizon * stride)))
    at = [[min(whole.shape[1] - 1, now + round(pace * step * stride)) for step in range(1, horizon + 1)]
          for pace in PACES.values()]
    return torch.stack([whole[:, which] for which in at]), whole[:, now]


found = [paced(number) for number in numbers[: len(some)]]
open_futures = torch.stack([one for one, _ in found])  # (N, 3 futures, 3, horizon, S, S)
mean = open_futures.mean(dim=1)
guesses = {name: open_futures[:, i] for i, name in enumerate(PACES)}
guesses |= {"last frame held": torch.stack([now for _, now in found])[:, :, None].expand_as(mean), "their mean": mean}
page.figure(book.clip_grid(torch.stack([*open_futures[one], mean[one]]), every=max(1, horizon // 4), width=5.4,
                           labels=[*PACES, "their mean"]),
            data=[test_set],
            caption="Three futures of one past, and their mean. The mean is the best answer to a squared error, and no "
                    "picture of any of them.",
            alt="Rows of frames: the same future at three paces, and their mean, in which whatever moves is smeared.")

# %%
spread = (open_futures - mean[:, None]).square().mean().item()
rows = []
for name, guess in guesses.items():
    error = (guess[:, None] - open_futures).square().mean().item()
    away = (guess - mean).square().mean().item()
    blurred = sum(metrics.edge_gap(guess, open_futures[:, i]).mean() for i in range(len(PACES))) / len(PACES)
    rows.append({"prediction": name, "expected squared error": error, "distance² to the mean": away,
                 "spread of the futures": spread, "edge gap": blurred})
page.table(rows, data=[test_set], samples=len(found),
           note=f"Means over {len(found)} held-out clips and three equally likely futures of each.")
errors = {row["prediction"]: row["expected squared error"] for row in rows}
page.expect("step 1: largest difference between the two sides",
            max(abs(row["expected squared error"] - row["distance² to the mean"] - spread) for row in rows), high=1e-5)
page.expect("error of the mean over that of the best sharp future",
            errors["their mean"] / min(errors[name] for name in PACES), high=1.0, why="step 3")
page.expect("edge gap of the mean, over that of the future as filmed",
            rows[-1]["edge gap"] / rows[1]["edge gap"], low=2, why="step 4")

# %% [markdown]
# A network trained on Eq. 10 does the same with all that it cannot know: pace, direction, the moment of turning round.
#
# The adversarial term asks for something else. D has seen true futures, none of them smeared, and asks only that the pair $(X, G(X))$
# *could* be true. That is the idea behind adding the two (Mathieu, Couprie and LeCun, 2016, added an adversarial and an edge term for this very
# reason). Whether a G reaches what its loss asks for we measure below. Other ways out: predict a
# *distribution* by means of a latent (stochastic video prediction: Denton and Fergus, 2018, in the paper's references), or sample from a diffusion model.
#
# ## G reads the past, D reads past and future
#
# So far a [latent](00_start_here.ipynb#Glossary) was drawn at random, and G turned it into a clip. Here nothing is drawn: prediction is generation with
# the past as its condition. The trunk E reads $X$ down to a map of 128×4×4×4. Table 1 goes on from that map, where it would otherwise go on from its
# fully-connected row. With 16 frames instead of 32 both leave out one doubling of time. Three consequences:
#
# - One past has one future: the same $X$ gives the same $G(X)$.
# - The map keeps *where* things are, coarsely: $4 \times 4$ places. A vector of 128 numbers would keep it only if G learned to write it down
#   and to read it again. We try both ([**T2**](12_claims_and_decisions.ipynb#T2)).
# - All that G knows of the background has to pass through this map. In the [preset](00_start_here.ipynb#Glossary) *stable* G is therefore
#   asked only for the *change* against the last frame of $X$, and starts near the held frame.
#
# D is Table 2 unchanged. It gets $X$ and $Y$ joined along time, and gives one [logit](00_start_here.ipynb#Glossary). A future that would look
# real by itself can still be refused because it does not follow from this past. Here is everything that a training step needs, on a small cut and
# with the preset *literal*, which reads Eq. 10 as a mean:

# %% tags=["nbval-check-output"]
small = build_system("prediction", frames=8, size=16, width=1 / 8, preset="literal")
batch = page.dataset("actions", frames=8, size=16).batch(range(4))[0]
X, Y = batch[:, :, :4], batch[:, :, 4:]
G, D, k = small.generator, small.discriminator, small.config.k

predicted = G(X)
real, fake = D(torch.cat([X, Y], dim=2)), D(torch.cat([X, predicted], dim=2))  # one clip of m + n frames
eq_10 = (predicted - Y).square().mean()  # read as a mean, its name; its formula is a sum
eq_12 = F.softplus(-(fake - k)).mean()  # -log sigmoid(D(X, G(X)) - k)
eq_13_14 = F.softplus(-(real - k)).mean() + F.softplus(fake - k).mean()
eq_15 = small.config.alpha * eq_12 + small.config.beta * eq_10

print("X, Y and G(X):", *(tuple(clip.shape[1:]) for clip in (X, Y, predicted)))
noise = stream("none is drawn")
for name, ours, theirs in (("Eq. 15", eq_15, small.generator_losses(batch, None, noise)),
                           ("Eqs. 13-14", eq_13_14, small.discriminator_losses(batch, None, noise))):
    page.expect(f"{name}: difference to the library", (ours - sum(theirs.values())).detach().abs(), high=1e-5)

# %% [markdown]
# Algorithm 1 then alternates: a batch of pairs $(X, Y)$ for a step of D down Eqs. 13-14, another batch for a step of G down Eq. 15. A predictor is one
# more `System` in the loop of [chapter 06](06_training_loop.ipynb). As there, samples come from the averaged generator ([EMA](00_start_here.ipynb#Glossary)).
#
# ### Figure 1 as it runs
#
# The paper's Figure 1 sketches the architecture. Here it is at the paper's shape, measured on the modules.

# %%
full = paper.SETTINGS
with torch.device("meta"):  # shapes only: no memory, no time
    whole = build_system("prediction", frames=full.frames, size=full.size, preset="literal").eval()
    past = torch.empty(1, 3, full.frames // 2, full.size, full.size)
    pair = torch.empty(1, 3, full.frames, full.size, full.size)
rows_G, rows_D = trace(whole.generator, past), trace(whole.discriminator, pair)


def stages_of(rows):
    """(channels, frames, side) at the end of each resolution that a traced network passes through."""
    shapes = [row.shape[:3] if len(row.shape) == 4 else (*row.shape, 1, 1) for row in rows]
    return [list(stage)[-1] for _, stage in groupby(shapes, key=lambda shape: shape if shape[2] == 1 else shape[2])]


shapes_G, shapes_D = stages_of(rows_G[:-1]), stages_of(rows_D)  # G's last row is the clip Y itself
lowest = min(range(len(shapes_G)), key=lambda i: shapes_G[i][2])  # the map that E hands over
print("E:", *("×".join(map(str, shape)) for shape in shapes_G[: lowest + 1]))
print("G:", *("×".join(map(str, shape)) for shape in shapes_G[lowest + 1:]))
sizes = [sum(p.numel() for p in network.parameters()) for network in (whole.generator, whole.discriminator)]
print(f"parameters: G, with the trunk that reads, {sizes[0]:,}; D {sizes[1]:,}")

# %%
def blocks(axis, shapes, middle, colours):
    """One block for each shape from left to right, as high as the logarithm of its side."""
    for place, ((channels, frames, side), colour) in enumerate(zip(shapes, colours)):
        height = 0.3 + 0.22 * side.bit_length()
        axis.add_patch(plt.Rectangle((place + 0.14, middle - height / 2), 0.72, height, color=colour, alpha=0.8))
        axis.text(place + 0.5, middle - 1.25, f"{channels}\n{frames}\n{side}²", ha="center", va="top", fontsize=9.5)


E_COLOUR, G_COLOUR, D_COLOUR, CLIP = "#009E73", "#0072B2", "#882255", "0.25"
down, up = lowest + 1, len(shapes_G) - lowest - 1
X_shape, Y_shape, XY_shape = ((3, frames, full.size) for frames in (full.frames // 2, full.frames // 2, full.frames))
fig, axis = plt.subplots(figsize=(9, 4.6))
blocks(axis, [X_shape, *shapes_G, Y_shape], 3, [CLIP] + [E_COLOUR] * down + [G_COLOUR] * up + [CLIP])
blocks(axis, [XY_shape, *shapes_D], -1, [CLIP] + [D_COLOUR] * len(shapes_D))
for x, y, words, colour in ((0.5, 4.5, "X", CLIP), (1 + down / 2, 4.5, "the trunk E reads", E_COLOUR),
                            (1 + down + up / 2, 4.5, "Table 1 writes", G_COLOUR), (1.5 + down + up, 4.5, "Y", CLIP),
                            (0.5, 0.35, "X and Y", CLIP), (1 + len(shapes_D) / 2, 0.35, "D scores the pair", D_COLOUR)):
    axis.text(x, y, words, fontsize=11, ha="center", va="bottom", color=colour)
axis.set(xlim=(-0.1, down + up + 2.1), ylim=(-3.2, 5))
axis.axis("off")
page.figure(fig, name="fig1_prediction", data=(),
            caption="Figure 1 of the paper as it runs. Above: X through the trunk and Table 1 to Y. Below: D, which "
                    "gets X and Y as one clip. Under each block: channels, frames, pixels. Equal height is "
                    "equal side: G is an hourglass.",
            alt="Blocks from left to right. Above, the 16 given frames shrink from side 256 through the trunk to a "
                "map of 128x4x4x4, which grows through Table 1 to 16 predicted frames of side 256. Below, D takes "
                "all 32 frames down to one number.")

# %% [markdown]
# ## Training: three objectives, and three other choices
#
# Six predictors learn from the same clips in the same order. Three of them differ in their *objective*:
#
# - *combined*: Eq. 15 as it stands;
# - *MSE only*: without the adversarial term ($\alpha = 0$);
# - *adversarial only*: without the pixel term ($\beta = 0$).
#
# The other three keep Eq. 15 and change one *choice* about G. They learn for fewer steps, as does *combined, as short*, with which they are compared:
#
# - *frames, not their change*: G writes whole frames;
# - *one vector*: E hands G one vector of 128 numbers, and not the map;
# - *with noise*: G gets a latent beside the map, a draw of noise, so that one past has several futures.
#
# All use *stable*, which for predictions differs from *literal* in four choices. One of them is the reading of Eq. 10: the paper's text calls it
# a mean, its formula is a sum ([**L10**](12_claims_and_decisions.ipynb#L10)). *Literal* follows the text, *stable* the formula.

# %% tags=["nbval-check-output"]
WHY = {"pixel_reduction": "Eq. 10: the mean that the text names, or the sum of its formula",
       "learning_rate": "of G; a run of a few hundred steps needs a fast one",
       "betas": "of Adam: stable has some momentum",
       "change": "stable: G writes the change against the last frame of X"}
text, ours = make_config("literal"), make_config("stable")
changed = sorted((name for name, value in vars(text).items() if value != getattr(ours, name)), key=[*WHY].index)
page.table([{"choice": name, "literal": str(getattr(text, name)), "stable": str(getattr(ours, name)),
             "what it is": WHY[name]} for name in changed], data=())
print(f"{len(changed)} changes; the same in both: alpha = {ours.alpha}, beta = {ours.beta}")

# %%
predictors, records = {}, {}
for arm in trainings.FORECASTS:
    predictors[arm], records[arm] = learning.predictor(page, arm)
few = page.profile.choice_steps
REFERENCE = "combined" if len(records["combined"]) == few else "combined, as short"
if REFERENCE != "combined":  # trained here, like the choices, where "combined" is taken from a recorded run
    short = trainings.predictor(page.profile, "combined", short=True)
    predictors[REFERENCE], records[REFERENCE] = learning.learn(page, short, own=True)
for arm in trainings.FORECAST_CHOICES:
    predictors[arm], records[arm] = learning.predictor(page, arm)
for arm in (*trainings.FORECASTS, *trainings.FORECAST_CHOICES):
    page.took(f"training, {arm}", records[arm][-1].seconds if records[arm] else 0.0)
clips_seen = {arm: found[-1].clips_seen if found else 0 for arm, found in records.items()}
futures = {"last frame held": held, "straight line": line}
for arm, predictor in predictors.items():
    futures[arm] = predictor.predict(given, generator=stream("futures", page.seed))
print(f"this run: clips seen, {clips_seen['combined']:,} by each of the three and {clips_seen[REFERENCE]:,} by each "
      "choice")
print(f"width {page.profile.width:g} of Tables 1 and 2, {train_set.frames} frames of {train_set.size}x{train_set.size}")

# %% [markdown]
# Now look, before any number.

# %%
SHOWN = ("last frame held", "MSE only", "combined", "adversarial only")
rows, names = [], []
for number in liveliest:
    for name in ("truth", *SHOWN):
        future = truth if name == "truth" else futures[name]
        rows.append(torch.cat([given[number], future[number]], dim=1))
        names.append(name)
page.figure(past_and_future(torch.stack(rows), names), name="prediction_strips",
            data=[train_set, test_set], samples=2,
            caption="Two held-out clips. Left half: given, the same in each row. Right half: the truth, or what a "
                    "predictor makes of it. Look at the place where the body was, and at the one where it goes.",
            alt="For two clips, rows of frames: truth, last frame held, MSE only, combined, adversarial only. The left "
                "half of each row is the same given past. In the right half of MSE only and combined the body grows "
                "pale and dark smears stand beside it; in adversarial only it stays and bright specks appear.")

# %%
film = torch.stack([torch.cat([given[liveliest[0]], future[liveliest[0]]], dim=1)
                    for future in (truth, *(futures[name] for name in SHOWN))])
page.film(film, name="prediction_film", data=[train_set, test_set], samples=1, fps=max(2, 25 // test_set.stride),
          caption="The first of the two clips, moving. From left to right: truth, last frame held, MSE only, combined, "
                  "adversarial only.",
          alt="Five small films side by side: truth, last frame held, MSE only, combined, adversarial only; the clip "
              "starts from the same frames in all of them.")

# %% [markdown]
# In the recorded run the rows *MSE only* and *combined* look almost alike. The body fades where it stood, and a smear stands where it may
# be going: the [hedge between futures](#Why-a-squared-error-gives-a-blurred-future) that a squared error asks for. *Adversarial only* hardly fades the body,
# and is no better for it: in the first clip the legs are torn and a dark blob hangs beside them, and patches spread over both backgrounds.
#
# ## Nearness and sharpness, frame by frame
#
# All three measures, with 95 % intervals over the looks or people behind the clips.

# %%
futures["MSE only, with noise"] = metrics.with_noise(futures["MSE only"], truth, page.seed)  # the control of sharpness
measured = {name: metrics.forecast(future, truth, draw) for name, future in futures.items()}
LOOKS = {"last frame held": ("#000000", "-", "s"), "straight line": ("#999999", ":", "v"),
         "MSE only": ("#0072B2", "--", "o"), "combined": ("#D55E00", "-", "o"),
         "adversarial only": ("#CC79A7", "-.", "^")}
ahead = torch.arange(1, truth.shape[2] + 1)
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
for axis, measure in zip(axes, metrics.MEASURES):
    for name, (colour, dashes, mark) in LOOKS.items():
        curve = measured[name].curves[measure]
        axis.plot(ahead, [one.value for one in curve], ls=dashes, marker=mark, ms=4, color=colour, label=name)
        axis.fill_between(ahead, [one.low for one in curve], [one.high for one in curve], color=colour, alpha=0.12,
                          linewidth=0)
    axis.set(title=measure, xlabel="predicted frame", xticks=ahead[:: max(1, len(ahead) // 4)])
axes[0].set(ylabel="dB")
low, high = axes[0].get_ylim()
axes[0].set_ylim(max(low, 0), high)
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(LOOKS), frameon=False)
page.figure(fig, name="prediction_curves", data=[train_set, test_set], samples=n,
            caption="Nearness of the predicted frames to the true ones. PSNR and SSIM: higher is nearer. Edge gap: "
                    "0 is as sharp. Compare each curve with the black one, the held frame. Bands: 95 % intervals.",
            alt="Three panels over the predicted frames: PSNR, SSIM and edge gap; one curve with a band for each "
                "prediction. PSNR and SSIM fall from frame to frame.")

# %% [markdown]
# In the recorded run PSNR and SSIM fall along every curve: a later frame is harder. By PSNR *MSE only* and *combined* lie on each other, and in
# the second half clearly above the held frame. By SSIM they lie at the held frame or a little below. In the right panel the held frame is lowest, a
# real frame in the wrong place, and the straight line highest. *Adversarial only* is behind the held frame in all three panels.
#
# ## Numbers for the second half: nearness, sharpness, Fréchet distance
#
# The table holds the second half of the predicted frames, where predicting is harder. *Less held* is the PSNR less that of the held frame,
# paired clip by clip; its interval is the test against the baseline. The bands of the figure are not: they belong to each curve alone. Two rows speak of noise and mean two things. *With noise* is the
# predictor with a latent. *MSE only, with noise* is a control: the finished frames of *MSE only* with grain on every pixel, which makes them as steep on average as
# the truth, or a tenth steeper where they are as steep without it. It must not count as sharp.
#
# The last column is the [Fréchet distance](00_start_here.ipynb#Glossary) between predicted and true clips in the features of the judge; with a large
# judge of real videos the field calls it FVD. Both sides are whole clips, $X$ and $Y$ together, and start from the same $X$; the true futures are at
# distance 0. [Chapter 08](08_evaluation.ipynb) builds it, and says what it overlooks.

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


def untrained(arm):
    """The measures of a predictor as it was before its first step."""
    start = metrics.untrained(predictors[arm], page.seed)
    return metrics.forecast(start.predict(given, generator=stream("futures", page.seed)), truth, draw)


def less(name, other, measure="PSNR"):
    """A measure over the second half of the horizon, less that of another prediction: paired, clip by clip."""
    return metrics.difference(measured[name].late[measure], measured[other].late[measure])


measured["before its first step"] = untrained("combined")

# %%
table = []
for name, found in measured.items():
    far, late = distance_of(name), found.late
    rival = "combined" if name in trainings.FORECASTS else REFERENCE if name in predictors else ""
    row = {"prediction": name + (" (diverged)" if name in predictors and predictors[name].diverged else "")}
    row |= {"PSNR, dB": f"{late['PSNR']}", "less held, dB": f"{less(name, 'last frame held')}"}
    row |= {"SSIM": f"{late['SSIM']}", "edge gap": f"{late['edge gap']}"}
    row |= {"Fréchet distance": None if far is None else f"{far}", "clips seen": clips_seen.get(name)}
    table.append(row | {"less Eq. 15, dB": f"{less(name, rival)}" if rival and rival != name else None})
page.table(table, name="prediction_measures", data=[train_set, test_set], samples=n,
           page_columns=["prediction", "PSNR, dB", "less held, dB", "SSIM", "edge gap", "Fréchet distance"],
           note=f"Means over frames {truth.shape[2] // 2 + 1} to {truth.shape[2]} behind the last given one, {n} "
                f"held-out clips of {units}, 95 % intervals over these. Before its first step: combined, untrained. "
                "No entry or –: not measured.")
findings.tell(page, findings.prediction)
print(f"this run: {n} held-out clips in its own, folded table")

# %% [markdown]
# Which prediction is best? That depends on the column:

# %%
first = {row["prediction"].removesuffix(" (diverged)"): row for row in page.rows("prediction_measures")}


def told(name, column):
    """Value, low and high of an entry of the table that stands first; without bounds where none could be told."""
    found = findings.TOLD.fullmatch(first[name][column])
    return tuple(map(float, found.groups())) if found else (float(first[name][column].split()[0]), -math.inf, math.inf)


winners = {}
for column, best in {"PSNR, dB": max, "SSIM": max, "edge gap": min, "Fréchet distance": min}.items():
    asked = [name for name in first if first[name].get(column)]
    winners[column] = best(asked, key=lambda name: told(name, column)[0])
    baseline = f"; last frame held: {first['last frame held'][column]}"
    print(f"best {column}: {winners[column]}, {first[winners[column]][column]}"
          + baseline * (winners[column] != "last frame held"))
if (start := first.get("before its first step")) is not None:  # an older recorded table has no such row
    print(f"combined before its first step, less held, dB: {start['less held, dB']}")
for count in sorted({row["clips seen"] for row in first.values() if row["clips seen"]}, reverse=True):
    print(f"{count:,} clips seen:", "; ".join(name for name, row in first.items() if row["clips seen"] == count))

# %%
learned = ("combined", "MSE only")
page.expect("table: less held, the lower end of the lower one, dB",
            min(told(name, "less held, dB")[1] for name in learned), low=0, why="they have learned")
page.expect("table: SSIM, the better one less the held frame",
            max(told(name, "SSIM")[0] for name in learned) - told("last frame held", "SSIM")[0], high=0,
            why="not ahead")
page.expect("table: edge gap, the sharper one over the held frame",
            min(told(name, "edge gap")[0] for name in learned) / told("last frame held", "edge gap")[0], low=1.5,
            why="paid with sharpness")
page.expect("table: edge gap, MSE only with noise over without",
            told("MSE only, with noise", "edge gap")[0] / told("MSE only", "edge gap")[0], low=1,
            why="the control holds")

# %% [markdown]
# In the recorded run the two predictors that minimise a squared error are ahead of the held frame by PSNR, and the interval leaves out
# zero. By SSIM they are not, and they are less sharp. They have learned *that* something will move away, and hardly what comes in its place.
#
# The last column deserves suspicion. The recorded run's winner by Fréchet distance is *frames, not their change*, whose predicted frames are grey fog:
# most of their edges are gone, and their PSNR is below that of the held frame. The intervals of this column also overlap. One distance in one
# classifier is no verdict on a picture.

# %%
fog = "frames, not their change"
page.expect("table: edge gap of frames, not their change", told(fog, "edge gap")[0], low=0.5, why="few edges")
page.expect("table: its less held, upper end, dB", told(fog, "less held, dB")[2], high=0, why="farther by PSNR")
far_fog, far_held = (told(name, "Fréchet distance") for name in (fog, "last frame held"))
page.expect("table: its Fréchet distance over the held frame's", far_fog[0] / far_held[0], high=1, digits=2,
            why="nearer to the judge")
page.expect("table: its upper end less the held frame's lower end", far_fog[2] - far_held[1], low=0,
            why="they overlap")

# %% [markdown]
# ### Does the adversarial term help? Do the choices?
#
# A difference counts where its *paired* interval leaves out zero; without one it is not decided here.

# %%
SAYS = {"MSE only": "combined", "adversarial only": "combined", fog: "combined, as short",
        "one vector": "combined, as short", "with noise": "combined, as short"}
apart = {}
for name, other in SAYS.items():
    other = other if other in first else "combined"
    apart[name], paired = told(name, "PSNR, dB")[0] - told(other, "PSNR, dB")[0], first[name].get("less Eq. 15, dB")
    value, low, high = told(name, "less Eq. 15, dB") if paired else (apart[name], -math.inf, math.inf)
    print(f"table, PSNR of {name}, less {other}: {paired or f'{value:+.2f}'} dB, "
          f"{'not decided' if low <= 0 <= high else 'a difference'}{'' if paired else ' (no paired interval here)'}")
if not all(first[name].get("less Eq. 15, dB") for name in SAYS):
    print("paired intervals of three of these differences stand in the ledger, at L9 and T2 (chapter 12)")
page.expect("table: PSNR of MSE only less combined, dB", apart["MSE only"], low=-0.5, high=0.5, digits=2)
page.expect("table: less held of adversarial only, upper end, dB", told("adversarial only", "less held, dB")[2],
            high=0, why="worse than holding")
page.expect("table: edge gap, adversarial only over MSE only",
            told("adversarial only", "edge gap")[0] / told("MSE only", "edge gap")[0], low=1, why="no sharper")
page.expect("table: PSNR of frames, not their change, less combined as short, dB", apart[fog], high=-1, digits=3)

# %% [markdown]
# - *Adversarial term.* Beside the pixel term it changes little, in PSNR or in sharpness (paired: [**L9**](12_claims_and_decisions.ipynb#L9)). Alone it is
#   farther from the truth than the held frame, and no sharper than the squared error. The next two cells ask why.
# - *Change or frames.* The largest gap: a G that has to write the whole frame through a map of $4 \times 4$ shows fog after these
#   few steps (paired: [**T2**](12_claims_and_decisions.ipynb#T2)).
# - *Map or vector, latent or none.* Small differences after few steps.
#
# First *combined*: how loud is each term of Eq. 15? As in [chapter 06](06_training_loop.ipynb#The-pixel-term-is-a-norm) we compare the length of the
# gradient that each sends into the predicted pixels of a clip. A recorded run keeps no D; where *combined* comes from there,
# we take *combined, as short*.

# %%
heard = REFERENCE if page.profile.weights else "combined"  # one whose D has learned here
system = predictors[heard]
c = system.config
pixels = futures[heard][:8].to(system.device).requires_grad_()
scores_of_D = system.discriminator(torch.cat([given[:8].to(system.device), pixels], dim=2))
target = truth[:8].to(system.device)
terms = {"adversarial": c.alpha * losses.adversarial_generator_loss(scores_of_D, c.k, c.adversarial),
         "pixel": c.beta * losses.mse_loss_paper(pixels, target, c.pixel_reduction),
         "norm": c.beta * losses.mse_loss_paper(pixels, target, "norm")}
loud = {name: torch.autograd.grad(len(pixels) * term, pixels)[0].flatten(1).norm(dim=1).mean().item()
        for name, term in terms.items()}
print(f"this run, {heard}, {clips_seen[heard]:,} clips, length of the gradient: pixel term {loud['pixel']:.3g}, "
      f"adversarial {loud['adversarial']:.2g}")
print(f"this run: the pixel term read as a norm: {loud['norm']:.2g}")
page.expect("the pixel term's over the adversarial one's", loud["pixel"] / loud["adversarial"], low=1, digits=2,
            why="the sum drowns the other")

# %% [markdown]
# The weights $\alpha = \beta = 0.5$ are equal, and the terms are not. With Eq. 10 read as a sum G hears the pixels, and *combined* comes out as
# *MSE only* does, in strips and table. D's voice grows at first. Repeated on predictors trained as the recorded ones were, short
# and long, the sum was still dozens of times as loud as D.
#
# Read as a norm, as in chapter 06, the pixel term would be fainter. With the error $e = G(X) - Y$ the gradient of the square $|e|^2$ is
# $2e$, twice as long as $e$. That of the norm $|e|$ is $e / |e|$, of length 1; times $\beta$ it is 0.5 for every clip and error. In those repetitions D was then
# about as loud as the pixels. No predictor of this chapter is trained so.
#
# Now *adversarial only*. Does its G deceive D, and are its edges those of the truth?

# %%
for arm in ("combined", "adversarial only"):
    tenth = records[arm][-max(1, len(records[arm]) // 10):]
    d = sum(record.discriminator["adversarial"] for record in tenth) / max(1, len(tenth))
    print(f"{arm}, {clips_seen[arm]:,} clips seen: D's loss {d:.3f}, right with probability {math.exp(-d / 2):.2f}")
print(f"(means over the last tenth of the steps; D that cannot tell: {2 * math.log(2):.2f}, probability 0.50)")
for arm in ("MSE only", "adversarial only"):
    steepness = metrics.edges(futures[arm]).mean() / metrics.edges(truth).mean()
    print(f"this run, {arm}: mean steepness over that of the truth {steepness:.2f}")

# %% [markdown]
# D's loss is the sum of two cross-entropies, for true and for predicted futures; half of it is, on average, $-\log$ of the probability that D
# gives to the right answer. So D wins both games. In *combined* G hardly tries to deceive it. In *adversarial only* G does nothing else, and
# is still found out most of the time. Until D can be deceived, an
# adversarial loss does not show G a true future, only a direction in which a frame would look a little less false to this D. The frames of this G are
# steeper than true ones: blobs and patches bring edges of their own. What more steps would bring is not measured.
#
# ## Failure on purpose: the futures of other clips
#
# Eq. 10 needs pairs: this past with its own future. What if each past is trained with the future of *another* clip? The loss still falls. By step 3 of [the reckoning](#Why-a-squared-error-gives-a-blurred-future) the best answer is then the mean of *all*
# futures in the training split, whatever the past. A small G, trained briefly with Eq. 10 alone, is enough to see where that leads. It writes whole
# frames, so that nothing of the past comes through by itself.

# %%
few_set, few_test = (page.dataset("actions", split=split, frames=8, size=8) for split in ("train", "test"))


def taught(futures_of, steps=100):
    """A small G trained by Eq. 10, and its loss on the way; `futures_of` says which future each past is given."""
    torch.manual_seed(page.seed)
    system = build_system("prediction", frames=8, size=8, width=1 / 16, alpha=0.0, change=False, learning_rate=3e-3)
    optimiser, curve = system.optimisers()["generator"], []
    for step in range(steps):
        batch, _ = few_set.batch(torch.randint(len(few_set), (8,), generator=stream("pairs", page.seed, step)))
        past, future = system.split(batch)
        (loss,) = system.generator_losses(torch.cat([past, futures_of(future)], dim=2), None, noise).values()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        curve.append(loss.item())
    return system.generator.eval(), curve


(own, own_curve), (other, other_curve) = taught(lambda future: future), taught(lambda future: future.roll(1, dims=0))
few_given, few_truth = few_test.batch(numbers)[0].split(4, dim=2)
with torch.no_grad():
    guessed = {"its own future": own(few_given), "another clip's": other(few_given)}
learned_from = few_set.batch(torch.randperm(len(few_set), generator=stream("mean", page.seed))[:256])[0]
few_mean = learned_from[:, :, 4:].mean(dim=0, keepdim=True).expand_as(few_truth)
ends = {name: (sum(curve[:5]) / 5, sum(curve[-20:]) / 20) for name, curve in zip(guessed, (own_curve, other_curve))}
print("this run: loss in the first five steps and in the last twenty:",
      "; ".join(f"{name} {before:.0f}, {after:.0f}" for name, (before, after) in ends.items()))

# %%
held_small = metrics.last_frame(few_given, few_truth.shape[2])
shown = {"last given": few_given[:, :, -1], "true future": few_truth[:, :, 1], "mean of all": few_mean[:, :, 1],
         "G, its own": guessed["its own future"][:, :, 1], "G, another's": guessed["another clip's"][:, :, 1]}
page.figure(book.clip_grid(torch.stack([frames[:8].transpose(0, 1) for frames in shown.values()]), labels=list(shown),
                           width=7.2), data=[few_set, few_test], samples=8,
            caption="Eight held-out clips, one a column. Rows: the last given frame, a true later one, the mean of "
                    "such frames over training clips, what G predicts after training with its own futures, and "
                    "with those of other clips: nearly the same grey in each column.",
            alt="Five rows of eight frames: people before different backgrounds; the same a moment later; a grey "
                "cloud, eight times; dark and light fog with a blot, another one for each clip; and an empty grey.")
varied = {name: (future.std(dim=0).mean() / few_truth.std(dim=0).mean()).item() for name, future in guessed.items()}
near = {name: metrics.psnr(future.clamp(-1, 1), few_truth).mean() for name, future in
        {**guessed, "mean": few_mean, "held": held_small}.items()}
before, after = ends["another clip's"]
page.expect("another's: loss, last steps over first", after / before, high=0.99, digits=2, why="it looks like learning")
page.expect("its own: variety over clips, over the truth's", varied["its own future"], low=0.4, digits=2)
page.expect("another's: variety over clips, over the truth's", varied["another clip's"], high=0.25, digits=2,
            why="one answer to all")
page.expect("another's: PSNR less that of the mean of all, dB", near["another clip's"] - near["mean"], low=-3, high=1,
            digits=2)
page.expect("another's: PSNR less that of the held frame, dB", near["another clip's"] - near["held"], high=-3, digits=2)

# %% [markdown]
# The G that was given other clips' futures went towards the mean: little of the variety is left, and it is far behind the held frame. It has not
# arrived: its PSNR is a little below the mean's, and its answers still differ.
#
# That is the danger of Eq. 10 in *generation*, where $G(z)$ is held against an unrelated clip
# ([**T1**](12_claims_and_decisions.ipynb#T1)): the pixel term asks for the mean clip. What does the mean of all held-out futures cost, against the held frame?

# %%
everyone = truth.mean(dim=0, keepdim=True)
cost = (metrics.psnr(everyone.expand_as(truth), truth) - metrics.psnr(held, truth)).mean()
page.measure("PSNR against true futures, the mean of all futures less last frame held, dB",
             cost, decision="T1", data=[test_set])
print(f"this run: PSNR of the mean of all futures, less that of the held frame: {cost:.1f} dB")

# %% [markdown]
# ## Several futures of one past
#
# With a latent beside the frames G can draw several futures ([**A17**](12_claims_and_decisions.ipynb#A17)). Whether it *uses* the latent is another
# question: the pixel term pulls all draws to one mean. How much do $K$ draws differ, against how much the truth moves? And how
# much nearer is the best of them than a draw on average? (The field reports such *best-of-K* scores, with $K$ around 100. The best is never
# farther than the average; only the amount says something.)

# %%
K = 4
drawn = [predictors["with noise"].predict(given, generator=stream("future", page.seed, number)) for number in range(K)]
best, which = metrics.best_of(drawn, truth)
late = [metrics.second_half(metrics.psnr(one, truth)) for one in drawn]
mean_score = metrics.mean_estimate(sum(late) / K, draw)
best_score = metrics.mean_estimate(metrics.second_half(metrics.psnr(best, truth)), draw)
gained = metrics.difference(best_score, mean_score)
spreads = torch.stack(drawn).std(dim=0)
differ = spreads.mean() / (truth - held).abs().mean()
print(f"this run: after {clips_seen['with noise']:,} clips, spread of {K} draws {differ:.2f} of the true change")
print(f"this run: PSNR of the best of {K} less that of a draw on average, dB: {gained}")
changes = (truth - held).abs() > 0.2  # where the truth has left the last given frame
uneven_spread = spreads[changes].mean() / spreads[~changes].mean()
print(f"this run: spread where the truth changes, over that elsewhere: {uneven_spread:.2f}")

# %%
columns = [truth[liveliest], *(one[liveliest] for one in drawn)]
apart_by = spreads[liveliest].mean(dim=1, keepdim=True)  # (2, 1, horizon, S, S)
columns.append((2 * apart_by / apart_by.max() - 1).expand_as(columns[0]))
fig, axes = plt.subplots(2, K + 2, figsize=(9, 3.3))
for row, pair in zip(axes, zip(*columns)):
    for axis, frames, name in zip(row, pair, ("truth", *(f"draw {number + 1}" for number in range(K)), "they differ")):
        axis.imshow(((frames[:, -1].permute(1, 2, 0) + 1) / 2).clamp(0, 1))
        axis.set_axis_off()
        axis.set_title(name, fontsize=10)
page.figure(fig, data=[train_set, test_set], samples=2,
            caption=f"The last predicted frame of two clips: the truth, {K} draws after "
                    f"{clips_seen['with noise']:,} clips, and where they differ (black: nowhere; white: most).",
            alt="Two rows of six pictures: the true frame, four drawn predictions that look alike, and a map of where "
                f"they differ, {'even grey noise' if uneven_spread < 1.2 else 'brighter where the truth changes'}.")

# %% [markdown]
# A ratio near 1 is grain, which lies on everything alike and is no other future. The recorded run's gain is small too
# ([A17](12_claims_and_decisions.ipynb#A17)). Exercise 5 shows what blind guesses gain.
#
# ## Predictions from predictions
#
# A predictor goes on for longer when its own last $m$ frames are the next $X$. No past in training was smeared, so that errors may feed on errors.
# We look three horizons ahead. Does a body still move, and how sharp does it stay?

# %%
long = predictors["combined"].predict(given, frames=3 * horizon)
whole_clips = torch.cat([given, long], dim=2)
page.figure(book.clip_grid(whole_clips[liveliest], every=2 * every, labels=["clip 1", "clip 2"]),
            data=[train_set, test_set], samples=2,
            caption="Two clips continued three horizons ahead, each horizon from the one before. The first quarter is "
                    "given. The bodies come to rest, and the smears stay.",
            alt="Two rows of frames, one a clip. The first frames are given; in the others smears gather beside a body "
                "that hardly moves.")
moves = (whole_clips[:, :, 1:] - whole_clips[:, :, :-1]).abs().mean(dim=(0, 1, 3, 4))
moves = moves[m - 1 :].view(3, horizon).mean(dim=1) / (clips[:, :, m:] - clips[:, :, m - 1 : -1]).abs().mean()
gaps = [metrics.edge_gap(part, truth).mean() for part in long.split(horizon, dim=2)]
print(f"this run, {clips_seen['combined']:,} clips seen, {n} held-out clips continued, horizon by horizon:")
print("change from one frame to the next, over the true one:", ", ".join(f"{value:.2f}" for value in moves))
print("edge gap to the true frames of the first horizon:", ", ".join(f"{value:.3f}" for value in gaps))
frozen = given[:, :, -1:].expand_as(given).contiguous()
still = torch.cat([frozen, predictors["combined"].predict(frozen)], dim=2)[:, :, m - 1 :]
quiet = (still[:, :, 1:] - still[:, :, :-1]).abs().mean() / (clips[:, :, m:] - clips[:, :, m - 1 : -1]).abs().mean()
print(f"the same change, where a past is given in which nothing moves: {quiet:.2f}")
page.expect("change in the third horizon over the true one", moves[2], high=0.5, digits=2, why="they come to rest")

# %% [markdown]
# Even in the first horizon less moves than in the true future, and then it dies down: a predicted past, in which little moves, asks for a
# future in which still less does, as the printed number for a past in which nothing moves shows. The edge gap grows a little with each horizon.
#
# ## One latent a frame: cutting and joining sequences
#
# This section is about another system: HRVGAN of chapter 06, which makes clips from latents.
#
# > **Section 4.2.** "… a reconstruction network equipped with a newly formulated loss function to refine and map generated latent sequences into the pixel space with high fidelity."
#
# > **What it does not say.** What that network is ([**A20**](12_claims_and_decisions.ipynb#A20)), and how a latent *for each frame* fits Table 1, which
# > starts from one vector ([**A16**](12_claims_and_decisions.ipynb#A16)).
#
# Our reading of the first is the encoder of chapter 06: E turns a clip into latents, G turns them into a clip, and Eq. 15 holds $G(E(Y))$ against
# $Y$. For the second there is the option `latent="frames"`: G keeps one time step for each frame, and doubles time nowhere. Then a clip is a
# sequence of latents that can be cut and joined.

# %%
scribe, scribe_records = learning.frame_by_frame(page)
pair_of = clips[liveliest]
asked = labels[liveliest].to(scribe.device) if scribe.n_classes else None
with torch.no_grad():
    codes = scribe.encoder(pair_of.to(scribe.device))  # (2, T, 128)
    spliced = torch.cat([codes[:1, :m], codes[1:, m:]], dim=1)
    edited = codes[:1].clone()
    edited[:, m:] = codes[:1, m - 1 : m]  # from the middle on the latent of one frame
    made = [scribe.sampler(code, None if asked is None else asked[which]).float().cpu()
            for code, which in ((codes, slice(0, 2)), (spliced, slice(0, 1)), (edited, slice(0, 1)))]
page.figure(book.clip_grid(torch.cat([pair_of, *made]), every=every,
                           labels=["clip 1", "clip 2", "G(E(clip 1))", "G(E(clip 2))", "1, then 2",
                                   "1, held from the middle"]),
            name="prediction_splice", data=[train_set, test_set], samples=2,
            caption="One latent a frame: two real clips, what G makes of their latents, the first half of one sequence "
                    "joined to the second half of the other, and a sequence that stops in the middle.",
            alt="Six rows of frames: two real clips; their reconstructions, grey with a dark blot; a splice that "
                "starts with the latents of the first clip and ends with those of the second; and the first clip's "
                "latents, held from the middle on. The last two rows are as grey as the reconstructions.")
fidelity = metrics.psnr(made[0], pair_of).mean()
grey = metrics.psnr(pair_of.mean(dim=(2, 3, 4), keepdim=True).expand_as(pair_of), pair_of).mean()
page.measure("PSNR of reconstructions with one latent a frame, less that of a clip of the mean colour, dB",
             fidelity - grey, decision="A16", data=[test_set],
             sides=[book.side_of("HRVGAN, one latent a frame", scribe, scribe_records)])
print(f"this run: after {scribe_records[-1].clips_seen if scribe_records else 0:,} clips, reconstructions "
      f"{fidelity:.1f} dB, clips of their mean colour {grey:.1f} dB")

# %% [markdown]
# In the recorded run these reconstructions are fog after a few steps, and a clip of one colour is nearer to the truth
# ([**A16**](12_claims_and_decisions.ipynb#A16) has the number). Neither the joint nor the stop can be seen: the last two rows
# look like $G(E(\text{clip 1}))$ to the end. Why? We give G the latents of clip 2 under the label of clip 1, and then one latent for all frames.

# %%
with torch.no_grad():
    first_label = None if asked is None else asked[:1]
    same_label = scribe.sampler(codes[1:], first_label).float().cpu()  # clip 2's latents, clip 1's label
    one_code = scribe.sampler(codes[:1, :1].expand_as(codes[:1]), first_label).float().cpu()


def pace(frames):
    """Mean absolute change of a pixel from one frame to the next."""
    return (frames[:, :, 1:] - frames[:, :, :-1]).abs().mean().item()


by_latents = (same_label - made[0][:1]).abs().mean().item()
print(f"this run: clips from the latents of clip 1 and of clip 2, under one label, differ by {by_latents:.4f} (mean)")
print(f"mean change from frame to frame: {pace(made[0][:1]):.4f}; held from the middle: {pace(made[2]):.4f}; "
      f"one latent throughout: {pace(one_code):.4f}")
page.expect("difference by the latents over the change in time", by_latents / pace(made[0][:1]),
            high=1, digits=2, why="no joint can be seen")
page.expect("change with one latent throughout over that with its own", pace(one_code) / pace(made[0][:1]),
            low=0.5, digits=2, why="no stop can be seen")

# %% [markdown]
# What changes along a row is hardly the latent. It is the place in the clip: the convolutions see zeros beyond its ends, and so tell the middle from the
# ends even where all latents are equal. Between the clips the latents change less than that. (In the recorded run the clips also differ by
# label, and the splice keeps the first one's.) So nothing is said here about editing or fidelity. What can be tested at any
# quality is the wiring: change the first latent only, and see which frames change.

# %% tags=["nbval-check-output"]
with torch.no_grad():
    nudged = codes[:1].clone()
    nudged[:, 0] += torch.randn(codes.shape[-1:], generator=stream("nudge")).to(codes)
    shifted = scribe.sampler(nudged, None if asked is None else asked[:1]).float().cpu()
    stirred = (shifted - made[0][:1]).abs().mean(dim=(0, 1, 3, 4))  # (T,)
page.expect("change of the last quarter over that of the first",
            stirred[-(len(stirred) // 4):].mean() / stirred[: len(stirred) // 4].mean(), high=0.9,
            why="it acts where it stands")

# %% [markdown]
# ## A video of your own
#
# The weights of the combined predictor go to `figures/`, with a card. One command continues any video file, with a green border around
# given and an orange one around predicted frames.

# %%
page.model("predictor", predictors["combined"], "A predictor of the frames that follow",
           {"clips seen": f"{clips_seen['combined']:,}", "objective": "Eq. 15, α = β = 0.5"}, data=[train_set],
           use=f"future = system.predict(clips[:, :, :{m}])  # float32, in [-1, 1]")
print(f"python -m hrvgan_lib.predict --weights figures/{page.run}/predictor.safetensors VIDEO -o continued.mp4")
if (largest := trainings.native_predictor(page.profile)) is not None:  # a rehearsal tries the paper's own shape
    learning.learn(page, largest)

# %% [markdown]
# ## For the ledger
#
# What the [ledgers](12_claims_and_decisions.ipynb) quote from this chapter stands in the folded cells below: the claim that frames are predicted, and the
# effects of **L9**, **T2** and **A17**, as paired differences.

# %% tags=["ledger"]
LEAST = -10 * math.log10(1 - metrics.LEARNED)  # dB: a tenth of the squared error of the untrained network is gone
sides, starts = {}, {}
for arm, predictor in predictors.items():
    starts[arm] = (measured["before its first step"] if arm == "combined" else untrained(arm)).late["PSNR"]
    gone = metrics.difference(measured[arm].late["PSNR"], starts[arm])
    sides[arm] = book.side_of(f"predictor, {arm}", predictor, records[arm], gone.low > LEAST)
    print(f"this run: {arm}, {clips_seen[arm]:,} clips, {gone} dB over its first step")
print(f"it counts as trained where the interval lies above {LEAST:.2f} dB")
gain = less("combined", "last frame held")
page.measure("PSNR over the second half of the horizon, combined objective less last frame held, dB", gain.value,
             interval=gain, low=0, claim="prediction", data=[train_set, test_set], sides=[sides["combined"]],
             controls=[book.control("before its first step", metrics.difference(
                 starts["combined"], measured["last frame held"].late["PSNR"]))])

# %% tags=["ledger"]
page.measure(f"PSNR, best of {K} drawn futures less their mean, dB", gained.value, interval=gained, decision="A17",
             data=[train_set, test_set], sides=[sides["with noise"]])
for what, found, decision in (
    ("edge gap, MSE only less combined objective (above 0: the combined one is nearer to the truth)",
     less("MSE only", "combined", "edge gap"), "L9"),
    ("PSNR, combined objective less MSE only, dB", less("combined", "MSE only"), "L9"),
    ("PSNR, change of the last frame less frames from nothing, dB", less(REFERENCE, "frames, not their change"), "T2"),
    ("PSNR, map of 128x4x4x4 less one vector of 128, dB", less(REFERENCE, "one vector"), "T2"),
):
    page.measure(what, found.value, interval=found, decision=decision, data=[train_set, test_set],
                 sides=[sides[REFERENCE if decision == "T2" else "combined"]])
    print(f"this run, {decision}: {what.split(' (')[0]}: {found}")

# %% [markdown]
# ## Check yourself
#
# 1. Why does D see X and Y, and not Y alone?
# 2. *Calculate.* A prediction has a mean squared error of 0.04 per value, in $[-1, 1]$. What is its PSNR? What is it if the error is halved?
# 3. *Calculate.* A body may turn out to be on the left or on the right, with equal chances. Wrong or missing pixels of a body cost 1 in squared
#    error. Compare the expected cost of three predictions: a sharp body on the left; no body at all; half a body's contrast on both sides.
# 4. *Look at the table.* By which columns are the recorded predictors *combined* and *MSE only* ahead of the held frame, and by which not?
# 5. *Look at the curves.* Why does the edge gap of the held frame stay low for all predicted frames, although its PSNR falls?
# 6. A predictor's PSNR is above that of the held frame. Has it understood the motion?
# 7. Why are the intervals over people or looks, and not over clips?
#
# <details><summary>Answers</summary>
#
# 1. A future that is likely in itself may not follow from this past. D of the pair can reject it, D of Y alone cannot.
# 2. $10 \log_{10} (4 / 0.04) = 20$ dB, and 3 dB more, 23 dB.
# 3. A sharp body on the left costs 0 or 2, so 1 on average. No body costs 1. Half a body on both sides costs $\frac14 + \frac14 = \frac12$
#    in either case: half as much, 3 dB better. It is the mean of the two futures.
# 4. By PSNR they are ahead, and the interval of *less held* leaves out zero. By SSIM they are not, and their edge gap is larger. Their Fréchet
#    distance is a little smaller, with intervals that overlap.
# 5. It is a real frame at any time, with as many and as steep edges as the true ones. The gap does not ask where they are.
# 6. Not by that alone. Fading what moves into the background lowers the squared error too. See how sharp its frames are, and look at them.
# 7. Two clips of one person share a body, clothes and a background. A hundred clips of three people say little about a fourth.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Draw question 3: frames of 32×32 with a square of 8×8 as the body. *Expected: the half-transparent pair of squares has a
#    PSNR 3.01 dB above that of either sharp guess.*
# 2. *(easy)* Find the cut of $m$ and $n$ for 16 frames of 64×64 with 12 given frames (`given=12`). *Expected: E reads 16 frames, the first
#    one five times; G writes four.*
# 3. *(medium)* Damp the straight line: let each pixel go on by a share $s$ of its last change, for $s$ between $-0.2$ and 1. *Expected: from $s = 0.1$ on,
#    the more of it the worse. The best $s$ is not above 0. (A small negative $s$ mixes the last two frames: a hedge again.)*
# 4. *(medium)* Replace the squared error by the absolute error $|g - Y|$. *Expected: of the three futures at three paces the median, pixel by pixel, has a smaller
#    absolute error than the mean, and less than half of its edge gap.*
# 5. *(hard)* Best-of-K needs a baseline too. Take the held frame and the same moved by $-2, -1, 1, 2$ pixels as five blind futures, and
#    compute the PSNR of the best of five. *Expected: at least 0.2 dB above the held frame, although four of the five are worse than it on average.*
#
# ### Solutions
#
# One cell an exercise, each with its check.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
ground = torch.zeros(1, 3, 1, 32, 32)
left, right = ground.clone(), ground.clone()
left[..., 12:20, 4:12], right[..., 12:20, 20:28] = 1, 1


def expected_psnr(guess):
    """In dB, from the expected squared error over the two futures."""
    return 10 * math.log10(4 / sum((guess - future).square().mean().item() for future in (left, right)) * 2)


page.expect("exercise 1: half on both sides less sharp on the left, dB",
            expected_psnr((left + right) / 2) - expected_psnr(left), of=3.01, rtol=1e-3)
page.expect("exercise 1: no body less sharp on the left, dB", expected_psnr(ground) - expected_psnr(left), low=-1e-6,
            high=1e-6, digits=1)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
with torch.device("meta"):
    uneven = build_system("prediction", frames=16, size=64, given=12, width=1 / 8)
reader = uneven.generator
print(f"E reads {reader.read_frames} frames, the first one {reader.read_frames - reader.given + 1} times; "
      f"G writes {reader.ahead}")
assert (reader.read_frames, reader.read_frames - reader.given + 1, reader.ahead) == (16, 5, 4)

# %% tags=["solution"]
# Exercise 3
shares = (-0.2, -0.1, -0.05, 0, 0.1, 0.2, 0.5, 1)
steps = torch.arange(1, truth.shape[2] + 1).view(1, 1, -1, 1, 1)
damped = [metrics.psnr((held + s * steps * (given[:, :, -1:] - given[:, :, -2:-1])).clamp(-1, 1), truth).mean()
          for s in shares]
print("this run, dB at s:", ", ".join(f"{s:g}: {value:.1f}" for s, value in zip(shares, damped)))
page.expect("exercise 3: largest rise from one s to the next, from 0.1 on, dB",
            max(after - before for before, after in pairwise(damped[4:])), high=0)
page.expect("exercise 3: the best s", shares[damped.index(max(damped))], high=0)

# %% tags=["solution"]
# Exercise 4
median = open_futures.median(dim=1).values
absolute = {name: (guess[:, None] - open_futures).abs().mean() for name, guess in (("mean", mean), ("median", median))}
sharp = {name: sum(metrics.edge_gap(guess, open_futures[:, i]).mean() for i in range(3)) / 3
         for name, guess in (("mean", mean), ("median", median))}
page.expect("exercise 4: absolute error of the median over that of the mean", absolute["median"] / absolute["mean"],
            high=1)
page.expect("exercise 4: edge gap of the median over that of the mean", sharp["median"] / sharp["mean"], high=0.5,
            why="no mixtures")

# %% tags=["solution"]
# Exercise 5
blind = {k: moved(held, k) for k in (-2, -1, 0, 1, 2)}
alone = {k: metrics.psnr(future, truth).mean() for k, future in blind.items()}
best_blind = metrics.psnr(metrics.best_of(list(blind.values()), truth)[0], truth).mean()
page.expect("exercise 5: best of five less the held frame, dB", best_blind - alone[0], low=0.2, digits=2,
            why="chosen by the truth")
page.expect("exercise 5: best of the four moved ones less the held frame, dB",
            max(value for k, value in alone.items() if k) - alone[0], high=0, digits=2)

# %% [markdown]
# ## What we now know
#
# - We cut clips into halves; G read the first and wrote the second, and D scored both as one clip.
# - PSNR was the squared error in decibels, SSIM compared patterns in their place; both forgave a smear and punished a sharp frame one pixel off.
# - The smallest expected squared error belonged to the mean of all futures, which was blurred; a G trained with the futures of other clips went towards it.
# - The recorded predictors stood above the held frame by PSNR, not by SSIM or by sharpness, and the Fréchet distance preferred fog.
# - Where we measured both, a sum of squares was far louder than the adversarial term; that one alone, against a D that won, brought neither nearness nor sharpness.
# - One command continued a video file.
#
# ## Where next
#
# [Chapter 08](08_evaluation.ipynb) builds the judge and the distances that this chapter borrowed. [Chapter 12](12_claims_and_decisions.ipynb) holds
# the measurements against the paper's claims.

# %%
page.colophon()
