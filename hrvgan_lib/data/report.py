"""What a folder holds: found, used, left out and why; the same report for packing and for comparing (chapter 01)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHOWN = 5  # names shown of what was left out for one reason


@dataclass(frozen=True)
class Report:
    """What was found in a folder, and what became of it."""

    folder: Path
    used: int
    left_out: tuple[tuple[str, str], ...] = ()  # (name below the folder, reason), in order
    ignored: tuple[tuple[str, int], ...] = ()  # (ending, files) of what is not looked at
    what: str = "videos"

    @property
    def found(self) -> int:
        return self.used + len(self.left_out)

    def lines(self) -> list[str]:
        """The report as text: one line, and one more for each thing that was left out, the first of them by name."""
        said = f"{self.folder}: {self.found:,} {self.what} found, {self.used:,} used, {len(self.left_out):,} left out"
        rows = [f"  left out: {name}: {reason}" for name, reason in self.left_out[:SHOWN]]
        if len(self.left_out) > SHOWN:
            rows.append(f"  left out: and {len(self.left_out) - SHOWN:,} more")
        if self.ignored:
            endings = ", ".join(f"{count:,} {ending or 'without ending'}" for ending, count in self.ignored)
            rows.append(f"  not looked at, by ending: {endings}")
        return [said, *rows]

    def as_json(self) -> dict[str, object]:
        """The whole of it, every name included, as plain lists and dictionaries."""
        return {
            "folder": str(self.folder),
            "found": self.found,
            "used": self.used,
            "left_out": [{"name": name, "reason": reason} for name, reason in self.left_out],
            "not_looked_at": dict(self.ignored),
        }
