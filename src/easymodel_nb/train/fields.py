"""Which column plays which role, and the text a row gives for it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError
from easymodel_nb.workflow.check import label_of
from easymodel_nb.workflow.document import FinetuneData

# Names people give to columns, the most telling first.
_PROMPTS = ("prompt", "instruction", "question", "query", "input", "source", "context", "mr")
_TARGETS = (
    "target", "completion", "response", "answer", "output", "answers", "reply", "summary", "ref",
)  # fmt: skip
_TEXTS = ("text", "content", "sentence", "document", "body", "utterance", "message", "story")
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_SLOT = re.compile(r"\{([^{}]+)\}")
_SNIFFED_ROWS = 50


@dataclass(frozen=True)
class Roles:
    """The columns of a generation run: text alone, or a prompt and a target, or a template."""

    text: str | None = None
    prompt: str | None = None
    target: str | None = None
    template: str | None = None
    reasons: tuple[tuple[str, str, str], ...] = ()  # (field, chosen column, why)

    @property
    def has_prompt(self) -> bool:
        """Whether a target is learned after a prompt that is only read."""
        return self.target is not None

    @property
    def columns(self) -> list[str]:
        """Every value path that is read."""
        paths = [self.text, self.prompt, self.target]
        if self.template:
            paths += _SLOT.findall(self.template)
        return [path for path in paths if path]


def choose(table: pa.Table, data: FinetuneData) -> Roles:
    """The roles for generation; what the document leaves open is chosen by name and content.

    Raises
    ------
    StudioError
        When a named column is not there, or nothing in the table is text.

    """
    named = {
        "text_field": data.text_field,
        "prompt_field": data.prompt_field,
        "target_field": data.target_field,
    }
    problems = [
        _missing(table, field, path)
        for field, path in named.items()
        if path and path_root(path) not in table.column_names
    ]
    if data.template:
        problems += [
            _missing(table, "template", slot)
            for slot in _SLOT.findall(data.template)
            if path_root(slot) not in table.column_names
        ]
    if problems:
        raise StudioError(problems)
    if data.template:
        return Roles(template=data.template, target=data.target_field)
    if data.text_field:
        return Roles(text=data.text_field)
    return _guess(table, data.prompt_field, data.target_field)


def _guess(table: pa.Table, prompt: str | None, target: str | None) -> Roles:
    texts = text_columns(table)
    reasons: list[tuple[str, str, str]] = []
    if target is None and prompt is None:
        prompt, target = _by_name(texts, _PROMPTS), _by_name(texts, _TARGETS)
        if prompt and target:
            reasons = [
                ("prompt_field", prompt, f"the column is named {prompt!r}"),
                ("target_field", target, f"the column is named {target!r}"),
            ]
            return Roles(prompt=prompt, target=target, reasons=tuple(reasons))
        return _plain(table, texts)
    if prompt is None:
        others = [name for name in texts if name != target]
        prompt = _by_name(others, (*_PROMPTS, *_TEXTS)) or (others[0] if others else None)
        if prompt is None:
            raise _no_text(table, "prompt_field", "no other column holds text to be the prompt")
        reasons.append(("prompt_field", prompt, "it is the likeliest other text column"))
    return Roles(prompt=prompt, target=target, reasons=tuple(reasons))


def _plain(table: pa.Table, texts: list[str]) -> Roles:
    named = _by_name(texts, _TEXTS)
    if named:
        why = f"the column is named {named!r}"
    elif texts:
        named = max(texts, key=lambda name: _mean_length(table, name))
        why = "it is the only text column" if len(texts) == 1 else "it holds the longest texts"
    else:
        raise _no_text(table, "text_field", "no column holds text")
    return Roles(text=named, reasons=(("text_field", named, why),))


def text_columns(table: pa.Table) -> list[str]:
    """The columns that hold strings."""
    return [field.name for field in table.schema if _is_text(field.type)]


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):  # categories, as pandas writes them
        kind = kind.value_type
    # string views are younger than the oldest pyarrow this runs with
    return any(
        is_kind(kind)
        for name in ("is_string", "is_large_string", "is_string_view")
        if (is_kind := getattr(pa.types, name, None)) is not None
    )


def _by_name(columns: Sequence[str], names: Iterable[str]) -> str | None:
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)


def _mean_length(table: pa.Table, column: str) -> float:
    values = [len(v) for v in table[column][:_SNIFFED_ROWS].to_pylist() if v]
    return sum(values) / len(values) if values else 0.0


def _missing(table: pa.Table, field: str, path: str) -> Problem:
    names = table.column_names
    guess = _by_name(names, [path.strip().lower()]) or (
        text_columns(table)[0] if len(text_columns(table)) == 1 else None
    )
    return Problem(
        code="column.missing",
        message=f"{label_of(field)}: there is no column {path!r}. "
        f"The data has {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}.",  # noqa: PLR2004
        field=field,
        fix=Fix(label=f"Use {guess!r}", set=[FieldChange(node="", field=field, value=guess)])
        if guess and field != "template"
        else None,
    )


def _no_text(table: pa.Table, field: str, why: str) -> StudioError:
    return StudioError(
        Problem(
            code="column.no_text",
            message=f"{label_of(field)} could not be chosen: {why}. "
            f"The data has {', '.join(table.column_names[:12]) or 'no columns'}.",
            field=field,
        )
    )


# ---------------------------------------------------------------- values


def path_root(path: str) -> str:
    """The column a value path starts from: `answers` of `answers.text[0]`."""
    found = _PART.match(path)
    return found.group(1) if found and found.group(1) else path


def value_at(row: dict[str, Any], path: str) -> Any:
    """The value a path names, or None where the row has none."""
    if path in row:
        return row[path]
    value: Any = row
    for name, index in _PART.findall(path):
        if index:
            position = int(index)
            value = value[position] if isinstance(value, list) and position < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return None
    return value


def as_text(value: Any) -> str | None:
    """A cell as text; None for a null or an empty string."""
    if value is None:
        return None
    if isinstance(value, list):
        value = value[0] if value else None
        return as_text(value)
    text = value if isinstance(value, str) else str(value)
    return text if text.strip() else None


def prompt_and_target(row: dict[str, Any], roles: Roles) -> tuple[str | None, str] | None:
    """What a row gives: (prompt, target), or (None, text), or None when a value is absent."""
    if roles.template is not None:
        filled = _fill(roles.template, row)
        if filled is None:
            return None
        if roles.target is None:
            return None, filled
        target = as_text(value_at(row, roles.target))
        return None if target is None else (filled, target)
    if roles.target is not None:
        prompt = as_text(value_at(row, roles.prompt or ""))
        target = as_text(value_at(row, roles.target))
        return None if prompt is None or target is None else (prompt, target)
    text = as_text(value_at(row, roles.text or ""))
    return None if text is None else (None, text)


def _fill(template: str, row: dict[str, Any]) -> str | None:
    parts = [as_text(value_at(row, slot)) for slot in _SLOT.findall(template)]
    if any(part is None for part in parts):
        return None
    values = iter(parts)
    return _SLOT.sub(lambda _: next(values) or "", template)
