"""JSON lines, and JSON files in every layout that rows come in."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data import json_kinds
from easymodel_nb.train.data.encoding import open_text
from easymodel_nb.train.data.json_layouts import in_splits, rows_in
from easymodel_nb.train.data.large import gather
from easymodel_nb.train.data.reading import LARGE, Reading, refusal
from easymodel_nb.train.data.surrogates import mended

_REMEMBERED = 16 << 20  # characters of rows that are not read a second time
_MORE = 1 << 20
_LONGEST = 64 << 20  # characters of a row
_LARGEST = 2 << 30  # bytes of one JSON value that is no list of rows
Rows = list[dict[str, Any]]  # NaN, which Python and pandas write for no value, is null
Chunks = Iterator[tuple[Rows, int]]  # rows, and how many characters they were


def read_jsonl(path: Path, reading: Reading, *, large: bool) -> dict[str, pa.Table]:
    """The rows of a file with one JSON object a line.

    Raises
    ------
    StudioError
        With the line's number, where one cannot be read.

    """
    if _is_one_value(path, reading):
        return read_json(path, reading, large=large)
    return _one(_table(path, lambda: _lines(path, reading), reading, large=large))


def read_json(path: Path, reading: Reading, *, large: bool) -> dict[str, pa.Table]:
    """The rows of a JSON file, by split where it is an object of named splits."""
    if large and _first(path, reading) == "[":
        return _one(_table(path, lambda: _items(path, reading), reading, large=True))
    if large and not _is_one_value(path, reading):  # one object a line under the wrong name
        return _one(_table(path, lambda: _lines(path, reading), reading, large=True))
    if large and path.stat().st_size > _LARGEST:
        raise refusal(
            "file.too_large",
            f"{path.name} is one JSON object of {path.stat().st_size / 1e9:.1f} GB, which does not "
            "fit into memory. Write its rows one a line as .jsonl.",
        )
    with open_text(path, reading) as file:
        text = file.read()
    try:
        content = mended(json.loads(text, parse_constant=_constant), text)
    except ValueError as error:
        if "Extra data" in str(error):  # one object a line under the wrong name
            lines = _lines(path, reading)
            return _one(_table(path, lambda: lines, reading, large=large, once=True))
        raise refusal(
            "file.unreadable", f"{path.name} is not valid JSON: {str(error).rstrip('.')}."
        ) from None
    except RecursionError:
        raise refusal(
            "file.unreadable", f"{path.name} is nested too deeply to be rows of data."
        ) from None
    if splits := in_splits(content):
        made = {name: _made(path, rows, reading, large=large) for name, rows in splits.items()}
        return {name: table for name, table in made.items() if table is not None}
    found = rows_in(content)
    if found is None:
        raise refusal(
            "file.layout",
            f"{path.name} holds no list of rows. Write a list of objects, "
            'such as [{"prompt": "...", "target": "..."}].',
        )
    rows, why = found
    if why:
        reading.guess("format.layout", why, "of how the file's values are nested")
    return _one(_made(path, rows, reading, large=large))


def table_of(rows: Rows, reading: Reading) -> pa.Table | None:
    """Rows in memory as a table."""
    return _joined([(rows, 0)], _kinds(iter([(rows, 0)]), reading), reading)


def _made(path: Path, rows: Rows, reading: Reading, *, large: bool) -> pa.Table | None:
    return _table(path, lambda: iter([(rows, 0)]), reading, large=large, once=True)


def _one(table: pa.Table | None) -> dict[str, pa.Table]:
    return {} if table is None else {"train": table}


# ---------------------------------------------------------------- rows to tables


def _table(
    path: Path,
    again: Callable[[], Chunks],
    reading: Reading,
    *,
    large: bool,
    once: bool = False,
) -> pa.Table | None:
    """Rows twice: first for the types that hold all of them, then for the table."""
    if reading.preview and large:
        reading.complete = False
        first = next(again(), None)
        return table_of(first[0], reading) if first else None
    kept: list[tuple[Rows, int]] | None = []
    size = 0

    def looked() -> Chunks:
        nonlocal kept, size
        for rows, characters in again():
            size += characters
            if kept is not None:
                kept.append((rows, characters))
                if size > _REMEMBERED and not once:
                    kept = None
            yield rows, characters

    kinds = _kinds(looked(), reading)
    chunks = iter(kept) if kept is not None else again()
    return gather(path, _tables(chunks, kinds, reading), reading, large=large)


def _kinds(chunks: Chunks, reading: Reading) -> dict[str, pa.DataType]:
    kinds: dict[str, pa.DataType] = {}
    for rows, _ in chunks:
        reading.check()
        for name in dict.fromkeys(key for row in rows for key in row):
            kind = json_kinds.kind_of([row.get(name) for row in rows])
            kinds[name] = json_kinds.merged([kinds.get(name, pa.null()), kind])
    return kinds


def _tables(chunks: Chunks, kinds: dict[str, pa.DataType], reading: Reading) -> Iterator[pa.Table]:
    schema = pa.schema(list(kinds.items()))
    for rows, _ in chunks:
        reading.check()
        arrays = []
        for name, kind in kinds.items():
            array, mixed = json_kinds.column([row.get(name) for row in rows], kind)
            arrays.append(array)
            if mixed:
                reading.note(
                    "column.mixed",
                    f"The column {name!r} holds values of different kinds; some were kept as "
                    "JSON text.",
                )
        yield pa.table(arrays, schema=schema)


def _joined(
    chunks: list[tuple[Rows, int]], kinds: dict[str, pa.DataType], reading: Reading
) -> pa.Table | None:
    tables = list(_tables(iter(chunks), kinds, reading))
    return pa.concat_tables(tables) if tables else None


# ---------------------------------------------------------------- the text of a file


def _lines(path: Path, reading: Reading) -> Chunks:
    rows: Rows = []
    size = 0
    with open_text(path, reading, newline="\n") as file:  # JSON may hold U+2028 and its like
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = mended(json.loads(line, parse_constant=_constant), line)
            except (ValueError, RecursionError) as error:
                raise _bad_line(path, number, error) from None
            rows.append(row if isinstance(row, dict) else {"text": row})
            size += len(line)
            if size >= reading.chunk:
                yield rows, size
                rows, size = [], 0
    if rows:
        yield rows, size


def _constant(name: str) -> float | None:
    return None if name == "NaN" else float(name)


def _bad_line(path: Path, number: int, error: Exception) -> StudioError:
    why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return refusal(
        "file.unreadable",
        f"Line {number:,} of {path.name} is not valid JSON: {why.rstrip('.')}. "
        "Fix that line or take it out.",
    )


def _first(path: Path, reading: Reading) -> str:
    """The first character that is not a space."""
    with open_text(path, reading) as file:
        while text := file.read(1024):
            if text.strip():
                return text.strip()[0]
    return ""


def _is_one_value(path: Path, reading: Reading) -> bool:
    """Whether a .jsonl file is one JSON value over several lines after all."""
    with open_text(path, reading, newline="\n") as file:
        first = ""
        while not first.strip() and (line := file.readline(_LONGEST)):
            first = line
        if len(first) == _LONGEST and not first.endswith("\n"):
            return True
        more = any(line.strip() for line in iter(lambda: file.readline(_LONGEST), ""))
    if not more or first.strip()[:1] not in {"[", "{"}:
        return first.strip()[:1] == "[" and not more
    try:
        json.loads(first)
    except ValueError:
        return path.stat().st_size <= LARGE and _is_json(path, reading)
    return False


def _is_json(path: Path, reading: Reading) -> bool:
    with open_text(path, reading) as file:
        try:
            json.load(file)
        except (ValueError, RecursionError):
            return False
    return True


def _items(path: Path, reading: Reading) -> Chunks:
    """The rows of a list too large to be read at once, one by one."""
    decoder = json.JSONDecoder(parse_constant=_constant)
    rows: Rows = []
    size = 0
    with open_text(path, reading) as file:
        text, place = _more(file, "", 0)
        place = text.index("[") + 1
        while True:
            text, place = _skipped(file, text, place)
            if not text[place:]:
                raise _cut(path)
            if text[place] == "]":
                break
            try:
                row, end = decoder.raw_decode(text, place)
                # At the buffer's end a number may go on.
                whole = end < len(text)
                row = mended(row, text[place:end]) if whole else row
            except ValueError as error:
                whole, row, end = False, error, place
            if not whole:
                longer, at = _more(file, text, place)
                if len(longer) == len(text) - place:
                    raise _cut(path)
                text, place = longer, at
                continue
            rows.append(row if isinstance(row, dict) else {"text": row})
            size += end - place
            place = end
            if size >= reading.chunk:
                yield rows, size
                rows, size = [], 0
    if rows:
        yield rows, size


def _more(file: TextIO, text: str, place: int) -> tuple[str, int]:
    """The rest of the text with as much again after it."""
    rest = text[place:]
    return rest + file.read(max(_MORE, len(rest))), 0


def _skipped(file: TextIO, text: str, place: int) -> tuple[str, int]:
    """The place of the next character that is neither space nor comma."""
    while True:
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        if place < len(text):
            return text, place
        text, place = _more(file, text, place)
        if not text:
            return text, place


def _cut(path: Path) -> StudioError:
    return refusal(
        "file.unreadable",
        f"{path.name} is not valid JSON: the list of rows does not end, or a row is broken.",
    )
