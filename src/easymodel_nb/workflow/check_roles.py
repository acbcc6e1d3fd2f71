"""Which roles go together: what the document says of columns, without a look at the data."""

import re
from collections.abc import Iterator

from easymodel_nb.errors import FieldChange, Fix, Problem
from easymodel_nb.workflow.document import FinetuneData, Node
from easymodel_nb.workflow.labels import TASK_TITLES, label_of, role_label

# What each task takes; a field that is set beyond these has no effect, and that is said.
_TAKES: dict[str, tuple[str, ...]] = {
    "generation": ("text_field", "prompt_field", "target_field", "template", "messages_field"),
    "classification": ("text_field", "text_pair_field", "label_field", "class_weights"),
    "seq2seq": ("prompt_field", "target_field", "template", "source_prefix"),
    "token_classification": ("text_field", "label_field", "class_weights"),
}
_ROLES = tuple(dict.fromkeys(name for names in _TAKES.values() for name in names))
# Roles of one task that cannot be the same column.
_APART = (
    ("text_field", "label_field"),
    ("text_field", "text_pair_field"),
    ("text_pair_field", "label_field"),
    ("prompt_field", "target_field"),
)
_SLOT = re.compile(r"\{([^{}]*)\}")


def roles(node: Node, data: FinetuneData) -> Iterator[Problem]:
    """Every structural problem of the roles of one finetune node."""
    yield from _same_column(node, data)
    if data.task == "generation":
        yield from _generation(node, data)
    elif data.task == "seq2seq" and data.template:
        yield from _template(node, data, data.template, ("prompt_field",))
    yield from _unused(node, data)


def _same_column(node: Node, data: FinetuneData) -> Iterator[Problem]:
    takes = _TAKES[data.task]
    for one, other in _APART:
        column = getattr(data, one)
        if column and column == getattr(data, other) and one in takes and other in takes:
            names = f"{role_label(data.task, one)} and {role_label(data.task, other).lower()}"
            yield Problem(
                code="roles.same",
                message=f"{names} are the same column, {column!r}: choose another one for either.",
                node=node.id,
                field=other,
                fix=_clear(node, data, other),
            )


def _generation(node: Node, data: FinetuneData) -> Iterator[Problem]:
    if data.messages_field:
        others = ("text_field", "prompt_field", "target_field", "template")
        yield from _conflicts(node, data, others, "messages_field", "chats are learned whole")
        return
    if data.template:
        yield from _template(node, data, data.template, ("text_field", "prompt_field"))
        return
    if data.text_field and (data.target_field or data.prompt_field):
        other = "target_field" if data.target_field else "prompt_field"
        yield Problem(
            code="roles.conflict",
            message=f"Text field and {label_of(other).lower()} exclude each other: with a target, "
            "the first column is the prompt field.",
            node=node.id,
            field="text_field",
            fix=_clear(node, data, "text_field") if data.prompt_field else None,
        )
    elif data.prompt_field and not data.target_field:
        yield Problem(
            code="roles.target_missing",
            message="A prompt needs a target to learn: choose the target field, or use the "
            "column as text field instead.",
            node=node.id,
            field="target_field",
        )


def _conflicts(
    node: Node, data: FinetuneData, others: tuple[str, ...], holder: str, why: str
) -> Iterator[Problem]:
    taken = [name for name in others if getattr(data, name)]
    if not taken:
        return
    names = " and ".join(role_label(data.task, name).lower() for name in taken)
    yield Problem(
        code="roles.conflict",
        message=f"{label_of(holder)} leaves no place for the {names}: {why}. Clear one side.",
        node=node.id,
        field=holder,
        fix=Fix(
            label=f"Clear the {names}",
            set=[FieldChange(node=node.id, field=name, value=None) for name in taken],
        ),
    )


def _template(
    node: Node, data: FinetuneData, template: str, others: tuple[str, ...]
) -> Iterator[Problem]:
    yield from _conflicts(node, data, others, "template", "the template builds the text itself")
    slots = _SLOT.findall(template)
    rest = _SLOT.sub("", template)
    if "{" in rest or "}" in rest:
        message = (
            "A brace in the template has no partner. A column stands in a pair of them: {question}."
        )
    elif any(not slot.strip() for slot in slots):
        message = "The template has empty braces: name a column between them, as in {question}."
    elif not slots:
        message = (
            "The template names no column, so that every row would give the same text. Put a "
            "column in braces, as in {question}."
        )
    else:
        return
    yield Problem(code="template.slots", message=message, node=node.id, field="template")


def _unused(node: Node, data: FinetuneData) -> Iterator[Problem]:
    """A role of another task: it may be kept for later, but it does nothing now."""
    takes = _TAKES[data.task]
    for name in _ROLES:
        value = getattr(data, name)
        if not value or name in takes:
            continue
        said = "" if value is True else f" ({str(value)[:40]!r})"
        yield Problem(
            code="roles.unused",
            severity="note",
            message=f"{label_of(name)}{said} has no effect: {TASK_TITLES[data.task].lower()} does "
            "not use it.",
            node=node.id,
            field=name,
            fix=_clear(node, data, name),
        )


def _clear(node: Node, data: FinetuneData, name: str) -> Fix:
    empty = type(data).model_fields[name].default
    label = f"Clear the {role_label(data.task, name).lower()}"
    return Fix(label=label, set=[FieldChange(node=node.id, field=name, value=empty)])
