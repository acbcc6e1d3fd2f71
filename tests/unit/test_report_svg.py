"""Figures as SVG: well-formed, with every label, nothing outside, both themes, text stays text."""

import math
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.report import svg
from easymodel_nb.report.figures import (
    Bar,
    BarFigure,
    BarRow,
    Dots,
    Empty,
    Figure,
    Key,
    Line,
    LineFigure,
    LineStyle,
    RadarFigure,
    ScatterFigure,
    Shape,
)
from easymodel_nb.report.scale import linear_axis, log_axis, step_axis
from easymodel_nb.report.svg.widths import ELLIPSIS, fit, width, wrap
from easymodel_nb.report.theme import TOKENS

SVG = "{http://www.w3.org/2000/svg}"
EPOCHS = tuple(range(7))
VALIDATION = (24.6, 15.9, 14.1, 13.4, 13.2, 13.5, 13.9)
TRAIN = (24.1, 15.2, 12.9, 11.4, 10.3, 9.5, 8.9)
STYLES = {
    "base": LineStyle("base", dash="dashed"),
    "kept": LineStyle("text3", dash="dotted", note=True),
    "train": LineStyle("train", marker="circle", band=True),
    "validation": LineStyle("validation", marker="square", band=True),
}
LEGEND = (Key("base", "base model"), Key("tuned", "tuned, epoch 4"), Key("human", "people"))


def lines() -> LineFigure:
    def line(values: tuple[float, ...], label: str) -> Line:
        return Line(
            EPOCHS,
            values,
            [v * 0.97 for v in values],
            [v * 1.03 for v in values],
            label,
            [f"{label} at {epoch}" for epoch in EPOCHS],
        )

    return LineFigure(
        STYLES,
        {
            "base": Line((0, 6), (24.6, 24.6), label="base 24.6"),
            "kept": Line((4, 4), (13.2, 5.0), label="kept: epoch 4"),
            "train": line(TRAIN, "train 8.9"),
            "validation": line(VALIDATION, "validation 13.9"),
        },
        step_axis(6),
        linear_axis([5, 25]),
        "epoch",
        "perplexity, lower is better",
    )


def radar() -> RadarFigure:
    return RadarFigure(
        ("Fluency", "Coherence", "Well-formed", "Relevance"),
        {
            "base": Shape((52, 44, 58, 31), ("b1", "b2", "b3", "b4")),
            "human": Shape((83, 78, 82, 74)),
            "epoch 1": Shape((60, 50, 60, 40), kept=False),
            "tuned": Shape((69, 61, 71, 50)),
        },
        legend=LEGEND,
    )


def bars() -> BarFigure:
    rows = [
        BarRow("closed QA", {"base": Bar(0.9, 0.8, 1.0), "tuned": Bar(2.3, 2.1, 2.5)}, "2.6x"),
        BarRow("classify", {"base": Bar(), "tuned": Bar(1.2, 1.0, 1.4)}, "no change", quiet=True),
    ]
    axis = linear_axis([0, 3], zero=True)
    keys = (Key("base", "base"), Key("tuned", "tuned"), Key("interval", "95 %"))
    return BarFigure(rows, ("base", "tuned"), axis, "points per 100 tokens", keys)


def scatter() -> ScatterFigure:
    lengths = [10.0, 30.0, 90.0, 200.0]
    return ScatterFigure(
        {"base": Dots(lengths, [192.0] * 4), "tuned": Dots(lengths, lengths, ["a", "b", "c", "d"])},
        log_axis([8, 256]),
        log_axis([8, 256]),
        "reference tokens, log",
        "generated tokens, log",
        "same length as reference",
        192.0,
        legend=LEGEND,
    )


def empty() -> Empty:
    return Empty("GQS is not computed", "The judge is not installed.", failed=True)


FIGURES: dict[str, tuple[Callable[[], Figure], set[str]]] = {
    "lines": (
        lines,
        {"base 24.6", "train 8.9", "validation 13.9", "kept: epoch 4", "epoch", "25", "6"}
        | {"perplexity, lower is better"},
    ),
    "radar": (radar, {"Fluency", "Coherence", "Well-formed", "Relevance", "100", "people"}),
    "bars": (bars, {"closed QA", "classify", "2.6x", "no change", "n/a", "95 %", "3"}),
    "scatter": (scatter, {"limit", "reference tokens, log", "generated tokens, log", "people"}),
    "empty": (empty, {"GQS is not computed", "The judge is not installed."}),
}


def texts(drawing: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(drawing).iter(SVG + "text")]


def outside(drawing: str) -> list[str]:
    """The texts that may reach beyond the drawing, by their estimated width."""
    root = ET.fromstring(drawing)
    wide, tall = (float(part) for part in root.attrib["viewBox"].split()[2:])
    found: list[str] = []

    def look(element: ET.Element, dx: float, dy: float) -> None:
        if "transform" in element.attrib:
            x, y = element.attrib["transform"].removeprefix("translate(")[:-1].split()
            dx, dy = dx + float(x), dy + float(y)
        if element.tag == SVG + "text":
            size = float(element.attrib.get("font-size", 11))
            bold = "font-weight" in element.attrib
            long = width(element.text or "", size, bold=bold)
            start = float(element.attrib["x"]) + dx
            start -= {"middle": long / 2, "end": long}.get(element.get("text-anchor", ""), 0.0)
            y = float(element.attrib["y"]) + dy
            if start < -0.5 or start + long > wide + 0.5 or y - size < -2 or y + 3 > tall + 0.5:
                found.append(element.text or "")
        for child in element:
            look(child, dx, dy)

    look(root, 0.0, 0.0)
    return found


@pytest.mark.parametrize("wide", [320.0, 484.0, 1000.0])
@pytest.mark.parametrize("name", FIGURES)
def test_every_label_is_there_and_inside(name: str, wide: float):
    make, labels = FIGURES[name]
    drawing = svg.inline(make(), "What it shows", "In more words", wide)
    assert labels <= set(texts(drawing))
    assert outside(drawing) == []
    root = ET.fromstring(drawing)
    assert root.findtext(SVG + "title") == "What it shows"
    assert root.findtext(SVG + "desc") == "In more words"


@pytest.mark.parametrize("shade", ["light", "dark", "auto"])
@pytest.mark.parametrize("name", FIGURES)
def test_a_file_has_its_title_and_the_colours_of_its_theme(name: str, shade: str):
    make, _ = FIGURES[name]
    title = "Validation perplexity fell from 24.6 to 13.2 in 6 epochs, lowest at epoch 4"
    drawing = svg.chart(make(), title, "n 1,501, band 95 %", shade=shade)  # type: ignore[arg-type]
    assert outside(drawing) == []
    assert title.split()[:3] == " ".join(texts(drawing)).split()[:3]
    light, dark = TOKENS["text"]
    assert (light in drawing, dark in drawing) == (shade != "dark", shade != "light")
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", FIGURES)
def test_without_its_style_sheet_it_has_the_colours_of_its_theme(name: str):
    make, _ = FIGURES[name]
    root = ET.fromstring(svg.chart(make(), "t", shade="dark"))
    for element in root.iter():
        for part in element.get("class", "").split():
            side, _, token = part.partition("-")
            if side in {"f", "s"}:
                attribute = {"f": "fill", "s": "stroke"}[side]
                assert element.get(attribute) == TOKENS[token][1]


def test_labels_that_would_touch_are_pushed_apart():
    figure = lines()
    same = {name: replace(line, y=VALIDATION) for name, line in figure.lines.items() if line.tips}
    drawing = svg.inline(replace(figure, lines=same), "t")
    heights = sorted(
        float(e.attrib["y"])
        for e in ET.fromstring(drawing).iter(SVG + "text")
        if e.text in {"train 8.9", "validation 13.9"}
    )
    assert heights[1] - heights[0] >= 13.9


def test_a_gap_stays_a_gap():
    figure = lines()
    gapped = (24.6, 15.9, math.nan, 13.4, 13.2, math.nan, 13.9)
    line = replace(figure.lines["validation"], y=gapped)
    drawing = svg.inline(replace(figure, lines={"validation": line}), "t")
    assert "nan" not in drawing
    strokes = [
        e
        for e in ET.fromstring(drawing).iter(SVG + "path")
        if e.get("class") == "s-validation" and e.get("fill") == "none"
    ]
    assert len(strokes) == 2  # 0 to 1, 3 to 4; the last point stands alone


def test_an_unknown_axis_of_a_radar_is_named_and_left_open():
    shapes = {"base": Shape((52, 44, math.nan, 31)), "tuned": Shape((69, 61, math.nan, 50))}
    drawing = svg.inline(replace(radar(), shapes=shapes), "t")
    assert "Well-formed, n/a" in texts(drawing)
    assert "nan" not in drawing
    assert "fill-opacity" not in drawing, "an open polygon has no ground"


def test_what_is_hovered_over_tells_its_value():
    titles = {e.text for e in ET.fromstring(svg.inline(lines(), "t")).iter(SVG + "title")}
    assert "validation 13.9 at 4" in titles


def test_a_name_that_has_no_room_is_cut_and_told_in_full():
    long = "a category whose name is far too long for the margin of a chart"
    row = BarRow(long, {"tuned": Bar(1.0, 0.9, 1.1)})
    drawing = svg.inline(replace(bars(), rows=[row]), "t", wide=320)
    assert any(text.endswith(ELLIPSIS) for text in texts(drawing))
    assert long in drawing
    assert outside(drawing) == []


@given(st.text(max_size=40))
def test_whatever_is_written_stays_text(said: str):
    figure = replace(bars(), rows=[BarRow(said, {"tuned": Bar(1.0)}, said)], x_name=said)
    drawing = svg.chart(figure, said, said, description=said)
    ET.fromstring(drawing)
    assert "<script" not in drawing


@given(st.text(max_size=60), st.floats(20, 300))
def test_a_cut_text_has_room(said: str, room: float):
    cut = fit(said, room, 11)
    assert cut in {said, ELLIPSIS} or width(cut, 11) <= room
    for line in wrap(said, room, 11, most=3):
        assert width(line, 11) <= room or line == ELLIPSIS
