"""The box in the cell: shown once a cell, with a sentence where widgets cannot be drawn."""

from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display

# What is left where the widgets are not: in a saved notebook, on GitHub. ipywidgets keeps 110
# characters of it.
SAVED = (
    "EasyModel studio. Run this cell to open it; studio.snapshot() keeps a picture that shows "
    "without a kernel."
)


class StudioBox(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets is untyped
    """The studio's box of two; saved without its widgets, it leaves a sentence that helps."""

    def __init__(self, *parts: ipywidgets.Widget) -> None:
        super().__init__(parts, layout=ipywidgets.Layout(width="100%"))
        for name in ("emnb-studio", "emnb-t-em-studio"):
            self.add_class(name)
        self._shown_in: object = None

    def __repr__(self) -> str:
        return SAVED

    def show(self) -> None:
        """Show the box in the running cell, unless it is there already.

        A cell that ends with `studio()` asks twice: in the call, and when IPython
        displays the value of the cell.
        """
        shell = get_ipython()
        if shell is None:
            return
        cell = _running_cell(shell)
        if cell != self._shown_in:
            self._shown_in = cell
            display(self)  # type: ignore[no-untyped-call]


def _running_cell(shell: Any) -> object:
    """What tells the cell that is running from every other."""
    header = getattr(shell, "parent_header", None) or {}  # plain IPython has none
    return header.get("header", header).get("msg_id") or shell.execution_count


def close_all(widget: ipywidgets.Widget) -> None:
    """Close a widget and everything in it, which ipywidgets does not do by itself."""
    parts = (getattr(widget, name, None) for name in ("layout", "style"))
    for child in (*getattr(widget, "children", ()), *parts):
        if child is not None:
            close_all(child)
    widget.close()
