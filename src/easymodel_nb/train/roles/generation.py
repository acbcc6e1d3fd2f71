"""Roles for causal language models: chat, prompt and target, a template, or plain text."""

import pyarrow as pa

from easymodel_nb.train.roles import names, pairs, prompts
from easymodel_nb.train.roles.chat import speaks
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.matching import exactly, first, texts, why_named
from easymodel_nb.train.roles.problems import none_fits, unclear
from easymodel_nb.train.roles.roles import Roles
from easymodel_nb.workflow.document import FinetuneData

_SIMILAR = 0.9


def choose(table: pa.Table, columns: list[Column], data: FinetuneData) -> Roles:
    """What the document names, and a guess for what it leaves open."""
    if data.messages_field:
        return Roles(messages=data.messages_field)
    if data.template:
        return Roles(template=data.template, target=data.target_field)
    if data.text_field:
        return Roles(text=data.text_field)
    if data.prompt_field or data.target_field:
        return other_of_two(table, columns, data.prompt_field, data.target_field)
    return (
        _chat(columns)
        or prompts.with_template(columns, to_source=False)
        or _pair(columns)
        or _plain(table, columns)
    )


def other_of_two(
    table: pa.Table, columns: list[Column], prompt: str | None, target: str | None
) -> Roles:
    """Prompt and target of which at least one is named."""
    if prompt and target:
        return Roles(prompt=prompt, target=target)
    known = prompt or target
    field, wanted = ("target_field", names.TARGETS) if prompt else ("prompt_field", names.SOURCES)
    others = [c for c in texts(columns) if c.path != known and not c.mark]
    found = first(others, (*wanted, *names.TEXTS) if target else wanted)
    why = why_named(found) if found else ""
    if found is None:
        plain = [c for c in others if "[" not in c.path]
        if not plain:
            word = "prompt" if target else "target"
            raise none_fits(
                table, field, f"no other column holds text to be the {word}", "column.no_text"
            )
        found = max(plain, key=lambda c: (c.prose, c.mean_length))
        why = "it is the likeliest other text column"
    reasons = ((field, found.path, why),)
    if target:
        return Roles(prompt=found.path, target=target, reasons=reasons)
    return Roles(prompt=prompt, target=found.path, reasons=reasons)


def chats(columns: list[Column]) -> list[Column]:
    """The columns of conversations, the likeliest first."""
    talks = [c for c in columns if c.kind == "chat" and "[" not in c.path]
    spoken = [
        c
        for c in exactly([c for c in columns if c.kind == "words"], names.CHATS)
        if c.mean_length > 1 and _mean_words(c) > 2  # noqa: PLR2004  sentences, not word lists
    ]
    known = exactly(talks, names.CHATS)
    return [*known, *(c for c in talks if c not in known and _says_who(c)), *spoken]


def _says_who(column: Column) -> bool:
    """Whether the turns name their speakers; {input, output} alone may be an example."""
    value = next(iter(column.values), None)
    turn = next(iter(value), None) if isinstance(value, list) else value
    return isinstance(turn, dict) and speaks(turn)


def _mean_words(column: Column) -> float:
    said = [element for value in column.values for element in value]
    return sum(len(str(element).split()) for element in said) / max(1, len(said))


def _chat(columns: list[Column]) -> Roles | None:
    found = next(iter(chats(columns)), None)
    if found is None:
        return None
    why = (
        "every row is a list of turns, with who speaks and what is said"
        if found.kind == "chat"
        else "every row is a list of texts that two speakers say in turn"
    )
    return Roles(messages=found.path, reasons=(("messages_field", found.path, why),))


def _pair(columns: list[Column]) -> Roles | None:
    found = pairs.by_name(columns, plain_texts=True) or pairs.translation(columns)
    return found.roles() if found else None


def _plain(table: pa.Table, columns: list[Column]) -> Roles:
    usable = [c for c in texts(columns) if "[" not in c.path]
    found = first(usable, names.PLAIN)
    if found is not None:
        return _text(found, why_named(found))
    usable = [c for c in usable if not c.mark] or usable
    usable = [c for c in usable if not c.constant] or usable
    if not usable:
        raise none_fits(table, "text_field", "no column holds text", "column.no_text")
    longest = sorted(usable, key=lambda c: -c.mean_length)
    if len(longest) == 1:
        return _text(longest[0], "it is the only text column")
    if _alike(longest[0], longest[1]):
        why = f"{longest[0].path!r} and {longest[1].path!r} hold equally long texts"
        raise unclear("text_field", why, [c.path for c in longest[:6]])
    return _text(longest[0], "it holds the longest texts")


def _alike(one: Column, other: Column) -> bool:
    """Whether two columns of prose cannot be told apart by length."""
    return one.prose and other.prose and other.mean_length > _SIMILAR * one.mean_length


def _text(column: Column, why: str) -> Roles:
    return Roles(text=column.path, reasons=(("text_field", column.path, why),))
