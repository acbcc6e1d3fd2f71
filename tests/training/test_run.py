"""A run from its request to its model, in a thread and in a process: the same contract."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_runs import PATIENCE, Ear, small
from transformers import AutoModelForCausalLM, AutoTokenizer

from easymodel_nb import builtin, metrics
from easymodel_nb.runlog.events import Event, parse
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import planning
from easymodel_nb.train.api import train
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.roles import Roles, prompt_and_target
from easymodel_nb.train.runner import ProcessRunner

STEPS = 10  # 40 rows in batches of 8, twice


@dataclass
class Trained:
    run: Run
    heard: list[dict[str, Any]]

    @property
    def events(self) -> list[Event]:
        lines = (self.run.folder / "events.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
        return [parse(json.loads(line)) for line in lines]

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]


@pytest.fixture(scope="module", params=["thread", "process"])
def trained(request: Any, tmp_path_factory: Any, one_thread: None) -> Trained:  # noqa: ARG001
    home = tmp_path_factory.mktemp("home")
    if request.param == "thread":
        heard: list[dict[str, Any]] = []
        (run,) = train(small(), home=home, on_event=heard.append)
        return Trained(run, heard)
    ear = Ear()
    manager = RunManager(home, ProcessRunner)
    (run,) = manager.submit(small(), on_event=ear)
    manager.wait(run.id, timeout=PATIENCE)
    manager._current[1].join() if manager._current else None
    return Trained(run, [event.model_dump(mode="json") for event in ear.heard])


# ------------------------------------------------------------ the log


def test_it_finishes(trained: Trained):
    assert trained.run.status == "finished", trained.run.view.detail


def test_the_lines_are_numbered_and_in_order(trained: Trained):
    events = trained.events
    assert [event.seq for event in events] == list(range(len(events)))
    assert {event.run_id for event in events} == {trained.run.id}
    assert [event.time for event in events] == sorted(event.time for event in events)
    kinds = [event.type for event in events]
    assert kinds[:2] == ["run_created", "stage"]
    assert kinds[-1] == "run_finished"
    assert kinds.count("run_started") == 1


def test_every_event_is_told_once_it_is_in_the_log(trained: Trained):
    assert [event["seq"] for event in trained.heard] == [event.seq for event in trained.events]
    assert [event["type"] for event in trained.heard] == [event.type for event in trained.events]


def test_the_stages_come_in_order(trained: Trained):
    stages = [event.stage for event in trained.of("stage")]
    firsts = sorted(set(stages), key=stages.index)
    assert firsts == [
        "queued", "loading", "preparing", "baseline", "training", "evaluating", "saving",
    ]  # fmt: skip
    assert all(event.message for event in trained.of("stage"))


def test_the_request_is_the_nodes_as_drawn(trained: Trained):
    created = trained.of("run_created")[0]
    workflow = small()
    assert created.node_id == "f1"
    assert created.request["node"]["data"] == workflow.nodes[2].data
    assert created.request["model"]["data"] == workflow.nodes[0].data
    assert created.request["dataset"]["data"] == workflow.nodes[1].data


def test_progress_lines_are_chosen_by_step_alone(trained: Trained):
    lines = trained.of("progress")
    assert [line.step for line in lines] == list(planning.progress_steps(STEPS))
    for line in lines:
        assert (line.max_steps, line.epochs) == (STEPS, 2)
        assert line.epoch == pytest.approx(line.step / 5, abs=1e-3)
        assert line.loss > 0
        assert line.grad_norm > 0
        assert line.learning_rate is not None
        assert line.tokens_per_second > 0
        assert line.memory_bytes > 1e6
        assert line.seconds_left is not None
    assert lines[-1].seconds_left == pytest.approx(0, abs=60)
    assert lines[-1].loss < lines[0].loss


def test_measured_at_every_epoch_and_in_between(trained: Trained):
    lines = trained.of("epoch")
    assert len(lines) >= planning.MIN_POINTS
    assert [line.epoch for line in lines if line.epoch == int(line.epoch)] == [0, 1, 2]
    assert [line.step for line in lines] == sorted({line.step for line in lines})
    assert (lines[0].step, lines[-1].step) == (0, STEPS)
    for line in lines:
        assert line.epoch == pytest.approx(line.step / 5, abs=1e-3)
        for name in ("train", "validation"):
            measured = line.analytics.perplexity[name]
            assert measured.low < measured.value < measured.high
            assert measured.n > 1
        loss = line.analytics.task["loss"]
        assert math.exp(loss.value) == pytest.approx(
            line.analytics.perplexity["validation"].value, rel=1e-6
        )
        assert 0 < line.analytics.task["bits_per_byte"].value < 8


def test_the_base_is_measured_before_the_first_step(trained: Trained):
    kinds = [event.type for event in trained.events]
    assert kinds.index("epoch") < kinds.index("progress")


def test_checkpoints_of_the_epochs_the_newest_two_kept(trained: Trained):
    lines = trained.of("checkpoint")
    assert [line.step for line in lines] == [5, STEPS]
    for line in lines:
        folder = trained.run.folder / line.path
        assert (folder / "model.safetensors").exists()
        assert line.bytes == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


# ------------------------------------------------------------ the plan


def test_the_plan_is_complete_and_every_choice_has_its_reason(trained: Trained):
    plan = trained.run.plan
    assert (plan["format"], plan["version"], plan["run_id"]) == (
        "easymodel.plan", 1, trained.run.id,
    )  # fmt: skip
    chosen = {choice["field"]: choice for choice in plan["choices"]}
    assert all(choice["reason"] for choice in chosen.values())
    drawn, filled = small().nodes[2].data, plan["finetune"]
    # What null means "choose for me" for, in a run of this kind.
    for field in ("prompt_field", "target_field", "learning_rate", "gradient_checkpointing"):
        assert drawn[field] is None
        assert filled[field] is not None
        assert chosen[field]["value"] == filled[field]
    assert (drawn["precision"], filled["precision"]) == ("auto", "fp32")
    for field in ("train_split", "eval_split"):
        assert chosen[field]["value"] == plan["dataset"][field]
    assert {k for k, v in filled.items() if v != drawn[k]} <= chosen.keys()
    assert plan == trained.of("run_started")[0].plan
    assert (plan["max_steps"], plan["steps_per_epoch"], plan["train_examples"]) == (STEPS, 5, 40)


def test_the_environment_is_written_down(trained: Trained):
    known = trained.of("run_started")[0].environment
    assert {"python", "torch", "transformers", "datasets", "device", "threads", "seed",
            "data_fingerprint", "world_size"} <= known.keys()  # fmt: skip
    assert (known["seed"], known["world_size"], known["threads"]) == (42, 1, 1)


# ------------------------------------------------------------ what Python gets


def test_metrics_has_a_row_a_whole_epoch(trained: Trained):
    frame = trained.run.metrics()
    assert frame["epoch"].tolist() == [0, 1, 2]
    assert frame["step"].tolist() == [0, 5, STEPS]
    for name in ("perplexity.train", "perplexity.validation", "task.loss", "task.bits_per_byte"):
        assert {name, f"{name}.low", f"{name}.high", f"{name}.n"} <= set(frame.columns)
        assert frame[name].is_monotonic_decreasing
    assert list(frame.columns[:2]) == ["epoch", "step"]
    assert frame["perplexity.validation.n"].tolist() == [16, 16, 16]


def test_curve_has_every_measured_point(trained: Trained):
    frame = trained.run.curve()
    assert len(frame) == len(trained.of("epoch"))
    assert set(frame.columns) == set(trained.run.metrics().columns)
    assert isinstance(frame, pd.DataFrame)


def test_samples_show_base_beside_tuned(trained: Trained):
    frame = trained.run.samples()
    assert list(frame.columns) == ["prompt", "reference", "base", "tuned"]
    assert len(frame) == 16
    assert frame.notna().all(axis=None)
    assert (frame["base"] != frame["tuned"]).any()
    said = {row["prompt"]: row["target"] for row in validation_rows()}
    for row in frame.itertuples():
        assert said[row.prompt] == row.reference
        assert not row.tuned.startswith(row.prompt)  # the new tokens only
    assert [e.rows for e in trained.of("samples")] == [16, 16]


def validation_rows() -> list[dict[str, Any]]:
    text = (builtin.path("requests") / "validation.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def measured_texts(run: Run) -> tuple[list[str], list[str]]:
    """Prompts and targets the run measured with, drawn again from the seed."""
    import numpy as np

    generator = np.random.default_rng(42)
    generator.permutation(sum(1 for _ in (builtin.path("requests") / "train.jsonl").open("rb")))
    rows = validation_rows()
    chosen = [rows[i] for i in generator.permutation(len(rows))[:16]]
    roles = Roles(prompt="prompt", target="target")
    pairs = [prompt_and_target(row, roles) for row in chosen]
    assert run.plan["dataset"]["eval_rows"] == len(pairs)
    return [p for p, _ in pairs], [t for _, t in pairs]


def test_the_numbers_can_be_computed_again_from_what_was_saved(trained: Trained):
    prompts, targets = measured_texts(trained.run)
    frame = trained.run.metrics()
    for path, epoch in ((builtin.path("tiny-gpt2"), 0), (trained.run.model_path, 2)):
        model = AutoModelForCausalLM.from_pretrained(path)
        tokenizer = AutoTokenizer.from_pretrained(path)
        again = metrics.perplexity(
            model, tokenizer, targets, prompts=prompts, max_length=64, eos=True
        )
        row = frame[frame["epoch"] == epoch].iloc[0]
        assert again.value == pytest.approx(row["perplexity.validation"], rel=1e-5)
        assert again.loss == pytest.approx(row["task.loss"], rel=1e-5)


def test_the_model_loads_with_its_tokenizer(trained: Trained):
    model, tokenizer = trained.run.load()
    assert model.config.architectures == ["GPT2LMHeadModel"]
    said = "Intent: play music\nRequest:"
    assert tokenizer(said) == AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))(said)
    assert trained.run.model_path == trained.run.folder / "model"


def test_the_summary(trained: Trained):
    summary = trained.run.view.summary
    assert summary["steps"] == STEPS
    assert summary["tokens"] > 0
    assert summary["seconds"] >= summary["training_seconds"] > 0


def test_nothing_temporary_stays_behind(trained: Trained):
    names = {path.name for path in trained.run.folder.iterdir()}
    assert names - {"output.txt"} == {
        "events.jsonl", "live.json", "plan.json", "samples.jsonl", "scores.jsonl", "log.txt",
        "material.json.gz", "destinations.json",
        "checkpoints", "model",
    }  # fmt: skip
    if "output.txt" in names:
        assert (trained.run.folder / "output.txt").read_text() == ""


def test_a_run_is_listed(trained: Trained):
    manager = RunManager(Path(trained.run.folder).parents[1])
    assert [view.id for view in manager.views()] == [trained.run.id]
