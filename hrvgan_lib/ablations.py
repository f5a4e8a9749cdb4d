"""Ablations: one choice changed at a time, everything else and the budget equal; chapter 11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import ceil, log, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

from hrvgan_lib.budgets import FIRM, Side, side_of
from hrvgan_lib.metrics import (
    Estimate,
    Evaluation,
    difference,
    draw_of,
    drawn,
    estimate,
    evaluate,
    exponential,
    generated,
    influence,
    learned,
    logarithm,
    mean_estimate,
    over_seeds,
    quotient,
    real_clips,
    sharpness,
    treated,
    untrained,
)
from hrvgan_lib.metrics.eyes.judge import weights_digest
from hrvgan_lib.profiles import Profile
from hrvgan_lib.streams import stream
from hrvgan_lib.training import StepRecord, trained
from hrvgan_lib.windows import WINDOW

if TYPE_CHECKING:
    from hrvgan_lib.data import ClipDataset
    from hrvgan_lib.data.clips import Clips
    from hrvgan_lib.metrics.answers import Eye
    from hrvgan_lib.networks import System

FRAMES, SIZE = 8, 16  # the cut of Table 1 that every arm is trained at
# The judge has to read clips as short as these: chapter 08's does at `smoke` and `cpu`, on a GPU its clips are longer.
JUDGE_SHAPE = {"frames": FRAMES, "size": 32, "stride": WINDOW // FRAMES}
LONG_STEPS, LONG_SEEDS = 250, 3  # of `make ablations`


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: its name, and the options of HRVGAN that it changes. No options: our choice."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """One question, the decision that it belongs to, and its arms; the first is our choice.

    `short` names the arms that the profiles train too; the others are left to `make ablations`.
    """

    name: str
    question: str
    decision: str
    arms: tuple[Arm, ...]
    short: tuple[str, ...] = ()

    def chosen(self, long: bool) -> tuple[Arm, ...]:
        """The arms to train: all of them, or our choice and the short ones (none where there are none)."""
        if long:
            return self.arms
        return tuple(arm for arm in self.arms if arm is self.arms[0] or arm.name in self.short) if self.short else ()


OURS = "ours"
STUDIES: dict[str, Study] = {study.name: study for study in (
    Study("pixel term", "What does the mean squared error of Eq. 15 do?", "T1", (
        Arm(OURS), Arm("off", {"pixel_loss": "off"}),
        Arm("unpaired", {"pixel_loss": "unpaired"})), short=("off", "unpaired")),
    Study("norms of G", "Which norms does the generator need?", "A12", (
        Arm(OURS), Arm("pixel", {"generator_norm": "pixel"}), Arm("batch", {"generator_norm": "batch"}),
        Arm("instance", {"generator_norm": "instance"}), Arm("none", {"generator_norm": "none"}),
        Arm("pixel norm behind ReLU", {"generator_norm": "batch+act+pixel"})), short=("pixel",)),
    Study("norms of D", "Which norm does the discriminator need?", "A12", (
        Arm(OURS), Arm("none", {"discriminator_norm": "none"}), Arm("batch", {"discriminator_norm": "batch"}),
        Arm("pixel", {"discriminator_norm": "pixel"}),
        Arm("instance+pixel", {"discriminator_norm": "instance+pixel"})), short=("none",)),
    Study("Lipschitz constraint", "Does a k-Lipschitz discriminator train more stably?", "L6", (
        Arm(OURS), Arm("gradient penalty", {"lipschitz": "gradient_penalty"}),
        Arm("spectral norm", {"lipschitz": "spectral_norm"}), Arm("clipping", {"lipschitz": "clip"}),
        Arm("Wasserstein, none", {"adversarial": "wgan"}),
        Arm("Wasserstein, gradient penalty", {"adversarial": "wgan", "lipschitz": "gradient_penalty"})),
        short=("gradient penalty",)),
    Study("convolution", "Are 3-D convolutions worth more than space and time apart?", "", (
        Arm(OURS), Arm("2-D + 1-D", {"convolution": "2d+1d"})), short=("2-D + 1-D",)),
    Study("optimiser", "Adam, or the SGD of section 4.2?", "O1", (
        Arm(OURS), Arm("SGD", {"optimiser": "sgd", "learning_rate": 0.02, "discriminator_learning_rate": 0.02}),
        Arm("Adam, literal preset", {"learning_rate": 2e-4, "betas": (0.0, 0.99)})), short=("SGD",)),
    Study("minibatch stddev", "Does the 129th map help?", "A8", (Arm(OURS), Arm("off", {"stddev_group": 0}))),
    Study("reading of k", "What does the k of Eqs. 12-14 change?", "L5", (
        Arm(OURS), Arm("k = 0", {"k": 0.0}), Arm("k = 4", {"k": 4.0}),
        Arm("scaled by 1/4", {"adversarial": "bce_scale", "k": 4.0}), Arm("least squares", {"adversarial": "lsgan"}))),
    Study("latent", "One latent a clip, one a base time step, or one a frame?", "A16", (
        Arm(OURS), Arm("sequence", {"latent": "sequence"}), Arm("one a frame", {"latent": "frames"}))),
    Study("adversarial path", "Does D judge clips from noise, reconstructions, or both?", "A20", (
        Arm(OURS), Arm("reconstruction", {"adversarial_path": "reconstruction"}),
        Arm("both", {"adversarial_path": "both"}))),
    Study("where time doubles", "Early, as Table 1 prints it, or late?", "A4", (
        Arm(OURS), Arm("at 16 instead of 8", {"temporal_doublings": (16,)}))),
    Study("last activation", "tanh, or the printed ReLU?", "A5", (
        Arm(OURS), Arm("ReLU", {"final_activation": "relu"}), Arm("linear", {"final_activation": "linear"}))),
    Study("weights of Eq. 15", "Are equal weights special?", "L9", (
        Arm(OURS), Arm("0.9 and 0.1", {"alpha": 0.9, "beta": 0.1}), Arm("0.1 and 0.9", {"alpha": 0.1, "beta": 0.9}))),
    Study("activation of D", "Leaky ReLU, or plain?", "A11", (Arm(OURS), Arm("plain ReLU", {"leak": 0.0}))),
    Study("wrong labels", "What do real clips under wrong labels teach D?", "A18", (
        Arm(OURS), Arm("not shown", {"mismatched_labels": False}))),
)}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What one arm gave. Intervals are over training seeds where there are three or more, else over samples."""

    arm: Arm
    frechet: Estimate
    named_right: Estimate  # share of samples that the judge gives the class that was asked for
    sharpness: Estimate  # over that of real clips
    motion: float  # over that of real clips
    parameters: int  # of G
    seconds: float  # a step; NaN where not even two were taken
    clips: int  # training clips seen, each seed
    seeds: int
    over: str  # what the intervals are over
    diverged: str
    samples: Tensor  # (4, 3, T, S, S), the first classes from the same latents in every arm
    systems: tuple[System, ...]  # trained, one a seed
    records: tuple[Evaluation, ...]  # what was measured of each
    starts: tuple[Evaluation, ...]  # and of the same network before its first step
    edges: tuple[Estimate, ...]  # sharpness of each, over that of real clips
    side: Side  # budget, seeds, and whether each training is clear of its own untrained network


def run_arm(
    arm: Arm,
    train_set: ClipDataset,
    test_set: Clips,
    judge: Eye,
    profile: Profile,
    *,
    steps: int,
    seeds: Sequence[int],
    n: int,
    folder: Path,
) -> Outcome:
    """Train and measure one arm: HRVGAN with labels, cut at `FRAMES` x `SIZE` x `SIZE`, once for each seed.

    n: samples measured a seed. `folder` keeps checkpoints and evaluations, so that an arm that two studies share, or
    that was interrupted, is trained once.
    """
    records, starts, systems, taken = [], [], [], []
    measure = partial(evaluate, judge=judge, reference=train_set, n=n, held_out=test_set, folder=folder / "evaluations")
    for seed in seeds:
        system, steps_taken = trained(
            "hrvgan",
            train_set,
            profile,
            seed=seed,
            steps=steps,
            width=profile.study_width,
            folder=folder / "checkpoints",
            **arm.options,
        )
        source = generated(system, "hrvgan", f"HRVGAN, {arm.name}, {len(steps_taken)} steps")
        if system.diverged:  # its last weights are finite, what they give need not be
            source = treated(source, source.name, torch.nan_to_num, "finite part")
        records.append(measure(source))
        note = f"HRVGAN, {arm.name}, before its first step, first weights {seed}"
        starts.append(measure(generated(untrained(system, seed), "untrained", note)))
        systems.append(system)
        taken.append(steps_taken)
    real = measure(real_clips(test_set)).frechet
    side = side_of(arm.name, systems[0], taken[0], None, len(records))
    clear = all(learned(record.frechet, start.frechet, real, better=-1) for record, start in zip(records, starts))
    diverged = next((system.diverged for system in systems if system.diverged), "")
    edges = tuple(_edge(system, train_set, n) for system in systems)
    frechet, over = joined([record.frechet for record in records])
    return Outcome(
        arm,
        frechet,
        joined([record.accuracy for record in records if record.accuracy is not None])[0],
        joined(edges)[0],
        float(np.mean([record.behaviour.motion for record in records])),
        sum(p.numel() for p in systems[0].generator.parameters()),
        step_seconds(taken),
        min(steps_taken[-1].clips_seen if steps_taken else 0 for steps_taken in taken),
        len(records),
        over,
        diverged,
        systems[0].sample(4, generator=stream("ablation strip")).nan_to_num(),
        tuple(systems),
        tuple(records),
        tuple(starts),
        edges,
        replace(side, learned=clear, diverged=diverged),
    )


def _edge(system: System, train_set: ClipDataset, n: int) -> Estimate:
    """Sharpness of a system's samples over that of real clips."""
    real, _, numbers = train_set.draw(min(n, len(train_set)), stream("sharpness"))
    samples = system.sample(n, generator=stream("ablation samples", 0)).nan_to_num()
    mine = mean_estimate(sharpness(samples), drawn(n, f"samples of {weights_digest(system.sampler)}"))
    return quotient(mine, mean_estimate(sharpness(real), draw_of(train_set, numbers)))


def joined(estimates: Sequence[Estimate]) -> tuple[Estimate, str]:
    """One number over the trainings of an arm, and what its interval is over (`metrics.over_seeds`)."""
    found, count = over_seeds(estimates), len(estimates)
    return found, found.method if count >= FIRM else f"samples of {count} training seed{'s' if count > 1 else ''}"


def compared(above: Sequence[Estimate], below: Sequence[Estimate]) -> Estimate:
    """One arm's numbers over another's, seed by seed: the geometric mean of the ratios, with its interval.

    Seed by seed both arms have the same clips, noise and first weights, and every ratio is paired on the real clips.
    """
    logs = [difference(logarithm(one), logarithm(other)) for one, other in zip(above, below)]
    return exponential(over_seeds(logs))


def distances(outcome: Outcome) -> list[Estimate]:
    """The Fréchet distance of each training of an arm."""
    return [record.frechet for record in outcome.records]


def spread_behind(low: float, high: float, seeds: int) -> float:
    """How far the logarithm of a ratio scatters from training to training, from its Student's 95 % interval."""
    return (log(high) - log(low)) / 2 * sqrt(seeds) / float(student.ppf(0.975, seeds - 1))


def seeds_needed(ratio: float, spread: float, most: int = 10_000) -> int | None:
    """Trainings of each of two arms whose ratio, just so large, Student's 95 % interval tells from 1.

    The arms are compared seed by seed; `spread` is the standard deviation of the logarithm of one seed's ratio. None
    where more than `most` would be needed. That is the least: a ratio just so large is then found every second time.
    """
    for seeds in range(2, most + 1):
        if float(student.ppf(0.975, seeds - 1)) * spread / sqrt(seeds) < abs(log(ratio)):
            return seeds
    return None


def samples_needed(ratio: float, low: float, high: float, samples: int) -> int | None:
    """Samples of each of two networks that tell their ratio from 1, where `samples` gave it [low, high].

    An interval over samples narrows with the root of their number. None for a ratio of exactly 1.
    """
    half = (log(high) - log(low)) / 2
    return ceil(samples * (half / log(ratio)) ** 2) if ratio != 1 else None


def step_seconds(taken: Sequence[Sequence[StepRecord]]) -> float:
    """Median time of a step over several trainings, without the first of each, which sets things up; NaN for none."""
    each = [np.diff([record.seconds for record in steps_taken]) for steps_taken in taken if len(steps_taken) > 1]
    return float(np.median(np.concatenate(each))) if each else float("nan")


def run_study(study: Study, *, long: bool = False, **settings: Any) -> dict[str, Outcome]:
    """Run the arms of a study; `settings` are those of `run_arm`. An empty dictionary where it has no short form."""
    return {arm.name: run_arm(arm, **settings) for arm in study.chosen(long)}


def floor(train_set: Clips, test_set: Clips, judge: Eye, n: int, folder: Path) -> Estimate:
    """Fréchet distance of held-out real clips from training clips at the same size and n: what a perfect arm has."""
    return evaluate(real_clips(test_set), judge, train_set, n=n, held_out=test_set, folder=folder).frechet


def discriminator_gap(system: System, train_set: ClipDataset, test_set: ClipDataset, n: int) -> Estimate:
    """How much higher D scores clips that it was trained on than held-out ones, in standard deviations of its scores.

    Zero for a discriminator that has learned what clips look like, large for one that knows those clips by heart.
    """
    return gap_between([system], train_set, test_set, n)


def gap_between(systems: Sequence[System], train_set: ClipDataset, test_set: ClipDataset, n: int) -> Estimate:
    """The gap of one discriminator, or that of the first of two less that of the second, on the same clips."""
    gaps = [_gap(system, train_set, test_set, n) for system in systems]
    return gaps[0] if len(gaps) == 1 else difference(*gaps)


def _gap(system: System, train_set: ClipDataset, test_set: ClipDataset, n: int) -> Estimate:
    """(mean seen - mean unseen) over the spread of the unseen, with each clip's influence on all three."""
    seen, seen_numbers = _scores(system, train_set, n, stream("gap", "train"))
    unseen, numbers = _scores(system, test_set, n, stream("gap", "held out"))
    spread = float(unseen.std()) or 1.0
    apart, off = float(seen.mean() - unseen.mean()) / spread, (unseen - unseen.mean()) / spread
    return estimate(
        apart,
        influence(draw_of(train_set, seen_numbers), seen / spread),
        influence(draw_of(test_set, numbers), -off - apart * (off**2 - 1) / 2),
    )


@torch.no_grad()
def _scores(system: System, dataset: ClipDataset, n: int, draws: torch.Generator) -> tuple[np.ndarray, list[int]]:
    """D's scores of about n real clips, (N,), and the clips' numbers: as many as fill the groups of its minibatch
    stddev."""
    group = max(1, system.config.stddev_group)
    clips, labels, numbers = dataset.draw(max(group, min(n, len(dataset)) // group * group), draws)
    clips, labels, scores = clips.to(system.device), labels.to(system.device), []
    for rows in torch.arange(len(clips)).split(8 * group):
        asked = labels[rows] if system.n_classes else None
        scores.append(system.discriminator.eval()(clips[rows], asked).float().cpu())
    return torch.cat(scores).numpy(), numbers.tolist()


__all__ = [
    "STUDIES", "Arm", "Outcome", "Study", "compared", "discriminator_gap", "distances", "floor", "gap_between",
    "joined", "run_arm", "run_study", "samples_needed", "seeds_needed", "spread_behind", "step_seconds",
]  # fmt: skip
