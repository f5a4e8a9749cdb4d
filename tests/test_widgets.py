"""The widgets: what their controls change, their static twins, and that nobody's notebook keeps a dead view."""

import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from blobs import MovingBlobs

from hrvgan_lib import metrics
from hrvgan_lib.book import widgets
from hrvgan_lib.series.chapters import KERNEL_ENVIRONMENT, WIDGET_VIEW
from hrvgan_lib.training import StepRecord


def clips_of(n: int, level: float = 0.0) -> torch.Tensor:
    return (level + 0.3 * torch.randn(n, 3, 8, 16, 16, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


@pytest.fixture
def scrubber():
    records = [StepRecord(step, 8 * step, 1.0, {}, {}) for step in range(1, 1001)]
    return widgets.TrainingScrubber([(50, clips_of(8, -0.5)), (200, clips_of(8)), (1000, clips_of(8, 0.5))], records)


@pytest.fixture
def damage(judge):
    data = MovingBlobs()
    reference = metrics.ask(judge, metrics.real_clips(MovingBlobs(seed=1)), 16)
    return widgets.DamageSlider(judge, metrics.real_clips(data), reference)


@pytest.fixture
def quiz():
    return widgets.Quiz(clips_of(30, 0.6), clips_of(30, -0.6))


def alt_of(picture: str) -> str:
    return re.search(r'alt="([^"]+)"', picture)[1]


def test_the_scrubber_shows_the_clips_and_the_words_of_its_step(scrubber):
    assert scrubber.words.value == "After step 50 of 1,000; 400 clips seen."
    seen = {scrubber.picture.value}
    scrubber.moment.index = 2
    seen.add(scrubber.picture.value)
    assert scrubber.words.value == "After step 1,000 of 1,000; 8,000 clips seen."
    assert len(seen) == 2 and "step 1,000" in alt_of(scrubber.picture.value)
    alone = widgets.TrainingScrubber(scrubber.snapshots)
    assert alone.words.value == "After step 50 of 1,000."  # nobody knows how many clips that were
    with pytest.raises(ValueError, match="no snapshots"):
        widgets.TrainingScrubber([])


@pytest.mark.parametrize("kind", metrics.KINDS)
def test_the_damage_slider_says_what_the_rulers_say(damage, judge, kind):
    """The chapter's own way to the two numbers, at the same N and seed."""
    reference = metrics.ask(judge, metrics.real_clips(MovingBlobs(seed=1)), 16)
    damage.kind.value, damage.strength.value = kind, 0.8
    for grade in (0.0, 0.8):
        asked = metrics.ask(judge, metrics.damaged(metrics.real_clips(MovingBlobs()), kind, grade), 16)
        _, score, distance = damage.measure(kind, grade)
        assert score == pytest.approx(metrics.inception_score(asked.probabilities), rel=1e-5)
        assert distance == pytest.approx(asked.distance(reference), rel=1e-4, abs=1e-6)
        assert f"{score:.4g}" in damage.scores.value and f"{distance:.4g}" in damage.scores.value
    assert f"{kind}, 0.8" in damage.scores.value and "N = 16" in damage.scores.value


def test_the_damage_slider_shows_both_and_no_damage_changes_nothing(damage):
    blurred = damage.picture.value
    assert "above undamaged, below with blur at strength 0.4" in alt_of(blurred)
    damage.kind.value = "held"
    assert damage.picture.value != blurred
    damage.strength.value = 0.0
    shown, *numbers = damage.measure("held", 0.0)
    assert numbers == [*damage.measure("blur", 0.0)[1:]]
    assert torch.equal(shown, next(damage.source.draw(16, 0))[0][:4])
    first, second = re.findall(r"<tr>(<td.*?)</tr>", damage.scores.value)
    assert first.split("</td>")[1:] == second.split("</td>")[1:]


def test_clips_without_labels_lose_no_classes(judge):
    noise = metrics.noise_clips(8, 16)
    slider = widgets.DamageSlider(judge, noise, metrics.ask(judge, noise, 4))
    assert "fewer classes" not in slider.kind.options and slider.n == 4


def test_the_quiz_counts_and_knows_how_sure_it_is(quiz):
    assert len(quiz.clips) == 20 and "Clip 1 of 20" in quiz.words.value
    for asked, real in enumerate(quiz.is_real):
        assert (quiz.clips[asked].mean() > 0) == real  # the bright ones are the real ones
        before = quiz.picture.value
        honest = asked % 4 != 0  # wrong every fourth time
        quiz.buttons["real" if real == honest else "generated"].click()
        assert quiz.words.value.startswith("Right" if honest else "Wrong")
        assert ("95 % interval" in quiz.words.value) == (asked + 1 >= widgets.LEAST_ANSWERS)
        assert quiz.picture.value != before or asked == 19
    assert (sum(quiz.right), len(quiz.right)) == (15, 20)
    low, high = scipy.stats.beta.ppf([0.025, 0.975], [15, 16], [6, 5])  # Clopper and Pearson's closed form
    assert f"15 of 20 right, 75 %; 95 % interval {100 * low:.0f} to {100 * high:.0f} %" in quiz.words.value
    assert "more than by guessing, 50 %" in quiz.words.value
    assert "By guessing: 10 on average, 6 to 14" in quiz.words.value
    assert all(button.disabled for button in quiz.buttons.values())
    quiz.answer("real")
    assert len(quiz.right) == 20


def test_the_quiz_does_not_give_itself_away():
    bright, dark = clips_of(30, 0.6), clips_of(30, -0.6)
    first, again, other = (widgets.Quiz(bright, dark, seed=seed) for seed in (0, 0, 1))
    assert first.is_real == again.is_real and torch.equal(first.clips, again.clips)
    assert first.is_real != other.is_real
    assert len({clip.numpy().tobytes() for clip in first.clips}) == 20  # none is asked twice
    coins = np.mean([widgets.Quiz(bright, dark, seed=seed).is_real for seed in range(40)])
    assert 0.4 < coins < 0.6
    assert alt_of(first.picture.value) == "clip 1 of 20, moving, which is real or generated"
    assert len(widgets.Quiz(bright, dark[:3]).clips) == 3
    with pytest.raises(ValueError, match="30 real and 0 generated"):
        widgets.Quiz(bright, dark[:0])


@pytest.mark.parametrize(("right", "told"), [(20, "more than"), (0, "fewer than"), (10, "no telling")])
def test_the_quiz_says_whether_guessing_would_do(quiz, right, told):
    quiz.right = [True] * right + [False] * (20 - right)
    assert told in quiz.result


@pytest.mark.parametrize("name", ["scrubber", "damage", "quiz"])
def test_headless_leaves_the_twin_and_nothing_else(name, request, monkeypatch):
    shown, widget = [], request.getfixturevalue(name)
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    monkeypatch.setenv("HRVGAN_HEADLESS", "1")
    widget.show()
    assert [set(data) for data in shown] == [{"text/html", "text/plain"}]
    still = shown[0]["text/html"]
    assert len(alt_of(still).split()) > 5 and "<style>" not in still
    assert len(still) < 150_000  # several go into a notebook of at most 1 MB


@pytest.mark.parametrize("name", ["scrubber", "damage", "quiz"])
def test_elsewhere_the_twin_comes_first_and_steps_aside_for_the_widget(name, request, monkeypatch):
    shown, widget = [], request.getfixturevalue(name)
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    for variable in ("HRVGAN_HEADLESS", "JPY_SESSION_NAME"):  # the latter is Jupyter's own: other editors do not set it
        monkeypatch.delenv(variable, raising=False)
    widget.show()
    still, live = shown
    assert widget.twin() in still["text/html"] and 'class="hrvgan-twin"' in still["text/html"]
    assert still["text/html"].count("display: none") == 2
    assert live[WIDGET_VIEW]["model_id"] == widget.widget.model_id and live["text/plain"] == ""


def test_a_table_to_be_searched_holds_its_rows_and_needs_no_network(monkeypatch):
    monkeypatch.delenv("HRVGAN_HEADLESS", raising=False)
    rows = [{"claim": f"<details><summary>{name}</summary>more</details>", "chapter": "10"} for name in ("one", "two")]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        table = widgets.SearchTable(rows, "figures/run/claims.csv")
    given = table.table._dt_args
    assert json.loads(given["data_json"]) == [[row["claim"], "10"] for row in rows]
    assert "<th>claim</th><th>chapter</th>" in given["table_html"] and given["layout"]["topStart"] == "search"
    assert "dt_url" not in given and given["pageLength"] == 10
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    monkeypatch.setenv("HRVGAN_HEADLESS", "1")
    table.show()
    assert shown[0]["text/html"].startswith("<p>2 entries, all columns in figures/run/claims.csv.") and len(shown) == 1
    monkeypatch.delenv("HRVGAN_HEADLESS")
    table.show()
    assert shown[2][WIDGET_VIEW]["model_id"] == table.widget.model_id


def test_a_machine_that_runs_the_series_needs_no_itables(monkeypatch):
    monkeypatch.setenv("HRVGAN_HEADLESS", "1")
    monkeypatch.setitem(sys.modules, "itables.widget", None)  # as if it were not installed
    assert widgets.SearchTable([{"claim": "one"}], "claims.csv").twin().startswith("<p>1 entries")
    monkeypatch.delenv("HRVGAN_HEADLESS")
    with pytest.raises(ImportError, match="itables"):
        widgets.SearchTable([{"claim": "one"}], "claims.csv")


def test_the_twins_say_what_they_show(scrubber, quiz):
    assert "steps 50, 200, 1,000" in alt_of(scrubber.twin())
    told = re.search(r"</summary>(.*?)</details>", quiz.twin())[1]
    assert told.split(", ") == [f"{i} {'real' if real else 'generated'}" for i, real in enumerate(quiz.is_real[:8], 1)]


def test_whoever_runs_chapters_for_nobody_says_so():
    assert KERNEL_ENVIRONMENT[widgets.HEADLESS] == "1"
    quiet = re.search(r"^QUIET := (.*?[^\\])\n", (Path(__file__).parents[1] / "Makefile").read_text(), re.M | re.S)[1]
    assert f"{widgets.HEADLESS}=1" in quiet
