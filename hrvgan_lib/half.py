"""Learned weights as a finished training keeps them: rounded to half precision, so that files can hold them whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def halved(state: Mapping[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """A module's state with its learned weights in half precision, as far as that holds them.

    What is not learned, such as a norm's running statistics, keeps all its digits, and so does a weight beyond 65,504.
    Loaded into a module of float32 the state is the same, number for number, however often it is halved.
    """
    learned = {name for name, _ in module.named_parameters()}

    def rounded(name: str, tensor: Tensor) -> Tensor:
        half = tensor.half()
        return half if name in learned and bool(half.isfinite().all()) else tensor

    return {name: rounded(name, tensor) for name, tensor in state.items()}
