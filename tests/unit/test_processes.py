"""How many GPUs a run asks for, what the machine has, and whose rows are whose."""

import sys
from pathlib import Path

import pytest

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train.distributed.runner import ASKED, ProcessesRunner, runner_for
from easymodel_nb.train.distributed.shares import Idle, dealt, share
from easymodel_nb.train.distributed.world import join
from easymodel_nb.train.runner import ThreadRunner
from easymodel_nb.workflow.check import check


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "gpus", lambda **_: 4)


def found(**data: object) -> list[tuple[str, str, object]]:
    workflow = first_workflow()
    workflow.nodes[2].data |= data
    told = []
    for problem in check(workflow):
        changes = problem.fix.set if problem.fix else None
        told.append((problem.code, problem.field or "", changes[0].value if changes else None))
    return told


def test_a_document_of_a_larger_machine_is_refused_here_with_one_click_to_mend_it():
    assert found(processes=1) == []
    assert found(processes=2) == [("processes.machine", "processes", environment.gpus())]


@pytest.mark.usefixtures("four")
def test_as_many_as_there_are_and_no_more_than_a_batch_has_rows():
    assert found(processes=4) == []
    assert found(processes=5) == [("processes.machine", "processes", 4)]
    assert found(processes=4, batch_size=3) == [("processes.rows", "processes", 3)]


@pytest.mark.usefixtures("four")
def test_a_request_for_several_is_run_by_several_processes():
    def request(count: int, **more: int) -> dict[str, object]:
        return {"node": {"id": "f1", "data": {"processes": count}}, **more}

    assert runner_for(request(1), ThreadRunner) is ThreadRunner
    assert runner_for({"node": {"id": "f1", "data": {}}}, ThreadRunner) is ThreadRunner
    made = runner_for(request(2), ThreadRunner)()
    assert isinstance(made, ProcessesRunner)
    assert made.command[-2:] == ("--processes", "2")
    assert runner_for(request(8), ThreadRunner)().command[-1] == "4"  # a run that is resumed here
    assert runner_for(request(1, **{ASKED: 9}), ThreadRunner)().command[-1] == "9"
    assert runner_for(request(4, **{ASKED: 1}), ThreadRunner) is ThreadRunner


def test_gpus_are_counted_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(environment, "NVIDIA", tmp_path)
    assert environment.gpus() == 1
    for number in range(3):
        (tmp_path / f"0000:0{number}:00.0").mkdir()
    assert environment.gpus() == 3
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert environment.gpus() == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert environment.gpus() == 1
    assert "torch" not in sys.modules


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_every_row_of_a_batch_is_one_process_s_and_the_tokens_are_shared_out(size: int):
    lengths = [5, 90, 12, 40, 33, 7, 64, 8, 71, 20, 20, 3]
    rows = [list(range(n)) for n in lengths]
    shares = [share(rows, rank, size) for rank in range(size)]
    assert sorted(len(row) for part in shares for row in part) == sorted(lengths)
    counts = [len(part) for part in shares]
    assert max(counts) - min(counts) <= 1
    tokens = [sum(map(len, part)) for part in shares]
    assert max(tokens) - min(tokens) <= max(lengths)


def test_a_process_without_a_row_takes_part_with_one_that_counts_for_nothing():
    seen: list[list[str]] = []

    def collate(rows: object) -> dict[str, object]:
        seen.append(list(rows))  # type: ignore[call-overload]
        return {"rows": seen[-1]}

    assert not isinstance(dealt(collate, 0, 2)(["long"]), Idle)
    assert isinstance(dealt(collate, 1, 2)(["long"]), Idle)
    assert isinstance(dealt(collate, 2, 3)(["longest", "so"]), Idle)
    assert seen == [["long"], ["long"], ["so"]]


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, "--use_fsdp --fsdp_version 2"),
        ({"ACCELERATE_USE_FSDP": "true"}, "--fsdp_version 2"),
    ],
)
def test_what_cannot_be_shared_out_is_refused_with_what_can(
    asked: dict[str, str], instead: str, monkeypatch: pytest.MonkeyPatch
):
    for name, value in ({"RANK": "0", "WORLD_SIZE": "2"} | asked).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StudioError, match=instead):
        join()
