"""Weights from others, protocols, kernel distance, behaviour, damage, resuming, the command line (chapter 08)."""

import json
import os
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from blobs import MovingBlobs
from safetensors.torch import save_file

from hrvgan_lib import metrics
from hrvgan_lib.data.formats.video import write_video
from hrvgan_lib.metrics import answers as answers_module
from hrvgan_lib.metrics import damage
from hrvgan_lib.metrics.__main__ import main
from hrvgan_lib.metrics.eyes.c3d import C3D, PLAN
from hrvgan_lib.metrics.eyes.protocols import softmax64
from hrvgan_lib.metrics.eyes.weights import load_mean, read_tensors
from hrvgan_lib.metrics.rulers.frechet import RunningMoments

NARROW = 1 / 16
CONVOLUTIONS = [name for block in PLAN for name, _ in block]


# Weights ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layers():
    """Random weights of a narrow C3D for 5 classes by plain layer names: {"conv1a": (W, b), ...}."""
    random, shapes = np.random.default_rng(0), {}
    for name, tensor in C3D(5, NARROW).state_dict().items():
        shapes.setdefault(name.split(".")[-2], []).append(tuple(tensor.shape))
    return {
        name: tuple(0.1 * random.normal(size=shape).astype(np.float32) for shape in pair)
        for name, pair in shapes.items()
    }


def files_of(layers, folder: Path) -> dict[str, Path]:
    """The same weights in the three formats, under the three kinds of names."""
    chainer, port, ours = folder / "c3d.npz", folder / "c3d.pt", folder / "c3d.safetensors"
    np.savez(chainer, **{f"{name}/{kind}": array for name, pair in layers.items() for kind, array in zip("Wb", pair)})
    names = {"conv1a": "conv1", "conv2a": "conv2"}
    torch.save(
        {
            f"module.{names.get(name, name)}.{kind}": torch.from_numpy(array)
            for name, pair in layers.items()
            for kind, array in zip(("weight", "bias"), pair)
        },
        port,
    )
    block = {name: f"blocks.block{name[4]}.{name}" for name in CONVOLUTIONS}
    save_file(
        {
            f"{block.get(name, name)}.{kind}": torch.from_numpy(array)
            for name, pair in layers.items()
            for kind, array in zip(("weight", "bias"), pair)
        },
        ours,
    )
    return {"chainer": chainer, "port": port, "safetensors": ours}


def numpy_c3d(clip: np.ndarray, layers) -> np.ndarray:
    """Logits of one clip (3, 16, 112, 112), written again in NumPy from the layer table."""

    def convolve(x, weight, bias):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (1, 1)))
        out = np.zeros((len(weight), *x.shape[1:]), np.float32)
        for dt, dy, dx in np.ndindex(3, 3, 3):
            moved = padded[:, dt : dt + x.shape[1], dy : dy + x.shape[2], dx : dx + x.shape[3]]
            out += np.tensordot(weight[:, :, dt, dy, dx], moved, 1)
        return out + bias[:, None, None, None]

    def pool(x, t):
        sizes = [-(-x.shape[1] // t), -(-x.shape[2] // 2), -(-x.shape[3] // 2)]
        out = np.empty((len(x), *sizes), np.float32)
        for i, j, k in np.ndindex(*sizes):
            out[:, i, j, k] = x[:, t * i : t * i + t, 2 * j : 2 * j + 2, 2 * k : 2 * k + 2].max(axis=(1, 2, 3))
        return out

    for number, block in enumerate(PLAN):
        for name, _ in block:
            clip = np.maximum(convolve(clip, *layers[name]), 0)
        clip = pool(clip, 1 if number == 0 else 2)
    x = clip.reshape(-1)
    for name in ("fc6", "fc7"):
        x = np.maximum(layers[name][0] @ x + layers[name][1], 0)
    return layers["fc8"][0] @ x + layers["fc8"][1]


@pytest.fixture(scope="module")
def clip_and_logits(layers):
    clip = np.random.default_rng(1).normal(size=(3, 16, 112, 112)).astype(np.float32)
    return clip, numpy_c3d(clip, layers)


@pytest.mark.parametrize("kind", ["chainer", "port", "safetensors"])
def test_published_weights_compute_what_numpy_computes(kind, layers, clip_and_logits, tmp_path):
    network = metrics.load_c3d(files_of(layers, tmp_path)[kind], n_classes=5, width=NARROW)
    clip, expected = clip_and_logits
    found = network(torch.from_numpy(clip)[None])[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4 * np.abs(found).max())


def test_a_partial_or_foreign_weight_file_is_refused_with_a_list(layers, tmp_path):
    lacking = {name: pair for name, pair in layers.items() if name != "conv4b"} | {"fc9": layers["fc7"]}
    lacking["conv2a"] = (layers["conv2a"][0][:3], layers["conv2a"][1])
    path = tmp_path / "partial.npz"
    np.savez(path, **{f"{n}/{kind}": array for n, pair in lacking.items() for kind, array in zip("Wb", pair)})
    message = r"missing: conv4b.bias, conv4b.weight; unexpected: fc9.bias, fc9.weight; of another shape: conv2a.weight"
    with pytest.raises(ValueError, match=message):
        metrics.load_c3d(path, width=NARROW)


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path):
    """np.savez_compressed makes 200 MB of zeros 200 kB: the archive says what it unpacks to."""
    np.savez_compressed(tmp_path / "zeros.npz", mean=np.zeros((1, 200), np.float32))
    whole = (tmp_path / "zeros.npz").read_bytes()
    at = whole.rindex(b"PK\x01\x02") + 24  # of its table of contents: four bytes, how large an entry is
    (tmp_path / "zeros.npz").write_bytes(whole[:at] + (2**32 - 2).to_bytes(4, "little") + whole[at + 4 :])
    for read in (read_tensors, load_mean):
        with pytest.raises(ValueError, match=r"zeros\.npz: unpacks to 4 GB, where weights have 2 at most") as told:
            read(tmp_path / "zeros.npz")
        assert "\n" not in str(told.value)


def test_weights_of_another_number_of_classes_are_refused(layers, tmp_path):
    with pytest.raises(ValueError, match="know 5 classes, 101 are asked for"):
        metrics.load_c3d(files_of(layers, tmp_path)["chainer"], 101, NARROW)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, ("true",)

    torch.save({"fc8.bias": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="wants to run code"):
        read_tensors(tmp_path / "evil.pt")
    np.savez(tmp_path / "evil.npz", **{"fc8/b": np.array([Evil()], dtype=object)})
    with pytest.raises(ValueError, match="cannot be read as weights"):
        read_tensors(tmp_path / "evil.npz")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="cannot be read as weights"):
        read_tensors(tmp_path / "cut.npz")
    with pytest.raises(ValueError, match="weights are read from"):
        (tmp_path / "w.onnx").touch()
        read_tensors(tmp_path / "w.onnx")


def test_mean_volumes_in_their_formats(tmp_path):
    volume = np.random.default_rng(0).uniform(80, 120, (3, 16, 128, 171)).astype(np.float32)
    np.savez(tmp_path / "mean2.npz", mean=volume.reshape(-1))
    np.save(tmp_path / "mean.npy", volume[None])
    for name in ("mean2.npz", "mean.npy"):
        np.testing.assert_array_equal(metrics.load_mean(tmp_path / name).numpy(), volume)
    np.save(tmp_path / "last.npy", volume[:, :, :112, :112].transpose(1, 2, 3, 0))
    assert metrics.load_mean(tmp_path / "last.npy").shape == (3, 16, 112, 112)
    np.save(tmp_path / "flat.npy", volume[0, 0])
    with pytest.raises(ValueError, match="a mean volume is"):
        metrics.load_mean(tmp_path / "flat.npy")


@pytest.mark.skipif(not os.environ.get("DATA_ROOT"), reason="DATA_ROOT is not set")
def test_the_real_mean_volume_is_blue_first():
    files = metrics.reference_files(os.environ["DATA_ROOT"])
    if "mean" not in files:
        pytest.skip("no mean volume in DATA_ROOT/reference")
    blue, green, red = metrics.load_mean(files["mean"]).mean(dim=(1, 2, 3)).tolist()
    assert 80 < blue < green < red < 120


# Protocols ----------------------------------------------------------------------------------------


def test_tgan_protocol_geometry():
    """A ramp from left to right: after 128 and crop 112, columns 8 to 119 of 128; blue comes first; mean under it."""
    clips = torch.linspace(-1, 1, 64).view(1, 1, 1, 1, 64).expand(1, 3, 16, 64, 64).clone()
    clips[:, 0] = -1  # red is black
    seen = metrics.get_protocol("tgan-v1").prepare(clips)
    assert seen.shape == (1, 3, 16, 112, 112)
    assert (seen[:, 2] == -128).all() and torch.equal(seen[:, 0], seen[:, 1])
    at = (torch.arange(8, 120) + 0.5) / 2 - 0.5  # where the columns lie in the 64 wide frame
    expected = 127.5 * (at * 2 / 63 - 1) - 0.5
    # A column is 2.03; this cubic (a = -0.75, as OpenCV has it) bends a ramp a little.
    assert (seen[0, 0, 0, 50] - expected).abs()[4:-4].max() < 0.2
    mean = torch.arange(171.0).expand(3, 16, 128, 171)
    assert torch.allclose(
        128 + seen - metrics.get_protocol("tgan-v1").prepare(clips, mean),
        torch.arange(29.0, 141).expand_as(seen),
        atol=1e-4,
    )


@pytest.mark.parametrize("protocol", metrics.PROTOCOLS)
def test_every_protocol_shows_the_grey_levels_of_the_video(protocol):
    levels = torch.tensor([0, 1, 127, 128, 254, 255], dtype=torch.uint8)
    clips = (levels.float() / 127.5 - 1).view(-1, 1, 1, 1, 1).expand(-1, 3, 16, 64, 64)  # as `ClipDataset.batch` maps
    seen = 128 + metrics.get_protocol(protocol).prepare(clips)
    torch.testing.assert_close(seen[:, 0, 0, 50, 50], levels.float(), atol=1e-3, rtol=0)


def test_tgan_v2_resizes_corner_to_corner():
    """As Chainer does: column j of 112 lies at j * 63 / 111 of the 64 wide frame, so a ramp stays a ramp."""
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 16, 64, 64)
    seen = metrics.get_protocol("tgan-v2").prepare(ramp)
    assert torch.allclose(seen[0, 0, 0, 50], torch.linspace(-128, 127, 112), atol=1e-3)


def test_other_protocols_read_112_at_once_and_clamp():
    clips = torch.full((2, 3, 32, 64, 64), 1.5)
    for name in ("tgan-v2", "stylegan-v"):
        seen = replace(metrics.get_protocol(name), stride=2).prepare(clips)
        assert seen.shape == (2, 3, 16, 112, 112) and torch.allclose(seen, torch.tensor(127.0))  # clamped to 1
    assert torch.allclose(metrics.get_protocol("tgan-v1").prepare(clips), torch.tensor(190.75))  # not clamped
    counted = torch.arange(32.0).view(1, 1, 32, 1, 1).expand(1, 3, 32, 64, 64) / 127.5
    for stride in (1, 2):  # the first 16 frames, or every second of the first 32
        seen = replace(metrics.get_protocol("tgan-v1"), stride=stride).prepare(counted)
        assert torch.allclose(seen[0, 0, :, 50, 50], stride * torch.arange(16.0) - 0.5, atol=1e-3)
    with pytest.raises(ValueError, match="reads 16 frames, these clips have 8"):
        metrics.get_protocol("tgan-v1").prepare(clips[:, :, :8])
    with pytest.raises(ValueError, match="unknown protocol 'is'"):
        metrics.get_protocol("is")


def test_protocols_join_scores_as_published():
    random = np.random.default_rng(0)
    sets = [random.dirichlet(np.full(20, 0.1), size=400) for _ in range(4)]
    mean, std, scores = metrics.get_protocol("tgan-v1").score(sets)
    single = [metrics.inception_score(rows, 1e-7) for rows in sets]
    assert scores == tuple(single) and mean == np.mean(single) and std == np.std(single)
    split_mean, _, parts = metrics.get_protocol("stylegan-v").score(sets[:1])
    assert len(parts) == 10 and split_mean < scores[0]  # ten parts of 40 score lower than 400


def test_a_published_judge_reads_protocol_clips(layers, tmp_path):
    weights = files_of(layers, tmp_path)["chainer"]
    judge = metrics.published_judge(weights, classes=list("abcde"), width=NARROW)
    clips = torch.rand(2, 3, 32, 64, 64) * 2 - 1
    features, probabilities = judge.look(clips, "fc7")
    assert features.shape == (2, 256) and probabilities.shape == (2, 5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    prepared = judge.protocol.prepare(clips)
    np.testing.assert_allclose(judge.network.features(prepared, "fc7").numpy(), features, rtol=1e-3, atol=1e-3)


# Distances ----------------------------------------------------------------------------------------


def test_kernel_distance_equals_its_definition_and_is_unbiased():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(7, 3)), random.normal(size=(5, 3)) + 0.5

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    by_hand = (
        np.mean([k(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
        + np.mean([k(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
        - 2 * np.mean([[k(a, b) for b in y] for a in x])
    )
    assert metrics.kernel_distance(x, y) == pytest.approx(by_hand, rel=1e-12)
    same = [metrics.kernel_distance(*random.normal(size=(2, 10, 4))) for _ in range(400)]
    assert abs(np.mean(same)) < 3 * np.std(same) / 20  # zero on average at N = 10, where Eq. 17 is far above
    with pytest.raises(ValueError, match="columns"):
        metrics.kernel_distance(x, y[:, :2])


def test_running_moments_equal_moments_and_merge():
    random = np.random.default_rng(0)
    real, fake = 5 + random.normal(size=(90, 12)), 1.3 * random.normal(size=(70, 12))
    streamed, left, right = RunningMoments(), RunningMoments(), RunningMoments()
    for part in np.array_split(real, 13):
        streamed.add(part)
    left.add(fake[:1]).add(fake[1:20])
    right.add(fake[20:])
    assert streamed.triangle.shape == (12, 12)  # memory does not grow with N
    found = metrics.frechet_distance(streamed.moments(), left.merge(right).merge(RunningMoments()).moments())
    assert found == pytest.approx(metrics.frechet_distance(real, fake), rel=1e-12)
    with pytest.raises(ValueError, match="from one layer"):
        left.add(fake[:, :3])
    with pytest.raises(ValueError, match="at least two"):
        RunningMoments().add(fake[:1]).moments()


def test_sweep_finds_the_intercept_of_a_bias_in_one_over_n():
    rows = np.zeros((400, 2))
    found = metrics.sweep(lambda a: 3 + 50 / len(a), rows)
    assert found.at_infinity == pytest.approx(3, abs=1e-9) and found.sizes[0] == 100 and found.sizes[-1] == 400
    with pytest.raises(ValueError, match="at least 16"):
        metrics.sweep(len, rows[:15])


# Behaviour and damage -----------------------------------------------------------------------------


def test_behaviour_of_real_frozen_repeated_and_copied_clips():
    clips = MovingBlobs(48).batch(range(48))[0]
    change, pictures = answers_module.frame_change(clips), answers_module.thumbnails(clips)
    real = metrics.behaviour(change, pictures, change, pictures)
    assert (real.motion, real.motion_gap, real.frozen, real.variety, real.nearest) == (1, 0, 0, 1, 0)
    still = metrics.freeze(clips)
    frozen = metrics.behaviour(answers_module.frame_change(still), answers_module.thumbnails(still), change, pictures)
    assert frozen.motion == 0 and frozen.frozen == 1
    assert frozen.motion_gap == pytest.approx(change.mean() / np.median(change))
    one = metrics.behaviour(
        change[:1].repeat(48), pictures[:1].repeat(48, axis=0), change, pictures, pictures[24:] + 0.01
    )
    assert one.variety == 0 and one.nearest == 0
    where, how_far = metrics.nearest_clips(pictures[[5, 9]], pictures)
    assert where.tolist() == [5, 9] and how_far.max() == 0


@pytest.mark.parametrize("kind", damage.TREATMENTS)
def test_damage_starts_at_nothing_and_grows(kind):
    clips = MovingBlobs(8).batch(range(8))[0]
    gaps = [float((damage.TREATMENTS[kind](clips, grade) - clips).abs().mean()) for grade in metrics.GRADES]
    assert gaps[0] == 0 and all(a < b or kind == "shuffled" for a, b in pairwise(gaps)) and gaps[1] > 0


def test_damage_does_what_it_says():
    clips = MovingBlobs(8).batch(range(8))[0]
    flat = torch.full((1, 3, 8, 16, 16), 0.3)
    assert torch.allclose(damage.blur(flat, 1.0), flat, atol=1e-5)
    assert torch.equal(damage.held(clips, 1.0), clips[:, :, :1].expand_as(clips))
    mixed = damage.shuffled(clips, 1.0)
    assert torch.equal(mixed.sum(dim=2), clips.sum(dim=2)) and not any(
        torch.equal(mixed[:, :, t], clips[:, :, t]) for t in range(8)
    )
    source = metrics.real_clips(MovingBlobs(64))
    few = metrics.damaged(source, "fewer classes", 0.5)
    assert few.distinct == 32 and set(next(few.draw(32, 0))[1].tolist()) == {0, 1}
    for call, message in ((("melted", 0.5), "unknown damage"), (("blur", 2), "between 0")):
        with pytest.raises(ValueError, match=message):
            metrics.damaged(source, *call)
    with pytest.raises(ValueError, match="cannot lose classes"):
        metrics.damaged(metrics.noise_clips(8, 16), "fewer classes", 0.5)


def test_shuffled_clips_keep_their_frames():
    source = metrics.real_clips(MovingBlobs())
    (mixed, labels, _), (clips, same, _) = next(metrics.shuffle_frames(source).draw(6, 3)), next(source.draw(6, 3))
    assert torch.equal(labels, same) and torch.allclose(mixed.sum(dim=2), clips.sum(dim=2))
    assert not torch.equal(mixed, clips)
    assert next(metrics.resized(source, 8).draw(6, 3))[0].shape == (6, 3, 8, 8, 8)


# Resuming, mixing ---------------------------------------------------------------------------------


def test_a_killed_evaluation_goes_on_and_gives_the_same_numbers(judge, tmp_path):
    data = MovingBlobs(100)
    source, drawn = metrics.real_clips(data), []
    whole = metrics.ask(judge, source, 150, seed=2)

    def dies(n, seed, skip=0):
        for chunk in source.draw(n, seed, skip):
            if len(drawn) == 2:
                raise KeyboardInterrupt
            drawn.append(len(chunk[0]))
            yield chunk

    with pytest.raises(KeyboardInterrupt):
        metrics.ask(judge, replace(source, draw=dies), 150, seed=2, folder=tmp_path)
    drawn.clear()
    resumed = metrics.ask(judge, replace(source, draw=dies), 150, seed=2, folder=tmp_path)
    assert drawn == [22]  # only the chunk that was missing
    for name in answers_module.ARRAYS:
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))


def test_keys_name_whatever_changes_the_features(judge, tmp_path):
    """Protocol, mean, precision, preparation and a system's weightless options: each gives other features."""
    from torchvision.models import get_model

    from hrvgan_lib.networks import build_system

    mean = torch.zeros(3, 16, 112, 112)
    protocols = [metrics.get_protocol(name) for name in ("tgan-v1", "tgan-v2")]
    eyes = [judge, replace(judge, dtype=torch.bfloat16), replace(judge, stride=2)]
    eyes += [replace(judge, protocol=p, mean=m) for p in protocols for m in (None, mean, mean + 1)]
    save_file(get_model("squeezenet1_1", weights=None).state_dict(), tmp_path / "eye.safetensors")
    eyes += [metrics.Extractor("squeezenet1_1", tmp_path / "eye.safetensors", how) for how in ("torchvision", "caffe")]
    noise = metrics.noise_clips(16, 16)
    keys = {answers_module.answers_key(eye, noise, 8, 0, "fc6") for eye in eyes}
    assert len(keys) == len(eyes) and len({eye.identity for eye in eyes}) == len(eyes)

    options = [{}, {"final_activation": "linear"}, {"upsample": "trilinear"}]
    systems = []
    for changed in options:
        torch.manual_seed(0)
        systems.append(build_system("hrvgan", frames=8, size=8, width=1 / 16, **changed))
    assert len({metrics.generated(system).digest for system in systems}) == len(options)


def test_features_of_two_networks_do_not_mix(judge):
    noise = metrics.ask(judge, metrics.noise_clips(8, 16), 8)
    with pytest.raises(ValueError, match="do not compare"):
        noise.distance(replace(noise, extractor="another"))
    assert noise.distance(noise) < 1e-6


# The command line ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Real and fake folders of eight tiny videos each, and SqueezeNet with random weights."""
    from torchvision.models import get_model

    root = tmp_path_factory.mktemp("folders")
    random = np.random.default_rng(0)
    for side in ("real", "fake"):
        (root / side).mkdir()
        for i in range(8):
            frames = random.integers(0, 256 if side == "real" else 120, (30, 32, 48, 3)).astype(np.uint8)
            write_video(root / side / f"{i}.avi", frames)
    torch.manual_seed(0)
    save_file(get_model("squeezenet1_1", weights=None).state_dict(), root / "eye.safetensors")
    return root


def test_two_folders_of_videos_are_compared_and_the_second_call_reads(folders, capsys, monkeypatch):
    call = [
        "--real",
        str(folders / "real"),
        "--fake",
        str(folders / "fake"),
        "--size",
        "32",
        "--frames",
        "2",
        "--cache",
        str(folders / "cache"),
        "--json",
        str(folders / "out.json"),
        "--network",
        f"squeezenet1_1={folders / 'eye.safetensors'}",
    ]
    assert main(call) == 0
    first = capsys.readouterr().out
    assert "Fréchet distance, pool" in first and "real against real" in first and "N = 4 a side" in first
    record = json.loads((folders / "out.json").read_text())
    assert record["fake"]["frechet"]["value"] > record["real against real"]["frechet"]["value"]
    monkeypatch.setattr(metrics.Extractor, "look", None)  # a second look would now fail
    assert main(call) == 0 and capsys.readouterr().out == first


@pytest.mark.parametrize("change, message", [
    ({"--fake": "absent"}, "no such folder"),
    ({"--fake": "empty"}, "no video to compare. empty: 0 videos found"),
    ({"--fake": "broken"}, "1 videos found, 0 used, 1 left out"),
    ({"--network": "squeezenet1_1"}, "write NAME=FILE"),
    ({"--network": "lenet=eye.safetensors"}, "unknown network 'lenet'"),
    ({"--network": "resnet18=eye.safetensors"}, "not the weights of resnet18"),
    ({"--n": "5"}, "there are 8 real and 8 fake videos"),
])  # fmt: skip
def test_the_command_line_says_in_one_line_what_is_wrong(folders, capsys, monkeypatch, change, message):
    monkeypatch.chdir(folders)
    Path("empty").mkdir(exist_ok=True)
    Path("broken").mkdir(exist_ok=True)
    Path("broken/x.avi").write_bytes(b"no video")
    call = {"--real": "real", "--fake": "fake", "--size": "32", "--network": "squeezenet1_1=eye.safetensors"} | change
    assert main([word for pair in call.items() for word in pair]) == 2
    complaint = capsys.readouterr().err.strip()
    assert message in complaint and "\n" not in complaint


def test_a_judge_of_this_book_compares_folders_too(folders, tmp_path, capsys):
    from types import SimpleNamespace

    train, test = MovingBlobs(16), MovingBlobs(8, seed=1)
    profile = SimpleNamespace(judge_width=0.05, judge_steps=1, judge_batch=8)
    metrics.trained_judge(train, test, profile, folder=tmp_path)
    place = next(path for path in tmp_path.iterdir() if path.is_dir())
    sides = ["--real", str(folders / "real"), "--fake", str(folders / "fake")]
    assert main([*sides, "--judge", str(place)]) == 0  # 8 frames of 16x16, four apart, as it learned
    assert "Inception Score" in capsys.readouterr().out
    assert main([*sides, "--judge", str(place), "--stride", "1"]) == 2
    assert "reads 8 frames of size 16 at stride 4" in capsys.readouterr().err


# The panel ----------------------------------------------------------------------------------------


def test_a_panel_holds_floor_ceilings_and_the_published_size(judge, monkeypatch, tmp_path):
    from hrvgan_lib.networks import build_system

    monkeypatch.setattr(sys.modules["hrvgan_lib.metrics.evaluation"], "PUBLISHED_SIZE", 4)
    system = build_system("hrvgan", frames=8, size=8, n_classes=4, width=1 / 16).eval()
    rows = metrics.panel(system, MovingBlobs(32), MovingBlobs(32, seed=1), judge, n=16, seeds=(0, 1), folder=tmp_path)
    expected = ["real", "frozen", "shuffled", *metrics.CEILINGS, "hrvgan", "hrvgan frozen", "hrvgan at 4"]
    assert list(rows) == expected and all(row.n == 16 for row in rows.values())
    ceilings = [rows[name].frechet.value for name in metrics.CEILINGS]
    at = {name: metrics.position(row.frechet.value, rows["real"].frechet.value, ceilings) for name, row in rows.items()}
    assert at["real"] == 0 and min(at[name] for name in metrics.CEILINGS) == 1 < max(at.values())
    assert rows["mean clip"].behaviour.variety == 0
    sources = {name: [part.source for part in row.frechet.influences] for name, row in rows.items()}
    assert len({found[0] for found in sources.values()}) == 1  # the same real clips behind every row
    assert len(sources["real"]) == 2 and len(sources["hrvgan"]) == 3  # test clips again, other samples
    assert sources["frozen"] == sources["shuffled"] == sources["real"]
    assert sources["hrvgan frozen"] == sources["hrvgan at 4"] == sources["hrvgan"][:2]
    assert rows["frozen"].behaviour.frozen == rows["hrvgan frozen"].behaviour.frozen == 1
    assert rows["real"].behaviour.frozen == 0 and len(rows["real"].seeds) == 2 and len(rows["noise"].seeds) == 1
    assert rows["hrvgan"].device and rows["hrvgan"].versions["torch"] and "16 clips x 2" in rows["hrvgan"].protocol


# Others' rulers: last, since the import takes seconds ---------------------------------------------


@pytest.mark.filterwarnings("ignore::UserWarning:torchmetrics")
def test_torchmetrics_agrees():
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.inception import InceptionScore

    random = np.random.default_rng(0)
    real, fake = random.normal(size=(400, 48)), 1.2 * random.normal(size=(300, 48)) + 0.1
    moments = [torch.from_numpy(m) for a in (real, fake) for m in (a.mean(axis=0), np.cov(a, rowvar=False))]
    assert metrics.frechet_distance(real, fake) == pytest.approx(float(_compute_fid(*moments)), rel=1e-6)
    logits = torch.from_numpy(3 * random.normal(size=(500, 11)))
    theirs = InceptionScore(feature=torch.nn.Identity(), splits=1).to(torch.float64)
    theirs.set_dtype(torch.float64).update(logits)
    assert metrics.inception_score(softmax64(logits)) == pytest.approx(float(theirs.compute()[0]), rel=1e-6)
