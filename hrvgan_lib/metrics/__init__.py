"""Rulers for clips: Inception Score, Fréchet distance, a judge, intervals (chapter 08, Eqs 16-18)."""

from hrvgan_lib.metrics.evaluate import Answers, Evaluation, ask, evaluate, mean_and_std, panel
from hrvgan_lib.metrics.frechet_distance import Moments, frechet_distance, moments
from hrvgan_lib.metrics.inception_score import inception_score
from hrvgan_lib.metrics.intervals import Interval, accuracy_interval, half_sample_interval
from hrvgan_lib.metrics.judge import Judge, exam, judge_shape, trained_judge
from hrvgan_lib.metrics.judge_training import Recipe
from hrvgan_lib.metrics.sources import (
    Source,
    freeze,
    frozen,
    generated,
    noise_clips,
    real_clips,
    treated,
    untrained,
)

__all__ = [
    "Answers",
    "Evaluation",
    "Interval",
    "Judge",
    "Moments",
    "Recipe",
    "Source",
    "accuracy_interval",
    "ask",
    "evaluate",
    "exam",
    "frechet_distance",
    "freeze",
    "frozen",
    "generated",
    "half_sample_interval",
    "inception_score",
    "judge_shape",
    "mean_and_std",
    "moments",
    "noise_clips",
    "panel",
    "real_clips",
    "trained_judge",
    "treated",
    "untrained",
]
