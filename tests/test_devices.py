"""A machine with a GPU, played on one without: tensors that only know their shape, type and device.

PyTorch's fake tensors raise where two devices meet in one operation. So one turn of Algorithm 1 on "cuda" shows whether
every draw, label and buffer follows the networks, before a real GPU is asked. Backward passes need a real one.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from hrvgan_lib.ablations import STUDIES
from hrvgan_lib.networks import SYSTEMS, build_system, kernels
from hrvgan_lib.streams import stream

ARMS = {str(sorted(arm.options.items())): dict(arm.options) for study in STUDIES.values() for arm in study.arms}
LABELLED = [name for name, system in SYSTEMS.items() if system.takes_labels]
CASES = [(name, {"width": 0.125}) for name in SYSTEMS]
CASES += [("hrvgan", {"width": 0.125} | arm) for arm in ARMS.values() if arm]


def move(system, device: str) -> None:
    """Every weight and buffer to a fake device, as `.to(device)` would; labels go unchecked, they have no numbers."""
    for module in system.modules():
        for held in (module._parameters, module._buffers):
            for name, tensor in held.items():
                if tensor is not None:
                    fake = torch.empty_like(tensor, device=device)
                    held[name] = torch.nn.Parameter(fake, tensor.requires_grad) if held is module._parameters else fake
    system.check_labels = lambda labels: None


@pytest.mark.parametrize("name, options", CASES, ids=[f"{name} {options}" for name, options in CASES])
def test_a_turn_and_a_sample_stay_on_the_gpu(name, options, monkeypatch):
    def needs_a_gpu(outputs, inputs, grad_outputs=None, **_):
        return [torch.zeros_like(tensor) for tensor in (inputs if isinstance(inputs, list | tuple) else [inputs])]

    monkeypatch.setattr(kernels, "fit", lambda x: False)  # they are compiled for a real one
    monkeypatch.setattr(torch.autograd, "grad", needs_a_gpu)  # the penalty's inner gradient, by its shape
    system = build_system(name, frames=8, size=16, n_classes=2 * (name in LABELLED), **options)
    with FakeTensorMode(allow_non_fake_inputs=True):
        move(system, "cuda")
        clips = torch.empty(4, 3, 8, 16, 16, device="cuda")
        labels = torch.zeros(4, dtype=torch.long, device="cuda") if system.n_classes else None
        for network in system.order:
            try:
                terms = getattr(system, f"{network}_losses")(clips, labels, stream("noise"))
            except RuntimeError as error:
                if "driver" in str(error):  # PyTorch 2.11 knows no fake GRU cell, and tries a real one
                    pytest.skip("this PyTorch cannot play one of its operations")
                raise
            for term in terms.values():
                assert term.device.type == "cuda" and term.shape == ()
        system.update_sampler(system.generator, 0)
        if name == "prediction":
            assert system.latents(3) is None and system.predict(clips[:, :, :4], labels).device.type == "cpu"
            return
        assert system.latents(3, stream("x")).device.type == "cuda"
        assert system.sample(3, generator=stream("x")).device.type == "cpu"


def test_the_play_notices_a_tensor_left_behind():
    with FakeTensorMode(allow_non_fake_inputs=True):
        here, there = torch.empty(3), torch.empty(3, device="cuda")
        with pytest.raises(RuntimeError, match=r"same device|different devices"):
            here + there
