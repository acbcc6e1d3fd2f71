"""How a CSV file is written: its delimiter, its quotes, and whether its first row is a header.

The floor: a delimiter that gives every row the same number of cells wins; only where several
do, CleverCSV (which weighs patterns and types of cells) decides between them.
"""

import csv
import io
import itertools
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SAMPLE = 1 << 20  # characters
DELIMITERS = (",", ";", "\t", "|")
ONE_COLUMN = "\x1f"  # the ASCII unit separator: no text has it
_WEIGHED = 20_000  # characters CleverCSV looks at: its time grows faster than the text
_SEP = re.compile(r'"?sep=(.)"?\r?\n')
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?%?")
_MOST = 0.9
_LONG_NAME, _SENTENCE_WORDS = 100, 5
_FEW = 20
# fmt: off
_NAMES = frozenset((
    "text", "label", "labels", "sentence", "utterance", "content", "document", "body",
    "message", "comment", "review", "tweet", "title", "prompt", "completion", "instruction",
    "input", "output", "response", "question", "answer", "context", "source", "target", "query",
    "intent", "category", "class", "sentiment", "emotion", "topic", "tag", "tags", "token",
    "tokens", "ner", "pos", "premise", "hypothesis", "summary", "article", "translation", "en",
    "de", "fr", "es", "mr", "ref", "id", "idx", "index", "name", "date", "rating", "score",
    "stars", "lang",
))
# fmt: on


@dataclass(frozen=True)
class Dialect:
    """What `csv.reader` needs to know."""

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    skip_space: bool = False
    skip_lines: int = 0  # such as the `sep=;` that Excel understands

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The rows of a text whose line ends are as they were.

        Raises
        ------
        csv.Error
            When quotes do not end where cells do.

        """
        allow_long_cells()
        rows = csv.reader(
            itertools.islice(lines, self.skip_lines, None),
            delimiter=self.delimiter,
            quotechar=self.quote,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            escapechar=self.escape,
            doublequote=self.escape is None,
            skipinitialspace=self.skip_space,
            strict=True,
        )
        yield from rows


def allow_long_cells() -> None:
    """The csv module refuses cells of more than 131,072 characters unless it is told once."""
    if csv.field_size_limit() < sys.maxsize >> 32:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Found:
    """A dialect, and why it was chosen."""

    dialect: Dialect
    why: str


@dataclass(frozen=True)
class _Tried:
    dialect: Dialect
    rows: list[list[str]]
    even: float  # the share of rows that have as many cells as the first

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0


def find(text: str, *, default: str, named: str | None, cut: bool) -> Found:
    """The dialect of a sample; `cut` when the file goes on after it."""
    if named is not None:
        return Found(_quotes(text, Dialect(named), cut=cut).dialect, "as set")
    if found := _SEP.match(text):
        dialect = Dialect(found.group(1), skip_lines=1)
        return Found(_quotes(text, dialect, cut=cut).dialect, "the first line says so")
    delimiters = (default, *(d for d in DELIMITERS if d != default))
    tried = [_quotes(text, Dialect(delimiter), cut=cut) for delimiter in delimiters]
    if not text.strip("".join(DELIMITERS) + '"\r\n '):
        return Found(tried[0].dialect, "the file holds nothing else")
    for least in (1.0, _MOST):
        even = [t for t in tried if t.width > 1 and t.even >= least and len(t.rows) > 1]
        if even:
            best = even[0] if len(even) == 1 else _weighed(text, even)
            share = "each row has" if least == 1 else "most rows have"
            return Found(best.dialect, f"{share} {best.width} columns with it")
    wide = [t for t in tried if t.width > 1]
    if wide:
        best = max(wide, key=lambda t: t.width)
        return Found(best.dialect, f"the first row has {best.width} columns with it")
    one = _quotes(text, Dialect(ONE_COLUMN), cut=cut)
    return Found(one.dialect, "the first row has one column, so every row has")


def _weighed(text: str, even: list[_Tried]) -> _Tried:
    from clevercsv.detect import Detector  # noqa: PLC0415

    by_delimiter = {t.dialect.delimiter: t for t in even}
    sample = text[:_WEIGHED]
    if len(text) > _WEIGHED and "\n" in sample:
        sample = sample[: sample.rfind("\n") + 1]
    try:
        found = Detector().detect(sample, delimiters=list(by_delimiter))
    except Exception:  # noqa: BLE001  whatever a file does to the detector, the floor holds
        found = None
    return by_delimiter.get(str(found.delimiter) if found else "", even[0])


def _quotes(text: str, dialect: Dialect, *, cut: bool) -> _Tried:
    """The way of quoting that makes the rows even; the usual one where several do."""
    plain = _try(text, replace(dialect, quote=None), cut=cut)
    usual = _try(text, dialect, cut=cut)
    if usual.even == 1:
        return plain if _swallows_rows(usual, plain) else usual
    for way in _ways(text, dialect):
        tried = _try(text, way, cut=cut)
        if tried.even == 1:
            return tried
    if plain.even == 1 and plain.width >= max(1, usual.width) and _may_be_unquoted(plain):
        return plain
    return usual


def _swallows_rows(usual: _Tried, plain: _Tried) -> bool:
    """Whether a cell over several lines is rather the rows between two stray quotes.

    Only where tabs part the cells: such files often know no quotes, and their cells no tabs.
    """
    delimiter = usual.dialect.delimiter
    if delimiter != "\t" or plain.even < 1 or plain.width != usual.width:
        return False
    if all(cell[:1] == '"' for cell in plain.rows[0]):
        return False
    return any("\n" in cell and delimiter in cell for row in usual.rows for cell in row)


def _ways(text: str, dialect: Dialect) -> Iterator[Dialect]:
    """Rarer ways of quoting that the text shows signs of."""
    if f'{dialect.delimiter} "' in text:
        yield replace(dialect, skip_space=True)
    if '\\"' in text:
        yield replace(dialect, escape="\\")
    if re.search(rf"(?:^|{re.escape(dialect.delimiter)})'", text, re.MULTILINE):
        yield replace(dialect, quote="'")


def _may_be_unquoted(tried: _Tried) -> bool:
    """Whether quotes are letters here, and not the marks of a file that is cut off or broken."""
    if tried.dialect.delimiter != "\t" and any(
        len(cell) > 1 and cell[0] == cell[-1] == '"' for row in tried.rows for cell in row
    ):
        return False
    stray = [n for n, row in enumerate(tried.rows) if any(cell[:1] == '"' for cell in row)]
    return bool(stray) and stray != [len(tried.rows) - 1]


def _try(text: str, dialect: Dialect, *, cut: bool) -> _Tried:
    rows: list[list[str]] = []
    lines = io.StringIO(text, newline="")
    try:
        rows += (row for row in dialect.rows(lines) if any(row))
    except csv.Error:
        if not cut or lines.tell() < len(text):  # else the last cell goes on after the sample
            return _Tried(dialect, rows, 0)
    if cut and len(rows) > 1:
        rows.pop()
    if not rows:
        return _Tried(dialect, rows, 0)
    width = len(trimmed(rows[0]))
    if any(len(trimmed(row)) > width for row in rows):  # the header's last name may be empty
        width = len(rows[0])
    fits = sum(len(trimmed(row)) <= width <= len(row) for row in rows)
    rows[0] = (rows[0] + [""] * width)[:width]
    return _Tried(dialect, rows, fits / len(rows))


def trimmed(row: list[str]) -> list[str]:
    """A row without the empty cells at its end."""
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def has_header(rows: list[list[str]]) -> tuple[bool, str]:
    """Whether the first of some rows names the columns, and why."""
    first, body = [cell.strip() for cell in rows[0]], rows[1:]
    known = [
        cell
        for place, cell in enumerate(first)
        if cell.lower() in _NAMES and all(cell != row[place].strip() for row in body if row[place:])
    ]
    if known:
        return True, f"the first row holds the usual name {known[0]!r}"
    usual = {cell.lower() for cell in first} & _NAMES
    if len(usual) > 1 and rows[0] in body:  # one alone may be a tag such as pos
        return True, "the first row names columns, and stands again further down"
    if not body:
        return True, "there is one row"
    against = ""
    for place, name in enumerate(first):
        below = [row[place].strip() for row in body if place < len(row) and row[place].strip()]
        if not name or not below:
            continue
        numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in below) / len(below)
        if numbers >= _MOST:
            if not _NUMBER.fullmatch(name):
                return True, f"{name!r} stands above numbers"
            against = against or f"{name!r} in the first row is a number like those below"
        elif Counter(below)[name] >= (2 if len(below) > _FEW else 1):
            against = against or f"{name!r} in the first row occurs again below"
        elif len(name) > _LONG_NAME or _is_sentence(name):
            against = against or "the first row holds a whole sentence"
    return (False, against) if against else (True, "the first row looks like names")


def _is_sentence(cell: str) -> bool:
    return len(cell.split()) >= _SENTENCE_WORDS and cell.endswith((".", "!", "…", "。"))
