"""Runs on two machines with one synced folder: logs that grow and branch, models that wait."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from clouds import Cloud, FaultyFolder, Machine

from easymodel_nb.runlog.log import RunLog, read_view, runs_folder, write_live

RUN = "20260101T000000000-abcd"
PLAN = {"method": "lora", "run_id": RUN}


@pytest.fixture
def two(tmp_path: Path) -> tuple[Machine, Machine]:
    cloud = Cloud()
    return (
        Machine(tmp_path / "a", FaultyFolder(cloud, Random(1))),
        Machine(tmp_path / "b", FaultyFolder(cloud, Random(2))),
    )


def begin(machine: Machine, name: str = RUN, method: str = "lora") -> RunLog:
    folder = runs_folder(machine.home) / name
    folder.mkdir(parents=True)
    log = RunLog(folder)
    request = {"node": {"id": "f1", "label": "Poems", "data": {}}}
    log.append("run_created", project_id="p", node_id="f1", request=request)
    plan = {**PLAN, "method": method, "run_id": name}
    log.append("run_started", attempt=1, plan=plan, environment={})
    (folder / "plan.json").write_text(json.dumps(plan))
    return log


def step(log: RunLog, number: int, loss: float = 1.0) -> None:
    fields: dict[str, Any] = {"max_steps": 100, "epoch": number / 10, "epochs": 10}
    log.append("progress", step=number, loss=loss, **fields)


def checkpoint(log: RunLog, number: int, size: int = 100) -> Path:
    folder = log.folder / "checkpoints" / f"checkpoint-{number}"
    folder.mkdir(parents=True)
    (folder / "trained.safetensors").write_bytes(bytes([number % 256]) * size)
    (folder / "manifest.json").write_text(json.dumps({"identity": {"run_id": log.run_id}}))
    log.append("checkpoint", step=number, path=f"checkpoints/checkpoint-{number}", bytes=size)
    return folder


def finish(log: RunLog, how: str = "run_finished", **more: Any) -> None:
    (log.folder / "model").mkdir()
    (log.folder / "model" / "config.json").write_text("{}")
    (log.folder / "model" / "model.safetensors").write_bytes(b"m" * 300)
    log.append(how, summary={}, model_path="model", **more)


def exchange(*machines: Machine) -> None:
    for machine in machines:
        machine.save()
    for machine in (*machines, *machines):
        machine.folder.sync()
    for machine in machines:
        machine.begin()
        machine.look()


def fetch(machine: Machine) -> list[str]:
    brought = []
    while wanted := machine.runs.next():
        assert machine.runs.fetch(wanted, lambda: False)
        brought.append(wanted.unit)
    return brought


def ids(machine: Machine) -> list[str]:
    root = runs_folder(machine.home)
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


def test_a_run_that_ended_comes_with_its_log_at_once_and_its_model_later(
    two: tuple[Machine, Machine],
):
    a, b = two
    log = begin(a)
    step(log, 10)
    checkpoint(log, 10)
    finish(log, "run_stopped", reason="user")
    (log.folder / "samples.jsonl").write_text('{"index": 0}\n')
    exchange(a, b)
    folder = runs_folder(b.home) / RUN
    assert read_view(folder).status == "stopped"
    assert (folder / "samples.jsonl").read_text() == '{"index": 0}\n'
    assert not (folder / "model").exists()
    assert sum(one.size for one in b.runs.missing(RUN)) > 400
    assert fetch(b) == ["checkpoints/checkpoint-10", "model"]  # what can go on comes first
    assert (folder / "model" / "model.safetensors").read_bytes() == b"m" * 300
    b.look()
    assert b.runs.missing(RUN) == []


def test_what_was_brought_is_not_copied_once_more(two: tuple[Machine, Machine]):
    a, b = two
    log = begin(a)
    checkpoint(log, 10)
    finish(log)
    exchange(a, b)
    fetch(b)
    b.save()
    b.folder.sync()
    mine = [path for path in b.folder.cloud.files if path.startswith(b.memory.machine)]
    assert not any("/runs/" in path for path in mine)


def test_a_run_under_way_is_copied_as_of_its_last_checkpoint(two: tuple[Machine, Machine]):
    a, b = two
    log = begin(a)
    checkpoint(log, 10)
    write_live(log.folder, attempt=1)
    a.save()
    step(log, 11)
    a.save()
    a.folder.sync()
    b.folder.sync()
    b.look()
    assert read_view(runs_folder(b.home) / RUN).status == "interrupted"
    assert read_view(runs_folder(b.home) / RUN).resumable == 10
    assert (
        read_view(runs_folder(b.home) / RUN).step == 10
        or "progress" not in (runs_folder(b.home) / RUN / "events.jsonl").read_text()
    )
    checkpoint(log, 20)
    a.save()
    a.folder.sync()
    b.folder.sync()
    b.begin()
    b.look()
    assert read_view(runs_folder(b.home) / RUN).resumable == 20


def test_a_run_that_went_on_elsewhere_goes_on_here(two: tuple[Machine, Machine]):
    a, b = two
    log = begin(a)
    checkpoint(log, 10)
    exchange(a, b)
    fetch(b)
    there = RunLog(runs_folder(b.home) / RUN)
    there.append("run_started", attempt=2, plan=PLAN, environment={})
    there.append("run_resumed", attempt=2, step=10)
    checkpoint(there, 20)
    finish(there)
    exchange(b, a)
    assert ids(a) == [RUN]
    assert read_view(runs_folder(a.home) / RUN).status == "finished"
    assert "model" in fetch(a)


def test_a_run_that_went_on_in_two_places_is_two_runs(two: tuple[Machine, Machine]):
    a, b = two
    log = begin(a)
    checkpoint(log, 10)
    exchange(a, b)
    fetch(b)
    for machine, loss in ((a, 2.0), (b, 3.0)):
        there = RunLog(runs_folder(machine.home) / RUN)
        there.append("run_started", attempt=2, plan=PLAN, environment={})
        step(there, 11, loss)
        checkpoint(there, 20)
        there.append("run_stopped", reason="user")
    for _ in range(3):
        exchange(a, b)
    for machine, loss in ((a, 2.0), (b, 3.0)):
        assert len(ids(machine)) == 2
        other = next(name for name in ids(machine) if name != RUN)
        assert read_view(runs_folder(machine.home) / RUN).loss == loss
        view = read_view(runs_folder(machine.home) / other)
        assert view.loss == 5.0 - loss
        fetch(machine)
        folder = runs_folder(machine.home) / other
        assert json.loads((folder / "plan.json").read_text())["run_id"] == other
        manifest = folder / "checkpoints" / "checkpoint-20" / "manifest.json"
        assert json.loads(manifest.read_text())["identity"]["run_id"] == other


def test_a_full_checkpoint_is_copied_only_where_the_user_agreed(two: tuple[Machine, Machine]):
    a, _ = two
    log = begin(a, method="full")
    checkpoint(log, 10, size=5000)
    a.save()
    assert not any("checkpoint-10" in path for path in a.folder.seen)
    (step_, size) = a.saver.asked[RUN]
    assert step_ == 10
    assert size > 5000
    assert a.saver.safe == {}
    a.contents.agree(RUN, agreed=False)
    a.save()
    assert not any("checkpoint-10" in path for path in a.folder.seen)
    assert a.saver.asked == {}
    assert a.saver.declined == {RUN: (10, size)}  # so that the answer can be taken back
    a.contents.agree(RUN, agreed=True)
    a.save()
    assert any("checkpoint-10" in path for path in a.folder.seen)
    assert a.saver.asked == a.saver.declined == {}
    assert a.saver.safe == {RUN: 10}


def test_of_a_finished_run_no_checkpoint_is_copied_or_asked_about(two: tuple[Machine, Machine]):
    a, _ = two
    for method in ("full", "lora"):
        log = begin(a, f"{RUN}-{method}", method)
        checkpoint(log, 10)
        finish(log)
    a.save()
    assert a.saver.asked == {}
    assert not any("checkpoint-10" in path for path in a.folder.seen)
    assert any("model.safetensors" in path for path in a.folder.seen)


def test_no_checkpoint_is_safe_before_it_was_read_back(two: tuple[Machine, Machine]):
    a, _ = two
    log = begin(a)
    checkpoint(log, 10)
    a.folder.faults = 1.0
    assert not a.attempt(a.save)
    assert a.saver.safe == {}
    a.folder.faults = 0.0
    a.save()
    assert a.saver.safe == {RUN: 10}


def test_what_signs_in_is_in_no_file_there(two: tuple[Machine, Machine]):
    a, _ = two
    token, password = "hf_" + "abcdefghijkl" * 3, "geheim123"
    log = begin(a)
    source = f"https://ada:{password}@example.org/x.csv?X-Amz-Signature={password}&a=1"
    log.append("stage", stage="loading", message=f"Loading {source} with {token}")
    (log.folder / "plan.json").write_text(json.dumps({**PLAN, "source": source}))
    a.store.create(f"with {token}")
    a.save()
    everything = b"".join(a.folder.seen.values()) + "".join(a.folder.seen).encode()
    assert b"example.org/x.csv" in everything
    assert token.encode() not in everything
    assert password.encode() not in everything


def test_what_a_manifest_names_outside_is_never_written(two: tuple[Machine, Machine]):
    a, b = two
    log = begin(a)
    finish(log)
    a.save()
    published = a.memory.published
    assert published is not None
    run = published.runs[RUN]
    stored = run.files["plan.json"]
    run.files |= {"../../evil": stored, "model/../../evil": stored, "/tmp/evil": stored}
    published.runs["../evil"] = run
    content = published.model_copy(update={"number": 9}).model_dump_json().encode()
    import hashlib

    name = f"00000009-{hashlib.sha256(content).hexdigest()[:16]}.json"
    b.folder.seen = {**a.folder.seen, f"{a.memory.machine}/manifests/{name}": content}
    b.look()
    fetch(b)
    assert ids(b) == [RUN]
    assert not list(b.home.parent.rglob("evil*"))


def go_on(machine: Machine, name: str, loss: float) -> None:
    there = RunLog(runs_folder(machine.home) / name)
    there.append("run_started", attempt=2, plan=PLAN, environment={})
    step(there, 11, loss)
    there.append("run_stopped", reason="user")


def losses(machine: Machine) -> set[float]:
    return {
        json.loads(line)["loss"]
        for name in ids(machine)
        for line in (runs_folder(machine.home) / name / "events.jsonl").read_text().splitlines()
        if '"progress"' in line
    }


def test_a_branch_and_its_copy_may_both_go_on(two: tuple[Machine, Machine]):
    a, b = two
    begin(a)
    exchange(a, b)
    go_on(a, RUN, 2.0)
    go_on(b, RUN, 3.0)
    exchange(a, b)
    (copy,) = [name for name in ids(b) if name != RUN]  # of what a did
    go_on(b, copy, 4.0)
    for more in (5.0, 6.0):
        go_on(a, RUN, more)
        exchange(a, b)
        exchange(a, b)
    assert losses(a) == losses(b) == {2.0, 3.0, 4.0, 5.0, 6.0}
    known = ids(a), ids(b)
    exchange(a, b)
    assert (ids(a), ids(b)) == known
