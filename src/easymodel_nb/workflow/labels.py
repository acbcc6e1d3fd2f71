"""What sentences call the tasks and the fields: the words the interface shows."""

TASK_TITLES = {
    "generation": "Generation",
    "classification": "Classification",
    "seq2seq": "Sequence to sequence",
    "token_classification": "Token classification",
}
_LABELS = {
    "max_length": "Max length",
    "subset_size": "Subset size",
    "batch_size": "Batch size",
    "eval_fraction": "Held-out fraction",
    "eval_size": "Evaluation rows",
    "max_new_tokens": "New tokens",
    "processes": "GPUs",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
}


def label_of(field: str) -> str:
    """A field's name as the interface shows it."""
    return _LABELS.get(field, field.replace("_", " ").capitalize())


def label_within(field: str) -> str:
    """A field's name within a sentence."""
    label = label_of(field)
    return label if label.startswith(("LoRA", "GPU")) else label.lower()


_ROLE_LABELS = {
    ("seq2seq", "prompt_field"): "Source field",
    ("token_classification", "text_field"): "Words field",
    ("token_classification", "label_field"): "Tags field",
}


def role_label(task: str, field: str) -> str:
    """What the interface calls a role of a task."""
    return _ROLE_LABELS.get((task, field), label_of(field))
