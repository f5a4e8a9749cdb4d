"""Rulers for clips: Inception Score, Fréchet distance, a judge, intervals (chapter 08, Eqs 16-18)."""

from hrvgan_lib.metrics.answers import Answers, ask
from hrvgan_lib.metrics.damage import GRADES, KINDS, damaged
from hrvgan_lib.metrics.evaluation import Evaluation, evaluate, mean_and_std, panel
from hrvgan_lib.metrics.eyes.extractors import Extractor
from hrvgan_lib.metrics.eyes.judge import Judge, exam, judge_shape, trained_judge
from hrvgan_lib.metrics.eyes.judge_training import Recipe
from hrvgan_lib.metrics.eyes.protocols import PROTOCOLS, Protocol, get_protocol
from hrvgan_lib.metrics.eyes.published import frame_network, judge_for, published_judge, reference_files
from hrvgan_lib.metrics.eyes.weights import load_c3d, load_mean
from hrvgan_lib.metrics.rulers.behaviour import Behaviour, behaviour, frame_change, nearest_clips, sharpness, thumbnails
from hrvgan_lib.metrics.rulers.frechet import Moments, RunningMoments, frechet_distance, moments
from hrvgan_lib.metrics.rulers.inception import inception_score
from hrvgan_lib.metrics.rulers.intervals import (
    Interval,
    Sweep,
    accuracy_interval,
    gap,
    half_sample_interval,
    ratio,
    seed_interval,
    sweep,
)
from hrvgan_lib.metrics.rulers.kernel import kernel_distance
from hrvgan_lib.metrics.seeds import Seeds
from hrvgan_lib.metrics.sources import (
    Source,
    freeze,
    frozen,
    generated,
    noise_clips,
    real_clips,
    resized,
    shuffle_frames,
    treated,
    untrained,
)

__all__ = [
    "GRADES", "KINDS", "PROTOCOLS", "Answers", "Behaviour", "Evaluation", "Extractor", "Interval", "Judge", "Moments",
    "Protocol", "Recipe", "RunningMoments", "Seeds", "Source", "Sweep", "accuracy_interval", "ask", "behaviour",
    "damaged", "evaluate", "exam", "frame_change", "frame_network", "frechet_distance", "freeze", "frozen", "gap",
    "generated", "get_protocol", "half_sample_interval", "inception_score", "judge_for", "judge_shape",
    "kernel_distance", "load_c3d", "load_mean", "mean_and_std", "moments", "nearest_clips", "noise_clips", "panel",
    "published_judge", "ratio", "real_clips", "reference_files", "resized", "seed_interval", "sharpness",
    "shuffle_frames", "sweep", "thumbnails", "trained_judge", "treated", "untrained",
]  # fmt: skip
