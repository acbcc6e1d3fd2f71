"""Measures the model at a point of the run: the same texts, mode and object every time."""

import json
from collections.abc import Callable
from typing import Any

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import Encoded, Perplexity, score
from easymodel_nb.runlog.events import Analytics, finite
from easymodel_nb.train.control import Control
from easymodel_nb.train.generate import generate
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.tasks.generation import Prepared


class Measurer:
    """Measures one run's model; what it measures with is fixed before the first step."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        prepared: Prepared,
        max_length: int,
        seed: int,
        control: Control,
        reporter: Reporter,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._prepared = prepared
        self._max_length = max_length
        self._seed = seed
        self._control = control
        self._reporter = reporter

    @property
    def texts(self) -> int:
        """How many texts one measurement scores."""
        return len(self._prepared.validation) + len(self._prepared.train_slice)

    def measure(self) -> Analytics:
        """Perplexity of validation and of the fixed train slice, and the task's numbers."""
        validation = self._score(self._prepared.validation, 0)
        train = self._score(self._prepared.train_slice, len(self._prepared.validation))
        return Analytics(
            perplexity={"train": _plain(train), "validation": _plain(validation)},
            task={"loss": _loss(validation), "bits_per_byte": _bits(validation)},
        )

    def _score(self, texts: list[Encoded], before: int) -> Perplexity:
        return score(
            self._model,
            texts,
            max_length=self._max_length,
            seed=self._seed,
            on_texts=self._watch(before),
        )

    def _watch(self, before: int) -> Callable[[int], None]:
        def on_texts(done: int) -> None:
            self._control.check()
            self._reporter.advance(before + done)

        return on_texts

    def sample(self, *, step: int, epoch: float) -> None:
        """Generate from the fixed prompts and keep the answers."""
        samples = self._prepared.samples
        if not samples:
            return
        rows = generate(
            self._model,
            self._tokenizer,
            samples,
            self._prepared.max_new_tokens,
            self._watch(0),
        )
        with (self._reporter.folder / "samples.jsonl").open("a", encoding="utf-8") as file:
            for row in rows:
                line = finite({"epoch": epoch, "step": step, **row})
                file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self._reporter.event("samples", step=step, epoch=epoch, rows=len(rows))


def _plain(measured: Perplexity) -> Measured:
    return Measured(**measured.model_dump())


def _loss(validation: Perplexity) -> Measured:
    return _ratio(validation, validation.loss, "nats per token")


def _bits(validation: Perplexity) -> Measured:
    return _ratio(validation, validation.bits_per_byte, "bits per byte")


def _ratio(validation: Perplexity, value: float | None, unit: str) -> Measured:
    if value is None:
        reason = validation.reason or "Nothing was scored."
        return Measured.missing(reason, n=validation.n, unit=unit)
    return Measured(value=value, n=validation.n, unit=unit)
