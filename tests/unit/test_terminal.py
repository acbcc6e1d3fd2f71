"""What the command line says of an epoch, for each task."""

from typing import Any

import pytest

from easymodel_nb.measured import Measured
from easymodel_nb.terminal import Turns, sentence


def epoch(number: float, **groups: dict[str, Measured]) -> dict[str, Any]:
    analytics = {
        group: {name: m.model_dump() for name, m in numbers.items()}
        for group, numbers in groups.items()
    }
    return {"type": "epoch", "epoch": number, "analytics": analytics}


def value(number: float) -> Measured:
    return Measured(value=number, n=10)


NONE = {"validation": Measured.missing("Perplexity is not defined for classification.")}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            epoch(1, perplexity={"train": value(3), "validation": value(4.25)}),
            "Epoch 1: perplexity train 3, validation 4.25",
        ),
        (
            epoch(
                2,
                perplexity=NONE,
                task={
                    "accuracy": value(0.91),
                    "macro_f1": value(0.8765),
                    "majority_macro_f1": value(0.05),
                },
            ),
            "Epoch 2: macro-F1 0.876 (majority class 0.05), accuracy 0.91",
        ),
        (
            epoch(0, perplexity=NONE, task={"f1": Measured.missing("The head is new.")}),
            "Before training: entity F1 not measured: The head is new.",
        ),
        (
            epoch(1, perplexity={"validation": value(7)}, task={"chrf": value(41.2)}),
            "Epoch 1: perplexity validation 7, chrF 41.2",
        ),
        (
            epoch(
                1,
                task={
                    "accuracy": value(0.9),
                    "macro_f1": value(0.7),
                    "f1": Measured.missing("The tags mark no entities: words are scored."),
                    "majority_accuracy": value(0.2),
                },
            ),
            "Epoch 1: word accuracy 0.9 (majority class 0.2), macro-F1 0.7",
        ),
        (epoch(0.5, perplexity={}), "Epoch 0.5: perplexity not measured"),
    ],
)
def test_an_epoch_is_told_by_the_numbers_of_its_task(raw: dict[str, Any], said: str) -> None:
    assert sentence(raw) == said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"type": "warning", "problem": {"severity": "note", "message": "A."}}, "Note: A."),
        ({"type": "warning", "problem": {"severity": "ask", "message": "A."}}, "Warning: A."),
        ({"type": "warning", "problem": {"severity": "error", "message": "A."}}, "Error: A."),
        ({"type": "run_finished", "summary": {"steps": 3}}, "Finished."),
        ({"type": "run_finished", "summary": {"kept_epoch": 4}}, "Finished; epoch 4 is kept."),
        ({"type": "run_stopped", "reason": "time_budget"}, "Stopped (time budget)."),
    ],
)
def test_what_a_run_tells_beside_its_numbers(raw: dict[str, Any], said: str) -> None:
    assert sentence(raw) == said


def test_of_several_runs_each_is_named_when_it_begins_to_speak():
    turns = Turns()

    def event(run: str, type: str, **fields: Any) -> str | None:  # noqa: A002
        return turns.heading({"run_id": run, "type": type, **fields})

    for run, label in (("a", "Finetuning · seed 1"), ("b", None)):
        request = {"node": {"label": label}}
        assert event(run, "run_created", node_id="f1", request=request) is None
        assert event(run, "stage", stage="queued") is None
    said = [event(run, "stage", stage="loading") for run in "aabba"]
    assert said == ["Finetuning · seed 1", None, "Node f1", None, "Finetuning · seed 1"]


def test_a_run_alone_needs_no_name():
    turns = Turns()
    turns.heading({"run_id": "a", "type": "run_created", "node_id": "f", "request": {}})
    assert turns.heading({"run_id": "a", "type": "stage", "stage": "loading"}) is None
