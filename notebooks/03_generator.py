# %% [markdown]
# # 03 · The generator: how do 128 numbers become a video?
#
# | | |
# |---|---|
# | **You will build** | the generator of Table 1, first at an eighth of its width in one short cell, then in full |
# | **Reads** | the labelled clips (four of them, for one experiment) |
# | **Writes** | `table1_generator.csv`, `.md` and its sidecar |
# | **Budget** | half a minute on two cores; the full 32×256×256 network is traced without being computed |
#
# A clip of 32 frames at 256×256 pixels has 6.3 million values. The generator makes all of them from 128 random numbers,
# and it has fewer weights than the clip has values. This chapter takes the table that says how, runs it, and
# holds the result against the printed rows, one by one.
#
# **By the end** you can
#
# - build the generator from its table and say which layer has which shape, and why;
# - name the two rows of Table 1 whose printed shape or activation we changed, and defend the changes;
# - cut the table at any stage and predict the frames, the parameters and the work of what is left;
# - say where a label enters, and what changes when one latent becomes a sequence.

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

page = book.open_page("03_generator", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %% [markdown]
# ## What the paper says about the generator
#
# A GAN trains two networks against each other. The **generator** ([G](00_start_here.ipynb#Glossary)) turns a vector
# of random numbers, the [latent](00_start_here.ipynb#Glossary), into a clip. The **discriminator**
# ([D](00_start_here.ipynb#Glossary)) gives a clip a score, and is trained to score real clips higher than generated
# ones. G learns from what D's score tells it. Training comes in chapter 06; here we build G.
#
# > **Section 4.2.** "The Generator leverages 3D transposed convolutional (deconvolutional) layers to jointly model
# > spatial and temporal information […] batch normalization is applied throughout the Generator network […] the
# > Generator uses ReLU nonlinearities."
#
# Table 1 gives the layers. Here it is, read from `hrvgan_lib/paper`, the one place in this project where a
# published number is typed. Shapes are channels × time × height × width throughout the book
# (decision [**A23**](12_claims_and_decisions.ipynb#A23)).

# %% tags=["nbval-check-output"]
from hrvgan_lib import paper

page.table([{"row": number, "Generator": row.layer, "Activation": row.activation,
             "Output shape": paper.shape_text(row.printed)}
            for number, row in enumerate(paper.TABLE1, start=1)], data=(), note="Table 1 as printed.")

# %% [markdown]
# Read it from the top. One vector becomes a small block of features, 4×4×4: four base time steps, each with 4×4
# positions, and 128 numbers (channels) at each position. Then the same three rows follow six times: *Upsample, DeConv,
# DeConv*. Upsample makes the block larger, the two DeConv rows compute new features from neighbouring ones. Each
# Upsample doubles height and width; the first, the fourth and the sixth double time as well. As the picture grows, the
# channels get fewer: 128, 128, 128, 64, 32, 16, 8. A last layer mixes eight channels into red, green and blue.
#
# We call each height a *stage*: the 4-pixel stage is rows 1 to 3, the 8-pixel stage is rows 4 to 6, and so on.
#
# > **What it does not say.** Row 2 ends at 128×1×1×1 and row 3 stands at 128×4×4×4, with nothing between them that
# > grows ([**A1**](12_claims_and_decisions.ipynb#A1)). "DeConv" comes without stride or padding
# > ([**A2**](12_claims_and_decisions.ipynb#A2)), "Upsample" without a kernel
# > ([**A3**](12_claims_and_decisions.ipynb#A3)). The norms of sections 4.2 to 4.4 have no rows
# > ([**A12**](12_claims_and_decisions.ipynb#A12), chapter 02). The last activation is a ReLU, which cannot be negative
# > ([**A5**](12_claims_and_decisions.ipynb#A5)).
#
# ## A small generator, row by row
#
# We start with the table cut after its 16-pixel stage, and with an eighth of its channels. One helper stands for a
# DeConv row: the transposed convolution itself, then the two norms that chapter 02 found a place for, then the ReLU,
# $\max(x, 0)$. After it come the rows in the table's order.

# %%
import torch
from torch import nn

from hrvgan_lib.norms import PixelNorm


def deconv_row(before, after):
    """3×3×3, stride 1, size kept; then batch norm, pixel norm, ReLU (decision A12)."""
    return [nn.ConvTranspose3d(before, after, 3, padding=1), nn.BatchNorm3d(after), PixelNorm(), nn.ReLU()]


def small_generator(width=16):
    """Table 1 down to its 16-pixel stage: latents (batch, 128) to clips (batch, 3, 8, 16, 16) in [-1, 1]."""
    return nn.Sequential(
        nn.Linear(128, width * 4 * 4 * 4), nn.Unflatten(1, (width, 4, 4, 4)),
        nn.BatchNorm3d(width), PixelNorm(), nn.ReLU(), *deconv_row(width, width),
        nn.Upsample(scale_factor=(2, 2, 2)), *deconv_row(width, width), *deconv_row(width, width),
        nn.Upsample(scale_factor=(1, 2, 2)), *deconv_row(width, width), *deconv_row(width, width),
        nn.ConvTranspose3d(width, 3, 1), nn.Tanh(),
    )


# %% [markdown]
# Send one latent through, layer by layer, and watch the shape. The first two lines together are row 2: `Linear`
# computes $16 \cdot 4 \cdot 4 \cdot 4 = 1024$ numbers, and `Unflatten` lays them out as the block that row 3 starts
# from. (Row 2 is printed as 128×1×1×1; a section below says why we make it larger.) Each line after these is a row of
# Table 1 with 16 channels in place of 128. The last one is row 22, which gives the three colours.

# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
small = small_generator().eval()
signal = torch.randn(1, 128)
for layer in small:
    signal = layer(signal)
    if isinstance(layer, nn.Linear | nn.Unflatten | nn.Upsample | nn.ConvTranspose3d):
        print(f"{type(layer).__name__:16}", " × ".join(map(str, signal.shape[1:])))

# %% [markdown]
# The library builds the same network from the same table, but at every size and with every decision behind a switch.
# `make_config("literal")` is a [preset](00_start_here.ipynb#Glossary), a named set of such switches: the paper's text
# with the smallest repairs that let it run. Is it really the same network? Copy our weights into it, in order, and
# compare the clips.

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import Generator, initialise, make_config

eighth = make_config("literal", width=1 / 8)
library = Generator(frames=8, size=16, n_classes=0, config=eighth).eval()
library.load_state_dict(dict(zip(library.state_dict(), small.state_dict().values())))
latents = torch.randn(4, 128)
with torch.no_grad():
    difference = (small(latents) - library(latents)).abs().max()
page.expect("largest difference", difference, high=1e-4, why="same layers, order and weights")

# %% [markdown]
# The difference is rounding, so from here on we use the library's.
#
# ## A DeConv row is an ordinary convolution
#
# A transposed convolution is often used with stride 2, to enlarge. Table 1 has rows of their own for enlarging, and
# its DeConv rows keep the size, so we take stride 1 and padding 1 ([**A2**](12_claims_and_decisions.ipynb#A2)). With
# these it is an ordinary convolution whose kernel is read backwards. In one dimension, with a kernel $w_{-1}, w_0,
# w_1$:
#
# 1. A convolution *gathers*: output $i$ reads its neighbours, $y_i = \sum_j w_j \, x_{i+j}$ with $j \in \{-1, 0, 1\}$.
# 2. A transposed convolution *scatters*: input $x_i$ adds $w_j \, x_i$ to output $i + j$.
# 3. Collect what arrives at output $i$. It comes from the inputs $i - j$, so $y_i = \sum_j w_j \, x_{i-j}$.
# 4. Write $j$ for $-j$: $y_i = \sum_j w_{-j} \, x_{i+j}$. This is line 1 with the kernel read backwards.
#
# In three dimensions the kernel is flipped in time, height and width. PyTorch also stores the channels the other
# way round (inputs first), so they have to be swapped.

# %% tags=["nbval-check-output"]
transposed, plain = nn.ConvTranspose3d(6, 5, 3, padding=1), nn.Conv3d(6, 5, 3, padding=1)
enlarged = nn.Upsample(scale_factor=(1, 2, 2))(torch.randn(2, 6, 4, 8, 8))
with torch.no_grad():
    plain.weight.copy_(transposed.weight.transpose(0, 1).flip(2, 3, 4))
    plain.bias.copy_(transposed.bias)
    apart = (transposed(enlarged) - plain(enlarged)).abs().max()
page.expect("DeConv against Conv with the kernel flipped", apart, high=1e-5, why="steps 1 to 4")

# %% [markdown]
# We keep the table's name in the code; nothing else depends on it.
#
# ## From one vector to a 4×4×4 block
#
# Now the step from 1×1×1 in row 2 to 4×4×4 in row 3 ([**A1**](12_claims_and_decisions.ipynb#A1)). Could the DeConv of
# row 3 do it alone? Without padding, a kernel of 3 turns one position into three, not four. A kernel of 4 would fit
# the shape, but row 3 says 3.

# %% tags=["nbval-check-output"]
point = torch.randn(1, 128, 1, 1, 1)
for kernel in (3, 4):
    grown = nn.ConvTranspose3d(128, 128, kernel)(point)
    print(f"kernel {kernel}: 1×1×1 becomes", "×".join(map(str, grown.shape[2:])))
print("A1, our choice:", paper.decision("A1").choice)

# %% [markdown]
# So the fully connected layer gives 8192 numbers, which are the 128×4×4×4 of row 3 in a line. Row 3 is then a DeConv
# that keeps its size, like every other.
#
# ## Failure on purpose: checkerboards from a stride-2 deconvolution
#
# Why not save the Upsample rows, and let a DeConv with stride 2 enlarge? Give it a perfectly even grey and look. A
# stride of 2 puts the inputs on every second output and scatters each of them over three. Along one axis, an output
# that has an input on it is reached once, and an output between two inputs is reached twice.
#
# A clip has three such axes, and the counts of the three multiply. Height and width give a frame the counts 1, 2 and 4.
# Time is the third: a frame that lies on a frame of the input keeps these, and a frame between two has them doubled, 2,
# 4 and 8. The picture shows a frame of the first kind.

# %%
import matplotlib.pyplot as plt

grey = torch.ones(1, 1, 4, 8, 8)
strided = nn.ConvTranspose3d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False)
separate = nn.Sequential(nn.Upsample(scale_factor=2), nn.ConvTranspose3d(1, 1, 3, padding=1, bias=False))
for network in (strided, separate[1]):
    nn.init.constant_(network.weight, 1 / 27)
fig, axes = plt.subplots(1, 2, figsize=(7, 3.6))
for axis, network, title in zip(axes, (strided, separate), ("DeConv with stride 2", "Upsample, then DeConv")):
    axis.imshow(network(grey)[0, 0, 4].detach(), cmap="gray", vmin=0)
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)
page.figure(fig, data=(),
            caption="One even grey, enlarged in two ways. Left, the stride leaves a checkerboard; right, only the "
                    "border differs. Bright: reached often.",
            alt="Two grey squares. Left, a stride-2 deconvolution of an even grey shows a regular checkerboard of "
                "lighter and darker dots. Right, nearest-neighbour upsampling followed by a stride-1 deconvolution "
                "is evenly white inside, with a grey line along each side and a darker square in each corner.")

# %% tags=["nbval-check-output"]
inside = [network(grey)[0, 0, 4, 4:-4, 4:-4].detach() for network in (strided, separate)]
uneven = [square.std() / square.mean() for square in inside]  # spread of what should be even, away from the border
for kind, shown in (("the frame shown", 4), ("the next frame", 5)):
    counts = (27 * strided(grey)[0, 0, shown, 4:-4, 4:-4].detach()).round().int().unique().tolist()
    print(f"times that an output of {kind} is reached:", *counts)
page.expect("stride 2: spread over mean", uneven[0], low=0.1, why="a checkerboard")
page.expect("Upsample, then DeConv: spread over mean", uneven[1], high=1e-5, why="all reached alike")

# %% [markdown]
# A network with such layers has to learn to undo a pattern that no clip ever showed it. The rows of Table 1 avoid this:
# nearest-neighbour upsampling ([**A3**](12_claims_and_decisions.ipynb#A3)) treats every position alike, and
# the DeConv after it only has to smooth the steps. The border on the right is the zero padding, which we keep.
#
# The stride alone is not to blame; the kernel has to fit it. With stride 2 and a kernel of 4, the outputs that one
# input reaches and those that the next one reaches overlap by exactly half, so that along each axis every output is
# reached twice. A kernel of 3 cannot be shared out evenly over a stride of 2.
#
# ## Table 1, traced from the network
#
# Now the full table: 32 frames of 256×256. On PyTorch's *meta* device a tensor has a shape and no values, so the real
# network, the one that is trained elsewhere in this book, runs through in no time and no memory. `trace` notes
# each layer as it runs.

# %% tags=["nbval-check-output"]
import math

from hrvgan_lib.networks.hrvgan import trace

frames, size = paper.SETTINGS.frames, paper.SETTINGS.size
with torch.device("meta"):
    full = Generator(frames, size, n_classes=0, config=make_config("literal"))
    latent = torch.empty(1, paper.SETTINGS.latent)
traced = trace(full, latent)
parameters = sum(p.numel() for p in full.parameters())
print(len(traced), "layers ran; the last gives", paper.shape_text(traced[-1].shape))
print(f"{parameters:,} parameters for {math.prod(traced[-1].shape):,} values")

# %% [markdown]
# And the comparison, row by row. The code decides what is "as printed", for shape and activation together. Where
# something differs, ours follows the paper's after a semicolon, and the last column names the entry of the decision
# ledger that explains it.

# %% tags=["nbval-check-output"]
def as_volume(shape):
    """A vector of features is a volume of one position: (128,) becomes (128, 1, 1, 1)."""
    return (*shape, 1, 1, 1)[:4]


ours = [("-", as_volume(latent.shape[1:])), *((row.activation, as_volume(row.shape)) for row in traced)]
rows = []
for number, (printed, (activation, shape)) in enumerate(zip(paper.TABLE1, ours), start=1):
    rows.append({"row": number, "layer": printed.layer,
                 "activation, paper": printed.activation, "activation, ours": activation,
                 "shape, paper": paper.shape_text(printed.printed), "shape, ours": paper.shape_text(shape),
                 "same": (activation, shape) == (printed.activation, printed.printed),
                 "decision": ", ".join(printed.decisions)})
note = "Table 1 beside the network that this book trains, traced at 32 × 256 × 256."
page.table(rows, "table1_generator", data=(), note=note, show=False)

# %% tags=["nbval-check-output"]
def beside(row, what):
    """A cell of the table: what the paper prints, and ours where it is another."""
    printed, own = row[f"{what}, paper"], row[f"{what}, ours"]
    return printed if own == printed else f"{printed}; ours {own}"


page.table([{"row": row["row"], "layer": row["layer"], "activation": beside(row, "activation"),
             "shape": beside(row, "shape"), "as printed": row["same"], "decision": row["decision"] or "–"}
            for row in rows], data=(), note=note)

# %% tags=["nbval-check-output"]
import textwrap

page.expect("rows that differ", sum(not row["same"] for row in rows), low=2, high=2, why="rows 2 and 22")
for row in rows:
    if not row["same"]:
        entry = paper.decision(row["decision"])
        print(f"\nrow {row['row']}: {row['shape, ours']}, {row['activation, ours']}; "
              f"printed {row['shape, paper']}, {row['activation, paper']}")
        print(textwrap.fill(f"{entry.id}. {entry.open_point} We take: {entry.choice}. {entry.why}", 96))

# %% [markdown]
# All other rows have the printed shape and the printed activation. (Strides, padding, kernels of Upsample and norms are
# not printed; those we had to choose for nearly every row: A2, A3, A12.) The two that differ are the ends: how the
# vector enters the block, and how features leave it as pixels. Each row is also a claim of its own in the ledger of
# [chapter 12](12_claims_and_decisions.ipynb): it holds where shape and activation are as printed.
#
# ## Where the weights are, and where the work is
#
# The paper does not give a parameter count, but the table fixes it. Count with it:
#
# 1. A DeConv row with a kernel of $k$ per axis, from $a$ to $b$ channels, has $k^3 a b$ weights and $b$ biases: each
#    output channel has a kernel for each input channel. The fully connected row has $(128 + 1) \cdot 8192$.
# 2. Each weight is used once for each position of the output. So the work of a row, in multiplications, is
#    $k^3 a b \cdot T H W$.
# 3. From one stage to the next $H W$ grows by four. Where $a$ and $b$ halve, $a b$ falls to a quarter. So in the later
#    stages the *weights* of a stage fall to a quarter, while its *work* stays, or doubles where time doubles.
#
# We count once from the rows and once from the network.

# %% tags=["nbval-check-output"]
stages_of = {}  # height -> [weights, multiplications]
before = paper.TABLE1[0].shape
for row in paper.TABLE1[1:]:
    if row.layer != "Upsample":
        kernel = 3 if "3×3×3" in row.layer else 1
        multiplying = kernel**3 * before[0] * row.shape[0]
        stage = stages_of.setdefault(max(row.shape[2], 4), [0, 0])
        stage[0] += multiplying + row.shape[0]
        stage[1] += multiplying * math.prod(row.shape[1:])
    before = row.shape if row.layer != "Fully-connected" else paper.TABLE1[2].shape
counted = sum(weights for weights, _ in stages_of.values())
layers = [m for m in full.modules() if isinstance(m, nn.Linear | nn.ConvTranspose3d)]
print(f"from the rows: {counted:,}   from the network: {sum(p.numel() for m in layers for p in m.parameters()):,}")
print(f"batch norms add {parameters - counted:,}")

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharex=True)
names = [f"{height}²" for height in stages_of]
shares = [[100 * stage[place] / sum(s[place] for s in stages_of.values()) for stage in stages_of.values()]
          for place in (0, 1)]
for axis, values, title in zip(axes, shares, ("share of the weights, %", "share of the multiplications, %")):
    bars = axis.bar(names, values, color=book.SYSTEM_COLOURS["hrvgan"])
    axis.bar_label(bars, fmt="%.1f", fontsize=9)
    axis.set(title=title, xlabel="stage")
page.figure(fig, data=(),
            caption="Weights sit at the small stages, work at the large ones: G's layers by the height of what they "
                    "give.",
            alt="Two bar charts over the stages 4 to 256, with the number on each bar. The share of weights is highest "
                "at 4 pixels, equal at 8 and 16, and nearly nothing from 128 on; the share of multiplications is "
                "nearly nothing at 4 and 8, equal at 64 and 128, and twice that at 256.")

# %% tags=["nbval-check-output"]
page.expect("% of the weights at the stages up to 16", sum(shares[0][:3]), low=80)
page.expect("% of the multiplications at 256 alone", shares[1][-1], low=38, high=43)
page.expect("% of the multiplications at 128 and 256", sum(shares[1][-2:]), low=55, high=65)
page.expect("% of the weights at 128 and 256", sum(shares[0][-2:]), high=1)

# %% [markdown]
# More than four fifths of the weights sit at the stages up to 16 pixels. Well over half of the computing is spent on
# the last two stages, which own less than a hundredth of the weights. This is why a cut of the
# table is worth studying: it keeps most of the weights and drops most of the work.
#
# ## Cutting the table at a smaller size
#
# Stop after any stage, put the RGB layer there, and the result is a smaller generator of the same family. Time doubles
# only at 8, 64 and 256 ([**A4**](12_claims_and_decisions.ipynb#A4)), so the number of frames follows from the size.

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import stages

cuts = []
config = make_config("literal")
for length, side in ((8, 8), (8, 16), (8, 32), (16, 64), (16, 128), (32, 256)):
    with torch.device("meta"):
        cut = Generator(length, side, n_classes=0, config=config)
    cuts.append({"cut at": f"{side}×{side}", "frames": stages(length, side, config)[-1].frames,
                 "parameters": f"{sum(p.numel() for p in cut.parameters()):,}",
                 "values in a clip": f"{3 * length * side * side:,}"})
page.table(cuts, data=())

# %% [markdown]
# Related networks of this family double time elsewhere. What if it doubled at 8, 32 and 128
# ([**A4**](12_claims_and_decisions.ipynb#A4))? The weights would be the same, but the stages 32 and 128 would have
# twice as many frames as in the table, and so twice the work.

# %% tags=["nbval-check-output"]
from itertools import pairwise


def work(doublings):
    """Multiplications of the 3×3×3 rows behind the first stage, for one full clip."""
    plan = stages(frames, size, make_config("literal", temporal_doublings=doublings))
    return sum(27 * (a.channels + b.channels) * b.channels * b.frames * b.size**2 for a, b in pairwise(plan))


page.expect("work with doublings at 8, 32, 128 over Table 1's", work((8, 32, 128)) / work((8, 64, 256)), low=1, high=2)

# %% [markdown]
# The library refuses a size that the table does not have, and a number of frames that it does not have at that size. Its
# sentence says what to ask for.

# %% tags=["nbval-check-output"]
for length, side in ((8, 48), (32, 64)):
    try:
        stages(length, side, config)
    except ValueError as error:
        print(error)

# %% [markdown]
# ## What enters G: the label, and the distribution of the latent
#
# > **Section 4.2.** The latent vectors "are conditioned on the action category label".
#
# > **What it does not say.** By which mechanism ([**A18**](12_claims_and_decisions.ipynb#A18)), and what happens to
# > Golf and Aeroplane, which have no labels ([**A19**](12_claims_and_decisions.ipynb#A19)).
#
# We look the label up in a table of learned vectors (an *embedding*) and lay that vector beside the latent, so the
# fully connected layer reads 256 numbers instead of 128. Without classes there is no table, and the layer is the one
# above. Does a label move the pixels as much as the latent does? We take an untrained generator, change only the label,
# then only the latent, and compare by how much the pixels spread. The last line of the output is on a smaller question,
# latents from a uniform distribution in place of a normal one.

# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
conditional = Generator(8, 32, n_classes=8, config=eighth).eval()
print("fully connected layer:", conditional.fc.in_features, "to", conditional.fc.out_features)
with torch.no_grad():
    same_latent = conditional(torch.randn(1, 128).expand(8, -1), torch.arange(8))
    same_label = conditional(torch.randn(8, 128), torch.zeros(8, dtype=torch.long))
spread = {"label": same_latent.std(dim=0).mean(), "latent": same_label.std(dim=0).mean()}
page.expect("spread by label over spread by latent", spread["label"] / spread["latent"], low=0.5, high=2)
normal, uniform = torch.randn(64, 128), 2 * torch.rand(64, 128) - 1
with torch.no_grad():
    wide, narrow = (conditional(z, torch.zeros(64, dtype=torch.long)).std(dim=0).mean() for z in (normal, uniform))
page.expect("spread by uniform latents over that by normal", narrow / wide, low=0.3, high=1)
print(f"standard deviations of the latents: uniform {uniform.std():.2f}, normal {normal.std():.2f}")

# %% [markdown]
# Before training, label and latent weigh about the same: both are 128 numbers of the same size. The last lines belong
# to a question of its own ([**A17**](12_claims_and_decisions.ipynb#A17)): the paper does not say how the latent is
# distributed. We draw it from a normal distribution. Uniform numbers between -1 and 1 are smaller, so they would give an
# untrained G less variety.
#
# Training decides what label and latent are used for. The discriminator of chapter 04 scores a clip *together with* its
# label, so a generator that ignores labels gets low scores.
#
# The abstract promises labels "during both training and inference". For inference we ask that each of the eight
# clips from one latent differs from the next. For training we ask that D's score of a clip changes when its label
# does. Untrained networks can answer both, since the question is only how they are wired. (`network.apply(initialise)`
# calls the library's `initialise` on every layer: it draws the weights as they are drawn before a training, random and
# scaled to the number of inputs, and sets the biases to zero.)

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import Discriminator

discriminator = Discriminator(8, 32, n_classes=8, config=eighth).apply(initialise)
with torch.no_grad():
    scores = [discriminator(same_label, torch.full((8,), label)) for label in (2, 5)]
differ = (same_latent[1:] != same_latent[:-1]).flatten(1).any(dim=1).float().mean()
heard = (scores[0] != scores[1]).float().mean()
page.expect("share of neighbouring labels whose clips differ", differ, low=1)
page.expect("share of clips whose score changes with the label", heard, low=1)
page.measure("share of neighbouring labels whose clips from one latent differ, untrained networks", differ,
             claim="labels-in-training-and-inference", low=1)
page.measure("share of clips whose score by D changes with the label, untrained networks",
             heard, claim="labels-in-training-and-inference", low=1)

# %% [markdown]
# ## One latent a clip, or one for each time step
#
# > **Section 4.2.** "The input to the Generator is a sequence of latent noise vectors, each corresponding to a frame in
# > the target video sequence."
#
# > **What it does not say.** How a sequence fits Table 1, which starts from one vector
# > ([**A16**](12_claims_and_decisions.ipynb#A16)).
#
# We follow the table and build the other reading as a switch, `latent="sequence"`: one latent for each of the *four
# base time steps* of row 3, which leaves every later row as it is. (A third reading, one for each frame, is in
# chapter 07.) What does it change? We replace one latent and look at which of the eight frames move, averaged over a
# few untrained networks, since each has its own random kernels.

# %%
def moved(network, latents, replaced):
    """Mean absolute change of each frame when `latents` become `replaced`."""
    with torch.no_grad():
        return (network(replaced) - network(latents)).abs().mean(dim=(0, 1, 3, 4))


one_each = make_config("literal", width=1 / 8, latent="sequence")
reach = torch.zeros(5, 8)  # four latents of a sequence, then the single one
for trial in range(6):
    torch.manual_seed(seed + trial)
    sequence, single = (Generator(8, 16, 0, c).apply(initialise).eval() for c in (one_each, eighth))
    latents, fresh = torch.randn(2, 8, 4, 128)
    for place in range(4):
        replaced = latents.clone()
        replaced[:, place] = fresh[:, place]
        reach[place] += moved(sequence, latents, replaced) / 6
    reach[4] += moved(single, latents[:, 0], fresh[:, 0]) / 6

# %%
fig, axis = plt.subplots(figsize=(8, 3.4))
looks = zip(("#0072B2", "#56B4E9", "#E69F00", "#D55E00"), ("o-", "^--", "v--", "D-"))
for place, (colour, style) in enumerate(looks, start=1):
    axis.plot(range(1, 9), reach[place - 1], style, color=colour, label=f"latent {place} of 4")
axis.plot(range(1, 9), reach[4], "s:", color="black", label="the single latent")
axis.set(xlabel="frame", ylabel="mean change of a pixel", ylim=(0, None))
axis.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=9, frameon=False)
page.figure(fig, data=(),
            caption="Which frames move when one latent is replaced. The outer latents of a sequence (solid) hardly "
                    "reach the far end; the inner two (dashed) move every frame.",
            alt="Five lines over eight frames. Latent 1 of four moves the first frames most and the last one least; "
                "latent 4 is its mirror image. Latents 2 and 3 move all eight frames, 2 somewhat more at the beginning "
                "and 3 somewhat more at the end. The single latent, above them, moves every frame, the last one most.")

# %% tags=["nbval-check-output"]
halves = reach.view(5, 2, 4).sum(dim=2) / reach.sum(dim=1, keepdim=True)  # share of the effect: frames 1-4, 5-8
evenness = reach.amin(dim=1) / reach.amax(dim=1)  # least moved frame over most moved
for place in range(4):
    page.expect(f"latent {place + 1} of 4: share of its effect in its own half", halves[place, place // 2], low=0.5)
for name, place in (("1", 0), ("4", 3)):  # an outer latent hardly reaches the far end
    page.expect(f"latent {name}: least moved frame over most moved", evenness[place], high=0.35)
for name, place in (("2", 1), ("3", 2), ("of a whole clip", 4)):  # every frame moves
    page.expect(f"latent {name}: least moved frame over most moved", evenness[place], low=0.35)
page.measure("single latent replaced: change of the least moved of eight frames over that of the most moved",
             reach[4].min() / reach[4].max(), decision="A16")
page.measure("first latent of four replaced: change of the last of eight frames over that of the first",
             reach[0, -1] / reach[0, 0], decision="A16")

# %% [markdown]
# So a latent of the sequence does not own a stretch of time. Each has more of its effect in its own half of the clip
# (the first for latents 1 and 2, the second for 3 and 4) than in the other, but the inner two move all frames, and
# only the outer two leave an end of the clip almost alone.
#
# The kernels explain it. A base step becomes two frames at the 8-pixel stage. Row 3, with its kernel of three base
# steps, hands a latent on to the base steps beside its own; then four DeConv rows (two at 8 pixels, two at 16) carry
# it one frame further each. Latent 1 fills base steps 1 and 2, which are frames 1 to 4, and reaches frame 8 only
# along the one path that takes a step forward in every row. Latents 2 and 3 fill three of the four base steps, and
# reach both ends along many paths.
#
# A single latent describes the whole clip: what, who and how it goes on. A sequence gives each time its own
# description, and the kernels that reach across have to hold the clip together. The networks of this book start from
# a single latent unless they say otherwise.
#
# ## Can it draw? Fitting four real clips
#
# Nothing so far says that this network can make anything that looks like a video. A direct test needs no
# discriminator: take four real clips (without the data set, clips of a drawn
# [stand-in](00_start_here.ipynb#Glossary)), give each a random latent of its own, and train the generator to answer
# each latent with its clip. The [loss](00_start_here.ipynb#Glossary) is Eq. 10, alone:
#
# $$\mathcal{L}_{mse}(X, Y) = \|G(X) - Y\|^2.$$
#
# Here $X$ is a latent and $Y$ its clip, and we take the mean over all pixel values in place of their sum. We call this
# mean squared difference the *error*. We use an eighth of the channels, at the size of this profile.

# %%
from hrvgan_lib.losses import mse_loss_paper

dataset = page.dataset("actions")
there = dataset.labels.tolist()
by_name = {dataset.classes[label]: label for label in sorted(set(there))}
wanted = sorted(by_name, key=lambda name: name not in paper.SETTINGS.figure4_actions)[:4]  # Figure 4's actions first
films = dataset.batch([there.index(by_name[name]) for name in wanted])[0].to(page.device)


def learn(final_activation, steps=2 if page.rehearse else 120):
    """Fit a narrow generator to the four films; what it draws before and after, and its error."""
    torch.manual_seed(seed)
    narrow = make_config("literal", width=1 / 8, final_activation=final_activation)
    generator = Generator(dataset.frames, dataset.size, 0, narrow).apply(initialise).to(page.device)
    keys = torch.randn(len(films), 128, device=page.device)
    optimiser = torch.optim.Adam(generator.parameters(), betas=(0.9, 0.99))
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-2, total_steps=steps)  # up, then down to zero
    untrained = generator(keys).detach()
    for _ in range(steps):
        loss = mse_loss_paper(generator(keys), films)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rate.step()
    return untrained, generator(keys).detach(), loss.item()


# %% [markdown]
# ### Failure on purpose: the last ReLU as printed
#
# We fit it twice: with our tanh as last activation, and with the ReLU that Table 1 prints. Pixels run from -1 (black)
# to 1 (white); a ReLU ends at zero, middle grey.

# %%
drawn = {"tanh": learn("tanh"), "ReLU": learn("relu")}
strips = {"real": films, "untrained": drawn["tanh"][0], "tanh": drawn["tanh"][1], "ReLU": drawn["ReLU"][1]}
shown = torch.stack([strip[i] for i in range(2) for strip in strips.values()])
fig = book.clip_grid(shown, every=max(1, dataset.frames // 8),
                     labels=[f"{wanted[i]}, {kind}" for i in range(2) for kind in strips])
page.figure(fig, data=[dataset],
            caption="Two of the four clips: real, as G draws it before any step, learned with tanh, and learned with "
                    "the printed ReLU, which has no darker colour than middle grey.",
            alt="Rows of frames in groups of four for two clips: the real clip; a formless pattern before training; "
                "the clip learned with tanh, a soft copy in paler colours; and the clip learned with ReLU, in which "
                "everything darker than middle grey is flat grey.")

# %% [markdown]
# Now in numbers. Where a pixel is $x < 0$, the best that a ReLU can give is 0, and that costs $x^2$. The mean of these
# costs over all pixels of the four clips, those with $x \geq 0$ counted as 0, is a *floor*: no training with a last
# ReLU gets an error below it. We print three ratios, each with a denominator of its own:
#
# 1. *Does tanh learn?* The error with tanh, divided by the **variance** of the pixels. The variance is the error of the
#    best single grey, so 1 would be no better than an even picture, and 0 is a perfect copy.
# 2. *Does ReLU reach its floor?* The error with ReLU, divided by the **floor**. It cannot be below 1.
# 3. *How high is the floor?* The floor, divided by the **mean of $x^2$**. The mean of $x^2$ is the error of middle grey
#    everywhere, so this is the share of that error that no ReLU can remove.

# %% tags=["nbval-check-output"]
below = films.clamp(max=0).square().mean().item()
if not page.rehearse:
    page.expect("1. error with tanh, over the variance", drawn["tanh"][2] / films.var().item(), high=0.5)
    page.expect("2. error with ReLU, over the floor", drawn["ReLU"][2] / below, low=1)
    page.expect("3. the floor, over the mean of x²", below / films.square().mean(), low=0.01)
    page.measure("error of four learned films with a last ReLU over that with tanh, after as many steps",
                 drawn["ReLU"][2] / drawn["tanh"][2], decision="A5", data=[dataset])
    page.measure("share of four films' mean square that a last ReLU cannot reach", below / films.square().mean(),
                 decision="A5", data=[dataset])

# %% [markdown]
# With tanh the narrow network learns to draw its clips. With the printed ReLU on pixels in $[-1, 1]$ it cannot draw
# anything darker than middle grey, however long it learns, so the second ratio stays above one. Pixels in $[0, 1]$ would
# remove the floor, but a ReLU has no upper limit either. This is decision [**A5**](12_claims_and_decisions.ipynb#A5);
# `final_activation="relu"` brings the printed form back.
#
# ## The ReLUs inside: sparse features, strong gradients
#
# > **Section 4.2.** ReLU is used "to maintain strong gradient signals during training and encourage sparse feature
# > activations".
#
# Sparse can be counted. A feature is off where the ReLU gives exactly zero. We count the share of zeros after each ReLU
# of an untrained G, and print the smallest and the largest:

# %% tags=["nbval-check-output"]
zeros = []
watched = Generator(8, 32, 0, eighth)
for module in watched.modules():
    if isinstance(module, nn.ReLU):
        module.register_forward_hook(lambda _module, _inputs, output: zeros.append((output == 0).float().mean().item()))
probe = torch.randn(16, 128, requires_grad=True)
watched(probe).square().mean().backward()
page.expect("smallest share of zeros after a ReLU", min(zeros), low=0.3, high=0.7)
page.expect("largest share of zeros after a ReLU", max(zeros), low=0.3, high=0.7)
page.expect("share of the latents' numbers that the gradient reaches", (probe.grad != 0).float().mean(), low=0.99)

# %% [markdown]
# About half of all features are off, and the gradient still reaches every number of the latent. The half follows from
# the layers in front of the ReLU. Batch norm gives each feature the mean zero. Pixel norm then divides by a positive
# number, which changes no sign. The ReLU cuts at zero. A mean of zero alone would not make it half (a few large values
# can balance many small ones), but a sum over many random weights spreads about evenly to both sides of its mean.
#
# Is that gradient *strong*? A gradient is strong only in comparison with another one. We put a tanh, which flattens at
# both ends, in the place of every ReLU inside, and compare the length of the gradient that arrives at the latent. We
# call it strong if it is at least as long with ReLU as with tanh, and the layers sparse if at least three features in
# ten are off. A sigmoid in the same places is the negative control: it must not pass.

# %% tags=["nbval-check-output"]
from hrvgan_lib import metrics


def at_the_latent(activation, draw):
    """Length of the gradient at sixteen latents of an untrained network with this activation inside."""
    torch.manual_seed(1000 * seed + draw)
    network, latents = Generator(8, 16, 0, eighth).apply(initialise), torch.randn(16, 128, requires_grad=True)
    network.layers = nn.Sequential(*(activation() if isinstance(m, nn.ReLU) else m for m in network.layers))
    clips = network(latents)
    (clips * torch.randn_like(clips)).sum().backward()
    return latents.grad.norm().item()


def over_tanh(activation):
    return metrics.seed_interval([at_the_latent(activation, draw) / at_the_latent(nn.Tanh, draw) for draw in range(8)])


ratios = over_tanh(nn.ReLU)
page.expect("gradient with ReLU over that with tanh, mean of eight draws", ratios.value, low=1)
page.expect("gradient with sigmoid over that with tanh", over_tanh(nn.Sigmoid).value, high=0.5, why="it fails")
page.measure("gradient at the latents with ReLU inside, over that with tanh", ratios.value, interval=ratios,
             over="8 draws of the weights", claim="relu-generator", low=1,
             controls=[book.control("sigmoid inside", over_tanh(nn.Sigmoid))])
page.measure("smallest share of exact zeros behind a ReLU of G", min(zeros), claim="relu-generator", low=0.3,
             controls=[book.Control("sigmoid inside", 0.0, 0.0)])  # a sigmoid is never exactly zero

# %% [markdown]
# So in this network, untrained, both halves of the sentence hold: half of the features are off, and more gradient
# arrives than with tanh. The control fails, as it should.
#
# ## Check yourself
#
# 1. Why does the cut at 64×64 have 16 frames and not 32?
# 2. *(calculate)* Row 11 goes from 128 to 64 channels at 8×32×32 with a 3×3×3 kernel. How many weights has it,
#    biases left out, and how many multiplications does it cost for one clip?
# 3. *(figure)* Which stage takes most of the multiplications? Would halving its eight channels halve G's work, and what
#    would it do to the number of weights?
# 4. Row 3 keeps the size of its input. Which input?
# 5. What would a stride-2 DeConv need to have no checkerboard?
# 6. *(figure)* Four latents: which of them could you replace and leave the last frame nearly as it was?
#
# <details><summary>Answers</summary>
#
# 1. Time doubles at the stages 8, 64 and 256. Cut at 64, two doublings have happened: 4 → 8 → 16.
# 2. $27 \cdot 128 \cdot 64 = 221{,}184$ weights. Each works at $8 \cdot 32 \cdot 32 = 8192$ positions, so about
#    1.8 thousand million multiplications.
# 3. The 256-pixel stage, with about two fifths of them. Its rows then have 27·16·4, 27·4·4 and 4·3 weights in place
#    of 27·16·8, 27·8·8 and 8·3, so its work falls to 42 %: G saves about a quarter of its work, and not half. The
#    number of weights hardly changes, since that stage owns about a thousandth of them.
# 4. The 8192 numbers of the fully connected layer, laid out as 128×4×4×4 (A1).
# 5. A kernel that the stride divides, such as 4: then every output away from the border is reached by equally many
#    inputs, two along each axis.
# 6. Only latent 1. Latents 2, 3 and 4 move the last frame by a good part of their largest change.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* How many parameters does the conditional generator of 101 classes have more than the unconditional one?
#    Predict, then count. *Expected:* $128 \cdot 8192 + 101 \cdot 128 = 1{,}061{,}504$.
# 2. *(easy)* Another option for A1 is a transposed convolution with kernel 4 on the one position of row 2. Show that it
#    *is* a fully connected layer, apart from its biases. *Expected:* with its weights laid out as an 8192×128 matrix,
#    the largest difference is below 1e-4.
# 3. *(medium)* Nearest ×2 followed by a 3×3×3 DeConv equals *one* transposed convolution with kernel 4 and stride 2.
#    Find its kernel in one dimension. *Expected:* each inner tap is the sum of two neighbouring taps, and the largest
#    difference is below 1e-5, borders included.
# 4. *(hard)* Replace the first of four latents. Which frames can move at all in a network cut at 8×8, and at 16×16?
#    Derive it from the kernels, then measure. *Expected:* the first six of eight at 8×8, all eight at 16×16.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1: the fully connected layer reads 128 numbers more, and the table of labels has 101 rows of 128
with torch.device("meta"):
    counts = [sum(p.numel() for p in Generator(frames, size, classes, make_config("literal")).parameters())
              for classes in (0, paper.SETTINGS.ucf101_classes)]
print(f"{counts[1] - counts[0]:,} more, {(counts[1] - counts[0]) / counts[0]:.0%} of the unconditional form")
assert counts[1] - counts[0] == 128 * 8192 + 101 * 128 == 1_061_504

# %% tags=["solution", "nbval-check-output"]
# Exercise 2: ConvTranspose3d stores (in, out, time, height, width), so output number (out, t, h, w) has a row of 128
block = nn.ConvTranspose3d(128, 128, 4, bias=False)
matrix = block.weight.flatten(1).T  # (8192, 128)
with torch.no_grad():
    difference = (block(point).flatten() - matrix @ point.flatten()).abs().max()
met = page.expect("kernel 4 on one position against a fully connected layer", difference, high=1e-4)
assert met and matrix.shape == (8192, 128)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3, in one dimension. An output at an even place 2i reads x[i-1], x[i], x[i];
# at an odd place x[i], x[i], x[i+1].
taps = torch.randn(1, 1, 3)
a, b, c = taps[0, 0]
fused = torch.stack([a, a + b, b + c, c]).view(1, 1, 4)  # the transposed layer's own taps, the inner two summed
line = torch.randn(1, 1, 10)
two_steps = nn.functional.conv_transpose1d(line.repeat_interleave(2, dim=2), taps, padding=1)
one_step = nn.functional.conv_transpose1d(line, fused, stride=2, padding=1)
assert page.expect("largest difference", (two_steps - one_step).abs().max(), high=1e-5)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4: row 3 fills base steps 1 and 2, frames 1 to 4 of 8; then one frame a DeConv row: two rows, or four.
reached = {}
for side in (8, 16):
    torch.manual_seed(seed)
    cut = Generator(8, side, 0, one_each).eval()
    start = torch.randn(2, 4, 128)
    other = start.clone()
    other[:, 0] = torch.randn(2, 128)
    reached[side] = ((moved(cut, start, other) > 0).nonzero().flatten() + 1).tolist()
    print(f"cut at {side}×{side}, frames that move: {reached[side]}")
assert reached == {8: [1, 2, 3, 4, 5, 6], 16: [1, 2, 3, 4, 5, 6, 7, 8]}

# %% [markdown]
# ## For the ledger
#
# What this chapter measured for the ledgers of [chapter 12](12_claims_and_decisions.ipynb) and has not noted on its
# way stands in the folded cell below. The cell prints nothing; chapter 12 shows the numbers.

# %% tags=["ledger"]
page.measure("difference between a stride-1 DeConv and an ordinary convolution with the kernel flipped", apart,
             decision="A2")
page.measure("spread of an even grey after a DeConv with stride 2, over its mean", uneven[0], decision="A2")
page.measure("spread of an even grey after nearest upsampling and a DeConv, over its mean", uneven[1], decision="A3")
for number, (printed, (activation, shape)) in enumerate(zip(paper.TABLE1, ours), start=1):
    differs = "" if activation == printed.activation else f", {activation}"
    why = f" ({', '.join(printed.decisions)})" if printed.decisions else ""
    page.measure("row as traced", (activation, shape) == (printed.activation, printed.printed),
                 claim=f"table1-row{number:02d}", low=1, shown=paper.shape_text(shape) + differs + why)
page.measure("height and width of one sample", traced[-1].shape[-1], claim="resolution-256", low=size, high=size,
             shown=f"{paper.shape_text(traced[-1].shape)} from {parameters:,} parameters")
page.measure("share of G's weights in the first layer where it is 8192 wide",
             sum(p.numel() for p in full.fc.parameters()) / parameters, decision="A1")
page.measure("multiplications of G with time doubling at 8, 32 and 128, over those as printed",
             work((8, 32, 128)) / work((8, 64, 256)), decision="A4")
page.measure("spread of clips over labels, over their spread over latents, untrained",
             spread["label"] / spread["latent"], decision="A18")
page.measure("spread of clips from uniform latents over that from normal ones, untrained", narrow / wide,
             decision="A17")
page.measure("latent vectors that the network of Table 1 takes for a clip of 32 frames",
             latent.numel() // paper.SETTINGS.latent, claim="latent-per-frame", low=frames, high=frames,
             shown="1 (A16)" if latent.numel() == paper.SETTINGS.latent else "")
page.measure("parameters that 101 labels add to G, over those of the unconditional form",
             (counts[1] - counts[0]) / counts[0], decision="A19")

# %% [markdown]
# ## What we now know
#
# - We built the generator from its table, in one short cell and in full, and saw that the two agree.
# - Two rows of twenty-two are not as printed: the shape of the fully connected layer (A1) and the last activation (A5).
#   We saw what the alternatives do.
# - We cut the table at six stages. Weights sit at the small stages, work at the large ones.
# - A label enters beside the latent and, before training, weighs as much. Of a sequence of four latents each had more
#   of its effect in its own half of the clip; the inner two moved every frame.
#
# ## Where next
#
# [Chapter 04](04_discriminator.ipynb) reads Table 2, which turns out to be this table in a mirror. [Chapter
# 02](02_norm_layers.ipynb) has the norms that the rows leave out, and [chapter 06](06_training_loop.ipynb) trains the
# pair.

# %%
page.colophon()
