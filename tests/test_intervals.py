"""What intervals are made of: draws, influences, estimates, neighbourhoods (chapter 08); coverage has its own file."""

from dataclasses import asdict, replace
from math import inf, isnan, nan

import numpy as np
import pytest
import scipy.stats

from hrvgan_lib import metrics
from hrvgan_lib.metrics.comparisons import learned, position
from hrvgan_lib.metrics.rulers.draws import drawn, with_company
from hrvgan_lib.metrics.rulers.estimates import (
    Influence,
    average,
    difference,
    estimate,
    exponential,
    influence,
    logarithm,
    mean_estimate,
    over_seeds,
    quotient,
    read_estimate,
    share,
)
from hrvgan_lib.metrics.rulers.frechet import frechet_distance, frechet_influences
from hrvgan_lib.metrics.rulers.inception import inception_influences, inception_score
from hrvgan_lib.metrics.rulers.intervals import UNTOLD
from hrvgan_lib.metrics.rulers.kernel import kernel_distance, kernel_influences
from hrvgan_lib.metrics.rulers.neighbours import neighbourhoods


@pytest.fixture
def random():
    return np.random.default_rng(0)


# Draws ----------------------------------------------------------------------------------------------------------------


def test_a_draw_says_who_is_independent_of_whom():
    alone = drawn(4, "samples")
    assert (alone.units.tolist(), alone.strata.tolist(), len(alone), alone.unit) == ([0, 1, 2, 3], [0] * 4, 4, "clip")
    people = drawn(4, "people", labels=[5, 5, 9, 9], units=[7, 7, 3, 7], unit="person")
    assert people.strata.tolist() == [0, 0, 1, 1] and people.units.tolist() == [7, 7, 3, 7]


def test_units_of_one_class_each_are_strata_and_units_of_several_are_not():
    units, which, strata, of_units = drawn(6, "", labels=[0, 0, 0, 1, 1, 1], units=[10, 11, 11, 20, 21, 21]).design()
    assert units.tolist() == [10, 11, 20, 21] and which.tolist() == [0, 1, 1, 2, 3, 3]
    assert strata.tolist() == [0, 0, 0, 1, 1, 1] and of_units.tolist() == [0, 0, 1, 1]
    *_, strata, of_units = drawn(4, "", labels=[0, 1, 0, 1], units=[8, 8, 9, 9]).design()
    assert strata.tolist() == [0, 1, 0, 1] and of_units.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("strata", "joined"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1]),
        ([0, 1, 2, 3], [0, 0, 0, 0]),  # fewer clips than classes
        ([0, 0, 1, 2], [0, 0, 1, 1]),
        ([0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 1]),  # one alone joins the smallest
        ([4], [0]),
    ],
)
def test_a_class_of_one_unit_gets_company(strata, joined):
    assert with_company(np.array(strata), np.arange(len(strata))).tolist() == joined


def test_half_of_a_draw_is_half_of_the_units_of_each_class(random):
    nested = drawn(12, "", labels=np.arange(12) // 6, units=np.arange(12) // 2)  # two classes of three units
    sizes = set()
    for _ in range(60):
        rows = nested.half(random)
        assert all((np.isin(np.flatnonzero(nested.units == unit), rows)).all() for unit in nested.units[rows])
        sizes.add(tuple(len(np.unique(nested.units[rows][nested.strata[rows] == c])) for c in (0, 1)))
    assert sizes == {(1, 1), (1, 2), (2, 1), (2, 2)}  # an odd unit is in it every second time
    crossed = drawn(12, "", labels=np.arange(12) % 3, units=np.arange(12) // 3, unit="look")
    assert {len(crossed.half(random)) for _ in range(20)} == {6}


# Influences -----------------------------------------------------------------------------------------------------------


def left_out(statistic, rows):
    """(N - 1) times what leaving out each row takes away, around its mean: the jackknife's influences."""
    whole = statistic(rows)
    each = np.array([(len(rows) - 1) * (whole - statistic(np.delete(rows, i, axis=0))) for i in range(len(rows))])
    return each - each.mean()


@pytest.mark.parametrize(("real_clips", "fake_clips", "features"), [(400, 300, 6), (60, 80, 12)])
def test_influences_on_the_frechet_distance_are_what_leaving_a_clip_out_takes_away(
    random, real_clips, fake_clips, features
):
    real, fake = random.normal(size=(real_clips, features)), 1.4 * random.normal(size=(fake_clips, features)) + 0.5
    moves = frechet_influences(real, fake)
    for found, wanted in zip(
        moves,
        (left_out(lambda r: frechet_distance(r, fake), real), left_out(lambda f: frechet_distance(real, f), fake)),
    ):
        found = found - found.mean()
        assert np.corrcoef(found, wanted)[0, 1] > 0.98
        assert found.std() == pytest.approx(wanted.std(), rel=0.12)


def test_influences_on_the_distance_have_a_closed_form_for_a_shifted_cloud(random):
    """With equal covariances the map between the clouds is the identity: only the shift is left, 2 (m_f - m_r).x."""
    cloud = random.normal(size=(50, 4))
    real, fake = frechet_influences(cloud, cloud + np.array([3, 0, 0, 0]))
    np.testing.assert_allclose(real, -6 * (cloud - cloud.mean(axis=0))[:, 0], atol=1e-8)
    np.testing.assert_allclose(fake, 6 * (cloud - cloud.mean(axis=0))[:, 0], atol=1e-8)


def test_influences_do_not_change_where_clips_are_fewer_than_features_or_clouds_are_turned(random):
    real, fake = random.normal(size=(30, 5)), random.normal(size=(20, 5)) + 1
    turn = np.linalg.qr(random.normal(size=(64, 5)))[0].T
    for one, other in zip(frechet_influences(real, fake), frechet_influences(real @ turn, fake @ turn)):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)


def test_a_cloud_that_stands_still_moves_nothing_but_the_mean(random):
    real, still = random.normal(size=(20, 3)), np.ones((10, 3))
    moves = frechet_influences(real, still)
    np.testing.assert_allclose(moves[1], 0, atol=1e-12)
    assert np.isfinite(moves[0]).all()


def test_influences_on_the_kernel_distance_and_the_score_are_what_leaving_a_clip_out_takes_away(random):
    real, fake = random.normal(size=(40, 3)), random.normal(size=(50, 3)) + 1
    value, *moves = kernel_influences(real, fake)
    assert value == pytest.approx(kernel_distance(real, fake))
    for found, wanted in zip(
        moves, (left_out(lambda r: kernel_distance(r, fake), real), left_out(lambda f: kernel_distance(real, f), fake))
    ):
        np.testing.assert_allclose(found - found.mean(), wanted, rtol=0.1, atol=0.05 * wanted.std())
    said = random.dirichlet(np.ones(4), size=200)
    wanted = left_out(inception_score, said)
    assert np.corrcoef(inception_influences(said), wanted)[0, 1] > 0.999
    assert inception_influences(said).std() == pytest.approx(wanted.std(), rel=0.02)


def test_influences_are_centred_by_class_and_added_up_by_unit():
    found = influence(drawn(4, "a", labels=[0, 0, 1, 1]), [1.0, 3.0, 10.0, 14.0])
    assert found.totals == (-0.25, 0.25, -0.5, 0.5) and found.strata == (0, 0, 1, 1)
    together = influence(drawn(4, "a", units=[5, 5, 9, 9], unit="look"), [1.0, 3.0, 10.0, 14.0])
    assert together.units == (5, 9) and together.totals == (-2.5, 2.5)
    assert (together.source, together.unit, together.clips) == ("a", "look", 4)


def test_the_variance_of_a_mean_is_the_textbooks(random):
    values = random.normal(size=30)
    variance, freedom = influence(drawn(30, ""), values).variance()
    assert (variance, freedom) == (pytest.approx(values.var(ddof=1) / 30), pytest.approx(29))
    labels = np.arange(30) % 3
    variance, freedom = influence(drawn(30, "", labels), values).variance()
    stratified = sum(10 * values[labels == c].var(ddof=1) for c in range(3)) / 30**2
    assert variance == pytest.approx(stratified) and 15 < freedom <= 27


def test_the_variance_of_a_mean_of_people_goes_by_people(random):
    people = random.normal(size=6)
    variance, freedom = influence(drawn(24, "", units=np.arange(24) // 4), people.repeat(4)).variance()
    assert variance == pytest.approx(people.var(ddof=1) / 6 * 6 / 5) and freedom == pytest.approx(5)


def test_what_looks_at_the_same_units_adds_up_and_the_rest_stays_apart():
    one = Influence("a", "clip", 3, (0, 1, 2), (0, 0, 0), (1.0, -2.0, 1.0))
    other = Influence("a", "clip", 3, (1, 2, 3), (0, 0, 0), (5.0, -5.0, 0.0))
    joined = one + other * 2.0
    assert joined.units == (0, 1, 2, 3) and joined.totals == (1.0, 8.0, -9.0, 0.0)
    assert len(estimate(1.0, one, other, replace(one, source="b")).influences) == 2


# Estimates ------------------------------------------------------------------------------------------------------------


def test_an_interval_is_students_over_clips(random):
    values = random.normal(size=12) + 5
    found = mean_estimate(values, drawn(12, ""))
    low, high = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high, found.value, found.n) == (*map(pytest.approx, (low, high, values.mean())), 12)
    assert found.method == "influences, 12 clips"


def test_two_independent_sources_make_welchs_interval(random):
    a, b = random.normal(size=9), 3 * random.normal(size=15)
    found = difference(mean_estimate(a, drawn(9, "a")), mean_estimate(b, drawn(15, "b")))
    theirs = scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


def test_a_difference_over_the_same_clips_is_a_paired_one(random):
    a = random.normal(size=20)
    b = a + 0.1 * random.normal(size=20)
    draw = drawn(20, "same")
    found = difference(mean_estimate(a, draw), mean_estimate(b, draw))
    theirs = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))


def test_a_quotient_over_the_same_clips_knows_that_they_are_the_same(random):
    real = np.exp(random.normal(size=200))
    draw = drawn(200, "same")
    same = quotient(mean_estimate(2 * real, draw), mean_estimate(real, draw))
    assert (same.low, same.high, same.value) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
    other = quotient(mean_estimate(2 * real, draw), mean_estimate(real, drawn(200, "others")))
    assert 0 < other.low < 1.8 and other.high > 2.2 and other.low * other.high == pytest.approx(other.value**2)
    nothing = quotient(mean_estimate(-real, draw), mean_estimate(real, draw))
    assert isnan(nothing.value) and nothing.method.startswith(UNTOLD) and nothing.low == 0 and nothing.high == inf


def test_an_average_over_draws_shares_what_they_share(random):
    shared, draw = random.normal(size=50), drawn(50, "reference")
    own = [random.normal(size=50) for _ in range(4)]
    draws = [
        estimate(s.mean() + shared.mean(), influence(draw, shared), influence(drawn(50, f"seed {i}"), s))
        for i, s in enumerate(own)
    ]
    found = average(draws)
    variance = shared.var(ddof=1) / 50 + sum(s.var(ddof=1) for s in own) / 50 / 16
    margin = (found.high - found.low) / 2
    assert margin == pytest.approx(1.98 * variance**0.5, rel=0.02) and len(found.influences) == 5
    assert found.value == pytest.approx(np.mean([one.value for one in draws]))


def test_a_number_over_seeds_keeps_what_all_seeds_share(random):
    shared = influence(drawn(50, "real"), random.normal(size=50))

    def one(value, seed):
        return estimate(value, shared, influence(drawn(50, f"seed {seed}"), 0.1 * random.normal(size=50)))

    two = over_seeds([one(1.0, 0), one(2.0, 1)])
    assert two.method.startswith("influences") and two.value == 1.5
    three = over_seeds([one(1.0, 0), one(2.0, 1), one(3.0, 2)])
    variance, freedom = shared.variance()
    both = [(1.0 / 3, 2.0), (variance, freedom)]
    total = sum(v for v, _ in both)
    df = total**2 / sum(v**2 / f for v, f in both)
    assert three.high - three.value == pytest.approx(scipy.stats.t.ppf(0.975, df) * total**0.5)
    assert three.method.startswith("3 training seeds (±") and three.value == 2.0
    single = share(np.ones(8), drawn(8, "seed 0"))
    assert over_seeds([single]) == single  # a share keeps its form


def test_logarithm_and_back(random):
    found = mean_estimate(np.exp(random.normal(size=30)), drawn(30, "a"))
    log = logarithm(found)
    back = exponential(log)
    assert (back.value, back.low, back.high) == pytest.approx((found.value, np.exp(log.low), np.exp(log.high)))
    np.testing.assert_allclose(back.influences[0].totals, found.influences[0].totals)
    assert isnan(logarithm(estimate(0.0)).value) and not logarithm(estimate(-1.0)).told


def test_bounds_of_a_statistic_bound_its_interval(random):
    found = mean_estimate(random.random(5), drawn(5, ""), floor=0.45, ceiling=0.5)
    assert found.low == 0.45 and found.high == 0.5


def test_estimates_come_back_from_json(random):
    import json

    found = difference(mean_estimate(random.random(5), drawn(5, "a")), mean_estimate(random.random(4), drawn(4, "b")))
    assert read_estimate(json.loads(json.dumps(asdict(found)))) == found


# Shares ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "n"), [(7, 30), (50, 100), (99, 200)])
def test_a_share_of_independent_clips_is_nearly_wilsons(right, n):
    found = share(np.arange(n) < right, drawn(n, ""))
    theirs = scipy.stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    assert found.value == right / n and found.n == n
    assert (found.low, found.high) == (pytest.approx(theirs.low, abs=0.012), pytest.approx(theirs.high, abs=0.012))


def test_all_or_none_right_is_no_certainty_and_counts_units():
    for right in (0, 1):
        clips = share(np.full(40, right), drawn(40, ""))
        people = share(np.full(40, right), drawn(40, "", units=np.arange(40) % 4, unit="person"))
        for found in (clips, people):
            assert 0 <= found.low < found.high <= 1 and found.value == right
        assert people.high - people.low > 2 * (clips.high - clips.low)
    assert "4 persons" in people.method


def test_people_who_differ_widen_a_share_and_classes_that_differ_narrow_it():
    right = np.arange(64) // 8 % 2 == 0  # eight blocks of eight, all right or all wrong
    alone = share(right, drawn(64, ""))
    people = share(right, drawn(64, "", units=np.arange(64) // 8, unit="person"))
    classes = share(right, drawn(64, "", labels=np.arange(64) // 8))
    assert people.high - people.low > 1.5 * (alone.high - alone.low)
    assert classes.high - classes.low < alone.high - alone.low


# Bad input: a wide interval or words, never a crash -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "units"),
    [
        (np.zeros(8, int), None),  # one class
        (np.arange(8), None),  # as many classes as clips
        (np.arange(8), np.arange(8)),  # groups of one
        (np.arange(8) % 2, np.arange(8)),
        (np.zeros(8, int), np.arange(8) // 4),  # two groups
        (np.arange(8) % 4, np.arange(8) % 4),  # a group a class: fewer groups than a stratum needs
    ],
)
def test_odd_designs_get_an_interval(labels, units, random):
    rows = random.normal(size=(8, 3))
    draw = drawn(8, "odd", labels, units)
    answers = metrics.Answers(rows, rows, np.abs(rows) / np.abs(rows).sum(1, keepdims=True), labels, units,
                              rows[:, 0], rows, "eye", "fc6", "odd")  # fmt: skip
    real = replace(answers, source="real", features=rows + 0.1 * random.normal(size=(8, 3)))
    found = [metrics.frechet_estimate(real, answers), metrics.inception_estimate(answers),
             metrics.kernel_estimate(real, answers), share(rows[:, 0] > 0, draw),
             *vars(metrics.neighbourhood_estimates(real, [answers])).values()]  # fmt: skip
    for one in found:
        assert one.low <= one.value <= one.high and not one.method.startswith(UNTOLD)


def test_a_single_unit_tells_nothing_and_says_so(random):
    found = mean_estimate(random.random(6), drawn(6, "", units=np.zeros(6), unit="person"), floor=0.0)
    assert found.method == "cannot be told: a single person" and (found.low, found.high) == (0.0, inf)
    assert "cannot be told" in str(found)
    certain = share(np.ones(6), drawn(6, "", units=np.zeros(6), unit="look"))
    assert (certain.low, certain.high) == (0.0, 1.0)
    both = difference(found, mean_estimate(random.random(6), drawn(6, "b")))
    assert both.low == -inf and both.high == inf and both.method.startswith(UNTOLD)


def test_numbers_that_are_not_finite_tell_nothing(random):
    rows = random.normal(size=(8, 3))
    broken = rows.copy()
    broken[3, 1] = nan
    answers = metrics.Answers(rows, rows, np.full((8, 2), 0.5), None, None, rows[:, 0], rows, "eye", "fc6", "fake 0")
    lost = replace(answers, features=broken, probabilities=np.full((8, 2), nan))
    for found in (metrics.frechet_estimate(answers, lost), metrics.frechet_estimate(lost, answers),
                  metrics.kernel_estimate(answers, lost), metrics.inception_estimate(lost),
                  metrics.neighbourhood_estimates(answers, [answers, lost]).density):  # fmt: skip
        assert isnan(found.value) and found.method.startswith(UNTOLD) and "fake" in found.method
    assert "features of clip 3" in metrics.frechet_estimate(answers, lost).method
    gap = difference(metrics.frechet_estimate(answers, lost), metrics.frechet_estimate(answers, answers))
    assert isnan(gap.value) and (gap.low, gap.high) == (-inf, inf)
    assert not learned(gap, gap, gap, better=-1)


def test_equal_systems_are_not_told_apart(random):
    rows = random.normal(size=(20, 4))
    real = metrics.Answers(random.normal(size=(20, 4)), rows, None, None, None, rows[:, 0], rows, "e", "fc6", "real")
    one = replace(real, features=rows, source="one")
    same = difference(metrics.frechet_estimate(real, one), metrics.frechet_estimate(real, one))
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)  # zero is not left out
    twin = difference(metrics.frechet_estimate(real, one), metrics.frechet_estimate(real, replace(one, source="two")))
    assert 0 in twin and twin.low < 0 < twin.high


# Learned, and placed --------------------------------------------------------------------------------------------------


def around(value, margin, source):
    rows = value + margin * np.array([-1.0, 1.0]) / 12.71
    return mean_estimate(rows, drawn(2, source))  # Student's factor for two clips is 12.71


@pytest.mark.parametrize(
    ("trained", "untrained", "real", "said"),
    [
        (50, 100, 10, True),
        (92, 100, 10, False),
        (90.97, 100, 10, False),  # a gain of 9.03 on a way of 90, but not with the whole interval
        (89, 100, 10, True),
        (120, 100, 10, False),
        (50, 100, 110, False),  # a ruler that puts real clips behind an untrained network
        (130, 100, 110, False),
        (100, 100, 100, False),  # no way at all
    ],
)
def test_a_system_has_learned_behind_a_tenth_of_the_way(trained, untrained, real, said):
    numbers = [around(value, 0.1, name) for value, name in ((trained, "a"), (untrained, "b"), (real, "c"))]
    assert learned(*numbers, better=-1) is said
    mirrored = [around(1000 - one.value, 0.1, name) for one, name in zip(numbers, "abc")]
    assert learned(*mirrored, better=1) is said


def test_a_wide_gain_or_real_clips_of_which_nothing_can_be_told_show_no_learning():
    narrow, start, real = around(4.0, 0.1, "a"), around(1.0, 0.1, "b"), around(6.0, 0.1, "c")
    assert learned(narrow, start, real, better=1)
    assert not learned(around(4.0, 9.0, "a"), start, real, better=1)
    untold = mean_estimate(np.full(4, 6.0), drawn(4, "c", units=np.zeros(4), unit="source video"))
    assert not untold.told and not learned(narrow, start, untold, better=1)


def test_the_threshold_of_learning_is_paired_with_the_number():
    """Real clips that move all three numbers alike move the gain and not the verdict."""
    real_clips = influence(drawn(40, "reference"), np.tile([30.0, -30.0], 20))
    numbers = [estimate(value, real_clips) for value in (50.0, 100.0, 10.0)]
    assert numbers[0].high - numbers[0].low > 15 and learned(*numbers, better=-1)


def test_a_position_is_taken_from_the_nearest_ceiling():
    assert position(60, 10, [110, 1_000, 700]) == pytest.approx(0.5)
    assert position(10, 10, [110, 1_000]) == 0.0 and position(160, 10, [110]) == pytest.approx(1.5)
    assert position(2.0, 6.0, [1.0, 1.5]) == pytest.approx(4 / 4.5)  # a score: ceilings lie below real clips
    assert position(60, 10, [110, 5]) is None  # something that shows nothing is as good as real clips


# Neighbourhoods -------------------------------------------------------------------------------------------------------


def by_hand(real, fake, k):
    """Precision, recall, density, coverage as their papers define them, one pair of clips after the other."""

    def reach(clips, i):
        return sorted(np.linalg.norm(clips[i] - other) for j, other in enumerate(clips) if j != i)[k - 1]

    balls, others = [reach(real, i) for i in range(len(real))], [reach(fake, i) for i in range(len(fake))]
    within = np.array([[np.linalg.norm(r - f) < ball for f in fake] for r, ball in zip(real, balls)])
    around_fakes = np.array([[np.linalg.norm(r - f) < ball for r in real] for f, ball in zip(fake, others)])
    return (within.any(axis=0).mean(), around_fakes.any(axis=0).mean(), within.sum() / k / len(fake),
            within.any(axis=1).mean())  # fmt: skip


@pytest.mark.parametrize(("sizes", "k"), [((20, 20), 5), ((30, 12), 3), ((9, 14), 5)])
def test_neighbourhoods_are_what_their_papers_define(random, sizes, k):
    real, fake = random.normal(size=(sizes[0], 3)), 0.8 * random.normal(size=(sizes[1], 3)) + 0.3
    found = neighbourhoods(real, fake, drawn(sizes[0], "r"), drawn(sizes[1], "f"), nearest=k)
    numbers = [getattr(found, name).value for name in ("precision", "recall", "density", "coverage")]
    assert numbers == pytest.approx(by_hand(real, fake, k))


@pytest.mark.parametrize(
    ("number", "shape", "k", "published"),
    [
        (0, (200, 150, 16, 0.3, 0.9), 5, (0.9333333333333333, 0.61, 1.2013333333333334, 0.81)),
        (1, (100, 100, 4, 1.0, 1.0), 3, (0.5, 0.89, 0.31666666666666665, 0.43)),
        (2, (64, 80, 64, 0.2, 1.2), 5, (0.1, 0.984375, 0.04000000000000001, 0.21875)),
        (3, (120, 90, 8, 0.0, 0.5), 5, (1.0, 0.18333333333333332, 2.58, 0.9416666666666667)),
    ],
)
def test_neighbourhoods_agree_with_the_package_of_their_authors(number, shape, k, published):
    """What `compute_prdc` of the package prdc 0.2 (Naeem et al.) gave for these clouds, k its `nearest_k`."""
    clips, samples, width, shift, scale = shape
    random = np.random.default_rng(number)
    real, fake = random.normal(size=(clips, width)), scale * random.normal(size=(samples, width)) + shift
    found = neighbourhoods(real, fake, drawn(clips, "r"), drawn(samples, "f"), nearest=k)
    numbers = (found.precision.value, found.recall.value, found.density.value, found.coverage.value)
    assert numbers == pytest.approx(published, abs=1e-12)


def test_neighbourhood_influences_are_those_of_leaving_one_clip_out(random):
    real, fake = random.normal(size=(40, 3)), 0.9 * random.normal(size=(30, 3)) + 0.3
    names = ("precision", "recall", "density", "coverage")

    def numbers(r, f):
        found = neighbourhoods(r, f, drawn(len(r), "r"), drawn(len(f), "f"))
        return {name: getattr(found, name) for name in names}

    whole = numbers(real, fake)
    for name in names:
        parts = {part.source: np.array(part.totals) * part.clips for part in whole[name].influences}
        without = np.array([numbers(np.delete(real, i, 0), fake)[name].value for i in range(40)])
        wanted = 39 * (whole[name].value - without)
        np.testing.assert_allclose(parts["r"] * 39 / 40, (wanted - wanted.mean()) * (39 / 40), rtol=0.05, atol=0.05)


def test_few_clips_make_smaller_neighbourhoods_and_three_none(random):
    rows = random.normal(size=(4, 2))
    found = neighbourhoods(rows, rows + 0.01, drawn(4, "r"), drawn(4, "f"))
    assert 0 <= found.coverage.value <= 1 and found.precision.low <= found.precision.value
    with pytest.raises(ValueError, match="at least 4 clips on each side, got 4 and 3"):
        neighbourhoods(rows, rows[:3], drawn(4, "r"), drawn(3, "f"))
