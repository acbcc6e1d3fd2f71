"""A text of the user's as a run's model reads it: the same template, prefix, chat and cuts."""

import re
from dataclasses import replace
from typing import Any

from easymodel_nb.errors import problem_error
from easymodel_nb.metrics.conditional import encode_pairs
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.roles.values import fill, slot_path, slots
from easymodel_nb.train.tasks import class_rows
from easymodel_nb.train.tasks.chat import ChatRows
from easymodel_nb.train.tasks.class_rows import Text
from easymodel_nb.train.tasks.task import Sample
from easymodel_nb.train.tasks.texts import TextRows
from easymodel_nb.train.tasks.words import Window, specials, sub_words, windows
from easymodel_nb.workflow.document import FinetuneData

_WORDS = re.compile(r"\w+(?:[-'\u2019.]\w+)*|[^\w\s]")


def roles_of(data: FinetuneData) -> Roles:
    """The roles of a frozen plan, whose fields all name a column."""
    target = data.target_field
    return Roles(
        text=data.text_field,
        prompt=data.prompt_field or (data.text_field if target else None),
        target=target,
        template=data.template,
        messages=data.messages_field,
        text_pair=data.text_pair_field,
        label=data.label_field,
    )


def prompt_of(text: str, roles: Roles) -> str:
    """The text in the run's template where that asks for one value; else as it stands.

    A template that asks for several cannot be filled from one text: there the text is the whole
    prompt. Without a target the template shapes whole texts, of which this is a beginning.
    """
    if roles.template is None or roles.target is None:
        return text
    needed = list(dict.fromkeys(slot for slot in slots(roles.template) if not slot_path(slot)[1]))
    if len(needed) != 1:
        return text
    return fill(roles.template, {needed[0]: text}) or text


def sample_of(tokenizer: Any, data: FinetuneData, text: str) -> Sample:
    """The prompt of a generation or seq2seq run, with the ids that its model reads.

    Raises
    ------
    StudioError
        When nothing of the text is left for the model to read.

    """
    roles = roles_of(data)
    if data.task == "seq2seq":
        source = (data.source_prefix or "") + prompt_of(text, roles)
        (pair,) = encode_pairs(tokenizer, [source], [""], max_length=data.max_length)
        found = Sample(source, "", pair.source, text)
    else:
        room = max(1, data.max_length - (data.max_new_tokens or 1))
        if roles.messages is not None:
            turns = [{"role": "user", "content": text}, {"role": "assistant", "content": ""}]
            found = ChatRows(tokenizer, roles.messages, data.max_length).sample(turns, room)
        else:
            rows = TextRows(tokenizer, roles, data.max_length)
            found = rows.sample((prompt_of(text, roles), ""), room)
    if not found.ids:
        raise problem_error("try.empty", "The model reads nothing in this text. Write more of it.")
    return replace(found, reference="")


def text_of(tokenizer: Any, data: FinetuneData, texts: list[str], filler: int) -> Text:
    """A text (or a pair) as a classifier reads it; its label is a place holder."""
    batch = class_rows.encode(tokenizer, [texts], limit=data.max_length, filler=filler)
    ids, types = batch.column("ids")[0].as_py(), batch.column("types")[0].as_py()
    return Text(ids, types, 0)


def words_of(text: str) -> list[str]:
    """The words and signs of a text: what was trained on came in words already."""
    return _WORDS.findall(text)


def windows_of(tokenizer: Any, data: FinetuneData, words: list[str]) -> list[Window]:
    """Words in the windows that a tagger reads."""
    around = specials(tokenizer)
    longest = max(1, (data.max_length - len(around[0]) - len(around[1])) // 2)
    spelled = sub_words(tokenizer, [words], longest=longest).column("words")[0].as_py()
    return windows(
        spelled, [IGNORED] * len(words), text=0, max_length=data.max_length, around=around
    )
