"""A project as one picture: its canvas, and what the run that is shown says of itself.

One SVG without script, font or link, so that it is there wherever a notebook is only read: on
GitHub, in nbviewer, in a page without a kernel. (GitHub shows the SVG or PNG of an output and
takes the style out of its HTML, so there is no HTML.)
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from easymodel_nb.report import canvas, svg
from easymodel_nb.report import numbers as write
from easymodel_nb.report.canvas_node import NodeRun
from easymodel_nb.report.cells import Cell, cells
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.figures import Empty
from easymodel_nb.report.finding import finding
from easymodel_nb.report.grid import Panel
from easymodel_nb.report.story import facts
from easymodel_nb.report.svg import Drawing, ink
from easymodel_nb.report.svg.widths import fit, width, wrap
from easymodel_nb.report.theme import Shade
from easymodel_nb.report.told import Told
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.workflow.document import Workflow

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 960.0
_PAD, _GAP, _COLUMNS = 20.0, 24.0, 32.0
_INSIDE = WIDTH - 2 * _PAD
_HALF = (_INSIDE - _COLUMNS) / 2
_FIGURE = 640.0  # a figure over both columns needs no more
_SAMPLES, _SAMPLE_LINES = 3, 3
_MOODS = {"good": "ok", "bad": "err", "none": "text2"}


class Snapshot:
    """What `Studio.snapshot()` gives: the last expression of a cell shows it; `svg` is its text."""

    def __init__(self, drawing: str, words: str) -> None:
        self.svg = drawing
        self._words = words

    def __repr__(self) -> str:
        return self._words

    def __str__(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude
        return {"image/svg+xml": self.svg, "text/plain": self._words}


class Comparison(Snapshot):
    """What `Studio.compare()` gives: the picture of a comparison; `table()` has its numbers."""

    def __init__(
        self, content: PanelContent, names: Mapping[str, str], shade: Shade | Literal["auto"]
    ) -> None:
        sheet = _Sheet()
        sheet.add(_panel(Panel("compared-runs", "full", content), _INSIDE))
        if content.data is not None and content.data.rows:
            sheet.add(_pairs(content.data, names))
        words = f"{content.title}. {content.caption}"
        super().__init__(svg.document(sheet.drawn(), content.title, words, shade=shade), words)
        self._data = content.data

    def table(self) -> "pd.DataFrame":
        """Each run against the reference, text by text, with 95 % intervals, as a DataFrame."""
        import pandas as pd  # noqa: PLC0415

        if self._data is None:
            return pd.DataFrame()
        return pd.DataFrame(list(map(list, self._data.rows)), columns=list(self._data.columns))


def snapshot(
    workflow: Workflow,
    runs: Sequence[NodeRun],
    shown: Told | None,
    shade: Shade | Literal["auto"] = "auto",
) -> Snapshot:
    """The picture of a project; `shown` is the run whose numbers and charts it has."""
    sheet = _Sheet()
    sheet.add(_fitted(canvas.drawing(workflow, runs, _INSIDE)))
    words = canvas.told(workflow, runs)
    if shown is not None:
        words = f"{finding(shown.view)}. {facts(shown.view)}\n{words}"
        sheet.add(_top(shown))
        for row in _rows(shown.panels):
            sheet.add(_beside([_panel(panel, wide) for panel, wide in row]))
        if (missing := _missing(shown.panels)) is not None:
            sheet.add(missing)
        if (samples := _samples(shown)) is not None:
            sheet.add(samples)
    drawn = sheet.drawn()
    return Snapshot(svg.document(drawn, workflow.name, words, shade=shade), words)


class _Sheet:
    """Drawings under each other."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._y = _PAD

    def add(self, part: Drawing) -> None:
        self._parts.append(_moved(part.content, _PAD, self._y))
        self._y += part.height + _GAP

    def drawn(self) -> Drawing:
        tall = self._y - _GAP + _PAD
        edge = ink.rect(0.5, 0.5, WIDTH - 1, tall - 1, "f-surface s-line", radius=10)
        return Drawing(edge + "".join(self._parts), WIDTH, tall)


def _moved(content: str, x: float, y: float) -> str:
    return f'<g transform="translate({ink.num(x)} {ink.num(y)})">{content}</g>'


def _fitted(drawn: Drawing) -> Drawing:
    """A canvas as wide as the sheet at most."""
    scale = min(1.0, _INSIDE / drawn.width)
    if scale == 1.0:
        return drawn
    content = f'<g transform="scale({scale:.4f})">{drawn.content}</g>'
    return Drawing(content, drawn.width * scale, drawn.height * scale)


# ---------------------------------------------------------------- the run


def _top(told: Told) -> Drawing:
    """Finding, facts and headline values."""
    parts, y = [], 18.0
    for line in wrap(finding(told.view), _INSIDE, 18, most=2, bold=True):
        parts.append(ink.words(line, 0, y, "text", size=18, bold=True))
        y += 24
    for line in wrap(facts(told.view), _INSIDE, ink.SIZE, most=2):
        parts.append(ink.words(line, 0, y, "text2"))
        y += 16
    found = cells(told.view)
    if not found:
        return Drawing("".join(parts), _INSIDE, y - 8)
    wide = _INSIDE / len(found)
    drawn = [_cell(cell, wide - 24) for cell in found]
    tall = max(part.height for part in drawn)
    parts.append(ink.stroke([(0, y), (_INSIDE, y)], "line"))
    for index, part in enumerate(drawn):
        x = index * wide
        if index:
            parts.append(ink.stroke([(x, y), (x, y + tall + 16)], "line"))
        parts.append(_moved(part.content, x + (12 if index else 0), y + 8))
    y += tall + 16
    parts.append(ink.stroke([(0, y), (_INSIDE, y)], "line"))
    return Drawing("".join(parts), _INSIDE, y)


def _cell(cell: Cell, room: float) -> Drawing:
    parts = [ink.words(fit(cell.label, room, ink.SIZE), 0, 12, "text3")]
    if cell.reason:
        parts.append(ink.words("n/a", 0, 34, "text3", full=f"n/a: {cell.reason}"))
    else:
        parts.append(ink.words(cell.value, 0, 34, "text", size=18, bold=True))
        x = width(cell.value, 18, bold=True) + 8
        aside = fit(cell.aside, max(room - x, 0.0), 12)
        parts.append(ink.words(aside, x, 34, _MOODS[cell.mood], size=12, full=cell.aside))
    y = 52.0
    for note in cell.notes or ((cell.reason,) if cell.reason else ()):
        for line in wrap(note, room, ink.SIZE, most=2):
            parts.append(ink.words(line, 0, y, "text3"))
            y += 16
    return Drawing("".join(parts), room, y - 8)


def _rows(panels: Sequence[Panel]) -> list[list[tuple[Panel, float]]]:
    """The panels in which something is drawn, two halves beside each other."""
    rows: list[list[tuple[Panel, float]]] = []
    for panel in panels:
        if all(isinstance(figure, Empty) for figure in panel.content.figures):
            continue
        if panel.width == "full":
            rows.append([(panel, _INSIDE)])
        elif rows and len(rows[-1]) == 1 and rows[-1][0][1] == _HALF:
            rows[-1].append((panel, _HALF))
        else:
            rows.append([(panel, _HALF)])
    # A half that stands alone has its figures side by side.
    return [[(row[0][0], _INSIDE)] if _alone(row) else row for row in rows]


def _alone(row: Sequence[tuple[Panel, float]]) -> bool:
    return len(row) == 1 and row[0][1] == _HALF and len(row[0][0].content.figures) > 1


def _panel(panel: Panel, wide: float) -> Drawing:
    content = panel.content
    parts, y = [], 14.0
    for line in wrap(content.title, wide, 13, most=2, bold=True):
        parts.append(ink.words(line, 0, y, "text", size=13, bold=True))
        y += 18
    for line in wrap(content.caption, wide, ink.SIZE, most=3):
        parts.append(ink.words(line, 0, y, "text3"))
        y += 16
    across = min(len(content.figures), 3) if wide > _HALF else 1
    room = (wide - (across - 1) * _COLUMNS) / across if across > 1 else min(wide, _FIGURE)
    drawn = [svg.draw(f, wide if isinstance(f, Empty) else room) for f in content.figures]
    for part in [_beside(drawn[i : i + across]) for i in range(0, len(drawn), across)]:
        parts.append(_moved(part.content, 0, y))
        y += part.height + 8
    return Drawing("".join(parts), wide, y - 8)


def _missing(panels: Sequence[Panel]) -> Drawing | None:
    """What is not there, a line for each reason."""
    places = [f for panel in panels for f in panel.content.figures if isinstance(f, Empty)]
    by_reason: dict[str, list[str]] = {}
    for place in places:
        by_reason.setdefault(place.why, []).append(place.what)
    parts, y = [], 12.0
    for why, whats in by_reason.items():
        for line in wrap(f"{'; '.join(whats)}. {why}", _INSIDE, ink.SIZE, most=4):
            parts.append(ink.words(line, 0, y, "text3"))
            y += 16
    return Drawing("".join(parts), _INSIDE, y - 12) if parts else None


def _pairs(data: DataTable, names: Mapping[str, str]) -> Drawing:
    """The numbers of a comparison, a line each; `names` are those of the runs by their ids."""
    shown = [[_pair_cell(cell, names) for cell in row] for row in [data.columns, *data.rows]]
    widths = [max(width(row[i], ink.SIZE) for row in shown) + 20 for i in range(len(shown[0]))]
    scale = min(1.0, _INSIDE / sum(widths))
    parts, y = [], 12.0
    for number, row in enumerate(shown):
        x = 0.0
        for said, wide in zip(row, widths, strict=True):
            room = wide * scale
            tone = "text2" if number else "text3"
            parts.append(ink.words(fit(said, room - 8, ink.SIZE), x, y, tone, full=said))
            x += room
        parts.append(ink.stroke([(0, y + 5), (x, y + 5)], "line"))
        y += 20
    return Drawing("".join(parts), _INSIDE, y - 14)


def _pair_cell(cell: object, names: Mapping[str, str]) -> str:
    if isinstance(cell, float):
        return write.signed(f"{cell:.3g}")
    return "" if cell is None else names.get(str(cell), str(cell))


def _beside(parts: Sequence[Drawing]) -> Drawing:
    content, x = "", 0.0
    for part in parts:
        content += _moved(part.content, x, 0)
        x += part.width + _COLUMNS
    return Drawing(content, x - _COLUMNS, max(part.height for part in parts))


# ---------------------------------------------------------------- samples


def _samples(told: Told) -> Drawing | None:
    """The first samples, a column a text; None where nothing was generated."""
    rows = told.samples[:_SAMPLES]
    if not rows:
        return None
    generated = kind_of(told.view) in {"generation", "seq2seq"}
    names = {"prompt": "Prompt", "reference": "Reference", "base": "Base", "tuned": "Tuned"}
    if not generated:
        names = {"prompt": "Text", "reference": "Right", "tuned": "Predicted"}
    wide = (_INSIDE - 16 * (len(names) - 1)) / len(names)
    title = f"Samples, {len(rows)} of {len(told.samples)}"
    parts = [ink.words(title, 0, 14, "text", size=13, bold=True)]
    for index, name in enumerate(names.values()):
        parts.append(ink.words(name, index * (wide + 16), 36, "text3"))
    y = 42.0
    for row in rows:
        parts.append(ink.stroke([(0, y), (_INSIDE, y)], "line"))
        y += 16
        most = 1
        for index, name in enumerate(names):
            said = row.get(name)
            none = "n/a" if said is None else "empty"
            lines = wrap(str(said), wide, ink.SIZE, most=_SAMPLE_LINES) if said else [none]
            tone = "text" if name == "tuned" else "text2"
            parts += [
                ink.words(line, index * (wide + 16), y + 15 * number, tone)
                for number, line in enumerate(lines)
            ]
            most = max(most, len(lines))
        y += 15 * (most - 1) + 8
    return Drawing("".join(parts), _INSIDE, y)
