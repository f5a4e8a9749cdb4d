"""Widgets of the chapters, each with a static twin: training, damage, a quiz, ledgers (chapters 06, 08, 09, 12)."""

from __future__ import annotations

import html
import json
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from scipy.stats import binom, binomtest
from torch import Tensor

from hrvgan_lib import metrics
from hrvgan_lib.book.pictures import movie
from hrvgan_lib.book.tables import html_table
from hrvgan_lib.streams import stream

if TYPE_CHECKING:
    from hrvgan_lib.metrics.answers import Answers, Namer
    from hrvgan_lib.training import StepRecord

HEADLESS = "HRVGAN_HEADLESS"  # set where nobody is there to move a slider: make reproduce, make notebooks, make test
VIEW = "application/vnd.jupyter.widget-view+json"
LEAST_ANSWERS = 10  # before so many an interval says next to nothing

# A saved notebook holds the view of a widget but not the widget: once the kernel is gone JupyterLab prints an error
# there. A living view has elements and a dead one only words, so these rules show exactly one of twin and view.
ONE_OF_TWO = """<style>
.jp-OutputArea-child:has(.hrvgan-twin):has(+ .jp-OutputArea-child .jupyter-widgets *) { display: none; }
.jp-OutputArea-child:has(.hrvgan-twin) + .jp-OutputArea-child:not(:has(.jupyter-widgets *)) { display: none; }
</style>"""


def headless() -> bool:
    """Whether nobody watches: then no widget is shown, so that a notebook keeps no dead view."""
    return bool(os.environ.get(HEADLESS))


def sized(width: int) -> Any:
    """A layout of so many pixels in width, less where the page is narrower."""
    import ipywidgets

    return ipywidgets.Layout(width=f"{width}px", max_width="100%")


class Live:
    """What the widgets share: `widget`, for a front end with a kernel behind it, and `twin`, for everybody else."""

    widget: Any
    how = "Run this cell in JupyterLab or another notebook editor for the widget itself."

    def twin(self) -> str:
        """The widget as HTML that needs no kernel: a picture with an alt text, and a caption."""
        raise NotImplementedError

    def show(self) -> None:
        """Display the static twin and, unless `HRVGAN_HEADLESS` is set, the widget, which stands in its place."""
        from IPython.display import display

        still, words = self.twin(), {"text/plain": f"<{type(self).__name__}>"}
        if headless():
            display({"text/html": still} | words, raw=True)
            return
        display({"text/html": f'<div class="hrvgan-twin">{still}</div>{ONE_OF_TWO}'} | words, raw=True)
        view = self.widget._repr_mimebundle_()[VIEW]  # IPython's protocol; its words would be half a picture in base64
        display({VIEW: view, "text/plain": ""}, raw=True)


def film(clips: Tensor, alt: str, columns: int, each: int) -> str:
    """Clips (N, 3, T, S, S) moving, as HTML for a static twin: each `each` pixels wide, eight frames or so: small."""
    step = max(1, clips.shape[2] // 8)
    return movie(clips[:, :, ::step], fps=max(1, 12 // step), alt=alt, columns=columns, width=each * columns).data


def captioned(picture: str, words: str) -> str:
    """A picture's HTML with a caption in words below it."""
    return f'<figure style="margin: 0">{picture}<figcaption>{html.escape(words)}</figcaption></figure>'


class TrainingScrubber(Live):
    """A slider over the snapshots of a training: what the same latents gave at that step, moving, and what it had seen.

    Args:
        snapshots: (step, clips (N, 3, T, S, S) in [-1, 1]) pairs, oldest first: `system.snapshots`.
        records: the training's, for the clips that it had seen; without them only the step is named.

    Raises ValueError where there is no snapshot.
    """

    def __init__(self, snapshots: Sequence[tuple[int, Tensor]], records: Sequence[StepRecord] = ()):
        import ipywidgets

        if not snapshots:
            raise ValueError("no snapshots: train with `learning.trained`, which takes them")
        self.snapshots = list(snapshots)
        self.seen = {record.step: record.clips_seen for record in records}
        steps = [(f"{step:,}", index) for index, (step, _) in enumerate(self.snapshots)]
        self.moment = ipywidgets.SelectionSlider(options=steps, description="step", layout=sized(536))
        self.picture, self.words = ipywidgets.HTML(), ipywidgets.HTML()
        self.moment.observe(self._draw, names="value")
        self.widget = ipywidgets.VBox([self.moment, self.words, self.picture])
        self._draw()

    def _draw(self, _change: object = None) -> None:
        step, clips = self.snapshots[self.moment.value]
        count = f"; {self.seen[step]:,} clips seen" if step in self.seen else ""
        self.words.value = f"After step {step:,} of {self.snapshots[-1][0]:,}{count}."
        alt = f"{len(clips)} generated clips, moving, after step {step:,} of the training"
        self.picture.value = movie(clips, alt=alt, columns=4).data

    def twin(self) -> str:
        rows, columns = self.snapshots, min(3, *(len(clips) for _, clips in self.snapshots))
        steps = ", ".join(f"{step:,}" for step, _ in rows)
        alt = f"{len(rows)} rows of {columns} generated clips, moving: one row for each of the steps {steps}, top down"
        picture = film(torch.cat([clips[:columns] for _, clips in rows]), alt, columns, each=128)
        return captioned(picture, f"From top to bottom: steps {steps}. {self.how}")


class DamageSlider(Live):
    """Real clips, a choice of damage and its strength: the clips before and after, moving, and what both rulers say.

    Args:
        judge: a classifier of clips (`Judge`).
        source: real clips with labels (`metrics.real_clips`).
        reference: the judge's answers to clips of the training split; its first ones are what distances are taken to.
        n: clips behind each number, few for an answer at once; no more than `reference` has.
        seed: of the draw. With all of `reference` the numbers are those that `metrics.ask` gives with this seed.
    """

    SHOWN = 4

    def __init__(self, judge: Namer, source: metrics.Source, reference: Answers, n: int = 32, seed: int = 0):
        import ipywidgets

        self.judge, self.source, self.seed = judge, source, seed
        self.n = min(n, len(reference.features))
        self.layer, self.real = reference.layer, reference.features[: self.n]
        self._known: dict[tuple[str, float], tuple[Tensor, float, float]] = {}
        kinds = [kind for kind in metrics.KINDS if kind != "fewer classes" or source.restrict is not None]
        self.kind = ipywidgets.ToggleButtons(options=kinds, description="damage")
        self.strength = ipywidgets.FloatSlider(0.4, min=0, max=1, step=0.1, description="strength", layout=sized(536))
        self.picture, self.scores = ipywidgets.HTML(), ipywidgets.HTML()
        self.scores.add_class("jp-RenderedHTMLCommon")  # JupyterLab's look of tables
        for control in (self.kind, self.strength):
            control.observe(self._draw, names="value")
        self.widget = ipywidgets.VBox([self.kind, self.strength, self.scores, self.picture])
        self._draw()

    def measure(self, kind: str, strength: float) -> tuple[Tensor, float, float]:
        """(clips to be shown (4, 3, T, S, S), Inception Score, Fréchet distance) at this strength; kept once known."""
        key = (kind, round(strength, 2)) if strength else ("", 0.0)  # no damage is the same of every kind
        if key not in self._known:
            chunks = metrics.damaged(self.source, kind, key[1]).draw(self.n, self.seed)
            clips = torch.cat([clips for clips, *_ in chunks])
            features, answers = self.judge.look(clips, self.layer)
            assert answers is not None, "a judge names classes"
            score, distance = metrics.inception_score(answers), metrics.frechet_distance(self.real, features)
            self._known[key] = clips[: self.SHOWN].clone(), score, distance
        return self._known[key]

    def _draw(self, _change: object = None) -> None:
        kind, strength = self.kind.value, self.strength.value
        before, after = self.measure(kind, 0.0), self.measure(kind, strength)
        named = {"undamaged": before, f"{kind}, {strength:.1f}": after}
        rows = [
            {"clips": name, "Inception Score": score, "Fréchet distance": distance}
            for name, (_, score, distance) in named.items()
        ]
        note = (
            f"N = {self.n} held-out clips and {self.n} of the training split; {self.judge.name}. Few clips, so that it "
            "answers at once: compare these two rows with each other only."
        )
        self.scores.value = html_table(rows, list(rows[0]), note)
        shown = len(before[0])
        alt = f"Two rows of {shown} real clips, moving: above undamaged, below with {kind} at strength {strength:.1f}"
        self.picture.value = movie(torch.cat([before[0], after[0]]), alt=alt, columns=shown).data

    def twin(self) -> str:
        return self.scores.value + captioned(self.picture.value, f"Above undamaged, below damaged. {self.how}")


class Quiz(Live):
    """Real or generated? One clip after the other, two buttons, and how sure the score is.

    A fair coin decides for each question where its clip comes from, so that guessing gives one half and no counting of
    those that are left helps.

    Args:
        real, generated: (N, 3, T, S, S) in [-1, 1], of one shape but for N; no clip is asked twice.
        questions: so many; no more than there are clips of either kind.
        seed: of the coin and of the order.

    Raises ValueError where one of the two is empty.
    """

    def __init__(self, real: Tensor, generated: Tensor, questions: int = 20, seed: int = 0):
        import ipywidgets

        questions = min(questions, len(real), len(generated))
        if questions < 1:
            raise ValueError(f"{len(real)} real and {len(generated)} generated clips: the quiz needs some of both")
        draw = stream("quiz", seed)
        self.is_real = (torch.rand(questions, generator=draw) < 0.5).tolist()
        piles = [iter(pile[torch.randperm(len(pile), generator=draw)[:questions]]) for pile in (generated, real)]
        self.clips = torch.stack([next(piles[origin]) for origin in self.is_real])
        self.right: list[bool] = []  # whether each answer so far was
        self.buttons = {name: ipywidgets.Button(description=name) for name in ("real", "generated")}
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: self.answer(name))
        self.picture, self.words = ipywidgets.HTML(), ipywidgets.HTML()
        self.widget = ipywidgets.VBox([self.picture, ipywidgets.HBox([*self.buttons.values()]), self.words])
        self._draw("")

    def answer(self, name: str) -> None:
        """Take "real" or "generated" for the clip that is shown, and go on to the next one."""
        if (asked := len(self.right)) == len(self.clips):
            return
        truth = "real" if self.is_real[asked] else "generated"
        self.right.append(name == truth)
        self._draw(f"{'Right' if name == truth else 'Wrong'}: that one was {truth}. ")

    @property
    def result(self) -> str:
        """The score so far in words: a count and, from ten answers on, the exact interval of Clopper and Pearson."""
        n, right = len(self.right), sum(self.right)
        if n < LEAST_ANSWERS:
            return f"{right} of {n} right."
        found = binomtest(right, n).proportion_ci(0.95, "exact")
        told = "more" if found.low > 0.5 else "fewer" if found.high < 0.5 else "no telling whether more or fewer"
        return (f"{right} of {n} right, {100 * right / n:.0f} %; 95 % interval {100 * found.low:.0f} to "
                f"{100 * found.high:.0f} % (Clopper and Pearson): {told} than by guessing, 50 %.")  # fmt: skip

    def _draw(self, said: str) -> None:
        n, questions = len(self.right), len(self.clips)
        over = n == questions
        alt = f"clip {min(n + 1, questions)} of {questions}, moving, which is real or generated"
        self.picture.value = movie(self.clips[min(n, questions - 1)][None], alt=alt, width=256).data
        for button in self.buttons.values():
            button.disabled = over
        low, high = (int(end) for end in binom.interval(0.95, questions, 0.5))
        last = f" The last one. By guessing: {questions / 2:g} on average, {low} to {high} in 95 of 100 games."
        where = "" if over else f" Clip {n + 1} of {questions}: real or generated?"
        self.words.value = (said + (self.result if n else "") + (last if over else where)).strip()

    def twin(self) -> str:
        shown = self.clips[:8]
        alt = f"{len(shown)} clips, moving, in rows of four; some are real, some generated: which?"
        truths = ", ".join(f"{i} {'real' if real else 'generated'}" for i, real in enumerate(self.is_real[:8], 1))
        answers = f"<details><summary>Answers, row by row</summary>{truths}</details>"
        picture = film(shown, alt, columns=min(4, len(shown)), each=128)
        return captioned(picture, f"Real or generated? {self.how}") + answers


class SearchTable(Live):
    """Rows that can be searched and sorted, ten at a time (DataTables, by itables; it asks nothing of the network).

    The twin is a sentence: what the rows say stands on the page beside it, and in a file.

    Args:
        rows: cells of HTML by column; text has to be escaped before. What is folded in a cell is searched too.
        file: where all columns of the rows are, in words.
    """

    def __init__(self, rows: Sequence[dict[str, str]], file: str):
        self.rows, self.file = [dict(row) for row in rows], file
        if headless():  # nobody searches: a machine that runs the series does without itables
            return
        import ipywidgets
        from itables.widget import ITable

        columns = list(self.rows[0])
        heads = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
        cells = [[row[column] for column in columns] for row in self.rows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of the two names that stand in for a data frame
            self.table = ITable(  # type: ignore[call-arg]  # data without a data frame
                None, table_html=f"<table><thead><tr>{heads}</tr></thead></table>", data_json=json.dumps(cells),
                classes="display compact", style="width: 100%", order=[], pageLength=10, autoWidth=False,
                layout={"topStart": "search", "topEnd": "pageLength", "bottomStart": "info", "bottomEnd": "paging"},
                columnDefs=[{"className": "dt-left", "targets": "_all"}],
            )  # fmt: skip
        self.widget = ipywidgets.VBox([self.table])  # whose view is one of those that step in for their twins

    def twin(self) -> str:
        how = "Run this cell in JupyterLab to search and sort them."
        return f"<p>{len(self.rows)} entries, all columns in {html.escape(self.file)}. {how}</p>"
