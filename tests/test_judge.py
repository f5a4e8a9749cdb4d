"""The judge and other eyes: C3D, its training, its keeping, weights of others, the command line (chapter 08)."""

import copy
import importlib
import json
import math
import re
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from blobs import CLASSES, MovingBlobs
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from hrvgan_lib import metrics
from hrvgan_lib.data import read_video
from hrvgan_lib.data.formats.video import write_video
from hrvgan_lib.data.report import Report
from hrvgan_lib.devices import precision
from hrvgan_lib.metrics.eyes import extractors, judge_training, published
from hrvgan_lib.metrics.eyes import judge as judge_module
from hrvgan_lib.metrics.eyes.c3d import C3D, LAYERS, PLAN, pooled
from hrvgan_lib.metrics.eyes.judge_training import LearningStep, Recipe, augment, train_judge
from hrvgan_lib.metrics.eyes.weights import read_tensors
from hrvgan_lib.networks import build_system
from hrvgan_lib.streams import stream

command = importlib.import_module("hrvgan_lib.metrics.__main__")
CPU = torch.device("cpu")


def blank(data, recipe):
    """An untrained network that fits the clips of `data`."""
    return judge_module.blank_network(data.n_classes, data.frames, data.size, recipe)


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def close(found, expected, atol=1e-6, rtol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


# C3D ----------------------------------------------------------------------------------------------


def test_c3d_is_the_published_network_by_default():
    with torch.device("meta"):
        network = C3D()
    assert (network.n_classes, network.width, network.frames, network.size) == (101, 1.0, 16, 112)
    assert network.dropout.p == 0.5 and network.pool5_shape == (512, 1, 4, 4)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    wide = (3, 64, 128, 256, 256, 512, 512, 512, 512)
    convolutions = [name for block in PLAN for name, _ in block]
    for before, after, name in zip(wide, wide[1:], convolutions):
        assert shapes[f"blocks.block{name[4]}.{name}.weight"] == (after, before, 3, 3, 3)
        assert shapes[f"blocks.block{name[4]}.{name}.bias"] == (after,)
    assert [shapes[f"fc{i}.weight"] for i in (6, 7, 8)] == [(4096, 8192), (4096, 4096), (101, 4096)]
    assert len(shapes) == 22 and [network.feature_width(layer) for layer in LAYERS] == [8192, 4096, 4096, 101]
    assert network.feature_width() == 4096


def test_c3d_starts_with_weights_that_keep_the_scale():
    torch.manual_seed(0)
    network = C3D(50, width=0.25, frames=8, size=32)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            assert (parameter == 0).all(), name
        else:
            fan_in = parameter[0].numel()
            expected = 0.01 if name.startswith("fc8") else math.sqrt(2 / fan_in)
            assert float(parameter.detach().std()) == pytest.approx(expected, rel=0.07), name
    assert all(module.inplace for module in network.modules() if isinstance(module, nn.ReLU))


def test_batch_norm_stands_between_convolution_and_relu():
    layers = [
        type(module).__name__ for block in C3D(2, 0.05, 8, 32, batch_norm=True).blocks.values() for module in block
    ]
    once = ["Conv3d", "BatchNorm3d", "ReLU"]
    assert layers == [*once, "MaxPool3d"] * 2 + [*once, *once, "MaxPool3d"] * 3
    plain = [type(module).__name__ for block in C3D(2, 0.05, 8, 32).blocks.values() for module in block]
    assert plain == [layer for layer in layers if layer != "BatchNorm3d"]
    norms = [name for name, _ in C3D(2, 0.05, 8, 32, batch_norm=True).named_modules() if "norm" in name]
    assert norms[0] == "blocks.block1.norm1a" and norms[-1] == "blocks.block5.norm5b"
    modules = C3D(2, 0.05, 8, 32, batch_norm=True).modules()
    assert all(module.bias is None for module in modules if isinstance(module, nn.Conv3d))  # the norm has one


def test_narrow_networks_keep_four_channels_and_round_the_others():
    network = C3D(2, width=0.01, frames=8, size=32)
    convolutions = [module.out_channels for module in network.modules() if isinstance(module, nn.Conv3d)]
    assert convolutions == [4, 4, 4, 4, 5, 5, 5, 5] and network.fc6.out_features == 41


def test_time_is_pooled_four_times_and_space_five_times_rounding_up():
    assert [pooled(size, 2) for size in (1, 2, 3, 7, 8)] == [1, 1, 2, 4, 4]
    network, volume, seen = C3D(2, width=0.05, frames=19, size=35).eval(), torch.zeros(1, 3, 19, 35, 35), []
    for block in network.blocks.values():
        volume = block(volume)
        seen.append(tuple(volume.shape[2:]))
    assert seen == [(19, 18, 18), (10, 9, 9), (5, 5, 5), (3, 3, 3), (2, 2, 2)]


def test_the_smallest_c3d_reads_one_frame_of_one_pixel():
    assert C3D(1, width=0.01, frames=1, size=1).eval()(torch.zeros(2, 3, 1, 1, 1)).shape == (2, 1)
    for wrong in (dict(width=0.0), dict(frames=0), dict(size=0), dict(n_classes=0), dict(width=-1.0)):
        with pytest.raises(ValueError, match="positive"):
            C3D(**wrong)


def test_hidden_layers_are_rectified_and_dropped_in_training_only():
    torch.manual_seed(0)
    network = C3D(3, width=0.05, frames=8, size=16, dropout=0.5)
    clips = drawn(4, 3, 8, 16, 16)
    learning, calm = network.train().layers(clips), network.eval().layers(clips)
    close(learning["fc6"].detach(), calm["fc6"].detach())  # dropout comes behind what is reported
    assert not torch.allclose(learning["fc7"], calm["fc7"], rtol=1e-2)
    for name in ("fc6", "fc7"):
        assert (calm[name] >= 0).all() and (calm[name] == 0).any()
    close(network.features(clips).detach(), calm["fc6"].detach())
    close(network(clips).detach(), calm["logits"].detach())


# How a judge learns -------------------------------------------------------------------------------


def test_the_recipe_is_that_of_the_chapter():
    assert asdict(Recipe()) == dict(
        width=0.25,
        steps=250,
        batch=16,
        learning_rate=3e-3,
        weight_decay=1e-3,
        warm_up=0.1,
        dropout=0.2,
        shift=0.0625,
        brightness=0.2,
        contrast=0.2,
        batch_norm=True,
        seed=0,
    )


def test_augmentation_without_shift_is_one_gain_and_one_offset_a_clip():
    clips = drawn(200, 3, 2, 8, 8) * 2 - 1
    recipe = Recipe(shift=0.0, contrast=0.3, brightness=0.1)
    changed = augment(clips, recipe, torch.Generator().manual_seed(4))
    gains, offsets = [], []
    for clip, seen in zip(clips.flatten(1).double().numpy(), changed.flatten(1).double().numpy()):
        gain, offset = np.polyfit(clip, seen, 1)
        close(gain * clip + offset, seen, atol=1e-5)
        gains.append(gain), offsets.append(offset)
    for values, middle, reach in ((gains, 1, 0.3), (offsets, 0, 0.1)):
        assert middle - reach <= min(values) < middle - 0.9 * reach
        assert middle + 0.9 * reach < max(values) <= middle + reach
    assert abs(np.corrcoef(gains, offsets)[0, 1]) < 0.25


@pytest.mark.parametrize("shift", [0.125, 0.25])
def test_augmentation_shifts_whole_clips_and_repeats_their_edges(shift):
    clips = drawn(120, 3, 2, 8, 8)
    changed = augment(clips, Recipe(shift=shift, contrast=0, brightness=0), torch.Generator().manual_seed(1))
    reach, seen, at = int(8 * shift), [], np.arange(8)
    for clip, moved in zip(clips.numpy(), changed.numpy()):
        fits = [
            (y, x)
            for y in range(-reach, reach + 1)
            for x in range(-reach, reach + 1)
            if np.allclose(moved, clip[:, :, np.clip(at + y, 0, 7)][..., np.clip(at + x, 0, 7)])
        ]
        assert len(fits) == 1
        seen += fits
    assert len(set(seen)) == (2 * reach + 1) ** 2


def test_augmentation_draws_from_its_own_stream_gain_before_offset_before_shift():
    clips, recipe = drawn(6, 3, 4, 8, 8), Recipe(shift=0.25)
    torch.manual_seed(1)
    changed = augment(clips, recipe, torch.Generator().manual_seed(7))
    torch.manual_seed(2)
    close(augment(clips, recipe, torch.Generator().manual_seed(7)), changed)
    stream = torch.Generator().manual_seed(7)
    gain, offset = 2 * torch.rand(2, 6, generator=stream) - 1
    moves = torch.randint(-2, 3, (6, 2), generator=stream)
    at = torch.arange(8)
    for i, (y, x) in enumerate(moves.tolist()):
        moved = clips[i][:, :, (at + y).clamp(0, 7)][..., (at + x).clamp(0, 7)]
        close(changed[i], moved * (1 + 0.2 * gain[i]) + 0.2 * offset[i])


def one_cycle(step: int, peak: float, steps: int, warm_up: float) -> tuple[float, float]:
    """Learning rate and first moment's decay of a cosine one-cycle schedule (Smith and Topin, 2019) over steps + 1."""
    top = warm_up * (steps + 1) - 1
    if step <= top:
        share, ends, decays = step / top, (peak / 25, peak), (0.95, 0.85)
    else:
        share, ends, decays = (step - top) / (steps - top), (peak, peak / 25 / 1e4), (0.85, 0.95)
    return tuple(b + (a - b) / 2 * (1 + math.cos(math.pi * share)) for a, b in (ends, decays))


def test_training_is_adamw_on_a_one_cycle_schedule_over_windows_in_a_drawn_order(monkeypatch):
    """The whole loop once more: order, windows, augmentation, schedule, optimiser, what is reported."""
    monkeypatch.setattr(judge_training, "judge_precision", lambda device: torch.float32)

    class Doubled(MovingBlobs):  # in double precision, so that rounding decides nothing
        def batch(self, indices, generator=None, device="cpu"):
            clips, labels = super().batch(indices, generator)
            return clips.double(), labels

    data, recipe = (
        Doubled(9),
        Recipe(width=0.02, steps=8, batch=3, learning_rate=4e-3, weight_decay=0.3, warm_up=0.4, dropout=0.3, seed=5),
    )
    torch.manual_seed(0)
    network = blank(data, recipe).double().eval()
    mine = copy.deepcopy(network)
    torch.manual_seed(11)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = list(train_judge(network, data, recipe))
    assert network.training

    torch.manual_seed(11)
    mine.train()
    drawing, noise = torch.Generator().manual_seed(5), torch.Generator().manual_seed(6)
    optimiser = torch.optim.AdamW(mine.parameters(), weight_decay=0.3, betas=(0.9, 0.99), fused=False)
    queue = []
    for step in range(8):
        if len(queue) < 3:
            queue += torch.randperm(9, generator=drawing).tolist()
        clips, labels = data.batch(queue[:3], generator=drawing)
        queue = queue[3:]
        logits = mine(augment(clips, recipe, noise))
        loss = -torch.log_softmax(logits.float(), dim=1)[torch.arange(3), labels].mean()
        for group in optimiser.param_groups:
            rate, first = one_cycle(step, 4e-3, 8, 0.4)
            group["lr"], group["betas"] = rate, (first, 0.99)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert history[step].step == step + 1
        assert history[step].loss == pytest.approx(loss.item(), rel=1e-5)
        assert history[step].accuracy == pytest.approx(float((logits.argmax(1) == labels).sum()) / 3)
    assert len({row.accuracy for row in history}) > 1
    for ours, theirs in zip(mine.parameters(), network.parameters()):
        close(theirs.detach(), ours.detach(), atol=1e-6, rtol=1e-5)


def test_every_clip_is_seen_once_a_pass(monkeypatch):
    seen = []

    class Counted(MovingBlobs):
        def batch(self, indices, generator=None, device="cpu"):
            assert generator is not None
            seen.extend(indices)
            return super().batch(indices, generator)

    recipe = Recipe(width=0.01, steps=5, batch=4)
    list(train_judge(blank(Counted(10), recipe), Counted(10), recipe))
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10)) and seen[:10] != seen[10:]


def test_a_judge_learns_in_single_precision_on_every_cpu(monkeypatch):
    monkeypatch.setattr(judge_training, "precision", lambda device: torch.bfloat16)
    assert judge_training.judge_precision(torch.device("cpu")) == torch.float32
    assert judge_training.judge_precision(torch.device("cuda")) == torch.bfloat16


def test_a_judge_whose_loss_is_no_number_is_not_kept(tmp_path):
    class Spoilt(MovingBlobs):
        def batch(self, indices, generator=None, device="cpu"):
            clips, labels = super().batch(indices, generator)
            return clips / 0, labels

    clips, recipe = Spoilt(8), Recipe(width=0.01, steps=3, batch=4)
    with pytest.raises(RuntimeError, match=r"the judge's loss is nan at step 1 of 3: no judge is kept; is a clip"):
        list(train_judge(blank(clips, recipe), clips, recipe))


def spoilt_memory():
    """Leave memory behind that is full of NaN: whoever reads before writing will have them."""
    spoilt = [torch.full((10**size,), float("nan")) for size in range(2, 8)]
    spoilt += [torch.full((3 * 10**size,), float("nan")) for size in range(2, 7)]
    del spoilt


def spoilt_gradients(network, loss):
    """Names of the network's weights whose gradient is not finite, with spoilt memory around."""
    network.zero_grad()
    spoilt_memory()
    loss.backward()
    return [name for name, weight in network.named_parameters()
            if weight.grad is not None and not weight.grad.isfinite().all()]  # fmt: skip


def test_no_gradient_of_a_judge_reads_what_nothing_has_written():
    arithmetic = judge_training.judge_precision(CPU)
    for turn in range(12):
        torch.manual_seed(turn)
        network = C3D(8, 1 / 32, 8, 32, True, 0.5).to(memory_format=torch.channels_last_3d)
        with torch.autocast("cpu", arithmetic, enabled=arithmetic != torch.float32):
            answers = network(torch.rand(8, 3, 8, 32, 32))
        assert spoilt_gradients(network, F.cross_entropy(answers, torch.arange(8))) == []


@pytest.mark.parametrize("name", ["hrvgan", "vgan", "tgan", "mocogan", "prediction"])
def test_no_gradient_of_a_system_reads_what_nothing_has_written(name):
    """In the arithmetic of its training: why judges, and not they, learn in single precision on a CPU."""
    torch.manual_seed(0)
    labels = torch.arange(8) if name in ("hrvgan", "mocogan") else None
    system = build_system(name, frames=8, size=32, n_classes=0 if labels is None else 8, width=1 / 4).train()
    clips = torch.rand(8, 3, 8, 32, 32) * 2 - 1
    arithmetic = precision(CPU)
    for turn in range(2):
        for network in ("discriminator", "generator"):
            with torch.autocast("cpu", arithmetic, enabled=arithmetic != torch.float32):
                terms = getattr(system, f"{network}_losses")(clips, labels, stream("noise", turn))
            assert spoilt_gradients(system, sum(terms.values())) == []


def test_training_computes_in_the_precision_of_the_device(monkeypatch):
    class Listening(nn.Linear):
        def forward(self, clips):
            kinds.append(torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu"))
            return super().forward(clips.flatten(1))

    for wanted, kind in ((torch.float32, False), (torch.bfloat16, torch.bfloat16)):
        kinds = []
        monkeypatch.setattr(judge_training, "judge_precision", lambda device, wanted=wanted: wanted)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = list(train_judge(Listening(3 * 8 * 16 * 16, 4), MovingBlobs(8), Recipe(steps=2, batch=4)))
        assert kinds == [kind, kind] and all(math.isfinite(row.loss) for row in history)


# The judge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "expected"), [
    (64, dict(frames=8, size=64, stride=4)), (111, dict(frames=8, size=111, stride=4)),
    (112, dict(frames=16, size=112, stride=1)), (256, dict(frames=16, size=112, stride=1)),
])  # fmt: skip
def test_the_judge_reads_the_clips_shape_up_to_the_published_one(size, expected):
    assert metrics.judge_shape(SimpleNamespace(frames=8, size=size, stride=4)) == expected


@pytest.mark.parametrize(("frames", "step"), [(8, 1), (12, 1), (16, 2), (24, 3), (32, 4)])
def test_longer_clips_are_thinned_to_the_judges_pace(judge, frames, step):
    clips = torch.arange(float(frames)).view(1, 1, frames, 1, 1).expand(1, 3, frames, 16, 16)
    assert judge.fit(clips)[0, 0, :, 0, 0].tolist() == [float(step * i) for i in range(8)]
    slow = replace(judge, stride=1)
    assert slow.fit(clips)[0, 0, :, 0, 0].tolist() == list(range(8))


def test_clips_of_the_judges_own_size_pass_untouched(judge):
    clips = 5 * drawn(2, 3, 8, 16, 16)
    assert torch.equal(judge.fit(clips), clips)
    assert judge.fit(drawn(2, 3, 8, 16, 20)).shape == judge.fit(drawn(2, 3, 8, 24, 24)).shape == clips.shape


@pytest.mark.parametrize("size", [6, 16, 25])
def test_clips_are_resized_as_pillow_does_and_cut_to_the_range(size):
    clips = drawn(2, 3, 3, 14, 14).round() * 2 - 1  # black and white: overshoots on either side
    found, cut = judge_module.resize(clips, size).numpy(), 0
    for clip, channel, frame in np.ndindex(2, 3, 3):
        image = Image.fromarray(clips[clip, channel, frame].numpy())
        theirs = np.asarray(image.resize((size, size), Image.BICUBIC))
        close(found[clip, channel, frame], theirs.clip(-1, 1), atol=1e-4)
        cut += (theirs > 1.01).any() and (theirs < -1.01).any()
    assert cut or size == 6


def test_a_judge_looks_64_clips_at_a_time_in_the_layout_of_its_weights(judge, monkeypatch):
    parts, whole = [], judge.network.layers
    monkeypatch.setattr(judge.network, "layers", lambda clips: parts.append(clips) or whole(clips))
    clips = drawn(130, 3, 8, 16, 16) * 2 - 1
    features, probabilities = judge.look(clips)
    assert [len(part) for part in parts] == [64, 64, 2]
    assert all(part.is_contiguous(memory_format=torch.channels_last_3d) for part in parts)
    expected = whole(clips)
    close(features, expected["fc6"], atol=1e-4)
    close(probabilities, torch.softmax(expected["logits"].double(), dim=1), atol=1e-5)
    assert features.dtype == np.float32 and probabilities.dtype == np.float64
    close(judge.features(clips[:3], "fc7"), expected["fc7"][:3], atol=1e-4)
    close(judge.probabilities(clips[:3]), probabilities[:3], atol=1e-5)


def test_a_judge_computes_in_its_own_precision(judge, monkeypatch):
    kinds, whole = [], judge.network.layers
    monkeypatch.setattr(
        judge.network,
        "layers",
        lambda clips: (
            kinds.append(torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu")) or whole(clips)
        ),
    )
    clips = drawn(2, 3, 8, 16, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judge.look(clips)
        replace(judge, dtype=torch.bfloat16).look(clips)
    assert kinds == [False, torch.bfloat16] and judge.dtype == torch.float32


def test_a_judge_without_a_protocol_scores_each_set_as_a_whole(judge):
    sets = [np.random.default_rng(seed).dirichlet(np.full(4, 0.3), size=30) for seed in range(3)]
    single = [metrics.inception_score(rows) for rows in sets]
    assert judge.score(sets) == (pytest.approx(np.mean(single)), pytest.approx(np.std(single)), tuple(single))
    close(judge.score_influences(sets[0]), metrics.inception_influences(sets[0]))
    assert judge.way == (
        "this book: 8 frames of 16x16, 4 source frames apart, softmax, one split, population std over seeds"
    )
    assert judge.layers == LAYERS and judge.frames_only is False


class Table:
    """A data set of 150 rows whose clips are their numbers, and what it was asked for."""

    labels, n_classes, digest, split, unit = torch.arange(150) % 3, 3, "table", "test", "look"

    def __init__(self) -> None:
        self.asked, self.units = [], [f"g{i // 5:02d}" for i in range(150)]

    def __len__(self):
        return 150

    def batch(self, indices, generator=None):
        self.asked.append((list(indices), None if generator is None else generator.initial_seed()))
        return (list(indices), generator), self.labels[torch.as_tensor(indices)]


def test_an_exam_shows_first_windows_in_order_and_counts_right_answers():
    data = Table()
    says = SimpleNamespace(probabilities=lambda clips: np.eye(3)[[i % 3 if i % 5 else (i + 1) % 3 for i in clips[0]]])
    found = metrics.exam(says, data)
    assert (found.value, found.n, found.method) == (0.8, 150, "Wilson, influences, 30 looks")
    assert data.asked == [(list(range(64)), None), (list(range(64, 128)), None), (list(range(128, 150)), None)]


def test_the_interval_of_an_exam_goes_by_looks_and_classes():
    """A judge that knows some looks and others not: its 150 answers are 30."""
    data = Table()
    says = SimpleNamespace(probabilities=lambda clips: np.eye(3)[[(i + (i // 5 % 3 == 0)) % 3 for i in clips[0]]])
    found = metrics.exam(says, data)
    right = np.arange(150) // 5 % 3 != 0
    looks = np.arange(150) // 5
    assert found == metrics.share(right, metrics.drawn(150, "table test", data.labels, looks, "look"))
    alone = metrics.share(right, metrics.drawn(150, "table test"))
    assert found.value == alone.value == 2 / 3 and found.high - found.low > 2 * (alone.high - alone.low)
    assert found.influences[0].source == metrics.draw_of(data, [0]).source  # as its clips count elsewhere


def test_more_views_are_random_windows_whose_answers_are_averaged():
    """Two windows are wrong by a little, two right by a lot: the mean is right, a vote would be undecided."""
    data = Table()

    def probabilities(clips):
        rows, generator = clips
        right = np.eye(3)[[i % 3 for i in rows]]
        wrong = np.eye(3)[[(i + 1) % 3 for i in rows]]
        return 0.9 * right + 0.1 * wrong if generator.initial_seed() in (1, 3) else 0.4 * right + 0.6 * wrong

    assert metrics.exam(SimpleNamespace(probabilities=probabilities), data, views=4).value == 1.0
    assert data.asked[:4] == [(list(range(64)), seed) for seed in range(4)] and len(data.asked) == 12


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A judge that was trained for two steps, and the folder that holds it."""
    place = tmp_path_factory.mktemp("judges") / "deep" / "er"
    profile = SimpleNamespace(judge_width=0.05, judge_steps=2, judge_batch=4)
    judge = metrics.trained_judge(MovingBlobs(12), MovingBlobs(8, seed=1), profile, folder=place)
    return judge, place


def test_a_trained_judge_says_what_it_is(kept):
    judge, place = kept
    assert judge.recipe == Recipe(width=0.05, steps=2, batch=4, seed=0)
    assert judge.name == "C3D x0.05 with batch norm, trained 2 steps on moving blobs: 12 clips"
    assert (judge.classes, judge.stride, judge.accuracy.n, judge.video_accuracy.n) == (CLASSES, 4, 8, 8)
    assert [row.step for row in judge.history] == [1, 2] and isinstance(judge.history[0], LearningStep)
    assert judge.digest == judge_module.weights_digest(judge.network) and re.fullmatch("[0-9a-f]{12}", judge.digest)
    assert not judge.network.training and not any(p.requires_grad for p in judge.network.parameters())
    assert [folder.name.startswith("blobs-") for folder in place.iterdir() if folder.is_dir()] == [True]


def test_a_judge_comes_back_from_its_folder_as_it_was(kept):
    judge, folder = kept
    place = next(path for path in folder.iterdir() if path.is_dir())
    again = judge_module.load_judge(place, CPU)
    for name in ("name", "classes", "stride", "accuracy", "video_accuracy", "digest", "history", "recipe"):
        assert getattr(again, name) == getattr(judge, name), name
    text = (place / "judge.json").read_text()
    record = json.loads(text)
    assert text.endswith("}\n") and '\n "accuracy"' in text
    assert record["data"] == dict(name="blobs", digest="blobs-12-0", frames=8, size=16)
    changed = dict(record, digest="0" * 12)
    copy_of = folder / "wrong"
    copy_of.mkdir()
    (copy_of / "judge.json").write_text(json.dumps(changed))
    (copy_of / "judge.safetensors").write_bytes((place / "judge.safetensors").read_bytes())
    with pytest.raises(RuntimeError, match="not those that its record names"):
        judge_module.load_judge(copy_of, CPU)


def test_a_judge_is_written_beside_its_place_and_takes_it_at_once(kept, monkeypatch, tmp_path):
    judge, _ = kept
    moves, whole = [], judge_module.os.replace
    monkeypatch.setattr(judge_module.os, "replace", lambda a, b: moves.append((Path(a), sorted(
        path.name for path in Path(a).iterdir()))) or whole(a, b))  # fmt: skip
    rounded = replace(judge, history=(LearningStep(1, 1.23456789, 0.123456789),))
    for _ in range(2):  # the second takes the place of the first
        judge_module.save_judge(rounded, MovingBlobs(12), tmp_path / "here")
    for source, files in moves:
        assert source.parent == tmp_path and source.name.startswith("here.") and source.suffix == ".partial"
        assert files == ["judge.json", "judge.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert json.loads((tmp_path / "here/judge.json").read_text())["history"] == [[1, 1.23457, 0.12346]]


def test_a_judge_depends_on_its_seed_and_not_on_the_callers_random_numbers():
    recipe, digests = Recipe(width=0.02, steps=1, batch=4, dropout=0.5), []
    for outer in (1, 2):
        torch.manual_seed(outer)
        before = torch.get_rng_state()
        judge = judge_module.make_judge(MovingBlobs(8), MovingBlobs(8, seed=1), recipe, CPU)
        assert torch.equal(torch.get_rng_state(), before)
        assert not judge.network.training and not any(p.requires_grad for p in judge.network.parameters())
        digests.append(judge.digest)
    other = judge_module.make_judge(MovingBlobs(8), MovingBlobs(8), replace(recipe, seed=1, batch_norm=False), CPU)
    assert digests[0] == digests[1] != other.digest
    assert other.name == "C3D x0.02, trained 1 steps on moving blobs: 8 clips"


def test_accuracy_is_of_first_windows_and_video_accuracy_of_four(monkeypatch):
    views = []

    def exam(judge, dataset, batch=64, views_=1, **options):
        views.append((dataset.n, options.get("views", views_)))
        return metrics.share(np.arange(9) < options.get("views", 1), metrics.drawn(9, "exam"))

    monkeypatch.setattr(judge_module, "exam", exam)
    judge = judge_module.make_judge(MovingBlobs(8), MovingBlobs(5), Recipe(width=0.02, steps=1, batch=4), CPU)
    assert views == [(5, 1), (5, 4)]
    assert (judge.accuracy.value, judge.video_accuracy.value) == pytest.approx((1 / 9, 4 / 9))


def test_a_judge_is_kept_in_runs_unless_told_otherwise(monkeypatch, tmp_path):
    made, loaded = [], []
    monkeypatch.setattr(judge_module, "repo_root", lambda: tmp_path)
    monkeypatch.setattr(judge_module, "make_judge", lambda *given: made.append(given) or "judge")
    monkeypatch.setattr(judge_module, "save_judge", lambda *given: None)
    monkeypatch.setattr(judge_module, "load_judge", lambda *given: loaded.append(given))
    monkeypatch.setattr(judge_module, "pick_device", lambda: torch.device("meta"))
    profile = SimpleNamespace(judge_width=0.5, judge_steps=7, judge_batch=3)
    for options in ({}, {"device": CPU, "seed": 4, "warm_up": 0.5}):
        metrics.trained_judge(MovingBlobs(8), MovingBlobs(4), profile, **options)
    assert [place.parent for place, _ in loaded] == [tmp_path / "runs" / "judges"] * 2
    assert [device.type for _, device in loaded] == [given[3].type for given in made] == ["meta", "cpu"]
    assert made[0][2] == Recipe(width=0.5, steps=7, batch=3, seed=0)
    assert made[1][2] == Recipe(width=0.5, steps=7, batch=3, seed=4, warm_up=0.5)


def test_a_blank_network_follows_recipe_and_data():
    network = blank(MovingBlobs(), Recipe(width=0.1, dropout=0.3, batch_norm=False))
    assert (network.n_classes, network.width, network.frames, network.size) == (4, 0.1, 8, 16)
    assert network.dropout.p == 0.3 and not any(isinstance(m, nn.BatchNorm3d) for m in network.modules())
    weight = network.blocks["block3"].conv3b.weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_weights_digest_names_every_value_and_name():
    first, second = nn.Linear(2, 3), nn.Linear(2, 3)
    second.load_state_dict(first.state_dict())
    assert judge_module.weights_digest(first) == judge_module.weights_digest(second)
    with torch.no_grad():
        second.bias[2] += 1
    assert judge_module.weights_digest(first) != judge_module.weights_digest(second)
    assert judge_module.weights_digest(nn.Sequential(first)) != judge_module.weights_digest(first)


# Other eyes ---------------------------------------------------------------------------------------


class FrameNet(nn.Module):
    """The shape of a network of torchvision's: features, and a layer that names classes from them."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.add_module(last, nn.Linear(3, 7) if last == "fc" else nn.Sequential(nn.Conv2d(3, 7, 1)))
        self.last, self.seen = last, []

    def forward(self, pictures):
        self.seen.append(pictures.clone())
        if self.last == "classifier":
            return self.classifier(pictures * self.scale)
        return self.fc((pictures * self.scale).flatten(2).mean(dim=2))


@pytest.fixture
def eye(monkeypatch, tmp_path):
    """Builds an `Extractor` around a small network instead of torchvision's, from a file of its weights."""
    import torchvision.models

    def get_model(name, *, weights):
        assert weights is None  # nothing is fetched
        return FrameNet("classifier" if "squeeze" in name else "fc")

    monkeypatch.setattr(torchvision.models, "get_model", get_model)

    def build(name, *options, **more):
        network = get_model(name, weights=None)
        nn.init.constant_(network.scale, 2.0)
        save_file(network.state_dict(), tmp_path / "eye.safetensors")
        return metrics.Extractor(name, tmp_path / "eye.safetensors", *options, **more)

    return build


COLOURS = torch.tensor([-0.6, 0.2, 0.8])
IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
KINETICS = torch.tensor([[0.43216, 0.394666, 0.37645], [0.22803, 0.22145, 0.216989]])


def coloured(n, frames, side):
    """Clips of one colour; each frame of each is darker by its place."""
    place = torch.arange(float(n * frames)).view(n, 1, frames, 1, 1) / (10 * n * frames)
    return (COLOURS.view(1, 3, 1, 1, 1) - place).expand(n, 3, frames, side, side).contiguous()


@pytest.mark.parametrize("name", ["squeezenet1_0", "squeezenet1_1", "resnet18", "resnet50"])
def test_a_frame_network_sees_standardised_frames_and_averages_over_them(eye, name):
    seer, clips = eye(name), coloured(3, 5, 30)
    features, named = seer.look(clips)
    (pictures,) = seer.network.seen
    expected = ((clips + 1) / 2 - IMAGENET[0].view(1, 3, 1, 1, 1)) / IMAGENET[1].view(1, 3, 1, 1, 1)
    assert pictures.shape == (15, 3, 224, 224) and named is None and seer.frames_only is True
    close(pictures[:, :, 100, 50], expected[..., 0, 0].transpose(1, 2).flatten(0, 1), atol=1e-4)
    assert features.shape == (3, 3) and features.dtype == np.float32  # of what comes before the classes
    close(features, 2 * expected.mean(dim=(2, 3, 4)), atol=1e-4)


@pytest.mark.parametrize("name", ["r3d_18", "mc3_18", "r2plus1d_18"])
def test_a_video_network_sees_standardised_clips(eye, name):
    seer, clips = eye(name), coloured(2, 5, 30)
    features, named = seer.look(clips)
    (seen,) = seer.network.seen
    expected = ((clips + 1) / 2 - KINETICS[0].view(1, 3, 1, 1, 1)) / KINETICS[1].view(1, 3, 1, 1, 1)
    assert seen.shape == (2, 3, 5, 112, 112) and named is None and seer.frames_only is False
    close(seen[..., 60, 40], expected[..., 0, 0], atol=1e-4)
    close(features, 2 * expected.mean(dim=(2, 3, 4)), atol=1e-4)


def test_caffe_weights_see_blue_first_on_bytes_less_the_mean(eye):
    seer, clips = eye("squeezenet1_0", "caffe"), coloured(1, 2, 30)
    seer.look(clips)
    (pictures,) = seer.network.seen
    blue_first = 127.5 * (clips[0, :, :, 0, 0].flip(0).T + 1) - torch.tensor([104.0, 117.0, 123.0])
    assert pictures.shape == (2, 3, 227, 227)
    close(pictures[:, :, 10, 20], blue_first, atol=1e-3)


@pytest.mark.parametrize(("name", "side"), [("resnet18", 224), ("r3d_18", 112)])
def test_frames_are_made_smaller_with_antialiasing(eye, name, side):
    """Stripes of +1 -1 -1 +1: four columns become one, and their mean is grey."""
    stripes = torch.tensor([1.0, -1.0, -1.0, 1.0]).repeat(side).expand(1, 3, 2, 4 * side, 4 * side)
    seer = eye(name)
    seer.look(stripes)
    mean, std = IMAGENET if name == "resnet18" else KINETICS
    red = seer.network.seen[0].flatten(0, -3)[0] * std[0] + mean[0]
    assert float((red[:, 4:-4] - 0.5).abs().max()) < 0.1
    ramp = torch.linspace(-1, 1, 12).expand(1, 3, 2, 12, 12)
    seer.look(ramp)
    row = seer.network.seen[1].flatten(0, -3)[0][50]
    assert (row.diff() >= -1e-5).all() and len(row.unique()) > 0.8 * side * 11 / 12  # smooth: no blocks, no steps


def test_an_extractor_looks_sixteen_clips_at_a_time(eye):
    for name in ("resnet18", "r3d_18"):
        seer, clips = eye(name), coloured(35, 2, 8)
        features, _ = seer.look(clips)
        per_clip = 2 if name == "resnet18" else 1
        assert [len(part) for part in seer.network.seen] == [16 * per_clip, 16 * per_clip, 3 * per_clip]
        close(features, np.concatenate([seer.look(clips[i : i + 5])[0] for i in range(0, 35, 5)]), atol=1e-5)


def test_an_extractor_is_calm_and_known_by_its_weights(eye, monkeypatch):
    monkeypatch.setattr(extractors, "pick_device", lambda: torch.device("meta"))
    seer = eye("resnet18", device=CPU)
    assert next(seer.network.parameters()).device == CPU and not seer.network.training
    assert not any(parameter.requires_grad for parameter in seer.network.parameters())
    assert seer.name == "resnet18 (eye.safetensors)" and seer.layers == ("pool",)
    assert seer.digest == judge_module.weights_digest(seer.network) and float(seer.network.scale) == 2


def test_squeezenet_gives_the_mean_of_its_last_map(tmp_path):
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    network = squeezenet1_1(weights=None).eval()
    save_file(network.state_dict(), tmp_path / "eye.safetensors")
    seer, clips = metrics.Extractor("squeezenet1_1", tmp_path / "eye.safetensors", device=CPU), drawn(1, 3, 1, 224, 224)
    with torch.no_grad():
        standard = ((clips[:, :, 0] + 1) / 2 - IMAGENET[0].view(3, 1, 1)) / IMAGENET[1].view(3, 1, 1)
        expected = network.features(standard).mean(dim=(2, 3))
    close(seer.look(clips)[0], expected, atol=1e-4)


def test_unknown_networks_and_preparations_are_refused(eye):
    with pytest.raises(ValueError, match=r"unknown network 'alexnet': choose one of r3d_18, .*resnet50"):
        eye("alexnet")
    with pytest.raises(ValueError, match="unknown preparation 'none'"):
        eye("resnet18", "none")


# Weights of others --------------------------------------------------------------------------------


def test_tensors_come_out_of_every_format_in_single_precision(tmp_path):
    values = np.array([1.5, -2.0])
    np.savez(tmp_path / "a.npz", **{"fc8/b": values})
    save_file({"fc8.bias": torch.tensor(values).half()}, tmp_path / "a.safetensors")
    torch.save({"module.fc8.bias": torch.tensor(values)}, tmp_path / "a.pt")
    torch.save({"state_dict": {"fc8.bias": torch.tensor(values).half()}, "epoch": 3}, tmp_path / "a.pth")
    torch.save({"fc8.bias": torch.tensor(values)}, tmp_path / "a.pickle")
    for name, key in (
        ("a.npz", "fc8/b"),
        ("a.safetensors", "fc8.bias"),
        ("a.pt", "fc8.bias"),
        ("a.pth", "fc8.bias"),
        ("a.pickle", "fc8.bias"),
    ):
        (found,) = read_tensors(tmp_path / name).items()
        assert found[0] == key and found[1].dtype == torch.float32 and found[1].tolist() == [1.5, -2.0]


def test_files_that_are_no_weights_are_refused_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such weight file"):
        read_tensors(tmp_path / "absent.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="cannot be read as weights"):
        read_tensors(tmp_path / "objects.npz")
    (tmp_path / "broken.pt").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"broken.pt: (cannot be read as weights|this pickle)"):
        read_tensors(tmp_path / "broken.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(nn.Linear(1, 1), torch.zeros(1, 1)).save(tmp_path / "program.pt")
        with pytest.raises(ValueError, match="this is a TorchScript program"):
            read_tensors(tmp_path / "program.pt")


@pytest.fixture(scope="module")
def narrow():
    """The tensors of a very narrow C3D with 5 classes, by the library's names."""
    torch.manual_seed(0)
    return {name: tensor.clone() for name, tensor in C3D(5, width=0.01).state_dict().items()}


def test_loaded_weights_are_all_there_calm_and_in_place(narrow, tmp_path):
    save_file(narrow, tmp_path / "c3d.safetensors")
    network = metrics.load_c3d(tmp_path / "c3d.safetensors", width=0.01)
    assert network.n_classes == 5 and not network.training and not any(p.requires_grad for p in network.parameters())
    for name, tensor in network.state_dict().items():
        assert tensor.device == CPU and torch.equal(tensor, narrow[name])
    assert metrics.load_c3d(tmp_path / "c3d.safetensors", 5, 0.01).n_classes == 5
    with pytest.raises(ValueError, match=r"of another shape: .*fc6.weight \(41, 80\) instead of \(4096, 8192\)"):
        metrics.load_c3d(tmp_path / "c3d.safetensors")  # the published width is asked for
    save_file(narrow | {"extra": torch.zeros(1)}, tmp_path / "more.safetensors")
    with pytest.raises(ValueError, match=r"\(unexpected: extra\)"):
        metrics.load_c3d(tmp_path / "more.safetensors", width=0.01)


def test_without_the_last_bias_101_classes_are_expected_or_those_asked_for(narrow, tmp_path):
    lacking = {name: tensor for name, tensor in narrow.items() if name != "fc8.bias"}
    save_file(lacking, tmp_path / "c3d.safetensors")
    with pytest.raises(ValueError, match=r"missing: fc8.bias; of another shape: fc8.weight \(5, 41\) instead of \(101"):
        metrics.load_c3d(tmp_path / "c3d.safetensors", width=0.01)
    with pytest.raises(ValueError, match=r"\(missing: fc8.bias\)"):
        metrics.load_c3d(tmp_path / "c3d.safetensors", 5, 0.01)


def test_mean_volumes_that_are_none_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such mean volume"):
        metrics.load_mean(tmp_path / "absent.npy")
    good = np.ones((3, 16, 9, 7), np.float32)
    spoilt, short = good.copy(), good[:, :15]
    spoilt[2, 3, 4, 5] = np.nan
    for number, array in enumerate((spoilt, short, good[:2], good[0], np.ones((4, 16, 9, 7)), np.ones((9, 7, 3)))):
        np.save(tmp_path / f"{number}.npy", array)
        with pytest.raises(ValueError, match="a mean volume is"):
            metrics.load_mean(tmp_path / f"{number}.npy")
    np.savez(tmp_path / "other.npz", average=good)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object))
    for name in ("other.npz", "objects.npy"):
        with pytest.raises(ValueError, match="no mean volume in it"):
            metrics.load_mean(tmp_path / name)


def test_mean_volumes_keep_their_axes(tmp_path):
    volume = np.random.default_rng(0).uniform(size=(3, 16, 5, 6))
    np.save(tmp_path / "first.npy", volume)
    np.save(tmp_path / "last.npy", volume.transpose(1, 2, 3, 0))
    np.savez(tmp_path / "named.npz", mean=volume[None])
    for name in ("first.npy", "last.npy", "named.npz"):
        found = metrics.load_mean(tmp_path / name)
        assert found.dtype == torch.float32 and found.is_contiguous()
        close(found, volume.astype(np.float32))


# Published judges ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("names", "expected"), [
    ((), {}),
    (("c3d_ucf101.npz", "c3d_ucf101_mean.npy", "squeezenet1_0.pth"),
     {"weights": "c3d_ucf101.npz", "mean": "c3d_ucf101_mean.npy", "frames": "squeezenet1_0.pth"}),
    (("conv3d_deepnetA_ucf.npz", "mean2.npz", "c3d_mean.npz"),
     {"weights": "conv3d_deepnetA_ucf.npz", "mean": "mean2.npz"}),
    (("c3d_ucf101_b.npz", "c3d_ucf101_a.pt", "conv3d_deepnetA_ucf.npz"), {"weights": "c3d_ucf101_a.pt"}),
    (("c3d_ucf101.txt", "c3d_mean.pt", "squeezenet1_0.onnx"), {}),
])  # fmt: skip
def test_reference_files_are_found_by_name_and_kind(tmp_path, names, expected):
    (tmp_path / "reference").mkdir()
    for name in names:
        (tmp_path / "reference" / name).touch()
    found = metrics.reference_files(tmp_path)
    assert {what: path.name for what, path in found.items()} == expected
    assert all(path.parent == tmp_path / "reference" for path in found.values())


def test_a_published_judge_says_whose_weights_it_has(narrow, tmp_path, monkeypatch):
    save_file(narrow, tmp_path / "c3d.safetensors")
    np.save(tmp_path / "mean.npy", np.full((3, 16, 112, 112), 7.0))
    monkeypatch.setattr(published, "pick_device", lambda: torch.device("meta"))
    plain = metrics.published_judge(tmp_path / "c3d.safetensors", width=0.01, device=CPU)
    assert plain.name == "C3D, published weights c3d.safetensors, no mean volume, 128 subtracted"
    assert plain.classes == tuple(f"class {i}" for i in range(5)) and plain.mean is None and plain.accuracy is None
    assert (plain.stride, plain.protocol) == (1, metrics.get_protocol("tgan-v1"))
    assert plain.digest == judge_module.weights_digest(plain.network)
    weight = plain.network.blocks["block3"].conv3b.weight
    assert weight.device == CPU and weight.is_contiguous(memory_format=torch.channels_last_3d)
    named = metrics.published_judge(
        tmp_path / "c3d.safetensors", tmp_path / "mean.npy", list("abcde"), "tgan-v2", CPU, width=0.01
    )
    assert named.name.endswith("mean volume mean.npy") and named.classes == tuple("abcde")
    assert float(named.mean.mean()) == 7 and named.protocol.name == "tgan-v2"
    assert named.way == metrics.get_protocol("tgan-v2").describe()
    clips = drawn(1, 3, 16, 20, 20)
    close(named.fit(clips), named.protocol.prepare(clips, named.mean))
    sets = [np.random.default_rng(0).dirichlet(np.ones(5), size=12)]
    assert named.score(sets) == named.protocol.score(sets)
    in_parts = replace(named, protocol=replace(named.protocol, splits=3))
    close(in_parts.score_influences(sets[0]), in_parts.protocol.score_influences(sets[0]))
    assert not np.allclose(in_parts.score_influences(sets[0]), metrics.inception_influences(sets[0]))


def test_the_published_width_is_the_default(monkeypatch):
    asked = []

    def load(*given):
        asked.append(given)
        return C3D(4, width=0.01)

    monkeypatch.setattr(published, "load_c3d", load)
    metrics.published_judge("some.npz", device=CPU)
    metrics.published_judge("some.npz", classes="abcd", device=CPU, width=0.5)
    assert asked == [("some.npz", None, 1.0), ("some.npz", 4, 0.5)]


@pytest.mark.parametrize(("change", "files", "which"), [
    ({}, ["c3d_ucf101.npz", "mean2.npz"], "published"), ({}, ["c3d_ucf101.npz"], "published"),
    ({"frames": 15}, ["c3d_ucf101.npz"], "trained"), ({"name": "golf"}, ["c3d_ucf101.npz"], "trained"),
    ({"kind": "procedural"}, ["c3d_ucf101.npz"], "trained"), ({}, ["mean2.npz"], "trained"), ({}, [], "trained"),
])  # fmt: skip
def test_published_weights_judge_long_enough_clips_of_the_real_ucf101(
    tmp_path, monkeypatch, judge, change, files, which
):
    (tmp_path / "reference").mkdir()
    for name in files:
        (tmp_path / "reference" / name).touch()
    asked = []
    monkeypatch.setattr(published, "published_judge", lambda *given: asked.append(("published", given)) or judge)
    monkeypatch.setattr(published, "trained_judge", lambda *given, **o: asked.append(("trained", given, o)) or judge)
    monkeypatch.setattr(published, "exam", lambda judge, data, views=1: (data, views))
    train = SimpleNamespace(**{"name": "ucf101", "kind": "real", "frames": 16, "classes": CLASSES} | change)
    found = metrics.judge_for(train, "test", "profile", data_root=tmp_path, device=CPU)
    if which == "trained":
        assert asked == [("trained", (train, "test", "profile"), {"device": CPU})] and found is judge
        return
    folder = tmp_path / "reference"
    mean = folder / "mean2.npz" if len(files) > 1 else None
    assert asked == [("published", (folder / "c3d_ucf101.npz", mean, CLASSES, "tgan-v1", CPU))]
    assert (found.accuracy, found.video_accuracy) == (("test", 1), ("test", 4))


def test_published_weights_judge_no_split_whose_test_clips_they_have_learned(tmp_path, monkeypatch, judge):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "c3d_ucf101.npz").touch()
    monkeypatch.setattr(published, "published_judge", lambda *given: judge)
    monkeypatch.setattr(published, "trained_judge", lambda *given, **options: "trained here")
    monkeypatch.setattr(published, "exam", lambda judge, data, views=1: judge.accuracy)
    train = SimpleNamespace(name="ucf101", kind="real", frames=16, classes=CLASSES, fold=1)
    assert metrics.judge_for(train, "test", "profile", data_root=tmp_path).network is judge.network
    train.fold = 2
    with pytest.warns(UserWarning, match="c3d_ucf101.npz has learned split 1") as caught:
        assert metrics.judge_for(train, "test", "profile", data_root=tmp_path) == "trained here"
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train.kind = "procedural"  # they would not judge it anyway
        assert metrics.judge_for(train, "test", "profile", data_root=tmp_path) == "trained here"


def test_the_network_of_frames_has_caffe_weights_or_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "Extractor", lambda *given: given)
    assert metrics.frame_network(tmp_path) is None
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "squeezenet1_0.pth").touch()
    assert metrics.frame_network(tmp_path) == ("squeezenet1_0", tmp_path / "reference" / "squeezenet1_0.pth", "caffe")


# Folders of videos --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Nine videos of 20 frames of 24x40, deeper than one level, and what is no video."""
    root = tmp_path_factory.mktemp("videos") / "films"
    random = np.random.default_rng(0)
    for i in range(9):
        place = root / "inner" if i % 2 else root
        place.mkdir(parents=True, exist_ok=True)
        colour = random.integers(0, 256, 3)
        frames = np.stack([np.full((24, 40, 3), (colour + 8 * t) % 256, np.uint8) for t in range(20)])
        write_video(place / (f"{i}.avi" if i else f"{i}.AVI"), frames)
    (root / "notes.txt").write_text("no video")
    return root


def test_a_folder_is_a_data_set_without_labels(videos):
    folder = command.Folder(videos, 4, 16, 2)
    assert len(folder) == 9 and folder.paths == sorted(folder.paths) and folder.paths[0].suffix == ".AVI"
    assert (folder.kind, folder.classes, folder.n_classes) == ("real", (), 0)
    assert folder.name == folder.split == "films"
    assert (folder.frames, folder.size, folder.stride) == (4, 16, 2)
    assert folder.labels.tolist() == [0] * 9 and folder.labels.dtype == torch.long
    assert folder.unit == "video" and len(set(folder.units)) == len(folder.units) == 9
    assert folder.describe() == "9 videos in films" and re.fullmatch("[0-9a-f]{16}", folder.digest)
    first, second = folder.half(0), folder.half(1)
    assert first.paths == folder.paths[::2] and second.paths == folder.paths[1::2]
    assert (len(first.labels), len(second.labels), first.split, second.split) == (5, 4, "half 0", "half 1")
    assert first.units == folder.units[::2] and second.units == folder.units[1::2]
    assert len({folder.digest, first.digest, second.digest, command.Folder(videos / "inner", 4, 16, 2).digest}) == 4


def test_videos_are_cut_into_windows_and_scaled(videos):
    folder = command.Folder(videos, 4, 16, 5)
    frames = read_video(folder.paths[3], size=16)
    windows = [torch.from_numpy(frames[s : s + 16 : 5] / 127.5 - 1).permute(3, 0, 1, 2).float() for s in range(5)]
    clips, labels = folder.batch([3, 0])
    assert clips.shape == (2, 3, 4, 16, 16) and labels.tolist() == [0, 0]
    close(clips[0], windows[0])
    clips, _ = folder.batch([3] * 40, torch.Generator().manual_seed(0))
    torch.manual_seed(5)
    assert torch.equal(folder.batch([3] * 40, torch.Generator().manual_seed(0))[0], clips)
    places = [next(s for s, window in enumerate(windows) if torch.allclose(window, clip, atol=1e-5)) for clip in clips]
    assert set(places) == set(range(5))  # every place where the window fits, and no other


def test_what_is_no_video_to_compare_is_left_out_with_its_reason(videos, tmp_path):
    """Links are followed, a link that leads back up is not; everything else is said."""
    films = tmp_path / "films"
    films.mkdir()
    whole = (videos / "0.AVI").read_bytes()
    (films / "a.avi").write_bytes(whole)
    (films / "b.mp4").write_bytes(b"no video")
    (films / "c.avi").write_bytes(whole[: len(whole) // 2])
    (films / "d.avi").symlink_to(tmp_path / "nowhere.avi")
    (films / "e.avi").mkdir()  # a folder of this name is no file, and is looked into
    write_video(films / "e.avi" / "short.avi", np.zeros((3, 24, 40, 3), np.uint8))
    (films / "up").symlink_to(films)
    (films / "more").symlink_to(videos / "inner")
    (films / "notes.txt").write_text("no video")
    folder = command.Folder(films, 4, 16, 1)
    used = [str(path.relative_to(films)) for path in folder.paths]
    assert used == ["a.avi", *(f"more/{i}.avi" for i in (1, 3, 5, 7))]
    reasons = dict(folder.report.left_out)
    assert reasons.keys() == {"b.mp4", "c.avi", "d.avi", "e.avi/short.avi"}
    assert "not a readable video" in reasons["b.mp4"] and "fetch it again" in reasons["c.avi"]
    assert "leads to no file" in reasons["d.avi"] and "3 frames, and a clip spans 4" in reasons["e.avi/short.avi"]
    assert folder.report.found == 9 and folder.report.ignored == ((".txt", 1),)
    said = folder.report.lines()
    assert said[0].endswith("films: 9 videos found, 5 used, 4 left out") and said[-1].endswith("1 .txt")
    assert all(any(name in line and reason in line for line in said) for name, reason in reasons.items())
    kept = folder.report.as_json()
    assert (kept["found"], kept["used"], len(kept["left_out"])) == (9, 5, 4)


def test_a_folder_with_nothing_to_compare_says_why(tmp_path):
    (tmp_path / "b.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match=r"no video to compare.*1 videos found, 0 used.*not a readable video") as error:
        command.Folder(tmp_path, 4, 16, 1)
    assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        command.Folder(tmp_path / "absent", 4, 16, 1)


def test_a_long_report_shows_the_first_few(tmp_path):
    report = Report(tmp_path, 1, tuple((f"{i}.avi", "empty") for i in range(9)))
    said = report.lines()
    assert len(said) == 7 and said[-1].endswith("and 4 more") and len(report.as_json()["left_out"]) == 9


# The command line ---------------------------------------------------------------------------------


def test_the_command_line_has_these_options_and_defaults():
    least = ["--real", "a", "--fake", "b", "--network", "n=f"]
    usual = dict(
        real="a",
        fake="b",
        weights=None,
        judge=None,
        network="n=f",
        mean=None,
        protocol="tgan-v1",
        caffe=False,
        layer=None,
        n=0,
        frames=None,
        size=None,
        stride=None,
        seed=0,
        cache=None,
        json=None,
    )
    assert vars(command.parser().parse_args(least)) == usual
    given = [
        "--real",
        "a",
        "--fake",
        "b",
        "--weights",
        "w",
        "--mean",
        "m",
        "--protocol",
        "tgan-v2",
        "--caffe",
        "--layer",
        "fc7",
        "--n",
        "5",
        "--frames",
        "6",
        "--size",
        "7",
        "--stride",
        "8",
        "--seed",
        "9",
        "--cache",
        "c",
        "--json",
        "j",
    ]
    assert vars(command.parser().parse_args(given)) == usual | dict(
        weights="w",
        network=None,
        mean="m",
        protocol="tgan-v2",
        caffe=True,
        layer="fc7",
        n=5,
        frames=6,
        size=7,
        stride=8,
        seed=9,
        cache="c",
        json="j",
    )


@pytest.mark.parametrize(("words", "complaint"), [
    (["--fake", "b", "--network", "n=f"], "required: --real"),
    (["--real", "a", "--network", "n=f"], "required: --fake"),
    (["--real", "a", "--fake", "b"], "one of the arguments --weights --judge --network is required"),
    (["--real", "a", "--fake", "b", "--judge", "j", "--weights", "w"], "not allowed with"),
    (["--real", "a", "--fake", "b", "--judge", "j", "--protocol", "is"], "invalid choice: 'is'"),
    (["--real", "a", "--fake", "b", "--judge", "j", "--n", "many"], "invalid int"),
])  # fmt: skip
def test_the_command_line_refuses_what_it_cannot_do(words, complaint, capsys):
    with pytest.raises(SystemExit):
        command.parser().parse_args(words)
    assert complaint in capsys.readouterr().err


def test_every_option_but_the_seed_is_explained():
    text = command.parser()
    assert command.__doc__ in " ".join(text.format_help().split())
    unexplained = [action.dest for action in text._actions if not action.help]
    assert unexplained == ["seed"] and "resnet50" in text.format_help()


def options(*more):
    return command.parser().parse_args(["--real", "a", "--fake", "b", *more])


def test_the_options_name_one_eye(monkeypatch):
    monkeypatch.setattr(command, "published_judge", lambda *given, **named: ("published", given, named))
    monkeypatch.setattr(command, "load_judge", lambda *given: ("judge", *given))
    monkeypatch.setattr(command, "Extractor", lambda *given: ("network", *given))
    monkeypatch.setattr(command, "pick_device", lambda: "here")
    assert command.eye_of(options("--weights", "w", "--mean", "m", "--protocol", "tgan-v2")) == (
        "published",
        ("w", "m"),
        {"protocol": "tgan-v2"},
    )
    assert command.eye_of(options("--judge", "j")) == ("judge", Path("j"), "here")
    assert command.eye_of(options("--network", "r3d_18=f=g")) == ("network", "r3d_18", "f=g", "torchvision")
    assert command.eye_of(options("--network", "r3d_18=f", "--caffe")) == ("network", "r3d_18", "f", "caffe")
    with pytest.raises(ValueError, match="write NAME=FILE"):
        command.eye_of(options("--network", "r3d_18"))


def test_clips_have_the_usual_shape_or_the_judges(judge):
    assert command.shape_of(options("--weights", "w"), None) == (16, 64, 1)
    asked = ("--frames", "5", "--size", "6", "--stride", "7")
    assert command.shape_of(options("--weights", "w", *asked), None) == (5, 6, 7)
    assert command.shape_of(options("--judge", "j"), judge) == (8, 16, 4)
    its_own = ("--frames", "8", "--size", "16", "--stride", "4")
    assert command.shape_of(options("--judge", "j", *its_own), judge) == (8, 16, 4)
    for wrong in (("--frames", "9"), ("--size", "9"), ("--stride", "9")):
        with pytest.raises(ValueError, match="reads 8 frames of size 16 at stride 4"):
            command.shape_of(options("--judge", "j", *wrong), judge)


def record(value: float, scored: bool) -> metrics.Evaluation:
    """An evaluation whose numbers follow from one."""
    at = lambda x: metrics.Estimate(x - 1, x + 1, x, 4, "")  # noqa: E731
    return metrics.Evaluation(
        source="s",
        note="",
        data="",
        kind="real",
        n=4,
        seeds=(0,),
        distinct=4,
        judge="judge",
        judge_accuracy=None,
        protocol="way",
        classes=(),
        layer="fc7",
        inception=at(value + 7) if scored else None,
        inception_seeds=(),
        inception_infinity=None,
        frechet=at(value),
        frechet_seeds=(value,),
        frechet_infinity=value + 1 if scored else None,
        frame_frechet=value + 2,
        kernel=at(value + 3),
        precision=at(value + 30),
        recall=at(value + 40),
        density=at(value + 50),
        coverage=at(value + 60),
        behaviour=metrics.Behaviour(*(value + i / 10 for i in range(1, 6))),
        accuracy=None,
        confusion=None,
        device="",
        versions={},
    )


@pytest.mark.parametrize("scored", [True, False])
def test_the_report_sets_each_number_beside_that_of_real_videos(scored):
    lines = command.report(record(10.0, scored), record(20.0, scored)).splitlines()
    assert lines[:2] == ["judge; way", "N = 4 a side, in both columns"]
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines[2:]]
    expected = [
        ["fake", "real against real"],
        ["Fréchet distance, fc7", "10 [9, 11]", "20 [19, 21]"],
        ["at infinitely many clips", *(("11", "21") if scored else ("-", "-"))],
        ["of single frames", "12", "22"],
        ["kernel distance", "13 [12, 14]", "23 [22, 24]"],
        ["precision", "40 [39, 41]", "50 [49, 51]"],
        ["recall", "50 [49, 51]", "60 [59, 61]"],
        ["density", "60 [59, 61]", "70 [69, 71]"],
        ["coverage", "70 [69, 71]", "80 [79, 81]"],
    ]
    expected += [["Inception Score", "17 [16, 18]", "27 [26, 28]"]] if scored else []
    names = ("motion", "motion gap", "frozen", "variety", "nearest")
    assert rows == expected + [[name, f"{10 + i / 10:g}", f"{20 + i / 10:g}"] for i, name in enumerate(names, start=1)]


@pytest.fixture
def compared(monkeypatch, videos, tmp_path):
    """The command line with a stand-in for `evaluate`: what that is given, call by call."""
    calls = []
    monkeypatch.setattr(command, "Extractor", lambda *given: "eye")
    monkeypatch.setattr(command, "evaluate", lambda source, eye, reference, **settings: calls.append(
        (source, eye, reference, settings)) or record(10.0 * len(calls), True))  # fmt: skip
    fake = tmp_path / "fake"
    fake.mkdir()
    for i in range(5):
        (fake / f"{i}.avi").write_bytes((videos / "0.AVI").read_bytes())

    def call(*more):
        calls.clear()
        return command.main(["--real", str(videos), "--fake", str(fake), "--network", "resnet18=f", *more]), calls

    return call


def test_half_of_the_real_videos_is_compared_with_the_fake_and_with_the_other_half(compared, videos, capsys, tmp_path):
    status, calls = compared("--frames", "2", "--size", "8", "--json", str(tmp_path / "out.json"))
    assert status == 0 and len(calls) == 2
    (fake, eye, reference, settings), (floor, _, same, alike) = calls
    real = command.Folder(videos, 2, 8, 1)
    assert reference is same and reference.paths == real.half(0).paths and eye == "eye"
    assert (fake.name, floor.name) == ("fake", "floor") and (fake.distinct, floor.distinct) == (5, 4)
    assert floor.digest == metrics.real_clips(real.half(1)).digest
    assert settings == alike == dict(n=4, seeds=(0,), layer=None, folder=None, progress=True)
    said = capsys.readouterr().out
    assert "10 [9, 11]" in said and "films: 9 videos found, 9 used, 0 left out" in said
    kept = json.loads((tmp_path / "out.json").read_text())
    videos_there = kept.pop("videos")
    assert {name: row["frechet"]["value"] for name, row in kept.items()} == {"fake": 10, "real against real": 20}
    assert {side: (one["found"], one["used"]) for side, one in videos_there.items()} == {"real": (9, 9), "fake": (5, 5)}


def test_the_options_reach_the_evaluation(compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, calls = compared("--n", "4", "--seed", "3", "--layer", "last", "--cache", "there", "--size", "8")
    assert status == 0 and all(
        settings == dict(n=4, seeds=(3,), layer="last", folder="there", progress=True) for *_, settings in calls
    )
    assert [path.name for path in tmp_path.iterdir()] == ["fake"]  # no record unless asked for
    for n in ("3", "5"):
        status, calls = compared("--n", n, "--size", "8")
        assert status == 2 and not calls


def test_fewer_clips_than_there_are_videos_can_be_asked_for(compared, videos, tmp_path, capsys):
    for i in range(9, 12):
        (tmp_path / "fake" / f"{i}.avi").write_bytes((videos / "0.AVI").read_bytes())
    more = tmp_path / "more"
    more.mkdir()
    for i in range(12):
        (more / f"{i}.avi").write_bytes((videos / "0.AVI").read_bytes())
    for n, expected in (("5", 5), ("0", 6)):
        status, calls = compared("--real", str(more), "--n", n, "--size", "8")
        assert status == 0 and calls[0][3]["n"] == expected
    for i in range(3, 12):
        (tmp_path / "fake" / f"{i}.avi").unlink(missing_ok=True)
    capsys.readouterr()
    status, calls = compared("--real", str(more), "--size", "8")
    said = capsys.readouterr()
    assert status == 2 and not calls and "there are 12 real and 3 fake videos" in said.err and "4 to 3" in said.err
    assert said.out.count("videos found") == 2 and said.err.count("\n") == 1
