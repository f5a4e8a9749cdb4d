# %% [markdown]
# # 06 · Two networks, one loop: Algorithm 1 fits on a screen
#
# | | |
# |---|---|
# | **You will build** | Algorithm 1 in twelve lines, and a run of it that can be stopped anywhere and goes on bit for bit |
# | **Reads** | the action data set, Golf and Aeroplane ([stand-ins](00_start_here.ipynb#Glossary) are drawn if you have none) |
# | **Writes** | the trained systems that chapters 08, 09 and 10 look at, in `runs/<run>/checkpoints/`; `training_snapshots`, `training_curves`, `training_samples`; on a GPU `native_frames`, `native_samples` |
# | **Budget** | half a minute at `smoke`, most of the quarter of an hour at `cpu` |
#
# So far the [generator](00_start_here.ipynb#Glossary) G of chapter 03 and the [discriminator](00_start_here.ipynb#Glossary) D of chapter 04 stood still.
# Here they begin to learn, each from the other's answers, and after a few hundred steps there are people in the noise.
#
# **By the end you can**
#
# - write Algorithm 1 down from memory, and name what it leaves open;
# - say which [loss](00_start_here.ipynb#Glossary) is descended in this book's main system, and why it differs from the text;
# - stop a training run at any step and show that it resumes exactly;
# - read the curves of a GAN, and say why they do not tell how good the samples are;
# - tell two failures apart: divergence, which is loud, and mode collapse, which is quiet.

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

page = book.open_page("06_training_loop", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import inspect
import math
import tempfile
import textwrap
from functools import partial

import matplotlib.pyplot as plt
import torch
from IPython.display import Code

from hrvgan_lib import losses, metrics, training
from hrvgan_lib.book import learning
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import make_config
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, clips_seen, train

# %% [markdown]
# ## What the paper says: Algorithm 1
#
# > **Section 4.6, Algorithm 1.** Initialize learning rates $\alpha_D$ and $\alpha_G$, and weights
# > $\lambda_{adv}, \lambda_{mse}$. While not converged do:
# >
# > *Update the Discriminator D:* get $M$ data samples $(X, Y) = (X^{(1)}, Y^{(1)}), \dots, (X^{(M)}, Y^{(M)})$;
# > $$W_D = W_D - \alpha_D \sum_{i=1}^M \frac{\partial \mathcal{L}_{adv}^D(X^{(i)}, Y^{(i)})}{\partial W_D}$$
# >
# > *Update the Generator G:* get $M$ data samples;
# > $$W_G = W_G - \alpha_G \sum_{i=1}^M \left(\lambda_{adv} \frac{\partial \mathcal{L}_{adv}^G}{\partial W_G} + \lambda_{mse} \frac{\partial \mathcal{L}_{mse}}{\partial W_G} \right)$$
#
# > **What it does not say.** How many steps, how large $M$ is and which learning rates
# > ([**O2**](12_claims_and_decisions.ipynb#O2), [**O1**](12_claims_and_decisions.ipynb#O1)); when to stop, whether the sum over $M$ is a sum or a
# > mean, where the noise is drawn ([**L11**](12_claims_and_decisions.ipynb#L11)); whether $\lambda_{adv}, \lambda_{mse}$ are the $\alpha, \beta$ of
# > Eq. 15 ([**L9**](12_claims_and_decisions.ipynb#L9); we take them to be, both 0.5). "Mini-batch SGD" in section 4.2 names a family; we
# > use Adam, and plain SGD is one switch away ([**O1**](12_claims_and_decisions.ipynb#O1)). Why G gets $M$ samples of its own is not said
# > either. With them G is not judged on the batch that D was fitted to a moment ago, and a step sees twice as many clips.
#
# ## Algorithm 1 in twelve lines
#
# Build small first. A system at the bottom of Table 1, 8 frames of 8×8, and the smallest labelled data set, Weizmann's people,
# are enough to write the whole algorithm down. The system knows its losses (chapter 05) and its optimisers; the loop knows
# only the order of things.

# %%
clips8 = page.dataset("weizmann", frames=8, size=8)


def tiny(width=1 / 16, **options):
    """HRVGAN cut at 8x8 and a sixteenth of its width, with the same first weights every time."""
    torch.manual_seed(page.seed)
    return build_system("hrvgan", frames=8, size=8, n_classes=clips8.n_classes, width=width, **options)


def algorithm_1(system, config):
    optimisers, terms_of_G = system.optimisers(), []
    for step in range(config.steps):
        noise = stream("noise", config.seed, step, 0)
        for turn, network in enumerate(("discriminator", "generator")):
            clips, labels = training.draw_batch(clips8, config, 2 * step + turn, system.device)  # M data samples
            terms = getattr(system, f"{network}_losses")(clips, labels, noise)
            optimisers[network].zero_grad()
            sum(terms.values()).backward()
            optimisers[network].step()  # W = W - alpha * gradient
        terms_of_G.append({name: float(term.detach()) for name, term in terms.items()})
    return terms_of_G


by_hand = algorithm_1(tiny(), TrainConfig(steps=4, batch=8))
print("generator's terms:", ", ".join(by_hand[0]))

# %% [markdown]
# Two terms are those of Eq. 15. The third, *code*, is ours, and is explained below. The library's loop does the same and a little more: it can
# update D several times in a turn, it saves, it keeps a running average of the generator's weights, and it stops with a
# sentence when a loss is no longer a number. This is its heart, printed from the file that runs:

# %%
heart = inspect.getsource(train).split("    for step in range(")[1].split("\n\n        taken.append")[0]
Code(textwrap.dedent("    for step in range(" + heart), language="python")

# %% [markdown]
# `down` is one update of one network: it computes the terms and takes one optimiser step (on a GPU as one recorded graph, which is faster).
# Same order, same noise, same batches: the numbers must agree to the last bit. (In this chapter's experiments we compute in
# float32 on the CPU. A GPU may add the same numbers in another order each time, and `train` would use bfloat16 there.)

# %% tags=["nbval-check-output"]
plainly = partial(train, dtype=torch.float32)
by_library = [record.generator for record in plainly(tiny(), clips8, TrainConfig(steps=4, batch=8))]
print("the library's loop is Algorithm 1:", by_hand == by_library)

# %% [markdown]
# ## The averaged generator (EMA)
#
# The last line of the loop needs a word. With batches of eight the gradient is noisy, and G's weights jitter around where they are going. No sample
# in this book comes from these weights. All samples come from `sampler`, an *exponential moving average* of them
# ([EMA](00_start_here.ipynb#Glossary); decision [**O2**](12_claims_and_decisions.ipynb#O2)). After every step
#
# $$\bar W \leftarrow d\,\bar W + (1 - d)\,W_G .$$
#
# 1. Unrolled, the weights of $k$ steps ago count $(1 - d)\,d^k$: less and less.
# 2. These shares add up to 1, and their mean age is $d / (1 - d)$, so that the average looks back over about $1 / (1 - d)$ steps.
# 3. A fixed $d = 0.999$ looks back over 1,000 steps. Early in a run most of these would be untrained weights, so we take
#    $d = \min\left(0.999, \frac{1 + t}{10 + t}\right)$ at step $t$, which looks back over about a ninth of the run so far.

# %% tags=["nbval-check-output"]
averaged = tiny()
by_hand_mean = [p.detach().clone() for p in averaged.generator.parameters()]
for record in plainly(averaged, clips8, TrainConfig(steps=4, batch=8)):
    t = record.step - 1
    d = min(0.999, (1 + t) / (10 + t))
    weights = averaged.generator.parameters()
    by_hand_mean = [d * mean + (1 - d) * now.detach() for mean, now in zip(by_hand_mean, weights)]
same = all(torch.allclose(a, b, atol=1e-6) for a, b in zip(by_hand_mean, averaged.sampler.parameters()))
print("the sampler is this average:", same)
for t in (8, 100, 800, 100_000):
    print(f"at step {t:>7,}: d = {min(0.999, (1 + t) / (10 + t)):.3f}, looks back over about "
          f"{1 / (1 - min(0.999, (1 + t) / (10 + t))):,.0f} steps")

# %% [markdown]
# ## Stopping and resuming a run
#
# A run over days will be interrupted. Adam's moments, the average weights and the step are saved together. The data order and
# the noise need no saving at all, because each draw comes from a stream that is named by the seed and the step
# (`stream("noise", seed, step, 0)`). We stop a run after five of six steps, with a checkpoint at four, and let a fresh
# system go on from the folder.

# %% tags=["nbval-check-output"]
config = TrainConfig(steps=6, batch=8, save_every=2)
straight = tiny()
list(plainly(straight, clips8, config))
with tempfile.TemporaryDirectory() as folder:
    for record in plainly(tiny(), clips8, config, folder):
        if record.step == 5:
            break  # the power fails here
    resumed = tiny()
    steps = [record.step for record in plainly(resumed, clips8, config, folder)]
same = all(torch.equal(a, b) for a, b in zip(straight.state_dict().values(), resumed.state_dict().values()))
print("steps taken after the stop:", steps)
print("every weight and average the same:", same)

# %% [markdown]
# Step 5 is taken a second time, since the last checkpoint is of step 4. Its moments were restored too: Adam's sixth step would differ otherwise.
#
# ## Two presets of the loss: *literal* and *stable*
#
# A [preset](00_start_here.ipynb#Glossary) is a named set of choices. *Literal* is the paper's text with the smallest repairs that let it
# run. *Stable* trains the headline system of this book. It makes five choices otherwise. The first four of the table depart from the
# text; the fifth is about the encoder E, of which the text says nothing. [Chapter 10](10_tables.ipynb) trains both, side by side.

# %% tags=["nbval-check-output"]
WHY = {
    "pixel_reduction": "the norm |G(E(Y)) - Y| without the square of Eq. 10: it is heard beside the adversarial term, "
                       "where a mean is too faint and a sum drowns it",
    "learning_rate": "of G and E; that of D is the same in both. A run of a few hundred steps needs a fast G",
    "betas": "of Adam: some momentum, since gradients of eight clips are noisy",
    "mismatched_labels": "a third term of D, which Eqs. 13-14 do not have: real clips under a wrong label are fakes "
                         "too, so that D has a reason to read the label",
    "code": "of E: a code has to look like the noise that G is sampled from; a variational code is charged where it "
            "does not, one on a sphere only has the right length",
}
text, ours = make_config("literal"), make_config("stable")
changed = sorted((name for name, value in vars(text).items() if value != getattr(ours, name)), key=[*WHY].index)
page.table([{"choice": name, "literal": str(getattr(text, name)), "stable": str(getattr(ours, name)),
             "why": WHY[name]} for name in changed])
print(f"{len(changed)} changes:", ", ".join(changed))
print(f"the same in both: D learns at {ours.discriminator_learning_rate:g}; alpha = {ours.alpha}, beta = {ours.beta}")

# %% [markdown]
# Two learning rates, one for each network, are known as the *two time-scale update rule* (TTUR); where it was proposed D is the
# faster one. Here it is G: it starts from grey, and a run of a few hundred steps leaves it little time. Three of the five changes deserve a closer look.
#
# ### The pixel term is a norm
#
# Eq. 10 compares a generated clip with a real one, and a clip made from noise has no partner. Section 4.2 speaks of a
# "reconstruction network". We read the two together ([**A20**](12_claims_and_decisions.ipynb#A20), [**T1**](12_claims_and_decisions.ipynb#T1)): an encoder E maps a
# real clip Y to a [latent](00_start_here.ipynb#Glossary), the same generator maps it back, and the pixel term compares $G(E(Y))$ with Y. Call the
# error $e = G(E(Y)) - Y$; it has $n$ values. What reaches G is the term's gradient, and Eq. 10 can be read in three ways:
#
# 1. *Sum* of squares, $\sum e_i^2$: the gradient is $2e$, and its length $2\,|e|$.
# 2. *Mean* of squares, $\frac1n \sum e_i^2$: everything is $n$ times smaller.
# 3. *Norm*, $|e| = \sqrt{\sum e_i^2}$: by the chain rule the gradient is $e / |e|$, of length 1 whatever the clip, its size and the error.
#
# How long is each beside the adversarial term's gradient? We measure gradients with respect to the pixels of one clip: those of a
# grey clip against a real one for the three readings, and what a fresh D sends to a generated clip.

# %%
train_set = page.dataset("actions")
few, few_labels = train_set.batch(torch.arange(4) * len(train_set) // 4)
lengths = {}
for reduction in ("sum", "mean", "norm"):
    grey = torch.zeros_like(few[:1], requires_grad=True)
    (slope,) = torch.autograd.grad(losses.mse_loss_paper(grey, few[:1], reduction), grey)
    lengths[f"pixel term, {reduction}"] = slope.norm().item()
torch.manual_seed(page.seed)
fresh = build_system("hrvgan", frames=train_set.frames, size=train_set.size, n_classes=train_set.n_classes,
                     width=page.profile.width)
fakes = fresh.sample(4, few_labels, generator=stream("loudness")).requires_grad_()
logits = fresh.discriminator(fakes, few_labels)
(slope,) = torch.autograd.grad(len(fakes) * losses.adversarial_generator_loss(logits, ours.k, ours.adversarial), fakes)
lengths["adversarial term"] = slope.flatten(1).norm(dim=1).mean().item()
loud = {name: length / lengths["adversarial term"] for name, length in lengths.items()}
page.table([{"term": name, "length of its gradient": lengths[name], "over the adversarial one's": loud[name]}
            for name in lengths])

# %% tags=["nbval-check-output"]
page.expect("length of the norm's gradient", lengths["pixel term, norm"], of=1, rtol=1e-3, why="whatever the clip")
page.expect("the mean, over the adversarial term", loud["pixel term, mean"], high=0.1, why="too faint")
page.expect("the sum, over the adversarial term", loud["pixel term, sum"], low=2, why="it drowns the other")

# %% [markdown]
# Equal weights $\alpha = \beta = 0.5$ do not mean equal influence: the terms' gradients can lie orders of magnitude apart. Of the three
# readings, the norm comes nearest to the adversarial term. It need not be as strong (the last column compares them), but its gradient has
# length 1 whatever the size of the clip and of the error. That is also why the pixel term is a number in the tens further
# below: it is $\beta$ times the length of an error with many thousand values.
#
# ### The encoder's latent is drawn at random
#
# The latent $E(Y)$ is called the *code* of Y. $G(E(Y))$ should teach G something about clips made from noise. It does only if codes look like noise. An encoder that is free will put codes where draws
# $z \sim N(0, I)$ never come, and hide details of the clip in their last decimals; G then becomes good at codes and learns nothing about noise.
#
# So E gives, for each of the 128 numbers, a mean $m$ and a spread $s$, and the code is drawn: $m + s\,\varepsilon$ with
# fresh $\varepsilon \sim N(0, 1)$ at every step. E is charged for every number that is not simply noise, by the Kullback-Leibler divergence of
# $N(m, s^2)$ from $N(0, 1)$:
#
# $$\tfrac12 \left(m^2 + s^2 - 1 - \ln s^2\right) \ge 0, \text{ and zero only where } m = 0 \text{ and } s = 1 .$$
#
# A small spread would make a code exact, and is expensive. This is the encoder of a *variational autoencoder* (VAE), and the charge is
# the third term, *code*, that the loop printed above.
#
# *Literal* has the code `sphere` instead: E's 128 numbers are scaled to the length of a typical draw of noise, so that they lie on a sphere, and
# fresh noise is mixed in. Nothing is charged, so that G's loss has the two terms of Eq. 15 only. In return, only the length of a code is sure to
# be that of noise.

# %% tags=["nbval-check-output"]
system8 = tiny()
clips, labels = clips8.batch(torch.arange(8))
with torch.no_grad():
    m, log_variance = system8.encoder.posterior(clips)
    epsilon = system8.latents(8, stream("one draw"))
    code, charge = system8.encode(clips, stream("one draw"))
by_formula = 0.5 * (m**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
print("a code is m + s * epsilon:", torch.allclose(code, m + (log_variance / 2).exp() * epsilon))
print("the charge is the formula's:", torch.allclose(charge, by_formula))
print("its weight in G's loss:", ours.code_weight)

# %% [markdown]
# ### D is also shown real clips under wrong labels
#
# D gets a clip and a label and answers one question: is this a real pair? As long as every label it sees is right, it may ignore them.
# *Stable* gives it a reason to read: half of the fakes are real clips under a label drawn from the other classes.
# Only D's loss has this term; G learns of it through D's answers.

# %%
page.table([
    {"pair that D sees": "real clip, its own label", "wanted": "real", "weight in D's loss": 1.0},
    {"pair that D sees": "generated clip, the label it was made for", "wanted": "fake", "weight in D's loss": 0.5},
    {"pair that D sees": "real clip, a wrong label", "wanted": "fake", "weight in D's loss": 0.5},
])

# %% [markdown]
# This moves the point of balance. For the cross-entropy of Eqs. 1-2 beside a perfect G it is $2 \log 2$ (chapter 05). Here, where a perfect G draws clips as the data
# do, and where clips of different classes cannot be confused:
#
# 1. A wrong pair can be told from its clip and label alone. The best D answers 0 and pays nothing.
# 2. Among the pairs that fit, for one real pair of weight 1 there is a generated one of weight $\frac12$, and they look the same.
# 3. Whatever D answers there, call it $p$, costs $-\log p - \frac12 \log (1 - p)$.
# 4. The derivative $-\frac1p + \frac{1}{2(1 - p)}$ is zero at $p = \frac23$.
# 5. The loss there is $-\log \frac23 - \frac12 \log \frac13$, *below* $2 \log 2$.
#
# We check it with the library's loss, by trying every answer:

# %% tags=["nbval-check-output"]
def loss_of_answer(p):
    """D's loss where it says `p` for every pair that fits, and almost 0 for a wrong label."""
    fits, wrong = torch.full((8,), math.log(p / (1 - p))) + ours.k, torch.full((8,), -30.0)  # k is taken off again
    return losses.adversarial_discriminator_loss(fits, torch.cat([fits, wrong]), ours.k, ours.adversarial).item()


answers = [i / 300 for i in range(1, 300)]
best = min(answers, key=loss_of_answer)
balance = -math.log(2 / 3) - 0.5 * math.log(1 / 3)
page.expect("the best answer to pairs that fit", best, of=2 / 3, rtol=0.01, why="step 4")
page.expect("D's loss beside a perfect G", loss_of_answer(best), of=balance, rtol=1e-3, why="step 5")
print(f"with right labels only it would be {2 * math.log(2):.3f}")

# %% [markdown]
# ## Training the system of this run
#
# Now the system of this profile: Table 1 cut at the profile's size, conditional on the class, with the losses of its preset.
# `learning.trained` returns it at once if this very system was trained before, goes on where it was interrupted, and trains it
# otherwise. At `smoke` that is a handful of steps, enough to see the loop at work, and no more. So the table has a second column: the system that this chapter looks at
# below. At `smoke` it is the one that the recorded run has kept; in every other profile it is yours. A training that takes longer
# shows its step, its losses and the time that is left.

# %%
system, records = learning.trained(page, "hrvgan", labels=True, own=True)
grown, its_records = learning.trained(page, "hrvgan", labels=True)


def facts(system, records):
    """What was trained, and for how long, in words."""
    c, last = system.config, len(records)
    weights = {name: sum(p.numel() for p in getattr(system, name).parameters())
               for name in ("generator", "discriminator", "encoder")}
    return {
        "clip": f"{system.frames} frames of {system.size}x{system.size}, every {train_set.stride} source frames",
        "adversarial term": f"{c.adversarial}, Lipschitz constraint {c.lipschitz}, k = {c.k:g}",
        "Eq. 15": f"alpha = {c.alpha}, beta = {c.beta}, pixel term by {c.pixel_loss}, {c.pixel_reduction}",
        "optimiser": f"{c.optimiser}, learning rate {c.learning_rate:g} for G, {c.discriminator_learning_rate:g} for D",
        "weights": ", ".join(f"{n:,} in {name[0].upper()}" for name, n in weights.items()),
        "training": f"{last:,} steps, {clips_seen(records):,} clips seen by each network",
    }


mine, theirs = facts(system, records), facts(grown, its_records)
page.table([{"choice": name, "trained here": mine[name], "looked at below": theirs[name]} for name in mine])
print("clips:", train_set.describe())

# %% [markdown]
# ## Samples before, during and after training
#
# Before its first step G answers every latent with nearly the same grey: its last layer starts with small weights. The same latents, one
# for each of the first classes, before and after; and real clips of these classes above. One frame of each clip is shown.

# %%
shown = grown.uniform_labels(8).cpu()
of_class = [(train_set.labels == label).nonzero().flatten() for label in shown]
chosen = torch.stack([numbers[len(numbers) * i // len(shown)] for i, numbers in enumerate(of_class)])
rows = {
    "real": train_set.batch(chosen)[0],
    "step 0": metrics.untrained(grown, page.seed).sample(8, generator=stream("snapshot")),
    f"step {len(its_records):,}": grown.sample(8, generator=stream("snapshot")),
}
middle = torch.stack([clips[:, :, grown.frames // 2].transpose(0, 1) for clips in rows.values()])
page.figure(book.clip_grid(middle, labels=list(rows)), data=[train_set], samples=8,
            caption="Top: real clips, one of each of the first classes. Middle: what G gives for eight latents before "
                    "its first step: grey. Bottom: what it gives for the same latents after training.",
            alt="Three rows of eight frames: real people before different backgrounds, eight grey frames, and what the "
                "generator gives after training")
contrast = {name: clips.std().item() for name, clips in rows.items()}
print("standard deviation of the values:", ", ".join(f"{name} {value:.3f}" for name, value in contrast.items()))
page.expect("contrast at step 0, over that of real clips", contrast["step 0"] / contrast["real"], high=0.25,
            why="G starts grey")

# %% [markdown]
# Now four latents, watched while the generator learned. A recorded run's picture stands first and this run's, small, below it;
# the words under each say whose it is. Read it from top to bottom. The recorded runs agree on the order: dark and
# light patches, then a blob where a person stands, then a body on bent legs, and last colours, which run into each other, and
# arms, which come and go. Few backgrounds appear, where the data has many (chapter 08 counts). A few steps, as at `smoke`, show
# grey and patches at most.

# %%
figure, axes = plt.subplots(len(system.snapshots), 1, figsize=(9, 0.62 * len(system.snapshots)), squeeze=False)
for axis, (step, clips) in zip(axes[:, 0], system.snapshots):
    # channel, height, clip, time, width: one long row
    strip = clips[:4, :, ::max(1, system.frames // 4)].permute(1, 3, 0, 2, 4)
    axis.imshow((strip.flatten(2).permute(1, 2, 0) + 1) / 2)
    axis.set_ylabel(f"step {step}", rotation=0, ha="right", va="center")
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
page.figure(figure, name="training_snapshots", data=[train_set], samples=4,
            caption="The same four latents at four moments of training; four frames of each clip. Read it from top "
                    "to bottom.",
            alt="Four rows of generated frames from the same four latents, one row for each of four moments of "
                "training")

# %%
page.film(system.snapshots[-1][1], "training_samples", columns=4, data=[train_set], samples=8,
          caption="What the same eight latents, one for each of the first classes, give at the end of training. "
                  "Compare legs, arms and backgrounds.",
          alt="Eight small films side by side in two rows: a figure before a plain background in each, moving.")

# %% [markdown]
# In a live notebook the slider below leads through a training, with all latents moving; elsewhere each moment is a row.

# %%
from hrvgan_lib.book.widgets import TrainingScrubber

TrainingScrubber(grown.snapshots, its_records).show()

# %% [markdown]
# ## Reading the curves of a GAN
#
# Two pictures of curves follow: a recorded run's, large, and below it those of the training of *this* run, which at `smoke` has a handful of steps. The numbers printed
# after them are of the system "looked at below" in the table above. Read the large picture.
#
# Two losses that chase each other do not fall as one loss does. Three readings are safe.
#
# - **D against G.** Beside a perfect G the best D would score 0.95, as derived above. Below that, D tells
#   generated clips from real ones; above the dashed line, at $2 \log 2$, it does worse than an answer of one half to everything.
#   In between D has learned something, but less than it could, whatever G does: the best D would be at 0.95 or below.
# - **Balance is not quality.** A bad G beside a bad D draws the same curve as a good G beside a good D. Nothing here
#   says how good the samples are.
# - **The pixel term is different.** It is a plain error against a known clip. Its fall is progress of the encoder and the generator
#   together, on reconstructions, which are not samples.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
turns = [record.step for record in records]
colour = book.SYSTEM_COLOURS["hrvgan"]
left.plot(turns, [record.discriminator["adversarial"] for record in records], color="#882255", lw=1, label="D")
left.plot(turns, [record.generator["adversarial"] for record in records], color=colour, lw=1, label="G (times alpha)")
left.axhline(2 * math.log(2), color="grey", ls="--", lw=1)
left.set(xlabel="step", ylabel="adversarial term")
left.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))  # above: curves may be anywhere
right.plot(turns, [record.generator["pixel"] for record in records], color=colour, lw=1)
right.set(xlabel="step", ylabel="pixel term", ylim=(0, None))
page.figure(figure, name="training_curves", data=[train_set],
            caption="Left: the adversarial terms; dashed, what a D scores that answers one half to everything. Right: "
                    "the pixel term of Eq. 15, which falls fast and then slowly.",
            alt="Two line plots over training steps: the discriminator's and generator's adversarial terms with a "
                "dashed line at 1.39, and the pixel term, which falls.")

# %%
tenth = max(1, len(its_records) // 10)
ends = {"first": its_records[:tenth], "last": its_records[-tenth:]}
values = 3 * grown.frames * grown.size**2
for name, part in ends.items():
    d, pixel = (sum(getattr(record, side)[term] for record in part) / max(1, len(part))
                for side, term in (("discriminator", "adversarial"), ("generator", "pixel")))
    print(f"{name} tenth of {len(its_records):,} steps: D's loss {d:.2f}; pixel term {pixel:.1f}, an error of "
          f"{pixel / grown.config.beta / values**0.5:.2f} for each of {values:,} values")
print(f"D ends {'below' if d < balance else 'not below'} the {balance:.2f} that the best D has beside a perfect G"
      + (":\nit still tells generated clips from real ones" if d < balance else ""))

# %% [markdown]
# ## Reconstruction of held-out clips
#
# Section 4.2 promises "high fidelity" of the reconstruction. Above, real clips that training never saw; below,
# what comes back as $G(E(Y))$.

# %%
test_set = page.dataset("actions", split="test")


def reconstructed(clips, labels, noise=None, network=grown):
    """G(E(Y)); with a stream of `noise` from a code as training draws it."""
    clips = clips.to(page.device)
    code = network.encoder(clips) if noise is None else network.encode(clips, noise)[0]
    return network.generator(code, labels.to(page.device)).float().cpu()


real, labels, _ = test_set.draw(4, stream("reconstruction"))
with torch.no_grad():
    grown.eval()
    back = reconstructed(real, labels)
# source, height, clip, time, width, channel
rows = torch.stack([real, back])[:, :, :, ::max(1, grown.frames // 4)].permute(0, 4, 1, 3, 5, 2)
figure, axis = plt.subplots(figsize=(9, 1.2))
axis.imshow((rows.flatten(2, 4).flatten(0, 1).clamp(-1, 1) + 1) / 2)
axis.set_axis_off()
page.figure(figure, data=[test_set], samples=4,
            caption="Held-out real clips (top) and G(E(Y)) (bottom); four clips, four frames of each. Compare colours, "
                    "position and pose.",
            alt="Two rows of frames: real held-out clips and their reconstructions by encoder and generator")

# %% [markdown]
# With the system of the recorded run, dark or light backgrounds come back, and where a body stands; the pose hardly does.
#
# Fidelity to *this* clip can be told from a good guess. The guess that ignores its input and has the least squared error is
# the mean of the training clips. A reconstruction is worth something below that error, and the ledger of
# [chapter 12](12_claims_and_decisions.ipynb) asks for a ratio of at most 0.8.
#
# The *negative control* is an untrained network. It shows grey clips, which miss by about as much as the mean does, so its ratio should
# be about 1. A test that it passes too would say nothing. So we also ask where its interval lies:
#
# - wholly above 0.8: the control fails, as it should, and the test means something;
# - wholly below 0.8: the control passes, and the test is void;
# - 0.8 lies inside: with these clips the control *may* pass, so the claim stays undecided, however good the trained network is.
#
# An interval is wide where there is little evidence. Clips that share their origin (a look, a person or a source video, according to the data
# set) count together as one piece of it, so many clips of few origins are little evidence. The first line below counts both.

# %%
@torch.no_grad()
def squared_errors(guess, n):
    """(n,): mean squared error of guess(clips, labels) on each of n held-out clips, and the clips' numbers."""
    found, numbers = [], torch.arange(n) * len(test_set) // n  # evenly over the classes
    for part in numbers.split(8):
        clips, labels = test_set.batch(part)
        found.append((guess(clips, labels) - clips).square().flatten(1).mean(dim=1))
    return torch.cat(found).numpy(), numbers.tolist()


some = range(0, len(train_set), max(1, len(train_set) // 256))
mean_clip = sum(train_set[i][0] for i in some) / len(some)
n_fidelity = min(len(test_set), 4 if page.rehearse else page.profile.samples, 256)
errors, numbers = squared_errors(reconstructed, n_fidelity)
guesses, _ = squared_errors(lambda clips, labels: mean_clip, n_fidelity)
noisy, _ = squared_errors(lambda clips, labels: reconstructed(clips, labels, stream("fresh")), n_fidelity)
before, _ = squared_errors(partial(reconstructed, network=metrics.untrained(grown, page.seed)), n_fidelity)

# %%
draw = metrics.draw_of(test_set, numbers, balanced=True)
guessing = metrics.mean_estimate(guesses, draw)
fidelity, beginner = (metrics.quotient(metrics.mean_estimate(found, draw), guessing) for found in (errors, before))
behind = {"data": [train_set, test_set], "sides": [book.side_of("HRVGAN", grown, its_records)]}
page.measure("error of G(E(Y)) on held-out clips, over that of the training mean", fidelity.value, interval=fidelity,
             claim="reconstruction-fidelity", high=0.8,
             controls=[book.control("untrained network", beginner)], **behind)
print(f"{n_fidelity} held-out clips, of {len(set(draw.units.tolist()))} origins (unit: {draw.unit})")
print(f"error of G(E(Y)) over that of the mean clip: {fidelity}")
print(f"the same of the untrained network: {beginner}; the control",
      "fails, as it should" if beginner.low > 0.8 else "passes" if beginner.high <= 0.8 else "may pass: undecided")
print(f"with fresh noise in the code, as in training, the error is {noisy.mean() / errors.mean():.2f} times as large")
print("so a reconstruction", "knows its clip better than the mean clip does" if fidelity.high < 1 else
      "misses by more than the mean clip does" if fidelity.low > 1 else "and the mean clip cannot be told apart")

# %% [markdown]
# ## Does D look at the order of frames?
#
# Section 4.2 also says what D is there for: its 3-D convolutions "analyze the spatiotemporal coherence" of a clip. Shuffle the
# frames of a held-out clip, and every single frame is as good as before: only a D that looks at their order can mind. Freeze
# the first frame, and nothing moves at all. We ask how much higher D's score, its [logit](00_start_here.ipynb#Glossary), is for the clip as it is, in standard deviations of the scores. Zero means that it does not mind.

# %%
n_scored = n_fidelity // 4 * 4  # in groups of four, as D's minibatch stddev asks
scored = torch.tensor(numbers)[:n_scored]
mixed = torch.randperm(test_set.frames, generator=stream("shuffled frames"))
CHANGES = {"shuffled": lambda clips: clips[:, :, mixed], "frozen": lambda clips: clips[:, :, :1].expand_as(clips)}
scored_draw = metrics.draw_of(test_set, scored.tolist(), balanced=True)


@torch.no_grad()
def scores_of(critic, change):
    """D's scores (logits) of the held-out clips after `change`: (n,)."""
    found = []
    for part in scored.split(8):
        clips, labels = test_set.batch(part)
        found.append(critic(change(clips).to(page.device), labels.to(page.device)).float().cpu())
    return torch.cat(found)


def preferred(critic, change):
    """How much higher D scores clips as they are than changed ones, in standard deviations of its scores."""
    plain = scores_of(critic, lambda clips: clips)
    return metrics.mean_estimate(((plain - scores_of(critic, change)) / plain.std()).numpy(), scored_draw)


# %%
beginner_D = metrics.untrained(grown, page.seed).discriminator.eval()
print("D's score of real clips, less that of the same clips when they are")
for name, change in CHANGES.items():
    minds, by_luck = preferred(grown.discriminator.eval(), change), preferred(beginner_D, change)
    print(f"  {name}: {minds}; before training: {by_luck}")
    if name == "shuffled":
        page.measure("D's score of held-out clips less that of the same frames in shuffled order, in standard "
                     "deviations", minds.value, interval=minds, low=0, claim="spatiotemporal-discriminator",
                     controls=[book.control("D before its first step", by_luck)], **behind)

# %% [markdown]
# An interval above zero says that D minds; one that holds zero, that these clips cannot tell. D before training is the control here,
# and is read as above.
#
# ## Training without labels: Golf and Aeroplane
#
# Table 4 of the paper is about two data sets without labels. The same system without its class inputs is trained on each
# ([**A19**](12_claims_and_decisions.ipynb#A19)); at `smoke` and `cpu` for a few steps only, which makes its rows in chapter 10 illustrations and no results.

# %% tags=["nbval-check-output"]
for name in ("golf", "aeroplane"):
    side_set = page.dataset(name)
    side, side_records = learning.trained(page, "hrvgan", name, own=True)
    print(f"{name}: {len(side_records)} steps on {len(side_set)} clips ({side_set.kind}), "
          f"{side.frames}x{side.size}x{side.size}, classes: {side.n_classes}")

# %% [markdown]
# ## Training at 256×256, on a GPU
#
# On a GPU the profile also trains Table 1 at its full size, uncut, 32 frames of 256×256, on the same actions. The `smoke` and `cpu`
# profiles have no such row: one step of it takes minutes on two cores. They show what a recorded run has made.

# %%
if page.profile.native:
    frames, size, *_ = page.profile.native
    native_set = page.dataset("actions", frames=frames, size=size)
    native, native_records = learning.native(page)
    shown = native.sample(4, generator=stream("native"), batch=1)
    page.figure(book.clip_grid(shown, every=4), name="native_frames",
                caption=f"Four samples of {frames} frames at {size}x{size}, every fourth frame.",
                alt="Four rows of generated frames, one clip a row.",
                data=[native_set], samples=4)
    page.film(shown, "native_samples", columns=2, data=[native_set], samples=4,
              caption=f"Four samples of {frames} frames at {size}x{size}.",
              alt="Four generated clips in two rows, moving.")
else:
    print(f"profile {page.profile.name} trains Table 1 cut at {page.profile.size}x{page.profile.size} only")
    page.show_recorded("native_samples.webp", "native_frames.png")

# %% [markdown]
# ## A loud failure: divergence
#
# GANs can fail loudly. A step of gradient descent goes by the slope at one place, and a long step leaves the neighbourhood where that slope
# holds. Take the simplest loss with a lowest point, $\frac h2 x^2$. Its slope at $x$ is $h x$, so a step of size $\alpha$ leads from $x$ to
# $(1 - \alpha h)\, x$. For $\alpha > 2/h$ this lies farther from the lowest point than $x$ did, and every step makes it worse.
#
# The critic's loss of Eq. 5 does not even have a lowest point: D can lower it without end, by making its scores larger. Larger
# scores mean larger gradients, for D and for G, so the steps grow as well. We give both networks plain SGD and a rate of 0.3, far above those of the
# presets, save after every step, and watch D's loss.

# %%
reckless = tiny(optimiser="sgd", learning_rate=0.3, discriminator_learning_rate=0.3, adversarial="wgan")
heights, end = [], "it reached the end"
with tempfile.TemporaryDirectory() as folder:
    try:
        for record in plainly(reckless, clips8, TrainConfig(steps=50, batch=8, save_every=1), folder):
            heights.append(record.discriminator["adversarial"])
    except training.Diverged as error:
        end = str(error)
    rescued = tiny(optimiser="sgd", adversarial="wgan")
    kept, *_ = training.restore(rescued, rescued.optimisers(), folder)
print("D's loss, step by step:", ", ".join(f"{height:.3g}" for height in heights))
print(textwrap.fill(end, 96))
print(f"the checkpoint that is left is of step {kept}, every weight in it finite:",
      all(bool(weights.isfinite().all()) for weights in rescued.state_dict().values()))

# %% tags=["nbval-check-output"]
page.expect("steps before the loop stopped, of 50", len(heights), high=40, why="no longer finite")
page.expect("growth of D's loss", max(map(abs, heights)) / abs(heights[0]), low=1e3, why="each step makes it worse")
print("the sentence names step and remedy:", "diverged at step" in end and "lower learning_rate" in end)

# %% [markdown]
# This failure cannot be missed. The loop stops, says what is no longer finite and what to do, and leaves a checkpoint to go on from.
#
# ## A quiet failure: mode collapse
#
# *Mode collapse* makes no noise: the samples become alike, each fine by itself perhaps, while every loss looks well. Its cause is in the game. For a
# *fixed* D the best that G can do is to find the one clip of a class that D scores highest, and to give it for every latent. What keeps G from it
# is that D learns and marks that clip down, and, in this system, that the pixel term asks for all the clips.
#
# We take both away. A tiny system learns for 60 steps. From there on we try two futures of 30 steps: in one everything stays; in the other
# D stands still, there is no pixel term, and G climbs D's raw score, as in Eq. 5. What we count is *variety*: the distance
# between two samples of one class, as an error per value, averaged over the classes. The codes lie on the sphere here: they are not charged, so that the
# pixel term is all that G has beside the adversarial one.

# %%
HEALTHY = {"width": 1 / 8, "learning_rate": 5e-3, "discriminator_learning_rate": 5e-3, "code": "sphere"}
LONELY = HEALTHY | {"discriminator_learning_rate": 0.0, "pixel_loss": "off", "adversarial": "wgan"}


def variety(clips, labels):
    """Mean distance between two clips of one class, for each value, averaged over the classes."""
    within = [torch.pdist(clips[labels == label].flatten(1)).mean() for label in labels.unique()]
    return (sum(within) / len(within)).item() / clips[0].numel() ** 0.5


def future(start, steps, **options):
    """Go on from `start`, or begin, under these options: the system, and (step, variety, G's loss) on the way."""
    system, path = tiny(**options), []
    if start is not None:
        system.load_state_dict(start.state_dict(), strict=False)  # without a pixel term there is no encoder
    labels = torch.arange(12 * clips8.n_classes) % clips8.n_classes
    for record in plainly(system, clips8, TrainConfig(steps=steps, batch=8, seed=page.seed + (start is not None))):
        if record.step % 5 == 0:
            samples = system.sample(len(labels), labels, generator=stream("variety"))
            path.append((record.step, variety(samples, labels), record.generator["adversarial"]))
    return system, path


branching, childhood = future(None, 60, **HEALTHY)
futures = {"everything stays": future(branching, 30, **HEALTHY), "G alone": future(branching, 30, **LONELY)}
real_variety = variety(*clips8.batch(torch.arange(len(clips8))))

# %%
same_class = {"real": clips8.batch((clips8.labels == 0).nonzero().flatten()[:8])[0]}
same_class |= {name: one.sample(8, torch.zeros(8, dtype=torch.long), generator=stream("variety"))
               for name, one in [("step 60", branching), *((name, one) for name, (one, _) in futures.items())]}
moment = torch.stack([clips[:, :, 4].transpose(0, 1) for clips in same_class.values()])
page.figure(book.clip_grid(moment, labels=list(same_class), width=8), data=[clips8], samples=8,
            caption="Eight clips of one class, one frame of each. Below: the same eight latents where the futures "
                    "part, and at the end of each. G alone gives one picture eight times.",
            alt="Four rows of eight 8x8 frames: real people before different backgrounds; generated people whose "
                "backgrounds differ a little; the same; and eight times one coloured pattern without a person")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
looks = {"everything stays": ("#0072B2", "-", "o"), "G alone": ("#D55E00", "--", "s")}
left.plot(*list(zip(*childhood))[:2], color="0.4", marker="^", ms=3, label="before")
left.axhline(real_variety, color="black", ls=":", lw=1, label="real clips")
for name, (_, path) in futures.items():
    steps, varied, prices = zip(*path)
    ink, line, mark = looks[name]
    branch = [childhood[-1][1], *varied]
    left.plot([60, *(60 + step for step in steps)], branch, color=ink, ls=line, marker=mark, ms=3, label=name)
    right.plot([60 + step for step in steps], prices, color=ink, ls=line, marker=mark, ms=3, label=name)
left.set(xlabel="step", ylabel="variety within a class", ylim=(0, None))
right.set(xlabel="step", ylabel="G's adversarial term")
left.legend(frameon=False, fontsize=8)
right.legend(frameon=False, fontsize=8)
page.figure(figure, data=[clips8],
            caption="Left: variety falls where G is alone. Right: its loss at the same time, which falls too, as if "
                    "all were well. The two losses have different scales: a cross-entropy, and a raw score.",
            alt="Left: variety over steps; one line stays, the dashed one falls towards zero. Right: the loss of the "
                "generator; one line stays, the dashed one falls far below it.")

# %% tags=["nbval-check-output"]
stays, alone = (path[-1][1] for _, path in futures.values())
print("variety, as a ratio:")
page.expect("G alone over everything stays", alone / stays, high=0.6, why="mode collapse")
page.expect("G alone over real clips", alone / real_variety, high=0.25, why="samples of one class are alike")
page.expect("everything stays over real clips", stays / real_variety, high=0.8, why="collapse has degrees")
first, *_, last = futures["G alone"][1]
page.expect("what G's loss has fallen by meanwhile", first[2] - last[2], low=0.1, why="it looks like success")

# %% [markdown]
# The loss was no help; only a look at several samples *of one class* was, or a number that compares them. Even where everything stays, the samples
# have less variety than the clips. That future is our reference all the same: it starts from the same weights and differs only in what we took away. The few backgrounds of the recorded runs are a mild case of the same.
# Chapter 08 measures fidelity and variety apart, as precision and recall. Among the remedies are Wasserstein's distance (chapter 05) and the
# minibatch stddev of chapter 04; the latter was
# in D here, but a D that stands still cannot learn to use what it shows.
#
# ### A D that is clipped too tightly
#
# There is a second quiet failure, on D's side. With all of D's weights clipped to at most 0.0005, D cannot tell anything from
# anything. Its loss, here without wrong labels, stays at $2\log 2$, and next to no gradient reaches the generator. We measure it twice: on
# an untrained D whose weights are clipped once, and after 20 steps of training, each of which ends with a clip. Training cannot help.

# %% tags=["nbval-check-output"]
def generator_gradient(steps=0, **options):
    """Mean absolute gradient that the adversarial term sends into G's first layer, and D's loss, after `steps`."""
    weak = tiny(adversarial="bce", mismatched_labels=False, **options).to(page.device)
    weak.constrain_discriminator(step=0)
    if steps:
        list(plainly(weak, clips8, TrainConfig(steps=steps, batch=8)))
    weak.zero_grad()  # what the last step left in G
    clips, labels = training.draw_batch(clips8, TrainConfig(steps=1, batch=8), 0, page.device)
    blind = float(weak.discriminator_losses(clips, labels, stream("blind"))["adversarial"].detach())
    weak.generator_losses(clips, labels, stream("whisper"))["adversarial"].backward()
    return float(weak.generator.fc.weight.grad.abs().mean()), blind


tight = {"lipschitz": "clip", "clip": 0.0005}
(free, _), (clipped, blind) = generator_gradient(lipschitz="none"), generator_gradient(**tight)
(free_20, loss_20), (clipped_20, blind_20) = generator_gradient(20, lipschitz="none"), generator_gradient(20, **tight)
page.expect("untrained: loss of the clipped D", blind, of=2 * math.log(2), rtol=1e-2, why="one half to everything")
page.expect("untrained: gradient into G, clipped D over free D", clipped / free, high=1e-2)
page.expect("after 20 steps: loss of the clipped D", blind_20, of=2 * math.log(2), rtol=1e-2, why="still one half")
page.expect("after 20 steps: gradient into G, clipped D over free D", clipped_20 / free_20, high=1e-2)
page.expect("after 20 steps: loss of the free D", loss_20, high=1.3, why="it has begun to tell")
page.measure("gradient that D sends into G with its weights clipped at 0.0005, over that without a constraint",
             clipped / free, decision="L6", data=[clips8])

# %% [markdown]
# ## For the ledger
#
# Two numbers that the [decision ledger](12_claims_and_decisions.ipynb) quotes: what fresh noise in the code costs a reconstruction
# ([**A20**](12_claims_and_decisions.ipynb#A20)), and how far the averaged generator lies behind the one that is trained
# ([**O2**](12_claims_and_decisions.ipynb#O2)). They stand in the folded cell below, which a click opens.

# %% tags=["ledger"]
page.measure("error of G(E(Y)) from codes with their noise, over that without", noisy.mean() / errors.mean(),
             decision="A20", **behind)
now, average = (torch.cat([p.detach().flatten() for p in network.parameters()])
                for network in (grown.generator, grown.sampler))
page.measure("distance of G's averaged weights from its last ones, over their length",
             ((now - average).norm() / now.norm()).item(), decision="O2", **behind)
print(f"distance of the averaged weights from the last ones: {(now - average).norm() / now.norm():.1%} of their length")

# %% [markdown]
# ## Check yourself
#
# 1. Algorithm 1 draws a *new* batch for the generator's update. What does G gain by it?
# 2. Why does a resumed run need no saved state of the data loader?
# 3. *Calculate.* A run has 800 steps of batch 8 on 288 clips. How often is each clip drawn, by both networks together?
# 4. *Calculate.* At step 800, what is the decay $d$ of the averaged generator, and over how many steps does it look back?
# 5. *Calculate.* Suppose three quarters of D's fakes were real clips under wrong labels. Where would its loss be in balance?
# 6. *Look at the large picture of the curves.* Which of these does its left panel support: "D tells generated clips from real ones", "the samples got better", "G has collapsed"?
# 7. D's loss falls to 0.1 and stays. Is that good?
#
# <details><summary>Answers</summary>
#
# 1. D's answers are not asked for on the batch that D was fitted to a moment ago, and a step sees twice as many clips.
# 2. The batch of a step is a function of (seed, turn). Nothing about it is remembered, so nothing can be forgotten.
# 3. Two draws of 8 a step make $800 \cdot 16 = 12800$ clips, $12800 / 288 \approx 44$ times each.
# 4. $d = \min(0.999, 801 / 810) \approx 0.989$, and $1 / (1 - d) = 810 / 9 = 90$ steps.
# 5. A generated pair then weighs $\frac14$: $p = 1 / (1 + \frac14) = \frac45$, and the loss is $-\log\frac45 - \frac14 \log\frac15 \approx 0.63$.
# 6. Only the first, where D's curve lies below 0.95. A curve of balance says nothing about quality, and a collapse does not show in it.
# 7. For D: it tells nearly every generated clip. Whether G still learns cannot be read from it. The non-saturating loss sends a gradient
#    even then (chapter 05). Look at the samples, and at the metrics of chapter 08.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Make `algorithm_1` update D three times for each update of G. *Expected:* with `critic_steps=3` the library agrees to the bit.
# 2. *(easy)* Reuse D's batch for G's update. *Expected:* half as many clips are read; the first loss of D is unchanged, and G's is not.
# 3. *(medium)* Replace Adam by the plain SGD of section 4.2 (`optimiser="sgd"`, learning rate 0.02) for 20 steps at 8×8. *Expected:* both
#    lower the pixel term, and SGD lowers it further. Twenty steps say little about a long run, which is chapter 11's.
# 4. *(medium)* In the collapse, G lost two helpers at once. Give it back the pixel term, and leave D as it stands. *Expected:* variety stays at
#    least one and a half times that of G alone.
# 5. *(hard)* Run the same 24 steps on one and on two threads. How fast does the difference grow? *Expected:* G's first losses agree to five digits
#    at least. Sums in another order may differ in the last digit, and training makes such differences grow.

# %% tags=["solution", "nbval-check-output"]
# Exercise 1
def several(system, config):
    """Algorithm 1 with `critic_steps` updates of D before each of G."""
    optimisers, found, turn = system.optimisers(), [], 0
    for step in range(config.steps):
        noise = stream("noise", config.seed, step, 0)
        for network in ["discriminator"] * system.critic_steps + ["generator"]:
            clips, labels = training.draw_batch(clips8, config, turn, system.device)
            turn += 1
            terms = getattr(system, f"{network}_losses")(clips, labels, noise)
            optimisers[network].zero_grad()
            sum(terms.values()).backward()
            optimisers[network].step()
        found.append({name: float(term.detach()) for name, term in terms.items()})
    return found


three = TrainConfig(steps=3, batch=8)
agreed = several(tiny(critic_steps=3), three) == [r.generator for r in plainly(tiny(critic_steps=3), clips8, three)]
print("equal to the bit:", agreed)
assert agreed

# %% tags=["solution", "nbval-check-output"]
# Exercise 2
def counted(system, config, reuse):
    """(clips read, first loss of D, first loss of G), with D's batch reused for G or not."""
    optimisers, read, firsts = system.optimisers(), 0, {}
    for step in range(config.steps):
        noise = stream("noise", config.seed, step, 0)
        for turn, network in enumerate(("discriminator", "generator")):
            if turn == 0 or not reuse:
                clips, labels = training.draw_batch(clips8, config, 2 * step + turn, system.device)
                read += len(clips)
            loss = sum(getattr(system, f"{network}_losses")(clips, labels, noise).values())
            optimisers[network].zero_grad()
            loss.backward()
            optimisers[network].step()
            firsts.setdefault(network, float(loss.detach()))
    return read, firsts["discriminator"], firsts["generator"]


(all_read, d_new, g_new), (half_read, d_same, g_same) = counted(tiny(), three, False), counted(tiny(), three, True)
print(f"{all_read} and {half_read} clips read; D's first loss unchanged: {d_new == d_same}; "
      f"G's changed: {g_new != g_same}")
assert all_read == 2 * half_read and d_new == d_same and g_new != g_same

# %% tags=["solution"]
# Exercise 3
def fall(**options):
    """The pixel term after twenty steps, relative to the first."""
    terms = [record.generator["pixel"] for record in plainly(tiny(**options), clips8,
                                                             TrainConfig(steps=20, batch=8))]
    return sum(terms[-3:]) / 3 / terms[0]


falls = {"Adam": fall(), "SGD": fall(optimiser="sgd", learning_rate=0.02)}
page.expect("Adam: pixel term over the first", falls["Adam"], high=0.97, why="it falls")
page.expect("SGD: pixel term over Adam's", falls["SGD"] / falls["Adam"], high=1, why="it falls further")
for name, share in falls.items():
    page.measure(f"pixel term after 20 steps at 8×8 over that of the first, {name}", share, decision="O1",
                 data=[clips8])

# %% tags=["solution"]
# Exercise 4: a reconstruction of every clip cannot be one clip
helped = LONELY | {"pixel_loss": "reconstruction"}
(_, with_pixels) = future(branching, 30, **helped)
page.expect("variety with the pixel term, over that of G alone", with_pixels[-1][1] / alone, low=1.5)

# %% tags=["solution"]
# Exercise 5
def on_threads(n):
    """G's loss in 24 steps on `n` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        return [sum(record.generator.values()) for record in plainly(tiny(), clips8, TrainConfig(steps=24, batch=8))]
    finally:
        torch.set_num_threads(before)


apart = [abs(a - b) / abs(a) for a, b in zip(on_threads(1), on_threads(2))]
print("relative distance of the losses:",
      ", ".join(f"{one:.0e} at step {step}" for step, one in enumerate(apart, 1) if step in (1, 8, 24)))
page.expect("at the first step", apart[0], high=1e-5, why="sums in another order")

# %% [markdown]
# ## What we now know
#
# - Algorithm 1 is twelve lines; the library's loop gave the same numbers to the last bit.
# - The loss that was trained had a norm for a pixel term, drawn codes and wrong labels; these moved D's balance from $2 \log 2$ to 0.95.
# - A run stopped between two checkpoints resumed and ended in the same weights and averages.
# - The adversarial curves showed a balance; only the pixel term was an error in the usual sense.
# - Divergence was loud and was named with its remedy; mode collapse was quiet, its loss fell, and a number for variety gave it away.
#
# ## Where next
#
# [08 · Evaluation](08_evaluation.ipynb) asks how good these samples are, with a [judge](00_start_here.ipynb#Glossary), a classifier that never saw
# them; [09 · Latent space](09_latent_space.ipynb) walks between them.

# %%
page.colophon()
