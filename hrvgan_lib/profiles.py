"""Every size, step count and budget of a run, in one table (all chapters)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import inf

from hrvgan_lib.windows import WINDOW

RECORDED_RUNS = ("gpu", "overnight")  # committed runs, shown beside the reader's own: of each file the first there is
STUDY_RUN = "study"  # the committed tables of `make study`
BENCH_RUN = "bench"  # and of `make bench`
OLDER = "older_code.txt"  # in a recorded run's folder: its trainings that today's code would carry out otherwise
MADE_BY = {  # what writes each of them
    "gpu": "PROFILE=gpu", "overnight": "make edition", STUDY_RUN: "make study", BENCH_RUN: "make bench",
}  # fmt: skip
ACTION_SETS = ("ucf101", "weizmann")  # the labelled data sets: what `actions` may name


@dataclass(frozen=True)
class Profile:
    """One column of the book's budget. Counts are per system unless the comment says otherwise."""

    name: str
    minutes: float  # expected wall time of the whole series ...
    hardware: str  # ... on this
    # data
    clips_per_group: int  # stand-in actions: clips of each (class, group)
    standin_frames: int  # frames of each stand-in action video
    stack_videos: int  # source videos of each Golf / Aeroplane stand-in
    clips_per_video: int
    # the main system: HRVGAN, Table 1 cut at `size`
    frames: int
    size: int
    width: float  # channel multiplier of Tables 1 and 2
    batch: int
    steps: int  # conditional, on the action data set
    rival_steps: int  # VGAN, TGAN and MoCoGAN on the action data set, in either recipe
    contrast_steps: int  # HRVGAN there without labels, and with them as the paper's text has it
    side_steps: int  # every system on Golf and Aeroplane, which have no labels
    prediction_steps: int  # the predictors of chapter 07: Eq 15, and either of its two terms alone
    choice_steps: int  # a predictor with one choice changed, and HRVGAN with one latent a frame
    preset: str  # networks/hrvgan.py PRESETS
    native: tuple[int, int, int, int] | None  # (frames, size, batch, steps) of the uncut Table 1
    # ablations: HRVGAN cut at 8 x 16 x 16, one run an arm
    study_width: float
    study_steps: int
    # the judge (C3D)
    judge_width: float
    judge_steps: int
    judge_batch: int
    # evaluation
    samples: int  # generated clips a system
    repeats: int  # seeds of the Inception Score protocol
    threads: int = 1  # of a job, however many of them run side by side
    weights: str = ""  # a recorded run whose trained systems and judge are taken where chapters do not train their own
    rehearse: bool = False
    share: float = 1.0  # of the steps and samples that the table names (MINUTES=)

    @property
    def stride(self) -> int:
        """Source frames between frames of a clip: every cut sees the same 1.28 s (32 frames at 25/s)."""
        return max(1, WINDOW // self.frames)


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke", minutes=4, hardware="2 CPU cores",
            clips_per_group=1, standin_frames=36, stack_videos=6, clips_per_video=4,
            frames=8, size=32, width=0.125, batch=8, steps=8, rival_steps=3, contrast_steps=3, side_steps=3,
            prediction_steps=3, choice_steps=3, preset="stable",
            native=None,
            study_width=0.125, study_steps=2,
            judge_width=0.125, judge_steps=30, judge_batch=16,
            samples=32, repeats=2, weights="overnight",
        ),
        Profile(
            name="cpu", minutes=18, hardware="2 CPU cores",
            clips_per_group=2, standin_frames=48, stack_videos=12, clips_per_video=8,
            frames=8, size=32, width=0.25, batch=8, steps=350, rival_steps=350, contrast_steps=20, side_steps=20,
            prediction_steps=12, choice_steps=12, preset="stable",
            native=None,
            study_width=0.125, study_steps=30,
            judge_width=0.25, judge_steps=350, judge_batch=16,
            samples=256, repeats=4,
        ),
        Profile(
            name="overnight", minutes=110, hardware="2 CPU cores",
            clips_per_group=2, standin_frames=48, stack_videos=12, clips_per_video=8,
            frames=8, size=32, width=0.25, batch=8, steps=800, rival_steps=800, contrast_steps=800,
            side_steps=400, prediction_steps=500, choice_steps=60, preset="stable",
            native=None,
            study_width=0.125, study_steps=100,
            judge_width=0.25, judge_steps=600, judge_batch=16,
            samples=512, repeats=4,
        ),
        Profile(
            name="gpu", minutes=20, hardware="one H100- or H200-class GPU",
            clips_per_group=4, standin_frames=64, stack_videos=40, clips_per_video=16,
            # Steps for which about a third of them, ten minutes' share, still tells: 12,000 clips took MoCoGAN clear of
            # an untrained network, and 3,200 did not (figures/study/rivals.md); elsewhere more clips than `overnight`.
            frames=16, size=64, width=1.0, batch=16, steps=6000, rival_steps=2200, contrast_steps=600, side_steps=600,
            prediction_steps=750, choice_steps=600, preset="stable",
            native=(32, 256, 8, 1600),
            study_width=1.0, study_steps=150,
            judge_width=0.5, judge_steps=1500, judge_batch=64,
            samples=2048, repeats=2, threads=4,
        ),
        Profile(
            name="paper", minutes=10_000, hardware="one or many H200-class GPUs",
            clips_per_group=5, standin_frames=64, stack_videos=200, clips_per_video=20,
            frames=16, size=64, width=1.0, batch=32, steps=100_000, rival_steps=100_000,
            contrast_steps=100_000, side_steps=100_000,
            prediction_steps=100_000, choice_steps=100_000, preset="stable",
            native=(32, 256, 16, 100_000),
            study_width=1.0, study_steps=20_000,
            judge_width=1.0, judge_steps=20_000, judge_batch=30,
            samples=9984, repeats=4, threads=4,
        ),
    )
}  # fmt: skip

REHEARSAL_MINUTES = 10.0  # on 2 CPU cores; set by one step at 32x256x256, whatever the profile


LEAST_SAMPLES = 128  # of a scaled profile: fewer say nothing


def scaled(profile: Profile, share: float) -> Profile:
    """`profile` with `share` of its training steps and samples; the judge learns for as long as ever.

    At least one step of each training, and 128 samples where the profile has as many.
    """

    if not 0 < share < inf:
        raise ValueError(f"a share of {share}: give a number above zero")

    def part(steps: int) -> int:
        return max(1, round(steps * share))

    return replace(
        profile, share=share, minutes=profile.minutes * share, steps=part(profile.steps),
        rival_steps=part(profile.rival_steps), contrast_steps=part(profile.contrast_steps),
        side_steps=part(profile.side_steps),
        prediction_steps=part(profile.prediction_steps), choice_steps=part(profile.choice_steps),
        study_steps=part(profile.study_steps), native=profile.native and (*profile.native[:3], part(profile.native[3])),
        samples=max(min(profile.samples, LEAST_SAMPLES), round(profile.samples * share)),
    )  # fmt: skip


def get_profile(name: str, rehearse: bool = False) -> Profile:
    """The profile `name`; with `rehearse` its true shapes, but one or two steps of two clips and a handful of samples.

    "gpu*0.35" is `gpu` with 0.35 of its steps and samples (`scaled`). Raises ValueError for an unknown name.
    """
    name, times, share = name.partition("*")
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}: choose one of {', '.join(PROFILES)}")
    profile = PROFILES[name]
    if times:
        try:
            profile = scaled(profile, float(share))
        except ValueError:
            raise ValueError(f"profile {name}*{share}: write a number behind the star, as in {name}*0.5") from None
    if not rehearse:
        return profile
    return replace(
        profile,
        minutes=min(profile.minutes, REHEARSAL_MINUTES), hardware="2 CPU cores",
        clips_per_group=1, standin_frames=36, stack_videos=6, clips_per_video=4,
        batch=2, steps=2, rival_steps=1, contrast_steps=1, side_steps=1, prediction_steps=1, choice_steps=1,
        study_steps=1, threads=1,
        native=profile.native and (*profile.native[:2], 1, 1),
        judge_steps=2, judge_batch=min(profile.judge_batch, 4),
        samples=4, repeats=2, weights="", rehearse=True,
    )  # fmt: skip


def check_actions(actions: str) -> str:
    """`actions` itself where it names a labelled data set; ValueError otherwise."""
    if actions not in ACTION_SETS:
        raise ValueError(f"unknown action data set {actions!r}: choose one of {', '.join(ACTION_SETS)}")
    return actions


def run_name(profile: str, actions: str = "ucf101", rehearse: bool = False, run: str = "") -> str:
    """Name of the results folder: `run`, or the profile's name with what sets the run apart from it."""
    if run:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run):
            raise ValueError(f"run name {run!r} is not a folder name: use letters, digits, '.', '_' and '-'")
        return run
    return (
        profile.partition("*")[0] + (f"-{actions}" if actions != "ucf101" else "") + ("-rehearsal" if rehearse else "")
    )
