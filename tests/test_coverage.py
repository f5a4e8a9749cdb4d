"""Intervals that hold the truth as often as they say, and decide what is there to decide (chapter 08).

tests/simulations.py has the made-up clouds; `make coverage` runs 1,000 repetitions of each.
"""

import numpy as np
import pytest
from simulations import CASES, STATISTICS, Fitted, coverage

from hrvgan_lib import metrics
from hrvgan_lib.metrics.rulers.draws import drawn
from hrvgan_lib.metrics.rulers.neighbours import neighbourhoods


@pytest.mark.parametrize("case", CASES)
def test_coverage_of_fresh_draws(case):
    """200 repetitions: a share of 0.95 scatters by 0.015, so that the bounds are 0.03 wider than those of 1,000."""
    found = coverage(CASES[case], 200)
    assert set(found) == set(STATISTICS)
    for name, (held, width) in found.items():
        assert CASES[case].low - 0.03 <= held <= CASES[case].high + 0.03, name
        assert width < 1.8, name  # no interval covers by being far too wide


def test_coverage_at_the_width_of_the_judge():
    random, fitted = np.random.default_rng(0), Fitted(width=1024)
    found = [fitted.distance(random, 0.2) for _ in range(200)]
    values = np.array([one.value for one in found])
    assert fitted.draw(random, 0.2).features.shape == (256, 1024)
    assert 0.90 <= np.mean([values.mean() in one for one in found]) <= 1.0
    assert np.mean([one.high - one.low for one in found]) == pytest.approx(3.92 * values.std(), rel=0.15)


def test_power_to_tell_a_gap_of_nine_per_cent_and_none_where_there_is_none():
    fitted = Fitted()
    near, far = 0.2091, 0.1715  # distances of 190 and 207
    assert fitted.level(near) == pytest.approx(190, rel=0.02)
    assert fitted.level(far) / fitted.level(near) == pytest.approx(1.09, abs=0.005)
    gap = fitted.decided(near, far)
    assert gap["paired"] >= 80
    assert gap["two intervals"] <= 20  # what two intervals side by side would have said
    assert fitted.decided(near, near)["paired"] <= 5


def test_power_with_four_draws_of_a_system_whose_variety_changes_too():
    fitted = Fitted(spreads=True)
    near, far = 0.2050, 0.1680
    assert fitted.level(near) == pytest.approx(190, rel=0.02)
    assert fitted.level(far) / fitted.level(near) == pytest.approx(1.09, abs=0.005)
    assert fitted.decided(near, far, draws=4, repetitions=50)["paired"] >= 40
    assert fitted.decided(near, near, draws=4, repetitions=100)["paired"] <= 7


def test_coverage_of_neighbourhoods():
    """Precision, recall, density and coverage of samples with and without looks; shares at the edge cover too often."""
    random = np.random.default_rng(0)
    for groups in (0, 18):
        found = []
        for _ in range(100):
            real = random.normal(size=(128, 16))
            noise = random.normal(size=(128, 16))
            units = random.permutation(np.arange(128) % groups) if groups else None
            if groups:
                noise = 0.5 * random.normal(size=(groups, 16))[units] + 0.75**0.5 * noise
            fake = 0.9 * noise + 0.4
            found.append(neighbourhoods(real, fake, drawn(128, "real"), drawn(128, "fake", units=units, unit="look")))
        for name in ("precision", "recall", "density", "coverage"):
            values = np.array([getattr(one, name).value for one in found])
            held = np.mean([values.mean() in getattr(one, name) for one in found])
            assert 0.88 <= held <= 1.0, (groups, name)
            assert 0 < values.std() and isinstance(found[0].precision, metrics.Estimate)
