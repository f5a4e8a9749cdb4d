"""Spoilt copies of real files for every reader (`make torture`): refused in a line that names the file, or read."""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the library is not installed

from hrvgan_lib.mishaps import command

SECONDS, MEMORY = 20, 6 * 2**30  # that one file may take; address space of the process that reads
SAID = 600  # characters of a message, at most


@dataclass(frozen=True)
class Reader:
    """Something that reads files: `make` writes good ones into a folder, `read` reads the one that is spoilt."""

    name: str
    make: Callable[[Path], Path]  # returns the file to spoil
    read: Callable[[Path], Any]


# --- good files ------------------------------------------------------------------------------------------------------


def frames(number: int = 12, height: int = 32, width: int = 32):
    import numpy as np

    clip = np.random.default_rng(0).integers(0, 255, (1, height, width, 3), dtype=np.uint8).repeat(number, axis=0)
    for place, frame in enumerate(clip):
        frame[:, place % width] = 255
    return clip


def a_video(name: str, codec: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import av

        with av.open(str(folder / name), "w") as out:
            stream = out.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = 32, 32, "rgb8" if codec == "gif" else "yuv420p"
            for frame in frames():
                out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            out.mux(stream.encode())
        return folder / name

    return make


def a_picture(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import numpy as np
        from PIL import Image

        clip = frames(6, 16, 16)
        if name == "film.webp":
            films = [Image.fromarray(frame) for frame in clip]
            films[0].save(folder / name, save_all=True, append_images=films[1:])
        else:
            joined = np.concatenate(list(clip), axis=1 if "strip" in name else 0)
            Image.fromarray(joined).save(folder / name)
        return folder / name

    return make


def the_list(which: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        text = {
            "manifest.csv": "path,class,person\na.png,walk,1\nb.png,run,2\nc.png,walk,3\n",
            "golf.txt": "0000/a.jpg\n0001/b.jpg\n0002/c.jpg\n",
            "trainlist01.txt": "Archery/v_Archery_g08_c01.avi 1\nBowling/v_Bowling_g09_c02.avi 2\n",
        }[which]
        if which == "trainlist01.txt":
            (folder / "classInd.txt").write_text("1 Archery\n2 Bowling\n", encoding="utf-8")
            (folder / "testlist01.txt").write_text("Archery/v_Archery_g01_c01.avi\n", encoding="utf-8")
        (folder / which).write_text(text, encoding="utf-8")
        return folder / which

    return make


def a_generator(folder: Path) -> Path:
    import torch

    from hrvgan_lib.checkpoints import save_generator
    from hrvgan_lib.networks import build_system

    torch.manual_seed(0)
    save_generator(folder / "g.safetensors", build_system("tgan", frames=8, size=16, width=0.05), title="a toy")
    return folder / "g.safetensors"


def a_kept_training(folder: Path) -> Path:
    from torture import ROOT

    smallest = min((ROOT / "figures/overnight/trainings").glob("*.safetensors"), key=lambda path: path.stat().st_size)
    (folder / "kept.safetensors").write_bytes(smallest.read_bytes())
    return folder / "kept.safetensors"


def a_checkpoint(folder: Path) -> Path:
    import torch

    from hrvgan_lib.checkpoints import save_checkpoint

    save_checkpoint(folder, 1, {"step": 1, "system": {"a": torch.ones(9)}, "optimisers": {}})
    return save_checkpoint(folder, 2, {"step": 2, "system": {"a": torch.ones(9)}, "optimisers": {}})


def a_record(folder: Path) -> Path:
    from dataclasses import asdict

    from hrvgan_lib import metrics
    from hrvgan_lib.files import to_json
    from hrvgan_lib.metrics.rulers.estimates import Estimate

    one = Estimate(0.0, 1.0, 0.5, 4, "by hand")
    record = metrics.Evaluation(
        source="a", note="", data="", kind="procedural", n=4, seeds=(0,), distinct=4, judge="j", judge_accuracy=0.5,
        protocol="", classes=("a", "b"), layer="fc6", inception=one, inception_seeds=(1.0,), inception_infinity=None,
        frechet=one, frechet_seeds=(0.5,), frechet_infinity=None, frame_frechet=1.0, kernel=one, precision=one,
        recall=one, density=one, coverage=one, behaviour=metrics.Behaviour(1.0, 0.0, 0.0, 1.0, 1.0), accuracy=one,
        confusion=((2, 0), (1, 1)), device="here", versions={},
    )  # fmt: skip
    (folder / "record.json").write_text(to_json(asdict(record)), encoding="utf-8")
    return folder / "record.json"


def weights(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import numpy as np

        random = np.random.default_rng(0)
        if name == "mean.npy":
            np.save(folder / name, random.random((3, 16, 8, 8), dtype=np.float32))
        else:
            from hrvgan_lib.metrics.eyes.c3d import C3D

            np.savez(folder / name, **{key: value.numpy() for key, value in C3D(2, width=0.02).state_dict().items()})
        return folder / name

    return make


def parcels(folder: Path) -> Path:
    """One piece of an archive of a run, as `make booking` packs it."""
    import booking

    run = folder / "root/figures/gpu"
    run.mkdir(parents=True)
    (run / "table.csv").write_text("a,b\n1,2\n" * 50, encoding="utf-8")
    (run / "figure.json").write_text(json.dumps({"files": {}}), encoding="utf-8")
    settings = booking.parse(["pack", "--run", "gpu", "--parcels", str(folder / "parcels")])
    settings.root = folder / "root"
    with contextlib.redirect_stdout(io.StringIO()):
        booking.pack(settings)
    return folder / "parcels/gpu.parcel-00"


def sums(folder: Path) -> Path:
    parcels(folder)
    return folder / "parcels/gpu.parcel.sha256"


# --- readers ---------------------------------------------------------------------------------------------------------


def read_video(path: Path) -> Any:
    from hrvgan_lib.data import read_video

    return read_video(path, size=16).shape


def packed(scan: str) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        from hrvgan_lib.data.formats import stacks, strips, ucf101

        return len({"stacks": stacks, "strips": strips, "ucf101": ucf101}[scan].scan(path.parent).missing)

    return read


def read_stack(path: Path) -> Any:
    from hrvgan_lib.data.formats.stacks import read_stack

    return read_stack(path).shape


def read_strip(path: Path) -> Any:
    from hrvgan_lib.data.formats.strips import read_strip

    return read_strip(path).shape


def load_generator(path: Path) -> Any:
    from hrvgan_lib.checkpoints import load_generator

    return load_generator(path).name


def load_kept(path: Path) -> Any:
    from hrvgan_lib.kept import load_kept

    return load_kept(path).name


def load_checkpoint(path: Path) -> Any:
    from hrvgan_lib.checkpoints import load_checkpoint

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = load_checkpoint(path.parent)
    assert state is not None and state["step"] in (1, 2), "the checkpoint before was lost"
    return state["step"]


def read_evaluation(path: Path) -> Any:
    from hrvgan_lib.metrics.evaluation import read_evaluation

    return read_evaluation(path).source


def published(path: Path) -> Any:
    from hrvgan_lib.metrics.eyes.weights import load_c3d

    return load_c3d(path, width=0.02).n_classes


def mean_volume(path: Path) -> Any:
    from hrvgan_lib.metrics.eyes.weights import load_mean

    return load_mean(path).shape


def unpack(path: Path) -> Any:
    import booking

    settings = booking.parse(["unpack", "--run", "gpu", "--parcels", str(path.parent)])
    settings.root = path.parent.parent / "root"
    with contextlib.redirect_stdout(io.StringIO()):
        return booking.unpack(settings)


READERS = [
    *(Reader(name, a_video(name, codec), read_video) for name, codec in
      (("a.avi", "mpeg4"), ("a.mp4", "mpeg4"), ("a.mkv", "mpeg4"), ("a.webm", "libvpx"), ("a.gif", "gif"))),
    Reader("film.webp", a_picture("film.webp"), read_video),
    Reader("stack.jpg", a_picture("stack.jpg"), read_stack),
    Reader("strip.png", a_picture("strip.png"), read_strip),
    Reader("golf.txt", the_list("golf.txt"), packed("stacks")),
    Reader("manifest.csv", the_list("manifest.csv"), packed("strips")),
    Reader("trainlist01.txt", the_list("trainlist01.txt"), packed("ucf101")),
    Reader("generator", a_generator, load_generator),
    Reader("kept training", a_kept_training, load_kept),
    Reader("checkpoint", a_checkpoint, load_checkpoint),
    Reader("evaluation record", a_record, read_evaluation),
    Reader("weights.npz", weights("weights.npz"), published),
    Reader("mean.npy", weights("mean.npy"), mean_volume),
    Reader("parcel", parcels, unpack),
    Reader("parcel's sums", sums, unpack),
]  # fmt: skip


# --- spoiling and reading --------------------------------------------------------------------------------------------


def spoilt(content: bytes, dice: random.Random) -> bytes:
    """A copy with one to four faults."""
    raw = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4))):
        place, length = dice.randrange(len(raw) + 1), dice.choice((1, 2, 4, 8, 64, 512))
        fault = dice.choice(("cut", "flip", "zero", "full", "insert", "double", "swap", "drop", "number"))
        if fault == "cut":
            del raw[place:]
        elif fault == "flip" and raw:
            raw[place % len(raw)] ^= 1 << dice.randrange(8)
        elif fault in ("zero", "full"):
            raw[place : place + length] = (b"\0" if fault == "zero" else b"\xff") * len(raw[place : place + length])
        elif fault == "insert":
            raw[place:place] = dice.randbytes(length)
        elif fault == "double":
            raw[place:place] = raw[place : place + length]
        elif fault == "swap":
            other = dice.randrange(len(raw) + 1)
            raw[place : place + length], raw[other : other + length] = (
                raw[other : other + length],
                raw[place : place + length],
            )
        elif fault == "drop":
            del raw[place : place + length]
        elif fault == "number":
            raw[place : place + 4] = dice.choice((2**31 - 1, 2**32 - 1, 2**16, 0)).to_bytes(
                4, dice.choice(("little", "big"))
            )
        raw = raw[: 4 * len(content) + 4096]
    return bytes(raw)


def outcome(read: Callable[[Path], Any], path: Path) -> str:
    """ "read" or "refused", or what is wrong with how the file was refused."""
    try:
        read(path)
        return "read"
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        said = str(error)
        named = path.name in said or path.parent.name in said
        return "refused" if named and "\n" not in said and len(said) <= SAID else f"a bad message: {said[:200]!r}"
    except Exception as error:
        if type(error).__name__ == "Refused":  # of tools/booking.py, whose commands print it
            return "refused"
        return f"{type(error).__name__}: {str(error)[:200]!r}"


def child(name: str, count: int, seed: int, folder: Path) -> None:
    """Read one good file and `count` spoilt ones; a line for each, with its number before it is read."""
    (reader,) = (reader for reader in READERS if reader.name == name)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for number in range(-1, count):
        place = folder / f"{number}"
        place.mkdir()
        path = reader.make(place)
        if number >= 0:
            path.write_bytes(spoilt(path.read_bytes(), random.Random(f"{name} {seed} {number}")))
        print(number, end="\t", flush=True)
        print(outcome(reader.read, path).replace("\n", " "), flush=True)


def many(name: str, count: int, seed: int, folder: Path, command: Sequence[str] = ()) -> tuple[int, int]:
    """Let a process with bounded memory read `count` spoilt files; (read, refused).

    Raises RuntimeError for a crash, a hang, a good file that is not read, or a spoilt one that is refused in another
    way than in one line with its name.
    """
    words = [sys.executable, str(Path(__file__)), "child", name, str(count), str(seed), str(folder)]
    process = subprocess.Popen(
        [*(command or words)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    assert process.stdout is not None
    said: dict[str, str] = {}
    waiting = "-1"
    while True:
        watch = threading.Timer(SECONDS, process.kill)
        watch.start()
        line = process.stdout.readline()
        watch.cancel()
        number, _, words_said = line.rstrip("\n").partition("\t")
        if not line.endswith("\n"):
            break
        said[number], waiting = words_said, str(int(number) + 1)
        if words_said != "read" and (number == "-1" or words_said != "refused"):
            process.kill()
            raise RuntimeError(f"{name}: file {number} (seed {seed}): {words_said}")
    if (status := process.wait()) or len(said) != count + 1:
        ended = f"hangs or takes over {SECONDS} s" if status == -signal.SIGKILL else f"exit status {status}"
        raise RuntimeError(f"{name}: file {waiting} (seed {seed}): {ended}")
    outcomes = list(said.values())[1:]
    return outcomes.count("read"), outcomes.count("refused")


def fuzzed(count: int, seed: int = 0, only: str = "") -> Iterator[str]:
    """Give every reader its share of `count` spoilt files; one line for each. Raises RuntimeError as `many` does."""
    readers, done = [reader for reader in READERS if only in reader.name], 0
    for number, reader in enumerate(readers):
        share = max(1, (count - done) // (len(readers) - number))
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            read, refused = many(reader.name, share, seed, Path(folder))
        done += share
        yield f"{reader.name}: {share} spoilt files, {refused} refused by name, {read} read"
    yield f"{done} spoilt files in all, nothing lost"


@command
def main(argv: Sequence[str] | None = None) -> int:
    """`fuzz.py COUNT [SEED [ONLY]]`: what `fuzzed` says; `fuzz.py child ...` is how `many` starts a reader."""
    count, *more = list(sys.argv[1:] if argv is None else argv) or ["2000"]
    if count == "child":
        name, number, seed, folder = more
        child(name, int(number), int(seed), Path(folder))
    else:
        for said in fuzzed(int(count), *map(int, more[:1]), *more[1:2]):
            print(said, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
