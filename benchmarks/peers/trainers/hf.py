"""The HF Trainer on lists of token ids: its defaults, padded to `max_length`, or grouped."""

import tempfile
from typing import Any

from datasets import Dataset
from peers import timing
from peers.trainers import rows
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments


def common(job: dict[str, Any]) -> dict[str, Any]:
    """What is the same for every peer, by the names of `TrainingArguments`."""
    return {
        "output_dir": tempfile.mkdtemp(prefix="easymodel-peers-", dir=job["scratch"]),
        "per_device_train_batch_size": job["batch_size"],
        "num_train_epochs": job["epochs"],
        "learning_rate": job["learning_rate"],
        "lr_scheduler_type": "linear",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "seed": job["seed"],
        "logging_steps": 10,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": job.get("device", "cpu") == "cpu",
        "bf16": job.get("device") == "cuda",
        "disable_tqdm": True,
    }


def run(job: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    settings = job["settings"]
    options = common(job)
    if settings.get("grouped"):
        options["train_sampling_strategy"] = "group_by_length"
    if settings.get("bf16"):
        options["bf16"] = True
    model = rows.model(job)
    if job.get("lora"):
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **job["lora"]))
    encoded = Dataset.from_list(rows.encoded(job))
    if settings.get("grouped"):
        encoded = encoded.add_column("length", [len(ids) for ids in encoded["input_ids"]])
    Trainer(
        model=model,
        args=TrainingArguments(**options),
        train_dataset=encoded,
        data_collator=rows.collator(job, model, settings.get("padding", "longest")),
        callbacks=[timing.Stopwatch(job)],
    ).train()
