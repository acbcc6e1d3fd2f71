"""Conversations in the layouts people bring, as lists of {role, content}."""

from collections.abc import Iterable
from typing import Any

_ROLE = ("role", "from", "speaker", "author", "sender")
_CONTENT = ("content", "value", "text", "message", "utterance", "parts")
_KNOWN = {
    "human": "user", "user": "user", "prompter": "user", "customer": "user", "client": "user",
    "instruction": "user", "input": "user", "usuario": "user",
    "gpt": "assistant", "assistant": "assistant", "bot": "assistant", "model": "assistant",
    "chatgpt": "assistant", "ai": "assistant", "agent": "assistant", "output": "assistant",
    "system": "system", "tool": "tool", "function": "tool",
}  # fmt: skip
_SPEAKERS = ("user", "assistant")
_EXCHANGES = (  # objects that hold what both say
    ("input", "output"), ("prompt", "response"), ("question", "answer"), ("user", "assistant"),
    ("human", "assistant"), ("human", "gpt"), ("instruction", "output"), ("q", "a"),
)  # fmt: skip


def is_turn(keys: Iterable[str]) -> bool:
    """Whether an object with these keys is one turn of a conversation."""
    names = list(keys)
    return speaks(names) or _exchange(key.lower() for key in names) is not None


def speaks(keys: Iterable[str]) -> bool:
    """Whether an object with these keys says who speaks and what."""
    lower = {key.lower() for key in keys}
    return not lower.isdisjoint(_ROLE) and not lower.isdisjoint(_CONTENT)


def _exchange(keys: Iterable[str]) -> tuple[str, str] | None:
    """The two keys of an object that holds what both say, where it is nothing else."""
    found = set(keys)
    return next((pair for pair in _EXCHANGES if set(pair) == found), None)


def turns(value: Any) -> list[dict[str, str]] | None:
    """A conversation as `[{"role": ..., "content": ...}]`; None where it is none or empty.

    Read are objects with role and content (or from and value, as in ShareGPT; speaker
    and text; a content may be a list of parts of text), objects that hold what both say
    (input and output), and lists of strings, whose first one the user says. Speakers
    without a known role alternate: who speaks first is the user.
    """
    if isinstance(value, dict):  # an object of lists, as `datasets` stores a Sequence of objects
        value = _rows(value)
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(turn, str) for turn in value):
        said = [
            {"role": _SPEAKERS[place % 2], "content": text}
            for place, text in enumerate(value)
            if text.strip()
        ]
        return said or None
    if isinstance(value[0], dict) and (pair := _exchange(map(str.lower, value[0]))):
        return _exchanged(value, pair)
    if not all(isinstance(turn, dict) for turn in value) or any(map(_shows, value)):
        return None
    read = [turn for turn in map(_turn, value) if turn is not None]
    if not read:
        return None
    unknown = list(dict.fromkeys(role for role, _ in read if role.lower() not in _KNOWN))
    named = {role: _SPEAKERS[min(place, 1)] for place, role in enumerate(unknown)}
    if len(unknown) == 1 and any(_KNOWN.get(role.lower()) == "user" for role, _ in read):
        named = {unknown[0]: "assistant"}
    return [
        {"role": _KNOWN.get(role.lower()) or named[role], "content": content}
        for role, content in read
    ]


def _exchanged(value: list[Any], pair: tuple[str, str]) -> list[dict[str, str]] | None:
    said: list[dict[str, str]] = []
    for turn in value:
        if not isinstance(turn, dict):
            return None
        lower = {str(key).lower(): content for key, content in turn.items()}
        for role, key in zip(_SPEAKERS, pair, strict=True):
            if lower.get(key) is not None:
                said.append({"role": role, "content": str(lower[key])})
    return said or None


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]] | None:
    lists = {key: value for key, value in columns.items() if isinstance(value, list)}
    if not is_turn(lists) or len({len(value) for value in lists.values()}) != 1:
        return None
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _turn(turn: dict[str, Any]) -> tuple[str, str] | None:
    lower = {str(key).lower(): value for key, value in turn.items()}
    role = next((lower[key] for key in _ROLE if lower.get(key) is not None), None)
    content = _content(turn)
    return None if role is None or content is None else (str(role), _said(content) or "")


def _content(turn: dict[str, Any]) -> Any:
    lower = {str(key).lower(): value for key, value in turn.items()}
    return next((lower[key] for key in _CONTENT if lower.get(key) is not None), None)


def _shows(turn: dict[str, Any]) -> bool:
    """Whether a turn holds more than text, such as an image."""
    content = _content(turn)
    return content is not None and _said(content) is None


def _said(content: Any) -> str | None:
    """What is said: a text, or its parts `[{"type": "text", "text": ...}]`; None of others."""
    if isinstance(content, list):
        texts: list[Any] = [
            part.get("text") if isinstance(part, dict) else part for part in content
        ]
        return "".join(texts) if all(isinstance(text, str) for text in texts) else None
    return None if isinstance(content, dict) else str(content)
