"""A recorded update is the plain one: same draws in the same order, same losses, same weights; or it is not used.

There is no GPU here, so a recording is played: instead of a graph it keeps the function that the graph would hold, and
a replay calls it. What a real graph adds is that the launches are the device's.
"""

import warnings
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from hrvgan_lib import captures
from hrvgan_lib.captures import WARM_UP, captured
from hrvgan_lib.networks import SYSTEMS, build_system, hrvgan
from hrvgan_lib.networks import system as networks_system
from hrvgan_lib.streams import Tape, drawn, stream
from hrvgan_lib.training import descend

CPU = torch.device("cpu")


@pytest.fixture
def played(monkeypatch):
    """Streams that do nothing, and recordings that call what they have recorded; how often each was replayed."""
    nothing = SimpleNamespace(wait_stream=lambda other: None)
    monkeypatch.setattr(torch.cuda, "Stream", lambda: nothing)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: nothing)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 1))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    replays = []

    def record(self, work, stream, pool):
        self.work = work

    def replay(self):
        replays.append(self)
        self.tape.rewind()
        return self.work()

    monkeypatch.setattr(captures.Recording, "record", record)
    monkeypatch.setattr(captures.Recording, "replay", replay)
    return replays


def trained(name, way, steps, **options):
    """Losses of every update of `steps` turns, and the weights, by the plain or the recorded way."""
    torch.manual_seed(0)
    labels_of = SYSTEMS[name].takes_labels
    system = build_system(name, frames=8, size=16, n_classes=3 * labels_of, width=0.06, **options).train()
    optimisers, found = system.optimisers(), []

    def terms(network, clips, labels, noise):
        return getattr(system, f"{network}_losses")(clips, labels, noise)

    def update(network, clips, labels, noise):
        return descend(optimisers[network], terms(network, clips, labels, noise))

    down = captured(system, terms, update) if way == "recorded" else update
    for step in range(steps):
        noise = stream("noise", step)
        for number, network in enumerate(system.order):
            if network == "discriminator" and not system.critic_steps:
                continue
            clips = torch.rand(4, 3, 8, 16, 16, generator=stream("clips", step, number)) * 2 - 1
            labels = (torch.arange(4) + step) % 3 if labels_of else None
            found.append({term: float(loss) for term, loss in down(network, clips, labels, noise).items()})
            if network == "discriminator":
                system.constrain_discriminator(step)
    return found, system.state_dict()


CASES = [(name, {}) for name, system in SYSTEMS.items() if system.fixed_work]
CASES += [
    ("hrvgan", {"latent": "sequence", "latent_distribution": "uniform", "code": "sphere"}),
    ("hrvgan", {"lipschitz": "spectral_norm"}),
    ("hrvgan", {"pixel_loss": "unpaired", "optimiser": "sgd"}),
    ("tgan", {"variant": "normal"}),
    ("mocogan", {"noise": 0.2}),
    ("prediction", {"alpha": 0.0}),
]


@pytest.mark.parametrize("name, options", CASES, ids=[f"{name} {options}" for name, options in CASES])
def test_a_recorded_training_is_the_plain_one_to_the_bit(name, options, played):
    steps = WARM_UP + 4
    (plain, weights), (ours, others) = (trained(name, way, steps, **options) for way in ("plain", "recorded"))
    networks = 1 if options.get("alpha") == 0.0 else 2
    assert len(played) == networks * 4 and len({id(one) for one in played}) == networks  # from the fourth turn on
    assert ours == plain
    for key, tensor in weights.items():
        assert torch.equal(tensor, others[key]), key


def test_every_system_but_those_with_a_penalty_can_be_recorded():
    assert {name for name, system in SYSTEMS.items() if not system.fixed_work} == {"ivgan"}
    assert build_system("hrvgan", frames=8, size=16, width=0.06).fixed_work
    assert not build_system("hrvgan", frames=8, size=16, width=0.06, lipschitz="gradient_penalty").fixed_work


def small(way):
    """One weight that a loss of noise and clips pulls, updated the plain or the recorded way: a function of a turn."""
    system = SimpleNamespace(name="small", buffers=list)
    weight = torch.ones(3, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=0.1)

    def terms(network, clips, labels, noise):
        return {
            "pull": ((weight - drawn(lambda n, g: torch.rand(n, generator=g), 3, noise, CPU)) * clips).square().sum()
        }

    def update(network, clips, labels, noise):
        return descend(optimiser, terms(network, clips, labels, noise))

    down = captured(system, terms, update) if way == "recorded" else update
    return lambda turn, size=3: float(
        down("generator", torch.ones(size) + turn, None, stream("t", turn))["pull"]
    ), weight


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_optimiser_of_every_system_is_one_that_a_graph_can_hold(name, monkeypatch):
    asked = []
    for module in (networks_system, hrvgan):
        monkeypatch.setattr(module, "on_device", lambda kind, device: asked.append(kind) or {})
    system = build_system(name, frames=8, size=16, width=0.06)
    assert [type(optimiser) for optimiser in system.optimisers().values()] and {*asked} == {
        type(optimiser) for optimiser in system.optimisers().values()
    }


def test_on_a_gpu_an_optimiser_keeps_its_count_of_steps_there():
    gpu = torch.device("cuda")
    assert networks_system.on_device(torch.optim.Adam, gpu) == {"capturable": True, "fused": True}
    assert networks_system.on_device(torch.optim.RMSprop, gpu) == {"capturable": True}
    for kind, device in ((torch.optim.SGD, gpu), (torch.optim.Adam, CPU)):
        assert networks_system.on_device(kind, device) == {}


def test_clips_of_another_shape_go_the_plain_way_and_the_recording_stays(played):
    (ours, here), (plain, there) = small("recorded"), small("plain")
    sizes = [3, 3, 3, 3, 1, 3]
    assert [ours(turn, size) for turn, size in enumerate(sizes)] == [
        plain(turn, size) for turn, size in enumerate(sizes)
    ]
    assert torch.equal(here, there) and len(played) == 2


@pytest.mark.parametrize(
    "words, said_of_it", [("operation not permitted\nand more", "not permitted"), ("", "RuntimeError")]
)
def test_what_cannot_be_recorded_is_done_plainly_and_it_is_said_once(words, said_of_it, played, monkeypatch):
    def record(self, work, stream, pool):
        raise RuntimeError(words)

    monkeypatch.setattr(captures.Recording, "record", record)
    (ours, here), (plain, there) = small("recorded"), small("plain")
    with pytest.warns(UserWarning, match=f"small: the generator's update is not recorded .*{said_of_it}") as said:
        assert [ours(turn) for turn in range(7)] == [plain(turn) for turn in range(7)]
    assert len(said) == 1 and torch.equal(here, there) and not played


def test_one_network_that_cannot_be_recorded_ends_the_recording_of_the_other(played, monkeypatch):
    """VGAN's G learns from what D's update has left behind: a replay would read what a plain update writes no more."""
    whole = captures.Recording.record

    def record(self, work, stream, pool):
        if len(made) == 1:
            raise RuntimeError("no")
        made.append(whole(self, work, stream, pool))

    made: list = []
    monkeypatch.setattr(captures.Recording, "record", record)
    with pytest.warns(UserWarning, match="the generator's update is not recorded"):
        ours, weights = trained("vgan", "recorded", WARM_UP + 3)
    plain, others = trained("vgan", "plain", WARM_UP + 3)
    assert len(made) == 1 and len(played) == 1  # D's, in the turn in which G's failed
    assert ours == plain and all(torch.equal(tensor, others[key]) for key, tensor in weights.items())


def test_threads_may_pin_memory_meanwhile_and_a_recording_that_fails_is_ended(monkeypatch):
    def graph(*_, capture_error_mode, **__):
        asked.append(capture_error_mode)
        return nullcontext()

    asked: list = []
    monkeypatch.setattr(torch.cuda, "CUDAGraph", object)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", lambda *given: asked.append(given), raising=False)
    recording = captures.Recording(torch.zeros(1), None, stream("a"))
    recording.record(lambda: {"loss": torch.ones(())}, None, (0, 1))
    assert asked == ["thread_local"]
    with pytest.raises(ZeroDivisionError):  # no failure of a recording: nothing to end
        recording.record(lambda: 1 / 0, None, (0, 1))
    with pytest.raises(RuntimeError, match="capturing"):
        recording.record(lambda: (_ for _ in ()).throw(RuntimeError("capturing")), None, (0, 1))
    assert asked == ["thread_local"] * 3 + [(0, (0, 1))]


def test_a_recording_with_other_losses_is_not_used_again(played, monkeypatch):
    def replay(self):
        played.append(self)
        self.tape.rewind()
        return {name: 2 * loss for name, loss in self.work().items()}

    monkeypatch.setattr(captures.Recording, "replay", replay)
    (ours, here), (plain, there) = small("recorded"), small("plain")
    with pytest.warns(UserWarning, match=r"its 'pull' is .* in a replay and .* without"):
        found = [ours(turn) for turn in range(6)]
    wanted = [plain(turn) for turn in range(6)]
    assert found[:3] + found[4:] == wanted[:3] + wanted[4:] and len(played) == 1 and torch.equal(here, there)


def test_a_loss_that_is_no_number_is_not_close(played, monkeypatch):
    monkeypatch.setattr(captures.Recording, "replay", lambda self: {"pull": torch.tensor(float("nan"))})
    ours, _ = small("recorded")
    with pytest.warns(UserWarning, match="nan in a replay"):
        [ours(turn) for turn in range(WARM_UP + 1)]


def test_a_recording_that_is_right_is_not_spoken_of(played):
    ours, _ = small("recorded")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [ours(turn) for turn in range(WARM_UP + 3)]
    assert len(played) == 3


def test_within_unrecorded_nothing_is_recorded_and_it_ends_with_its_block(played):
    with pytest.raises(ZeroDivisionError), captures.unrecorded():
        ours, _ = small("recorded")
        [ours(turn) for turn in range(WARM_UP + 2)]
        raise ZeroDivisionError
    assert not played
    ours, _ = small("recorded")
    [ours(turn) for turn in range(WARM_UP + 2)]
    assert len(played) == 2


# The tape -------------------------------------------------------------------------------------------------------------
def test_a_tape_hands_out_the_same_places_with_the_draws_of_each_stream():
    def ask(noise):
        first = drawn(lambda n, g: torch.rand(n, generator=g), 2, noise, CPU)
        return first, drawn(lambda n, g: torch.randint(9, (n,), generator=g), 3, noise, CPU)

    tape = Tape(stream("a"))
    places = ask(tape)
    assert all(torch.equal(one, other) for one, other in zip(places, ask(stream("a"))))
    for turn in ("b", "c"):
        tape.rewind()
        tape.again(stream(turn))
        again = ask(tape)
        assert all(one is other for one, other in zip(places, again))
        assert all(torch.equal(one, other) for one, other in zip(again, ask(stream(turn))))
