"""Rows that are too many for memory: in an Arrow file of the cache, mapped into memory.

A file that did not change is not read a second time.
"""

import contextlib
import dataclasses
import errno
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from easymodel_nb.errors import Problem
from easymodel_nb.train.data.reading import LARGE, Guess, Reading, refusal

_VERSION = 2  # of the readers: what an older one made of a file is not used
_ROWS, _FACTS = "rows.arrow", "facts.json"
_ABANDONED_SECONDS = 24 * 3600


class Sink:
    """Takes tables of one schema; from `LARGE` bytes on they lie in a file."""

    def __init__(self, path: Path, *, large: bool = False) -> None:
        self.path = path
        self._large = large
        self._tables: list[pa.Table] = []
        self._bytes = 0
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, table: pa.Table) -> None:
        """Take the next rows."""
        if self._writer is None:
            self._tables.append(table)
            self._bytes += table.nbytes
            if self._large or self._bytes > LARGE:
                self._spill()
        else:
            self._writer.write_table(table)

    def _spill(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pa.ipc.new_file(str(self.path), self._tables[0].schema)
        for table in self._tables:
            self._writer.write_table(table)
        self._tables = []

    @property
    def spilled(self) -> bool:
        """Whether the rows lie in the file."""
        return self._writer is not None

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()

    def chunks(self) -> Iterator[pa.Table]:
        """The rows again, after `close`; those of a file pass through memory piece by piece."""
        if not self.spilled:
            yield from self._tables
            return
        with pa.OSFile(str(self.path)) as file:  # mapped pages would count as memory in use
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(number)])

    def table(self) -> pa.Table | None:
        """All rows, after `close`; None when there was not even a schema."""
        if self.spilled:
            return mapped(self.path)
        return pa.concat_tables(self._tables) if self._tables else None


def mapped(path: Path) -> pa.Table:
    """An Arrow file or stream as a table that is read from disk when it is looked at."""
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


class Kept:
    """The place of one file's rows in the cache, by its path, size, time and format options."""

    def __init__(self, path: Path, reading: Reading) -> None:
        path = path.resolve()
        status = path.stat()
        state = [
            _VERSION, status.st_size, status.st_mtime_ns, reading.form.model_dump(mode="json"),
        ]  # fmt: skip
        self._one = _digest(str(path))
        self.folder = reading.cache / f"{self._one}-{_digest(json.dumps(state, default=str))}"
        self._part = reading.cache / f"{self.folder.name}.{uuid.uuid4().hex}.part"
        self._reading = reading
        self._sinks: list[Path] = []

    def opened(self) -> pa.Table | None:
        """The rows of an earlier reading, with what was noted then."""
        try:
            facts = json.loads((self.folder / _FACTS).read_text(encoding="utf-8"))
            table = mapped(self.folder / _ROWS)
        except (OSError, ValueError, pa.ArrowException):
            return None
        for guess in facts["guesses"]:
            self._reading.guess(guess["field"], guess["value"], guess["reason"])
        self._reading.notes += [Problem.model_validate(note) for note in facts["notes"]]
        return table

    def sink(self, *, large: bool) -> Sink:
        """A place for rows on their way."""
        self._sinks.append(self._part / f"{len(self._sinks)}.arrow")
        return Sink(self._sinks[-1], large=large)

    def keep(self, sink: Sink, guesses: list[Guess], notes: list[Problem]) -> pa.Table | None:
        """The rows of a closed sink; those in a file are found again by the next reading."""
        if not sink.spilled:
            return sink.table()
        facts = {
            "guesses": [dataclasses.asdict(guess) for guess in guesses],
            "notes": [note.model_dump(mode="json") for note in notes],
        }
        (self._part / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        sink.path.rename(self._part / _ROWS)
        for other in self._sinks:
            other.unlink(missing_ok=True)
        self._tidy()
        with contextlib.suppress(OSError):  # another process was faster
            self._part.rename(self.folder)
        return mapped(self.folder / _ROWS)

    def _tidy(self) -> None:
        """Delete what the file was before it changed, and what a killed process left."""
        for old in self._reading.cache.glob(f"{self._one}-*"):
            if not old.name.endswith(".part"):
                shutil.rmtree(old, ignore_errors=True)
        for part in self._reading.cache.glob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(part, ignore_errors=True)

    def clear(self) -> None:
        """Leave nothing unfinished behind."""
        shutil.rmtree(self._part, ignore_errors=True)


@contextlib.contextmanager
def keeping(path: Path, reading: Reading) -> Iterator[Kept]:
    """A place in the cache while a file is read; a full disk is a sentence."""
    kept = Kept(path, reading)
    try:
        yield kept
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise refusal(
            "disk.full",
            f"The disk of {reading.cache} is full, and {path.name} is too large for memory. Free "
            "some space, or choose another home.",
        ) from None
    finally:
        kept.clear()


def gather(
    path: Path, chunks: Iterable[pa.Table], reading: Reading, *, large: bool
) -> pa.Table | None:
    """Tables of one schema as one, in memory or in the cache."""
    with keeping(path, reading) as kept:
        sink = kept.sink(large=large and not reading.preview)
        for chunk in chunks:
            reading.check()
            sink.add(chunk)
            if reading.preview and large:
                reading.complete = False
                break
        sink.close()
        return kept.keep(sink, reading.guesses, reading.notes)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
