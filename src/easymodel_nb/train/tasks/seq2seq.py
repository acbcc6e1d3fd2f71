"""Sequence to sequence: encoder-decoders that write a target from a source text."""

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.metrics import bits
from easymodel_nb.metrics.conditional import EncodedPair, encode_pairs, score_pairs, shifted
from easymodel_nb.metrics.overlap import overlap
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.train.auditing.audited import Rendered
from easymodel_nb.train.batches.padded import Batch, pad
from easymodel_nb.train.cache import Rows
from easymodel_nb.train.generate import generate
from easymodel_nb.train.roles import Roles, prompt_and_target
from easymodel_nb.train.tasks import figures
from easymodel_nb.train.tasks.figures import RowFigures
from easymodel_nb.train.tasks.generation import text_scores
from easymodel_nb.train.tasks.padding import choose_padding, pass_padding
from easymodel_nb.train.tasks.prefixes import choose_prefix
from easymodel_nb.train.tasks.rendering import aligned, spans
from easymodel_nb.train.tasks.task import ALL, PROMPTS, Prepared, Sample, Taken, Task, Watch
from easymodel_nb.train.usable import role_table

_NO_LIMIT = 1 << 40  # tokens: nothing is cut
_LONGEST = 512  # tokens of an answer, however long the references are
_SCHEMA = pa.schema(
    [
        ("source", pa.list_(pa.int32())),
        ("target", pa.list_(pa.int32())),
        ("bytes", pa.int64()),
        ("cut", pa.bool_()),
        ("whole", pa.int64()),
        ("targets", pa.int64()),
    ]
)
_READ = ["source", "target", "bytes", "cut"]  # what training and scoring need


@dataclass(frozen=True)
class PreparedPairs(Prepared):
    """Pairs to learn and to score, and sources to write from."""

    validation: Sequence[EncodedPair] = ()
    train_slice: Sequence[EncodedPair] = ()  # fixed, of as many target tokens as validation
    samples: Sequence[Sample] = ()  # distinct sources
    references: Sequence[tuple[str, ...]] = ()  # every target of each of them


class Seq2Seq(Task):
    """An encoder-decoder learns to write the target of a source."""

    name = "seq2seq"
    auto_class = "AutoModelForSeq2SeqLM"
    # T5 learns with more than BART does; these lie between what both are usually trained with.
    rates: ClassVar = ((20e6, 1e-3), (100e6, 3e-4), (300e6, 1e-4), (1e9, 5e-5), (math.inf, 3e-5))

    _model: Callable[[], Any]  # whose way of shifting makes the decoder's input
    _seen: "tuple[Sequence[Pair], pa.Table]"  # the train pairs, as text and as ids
    _rows: list[dict[str, Any]] | None = None  # what the model writes, until it learns again

    def ready_tokenizer(self) -> None:
        """A token to pad with."""
        choose_padding(self.context.tokenizer, self.context.chooser)

    def load_model(self, path: Path) -> Any:
        """The model, with a token to start with and one to fill up with where it names none."""
        model = super().load_model(path)
        pass_padding(self.context.tokenizer, model)
        self._model = weakref.ref(model)
        config, generation = model.config, model.generation_config
        if config.decoder_start_token_id is None:
            start = generation.decoder_start_token_id
            begins = self.context.tokenizer.bos_token_id
            start = next((x for x in (start, begins, config.pad_token_id) if x is not None), 0)
            config.decoder_start_token_id = generation.decoder_start_token_id = start
            self.context.chooser.note(
                "decoder_start_token", start, "the model names no token to start an answer with"
            )
        return model

    def prepare(self, train: pa.Table, evaluation: pa.Table) -> PreparedPairs:
        """Tokenise both sides of every row."""
        roles, reporter = self.context.roles, self.context.reporter
        if self.context.chooser.data.source_prefix is None:
            choose_prefix(self.context.chooser, self.context.config, roles)
        data = self.context.chooser.data
        prefix = data.source_prefix or ""
        train_pairs, _ = _pairs(train, roles, prefix)
        eval_pairs, places = _pairs(evaluation, roles, prefix)
        for pairs, what in ((train_pairs, "train"), (eval_pairs, "measure")):
            if not pairs:
                raise _nothing(roles, what)
        total = len(train_pairs) + len(eval_pairs)
        reporter.stage("preparing", "Tokenising the rows", total=total, unit="rows")
        table = self._encode(train_pairs, 0)
        sizes = figures.sizes(table["source"]) + figures.sizes(table["target"])
        encoded_train = Rows(table.select(_READ), EncodedPair, sizes.tolist())
        held = self._encode(eval_pairs, len(train_pairs))
        encoded_eval = Rows(held.select(_READ), EncodedPair)
        self._seen = train_pairs, table
        limit = self._limit(encoded_eval)
        train_slice = _slice(encoded_train, sum(len(e.target) for e in encoded_eval), data.seed)
        chosen, references = self._samples(eval_pairs, encoded_eval, len(prefix))
        samples = list(chosen.values())
        return PreparedPairs(
            train=encoded_train,
            texts=len(encoded_eval) + len(train_slice),
            prompts=len(samples),
            written=len(samples),
            max_new_tokens=limit,
            train_rows=len(train_pairs),
            eval_rows=len(eval_pairs),
            dropped_rows=train.num_rows + evaluation.num_rows - total,
            cut_rows=int(self.figures().cut.sum()),
            validation=encoded_eval,
            train_slice=train_slice,
            samples=samples,
            references=references,
            digests={
                "validation": scores.digest(
                    [*eval_pairs, *([pair.bytes] for pair in encoded_eval)]
                ),
                "train": scores.digest([pair.source, pair.target] for pair in train_slice),
            },
            places=[places[index] for index in chosen],
            targets=lambda: [target for _, target in train_pairs],
            scored_tokens=sum(len(pair) for pair in (*encoded_eval, *train_slice)),
        )

    def _encode(self, pairs: Sequence["Pair"], done: int) -> pa.Table:
        """The ids of pairs."""
        tokenizer, max_length = self.context.tokenizer, self.context.chooser.data.max_length

        def encode(chunk: Sequence[Pair]) -> pa.RecordBatch:
            sources, targets = zip(*chunk, strict=True)
            return _batch(encode_pairs(tokenizer, sources, targets, max_length=max_length))

        return self.tokenised(pairs, _SCHEMA, encode, done=done, max_length=max_length)

    def figures(self) -> RowFigures:
        """What the pairs hold; max_length holds for each side apart."""
        _, table = self._seen
        learned = figures.sizes(table["target"])
        return RowFigures(
            lengths=figures.counts(table["whole"]),
            cut=figures.counts(table["cut"]) > 0,
            targets=figures.counts(table["targets"]),
            learned=learned,
            tokens=int((figures.sizes(table["source"]) + learned).sum()),
        )

    def rendered(self, places: Sequence[int]) -> list[Rendered]:
        """The source that is read, then the target that is learned."""
        pairs, _ = self._seen
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        found = []
        for place in places:
            sources, targets = ([side] for side in pairs[place])
            (kept,) = encode_pairs(tokenizer, sources, targets, max_length=limit)
            (whole,) = encode_pairs(tokenizer, sources, targets, max_length=_NO_LIMIT)
            read = aligned(whole.source, kept.source, [False] * len(kept.source))
            written = aligned(whole.target, kept.target, [True] * len(kept.target))
            found.append(
                Rendered(
                    spans=[*spans(tokenizer, read), *spans(tokenizer, written)],
                    tokens=len(kept),
                    learned=len(kept.target),
                )
            )
        return found

    def _limit(self, encoded: Sequence[EncodedPair]) -> int:
        """How many tokens an answer may have."""
        chooser = self.context.chooser
        if chooser.data.max_new_tokens is not None:
            return chooser.data.max_new_tokens
        usual = math.ceil(1.5 * float(np.percentile([len(pair.target) for pair in encoded], 95)))
        limit = max(4, min(usual, _LONGEST, chooser.data.max_length))
        why = "1.5 times the 95th percentile of the references' length"
        chooser.set("max_new_tokens", limit, why)
        return limit

    def _samples(
        self, pairs: Sequence["Pair"], encoded: Sequence[EncodedPair], prefix: int
    ) -> tuple[dict[int, Sample], list[tuple[str, ...]]]:
        """Distinct sources at random, by their row, each with every target the rows give it.

        `prefix`: how many characters stand before each source.
        """
        targets: dict[str, list[str]] = {}
        for source, target in pairs:
            targets.setdefault(source, []).append(target)
        samples: dict[int, Sample] = {}
        seen: set[str] = set()
        for index in np.random.default_rng(self.context.chooser.data.seed).permutation(len(pairs)):
            source = pairs[index][0]
            if source not in seen and encoded[index].source:
                seen.add(source)
                ids, reference = encoded[index].source, targets[source][0]
                samples[int(index)] = Sample(source, reference, ids, source[prefix:])
            if len(samples) == PROMPTS:
                break
        return samples, [tuple(targets[sample.prompt]) for sample in samples.values()]

    def collate(self, examples: Sequence[Any]) -> Batch:
        """Each side padded apart; `decoder_input_ids` is there since labels are taken out."""
        labels = pad([example.target for example in examples], IGNORED)
        return {
            "input_ids": pad([example.source for example in examples], self.padding_id),
            "attention_mask": pad([[1] * len(example.source) for example in examples], 0),
            "decoder_input_ids": shifted(self._model(), labels),
            "labels": labels,
        }

    def sizes(self, examples: Sequence[Any]) -> np.ndarray:
        """Tokens of sources and of targets, (examples, 2)."""
        found = [(len(example.source), len(example.target)) for example in examples]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum of NLL over the target's tokens, its end token too."""
        self._rows = None
        where = labels != IGNORED
        return F.cross_entropy(outputs.logits[where].float(), labels[where], reduction="sum")

    def learned(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The places of the targets: the decoder's inputs are shifted already."""
        where = labels != IGNORED
        return where, labels[where]

    def sampled(
        self,
        model: Any,
        prepared: PreparedPairs,
        watch: Watch,
        which: slice,
        sampling: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """What the model writes as the arguments say."""
        limit, tokenizer = prepared.max_new_tokens or 1, self.context.tokenizer
        return generate(model, tokenizer, prepared.samples, limit, watch, which=which, **sampling)

    def forget(self) -> None:
        """What was written."""
        self._rows = None

    def measure(self, model: Any, prepared: PreparedPairs, watch: Watch) -> Taken:
        """Perplexity of the targets given their sources, of validation and a fixed train slice."""
        seed, before = self.context.chooser.data.seed, len(prepared.validation)
        validation = score_pairs(model, prepared.validation, seed=seed, on_texts=watch)
        train = score_pairs(
            model, prepared.train_slice, seed=seed, on_texts=lambda done: watch(before + done)
        )
        analytics = Analytics(
            perplexity={"train": train.plain(), "validation": validation.plain()},
            task={"loss": bits.loss(validation)},
        )
        values = {"validation": text_scores(validation), "train": text_scores(train)}
        return Taken(analytics, values)

    def measure_answers(
        self, model: Any, prepared: PreparedPairs, watch: Watch
    ) -> dict[str, Measured]:
        """Overlap of what the model writes with every reference of the same source."""
        rows = self.answers(model, prepared, watch)
        texts = [row["text"] for row in rows]
        seed = self.context.chooser.data.seed
        return overlap(texts, prepared.references, seed=seed).dump()

    def answers(
        self, model: Any, prepared: PreparedPairs, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """What the model writes, greedily; the same texts that overlap was measured on.

        Where a source has several references, a row holds them all under `references`.
        """
        if self._rows is None:
            limit = prepared.max_new_tokens or 1
            rows = generate(model, self.context.tokenizer, prepared.samples, limit, watch)
            for row, references in zip(rows, prepared.references, strict=True):
                if len(references) > 1:
                    row["references"] = list(references)
            self._rows = rows
        return self._rows[which]


Pair = tuple[str, str]


def _pairs(table: pa.Table, roles: Roles, prefix: str) -> tuple[list[Pair], list[int]]:
    """The pairs of the rows that have both sides, and which rows those are."""
    rows = role_table(table, roles.columns).to_pylist()
    found = enumerate(prompt_and_target(row, roles) for row in rows)
    kept = [(n, prefix + pair[0], pair[1]) for n, pair in found if pair and pair[0] is not None]
    return [(source, target) for _, source, target in kept], [place for place, _, _ in kept]


def _batch(pairs: Sequence[EncodedPair]) -> pa.RecordBatch:
    columns = (
        [pair.source for pair in pairs],
        [pair.target for pair in pairs],
        [pair.bytes for pair in pairs],
        [pair.cut for pair in pairs],
        [pair.whole for pair in pairs],
        [pair.targets for pair in pairs],
    )
    arrays = [pa.array(c, field.type) for c, field in zip(columns, _SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=_SCHEMA)


def _slice(encoded: Sequence[EncodedPair], tokens: int, seed: int) -> list[EncodedPair]:
    """A fixed random part of the training pairs with about `tokens` target tokens."""
    chosen: list[EncodedPair] = []
    count = 0
    for index in np.random.default_rng(seed).permutation(len(encoded)):
        if count >= tokens:
            break
        chosen.append(encoded[index])
        count += len(encoded[index].target)
    return chosen


def _nothing(roles: Roles, what: str) -> StudioError:
    column = roles.target or "the target"
    return problem_error(
        "rows.empty",
        f"There is no row to {what}: the source or {column!r} is empty in every one. "
        "Choose another column.",
        field="target_field",
    )
