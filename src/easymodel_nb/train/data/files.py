"""One file as a table: by its suffix, by its content where that says otherwise."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from easymodel_nb.errors import StudioError
from easymodel_nb.train.control import Stopped
from easymodel_nb.train.data.arrow_files import read_arrow, read_parquet
from easymodel_nb.train.data.conll import looks_like_conll, read_conll
from easymodel_nb.train.data.csv_files import read_csv
from easymodel_nb.train.data.encoding import open_text
from easymodel_nb.train.data.json_files import read_json, read_jsonl
from easymodel_nb.train.data.large import Kept
from easymodel_nb.train.data.raw import head_of, is_packed, refuse_kinds, suffix_of
from easymodel_nb.train.data.reading import LARGE, Reading, first_line, refusal
from easymodel_nb.train.data.text_files import read_text

_FORMATS = {
    "txt": (".txt", ".text"),
    "csv": (".csv", ".tsv", ".tab"),
    "json": (".json",),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "conll": (".conll", ".conll03", ".conllu", ".bio", ".iob", ".iob2", ".ner"),
}
_FORMAT_OF = {suffix: name for name, suffixes in _FORMATS.items() for suffix in suffixes}
SUFFIXES = frozenset(_FORMAT_OF)
SHOWN = ".csv, .tsv, .json, .jsonl, .txt, .parquet, .arrow, .conll, and each as .gz"
_PACKING = 4  # how much larger text is than its .gz, at least
_LOOKED_LINES = 200


def is_data_file(path: Path) -> bool:
    """Whether the name is one of a file that is read."""
    return suffix_of(path) in SUFFIXES


def read_file(path: Path, reading: Reading) -> dict[str, pa.Table]:
    """The rows in one file: one split, `train`, unless a JSON file names several.

    Raises
    ------
    StudioError
        When there is no such file, it is empty, it is refused for what it is, or it cannot
        be understood: on `source`, or on the `format` field that mends it.

    """
    if not path.exists():
        raise refusal("file.missing", f"There is no file at {path}. Check the path.")
    if not path.is_file():
        raise refusal("file.unreadable", f"{path} is no regular file. Choose a data file.")
    if path.stat().st_size == 0:
        raise refusal("file.empty", f"{path.name} is empty. Choose a file with rows.")
    own = replace(reading, guesses=[], notes=[])
    try:
        splits = _read(path, own)
    except (StudioError, Stopped, MemoryError):
        raise
    except Exception as error:
        raise refusal(
            "file.unreadable",
            f"{path.name} could not be read as {suffix_of(path) or 'data'}: {first_line(error)}. "
            "It may be damaged, or another kind of file than its name says.",
        ) from error
    if not any(table.num_rows for table in splits.values()):
        raise refusal("file.empty", f"{path.name} has no rows. Choose a file with rows.")
    for guess in own.guesses:
        reading.guess(guess.field, guess.value, guess.reason)
    reading.notes += [note for note in own.notes if note not in reading.notes]
    reading.complete = reading.complete and own.complete
    return splits


def _read(path: Path, reading: Reading) -> dict[str, pa.Table]:
    head = head_of(path)
    refuse_kinds(path, head)
    kind = _kind(path, head, reading)
    size = path.stat().st_size
    large = size * (_PACKING if is_packed(path) else 1) > LARGE
    if (kept := Kept(path, reading).opened()) is not None:
        return {"train": kept}
    if kind in {"json", "jsonl"}:
        read = read_json if kind == "json" else read_jsonl
        return read(path, reading, large=large)
    if kind in {"parquet", "arrow"} and is_packed(path):
        raise refusal(
            "file.packed",
            f"{path.name} is compressed a second time. Unpack it: parquet and Arrow files are "
            "compressed inside.",
        )
    table = _one(kind, path, reading, large=large)
    return {} if table is None else {"train": table}


def _one(kind: str, path: Path, reading: Reading, *, large: bool) -> pa.Table | None:
    match kind:
        case "arrow":
            return read_arrow(path)
        case "parquet":
            return read_parquet(path, reading)
        case "conll":
            return read_conll(path, reading, large=large)
        case "txt":
            return read_text(path, reading, large=large)
    return read_csv(path, reading, large=large)


def _kind(path: Path, head: bytes, reading: Reading) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1")):
        return "arrow"
    kind = _FORMAT_OF.get(suffix_of(path))
    if kind is None:
        raise refusal("file.format", f"{path.name} is of a kind that cannot be read; use {SHOWN}.")
    if kind in {"txt", "csv"} and suffix_of(path) != ".csv" and _is_conll(path, reading):
        reading.guess("format.kind", "conll", "every line ends in a tag such as O or B-PER")
        return "conll"
    if kind == "txt" and (columns := _tabbed(_first_lines(path, reading))):
        reading.guess("format.kind", "csv", f"tabs part each line into {columns} cells")
        return "csv"
    return kind


def _is_conll(path: Path, reading: Reading) -> bool:
    # Spaces part a token from its tags as well; a tab-separated table has sentences in its cells.
    return looks_like_conll(_first_lines(path, reading))


def _tabbed(lines: list[str]) -> int | None:
    """How many columns a table in a .txt has, as Excel writes "Unicode text"; None for a text."""
    rows = [line.rstrip("\r\n") for line in lines]
    while rows and not rows[-1]:
        rows.pop()
    tabs = {row.count("\t") for row in rows}
    if len(rows) < 2 or len(tabs) > 1 or 0 in tabs or any(r.startswith("\t") for r in rows):  # noqa: PLR2004
        return None
    return tabs.pop() + 1


def _first_lines(path: Path, reading: Reading) -> list[str]:
    with open_text(path, replace(reading, guesses=[], notes=[])) as file:
        lines = [line for _, line in zip(range(_LOOKED_LINES), file, strict=False)]
    if len(lines) == _LOOKED_LINES:
        lines.pop()
    return lines
