"""Token classification: a tag for each word, scored by entities where the tags mark them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.metrics import entities as entity_metrics
from easymodel_nb.metrics import tasks as word_metrics
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.metrics.stats import ratio_interval
from easymodel_nb.runlog.events import Analytics
from easymodel_nb.train import roles as columns
from easymodel_nb.train.tasks import tags as reading
from easymodel_nb.train.tasks.heads import HeadTask, PreparedHead, sample_places
from easymodel_nb.train.tasks.labels import spelled
from easymodel_nb.train.tasks.tags import PLAIN, Scheme
from easymodel_nb.train.tasks.task import Watch
from easymodel_nb.train.tasks.words import (
    Window,
    add_prefix_space,
    space_before,
    specials,
    sub_words,
    windows,
)

SAMPLE_TEXTS = 16
_LISTED = 200  # tags that the plan lists
_SHOWN_WORDS = 120  # of a sampled text


@dataclass(frozen=True)
class _Text:
    """The words of a row and their tags; None where a word has none (-100, null)."""

    words: list[str]
    tags: list[str | None]


@dataclass
class _Mended:
    """What was wrong with the tags of a split."""

    texts: int = 0
    words: int = 0
    examples: list[tuple[list[str], list[str]]] = field(default_factory=list)


class TokenClassification(HeadTask):
    """A model learns to tag words."""

    name = "token_classification"
    auto_class = "AutoModelForTokenClassification"
    ending: ClassVar = "ForTokenClassification"

    scheme: Scheme = PLAIN

    # ------------------------------------------------------------ the tags

    def read(self, train: pa.Table, evaluation: pa.Table) -> None:
        """Read words and tags, recognise the scheme, mend what breaks it, and name the tags."""
        self.notes: list[Problem] = []
        rows, held = self._texts(train), self._texts(evaluation)
        column = str(self.context.roles.label)
        tagged = [[tag for tag in text.tags if tag is not None] for text in rows]
        seen = {tag for tags in tagged for tag in tags}
        if len(seen) < 2:  # noqa: PLR2004  one tag for everything tells nothing
            what = f"the tag {min(seen)!r}" if seen else "no tag"
            raise problem_error(
                "tags.one",
                f"Every train word has {what} in {column!r}, so there is nothing to learn. "
                "Choose another column, or bring rows with tags of several kinds.",
                field="label_field",
            )
        if not any(tag is not None for text in held for tag in text.tags):
            raise problem_error(
                "label.hidden",
                f"No validation word has a tag in {column!r}. Choose another evaluation split in "
                "the Dataset node, or none, so that rows of the train split are held out.",
                field="label_field",
            )
        written = reading.recognise(tagged)
        self.scheme = (
            Scheme("IOB2", written.joint, written.bare) if written.name == "IOB1" else written
        )
        if written.has_entities:
            rows, held = self._mend(rows, "train", written), self._mend(held, "validation", written)
        self._train, self._held = rows, held
        self._name(train, written)

    def _texts(self, table: pa.Table) -> list[_Text]:
        roles = self.context.roles
        declared = columns.class_names(table, str(roles.label))
        words = columns.column_at(table, str(roles.text)).to_pylist()
        tags = columns.column_at(table, str(roles.label)).to_pylist()
        found = []
        for row, marks in zip(words, tags, strict=True):
            if not isinstance(row, list) or not isinstance(marks, list) or len(row) != len(marks):
                continue
            named = [
                None if mark in (IGNORED, str(IGNORED)) else spelled(mark, declared)
                for mark in marks
            ]
            if row and any(tag is not None for tag in named):
                found.append(_Text(["" if word is None else str(word) for word in row], named))
        return found

    def _mend(self, texts: list[_Text], split: str, written: Scheme) -> list[_Text]:
        """Every entity as the scheme demands; says what was changed, with an example."""
        mended, result = _Mended(), []
        for text in texts:
            tags = [tag or reading.OUTSIDE for tag in text.tags]
            good = reading.repaired(tags, self.scheme)
            if good != tags:
                mended.texts += 1
                mended.words += sum(a != b for a, b in zip(good, tags, strict=True))
                mended.examples.append((tags, good))
            kept = [None if tag is None else new for tag, new in zip(text.tags, good, strict=True)]
            result.append(_Text(text.words, kept))
        if mended.texts and written.name != "IOB1":
            self.notes.append(self._broken(mended, split))
        return result

    def _broken(self, mended: _Mended, split: str) -> Problem:
        bad, good = mended.examples[0]
        place = next(i for i, (a, b) in enumerate(zip(bad, good, strict=True)) if a != b)
        start = max(0, place - 1)
        shown = " ".join(bad[start : place + 2]), " ".join(good[start : place + 2])
        return Problem(
            code="tags.broken",
            severity="note",
            message=f"{_plural(mended.words, 'tag')} in {_plural(mended.texts, f'{split} text')} "
            f"{'breaks' if mended.words == 1 else 'break'} the {self.scheme.name} scheme, such as {shown[0]!r}, which was read as {shown[1]!r}.",
            field="label_field",
        )

    def _name(self, table: pa.Table, written: Scheme) -> None:
        """The tags in the order of the model's outputs, in the plan."""
        chooser, path = self.context.chooser, str(self.context.roles.label)
        counts = Counter(tag for text in self._train for tag in text.tags if tag is not None)
        held = Counter(tag for text in self._held for tag in text.tags if tag is not None)
        declared = columns.class_names(table, path)
        names = list(declared or []) if written.name != "IOB1" else []
        names += [t for t in reading.in_order({*counts, *held}, self.scheme) if t not in names]
        self.adopt_head(names)
        self._number = {name: place for place, name in enumerate(self.names)}
        why = {
            "IOB1": "IOB1, where B only parts entities that touch; learned as IOB2, where every "
            "entity begins with B",
            "plain": "no tag marks where an entity begins, so words are scored, not entities",
        }.get(written.name, "read off the tags")
        chooser.note("scheme", self.scheme.name, why)
        source = "named by the data set" if declared else "read off the rows"
        chooser.note("tags", list(self.names[:_LISTED]), f"{len(self.names)} tags, {source}")
        if self.scheme.has_entities:
            kinds = Counter(
                kind
                for text in self._train
                for kind, _, _ in reading.chunks([t or "O" for t in text.tags], self.scheme)
            )
            shown = {kind or "entity": n for kind, n in kinds.most_common(_LISTED)}
            chooser.note("entity_counts", shown, "entities of each type in the train rows")
        else:
            chooser.note("tag_counts", dict(counts.most_common(_LISTED)), "train words of each tag")
        self._weigh(counts)
        unseen = sorted(set(held) - set(counts))
        if unseen:
            self.notes.append(
                Problem(
                    code="label.unseen",
                    severity="note",
                    message=f"{len(unseen)} tags are in the validation rows alone and cannot be "
                    f"learned: {', '.join(unseen[:8])}{' ...' if len(unseen) > 8 else ''}.",  # noqa: PLR2004
                    field="label_field",
                )
            )

    def _weigh(self, counts: Counter[str]) -> None:
        self.weights: torch.Tensor | None = None
        if not self.context.chooser.data.class_weights:
            return
        total, kinds = counts.total(), len(counts)
        weights = [total / (kinds * counts[n]) if counts[n] else 1.0 for n in self.names]
        self.weights = torch.tensor(weights, dtype=torch.float32)
        named = {n: round(w, 4) for n, w in zip(self.names, weights, strict=True)}
        why = "words / (tags * words with the tag)"
        self.context.chooser.note("class_weights", dict(list(named.items())[:_LISTED]), why)

    # ------------------------------------------------------------ the words

    def prepare(self, train: pa.Table, evaluation: pa.Table, model: Any) -> PreparedHead:  # noqa: ARG002
        """Cut words into sub-words, and texts into windows."""
        rows, held = self._train, self._held
        total = len(rows) + len(held)
        reporter = self.context.reporter
        reporter.stage("preparing", "Tokenising the words", total=total, unit="rows")
        learned, scored = self._windows(rows, 0), self._windows(held, len(rows))
        if space_before(self.context.tokenizer):
            added = add_prefix_space(self.context.tokenizer)
            why = "its sub-words differ after a space; each word is read with a space before it"
            self.context.chooser.note("add_prefix_space", added, why)
        long = len({w.text for w in learned if w.first})
        if long:
            why = f"train texts longer than max_length, read in {len(learned):,} windows in all"
            self.context.chooser.note("windowed_texts", long, why)
        samples = []
        for place in sample_places(len(held), SAMPLE_TEXTS, self.context.chooser.data.seed):
            words = held[place].words[:_SHOWN_WORDS]
            samples.append((place, " ".join(words), self._shown(words, held[place].tags)))
        return PreparedHead(
            train=learned,
            texts=len(scored),
            prompts=len(samples),
            max_new_tokens=None,
            train_rows=len(rows),
            eval_rows=len(held),
            dropped_rows=train.num_rows + evaluation.num_rows - total,
            notes=tuple(self.notes),
            validation=scored,
            samples=samples,
        )

    def _windows(self, texts: Sequence[_Text], done: int) -> list[Window]:
        tokenizer, limit = self.context.tokenizer, self.context.chooser.data.max_length
        around = specials(tokenizer)
        longest = max(1, (limit - len(around[0]) - len(around[1])) // 2)

        def tick(count: int) -> None:
            self.context.control.check()
            self.context.reporter.advance(done + count)

        cut = sub_words(tokenizer, [text.words for text in texts], longest=longest, tick=tick)
        return [
            window
            for place, (text, words) in enumerate(zip(texts, cut, strict=True))
            for window in windows(
                words,
                [IGNORED if tag is None else self._number[tag] for tag in text.tags],
                text=place,
                max_length=limit,
                around=around,
            )
        ]

    # ------------------------------------------------------------ learning

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """Sum of the cross-entropy over the words that are learned."""
        logits = outputs.logits.float()
        weights = None if self.weights is None else self.weights.to(logits.device)
        return F.cross_entropy(
            logits.flatten(0, 1),
            labels.flatten(),
            weight=weights,
            ignore_index=IGNORED,
            reduction="sum",
        )

    # ------------------------------------------------------------ measuring

    def measure(self, model: Any, prepared: PreparedHead, watch: Watch) -> Analytics:
        """Loss and scores of the validation words and of the entities that their tags mark."""
        found, losses = self._predict(model, prepared.validation, watch)
        if not np.isfinite(losses).all():
            why = "The model gave no finite number for some words: it has diverged."
            return self._without(prepared, why)
        words = [len(self._known(i)) for i in range(len(self._held))]
        n, seed = len(self._held), self.context.chooser.data.seed
        truth = [self._truth(i) for i in range(n)]
        guessed = [[self.names[found[i][p]] for p in self._known(i)] for i in range(n)]
        right = [
            sum(a == b for a, b in zip(t, g, strict=True))
            for t, g in zip(truth, guessed, strict=True)
        ]
        interval = ratio_interval(right, words, seed=seed)
        low, high = interval or (None, None)
        total = sum(words)
        scores = {
            "loss": Measured(value=float(losses.sum()) / total, n=n, unit="nats per word"),
            "accuracy": Measured(
                value=sum(right) / total, low=low, high=high, n=n, unit="of words"
            ),
        }
        more, details = self._scores(truth, guessed)
        return Analytics.model_validate(
            {
                "perplexity": self.no_perplexity(prepared),
                "task": scores | more | self.floors(prepared),
                "details": details,
            }
        )

    def _scores(
        self, truth: list[list[str]], guessed: list[list[str]]
    ) -> tuple[dict[str, Measured], dict[str, Any]]:
        seed = self.context.chooser.data.seed
        if self.scheme.has_entities:
            true = [reading.entities(tags, self.scheme) for tags in truth]
            found = [reading.entities(tags, self.scheme) for tags in guessed]
            table = entity_metrics.per_type(true, found)
            details = {
                "scheme": self.scheme.name,
                "labels": [row["label"] for row in table],
                "per_type": table,
            }
            return entity_metrics.entity_scores(true, found, seed=seed), details
        flat, answers = (
            np.array([self._number[t] for tags in rows for t in tags]) for rows in (truth, guessed)
        )
        names = list(self.names)
        value = word_metrics.classification(flat, answers, seed=seed)["macro_f1"].value
        why = "The tags mark no entities: words are scored."
        missing = {
            name: Measured.missing(why, n=len(truth)) for name in ("precision", "recall", "f1")
        }
        details = {
            "scheme": self.scheme.name,
            "labels": names,
            "per_class": word_metrics.per_class(flat, answers, names),
            **word_metrics.confusion(flat, answers, len(names)),
        }
        macro = Measured(value=value, n=len(truth), unit="of words")
        return missing | {"macro_f1": macro}, details

    def _known(self, text: int) -> list[int]:
        """The places of the words that have a tag."""
        return [place for place, tag in enumerate(self._held[text].tags) if tag is not None]

    def _truth(self, text: int) -> list[str]:
        return [tag for tag in self._held[text].tags if tag is not None]

    def _predict(
        self, model: Any, texts: Sequence[Window], watch: Watch | None = None
    ) -> tuple[dict[int, list[int]], np.ndarray]:
        """The likeliest tag of each word, by text, and the loss of each word that has a tag."""
        found: dict[int, list[int]] = {}
        losses = []
        for window, logits in zip(texts, self.logits(model, texts, watch), strict=True):
            answers = logits[window.places].astype(np.float64)
            found.setdefault(window.text, []).extend(answers.argmax(axis=1).tolist())
            labels = torch.tensor([window.labels[place] for place in window.places])
            losses.append(
                F.cross_entropy(
                    torch.from_numpy(answers), labels, ignore_index=IGNORED, reduction="none"
                ).numpy()
            )
        return found, np.concatenate(losses)

    def _without(self, prepared: PreparedHead, why: str) -> Analytics:
        missing = {
            name: Measured.missing(why, n=found.n, unit=found.unit)
            for name, found in self.unmeasured(prepared).items()
        }
        return Analytics(
            perplexity=self.no_perplexity(prepared), task=missing | self.floors(prepared)
        )

    def no_perplexity(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """Tags are no language."""
        why = (
            "Perplexity is not defined for token classification: it measures how well text is "
            "predicted, and here tags are."
        )
        return {"validation": Measured.missing(why, n=len(self._held))}

    def unmeasured(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """The names of the model's own numbers, with their sample size and unit."""
        names = ["loss", "accuracy", "precision", "recall", "f1"]
        names += [] if self.scheme.has_entities else ["macro_f1"]
        units = {"loss": "nats per word", "accuracy": "of words", "macro_f1": "of words"}
        return {name: Measured(value=0, n=len(self._held), unit=units.get(name)) for name in names}

    def floors(self, prepared: PreparedHead) -> dict[str, Measured]:  # noqa: ARG002
        """The share of words that have the commonest tag of the train words."""
        commonest, _ = Counter(
            tag for text in self._train for tag in text.tags if tag is not None
        ).most_common(1)[0]
        true = [tag for i in range(len(self._held)) for tag in self._truth(i)]
        share = sum(tag == commonest for tag in true) / len(true)
        return {"majority_accuracy": Measured(value=share, n=len(self._held), unit="of words")}

    # ------------------------------------------------------------ samples

    def answers(self, model: Any, prepared: PreparedHead, watch: Watch) -> list[dict[str, Any]]:
        """The entities (or the tags) that the model finds in the sampled texts."""
        rows = []
        for index, (place, prompt, reference) in enumerate(prepared.samples):
            parts = [window for window in prepared.validation if window.text == place]
            found, _ = self._predict(model, parts)
            tags = [self.names[number] for number in found[place]]
            text = self._shown(self._held[place].words[:_SHOWN_WORDS], tags)
            rows.append({"index": index, "prompt": prompt, "reference": reference, "text": text})
            watch(index + 1)
        return rows

    def _shown(self, words: list[str], tags: Sequence[str | None]) -> str:
        told = [tag or "O" for tag in tags[: len(words)]]
        if self.scheme.has_entities:
            return reading.rendered(words, reading.entities(told, self.scheme))
        return reading.rendered_words(words, told)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
