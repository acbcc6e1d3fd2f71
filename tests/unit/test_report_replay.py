"""A recorded run played again: the same end, no torch, and nothing can be trained."""

import json
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import RunLog, runs_folder
from easymodel_nb.runlog.run import Run
from easymodel_nb.widgets.recording import names, recording
from easymodel_nb.widgets.replay import Gate, Player, described
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio

BUNDLE = ("export default {}", "")


def ppl(value: float) -> dict[str, Any]:
    measured = {"value": value, "low": value * 0.9, "high": value * 1.1, "n": 40}
    return {"perplexity": {"validation": measured}}


def node(kind: str, name: str, source: str) -> dict[str, Any]:
    return {"id": name, "type": kind, "position": {"x": 0, "y": 0}, "data": {"source": source}}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder as a run leaves it, model aside."""
    folder = runs_folder(tmp_path_factory.mktemp("home")) / "20260101T000000000-abcd"
    folder.mkdir(parents=True)
    log = RunLog(folder)
    finetune = {"id": "f9", "type": "finetune", "position": {"x": 380, "y": 0}, "data": {}}
    request = {
        "name": "Recorded",
        "node": finetune,
        "model": node("model", "m9", "/somewhere/of/mine/small-model"),
        "dataset": node("dataset", "d9", "builtin:requests"),
    }
    plan = {
        "model": {"name": "small-model", "parameters": 3_000_000},
        "dataset": {"name": "requests", "train_rows": 40, "eval_rows": 8},
        "finetune": {"task": "generation", "epochs": 1, "learning_rate": 1e-3},
        "epochs": 1,
        "max_steps": 2,
        "choices": [{"field": "learning_rate", "value": 1e-3, "reason": "usual for it"}],
    }
    log.append("run_created", project_id="p", node_id="f9", request=request)
    log.append("run_started", attempt=1, plan=plan, environment={"device": "CPU, 2 cores"})
    log.append("epoch", step=0, epoch=0, analytics=ppl(40.0))
    log.append("samples", step=0, epoch=0, rows=1)
    log.append("progress", step=1, max_steps=2, epoch=0.5, epochs=1, loss=3.0)
    log.append("progress", step=2, max_steps=2, epoch=1.0, epochs=1, loss=2.0)
    log.append("epoch", step=2, epoch=1, analytics=ppl(20.0))
    log.append("samples", step=2, epoch=1, rows=1)
    log.append("run_finished", summary={}, model_path="model")
    rows = [
        {"epoch": e, "step": s, "index": 0, "prompt": "Say", "reference": "Hi", "text": text}
        for e, s, text in ((0, 0, "uh"), (1, 2, "Hi there"))
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "samples.jsonl").write_text(lines, encoding="utf-8")
    return folder


def player(source: object) -> Player:
    made = Player(recording(source))
    made.stop()  # all at once
    made.start()
    return made


def test_it_ends_as_it_did(recorded: Path):
    made = player(recorded)
    run, was = made.wait(timeout=30), Run(recorded)
    assert run.id == was.id
    assert run.status == "finished"
    assert run.view.points == was.view.points
    assert run.view.curve == was.view.curve
    assert run.sample_rows() == was.sample_rows()
    assert run.model_path is None, "there is no model to take away"
    assert run.view.request["recorded"] is True


def test_before_it_is_played_nothing_is_told_of_its_end(recorded: Path):
    made = Player(recording(recorded))
    (view,) = made.views()
    assert view.points == []
    assert view.samples == []


def test_a_record_that_was_cut_off_looks_interrupted(recorded: Path, tmp_path: Path):
    lines = (recorded / "events.jsonl").read_text().splitlines(keepends=True)
    log = tmp_path / "events.jsonl"
    log.write_text("".join(lines[:5]))
    assert player(log).wait(timeout=30).status == "interrupted"


@pytest.fixture
def studio(recorded: Path) -> Studio:
    made = player(recorded)
    session = Session(
        made.home,
        made,
        describe=described(made.recording),
        variables=list,
        audits=Gate(),
        notice="Recorded",
    )
    return Studio(session, script_and_styles=BUNDLE)


def test_the_canvas_is_the_runs_own(studio: Studio):
    workflow = studio.project.workflow
    assert [n.id for n in workflow.nodes] == ["m9", "d9", "f9"]
    assert studio.project.name == "Recorded: Recorded"
    assert studio._workbench.catalog["notice"] == "Recorded"


def test_training_is_refused_and_says_why(studio: Studio):
    for command, params in (("train", {"node": "f9"}), ("resume", {"run": studio.runs[0].id})):
        with pytest.raises(StudioError, match="recorded run"):
            studio.command(command, **params)


def test_snapshot_and_report_work_as_for_any_run(studio: Studio, tmp_path: Path):
    studio.wait(timeout=30)
    assert "Validation perplexity fell from 40.0 to 20.0" in studio.snapshot()._words
    packed = studio.report(path=tmp_path / "report.zip")
    again = recording(packed)
    assert again.run_id == studio.runs[0].id
    assert "somewhere" not in json.dumps(again.events), "paths of a machine stay there"
    assert player(packed).wait(timeout=30).status == "finished"


def test_the_command_packs_the_report_as_a_job(studio: Studio, tmp_path: Path):
    studio.wait(timeout=30)
    done = threading.Event()

    def look() -> None:
        if all(job.state not in {"waiting", "working"} for job in studio._session.jobs.items()):
            done.set()

    studio._session.changed = look
    job = studio.command("report", run=studio.runs[0].id)["job"]
    look()
    assert done.wait(60)
    (found,) = studio._session.jobs.items()
    assert (found.id, found.kind, found.state) == (job, "report", "done"), found
    data, total = studio._session.jobs.part(job, 0)
    assert len(data) == total == found.total
    (tmp_path / "got.zip").write_bytes(data)
    assert recording(tmp_path / "got.zip").run_id == studio.runs[0].id


def test_one_run_alone_is_compared_with_nothing(studio: Studio):
    with pytest.raises(StudioError, match="two runs"):
        studio.compare()


@pytest.mark.parametrize("make", ["folder", "file", "zip", "run"])
def test_every_kind_of_record_is_found(make: str, recorded: Path, tmp_path: Path):
    source: object = recorded
    if make == "file":
        source = str(recorded / "events.jsonl")
    elif make == "run":
        source = Run(recorded)
    elif make == "zip":
        source = tmp_path / "run.zip"
        with zipfile.ZipFile(str(source), "w") as archive:
            archive.write(recorded / "events.jsonl", "deep/inside/events.jsonl")
    assert recording(source).run_id == recorded.name


@pytest.mark.parametrize("content", ["", "not JSON", '{"type": "stage"}', "[1, 2]"])
def test_what_is_no_record_is_a_sentence(content: str, tmp_path: Path):
    (tmp_path / "events.jsonl").write_text(content)
    for source in (tmp_path, tmp_path / "nothing", tmp_path / "events.jsonl", 7, "builtin:nope"):
        with pytest.raises(StudioError, match=r"recorded run|There is no run|replay="):
            recording(source)


@pytest.mark.parametrize("name", names())
def test_the_recorded_runs_of_the_package(name: str):
    made = recording(f"builtin:{name}")
    assert player(f"builtin:{name}").wait(timeout=60).status == "finished"
    # No folder of the machine that recorded it, whatever it is called there.
    assert re.findall(r'"(?:/|~/|[A-Za-z]:\\\\)\w[^" ]*', json.dumps(made.events)) == []


def test_neither_torch_nor_transformers_is_needed(recorded: Path):
    program = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"torch", "transformers", "datasets", "sklearn", "peft"}}:
            raise ImportError(f"{{name}} is blocked")
sys.meta_path.insert(0, Blocked())
from easymodel_nb.widgets import workbench
workbench.bundle = lambda: ({BUNDLE[0]!r}, "")
import easymodel_nb as easymodel
studio = easymodel.studio(replay={str(recorded)!r})
studio.command("stop")
run = studio.wait(timeout=60)
assert run.status == "finished", run
assert "fell from 40.0 to 20.0" in repr(studio.snapshot())
assert studio.report().stat().st_size > 1000
studio.close()
print("played")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().endswith("played"), done.stderr
    assert "Error" not in done.stderr, done.stderr
