"""CSV and TSV files as the world writes them."""

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data import dialect as dialects
from easymodel_nb.train.data.dialect import Dialect
from easymodel_nb.train.data.encoding import open_text
from easymodel_nb.train.data.large import keeping
from easymodel_nb.train.data.list_columns import Lists
from easymodel_nb.train.data.number_columns import Numbers
from easymodel_nb.train.data.raw import suffix_of
from easymodel_nb.train.data.reading import Reading, plural, refusal

_TABS = (".tsv", ".tab", ".txt", ".text")


@dataclass
class _Counts:
    """What is told of the rows that are not as they should be."""

    rows: int = 0
    blank: int = 0
    short: int = 0
    zeros: int = 0
    headers: int = 0
    nameless: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


def read_csv(path: Path, reading: Reading, *, large: bool) -> pa.Table | None:
    """The table of a CSV or TSV file: text, numbers where written plainly, lists of labels.

    Empty cells are null, blank rows are left out, short rows are filled.

    Raises
    ------
    StudioError
        On `format`, when rows have more cells than the header or quotes do not match.

    """
    with open_text(path, reading, newline="") as file:
        sample = file.read(dialects.SAMPLE)
        cut = bool(file.read(1))
    default = "\t" if suffix_of(path) in _TABS else ","
    named = reading.form.delimiter
    if named is not None and (len(named) != 1 or named in '"\r\n'):
        raise refusal(
            "format.delimiter",
            f"The delimiter {named!r} cannot be used. Set one character, such as , or ; or a tab.",
            "format",
        )
    found = dialects.find(sample, default=default, named=named, cut=cut)
    dialect = found.dialect
    rows = _some(dialect, sample)
    if not rows:
        return None
    header, why = (
        (reading.form.header, "") if reading.form.header is not None else dialects.has_header(rows)
    )
    if named is None:
        one = dialect.delimiter == dialects.ONE_COLUMN
        reading.guess("format.delimiter", "" if one else dialect.delimiter, found.why)
    if reading.form.header is None:
        reading.guess("format.header", header, why)
    if dialect.quote != '"':
        quote = dialect.quote or ""
        reading.guess("format.quote", quote, "only so do all rows have the same columns")
    del sample
    try:
        return _read(path, dialect, reading, header=header, large=large)
    except StudioError:
        if dialect.quote is None or dialect.delimiter not in {"\t", dialects.ONE_COLUMN}:
            raise
        # Stray quotes further down, in a file that does not use quotes at all?
        attempt = replace(reading, guesses=[], notes=[])
        try:
            table = _read(path, replace(dialect, quote=None), attempt, header=header, large=large)
        except StudioError:
            table = None
        if table is None:
            raise
        reading.guess("format.quote", "", "only so do all rows have the same columns")
        reading.notes += attempt.notes
        return table


def _some(dialect: Dialect, sample: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows += (row for row in dialect.rows(io.StringIO(sample, newline="")) if any(row))
    except csv.Error:  # told with its line by the reading itself
        rows = rows or [[""]]
    return rows


def _read(
    path: Path, dialect: Dialect, reading: Reading, *, header: bool, large: bool
) -> pa.Table | None:
    counts, numbers, lists = _Counts(), Numbers(), Lists()
    with keeping(path, reading) as kept:
        raw = kept.sink(large=large and not reading.preview)
        for table in _tables(path, dialect, reading, counts, header=header):
            reading.check()
            numbers.look(table)
            lists.look(table)
            raw.add(table)
            if reading.preview and large:
                reading.complete = False
                break
        raw.close()
        settled = raw
        # Delimiters at the ends of rows are no column.
        empty = [name for name in counts.nameless if numbers.is_empty(name)]
        if numbers.any or lists.found or empty:
            settled = kept.sink(large=raw.spilled)
            for table in raw.chunks():
                reading.check()
                settled.add(lists.settle(numbers.settle(table)).drop_columns(empty))
            settled.close()
        counts.nameless = [name for name in counts.nameless if name not in empty]
        if lists.found:
            why = "every cell in them is written as a list"
            reading.guess("format.lists", ", ".join(lists.found), why)
        _tell(path, counts, reading)
        return kept.keep(settled, reading.guesses, reading.notes)


def _tell(path: Path, counts: _Counts, reading: Reading) -> None:
    if counts.blank:
        reading.note("rows.blank", f"{plural(counts.blank, 'blank row')} of {path.name} left out.")
    if counts.headers:
        reading.note(
            "rows.headers",
            f"The header of {path.name} stands again in {plural(counts.headers, 'row')}, which "
            f"{'was' if counts.headers == 1 else 'were'} left out.",
        )
    if counts.short:
        reading.note(
            "rows.short",
            f"{plural(counts.short, 'row')} of {path.name} with fewer cells than columns: the "
            "missing ones are empty.",
        )
    if counts.nameless:
        reading.note(
            "columns.nameless",
            f"{path.name} has {plural(len(counts.nameless), 'column')} without a name: "
            f"{', '.join(counts.nameless[:5])}.",
        )
    if counts.twice:
        reading.note(
            "columns.twice",
            f"{path.name} has more than one column named {', '.join(counts.twice[:5])}; the later "
            "ones got a number.",
        )
    if counts.zeros:
        reading.note(
            "text.null_bytes",
            f"{plural(counts.zeros, 'row')} of {path.name} with null bytes (character 0) in the "
            "text; they were kept.",
        )


def _tables(
    path: Path, dialect: Dialect, reading: Reading, counts: _Counts, *, header: bool
) -> Iterator[pa.Table]:
    with open_text(path, reading, newline="") as file:
        rows = dialect.rows(file)
        names: list[str] | None = None
        first: list[str] | None = None  # the header
        columns: list[list[str | None]] = []
        size = number = blank = 0
        while True:
            try:
                row = next(rows)
            except StopIteration:
                break
            except csv.Error as error:
                raise _broken(path, number, str(error)) from None
            number += 1
            if not any(row):
                blank += names is not None
                continue
            counts.blank += blank  # those at the end are none
            blank = 0
            if names is None:
                names = _names(row, counts, header=header)
                columns = [[] for _ in names]
                if header:
                    first = row
                    continue
            if row == first and len(row) > 1:  # of files put one after another
                counts.headers += 1
                continue
            _add(path, number, row, columns, dialect, counts)
            size += sum(map(len, row))
            if size >= reading.chunk:
                yield _table(names, columns)
                columns = [[] for _ in names]
                size = 0
        if names is not None and (columns[0] or not counts.rows):
            yield _table(names, columns)


def _add(
    path: Path,
    number: int,
    row: list[str],
    columns: list[list[str | None]],
    dialect: Dialect,
    counts: _Counts,
) -> None:
    width = len(columns)
    if len(row) > width:
        if any(row[width:]):
            raise _ragged(path, number, len(dialects.trimmed(row)), width, dialect)
    elif len(row) < width:
        counts.short += 1
    counts.rows += 1
    counts.zeros += any("\0" in cell for cell in row)
    for place, column in enumerate(columns):
        column.append((row[place] or None) if place < len(row) else None)


def _table(names: list[str], columns: list[list[str | None]]) -> pa.Table:
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.table(arrays, names=names)


def _names(row: list[str], counts: _Counts, *, header: bool) -> list[str]:
    """Every column's own name: nameless ones by their place, second ones with a number."""
    if not header:
        return [f"column_{place}" for place in range(len(row))]
    given = [cell.strip() for cell in row]
    names: list[str] = []
    for place, cell in enumerate(given):
        wanted = cell or f"column_{place}"
        name = wanted
        for number in itertools.count(2):
            if name not in names and (name == cell or name not in given):
                break
            name = f"{wanted}_{number}"
        if not cell:
            counts.nameless.append(name)
        elif name != cell and cell not in counts.twice:
            counts.twice.append(cell)
        names.append(name)
    return names


def _ragged(path: Path, row: int, cells: int, width: int, dialect: Dialect) -> StudioError:
    shown = {"\t": "a tab", dialects.ONE_COLUMN: "nothing"}
    delimiter = shown.get(dialect.delimiter, repr(dialect.delimiter))
    return refusal(
        "format.delimiter",
        f"Row {row:,} of {path.name} has {cells} cells and the first row has {width}, parted by "
        f"{delimiter}. Set the delimiter, or put quotes around the cells that hold it.",
        "format",
    )


def _broken(path: Path, row: int, why: str) -> StudioError:
    what = "a quote that does not end" if "end of data" in why else "a quote inside a quoted cell"
    return refusal(
        "format.delimiter",
        f"{path.name} has {what} after row {row:,} ({why}). Write a quote inside a cell twice, "
        "or set the delimiter.",
        "format",
    )
