"""What can be said of a source before training."""

from dataclasses import dataclass, field

from easymodel_nb.errors import Problem
from easymodel_nb.train.data.reading import Guess
from easymodel_nb.trust.questions import CodeFacts


@dataclass(frozen=True)
class SplitRows:
    """One split of a dataset."""

    name: str
    rows: int | None  # None where they were not counted


@dataclass(frozen=True)
class Detail:
    """One fact with its name: "Licence", "mit"."""

    name: str
    value: str


@dataclass(frozen=True)
class Described:
    """Facts of a model or a dataset; all but the lines and the tasks are a dataset's alone."""

    lines: list[str]
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    total_rows: int | None = None  # of the train split; None where they were not counted
    roles: dict[str, str] = field(default_factory=dict)  # field -> column that null means
    reasons: dict[str, str] = field(default_factory=dict)  # field -> why that column
    candidates: dict[str, list[str]] = field(default_factory=dict)  # likeliest first
    splits: list[SplitRows] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # sentences about the rows
    tasks: list[str] = field(default_factory=list)  # what a model can be trained for
    details: list[Detail] = field(default_factory=list)  # what the two lines leave out, by name
    configs: list[str] = field(default_factory=list)  # configurations, where there are several
    page: str = ""  # its page on the Hub
    offline: str = ""  # in one line, why only what is on this machine is told
    code: CodeFacts | None = None  # the Python files that a model works only with
    problem: Problem | None = None  # what is in the way although all this is known
