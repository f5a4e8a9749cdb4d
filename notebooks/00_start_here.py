# %% [markdown]
# # 00 · Thirty-two frames from noise: what a paper claims, and how to check it
#
# | | |
# |---|---|
# | **You will build** | four wrong videos, and two numbers that tell some of them from a real one |
# | **Reads** | the labelled clips |
# | **Writes** | nothing that other chapters need |
# | **Budget** | seconds, and half a minute more the first time, while the clips are drawn and packed |
#
# A generative adversarial network learns to make videos by losing arguments. The paper that this book takes apart says that
# one such network makes them at 256×256 pixels, better than three well-known predecessors. By the last chapter you will
# know which parts of that you have seen with your own eyes.
#
# **By the end** you can
#
# - say what problem the paper solves, what it builds on, and what it claims, in numbers;
# - name three failures that a video generator must avoid, and recognise each;
# - find your way: which chapter holds which equation, what a profile is, where results go;
# - say what the book will count as evidence, and what it will not.

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

page = book.open_page("00_start_here", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %% [markdown]
# ## First, look
#
# Before any theory: this is what the networks of this book look at. Each row is one clip, its frames side by side in time. If
# you have put UCF101 into the data folder, these are people in front of cameras. If not, they are *stand-ins*: drawn by a program,
# written to disk in UCF101's own format, and read by the loader that reads the real thing. The page always says which, and so
# does the small file beside every table and figure.

# %%
import torch

dataset = page.dataset("actions")
kinds = sorted(set(dataset.labels.tolist()))  # the classes that are there, as numbers
shuffled = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed)).tolist()
first = [next(i for i in shuffled if dataset.labels[i] == kind) for kind in kinds[:4]]  # any clip of each kind
clips, labels = dataset.batch(first)
page.figure(book.clip_grid(clips, every=max(1, dataset.frames // 8),
                           labels=[dataset.classes[label] for label in labels]),
            caption="Four labelled clips, one a row.",
            alt="Four rows of frames. In each, a person moves before a background: limbs change from frame to "
                "frame while clothes and background stay.")

# %%
print(dataset.describe())
print("one clip:", tuple(clips[0].shape), "= colour, time, height, width; values from",
      f"{clips.min():.1f} to {clips.max():.1f}")
book.movie(clips, fps=8, alt="the same four clips, moving")

# %% [markdown]
# ## Three ways not to make a video
#
# A video has to be three things at once: each frame must look like something; the frames must belong together; and the next
# video must be another one. Let us fail at each of them on purpose.
#
# - **Noise** needs no learning. It is different every time, and looks like nothing.
# - **The mean clip** is the answer to "which one clip is closest to all clips?", if closeness is the squared pixel error of
#   Eq. 10. It is the safest bet there is, and a ghost.
# - **A frozen frame** is a perfect picture, 32 times.
#
# And a fourth, for the eye that has seen the other three: **shuffled frames**. Every frame is real. The film is not.

# %%
draws = torch.Generator().manual_seed(seed)
many, _, _ = dataset.draw(64, draws)
real = many[:1]
wrong = {
    "real": real,
    "noise": torch.rand(real.shape, generator=draws) * 2 - 1,
    "mean clip": many.mean(dim=0, keepdim=True),
    "frozen": real[:, :, :1].expand_as(real),
    "shuffled": real[:, :, torch.randperm(real.shape[2], generator=draws)],
}

# %%
page.figure(book.clip_grid(torch.cat(list(wrong.values())), every=max(1, dataset.frames // 8), labels=list(wrong)),
            caption="A real clip and four failures.",
            alt="Five rows of frames: a real clip, coloured noise, a blurred ghost that is the mean of many clips, "
                "one frame repeated, and the real frames in the wrong order.")

# %% [markdown]
# Two simple numbers: *sharpness*, how much neighbouring pixels of a frame differ; and *motion*, how much a pixel
# differs from itself one frame later. Both as multiples of the real clip's.

# %%
import matplotlib.pyplot as plt


def sharpness(clip):
    """Mean absolute difference of horizontal neighbours; clips are (1, 3, time, height, width)."""
    return clip.diff(dim=4).abs().mean().item()


def motion(clip):
    """Mean absolute difference of a pixel from one frame to the next."""
    return clip.diff(dim=2).abs().mean().item()


measured = {name: (sharpness(clip) / sharpness(real), motion(clip) / motion(real)) for name, clip in wrong.items()}
colours = [book.SYSTEM_COLOURS["real"], book.SYSTEM_COLOURS["noise"], "0.75", book.SYSTEM_COLOURS["frozen"], "0.45"]
fig, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
for place, (axis, title) in enumerate(zip(axes, ("sharpness, real = 1", "motion, real = 1"))):
    axis.barh(list(measured), [values[place] for values in measured.values()], color=colours)
    axis.axvline(1, color="0.3", linestyle="--")
    axis.set(title=title, xscale="symlog", xlim=(0, None))
axes[0].invert_yaxis()
page.figure(fig,
            caption="Two numbers for each clip, as multiples of the real one's.",
            alt="Two bar charts for real, noise, mean clip, frozen and shuffled. Sharpness: noise many times above "
                "real, the mean clip far below, frozen and shuffled near one. Motion: noise far above, the mean "
                "clip far below, frozen zero, shuffled above one.")

# %% tags=["nbval-check-output"]
page.expect("noise: sharpness, real = 1", measured["noise"][0], low=2)
page.expect("mean clip: motion, real = 1", measured["mean clip"][1], high=0.7)
page.expect("frozen: motion", measured["frozen"][1], high=0)
page.expect("shuffled: sharpness, real = 1", measured["shuffled"][0], low=0.999, high=1.001,
            why="the frames are the same")

# %% [markdown]
# Each failure is caught by one of the numbers or by the other, and none by both. Yet these numbers are easily fooled, as
# exercise 3 shows. What is wanted is a judge that has itself learned what videos look like. In training, that is the
# *discriminator*; in evaluation, a classifier of actions. The paper needs both, and so does this book.
#
# ## The paper in ten minutes
#
# **The problem (section 1).** A video is more than a stack of images: it has motion, and what may move how depends on what is
# seen. The number of values grows with the third dimension, and a generator has to get appearance and motion right together.
# The paper asks for clips that are coherent in time and sharp in space, for a network that is not tailored to one data set, and
# for generation *and* prediction.

# %% [markdown]
# **What it builds on (section 2).** Five threads come together; the numbers are those of the paper's bibliography.

# %% tags=["nbval-check-output"]
from hrvgan_lib import paper

THREADS = {
    "adversarial networks, and how to keep them stable": (9, 22, 16),
    "critics with a Lipschitz constraint": (2, 10, 7),
    "conditions: a class, or given frames": (18,),
    "growing to high resolution; against collapse": (14, 8, 24),
    "videos from GANs": (30, 21, 27, 33, 1),
    "other ways to model videos": (28, 29, 6),
}
page.table([{"thread": thread, "read": "; ".join(paper.cite(number) for number in numbers)}
            for thread, numbers in THREADS.items()], data=())

# %% [markdown]
# Three of the fifth thread return as rivals. *VGAN* paints a moving foreground over a still background. *TGAN* first makes a
# sequence of latent vectors, then an image from each. *MoCoGAN* keeps one vector for what is seen and lets another, for motion,
# walk through time. All three work at 64×64. HRVGAN treats time as a third axis of one and the same convolution, from
# 4×4×4 to 32×256×256.
#
# **What it contributes (end of section 2).** In our words: a GAN for video at 256×256; its layers, losses and training written
# out; experiments on UCF101, Golf and Aeroplane; and better scores than earlier work on both usual metrics.
#
# **The method (sections 3 and 4)** on one page:
#
# 1. A *generator* turns 128 random numbers and a label into a clip (Table 1, chapter 03).
# 2. A *discriminator* turns a clip and a label into one score (Table 2, chapter 04).
# 3. Three norms keep features in range: batch norm, pixel norm, instance norm (Eqs. 8 and 9, chapter 02).
# 4. The discriminator learns to tell real from generated, the generator to be taken for real; a constant $k$ asks that the score
#    not change faster than its input by more than that factor (Eqs. 1 to 7 and 11 to 14, chapter 05).
# 5. A pixel error holds the generator to actual clips, with half the weight (Eqs. 10 and 15).
# 6. The two take turns (Algorithm 1, chapter 06).
#
# **The results (section 5).** Two tables. On UCF101 a classifier scores how recognisable and how varied the samples are; higher is
# better. On Golf and Aeroplane the distance between the statistics of real and generated clips is taken; lower is better.

# %%
columns = {
    "Table 3: Inception Score, UCF101": {row.model: row.score for row in paper.TABLE3},
    "Table 4: Fréchet distance, Golf": {row.model: row.golf for row in paper.TABLE4},
    "Table 4: Fréchet distance, Aeroplane": {row.model: row.aeroplane for row in paper.TABLE4},
}
fig, axes = plt.subplots(1, 3, figsize=(11, 2.8))
for axis, (title, column) in zip(axes, columns.items()):
    keys = ["hrvgan" if model == paper.OURS else model.lower() for model in column]
    bars = axis.bar(list(column), list(column.values()), color=[book.SYSTEM_COLOURS[key] for key in keys])
    axis.bar_label(bars, [f"{value:,}" for value in column.values()], fontsize=8)
    axis.set_title(title, fontsize=10)
    axis.margins(y=0.15)
page.figure(fig, data=(),
            caption="The published values of Tables 3 and 4.",
            alt="Three bar charts of the published values. Inception Score on UCF101: VGAN 8.18, TGAN 11.85, "
                "MoCoGAN 12.42, HRVGAN 14.29. Fréchet distance on Golf and on Aeroplane for VGAN, TGAN and HRVGAN, "
                "HRVGAN lowest.")

# %% tags=["nbval-check-output"]
for dataset_name in ("golf", "aeroplane"):
    ratios = {rival: paper.frechet_ratio(dataset_name, to=rival) for rival in ("VGAN", "TGAN")}
    print(f"{dataset_name}: HRVGAN's distance is",
          ", ".join(f"{ratio:.3f} of {rival}'s" for rival, ratio in ratios.items()))
print(f"UCF101: HRVGAN's score is {paper.inception_ratio(to='MoCoGAN'):.3f} of MoCoGAN's")

# %% [markdown]
# The book will come back to these ratios more often than to the values. A Fréchet distance depends on the network whose features
# it compares, and on the number of clips (decision [**E2**](12_claims_and_decisions.ipynb#E2)); a ratio under one protocol depends on neither as much.
#
# **The conclusion (section 6).** The architecture extends the original GAN, is trained on a squared pixel error with
# an adversarial term under a $k$-Lipschitz condition, and is reported ahead of earlier methods on all three data sets, with smooth
# interpolations in latent space.
#
# ## What this book does about it
#
# Two lists accompany you. The *claims*: each statement of the paper that can be tested, with the test. The *decisions*:
# each point that the paper leaves open, with the options, our choice and the switch for another. Both are data, so they can be
# counted.

# %% tags=["nbval-check-output"]
from collections import Counter

from hrvgan_lib.paper.claims import NEEDS

kinds_of_claim = Counter(entry.kind for entry in paper.CLAIMS.values())
groups = Counter(entry.group for entry in paper.DECISIONS.values())
print(len(paper.CLAIMS), "claims:",
      ", ".join(f"{count} {kind}s" if count > 1 else kind for kind, count in kinds_of_claim.items())
      .replace("propertys", "properties"))
print(len(paper.DECISIONS), "decisions:", ", ".join(f"{count} on {group}" for group, count in groups.items()))
print("\nA claim may need what not every reader has:")
for need, what in NEEDS.items():
    print(f"  {sum(need in entry.needs for entry in paper.CLAIMS.values()):2} need {what}")

# %% [markdown]
# Rules of evidence, the same in every chapter:
#
# - *A published number* is reproduced, or not, on the named data set with the published classifier only. Elsewhere we show the nearest
#   measurement and say that it is that.
# - *An ordering* needs intervals that do not touch.
# - *A picture* is an illustration. It never settles anything.
# - *A number of ours* is computed where it stands, and has its data set, its sample count and its interval with it.
#
# In the text, the paper's words stand in a box of their own like this one:
#
# > **Section 4.5.** "Where α and β are constants with values of 0.5 and 0.5, respectively."
#
# and so does what they leave open, with the decision's letter and number:
#
# > **What it does not say.** Whether the norm of Eq. 10 is a sum or a mean ([**L10**](12_claims_and_decisions.ipynb#L10)).
#
# Every numbered equation has one function. The index:

# %% tags=["nbval-check-output"]
page.table([{"equation": number, "what": entry.what, "section": entry.section,
             "function": f"hrvgan_lib.{entry.function}", "decisions": ", ".join(entry.decisions)}
            for number, entry in paper.EQUATIONS.items()], data=())

# %% [markdown]
# ## The chapters
#
# Each runs alone, and each begins with a table of what it reads and writes.

# %%
SECTIONS = {"00": "1, 2, 6", "01": "4.1", "02": "4.3, 4.4", "03": "4.2", "04": "4.2", "05": "3, 4.5", "06": "4.6",
            "07": "4.2, 4.5", "08": "4.7", "09": "5", "10": "5"}
chapters = []
for source in sorted((page.root / "notebooks").glob("[0-9][0-9]_*.py")):
    title = next(line for line in source.read_text(encoding="utf-8").splitlines() if line.startswith("# # "))
    chapters.append({"chapter": source.stem, "question": title.removeprefix("# # ").split(" · ")[-1],
                     "paper": SECTIONS.get(source.stem[:2], "-")})
page.table(chapters, data=())

# %% [markdown]
# ## How to run
#
# `make reproduce` runs all chapters and writes every table and figure; `make lab` opens them to be played with. `PROFILE` says
# how much of everything: each is the same code with other numbers.

# %% tags=["nbval-check-output"]
from hrvgan_lib.profiles import PROFILES

page.table([{"PROFILE": p.name, "for": p.hardware, "clips": f"{p.frames}×{p.size}×{p.size}",
             "channels of Table 1": f"× {p.width:.3g}", "steps": p.steps, "samples scored": p.samples}
            for p in PROFILES.values()], data=())

# %% [markdown]
# `DATA_ROOT=<folder>` uses real data sets where they are (`data/README.md` says where to get them), `ACTIONS=weizmann` takes the
# Weizmann people as the labelled set, `SEED` changes the draw, and `REHEARSE=1` walks through a big profile in two steps to see that
# nothing breaks. Results go to `figures/<run>/`, executed chapters to `runs/<run>/`.
#
# These are the files that every run writes. The recorded run, made on a GPU, is part of the project where the last column says so.

# %%
RESULTS = {
    "table1_generator.csv": "03", "table2_discriminator.csv": "04", "table3_inception_score.csv": "10",
    "table4_frechet_distance.csv": "10", "fig1_architecture.png": "04", "fig2_interpolation_golf.png": "09",
    "fig3_interpolation_aeroplane.png": "09", "fig4_samples_actions.png": "09", "claims.csv": "12",
    "decisions.csv": "12",
}
page.table([{"file": name, "written by chapter": chapter, "recorded": page.recorded(name) is not None}
            for name, chapter in RESULTS.items()], data=())

# %% [markdown]
# ## The shortest way to a generated clip
#
# Everything between here and chapter 10 serves these four lines. They run now; without training, the generator knows nothing
# about people.

# %%
from hrvgan_lib.networks import build_system

torch.manual_seed(seed)
system = build_system("hrvgan", frames=8, size=32, n_classes=dataset.n_classes, width=1 / 8)
samples = system.sample(2, labels=torch.tensor(kinds[:2]), generator=torch.Generator().manual_seed(seed))
page.figure(book.clip_grid(samples, labels=[f"untrained, {dataset.classes[kind]}" for kind in kinds[:2]]), data=(),
            caption="Two clips from a generator that has seen nothing.",
            alt="Two rows of frames of nearly even grey, the output of an untrained generator.")

# %% [markdown]
# ## Check yourself
#
# <details><summary>Which failure does a generator choose when it is trained on the squared pixel error to unrelated clips
# alone?</summary>
#
# The mean clip: it has the smallest expected error of all clips.
#
# </details>
# <details><summary>Sharpness and motion of the shuffled clip: which one changes?</summary>
#
# Motion: it rises, since frames that are far apart in time now follow each other. Sharpness looks at single frames.
#
# </details>
# <details><summary>A stand-in gives an Inception Score above the published one. What follows?</summary>
#
# Nothing about the paper. Another data set and another classifier: the two numbers have no common scale.
#
# </details>
#
# ## Exercises
#
# 1. *(easy)* By how many percent is HRVGAN's published Fréchet distance below TGAN's, on each data set?
#    **Expected:** 8.4 % on Golf, 13.6 % on Aeroplane.
# 2. *(easy)* How many times more values has a clip of 32×256×256 than one of 16×64×64? **Expected:** 32 times.
# 3. *(medium)* Make a clip in which nothing can be recognised but whose motion is *exactly* the real one's.
#    **Expected:** motion 1.000; no eye would be fooled. Two numbers are not a judge.
# 4. *(medium)* Which decisions concern Algorithm 1? **Expected:** seven: A22, T1, L6, L9, L11, O2 and O3.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
for dataset_name in ("golf", "aeroplane"):
    print(dataset_name, f"{100 * (1 - paper.frechet_ratio(dataset_name, to='TGAN')):.1f} %")

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
print((3 * 32 * 256 * 256) // (3 * 16 * 64 * 64))

# %% tags=["solution", "nbval-check-output"]
# Exercise 3: move the pixels, in every frame to the same new places
order = torch.randperm(real.shape[3] * real.shape[4], generator=draws)
scrambled = real.flatten(3)[..., order].view_as(real)
print(f"motion {motion(scrambled) / motion(real):.3f}")

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
print([entry.id for entry in paper.DECISIONS.values() if "Algorithm 1" in entry.where or "4.6" in entry.where])

# %% [markdown]
# ## What we now know
#
# - We can say what the paper solves, builds on and claims, and have its numbers as ratios.
# - We made noise, a mean clip, a frozen one and a shuffled one, and saw which simple number catches which.
# - We know where each equation is computed, what a profile is, and where results go.
# - We have rules of evidence, and two lists to be filled by measurement.
#
# ## Where next
#
# [Chapter 01](01_videos.ipynb) turns files into clips. In a hurry? [Chapter 03](03_generator.ipynb) builds the generator, and
# [chapter 10](10_tables.ipynb) has the tables.

# %%
page.colophon()
