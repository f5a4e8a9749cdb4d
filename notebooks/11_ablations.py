# %% [markdown]
# # 11 · What matters? One choice changed at a time
#
# | | |
# |---|---|
# | **You will build** | a yardstick for design choices, ablations on six questions, and one table of the comparisons that says what would decide those still open |
# | **Reads** | the action data set and the [judge](00_start_here.ipynb#Glossary) of chapter 08; the recorded studies in `figures/study/` |
# | **Writes** | `ablations` (every arm), a table and a strip for each ablation, `ablation_summary`; numbers for eight claims |
# | **Budget** | half a minute on two cores at `smoke`, about five minutes at `cpu`, under two hours for `make ablations` |
#
# The paper gives a reason for many of its parts: one stabilises, another helps the gradient, a third keeps a balance. An *ablation* takes
# one part out, or changes it, and trains again. The paper shows none. Here are some thirty, and the first
# thing to learn is how much a result moves when *nothing* is changed.
#
# **By the end you can**
#
# - set up a comparison in which one choice differs and everything else, the budget included, is equal;
# - say what an interval over samples covers, and what only an interval over training seeds covers;
# - show with a few lines why the literal pixel loss has to blur;
# - compute how many trainings it would take to decide a question that is still open.

# %% tags=["parameters"]
profile = "smoke"  # smoke, cpu, overnight, gpu or paper
seed = 0
data_root = ""  # folder with ucf101/ golf/ aeroplane/ weizmann/; empty: data/
actions = "ucf101"  # the labelled data set: ucf101 or weizmann
run = ""  # name of the results folder; empty: the profile's name
rehearse = False  # true shapes, two steps
allow_partial = False  # accept a data set that is there in part
long = False  # every arm, three training seeds: make ablations

# %%
import sys

sys.path.append("..")  # the library lies beside this folder; not found: open the notebook there, with make lab
from hrvgan_lib import book

page = book.open_page("11_ablations", profile=profile, seed=seed, data_root=data_root, actions=actions, run=run,
                 rehearse=rehearse, allow_partial=allow_partial)

# %%
import copy
import json
import math
import re
import textwrap
from dataclasses import asdict

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown, display
from scipy.stats import t as student
from torch.utils.flop_counter import FlopCounterMode

from hrvgan_lib import ablations, losses, metrics, paper
from hrvgan_lib.ablations import FRAMES, OURS, SIZE, STUDIES
from hrvgan_lib.book import learning, ledgers
from hrvgan_lib.networks import build_system, fused
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, draw_batch

# %% [markdown]
# ## What the paper says
#
# > **Abstract.** "… enforcing a *k*-Lipschitz continuity constraint on the discriminator to stabilize training and
# > enhance convergence. […] Our training objective combines a pixel-wise mean squared error loss with an adversarial
# > loss to balance frame-level accuracy and video realism."
# >
# > **Section 1.** "… while 1-D convolutions provide efficiency gains, more expressive 3-D convolutional architectures
# > are necessary for accurately modeling the complex spatiotemporal correlations inherent in high-quality video
# > synthesis."
# >
# > **Section 4.2.** "… trained end-to-end using mini-batch Stochastic Gradient Descent (SGD) […] To promote stable and
# > efficient training, batch normalization is applied throughout the Generator network, facilitating gradient flow and
# > convergence, whereas instance normalization is utilized in the Discriminator to improve generalization and reduce
# > internal covariate shift."
#
# > **What it does not say.** How much any of this is worth: there is no table with a part left out. Which norm stands
# > where ([**A12**](12_claims_and_decisions.ipynb#A12)), how the constraint is enforced
# > ([**L6**](12_claims_and_decisions.ipynb#L6)), what the pixel term is held against
# > ([**T1**](12_claims_and_decisions.ipynb#T1)) and which optimiser "SGD" is ([**O1**](12_claims_and_decisions.ipynb#O1))
# > are open too: the book had to choose, and every choice is a switch.
#
# ## The yardstick: one network, one budget
#
# An **arm** is one side of a comparison. Every arm is HRVGAN with labels, Table 1 cut at 8 frames of 16×16, trained by
# Algorithm 1 from the [preset](00_start_here.ipynb#Glossary) *stable* with one choice changed; the arm in which nothing is changed is
# *ours*. In training all arms have the same clips in the same order, the same noise, the same number of steps, and first
# weights from the same seed; in measuring all are held against the same real clips. The table shows the budget of the recorded run, of which this chapter speaks, and of your own run, whose
# printed lines begin with "this run:".

# %%
long = long and not page.rehearse
steps = max(page.profile.study_steps, ablations.LONG_STEPS) if long else page.profile.study_steps
seeds = range(ablations.LONG_SEEDS) if long else (page.seed,)
n = min(page.profile.samples, 128)
train_set, test_set = (page.dataset("actions", split=split, frames=FRAMES, size=SIZE) for split in ("train", "test"))
DATA = (train_set, test_set)
judge = learning.judge(page, **ablations.JUDGE_SHAPE)
settings = dict(train_set=train_set, test_set=test_set, judge=judge, profile=page.profile, steps=steps, seeds=seeds,
                n=n, folder=page.runs)
floor = ablations.floor(train_set, test_set, judge, n, page.runs / "evaluations")


def record_of(name, run=""):
    """What was recorded with a table: its rows, note, profile, seeds; empty where there is no recorded run."""
    path = page.recorded(f"{name}.csv", run=run)
    return {"run": path.parent.name} | json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) if path else {}


def say(words):
    display(Markdown(words))


# %%
def budget(profile, steps, count, clips, samples, real):
    return {"network": f"HRVGAN with labels, {FRAMES} frames of {SIZE}x{SIZE}, width {profile['study_width']:g}, "
                       f"preset {profile['preset']}",
            "training of an arm": f"{steps} steps of {profile['batch']} clips: {steps * profile['batch']:,} clips",
            "trainings of an arm": str(count), "clips": clips, "samples measured": str(samples),
            "Fréchet distance of held-out real clips": real}


mine = budget(asdict(page.profile), steps, len(seeds), f"{len(train_set)} to train on, {train_set.kind}", n, str(floor))
recorded, theirs = record_of("ablation_pixel_term"), mine
if recorded:
    about, profile_then = recorded["data"][0], recorded["parameters"]["profile"]
    real_then = re.search(r"held-out real clips: (.+?)\.$", recorded["note"])[1]
    theirs = budget(profile_then, profile_then["study_steps"], len(recorded["seeds"]),
                    f"{about['clips']} to train on, {about['kind']}", recorded["samples"], real_then)
whose = f"recorded run {recorded['run']}" if recorded else "this run"
page.table([{"yardstick": what, whose: theirs[what], f"this run ({page.run})": mine[what]} for what in mine])
print(textwrap.fill(f"judge of this run: {judge.name}; {judge.accuracy.value:.1%} of {judge.accuracy.n} held-out clips "
                    "right", 90))

# %% [markdown]
# Look at the budget first. A clip is 8×16×16 so that two cores can train many arms, and each arm sees few clips. So the recorded pictures below show blobs on a ground, and no arm comes
# anywhere near the floor, the distance that real clips have.
#
# An arm's main number is the Fréchet distance of its samples from training clips, by the features of the judge, the C3D of
# chapter 08 (Eq. 17; with features of a video network the field calls it FVD; lower is nearer). The samples come from the
# averaged [generator](00_start_here.ipynb#Glossary) ([EMA](00_start_here.ipynb#Glossary)).
#
# The **gain** of an arm is the distance of its network before the first step less its distance after training. The arm is
# **clear of its untrained network** where the whole 95 % interval of the gain lies above a tenth of the way from the untrained
# network to real clips; before that it has shown nothing.

# %%
first = ablations.run_arm(STUDIES["pixel term"].arms[0], **settings)


def show_gain(owner, untrained, trained, real, clear):
    print(f"{owner}: ours has {untrained:.0f} untrained and {trained:.0f} trained, real clips {real:.0f}: a gain of "
          f"{untrained - trained:.0f},\nand a tenth of the way is {(untrained - real) / 10:.0f}; "
          f"{'clear' if clear else 'not clear'} of its untrained network")


def ledger_row(claim):
    """A claim's row in the recorded ledger; empty where there is none."""
    rows = book.read_csv(page.recorded("claims.csv")) if page.recorded("claims.csv") else []
    return next((row for row in ledgers.reworded(rows) if row["claim"] == claim), {})


ours_then = {row["arm"]: row for row in record_of("ablations").get("rows", [])}
ratio_then = re.search(r"untrained: ([\d.]+)", ledger_row("sgd").get("ours", ""))  # SGD starts from the weights of ours
start_then = ours_then.get(OURS, {}).get("untrained")
if ours_then and not start_then and ratio_then:
    start_then = ours_then["SGD"]["Fréchet distance"] / float(ratio_then[1])
if recorded and start_then:
    show_gain("recorded run", start_then, ours_then[OURS]["Fréchet distance"], float(real_then.split()[0]),
              ours_then[OURS]["clear of untrained"])
show_gain("this run", float(np.mean([start.frechet.value for start in first.starts])), first.frechet.value,
          floor.value, first.side.learned)

# %% [markdown]
# ### Another seed, nothing changed
#
# How far apart are two arms with **nothing** changed, trained from two seeds? Any effect below has to be held against
# this one. We train the pair in this run; the recorded study of `make study` has trained five.

# %%
def distance_row(outcome):
    return {"Fréchet distance": outcome.frechet.value, "95 % low": outcome.frechet.low,
            "95 % high": outcome.frechet.high, "clear of untrained": outcome.side.learned,
            "clips seen": outcome.clips}


twins = {f"training seed {one}": ablations.run_arm(STUDIES["pixel term"].arms[0], **settings | {"seeds": (one,)})
         for one in (page.seed, page.seed + 1)}
luck = ablations.compared(*(ablations.distances(twin) for twin in reversed(twins.values())))
page.table([{"ours": name} | distance_row(twin) | {"over the first": luck.value, "low": luck.low, "high": luck.high}
            for name, twin in twins.items()], name="ablation_another_seed", data=DATA, samples=n, show=False,
           note="The same choice from two training seeds. Over the first: the second one's distance.")
pair = page.rows("ablation_another_seed")[1]
known = record_of("ablation_another_seed")
print(f"{'recorded run' if known else 'this run'}: the same choice from another seed has {pair['over the first']:.3f} "
      f"[{pair['low']:.3f}, {pair['high']:.3f}]\n"
      f"times the distance ({pair['clips seen']:,} clips seen, {known.get('samples', n)} samples)")
if recorded and not known:
    print("(the recorded run has such a pair in its picture at the end only, and no row of it)")

# %%
note = record_of("decisions", "study").get("note", "")
found = re.search(r"([\d.]+)% between training seeds of one network \((\d+) seeds", note)
scatter, trainings = (float(found[1]) / 100, int(found[2])) if found else (math.nan, 2)
apart = math.sqrt(2) * scatter  # of the logarithm of a ratio of two trainings
band = math.exp(student.ppf(0.975, trainings - 1) * apart)
print(f"recorded study: {trainings} trainings of one network, seeds 0 to {trainings - 1}, scatter by {scatter:.1%};\n"
      f"so the ratio of two of them lies between {1 / band:.3f} and {band:.3f} in 95 of 100 cases")

# %% [markdown]
# The interval of the pair may well lie clear of 1 although nothing was changed. It is no error: it answers another question.
# From here on the range that was printed last is the **band** of another seed. What is held against it is the ratio
# itself, not its interval: the five trainings were measured from samples too, so that their scatter contains that part.
#
# ### What an interval is over
#
# - **Over samples.** One training, measured again with other [latents](00_start_here.ipynb#Glossary) and other real clips. It speaks of
#   these very weights. Another seed would give other weights, and nothing in this interval knows about them.
# - **Over training seeds.** Three or more trainings, and how they scatter (Student's interval). It is wide where seeds are
#   few, and it is the one that speaks of a *choice*.
#
# Two arms are compared by the **ratio** of their distances. Its interval is *paired*: both distances look at the same
# real clips, and what these do to both cancels. Where the interval leaves out 1, the two networks, or the two
# choices, differ. Where it holds 1, the comparison is open, which is not the same as "equal". And of thirty comparisons
# at 95 % one or two will leave out 1 by chance alone.
#
# ## Six questions, one training an arm
#
# Six questions, seven changed arms. Each has the same parts: a question, what was trained, the recorded strip, an answer. The strip
# shows the same four latents and classes in every arm. An arm that diverges keeps its row, marked: to diverge is a result about
# stability, and a table without it would compare only the runs that went well. A few helpers come first: one runs a study and saves its rows, one says
# what was trained, one gives the answer.

# %%
def over_ours(outcomes, name):
    return ablations.compared(*map(ablations.distances, (outcomes[name], outcomes[OURS])))


def arm_row(outcome):
    """One arm as a row of a file."""
    return {"arm": outcome.arm.name, "Fréchet distance": outcome.frechet.value, "95 % low": outcome.frechet.low,
            "95 % high": outcome.frechet.high, "named right": outcome.named_right.value,
            "sharpness, of real": outcome.sharpness.value, "motion, of real": outcome.motion,
            "parameters of G": outcome.parameters, "clips seen": outcome.clips,
            "untrained": float(np.mean([start.frechet.value for start in outcome.starts])),
            "clear of untrained": outcome.side.learned, "interval over": outcome.over,
            "diverged": outcome.diverged or "no"}


def own_rows(name):
    """The arms of a study in this run, each with its distance over that of ours."""
    rows, outcomes = [], everything[name]
    for arm, outcome in outcomes.items():
        row = {"study": name, "decision": STUDIES[name].decision} | arm_row(outcome)
        if arm != OURS:
            effect = over_ours(outcomes, arm)
            row |= {"over ours": effect.value, "over ours, low": effect.low, "over ours, high": effect.high}
        rows.append(row)
    return rows


# %%
everything = {}


def recorded_arms(name):
    """The arms of a study in the recorded run; none in the long form, whose own trainings say more."""
    return [row for row in record_of("ablations").get("rows", []) if row["study"] == name and not long]


def arms_of(name):
    """The arms of a study, ours first: as the recorded run has them, or else this one."""
    return recorded_arms(name) or own_rows(name)


def whose_arms(name):
    return whose if recorded_arms(name) else "this run"


# %%
def slug(study):
    return study.name.lower().replace(" ", "_").replace(".", "")


def run_study(name):
    """Train what is not trained yet, save the rows, and say what the recorded run has trained."""
    study = STUDIES[name]
    outcomes = everything[name] = ablations.run_study(study, long=long, **settings)
    page.table([arm_row(outcome) for outcome in outcomes.values()], name=f"ablation_{slug(study)}", data=DATA,
               samples=n, show=False, note=f"{study.question} {n} samples an arm; held-out real clips: {floor}.")
    changed = {arm.name: ", ".join(f"`{option}={value!r}`" for option, value in arm.options.items())
               for arm in study.arms}
    arms = arms_of(name)
    told = "; ".join(f"*{row['arm']}* ({changed[row['arm']]})" for row in arms[1:])
    say(f"**Trained** ({whose_arms(name)}): ours; {told}. {arms[0]['clips seen']:,} clips an arm, "
        f"{arms[0]['interval over'].removeprefix('samples of ')}.")
    return outcomes


# %%
def ratio_of(row):
    return f"{row['over ours']:.3f} [{row['over ours, low']:.3f}, {row['over ours, high']:.3f}]"


def in_band(ratio):
    return 1 / band <= ratio <= band


def seed_alone(name, row):
    """Whether another seed could have done as much; said of the recorded arms, one training each."""
    if not recorded_arms(name) or math.isnan(band):
        return ""
    return (f" The ratio lies {'inside' if in_band(row['over ours']) else 'outside'} {1 / band:.3f} to {band:.3f}, "
            "the band of another seed.")


# %%
def answer(name):
    """How far each changed arm of the recorded run is from real clips, over ours; below it the same of this run."""
    ours, *changed = arms_of(name)
    for row in changed:
        low, high, clear = row["over ours, low"], row["over ours, high"], row["clear of untrained"]
        where = "the interval holds 1, an open comparison"
        if high < 1 or low > 1:
            where = f"this network is {'nearer to' if high < 1 else 'farther from'} real clips"
        diverged = "" if row["diverged"] == "no" else f" It diverged: {row['diverged']}."
        start = f", {row['untrained']:.0f} untrained" if "untrained" in row else ""
        say(f"**Answer** ({whose_arms(name)}). *{row['arm']}* has {ratio_of(row)} times our Fréchet distance "
            f"({row['Fréchet distance']:.0f}{start}, against {ours['Fréchet distance']:.0f}): {where}. It is "
            f"{'' if clear else '**not** '}clear of its untrained network.{seed_alone(name, row)}{diverged}")
    for row in own_rows(name)[1:] if recorded_arms(name) else []:
        print(f"this run: {row['arm']} has {ratio_of(row)} times our distance\n"
              f"  ({row['clips seen']:,} clips, {n} samples"
              f"{'' if row['clear of untrained'] else '; not clear of untrained'})")


# %%
def verdict_of(row):
    """A verdict in the words of chapter 12, within a sentence."""
    said = ledgers.heading(row)
    return said[:1].lower() + said[1:]


def ledger_says(claim):
    """A claim of the paper, what the recorded run has measured for it, and the verdict of chapter 12's rule."""
    if row := ledger_row(claim):
        why = "" if row["why"] == "as asked" else f" ({row['why']})"
        only = " It speaks of these networks, not of the method." if "in these trainings" in row["verdict"] else ""
        say(f"**Claim** `{claim}`: *{row['the paper']}*. Measured in the recorded run: {row['ours']}. Verdict: "
            f"**{verdict_of(row)}**{why}.{only}")


def beside(name, column, **bounds):
    """Another number of the first changed arm over ours: what is seen in the recorded strip."""
    ours, changed, *_ = arms_of(name)
    what, ratio = f"{column.partition(',')[0]}, {changed['arm']} over ours", changed[column] / ours[column]
    if recorded_arms(name):
        page.expect(f"{what}, recorded", ratio, **bounds)
    else:
        print(f"this run: {what} = {ratio:.2f} ({n} samples)")


# %%
def film(clips):
    """Clips (4, 3, T, S, S) -> one long clip: every second frame of each, with a white frame between."""
    pieces = [piece for clip in clips for piece in (clip[:, ::2], torch.ones_like(clip[:, :1]))]
    return torch.cat(pieces[:-1], dim=1)


firsts = [train_set.labels.tolist().index(label) for label in range(4)]
real_strip = train_set.batch(firsts)[0]


def strip(name, see, words):
    """The same four latents and classes in every arm, below a real clip of each class."""
    outcomes = everything[name]
    labels = [arm + (" (diverged)" if outcome.diverged else "") for arm, outcome in outcomes.items()]
    clips = [real_strip, *(outcome.samples for outcome in outcomes.values())]
    page.figure(book.clip_grid(torch.stack([film(four) for four in clips]), labels=["real", *labels]),
                name=f"ablation_{slug(STUDIES[name])}_samples", data=[train_set], samples=4,
                caption=f"Four frames of four clips a row. Top: real clips; below: the same four latents and classes "
                        f"in every arm. {see}",
                alt=f"Rows of small frames: a real clip of each of four classes, then generated clips from the same "
                    f"latents, one row an arm: {words}.")


# %% [markdown]
# ### The pixel term of Eq. 15
#
# **Question.** Does the mean squared error of Eq. 15 help, and does it matter what a clip is compared with?
#
# Held against the reconstruction $G(E(Y))$, our reading ([**T1**](12_claims_and_decisions.ipynb#T1),
# [**A20**](12_claims_and_decisions.ipynb#A20)), the error has a partner. Read literally, for a clip made from noise, it
# has none: $G(z)$ is compared with whichever real clip the batch holds. Before training arms, we look at what this
# *unpaired* error asks for.
#
# Let $Y$ be drawn independently of $z$. For any clip $g$ that the generator might show,
#
# $$\mathbb{E}_Y \|g - Y\|^2 = \|g - \bar Y\|^2 + \mathbb{E}_Y \|Y - \bar Y\|^2 .$$
#
# 1. Write $g - Y = (g - \bar Y) + (\bar Y - Y)$ and multiply out.
# 2. The mixed term is zero on average, because $Y - \bar Y$ is and $g$ knows nothing of $Y$.
# 3. The second term does not depend on $g$. So for *every* $z$ the best answer is the mean clip $\bar Y$ (of the class
#    that was asked for), and the noise is only in the way.
#
# We let a small generator follow this term alone, with no [discriminator](00_start_here.ipynb#Glossary) beside it: a failure on purpose.

# %%
TURNS = 100
torch.manual_seed(page.seed)
follower = build_system("hrvgan", frames=FRAMES, size=SIZE, n_classes=train_set.n_classes, width=1 / 16,
                        generator_norm="batch").to(page.device)
descent = torch.optim.Adam(follower.generator.parameters(), lr=4e-2, betas=(0.5, 0.99))
slower = torch.optim.lr_scheduler.LinearLR(descent, 1, 0.02, total_iters=TURNS)
for turn in range(TURNS):
    clips, labels = draw_batch(train_set, TrainConfig(steps=TURNS, batch=16, seed=page.seed), turn, page.device)
    error = (follower.generator(follower.latents(16, stream("unpaired", turn)), labels) - clips).square().mean()
    descent.zero_grad()
    error.backward()
    descent.step()
    slower.step()
with torch.no_grad():
    asked = follower.uniform_labels(4 * train_set.n_classes)
    pulled = follower.generator(follower.latents(len(asked), stream("pulled")), asked).cpu()

# %%
many, their = train_set.batch(range(min(len(train_set), 1024)))
means = torch.stack([many[their == label].mean(dim=0) for label in range(4)])
page.figure(book.clip_grid(torch.stack([film(four) for four in (real_strip, means, pulled[:4])]),
                           labels=["real", "mean clip", "unpaired MSE"]),
            data=[train_set], samples=4,
            caption=f"A real clip of each of four classes, the mean training clip of each, and what the generator "
                    f"shows after {TURNS} steps on the unpaired error: a grey ground and a faint blur in the middle, "
                    f"with less of a figure than even the mean clip has.",
            alt="Three rows of frames of four classes. Top: real clips, sharp. Middle: mean clips, grey with a blurred "
                "figure. Bottom: what the generator shows, grey with a faint blur in the middle.")

# %% tags=["nbval-check-output"]
def sharp(clips):
    return metrics.sharpness(clips).mean()


copies, real = pulled[asked.cpu() == 0], many[their == 0]  # of one class
page.expect("sharpness of the mean clips, over real clips'", sharp(means) / sharp(many), high=0.6,
            why="a mean blurs")
page.expect("sharpness of what the generator shows, over that", sharp(pulled) / sharp(many), high=0.6)
page.expect("its distance from the mean clip, over that of real clips",
            (copies - means[0]).square().mean() / (real - means[0]).square().mean(), high=0.25)
page.expect("its spread over the noise, over real clips'",
            copies.std(dim=0).mean() / real.std(dim=0).mean(), high=0.25, why="no use of noise")
pattern, wanted = (clip - clip.mean(dim=(1, 2, 3), keepdim=True) for clip in (copies[0], means[0]))
page.expect("correlation of its pattern with the mean clip's", (pattern * wanted).sum() / pattern.norm()
            / wanted.norm(), low=0.6)

# %% [markdown]
# No bug, and a falling loss: it does what the equation asks. In so few steps the generator has the coarse part of the mean clip, the
# grey ground, and hardly the blurred figure, which is a small part of the error; and it shows the same for every latent. In HRVGAN the
# discriminator pulls the other way, so the arm *unpaired* is a tug of war. In the arm *off* there is no pixel term.

# %%
pixel = run_study("pixel term")
strip("pixel term", "Compare how much of a ground and of a body there is with the paired term and without it.",
      "ours, without a pixel term, with the unpaired pixel term")

# %%
answer("pixel term")
beside("pixel term", "sharpness, of real", high=0.9, why="grey with faint patches")
ledger_says("mse-balance")

# %% [markdown]
# The paired term gives G a known target from the first step on; without it this budget is hardly enough to begin. That is why the
# ledger gives no verdict: the claim is about realism, and an arm that has not left its untrained network has none to
# compare. (Sharpness alone would mislead: noise is sharp.)
#
# ### Normalisation layers of the generator
#
# **Question.** Does batch norm in G help gradients and convergence?
#
# Our G has batch norm, then pixel norm, behind each deconvolution ([**A12**](12_claims_and_decisions.ipynb#A12)). The arm
# *pixel* takes batch norm out. The gradient can be looked at before any training: we send the adversarial term's gradient
# back from D through G, for several draws of first weights, and note what arrives at G's first layer. In each pair both
# G have the same weights, and D is the same.

# %%
def first_layer_gradient(system, number):
    """Norm of the adversarial gradient at G's first layer, from eight latents; the system stays as it is."""
    system = copy.deepcopy(system).train()
    labels = system.uniform_labels(8)
    scores = system.discriminator(system.generator(system.latents(8, stream("gradient", number)), labels), labels)
    losses.adversarial_generator_loss(scores, system.config.k, system.config.adversarial).backward()
    return float(system.generator.fc.weight.grad.norm())


def at_the_start(norm, number):
    torch.manual_seed(number)
    system = build_system("hrvgan", frames=FRAMES, size=SIZE, n_classes=train_set.n_classes,
                          width=page.profile.study_width, preset=page.profile.preset, generator_norm=norm)
    return first_layer_gradient(system.to(page.device), number)


arrived = {norm: np.array([at_the_start(norm, number) for number in range(4)])
           for norm in ("batch+pixel", "pixel", "none")}
start_flow = metrics.seed_interval(arrived["batch+pixel"] / arrived["pixel"])
print(f"this run: gradient at G's first layer, with batch norm over without:\n  {start_flow} (4 draws of weights)")

# %%
fig, axes = plt.subplots(figsize=(5, 2.8))
axes.plot([0, 1], [arrived["pixel"], arrived["batch+pixel"]], "o-", color=book.SYSTEM_COLOURS["hrvgan"], alpha=0.6)
axes.set(xticks=[0, 1], xticklabels=["pixel norm", "batch and pixel norm"], xlim=(-0.4, 1.4),
         ylim=(0, 1.08 * max(map(max, arrived.values()))), ylabel="gradient norm")
page.figure(fig, data=[], samples=8,
            caption="Gradient at G's first layer before the first step, four draws of first weights. A line joins "
                    "two G with the same weights: every line rises.",
            alt="Two columns of four dots, joined in pairs by rising lines: the norm of the gradient at the first "
                "layer of G is larger with batch norm than without, for four draws of first weights.")
page.expect("smallest of the four ratios", min(arrived["batch+pixel"] / arrived["pixel"]), low=1)

# %% [markdown]
# A larger gradient is not yet a better one: Adam divides its size away again, and only its direction is left.
# The second half of the claim, convergence, needs the arms.

# %%
norms_g = run_study("norms of G")
strip("norms of G", "Without batch norm, grey with faint spots.", "ours, and G with pixel norm only")

# %%
answer("norms of G")
beside("norms of G", "sharpness, of real", high=0.9, why="grey with faint spots")
ledger_says("batch-norm-helps")

# %% [markdown]
# After training each G faces a D of its own, so that the last gradient also carries how steep the two D have become.
#
# ### Normalisation layers of the discriminator
#
# **Question.** Does instance norm in D "improve generalization and reduce internal covariate shift"?
#
# A discriminator generalises if it scores clips that it was trained on no higher than held-out clips of the same kind.
# The **gap** between the two scores, in standard deviations of the held-out ones, is zero for a D that has learned what
# clips look like, and large for one that knows its clips by heart. *Covariate shift* means that what a layer reads wanders
# off while the layers before it learn. We measure how far training has moved the mean input of each of D's convolutions,
# channel by channel, in standard deviations of that channel on the same clips.

# %%
norms_d = run_study("norms of D")
strip("norms of D", "Both arms show a blob on a lighter or darker ground.",
      "ours with instance norm in D, and D without a norm")

# %%
answer("norms of D")
ledger_says("instance-norm-helps")
ledger_says("covariate-shift")

# %% [markdown]
# Read the two numbers with care. An arm has seen each training clip a few times only, and a D that has hardly learned has
# learned nothing by heart: the difference of the two gaps, printed above, has an interval wide on both sides of zero. And instance norm sets the mean of every channel by definition, so that
# what the next convolution reads *can* hardly move; the second number describes the layer more than a benefit.
#
# ### A Lipschitz constraint on the discriminator
#
# **Question.** Does a Lipschitz constraint on D stabilise training and enhance convergence?
#
# Section 3.2 prints the gradient penalty (Eq. 6) and names weight clipping; Algorithm 1 applies neither, and nor do we
# by default ([**L6**](12_claims_and_decisions.ipynb#L6)). The arm *gradient penalty* adds Eq. 6 with $\lambda = 10$ to
# D's loss and changes nothing else; the other constraints come [further below](#Three-Lipschitz-constraints-on-two-losses). It needs the gradient of a gradient in each step, which takes longer.

# %%
lipschitz = run_study("Lipschitz constraint")
strip("Lipschitz constraint", "With the penalty the pictures are a little softer.",
      "ours without a constraint, and D under a gradient penalty")

# %%
answer("Lipschitz constraint")
beside("Lipschitz constraint", "sharpness, of real", high=1, why="softer pictures")
ledger_says("lipschitz-stabilises")

# %% [markdown]
# "Stabilise" is a word about runs, "convergence" one about results. One run a side says nothing about the
# first: even three runs lost of three against none of three happens once in ten by chance (Fisher's test). Nor does the verdict say
# anything about the second in general: it rests on one pair, and another seed alone could have turned it.
# [Five trainings a side](#Three-Lipschitz-constraints-on-two-losses) say more.
#
# ### 3-D convolutions, or 2-D and 1-D
#
# **Question.** Are 3-D convolutions worth their cost over space and time apart?
#
# Section 1 grants that convolutions over time alone are cheaper, and calls 3-D ones necessary. The arm *2-D + 1-D*
# replaces the 3×3×3 layers of all stages in G, D and E by a 1×3×3 layer over space and a 3×1×1 layer over time: twelve
# weights a pair of channels in place of twenty-seven. The cost needs no training. We count the operations of the uncut G:

# %%
def operations_of(kind):
    """Multiplications and additions of the uncut G for one clip, counted on tensors without numbers."""
    with torch.device("meta"):
        whole = build_system("hrvgan", frames=32, size=256, convolution=kind).generator.eval()
        with fused.layer_by_layer(), FlopCounterMode(display=False) as counted, torch.no_grad():
            whole(torch.empty(1, 128))  # as Table 1 has its layers: a folded Upsample saves some of them
    return counted.get_total_flops()


operations = {kind: operations_of(kind) for kind in ("3d", "2d+1d")}
cheaper = operations["2d+1d"] / operations["3d"]
print(f"operations of G for one clip of 32x256x256: {operations['3d']:.3g} with 3-D convolutions, "
      f"{operations['2d+1d']:.3g} with 2-D + 1-D")
page.expect("2-D + 1-D over 3-D", cheaper, of=12 / 27, rtol=0.1, why="about 12 weights in place of 27")

# %%
convolution = run_study("convolution")
strip("convolution", "In the recorded run overnight ours has a blob in each of the four clips, and 2-D + 1-D a clear "
      "one in the third only.",
      "ours with 3-D convolutions, and 2-D plus 1-D convolutions")

# %%
answer("convolution")
ledger_says("conv3d-over-1d")
ledger_says("conv1d-cheaper")
for arm in (OURS, "2-D + 1-D"):  # times compare only where nothing else ran on the machine
    page.took(f"a step, {convolution[arm].arm.name}", convolution[arm].seconds)

# %% [markdown]
# Equal *steps* is one fair budget among several. At equal seconds or parameters the cheaper layers could be
# trained longer or made wider. The paper's sentence is about expressiveness, so equal steps it is.
#
# ### Adam, or the SGD of section 4.2
#
# **Question.** Does plain SGD train this network at all, and does Adam do better?
#
# "Mini-batch SGD" is either the family or the method. We train with Adam ([**O1**](12_claims_and_decisions.ipynb#O1));
# the arm *SGD* is plain gradient descent without momentum, at a learning rate of its own. Its arm is also held
# against the same network before the first step.

# %%
optimiser = run_study("optimiser")
strip("optimiser", "SGD gives grainy frames.", "ours trained by Adam, and trained by SGD")

# %%
answer("optimiser")
beside("optimiser", "sharpness, of real", low=1.2, why="grain")
beside("optimiser", "motion, of real", low=1.2, why="flicker")
ledger_says("sgd")

# %% [markdown]
# In the strip of the recorded run `overnight` the sharpness of SGD is grain, and its motion is flicker.
#
# ### Further switches, not answered here
#
# The book has more switches than the paper has claims. Only the long form, `make ablations`, trains them, with three seeds an arm;
# the short form lists their questions.

# %%
others = [name for name, study in STUDIES.items() if not study.short]
for name in others if long else []:
    run_study(name)
    strip(name, "The long form, first training seed.", ", ".join(everything[name]))
    answer(name)
page.table([{"switch": name, "question": STUDIES[name].question, "decision": STUDIES[name].decision,
             "arms": ", ".join(arm.name for arm in STUDIES[name].arms[1:])} for name in others])

# %% [markdown]
# ## Seven longer studies
#
# Seven questions that the paper leaves open take longer than a chapter may run. `make study` answers them in an hour or two on
# two cores, with the procedural [stand-in](00_start_here.ipynb#Glossary) of the actions, and keeps the answers in
# `figures/study/`; here they are only shown. Four compare trained generators; the others look at the ruler itself: at its
# layers, at how finely it measures, and at what it says of real clips.

# %%
def study(name, *words):
    """The rows of a recorded study; says what was trained: the sentences of its note that have one of these words."""
    record = record_of(name, "study")
    note = re.sub(r"; looks: [^.]*", "", record.get("note", ""))  # of a column that no table here shows
    told = [part[0].upper() + part[1:] for part in note.rstrip(".").split(". ") if any(word in part for word in words)]
    if told:
        say(f"**Trained and measured** (recorded study): {'. '.join(told)}.")
    return record.get("rows", [])


def picture(name, caption, alt):
    page.show_recorded(f"{name}_figure.png", run="study", caption=caption, alt=alt)


def bars(rows, label, value, ends, title, one=1.0, ticks=None):
    """The rows of a recorded study as dots with their intervals, one line a row; dotted: where `one` stands."""
    fig, axis = plt.subplots(figsize=(8, 0.9 + 0.3 * len(rows)))
    for height, row in enumerate(rows):
        axis.plot([row[end] for end in ends], [height, height], color="#0072B2", lw=5, alpha=0.5, solid_capstyle="butt")
        axis.plot(row[value], height, "o", color="#0072B2")
    if one is not None:
        axis.axvline(one, color="0.4", linestyle=":")
    axis.set(yticks=range(len(rows)), yticklabels=[label(row) for row in rows], xlabel=title,
             ylim=(len(rows) - 0.3, -0.7), xscale="log" if ticks else "linear")
    if ticks:
        axis.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    return fig


# %% [markdown]
# ### Which C3D layer gives distances of 10⁵?
#
# **Question.** Table 4 prints distances around 100,000 and names no network ([**E2**](12_claims_and_decisions.ipynb#E2)).
# Which layer of a C3D gives such numbers?
#
# A Fréchet distance grows with the square of its features' scale. The published C3D reads grey levels from 0 to 255 through layers
# without any norm, and such a network has no scale of its own: multiply what one layer gives by ten, divide the next
# layer's weights by ten, and every answer stays as it was, while every distance at that layer is a hundred times as large.

# %% tags=["nbval-check-output"]
from hrvgan_lib.metrics.eyes.c3d import C3D

torch.manual_seed(0)
eye = C3D(n_classes=8, width=1 / 16, frames=8, size=16).eval()
noises = [torch.randn(64, 3, 8, 16, 16), torch.randn(64, 3, 8, 16, 16) / 2]
with torch.no_grad():
    before = [eye.layers(clips) for clips in noises]
    eye.fc6.weight *= 10
    eye.fc6.bias *= 10
    eye.fc7.weight /= 10
    after = [eye.layers(clips) for clips in noises]
distant = [metrics.frechet_distance(one["fc6"].numpy(), other["fc6"].numpy()) for one, other in (before, after)]
change = (after[0]["logits"] - before[0]["logits"]).abs().max() / before[0]["logits"].abs().max()
page.expect("largest change of an answer, over the largest answer", float(change), high=1e-4)
page.expect("distance at fc6, after over before", distant[1] / distant[0], low=99.9, high=100.1)

# %%
layers = study("layers", "C3D", "Trained", "held-out", "procedural")
picture("layers",
        caption="Each bar reaches from the distance of held-out real clips (dot) to that of noise, at three layers of "
                "a trained C3D and of one with random weights. Dotted: the lowest value in the paper's Table 4. No "
                "bar of the trained network reaches it.",
        alt="Six horizontal bars on a logarithmic axis. The three of the trained network lie between 3 and about "
            "3,000, far left of a dotted line at 102,584. Of the three with random weights one crosses the line "
            "and two lie right of it.")

# %%
lowest = min(row.golf for row in paper.TABLE4)
for row in [row for row in layers if row["N"] == max(one["N"] for one in layers)]:
    where = "above" if lowest > row["noise"] else "below" if lowest < row["real clips"] else "within"
    print(f"{row['C3D']}, {row['layer']}: real clips {row['real clips']:,.3g}, noise {row['noise']:,.3g}; "
          f"the paper's {lowest:,} lies {where} this range")
if learned := [row for row in layers if row["C3D"] == "trained"]:
    page.expect("the paper's lowest, over noise at any layer of the trained C3D",
                lowest / max(row["noise"] for row in learned), low=1)

# %% [markdown]
# **Answer.** In the recorded study no layer of our trained C3D gives such a distance, even to noise, and random weights do at
# pool5. Since the scale of a layer is free, that excludes no network: the size of a distance says nothing unless its network is
# named.
#
# ### Samples and seeds that decide the order of Table 4
#
# **Question.** How many samples and how many trainings would confirm the order of the systems in Table 4?
#
# A difference of two distances has a paired interval that narrows with the root of the number of samples, and a training
# has luck of its own that only further seeds average out. For each gap of the paper: from how many on is half the interval no wider
# than the gap? That is the least; a gap just so large is then found about every second time.
#
# For seeds there are two answers. Let $s$ be the scatter of one system's trainings, and train each system from $K$ seeds.
#
# - As **two independent groups**, half the interval is $t_{2K-2}\, s \sqrt{2/K}$. The figure has this one.
# - **Seed by seed**, as this book compares, it is that of $K$ differences: $t_{K-1}\, \sqrt 2\, s / \sqrt K$.
#
# The two differ in Student's factor $t$ only, which is larger for fewer degrees of freedom. Pairs ask for more seeds, then, unless a common
# seed makes the two trainings alike, so that their difference scatters by less than $\sqrt 2\, s$; here no such help is assumed.

# %%
decisions = study("decisions", "procedural")
if narrows := re.search(r"([\d.]+) / root of N of the distance for the typical pair, ([\d.]+) for the hardest", note):
    say(f"From $N$ samples of each system, half the paired interval is {narrows[1]}$/\\sqrt N$ of the distance for the "
        f"typical pair of systems and {narrows[2]}$/\\sqrt N$ for the hardest; $s$ = {scatter:.1%}, from {trainings} "
        f"trainings of one network.")
picture("decisions",
        caption="Half the 95 % interval of a difference of two distances, as a share of the distance: left against "
                "samples, right against training seeds, as two independent groups. Dotted: gaps of the paper's "
                "Table 4. Samples settle a gap soon; seeds are the dearer part.",
        alt="Two line plots that fall. Left, against samples of each system on logarithmic axes: a line for a "
            "typical and a dashed one for the hardest pair. Right, against training seeds: from 18 % at two seeds "
            "to 3 % at sixteen. Dotted lines at 8, 9, 14 and 30 %.")

# %%
seeds_paired = {row["gap"]: ablations.seeds_needed(1 - row["gap"], apart) for row in decisions}
page.table([{"gap": f"{row['gap']:.0%}", "samples, typical pair": row["samples of each, typical pair"],
             "samples, hardest pair": row["samples of each, hardest pair"],
             "seeds, as two groups": row["training seeds of each"],
             "seeds, seed by seed": seeds_paired[row["gap"]]} for row in decisions],
           note="Of each system. 64 samples is the smallest number that was tried: fewer may do. Seed by seed: by the "
                "logarithm of the ratio, as in the summary at the end.")
gaps = [f"{name.capitalize()} {abs(1 - paper.frechet_ratio(name, paper.OURS, to=rival)):.0%} to {rival}"
        for name in ("golf", "aeroplane") for rival in ("VGAN", "TGAN")]
print("gaps of the paper's own system in Table 4:", *gaps, sep="\n  ")
if decisions:
    most = {what: max(row[f"{what} of each{pair}"] for row in decisions)
            for what, pair in (("samples", ", hardest pair"), ("training seeds", ""))}
    say(f"**Answer** (recorded study). The least for every one of these gaps is {most['samples']} samples of each "
        f"system, with {max(seeds_paired.values())} trainings of each seed by seed, or {most['training seeds']} as two "
        "groups. One training of each shows no scatter, and is enough for none.")

# %% [markdown]
# ### Four changes of the paper's text, in all mixtures
#
# **Question.** *Stable* changes four fields of the paper's text ([chapter 06](06_training_loop.ipynb) explains them). Which of
# them help the text?
#
# All sixteen mixtures of the four were trained, so that each field is judged in the company of every combination of the other
# three. *Stable* makes a fifth change, in how the encoder codes a clip, of which the text says nothing. That one was left out: all sixteen
# keep the codes of the preset *literal*, on a sphere. So the answer is about the text.

# %%
FIELD = {"pixel_reduction": "pixel term", "learning_rate": "learning rate of G", "betas": "Adam's betas",
         "mismatched_labels": "wrong labels shown to D"}
fields = study("fields", "Geometric", "HRVGAN", "procedural")
WITH = "Fréchet distance, with over without"
page.show_recorded(
    "fields.csv", run="study", draw=lambda rows: bars(
        rows, lambda row: FIELD[row["field"]], WITH, ("95 % low", "95 % high"), WITH),
    caption="Fréchet distance with the changed field over that without, mean of eight mixtures, with its interval "
            "over training seeds. Left of the dotted line the change helps: three of the four do.",
    alt="Four dots with bars. From top to bottom: pixel term at 0.90, learning rate of G at 0.96, Adam's "
        "betas on the dotted line at 1, wrong labels shown to D at 0.99, left of the line.")

# %%
page.table([{"field": FIELD[row["field"]], "with over without": row["Fréchet distance, with over without"],
             "95 % low": row["95 % low"], "95 % high": row["95 % high"],
             "in the text alone": row["alone"], "text → stable": f"{row['text']} → {row['ours']}"} for row in fields])
helps = [FIELD[row["field"]] for row in fields if row["95 % high"] < 1]
say(f"**Answer** (recorded study). {len(helps)} of {len(fields)} help the text on average: {', '.join(helps)}.")
if rate := [row for row in fields if row["field"] == "learning_rate"]:
    page.expect("learning rate of G changed alone, over the text", rate[0]["alone"], low=1)

# %% [markdown]
# The last but one column has the field changed in the text by itself. The fast G helps on average and not alone: perhaps it needs
# the pixel term read as a norm, whose gradient is longer than the mean's. That is one number without an interval, a hint.
# One-at-a-time comparisons, such as our ablations, cannot see such company.
#
# ### Three Lipschitz constraints on two losses
#
# **Question.** Of three Lipschitz constraints on D (the *critic*), and none, under two readings of Eqs. 12 to 14: does one diverge less or
# come nearer to real clips?
#
# The readings are the cross-entropy shifted by $k$, and a Wasserstein critic ([**L6**](12_claims_and_decisions.ipynb#L6)). Each was trained
# from five seeds. A Lipschitz constraint is about how steep D is, so that was measured too: the mean length of D's gradient at
# points between held-out and generated clips.

# %%
READING = {"bce_shift": "cross-entropy", "wgan": "Wasserstein"}
HELD = {"none": "nothing", "clip": "clipping", "gradient_penalty": "gradient penalty", "spectral_norm": "spectral norm"}
critics = study("lipschitz", "HRVGAN", "procedural")
page.show_recorded(
    "lipschitz.csv", run="study", draw=lambda rows: bars(
        [row for row in rows if row["held by"] != "none"],
        lambda row: f"{READING[row['reading']]}, {HELD[row['held by']]}", "over none's",
        ("its 95 % low", "its 95 % high"), "Fréchet distance over that of a free D"),
    caption="Fréchet distance over that of a D which nothing holds, seed by seed, with its interval over five "
            "training seeds. One bar is clear of the dotted line at 1: the gradient penalty on a Wasserstein "
            "critic.",
    alt="Six dots with bars about a dotted line at 1: clipping, gradient penalty and spectral norm, for the "
        "cross-entropy and for the Wasserstein critic. Only the fifth, Wasserstein with gradient penalty, lies "
        "wholly left.")

# %%
page.table([{"D": f"{READING[row['reading']]}, held by {HELD[row['held by']]}", "over nothing": row["over none's"],
             "95 % low": row["its 95 % low"], "95 % high": row["its 95 % high"],
             "diverged": f"{row['diverged']} of {row['of']}", "slope of D": f"{row['slope of D, median']:.2g}"}
            for row in critics])
lost, of = sum(row["diverged"] for row in critics), sum(row["of"] for row in critics)
ratio = "over none's"
clear = [f"{READING[row['reading']]} with {HELD[row['held by']]} ({row[ratio]:.2f})"
         for row in critics if not row["its 95 % low"] <= 1 <= row["its 95 % high"]]
say(f"**Answer** (recorded study). {lost} of {of} trainings diverged. An interval that leaves out 1: "
    f"{', '.join(clear) or 'none'}.")
steep = {(row["reading"], row["held by"]): row["slope of D, median"] for row in critics}
if steep:
    page.expect("slope of a clipped D, over a free one's", steep["bce_shift", "clip"] / steep["bce_shift", "none"],
                high=1e-6, why="D is flat")
    page.expect("gradient penalty over nothing, cross-entropy, five pairs",
                next(row[ratio] for row in critics if row["held by"] == "gradient_penalty"), high=1)

# %% [markdown]
# At this size and budget nothing diverged, so that stability was not put to the test. Compare the gradient penalty on the cross-entropy with the
# ablation above: there, one pair of trainings put the gradient penalty *farther* from real clips; here, five pairs put it a little
# nearer, with 1 inside the interval. And look at the slopes: weight clipping makes D flat, less than a
# millionth as steep, so that it can teach G nothing, and yet the distance hardly changes. In this setting, 8×16×16 and 800 clips, it is mostly the pixel term that teaches. That is no
# rule: at 32×32 and with twice the clips, a weaker adversarial term costs much ([below](#Single-changes-that-start-from-stable)).
#
# ### Inception Score and distance of real clips, by size and speed
#
# **Question.** How far do Inception Score and distance move when nothing is generated at all, and real clips only change their size or their
# speed, that is, how many source frames lie between two of theirs
# ([**E1**](12_claims_and_decisions.ipynb#E1))?

# %%
paces = study("paces", "judge", "procedural")
picture("paces",
        caption="Inception Score of held-out real clips, by size and by source frames between two frames. The judge "
                "has learned clips of 32x32, 4 apart. Size hardly matters down to 12x12; speed does.",
        alt="Eight dots with bars. Four frames apart, sizes 32 to 12 score between 6.4 and 6.6, and 8 scores 6.0; "
            "at 32x32, one frame apart scores 1.3, two 3.7, six 5.8.")

# %%
page.table([{name: row[name] for name in ("size", "frames apart", "Inception Score", "95 % low", "95 % high",
                                          "Fréchet distance")} for row in paces],
           note="The interval is that of the score. Distance: from training clips at their own size and speed.")
scores = {(row["size"], row["frames apart"]): row["Inception Score"] for row in paces}
far = {(row["size"], row["frames apart"]): row["Fréchet distance"] for row in paces}
if scores:
    say("**Answer** (recorded study), score and distance. " + "; ".join(
        f"{words}: {scores[which]:.2f} and {far[which]:.3g}"
        for words, which in (("Real clips as the judge has learned them", (32, 4)), ("through 16×16", (16, 4)),
                             ("through 8×8", (8, 4)), ("with consecutive frames", (32, 1))))
        + ". Consecutive frames move both far more than 8×8 does.")
    page.expect("distance with consecutive frames, over that through 8x8", far[32, 1] / far[8, 4], low=2)
    page.expect("score lost with consecutive frames, over that lost through 8x8",
                (scores[32, 4] - scores[32, 1]) / (scores[32, 4] - scores[8, 4]), low=2)

# %% [markdown]
# ### Rivals against their own untrained networks
#
# **Question.** After how many clips has each rival left its untrained network behind? Before that an order says nothing about it.
# The rivals are not compared with each other here; that is [chapter 10](10_tables.ipynb).
#
# Each was trained as published and in the common recipe of that chapter. MoCoGAN stands there in two more ways
# ([**E9**](12_claims_and_decisions.ipynb#E9)): the released code gives D_I ten frames and D_V three other clips a step, where ours give both
# the whole batch, so one row splits our batch in that proportion; the other starts from the first weights that PyTorch gave a layer in 2017.

# %%
rivals = study("rivals", "training seed", "procedural")
picture("rivals",
        caption="Fréchet distance against clips seen, one panel a rival; dashed: its untrained network. VGAN leaves "
                "it first, MoCoGAN late and not in every way, TGAN not at all within this budget.",
        alt="Three line plots with error bars at 800, 3,200 and 12,000 clips. VGAN falls from 590 to about 480 "
            "and rises a little; TGAN stays at 620; MoCoGAN stays near 620 and falls to about 440 at the end in "
            "two of its four ways.")

# %%
NAMES = {"vgan": "VGAN", "tgan": "TGAN", "mocogan": "MoCoGAN"}
last = {}
for row in rivals:
    last.setdefault((row["system"], row["recipe"]), []).append(row)
ends = []
for (system, recipe), seen in last.items():
    clear = [row["clips seen"] for row in seen if row["clear of untrained"]]
    ends.append({"rival": NAMES[system], "recipe": recipe, "distance at the end": seen[-1]["Fréchet distance"],
                 "95 % low": seen[-1]["95 % low"], "95 % high": seen[-1]["95 % high"],
                 "clear of untrained after": f"{clear[0]:,} clips" if clear else "–"})
page.table(ends, note="– : not clear of its untrained network after the last of its clips. One training seed each.")
reached = [f"{row['rival']} ({row['recipe']}) was clear at {row['clear of untrained after']}, with "
           f"{row['distance at the end']:.0f} at the end" for row in ends if row["clear of untrained after"] != "–"]
say(f"**Answer** (recorded study). {len(reached)} of {len(ends)} trainings have been clear of their untrained "
    f"networks: {'; '.join(reached)}.")

# %% [markdown]
# ### Single changes that start from *stable*
#
# **Question.** Does one change of *stable* bring its samples nearer to real clips?
#
# These are the trials on the way to *stable*, the preset of HRVGAN's own rows in [chapter 10](10_tables.ipynb). So the preset was chosen by
# trials like these: before this book's other numbers, with a training seed and a judge that nothing else
# uses, by held-out clips only and by no number of the paper. Each row changes one thing and sees as many clips. *Coverage* is the share of
# real clips that have a sample near them.
#
# Three rows are about the encoder's code. In *stable* a code is drawn from a mean and a spread, and whatever it tells about the clip is
# *charged*: a Kullback-Leibler term is added to the loss ([chapter 06](06_training_loop.ipynb)), which the rows weigh a fifth or four times as
# much. *On the sphere* goes back to the codes of the previous study, without a charge.

# %%
tries = study("tries", "HRVGAN", "procedural")
page.show_recorded(
    "tries.csv", run="study", draw=lambda rows: bars(
        rows, lambda row: row["change"], "Fréchet distance", ("95 % low", "95 % high"), "Fréchet distance",
        one=None, ticks=(60, 100, 200, 400)),
    caption="Fréchet distance from held-out clips after one change of stable, with its interval over samples. "
            "Three rows lie left of stable, the top one; most lie far right.",
    alt="Twelve dots with bars on a logarithmic axis from 60 to 600. Stable is at 184; codes charged a fifth, "
        "D as fast as G and codes charged four times lie left of it; D judging reconstructions too at 249, "
        "and seven others beyond 330.")

# %%
def loosely(row, base):
    """The ratio of two recorded distances with an interval as if they shared no clip: wider than a paired one."""
    halves = [math.log(one["95 % high"] / one["Fréchet distance"]) for one in (row, base)]
    ratio, margin = row["Fréchet distance"] / base["Fréchet distance"], math.exp(math.hypot(*halves))
    return ratio, ratio / margin, ratio * margin


tried = {row["change"]: loosely(row, tries[0]) for row in tries[1:]}
page.table([{"change": row["change"], "Fréchet distance": row["Fréchet distance"], "coverage": row["coverage"]}
            | dict(zip(("over stable", "95 % low", "95 % high"), tried.get(row["change"], ("–",) * 3)))
            for row in tries], page_columns=["change", "over stable", "95 % low", "95 % high", "Fréchet distance",
                                             "coverage"],
           note="– : stable itself. The interval is that of the ratio, over samples, as if the two sides shared no "
                "clip.")
nearer = [name for name, (_, _, top) in tried.items() if top < 1]
farther = [name for name, (_, bottom, _) in tried.items() if bottom > 1]
say(f"**Answer** (recorded study). The ratio's interval lies below 1, nearer than stable, for {len(nearer)} of "
    f"{len(tried)}: {'; '.join(nearer) or 'none'}. It lies above 1, farther, for {len(farther)}. One training each.")
if tried:
    page.expect("adversarial term a fifth, over stable, lower end", tried["adversarial term a fifth"][1], low=1)

# %% [markdown]
# One seed and so few clips settle little: a row that is nearer here is a candidate for a longer trial.
#
# ## Summary of the comparisons
#
# First the six questions in one picture. Each line is one changed arm: a dot at its Fréchet distance over ours, with the
# interval. The grey row at the top is no choice at all, but another training seed. It is the dot that is held against the band of
# another seed, as above; the interval says how well this pair of networks was measured.

# %%
rows = [row for name in everything for row in own_rows(name)]
page.table(rows, name="ablations", data=DATA, samples=n, show=False,
           note=f"{steps} steps, {len(seeds)} training seed(s); held-out real clips: {floor}.")
shown = [("nothing changed", "another training seed", luck, "", "#999999")]
shown += [(name, arm, over_ours(outcomes, arm), outcome.diverged, book.SYSTEM_COLOURS["hrvgan"])
          for name, outcomes in everything.items() for arm, outcome in outcomes.items() if arm != OURS]

# %%
fig, axes = plt.subplots(figsize=(8.5, 1 + 0.3 * len(shown)))
middle = [effect.value for _, _, effect, _, _ in shown]
low, high = 0.85 * min([*middle, 1]), 1.2 * max([*middle, 1])
for row, (_, _, effect, diverged, ink) in enumerate(shown):
    axes.plot([max(effect.low, low), min(effect.high, high)], [row, row], color=ink, linewidth=5, alpha=0.4,
              solid_capstyle="butt")
    axes.plot(effect.value, row, "X" if diverged else "o", color=ink)
axes.axvline(1, color="black", linewidth=1)
if re.search(rf"\b{steps} steps", record_of("lipschitz", "study").get("note", "")) and not long:
    axes.axvspan(1 / band, band, color="0.9", zorder=0, label="another seed alone (recorded study)")
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1))
axes.set(xscale="log", xlim=(low, high), xlabel="Fréchet distance over that of our choice",
         ylim=(len(shown) - 0.5, -0.5), yticks=range(len(shown)),
         yticklabels=[f"{name}: {arm}" for name, arm, *_ in shown])
ticks = [tick for tick in (0.1, 0.2, 0.5, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 5, 10, 20) if low <= tick <= high]
axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
axes.minorticks_off()
page.figure(fig, name="ablation_summary", data=DATA, samples=n,
            caption="Every arm over ours. Left of the line at 1 the change is nearer to real clips, right of it "
                    "farther. The grey dot is another seed with nothing changed; for the recorded run, compare the "
                    f"other dots with {1 / band:.3f} to {band:.3f}, where such a dot may lie. Crosses mark arms that "
                    "diverged.",
            alt="One row for each changed choice, grouped by study: a dot at its Fréchet distance over that of our "
                "choice, with its interval, on a logarithmic axis with a vertical line at 1. A grey row at the top "
                "shows another training seed of our own choice.")

# %% [markdown]
# Now every comparison of two ways to train in one table, and for each that is open what it would take. (Not in it: VGAN and TGAN,
# held only against their untrained networks, and the three studies of the ruler, which compare no trainings.) Whether an arm is clear of its
# untrained network was checked for the six questions and MoCoGAN only. What it would take is computed as follows.
#
# 1. $d$ is the logarithm of the ratio, and $s$ how far that logarithm scatters from one pair of trainings to the next. Where a study has
#    several seeds, $s$ is read back from its own interval. Where there is one, it is $\sqrt 2$ times the recorded scatter of the yardstick.
# 2. $K$ pairs of trainings, seed by seed, give the interval $d \pm t_{K-1}\, s / \sqrt K$, with Student's factor $t_{K-1}$.
# 3. The table has the smallest $K$ for which it leaves out zero. The scatter of trainings at 32×32 was not recorded; there that of 8×16×16 stands in, and ≥ says so.
# 4. An interval over samples narrows with the root of their number, so that $N (h / d)^2$ samples would tell *these two* networks
#    apart, where $h$ is half the interval from $N$. That decides nothing about the choice.

# %%
def answered(question, ratio, low, high, count, samples, spread, loose=False, clear=True, diverged=False):
    """One line of the summary: a ratio of two distances over `count` training seeds, and what would decide it."""
    if diverged:  # a result about stability; its distance is that of the last finite weights
        return {"question": question, "answer": "diverged", "over unchanged [95 %]": f"{ratio:.3f}",
                "interval over": f"{count} training seed(s)", "decided": "diverged", "what it would take": "–"}
    tells, firm = not low <= 1 <= high, count >= 3
    needed = ablations.seeds_needed(ratio, ablations.spread_behind(low, high, count) if firm else spread)
    takes = [] if tells and firm else [f"{'≥ ' * loose}{needed:,} training seeds" if needed else "> 10,000 seeds"]
    if not tells and not firm:
        enough = ablations.samples_needed(ratio, low, high, samples)
        takes.append(f"{'≤ ' * loose}{enough:,} samples for this pair")
    told = "cannot tell" if not tells else "nearer to real clips" if high < 1 else "farther from real clips"
    return {"question": question, "answer": told + ("" if clear else "; not clear of its untrained network"),
            "over unchanged [95 %]": f"{ratio:.3f} [{low:.3f}, {high:.3f}]",
            "interval over": f"{count} training seeds" if firm else f"{samples} samples, one seed",
            "decided": ("yes" if firm else "these two networks") if tells else "no",
            "what it would take": "; ".join(takes) or "–"}


# %%
measured = n if long else record_of("ablations").get("samples", n)
studied = record_of("fields", "study").get("samples", n)
summary = [answered(f"{row['study']}: {row['arm']}?", row["over ours"], row["over ours, low"], row["over ours, high"],
                    int(re.search(r"(\d+) training seed", row["interval over"])[1]), measured, apart,
                    clear=row["clear of untrained"], diverged=row["diverged"] != "no")
           for name in everything for row in arms_of(name)[1:]]
summary += [answered(f"{FIELD[row['field']]}, as in stable?", row["Fréchet distance, with over without"],
                     row["95 % low"], row["95 % high"], row["training seeds"], studied, apart) for row in fields]
summary += [answered(f"{READING[row['reading']]} D held by {HELD[row['held by']]}?", row["over none's"],
                     row["its 95 % low"], row["its 95 % high"], row["of"], studied, apart)
            for row in critics if row["held by"] != "none"]
whole = last.get(("mocogan", "published, whole batches"), [None])[-1]
summary += [answered(f"MoCoGAN, {way.removeprefix('published, ')}?", *loosely(seen[-1], whole), 1, studied, apart,
                     loose=True, clear=seen[-1]["clear of untrained"])
            for (system, way), seen in last.items() if whole and way in ("published, batches shared out",
                                                                        "published, first weights of 2017")]
summary += [answered(f"stable with {name}?", *ratio_and_interval, 1, studied, apart, loose=True)
            for name, ratio_and_interval in tried.items()]
page.table(summary, note="Recorded run and recorded study, procedural stand-in of the actions. In the rows of "
           "MoCoGAN and of stable the interval is as if the two sides shared no clip: wider than a paired one. "
           "– : nothing more.")

# %%
tally = {word: sum(row["decided"] == word for row in summary)
         for word in ("yes", "these two networks", "no", "diverged")}
print(f"{len(summary)} comparisons: {tally['yes']} decided over training seeds, "
      f"{tally['these two networks']} between two networks only, {tally['no']} open, {tally['diverged']} diverged")
firmly = [f"{row['question'].rstrip('?')}: {row['answer']}" for row in summary if row["decided"] == "yes"]
say(f"**Decided over training seeds.** {'; '.join(firmly) or 'Nothing'}.")
singles = [row for name in everything for row in arms_of(name)[1:]]
outside = [f"{row['study']}: {row['arm']} ({row['over ours']:.3f})" for row in singles if not in_band(row["over ours"])]
print(f"ratios outside {1 / band:.3f} to {band:.3f}, the band of another seed: {len(outside)} of {len(singles)} arms"
      + "".join(f"\n  {name}" for name in outside if scatter == scatter))

# %% [markdown]
# So the ablations illustrate more than they decide: most of what they show another seed could show as
# well. `make ablations` trains three seeds an arm; the last column says for which questions that would be enough.
#
# ### Verdicts on the paper's claims
#
# The rule of [chapter 12](12_claims_and_decisions.ipynb) is another one, and does not know the band: a claim holds where the whole interval of each of its
# numbers lies in the range asked for beforehand, and fails where the whole interval of one of them lies outside. Anything else
# stays open, and so does a comparison with an arm that is not clear of its untrained network. From fewer than three trainings a verdict says "in
# these trainings", and speaks of these networks only: a pair whose ratio lies inside the band may decide it.

# %%
claims = book.read_csv(page.recorded("claims.csv")) if page.recorded("claims.csv") else []
if claims:
    page.table([{"claim": row["claim"], "the paper": row["the paper"], "verdict": ledgers.heading(row),
                 "why": row["why"]} for row in ledgers.reworded(claims) if row["chapter"] == page.chapter],
               note="From the recorded run's ledger of claims.")
else:
    print("no recorded run has a ledger of claims here: chapter 12 of this run has its own")

# %%
if critics and (arms := recorded_arms("Lipschitz constraint")):
    five = next(row for row in critics if (row["reading"], row["held by"]) == ("bce_shift", "gradient_penalty"))
    page.expect("gradient penalty over none, the one pair", arms[1]["over ours"], low=1 / band, high=band)
    page.expect("the same, five pairs", five[ratio], low=five["its 95 % low"], high=1, why="on the other side of 1")
    given = verdict_of(row) if (row := ledger_row("lipschitz-stabilises")) else "–"
    say(f"So `lipschitz-stabilises` has its verdict, *{given}*, from one pair at {ratio_of(arms[1])}. The five pairs "
        f"of the study have {five[ratio]:.3f} [{five['its 95 % low']:.3f}, {five['its 95 % high']:.3f}]: they do not "
        "support it as a statement about the method.")

# %% [markdown]
# ## For the ledger
#
# The numbers of this run that the [two ledgers](12_claims_and_decisions.ipynb) quote stand in the folded cells below: the distances, the
# gap of D, its covariate shift, the gradients, and the ratios of the recorded studies.

# %% tags=["ledger"]
def evidence(*outcomes):
    """What a ledger has to know about the arms behind a number."""
    return {"data": DATA, "over": outcomes[0].over, "sides": [outcome.side for outcome in outcomes]}


def claim(outcomes, above, below, words, **asked):
    """Give a ratio of two Fréchet distances to the claims ledger."""
    quotient = ablations.compared(*map(ablations.distances, (outcomes[above], outcomes[below])))
    page.measure(f"Fréchet distance, {words}", quotient.value, interval=quotient,
                 **evidence(outcomes[above], outcomes[below]), **asked)


for name, outcomes in everything.items():
    for arm in list(outcomes)[1:] if STUDIES[name].decision else []:
        effect = over_ours(outcomes, arm)
        page.measure(f"Fréchet distance, {STUDIES[name].name}: {arm} over ours", effect.value, interval=effect,
                     decision=STUDIES[name].decision, **evidence(outcomes[arm], outcomes[OURS]))
edge = ablations.compared(pixel[OURS].edges, pixel["unpaired"].edges)
claim(pixel, OURS, "off", "pixel term on the reconstruction over none", claim="mse-balance", high=1)
page.measure("sharpness, pixel term on the reconstruction over unpaired", edge.value, interval=edge, low=1,
             claim="mse-balance", **evidence(pixel[OURS], pixel["unpaired"]))

# %% tags=["ledger"]
def flow_after_training(with_it, without_it):
    """Ratio of the gradients at the first layer: over training seeds, or over four batches where there is one seed."""
    if with_it.seeds > 1:
        pairs = [(one, other, 0) for one, other in zip(with_it.systems, without_it.systems)]
    else:
        pairs = [(with_it.systems[0], without_it.systems[0], number) for number in range(4)]
    return metrics.seed_interval([first_layer_gradient(one, number) / first_layer_gradient(other, number)
                                  for one, other, number in pairs])


trained_flow = flow_after_training(norms_g[OURS], norms_g["pixel"])
claim(norms_g, OURS, "pixel", "G with batch norm over without", claim="batch-norm-helps", high=1)
page.measure("gradient at G's first layer before the first step, with batch norm over without", start_flow.value,
             low=1.01, interval=start_flow, over="4 draws of first weights", claim="batch-norm-helps", data=[train_set],
             controls=[book.control("no norm at all over pixel norm",
                                    metrics.seed_interval(arrived["none"] / arrived["pixel"]))])
page.measure("gradient at G's first layer after training, with batch norm over without", trained_flow.value, low=1.01,
             interval=trained_flow, claim="batch-norm-helps",
             **evidence(norms_g[OURS], norms_g["pixel"]) | {"over": norms_g[OURS].over if long else "4 batches"})

# %% tags=["ledger"]
def gap_of(*outcomes):
    """The discriminator's gap, or the first one's less the second's: over training seeds where there are several."""
    return metrics.over_seeds([ablations.gap_between(systems, train_set, test_set, n)
                               for systems in zip(*(outcome.systems for outcome in outcomes))])


gaps = {name: gap_of(outcome) for name, outcome in norms_d.items()}
print("gap of D between training and held-out clips:", *(f"{name} {gap}" for name, gap in gaps.items()), sep="\n  ")
wider = gap_of(norms_d[OURS], norms_d["none"])
page.measure("gap of D between training and held-out clips, with instance norm less without", wider.value, high=0,
             interval=wider, claim="instance-norm-helps", **evidence(norms_d[OURS], norms_d["none"]))


@torch.no_grad()
def inputs_of(critic, clips):
    """Mean and standard deviation of what each 3x3x3 convolution of D reads, channel by channel: (channels,) twice."""
    seen, convolutions = [], [m for m in critic.trunk.modules() if isinstance(m, torch.nn.Conv3d)]
    layers_read = [m for m in convolutions if m.kernel_size == (3, 3, 3)]
    with fused.layer_by_layer():
        handles = [layer.register_forward_pre_hook(lambda _, given: seen.append(given[0])) for layer in layers_read]
        critic.eval().features(clips)
    for handle in handles:
        handle.remove()
    return [(maps.mean(dim=(0, 2, 3, 4)), maps.std(dim=(0, 2, 3, 4))) for maps in seen]


# %% tags=["ledger"]
def shift_of(outcome):
    """How far training has moved those means, over channels and layers: over training seeds, or over four batches."""
    found, batches = [], range(1 if outcome.seeds > 1 else 4)
    for number, system in enumerate(outcome.systems):
        beginner = metrics.untrained(system, page.seed + number).discriminator
        for batch in batches:
            clips = train_set.batch((torch.arange(16) + 16 * batch) % len(train_set))[0].to(page.device)
            both = zip(inputs_of(beginner, clips), inputs_of(system.discriminator, clips))
            moved = [((new - old).abs() / (spread + 1e-3)).mean() for (old, spread), (new, _) in both]
            found.append(float(torch.stack(moved).mean()))
    return np.array(found)


shifts = {name: shift_of(outcome) for name, outcome in norms_d.items()}
less_shift = metrics.seed_interval(shifts[OURS] / shifts["none"])
page.measure("how far training moves the inputs of D's convolutions, with instance norm over without",
             less_shift.value, interval=less_shift, high=1, claim="covariate-shift",
             **evidence(norms_d[OURS], norms_d["none"]) | {"over": norms_d[OURS].over if long else "4 batches"})

# %% tags=["ledger"]
def lost_runs(outcome):
    """Training runs of an arm that diverged."""
    return sum(bool(system.diverged) for system in outcome.systems)


pairs = {"gradient penalty": OURS} | ({"Wasserstein, gradient penalty": "Wasserstein, none"} if long else {})
for constrained, free in pairs.items():
    words, arms = free.replace(OURS, "no constraint"), (lipschitz[constrained], lipschitz[free])
    claim(lipschitz, constrained, free, f"{constrained} over {words}", claim="lipschitz-stabilises", high=1)
    page.measure(f"diverged runs of {len(seeds)}, {constrained} less {words}", lost_runs(arms[0]) - lost_runs(arms[1]),
                 decision="L6", data=DATA)
claim(convolution, OURS, "2-D + 1-D", "3-D convolutions over 2-D + 1-D", claim="conv3d-over-1d", high=1)
page.measure("operations of G for one clip, 2-D + 1-D over 3-D", operations["2d+1d"] / operations["3d"], high=1,
             claim="conv1d-cheaper")
starts = [record.frechet for record in optimiser["SGD"].starts]
progress = ablations.compared(ablations.distances(optimiser["SGD"]), starts)
page.measure("Fréchet distance, trained by SGD over untrained", progress.value, interval=progress, claim="sgd", high=1,
             **evidence(optimiser["SGD"]))

# %% tags=["ledger"]
DECISION = {"codes": "A20", "D judges G(E(Y)) too": "A20", "no wrong labels": "A18", "adversarial term": "L9",
            "gradient penalty": "L6", "spectral norm": "L6", "pixel norm": "A12", "trilinear": "A3", "as slow": "O1",
            "as fast": "O1", "batches": "O2"}
for way in ("published, batches shared out", "published, first weights of 2017"):
    if ("mocogan", way) in last:
        pair = [float(last["mocogan", name][-1]["Fréchet distance"]) for name in (way, "published, whole batches")]
        page.measure(f"Fréchet distance of MoCoGAN after {int(last['mocogan', way][-1]['clips seen']):,} clips, {way}, "
                     "over that with whole batches (recorded study, one training seed)", pair[0] / pair[1],
                     decision="E9")
for row in tries[1:]:
    page.measure(f"Fréchet distance with {row['change']}, over stable's (recorded study, one training seed)",
                 float(row["Fréchet distance"]) / float(tries[0]["Fréchet distance"]),
                 decision=next(entry for words, entry in DECISION.items() if words in row["change"]))
print(f"claims that this chapter has measured for: {len({one.claim for one in page.measured if one.claim})}")

# %% [markdown]
# ## Check yourself
#
# 1. With one training a side, an arm's interval lies entirely below 1. What has been shown?
# 2. The unpaired pixel loss falls as training goes on. Why is that no good sign?
# 3. What do all arms share in training, and what in measuring? Why?
# 4. An arm diverges in one of three seeds. Why is its row kept?
# 5. *Calculate.* From 128 samples an interval is ±3 % wide. How many samples make it ±1 %? Does that help to decide about the choice?
# 6. *Calculate.* Pairs of trainings scatter by 6 % in the logarithm of their ratio. How wide is Student's interval from three pairs ($t_2 = 4.30$)?
#    Which ratios can it tell from 1?
# 7. *Look at the figure of the six questions, and for exact numbers at the summary table.* Which dots lie outside the band of another seed? Is
#    each of them a finding about its choice?
#
# <details><summary>Answers</summary>
#
# 1. That the one network is nearer to the real clips than the other, for this judge. Whether the *choice* did it, or
#    the seed, takes several trainings.
# 2. It falls towards the variance of the clips, its lowest value, and gets there by showing the same mean clip for any
#    noise.
# 3. In training the clips, their order, the noise and the seed of the first weights; in measuring the real clips. So these sources of luck
#    are the same on both sides. Luck is not removed: after a few steps the two networks differ and use the same noise differently.
# 4. Because to diverge *is* a result about stability. Leaving the row out would compare the runs that went well.
# 5. Nine times as many: $128 \cdot 3^2 = 1152$. It tells these two networks apart, and says nothing more about the choice.
# 6. $4.30 \cdot 0.06 / \sqrt 3 \approx 0.149$, so ratios above $e^{0.149} \approx 1.16$ or below 0.86.
# 7. The cell below the summary table counts and names them. In the recorded run `overnight` they lie outside by a hair, they have one training each, and
#    one of twenty dots with nothing changed would lie outside too: a hint, and no finding.
#
# </details>
#
# ## Exercises
#
# 1. *(warm-up)* Which share of TGAN's published budget, 3.2 million clips, does an arm of the recorded run see? *Expected: less than a
#    thousandth.*
# 2. *(easy)* What does pairing gain? Compute the interval of *off* over ours as if the two had shared no clip, and compare its width with the
#    paired one. *Expected: at least twice as wide.*
# 3. *(medium)* A choice is worth 10 %, and the ratio scatters by 15 % from pair to pair. Find with a loop of your own how many
#    pairs tell it from one. *Expected: about a dozen, as `ablations.seeds_needed` says.*
# 4. *(hard)* Train an arm of your own, a slope of 0.01 in D (`{"leak": 0.01}`), with the budget of this run. *Expected: it has as many parameters and
#    has seen as many clips as ours, and its row can be compared with ours.*

# %% tags=["solution"]
# Exercise 1
share = arms_of("pixel term")[0]["clips seen"] / 3.2e6
page.expect("exercise 1: share of TGAN's budget", share, high=1e-3)

# %% tags=["solution"]
# Exercise 2
ours_row, off_row = arms_of("pixel term")[:2]
_, unpaired_low, unpaired_high = loosely(off_row, ours_row)
widths = [math.log(top / bottom) for bottom, top in ((unpaired_low, unpaired_high),
                                                     (off_row["over ours, low"], off_row["over ours, high"]))]
page.expect("exercise 2: width unpaired over paired", widths[0] / widths[1], low=2,
            why="what is shared cancels")

# %% tags=["solution", "nbval-check-output"]
# Exercise 3
pairs_needed = 2
while student.ppf(0.975, pairs_needed - 1) * 0.15 / math.sqrt(pairs_needed) >= math.log(1.10):
    pairs_needed += 1
print(f"exercise 3: {pairs_needed} pairs; three give ±{student.ppf(0.975, 2) * 0.15 / math.sqrt(3):.0%}")
assert pairs_needed == ablations.seeds_needed(1.10, 0.15) and 10 <= pairs_needed <= 14

# %% tags=["solution"]
# Exercise 4
shallow = ablations.run_arm(ablations.Arm("slope 0.01", {"leak": 0.01}), **settings)
assert (shallow.parameters, shallow.clips) == (pixel[OURS].parameters, pixel[OURS].clips)
versus = ablations.compared(ablations.distances(shallow), ablations.distances(pixel[OURS]))
print(f"this run: exercise 4, slope 0.01 over ours: {versus} ({shallow.clips:,} clips, {n} samples)")
page.expect("exercise 4: its distance over ours", versus.value, low=0.2, high=5)

# %% [markdown]
# ## What we now know
#
# - We compared arms that differ in one choice, at equal clips, noise and steps, against a floor of real clips.
# - We saw what another seed alone does, and held each ratio against it; intervals over samples spoke about networks,
#   intervals over training seeds about choices.
# - The literal pixel loss asked for the mean clip whatever the noise, and a generator that followed it gave one grey, blurred clip for every latent.
# - For every comparison that stayed open we computed how many trainings would decide it: from a few to hundreds.
#
# ## Where next
#
# [12 · Claims and decisions](12_claims_and_decisions.ipynb) puts these rows beside all others. For more seeds run `make ablations`, and
# read this page again from `runs/`.

# %%
page.colophon()
