"""The arithmetic of the charts, and the bqplot figure that is reused for everything it shows."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb import widgets
from easymodel_nb.report import scale as charts_scale
from easymodel_nb.report import theme
from easymodel_nb.report.figures import (
    Bar,
    BarFigure,
    BarRow,
    Dots,
    Key,
    Line,
    LineFigure,
    LineStyle,
    RadarFigure,
    ScatterFigure,
    Shape,
)
from easymodel_nb.report.grid import Kind
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
from easymodel_nb.widgets.dashboard import ink, marks
from easymodel_nb.widgets.dashboard.bar_chart import BarChart
from easymodel_nb.widgets.dashboard.legend import legend_row
from easymodel_nb.widgets.dashboard.line_chart import MOST_MARKERS, LineChart
from easymodel_nb.widgets.dashboard.radar_chart import RadarChart
from easymodel_nb.widgets.dashboard.rows import alone, in_twos
from easymodel_nb.widgets.dashboard.scatter_chart import ScatterChart

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
    for token in ("base", "train", "validation", "tuned", "human", "text3", "text"):
        _check_ink(token, "stroke", css_variables=css_variables)
        _check_ink(token, "fill", css_variables=css_variables)
    strokes = [(token, "stroke") for token in ("surface", "line", "line2", "line3")]
    for token, paint in (*strokes, ("text2", "fill")):
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


# ---------------------------------------------------------------- radar, bars, scatter


RADAR = RadarFigure(
    axes=("Fluency", "Coherence", "Well-formed", "Relevance"),
    shapes={
        "base": Shape((52, 44, 58, 31), ("a", "b", "c", "d")),
        "tuned": Shape((69, math.nan, 71, 50), ("e", "", "g", "h")),
        "human": Shape((83, 78, 82, 74)),
        "epoch 1": Shape((60, 50, 60, 40), kept=False),
    },
)
BARS = BarFigure(
    rows=(
        BarRow(
            "closed QA", {"base": Bar(0.9, 0.8, 1.0, "x"), "tuned": Bar(2.3, 2, 2.6, "y")}, "2.6"
        ),
        BarRow(
            "a name of thirty letters or so", {"base": Bar(1.1), "tuned": Bar()}, "no", quiet=True
        ),
    ),
    series=("base", "tuned"),
    x=linear_axis([0, 2.6], zero=True),
    legend=(Key("base", "base"), Key("tuned", "tuned"), Key("interval", "95 %")),
)
SCATTER = ScatterFigure(
    series={"base": Dots((10, 20), (48, 48), ("p", "p")), "tuned": Dots((10, 20), (9, 21))},
    x=linear_axis([0, 40], zero=True),
    y=linear_axis([0, 60], zero=True),
    diagonal="same length",
    limit=48,
    legend=(Key("base", "base"), Key("tuned", "tuned"), Key("human", "same length")),
)


def _radar() -> RadarChart:
    chart = RadarChart(RADAR)
    chart.show(RADAR)
    return chart


def test_a_radar_s_first_axis_points_up_and_the_others_follow_clockwise() -> None:
    base = _radar()._polygons["base"]
    assert list(base.x) == [0.0, 0.44, 0.0, -0.31, 0.0]
    assert list(base.y) == [0.52, 0.0, -0.58, 0.0, 0.52]
    assert base.fill == "inside"


def test_a_null_axis_is_a_gap_in_the_polygon_and_no_area_is_drawn_over_it() -> None:
    tuned = _radar()._polygons["tuned"]
    assert np.isnan(tuned.x[1])
    assert np.isfinite(np.delete(tuned.x, 1)).all()
    assert tuned.fill == "none"
    points = _radar()._points["tuned"]
    assert len(points.x) == 3
    assert list(points.names) == ["e", "g", "h"]


def test_the_points_of_base_and_human_are_for_the_pointer_alone() -> None:
    chart = _radar()
    assert list(chart._points["base"].opacities) == [0.0]
    assert list(chart._points["base"].names) == ["a", "b", "c", "d"]
    assert list(chart._points["tuned"].opacities) == [1.0]


def test_names_stand_outside_the_rim_on_their_side() -> None:
    chart = _radar()
    names = {side: list(mark.text) for side, mark in chart._names.items()}
    assert names == {
        "right": ["Coherence"],
        "left": ["Relevance"],
        "up": ["Fluency"],
        "down": ["Well-formed"],
    }
    assert all(not mark.apply_clip for mark in chart.figure.marks)


@given(st.lists(st.text(min_size=1, max_size=20), min_size=3, max_size=7))
def test_the_side_margin_of_a_radar_has_room_for_every_name_there(axes: list[str]) -> None:
    chart = RadarChart(RadarFigure(axes=axes, shapes={}))
    chart.show(RadarFigure(axes=axes, shapes={}))
    margin = chart.figure.fig_margin
    beside = [*chart._names["left"].text, *chart._names["right"].text]
    assert margin["left"] == margin["right"]
    assert all(8 + len(name) * 6.4 <= margin["left"] for name in beside)


def test_bars_begin_at_zero_and_the_base_lies_above_the_tuned() -> None:
    chart = BarChart(BARS)
    chart.show(BARS)
    base, tuned = chart._bars["base"], chart._bars["tuned"]
    assert base.x[:, 0].tolist() == [0.0, 0.0]
    assert base.x[:, 1].tolist() == [0.9, 1.1]
    assert base.y[0, 0] > 1.5 > tuned.y[0]
    assert (base.y[0, 0] - tuned.y[0]) * 32 == pytest.approx(12), "11 px and 1 between them"
    assert base.stroke_width == 11
    assert list(tuned.x) == [0.0, 2.3], "no bar where there is no number"
    assert base.labels == ["x", "a name of thirty letters or so"]
    assert chart._intervals.x.tolist() == [[0.8, 1.0], [2.0, 2.6]]


def test_long_names_end_in_an_ellipsis_and_have_their_room() -> None:
    chart = BarChart(BARS)
    chart.show(BARS)
    assert list(chart._names.text) == ["closed QA", "a name of thirt\u2026"]
    assert chart.figure.fig_margin["left"] >= 8 + 16 * 6.4
    assert list(chart._notes.colors) == [ink.ink("text"), ink.ink("text2")]


def test_more_rows_make_the_same_figure_higher() -> None:
    chart = BarChart(BARS)
    chart.show(BARS)
    figure, before = chart.figure, chart.figure.layout.height
    chart.show(replace(BARS, rows=BARS.rows * 3))
    assert chart.figure is figure
    assert int(chart.figure.layout.height[:-2]) - int(before[:-2]) == 4 * 32


def test_the_diagonal_goes_as_far_as_both_axes_and_the_limit_across() -> None:
    chart = ScatterChart(SCATTER)
    chart.show(SCATTER)
    assert list(chart._diagonal.x) == list(chart._diagonal.y) == [0, 40]
    assert list(chart._limit.y) == [48, 48]
    assert list(chart._limit_label.text) == ["limit"]
    chart.show(replace(SCATTER, limit=None, diagonal=""))
    assert not chart._limit.visible
    assert not chart._diagonal.visible
    assert not chart._limit_label.visible


def test_on_log_axes_the_diagonal_is_still_where_both_are_equal() -> None:
    x, y = charts_scale.log_axis([8, 256]), charts_scale.log_axis([10, 1000])
    chart = ScatterChart(SCATTER)
    chart.show(replace(SCATTER, x=x, y=y, limit=200))
    assert list(chart._diagonal.x) == list(chart._diagonal.y)
    assert chart._limit.y[0] == pytest.approx(math.log10(200))


def test_the_base_is_hollow_drawn_first_and_equal_tooltips_lose_no_point() -> None:
    chart = ScatterChart(SCATTER)
    chart.show(SCATTER)
    base, tuned = chart._points["base"], chart._points["tuned"]
    assert (base.fill, tuned.fill) == (False, True)
    assert chart.figure.marks.index(base) < chart.figure.marks.index(tuned)
    assert len(base.x) == 2
    assert not base.names_unique


@pytest.mark.parametrize(
    ("made", "figure"), [(RadarChart, RADAR), (BarChart, BARS), (ScatterChart, SCATTER)]
)
def test_the_same_figure_again_sends_nothing(made: Any, figure: Any) -> None:
    chart = made(figure)
    chart.show(figure)
    sent: list[Any] = []
    parts = [chart.figure, chart.figure.layout, *chart.figure.marks, *chart.figure.axes]
    for widget in parts:
        widget.observe(sent.append)
    chart.show(figure)
    assert sent == []


@given(st.integers(1, 100_000))
def test_the_texts_of_a_horizontal_axis_never_touch_where_it_is_narrowest(last: int) -> None:
    axis = marks.thinned(step_axis(last))
    widest = max(map(len, axis.texts)) * marks.CHARACTER
    assert len(axis.ticks) * widest <= 200
    assert axis.ticks[0] == 0
    assert len(axis.ticks) == len(axis.texts) >= 2


# ---------------------------------------------------------------- legend and rows


def test_the_legend_shows_the_real_dash_and_marker_of_each_series() -> None:
    radar = legend_row(replace(RADAR, legend=(Key("base", "base"), Key("tuned", "a & b"))))
    assert 'stroke-dasharray="5 4"' in radar
    assert "a &amp; b" in radar
    assert radar.count("<svg") == 2
    assert "var(--em-tuned)" in radar
    assert "#" not in radar, "tokens only, so that a theme switch needs no kernel"
    bars, dots = legend_row(BARS), legend_row(SCATTER)
    assert "M4 0h10v10h-10z" in bars
    assert "var(--em-text)" in bars
    assert 'fill="none" stroke="var(--em-base)"' in dots
    assert 'stroke-dasharray="2 3"' in dots
    assert legend_row(_figure({}, linear_axis([0, 1]))) == ""


def _halves(*names: str) -> list[Kind]:
    wide = ("chart-loss", "chart-task")
    return [
        Kind(n, "full" if n in wide else "half", "points", lambda _view, _scores: None)
        for n in names
    ]


def test_on_a_wide_page_no_row_of_small_panels_has_an_empty_place() -> None:
    assert in_twos(_halves("a", "b", "c")) == [False] * 3
    assert in_twos(_halves("a", "b")) == [True] * 2
    assert in_twos(_halves("a", "b", "c", "d")) == [True] * 4
    assert in_twos(_halves("a", "b", "c", "d", "e")) == [False] * 3 + [True] * 2
    assert in_twos(_halves("a")) == [False]
    mixed = _halves("chart-task", "confusion", "per-class", "a", "b", "c", "chart-loss", "d", "e")
    assert in_twos(mixed) == [False, True, True, False, False, False, False, True, True]


def test_the_last_of_an_odd_number_of_small_panels_takes_the_row() -> None:
    assert alone(_halves("a", "b", "chart-loss")) == [False] * 3
    assert alone(_halves("chart-task", "a", "b", "c")) == [False, False, False, True]
    assert alone(_halves("a", "chart-loss", "b", "c")) == [True, False, False, False]


def test_a_long_line_answers_the_pointer_without_markers_once_it_has_tips() -> None:
    steps = list(range(MOST_MARKERS + 10))
    line = Line(x=steps, y=[float(step) for step in steps])
    chart = LineChart(_figure({}, linear_axis([0, 60])))
    chart.show(_figure({"base": line}, linear_axis([0, 60])))
    assert not chart._touched  # a run under way sends no texts
    told = replace(line, tips=[f"step {step}" for step in steps])
    chart.show(_figure({"base": told}, linear_axis([0, 60])))
    (points,) = chart._touched.values()
    assert list(points.names) == list(told.tips)
    assert list(points.opacities) == [0.0]
    assert points in chart.figure.marks
    chart.show(_figure({"base": line}, linear_axis([0, 60])))
    assert not points.visible
