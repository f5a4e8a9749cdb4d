"""How often an interval holds the truth, and how often a true gap is decided: `make coverage` (1,000 repetitions).

Clips are points of made-up clouds, of which fresh ones can be drawn as often as one likes. An interval is asked for the
mean of its statistic over fresh draws at the same N. tests/test_intervals.py runs the same cases with 200 repetitions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrvgan_lib import metrics
from hrvgan_lib.metrics.comparisons import kernel_estimate
from hrvgan_lib.metrics.rulers.estimates import Estimate

WIDE = 64  # features of a made-up clip
MIXTURES = Path(__file__).parent / "fc6_mixtures.npz"  # tests/fit_mixtures.py


@dataclass(frozen=True)
class Case:
    """Two clouds, real and fake, and how clips are drawn from them."""

    clips: int = 256
    classes: int = 8
    balanced: bool = True  # every class has its fixed share, and the interval knows it
    groups: int = 0  # looks that the fake clips share, 0 for none
    real_groups: int = 0
    alike: float = 0.0  # correlation of two clips of one look
    apart: float = 1.0  # how far the fake cloud lies from the real one, 0 for equal clouds
    low: float = 0.93  # what the coverage of a 95 % interval has to be
    high: float = 0.98


CASES = {
    "independent": Case(balanced=False),
    "class-balanced": Case(),
    "18 groups, 0.2": Case(groups=18, real_groups=25, alike=0.2),
    "18 groups, 0.5": Case(groups=18, real_groups=25, alike=0.5),
    "25 groups, 0.2": Case(groups=25, real_groups=25, alike=0.2),
    "25 groups, 0.5": Case(groups=25, real_groups=25, alike=0.5),
    "small N": Case(clips=32),
    "101 classes": Case(classes=101),
    # two or three clips a class in groups that cross all classes: at least as wide as it has to be
    "101 classes, 25 groups, 0.2": Case(classes=101, groups=25, real_groups=25, alike=0.2, high=1.0),
    "7 groups, 0.4": Case(groups=7, real_groups=18, alike=0.4, high=1.0),
    "5 groups, 0.2": Case(groups=5, real_groups=18, alike=0.2, high=1.0),
    "equal clouds": Case(apart=0.0, high=1.0),
    "equal clouds, 18 groups, 0.5": Case(apart=0.0, groups=18, real_groups=18, alike=0.5, high=1.0),
}
STATISTICS = ("Fréchet distance", "Inception Score", "kernel distance", "share of right answers")


class World:
    """The clouds of a case, and a judge who reads them."""

    def __init__(self, case: Case) -> None:
        fixed = np.random.default_rng(7)
        self.case = case
        self.scales = np.exp(-np.arange(WIDE) / 16)  # features of a network lie along few directions
        self.centres = 0.7 * fixed.normal(size=(case.classes, WIDE)) * self.scales
        self.shift = case.apart * fixed.normal(size=WIDE) * self.scales
        mistaken = 0.5 * fixed.normal(size=(case.classes, WIDE)) * self.scales  # no judge is perfect
        self.reads = (self.centres + mistaken) / self.scales**2

    def draw(self, random: np.random.Generator, fake: bool) -> metrics.Answers:
        """What the judge makes of a fresh set of clips."""
        case, n = self.case, self.case.clips
        labels = np.arange(n) % case.classes if case.balanced else random.integers(case.classes, size=n)
        groups, units = (case.groups if fake else case.real_groups), None
        noise = random.normal(size=(n, WIDE))
        if groups:
            units = random.permutation(np.arange(n) % groups)
            looks = random.normal(size=(groups, WIDE))[units]
            noise = np.sqrt(case.alike) * looks + np.sqrt(1 - case.alike) * noise
        spread = 1 + 0.3 * case.apart if fake else 1.0
        features = self.centres[labels] + self.scales * spread * noise + (self.shift if fake else 0.0)
        logits = 0.3 * (features @ self.reads.T - 0.5 * np.square(self.reads * self.scales).sum(axis=1))
        said = np.exp(logits - logits.max(axis=1, keepdims=True))
        return metrics.Answers(
            features, features, said / said.sum(axis=1, keepdims=True), labels if case.balanced else None, units,
            np.zeros(n), features[:, :4], "made-up", "fc6", f"{fake} {random.integers(2**40)}",
            "look" if groups else "clip",
        )  # fmt: skip

    def estimates(self, random: np.random.Generator) -> dict[str, Estimate]:
        """Every statistic of one fresh draw of either kind."""
        real, fake = self.draw(random, False), self.draw(random, True)
        right = fake.probabilities.argmax(axis=1) == (fake.labels if fake.labels is not None else 0)
        found = (metrics.frechet_estimate(real, fake, 1e-6), metrics.inception_estimate(fake),
                 kernel_estimate(real, fake), metrics.share(right, fake.draw))  # fmt: skip
        return dict(zip(STATISTICS, found))


def coverage(case: Case, repetitions: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """{statistic: (share of intervals that hold the mean over fresh draws, mean width over that of fresh draws)}."""
    random, world = np.random.default_rng(seed), World(case)
    drawn = [world.estimates(random) for _ in range(repetitions)]
    found = {}
    for name in STATISTICS:
        values = np.array([one[name].value for one in drawn])
        held = np.mean([values.mean() in one[name] for one in drawn])
        widths = np.mean([one[name].high - one[name].low for one in drawn])
        found[name] = (float(held), float(widths / (2 * 1.96 * values.std())))
    return found


class Fitted:
    """Clouds fitted to what a judge saw: real training clips and HRVGAN's samples, fc6 (tests/fit_mixtures.py).

    A system is HRVGAN as it was at pull 0, and has the class means of real clips at 1. spreads: within classes it moves
    towards real clips too, which makes it more varied, and its distance harder to tell. width: how many features, by a
    fixed rotation and a little noise in the directions that carry nothing.
    """

    def __init__(self, width: int = 0, spreads: bool = False) -> None:
        self.spreads = spreads
        with np.load(MIXTURES) as kept:
            self.kept = {name: kept[name].astype(np.float64) for name in kept.files}
        size = self.kept["real_means"].shape[1]
        rotation = np.random.default_rng(3).normal(size=(max(width, size), size))
        self.turn = np.linalg.qr(rotation)[0].T if width else None

    def draw(self, random: np.random.Generator, pull: float | None, clips: int = 256) -> metrics.Answers:
        """Clips of HRVGAN pulled towards real ones, or real clips (None), balanced over the classes."""
        means, roots = self.kept["real_means"], self.kept["real_roots"]
        if pull is not None:
            means = (1 - pull) * self.kept["fake_means"] + pull * means
            own = self.kept["fake_roots"]
            roots = (1 - pull) * own + pull * roots if self.spreads else own
        labels = np.arange(clips) % len(means)
        noise = random.normal(size=(clips, means.shape[1]))
        rows = means[labels] + np.einsum("nij,nj->ni", roots[labels], noise)
        if self.turn is not None:
            rows = rows @ self.turn + 0.02 * random.normal(size=(clips, self.turn.shape[1]))
        nothing = np.zeros(clips)
        return metrics.Answers(
            rows, rows, None, labels, None, nothing, rows[:, :4], "judge", "fc6", f"{pull} {random.integers(2**40)}"
        )

    def distance(self, random: np.random.Generator, pull: float) -> Estimate:
        """One system's Fréchet distance, from fresh clips on both sides."""
        return metrics.frechet_estimate(self.draw(random, None), self.draw(random, pull), 1e-6)

    def level(self, pull: float, repetitions: int = 40) -> float:
        """Mean distance at this pull."""
        random = np.random.default_rng(11)
        return float(np.mean([self.distance(random, pull).value for _ in range(repetitions)]))

    def at(self, distance: float) -> float:
        """The pull whose mean distance is this one, by bisection."""
        low, high = -0.5, 0.9
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if self.level(middle) > distance else (low, middle)
        return (low + high) / 2

    def decided(
        self, nearer: float, farther: float, repetitions: int = 100, seed: int = 0, draws: int = 1
    ) -> dict[str, int]:
        """How often the paired difference of two systems leaves out zero, and how often their two intervals part.

        draws: of N clips each, over which a system's distance is averaged, as the profiles do.
        """
        random, paired, apart = np.random.default_rng(seed), 0, 0
        for _ in range(repetitions):
            real = self.draw(random, None)
            one, other = (
                metrics.average([metrics.frechet_estimate(real, self.draw(random, pull), 1e-6) for _ in range(draws)])
                for pull in (nearer, farther)
            )
            paired += 0 not in metrics.difference(other, one)
            apart += one.disjoint(other)
        return {"paired": paired, "two intervals": apart}


def main(repetitions: int) -> int:
    """Print coverage and power; the exit status is 1 where one is not what it has to be."""
    failed = 0
    print(f"{'case':30s}" + "".join(f"{name:>26s}" for name in STATISTICS))
    for name, case in CASES.items():
        found = coverage(case, repetitions)
        cells = [f"{held:.3f} (width {width:.2f})" for held, width in found.values()]
        wrong = [what for what, (held, _) in found.items() if not case.low <= held <= case.high]
        failed += len(wrong)
        print(f"{name:30s}" + "".join(f"{cell:>26s}" for cell in cells) + ("   OUTSIDE" if wrong else ""), flush=True)
    by_chance = 0.05 + 2 * (0.05 * 0.95 / repetitions) ** 0.5
    for spreads, draws in ((False, 1), (True, 1), (True, 4)):
        fitted = Fitted(spreads=spreads)
        near, far = fitted.at(190.0), fitted.at(190.0 * 1.09)
        gap, none = (fitted.decided(near, other, repetitions, draws=draws) for other in (far, near))
        failed += none["paired"] > by_chance * repetitions
        failed += gap["paired"] < 0.8 * repetitions and (draws > 1 or not spreads)
        moved = f"means{' and spreads' if spreads else ''} moved"
        print(
            f"distance 190, N = 256 x {draws}, {moved}: of {repetitions} gaps of 9 % the paired difference decides "
            f"{gap['paired']}, two intervals side by side {gap['two intervals']}; of as many gaps of nothing "
            f"{none['paired']}",
            flush=True,
        )
    print("all within their bounds" if not failed else f"{failed} outside their bounds")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
