"""Runs compared: their curves, the settings that differ, and who does better on the same texts."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from easymodel_nb.report import controls
from easymodel_nb.report import numbers as write
from easymodel_nb.report.compare_curves import (
    AXES,
    curves,
    default_metric,
    metric_name,
    metrics_in,
    numbers_html,
)
from easymodel_nb.report.compare_pairs import Pair, best_of, compare, compare_answers
from easymodel_nb.report.compare_view import FEWEST, MOST, CompareView
from easymodel_nb.report.compared import STYLES, ComparedRun, differing
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.html import Row, missing, table, tag, text
from easymodel_nb.runlog.headline import PERPLEXITY
from easymodel_nb.runlog.view import RunView

_DEFAULT = 4  # runs
_HOW = (
    "Runs are compared on the validation texts that all of them measured, text by text: a win is "
    "a text on which a run scores better than the reference, a tie one on which both score the "
    "same. The change is that of the whole set, with a 95 % interval from 2,000 paired bootstrap "
    "resamples of the texts; each interval stands for itself, none is corrected for how many there "
    "are. A run is marked as best only where it is better than every other comparable run by such "
    "an interval. The interval tells how far the choice of texts matters, not how far another seed "
    "would have: for that, train the same settings with several seeds. Where a run kept an earlier "
    "epoch, that model is compared."
)


class Choice(NamedTuple):
    """A run that can be compared: its id, its label, and whether it has something to show."""

    run: str
    label: str
    measured: bool


def chosen_runs(
    view: CompareView, project: Sequence[RunView], shown: str | None
) -> tuple[list[str], str | None]:
    """The ids of the runs that are compared, by time, and of the reference among them.

    Without a choice these are the run that is shown and the latest others with numbers.
    """
    known = sorted(run.id for run in project)
    if view.runs is not None:
        ids = [run for run in known if run in view.runs][:MOST]
    else:
        with_numbers = [r.id for r in project if (r.points or r.curve) and r.id != shown]
        first = [shown] if shown in known else []
        ids = sorted([*first, *sorted(with_numbers, reverse=True)][:_DEFAULT])
    reference = view.reference if view.reference in ids else ids[0] if ids else None
    return ids, reference


def compare_form(
    choices: Sequence[Choice], view: CompareView, runs: Sequence[ComparedRun], reference: str | None
) -> str:
    """The head of the section: which runs, against which, which number along which axis."""
    heading = text("div", "Compare runs", "emnb-title", role="heading", aria_level="3")
    close = controls.button("Close", "compare_view", {"open": False}, key="compare-close")
    ids = [run.view.id for run in runs]
    full = len(ids) >= MOST
    boxes = "".join(_box(choice, ids, full=full) for choice in choices)
    listed = tag("div", boxes, "emnb-runs", role="group", aria_label="Runs to compare")
    tools = ""
    if len(runs) >= FEWEST:
        against = next((run for run in runs if run.view.id == reference), runs[0])
        metrics = metrics_in(runs, against)
        metric = view.metric if view.metric in metrics else default_metric(runs, against)
        tools = tag(
            "div",
            _field("Against", "reference", [(r.view.id, r.name) for r in runs], reference or "")
            + _field("Show", "metric", [(k, metric_name(k, against.kind)) for k in metrics], metric)
            + _field("Along", "along", list(AXES.items()), view.along),
            "emnb-tools",
        )
    head = tag("div", heading + tag("div", close, "emnb-tools"), "emnb-head emnb-samples-head")
    return controls.form("compare", head + listed + tools, command="compare_view", label="Compare")


def _box(choice: Choice, ids: Sequence[str], *, full: bool) -> str:
    on = choice.run in ids
    label = escape(choice.label)
    if on:
        style = STYLES[f"run-{ids.index(choice.run) + 1}"]
        line = {"solid": "solid", "dashed": "dashed", "dotted": "dotted"}[style.dash]
        colour = f"border-top-style: {line}; border-color: var(--em-{style.token})"
        label = tag("span", "", "emnb-swatch", style=colour, aria_hidden="true") + label
    elif not choice.measured:
        label += " " + text("span", "nothing measured yet", "emnb-note")
    return controls.checkbox("runs[]", choice.run, label, checked=on, disabled=full and not on)


def _field(name: str, field: str, options: Sequence[tuple[str, str]], chosen: str) -> str:
    found = [controls.Option(value, label) for value, label in options]
    menu = controls.select(field, found, chosen, label=name)
    return tag("label", text("span", name) + menu, "emnb-field")


def compare_content(
    runs: Sequence[ComparedRun], view: CompareView, reference: str | None
) -> PanelContent:
    """What the section shows of two to eight runs."""
    against = next((run for run in runs if run.view.id == reference), runs[0])
    metrics = metrics_in(runs, against)
    metric = view.metric if view.metric in metrics else default_metric(runs, against)
    drawn = curves(runs, against, metric, view.along)
    others = [run for run in runs if run is not against]
    pairs = [(run, compare(run, against)) for run in others]
    answers = [(r, found) for r in others if (found := compare_answers(r, against)) is not None]
    best = best_of(runs, against)
    told = sorted([*pairs, *answers], key=lambda item: item[0].number)  # stable: both of a run
    notes = [*drawn.missing, *_notes(runs, against, metric)]
    return PanelContent(
        title=_title(runs, against, pairs, best),
        caption=" ".join([_caption(pairs), *notes]),
        how=_HOW,
        figures=(drawn.figure,),
        table=_pairs_table(against, told, _badge(best, pairs)) + _settings_table(runs),
        details=numbers_html(runs, against, metric, view.along),
        data=_data(against, told),
        layout="stack",
    )


def too_few() -> str:
    """What stands there while fewer than two runs are chosen."""
    return text("p", f"Choose {FEWEST} to {MOST} runs.", "emnb-caption")


# ------------------------------------------------------------ words


def _title(
    runs: Sequence[ComparedRun],
    against: ComparedRun,
    pairs: Sequence[tuple[ComparedRun, Pair]],
    best: ComparedRun | None,
) -> str:
    known = [(run, pair) for run, pair in pairs if pair.change.value is not None]
    if not known:
        return f"No other run can be compared with {against.name} text by text"
    if best is None:
        return f"None of {len(known) + 1} comparable runs is clearly better than all the others"
    name = known[0][1].name
    whole = "all the others" if len(known) > 1 else _other(runs, best, against, known)
    return f"{best.name} is better than {whole} by validation {name}"


def _other(
    runs: Sequence[ComparedRun],
    best: ComparedRun,
    against: ComparedRun,
    known: Sequence[tuple[ComparedRun, Pair]],
) -> str:
    comparable = [against, *(run for run, _ in known)]
    return next(run.name for run in runs if run is not best and run in comparable)


class _Badge(NamedTuple):
    """Which run is marked, and with which words."""

    run: ComparedRun | None
    text: str


def _badge(best: ComparedRun | None, pairs: Sequence[tuple[ComparedRun, Pair]]) -> _Badge:
    """The best run; where others could not be compared, of how many it is."""
    known = sum(pair.change.value is not None for _, pair in pairs)
    return _Badge(best, "best" if known == len(pairs) else f"best of {known + 1}")


def _caption(pairs: Sequence[tuple[ComparedRun, Pair]]) -> str:
    n = next((pair.change.n for _, pair in pairs if pair.change.n), None)
    return f"Paired on {write.plural(n, 'validation text')}." if n else ""


def _notes(runs: Sequence[ComparedRun], against: ComparedRun, metric: str) -> list[str]:
    models = {run.model for run in runs if run.model and run.kind == against.kind}
    if metric == PERPLEXITY.key and len(models) > 1:
        return [
            "Perplexities of models with different tokenizers do not compare; bits per byte do."
        ]
    return []


# ------------------------------------------------------------ tables


def _pairs_table(
    against: ComparedRun,
    pairs: Sequence[tuple[ComparedRun, Pair]],
    best: _Badge,
) -> str:
    columns = ["run", "number", "change, 95 %", "wins", "ties", "losses", "texts"]
    first = _named(against, best) + text("span", " reference", "emnb-note")
    rows = [Row([first, *["&ndash;"] * 6], quiet=True)]
    rows += [_pair_row(run, pair, best) for run, pair in pairs]
    return table(f"Each run against {against.name}, text by text", columns, rows, strong=2)


def _pair_row(run: ComparedRun, pair: Pair, best: _Badge) -> Row:
    if pair.change.value is None:
        why = pair.change.reason or "not comparable"
        told = missing(why) + text("span", f" {why}", "emnb-note")
        name = escape(pair.name) or "&ndash;"
        return Row([_named(run, best), name, told, *["&ndash;"] * 4], quiet=True)
    mood = {True: "emnb-good", False: "emnb-bad", None: "emnb-flat"}[pair.better]
    word = {True: "better", False: "worse", None: "no clear difference"}[pair.better]
    change = text("span", _change(pair), mood) + text("span", f" {word}", "emnb-note")
    counts = [str(pair.wins), str(pair.ties), str(pair.losses), f"{pair.change.n or 0:,}"]
    return Row([_named(run, best), escape(pair.name), change, *counts], marked=run is best.run)


def _named(run: ComparedRun, best: _Badge) -> str:
    mark = text("span", best.text, "emnb-best") if run is best.run else ""
    return escape(run.name) + mark


def _change(pair: Pair) -> str:
    number = _tenths if pair.percent or pair.change.unit == "points" else _thousandths
    change = pair.change
    shown = number(change.value or 0.0) + (" %" if pair.percent else "")
    if change.low is None or change.high is None:
        return shown
    return f"{shown} [{number(change.low)}, {number(change.high)}]"


def _tenths(value: float) -> str:
    return write.signed(f"{value:+.1f}")


def _thousandths(value: float) -> str:
    return write.signed(f"{value:+.3f}")


def _settings_table(runs: Sequence[ComparedRun]) -> str:
    found = differing(runs)
    if not found:
        return text("p", "Their settings are all the same.", "emnb-caption emnb-apart")
    rows = [
        Row([escape(name), *(_value(name, value) for value in values)])
        for name, values in found.items()
    ]
    heading = text("p", "Only the settings that differ", "emnb-caption emnb-apart")
    columns = ["setting", *(run.name for run in runs)]
    return heading + table("The settings in which the runs differ", columns, rows)


def _value(name: str, value: Any) -> str:
    if value is None or (not value and isinstance(value, str | list)):
        return "&ndash;"
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "data read":
        return text("code", str(value)[:8], title="What tells the rows that were read from others")
    if name == "learning rate" and isinstance(value, int | float):
        return write.learning_rate(value)
    if isinstance(value, float):
        return escape(f"{value:g}")
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value)
    return escape(write.brief(str(value), 60))


def _data(against: ComparedRun, pairs: Sequence[tuple[ComparedRun, Pair]]) -> DataTable:
    columns = ["run", "against", "number", "change", "low", "high", "wins", "ties", "losses", "n"]
    rows = [
        [
            run.view.id,
            against.view.id,
            pair.name or None,
            pair.change.value,
            pair.change.low,
            pair.change.high,
            *(
                (pair.wins, pair.ties, pair.losses)
                if pair.change.value is not None
                else (None,) * 3
            ),
            pair.change.n,
        ]
        for run, pair in pairs
    ]
    return DataTable("compared-runs", columns, rows)
