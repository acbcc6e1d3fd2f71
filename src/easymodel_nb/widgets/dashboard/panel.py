"""A panel of the grid: title, caption, figures and table, of which only what changed is sent."""

from easymodel_nb.report.content import PanelContent
from easymodel_nb.report.html import QUIET_KEYS, tag, text
from easymodel_nb.widgets.dashboard.boxes import hide, html_box, plain_box, put, toggle
from easymodel_nb.widgets.dashboard.slot import Slot, remedy_html
from easymodel_nb.widgets.dashboard.underway import note_html

_QUESTION = "How is this computed?"
_LAYOUTS = ("beside", "stack", "row")


class ChartPanel:
    """One panel: its head, the places of its figures, its table, and its numbers, folded.

    What a reader has opened stays open while numbers change: the folds are pieces of HTML of
    their own, which are sent again only for another run.
    """

    def __init__(self, name: str, width: str) -> None:
        self._head = html_box("emnb-panel-head")
        self._how = html_box("emnb-panel-how")
        self._table = html_box("emnb-panel-table")
        self._note = html_box("emnb-slot-note emnb-off")
        self._fold = html_box("emnb-panel-fold emnb-off")
        self._numbers = html_box("emnb-panel-numbers")
        self._slots: list[Slot] = []
        self._grid = plain_box("emnb-grid", self._table)
        self._content: PanelContent | None = None
        self.box = plain_box(
            f"emnb-panel emnb-{width} emnb-t-{name} emnb-off",
            self._head,
            self._how,
            self._grid,
            self._note,
            self._fold,
            self._numbers,
        )

    @property
    def shown(self) -> bool:
        """Whether it has something to show."""
        return self._content is not None

    def show(self, content: PanelContent | None) -> None:
        """Show this content, or nothing; nothing is sent where it is the same."""
        if content == self._content:
            return
        self._content = content
        hide(self.box, on=content is None)
        if content is None:
            return
        title = text("div", content.title, "emnb-title", role="heading", aria_level="3")
        put(self._head, title + text("p", content.caption, "emnb-caption"))
        put(self._how, _how(content.how))
        put(self._table, below := content.table + remedy_html(content.action))
        hide(self._table, on=not below)
        put(self._note, note := note_html(content.action))
        hide(self._note, on=not note)
        put(self._fold, _fold("Numbers") if content.details else "")
        hide(self._fold, on=not content.details)
        put(self._numbers, content.details)
        for name in _LAYOUTS:
            toggle(self._grid, f"emnb-{name}", on=name == content.layout)
        self._show_figures(content)

    def _show_figures(self, content: PanelContent) -> None:
        missing = len(content.figures) - len(self._slots)
        if missing > 0:
            self._slots += [Slot() for _ in range(missing)]
            self._grid.children = (*(slot.box for slot in self._slots), self._table)
        figures = [*content.figures, *[None] * len(self._slots)]
        for slot, figure in zip(self._slots, figures, strict=False):
            slot.show(figure)


def _how(answer: str) -> str:
    summary = (
        f'<summary aria-label="{_QUESTION}" title="{_QUESTION}" {QUIET_KEYS}>?</summary>'
        + text("p", answer)
    )
    return tag("details", summary, "emnb-how")


def _fold(word: str) -> str:
    """A line that opens what stands behind it: the style sheet shows the next widget."""
    return tag("details", f'<summary class="emnb-link" {QUIET_KEYS}>{word}</summary>', "emnb-fold")
