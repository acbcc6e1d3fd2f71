"""The samples of a report: every prompt, before and after, in a table that a click sorts."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from easymodel_nb.report import numbers as write
from easymodel_nb.report.content import Cell, DataTable
from easymodel_nb.report.html import icon, missing, tag, text
from easymodel_nb.report.points import kept_epoch
from easymodel_nb.report.sample_cell import cell
from easymodel_nb.report.samples import mark_words
from easymodel_nb.report.told import Told
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import RunView

_LONGEST = 4_000  # characters of a text in the page; all of it is in samples.jsonl
_AXES = ("overall", "fluency", "coherence", "grammar", "relevance")
_GENERATED = frozenset({"generation", "seq2seq"})


class _Row(NamedTuple):
    """One prompt: its texts, and its scores by name, base and tuned."""

    place: int
    texts: Mapping[str, str | None]
    base: Mapping[str, float | None]
    tuned: Mapping[str, float | None]

    def gain(self, name: str = "overall") -> float | None:
        """How much more the tuned answer scored."""
        from easymodel_nb.metrics.alike import alike  # noqa: PLC0415  numpy

        pair = alike(self.tuned, self.base) if name == "overall" else None
        after, before = pair or (self.tuned.get(name), self.base.get(name))
        return None if before is None or after is None else after - before


class _Shape(NamedTuple):
    """Which columns the table has: texts or labels, their scores, the base model's answers."""

    generated: bool
    scored: bool
    based: bool


def samples_section(told: Told) -> str:
    """The table as HTML; empty where nothing was generated."""
    rows = _rows(told)
    if not rows:
        return ""
    generated = kind_of(told.view) in _GENERATED
    scored = any(row.gain() is not None for row in rows)
    based = generated or any(row.texts["base"] is not None for row in rows)
    shape = _Shape(generated, scored, based)
    head = _head(shape)
    body = "".join(_table_row(row, shape) for row in rows)
    caption = text("caption", "Samples: the same prompts before and after training", "emnb-sr")
    table = tag("table", caption + tag("thead", head) + tag("tbody", body), "rp-samples")
    return tag("div", table, "rp-scroll")


def samples_data(told: Told) -> DataTable | None:
    """The same and every score, for a CSV file; None where nothing was generated."""
    rows = _rows(told)
    if not rows:
        return None
    axes = [name for name in _AXES if any(row.base.get(name, row.tuned.get(name)) for row in rows)]
    columns = ["index", "prompt", "reference", "base", "tuned"]
    columns += [f"{side}.{name}" for side in ("base", "tuned") for name in axes]
    values: list[list[Cell]] = [
        [
            row.place,
            *(row.texts[name] for name in ("prompt", "reference", "base", "tuned")),
            *(scores.get(name) for scores in (row.base, row.tuned) for name in axes),
        ]
        for row in rows
    ]
    return DataTable("samples", columns, values)


def _rows(told: Told) -> list[_Row]:
    before, after = _scores(told.view, told.scores)
    return [
        _Row(
            index,
            {name: _text(row.get(name)) for name in ("prompt", "reference", "base", "tuned")},
            {name: _at(found, index) for name, found in before.items()},
            {name: _at(found, index) for name, found in after.items()},
        )
        for index, row in enumerate(told.samples)
    ]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    whole = str(value).strip()
    return whole if len(whole) <= _LONGEST else whole[:_LONGEST] + "\u2026"


_Values = Mapping[str, Sequence[float | None]]


def _scores(view: RunView, scores: Sequence[Scores]) -> tuple[_Values, _Values]:
    """The prompts' scores of the base model, and of the epoch that is shown: kept, else last."""
    prompts = [found for found in scores if found.set == "prompts"]
    base = next((found.values for found in prompts if found.epoch == 0), {})
    later = [found for found in prompts if found.epoch > 0]
    kept = kept_epoch(view)
    shown = next((f for f in later if f.epoch == kept), later[-1] if later else None)
    return base, shown.values if shown is not None else {}


def _at(values: Sequence[float | None], index: int) -> float | None:
    found = values[index] if index < len(values) else None
    return found if found is not None and math.isfinite(found) else None


def _head(shape: _Shape) -> str:
    names = ["Prompt", "Reference", "Base, " + tag("del", "dropped")]
    names.append("Tuned, " + tag("ins", "new"))
    if not shape.generated:
        names = ["Text", "Right", *["Base model"] * shape.based, "Predicted"]
    cells = [_sorting("#", "index"), *(tag("th", name, scope="col") for name in names)]
    if not shape.generated:
        cells.append(_sorting("Right?", "right"))
    if shape.scored:
        cells += [_sorting("Base", "base"), _sorting("Tuned", "tuned"), _sorting("Gain", "gain")]
    return tag("tr", "".join(cells))


def _sorting(name: str, key: str) -> str:
    """A column's head that sorts by it; without the script it is a plain word."""
    button = tag("button", escape(name), "rp-sort", type="button", data_key=key)
    return tag("th", button, "rp-number", scope="col")


def _table_row(row: _Row, shape: _Shape) -> str:
    prompt, reference = row.texts["prompt"], row.texts["reference"]
    base, tuned = row.texts["base"], row.texts["tuned"]
    marked = (
        mark_words(base, tuned) if shape.generated else (escape(base or ""), escape(tuned or ""))
    )
    cells = [
        text("td", str(row.place + 1), "rp-number"),
        _cell(prompt, escape(prompt or ""), "no prompt: plain text"),
        _cell(reference, escape(reference or ""), "the data has no reference here"),
        *[_cell(base, marked[0], "not generated")] * shape.based,
        _cell(tuned, marked[1], "not generated before the run ended"),
    ]
    keys = {"data_index": str(row.place)}
    if not shape.generated:
        right = tuned is not None and tuned == reference
        keys["data_right"] = str(int(right))
        sign = icon("check" if right else "cross") + ("right" if right else "wrong")
        cells.append(tag("td", sign, f"emnb-{'good' if right else 'bad'} rp-number"))
    if shape.scored:
        known = {
            "base": row.base.get("overall"),
            "tuned": row.tuned.get("overall"),
            "gain": row.gain(),
        }
        for name, value in known.items():
            shown = missing("a score needs both axes and an answer") if value is None else ""
            if value is not None:
                keys[f"data_{name}"] = repr(value)
                shown = write.signed(f"{value:+.0f}" if name == "gain" else f"{value:.0f}")
            cells.append(tag("td", shown, "rp-number"))
    return tag("tr", "".join(cells), **keys)


def _cell(raw: str | None, html: str, why: str) -> str:
    if raw is None:
        return tag("td", missing(why))
    return tag("td", cell(html, raw))
