"""Exported code: no easymodel import, and the losses of the studio's run."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
import tiny_models
from nbclient import NotebookClient
from small_runs import small

from easymodel_nb.cli import main
from easymodel_nb.errors import StudioError
from easymodel_nb.train.api import train
from easymodel_nb.train.data import variables
from easymodel_nb.train.export import export
from easymodel_nb.workflow.document import Workflow

STEP = re.compile(r"step \d+/\d+  loss (\S+)")
EPOCH = re.compile(r"epoch \d+  validation loss (\S+)")
SHORT: dict[str, Any] = {"epochs": 2, "subset_size": 24, "eval_size": 12, "max_length": 48}
WORDS = [
    "the",
    "cat",
    "and",
    "a",
    "dog",
    "sat",
    "on",
    "the",
    "mat",
    "near",
    "a",
    "big",
    "red",
    "house",
    "by",
    "the",
    "river",
]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny encoder without dropout: the studio draws it for no padding, plain code does."""
    folder = tiny_models.make("bert", tmp_path_factory.mktemp("models") / "bert", WORDS)
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.fixture(autouse=True)
def datasets_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `datasets` keeps of the files goes with the test."""
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))


def sentence(place: int, words: int = 6) -> str:
    return " ".join(WORDS[(place * step + place // 5) % len(WORDS)] for step in range(1, words + 1))


def lines_of(path: Path, rows: Iterable[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def losses(told: str) -> list[list[float]]:
    """What the code prints: the loss of each step, and of validation after each epoch."""
    return [[float(found) for found in pattern.findall(told)] for pattern in (STEP, EPOCH)]


def losses_of_run(workflow: Workflow) -> list[list[float]]:
    events: list[dict[str, Any]] = []
    (run,) = train(workflow, on_event=events.append)
    assert run.status == "finished", run.view.problem
    points = [
        event["analytics"]["task"]["loss"]["value"]
        for event in events
        if event["type"] == "epoch" and float(event["epoch"]).is_integer()
    ]
    steps = [event["loss"] for event in events if event["type"] == "progress"]
    return [steps, [point for point in points if point is not None]]


def assert_same(told: list[list[float]], run: list[list[float]]) -> None:
    for found, expected in zip(told, run, strict=True):
        assert len(found) == len(expected) > 0
        assert found == pytest.approx(expected, rel=2e-5, abs=1e-6)  # six digits are printed


def assert_sound(text: str) -> None:
    """It is formatted Python without problems, and imports nothing of ours."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert "easymodel" not in (node.module or "")
        if isinstance(node, ast.Import):
            assert not any("easymodel" in name.name for name in node.names)
    for command in (["check"], ["format", "--line-length", "100", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


# ---------------------------------------------------------------- the same losses


def duplicated(folder: Path) -> str:
    """Uneven classes, rows that repeat, cells without a value."""
    rows = [{"text": sentence(n), "label": "abcb"[n % 4] if n % 9 else None} for n in range(40)]
    return lines_of(folder / "rows.jsonl", rows + rows[:12])


@pytest.mark.parametrize("case", ["generation", "lora", "seq2seq", "classification", "tokens"])
def test_the_script_prints_the_losses_of_the_run(case: str, bert: str, tmp_path: Path):
    settings: dict[str, Any] = {
        "generation": {"gradient_accumulation": 2, "weight_decay": 0.1, "scheduler": "cosine"},
        "lora": {"method": "lora", "lora_dropout": 0.0, "source": "builtin:shakespeare"},
        "seq2seq": {"task": "seq2seq", "model": "builtin:tiny-t5"},
        "classification": {
            "task": "classification", "model": bert, "class_weights": True,
            "source": duplicated(tmp_path), "dataset": {"eval_fraction": 0.3},
        },
        "tokens": {
            "task": "token_classification", "model": bert, "source": "builtin:slots",
            "max_length": 16, "method": "lora", "learning_rate": 1e-3,
        },
    }[case]  # fmt: skip
    workflow = small(**SHORT | settings)
    name, text = export(workflow, "f1", "script")
    assert name == "first-model-f1.py"
    assert_sound(text)
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert_same(losses(done.stdout), losses_of_run(workflow))
    assert list((tmp_path / "first-model-f1").glob("*.safetensors"))


def test_the_notebook_trains_on_a_variable(tmp_path: Path):
    frame = pd.DataFrame({"prompt": [sentence(n) for n in range(30)]})
    frame["completion"] = [sentence(n + 7, 3) for n in range(30)]
    variables.look_in(lambda: {"rows": frame})
    try:
        workflow = small("variable:rows", **SHORT | {"epochs": 1})
        with pytest.raises(StudioError, match="script cannot see the variable rows"):
            export(workflow, "f1", "script")
        name, text = export(workflow, "f1", "notebook")
        run = losses_of_run(workflow)
    finally:
        variables.look_in(None)
    assert name == "first-model-f1.ipynb"
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    frame.to_json(tmp_path / "rows.json")
    made = nbformat.v4.new_code_cell('import pandas as pd\nrows = pd.read_json("rows.json")')
    notebook.cells.insert(0, made)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    told = "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    )
    assert_same(losses(told), run)


# ---------------------------------------------------------------- the same tokens, without training
# An export compares its tokens with those of the plan: that it is written says that they agree.

TALK = [
    {"from": "system", "value": "Be brief."},
    {"from": "human", "value": "Where is the cat?"},
    {"from": "gpt", "value": "On the mat."},
    {"from": "human", "value": "And the dog by the river near the big red house?"},
    {"from": "gpt", "value": "Near a house."},
]
LAYOUTS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a path": (
        [{"q": sentence(n), "answers": {"text": [sentence(n + 3, 2)]}} for n in range(30)],
        {"prompt_field": "q", "target_field": "answers.text[0]"},
    ),
    "a template with a block that may be empty": (
        [
            {"instruction": sentence(n), "input": sentence(n, 3) if n % 2 else "", "output": "yes"}
            for n in range(30)
        ],
        {},
    ),
    "conversations": (
        [{"conversations": TALK[n % 2 :][: 5 - n % 3]} for n in range(30)],
        {"max_length": 40},
    ),
    "conversations with an answer that is too long": (
        [{"conversations": TALK[n % 2 :][: 5 - n % 3]} for n in range(30)],
        {"max_length": 6},
    ),
    "plain texts longer than a window": (
        [{"text": sentence(n, 4 + 5 * n)} for n in range(30)],
        {"max_length": 24},
    ),
    "several labels": (
        [{"text": sentence(n), "labels": ["x", "y", "z"][n % 3 : n % 4]} for n in range(40)],
        {"task": "classification", "class_weights": True},
    ),
    "pairs with numbers for classes": (
        [
            {"premise": sentence(n), "hypothesis": sentence(n, 3), "label": n % 3 if n % 8 else -1}
            for n in range(40)
        ],
        {"task": "classification"},
    ),
    "tags that break their scheme": (
        [
            {"tokens": sentence(n).split(), "tags": ["O", "I-P", "I-P", "B-Q", "I-P", "O"]}
            for n in range(30)
        ],
        {"task": "token_classification"},
    ),
    "tags with holes": (
        [
            {"tokens": sentence(n).split(), "tags": [n % 3, 1, -100, 0, 2, 1]}
            for n in range(30)
        ],
        {"task": "token_classification", "class_weights": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_script_reads_the_tokens_of_the_plan(layout: str, bert: str, tmp_path: Path):
    rows, settings = LAYOUTS[layout]
    model = bert if "classification" in settings.get("task", "") else "builtin:tiny-gpt2"
    workflow = small(lines_of(tmp_path / "rows.jsonl", rows), **SHORT | settings, model=model)
    assert_sound(export(workflow, "f1", "script")[1])


FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a delimiter and an encoding": (
        "rows.csv",
        "review;stars\n" + "".join(f"{sentence(n)} caf\xe9;{n % 3}\n" for n in range(40)),
        {"task": "classification"},
    ),
    "words that look like no value": (
        "rows.csv",
        "text,label\n" + "".join(f"{sentence(n)},{['None', 'NA'][n % 2]}\n" for n in range(40)),
        {"task": "classification"},
    ),
    "words and tags": (
        "rows.conll",
        "\n\n".join("cat NN B-P\nsat VB O\non IN O" for _ in range(30)) + "\n",
        {"task": "token_classification"},
    ),
    "blocks of text": (
        "rows.txt",
        "\n\n\n".join(f"{sentence(n)}\n{sentence(n + 1)}" for n in range(30)),
        {},
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_are_read_without_our_readers(kind: str, bert: str, tmp_path: Path):
    name, text, settings = FILES[kind]
    (tmp_path / name).write_text(text, encoding="cp1252")
    model = bert if settings else "builtin:tiny-gpt2"
    workflow = small(str(tmp_path / name), **SHORT | settings, model=model)
    assert_sound(export(workflow, "f1", "script")[1])


def test_early_stopping_keeps_the_best_epoch():
    text = export(small(**SHORT, early_stopping=1), "f1", "script")[1]
    assert_sound(text)
    assert "load_state_dict(best_weights)" in text


# ---------------------------------------------------------------- what cannot be written


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"time_budget_minutes": 5}, "time_budget_minutes"),
        ({"task": "classification", "source": "builtin:intents", "early_stopping": 2},
         "early_stopping"),
    ],
)  # fmt: skip
def test_what_plain_code_cannot_do_is_refused_on_its_field(
    settings: dict[str, Any], field: str, bert: str
):
    model = bert if "task" in settings else "builtin:tiny-gpt2"
    with pytest.raises(StudioError) as caught:
        export(small(**SHORT | settings, model=model), "f1", "script")
    assert [(problem.node, problem.field) for problem in caught.value.problems] == [("f1", field)]


def test_the_command_line_writes_a_file_or_says_why_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    document = small(**SHORT).dump()
    file, out = tmp_path / "flow.json", tmp_path / "out.py"
    file.write_text(json.dumps(document))
    assert main(["export", str(file), "--node", "f1", "--to", "script", "-o", str(out)]) == 0
    assert "load_dataset" in out.read_text()
    document["edges"] = []
    file.write_text(json.dumps(document))
    assert main(["export", str(file), "--to", "script", "-o", str(out)]) == 2
    assert "f1" in capfd.readouterr().err


def test_the_head_says_what_the_script_needs(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"text": "row {n} of a file"}}\n' for n in range(20)))
    workflow = small(str(path), text_field="text", method="lora", **SHORT)
    _, text = export(workflow, "f1", "script")
    head = " ".join((ast.get_docstring(ast.parse(text)) or "").split())
    assert "It is plain transformers, peft and datasets and imports no EasyModel." in head
    assert "What is built in is read from where EasyModel is installed." in head, "the model is"
