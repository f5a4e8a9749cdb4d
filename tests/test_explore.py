"""Walks through latent space and the widget that takes them."""

import json
import math
import re

import pytest
import torch

from hrvgan_lib.book import explore
from hrvgan_lib.networks import build_system


@pytest.mark.parametrize("path", explore.PATHS)
@pytest.mark.parametrize("shape", [(128,), (4, 128)])
def test_walks_start_and_end_where_they_should(path, shape):
    start, end = torch.randn(2, *shape)
    walk = explore.interpolate(start, end, 7, path)
    assert walk.shape == (7, *shape)
    assert torch.allclose(walk[0], start, atol=1e-5) and torch.allclose(walk[-1], end, atol=1e-5)


def test_a_line_is_even_and_a_great_circle_keeps_the_length():
    start, end = torch.randn(2, 128)
    line, circle = (explore.interpolate(start, end, 9, path) for path in explore.PATHS)
    assert torch.allclose(line.diff(dim=0), (end - start).expand(8, 128) / 8, atol=1e-6)
    lengths = circle.norm(dim=1)
    assert torch.allclose(lengths, torch.linspace(start.norm().item(), end.norm().item(), 9), rtol=1e-5)
    assert line.norm(dim=1).min() < lengths.min()  # the line cuts through the ball


def test_parallel_ends_have_nothing_to_turn():
    start = torch.randn(128)
    circle = explore.interpolate(start, 2 * start, 5, "great circle")
    assert torch.allclose(circle, explore.interpolate(start, 2 * start, 5), atol=1e-4)


def test_walks_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="steps is 1"):
        explore.interpolate(torch.zeros(2), torch.ones(2), 1)
    with pytest.raises(ValueError, match="unknown path 'zigzag'"):
        explore.interpolate(torch.zeros(2), torch.ones(2), 3, "zigzag")


def test_the_shape_of_a_walk_in_closed_form():
    start, end = torch.randn(2, 3, 4)
    even = explore.walk_shape(explore.interpolate(start, end, 6))
    assert even.detour == pytest.approx(1, rel=1e-5) and even.jump == pytest.approx(1, rel=1e-4)
    leap = explore.walk_shape(torch.stack([start] * 3 + [end] * 3))
    assert leap.detour == pytest.approx(1) and leap.jump == pytest.approx(5)  # one of five steps does it all
    square = explore.walk_shape(torch.tensor([[0.0, 0], [0, 1], [1, 1], [1, 0]]))
    assert square.detour == pytest.approx(3)
    assert math.isnan(explore.walk_shape(torch.zeros(4, 2)).detour)


def test_a_random_walk_takes_equal_steps():
    walk = explore.random_walk(torch.randn(4, 128), 9, 2.5, torch.Generator().manual_seed(0))
    assert walk.shape == (9, 4, 128)
    assert torch.allclose(walk.diff(dim=0).flatten(1).norm(dim=1), torch.full((8,), 2.5), rtol=1e-4)


@pytest.mark.parametrize("n_classes", [0, 2])
def test_the_widget_draws_another_clip_for_every_control(n_classes, monkeypatch):
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, n_classes=n_classes, width=0.0625)
    with torch.no_grad():  # a fresh average of the generator gives almost nothing: make its pictures differ
        for parameter in system.sampler.parameters():
            parameter.mul_(3)
    explorer = explore.LatentExplorer({"this run": (system, ["JumpingJack", "TaiChi"][:n_classes])}, steps=5)
    seen = {explorer.picture.value}
    explorer.place.value = 2
    seen.add(explorer.picture.value)
    explorer.path.value = "great circle"
    explorer.start.value = 7
    seen.add(explorer.picture.value)
    if n_classes:
        explorer.label.value = 1
        seen.add(explorer.picture.value)
        assert "TaiChi" in explorer.picture.value
    assert len(seen) == 3 + bool(n_classes)
    assert "50 % of the way" in explorer.caption.value and 'alt="generated clip' in explorer.picture.value
    assert explorer.strip(3).shape == (3, 3, 8, 16, 16)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    monkeypatch.setenv("HRVGAN_HEADLESS", "1")
    explorer.show()
    assert [set(data) for data in shown] == [{"text/html", "text/plain"}]
    assert "Five generated clips side by side" in shown[0]["text/html"]


def test_both_ends_stand_beside_the_clip():
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, n_classes=2, width=0.0625)
    with torch.no_grad():
        for parameter in system.sampler.parameters():
            parameter.mul_(3)
    explorer = explore.LatentExplorer({"this run": (system, "ab")}, steps=5)

    def pixels(html):
        return re.search(r"base64,([^\"]+)", html)[1]

    first, last = (end.value for end in explorer.ends)
    assert "A, seed 0" in first and "B, seed 1" in last and pixels(first) != pixels(last)
    assert pixels(first) == pixels(explorer.picture.value)
    explorer.place.value = 4
    assert pixels(last) == pixels(explorer.picture.value)
    assert [end.value for end in explorer.ends] == [first, last]  # the ends do not move
    explorer.start.value = 7
    assert "A, seed 7" in explorer.ends[0].value and explorer.ends[1].value == last
    explorer.label.value = 1
    assert explorer.ends[1].value != last


def test_a_menu_without_a_choice_is_not_shown():
    torch.manual_seed(0)
    one, two = (build_system("hrvgan", frames=8, size=16, n_classes=n, width=0.0625) for n in (0, 2))
    alone = explore.LatentExplorer({"this run": (one, ())}, steps=5)
    assert (alone.source.layout.display, alone.label.layout.display) == ("none", "none")
    both = explore.LatentExplorer({"this run": (one, ()), "recorded": (two, "ab")}, steps=5)
    assert (both.source.layout.display, both.label.layout.display) == (None, None)
    both.source.value = "this run"
    assert both.label.layout.display == "none"


@pytest.mark.parametrize("run, device", [("overnight", "AMD EPYC (2 cores)"), ("gpu", "NVIDIA H200")])
def test_a_recorded_generator_is_named_by_its_run_and_machine(run, device, tmp_path):
    sidecar = {"device": device, "parameters": {"run": run}}
    (tmp_path / "hrvgan_generator.json").write_text(json.dumps(sidecar))
    assert explore.origin_of(tmp_path / "hrvgan_generator.safetensors") == f"recorded run {run}, {device}"


def test_the_widget_changes_generators_and_their_classes():
    torch.manual_seed(0)
    mine = build_system("hrvgan", frames=8, size=16, n_classes=2, width=0.0625)
    recorded = build_system("hrvgan", frames=8, size=16, n_classes=3, width=0.0625)
    explorer = explore.LatentExplorer({"this run": (mine, "ab"), "recorded": (recorded, "xyz")}, steps=5)
    assert explorer.system is recorded and explorer.label.label == "x"
    explorer.label.value = 2
    before = explorer.picture.value
    explorer.source.value = "this run"
    assert explorer.system is mine and [name for name, _ in explorer.label.options] == ["a", "b"]
    assert explorer.picture.value != before
    nameless = explore.LatentExplorer({"this run": (mine, ())}, steps=5)
    assert [name for name, _ in nameless.label.options] == ["class 0", "class 1"]
    named = explore.LatentExplorer({"this run": (mine, ("A & B", "c"))}, steps=5)
    assert "A &amp; B" in named.picture.value and "amp;amp" not in named.picture.value
