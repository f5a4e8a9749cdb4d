"""What the paper leaves open, measured once and committed: figures/study/ (`make study`; shown in chapter 11).

Seven parts, each a table and a figure: which layer of C3D gives distances of 10^5; what it takes to decide an order;
the paper's text against our preset, one field at a time; ways to hold a critic; what a score owes to size and pace; how
far each rival is after how many clips; and the tries behind our preset.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from hrvgan_lib import metrics, paper, provenance
from hrvgan_lib.ablations import FRAMES, SIZE, Arm, Outcome, compared, distances, joined, run_arm
from hrvgan_lib.book import learning, open_page
from hrvgan_lib.files import write_atomic
from hrvgan_lib.keys import key_of
from hrvgan_lib.losses import LIPSCHITZ
from hrvgan_lib.metrics.eyes.c3d import C3D
from hrvgan_lib.metrics.eyes.judge_training import Recipe, train_judge
from hrvgan_lib.mishaps import command
from hrvgan_lib.networks import system_class
from hrvgan_lib.networks.hrvgan import PRESETS
from hrvgan_lib.profiles import get_profile, run_name
from hrvgan_lib.series.jobs import Entry, Job, set_threads, side_by_side, start_server
from hrvgan_lib.series.reproduce import Settings, alone, train_one
from hrvgan_lib.series.reproduce import train_judge as train_the_judge
from hrvgan_lib.series.words import whole_number
from hrvgan_lib.streams import stream
from hrvgan_lib.trainings import LABELLED, RIVALS, Training

if TYPE_CHECKING:
    from hrvgan_lib.book.page import Page
    from hrvgan_lib.metrics import Answers, Estimate, Judge
    from hrvgan_lib.networks import System
    from hrvgan_lib.training import StepRecord

# What our preset changes in the paper's text; how E codes a clip the text leaves open.
FIELDS = ("pixel_reduction", "learning_rate", "betas", "mismatched_labels")
READINGS = ("bce_shift", "wgan")  # of Eqs 12-14
WAYS: dict[str, dict[str, dict[str, str]]] = {  # how each rival is trained: a name, and its options
    system: {"published": {}, "common": {"recipe": "common"}} for system in RIVALS
}
WAYS["mocogan"] = {  # decision E9: as published but for its batches, which are whole
    "published, whole batches": {},
    "common": {"recipe": "common"},
    "published, batches shared out": {"batches": "shared out"},
    "published, first weights of 2017": {"first_weights": "2017"},
}
# What was tried on the way to `stable`, one change each: options of the system, and of the training where a batch is
# named (as many clips in fewer steps). Read by the distance, the accuracy, the coverage and the variety of held-out
# clips, with another judge and another training seed than any other table has. A gradient penalty is not among them:
# its step takes a dozen times as long; `lipschitz` above has it at a smaller shape.
TRIES: dict[str, dict[str, Any]] = {
    "stable": {},
    "codes on the sphere, half noise": {"code": "sphere"},
    "codes charged a fifth": {"code_weight": 0.01},
    "codes charged four times": {"code_weight": 0.2},
    "batches of 32, a quarter of the steps": {"batch": 32},
    "G as slow as D": {"learning_rate": 2e-4},
    "D as fast as G": {"discriminator_learning_rate": 1e-3},
    "no wrong labels": {"mismatched_labels": False},
    "adversarial term a fifth": {"alpha": 0.1},
    "D judges G(E(Y)) too": {"adversarial_path": "both"},
    "pixel norm in D": {"discriminator_norm": "pixel"},
    "no norm in D, spectral norm": {"discriminator_norm": "none", "lipschitz": "spectral_norm"},
}
TRIES_SEED = 7  # of the trainings and of the judge
GAPS = (0.08, 0.09, 0.14, 0.30)  # of HRVGAN to TGAN and VGAN in the paper, on Golf and on Aeroplane
PAPER_DISTANCE = min(row.golf for row in paper.TABLE4)


@dataclass(frozen=True)
class Size:
    """How much of everything: the published tables have the defaults."""

    steps: int = 100  # of an arm at 8x16x16
    field_seeds: int = 3
    lipschitz_seeds: int = 5
    rival_steps: tuple[int, ...] = (100, 400, 1500)
    tries_steps: int = 200
    c3d_steps: int = 300  # twenty minutes on one core
    c3d_width: float = 1.0
    samples: int = 256  # of an arm or a system


SMALL = Size(1, 2, 2, (1, 2), 1, 2, 1 / 32, 16)  # every part, in no time: for tests


def fields_of(changed: Iterable[str]) -> dict[str, Any]:
    """The paper's text with some of our preset's fields."""
    return {"preset": "literal"} | {name: PRESETS["stable"][name] for name in changed}


def field_arms() -> dict[frozenset[str], Arm]:
    """All 2^4 mixtures of the paper's text and our preset."""
    subsets = [frozenset(some) for count in range(len(FIELDS) + 1) for some in combinations(FIELDS, count)]
    return {
        some: Arm(" + ".join(name for name in FIELDS if name in some) or "text", fields_of(some)) for some in subsets
    }


def lipschitz_arms() -> dict[tuple[str, str], Arm]:
    """Both readings of Eqs 12-14 with each way to hold D."""
    return {
        (reading, way): Arm(f"{reading}, {way}", {"adversarial": reading, "lipschitz": way})
        for reading, way in product(READINGS, LIPSCHITZ)
    }


def rival_trainings(profile: Any, size: Size) -> list[tuple[str, str, int, Training]]:
    """Every rival in each way, stopped after each number of steps: (system, recipe, steps, training)."""
    found = []
    for system, ways in WAYS.items():
        for (recipe, options), steps in product(ways.items(), size.rival_steps):
            shape = (profile.frames, profile.size, profile.batch, steps)
            found.append((system, recipe, steps, Training(system, LABELLED, False, *shape, ("study",), options)))
    return found


def arm_trainings(profile: Any, size: Size, arms: Iterable[Arm], seeds: int) -> list[Training]:
    """HRVGAN with labels at 8x16x16, each arm with each seed."""
    shape = (FRAMES, SIZE, profile.batch, size.steps)
    return [
        Training("hrvgan", LABELLED, True, *shape, ("study",), {"width": profile.study_width} | dict(arm.options), seed)
        for arm in arms
        for seed in range(seeds)
    ]


def try_trainings(profile: Any, size: Size) -> dict[str, Training]:
    """HRVGAN with labels in the profile's shape, once for each of `TRIES`, all on as many clips."""
    found = {}
    for name, changed in TRIES.items():
        batch = changed.get("batch", profile.batch)
        steps = max(1, size.tries_steps * profile.batch // batch)
        options = {option: value for option, value in changed.items() if option != "batch"}
        shape = (profile.frames, profile.size, batch, steps)
        found[name] = Training("hrvgan", LABELLED, True, *shape, ("study",), options, TRIES_SEED)
    return found


def trainings(profile: Any, size: Size) -> dict[str, list[Training]]:
    """The trainings that each part reads."""
    rivals = [one for *_, one in rival_trainings(profile, size)]
    held = lipschitz_arms()
    return {
        "fields": arm_trainings(profile, size, field_arms().values(), size.field_seeds),
        "lipschitz": arm_trainings(profile, size, held.values(), size.lipschitz_seeds),
        "rivals": rivals,
        "tries": list(try_trainings(profile, size).values()),
        "decisions": rivals + arm_trainings(profile, size, [held["bce_shift", "none"]], size.lipschitz_seeds),
    }


class Study:
    """One page, its data and its judge, and the parts that write their tables."""

    def __init__(self, page: Page, size: Size) -> None:
        self.page, self.size = page, size
        self.clips, self.held_out = page.dataset("actions"), page.dataset("actions", split="test")
        self.data = [self.clips, self.held_out]

    @cached_property
    def judge(self) -> Judge:
        return learning.judge(self.page)

    def arms(self, arms: dict[Any, Arm], seeds: int) -> dict[Any, Outcome]:
        """Train and measure arms at 8x16x16."""
        train_set, test_set = (
            self.page.dataset("actions", split=split, frames=FRAMES, size=SIZE) for split in ("train", "test")
        )
        return {
            key: run_arm(
                arm,
                train_set,
                test_set,
                self.judge,
                self.page.profile,
                steps=self.size.steps,
                seeds=range(seeds),
                n=self.size.samples,
                folder=self.page.runs,
            )
            for key, arm in arms.items()
        }

    # Literal against stable ---------------------------------------------------------------------------------------
    def fields(self) -> None:
        """The paper's text against our preset, one field at a time, in every company of the other three."""
        found = self.arms(field_arms(), self.size.field_seeds)
        logs = {some: np.log([record.frechet.value for record in one.records]) for some, one in found.items()}
        rows = []
        for field in FIELDS:
            without = [some for some in found if field not in some]
            pairs = np.stack([logs[some | {field}] - logs[some] for some in without])  # (8, seeds)
            over = metrics.seed_interval(pairs.mean(axis=0))  # mixtures of one seed share its luck
            alone = float(np.exp((logs[frozenset([field])] - logs[frozenset()]).mean()))
            rows.append(
                {
                    "field": field,
                    "text": str(getattr(_literal(), field)),
                    "ours": str(PRESETS["stable"][field]),
                    "Fréchet distance, with over without": float(np.exp(over.value)),
                    "95 % low": float(np.exp(over.low)),
                    "95 % high": float(np.exp(over.high)),
                    "alone": alone,
                    "training seeds": pairs.shape[1],
                }
            )
        note = (
            f"Geometric means over the eight mixtures of the other three fields; interval over {self.size.field_seeds} "
            f"training seeds; below 1 the field helps. {self._arm_note(self.size.field_seeds)}"
        )
        self.page.table(rows, name="fields", data=self.data, samples=self.size.samples, note=note)
        every = [{"of our preset": one.arm.name, **_row(one)} for one in found.values()]
        note = f"Intervals over samples and training seeds. {self._arm_note(self.size.field_seeds)}"
        self.page.table(every, name="fields_all", data=self.data, samples=self.size.samples, note=note)
        self._bars(
            "fields_figure", {row["field"]: row for row in rows}, "Fréchet distance, with the field over without"
        )

    # Ways to hold a critic ----------------------------------------------------------------------------------------
    def lipschitz(self) -> None:
        """Two readings of Eqs 12-14 and four ways to hold D: distances, divergences, D's slope."""
        found, rows = self.arms(lipschitz_arms(), self.size.lipschitz_seeds), []
        for (reading, way), one in found.items():
            failed = [bool(system.diverged) for system in one.systems]
            free = [bool(system.diverged) for system in found[reading, "none"].systems]
            table = [[sum(failed), len(failed) - sum(failed)], [sum(free), len(free) - sum(free)]]
            slopes = [self._slope(system) for system in one.systems]
            over = compared(distances(one), distances(found[reading, "none"]))
            rows.append(
                {
                    "reading": reading,
                    "held by": way,
                    "diverged": sum(failed),
                    "of": len(failed),
                    "Fisher's p against none": float(stats.fisher_exact(table).pvalue),
                    **_row(one),
                    "over none's": over.value,
                    "its 95 % low": over.low,
                    "its 95 % high": over.high,
                    "slope of D, median": float(np.median(slopes)),
                    "largest": float(np.max(slopes)),
                }
            )
        held = [row for row in rows if row["held by"] != "none"]
        told = sum(not row["its 95 % low"] <= 1 <= row["its 95 % high"] for row in held)
        self.page.table(
            rows,
            name="lipschitz",
            data=self.data,
            samples=self.size.samples,
            note=f"{sum(row['diverged'] for row in rows)} of {sum(row['of'] for row in rows)} trainings diverged. Over "
            f"none's: the ratio of the distances, seed by seed; {told} of {len(held)} intervals leave out 1. Slope: "
            "mean length of D's gradient at 32 points between held-out and generated clips; median and largest over "
            f"training seeds. {self._arm_note(self.size.lipschitz_seeds)}",
        )
        bars = {
            f"{row['reading']}, {row['held by']}": {
                "over": row["over none's"],
                "95 % low": row["its 95 % low"],
                "95 % high": row["its 95 % high"],
            }
            for row in held
        }
        self._bars("lipschitz_figure", bars, "Fréchet distance, over that of a D which nothing holds", value="over")

    def _slope(self, system: Any) -> float:
        """Mean length of D's gradient between held-out and generated clips; NaN where it is not finite."""
        clips, labels = self.page.dataset("actions", split="test", frames=FRAMES, size=SIZE).batch(range(32))
        fakes, share = (
            system.sample(32, labels, stream("slope")).nan_to_num(),
            torch.rand(32, 1, 1, 1, 1, generator=stream("between")),
        )
        between = (share * clips + (1 - share) * fakes).to(system.device).requires_grad_()
        score = system.discriminator.eval()(between, labels.to(system.device)).sum()
        return float(torch.autograd.grad(score, between)[0].flatten(1).norm(dim=1).mean())

    # Rivals against clips seen ------------------------------------------------------------------------------------
    def rivals(self) -> None:
        """How far each rival is from real clips after how many clips, in both recipes."""
        rows: list[dict[str, Any]] = []
        real = self._measure(metrics.real_clips(self.held_out)).frechet
        for system, recipe, _, training in rival_trainings(self.page.profile, self.size):
            trained, records, after, before = self._rival(training)
            rows.append(
                {
                    "system": system,
                    "recipe": recipe,
                    "clips seen": records[-1].clips_seen if records else 0,
                    "Fréchet distance": after.value,
                    "95 % low": after.low,
                    "95 % high": after.high,
                    "untrained": before.value,
                    "real": real.value,
                    "clear of untrained": metrics.learned(after, before, real, better=-1),
                    "diverged": trained.diverged,
                }
            )
        self.page.table(
            rows,
            name="rivals",
            data=self.data,
            samples=self.size.samples,
            note=f"{self.clips.frames}x{self.clips.size}x{self.clips.size}, width {self.page.profile.width:g}, "
            f"training seed 0; real: held-out clips; intervals over samples. {self._behind()}",
        )
        import matplotlib.pyplot as plt

        from hrvgan_lib import book

        figure, axes = plt.subplots(1, len(WAYS), figsize=(9, 3.2), sharey=True)
        budgets = sorted({int(row["clips seen"]) for row in rows})
        for axis, (system, ways) in zip(axes, WAYS.items()):
            for number, (recipe, mark) in enumerate(zip(ways, ("o-", "s--", "^:", "v-."))):
                mine = [row for row in rows if (row["system"], row["recipe"]) == (system, recipe)]
                value = np.array([row["Fréchet distance"] for row in mine])
                bars = np.array([[row["95 % low"] for row in mine], [row["95 % high"] for row in mine]])
                axis.errorbar(
                    [row["clips seen"] * 1.06**number for row in mine],  # a little apart, so that bars do not overlap
                    value,
                    np.abs(bars - value),
                    fmt=mark,
                    capsize=2,
                    color=book.SYSTEM_COLOURS[system],
                    alpha=1 - 0.2 * number,
                    label=recipe,
                )
            axis.axhline(mine[0]["untrained"], color="0.4", linestyle="--", linewidth=1)
            axis.set(xscale="log", xlabel="clips seen", title=system_class(system).__name__)
            axis.set_xticks(budgets, [f"{clips:,}" for clips in budgets])
            axis.minorticks_off()
            axis.legend(fontsize=7, frameon=False, loc="lower left")
        axes[0].set(ylim=(0, 1.05 * max(row["95 % high"] for row in rows)))
        axes[0].set(ylabel=f"Fréchet distance\n(dashed: untrained; real clips: {real.value:.2g})")
        self.page.figure(
            figure,
            name="rivals_figure",
            alt="Fréchet distance of each rival against clips seen, with intervals, beside its untrained network's",
            data=self.data,
            samples=self.size.samples,
        )

    def _measure(self, source: metrics.Source) -> metrics.Evaluation:
        return metrics.evaluate(
            source,
            self.judge,
            self.clips,
            held_out=self.held_out,
            n=self.size.samples,
            folder=self.page.runs / "evaluations",
        )

    def _rival(self, training: Training) -> tuple[System, list[StepRecord], Estimate, Estimate]:
        """A trained rival, its records, its distance, and that of the same network before its first step."""
        trained, records = learning.learn(self.page, training)
        made = metrics.generated(trained, training.system, training.name)
        start = metrics.generated(metrics.untrained(trained), "untrained", f"{training.system} before its first step")
        return trained, records, self._measure(made).frechet, self._measure(start).frechet

    # Which layer ---------------------------------------------------------------------------------------------------
    def layers(self) -> None:
        """Fréchet distances through a C3D as published, on 0..255, layer by layer and N by N, trained and not."""
        sets = [self.page.dataset("actions", split=split, frames=16, size=32) for split in ("train", "test")]
        rows, trained = [], self._c3d(sets[0])
        for name, network in (("trained", trained), ("random weights", self._blank(sets[0]))):
            real, held_out = (_features(network, _some(clips, self.size.samples)) for clips in sets)
            noise = _features(
                network, torch.randn(self.size.samples, 3, 16, 32, 32, generator=stream("noise")).clamp(-1, 1)
            )
            for layer, count in product(real, sorted({self.size.samples // 4, self.size.samples})):
                near, far = (
                    metrics.frechet_distance(real[layer][:count], other[layer][:count]) for other in (held_out, noise)
                )
                rows.append(
                    {
                        "C3D": name,
                        "layer": layer,
                        "features": real[layer].shape[1],
                        "N": count,
                        "real clips": near,
                        "noise": far,
                        "holds the paper's lowest": near <= PAPER_DISTANCE <= far,
                        "noise there with features times": (PAPER_DISTANCE / far) ** 0.5,
                        "real clips there with features times": (PAPER_DISTANCE / near) ** 0.5,
                    }
                )
        self.page.table(
            rows,
            name="layers",
            data=sets,
            samples=self.size.samples,
            note=f"A C3D of the published shape, width {self.size.c3d_width:g}, that reads 16 frames of 32x32 in grey "
            f"levels 0 to 255 less 128. Trained: {self.size.c3d_steps} steps of 8 with batch norms, which are then "
            f"folded into the convolutions; it names {_right(trained, sets[1]):.0%} of {len(sets[1])} held-out clips "
            f"right. The paper's lowest value is {PAPER_DISTANCE:,}. {sets[0].describe()}; as many clips of each kind "
            "as N says.",
        )
        bars = {
            f"{row['C3D']}, {row['layer']}": row | {"95 % low": row["real clips"], "95 % high": row["noise"]}
            for row in rows
            if row["N"] == self.size.samples
        }
        self._bars(
            "layers_figure",
            bars,
            "Fréchet distance, from real clips to noise",
            value="real clips",
            one=float(PAPER_DISTANCE),
            named=f"the paper's lowest, {PAPER_DISTANCE:,}",
        )

    def _blank(self, clips: Any, batch_norm: bool = False) -> C3D:
        with torch.random.fork_rng():
            torch.manual_seed(self.page.seed)
            network = C3D(clips.n_classes, self.size.c3d_width, clips.frames, clips.size, batch_norm, dropout=0.2)
        return network

    def _c3d(self, clips: Any) -> C3D:
        """The published shape, trained on grey levels with batch norms, and without them since; kept in the run's
        folder."""
        recipe = Recipe(
            self.size.c3d_width, self.size.c3d_steps, batch=8, learning_rate=2.5e-4, dropout=0.2, seed=self.page.seed
        )
        place = (
            self.page.runs
            / f"c3d-{key_of('hrvgan_lib.metrics.eyes.judge_training', recipe=recipe, data=clips.digest)}.pt"
        )
        network = self._blank(clips, batch_norm=True)
        if place.is_file():
            network.load_state_dict(torch.load(place, weights_only=True))
        else:
            for row in train_judge(_GreyLevels(network), clips, recipe):  # type: ignore[arg-type]
                if row.step % 50 == 0:
                    said = f"C3D on 0..255: step {row.step}, loss {row.loss:.3f}, right {row.accuracy:.2f}"
                    print(said, file=sys.stderr, flush=True)
            write_atomic(place, lambda temporary: torch.save(network.state_dict(), temporary))
        return folded(network)

    # What a score owes to size and pace ----------------------------------------------------------------------------
    def paces(self) -> None:
        """Inception Score and distance of held-out real clips at other sizes and paces, through one judge."""
        rows, judge = [], self.judge
        reference = metrics.ask(judge, metrics.real_clips(self.clips), self.size.samples)
        own, full = self.held_out.stride, self.held_out.size
        # Six apart the eight frames span 43 source frames, of the 48 that there are.
        for stride, side in [
            *((stride, full) for stride in (1, 2, own, 6)),
            *((own, side) for side in (24, 16, 12, 8)),
        ]:
            clips = self.page.dataset("actions", split="test", stride=stride)
            source = metrics.real_clips(clips)
            if side != clips.size:
                source = metrics.treated(source, source.name, partial(_through, side=side), f"through {side}x{side}")
            seen = metrics.ask(judge, source, self.size.samples)
            score, far = metrics.inception_estimate(seen), metrics.frechet_estimate(reference, seen)
            rows.append(
                {
                    "size": side,
                    "frames apart": stride,
                    "Inception Score": score.value,
                    "95 % low": score.low,
                    "95 % high": score.high,
                    "named right": seen.accuracy.value if seen.accuracy else None,
                    "Fréchet distance": far.value,
                }
            )
        self.page.table(
            rows,
            name="paces",
            data=self.data,
            samples=self.size.samples,
            note=f"Held-out real clips, shrunk and enlarged again, through the judge of "
            f"{judge.network.frames}x{judge.network.size}x{judge.network.size}, {judge.stride} apart; distances from "
            f"training clips at their own size and pace. {self._behind()}",
        )
        bars = {f"{row['size']}x{row['size']}, {row['frames apart']} apart": row for row in rows}
        self._bars("paces_figure", bars, "Inception Score", value="Inception Score", one=None, scale="linear")

    # The tries behind our preset ---------------------------------------------------------------------------------
    def tries(self) -> None:
        """How HRVGAN with labels does with one choice changed, after a few minutes of training."""
        judge = self._other_judge()
        shown = _some(self.clips, self.size.samples)
        rows: list[dict[str, Any]] = []
        for name, training in try_trainings(self.page.profile, self.size).items():
            system, records = learning.learn(self.page, training)
            source = metrics.generated(system, "hrvgan", name)
            found = metrics.evaluate(
                source, judge, self.held_out, held_out=self.held_out, n=self.size.samples,
                folder=self.page.runs / "evaluations",
            )  # fmt: skip
            made = system.sample(self.size.samples, generator=stream("tries")).nan_to_num()
            far, named = found.frechet, found.accuracy
            assert named is not None and found.coverage is not None
            rows.append(
                {
                    "change": name,
                    "clips seen": records[-1].clips_seen if records else 0,
                    "Fréchet distance": far.value,
                    "95 % low": far.low,
                    "95 % high": far.high,
                    "named as asked": named.value,
                    "coverage": found.coverage.value,
                    "variety": found.behaviour.variety,
                    "looks": looks_found(made, self.clips),
                    "colour, of real clips'": chroma(made) / chroma(shown),
                    "diverged": system.diverged,
                }
            )
        looks = len(set(self.clips.units))
        self.page.table(
            rows,
            name="tries",
            data=self.data,
            samples=self.size.samples,
            note=f"HRVGAN with labels, {self.clips.frames}x{self.clips.size}x{self.clips.size}, width "
            f"{self.page.profile.width:g}, {self.size.tries_steps} steps of {self.page.profile.batch} or as many "
            f"clips, training and judge of seed {TRIES_SEED}; against held-out clips; looks: of {looks}, the nearest "
            f"to some sample, by the mean frame at 8x8. {self._behind()}",
        )
        self._bars("tries_figure", {row["change"]: row for row in rows}, "Fréchet distance", "Fréchet distance", None)

    def _other_judge(self) -> Judge:
        train_set, test_set = (
            self.page.dataset("actions", split=split, **learning.judge_shape(self.page)) for split in ("train", "test")
        )
        return metrics.judge_for(
            train_set, test_set, self.page.profile, data_root=self.page.data_root, folder=self.page.runs / "judges",
            seed=TRIES_SEED,
        )  # fmt: skip

    # What it takes to decide an order ------------------------------------------------------------------------------
    def decisions(self) -> None:
        """Samples and training seeds that confirm a gap between two systems."""
        judge = self.judge
        last = {
            (system, recipe): training for system, recipe, _, training in rival_trainings(self.page.profile, self.size)
        }
        ours = self.arms({"ours": lipschitz_arms()["bce_shift", "none"]}, self.size.lipschitz_seeds)["ours"]
        spreads = [_spread(one.frechet, other.frechet, one.n) for one, other in combinations(ours.records, 2)]
        counts = sorted({max(8, self.size.samples // 4), max(16, self.size.samples // 2), self.size.samples})
        for count in counts:
            reference = metrics.ask(judge, metrics.real_clips(self.clips), count)
            far = [
                metrics.frechet_estimate(reference, self._asked(judge, training, count)) for training in last.values()
            ]
            spreads += [_spread(one, other, count) for one, other in combinations(far, 2)]
        typical, hardest = float(np.median(spreads)), float(np.max(spreads))
        noise = float(np.std(np.log([record.frechet.value for record in ours.records]), ddof=1))
        rows = [
            {
                "gap": gap,
                **{
                    f"samples of each, {name} pair": max(counts[0], int(np.ceil((spread / gap) ** 2)))
                    for name, spread in (("typical", typical), ("hardest", hardest))
                },
                "training seeds of each": seeds_for(gap, noise),
            }
            for gap in GAPS
        ]
        pairs = {
            f"{a} / {b}, {name}": abs(1 - paper.frechet_ratio(name, a, to=b))
            for name in ("golf", "aeroplane")
            for a, b in ((paper.OURS, "VGAN"), (paper.OURS, "TGAN"), ("TGAN", "VGAN"))
        }
        said = "; ".join(f"{name} {gap:.1%}" for name, gap in pairs.items())
        self.page.table(
            rows,
            name="decisions",
            data=self.data,
            samples=self.size.samples,
            note=f"Paired 95 % intervals of Fréchet distances through fc6 of the judge, {len(spreads)} pairs of "
            f"systems, N from {counts[0]}: half as wide as {typical:.2g} / root of N of the distance for the typical "
            f"pair, {hardest:.2g} for the hardest; {noise:.1%} between training seeds of one network "
            f"({self.size.lipschitz_seeds} seeds at 8x16x16). In the paper: {said}. {self._behind()}",
        )
        import matplotlib.pyplot as plt

        figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
        reach, seeds = np.geomspace(counts[0], 64 * counts[0]), np.arange(2, 17)
        for name, spread, line in (("typical", typical, "-"), ("hardest", hardest, "--")):
            left.plot(reach, 100 * spread / reach**0.5, line, color="#0072B2", label=f"{name} pair")
        right.plot(seeds, [100 * half_width(int(count), noise) for count in seeds], "o-", color="#D55E00")
        for axis, gap in product((left, right), GAPS):
            axis.axhline(100 * gap, color="0.6", linestyle=":", zorder=0)
            if axis is right:
                axis.annotate(
                    f"{gap:.0%}",
                    (1.01, 100 * gap),
                    xycoords=("axes fraction", "data"),
                    fontsize=7,
                    va={0.08: "top", 0.09: "bottom"}.get(gap, "center"),
                )
        left.axvspan(counts[-1], reach[-1], color="0.93", zorder=-1)
        left.text(counts[-1] * 1.1, 1.03, "extrapolated", fontsize=7, transform=left.get_xaxis_transform())
        left.set(
            xlabel="samples of each system",
            ylabel="half the interval, % of the distance\n(dotted: gaps of the paper)",
            xscale="log",
            yscale="log",
        )
        right.set(xlabel="training seeds of each system")
        left.legend(frameon=False, fontsize=8)
        self.page.figure(
            figure,
            name="decisions_figure",
            alt="Half the interval of a difference against samples and against training seeds",
            data=self.data,
            samples=self.size.samples,
        )

    def _asked(self, judge: Judge, training: Training, count: int) -> Answers:
        system, _ = learning.learn(self.page, training)
        return metrics.ask(judge, metrics.generated(system, system.name, training.name), count)

    # Drawing -------------------------------------------------------------------------------------------------------
    def _arm_note(self, seeds: int) -> str:
        return (
            f"HRVGAN with labels, 8x16x16, width {self.page.profile.study_width:g}, {self.size.steps} steps of "
            f"{self.page.profile.batch}, training seeds 0 to {seeds - 1}. {self._behind()}"
        )

    def _behind(self) -> str:
        """On what a table is measured, and with how many clips."""
        return f"{self.clips.describe()}; {self.size.samples} clips of each row."

    def _bars(
        self,
        name: str,
        rows: dict[str, dict[str, Any]],
        title: str,
        value: str = "Fréchet distance, with over without",
        one: float | None = 1.0,
        named: str = "",
        scale: str = "",
    ) -> None:
        """One line a row, its interval as a bar; `one`: where a dotted line stands, and what it is `named`."""
        import matplotlib.pyplot as plt

        figure, axis = plt.subplots(figsize=(7, 0.6 + 0.3 * len(rows)))
        for height, row in enumerate(rows.values()):
            low, high = row.get("95 % low", row[value]), row.get("95 % high", row[value])
            axis.plot([low, high], [height, height], color="#0072B2", linewidth=5, alpha=0.5, solid_capstyle="butt")
            axis.plot(row[value], height, "o", color="#0072B2")
        if one is not None:
            axis.axvline(one, color="0.4", linestyle=":")
            axis.text(one, 1.01, named, fontsize=7, ha="center", transform=axis.get_xaxis_transform())
        drawn = [float(number) for line in axis.lines for number in line.get_xdata()]
        wide = min(drawn) > 0 and max(drawn) > 4 * min(drawn)
        axis.set(
            yticks=range(len(rows)), yticklabels=list(rows), xlabel=title, xscale=scale or ("log" if wide else "linear")
        )
        axis.invert_yaxis()
        self.page.figure(
            figure, name=name, alt=f"{title}: {', '.join(rows)}", data=self.data, samples=self.size.samples
        )


PARTS: dict[str, Callable[[Study], None]] = {
    name: getattr(Study, name) for name in ("layers", "fields", "lipschitz", "rivals", "paces", "decisions", "tries")
}


def seeds_for(gap: float, noise: float, most: int = 1000) -> int | None:
    """Training seeds of each of two systems that confirm a relative gap, where one seed scatters by `noise`.

    The smallest number whose 95 % Student interval of the difference of two means is no wider than the gap on either
    side; None where more than `most` would be needed.
    """
    for seeds in range(2, most + 1):
        if half_width(seeds, noise) <= gap:
            return seeds
    return None


def half_width(seeds: int, noise: float) -> float:
    """Half of Student's 95 % interval for the difference of two means of so many seeds, each with deviation `noise`."""
    return float(stats.t.ppf(0.975, 2 * (seeds - 1)) * noise * (2 / seeds) ** 0.5)


class _GreyLevels(torch.nn.Module):
    """A network that is shown clips in [-1, 1] as grey levels less 128."""

    def __init__(self, network: C3D) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        return self.network(127.5 * clips - 0.5)


def folded(network: C3D) -> C3D:
    """The same function of clips without batch norms, which are folded into the convolutions: as published."""
    plain = C3D(network.n_classes, network.width, network.frames, network.size).eval()
    for block, norms in zip(plain.blocks.values(), network.eval().blocks.values()):
        for name, _ in block.named_children():
            if name.startswith("conv"):
                pair = (norms.get_submodule(name), norms.get_submodule(name.replace("conv", "norm")))
                block.get_submodule(name).load_state_dict(fuse_conv_bn_eval(*pair).state_dict())
    for name in ("fc6", "fc7", "fc8"):
        plain.get_submodule(name).load_state_dict(network.get_submodule(name).state_dict())
    return plain


@torch.inference_mode()
def _right(network: C3D, clips: Any) -> float:
    """Share of all clips that a network that reads grey levels names right."""
    shown, labels = clips.batch(range(len(clips)))
    answers = torch.cat([network(127.5 * part - 0.5).argmax(dim=1) for part in shown.split(16)])
    return float((answers == labels).float().mean())


def _spread(one: Estimate, other: Estimate, count: int) -> float:
    """Half the paired interval of two distances, as a share of their mean, at one sample each: times the root of N."""
    lead = metrics.difference(one, other)
    return (lead.high - lead.low) / (one.value + other.value) * count**0.5


def _literal() -> Any:
    from hrvgan_lib.networks.hrvgan import make_config

    return make_config("literal")


def _row(one: Outcome) -> dict[str, Any]:
    far: Estimate = joined([record.frechet for record in one.records])[0]
    start = float(np.mean([start.frechet.value for start in one.starts]))
    return {
        "Fréchet distance": far.value,
        "95 % low": far.low,
        "95 % high": far.high,
        "named as asked": one.named_right.value,
        "untrained": start,
    }


def _some(clips: Any, count: int) -> Tensor:
    return clips.draw(count, stream("layers"))[0]


@torch.inference_mode()
def _features(network: C3D, clips: Tensor) -> dict[str, np.ndarray]:
    """Features of clips in [-1, 1] at pool5, fc6 and fc7: float64 (N, D) each."""
    parts = [network.eval().layers(127.5 * part - 0.5) for part in clips.split(16)]
    return {
        layer: torch.cat([one[layer].flatten(1) for one in parts]).double().numpy() for layer in ("pool5", "fc6", "fc7")
    }


def looks_found(made: Tensor, clips: Any) -> int:
    """How many units of a data set (looks, of procedural actions) are nearest to some clip of `made`, (N, 3, T, S, S):
    by the distance of mean frames at 8x8, from the mean frames of its clips."""
    each = torch.cat([_glance(clips.batch(part.tolist())[0]) for part in torch.arange(len(clips)).split(64)])
    nearest = torch.cdist(_glance(made), each).argmin(dim=1).tolist()
    return len({clips.units[number] for number in nearest})


def _glance(clips: Tensor) -> Tensor:
    """Clips (N, 3, T, S, S) as their mean frames at 8x8, (N, 192)."""
    return F.adaptive_avg_pool2d(clips.mean(dim=2), 8).flatten(1)


def chroma(clips: Tensor) -> float:
    """Standard deviation of what is left of the pixels of clips (N, 3, T, S, S) without their grey."""
    return float((clips - clips.mean(dim=1, keepdim=True)).std())


def _through(clips: Tensor, side: int) -> Tensor:
    """Clips (N, 3, T, S, S) shrunk to `side` and enlarged again."""
    flat, full = clips.transpose(1, 2).flatten(0, 1), clips.shape[-1]
    small = F.interpolate(flat, size=(side, side), mode="area")
    large = F.interpolate(small, size=(full, full), mode="bicubic", antialias=True).clamp(-1, 1)
    return large.unflatten(0, (len(clips), -1)).transpose(1, 2)


def run_part(name: str, settings: Settings, size: Size) -> Entry:
    """One part of the study, on a page of its own."""
    begun = time.monotonic()
    page = open_page(name, **{word: settings.parameters[word] for word in ("profile", "seed", "data_root", "run")})
    with redirect_stdout(None):  # a table is shown in a chapter, not here
        PARTS[name](Study(page, size))
    numbers = provenance.peak_rss_mb(), provenance.peak_cuda_mb()
    return Entry(name, "ok", round(time.monotonic() - begun, 1), *numbers)


def jobs_of(settings: Settings, size: Size, parts: Sequence[str]) -> list[Job]:
    """The judge, the trainings that the parts read, and the parts."""
    judge = Job("judge", train_the_judge, ("judge", {}, settings), cost=200.0)
    read = {part: found for part, found in trainings(settings.profile, size).items() if part in parts}
    jobs = {
        one.name: Job(one.name, train_one, (one, settings), frozenset({"judge"}), one.cost / 2e5)
        for found in read.values()
        for one in found
    }
    for part in parts:
        needs = frozenset({"judge", *(one.name for one in read.get(part, []))})
        jobs[part] = Job(part, run_part, (part, settings, size), needs, 600.0)
    return [judge, *jobs.values()]


@command
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m hrvgan_lib.series.study", description=__doc__)
    parser.add_argument("--jobs", default="2", help="how many side by side")
    parser.add_argument("--parts", default=",".join(PARTS), help="which of: " + ", ".join(PARTS))
    parser.add_argument("--run", default="study")
    parser.add_argument("--small", action="store_true", help="every part, in no time and without meaning")
    asked = parser.parse_args(argv)
    parts = [name for name in asked.parts.split(",") if name]
    if unknown := [name for name in parts if name not in PARTS]:
        raise ValueError(f"unknown part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    jobs = whole_number("JOBS", asked.jobs)
    name, size = ("smoke", SMALL) if asked.small else ("cpu", Size())
    profile = get_profile(name)
    parameters = {
        "profile": name,
        "seed": 0,
        "data_root": "",
        "actions": "ucf101",
        "run": run_name(name, run=asked.run),
        "rehearse": False,
        "allow_partial": False,
    }
    settings = Settings(provenance.repo_root(), profile, None, asked.run, parameters, "make study", jobs=jobs)
    set_threads(profile.threads)
    start_server()
    began = time.monotonic()

    def on_end(job: Job, entry: Entry) -> None:
        since = time.monotonic() - began
        print(
            f"{entry.name:70.70s} {entry.status:10s} {entry.seconds:8.1f} s, {since:6.0f} s in all {entry.error}",
            flush=True,
        )

    try:
        with alone(settings):
            ended = side_by_side(jobs_of(settings, size, parts), jobs, on_end, lambda running: None)
    except KeyboardInterrupt:
        print("interrupted: the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0 if all(entry.good for entry in ended.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
