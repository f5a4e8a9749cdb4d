"""Rulers for clips: Inception Score, Fréchet distance, a judge, intervals (chapter 08, Eqs 16-18)."""

from hrvgan_lib.metrics.evaluate import (
    Evaluation,
    Source,
    evaluate,
    freeze,
    frozen,
    generated,
    mean_and_std,
    noise_clips,
    panel,
    real_clips,
    untrained,
)
from hrvgan_lib.metrics.frechet_distance import Moments, frechet_distance, moments
from hrvgan_lib.metrics.inception_score import inception_score
from hrvgan_lib.metrics.intervals import Interval, accuracy_interval, half_sample_interval
from hrvgan_lib.metrics.judge import Judge, Recipe, exam, trained_judge

__all__ = [
    "Evaluation", "Interval", "Judge", "Moments", "Recipe", "Source", "accuracy_interval", "evaluate", "exam",
    "frechet_distance", "freeze", "frozen", "generated", "half_sample_interval", "inception_score",
    "mean_and_std", "moments", "noise_clips", "panel", "real_clips", "trained_judge", "untrained",
]
