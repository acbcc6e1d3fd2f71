"""Generation: left-to-right language models on plain text, or on prompt and target."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.metrics import bits
from easymodel_nb.metrics.perplexity import IGNORED, Encoded, Perplexity, score
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.train.auditing.audited import Rendered
from easymodel_nb.train.cache import Rows
from easymodel_nb.train.generate import generate
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.tasks import figures
from easymodel_nb.train.tasks.chat import ChatRows
from easymodel_nb.train.tasks.chat_template import plain_template
from easymodel_nb.train.tasks.figures import RowFigures
from easymodel_nb.train.tasks.padding import choose_padding, pass_padding
from easymodel_nb.train.tasks.rendering import aligned, spans
from easymodel_nb.train.tasks.task import ALL, PROMPTS, Prepared, Sample, Taken, Task, Watch
from easymodel_nb.train.tasks.texts import TextRows
from easymodel_nb.train.tasks.windows import Windows

NO_TEMPLATE = "chat.template"  # the code of the question whether the built-in one will do
_SCHEMA = pa.schema(
    [
        ("ids", pa.list_(pa.int32())),
        ("scored", pa.list_(pa.bool_())),
        ("bytes", pa.int64()),
        ("cut", pa.bool_()),
        ("whole", pa.int64()),
        ("targets", pa.int64()),
        ("first", pa.bool_()),  # of its row: a conversation may become several texts
    ]
)
_READ = ["ids", "scored", "bytes", "cut"]  # what training and scoring need


@dataclass(frozen=True)
class PreparedTexts(Prepared):
    """Texts to learn and to score, and prompts to answer."""

    validation: Sequence[Encoded] = ()
    train_slice: Sequence[Encoded] = ()  # fixed, of as many tokens as validation
    samples: Sequence[Sample] = ()
    ends: frozenset[int] = frozenset()  # tokens that end an answer, beside the tokenizer's own


class Generation(Task):
    """A causal language model learns to go on with a text, or to answer."""

    name = "generation"
    auto_class = "AutoModelForCausalLM"
    rates: ClassVar = ((20e6, 1e-3), (200e6, 1e-4), (1e9, 5e-5), (math.inf, 2e-5))

    _turn_ends: int | None = None  # the token a chat template ends an answer with, if its own
    _seen: "_Seen"

    def ready_tokenizer(self) -> None:
        """A token to pad with."""
        choose_padding(self.context.tokenizer, self.context.chooser)

    def load_model(self, path: Path) -> Any:
        """The model; what it learned to say last is where it stops."""
        model = super().load_model(path)
        pass_padding(self.context.tokenizer, model)
        if self._turn_ends is not None:
            known = model.generation_config.eos_token_id
            known = known if isinstance(known, list) else [] if known is None else [known]
            if self._turn_ends not in known:
                model.generation_config.eos_token_id = [*known, self._turn_ends]
        return model

    def prepare(self, train: pa.Table, evaluation: pa.Table) -> PreparedTexts:
        """Tokenise the rows into windows that are learned and texts that are scored."""
        roles, reporter = self.context.roles, self.context.reporter
        rows, notes = self._rows()
        train_rows, eval_rows = rows.read(train), rows.read(evaluation)
        places = rows.places
        for found, what in ((train_rows, "train"), (eval_rows, "measure")):
            if not found:
                raise _nothing(roles, what, rows.dropped)
        total = len(train_rows) + len(eval_rows)
        reporter.stage("preparing", "Tokenising the rows", total=total, unit="rows")
        table = self._encode(rows, train_rows, 0)
        learned = Rows(table.select(_READ), Encoded)
        held = self._encode(rows, eval_rows, len(train_rows))
        scored = Rows(held.select(_READ), Encoded)
        data = self.context.chooser.data
        examples = Windows(learned, data.max_length)
        if not len(examples):
            raise _nothing(roles, "train", rows.dropped)
        self._seen = _Seen(rows, train_rows, table, examples)
        ends = self._ends(scored)
        limit = self._limit(scored)
        train_slice = _slice(learned, sum(len(e.ids) for e in scored), data.seed)
        chosen = _samples(rows, eval_rows, data.seed, max(1, data.max_length - limit))
        samples = list(chosen.values())
        return PreparedTexts(
            train=examples,
            texts=len(scored) + len(train_slice),
            prompts=len(samples),
            max_new_tokens=limit,
            train_rows=len(train_rows),
            eval_rows=len(eval_rows),
            dropped_rows=sum(rows.dropped.values()) if roles.messages is None else 0,
            cut_rows=int(self.figures().cut.sum()),
            notes=(*notes, *_left_out(roles, rows.dropped)),
            validation=scored,
            train_slice=train_slice,
            samples=samples,
            ends=ends,
            digests={"validation": _digest(eval_rows, scored), "train": _digest([], train_slice)},
            places=[places[index] for index in chosen],
            targets=lambda: [rows.target(row) for row in train_rows],  # type: ignore[arg-type]
            scored_tokens=sum(len(text.ids) for text in (*scored, *train_slice)),
        )

    def _rows(self) -> tuple[TextRows | ChatRows, list[Problem]]:
        """What reads the rows, and what the user should know about it."""
        context, notes = self.context, []
        data, tokenizer = context.chooser.data, context.tokenizer
        if context.roles.messages is None:
            return TextRows(tokenizer, context.roles, data.max_length), []
        if not tokenizer.chat_template:
            tokenizer.chat_template = plain_template(tokenizer)
            why = "the tokenizer has none; it is saved with it"
            context.chooser.note("chat_template", "User: ... Assistant: ...", why)
            notes = [_ask_for_template(data.accept)]
        rows = ChatRows(tokenizer, context.roles.messages, data.max_length)
        if rows.joins_system:
            why = "the model's chat template knows no system turn"
            context.chooser.note("system_turn", "written before the first question", why)
        return rows, notes

    def _encode(self, rows: TextRows | ChatRows, found: Sequence[Any], done: int) -> pa.Table:
        """The ids of rows."""
        return self.tokenised(
            found,
            _SCHEMA,
            lambda chunk: _batch(rows.encode(chunk)),
            done=done,
            max_length=self.context.chooser.data.max_length,
        )

    def figures(self) -> RowFigures:
        """What the rows hold; of a conversation all its answers together."""
        table, windows = self._seen.table, self._seen.windows
        rows = figures.by_row(table["first"])
        learned = figures.true_in(table["scored"])
        return RowFigures(
            lengths=figures.highest(figures.counts(table["whole"]), rows),
            cut=figures.highest(figures.counts(table["cut"]), rows) > 0,
            targets=figures.summed(figures.counts(table["targets"]), rows),
            learned=figures.summed(learned, rows),
            tokens=windows.tokens(figures.sizes(table["ids"])),
            windowed=self.context.roles.target is None and self.context.roles.messages is None,
        )

    def rendered(self, places: Sequence[int]) -> list[Rendered]:
        """The texts as they are learned; of a conversation, its last one."""
        seen, tokenizer = self._seen, self.context.tokenizer
        found = []
        for place in places:
            row = seen.rows[place]
            kept = seen.reader.encode([row])[0][-1]
            whole = seen.reader.whole(row)[-1]
            marked = aligned(whole.ids, kept.ids, kept.scored)
            found.append(
                Rendered(
                    spans=spans(tokenizer, marked), tokens=len(kept.ids), learned=sum(kept.scored)
                )
            )
        return found

    def _ends(self, texts: Sequence[Encoded]) -> frozenset[int]:
        """The token a chat template ends a turn with, where that is not the end token."""
        tokenizer = self.context.tokenizer
        if self.context.roles.messages is None:
            return frozenset()
        last = Counter(text.ids[_last_scored(text)] for text in texts if any(text.scored))
        found = last.most_common(1)[0][0] if last else tokenizer.eos_token_id
        special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        if found == tokenizer.eos_token_id or found not in special:
            return frozenset()
        self._turn_ends = found
        token = tokenizer.convert_ids_to_tokens(found)
        self.context.chooser.note("end_of_turn", token, "the chat template ends answers so")
        return frozenset({found})

    def _limit(self, texts: Sequence[Encoded]) -> int:
        """How many tokens an answer may have."""
        chooser = self.context.chooser
        if chooser.data.max_new_tokens is None:
            limit = _usual_length([_answer(text) for text in texts], chooser.data.max_length)
            why = "1.5 times the 95th percentile of the references' length"
            chooser.set("max_new_tokens", limit, why)
        return chooser.data.max_new_tokens or 1

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum of NLL over the targets, each predicted from what stands before it."""
        targets = labels[:, 1:]
        where = targets != IGNORED
        logits = outputs.logits[:, :-1][where].float()
        return F.cross_entropy(logits, targets[where], reduction="sum")

    def learned(self, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What stands before each target."""
        following = F.pad(labels[:, 1:], (0, 1), value=IGNORED)
        where = following != IGNORED
        return where, following[where]

    def measure(self, model: Any, prepared: PreparedTexts, watch: Watch) -> Taken:
        """Perplexity of validation and of the fixed train slice, loss and bits per byte."""
        validation = self._score(model, prepared.validation, watch, 0)
        train = self._score(model, prepared.train_slice, watch, len(prepared.validation))
        analytics = Analytics(
            perplexity={"train": train.plain(), "validation": validation.plain()},
            task={
                "loss": bits.loss(validation),
                "bits_per_byte": bits.bits_per_byte(
                    validation, seed=self.context.chooser.data.seed
                ),
            },
        )
        scored = text_scores(validation)
        if scored:
            scored["bytes"] = [float(text.bytes) for text in prepared.validation]
        return Taken(analytics, {"validation": scored, "train": text_scores(train)})

    def _score(self, model: Any, texts: Sequence[Encoded], watch: Watch, before: int) -> Perplexity:
        data = self.context.chooser.data
        return score(
            model,
            texts,
            max_length=data.max_length,
            seed=data.seed,
            on_texts=lambda done: watch(before + done),
        )

    def answers(
        self, model: Any, prepared: PreparedTexts, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """Greedy continuations of the sampled prompts."""
        return self.sampled(model, prepared, watch, which, {})

    def sampled(
        self,
        model: Any,
        prepared: PreparedTexts,
        watch: Watch,
        which: slice,
        sampling: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Continuations as the arguments say."""
        return generate(
            model,
            self.context.tokenizer,
            prepared.samples,
            prepared.max_new_tokens or 1,
            watch,
            ends=prepared.ends,
            which=which,
            **sampling,
        )


@dataclass(frozen=True)
class _Seen:
    """What the gate reads of the trained rows."""

    reader: TextRows | ChatRows
    rows: Sequence[Any]
    table: pa.Table
    windows: Windows


def _batch(rows: Sequence[Sequence[Encoded]]) -> pa.RecordBatch:
    texts = [text for row in rows for text in row]
    columns = (
        [text.ids for text in texts],
        [text.scored for text in texts],
        [text.bytes for text in texts],
        [text.cut for text in texts],
        [text.whole for text in texts],
        [text.targets for text in texts],
        [place == 0 for row in rows for place in range(len(row))],
    )
    arrays = [pa.array(c, field.type) for c, field in zip(columns, _SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=_SCHEMA)


def _last_scored(text: Encoded) -> int:
    return len(text.scored) - 1 - text.scored[::-1].index(True)


def _answer(text: Encoded) -> int:
    """Tokens of the last run of scored ones: the target, or a conversation's last answer."""
    if not any(text.scored):
        return 0
    last = _last_scored(text)
    before = text.scored[last::-1]
    return before.index(False) if False in before else last + 1


def _slice(encoded: Sequence[Encoded], tokens: int, seed: int) -> list[Encoded]:
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


def _samples(
    rows: TextRows | ChatRows, found: Sequence[Any], seed: int, room: int
) -> dict[int, Sample]:
    """Distinct prompts at random, by the row that each comes from."""
    samples: dict[int, Sample] = {}
    seen: set[tuple[int, ...]] = set()
    for index in np.random.default_rng(seed).permutation(len(found)):
        sample = rows.sample(found[index], room)
        if sample.ids and tuple(sample.ids) not in seen:
            seen.add(tuple(sample.ids))
            samples[int(index)] = sample
        if len(samples) == PROMPTS:
            break
    return samples


def _digest(rows: Sequence[Any], texts: Sequence[Encoded]) -> str:
    """Of the rows, and of what of them is scored; without rows, of the very tokens."""
    told = [[row] for row in rows]
    return scores.digest([*told, *([text.bytes, [] if told else text.ids] for text in texts)])


def text_scores(found: Perplexity) -> scores.Values:
    """NLL and scored tokens of each text."""
    if not found.per_text:
        return {}
    nll, tokens = zip(*found.per_text, strict=True)
    return {"nll": list(nll), "tokens": [float(count) for count in tokens]}


def _nothing(roles: Roles, what: str, dropped: dict[str, int]) -> StudioError:
    column = roles.messages or roles.target or roles.text or "template"
    field = "messages_field" if roles.messages else "target_field" if roles.target else "text_field"
    why = "; ".join(f"{count:,} {reason}" for reason, count in dropped.items())
    why = why or f"{column!r} is empty in every one"
    return problem_error(
        "rows.empty",
        f"There is no row to {what}: {why}. Choose another column.",
        field=field,
    )


def _left_out(roles: Roles, dropped: dict[str, int]) -> list[Problem]:
    if roles.messages is None or not dropped:
        return []
    why = "; ".join(f"{count:,} {reason}" for reason, count in dropped.items())
    return [
        Problem(
            code="rows.dropped",
            severity="note",
            message=f"{sum(dropped.values()):,} conversations were left out: {why}.",
            field="messages_field",
        )
    ]


def _ask_for_template(accept: list[str]) -> Problem:
    change = FieldChange(node="", field="accept", value=[*accept, NO_TEMPLATE])
    return Problem(
        code=NO_TEMPLATE,
        severity="ask",
        message="The model's tokenizer has no chat template, so conversations are written plainly, "
        "as 'User: ...' and 'Assistant: ...', and this template is saved with the model. A model "
        "that was made for chat has a template of its own: choose one if you can.",
        field="messages_field",
        fix=Fix(label="Use the plain template", set=[change]),
    )
