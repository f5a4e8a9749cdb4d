# %% [markdown]
# # 13 · How fast, and how far from the limit
#
# | | |
# |---|---|
# | **You will build** | a count of a step's operations and bytes, the roofline of a device, Amdahl's law, and an estimate for 64 GPUs on paper |
# | **Reads** | the recorded benchmark in `figures/bench/`, which `make bench` writes; what the recorded GPU run in `figures/gpu/` says of itself |
# | **Writes** | nothing that other chapters need |
# | **Budget** | seconds; `make bench` itself takes about twelve minutes on two quiet cores |
#
# A training that takes a week teaches you one thing a week. This chapter asks how long a step takes, how long it would
# take on a perfect machine, where the difference goes, and what it would take to train on the whole of UCF101 at the
# paper's size.
#
# **By the end you can**
#
# - count the floating-point operations and the bytes of a training step without running it;
# - draw the roofline of a device and say whether a layer waits for arithmetic or for memory;
# - tell with Amdahl's law what an improvement can bring before you write it;
# - say how time and memory grow with batch, frames, size and width;
# - estimate the time of a training on many GPUs, with every assumption on the table.

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

page = book.open_page("13_speed", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                      rehearse=rehearse, allow_partial=allow_partial)

# %%
import json
import math
from fractions import Fraction

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hrvgan_lib.book.tables import header_of
from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.series import bench, roofline, timing

COLOURS = {"G": "#0072B2", "D": "#D55E00", "E": "#009E73", bench.REST: "#999999"}

# %% [markdown]
# Times depend on the machine, and a notebook that prints its own would say something else on every desk. So this chapter
# speaks of a *record*: tables that `make bench` measured once and that are kept in `figures/bench/`, each with the device
# that it was measured on. Every table and figure below says whether it was *recorded*, on what, or *computed*. A few lines
# begin with *this run*: they were measured while this page was made, and are there for you to see your own machine.

# %%
def record(name):
    """A recorded table of `make bench`: its rows, where it was measured, and its note."""
    path = page.recorded(f"{name}.json", run="bench")
    if path is None:
        return [], "", ""
    about, columns = json.loads(path.read_text(encoding="utf-8")), header_of(path.with_suffix(".csv"))
    rows = [{column: row[column] for column in columns if column in row} for row in about["rows"]]
    return rows, f"Recorded on {about['device']}, PyTorch {about['versions']['torch']}.", about["note"]


best, where, note = record("bench_rates")
page.table(best, data=(), note=f"{where} {note}")

# %% [markdown]
# ## Counting a step: operations and bytes
#
# Before you time anything, count. A convolution from $c$ to $c'$ channels with $k$ taps does, at each of its $V$ output
# voxels and for each clip, $k\,c\,c'$ multiplications and as many additions:
#
# $$\text{FLOP} = 2\,k\,c\,c'\,V .$$
#
# The last 3×3×3 row of Table 1 maps 8 channels to 8 at 32×256×256. By hand that is
# $2 \cdot 27 \cdot 8 \cdot 8 \cdot 32 \cdot 256^2$. PyTorch counts for itself if the tensors are on the *meta* device, where they have a shape and no numbers,
# so that even the full network costs neither time nor memory.

# %% tags=["nbval-check-output"]
by_hand = 2 * 27 * 8 * 8 * 32 * 256**2
with FlopCounterMode(display=False) as counted, torch.device("meta"):
    nn.Conv3d(8, 8, 3, padding=1)(torch.empty(1, 8, 32, 256, 256))
print(f"by hand {by_hand / 1e9:.2f} GFLOP a clip")
page.expect("counted by PyTorch, over by hand", counted.get_total_flops() / by_hand, of=1)

# %% [markdown]
# Backwards there are two convolutions for each one forwards: one gives the gradient of the maps, one that of the weights.
# A layer that learns costs three times its forward pass. A step of Algorithm 1 has many
# passes. The update of the discriminator [D](00_start_here.ipynb#Glossary) runs the generator
# [G](00_start_here.ipynb#Glossary) once without a gradient, then D on real and on generated clips, there and back. The
# update of G runs the encoder E, G twice (from E's code and from noise, its [latent](00_start_here.ipynb#Glossary)) and D
# once, all there and back.
#
# `roofline.work_of` counts a whole step from the modules. The bytes are those that convolutions read and write: maps in,
# maps out, weights, and their gradients, in bfloat16.

# %% tags=["nbval-check-output"]
def full(frames, size, width=1.0, n_classes=101):
    """HRVGAN with labels on the meta device."""
    with torch.device("meta"):
        return build_system("hrvgan", frames=frames, size=size, n_classes=n_classes, width=width)


BATCH, BF16 = 8, 2  # clips; bytes of a number
work = {}
for frames, size, width in ((8, 32, 0.25), (16, 64, 0.25), (16, 64, 1.0), (32, 256, 1.0)):
    done = roofline.work_of(full(frames, size, width), BATCH)
    work[f"{frames}x{size}x{size}", width] = (done.operations / BATCH, done.numbers / BATCH * BF16)
page.table([{"clip": clip, "width": width, "GFLOP a clip": f"{flops / 1e9:.1f}", "GB a clip": f"{moved / 1e9:.3f}",
             "FLOP/byte": f"{flops / moved:.0f}"} for (clip, width), (flops, moved) in work.items()],
           data=(), note="Computed from the modules: one step, D's update and G's, with labels of 101 classes.")

# %%
flops, moved = work["32x256x256", 1.0]
grown = flops / work["16x64x64", 1.0][0]
print(f"from 16x64x64 to 32x256x256: {32 * 256**2 / (16 * 64**2):.0f} times the voxels,"
      f" {grown:.1f} times the operations")

# %% [markdown]
# The paper's size has 32 times the voxels of 16×64×64, and far fewer than 32 times the operations. Table 1 halves its
# channels each time it doubles the size. A stage twice as large in height and width has four times the voxels, and a
# quarter of the work on each of them.
#
# ## The roofline: what a device allows
#
# A device has two speeds: operations a second, $P$, and bytes a second between its memory and its arithmetic, $B$. A
# layer that does $I$ operations for every byte it moves (its *arithmetic intensity*) cannot run faster than
#
# $$\min(P,\ I \cdot B)\ \text{operations a second} .$$
#
# Drawn over $I$ this is a slope that ends in a flat roof. Left of the corner, the *ridge* at $I = P / B$, a layer waits for
# memory, and right of it for arithmetic. The table at the top of this chapter has both speeds of the recorded device,
# measured with a large matrix product and a large copy. And yours?

# %%
mine = roofline.rates(torch.float32)
print(f"this run: {mine.operations / 1e9:.0f} GFLOP/s in float32, {mine.bytes / 1e9:.1f} GB/s,"
      f" ridge at {mine.operations / mine.bytes:.0f} FLOP/byte")
cost = timing.step_cost(bench.hrvgan(8, 16, 4), page.profile, uncounted=1, counted=2)
print(f"this run: a step of HRVGAN on 4 clips of 8x16x16 at width {page.profile.width:g}: {1000 * cost.seconds:.0f} ms,"
      f" {cost.arithmetic}")

# %% [markdown]
# Now the parts of a real step. For the record each stage of G, D and E was timed where it ran, forwards and backwards,
# and its operations were counted; their ratio is what the stage *attained*.

# %%
layers, where, note = record("bench_layers")
rates_of = {row["arithmetic"]: row for row in best}
SHAPES = list(dict.fromkeys(row["clip"] for row in layers))
stages = [row for row in layers if row["stage"]]
roof = rates_of[layers[0]["arithmetic"]]


def allowed(intensity):
    """GFLOP/s under the recorded device's roof."""
    return min(roof["GFLOP/s"], intensity * roof["GB/s"])


fig, axis = plt.subplots(figsize=(8, 4.6))
line = [1, roof["FLOP/byte at the ridge"], 1000]
axis.loglog(line, [allowed(x) for x in line], color="black")
for name, marker in (("G", "o"), ("D", "s"), ("E", "^")):
    for clip, filled in zip(SHAPES, (False, True)):
        some = [row for row in stages if (row["part"], row["clip"]) == (name, clip)]
        axis.plot([row["FLOP/byte"] for row in some], [row["GFLOP/s"] for row in some], marker, color=COLOURS[name],
                  mfc=COLOURS[name] if filled else "white", label=f"{name}, {clip}")
axis.set(xlabel="arithmetic intensity, FLOP/byte", ylabel="GFLOP/s")
axis.legend(ncols=3, fontsize=9)
page.figure(fig, data=(),
            caption=f"The roofline of the recorded device in {roof['arithmetic']} (black) and the stages of G, D, E, "
                    f"there and back. {where} Operations and bytes are counted, times measured.",
            alt="Log-log plot: a line that rises and turns flat; the stages of the three networks are points, all "
                "to the right of the corner, most of them well below the flat roof.")

# %%
shares = {id(row): row["GFLOP/s"] / allowed(row["FLOP/byte"]) for row in stages}
low, high = (pick(stages, key=lambda row: shares[id(row)]) for pick in (min, max))
for word, row in (("nearest to", high), ("farthest from", low)):
    print(f"{word} the roof: {row['part']} at {row['stage']}, clips of {row['clip']}: {shares[id(row)]:.1%} of it")
right = sum(row["FLOP/byte"] > roof["FLOP/byte at the ridge"] for row in stages) / len(stages)
page.expect("share of the stages right of the ridge", right, low=0.9, why="convolutions wait for arithmetic")

# %% [markdown]
# By their count, the convolutions wait for arithmetic everywhere. Why do they stay below the roof? Three reasons, in the
# order in which you would look for them:
#
# 1. The byte count is that of convolutions. Norms, activations and resampling do next to no arithmetic and read and write
#    the same maps again. In the count they do not exist; in the time they do.
# 2. The roof was measured with a matrix product of 1,024 by 1,024. A convolution of a few channels fills the vector
#    units of a core, or the tiles of a GPU, less well. The small stages also pay a fixed price for each call.
# 3. A neighbour. The record says on which machine it was made, not who else was using it.
#
# The record does not part the three. It has all of them together: in `bench_steps` the *share of the floor* is the time in
# which a device at both rates would do the counted work, the longer of computing and of moving, over the time of the step.
# (The rates are measured anew beside each such step, so they differ a little from those of the first table. A roof is
# what one measurement found, and not a law.)

# %%
steps, where_steps, note_steps = record("bench_steps")
fast = [row for row in steps if row["system"] == "hrvgan, labels" and "plain" not in row["arithmetic"]]
page.table(fast, data=(), note=f"{where_steps} {note_steps}",
           page_columns=["clip", "arithmetic", "clips/s", "share of the floor", "ratio", "peak GB"])

# %% [markdown]
# ## Where a step's time goes
#
# The stages and the rest of a step are metered so that every microsecond belongs to one part and none to two. *Average of
# G* is its running average ([EMA](00_start_here.ipynb#Glossary)). *Heads and losses* is what lies outside the stages: linear
# layers, D's last convolution, the losses, and making a batch of logits one number.

# %%
def share_of(clip, part, stage=None):
    """Share of the recorded step of clips of one shape."""
    return sum(row["share of the step"] for row in layers
               if row["clip"] == clip and row["part"] == part and stage in (None, row["stage"]))


fig, axes = plt.subplots(len(SHAPES), 1, figsize=(8, 1.6 * len(SHAPES) + 1), sharex=True, squeeze=False,
                         layout="constrained")
for axis, clip in zip(axes[:, 0], SHAPES):
    for height, way in enumerate(("forward ms", "backward ms")):
        left = 0.0
        for row in (row for row in layers if row["clip"] == clip):
            axis.barh(height, row[way], left=left, color=COLOURS.get(row["part"], "black"), edgecolor="white")
            left += row[way]
    axis.set(yticks=(0, 1), yticklabels=("forward", "backward"), ylim=(1.5, -0.5))
    axis.set_title(f"{clip}, batch {layers[0]['batch']}")
axes[-1, 0].set_xlabel("milliseconds of a step")
names = {**COLOURS, "data, optimiser, average": "black"}
fig.legend([plt.Rectangle((0, 0), 1, 1, color=colour) for colour in names.values()], names, ncols=5, fontsize=9,
           loc="outside upper center")
page.figure(fig, data=(),
            caption=f"A step by its parts: stages of G, D and E (white lines part the stages), heads and losses, and "
                    f"the rest. {where} {note}",
            alt="Stacked horizontal bars of milliseconds, forward and backward, for two clip sizes; G and D take most "
                "of the length, data, optimiser and the average of G are thin slices.")

# %%
parts = list(dict.fromkeys(row["part"] for row in layers))
page.table([{"part": part} | {clip: f"{share_of(clip, part):.1%}" for clip in SHAPES} for part in parts], data=(),
           note=f"Shares of a step. {where}")
largest = {clip: max((row for row in stages if row["clip"] == clip), key=lambda row: row["share of the step"])
           for clip in SHAPES}
for clip, row in largest.items():
    print(f"{clip}: the dearest stage is {row['part']} at {row['stage']}, {row['share of the step']:.0%} of the step")
    done = {row["part"]: row["GFLOP"] for row in layers if row["clip"] == clip and not row["stage"]}
    whole = sum(row["GFLOP"] for row in layers if row["clip"] == clip)
    print(f"{clip}: heads and losses are {done[bench.REST] / whole:.1%} of the operations"
          f" and {share_of(clip, bench.REST):.1%} of the time")

# %% tags=["nbval-check-output"]
for clip in SHAPES:
    page.expect(f"all shares of {clip}, added", sum(share_of(clip, part) for part in parts), low=0.97, high=1.03)
    page.expect(f"share of data, optimiser and average, {clip}",
                sum(share_of(clip, part) for part in ("data", "optimiser", "average of G")), high=0.15)

# %% [markdown]
# Few operations are not always little time: heads and losses are hardly any of the operations and a visible part of the
# time. Here belong the losses, which pass over every voxel of a clip, and small layers that no fast path is made for. Which
# of them it is, the record does not say.
#
# The backward bars are not twice as long as the forward ones, though each layer's backward pass has twice its operations. In
# a step G runs forward three times and backward twice, so by operations its backward bar would be a third longer. It is
# shorter: forward and backward passes do not run at the same rate, and a count of operations does not say at which.
#
# ### Amdahl's law
#
# Suppose a part that takes the share $p$ of a step becomes $s$ times as fast. The rest stays as it is, so the step becomes
#
# $$S = \frac{1}{(1 - p) + p / s}$$
#
# times as fast, and never more than $1 / (1 - p)$, however large $s$ is. Put in the recorded shares before you begin to
# optimise.

# %%
def amdahl(p, s):
    """How many times as fast a whole becomes where a share p of it becomes s times as fast."""
    return 1 / (1 - p + p / s)


clip = SHAPES[-1]
dear = largest[clip]
cases = {f"{dear['part']} at {dear['stage']}": dear["share of the step"], "all of D": share_of(clip, "D"),
         "optimiser": share_of(clip, "optimiser"), "data": share_of(clip, "data")}
page.table([{"what gets faster": what, "its share": f"{p:.1%}", "twice as fast": f"{amdahl(p, 2):.3f}",
             "in no time": f"{amdahl(p, math.inf):.3f}"} for what, p in cases.items()], data=(),
           note=f"Computed from the recorded shares of clips of {clip}: how many times as fast the step becomes.")

# %% [markdown]
# This is why nobody has to write a faster optimiser here, and why the large stages got all the attention.
#
# ## What each change bought
#
# The layers of the book are written one by one, as the paper's tables list them. Training runs the same layers in fewer
# passes (`networks/fused.py`), and some of what it does can be switched off. The record has a step with all changes
# beside a step without one of them, in turns; the *ratio* is the time without over the time with it. Above 1 the change
# pays, and below 1 it costs.

# %%
changes, where, note = record("bench_changes")
page.table(changes, data=(), note=f"{where} {note}",
           page_columns=["change", "of", "clip", "ratio", "ms with", "ms without"])
pays = [row for row in changes if row["ratio"] > 1.05]
print(f"{len(pays)} of {len(changes)} ratios lie above 1.05; the largest is {max(row['ratio'] for row in changes):.2f}:"
      f" {max(changes, key=lambda row: row['ratio'])['change']}")

# %% [markdown]
# The same step, with all changes on, stands in several rows with other milliseconds. They were measured minutes apart on a
# shared machine, so only the two numbers of one row are compared, and a ratio near 1 decides nothing.
#
# What stands behind the rows:
#
# - **bfloat16** has 16 bits where float32 has 32, so the same bytes carry twice as many numbers (with 8 bits for the digits
#   instead of 24), and some processors multiply it faster. Norms, losses and weights stay in float32.
# - **Layers taken together.** A nearest-neighbour Upsample repeats every voxel, and the convolution behind it multiplies
#   the repeats by neighbouring taps. Adding up the taps first gives one transposed convolution of four taps along each doubled
#   axis that moves by two, the same values, and no enlarged map in memory. A norm and the activation behind it become one pass, and so does
#   a Downsample's backward. The lower rows have each of these alone, as *one layer*.
# - **D's fakes without a graph.** In D's update nobody needs G's gradient. Without `no_grad` it would be computed and
#   thrown away.
# - **Channels-last** puts the channels of a voxel side by side, which is how convolutions read them.
# - **Threads** is what a second core gives.
#
# Two changes are on a GPU only, and this record has no row for them unless it was made on one: updates replayed as CUDA
# graphs, and kernels in Triton for the norms. One change is *not* made: Algorithm 1 asks for new samples in each update,
# so D and G do not share one batch of generated clips. What would sharing save at most, in operations? Count it.

# %%
with FlopCounterMode(display=False) as counted, torch.device("meta"), torch.no_grad():
    system = full(32, 256)
    system.generator(torch.empty(1, 128), torch.zeros(1, dtype=torch.long))
once = counted.get_total_flops() / flops
print(f"one forward pass of G is {once:.1%} of a step's operations at 32x256x256 (computed)")
page.expect("one forward pass of G, of a step", once, high=0.05, why="sharing the fakes would save no more")

# %% [markdown]
# Each of these ratios was taken with all other changes on, and changes work on the same time: where bfloat16 has halved the
# bytes, a pass that is left out saves half as much. So their product says nothing about all of them together. That is
# measured by itself, over the plain layers in float32 whose losses the host reads one by one, and differs from system to
# system, since each has other layers.

# %%
ratios = [row for row in steps if row["ratio"] != ""]
systems = list(dict.fromkeys(row["system"] for row in ratios))
page.table([{"system": system} | {row["clip"]: row["ratio"] for row in ratios if row["system"] == system}
            for system in systems], data=(), note=f"All changes together, ratio. {where_steps} {note_steps}")
slower = sum(row["ratio"] < 1 for row in ratios)
print(f"in {slower} of {len(ratios)} cases of the record the changes cost more time than they save")

# %% [markdown]
# A change is therefore measured where it will be used, on its device and in its network, and stays where it pays.
#
# ## How a step grows
#
# One thing was doubled at a time. Where time grows as a power, $t \propto x^a$, one doubling from $t_1$ to $t_2$ shows
# $a = \log_2(t_2 / t_1)$: 1 means in proportion, 0 means for nothing.

# %%
growth, where, note = record("bench_growth")
kinds = list(dict.fromkeys(row["grows"] for row in growth))
fig, axes = plt.subplots(1, len(kinds), figsize=(9, 3.2), sharey=True)
for axis, kind in zip(axes, kinds):
    some = [row for row in growth if row["grows"] == kind]
    values, seconds = [row["value"] for row in some], [row["s a step"] for row in some]
    axis.loglog(values, seconds, "o-", color="#0072B2", label="seconds")
    axis.loglog(values, [row["peak MB"] / 1000 for row in some], "s--", color="#D55E00", label="GB")
    axis.loglog(values, [seconds[0] * value / values[0] for value in values], ":", color="0.4", label="in proportion")
    axis.set_xticks(values, labels=[str(Fraction(value)) for value in values])
    axis.set_yticks(TICKS := [2.0**power for power in range(-4, 4)], labels=[str(Fraction(tick)) for tick in TICKS])
    axis.minorticks_off()
    axis.set_xlabel(kind)
axes[0].legend(fontsize=9)
axes[0].set_ylabel("seconds; GB")
page.figure(fig, data=(), caption=f"Seconds and peak memory of a step where one thing grows and the others stay at "
            f"batch 8, 8x32x32 and width 1/4; dotted: seconds in proportion to it. {where} {note}",
            alt="Four log-log panels, for batch, frames, size and width, each with a rising line of seconds, a flatter "
                "one of gigabytes and a dotted straight line; seconds are steepest with width.")

# %%
def power(rows, column):
    """The exponent of the last doubling."""
    one, two = rows[-2:]
    return math.log(two[column] / one[column]) / math.log(two["value"] / one["value"])


grows = {kind: [row for row in growth if row["grows"] == kind] for kind in kinds}
for row in growth:
    frames, size = map(int, row["clip"].split("x")[:2])
    with torch.device("meta"):
        system = build_system("hrvgan", frames=frames, size=size, n_classes=timing.LABELS, width=row["width"],
                              temporal_doublings=bench.DOUBLINGS[frames])
    row["operations"] = roofline.work_of(system, row["batch"]).operations
page.table([{"grows": kind, "from": rows[-2]["value"], "to": rows[-1]["value"],
             "operations, power": f"{power(rows, 'operations'):.2f}",
             "seconds, power": f"{power(rows, 's a step'):.2f}",
             "memory, power": f"{power(rows, 'peak MB'):.2f}"} for kind, rows in grows.items()], data=(),
           note=f"Operations counted, the others from the last doubling in the record. {where}")

# %% [markdown]
# The column of *operations* has their power, counted. Batch is in proportion (1). Frames count for less: the first
# stages do not grow with them. Size is far below the square that voxels alone would give, since Table 1 halves its channels
# as it doubles the size. Width comes near the square, for both sides of every convolution grow. Where seconds grow faster
# than operations, as with size, a step does not wait for arithmetic alone: maps and bytes grow with the voxels. Where they
# grow more slowly, a part of the smaller case was a fixed price: calls, weights, the optimiser. Memory has such fixed parts
# too.

# %% tags=["nbval-check-output"]
page.expect("power of the seconds with the batch", power(grows["batch"], "s a step"), low=0.3, high=1.7)
page.expect("power of the memory with the batch", power(grows["batch"], "peak MB"), low=0.3, high=1.4)

# %% [markdown]
# ### With several ranks
#
# A *rank* is one of several equal processes that share one training: `torchrun -m hrvgan_lib.training` starts them, and each
# takes its rows of every batch. After each backward pass they average their gradients in one message, and batch norms take
# their statistics over the clips of all ranks; so the weights stay equal everywhere. Two and four ranks make what one makes of
# the whole batch, to a billionth in double precision (`tests/test_ranks.py`).

# %%
ranks, where_ranks, note_ranks = record("bench_ranks")
if ranks:
    page.table(ranks, data=(), note=f"{where_ranks} {note_ranks}", page_columns=[*ranks[0]][:6])
    for row in ranks:
        if row["processes"] * row["threads each"] > 1:
            who = "two ranks of one thread" if row["processes"] > 1 else "one process of two threads"
            print(f"recorded: clips of {row['clip']}: {who}: {row['over one']:.2f} times as fast as one of one thread")
else:
    print("figures/bench/bench_ranks is not there: growth with ranks is computed below, and not measured")

# %% [markdown]
# Two cores can be used in two ways: by the threads of one process, or by two ranks. Each rank of two has half of the batch, so
# its calls are as many and each is half as large. Then come the messages: all gradients after each backward pass, and the
# statistics of every batch norm. On one machine threads are the simpler way. Ranks are for devices that no process has to
# itself: the other GPUs, the other machines.
#
# ## Loading: can the data keep up?
#
# Videos are decoded once into a packed file of bytes (chapter 01), and training reads windows of that. The record packs a
# hundred and a thousand [procedural](00_start_here.ipynb#Glossary) AVIs of 32 frames of 320×240, the frame size of UCF101,
# and reads clips back on one core: as bytes, which is what a GPU is sent, and as floats, which is what a CPU trains on.

# %%
loading, where, note = record("bench_loading")
packing = [row for row in loading if row["work"].startswith("packing")]
reading = [row for row in loading if row["work"].startswith("reading")]
page.table(packing, data=(), note=f"Columns of UCF101 are computed. {where} {note}",
           page_columns=["clip", "AVIs", "a second", "peak MB", "UCF101, minutes", "UCF101, GB"])
page.table([{"work": row["work"], "clip": row["clip"], "clips a second": row["a second"],
             "an epoch of UCF101, minutes": row["UCF101, minutes"]} for row in reading], data=(),
           note=f"An epoch is one clip of each of 13,320 videos, on one core: computed. {where}")

# %%
few, many = (row for row in packing if row["clip"] == "32x32")
print(f"{many['AVIs'] / few['AVIs']:.0f} times the AVIs took {many['peak MB'] / few['peak MB']:.1f} times the memory")
NEEDED = 500  # clips a second that we suppose a device to train on; nobody has measured it
(native,) = (row for row in reading if row["clip"] == "32x256x256" and "bytes" in row["work"])
cores = math.ceil(2 * NEEDED / native["a second"])
print(f"recorded: one core reads {native['a second']:.0f} clips of 32x256x256 a second, as bytes")
print(f"computed: a device that trained on {NEEDED} clips a second would be fed by {cores} such cores")
page.expect("memory of packing, ten times the AVIs", many["peak MB"] / few["peak MB"], high=4,
            why="clips in flight, not all of them")

# %% [markdown]
# Why twice the clips? Algorithm 1 gets $M$ samples for D and another $M$ for G, so a device that trains on 500 clips a
# second (a number that is only supposed, see below) is sent 1,000. A clip of 32×256×256 has 6.3 million bytes, and 1,000 of them are 6.3 GB a second, all from
# memory: the record reads files that the system still holds, and copying them to the device comes on top. Where the packed
# data set (the last column of the first table) is larger than a machine's memory, its disk decides, and that was not measured.
#
# ## Full UCF101 on one GPU, computed
#
# > **What it does not say.** On which hardware the networks were trained, for how long, and with what batch
# > ([**O2**](12_claims_and_decisions.ipynb#O2)). The estimate below is of *our* plan for the profile `paper`, and not of
# > the paper's training.
#
# What do we have to start from? A recorded run on a GPU, where there is one. Look at what it says of itself.

# %%
def said(name):
    """What a file of the recorded GPU run says; nothing where it is not there."""
    path = page.recorded(name, run="gpu")
    return json.loads(path.read_text(encoding="utf-8")) if path else {}


native_run, native_rate = said("native_samples.json"), None
if native_run:
    frames, size, batch, count = native_run["parameters"]["profile"]["native"]
    print(f"recorded on {native_run['device']}: {count:,} steps of {batch} clips of {frames}x{size}x{size}")
    for name, seconds in said("11_ablations.times.json").get("seconds", {}).items():
        print(f"recorded there, clips of 8x16x16, other jobs beside it: {name}: {seconds:.3f} s")
    step = said("09_latent_space.times.json").get("seconds", {}).get("a step in the paper's own shape")
    native_rate = batch / step if step else None
    print(f"recorded there, other jobs beside it: {native_rate:.1f} clips/s at {frames}x{size}x{size}" if native_rate
          else f"how long a step at {frames}x{size}x{size} took was not recorded: there is no rate of it below")
else:
    print("figures/gpu has no clips of 32x256x256: PROFILE=gpu makes them; there is no rate of such a run below")

# %% [markdown]
# Beside a recorded run other trainings ran, so a GPU that has nothing else to do is as fast at least. How fast can it be at
# most? The roofline says it, from our count and the vendor's data sheet of the H200: 989 TFLOP/s in dense bfloat16, 4.8 TB/s.
# The 500 clips/s of the last section join the table as a *supposed* rate: they were chosen, not measured. If the record of
# `make bench` was made on a GPU, its own rate joins too.

# %%
PEAK, MEMORY = 989e12, 4.8e12  # FLOP/s and bytes/s: data sheet of the H200, not measured here
ceiling = min(PEAK / flops, MEMORY / moved)
speeds = {"recorded run, other jobs beside it": native_rate} if native_rate else {}
speeds |= {"supposed": NEEDED, "roofline, from the data sheet": ceiling}
speeds |= {f"measured on {where_steps}": row["clips/s"] for row in fast if row["clip"] == "32x256x256"}
clips = get_profile("paper").native[2] * get_profile("paper").native[3]
page.table([{"one GPU": what, "clips/s": f"{rate:,.1f}", "an epoch of UCF101, minutes": f"{13_320 / rate / 60:.1f}",
             "the profile paper, hours": f"{clips / rate / 3600:,.1f}"} for what, rate in speeds.items()], data=(),
           note=f"Computed. `paper`: {clips:,} clips of 32x256x256 for G's updates, {clips / 13_320:.0f} times "
                "13,320 videos; D's updates read as many again.")

# %% [markdown]
# ### Up to 64 GPUs, computed: the price of averaging
#
# On $n$ GPUs each has its rows of the batch, and after each backward pass the gradients are averaged (*all-reduce*) before the
# optimiser takes its step: D's in D's update, those of G and E in G's. In a ring every GPU sends and receives $2\,\frac{n-1}{n}$ times the gradients' bytes, in $2(n-1)$ messages:
#
# $$t = 2\,\frac{n-1}{n} \cdot \frac{\text{bytes}}{\text{bandwidth}} + 2\,(n-1) \cdot \text{latency} .$$

# %% tags=["nbval-check-output"]
system = full(32, 256)
gradients = {name: 4 * sum(one.numel() for one in getattr(system, name).parameters())
             for name in ("generator", "encoder", "discriminator")}
print(*(f"{name}: {size / 1e6:.1f} MB" for name, size in gradients.items()), sep="; ")
GRADIENTS = sum(gradients.values())
page.expect("gradients of a step in MB, float32", GRADIENTS / 1e6, low=50, high=53)
norms = {name: sum(isinstance(layer, nn.BatchNorm3d) for layer in getattr(system, name).modules())
         for name in gradients}
passes = {"generator": 5, "encoder": 2, "discriminator": 0}  # G forward three times and back twice, E there and back
MESSAGES = sum(norms[name] * passes[name] for name in norms)
print(f"batch norms: {norms}; each shares its statistics in every pass: {MESSAGES} small messages a step")

# %% [markdown]
# Batch norms add something that no count of gradients shows. Ranks take mean and variance over all clips, so each batch norm
# sends a message in each pass, forwards and backwards: a few hundred bytes, which cost nothing but their latency. Our
# assumptions, none of them measured:
#
# | assumption | value |
# |---|---|
# | GPUs of one host | 8, joined at 225 GB/s each way: half of the data sheet's 450 |
# | hosts | joined at 25 GB/s for each GPU: half of a 400 Gbit/s link |
# | latency of a message | 5 µs; a small message goes through a tree, $2\log_2 n$ of them deep |
# | ring | one flat ring over all GPUs, gradients in float32 |
# | overlap of averaging and computing | none; nobody waits for a slower one |
# | batch | 8 clips a GPU, however many there are: the batch of a step grows with them |
# | loading | keeps up (see above) |

# %%
def all_reduce(n, size=GRADIENTS, host=225e9, between=25e9, latency=5e-6, messages=2):
    """Seconds of averaging the gradients of a step in rings over n GPUs, eight in a host."""
    return 2 * (n - 1) / n * size / (host if n <= 8 else between) + messages * 2 * (n - 1) * latency


def statistics(n, latency=5e-6):
    """Seconds of the batch norms' messages of a step, which wait for each other."""
    return MESSAGES * 2 * math.ceil(math.log2(n)) * latency


def step_on(n, rate):
    """(seconds of a step on n GPUs, the gradients' share of it, the statistics' share)."""
    seconds = BATCH / rate + all_reduce(n) + statistics(n)
    return seconds, all_reduce(n) / seconds, statistics(n) / seconds


GPUS = (1, 2, 4, 8, 16, 32, 64)
rows = []
for n in GPUS:
    seconds, averaging, sharing = step_on(n, NEEDED)
    rows.append({"GPUs": n, "ms a step": f"{1000 * seconds:.1f}", "gradients": f"{averaging:.1%}",
                 "statistics": f"{sharing:.1%}", "clips/s": f"{n * BATCH / seconds:,.0f}",
                 "hours of `paper`": f"{clips / (n * BATCH / seconds) / 3600:.3f}"})
page.table(rows, data=(), note=f"Computed, with {NEEDED} clips/s of 32x256x256 supposed for one GPU.")

# %%
fig, axis = plt.subplots(figsize=(8, 3.8))
STYLES = (("#009E73", "^-"), ("#0072B2", "o-"), ("#D55E00", "s-"), ("#332288", "v-"))
for (what, rate), style in zip(speeds.items(), STYLES):
    label = f"{what}: {rate:,.3g} clips/s" if rate < 100 else f"{what}: {rate:,.0f} clips/s"
    axis.plot(GPUS, [100 * step_on(n, rate)[1] for n in GPUS], style[1], color=style[0], label=label)
axis.axhline(5, color="0.4", linestyle=":")
axis.set_xscale("log", base=2)
axis.set_xticks(GPUS, labels=[str(n) for n in GPUS])
axis.set(xlabel="GPUs", ylabel="averaging gradients, % of a step")
axis.legend(fontsize=9)
page.figure(fig, data=(),
            caption="Computed: the share of a step that averaging gradients takes, for each rate of one GPU in the "
                    "table. Dotted: 5 %. Lines join what was computed: beyond 8 GPUs slower links between hosts carry "
                    "the ring.",
            alt="Curves over 1 to 64 GPUs, low up to 8 GPUs and far higher from 16 on; the faster one GPU is, the "
                "higher its curve.")

# %% tags=["nbval-check-output"]
page.expect("gradients' share on 8 GPUs, 500 clips/s each", step_on(8, NEEDED)[1], high=0.05)
page.expect("statistics' share there", step_on(8, NEEDED)[2], low=0.05)
page.expect("gradients' share at the roofline's rate", step_on(8, ceiling)[1], low=0.05)
page.expect("64 GPUs over one, at 500 clips/s", 64 * BATCH / step_on(64, NEEDED)[0] / NEEDED, low=30, high=50)
print(f"D's gradients are {gradients['discriminator'] / GRADIENTS:.0%} of the bytes")

# %% [markdown]
# **Answer.** How much do 8 GPUs of one host lose at the supposed rate? Averaging gradients stays under 5 % of a step; at the
# roofline's rate it would not. The statistics of batch norm cost more than the gradients, though they are a few bytes: they
# are many messages, and each waits for the one before. A slow GPU, whose step takes a second, would
# notice neither. Between hosts averaging is about a fifth of a step at the supposed rate, since the links are nine times slower
# and nothing is computed meanwhile. Some of it could be hidden: D's gradients can travel while E and G run forward.
#
# A table like this is a statement about its assumptions. And *the same clips in less time* is not *the same training*: 64
# GPUs with 8 clips each take one step where one GPU takes 64. Whether fewer, surer steps learn as much is a question for
# chapter 11's method, not for arithmetic.
#
# ## Check yourself
#
# 1. A layer does 20 operations for every byte, on a device with 90 GFLOP/s and 9 GB/s. Does it wait for arithmetic or for
#    memory? What if the device computed in float32 at 28 GFLOP/s?
# 2. *(Calculation)* A part takes 30 % of a step. By how much can the step become faster if you make that part three times
#    as fast, and at most?
# 3. *(Figure)* In the roofline, which way does a point move if the same stage runs in fewer seconds? Which way if it
#    moves fewer bytes in the same time?
# 4. Why do the ratios of single changes not multiply to the ratio of all changes together?
# 5. *(Calculation)* How many bytes does each of 4 GPUs send for one all-reduce of 15 MB of gradients in a ring? How many
#    for 400 GPUs?
# 6. Name two things that the estimate for 64 GPUs leaves out.
#
# <details><summary>Answers</summary>
#
# 1. The ridge is at 90 / 9 = 10 FLOP/byte: 20 lies right of it, so it waits for arithmetic. At 28 GFLOP/s the ridge is at
#    3.1. With numbers of twice the bytes the layer does 10 operations a byte, still right of it: it waits for arithmetic.
# 2. $1 / (0.7 + 0.1) = 1.25$, and at most $1 / 0.7 = 1.43$.
# 3. Up: more operations a second. To the right: more operations for each byte, at the same rate.
# 4. Each was measured with all others on, and changes work on the same time: if bfloat16 halves what a pass over memory
#    costs, leaving out the pass saves half as much.
# 5. $2 \cdot \frac34 \cdot 15 = 22.5$ MB; with 400 GPUs $2 \cdot \frac{399}{400} \cdot 15 = 29.9$ MB. It never exceeds
#    twice the gradients.
# 6. Loading (who reads 64,000 clips a second?), waiting for the slowest, checkpoints and measuring, and that a step of
#    512 clips does not learn 64 times as much as one of 8.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Count by hand the operations of the two 3×3×3 rows of Table 1's last stage, from 16 to 8 channels
#    and from 8 to 8, as they are written. Which of the two is dearer? *Expected: the first, by a factor of two.*
# 2. *(easy)* From which share on does a part deserve your time, if you ask for a step at least 1.2 times as fast, and
#    believe that you can make the part twice as fast? *Expected: a third. Find out whether a recorded stage has it.*
# 3. *(medium)* Show on your own machine that the folded Upsample computes what the two rows compute, and say by how much
#    the operations shrink, by counting. *Expected: equal within rounding; the taps fall from 27 on the enlarged map to 8
#    for each of its voxels where time, height and width double.*
# 4. *(hard)* How fast would the links between hosts have to be, so that 64 GPUs of 500 clips/s spend under 5 % of a step
#    on averaging? And if every host first averages in a ring of its own, and each of its GPUs then carries an eighth of
#    the gradients around a ring of hosts? Leave the statistics aside. *Expected: in one ring 400 GB/s are not enough, since
#    252 messages wait for each other; in two rings 100 GB/s are.*

# %% tags=["solution"]
# Exercise 1
voxels = 32 * 256**2
first, second = (2 * 27 * channels * 8 * voxels for channels in (16, 8))
print(f"{first / 1e9:.1f} and {second / 1e9:.1f} GFLOP a clip")
assert first == 2 * second

# %% tags=["solution"]
# Exercise 2: 1 / (1 - p / 2) >= 1.2
least = 2 * (1 - 1 / 1.2)
print(f"a share of {least:.3f}; recorded stages that have it:",
      ", ".join(f"{row['part']} {row['stage']}" for row in stages if row["share of the step"] >= least) or "none")
page.expect("the step at that share", amdahl(least, 2), of=1.2)

# %% tags=["solution"]
# Exercise 3
from hrvgan_lib.networks.resampling import Upsample, upsampled

torch.manual_seed(0)
up, conv = Upsample((2, 2, 2), "nearest"), nn.ConvTranspose3d(8, 8, 3, padding=1)
x, counts = torch.randn(1, 8, 4, 8, 8), []
for layers_of in (lambda: conv(up(x)), lambda: upsampled(x, up, conv)):
    with FlopCounterMode(display=False) as counted, torch.no_grad():
        result = layers_of()
    counts.append((result, counted.get_total_flops()))
(plain, before), (folded, after) = counts
print(f"{before / 1e6:.1f} MFLOP as written, {after / 1e6:.1f} folded: {before / after:.2f} times fewer")
page.expect("largest difference", (plain - folded).abs().max(), high=1e-4)
page.expect("27 taps over 8", before / after, of=27 / 8)

# %% tags=["solution"]
# Exercise 4
def of_a_step(seconds):
    return seconds / (seconds + BATCH / NEEDED)


one_ring = {between: of_a_step(all_reduce(64, between=between)) for between in (25e9, 50e9, 400e9, math.inf)}
print("one ring:", "; ".join(f"{between / 1e9:g} GB/s {share:.1%}" for between, share in one_ring.items()))
two_rings = of_a_step(all_reduce(8) + all_reduce(8, size=GRADIENTS / 8, host=100e9))  # in a host, then of eight hosts
page.expect("one ring at 400 GB/s", one_ring[400e9], low=0.05)
page.expect("two rings at 100 GB/s", two_rings, high=0.05)

# %% [markdown]
# ## What we now know
#
# - A step's operations and bytes followed from the modules alone, at the paper's size too; a layer's backward pass had twice
#   the operations of its forward pass.
# - The convolutions lay right of the ridge, and a step below the roof: passes that the count does not see, small layers, and
#   neighbours were three reasons that this record does not part.
# - Amdahl's law said beforehand that optimiser, data and average were not worth the work, and the large stages were.
# - Each change had a ratio of its own, on one device, from one run, with all others on.
# - For the paper's size on a GPU there was a roof, a rate that was only supposed, and what records had measured; every
#   number for 64 GPUs was computed from stated assumptions.
#
# ## Where next
#
# [06 · Training loop](06_training_loop.ipynb) has the step that was taken apart here; [03 ·
# Generator](03_generator.ipynb) and [04 · Discriminator](04_discriminator.ipynb) have its layers. `make bench` writes the
# record anew, on your machine.

# %%
page.colophon()
