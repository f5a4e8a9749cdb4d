"""Notebook kernels that start with torch imported: each is forked from one process that has done it (all chapters).

torch, and its compiler, which the first optimiser of a process pulls in, take 14 s to import on a slow core, in every
chapter anew. The standard library's fork server imports them once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading

# What most chapters import. None of these draws a random number, touches a GPU or starts a thread of torch.
AHEAD = ["torch", "torch._dynamo", "scipy.linalg", "matplotlib.figure", "ipykernel.kernelapp"]


def can_fork() -> bool:
    """Whether this system has a fork server (Windows has none)."""
    return "forkserver" in multiprocessing.get_all_start_methods()


class ForkedKernel:
    """A kernel process, with as much of `subprocess.Popen` as jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, connection_file: str, cwd: str, output: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*AHEAD, __name__])  # the first kernel waits for it
        self.process = context.Process(target=_run, args=(connection_file, cwd, output, dict(os.environ)))
        self.process.start()
        self.pid = self.process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self.process.join(timeout)
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(connection_file: str, cwd: str, output: str, environment: dict[str, str]) -> None:
    """In the forked process: become a kernel with a session, folder, environment and output of its own."""
    os.setsid()  # an interrupt goes to the kernel's group and to nobody else
    os.chdir(cwd)
    os.environ.update(environment)
    with open(output, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import torch

    if torch.cuda._is_in_bad_fork():  # an import has touched the GPU, which a forked process cannot use any more
        os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file])
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    from ipykernel import kernelapp
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())  # its default lock is shared between processes and would outlive a killed kernel
    sys.path.insert(0, "")  # as every kernel has it
    kernelapp.launch_new_instance(argv=["-f", connection_file])


def _end_with_the_driver() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
