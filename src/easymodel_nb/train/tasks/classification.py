"""Classification: one class, or any number of labels, for a text or a pair of texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import FieldChange, Fix, Problem, problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.metrics import tasks as metrics
from easymodel_nb.runlog.events import Analytics
from easymodel_nb.train import roles as columns
from easymodel_nb.train.batching import Batch, pad
from easymodel_nb.train.tasks import labels as reading
from easymodel_nb.train.tasks.heads import HeadTask, PreparedHead, chunks, sample_places
from easymodel_nb.train.tasks.labels import Labels
from easymodel_nb.train.tasks.task import Watch

SAMPLE_TEXTS = 16
_CHUNK = 512  # texts tokenised between two looks at the stop flag
_UNEVEN = 10  # times as many rows in the largest class as in the smallest
_LISTED = 200  # classes that the plan lists
_HALF = 0.5
_NONE = "no label"  # how an empty set of labels is shown


@dataclass(frozen=True)
class Text:
    """One row: token ids, segments where the tokenizer gives them, and its class or labels."""

    ids: list[int]
    types: list[int] | None
    label: int | list[float]

    def __len__(self) -> int:
        """Tokens of the text."""
        return len(self.ids)


@dataclass(frozen=True)
class _Row:
    text: str
    pair: str | None
    label: int | list[int]


class Classification(HeadTask):
    """A model learns to tell classes of texts apart."""

    name = "classification"
    auto_class = "AutoModelForSequenceClassification"
    ending: ClassVar = "ForSequenceClassification"

    labels = Labels(())
    weights: torch.Tensor | None = None

    # ------------------------------------------------------------ the classes

    def read(self, train: pa.Table, evaluation: pa.Table) -> None:
        """Read the classes off the labels of the drawn rows, and refuse what is none."""
        cells, declared = self._cells(train)
        held, _ = self._cells(evaluation)
        labels = reading.read(cells, held, declared)
        self.problem_type = (
            "multi_label_classification" if labels.several else "single_label_classification"
        )
        self.labels = labels
        counts, rows = self._counts(cells, declared)
        column = str(self.context.roles.label)
        reading.refuse(labels, counts, rows, column, self._other(train, column))
        measured, labelled = self._counts(held, declared)
        if not labelled:
            raise problem_error(
                "label.hidden",
                f"None of the {evaluation.num_rows:,} validation rows has a label in {column!r}. "
                "Choose another evaluation split in the Dataset node, or none, so that rows of "
                "the train split are held out.",
                field="label_field",
            )
        self.labels = labels.reordered(self.adopt_head(labels.names))
        counts, _ = self._counts(cells, declared)
        measured, _ = self._counts(held, declared)
        self._describe(counts, measured)

    def _cells(self, table: pa.Table) -> tuple[list[Any], list[str] | None]:
        path = str(self.context.roles.label)
        return columns.column_at(table, path).to_pylist(), columns.class_names(table, path)

    def _counts(
        self, cells: Sequence[Any], declared: Sequence[str] | None
    ) -> tuple[list[int], int]:
        """Rows by class, and rows with a label."""
        counts, rows = [0] * len(self.labels.names), 0
        for cell in cells:
            found = self._label(cell, declared)
            if found is None:
                continue
            rows += 1
            for number in [found] if isinstance(found, int) else found:
                counts[number] += 1
        return counts, rows

    def _label(self, cell: Any, declared: Sequence[str] | None) -> int | list[int] | None:
        if self.labels.several:
            return self.labels.numbers(cell, declared)
        return self.labels.number(cell, declared)

    def _other(self, table: pa.Table, column: str) -> str | None:
        found = columns.candidates(table, "classification")["label_field"]
        used = {column, self.context.roles.text, self.context.roles.text_pair}
        return next((path for path in found if path not in used), None)

    def _describe(self, train: list[int], evaluation: list[int]) -> None:
        chooser, names = self.context.chooser, self.labels.names
        source = "named by the data set" if self.labels.declared else "read off the labels"
        what = "labels, any number of them a text" if self.labels.several else "classes"
        chooser.note("classes", list(names[:_LISTED]), f"{len(names)} {what}, {source}")
        counts = dict(list(zip(names, train, strict=True))[:_LISTED])
        chooser.note("class_counts", counts, "train rows of each class")
        self.notes = reading.notes(self.labels, train, evaluation)
        self._weigh(train)

    def _weigh(self, counts: list[int]) -> None:
        """Balanced weights where they are asked for; a word about uneven classes otherwise."""
        data, chooser = self.context.chooser.data, self.context.chooser
        there = {n: c for n, c in zip(self.labels.names, counts, strict=True) if c}
        if not data.class_weights:
            if uneven := _uneven(there):
                self.notes.append(uneven)
            return
        rows = sum(counts)
        if self.labels.several:
            total = max(rows, 1)
            weights = [max(total - c, 1) / c if c else 1.0 for c in counts]
            why = "rows without the label / rows with it"
        else:
            weights = [rows / (len(there) * c) if c else 1.0 for c in counts]
            why = "rows / (classes * rows of the class)"
        self.weights = torch.tensor(weights, dtype=torch.float32)
        named = {n: round(w, 4) for n, w in zip(self.labels.names, weights, strict=True)}
        chooser.note("class_weights", dict(list(named.items())[:_LISTED]), why)

    # ------------------------------------------------------------ the texts

    def prepare(self, train: pa.Table, evaluation: pa.Table, model: Any) -> PreparedHead:  # noqa: ARG002
        """Tokenise the rows; those without text or label are left out."""
        rows, held = self._rows(train), self._rows(evaluation)
        for found, what in ((rows, "train"), (held, "measure")):
            if not found:
                raise problem_error(
                    "rows.empty",
                    f"There is no row to {what}: {self.context.roles.text!r} is empty in every "
                    "one that has a label. Choose another column.",
                    field="text_field",
                )
        self.context.reporter.stage(
            "preparing", "Tokenising the rows", total=len(rows) + len(held), unit="rows"
        )
        texts, cut = self._encode(rows, 0)
        scored, _ = self._encode(held, len(rows))
        self._truth = self._matrix(held)
        self._seen = self._matrix(rows)
        samples = [
            (place, _shown(held[place]), self._named(held[place].label))
            for place in sample_places(len(held), SAMPLE_TEXTS, self.context.chooser.data.seed)
        ]
        return PreparedHead(
            train=texts,
            texts=len(scored),
            prompts=len(samples),
            max_new_tokens=None,
            train_rows=len(rows),
            eval_rows=len(held),
            dropped_rows=train.num_rows + evaluation.num_rows - len(rows) - len(held),
            cut_rows=cut,
            notes=tuple(self.notes),
            validation=scored,
            samples=samples,
        )

    def _rows(self, table: pa.Table) -> list[_Row]:
        roles = self.context.roles
        cells, declared = self._cells(table)
        texts = columns.column_at(table, str(roles.text)).to_pylist()
        pairs = columns.column_at(table, roles.text_pair).to_pylist() if roles.text_pair else None
        found = []
        for place, cell in enumerate(cells):
            label, text = self._label(cell, declared), columns.as_text(texts[place])
            pair = columns.as_text(pairs[place]) if pairs else None
            if label is not None and text is not None and (pairs is None or pair is not None):
                found.append(_Row(text, pair, label))
        return found

    def _encode(self, rows: Sequence[_Row], done: int) -> tuple[list[Text], int]:
        """The rows as tokens, and how many were longer than `max_length` and cut at their end."""
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        tokenizer.truncation_side = "right"
        # Without special tokens between them, nothing would part the two texts.
        gap = "" if tokenizer.num_special_tokens_to_add(pair=True) else "\n"
        texts: list[Text] = []
        cut = 0
        for chunk in chunks(rows, _CHUNK):
            self.context.control.check()
            pairs = None if chunk[0].pair is None else [f"{gap}{row.pair}" for row in chunk]
            whole = tokenizer([row.text for row in chunk], pairs, verbose=False)["input_ids"]
            batch = tokenizer(
                [row.text for row in chunk], pairs, truncation=True, max_length=limit, verbose=False
            )
            types = batch.get("token_type_ids") or [None] * len(chunk)
            for row, ids, kinds, full in zip(chunk, batch["input_ids"], types, whole, strict=True):
                cut += len(ids) < len(full)
                # A text that the tokenizer knows nothing of still is one position.
                texts.append(Text(ids or [self.padding_id], kinds or None, self._target(row.label)))
            self.context.reporter.advance(done + len(texts))
        return texts, cut

    def _target(self, label: int | list[int]) -> int | list[float]:
        if isinstance(label, int):
            return label
        return [float(place in label) for place in range(len(self.labels.names))]

    def _matrix(self, rows: Sequence[_Row]) -> np.ndarray:
        """Class numbers (rows,), or yes/no values (rows, labels)."""
        targets = np.array([self._target(row.label) for row in rows])
        return targets > _HALF if self.labels.several else targets

    # ------------------------------------------------------------ learning

    def collate(self, examples: Sequence[Text]) -> Batch:
        """Right-padded `input_ids`, `attention_mask` (and `token_type_ids`), and `labels`.

        labels are class numbers (rows,), or 0 and 1 as floats (rows, labels).
        """
        batch = {
            "input_ids": pad([text.ids for text in examples], self.padding_id),
            "attention_mask": pad([[1] * len(text.ids) for text in examples], 0),
            "labels": torch.tensor([text.label for text in examples]),
        }
        if examples[0].types is not None:
            batch["token_type_ids"] = pad([text.types or [] for text in examples], 0)
        return batch

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum over texts of the cross-entropy; of several labels, their mean binary one."""
        return self._loss(outputs.logits.float(), labels, self.weights)

    def _loss(
        self, logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None
    ) -> torch.Tensor:
        weights = None if weights is None else weights.to(logits.device)
        if self.labels.several:
            losses = F.binary_cross_entropy_with_logits(
                logits, labels, pos_weight=weights, reduction="none"
            )
            return losses.mean(dim=1).sum()
        return F.cross_entropy(logits, labels, weight=weights, reduction="sum")

    def targets(self, labels: torch.Tensor) -> torch.Tensor:
        """One a text."""
        return torch.tensor(len(labels), device=labels.device)

    # ------------------------------------------------------------ measuring

    def measure(self, model: Any, prepared: PreparedHead, watch: Watch) -> Analytics:
        """Loss without class weights, accuracy, F1 and MCC on the validation texts."""
        logits = np.stack(self.logits(model, prepared.validation, watch))
        labels = torch.tensor([text.label for text in prepared.validation])
        n, seed = len(logits), self.context.chooser.data.seed
        loss = float(self._loss(torch.from_numpy(logits).double(), labels, None)) / n
        if not np.isfinite(logits).all():
            return self._not_finite(prepared)
        if self.labels.several:
            answers = logits > 0  # a probability over 0.5
            scores = metrics.multilabel(self._truth, answers, seed=seed)
            table: dict[str, Any] = {"confusion": None}
        else:
            answers = logits.argmax(axis=1)
            scores = metrics.classification(self._truth, answers, seed=seed)
            table = metrics.confusion(self._truth, answers, len(self.labels.names))
        names = list(self.labels.names)
        per_class = metrics.per_class(self._truth, answers, names)
        return Analytics.model_validate(
            {
                "perplexity": self.no_perplexity(prepared),
                "task": {
                    "loss": Measured(value=loss, n=n, unit="nats per text"),
                    **scores,
                    **self.floors(prepared),
                },
                "details": {"labels": names, "per_class": per_class, **table},
            }
        )

    def _not_finite(self, prepared: PreparedHead) -> Analytics:
        why = "The model gave no finite number for some texts: it has diverged."
        missing = {
            name: Measured.missing(why, n=found.n, unit=found.unit)
            for name, found in self.unmeasured(prepared).items()
        }
        return Analytics(
            perplexity=self.no_perplexity(prepared), task=missing | self.floors(prepared)
        )

    def no_perplexity(self, prepared: PreparedHead) -> dict[str, Measured]:
        """Classes are no language."""
        why = (
            "Perplexity is not defined for classification: it measures how well text is "
            "predicted, and here a class is."
        )
        return {"validation": Measured.missing(why, n=prepared.texts)}

    def unmeasured(self, prepared: PreparedHead) -> dict[str, Measured]:
        """The names of the model's own numbers, with their sample size and unit."""
        names = ["loss", "accuracy", "macro_f1", "mcc"]
        names += ["micro_f1"] if self.labels.several else []
        units = {"loss": "nats per text"}
        return {name: Measured(value=0, n=prepared.texts, unit=units.get(name)) for name in names}

    def floors(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """What always answering the commonest class of the train rows scores."""
        if self.labels.several:
            return metrics.multilabel_majority(self._truth, self._seen.mean(axis=0) > _HALF)
        return metrics.majority(self._truth, int(np.bincount(self._seen).argmax()))

    def answers(self, model: Any, prepared: PreparedHead, watch: Watch) -> list[dict[str, Any]]:
        """The class of each sampled text with its probability."""
        texts = [prepared.validation[place] for place, _, _ in prepared.samples]
        logits = torch.from_numpy(np.stack(self.logits(model, texts, watch)))
        chances = logits.sigmoid() if self.labels.several else logits.softmax(dim=1)
        rows = []
        for index, (_, prompt, reference) in enumerate(prepared.samples):
            row = {"index": index, "prompt": prompt, "reference": reference}
            rows.append(row | self._answer(chances[index]))
        return rows

    def _answer(self, chances: torch.Tensor) -> dict[str, Any]:
        if not self.labels.several:
            best = int(chances.argmax())
            return {"text": self.labels.names[best], "confidence": round(float(chances[best]), 4)}
        chosen = [place for place, chance in enumerate(chances.tolist()) if chance > _HALF]
        named = {self.labels.names[p]: round(float(chances[p]), 4) for p in chosen}
        return {"text": self._named(chosen), "probabilities": named}

    def _named(self, label: int | list[int]) -> str:
        places = [label] if isinstance(label, int) else label
        return ", ".join(self.labels.names[place] for place in places) or _NONE


def _shown(row: _Row) -> str:
    return row.text if row.pair is None else f"{row.text}\n\n{row.pair}"


def _uneven(counts: dict[str, int]) -> Problem | None:
    if len(counts) < 2:  # noqa: PLR2004  nothing to compare
        return None
    most, least = max(counts, key=lambda n: counts[n]), min(counts, key=lambda n: counts[n])
    if counts[most] < _UNEVEN * counts[least]:
        return None
    change = FieldChange(node="", field="class_weights", value=True)
    return Problem(
        code="label.uneven",
        severity="note",
        message=f"The classes are uneven: {most!r} has {counts[most]:,} train rows, {least!r} "
        f"{counts[least]:,}. Judge by macro-F1, where each class counts alike; class weights make "
        "the rare ones count more in training too.",
        field="class_weights",
        fix=Fix(label="Turn class weights on", set=[change]),
    )
