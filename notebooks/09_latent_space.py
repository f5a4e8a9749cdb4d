# %% [markdown]
# # 09 · Latent space: what does a smooth walk prove?
#
# | | |
# |---|---|
# | **You will build** | walks between two latents, the numbers that describe them, the impostors that fake them, and an explorer |
# | **Reads** | the trained systems of chapter 06 and the [judge](00_start_here.ipynb#Glossary) of chapter 08, made here where they are not there; at `smoke` they are the recorded run's |
# | **Writes** | `fig2_interpolation_golf`, `fig3_interpolation_aeroplane`, `fig4_samples_actions`, `encoded_walk_golf`, and tables of what was measured; on a GPU `fig4_samples_native`, `native_progress`, `native_motion`, `native_named` |
# | **Budget** | seconds, when the systems are there |
#
# Two [latents](00_start_here.ipynb#Glossary) give two films. What lies between them? The paper answers with pictures that change smoothly from one film to
# the other, and takes this for a sign that something meaningful was learned. We draw the same pictures with our [generator](00_start_here.ipynb#Glossary) G, and then meet four impostors. Each
# of them passes for smooth, for real or for new, and none shows what such pictures are meant to show.
#
# Figures and tables that a recorded run has stand first, with where they come from below them; the same from your own run follows, small or folded. At `smoke`
# every system and every clip in this chapter is the recorded run's, so that both say the same.
#
# **By the end you can**
#
# - walk between two latents on a line and on a great circle, and say which of the two leaves the latents that training saw;
# - find out whether a walk between two *real* clips really begins and ends at them;
# - measure how straight and how even a walk is, in pixels and in a classifier's features;
# - name four impostors (an untrained network, a cross-fade, a memory, frozen clips), and the number that gives each of them away;
# - read a strip of generated frames for what it shows and for what it cannot show.

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
import json

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display

from hrvgan_lib import metrics
from hrvgan_lib.book import explore, learning
from hrvgan_lib.metrics.rulers.behaviour import STILL
from hrvgan_lib.streams import stream


def say(sentences):
    """A list in words, made of the rows of a table that stands above it."""
    display(Markdown("\n".join(f"- {sentence}" for sentence in sentences)))

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
# > **What it does not say.** How many steps a walk has and which frames are shown ([**T8**](12_claims_and_decisions.ipynb#T8)): we take five rows and eight
# > frames that span the clip. Whether eight consecutive frames can show a movement at all ([**T9**](12_claims_and_decisions.ipynb#T9)): at 25 frames a second
# > they last a third of a second, so a second strip spans the whole clip.
#
# ## Linear interpolation
#
# Between the latents $z_A$ and $z_B$ the line is $(1 - s)\,z_A + s\,z_B$, with the share $s$ going from 0 to 1. In code it is
# one line too.

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
# In two dimensions that would be all. In 128 there is a catch:
#
# 1. The square of a random latent's length is a sum of 128 squares of mean 1: it is about 128, give or take 16. So the length is about $\sqrt{128} \approx 11.3$, give or take
#    0.7. All the latents that training has seen lie on a thin *shell* of this radius.
# 2. The product $z_A \cdot z_B$ has mean 0 and a spread of 11.3. So the cosine of the angle is $0 \pm 0.09$: two random latents are nearly at right angles.
# 3. The middle of the line is half the diagonal of a square: $\frac12 |z_A + z_B| \approx \frac12 \sqrt{128 + 128} = 8$. It lies well inside the shell,
#    where training never was.
#
# ## Spherical interpolation (slerp)
#
# A *great circle* is the way along the shell. It turns evenly from one direction to the other by the angle $\theta$ between them. In the literature it is called
# spherical linear interpolation, or *slerp*. For two directions $u_A, u_B$ of length 1:
#
# $$\mathrm{slerp}(s) = \frac{\sin((1 - s)\,\theta)}{\sin\theta}\,u_A + \frac{\sin(s\,\theta)}{\sin\theta}\,u_B, \qquad \cos\theta = u_A \cdot u_B .$$
#
# The two latents differ a little in length, so the library multiplies this direction by a length that goes evenly from one to the other.

# %% tags=["nbval-check-output"]
def slerp(start, end, steps):
    """(D,), (D,) -> (steps, D): the great circle between two directions, the length going evenly along."""
    share = torch.linspace(0, 1, steps)[:, None]
    theta = torch.acos(start @ end / (start.norm() * end.norm()))
    from_a, from_b = torch.sin((1 - share) * theta), torch.sin(share * theta)
    direction = (from_a * start / start.norm() + from_b * end / end.norm()) / theta.sin()
    return line(start.norm(), end.norm(), steps) * direction


circle = slerp(here, there, 5)
page.expect("largest difference to the library's great circle",
            (circle - explore.interpolate(here, there, 5, "great circle")).abs().max(), high=1e-4)
page.expect("its shortest latent, over the shorter of the ends",
            circle.norm(dim=1).min() / min(here.norm(), there.norm()), of=1, rtol=1e-3, why="on the shell")

# %%
lengths = torch.randn(10_000, 128, generator=stream("shell")).norm(dim=1)
fig, axis = plt.subplots(figsize=(8, 3.2))
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
page.expect("length of the middle over that of the ends", middle, low=0.62, high=0.80)
page.measure("length of the middle of a line between two latents, over that of its ends (1 on a great circle)", middle,
             decision="T8")

# %% [markdown]
# The paper takes the line, and so do we ([**T8**](12_claims_and_decisions.ipynb#T8)). [After the figures](#Line-against-great-circle-in-the-films) we measure whether the
# sag can be seen in the films.
#
# ## Figures 2 and 3: between two random latents
#
# Golf and Aeroplane have no [labels](00_start_here.ipynb#Glossary), so these systems are unconditional, and they are trained for fewer steps than the main one. The clips are
# [stand-ins](00_start_here.ipynb#Glossary), drawn by a program, where the real ones are not there. Each row is a film; the first and the last come from random
# latents, the first that were drawn, and the three between from the line that joins them.

# %%
sides, side_records = {}, {}
for name in ("golf", "aeroplane"):
    side, records = learning.trained(page, "hrvgan", name)
    side_set = learning.clips_behind(page, name)  # what this system has learned from
    sides[name], side_records[name] = (side, side_set), records
    print(side_set.describe())
    print(f"    trained for {len(records)} steps at {side.frames}x{side.size}x{side.size}")


def figure_films(name, steps=5):
    """`steps` films on the line between the first two latents."""
    side, _ = sides[name]
    return explore.decode(side, explore.interpolate(*side.latents(2, stream("figure", name, page.seed)), steps))


def walk_figure(films):
    """A walk's films, one a row, eight of their frames side by side."""
    labels = ["A", *[f"{round(100 * i / (len(films) - 1))} %" for i in range(1, len(films) - 1)], "B"]
    return book.clip_grid(films, every=max(1, films.shape[2] // 8), labels=labels)


# %%
golf_set = sides["golf"][1]
page.figure(walk_figure(figure_films("golf")), name="fig2_interpolation_golf", data=[golf_set], samples=5,
            caption="Figure 2 of the paper, from our generator: a line between two latents, Golf. Read it downwards "
                    "for the change from A to B, and across for movement.",
            alt="Five rows of generated golf clips, eight frames each. The first and last row are two random "
                "samples; the rows between change gradually from one to the other.")

# %%
plane_set = sides["aeroplane"][1]
page.figure(walk_figure(figure_films("aeroplane")), name="fig3_interpolation_aeroplane", data=[plane_set], samples=5,
            caption="Figure 3 of the paper, from our generator: a line between two latents, Aeroplane. The cloud at "
                    "the top changes downwards; across, patches drift, and no aeroplane can be made out.",
            alt="Five rows of generated aeroplane clips, eight frames each. The first and last row are two random "
                "samples; the rows between change gradually from one to the other.")

# %% [markdown]
# Read each figure twice.
#
# - **Downwards:** do the films change gradually? That is the paper's question.
# - **Across:** does anything move? That is easily forgotten, because a generator of standing pictures walks just as smoothly.
#
# Both readings can be counted. A *change* is always a mean absolute difference of pixel values, which lie in [-1, 1]. Down: how far apart A and B are, beside two held-out real
# clips, and which part of the way the largest of the four steps takes (a quarter would be an even pace; *the way* is the sum of the steps). Across: the change from one frame to the next, beside that of real clips.

# %%
def some(clips, most=64):
    """The first clips of a data set, as one tensor."""
    return clips.batch(torch.arange(min(most, len(clips))))[0]


rows, held_out = [], {name: some(learning.clips_behind(page, name, "test")) for name in sides}
for name, real in held_out.items():
    films = figure_films(name)
    half = len(real) // 2
    steps = films.diff(dim=0).abs().flatten(1).mean(dim=1)
    rows.append({"walk": name.capitalize(), "A to B": round((films[-1] - films[0]).abs().mean().item(), 3),
                 "real to real": round((real[:half] - real[-half:]).abs().mean().item(), 3),
                 "largest step": round((steps.max() / steps.sum()).item(), 3),
                 "frame to frame": round(metrics.frame_change(films).mean(), 4),
                 "real, frame to frame": round(metrics.frame_change(real).mean(), 4)})
page.table(rows, "walks_read", data=[clips for _, clips in sides.values()], samples=5,
           note="Five films a walk. Real: held-out clips, pairs of one from the first and one from the second half.")

# %%
say(f"**{row['walk']}.** A and B differ by {row['A to B'] / row['real to real']:.0%} of what two real clips do. The "
    f"largest of four steps takes {row['largest step']:.0%} of the way. The films move "
    f"{row['frame to frame'] / row['real, frame to frame']:.2f} times as much as real clips."
    for row in page.rows("walks_read"))
for row in page.rows("walks_read"):
    page.expect(f"{row['walk']}: A to B, over real to real", row["A to B"] / row["real to real"], high=0.8)

# %% [markdown]
# How uneven may a walk be and still be gradual? Take finer steps. On a gradual walk, twice as many steps make the largest one about half as large. A leap stays as large, however fine they are.

# %%
for name in sides:
    fine = figure_films(name, 33)  # every second film of it is the walk of 16 steps, and so on
    shares = {}
    for steps in (4, 8, 16, 32):
        moved = fine[:: 32 // steps].diff(dim=0).abs().flatten(1).mean(dim=1)
        shares[steps] = (moved / moved.sum()).tolist()
    print(f"this run, {name}: the four steps take", ", ".join(f"{share:.0%}" for share in shares[4]), "of the way;")
    print("    the largest of 4, 8, 16, 32 steps:", ", ".join(f"{max(share):.0%}" for share in shares.values()))
    page.expect(f"{name}: largest of 32 steps over largest of 4", max(shares[32]) / max(shares[4]), high=0.3,
                why="1/8 if smooth")

# %% [markdown]
# Both walks are gradual: in the recorded run each doubling about halves the largest step. The Aeroplane walk is also fairly even. The Golf walk is not: its films hardly change at first, and half of
# the way lies in the last of four steps. And two samples are more alike than two clips: the generator shows few of the scenes that the data has.
#
# What moves in the recorded Golf figure is a blurred blob that drifts to the right in every row; in the Aeroplane figure patches of cloud drift. An untrained generator draws fog, and fog changes gradually too.
# So gradual change alone proves nothing, as the sections below show.
#
# ## Line against great circle in the films
#
# Line and great circle share their ends. Between them the latents differ in length, most in the middle, and in direction: the line turns slowly at first and fast in the middle, the circle evenly. How far
# apart are their films, measured against how far apart the two ends are?

# %%
golf, STEPS, apart, angles = sides["golf"][0], 9, [], []
for number in range(2 if page.rehearse else 16):
    ends = golf.latents(2, stream("walk", page.seed, number))
    both = [explore.interpolate(*ends, STEPS, path) for path in explore.PATHS]
    lines, circles = (explore.decode(golf, latents) for latents in both)
    apart.append(((lines - circles).abs().flatten(1).mean(dim=1) / (lines[0] - lines[-1]).abs().mean()).numpy())
    cosine = torch.nn.functional.cosine_similarity(*(latents.flatten(1).double() for latents in both))
    angles.append(cosine.clamp(-1, 1).acos().rad2deg().cpu().numpy())
mean_apart, mean_angle = np.mean(apart, axis=0), np.mean(angles, axis=0)
print(f"this run, mean of {len(apart)} walks of one training:")
for place in (STEPS // 4, STEPS // 2, 3 * STEPS // 4):
    print(f"    {place / (STEPS - 1):.0%} of the way: films differ by {mean_apart[place]:.1%} of the ends' difference, "
          f"directions by {mean_angle[place]:.1f}°")

# %%
fig, axis = plt.subplots(figsize=(8, 3.2))
places = np.linspace(0, 1, STEPS)
axis.plot(places, np.transpose(apart), color=book.SYSTEM_COLOURS["hrvgan"], alpha=0.25, linewidth=1)
axis.plot(places, mean_apart, color=book.SYSTEM_COLOURS["hrvgan"], linewidth=2.5)
axis.set(xlabel="place on the walk", ylabel="difference of films,\nends = 1", ylim=(0, None))
page.figure(fig, data=[golf_set], samples=2 * len(apart) * STEPS,
            caption=f"Pixel difference between the films of the line and of the great circle, relative to the "
                    f"difference between the ends; thin: {len(apart)} walks, thick: their mean.",
            alt="The difference between line and great circle is zero at both ends of the walk and stays well "
                "below 1, the distance between the ends. The mean has two low humps with a dip in the middle.")
half = STEPS // 2
page.expect("largest mean difference", mean_apart.max(), high=0.3, why="the path is hard to see")
page.expect("middle over the lower hump", mean_apart[half] / min(mean_apart[:half].max(), mean_apart[half + 1:].max()),
            high=1, why="a dip")
page.measure("largest difference between films on the line and on the great circle, over that between the ends",
             mean_apart.max(), decision="T8", data=[golf_set],
             sides=[book.side_of("HRVGAN", golf, side_records["golf"])])

# %% [markdown]
# The mean has two humps. In the middle the line has left the shell most, and yet the films differ less there than at the humps: both latents point in nearly the
# same direction, and the difference in length counts for little. Behind the generator's first layer stands a pixel norm, which divides each
# feature vector by its root mean square, so that its *mean square* becomes one, and forgets most of the latent's length. At a quarter and at three quarters of the way
# the directions differ by about four degrees (question 2 works this out). A single walk may lack a hump: where its films hardly change, a few degrees change nothing. Exercise 1 takes the forgetting to its end.
#
# ## Interpolation between two real clips: does the encoder find them?
#
# The ends of these walks were random. The encoder E of chapter 06 also finds a latent for a *real* clip, its *code*, so we can try to walk from one real clip to another: from $E(A)$ to
# $E(B)$. (To look for the latent of a given clip is known as *GAN inversion*.) First and last row are the real clips, the rows next to them what G makes of their codes. Compare these two pairs before you
# read the middle: where a reconstruction does not show its clip, the walk does not lead from clip to clip either.

# %%
held_out_golf = learning.clips_behind(page, "golf", "test")


def coded(clips):
    """The code of each clip."""
    with torch.no_grad():
        return golf.encoder(clips.to(golf.device)).float()  # (N, 128)


pair = held_out_golf.batch([0, len(held_out_golf) - 1])[0]
between = explore.decode(golf, explore.interpolate(*coded(pair), 5))
page.figure(book.clip_grid(torch.cat([pair[:1], between, pair[1:]]), every=max(1, golf.frames // 8),
                           labels=["real A", "G(E(A))", "25 %", "50 %", "75 %", "G(E(B))", "real B"]),
            name="encoded_walk_golf", data=[golf_set, held_out_golf], samples=5,
            caption="A line between the codes of two real, held-out golf clips. First and last row: the clips "
                    "themselves. Is the second row the first clip, and the last but one the last?",
            alt="Seven rows of frames: a real golf clip, its reconstruction, three films between, the "
                "reconstruction of another real clip, and that clip.")

# %% [markdown]
# In the recorded figure it is not: a player and a cart went in, and twice a meadow with a blob came out. Two numbers say whether that is an accident.
#
# - **Nearer than a constant answer?** The mean of all training clips is the same answer to every clip, and needs no code. The error is given as peak signal-to-noise ratio, PSNR, in decibels (dB): more is nearer.
# - **Its own clip?** Of all clips asked about, is the one that was encoded the nearest to its reconstruction? Guessing is right once in N.

# %%
mean_clip = some(golf_set, 256).mean(dim=0, keepdim=True)


def encoded(what, clips):
    """How near G(E(Y)) comes to Y, and whether it is nearest to its own clip."""
    clips = some(clips, 32)
    made = explore.decode(golf, coded(clips))
    far = torch.stack([(made - clip).square().flatten(1).mean(dim=1) for clip in clips])  # (clip, reconstruction)
    own = (far.argmin(dim=0) == torch.arange(len(clips))).float().mean().item()
    return {"clips": what, "N": len(clips), "G(E(Y)), dB": round(float(metrics.psnr(made, clips).mean()), 2),
            "mean clip, dB": round(float(metrics.psnr(mean_clip.expand_as(clips), clips).mean()), 2),
            "own clip nearest": own, "by guessing": 1 / len(clips)}


page.table([encoded("seen in training", golf_set), encoded("held out", held_out_golf)], "encoded_clips",
           data=[golf_set, held_out_golf], note="Golf; the first clips of each split, 32 at most.")

# %%
asked = page.rows("encoded_clips")
ahead = [row["G(E(Y)), dB"] - row["mean clip, dB"] for row in asked]
say(f"**Clips {row['clips']}, N = {row['N']}.** The reconstruction is {abs(gain):.1f} dB "
    f"{'nearer than' if gain > 0 else 'farther away than'} the mean clip, and nearest to its own clip in "
    f"{row['own clip nearest']:.1%} of cases; guessing gives {row['by guessing']:.1%}."
    for row, gain in zip(asked, ahead))
page.expect("dB nearer than the mean clip, at best", max(ahead), high=0.5, why="no gain")

# %% [markdown]
# So in the recorded run the encoder has not encoded these clips: its codes are latents of *some* film, and the walk joins two samples of the generator. 400 steps of the pixel term have
# not been enough. A longer training may change both rows; exercise 4 asks whether another latent would have done better.
#
# ## Two numbers for a walk: detour and jump
#
# "Smooth" can be measured. Think of each film as a point $p_i$, in the space of its pixels or in that of the judge's features (the judge is
# the classifier C3D of chapter 08), and of the walk as a chain of points $p_0, \dots, p_n$. Two numbers describe the chain:
#
# $$\text{detour} = \frac{\sum_i |p_{i+1} - p_i|}{|p_n - p_0|}, \qquad \text{jump} = \frac{\max_i |p_{i+1} - p_i|}{\text{mean}_i\, |p_{i+1} - p_i|} .$$
#
# - **Detour** is the length of the walk over the distance between its ends. A straight line has 1, and *only* a straight line has: the triangle inequality allows no other. A random walk of $n$ steps wanders about $\sqrt n$ times as far.
# - **Jump** is the longest step over the mean one. 1 is an even pace; $n$ means that one step does it all.

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
            why="about 4")
assert np.allclose([detour, jump], list(vars(explore.walk_shape(walk)).values()), rtol=1e-4)

# %% [markdown]
# In latent space the line is straight because we made it so. The question is what the generator makes of it.
#
# ## Failure on purpose: four impostors as negative controls
#
# A test is worth what it rejects. Four impostors take the test too, as *negative controls*: none of them
# may pass for a smooth latent space, or for a source of new clips. Only the last is made of a trained generator's films, and it spoils them.
#
# | films of | how they are made | what they can fake |
# |---|---|---|
# | an **untrained network** | the same generator before its first step | gradual change at an even pace: every layer is continuous |
# | a **cross-fade** | two training clips, their pixels mixed in even shares; no latents at all | a straight walk at an even pace, perfectly |
# | a **memory** | 16 training clips, each under a random latent; any latent is answered with the clip whose own latent, its *key*, points most nearly in the same direction | realism: each film is a real one |
# | **frozen clips** | our generator's films, with one of their frames standing still | all that is asked of a walk |
#
# The memory is the extreme case of a generator that has learned its training clips by heart. It takes the very same walks as our generator.

# %%
PAIRS = 2 if page.rehearse else 6
known = golf_set.draw(max(16, min(256, len(golf_set))), stream("memory", page.seed))[0]
stored, keys = known[:16], golf.latents(16, stream("keys", page.seed)).cpu()


def remembered(latents):
    """Which stored clip has the key that points most nearly in the direction of each latent."""
    return (latents.cpu().flatten(1) @ keys.flatten(1).T).argmax(dim=1)


def cross_fade(first, last):
    """Films that mix the pixels of two films in even shares."""
    share = torch.linspace(0, 1, STEPS).view(-1, 1, 1, 1, 1)
    return (1 - share) * first + share * last


def latent_walks(network, number):
    """The line between two latents, and a random walk from the first with steps as long as the line's."""
    ends = network.latents(2, stream("walk", page.seed, number))
    straight = explore.interpolate(*ends, STEPS)
    pace = (straight[1] - straight[0]).norm().item()
    return straight, explore.random_walk(ends[0], STEPS, pace, stream("wander", page.seed, number))


# %%
untrained, walks = metrics.untrained(golf, page.seed), {}
for number in range(PAIRS):
    straight, _ = latent_walks(golf, number)
    ours = explore.decode(golf, straight)
    films_of = {
        "generator": ours,
        "untrained": explore.decode(untrained, straight),
        "cross-fade": cross_fade(stored[2 * number], stored[2 * number + 1]),
        "memory": stored[remembered(straight)],
        "frozen": metrics.freeze(ours),
    }
    for kind, films in films_of.items():
        walks.setdefault(kind, []).append(films)


def one_frame(films):
    """Films of a walk -> the middle frame of every second film, as one strip (3, films, S, S)."""
    return films[::2, :, films.shape[2] // 2].transpose(0, 1)


across = ("generator", "untrained", "cross-fade", "memory")
page.figure(book.clip_grid(torch.stack([one_frame(walks[kind][0]) for kind in across]), labels=across,
                           width=7.5), data=[golf_set], samples=len(range(0, STEPS, 2)),
            caption="The same frame of every second film along a walk of nine. In the middle of the cross-fade "
                    "both clips are there, each half transparent; the memory has no middle.",
            alt="Four rows of five golf frames. The generator's row changes step by step. The untrained row is grey. "
                "The cross-fade's row shows both end films on top of each other in the middle. The memory's row "
                "shows one film, then abruptly another.")

# %% [markdown]
# Frozen clips are missing there because one frame of them looks as it should. Their fault shows only along time, in the film at the middle of
# the walk:

# %%
middles = {"real clip": held_out["golf"][0], **{kind: walks[kind][0][STEPS // 2] for kind in
                                                ("generator", "cross-fade", "memory", "frozen")}}
page.figure(book.clip_grid(torch.stack([*middles.values()]), every=max(1, golf.frames // 8), labels=list(middles)),
            data=[golf_set, held_out_golf], samples=5,
            caption="The film at the middle of the walk, frame by frame, below a real clip. Look for movement in the "
                    "last row.",
            alt="Five rows of eight golf frames: a real clip, the generator's middle film, the cross-fade's with two "
                "scenes on top of each other, the memory's training clip, and one generated frame eight times.")

# %% [markdown]
# ### What gives each of them away
#
# Besides detour and jump we take three numbers of the film at the middle of the walk, each as a share of the same number of real, held-out clips:
#
# - **novelty**: the root mean square difference to the nearest training clip (of 256 at most). A copy has 0.
# - **motion**: the change from one frame to the next. A frozen clip has 0.
# - **detail**: the change from one pixel to the next. Fog has little, and so has blur.
#
# Two yardsticks are added: the training clips themselves, as the memory shows nothing else, and the mean clip, which shows nothing at all.

# %%
def novelty(films):
    return torch.stack([(known - film).square().flatten(1).mean(dim=1).sqrt().min() for film in films]).numpy()


def detail(films):
    return sum(films.diff(dim=axis).abs().flatten(1).mean(dim=1) for axis in (3, 4)).numpy()


RULERS = {"novelty": novelty, "motion": metrics.frame_change, "detail": detail}
real_of = {name: np.median(ruler(held_out["golf"])) for name, ruler in RULERS.items()}
shapes = {kind: [explore.walk_shape(films) for films in walks[kind]] for kind in walks}
rows = []
middle_films = {kind: torch.stack([films[STEPS // 2] for films in walks[kind]]) for kind in walks}
for kind, films in {**middle_films, "training clips": known, "mean clip": mean_clip}.items():
    found = shapes.get(kind, [])
    rows.append({"films": kind}
                | {name: round(float(np.nanmedian([getattr(shape, name) for shape in found])), 3) if found else None
                   for name in ("detour", "jump")}
                | {name: round(float(np.median(ruler(films)) / real_of[name]), 2) for name, ruler in RULERS.items()})
page.table(rows, "impostors", data=[golf_set, held_out_golf], samples=PAIRS * STEPS,
           note=f"Golf. Medians of {PAIRS} walks of {STEPS} films, in pixels. Novelty, motion, detail: of the middle "
                "film, over those of held-out clips, which have 1. – : no walk.")

# %% [markdown]
# Now five alarms, set before we look. Which of them ring for whom?

# %%
ALARMS = {
    "only mixes pixels (detour and jump are both 1)": lambda row: row["detour"] < 1.02 and row["jump"] < 1.1,
    f"one step does it all (jump above {STEPS // 2})": lambda row: row["jump"] > STEPS // 2,
    "copies (novelty below 0.1)": lambda row: row["novelty"] < 0.1,
    "stands still (motion below 0.2)": lambda row: row["motion"] < 0.2,
    "shows fog (detail below 0.5)": lambda row: row["detail"] < 0.5,
}


def ringing(row):
    return [alarm for alarm, rings in ALARMS.items() if rings(row)]


taken = {row["films"]: row for row in page.rows("impostors") if row["detour"] is not None}
say(f"**{kind}**: {'; '.join(ringing(row)) or 'no alarm rings'}" for kind, row in taken.items())
page.expect("alarms that ring for our generator", len(ringing(taken["generator"])), high=0)
page.expect("fewest alarms for an impostor", min(len(ringing(row)) for name, row in taken.items()
                                                 if name != "generator"), low=1, why="each is caught by something")

# %% tags=["nbval-check-output"]
page.expect("detour of the cross-fade", taken["cross-fade"]["detour"], of=1, rtol=1e-3)
page.expect("jump of the cross-fade", taken["cross-fade"]["jump"], of=1, rtol=1e-3,
            why="the best marks, from no model")
page.expect("jump of the memory", taken["memory"]["jump"], low=4, high=STEPS - 1,
            why="hardly more than one step moves")
page.expect("untrained network's jump", taken["untrained"]["jump"], high=2.5, why="an even pace")
page.expect("its detour over a random walk's", taken["untrained"]["detour"] / (STEPS - 1) ** 0.5,
            low=0.5, high=1.5, why="not straight")
page.expect("novelty of the mean clip", rows[-1]["novelty"], high=0.8, why="blur is near to everything")

# %% [markdown]
# Read the table row by row.
#
# - **The cross-fade** has the best marks for smoothness that there are. They are what gives it away: a detour of exactly 1 in pixels means that each film is a mixture of the ends' pixels, and a jump of 1 that the shares are even.
#   A generator whose objects *move* from one place to another has to take a curved way through pixel space.
# - **The memory** is betrayed by its jump, and by its novelty: its films are training clips. Its detour is 1 as well wherever it answers with two clips only, since 0 % and 100 % are mixtures too. Its motion and detail are
#   those of its clips: in this stand-in the training clips move less than the few held-out ones.
# - **Frozen clips** walk about as straight and as evenly as the clips that they are made of. No number for the walk can see them; motion can.
# - **The untrained network** walks at a more even pace than the trained one. It does not walk straight: its detour is nearly that of a random walk of eight steps, $\sqrt 8 \approx 2.8$. No alarm asks for that; what gives it away is that there is nothing to see.
# - **Our generator** sets off no alarm. But its novelty is no merit by itself: blur brings a film nearer to every training clip, as the row of the mean clip shows. It is
#   enough to say that it does not copy. ([Chapter 08](08_evaluation.ipynb) shows nearest neighbours of samples as pictures.)
#
# ## The test of straightness, in the judge's features
#
# Pixels favour the cross-fade. What about features, which notice when a film stops looking like a clip? The judge has learned on actions and not on golf; its features are
# still a view of a clip that is not the pixels'. The test that this book puts in its ledger for the paper's claim is: *the detour of the line, over the detour of a random walk with as many latents, is below 1*, with its
# whole interval. As in any test, the impostors take it as well, and an untrained network of each kind.

# %%
judge = learning.judge(page)
looked_up = torch.as_tensor(judge.features(stored))


def detour_of(points):
    """Detour of a walk through the judge's features; where the films do not move at all, next to nothing."""
    return np.nan_to_num(explore.walk_shape(points).detour, nan=1e-6)


def geometric(ratios):
    """Geometric mean of ratios with its interval: a plain mean would belong to the largest of them."""
    logs = metrics.seed_interval(np.log(ratios))
    return metrics.Interval(*np.exp([logs.low, logs.high, logs.value]), len(ratios), "geometric mean")


def detours(walked):
    """Of each walk, given as films."""
    return np.array([detour_of(judge.features(films)) for films in walked])


def astray(network):
    """Detours of random walks with as many latents as the lines have."""
    return detours(explore.decode(network, latent_walks(network, number)[1]) for number in range(PAIRS))

# %% [markdown]
# Three remarks on the controls. A cross-fade knows no latents, so that its detour is held against our generator's random walks. Before training the Golf and the Aeroplane
# system are the same network, so that there is one untrained network for both. A memory often answers a whole random walk with one clip, or
# ends on the clip that it began with; there is no detour then, and such walks are left out. Its walks cost nothing, so we try sixty.

# %%
flown, flown_set = sides["aeroplane"]  # Figure 3 walks on the second set
looks = [[explore.walk_shape(looked_up[remembered(latents)]).detour for latents in latent_walks(golf, number)]
         for number in range(60)]
recalled = [straight / lost for straight, lost in looks if np.isfinite(straight) and np.isfinite(lost)]
flown_lines = (explore.decode(flown, latent_walks(flown, number)[0]) for number in range(PAIRS))
golf_astray = astray(golf)
golf_line = geometric(detours(walks["generator"]) / golf_astray)
line_3 = geometric(detours(flown_lines) / astray(flown))
impostors = {"untrained network": geometric(detours(walks["untrained"]) / astray(untrained)),
             "cross-fade": geometric(detours(walks["cross-fade"]) / golf_astray), "memory": geometric(recalled)}
everyone = {"Golf, generator": golf_line, "Aeroplane, generator": line_3, **impostors}
page.table([{"walk": name, "detour ratio": round(found.value, 3), "95 % low": round(found.low, 3),
             "95 % high": round(found.high, 3), "walks": found.n} for name, found in everyone.items()],
           "walk_straightness", data=[golf_set, flown_set], samples=PAIRS * STEPS,
           note="Detour of the line over that of a random walk, in the judge's features: geometric means with "
                "Student's intervals over pairs of latents, of one training.")

# %%
beginner_3 = impostors["untrained network"]
page.measure("detour of the line in the judge's features, over that of a random walk with as many latents",
             golf_line.value, interval=golf_line, over=f"{PAIRS} pairs of latents", claim="smooth-interpolation",
             high=1, data=[golf_set], sides=[book.side_of("HRVGAN", golf, side_records["golf"])],
             controls=[book.control(name, found) for name, found in impostors.items()])
page.measure("Aeroplane: detour of the line in the judge's features, over that of a random walk with as many latents",
             line_3.value, interval=line_3, over=f"{PAIRS} pairs of latents", claim="smooth-interpolation", high=1,
             data=[flown_set], sides=[book.side_of("HRVGAN", flown, side_records["aeroplane"])],
             controls=[book.control("untrained network", beginner_3)])
answers = {row["walk"]: "passes" if row["95 % high"] < 1 else "fails" if row["95 % low"] > 1 else "cannot be told"
           for row in page.rows("walk_straightness")}
say(f"**{answer}:** {'; '.join(names)}" for answer in ("passes", "cannot be told", "fails")
    if (names := [name for name, given in answers.items() if given == answer]))
false_friends = [name for name, given in answers.items() if given == "passes" and "generator" not in name]
page.expect("impostors that pass", len(false_friends), low=1, why="so passing is no proof")

# %% [markdown]
# ## What a smooth walk proves, and what it does not
#
# 1. **Gradual change rules out a memory.** Its films leap, and finer steps do not help it. That is worth knowing, and gradual change is what the paper's figures show. The jump gives it away: in the test of straightness
#    the memory's interval is too wide to tell.
# 2. **It does not prove that anything was learned.** An untrained network changes gradually too, and at an even pace. Straightness would be more to ask, but in the recorded run the untrained network's interval is too wide
#    as well, and the cross-fade passes.
# 3. **It does not prove meaning.** Only a middle that looks like a clip in its own right does, and for that both ends have to look like clips first.
#
# In the ledger the claim is *undecided* in the recorded run, because the interval of the Aeroplane walk reaches past 1. A narrower interval below 1 would not save it: a claim whose control passes the same test is *void*.

# %% [markdown]
# ## Figure 4: two actions
#
# > **Figure 4.** "Generated frames on UCF101 dataset for JumpingJack (1st row) and TaiChi (2nd row) actions."
#
# The main system is conditional: we ask for a class. The latents are the first that come, nothing is picked. In a clip of eight frames these are
# four source frames apart, so that the paper's strip and the one that spans the clip are the
# same; longer clips show both.

# %%
train_set = learning.clips_behind(page, "actions")
system, main_records = learning.trained(page, "hrvgan", labels=True)
wanted = [name for name in ("JumpingJack", "TaiChi") if name in train_set.classes]
wanted = wanted if len(wanted) == 2 else list(train_set.classes)[:4]
labels = torch.tensor([train_set.classes.index(name) for name in wanted])
films = system.sample(len(wanted), labels, stream("figure 4", page.seed), batch=1)
print("asked for", ", ".join(wanted))
print("    in", train_set.describe())

# %%
def strips(films):
    """Figure 4 of films, one an action: their first eight frames, and below, of longer ones, eight that span them."""
    every = films.shape[2] // 8
    rows, names = [films[:, :, :8]], [*wanted]
    if every > 1:
        rows.append(films[:, :, ::every])
        names += [f"{name}, one in {every}" for name in wanted]
    return book.clip_grid(torch.cat(rows), labels=names)


page.figure(strips(films), name="fig4_samples_actions", data=[train_set], samples=len(films),
            caption="Figure 4 of the paper, from our generator: eight consecutive frames; below them, where clips "
                    "are longer, eight that span the clip. Could you name the actions without their labels?",
            alt="Strips of eight generated frames, one strip an action: JumpingJack and TaiChi, or the classes of "
                "the action data set in use.")

# %% [markdown]
# A strip shows that neighbouring frames belong together. It cannot show that this is a *jumping jack*, unless somebody who
# does not know the label names it. The judge does:

# %%
said = judge.probabilities(films)
page.table([{"asked for": name, "judge says": judge.classes[row.argmax()],
             "with probability": round(float(row.max()), 2),
             "of the asked class": round(float(row[label]), 2)}
            for name, row, label in zip(wanted, said, labels.tolist())],
           "figure4_judged", data=[train_set], samples=len(films),
           note=f"In its exam, on the first window of each of {judge.accuracy.n} held-out real clips, the judge names "
                f"{judge.accuracy.value * judge.accuracy.n:.0f} right; guessing gives {1 / len(judge.classes):.1%}.")
say(f"The strip that was to be {row['asked for']} is named {row['judge says']}, with probability "
    f"{row['with probability']:.2f}." for row in page.rows("figure4_judged"))

# %% [markdown]
# Two clips are an anecdote. So we ask it of more samples in the layout of the figure, eight consecutive frames:
# what share does the judge name as asked? Chance is high here: if the generator ignores its label and the judge calls every film
# TaiChi, half of the answers are right. So the share has to lie above one over the number of actions with its whole interval, and an untrained network, the
# negative control, must not. A judge that reads more than eight frames is shown each of them several times.

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


def show_named(network, records, clips, table):
    """How often a network, and the same before its first step, shows what was asked for: a table, and the ledger."""
    right, guessed = (named_as_asked(one, stream("figure 4, many", page.seed))
                      for one in (network, metrics.untrained(network, page.seed)))
    page.table([{"films": name, "named as asked": round(found.value, 3), "95 % low": round(found.low, 3),
                 "95 % high": round(found.high, 3), "one answer to all": 1 / len(wanted), "N": len(many)}
                for name, found in (("generator", right), ("untrained network", guessed))], table, data=[clips],
               samples=len(many), note=f"Asked for {' and '.join(wanted)}. Intervals: over samples.")
    page.measure(f"share of samples of {' and '.join(wanted)} named as asked, eight consecutive frames of "
                 f"{network.size}x{network.size}", right.value, interval=right, claim="figure4", low=1 / len(wanted),
                 data=[clips], sides=[book.side_of("HRVGAN", network, records)],
                 controls=[book.control("untrained network", guessed)])


# %%
show_named(system, main_records, train_set, "figure4_named")
ours, beginner = page.rows("figure4_named")
say([f"The judge names {ours['named as asked']:.0%} of {ours['N']} samples as asked (95 %: {ours['95 % low']:.0%} to "
     f"{ours['95 % high']:.0%}), where one answer to all gives {ours['one answer to all']:.0%} and the untrained "
     f"network {beginner['named as asked']:.0%}. The share is "
     f"{'above' if ours['95 % low'] > ours['one answer to all'] else 'not clear of'} that of one answer to all."])

# %% [markdown]
# The interval is over samples of one training; another training was not asked. [Chapter 08](08_evaluation.ipynb) asks the same of all classes.
#
# ### In the paper's own shape
#
# A GPU also trains the uncut Table 1, 32 frames of 256×256. Figure 4 from that training follows; then what the same latent gave at moments of it, above a real clip; then how many of its clips stand
# still, and how many show what was asked for. Profiles without such a training show what a recorded run has of it.

# %%
def show_what_there_is(*names, **words):
    """Of these files those that the recorded GPU run has: an older one has not all of them."""
    page.show_recorded(*(name for name in names if page.recorded(name, run="gpu")), run="gpu", **words)


SHAPE = "Figure 4 of the paper in its own shape: eight consecutive frames; below them eight that span the clip."
STRIPS = ("Strips of eight generated frames of 256x256, two for each action: JumpingJack and TaiChi, or the classes of "
          "the action data set in use.")
if page.profile.native:
    frames, size, *_ = page.profile.native
    large_set = page.dataset("actions", frames=frames, size=size)
    large, large_records = learning.native(page)
    page.figure(strips(large.sample(len(wanted), labels, stream("figure 4", page.seed), batch=1)),
                name="fig4_samples_native", data=[large_set], samples=len(wanted), trained=page.trainings[-1:],
                caption=SHAPE, alt=STRIPS)
    same_class = large_set.batch([int((large_set.labels == 0).nonzero()[0])])[0]  # the first latent's, by label
    moments = {f"step {step:,}": clips[:1] for step, clips in large.snapshots} | {"real": same_class}
    page.figure(book.clip_grid(torch.cat([*moments.values()]), labels=[*moments], every=frames // 8),
                name="native_progress", data=[large_set], samples=1, trained=page.trainings[-1:],
                caption="One latent at moments of the training, and a real clip of the same class. Compare the last "
                        "two moments: where they still differ, the training was not at its end.",
                alt="Strips of eight frames of 256x256, one for each moment of training from early to last, and at the "
                    "bottom a strip of a real clip.")
    if large_records:
        page.took("a step in the paper's own shape", large_records[-1].seconds / len(large_records))
else:
    show_what_there_is("fig4_samples_native.png", caption=SHAPE, alt=STRIPS)
    show_what_there_is("native_progress.png")

# %%
learned = page.profile.native or page.recorded_profile("fig4_samples_native.png", "gpu").get("native")
if learned:
    say([f"{learned[3]:,} steps of {learned[2]} clips are behind it, {learned[2] * learned[3]:,} clips. In the lower "
         "strips: is it one person, from the first frame to the last?"])

# %%
def changes_of(source, n):
    """How much each of n clips changes from frame to frame, all frames at full size."""
    return np.concatenate([metrics.frame_change(clips) for clips, *_ in source.draw(n, page.seed)])


if page.profile.native:
    changed = {"real, of training": changes_of(metrics.real_clips(large_set), min(64, page.profile.samples)),
               "generated": changes_of(metrics.generated(large), min(64, page.profile.samples))}
    usual, rows = np.median(changed["real, of training"]), []
    for name, change in changed.items():
        still = metrics.share(change < STILL * usual, metrics.drawn(len(change), name))
        rows.append({"clips": name, "share that stands still": still.value, "95 % low": still.low,
                     "95 % high": still.high, "median change, of real": np.median(change) / usual, "N": len(change)})
    page.table(rows, "native_motion", data=[large_set], samples=len(changed["generated"]),
               note=f"All {frames} frames at {size}x{size}. A clip stands still where it changes from frame to frame "
                    f"by less than {STILL:.0%} of the median of the real clips. Intervals: over clips.")
    show_named(large, large_records, large_set, "native_named")
else:
    show_what_there_is("native_motion.csv", "native_named.csv")

# %% [markdown]
# ## Temporal consistency
#
# ### Change and jitter
#
# "Highlighting temporal consistency" is a statement about neighbouring frames. How much does a frame differ from the next, and how much of that is *jitter*, a change that the
# following frame takes back? We call jitter the size of the second difference over that of the first:
#
# $$\text{jitter} = \frac{\mathrm{rms}(x_{t+1} - 2 x_t + x_{t-1})}{\mathrm{rms}(x_{t+1} - x_t)} .$$
#
# For a movement at an even pace the second difference is small, and so is jitter. For frames that are independent of each other with variance $\sigma^2$, the first difference has
# the variance $\sigma^2 + \sigma^2 = 2 \sigma^2$ and the second $\sigma^2 + 4\sigma^2 + \sigma^2 = 6\sigma^2$: jitter is $\sqrt{6/2} = \sqrt 3 \approx 1.73$.
# (More is possible: frames that flicker between two pictures have 2.)

# %%
def jitter(films):
    """(N, 3, T, S, S) -> (N,): rms of the second difference in time over that of the first."""
    first, second = (films.diff(n=n, dim=2).square().flatten(1).mean(dim=1).sqrt() for n in (1, 2))
    return (second / first.clamp(min=1e-8)).numpy()


def shuffled(films, name):
    """Each film's own frames in a random order."""
    order = torch.rand(films.shape[0], films.shape[2], generator=stream(name, page.seed)).argsort(dim=1)
    return films.gather(2, order[:, None, :, None, None].expand_as(films))


count, held_out_set = 4 if page.rehearse else 64, learning.clips_behind(page, "actions", "test")
real, _, numbers = held_out_set.draw(count, stream("real", page.seed))
generated = system.sample(count, generator=stream("consistency", page.seed))
noise = 2 * torch.rand(8, *real.shape[1:], generator=stream("noise")) - 1
beginner = metrics.untrained(system, page.seed).sample(count, generator=stream("consistency", page.seed))
sources = {"real": real, "hrvgan": generated, "untrained": beginner, "shuffled": shuffled(generated, "mixed"),
           "frozen": metrics.freeze(generated), "noise": noise}
measured = {name: (metrics.frame_change(films), jitter(films)) for name, films in sources.items()}
page.table([{"films": name, "frame to frame": round(float(np.median(change)), 3),
             "jitter": round(float(np.median(jerk)), 2)}
            for name, (change, jerk) in measured.items()], "temporal_consistency", data=[train_set, held_out_set],
           samples=count, note=f"Medians over clips. Shuffled and frozen: HRVGAN's own samples, spoilt. Frames are "
                               f"{train_set.stride} source frames apart.")

# %%
fig, axis = plt.subplots(figsize=(8, 3.6))
for name, marker in zip(("real", "hrvgan", "untrained", "shuffled"), "osv^"):
    axis.scatter(*measured[name], s=22, alpha=0.6, marker=marker, color=book.SYSTEM_COLOURS[name], label=name)
axis.axhline(3**0.5, color="0.4", linestyle=":", linewidth=1)
axis.set(xlabel="change from frame to frame", ylabel="jitter", ylim=(1.2, 2), xlim=(0, None))
axis.legend(frameon=False, ncol=4, loc="upper center")
page.figure(fig, data=[train_set, held_out_set], samples=count,
            caption="One point a clip; dotted, the jitter of independent frames. A clip far to the left "
                    "hardly moves, whatever its height. Frozen clips would all lie at the origin, noise far to the "
                    "right.",
            alt="Scatter of clips: change between neighbouring frames on the horizontal axis, jitter on the "
                "vertical. Real and generated clips form one cloud at a jitter of about 1.55; the same samples "
                "shuffled lie higher and further right, around the root of three; untrained ones at the far left.")

# %%
table = {row["films"]: row for row in page.rows("temporal_consistency")}
say([f"**{name}**: jitter {table[name]['jitter']:.2f}, change {table[name]['frame to frame']:.3f}, "
     f"{table[name]['frame to frame'] / table['real']['frame to frame']:.2f} of that of real clips"
     for name in ("real", "hrvgan", "frozen")])
page.expect("jitter of noise", table["noise"]["jitter"], of=3**0.5, rtol=0.03, why="independent frames")
page.expect("jitter of real clips", table["real"]["jitter"], high=3**0.5, why="a movement goes on")
page.expect("jitter of frozen clips", table["frozen"]["jitter"], high=0.01, why="the best mark, for standing still")

# %% [markdown]
# Frozen clips have the best jitter that there is, as the cross-fade has the best detour. So jitter counts only beside the change. Do not expect zero from real clips either: a limb that
# moves by more than its own width between two frames counts as jitter.
#
# ### A test of order and motion
#
# The ledger's test of "temporally coherent" has two parts, and a system has to pass both.
#
# - **Order.** Frames that belong together change less in their own order than shuffled. Call the first change over the second $c$. The $c$ of the samples must lie within a factor of 1.25 of the $c$ of real clips.
# - **Motion.** The median change must lie within a factor of 2 of the real one. A film that stands still fails here.
#
# An untrained network, noise, and our own samples with their frames shuffled are the negative controls: each must fail one part.

# %%
def in_order_and_shuffled(films):
    """(N, 3, T, S, S) -> (N, 2): each film's change from frame to frame, as it is and with its frames shuffled."""
    return np.stack([metrics.frame_change(films), metrics.frame_change(shuffled(films, "shuffled"))], axis=1)


def coherence(changes):
    return changes[:, 0].mean() / changes[:, 1].mean()


def motion(changes):
    return np.median(changes[:, 0])


real_changes, real_draw = in_order_and_shuffled(real), metrics.draw_of(held_out_set, numbers)
films_of = {"samples": generated, "untrained network": beginner, "noise": noise,
            "samples with their frames shuffled": sources["shuffled"]}
changes = {name: in_order_and_shuffled(films) for name, films in films_of.items()}
PARTS = (("change in order over change when shuffled, samples over real clips", coherence, 1.25),
         ("median change from frame to frame, samples over real clips", motion, 2))
results = [{name: metrics.half_sample_interval(lambda ours, theirs, of=statistic: of(ours) / of(theirs), mine,
                                               real_changes, draws=[None, real_draw], floor=0)
            for name, mine in changes.items()} for _, statistic, _ in PARTS]

# %%
rows = [{"films": name} for name in changes]
for (what, _, bound), found, part in zip(PARTS, results, ("order", "motion")):
    for row in rows:
        one = found[row["films"]]
        row |= {part: round(one.value, 3), f"{part} 95 %": f"{one.low:.2f} to {one.high:.2f}"}
        told = ["passes"] if 1 / bound <= one.low and one.high <= bound else []
        told += [f"fails {part}"] if one.high < 1 / bound or one.low > bound else []
        row["verdicts"] = row.get("verdicts", []) + (told or [f"{part} cannot be told"])
    ours = found.pop("samples")
    page.measure(what, ours.value, interval=ours, claim="temporal-coherence", low=1 / bound, high=bound,
                 data=[train_set, held_out_set],
                 sides=[book.side_of("HRVGAN", system, main_records)],
                 controls=[book.control(name, interval) for name, interval in found.items()])
for row in rows:
    verdicts = row.pop("verdicts")
    row["verdict"] = ", ".join(one for one in verdicts if one != "passes") or "passes both"
page.table(rows, "temporal_tests", data=[train_set, held_out_set], samples=count,
           note="Ratios to real, held-out clips, 1 is as real. Asked: order from 0.8 to 1.25, motion from 0.5 to 2. "
                "A part is passed, or failed, where the whole interval lies inside, or outside.")

# %%
tests = {row["films"]: row for row in page.rows("temporal_tests")}
say(f"**{name}**: {row['verdict']} (order {row['order']:.2f}, motion {row['motion']:.2f})"
    for name, row in tests.items())
page.expect("order of the samples", tests["samples"]["order"], low=0.8, high=1.25)
page.expect("motion of the samples", tests["samples"]["motion"], low=0.5, high=2)

# %% [markdown]
# In the recorded run our samples pass both parts. The claim stays undecided all the same: the interval of a control, our samples with their frames shuffled, reaches into what is asked, so
# that the test itself cannot be said to reject them. More clips would make the intervals narrower.
#
# ## A quiz for your own eye: real or generated?
#
# In a live notebook the next cell shows up to twenty of the clips above, one after the other, for you to name, and keeps the score. From ten answers on
# the score has an interval; it has to leave out one half, or you may as well have guessed. On paper and on the web there are eight clips with folded answers, too few for an interval.

# %%
from hrvgan_lib.book.widgets import Quiz

Quiz(real, generated, seed=page.seed).show()

# %% [markdown]
# ## The explorer: a walk by hand
#
# In a live notebook the next cell shows two latents, the clip between them, a slider, and a play button; a menu chooses among the generators of this chapter, another among the
# classes of one that has classes. On paper and on the web it is a strip: one clip at five places of the same walk. Where the files of a recorded run hold a generator of actions, it comes first, under the
# name of that run and its machine: a walk between clips is worth more where the ends look like clips.

# %%
generators = {"Golf": (golf, ()), "Aeroplane": (flown, ()), "actions": (system, train_set.classes)}
if recorded := page.recorded_system():
    origin = explore.origin_of(page.recorded("hrvgan_generator.safetensors"))
    generators[origin] = recorded, json.loads(recorded.about["classes"])
explorer = explore.LatentExplorer(generators, seed=page.seed, width=440)
explorer.show()
shown = explorer.system
print(f"in the strip: {explorer.source.value}, {explorer.label.label}, "
      f"{shown.frames} frames of {shown.size}x{shown.size}, seed {page.seed}")

# %% [markdown]
# ## Class against latent: which of them sets the surroundings?
#
# Put the slider in the middle and change the class. Does the latent keep the surroundings, and does the class change the person only? The figure shows the first four
# latents under every class. The numbers below it are of sixteen: how far apart are two films of one class and two latents, and two films of one latent and two classes?

# %%
n_classes, some_latents = system.n_classes, system.latents(4 if page.rehearse else 16, stream("every class", page.seed))
grid = torch.stack([explore.decode(system, some_latents, label)[:, :, system.frames // 2]
                    for label in range(n_classes)], dim=1)  # (latent, class, 3, S, S)
page.figure(book.clip_grid(grid[:4].transpose(1, 2), labels=[f"latent {i}" for i in range(1, 5)]), data=[train_set],
            samples=4 * n_classes,
            caption=f"One latent a row, one class a column: {', '.join(train_set.classes)}. Follow the background: "
                    "along a row, and down a column.",
            alt="Four rows of generated frames, one column for each class: a figure in front of a dark or a light "
                "background. Some rows are nearly alike; within a row the background can change with the class.")


# %%
def between_pairs(frames, axis):
    """Mean absolute difference of all pairs along an axis, the others kept."""
    return torch.stack([(frames - frames.roll(k, axis)).abs().mean() for k in range(1, frames.shape[axis])]).mean()


edge = torch.ones(system.size, system.size, dtype=torch.bool)
edge[system.size // 6 : -(system.size // 6), system.size // 6 : -(system.size // 6)] = False
for where, place, least in (("border", edge, 1.2), ("middle", ~edge, 0.7)):
    by_latent, by_class = (between_pairs(grid[..., place], axis).item() for axis in (0, 1))
    print(f"this run, {len(grid)} latents, {where}: two latents differ by {by_latent:.2f}, "
          f"two classes by {by_class:.2f}")
    page.expect(f"{where}: latents over classes", by_latent / by_class, low=least)
far = torch.stack([(grid - one).abs().flatten(1).mean(dim=1) for one in grid])[*np.triu_indices(len(grid), 1)]
print(f"    two latents, whole frame: most alike {far.min():.2f}, median {far.median():.2f}, "
      f"least alike {far.max():.2f}")

# %% [markdown]
# In the recorded run another latent changes the border nearly twice as much as another class does, and the middle about as much. So the latent has more to say about the surroundings, but not alone: in the figure the first
# class has a dark background under latents that draw a light one for the others. Nothing in the losses asks the two to keep apart.
#
# Latents 1, 3 and 4 give almost the same frames, latent 2 others. Many latents with few scenes are a sign of *mode collapse* ([chapter 08](08_evaluation.ipynb) measures the variety
# of samples), and the reason why four latents would be too few for the numbers.
#
# ## Check yourself
#
# 1. Why is the middle of a line between two random latents too short, and not too long?
# 2. *(Calculation)* Two latents of the same length are exactly at right angles. By which angle has the line turned after a quarter of the way, and by which the great circle?
# 3. *(Calculation)* A walk of nine films stands still for seven steps and does everything in the eighth. What are detour and jump? Which impostor is it?
# 4. *(Calculation)* Below the table of Figures 2 and 3 the shares of the four steps are printed. Work out the jump of both walks from them. Why is the larger one still no leap?
# 5. *(Table)* Which impostors would pass if only detour and jump were asked, and which if only novelty and detail were?
# 6. The walk of an untrained network is gradual and even, though not straight. Why does that weaken the paper's argument from "gradual transitions"?
# 7. A generator has less jitter than real clips. Is it better?
#
# <details><summary>Answers</summary>
#
# 1. They are nearly at right angles. The middle is half the diagonal of a square, $\sqrt{1/2}$ of its side.
# 2. The line is at $(0.75, 0.25)$, which is $\arctan(1/3) \approx 18.4°$. The great circle has turned by $90° / 4 = 22.5°$.
# 3. The length is that of the one step, and so is the distance of the ends: detour 1. The mean step is an eighth of the longest: jump 8. It is the memory.
# 4. The mean step is a quarter, so the jump is four times the largest share: in the recorded run about 2.1 for Golf and 1.3 for Aeroplane. With 32 steps Golf's largest takes only 7 % of the way; a leap would still take half.
# 5. Only detour and jump: frozen clips, and the untrained network. (The cross-fade passes for whoever takes 1 and 1 for the best marks.) Only novelty and detail: the cross-fade and frozen clips.
# 6. What holds before training cannot be evidence of what training achieved. (Straightness might be; here its interval is too wide to tell.)
# 7. Not by that. See how much it moves: a still picture has no jitter.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Multiply a latent by 1, 2, 4 and 8. *Expected:* each doubling changes the film less than the one before it: pixel norm forgets the length.
# 2. *(easy)* Keep the latent and walk between two *classes*: mix their embeddings. *Expected:* five films, with a jump below 3 where one step that did it all would be 4: a class is
#    approached step by step, if not at an even pace.
# 3. *(easy)* Make the pace even: place the nine latents of a line so that every step changes the film equally. *Expected:* the jump in pixels falls to below 1.15.
# 4. *(hard)* Look for the latents of the two held-out golf clips without the encoder: start at its codes, and follow the gradient of the squared error for 30 steps of Adam. *Expected:* films that are
#    nearer to the clips than the encoder's by 0.2 dB or more, from latents that do not lie on the shell (1 or more away from 11.3).
# 5. *(hard)* Build an impostor that sets off none of our alarms. Let the memory answer with a *mixture* of its clips, with weights $\mathrm{softmax}(z \cdot k_i / \tau)$ over their keys, $\tau = 10$.
#    *Expected:* no alarm rings. What would you measure next?

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
latent = golf.latents(1, stream("exercise 3"))
louder = explore.decode(golf, torch.cat([factor * latent for factor in (1, 2, 4, 8)]))
steps_up = louder.diff(dim=0).abs().flatten(1).mean(dim=1)
page.expect("change from 2 to 4 over change from 1 to 2", steps_up[1] / steps_up[0], high=1)
page.expect("change from 4 to 8 over change from 1 to 2", steps_up[2] / steps_up[0], high=1)
page.measure("change of a film when its latent grows from 4 to 8 times its length, over that from 1 to 2",
             steps_up[2] / steps_up[0], decision="A13", data=[golf_set],
             sides=[book.side_of("HRVGAN", golf, side_records["golf"])])

# %% tags=["solution", "nbval-check-output"]
# Exercise 2: the generator's own two parts, with a mixed embedding between them
sampler, latent = system.sampler, system.latents(1, stream("exercise 2"))
with torch.no_grad():
    mixed = explore.interpolate(*sampler.embed.weight[:2], 5)
    features = sampler.fc(torch.cat([latent.expand(5, -1), mixed], dim=1)).unflatten(-1, sampler.shape)
    between_classes = sampler.layers(features).float().cpu()
page.expect("jump between two classes", explore.walk_shape(between_classes).jump, low=1, high=3)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3: walk finely, sum up the lengths, and read off where each eighth of the length is reached
ends = golf.latents(2, stream("walk", page.seed, 0))
fine = explore.interpolate(*ends, 65)
travelled = explore.decode(golf, fine).flatten(1).diff(dim=0).norm(dim=1).cumsum(0)
travelled = np.concatenate([[0], (travelled / travelled[-1]).numpy()])
share = torch.as_tensor(np.interp(np.linspace(0, 1, STEPS), travelled, np.linspace(0, 1, 65)), dtype=fine.dtype)
share = share.view(-1, *[1] * ends[0].dim()).to(ends.device)
paced = explore.decode(golf, (1 - share) * ends[0] + share * ends[1])
page.expect("jump at an even pace", explore.walk_shape(paced).jump, high=1.15)

# %% tags=["solution"]
# Exercise 4
found = coded(pair).clone().requires_grad_()
optimiser = torch.optim.Adam([found], lr=0.1)
for _ in range(30):
    optimiser.zero_grad()
    (golf.sampler(found) - pair.to(golf.device)).square().flatten(1).mean(dim=1).sum().backward()
    optimiser.step()
gain = metrics.psnr(explore.decode(golf, found.detach()), pair).mean() - metrics.psnr(between[[0, -1]], pair).mean()
page.expect("dB nearer than the encoder's films", gain, low=0.2)
away = (found.detach().flatten(1).norm(dim=1).mean() - found[0].numel() ** 0.5).abs()
page.expect("length of the latents found, away from the shell's 11.3", away, low=1, why="off the shell")

# %% tags=["solution"]
# Exercise 5
faked = []
for number in range(PAIRS):
    weights = ((latent_walks(golf, number)[0].cpu().flatten(1) @ keys.flatten(1).T) / 10).softmax(dim=1)
    faked.append(torch.tensordot(weights, stored, dims=1))
films, found_shapes = torch.stack([walk[STEPS // 2] for walk in faked]), [explore.walk_shape(walk) for walk in faked]
row = {name: float(np.median([getattr(shape, name) for shape in found_shapes])) for name in ("detour", "jump")}
row |= {name: float(np.median(ruler(films)) / real_of[name]) for name, ruler in RULERS.items()}
print(", ".join(f"{name} {value:.2f}" for name, value in row.items()))
page.expect("alarms that ring for the mixed memory", len(ringing(row)), high=0, why="passing tests is not learning")

# %% [markdown]
# A judge of its ghosts could be next, or a search for the mixture of training clips that is nearest to a film. Whoever knows the tests can fake them; a test is an argument only against those who do not.
#
# ## What we now know
#
# - We walked on a line and on a great circle, and saw the line leave the shell of latents that training saw.
# - We encoded real clips, and found out by two numbers whether the walk between their codes joins the clips.
# - We measured walks by detour and jump, in pixels and in the judge's features.
# - A cross-fade walks straighter than our generator, a memory shows real clips, an untrained network walks at an even pace, frozen clips walk as well as moving ones. Each was given away by a number that the others pass. Gradual change
#   ruled out one of them, the memory, and proved neither learning nor meaning.
# - A strip of frames showed consistency, which is worth something only together with movement and with a name given by a judge.
#
# ## Where next
#
# [Chapter 10](10_tables.ipynb) sets the paper's numbers beside ours. [Chapter 08](08_evaluation.ipynb) has the judge and
# asks hundreds of samples what they show.

# %%
page.colophon()
