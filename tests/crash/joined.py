"""A run that was killed: what is true of it at once, and after it went on to its end."""

import itertools
import json
from pathlib import Path
from typing import Any

from cutting import STEPS, told
from kernels import Death, Kernels

from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.train.manager import RunManager
from easymodel_nb.widgets import cards

PER_EPOCH = STEPS // 2
# What an attempt says of having been cut off; nothing of it is in an uninterrupted run.
OF_THE_CUT = frozenset({"worker.killed", "resume.beginning"})
LINES = ("samples.jsonl", "scores.jsonl")


def story(run: Run) -> dict[str, Any]:
    """All that is shown of a run and does not depend on the clock or on its being cut off."""
    found = told(run)
    found["warnings"] = [w for w in found["warnings"] if w[0] not in OF_THE_CUT]
    for name in LINES:  # line by line: what is there twice would be shown twice
        found[name] = sorted((run.folder / name).read_text("utf-8").splitlines())
    return found


def assert_same(run: Run, whole: dict[str, Any]) -> None:
    """The joined run is the uninterrupted one."""
    joined = story(run)
    steps = [point[0] for point in joined["curve"]]
    assert steps == list(range(1, STEPS + 1))
    for part, value in whole.items():
        assert joined[part] == value, part


def assert_numbered(run: Run) -> None:
    """Through all attempts the log has each number once, and every line is whole."""
    lines = (run.folder / "events.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(len(lines)))


def interrupted(home: Path) -> list[RunView]:
    """Every run that a kernel's death has cut off, as the next studio shows it: oldest first."""
    views = RunManager(home).views()
    shown = cards.runs_state(views, "p", [], None).items
    for card in shown:
        assert card.status in {"interrupted", "finished"}, (card.id, card.status)
        assert (card.resumable is None) == (card.status == "finished")
    return [view for view in reversed(views) if view.status == "interrupted"]


def go_on(kernels: Kernels, home: Path, view: RunView, death: Death | None = None) -> bool:
    """Resume a run in a new kernel, maybe to its next death; whether it was killed again.

    No step before its newest checkpoint is trained once more.
    """
    known = view.resumable
    assert known is not None
    killed = kernels.live(home, resume=[view.id], death=death).killed
    after = RunManager(home).view(view.id)
    begun = after.resumed[len(view.resumed) :]
    assert all(known <= step <= known + PER_EPOCH for step in (r["step"] for r in begun))
    return killed


def to_the_end(kernels: Kernels, home: Path, deaths: "list[Death] | None" = None) -> int:
    """Resume whatever was cut off, dying on the way as given; how many deaths came of it."""
    died, left = 0, iter([*(deaths or [])])
    while cut := interrupted(home):
        for view in cut:
            died += go_on(kernels, home, view, next(left, None))
    return died


def all_runs(home: Path) -> list[Run]:
    """The runs of a home, oldest first."""
    manager = RunManager(home)
    return [manager.run(view.id) for view in reversed(manager.views())]


def repeated(run: Run) -> int:
    """How many steps were trained more than once, by the lines of the log."""
    lines = (run.folder / "events.jsonl").read_text("utf-8").splitlines()
    steps = sorted(e["step"] for e in map(json.loads, lines) if e["type"] == "progress")
    return sum(a == b for a, b in itertools.pairwise(steps))
