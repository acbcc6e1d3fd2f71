"""Conversations: how their turns are written in the data, and what reads them."""

from collections.abc import Iterable
from typing import Any

from easymodel_nb.train.export.facts import Facts
from easymodel_nb.train.roles import turns as read_turns
from easymodel_nb.train.roles import value_at
from easymodel_nb.train.tasks.chat_template import Renderer
from easymodel_nb.train.usable import role_table


def fill(facts: Facts) -> dict[str, Any]:
    """What the piece needs; adds the constants that read turns."""
    ready = facts.ready
    column = str(facts.roles.messages)
    tables = (ready.drawn.train, ready.drawn.evaluation)
    rows = [row for table in tables for row in role_table(table, [column]).to_pylist()]
    found = _layout(value_at(row, column) for row in rows)
    made = facts.why("chat_template") is not None
    if found is not None:
        role, content, roles = found
        if any(said != meant for said, meant in roles.items()):
            facts.add(("ROLES", roles, "who speaks, as the data says it"))
    else:
        role, content, roles = "role", "content", {}
    named = any(said != meant for said, meant in roles.items())
    return {
        "role": f'ROLES[turn["{role}"]]' if named else f'turn["{role}"]',
        "content": f'turn["{content}"]',
        "template": ready.tokenizer.chat_template if made else None,
        "joins_system": Renderer(ready.tokenizer).joins_system,
        "messages": facts.columns()["value"].format("MESSAGES"),
        "words": "Conversations as token ids, in the words of the chat template. Only the "
        "assistant's answers are learned, each with the token that ends it.",
    }


def _layout(values: Iterable[Any]) -> tuple[str, str, dict[str, str]] | None:
    """The keys of who speaks and what is said, and what each speaker is; None for other layouts."""
    keys: tuple[str, str] | None = None
    roles: dict[str, str] = {}
    for value in values:
        turns = read_turns(value)
        if turns is None or not isinstance(value, list) or len(turns) != len(value):
            continue
        for raw, turn in zip(value, turns, strict=True):
            if not isinstance(raw, dict):
                return None
            content = next((k for k, v in raw.items() if v == turn["content"]), None)
            role = next((k for k in raw if k != content and isinstance(raw[k], str)), None)
            if content is None or role is None or keys not in (None, (role, content)):
                continue
            keys = (role, content)
            roles.setdefault(raw[role], turn["role"])
    return None if keys is None else (*keys, roles)
