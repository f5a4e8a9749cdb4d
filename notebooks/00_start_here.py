# %% [markdown]
# # 00 · Thirty-two frames from noise: what a paper claims, and how to check it
#
# | | |
# |---|---|
# | **You will build** | four wrong videos, two numbers that notice them, and an untrained GAN that makes its first clips |
# | **Reads** | the labelled clips |
# | **Writes** | nothing that other chapters need |
# | **Budget** | seconds, and half a minute more the first time, while the clips are drawn and packed |
#
# A *generative adversarial network* (GAN) is a pair of networks that train each other. One makes videos, the other tells them
# from real ones, and each gets better because the other does. The paper that this book takes apart is
# [*HRVGAN: High Resolution Video Generation using Spatio-Temporal GAN*](https://arxiv.org/abs/2008.09646) by Abhinav Sagar
# (2020). HRVGAN is its name for the GAN that it proposes. It reports that HRVGAN makes videos of 256×256 pixels and scores
# better than the earlier systems it is compared with. Which parts of that can be checked by anybody with a computer, and how?
#
# **By the end** you can
#
# - name four ways in which a video can be wrong, and say which of two simple numbers notices which;
# - say what a generator, a discriminator, a latent, a logit, a loss and a judge are, and how they are connected;
# - say what problem the paper solves, what it builds on and what it claims, in numbers;
# - say what this book counts as evidence, and find your way in it: chapters, profiles, results.

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
# ## Real clips, and stand-ins for them
#
# Before any theory, look at what the networks of this book look at. Each row below is one *clip*: a short piece of video, its
# frames side by side in time. If you have put UCF101 (a public collection of short videos, sorted into 101 human actions) into
# the data folder, these are people in front of cameras. If not, they are [stand-ins](#Glossary): figures drawn by a program,
# written to disk in UCF101's own format, and read by the same loader that reads the real thing. The line below a figure says
# which of the two it shows ("procedural" is a stand-in).

# %%
import torch

dataset = page.dataset("actions")
kinds = sorted(set(dataset.labels.tolist()))  # the classes that are there, as numbers
shuffled = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed)).tolist()
first = [next(i for i in shuffled if dataset.labels[i] == kind) for kind in kinds[:4]]  # any clip of each kind
clips, labels = dataset.batch(first)
page.figure(book.clip_grid(clips, every=max(1, dataset.frames // 8),
                           labels=[dataset.classes[label] for label in labels]),
            caption="Four labelled clips, one a row. Follow a row from left to right: what moves, and what stays?",
            alt="Four rows of frames, one clip of another action in each: a person in front of a background, whose "
                "posture changes from frame to frame.")

# %% [markdown]
# To a network a clip is a block of numbers with four axes. Here is its shape, and the same four clips moving.

# %%
print(dataset.describe())
print("one clip:", tuple(clips[0].shape), "= colour, time, height, width;", f"{clips[0].numel():,} values from",
      f"{clips.min():.1f} to {clips.max():.1f}")
page.film(clips, fps=8, caption="The same four clips, moving.",
          alt="Four small films side by side: in each a drawn person moves before a background.")

# %% [markdown]
# ## Four wrong videos
#
# A generator of videos has to satisfy three demands at once:
#
# 1. each frame must look like something;
# 2. the frames must belong together, in their order;
# 3. the next video must be another one. A generator that gives the same few videos over and over has suffered *mode collapse*.
#
# Let us break these demands on purpose.
#
# - **Noise** needs no learning. Its frames show nothing and do not belong together: it breaks demands 1 and 2. It is different
#   every time, so it meets demand 3.
# - **The mean clip** averages many clips, pixel by pixel. It is a blur, and always the same one: it breaks 1 and 3.
# - **A frozen frame** repeats one perfect picture. Nothing moves: it breaks 2.
# - **Shuffled frames** are all real, but in the wrong order: they break 2.

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
            caption="A real clip and four failures. The last two consist of real frames only.",
            alt="Five rows of frames: a real clip, coloured noise, a blurred ghost that is the mean of many clips, "
                "one frame repeated, and the real frames in the wrong order.")

# %% [markdown]
# ### Why the mean clip is a temptation
#
# The mean clip looks like an artificial failure. It is the most natural one: it is what a generator learns that is trained on
# nothing but the squared pixel error to clips chosen at random. Take $N$ clips $x_i$ with mean $m$, and let a generator answer
# always with one clip $c$.
#
# 1. Its squared error is $\frac1N \sum_i \|x_i - c\|^2$. Write $x_i - c = (x_i - m) + (m - c)$ and multiply out. The mixed term
#    contains $\sum_i (x_i - m) = 0$ and drops out, which leaves $\frac1N \sum_i \|x_i - m\|^2 + \|m - c\|^2$.
# 2. The first part does not depend on $c$, the second is zero for $c = m$ only. So the mean clip has the smallest error of all.
# 3. Answer with one of the *real* clips instead, $c = x_j$, each as often as the others. Then the second part is
#    $\|m - x_j\|^2$, and its average over all $j$ is $\frac1N \sum_j \|x_j - m\|^2$, which equals the first part. So the
#    squared error of a real clip is on average twice that of the mean clip.
#
# We check step 3. The function `page.expect` prints a number and, in brackets, where it should lie. The line begins with
# *as expected* if the number does lie there, and otherwise with *NOT as expected*. You will meet such lines in every chapter.

# %% tags=["nbval-check-output"]
error_of_mean = (many - wrong["mean clip"]).square().mean()
error_of_real = torch.stack([(many - clip).square().mean() for clip in many]).mean()
page.expect("squared error, a real clip's over the mean clip's", error_of_real / error_of_mean, of=2, rtol=1e-3,
            why="step 3")

# %% [markdown]
# Keep this in mind for the paper's Eq. 10, which is a squared pixel error. [Chapter 05](05_losses.ipynb) returns to it.
#
# ## Two numbers, and what they miss
#
# Can such failures be found without looking? Two simple numbers: *sharpness*, how much neighbouring pixels of a frame differ,
# and *motion*, how much a pixel differs from itself one frame later. We take both as multiples of the real clip's.

# %%
def sharpness(clip):
    """Mean absolute difference of horizontal neighbours; clips are (1, 3, time, height, width)."""
    return clip.diff(dim=4).abs().mean().item()


def motion(clip):
    """Mean absolute difference of a pixel from one frame to the next."""
    return clip.diff(dim=2).abs().mean().item()


measured = {name: (sharpness(clip) / sharpness(real), motion(clip) / motion(real)) for name, clip in wrong.items()}

# %%
import matplotlib.pyplot as plt

LIKE = 1.25  # a number that differs by less than this factor counts as "like the real clip's"
LEAST = 1 / 8  # left end of the axis, which has no place for a zero
colours = [book.SYSTEM_COLOURS["mean" if name == "mean clip" else name] for name in measured]
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for place, (axis, title) in enumerate(zip(axes, ("sharpness", "motion"))):
    values = [pair[place] for pair in measured.values()]
    axis.axvspan(1 / LIKE, LIKE, color="0.9")
    axis.axvline(1, color="0.3", linewidth=1)
    axis.barh(list(measured), [max(value, LEAST) - 1 for value in values], left=1, height=0.6, color=colours)
    axis.scatter([max(value, LEAST) for value in values], range(len(values)), color=colours, zorder=3, clip_on=False)
    for row, value in enumerate(values):
        axis.text(max(value, 1) * 1.25, row, f"{value:.2f}", va="center", fontsize=9)
    axis.set_xscale("log", base=2)
    axis.set(xlim=(LEAST, 40), xlabel=f"{title} as a multiple of the real clip's")
    axis.set_xticks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16], ["1/8", "1/4", "1/2", "1", "2", "4", "8", "16"])
    axis.grid(axis="y", visible=False)
axes[0].invert_yaxis()
page.figure(fig,
            caption="Two numbers for each clip, as multiples of the real one's; each step of the axis is a doubling. "
                    "A bar that leaves the grey band is noticed; one to the left edge stands for less than 1/8.",
            alt="Two bar charts for real, noise, mean clip, frozen and shuffled; bars start at one. Sharpness: noise "
                "many times above real, the mean clip far below, frozen and shuffled near one. Motion: noise far "
                "above, the mean clip far below, frozen zero, shuffled above one.")

# %% [markdown]
# Read off which number notices which failure. A number notices a clip where the clip's bar leaves the grey band, that is, where
# it differs from the real clip's by more than a factor of 1.25. The same in words, made from the numbers:

# %% tags=["nbval-check-output"]
noticed = {name: [not 1 / LIKE <= value <= LIKE for value in pair] for name, pair in measured.items() if name != "real"}
for who, pattern in {"both": [True, True], "sharpness alone": [True, False], "motion alone": [False, True],
                     "neither": [False, False]}.items():
    print(f"noticed by {who}:", ", ".join(name for name in noticed if noticed[name] == pattern) or "none")
print("\nas multiples of the real clip's:")
page.expect("sharpness of noise", measured["noise"][0], low=2)
page.expect("motion of the mean clip", measured["mean clip"][1], high=0.7)
page.expect("motion of the frozen clip", measured["frozen"][1], high=0)
page.expect("sharpness of the shuffled clip", measured["shuffled"][0], of=1, rtol=1e-3, why="the same frames")
page.expect("motion of the shuffled clip", measured["shuffled"][1], low=1.05, why="distant frames are neighbours now")

# %% [markdown]
# Neither number alone would do: on a shuffled clip sharpness says that all is well. And both together are easily satisfied.
# A generator that shows *this one real clip* every time has sharpness 1 and motion 1, because each number looks at a single
# clip, and variety (demand 3) is a property of many. Exercise 3 makes a clip of rubbish whose motion is perfect. What is
# wanted is something that has itself *learned* what videos look like: a network. The book has two such networks: one that
# trains the generator, and one that scores its clips.
#
# ## Generator, discriminator, judge: the parts and their names
#
# Three networks carry this book. (A fourth, the encoder E, joins in [chapter 06](06_training_loop.ipynb).) Each name has one
# meaning in all chapters; the [glossary](#Glossary) below lists them all.
#
# - The **generator**, *G*, makes clips. It starts from a **latent** *z*: 128 random numbers, drawn afresh for each clip. A
#   second input is the **label**, the action that is asked for; a GAN with labels is called *conditional*. The same latent
#   and label give the same clip; another latent should give another clip.
# - The **discriminator**, *D* (also called *critic*), is shown clips and answers one question: real or generated? Its answer
#   is one number, the **logit**: above zero it leans to *real*, below zero to *generated*.
# - The **judge** is a classifier of actions: C3D, a network of 3-D convolutions that is given a clip and names the action in
#   it. It takes no part in the training of G and D. Afterwards it looks at real and generated clips, and scores are computed
#   from what it sees.

# %%
from matplotlib.patches import FancyBboxPatch

fig, axis = plt.subplots(figsize=(9, 4.6))
axis.set(xlim=(0, 100), ylim=(0, 52), frame_on=False, xticks=[], yticks=[])
for x, y, width, height, colour, words in (
    (1, 28, 14, 10, "0.3", "latent z:\n128 random\nnumbers"), (1, 13, 14, 8, "0.3", "label:\nwhich action"),
    (22, 26, 15, 14, "#0072B2", "generator\nG"), (45, 28, 16, 10, "0.3", "generated clip\nand its label"),
    (45, 11, 16, 10, "0.3", "real clip\nand its label"), (69, 26, 16, 14, "#882255", "discriminator\nD (critic)"),
    (91, 29, 8, 8, "0.3", "logit"), (69, 1, 16, 12, "#009E73", "judge:\na classifier"), (91, 3, 8, 8, "0.3", "scores"),
):
    axis.add_patch(FancyBboxPatch((x, y), width, height, "round,pad=0,rounding_size=1.2", fill=False, lw=2, ec=colour))
    axis.text(x + width / 2, y + height / 2, words, ha="center", va="center", fontsize=10.5)
forwards = {"arrowstyle": "-|>", "lw": 1.6, "color": "0.2", "shrinkA": 1, "shrinkB": 1}
for start, end in (((15, 33), (22, 33)), ((15, 18), (22, 28)), ((37, 33), (45, 33)), ((61, 33), (69, 33)),
                   ((61, 18), (69, 28)), ((85, 33), (91, 33))):
    axis.annotate("", end, start, arrowprops=forwards)
for start, end in (((61, 30), (70, 13)), ((61, 14), (69, 8)), ((85, 7), (91, 7))):
    axis.annotate("", end, start, arrowprops=forwards | {"ls": ":"})
for height, end, words in ((46, 77, "loss of D:\ntell the two apart"), (51, 29.5, "loss of G: pass for real")):
    axis.plot([95, 95, end], [37, height, height], "--", color="#D55E00", lw=1.6)
    axis.annotate("", (end, 40), (end, height), arrowprops=forwards | {"color": "#D55E00", "ls": "--"})
    axis.text(end + 1.5, height - 0.8, words, color="#D55E00", va="top", fontsize=10)
page.figure(fig, data=(),
            caption="How the parts fit together. Solid: what is computed. Dashed: what learns from the logit. Dotted: "
                    "the judge, which looks on and changes nothing. Left out: the pixel error of the paper's full "
                    "loss, which compares G's clips with real ones, and the encoder that chapter 06 adds for it.",
            alt="Diagram. A latent of 128 random numbers and a label go into the generator G, which gives a generated "
                "clip. Generated clips and real clips, with their labels, go into the discriminator D, which gives a "
                "logit. From the logit two dashed arrows lead back: the loss of D to D, the loss of G to G. Dotted "
                "arrows lead from both kinds of clips to the judge, a classifier, and from it to the scores.")

# %% [markdown]
# ### One pass through both networks
#
# The library builds the paper's two networks in one line. Here they are small and untrained: their weights are random.

# %%
from hrvgan_lib.networks import build_system

torch.manual_seed(seed)
system = build_system("hrvgan", frames=dataset.frames, size=dataset.size, n_classes=dataset.n_classes, width=1 / 8)
latents = system.latents(len(labels), torch.Generator().manual_seed(seed))
samples = system.sample(len(labels), labels=labels, generator=torch.Generator().manual_seed(seed))
with torch.no_grad():
    on_real, on_generated = (system.discriminator(some.to(system.device), labels.to(system.device)).cpu()
                             for some in (clips, samples))
print("latents:", tuple(latents.shape), "-> clips:", tuple(samples.shape), "-> logits:", tuple(on_generated.shape))
print("D's logits, real clips:     ", *(f"{logit:+.2f}" for logit in on_real))
print("D's logits, generated clips:", *(f"{logit:+.2f}" for logit in on_generated))

# %% [markdown]
# ### From a logit to a loss
#
# A network learns by making a number smaller: its **loss**. For D and G it is computed from the logit $l$ in two steps.
#
# 1. The *sigmoid* turns the logit into a probability, $p = 1 / (1 + e^{-l})$: D's belief that the clip is real. (The paper's
#    Eqs. 12 to 14 subtract a constant $k$ from the logit first; more on $k$
#    [below](#The-paper-in-ten-minutes:-problem,-method,-results).)
# 2. A network whose aim is the answer *real* has the loss $-\log p$, one whose aim is *generated* has the loss $-\log(1 - p)$.
#    (This is the *cross-entropy*: next to nothing for an answer that is right and sure, much for one that is wrong and sure.)
#
# On a generated clip D's aim is *generated* and G's is *real*, so they pull the same logit in opposite directions. (In the lines
# below, what a network *pays* is its loss.)

# %% tags=["nbval-check-output"]
for logit in torch.tensor([-2.0, 0.0, 2.0]):
    p = torch.sigmoid(logit)
    print(f"generated clip, logit {logit:+.0f}: p(real) = {p:.3f},",
          f"D pays {-torch.log(1 - p):.3f}, G pays {-torch.log(p):.3f}")

# %% [markdown]
# **Training** repeats one turn many times. D gets a batch of real and a batch of generated clips, and each of its weights moves a
# little in the direction that lowers D's loss (the *gradient* says which way). Then G makes a new batch, and *its* weights move
# to lower G's loss. The gradient reaches G through D: G learns what to change in its clips from what D looks at. If G became
# perfect, D could only guess, with $p = \frac12$ for every clip. Samples are taken from an average of G's weights over the last
# steps, the *exponential moving average* (EMA), which jitters less than the weights themselves.
#
# **Does G see real clips?** Through the loss above, the *adversarial* term, it does not: G's own clips go into D, and all that comes
# back is how D's logit changes with them. Through the second term of the paper's full loss it does. That term is a squared *pixel
# error* (Eq. 10): it compares a clip of G's with a real clip, value by value. So in the paper's training G learns from both.
#
# What does G make before it has had a single turn?

# %%
page.figure(book.clip_grid(samples[:2], every=max(1, dataset.frames // 8),
                           labels=[f"untrained, {dataset.classes[label]}" for label in labels[:2]]), data=(),
            caption="Before training: two clips from a generator that has seen nothing.",
            alt="Two rows of frames of nearly even grey, the output of an untrained generator.")

# %% [markdown]
# A *recorded run* was made earlier and is kept with the book, its generator included. We take the same three steps again (a
# generator, a few latents and labels, clips), now with this trained generator:

# %%
import json

if recorded := page.recorded_system():
    asked = torch.arange(min(3, recorded.n_classes))
    learned = recorded.sample(len(asked), labels=asked, generator=torch.Generator().manual_seed(seed))
    names = json.loads(recorded.about["classes"])
    page.figure(book.clip_grid(learned, every=recorded.frames // 4, labels=[names[label] for label in asked]), data=(),
                caption="After training: clips of the recorded generator, one a row, four frames of each. The latents "
                        "are the first that this page's seed gives; none was picked by eye. On what data it was "
                        "trained is printed below.",
                alt="Rows of generated frames, one row for each of the first actions, from the generator of the "
                    "recorded run.")
    for line in ("title", "trained on", "trained with"):
        print(f"{line}:", recorded.about[line])
    page.film(learned, fps=8, caption="The same generated clips, moving.", data=(),
              alt="Small films side by side, one for each of the first actions, from the recorded generator.")
else:
    print("no recorded generator beside this run: chapter 06 trains one and shows its clips")

# %% [markdown]
# Put the three demands to these clips: is there something to see in each frame? Does it move as one body? Are the clips
# different from each other, and does each show the action that was asked for?
#
# How a generator gets from grey to this is the subject of chapters [01](01_videos.ipynb) to [06](06_training_loop.ipynb);
# [chapter 07](07_prediction.ipynb) lets it predict how a given clip goes on. How *good* it is, and how far such a judgement can be
# trusted, is harder to say: that takes chapters [08](08_evaluation.ipynb) to [12](12_claims_and_decisions.ipynb).
# [Chapter 13](13_speed.ipynb) asks what all of it costs.
#
# ## The paper in ten minutes: problem, method, results
#
# **The problem (section 1).** A video is more than a stack of images: it has motion, and what can move, and how, depends on what
# is seen. Time as a third dimension multiplies the number of values, and a generator has to get appearance and motion right
# together.
#
# > **Section 1.** "State-of-the-art approaches often suffer from blurriness and lack of temporal coherence, highlighting the
# > difficulty of modeling the complex pixel-wise transformations across frames [30]."
#
# These are our mean clip and our shuffled frames. The paper asks for clips that are coherent in time and sharp in space, for a
# network that is not tailored to one data set, and for generation (clips from noise) *and* prediction (the next frames of a
# given clip).
#
# **What it builds on (section 2).** Six threads of earlier work come together; the numbers are those of the paper's
# bibliography.

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
# Three systems of the fifth thread return as rivals. *VGAN* paints a moving foreground over a still background. *TGAN* first makes a
# sequence of latent vectors, then an image from each. *MoCoGAN* keeps one vector for what is seen and lets another, for motion,
# walk through time. All three were published at 64×64 pixels. HRVGAN treats time as a third axis of one and the same
# convolution, and grows a clip from 4×4×4 (time, height, width) to 32×256×256.
#
# **What it contributes (end of section 2).** In our words: a GAN for video at 256×256; its layers, losses and training written
# out; experiments on UCF101, Golf and Aeroplane; and better scores than earlier work on both usual metrics.
#
# **The method (sections 3 and 4)** on one page:
#
# 1. A *generator* turns 128 random numbers and a label into a clip (Table 1, [chapter 03](03_generator.ipynb)).
# 2. A *discriminator* turns a clip and a label into one score (Table 2, [chapter 04](04_discriminator.ipynb)).
# 3. Three norms keep the numbers inside the networks in range: batch norm, pixel norm, instance norm (Eqs. 8 and 9,
#    [chapter 02](02_norm_layers.ipynb)).
# 4. D learns to tell real from generated, G to be taken for real (Eqs. 1 to 7 and 11 to 14, [chapter 05](05_losses.ipynb)).
#    The letter $k$ stands for two things there. In the text it is a *bound*: D's score may change at most $k$ times as much as
#    the clip does, which is called *$k$-Lipschitz*. In Eqs. 12 to 14 it is a number that is *subtracted* from D's score. The
#    second does not bring about the first: a subtraction lowers all scores equally and bounds nothing, and D can learn to add
#    $k$ again. A bound needs a constraint on D.
# 5. A pixel error, with the same weight as the adversarial loss, compares G's clips with real ones (Eqs. 10 and 15, same chapter).
# 6. D and G take turns (Algorithm 1, [chapter 06](06_training_loop.ipynb)).
#
# > **What it does not say.** Whether the published scores come from a network with labels or without: the method is called
# > unsupervised, and is given class labels ([**T7**](12_claims_and_decisions.ipynb#T7)). And with which real clip the pixel error
# > of point 5 compares a clip that G makes from noise ([**T1**](12_claims_and_decisions.ipynb#T1)). In this book a fourth network,
# > the encoder E, first turns a real clip into a latent; G makes a clip from it, and this one is compared with the real clip.
#
# (T7 and T1 name decisions of ours, in a list that is explained [below](#Claims,-decisions,-and-rules-of-evidence).)
#
# **The results (section 5)** are two tables with one score each, both computed from what a classifier sees.
#
# - The *Inception Score* (Table 3) is high when the classifier is sure of each clip, and names many different classes over all
#   clips. It lies between 1 and the number of classes. Higher is better.
# - The *Fréchet distance* (Table 4; FID in the paper) describes each clip by numbers from inside the classifier, its *features*,
#   and compares their mean and their spread over many real clips with those over many generated ones. Lower is better.

# %%
columns = {
    "Table 3, UCF101": ("Inception Score, higher is better", {row.model: row.score for row in paper.TABLE3}),
    "Table 4, Golf": ("Fréchet distance, lower is better", {row.model: row.golf for row in paper.TABLE4}),
    "Table 4, Aeroplane": ("Fréchet distance, lower is better", {row.model: row.aeroplane for row in paper.TABLE4}),
}
fig, axes = plt.subplots(1, 3, figsize=(9, 3))
for axis, (title, (score, column)) in zip(axes, columns.items()):
    names = ["HRVGAN" if model == paper.OURS else model for model in column]
    bars = axis.bar(names, list(column.values()), color=[book.SYSTEM_COLOURS[name.lower()] for name in names])
    axis.bar_label(bars, [f"{value:,}" for value in column.values()], fontsize=9)
    axis.set_title(f"{title}\n{score}", fontsize=10)
    axis.tick_params(axis="x", labelsize=8.5)
    axis.set_yticks([])
    axis.grid(False)
    axis.margins(y=0.15)
page.figure(fig, data=(),
            caption="The published values of Tables 3 and 4. Bars begin at zero: look at how much they differ.",
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
# The book comes back to these ratios more often than to the values, for the following reason.
#
# > **What it does not say.** Which network's features the Fréchet distance compares, from which layer, and over how many clips
# > ([**E2**](12_claims_and_decisions.ipynb#E2)).
#
# So a distance of ours cannot be held against a published one. A distance contains squares of features: through a network whose
# features are ten times as large, the same clips have a distance a hundred times as large. The *ratio* of two distances stays
# as it is.
#
# **The conclusion (section 6).** The architecture extends the original GAN, is trained on a squared pixel error with
# an adversarial term under a $k$-Lipschitz condition, and is reported ahead of earlier methods on all three data sets, with smooth
# interpolations in latent space.
#
# ## Claims, decisions, and rules of evidence
#
# Two lists accompany you. The *claims*: each statement of the paper that can be tested, with the test. The *decisions*:
# each point that the paper leaves open, with the options, our choice and the switch for another. Both are data, so they can be
# counted; [chapter 12](12_claims_and_decisions.ipynb) shows them with what was measured. A decision is named by
# a letter for its subject and a number: **A** architecture, **T** task and data, **L** losses and equations, **O**
# optimisation, **E** evaluation.

# %% tags=["nbval-check-output"]
from collections import Counter

from hrvgan_lib.paper.claims import NEEDS

kinds_of_claim = Counter(entry.kind for entry in paper.CLAIMS.values())
groups = Counter(entry.group for entry in paper.DECISIONS.values())
print(len(paper.CLAIMS), "claims:",
      ", ".join(f"{count} {kind}s" if count > 1 else kind for kind, count in kinds_of_claim.items())
      .replace("propertys", "properties"))
print(len(paper.DECISIONS), "decisions:", ", ".join(f"{group} {count}" for group, count in groups.items()))
print("\nA claim may need what not every reader has:")
for need, what in NEEDS.items():
    print(f"  {sum(need in entry.needs for entry in paper.CLAIMS.values()):2} need {what}")

# %% [markdown]
# Rules of evidence, the same in every chapter:
#
# - *A published number* can be called reproduced, or not, only on the named data set and with the published classifier. Where we
#   lack one of them, we show the nearest measurement that we can make, and say so.
# - *An ordering* ("A scores above B") needs an interval: the 95 % interval of the difference has to leave out zero.
# - *A picture* is an illustration. It never settles anything.
# - *A number of ours* is computed where it stands, and has its data set, its sample count and its interval with it.
#
# The paper's words stand in a box of their own, like this one:
#
# > **Section 4.5.** "Where α and β are constants with values of 0.5 and 0.5, respectively."
#
# and so does what they leave open, with the letter and number of our decision:
#
# > **What it does not say.** Whether the norm of Eq. 10 is a sum or a mean ([**L10**](12_claims_and_decisions.ipynb#L10)).
#
# ## Index of the equations
#
# Each numbered equation is computed by a function of the library:

# %% tags=["nbval-check-output"]
page.table([{"equation": number, "what": entry.what, "section": entry.section,
             "function": f"hrvgan_lib.{entry.function}", "decisions": ", ".join(entry.decisions)}
            for number, entry in paper.EQUATIONS.items()], data=())

# %% [markdown]
# ## The chapters
#
# Each runs alone, in any order, and begins with a table of what it reads and writes. The last column names the sections of the
# paper that it covers.

# %%
SECTIONS = {"00": "1, 2, 6", "01": "4.1", "02": "4.3, 4.4", "03": "4.2", "04": "4.2", "05": "3, 4.5", "06": "4.6",
            "07": "4.2, 4.5", "08": "4.7", "09": "5", "10": "5", "11": "4"}
chapters = []
for source in sorted((page.root / "notebooks").glob("[0-9][0-9]_*.py")):
    title = next(line for line in source.read_text(encoding="utf-8").splitlines() if line.startswith("# # "))
    chapters.append({"chapter": book.Link(source.stem, f"{source.stem}.ipynb"),
                     "what it is about": title.split(" · ")[-1].replace("*", ""),
                     "paper": SECTIONS.get(source.stem[:2], "all")})
page.table(chapters, data=())

# %% [markdown]
# ## Profiles, and how to run the book
#
# `make reproduce` runs all chapters and writes every table and figure; `make lab` opens them to be played with. How much is
# computed is set by the *profile*, `PROFILE=smoke` for instance: the same code with other numbers. These pages were made at
# `smoke`, which takes a few training steps to show that everything works. A few steps teach a network next to nothing, so the
# chapters that train show the recorded run first, and below it what yours has made.

# %% tags=["nbval-check-output"]
from hrvgan_lib.profiles import PROFILES


def shape(frames, size, *_):
    return f"{frames}×{size}×{size}"


page.table([{"PROFILE": p.name, "time": f"{p.minutes:,.0f} minutes on {p.hardware}",
             "clips": shape(p.frames, p.size) + (f"; uncut {shape(*p.native)}" if p.native else ""),
             "channels of Table 1": f"× {p.width:.3g}", "training steps": p.steps, "samples scored": p.samples}
            for p in PROFILES.values()], data=(),
           note="clips: frames × height × width. Times of the whole book, expected and not measured here.")

# %% [markdown]
# Why does the profile `paper` have clips of 16×64×64, when the paper's are 32×256×256? Because four systems are compared, and only
# clips of one size can be. The other three were published at 64×64, so HRVGAN's Table 1 is cut off at that size, where it has 16
# frames. Beside this comparison `gpu` and `paper` train HRVGAN with the *uncut* table, at the paper's own 32×256×256 (in the
# column "clips" after "uncut"). The profiles for two CPU cores leave that out: it would take them far too long.
#
# `DATA_ROOT=<folder>` uses real data sets where they are (`data/README.md` says where to get them), `ACTIONS=weizmann` takes the
# Weizmann people as the labelled set, `SEED` changes the draw, and `REHEARSE=1` walks through a big profile in two steps to see that
# nothing breaks. Results go to `figures/<run>/`, executed chapters to `runs/<run>/`.
#
# ### The files a run writes
#
# Beside each file lies its *sidecar*, a small `.json` that says how it was made: code, seed, data, device. The last column
# names the recorded run that holds the file already.

# %%
RESULTS = {
    "table1_generator.csv": "03", "table2_discriminator.csv": "04", "table3_inception_score.csv": "10",
    "table4_frechet_distance.csv": "10", "fig1_architecture.png": "04", "fig2_interpolation_golf.png": "09",
    "fig3_interpolation_aeroplane.png": "09", "fig4_samples_actions.png": "09", "claims.csv": "12",
    "decisions.csv": "12",
}
held = {name: path.parent.name for name in RESULTS if (path := page.recorded(name))}
page.table([{"file": name, "written by chapter": chapter,
             "recorded in": f"figures/{held[name]}" if name in held else None} for name, chapter in RESULTS.items()],
           data=(),
           note=f"{len(held)} of {len(RESULTS)} are recorded; a run of yours writes all of them.")

# %% [markdown]
# ## Glossary
#
# One meaning each, in every chapter. In brackets: other names in use. At the end: the chapter where it is built.
#
# **The networks**
#
# - **GAN** (generative adversarial network): two networks, G and D, that learn against each other. [06](06_training_loop.ipynb)
# - **G** (generator): the network that turns a latent, and a label where there are labels, into a clip. [03](03_generator.ipynb)
# - **D** (discriminator, critic): the network that turns a clip, and its label, into a logit: real or generated?
#   *Critic* is the usual word where its answer is a Wasserstein score and not a belief. [04](04_discriminator.ipynb)
# - **E** (encoder): the network that looks for the latent from which G would make a given real clip. [06](06_training_loop.ipynb)
# - **judge**: the classifier of actions (C3D) that scores are computed with; it never trains G. [08](08_evaluation.ipynb)
#
# **What goes in and comes out**
#
# - **clip**: a short video as numbers with axes colour, time, height, width, in [-1, 1]. [01](01_videos.ipynb)
# - **latent** (*z*, noise vector): the random numbers, 128 in the paper, from which G makes one clip. [03](03_generator.ipynb)
# - **label**, **conditional**: the class of a clip; a network that is told the label is conditional. [03](03_generator.ipynb)
# - **logit**: a score before the sigmoid turns it into a probability; 0 means one half. [05](05_losses.ipynb)
# - **feature**: a number from inside a network that describes a clip to its later layers. [08](08_evaluation.ipynb)
# - **interpolation**: clips from latents on the way from one latent to another, on a straight line or on a *great circle*
#   (slerp, spherical interpolation), which keeps the length of the latent. [09](09_latent_space.ipynb)
# - **stand-in** (procedural data): clips drawn by a program in place of a data set that is not there, in its file format.
#   [01](01_videos.ipynb)
#
# **How they learn**
#
# - **loss**: the number that training makes smaller; each network has its own. [05](05_losses.ipynb)
# - **Jensen-Shannon divergence**: a measure of how different two distributions are, from 0 to log 2; the loss of the best
#   possible D is 2 log 2 minus twice that. [05](05_losses.ipynb)
# - **hinge loss**: a loss of D that stops counting once an answer is right by a margin; common in later GANs, used by none of
#   the systems here.
# - **Wasserstein distance**: how far probability has to be moved to turn one distribution into the other. [05](05_losses.ipynb)
# - **mode collapse**: G gives few different clips, whatever the latent. [05](05_losses.ipynb)
# - **TTUR** (two time-scale update rule): G and D learn with different learning rates. [06](06_training_loop.ipynb)
# - **EMA** (exponential moving average): a running average of G's weights, from which samples are taken. [06](06_training_loop.ipynb)
# - **preset**: a named set of choices for HRVGAN; *literal* is the paper's text with the smallest repairs that let it run,
#   *stable* is ours, which learns in few steps. [06](06_training_loop.ipynb)
#
# **How they are scored**
#
# - **Inception Score** (IS): high where the judge is sure of each clip and names many classes. [08](08_evaluation.ipynb)
# - **Fréchet distance** (FID for pictures, FVD for videos): the distance between the bell curves fitted to the features of real
#   and of generated clips. [08](08_evaluation.ipynb)
# - **kernel distance** (KID): another distance between the two sets of features, whose estimate is right on average however few
#   clips there are. [08](08_evaluation.ipynb)
# - **precision and recall**: the share of generated clips that lie among real ones (fidelity), and the share of real clips that
#   lie among generated ones (variety). [08](08_evaluation.ipynb)
# - **interval** (95 %): a range made in such a way that it holds the true value in about 95 of 100 repetitions.
#   [08](08_evaluation.ipynb)
#
# **How this book runs**
#
# - **profile**: how much is computed. *smoke* tries everything in minutes; *cpu* learns visibly on two cores; *overnight* is
#   the longest that two cores are asked for; *gpu* and *paper* need a GPU. The table
#   [above](#Profiles,-and-how-to-run-the-book) has their numbers.
# - **seed**: the number that fixes all random draws; the same seed on the same machine gives the same result.
# - **recorded run**: a run that was made earlier and is kept with the book, in `figures/`.
# - **sidecar**: the small file beside a result that says how it was made.
# - **ledger**: one of the two lists, of claims or of decisions, with what was measured. [12](12_claims_and_decisions.ipynb)
#
# ## Check yourself
#
# 1. A generator is trained on nothing but the squared pixel error to clips chosen at random. Which of the four wrong videos does
#    it learn to make, and why?
# 2. *(Figure)* Look at the two bar charts. Which wrong videos does motion notice and sharpness not? Which of the three demands
#    can neither number see?
# 3. *(Calculation)* D gives a generated clip the logit 1. How probable does it think the clip is real, and what do D and G pay?
# 4. *(Calculation)* Two systems have Fréchet distances 100 and 80. All features of the network are then multiplied by ten. What
#    are the two distances, and what is their ratio?
# 5. Which of G, D and the judge are shown real clips while G and D are trained? How does G find out what real clips look
#    like?
# 6. A system trained on stand-ins gets a smaller Fréchet distance than the published one. What follows for the paper?
#
# <details><summary>Answers</summary>
#
# 1. The mean clip: it has the smallest squared error of all clips (steps 1 and 2 of the derivation).
# 2. The frozen and the shuffled one. Sharpness looks at single frames, and these are real in both. Neither number sees variety,
#    demand 3: each looks at one clip.
# 3. The belief is $1 / (1 + e^{-1}) \approx 0.73$. D pays $-\log(1 - 0.73) \approx 1.31$, G pays $-\log 0.73 \approx 0.31$.
# 4. Ten thousand and eight thousand; the ratio stays 0.8.
# 5. D in every turn. The judge is trained apart, and changes nothing here. G is not shown any by the adversarial term: its
#    gradient comes through D and says how a generated clip has to change to look more real to D. The pixel term of the paper's
#    full loss does compare G's clips with real ones.
# 6. Nothing. Another data set and another classifier: the two numbers have no common scale.
#
# </details>

# %% tags=["solution", "nbval-check-output"]
# Answers 3 and 4, computed
import numpy as np

from hrvgan_lib import metrics

belief = torch.sigmoid(torch.tensor(1.0))
print(f"p = {belief:.2f}, D pays {-torch.log(1 - belief):.2f}, G pays {-torch.log(belief):.2f}")
ours, theirs = np.random.default_rng(seed).normal(size=(2, 50, 4)) + np.array([0, 1])[:, None, None]
page.expect("Fréchet distance with features times ten, over that before",
            metrics.frechet_distance(10 * ours, 10 * theirs) / metrics.frechet_distance(ours, theirs),
            of=100, rtol=1e-6)

# %% [markdown]
# ## Exercises
#
# 1. *(warm-up)* How many values has a clip of 32 frames of 256×256 in colour? How many for each number of the latent? How many
#    times as many as a clip of 16 frames of 64×64? *Expected:* 6,291,456; 49,152; 32 times.
# 2. *(easy)* Play the real clip backwards. Predict its sharpness and its motion, then measure. *Expected:* both 1.000: neither
#    number knows in which direction time runs.
# 3. *(easy)* Make a clip in which nothing can be recognised but whose motion is *exactly* the real one's. *Expected:* motion
#    1.000. Does sharpness notice? It should be far above 1.
# 4. *(easy)* Find out by code which decisions concern Algorithm 1 (section 4.6). *Expected:* seven: A22, T1, L6, L9, L11, O2, O3.
# 5. *(hard)* Invent a third number that notices mode collapse, and try it on 64 real clips, on one real clip shown 64 times, and on 64 frozen
#    clips. *Expected:* the collapsed generator has sharpness 1 and motion 1 but variety 0; the frozen clips keep most of the
#    variety, so that all three numbers are needed.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
values = 3 * 32 * 256 * 256
each, times = values // 128, values // (3 * 16 * 64 * 64)
print(f"{values:,} values; {each:,} for each number of the latent; {times} times as many")
assert (values, each, times) == (6_291_456, 49_152, 32)

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
backwards = real.flip(dims=[2])
page.expect("sharpness backwards over that forwards", sharpness(backwards) / sharpness(real), of=1, rtol=1e-3)
page.expect("motion backwards over that forwards", motion(backwards) / motion(real), of=1, rtol=1e-3)

# %% tags=["solution", "nbval-check-output"]
# Exercise 3: move the pixels, in every frame to the same new places
order = torch.randperm(real.shape[3] * real.shape[4], generator=draws)
scrambled = real.flatten(3)[..., order].view_as(real)
page.expect("motion of the scrambled clip over the real clip's", motion(scrambled) / motion(real),
            of=1, rtol=1e-3)
page.expect("sharpness of the scrambled clip over the real clip's", sharpness(scrambled) / sharpness(real),
            low=LIKE)

# %% tags=["solution", "nbval-check-output"]
# Exercise 4
concerned = [one.id for one in paper.DECISIONS.values() if "Algorithm 1" in one.where or "4.6" in one.where]
print(len(concerned), "decisions:", ", ".join(concerned))
assert concerned == ["A22", "T1", "L6", "L9", "L11", "O2", "O3"]

# %% tags=["solution", "nbval-check-output"]
# Exercise 5: how much two clips of one generator differ, on average over all pairs
def variety(films):
    return torch.stack([(films - film).abs().mean() for film in films]).mean().item()


collapsed, standing = real.expand_as(many), many[:, :, :1].expand_as(many)
page.expect("variety of the collapsed generator over real clips'", variety(collapsed) / variety(many), high=1e-6)
for name, measure in {"sharpness": sharpness, "motion": motion}.items():
    page.expect(f"{name} of the collapsed generator over its one clip's", measure(collapsed) / measure(real),
                of=1, rtol=1e-3)
page.expect("variety of frozen clips over real clips'", variety(standing) / variety(many), low=1 / LIKE, high=LIKE)

# %% [markdown]
# ## What we now know
#
# - We made four wrong videos, and saw which of two simple numbers notices which, and that neither sees variety.
# - We met generator, discriminator, latent, logit, loss and judge, and passed a latent through an untrained pair once.
# - We can say what the paper solves, builds on and claims, and have its numbers as ratios.
# - We have rules of evidence, two lists to be filled by measurement, and a map of chapters, profiles and results.
#
# ## Where next
#
# [Chapter 01](01_videos.ipynb) turns files into clips. In a hurry? [Chapter 03](03_generator.ipynb) builds the generator, and
# [chapter 10](10_tables.ipynb) has the tables.

# %%
page.colophon()
