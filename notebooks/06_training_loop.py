# %% [markdown]
# # 06 · Two networks, one loop: Algorithm 1 fits on a screen
#
# | | |
# |---|---|
# | **You will build** | Algorithm 1 in fifteen lines, and a run of it that can be stopped anywhere and goes on bit for bit |
# | **Reads** | the action data set, Golf and Aeroplane (stand-ins are drawn if you have none) |
# | **Writes** | the trained systems that chapters 08, 09 and 10 look at, in `runs/<run>/checkpoints/`; `training_snapshots`, `training_curves`, `training_samples`; on a GPU `native_frames`, `native_samples` |
# | **Budget** | half a minute at `smoke`, most of the quarter of an hour at `cpu` |
#
# Everything so far stood still. Here the generator of chapter 03 and the discriminator of chapter 04 begin to move, each
# chasing the other, and after a few hundred turns there are people in the noise.
#
# **By the end you can**
#
# - write Algorithm 1 down from memory, and name what it leaves open;
# - stop a training run at any step and show that it resumes exactly;
# - read the curves of a GAN, and say why they do not tell how good the samples are;
# - tell a run that has diverged from one that is only losing.

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
from functools import partial

import matplotlib.pyplot as plt
import torch
from IPython.display import Code

from hrvgan_lib import training
from hrvgan_lib.book import learning
from hrvgan_lib.networks import build_system
from hrvgan_lib.networks.hrvgan import make_config
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, clips_seen, train

# %% [markdown]
# ## What the paper says
#
# > **Section 4.6, Algorithm 1.** Initialize learning rates $\alpha_D$ and $\alpha_G$, and weights
# > $\lambda_{adv}, \lambda_{mse}$. While not converged do:
# >
# > *Update the Discriminator D:* get $M$ data samples $(X, Y) = (X^{(1)}, Y^{(1)}), \dots, (X^{(M)}, Y^{(M)})$;
# > $$W_D = W_D - \alpha_D \sum_{i=1}^M \frac{\partial \mathcal{L}_{adv}^D(X^{(i)}, Y^{(i)})}{\partial W_D}$$
# >
# > *Update the Generator G:* get $M$ data samples;
# > $$W_G = W_G - \alpha_G \sum_{i=1}^M \left(\lambda_{adv} \frac{\partial \mathcal{L}_{adv}^G}{\partial W_G} +
# > \lambda_{mse} \frac{\partial \mathcal{L}_{mse}}{\partial W_G} \right)$$
#
# **What it does not say.** How many steps, how large $M$ is and which learning rates ([**O2**](12_claims_and_decisions.ipynb#O2), [**O1**](12_claims_and_decisions.ipynb#O1)); when to stop, whether
# the sum over $M$ is a sum or a mean, where the noise is drawn ([**L11**](12_claims_and_decisions.ipynb#L11)); whether $\lambda_{adv}, \lambda_{mse}$ are the
# $\alpha, \beta$ of Eq. 15 ([**L9**](12_claims_and_decisions.ipynb#L9); we take them to be, both 0.5). "Mini-batch SGD" in section 4.2 names a family; we use
# Adam, and plain SGD is one switch away ([**O1**](12_claims_and_decisions.ipynb#O1)).
#
# ## Fifteen lines
#
# Build small first. A system at the bottom of Table 1, 8 frames of 8×8, and the smallest labelled data set, Weizmann's people,
# are enough to write the whole algorithm down. The system knows its losses (chapter 05) and its optimisers; the loop knows
# only the order of things.

# %%
clips8 = page.dataset("weizmann", frames=8, size=8)


def tiny(**options):
    """HRVGAN cut at 8x8 and a sixteenth of its width, with the same first weights every time."""
    torch.manual_seed(page.seed)
    return build_system("hrvgan", frames=8, size=8, n_classes=clips8.n_classes, width=1 / 16, **options)


def algorithm_1(system, config):
    optimisers, losses = system.optimisers(), []
    for step in range(config.steps):
        noise = stream("noise", config.seed, step, config.rank)
        for turn, network in enumerate(("discriminator", "generator")):
            clips, labels = training.draw_batch(clips8, config, 2 * step + turn, system.device)  # M data samples
            terms = getattr(system, f"{network}_losses")(clips, labels, noise)
            optimisers[network].zero_grad()
            sum(terms.values()).backward()
            optimisers[network].step()  # W = W - alpha * gradient
        losses.append({name: float(term.detach()) for name, term in terms.items()})
    return losses


by_hand = algorithm_1(tiny(), TrainConfig(steps=4, batch=8))
print("generator's terms:", ", ".join(by_hand[0]))

# %% [markdown]
# The library's loop does the same and a little more: it can update D several times in a turn, it saves, it keeps a running
# average of the generator's weights, and it stops with a sentence when a loss is no longer a number. Here it is, printed from
# the file that runs:

# %%
Code(inspect.getsource(train), language="python")

# %% [markdown]
# Same order, same noise, same batches: the numbers must agree to the last bit. (In this chapter's experiments we compute in float32 on the
# CPU. A GPU may add the same numbers in another order each time, and `train` would use bfloat16 there.)

# %% tags=["nbval-check-output"]
plainly = partial(train, dtype=torch.float32)
by_library = [record.generator for record in plainly(tiny(), clips8, TrainConfig(steps=4, batch=8))]
print("the library's loop is Algorithm 1:", by_hand == by_library)

# %% [markdown]
# ## Stop anywhere, lose nothing
#
# A run over days will be interrupted. Adam's moments, the average weights and the step are saved together; the data order and
# the noise need no saving at all, because each draw comes from a stream that is named by the seed and the step
# (`stream("noise", seed, step, rank)`). We stop a run after five of six steps, with a checkpoint at four, and let a fresh
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
print("every weight, moment and average the same:", same)

# %% [markdown]
# ## The real thing
#
# Now the system of this profile: Table 1 cut at the profile's size, conditional on the class, with the losses of its preset.
# `learning.trained` returns it at once if this very system was trained before, goes on where it was interrupted, and trains it
# otherwise. The table says what it is.

# %%
train_set = page.dataset("actions")
system, records = learning.trained(page, "hrvgan", labels=True, own=True)
c = system.config
page.table([
    {"choice": "clips", "value": train_set.describe()},
    {"choice": "clip", "value": f"{system.frames} frames of {system.size}x{system.size}, every "
                                f"{train_set.stride}. frame of the video"},
    {"choice": "preset", "value": f"{page.profile.preset}: loss {c.adversarial}, Lipschitz constraint {c.lipschitz}, "
                                  f"k = {c.k:g}"},
    {"choice": "Eq. 15", "value": f"alpha = {c.alpha}, beta = {c.beta}, pixel loss by {c.pixel_loss}"},
    {"choice": "optimiser", "value": f"{c.optimiser}, learning rate {c.learning_rate:g}, batch {page.profile.batch}"},
    {"choice": "weights", "value": f"{sum(p.numel() for p in system.generator.parameters()):,} in G, "
                                   f"{sum(p.numel() for p in system.discriminator.parameters()):,} in D"},
    {"choice": "seen", "value": f"{len(records)} steps, {clips_seen(records):,} clips"},
])

# %% [markdown]
# ### What *stable* changes in the paper's text
#
# The preset *literal* is the text with the smallest repairs that let it run. *Stable*, which trains the headline rows, departs from the text in the first four lines of this table; the last is about the encoder, of which the text says nothing. [Chapter 10](10_tables.ipynb) trains both, side by side.

# %% tags=["nbval-check-output"]
WHY = {
    "pixel_reduction": "the norm |G(E(Y)) - Y| without the square of Eq. 10: as a mean over all values the term is too "
                       "faint to be heard beside the adversarial one, as a sum it drowns it",
    "learning_rate": "of G: it has a few hundred steps, and D leads it only as fast as it follows",
    "betas": "of Adam: some momentum, with batches of eight the gradients are noisy",
    "mismatched_labels": "a third term of D, which Eqs. 13-14 do not have: real clips under a wrong label are fakes "
                         "too, so that D has a reason to read the label",
    "code": "of E: on the sphere a code is as long as z, but E may spend all of it on one axis, where z hardly "
            "reaches, so that G learns nothing that serves z; a variational code is charged for lying where z does not",
}
text, ours = make_config("literal"), make_config("stable")
changed = sorted((name for name, value in vars(text).items() if value != getattr(ours, name)), key=[*WHY].index)
page.table([{"choice": name, "literal": str(getattr(text, name)), "stable": str(getattr(ours, name)),
             "why": WHY[name]} for name in changed])
print(f"{len(changed)} changes:", ", ".join(changed))

# %% [markdown]
# The same four latents, one for each of the first classes, watched while the generator learned. Read it from top to bottom. The
# recorded runs agree on the order: dark and light patches, then a blob where a person stands, then a body on bent legs, and last
# colours, which run into each other, and arms, which come and go. Few backgrounds appear, where the data has many (chapter 08
# counts). A few steps, as at `smoke`, show the patches at most.

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
            caption="The same four latents at four moments of training; four frames of each clip.",
            alt="Four rows of generated frames from the same four latents, one row for each of four moments of "
                "training")

# %%
page.film(system.snapshots[-1][1], "training_samples", columns=4, data=[train_set], samples=8,
          caption="What the same eight latents, one for each of the first classes, give at the end of training.",
          alt="Eight small films side by side in two rows: a figure before a plain background in each, moving.")

# %% [markdown]
# In a live notebook the slider below leads through a training, with all latents moving; elsewhere each moment is a row. At `smoke` it is the training that the recorded run has kept; in every other profile it is yours.

# %%
from hrvgan_lib.book.widgets import TrainingScrubber

grown, its_records = learning.trained(page, "hrvgan", labels=True)
TrainingScrubber(grown.snapshots, its_records).show()

# %% [markdown]
# ## What the curves say, and what they do not
#
# For the cross-entropy of Eqs. 1-2 a discriminator that knows nothing scores $2\log 2 \approx 1.39$ (chapter 05), and so does the best one
# when G is perfect. Here the balance lies lower, because half of D's fakes are real clips under wrong labels, and no G can make these
# right. Where clip and label belong together, a perfect G leaves D one real pair for every half a generated one: the best answer is
# $\frac23$, and the loss $-\log\frac23 - \frac12\log\frac13 \approx 0.95$. A loss below that says that D tells generated clips from
# real ones; above the dashed line it has lost its way. The curve measures the *balance* of the two, never the quality of the
# samples. The pixel term is different: it is a plain error against a known clip, and its fall is progress of the encoder and the
# generator together.

# %%
balance = math.log(1.5) + 0.5 * math.log(3)  # of a D that is shown wrong labels too
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8))
turns = [record.step for record in records]
colour = book.SYSTEM_COLOURS["hrvgan"]
left.plot(turns, [record.discriminator["adversarial"] for record in records], color="#882255", lw=1, label="D")
left.plot(turns, [record.generator["adversarial"] for record in records], color=colour, lw=1, label="G (times alpha)")
left.axhline(2 * math.log(2), color="grey", ls="--", lw=1)
left.set(xlabel="step", ylabel="adversarial term")
left.legend(frameon=False)
right.plot(turns, [record.generator["pixel"] for record in records], color=colour, lw=1)
right.set(xlabel="step", ylabel="pixel term", ylim=(0, None))
page.figure(figure, name="training_curves", data=[train_set],
            caption="Left: the adversarial terms; dashed, what a D scores that knows nothing. Right: the pixel term of "
                    "Eq. 15.",
            alt="Two line plots over training steps: the discriminator's and generator's adversarial terms with a "
                "dashed line at 1.39, and the pixel term, which falls.")
late = [record.discriminator["adversarial"] for record in its_records[-len(its_records) // 10 - 1:]]
print(f"D's term over the last tenth of {len(its_records):,} steps: {sum(late) / len(late):.2f}, where beside a "
      f"perfect G the best D has {balance:.2f}")

# %% [markdown]
# ## What the pixel loss is held against
#
# Eq. 10 compares a generated clip with a real one, and a clip made from noise has no partner. Section 4.2 speaks of a
# "reconstruction network". We read the two together ([**A20**](12_claims_and_decisions.ipynb#A20), [**T1**](12_claims_and_decisions.ipynb#T1)): an encoder E maps a real clip Y to a latent, the same
# generator maps it back, and the pixel loss compares $G(E(Y))$ with Y. Above, real clips that training never saw; below,
# what comes back.

# %%
test_set = page.dataset("actions", split="test")
real, labels, _ = test_set.draw(4, stream("reconstruction"))
with torch.no_grad():
    system.eval()
    back = system.generator(system.encoder(real.to(page.device)), labels.to(page.device)).float().cpu()
# source, height, clip, time, width, channel
rows = torch.stack([real, back])[:, :, :, ::max(1, system.frames // 4)].permute(0, 4, 1, 3, 5, 2)
figure, axis = plt.subplots(figsize=(9, 1.2))
axis.imshow((rows.flatten(2, 4).flatten(0, 1).clamp(-1, 1) + 1) / 2)
axis.set(xticks=[], yticks=[])
axis.grid(False)
page.figure(figure, data=[test_set], samples=4,
            caption="Held-out real clips (top) and G(E(Y)) (bottom); four clips, four frames of each.",
            alt="Two rows of frames: real held-out clips and their reconstructions by encoder and generator")

# %% [markdown]
# Section 4.2 promises "high fidelity" of the reconstruction. Fidelity to *this* clip can be told from a good guess: the guess that ignores its input and has the least
# squared error is the mean of the training clips. A reconstruction is worth something below that error, so the ledger of
# [chapter 12](12_claims_and_decisions.ipynb) asks for a ratio of at most 0.8 on held-out clips: an untrained network shows grey clips, which miss by about as much as the mean does, and must not pass. (Clips of one look, person or source video
# count as one piece of evidence in the interval. The same network before its first step is the negative control: a test that it passes too would say nothing.)

# %%
from functools import partial

from hrvgan_lib import metrics


@torch.no_grad()
def squared_errors(guess, n):
    """(n,): mean squared error of guess(clips, labels) on each of n held-out clips, and the clips' numbers."""
    found, numbers = [], torch.arange(n) * len(test_set) // n  # evenly over the classes
    for part in numbers.split(8):
        clips, labels = test_set.batch(part)
        found.append((guess(clips, labels) - clips).square().flatten(1).mean(dim=1))
    return torch.cat(found).numpy(), numbers.tolist()


def reconstructed(clips, labels, noise=None, network=system):
    """G(E(Y)); with a stream of `noise` from a code as training draws it."""
    clips = clips.to(page.device)
    code = network.encoder(clips) if noise is None else network.encode(clips, noise)[0]
    return network.generator(code, labels.to(page.device)).float().cpu()


some = range(0, len(train_set), max(1, len(train_set) // 256))
mean_clip = sum(train_set[i][0] for i in some) / len(some)
n_fidelity = min(len(test_set), 4 if page.rehearse else page.profile.samples, 256)
errors, numbers = squared_errors(reconstructed, n_fidelity)
guesses, _ = squared_errors(lambda clips, labels: mean_clip, n_fidelity)
noisy, _ = squared_errors(lambda clips, labels: reconstructed(clips, labels, stream("fresh")), n_fidelity)
draw = metrics.draw_of(test_set, numbers, balanced=True)
guessing = metrics.mean_estimate(guesses, draw)
fidelity = metrics.quotient(metrics.mean_estimate(errors, draw), guessing)
before, _ = squared_errors(partial(reconstructed, network=metrics.untrained(system, page.seed)), n_fidelity)
beginner = metrics.quotient(metrics.mean_estimate(before, draw), guessing)  # the negative control: it must not pass
behind = {"data": [train_set, test_set], "sides": [book.side_of("HRVGAN", system, records)]}
page.measure("error of G(E(Y)) on held-out clips, over that of the training mean", fidelity.value, interval=fidelity,
             claim="reconstruction-fidelity", high=0.8,
             controls=[book.control("untrained network", beginner)], **behind)
page.measure("error of G(E(Y)) from codes with their noise, over that without", noisy.mean() / errors.mean(),
             decision="A20", **behind)
now, average = (torch.cat([p.detach().flatten() for p in network.parameters()])
                for network in (system.generator, system.sampler))
page.measure("distance of G's averaged weights from its last ones, over their length",
             ((now - average).norm() / now.norm()).item(), decision="O2", **behind)
print(f"error of G(E(Y)) over that of the mean clip: {fidelity} on {n_fidelity} held-out clips")

# %% [markdown]
# Section 4.2 also says what D is there for: its 3-D convolutions "analyze the spatiotemporal coherence" of a clip. Shuffle the frames of a held-out clip, and every single frame is as good as before: only a D that looks at their order can mind. Freeze the first frame, and nothing moves at all.

# %%
@torch.no_grad()
def scores_of(judge, change, n=n_fidelity // 4 * 4):
    """D's scores of n held-out clips after `change`: (n,)."""
    found = []
    for part in torch.arange(n).split(8):
        clips, labels = test_set.batch(numbers_of[part])
        found.append(judge(change(clips).to(page.device), labels.to(page.device)).float().cpu())
    return torch.cat(found)


n_scored = n_fidelity // 4 * 4  # in groups of four, as D's minibatch stddev asks
numbers_of = torch.arange(n_fidelity) * len(test_set) // n_fidelity
mixed = torch.randperm(test_set.frames, generator=stream("shuffled frames"))
CHANGES = {"shuffled": lambda clips: clips[:, :, mixed], "frozen": lambda clips: clips[:, :, :1].expand_as(clips)}
scored_draw = metrics.draw_of(test_set, numbers_of[:n_scored].tolist(), balanced=True)


def preferred(judge, change):
    """How much higher D scores clips as they are than changed ones, in standard deviations of its scores."""
    plain = scores_of(judge, lambda clips: clips)
    return metrics.mean_estimate(((plain - scores_of(judge, change)) / plain.std()).numpy(), scored_draw)


beginner_D = metrics.untrained(system, page.seed).discriminator.eval()
for name, change in CHANGES.items():
    minds, by_luck = preferred(system.discriminator.eval(), change), preferred(beginner_D, change)
    print(f"D's score of real clips less that of the same clips {name}: {minds}; before training: {by_luck}")
    if name == "shuffled":
        page.measure("D's score of held-out clips less that of the same frames in shuffled order, in standard "
                     "deviations", minds.value, interval=minds, low=0, claim="spatiotemporal-discriminator",
                     controls=[book.control("D before its first step", by_luck)], **behind)

# %% [markdown]
# Of the reconstructions: above 1, the mean clip is the better answer; close to 1, a reconstruction knows little more than it. The second entry says what the fresh noise in the code ([**A20**](12_claims_and_decisions.ipynb#A20)) costs a reconstruction; the third how far the averaged generator, from which all samples come
# ([**O2**](12_claims_and_decisions.ipynb#O2)), lies behind the one that is trained.
#
# ## Golf and Aeroplane
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
# On a GPU the profile also trains the uncut Table 1, 32 frames of 256×256, on the same actions. (The `smoke` and `cpu`
# profiles have no such row: one step of it takes minutes on two cores.)

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
# ## Break it: a learning rate that is far too large
#
# GANs can fail quietly: one network wins, gradients vanish, the samples all look alike. They can also fail loudly. Plain SGD
# with an absurd learning rate blows up within a few steps, and the loop says where, in which term, and what to do. The last
# checkpoint stays.

# %% tags=["nbval-check-output"]
reckless = tiny(optimiser="sgd", learning_rate=1e9, adversarial="wgan", lipschitz="none")
try:
    list(plainly(reckless, clips8, TrainConfig(steps=50, batch=8)))
except RuntimeError as error:
    words = str(error)
    print("stopped:", words.split(" at step")[0], "- remedy:", words.split("; ")[1])

# %% [markdown]
# And quietly: with all of D's weights clipped to a hundredth of what they should be, D cannot tell anything from anything. Its
# loss sits on $2\log 2$, and the gradient that reaches the generator is a whisper.

# %% tags=["nbval-check-output"]
def generator_gradient(**options):
    """Mean absolute gradient that the adversarial term sends into G's first layer."""
    judged = tiny(adversarial="bce", **options).to(page.device)
    judged.constrain_discriminator(step=0)
    clips, labels = training.draw_batch(clips8, TrainConfig(steps=1, batch=8), 0, page.device)
    judged.generator_losses(clips, labels, stream("whisper"))["adversarial"].backward()
    return float(judged.generator.fc.weight.grad.abs().mean())


free, clipped = generator_gradient(lipschitz="none"), generator_gradient(lipschitz="clip", clip=0.0005)
page.expect("gradient into G with clipped D, relative to free D", clipped / free, high=1e-2,
            why="clipping to a tiny bound leaves a judge without opinions")
page.measure("gradient that D sends into G with its weights clipped at 0.0005, over that without a constraint",
             clipped / free, decision="L6", data=[clips8])

# %% [markdown]
# ## Check yourself
#
# 1. Why does the loop draw a *new* batch for the generator's update?
# 2. Why does a resumed run need no saved state of the data loader?
# 3. D's loss falls to 0.1 and stays. Is that good?
#
# <details><summary>Answers</summary>
#
# 1. Algorithm 1 says so ("Get M data samples" twice). With the pixel loss it matters: D and G then learn from different clips.
# 2. The batch of a step is a function of (seed, turn, rank). Nothing about it is remembered, so nothing can be forgotten.
# 3. For D. Its gradient for G is then small or erratic, and the samples rarely improve. A loss near, but below, 0.95 is a
#    healthier sign, and only the metrics of chapter 08 say how the samples are.
#
# </details>
#
# ## Exercises
#
# 1. ★ Make `algorithm_1` update D three times for each update of G. *Expected: with `critic_steps=3` the library agrees.*
# 2. ★★ Reuse D's batch for G. *Expected: half the data is read; the first discriminator loss is unchanged.*
# 3. ★★ Replace Adam by the plain SGD of section 4.2 (`optimiser="sgd"`, learning rate 0.02) for 20 steps at 8×8. *Expected:
#    both lower the pixel term, and SGD lowers it further. Twenty steps say little about a long run, which is chapter 11's.*
# 4. ★★★ Resume a run on another number of threads. *Expected: equal to about six digits, no longer to the bit. Why?*

# %% [markdown]
# A solution to the third:

# %% tags=["solution"]
def fall(**options):
    """Pixel term after twenty steps, relative to the first."""
    terms = [record.generator["pixel"] for record in plainly(tiny(**options), clips8,
                                                             TrainConfig(steps=20, batch=8))]
    return sum(terms[-3:]) / 3 / terms[0]


falls = {"Adam": fall(), "SGD": fall(optimiser="sgd", learning_rate=0.02)}
print(f"Adam {falls['Adam']:.2f}, SGD {falls['SGD']:.2f} of the first pixel term")
for name, share in falls.items():
    page.measure(f"pixel term after 20 steps at 8×8 over that of the first, {name}", share, decision="O1",
                 data=[clips8])

# %% [markdown]
# ## What we now know
#
# - Algorithm 1 is fifteen lines; the library's loop gave the same numbers to the last bit.
# - A run stopped between two checkpoints resumed and ended in the same weights, moments and averages.
# - The adversarial curves showed a balance; only the pixel term was an error in the usual sense.
# - Divergence is loud and was named with its remedy; a judge without opinions is quiet, and its gradient gave it away.
#
# ## Where next
#
# [08 · Evaluation](08_evaluation.ipynb) asks how good these samples are, with a judge that never saw them;
# [09 · Latent space](09_latent_space.ipynb) walks between them.

# %%
page.colophon()
