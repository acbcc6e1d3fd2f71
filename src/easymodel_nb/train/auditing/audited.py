"""What the gate says of a finetune node before any GPU time is spent: audit and fit check.

Plain data, so that the interface can read it without importing the trainer.
"""

from typing import Any, Literal

from pydantic import BaseModel

from easymodel_nb.errors import Problem

Sign = Literal["green", "amber", "red"]
CellName = Literal["rows", "tokens", "cut", "time", "memory"]
SpanKind = Literal["read", "learned", "cut"]


class Cell(BaseModel):
    """One figure of the strip in the node; `sign` is None while it is not known."""

    name: CellName
    text: str = ""  # "1,000", "31 k", "6.1 %", "40 s", "0.6 GB"; empty: not known
    sign: Sign | None = None
    why: str = ""  # the figure in a sentence, with what it was counted on


class Bar(BaseModel):
    """One bar of the token-length histogram: texts of `low` to `high` tokens, both included."""

    low: int
    high: int
    count: int


class Span(BaseModel):
    """A stretch of a rendered example: read only, learned, or cut off."""

    text: str
    kind: SpanKind
    omitted: int = 0  # characters left out where the text has an ellipsis in brackets


class Rendered(BaseModel):
    """One training example as the model gets it.

    A long text that is read in windows is shown by its first one. Where an encoder reads one
    side and a decoder writes the other, the spans of the first stand before those of the second.
    """

    spans: list[Span]
    tokens: int
    learned: int  # how many of the tokens are learned
    answer: str = ""  # what is learned where it is no text: the class, or the tagged words


class Fit(BaseModel):
    """What two real steps on the longest batch took.

    None stands where nothing could be measured because the memory ran out; `memory_bytes` is
    then what was taken until that moment.
    """

    seconds_per_step: float | None  # of the longest batch: the slowest a step can be
    seconds: float | None  # the whole run, estimated; `time_why` says how
    memory_bytes: int  # peak
    free_bytes: int  # what a run may take on this device
    longest: int  # tokens of the longest row of that batch
    batch_size: int
    device: str
    measured: str  # ISO time
    time_why: str = ""
    memory_why: str = ""
    problems: list[Problem] = []


class Audit(BaseModel):
    """The verdict on one finetune node and everything it was made from.

    `state`: `none` (the node is not complete), `waiting`, `checking` (`message` says what it
    does), `done`, `unknown` (it could not be done here; `message` says why).
    """

    state: Literal["none", "waiting", "checking", "done", "unknown"] = "none"
    message: str = ""
    runs: int = 1  # how many runs the node makes
    variant: str = ""  # of a sweep the run that this is about: the one with the worst verdict
    verdict: Sign | None = None
    cells: list[Cell] = []
    problems: list[Problem] = []  # error: red; ask: amber until it is in `accept`; note
    accepted: list[str] = []  # codes among the problems that the user ticked
    rows: int | None = None  # trained
    eval_rows: int | None = None
    split_rows: int | None = None  # of the train split
    dropped: dict[str, int] = {}  # rows left out, by the reason
    duplicates: int = 0
    overlap: int = 0
    classes: dict[str, int] = {}  # trained rows (or entities) by class, the most frequent first
    examples_per_epoch: int | None = None  # rows, or windows of long ones
    windowed: bool = False  # long texts are read in windows, so max_length cuts nothing off
    tokens: int | None = None  # one epoch reads
    learned_tokens: int | None = None  # of one epoch; what they are, `learned_unit` says
    learned_unit: Literal["tokens", "labels", "words"] = "tokens"
    lengths: list[Bar] = []  # of the texts before anything is cut
    median_length: float | None = None
    longest: int | None = None
    max_length: int | None = None
    positions: int | None = None  # tokens the model can read at once, if it says
    suggested_length: int | None = None  # the least usual one that cuts at most 1 % of the rows
    cut_rows: int | None = None
    cut_share: float | None = None  # of the rows
    cut_target_tokens: int | None = None
    cut_target_share: float | None = None  # of the target tokens
    empty_rows: int | None = None  # with nothing to learn
    examples: list[Rendered] = []
    steps: int | None = None
    steps_per_epoch: int | None = None
    parameters: int | None = None
    model_bytes: int | None = None  # of the trained model on disk
    disk_bytes: int | None = None  # the run will write, at its fullest moment
    disk_free: int | None = None
    download_bytes: int | None = None  # still to be fetched
    choices: list[dict[str, Any]] = []  # field, value, reason
    fit: Fit | None = None
    fit_state: Literal["none", "waiting", "checking", "done", "failed"] = "none"
    fit_problem: Problem | None = None
