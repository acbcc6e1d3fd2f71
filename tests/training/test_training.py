"""What is trained: the numbers of a run, its data, and the process it ran in."""

import gc
import json
import math
import os
import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_runs import small
from transformers import AutoTokenizer

from easymodel_nb import builtin
from easymodel_nb.metrics.perplexity import IGNORED, encode
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.batches.padded import collate
from easymodel_nb.train.quiet import MAX_LINES
from easymodel_nb.train.tasks.task import Example
from easymodel_nb.train.tasks.windows import Windows
from easymodel_nb.workflow.document import Workflow

TOKENIZER = AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))


def trained(workflow: Workflow, **options: Any) -> Run:
    (run,) = train(workflow, **options)
    assert run.status == "finished", run.view.detail
    return run


def validation(run: Run) -> list[float]:
    return list(run.metrics()["perplexity.validation"])


# ------------------------------------------------------------ numbers


def test_the_first_project_more_than_halves_the_perplexity():
    """With a third of its rows, one epoch and fewer texts to measure."""
    run = trained(small(subset_size=320, epochs=1, eval_size=30))
    before, after = validation(run)
    assert after < before / 2
    losses = [point.loss for point in run.view.curve]
    assert sum(losses[-5:]) < sum(losses[:5])


def test_the_same_seed_gives_the_same_curve():
    runs = [trained(small(epochs=1, subset_size=24, eval_size=8)) for _ in range(2)]
    assert [p.loss for p in runs[0].view.curve] == [p.loss for p in runs[1].view.curve]
    assert validation(runs[0]) == validation(runs[1])
    other = trained(small(epochs=1, subset_size=24, eval_size=8, seed=7))
    assert [p.loss for p in other.view.curve] != [p.loss for p in runs[0].view.curve]


def test_a_model_that_does_not_learn_has_a_flat_curve():
    """Nothing is added to a number to make it look like progress."""
    run = trained(small(learning_rate=1e-30, subset_size=16))
    frame = run.curve()
    for name in ("perplexity.train", "perplexity.validation", "task.bits_per_byte"):
        assert frame[name].nunique() == 1
    samples = run.samples()
    assert (samples["base"] == samples["tuned"]).all()


def test_gradients_accumulate_to_the_same_step():
    """A step is the mean over its tokens, however they are divided into batches."""
    one, many = (
        trained(
            small(subset_size=8, epochs=1, batch_size=b, gradient_accumulation=a, warmup_ratio=0.0)
        )
        for b, a in ((8, 1), (2, 4))
    )
    assert one.plan["max_steps"] == many.plan["max_steps"] == 1
    assert validation(one)[1] < validation(one)[0]
    assert validation(many) == pytest.approx(validation(one), rel=1e-3)


def test_plain_text_is_windowed():
    run = trained(small("builtin:shakespeare", subset_size=30, epochs=1, max_length=48))
    plan = run.plan
    assert plan["finetune"]["text_field"] == "text"
    assert plan["train_examples"] > plan["dataset"]["train_rows"]
    assert not run.view.warnings  # nothing was cut
    assert validation(run)[1] < validation(run)[0]
    assert run.samples()["reference"].str.len().gt(0).all()


def test_a_template_builds_the_text(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"q": f"q{n}", "a": f"a{n}"}) + "\n" for n in range(12)))
    run = trained(
        small(str(path), template="Q: {q}\nA:", target_field="a", epochs=1, subset_size=None)
    )
    assert run.samples()["prompt"].str.match(r"Q: q\d+\nA:$").all()
    assert run.samples()["reference"].str.match(r"a\d+$").all()


def test_rows_without_a_target_are_left_out_with_a_note(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    rows = [{"prompt": "a", "target": " b" if n % 2 else None} for n in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = trained(small(str(path), epochs=1, subset_size=None))
    dataset = run.plan["dataset"]
    assert dataset["dropped_rows"] == 10
    assert dataset["train_rows"] + dataset["eval_rows"] == 10
    (note,) = [w for w in run.view.warnings if w.code == "rows.dropped"]
    assert note.message.startswith("10 rows of 20 left out")


# ------------------------------------------------------------ examples and batches


WORDS = st.text(st.sampled_from("abc dé"), min_size=0, max_size=120)


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, st.integers(4, 40))
def test_prompts_are_masked_and_targets_kept(prompt: str, target: str, max_length: int):
    (item,) = encode(TOKENIZER, [target], prompts=[prompt], max_length=max_length, eos=True)
    whole = [*TOKENIZER(target)["input_ids"], TOKENIZER.eos_token_id]
    head = TOKENIZER(prompt)["input_ids"]
    examples = Windows([item], max_length)
    learned = [label for e in examples for label in e.labels if label != IGNORED]
    kept = whole[:max_length]
    assert item.ids == [*head[len(head) - min(len(head), max_length - len(kept)) :], *kept]
    if len(item.ids) > len(kept):  # something of the prompt is left before the target
        assert learned == kept
    else:
        assert learned == kept[1:]
    assert len(examples) <= 1  # a prompt and its target are never parted


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("abc dé\n"), min_size=1, max_size=400), st.integers(4, 40))
def test_windows_learn_every_token_of_a_plain_text_once(text: str, max_length: int):
    (item,) = encode(TOKENIZER, [text], max_length=max_length, eos=True)
    windows = Windows([item], max_length)
    learned = [label for window in windows for label in window.labels if label != IGNORED]
    assert learned == [*TOKENIZER(text)["input_ids"], TOKENIZER.eos_token_id][1:]
    assert all(1 < len(window.ids) <= max_length for window in windows)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9))
def test_a_batch_is_as_wide_as_its_longest_row(lengths: list[int]):
    rows = [Example(list(range(2, 2 + n)), [IGNORED, *range(3, 2 + n)]) for n in lengths]
    batch = collate(rows)
    assert batch["input_ids"].shape == (len(rows), max(lengths))
    assert batch["attention_mask"].sum(dim=1).tolist() == lengths
    for row, example in enumerate(rows):
        width = len(example.ids)
        assert batch["input_ids"][row, :width].tolist() == example.ids
        assert batch["labels"][row, :width].tolist() == example.labels
        assert (batch["labels"][row, width:] == IGNORED).all()


# ------------------------------------------------------------ the process it ran in


def state() -> dict[str, Any]:
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "torch": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "grad": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
    }


def models() -> list[Any]:
    return [o for o in gc.get_objects() if type(o).__name__ == "GPT2LMHeadModel"]


def test_the_process_is_as_it_was(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMP_NUM_THREADS")  # then a run chooses its threads
    trained(small(subset_size=16, epochs=1))
    before = state()
    gc.collect()
    known = models()
    run = trained(small(subset_size=16, epochs=1, seed=11))
    assert state() == before
    chosen = {choice["field"]: choice for choice in run.plan["choices"]}
    assert "free" in chosen["threads"]["reason"]
    assert not [t.name for t in threading.enumerate() if t.name.startswith("easymodel-run")]
    # Its memory is free again; models that other tests share stay as they were.
    held = [model for model in models() if not any(model is other for other in known)]
    assert held == []


def test_a_run_in_a_thread_prints_nothing(capfd: pytest.CaptureFixture[str]):
    run = trained(small(subset_size=16, epochs=1))
    assert capfd.readouterr() == ("", "")
    lines = (run.folder / "log.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES


def test_a_listener_s_events_are_plain_json():
    heard: list[dict[str, Any]] = []
    trained(small(subset_size=16, epochs=1), on_event=heard.append)
    assert json.loads(json.dumps(heard, allow_nan=False)) == heard


def test_a_diverging_run_has_reasons_instead_of_numbers():
    run = trained(small(subset_size=16, epochs=1, learning_rate=10.0, scheduler="constant"))
    for point in run.view.points:
        measured = point.analytics.perplexity["validation"]
        assert (measured.value is None) != (measured.reason is None)
        assert measured.value is None or math.isfinite(measured.value)
    text = (run.folder / "events.jsonl").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
