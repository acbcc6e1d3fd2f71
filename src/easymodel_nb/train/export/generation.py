"""Generation: what its pieces are filled with, and what they must give."""

from typing import Any

from easymodel_nb.metrics.perplexity import _windows as scored_windows
from easymodel_nb.metrics.perplexity import leading_specials
from easymodel_nb.train.export import chat
from easymodel_nb.train.export.facts import Facts, pieces_around
from easymodel_nb.train.export.literals import literal


def pieces(facts: Facts) -> list[str]:
    """The pieces, in their order."""
    return pieces_around("chat" if facts.roles.messages else "generation", "loss_generation")


def fill(facts: Facts) -> dict[str, Any]:
    """What these pieces need beside what all do."""
    roles, tokenizer = facts.roles, facts.ready.tokenizer
    template = "fill(row)"
    examples = {
        "pairs": roles.target is not None,
        "text": template if roles.template else "text_of(row, TEXT)",
        "prompt": template if roles.template else "text_of(row, PROMPT)",
        "target": "text_of(row, TARGET)",
        "words": (
            "Prompt and target as token ids."
            if roles.target
            else "Texts as token ids; long ones are read in windows, and nothing is cut."
        ),
    }
    examples |= chat.fill(facts) if roles.messages else {}
    start, end = leading_specials(tokenizer), tokenizer.eos_token_id
    return {
        "examples": examples,
        "tokenizer": facts.tokenizer()
        | {"start": literal(start) if start else None, "end": [] if end is None else [end]},
        "batches": {
            "vector": False,
            "segments": False,
            "length": 'len(one["ids"])',
            **facts.order(),
        },
        "targets": '(batch["labels"] != IGNORED).sum()',
        "perplexity": True,
        "baseline": True,
    }


def wanted(facts: Facts) -> tuple[list[Any], list[Any]]:
    """The examples of the plan: to learn, and to measure."""
    prepared: Any = facts.ready.prepared
    length = facts.data.max_length
    return (
        [(one.ids, one.labels) for one in prepared.train],
        [(w.ids, w.labels) for w in scored_windows(prepared.validation, length, length // 2)],
    )


def got(example: dict[str, Any]) -> Any:
    """The same of one example of the exported code."""
    return example["ids"], example["labels"]
