"""Algorithm 1: resumes exactly, is deterministic, says when it diverges; and checkpoints that survive damage."""

from dataclasses import replace

import pytest
import torch

from hrvgan_lib import checkpoints, training
from hrvgan_lib.networks import build_system
from hrvgan_lib.profiles import get_profile
from hrvgan_lib.training import Diverged, TrainConfig, draw_batch, stream, train, trained

CLIPS = torch.rand(12, 3, 8, 8, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1


class Toy:
    """Twelve random clips that stand where a ClipDataset would."""

    name, digest, split, frames, size, stride, n_classes = "toy", "abc", "train", 8, 8, 4, 2

    def __len__(self) -> int:
        return len(CLIPS)

    def batch(self, indices, generator=None, device="cpu"):
        jitter = torch.rand(len(indices), generator=generator).view(-1, 1, 1, 1, 1) * 0.01
        return CLIPS[indices] + jitter, indices % 2


def build(**options):
    torch.manual_seed(0)
    return build_system("hrvgan", frames=8, size=8, n_classes=2, width=0.03, **options)


def state(system) -> torch.Tensor:
    return torch.cat([tensor.flatten().float() for tensor in system.state_dict().values()])


def test_a_resumed_run_is_bit_for_bit_the_run_that_never_stopped(tmp_path):
    whole, stopped, resumed = build(), build(), build()
    straight = list(train(whole, Toy(), TrainConfig(steps=6, batch=4)))
    for record in train(stopped, Toy(), TrainConfig(steps=6, batch=4, save_every=2), tmp_path):
        if record.step == 5:  # killed between two checkpoints
            break
    rest = list(train(resumed, Toy(), TrainConfig(steps=6, batch=4, save_every=2), tmp_path))
    assert [record.step for record in rest] == [5, 6]
    assert torch.equal(state(whole), state(resumed))
    assert rest[-1].generator == straight[-1].generator


def test_other_seeds_give_other_runs_and_the_same_seed_the_same():
    runs = []
    for seed in (0, 0, 1):
        system = build()
        list(train(system, Toy(), TrainConfig(steps=2, batch=4, seed=seed)))
        runs.append(state(system))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_every_epoch_sees_every_clip_once():
    seen = []

    class Spy(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            seen.extend(indices.tolist())
            return super().batch(indices, generator)

    for turn in range(6):  # 6 batches of 4 are two epochs of 12
        draw_batch(Spy(), TrainConfig(steps=1, batch=4), turn, torch.device("cpu"))
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12)) and seen[:12] != seen[12:]


def test_streams_depend_on_their_purpose_alone():
    def draw(*purpose):
        return torch.rand(4, generator=stream(*purpose))

    assert torch.equal(draw("noise", 0, 7), draw("noise", 0, 7))
    assert not torch.equal(draw("noise", 0, 7), draw("noise", 0, 8))
    assert not torch.equal(draw("noise", 0, 7), draw("order", 0, 7))


def test_critic_steps_update_the_discriminator_more_often():
    calls = []
    system = build(critic_steps=3)
    inner = system.discriminator_losses
    system.discriminator_losses = lambda *arguments: calls.append(1) or inner(*arguments)
    list(train(system, Toy(), TrainConfig(steps=2, batch=4)))
    assert len(calls) == 6


def test_clipping_holds_after_training():
    system = build(lipschitz="clip", adversarial="wgan")
    list(train(system, Toy(), TrainConfig(steps=2, batch=4)))
    assert max(p.abs().max() for p in system.discriminator.parameters()) <= system.config.clip


def test_the_reconstruction_is_learned():
    class Plain(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            return (indices.view(-1, 1, 1, 1, 1) % 2 * 2.0 - 1).expand(-1, 3, 8, 8, 8), indices % 2  # black or white

    system = build(learning_rate=5e-3, alpha=0.0, code_noise=0.0, pixel_reduction="mean")
    pixel = [record.generator["pixel"] for record in train(system, Plain(), TrainConfig(steps=40, batch=4))]
    assert sum(pixel[-5:]) < 0.6 * sum(pixel[:5])


def test_divergence_names_step_term_and_remedy_and_keeps_the_checkpoint(tmp_path):
    system = build()
    run = train(system, Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path)
    words = "diverged at step 3: the discriminator's 'adversarial' term is nan"
    with pytest.raises(RuntimeError, match=words) as caught:
        for record in run:
            if record.step == 3:
                system.discriminator.score.bias.data.fill_(float("nan"))
    assert "learning_rate" in str(caught.value) and "\n" not in str(caught.value)
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 2


def test_a_discriminator_stuck_at_zero_is_named_and_the_count_survives_a_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STUCK_FOR", 4)
    system = build(lambda_1=0.0, lambda_2=0.0)  # nothing to learn: D's loss is zero
    for record in train(system, Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path):
        if record.step == 2:
            break
    with pytest.raises(Diverged, match="stuck at step 3: the discriminator's loss has been zero for 4 steps") as caught:
        list(train(build(lambda_1=0.0, lambda_2=0.0), Toy(), TrainConfig(steps=9, batch=4, save_every=2), tmp_path))
    assert "learning rate" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    system = build()
    run = train(system, Toy(), TrainConfig(steps=4, batch=4, save_every=2), tmp_path)
    with pytest.raises(Diverged, match=r"step 4: encoder.* not finite"):
        for record in run:
            if record.step == 3:
                system.encoder.fc.bias.register_hook(lambda gradient: gradient * float("nan"))
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 2


def test_a_diverged_run_comes_back_marked_and_is_not_tried_again(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=30)
    reckless = {"optimiser": "sgd", "discriminator_learning_rate": 1e9, "adversarial": "wgan", "folder": tmp_path}
    system, records = trained("hrvgan", Toy(), profile, **reckless)
    assert "diverged at step" in system.diverged and len(records) < 30
    assert all(weights.isfinite().all() for weights in system.parameters())
    again, same = trained("hrvgan", Toy(), profile, **reckless, on_step=lambda *_: pytest.fail("tried again"))
    assert again.diverged == system.diverged and same == records and torch.equal(state(again), state(system))


def test_a_run_that_diverges_before_its_first_checkpoint_can_still_be_shown(tmp_path):
    class Poisoned(Toy):
        def batch(self, indices, generator=None, device="cpu"):
            clips, labels = super().batch(indices, generator)
            return clips * float("nan"), labels

    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=8)
    for _ in range(2):  # and again from what the first time left
        system, records = trained("hrvgan", Poisoned(), profile, folder=tmp_path)
        assert records == [] and training.clips_seen(records) == 0 and "at step 0" in system.diverged
        ((step, clips),) = system.snapshots
        assert step == 0 and clips.isfinite().all()
        assert training.describe(system, records) == "HRVGAN with labels, 0 steps, 8x8x8, diverged"


def test_a_batch_that_the_stddev_group_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="use a batch of 4 or 8"):
        list(train(build(), Toy(), TrainConfig(steps=1, batch=6)))


def test_trained_trains_once_and_goes_on_after_a_stop(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=4)
    steps = []

    def stop_at_three(record, _system):
        steps.append(record.step)
        if record.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=stop_at_three)
    first, records = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda r, _s: steps.append(r.step))
    assert [record.step for record in records] == [1, 2, 3, 4]
    again, same = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda *_: pytest.fail("trained twice"))
    assert same == records and torch.equal(state(first), state(again))
    (folder,) = tmp_path.iterdir()
    (last,) = folder.glob("step-*.pt")  # a finished training keeps what sampling needs, and no more
    assert checkpoints.load_checkpoint(folder)["optimisers"] == {} and last.name == "step-00000004.pt"
    trained("hrvgan", Toy(), profile, folder=tmp_path, seed=1)
    assert len(list(tmp_path.iterdir())) == 2  # another seed is another folder


def test_a_journal_cut_off_in_a_line_and_a_lost_snapshot_are_no_loss(tmp_path):
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=4)
    whole, records = trained("hrvgan", Toy(), profile, folder=tmp_path)
    (folder,) = tmp_path.iterdir()
    journal = folder / "records.jsonl"
    journal.write_text(journal.read_text()[:-9])
    (folder / "snapshot-00000004.pt").unlink()
    again, left = trained("hrvgan", Toy(), profile, folder=tmp_path, on_step=lambda *_: pytest.fail("trained again"))
    assert left == records[:3] and torch.equal(state(whole), state(again))
    assert [step for step, _ in again.snapshots][-1] == 4


def test_snapshots_of_large_clips_are_few(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SNAPSHOT_BYTES", 3 * 3 * 8 * 8 * 8)
    profile = replace(get_profile("smoke"), width=0.03, batch=4, steps=2)
    system, _ = trained("hrvgan", Toy(), profile, folder=tmp_path)
    assert {len(clips) for _, clips in system.snapshots} == {3}


def test_the_arithmetic_can_be_named(monkeypatch):
    seen = []
    system = build()
    system.discriminator.score.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0].dtype))
    for dtype in (torch.float32, torch.bfloat16):
        list(train(system, Toy(), TrainConfig(steps=1, batch=4), dtype=dtype))
    assert {*seen} == {torch.float32, torch.bfloat16} and seen[0] == torch.float32


def test_the_newest_whole_checkpoint_is_loaded(tmp_path):
    for step in (1, 2, 3):
        checkpoints.save_checkpoint(tmp_path, step, {"step": step}, keep=2)
    assert [path.name for path in sorted(tmp_path.glob("*.pt"))] == ["step-00000002.pt", "step-00000003.pt"]
    newest = tmp_path / "step-00000003.pt"
    newest.write_bytes(newest.read_bytes()[:-7])
    assert checkpoints.load_checkpoint(tmp_path)["step"] == 2
    (tmp_path / "step-00000002.sha256").unlink()
    assert checkpoints.load_checkpoint(tmp_path) is None


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "note"
    path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        checkpoints.write_atomically(path, fail)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["note"]


def test_weights_round_trip_and_a_misfit_is_named(tmp_path):
    source, target, other = build(), build(learning_rate=1.0), build_system("hrvgan", frames=8, size=8, width=0.06)
    with torch.no_grad():
        source.generator.fc.bias.fill_(3)
    checkpoints.save_weights(tmp_path / "g.safetensors", source.generator)
    checkpoints.load_weights(tmp_path / "g.safetensors", target.generator)
    assert torch.equal(target.generator.fc.bias, source.generator.fc.bias)
    with pytest.raises(ValueError, match="does not fit this Generator") as caught:
        checkpoints.load_weights(tmp_path / "g.safetensors", other.generator)
    assert "\n" not in str(caught.value)


def test_a_generator_travels_alone_and_says_what_it_is(tmp_path):
    torch.manual_seed(0)
    options = {"width": 1 / 16, "betas": (0.1, 0.9), "generator_norm": "batch"}
    system = build_system("hrvgan", frames=8, size=8, n_classes=2, **options)
    for name, statistic in system.sampler.named_buffers():
        if name.endswith("running_mean"):
            statistic.fill_(0.25)
    checkpoints.save_generator(tmp_path / "g.safetensors", system, classes=["a", "b"], data="toys")
    back = checkpoints.load_generator(tmp_path / "g.safetensors")
    assert back.config == system.config and (back.frames, back.size, back.n_classes) == (8, 8, 2)
    assert back.about["data"] == "toys" and back.about["classes"] == '["a", "b"]'
    draws = [made.eval().sample(4, generator=stream("same")) for made in (system, back)]
    assert torch.allclose(*draws, atol=5e-3) and not torch.equal(*draws)  # half precision, and no less
    weights = sum(p.numel() for p in system.sampler.parameters())
    assert (tmp_path / "g.safetensors").stat().st_size < 2.2 * weights + 9000


@pytest.mark.parametrize("kind, words", [("gone", "no such generator"), ("cut", "not a whole safetensors file"),
                                         ("nameless", "does not say what system it holds")])
def test_a_file_that_is_no_generator_is_refused_in_a_line(tmp_path, kind, words):
    path = tmp_path / "g.safetensors"
    if kind == "nameless":
        checkpoints.save_weights(path, build().generator)
    elif kind == "cut":
        checkpoints.save_generator(path, build())
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
        checkpoints.load_generator(path)
    assert "\n" not in str(caught.value)
