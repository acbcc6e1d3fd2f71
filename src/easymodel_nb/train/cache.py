"""Tokenised data in HOME/cache/tokens, so that a second run of the same rows starts at once.

An entry is a folder named by the digest of everything its ids depend on, and holds one Arrow
file that is memory-mapped when it is read. It is written to a folder of its own and renamed
when whole, so that a torn write or a second process never shows. The cache can be deleted at
any time; where it cannot be written, a run goes on without it.
"""

import bisect
import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import pyarrow as pa

T = TypeVar("T")
Build = Callable[[], Iterator[pa.RecordBatch]]

VERSION = 2  # of what is stored: raised when ids of the same rows change
LIMIT_BYTES = 10_000_000_000  # of all entries; those longest unused leave first
_ROWS, _META = "rows.arrow", "entry.json"
_PART = "part-"
_STALE_SECONDS = 86_400
_PLACES = ("name_or_path", "tokenizer_file", "vocab_file", "merges_file", "spm_file")

_log = logging.getLogger(__name__)


def digest(values: Iterable[Any]) -> str:
    """A digest of JSON values, in their order."""
    found = hashlib.sha256()
    for value in values:
        found.update(json.dumps(value, sort_keys=True, default=str).encode() + b"\n")
    return found.hexdigest()


def tokenizer_digest(tokenizer: Any) -> str:
    """A digest of everything a tokenizer's ids depend on: rules, vocabulary, special tokens."""
    import tokenizers  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    backend = getattr(tokenizer, "backend_tokenizer", None)
    files = [getattr(tokenizer, name, None) for name in ("vocab_file", "spm_file", "merges_file")]
    contents = [_file_digest(path) for path in files if path and backend is None]
    return digest(
        [
            type(tokenizer).__name__,
            _rules(backend) if backend is not None else sorted(tokenizer.get_vocab().items()),
            contents,
            {name: str(token) for name, token in tokenizer.special_tokens_map.items()},
            {
                name: value
                for name, value in tokenizer.init_kwargs.items()
                if isinstance(value, (str, bool, int)) and name not in _PLACES
            },
            tokenizer.chat_template,
            [getattr(tokenizer, name, None) for name in ("src_lang", "tgt_lang")],
            transformers.__version__,
            tokenizers.__version__,
        ]
    )


def _rules(backend: Any) -> dict[str, Any]:
    """The whole of a fast tokenizer, without what the last call left in it."""
    rules: dict[str, Any] = json.loads(backend.to_str())
    return {name: rule for name, rule in rules.items() if name not in ("truncation", "padding")}


def _file_digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if Path(path).is_file() else ""


def cached(home: Path, key: str, schema: pa.Schema, build: Build) -> pa.Table:
    """The rows that `build` gives, from the cache where they are there.

    `build` may be called twice: what could not be written is made again in memory.
    """
    store = home / "cache" / "tokens"
    found = _read(store / key, schema)
    if found is not None:
        return found
    try:
        _write(store, key, schema, build)
    except OSError as error:
        _log.warning("Tokenised rows are not kept in %s: %s", store, error)
    found = _read(store / key, schema)
    return found if found is not None else pa.Table.from_batches(build(), schema=schema)


def _read(entry: Path, schema: pa.Schema) -> pa.Table | None:
    """The entry, or None where there is none or it is damaged; a damaged one is removed."""
    rows = entry / _ROWS
    try:
        meta = json.loads((entry / _META).read_text(encoding="utf-8"))
        if meta["bytes"] != rows.stat().st_size:
            raise ValueError("it has another size than when it was written")  # noqa: TRY301
        table = pa.ipc.open_file(pa.memory_map(str(rows))).read_all()
        if not table.schema.equals(schema):
            raise ValueError("it has other columns")  # noqa: TRY301
        with contextlib.suppress(OSError):
            os.utime(entry / _META)  # when it was last used
    except FileNotFoundError:
        if not entry.exists():
            return None
        shutil.rmtree(entry, ignore_errors=True)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        _log.warning("The cache entry %s is made again: %s", entry.name, error)
        shutil.rmtree(entry, ignore_errors=True)
    else:
        return table
    return None


def _write(store: Path, key: str, schema: pa.Schema, build: Build) -> None:
    part = store / f"{_PART}{uuid.uuid4().hex}"
    part.mkdir(parents=True)
    try:
        with pa.OSFile(str(part / _ROWS), "wb") as file:
            with pa.ipc.new_file(file, schema) as writer:
                for batch in build():
                    writer.write_batch(batch)
            file.flush()
        with (part / _ROWS).open("rb+") as written:
            os.fsync(written.fileno())
        meta = {"version": VERSION, "bytes": (part / _ROWS).stat().st_size}
        (part / _META).write_text(json.dumps(meta), encoding="utf-8")
        with contextlib.suppress(OSError):  # another process was first: its rows are the same
            part.rename(store / key)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _prune(store, key)


def _prune(store: Path, keep: str) -> None:
    """Remove what was torn long ago and, beyond the limit, what was not used for longest."""
    entries: list[tuple[float, int, Path]] = []
    for entry in store.iterdir():
        with contextlib.suppress(OSError, ValueError):
            if entry.name.startswith(_PART):
                if time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != keep:
                size = (entry / _ROWS).stat().st_size
                entries.append(((entry / _META).stat().st_mtime, size, entry))
    total = sum(size for _, size, _ in entries) + (store / keep / _ROWS).stat().st_size
    for _, size, entry in sorted(entries):
        if total <= LIMIT_BYTES:
            return
        shutil.rmtree(entry, ignore_errors=True)
        total -= size


class Rows(Sequence[T], Generic[T]):
    """The rows of a table as objects that are made when they are asked for.

    `make` is called with a row's values in the order of the columns; lists arrive as lists.
    `sizes`: how long each row is, (rows,), where that is known without making it.
    """

    def __init__(
        self, table: pa.Table, make: Callable[..., T], sizes: Iterable[int] | None = None
    ) -> None:
        self._sizes = sizes
        self._batches = [batch for batch in table.to_batches() if batch.num_rows]
        self._starts = [0]
        for batch in self._batches:
            self._starts.append(self._starts[-1] + batch.num_rows)
        self._make = make

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def batches(self) -> Sequence[pa.RecordBatch]:
        """The rows as they are stored, for who needs a column of all."""
        return self._batches

    @property
    def lengths(self) -> Sequence[int] | None:
        """Tokens of each row, where its maker said how they follow from the columns."""
        return None if self._sizes is None else list(self._sizes)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index if index >= 0 else index + len(self)
        if not 0 <= place < len(self):
            raise IndexError(index)
        which = bisect.bisect_right(self._starts, place) - 1
        batch, row = self._batches[which], place - self._starts[which]
        return self._make(*(_value(column[row]) for column in batch.columns))


def _value(scalar: Any) -> Any:
    values = getattr(scalar, "values", None)  # of a list, without a Python object for each
    if values is None:
        return scalar.as_py()
    return values.to_numpy(zero_copy_only=False).tolist()
