"""TRL's SFTTrainer on rows of text: it tokenises and collates them itself."""

from pathlib import Path
from typing import Any

from datasets import Dataset
from peers import timing
from peers.trainers import rows
from peers.trainers.hf import common
from peers.workloads import read
from peft import LoraConfig
from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found]


def run(job: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    options = {**common(job), "max_length": job["max_length"]} | job["settings"]
    lora = job.get("lora")
    SFTTrainer(
        model=rows.model(job),
        args=SFTConfig(**options),
        train_dataset=Dataset.from_list(read(Path(job["data"]), "train")),
        processing_class=rows.tokenizer(job["model"]),
        peft_config=LoraConfig(task_type="CAUSAL_LM", **lora) if lora else None,
        callbacks=[timing.Stopwatch(job)],
    ).train()
