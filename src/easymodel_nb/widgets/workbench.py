"""The one anywidget: sidebar, canvas and inspector, drawn by the JavaScript bundle.

Its traits are Python's alone. The view holds the working copy of the document and
speaks in custom messages; what it writes to our traits is ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets.answers import Answers
from easymodel_nb.widgets.cell import SAVED
from easymodel_nb.widgets.state import TRAITS
from easymodel_nb.widgets.subshells import route_by_sender

_HERE = Path(__file__).parent
_OURS = frozenset({*TRAITS, "_esm", "_css"})

# What stays in the old cell: it frees the canvas there and needs nothing of the bundle.
_MOVED = """
export default {
  render({ el }) {
    const note = document.createElement("p");
    note.className = "emnb-moved";
    note.dataset.testid = "em-moved";
    note.style.cssText = "margin:0;padding:12px 16px;font:13px system-ui,sans-serif";
    note.textContent = "The studio moved to the newer cell. Run this cell to bring it back here.";
    el.replaceChildren(note);
  },
};
"""


@cache
def bundle() -> tuple[str, str]:
    """The script and the styles of the workbench, the dashboard's styles included.

    Raises
    ------
    StudioError
        When the bundle was not built, with the way to build it.

    """
    static = _HERE / "static"
    try:
        script = (static / "workbench.js").read_text(encoding="utf-8")
        styles = [(static / "workbench.css").read_text(encoding="utf-8")]
    except FileNotFoundError:
        raise problem_error(
            "bundle.missing",
            "The studio's JavaScript is not built. In a clone of the repository run `make build` "
            "(or, in src/easymodel_nb/js, `npm ci` and `npm run build`); an installed package "
            "brings it, so there `pip install --force-reinstall easymodel-nb` mends it.",
        ) from None
    sheets = (_HERE / name for name in ("dashboard.css", "explore.css"))
    styles += [sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.exists()]
    return script, "\n".join(styles)


class Workbench(anywidget.AnyWidget):
    """The workbench; `answer` makes the reply to a message of the view.

    `aside`: whether a reply may come from another thread than the one that took the message.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    document = traitlets.Dict().tag(sync=True)
    projects = traitlets.Dict().tag(sync=True)
    runs = traitlets.Dict().tag(sync=True)
    problems = traitlets.Dict().tag(sync=True)
    catalog = traitlets.Dict().tag(sync=True)
    beat = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        lock: AbstractContextManager[bool],
        answer: Callable[[Any, Sequence[Any]], dict[str, Any]],
        states: Mapping[str, dict[str, Any]],
        script_and_styles: tuple[str, str] | None = None,
        *,
        aside: bool = False,
    ) -> None:
        self._lock = lock
        self._answers = Answers(answer, self._reply, aside=aside)
        script, styles = script_and_styles or bundle()
        super().__init__(_esm=script, _css=styles, **states)
        self.on_msg(self._on_message)
        if self.comm is not None:
            route_by_sender(self.comm)

    def __repr__(self) -> str:
        return SAVED

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the front end sent, except for our own traits."""
        theirs = {name: value for name, value in sync_data.items() if name not in _OURS}
        if theirs:
            with self._lock:
                super().set_state(theirs)

    def send_state(self, key: Any = None) -> None:
        """Send traits again, as one consistent state."""
        with self._lock:
            super().send_state(key)

    def publish(self, states: Mapping[str, dict[str, Any]]) -> None:
        """Write traits; the only way they change."""
        with self._lock:
            for name, value in states.items():
                setattr(self, name, value)

    def retire(self) -> None:
        """Leave a sentence in the old cell, and let go of the canvas there."""
        self.on_msg(self._on_message, remove=True)
        self._answers.close()
        with self._lock:
            self._css = ""
            self._esm = _MOVED

    def _on_message(self, _widget: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict) and "method" in content:
            self._answers.take(content, buffers or ())

    def _reply(self, reply: dict[str, Any]) -> None:
        sent = reply.pop("buffers", None)
        self.send(reply, sent)
