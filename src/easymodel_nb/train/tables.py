"""Local files as Arrow tables: .txt, .csv, .tsv, .json, .jsonl, .parquet.

Every failure is a sentence on the dataset's source or on the format field that mends it.
"""

import contextlib
import json
import math
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.workflow.document import FileFormat

_SNIFFED = 64 * 1024
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_QUOTED = re.compile(r'"[^"]*"')
_DELIMITERS = ",;\t|"
SPLIT_NAMES: dict[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}


def read_file(path: Path, form: FileFormat) -> pa.Table:
    """The table in one file.

    Raises
    ------
    StudioError
        When there is no such file, it is empty, or it cannot be understood.

    """
    if not path.exists():
        raise _problem("file.missing", f"There is no file at {path}. Check the path.")
    if path.stat().st_size == 0:
        raise _problem("file.empty", f"{path.name} is empty. Choose a file with rows.")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise _problem(
            "file.format",
            f"{path.name} is of a kind that cannot be read yet; use {', '.join(READERS)}.",
        )
    try:
        table = reader(path, form)
    except StudioError:
        raise
    except Exception as error:
        raise _problem(
            "file.unreadable", f"{path.name} could not be read as {path.suffix}: {error}"
        ) from error
    if table.num_rows == 0:
        raise _problem("file.empty", f"{path.name} has no rows. Choose a file with rows.")
    return table


def read_folder(folder: Path, form: FileFormat) -> dict[str, pa.Table]:
    """The split files of a folder by split name; a folder of .txt without them is one split."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in READERS and p.is_file())
    if not files:
        raise _problem("file.missing", f"{folder} holds no data file; use {', '.join(READERS)}.")
    by_split: dict[str, list[Path]] = {}
    for file in files:
        if (split := _split_of(file)) is not None:
            by_split.setdefault(split, []).append(file)
    if not by_split:
        if all(file.suffix.lower() == ".txt" for file in files):
            texts = [_text(file, form) for file in files]
            return {"train": pa.table({"text": texts})}
        if len(files) > 1:
            names = ", ".join(file.name for file in files[:5])
            raise _problem(
                "file.splits",
                f"{folder.name} holds {len(files)} files ({names}) and none is named train. "
                "Name the training file, or rename it to start with train.",
            )
        by_split = {"train": files}
    return {
        split: pa.concat_tables([read_file(p, form) for p in paths], promote_options="permissive")
        for split, paths in by_split.items()
    }


def _split_of(path: Path) -> str | None:
    words = re.split(r"[^a-z]+", path.stem.lower())
    parent = path.parent.name.lower()
    for split, names in SPLIT_NAMES.items():
        if words[0] in names or parent in names or (words[-1] in names and words[-1]):
            return split
    return None


# ---------------------------------------------------------------- one reader a format


def _text(path: Path, form: FileFormat) -> str:
    data = path.read_bytes()
    if form.encoding:
        try:
            return data.decode(form.encoding)
        except (LookupError, UnicodeDecodeError) as error:
            raise _problem(
                "format.encoding",
                f"{path.name} is not {form.encoding} text: {error}.",
                field="format",
            ) from None
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode("utf-16" if data[:2] in _UTF16_MARKS else "utf-8-sig")
    if b"\0" in data[:_SNIFFED]:
        raise _problem("file.unreadable", f"{path.name} is not a text file.")
    return data.decode("cp1252", errors="replace")


def _read_txt(path: Path, form: FileFormat) -> pa.Table:
    """A row is a block between blank lines; without blank lines, a line."""
    text = _text(path, form).replace("\r\n", "\n").replace("\r", "\n")
    blocks = [block.strip("\n") for block in _BLANK_LINES.split(text.strip("\n"))]
    if len(blocks) <= 1:
        blocks = text.split("\n")
    return pa.table({"text": [block for block in blocks if block.strip()]})


def _read_csv(path: Path, form: FileFormat) -> pa.Table:
    import pandas as pd  # noqa: PLC0415

    text = _text(path, form)
    default = "\t" if path.suffix.lower() == ".tsv" else ","
    delimiter = form.delimiter or _delimiter(text, default)
    try:
        frame = pd.read_csv(
            StringIO(text),
            sep=delimiter,
            header=None if form.header is False else 0,
            dtype="string[pyarrow]",  # a guessed number would lose its zeros: 007, 1.50
            keep_default_na=False,
            na_values=[""],
        )
    except pd.errors.EmptyDataError:
        raise _problem("file.empty", f"{path.name} has no rows. Choose a file with rows.") from None
    except pd.errors.ParserError as error:
        raise _ragged(path, delimiter, str(error).strip()) from None
    if not isinstance(frame.index, pd.RangeIndex):  # the rows are longer than the header
        names, frame = list(frame.columns), frame.reset_index()
        if frame.iloc[:, len(names) :].notna().any(axis=None):
            raise _ragged(path, delimiter, f"the header names {len(names)} columns, rows have more")
        frame = (
            frame.iloc[:, : len(names)].set_axis(names, axis="columns").astype("string[pyarrow]")
        )
    titles: list[Any] = list(frame.columns)
    names = [f"column_{n}" if isinstance(n, int) else str(n).strip() for n in titles]
    columns = [_numbers(frame[name].astype(object)) for name in frame.columns]
    return pa.table(columns, names=names)


def _ragged(path: Path, delimiter: str, why: str) -> StudioError:
    return _problem(
        "format.delimiter",
        f"{path.name} does not read as columns parted by {delimiter!r}: {why}. Set the delimiter.",
        field="format",
    )


def _numbers(cells: Any) -> pa.Array:
    """The cells as numbers where every one of them is written as that number is; else as text."""
    values = [cell if isinstance(cell, str) else None for cell in cells]
    for kind, type_ in ((int, pa.int64()), (float, pa.float64())):
        with contextlib.suppress(ValueError, OverflowError, pa.ArrowInvalid):
            numbers = [None if value is None else kind(value) for value in values]
            pairs = zip(numbers, values, strict=True)
            if all(n is None or (math.isfinite(n) and str(n) == v) for n, v in pairs):
                return pa.array(numbers, type_)
    return pa.array(values, pa.string())


def _delimiter(text: str, default: str) -> str:
    """The delimiter the header has most of, outside quotes."""
    header = _QUOTED.sub("", text[:_SNIFFED]).lstrip("\n").split("\n", 1)[0]
    candidates: tuple[str, ...] = (default, *_DELIMITERS)
    return max(candidates, key=header.count)


def _read_jsonl(path: Path, form: FileFormat) -> pa.Table:
    rows = []
    # Not splitlines(): JSON may hold U+2028 and its like as they are.
    for number, line in enumerate(_text(path, form).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _problem(
                "file.unreadable", f"Line {number} of {path.name} is not valid JSON: {error}."
            ) from None
        rows.append(row if isinstance(row, dict) else {"text": row})
    return _from_rows(rows)


def _read_json(path: Path, form: FileFormat) -> pa.Table:
    text = _text(path, form)
    try:
        content = json.loads(text)
    except ValueError as error:
        if "Extra data" in str(error):  # one object a line under the wrong name
            return _read_jsonl(path, form)
        raise _problem("file.unreadable", f"{path.name} is not valid JSON: {error}.") from None
    rows = _rows_in(content)
    if rows is None:
        raise _problem(
            "file.layout",
            f"{path.name} holds no list of rows. Write a list of objects, "
            'such as [{"prompt": "...", "target": "..."}].',
        )
    return _from_rows(rows)


def _rows_in(content: Any) -> list[dict[str, Any]] | None:
    if isinstance(content, list):
        return [row if isinstance(row, dict) else {"text": row} for row in content]
    if isinstance(content, dict):
        for key in ("data", "rows", "train", "examples"):
            if isinstance(content.get(key), list):
                return _rows_in(content[key])
        lists = [value for value in content.values() if isinstance(value, list)]
        if lists and len(lists) == len(content) and len({len(v) for v in lists}) == 1:
            return [dict(zip(content, values, strict=True)) for values in zip(*lists, strict=True)]
    return None


def _from_rows(rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, None] = {}
    for row in rows:
        columns.update(dict.fromkeys(row))
    arrays = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            # Mixed kinds: they are kept as JSON text.
            arrays[name] = pa.array(
                [
                    value
                    if isinstance(value, str) or value is None
                    else json.dumps(value, ensure_ascii=False)
                    for value in values
                ]
            )
    return pa.table(arrays) if arrays else pa.table({})


def _read_parquet(path: Path, form: FileFormat) -> pa.Table:  # noqa: ARG001  one signature for all
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.read_table(path)


READERS: dict[str, Callable[[Path, FileFormat], pa.Table]] = {
    ".txt": _read_txt,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}


def _problem(code: str, message: str, field: str = "source") -> StudioError:
    return problem_error(code, message, field=field)
