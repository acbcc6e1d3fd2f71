"""A template of several columns, where one alone does not ask the whole question."""

from easymodel_nb.train.roles import names
from easymodel_nb.train.roles.columns import Column
from easymodel_nb.train.roles.matching import first, texts
from easymodel_nb.train.roles.pairs import COUNTS, may_be_target
from easymodel_nb.train.roles.roles import Roles

_QUESTIONS = frozenset(map(names.normal, names.QUESTIONS))
_FEW_WORDS = 4


def with_template(columns: list[Column], *, to_source: bool) -> Roles | None:
    """A template where one column alone does not ask the whole question.

    `to_source` writes it for an encoder, where the end may be cut: the question stands first.
    """
    plain = [c for c in texts(columns) if "[" not in c.path and not c.mark]
    answer = _answer(columns)
    if answer is None:
        return None
    plain = [c for c in plain if c.root != answer.root]
    asked = first(plain, names.INSTRUCTIONS)
    if asked is None:
        return None
    others = [c for c in plain if c is not asked]
    question = names.normal(asked.name) in _QUESTIONS
    extra = first(others, names.INPUTS) or first(others, names.CONTEXTS)
    if extra is None and question:
        extra = first(others, names.QUESTION_CONTEXTS)
    system = first(others, names.SYSTEMS)
    if extra is not None and not _says_nothing(extra):
        template = (_question if question else _instruction)(asked, extra, to_source=to_source)
        why = f"{asked.path!r} asks about {extra.path!r}, so both are in the prompt"
    elif system is not None and not to_source:
        template = f"{{{system.path}?}}\n\n### Instruction:\n{{{asked.path}}}\n\n### Response:\n"
        why = f"{system.path!r} says how {asked.path!r} is to be answered"
    else:
        return None
    return Roles(
        template=template,
        target=answer.path,
        reasons=(
            ("template", template, why),
            ("target_field", answer.path, _why_answer(answer)),
        ),
    )


def _says_nothing(column: Column) -> bool:
    """Whether the same few words stand in every row."""
    return column.constant and not _gaps(column) and column.mean_words < _FEW_WORDS


def _question(asked: Column, extra: Column, *, to_source: bool) -> str:
    mark = "?" if _gaps(extra) else ""
    if to_source:
        gap = "\n\n" if mark else " "
        return f"question: {{{asked.path}}}{gap}context: {{{extra.path}{mark}}}"
    return f"{{{extra.path}{mark}}}\n\nQuestion: {{{asked.path}}}\nAnswer:"


def _instruction(asked: Column, extra: Column, *, to_source: bool) -> str:
    if to_source:
        return f"{{{asked.path}}}\n\n{{{extra.path}?}}"
    title = extra.name.capitalize()
    return (
        f"### Instruction:\n{{{asked.path}}}\n\n### {title}:\n{{{extra.path}?}}\n\n### Response:\n"
    )


def _gaps(column: Column) -> bool:
    return len(column.values) < column.sampled


def _answer(columns: list[Column]) -> Column | None:
    usable = [c for c in texts(columns) if may_be_target(c) and not c.mark]
    counts = [c for c in columns if c.kind in COUNTS and c.values]
    return first(usable, names.ANSWERS) or first(counts, ("answer", "answers", "final_answer"))


def _why_answer(answer: Column) -> str:
    return f"the column is named {answer.root!r}" + (
        ", of which the first text is taken" if "[" in answer.path else ""
    )
