"""The box in the cell: shown once a cell, with a sentence where widgets cannot be drawn."""

from collections.abc import Iterator
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
        super().__init__(
            parts,
            layout=ipywidgets.Layout(width="100%"),
            _dom_classes=("emnb-studio", "emnb-t-em-studio"),
        )
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
    """Close a widget and every widget that its traits hold, which ipywidgets does not do by itself.

    Children, layouts and styles are in traits; so are the marks, axes, scales and tooltips of a
    figure, which share their scales.
    """
    seen: dict[int, ipywidgets.Widget] = {}
    waiting = [widget]
    while waiting:
        found = waiting.pop()
        if id(found) not in seen:
            seen[id(found)] = found
            waiting += [part for name in found.keys for part in _held(getattr(found, name))]
    for found in seen.values():
        found.close()


def _held(value: Any) -> Iterator[ipywidgets.Widget]:
    """The widgets in the value of a trait."""
    if isinstance(value, ipywidgets.Widget):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _held(item)
    elif isinstance(value, dict):
        yield from _held(list(value.values()))
