"""Bad input is a problem on its node and field with the remedy in words, and loses nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import chained, small
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
)

from easymodel_nb import builtin, environment
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.workflow.document import Workflow

# ------------------------------------------------------------ refused before there is a run


def no_dataset(workflow: Workflow) -> None:
    workflow.edges.pop()


def no_model(workflow: Workflow) -> None:
    workflow.edges.pop(0)


def circle(workflow: Workflow) -> None:
    workflow.edges[0].source, workflow.edges[0].sourceHandle = "f1", "model"


def no_nodes(workflow: Workflow) -> None:
    workflow.nodes.clear()
    workflow.edges.clear()


def field(**data: Any) -> Callable[[Workflow], None]:
    return lambda workflow: workflow.nodes[2].data.update(data)


BEFORE: list[tuple[Callable[[Workflow], None], str, str | None, str | None]] = [
    (no_dataset, "input.missing", "f1", "dataset"),
    (no_model, "input.missing", "f1", "model"),
    (circle, "workflow.cycle", "f1", "model"),
    (no_nodes, "workflow.no_finetune", None, None),
    (field(task="juggling"), "task.unknown", "f1", "task"),
    (field(method="magic"), "field.choice", "f1", "method"),
    (field(epochs=0), "field.range", "f1", "epochs"),
    (field(prompt_field="prompt"), "roles.target_missing", "f1", "target_field"),
    (lambda w: w.nodes[0].data.update(source=" "), "source.empty", "m1", "source"),
]


@pytest.mark.parametrize(("spoil", "code", "node", "name"), BEFORE)
def test_refused_before_there_is_a_run(
    home: Path, spoil: Callable[[Workflow], None], code: str, node: str | None, name: str | None
):
    workflow = small()
    spoil(workflow)
    with pytest.raises(StudioError) as caught:
        train(workflow)
    found = {(p.code, p.node, p.field) for p in caught.value.problems}
    assert (code, node, name) in found
    assert all(p.message.endswith(".") for p in caught.value.problems)
    assert list(home.glob("runs/*")) == []


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"format": "other"}, "workflow.format"),
        ({"version": 99}, "workflow.newer"),
        ({"format": "easymodel.plan", "version": 1}, "plan.invalid"),
        ("no/such/file.json", "file.missing"),
    ],
)
def test_documents_that_cannot_be_read(home: Path, document: Any, code: str):
    with pytest.raises(StudioError) as caught:
        train(document)
    assert caught.value.problems[0].code == code
    assert list(home.glob("runs/*")) == []


def test_a_node_that_is_not_there(home: Path):
    with pytest.raises(StudioError) as caught:
        train(chained({}, {}), node="f9")
    assert caught.value.problems[-1].code == "node.missing"
    assert list(home.glob("runs/*")) == []


# ------------------------------------------------------------ found while it runs


def failed(workflow: Workflow) -> tuple[Run, Problem]:
    (run,) = train(workflow)
    view = run.view
    assert view.status == "failed", view
    problem = view.problem
    assert problem is not None
    assert problem.severity == "error"
    assert "Traceback" not in problem.message
    assert problem.message.rstrip().endswith((".", "}]"))
    assert "Traceback" in view.detail
    assert run.model_path is None
    return run, problem


def refused(workflow: Workflow) -> Problem:
    """What the audit says of a node, before there is a run."""
    home = environment.home()
    with pytest.raises(StudioError) as caught:
        train(workflow)
    problem = next(p for p in caught.value.problems if p.severity == "error")
    assert "Traceback" not in problem.message
    assert problem.message.rstrip().endswith((".", "}]"))
    assert list(home.glob("runs/*")) == []
    return problem


def place(problem: Problem) -> tuple[str, str | None, str | None]:
    return problem.code, problem.node, problem.field


FILES: list[tuple[str, bytes | None, str]] = [
    ("gone.csv", None, "file.missing"),
    ("empty.csv", b"", "file.empty"),
    ("header.csv", b"prompt,target\n", "file.empty"),
    ("empty.jsonl", b"\n\n", "file.empty"),
    ("broken.jsonl", b'{"prompt": "a"', "file.unreadable"),
    ("broken.parquet", b"no parquet", "file.unreadable"),
    ("notes.docx", b"words", "file.format"),
    ("one.csv", b"prompt,target\na,b\n", "dataset.too_small"),
]


@pytest.mark.parametrize(("name", "content", "code"), FILES)
def test_files_that_cannot_be_trained_on(
    tmp_path: Path, name: str, content: bytes | None, code: str
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    problem = refused(small(str(tmp_path / name)))
    assert problem.code == code
    if code != "dataset.too_small":
        assert (problem.node, problem.field) == ("d1", "source")
        assert name in problem.message


def rows(path: Path, *values: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(v) + "\n" for v in values), encoding="utf-8")
    return str(path)


def test_a_bad_encoding(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes("prompt,target\ncafé,x\n".encode("latin-1"))
    form = {"format": {"encoding": "utf-8"}}
    problem = refused(small(str(tmp_path / "a.csv"), dataset=form))
    assert place(problem) == ("format.encoding", "d1", "format")


def test_a_missing_column_comes_with_a_fix(tmp_path: Path):
    source = rows(tmp_path / "a.jsonl", *[{"Question": "a", "reply": "b"}] * 4)
    workflow = small(source, prompt_field="question", target_field="reply")
    problem = refused(workflow)
    assert place(problem) == ("column.missing", "f1", "prompt_field")
    assert "'question'" in problem.message
    assert "Question, reply" in problem.message
    assert problem.fix is not None
    (change,) = problem.fix.set or []
    assert (change.node, change.field, change.value) == ("f1", "prompt_field", "Question")
    workflow.nodes[2].data[change.field] = change.value  # one click, and it trains
    (run,) = train(workflow)
    assert run.status == "finished", run.view.detail


def test_a_column_missing_in_the_split_that_is_measured(tmp_path: Path):
    rows(tmp_path / "train.jsonl", *[{"prompt": "a", "target": "b"}] * 4)
    rows(tmp_path / "test.jsonl", *[{"prompt": "a", "label": 1}] * 4)
    problem = refused(small(str(tmp_path), dataset={"eval_split": "test"}))
    assert place(problem) == ("split.unlabelled", "d1", "eval_split")
    assert "it has no column 'target'" in problem.message


def test_no_rows_are_left(tmp_path: Path):
    source = rows(tmp_path / "a.jsonl", *[{"prompt": "a", "target": " "}] * 4)
    problem = refused(small(source))
    assert place(problem) == ("rows.empty", "f1", "target_field")
    assert "'target' is empty" in problem.message


def test_no_text_column(tmp_path: Path):
    problem = refused(small(rows(tmp_path / "a.jsonl", {"n": 1}, {"n": 2})))
    assert place(problem) == ("column.no_text", "f1", "text_field")


def test_a_split_that_is_not_there():
    problem = refused(small(dataset={"eval_split": "exam"}))
    assert place(problem) == ("split.missing", "d1", "eval_split")
    assert "train, validation" in problem.message


@pytest.mark.parametrize(
    ("source", "code"),
    [("builtin:gpt9", "source.builtin"), ("/no/such/folder", "file.missing")],
)
def test_models_that_are_not_there(source: str, code: str):
    problem = refused(small(model=source))
    assert place(problem) == (code, "m1", "source")


def test_a_folder_that_is_no_model(tmp_path: Path):
    problem = refused(small(model=str(tmp_path)))
    assert place(problem) == ("model.folder", "m1", "source")


def saved(folder: Path, model: Any) -> str:
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2")).save_pretrained(folder)
    return str(folder)


def test_models_of_another_kind(tmp_path: Path):
    size = {"vocab_size": 4096, "d_model": 8, "d_ff": 8, "d_kv": 4, "num_layers": 1, "num_heads": 2}
    t5 = saved(tmp_path / "t5", T5ForConditionalGeneration(T5Config(**size)))
    problem = refused(small(model=t5))
    assert place(problem) == ("model.task", "f1", "task")
    assert "encoder-decoder" in problem.message
    bert = BertConfig(
        vocab_size=4096, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8,
    )  # fmt: skip
    problem = refused(small(model=saved(tmp_path / "bert", BertForMaskedLM(bert))))
    assert place(problem) == ("model.task", "f1", "task")
    assert "BertForMaskedLM" in problem.message


def test_weights_that_are_torn(tmp_path: Path):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in builtin.path("tiny-gpt2").iterdir():
        (folder / path.name).write_bytes(
            path.read_bytes()[: 10_000 if "safe" in path.name else None]
        )
    _, problem = failed(small(model=str(folder)))
    assert place(problem) == ("model.unreadable", "m1", "source")


def test_out_of_memory_offers_a_smaller_batch(monkeypatch: pytest.MonkeyPatch):
    def out(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    from easymodel_nb.train.tasks.generation import Generation

    monkeypatch.setattr(Generation, "prepare", out)  # no machine of the tests runs out for real
    _, problem = failed(small())
    assert place(problem) == ("memory.out", "f1", "batch_size")
    assert problem.fix is not None
    assert [(c.field, c.value) for c in problem.fix.set or []] == [("batch_size", 4)]


def test_an_unforeseen_error_is_redacted(monkeypatch: pytest.MonkeyPatch):
    token = "hf_" + "secretpart" * 3

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"no idea\nwith {token}")

    from easymodel_nb.train.tasks.generation import Generation

    monkeypatch.setattr(Generation, "prepare", fail)
    run, problem = failed(small())
    assert problem.code == "run.error"
    assert token not in (run.folder / "events.jsonl").read_text()
    assert "RuntimeError: no idea" in run.view.detail
