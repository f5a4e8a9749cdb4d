# %% [markdown]
# # 04 · Can a table be read in a mirror?
#
# | | |
# |---|---|
# | **You will build** | the discriminator of Table 2, and the architecture figure, drawn from the networks themselves |
# | **Reads** | the labelled clips (for one small experiment) |
# | **Writes** | `table2_discriminator.csv`, `.md`; `fig1_architecture.png`; their sidecars |
# | **Budget** | a quarter of a minute on two cores |
#
# The discriminator has to take in 6.3 million values and answer with one: real, or generated. Table 2 says how, but
# walk through it with a pencil and you are stuck on its second row. This chapter finds the reading under which all of
# it runs, and shows that it is Table 1 in a mirror.
#
# **By the end** you can
#
# - test a table of layers for contradictions before writing any network;
# - build the discriminator and explain each of its 24 rows, printed and resolved;
# - say why a judge of single clips cannot notice that a generator always draws the same one, and what Table 2 does about it;
# - say how a label enters a score, and what the leak in leaky ReLU is for.

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
# ## What the paper says
#
# > **Section 4.2.** "The Discriminator employs 3D convolutional layers to analyze the spatiotemporal coherence of input
# > video sequences. […] instance normalization is utilized in the Discriminator […] while the Discriminator employs leaky
# > ReLU activations to mitigate the dying ReLU problem."

# %% tags=["nbval-check-output"]
from hrvgan_lib import paper

page.table([{"row": number, "Discriminator": row.layer, "Activation": row.activation,
             "Output shape": paper.shape_text(row.printed)}
            for number, row in enumerate(paper.TABLE2, start=1)], data=(), note="Table 2 as printed.")

# %% [markdown]
# ## Failure on purpose: run it as printed
#
# A convolution with padding keeps time, height and width. Downsample makes them smaller. Minibatch stddev adds one
# channel. A fully connected layer ends in a vector. These four sentences are enough to check a table without a network:
# ask of every row whether its layer can turn the shape above into the shape beside it.

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
# Nine rows. Every Downsample enlarges, the first convolution is asked to make a volume from a vector, and the last rows do not
# connect. Yet the column of *names* reads well: an input, one 1×1×1 convolution, six times *convolve, convolve, downsample*,
# the minibatch statistic, one more convolution, two fully connected layers. And the column of *shapes* is an old acquaintance.

# %% tags=["nbval-check-output"]
table1 = [row.printed for row in paper.TABLE1[2:19]]
table2 = [row.printed for row in paper.TABLE2[3:20]]
print("rows 4 to 20 of Table 2 have the shapes of rows 3 to 19 of Table 1:", table1 == table2)

# %% [markdown]
# The names go from clip to score, the shapes from 4×4×4 to 32×256×256: the order in which the *generator* passes them. So we
# keep the names in their order and let the shapes run the other way ([**A6**](12_claims_and_decisions.ipynb#A6)). It starts from the clip ([**A7**](12_claims_and_decisions.ipynb#A7)), and where
# the names end the volume is 128×4×4×4, which is what row 21 needs: its 129 is 128 channels and one more ([**A8**](12_claims_and_decisions.ipynb#A8)).

# %% tags=["nbval-check-output"]
print("rows that are stuck, as printed: ", len(as_printed))
print("rows that are stuck, as resolved:", len(stuck([row.shape for row in paper.TABLE2])))
resolved = [row.shape for row in paper.TABLE2]
page.measure("rows of Table 2 whose layer cannot make their shape, as printed", len(as_printed), decision="A6")
page.measure("rows of Table 2 whose layer cannot make their shape, in the mirror", len(stuck(resolved)), decision="A6")
for id, place in (("A7", 0), ("A9", 21)):  # the mirror, but for one printed shape
    one_printed = [*resolved[:place], paper.TABLE2[place].printed, *resolved[place + 1:]]
    page.measure(f"rows of Table 2 that cannot follow where row {place + 1} alone is taken as printed",
                 len(stuck(one_printed)), decision=id)

# %% [markdown]
# ## The shortest discriminator that is honest
#
# As in chapter 03: cut at 16 pixels, an eighth of the channels. Instance norm stands between convolution and activation
# ([**A12**](12_claims_and_decisions.ipynb#A12), [**A14**](12_claims_and_decisions.ipynb#A14)); average pooling mirrors nearest-neighbour upsampling ([**A3**](12_claims_and_decisions.ipynb#A3)).

# %%
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
page.expect("largest difference to the library's", difference, high=1e-4, why="same layers, same order, same weights")

# %% [markdown]
# ## Table 2, traced from the network
#
# The full discriminator runs on the meta device, where tensors have shapes and no values, with a batch of four, since
# the minibatch statistic needs company.

# %% tags=["nbval-check-output"]
frames, size = paper.SETTINGS.frames, paper.SETTINGS.size
with torch.device("meta"):
    judge = Discriminator(frames, size, n_classes=0, config=make_config("literal"))
    clip = torch.empty(4, 3, frames, size, size)
judged = trace(judge, clip)


def as_volume(shape):
    """A vector of features is a volume of one position: (128,) becomes (128, 1, 1, 1)."""
    return (*shape, 1, 1, 1)[:4]


ours = [("Input Image", "-", as_volume(clip.shape[1:])), *((r.layer, r.activation, as_volume(r.shape)) for r in judged)]
rows = []
for number, (printed, (layer, activation, shape)) in enumerate(zip(paper.TABLE2, ours), start=1):
    rows.append({"row": number, "layer, paper": printed.layer, "layer, ours": layer,
                 "activation, paper": printed.activation, "activation, ours": activation if number < 24 else "linear",
                 "shape, paper": paper.shape_text(printed.printed), "shape, ours": paper.shape_text(shape),
                 "same shape": shape == printed.printed, "decision": ", ".join(printed.decisions)})
page.table(rows, "table2_discriminator", data=(),
           note="Table 2 beside the network that this book trains, traced at 32 × 256 × 256.")

# %% tags=["nbval-check-output"]
print("layer names that agree:  ", sum(row["layer, paper"] == row["layer, ours"] for row in rows), "of", len(rows))
print("shapes that agree:       ", sum(row["same shape"] for row in rows), "of", len(rows))
print("shapes as we resolve them:", sum(o[2] == p.shape for o, p in zip(ours, paper.TABLE2)), "of", len(rows))
for id in ("A6", "A7", "A8", "A9", "A10"):
    print(f"\n{id}. {paper.decision(id).open_point}\n  We take: {paper.decision(id).choice}.")

# %% [markdown]
# Each row is a claim of its own in the ledger of [chapter 12](12_claims_and_decisions.ipynb): it holds where shape and activation are as printed. (`LReLU`, as one row spells it, is the leaky ReLU, [**A11**](12_claims_and_decisions.ipynb#A11).)

# %%
for number, (printed, row, (_, _, shape)) in enumerate(zip(paper.TABLE2, rows, ours), start=1):
    said = printed.activation.replace("LReLU", "Leaky ReLU")
    differs = "" if row["activation, ours"] == said else f", {row['activation, ours']}"
    why = f" ({row['decision']})" if row["decision"] else ""
    page.measure("row as traced", row["same shape"] and not differs, claim=f"table2-row{number:02d}", low=1,
                 shown=paper.shape_text(shape) + differs + why)
channels_last = sum(printed.printed[:1] == (1,) and printed.printed[-1] > 1 for printed in paper.TABLE2)
page.measure("rows of Table 2 printed with the channels last", channels_last, decision="A23")

# %% [markdown]
# Every name is as printed. Three shapes stay where they are: the 129 channels of the minibatch statistic, the single score, and
# row 12, where the two directions cross. The 128 features before the score are printed channels-last ([**A23**](12_claims_and_decisions.ipynb#A23)). Is the reading right? One independent sign: a generator and
# a discriminator that mirror each other should be about equally large, and they are.

# %% tags=["nbval-check-output"]
with torch.device("meta"):
    maker = Generator(frames, size, n_classes=0, config=make_config("literal"))


def weights(network):
    """Parameters of the layers that the tables name, norms left out as the tables leave them out."""
    layers = (m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv3d | nn.ConvTranspose3d))
    return sum(p.numel() for layer in layers for p in layer.parameters())


print(f"generator {weights(maker):,}   discriminator {weights(judge):,}")
page.expect("discriminator over generator", weights(judge) / weights(maker), low=0.99, high=1.01)
page.measure("weights of D, as mirrored, over those of G", weights(judge) / weights(maker), decision="A6")
page.measure("weights of D over those of G, were G's first layer 128 wide",
             weights(judge) / (weights(maker) - 129 * (8192 - 128)), decision="A1")

# %% [markdown]
# ## Figure 1, drawn from the networks
#
# The paper's Figure 1 illustrates the architecture. We draw ours from the two traces, so that the picture cannot say
# anything that the code does not do. The generator runs left to right, the discriminator below it right to left.
# Nothing was aligned by hand: each layer of one stands under its mirror image because the row counts match.

# %%
import matplotlib.pyplot as plt

KINDS = {"Latent vector": "#999999", "Fully-connected": "#999999", "DeConv": "#0072B2", "Upsample": "#9ecae1",
         "Conv": "#D55E00", "Downsample": "#fdcdac", "Minibatch Stddev": "#CC79A7"}


def block(axis, x, y, layer, shape):
    """One layer: height says pixels, width says channels, depth says frames, each on a log scale."""
    channels, time, _, side = as_volume(shape)
    width, height = 0.12 + 0.07 * (channels.bit_length() - 1), 0.25 + 0.22 * (side.bit_length() - 1)
    depth = 0.05 + 0.05 * (time.bit_length() - 1)
    colour = next(colour for kind, colour in KINDS.items() if layer.startswith(kind))
    left, low = x - width / 2, y - height / 2
    for corners in ([(left, low + height), (left + depth, low + height + depth),
                     (left + width + depth, low + height + depth), (left + width, low + height)],
                    [(left + width, low), (left + width + depth, low + depth),
                     (left + width + depth, low + height + depth), (left + width, low + height)]):
        axis.add_patch(plt.Polygon(corners, facecolor=colour, edgecolor="white", linewidth=0.6, alpha=0.6))
    axis.add_patch(plt.Rectangle((left, low), width, height, facecolor=colour, edgecolor="white", linewidth=0.6))
    axis.text(x, y - 1.35, "×".join(map(str, shape)), rotation=90, ha="center", va="top", fontsize=7)


# %%
with torch.device("meta"):
    made = [("Latent vector", (paper.SETTINGS.latent,)),
            *((r.layer, r.shape) for r in trace(maker, torch.empty(1, 128)))]
fig, axis = plt.subplots(figsize=(14, 7.4))
for place, (layer, shape) in enumerate(made):
    block(axis, place + 1, 4.6, layer, shape)
for place, row in enumerate(judged):
    block(axis, len(made) - place, 0, row.layer, row.shape)
end = len(made) + 0.6
pointer = dict(arrowstyle="-|>", color="0.3", linewidth=1.3)
for start, stop in (((0.1, 5.6), (1.75, 4.95)), ((end, 4.6), (end + 1.3, 4.6)), ((end + 1.9, 4.0), (end + 0.1, 0.5)),
                    ((end + 1.9, 0), (end + 0.1, 0)), ((-0.35, 0), (-1.0, 0)), ((-0.1, 0.95), (0.75, 0.3))):
    axis.annotate("", stop, start, arrowprops=pointer)
for x, y, text in ((-0.1, 5.8, "label y"), (end + 1.4, 4.75, "generated\nclip"), (end + 2.0, -0.3, "real\nclip"),
                   (-1.1, 0.15, "real or\ngenerated?"), (-0.15, 0.9, "label y"), (1, 6.3, "Generator (Table 1)"),
                   (1, 1.35, "Discriminator (Table 2, mirrored)")):
    bold = {"fontsize": 13, "weight": "bold"} if "Table" in text else {"fontsize": 9}
    axis.text(x, y, text, ha="right" if x < 0 else "left", va="bottom", **bold)
for kind, colour in list(KINDS.items())[1:]:
    axis.bar(0, 0, color=colour, label=kind)
axis.legend(loc="upper right", ncols=3, fontsize=9, frameon=False)
axis.set(xlim=(-2.4, end + 3.2), ylim=(-3.1, 7.0))
axis.set_axis_off()
page.figure(fig, name="fig1_architecture", data=(),
            caption="The architecture, drawn from the traced networks: generator above, discriminator below.",
            alt="Two rows of blocks. Top: a latent vector and a label enter a fully connected layer, then blocks "
                "grow from 4 to 256 pixels while getting thinner in channels, and end in a clip. Bottom, right to "
                "left under it: the same blocks in reverse order shrink the clip, with a minibatch statistic and "
                "two fully connected layers before the score.")

# %% [markdown]
# Height stands for pixels, width for channels, depth for frames. Follow the generator: tall comes with thin. Follow the
# discriminator back, and each of its blocks has the size of the one above. The label enters at the vectors of both: beside
# the latent, and at the 128 features.
#
# ## A clip on its way down
#
# What is left of a clip after each Downsample? Before training the kernels are random, but the picture
# already tells what the pyramid does: positions go, channels come.

# %%
dataset = page.dataset("actions")
films, film_labels = dataset.batch(range(4))
torch.manual_seed(seed)
reader = Discriminator(dataset.frames, dataset.size, 0, eighth).apply(initialise)
maps, signal = [], films
with torch.no_grad():
    for layer in reader.trunk:
        signal = layer(signal)
        if isinstance(layer, nn.LeakyReLU):
            if not maps or maps[-1].shape[-1] != signal.shape[-1]:
                maps.append(signal.abs().mean(dim=1)[0])
            else:
                maps[-1] = signal.abs().mean(dim=1)[0]
fig, axes = plt.subplots(1, len(maps) + 1, figsize=(2 * len(maps) + 2, 2.3))
axes[0].imshow((films[0, :, films.shape[2] // 2].permute(1, 2, 0) + 1) / 2)
for axis, strength in zip(axes[1:], maps):
    axis.imshow(strength[strength.shape[0] // 2], cmap="viridis")
for axis, title in zip(axes, ("a frame", *(f"{m.shape[0]} × {m.shape[1]} × {m.shape[2]}" for m in maps))):
    axis.set_title(title, fontsize=9)
    axis.set_axis_off()
page.figure(fig,
            caption="One frame, and the mean strength of the features behind each stage.",
            alt="A real frame and, beside it, maps of mean feature strength at ever fewer positions; the person's "
                "outline is still seen in the second map and only a few bright squares are left in the last.")

# %% [markdown]
# ## Why the crowd matters: minibatch standard deviation
#
# A generator may find one clip that fools the discriminator and draw it for ever. A discriminator that looks at clips one by
# one has no chance to complain: each of them is fine. Table 2 lets it look sideways. For every group of four clips,
# `MinibatchStddev` measures how much the features differ between the clips and writes that one number into a 129th map.
#
# To see what it is worth, we hand rows 21 to 24 a task that needs nothing else: say whether a batch holds eight different
# clips or eight copies of one. Every clip is real. The pyramid above these rows stays as it is, random, so the training
# is quick. The second contestant has the same layers without the map.

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
fig, axis = plt.subplots(figsize=(6, 2.8))
axis.plot(with_map, color=book.SYSTEM_COLOURS["hrvgan"], label="with the map (group of 4)")
axis.plot(without_map, color=book.SYSTEM_COLOURS["untrained"], label="without")
axis.axhline(math.log(2), color="0.5", linestyle="--", label="a coin flip, log 2")
axis.set(xlabel="step", ylabel="loss", ylim=(0, 1.6))
axis.legend(fontsize=8)
page.figure(fig,
            caption="Different clips or copies of one? With the 129th map and without.",
            alt="Loss over training steps. With the minibatch map it falls to nearly zero within a hundred steps; "
                "without it, it wanders around the dashed line of a coin flip, log 2.")

# %% tags=["nbval-check-output"]
if not page.rehearse:
    page.expect("last losses with the map over a coin flip", sum(with_map[-20:]) / 20 / math.log(2), high=0.3)
    page.expect("last losses without the map over a coin flip", sum(without_map[-20:]) / 20 / math.log(2), low=0.9,
                why="every single clip is as real as the others")
    for which, found in (("with", with_map), ("without", without_map)):
        page.measure(f"loss of telling copies from different clips {which} the 129th map, over that of a coin flip",
                     sum(found[-20:]) / 20 / math.log(2), decision="A8", data=[dataset])

# %% [markdown]
# Without the map the task cannot be solved, by any weights: a clip gets the same score alone and among its copies. With it, one
# number is enough. The place matters too. An instance norm behind the next convolution would subtract what is constant over a map,
# and the statistic *is* constant; chapter 02 shows it vanish. This is why row 22 has no norm in our reading ([**A12**](12_claims_and_decisions.ipynb#A12)).
# The group of four has to divide the batch, and the layer says so when it does not.

# %% tags=["nbval-check-output"]
try:
    MinibatchStddev(group=4)(torch.randn(6, 2, 1, 4, 4))
except ValueError as error:
    print(error)

# %% [markdown]
# ## How a label enters a score
#
# > **What it does not say.** How the discriminator of a *conditional* GAN sees the condition ([**A18**](12_claims_and_decisions.ipynb#A18)).
#
# We use a projection. The network reduces a clip to 128 features $f$; a label $y$ has a learned vector $e_y$; and the score is
#
# $$D(x \mid y) = w \cdot f + b + \frac{e_y \cdot f}{\sqrt{128}}.$$
#
# The first part asks "is this a real clip?", the second "is this a clip of *that*?". No new loss is needed, so Eqs. 12 to 14
# stay the only ones. Let us compute it by hand.

# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
conditional = Discriminator(8, 16, n_classes=8, config=eighth).apply(initialise)
pair = torch.randn(4, 3, 8, 16, 16)
with torch.no_grad():
    scores = [conditional(pair, torch.full((4,), label)) for label in (2, 5)]
    by_hand = conditional.features(pair) @ (conditional.embed.weight[2] - conditional.embed.weight[5]) / 128**0.5
page.expect("difference of two labels' scores, against the formula", (scores[0] - scores[1] - by_hand).abs().max(),
            high=1e-4)
print("parameters that eight labels add:", conditional.embed.weight.numel())

# %% [markdown]
# The 128 features are printed as *linear*, and so is the score ([**A10**](12_claims_and_decisions.ipynb#A10)). Two linear layers in a row are one: the product of
# their matrices does the same with 1 × 8192 numbers in place of a million. A leaky ReLU between them makes the million
# count; `fc_activation="linear"` brings the printed form back.

# %% tags=["nbval-check-output"]
linear = Discriminator(8, 16, 0, make_config("literal", width=1 / 8, fc_activation="linear")).apply(initialise)
inner = torch.randn(5, linear.fc.in_features)
with torch.no_grad():
    one_matrix = linear.score.weight @ linear.fc.weight
    bias = linear.score.weight @ linear.fc.bias + linear.score.bias
    two_layers = linear.score(linear.fc_activation(linear.fc(inner)))
page.expect("two linear layers against one matrix", (two_layers - inner @ one_matrix.T - bias).abs().max().item(),
            high=1e-3)
print("numbers in the two:", linear.fc.weight.numel() + linear.score.weight.numel(),
      "  in the one:", one_matrix.numel())
page.measure("numbers that the two last layers amount to where both are linear, over those that they hold",
             one_matrix.numel() / (linear.fc.weight.numel() + linear.score.weight.numel()), decision="A10")

# %% [markdown]
# ## What the leak is for
#
# > **Section 4.2.** Leaky ReLU serves "to mitigate the dying ReLU problem and ensure gradient flow even when activations fall
# > below zero".
#
# The generator learns only from the gradient that comes back *through* the discriminator. We push a discriminator's
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
page.expect("plain ReLU, no norm: share", flow[0.0, "none"][0], high=0.01, why="every unit is off: the network is dead")
page.expect("plain ReLU, instance norm: share", flow[0.0, "instance"][0], low=0.01,
            why="the norm lifts units back over zero")
page.expect("leaky: gradient with instance norm over without", flow[0.2, "instance"][1] / flow[0.2, "none"][1], low=100)

# %% [markdown]
# Eight more networks for the ledger. *Ensures* is a strong word: with the leak at most one value in a hundred may be without a gradient, and there is something to ensure if without the leak more
# than half of them are.

# %%
from hrvgan_lib import metrics

for name, leak, asked in (("leaky", 0.2, {"high": 0.01}), ("plain", 0.0, {"low": 0.5})):
    silent = metrics.seed_interval([1 - reached(leak, "none", draw)[0] for draw in range(1, 9)])
    page.measure(f"share of D's input without a gradient, {name} ReLU pushed below zero", silent.value, interval=silent,
                 over="8 draws of the weights", claim="leaky-relu", data=[dataset], **asked)
page.measure("gradient at D's input pushed below zero, slope 0.01 over slope 0.2",
             reached(0.01, "none")[1] / flow[0.2, "none"][1], decision="A11", data=[dataset])
page.measure("gradient at D's input pushed below zero, instance norm over no norm",
             flow[0.2, "instance"][1] / flow[0.2, "none"][1], decision="A12", data=[dataset])

# %% [markdown]
# The leak does what the paper says: without it this network is dead, with it every pixel hears something. But *something* is
# little. After a dozen slopes of 0.2 what arrives is thousands of times weaker, and it is the instance norm, which subtracts
# the bias again, that restores its strength. The two techniques of section 4.2 cover different halves of one problem.

# %% [markdown]
# ## Check yourself
#
# <details><summary>Why can the names of Table 2 be right when the shapes are not?</summary>
#
# The names run from the clip to the score and count 24, as many as the mirror image of Table 1 needs. The shapes of rows 4 to 20
# are those of Table 1 in its own order.
#
# </details>
# <details><summary>Why does tracing need a batch of four and the generator only of one?</summary>
#
# The minibatch statistic compares clips of a group. One clip alone has no spread; a batch smaller than four is one group.
#
# </details>
# <details><summary>A generator draws two clips in turn. Does the 129th map notice?</summary>
#
# Yes, but less: within a group the features still differ, though less than among four real clips.
#
# </details>
# <details><summary>Which term of the projection is zero for a data set without labels?</summary>
#
# The second: there is no table of label vectors, and the score is $w \cdot f + b$ (A19).
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* Does Table 1 pass `can_follow`, once "Upsample" is allowed to enlarge? **Expected:** all rows but row 3, which
#    follows 128×1×1×1 (A1).
# 2. *(easy)* How many parameters does Table 2 have if row 22 keeps the printed 8 channels at 4×4×4 in place of 128?
#    **Expected:** 2,304,681: the fully connected layer shrinks with it.
# 3. *(medium)* Repeat the crowd test with four clips against two pairs of equals. **Expected:** it learns, but after as many
#    steps it is far less sure.
# 4. *(hard)* Give the label as constant maps beside the three colours instead. How far does it move the features at 4×4×4,
#    compared with how far another clip moves them, with instance norm and without? **Expected:** the norm makes the
#    label's share two to five times smaller, but does not remove it: the first activation has bent the constant already.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
def can_follow_up(layer, before, after):
    """The generator's rules: Upsample may double an axis, DeConv keeps them, a fully connected layer gives a vector."""
    if layer == "Upsample":
        return before[0] == after[0] and all(a in (b, 2 * b) for b, a in zip(before[1:], after[1:]))
    return before[1:] == after[1:] if layer.startswith("DeConv") else sum(size > 1 for size in after) <= 1


print("stuck:", [n for n, (above, row) in enumerate(zip(paper.TABLE1, paper.TABLE1[1:]), start=2)
                 if not can_follow_up(row.layer, above.printed, row.printed)])

# %% tags=["solution", "nbval-check-output"]
# Exercise 2: the convolution loses 120 of its 128 outputs, the fully connected layer the same share of its inputs
print(f"{weights(judge) - 120 * (129 * 27 + 1) - 120 * 64 * 128:,}")
page.measure("parameters of D where row 22 keeps its printed 8 channels, over ours",
             1 - 120 * (129 * 27 + 1 + 64 * 128) / weights(judge), decision="A9")

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
if not page.rehearse:
    pairs = crowd_test(group=4, copies=lambda different: different[[0, 0, 1, 1]], batch=4)
    page.expect("last losses over a coin flip", sum(pairs[-20:]) / 20 / math.log(2), low=0.3, high=0.9,
                why="two pairs still differ, only less than four clips do")

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
page.expect("label's share with instance norm over without", with_norm / without_norm, high=0.6)
for which, share in (("with", with_norm), ("without", without_norm)):
    page.measure(f"label maps at D's input, {which} instance norm: features' spread over labels, over that over clips",
                 share, decision="A18", data=[dataset])

# %% [markdown]
# ## What we now know
#
# - We tested a table for contradictions with four rules, and found nine rows as printed and none in the mirror.
# - We built the discriminator; its names agree with Table 2 in all 24 rows, and its size with the generator's within a percent.
# - A judge of single clips cannot see repetition. The 129th map can, and only where no norm follows it.
# - A label enters by a scalar product with the 128 features. The leak keeps a gradient alive; the norm gives it strength.
#
# ## Where next
#
# [Chapter 05](05_losses.ipynb) says what the score is used for. [Chapter 06](06_training_loop.ipynb) lets the two
# networks of Figure 1 play.

# %%
page.colophon()
