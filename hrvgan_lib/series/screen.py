"""Lines at the bottom of a terminal that are drawn over again and again (make reproduce)."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO


class Screen:
    """The last lines of a terminal; nothing at all where `stream` is none."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.watched = stream, stream.isatty()
        self._lines: list[str] = []

    def show(self, lines: Sequence[str]) -> None:
        """Draw these lines over those before them, each cut to the terminal: a line that wraps is two."""
        width = shutil.get_terminal_size().columns - 1
        lines = [line[:width] for line in lines]
        if self.watched and lines != self._lines:
            self.stream.write(self._back() + "\n".join(f"{line}\033[K" for line in lines) + "\033[J")
            self.stream.flush()
            self._lines = lines

    def clear(self) -> None:
        """Take the lines away; what is printed next stands where the first of them stood."""
        if self._lines:
            self.stream.write(self._back() + "\033[J")
            self.stream.flush()
            self._lines = []

    def _back(self) -> str:
        """To the beginning of the first line that is there."""
        return "\r" + (f"\033[{len(self._lines) - 1}A" if len(self._lines) > 1 else "")
