"""CoNLL files: a token a line with its tags beside it, a blank line between sentences.

Columns: `tokens` (list of strings), `tags` (the file's last column, or UPOS in CoNLL-U),
`tags_2`, `tags_3` ... for what lies between (named by its place in the file), and `document`
(a number from 0) where `-DOCSTART-` lines tell documents apart.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from easymodel_nb.train.data.encoding import open_text
from easymodel_nb.train.data.large import gather
from easymodel_nb.train.data.reading import Reading, refusal

_TAG = re.compile(r"O|[BIESLUM]-\S+")
_DOCUMENT = "-DOCSTART-"
_LOOKED = 2000  # lines
_UNIVERSAL = 10  # columns of CoNLL-U
_ENOUGH = 3  # lines with tags that make a text file a CoNLL file


@dataclass
class _Shape:
    """How the columns of a file lie."""

    tab: bool
    columns: int
    universal: bool = False
    documents: bool = False
    comments: bool = False

    def cells(self, line: str) -> list[str]:
        return line.split("\t") if self.tab else line.split()

    @property
    def picked(self) -> dict[str, int]:
        """The place of each column that is kept."""
        if self.universal:
            return {"tokens": 1, "tags": 3}
        between = {f"tags_{n + 1}": n for n in range(1, self.columns - 1)}
        return {"tokens": 0, "tags": self.columns - 1, **between}

    @property
    def schema(self) -> pa.Schema:
        words = [(name, pa.list_(pa.string())) for name in self.picked]
        return pa.schema([*words, *([("document", pa.int64())] if self.documents else [])])


@dataclass
class _Sentences:
    """Sentences on their way into a table."""

    shape: _Shape
    rows: list[dict[str, object]] = field(default_factory=list)
    size: int = 0

    def add(self, words: list[list[str]], document: int) -> None:
        row: dict[str, object] = {
            name: [word[place] for word in words] for name, place in self.shape.picked.items()
        }
        if self.shape.documents:
            row["document"] = document
        self.rows.append(row)
        self.size += sum(len(cell) for word in words for cell in word)

    def table(self) -> pa.Table:
        table = pa.Table.from_pylist(self.rows, schema=self.shape.schema)
        self.rows, self.size = [], 0
        return table


def looks_like_conll(lines: Iterable[str]) -> bool:
    """Whether every line of a text ends in a tag such as O or B-PER, and some are not O."""
    tags = [
        line.split()[-1] if len(line.split()) > 1 else ""
        for line in lines
        if line.strip() and not line.startswith((_DOCUMENT, "# "))
    ]
    return (
        len(tags) >= _ENOUGH
        and all(_TAG.fullmatch(tag) for tag in tags)
        and any(tag != "O" for tag in tags)
    )


def read_conll(path: Path, reading: Reading, *, large: bool) -> pa.Table | None:
    """The sentences of a CoNLL file.

    Raises
    ------
    StudioError
        When a line lacks its tag.

    """
    with open_text(path, reading) as file:
        shape = _shape(path, itertools.islice(file, _LOOKED))
    reading.guess(
        "format.tags",
        "column 4, UPOS" if shape.universal else f"column {shape.columns}",
        "the file is CoNLL-U" if shape.universal else "the tags stand last in each line",
    )
    with open_text(path, reading) as file:
        return gather(path, _tables(path, file, shape, reading), reading, large=large)


def _shape(path: Path, lines: Iterable[str]) -> _Shape:
    kept = [line.rstrip("\n") for line in lines if line.strip()]
    documents = any(line.startswith(_DOCUMENT) for line in kept)
    kept = [line for line in kept if not line.startswith(_DOCUMENT)]
    words = [line for line in kept if not line.startswith("#")]
    tab = bool(words) and all("\t" in line for line in words)
    shape = _Shape(tab, 0, documents=documents, comments=any(k.startswith("# ") for k in kept))
    counts = [len(shape.cells(line)) for line in words]
    if not counts:
        raise refusal("file.empty", f"{path.name} has no rows. Choose a file with rows.")
    shape.columns = max(set(counts), key=counts.count)
    if shape.columns < 2:  # noqa: PLR2004  a word and its tag
        raise refusal(
            "file.layout",
            f"{path.name} has one word a line and no tags. A CoNLL file has a token and its tag "
            "on each line.",
        )
    numbered = all(line[0].isdigit() for line in words)
    shape.universal = tab and shape.columns == _UNIVERSAL and numbered
    return shape


def _tables(
    path: Path, lines: Iterable[str], shape: _Shape, reading: Reading
) -> Iterator[pa.Table]:
    done, words = _Sentences(shape), list[list[str]]()
    document = -1 if shape.documents else 0
    for number, whole in enumerate(lines, 1):
        line = whole.rstrip("\n")
        start = line.startswith(_DOCUMENT)
        if start or not line.strip():
            if words:
                done.add(words, document)
                words = []
            document += start
            if done.size >= reading.chunk:
                yield done.table()
            continue
        cells = shape.cells(line)
        if line.startswith("#") and (shape.universal or (shape.comments and _is_comment(cells))):
            continue
        if shape.universal and not cells[0].isdigit():
            continue  # a contraction or an empty node: its words follow
        words.append(_word(path, number, cells, shape))
        document = max(document, 0)
    if words:
        done.add(words, document)
    if done.rows:
        yield done.table()


def _is_comment(cells: list[str]) -> bool:
    return not _TAG.fullmatch(cells[-1])


def _word(path: Path, number: int, cells: list[str], shape: _Shape) -> list[str]:
    if len(cells) == shape.columns:
        return [cell.strip() for cell in cells]
    if len(cells) > shape.columns and not shape.tab:  # a token of several words
        spare = len(cells) - shape.columns + 1
        return [" ".join(cells[:spare]), *cells[spare:]]
    raise refusal(
        "file.layout",
        f"Line {number:,} of {path.name} has {len(cells)} of the {shape.columns} columns that "
        "other lines have. A line is a token and its tags, or blank.",
    )
