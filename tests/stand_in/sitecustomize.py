"""A GPU played on the CPU: with this folder on PYTHONPATH, every Python sees a device "gpu" and `hrvgan_lib` uses it.

Where the library says "cuda" or torch.cuda, it is read as "gpu" and torch.gpu. What is played: tensors that cannot meet
the CPU's, bfloat16 by autocast, the loop's threads, streams and late losses. What is not: recorded graphs (each is
refused, and the plain way is taken), Triton's kernels (likewise), order in time, memory, speed.
"""

import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parents[1] / "hrvgan_lib"
NAMES = ((r"torch\.cuda", "torch.gpu"), ('"cuda"', '"gpu"'), (r"\.is_cuda", ".is_gpu"), (r"\.cuda\(\)", '.to("gpu")'))


def build() -> Path:
    """The device as a shared library, made once for this source and this PyTorch (15 seconds)."""
    source, root = HERE / "device.cpp", Path(torch.__file__).parent
    digest = hashlib.sha256(source.read_bytes() + torch.__version__.encode()).hexdigest()[:16]
    made = HERE / "built" / f"device-{digest}.so"
    if not made.is_file():
        made.parent.mkdir(exist_ok=True)
        fresh = made.with_suffix(f".{os.getpid()}")
        includes = [f"-I{root / 'include'}", f"-I{root / 'include/torch/csrc/api/include'}"]
        subprocess.run(["c++", "-shared", "-fPIC", "-std=c++20", "-O1", "-w", *includes, str(source), "-o", str(fresh),
                        f"-L{root / 'lib'}", "-ltorch_cpu", "-lc10"], check=True)  # fmt: skip
        os.replace(fresh, made)
    return made


class Stream:
    """A stream, or an event of one: everything has happened already."""

    def __init__(self, *_: object, **__: object) -> None: ...
    def record_event(self) -> "Stream":
        return self

    def wait_stream(self, other: object) -> None: ...
    def wait_event(self, event: object) -> None: ...


@contextlib.contextmanager
def no_graph(*_: object, **__: object):
    raise RuntimeError("the played device records nothing")
    yield


def gpu() -> types.ModuleType:
    """What the library asks of torch.cuda."""
    module, nothing = types.ModuleType("torch.gpu"), lambda *_: None
    answers = {
        "is_available": True, "is_initialized": True, "_is_in_bad_fork": False, "device_count": 1, "current_device": 0,
        "get_device_name": "played GPU", "get_amp_supported_dtype": [torch.bfloat16], "graph_pool_handle": (0, 1),
        "mem_get_info": (70 * 10**9, 80 * 10**9), "memory_allocated": 10**9, "max_memory_allocated": 2 * 10**9,
    }  # fmt: skip
    for name, answer in answers.items():
        setattr(module, name, lambda *_, answer=answer: answer)
    for name in "manual_seed manual_seed_all synchronize empty_cache reset_peak_memory_stats set_device".split():
        setattr(module, name, nothing)
    module.get_rng_state, module.set_rng_state = lambda *_: torch.zeros(16, dtype=torch.uint8), nothing
    module.Stream = module.Event = module.current_stream = Stream
    module.CUDAGraph, module.graph, module.stream = object, no_graph, lambda stream: contextlib.nullcontext()
    return module


def gru_cell(x, h, of_x, of_h, b_x, b_h):
    """PyTorch's own is one launch for GPUs alone."""
    linear = torch.nn.functional.linear
    (r, z, n), (hr, hz, hn) = linear(x, of_x, b_x).chunk(3, -1), linear(h, of_h, b_h).chunk(3, -1)
    z = torch.sigmoid(z + hz)
    return (1 - z) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + z * h


class Renamed(importlib.machinery.SourceFileLoader):
    """The library's source with the GPU's other name."""

    def get_code(self, fullname: str):
        path = self.get_filename(fullname)
        text = self.get_data(path).decode()
        for old, new in NAMES:
            text = re.sub(old, new, text)
        return compile(text, path, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] != LIBRARY.name:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        if found and found.origin and found.origin.endswith(".py"):
            found.loader = Renamed(fullname, found.origin)
        return found


torch.utils.rename_privateuse1_backend("gpu")
torch.ops.load_library(build())
torch._register_device_module("gpu", gpu())
torch.utils.generate_methods_for_privateuse1_backend()
torch.Tensor.record_stream = lambda self, stream: None
torch.Tensor.pin_memory = lambda self, *_: self
torch.nn.modules.rnn._VF = types.SimpleNamespace(**{n: getattr(torch._VF, n) for n in ("gru", "lstm", "lstm_cell")})
torch.nn.modules.rnn._VF.gru_cell = gru_cell
sys.meta_path.insert(0, Finder())
