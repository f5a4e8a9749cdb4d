# %% [markdown]
# # 02 · Normalisation layers: what each one averages over, and one pair that cancels
#
# | | |
# |---|---|
# | **You will build** | batch norm, instance norm (Eq. 9), pixel norm (Eq. 8) and minibatch stddev, each in a few lines |
# | **Reads** | one clip of the action data set (a [stand-in](00_start_here.ipynb#Glossary) is drawn if you have none) |
# | **Writes** | nothing that a later chapter needs |
# | **Budget** | about ten seconds on two cores |
#
# Each layer of a deep network multiplies its input by weights. If every layer makes its numbers a little larger, they are
# enormous behind the last one; if every layer makes them a little smaller, they are almost zero there. Normalisation
# layers ("norms") divide that factor out. The paper uses three of them. It also uses a small layer, minibatch stddev,
# that writes one number into the features. One of the three norms, placed behind it, erases that number without an error
# message.
#
# Two networks are meant throughout: the generator [G](00_start_here.ipynb#Glossary), which turns a
# [latent](00_start_here.ipynb#Glossary) vector into a clip, and the discriminator [D](00_start_here.ipynb#Glossary),
# which scores clips as real or generated. *In front of* a layer means nearer to the network's input, *behind* it nearer
# to the output.
#
# **By the end you can**
#
# - say for each norm over what it averages, and so which values in a batch depend on which others;
# - read Eq. 9 as printed and say where it begins and ends inside a network;
# - say how far the paper's two claims, about "explosion" and "vanishing gradient", hold when they are measured;
# - explain why the convolution after the minibatch stddev has no norm.

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

page = book.open_page("02_norm_layers", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn

from hrvgan_lib import losses, metrics, norms, paper
from hrvgan_lib.networks.hrvgan import HRVGANConfig

NORM_INKS = {"none": "#555555", "batch": "#AA4499", "instance": "#44AA99", "pixel": "#332288"}
NORM_MARKS = {"none": "x", "batch": "s", "instance": "o", "pixel": "^"}


def draws(purpose: int = 0) -> torch.Generator:
    """A fresh random stream; a different purpose gives a different one."""
    return torch.Generator().manual_seed(1000 * page.seed + purpose)


def column(values: Tensor) -> Tensor:
    """One number a channel, shaped so that it meets features (batch, channel, time, height, width)."""
    return values.view(1, -1, 1, 1, 1)


features = 3 + 2 * torch.randn(4, 8, 4, 6, 6, generator=draws())  # (batch, channel, time, height, width)

# %% [markdown]
# ## The problem: a factor at every layer, multiplied
#
# Table 1 of the paper lists the layers of G. Most are 3×3×3 deconvolutions. Suppose that behind each of
# them the numbers are 1.5 times as large as in front of it, or half as large.

# %% tags=["nbval-check-output"]
depth = sum(row.layer == "DeConv 3×3×3" for row in paper.TABLE1)
print(f"{depth} deconvolutions of 3×3×3 in Table 1")
print(f"each times 1.5: the last one's output is {1.5**depth:,.0f} times too large")
print(f"each times 0.5: it is {2**depth:,} times too small")

# %% [markdown]
# Initial weights can be drawn so that the factor is close to one, but training moves them. A norm takes the factor out
# at every step: it measures how large the numbers are, and divides by that. What differs from norm to norm is the set
# of numbers that are measured together.
#
# ## Batch norm: one mean and one variance a channel, for the whole batch
#
# > *Section 4.2.* "… batch normalization is applied throughout the Generator network, facilitating gradient flow and
# > convergence, whereas instance normalization is utilized in the Discriminator to improve generalization and reduce
# > internal covariate shift."
#
# (*Internal covariate shift* is the name for this: while the first layers learn, the inputs of the later ones change
# their distribution. [Chapter 11](11_ablations.ipynb) measures it.)
#
# Batch norm takes one mean and one variance for each channel, over all clips of the batch, all times and all places. It
# subtracts the mean and divides by the root of the variance, which is the standard deviation.

# %% tags=["nbval-check-output"]
def standardise(features: Tensor, over: tuple[int, ...], eps: float = 1e-5) -> Tensor:
    variance, mean = torch.var_mean(features, dim=over, correction=0, keepdim=True)
    return (features - mean) / (variance + eps).sqrt()


batch_norm = standardise(features, over=(0, 2, 3, 4))
print("same as nn.BatchNorm3d:", torch.allclose(batch_norm, nn.BatchNorm3d(8)(features), atol=1e-5))

# %% [markdown]
# So in training the output for one clip depends on the other clips of its batch. For G this is only a little noise. (When
# G samples after training, means and variances remembered from training take the place of the batch's own.) For D it is
# a problem: the gradient penalty of [chapter 05](05_losses.ipynb) is a statement about *each* clip, and it needs a D
# whose score for a clip depends on that clip alone.
#
# ## Instance norm: each channel of each clip by itself (Eq. 9)
#
# > *Section 4.4.* "Instance normalization was used after both 3D convolutional and 3D deconvolutional layers to solve
# > the vanishing gradient problem …"
# >
# > $$y = \text{ReLU} \left(\sum_{i=0}^d w_i \cdot \text{ReLU} \left(\gamma_i \cdot \frac{x_i - \mu_i}{\sqrt{\sigma_i^2 + \epsilon}} + \beta_i \right) + b \right) \quad (9)$$
#
# Here $i$ counts the channels of the input $x$, up to the last one, $d$; $\mu_i$ and $\sigma_i^2$ are the mean and the
# variance of channel $i$; the $w_i$ are the weights with which a convolution reads channel $i$, and $b$ is its bias.
#
# Leave the batch axis out of the average and every clip is measured by itself. Then each channel is scaled by a learned
# $\gamma$ and shifted by a learned $\beta$.

# %% tags=["nbval-check-output"]
gamma, beta = torch.randn(8, generator=draws(1)), torch.randn(8, generator=draws(2))
by_hand = column(gamma) * standardise(features, over=(2, 3, 4)) + column(beta)

layer = norms.InstanceNorm(8)
with torch.no_grad():
    layer.gamma.copy_(gamma)
    layer.beta.copy_(beta)
print("same as the library:", torch.allclose(by_hand, layer(features), atol=1e-5))
print("same as PyTorch's:  ",
      torch.allclose(nn.InstanceNorm3d(8)(features), norms.InstanceNorm(8)(features), atol=1e-5))

# %% [markdown]
# A norm removes what it measures. Instance norm removes the mean and the contrast of each channel of each clip. As an
# example we norm the pixels of a clip, whose three channels are its colours. The clip comes in three *exposures*: as it
# is, darker, and paler with a red cast. They differ only in the mean and the contrast of each colour. (For the picture
# the normed values are divided by three, so that they fit between black and white.)

# %%
dataset = page.dataset("actions", frames=8, size=32)
clip = dataset.batch([0])[0]
cast = column(torch.tensor([0.5, 0.0, 0.2]))
exposures = torch.cat([clip, 0.35 * clip - 0.6, 0.5 * clip + cast])
after = norms.InstanceNorm(3)(exposures).detach()
named = ["as it is", "dark", "red cast"]
page.figure(book.clip_grid(torch.cat([exposures, after / 3]), labels=named + [f"{name}, normed" for name in named]),
            data=[dataset],
            caption="One clip in three exposures, one a row (upper half). Behind instance norm the three are one clip "
                    "again (lower half).",
            alt="Six rows of eight frames. The upper three show one clip as it is, dark, and pale with a red "
                "cast. The lower three show the same three after instance norm and cannot be told apart.")

# %% [markdown]
# > **What it does not say.** Whether the statistics are those of the clip at hand or averages remembered from training
# > ([**A15**](12_claims_and_decisions.ipynb#A15)). We take the clip's own, with $\gamma$ and $\beta$ learned.
#
# The choice can be seen in this example. Remembered statistics are the same for all three exposures, so the exposures
# stay apart. We measure how far, in units of the clip's own spread: 0 means that the three have become one.

# %% tags=["nbval-check-output"]
def left_apart(clips: Tensor) -> Tensor:
    """Root mean square difference of the other exposures from the first, over the first one's spread."""
    return (clips[1:] - clips[:1]).square().mean().sqrt() / clips[0].std()


remembered = nn.InstanceNorm3d(3, track_running_stats=True, momentum=1.0)
remembered(exposures)  # takes note of their statistics
apart = {"its own statistics": left_apart(after),
         "remembered statistics": left_apart(remembered.eval()(exposures))}
page.expect("three exposures, no norm: difference over spread", left_apart(exposures), low=0.5)
page.expect("normed with remembered statistics", apart["remembered statistics"], low=0.5, why="they stay apart")
page.expect("normed with its own statistics", apart["its own statistics"], high=0.02, why="they become one")

# %% [markdown]
# What does the example say about D? If an instance norm were D's first layer, D could not see exposure, and what D does
# not see it cannot teach G: a G whose clips are all too dark would not be told. So our D has no norm at its entrance.
# D's first layer is a convolution with a *kernel* of 1×1×1: it mixes the three colours of each pixel and looks at no
# neighbour. A change of brightness or contrast passes through it as a factor and a constant, since mixing is linear, and
# a norm right behind it would still remove both. A leaky ReLU stands behind it instead. It bends at zero, so a
# constant that is added in front of it changes the *pattern* behind it, and a pattern is not removed by later norms
# (exercise 4 measures this).
#
# Keep one consequence in mind: a message that is written as a *constant map*, the same value at every place, is a mean
# and nothing else, so instance norm erases it. The last part of the chapter is about such a message.
#
# ### Where Eq. 9 begins and ends inside a network
#
# > **What it does not say.** The text puts instance norm *after* a convolution; the equation puts it *before* one: norm,
# > ReLU, weights, ReLU ([**A14**](12_claims_and_decisions.ipynb#A14)). The sum runs from 0 to $d$, which is $d + 1$
# > terms. D has leaky ReLUs, the equation plain ones. The statistics are per clip: $\mu_{n,i}$, with $n$ for the
# > clip's number in the batch; that index is not printed.
#
# The two orders agree if we read Eq. 9 as a view of *two* layers. Its inner half is the end of layer $l - 1$, whose
# convolution made $x$. Its outer half is the convolution and the activation of layer $l$.

# %% tags=["nbval-check-output"]
torch.manual_seed(page.seed)
conv1, conv2 = nn.Conv3d(8, 8, 3, padding=1), nn.Conv3d(8, 8, 3, padding=1)
norm, relu = norms.InstanceNorm(8), nn.ReLU()


def equation_9(x: Tensor) -> Tensor:  # as printed
    return relu(conv2(relu(norm(x))))


layer_before = nn.Sequential(conv1, norm, relu)  # convolution, instance norm, activation: section 4.4 in words
print("Eq. 9 on the first convolution's output == layer l-1, then convolution and ReLU of layer l:",
      torch.allclose(equation_9(conv1(features)), relu(conv2(layer_before(features))), atol=1e-6))

# %% [markdown]
# A network that *stacks* Eq. 9 as printed is a different one, because there each norm has a ReLU on both sides:
# convolution, ReLU, norm, ReLU. It silences more. How much more can be computed, if a convolution's output is a bell
# curve $x \sim N(0, 1)$:
#
# 1. ReLU keeps $\max(x, 0)$. Its mean is $\int_0^\infty x\,\varphi(x)\,dx = \varphi(0) = 1/\sqrt{2\pi} \approx 0.399$.
# 2. The norm subtracts this mean; it also divides, but by a positive number, which moves no sign.
# 3. The second ReLU gives zero wherever $\max(x, 0) \le 0.399$, hence wherever $x \le 0.399$. The share of a bell curve
#    below 0.399 is $\Phi(0.399) \approx 0.655$. With the norm in front of the only ReLU it is one half.

# %% tags=["nbval-check-output"]
def silent(values: Tensor) -> float:
    return (values <= 0).float().mean().item()


bell = torch.randn(4, 8, 8, 16, 16, generator=draws(3))
page.expect("silent after convolution, norm, ReLU", silent(relu(norm(bell))), of=0.5, rtol=0.02,
            why="half of a bell curve")
page.expect("silent after convolution, ReLU, norm, ReLU", silent(relu(norm(relu(bell)))), of=0.655, rtol=0.02,
            why="up to 0.399")

# %% [markdown]
# So we build convolution, instance norm, activation. There is one place where instance norm cannot stand: behind a layer
# whose *maps* (the values of one channel each) have the size 1×1×1. (This is another 1×1×1 than that of the kernel above,
# which reads maps of any size.) A map with a single position equals its own mean and has no variance, so the norm would
# turn every value into zero. Table 1 begins with maps of this size, a latent of 128×1×1×1, so "after both"
# convolutions and deconvolutions cannot mean every layer.

# %% tags=["nbval-check-output"]
for candidate in (norms.InstanceNorm(8), nn.InstanceNorm3d(8)):
    try:
        candidate(torch.randn(2, 8, 1, 1, 1))
    except ValueError as error:
        print(f"{type(candidate).__name__}: {str(error).partition(', got')[0]}")

# %% [markdown]
# ## Pixel norm: unit mean square at every place (Eq. 8)
#
# > *Section 4.3.* "To avoid an explosion of parameters in both the generator and the discriminator, feature vectors are
# > normalized at every pixel."
# >
# > $$b_{x,y,t} = \frac{a_{x,y,t}}{\sqrt{\frac{1}{N} \sum_{j=0}^{N-1} (a_{x,y,t}^j)^2 + \epsilon}} \quad (8)$$
#
# The third choice of axes: all channels at one place and one time. They form a vector $a_{x,y,t}$ of $N$ numbers. No
# mean is subtracted and nothing is learned. The vector keeps its direction, and the mean of its squares becomes one, so
# its length becomes $\sqrt N$. What is lost is the length that the vector had: how strongly the channels answered at
# this place. The $\epsilon$ stands inside the root, behind the mean ([**A13**](12_claims_and_decisions.ipynb#A13)); it
# decides what becomes of a vector of zeros.

# %% tags=["nbval-check-output"]
class PixelNorm(nn.Module):
    """Give the feature vector at each (t, y, x) unit mean square."""

    def forward(self, features: Tensor) -> Tensor:  # (batch, channel, time, height, width)
        return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + 1e-8)


print("same as the library:", torch.allclose(PixelNorm()(features), norms.PixelNorm()(features)))
print("a thousand times as large an input, same output:",
      torch.allclose(PixelNorm()(1000 * features), PixelNorm()(features), atol=1e-5))
print("zeros stay zeros:", bool((PixelNorm()(torch.zeros(1, 8, 1, 1, 1)) == 0).all()))

# %% [markdown]
# ## Which values depend on which others
#
# Three norms, three sets of axes. To see what follows from them, multiply clip 1 of a batch by five and look at clip 0;
# then multiply one place of clip 0 by five and look at its other places.

# %% tags=["nbval-check-output"]
louder_clip, louder_place = features.clone(), features.clone()
louder_clip[1] *= 5
louder_place[0, :, 0, 0, 0] *= 5
averaged = {"batch": "batch, time, height, width", "instance": "time, height, width", "pixel": "channels"}
rows = []
for name, axes in averaged.items():
    norm_layer = norms.make_norm(name, 8)
    before = norm_layer(features)[0, :, 1:]
    hears = [not torch.allclose(before, norm_layer(louder)[0, :, 1:]) for louder in (louder_clip, louder_place)]
    learned = sum(parameter.numel() for parameter in norm_layer.parameters())
    rows.append({"norm": name, "statistics over": axes, "depends on other clips": hears[0],
                 "depends on other places": hears[1], "learned numbers": learned})
page.table(rows, note="each for features of 8 channels")

# %% [markdown]
# ## Does pixel norm avoid an explosion?
#
# ### Activations over depth and weight scale
#
# First the problem. We stack random 3×3×3 deconvolutions with ReLU. *He's scale* is the standard deviation of the
# weights, $\sqrt{2 / \text{fan-in}}$, for which the numbers behind each layer of such a stack are about as large as
# those in front of it, borders aside. The *fan-in* is how many input values one output value sums over, here 27 places of
# the kernel in each input channel. Our weights are twice as large. We follow the largest activation through 24 layers. (A
# norm, where there is one, stands between deconvolution and ReLU.) Then we take as many layers as Table 1 has and make
# the weights smaller and larger.

# %%
@torch.no_grad()
def loudest(norm: str, gain: float, depth: int, channels: int = 16, purpose: int = 4) -> list[float]:
    """The largest activation behind each of `depth` random layers, whose weights are `gain` times He's scale."""
    stream, found = draws(purpose), []
    signal = torch.randn(4, channels, 4, 6, 6, generator=stream)
    for _ in range(depth):
        weight = torch.randn(channels, channels, 3, 3, 3, generator=stream) * gain * (2 / (27 * channels)) ** 0.5
        before, after = norms.norms_around_activation(norm, channels)
        signal = after(torch.relu(before(nn.functional.conv_transpose3d(signal, weight, padding=1))))
        found.append(signal.max().item())
    return found


gains = [0.5, 0.7, 1.0, 1.4, 2.0, 2.8]
over_depth = {name: loudest(name, 2.0, 24) for name in NORM_INKS}
over_gain = {name: [loudest(name, gain, depth)[-1] for gain in gains] for name in NORM_INKS}

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for name, ink in NORM_INKS.items():
    style = {"color": ink, "marker": NORM_MARKS[name], "markersize": 5, "linestyle": "--" if name == "none" else "-"}
    left.plot(range(1, 25), over_depth[name], markevery=3, label=name, **style)
    right.plot(gains, over_gain[name], **style)
left.set(yscale="log", xlabel="layer", ylabel="largest activation", title="weights twice He's scale")
right.set(xscale="log", xlabel="weights over He's scale", title=f"layer {depth}")
right.set_xticks(gains, labels=[f"{gain:g}" for gain in gains])
right.minorticks_off()
left.legend(title="norm")
page.figure(fig, data=(),
            caption="Largest activation behind each layer (left), and behind as many layers as Table 1 has, over the "
                    "scale of all weights (right). Only without a norm does it depend on depth or scale.",
            alt="Left: largest activation over 24 layers, logarithmic; without a norm it climbs along a straight "
                "line over several orders of magnitude, with batch, instance or pixel norm it stays level below about "
                "ten. Right: largest activation over the weight scale; without a norm it spans "
                "many orders of magnitude, with each norm it is flat.")

# %% tags=["nbval-check-output"]
page.expect("24 layers without a norm, last over first", over_depth["none"][-1] / over_depth["none"][0],
            low=100, why="it explodes")
print(f"weights {gains[-1] / gains[0]:.1f} times as large; the largest activation grows")
page.expect("without a norm by", over_gain["none"][-1] / over_gain["none"][0],
            of=5.6**depth, rtol=0.01, why=f"5.6 to the power of {depth}")
for name in ("batch", "instance", "pixel"):
    page.expect(f"with {name} norm by", over_gain[name][-1] / over_gain[name][0], 0.9, 1.1, why="not at all")

# %% [markdown]
# Twice He's scale should double the activations at every layer. The first number above is smaller than that, and this is
# due to the borders that we had set aside. The maps are small, 4×6×6, and of the 27 places that a kernel looks at some
# lie beyond the border, where it finds zeros. We compute how many, and what is left of the doubling.

# %%
inside = 1.0
for length in (4, 6, 6):  # along each axis a kernel covers three places; at either end of the map one of them is lost
    inside *= (3 * length - 2) / (3 * length)
ratio = over_depth["none"][-1] / over_depth["none"][0]
print(f"doubled at every layer, from layer 1 to layer 24: {2.0**23:,.0f} times as large; measured: {ratio:,.0f} times")
print(f"share of the kernel's places that lie inside the map, on average: {inside:.2f}")
print(f"so about 2 * sqrt({inside:.2f}) = {2 * inside**0.5:.2f} a layer; measured: {ratio ** (1 / 23):.2f} a layer")

# %% [markdown]
# (The root is taken because squares add up: the sum has fewer terms, and its standard deviation shrinks with the root of
# their number.)
#
# Any of the three norms stops the growth. For pixel norm it follows from the equation: the squares of a vector of $N$
# channels then sum to $N$, so no entry can exceed $\sqrt N$.
#
# One draw of the weights proves little, so we repeat it with eight. We fix beforehand what has to come out: without the
# norm the activations grow a hundredfold or more; with it none exceeds $\sqrt N$. A test that every network passes says
# nothing about the norm. So beside each test stands a **negative control**: the same number for the other network of the
# two, which must *fail* the test. Its line says *as expected* when it does fail. (`page.expect` prints a number and
# whether it lies where it should; `page.measure` prints nothing and puts it where the ledgers of
# [chapter 12](12_claims_and_decisions.ipynb) find it.)

# %% tags=["nbval-check-output"]
MORE, DRAWS = range(20, 28), "8 draws of the weights"
paths = {norm: [loudest(norm, 2.0, 24, purpose=purpose) for purpose in MORE] for norm in ("none", "pixel")}
growth = {norm: metrics.seed_interval([path[-1] / path[0] for path in found]) for norm, found in paths.items()}
highest = {norm: max(max(loudest(norm, 2.8, 24, purpose=purpose)) for purpose in MORE) for norm in ("pixel", "none")}
print("layer 24 over layer 1, mean of 8 draws. Test: at least 100")
page.expect("no norm", growth["none"].value, low=100, why="passes")
page.expect("control, must fail: pixel norm", growth["pixel"].value, high=10, why="fails, far below 100")
print("largest activation of any layer, weights 2.8 times He's, 16 channels. Test: at most 4")
page.expect("pixel norm", highest["pixel"], high=16**0.5, why="passes")
page.expect("control, must fail: no norm", highest["none"], low=100, why="fails, far above 4")
page.measure("largest activation without a norm, layer 24 over layer 1", growth["none"].value, interval=growth["none"],
             over=DRAWS, claim="pixel-norm-explosion", low=100,
             controls=[book.control("the other norm of the two", growth["pixel"])])
page.measure("largest activation with pixel norm, 24 layers of 16 channels, weights 2.8 times He's", highest["pixel"],
             claim="pixel-norm-explosion", high=16**0.5,
             controls=[book.Control("the other norm of the two", highest["none"], highest["none"])])

# %% [markdown]
# The claim holds in this form: behind Eq. 8 an explosion of *activations* is impossible. That much is so by construction:
# no data could have said otherwise. The sentence of section 4.3 says more than that. It speaks of *parameters*, which
# Eq. 8 does not bound, and of G and D as they train; the stacks here have random weights.
# [Chapter 12](12_claims_and_decisions.ipynb) therefore counts the claim as held in the part that was tested.
#
# What is particular to pixel norm is that it still works on each clip when G samples; batch norm then divides by remembered
# averages, which know nothing of an unusual clip.
#
# ### The length of the weights, under gradient descent and under Adam
#
# What of the *parameters*, then? Does the layer keep the weights small? Three steps show the opposite:
#
# 1. Behind a convolution without bias, a ReLU and pixel norm the output does not depend on the length of the weights
#    $w$. So neither does the [loss](00_start_here.ipynb#Glossary): $L(c\,w) = L(w)$ for every $c > 0$ ($\epsilon$ aside).
#    (In the stacks above and in G pixel norm stands in front of the ReLU. That makes no difference here, because a ReLU
#    hands a positive factor on.)
# 2. Differentiate both sides by $c$ and set $c = 1$: $\langle w, \nabla L(w) \rangle = 0$. The gradient stands at right
#    angles to the weights.
# 3. A step of plain gradient descent is $-\eta\,\nabla L$. By Pythagoras the new length is
#    $\lVert w - \eta \nabla L \rVert^2 = \lVert w \rVert^2 + \eta^2 \lVert \nabla L \rVert^2$: never shorter.
#
# Step 3 is about plain gradient descent only. Adam, which trains the networks of this book, divides every coordinate of
# the gradient by its own running size. Its step has another direction than the gradient, no longer at right angles to
# $w$, and may make the weights longer or shorter. We try both.

# %%
def weight_lengths(optimiser: type, rate: float, steps: int = 80) -> tuple[list[float], list[float]]:
    """Length of a layer's weights before each step, and the cosine between each step and the weights."""
    torch.manual_seed(page.seed)
    conv, behind = nn.Conv3d(8, 8, 3, padding=1, bias=False), norms.PixelNorm()
    given, wanted = torch.randn(4, 8, 4, 4, 4), torch.rand(4, 8, 4, 4, 4)
    moves, lengths, cosines = optimiser(conv.parameters(), lr=rate), [], []
    for _ in range(steps):
        before = conv.weight.detach().clone()
        moves.zero_grad()
        (behind(torch.relu(conv(given))) - wanted).square().mean().backward()
        moves.step()
        step = conv.weight.detach() - before
        lengths.append(before.norm().item())
        cosines.append(nn.functional.cosine_similarity(step.flatten(), before.flatten(), dim=0).item())
    return lengths, cosines


lengths, cosines = weight_lengths(torch.optim.SGD, 3.0)
adam_lengths, adam_cosines = weight_lengths(torch.optim.Adam, 1e-4)
longer, adam_longer = (sum(b > a for a, b in pairwise(found)) for found in (lengths, adam_lengths))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 2.9))
left.plot(lengths, color=NORM_INKS["pixel"])
left.set(title="plain gradient descent", xlabel="step", ylabel="length of the weights")
right.plot(adam_lengths, color=NORM_INKS["pixel"], linestyle="--")
right.set(title="Adam", xlabel="step")
right.ticklabel_format(useOffset=False)
page.figure(fig, data=(),
            caption=f"Length of a layer's weights with pixel norm behind it. Plain gradient descent: longer after "
                    f"{longer} of {len(lengths) - 1} steps. Adam at a small rate: longer after {adam_longer} of "
                    f"{len(lengths) - 1}. The two vertical axes differ.",
            alt="Two curves of the length of a layer's weights over 80 steps. Under plain gradient descent it only "
                "rises. Under Adam it changes by far less, and need not rise at every step.")

# %% tags=["nbval-check-output"]
print("cosine between the first step and the weights; 0 is a right angle")
page.expect("gradient descent", abs(cosines[0]), high=1e-4, why="at right angles")
page.expect("Adam", abs(adam_cosines[0]), low=1e-3, why="not at right angles")
page.expect("gradient descent: share of steps that make them longer", longer / (len(lengths) - 1), of=1)

# %% [markdown]
# So pixel norm keeps the *activations* from exploding, not the *parameters* of which section 4.3 speaks; we read the
# sentence in this way ([**A13**](12_claims_and_decisions.ipynb#A13)). Large weights do no harm behind this layer, but it
# does not keep them small.
#
# ## Does instance norm solve the vanishing gradient?
#
# "… to solve the vanishing gradient problem." We build twelve random layers of D's kind (convolution, norm, leaky ReLU)
# with 16 maps each, send a random gradient in at the end and note its size behind every layer on the way back. The
# initial weights are not given in the paper ([**A11**](12_claims_and_decisions.ipynb#A11)), so we try two common
# choices: a standard deviation of 0.02, and He's scale.

# %%
def he_scale(channels: int, leak: float = 0.2) -> float:
    """He's standard deviation for a 3×3×3 convolution of so many maps in front of a leaky ReLU."""
    return (2 / (27 * channels * (1 + leak**2))) ** 0.5


def gradient_sizes(norm: str, std: float | None, depth: int = 12, channels: int = 16, purpose: int = 5) -> list[float]:
    stream = draws(purpose)
    scale = he_scale(channels) if std is None else std
    signals = [torch.randn(4, channels, 4, 6, 6, generator=stream).requires_grad_()]
    for _ in range(depth):
        weight = scale * torch.randn(channels, channels, 3, 3, 3, generator=stream)
        hidden = norms.make_norm(norm, channels)(nn.functional.conv3d(signals[-1], weight, padding=1))
        signals.append(nn.functional.leaky_relu(hidden, 0.2))
    sizes = torch.autograd.grad((signals[-1] * torch.randn(signals[-1].shape, generator=stream)).sum(), signals[1:])
    return [size.norm().item() / sizes[-1].norm().item() for size in sizes]


cases = {"weights 0.02, no norm": ("none", 0.02, "--"), "weights 0.02, instance norm": ("instance", 0.02, "-"),
         "He's weights, no norm": ("none", None, ":"), "He's weights, instance norm": ("instance", None, "")}
sizes = {label: gradient_sizes(kind, std) for label, (kind, std, _) in cases.items()}

# %%
fig, axes = plt.subplots(figsize=(9, 3.4))
for (label, (kind, _, style)), mark in zip(cases.items(), ("x", "", "x", "o")):
    axes.plot(range(1, 13), sizes[label], linestyle=style, marker=mark, color=NORM_INKS[kind], label=label)
axes.set(yscale="log", xlabel="layer", ylabel="gradient, relative to layer 12")
axes.legend()
page.figure(fig, data=(),
            caption="Size of the gradient on its way back from layer 12 to layer 1, over that at layer 12. The two "
                    "cases with instance norm lie on each other: dots on the line.",
            alt="Size of the gradient at each of twelve layers relative to the last one, logarithmic. Small "
                "weights without a norm: it falls by six orders of magnitude towards the first layer. The other "
                "three, small weights with instance norm and He's weights with and without it, stay within "
                "about one order of magnitude.")

# %% tags=["nbval-check-output"]
print("gradient at layer 1, over that at layer 12")
page.expect("weights 0.02, no norm", sizes["weights 0.02, no norm"][0], high=1e-4, why="vanishes")
page.expect("weights 0.02, instance norm", sizes["weights 0.02, instance norm"][0], 0.1, 20, why="arrives")
page.expect("He's weights, no norm", sizes["He's weights, no norm"][0], 0.1, 20, why="arrives without help")
page.expect("instance norm: He's weights over weights 0.02",
            sizes["He's weights, instance norm"][0] / sizes["weights 0.02, instance norm"][0], of=1, rtol=0.01,
            why="the scale drops out")

# %% [markdown]
# Why do the two curves with instance norm coincide, and how steep must the other one be?
#
# 1. Let all weights of a layer be $c$ times as large. Instance norm divides by the standard deviation, which is $c$
#    times as large too. The layer's output does not change ($\epsilon$ aside), and neither does its derivative by its
#    input. So the gradient in all layers in front does not depend on $c$ at all.
# 2. Without a norm the layer's derivative is $c$ times as large (a leaky ReLU bends at zero and nowhere else). Between
#    layer 12 and layer 1 lie eleven layers, so the gradient is multiplied by $c^{11}$.
#
# Here $c$ is 0.02 over He's scale, and that depends on how many maps a layer has. The table gives $c$ for the widths
# of Table 2, and what eleven layers make of it.

# %%
page.table([{"maps": maps, "He's scale": he_scale(maps), "c = 0.02 / He's": 0.02 / he_scale(maps),
             "c to the 11th": (0.02 / he_scale(maps)) ** 11} for maps in (8, 16, 32, 64, 128)])

# %% [markdown]
# Is the experiment's gradient, with 16 maps, as small as the table says? Not yet: the table leaves out the borders.
# Even with He's weights, where $c = 1$, a part of the gradient is lost on the way, since at the border a part of the
# kernel meets zeros, as in the forward direction above. How much is lost we have measured: it is the third line of
# numbers above the table, He's weights without a norm. The gradient with weights of 0.02 should be the product of the two.

# %%
borders, scale = sizes["He's weights, no norm"][0], (0.02 / he_scale(16)) ** 11
small = sizes["weights 0.02, no norm"][0]
print(f"{borders:.4f} (He's weights: what the borders leave) x {scale:.3e} (c to the 11th) = {borders * scale:.3e}")
page.expect(f"weights 0.02, no norm: measured {small:.3e}, over this product", small / (borders * scale),
            of=1, rtol=0.01)

# %% [markdown]
# The table matters for the claim. For the 16 maps of our experiment 0.02 is far too small, and almost nothing arrives.
# For the 128 maps of Table 2's deep layers it is close to He's scale, and a good part arrives with no norm at all.
#
# We repeat the experiment with eight draws of the weights, and fix beforehand what has to come out. A problem can be
# solved only where there is one: without the norm less than a hundredth of the gradient may arrive at the first layer.
# With the norm at least a tenth has to arrive.

# %% tags=["nbval-check-output"]
firsts = {label: metrics.seed_interval([gradient_sizes(kind, std, purpose=purpose)[0] for purpose in MORE])
          for label, (kind, std, _) in cases.items()}
page.expect("8 draws, weights 0.02, no norm", firsts["weights 0.02, no norm"].value, high=0.01,
            why="the problem is there")
page.expect("8 draws, weights 0.02, instance norm", firsts["weights 0.02, instance norm"].value, low=0.1,
            why="it is solved")
page.expect("8 draws, He's weights, no norm", firsts["He's weights, no norm"].value, low=0.1, why="nothing to solve")
asked = {"weights 0.02, no norm": {"high": 0.01}, "weights 0.02, instance norm": {"low": 0.1}}
other = dict(zip(asked, reversed(asked)))  # each of the two is the other's negative control
for label in ("weights 0.02, no norm", "weights 0.02, instance norm", "He's weights, no norm"):
    norm_name, first = cases[label][0], firsts[label]
    what = f"gradient at the first of twelve layers over that at the last, {label}"
    drawn = {"interval": first, "over": DRAWS}
    if label in asked:
        page.measure(what, first.value, claim="instance-norm-gradient", **asked[label], **drawn,
                     controls=[book.control("the other norm of the two", firsts[other[label]])])
    if norm_name == "none":
        page.measure(what, first.value, decision="A11", **drawn)

# %% [markdown]
# What is shown, then, is exactly this. **In twelve random layers of 16 maps with weights of 0.02 the gradient vanishes,
# and instance norm lets it arrive.** The verdict on the sentence in [chapter 12](12_claims_and_decisions.ipynb) rests on
# these numbers. It is *not* shown that the network of Table 2 would suffer without the norm: with He's weights, with
# which this book's D starts, it needs no help at the start. Nor is anything said about weights after training. What the
# layer does is make the scale of the weights unimportant, at any width.
#
# A gradient can also be almost zero before it enters D on its way back, and then no norm in D helps. Let D reject a
# generated clip with a [logit](00_start_here.ipynb#Glossary) of −8 (a logit $l$ is D's score before the sigmoid
# $\sigma$). Let G be trained to make $\log(1 - \sigma(l))$ small, a loss that is called *saturating* because it is flat
# where D is sure that a clip is generated. Its derivative is $-\sigma(l)$. So the gradient that starts at D's output, on
# its way back to G, is $-\sigma(-8)$, almost nothing, and no norm on the way changes that. The remedy is another loss
# ([chapter 05](05_losses.ipynb)).

# %% tags=["nbval-check-output"]
logit = torch.tensor([-8.0], requires_grad=True)
for loss in (losses.saturating_generator_loss, losses.nonsaturating_generator_loss):
    print(f"{loss.__name__:30s} gradient at D's output: {torch.autograd.grad(loss(logit), logit)[0].item():.4f}")

# %% [markdown]
# ## Minibatch stddev: one number that tells D of mode collapse
#
# > *Table 2.* Minibatch Stddev, 129×4×4×4
#
# *Mode collapse* is the failure in which G answers every latent with nearly the same clip. A D that scores one clip at a
# time cannot see it: each copy by itself looks fine. This layer takes a group of clips, computes for every feature the
# standard deviation over the group, averages all of these into *one* number and appends it to each clip's features as a
# constant map. So 128 maps become 129, the number in Table 2's row.
#
# > **What it does not say.** How many clips form a group ([**A8**](12_claims_and_decisions.ipynb#A8)). We take four.

# %% tags=["nbval-check-output"]
def spread_of_groups(features: Tensor, group: int = 4) -> Tensor:  # -> one number a clip
    grouped = features.reshape(group, len(features) // group, *features.shape[1:])
    spread = (grouped.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3, 4))
    return spread.repeat(group)


deep = torch.randn(8, 128, 4, 4, 4, generator=draws(6))
with_map = norms.MinibatchStddev(group=4)(deep)
print(tuple(deep.shape), "->", tuple(with_map.shape))
print("same as the library:", torch.allclose(with_map[:, 128, 0, 0, 0], spread_of_groups(deep)))
print("one value a clip:", bool((with_map[:, 128] == with_map[:, 128, :1, :1, :1]).all()))
copies = deep[:1].expand(8, -1, -1, -1, -1)
told_apart = norms.MinibatchStddev()(copies)[:, 128].mean() / with_map[:, 128].mean()
page.expect("the 129th map for eight different clips", with_map[:, 128].mean(), low=0.5)
page.expect("the 129th map for eight copies of one clip", norms.MinibatchStddev()(copies)[:, 128].max(), high=1e-3,
            why="almost zero")

# %% [markdown]
# The groups have to divide the batch. Which clips form one? `reshape(group, ...)` writes the batch row by row into a
# table with `group` rows, and each *column* is a group. With 8 clips and groups of 4 the rows are 0 1, 2 3, 4 5 and
# 6 7, so clips 0, 2, 4, 6 form one group and the odd ones the other. A batch smaller than a group is one group; anything
# else is refused, with the nearest sizes that work.

# %% tags=["nbval-check-output"]
print("3 clips: one group of three,", tuple(norms.MinibatchStddev(4)(deep[:3]).shape))
try:
    norms.MinibatchStddev(4)(deep[:6])
except ValueError as error:
    print("6 clips:", error)

# %% [markdown]
# ## Instance norm cancels the stddev map
#
# > **What it does not say.** Which of the norms stands where ([**A12**](12_claims_and_decisions.ipynb#A12)). Section 4.2
# > puts batch norm in G and instance norm in D, section 4.3 pixel norm in both, section 4.4 instance norm after every
# > convolution and deconvolution. Taken together these are three norms behind one layer.
#
# Most combinations only do the same work twice. One is wrong without any error, and we build it on purpose: instance norm
# behind the convolution that reads the stddev map.
#
# 1. The map has the same value $v$ everywhere. Without padding a convolution adds $v\,s_c$ for it at every place of
#    output channel $c$, where $s_c$ is the sum of that channel's weights for this map.
# 2. So the mean of channel $c$ moves by $v\,s_c$, and its standard deviation does not move.
# 3. Instance norm subtracts the mean: $v$ is gone, exactly.
#
# With zero padding step 1 fails at the border, where part of the kernel hangs over the edge and sees zeros instead of
# $v$. Let us change the map's value from 0.1 (collapsed) to 1 (diverse), nothing else, and look at what arrives behind
# the convolution.

# %%
def arrives(norm: str, padding: int, side: int = 8) -> Tensor:
    """Change behind the convolution when the last of 129 maps goes from 0.1 to 1; relative to the output's size."""
    torch.manual_seed(page.seed)
    conv, norm_layer = nn.Conv3d(129, 32, 3, padding=padding), norms.make_norm(norm, 32)
    maps = torch.randn(4, 129, 4, side, side)
    outputs = []
    for value in (0.1, 1.0):
        maps[:, 128] = value
        outputs.append(norm_layer(conv(maps)).detach())
    return (outputs[1] - outputs[0]) / outputs[0].std()


panels = {"no norm": arrives("none", 1), "instance norm, no padding": arrives("instance", 0),
          "instance norm, zero padding": arrives("instance", 1)}
fig, axes = plt.subplots(1, 3, figsize=(9, 3))
top = panels["no norm"].abs().mean(dim=(0, 1))[1].max().item()
for axis, (label, change) in zip(axes, panels.items()):
    image = axis.imshow(change.abs().mean(dim=(0, 1))[1], vmin=0, vmax=top, cmap="magma")
    axis.set(xticks=[], yticks=[])
    axis.set_title(label, fontsize=11)
    axis.grid(False)
fig.colorbar(image, ax=axes, shrink=0.8, label="change")
page.figure(fig, data=(),
            caption="What arrives of the stddev map behind the next convolution (one time step, mean over "
                    "channels). Instance norm without padding: nothing. With zero padding: part of it, brightest at "
                    "the border, and weaker in the interior.",
            alt="Three heat maps of the change behind the convolution when the stddev map changes. Without a norm "
                "the change fills the plane. With instance norm and no padding the plane is empty. With instance "
                "norm and zero padding the border is lit and the interior too, more faintly.")

# %% [markdown]
# Two numbers are worth comparing in the third picture: the border's and the interior's. (Time has borders too; interior
# means no border in any of the three directions.)

# %%
def rms(change: Tensor) -> float:
    return change.square().mean().sqrt().item()


size = {label: rms(change) for label, change in panels.items()}
inner = {label: rms(change if "no padding" in label else change[:, :, 1:-1, 1:-1, 1:-1])  # there all is interior
         for label, change in panels.items()}
page.table([{"behind the convolution": label, "change": size[label], "of no norm's": size[label] / size["no norm"],
             "in the interior": inner[label]} for label in panels],
           note="root mean square, relative to the standard deviation of the output; the map goes from 0.1 to 1")

# %% tags=["nbval-check-output"]
padded, unpadded = "instance norm, zero padding", "instance norm, no padding"
page.expect("no padding: what is left of the change", size[unpadded], high=1e-5, why="only rounding")
page.expect("zero padding: share of the change that is left", size[padded] / size["no norm"], 0.05, 0.8)
page.expect("zero padding: change in the interior, over all", inner[padded] / size[padded], 0.1, 0.95)

# %% [markdown]
# Without a norm the interior changes more than the whole, because at the border only a part of the kernel sees the map.
#
# With instance norm and zero padding the interior changes too, although no border is near. At the border less than
# $v\,s_c$ is added, so the channel's mean moves by less than $v\,s_c$, and too little is subtracted in the interior. What
# is left of the message is a difference between border and interior.
#
# No error is raised, the shapes match Table 2, and a part of the message gets through, so a test that asks only whether
# *something* gets through would not find the mistake. D sees collapse less well than it should. Our D therefore has no
# norm on that convolution. It has none in two other places either: on its first convolution, with the kernel of 1×1×1,
# where a norm would take the exposure out of the clip before D has seen it (the example of the three exposures), and on
# the fully connected layers, which have no maps to average over.
#
# ## Which norm stands where in G and D
#
# The decision that we took is kept as data. Here is its entry, and the two blocks that it leads to, as the networks
# build them.

# %% tags=["nbval-check-output"]
print("A12:", paper.decision("A12").choice)
for network, spec in (("G", HRVGANConfig.generator_norm), ("D", HRVGANConfig.discriminator_norm)):
    before, after = norms.norms_around_activation(spec, 128)
    block = ["convolution", *(type(layer).__name__ for layer in before),
             "activation", *(type(layer).__name__ for layer in after)]
    print(f"{network} {spec!r}: {', '.join(block)}")

# %% [markdown]
# So each of the paper's three norms is used in one network: batch norm and pixel norm in G, instance norm in D. Other
# combinations are options of `build_system`, and [chapter 11](11_ablations.ipynb) trains some of them side by side.
#
# ## Check yourself
#
# 1. *(Calculation)* Features have the shape (4, 8, 4, 6, 6). How many means (or mean squares) does each of the three norms compute?
# 2. *(Calculation)* You multiply the weights of all thirteen layers by 7. In which of the four set-ups of Figure 2.2 does
#    the largest activation change, and by what factor?
# 3. Why may G have batch norm when D may not?
# 4. *(Figure)* Read from Figure 2.4: by about what factor does the gradient shrink at each layer with weights of 0.02 and no norm?
# 5. Twelve clips, groups of four. Which clips are in the group of clip 1?
# 6. Pixel norm behind instance norm in D: what would be lost?
# 7. Someone says: "with pixel norm, weights always grow." Where does the argument need plain gradient descent?
#
# <details><summary>Answers</summary>
#
# 1. Batch norm 8, one a channel. Instance norm 4 · 8 = 32. Pixel norm 4 · 4 · 6 · 6 = 576.
# 2. Only the one without a norm, by $7^{13}$, about $10^{11}$.
# 3. The gradient penalty on D is about single clips, so a clip's score must not depend on the others. G makes no such
#    promise.
# 4. It loses between six and seven powers of ten in eleven layers: $10^{-6.5/11} \approx 0.26$. (The table gives a
#    slightly larger $c$; zeros beyond the border cost the rest.)
# 5. Clips 1, 4, 7 and 10: the batch is split into 12 / 4 = 3 groups, and every third clip belongs to the same one.
# 6. The length. Behind instance norm the length of a place's feature vector says how unusual this place is in its clip.
#    Pixel norm gives all places the same length.
# 7. In step 3: the step has to be the gradient times a number. Adam's is not.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* What does instance norm make of $-2x + 5$? *Expected:* the negative of what it makes of $x$: the sign is
#    the one thing about a scale that it keeps.
# 2. *(easy)* The progressive GAN also pixel-normalises the latent. How far does the length of $z \sim N(0, I)$ in 128
#    dimensions vary, relative to its mean? *Expected:* by $1/\sqrt{2 \cdot 128}$, about 6 %: little to take away.
# 3. *(easy)* A batch of eight holds only two different clips, A and B. Compute the stddev for the orders ABABABAB and
#    AAAABBBB. *Expected:* below 0.001 and above 0.3: groups are clips 0, 2, 4, 6 and 1, 3, 5, 7.
# 4. *(hard)* Put a random convolution with a kernel of 1×1×1, from 3 to 8 maps, and a leaky ReLU in front of instance norm,
#    as our D does, and repeat the three exposures. *Expected:* they stay apart, by more than 5 % of the spread. Leave out
#    the leaky ReLU, and they become one again, to less than 2 %: it is its bend that lets exposure through.
# 5. *(hard)* How does the share of the stddev map's change that is left behind instance norm with zero padding depend on
#    the side of the maps? Try 4, 8 and 16. *Expected:* it falls with the side, because the border is a smaller part of the map.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
plain = norms.InstanceNorm(8)
flipped = torch.allclose(plain(-2 * features + 5), -plain(features), atol=1e-4)
assert flipped
print("the negative:", flipped)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
latent_lengths = torch.randn(4000, 128, generator=draws(7)).norm(dim=1)
page.expect("spread of the lengths over their mean", latent_lengths.std() / latent_lengths.mean(), of=1 / 256**0.5,
            rtol=0.05, why="1/sqrt(2 x 128)")

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
two = {"A": deep[0], "B": deep[1]}
for order, bounds in (("ABABABAB", {"high": 1e-3}), ("AAAABBBB", {"low": 0.3})):
    spread = norms.MinibatchStddev(4)(torch.stack([two[letter] for letter in order]))[:, 128].mean()
    page.expect(f"stddev map for {order}", spread, **bounds)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
torch.manual_seed(page.seed)
mixed = nn.Conv3d(3, 8, 1)(exposures)
bent, straight = (norms.InstanceNorm(8)(maps).detach() for maps in (nn.functional.leaky_relu(mixed, 0.2), mixed))
page.expect("difference of the exposures over the spread", left_apart(bent), low=0.05)
page.expect("the same without the leaky ReLU", left_apart(straight), high=0.02)

# %% tags=["solution", "nbval-check-output"]
# Exercise 5
survives = [rms(arrives("instance", 1, side)) / rms(arrives("none", 1, side)) for side in (4, 8, 16)]
for side, smaller, larger in ((8, *survives[:2]), (16, *survives[1:])):
    page.expect(f"share that is left at side {side} over that at side {side // 2}", larger / smaller, high=0.95)

# %% [markdown]
# ## For the ledger
#
# The folded cell below puts numbers of this chapter where the ledgers of [chapter 12](12_claims_and_decisions.ipynb)
# find them.

# %% tags=["ledger"]
for which, value in apart.items():
    page.measure(f"difference of three exposures of one clip after instance norm with {which}, over the clip's spread",
                 value, decision="A15")
page.measure("activations silenced by convolution, instance norm, ReLU", silent(relu(norm(bell))), decision="A14")
page.measure("activations silenced where Eq. 9 is stacked as printed: a ReLU on both sides of the norm",
             silent(relu(norm(relu(bell)))), decision="A14")
page.measure("length of a layer's weights after 80 steps with pixel norm behind it, over that at the start",
             lengths[-1] / lengths[0], decision="A13")
page.measure("value of the 129th map for eight copies of one clip, over that for eight different clips", told_apart,
             decision="A8")
page.measure("what D is told of eight copies of one clip, over that for eight different clips", told_apart, high=0.01,
             claim="minibatch-discrimination")
for label in ("instance norm, no padding", "instance norm, zero padding"):
    page.measure(f"share of the stddev map's effect left behind the next convolution: {label}",
                 size[label] / size["no norm"], decision="A12")
page.measure("what pixel norm would take from a latent: the spread of its length over the mean length",
             latent_lengths.std() / latent_lengths.mean(), decision="A13")

# %% [markdown]
# ## What we now know
#
# - The norms differed in their axes: only batch norm let one clip depend on another, and only pixel norm left other
#   places alone.
# - Eq. 9 covered the end of one layer and the start of the next; stacked as printed it silenced two thirds of the
#   activations instead of half.
# - Without a norm, activations grew with depth and weights; with any norm they did not. Weights grew all the same under
#   gradient descent. Instance norm let the gradient arrive through weights that were too small for their layer; with
#   weights of the right scale the gradient arrived without it.
# - Instance norm behind the stddev's convolution erased its message, except for what zero padding lets through at the
#   border. So our D has no norm on that convolution.
#
# ## Where next
#
# [Chapter 03](03_generator.ipynb) and [chapter 04](04_discriminator.ipynb) put these layers into Tables 1 and 2.
# [Chapter 05](05_losses.ipynb) is about the gradient that has to travel through them.

# %%
page.colophon()
