"""Random streams by purpose: one draw more in one place never shifts what another place draws; chapter 06."""

import hashlib

import torch


def stream(*purpose: int | str) -> torch.Generator:
    """Return a random stream that depends on `purpose` alone, for example ("noise", seed, step, rank).

    Every random draw of the training loop comes from such a stream. So resuming needs one integer, the step, and one
    more print or plot never shifts what another part draws.
    """
    digest = hashlib.sha256(repr(purpose).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
