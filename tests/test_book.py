"""A chapter's page: files with sidecars, the same bytes twice, words instead of numbers, pixels that stay sharp."""

import ast
import json
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")

from hrvgan_lib import book, provenance
from hrvgan_lib.book import learning, pictures
from hrvgan_lib.book.tables import html_table, markdown_table
from hrvgan_lib.series.chapters import find_chapters


class ToySet(SimpleNamespace):
    def __len__(self):
        return self.clips

    def describe(self):
        return f"{self.kind} {self.name}: {self.clips} clips"


TOY = ToySet(
    name="golf", kind="procedural", split="train", clips=7, n_classes=0, frames=8, size=32, stride=4, digest="d1g3st"
)  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/99_toy.py").write_text("# %%\nx = 1\n")
    return book.open_page("99_toy", seed=3)


def draw():
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [0, 1], color=book.SYSTEM_COLOURS["hrvgan"])
    return fig


def test_a_figure_is_shown_saved_and_explained(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    page.figure(draw(), "line", caption="It <rises>.", alt="a rising line", data=[TOY], samples=16)
    first = (page.figures / "line.png").read_bytes()
    page.figure(draw(), "line", caption="It <rises>.", alt="a rising line", data=[TOY], samples=16)
    assert (page.figures / "line.png").read_bytes() == first
    assert b"Software" not in first
    assert shown[0]["text/plain"] == "Figure 99.1. It <rises>. [a rising line]"
    assert '<img alt="a rising line"' in shown[0]["text/html"] and "data:image/png;base64" in shown[0]["text/html"]
    for words in ("<b>Figure 99.1.</b> It &lt;rises&gt;.", "Data: golf, procedural.", "The picture in words"):
        assert words in shown[0]["text/html"], words
    assert "<b>Figure 99.2.</b>" in shown[1]["text/html"]
    sidecar = json.loads((page.figures / "line.json").read_text())
    assert sidecar["chapter"] == "99_toy" and sidecar["seeds"] == [3] and sidecar["samples"] == 16
    assert sidecar["data"][0] | {"kind": "procedural", "clips": 7, "digest": "d1g3st"} == sidecar["data"][0]
    assert len(sidecar["code_sha256"]) == 64 and sidecar["parameters"]["profile"]["name"] == "smoke"
    assert {"device", "versions", "seconds_since_chapter_start"} <= set(sidecar)
    assert str(page.root) not in json.dumps(sidecar)  # figures/gpu/ is committed


def test_a_table_is_csv_markdown_html_and_json(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    rows = [{"system": "a|b", "score": 1 / 3}, {"system": "<c>", "interval": None, "score": 123456.7}]
    page.table(rows, "scores", note="toy")
    assert (page.figures / "scores.csv").read_text() == (
        "system,score,interval\na|b,0.3333333333333333,\n<c>,123456.7,\n"
    )
    assert "| a\\|b | 0.3333 | – |" in (page.figures / "scores.md").read_text()
    assert json.loads((page.figures / "scores.json").read_text())["rows"] == rows
    assert '<td style="text-align: left">&lt;c&gt;</td><td>123,457</td>' in shown[0]["text/html"]


def test_a_table_s_numbers_and_intervals_are_read_at_a_glance():
    row = {"weights": 415143, "steps": 1600, "interval": "16.9 [16.3, 17.46]", "whole": True, "words": "in two parts"}
    rows = [row, row | {"weights": np.int64(-113007), "interval": None}]
    assert "| 415,143 | 1600 | 16.9 [16.3, 17.46] | yes |" in markdown_table(rows, [*row], "")
    page = html_table(rows, [*row], "")
    assert ">-113,007</td><td>1600</td>" in page and page.count("nowrap") == 1
    assert '<td style="text-align: left; white-space: nowrap">16.9 [16.3, 17.46]</td><td>yes</td>' in page


def test_a_result_names_trainings_where_it_rests_on_them(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data["text/html"]))
    monkeypatch.setattr("hrvgan_lib.provenance.device_name", lambda: "2 CPU cores")
    page.learning = True
    page.trainings += ["hrvgan, 3 steps", "vgan, 3 steps"]
    page.figure(draw(), "line", alt="a line", data=[TOY], samples=1)
    page.figure(draw(), "sketch", alt="a sketch", data=())
    assert "2 CPU cores: golf, procedural, 2 trainings so far, 1 sample, seed 3." in shown[0]
    assert "2 CPU cores: no data set, seed 3." in shown[1]
    trained = [json.loads((page.figures / f"{name}.json").read_text())["trained"] for name in ("line", "sketch")]
    assert trained == [["2 trainings so far"], []]


def test_an_expectation_says_its_value_and_its_verdict(page, capsys):
    assert page.expect("distance", 1.00123, of=1.0, rtol=0.05, why="same features")
    assert not page.expect("score", 0.51, low=1.0, digits=1)
    assert not page.expect("nothing", float("nan"), low=0)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "as expected: distance = 1.001 (1 within 5 %) - same features"
    assert told[1] == "NOT as expected: score = 0.5 (at least 1)"


def test_nbval_compares_the_verdict_of_an_expectation_and_not_its_value():
    import configparser
    import re

    rules = configparser.RawConfigParser()
    rules.read(provenance.repo_root() / "tests" / "nbval.cfg")
    clean = rules["number of an expectation"]

    def seen(line):
        return re.sub(clean["regex"], clean["replace"], line)

    met = [f"as expected: a = b, share = {value} (at most 1) - why = so" for value in ("0.51", "1e-05", "nan")]
    assert len({*map(seen, met)}) == 1 and seen(met[0]) != seen(met[0].replace("as", "NOT as"))
    assert seen(met[0]) != seen(met[0].replace("at most 1", "at most 2"))


def test_the_colophon_leaves_a_usage_file(page, capsys):
    page.save_file("note.txt", lambda path: path.write_text("hello"), data=[])
    page.expect("one", 1, low=0)
    page.colophon()
    usage = json.loads((page.runs / "99_toy.usage.json").read_text())
    assert usage["peak_rss_mb"] > 10 and usage["seconds"] >= 0 and usage["peak_cuda_mb"] == 0
    assert set(usage["files"]) == {"note.txt", "note.json"}
    assert usage["expectations"][0]["met"] is True
    assert "seed 3" in capsys.readouterr().out


def test_recorded_results_are_shown_where_they_are(page):
    assert page.recorded("table.csv") is None
    (page.root / "figures/gpu").mkdir(parents=True)
    (page.root / "figures/gpu/table.csv").touch()
    assert page.recorded("table.csv").name == "table.csv"
    second = page.root / "figures" / "overnight"
    second.mkdir(parents=True)
    for name in ("table.csv", "other.csv"):
        (second / name).write_text("a\n2\n")
    assert page.recorded("table.csv").parent.name == "gpu" and page.recorded("other.csv").parent.name == "overnight"
    for run, steps, side_steps in (("gpu", 90, 5), ("overnight", 50, 40)):  # whoever has learned from more clips
        profile = {"steps": steps, "side_steps": side_steps, "batch": 8}
        (page.root / f"figures/{run}/table.json").write_text(json.dumps({"parameters": {"profile": profile}}))
    assert page.recorded("table.csv").parent.name == "gpu"
    page.chapter = "09_toy"  # which is about Golf and Aeroplane
    assert page.recorded("table.csv").parent.name == "overnight"
    (page.root / "figures/gpu/native.png").touch()  # what one run alone has counts, whoever has learned from more
    assert page.recorded("native.png").parent.name == "gpu"
    page.chapter = "99_toy"
    page.run = "gpu"
    assert page.recorded("table.csv").parent.name == "overnight"
    page.run = "overnight"
    assert page.recorded("other.csv") is None and page.recorded("other.csv", "overnight") is not None


def test_what_is_in_the_paper_s_own_shape_has_a_name_of_its_own():
    """Else another run, which has learned from more clips in a smaller shape, would hide it."""
    named = set()
    for chapter in find_chapters(provenance.repo_root() / "notebooks"):
        branches = [node for node in ast.walk(ast.parse(chapter.read_text())) if isinstance(node, ast.If)]
        for branch in (node for node in branches if "native" in ast.unparse(node.test)):
            for call in (node for part in branch.body for node in ast.walk(part) if isinstance(node, ast.Call)):
                if ast.unparse(call.func) in ("page.figure", "page.film", "page.table", "page.model"):
                    given = call.args[:2] + [word.value for word in call.keywords if word.arg == "name"]
                    named |= {one.value for one in given if isinstance(one, ast.Constant)}
    assert {"native_samples", "fig4_samples_native", "native_motion", "hrvgan_generator_native"} <= named
    assert all("native" in name for name in named), named


def test_a_page_refuses_what_it_cannot_use(page):
    with pytest.raises(ValueError, match="unknown profile"):
        book.open_page("99_toy", profile="huge")
    with pytest.raises(ValueError, match="unknown action data set"):
        book.open_page("99_toy", actions="golf")
    with pytest.raises(FileNotFoundError, match="no folder"):
        book.open_page("99_toy", data_root="nowhere")


def test_a_page_opens_data_with_the_profile_s_sizes(page, monkeypatch):
    asked = []
    data = pytest.importorskip("hrvgan_lib.data")
    monkeypatch.setattr(data, "open_dataset", lambda name, root, **options: asked.append((name, options)) or TOY)
    assert page.dataset("actions") is TOY
    page.dataset("golf", frames=16, size=64)
    page.dataset("actions")  # remembered
    assert [name for name, _ in asked] == ["ucf101", "golf"]
    assert asked[0][1]["frames"] == 8 and asked[0][1]["stride"] == 4 and asked[1][1]["stride"] == 2


def test_frames_stay_sharp():
    clips = np.zeros((2, 3, 4, 8, 8), np.float32)
    clips[:, :, :, ::2] = 1  # stripes: any smoothing makes greys of other values
    clips[:, :, :, 1::2] = -1
    fig = book.clip_grid(clips, labels=["one", "two"], every=2, title="stripes")
    fig.canvas.draw()
    pixels = np.asarray(fig.canvas.buffer_rgba())
    right = pixels[30:, pixels.shape[1] // 2 :, 0]
    assert set(np.unique(right)) <= {0, 255}


def test_clips_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected \(clips, 3, frames, height, width\)"):
        book.clip_grid(np.zeros((2, 8, 8)))


def test_a_movie_is_small_and_described(tmp_path):
    clips = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 64, 64))
    shown = book.movie(clips, tmp_path / "m.webp", alt='a "film"')
    assert 'alt="a &quot;film&quot;"' in shown.data and "image-rendering: pixelated" in shown.data
    from PIL import Image

    assert Image.open(tmp_path / "m.webp").n_frames == 32


def toy_system(n_classes=2):
    import torch

    from hrvgan_lib.networks import build_system

    torch.manual_seed(0)
    return build_system("hrvgan", frames=8, size=8, n_classes=n_classes, width=1 / 16)


def test_small_clips_keep_their_colours_in_a_movie(tmp_path):
    from PIL import Image

    checks = np.indices((32, 32)).sum(axis=0) % 2 * 2.0 - 1  # red and blue squares of one pixel
    clips = np.stack([checks, -np.ones((32, 32)), -checks])[None, :, None].repeat(2, axis=2)
    book.movie(clips, tmp_path / "m.webp")
    with Image.open(tmp_path / "m.webp") as film:
        middles = np.asarray(film.convert("RGB"), float)[2::4, 2::4]
    assert np.abs(middles / 127.5 - 1 - clips[0, :, 0].transpose(1, 2, 0)).mean() < 0.2


def test_a_film_is_shown_and_saved_with_a_sidecar(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data["text/html"]))
    clips = np.random.default_rng(0).uniform(-1, 1, (4, 3, 8, 16, 16))
    page.film(clips, "clips", caption="Four.", alt="noise", data=[TOY], samples=4, columns=2)
    from PIL import Image

    with Image.open(page.figures / "clips.webp") as film:
        assert film.n_frames == 8 and film.size == (272, 272)  # two by two, a gap of two pixels, times 8
    sidecar = json.loads((page.figures / "clips.json").read_text())
    assert len(shown) == 1 and 'alt="noise"' in shown[0] and "data:image/webp" in shown[0] and "Four." in shown[0]
    assert (sidecar["alt"], sidecar["caption"]) == ("noise", "Four.") and list(sidecar["files"]) == ["clips.webp"]


def test_figures_one_after_the_other_are_an_animation_without_loss(page, monkeypatch):
    import io

    import matplotlib.pyplot as plt
    from PIL import Image

    before = plt.get_fignums()
    shown, fig = [], draw()
    line = fig.axes[0].lines[0]
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data["text/html"]))

    def falling(heights=(1, 0.5, 0)):
        for height in heights:
            line.set_ydata([0, height])
            yield fig

    with Image.open(io.BytesIO(pictures.animation(falling(), fps=5))) as film:
        assert film.n_frames == 3 and film.size == (200, 200)
        film.seek(1)
        film.load()
        assert film.info["duration"] == 200
        middle = np.asarray(film.convert("RGB"))
    line.set_ydata([0, 0.5])
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    assert np.array_equal(middle, np.asarray(Image.open(buffer).convert("RGB")))
    page.animation(falling(), caption="It falls.", alt="a line that falls")
    assert "<b>Figure 99.1.</b> It falls." in shown[0] and '<img alt="a line that falls"' in shown[0]
    assert "data:image/webp" in shown[0] and plt.get_fignums() == before and not page._written
    with pytest.raises(ValueError, match="no figure to show"):
        pictures.animation([])


def test_a_model_leaves_with_a_card_that_says_how_to_load_it(page):
    page.model("generator", toy_system(), "A toy", {"seen": "3 steps"}, data=[TOY], classes=["a", "b"])
    card = (page.figures / "generator.md").read_text()
    for words in ("# A toy", "| seen | 3 steps |", "8 frames of 8×8", "procedural golf: 7 clips", "half precision"):
        assert words in card
    code = card.split("```python\n")[1].split("```")[0].replace("figures/", f"{page.root}/figures/")
    scope = {}
    exec(code, scope)  # as a reader would
    assert scope["clips"].shape == (2, 3, 8, 8, 8)
    sidecar = json.loads((page.figures / "generator.json").read_text())
    assert {*sidecar["files"]} == {"generator.safetensors", "generator.md"}


def test_what_was_recorded_stands_first_once_something_has_learned(page, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(getattr(data, "data", data)))
    gpu = book.open_page("99_toy", run="gpu", seed=1)
    monkeypatch.setattr("hrvgan_lib.provenance.device_name", lambda: "NVIDIA H200")
    gpu.trainings.append("hrvgan, 3 steps")
    gpu.figure(draw(), "line", caption="Old words.", alt="a rising line", data=[TOY], samples=1600)
    gpu.table([{"a": 1, "b": 2}], name="table", data=[TOY], note="theirs")
    gpu.film(np.zeros((1, 3, 8, 8, 8)), "clips", data=[TOY], samples=1)
    monkeypatch.setattr("hrvgan_lib.provenance.device_name", lambda: "2 CPU cores")
    shown.clear()

    def show():
        page.figure(draw(), "line", caption="It rises.", alt="a line", data=[TOY], samples=4)
        page.film(np.zeros((1, 3, 8, 8, 8)), "clips", caption="Still.", alt="a film", data=[TOY], samples=1)
        page.table([{"a": 10, "b": 20}], name="table", data=[TOY], note="ours", page_columns=["b"])
        page.table([{"c": 30}], data=[TOY])  # without a name: nobody has recorded it
        return [bundle["text/html"] for bundle in shown[-4:]]

    with pytest.raises(FileNotFoundError, match=r"table\.json"):
        page.rows("table")
    assert not any("Recorded" in said for said in show())  # nothing has learned
    assert page.rows("table") == [{"a": 10, "b": 20}]
    assert page.origin("table").startswith("this run, `smoke`, profile smoke") and "seed 3" in page.origin("table")
    page.learning = True
    line, film, table, other = show()
    assert page.rows("table") == [{"a": 1, "b": 2}]  # what is said of a table is said of what stands first
    assert page.origin("table").startswith("the recorded run `gpu`, profile smoke: clips of 8 frames of ")
    assert page.origin("table").endswith("seed 1; NVIDIA H200")
    first, second = line.split("</figure>")[:2]
    assert "width: 200px; max-width: 100%" in first and "width: 130px; max-width: 100%" in second
    assert "data:image/webp" in first and "Figure 99.3.</b> It rises." in first and "Old words" not in line
    assert "Recorded on NVIDIA H200: golf, procedural, trained: hrvgan, 3 steps, 1,600 samples, seed 1." in first
    assert "data:image/png" in second and "Run smoke, on 2 CPU cores: golf, procedural, 4 samples, seed 3." in second
    assert film.count("data:image/webp") == 2
    recorded, own = table.split("<details><summary>The same table from this run.")
    assert "<th>b</th>" in recorded and "<th>a</th>" not in recorded and ">2<" in recorded and "theirs" in recorded
    assert ">20<" in own and "ours" in own and shown[-2]["text/plain"].splitlines()[2] == "| 20 |"
    assert "Recorded" not in other
    (page.root / "figures/gpu/older_code.txt").write_text("a training\n")
    assert "Recorded with older code on NVIDIA H200" in show()[0]
    status = page.root / "figures/gpu/status.json"
    status.write_text(json.dumps([{"name": "99_toy", "status": "failed"}, {"name": "98_other", "status": "ok"}]))
    assert "Recorded" not in show()[0]  # a run that did not end this chapter has parts of it only
    status.write_text(json.dumps([{"name": "99_toy", "status": "ok"}]))
    (page.root / "figures/gpu/line.json").unlink()  # one file short: that figure falls back
    line, film, *_ = show()
    assert "Recorded" not in line and "Recorded" in film
    gpu.learning = True
    shown.clear()
    gpu.figure(draw(), "line", caption="It rises.", data=[TOY])
    assert "Recorded" not in shown[0]["text/html"]  # it is that run
    assert capsys.readouterr().out == ""


def test_a_table_is_drawn_as_it_was_recorded_and_then_as_this_run_has_it(page, monkeypatch):
    shown, drawn = [], []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))

    def of(rows):
        drawn.append(rows)
        return draw()

    with pytest.raises(FileNotFoundError, match="table"):
        page.plot("table", of)
    page.table([{"a": 10}], name="table", data=[TOY])
    page.plot("table", of, caption="It rises.", alt="a rising line")
    assert drawn == [[{"a": 10}]] and shown[-1]["text/html"].count("<img") == 1
    gpu = book.open_page("99_toy", run="gpu", seed=1)
    gpu.table([{"a": 1}], name="table", data=[TOY])
    page.learning = True
    page.plot("table", of, caption="It rises.", alt="a rising line")
    assert drawn[1:] == [[{"a": 1}], [{"a": 10}]]
    theirs, own = shown[-1]["text/html"].split("</figure>")[:2]
    assert ".</b> It rises." in theirs and "Recorded on" in theirs and "seed 1." in theirs
    assert "The same from this run." in own and "width: 130px" in own and "Run smoke" in own
    assert shown[-1]["text/plain"].endswith(". It rises. [a rising line]")


def test_what_only_a_recorded_run_makes_is_shown_or_named(page, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(getattr(data, "data", data)))
    page.learning = True
    page.show_recorded("fields.csv", run="study")
    page.show_recorded("native.webp")
    assert capsys.readouterr().out.splitlines() == [
        "figures/study/fields.csv is not there: make study writes it",
        "no recorded run has native.webp",
    ]
    assert page.recorded_system() is None and shown == []
    assert page.recorded_profile("native.webp") == {}
    book.open_page("99_toy", run="study").table([{"b": 2}], name="fields", data=[TOY], note="by study")
    gpu = book.open_page("99_toy", run="gpu", seed=1)
    gpu.film(np.zeros((1, 3, 8, 8, 8)), "native", caption="Large.", data=[TOY], samples=1)
    gpu.model("hrvgan_generator", toy_system(), "A toy", {}, data=[TOY], classes=["a", "b"])
    page.show_recorded("fields.csv", run="study")
    page.show_recorded("native.webp")
    assert ">2<" in shown[-2]["text/html"] and "by study" in shown[-2]["text/html"]
    drawn = []
    page.show_recorded("fields.csv", run="study", draw=lambda rows: drawn.append(rows) or draw(), caption="Two.")
    picture = shown.pop()
    assert drawn == [[{"b": 2}]] and "<img" in picture and "Two." in picture and "<table" not in picture
    assert "Large." in shown[-1] and "data:image/webp" in shown[-1]
    assert page.recorded_profile("native.webp", "gpu")["name"] == gpu.profile.name
    assert page.recorded_system().n_classes == 2 and gpu.recorded_system() is None


def test_a_figure_counts_the_trainings_behind_it(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(getattr(data, "data", data)))
    page.learning = True
    page.trainings += ["vgan, 3 steps", "tgan, 4 steps"]
    page.taken.append("tgan, 4 steps")
    for trained in (None, page.trainings[:1], page.trainings[1:], ()):
        page.figure(draw(), data=[TOY], trained=trained)
    every, first, last, none = (one if isinstance(one, str) else one["text/html"] for one in shown)
    assert "2 trainings so far (1 taken from the recorded run)" in every
    assert "trained: vgan, 3 steps" in first and "taken" not in first
    assert "trained: tgan, 4 steps (1 taken from the recorded run)" in last
    assert "training" not in none and "trained" not in none


def test_a_recorded_picture_is_shown_in_today_s_words(page, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(getattr(data, "data", data)))
    study = book.open_page("99_toy", run="study")
    study.film(np.zeros((1, 3, 8, 8, 8)), "fields_film", caption="Row, row", alt="Row and row", data=[TOY], samples=1)
    page.show_recorded("fields_film.webp", run="study", caption="Grey for eight frames.", alt="A grey square, at rest.")
    assert "Grey for eight frames." in shown[-1] and "Row, row" not in shown[-1]
    assert 'alt="A grey square, at rest."' in shown[-1] and "Row and row" not in shown[-1]
    page.show_recorded("fields_film.webp", run="study", alt="A grey square, at rest.")
    assert "Row, row" in shown[-1] and "Row and row" not in shown[-1]


@pytest.mark.parametrize("moving", [False, True])
def test_a_recorded_picture_of_any_size_stays_small_in_a_notebook(tmp_path, moving):
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (3, 600, 800, 3), dtype=np.uint8)  # nothing compresses worse
    frames = [Image.fromarray(frame) for frame in noise]
    path = tmp_path / ("film.webp" if moving else "figure.png")
    frames[0].save(path, **({"save_all": True, "append_images": frames[1:], "duration": 50} if moving else {}))
    import io

    code = pictures.small_webp(path)
    assert len(code) <= pictures.EMBEDDED < path.stat().st_size
    assert pictures.small_webp(io.BytesIO(path.read_bytes())) == code  # of this run, beside the recorded one
    with Image.open(io.BytesIO(code)) as small:
        assert getattr(small, "n_frames", 1) == (3 if moving else 1) and small.width < 800


def test_a_figure_in_a_notebook_has_fewer_bytes_and_the_same_picture():
    import io

    from PIL import Image

    wheel = np.stack(np.broadcast_arrays(*np.ogrid[0:256:2, 0:256:2], 99), axis=2).astype(np.uint8)
    buffer = io.BytesIO()
    grain = np.random.default_rng(0).integers(0, 5, wheel.shape, dtype=np.uint8)
    Image.fromarray(wheel + grain).save(buffer, "PNG")
    small = pictures.small_png(buffer.getvalue())
    with Image.open(io.BytesIO(small)) as after, Image.open(buffer) as before:
        difference = np.abs(np.asarray(after.convert("RGB"), float) - np.asarray(before.convert("RGB"), float))
    assert len(small) < 0.7 * len(buffer.getvalue()) and difference.mean() < 6


@pytest.mark.parametrize("judged", [True, False])
def test_where_the_published_classifier_judges_clips_are_consecutive(tmp_path, monkeypatch, judged):
    monkeypatch.setenv("HRVGAN_ROOT", str(tmp_path))
    root, asked = tmp_path / "sets", []
    (root / "ucf101").mkdir(parents=True)
    if judged:
        (root / "reference").mkdir()
        (root / "reference/c3d_ucf101.safetensors").touch()
    monkeypatch.setattr("hrvgan_lib.data.open_dataset", lambda name, root, **how: asked.append((name, how["stride"])))
    page = book.open_page("99_toy", profile="gpu", data_root=str(root))
    page.dataset("actions")
    page.dataset("golf")
    page.dataset("actions", frames=8, size=32, stride=4)  # an option wins
    assert asked == [("ucf101", 1 if judged else 2), ("golf", 1 if judged else 2), ("ucf101", 4)]
    assert learning.judge_shape(page) == {"frames": 16, "size": 64, "stride": 1 if judged else 2}
    assert page.stride(8) == 4 and page.stride(32) == 1  # too short to be judged by it; as long as the window
    assert book.open_page("99_toy", profile="gpu", data_root=str(root), actions="weizmann").stride(16) == 2
