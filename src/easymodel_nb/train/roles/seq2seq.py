"""Roles for encoder-decoders: a source text and the target that is written from it."""

import pyarrow as pa

from easymodel_nb.train.roles import pairs, prompts
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.generation import chats, other_of_two
from easymodel_nb.train.roles.matching import texts
from easymodel_nb.train.roles.problems import none_fits, unclear
from easymodel_nb.train.roles.roles import Roles
from easymodel_nb.workflow.document import FinetuneData

_TWO = 2


def choose(table: pa.Table, columns: list[Column], data: FinetuneData) -> Roles:
    """What the document names, and a guess for what it leaves open."""
    if data.template and data.target_field:
        return Roles(template=data.template, target=data.target_field)
    if data.template:
        found = other_of_two(table, columns, data.template, None)
        return Roles(template=data.template, target=found.target, reasons=found.reasons)
    if data.prompt_field or data.target_field:
        return other_of_two(table, columns, data.prompt_field, data.target_field)
    template = prompts.with_template(columns, to_source=True)
    if template:
        return template
    two = (
        pairs.translation(columns)
        or pairs.by_name(columns, plain_texts=False)
        or pairs.numbered(columns)
    )
    return two.roles() if two else _two_texts(table, columns)


def _two_texts(table: pa.Table, columns: list[Column]) -> Roles:
    plain = [c for c in texts(columns) if "[" not in c.path and not c.mark]
    varied = [c for c in plain if not c.constant]
    plain = varied if len(varied) >= _TWO else plain
    prose = [c for c in plain if c.prose] if len(plain) > _TWO else plain
    if len(prose) == _TWO:
        source, target = prose
        return pairs.Two(
            source,
            target,
            "it is the first of the two text columns",
            "it is the second of the two text columns",
        ).roles()
    if len(prose) > _TWO:
        why = f"{len(prose)} columns hold text and no name says which is the target"
        raise unclear("target_field", why, [c.path for c in prose])
    if chats(columns):
        raise none_fits(
            table,
            "target_field",
            f"{chats(columns)[0].path!r} holds conversations, which the task generation learns",
            "column.no_target",
            "Choose the task generation, or name a prompt and a target.",
        )
    if plain:
        raise none_fits(
            table,
            "target_field",
            "a source and a target are needed, and there is one column of text only",
            "column.no_target",
            "Choose the task generation to learn a text as it is.",
        )
    raise none_fits(table, "prompt_field", "no column holds text", "column.no_text")
