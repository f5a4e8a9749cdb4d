# %% [markdown]
# # 09 · What does a smooth walk prove?
#
# | | |
# |---|---|
# | **You will build** | walks between two latents, two numbers that describe them, and an explorer that takes them |
# | **Reads** | the systems of chapter 06 and the judge of chapter 08; made here at `smoke` size where they are not there |
# | **Writes** | `fig2_interpolation_golf`, `fig3_interpolation_aeroplane`, `fig4_samples_actions`, each with its sidecar |
# | **Budget** | seconds, when the systems are there |
#
# Two latents give two films. What lies between them? The paper answers with pictures that change smoothly from one film to
# the other, and takes that for a sign of understanding. We draw the same pictures, and then meet a method that changes
# even more smoothly and understands nothing.
#
# A figure or table of the recorded run stands first, with where it comes from below it; the same from your own run follows, small or folded.
# What a cell prints, and every figure without a recorded twin, is of your own run: at `smoke` that measures the recorded systems again, on
# few samples.
#
# **By the end** you can
#
# - walk between two latents on a line and on a great circle, and say which of the two leaves the latents that training saw;
# - measure how straight and how even a walk is, in pixels and in a classifier's features;
# - name two impostors, one that passes the test of smoothness and one that it catches;
# - read a strip of generated frames for what it shows and what it cannot show.

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

page = book.open_page("09_latent_space", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from hrvgan_lib import metrics
from hrvgan_lib.book import explore, learning
from hrvgan_lib.networks import build_system
from hrvgan_lib.streams import stream

# %% [markdown]
# ## What the paper says
#
# > **Section 5.** "To demonstrate the smoothness and semantic consistency of our learned latent space, we perform linear
# > interpolation experiments. Figure 2 illustrates the linear interpolation results on the Golf dataset, where gradual
# > transitions between video samples highlight the model's ability to capture meaningful latent representations."
# >
# > **Figure 4.** "Each sequence shows 8 frames generated from random latent vectors, highlighting temporal consistency and
# > realism."
#
# > **What it does not say.** How many steps a walk has and which frames are shown ([**T8**](12_claims_and_decisions.ipynb#T8)): we take five rows and every
# > fourth of 32 frames. Whether eight consecutive frames can show a movement at all ([**T9**](12_claims_and_decisions.ipynb#T9)): at 25 frames a second they
# > last a third of a second, so a second strip spans the whole clip.
#
# ## A line in 128 dimensions
#
# Walking is one line of code. Take two latents, and mix them in changing shares.

# %% tags=["nbval-check-output"]
def line(start, end, steps):
    """(D,), (D,) -> (steps, D): even steps from one latent to the other."""
    share = torch.linspace(0, 1, steps)[:, None]
    return (1 - share) * start + share * end


here, there = torch.randn(2, 128, generator=stream("two latents", page.seed))
walk = line(here, there, 5)
page.expect("largest difference to the library's walk", (walk - explore.interpolate(here, there, 5)).abs().max(),
            high=1e-5)

# %% [markdown]
# In two dimensions that would be all. In 128 there is a catch. A random latent has a length close to $\sqrt{128}$, and
# hardly ever anything else: the latents that training has seen lie on a thin shell. Two of them are almost at right
# angles, so the middle of the line between them is shorter by $\sqrt{1/2}$, and lies where training never was. A *great
# circle* turns from one direction to the other and stays on the shell.

# %%
lengths = torch.randn(10_000, 128, generator=stream("shell")).norm(dim=1)
fig, axis = plt.subplots(figsize=(7, 2.8))
low, high = lengths.quantile(torch.tensor([0.005, 0.995])).tolist()
axis.axhspan(low, high, color="0.85", label="99 % of random latents")
for path, style in zip(explore.PATHS, ("-", "--")):
    along = explore.interpolate(here, there, 41, path).norm(dim=1)
    axis.plot(np.linspace(0, 1, 41), along, style, color="#332288", label=path)
axis.set(xlabel="place on the walk", ylabel="length of the latent", ylim=(0, 15))
axis.legend(loc="lower left", ncol=3, frameon=False)
page.figure(fig, data=(),
            caption="The line leaves the shell on which random latents lie; the great circle stays on it.",
            alt="Length of the latent along a walk. A grey band at about 11.3 marks the lengths of random latents. "
                "The curve of the great circle stays in the band; the curve of the line sags to about 8 in the "
                "middle.")

# %% tags=["nbval-check-output"]
middle = explore.interpolate(here, there, 3)[1].norm() / (0.5 * (here.norm() + there.norm()))
print("share of random latents as short as the middle of the line:", (lengths < 8.5).float().mean().item())
page.expect("length of the middle over that of the ends", middle, low=0.62, high=0.80, why="about the root of one half")
page.measure("length of the middle of a line between two latents, over that of its ends (1 on a great circle)", middle,
             decision="T8")

# %% [markdown]
# The paper takes the line, and so do we ([**T8**](12_claims_and_decisions.ipynb#T8)). Later we measure whether the sag is visible.
#
# ## Figures 2 and 3
#
# Golf and Aeroplane have no labels, so these systems are unconditional, and shorter trained than the main one. Each row is
# a film; the first and last come from random latents, the three between from the line that joins them.

# %%
sides, side_records = {}, {}
for name in ("golf", "aeroplane"):
    side_set = page.dataset(name)
    side, records = learning.trained(page, "hrvgan", name)
    sides[name], side_records[name] = (side, side_set), records
    print(f"{side_set.describe()}; {len(records)} steps at {side.frames}x{side.size}x{side.size}")


def walk_figure(name, steps=5):
    """The figure of one data set: `steps` films of a line, eight of their frames side by side."""
    side, _ = sides[name]
    ends = side.latents(2, stream("figure", name, page.seed))
    films = explore.decode(side, explore.interpolate(*ends, steps))
    labels = ["A", *[f"{round(100 * i / (steps - 1))} %" for i in range(1, steps - 1)], "B"]
    return book.clip_grid(films, every=max(1, side.frames // 8), labels=labels)


# %%
golf_set = sides["golf"][1]
page.figure(walk_figure("golf"), name="fig2_interpolation_golf", data=[golf_set], samples=5,
            caption="Figure 2 of the paper, from our generator: a line between two latents, Golf.",
            alt="Five rows of generated golf clips, eight frames each. The first and last row are two random "
                "samples; the rows between change gradually from one to the other.")

# %%
plane_set = sides["aeroplane"][1]
page.figure(walk_figure("aeroplane"), name="fig3_interpolation_aeroplane", data=[plane_set], samples=5,
            caption="Figure 3 of the paper, from our generator: a line between two latents, Aeroplane.",
            alt="Five rows of generated aeroplane clips, eight frames each. The first and last row are two random "
                "samples; the rows between change gradually from one to the other.")

# %% [markdown]
# Read each figure twice. Downwards: do the films change gradually? Across: does anything move at all? The first is the
# paper's question. The second is easily forgotten, because a generator that draws standing pictures walks just as smoothly.
# An untrained generator draws fog, and that changes smoothly too. Smoothness alone is no proof, as the next sections show.
#
# ## Between two real clips
#
# The ends of these walks were random. The encoder of chapter 06 also finds a latent for a *real* clip, so we can walk from one real clip to another. First and last row are the real clips themselves, the rows next to them what $G$ makes of their codes. Compare these two pairs before you read the middle: where a
# reconstruction does not show its clip, the walk does not lead from clip to clip either.

# %%
golf, held_out_golf = sides["golf"][0], page.dataset("golf", split="test")
pair = held_out_golf.batch([0, len(held_out_golf) - 1])[0]
with torch.no_grad():
    codes = golf.encoder(pair.to(golf.device)).float()  # (2, 128)
between = explore.decode(golf, explore.interpolate(*codes, 5))
page.figure(book.clip_grid(torch.cat([pair[:1], between, pair[1:]]), every=max(1, golf.frames // 8),
                           labels=["real A", "G(E(A))", "25 %", "50 %", "75 %", "G(E(B))", "real B"]),
            name="encoded_walk_golf", data=[golf_set, held_out_golf], samples=5,
            caption="A line between the codes of two real, held-out golf clips. First and last row: the clips "
                    "themselves.",
            alt="Seven rows of frames: a real golf clip, its reconstruction, three films between, the "
                "reconstruction of another real clip, and that clip.")
blend = pair.mean(dim=0, keepdim=True).expand_as(pair)
print(f"PSNR of the two reconstructions: {metrics.psnr(between[[0, -1]], pair).mean():.1f} dB; "
      f"of the mean of both clips: {metrics.psnr(blend, pair).mean():.1f} dB")

# %% [markdown]
# The last number is a bar: whoever answers with the mean of the two clips comes that near. A reconstruction that is farther away has not encoded the clip.
#
# ## Two numbers for a walk
#
# "Smooth" can be measured. Think of each film as a point, in pixel space or in the space of the judge's features, and of
# the walk as a chain of points. Two numbers describe the chain:
#
# - **detour**: its length over the distance between its ends. 1 is a straight line; a random walk of $n$ steps wanders about
#   $\sqrt n$ times as far.
# - **jump**: the longest step over the mean step. 1 is an even pace; $n$ means that one step does it all.

# %% tags=["nbval-check-output"]
def detour_and_jump(points):
    """(steps, D) -> two numbers, both 1 for a straight line at an even pace."""
    strides = (points[1:] - points[:-1]).norm(dim=1)
    return strides.sum() / (points[-1] - points[0]).norm(), strides.max() / strides.mean()


detour, jump = detour_and_jump(walk)
page.expect("detour of the line in latent space", detour, of=1, rtol=1e-4)
page.expect("jump", jump, of=1, rtol=1e-3)
wandering = explore.random_walk(here, 17, 1.0, stream("wandering", page.seed))
page.expect("detour of a random walk of 16 steps", detour_and_jump(wandering)[0], low=3.2, high=4.8,
            why="about the root of 16")
assert np.allclose([detour, jump], list(vars(explore.walk_shape(walk)).values()), rtol=1e-4)

# %% [markdown]
# In latent space the line is straight because we made it so. The question is what the generator makes of it. For
# comparison we bring along four others: the great circle, a random walk with steps as long as the line's, the same
# network untrained, and an impostor.
#
# ## Failure on purpose: two impostors
#
# **The cross-fade** knows no latents. It takes the two films at the ends and mixes their pixels. **The memory** has stored
# films of the training set, each under a random latent, and answers any latent with the film stored nearest to it: a
# generator that has learned by heart.

# %%
golf, _ = sides["golf"]
STEPS = 9
stored, _, _ = golf_set.draw(16, stream("memory", page.seed))
keys = golf.latents(16, stream("keys", page.seed)).cpu()


def memory(latents):
    """The stored film whose key points most nearly in the direction of each latent."""
    return stored[(latents.cpu().flatten(1) @ keys.flatten(1).T).argmax(dim=1)]


def cross_fade(first, last):
    """Films that mix the pixels of two films in even shares."""
    share = torch.linspace(0, 1, STEPS).view(-1, 1, 1, 1, 1)
    return (1 - share) * first + share * last


# %%
def one_frame(films):
    """Films of a walk -> the middle frame of each, as one strip (3, steps, S, S)."""
    return films[:, :, films.shape[2] // 2].transpose(0, 1)


ours = explore.decode(golf, explore.interpolate(*golf.latents(2, stream("walk", page.seed, 0)), STEPS))
shown = torch.stack([one_frame(ours), one_frame(cross_fade(stored[0], stored[1])),
                     one_frame(memory(explore.interpolate(keys[0], keys[1], STEPS)))])
page.figure(book.clip_grid(shown, labels=["generator", "cross-fade", "memory"]), samples=STEPS,
            caption="The same frame of nine films along a walk: our generator, the cross-fade, the memory.",
            alt="Three rows of nine golf frames. The generator's row changes step by step. The cross-fade's row "
                "shows both end films on top of each other in the middle. The memory's row shows one film, then "
                "abruptly another.")

# %% [markdown]
# The cross-fade is a ghost story: in the middle both films are there, each half transparent. The memory has no middle.
# Now the numbers. The judge of chapter 08 has learned on actions and not on golf; its features are still a view of a clip
# that is not the pixels'.

# %%
judge = learning.judge(page)
torch.manual_seed(page.seed)
untrained = build_system("hrvgan", frames=golf.frames, size=golf.size, n_classes=0, width=page.profile.width,
                         preset=page.profile.preset).to(golf.device).eval()
PAIRS = 2 if page.rehearse else 6
walks = {kind: [] for kind in ("line", "great circle", "random walk", "untrained, line", "untrained, random walk",
                               "cross-fade", "memory", "memory, random walk")}
for pair in range(PAIRS):
    ends = golf.latents(2, stream("walk", page.seed, pair))
    line_walk = explore.interpolate(*ends, STEPS)
    pace = (line_walk[1] - line_walk[0]).norm().item()
    wandering = explore.random_walk(ends[0], STEPS, pace, stream("wander", page.seed, pair))
    first, last = stored[2 * pair], stored[2 * pair + 1]
    walks["line"].append(explore.decode(golf, line_walk))
    walks["great circle"].append(explore.decode(golf, explore.interpolate(*ends, STEPS, "great circle")))
    walks["random walk"].append(explore.decode(golf, wandering))
    walks["untrained, line"].append(explore.decode(untrained, line_walk))
    walks["untrained, random walk"].append(explore.decode(untrained, wandering))
    walks["cross-fade"].append(cross_fade(first, last))
    walks["memory"].append(memory(explore.interpolate(keys[2 * pair], keys[2 * pair + 1], STEPS)))
    astray = explore.random_walk(keys[2 * pair], STEPS, pace, stream("wander", page.seed, pair))
    walks["memory, random walk"].append(memory(astray))

# %%
def detail(films):
    """Mean difference between neighbouring pixels: ghosts and blur lower it."""
    return (films.diff(dim=3).abs().mean() + films.diff(dim=4).abs().mean()).item()


rows, shapes, detours = [], {}, {}
for kind, films_of in walks.items():
    pixels = [explore.walk_shape(films) for films in films_of]
    features = [explore.walk_shape(judge.features(films)) for films in films_of]
    detours[kind] = np.array([s.detour for s in features])
    kept = np.median([detail(films[[STEPS // 2]]) / detail(films[[0, -1]]) for films in films_of])
    shapes[kind] = {"detour, pixels": np.median([s.detour for s in pixels]),
                    "jump, pixels": np.median([s.jump for s in pixels]),
                    "detour, judge": np.median([s.detour for s in features]),
                    "jump, judge": np.median([s.jump for s in features]), "detail in the middle": kept}
    rows.append({"walk": kind} | {name: round(float(value), 2) for name, value in shapes[kind].items()})
page.table(rows, data=[golf_set], samples=PAIRS * STEPS,
           note=f"Medians of {PAIRS} walks of {STEPS} films, {golf_set.describe()}.")

# %% tags=["nbval-check-output"]
page.expect("detour of the cross-fade", shapes["cross-fade"]["detour, pixels"], of=1, rtol=1e-3)
page.expect("jump of the cross-fade", shapes["cross-fade"]["jump, pixels"], of=1, rtol=1e-3,
            why="the best marks of all, from no model at all")
page.expect("jump of the memory", shapes["memory"]["jump, pixels"], low=4, high=STEPS - 1,
            why="hardly more than one step moves")
page.expect("untrained network's jump", shapes["untrained, line"]["jump, pixels"], high=2.5,
            why="an even pace without having learned")

# %%
def straighter(kind, wandering):
    """How straight a walk is beside a random one, in the judge's features: a geometric mean over the pairs."""
    ratios = np.nan_to_num(detours[kind], nan=1e-6) / detours[wandering]  # a memory may not move at all: no detour
    logs = metrics.seed_interval(np.log(ratios))  # a mean of ratios would belong to its largest
    return metrics.Interval(*np.exp([logs.low, logs.high, logs.value]), PAIRS, "geometric mean")


line = straighter("line", "random walk")
impostors = {"untrained network": straighter("untrained, line", "untrained, random walk"),
             "cross-fade": straighter("cross-fade", "random walk"),
             "memory": straighter("memory", "memory, random walk")}
for name, found in {"our line": line, **impostors}.items():
    print(f"detour over that of a random walk, {name}: {found}")
page.measure("detour of the line in the judge's features, over that of a random walk with as many latents", line.value,
             interval=line, over=f"{PAIRS} pairs of latents", claim="smooth-interpolation", high=1, data=[golf_set],
             sides=[book.side_of("HRVGAN", golf, side_records["golf"])],
             controls=[book.control(name, found) for name, found in impostors.items()])


def straightness(network):
    """Detour of lines over that of random walks with as many latents, in the judge's features, over the pairs."""
    logs = []
    for pair in range(PAIRS):
        ends = network.latents(2, stream("walk", page.seed, pair))
        line_walk = explore.interpolate(*ends, STEPS)
        pace = (line_walk[1] - line_walk[0]).norm().item()
        astray = explore.random_walk(ends[0], STEPS, pace, stream("wander", page.seed, pair))
        straight, crooked = (explore.walk_shape(judge.features(explore.decode(network, walk))).detour
                             for walk in (line_walk, astray))
        logs.append(np.log(max(np.nan_to_num(straight), 1e-6) / crooked))
    found = metrics.seed_interval(logs)
    return metrics.Interval(*np.exp([found.low, found.high, found.value]), PAIRS, "geometric mean")


flown, flown_set = sides["aeroplane"]  # Figure 3 walks on the second set
line_3, beginner_3 = straightness(flown), straightness(metrics.untrained(flown, page.seed))
print(f"Aeroplane: {line_3}; untrained network: {beginner_3}")
page.measure("Aeroplane: detour of the line in the judge's features, over that of a random walk with as many latents",
             line_3.value, interval=line_3, over=f"{PAIRS} pairs of latents", claim="smooth-interpolation", high=1,
             data=[flown_set], sides=[book.side_of("HRVGAN", flown, side_records["aeroplane"])],
             controls=[book.control("untrained network", beginner_3)])
for other in ("untrained, line", "random walk"):
    ratio = shapes["line"]["detour, pixels"] / shapes[other]["detour, pixels"]
    print(f"detour of our line over that of '{other}': {ratio:.2f}, "
          f"so ours is {'straighter' if ratio < 1 else 'no straighter'}")

# %% [markdown]
# So what does a smooth walk prove? An even pace rules out the memory, whose jump gives it away; that is worth knowing, and
# the paper's figures do show it. It does not prove learning: an untrained network walks at an even pace too, since every
# layer of it is continuous. The detour asks for more. A network that has learned little sends the line on a tour through
# fog, with steps almost as long as the way from end to end; compare the first lines of the table at your profile. But no
# number for smoothness proves meaning: the cross-fade has perfect marks and shows two golf courses at once. Only a middle
# that looks like a clip in its own right does, and for that the two ends have to look like clips first. So the ledger sends
# the untrained network, the cross-fade and the memory through the same test: where one of them passes it too, the verdict
# on the claim is *void*, whatever our own number is.
#
# ## Is the sag visible?
#
# Line and great circle share their ends, and turn through the same directions; the line turns slowly at first, fast in the
# middle, and is shorter there. How far apart are their films, measured against how far apart the two ends are?

# %%
apart = []
for lines, circles in zip(walks["line"], walks["great circle"]):
    reach = (lines[0] - lines[-1]).abs().mean()
    apart.append(((lines - circles).abs().flatten(1).mean(dim=1) / reach).numpy())
fig, axis = plt.subplots(figsize=(7, 2.6))
places = np.linspace(0, 1, STEPS)
axis.plot(places, np.transpose(apart), color=book.SYSTEM_COLOURS["hrvgan"], alpha=0.25, linewidth=1)
axis.plot(places, np.mean(apart, axis=0), color=book.SYSTEM_COLOURS["hrvgan"], linewidth=2.5)
axis.set(xlabel="place on the walk", ylabel="difference", ylim=(0, None))
page.figure(fig, data=[golf_set], samples=2 * PAIRS * STEPS,
            caption="Pixel difference between the films of the line and of the great circle, relative to the "
                    "difference between the ends; thin: six walks, thick: their mean.",
            alt="The difference between line and great circle is zero at both ends of the walk and stays well "
                "below 1, the distance between the ends.")
mean_apart = np.mean(apart, axis=0)
print(f"mean difference, of the distance between the ends: {mean_apart.max():.2f} at most; "
      + ", ".join(f"{mean_apart[round(share * (STEPS - 1))]:.2f} at {share:.0%}" for share in (0.25, 0.5, 0.75)))
page.measure("largest difference between films on the line and on the great circle, over that between the ends",
             np.mean(apart, axis=0).max(), decision="T8", data=[golf_set],
             sides=[book.side_of("HRVGAN", golf, side_records["golf"])])

# %% [markdown]
# In the middle the line has left the shell most, and yet the two films need not differ most there: both latents point in the
# same direction, and only their lengths differ. Behind the first layer of the generator stands a pixel norm, which gives every
# feature vector a mean square of one and so forgets most of the latent's length. At a quarter and at three quarters of the way
# the directions differ too: the line turns slowly at first and fast in the middle. Exercise 3 takes the forgetting to its end.
#
# ## Figure 4: two actions
#
# > **Figure 4.** "Generated frames on UCF101 dataset for JumpingJack (1st row) and TaiChi (2nd row) actions."
#
# The main system is conditional: we ask for a class. The latents are the first that come, nothing is picked. In the
# 8-frame cut a clip is eight frames, four source frames apart, so the paper's strip and the one that spans the clip are the
# same; longer cuts show both.

# %%
train_set = page.dataset("actions")
if page.profile.native:  # the uncut Table 1 of the gpu and paper profiles
    frames, size, *_ = page.profile.native
    figure_set = page.dataset("actions", frames=frames, size=size)
    figure_system, figure_records = learning.native(page)
    system, main_records = learning.trained(page, "hrvgan", labels=True)
else:
    figure_set = train_set
    system, main_records = learning.trained(page, "hrvgan", labels=True)
    figure_system, figure_records = system, main_records
wanted = [name for name in ("JumpingJack", "TaiChi") if name in train_set.classes]
wanted = wanted if len(wanted) == 2 else list(train_set.classes)[:4]
labels = torch.tensor([train_set.classes.index(name) for name in wanted])
films = figure_system.sample(len(wanted), labels, stream("figure 4", page.seed), batch=1)
print("asked for", ", ".join(wanted), "in", figure_set.describe())

# %%
every = figure_system.frames // 8
strips, names = [films[:, :, :8]], [*wanted]
if every > 1:
    strips.append(films[:, :, ::every])
    names += [f"{name}, every {every}." for name in wanted]
page.figure(book.clip_grid(torch.cat(strips), labels=names), name="fig4_samples_actions", data=[figure_set],
            samples=len(films),
            caption="Figure 4 of the paper, from our generator: eight consecutive frames; below them, where clips "
                    "are longer, eight that span the clip.",
            alt="Strips of eight generated frames, one strip an action: JumpingJack and TaiChi, or the classes of "
                "the action data set in use.")

# %% [markdown]
# A strip shows that neighbouring frames belong together. It cannot show that this is a *jumping jack*, unless somebody who
# does not know the label names it. The judge does:

# %%
said = judge.probabilities(films)
page.table([{"asked for": name, "judge says": judge.classes[row.argmax()],
             "with probability": round(float(row.max()), 2),
             "probability of the asked class": round(float(row[label]), 2)}
            for name, row, label in zip(wanted, said, labels.tolist())], data=[figure_set], samples=len(films),
           note=f"The judge names {100 * judge.accuracy.value:.0f} % of held-out real clips correctly; guessing gives "
                f"{100 / len(judge.classes):.0f} %.")

# %% [markdown]
# Two clips are an anecdote. Chapter 08 asks the same question of hundreds, with an interval. For the ledger of
# [chapter 12](12_claims_and_decisions.ipynb) we ask it of more samples in the layout of the figure, eight consecutive frames:
# what share does the judge name as asked? Chance is high here: if the generator ignores its label and the judge calls every film
# TaiChi, half of the answers are right. So the share has to lie above one over the number of actions with its whole interval, and an untrained network, the
# negative control, must not. A judge that reads more than eight frames is shown each of them as often as it takes.

# %%
many = labels.repeat(2 if page.rehearse else -(-32 // len(labels)))
each = -(-judge.network.frames // 8)


def named_as_asked(network, draw):
    """Share of samples of this network, eight consecutive frames, that the judge gives the class asked for."""
    named = []
    for label in many:  # one at a time: the uncut Table 1 fills memory quickly
        strip = network.sample(1, label[None], draw)[:, :, :8].repeat_interleave(each, dim=2)
        named.append(judge.probabilities(strip).argmax())
    return metrics.share(np.array(named) == many.numpy(), metrics.drawn(len(many), "samples", many.numpy()))


right = named_as_asked(figure_system, stream("figure 4, many", page.seed))
guessed = named_as_asked(metrics.untrained(figure_system, page.seed), stream("figure 4, many", page.seed))
page.measure(f"share of samples of {' and '.join(wanted)} named as asked, eight consecutive frames", right.value,
             interval=right, claim="figure4", low=1 / len(wanted), data=[figure_set],
             sides=[book.side_of("HRVGAN", figure_system, figure_records)],
             controls=[book.control("untrained network", guessed)])
print(f"named as asked: {right} of {len(many)} samples; untrained: {guessed}; "
      f"one answer to all gives {1 / len(wanted):.2f}")

# %% [markdown]
# The intervals of both chapters are over samples of one training run.
#
# ## Temporal consistency, measured
#
# "Highlighting temporal consistency" is a statement about neighbouring frames. How much does a frame differ from the next,
# and how much of that is jitter, a change that the following frame takes back? A film that stands still has no change; a
# film of independent noise has as much jitter as it can, $\sqrt 3$ changes.

# %%
def change_and_jitter(films):
    """(N, 3, T, S, S) -> per clip: rms change between neighbouring frames, and rms second difference over it."""
    change = films.diff(dim=2).square().flatten(1).mean(dim=1).sqrt()
    second = films.diff(n=2, dim=2).square().flatten(1).mean(dim=1).sqrt()
    return change, second / change.clamp(min=1e-8)


count = min(64, page.profile.samples)
real, _, numbers = page.dataset("actions", split="test").draw(count, stream("real", page.seed))
generated = system.sample(count, generator=stream("consistency", page.seed))
noise = 2 * torch.rand(8, *real.shape[1:], generator=stream("noise")) - 1
sources = {"real": real, "hrvgan": generated, "noise": noise}
measured = {name: [value.numpy() for value in change_and_jitter(films)] for name, films in sources.items()}
page.table([{"films": name, "change a frame": round(float(np.median(change)), 3),
             "jitter": round(float(np.median(jitter)), 2)}
            for name, (change, jitter) in measured.items()], data=[train_set], samples=count,
           note=f"Medians. Pixels in [-1, 1]; frames are {train_set.stride} source frames apart.")

# %%
fig, axis = plt.subplots(figsize=(7, 3.2))
for name, (change, jitter) in measured.items():
    axis.scatter(change, jitter, s=18, alpha=0.6, color=book.SYSTEM_COLOURS[name], label=name)
axis.axhline(3**0.5, color="0.6", linestyle=":", linewidth=1)
axis.set(xlabel="change a frame (rms)", ylabel="jitter", ylim=(0, 1.9), xlim=(0, None))
axis.legend(frameon=False)
page.figure(fig, data=[train_set], samples=count,
            caption="One point a clip. Consistent is not enough: a clip at the far left hardly moves.",
            alt="Scatter of clips: change between neighbouring frames on the horizontal axis, jitter on the "
                "vertical. Real clips in black, generated in blue, noise far up and right at the root of three.")

# %% tags=["nbval-check-output"]
page.expect("jitter of noise", np.median(measured["noise"][1]), of=3**0.5, rtol=0.03, why="independent frames")
page.expect("jitter of real clips", np.median(measured["real"][1]), high=3**0.5, why="a movement goes on")

# %% [markdown]
# Two numbers for the ledger. Frames that belong together change less from one to the next than the same frames in shuffled order, so
# we take the change over the change after shuffling, $c$, of samples and of real clips. Coherent like real clips: the two $c$ differ
# by less than a factor of one and a quarter. Realistic in motion, too: the median change is within a factor of two of the real one, or a
# film that stands still would pass. An untrained network, noise, and our own samples with their frames shuffled are the negative
# controls: each must fail one of the two.

# %%
def in_order_and_shuffled(films):
    """(N, 3, T, S, S) -> (N, 2): each film's change from frame to frame, as it is and with its frames shuffled."""
    order = torch.rand(films.shape[0], films.shape[2], generator=stream("shuffled", page.seed)).argsort(dim=1)
    shuffled = films.gather(2, order[:, None, :, None, None].expand_as(films))
    return np.stack([metrics.frame_change(films), metrics.frame_change(shuffled)], axis=1)


def coherence(changes):
    return changes[:, 0].mean() / changes[:, 1].mean()


def motion(changes):
    return np.median(changes[:, 0])


real_changes, real_draw = in_order_and_shuffled(real), metrics.draw_of(page.dataset("actions", split="test"), numbers)
mixed = torch.rand(count, real.shape[2], generator=stream("mixed", page.seed)).argsort(dim=1)
beginner = metrics.untrained(system, page.seed).sample(count, generator=stream("consistency", page.seed))
films_of = {"samples": generated, "untrained network": beginner, "noise": noise,
            "samples with their frames shuffled": generated.gather(
                2, mixed[:, None, :, None, None].expand_as(generated))}
changes = {name: in_order_and_shuffled(films) for name, films in films_of.items()}
for what, statistic, bound in (("change in order over change when shuffled, samples over real clips", coherence, 1.25),
                               ("median change from frame to frame, samples over real clips", motion, 2)):
    found = {name: metrics.half_sample_interval(lambda ours, theirs, of=statistic: of(ours) / of(theirs), mine,
                                                real_changes, draws=[None, real_draw], floor=0)
             for name, mine in changes.items()}
    ours = found.pop("samples")
    page.measure(what, ours.value, interval=ours, claim="temporal-coherence", low=1 / bound, high=bound,
                 data=[train_set, page.dataset("actions", split="test")],
                 sides=[book.side_of("HRVGAN", system, main_records)],
                 controls=[book.control(name, interval) for name, interval in found.items()])
    print(f"{what}: {ours}", *(f"  {name}: {interval}" for name, interval in found.items()), sep="\n")

# %% [markdown]
# Compare the clouds and not only their heights. A generator is consistent where its points lie no higher than the real
# ones, *and* no further left: little change makes consistency cheap, in the same way as a cross-fade makes smoothness
# cheap. Do not expect zero from real clips either: a limb that moves by more than its own width between two frames is
# jitter to this measure.
#
# ## Real or generated?
#
# Before you trust numbers, try your own eye: the clips of the table above, one after the other, for you to name. From ten answers on
# your score has an interval; it has to leave out one half, or you may as well have guessed.

# %%
from hrvgan_lib.book.widgets import Quiz

Quiz(real, generated, seed=page.seed).show()

# %% [markdown]
# ## The explorer
#
# In a live notebook the next cell shows two latents, the clip between them, a slider, a class selector and a play button. On paper and
# on the web it is a strip: one clip at five places of the same walk. Where a run on a GPU has been recorded, its generator is in the
# menu too, and comes first: a walk between clips is worth more where the ends look like clips.

# %%
import json

generators = {"this run": (system, train_set.classes)}
if recorded := page.recorded_system():
    generators["recorded run"] = recorded, json.loads(recorded.about["classes"])
explorer = explore.LatentExplorer(generators, seed=page.seed)
explorer.show()

# %% [markdown]
# Try this: put the slider in the middle and change the class. The latent stays, so the surroundings should stay and the
# movement should change. Whether they do depends on how long the system has trained.
#
# ## Check yourself
#
# <details><summary>Why is the middle of a line between two random latents too short, and not too long?</summary>
#
# They are nearly at right angles. The middle is half the diagonal of a square, $\sqrt{1/2}$ of its side.
#
# </details>
# <details><summary>A walk has detour 1.0 and jump 8.0 in nine films. What is behind it?</summary>
#
# A memory: one of the eight steps covers the whole distance.
#
# </details>
# <details><summary>Why does a smooth walk of an untrained network weaken the paper's argument?</summary>
#
# What holds before training cannot be evidence of what training achieved.
#
# </details>
# <details><summary>A generator has less jitter than real clips. Is it better?</summary>
#
# Not by that. See how much it moves: a still picture has none.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* Predict, then measure over 1,000 pairs: the length of the middle of a line over the mean length of its ends.
#    **Expected:** 0.71 on average, and nearly all of them between 0.62 and 0.80.
# 2. *(easy)* Keep the latent and walk between two *classes*: mix their embeddings. **Expected:** five films, with a jump
#    below 3 where one step that did it all would be 4: a class is approached step by step, if not at an even pace.
# 3. *(medium)* Multiply a latent by 1, 2, 4 and 8. **Expected:** each doubling changes the film less than the one before it:
#    pixel norm forgets the length.
# 4. *(hard)* Make the pace even: place the nine latents of a line so that every step changes the film equally.
#    **Expected:** the jump in pixels falls to below 1.15.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
a, b = torch.randn(2, 1000, 128, generator=stream("exercise 1"))
ratio = ((a + b) / 2).norm(dim=1) / ((a.norm(dim=1) + b.norm(dim=1)) / 2)
page.expect("mean", ratio.mean(), low=0.70, high=0.72)
page.expect("share between 0.62 and 0.80", ((ratio > 0.62) & (ratio < 0.80)).float().mean(), low=0.97)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2: the generator's own two parts, with a mixed embedding between them
sampler, latent = system.sampler, system.latents(1, stream("exercise 2"))
with torch.no_grad():
    mixed = explore.interpolate(*sampler.embed.weight[:2], 5)
    features = sampler.fc(torch.cat([latent.expand(5, -1), mixed], dim=1)).unflatten(-1, sampler.shape)
    between = sampler.layers(features).float().cpu()
page.expect("jump between two classes", explore.walk_shape(between).jump, low=1, high=3)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
latent = golf.latents(1, stream("exercise 3"))
louder = explore.decode(golf, torch.cat([factor * latent for factor in (1, 2, 4, 8)]))
steps_up = louder.diff(dim=0).abs().flatten(1).mean(dim=1)
page.expect("change from 4 to 8 over change from 1 to 2", steps_up[2] / steps_up[0], high=1)
page.measure("change of a film when its latent grows from 4 to 8 times its length, over that from 1 to 2",
             steps_up[2] / steps_up[0], decision="A13", data=[golf_set],
             sides=[book.side_of("HRVGAN", golf, side_records["golf"])])

# %% tags=["solution", "nbval-check-output"]
# Exercise 4: walk finely, sum up the lengths, and read off where each ninth of the length is reached
ends = golf.latents(2, stream("walk", page.seed, 0))
fine = explore.interpolate(*ends, 65)
travelled = explore.decode(golf, fine).flatten(1).diff(dim=0).norm(dim=1).cumsum(0)
travelled = np.concatenate([[0], (travelled / travelled[-1]).numpy()])
share = torch.as_tensor(np.interp(np.linspace(0, 1, STEPS), travelled, np.linspace(0, 1, 65)), dtype=fine.dtype)
share = share.view(-1, *[1] * ends[0].dim()).to(ends.device)
paced = explore.decode(golf, (1 - share) * ends[0] + share * ends[1])
page.expect("jump at an even pace", explore.walk_shape(paced).jump, high=1.15)

# %% [markdown]
# ## What we now know
#
# - We walked on a line and on a great circle, and saw the line leave the shell of latents that training saw.
# - We measured walks by detour and jump, in pixels and in the judge's features.
# - A cross-fade and an untrained network walk smoothly; a memory does not. Smoothness rules out one fault, and proves neither
#   learning nor meaning.
# - A strip of frames shows consistency, which is worth something only together with movement and with a name given by a judge.
#
# ## Where next
#
# [Chapter 10](10_tables.ipynb) sets the paper's numbers beside ours. [Chapter 08](08_evaluation.ipynb) has the judge and
# asks hundreds of samples what they show.

# %%
page.colophon()
