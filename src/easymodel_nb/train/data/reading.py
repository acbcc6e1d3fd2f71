"""What every reader of data is given, and what it tells beside the rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb import environment
from easymodel_nb.errors import Problem, Severity, StudioError, problem_error
from easymodel_nb.workflow.document import FileFormat

LARGE = 64 << 20  # bytes: above it, rows lie in an Arrow file instead of in memory
CHUNK = 8 << 20  # characters or bytes of rows that are read in one go
PREVIEWED = 1 << 20  # the same, when only the first rows are shown


@dataclass(frozen=True)
class Guess:
    """Something a file leaves open that was chosen for the user, such as `format.delimiter`."""

    field: str
    value: Any
    reason: str


@dataclass(frozen=True)
class DatasetTables:
    """A dataset on this machine, split by split.

    Names of classes are in the schemas' metadata under b"huggingface", as `datasets` writes them.
    """

    splits: dict[str, pa.Table]
    name: str
    kind: str  # builtin, local, hub, url, variable
    revision: str | None = None
    guesses: tuple[Guess, ...] = ()
    notes: tuple[Problem, ...] = ()
    complete: bool = True  # False: the first rows of a file that is too large to be shown whole


def _nothing() -> None:
    pass


@dataclass
class Reading:
    """How a source is to be read; collects what was guessed and what is worth a word."""

    form: FileFormat = field(default_factory=FileFormat)
    cache: Path = field(default_factory=lambda: environment.default_home() / "cache" / "data")
    check: Callable[[], None] = _nothing  # called between chunks; raises to leave the reading
    preview: bool = False  # of a large file, the first rows are enough
    guesses: list[Guess] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    complete: bool = True
    looked: dict[Path, tuple[Any, list[Guess], list[Problem]]] = field(default_factory=dict)

    def guess(self, what: str, value: Any, reason: str) -> None:
        """Note a choice; the same one for a second file is not told twice."""
        if not any((g.field, g.value) == (what, value) for g in self.guesses):
            self.guesses.append(Guess(what, value, reason))

    def note(
        self, code: str, message: str, *, on: str = "source", severity: Severity = "note"
    ) -> None:
        """Note what the user should know of the rows."""
        problem = Problem(code=code, message=message, field=on, severity=severity)
        if problem not in self.notes:
            self.notes.append(problem)

    def tables(self, splits: dict[str, pa.Table], name: str, kind: str) -> DatasetTables:
        """The dataset with everything that was noted."""
        return DatasetTables(
            splits,
            name,
            kind,
            guesses=tuple(self.guesses),
            notes=tuple(self.notes),
            complete=self.complete,
        )

    @property
    def chunk(self) -> int:
        """How many bytes of rows are read in one go."""
        return PREVIEWED if self.preview else CHUNK


def refusal(code: str, message: str, on: str = "source") -> StudioError:
    """A problem of the dataset node: on `source`, or on the `format` that mends it."""
    return problem_error(code, message, field=on)


def plural(count: int, word: str) -> str:
    """Such as 1 row, 1,200 rows."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def first_line(error: BaseException) -> str:
    """What a library's error says, as a part of a sentence."""
    said = str(error).strip().splitlines()
    return said[0].rstrip(".") if said else type(error).__name__
