"""What each process of tests/test_ranks.py does: train little systems, alone or as one of several ranks, and tell.

`python -m torch.distributed.run --standalone --nproc-per-node 2 tests/rank_worker.py OUT float64 20 KIND...`
"""

import sys

import torch
from test_resume import KINDS, Clips, build

from hrvgan_lib import ranks
from hrvgan_lib.training import TrainConfig, train

BATCH = 16


class Shared(Clips):
    """Its clips by rows, as `ClipDataset.batch` gives them."""

    def batch(self, indices, generator=None, device="cpu", only=None):
        window = torch.rand(len(indices), generator=generator)
        rows = slice(None) if only is None else only
        clips = self.clips[indices[rows]] + 0.01 * window[rows].view(-1, 1, 1, 1, 1)
        return clips.to(torch.get_default_dtype()), indices[rows] % 2


def run(kind: str, steps: int) -> dict:
    system = build(KINDS[kind])
    records = list(train(system, Shared(), TrainConfig(steps=steps, batch=BATCH), dtype=torch.float32))
    losses = [[*one.discriminator.values(), *one.generator.values()] for one in records]
    weights = torch.cat([tensor.flatten().double() for tensor in system.state_dict().values()])
    return {"losses": torch.tensor(losses).double(), "weights": weights}


def main(out: str, dtype: str, steps: str, *kinds: str) -> None:
    torch.set_default_dtype(getattr(torch, dtype))
    torch.set_num_threads(1)
    with ranks.joined():
        found = {kind: run(kind, int(steps)) for kind in kinds}
        torch.save(found, f"{out}.{ranks.rank()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
