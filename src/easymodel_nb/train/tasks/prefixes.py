"""The words a text-to-text model was taught to expect before a source ("summarize: ")."""

import re
from typing import Any

from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.roles import Roles

_SUMMARIES = ("summary", "summaries", "highlights", "headline", "abstract", "tldr", "title")
_WORD = re.compile(r"[^\W\d_]+")


def choose_prefix(chooser: Chooser, config: Any, roles: Roles) -> None:
    """Fill `source_prefix`: what the model's config names for this kind of data, else nothing."""
    prefix, why = _prefix(getattr(config, "task_specific_params", None), roles)
    chooser.set("source_prefix", prefix, why)


def _prefix(tasks: Any, roles: Roles) -> tuple[str, str]:
    named = {
        str(name): str(settings["prefix"])
        for name, settings in (tasks.items() if isinstance(tasks, dict) else ())
        if isinstance(settings, dict) and settings.get("prefix")
    }
    if not named:
        return "", "the model's config names none"
    source = _last_word(roles.prompt)
    target = _last_word(roles.target)
    wanted = "summarization" if target in _SUMMARIES else f"translation_{source}_to_{target}"
    if wanted in named:
        return named[wanted], f"the model's config names it for {wanted}"
    return "", f"the model's config names some, but none for {source or 'these'} and {target}"


def _last_word(path: str | None) -> str:
    """`de` of `translation.de`, `summary` of `Summary`."""
    words = _WORD.findall((path or "").lower())
    return words[-1] if words else ""
