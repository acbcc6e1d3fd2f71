"""Sequence to sequence: what its pieces are filled with, and what they must give."""

from typing import Any

from easymodel_nb.train.export.facts import Facts, pieces_around
from easymodel_nb.trust import loading


def pieces(facts: Facts) -> list[str]:  # noqa: ARG001
    """The pieces, in their order."""
    return pieces_around("seq2seq", "loss_seq2seq")


def fill(facts: Facts) -> dict[str, Any]:
    """What these pieces need beside what all do."""
    roles, data, tokenizer = facts.roles, facts.data, facts.ready.tokenizer
    source = "fill(row)" if roles.template else "text_of(row, PROMPT)"
    if data.source_prefix:
        facts.add(("PREFIX", data.source_prefix, facts.why("source_prefix")))
        source = f"PREFIX + {source}"
    ends = tokenizer(text_target="a")["input_ids"]
    end = tokenizer.eos_token_id
    return {
        "examples": {
            "source": source,
            "target": "text_of(row, TARGET)",
            "end": end if end is not None and end not in ends else None,
        },
        "tokenizer": facts.tokenizer(),
        "model": facts.model() | {"after": [*facts.model()["after"], *_start(facts)]},
        "batches": {
            "vector": False,
            "segments": False,
            "length": 'len(one["ids"]) + len(one["labels"])',
            **facts.order(),
            "sizes": '(len(one["ids"]), len(one["labels"]))',
        },
        "targets": '(batch["labels"] != IGNORED).sum()',
        "perplexity": True,
        "baseline": True,
    }


def _start(facts: Facts) -> list[str]:
    """A token to start answers with, where the model names none."""
    config, tokenizer = facts.ready.config, facts.ready.tokenizer
    if getattr(config, "decoder_start_token_id", None) is not None:
        return []
    try:
        known = loading.generation_config(facts.ready.model_folder.path)
        named = known.decoder_start_token_id
    except OSError:
        named = None
    padding = config.pad_token_id if config.pad_token_id is not None else tokenizer.pad_token_id
    start = next((x for x in (named, tokenizer.bos_token_id, padding) if x is not None), 0)
    return [
        f"model.config.decoder_start_token_id = {start}  # the model names no token to start with"
    ]


def wanted(facts: Facts) -> tuple[list[Any], list[Any]]:
    """The examples of the plan: to learn, and to measure."""
    prepared: Any = facts.ready.prepared
    return (
        [(pair.source, pair.target) for pair in prepared.train],
        [(pair.source, pair.target) for pair in prepared.validation],
    )


def got(example: dict[str, Any]) -> Any:
    """The same of one example of the exported code."""
    return example["ids"], example["labels"]
