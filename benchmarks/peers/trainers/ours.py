"""EasyModel as a user has it: the workflow of a node, trained by `easymodel train`'s own function.

Nothing of it is switched off. The stopwatch joins the Trainer's callbacks from outside; what a
run measures of its model between two steps is left out of the clock, as nobody else measures.
"""

import shutil
from pathlib import Path
from typing import Any

from peers import profiling, timing
from transformers import trainer

from easymodel_nb.train import api
from easymodel_nb.train.measuring import Measurer

_ROLES = {
    "completion": {"task": "generation", "prompt_field": "prompt", "target_field": "completion"},
    "text": {"task": "generation", "text_field": "text"},
    "classification": {"task": "classification", "text_field": "text", "label_field": "label"},
    "tags": {"task": "token_classification", "text_field": "tokens", "label_field": "tags"},
    "seq2seq": {"task": "seq2seq", "prompt_field": "source", "target_field": "target"},
}


def run(job: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    profiled = job["mode"] == "profile"
    stopwatch = profiling.Profiled(job) if profiled else timing.Stopwatch(job)
    callbacks: list[Any] = trainer.DEFAULT_CALLBACKS
    callbacks.append(stopwatch)
    _leave_out(stopwatch)
    home = Path(job["home"])
    shutil.rmtree(home / "runs", ignore_errors=True)  # those that the stopwatch ended
    (run,) = api.train(workflow(job), home=home, on_ask=lambda _: None)
    raise SystemExit(f"The run ended before its steps were counted: {run.view.problem}")


def _leave_out(stopwatch: timing.Stopwatch) -> None:
    measure = Measurer.measure

    def measured(self: Measurer, step: int) -> Any:
        with stopwatch.paused():
            return measure(self, step)

    Measurer.measure = measured  # type: ignore[method-assign]


def workflow(job: dict[str, Any]) -> dict[str, Any]:
    """A model, a data set and a Finetuning node that is set like the other peers."""
    data = {
        **_ROLES[job["kind"]],
        "epochs": job["epochs"],
        "batch_size": job["batch_size"],
        "max_length": job["max_length"],
        "subset_size": None,
        "learning_rate": job["learning_rate"],
        "warmup_ratio": 0.0,
        "weight_decay": 0.0,
        "seed": job["seed"],
    } | job["settings"]
    if lora := job.get("lora"):
        data |= {
            "method": "lora",
            "lora_rank": lora["r"],
            "lora_alpha": lora["lora_alpha"],
            "target_modules": lora["target_modules"],
        }
    nodes = [
        {"id": "m1", "type": "model", "data": {"source": job["model"]}},
        {"id": "d1", "type": "dataset", "data": {"source": job["data"]}},
        {"id": "f1", "type": "finetune", "data": data},
    ]
    edges = [
        {
            "id": name,
            "source": f"{name}1",
            "sourceHandle": handle,
            "target": "f1",
            "targetHandle": handle,
        }
        for name, handle in (("m", "model"), ("d", "dataset"))
    ]
    return {
        "format": "easymodel.workflow",
        "version": 1,
        "name": "Benchmark",
        "nodes": nodes,
        "edges": edges,
    }
