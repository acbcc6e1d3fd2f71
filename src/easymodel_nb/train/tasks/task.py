"""What a task is: everything of a run that differs from one task to another.

A run makes one instance and calls it in this order: `check_model`, `ready_tokenizer`, `read` once
the rows are drawn, `prepare`; all this needs no weights and is what the audit does as well. Then
`load_model`, `baseline`; then `measure` and `answers` at each measuring point, `collate` and
`loss` at each step.
"""

import copy
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
import torch

from easymodel_nb.errors import Problem
from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.scores import Values
from easymodel_nb.train import cache, methods
from easymodel_nb.train.analytics.predictions import Predicted
from easymodel_nb.train.auditing.audited import Rendered
from easymodel_nb.train.batches.padded import Batch, collate
from easymodel_nb.train.control import Control
from easymodel_nb.train.lengths import lengths_of
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.tasks.abilities import refuse_unfit
from easymodel_nb.train.tasks.figures import RowFigures
from easymodel_nb.trust import loading
from easymodel_nb.trust.permits import NOTHING, Permit

_CHUNK = 512  # rows tokenised between two looks at the stop flag, and
_CHARACTERS = 500_000  # their text: half a second of it
Watch = Callable[[int], None]  # hears how many texts are done; may raise Stopped
ALL = slice(None)  # of the sampled texts
PROMPTS = 64  # that are answered at most: beyond, what is measured is hardly surer (METRICS 4.4)


class HasLength(Protocol):
    """A training example; its length in tokens decides its batch."""

    def __len__(self) -> int:
        """Tokens of the example."""


@dataclass(frozen=True)
class Example:
    """Token ids, and one label a token, IGNORED where nothing is learned."""

    ids: list[int]
    labels: list[int]

    def __len__(self) -> int:
        """Tokens of the example."""
        return len(self.ids)


@dataclass(frozen=True)
class Sample:
    """One text to answer, and what the data answers."""

    prompt: str
    reference: str
    ids: list[int]
    source: str | None = None  # what the prompt asks about, without a prefix; None: the prompt


@dataclass(frozen=True)
class Taken:
    """The numbers of one measuring point, and what each text scored, by set and by name."""

    analytics: Analytics
    values: dict[str, Values] = field(default_factory=dict)
    predicted: Predicted | None = None  # of a head


@dataclass(frozen=True)
class Prepared:
    """What is trained on and measured with; a task adds what it needs itself."""

    train: Sequence[HasLength]
    texts: int  # how many texts one call of `measure` scores
    prompts: int  # how many answers one call of `answers` gives
    max_new_tokens: int | None  # of one answer; None where nothing is written
    train_rows: int
    eval_rows: int
    dropped_rows: int = 0
    cut_rows: int = 0
    written: int = 0  # how many answers one call of `measure_answers` writes
    notes: tuple[Problem, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)  # of the texts of each set of scores
    # The evaluation rows that prompts come from; where nothing is written, measured texts.
    places: Sequence[int] = ()
    scored_tokens: int = 0  # that one call of `measure` reads
    targets: Callable[[], Sequence[str]] = tuple  # what the training rows answer, as text


@dataclass
class Context:
    """What a task may use of its run. `chooser.data` is the node with every value chosen so far."""

    chooser: Chooser
    control: Control
    reporter: Reporter
    config: Any = None
    tokenizer: Any = None
    roles: Roles = Roles()  # noqa: RUF009  frozen
    train_split: pa.Table | None = None  # all its rows and columns, not only those drawn
    device: str = "cpu"
    permit: Permit = NOTHING  # what the user allowed the model


def _chunks(rows: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Where chunks of rows begin and end: few rows, little text, at least one row."""
    start = size = 0
    for place, row in enumerate(rows):
        if place > start and (place - start == _CHUNK or size > _CHARACTERS):
            yield start, place
            start, size = place, 0
        size += _characters(row)
    if len(rows) > start:
        yield start, len(rows)


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return 1
    return sum(map(_characters, value))


class Task(ABC):
    """One task of one run."""

    name: ClassVar[str]
    auto_class: ClassVar[str]  # the transformers class that loads the model
    # Parameters up to, usual learning rate of full fine-tuning with AdamW.
    rates: ClassVar[tuple[tuple[float, float], ...]]
    writes: ClassVar[bool] = True  # whether the model learns to write text, and where to end
    answers_rows: ClassVar[bool] = False  # whether the model gives one answer a row

    new_weights: frozenset[str] = frozenset()  # what the checkpoint lacked, once it is loaded
    resized = False  # whether the model was given more tokens than it knew

    def __init__(self, context: Context) -> None:
        self.context = context

    def check_model(self) -> None:
        """Refuse a model that cannot do this task, from its config."""
        config = self.context.config
        own = None if self.context.permit.code is None else set(config.auto_map)
        refuse_unfit(self.name, config.to_dict(), own)

    def ready_tokenizer(self) -> None:  # noqa: B027  not every task needs more than it has
        """Give the tokenizer what this task needs and it lacks, and note it in the plan."""

    def read(self, train: pa.Table, evaluation: pa.Table) -> None:  # noqa: B027  not every task does
        """Learn from the drawn rows what the model must know, such as the names of the classes."""

    def model_options(self) -> dict[str, Any]:
        """Arguments for `from_pretrained` beside the path."""
        return {}

    def load_model(self, path: Path) -> Any:
        """The model on the context's device, and what it must know of the tokenizer.

        Its weights have 32 bits; with QLoRA 4.
        """
        device = self.context.device
        model, found = loading.model(
            self.auto_class,
            path,
            self.context.permit,
            output_loading_info=True,
            **methods.loading(self, device),
            **self.model_options(),
        )
        self.new_weights = frozenset(found["missing_keys"]) | {
            entry[0] for entry in found["mismatched_keys"]
        }
        return model if self.context.chooser.data.method == "qlora" else model.to(device)

    def empty_model(self) -> Any:
        """The model's modules without weights, in a moment and in no memory."""
        config = copy.deepcopy(self.context.config)
        options = self.model_options()  # such as the names of the classes
        config.update({name: value for name, value in options.items() if hasattr(config, name)})
        with torch.device("meta"):
            return loading.empty(self.auto_class, config, self.context.permit)

    def tokenised(
        self,
        rows: Sequence[Any],
        schema: pa.Schema,
        encode: Callable[[Sequence[Any]], pa.RecordBatch],
        *,
        done: int = 0,
        **settings: Any,
    ) -> pa.Table:
        """The token ids of rows, from HOME/cache where a run before made the same ones.

        `rows` are JSON values that hold the very texts; `encode` makes a batch of the schema
        from a chunk of them. `settings` is what else the ids depend on, beside the tokenizer.
        `done` rows were prepared before these.
        """
        context = self.context

        def build() -> Iterator[pa.RecordBatch]:
            for start, stop in _chunks(rows):
                context.control.check()
                yield encode(rows[start:stop])
                context.reporter.advance(done + stop)

        def watched() -> Iterator[Any]:
            for start in range(0, len(rows), _CHUNK):  # at once: twice as fast as row by row
                context.control.check()
                yield list(rows[start : start + _CHUNK])

        home = context.reporter.home
        if home is None:
            return pa.Table.from_batches(build(), schema=schema)
        identity = [cache.VERSION, self.name, str(schema), settings]
        tokenizer = cache.tokenizer_digest(context.tokenizer)
        key = cache.digest(itertools.chain([*identity, tokenizer], watched()))
        table = cache.cached(home, key, schema, build)
        context.reporter.advance(done + len(rows))
        return table

    @abstractmethod
    def prepare(self, train: pa.Table, evaluation: pa.Table) -> Prepared:
        """Tokenise the rows. Calls `control.check()` and `reporter.advance()` as it goes."""

    @abstractmethod
    def figures(self) -> RowFigures:
        """What the gate counts of the trained rows, once they are prepared."""

    @abstractmethod
    def rendered(self, places: Sequence[int]) -> list[Rendered]:
        """Some trained rows as the model gets them; `places` are those of `figures`."""

    def classes(self) -> dict[str, int]:
        """Trained rows (or entities, or words) of each class; empty where there are none."""
        return {}

    def collate(self, examples: Sequence[Any]) -> Batch:
        """Padded `input_ids`, `attention_mask` and `labels`, each (rows, longest)."""
        return collate(examples, self.padding_id)

    def sizes(self, examples: Sequence[Any]) -> np.ndarray:
        """Tokens of each example on each side that is padded apart, (examples, sides)."""
        return np.array(lengths_of(examples), dtype=np.int64).reshape(-1, 1)

    @property
    def padding_id(self) -> int:
        """The id that fills short rows; any does where the tokenizer names none."""
        found = getattr(self.context.tokenizer, "pad_token_id", None)
        return int(found) if found is not None else 0

    @abstractmethod
    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """The summed loss of a batch in nats."""

    def targets(self, labels: torch.Tensor) -> torch.Tensor:
        """What the summed loss of these labels is divided by: how many of them are learned."""
        return labels.ne(IGNORED).sum()

    def learned(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:  # noqa: ARG002
        """Which places of the logits are scored, (rows, width) of booleans, and their targets (n,).

        The loss is then the sum of the cross-entropy there. None where it is another loss.
        """
        return None

    @abstractmethod
    def measure(self, model: Any, prepared: Any, watch: Watch) -> Taken:
        """The numbers of one measuring point."""

    def measure_answers(self, model: Any, prepared: Any, watch: Watch) -> dict[str, Measured]:  # noqa: ARG002
        """Task metrics for which answers must be written: due at whole epochs alone.

        They are merged into `task` of what `measure` gave. `watch` hears answers done.
        """
        return {}

    @abstractmethod
    def answers(
        self, model: Any, prepared: Any, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """What the model answers to the sampled texts, or to some of them.

        Rows of index, prompt, reference, text; where text is generated also tokens and
        ended ("eos" or "limit").
        """

    def sampled(
        self,
        model: Any,  # noqa: ARG002
        prepared: Any,  # noqa: ARG002
        watch: Watch,  # noqa: ARG002
        which: slice,  # noqa: ARG002
        sampling: dict[str, Any],  # noqa: ARG002
    ) -> list[dict[str, Any]]:
        """The same with arguments of `generate`: answers that are drawn, from the global state."""
        return []

    def forget(self) -> None:  # noqa: B027  not every task keeps something
        """Let go of what was kept of the model's answers: its weights are others now."""

    def baseline(self, model: Any, prepared: Any, watch: Watch) -> Taken:
        """The point before training; a model whose head is new has no such numbers."""
        return self.measure(model, prepared, watch)

    def base_answers(
        self, model: Any, prepared: Any, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """What the model answers before training; with a new head, rows whose text is None."""
        return self.answers(model, prepared, watch, which)
