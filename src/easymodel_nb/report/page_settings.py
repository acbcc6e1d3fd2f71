"""The settings of a run with the reason of each that was chosen for it, and its environment."""

from collections.abc import Mapping
from typing import Any

from easymodel_nb.report.content import Cell, DataTable
from easymodel_nb.report.html import Row, table, tag, text
from easymodel_nb.runlog.destinations import Destinations, said
from easymodel_nb.runlog.view import RunView

# What a person would look for first; whatever else the plan holds follows.
_FIRST = ("task", "method", "epochs", "batch_size", "learning_rate", "max_length", "subset_size")
_SET = "as set"
_SKIPPED = frozenset({"accept", "sweep", "output_name", "processes"})


def settings_data(view: RunView) -> DataTable:
    """Every setting, its value and why: the choices of the plan, and what the user set."""
    plan = view.plan or {}
    drawn = _part(_part(view.request, "node"), "data")
    planned = _part(plan, "finetune") or drawn
    chosen = {
        str(choice.get("field")): choice
        for choice in plan.get("choices") or ()
        if isinstance(choice, Mapping)
    }
    rows: list[list[Cell]] = []
    for role in ("model", "dataset"):
        name = _part(plan, role).get("name")
        rows += [[role, str(name), _SET]] if name else []
    names = [*_FIRST, *(name for name in planned if name not in _FIRST)]
    for name in names:
        choice = chosen.pop(name, None)
        value = choice.get("value") if choice else planned.get(name)
        if name in _SKIPPED or value in (None, [], {}):
            continue
        why = str(choice.get("reason") or "") if choice else _SET
        rows.append([name, _shown(value), why])
    rows += [
        [name, _shown(choice.get("value")), str(choice.get("reason") or "")]
        for name, choice in chosen.items()
    ]
    return DataTable("settings", ["setting", "value", "why"], rows)


def environment_data(view: RunView) -> DataTable:
    """Versions, device, seed and fingerprints, as the run recorded them."""
    known = view.environment or {}
    rows: list[list[Cell]] = [
        [name, _shown(value)] for name, value in known.items() if value is not None
    ]
    return DataTable("environment", ["what", "value"], rows)


def destinations_html(known: Destinations | None) -> str:
    """Where the run's data went, in words; empty where nobody recorded it."""
    if known is None:
        return ""
    rows = [Row([text("span", d.where), text("span", said(d))]) for d in known.found]
    listed = table("Where did my data go?", ["host", "what"], rows) if rows else ""
    beside = "".join(text("p", sentence) for sentence in known.unseen)
    inner = text("h2", "Where did my data go?") + text("p", known.sentence) + listed + beside
    return tag("div", inner, "rp-words", data_testid="destinations")


def plain_table(data: DataTable, caption: str) -> str:
    """A table of texts as HTML."""
    rows = [Row([text("span", "" if c is None else str(c)) for c in row]) for row in data.rows]
    return table(caption, data.columns, rows)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(item)}" for name, item in value.items())
    return str(value)


def _part(whole: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    part = (whole or {}).get(name)
    return part if isinstance(part, Mapping) else {}
