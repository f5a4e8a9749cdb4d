"""X to Y: the geometry, Eqs 10-15 and Algorithm 1 on pairs, feeding back, and what a prediction is measured by."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from blobs import MovingBlobs
from torch.nn.functional import avg_pool3d, softplus

from hrvgan_lib import losses, metrics
from hrvgan_lib.checkpoints import load_generator, save_generator
from hrvgan_lib.networks import build_system, fused
from hrvgan_lib.networks.hrvgan import trace
from hrvgan_lib.networks.prediction import PRESETS, cut, make_config
from hrvgan_lib.streams import stream
from hrvgan_lib.training import TrainConfig, train, trained
from hrvgan_lib.trainings import FORECAST_CHOICES, FORECASTS

CLIPS = torch.rand(4, 3, 8, 16, 16, generator=torch.Generator().manual_seed(5)) * 2 - 1
X, Y = CLIPS[:, :, :4], CLIPS[:, :, 4:]


def small(preset: str = "literal", **options):
    torch.manual_seed(0)
    return build_system("prediction", **{"frames": 8, "size": 16, "width": 1 / 16, "preset": preset, **options})


# Geometry (T2) --------------------------------------------------------------------------------------------------------


def shapes(network, clip):
    return [row.shape for row in trace(network, clip)]


def test_at_the_papers_shape_e_and_g_leave_out_the_doubling_at_256():
    with torch.device("meta"):
        system = build_system("prediction", frames=32, size=256, preset="literal").eval()
        past, pair = torch.empty(1, 3, 16, 256, 256), torch.empty(1, 3, 32, 256, 256)
    rows = shapes(system.generator, past)
    assert rows[0] == (8, 16, 256, 256) and (128, 4, 4, 4) in rows and rows[-1] == (3, 16, 256, 256)
    assert (16, 16, 128, 128) in rows and (32, 16, 64, 64) in rows and (64, 8, 32, 32) in rows
    assert not any(shape[1] == 32 for shape in rows)
    assert shapes(system.discriminator, pair)[0] == (8, 32, 256, 256)  # D sees X and Y as one clip


@pytest.mark.parametrize(
    ("frames", "size", "given", "read", "ahead"),
    [(8, 32, 0, 4, 4), (16, 64, 0, 8, 8), (16, 64, 12, 16, 4), (16, 64, 5, 8, 11), (8, 32, 1, 4, 7)],
)
def test_every_split_of_every_cut_gives_the_frames_asked_for(frames, size, given, read, ahead):
    system = build_system("prediction", frames=frames, size=size, given=given, width=1 / 32).eval()
    assert system.generator.read_frames == read and system.ahead == ahead
    past = torch.rand(1, 3, system.given, size, size)
    assert system.predict(past).shape == (1, 3, ahead, size, size)


def test_the_first_frame_stands_in_for_frames_before_it():
    system = small(given=3, frames=8)
    seen = []
    system.generator.trunk[0].register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    system.generator(X[:, :, :3])
    torch.testing.assert_close(seen[0], torch.cat([X[:, :, :1], X[:, :, :3]], dim=2))


def test_cut_keeps_the_first_doublings():
    config = make_config()
    assert [cut(frames, 256, config)[0] for frames in (1, 4, 5, 16, 17)] == [4, 4, 8, 16, 32]
    assert cut(16, 256, config)[1].temporal_doublings == (8, 64)
    assert cut(8, 64, replace(config, temporal_doublings=(16, 64)))[1].temporal_doublings == (16,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"frames": 12}, "has 8 frames, not 12"),
        ({"given": 8}, "8 of 8 frames are given"),
        ({"given": -1}, "leave at least one"),
        ({"preset": "best"}, "unknown preset 'best'"),
        ({"features": "all"}, "features cannot be 'all'"),
        ({"colour": 1}, "no option 'colour'"),
        ({"alpha": 0.0, "beta": 0.0}, "Eq. 15 asks nothing of G"),
    ],
)
def test_what_cannot_be_built_is_refused_in_a_line(options, words):
    with pytest.raises(ValueError, match=words) as caught:
        small(**options)
    assert "\n" not in str(caught.value)


# Eqs 10-15 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0.0, 1.0, 2.5])
def test_the_losses_are_eqs_10_to_15_of_the_pair(k):
    system = small(k=k, alpha=0.3, beta=0.7, lambda_1=1.5, lambda_2=0.5)
    predicted = system.generator(X)
    real = system.discriminator(CLIPS)
    fake = system.discriminator(torch.cat([X, predicted], dim=2))
    found = system.generator_losses(CLIPS, None, stream("nothing"))
    torch.testing.assert_close(found["pixel"], 0.7 * (predicted - Y).square().mean())
    torch.testing.assert_close(found["adversarial"], 0.3 * 1.5 * softplus(-(fake - k)).mean())
    (adversarial,) = system.discriminator_losses(CLIPS, None, stream("nothing")).values()
    torch.testing.assert_close(adversarial, 1.5 * softplus(-(real - k)).mean() + 0.5 * softplus(fake - k).mean())


def test_the_literal_k_has_no_logarithm():
    loss = small(adversarial="bce_literal").generator_losses(CLIPS, None, stream("nothing"))["adversarial"]
    assert loss.isnan()


def test_d_learns_nothing_of_g_and_g_learns_through_d():
    system = small()
    sum(system.discriminator_losses(CLIPS, None, stream("nothing")).values()).backward()
    assert all(p.grad is None for p in system.generator.parameters())
    system.generator_losses(CLIPS, None, stream("nothing"))["adversarial"].backward()
    assert system.generator.trunk[0].weight.grad.abs().sum() > 0


def test_without_an_adversarial_weight_d_stays_as_it_is_and_without_a_pixel_weight_there_is_no_such_term():
    system = small(alpha=0.0)
    before = [p.clone() for p in system.discriminator.parameters()]
    records = list(train(system, MovingBlobs(), TrainConfig(steps=2, batch=4)))
    assert [set(r.generator) for r in records] == [{"pixel"}] * 2 and records[0].discriminator == {}
    assert all(torch.equal(p, q) for p, q in zip(before, system.discriminator.parameters()))
    assert set(small(beta=0.0).generator_losses(CLIPS, None, stream("nothing"))) == {"adversarial"}


def test_algorithm_1_takes_a_fresh_batch_for_d_and_for_g_and_descends_by_sgd(monkeypatch):
    asked = []

    class Watched(MovingBlobs):
        def batch(self, indices, generator=None, device="cpu"):
            asked.append(list(map(int, indices)))
            return super().batch(indices, generator, device)

    system = small(optimiser="sgd", learning_rate=0.02, discriminator_learning_rate=0.02)
    weight = system.discriminator.score.weight
    before, grads = weight.detach().clone(), []
    weight.register_post_accumulate_grad_hook(lambda p: grads.append(p.grad.clone()))
    list(train(system, Watched(), TrainConfig(steps=1, batch=4)))
    assert len(asked) == 2 and not set(asked[0]) & set(asked[1])
    torch.testing.assert_close(weight.detach(), before - 0.02 * grads[0])  # W_D - alpha_D times the gradient


def test_the_gradient_penalty_is_taken_between_the_true_pair_and_the_predicted_one():
    system = small(lipschitz="gradient_penalty", lambda_gp=10.0)
    assert not system.fixed_work
    found = system.discriminator_losses(CLIPS, None, torch.Generator().manual_seed(3))
    with fused.layer_by_layer():
        fakes = torch.cat([X, system.generator(X)], dim=2)
        penalty = losses.gradient_penalty(
            system.discriminator, CLIPS, fakes, generator=torch.Generator().manual_seed(3), target=1.0
        )
    torch.testing.assert_close(found["gradient_penalty"], 10 * penalty)


def test_labels_reach_both_networks():
    system = small(n_classes=3).eval()
    a, b = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    with torch.no_grad():
        system.generator.layers[-2].weight.mul_(50)
        assert (system.generator(X, a) - system.generator(X, b)).abs().max() > 1e-4
        assert not torch.equal(system.discriminator(CLIPS, a), system.discriminator(CLIPS, b))
    with pytest.raises(ValueError, match="pass labels"):
        system.predict(X)
    with pytest.raises(ValueError, match="label 5"):
        system.predict(X, a + 5)


# Predicting -----------------------------------------------------------------------------------------------------------


def test_a_change_starts_from_the_last_frame():
    system = small("stable")
    torch.nn.init.zeros_(system.sampler.layers[-2].weight)
    torch.testing.assert_close(system.predict(X), metrics.last_frame(X, 4))
    frames = small("stable", change=False)
    torch.nn.init.zeros_(frames.sampler.layers[-2].weight)
    assert not frames.predict(X).any()  # grey


def test_a_longer_horizon_is_the_prediction_of_a_prediction():
    system = small("stable").eval()
    with torch.no_grad():
        system.sampler.layers[-2].weight.mul_(20)
    once = system.predict(X)
    twice = system.predict(once)
    torch.testing.assert_close(system.predict(X, frames=8), torch.cat([once, twice], dim=2))
    assert system.predict(X, frames=3).shape[2] == 3 and system.predict(X, frames=6).shape[2] == 6
    assert system.predict(X[:0]).shape == (0, 3, 4, 16, 16)


def test_the_batch_changes_no_prediction_and_a_latent_changes_each():
    system = small("stable", noise=True).eval()
    with torch.no_grad():
        system.sampler.layers[-2].weight.mul_(20)
    torch.testing.assert_close(
        system.predict(X, generator=stream("a")), system.predict(X, generator=stream("a"), batch=3)
    )
    assert not torch.equal(system.predict(X, generator=stream("a")), system.predict(X, generator=stream("b")))


def test_clips_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(N, 3, 4, 16, 16\), not \(4, 3, 8, 16, 16\)"):
        small().predict(CLIPS)
    with pytest.raises(ValueError, match="no clip from nothing"):
        small().sample(2)


@pytest.mark.parametrize("arm", FORECASTS | FORECAST_CHOICES)
def test_every_arm_comes_nearer_to_the_true_frames_than_it_began(arm, tmp_path):
    data = MovingBlobs()
    clips = data.batch(range(8))[0]
    system = small("stable", size=clips.shape[-1], **(FORECASTS | FORECAST_CHOICES)[arm])
    start = metrics.psnr(system.eval().predict(clips[:, :, :4], generator=stream("a")), clips[:, :, 4:]).mean()
    for _ in train(system, data, TrainConfig(steps=40, batch=8)):
        pass
    after = metrics.psnr(system.eval().predict(clips[:, :, :4], generator=stream("a")), clips[:, :, 4:]).mean()
    if arm == "adversarial only":  # nothing asks it to be near
        assert np.isfinite(after)
    else:
        assert after > start + 0.05


def test_a_snapshot_shows_the_past_and_what_is_made_of_it(tmp_path):
    from hrvgan_lib.profiles import get_profile

    profile = replace(get_profile("smoke"), width=1 / 16, batch=4)
    data = MovingBlobs()
    system, records = trained("prediction", data, profile, steps=2, folder=tmp_path, conditional=False)
    (_, first), *_ = system.snapshots
    clips = data.batch(range(len(first)))[0]
    assert len(records) == 2 and (first[:, :, :4] - clips[:, :, :4]).abs().max() < 0.005
    again, _ = trained("prediction", data, profile, steps=2, folder=tmp_path, conditional=False)
    assert all(torch.equal(p, q) for p, q in zip(system.state_dict().values(), again.state_dict().values()))


def test_a_saved_predictor_predicts_the_same(tmp_path):
    system = small("stable").eval()
    with torch.no_grad():
        system.sampler.layers[-2].weight.mul_(4)
    save_generator(tmp_path / "predictor.safetensors", system, stride=4)
    loaded = load_generator(tmp_path / "predictor.safetensors")
    assert (loaded.predict(X) - system.predict(X)).abs().mean() < 1e-3  # weights in half precision
    assert loaded.about["stride"] == "4" and loaded.config == system.config


def test_the_presets_are_the_papers_text_and_what_learns():
    assert PRESETS["literal"] == {} and make_config("literal").change is False
    assert make_config("stable").change is True and make_config("stable").alpha == make_config("stable").beta == 0.5


# One latent a frame ---------------------------------------------------------------------------------------------------


def frame_latents(**options):
    torch.manual_seed(0)
    return build_system(
        "hrvgan", frames=8, size=16, width=1 / 16, preset="literal", latent="frames", encoder_norm="none", **options
    ).eval()


def test_one_latent_a_frame_gives_one_time_step_a_frame_from_4x4_on():
    system = frame_latents()
    assert system.latents(3).shape == (3, 8, 128) and system.encoder(CLIPS).shape == (4, 8, 128)
    assert {row.shape[1] for row in trace(system.generator, system.latents(1)) if len(row.shape) == 4} == {8}
    assert {row.shape[1] for row in trace(system.discriminator, CLIPS) if len(row.shape) == 4} == {8, 4}  # Table 2
    assert system.sample(2).shape == (2, 3, 8, 16, 16)


def test_a_latent_acts_where_it_stands():
    """A kernel reaches one step to each side, layer by layer: what is farther from the changed latent stays."""
    torch.manual_seed(0)
    system = build_system(
        "hrvgan", frames=16, size=64, width=1 / 16, preset="literal", latent="frames", generator_norm="none"
    ).eval()
    latents = system.latents(1, stream("latents"))
    other = latents.clone()
    other[:, 0] += 3
    layers = sum(
        isinstance(layer, torch.nn.ConvTranspose3d) and layer.kernel_size == (3, 3, 3)
        for layer in system.generator.layers
    )
    with torch.no_grad():
        moved = (system.generator(latents) - system.generator(other)).abs().amax(dim=(0, 1, 3, 4))
    assert moved[0] > 0 and not moved[layers + 1 :].any()


@pytest.mark.parametrize("path", ["noise", "reconstruction", "both"])
def test_d_judges_the_clips_of_the_path_that_is_asked_for(path):
    torch.manual_seed(0)
    system = build_system("hrvgan", frames=8, size=16, width=1 / 16, preset="literal", adversarial_path=path)
    labels, seed = None, 4
    noise = torch.Generator().manual_seed(seed)
    code = system.reconstruct(CLIPS, labels, noise) if path != "noise" else None
    free = system.generator(system.latents(4, noise)) if path != "reconstruction" else None
    shown = [clip for clip in (code, free) if clip is not None]
    fake = torch.cat([system.discriminator(clip) for clip in shown])
    (found,) = system.discriminator_losses(CLIPS, labels, torch.Generator().manual_seed(seed)).values()
    expected = softplus(-(system.discriminator(CLIPS) - 1)).mean() + softplus(fake - 1).mean()
    torch.testing.assert_close(found, expected)
    terms = system.generator_losses(CLIPS, labels, torch.Generator().manual_seed(seed))
    assert set(terms) == {"pixel", "adversarial"}
    if path != "noise":
        torch.testing.assert_close(terms["pixel"], 0.5 * (code - CLIPS).square().mean())
        torch.testing.assert_close(terms["adversarial"], 0.5 * softplus(-(fake - 1)).mean())


def test_a_path_through_the_encoder_needs_one():
    with pytest.raises(ValueError, match="needs pixel_loss 'reconstruction'"):
        build_system("hrvgan", frames=8, size=16, adversarial_path="both", pixel_loss="off")


# Measures -------------------------------------------------------------------------------------------------------------


def test_psnr_has_its_closed_form_frame_by_frame():
    truth = torch.zeros(2, 3, 4, 16, 16)
    shifted = truth + torch.tensor([0.1, 0.2, 0.4, 1.0]).view(1, 1, 4, 1, 1)
    expected = 10 * np.log10(4 / np.array([0.01, 0.04, 0.16, 1.0]))
    np.testing.assert_allclose(metrics.psnr(shifted, truth), [expected] * 2, rtol=1e-6)
    assert metrics.psnr(truth, truth).max() < 59.0  # bytes hold no more


def test_ssim_is_one_for_equal_frames_and_falls_with_noise_and_blur():
    truth = torch.rand(2, 3, 2, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    truth = avg_pool3d(truth, (1, 3, 3), 1, (0, 1, 1))
    assert metrics.ssim(truth, truth).shape == (2, 2)
    np.testing.assert_allclose(metrics.ssim(truth, truth), 1, atol=1e-5)
    blurred = avg_pool3d(truth, (1, 5, 5), 1, (0, 2, 2))
    assert (metrics.ssim(blurred, truth) < 0.9).all() and (metrics.ssim(truth * 0, truth) < 0.3).all()
    with pytest.raises(ValueError, match="window of 11"):
        metrics.ssim(truth[..., :8, :8], truth[..., :8, :8])


def test_ssim_of_two_flat_frames_is_its_formula():
    """Without contrast what is left is the comparison of the means, with Wang's constant (0.01 times the range)^2."""
    one, two = torch.full((1, 3, 1, 16, 16), 0.3), torch.full((1, 3, 1, 16, 16), 0.7)
    small = (0.01 * 2) ** 2
    expected = (2 * 0.3 * 0.7 + small) / (0.3**2 + 0.7**2 + small)
    np.testing.assert_allclose(metrics.ssim(one, two), expected, atol=1e-4)


def edge_clip():
    """A bright square on dark ground that moves: flat nearly everywhere, steep at few places."""
    clip = torch.full((1, 3, 4, 32, 32), -0.6)
    for step in range(4):
        clip[:, :, step, 8 + step : 20 + step, 6:22] = 0.7
    return clip


def test_the_edge_gap_is_zero_for_the_truth_one_without_edges_and_no_noise_closes_it():
    truth = edge_clip()
    assert metrics.edge_gap(truth, truth).max() == 0
    np.testing.assert_allclose(metrics.edge_gap(truth * 0, truth), 1)
    soft = avg_pool3d(truth, (1, 5, 5), 1, (0, 2, 2), count_include_pad=False)
    noisy = metrics.with_noise(soft, truth)
    assert abs(metrics.edges(noisy).mean() / metrics.edges(truth).mean() - 1) < 0.02  # the mean is deceived
    assert (metrics.edge_gap(noisy, truth) > metrics.edge_gap(soft, truth)).all()  # the gap is not
    steep = metrics.with_noise(1.2 * truth, truth)  # steeper already: it gets noise all the same
    assert abs(metrics.edges(steep).mean() / metrics.edges(1.2 * truth).mean() - 1.1) < 0.02
    sharper = avg_pool3d(truth, (1, 3, 3), 1, (0, 1, 1), count_include_pad=False)
    assert (metrics.edge_gap(sharper, truth) < metrics.edge_gap(soft, truth)).all()


@pytest.mark.parametrize("measure", metrics.MEASURES.values())
def test_measures_refuse_two_shapes(measure):
    with pytest.raises(ValueError, match="two equal shapes"):
        measure(X, CLIPS)


def test_the_baselines_hold_and_go_on():
    held, line = metrics.last_frame(X, 3), metrics.straight_line(X, 3)
    assert all(torch.equal(held[:, :, step], X[:, :, -1]) for step in range(3))
    ramp = torch.linspace(-0.5, 0.1, 4).view(1, 1, 4, 1, 1).expand(1, 3, 4, 8, 8)
    torch.testing.assert_close(metrics.straight_line(ramp, 3)[0, 0, :, 0, 0], torch.tensor([0.3, 0.5, 0.7]))
    assert line.abs().max() <= 1 and torch.equal(
        metrics.straight_line(X[:, :, :1], 2), metrics.last_frame(X[:, :, :1], 2)
    )


def test_a_forecast_is_measured_by_unit_and_its_second_half_is_a_mean():
    draw = metrics.drawn(4, "made up", units=[0, 0, 1, 1], unit="person")
    big, truth = CLIPS.repeat(1, 1, 1, 2, 2), Y.repeat(1, 1, 1, 2, 2)
    found = metrics.forecast(metrics.last_frame(big[:, :, :4], 4), truth, draw)
    values = metrics.psnr(metrics.last_frame(big[:, :, :4], 4), truth)
    assert [one.value for one in found.curves["PSNR"]] == pytest.approx(values.mean(axis=0).tolist())
    assert found.late["PSNR"].value == pytest.approx(values[:, 2:].mean()) and "2 persons" in found.late["PSNR"].method
    assert set(found.late) == set(metrics.MEASURES)


def test_the_best_of_several_is_taken_clip_by_clip():
    near, far = Y + 0.1, Y + 0.5
    mixed = [torch.cat([near[:2], far[2:]]), torch.cat([far[:2], near[2:]])]
    best, which = metrics.best_of(mixed, Y)
    assert which.tolist() == [0, 0, 1, 1] and torch.equal(best, near)


def test_continued_clips_keep_their_past_and_are_known_by_the_weights():
    class Source:
        pass

    system = small("stable")
    source = metrics.Source("real", "note", "digest", lambda n, seed, skip=0: iter([(CLIPS[:n], None, None)]))
    shown = metrics.continued(source, "combined", system.eval())
    ((clips, _, _),) = shown.draw(4, 0)
    assert torch.equal(clips[:, :, :4], X) and torch.equal(clips[:, :, 4:], system.predict(X))
    with torch.no_grad():
        system.sampler.layers[-2].weight.add_(1)
    assert metrics.continued(source, "combined", system).digest != shown.digest
