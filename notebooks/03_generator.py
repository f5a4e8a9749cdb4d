# %% [markdown]
# # 03 · How do 128 numbers become a film?
#
# | | |
# |---|---|
# | **You will build** | the generator of Table 1, first in fifteen lines, then in full |
# | **Reads** | the labelled clips (four of them, for one experiment) |
# | **Writes** | `table1_generator.csv`, `.md` and its sidecar |
# | **Budget** | a quarter of a minute on two cores; the full 32×256×256 network is traced without being computed |
#
# A clip of 32 frames at 256×256 has 6.3 million values. The generator makes all of them from 128 numbers, with fewer
# weights than a single photograph from a telephone has pixels. This chapter takes the table that says how, runs
# it, and holds the result against the printed rows, one by one.
#
# **By the end** you can
#
# - build the generator from its table and say which layer has which shape, and why;
# - name the two rows of Table 1 that need a decision before they can run, and defend ours;
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
# ## What the paper says
#
# > **Section 4.2.** "The Generator leverages 3D transposed convolutional (deconvolutional) layers to jointly model
# > spatial and temporal information […] batch normalization is applied throughout the Generator network […] the
# > Generator uses ReLU nonlinearities."
#
# Table 1 gives the layers. Here it is, read from `hrvgan_lib/paper`, the one place in this project where a
# published number is typed. Shapes are channels × time × height × width throughout the book (decision [**A23**](12_claims_and_decisions.ipynb#A23)).

# %% tags=["nbval-check-output"]
from hrvgan_lib import paper

page.table([{"row": number, "Generator": row.layer, "Activation": row.activation,
             "Output shape": paper.shape_text(row.printed)}
            for number, row in enumerate(paper.TABLE1, start=1)], data=(), note="Table 1 as printed.")

# %% [markdown]
# Read it from the top. One vector becomes a small block of features, 4×4×4: four base time steps, each 4×4
# positions, 128 numbers at each. Then the same three lines, six times: *enlarge, convolve, convolve*. Height and width
# double every time; time doubles at the first, fourth and sixth. As the picture grows, the features get fewer: 128,
# 128, 128, 64, 32, 16, 8. A last layer mixes eight features into red, green and blue.
#
# > **What it does not say.** Row 2 ends at 128×1×1×1 and row 3 stands at 128×4×4×4, with nothing between them that
# > grows ([**A1**](12_claims_and_decisions.ipynb#A1)). "DeConv" comes without stride or padding ([**A2**](12_claims_and_decisions.ipynb#A2)), "Upsample" without a kernel ([**A3**](12_claims_and_decisions.ipynb#A3)). The norms of
# > sections 4.2 to 4.4 have no rows ([**A12**](12_claims_and_decisions.ipynb#A12), chapter 02). The last activation is a ReLU, which cannot be negative
# > ([**A5**](12_claims_and_decisions.ipynb#A5)).
#
# ## The shortest generator that is honest
#
# We start with the table cut after its 16-pixel stage, and an eighth of its channels. One helper for a DeConv row,
# then the rows in order.

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
# Send one latent through, layer by layer, and watch the shape. Every line below is a row of Table 1 with 16 channels
# in place of 128.

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
# Is it really the same? Copy our weights into it, in order, and compare the clips.

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import Generator, initialise, make_config

eighth = make_config("literal", width=1 / 8)
library = Generator(frames=8, size=16, n_classes=0, config=eighth).eval()
library.load_state_dict(dict(zip(library.state_dict(), small.state_dict().values())))
latents = torch.randn(4, 128)
with torch.no_grad():
    difference = (small(latents) - library(latents)).abs().max()
page.expect("largest difference between the two", difference, high=1e-4, why="same layers, same order, same weights")

# %% [markdown]
# From here on we use the library's.
#
# ## A deconvolution that enlarges nothing
#
# A transposed convolution is often used with stride 2, to enlarge. Table 1 has rows of their own for enlarging, and its
# DeConv rows keep the size, so the stride is 1 and the padding is 1 ([**A2**](12_claims_and_decisions.ipynb#A2)). Such a layer is an ordinary convolution in
# disguise: swap the two channel axes of its kernel, flip the kernel in time, height and width, and `Conv3d` gives the
# same numbers. We keep the name of the table in the code; nothing else depends on it.

# %% tags=["nbval-check-output"]
transposed, plain = nn.ConvTranspose3d(6, 5, 3, padding=1), nn.Conv3d(6, 5, 3, padding=1)
enlarged = nn.Upsample(scale_factor=(1, 2, 2))(torch.randn(2, 6, 4, 8, 8))
with torch.no_grad():
    plain.weight.copy_(transposed.weight.transpose(0, 1).flip(2, 3, 4))
    plain.bias.copy_(transposed.bias)
    difference = (transposed(enlarged) - plain(enlarged)).abs().max()
page.expect("DeConv against Conv with the kernel flipped", difference, high=1e-5)
page.measure("difference between a stride-1 DeConv and an ordinary convolution with the kernel flipped", difference,
             decision="A2")

# %% [markdown]
# Now [**A1**](12_claims_and_decisions.ipynb#A1), the step from 1×1×1 to 4×4×4. Could the DeConv of row 3 do it alone? A kernel of 3 without padding turns
# one position into three, not four; a kernel of 4 would fit the shape, but row 3 says 3.

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
# ## Failure on purpose, the first: a deconvolution that does enlarge
#
# Why not save the Upsample rows, and let a DeConv with stride 2 enlarge? Give it a perfectly even grey and look. With a
# kernel of 3 and a stride of 2, neighbouring outputs are reached by different numbers of inputs: one, two, four in
# the plane. The network has to learn to undo a chessboard that no data ever showed it.

# %%
import matplotlib.pyplot as plt

grey = torch.ones(1, 1, 4, 8, 8)
strided = nn.ConvTranspose3d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False)
separate = nn.Sequential(nn.Upsample(scale_factor=2), nn.ConvTranspose3d(1, 1, 3, padding=1, bias=False))
for network in (strided, separate[1]):
    nn.init.constant_(network.weight, 1 / 27)
fig, axes = plt.subplots(1, 2, figsize=(6, 3))
for axis, network, title in zip(axes, (strided, separate), ("DeConv with stride 2", "Upsample, then DeConv")):
    axis.imshow(network(grey)[0, 0, 4].detach(), cmap="gray", vmin=0)
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)
page.figure(fig, data=(),
            caption="The same even grey, enlarged in two ways.",
            alt="Two grey squares. Left, a stride-2 deconvolution of an even grey shows a regular chessboard of "
                "lighter and darker dots. Right, nearest-neighbour upsampling followed by a stride-1 deconvolution "
                "shows an even grey with a slightly darker border.")
inside = [network(grey)[0, 0, 4, 4:-4, 4:-4].detach() for network in (strided, separate)]
page.measure("spread of an even grey after a DeConv with stride 2, over its mean", inside[0].std() / inside[0].mean(),
             decision="A2")
page.measure("spread of an even grey after nearest upsampling and a DeConv, over its mean",
             inside[1].std() / inside[1].mean(), decision="A3")

# %% [markdown]
# The rows of Table 1 avoid this: nearest-neighbour upsampling ([**A3**](12_claims_and_decisions.ipynb#A3)) treats every position alike, and the DeConv
# behind it only has to smooth the steps. The border on the right is the zero padding, which we keep.
#
# ## Table 1, traced from the network
#
# Now the full table: 32 frames of 256×256. On PyTorch's *meta* device a tensor has a shape and no values, so the real
# network, the one that is trained elsewhere in this book, runs through in no time and no memory. `trace` notes
# each layer as it runs.

# %% tags=["nbval-check-output"]
from hrvgan_lib.networks.hrvgan import trace

frames, size = paper.SETTINGS.frames, paper.SETTINGS.size
with torch.device("meta"):
    full = Generator(frames, size, n_classes=0, config=make_config("literal"))
    latent = torch.empty(1, paper.SETTINGS.latent)
traced = trace(full, latent)
print(len(traced), "layers ran; the last gives", paper.shape_text(traced[-1].shape))

# %% [markdown]
# And the comparison, row by row. `same` is decided by the code; the last column names the entry of the decision ledger
# that explains a difference.

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
page.table(rows, "table1_generator", data=(),
           note="Table 1 beside the network that this book trains, traced at 32 × 256 × 256.")

# %% tags=["nbval-check-output"]
print(sum(row["same"] for row in rows), "of", len(paper.TABLE1), "rows agree in shape and activation")
for row in rows:
    if not row["same"]:
        entry = paper.decision(row["decision"])
        print(f"\nrow {row['row']}, {entry.id}. {entry.open_point}\n  We take: {entry.choice}. {entry.why}")

# %% [markdown]
# The same rows go to the ledger of [chapter 12](12_claims_and_decisions.ipynb), each as a claim of its own that holds where shape and activation are as printed. The resolution of the abstract
# is a claim too: the last traced row has to be 256 pixels wide.

# %%
for number, (printed, (activation, shape)) in enumerate(zip(paper.TABLE1, ours), start=1):
    differs = "" if activation == printed.activation else f", {activation}"
    why = f" ({', '.join(printed.decisions)})" if printed.decisions else ""
    page.measure("row as traced", (activation, shape) == (printed.activation, printed.printed),
                 claim=f"table1-row{number:02d}", low=1, shown=paper.shape_text(shape) + differs + why)
parameters = sum(p.numel() for p in full.parameters())
page.measure("height and width of one sample", traced[-1].shape[-1], claim="resolution-256", low=size, high=size,
             shown=f"{paper.shape_text(traced[-1].shape)} from {parameters:,} parameters")
page.measure("share of G's weights in the first layer where it is 8192 wide",
             sum(p.numel() for p in full.fc.parameters()) / parameters, decision="A1")

# %% [markdown]
# Twenty rows of twenty-two are the paper's to the letter. The two others are the ends: how the vector enters the volume,
# and how features leave it as pixels.
#
# ## Where the weights are, and where the work is
#
# The paper does not give a parameter count. The table fixes it all the same: a DeConv row with kernel $k$ from $a$ to
# $b$ channels has $k^3 a b + b$ weights, the fully connected row $(128 + 1) \cdot 8192$. We count once from the rows and
# once from the network. Each weight of a DeConv row works once for each position of its output, so the work is
# weights × volume.

# %% tags=["nbval-check-output"]
import math

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
print(f"batch norms add {sum(p.numel() for p in full.parameters()) - counted:,}")

# %%
fig, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharex=True)
names = [f"{height}²" for height in stages_of]
for axis, place, title in zip(axes, (0, 1), ("share of the weights, %", "share of the multiplications, %")):
    values = [stage[place] for stage in stages_of.values()]
    axis.bar(names, [100 * value / sum(values) for value in values], color=book.SYSTEM_COLOURS["hrvgan"])
    axis.set(title=title, xlabel="stage")
page.figure(fig, data=(),
            caption="Weights sit at the small stages, work at the large ones.",
            alt="Two bar charts over the stages 4 to 256. The share of weights is highest at 4, 8 and 16 pixels "
                "and vanishes after 64; the share of multiplications is near zero at 4 and 8 and highest at 256.")

# %% [markdown]
# The two pictures are nearly each other's mirror image. What the film shows is decided where the pictures are tiny and
# the weights are many; most of the computing is spent on the last two stages, which own almost none of the weights.
# This is why a cut of the table is worth studying: it keeps most of the decisions and drops most of the bill.
#
# ## Cutting the table
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
# And if time doubled at 8, 32 and 128, as it does in related networks ([**A4**](12_claims_and_decisions.ipynb#A4))? The cut at 32 pixels would have twice the frames, and the middle stages more work.

# %%
from itertools import pairwise


def work(doublings):
    """Multiplications of the 3×3×3 rows behind the first stage, for one full clip."""
    plan = stages(frames, size, make_config("literal", temporal_doublings=doublings))
    return sum(27 * (a.channels + b.channels) * b.channels * b.frames * b.size**2 for a, b in pairwise(plan))


page.measure("multiplications of G with time doubling at 8, 32 and 128, over those as printed",
             work((8, 32, 128)) / work((8, 64, 256)), decision="A4")

# %% [markdown]
# A size that the table does not have, or frames that it does not have there, is refused with the remedy.

# %% tags=["nbval-check-output"]
for length, side in ((8, 48), (32, 64)):
    try:
        stages(length, side, config)
    except ValueError as error:
        print(error)

# %% [markdown]
# ## One number a word: where the label enters
#
# > **Section 4.2.** The latent vectors "are conditioned on the action category label".
#
# > **What it does not say.** By which mechanism ([**A18**](12_claims_and_decisions.ipynb#A18)), and what happens to Golf and Aeroplane, which have no labels
# > ([**A19**](12_claims_and_decisions.ipynb#A19)).
#
# We look the label up in a table of learned vectors and lay that vector beside the latent, so the fully connected
# layer reads 256 numbers instead of 128; without classes there is no table and the layer is the one above. Does a label
# reach every pixel? We take an untrained generator and change only the latent, then only the label.

# %% tags=["nbval-check-output"]
torch.manual_seed(seed)
conditional = Generator(8, 32, n_classes=8, config=eighth).eval()
print("fully connected layer:", conditional.fc.in_features, "to", conditional.fc.out_features)
with torch.no_grad():
    same_latent = conditional(torch.randn(1, 128).expand(8, -1), torch.arange(8))
    same_label = conditional(torch.randn(8, 128), torch.zeros(8, dtype=torch.long))
spread = {"label": same_latent.std(dim=0).mean(), "latent": same_label.std(dim=0).mean()}
page.expect("spread by label over spread by latent", spread["label"] / spread["latent"], low=0.5, high=2,
            why="before training both are 128 numbers of the same size")
page.measure("spread of clips over labels, over their spread over latents, untrained",
             spread["label"] / spread["latent"], decision="A18")
normal, uniform = torch.randn(64, 128), 2 * torch.rand(64, 128) - 1
with torch.no_grad():
    wide, narrow = (conditional(z, torch.zeros(64, dtype=torch.long)).std(dim=0).mean() for z in (normal, uniform))
page.measure("spread of clips from uniform latents over that from normal ones, untrained", narrow / wide,
             decision="A17")

# %% [markdown]
# Before training the two weigh the same. Training decides what each is used for: the discriminator of chapter 04 scores a
# clip *with* its label, so a generator that ignores labels is found out.
#
# The abstract promises labels "during both training and inference". For inference, every one of the eight clips from one latent
# has to differ from the next. For training, the discriminator's score of a clip has to change when its label does.

# %%
from hrvgan_lib.networks.hrvgan import Discriminator

judge = Discriminator(8, 32, n_classes=8, config=eighth).apply(initialise)
with torch.no_grad():
    scores = [judge(same_label, torch.full((8,), label)) for label in (2, 5)]
differ = (same_latent[1:] != same_latent[:-1]).flatten(1).any(dim=1).float().mean()
page.measure("share of neighbouring labels whose clips from one latent differ, untrained networks", differ,
             claim="labels-in-training-and-inference", low=1)
page.measure("share of clips whose score by D changes with the label, untrained networks",
             (scores[0] != scores[1]).float().mean(), claim="labels-in-training-and-inference", low=1)

# %% [markdown]
# ## One latent, or one a time step
#
# > **Section 4.2.** "The input to the Generator is a sequence of latent noise vectors, each corresponding to a frame in
# > the target video sequence."
#
# Table 1 starts from one vector. Both cannot be meant at once ([**A16**](12_claims_and_decisions.ipynb#A16)), so we follow the table and build the other
# reading as a switch: one latent for each of the *four base time steps*, which leaves every later row as it is. What
# would change? We replace one latent and look at which of the eight frames move, averaged over a few untrained
# networks, since each has its own random kernels.

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
fig, axis = plt.subplots(figsize=(7, 2.8))
for place, line in enumerate(reach[:4], start=1):
    axis.plot(range(1, 9), line, "o-", color=plt.cm.viridis((place - 1) / 4), label=f"latent {place} of 4")
axis.plot(range(1, 9), reach[4], "s--", color="black", label="the single latent")
axis.set(xlabel="frame", ylabel="mean change", ylim=(0, None))
axis.legend(ncols=3, fontsize=8)
page.figure(fig, data=(),
            caption="Which frames move when one latent is replaced.",
            alt="Five lines over eight frames. The four latents of a sequence each move one stretch of the film "
                "most: the first latent the first frames, falling to a sixth at the last frame, the fourth the "
                "last frames. The single latent moves all frames about equally.")

# %% tags=["nbval-check-output"]
page.expect("single latent: least moved frame over most moved", reach[4].min() / reach[4].max(), low=0.5)
page.expect("first of four: last frame over first", reach[0, -1] / reach[0, 0], high=0.5)
page.expect("last of four: first frame over last", reach[3, 0] / reach[3, -1], high=0.5,
            why="a latent reaches as far as the kernels carry it, and weaker with every step")
page.measure("single latent replaced: change of the least moved of eight frames over that of the most moved",
             reach[4].min() / reach[4].max(), decision="A16")
page.measure("first latent of four replaced: change of the last of eight frames over that of the first",
             reach[0, -1] / reach[0, 0], decision="A16")
page.measure("latent vectors that the network of Table 1 takes for a clip of 32 frames",
             latent.numel() // paper.SETTINGS.latent, claim="latent-per-frame", low=frames, high=frames,
             shown="1 (A16)" if latent.numel() == paper.SETTINGS.latent else "")

# %% [markdown]
# A single latent describes the whole film: what, who and how it goes on. A sequence gives each stretch of time its own
# description, and the kernels that reach across have to hold the film together. Nothing forces either to be better; the
# switch is `latent="sequence"`.
#
# ## Can it draw? A generator with four films to learn
#
# Nothing so far says that this network can make anything that looks like a video. A direct test needs no
# discriminator: take four real clips, give each a random latent of its own, and train the generator to answer each latent
# with its clip (Eq. 10 alone). We use an eighth of the channels, at the size of this profile.

# %%
from hrvgan_lib.losses import mse_loss_paper

dataset = page.dataset("actions")
there = dataset.labels.tolist()
by_name = {dataset.classes[label]: label for label in sorted(set(there))}
wanted = sorted(by_name, key=lambda name: name not in paper.SETTINGS.figure4_actions)[:4]  # Figure 4's actions first
films = dataset.batch([there.index(by_name[name]) for name in wanted])[0].to(page.device)


def learn(final_activation, steps=2 if page.rehearse else 30):
    """Fit a narrow generator to the four films; return what it then draws and its error."""
    torch.manual_seed(seed)
    narrow = make_config("literal", width=1 / 8, final_activation=final_activation)
    generator = Generator(dataset.frames, dataset.size, 0, narrow).apply(initialise).to(page.device)
    keys = torch.randn(len(films), 128, device=page.device)
    optimiser = torch.optim.Adam(generator.parameters(), lr=1e-2, betas=(0.9, 0.99))
    for _ in range(steps):
        loss = mse_loss_paper(generator(keys), films)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return generator(keys).detach(), loss.item()


# %% [markdown]
# And the second failure on purpose: the same, with the last activation as Table 1 prints it. Pixels run from -1 (black)
# to 1 (white); a ReLU ends at zero, middle grey.

# %%
drawn = {"tanh": learn("tanh"), "ReLU": learn("relu")}
strips = [films, drawn["tanh"][0], drawn["ReLU"][0]]
shown = torch.stack([strip[i] for i in range(2) for strip in strips])
fig = book.clip_grid(shown, every=max(1, dataset.frames // 8),
                     labels=[f"{wanted[i]}, {kind}" for i in range(2) for kind in ("real", "tanh", "ReLU")])
page.figure(fig,
            caption="Real, learned with tanh, learned with the printed ReLU: two of the four films.",
            alt="Rows of frames in groups of three for two clips: the real clip, the clip learned with tanh, which "
                "is a soft copy, and the clip learned with ReLU, in which everything darker than middle grey is "
                "flat grey.")

# %% tags=["nbval-check-output"]
below = films.clamp(max=0).square().mean().item()
if not page.rehearse:
    page.expect("error with tanh over the variance of the films", drawn["tanh"][1] / films.var().item(), high=0.5)
    page.expect("error with ReLU over the part that a ReLU cannot reach", drawn["ReLU"][1] / below, low=1,
                why="what lies below zero costs at least its square")
    page.measure("error of four learned films with a last ReLU over that with tanh, after as many steps",
                 drawn["ReLU"][1] / drawn["tanh"][1], decision="A5", data=[dataset])
    page.measure("share of four films' mean square that a last ReLU cannot reach", below / films.square().mean(),
                 decision="A5", data=[dataset])

# %% [markdown]
# With tanh the narrow network draws its films, softly, after a few steps. With the printed ReLU on pixels in $[-1, 1]$ it
# cannot draw anything darker than grey, however long it learns: the second line is a floor that no training lowers. Pixels
# in $[0, 1]$ would remove the floor, but leave no ceiling. This is decision [**A5**](12_claims_and_decisions.ipynb#A5); `final_activation="relu"` brings
# the printed form back.
#
# ## The ReLUs inside
#
# > **Section 4.2.** ReLU is used "to maintain strong gradient signals during training and encourage sparse feature
# > activations".
#
# Sparse can be counted. The share of exact zeros behind each ReLU:

# %% tags=["nbval-check-output"]
zeros = []
watched = Generator(8, 32, 0, eighth)
for module in watched.modules():
    if isinstance(module, nn.ReLU):
        module.register_forward_hook(lambda _module, _inputs, output: zeros.append((output == 0).float().mean().item()))
probe = torch.randn(16, 128, requires_grad=True)
watched(probe).square().mean().backward()
page.expect("smallest share of zeros behind a ReLU", min(zeros), low=0.3, high=0.7)
page.expect("largest share", max(zeros), low=0.3, high=0.7, why="batch norm centres what the ReLU cuts")
page.expect("latents that the gradient reaches, share", (probe.grad != 0).float().mean(), low=0.99)

# %% [markdown]
# About half of all features are off for any clip, and the gradient still reaches every number of the latent. Half is no
# property of the data: batch norm centres each feature, and the ReLU cuts at the centre.
#
# Is that gradient *strong*? A gradient is strong beside another one. We put a tanh, which flattens at both ends, in the place of
# every ReLU inside, and compare what arrives at the latent. For the ledger the claim asks for at least as much with ReLU, and
# for a sparse layer we ask for at least three zeros in ten. A sigmoid in the same places is the negative control: it must not pass.

# %%
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
page.measure("gradient at the latents with ReLU inside, over that with tanh", ratios.value, interval=ratios,
             over="8 draws of the weights", claim="relu-generator", low=1,
             controls=[book.control("sigmoid inside", over_tanh(nn.Sigmoid))])
page.measure("smallest share of exact zeros behind a ReLU of G", min(zeros), claim="relu-generator", low=0.3,
             controls=[book.Control("sigmoid inside", 0.0, 0.0)])  # a sigmoid is never exactly zero

# %% [markdown]
# ## Check yourself
#
# <details><summary>Why does the cut at 64×64 have 16 frames and not 32?</summary>
#
# Time doubles at the stages 8, 64 and 256. Cut at 64, two doublings have happened: 4 → 8 → 16.
#
# </details>
# <details><summary>Row 3 keeps the size of its input. Which input?</summary>
#
# The 8192 numbers of the fully connected layer, laid out as 128×4×4×4 (A1).
#
# </details>
# <details><summary>Most of the multiplications are spent at 256². Would halving the eight channels there halve the
# generator?</summary>
#
# It would save much of the work and almost none of the weights: that stage owns about a seventh of a percent of them.
#
# </details>
# <details><summary>What would a stride-2 DeConv need to have no chessboard?</summary>
#
# A kernel that the stride divides, such as 4: then every output is reached by equally many inputs.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* How many parameters does the conditional generator of 101 classes have more than the unconditional one?
#    Predict, then count. **Expected:** $128 \cdot 8192 + 101 \cdot 128 = 1{,}061{,}504$.
# 2. *(easy)* Move the temporal doublings to 8, 32 and 128. Which cuts have other frame counts now? **Expected:** 32×32 has
#    16 frames, 128×128 has 32.
# 3. *(medium)* Nearest ×2 followed by a 3×3×3 DeConv equals *one* transposed convolution with kernel 4 and stride 2.
#    Find its kernel in one dimension. **Expected:** each tap is the sum of neighbouring taps, and the largest difference
#    is below 1e-5, borders included.
# 4. *(hard)* Replace the third of four latents in a network cut at 64×64. Which of the 16 frames can move at most? Derive it
#    from the kernels, then measure. **Expected:** all 16: one DeConv row at 4 time steps and six at 8 carry it to both ends.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
with torch.device("meta"):
    counts = [sum(p.numel() for p in Generator(frames, size, classes, make_config("literal")).parameters())
              for classes in (0, paper.SETTINGS.ucf101_classes)]
print(f"{counts[1] - counts[0]:,}")
page.measure("parameters that 101 labels add to G, over those of the unconditional form",
             (counts[1] - counts[0]) / counts[0], decision="A19")

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
moved_doublings = make_config("literal", temporal_doublings=(8, 32, 128))
print(stages(16, 32, moved_doublings)[-1])
print(stages(32, 128, moved_doublings)[-1])

# %% tags=["solution", "nbval-check-output"]
# Exercise 3, in one dimension. An output at an even place 2i reads x[i-1], x[i], x[i];
# at an odd place x[i], x[i], x[i+1].
taps = torch.randn(1, 1, 3)
a, b, c = taps[0, 0]
fused = torch.stack([a, a + b, b + c, c]).view(1, 1, 4)  # the transposed layer's own taps, each the sum of neighbours
line = torch.randn(1, 1, 10)
two_steps = nn.functional.conv_transpose1d(line.repeat_interleave(2, dim=2), taps, padding=1)
one_step = nn.functional.conv_transpose1d(line, fused, stride=2, padding=1)
page.expect("largest difference", (two_steps - one_step).abs().max(), high=1e-5)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
torch.manual_seed(seed)
longer = Generator(16, 64, 0, make_config("literal", width=1 / 8, latent="sequence")).eval()
start = torch.randn(2, 4, 128)
other = start.clone()
other[:, 2] = torch.randn(2, 128)
print("frames that move:", int((moved(longer, start, other) > 0).sum()), "of 16")

# %% [markdown]
# ## What we now know
#
# - We built the generator from its table, in fifteen lines and in full, and saw that the two agree.
# - Two rows of twenty-two needed a decision: the fully connected layer (A1) and the last activation (A5). We saw what the
#   alternatives do.
# - We cut the table at six stages. Weights sit at the small stages, work at the large ones.
# - A label enters beside the latent and weighs as much; one latent of a sequence moves its own stretch of time most.
#
# ## Where next
#
# [Chapter 04](04_discriminator.ipynb) reads Table 2, which turns out to be this table in a mirror.
# [Chapter 02](02_norm_layers.ipynb) has the norms that the rows leave out, and [chapter 06](06_training_loop.ipynb) trains
# the pair.

# %%
page.colophon()
