"""What each process of tests/test_ranks.py does, alone or as one of several ranks, and writes down for the tests.

`python -m torch.distributed.run --standalone --nproc-per-node 2 tests/rank_worker.py FOLDER train float64 20 8 KIND...`
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from test_resume import KINDS, Clips, build

from hrvgan_lib import ranks, training
from hrvgan_lib.stops import held_back
from hrvgan_lib.streams import Share, stream
from hrvgan_lib.training import TrainConfig, train

BATCH = 8  # two groups of the minibatch stddev


class Shared(Clips):
    """Its clips by rows, as `ClipDataset.batch` gives them."""

    swapped = False  # whether the clips come in another order, with the draws that are theirs

    def batch(self, indices, generator=None, device="cpu", only=None):
        only = swap(len(indices)) if self.swapped else only
        window = torch.rand(len(indices), generator=generator)
        rows = slice(None) if only is None else only
        self.asked.append((indices[rows].tolist(), window[rows].tolist()))
        clips = self.clips[indices[rows]] + 0.01 * window[rows].view(-1, 1, 1, 1, 1)
        return clips.to(torch.get_default_dtype()), indices[rows] % 2


def swap(n: int) -> torch.Tensor:
    """Another order of n clips, in which the groups of the minibatch stddev hold the same ones."""
    return torch.arange(n).view(4, -1).flip(1).flatten()


@contextmanager
def in_another_order() -> Iterator[None]:
    """Inside, one process sees the clips of each batch in another order: the same sums, rounded otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shared, "swapped", True)
        patch.setattr(
            training, "stream", lambda *given: Share(stream(*given), 1, swap) if given[0] == "noise" else stream(*given)
        )
        yield


def flat(system) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in system.state_dict().values()])


def learn(kind: str, steps: int, folder: Path | None = None, die: int = 0, stop: int = 0, batch: int = BATCH) -> dict:
    """Train a little system of a kind; what it was shown, its losses, its weights.

    die: the step after which process 1 is killed, once. stop: the step after which everybody leaves.
    """
    system, clips = build(KINDS[kind]), Shared()
    config, losses = TrainConfig(steps=steps, batch=batch, save_every=2), []
    place = None if ranks.rank() else folder
    with held_back() as stopping:  # as `training.train_once` does it
        for record in train(system, clips, config, place, dtype=torch.float32, stopping=stopping):
            losses.append([sum(record.discriminator.values()), sum(record.generator.values())])
            if record.step == die and ranks.rank() == 1 and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
                os.kill(os.getpid(), signal.SIGKILL)
            if record.step == stop:
                break
    return {"losses": torch.tensor(losses).double(), "weights": flat(system), "asked": clips.asked}


def speak() -> dict:
    """What every function of hrvgan_lib.ranks says here."""
    mine = ranks.rank()
    weight = torch.ones(2, requires_grad=True)
    (weight * (mine + 1)).sum().backward()
    terms = ranks.average_([weight, torch.ones(1)], {"a": torch.tensor(float(mine)), "b": torch.tensor(3.0)})
    try:
        ranks.agree_on_work({"torch": 1, "batch": 8 + mine})
        wrong = ""
    except ValueError as error:
        wrong = str(error)
    ranks.agree_on_work({"torch": 1})
    return {
        "rank": mine, "count": ranks.count(), "told": ranks.told({"from": mine}), "any": ranks.any_of(mine == 1, False),
        "gradient": weight.grad.tolist(), "terms": {name: float(term) for name, term in terms.items()}, "wrong": wrong,
        "gathered": ranks.gathered([number for number in range(mine, 5, ranks.count())]),
    }  # fmt: skip


def look(folder: Path) -> dict:
    """Features of random clips through the recorded judge, chunk by chunk."""
    from hrvgan_lib import metrics
    from hrvgan_lib.metrics.eyes.judge import load_judge

    (place,) = (Path(__file__).resolve().parents[1] / "figures/overnight/judges").iterdir()
    judge = load_judge(place, torch.device("cpu"))
    answers = metrics.ask(judge, metrics.noise_clips(8, 32), 200, folder=folder / "kept")
    return {name: np.asarray(getattr(answers, name)).tolist() for name in ("features", "probabilities", "change")}


def main(folder: str, what: str, *words: str) -> None:
    place = Path(folder)
    torch.set_num_threads(1)
    with ranks.joined():
        if what == "train":
            torch.set_default_dtype(getattr(torch, words[0]))
            steps, batch = map(int, words[1:3])
            found = {kind: learn(kind, steps, batch=batch) for kind in words[3:]}
        elif what == "stopped":
            torch.set_default_dtype(torch.float64)
            steps, die, stop = map(int, words[:3])
            found = {kind: learn(kind, steps, place / kind.replace(" ", "-"), die, stop, 16) for kind in words[3:]}
        else:
            found = speak() if what == "speak" else look(place)
        mine = ranks.rank()
    if what in ("speak", "look"):
        (place / f"{what}.{mine}.json").write_text(json.dumps(found))
    else:
        torch.save(found, place / f"{what}.{mine}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
