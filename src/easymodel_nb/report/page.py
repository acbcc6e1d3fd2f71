"""A run as one HTML file that needs nothing else: no network, no kernel, both themes, printable.

Every text of the run is escaped where it is written (`report/html.py`, `report/svg/ink.py`); the
only script is the page's own, and a policy in its head lets nothing be loaded from anywhere.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files

from easymodel_nb import __version__
from easymodel_nb.report import page_settings, svg
from easymodel_nb.report.content import DataTable, PanelContent
from easymodel_nb.report.csv_text import csv_text
from easymodel_nb.report.figures import Empty, Figure
from easymodel_nb.report.finding import finding
from easymodel_nb.report.grid import Panel
from easymodel_nb.report.html import empty, panel_head, strip, tag, text
from easymodel_nb.report.page_samples import samples_data, samples_section
from easymodel_nb.report.svg import ink
from easymodel_nb.report.theme import TOKENS, Shade, color
from easymodel_nb.report.told import Told
from easymodel_nb.report.top import header_html, top_html

_BESIDE, _FULL, _HALF, _THIRD = 648.0, 1000.0, 484.0, 312.0
_TOLD_ABOVE = 3  # warnings that the top shows


def page(told: Told, *, theme: Shade | None = None) -> str:
    """The report of a run; `theme` None follows the reader's own setting until it is switched."""
    title = f"{finding(told.view)} \u2013 EasyModel report"
    content = "".join(
        [
            _bar(told),
            top_html(told.view),
            tag("div", "".join(_panel(panel) for panel in told.panels), "rp-grid"),
            _samples(told),
            _notes(told),
            _settings(told),
            _card(told),
            _foot(told),
        ]
    )
    script = _text("page.js")
    shown = f' data-theme="{theme}"' if theme else ""
    styles = {shade: ink.styles(shade) for shade in ("light", "dark")}
    return (
        f'<!DOCTYPE html>\n<html lang="en"{shown}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_tokens()}{_text('page.css')}</style>\n"
        f"</head>\n<body>\n<main>{content}</main>\n"
        f'<script type="application/json" id="em-styles">{json.dumps(styles)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _text(name: str) -> str:
    return (files("easymodel_nb.report") / name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Nothing is loaded, and no script runs but this one (CSP level 2, by its hash)."""
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{known}'"
    )


def _tokens() -> str:
    """The tokens as CSS variables, and the classes of the drawings in terms of them."""

    def rules(shade: Shade) -> str:
        return "".join(f"--em-{name}:{color(name, shade)};" for name in TOKENS)

    drawn = "".join(
        f".em-svg .f-{name}{{fill:var(--em-{name})}}.em-svg .s-{name}{{stroke:var(--em-{name})}}"
        for name in TOKENS
    )
    return (
        f":root{{color-scheme:light;{rules('light')}}}\n"
        "@media screen and (prefers-color-scheme:dark){:root:not([data-theme]){color-scheme:dark;"
        f"{rules('dark')}}}}}\n"
        f'@media screen{{:root[data-theme="dark"]{{color-scheme:dark;{rules("dark")}}}}}\n'
        f"{drawn}\n"
    )


def _bar(told: Told) -> str:
    switch = text("button", "Theme: auto", "rp-script", type="button", id="em-theme")
    return tag("header", header_html(told.view, told.others) + switch, "rp-bar")


# ---------------------------------------------------------------- panels


def _panel(panel: Panel) -> str:
    content = panel.content
    figures = [_figure(panel, figure) for figure in content.figures]
    table = tag("div", content.table, "rp-table") if content.table else ""
    layout = content.layout if panel.width == "full" else "stack"
    if layout == "row":
        three = " rp-three" if len(figures) > 2 else ""  # noqa: PLR2004  columns
        parts = tag("div", "".join(figures) + table, f"rp-parts rp-row{three}")
    else:
        beside = "rp-parts rp-beside" if layout == "beside" and table and figures else "rp-parts"
        drawn = tag("div", "".join(figures), "rp-figures") if figures else ""
        parts = tag("div", drawn + table, beside)
    folded = ""
    if content.details:
        folded = tag("details", "<summary>Numbers</summary>" + content.details, "emnb-caption")
    head = panel_head(content.title, content.caption, content.how)
    classes = f"rp-panel rp-{panel.width}"
    return tag("div", head + parts + folded + _files(panel.name, content), classes, id=panel.name)


def _figure(panel: Panel, figure: Figure) -> str:
    if isinstance(figure, Empty):
        return empty(figure)
    content = panel.content
    wide = _HALF
    if panel.width == "full" and content.layout == "row":
        wide = _THIRD if len(content.figures) > 2 else _HALF  # noqa: PLR2004  columns
    elif panel.width == "full":
        wide = _BESIDE if content.layout == "beside" and content.table else _FULL
    title = getattr(figure, "y_name", "") or content.title
    return svg.inline(figure, title, f"{content.title}. {content.caption}", wide)


def _files(name: str, content: PanelContent) -> str:
    """Buttons that save the charts, and a link to the table."""
    drawn = any(not isinstance(figure, Empty) for figure in content.figures)
    parts = [_save(kind, name) for kind in ("SVG", "PNG") if drawn]
    if content.data is not None:
        parts.append(_csv(content.data))
    return tag("div", "".join(parts), "rp-files") if parts else ""


def _save(kind: str, name: str) -> str:
    how = {"data_save": kind.lower(), "data_name": name, "aria_label": f"Save the chart as {kind}"}
    return text("button", kind, "rp-script", type="button", **how)


def _csv(data: DataTable) -> str:
    held = base64.b64encode(csv_text(data).encode()).decode()
    return text(
        "a", "CSV", "rp-file", href=f"data:text/csv;charset=utf-8;base64,{held}",
        download=f"{data.name}.csv", aria_label=f"Save the table {data.name} as CSV",
    )  # fmt: skip


# ---------------------------------------------------------------- what follows


def _section(title: str, content: str) -> str:
    return tag("section", text("h2", title) + content) if content else ""


def _samples(told: Told) -> str:
    table, data = samples_section(told), samples_data(told)
    if data is None:
        return ""
    return _section(f"Samples, {len(data.rows)}", table + tag("div", _csv(data), "rp-files"))


def _notes(told: Told) -> str:
    rest = told.view.warnings[_TOLD_ABOVE:]
    return _section("More notes", "".join(strip("warn", "Note.", w.message) for w in rest))


def _settings(told: Told) -> str:
    def part(title: str, data: DataTable) -> Iterator[str]:
        if data.rows:
            table = page_settings.plain_table(data, title)
            files_of = tag("div", _csv(data), "rp-files")
            yield tag("div", text("h2", title) + table + files_of, "rp-words")

    view = told.view
    parts = [
        *part("Settings, and why", page_settings.settings_data(view)),
        *part("Environment", page_settings.environment_data(view)),
        *filter(None, [page_settings.destinations_html(told.destinations)]),
    ]
    return tag("section", tag("div", "".join(parts), "rp-two")) if parts else ""


def _card(told: Told) -> str:
    if not told.card:
        return ""
    inner = tag("summary", text("b", "Model card")) + text("pre", told.card, "rp-card")
    return tag("section", tag("details", inner))


def _foot(told: Told) -> str:
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    said = (
        f"Run {told.view.id}, written {when} by easymodel-nb {__version__} from the run's own log. "
        "What was not measured says why."
    )
    return text("footer", said)
