"""The panel of token efficiency: relevance per token in each real group, base against tuned."""

import math
from collections.abc import Sequence
from html import escape

from easymodel_nb.measured import Measured
from easymodel_nb.report import numbers as write
from easymodel_nb.report.answers import at_start, base_of, fully, grouped, nothing, shown, value
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Bar, BarFigure, BarRow, Key
from easymodel_nb.report.html import Row, missing, number, table
from easymodel_nb.report.paired import direction
from easymodel_nb.report.scale import linear_axis
from easymodel_nb.runlog.analytics import EfficiencyGroup
from easymodel_nb.runlog.view import EpochPoint, RunView

_MOST_ROWS = 12
_NO_RATIO = "there is no paired interval for it"
_HOW = (
    "Relevance points (0 to 100, the relevance axis of GQS) for every 100 tokens of the answer: "
    "the mean relevance of the group divided by its mean number of tokens. An answer shorter than "
    "its reference counts as long as the reference, so that saying less is no gain. The ratio is "
    "tuned over base, (Q_tuned / T_tuned) / (Q_base / T_base), with a 95 % interval from 2,000 "
    "bootstrap resamples of the prompts, paired: both models answer the same ones. It says "
    '"no change" where that interval holds 1. Groups are those of the data; none is invented. '
    "With many groups about one in twenty leaves out 1 by chance."
)


def efficiency_content(view: RunView) -> PanelContent:
    """What the panel shows of a run."""
    at, start = shown(view, "efficiency"), base_of(view, "efficiency")
    latest = at or start
    groups = groups_of(at)
    if not groups:
        found = latest.analytics.efficiency if latest is not None else None
        due = [found.token_efficiency] if found is not None and at is not None else []
        return PanelContent(
            title=_overall(at),
            caption="Relevance points per 100 tokens, base against tuned",
            how=_HOW,
            figures=(nothing(view, "Relevance per token by group", "efficiency", due),),
            data=_data(view),
            layout="stack",
        )
    drawn = groups[:_MOST_ROWS]
    ends = [value(m) for g in drawn for m in (g.base, g.tuned)]
    highs = [m.high for g in drawn for m in (g.base, g.tuned) if m.high is not None]
    return PanelContent(
        title=_title(groups, at),
        caption=_caption(view, groups, at),
        how=_HOW,
        figures=(
            BarFigure(
                rows=[_row(group) for group in drawn],
                series=("base", "tuned"),
                x=linear_axis([v for v in (*ends, *highs) if math.isfinite(v)] or [1.0], zero=True),
                x_name="relevance points per 100 tokens",
                legend=(Key("base", "base"), Key("tuned", "tuned"), Key("interval", "95 %")),
            ),
        ),
        details=_table(groups),
        data=_data(view),
        layout="stack",
    )


def groups_of(point: EpochPoint | None) -> list[EfficiencyGroup]:
    """The groups of a point, the best of the tuned model first."""
    found = point.analytics.efficiency if point is not None else None
    known = [
        g
        for g in (found.groups if found is not None else [])
        if g.base.value is not None or g.tuned.value is not None
    ]
    return sorted(known, key=lambda g: (-(g.tuned.value or 0.0), g.name))


def _row(group: EfficiencyGroup) -> BarRow:
    says = direction(group.ratio, 1.0)
    ratio = group.ratio.value
    note = "n/a" if ratio is None else write.times(ratio)
    if says == "unclear":
        note = "no change"
    return BarRow(
        name=group.name,
        bars={name: _bar(name, group, m) for name, m in _pair(group)},
        note=note,
        quiet=says not in {"rose", "fell"},
    )


def _pair(group: EfficiencyGroup) -> tuple[tuple[str, Measured], tuple[str, Measured]]:
    return ("base", group.base), ("tuned", group.tuned)


def _bar(name: str, group: EfficiencyGroup, m: Measured) -> Bar:
    if m.value is None:
        return Bar(tip=f"{group.name}, {name}: n/a, {m.reason}")
    interval = write.level(m, write.significant)
    parts = [f"{group.name}, {name}: {write.significant(m.value)}"]
    parts += [f"95 %: {interval}"] if interval else []
    parts.append(write.plural(m.n if m.n is not None else group.n, "prompt"))
    low, high = (math.nan if end is None else end for end in (m.low, m.high))
    return Bar(m.value, low, high, ", ".join(parts))


def _title(groups: Sequence[EfficiencyGroup], at: EpochPoint | None) -> str:
    if len(groups) < 2:  # noqa: PLR2004
        return _overall(at)
    told = [direction(g.ratio, 1.0) for g in groups]
    more, less = told.count("rose"), told.count("fell")
    of = f"{len(groups)} groups"
    if more and less:
        return f"More relevant per token in {more} of {of}, less in {less}"
    if more or less:
        return f"{'More' if more else 'Less'} relevant per token in {more or less} of {of}"
    if "unclear" in told:
        return f"No clear change in relevance per token in any of {of}"
    return f"Relevance per token in {of}"


def _overall(at: EpochPoint | None) -> str:
    found = at.analytics.efficiency if at is not None else None
    ratio = found.token_efficiency if found is not None else None
    if at is None or ratio is None or ratio.value is None:
        return "Token efficiency"
    when = f"at epoch {write.epoch(at.epoch)}"
    says = direction(ratio, 1.0)
    if says == "unclear":
        return f"No clear change in relevance per token {when}"
    if says == "unknown":
        return f"Token efficiency is {write.times(ratio.value)} the base model's {when}"
    more = "More" if says == "rose" else "Less"
    return f"{more} relevant per token, {write.times(ratio.value)} the base model, {when}"


def _caption(view: RunView, groups: Sequence[EfficiencyGroup], at: EpochPoint | None) -> str:
    named = at_start(view, "groups")
    parts = [grouped(str(named) if named else "", "All prompts")]
    parts.append(write.plural(sum(g.n for g in groups), "prompt"))
    parts.append("greedy")
    if at is not None:
        parts.append(f"epoch {write.epoch(at.epoch)}")
        found = at.analytics.efficiency
        if found is not None and found.bytes_per_token.value is not None:
            parts.append(f"{write.significant(found.bytes_per_token.value, 2)} bytes a token")
    if len(groups) > _MOST_ROWS:
        parts.append(f"the first {_MOST_ROWS} of {len(groups)} groups are drawn")
    why = next((g.ratio.reason for g in groups if g.ratio.reason), None)
    return ", ".join(parts) + (f". n/a: {why}" if why else "")


def _table(groups: Sequence[EfficiencyGroup]) -> str:
    rows = []
    for g in groups:
        ratio = g.ratio
        if ratio.value is None:
            said = missing(ratio.reason or _NO_RATIO)
        else:
            said = f"{write.times(ratio.value)} {write.bracket(ratio, write.cosine)}".strip()
        levels = [
            number(m, write.significant(m.value) if m.value is not None else "")
            for _, m in _pair(g)
        ]
        rows.append(Row([escape(g.name), f"{g.n:,}", *levels, said]))
    return table(
        "Relevance points per 100 tokens in each group, base and tuned, and their ratio",
        ["group", "prompts", "base", "tuned", "ratio, 95 %"],
        rows,
        strong=3,
    )


def _data(view: RunView) -> DataTable | None:
    rows: list[Sequence[str | float | int | None]] = []
    for p in fully(view, "efficiency"):
        found = p.analytics.efficiency
        if found is None:
            continue
        named = {
            "token_efficiency": found.token_efficiency,
            "length_ratio": found.length_ratio,
            "bytes_per_token": found.bytes_per_token,
            "compression": found.compression,
        }
        rows += [(p.epoch, "all", name, *_numbers(m)) for name, m in named.items()]
        rows += [
            (p.epoch, g.name, name, *_numbers(m))
            for g in found.groups
            for name, m in (*_pair(g), ("ratio", g.ratio))
        ]
    columns = ["epoch", "group", "number", "value", "low", "high", "n", "judge", "reason"]
    return DataTable("efficiency", columns, rows) if rows else None


def _numbers(m: Measured) -> tuple[str | float | int | None, ...]:
    return (m.value, m.low, m.high, m.n, m.judge, m.reason)
