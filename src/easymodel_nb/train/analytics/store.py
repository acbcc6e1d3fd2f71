"""The answers and the scores of a run, as its folder keeps them.

`samples.jsonl`: one line a prompt and point; `scores.jsonl`: see `runlog.scores`. What an attempt
before wrote of steps that no longer count is dropped when the run goes on.
"""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from easymodel_nb import whole
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.events import finite
from easymodel_nb.runlog.lines import json_lines
from easymodel_nb.runlog.scores import Scores, Values

SAMPLES = "samples.jsonl"
Row = dict[str, Any]


class Store:
    """The answers and scores of one run's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_rows(self, rows: Sequence[Row], *, step: int, epoch: float) -> None:
        """Keep the answers of a point."""
        with (self._folder / SAMPLES).open("a", encoding="utf-8") as file:
            for row in rows:
                line = finite({"epoch": epoch, "step": step, **row})
                file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    def rows(self, step: int) -> list[Row]:
        """The answers of a point, in the order of the prompts; the later ones of two."""
        found: dict[int, Row] = {}
        for row in json_lines(self._folder / SAMPLES):
            if row["step"] == step:
                found[int(row["index"])] = row
        return [found[index] for index in sorted(found)]

    def rows_before(self, step: int, count: int) -> list[Row] | None:
        """The answers of the last point before a step that has so many; None without one."""
        steps = {int(row["step"]) for row in json_lines(self._folder / SAMPLES)}
        for earlier in sorted((one for one in steps if one < step), reverse=True):
            if len(found := self.rows(earlier)) >= count:
                return found[:count]
        return None

    def write_values(
        self, name: str, values: Values, *, digest: str, step: int, epoch: float
    ) -> None:
        """Keep what the texts of a set scored."""
        if values:
            scores.append(self._folder, Scores(step, epoch, name, digest, values))

    def values(self, name: str, step: int) -> Values:
        """What they scored at a point; empty where nothing was kept."""
        found = (each for each in scores.read(self._folder, of=name) if each.step == step)
        return next((each.values for each in found), {})


def keep(folder: Path, steps: Collection[int]) -> None:
    """Drop the answers and scores of other steps, and what was written half."""
    for name in (SAMPLES, scores.NAME):
        path = folder / name
        if not path.exists():
            continue
        kept = [row for row in json_lines(path) if row.get("step") in steps]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
        whole.replace(path, text)
