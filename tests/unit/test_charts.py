"""The arithmetic of the charts, and the bqplot figure that is reused for everything it shows."""

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb import widgets
from easymodel_nb.report import scale as charts_scale
from easymodel_nb.report import theme
from easymodel_nb.report.figures import Line, LineFigure, LineStyle
from easymodel_nb.report.scale import (
    Axis,
    evenly,
    js_number,
    linear_axis,
    log_axis,
    ratio_axis,
    spread,
    step_axis,
    thin,
)
from easymodel_nb.widgets.dashboard import ink
from easymodel_nb.widgets.dashboard.line_chart import LineChart

CSS = Path(widgets.__file__).with_name("dashboard.css").read_text(encoding="utf-8")
plain = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 4))
positive = st.floats(1e-2, 1e8)


# ---------------------------------------------------------------- axes


@given(st.lists(plain, min_size=1, max_size=20))
def test_a_linear_axis_holds_its_values_on_few_ticks(values: list[float]) -> None:
    axis = linear_axis(values)
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= min(values) <= max(values) <= axis.high + slack
    assert 2 <= len(axis.ticks) <= 7
    assert axis.ticks == sorted(set(axis.ticks))
    assert len(set(axis.texts)) == len(axis.texts)


@given(st.lists(positive, min_size=1, max_size=20))
def test_a_log_axis_holds_its_values(values: list[float]) -> None:
    axis = log_axis([*values, min(values) * 20])
    for value in values:
        assert -1e-6 <= axis.share(value) <= 1 + 1e-6
    assert 2 <= len(axis.ticks) <= 14
    assert all(axis.low - 1e-9 <= tick <= axis.high + 1e-9 for tick in axis.ticks)
    assert all(f"{10**tick:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"} for tick in axis.ticks)


def test_an_axis_becomes_logarithmic_when_the_ratio_is_large() -> None:
    assert not ratio_axis([24.6, 13.2]).log
    axis = ratio_axis([212.0, 13.2])
    assert axis.log
    assert axis.texts == ["10", "20", "50", "100", "200"]
    assert axis.at(100) == 2.0


def test_tick_texts_share_a_unit_and_differ() -> None:
    assert linear_axis([954_546.0]).texts[0].endswith(" M")
    assert linear_axis([0, 30_000]).texts == ["0", "10 k", "20 k", "30 k"]
    assert linear_axis([0.0, 0.9]).texts == ["0.0", "0.5", "1.0"]
    assert linear_axis([-2.0, 2.0]).texts == ["\u22122", "\u22121", "0", "1", "2"]


def test_equal_values_still_make_an_axis() -> None:
    assert linear_axis([3.0, 3.0]).low < 3.0 < linear_axis([3.0, 3.0]).high
    assert linear_axis([]).high > linear_axis([]).low


def test_an_axis_that_starts_at_zero() -> None:
    assert linear_axis([5.0, 9.0], zero=True).low == 0


@given(st.integers(1, 2_000_000))
def test_a_step_axis_ends_at_the_last_step_with_whole_ticks(last: int) -> None:
    axis = step_axis(last)
    assert (axis.low, axis.high) == (0, last)
    assert axis.ticks[-1] <= last
    assert all(tick == int(tick) for tick in axis.ticks)
    assert len(axis.ticks) <= 8


@given(plain)
def test_tick_keys_are_written_as_javascript_writes_numbers(value: float) -> None:
    key = js_number(value)
    assert float(key) == value
    assert "e" not in key
    assert not key.endswith(".0")


# ---------------------------------------------------------------- labels and points


@given(st.lists(st.floats(-50, 250), min_size=1, max_size=6))
def test_labels_are_kept_apart_in_their_order(wanted: list[float]) -> None:
    moved = spread(wanted, gap=14, low=0, high=180)
    by_wish = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [moved[i] for i in by_wish]
    assert all(b - a >= 14 - 1e-9 for a, b in pairwise(placed))
    assert min(placed) >= -1e-9
    assert max(placed) <= 180 + 1e-9


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([10, 100, 50], gap=14, low=0, high=180) == [10, 100, 50]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=3000), st.integers(4, 600))
def test_thinning_keeps_ends_and_extremes(values: list[float], most: int) -> None:
    kept = thin(values, most)
    assert len(kept) <= max(most, 1)
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    chosen = [values[i] for i in kept]
    assert min(chosen) == min(values)
    assert max(chosen) == max(values)


@given(st.integers(1, 5000), st.integers(2, 60))
def test_evenly_keeps_both_ends(total: int, most: int) -> None:
    kept = evenly(total, most)
    assert len(kept) <= most
    assert (kept[0], kept[-1]) == (0, total - 1)


# ---------------------------------------------------------------- the figure


STYLES = {
    "base": LineStyle("base", dash="dashed"),
    "train": LineStyle("train", marker="circle", band=True),
    "kept": LineStyle("text3", dash="dotted", note=True),
}
LINES = {
    "base": Line(x=(0, 3), y=(25, 25), label="base 25"),
    "train": Line(
        x=(0, 1, 2),
        y=(24.0, math.nan, 12.0),
        low=(23, math.nan, 11),
        high=(25, math.nan, 13),
        label="train 12",
        tips=("a", "b", "c"),
    ),
}


def _figure(lines: dict[str, Line], y: Axis) -> LineFigure:
    return LineFigure(STYLES, lines, x=step_axis(3), y=y, x_name="epoch", height=200)


def _show(chart: LineChart, lines: dict[str, Line], values: list[float]) -> None:
    chart.show(_figure(lines, linear_axis(values)))


def _widgets(chart: LineChart) -> list[object]:
    figure = chart.figure
    return [figure, *figure.marks, *figure.axes, chart._x, chart._y]


def test_nothing_is_sent_when_nothing_changed() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, LINES, [11, 25])
    sent = []
    for widget in _widgets(chart):
        widget.observe(sent.append)
    _show(chart, LINES, [11, 25])
    assert sent == []


def test_figure_marks_and_scales_are_reused() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, LINES, [11, 25])
    before = _widgets(chart)
    _show(chart, {"train": Line(x=(0, 1), y=(300, 20), label="train 20")}, [20, 300])
    assert all(a is b for a, b in zip(before, _widgets(chart), strict=True))
    assert chart._lines["base"].visible is False
    assert len(chart._lines["train"].x) == 2


def test_a_missing_value_is_a_gap_and_not_a_point() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, LINES, [11, 25])
    assert np.isnan(chart._lines["train"].y[1])
    assert list(chart._markers["train"].x) == [0, 2]
    assert list(chart._markers["train"].names) == ["a", "c"]
    assert chart._bands["train"].y.shape == (2, 2)


def test_one_point_has_a_marker_but_no_line_and_no_band() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, {"train": Line(x=(0,), y=(24,), low=(23,), high=(25,), label="t")}, [23, 25])
    assert not chart._lines["train"].visible
    assert not chart._bands["train"].visible
    assert chart._markers["train"].visible


def test_labels_stand_at_the_right_end_apart_from_each_other() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    close = {
        "base": Line(x=(0, 3), y=(20, 20), label="base 20"),
        "train": Line(x=(0, 3), y=(25, 20.1), label="train 20.1"),
    }
    axis = linear_axis([20, 25])
    chart.show(_figure(close, axis))
    pixels = sorted(axis.share(y) * chart._plot_height for y in chart._labels.y)
    assert pixels[1] - pixels[0] >= 14 - 1e-9
    assert set(chart._labels.x) == {3.0}
    assert list(chart._labels.text) == ["base 20", "train 20.1"]


def test_a_note_stands_at_its_line_and_not_among_the_labels() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, {**LINES, "kept": Line(x=(1, 1), y=(15, 10), label="kept: epoch 1")}, [10, 25])
    assert list(chart._notes.text) == ["kept: epoch 1"]
    assert "kept: epoch 1" not in list(chart._labels.text)
    _show(chart, LINES, [10, 25])
    assert not chart._notes.visible


def test_tick_texts_travel_before_the_ticks() -> None:
    """Ticks are drawn by bqplot in a transition that keeps the texts of the moment it began."""
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    _show(chart, LINES, [11, 25])
    order = []
    chart._y_axis.observe(lambda change: order.append(change["name"]))
    _show(chart, LINES, [2, 2.6])
    assert order.index("tick_labels") < order.index("tick_values")


def test_a_log_axis_keeps_the_linear_scale_object() -> None:
    chart = LineChart(_figure({}, linear_axis([0, 1])))
    scale = chart._lines["train"].scales["y"]
    axis = charts_scale.log_axis([10, 1000])
    chart.show(_figure({"train": Line(x=(0, 1), y=(1000, 10))}, axis))
    assert chart._lines["train"].scales["y"] is scale
    assert list(chart._lines["train"].y) == [3, 1]


@pytest.mark.parametrize("css_variables", [True, False])
def test_ink_is_a_variable_or_a_value_that_the_style_sheet_maps(
    monkeypatch: pytest.MonkeyPatch, *, css_variables: bool
) -> None:
    monkeypatch.setattr(ink, "takes_css_variables", lambda: css_variables)
    for token in ("base", "train", "validation", "tuned", "human", "text3"):
        _check_ink(token, "stroke", css_variables=css_variables)
        _check_ink(token, "fill", css_variables=css_variables)
    for token, paint in (("surface", "stroke"), ("text", "fill"), ("text2", "fill")):
        _check_ink(token, paint, css_variables=css_variables)


def _check_ink(token: str, paint: str, *, css_variables: bool) -> None:
    found = ink.ink(token)
    if css_variables:
        assert found == f"var(--em-{token})"
        return
    value = theme.color(token, "light")
    red, green, blue = (int(value[i : i + 2], 16) for i in (1, 3, 5))
    selector = f'.emnb-chart [style*="{paint}: rgb({red}, {green}, {blue})"]'
    assert found == value
    assert f"{selector} {{ {paint}: var(--em-{token}) !important; }}" in CSS


def test_the_style_sheet_touches_nothing_outside_the_dashboard() -> None:
    without_comments = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", without_comments)
    for selector in selectors:
        if selector.strip().startswith("@"):
            continue
        parts = re.split(r",(?![^()]*\))", selector)
        assert all(re.search(r"\.emnb-(dash|chart|tip)", part) for part in parts), selector
