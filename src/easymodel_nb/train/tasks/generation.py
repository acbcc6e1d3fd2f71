"""Generation: left-to-right language models on plain text, or on prompt and target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import IGNORED, Encoded, Perplexity, encode, score
from easymodel_nb.runlog.events import Analytics
from easymodel_nb.train import fields
from easymodel_nb.train.fields import Roles
from easymodel_nb.train.generate import generate
from easymodel_nb.train.tasks.task import Example, Prepared, Sample, Task, Watch
from easymodel_nb.workflow.document import DatasetData, FinetuneData

SAMPLE_PROMPTS = 16
_CHUNK = 512  # texts tokenised between two looks at the stop flag
_OPENING = 32  # tokens of a plain text that serve as its prompt


@dataclass(frozen=True)
class PreparedTexts(Prepared):
    """Texts to learn and to score, and prompts to answer."""

    validation: Sequence[Encoded] = ()
    train_slice: Sequence[Encoded] = ()  # fixed, of as many tokens as validation
    samples: Sequence[Sample] = ()


class Generation(Task):
    """A causal language model learns to go on with a text."""

    name = "generation"
    auto_class = "AutoModelForCausalLM"
    rates: ClassVar = ((20e6, 1e-3), (200e6, 1e-4), (1e9, 5e-5), (math.inf, 2e-5))

    def prepare(self, train: pa.Table, evaluation: pa.Table, model: Any) -> PreparedTexts:  # noqa: ARG002
        """Tokenise the rows into windows that are learned and texts that are scored."""
        data, roles, reporter = self.context.chooser.data, self.context.roles, self.context.reporter
        tokenizer = self.context.tokenizer
        train_pairs, dropped_train = _pairs(train, roles)
        eval_pairs, dropped_eval = _pairs(evaluation, roles)
        for pairs, what in ((train_pairs, "train"), (eval_pairs, "measure")):
            if not pairs:
                raise _nothing(roles, what)
        total = len(train_pairs) + len(eval_pairs)
        reporter.stage("preparing", "Tokenising the rows", total=total, unit="rows")
        encoded_train = self._encode(train_pairs, 0)
        encoded_eval = self._encode(eval_pairs, len(train_pairs))
        examples = [e for item in encoded_train for e in _examples(item, data.max_length)]
        if not examples:
            raise _nothing(roles, "train")
        limit = data.max_new_tokens
        if limit is None:
            targets = [sum(item.scored) for item in encoded_eval]
            limit = _usual_length(targets, data.max_length)
            why = "1.5 times the 95th percentile of the references' length"
            self.context.chooser.set("max_new_tokens", limit, why)
        train_slice = _slice(encoded_train, sum(len(e.ids) for e in encoded_eval), data.seed)
        samples = _samples(eval_pairs, data, tokenizer, limit)
        return PreparedTexts(
            train=examples,
            texts=len(encoded_eval) + len(train_slice),
            prompts=len(samples),
            max_new_tokens=limit,
            train_rows=len(train_pairs),
            eval_rows=len(eval_pairs),
            dropped_rows=dropped_train + dropped_eval,
            cut_rows=sum(
                roles.has_prompt and len(item.ids) >= data.max_length for item in encoded_train
            ),
            validation=encoded_eval,
            train_slice=train_slice,
            samples=samples,
        )

    def _encode(self, pairs: Sequence["Pair"], done: int) -> list[Encoded]:
        encoded: list[Encoded] = []
        for start in range(0, len(pairs), _CHUNK):
            self.context.control.check()
            chunk = pairs[start : start + _CHUNK]
            prompts = None if chunk[0][0] is None else [prompt or "" for prompt, _ in chunk]
            encoded += encode(
                self.context.tokenizer,
                [text for _, text in chunk],
                prompts=prompts,
                max_length=self.context.chooser.data.max_length,
                eos=True,
            )
            self.context.reporter.advance(done + len(encoded))
        return encoded

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum of NLL over the targets, each predicted from what stands before it."""
        targets = labels[:, 1:]
        where = targets != IGNORED
        logits = outputs.logits[:, :-1][where].float()
        return F.cross_entropy(logits, targets[where], reduction="sum")

    def measure(self, model: Any, prepared: PreparedTexts, watch: Watch) -> Analytics:
        """Perplexity of validation and of the fixed train slice, loss and bits per byte."""
        validation = self._score(model, prepared.validation, watch, 0)
        train = self._score(model, prepared.train_slice, watch, len(prepared.validation))
        return Analytics(
            perplexity={"train": train.plain(), "validation": validation.plain()},
            task={
                "loss": _ratio(validation, validation.loss, "nats per token"),
                "bits_per_byte": _ratio(validation, validation.bits_per_byte, "bits per byte"),
            },
        )

    def _score(self, model: Any, texts: Sequence[Encoded], watch: Watch, before: int) -> Perplexity:
        data = self.context.chooser.data
        return score(
            model,
            texts,
            max_length=data.max_length,
            seed=data.seed,
            on_texts=lambda done: watch(before + done),
        )

    def answers(self, model: Any, prepared: PreparedTexts, watch: Watch) -> list[dict[str, Any]]:
        """Greedy continuations of the sampled prompts."""
        limit = prepared.max_new_tokens or 1
        return generate(model, self.context.tokenizer, prepared.samples, limit, watch)


def draw(
    train: pa.Table, evaluation: pa.Table | None, data: FinetuneData, dataset: DatasetData
) -> tuple[pa.Table, pa.Table]:
    """The rows that are trained on and those that are measured; a function of the seed alone.

    The subset is drawn from the train split first. Without an evaluation split a
    share of the subset is held out; with one, at most `eval_size` of its rows are used.
    """
    generator = np.random.default_rng(data.seed)
    size = min(data.subset_size or train.num_rows, train.num_rows)
    chosen = generator.permutation(train.num_rows)[:size]
    if evaluation is not None:
        held = generator.permutation(evaluation.num_rows)[: data.eval_size]
        return train.take(pa.array(chosen)), evaluation.take(pa.array(held))
    count = min(max(1, round(size * dataset.eval_fraction)), size - 1)
    if count < 1:
        raise problem_error(
            "dataset.too_small",
            "The data has one row; at least two are needed, one to learn and one to measure.",
            field="source",
        )
    return train.take(pa.array(chosen[count:])), train.take(pa.array(chosen[:count]))


Pair = tuple[str | None, str]


def _pairs(table: pa.Table, roles: Roles) -> tuple[list[Pair], int]:
    wanted = {fields.path_root(path) for path in roles.columns} | set(roles.columns)
    rows = table.select([n for n in table.column_names if n in wanted]).to_pylist()
    pairs = [pair for row in rows if (pair := fields.prompt_and_target(row, roles)) is not None]
    return pairs, len(rows) - len(pairs)


def _examples(item: Encoded, max_length: int) -> list[Example]:
    """Training windows of a text: each target is learned once, none is cut.

    Windows overlap by one token, which is context in the later one.
    """
    windows = []
    for start in range(0, max(1, len(item.ids) - 1), max(1, max_length - 1)):
        ids = item.ids[start : start + max_length]
        scored = item.scored[start : start + max_length]
        labels = [token if learn else IGNORED for token, learn in zip(ids, scored, strict=True)]
        labels[0] = IGNORED  # nothing precedes it
        if any(label != IGNORED for label in labels):
            windows.append(Example(ids, labels))
    return windows


def _slice(encoded: list[Encoded], tokens: int, seed: int) -> list[Encoded]:
    """A fixed random part of the training texts with about `tokens` tokens."""
    order = np.random.default_rng(seed).permutation(len(encoded))
    chosen: list[Encoded] = []
    count = 0
    for index in order:
        if count >= tokens:
            break
        chosen.append(encoded[index])
        count += len(encoded[index].ids)
    return chosen


def _usual_length(targets: Sequence[int], max_length: int) -> int:
    """1.5 times the 95th percentile of the references' length, in tokens."""
    usual = math.ceil(1.5 * float(np.percentile(targets, 95))) if targets else 32
    return max(4, min(usual, 256, max_length - 1))


def _samples(pairs: Sequence[Pair], data: FinetuneData, tokenizer: Any, limit: int) -> list[Sample]:
    order = np.random.default_rng(data.seed).permutation(len(pairs))[:SAMPLE_PROMPTS]
    samples = []
    for index in order:
        prompt, text = pairs[index]
        if prompt is None:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            opening = min(_OPENING, max(1, len(ids) // 2))
            prompt, text = (
                tokenizer.decode(ids[:opening]),
                tokenizer.decode(ids[opening : opening + limit]),
            )
        ids = tokenizer(prompt)["input_ids"] if prompt else []
        if ids and ids[-1] == tokenizer.eos_token_id:  # some tokenizers end every text
            ids = ids[:-1]
        room = max(1, data.max_length - limit)
        samples.append(Sample(prompt, text, ids[-room:]))
    return [sample for sample in samples if sample.ids]


def _nothing(roles: Roles, what: str) -> StudioError:
    column = roles.target or roles.text or "template"
    return problem_error(
        "rows.empty",
        f"There is no row to {what}: {column!r} is empty in every one. Choose another column.",
        field="target_field" if roles.target else "text_field",
    )


def _ratio(validation: Perplexity, value: float | None, unit: str) -> Measured:
    if value is None:
        reason = validation.reason or "Nothing was scored."
        return Measured.missing(reason, n=validation.n, unit=unit)
    return Measured(value=value, n=validation.n, unit=unit)
