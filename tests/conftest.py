"""Fixtures that several test files use."""

import pytest
import torch
from blobs import CLASSES, MovingBlobs

from hrvgan_lib import metrics
from hrvgan_lib.metrics import judge as judge_module


@pytest.fixture(scope="module")
def judge():
    """An untrained judge of blobs: enough wherever only plumbing is tested."""
    data, recipe = MovingBlobs(), metrics.Recipe(width=0.05, steps=1)
    torch.manual_seed(0)
    network = judge_module.blank_network(data, recipe).eval().requires_grad_(False)
    return metrics.Judge(network, "blank", CLASSES, 4, metrics.accuracy_interval(1, 4), "0")
