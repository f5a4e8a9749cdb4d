"""`make bench`: every part of a step is counted once, a switch is put back, tables have what chapter 13 reads."""

import dataclasses
import itertools
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hrvgan_lib import training
from hrvgan_lib.book import open_page
from hrvgan_lib.networks import fused
from hrvgan_lib.networks.hrvgan import HRVGAN
from hrvgan_lib.networks.resampling import Downsample, Upsample
from hrvgan_lib.profiles import BENCH_RUN, PROFILES
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.series import bench, roofline, timing
from hrvgan_lib.series.bench import Meter, hrvgan
from hrvgan_lib.streams import stream
from hrvgan_lib.training import StepRecord

TINY = dataclasses.replace(PROFILES["smoke"], width=1 / 32)
WORK = hrvgan(8, 16, 4)


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by one second each time it is read."""
    ticks = itertools.count()
    monkeypatch.setattr(bench.time, "perf_counter", lambda: float(next(ticks)))


# The meter ------------------------------------------------------------------------------------------------------------
def test_a_meter_gives_everything_to_some_part_and_nothing_to_two():
    readings = iter([10.0, 11.0, 13.0, 17.0, 25.0])
    meter = Meter(lambda: next(readings))
    for part in ("a", "b", "a", "c"):
        meter.begin((part, "", ""))
    assert meter.spent == {bench.NOTHING: 1.0, ("a", "", ""): 2.0 + 8.0, ("b", "", ""): 4.0}


def test_stages_are_cut_where_a_map_changes_its_size():
    system = timing.build(WORK, TINY)
    for layers in (system.generator.layers, system.discriminator.trunk):
        stages = bench.stages_of(layers)
        assert [layer for stage in stages for layer in stage] == [*layers] and len(stages) in (2, 3)
        inner = [layer for stage in stages for layer in [*stage][1:-1]]
        assert not [layer for layer in inner if isinstance(layer, Upsample | Downsample)]


def test_a_metered_step_is_the_step_and_every_stage_is_seen_both_ways(clock):
    weights = []
    for watched in (False, True):
        system = timing.build(WORK, TINY)
        clips, optimisers = bench.RandomClips(8, 16, bench.LABELS), system.optimisers()
        meter = Meter(lambda: 0.0)
        with bench.staged(system, meter) if watched else bench.nullcontext():
            bench.take_step(system, clips, 4, torch.float32, optimisers, 0, meter)
        weights.append(system.state_dict())
    assert fused.run.__name__ == "run" and fused.run.__module__ == fused.__name__  # put back
    assert all(torch.equal(one, other) for one, other in zip(*(state.values() for state in weights)))
    spent = bench.seconds_by_part(WORK, TINY, torch.float32, 0, 2)
    stages = [("G", "4x4x4"), *((name, place) for name in "GDE" for place in ("8x8x8", "8x16x16"))]
    assert {(*stage, way) for stage in stages for way in ("forward", "backward")} < spent.keys()
    assert {part[0] for part in spent} == {"G", "D", "E", bench.REST, "data", "optimiser", "average of G"}


def test_the_parts_of_a_step_have_the_operations_of_the_whole():
    parts = bench.work_by_part(WORK, TINY)
    whole = roofline.work_of(timing.build(WORK, TINY, "cpu"), WORK.batch)
    assert sum(spent[0] for spent in parts.values()) == whole.operations > 0
    assert sum(spent[1] for spent in parts.values()) == whole.numbers > 0
    forward, backward = (parts["D", "8x16x16", way][0] for way in ("forward", "backward"))
    assert 1 < backward / forward <= 2  # a gradient for the weights and one for the maps; D's first layer needs one


def test_the_table_of_layers_has_shares_that_add_up(clock, monkeypatch):
    monkeypatch.setattr(bench, "precision", lambda device: torch.float32)
    rows = bench.layers_table([WORK], TINY, 0, 1)
    assert sum(row["share of the step"] for row in rows) == pytest.approx(1, abs=0.02)
    assert {row["clip"] for row in rows} == {"8x16x16"} and {row["arithmetic"] for row in rows} == {"fp32"}
    stage = next(row for row in rows if (row["part"], row["stage"]) == ("D", "8x16x16"))
    seconds = (stage["forward ms"] + stage["backward ms"]) / 1000
    assert stage["GFLOP/s"] == pytest.approx(stage["GFLOP"] / seconds, rel=0.02)
    assert stage["FLOP/byte"] == pytest.approx(1000 * stage["GFLOP"] / stage["MB"], rel=0.02)
    assert next(row for row in rows if row["part"] == "data")["GFLOP"] == 0


def test_the_table_of_rates_has_the_ridge(monkeypatch):
    speeds = itertools.cycle([0.5, 0.1, 1.0, 0.2, 0.3])

    def found(dtype):
        speed = next(speeds)
        return roofline.Rates(speed * 6e10 * (4 // dtype.itemsize), speed * 1e10)

    monkeypatch.setattr(bench, "rates", found)
    monkeypatch.setattr(bench, "precision", lambda device: torch.bfloat16)
    assert [(row["arithmetic"], row["FLOP/byte at the ridge"]) for row in bench.rates_table()] == [
        ("fp32", 6.0), ("bf16", 12.0),
    ]  # fmt: skip


# Changes --------------------------------------------------------------------------------------------------------------
def test_a_change_is_taken_back_alone_and_put_back(monkeypatch):
    asked = []

    def stepping(work, profile, dtype):
        return lambda: asked.append((dtype, fused._plain, torch.get_num_threads(), HRVGAN.fakes.__qualname__))

    def in_turns(one, other, rounds):
        one()
        other()
        states, usual = asked[-2:], (torch.bfloat16, False, threads, "HRVGAN.fakes")
        assert [sum(a != b for a, b in zip(state, usual)) for state in states] == [0, 1]
        return 0.5, 1.5

    torch.set_num_threads(2)
    threads = torch.get_num_threads()
    monkeypatch.setattr(bench, "stepping", stepping)
    monkeypatch.setattr(bench, "in_turns", in_turns)
    monkeypatch.setattr(bench, "precision", lambda device: torch.bfloat16)
    monkeypatch.setattr(
        bench, "layers_beside",
        lambda *_: {"a layer": (stepping(0, 0, torch.bfloat16), stepping(0, 0, torch.float32))},
    )  # fmt: skip
    try:
        rows = bench.changes_table([WORK], TINY)
    finally:
        torch.set_num_threads(1)
    assert [row["change"] for row in rows] == [
        "bfloat16", "layers taken together", "D's fakes without a graph", "2 threads", "a layer",
    ]  # fmt: skip
    assert {row["ratio"] for row in rows} == {3.0} and rows[0]["ms with"] == 500 and rows[0]["ms without"] == 1500
    assert len(set(asked)) == 5  # every change was off once


@pytest.mark.parametrize("way", [bench.graphs_kept, bench.one_thread])
def test_a_switch_is_put_back_when_a_step_fails(way):
    before = (HRVGAN.fakes, torch.get_num_threads())
    with pytest.raises(torch.OutOfMemoryError), way():
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert (HRVGAN.fakes, torch.get_num_threads()) == before


def test_kept_graphs_change_what_a_step_costs_and_not_what_it_computes():
    losses = []
    for way in (bench.nullcontext, bench.graphs_kept):
        system = timing.build(WORK, TINY)
        clips, labels = bench.RandomClips(8, 16, bench.LABELS).batch(torch.arange(4))
        with way():
            terms = system.discriminator_losses(clips, labels, stream("test"))
        sum(terms.values()).backward()
        reached = any(parameter.grad is not None for parameter in system.generator.parameters())
        assert reached == (way is bench.graphs_kept)
        losses.append({name: float(term.detach()) for name, term in terms.items()})
    assert losses[0] == losses[1]


def test_two_pieces_of_work_take_turns_and_the_fastest_counts(monkeypatch):
    moments = iter([0, 1, 1, 2, 10, 15, 15, 19, 20, 23, 23, 31])  # 1 and 1, 5 and 4, 3 and 8 s
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(moments))
    done = []
    found = bench.in_turns(lambda: done.append("one"), lambda: done.append("other"), rounds=2)
    assert done == ["one", "other"] * 3 and found == (3, 4)


def test_a_training_is_stepped_through():
    step = bench.stepping(hrvgan(8, 8, 4), TINY, torch.float32)
    assert [step().step for _ in range(2)] == [1, 2]


def test_layers_beside_each_other_compute_the_same(monkeypatch):
    monkeypatch.setattr(bench, "precision", lambda device: torch.float32)
    seen = []
    usual = torch.Tensor.sum
    monkeypatch.setattr(torch.Tensor, "sum", lambda x, *how, **more: seen.append(x) or usual(x, *how, **more))
    pairs = bench.layers_beside(timing.build(WORK, TINY), 2)
    assert len(pairs) == 4
    for what, pair in pairs.items():
        maps = []
        for work in pair:
            seen.clear()
            work()
            maps.append(seen[0])
        now, plain = maps
        assert now.shape == plain.shape and torch.allclose(now, plain, atol=1e-4), what


# Growth and loading ---------------------------------------------------------------------------------------------------
def test_one_thing_grows_at_a_time():
    for on_gpu in (False, True):
        works = bench.growths(on_gpu, 0.25)
        (base,) = {(one.frames, one.size, one.batch, one.options["width"]) for what, one in works if what == "width"
                   and one.options["width"] == 0.25}  # fmt: skip
        assert [what for what, _ in works] == [what for what in ("batch", "frames", "size", "width") for _ in range(4)]
        for what, work in works:
            here = (work.frames, work.size, work.batch, work.options["width"])
            changed = [name for name, one, two in zip(("frames", "size", "batch", "width"), here, base) if one != two]
            assert changed in ([], [what])
            with torch.device("meta"):
                timing.build(work, TINY, "meta")  # every shape is one that HRVGAN can be cut to


def test_growth_is_measured_in_processes_of_their_own(monkeypatch):
    costs = iter([timing.Cost("hrvgan, labels", "8x16x16", 4, "fp32", 0.5, 9.9, False)])
    monkeypatch.setattr(bench, "alone", lambda work, *given: (next(costs), 123.4))
    works = [("batch", hrvgan(8, 16, 4, width=1 / 32, temporal_doublings=(8,)))]
    (row,) = bench.growth_table(works, TINY)
    assert row == {"grows": "batch", "value": 4, "clip": "8x16x16", "batch": 4, "width": 1 / 32, "s a step": 0.5,
                   "clips/s": 8.0, "peak MB": 123.0}  # fmt: skip


def test_what_runs_alone_is_weighed_alone():
    length, held = bench.alone(hold, 50_000_000)
    assert length == 50_000_000 and 45 < held < 500


def hold(length):
    return len(b"x" * length)


def test_loading_is_extrapolated_from_what_was_packed(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "alone", lambda work, *given: (0.5 if work is bench._read else 10.0, 77.0))
    asked = []
    monkeypatch.setattr("hrvgan_lib.data.standin.writing.write_actions", lambda folder, **how: asked.append(how))
    listing = dataclasses.make_dataclass("Listing", ["entries"], frozen=True)(tuple(range(1000)))
    monkeypatch.setattr("hrvgan_lib.data.scan", lambda name, folder: listing)
    rows = bench.loading_table()
    assert asked == [{"clips_per_group": 5, "frames": 32}]  # 5 clips of 25 groups of 8 classes: 1,000
    assert [(row["clip"], row["AVIs"]) for row in rows] == [
        ("32x32", 100), ("32x32", 1000), ("64x64", 1000), ("256x256", 100),
        *[("8x32x32", 1000)] * 2, *[("16x64x64", 1000)] * 2, *[("32x256x256", 100)] * 2,
    ]  # fmt: skip
    assert [row["work"].split()[1].strip(",") for row in rows[4:]] == ["bytes", "floats"] * 3
    assert [row["a second"] for row in rows] == [10.0, 100.0, 100.0, 10.0, *[2.0] * 6]
    frames = 13_320 * 7.21 * 25
    assert rows[3]["UCF101, GB"] == pytest.approx(frames * 256 * 256 * 3 / 1e9, rel=5e-3)
    assert rows[1]["UCF101, minutes"] == pytest.approx(frames / 32 / 100 / 60, rel=5e-3)
    assert {row["peak MB"] for row in rows} == {77.0}


def test_ranks_are_timed_by_their_own_records(monkeypatch, tmp_path):
    def run(words, cwd, env, capture_output, encoding):
        count = int(next(word for word in words if word.startswith("--nproc")).partition("=")[2])
        place = Path(next(word for word in words if word.startswith("--folder")).partition("=")[2]) / "hrvgan-golf"
        place.mkdir()
        step = 2 / count / int(env["OMP_NUM_THREADS"])
        ends = [9.0, 9.5, 10.0, 20.0, *(20.0 + step * number for number in range(1, 9))]
        records = [StepRecord(step, 8 * step, end, {}, {}) for step, end in enumerate(ends, 1)]
        training.write_records(place / "records.jsonl", records)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(bench.subprocess, "run", run)
    rows = bench.ranks_table()
    for clip, some in zip(("8x32x32", "16x64x64"), (rows[:3], rows[3:])):
        assert some == [
            {"processes": count, "threads each": threads, "clip": clip, "batch": 8, "s a step": 2.0 / count / threads,
             "over one": 1.0 * count * threads} for count, threads in ((1, 1), (1, 2), (2, 1))
        ]  # fmt: skip
    monkeypatch.setattr(bench.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=3, stderr="a\nlost"))
    with pytest.raises(RuntimeError, match=r"1 processes: status 3: \['lost'\]"):
        bench.ranks_table()


# The record -----------------------------------------------------------------------------------------------------------
def test_a_table_that_is_not_there_is_named(capsys):
    assert bench.main(["bench_spoons"]) == 2
    assert capsys.readouterr().err.startswith("bench_spoons: no table of make bench; it has bench_rates, ")


def test_the_committed_record_is_whole_and_says_where_it_was_measured():
    folder = repo_root() / "figures" / BENCH_RUN
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("bench_*.json")}
    assert {"bench_rates", "bench_layers", "bench_changes", "bench_growth", "bench_loading", "bench_steps",
            "bench_checkpoints", "bench_measuring", "bench_ranks"} <= records.keys()  # fmt: skip
    for name, record in records.items():
        assert record["rows"] and record["device"] and record["versions"]["torch"], name
        assert "thread" in record["note"], name
        assert {f"{name}.csv", f"{name}.md"} == {*record["files"]}


def test_a_page_finds_the_record():
    page = open_page("13_speed", profile="smoke", run="smoke")
    assert page.recorded("bench_layers.json", run=BENCH_RUN).is_file()
    assert page.recorded("bench_spoons.json", run=BENCH_RUN) is None
