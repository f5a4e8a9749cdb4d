"""Fixtures that several test files use."""

import numpy as np
import pytest
import torch
from blobs import CLASSES, MovingBlobs

from hrvgan_lib import metrics
from hrvgan_lib.metrics.eyes import judge as judge_module


@pytest.fixture(scope="module")
def judge():
    """An untrained judge of blobs: enough wherever only plumbing is tested."""
    data, recipe = MovingBlobs(), metrics.Recipe(width=0.05, steps=1)
    torch.manual_seed(0)
    network = judge_module.blank_network(data.n_classes, data.frames, data.size, recipe).eval().requires_grad_(False)
    return metrics.Judge(network, "blank", CLASSES, 4, metrics.share(np.arange(4) < 1, metrics.drawn(4, "exam")), "0")


@pytest.fixture(scope="session", autouse=True)
def quick_meta_tensors():
    """Draw nothing for a tensor that holds no numbers: torch would import a compiler first, which takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_"):
            whole = getattr(torch.nn.init, name)
            patch.setattr(torch.nn.init, name, lambda tensor, *args, whole=whole, **options:
                          tensor if tensor.is_meta else whole(tensor, *args, **options))  # fmt: skip
        yield
