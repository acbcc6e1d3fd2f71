"""What classification and token classification share: classes, and a head for them."""

from collections.abc import Callable, Iterable
from typing import Any

from easymodel_nb.train.export.facts import Facts
from easymodel_nb.train.export.literals import Expression, literal
from easymodel_nb.train.tasks.heads import _own_names as own_names


def model(facts: Facts) -> dict[str, Any]:
    """How the model is loaded with its head."""
    task: Any = facts.task
    ready, found = facts.ready, facts.model()
    options = [
        "id2label=dict(enumerate(LABELS))",
        "label2id={name: number for number, name in enumerate(LABELS)}",
    ]
    if task.problem_type:
        options.append(f"problem_type={literal(task.problem_type)}")
    own = own_names(ready.config, task.ending)
    after = ["model.config.pad_token_id = tokenizer.pad_token_id"]
    if own and task.head_is_new:
        options.append("ignore_mismatched_sizes=True,  # its head for other classes goes")
        after = [*_FORGET, *after]
    if len(ready.tokenizer) > ready.config.vocab_size:
        after.append("model.resize_token_embeddings(len(tokenizer))")
    return found | {
        "before": ["torch.manual_seed(SEED)  # of the first weights of the head"],
        "options": options,
        "after": after,
    }


_NUMBERED = Expression("{name: number for number, name in enumerate(LABELS)}")
_FORGET = [
    "# The head was made for other classes: it begins anew.",
    "torch.manual_seed(SEED)",
    "fresh = dict(type(model)(model.config).named_parameters())",
    "with torch.no_grad():",
    "    for name, weight in model.named_parameters():",
    '        if not name.startswith(f"{model.base_model_prefix}."):',
    "            weight.copy_(fresh[name])",
]


def number_of(
    facts: Facts, cells: Iterable[Any], number: Callable[[Any], int | None], variable: str
) -> str:
    """The expression that gives the class of what a cell holds; adds the constants it needs."""
    names = list(facts.task.names)  # type: ignore[attr-defined]
    found = {cell: place for cell in cells if (place := number(cell)) is not None}
    why = facts.why("classes") or facts.why("tags")
    constants: list[Any] = [("LABELS", names, why)]
    if all(isinstance(cell, int) and cell == place for cell, place in found.items()):
        expression = variable
    elif found == {name: place for place, name in enumerate(names) if name in found}:
        constants.append(("CLASS_OF", _NUMBERED, None))
        expression = f"CLASS_OF[{variable}]"
    else:
        constants.append(("CLASS_OF", found, "what stands in the data, and the class it means"))
        expression = f"CLASS_OF[{variable}]"
    facts.add(*constants)
    return expression
