"""Rulers for clips: Inception Score, Fréchet distance, a judge, intervals (chapter 08, Eqs 16-18)."""

from hrvgan_lib.metrics.answers import Answers, ask
from hrvgan_lib.metrics.comparisons import (
    LEARNED,
    frechet_estimate,
    inception_estimate,
    kernel_estimate,
    learned,
    neighbourhood_estimates,
    position,
)
from hrvgan_lib.metrics.damage import GRADES, KINDS, damaged
from hrvgan_lib.metrics.evaluation import CEILINGS, Evaluation, evaluate, mean_and_std, panel
from hrvgan_lib.metrics.eyes.extractors import Extractor
from hrvgan_lib.metrics.eyes.judge import Judge, exam, judge_shape, trained_judge
from hrvgan_lib.metrics.eyes.judge_training import Recipe
from hrvgan_lib.metrics.eyes.protocols import PROTOCOLS, Protocol, get_protocol
from hrvgan_lib.metrics.eyes.published import frame_network, judge_for, published_judge, reference_files
from hrvgan_lib.metrics.eyes.weights import load_c3d, load_mean
from hrvgan_lib.metrics.forecasts import (
    MEASURES,
    Forecast,
    best_of,
    continued,
    forecast,
    half_predicted,
    last_frame,
    second_half,
    straight_line,
    with_noise,
)
from hrvgan_lib.metrics.rulers.behaviour import Behaviour, behaviour, frame_change, nearest_clips, sharpness, thumbnails
from hrvgan_lib.metrics.rulers.draws import Draw, drawn
from hrvgan_lib.metrics.rulers.estimates import (
    Estimate,
    average,
    difference,
    estimate,
    exponential,
    influence,
    logarithm,
    mean_estimate,
    over_seeds,
    quotient,
    share,
)
from hrvgan_lib.metrics.rulers.frames import edge_gap, edges, psnr, ssim
from hrvgan_lib.metrics.rulers.frechet import Moments, RunningMoments, frechet_distance, frechet_influences, moments
from hrvgan_lib.metrics.rulers.inception import inception_influences, inception_score
from hrvgan_lib.metrics.rulers.intervals import Interval, Sweep, half_sample_interval, seed_interval, sweep
from hrvgan_lib.metrics.rulers.kernel import kernel_distance, kernel_influences
from hrvgan_lib.metrics.rulers.neighbours import Neighbourhoods, neighbourhoods
from hrvgan_lib.metrics.seeds import Seeds
from hrvgan_lib.metrics.sources import (
    Source,
    draw_of,
    freeze,
    frozen,
    generated,
    mean_clip,
    noise_clips,
    real_clips,
    resized,
    shuffle_frames,
    treated,
    untrained,
)

__all__ = [
    "CEILINGS", "GRADES", "KINDS", "LEARNED", "MEASURES", "PROTOCOLS", "Answers", "Behaviour", "Draw", "Estimate",
    "Evaluation", "Extractor", "Forecast", "Interval", "Judge", "Moments", "Neighbourhoods", "Protocol", "Recipe",
    "RunningMoments", "Seeds", "Source", "Sweep", "ask", "average", "behaviour", "best_of", "continued", "damaged",
    "difference", "draw_of", "drawn", "edge_gap", "edges", "estimate", "evaluate", "exam", "exponential",
    "forecast", "frame_change", "frame_network", "frechet_distance", "frechet_estimate", "frechet_influences",
    "freeze", "frozen", "generated", "get_protocol", "half_predicted", "half_sample_interval", "inception_estimate",
    "inception_influences", "inception_score", "influence", "judge_for", "judge_shape", "kernel_distance",
    "kernel_estimate", "kernel_influences", "last_frame", "learned", "load_c3d", "load_mean", "logarithm",
    "mean_and_std", "mean_clip", "mean_estimate", "moments", "nearest_clips", "neighbourhood_estimates",
    "neighbourhoods", "noise_clips", "over_seeds", "panel", "position", "psnr", "published_judge", "quotient",
    "real_clips", "reference_files", "resized", "second_half", "seed_interval", "share", "sharpness",
    "shuffle_frames", "ssim", "straight_line", "sweep", "thumbnails", "trained_judge", "treated", "untrained",
    "with_noise",
]  # fmt: skip
