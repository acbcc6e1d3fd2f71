"""Rows of token classification: words and their tags, read, refused or mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.train import roles as columns
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.tasks import tags as reading
from easymodel_nb.train.tasks.labels import spelled
from easymodel_nb.train.tasks.tags import OUTSIDE, Scheme

_SHOWN = 8  # tags named in a sentence


@dataclass(frozen=True)
class TaggedText:
    """The words of a row and their tags; None where a word has none (-100, null)."""

    words: list[str]
    tags: list[str | None]
    place: int = 0  # of its row in the table

    @cached_property
    def known_places(self) -> list[int]:
        """The places of the words that have a tag."""
        return [place for place, tag in enumerate(self.tags) if tag is not None]

    @property
    def known(self) -> list[str]:
        """The tags that are known."""
        return [tag for tag in self.tags if tag is not None]

    @property
    def told(self) -> list[str]:
        """A tag for each word: O where none is known."""
        return [tag or OUTSIDE for tag in self.tags]


def read(table: pa.Table, roles: Roles, declared: Sequence[str] | None) -> list[TaggedText]:
    """The rows that have a tag, or none (-100), for each of their words."""
    words = columns.column_at(table, str(roles.text)).to_pylist()
    tags = columns.column_at(table, str(roles.label)).to_pylist()
    found = []
    for place, (row, marks) in enumerate(zip(words, tags, strict=True)):
        if not isinstance(row, list) or not isinstance(marks, list) or len(row) != len(marks):
            continue
        hidden = (IGNORED, str(IGNORED))
        named = [None if mark in hidden else spelled(mark, declared) for mark in marks]
        if any(tag is not None for tag in named):
            told = ["" if word is None else str(word) for word in row]
            found.append(TaggedText(told, named, place))
    return found


def refuse(train: Sequence[TaggedText], evaluation: Sequence[TaggedText], column: str) -> None:
    """Refuse rows that hold nothing to learn, or nothing to measure.

    Raises
    ------
    StudioError
        On `label_field`, with what to do.

    """
    seen = {tag for text in train for tag in text.known}
    if len(seen) < 2:  # noqa: PLR2004  one tag for everything tells nothing
        what = f"the tag {min(seen)!r}" if seen else "no tag"
        raise problem_error(
            "tags.one",
            f"Every train word has {what} in {column!r}, so there is nothing to learn. "
            "Choose another column, or bring rows with tags of several kinds.",
            field="label_field",
        )
    if not evaluation:
        raise problem_error(
            "label.hidden",
            f"No validation word has a tag in {column!r}. Choose another evaluation split in "
            "the Dataset node, or none, so that rows of the train split are held out.",
            field="label_field",
        )


def mend(
    texts: Sequence[TaggedText], written: Scheme, split: str
) -> tuple[list[TaggedText], Problem | None]:
    """Every entity as the scheme that is learned demands, and what was broken, with an example.

    That IOB1 becomes IOB2 is no break.
    """
    result, example = [], None
    rows = marks = 0
    for text in texts:
        told, good = text.told, reading.repaired(text.told, written.learned)
        wrong = sum(a != b for a, b in zip(good, told, strict=True))
        if wrong:
            rows, marks = rows + 1, marks + wrong
            example = example or _example(told, good)
        tags = [None if tag is None else new for tag, new in zip(text.tags, good, strict=True)]
        result.append(TaggedText(text.words, tags, text.place))
    if example is None or written.name == "IOB1":
        return result, None
    before, after = example
    message = (
        f"{_plural(marks, 'tag')} in {_plural(rows, f'{split} text')} "
        f"{'breaks' if marks == 1 else 'break'} the {written.name} scheme, such as {before!r}, "
        f"which was read as {after!r}."
    )
    return result, _note("tags.broken", message)


def unseen(tags: Sequence[str]) -> Problem:
    """What is said of tags that no train row has."""
    rest = len(tags) - _SHOWN
    listed = ", ".join(tags[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
    are = "is" if len(tags) == 1 else "are"
    message = (
        f"{_plural(len(tags), 'tag')} {are} in the validation rows alone and cannot be learned"
    )
    return _note("label.unseen", f"{message}: {listed}.")


def _example(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """The first place where they differ, with a tag before and after it."""
    place = next(i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
    shown = slice(max(0, place - 1), place + 2)
    return " ".join(before[shown]), " ".join(after[shown])


def _note(code: str, message: str) -> Problem:
    return Problem(code=code, severity="note", message=message, field="label_field")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
