# %% [markdown]
# # 04 · The discriminator: can Table 2 be read in a mirror?
#
# | | |
# |---|---|
# | **You will build** | the discriminator of Table 2, and the architecture figure, drawn from the networks themselves |
# | **Reads** | the labelled clips (for two small experiments) |
# | **Writes** | `table2_discriminator.csv`, `.md`; `fig1_architecture.png`; their sidecars |
# | **Budget** | a quarter of a minute on two cores |
#
# The discriminator has to take in a clip of 6.3 million values and answer with a single number, which says how real the
# clip looks. Table 2 says how, but walk through it with a pencil and you are stuck on its second row. This chapter finds
# the reading under which all of it runs: the shapes of Table 2 are those of Table 1, read from the bottom to the top.
#
# **By the end** you can
#
# - test a table of layers for contradictions before writing any network;
# - build the discriminator and explain each of its 24 rows, printed and resolved;
# - say why a discriminator that sees one clip at a time cannot notice that a generator always draws the same one, and
#   what Table 2 does about it;
# - say how a label enters a score, and what the leak and the instance norm each do for the gradient.

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

page = book.open_page("04_discriminator", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %% [markdown]
# ## What the paper says about the discriminator
#
# In a GAN the [generator](00_start_here.ipynb#Glossary) G draws clips from random numbers, and the
# [discriminator](00_start_here.ipynb#Glossary) D (in the Wasserstein form of chapter 05 also called the *critic*)
# gives every clip one number. This number is a [logit](00_start_here.ipynb#Glossary): it may be any real number, and
# the higher it is, the more D takes the clip for real. D is trained to score real clips high and generated ones low;
# G is trained to raise the scores of its own. What G learns about real clips in this game, it learns from D.
#
# > **Section 4.2.** "The Discriminator employs 3D convolutional layers to analyze the spatiotemporal coherence of
# > input video sequences. […] instance normalization is utilized in the Discriminator […] while the Discriminator
# > employs leaky ReLU activations to mitigate the dying ReLU problem."
#
# Here is Table 2. Shapes are channels × time × height × width.

# %% tags=["nbval-check-output"]
from hrvgan_lib import paper

page.table([{"row": number, "Discriminator": row.layer, "Activation": row.activation,
             "Output shape": paper.shape_text(row.printed)}
            for number, row in enumerate(paper.TABLE2, start=1)], data=(), note="Table 2 as printed.")

# %% [markdown]
# ## Failure on purpose: the printed shapes, checked row by row
#
# Four rules are enough to check a table without a network. A convolution with padding keeps time, height and width.
# Downsample keeps the channels and halves some of the other axes. Minibatch stddev adds one channel. A fully connected
# layer ends in a vector. We ask of every row whether its layer can make the row's shape from the shape of the row above.

# %% tags=["nbval-check-output"]
def can_follow(layer, before, after):
    """Can this layer turn a volume (channel, time, height, width) of shape `before` into `after`?"""
    if layer.startswith("Conv"):
        return before[1:] == after[1:]
    if layer == "Downsample":
        return before[0] == after[0] and before != after and all(b in (a, 2 * a) for b, a in zip(before[1:], after[1:]))
    if layer == "Minibatch Stddev":
        return after == (before[0] + 1, *before[1:])
    return sum(size > 1 for size in after) <= 1  # fully connected: a vector, on whichever axis it is printed


def stuck(shapes):
    """Numbers of the rows whose layer cannot make their shape from the one above."""
    return [number for number, (row, before, after) in enumerate(zip(paper.TABLE2[1:], shapes, shapes[1:]), start=2)
            if not can_follow(row.layer, before, after)]


as_printed = stuck([row.printed for row in paper.TABLE2])
for number in as_printed:
    above, row = paper.TABLE2[number - 2], paper.TABLE2[number - 1]
    print(f"row {number:2}: {row.layer} cannot turn {paper.shape_text(above.printed)} "
          f"into {paper.shape_text(row.printed)}")

# %% [markdown]
# Every Downsample is asked to enlarge, the first convolution to make a volume from a vector, and rows 21 and 22 do not
# fit what is above them. Yet the column of *names* reads well: an input, one 1×1×1 convolution, six times *convolve,
# convolve, downsample*, the minibatch statistic, one more convolution, two fully connected layers. And the column of
# *shapes* is one that we know from chapter 03.

# %% tags=["nbval-check-output"]
table1 = [row.printed for row in paper.TABLE1[2:19]]
table2 = [row.printed for row in paper.TABLE2[3:20]]
print("rows 4 to 20 of Table 2 have the shapes of rows 3 to 19 of Table 1:", table1 == table2)

# %% [markdown]
# ## Table 2 as the mirror image of Table 1
#
# The names go from clip to score. The shapes go from 4×4×4 to 32×256×256, the order in which the *generator* passes
# them. So we keep the names in their order and let the shapes run the other way
# ([**A6**](12_claims_and_decisions.ipynb#A6)). Table 1 read backwards, from its last row up to row 3, gives twenty
# shapes, for rows 1 to 20 of Table 2. They start from the clip ([**A7**](12_claims_and_decisions.ipynb#A7)) and end
# at 128×4×4×4.
#
# Is this reading right, or only one of many that would do? It can be tested, because the shapes now come from Table 1
# and the names from Table 2. If the two tables did not belong together, the four rules would get stuck. So we count
# stuck rows for the mirror, and for other orders of the same twenty shapes: Table 1's own, and the mirror moved down
# by one, two or three rows. Moving it down leaves the first rows without a shape; we fill them with the clip's.
#
# The orders differ in rows 1 to 20 only. The last four rows are the same for all of them: row 21 has its printed shape,
# and rows 22 to 24 have the shapes that we decided on (row 22: 128×4×4×4,
# [**A9**](12_claims_and_decisions.ipynb#A9)). In the first line of the table, "as printed", all 24 shapes are the
# printed ones, so only there can row 22 be stuck.

# %% tags=["nbval-check-output"]
backwards = [row.printed for row in reversed(paper.TABLE1[2:])]  # from 3 × 32 × 256 × 256 to 128 × 4 × 4 × 4
end = [paper.TABLE2[20].printed, *(row.shape for row in paper.TABLE2[21:])]  # row 21 as printed: 129 × 4 × 4 × 4
orders = {"Table 1's own order": backwards[::-1], "the mirror": backwards}
for down in (1, 2, 3):
    orders[f"the mirror, {down} down"] = backwards[:1] * down + backwards[:-down]
found = {"as printed": as_printed, **{order: stuck(shapes + end) for order, shapes in orders.items()}}
page.table([{"shapes of Table 2": order, "stuck rows": len(numbers), "which": ", ".join(map(str, numbers))}
            for order, numbers in found.items()], data=())
page.expect("stuck rows, as printed", len(as_printed), low=9, high=9)
page.expect("stuck rows, in the mirror", len(found["the mirror"]), high=0, why="every layer can do its row")

# %% [markdown]
# Only the mirror passes. The last line of the table is the instructive one: moved by a whole block of three rows, the
# mirror fits nearly as well, since every block has the same three names. Two rows then fail. Row 5, the first
# Downsample, now follows rows of the clip's shape, and cannot turn 3 channels into 8. Row 21 has its shape as
# *printed*: its 129 channels at 4×4×4 are 128 and one more
# ([**A8**](12_claims_and_decisions.ipynb#A8)), so row 20 has to end at 128×4×4×4, and only in the mirror does it.
#
# > **What it does not say.** The input is printed as 128×1×1 ([**A7**](12_claims_and_decisions.ipynb#A7)) and row 22 as
# > 8×32×256×256, directly after 129×4×4×4 ([**A9**](12_claims_and_decisions.ipynb#A9)). The group of the minibatch
# > statistic ([**A8**](12_claims_and_decisions.ipynb#A8)) and the slope of the leaky ReLU
# > ([**A11**](12_claims_and_decisions.ipynb#A11)) are not given. The two last layers are both printed as linear, and why
# > two of them is not said ([**A10**](12_claims_and_decisions.ipynb#A10)).
#
# ## A small discriminator, row by row
#
# As in chapter 03: cut at 16 pixels, an eighth of the channels. Instance norm stands between convolution and
# activation ([**A12**](12_claims_and_decisions.ipynb#A12), [**A14**](12_claims_and_decisions.ipynb#A14)); average
# pooling mirrors nearest-neighbour upsampling ([**A3**](12_claims_and_decisions.ipynb#A3)). A leaky ReLU is $x$ where
# $x$ is positive and $0.2\,x$ where it is negative.

# %%
import textwrap

import torch
from torch import nn

from hrvgan_lib.norms import InstanceNorm, MinibatchStddev


def conv_row(before, after):
    """3×3×3, size kept, instance norm, leaky ReLU with slope 0.2 (decision A11)."""
    return [nn.Conv3d(before, after, 3, padding=1), InstanceNorm(after), nn.LeakyReLU(0.2)]


def small_discriminator(width=16):
    """Table 2 from its 16-pixel stage on: clips (batch, 3, 8, 16, 16) to logits (batch, 1)."""
    return nn.Sequential(
        nn.Conv3d(3, width, 1), nn.LeakyReLU(0.2),
        *conv_row(width, width), *conv_row(width, width), nn.AvgPool3d((1, 2, 2)),
        *conv_row(width, width), *conv_row(width, width), nn.AvgPool3d((2, 2, 2)),
        MinibatchStddev(group=4), nn.Conv3d(width + 1, width, 3, padding=1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(width * 4 * 4 * 4, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1),
    )


# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
small = small_discriminator()
signal = clips = torch.randn(4, 3, 8, 16, 16)
for layer in small:
    signal = layer(signal)
    if isinstance(layer, nn.Conv3d | nn.AvgPool3d | MinibatchStddev | nn.Linear):
        print(f"{type(layer).__name__:16}", " × ".join(map(str, signal.shape[1:])))

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import Discriminator, Generator, initialise, make_config, trace

eighth = make_config("literal", width=1 / 8)
library = Discriminator(frames=8, size=16, n_classes=0, config=eighth)
library.load_state_dict(dict(zip(library.state_dict(), small.state_dict().values())))
with torch.no_grad():
    difference = (small(clips).squeeze(1) - library(clips)).abs().max()
page.expect("largest difference to the library's", difference, high=1e-4, why="the same network")

# %% [markdown]
# ## Table 2, traced from the network
#
# The full discriminator runs on the meta device, where tensors have shapes and no values, so it costs nothing. The
# batch holds four clips, one group of the minibatch statistic.

# %% tags=["nbval-check-output"]
frames, size = paper.SETTINGS.frames, paper.SETTINGS.size
with torch.device("meta"):
    discriminator = Discriminator(frames, size, n_classes=0, config=make_config("literal"))
    clip = torch.empty(4, 3, frames, size, size)
traced = trace(discriminator, clip)


def as_volume(shape):
    """A vector of features is a volume of one position: (128,) becomes (128, 1, 1, 1)."""
    return (*shape, 1, 1, 1)[:4]


ours = [("Input Image", "-", as_volume(clip.shape[1:])), *((r.layer, r.activation, as_volume(r.shape)) for r in traced)]
rows = []
for number, (printed, (layer, activation, shape)) in enumerate(zip(paper.TABLE2, ours), start=1):
    rows.append({"row": number, "layer, paper": printed.layer, "layer, ours": layer,
                 "activation, paper": printed.activation, "activation, ours": activation if number < 24 else "linear",
                 "shape, paper": paper.shape_text(printed.printed), "shape, ours": paper.shape_text(shape),
                 "same shape": shape == printed.printed, "decision": ", ".join(printed.decisions)})
page.table(rows, "table2_discriminator", data=(),
           page_columns=["row", "layer, ours", "shape, paper", "shape, ours", "same shape", "decision"],
           note="Table 2 beside the network that this book trains, traced at 32 × 256 × 256.")

# %% tags=["nbval-check-output"]
page.expect("layer names that agree, of 24", sum(row["layer, paper"] == row["layer, ours"] for row in rows), low=24)
mirrored = sum(one[2] == printed.shape for one, printed in zip(ours, paper.TABLE2))
page.expect("shapes that agree with the mirror, of 24", mirrored, low=24)
kept = [row["row"] for row in rows if row["same shape"]]
page.expect("shapes that agree as printed, of 24", len(kept), low=3, high=3, why=f"rows {', '.join(map(str, kept))}")
for id in ("A6", "A7", "A8", "A9", "A10"):
    print("\n" + textwrap.fill(f"{id}. {paper.decision(id).open_point} We take: {paper.decision(id).choice}.", 96))

# %% [markdown]
# Every name is as printed. Three shapes are as printed too. Row 12 lies in the middle, where it has the same shape
# whether the shapes run up or down. Row 21 has the 129 channels of the minibatch statistic, and row 24 is the single
# score. The 128 features before the score are printed with the channels last
# ([**A23**](12_claims_and_decisions.ipynb#A23)). Each row is a claim of its own in the ledger of
# [chapter 12](12_claims_and_decisions.ipynb): it holds where shape and activation are as printed. (`LReLU`, as one row
# spells it, is the leaky ReLU, [**A11**](12_claims_and_decisions.ipynb#A11).)
#
# ## How large is D beside G?
#
# We count the parameters of the layers that the two tables name.

# %% tags=["nbval-check-output"]
with torch.device("meta"):
    generator = Generator(frames, size, n_classes=0, config=make_config("literal"))


def weights(network):
    """Parameters of the layers that the tables name, norms left out as the tables leave them out."""
    layers = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv3d | nn.ConvTranspose3d))
    return sum(p.numel() for layer in layers for p in layer.parameters())


print(f"generator {weights(generator):,}   discriminator {weights(discriminator):,}")
page.expect("discriminator over generator", weights(discriminator) / weights(generator), low=0.99, high=1.01)

# %% [markdown]
# The two are equally large within a percent. This is no evidence for the mirror: a mirror image has the same layers, so
# the counts agree by construction. It is a check of our arithmetic, which should explain the small rest to the last
# number. A layer of D and its partner, the layer of G that goes the other way, have equally many weights. But a layer has
# one bias for each channel that it *gives*, and D's layer gives what its partner takes. So:
#
# 1. *Only G has* $8192 - 128 = 8064$ biases: its first layer gives 8192 numbers, the partner in D gives 128.
# 2. *Only D has* the $27 \cdot 128$ weights of the 129th channel, and the score with its 128 weights and one bias.
# 3. *In the pyramid*, from the clip to 4×4×4, D has as many biases as G's layers take channels, and G as many as they
#    give. Each of G's layers takes what the one before gave, so in the difference all cancel but the 128 that the first
#    one takes and the 3 that the last one gives: D has $128 - 3 = 125$ more.

# %% tags=["nbval-check-output"]
def conv_biases(network):
    return sum(m.bias.numel() for m in network.modules() if isinstance(m, nn.Conv3d | nn.ConvTranspose3d))


only_g, only_d, pyramid_more = 8192 - 128, 27 * 128 + 129, conv_biases(discriminator) - conv_biases(generator)
print(f"only in G: {only_g:,}   only in D: {only_d:,}   biases of the pyramid, D's less G's: {pyramid_more}")
page.expect("G's parameters less D's", weights(generator) - weights(discriminator), of=only_g - only_d - pyramid_more)
#
# %% [markdown]
# ## Figure 1, drawn from the networks
#
# The paper's Figure 1 illustrates the architecture. We draw ours from the two traces, so that the picture cannot say
# anything that the code does not do. The generator runs downwards; beside it the discriminator runs upwards. The width
# of a block stands for pixels, its thickness for channels, its depth for frames, each on a log scale.

# %%
import matplotlib.pyplot as plt

KINDS = {"Latent vector": "#999999", "Fully-connected": "#999999", "DeConv": "#0072B2", "Upsample": "#9ecae1",
         "Conv": "#D55E00", "Downsample": "#fdcdac", "Minibatch Stddev": "#CC79A7"}
LEFT, RIGHT = 3.3, 5.7  # where the blocks of G and of D are centred, in inches


def block(axis, x, level, layer, shape):
    """One layer: width says pixels, thickness channels, depth frames, each on a log scale; its words beside it."""
    channels, time, _, side = as_volume(shape)
    width, height = 0.14 + 0.21 * (side.bit_length() - 1), 0.07 + 0.021 * (channels.bit_length() - 1)
    depth = 0.03 + 0.022 * (time.bit_length() - 1)
    colour = next(colour for kind, colour in KINDS.items() if layer.startswith(kind))
    left, low = x - width / 2, -0.42 * level - height / 2
    right, top = left + width, low + height
    for corners in ([(left, top), (left + depth, top + depth), (right + depth, top + depth), (right, top)],
                    [(right, low), (right + depth, low + depth), (right + depth, top + depth), (right, top)]):
        axis.add_patch(plt.Polygon(corners, facecolor=colour, edgecolor="white", linewidth=0.6, alpha=0.6))
    axis.add_patch(plt.Rectangle((left, low), width, height, facecolor=colour, edgecolor="white", linewidth=0.6))
    words, beside = f"{layer}  {'×'.join(map(str, shape))}", 1.1 if x == RIGHT else -1.1
    axis.text(x + beside, -0.42 * level, words, ha="left" if x == RIGHT else "right", va="center", fontsize=9)


# %%
with torch.device("meta"):
    made = [("Latent vector", (paper.SETTINGS.latent,)),
            *((r.layer, r.shape) for r in trace(generator, torch.empty(1, 128)))]
fig, axis = plt.subplots(figsize=(9, 11.4))
for level, (layer, shape) in enumerate(made):
    block(axis, LEFT, level, layer, shape)
for place, row in enumerate(traced):
    block(axis, RIGHT, len(made) - 1 - place, row.layer, row.shape)
bottom = -0.42 * len(made)
for start, stop in (((4.15, -0.15), (LEFT + 0.25, -0.4)), ((4.85, -0.1), (RIGHT - 0.25, -0.02)),
                    ((LEFT, bottom + 0.2), (LEFT, bottom - 0.2)), ((RIGHT, 0.6), (RIGHT, 1.0)),
                    ((LEFT + 0.75, bottom - 0.36), (RIGHT - 0.2, bottom + 0.2)),
                    ((RIGHT + 0.45, bottom - 0.36), (RIGHT + 0.1, bottom + 0.2))):
    axis.annotate("", stop, start, arrowprops=dict(arrowstyle="-|>", color="0.3", linewidth=1.3))
for x, y, text in ((4.5, -0.15, "label y"), (LEFT, bottom - 0.36, "generated clip"), (6.6, bottom - 0.36, "real clip"),
                   (RIGHT, 1.15, "real or generated?"), (LEFT - 1.2, 1.75, "Generator (Table 1), downwards"),
                   (RIGHT + 1.1, 1.75, "Discriminator (Table 2), upwards")):
    axis.text(x, y, text, ha="center", va="center", fontsize=11, weight="bold" if "Table" in text else "normal")
for kind, colour in list(KINDS.items())[1:]:
    axis.bar(0, 0, color=colour, label=kind)
axis.legend(loc="lower center", ncols=6, fontsize=9, frameon=False, handlelength=1, columnspacing=1)
axis.set(xlim=(0, 9), ylim=(bottom - 1.1, 2))
axis.set_axis_off()
page.figure(fig, name="fig1_architecture", data=(),
            caption="The architecture, drawn from the traced networks: the generator runs down on the left, the "
                    "discriminator up on the right, each layer beside the one that goes the other way.",
            alt="Two columns of blocks. Left, downwards: a latent vector and a label enter a fully connected layer, "
                "then blocks grow from 4 to 256 pixels while getting thinner in channels, and end in a clip. Right, "
                "upwards beside them: the same blocks in reverse order shrink a generated or real clip, with a "
                "minibatch statistic and two fully connected layers before the score.")

# %% [markdown]
# Follow the generator down: the blocks get wider (more pixels) and thinner (fewer channels). Then follow the
# discriminator back up. Each layer of its pyramid stands beside its partner, the layer of G that goes the other way: at
# the bottom, DeConv 1×1×1 takes 8 channels to 3 colours, and Conv 1×1×1 takes 3 colours to 8 channels. The two undo each
# other's change of shape: what the layer of D gives has the shape that its partner in G takes.
#
# A block is drawn in the shape that its layer *gives*. What G's layer takes is what the block above it gives. So a block
# of D has the shape of the block of G that is one level higher on the page, and often not of the one beside it. The code
# counts both:

# %% tags=["nbval-check-output"]
level_of = {len(made) - 1 - place: row.shape for place, row in enumerate(traced)}
pyramid_levels = [level for level in range(3, len(made))]  # where both have a layer between 4×4×4 and the clip
page.expect("partners where D gives what G takes, of 19",
            sum(level_of[level] == made[level - 1][1] for level in pyramid_levels), low=len(pyramid_levels))
page.expect("partners where both give the same shape, of 19",
            sum(level_of[level] == made[level][1] for level in pyramid_levels), high=len(pyramid_levels) - 1)

# %% [markdown]
# The label enters at the vectors of both: beside the latent in G, and at the 128 features in D.
#
# ## A frame at the end of each stage of D
#
# What is left of a clip at the end of each stage, just before its Downsample? (`trunk` is the library's name for rows 2
# to 20, from the first convolution to the last Downsample; `apply(initialise)` draws the random weights with which a
# training starts.) Before training the kernels are random, but the picture already tells what such a pyramid does: there
# are ever fewer positions. (Each position has more channels, in the full table up to 128; the picture shows their mean.)

# %%
dataset = page.dataset("actions")
films, film_labels = dataset.batch(range(4))
torch.manual_seed(seed)
reader = Discriminator(dataset.frames, dataset.size, 0, eighth).apply(initialise)
maps, signal = {}, films  # height -> mean strength of the features of the first clip, at the stage's last activation
with torch.no_grad():
    for layer in reader.trunk:
        signal = layer(signal)
        if isinstance(layer, nn.LeakyReLU):
            maps[signal.shape[-1]] = signal.abs().mean(dim=1)[0]
fig, axes = plt.subplots(1, len(maps) + 1, figsize=(9, 9 / (len(maps) + 1) + 0.4))
axes[0].imshow((films[0, :, films.shape[2] // 2].permute(1, 2, 0) + 1) / 2)
for axis, strength in zip(axes[1:], maps.values()):
    axis.imshow(strength[strength.shape[0] // 2], cmap="viridis")
for axis, title in zip(axes, ("a frame", *(f"{m.shape[0]} × {m.shape[1]} × {m.shape[2]}" for m in maps.values()))):
    axis.set_title(title, fontsize=11)
    axis.set_axis_off()
page.figure(fig, data=[dataset],
            caption="One frame of a real clip, and the mean strength of the features at the end of each stage, for an "
                    "untrained D. Bright is strong.",
            alt="A real frame and, beside it, maps of mean feature strength at ever fewer positions; what stands out "
                "in the frame is still seen in the first maps; the last is a coarse grid of squares, a few of them "
                "bright.")

# %% [markdown]
# ## Minibatch standard deviation: clips compared with each other
#
# A generator may find one clip that scores high and draw it for ever. This is *mode collapse*, in its extreme form. A
# discriminator that looks at clips one by one cannot object: each of them is fine. Row 21 of Table 2 lets it compare the
# clips of a batch. For every group of four clips, `MinibatchStddev` takes the standard deviation of each feature over the
# four (the root of their mean squared deviation from their mean), averages all of these into one number, and writes that
# number into one more map: a 129th in Table 2, a 17th in our small network, whose features have 16 channels.
#
# To see what it is worth, we give rows 21 to 24 a task that needs nothing else: tell eight different clips from eight
# copies of one. Every clip is real. The network gives each clip of the batch a logit $\ell$, which should be high where
# the eight are different and low where they are copies. The `trunk` before these rows stays as it is, random, so the
# training is quick. We train the same layers a second time without the map.
#
# The [loss](00_start_here.ipynb#Glossary) is that of a yes-or-no question. A logit stands for the probability $p = 1 /
# (1 + e^{-\ell})$ of a yes. Where yes is right, it costs $-\log p = \log(1 + e^{-\ell})$, and where no is right,
# $-\log(1 - p) = \log(1 + e^{\ell})$. The function $\log(1 + e^x)$ is called *softplus*, so the code takes the softplus
# of $-\ell$ for different clips and of $\ell$ for copies. Who can only guess says $\ell = 0$ and pays $\log 2$.

# %%
torch.manual_seed(seed)
draws = torch.Generator().manual_seed(seed)
pyramid = Discriminator(dataset.frames, dataset.size, 0, eighth).apply(initialise).trunk
with torch.no_grad():
    features = torch.cat([pyramid(some) for some in dataset.draw(64, draws)[0].split(8)])  # (64, 16, 4, 4, 4)


def crowd_test(group, copies=lambda different: different[:1].expand_as(different), batch=8,
               steps=2 if page.rehearse else 150):
    """Loss over training of rows 21-24, which tell a batch of different clips from one with repeats."""
    torch.manual_seed(seed)
    draws = torch.Generator().manual_seed(seed)
    statistic = [MinibatchStddev(group)] if group else []
    rows = nn.Sequential(*statistic, nn.Conv3d(16 + len(statistic), 16, 3, padding=1), nn.LeakyReLU(0.2), nn.Flatten(),
                         nn.Linear(1024, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)).apply(initialise)
    optimiser = torch.optim.Adam(rows.parameters(), lr=1e-3)
    losses = []
    for _ in range(steps):
        different = features[torch.randperm(len(features), generator=draws)[:batch]]
        logits = torch.stack([-rows(different), rows(copies(different))])
        loss = nn.functional.softplus(logits).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


# %%
import math

with_map, without_map = crowd_test(group=4), crowd_test(group=0)
fig, axis = plt.subplots(figsize=(8, 3.2))
axis.plot(with_map, color=book.SYSTEM_COLOURS["hrvgan"], label="with the map (group of 4)")
axis.plot(without_map, color=book.SYSTEM_COLOURS["untrained"], linestyle=":", label="without the map")
axis.axhline(math.log(2), color="0.5", linestyle="--", label="a guess, log 2")
axis.set(xlabel="step", ylabel="loss", ylim=(0, 1.6))
axis.legend()
page.figure(fig, data=[dataset],
            caption="Eight different clips, or eight copies of one? With the map of row 21 the question is easy; "
                    "without it, training gets no further than a guess.",
            alt="Loss over training steps. With the minibatch map (solid) it falls to nearly zero; without it "
                "(dotted), it wanders around the dashed line of a guess, log 2.")

# %% tags=["nbval-check-output"]
if not page.rehearse:
    page.expect("last losses with the map over a guess", sum(with_map[-20:]) / 20 / math.log(2), high=0.3)
    page.expect("last losses without the map over a guess", sum(without_map[-20:]) / 20 / math.log(2), low=0.9)
    for which, losses in (("with", with_map), ("without", without_map)):
        page.measure(f"loss of telling copies from different clips {which} the 129th map, over that of a coin flip",
                     sum(losses[-20:]) / 20 / math.log(2), decision="A8", data=[dataset])

# %% [markdown]
# Without the map no weights can solve the task: a clip gets the same score among different clips as among its copies.
# With it, one number is enough.
#
# The place of the map matters too. An instance norm after the next convolution would subtract what is constant over
# a map, and the statistic *is* constant; chapter 02 shows it vanish. This is why row 22 has no norm in our reading
# ([**A12**](12_claims_and_decisions.ipynb#A12)). The group of four has to divide the batch, and the layer says so
# when it does not.

# %% tags=["nbval-check-output"]
try:
    MinibatchStddev(group=4)(torch.randn(6, 2, 1, 4, 4))
except ValueError as error:
    print(error)

# %% [markdown]
# ## How a label enters a score: projection
#
# > **What it does not say.** How the discriminator of a *conditional* GAN sees the condition
# > ([**A18**](12_claims_and_decisions.ipynb#A18)).
#
# We use a projection. The network reduces a clip to 128 features $f$; a label $y$ has a learned vector $e_y$; and the
# score is
#
# $$D(x \mid y) = w \cdot f + b + \frac{e_y \cdot f}{\sqrt{128}}.$$
#
# Why a scalar product? A short argument, after Miyato and Koyama (2018):
#
# 1. The best logit is the log of how much likelier a pair of clip and label is among real pairs ($p$) than among
#    generated ones ($q$): $\log p(x, y) - \log q(x, y)$. (Chapter 05 derives it.)
# 2. Split each pair, $p(x, y) = p(x)\, p(y \mid x)$. The logit is a sum of
#    $\log p(x) - \log q(x)$, "is this a real clip?", and
#    $\log p(y \mid x) - \log q(y \mid x)$, "is it a clip of *that*?".
# 3. A classifier on top of the features gives $\log p(y \mid x) = v_y \cdot f - c(x)$, where $c(x)$ makes the
#    probabilities sum to one and does not depend on $y$; likewise for $q$, with $v'_y$ and $c'(x)$.
# 4. In the difference, $v_y - v'_y$ is one learned vector, our $e_y / \sqrt{128}$. The parts without $y$ belong to
#    the first question, for which the score has $w \cdot f + b$.
#
# Why the root? The numbers of $e_y$ are drawn with standard deviation 1, so $e_y \cdot f$, a sum of 128 products,
# starts about $\sqrt{128}$ times as large as a single feature. Divided by the root, the label's term starts at the size
# of one feature, like $w \cdot f$, whose weights start small.
#
# No new loss is needed. The paper's adversarial loss (Eqs. 12 to 14, which [chapter 05](05_losses.ipynb) takes apart)
# is the cross-entropy of a yes-or-no question, and takes this score like any other. The formula by hand, against the
# network:

# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
conditional = Discriminator(8, 16, n_classes=8, config=eighth).apply(initialise)
pair = torch.randn(4, 3, 8, 16, 16)
with torch.no_grad():
    scores = [conditional(pair, torch.full((4,), label)) for label in (2, 5)]
    by_hand = conditional.features(pair) @ (conditional.embed.weight[2] - conditional.embed.weight[5]) / 128**0.5
page.expect("two labels' scores, against the formula", (scores[0] - scores[1] - by_hand).abs().max(), high=1e-4)
print("parameters that eight labels add:", conditional.embed.weight.numel())

# %% [markdown]
# ## Two linear layers in a row are one
#
# The 128 features are printed as *linear*, and so is the score ([**A10**](12_claims_and_decisions.ipynb#A10)). Then
#
# $$W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2),$$
#
# a single layer with the matrix $W_2 W_1$. We compare the two in the small network.

# %% tags=["nbval-check-output"]
linear = Discriminator(8, 16, 0, make_config("literal", width=1 / 8, fc_activation="linear")).apply(initialise)
inner = torch.randn(5, linear.fc.in_features)
with torch.no_grad():
    one_matrix = linear.score.weight @ linear.fc.weight
    bias = linear.score.weight @ linear.fc.bias + linear.score.bias
    two_layers = linear.score(linear.fc_activation(linear.fc(inner)))
in_two = linear.fc.weight.numel() + linear.score.weight.numel()
page.expect("two linear layers against one matrix", (two_layers - inner @ one_matrix.T - bias).abs().max().item(),
            high=1e-3)
print(f"numbers in the two: {in_two:,}   in the one: {one_matrix.numel():,}")
page.measure("numbers that the two last layers amount to where both are linear, over those that they hold",
             one_matrix.numel() / in_two, decision="A10")

# %% [markdown]
# All but a hundredth of these weights could be left out without changing what the network can say. A leaky ReLU
# between the two layers makes them count, so we put one there; `fc_activation="linear"` brings the printed form back.
#
# ## Gradients through D: the leak, and the instance norm
#
# > **Section 4.2.** Leaky ReLU serves "to mitigate the dying ReLU problem and ensure gradient flow even when
# > activations fall below zero".
#
# A plain ReLU gives 0 for every negative input, and its slope there is 0 as well. A unit whose inputs are all negative
# passes on nothing, and no gradient either, so it cannot recover: it is *dead*. That matters twice, since the generator
# learns only from the gradient that comes back *through* the discriminator. We push a discriminator's
# activations below zero on purpose, by a bias of -1 in every convolution, and ask which share of the pixels still gets
# a gradient: with the leak and without, with instance norm and without.

# %% tags=["nbval-check-output"]
def reached(leak, norm, draw=0):
    """Share of the clip's values with a gradient, and the gradient's size, when every convolution has a bias of -1."""
    torch.manual_seed(seed + draw)
    network = Discriminator(8, 16, 0, make_config("literal", width=1 / 8, leak=leak,
                                                  discriminator_norm=norm)).apply(initialise)
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.constant_(module.bias, -1.0)
    pixels = nn.functional.adaptive_avg_pool3d(films, (8, 16, 16)).requires_grad_()
    network(pixels).sum().backward()
    return (pixels.grad != 0).float().mean().item(), pixels.grad.norm().item()


flow = {(leak, norm): reached(leak, norm) for leak in (0.2, 0.0) for norm in ("instance", "none")}
page.expect("leaky, no norm: share of pixels with a gradient", flow[0.2, "none"][0], low=0.99)
page.expect("plain ReLU, no norm: share", flow[0.0, "none"][0], high=0.01, why="the network is dead")
page.expect("plain ReLU, instance norm: share", flow[0.0, "instance"][0], low=0.01, why="some units are on")

# %% [markdown]
# The leak does what the paper says: without it (and without a norm) this network is dead, with it every pixel gets a
# gradient. How much of one? Going back through a leaky ReLU below zero, a gradient is multiplied by the slope, so
# through $n$ of them by $0.2^n$. For comparison we give the same network a slope of 1, which loses nothing. (A few of
# its units, most of them in the last layer, are above zero all the same, so that a little more than $0.2^n$ is left.)

# %% tags=["nbval-check-output"]
slopes = sum(isinstance(module, nn.LeakyReLU) for module in small)
print(f"leaky ReLUs between pixels and score: {slopes}; all of them below zero would leave {0.2**slopes:.3g}")
whole = reached(1.0, "none")[1]
page.expect("slope 0.2 over slope 1, no norm", flow[0.2, "none"][1] / whole, low=0.2**slopes, high=1e-3)
page.expect("slope 0.2 with instance norm over slope 1 without", flow[0.2, "instance"][1] / whole, low=0.01)
page.expect("slope 0.2: instance norm over no norm", flow[0.2, "instance"][1] / flow[0.2, "none"][1], low=1000)
print(f"the leak alone leaves a gradient {whole / flow[0.2, 'none'][1]:,.0f} times weaker than a slope of 1, and "
      f"{flow[0.2, 'instance'][1] / flow[0.2, 'none'][1]:,.0f} times\nweaker than leak and instance norm together")
page.measure("gradient at D's input pushed below zero, instance norm over no norm",
             flow[0.2, "instance"][1] / flow[0.2, "none"][1], decision="A12", data=[dataset])

# %% [markdown]
# So the leak alone lets a gradient through to every pixel, but one that is thousands of times weaker than that of the
# same network with a slope of 1, and than with the instance norm beside the leak. The norm subtracts each map's mean,
# and the bias with it, so that units come back above zero. Would the norm do without the leak? Then a gradient
# reaches the share of the pixels that the line "plain ReLU, instance norm" printed above, and the others get none: rows
# 2 and 22 have no norm, and after a norm a unit is still off wherever it lies below the mean of its map. So the two do
# different work. The leak keeps the gradient from being *zero* anywhere, and the norm keeps it from being *small*.
# Section 4.2 names both.
#
# *Ensures* is a strong word, so we ask it of eight more draws of the weights. With the leak, at most one value in a
# hundred may be without a gradient; and there is something to ensure if without the leak more than half of them are.

# %% tags=["nbval-check-output"]
from hrvgan_lib import metrics

for name, leak, asked in (("leaky", 0.2, {"high": 0.01}), ("plain", 0.0, {"low": 0.5})):
    silent = metrics.seed_interval([1 - reached(leak, "none", draw)[0] for draw in range(1, 9)])
    page.expect(f"{name} ReLU: share without a gradient, mean of eight draws", silent.value, **asked)
    page.measure(f"share of D's input without a gradient, {name} ReLU pushed below zero", silent.value, interval=silent,
                 over="8 draws of the weights", claim="leaky-relu", data=[dataset], **asked)

# %% [markdown]
# ## Check yourself
#
# 1. Why can the names of Table 2 be right when the shapes are not?
# 2. *(calculate)* How many weights, biases left out, have row 22 (3×3×3, from 129 to 128 channels) and row 23 (from
#    128×4×4×4 to 128)? Which is larger?
# 3. *(figure)* In the architecture figure, which layer of D stands beside the Upsample of G that is lowest on the page?
#    What does D's layer give?
# 4. What does the 129th map say of a batch with a single clip?
# 5. A generator draws only two clips, and each group of four holds both. Does the 129th map notice?
# 6. Which term of the projection is left out for a data set without labels?
# 7. *(calculate)* Three leaky ReLUs in a row, all below zero, with slope 0.2: what is left of a gradient? And with
#    slope 0.01?
#
# <details><summary>Answers</summary>
#
# 1. The names run from the clip to the score and count 24, as many as the mirror image of Table 1 needs. The shapes
#    of rows 4 to 20 are those of Table 1 in its own order.
# 2. Row 22: $27 \cdot 129 \cdot 128 = 445{,}824$. Row 23: $8192 \cdot 128 = 1{,}048{,}576$, more than twice as many.
# 3. A Downsample. G's Upsample makes 16×32×256×256 of 16×16×128×128, and D's Downsample gives 16×16×128×128, which is
#    what the Upsample takes.
# 4. Zero (but for the small constant under its root), whatever the clip. One clip is its own mean, so each deviation
#    from the mean is 0. (The layer divides by the number of clips, here 1. A standard deviation that divides by one
#    less would be 0/0, undefined.)
# 5. Yes, but less than it notices copies of one: within a group the features still differ, though less than among four
#    different clips. The third exercise measures it.
# 6. The last one: there is no table of label vectors, and the score is $w \cdot f + b$
#    ([**A19**](12_claims_and_decisions.ipynb#A19)).
# 7. $0.2^3 = 0.008$, and $0.01^3 = 0.000001$.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Does Table 1 pass the four rules, once "Upsample" is allowed to enlarge? *Expected:* all rows but row
#    3, which follows 128×1×1×1 ([**A1**](12_claims_and_decisions.ipynb#A1)).
# 2. *(easy)* How many parameters does Table 2 have if row 22 keeps the printed 8 channels at 4×4×4 in place of 128?
#    *Expected:* 2,304,681, since the fully connected layer shrinks with it.
# 3. *(medium)* Repeat the test of copies with four different clips against two pairs of equals. *Expected:* it
#    learns, but after as many steps its loss is still more than 0.3 of a guess's, where eight copies of one came
#    below.
# 4. *(hard)* Give the label as constant maps beside the three colours instead. How far does it move the features at
#    4×4×4, compared with how far another clip moves them, with instance norm and without? *Expected:* with the norm
#    the label's share is at most 0.6 of what it is without, but not zero: the first activation has bent the constant
#    already.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
def can_follow_up(layer, before, after):
    """The generator's rules: Upsample may double an axis, DeConv keeps them, a fully connected layer gives a vector."""
    if layer == "Upsample":
        return before[0] == after[0] and all(a in (b, 2 * b) for b, a in zip(before[1:], after[1:]))
    return before[1:] == after[1:] if layer.startswith("DeConv") else sum(size > 1 for size in after) <= 1


stuck_up = [n for n, (above, row) in enumerate(zip(paper.TABLE1, paper.TABLE1[1:]), start=2)
            if not can_follow_up(row.layer, above.printed, row.printed)]
print("stuck:", stuck_up)
assert stuck_up == [3]

# %% tags=["solution", "nbval-check-output"]
# Exercise 2: the convolution loses 120 of its 128 outputs, the fully connected layer the same share of its inputs
lost = 120 * (129 * 27 + 1) + 120 * 64 * 128
print(f"{weights(discriminator) - lost:,}")
assert weights(discriminator) - lost == 2_304_681

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
if not page.rehearse:
    pairs = crowd_test(group=4, copies=lambda different: different[[0, 0, 1, 1]], batch=4)
    assert page.expect("last losses over a guess", sum(pairs[-20:]) / 20 / math.log(2), low=0.3, high=0.9)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
seen = nn.functional.adaptive_avg_pool3d(dataset.batch(range(0, len(dataset), len(dataset) // 8))[0][:8], (8, 16, 16))
label_maps = torch.eye(8)[:, :, None, None, None].expand(-1, -1, 8, 16, 16)


def label_share(norm, trials=4):
    """Spread of the features over labels as a share of their spread over clips, averaged over random networks."""
    shares = []
    for trial in range(trials):
        torch.manual_seed(seed + trial)
        trunk = Discriminator(8, 16, 0, make_config("literal", width=1 / 8, discriminator_norm=norm)).trunk
        trunk[0] = nn.Conv3d(3 + 8, trunk[0].out_channels, 1)
        trunk.apply(initialise)
        with torch.no_grad():
            by_label = trunk(torch.cat([seen[:1].expand_as(seen), label_maps], dim=1)).std(dim=0).mean()
            by_clip = trunk(torch.cat([seen, label_maps[:1].expand_as(label_maps)], dim=1)).std(dim=0).mean()
        shares.append((by_label / by_clip).item())
    return sum(shares) / trials


with_norm, without_norm = label_share("instance"), label_share("none")
assert page.expect("label's share with instance norm over without", with_norm / without_norm, low=0.01, high=0.6)

# %% [markdown]
# ## For the ledger
#
# What this chapter measured for the ledgers of [chapter 12](12_claims_and_decisions.ipynb) and has not noted on its
# way stands in the folded cell below. The cell prints nothing; chapter 12 shows the numbers.

# %% tags=["ledger"]
resolved = [row.shape for row in paper.TABLE2]
page.measure("rows of Table 2 whose layer cannot make their shape, as printed", len(as_printed), decision="A6")
page.measure("rows of Table 2 whose layer cannot make their shape, in the mirror", len(stuck(resolved)), decision="A6")
for id, place in (("A7", 0), ("A9", 21)):  # the mirror, but for one printed shape
    one_printed = [*resolved[:place], paper.TABLE2[place].printed, *resolved[place + 1:]]
    page.measure(f"rows of Table 2 that cannot follow where row {place + 1} alone is taken as printed",
                 len(stuck(one_printed)), decision=id)
for number, (printed, row, (_, _, shape)) in enumerate(zip(paper.TABLE2, rows, ours), start=1):
    said = printed.activation.replace("LReLU", "Leaky ReLU")
    differs = "" if row["activation, ours"] == said else f", {row['activation, ours']}"
    why = f" ({row['decision']})" if row["decision"] else ""
    page.measure("row as traced", row["same shape"] and not differs, claim=f"table2-row{number:02d}", low=1,
                 shown=paper.shape_text(shape) + differs + why)
channels_last = sum(printed.printed[:1] == (1,) and printed.printed[-1] > 1 for printed in paper.TABLE2)
page.measure("rows of Table 2 printed with the channels last", channels_last, decision="A23")
ratio = weights(discriminator) / weights(generator)
page.measure("weights of D, as mirrored, over those of G", ratio, decision="A6")
page.measure("weights of D over those of G, were G's first layer 128 wide",
             weights(discriminator) / (weights(generator) - 129 * (8192 - 128)), decision="A1")
page.measure("parameters of D where row 22 keeps its printed 8 channels, over ours",
             1 - lost / weights(discriminator), decision="A9")
page.measure("gradient at D's input pushed below zero, slope 0.01 over slope 0.2",
             reached(0.01, "none")[1] / flow[0.2, "none"][1], decision="A11", data=[dataset])
for which, share in (("with", with_norm), ("without", without_norm)):
    page.measure(f"label maps at D's input, {which} instance norm: features' spread over labels, over that over clips",
                 share, decision="A18", data=[dataset])

# %% [markdown]
# ## What we now know
#
# - We tested a table for contradictions with four rules, and found nine rows as printed and none in the mirror. Other
#   orders of the same shapes failed.
# - We built the discriminator; its names agree with Table 2 in all 24 rows.
# - A discriminator of single clips could not see repetition. With the 129th map it could, and the next layer may have no
#   instance norm, which would erase that map.
# - A label enters by a scalar product with the 128 features. The leak kept a gradient alive; the norm gave it strength.
#
# ## Where next
#
# [Chapter 05](05_losses.ipynb) says what the score is used for. [Chapter 06](06_training_loop.ipynb) lets the two
# networks of Figure 1 play.

# %%
page.colophon()
