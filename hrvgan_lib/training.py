"""Algorithm 1: the training loop, resumable at any step; chapter 06."""

from __future__ import annotations

import copy
import json
import time
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import FileLock
from torch import Tensor

from hrvgan_lib import checkpoints, ranks
from hrvgan_lib.captures import captured
from hrvgan_lib.data.clips import Clips, identity
from hrvgan_lib.devices import pick_device, precision
from hrvgan_lib.files import write_atomic
from hrvgan_lib.half import halved
from hrvgan_lib.keys import key_of
from hrvgan_lib.networks import System, build_system, system_class
from hrvgan_lib.provenance import repo_root
from hrvgan_lib.stops import held_back
from hrvgan_lib.streams import Noise, Share, stream

if TYPE_CHECKING:
    from hrvgan_lib.profiles import Profile

READ_EVERY = 10  # turns between two looks at a GPU's losses
SAVE_EVERY = 50  # steps between the regular checkpoints of a short training: what a divergence can cost
SAVE_SECONDS = 60.0  # between any two checkpoints: what a kill can cost
SNAPSHOT_BYTES = 4_000_000  # of one snapshot at most, but for a single clip
SNAPSHOT_SHARES = (0.05, 0.2, 0.5, 1.0)  # of the steps: when `trained` looks at the same eight latents
STUCK_BELOW, STUCK_FOR = 1e-4, 200  # a discriminator's loss below the one for so many steps: nobody learns any more


class Diverged(RuntimeError):
    """Training cannot go on: the message names step, network, term and remedy in one line."""


@dataclass(frozen=True)
class TrainConfig:
    """How long and on how much; what is learned is in the system's own configuration."""

    steps: int  # generator updates ("while not converged", decision L11)
    batch: int  # M of Algorithm 1 (decision O2)
    seed: int = 0
    save_every: int = 100  # steps between checkpoints


@dataclass(frozen=True)
class StepRecord:
    """What one turn of the loop measured."""

    step: int  # 1 after the first turn
    clips_seen: int
    seconds: float  # since the start of training, over all sessions
    discriminator: dict[str, float]  # terms, by name
    generator: dict[str, float]


def draw_batch(
    dataset: Clips, config: TrainConfig, turn: int, device: torch.device, only: Tensor | None = None
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return the `turn`-th mini-batch: every epoch is a new permutation of all clips, every clip a new window.

    only: the rows of it that are wanted, where several processes share it.
    """
    position = turn * config.batch + torch.arange(config.batch)  # (batch,): among all clips ever drawn
    epochs = position // len(dataset)
    indices = torch.empty_like(position)
    for epoch in epochs.unique().tolist():
        order = torch.randperm(len(dataset), generator=stream("order", config.seed, epoch, 0))
        indices[epochs == epoch] = order[position[epochs == epoch] % len(dataset)]
    part: dict[str, Any] = {} if only is None else {"only": only}  # as `ClipDataset.batch` has it
    return dataset.batch(indices, generator=stream("window", config.seed, turn, 0), device=device, **part)


def batches(
    dataset: Clips, config: TrainConfig, turn: int, device: torch.device, only: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:  # fmt: skip
    """The mini-batches from the `turn`-th on; on a GPU two threads fetch three ahead, on a stream of their own."""
    if device.type != "cuda":
        while True:
            yield draw_batch(dataset, config, turn, device, only)
            turn += 1
    side = torch.cuda.Stream(device)

    def fetch(turn: int) -> tuple[tuple[Tensor, Tensor], torch.cuda.Event]:
        with torch.cuda.stream(side):
            return draw_batch(dataset, config, turn, device, only), side.record_event()

    with ThreadPoolExecutor(2, thread_name_prefix="batches") as pool:
        ahead = deque(pool.submit(fetch, turn + more) for more in range(3))
        while True:
            batch, ready = ahead.popleft().result()
            turn += 1
            ahead.append(pool.submit(fetch, turn + 2))
            torch.cuda.current_stream().wait_event(ready)
            for values in batch:
                values.record_stream(torch.cuda.current_stream())
            yield batch


def descend(optimiser: torch.optim.Optimizer, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take one optimiser step down the sum of `terms` and return their values, which nobody has read yet.

    Where several processes share the batch, both are averaged over them.
    """
    optimiser.zero_grad(set_to_none=True)
    sum(terms.values()).backward()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    values = ranks.average_(parameters, {name: term.detach() for name, term in terms.items()})
    optimiser.step()
    return values


def read(values: Mapping[str, dict[str, Tensor]], step: int) -> dict[str, dict[str, float]]:
    """The terms of one turn as numbers, by network. Raises Diverged for one that is not finite."""
    numbers = {network: {name: float(term) for name, term in terms.items()} for network, terms in values.items()}
    for network, terms in numbers.items():
        for name, value in terms.items():
            if not isfinite(value):
                raise Diverged(
                    f"training diverged at step {step}: the {network}'s '{name}' term is {value}; "
                    "lower learning_rate or choose another preset; the last checkpoint is kept"
                )
    return numbers


def train(
    system: System, dataset: Clips, config: TrainConfig, folder: Path | None = None, dtype: torch.dtype | None = None,
    pauses: Container[int] = (), stopping: Callable[[], bool] = lambda: False,
) -> Iterator[StepRecord]:  # fmt: skip
    """Run Algorithm 1, one record a turn; `dtype` is the arithmetic, by default `devices.precision`.

    With a `folder` the state is saved there every `config.save_every` steps, after `SAVE_SECONDS` without a save, when
    `stopping` says so, and at the end. A run that finds a checkpoint there goes on from it as if it had never stopped:
    bit for bit on the same CPU, on a GPU up to the order in which its convolutions add.

    A GPU is not asked for its losses after every turn, or it would wait for the host and the host for it: records then
    come `READ_EVERY` at a time, and also after the steps named in `pauses`, whose record finds the system as they left
    it.

    Inside `ranks.joined` every process takes its rows of each batch, and all of them come to the same weights; what is
    in the folder of rank 0 counts.

    Raises:
        ValueError: a batch larger than the stddev group and not divisible by it, or that the ranks cannot share.
        Diverged: a loss or a weight that is not finite, or a discriminator's loss that stays at zero; the last good
            checkpoint is kept.
        KeyboardInterrupt: `stopping` said so; the step that was at work is done, saved and yielded.
    """
    device, dtype = system.device, dtype or precision(system.device)
    mixed = torch.autocast(device.type, dtype) if dtype != torch.float32 else nullcontext()
    optimisers = system.optimisers()
    updates = {"discriminator": system.critic_steps, "generator": 1}
    first, spent, stuck = restore(system, optimisers, folder)
    only = None
    if ranks.count() > 1:
        first, spent, stuck = _from_rank_0(system, optimisers, (first, spent, stuck))
        only = system.clip_rows(config.batch, ranks.rank(), ranks.count())
    started, read_at = time.perf_counter() - spent, spent
    saved_at = time.monotonic()
    data = batches(dataset, config, first * sum(updates.values()), device, only)

    def terms(network: str, clips: Tensor, labels: Tensor | None, noise: Noise) -> Mapping[str, Tensor]:
        with mixed, ranks.norms_shared(system):
            return getattr(system, f"{network}_losses")(clips, labels, noise)

    def update(network: str, clips: Tensor, labels: Tensor | None, noise: Noise) -> dict[str, Tensor]:
        return descend(optimisers[network], terms(network, clips, labels, noise))

    recorded = device.type == "cuda" and system.fixed_work and only is None
    down = captured(system, terms, update) if recorded else update
    taken: list[tuple[int, dict[str, dict[str, Tensor]]]] = []  # turns whose losses nobody has read yet

    for step in range(first, config.steps):
        noise: Noise = stream("noise", config.seed, step, 0)
        if only is not None:
            noise = Share(noise, ranks.count(), lambda n: system.rows(n, ranks.rank(), ranks.count()))
        system.train()
        values: dict[str, dict[str, Tensor]] = {network: {} for network in system.order}
        for network in system.order:  # "Update the Discriminator D", "Update the Generator G"
            for _ in range(updates[network]):
                clips, labels = next(data)  # "Get M data samples"
                values[network] = down(network, clips, labels if system.n_classes else None, noise)
                if network == "discriminator":
                    system.constrain_discriminator(step)
        system.update_sampler(system.generator, step)

        taken.append((step, values))
        now = step + 1
        regular = now % config.save_every == 0 or now == config.steps
        late = folder is not None and time.monotonic() - saved_at > SAVE_SECONDS
        stop, late, saving = ranks.any_of(stopping(), late, folder is not None)  # what one does all do
        due = saving and (regular or stop or late)
        if device.type == "cuda" and not (regular or due or stop or len(taken) == READ_EVERY or now in pauses):
            continue
        numbers = [read(values, step + 1) for step, values in taken]
        seconds = time.perf_counter() - started
        for done, ((step, _), losses) in enumerate(zip(taken, numbers), 1):
            won = system.zero_means_won and abs(sum(losses["discriminator"].values())) < STUCK_BELOW
            stuck = stuck + 1 if won else 0
            if stuck >= STUCK_FOR:
                raise Diverged(
                    f"training is stuck at step {step + 1}: since step {step + 2 - stuck} the discriminator's loss is "
                    "zero, and G learns nothing from it; lower its learning rate; the last checkpoint is kept"
                )
            at = read_at + (seconds - read_at) * done / len(taken)
            record = StepRecord(step + 1, (step + 1) * config.batch, at, losses["discriminator"], losses["generator"])
            if due and record.step == now:
                check_weights(system, record.step)
                if folder is not None:
                    kind = checkpoints.REGULAR if regular else checkpoints.BETWEEN
                    save(system, optimisers, folder, record, stuck, kind)
                saved_at = time.monotonic()
            yield record
        taken, read_at = [], seconds
        if stop:
            raise KeyboardInterrupt


def check_weights(system: System, step: int) -> None:
    """Raise Diverged where a weight or a statistic is not finite: such a step is never saved."""
    for name, weights in system.state_dict().items():
        if not bool(weights.isfinite().all()):
            raise Diverged(
                f"training diverged at step {step}: {name} holds a number that is not finite; "
                "lower learning_rate or choose another preset; the last checkpoint is kept"
            )


def save(system: System, optimisers: dict, folder: Path, record: StepRecord, stuck: int, kind: str) -> None:
    """Write everything that the next step depends on."""
    state = {
        "step": record.step,
        "seconds": record.seconds,
        "stuck": stuck,
        "system": system.state_dict(),
        "optimisers": {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
    }
    checkpoints.save_checkpoint(folder, record.step, state, kind=kind)


def restore(
    system: System, optimisers: dict, folder: Path | None, regular: bool = False
) -> tuple[int, float, int]:  # fmt: skip
    """Load the newest whole checkpoint of `folder`; return its step, seconds and count of steps at zero, or zeros.

    regular: one of those that every run has.
    """
    state = None if folder is None else checkpoints.load_checkpoint(folder, regular=regular)
    if state is None:
        return 0, 0.0, 0
    system.load_state_dict(state["system"])
    for name, moments in state["optimisers"].items():  # a finished training keeps none
        optimisers[name].load_state_dict(moments)
    return state["step"], state["seconds"], state["stuck"]


def _from_rank_0(system: System, optimisers: dict, counts: tuple[int, float, int]) -> tuple[int, float, int]:
    """Give every rank the weights, the optimisers' moments and the counts of rank 0, whichever files it sees."""
    moments = {name: one.state_dict() for name, one in optimisers.items()}
    state = ranks.told(ranks.on_the_host({"system": system.state_dict(), "optimisers": moments, "counts": counts}))
    if ranks.rank():
        system.load_state_dict(state["system"])
        for name, moments in state["optimisers"].items():
            optimisers[name].load_state_dict(moments)
    return state["counts"]


def finish(folder: Path, system: System) -> None:
    """Keep of a finished training what sampling needs: one checkpoint, without the optimisers' moments.

    Its weights are rounded to half precision: what chapters measure is then, bit for bit, what figures/ can hold.
    """
    state = checkpoints.load_checkpoint(folder)
    assert state is not None  # `train` saved its last step
    if state["optimisers"]:
        weights = halved(state["system"], system)
        checkpoints.save_checkpoint(folder, state["step"], {**state, "system": weights, "optimisers": {}}, keep=1)


def clips_seen(records: Sequence[StepRecord]) -> int:
    """Training clips behind a system; 0 for one that diverged before its first checkpoint."""
    return records[-1].clips_seen if records else 0


def describe(system: System, records: Sequence[StepRecord]) -> str:
    """One line for tables and captions: who was trained, how long, on what shape."""
    return (
        f"{type(system).__name__} {'with' if system.n_classes else 'without'} labels, {len(records)} steps, "
        f"{system.frames}x{system.size}x{system.size}{', diverged' if system.diverged else ''}"
    )


def training_key(name: str, dataset: Clips, n_classes: int, config: TrainConfig, options: Mapping[str, object]) -> str:
    """Names what training the system `name` gives: its code, its options, its data, how long, and on what device."""
    device = pick_device()
    return key_of(
        __name__,
        system_class(name),
        name=name,
        options=options,
        n_classes=n_classes,
        data=identity(dataset),
        config=config,
        device=device.type,
        arithmetic=str(precision(device)),
    )


@dataclass(frozen=True)
class Plan:
    """A training before it begins: which system, how long, and the name of the folder that it is kept in."""

    system: str
    n_classes: int
    options: Mapping[str, object]  # the system's own
    config: TrainConfig
    folder: str  # ends in `training_key`, so that a changed choice is trained anew

    def build(self, dataset: Clips) -> System:
        """The system with the weights that its training starts from."""
        with torch.random.fork_rng():  # the caller's random numbers stay as they were
            torch.manual_seed(self.config.seed)  # the initial weights
            system = build_system(
                self.system, frames=dataset.frames, size=dataset.size, n_classes=self.n_classes, **self.options
            )
        return system.to(pick_device())


def plan(
    name: str, dataset: Clips, profile: Profile, *, seed: int = 0, steps: int | None = None, batch: int | None = None,
    conditional: bool = True, **options: object,
) -> Plan:  # fmt: skip
    """What `trained` does with the same arguments."""
    options = {field: getattr(profile, field) for field in system_class(name).from_profile} | options
    n_classes = dataset.n_classes if conditional else 0
    config = TrainConfig(
        steps=profile.steps if steps is None else steps, batch=profile.batch if batch is None else batch, seed=seed
    )
    config = replace(config, save_every=steps_between(config.steps))
    key = training_key(name, dataset, n_classes, config, options)
    folder = f"{name}-{dataset.name}-{dataset.frames}x{dataset.size}-{key}"
    return Plan(name, n_classes, options, config, folder)


def steps_between(steps: int) -> int:
    """Steps from one regular checkpoint to the next: four a run at least, and every `SAVE_EVERY` steps of a short one.

    A long training is saved every sixteenth, or thousand steps, else a fast GPU would spend a tenth of its time on it.
    """
    return max(1, min(-(-steps // 4), max(SAVE_EVERY, min(steps // 16, 1000))))


def trained(
    name: str,
    dataset: Clips,
    profile: Profile,
    *,
    folder: Path | str | None = None,
    on_step: Callable[[StepRecord, System], None] | None = None,
    **planned: Any,
) -> tuple[System, list[StepRecord]]:
    """Return a trained system and its records: read from `folder` where it has been trained before, else trained now.

    The folder's name ends in `training_key`, so that a changed choice is trained anew and an interrupted one goes on
    where it stopped. `system.snapshots` holds what the same eight latents (fewer where clips are large) gave along the
    way: (step, float clips) pairs.

    A run that diverges raises nothing here: it comes back as its last good checkpoint left it, with the reason in
    `system.diverged`, so that a table can show the row and say so. It is not tried a second time.

    Args:
        name: a key of `networks.SYSTEMS`.
        dataset: training clips; their frames and size are the system's.
        profile: gives width, preset, batch and steps where they are not named.
        folder: where trained systems lie, each in a folder of its own (default: runs/checkpoints).
        on_step: called with each new record and the system; not called for steps read from `folder`.
        planned: seed (default 0), steps, batch; conditional=False trains without labels also where the data has them;
            the system's own options.
    """
    training = plan(name, dataset, profile, **planned)
    place = (repo_root() / "runs" / "checkpoints" if folder is None else Path(folder)) / training.folder
    place.mkdir(parents=True, exist_ok=True)
    system = training.build(dataset)
    records = train_once(system, dataset, training.config, place, on_step)
    system.snapshots = read_snapshots(place)
    return system.eval(), records


def train_once(
    system: System,
    dataset: Clips,
    config: TrainConfig,
    folder: Path,
    on_step: Callable[[StepRecord, System], None] | None = None,
) -> list[StepRecord]:
    """Bring `system` to the end of its training in `folder`, as far as it is not there yet; return its records.

    The system ends with the weights of the last good checkpoint. Where training has diverged, in this call or an
    earlier one, `system.diverged` says why, and the records end with the step of those weights.
    """
    if ranks.rank():
        return _help_out(system, dataset, config)
    start = copy.deepcopy(system.state_dict())
    journal, verdict = folder / "records.jsonl", folder / "diverged.txt"
    moments = {max(1, round(config.steps * share)) for share in SNAPSHOT_SHARES}
    too_large = False
    with FileLock(folder / "lock"):  # two chapters that want the same system: one trains, the other waits and reads
        done = checkpoints.load_checkpoint(folder)
        records = read_records(journal, until=done["step"] if done else 0)
        if ranks.told(not verdict.exists() and len(records) < config.steps):
            write_records(journal, records)
            try:
                with open(journal, "a", encoding="utf-8") as file, held_back() as stopping:
                    for record in train(system, dataset, config, folder, pauses=moments, stopping=stopping):
                        records.append(record)
                        file.write(_write_record(record))
                        file.flush()
                        if record.step in moments:
                            take_snapshot(system, dataset, folder, record.step)
                        if on_step is not None:
                            on_step(record, system)
                finish(folder, system)
            except Diverged as error:
                write_atomic(verdict, str(error))
            except torch.OutOfMemoryError:
                too_large = True
            if too_large:  # behind the block: the error holds what the step had made
                system.load_state_dict(start)
                raise RuntimeError(
                    f"{system.name} at {system.frames}x{system.size}x{system.size} with a batch of {config.batch} "
                    f"needs more memory than this GPU has free; {batch_that_fits(system, dataset, config)}"
                )
        system.load_state_dict(start)  # where not even one checkpoint is good, the first weights are
        # Where it diverged, what comes back must not depend on the time at which it was saved.
        step, *_ = restore(system, system.optimisers(), folder, regular=verdict.exists())
        if verdict.exists():
            system.diverged = verdict.read_text(encoding="utf-8") or "training diverged"
            records = [record for record in records if record.step <= step]  # what these weights have seen
        if not (folder / f"snapshot-{step:08d}.pt").exists():
            take_snapshot(system, dataset, folder, step)  # the run was stopped before its last picture
    return records


def _help_out(system: System, dataset: Clips, config: TrainConfig) -> list[StepRecord]:
    """What every rank but the first does of `train_once`: its part of each step, and no file."""
    if ranks.told():
        with suppress(Diverged), held_back() as stopping:
            for _ in train(system, dataset, config, stopping=stopping):
                pass
    return []


def batch_that_fits(system: System, dataset: Clips, config: TrainConfig) -> str:
    """What a GPU that was too small has room for, in words, from one turn with the smallest batch."""
    least = 4  # clips: a group of the minibatch stddev
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    free, held = torch.cuda.mem_get_info()[0], torch.cuda.memory_allocated()
    try:
        next(train(system, dataset, replace(config, steps=1, batch=least)))
    except torch.OutOfMemoryError:
        return f"not even {least} clips fit: free some, or take a smaller shape or width"
    each = (torch.cuda.max_memory_allocated() - held) / least
    return f"a batch of {max(least, int(free / each) // least * least)} would fit (batch=, in hrvgan_lib/profiles.py)"


def read_records(journal: Path, until: int) -> list[StepRecord]:
    """The journal's records up to step `until`, as far as its lines are whole."""
    records = []
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
        try:
            records.append(StepRecord(**json.loads(line)))
        except (ValueError, TypeError):
            break
    return [record for record in records if record.step <= until]


def write_records(journal: Path, records: Sequence[StepRecord]) -> None:
    """Write a journal that `read_records` reads."""
    write_atomic(journal, "".join(map(_write_record, records)))


def take_snapshot(system: System, dataset: Clips, folder: Path, step: int) -> None:
    """Save what up to eight fixed latents, of one class after the other, give at `step`; or up to eight fixed clips."""
    n = max(1, min(8, SNAPSHOT_BYTES // (3 * system.frames * system.size**2)))
    clips = system.eval().snapshot(n, dataset)
    pixels = ((clips + 1) * 127.5).round().to(torch.uint8)  # (n, 3, T, S, S)
    write_atomic(folder / f"snapshot-{step:08d}.pt", lambda temporary: torch.save(pixels, temporary))


def read_snapshots(folder: Path) -> list[tuple[int, Tensor]]:
    """Return the snapshots of a training folder: (step, float32 clips in [-1, 1]), oldest first."""
    return [
        (int(path.stem.split("-")[1]), torch.load(path, weights_only=True) / 127.5 - 1)
        for path in sorted(folder.glob("snapshot-*.pt"))
    ]


def _write_record(record: StepRecord) -> str:
    return json.dumps(asdict(record)) + "\n"


if __name__ == "__main__":
    import sys
    from importlib import import_module

    sys.exit(import_module("hrvgan_lib.launch").main())
