"""What chapters measure for the ledgers, on its way from one chapter to another; chapter 12."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from math import inf
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    """One number that a chapter measured for an entry of a ledger (`paper.CLAIMS`, `paper.DECISIONS`).

    `low` and `high` are its 95 % interval (both the value itself where it is no estimate); `asked_low` and
    `asked_high` bound the values for which the claim holds. `clips` counts training clips behind it, None where
    nothing was trained; `has` lists the keys of `paper.claims.NEEDS` that are met; `over`: what the interval is over.
    """

    chapter: str
    what: str
    value: float
    low: float
    high: float
    claim: str = ""  # id of the claim or
    decision: str = ""  # decision that it belongs to
    asked_low: float = -inf
    asked_high: float = inf
    over: str = ""
    data: str = ""
    clips: int | None = None
    has: tuple[str, ...] = ()
    shown: str = ""  # instead of the number, where it is a shape or a word
    diverged: str = ""

    @property
    def asked(self) -> str:
        """The asked range in words."""
        if self.asked_low == self.asked_high:
            return f"{self.asked_low:.4g}"
        words = [f"at least {self.asked_low:.4g}"] if self.asked_low > -inf else []
        return " and ".join(words + ([f"at most {self.asked_high:.4g}"] if self.asked_high < inf else []))

    @property
    def number(self) -> str:
        """The value with its interval, or what stands for it."""
        if self.shown:
            return self.shown
        interval = f" [{self.low:.4g}, {self.high:.4g}]" if self.low < self.high else ""
        return f"{self.value:.4g}{interval}"

    @property
    def holds(self) -> bool | None:
        """True where the whole interval lies in the asked range, False where none of it does, None between."""
        if self.asked_low <= self.low and self.high <= self.asked_high:
            return True
        return False if self.high < self.asked_low or self.low > self.asked_high else None


def read_measurements(folder: Path) -> list[Measurement]:
    """Everything that the chapters of one run measured, in chapter order: from <folder>/<chapter>.usage.json."""
    known = {field.name for field in fields(Measurement)}
    found = []
    for path in sorted(Path(folder).glob("[0-9]*.usage.json")):
        for record in json.loads(path.read_text(encoding="utf-8")).get("measurements", []):
            values = {name: value for name, value in record.items() if name in known}
            values["has"] = tuple(values.get("has", ()))
            for bound, missing in (("asked_low", -inf), ("asked_high", inf)):
                values[bound] = missing if values.get(bound) is None else values[bound]
            found.append(Measurement(**values))
    return found


def write_measurement(measurement: Measurement) -> dict:
    """The measurement as JSON holds it: no infinities."""
    record = asdict(measurement)
    return record | {name: None for name in ("asked_low", "asked_high") if abs(record[name]) == inf}
