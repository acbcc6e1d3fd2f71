"""Plain boxes and pieces of HTML with DOM classes: all their layout is in the style sheet."""

from typing import Any

import ipywidgets


def classed(classes: str) -> dict[str, Any]:
    """The trait that makes a widget with these DOM classes: each one added later is a message."""
    return {"_dom_classes": tuple(classes.split())}


def html_box(classes: str) -> Any:
    """An HTML widget with DOM classes."""
    return ipywidgets.HTML(**classed(classes))


def plain_box(classes: str, *children: Any) -> Any:
    """A plain box with DOM classes."""
    return ipywidgets.Box(children, **classed(classes))


def put(widget: Any, value: str) -> None:
    """Set the HTML of a widget if it differs."""
    if widget.value != value:
        widget.value = value


def toggle(widget: Any, name: str, *, on: bool) -> None:
    """Give a widget a DOM class or take it away."""
    if on:
        widget.add_class(name)
    else:
        widget.remove_class(name)


def hide(widget: Any, *, on: bool) -> None:
    """Take a widget off the page, or show it again."""
    toggle(widget, "emnb-off", on=on)
