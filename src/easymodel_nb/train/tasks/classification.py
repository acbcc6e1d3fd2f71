"""Classification: one class, or any number of labels, for a text or a pair of texts."""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import FieldChange, Fix, Problem, problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.metrics import tasks as metrics
from easymodel_nb.runlog import scores as kept
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.train import roles as columns
from easymodel_nb.train.analytics.paired import over_majority
from easymodel_nb.train.analytics.predictions import Predicted
from easymodel_nb.train.auditing.audited import Rendered
from easymodel_nb.train.batches.padded import Batch, pad
from easymodel_nb.train.tasks import class_rows, figures
from easymodel_nb.train.tasks import labels as reading
from easymodel_nb.train.tasks.class_rows import Row, Text
from easymodel_nb.train.tasks.figures import RowFigures
from easymodel_nb.train.tasks.heads import (
    DIVERGED,
    LISTED,
    HeadTask,
    PreparedHead,
    sample_places,
)
from easymodel_nb.train.tasks.labels import Labels
from easymodel_nb.train.tasks.rendering import aligned, spans
from easymodel_nb.train.tasks.task import ALL, Taken, Watch

SAMPLE_TEXTS = 16
_UNEVEN = 10  # times as many rows in the largest class as in the smallest
_HALF = 0.5
_MORE = 64  # tokens, more than any tokenizer puts around a text
_NONE = "no label"  # how an empty set of labels is shown


class Classification(HeadTask):
    """A model learns to tell classes of texts apart."""

    name = "classification"
    auto_class = "AutoModelForSequenceClassification"
    ending: ClassVar = "ForSequenceClassification"
    answers_rows = True

    labels = Labels(())

    _rows: tuple[list[Row], pa.Table]  # the trained ones, as text and as ids

    # ------------------------------------------------------------ the classes

    def read(self, train: pa.Table, evaluation: pa.Table) -> None:
        """Read the classes off the labels of the drawn rows, and refuse what is none."""
        column = str(self.context.roles.label)
        cells, held = (columns.column_at(t, column).to_pylist() for t in (train, evaluation))
        self._declared = self.declared(train), self.declared(evaluation)
        self.labels = labels = reading.read(cells, held, self._declared[0])
        self.problem_type = (
            "multi_label_classification" if labels.several else "single_label_classification"
        )
        counts = self._counts(cells, self._declared[0])
        reading.refuse(
            labels, counts, self._share(cells), column, partial(self._other, train, column)
        )
        if not any(self._label(cell, self._declared[1]) is not None for cell in held):
            raise problem_error(
                "label.hidden",
                f"None of the {evaluation.num_rows:,} validation rows has a label in {column!r}. "
                "Choose another evaluation split in the Dataset node, or none, so that rows of "
                "the train split are held out.",
                field="label_field",
            )
        self.labels = labels.reordered(self.adopt_head(labels.names))
        counts, measured = (
            self._counts(found, declared)
            for found, declared in zip((cells, held), self._declared, strict=True)
        )
        self._classes = dict(zip(self.labels.names, counts, strict=True))
        texts = sum(self._label(cell, self._declared[0]) is not None for cell in cells)
        self._describe(counts, measured, texts)

    def _label(self, cell: Any, declared: Sequence[str] | None) -> int | list[int] | None:
        if self.labels.several:
            return self.labels.numbers(cell, declared)
        return self.labels.number(cell, declared)

    def _counts(self, cells: Sequence[Any], declared: Sequence[str] | None) -> list[int]:
        """Rows by class."""
        counts = [0] * len(self.labels.names)
        for cell in cells:
            found = self._label(cell, declared)
            for number in [found] if isinstance(found, int) else found or []:
                counts[number] += 1
        return counts

    def _share(self, cells: Sequence[Any]) -> float:
        """Different labels by row, in the whole train split: a small sample has few of each."""
        whole = self.context.train_split
        if whole is None or self.labels.several:
            return len(self.labels.names) / max(1, len(cells))
        column = columns.column_at(whole, str(self.context.roles.label)).drop_null()
        return float(pc.count_distinct(column).as_py() / max(1, len(column)))

    def _other(self, table: pa.Table, column: str) -> str | None:
        whole = self.context.train_split if self.context.train_split is not None else table
        found = columns.candidates(whole, "classification")["label_field"]
        used = {column, self.context.roles.text, self.context.roles.text_pair}
        return next((path for path in found if path not in used), None)

    def _describe(self, train: list[int], evaluation: list[int], texts: int) -> None:
        """Put the classes of that many train texts in the plan, and say what is odd of them."""
        chooser, names = self.context.chooser, self.labels.names
        source = "named by the data set" if self.labels.declared else "read off the labels"
        what = "labels, any number of them a text" if self.labels.several else "classes"
        chooser.note("classes", list(names[:LISTED]), f"{len(names)} {what}, {source}")
        counts = dict(list(zip(names, train, strict=True))[:LISTED])
        chooser.note("class_counts", counts, "train rows of each class")
        self.notes = tuple(reading.notes(self.labels, train, evaluation))
        if chooser.data.class_weights:
            self._balance(train, texts)
        elif uneven := _uneven({n: c for n, c in zip(names, train, strict=True) if c}):
            self.notes += (uneven,)

    def _balance(self, counts: list[int], texts: int) -> None:
        """Weights with which every class counts alike, as scikit-learn's "balanced" does."""
        rows, there = sum(counts), sum(count > 0 for count in counts)
        if self.labels.several:
            self.weigh(
                [max(texts - c, 1) / c if c else 1.0 for c in counts],
                "rows without the label / rows with it",
            )
        else:
            self.weigh(
                [rows / (there * c) if c else 1.0 for c in counts],
                "rows / (classes * rows of the class)",
            )

    # ------------------------------------------------------------ the texts

    def prepare(self, train: pa.Table, evaluation: pa.Table) -> PreparedHead:
        """Tokenise the rows; those without text or label are left out."""
        (rows, _), (held, places) = (
            class_rows.read(table, self.context.roles, partial(self._label, declared=declared))
            for table, declared in zip((train, evaluation), self._declared, strict=True)
        )
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
        texts, table = self._encode(rows, 0)
        scored, _ = self._encode(held, len(rows))
        self._rows = rows, table
        self.note_unknown(text.ids for text in texts)
        self._truth, self._seen = self._matrix(held), self._matrix(rows)
        samples = [
            (place, held[place].shown, self._named(held[place].label))
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
            cut_rows=int(self.figures().cut.sum()),
            notes=self.notes,
            validation=scored,
            samples=samples,
            digests={"validation": kept.digest([*r.texts, self._named(r.label)] for r in held)},
            places=places,
        )

    def _encode(self, rows: Sequence[Row], done: int) -> tuple[list[Text], pa.Table]:
        """The rows as they are learned, and the table of their tokens."""
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        filler = self.padding_id
        table = self.tokenised(
            [row.texts for row in rows],
            class_rows.SCHEMA,
            lambda chunk: class_rows.encode(tokenizer, chunk, limit=limit, filler=filler),
            done=done,
            max_length=limit,
            filler=filler,
        )
        ids, types = table["ids"].to_pylist(), table["types"].to_pylist()
        texts = [
            Text(ids[place], types[place], self._target(row.label))
            for place, row in enumerate(rows)
        ]
        return texts, table

    def figures(self) -> RowFigures:
        """What the texts hold; each row has one target, or one a label."""
        _, table = self._rows
        whole = figures.counts(table["whole"])
        one = np.ones(len(whole), dtype=np.int64)
        return RowFigures(
            lengths=whole,
            cut=figures.counts(table["cut"]) > 0,
            targets=one,
            learned=one,
            tokens=int(figures.sizes(table["ids"]).sum()),
            unit="labels",
        )

    def rendered(self, places: Sequence[int]) -> list[Rendered]:
        """The texts that are read; what is learned is the label beside them."""
        rows, _ = self._rows
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        found = []
        for place in places:
            row = rows[place]
            kept, whole = (
                class_rows.encode(tokenizer, [row.texts], limit=most, filler=self.padding_id)
                .column("ids")[0]
                .as_py()
                for most in (limit, max(limit, len(row.text) + len(row.pair or "") + _MORE))
            )
            marked = aligned(whole, kept, [False] * len(kept))
            found.append(
                Rendered(
                    spans=spans(tokenizer, marked),
                    tokens=len(kept),
                    learned=1,
                    answer=self._named(row.label),
                )
            )
        return found

    def classes(self) -> dict[str, int]:
        """Trained rows of each class."""
        return self._classes

    def _target(self, label: int | list[int]) -> int | list[float]:
        if isinstance(label, int):
            return label
        return [float(place in label) for place in range(len(self.labels.names))]

    def _matrix(self, rows: Sequence[Row]) -> np.ndarray:
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

    def measure(self, model: Any, prepared: PreparedHead, watch: Watch) -> Taken:
        """Loss without class weights, accuracy, F1 and MCC on the validation texts."""
        logits = np.stack(self.logits(model, prepared.validation, watch))
        labels = torch.tensor([text.label for text in prepared.validation])
        n, seed = len(logits), self.context.chooser.data.seed
        if not np.isfinite(logits).all():
            return self.without(prepared, DIVERGED)
        exact = torch.from_numpy(logits).double()
        losses = [float(self._loss(exact[i : i + 1], labels[i : i + 1], None)) for i in range(n)]
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
        if len(per_class) > metrics.MOST_ROWS:
            table["per_class_of"] = len(per_class)  # those with the most validation texts are kept
            per_class.sort(key=lambda row: -row["support"])
            del per_class[metrics.MOST_ROWS :]
        right = answers == self._truth
        values: kept.Values = {"loss": list(losses)}
        values["correct"] = (
            (right.all(axis=1) if self.labels.several else right).astype(float).tolist()
        )
        over: dict[str, Measured] = {}
        if not self.labels.several:
            commonest = int(np.bincount(self._seen).argmax())
            over = over_majority(self._truth, answers, commonest, seed=seed)
        if not self.labels.several and len(names) <= LISTED:
            values["label"] = answers.astype(float).tolist()
        analytics = Analytics.model_validate(
            {
                "perplexity": self.no_perplexity(prepared),
                "task": {
                    "loss": Measured(value=sum(losses) / n, n=n, unit="nats per text"),
                    **scores,
                    **self.floors(prepared),
                },
                "details": {
                    "labels": names,
                    "per_class": per_class,
                    **table,
                    **({"over_majority": over} if over else {}),
                },
            }
        )
        chances = self._chances(torch.from_numpy(logits)).numpy()
        predicted = Predicted(chances, self.labels.several, truth=self._truth)
        return Taken(analytics, {"validation": values}, predicted)

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

    def answers(
        self, model: Any, prepared: PreparedHead, watch: Watch, which: slice = ALL
    ) -> list[dict[str, Any]]:
        """The class of each sampled text with its probability."""
        chosen = list(enumerate(prepared.samples))[which]
        texts = [prepared.validation[place] for _, (place, _, _) in chosen]
        logits = torch.from_numpy(np.stack(self.logits(model, texts, watch)))
        chances = self._chances(logits)
        rows = []
        for chance, (index, (_, prompt, reference)) in zip(chances, chosen, strict=True):
            row = {"index": index, "prompt": prompt, "reference": reference}
            rows.append(row | self._answer(chance))
        return rows

    def _chances(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities of the classes, or of each label by itself."""
        return logits.sigmoid() if self.labels.several else logits.softmax(dim=1)

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
