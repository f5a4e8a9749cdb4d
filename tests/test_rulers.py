"""The rulers piece by piece: each formula against its definition, each edge, each default (chapter 08, Eqs 16-18)."""

import copy
import dataclasses
import importlib
import json
import math
import pkgutil
import warnings
from dataclasses import asdict, replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from blobs import CLASSES, MovingBlobs

from hrvgan_lib import metrics
from hrvgan_lib.metrics import answers as answers_module
from hrvgan_lib.metrics import damage
from hrvgan_lib.metrics.comparisons import LEARNED
from hrvgan_lib.metrics.evaluation import EXTRAPOLATE_FROM, PUBLISHED_SIZE, REFERENCE_SEED, read_evaluation
from hrvgan_lib.metrics.eyes import judge as judge_module
from hrvgan_lib.metrics.eyes.protocols import softmax64
from hrvgan_lib.metrics.rulers.estimates import share_estimate
from hrvgan_lib.metrics.rulers.frechet import CLOSE, EXACT, RunningMoments, checked_features, eigenvalues, nuclear_norm
from hrvgan_lib.metrics.rulers.intervals import UNTOLD
from hrvgan_lib.metrics.sources import chunks, mixed_order

frechet_module = importlib.import_module("hrvgan_lib.metrics.rulers.frechet")
behaviour_module = importlib.import_module("hrvgan_lib.metrics.rulers.behaviour")
evaluate_module = importlib.import_module("hrvgan_lib.metrics.evaluation")


def close(found, expected, atol=1e-6):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=atol)


def record_types():
    for entry in pkgutil.iter_modules(metrics.__path__, "hrvgan_lib.metrics."):
        if not entry.name.endswith("__main__"):
            module = importlib.import_module(entry.name)
            yield from (
                kind
                for kind in vars(module).values()
                if dataclasses.is_dataclass(kind) and kind.__module__ == entry.name
            )


@pytest.mark.parametrize("kind", sorted(record_types(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_results_and_settings_cannot_be_changed_afterwards(kind):
    record = object.__new__(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, dataclasses.fields(kind)[0].name, 1)


# Inception Score ----------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.2])
def test_inception_score_is_eq_16_term_by_term(epsilon):
    rows = np.random.default_rng(0).dirichlet(np.full(4, 0.4), size=9)
    marginal = [sum(row[k] for row in rows) / 9 for k in range(4)]
    sums = [sum(p * (np.log(p + epsilon) - np.log(m + epsilon)) for p, m in zip(row, marginal)) for row in rows]
    assert metrics.inception_score(rows, epsilon) == pytest.approx(np.exp(sum(sums) / 9), rel=1e-12)
    if not epsilon:
        assert metrics.inception_score(rows) == metrics.inception_score(rows, 0.0)


def test_zero_probabilities_count_as_zero_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.inception_score([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) == pytest.approx(2, rel=1e-12)


def test_two_clips_and_one_class_are_enough_for_a_score():
    assert metrics.inception_score(np.ones((2, 1))) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"got shape \(3, 0\)"):
        metrics.inception_score(np.ones((3, 0)))


def test_rows_may_miss_one_by_a_thousandth_and_are_scaled_to_it():
    rows = np.array([[0.7, 0.3], [0.2, 0.8], [0.5, 0.5]])
    crooked = rows * np.array([[1.0009], [0.9992], [1.0]])
    assert metrics.inception_score(crooked) == pytest.approx(metrics.inception_score(rows), rel=1e-12)
    for factors in ([1, 1.0015, 1.0012], [1.0012, 0.9985, 1]):  # the worst is named
        with pytest.raises(ValueError, match=r"clip 1 sum to (1.002|0.9985|1.001), not to 1"):
            metrics.inception_score(rows * np.array(factors)[:, None])


def test_single_precision_answers_are_scored_in_double_precision():
    rows = np.random.default_rng(1).dirichlet(np.ones(7), size=50).astype(np.float32)
    assert metrics.inception_score(rows) == pytest.approx(metrics.inception_score(rows.astype(np.float64)), rel=1e-13)


def test_the_first_clip_that_is_no_number_is_named():
    rows = np.full((5, 2), 0.5)
    rows[2, 1], rows[4] = np.nan, np.inf
    with pytest.raises(ValueError, match="clip 2 are NaN"):
        metrics.inception_score(rows)
    with pytest.raises(ValueError, match="features of clip 2 are NaN"):
        checked_features(rows)


def slope(statistic, n: int, row: int, step: float = 1e-6) -> float:
    """How fast `statistic` of weights (n,) moves when weight goes from all rows to one: that row's influence."""
    toward = np.eye(n)[row] - 1 / n
    return (statistic(1 / n + step * toward) - statistic(1 / n - step * toward)) / (2 * step)


@pytest.mark.parametrize("epsilon", [0.0, 1e-7])
def test_influences_on_the_score_are_how_fast_it_moves_with_a_clips_weight(epsilon):
    rows = np.random.default_rng(3).dirichlet(np.full(5, 0.5), size=12)

    def score(weights):
        return np.exp(weights @ (rows * (np.log(rows + epsilon) - np.log(weights @ rows + epsilon))).sum(axis=1))

    moves = metrics.inception_influences(rows, epsilon)
    close(moves, [slope(score, 12, row) for row in range(12)], atol=1e-5)
    assert moves.sum() == pytest.approx(0, abs=1e-12) and np.ptp(moves) > 0.1
    with pytest.raises(ValueError, match="sum to 2"):
        metrics.inception_influences(2 * rows)


# Fréchet distance ---------------------------------------------------------------------------------


def exact(real: np.ndarray, fake: np.ndarray) -> float:
    """Eq. 17 with the singular values of the product of the centred clouds."""
    a, b = ((cloud - cloud.mean(0)) / np.sqrt(len(cloud) - 1) for cloud in (real, fake))
    gap = np.square(real.mean(0) - fake.mean(0)).sum()
    return gap + np.square(a).sum() + np.square(b).sum() - 2 * np.linalg.norm(a @ b.T, "nuc")


@pytest.mark.parametrize(("n", "m", "width"), [(2, 2, 3), (3, 9, 5), (9, 3, 5), (6, 6, 6), (40, 20, 4), (5, 50, 12)])
def test_frechet_distance_at_every_shape(n, m, width):
    random = np.random.default_rng(n + m)
    real, fake = 3 + random.normal(size=(n, width)), 2 * random.normal(size=(m, width))
    assert metrics.frechet_distance(real, fake) == pytest.approx(exact(real, fake), rel=1e-9)
    found = metrics.moments(real)
    assert found.factor.shape == (min(n, width), width) and found.n == n
    np.testing.assert_allclose(found.factor.T @ found.factor, np.cov(real, rowvar=False), atol=1e-12)


def test_the_norm_is_told_how_many_values_can_differ_from_zero(monkeypatch):
    asked, cloud = [], np.random.default_rng(0).normal(size=(30, 12))
    monkeypatch.setattr(frechet_module, "nuclear_norm", lambda *given: asked.append(given[1:]) or 0.0)
    for n, m in ((5, 30), (30, 7), (30, 30)):
        metrics.frechet_distance(cloud[:n], cloud[:m])
    metrics.frechet_distance(cloud, cloud, CLOSE)
    assert asked == [(4, EXACT), (6, EXACT), (12, EXACT), (12, CLOSE)]
    assert (EXACT, CLOSE) == (1e-11, 1e-6)


def test_the_decomposition_is_made_only_where_roots_of_eigenvalues_are_in_doubt(monkeypatch):
    made, whole = [], np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", lambda *given, **options: made.append(1) or whole(*given, **options))
    random = np.random.default_rng(0)
    left, right = (np.linalg.qr(random.normal(size=(n, 30)))[0] for n in (30, 50))
    for values in (np.geomspace(1, 1e-5, 30), np.r_[np.geomspace(8, 1e-3, 20), np.zeros(10)]):
        matrix, known = left * values @ right.T, np.count_nonzero(values)
        error = 4 * np.finfo(float).eps * values.max() ** 2
        doubt = sum(min(error / (2 * v), np.sqrt(error)) for v in values[:known]) / values.sum()
        for tolerance, decomposed in ((1.02 * doubt, 0), (0.98 * doubt, 1)):
            made.clear()
            assert nuclear_norm(matrix, known, tolerance) == pytest.approx(values.sum(), rel=1e-7)
            assert len(made) == decomposed
    made.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nuclear_norm(np.zeros((3, 4))) == 0 and not made


def test_eigenvalues_are_taken_of_the_smaller_product(monkeypatch):
    sizes, whole = [], frechet_module.eigenvalues
    monkeypatch.setattr(frechet_module, "eigenvalues", lambda square: sizes.append(square.shape) or whole(square))
    matrix = np.random.default_rng(0).normal(size=(4, 9))
    assert nuclear_norm(matrix) == pytest.approx(nuclear_norm(matrix.T))
    assert sizes == [(4, 4), (4, 4)]


@pytest.mark.parametrize(("size", "sent"), [(255, 0), (256, 1)])
def test_large_matrices_go_to_a_gpu_where_there_is_one(monkeypatch, size, sent):
    moved = []
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: moved.append(1) or tensor)
    square = np.diag(np.arange(float(size)))
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        np.testing.assert_allclose(eigenvalues(square), np.arange(size), atol=1e-9)
        assert len(moved) == sent  # not again without one


def test_running_moments_take_single_precision_and_single_clips():
    cloud = (1000 + np.random.default_rng(0).normal(size=(9, 4))).astype(np.float32)
    running = RunningMoments()
    for row in cloud:
        running.add(row[None])
    wanted, found = metrics.moments(cloud.astype(np.float64)), running.moments()
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-13)
    np.testing.assert_allclose(found.factor.T @ found.factor, wanted.factor.T @ wanted.factor, rtol=1e-8, atol=1e-12)
    at_once = RunningMoments().add(cloud)
    np.testing.assert_allclose(at_once.mean, wanted.mean, rtol=1e-13)
    two = RunningMoments().add(cloud[:2]).moments()
    np.testing.assert_allclose(two.factor.T @ two.factor, np.cov(cloud[:2].astype(float), rowvar=False), rtol=1e-9)
    assert two.n == 2


@pytest.mark.parametrize(("n", "width"), [(14, 4), (9, 30)])
def test_influences_on_a_frechet_distance_are_how_fast_it_moves_with_a_clips_weight(n, width):
    """On either side, with more clips than features and with fewer."""
    random = np.random.default_rng(n)
    clouds = [random.normal(size=(n, width)), 1.5 * random.normal(size=(n, width)) + 0.3]

    def distance(side, weights):
        """Eq. 17 with weights on the clips of one side; covariances over N, which is smooth in the weights."""
        both = [np.full(n, 1 / n), np.full(n, 1 / n)]
        both[side] = weights
        means = [weight @ cloud for weight, cloud in zip(both, clouds)]
        a, b = (np.sqrt(weight)[:, None] * (cloud - mean) for weight, cloud, mean in zip(both, clouds, means))
        gap = np.square(means[0] - means[1]).sum()
        return gap + np.square(a).sum() + np.square(b).sum() - 2 * np.linalg.norm(a @ b.T, "nuc")

    for side, moves in enumerate(metrics.frechet_influences(*clouds)):
        expected = [slope(lambda weights, side=side: distance(side, weights), n, row, 1e-5) for row in range(n)]
        np.testing.assert_allclose(moves - moves.mean(), expected, atol=2e-3 * np.abs(expected).max())
    with pytest.raises(ValueError, match="fake features of clip 1 are NaN"):
        metrics.frechet_influences(clouds[0], [[0.0] * width, [np.nan] * width])


def test_a_clip_that_stands_out_moves_the_distance_most_on_either_side():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(20, 5)), random.normal(size=(20, 5))
    fake[7] += 9
    assert metrics.frechet_influences(real, fake)[1].argmax() == 7
    for swapped, moves in zip(metrics.frechet_influences(fake, real), metrics.frechet_influences(real, fake)[::-1]):
        close(swapped, moves)


@pytest.mark.parametrize(("size", "sent"), [(255, 0), (256, 1)])
def test_large_eigenvectors_go_to_a_gpu_where_there_is_one(monkeypatch, size, sent):
    moved, cloud = [], np.random.default_rng(0).normal(size=(2 * size, size))
    here = metrics.frechet_influences(cloud, cloud[::-1] + 1)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: moved.append(1) or tensor)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    there = metrics.frechet_influences(cloud, cloud[::-1] + 1)
    assert len(moved) == sent
    for ours, theirs in zip(here, there):
        np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(ours).max())


# Kernel distance ----------------------------------------------------------------------------------


def test_influences_on_the_kernel_distance_are_twice_a_clips_likeness_to_its_own_side():
    random = np.random.default_rng(0)
    real, fake = random.normal(size=(6, 3)), random.normal(size=(4, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    def moves(own, others):
        return [
            2 * (np.mean([k(x, y) for j, y in enumerate(own) if j != i]) - np.mean([k(x, y) for y in others]))
            for i, x in enumerate(own)
        ]

    value, of_real, of_fake = metrics.kernel_influences(real, fake)
    close(of_real, moves(real, fake))
    close(of_fake, moves(fake, real))
    assert value == metrics.kernel_distance(real, fake)


# Intervals ----------------------------------------------------------------------------------------


def watched(statistic):
    """`statistic`, and a list of what it is given, call by call."""
    calls = []

    def seen(*arrays):
        calls.append(arrays)
        return statistic(*arrays)

    return seen, calls


@pytest.mark.parametrize("sizes", [(4,), (5,), (7,), (8, 5), (6, 21)])
def test_half_sample_interval_is_students_with_the_spread_over_halves(sizes):
    arrays = [np.random.default_rng(size).normal(size=size) for size in sizes]
    statistic, calls = watched(lambda *halves: sum(half.mean() for half in halves))
    found = metrics.half_sample_interval(statistic, *arrays)
    whole, *halves = calls
    assert [len(array) for array in whole] == list(sizes) and len(halves) == 40
    assert found.method == f"halves of {min(sizes)} clips, 40 times"
    for place, size in enumerate(sizes):
        taken = [np.unique(call[place]) for call in halves]
        assert {len(half) for half in taken} == {size // 2, -(-size // 2)}  # an odd clip comes every second time
        assert all(len(half) == len(call[place]) for half, call in zip(taken, halves))  # without replacement
    spread = np.std([sum(half.mean() for half in call) for call in halves], ddof=1)
    factor = scipy.stats.t.ppf(0.975, min(sizes) - 1)
    value = sum(array.mean() for array in arrays)
    assert (found.value, found.low, found.high) == pytest.approx(
        (value, value - factor * spread, value + factor * spread)
    )
    assert found.n == min(sizes)


@pytest.mark.parametrize("n", [4, 5, 7, 9, 20])
def test_interval_of_a_mean_is_the_textbooks_at_odd_numbers_too(n):
    sample = np.random.default_rng(n).normal(size=n)
    found = metrics.half_sample_interval(np.mean, sample, repeats=3000)
    textbook = scipy.stats.t.ppf(0.975, n - 1) * sample.std(ddof=1) / np.sqrt(n)
    assert found.high - found.value == pytest.approx(textbook, rel=0.07)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_the_number_of_videos_counts_and_not_the_number_of_rows():
    videos = metrics.drawn(20, "", units=np.arange(5).repeat(4), unit="video")  # 20 rows, 5 videos
    sample = np.random.default_rng(0).normal(size=5).repeat(4)
    found = metrics.half_sample_interval(np.mean, sample, draws=[videos], repeats=3000)
    textbook = scipy.stats.t.ppf(0.975, 4) * sample[::4].std(ddof=1) / np.sqrt(5)
    assert found.high - found.value == pytest.approx(textbook, rel=0.07)
    assert found.method == "halves of 5 videos, 3000 times" and found.n == 20


def test_rows_of_one_video_stay_together_in_each_array():
    first, second = np.array([7, 7, 2, 9, 2, 30, 30, 30]), np.arange(6)
    statistic, calls = watched(lambda a, b: 0.0)
    metrics.half_sample_interval(statistic, first, second, draws=[metrics.drawn(8, "", units=first), None])
    for one, other in calls[1:]:
        assert len(set(one)) == 2 and all((first == video).sum() == (one == video).sum() for video in set(one))
        assert len(set(other)) == 3
    assert len({tuple(one) for one, _ in calls[1:]}) == 6  # every pair of four videos comes up


def test_halves_hold_half_of_each_class():
    """Three classes of 4, 4 and 8 clips, each clip on its own: the classes' differences are no spread."""
    labels = np.repeat([0, 1, 2], [4, 4, 8])
    statistic, calls = watched(lambda rows: float(rows.mean()))
    found = metrics.half_sample_interval(statistic, 100.0 * labels, draws=[metrics.drawn(16, "", labels)])
    assert all(np.unique(call, return_counts=True)[1].tolist() == [2, 2, 4] for (call,) in calls[1:])
    assert found.low == found.value == found.high
    four, classes = np.array([0.0, 1.0, 100.0, 103.0]), metrics.drawn(4, "", [0, 0, 1, 1])
    found = metrics.half_sample_interval(np.mean, four, draws=[classes], repeats=3000)
    within = np.sqrt(2 * four[:2].var(ddof=1) + 2 * four[2:].var(ddof=1)) / 4
    assert found.high - found.value == pytest.approx(scipy.stats.t.ppf(0.975, 4 - 2) * within, rel=0.07)


def test_with_three_videos_or_no_number_nothing_can_be_told():
    rows = np.arange(9.0)
    few = metrics.drawn(9, "", units=np.arange(9) % 3, unit="person")
    found = metrics.half_sample_interval(np.mean, rows, draws=[few], floor=-1.0)
    assert found == metrics.Interval(-1.0, np.inf, 4.0, 9, f"{UNTOLD}: only 3 persons")
    found = metrics.half_sample_interval(lambda a, b: float("nan"), rows, rows[:5])
    assert (found.low, found.high, found.n) == (-np.inf, np.inf, 5) and np.isnan(found.value)
    assert found.method == f"{UNTOLD}: a statistic that is not finite"
    assert np.isfinite(metrics.half_sample_interval(np.mean, rows, draws=[metrics.drawn(9, "")]).high)


def test_half_sample_interval_defaults_edges_and_known_values():
    sample = np.random.default_rng(0).normal(size=11)
    assert metrics.half_sample_interval(np.mean, sample) == metrics.half_sample_interval(np.mean, sample, seed=0)
    assert metrics.half_sample_interval(np.mean, sample) != metrics.half_sample_interval(np.mean, sample, seed=1)
    assert metrics.half_sample_interval(np.mean, sample, draws=[None]) == metrics.half_sample_interval(np.mean, sample)
    assert metrics.half_sample_interval(np.mean, sample, floor=5.0).low == 5.0
    for sizes in ((3, 50), (50, 3)):
        few = metrics.half_sample_interval(lambda a, b: 0.0, *(np.zeros(size) for size in sizes))
        assert (few.n, few.high, few.method, few.told) == (3, np.inf, f"{UNTOLD}: only 3 clips", False)


@pytest.mark.parametrize("values", [[1.0, 3.0], [2.0, 2.5, 4.0], [0.1, 0.2, 0.4, 0.8, 0.3]])
def test_seed_interval_is_students(values):
    found = metrics.seed_interval(values)
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high, found.value) == pytest.approx((theirs.low, theirs.high, np.mean(values)))
    assert found.n == len(values) and found.method == f"Student, {len(values)} training seeds"


def test_touching_intervals_share_a_point():
    low, high, far = (metrics.Interval(a, b, (a + b) / 2, 5, "") for a, b in ((0, 1), (1, 2), (1.5, 3)))
    assert not low.disjoint(high) and not high.disjoint(low)
    assert low.disjoint(far) and far.disjoint(low)
    assert 1 in low and 0 in low and 1.01 not in low and str(far) == "2.25 [1.5, 3]"


def test_sweep_draws_from_all_rows_at_sizes_even_in_one_over_n():
    rows, others = np.arange(400), np.arange(500)
    statistic, calls = watched(lambda a, b: float(a.mean() + 0 * b.mean()))
    found = metrics.sweep(statistic, rows, others)
    assert found.sizes == tuple(round(400 / k) for k in (4, 3.25, 2.5, 1.75, 1))
    assert [len(a) for a, _ in calls] == [*np.repeat(found.sizes[:4], 4), 400]
    for a, b in calls:
        assert len(set(a)) == len(set(b)) == len(a) == len(b)  # without replacement, as many on either side
        assert a.max() > 350 and b.max() > 450 and b.min() < 50  # from everywhere
    assert len({tuple(np.sort(a)) for a, _ in calls}) == 17  # each draw is another subset
    means = [np.mean([a.mean() for a, _ in calls if len(a) == size]) for size in found.sizes]
    assert found.values == pytest.approx(means)
    line = np.polyfit(1 / np.array(found.sizes), means, 1)
    assert found.at_infinity == pytest.approx(line[1])
    assert found.at_infinity == pytest.approx(199.5, abs=20)  # the mean of all rows, sorted as they are


def test_sweep_defaults_and_its_smallest_set():
    rows = np.random.default_rng(0).normal(size=16)
    assert metrics.sweep(np.mean, rows) == metrics.sweep(np.mean, rows, points=5, repeats=4, seed=0)
    assert metrics.sweep(np.mean, rows) != metrics.sweep(np.mean, rows, seed=1)
    assert metrics.sweep(np.mean, rows).sizes == (4, 5, 6, 9, 16)
    with pytest.raises(ValueError, match="at least 16, got 15"):
        metrics.sweep(lambda a, b: 0.0, np.zeros(90), rows[:15])


# Protocols ----------------------------------------------------------------------------------------


PUBLISHED = {  # samples, repeats, splits, epsilon, through 128, clamped: as the three scripts have it
    "tgan-v1": (9_984, 4, 1, 1e-7, True, False), "tgan-v2": (2_048, 10, 1, 1e-20, False, True),
    "stylegan-v": (2_048, 1, 10, 0.0, False, True),
}  # fmt: skip


def test_protocols_are_those_of_the_published_scripts():
    found = {
        name: (p.samples, p.repeats, p.splits, p.epsilon, p.through_128, p.clamp)
        for name, p in metrics.PROTOCOLS.items()
    }
    assert found == PUBLISHED and all(p.stride == 1 for p in metrics.PROTOCOLS.values())
    assert [p.describe() for p in metrics.PROTOCOLS.values()] == [
        "tgan-v1 (published with 9,984 clips x 4): first 16 frames, bicubic to 128, crop 112",
        "tgan-v2 (published with 2,048 clips x 10): first 16 frames, bilinear to 112",
        "stylegan-v (published with 2,048 clips x 1, 10 splits): first 16 frames, bilinear to 112",
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_grey_clip_keeps_its_colours_turned_round(name):
    clips = torch.tensor([-0.5, 0.25, 0.75]).view(1, 3, 1, 1, 1).expand(2, 3, 16, 20, 24)
    seen = metrics.get_protocol(name).prepare(clips)
    assert seen.shape == (2, 3, 16, 112, 112)
    blue_green_red = 127.5 * torch.tensor([0.75, 0.25, -0.5]).view(3, 1, 1, 1) - 0.5
    close(seen, blue_green_red.expand_as(seen), atol=1e-3)


def test_clamping_cuts_both_ends():
    for value in (-1.5, 1.5):
        clips = torch.full((1, 3, 16, 16, 16), value)
        for name, limit in (("tgan-v1", 1.5), ("tgan-v2", 1.0), ("stylegan-v", 1.0)):
            seen = metrics.get_protocol(name).prepare(clips)
            close(seen, torch.full_like(seen, 127.5 * np.sign(value) * limit - 0.5), atol=1e-3)


@pytest.mark.parametrize(("name", "height", "width", "top", "left"), [
    ("tgan-v1", 112, 112, 0, 0), ("tgan-v1", 128, 128, 8, 8), ("tgan-v1", 128, 171, 8, 29),
    ("tgan-v2", 112, 112, 0, 0), ("tgan-v2", 128, 171, 8, 8), ("tgan-v1", 112, 128, 8, 8),
])  # fmt: skip
def test_the_mean_volume_is_cut_where_the_clip_is(name, height, width, top, left):
    """TGAN takes the middle of a 171 wide mean, its successor its left end."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    mean = (1000.0 * rows + columns).expand(3, 16, height, width)
    if height - top < 112:
        mean = torch.cat([mean, mean[:, :, :8]], dim=2)  # a tall enough one
    seen = metrics.get_protocol(name).prepare(torch.zeros(1, 3, 16, 16, 16), mean)
    expected = 127.5 - mean[:, :, top : top + 112, left : left + 112]
    close(seen[0], expected, atol=0.1)


@pytest.mark.parametrize(("splits", "n", "parts"), [(1, 30, 1), (2, 31, 2), (10, 57, 10), (10, 5, 2), (10, 3, 1)])
def test_splits_are_cut_from_a_shuffle_with_seed_42(splits, n, parts):
    sets = [np.random.default_rng(seed).dirichlet(np.full(6, 0.3), size=n) for seed in (0, 1)]
    protocol = replace(metrics.get_protocol("stylegan-v"), splits=splits, epsilon=1e-3)
    expected = []
    for rows in sets:
        mixed = rows[np.random.RandomState(42).permutation(n)]
        bounds = [int(part * n / parts) for part in range(parts + 1)]
        expected += [metrics.inception_score(mixed[a:b], 1e-3) for a, b in pairwise(bounds)]
    mean, std, scores = protocol.score(sets)
    assert scores == pytest.approx(expected, rel=1e-12) and len(scores) == 2 * parts
    assert (mean, std) == pytest.approx((np.mean(expected), np.std(expected)))


@pytest.mark.parametrize(("splits", "n"), [(1, 20), (3, 20), (10, 5)])
def test_influences_on_a_score_over_splits_are_how_fast_the_mean_of_the_parts_moves(splits, n):
    """20 clips in three parts of 6, 7 and 7: a clip of a small part counts for more."""
    rows = np.random.default_rng(5).dirichlet(np.full(4, 0.5), size=n)
    protocol = replace(metrics.get_protocol("stylegan-v"), splits=splits)
    parts = protocol._parts(n)
    assert sorted(np.concatenate(parts)) == list(range(n)) and len(parts) == min(splits, n // 2)

    def score(weights):
        """The mean of the parts' scores, with weights on the clips."""
        scores = []
        for part in parts:
            weight = weights[part] / weights[part].sum()
            scores.append(np.exp(weight @ (rows[part] * np.log(rows[part] / (weight @ rows[part]))).sum(axis=1)))
        return np.mean(scores)

    assert score(np.full(n, 1 / n)) == pytest.approx(protocol.score([rows])[0])
    close(protocol.score_influences(rows), [slope(score, n, row) for row in range(n)], atol=1e-5)


def test_softmax_is_taken_over_classes_in_double_precision():
    logits = torch.tensor([[0.0, 1.0, -2.0], [90.0, 0.0, -90.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = softmax64(logits)
    powers = np.exp(logits.double().numpy())
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), rtol=1e-12)


# Behaviour ----------------------------------------------------------------------------------------


def test_frame_change_is_the_mean_step_of_each_clip():
    clips = torch.zeros(2, 3, 4, 5, 6)
    clips[0] += torch.tensor([0.0, 0.5, -0.5, 0.0]).view(4, 1, 1)  # steps of 0.5, 1, 0.5
    clips[1, 0, 2, 0, 0] = 0.9  # one value goes up and down
    clips[1, :, :, :, 3] = 0.7  # an edge within the frame is no change
    np.testing.assert_allclose(metrics.frame_change(clips), [2 / 3, 2 * 0.9 / (3 * 3 * 5 * 6)], rtol=1e-6)


def test_sharpness_is_the_mean_distance_from_a_box_blur():
    clips = torch.rand(3, 3, 2, 6, 7, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 0.5, 0]).view(
        3, 1, 1, 1, 1
    )
    blurred = scipy.ndimage.uniform_filter(clips.numpy(), size=(0, 0, 0, 3, 3), mode="nearest")
    np.testing.assert_allclose(metrics.sharpness(clips), np.abs(clips.numpy() - blurred).mean((1, 2, 3, 4)), atol=1e-6)


def test_thumbnails_are_means_of_blocks():
    clips = torch.rand(2, 3, 8, 16, 24, generator=torch.Generator().manual_seed(0))
    blocks = clips.view(2, 3, 4, 2, 8, 2, 8, 3).mean(dim=(3, 5, 7)).flatten(1)
    found = metrics.thumbnails(clips)
    assert found.shape == (2, 3 * 4 * 8 * 8) and found.dtype == np.float32
    np.testing.assert_allclose(found, blocks, rtol=1e-5)
    assert metrics.thumbnails(clips, frames=2, size=4).shape == (2, 3 * 2 * 4 * 4)


def test_a_copy_is_at_distance_zero_however_many_there_are():
    pictures = (1e3 + np.random.default_rng(0).normal(size=(60, 40))).astype(np.float32)
    between = behaviour_module.distances(pictures, pictures[:50])
    assert between.shape == (60, 50) and (np.diag(between) == 0).all()
    expected = np.linalg.norm(pictures[7].astype(float) - pictures[3].astype(float))
    assert between[7, 3] == pytest.approx(expected, rel=1e-12)


def test_behaviour_on_numbers_that_can_be_worked_out():
    real_change, change = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 3.0, 8.0, 9.0])
    real, fake = np.array([[0.0], [1.0], [4.0], [9.0]]), np.array([[0.0], [2.0], [10.0]])
    found = metrics.behaviour(change, fake, real_change, real)
    gap = scipy.stats.wasserstein_distance(change, real_change) / 2
    # Distances: fake 2, 10, 8; real 1, 4, 9, 3, 8, 5. To the nearest: fake 0, 1, 1; of the real ones 1, 1, 3, 5.
    assert asdict(found) == pytest.approx(dict(motion=1.5, motion_gap=gap, frozen=0.2, variety=8 / 4.5, nearest=1 / 2))
    unseen = np.array([[1.5], [30.0], [6.5]])  # 0.5, 21 and 2.5 from the nearest
    assert metrics.behaviour(change, fake, real_change, real, unseen).nearest == pytest.approx(1 / 2.5)
    where, how_far = metrics.nearest_clips(fake, real)
    assert where.tolist() == [0, 1, 3] and how_far.tolist() == [0, 1, 1]


def test_of_real_clips_that_stand_still_or_repeat_nothing_is_a_share():
    still, pictures = np.zeros(3), np.array([[0.0], [0.0], [5.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.behaviour(np.full(3, 2.0), pictures + 1, still, pictures, pictures)
        alike = metrics.behaviour(np.ones(3), pictures, np.ones(3), np.zeros((3, 1)), pictures)
    assert all(math.isnan(one) for one in (found.motion, found.motion_gap, found.frozen, found.nearest))
    assert found.variety == 1 and math.isnan(alike.variety) and alike.motion == 1


def test_frozen_is_less_than_a_tenth_of_the_median_change():
    pictures = np.arange(4.0)[:, None]
    found = metrics.behaviour(np.array([0.1, 0.0999, 0.15, 0.0]), pictures, np.ones(4), pictures)
    assert found.frozen == 0.5


# Damage -------------------------------------------------------------------------------------------


def test_grades_are_none_and_five():
    assert metrics.GRADES == (0, 0.2, 0.4, 0.6, 0.8, 1) and set(metrics.KINDS) == {*damage.TREATMENTS, "fewer classes"}


@pytest.mark.parametrize(("grade", "height", "width"), [
    (0.2, 12, 16), (0.5, 12, 16), (1.0, 12, 16), (1.0, 3, 16), (1.0, 5, 3)])  # fmt: skip
def test_blur_is_a_gaussian_along_rows_and_columns(grade, height, width):
    """Its deviation is a share of the width, and it reaches three of them, but not beyond the frame."""
    clips = torch.rand(2, 3, 2, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    sigma = grade * width / 8
    reach = min(int(3 * sigma) + 1, width - 1)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    expected = clips.numpy()
    for axis in (3, 4):
        expected = scipy.ndimage.correlate1d(expected, weights / weights.sum(), axis=axis, mode="nearest")
    np.testing.assert_allclose(damage.blur(clips, grade), expected, rtol=1e-9)


def test_noise_blends_into_uniform_pixels_that_repeat():
    black, clips = torch.zeros(2, 3, 4, 16, 16), torch.rand(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    pixels = damage.noise(black, 1.0)
    torch.manual_seed(17)  # the caller's stream decides nothing
    close(damage.noise(clips, 0.3), 0.7 * clips + 0.3 * pixels)
    close(damage.noise(clips, 1.0), pixels)
    close(pixels, 2 * torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0)) - 1)
    assert -1 <= pixels.min() < -0.99 and 0.99 < pixels.max() <= 1 and abs(float(pixels.mean())) < 0.05


@pytest.mark.parametrize(("grade", "shown"), [
    (0.0, [0, 1, 2, 3, 4, 5, 6, 7]), (0.4, [0, 0, 2, 2, 4, 5, 5, 7]), (0.6, [0, 0, 0, 0, 4, 4, 4, 7]),
    (0.8, [0, 0, 0, 0, 0, 0, 0, 7]), (1.0, [0] * 8),
])  # fmt: skip
def test_held_shows_the_last_frame_that_arrived(grade, shown):
    clips = torch.arange(8.0).view(1, 1, 8, 1, 1).expand(2, 3, 8, 4, 5)
    assert damage.held(clips, grade)[1, 2, :, 3, 4].tolist() == shown


@pytest.mark.parametrize("grade", metrics.GRADES)
def test_shuffling_moves_that_share_of_the_frames_of_each_clip(grade):
    clips = torch.arange(10.0).view(1, 1, 10, 1, 1).repeat(30, 3, 1, 4, 5)
    orders = damage.shuffled(clips, grade)[:, 1, :, 2, 3]
    assert (orders.sort(dim=1).values == torch.arange(10)).all()
    assert ((orders != torch.arange(10)).sum(dim=1) == round(10 * grade)).all()
    assert len(orders.unique(dim=0)) > (20 if grade else 0)  # another order in each clip
    torch.manual_seed(23)
    assert torch.equal(damage.shuffled(clips, grade)[:, 1, :, 2, 3], orders)


def test_shuffled_frames_move_one_place_on_in_a_draw_with_seed_zero():
    stream, rows = torch.Generator().manual_seed(0), []
    for _ in range(4):
        chosen, row = torch.randperm(9, generator=stream)[:5].tolist(), list(range(9))
        for here, before in zip(chosen, [chosen[-1], *chosen[:-1]]):
            row[here] = before
        rows.append(row)
    clips = torch.arange(9.0).view(1, 1, 9, 1, 1).repeat(4, 3, 1, 2, 2)
    assert damage.shuffled(clips, 0.5 + 1 / 18)[:, 0, :, 0, 0].tolist() == rows


def test_damaged_sources_say_what_was_done_to_them():
    source = metrics.real_clips(MovingBlobs(16), "clips")
    for kind in damage.TREATMENTS:
        harmed = metrics.damaged(source, kind, 0.6)
        (clips, labels, videos), (whole, same, behind) = next(harmed.draw(6, 1)), next(source.draw(6, 1))
        close(clips, damage.TREATMENTS[kind](whole, 0.6))
        assert torch.equal(labels, same) and torch.equal(videos, behind) and harmed.distinct == 16
        assert harmed.name == f"clips, {kind} 0.6" and harmed.note == f"{kind} 0.6: {source.note}"
        assert harmed.digest != source.digest
    for grade in (-0.1, 1.1):
        with pytest.raises(ValueError, match="lies between 0"):
            metrics.damaged(source, "blur", grade)


@pytest.mark.parametrize(("grade", "kept"), [(0.0, 4), (0.2, 3), (0.4, 2), (0.8, 1), (1.0, 1)])
def test_fewer_classes_keeps_the_first_ones(grade, kept):
    few = metrics.damaged(metrics.real_clips(MovingBlobs(16), "clips"), "fewer classes", grade)
    labels = torch.cat([labels for _, labels, _ in few.draw(40, 0)])
    assert set(labels.tolist()) == set(range(kept)) and few.distinct == 4 * kept
    assert few.name == f"clips, {kept} classes" and few.note.endswith(f", first {kept} classes")


# Sources ------------------------------------------------------------------------------------------


def test_chunks_hold_at_most_64_clips_and_a_hundred_megabytes():
    assert chunks(150, 8, 16) == [64, 64, 22] and chunks(64, 8, 16) == [64] and chunks(3, 8, 16) == [3]
    assert chunks(130, 16, 112) == [55, 55, 20]  # 2^25 numbers of 3 x 16 x 112 x 112 each
    assert chunks(2, 64, 1024) == [1, 1]


def windows_of(source, n, seed):
    """The drawn clips by video."""
    found = {}
    for clips, _, videos in source.draw(n, seed):
        for clip, video in zip(clips, videos.tolist()):
            found.setdefault(video, []).append(clip)
    return found


def test_each_draw_of_a_real_clip_has_a_window_of_its_own():
    """40 draws of 4 videos: some windows of each differ, and hardly any start at the first frame."""
    data = MovingBlobs(4)
    drawn = windows_of(metrics.real_clips(data), 40, 0)
    for video, clips in drawn.items():
        first = data.batch([video])[0][0]
        assert len(clips) == 10 and sum(torch.equal(clip, first) for clip in clips) < 5
        assert len({clip.numpy().tobytes() for clip in clips}) > 3


def test_real_clips_depend_on_the_seed_alone():
    source = metrics.real_clips(MovingBlobs(64))
    torch.manual_seed(1)
    one = next(source.draw(20, 5))
    torch.manual_seed(2)
    same, other = next(source.draw(20, 5)), next(source.draw(20, 6))
    assert all(torch.equal(a, b) for a, b in zip(one, same))
    assert not torch.equal(one[2], other[2]) and not torch.equal(one[0], other[0])
    assert one[2].tolist() != sorted(one[2].tolist())  # in random order
    (_, _, second), (_, _, skipped) = list(source.draw(100, 5))[1], next(source.draw(100, 5, skip=1))
    assert torch.equal(second, skipped)


LOPSIDED = torch.tensor([0] * 12 + [1] * 6 + [2] * 2)[torch.randperm(20, generator=torch.Generator().manual_seed(0))]


@pytest.mark.parametrize("labels", [torch.arange(24) % 4, LOPSIDED, torch.zeros(9, dtype=torch.long)])
def test_every_first_part_of_an_order_has_the_classes_in_nearly_their_shares(labels):
    shares = labels.bincount() / len(labels)
    for seed in range(20):
        order = mixed_order(labels, torch.Generator().manual_seed(seed))
        assert sorted(order.tolist()) == list(range(len(labels)))
        for n in range(1, len(labels) + 1):
            counts = labels[order[:n]].bincount(minlength=len(shares))
            assert float((counts - n * shares).abs().max()) < (1 if len(set(shares.tolist())) == 1 else 2)


def test_the_order_within_a_class_and_the_class_that_comes_first_are_random():
    labels = torch.arange(12) % 2
    orders = [mixed_order(labels, torch.Generator().manual_seed(seed)) for seed in range(100)]
    assert torch.equal(orders[3], mixed_order(labels, torch.Generator().manual_seed(3)))
    assert 30 < sum(int(labels[order[0]]) for order in orders) < 70
    first = torch.stack([order[labels[order] == 0][0] for order in orders]).bincount(minlength=12)
    assert set(first.nonzero().flatten().tolist()) == {0, 2, 4, 6, 8, 10} and first.max() < 40


def test_a_few_of_many_real_clips_have_every_class_equally_often():
    source = metrics.real_clips(MovingBlobs(64))
    for seed in range(5):
        ((_, labels, _),) = source.draw(12, seed)
        assert labels.bincount(minlength=4).tolist() == [3, 3, 3, 3]


def test_several_draws_of_real_clips_are_of_the_same_videos_and_generated_clips_are_new_each_time():
    data = MovingBlobs(16, units=[f"video {i // 2}" for i in range(16)])
    data.unit = "video"
    real, noise = metrics.real_clips(data), metrics.noise_clips(8, 16)
    assert real.unit == "video" and real.distinct == 16 and noise.unit == "clip"
    assert real.drawn_from(0) == real.drawn_from(1) == "blobs-16-0 of " + " ".join(data.units) + " train"
    assert noise.drawn_from(0) != noise.drawn_from(1) != metrics.noise_clips(8, 8).drawn_from(1)
    ((_, labels, units),) = real.draw(16, 0)
    assert units.bincount().tolist() == [2] * 8 and set(zip(units.tolist(), labels.tolist())) == {
        (i // 2, i % 4) for i in range(16)
    }
    test = MovingBlobs(16)
    test.split = "test"
    assert metrics.real_clips(test).drawn_from(0) != metrics.real_clips(MovingBlobs(16)).drawn_from(0)


def test_clips_of_fewer_classes_are_of_the_same_units():
    data = MovingBlobs(16, units=[f"video {i // 2}" for i in range(16)])
    whole = metrics.real_clips(data)
    few = whole.restrict(0.5)
    assert few.drawn_from(0) == whole.drawn_from(0) and few.unit == whole.unit
    ((_, labels, units),) = few.draw(8, 0)
    assert sorted(zip(labels.tolist(), units.tolist())) == sorted((i % 4, i // 2) for i in range(16) if i % 4 < 2)


def test_a_treatment_leaves_the_units_as_they_are():
    data = MovingBlobs(16)
    data.unit = "person"
    system = metrics.generated(Painter())
    for source in (metrics.real_clips(data), system, metrics.noise_clips(8, 16)):
        for seed in (0, 1):
            for treated in (metrics.frozen(source), metrics.shuffle_frames(metrics.resized(source, 8))):
                assert treated.drawn_from(seed) == source.drawn_from(seed) and treated.digest != source.digest
                assert treated.unit == source.unit
    assert metrics.frozen(system).drawn_from(0) != metrics.frozen(system).drawn_from(1)


def test_the_mean_clip_is_the_mean_of_first_windows_and_the_same_for_ever():
    data = MovingBlobs(70)
    source = metrics.mean_clip(data)
    parts = list(source.draw(70, 3))
    assert [len(clips) for clips, _, _ in parts] == [64, 6] and all(part[1] is part[2] is None for part in parts)
    mean = data.batch(range(70))[0].double().mean(dim=0)
    for clips, _, _ in parts:
        close(clips, mean.expand_as(clips))
        assert clips.is_contiguous() and clips.dtype == torch.float32
    assert torch.equal(next(source.draw(5, 9))[0], parts[0][0][:5])
    assert torch.equal(next(source.draw(70, 3, skip=1))[0], parts[1][0])
    assert (source.name, source.note, source.distinct) == ("mean clip", "the mean of moving blobs: 70 clips", None)
    assert source.digest != metrics.mean_clip(MovingBlobs(69)).digest and source.restrict is None


def test_the_mean_clip_is_taken_when_it_is_asked_for_and_once():
    asked = []

    class Counted(MovingBlobs):
        def batch(self, indices, generator=None, device="cpu"):
            asked.append(len(indices))
            return super().batch(indices, generator)

    source = metrics.mean_clip(Counted(70))
    assert asked == []
    for seed in (0, 1):
        next(source.draw(4, seed))
    assert asked == [64, 6]


def test_chosen_clips_of_a_data_set_are_drawn_by_class_and_unit():
    data = MovingBlobs(16, units=[f"video {i // 2}" for i in range(16)])
    data.unit = "video"
    draw = metrics.draw_of(data, [5, 4, 9, 5], balanced=True)
    assert draw.source == metrics.real_clips(data).drawn_from(0) and draw.unit == "video" and len(draw) == 4
    assert draw.units.tolist() == [2, 2, 4, 2] and draw.strata.tolist() == [1, 0, 1, 1]  # classes 1, 0, 1, 1
    blind = metrics.draw_of(data, torch.tensor([5, 4, 9]))  # no class was promised a share
    assert blind.strata.tolist() == [0, 0, 0] and blind.units.tolist() == [2, 2, 4] and blind.source == draw.source
    data.n_classes = 0
    assert metrics.draw_of(data, [5, 4, 9], balanced=True).strata.tolist() == [0, 0, 0]


def test_real_clips_say_where_they_come_from():
    data = MovingBlobs(16)
    source = metrics.real_clips(data)
    assert (source.name, source.note, source.distinct) == ("real", "train clips: moving blobs: 16 clips", 16)
    assert metrics.real_clips(data, "floor", "a note").note == "a note"
    bare = SimpleNamespace(
        **{name: getattr(data, name) for name in ("frames", "size", "stride", "split", "digest", "unit", "units")},
        labels=data.labels,
        n_classes=0,
        batch=data.batch,
        describe=data.describe,
    )
    bare = type("Bare", (), {"__len__": lambda self: 16, **vars(bare)})()
    unlabelled = metrics.real_clips(bare)
    assert unlabelled.restrict is None and next(unlabelled.draw(5, 0))[1] is None
    assert source.restrict is not None and next(source.draw(5, 0))[1] is not None


def test_noise_is_uniform_and_another_for_every_seed_and_chunk():
    noise = metrics.noise_clips(4, 16)
    torch.manual_seed(3)
    parts = [clips for clips, _, _ in noise.draw(80, 1)]
    assert [len(part) for part in parts] == [64, 16] and parts[0].shape[1:] == (3, 4, 16, 16)
    clips = torch.cat(parts)
    assert -1 <= clips.min() < -0.999 and 0.999 < clips.max() <= 1 and abs(float(clips.mean())) < 0.01
    assert float(clips.std()) == pytest.approx(1 / 3**0.5, rel=0.01)
    assert not torch.equal(parts[0][:16], parts[1]) and not torch.equal(parts[0], next(noise.draw(80, 2))[0])
    assert torch.equal(parts[0], next(noise.draw(80, 1))[0])


class Painter:
    """A stand-in for a system: it remembers how it was asked, and paints the label and a random shade."""

    name, frames, size, sampler = "painter", 8, 16, torch.nn.Linear(1, 1)

    def __init__(self, n_classes: int = 3) -> None:
        self.n_classes, self.asked = n_classes, []

    def sample(self, n, labels=None, generator=None):
        self.asked.append((n, labels))
        shades = torch.rand(n, 1, 1, 1, 1, generator=generator)
        return shades.expand(n, 3, self.frames, self.size, self.size).contiguous()


def test_generated_clips_ask_for_every_class_equally_often_over_all_chunks():
    system = Painter()
    parts = list(metrics.generated(system).draw(100, 0))
    labels = torch.cat([labels for _, labels, _ in parts])
    assert labels.tolist() == [i % 3 for i in range(100)] and all(videos is None for _, _, videos in parts)
    assert [n for n, _ in system.asked] == [64, 36]
    assert torch.equal(torch.cat([labels for _, labels in system.asked]), labels)
    torch.manual_seed(9)
    again = list(metrics.generated(system).draw(100, 0))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(parts, again))
    assert not torch.equal(parts[0][0][:36], parts[1][0])
    assert torch.equal(next(metrics.generated(system).draw(100, 0, skip=1))[0], parts[1][0])
    assert not torch.equal(next(metrics.generated(system).draw(100, 1))[0], parts[0][0])


def test_an_unconditional_system_is_asked_for_no_class():
    system = Painter(n_classes=0)
    ((_, labels, _),) = metrics.generated(system).draw(5, 0)
    assert labels is None and system.asked == [(5, None)]
    source = metrics.generated(system)
    assert (source.name, source.note, source.distinct) == ("hrvgan", "painter samples", None)
    assert metrics.generated(system, "ours", "a note").note == "a note"


@pytest.mark.parametrize("frames", [1, 5, 8])
def test_freezing_keeps_the_middle_frame(frames):
    clips = torch.arange(float(frames)).view(1, 1, frames, 1, 1).expand(2, 3, frames, 4, 5)
    still = metrics.freeze(clips)
    assert still.shape == clips.shape and (still == frames // 2).all() and still.is_contiguous()


def test_frames_are_shuffled_the_same_way_each_time_and_each_clip_its_own():
    counted = metrics.Source(
        "counted",
        "1 to 8",
        "x",
        lambda n, seed, skip=0: iter([(torch.arange(8.0).view(1, 1, 8, 1, 1).repeat(n, 3, 1, 2, 2), None, None)]),
        5,
    )
    torch.manual_seed(1)
    orders = next(metrics.shuffle_frames(counted).draw(20, 0))[0][:, 2, :, 1, 0]
    torch.manual_seed(2)
    assert torch.equal(next(metrics.shuffle_frames(counted).draw(20, 0))[0][:, 2, :, 1, 0], orders)
    assert (orders.sort(dim=1).values == torch.arange(8)).all() and len(orders.unique(dim=0)) > 15
    treated = metrics.shuffle_frames(counted)
    assert (treated.name, treated.note, treated.distinct) == ("shuffled", "frames in another order: 1 to 8", 5)
    assert metrics.frozen(counted).note == "middle frame standing still: 1 to 8"


def test_resized_sources_are_named_by_their_size():
    source = metrics.noise_clips(8, 16)
    smaller = metrics.resized(source, 8)
    assert smaller.name == "noise at 8" and smaller.note == "resized to 8x8: independent uniform pixels"
    assert metrics.resized(source, 8, "small").name == "small"
    (clips, _, _), (whole, _, _) = next(smaller.draw(3, 0)), next(source.draw(3, 0))
    close(clips, judge_module.resize(whole, 8))


def test_an_untrained_system_is_the_same_kind_with_first_weights():
    from hrvgan_lib.networks import build_system

    def weights(system):
        return torch.cat([parameter.detach().flatten() for parameter in system.sampler.parameters()])

    torch.manual_seed(5)
    system = build_system("hrvgan", frames=8, size=16, n_classes=3, width=1 / 16, upsample="trilinear")
    before = torch.get_rng_state()
    fresh = metrics.untrained(system)
    assert torch.equal(torch.get_rng_state(), before)  # the caller's random numbers are left alone
    assert (fresh.name, fresh.frames, fresh.size, fresh.n_classes) == ("hrvgan", 8, 16, 3)
    assert fresh.config == system.config and not fresh.training
    assert not torch.equal(weights(fresh), weights(system))
    torch.manual_seed(6)
    assert torch.equal(weights(metrics.untrained(system)), weights(fresh))
    assert torch.equal(weights(metrics.untrained(system, seed=0)), weights(fresh))
    assert not torch.equal(weights(metrics.untrained(system, seed=1)), weights(fresh))


# Answers ------------------------------------------------------------------------------------------


class Speckled(MovingBlobs):
    """Moving blobs of which every second has noise in it."""

    def __init__(self, n):
        super().__init__(n)
        self.digest = f"speckled-{n}"

    def batch(self, indices, generator=None, device="cpu"):
        clips, labels = super().batch(indices, generator)
        odd = torch.as_tensor(indices) % 2 == 1
        clips[odd] += 0.1 * torch.rand(clips[odd].shape, generator=torch.Generator().manual_seed(0))
        return clips, labels


class Eye:
    """A stand-in for a network that sees single frames: it reads the mean colours, and names no class."""

    layers, frames_only, name, digest, identity = ("pool", "last"), True, "eye", "e" * 12, "an eye"

    def __init__(self) -> None:
        self.network, self.looks = torch.nn.Linear(1, 1), 0

    def look(self, clips, layer="pool"):
        self.looks += 1
        half = clips[..., :8]
        colours = torch.cat([clips.mean(dim=(3, 4)).mean(2), half.mean(dim=(3, 4)).mean(2)], dim=1)
        return (colours if layer == "pool" else 2 * colours).numpy(), None


def test_answers_without_labels_or_classes_have_no_accuracy():
    rows, said, asked = np.zeros((4, 1)), np.eye(3)[[0, 0, 1, 2]], np.array([0, 1, 1, 2])
    for probabilities, labels in ((None, asked), (said, None), (None, None)):
        answers = metrics.Answers(rows, rows, probabilities, labels, None, rows, rows)
        assert answers.accuracy is None and answers.confusion is None
    answers = metrics.Answers(rows, rows, said, asked, None, rows, rows)
    assert answers.accuracy.n == 4 and answers.confusion.dtype.kind == "i" and answers.confusion.shape == (3, 3)


def test_answers_hold_what_the_network_made_of_each_clip():
    eye, source = Eye(), metrics.real_clips(MovingBlobs(70))
    answers = metrics.ask(eye, source, 100, seed=3)
    parts = list(source.draw(100, 3))
    clips = torch.cat([clips for clips, _, _ in parts])
    np.testing.assert_allclose(answers.features, eye.look(clips)[0], rtol=1e-5)
    np.testing.assert_allclose(answers.stills, eye.look(clips[:, :, 4:5])[0], rtol=1e-5)
    np.testing.assert_allclose(answers.change, metrics.frame_change(clips), rtol=1e-6)
    np.testing.assert_allclose(answers.pictures, metrics.thumbnails(clips), rtol=1e-5)
    assert answers.labels.tolist() == torch.cat([labels for _, labels, _ in parts]).tolist()
    assert answers.units.tolist() == torch.cat([units for _, _, units in parts]).tolist()
    assert answers.probabilities is None and (answers.extractor, answers.layer) == ("an eye", "pool")


def test_answers_know_how_their_clips_were_drawn(judge):
    data = MovingBlobs(16, units=[f"video {i // 2}" for i in range(16)])
    data.unit = "video"
    source = metrics.real_clips(data)
    one, two = (metrics.ask(judge, source, 16, seed).draw for seed in (0, 1))
    assert one.source == two.source == source.drawn_from(0) and one.unit == "video"
    assert sorted(one.units) == sorted(two.units) == sorted(i // 2 for i in range(16))
    assert one.units.tolist() != two.units.tolist()  # in another order
    assert one.strata.tolist() == metrics.ask(judge, source, 16, 0).labels.tolist()
    new = metrics.ask(judge, metrics.noise_clips(8, 16), 5, 1)
    assert new.units is None and new.draw.units.tolist() == [0, 1, 2, 3, 4] and not new.draw.strata.any()
    assert new.draw.source == metrics.noise_clips(8, 16).drawn_from(1) and new.draw.unit == "clip"


def test_an_accuracy_counts_units_and_goes_by_class():
    """40 answers to clips of 5 videos, all of one video alike: its interval is about as wide as that of 5 clips."""
    rows, asked = np.zeros((40, 1)), np.zeros(40, int)
    said, videos = np.eye(2)[[0, 1, 0, 0, 1] * 8], np.arange(40) % 5
    apart = metrics.Answers(rows, rows, said, asked, None, rows, rows)
    together = replace(apart, units=videos, unit="video")
    assert apart.right.tolist() == [True, False, True, True, False] * 8
    assert together.accuracy == metrics.share(apart.right, metrics.drawn(40, "", asked, videos, "video"))
    assert together.accuracy.value == apart.accuracy.value == 0.6
    width = lambda found: found.high - found.low  # noqa: E731
    assert width(together.accuracy) > 2 * width(apart.accuracy) and "5 videos" in together.accuracy.method
    uneven = replace(apart, labels=np.arange(40) % 2, probabilities=np.eye(2)[[0] * 36 + [1] * 4])
    assert uneven.right.mean() == 0.5  # 18 of 20 in one class, 2 of 20 in the other, which other clips would not change
    assert width(uneven.accuracy) < 0.8 * width(metrics.share(uneven.right, metrics.drawn(40, "")))


def test_an_answer_that_is_no_number_is_a_wrong_one():
    rows, said = np.zeros((4, 1)), np.eye(2)[[0, 0, 1, 1]]
    said[0] = np.nan  # argmax calls this class 0
    answers = metrics.Answers(rows, rows, said, np.array([0, 0, 1, 0]), None, rows, rows)
    assert answers.right.tolist() == [False, True, True, False] and answers.accuracy.value == 0.5
    assert replace(answers, labels=None).right is None and replace(answers, probabilities=None).right is None


def test_the_layer_is_fc6_where_there_is_one_and_else_the_first(judge):
    noise = metrics.noise_clips(8, 16)
    assert metrics.ask(judge, noise, 4).layer == "fc6" and metrics.ask(judge, noise, 4, layer="fc7").layer == "fc7"
    assert metrics.ask(Eye(), noise, 4).layer == "pool"
    doubled, plain = metrics.ask(Eye(), noise, 4, layer="last"), metrics.ask(Eye(), noise, 4)
    np.testing.assert_allclose(doubled.features, 2 * plain.features)
    np.testing.assert_array_equal(plain.features, metrics.ask(Eye(), noise, 4, seed=0).features)
    assert metrics.ask(judge, noise, 4).extractor == judge.identity


def test_stills_of_a_judge_of_clips_are_clips_that_stand_still(judge):
    clips = next(metrics.real_clips(MovingBlobs(16)).draw(5, 0))[0]
    answers = metrics.ask(judge, metrics.real_clips(MovingBlobs(16)), 5)
    np.testing.assert_allclose(answers.stills, judge.features(metrics.freeze(clips)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers.probabilities, judge.probabilities(clips), rtol=1e-4)


def test_kept_answers_are_read_without_drawing_again(tmp_path):
    source, eye = metrics.noise_clips(8, 16), Eye()
    first = metrics.ask(eye, source, 70, folder=tmp_path)
    assert len(list(tmp_path.glob("features/*/0000?.npz"))) == 2
    looks = eye.looks
    again = metrics.ask(eye, replace(source, draw=None), 70, folder=tmp_path)
    assert eye.looks == looks
    for name in answers_module.ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert answers_module.ARRAYS == ["features", "stills", "probabilities", "labels", "units", "change", "pictures"]
    assert (again.source, again.unit) == (first.source, first.unit) == (source.drawn_from(0), "clip")


def test_a_chunk_that_holds_objects_is_not_read(tmp_path):
    np.savez(tmp_path / "00000.npz", features=np.array([{}], dtype=object))
    assert answers_module._kept(tmp_path) == []


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-40], lambda whole: b"", lambda whole: whole[:200] + b"?" * 50 + whole[250:]]
)
def test_a_chunk_that_was_cut_off_is_made_again(judge, tmp_path, damage):
    source = metrics.real_clips(MovingBlobs(100))
    whole = metrics.ask(judge, source, 80, folder=tmp_path)
    first, second = sorted(tmp_path.glob("features/*/*.npz"))
    for chunk in (second, first):
        chunk.write_bytes(damage(chunk.read_bytes()))
        again = metrics.ask(judge, source, 80, folder=tmp_path)
        np.testing.assert_array_equal(again.features, whole.features)
        assert len(answers_module._kept(chunk.parent)) == 2  # whole again


class Bar:
    made: list = []  # noqa: RUF012

    def __init__(self, **settings) -> None:
        self.settings, self.steps = settings, []
        Bar.made.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self, n):
        self.steps.append(n)


def test_the_bar_counts_clips_where_somebody_watches(monkeypatch, tmp_path):
    monkeypatch.setattr(answers_module, "tqdm", Bar)
    Bar.made.clear()
    source = metrics.noise_clips(8, 16)
    for progress in (True, False):
        metrics.ask(Eye(), source, 70, folder=tmp_path, progress=progress)
    metrics.ask(Eye(), source, 5)
    first, second, silent = Bar.made
    assert first.settings == {"desc": "noise", "unit": "clip", "total": 70, "initial": 0, "disable": None}
    assert first.steps == [64, 6]
    assert second.settings["initial"] == 70 and second.steps == [] and second.settings["disable"] is True
    assert silent.settings["disable"] is True


# Evaluation ---------------------------------------------------------------------------------------


def by_hand(source, judge, reference, n, seeds, layer=None, held_out=None):
    """The numbers of a record, put together from the parts that the tests above hold: means over the seeds."""
    real = metrics.ask(judge, metrics.real_clips(reference), n, REFERENCE_SEED, layer)
    given = [metrics.ask(judge, source, n, seed, layer) for seed in seeds]
    first = given[0]
    unseen = held_out and metrics.ask(judge, metrics.real_clips(held_out), n, REFERENCE_SEED, layer).pictures

    def draw(answers):
        return metrics.drawn(n, answers.source, answers.labels, answers.units, answers.unit)

    def both(moves, answers):
        return [metrics.influence(draw(side), rows) for side, rows in zip((real, answers), moves)]

    def distance(a, b):
        return metrics.frechet_distance(a, b, CLOSE)

    frechet = [metrics.frechet_distance(real.features, answers.features) for answers in given]
    moves = [metrics.frechet_influences(real.features, answers.features) for answers in given]
    kernel = [metrics.kernel_influences(real.features, answers.features) for answers in given]
    around = [metrics.neighbourhoods(real.features, fake.features, draw(real), draw(fake)) for fake in given]
    expected = dict(
        frechet=metrics.average([metrics.estimate(value, *both(rows, answers))
            for value, rows, answers in zip(frechet, moves, given)], floor=0.0),
        frechet_seeds=tuple(frechet),
        frame_frechet=metrics.frechet_distance(real.stills, first.stills),
        kernel=metrics.average([metrics.estimate(value, *both(rows, answers))
            for (value, *rows), answers in zip(kernel, given)]),
        density=metrics.average([one.density for one in around], floor=0.0),
        behaviour=metrics.behaviour(first.change, first.pictures, real.change, real.pictures, unseen),
        frechet_infinity=metrics.sweep(distance, real.features, first.features).at_infinity if n >= 16 else None,
        accuracy=None,
        confusion=None if first.confusion is None else tuple(map(tuple, first.confusion.tolist())),
    )  # fmt: skip
    for name in ("precision", "recall", "coverage"):
        expected[name] = share_estimate(metrics.average([getattr(one, name) for one in around]))
    if first.probabilities is not None:
        said = [answers.probabilities for answers in given]
        scores = [metrics.inception_score(rows) for rows in said]
        parts = [
            metrics.influence(draw(answers), metrics.inception_influences(answers.probabilities)) for answers in given
        ]
        expected |= dict(
            inception=metrics.average([metrics.estimate(*one) for one in zip(scores, parts)], floor=1.0),
            inception_seeds=tuple(scores),
            inception_infinity=metrics.sweep(metrics.inception_score, said[0]).at_infinity if n >= 16 else None,
        )
        if first.labels is not None:
            right = [
                metrics.share(answers.probabilities.argmax(axis=1) == answers.labels, draw(answers))
                for answers in given
            ]
            expected["accuracy"] = share_estimate(metrics.average(right))
    return expected


def compare(record, expected):
    for name, value in expected.items():
        found = getattr(record, name)
        if name == "confusion" or value is None:
            assert found == value, name
        elif isinstance(value, metrics.Estimate):
            assert numbers(found) == pytest.approx(numbers(value), rel=1e-5, abs=1e-8), name
            assert (found.method, found.n) == (value.method, value.n), name
            told = lambda one: [(part.source, part.unit, part.units, part.strata) for part in one.influences]  # noqa: E731
            assert told(found) == told(value), name
        else:
            found, value = (asdict(one) if dataclasses.is_dataclass(one) else one for one in (found, value))
            assert found == pytest.approx(value, rel=1e-5, abs=1e-9), name


def numbers(found: metrics.Estimate) -> list[float]:
    return [found.value, found.low, found.high, *(total for part in found.influences for total in part.totals)]


def sharpened(judge):
    """The judge of blobs with answers that differ from clip to clip: an untrained one hardly tells clips apart."""
    network = copy.deepcopy(judge.network)
    logits = network(MovingBlobs().batch(range(64))[0])
    network.fc8.weight.mul_(3 / logits.std(dim=0).mean())
    network.fc8.bias.sub_(3 * logits.mean(dim=0) / logits.std(dim=0).mean())
    return replace(judge, network=network, digest="sharp")


@pytest.mark.parametrize("n", [15, 16, 32])
def test_an_evaluation_of_few_videos_is_what_its_parts_give(judge, n):
    """8 real and 6 other videos, each drawn several times: the intervals are those of the videos."""
    judge, reference, seeds = sharpened(judge), MovingBlobs(8), (3, 1)
    source = metrics.real_clips(MovingBlobs(6, seed=4), "others", "six videos")
    held_out = MovingBlobs(10, seed=2) if n == 32 else None
    record = metrics.evaluate(source, judge, reference, n=n, seeds=seeds, held_out=held_out)
    expected = by_hand(source, judge, reference, n, seeds, held_out=held_out)
    compare(record, expected)
    for found in (record.frechet, record.kernel):
        assert [(part.source, len(part.units)) for part in found.influences] == [
            ("blobs-8-0 train", 8), ("blobs-6-4 train", 6)]  # fmt: skip
    rows = [metrics.ask(judge, source, n, seed).probabilities for seed in seeds]
    alone = [
        metrics.influence(metrics.drawn(n, str(i)), metrics.inception_influences(one)) for i, one in enumerate(rows)
    ]
    apart = metrics.average([metrics.estimate(metrics.inception_score(one), part) for one, part in zip(rows, alone)])
    assert apart.value == pytest.approx(record.inception.value)
    assert (apart.low, apart.high) != pytest.approx((record.inception.low, record.inception.high), rel=1e-3)
    assert (record.source, record.note, record.data, record.kind) == (
        "others",
        "six videos",
        "moving blobs: 8 clips",
        "procedural",
    )
    assert (record.n, record.seeds, record.distinct, record.layer, record.classes) == (n, seeds, 6, "fc6", CLASSES)
    assert record.judge == "blank [sharp]" and record.judge_accuracy == 0.25 and record.chance == 0.25
    assert record.protocol == f"{n} clips x 2; {judge.way}"
    assert record.device and torch.__version__.startswith(record.versions["torch"])


def test_floors_hold_where_the_intervals_reach_them():
    """Clips that can hardly be told apart: neither the score nor the distance falls below its least value."""
    reference = MovingBlobs(6)
    record = metrics.evaluate(metrics.real_clips(reference), Eye(), reference, n=8)
    assert record.frechet.low == 0.0 < record.frechet.value
    compare(record, by_hand(metrics.real_clips(reference), Eye(), reference, 8, (0,)))


def test_a_score_near_one_keeps_its_interval_above_one(judge):
    reference = MovingBlobs(32)
    record = metrics.evaluate(metrics.noise_clips(8, 16), judge, reference, n=8)
    assert 1.0 <= record.inception.low <= record.inception.value < 1.01
    compare(record, by_hand(metrics.noise_clips(8, 16), judge, reference, 8, (0,)))
    assert record.accuracy is None and record.confusion is None and record.distinct is None


def test_an_eye_without_classes_gives_no_score(tmp_path):
    reference, eye = MovingBlobs(16), Eye()
    source = metrics.noise_clips(8, 16)
    record = metrics.evaluate(source, eye, reference, n=16, layer="last", folder=tmp_path)
    compare(record, by_hand(source, eye, reference, 16, (0,), layer="last"))
    assert record.inception is record.inception_infinity is record.judge_accuracy is None
    assert record.inception_seeds == record.classes == () and record.layer == "last" and record.seeds == (0,)
    assert record.protocol == "16 clips x 1; features only"
    (path,) = tmp_path.glob("*.json")
    assert read_evaluation(path) == record
    assert len(list(tmp_path.glob("features/*"))) == 2  # of the reference and of the source


class Namer(Eye):
    """A stand-in for a judge: it goes by colours, and is scored in three parts as a published protocol asks."""

    classes, accuracy, way = CLASSES, None, "in three parts"
    protocol = replace(metrics.get_protocol("stylegan-v"), splits=3)

    def look(self, clips, layer="pool"):
        features, _ = super().look(clips, layer)
        powers = np.exp(40.0 * (features[:, :4] - features[:, 2:]))
        return features, powers / powers.sum(axis=1, keepdims=True)

    def score(self, probabilities):
        return self.protocol.score(probabilities)

    def score_influences(self, rows):
        return self.protocol.score_influences(rows)


def test_a_score_and_its_influences_are_those_of_the_judges_protocol():
    judge, source, reference = Namer(), metrics.noise_clips(8, 16), MovingBlobs(16)
    record = metrics.evaluate(source, judge, reference, n=17, seeds=(0, 1))
    rows = [metrics.ask(judge, source, 17, seed).probabilities for seed in (0, 1)]
    parts = [Namer.protocol.score([one])[2] for one in rows]
    assert record.inception_seeds == pytest.approx([score for part in parts for score in part])
    assert record.inception.value == pytest.approx(np.mean(parts))
    for moves, one in zip(record.inception.influences, rows):
        close(
            np.array(moves.totals) * 17 * 2,
            Namer.protocol.score_influences(one) - Namer.protocol.score_influences(one).mean(),
        )


class Blind(Namer):
    """It gives NaN for moving clips that `spoils` picks, in place of features or of answers."""

    def __init__(self, what, spoils) -> None:
        super().__init__()
        self.what, self.spoils, self.identity = what, spoils, f"blind {what} {spoils.__name__}"

    def look(self, clips, layer="pool"):
        features, answers = super().look(clips, layer)
        bad = [clips.shape[2] > 1 and self.spoils(clip) for clip in clips]
        spoilt = answers if self.what == "answers" else features
        spoilt[bad] = np.nan if self.what != "infinite features" else np.inf
        return features, answers


def noisy(clip):
    return clip[0, 0].unique().numel() > 2  # blobs are of two colours


def blobs(clip):
    return not noisy(clip)


@pytest.mark.parametrize("n", [8, 16])
@pytest.mark.parametrize("what", ["features", "infinite features"])
@pytest.mark.parametrize("side", ["fake", "real"])
def test_features_that_are_no_numbers_leave_distances_untold_and_the_score_as_it_is(tmp_path, n, what, side):
    """On either side of Eq. 17: a record, not a crash, and it is kept."""
    given, reference = metrics.real_clips(MovingBlobs(16, seed=3)), Speckled(16)
    if side == "fake":
        given, reference = metrics.noise_clips(8, 16), MovingBlobs(16)
    eye = Blind(what, noisy)
    record = metrics.evaluate(given, eye, reference, n=n, seeds=(0, 1), folder=tmp_path)
    for name in ("frechet", "kernel", "precision", "recall", "density", "coverage"):
        found = getattr(record, name)
        assert found.method.startswith(UNTOLD) and np.isnan(found.value), name
        assert found.low == (-np.inf if name == "kernel" else 0) and found.high >= 1, name
        assert str(found).startswith("nan [cannot be told")
    assert record.frechet_infinity is None and all(np.isnan(record.frechet_seeds))
    assert np.isfinite(record.inception.value) and np.isfinite(record.inception.high)
    (path,) = tmp_path.glob("*.json")
    assert json.dumps(asdict(read_evaluation(path))) == json.dumps(asdict(record))  # NaN is not equal to itself


@pytest.mark.parametrize("n", [8, 16])
def test_answers_that_are_no_numbers_leave_the_score_untold_and_distances_as_they_are(n):
    source = metrics.noise_clips(8, 16)
    record = metrics.evaluate(source, Blind("answers", noisy), MovingBlobs(16), n=n, seeds=(0, 1))
    assert record.inception.method.startswith(UNTOLD) and np.isnan(record.inception.value)
    assert record.inception.low == 1.0 and record.inception_seeds == () and record.inception_infinity is None
    assert np.isfinite([record.frechet.high, record.kernel.high, record.coverage.high]).all()
    assert (record.frechet_infinity is None) == (n < 16)
    wrong = metrics.evaluate(metrics.real_clips(MovingBlobs(16)), Blind("answers", blobs), MovingBlobs(16), n=n)
    assert wrong.accuracy.value == 0.0 and np.isfinite(wrong.accuracy.high)


def test_one_draw_of_several_that_is_no_number_makes_the_mean_none():
    """A mean over the draws that were left would be one over other draws than the record says."""

    def unlucky(clip):
        return noisy(clip) and float(clip[0, 0, 0, 0]) in bad

    source = metrics.noise_clips(8, 16)
    bad = {float(clip[0, 0, 0, 0]) for clip in next(source.draw(8, 1))[0][:1]}
    record = metrics.evaluate(source, Blind("features", unlucky), MovingBlobs(16), n=8, seeds=(0, 1))
    assert np.isfinite(record.frechet_seeds).tolist() == [True, False] and np.isnan(record.frechet.value)
    assert record.frechet.method.startswith(UNTOLD) and record.precision.method.startswith(UNTOLD)
    assert np.isfinite(metrics.evaluate(source, Blind("features", unlucky), MovingBlobs(16), n=8).frechet.high)


def test_clips_with_pixels_that_are_no_numbers_give_a_record(judge):
    def spoil(clips):
        return clips.index_fill(0, torch.tensor([1]), float("nan"))

    source = metrics.treated(metrics.noise_clips(8, 16), "spoilt", spoil, "one clip lost")
    record = metrics.evaluate(source, judge, MovingBlobs(16), n=8)
    assert record.frechet.method.startswith(UNTOLD) and record.inception.method.startswith(UNTOLD)
    assert np.isnan([record.frame_frechet, record.behaviour.motion, record.behaviour.variety]).all()


def test_a_group_of_clips_from_one_video_alone_tells_nothing():
    one = MovingBlobs(8, seed=3, units=["the same"] * 8)
    one.unit = "video"
    record = metrics.evaluate(metrics.real_clips(one), Namer(), MovingBlobs(16), n=8)
    for name in ("inception", "frechet", "kernel", "precision", "density", "accuracy"):
        found = getattr(record, name)
        assert found.method == f"{UNTOLD}: a single video" and np.isfinite(found.value), name
    assert (record.accuracy.low, record.accuracy.high) == (0.0, 1.0) and record.frechet.high == np.inf


def test_draws_of_several_seeds_narrow_an_interval_where_their_clips_are_new_alone():
    """Twelve real clips nine times are no more than twelve; noise is new each time."""
    real = MovingBlobs(12, seed=5)
    real.PLACES = 1  # the same window in each draw
    widths = {}
    for source in (metrics.real_clips(real), metrics.noise_clips(8, 16)):
        for seeds in (range(1), range(9)):
            record = metrics.evaluate(source, Namer(), MovingBlobs(12), n=12, seeds=seeds)
            widths[source.name, len(seeds)] = np.array([
                found.high - found.low for found in (record.frechet, record.kernel, record.inception)])  # fmt: skip
            sources = [part.source for part in record.frechet.influences]
            assert sources[0] == "blobs-12-0 train" and len(sources) == len(set(sources))
            assert len(sources) == 1 + (1 if source.name == "real" else len(seeds))
    close(widths["real", 9][:2], widths["real", 1][:2])
    assert widths["noise", 9][2] < 0.5 * widths["noise", 1][2]


def test_a_source_with_and_without_a_treatment_is_a_pair():
    """What both owe to the same clips cancels in their difference."""
    source, eye, reference = metrics.noise_clips(8, 16), Namer(), MovingBlobs(16)
    plain, still = (metrics.evaluate(one, eye, reference, n=16).frechet for one in (source, metrics.frozen(source)))
    other = metrics.evaluate(metrics.frozen(source), eye, reference, n=16, seeds=(1,)).frechet
    width = lambda found: found.high - found.low  # noqa: E731
    assert [part.source for part in plain.influences] == [part.source for part in still.influences]
    assert width(metrics.difference(plain, plain)) == 0
    assert width(metrics.difference(plain, still)) != pytest.approx(width(metrics.difference(plain, other)), rel=0.01)
    assert len(metrics.difference(plain, still).influences) == 2 < len(metrics.difference(plain, other).influences)


def test_an_evaluation_without_a_folder_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metrics.evaluate(metrics.noise_clips(8, 16), Eye(), MovingBlobs(16), n=4)
    assert not list(tmp_path.iterdir())


def test_the_judges_accuracy_is_named_only_where_it_names_classes_and_was_examined(judge):
    unexamined = replace(judge, accuracy=None)
    assert metrics.evaluate(metrics.noise_clips(8, 16), unexamined, MovingBlobs(16), n=4).judge_accuracy is None
    eye = Eye()
    eye.accuracy = metrics.share([True, False], metrics.drawn(2, "exam"))
    assert metrics.evaluate(metrics.noise_clips(8, 16), eye, MovingBlobs(16), n=4).judge_accuracy is None


@pytest.mark.parametrize(("n", "seeds"), [(3, (0,)), (8, ())])
def test_too_few_clips_or_no_seed_are_refused(n, seeds):
    with pytest.raises(ValueError, match=f"got {n} and {len(seeds)}"):
        metrics.evaluate(metrics.noise_clips(8, 16), Eye(), MovingBlobs(16), n=n, seeds=seeds)


def test_real_clips_are_looked_at_once_for_all_sources_and_the_latest_four_remembered(monkeypatch):
    remembered: dict = {}
    monkeypatch.setattr(evaluate_module, "_remembered", remembered)
    eye, noise = Eye(), metrics.noise_clips(8, 16)

    def looks(size):
        before = eye.looks
        metrics.evaluate(noise, eye, MovingBlobs(size), n=4)
        return eye.looks - before

    assert [looks(size) for size in (10, 10, 11, 12, 13, 10)] == [4, 2, 4, 4, 4, 2]
    assert len(remembered) == 4
    assert [looks(size) for size in (14, 10, 13)] == [4, 4, 2]  # 10 came first, so it had to go
    assert len(remembered) == 4


def test_real_clips_are_remembered_layer_by_layer():
    eye, noise, reference = Eye(), metrics.noise_clips(8, 16), MovingBlobs(19)
    records = [metrics.evaluate(noise, eye, reference, n=6, layer=layer) for layer in ("pool", "last", "pool")]
    assert [record.layer for record in records] == ["pool", "last", "pool"]
    assert records[1].frechet.value == pytest.approx(4 * records[0].frechet.value)  # features twice as large
    assert records[2].frechet == records[0].frechet


def test_progress_is_shown_on_request(monkeypatch):
    monkeypatch.setattr(answers_module, "tqdm", Bar)
    for progress in (True, False):
        Bar.made.clear()
        metrics.evaluate(metrics.noise_clips(8, 16), Eye(), MovingBlobs(20 + progress), n=4, progress=progress)
        assert {bar.settings["disable"] for bar in Bar.made} == {None if progress else True}
    Bar.made.clear()
    metrics.evaluate(metrics.noise_clips(8, 16), Eye(), MovingBlobs(23), n=4)
    assert {bar.settings["disable"] for bar in Bar.made} == {True}


# Comparisons --------------------------------------------------------------------------------------


def test_features_of_two_layers_do_not_compare_and_an_eye_without_classes_has_no_score():
    noise = metrics.noise_clips(8, 16)
    pool, last = metrics.ask(Eye(), noise, 4), metrics.ask(Eye(), noise, 4, layer="last")
    with pytest.raises(ValueError, match="do not compare"):
        metrics.frechet_estimate(pool, last)
    with pytest.raises(ValueError, match="an eye names no classes"):
        metrics.inception_estimate(pool)


def test_single_draws_give_the_numbers_of_the_record():
    judge, source, reference = Namer(), metrics.noise_clips(8, 16), MovingBlobs(16)
    record = metrics.evaluate(source, judge, reference, n=8)
    real = metrics.ask(judge, metrics.real_clips(reference), 8, REFERENCE_SEED)
    fake = metrics.ask(judge, source, 8)
    assert metrics.frechet_estimate(real, fake) == record.frechet
    assert metrics.kernel_estimate(real, fake) == record.kernel
    assert metrics.inception_estimate(fake, judge) == record.inception
    assert metrics.inception_estimate(fake).value == metrics.inception_score(fake.probabilities)  # as a whole
    around = metrics.neighbourhood_estimates(real, [fake])
    assert asdict(around) == {name: asdict(getattr(record, name)) for name in asdict(around)}
    assert around == metrics.neighbourhoods(real.features, fake.features, real.draw, fake.draw)


def test_a_clip_that_is_no_number_is_named():
    real, fake = (
        metrics.ask(Namer(), metrics.real_clips(MovingBlobs(16)), 8),
        metrics.ask(Namer(), metrics.noise_clips(8, 16), 8),
    )
    fake.features[3] = fake.probabilities[5] = np.nan
    for found in (metrics.frechet_estimate(real, fake), metrics.kernel_estimate(real, fake),
                  metrics.neighbourhood_estimates(real, [fake]).recall):  # fmt: skip
        assert found.method == f"{UNTOLD}: features of clip 3 of noise are NaN or infinite" and found.n == 8
    assert metrics.inception_estimate(fake).method == f"{UNTOLD}: answers of clip 5 of noise are NaN or infinite"
    assert "features of clip 3 of noise" in metrics.frechet_estimate(fake, real).method


@pytest.mark.parametrize(("value", "real", "ceilings", "expected"), [
    (5.0, 2.0, [10.0], 3 / 8), (2.0, 2.0, [10.0], 0), (10.0, 2.0, [10.0], 1), (18.0, 2.0, [10.0], 2),
    (5.0, 2.0, [10.0, 8.0, 30.0], 1 / 2), (1.0, 2.0, [10.0], -1 / 8),
    (2.0, 4.0, [1.0, 1.5], 0.8), (0.5, 4.0, [1.5], 1.4),  # more is better
    (5.0, 2.0, [10.0, 1.0], None), (5.0, 2.0, [10.0, 2.0], None), (5.0, 2.0, [float("nan"), 10.0], None),
    (5.0, 2.0, [10.0, float("nan")], None),
])  # fmt: skip
def test_a_position_lies_between_real_clips_and_the_nearest_ceiling(value, real, ceilings, expected):
    found = metrics.position(value, real, ceilings)
    assert found == (None if expected is None else pytest.approx(expected))


def around(value: float, margin: float, source: str = "", **bounds) -> metrics.Estimate:
    """An estimate whose interval is `value` plus or minus about `margin`, over 40 clips of `source`."""
    rows = np.tile([1.0, -1.0], 20)
    scale = margin * np.sqrt(39) / scipy.stats.t.ppf(0.975, 39)
    return metrics.estimate(value, metrics.influence(metrics.drawn(40, source), scale * rows), **bounds)


def test_whether_a_system_has_learned_is_asked_of_the_same_real_clips():
    """Both numbers sway with the reference far more than they differ: in the pair that cancels."""
    real = around(1.0, 4.0, "real")
    trained, start = around(9.0, 4.0, "real"), around(11.0, 4.0, "real")
    assert not trained.disjoint(start) and metrics.learned(trained, start, real, better=-1)
    apart = (around(9.0, 4.0, "one"), around(11.0, 4.0, "another"), around(1.0, 0.1, "real"))
    assert not metrics.learned(*apart, better=-1)


def test_the_way_to_real_clips_is_as_uncertain_as_they_are():
    """A gain of 1.5 on a way of 10: clear of a tenth unless the way may well be 15 and more."""
    trained, start = around(8.5, 0.1, "trained"), around(10.0, 0.1, "start")
    assert metrics.learned(trained, start, around(0.0, 1.0, "real"), better=-1)
    assert not metrics.learned(trained, start, around(0.0, 8.0, "real"), better=-1)


def test_nobody_has_learned_where_the_way_cannot_be_told():
    good, start, real = around(5.0, 0.1, "a"), around(10.0, 0.1, "b"), around(1.0, 0.1, "c")
    lost = metrics.estimate(float("nan"))
    single = metrics.influence(metrics.drawn(8, "a", units=np.zeros(8)), np.arange(8))
    assert metrics.learned(good, start, real, better=-1) is True and metrics.learned(start, good, real, -1) is False
    for numbers in (
        (lost, start, real), (good, lost, real), (good, start, lost), (good, start, around(10.0, 0.1, "c")),
        (metrics.estimate(5.0, single), start, real), (good, start, metrics.estimate(1.0, single)),
        (good, start, around(20.0, 0.1, "c")),  # real clips behind an untrained network
        (around(15.0, 0.1, "a"), start, around(20.0, 0.1, "c")),
    ):  # fmt: skip
        assert metrics.learned(*numbers, better=-1) is False
    assert metrics.learned(around(15.0, 0.1, "a"), start, around(20.0, 0.1, "c"), better=1) is True


def test_constants_of_the_comparison():
    assert (EXTRAPOLATE_FROM, PUBLISHED_SIZE, REFERENCE_SEED) == (16, 64, 987_654)
    assert metrics.CEILINGS == ("noise", "mean clip", "untrained") and LEARNED == 0.1
    assert metrics.mean_and_std([1.0, 2.0, 6.0]) == pytest.approx((3, np.sqrt(14 / 3)))


def test_a_panel_asks_each_row_as_it_should(monkeypatch):
    from hrvgan_lib.networks import build_system

    asked = []
    monkeypatch.setattr(evaluate_module, "evaluate", lambda source, judge, reference, **options:
                        asked.append((source, reference, options)) or source.name)  # fmt: skip
    train, test = MovingBlobs(12), MovingBlobs(8, seed=1)
    for size, published in ((8, 4), (8, 8)):
        monkeypatch.setattr(evaluate_module, "PUBLISHED_SIZE", published)
        asked.clear()
        system = build_system("hrvgan", frames=8, size=size, n_classes=4, width=1 / 16).eval()
        rows = evaluate_module.panel(
            system,
            train,
            test,
            "judge",
            n=9,
            seeds=(5, 6, 7),
            layer="fc7",
            folder="there",
            note="in short",
            first_weights=3,
            progress=True,
        )
        usual = ("real", "frozen", "shuffled", *metrics.CEILINGS, "hrvgan", "hrvgan frozen")
        assert tuple(rows) == (usual if size <= published else (*usual, "hrvgan at 4"))
        few = [name for name in rows if name not in ("real", "hrvgan")]
        for source, reference, options in asked:
            used = (5,) if source.name in few else (5, 6, 7)
            assert reference is train and options == dict(
                n=9, seeds=used, layer="fc7", held_out=test, folder="there", progress=True
            )
    notes, drawn = ({source.name: getattr(source, of) for source, _, _ in asked} for of in ("note", "digest"))
    assert drawn["untrained"] == metrics.generated(metrics.untrained(system, 3)).digest  # where its training began
    assert notes["hrvgan"] == "in short" and notes["untrained"] == "hrvgan before its first step"
    assert notes["real"].startswith("train clips: moving blobs: 8 clips")
    assert notes["mean clip"] == "the mean of moving blobs: 12 clips"  # of the training split
    asked.clear()
    evaluate_module.panel(system, train, test, "judge", n=9)
    assert all(options["seeds"] == (0,) and options["progress"] is False for _, _, options in asked)
    assert asked[5][0].digest == metrics.generated(metrics.untrained(system, 0)).digest != drawn["untrained"]


# Training seeds -----------------------------------------------------------------------------------


def test_a_seed_that_is_measured_again_takes_the_place_of_its_number(tmp_path):
    for seed, value in ((0, 1.0), (1, 2.0), (0, 5.0)):
        seeds = metrics.Seeds(tmp_path, seed, "all the same")
        seeds.keep("score", around(value, 0.1, f"seed {seed}"))
    assert [score.found.value for score in seeds.found("score")] == [5.0, 2.0]
    assert seeds.joined("score").value == 3.5 and seeds.found("another") == []


def test_one_training_seed_keeps_its_interval_over_samples(tmp_path):
    """As lopsided as it was, and with its clips, so that what others share with it still cancels."""
    seeds, kept = metrics.Seeds(tmp_path, 0, "all the same"), around(1.0, 1.5, "a", floor=0.0)
    seeds.keep("score", kept)
    joined = seeds.joined("score")
    assert joined.interval == kept and kept.low == 0.0 < 2 < kept.high
    assert joined.over == "samples of 1 training seed" and joined.sides == ()
