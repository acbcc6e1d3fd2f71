"""The table of samples: what the base model and the tuned one write to the same prompt.

Words the tuned model dropped are struck in the base column, words that are new
are underlined in the tuned column. Everything is text from models and data sets:
it is escaped, never taken as HTML.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

from easymodel_nb.report import controls
from easymodel_nb.report import numbers as write
from easymodel_nb.report.differences import mark_words
from easymodel_nb.report.html import QUIET_KEYS, missing, tag, text
from easymodel_nb.report.label_samples import LABEL_TASKS, label_table
from easymodel_nb.report.sample_cell import cell, clean
from easymodel_nb.report.sample_rows import Page, SamplesView, page_of, scores_of, sorts
from easymodel_nb.report.score_cell import score_cell, score_head

__all__ = ["SamplesView", "mark_words", "samples_html", "samples_section"]

SHOWN, MORE = 3, 17
_COLUMNS = ("prompt", "reference", "base", "tuned")
Rows = Sequence[Mapping[str, Any]]


def samples_html(rows: Rows, *, waiting: str, task: str = "generation") -> str:
    """The section where nothing can be pressed, as in a report; empty when there are no rows.

    `waiting` says when a text comes.
    """
    if not rows:
        return ""
    show = _shower(rows, waiting, task)
    shown, more = rows[:SHOWN], rows[SHOWN : SHOWN + MORE]
    parts = [_head(f"{len(shown)} of {len(rows)}"), show(shown, head=True)]
    if more:
        label = f"{len(more)} more"
        parts.append(
            tag(
                "details",
                f'<summary class="emnb-link" {QUIET_KEYS}>{label}</summary>'
                + show(more, head=False),
                "emnb-more-rows",
            )
        )
    return "".join(parts)


def samples_section(
    rows: Rows,
    view: SamplesView,
    *,
    run: str,
    epochs: Sequence[float],
    waiting: str,
    task: str = "generation",
    names: Mapping[str, str] | None = None,
) -> str:
    """The section in the studio: epoch, order, search and pages can be chosen.

    Parameters
    ----------
    rows
        `Run.answer_rows` at the epoch of `view`.
    view
        What the user chose.
    run
        The run, which the commands name.
    epochs
        Those whose answers are kept, without epoch 0.
    waiting
        When a text comes that is not there yet.
    task
        The key of the run's metrics (`runlog.headline.kind_of`).
    names
        What scores are called where it depends on the judge.

    """
    if not rows:
        return ""
    labels = task in LABEL_TASKS
    page = page_of(rows, view, labels=labels, names=names)
    bar = _bar(rows, view, page, epochs, names, labels=labels)
    if page.rows:
        table = _shower(rows, waiting, task, page, names)(page.rows, head=True)
    else:
        table = text("p", f"No sample holds {view.search.strip()!r}.", "emnb-caption")
    counted = f"{len(page.rows)} of {page.found}"
    if page.found < page.total:
        counted += f" found, {page.total} in all"
    inner = _head(counted, bar) + table + _pages(page)
    params = {"run": run}
    return controls.form(
        "samples", inner, command="samples_view", params=params, label="Which samples are shown"
    )


def _head(counted: str, more: str = "") -> str:
    heading = text("span", "Samples", "emnb-title", role="heading", aria_level="3")
    told = heading + text("span", counted, "emnb-caption", aria_live="polite")
    return tag("div", told + more, "emnb-head emnb-samples-head")


def _bar(
    rows: Rows,
    view: SamplesView,
    page: Page,
    epochs: Sequence[float],
    names: Mapping[str, str] | None,
    *,
    labels: bool,
) -> str:
    orders = [controls.Option(s.name, s.label) for s in sorts(rows, labels=labels, names=names)]
    parts = [
        controls.search("search", view.search, label="Find in samples"),
        controls.select("sort", orders, page.sort.name, label="Order of the samples"),
    ]
    if epochs:
        chosen = view.epoch if view.epoch in epochs else epochs[-1]
        options = [controls.Option(f"{e:g}", f"Epoch {write.epoch(e)}") for e in epochs]
        label = "Epoch whose answers are shown"
        parts.append(controls.select("epoch", options, f"{chosen:g}", label=label))
    return tag("div", "".join(parts), "emnb-tools")


def _pages(page: Page) -> str:
    if page.pages == 1:
        return ""
    steps = (("Previous", page.number - 1, "prev"), ("Next", page.number + 1, "next"))
    before, after = (
        controls.button(
            label,
            "samples_view",
            {"page": number},
            key=key,
            name=f"{label} page of samples",
            disabled=not 0 <= number < page.pages,
        )
        for label, number, key in steps
    )
    where = text("span", f"Page {page.number + 1} of {page.pages}", "emnb-caption")
    return tag("div", before + where + after, "emnb-pages")


def _shower(
    rows: Rows,
    waiting: str,
    task: str,
    page: Page | None = None,
    names: Mapping[str, str] | None = None,
) -> Callable[..., str]:
    """What makes the table of a task's samples."""
    if task not in LABEL_TASKS:
        return partial(_table, waiting=waiting, scores=_scores(rows, page), names=names)
    return partial(
        label_table,
        waiting=waiting,
        task=task,
        base=any(row.get("base") is not None for row in rows),
    )


def _scores(rows: Rows, page: Page | None) -> list[str]:
    """The overall score, and the one the rows are ordered by where that is another one."""
    has = scores_of(rows)
    main = has[:1]
    chosen = page.sort.score if page is not None else ""
    return [*main, chosen] if chosen and chosen not in main else main


def _table(
    rows: Rows,
    waiting: str,
    scores: Sequence[str],
    names: Mapping[str, str] | None,
    *,
    head: bool,
) -> str:
    columns = [
        "Prompt",
        "Reference",
        "Base, " + tag("del", "dropped"),
        "Tuned, " + tag("ins", "new"),
        *(score_head(key, names) for key in scores),
    ]
    heads = [
        tag("th", name, "emnb-c-score" if place >= len(_COLUMNS) else "", scope="col")
        for place, name in enumerate(columns)
    ]
    caption = text("caption", "Samples: the same prompt before and after training", "emnb-sr")
    inner = caption + tag("thead", tag("tr", "".join(heads)), "" if head else "emnb-sr")
    body = "".join(_row(row, waiting, scores, names) for row in rows)
    classes = "emnb-samples-table" + (f" emnb-scored-{len(scores)}" if scores else "")
    return tag("table", inner + tag("tbody", body), classes)


def _row(
    row: Mapping[str, Any],
    waiting: str,
    scores: Sequence[str],
    names: Mapping[str, str] | None,
) -> str:
    prompt, reference, base, tuned = (clean(row.get(name)) for name in _COLUMNS)
    marked_base, marked_tuned = mark_words(base, tuned)
    cells = (
        (_plain(prompt), prompt, "no prompt: plain text"),
        (_plain(reference), reference, "the data has no reference here"),
        (marked_base, base, "not generated"),
        (marked_tuned, tuned, waiting),
    )
    texts = "".join(
        tag("td", cell(html, raw) if raw is not None else missing(why), f"emnb-c-{name}")
        for name, (html, raw, why) in zip(_COLUMNS, cells, strict=True)
    )
    numbers = "".join(
        tag("td", score_cell(row, key, names, rest=not place), "emnb-c-score")
        for place, key in enumerate(scores)
    )
    return tag("tr", texts + numbers)


def _plain(value: str | None) -> str:
    return escape(value) if value is not None else ""
