"""Plain text: a row is a block between blank lines; without blank lines, a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from easymodel_nb.train.data.encoding import open_text
from easymodel_nb.train.data.large import gather
from easymodel_nb.train.data.reading import Reading

_SCHEMA = pa.schema([("text", pa.string())])


def read_text(path: Path, reading: Reading, *, large: bool) -> pa.Table | None:
    """The rows of a text file, in a column `text`."""
    blocks = _has_blocks(path, reading)
    why = "blank lines part its rows" if blocks else "there are no blank lines in it"
    reading.guess("format.rows", "blocks" if blocks else "lines", why)
    with open_text(path, reading) as file:
        rows = _blocks(file) if blocks else (line.rstrip("\n") for line in file)
        return gather(path, _tables(rows, reading.chunk), reading, large=large)


def whole_text(path: Path, reading: Reading) -> str:
    """All of a text file as one string."""
    with open_text(path, reading) as file:
        return file.read()


def _has_blocks(path: Path, reading: Reading) -> bool:
    """Whether there is a second block."""
    with open_text(path, reading) as file:
        for number, _ in enumerate(_blocks(file, reading)):
            if number == 1:
                return True
    return False


def _blocks(lines: Iterable[str], reading: Reading | None = None) -> Iterator[str]:
    block: list[str] = []
    size = 0
    for line in lines:
        if line.strip(" \t\n"):
            block.append(line)
            size += len(line)
            if reading is not None and size > reading.chunk:  # only looking for the end of it
                reading.check()
                block, size = [line], 0
        elif block:
            yield "".join(block).strip("\n")
            block, size = [], 0
    if block:
        yield "".join(block).strip("\n")


def _tables(rows: Iterable[str], chunk: int) -> Iterator[pa.Table]:
    kept: list[str] = []
    size = 0
    for row in rows:
        if not row.strip():
            continue
        kept.append(row)
        size += len(row)
        if size >= chunk:
            yield pa.table({"text": kept}, schema=_SCHEMA)
            kept, size = [], 0
    if kept:
        yield pa.table({"text": kept}, schema=_SCHEMA)
