"""Who is compared: each way to train, its settings and the environment it needs."""

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Peer:
    """One way to train; `settings` go to its trainer, by kind of task where they differ."""

    name: str
    title: str
    module: str
    environment: str = "host"
    settings: dict[str, Any] = field(default_factory=dict)


# TRL's packed rows are as long as 8 of the rows are on average, one a step: the same number of
# examples a step as everybody has.
PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer("hf", "HF Trainer, defaults", "trainers.hf"),
        Peer(
            "hf-max",
            "HF Trainer, padded to max_length",
            "trainers.hf",
            settings={"padding": "max_length"},
        ),
        Peer(
            "hf-grouped",
            "HF Trainer, grouped by length (its best)",
            "trainers.hf",
            settings={"grouped": True},
        ),
        Peer(
            "hf-bf16",
            "HF Trainer, grouped by length, bf16",
            "trainers.hf",
            settings={"grouped": True, "bf16": True},
        ),
        Peer("trl", "TRL SFTTrainer, defaults but bf16 off", "trainers.trl_sft", "trl"),
        Peer(
            "trl-best",
            "TRL SFTTrainer, best settings",
            "trainers.trl_sft",
            "trl",
            {"gradient_checkpointing": False, "train_sampling_strategy": "group_by_length"},
        ),
        Peer(
            "llamafactory",
            "LLaMA-Factory, gradient checkpointing off",
            "trainers.llamafactory",
            "llamafactory",
            {"disable_gradient_checkpointing": True},
        ),
        Peer("autotrain", "AutoTrain's data path", "trainers.autotrain"),
        Peer("ours", "EasyModel", "trainers.ours"),
        Peer(
            "ours-fp32",
            "EasyModel, held to 32 bits",
            "trainers.ours",
            settings={"precision": "fp32"},
        ),
    )
}
BASE: Final = "hf"
OURS: Final = "ours"
HELD: Final = "ours-fp32"  # beside ours where a CPU is good at bf16
PADDED: Final = "hf-max"  # batches of the defaults with more padding: a slow way to their loss
