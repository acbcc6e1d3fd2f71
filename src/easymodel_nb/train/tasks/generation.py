"""Generation: causal language models on plain text, or on prompt and target."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.metrics.perplexity import IGNORED, Encoded, encode
from easymodel_nb.train import fields
from easymodel_nb.train.control import Control
from easymodel_nb.train.fields import Roles
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.workflow.document import DatasetData, FinetuneData

SAMPLE_PROMPTS = 16
_CHUNK = 512  # texts tokenised between two looks at the stop flag
_OPENING = 32  # tokens of a plain text that serve as its prompt
_CAUSAL = ("ForCausalLM", "LMHeadModel")


@dataclass(frozen=True)
class Example:
    """One training example: token ids, and labels with IGNORED where nothing is learned."""

    ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class Sample:
    """One prompt to generate from, and what the data answers."""

    prompt: str
    reference: str
    ids: list[int]


@dataclass(frozen=True)
class Prepared:
    """Everything a generation run trains on and is measured with."""

    train: list[Example]
    validation: list[Encoded]
    train_slice: list[Encoded]  # fixed, of as many tokens as validation
    samples: list[Sample]
    max_new_tokens: int
    train_rows: int
    eval_rows: int
    dropped_rows: int
    cut_rows: int


def check_model(config: Any) -> None:
    """Refuse a model that cannot generate text left to right."""
    architectures = list(getattr(config, "architectures", None) or [])
    if getattr(config, "is_encoder_decoder", False):
        kind = "an encoder-decoder, which writes from a source text"
    elif architectures and not any(a.endswith(_CAUSAL) for a in architectures):
        kind = f"a {architectures[0]}, which cannot write text"
    else:
        return
    raise problem_error(
        "model.task",
        f"Generation needs a causal language model such as GPT-2 or Llama; this is {kind}. "
        "Choose another model.",
        field="source",
    )


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


def prepare(
    train: pa.Table,
    evaluation: pa.Table,
    roles: Roles,
    data: FinetuneData,
    tokenizer: Any,
    control: Control,
    reporter: Reporter,
) -> Prepared:
    """Tokenise the rows into examples."""
    train_pairs, dropped_train = _pairs(train, roles)
    eval_pairs, dropped_eval = _pairs(evaluation, roles)
    for pairs, what in ((train_pairs, "train"), (eval_pairs, "measure")):
        if not pairs:
            raise _nothing(roles, what)
    reporter.stage(
        "preparing", "Tokenising the rows", total=len(train_pairs) + len(eval_pairs), unit="rows"
    )
    encoded_train = _encode(train_pairs, data, tokenizer, control, reporter, 0)
    encoded_eval = _encode(eval_pairs, data, tokenizer, control, reporter, len(train_pairs))
    examples = [e for item in encoded_train for e in _examples(item, data.max_length)]
    if not examples:
        raise _nothing(roles, "train")
    targets = [sum(item.scored) for item in encoded_eval]
    limit = data.max_new_tokens or _usual_length(targets, data.max_length)
    return Prepared(
        train=examples,
        validation=encoded_eval,
        train_slice=_slice(encoded_train, sum(len(e.ids) for e in encoded_eval), data.seed),
        samples=_samples(eval_pairs, data, tokenizer, limit),
        max_new_tokens=limit,
        train_rows=len(train_pairs),
        eval_rows=len(eval_pairs),
        dropped_rows=dropped_train + dropped_eval,
        cut_rows=sum(
            roles.has_prompt and len(item.ids) >= data.max_length for item in encoded_train
        ),
    )


Pair = tuple[str | None, str]


def _pairs(table: pa.Table, roles: Roles) -> tuple[list[Pair], int]:
    wanted = {fields.path_root(path) for path in roles.columns} | set(roles.columns)
    rows = table.select([n for n in table.column_names if n in wanted]).to_pylist()
    pairs = [pair for row in rows if (pair := fields.prompt_and_target(row, roles)) is not None]
    return pairs, len(rows) - len(pairs)


def _encode(
    pairs: Sequence[Pair],
    data: FinetuneData,
    tokenizer: Any,
    control: Control,
    reporter: Reporter,
    done: int,
) -> list[Encoded]:
    encoded: list[Encoded] = []
    for start in range(0, len(pairs), _CHUNK):
        control.check()
        chunk = pairs[start : start + _CHUNK]
        prompts = None if chunk[0][0] is None else [prompt or "" for prompt, _ in chunk]
        encoded += encode(
            tokenizer,
            [text for _, text in chunk],
            prompts=prompts,
            max_length=data.max_length,
            eos=True,
        )
        reporter.advance(done + len(encoded))
    return encoded


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
