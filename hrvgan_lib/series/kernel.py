"""The kernel that a chapter runs in (all chapters)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager


class Kernel(AsyncKernelManager):
    """A kernel of this very interpreter, whatever the machine calls `python3`; remembers its process."""

    pid = 0
    output: Path | None = None  # where its own output goes: not onto the reader's screen

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]
        return command + (extra_arguments or [])

    async def _async_start_kernel(self, **options: Any) -> None:
        with open(Kernel.output or os.devnull, "ab") as output:
            await super()._async_start_kernel(stdout=output, stderr=output, **options)
        Kernel.pid = getattr(self.provisioner, "pid", None) or 0

    start_kernel = _async_start_kernel


if "transport_encryption" in Kernel.class_trait_names():  # decided here, or ipykernel warns in every chapter
    Kernel.transport_encryption.default_value = "auto"
