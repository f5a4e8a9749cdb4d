"""Properties of the rulers: closed forms, limits, invariances, bad input (chapter 08, Eqs 16-18)."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg
import torch
from blobs import MovingBlobs

from hrvgan_lib import metrics
from hrvgan_lib.metrics.evaluation import read_evaluation
from hrvgan_lib.metrics.eyes import judge as judge_module
from hrvgan_lib.metrics.eyes.c3d import C3D, LAYERS
from hrvgan_lib.metrics.rulers.frechet import nuclear_norm
from hrvgan_lib.metrics.sources import chunks

# Inception Score ----------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 8, 101])
def test_inception_score_of_uniform_answers_is_one(classes):
    assert metrics.inception_score(np.full((50, classes), 1 / classes)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 8, 101])
def test_inception_score_of_certain_balanced_answers_is_the_number_of_classes(classes):
    rows = np.eye(classes).repeat(3, axis=0)
    assert metrics.inception_score(rows) == pytest.approx(classes, rel=1e-12)


def test_inception_score_of_a_collapsed_generator_is_one():
    assert metrics.inception_score(np.tile([0.9, 0.05, 0.05], (20, 1))) == pytest.approx(1, abs=1e-12)


def test_inception_score_is_entropy_of_marginal_minus_mean_entropy_of_rows():
    rows = np.random.default_rng(0).dirichlet(np.full(7, 0.3), size=200)
    entropy = lambda p: -np.sum(p * np.log(p), axis=-1)  # noqa: E731
    assert metrics.inception_score(rows) == pytest.approx(np.exp(entropy(rows.mean(0)) - entropy(rows).mean()))


def test_inception_score_ignores_order_and_class_names():
    random = np.random.default_rng(1)
    rows = random.dirichlet(np.ones(5), size=60)
    shuffled = rows[random.permutation(60)][:, random.permutation(5)]
    assert metrics.inception_score(shuffled) == pytest.approx(metrics.inception_score(rows))


def test_published_epsilon_changes_little():
    rows = np.random.default_rng(2).dirichlet(np.ones(101), size=300)
    assert metrics.inception_score(rows, epsilon=1e-7) == pytest.approx(metrics.inception_score(rows), rel=1e-4)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.full((4, 3), 0.5), "sum to 1.5"),
        (np.array([[0.5, 0.5], [np.nan, 1]]), "clip 1 are NaN"),
        (np.array([[1.5, -0.5], [0.5, 0.5]]), "negative"),
        (np.array([[0.5, 0.5]]), "at least two clips"),
        (np.full(4, 0.25), "shape"),
    ],
)
def test_inception_score_names_bad_rows(rows, message):
    with pytest.raises(ValueError, match=message):
        metrics.inception_score(rows)


# Fréchet distance ---------------------------------------------------------------------------------


def features(n: int, width: int, seed: int = 0) -> np.ndarray:
    """Correlated features with a mean."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, width)) @ random.normal(size=(width, width)) + random.normal(size=width)


def literal(real: np.ndarray, fake: np.ndarray) -> float:
    """Eq. 17 as printed, with SciPy's matrix square root."""
    s_r, s_f = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = scipy.linalg.sqrtm(s_r @ s_f)
    return np.square(real.mean(0) - fake.mean(0)).sum() + np.trace(s_r + s_f - 2 * root.real)


def test_distance_to_itself_is_zero():
    cloud = features(80, 12)
    assert metrics.frechet_distance(cloud, cloud) == pytest.approx(0, abs=1e-9 * np.square(cloud).sum())
    assert metrics.frechet_distance(cloud, cloud[::-1]) == pytest.approx(0, abs=1e-9 * np.square(cloud).sum())


@pytest.mark.parametrize(("n", "width"), [(200, 10), (30, 50)])
def test_ten_times_the_features_give_a_hundred_times_the_distance(n, width):
    real, fake = features(n, width, 1), features(n, width, 2)
    assert metrics.frechet_distance(10 * real, 10 * fake) == pytest.approx(100 * metrics.frechet_distance(real, fake))


def gaussian_cloud(n: int, mean: np.ndarray, deviations: np.ndarray, seed: int) -> np.ndarray:
    """A cloud whose sample mean and covariance are exactly `mean` and diag(deviations^2)."""
    cloud = np.random.default_rng(seed).normal(size=(n, len(mean)))
    white = np.linalg.qr(cloud - cloud.mean(0))[0] * np.sqrt(n - 1)
    return white * deviations + mean


def test_closed_form_of_gaussians_with_diagonal_covariance():
    m_r, m_f = np.array([0.0, 1.0, -2.0]), np.array([1.0, 1.0, 3.0])
    s_r, s_f = np.array([1.0, 2.0, 0.5]), np.array([3.0, 2.0, 0.1])
    expected = np.square(m_r - m_f).sum() + np.square(s_r - s_f).sum()
    found = metrics.frechet_distance(gaussian_cloud(100, m_r, s_r, 0), gaussian_cloud(70, m_f, s_f, 1))
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "width"), [(300, 20), (21, 20), (64, 64)])
def test_agrees_with_the_matrix_square_root(n, width):
    real, fake = features(n, width, 3), features(2 * n, width, 4)
    assert metrics.frechet_distance(real, fake) == pytest.approx(literal(real, fake), rel=1e-6)


@pytest.mark.filterwarnings("ignore")  # the matrix root complains that its input is singular: that is the point
def test_fewer_clips_than_features():
    real, fake = features(25, 60, 5), features(20, 60, 6)
    assert metrics.frechet_distance(real, fake) == pytest.approx(literal(real, fake), rel=1e-3)


def test_rotation_shift_and_order_change_nothing():
    real, fake = features(40, 16, 7), features(50, 16, 8)
    rotation = np.linalg.qr(np.random.default_rng(9).normal(size=(16, 16)))[0]
    moved = metrics.frechet_distance(real @ rotation + 5, fake[::-1] @ rotation + 5)
    assert moved == pytest.approx(metrics.frechet_distance(real, fake))
    assert metrics.frechet_distance(fake, real) == pytest.approx(metrics.frechet_distance(real, fake))


def test_float32_tensors_and_moments_are_welcome():
    real, fake = features(40, 8, 1).astype(np.float32), features(50, 8, 2).astype(np.float32)
    expected = metrics.frechet_distance(real.astype(np.float64), fake.astype(np.float64))
    assert metrics.frechet_distance(torch.from_numpy(real), fake) == pytest.approx(expected, rel=1e-12)
    assert metrics.frechet_distance(metrics.moments(real), fake) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.ones((1, 3)), np.ones((5, 3)), "real features hold 1"),
        (np.ones((5, 3)), np.ones((5, 4)), "3 columns and fake features 4"),
        (np.ones((5, 3)), np.array([[1, 2, 3], [np.nan, 0, 0]]), "fake features of clip 1 are NaN"),
        (np.array([[1, 2, 3], [np.inf, 0, 0]]), np.ones((5, 3)), "real features of clip 1"),
        (np.ones(5), np.ones((5, 3)), "shape"),
    ],
)
def test_frechet_distance_names_bad_features(real, fake, message):
    with pytest.raises(ValueError, match=message) as error:
        metrics.frechet_distance(real, fake)
    assert "\n" not in str(error.value)


# Intervals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("decay", [0.0, 1.0, 4.0, 12.0, 40.0])
@pytest.mark.parametrize("zeros", [0, 1, 30])
def test_nuclear_norm_is_as_good_as_a_singular_value_decomposition(decay, zeros):
    """Spectra that fall over up to 40 powers of e, with exact zeros that the caller may or may not know of."""
    random = np.random.default_rng(0)
    left, right = (np.linalg.qr(random.normal(size=(n, 80)))[0] for n in (80, 120))
    values = np.exp(-decay * np.linspace(0, 1, 80))
    values[80 - zeros :] = 0
    matrix = left * values @ right.T
    for known in (80 - zeros, None):
        assert nuclear_norm(matrix, known) == pytest.approx(values.sum(), rel=2e-11)
        assert nuclear_norm(matrix.T, known) == pytest.approx(values.sum(), rel=2e-11)


def test_half_sample_interval_covers_the_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        sample = random.exponential(size=60)
        covered += 1.0 in metrics.half_sample_interval(np.mean, sample, repeats=40, seed=trial)
    assert 0.88 <= covered / 300 <= 0.98


def test_half_sample_interval_of_a_frechet_distance_covers_what_other_clips_give():
    """The spread within one pair of samples matches the spread between many pairs."""
    random = np.random.default_rng(1)
    pairs = [(random.normal(size=(64, 6)), 1.5 * random.normal(size=(64, 6)) + 0.3) for _ in range(40)]
    values = np.array([metrics.frechet_distance(*pair) for pair in pairs])
    intervals = [metrics.half_sample_interval(metrics.frechet_distance, *pair) for pair in pairs]
    assert 0.85 <= np.mean([values.mean() in interval for interval in intervals]) <= 1.0
    assert np.mean([i.high - i.low for i in intervals]) == pytest.approx(2 * 1.96 * values.std(), rel=0.4)


def test_half_sample_interval_keeps_to_its_floor_and_repeats_itself():
    sample = np.random.default_rng(0).normal(size=9)
    first = metrics.half_sample_interval(np.mean, sample, floor=10.0)
    assert first.low == 10.0
    assert metrics.half_sample_interval(np.mean, sample, floor=10.0) == first
    assert metrics.half_sample_interval(np.mean, sample[:3]).method == "cannot be told: only 3 clips"


def test_windows_of_one_video_are_no_independent_evidence():
    """Each of 30 clips eight times: the interval is that of 30 clips, not of 240."""
    clips = np.random.default_rng(2).normal(size=30)
    several = metrics.drawn(240, "", units=np.arange(30).repeat(8), unit="video")
    width = lambda interval: interval.high - interval.low  # noqa: E731
    alone = width(metrics.half_sample_interval(np.mean, clips, repeats=400))
    together = width(metrics.half_sample_interval(np.mean, clips.repeat(8), draws=[several], repeats=400))
    taken_apart = width(metrics.half_sample_interval(np.mean, clips.repeat(8), repeats=400))
    assert together == pytest.approx(alone, rel=0.15)
    assert taken_apart < 0.5 * alone
    few = metrics.half_sample_interval(np.mean, clips, draws=[metrics.drawn(30, "", units=np.arange(30) % 3)])
    assert (few.low, few.high) == (-np.inf, np.inf) and few.method == "cannot be told: only 3 clips"
    assert few.value == clips.mean() and str(few).endswith("[cannot be told: only 3 clips]")


def exam(right: int, n: int) -> metrics.Estimate:
    """So many right answers of n clips, each of its own."""
    return metrics.share(np.arange(n) < right, metrics.drawn(n, "exam"))


def test_an_accuracy_has_wilsons_interval_and_keeps_to_its_edges():
    half = exam(50, 100)  # Wilson's own is 0.4038 to 0.5962; Student's factor and n - 1 make it a little wider
    assert half.value == 0.5 and 0.400 < half.low < 0.4038 and half.low + half.high == pytest.approx(1)
    assert exam(0, 20).low == 0.0 < exam(0, 20).high < 0.25
    assert 0.75 < exam(20, 20).low < exam(20, 20).high == pytest.approx(1.0)
    assert exam(7, 20).n == 20 and exam(7, 20).method == "Wilson, influences, 20 clips"


def test_disjoint_intervals():
    low, high = exam(5, 100), exam(80, 100)
    assert low.disjoint(high) and high.disjoint(low) and not low.disjoint(low)


# C3D ----------------------------------------------------------------------------------------------


def test_c3d_has_the_published_parameters():
    with torch.device("meta"):  # shapes alone: no weight is drawn
        network = C3D()
    assert sum(parameter.numel() for parameter in network.parameters()) == 78_409_573
    assert network.feature_width("pool5") == 8192


@pytest.mark.parametrize(("frames", "size"), [(8, 32), (16, 64), (16, 112), (7, 30), (32, 33)])
def test_c3d_layers_have_the_promised_widths(frames, size):
    network = C3D(5, width=0.05, frames=frames, size=size).eval()
    layers = network.layers(torch.randn(2, 3, frames, size, size))
    assert tuple(layers) == LAYERS
    for name, values in layers.items():
        assert values.shape == (2, network.feature_width(name)) and type(network.feature_width(name)) is int
    assert torch.equal(layers["fc6"], layers["fc6"].clamp(min=0))


def test_pool5_reads_seven_rows_as_two_two_two_one():
    pool = dict(C3D(2, width=0.05).blocks["block5"].named_children())["pool5"]
    rows = torch.arange(7.0).reshape(1, 1, 1, 7, 1).expand(1, 1, 2, 7, 7)
    assert pool(rows)[0, 0, 0, :, 0].tolist() == [1, 3, 5, 6]
    padded = torch.nn.MaxPool3d(2, 2, padding=(0, 1, 1))(rows)  # same shape, other windows
    assert padded[0, 0, 0, :, 0].tolist() == [0, 2, 4, 6]


def test_fc6_reads_channel_time_row_column():
    network = C3D(2, width=0.05, frames=32, size=72).eval()  # 2x3x3 positions after pool5
    clip = torch.randn(1, 3, 32, 72, 72)
    volume = clip
    for block in network.blocks.values():
        volume = block(volume)
    assert tuple(volume.shape[1:]) == network.pool5_shape
    c, t, y, x = 3, 1, 0, 2
    _, time, height, width = network.pool5_shape
    place = ((c * time + t) * height + y) * width + x
    assert network.features(clip, "pool5")[0, place] == volume[0, c, t, y, x]


def test_c3d_refuses_other_layers_and_shapes():
    network = C3D(2, width=0.05, frames=8, size=32)
    with pytest.raises(ValueError, match="no layer 'fc9'"):
        network.features(torch.zeros(1, 3, 8, 32, 32), "fc9")
    with pytest.raises(ValueError, match="C3D reads clips"):
        network(torch.zeros(1, 3, 8, 64, 64))
    with pytest.raises(ValueError, match="positive"):
        C3D(0)


# The judge ----------------------------------------------------------------------------------------


def test_a_judge_learns_motion_and_is_trained_once(tmp_path, monkeypatch):
    profile = SimpleNamespace(judge_width=0.05, judge_steps=40, judge_batch=16)
    train, test = MovingBlobs(160, seed=0), MovingBlobs(80, seed=1)
    settings = dict(folder=tmp_path, shift=0.0, dropout=0.0)
    first = metrics.trained_judge(train, test, profile, **settings)
    assert first.accuracy.low > 0.5  # four classes, told apart by motion alone
    assert len(first.history) == 40 and first.history[-1].loss < first.history[0].loss

    monkeypatch.setattr(judge_module, "make_judge", None)  # a second training would now fail
    second = metrics.trained_judge(train, test, profile, **settings)
    clips = test.batch(range(8))[0]
    assert second.digest == first.digest and second.accuracy == first.accuracy
    np.testing.assert_array_equal(second.features(clips), first.features(clips))
    np.testing.assert_allclose(second.probabilities(clips).sum(axis=1), 1)
    (weights,) = tmp_path.glob("*/judge.safetensors")
    weights.unlink()  # a record without its weights is no judge
    with pytest.raises(TypeError, match="not callable"):
        metrics.trained_judge(train, test, profile, **settings)


def test_a_judge_needs_labels():
    unlabelled = SimpleNamespace(n_classes=0, name="golf")
    with pytest.raises(ValueError, match="golf has no labels"):
        metrics.trained_judge(unlabelled, unlabelled, None)


def test_the_judge_sees_the_same_moments_in_longer_and_larger_clips(judge):
    clips = MovingBlobs().batch(range(4))[0]
    longer = clips.repeat_interleave(2, dim=2)  # 16 frames that span the same 32 source frames
    np.testing.assert_array_equal(judge.features(longer), judge.features(clips))
    larger = clips.repeat_interleave(4, dim=3).repeat_interleave(4, dim=4)
    assert judge.fit(larger).shape == clips.shape
    assert (judge.fit(larger) - clips).abs().mean() < 0.1
    with pytest.raises(ValueError, match="reads 8 frames"):
        judge.features(clips[:, :, :4])


# Evaluation ---------------------------------------------------------------------------------------


def test_an_evaluation_is_kept_and_read_back(judge, tmp_path):
    data = MovingBlobs()
    source = metrics.real_clips(data)
    record = metrics.evaluate(source, judge, data, n=16, seeds=(0, 1), folder=tmp_path)
    assert record.n == 16 and len(record.inception_seeds) == len(record.frechet_seeds) == 2
    assert record.inception.value == pytest.approx(np.mean(record.inception_seeds)) and record.accuracy.n == 16
    assert record.frechet.value == pytest.approx(np.mean(record.frechet_seeds))
    assert sum(map(sum, record.confusion)) == 16
    (path,) = tmp_path.glob("*.json")
    assert read_evaluation(path) == record

    silent = replace(source, draw=None)  # a second evaluation would have to draw
    assert metrics.evaluate(silent, judge, data, n=16, seeds=(0, 1), folder=tmp_path) == record
    with pytest.raises(TypeError):
        metrics.evaluate(silent, judge, data, n=17, seeds=(0, 1), folder=tmp_path)


def test_frozen_clips_stand_still_and_keep_their_label():
    source = metrics.real_clips(MovingBlobs())
    ((clips, labels, videos),) = metrics.frozen(source).draw(6, 3)
    ((moving, same, behind),) = source.draw(6, 3)
    assert torch.equal(labels, same) and torch.equal(videos, behind)
    assert torch.equal(clips[:, :, 0], moving[:, :, 4]) and not torch.equal(clips, moving)
    assert (clips == clips[:, :, :1]).all()


def test_noise_has_no_labels_and_repeats_itself(judge):
    noise = metrics.noise_clips(8, 16)
    ((clips, labels, videos),) = noise.draw(5, 7)
    assert labels is None and videos is None and clips.shape == (5, 3, 8, 16, 16) and clips.abs().max() <= 1
    assert torch.equal(clips, next(noise.draw(5, 7))[0])
    assert metrics.evaluate(noise, judge, MovingBlobs(), n=8).accuracy is None


def test_answers_count_asked_against_named():
    features = np.zeros((4, 1))
    said, asked = np.eye(3)[[0, 0, 1, 2]], np.array([0, 1, 1, 2])
    answers = metrics.Answers(features, features, said, asked, None, features, features)
    assert answers.accuracy.value == 0.75
    assert answers.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]


def test_real_clips_come_in_chunks_and_repeat_only_after_all_others():
    """150 draws of 64 clips: chunks of at most 64, every clip twice or three times."""
    parts = list(metrics.real_clips(MovingBlobs(64)).draw(150, 0))
    assert [len(clips) for clips, _, _ in parts] == [64, 64, 22]
    counts = torch.cat([videos for _, _, videos in parts]).bincount(minlength=64)
    assert set(counts.tolist()) == {2, 3}
    assert all(torch.equal(labels, videos % 4) for _, labels, videos in parts)


def test_large_clips_come_in_small_chunks():
    assert chunks(7, 32, 256) == [5, 2]


def test_an_evaluation_needs_clips_and_seeds(judge):
    with pytest.raises(ValueError, match="at least 4 clips and one seed"):
        metrics.evaluate(metrics.noise_clips(8, 16), judge, MovingBlobs(), n=3)
