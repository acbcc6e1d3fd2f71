"""What was measured so far: one JSON file a run, so that nothing is measured twice."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Found = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One run: how fast (of round `number`), what loss (with seed `number`), or our profile."""

    mode: str
    workload: str
    peer: str
    number: int

    @property
    def name(self) -> str:
        """Its file, without the ending."""
        return f"{self.mode}-{self.workload}-{self.peer}-{self.number}"

    def chosen(self, names: list[str]) -> bool:
        """Whether one of WORKLOAD, WORKLOAD:PEER, :PEER or a mode names it; none: it is."""
        return not names or any(self._is(name) for name in names)

    def _is(self, name: str) -> bool:
        if name == self.mode:
            return True
        workload, _, peer = name.partition(":")
        return workload in {"", self.workload} and peer in {"", self.peer}


class Results:
    """The folder of finished runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, row: Row) -> Found | None:
        """What a run found, or why it failed (`error`); None where it was not made yet."""
        path = self.folder / f"{row.name}.json"
        if not path.exists():
            return None
        found: Found = json.loads(path.read_text(encoding="utf-8"))
        return found

    def put(self, row: Row, found: Found) -> None:
        """Keep it, whole or not at all."""
        path = self.folder / f"{row.name}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(path)

    def forget(self, row: Row) -> None:
        """Let it be measured again."""
        (self.folder / f"{row.name}.json").unlink(missing_ok=True)


def speed(found: Found) -> Found:
    """Of a run that was timed: rates over its window, per CPU second and per second."""
    begin, end = (found["marks"][step] for step in found["window"])
    steps = found["window"][1] - found["window"][0]
    taken = {name: end[name] - begin[name] for name in begin}
    return {
        "tokens_per_cpu": taken["tokens"] / taken["cpu"],
        "tokens_per_second": taken["tokens"] / taken["wall"],
        "cpu_per_step": taken["cpu"] / steps,
        "padding": 1 - taken["tokens"] / taken["computed"],
        "peak": found["peak_training_bytes"],
    }


def seconds_to(found: Found, target: float) -> float | None:
    """CPU seconds of training until the held-out loss is at most `target`; None: never.

    Between two points at which it was taken the loss is taken to fall in a straight line.
    """
    start = found["marks"][0]["cpu"]
    before: tuple[float, float] | None = None
    for step, loss in sorted((int(step), loss) for step, loss in found["losses"].items()):
        cpu = found["marks"][step]["cpu"] - start
        if loss <= target:
            if before is None or before[1] <= loss:
                return float(cpu)
            share = (before[1] - target) / (before[1] - loss)
            return float(before[0] + share * (cpu - before[0]))
        before = (cpu, loss)
    return None
