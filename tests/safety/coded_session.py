"""Opens models with code of their own in every way there is, and prints what came of each.

Usage: python coded_session.py HOME FOLDER COMMIT with HF_ENDPOINT set. FOLDER is such a model on
this machine, COMMIT that of someone/counting; both touch a file when they are imported. Each line
is JSON: a name, what came of it, and which of the files are there.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import sources
from easymodel_nb.train.api import resume, stop_all, train
from easymodel_nb.train.control import Control
from easymodel_nb.train.export import export
from easymodel_nb.train.fit import fit_check
from easymodel_nb.train.hub.look import HubLook
from easymodel_nb.train.hub.search import search
from easymodel_nb.train.local_sources import paths
from easymodel_nb.train.manager import manager_of
from easymodel_nb.train.takeaway.parcel import parcel
from easymodel_nb.train.trying import load_base, load_tuned
from easymodel_nb.trust import consents, giving
from easymodel_nb.workflow.document import ModelData, Workflow

HOME, FOLDER, COMMIT = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
REPO = "someone/counting"
SMALL = {
    "epochs": 1,
    "subset_size": 32,
    "eval_size": 8,
    "batch_size": 8,
    "max_length": 48,
    "analytics_budget": 0,
}


def marks() -> list[str]:
    return sorted(path.name for path in HOME.parent.glob("ran-*"))


def step(name: str, work: Callable[[], Any]) -> Any:
    """Do it, and say what came of it."""
    found, code = None, "fine"
    try:
        found = work()
    except StudioError as error:
        code = error.problems[0].code
    told = found if isinstance(found, str) else None
    print(json.dumps({"step": name, "code": code, "told": told, "ran": marks()}))  # noqa: T201
    return found


def workflow(source: str, **settings: Any) -> dict[str, Any]:
    nodes = [
        {"id": "m", "type": "model", "data": {"source": source}},
        {"id": "d", "type": "dataset", "data": {"source": "builtin:requests"}},
        {"id": "f", "type": "finetune", "data": SMALL | settings},
    ]
    edges = [
        {"id": k, "source": k[0], "sourceHandle": k, "target": "f", "targetHandle": k}
        for k in ("model", "dataset")
    ]
    return {"nodes": nodes, "edges": edges}


def request(source: str) -> dict[str, Any]:
    model, dataset, node = workflow(source)["nodes"]
    return {"node": node, "model": model, "dataset": dataset}


def trained(source: str, **settings: Any) -> Run:
    (run,) = train(workflow(source, **settings), home=HOME)
    if run.view.problem is not None:
        sys.stderr.write(run.view.detail)
        raise StudioError(run.view.problem)
    return run


def asked_about(source: str) -> str:
    look = HubLook(lambda: None, HOME)
    data = ModelData(source=source)
    told = sources.describe_model(data, HOME) or look.describe(data, None)
    assert told is not None
    return told.problem.code if told.problem else "nothing"


def everything_but_running(source: str) -> None:
    step("look", lambda: asked_about(source))
    step("audit and train", lambda: trained(source))
    step("export", lambda: written(source))
    step("fit", lambda: fit_check(request(source), HOME, lambda: None, Control(HOME)))


def tried(run: Run) -> str:
    tuned = load_tuned(run, "cpu")
    base = load_base(run, "cpu", tuned)
    quiet: Any = lambda *_: None  # noqa: E731
    texts = [side.answer("Say hello", "", quiet, lambda: False).text for side in (tuned, base)]
    return f"{len(texts)} answers"


def written(source: str) -> str:
    """The node as a script."""
    return export(Workflow.read(workflow(source)), "f", "script", HOME)[1]


def packed(run: Run) -> str:
    """What is taken away and sent: the names of the files, and the card."""
    found = parcel(run)
    return " ".join(item.name for item in found.items) + "\n" + found.card


def imported() -> str:
    """A run of somebody else's, whose plan says that its code was allowed."""
    folder = HOME / "runs" / "20260101T000000000-aaaa"
    if not folder.exists():
        shutil.copytree(HOME.parent / "foreign", folder)
    Run(folder).load()
    return "loaded"


def continued(run: Run) -> str:
    """A second run, which begins with the model of the first."""
    model = {"id": "m", "run_of": "f", "run": run.id}
    manager = manager_of(HOME)
    second = manager.submit_request(request(REPO) | {"model": model})
    found = manager.wait(second.id)
    if found.view.problem is not None:
        raise StudioError(found.view.problem)
    assert found.plan is not None
    return f"{found.status} with {found.plan['model']['code']['commit']}"


def stopped() -> Run:
    """A run that is asked to stop at its first step."""

    def heard(event: dict[str, Any]) -> None:
        if event["type"] == "progress":
            stop_all("user")

    (run,) = train(workflow(REPO, epochs=4), home=HOME, on_event=heard)
    return run


class Harmful:
    """Says so when it was unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (HOME.parent / "ran-poison",)


def poisoned(run: Run) -> str:
    """The run as somebody may hand it on: whatever of its checkpoint is a pickle is harmful."""
    copied = HOME / "runs" / "20260101T000000000-bbbb"
    shutil.copytree(run.folder, copied)
    found = [
        path
        for path in (copied / "checkpoints").rglob("*")
        if path.suffix in {".pt", ".pth", ".bin"} and path.is_file()
    ]
    for path in found:
        torch.save({"state": Harmful()}, path)
    ended = resume(copied.name, home=HOME)
    return " ".join([ended.status, *sorted(path.name for path in found)])


def gone_on(run: Run) -> str:
    before = run.view.step
    found = resume(run.id, home=HOME)
    return f"{found.status} from {found.view.resumed_from} of {before}"


def main() -> None:
    """All of it, in the order in which a user could."""
    step("search", lambda: search("model", "counting", None, None) and None)
    step("paths", lambda: list(paths("model", f"{FOLDER.parent}/")) and None)
    for place in (REPO, str(FOLDER)):
        everything_but_running(place)
    step("imported", imported)
    step("vague", lambda: giving.allow_named(HOME, [REPO]))
    step("short", lambda: giving.allow_named(HOME, [f"{REPO}@{COMMIT[:7]}"]))
    giving.allow_named(HOME, [f"{REPO}@{'0' * 40}"])
    step("another commit", lambda: trained(REPO))

    giving.allow_named(HOME, [f"{REPO}@{COMMIT}"])
    run = step("train", lambda: trained(REPO))
    step("folder, still", lambda: asked_about(str(FOLDER)))
    step("imported, still", imported)
    step("plan", lambda: run.plan["model"]["code"]["commit"])
    step("contacts", (run.folder / "destinations.json").read_text)
    step("saved", lambda: " ".join(sorted(path.name for path in run.model_path.iterdir())))
    step("opened", lambda: type(run.load()[0]).__name__)
    step("tried", lambda: tried(run))
    step("packed", lambda: packed(run))
    step("exported", lambda: written(REPO))
    step("continued", lambda: continued(run))
    half = step("stopped", stopped)
    step("poisoned", lambda: poisoned(half))
    step("resumed", lambda: gone_on(half))
    step("adapters", lambda: type(trained(REPO, method="lora").load()[0]).__name__)

    # What is no longer the same is asked about, also in the cache and in the run's own folder.
    snapshot = Path(run.plan["model"]["path"])
    other = snapshot / "modeling_counting.py"
    before = other.read_bytes()
    other.unlink()  # a link to the cache's own copy
    other.write_bytes(before + b"\nopen(%r, 'w')\n" % str(HOME.parent / "ran-tampered"))
    step("tampered cache", lambda: trained(REPO))
    saved = run.model_path / "modeling_counting.py"
    saved.write_bytes(other.read_bytes())
    step("tampered run", run.load)
    other.write_bytes(before)
    saved.write_bytes(before)
    step("mended", lambda: type(run.load()[0]).__name__)
    consents.withdraw(HOME, "code", REPO, COMMIT)
    step("taken back", run.load)
    step("taken back, train", lambda: trained(REPO))


main()
