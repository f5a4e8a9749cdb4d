"""The floor under a training step: counted operations and bytes, and what a device does at best."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hrvgan_lib.networks import SYSTEMS, build_system
from hrvgan_lib.series import roofline
from hrvgan_lib.series.roofline import Rates, Work, rates, work_of


class OneLayer(nn.Module):
    """A system whose only layer is a convolution of known size, used once by each network's losses."""

    fixed_work, order, critic_steps, frames, size, n_classes = True, ("discriminator", "generator"), 1, 2, 4, 0

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv3d(3, 5, 3, padding=1, bias=False)

    def discriminator_losses(self, clips, labels, noise):
        return {"a": self.layer(clips).mean()}

    generator_losses = discriminator_losses


def test_a_convolution_is_counted_forwards_and_backwards():
    batch, voxels, taps = 7, 2 * 4 * 4, 27
    done = work_of(OneLayer(), batch)
    once = 2 * batch * voxels * taps * 3 * 5
    assert (
        done.operations == 2 * 2 * once
    )  # two updates; the clips need no gradient, so backwards is the weights' alone
    pixels, maps, weights = batch * voxels * 3, batch * voxels * 5, 5 * 3 * taps
    assert done.numbers == 2 * ((pixels + weights + maps) + (maps + pixels + weights + weights))


def test_critic_steps_count_as_often_as_they_are_taken():
    system = OneLayer()
    once = work_of(system, 4)
    system.critic_steps = 5
    assert work_of(system, 4).operations == 3 * once.operations


@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if system.fixed_work])
def test_every_system_is_counted_in_proportion_to_its_clips(name):
    count = [work_of(build_system(name, frames=8, size=16, n_classes=0, width=0.1), batch) for batch in (4, 8)]
    assert 1.8 < count[1].operations / count[0].operations < 2.2 and count[0].numbers > 0


def test_the_paper_s_own_shape_takes_about_a_trillion_operations_a_clip():
    """Tables 1 and 2 by hand, with an encoder and two more clips of G a step: 0.6 to 1.0 TFLOP."""
    done = work_of(build_system("hrvgan", frames=32, size=256, n_classes=8), 4)
    assert 0.6e12 < done.operations / 4 < 1.0e12


def test_what_is_differentiated_twice_is_not_counted():
    assert work_of(SimpleNamespace(fixed_work=False), 4) is None


def test_the_floor_is_the_longer_of_computing_and_moving():
    device = Rates(operations=100.0, bytes=10.0)
    assert device.floor(Work(1000.0, 1.0), torch.float32) == 10.0
    assert device.floor(Work(1.0, 50.0), torch.float32) == 20.0  # four bytes a number
    assert device.floor(Work(1.0, 50.0), torch.bfloat16) == 10.0


@pytest.mark.parametrize("place, times, waits", [("cuda", 10, 6), ("cpu", 1, 0)])
def test_a_gpu_is_waited_for_once_behind_many_products(monkeypatch, place, times, waits):
    done, waited = [], []
    moments = iter([0, 90, 100, 150, 200, 240, 300, 370, 400, 480, 500, 590])  # the first picks algorithms
    monkeypatch.setattr(roofline.time, "perf_counter", lambda: next(moments))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append(len(done)))
    found = roofline._best(lambda: done.append(1), torch.device(place), times)
    assert found == 40 / times and len(done) == 6 * times
    assert waited == [number * times for number in range(1, waits + 1)]


def test_a_device_s_rates_are_plausible():
    found = rates(torch.float32)
    assert 1e8 < found.operations < 1e15 and 1e8 < found.bytes < 1e14
