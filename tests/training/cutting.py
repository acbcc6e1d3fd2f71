"""Runs of every task on random models with dropout, and ways to cut them off and compare them."""

import json
from pathlib import Path
from typing import Any

import pytest
from small_runs import small
from tiny_models import make
from tiny_seq2seq import save

from easymodel_nb.runlog.run import Run
from easymodel_nb.train.trainer import LeanTrainer
from easymodel_nb.workflow.document import Workflow

TASKS = ("generation", "classification", "seq2seq", "token_classification")
# 21 rows in batches of 2, two of them a step: 6 steps an epoch, the last one of a single row.
SIZES = {
    "epochs": 2,
    "batch_size": 2,
    "gradient_accumulation": 2,
    "subset_size": 21,
    "eval_size": 3,
    "max_length": 48,
    "max_new_tokens": 3,
    "learning_rate": 1e-2,
}
STEPS = 12
_WORDS = ["red", "green", "blue", "day", "night", "sun", "moon", "sea"]


def _rows(task: str, count: int) -> list[dict[str, Any]]:
    found = []
    for n in range(count):
        words = [
            _WORDS[(n * step + place) % 8] for place, step in enumerate((1, 3, 5, 7)[: n % 3 + 2])
        ]
        text = " ".join([str(n), *words])
        found.append(
            {
                "generation": {"text": f"{text}."},
                "classification": {"text": text, "label": ["dim", "bright"][n % 2]},
                "seq2seq": {"question": text, "reply": " ".join(reversed(words))},
                "token_classification": {
                    "tokens": text.split(),
                    "ner_tags": ["O", *["B-x" if len(word) == 3 else "O" for word in words]],
                },
            }[task]
        )
    return found


def prepared(folder: Path) -> Path:
    """A model and data for each task."""
    texts = [row["text"] for row in _rows("generation", 24)]
    make("gpt2", folder / "generation", texts)
    make("bert", folder / "classification", texts)
    make("distilbert", folder / "token_classification", texts)
    save("t5", folder / "seq2seq")
    for task in TASKS:
        (folder / f"{task}-data").mkdir()
        for split, rows in (("train", _rows(task, 21)), ("validation", _rows(task, 24)[21:])):
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{task}-data" / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def workflow(
    folder: Path, task: str = "generation", method: str = "full", **finetune: Any
) -> Workflow:
    """A run of 12 steps."""
    fields: dict[str, Any] = {"task": task, "method": method, **SIZES}
    if task == "seq2seq":
        fields |= {"prompt_field": "question", "target_field": "reply"}
    if method == "lora":
        fields |= {"lora_rank": 4, "lora_dropout": 0.1}
    return small(str(folder / f"{task}-data"), model=str(folder / task), **fields | finetune)


class Cut(Exception):  # noqa: N818  a name for the test to find
    """Something nobody foresaw."""


def cut_within(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the second batch of the step after `step` fail, once."""
    whole, seen = LeanTrainer.training_step, list[int]()

    def training_step(self: LeanTrainer, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == step:
            seen.append(step)
            if len(seen) == 2:
                raise Cut
        return whole(self, *args, **kwargs)

    monkeypatch.setattr(LeanTrainer, "training_step", training_step)


def told(run: Run) -> dict[str, Any]:
    """Everything a run says that does not depend on the clock."""
    view = run.view
    points = [(p.step, p.epoch, p.analytics.model_dump(mode="json")) for p in view.points]
    for _, _, analytics in points:  # which run measured the base first, and what it cost
        for name in ("baseline", "budget"):
            (analytics.get("details") or {}).pop(name, None)
    return {
        "curve": [(p.step, p.epoch, p.loss, p.learning_rate, p.grad_norm) for p in view.curve],
        "points": points,
        "samples": [(s["step"], s["rows"]) for s in view.samples],
        "warnings": [(p.code, p.message) for p in view.warnings],
        "answers": run.sample_rows(),
        "weights": (run.folder / "model" / "model.safetensors").read_bytes(),
    }
