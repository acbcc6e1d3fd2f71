"""Out of memory: the run goes on in smaller parts, and each step learns what it learned before."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from small_runs import rows_of, small

from easymodel_nb.builtin import path as builtin_path
from easymodel_nb.errors import StudioError
from easymodel_nb.metrics.memory import in_halves, out_of_memory
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.plan import RunPlan
from easymodel_nb.train.rescue import smaller
from easymodel_nb.train.trainer import LeanTrainer
from easymodel_nb.workflow.document import FinetuneData

# A model without dropout: a step in parts computes what a step at once does.
SIZES: dict[str, Any] = {
    "batch_size": 8,
    "epochs": 2,
    "subset_size": 28,
    "max_length": 32,
    "eval_size": 2,
    "max_new_tokens": 1,
}


def train(manager: RunManager, **fields: Any) -> Run:
    (run,) = manager.submit(small("builtin:requests", **SIZES | fields))
    manager.wait(run.id)
    return run


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, bool], bool]], list[Any]]:
    """Batches that do not fit run out of memory; what was trained is noted with its step."""
    seen: list[Any] = []
    inner = LeanTrainer.training_step

    def set_limit(fit: Callable[[int, bool], bool]) -> list[Any]:
        def training_step(self: LeanTrainer, model: Any, inputs: Any, *args: Any) -> Any:
            rows = rows_of(inputs)
            if not fit(rows, model.is_gradient_checkpointing):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            seen.append((self.state.global_step, rows))
            return inner(self, model, inputs, *args)

        monkeypatch.setattr(LeanTrainer, "training_step", training_step)
        return seen

    return set_limit


def test_smaller_batches_train_the_same_steps(manager: RunManager, fits: Any):
    fits(lambda rows, _: rows <= 8)
    whole = train(manager)
    assert whole.status == "finished", whole.view.detail
    calls = iter(range(10_000))
    # The first step fits in batches of 8 and is then lost: nothing of it is in a checkpoint.
    seen = fits(lambda rows, _: rows <= 2 or next(calls) < 1)
    seen.clear()
    run = train(manager)
    view = run.view
    assert view.status == "finished", view.detail
    assert [e["attempt"] for e in view.resumed] == [2, 3]
    assert [e["step"] for e in view.resumed] == [0, 0]
    assert [p.code for p in view.warnings if p.code == "memory.smaller"] == ["memory.smaller"] * 2
    assert "with batches of 4 and 2 of them a step: 8 rows a step as before" in "".join(
        p.message for p in view.warnings
    )
    plan = RunPlan.read(run.folder)
    assert plan is not None
    assert (plan.finetune.batch_size, plan.finetune.gradient_accumulation) == (2, 4)
    assert {c.field: c.reason for c in plan.choices}["batch_size"] == (
        "a batch of 4 did not fit into memory"
    )
    assert plan.max_steps == whole.plan["max_steps"]
    assert view.plan == run.plan
    curve, expected = view.curve, whole.view.curve
    assert [(p.step, p.learning_rate) for p in curve] == [
        (p.step, p.learning_rate) for p in expected
    ]
    assert [p.loss for p in curve] == pytest.approx([p.loss for p in expected], rel=1e-3)
    assert len([p for p in view.points if p.step == 0]) == 1  # the base was measured once


def test_it_goes_on_from_the_last_checkpoint(manager: RunManager, fits: Any):
    per_epoch = 4  # 25 rows, 8 a step
    state: dict[str, int] = {}

    def fit(rows: int, _: bool) -> bool:  # noqa: FBT001
        state["calls"] = state.get("calls", 0) + 1
        return rows <= 4 or state["calls"] <= per_epoch + 2

    seen = fits(fit)
    run = train(manager)
    assert run.status == "finished", run.view.detail
    assert [e["step"] for e in run.view.resumed] == [per_epoch]
    assert (per_epoch, 4) in seen
    assert [p.step for p in run.view.curve] == list(range(1, 2 * per_epoch + 1))


def test_gradient_checkpointing_comes_last(manager: RunManager, fits: Any):
    seen = fits(lambda rows, recomputing: rows == 1 and recomputing)
    run = train(manager, epochs=1)
    assert run.status == "finished", run.view.detail
    assert {rows for _, rows in seen} == {1}
    assert run.plan is not None
    assert run.plan["finetune"]["gradient_checkpointing"] is True
    assert [p.field for p in run.view.warnings if p.code == "memory.smaller"] == [
        "batch_size",
        "batch_size",
        "batch_size",
        "gradient_checkpointing",
    ]


def test_when_nothing_fits_the_error_says_what_would(manager: RunManager, fits: Any):
    seen = fits(lambda *_: False)
    run = train(manager, max_length=128)
    assert run.status == "failed"
    assert seen == []
    problem = run.view.problem
    assert problem is not None
    assert problem.code == "memory.out"
    assert "LoRA" in problem.message
    assert "max length to 64" in problem.message
    assert "smaller model" in problem.message
    assert problem.fix is not None
    assert problem.fix.set is not None
    assert [(c.node, c.field, c.value) for c in problem.fix.set] == [("f1", "method", "lora")]


def test_a_base_model_that_cannot_even_be_measured(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch
):
    seen: list[int] = []

    def too_large(model: Any, batch: Any) -> Any:
        del model
        seen.append(len(batch))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    module = sys.modules["easymodel_nb.metrics.perplexity"]  # a function has the same name
    monkeypatch.setattr(module, "_score_batch", too_large)
    run = train(manager, max_length=128)
    assert run.status == "failed"
    assert min(seen) == 1
    problem = run.view.problem
    assert problem is not None
    assert (problem.code, problem.field) == ("memory.out", "max_length")
    assert "even to measure the base model text by text" in problem.message
    assert run.view.attempt == 1  # smaller batches would not have helped


@pytest.mark.parametrize(
    ("batch", "accumulation", "expected"),
    [
        (8, 1, (4, 2)),
        (6, 1, (3, 2)),
        (5, 1, (1, 5)),
        (5, 2, (2, 5)),
        (3, 4, (1, 12)),
        (7, 3, (3, 7)),
    ],
)
def test_the_rows_of_a_step_stay(
    manager: RunManager, batch: int, accumulation: int, expected: tuple[int, int]
):
    del manager
    data = FinetuneData(batch_size=batch, gradient_accumulation=accumulation)
    plan = RunPlan.model_construct(finetune=data, choices=[], node_id="f1", drawn_together=None)
    found = smaller(plan, 3).plan
    assert (found.finetune.batch_size, found.finetune.gradient_accumulation) == expected
    assert found.drawn_together == batch


def test_each_process_keeps_a_row():
    data = FinetuneData(batch_size=8, gradient_accumulation=1)
    known = {"choices": [], "node_id": "f1", "processes": 3, "drawn_together": None}
    plan = RunPlan.model_construct(finetune=data, method="full", **known)
    first = smaller(plan, 3, resumed=True)
    assert (first.plan.finetune.batch_size, first.plan.finetune.gradient_accumulation) == (4, 2)
    assert "Resume the run" in first.problem.message
    second = smaller(first.plan, 3)
    assert second.plan.finetune.batch_size == 4
    assert second.plan.finetune.gradient_checkpointing is True
    with pytest.raises(StudioError, match="batches of 4 and gradient checkpointing"):
        smaller(second.plan, 3)


SCARCE = """
import json, resource, sys
from pathlib import Path
import datasets, psutil, torch, transformers
from transformers import Trainer
import easymodel_nb.train.attempt
from easymodel_nb.train.manager import RunManager
from easymodel_nb.workflow.document import Workflow

torch.set_num_threads(1)

def limit(event):  # from here on 185 MB more
    if event.type == "run_started" and event.attempt == 1:
        size = psutil.Process().memory_info().vms + 185_000_000
        resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))

manager = RunManager(Path(sys.argv[1]))
(run,) = manager.submit(Workflow.read(json.loads(sys.argv[2])), on_event=limit)
manager.wait(run.id)
"""


def test_the_operating_system_refuses_memory(tmp_path: Path):
    """A limited address space: no allocator is patched."""
    sizes = SIZES | {"batch_size": 64, "max_length": 256, "subset_size": 80, "epochs": 1}
    flow = small("builtin:shakespeare", **sizes)
    subprocess.run(
        [sys.executable, "-c", SCARCE, tmp_path, json.dumps(flow.dump())],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )
    (folder,) = (tmp_path / "runs").iterdir()
    run = Run(folder)
    assert run.status == "finished", (run.view.problem, run.view.detail)
    assert "memory.smaller" in [p.code for p in run.view.warnings]
    plan = RunPlan.read(folder)
    assert plan is not None
    assert plan.finetune.batch_size < 64
    assert plan.finetune.batch_size * plan.finetune.gradient_accumulation == 64
    assert [p.step for p in run.view.curve] == list(range(1, plan.max_steps + 1))


# ------------------------------------------------------------ how it is known


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error: Exception, known: bool):  # noqa: FBT001
    assert out_of_memory(error) is known


def test_what_does_not_fit_at_once_is_done_in_halves():
    sizes: list[int] = []

    def work(items: Any) -> list[int]:
        sizes.append(len(items))
        if len(items) > 2:
            raise torch.OutOfMemoryError("no")
        return [item * 10 for item in items]

    assert in_halves(range(7), work) == [0, 10, 20, 30, 40, 50, 60]
    assert max(size for size in sizes if size <= 2) == 2
    with pytest.raises(torch.OutOfMemoryError):
        in_halves([1, 2], lambda _: (_ for _ in ()).throw(torch.OutOfMemoryError("no")))


def too_many(monkeypatch: pytest.MonkeyPatch, model: Any, most: int) -> list[int]:
    """The model fits only so many rows; what it was given is noted."""
    seen: list[int] = []
    forward = model.forward

    @functools.wraps(forward)  # what it takes is looked at
    def limited(*args: Any, **kwargs: Any) -> Any:
        ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        seen.append(len(ids))
        if len(ids) > most:
            raise torch.OutOfMemoryError("no")
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", limited)
    return seen


def test_measuring_and_writing_use_smaller_batches(monkeypatch: pytest.MonkeyPatch):
    from easymodel_nb import metrics
    from easymodel_nb.train.generate import generate
    from easymodel_nb.train.tasks.task import Sample

    path = builtin_path("tiny-gpt2")
    model, tokenizer = (
        transformers.AutoModelForCausalLM.from_pretrained(path),
        transformers.AutoTokenizer.from_pretrained(path),
    )
    texts = [f"{n} is a number, and so is {n + 1}." for n in range(9)]
    samples = [Sample(text, "", tokenizer(text)["input_ids"]) for text in texts]

    def both() -> tuple[Any, Any]:
        written = generate(model, tokenizer, samples, 3, lambda _: None)
        return metrics.perplexity(model, tokenizer, texts).value, [row["text"] for row in written]

    expected = both()
    seen = too_many(monkeypatch, model, 4)
    found = both()
    assert max(seen) > 4
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    assert found[1] == expected[1]
