"""The recorded edition: what sittings keep of a run's trainings, and what a later sitting takes up."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from hrvgan_lib import training as loop
from hrvgan_lib.book import learning, open_page, pictures
from hrvgan_lib.book.findings import SENTENCES
from hrvgan_lib.half import halved
from hrvgan_lib.kept import NETWORKS, keep, load_kept, read_kept
from hrvgan_lib.profiles import PROFILES
from hrvgan_lib.series import edition
from hrvgan_lib.streams import stream
from hrvgan_lib.trainings import OPTIONS, SIDES, predictor, row, side_row, trainings


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page whose run has two trainings of two steps, in folders of its own."""
    page = open_page("edition", profile="smoke", rehearse=True, run="tried")
    page.runs, page.figures = tmp_path / "runs", tmp_path / "figures"
    main = row(page.profile, "hrvgan")
    kept = [(replace(main, steps=2), NETWORKS), (replace(row(page.profile, "vgan"), steps=2), ("sampler",))]
    monkeypatch.setattr(edition, "kept_trainings", lambda _profile: kept)
    monkeypatch.setattr(edition, "row", lambda *_: kept[0][0])
    return page


def learnt(page):
    return [learning.learn(page, training) for training, _ in edition.kept_trainings(page.profile)]


def files(page):
    return sorted((page.figures / edition.FOLDER).glob("*.safetensors"))


def test_a_later_sitting_takes_up_what_an_earlier_one_kept(page, tmp_path, monkeypatch):
    before = learnt(page)
    learning.judge(page)
    names = edition.store(page)
    assert len(names) == 3 and "judge" in names and edition.store(page) == []  # kept once
    page.runs = tmp_path / "another clone"
    assert sorted(edition.take_up(page)) == sorted(names) and edition.take_up(page) == []
    monkeypatch.setattr(loop, "train", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr("hrvgan_lib.metrics.eyes.judge.make_judge", lambda *_: pytest.fail("trained again"))
    learning.judge(page)
    (main, records), (rival, _) = learnt(page)
    (main_before, records_before), (rival_before, _) = before
    for name, weights in main_before.state_dict().items():
        assert torch.equal(weights, main.state_dict()[name]), name
    assert records == records_before
    assert [step for step, _ in main.snapshots] == [step for step, _ in main_before.snapshots]
    for (_, now), (_, then) in zip(main.snapshots, main_before.snapshots):
        assert torch.equal(now, then)
    assert torch.equal(rival.sample(3, generator=stream("kept")), rival_before.sample(3, generator=stream("kept")))
    for name, weights in rival.sampler.state_dict().items():
        assert torch.equal(weights, rival.generator.state_dict()[name]), name


def test_a_kept_training_says_what_it_is(page):
    learnt(page)
    edition.store(page)
    about = read_kept(files(page)[0]).about
    assert about["system"] == "hrvgan" and about["run"] == "tried" and "procedural" in about["data"]
    assert about["device"] and about["seed"] == "0" and json.loads(about["options"])["width"] == page.profile.width


def test_the_strip_has_real_clips_above_samples_of_the_same_classes(page):
    assert edition.draw_strip(page) == []  # nothing is kept yet
    (main, _), _ = learnt(page)
    edition.store(page)
    assert edition.draw_strip(page) == ["strip.webp"]
    sidecar = json.loads((page.figures / "strip.json").read_text())
    held_out = page.dataset("actions", split="test")
    assert [one["split"] for one in sidecar["data"]] == ["train", "test"] and sidecar["samples"] == main.n_classes
    assert sidecar["alt"].endswith(", ".join(held_out.classes)) and sidecar["steps"] == 2
    assert sidecar["trained_on"] == read_kept(files(page)[0]).about["device"]
    with Image.open(page.figures / "strip.webp") as film:
        assert film.n_frames == page.profile.frames
        shown = torch.tensor(np.asarray(film.convert("RGB"))).permute(2, 0, 1) / 127.5 - 1
    drawn = torch.randperm(len(held_out), generator=stream("strip", page.seed)).tolist()
    firsts = {int(held_out.labels[index]): index for index in reversed(drawn)}  # the first of each class is set last
    real = held_out.batch([firsts[label] for label in range(main.n_classes)])[0]
    made = main.sample(main.n_classes, torch.arange(main.n_classes), torch.Generator().manual_seed(page.seed))
    whole = pictures.sheet(pictures.to_frames(torch.cat([real, made]))[:, 0], main.n_classes)
    scale = shown.shape[-1] // whole.shape[1]
    inked = torch.tensor(whole.repeat(scale, 0).repeat(scale, 1)).permute(2, 0, 1) / 127.5 - 1
    assert shown.shape == inked.shape and (shown - inked).abs().mean() < 0.05


def test_a_kept_training_is_loaded_by_what_its_file_says(page):
    (main, _), (rival, _) = learnt(page)
    edition.store(page)
    for path, system in zip(files(page), (main, rival)):
        loaded = load_kept(path)
        assert loaded.about["training"] in (page.figures / edition.FOLDER / "README.md").read_text()
        assert loaded.config == system.config and not loaded.training
        assert torch.equal(loaded.sample(3, generator=stream("kept")), system.sample(3, generator=stream("kept")))
    first = files(page)[0]
    given = json.loads(read_kept(first).about["options"]) | {"betas": (0.5, 0.9)}
    save_file(load_file(first), first, metadata={**read_kept(first).about, "options": json.dumps(given)})
    assert load_kept(first).config == replace(main.config, betas=(0.5, 0.9))
    tensors, about = load_file(path), read_kept(path).about
    save_file(tensors, path, metadata={**about, "options": json.dumps({"colour": "blue"})})
    with pytest.raises(ValueError, match="cannot be built by this version: VGAN has no option 'colour'"):
        load_kept(path)


def test_a_file_that_is_not_whole_is_named_and_left(page, tmp_path, capsys, monkeypatch):
    learnt(page)
    edition.store(page)
    first, second = files(page)
    first.write_bytes(first.read_bytes()[:1000])
    tensors = load_file(second)
    name = next(name for name, tensor in tensors.items() if tensor.ndim > 1 and name.startswith("sampler"))
    header = dict(read_kept(second).about)
    save_file({**tensors, name: tensors[name][:1].clone()}, second, metadata=header)
    runs, page.runs = page.runs, tmp_path / "another clone"
    assert edition.take_up(page) == []
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all("delete it" in line for line in lines)
    assert first.name in lines[0] and f"does not fit this VGAN: {name}" in lines[1]
    monkeypatch.setattr(edition, "open_page", lambda *_, **__: page)
    monkeypatch.setattr(edition, "reproduce", lambda _argv: 0)
    assert edition.main(["--profile", "smoke"]) == 0  # a whole sitting goes on without it
    assert first.name in capsys.readouterr().err
    with pytest.raises(ValueError, match="not a whole kept training"):
        read_kept(first)
    page.runs = runs
    assert edition.store(page) == [edition.kept_trainings(page.profile)[0][0].name]  # kept again where it was trained
    assert read_kept(first).records


def test_older_code_is_not_taken_up_and_makes_way(page, tmp_path):
    learnt(page)
    edition.store(page)
    (page.figures / edition.JUDGES).mkdir(exist_ok=True)
    old = [path.rename(path.with_stem(path.stem[:-12] + 12 * "0")) for path in files(page)]
    runs, page.runs = page.runs, tmp_path / "another clone"
    assert edition.take_up(page) == []
    page.runs = runs
    assert len(edition.store(page)) == 2
    assert len(files(page)) == 2 and not any(path.exists() for path in old)


def test_a_training_that_todays_code_does_otherwise_is_marked_and_told(page, monkeypatch, capsys):
    learnt(page)
    edition.store(page)
    names = [training.name for training, _ in edition.kept_trainings(page.profile)]
    assert edition.differing(page) == [] and edition.older(page) == []
    with monkeypatch.context() as patch:
        patch.setattr("hrvgan_lib.networks.system.RATES", {"generator": 1e-3, "discriminator": 2e-4})
        assert edition.differing(page) == []  # VGAN as published has rates of its own
    monkeypatch.setattr("hrvgan_lib.losses.mse_loss_paper", lambda *_: (_[0] - _[1]).abs().mean())
    assert edition.differing(page) == names[:1]
    monkeypatch.setattr(edition, "open_page", lambda *_, **__: page)
    monkeypatch.setattr(edition, "reproduce", lambda *_: pytest.fail("the series was run"))
    assert edition.main(["--check", "--profile", "smoke"]) == 0
    assert capsys.readouterr().out == f"recorded with older code: {names[0]}\n"
    assert edition.older(page) == names[:1]
    (files(page)[0]).unlink()  # HRVGAN's: kept again, it is of today's code
    assert edition.store(page) == names[:1] and edition.older(page) == []
    monkeypatch.setattr(edition, "kept_trainings", lambda _profile: [])
    assert edition.differing(page) == sorted(names)


def test_what_has_nothing_to_keep_is_refused(page):
    system, records = learnt(page)[0]
    with pytest.raises(ValueError, match="no step was taken"):
        keep(page.figures / "none.safetensors", system, [], NETWORKS, {})
    system.diverged = "training diverged at step 2"
    with pytest.raises(ValueError, match="diverged at step 2"):
        keep(page.figures / "none.safetensors", system, records, NETWORKS, {})
    assert not page.figures.exists()


def test_files_of_two_runs_are_refused(page, tmp_path, capsys, monkeypatch):
    page.figures.mkdir()
    for name, run in (("table3", "tried"), ("table4", "tried")):
        (page.figures / f"{name}.json").write_text(json.dumps({"parameters": {"run": run}}))
    (page.figures / "status.json").write_text("[]")
    assert edition.mixed(page.figures) == ""
    (page.figures / "table4.json").write_text(json.dumps({"parameters": {"run": "another"}}))
    monkeypatch.setattr(edition, "open_page", lambda *_, **__: page)
    monkeypatch.setattr(edition, "reproduce", lambda *_: pytest.fail("the series was run"))
    assert edition.main(["--profile", "smoke"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "holds files of 2 runs: tried (table3.json), another (table4.json)" in line
    assert edition.main(["--profile", "none"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("status", [0, 1, 130])
def test_a_sitting_keeps_what_is_finished_however_it_ends(status, page, monkeypatch, capsys):
    given = []
    monkeypatch.setattr(edition, "open_page", lambda *_, **__: page)
    monkeypatch.setattr(edition, "take_up", lambda _page: ["one"])
    monkeypatch.setattr(edition, "store", lambda _page: ["two"])
    monkeypatch.setattr(edition, "reproduce", lambda argv: given.append(argv) or status)
    assert edition.main(["--profile", "smoke", "--rehearse"]) == status
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["taken up: one", "kept: two"]
    assert [line.partition(":")[0] for line in told[2:]] == [f"not said of {one}" for one in SENTENCES] * (status == 0)
    assert edition.main(["--keep", "--profile", "smoke", "--rehearse"]) == 0
    assert given == [["--profile", "smoke", "--rehearse"]] and capsys.readouterr().out.splitlines() == ["kept: two"]


def test_what_is_kept_of_the_overnight_run_is_what_takes_long():
    profile = PROFILES["overnight"]
    kept = dict((training.name, networks) for training, networks in edition.kept_trainings(profile))
    left = [training for training in trainings(profile) if training.name not in kept]
    assert kept[row(profile, "hrvgan").name] == NETWORKS
    assert all(row(profile, name).name in kept for name in ("vgan", "tgan", "mocogan, labels", "hrvgan, no labels"))
    assert all(side_row(profile, name, data).name in kept for name in ("vgan", "hrvgan") for data in SIDES)
    assert predictor(profile, "combined").name in kept
    assert all(one.steps < profile.side_steps or one.options in (OPTIONS["common"], OPTIONS["literal"]) for one in left)


def test_halving_twice_is_halving_once_and_leaves_what_half_cannot_hold():
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    with torch.no_grad():
        module[0].bias[0] = 1e6
        module[1].running_var.fill_(1 / 3)
    once = halved(module.state_dict(), module)
    assert once["0.weight"].dtype == torch.float16 and once["0.bias"].dtype == torch.float32
    assert float(once["1.running_var"][0]) == pytest.approx(1 / 3, rel=1e-7)
    module.load_state_dict(once)
    for name, tensor in halved(module.state_dict(), module).items():
        assert torch.equal(tensor, once[name]), name


def test_a_cpu_of_another_kind_takes_up_what_was_kept_and_keeps_nothing_twice(page, tmp_path, monkeypatch):
    """Some multiply in bfloat16 and some do not, which is part of the key of whatever has learned."""
    with edition.trained_in(torch.bfloat16):
        learnt(page)
        learning.judge(page)
        names = edition.store(page)
        before = {path.name for path in files(page)}
    with edition.trained_in(torch.float32):
        assert edition.differing(page) == []  # in its own arithmetic
        page.runs = tmp_path / "another machine"
        assert sorted(edition.take_up(page)) == sorted(names)
        monkeypatch.setattr(loop, "train", lambda *_, **__: pytest.fail("trained again"))
        learnt(page)
        assert edition.store(page) == [] and {path.name for path in files(page)} == before
        assert learning.judge(page).digest and len([*(page.figures / "judges").iterdir()]) == 1


@pytest.fixture
def reader(page, tmp_path, monkeypatch):
    """A page in whose project another run, that `Profile.weights` names, has kept two trainings and a judge."""
    learnt(page)
    learning.judge(page)
    page.figures = tmp_path / "project/figures/overnight"
    edition.store(page)
    kept = [training for training, _ in edition.kept_trainings(page.profile)]
    monkeypatch.setattr(learning, "all_trainings", lambda _profile: kept)
    reader = open_page("06_toy", profile="smoke", rehearse=True, run="reader")
    reader.profile = replace(reader.profile, weights="overnight")
    reader.root, reader.runs = tmp_path / "project", tmp_path / "project/runs/reader"
    return reader


def test_a_profile_that_names_a_run_measures_its_systems_and_trains_none(reader, page, monkeypatch):
    main = row(reader.profile, "hrvgan")
    records = learning.learn(reader, replace(main, steps=1), own=True)[1]
    assert len(records) == 1 and reader.taken == []
    monkeypatch.setattr(loop, "train", lambda *_, **__: pytest.fail("trained"))
    taken, records = learning.learn(reader, replace(main, steps=1))  # however long its own would be
    (name,) = reader.taken
    assert len(records) == 2 and name == reader.trainings[-1] == replace(main, steps=2).name
    recorded = learning.learn(page, replace(main, steps=2))[0]
    latents = recorded.latents(2, stream("taken"))
    assert torch.equal(taken.sampler(latents, torch.tensor([0, 1])), recorded.sampler(latents, torch.tensor([0, 1])))
    assert [step for step, _ in taken.snapshots] == [step for step, _ in recorded.snapshots]
    assert all(torch.equal(a[1], b[1]) for a, b in zip(taken.snapshots, recorded.snapshots))
    assert learning.judge(reader).digest == learning.judge(page).digest
    assert not (reader.runs / "judges").exists()


def test_clips_are_those_of_the_run_that_a_system_was_taken_from(reader):
    own = reader.dataset("golf")
    assert learning.clips_behind(reader, "golf") is own  # nothing was taken: the page's systems learn from its clips
    learning.learn(reader, replace(row(reader.profile, "hrvgan"), steps=1))
    recorded, stacked = PROFILES["overnight"], learning.clips_behind(reader, "golf")
    assert (stacked.frames, stacked.size, stacked.kind) == (own.frames, own.size, "procedural")
    videos = len(set(stacked.groups)) + len(set(learning.clips_behind(reader, "golf", "test").groups))
    assert videos == recorded.stack_videos and len(stacked) == recorded.clips_per_video * len(set(stacked.groups))
    assert len(stacked) > len(own)
    own.kind = "real"
    assert learning.clips_behind(reader, "golf") is own


@pytest.mark.parametrize("change", ["seed", "real", "broken", "none", "the run itself"])
def test_nothing_else_is_taken_for_a_recorded_training(reader, page, change, monkeypatch, capsys):
    main = replace(row(reader.profile, "hrvgan"), steps=1)
    trained = []
    monkeypatch.setattr(learning, "train_or_read", lambda *_, **__: trained.append(1) or (None, []))
    if change == "seed":
        reader.seed = 1  # the same weights again would pass for another training
    elif change == "real":
        monkeypatch.setattr(reader.dataset("actions"), "kind", "real", raising=False)
        clips = reader.dataset("actions")
        monkeypatch.setattr(type(reader), "dataset", lambda *_, **__: clips)
    elif change == "broken":
        for path in (reader.root / "figures/overnight/trainings").glob("hrvgan-*.safetensors"):
            path.write_bytes(path.read_bytes()[:1000])
    elif change == "none":
        reader.profile = replace(reader.profile, weights="")
    else:
        reader.run = "overnight"
    learning.learn(reader, main)
    assert trained == [1] and reader.taken == []
    said = capsys.readouterr().out.splitlines()
    assert len(said) == (change == "broken") and all("fetch it again, or delete it" in line for line in said)


def test_a_broken_recorded_judge_is_one_line_and_another_is_trained(reader, capsys):
    (place,) = (reader.root / "figures/overnight/judges").iterdir()
    weights = place / "judge.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert learning.judge(reader).accuracy is not None and (reader.runs / "judges").exists()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(str(place)) and line.endswith("a judge is trained here instead")
