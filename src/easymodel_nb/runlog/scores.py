"""`runs/<id>/scores.jsonl`: what each text scored at each measured point.

The log has the means; paired intervals, comparisons of runs and sorted samples need the scores
text by text. One line a point and set:

    {"step": 12, "epoch": 1, "set": "validation", "digest": "...", "values": {"nll": [...]}}

`set` is "validation" (every held-out text; values `nll` and `tokens`, or `correct` and `loss`, or
`tokens`, `correct`, `true_positives`, `false_positives` and `false_negatives`) or "prompts" (the
texts of samples.jsonl, by their index: `overall` from 2 to 100, the axes from 0 to 1, `tokens`,
`reference_tokens`). A value is null where there is none. Two runs measured the same texts exactly
when their digests are equal.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from easymodel_nb.runlog.events import finite
from easymodel_nb.runlog.lines import json_lines

NAME = "scores.jsonl"
Values = dict[str, list[float | None]]


class Scores(NamedTuple):
    """The scores of one set at one point."""

    step: int
    epoch: float
    set: str
    digest: str
    values: Values


def digest(texts: Iterable[Sequence[object]]) -> str:
    """What tells one set of texts from another: SHA-256 over their JSON, in their order."""
    found = hashlib.sha256()
    for text in texts:
        found.update(json.dumps(list(text), ensure_ascii=False, default=str).encode())
        found.update(b"\n")
    return found.hexdigest()[:32]


def append(folder: Path, scores: Scores) -> None:
    """Write the scores of one point behind those before it."""
    line = json.dumps(finite(scores._asdict()), ensure_ascii=False, allow_nan=False)
    with (folder / NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read(folder: Path, *, of: str | None = None) -> list[Scores]:
    """The scores of a run by step; of a point that was measured again, the later ones.

    `of` names a set. A line that was torn by the end of its writer is dropped.
    """
    found = {}
    for line in json_lines(folder / NAME):
        try:
            scores = Scores(**line)
        except TypeError:
            continue
        if of is None or scores.set == of:
            found[scores.step, scores.set] = scores
    return [found[key] for key in sorted(found)]
