"""What a user does with projects, as a stream of changes that a killer may cut off anywhere.

Each change is announced before it is begun and acknowledged, with all that is to be seen then,
after it returned. `lost` compares what is found after a kill with what was acknowledged.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from easymodel_nb.runlog.log import RunLog, RunReader, runs_folder
from easymodel_nb.store import record
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.store.templates import generation
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Node, Workflow

State = dict[str, Any]
Change = dict[str, Any]
THEMES = ("auto", "light", "dark")


def noted(text: str) -> Workflow:
    """A small document that says something."""
    return Workflow(nodes=[Node(id="n1", type="note", data={"text": text})])


def text_of(workflow: Workflow) -> str:
    """What it says."""
    return str(workflow.nodes[0].data.get("text", "")) if workflow.nodes else ""


def state(home: Path) -> State:
    """All that a studio would show of this home."""
    store = ProjectStore(home)
    live = {info.id: store.load(info.id) for info in store.list_projects()}
    return {
        "order": list(live),
        "live": {one: [found.name, text_of(found.workflow)] for one, found in live.items()},
        "trash": {gone.id: gone.name for gone in store.trash.items()},
        "theme": store.settings.read().theme,
        "runs": {
            folder.name: len(list(RunReader(folder).events()))
            for folder in sorted(runs_folder(home).glob("*"))
            if (folder / "events.jsonl").exists()
        },
        "damaged": [str(path) for path in home.rglob("*.damaged")],
    }


class Life:
    """Changes, one after the other, chosen by chance."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home, self.store = home, ProjectStore(home)
        self.chance, self.number = random.Random(seed), seed * 1000
        self.manager = RunManager(home)
        self.manager._work = lambda: None  # type: ignore[method-assign]  nothing trains here
        self.logs: dict[str, RunLog] = {}

    def changes(self) -> Iterator[tuple[Change, Callable[[], object]]]:
        """What is about to be done, and the doing."""
        while True:
            live = [info.id for info in self.store.list_projects()]
            trash = [gone.id for gone in self.store.trash.items()]
            kinds = ["create", "settings"]
            if live:
                kinds += ["edit", "edit", "edit", "rename", "duplicate", "run", "log", "delete"]
            kinds += ["move"] if len(live) > 1 else []
            kinds += ["restore", "empty"] if trash else []
            if len(live) > 6:
                kinds = ["delete", "edit", "move", "restore" if trash else "delete"]
            yield self.change(self.chance.choice(kinds), live, trash)

    def change(
        self, kind: str, live: list[str], trash: list[str]
    ) -> tuple[Change, Callable[[], object]]:
        """One change of a kind."""
        store = self.store
        self.number += 1
        text = f"{kind} {self.number}"
        gone = kind in {"restore", "empty"}
        one = self.chance.choice(trash if gone else live) if (trash if gone else live) else ""
        theme = self.chance.choice(THEMES)
        before = self.chance.choice([None, *(other for other in live if other != one)])
        change: Change = {"kind": kind, "id": one, "text": text}
        if kind in {"create", "run", "log", "settings"}:
            change["id"] = ""
        if kind == "settings":
            change["text"] = theme
        work: dict[str, Callable[[], object]] = {
            "create": lambda: store.create(text, noted(text)),
            "edit": lambda: store.save(one, noted(text), store.load(one).revision),
            "rename": lambda: store.rename(one, text),
            "duplicate": lambda: store.duplicate(one),
            "move": lambda: store.move(one, before),
            "delete": lambda: store.delete(one),
            "restore": lambda: store.restore(one),
            "empty": lambda: store.trash.empty([one]),
            "run": lambda: self.run(one),
            "log": self.log,
            "settings": lambda: store.settings.remember(theme=theme),
        }
        return change, work[kind]

    def run(self, project_id: str) -> None:
        """Queue a run as Train does."""
        (run,) = self.manager.submit(generation(), project_id=project_id)
        self.logs[run.id] = RunLog(run.folder)

    def log(self) -> None:
        """A line of a run as its trainer writes it."""
        for log in list(self.logs.values())[-1:]:
            log.append("stage", stage="preparing", message="Reading " + "x" * 300)


def plant(home: Path, count: int, *, version: int) -> list[str]:
    """Projects as an EasyModel of that document version left them."""
    store, ids = ProjectStore(home), []
    for number in range(count):
        project = store.create(f"Planted {number}", noted(f"planted {number}"))
        stem = home / "projects" / project.id
        raw = record.read(stem, "project") or {}
        workflow = {**raw["workflow"], "version": version}
        record.write(stem, "project", {**raw, "workflow": workflow})
        ids.append(project.id)
    return ids


def lost(before: State, change: Change | None, after: State) -> list[str]:  # noqa: C901  a line a rule
    """What was acknowledged and is not there, or is there and was never meant to be."""
    change = change or {"kind": "", "id": "", "text": ""}
    kind, target, text = change["kind"], change["id"], change["text"]
    found = [f"set aside: {name}" for name in after["damaged"]]
    for one, known in before["live"].items():
        now = after["live"].get(one)
        if one != target:
            if now != known:
                found.append(f"{one} was {known}, is {now}")
        elif now is None:
            if kind != "delete" or after["trash"].get(one) != known[0]:
                found.append(f"{one} is gone while it was to {kind}")
        elif now not in (known, [known[0], text], [text, known[1]]):
            found.append(f"{one} was {known}, is {now} while it was to {kind}")
    for one, name in before["trash"].items():
        there = after["trash"].get(one) == name
        back = after["live"].get(one, [None])[0] == name
        allowed = {"restore": there != back, "empty": not back}.get(kind, False)
        if not (allowed if one == target else there and not back):
            found.append(f"{one} in the trash was to {kind}: {there}, {back}")
    fresh = set(after["live"]) - set(before["live"]) - set(before["trash"])
    if len(fresh) > (kind in {"create", "duplicate"}):
        found.append(f"from nowhere: {fresh}")
    stay = [one for one in before["order"] if one in after["live"] and one != target]
    if [one for one in after["order"] if one in stay] != stay:
        found.append(f"order was {before['order']}, is {after['order']}")
    if after["theme"] not in {before["theme"], *([text] if kind == "settings" else [])}:
        found.append(f"theme was {before['theme']}, is {after['theme']}")
    found += [
        f"run {run} had {lines} lines, has {after['runs'].get(run)}"
        for run, lines in before["runs"].items()
        if after["runs"].get(run, 0) < lines
    ]
    return found


def told(line: str) -> dict[str, Any] | None:
    """One message of a worker; None where the kill cut it off."""
    if not line.endswith("\n"):
        return None
    found: dict[str, Any] = json.loads(line)
    return found
