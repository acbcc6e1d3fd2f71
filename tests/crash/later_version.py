"""Makes this process a later EasyModel, whose documents have the next version.

There is one version of the document so far, so nothing real has ever been migrated; the machinery
is tried with a next version that differs in its number and in a name of each node's kind.
"""

from collections.abc import Callable
from typing import Any

from easymodel_nb.workflow import document


def install() -> Callable[[], None]:
    """From now on, until what is answered is called."""
    now = document.VERSION
    document.VERSION = now + 1  # type: ignore[misc]
    document.MIGRATIONS[now] = lifted
    field = document.Workflow.model_fields["version"]
    before = field.annotation
    field.annotation, field.default = int, now + 1
    document.Workflow.model_rebuild(force=True)

    def undo() -> None:
        document.VERSION = now  # type: ignore[misc]
        del document.MIGRATIONS[now]
        field.annotation, field.default = before, now
        document.Workflow.model_rebuild(force=True)

    return undo


def lifted(raw: dict[str, Any]) -> dict[str, Any]:
    """The document in the next version."""
    return {**raw, "version": raw.get("version", 1) + 1, "lifted": True}
