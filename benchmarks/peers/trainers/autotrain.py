"""AutoTrain Advanced 0.8.36's way with classification: padded to `max_seq_length` in the data set.

Written from what its classifier's data set does: each text is tokenised when it is asked for and
padded to 128 tokens there; the rest is a bare Trainer. Its language models are trained by TRL.
"""

from pathlib import Path
from typing import Any

import torch
from peers import timing
from peers.trainers import rows
from peers.trainers.hf import common
from peers.workloads import read
from torch.utils.data import Dataset
from transformers import AutoConfig, Trainer, TrainingArguments


class _Padded(Dataset[dict[str, torch.Tensor]]):
    """Texts that become tensors of one length whenever they are asked for."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._rows = read(Path(job["data"]), "train")
        self._tokenizer = rows.tokenizer(job["model"])
        self._number = AutoConfig.from_pretrained(job["model"]).label2id
        self._width = job["max_length"]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        row = self._rows[index]
        found = self._tokenizer(
            row["text"], truncation=True, max_length=self._width, padding="max_length"
        )
        tensors = {name: torch.tensor(ids) for name, ids in found.items()}
        return {**tensors, "labels": torch.tensor(self._number[row["label"]])}


def run(job: dict[str, Any]) -> None:
    """Train; the stopwatch ends the process."""
    options = {**common(job), "optim": "adamw_torch"}  # its default
    Trainer(
        model=rows.model(job),
        args=TrainingArguments(**options),
        train_dataset=_Padded(job),
        callbacks=[timing.Stopwatch(job)],
    ).train()
