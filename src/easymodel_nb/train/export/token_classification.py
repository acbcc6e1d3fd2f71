"""Token classification: what its pieces are filled with, and what they must give."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.export import heads
from easymodel_nb.train.export.facts import Facts, pieces_around
from easymodel_nb.train.export.literals import Expression, literal
from easymodel_nb.train.roles import column_at
from easymodel_nb.train.tasks import tagged
from easymodel_nb.train.tasks.labels import spelled
from easymodel_nb.train.tasks.tags import _LETTERS as LETTERS
from easymodel_nb.train.tasks.tags import _MEANING as MEANING
from easymodel_nb.train.tasks.words import space_before, specials
from easymodel_nb.trust import loading


def pieces(facts: Facts) -> list[str]:  # noqa: ARG001
    """The pieces, in their order."""
    return pieces_around("token_classification", "loss_token_classification")


def fill(facts: Facts) -> dict[str, Any]:
    """What these pieces need beside what all do."""
    task: Any = facts.task
    prepared: Any = facts.ready.prepared
    # As it is loaded: preparing has taught the other one to put the space itself.
    folder = facts.ready.model_folder
    tokenizer = loading.tokenizer(folder.path, folder.permit)
    before, after = specials(tokenizer)
    space = space_before(tokenizer)
    columns = facts.columns()
    declared = task.declared(facts.ready.drawn.train)
    cells = _cells(facts)
    mended = _is_mended(facts, declared)
    examples: dict[str, Any] = {
        "before": literal(before),
        "after": literal(after),
        "space": bool(space),
        "blank": "[tokenizer.unk_token_id]"
        if tokenizer.unk_token_id is not None
        else literal(tokenizer(f"{space}?", add_special_tokens=False)["input_ids"][:1]),
        "words": columns["value"].format("TEXT"),
        "windows": any(w.first for w in (*prepared.train, *prepared.validation)),
        "weights": task.weights is not None,
        "mended": mended,
        "bare": task.scheme.bare,
    }
    if mended:
        examples["name"] = _names(facts, cells, declared)
    else:
        examples |= _numbers(facts, cells, declared)
    return {
        "examples": examples,
        "tokenizer": facts.tokenizer(),
        "model": heads.model(facts),
        "batches": {
            "vector": False,
            "segments": False,
            "length": 'len(one["ids"])',
            **facts.order(),
        },
        "targets": '(batch["labels"] != IGNORED).sum()',
        "perplexity": False,
        "baseline": not task.head_is_new,
    }


def _tables(facts: Facts) -> list[pa.Table]:
    splits = facts.ready.splits
    return [table for table in (splits.train, splits.evaluation) if table is not None]


def _cells(facts: Facts) -> list[Any]:
    """What stands in the tag column, each value once."""
    rows = [column_at(t, str(facts.roles.label)).to_pylist() for t in _tables(facts)]
    return list(dict.fromkeys(tag for table in rows for row in table for tag in row or ()))


def _name(cell: Any, declared: Sequence[str] | None) -> str | None:
    return None if cell in (IGNORED, str(IGNORED)) else spelled(cell, declared)


def _numbers(facts: Facts, cells: list[Any], declared: Sequence[str] | None) -> dict[str, Any]:
    number = {name: place for place, name in enumerate(facts.task.names)}  # type: ignore[attr-defined]

    def number_of(cell: Any) -> int | None:
        name = _name(cell, declared)
        return None if name is None else number.get(name)

    expression = heads.number_of(facts, cells, number_of, "tag")
    holes = any(number_of(cell) is None for cell in cells)
    if holes and expression == "tag":
        expression = "tag if tag is not None and tag >= 0 else IGNORED"
    elif holes:
        expression = "CLASS_OF.get(tag, IGNORED)"
    return {"number": expression, "holes": holes}


def _names(facts: Facts, cells: list[Any], declared: Sequence[str] | None) -> str:
    """The expression that gives a tag's name; adds the constants that mend tags."""
    task: Any = facts.task
    letters = ", ".join(map(literal, LETTERS[task.scheme.name]))
    joint = "" if task.scheme.bare else task.scheme.joint
    constants: list[Any] = [
        ("LABELS", list(task.names), facts.why("tags")),
        ("MEANING", MEANING, "what the letter of a tag means"),
        ("BEGIN, INSIDE, END, SINGLE", Expression(letters), facts.why("scheme")),
        ("JOINT", joint, "what stands between letter and type"),
    ]
    named = {cell: name for cell in cells if (name := _name(cell, declared)) is not None}
    plain = all(cell == name for cell, name in named.items()) and len(named) == len(cells)
    if not plain:
        constants.append(("NAME_OF", named, "what stands in the data, and the tag it means"))
    facts.add(*constants)
    return "tag" if plain else "NAME_OF.get(tag)"


def _is_mended(facts: Facts, declared: Sequence[str] | None) -> bool:
    """Whether a tag is learned otherwise than it stands in the data."""
    task: Any = facts.task
    drawn = facts.ready.drawn
    return any(
        learned.tags != written.tags
        for table, texts in ((drawn.train, task._train), (drawn.evaluation, task._held))  # noqa: SLF001
        for learned, written in zip(texts, tagged.read(table, facts.roles, declared), strict=True)
    )


def wanted(facts: Facts) -> tuple[list[Any], list[Any]]:
    """The examples of the plan: to learn, and to measure."""
    prepared: Any = facts.ready.prepared
    return tuple(  # type: ignore[return-value]
        [(window.ids, window.labels) for window in windows]
        for windows in (prepared.train, prepared.validation)
    )


def got(example: dict[str, Any]) -> Any:
    """The same of one example of the exported code."""
    return example["ids"], example["labels"]
