"""Classification: what its pieces are filled with, and what they must give."""

from typing import Any

from easymodel_nb.train.export import heads
from easymodel_nb.train.export.facts import Facts, pieces_around
from easymodel_nb.train.roles import column_at


def pieces(facts: Facts) -> list[str]:  # noqa: ARG001
    """The pieces, in their order."""
    return pieces_around("classification", "loss_classification")


def fill(facts: Facts) -> dict[str, Any]:
    """What these pieces need beside what all do."""
    task: Any = facts.task
    several = task.labels.several
    prepared: Any = facts.ready.prepared
    segments = prepared.train[0].types is not None
    pair = None
    if facts.roles.text_pair:
        parted = facts.ready.tokenizer.num_special_tokens_to_add(pair=True)
        pair = "text_of(row, PAIR)" if parted else '"\\n\\n" + text_of(row, PAIR)'
    return {
        "examples": {
            "words": "Each text as token ids, with the number of its class"
            if not several
            else "Each text as token ids, and for each label whether it has it.",
            "pair": pair,
            "several": several,
            "number": heads.number_of(facts, _cells(facts), _number(facts), "label"),
            "weights": task.weights is not None,
        },
        "tokenizer": facts.tokenizer(),
        "model": heads.model(facts),
        "batches": {
            "vector": True,
            "segments": segments,
            "length": 'len(one["ids"])',
            **facts.order(),
        },
        "targets": 'len(batch["labels"])',
        "perplexity": False,
        "baseline": not task.head_is_new,
    }


def _cells(facts: Facts) -> list[Any]:
    """What stands in the label column of both splits, each value once."""
    splits = facts.ready.splits
    tables = [table for table in (splits.train, splits.evaluation) if table is not None]
    cells = [c for t in tables for c in column_at(t, str(facts.roles.label)).to_pylist()]
    cells = [item for c in cells for item in (c if isinstance(c, list) else [c])]
    return list(dict.fromkeys(cells))


def _number(facts: Facts) -> Any:
    task: Any = facts.task
    declared = task.declared(facts.ready.drawn.train)
    return lambda cell: task.labels.number(cell, declared)


def wanted(facts: Facts) -> tuple[list[Any], list[Any]]:
    """The examples of the plan: to learn, and to measure."""
    prepared: Any = facts.ready.prepared
    return tuple(  # type: ignore[return-value]
        [(text.ids, text.types, text.label) for text in texts]
        for texts in (prepared.train, prepared.validation)
    )


def got(example: dict[str, Any]) -> Any:
    """The same of one example of the exported code."""
    return example["ids"], example.get("segments"), example["labels"]
