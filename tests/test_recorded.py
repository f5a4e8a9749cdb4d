"""The edition that the repository holds: of one run, whole, readable, in budget, and of today's code or marked."""

import json
import subprocess

import pytest

from hrvgan_lib.book import learning, open_page
from hrvgan_lib.files import sha256_file
from hrvgan_lib.kept import fill, read_kept
from hrvgan_lib.metrics.eyes.judge import load_judge
from hrvgan_lib.provenance import repo_root, versions
from hrvgan_lib.series import edition
from hrvgan_lib.series.chapters import find_chapters
from hrvgan_lib.streams import stream

RUN = "overnight"
BUDGET = 25_000_000  # bytes


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of the recorded run, as in a fresh clone: nothing has been trained in its runs/."""
    page = open_page("edition", profile=RUN)
    page.runs = tmp_path_factory.mktemp("runs")
    return page


@pytest.fixture(scope="module")
def sidecars(page):
    """Every sidecar of the recorded run, by name."""
    read = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in page.figures.glob("*.json")}
    return {name: record for name, record in read.items() if isinstance(record, dict) and "parameters" in record}


def tracked(folder):
    """The files that git holds below a folder of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=repo_root(), capture_output=True, check=True)
    return [repo_root() / name for name in listed.stdout.decode().split("\0") if name]


def test_it_is_of_one_run(page, sidecars):
    assert edition.mixed(page.figures) == ""
    assert {record["parameters"]["run"] for record in sidecars.values()} == {RUN}
    assert {record["parameters"]["profile"]["name"] for record in sidecars.values()} == {RUN}
    assert {tuple(record["seeds"]) for record in sidecars.values()} == {(0,)}
    assert all(record["device"] and one["kind"] for record in sidecars.values() for one in record["data"])


def test_every_chapter_of_it_ended_well(page):
    status = {row["name"]: row["status"] for row in json.loads((page.figures / "status.json").read_text())}
    chapters = {chapter.stem for chapter in find_chapters(repo_root() / "notebooks")}
    assert chapters - {"13_speed"} <= status.keys() <= chapters  # 13 shows figures/bench, whatever the run
    assert {*status.values()} <= {"ok", "cached"}  # cached: an earlier sitting has run it


def test_every_file_is_there_as_it_was_written(page, sidecars):
    for record in sidecars.values():
        for name, digest in record["files"].items():
            assert sha256_file(page.figures / name) == digest, name
    named = {name for record in sidecars.values() for name in record["files"]}
    assert {"table3_inception_score.csv", "table4_frechet_distance.csv", "claims.csv", "decisions.csv"} <= named
    assert {"fig2_interpolation_golf.png", "fig3_interpolation_aeroplane.png", "fig4_samples_actions.png"} <= named


def test_it_stays_within_its_budget(page):
    held = tracked(f"figures/{RUN}")
    assert held and sum(path.stat().st_size for path in held) <= BUDGET


def test_every_kept_training_fits_todays_code_and_samples(page):
    planned = {training.name: (training, how) for training, _, how, *_ in edition.places(page)}
    kept = {}
    for path in (page.figures / edition.FOLDER).glob("*.safetensors"):
        about = read_kept(path).about
        assert about["training"] not in kept, f"{path.name} is kept twice"
        kept[about["training"]] = path
        assert "procedural" in about["data"] and about["device"]  # the file's name is its key today
    assert kept.keys() == planned.keys()
    for name, path in kept.items():
        training, how = planned[name]
        clips = learning.clips_of(page, training)
        one = read_kept(path)
        assert len(one.records) == training.steps and one.records[-1].clips_seen == training.steps * training.batch
        system = fill(how.build(clips), one, path)
        if training.system != "prediction":
            made = system.sample(2, generator=stream("recorded"))
            assert made.isfinite().all() and made.abs().max() <= 1 and made.std() > 0, name  # a grey fog is a result


def test_its_judge_knows_held_out_clips(page, sidecars):
    (place,) = (page.figures / edition.JUDGES).iterdir()
    if sidecars["claims.json"]["versions"]["torch"] == versions()["torch"]:  # a judge is found by it, among others
        assert place == edition.recorded_judge(page)  # today's code would train the same
    judge = load_judge(place, page.device)
    assert judge.accuracy.value >= 0.95


def test_todays_code_trains_the_same_or_the_book_says_that_it_does_not(page):
    """The first three steps of every kept training, taken again."""
    assert edition.differing(page) == edition.older(page)
