"""Controls of the dashboard as HTML: what they send is told in data attributes alone.

The workbench's script (js/src/dashboard) listens for them and sends the commands; without it,
as in a report or on GitHub, they are what they look like and do nothing. A form's inputs go with
every command sent from it, and a form with a command of its own sends it at each change.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from easymodel_nb.report.html import QUIET_KEYS


class Option(NamedTuple):
    """One choice of a select."""

    value: str
    label: str


def _attributes(given: Mapping[str, Any]) -> str:
    """Attributes by their names; None and False leave one out, True has no value."""
    parts = []
    for name, value in given.items():
        if value is None or value is False or value == "":
            continue
        parts.append(name if value is True else f'{name}="{escape(str(value))}"')
    return " ".join([*parts, QUIET_KEYS])


def _params(params: Mapping[str, Any] | None) -> str | None:
    return json.dumps(params) if params else None


def form(
    name: str,
    content: str,
    *,
    command: str = "",
    params: Mapping[str, Any] | None = None,
    label: str,
    classes: str = "",
) -> str:
    """Controls whose values go together; `label` says to a screen reader what they are for."""
    given = {
        "class": f"emnb-form {classes}".strip(),
        "role": "group",
        "aria-label": label,
        "data-em-form": name,
        "data-em-command": command,
        "data-em-params": _params(params),
    }
    return f"<div {_attributes(given)}>{content}</div>"


def button(
    label: str,
    command: str,
    params: Mapping[str, Any] | None = None,
    *,
    key: str = "",
    classes: str = "",
    name: str = "",
    disabled: bool = False,
    pressed: bool | None = None,
) -> str:
    """A button that sends a command; `label` is text, `name` what is heard where it differs."""
    given = {
        "type": "button",
        "class": f"emnb-button {classes}".strip(),
        "data-em-command": command,
        "data-em-params": _params(params),
        "data-em-key": key,
        "aria-label": name,
        "title": name,
        "disabled": disabled,
        "aria-pressed": None if pressed is None else str(pressed).lower(),
    }
    return f"<button {_attributes(given)}>{escape(label)}</button>"


def select(field: str, options: Iterable[Option], chosen: str, *, label: str) -> str:
    """A choice of one of several."""
    inner = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(text)}</option>"
        for value, text in options
    )
    given = {"class": "emnb-select", "data-em-input": field, "aria-label": label}
    return f"<select {_attributes(given)}>{inner}</select>"


def search(field: str, value: str, *, label: str) -> str:
    """A field of text; Enter sends it."""
    given = {
        "class": "emnb-search",
        "type": "search",
        "data-em-input": field,
        "value": value,
        "placeholder": label,
        "aria-label": label,
    }
    return f"<input {_attributes(given)}>"


def checkbox(field: str, value: str, label_html: str, *, checked: bool, disabled: bool) -> str:
    """A box to tick with its label, which is HTML."""
    given = {
        "type": "checkbox",
        "data-em-input": field,
        "value": value,
        "checked": checked,
        "disabled": disabled,
    }
    return f'<label class="emnb-check"><input {_attributes(given)}> {label_html}</label>'


def area(field: str, *, label: str, placeholder: str = "", rows: int = 3) -> str:
    """Several lines of text; Ctrl+Enter sends them."""
    given = {
        "class": "emnb-area",
        "data-em-input": field,
        "rows": rows,
        "aria-label": label,
        "placeholder": placeholder,
    }
    return f"<textarea {_attributes(given)}></textarea>"


def error_place() -> str:
    """Where the script says what went wrong."""
    return '<p class="emnb-em-error" role="alert" data-em-error hidden></p>'
