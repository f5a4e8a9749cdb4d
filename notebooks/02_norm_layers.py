# %% [markdown]
# # 02 · Four layers that keep numbers in range, and one pair that must not meet
#
# | | |
# |---|---|
# | **You will build** | batch norm, instance norm (Eq. 9), pixel norm (Eq. 8) and minibatch stddev, each in a few lines |
# | **Reads** | one clip of the action data set (a stand-in is drawn if you have none) |
# | **Writes** | nothing that a later chapter needs |
# | **Budget** | about ten seconds on two cores |
#
# Table 1 stacks thirteen 3×3×3 deconvolutions. If each makes its input half as large again, the last one sees numbers two hundred times too big; if each halves it, nothing arrives.
# Four small layers stand against this, and two of them, put in the wrong order, cancel each other without an error message.
#
# **By the end you can**
#
# - say for each norm over what it averages, and so who can hear whom in a batch;
# - read Eq. 9 as printed and say where it begins and ends inside a network;
# - tell what the paper's two claims, "explosion" and "vanishing gradient", hold up to when measured;
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

from hrvgan_lib import metrics, norms, paper
from hrvgan_lib.networks.hrvgan import HRVGANConfig

NORM_INKS = {"none": "#D55E00", "batch": "#882255", "instance": "#44AA99", "pixel": "#332288"}


def draws(purpose: int = 0) -> torch.Generator:
    """A fresh random stream; a different purpose gives a different one."""
    return torch.Generator().manual_seed(1000 * page.seed + purpose)


features = 3 + 2 * torch.randn(4, 8, 4, 6, 6, generator=draws())  # (batch, channel, time, height, width)

# %% [markdown]
# ## Batch norm: everybody hears everybody
#
# > *Section 4.2.* "… batch normalization is applied throughout the Generator network, facilitating gradient flow and convergence, whereas instance normalization is
# > utilized in the Discriminator to improve generalization and reduce internal covariate shift."
#
# All three norms of this chapter subtract or divide by a statistic. They differ in the axes over which it is taken. Batch norm takes one mean and one
# variance a channel, over all clips, times and places.

# %% tags=["nbval-check-output"]
def standardise(features: Tensor, over: tuple[int, ...], eps: float = 1e-5) -> Tensor:
    variance, mean = torch.var_mean(features, dim=over, correction=0, keepdim=True)
    return (features - mean) / (variance + eps).sqrt()


batch_norm = standardise(features, over=(0, 2, 3, 4))
print("same as nn.BatchNorm3d:", torch.allclose(batch_norm, nn.BatchNorm3d(8)(features), atol=1e-5))

# %% [markdown]
# So in training the output for one clip depends on its neighbours in the batch. For G that is a little noise, and at sampling time running averages take the place of the
# batch. For D it is a leak: the gradient penalty of [chapter 05](05_losses.ipynb) is a promise about *each* clip and needs a D that judges one at a time.
#
# ## Instance norm: each channel of each clip for itself (Eq. 9)
#
# > *Section 4.4.* "Instance normalization was used after both 3D convolutional and 3D deconvolutional layers to solve the vanishing gradient problem …"
# >
# > $$y = \text{ReLU} \left(\sum_{i=0}^d w_i \cdot \text{ReLU} \left(\gamma_i \cdot \frac{x_i - \mu_i}{\sqrt{\sigma_i^2 + \epsilon}} + \beta_i \right) + b \right) \quad (9)$$
#
# Leave out the batch axis from the average and each clip keeps to itself. Then scale and shift each channel by a learned $\gamma$ and $\beta$ ([**A15**](12_claims_and_decisions.ipynb#A15): learned, no
# running averages).

# %% tags=["nbval-check-output"]
gamma, beta = torch.randn(8, generator=draws(1)), torch.randn(8, generator=draws(2))
column = lambda values: values.view(1, -1, 1, 1, 1)  # noqa: E731
by_hand = column(gamma) * standardise(features, over=(2, 3, 4)) + column(beta)

layer = norms.InstanceNorm(8)
with torch.no_grad():
    layer.gamma.copy_(gamma)
    layer.beta.copy_(beta)
print("same as the library:", torch.allclose(by_hand, layer(features), atol=1e-5))
print("same as PyTorch's:  ",
      torch.allclose(nn.InstanceNorm3d(8)(features), norms.InstanceNorm(8)(features), atol=1e-5))

# %% [markdown]
# What a norm averages over, it forgets. Instance norm forgets the mean and the contrast of each channel. Here is one clip in three exposures, before and after.

# %%
clip = page.dataset("actions", frames=8, size=32).batch([0])[0]
cast = column(torch.tensor([0.5, 0.0, 0.2]))
exposures = torch.cat([clip, 0.35 * clip - 0.6, 0.5 * clip + cast])
after = norms.InstanceNorm(3)(exposures).detach()
page.figure(book.clip_grid(torch.cat([exposures, after / 3]),
                           labels=["as it is", "dark", "red cast"] + ["instance norm"] * 3),
            caption="One clip, three exposures (upper half); after instance norm they are one clip again (lower "
                    "half).",
            alt="Six strips of eight frames. The upper three show one clip as it is, dark, and pale with a red "
                "cast. The lower three show the same three after instance norm and cannot be told apart.")

# %% [markdown]
# In D this is welcome: a fake must not pass because it is as bright as the real ones. Statistics that are remembered from earlier batches would not do it ([**A15**](12_claims_and_decisions.ipynb#A15)): they are the same for all
# three exposures, which then stay as different as they came. The difference that is left, both ways, goes into the ledger of [chapter 12](12_claims_and_decisions.ipynb).

# %%
def left_apart(clips: Tensor) -> Tensor:
    """Root mean square difference of the other exposures from the first, over the first one's spread."""
    return (clips[1:] - clips[:1]).square().mean().sqrt() / clips[0].std()


remembered = nn.InstanceNorm3d(3, track_running_stats=True, momentum=None)
remembered(exposures)  # takes note of their statistics
for which, normed in (("its own statistics", after), ("remembered statistics", remembered.eval()(exposures))):
    page.measure(f"difference of three exposures of one clip after instance norm with {which}, over the clip's spread",
                 left_apart(normed), decision="A15")

# %% [markdown]
# The first is close to zero. That is also a warning, since any message written as a constant map is erased. It will
# come back below.
#
# ### Where Eq. 9 begins and ends
#
# **What it does not say (A14).** The text puts instance norm *after* the convolution; the equation puts it *before* one: norm, ReLU, weights, ReLU. The sum runs from 0 to
# $d$, which is $d + 1$ terms. D has leaky ReLUs, the equation plain ones. Statistics per clip ($\mu_{n,i}$) are meant, the index is missing.
#
# Both orders agree if Eq. 9 is a view of *two* layers: the inner half belongs to layer $l - 1$ (its convolution made $x$), the outer half to layer $l$.

# %% tags=["nbval-check-output"]
torch.manual_seed(page.seed)
conv1, conv2, norm, relu = (nn.Conv3d(8, 8, 3, padding=1), nn.Conv3d(8, 8, 3, padding=1), norms.InstanceNorm(8),
                            nn.ReLU())


def equation_9(x: Tensor) -> Tensor:  # as printed
    return relu(conv2(relu(norm(x))))


layer_before = nn.Sequential(conv1, norm, relu)  # convolution, instance norm, activation: section 4.4 in words
print("Eq. 9 on the first convolution's output == layer l-1, then convolution and ReLU of layer l:",
      torch.allclose(equation_9(conv1(features)), relu(conv2(layer_before(features))), atol=1e-6))

# %% [markdown]
# A network of Eq. 9 blocks stacked as printed is another one: there each norm follows a ReLU and is followed by a second. It silences more. Of a bell curve,
# ReLU → norm → ReLU leaves only what lies above $1/\sqrt{2\pi} \approx 0.4$ standard deviations; norm → ReLU leaves half.

# %% tags=["nbval-check-output"]
bell = torch.randn(4, 8, 8, 16, 16, generator=draws(3))
silent = lambda values: (values <= 0).float().mean().item()  # noqa: E731
page.expect("silent after convolution, norm, ReLU", silent(relu(norm(bell))), of=0.5, rtol=0.02,
            why="half of a bell curve")
page.expect("silent after convolution, ReLU, norm, ReLU", silent(relu(norm(relu(bell)))), of=0.655, rtol=0.02,
            why="the bell curve up to 0.399")
page.measure("activations silenced by convolution, instance norm, ReLU", silent(relu(norm(bell))), decision="A14")
page.measure("activations silenced where Eq. 9 is stacked as printed: a ReLU on both sides of the norm",
             silent(relu(norm(relu(bell)))), decision="A14")

# %% [markdown]
# We build convolution → instance norm → activation. One place is impossible: a map of a single position has no variance. Table 1 begins there, with
# a latent of 128×1×1×1, so "after both" cannot include it.

# %% tags=["nbval-check-output"]
for candidate in (norms.InstanceNorm(8), nn.InstanceNorm3d(8)):
    try:
        candidate(torch.randn(2, 8, 1, 1, 1))
    except ValueError as error:
        print(f"{type(candidate).__name__}: {error}")

# %% [markdown]
# ## Pixel norm: a volume knob at every pixel (Eq. 8)
#
# > *Section 4.3.* "To avoid an explosion of parameters in both the generator and the discriminator, feature vectors are normalized at every pixel."
# >
# > $$b_{x,y,t} = \frac{a_{x,y,t}}{\sqrt{\frac{1}{N} \sum_{j=0}^{N-1} (a_{x,y,t}^j)^2 + \epsilon}} \quad (8)$$
#
# The third choice of axes: the channels of one place at one time. No mean is subtracted and nothing is learned; the vector keeps its direction and loses its length.
# [**A13**](12_claims_and_decisions.ipynb#A13): $\epsilon$ stands inside the root, after the mean; it decides what a vector of zeros becomes.

# %% tags=["nbval-check-output"]
class PixelNorm(nn.Module):
    """Give the feature vector at each (t, y, x) unit mean square."""

    def forward(self, features: Tensor) -> Tensor:  # (batch, channel, time, height, width)
        return features * torch.rsqrt(features.square().mean(dim=1, keepdim=True) + 1e-8)


print("same as the library:", torch.allclose(PixelNorm()(features), norms.PixelNorm()(features)))
print("loud == quiet:", torch.allclose(PixelNorm()(1000 * features), PixelNorm()(features), atol=1e-5))
print("zeros stay zeros:", bool((PixelNorm()(torch.zeros(1, 8, 1, 1, 1)) == 0).all()))

# %% [markdown]
# Now we know three sets of axes. Who hears whom? Change clip 1 of a batch and look at clip 0; change one place of clip 0 and look at another place.

# %% tags=["nbval-check-output"]
louder_clip, louder_place = features.clone(), features.clone()
louder_clip[1] *= 5
louder_place[0, :, 0, 0, 0] *= 5
for name in ("batch", "instance", "pixel"):
    norm_layer = norms.make_norm(name, 8)
    before = norm_layer(features)[0, :, 1:]
    hears = [not torch.allclose(before, norm_layer(louder)[0, :, 1:]) for louder in (louder_clip, louder_place)]
    print(f"{name:9s} hears other clips: {hears[0]!s:6s} hears other places: {hears[1]}")

# %% [markdown]
# ### What explodes without it?
#
# A stack of random 3×3×3 deconvolutions, weights twice as large as He's scale (which keeps a ReLU network level, borders aside). We follow the largest activation
# through 24 layers, then hold the depth at 13, Table 1's, and turn up the weights.

# %%
@torch.no_grad()
def loudest(norm: str, gain: float, depth: int, channels: int = 16, purpose: int = 4) -> list[float]:
    stream, found = draws(purpose), []
    signal = torch.randn(4, channels, 4, 6, 6, generator=stream)
    for _ in range(depth):
        weight = torch.randn(channels, channels, 3, 3, 3, generator=stream) * gain * (2 / (27 * channels)) ** 0.5
        before, after = norms.norms_around_activation(norm, channels)
        signal = after(torch.relu(before(nn.functional.conv_transpose3d(signal, weight, padding=1))))
        found.append(signal.max().item())
    return found


depths, gains = range(1, 25), [0.5, 0.7, 1.0, 1.4, 2.0, 2.8]
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for name, ink in NORM_INKS.items():
    left.plot(depths, loudest(name, 2.0, 24), color=ink, label=name)
    right.plot(gains, [loudest(name, gain, 13)[-1] for gain in gains], "o-", markersize=3, color=ink)
left.set(yscale="log", xlabel="layer", ylabel="largest activation")
right.set(xscale="log", xlabel="weight scale (1: He's)")
right.set_xticks(gains, labels=[f"{gain:g}" for gain in gains])
right.minorticks_off()
left.legend(title="norm")
page.figure(fig,
            caption="Largest activation: over depth (left) and, at depth 13, over the scale of all weights (right).",
            alt="Left: largest activation over 24 layers, logarithmic; without a norm it climbs along a straight "
                "line over five orders of magnitude, with batch, instance or pixel norm it stays level below about "
                "ten. Right: largest activation after 13 layers over the weight scale; without a norm it spans "
                "many orders of magnitude, with each norm it is flat.")

# %% tags=["nbval-check-output"]
page.expect("24 layers without a norm, last over first", loudest("none", 2.0, 24)[-1] / loudest("none", 2.0, 1)[-1],
            low=100, why="it explodes")
for name in ("batch", "instance", "pixel"):
    soft, loud = loudest(name, 0.5, 13)[-1], loudest(name, 2.8, 13)[-1]
    page.expect(f"{name}: weights 5.6 times as large, activation grows", loud / soft, 0.9, 1.1,
                why="the norm takes the scale away")

# %% [markdown]
# One draw of the weights is an anecdote, so the ledger gets eight. What the sentence of section 4.3 asks, put in numbers beforehand: without the norm the activations
# grow a hundredfold or more, and with it none of them ever exceeds $\sqrt N$. A test that everything passes says nothing, so each number stands beside a **negative control**: here
# the same number for the other network of the two, which must not pass.

# %%
MORE, DRAWS = range(20, 28), "8 draws of the weights"
paths = {norm: [loudest(norm, 2.0, 24, purpose=purpose) for purpose in MORE] for norm in ("none", "pixel")}
growth = {norm: metrics.seed_interval([path[-1] / path[0] for path in found]) for norm, found in paths.items()}
page.measure("largest activation without a norm, layer 24 over layer 1", growth["none"].value, interval=growth["none"],
             over=DRAWS, claim="pixel-norm-explosion", low=100,
             controls=[book.control("the other norm of the two", growth["pixel"])])
highest = {norm: max(max(loudest(norm, 2.8, 24, purpose=purpose)) for purpose in MORE) for norm in ("pixel", "none")}
page.measure("largest activation with pixel norm, 24 layers of 16 channels, weights 2.8 times He's", highest["pixel"],
             claim="pixel-norm-explosion", high=16**0.5,
             controls=[book.Control("the other norm of the two", highest["none"], highest["none"])])

# %% [markdown]
# The claim holds, in this form: Eq. 8 makes an explosion of *activations* impossible, since no entry of a unit-mean-square vector of $N$ channels exceeds $\sqrt N$. So do the two
# other norms. Pixel norm is alone at work in a G that samples: batch norm then divides by remembered averages, which do not see a freak clip.
#
# And the "explosion of *parameters*"? Here the text and the layer part ways. If the output does not depend on the length of the weights, the gradient is at right angles
# to them, and a step at right angles makes a vector *longer*. Always.

# %%
def weight_lengths(after: nn.Module, steps: int = 80) -> tuple[list[float], float]:
    torch.manual_seed(page.seed)
    conv = nn.Conv3d(8, 8, 3, padding=1, bias=False)
    given, wanted = torch.randn(4, 8, 4, 4, 4), torch.rand(4, 8, 4, 4, 4)
    lengths = []
    for _ in range(steps):
        loss = (after(torch.relu(conv(given))) - wanted).square().mean()
        (slope,) = torch.autograd.grad(loss, conv.weight)
        cosine = nn.functional.cosine_similarity(slope.flatten(), conv.weight.flatten(), dim=0).item()
        lengths.append(conv.weight.norm().item())
        with torch.no_grad():
            conv.weight -= 3.0 * slope
    return lengths, cosine


lengths, cosine = weight_lengths(norms.PixelNorm())
fig, axes = plt.subplots(figsize=(6, 2.6))
axes.plot(lengths, color=NORM_INKS["pixel"])
axes.set(xlabel="step of plain gradient descent", ylabel="length of the weights")
page.figure(fig,
            caption="With pixel norm behind it, a layer's weights can only grow under plain gradient descent.",
            alt="Length of a layer's weights over 80 steps of plain gradient descent. With pixel norm it only ever "
                "grows.")

# %% tags=["nbval-check-output"]
page.expect("cosine between weights and their gradient", abs(cosine), high=1e-3,
            why="only their direction matters to the loss")
print("longer at every step:", all(b > a for a, b in pairwise(lengths)))
page.measure("length of a layer's weights after 80 steps with pixel norm behind it, over that at the start",
             lengths[-1] / lengths[0], decision="A13")

# %% [markdown]
# So read "magnitudes" for "parameters" ([**A13**](12_claims_and_decisions.ipynb#A13)): the layer makes large parameters harmless, it does not prevent them.
#
# ## Does instance norm solve the vanishing gradient?
#
# "… to solve the vanishing gradient problem": we send a gradient of size 1 back through twelve layers of D's kind (convolution, norm, leaky ReLU) and note its
# size at each. The initial weights are a free choice of the paper ([**A11**](12_claims_and_decisions.ipynb#A11)), so we try two common ones: drawn at 0.02, and drawn at He's scale for their fan-in.

# %%
def gradient_sizes(norm: str, std: float | None, depth: int = 12, channels: int = 16, purpose: int = 5) -> list[float]:
    stream = draws(purpose)
    scale = (2 / (27 * channels * (1 + 0.2**2))) ** 0.5 if std is None else std
    signals = [torch.randn(4, channels, 4, 6, 6, generator=stream).requires_grad_()]
    for _ in range(depth):
        weight = scale * torch.randn(channels, channels, 3, 3, 3, generator=stream)
        hidden = norms.make_norm(norm, channels)(nn.functional.conv3d(signals[-1], weight, padding=1))
        signals.append(nn.functional.leaky_relu(hidden, 0.2))
    sizes = torch.autograd.grad((signals[-1] * torch.randn(signals[-1].shape, generator=stream)).sum(), signals[1:])
    return [size.norm().item() / sizes[-1].norm().item() for size in sizes]


cases = {"weights 0.02, no norm": ("none", 0.02, "-"), "weights 0.02, instance norm": ("instance", 0.02, "-"),
         "He's weights, no norm": ("none", None, ":"), "He's weights, instance norm": ("instance", None, ":")}
sizes = {label: gradient_sizes(norm, std) for label, (norm, std, _) in cases.items()}
fig, axes = plt.subplots(figsize=(7, 3))
for label, (norm, _, style) in cases.items():
    axes.plot(range(1, 13), sizes[label], style, color=NORM_INKS[norm], label=label)
axes.set(yscale="log", xlabel="layer", ylabel="gradient, relative to layer 12")
axes.legend(fontsize=8)
page.figure(fig,
            caption="Gradient on its way from layer 12 back to layer 1.",
            alt="Size of the gradient at each of twelve layers relative to the last one, logarithmic. Small "
                "weights without a norm: it falls by six orders of magnitude towards the first layer. The other "
                "three curves, small weights with instance norm and He's weights with and without it, stay within "
                "about one order of magnitude.")

# %% tags=["nbval-check-output"]
page.expect("weights 0.02, no norm: layer 1 over layer 12", sizes["weights 0.02, no norm"][0], high=1e-4,
            why="vanishes")
page.expect("weights 0.02, instance norm", sizes["weights 0.02, instance norm"][0], 0.1, 20, why="arrives")
page.expect("He's weights, no norm", sizes["He's weights, no norm"][0], 0.1, 20, why="arrives without help")

# %% [markdown]
# Again eight draws for the ledger. To be solved, a problem has to be there: without the norm less than a hundredth of the gradient may arrive at the first layer, with it at least
# a tenth has to.

# %%
asked = {"weights 0.02, no norm": {"high": 0.01}, "weights 0.02, instance norm": {"low": 0.1}}
firsts = {label: metrics.seed_interval([gradient_sizes(norm, std, purpose=purpose)[0] for purpose in MORE])
          for label, (norm, std, _) in cases.items()}
other = dict(zip(asked, reversed(asked)))  # each of the two is the other's negative control
for label in ("weights 0.02, no norm", "weights 0.02, instance norm", "He's weights, no norm"):
    norm, first = cases[label][0], firsts[label]
    what = f"gradient at the first of twelve layers over that at the last, {label}"
    drawn = {"interval": first, "over": DRAWS}
    if label in asked:
        page.measure(what, first.value, claim="instance-norm-gradient", **asked[label], **drawn,
                     controls=[book.control("the other norm of the two", firsts[other[label]])])
    if norm == "none":
        page.measure(what, first.value, decision="A11", **drawn)

# %% [markdown]
# (The two curves with instance norm coincide: the norm takes the scale away.) The claim holds for badly scaled weights, and well-scaled weights do not need it. What the layer buys is that nobody has to get the scale right, at any width and at any
# time in training.
#
# It cannot bring back a gradient that never set out. If D rejects a fake with a logit of −8 and G is trained with the saturating loss, what enters D from
# above is $-\sigma(-8)$, and no norm below changes that: the cure is in the loss, [chapter 05](05_losses.ipynb).

# %% tags=["nbval-check-output"]
from hrvgan_lib import losses

logit = torch.tensor([-8.0], requires_grad=True)
for loss in (losses.saturating_generator_loss, losses.nonsaturating_generator_loss):
    print(f"{loss.__name__:30s} gradient at D's output: {torch.autograd.grad(loss(logit), logit)[0].item():.4f}")

# %% [markdown]
# ## Minibatch stddev: telling D that the clips are all the same
#
# > *Table 2.* Minibatch Stddev, 129×4×4×4
#
# A D that judges one clip at a time cannot see a collapsed G: each copy looks fine. This layer measures how much the clips of a group differ, averages
# that into *one* number, and appends it as a constant map. 128 maps become 129, which is how Table 2 betrays where the layer stands. [**A8**](12_claims_and_decisions.ipynb#A8): groups of four.

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
page.expect("eight copies of one clip", norms.MinibatchStddev()(copies)[:, 128].max().item(), high=1e-3,
            why="collapse reads as zero")
told_apart = norms.MinibatchStddev()(copies)[:, 128].mean() / with_map[:, 128].mean()
page.measure("value of the 129th map for eight copies of one clip, over that for eight different clips", told_apart,
             decision="A8")
page.measure("what D is told of eight copies of one clip, over that for eight different clips", told_apart, high=0.01,
             claim="minibatch-discrimination")

# %% [markdown]
# Groups need a batch that they divide. With 8 clips and groups of 4, clips 0, 2, 4, 6 form one group and the odd ones the other. A batch smaller than the group is one group;
# anything else is refused, with the nearest sizes that work.

# %% tags=["nbval-check-output"]
print("3 clips: one group of three,", tuple(norms.MinibatchStddev(4)(deep[:3]).shape))
try:
    norms.MinibatchStddev(4)(deep[:6])
except ValueError as error:
    print("6 clips:", error)

# %% [markdown]
# ## The pair that must not meet
#
# Section 4.4 wants instance norm after every convolution, section 4.3 pixel norm in both networks, section 4.2 batch norm in G: no layer can satisfy all of them ([**A12**](12_claims_and_decisions.ipynb#A12)). One
# combination is not just redundant but silently wrong, and this is our failure on purpose: *instance norm after the convolution that reads the stddev map.*
#
# The map is constant. A convolution turns a constant into a constant for each channel. Instance norm subtracts each channel's mean. Let us change the map's value from 0.1
# (collapsed) to 1 (diverse), nothing else, and see what arrives behind that convolution.

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
    axis.set(title=label, xticks=[], yticks=[])
    axis.grid(False)
fig.colorbar(image, ax=axes, shrink=0.8, label="change")
page.figure(fig,
            caption="What arrives of the stddev map behind the next convolution (one time step, mean over "
                    "channels). Only the norm and the padding differ.",
            alt="Three heat maps of the change behind the convolution when the stddev map changes. Without norm "
                "the change fills the plane. With instance norm and no padding the plane is empty. With instance "
                "norm and zero padding a faint pattern of the border remains.")

# %%
rows = [{"behind the convolution": label, "root mean square change": change.square().mean().sqrt().item()}
        for label, change in panels.items()]
page.table(rows, note="relative to the standard deviation of the output; the map goes from 0.1 to 1")

# %% tags=["nbval-check-output"]
size = {label: change.square().mean().sqrt().item() for label, change in panels.items()}
page.expect("instance norm, no padding", size["instance norm, no padding"], high=1e-5,
            why="cancelled to the last digits")
page.expect("zero padding: share of the change that survives", size["instance norm, zero padding"] / size["no norm"],
            0.05, 0.8, why="through the border")
for label in ("instance norm, no padding", "instance norm, zero padding"):
    page.measure(f"share of the stddev map's effect left behind the next convolution: {label}",
                 size[label] / size["no norm"], decision="A12")

# %% [markdown]
# Nothing raises, the loss goes down, the shapes match Table 2, and D has been blinded to collapse. With zero padding the border still leaks a good part, which hides the mistake
# from a careless test. Our D therefore has no norm on that convolution, and none on the first 1×1×1 convolution or the fully connected layers.
#
# ## What stands where
#
# The decision ledger is data. Here is its entry, and the two blocks that it leads to, as the networks build them.

# %% tags=["nbval-check-output"]
print("A12:", paper.decision("A12").choice)
for network, spec in (("G", HRVGANConfig.generator_norm), ("D", HRVGANConfig.discriminator_norm)):
    before, after = norms.norms_around_activation(spec, 128)
    block = ["convolution", *(type(layer).__name__ for layer in before),
             "activation", *(type(layer).__name__ for layer in after)]
    print(f"{network} {spec!r}: {', '.join(block)}")

# %% [markdown]
# Each of the paper's three techniques is kept once. Other combinations are options of `build_system`, so that ablations can compare them.
#
# ## Check yourself
#
# 1. Over which axes does each of the three norms average?
# 2. You multiply all weights of a convolution by 7. Which of the four set-ups of "what explodes" notices?
# 3. Why may G have batch norm when D may not?
# 4. Pixel norm after instance norm in D: what is lost?
#
# <details><summary>Answers</summary>
#
# 1. Batch norm: batch, time, height, width. Instance norm: time, height, width. Pixel norm: channels.
# 2. Only the one without a norm.
# 3. The penalty on D is about single clips, and the gradient at one clip must not run through the others. G makes no such promise.
# 4. After instance norm, the length of a pixel's vector says how unusual this place is in its clip. Pixel norm discards it.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* What does instance norm make of $-2x + 5$? *Expected:* the negative of what it makes of $x$: sign is the one thing about a scale that it keeps.
# 2. *(easy)* The progressive GAN also pixel-normalises the latent. By how much does that change $z \sim N(0, I)$ in 128 dimensions? *Expected:* little: lengths vary by about 6 % around $\sqrt{128}$.
# 3. *(medium)* A batch of eight holds only two different clips, A and B. Compute the stddev for the orders ABABABAB and AAAABBBB. *Expected:* zero and not zero: groups are clips 0, 2, 4, 6 and 1, 3, 5, 7.
# 4. *(medium)* Two halves of D's noise: show that the gradient at clip 0 runs through clip 1 with batch norm and not with instance norm. *Expected:* nonzero and exactly zero.

# %% tags=["solution", "nbval-check-output"]
plain = norms.InstanceNorm(8)
print("1. flipped:", torch.allclose(plain(-2 * features + 5), -plain(features), atol=1e-4))

# %% tags=["solution", "nbval-check-output"]
lengths = torch.randn(4000, 128, generator=draws(7)).norm(dim=1)
page.expect("2. spread of the lengths over their mean", (lengths.std() / lengths.mean()).item(), of=1 / 256**0.5,
            rtol=0.05, why="1/sqrt(2 x 128)")
page.measure("what pixel norm would take from a latent: the spread of its length over the mean length",
             lengths.std() / lengths.mean(), decision="A13")

# %% tags=["solution", "nbval-check-output"]
A, B = deep[0], deep[1]
for order in ("ABABABAB", "AAAABBBB"):
    spread = norms.MinibatchStddev(4)(torch.stack([{"A": A, "B": B}[letter] for letter in order]))[:, 128].mean()
    print(f"3. {order}: {'zero' if spread < 1e-3 else 'not zero'}")

# %% tags=["solution", "nbval-check-output"]
for name in ("batch", "instance"):
    inputs = features.clone().requires_grad_()
    (slope,) = torch.autograd.grad(norms.make_norm(name, 8)(inputs)[0].square()[:, 0].sum(), inputs)
    print(f"4. {name}: the output of clip 0 has a gradient at clip 1: {bool(slope[1].abs().max() > 0)}")

# %% [markdown]
# ## What we now know
#
# - The norms differ in their axes; only batch norm let one clip hear another, and only pixel norm left other places alone.
# - Eq. 9 covered the end of one layer and the start of the next; stacked as printed it silences two thirds of the activations instead of half.
# - Without a norm, activations grew with depth and weights, with any norm they did not; parameters grew all the same. Instance norm saved the gradient of badly scaled weights, which is all it can do.
# - Instance norm after the stddev's convolution erased its message, so that convolution has no norm.
#
# ## Where next
#
# [Chapter 03](03_generator.ipynb) and [chapter 04](04_discriminator.ipynb) put these layers into Tables 1 and 2. [Chapter 05](05_losses.ipynb) is about the gradient that has to travel through them.

# %%
page.colophon()
